//! Where cases go: a file of JSON lines, or a folder of Parquet tables.
//!
//! ```text
//! cases.jsonl                       once the run is finished; before it, cases.jsonl.partial
//! cases.jsonl.errors.jsonl          when a report failed
//! cases.jsonl.progress              while the run is not finished
//! cases.jsonl.lock                  while it runs
//!
//! cases/documents/part-00000.parquet  cases/mentions/…  cases/edges/…
//! cases/errors.jsonl                when a report failed
//! cases/_progress                   while the run is not finished
//! cases.lock                        while it runs
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::progress::{Done, State};
use super::{Job, Outcome, io_error};
use crate::error::Error;

/// A Parquet part ends after so many reports …
#[cfg(feature = "tables")]
const PART_REPORTS: usize = 8192;
/// … or so many bytes of text.
#[cfg(feature = "tables")]
const PART_BYTES: usize = 64 << 20;

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn is_lines(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "jsonl" || extension == "ndjson")
}

pub fn errors_path(output: &Path) -> PathBuf {
    if is_lines(output) {
        with_suffix(output, ".errors.jsonl")
    } else {
        output.join("errors.jsonl")
    }
}

fn progress_path(output: &Path) -> PathBuf {
    if is_lines(output) {
        with_suffix(output, ".progress")
    } else {
        output.join("_progress")
    }
}

/// What there is to do.
pub enum Opened {
    /// Nothing: an earlier run is finished.
    Finished(Done),
    /// The output, and what is done of it.
    Begun(Output, Done),
}

/// An open output.
pub struct Output {
    path: PathBuf,
    state: State,
    errors: File,
    target: Target,
}

enum Target {
    Lines(File),
    #[cfg(feature = "tables")]
    Tables(Box<tables::Tables>),
}

/// Opens the output, and cuts off what is not done.
pub fn open(job: &Job, input: &str, settings: &str) -> Result<Opened, Error> {
    let path = &job.output;
    let fail = |error: std::io::Error| io_error(path, error);
    let progress = progress_path(path);
    let begun = State::read(&progress)?;
    let is_there = if is_lines(path) {
        path.exists()
    } else {
        std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
    };
    let state = match begun {
        Some(state) if job.resume => {
            for (what, now, then) in [("input", input, &state.input), ("settings", settings, &state.settings)] {
                if now != then {
                    let reason = format!(
                        "the run cannot be resumed: its {what} was `{then}` and is `{now}`; \
                         remove the output and start anew, or restore what has changed"
                    );
                    return Err(io_error(path, reason));
                }
            }
            state
        }
        Some(_) => {
            return Err(io_error(
                path,
                "a run to here was broken off; take it up with --resume (in Python resume=True), or remove it",
            ));
        }
        None if is_there && job.resume => return Ok(Opened::Finished(finished(path)?)),
        None if is_there => {
            return Err(io_error(path, "exists already; name another output, or remove it"));
        }
        None => State {
            input: input.to_owned(),
            settings: settings.to_owned(),
            done: Done::default(),
        },
    };
    let done = state.done;
    if !is_lines(path) {
        std::fs::create_dir_all(path).map_err(fail)?;
    } else if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    state.write(&progress)?;
    let partial = with_suffix(path, ".partial");
    if done.finished {
        // Killed between the last chunk and the last rename.
        if is_lines(path) && partial.exists() {
            std::fs::rename(&partial, path).map_err(fail)?;
        }
        close(path, &done)?;
        return Ok(Opened::Finished(done));
    }
    let target = if is_lines(path) {
        Target::Lines(cut(&partial, done.bytes)?)
    } else {
        tables_target(path, done.parts)?
    };
    let output = Output {
        errors: cut(&errors_path(path), done.error_bytes)?,
        path: path.clone(),
        state,
        target,
    };
    Ok(Opened::Begun(output, done))
}

#[cfg(feature = "tables")]
fn tables_target(path: &Path, parts: u64) -> Result<Target, Error> {
    Ok(Target::Tables(Box::new(tables::Tables::open(path, parts)?)))
}

#[cfg(not(feature = "tables"))]
fn tables_target(path: &Path, _: u64) -> Result<Target, Error> {
    Err(io_error(
        path,
        "this build writes .jsonl only; build it with the feature `tables` for Parquet",
    ))
}

