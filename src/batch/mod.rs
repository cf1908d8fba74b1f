//! Many reports: read as a stream, structured on all processors, written in the order of the input,
//! and taken up again where a run was killed.
//!
//! The input is cut into chunks at places that depend on nothing but the input. A chunk is written
//! and synced before the progress file says that it is done, and what stands behind the last chunk
//! that is done is cut off before a run goes on. So the output of a run that was killed and resumed
//! is, byte for byte, that of a run that was not.

mod input;
mod lock;
mod output;
mod progress;

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rayon::prelude::*;

use crate::error::Error;
use crate::export::CaseRecord;
use crate::pipeline::Pipeline;

use input::{Input, Item};
use lock::Lock;
use output::Output;
use progress::Done;

/// The most reports of a chunk.
const CHUNK_REPORTS: usize = 512;
/// A chunk ends once it holds so many bytes of text.
const CHUNK_BYTES: usize = 8 << 20;
/// How often the observer is called.
const INTERVAL: Duration = Duration::from_millis(100);

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// `.jsonl`, `.csv`, `.tsv`, `.parquet`, or a folder of `.txt` files.
    pub input: PathBuf,
    /// A `.jsonl` file, or a folder for the Parquet tables `documents`, `mentions` and `edges`.
    pub output: PathBuf,
    /// Threads; as many as there are processors where none are given.
    pub threads: Option<usize>,
    /// Take up a run that was broken off.
    pub resume: bool,
    /// The field or column of a report's id.
    pub id_field: String,
    /// The field or column of its text.
    pub text_field: String,
    /// What else the output depends on, such as the arranger's folder: a run is only resumed with
    /// the same.
    pub settings: String,
}

impl Job {
    /// A job with the fields `id` and `text` and as many threads as there are processors.
    pub fn new(input: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Job {
            input: input.into(),
            output: output.into(),
            threads: None,
            resume: false,
            id_field: "id".into(),
            text_field: "text".into(),
            settings: String::new(),
        }
    }

