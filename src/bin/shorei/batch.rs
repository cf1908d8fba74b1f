//! `shorei batch`.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use shorei::batch::{self, Job};

use crate::args::BatchArgs;
use crate::input::Failure;

/// Steps of the bar: the part of the input that is done, in hundredths of a percent.
const STEPS: u64 = 10_000;

/// Structures every report; the number of those that failed.
pub fn run(args: &BatchArgs) -> Result<usize, Failure> {
    let pipeline = args.packs.over(args.models.pipeline()?)?;
    let job = Job {
        threads: args.threads.map(usize::from),
        resume: args.resume,
        id_field: args.id_field.clone(),
        text_field: args.text_field.clone(),
        settings: args.models.settings(),
        ..Job::new(&args.input, &args.output)
    };
    let bar = bar();
    let begun = Instant::now();
    let rate = |reports: u64| reports as f64 / begun.elapsed().as_secs_f64().max(1e-9);
    let summary = batch::run(&pipeline, &job, &mut |progress| {
        bar.set_position((progress.fraction * STEPS as f64) as u64);
        let reports = progress.reports + progress.before;
        bar.set_message(format!("{reports} reports, {:.0}/s", rate(progress.reports)));
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let summary = summary?;
    let now = summary.reports - summary.before;
    let before = match summary.before {
        0 => String::new(),
        before => format!(", {before} before"),
    };
    anstream::eprintln!(
        "{}: {now} reports{before}; {:.1} s, {:.0} reports/s",
        args.output.display(),
        begun.elapsed().as_secs_f64(),
        rate(now)
    );
    if summary.failed > 0 {
        anstream::eprintln!(
            "shorei: {} reports failed; {} says which and why",
            summary.failed,
            job.errors_path().display()
        );
    }
    Ok(usize::try_from(summary.failed).unwrap_or(usize::MAX))
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(STEPS);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}%  {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