/// Opens a file for writing at `bytes`, and drops what stands behind.
fn cut(path: &Path, bytes: u64) -> Result<File, Error> {
    let open = || -> std::io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .append(true)
            .open(path)?;
        if file.metadata()?.len() < bytes {
            return Err(std::io::Error::other(
                "shorter than the progress file says; remove the output and start anew",
            ));
        }
        file.set_len(bytes)?;
        Ok(file)
    };
    open().map_err(|error| io_error(path, error))
}

/// What a finished run did, as far as its files tell.
fn finished(path: &Path) -> Result<Done, Error> {
    let lines = |path: &Path| -> Result<u64, Error> {
        use std::io::BufRead;
        match File::open(path) {
            Ok(file) => Ok(std::io::BufReader::new(file).split(b'\n').count() as u64),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(io_error(path, error)),
        }
    };
    let failed = lines(&errors_path(path))?;
    let cases = if is_lines(path) {
        lines(path)?
    } else {
        tables_rows(path)?
    };
    Ok(Done {
        reports: cases + failed,
        failed,
        finished: true,
        ..Done::default()
    })
}

#[cfg(feature = "tables")]
fn tables_rows(path: &Path) -> Result<u64, Error> {
    tables::rows(path)
}

#[cfg(not(feature = "tables"))]
fn tables_rows(_: &Path) -> Result<u64, Error> {
    Ok(0)
}

/// Takes away what only a run that is not finished has.
fn close(path: &Path, done: &Done) -> Result<(), Error> {
    let errors = errors_path(path);
    if done.failed == 0 && errors.exists() {
        std::fs::remove_file(&errors).map_err(|error| io_error(&errors, error))?;
    }
    let progress = progress_path(path);
    std::fs::remove_file(&progress).map_err(|error| io_error(&progress, error))
}

impl Output {
    /// True when an outcome may be a line of JSON instead of a case.
    pub fn lines_only(&self) -> bool {
        matches!(self.target, Target::Lines(_))
    }

    /// Writes a chunk, and says so where it is safe on disk.
    pub fn write(&mut self, outcomes: Vec<Outcome>, done: &mut Done) -> Result<(), Error> {
        let mut lines = String::new();
        let mut faults = String::new();
        let mut cases = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Line(line) => lines.push_str(&line),
                Outcome::Case(case) => cases.push(case),
                Outcome::Fault(fault) => {
                    let line = serde_json::to_string(&fault).map_err(|error| io_error(&self.path, error))?;
                    faults.push_str(&line);
                    faults.push('\n');
                }
            }
        }
        let fail = |error: std::io::Error| io_error(&self.path, format!("{error}; make room and resume the run"));
        if !faults.is_empty() {
            self.errors.write_all(faults.as_bytes()).map_err(fail)?;
            done.error_bytes += faults.len() as u64;
        }
        let is_safe = match &mut self.target {
            Target::Lines(file) => {
                file.write_all(lines.as_bytes())
                    .and_then(|()| file.sync_data())
                    .map_err(fail)?;
                done.bytes += lines.len() as u64;
                true
            }
            #[cfg(feature = "tables")]
            Target::Tables(tables) => tables.write(&cases, &mut done.parts)?,
        };
        if is_safe {
            self.commit(done)?;
        }
        Ok(())
    }

    /// Completes the output.
    pub fn finish(&mut self, done: &mut Done) -> Result<(), Error> {
        #[cfg(feature = "tables")]
        if let Target::Tables(tables) = &mut self.target {
            tables.finish(&mut done.parts)?;
        }
        done.finished = true;
        self.commit(done)?;
        if is_lines(&self.path) {
            let partial = with_suffix(&self.path, ".partial");
            std::fs::rename(&partial, &self.path).map_err(|error| io_error(&self.path, error))?;
        }
        close(&self.path, done)
    }

    fn commit(&mut self, done: &Done) -> Result<(), Error> {
        self.errors.sync_data().map_err(|error| io_error(&self.path, error))?;
        self.state.done = *done;
        self.state.write(&progress_path(&self.path))
    }
}