    /// Where the reports that failed are listed: a record `{"id", "place", "code", "reason"}` a
    /// line. It is there when one failed.
    pub fn errors_path(&self) -> PathBuf {
        output::errors_path(&self.output)
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Reports done by this run.
    pub reports: u64,
    /// Reports done by the runs before it.
    pub before: u64,
    /// The part of the input that is done, from 0 to 1.
    pub fraction: f64,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Reports done, by this run and those before it.
    pub reports: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Reports done by the runs before it.
    pub before: u64,
    /// True when the observer stopped the run; `resume` takes it up.
    pub stopped: bool,
}

/// A chunk of the input.
struct Chunk {
    items: Vec<Item>,
    /// The part of the input that is read with it.
    fraction: f64,
}

/// A report that has no case.
#[derive(serde::Serialize)]
struct Fault {
    id: String,
    /// File and line, row or file.
    place: String,
    code: String,
    reason: String,
}

/// A report that is done.
enum Outcome {
    Case(Box<CaseRecord>),
    /// A line of JSON, where that is all that is written.
    Line(String),
    Fault(Fault),
}

/// Structures every report of the input. A report that fails is listed in the errors file and the
/// others go on; neither that file nor any message holds text of a report.
///
/// `observe` is called about ten times a second and may stop the run, which can then be resumed.
/// Memory does not depend on the length of the input.
///
/// # Errors
/// [`Error::Io`] for an input that is not there or cannot be read, an output that is there already
/// (without `resume`), that another run is writing to, or that cannot be written, and a run that
/// cannot be resumed because the input or the settings are not those it began with.
pub fn run(
    pipeline: &Pipeline,
    job: &Job,
    observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Summary, Error> {
    let settings = settings(pipeline, job);
    let mut input = Input::open(job)?;
    // Until the run ends: two at once would cut off each other's lines.
    let _lock = Lock::take(&job.output)?;
    let (mut output, start) = match output::open(job, &input.fingerprint()?, &settings)? {
        output::Opened::Finished(done) => {
            return Ok(Summary {
                reports: done.reports,
                failed: done.failed,
                before: done.reports,
                stopped: false,
            });
        }
        output::Opened::Begun(output, done) => (output, done),
    };
    input.skip(start.reports)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(job.threads.unwrap_or(0))
        .thread_name(|index| format!("shorei-{index}"))
        .build()
        .map_err(|error| Error::Io {
            path: job.input.clone(),
            reason: format!("no threads to work with: {error}; ask for fewer"),
        })?;
    let stop = AtomicBool::new(false);
    let counter = AtomicU64::new(0);
    let fraction = AtomicU64::new(0f64.to_bits());
    let lines_only = output.lines_only();

    let ended = std::thread::scope(|scope| {
        let (to_pool, chunks) = sync_channel::<Result<Chunk, Error>>(1);
        let (to_writer, finished) = sync_channel::<Result<(Vec<Outcome>, f64), Error>>(1);
        let (to_main, ended) = sync_channel::<Result<Done, Error>>(1);
        let (stop, counter, fraction, pool) = (&stop, &counter, &fraction, &pool);
        scope.spawn(move || read(&mut input, &to_pool, stop));
        scope.spawn(move || {
            for chunk in chunks {
                let outcomes = chunk.map(|chunk| {
                    let work = |item: Item| {
                        let outcome = outcome(pipeline, item, lines_only);
                        counter.fetch_add(1, Ordering::Relaxed);
                        outcome
                    };
                    let outcomes = pool.install(|| chunk.items.into_par_iter().map(work).collect());
                    (outcomes, chunk.fraction)
                });
                if to_writer.send(outcomes).is_err() {
                    break;
                }
            }
        });
        scope.spawn(move || {
            let done = write(&mut output, start, finished, fraction, stop);
            // The main thread waits for nothing else.
            let _ = to_main.send(done);
        });
        loop {
            match ended.recv_timeout(INTERVAL) {
                Ok(done) => return done,
                Err(RecvTimeoutError::Timeout) => {
                    let progress = Progress {
                        reports: counter.load(Ordering::Relaxed),
                        before: start.reports,
                        fraction: f64::from_bits(fraction.load(Ordering::Relaxed)),
                    };
                    if observe(progress).is_break() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Io {
                        path: job.output.clone(),
                        reason: "the writing thread ended early; resume the run".into(),
                    });
                }
            }
        }
    })?;
    Ok(Summary {
        reports: ended.reports,
        failed: ended.failed,
        before: start.reports,
        stopped: !ended.finished,
    })
}

/// Hands out chunks until the input ends, or the run is stopped.
fn read(input: &mut Input, to_pool: &SyncSender<Result<Chunk, Error>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut failed = None;
        while items.len() < CHUNK_REPORTS && bytes < CHUNK_BYTES {
            match input.next() {
                Ok(Some(item)) => {
                    bytes += item.report.as_ref().map_or(0, |report| report.text.len());
                    items.push(item);
                }
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let is_last = items.is_empty();
        let fraction = input.fraction();
        // The chunk that the input broke off in is not done: where it ends depends on the fault.
        let message = failed.map_or(Ok(Chunk { items, fraction }), Err);
        if is_last && message.is_ok() {
            return;
        }
        let is_error = message.is_err();
        if to_pool.send(message).is_err() || is_error {
            return;
        }
    }
}

fn write(
    output: &mut Output,
    start: Done,
    finished: Receiver<Result<(Vec<Outcome>, f64), Error>>,
    fraction: &AtomicU64,
    stop: &AtomicBool,
) -> Result<Done, Error> {
    let mut done = start;
    for chunk in finished {
        let (outcomes, read) = chunk?;
        done.reports += outcomes.len() as u64;
        done.failed += outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Fault(_)))
            .count() as u64;
        output.write(outcomes, &mut done)?;
        fraction.store(read.to_bits(), Ordering::Relaxed);
    }
    if !stop.load(Ordering::Relaxed) {
        output.finish(&mut done)?;
    }
    Ok(done)
}

fn outcome(pipeline: &Pipeline, item: Item, lines_only: bool) -> Outcome {
    let report = match item.report {
        Ok(report) => report,
        Err(fault) => return Outcome::Fault(fault),
    };
    let structured = catch_unwind(AssertUnwindSafe(|| {
        let case = pipeline.structure(&report.id, &report.text)?;
        Ok::<_, Error>(CaseRecord::new(&case, pipeline.lexicon()))
    }));
    let fault = |code: &str, reason: String| {
        Outcome::Fault(Fault {
            id: report.id.clone(),
            place: item.place.clone(),
            code: code.to_owned(),
            reason,
        })
    };
    match structured {
        Ok(Ok(record)) if lines_only => match serde_json::to_string(&record) {
            Ok(mut line) => {
                line.push('\n');
                Outcome::Line(line)
            }
            Err(error) => fault("internal", error.to_string()),
        },
        Ok(Ok(record)) => Outcome::Case(Box::new(record)),
        Ok(Err(error)) => fault(error.code(), error.to_string()),
        Err(_) => fault("internal", "a fault of shorei itself; please report it".into()),
    }
}

/// What the output depends on besides the input.
fn settings(pipeline: &Pipeline, job: &Job) -> String {
    let packs: Vec<String> = pipeline
        .lexicon()
        .packs()
        .map(|pack| format!("{} {:08x}", pack.name(), pack.checksum()))
        .collect();
    format!(
        "shorei {}; fields {} {}; dictionaries [{}]; {}",
        env!("CARGO_PKG_VERSION"),
        job.id_field,
        job.text_field,
        packs.join(", "),
        job.settings
    )
}

/// What went wrong with a file, and what to do.
fn io_error(path: &Path, reason: impl std::fmt::Display) -> Error {
    Error::Io {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
