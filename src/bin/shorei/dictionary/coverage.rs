//! `shorei dictionary coverage`: what reports name and the dictionaries lack.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;

use shorei::Pipeline;
use shorei::lexicon::Lexicon;
use shorei::pipeline::Explanation;
use shorei::types::{MentionKind, Norm, Span};

use crate::input::{Failure, reports};
use crate::packs::Packs;

/// Fewer characters name nothing that a dictionary should list.
const MIN_CHARS: usize = 3;

#[derive(clap::Parser)]
#[command(
    after_help = "Prints, for each term: how often, in how many reports, what it was read as (`noun` for
nouns that were not read as anything), the term, and a report that has it.

Example:
  shorei dictionary coverage --dictionary manbyo.pack reports.jsonl | head -50"
)]
pub struct CoverageArgs {
    /// Reports as `structure` takes them.
    #[arg(required = true)]
    pub reports: Vec<PathBuf>,
    /// Print so many terms at most; 0 for all.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
    #[command(flatten)]
    pub packs: Packs,
}

/// How often a term occurs.
#[derive(Default)]
struct Count {
    times: usize,
    reports: usize,
    /// Id of the first report that has it.
    example: String,
}

/// Prints the terms; the number of reports that could not be read.
pub fn run(args: &CoverageArgs) -> Result<usize, Failure> {
    let pipeline = args.packs.over(Pipeline::load_default()?)?;
    let mut counts: HashMap<(&'static str, String), Count> = HashMap::new();
    let (mut failed, mut read, mut linked, mut unlinked) = (0, 0, 0usize, 0usize);
    for report in args.reports.iter().flat_map(|path| reports(path, None)) {
        let explained = report.and_then(|report| pipeline.explain(&report.id, &report.text));
        let explanation = match explained {
            Ok(explanation) => explanation,
            Err(error) => {
                anstream::eprintln!("shorei: {error}");
                failed += 1;
                continue;
            }
        };
        read += 1;
        let named = explanation
            .case
            .mentions
            .iter()
            .filter(|mention| kind(mention.kind).is_some());
        linked += named.clone().filter(|mention| mention.concept.is_some()).count();
        unlinked += named.filter(|mention| mention.concept.is_none()).count();
        let mut seen = HashSet::new();
        for term in lacking(&explanation, pipeline.lexicon()) {
            let count = counts.entry(term.clone()).or_default();
            count.times += 1;
            if count.example.is_empty() {
                count.example.clone_from(&explanation.case.id);
            }
            if seen.insert(term) {
                count.reports += 1;
            }
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, x), (b, y)| (y.times, y.reports).cmp(&(x.times, x.reports)).then_with(|| a.cmp(b)));
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for ((kind, term), count) in counts.iter().take(limit) {
        writeln!(
            out,
            "{}\t{}\t{kind}\t{term}\t{}",
            count.times, count.reports, count.example
        )?;
    }
    out.flush()?;
    let all = linked + unlinked;
    anstream::eprintln!(
        "{read} reports: {linked} of {all} mentions have a concept ({:.1} %); {} terms have none",
        100.0 * linked as f64 / all.max(1) as f64,
        counts.len()
    );
    Ok(failed)
}

/// The kinds of mentions that dictionaries list.
fn kind(kind: MentionKind) -> Option<&'static str> {
    match kind {
        MentionKind::Disease => Some("disease"),
        MentionKind::Finding => Some("finding"),
        MentionKind::Site => Some("site"),
        MentionKind::Exam => Some("exam"),
        MentionKind::TestItem => Some("test"),
        MentionKind::Drug => Some("drug"),
        MentionKind::Treatment => Some("treatment"),
        _ => None,
    }
}

/// Mentions without a concept, and compounds of nouns outside of every mention.
fn lacking(explanation: &Explanation, lexicon: &Lexicon) -> Vec<(&'static str, String)> {
    let case = &explanation.case;
    let text = case.text.norm();
    let mut terms: Vec<(&'static str, String)> = case
        .mentions
        .iter()
        .filter(|mention| mention.concept.is_none())
        .filter_map(|mention| Some((kind(mention.kind)?, mention.text.clone())))
        .collect();
    let mut run: Vec<Span<Norm>> = Vec::new();
    let mut runs = Vec::new();
    for token in &explanation.tokens {
        let joins = run.last().is_some_and(|last| last.end == token.span.start);
        if !joins || !token.pos.is_nominal() {
            runs.push(std::mem::take(&mut run));
        }
        if token.pos.is_nominal() {
            run.push(token.span);
        }
    }
    runs.push(run);
    for run in runs {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let span = Span::new(first.start, last.end);
        let words = span.slice(text);
        let names_nothing = |span: &Span<Norm>| {
            let word = span.slice(text);
            lexicon.is_frame_word(word) || lexicon.is_generic(word)
        };
        if run.len() >= 2
            && words.chars().count() >= MIN_CHARS
            && !words.is_ascii()
            && !run.iter().all(names_nothing)
            && !run.iter().any(|span| lexicon.is_outside_names(span.slice(text)))
            && lexicon.lookup(words).is_empty()
            && !case.mentions.iter().any(|mention| mention.norm.overlaps(&span))
        {
            terms.push(("noun", words.to_owned()));
        }
    }
    terms
}