#[cfg(feature = "tables")]
mod tables {
    use std::fs::File;
    use std::path::{Path, PathBuf};

    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::{PART_BYTES, PART_REPORTS, io_error};
    use crate::error::Error;
    use crate::export::CaseRecord;
    use crate::export::table::{Level, to_record_batch};

    const TABLES: [(Level, &str); 3] = [
        (Level::Case, "documents"),
        (Level::Mention, "mentions"),
        (Level::Edge, "edges"),
    ];

    fn part_path(folder: &Path, part: u64) -> PathBuf {
        folder.join(format!("part-{part:05}.parquet"))
    }

    /// A table's open part.
    struct Part {
        level: Level,
        folder: PathBuf,
        writer: Option<ArrowWriter<File>>,
    }

    impl Part {
        /// While it is open, a part has a name that readers of Parquet folders pass over.
        fn open_path(&self) -> PathBuf {
            self.folder.join("_part.partial")
        }
    }

    /// The three tables.
    pub struct Tables {
        parts: Vec<Part>,
        reports: usize,
        bytes: usize,
    }

    impl Tables {
        /// Opens the folders and removes parts that are not done.
        pub fn open(path: &Path, parts: u64) -> Result<Self, Error> {
            let mut open = Vec::new();
            for (level, name) in TABLES {
                let folder = path.join(name);
                std::fs::create_dir_all(&folder).map_err(|error| io_error(&folder, error))?;
                let mut part = parts;
                while part_path(&folder, part).exists() {
                    let file = part_path(&folder, part);
                    std::fs::remove_file(&file).map_err(|error| io_error(&file, error))?;
                    part += 1;
                }
                open.push(Part {
                    level,
                    folder,
                    writer: None,
                });
            }
            Ok(Tables {
                parts: open,
                reports: 0,
                bytes: 0,
            })
        }

        /// Writes a chunk; true when a part was completed by it.
        pub fn write(&mut self, cases: &[Box<CaseRecord>], done: &mut u64) -> Result<bool, Error> {
            for part in &mut self.parts {
                let path = part.open_path();
                if part.writer.is_none() {
                    let file = File::create(&path).map_err(|error| io_error(&path, error))?;
                    let level = ZstdLevel::try_new(3).map_err(|error| io_error(&path, error))?;
                    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
                    let writer = ArrowWriter::try_new(file, part.level.schema(), Some(properties.build()))
                        .map_err(|error| io_error(&path, error))?;
                    part.writer = Some(writer);
                }
                let rows = to_record_batch(part.level, cases.iter().map(Box::as_ref))
                    .map_err(|error| io_error(&path, error))?;
                if let Some(writer) = &mut part.writer {
                    writer.write(&rows).map_err(|error| io_error(&path, error))?;
                }
            }
            self.reports += cases.len();
            self.bytes += cases.iter().map(|case| case.text.len()).sum::<usize>();
            if self.reports < PART_REPORTS && self.bytes < PART_BYTES {
                return Ok(false);
            }
            self.finish(done)?;
            Ok(true)
        }

        /// Completes the open parts.
        pub fn finish(&mut self, done: &mut u64) -> Result<(), Error> {
            if self.parts.iter().all(|part| part.writer.is_none()) && *done > 0 {
                return Ok(());
            }
            if self.parts.iter().any(|part| part.writer.is_none()) {
                // No report at all: tables without rows say more than no tables.
                self.write(&[], done)?;
            }
            for part in &mut self.parts {
                let path = part.open_path();
                if let Some(writer) = part.writer.take() {
                    let file = writer.into_inner().map_err(|error| io_error(&path, error))?;
                    file.sync_all().map_err(|error| io_error(&path, error))?;
                }
                let name = part_path(&part.folder, *done);
                std::fs::rename(&path, &name).map_err(|error| io_error(&name, error))?;
            }
            *done += 1;
            self.reports = 0;
            self.bytes = 0;
            Ok(())
        }
    }

    /// The rows of the table of documents.
    pub fn rows(path: &Path) -> Result<u64, Error> {
        let folder = path.join(TABLES[0].1);
        let mut rows = 0;
        let mut part = 0;
        while let Ok(file) = File::open(part_path(&folder, part)) {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| io_error(&folder, error))?;
            rows += u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or_default();
            part += 1;
        }
        Ok(rows)
    }
}
