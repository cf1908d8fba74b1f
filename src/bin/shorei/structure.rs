//! `shorei structure`.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use shorei::{Case, Pipeline, export};

use crate::args::{Format, StructureArgs};
use crate::input::{Failure, reports};

/// Below so many reports no progress is shown.
const PROGRESS_FROM: usize = 200;

/// Structures every report; the number of those that failed.
pub fn run(args: &StructureArgs) -> Result<usize, Failure> {
    let pipeline = args.packs.over(args.models.pipeline()?)?;
    let inputs: Vec<_> = args
        .files
        .iter()
        .flat_map(|path| reports(path, args.id.as_deref()))
        .collect();
    let several = inputs.len() > 1;
    let progress = progress(inputs.len());
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let color = std::io::stdout().is_terminal();
    let mut failed = 0;
    if args.format == Format::Medtxt {
        out.write_all(export::medtxt::header()?.as_bytes())?;
    }
    for input in inputs {
        let structured = input.and_then(|report| pipeline.structure(&report.id, &report.text));
        progress.inc(1);
        match structured {
            Ok(case) => out.write_all(print(&case, &pipeline, args.format, several, color)?.as_bytes())?,
            Err(error) => {
                failed += 1;
                progress.suspend(|| anstream::eprintln!("shorei: {error}"));
            }
        }
    }
    if args.format == Format::Medtxt {
        out.write_all(export::medtxt::FOOTER.as_bytes())?;
    }
    out.flush()?;
    progress.finish_and_clear();
    Ok(failed)
}

fn print(case: &Case, pipeline: &Pipeline, format: Format, several: bool, color: bool) -> std::io::Result<String> {
    Ok(match format {
        Format::Tree if several => {
            format!("# {}\n{}\n", case.id, export::tree::to_tree_annotated(case, color))
        }
        Format::Tree => export::tree::to_tree_annotated(case, color),
        Format::Json => export::json::to_json_line(case, pipeline.lexicon()),
        Format::Dot => export::dot::to_dot(case, pipeline.lexicon()),
        Format::Svg => export::svg::to_svg(case, pipeline.lexicon()),
        Format::Html => export::html::to_html(case, pipeline.lexicon()),
        Format::Medtxt => export::medtxt::Article::of(case).to_xml()?,
    })
}

fn progress(reports: usize) -> ProgressBar {
    if reports < PROGRESS_FROM || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(reports as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} reports, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
