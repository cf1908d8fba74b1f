//! `shorei index`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use shorei::search::{CaseIndex, Entry, IndexInfo, Writer};
use shorei::{Error, Pipeline};

use crate::input::{Failure, each_record, reports};
use crate::models::Models;
use crate::packs::Packs;

#[derive(clap::Parser)]
pub struct IndexArgs {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Subcommand)]
enum IndexCommand {
    /// Make an index of cases.
    #[command(after_help = "Examples:
  shorei index build cases.index reports/*.txt
  shorei structure --format json reports.jsonl > cases.jsonl
  shorei index build cases.index cases.jsonl")]
    Build(AddArgs),
    /// Add cases; one with an id that is there replaces the old one.
    #[command(after_help = "Example:
  shorei index add cases.index new.jsonl")]
    Add(AddArgs),
    /// Remove cases by their ids.
    #[command(after_help = "Example:
  shorei index remove cases.index 症例1 症例2")]
    Remove {
        /// The index's folder.
        index: PathBuf,
        /// Ids of cases.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// How many cases it has, and how large it is; with --check, whether its files are sound.
    Info {
        /// The index's folder.
        index: PathBuf,
        /// Read every file and compare its checksum.
        #[arg(long)]
        check: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Parser)]
struct AddArgs {
    /// The index's folder.
    index: PathBuf,
    /// Reports (UTF-8 text, a report each), and .jsonl files of one record a line: {\"id\", \"text\"}
    /// is structured first; {\"id\", \"primary\", \"causal_tree\"}, as `structure --format json` prints
    /// it, is taken as it is.
    files: Vec<PathBuf>,
    #[command(flatten)]
    models: Models,
    #[command(flatten)]
    packs: Packs,
}

/// Runs the command; the number of records that could not be used.
pub fn run(args: &IndexArgs) -> Result<usize, Failure> {
    match &args.command {
        IndexCommand::Build(args) => add(args, true),
        IndexCommand::Add(args) => add(args, false),
        IndexCommand::Remove { index, ids } => remove(index, ids),
        IndexCommand::Info { index, check, json } => info(index, *check, *json),
    }
}

fn add(args: &AddArgs, build: bool) -> Result<usize, Failure> {
    let pipeline = args.packs.over(args.models.pipeline()?)?;
    let lexicon = pipeline.shared_lexicon();
    let index = if build {
        CaseIndex::create(&args.index, lexicon)?
    } else {
        CaseIndex::open(&args.index, lexicon)?
    };
    let mut writer = index.writer()?;
    let started = Instant::now();
    let progress = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} cases, {per_sec}") {
        progress.set_style(style);
    }
    let mut failed = 0;
    let mut report = |error: Error| {
        failed += 1;
        progress.suspend(|| anstream::eprintln!("shorei: {error}"));
    };
    for path in &args.files {
        let added = if path.extension().is_some_and(|extension| extension == "jsonl") {
            add_records(path, &pipeline, &mut writer, &progress, &mut report)
        } else {
            add_report(path, &pipeline, &mut writer, &progress, &mut report)
        };
        if let Err(error) = added {
            let kept = writer.committed();
            return Err(format!("{error}\nshorei: {kept} cases of this call were committed before").into());
        }
    }
    let added = writer.commit()?;
    progress.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    let info = index.info()?;
    writeln!(
        anstream::stdout(),
        "{}: {added} cases added in {seconds:.1} s, {} in all, {}",
        args.index.display(),
        info.cases,
        size(info.bytes)
    )?;
    Ok(failed)
}

/// Adds what stands in a file of records. Only a fault of the index ends it.
fn add_records(
    path: &Path,
    pipeline: &Pipeline,
    writer: &mut Writer<'_>,
    progress: &ProgressBar,
    report: &mut impl FnMut(Error),
) -> Result<(), Error> {
    let mut outcome = Ok(());
    let read = each_record(path, |line, text| {
        match entry(path, line, text, pipeline) {
            Ok(entry) => outcome = writer.add(&entry),
            Err(error) => report(error),
        }
        progress.inc(1);
        outcome.is_ok()
    });
    if let Err(error) = read {
        report(error);
    }
    outcome
}

fn add_report(
    path: &Path,
    pipeline: &Pipeline,
    writer: &mut Writer<'_>,
    progress: &ProgressBar,
    report: &mut impl FnMut(Error),
) -> Result<(), Error> {
    for input in reports(path, None) {
        match input.and_then(|input| pipeline.structure(&input.id, &input.text)) {
            Ok(case) => writer.add(&Entry::of_case(&case, pipeline))?,
            Err(error) => report(error),
        }
        progress.inc(1);
    }
    Ok(())
}

/// The case of a line: structured here, or taken as it is.
fn entry(path: &Path, line: usize, text: &str, pipeline: &Pipeline) -> Result<Entry, Error> {
    #[derive(serde::Deserialize)]
    struct Head<'t> {
        id: String,
        #[serde(default, borrow)]
        text: std::borrow::Cow<'t, str>,
        causal_tree: Option<serde::de::IgnoredAny>,
    }
    let fail = |reason: String| Error::Record {
        file: path.display().to_string(),
        line,
        reason: format!(
            "{reason}; expected {{\"id\", \"text\"}} or a case, {{\"id\", \"primary\", \"causal_tree\", …}}"
        ),
    };
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
    if head.id.is_empty() {
        return Err(fail("`id` is empty".into()));
    }
    if head.causal_tree.is_none() {
        if head.text.is_empty() {
            return Err(fail("neither `text` nor `causal_tree`".into()));
        }
        return Ok(Entry::of_case(&pipeline.structure(&head.id, &head.text)?, pipeline));
    }
    let mut entry = Entry::of_json(text, pipeline.lexicon()).map_err(fail)?;
    if !head.text.is_empty() {
        entry.add_text(&head.text, pipeline);
    }
    Ok(entry)
}

fn remove(index: &Path, ids: &[String]) -> Result<usize, Failure> {
    let index = CaseIndex::open(index, Pipeline::load_default()?.shared_lexicon())?;
    let mut missing = 0;
    let mut writer = index.writer()?;
    for id in ids {
        if index.case(id)?.is_none() {
            missing += 1;
            anstream::eprintln!("shorei: no case `{id}`; list ids with `shorei search INDEX … --cases`");
            continue;
        }
        writer.remove(id);
    }
    writer.commit()?;
    writeln!(
        anstream::stdout(),
        "{} cases removed, {} left",
        ids.len() - missing,
        index.info()?.cases
    )?;
    Ok(missing)
}

fn info(path: &Path, check: bool, json: bool) -> Result<usize, Failure> {
    let index = CaseIndex::open(path, Pipeline::load_default()?.shared_lexicon())?;
    let info = index.info()?;
    let damaged = if check { index.damaged()? } else { Vec::new() };
    if json {
        let mut value = serde_json::to_value(&info)?;
        if check {
            value["damaged"] = serde_json::to_value(&damaged)?;
        }
        writeln!(anstream::stdout(), "{value}")?;
    } else {
        write!(anstream::stdout(), "{}", describe(&info))?;
        if check && damaged.is_empty() {
            writeln!(anstream::stdout(), "every file is sound")?;
        }
    }
    for file in &damaged {
        anstream::eprintln!(
            "shorei: {}: damaged; build the index anew, or copy it back from where it is sound",
            path.join(file).display()
        );
    }
    Ok(damaged.len())
}

fn describe(info: &IndexInfo) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "cases     {}", info.cases);
    let _ = writeln!(
        text,
        "diseases  {} as primary, {} cases without one",
        info.diseases, info.without_primary
    );
    let _ = writeln!(text, "size      {} in {} segments", size(info.bytes), info.segments);
    let _ = writeln!(text, "format    {}", info.format);
    text
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
