//! `shorei search`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use shorei::lexicon::Lexicon;
use shorei::search::{CaseIndex, CaseRow, DiseaseRow, FoundDiseases, Query, Reason};
use shorei::{Error, Pipeline};
use unicode_width::UnicodeWidthStr as _;

use crate::input::Failure;
use crate::packs::Packs;

/// What is said of a finding must be at least this much, as a logarithm of a likelihood ratio, to be
/// shown in the table.
const SHOWN: f64 = 0.2;

#[derive(clap::Parser)]
#[command(after_help = "A query is words of a report, or terms with spaces between them:
  発熱  血小板/低下  しびれ@左手   findings that are there
  -腹痛                            a finding that is not there
  disease:肺炎  specialty:血液     only such diseases
  cause:喫煙  drug:メトホルミン    only such cases
  sex:女  age:60-  age:20-39       only such patients
  肺癌>SIADH                       only cases whose map has this edge

Examples:
  shorei search cases.index \"発熱 血小板低下 腹痛\"
  shorei search cases.index \"3日前からの発熱、血小板減少、腹痛はない\" --why
  shorei search cases.index --cases \"disease:ツツガムシ病 age:60-\"
  shorei search cases.index --like 症例1")]
pub struct SearchArgs {
    /// The index's folder.
    index: PathBuf,
    /// What is asked.
    #[arg(required_unless_present = "like", allow_hyphen_values = true)]
    query: Option<String>,
    /// The case whose like is asked for, by its id: cases with a similar map.
    #[arg(long, value_name = "CASE_ID", conflicts_with = "query")]
    like: Option<String>,
    /// List cases with their maps in place of diseases.
    #[arg(long)]
    cases: bool,
    /// With --like: rank the diseases that explain the case's findings, its own diagnosis hidden.
    #[arg(long, requires = "like", conflicts_with = "cases")]
    diagnose: bool,
    /// List every finding's part in each disease's score.
    #[arg(long)]
    why: bool,
    /// At most so many.
    #[arg(long, short = 'n', default_value = "20")]
    limit: NonZeroUsize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// More causal links: a file of the columns of dictionaries/knowledge, such as
    /// `shorei knowledge aggregate` prints.
    #[arg(long, value_name = "FILE")]
    knowledge: Vec<PathBuf>,
    #[command(flatten)]
    packs: Packs,
}

/// Prints what was found; 0.
pub fn run(args: &SearchArgs) -> Result<usize, Failure> {
    let mut pipeline = args.packs.over(Pipeline::load_default()?)?;
    for file in &args.knowledge {
        pipeline = pipeline.with_knowledge(file)?;
    }
    let index = CaseIndex::open(&args.index, pipeline.shared_lexicon())?;
    let query = match (&args.like, &args.query) {
        (Some(id), _) => {
            let entry = index.case(id)?.ok_or_else(|| Error::Query {
                value: id.clone(),
                reason: "no case of the index has this id".into(),
            })?;
            Query::like(&entry, args.diagnose, pipeline.lexicon())
        }
        (None, text) => Query::parse(text.as_deref().unwrap_or_default(), &pipeline)?,
    };
    let lexicon = pipeline.lexicon();
    let limit = args.limit.get();
    let text = if args.cases || args.like.is_some() && !args.diagnose {
        let rows = index.cases(&query, limit)?;
        if args.json {
            serde_json::to_string_pretty(&rows)? + "\n"
        } else if rows.is_empty() {
            asked(&query) + "no case found\n" + &hint(&query, lexicon)
        } else {
            // What only narrows gives no score.
            let scored = args.like.is_some() || !query.present_labels().is_empty();
            asked(&query) + &rows.iter().map(|row| case(row, scored)).collect::<String>()
        }
    } else {
        let found = index.diseases(&query, limit)?;
        if args.json {
            serde_json::to_string_pretty(&found)? + "\n"
        } else if found.diseases.is_empty() {
            asked(&query) + "no disease found\n" + &hint(&query, lexicon)
        } else {
            asked(&query) + &table(&found, args.why, lexicon)
        }
    };
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(0)
}

fn asked(query: &Query) -> String {
    let mut text = String::new();
    let present = query.present_labels();
    if !present.is_empty() {
        let _ = writeln!(text, "findings: {}", present.join("、"));
    }
    let absent = query.absent_labels();
    if !absent.is_empty() {
        let _ = writeln!(text, "absent:   {}", absent.join("、"));
    }
    let unknown = query.unknown();
    if !unknown.is_empty() {
        let _ = writeln!(
            text,
            "in no dictionary, looked for in the cases only: {}",
            unknown.join("、")
        );
    }
    text
}

/// What may be wrong with a query that finds nothing.
fn hint(query: &Query, lexicon: &Lexicon) -> String {
    let Some(asked) = query.specialty() else {
        return String::new();
    };
    let known: Vec<&str> = lexicon.specialties().collect();
    if known.contains(&asked) {
        return String::new();
    }
    format!(
        "`{asked}` is no specialty of the dictionaries; these are: {}\n",
        known.join("、")
    )
}

fn table(found: &FoundDiseases, why: bool, lexicon: &Lexicon) -> String {
    let mut text = String::new();
    let cases = |row: &DiseaseRow| match (row.cases, row.reasons.is_empty()) {
        (0, _) => "-".to_owned(),
        (cases, true) => cases.to_string(),
        (cases, false) => format!("{}/{cases}", row.matching),
    };
    // A query without findings has nothing to score by.
    let scored = found.diseases.iter().any(|row| !row.reasons.is_empty());
    let specialty_of = |row: &DiseaseRow| match row.specialty.as_str() {
        "" => "-".to_owned(),
        specialty => specialty.to_owned(),
    };
    let width = |of: &dyn Fn(&DiseaseRow) -> usize| found.diseases.iter().map(of).max().unwrap_or(0);
    let name = width(&|row| row.label.width()).max("disease".len());
    let count = width(&|row| cases(row).len()).max("cases".len());
    let specialty = width(&|row| row.specialty.width()).max("specialty".len());
    let mut line = |style: Style, [rank, label, cases, field, score, findings]: [&str; 6]| {
        let (label, field) = (pad(label, name), pad(field, specialty));
        let mut line = format!("{rank:>4}  {label}  {cases:>count$}  {field}");
        if scored {
            let gap = if why { "" } else { "  " };
            let _ = write!(line, "  {score:>5}{gap}{findings}");
        }
        let _ = writeln!(text, "{style}{}{style:#}", line.trim_end());
    };
    let findings = if why { "" } else { "findings" };
    line(
        Style::new().bold(),
        ["rank", "disease", "cases", "specialty", "score", findings],
    );
    for row in &found.diseases {
        let findings = if why {
            let lines = row.reasons.iter();
            let lines = lines.map(|reason| format!("\n      {}", reason_line(reason, row.cases, lexicon)));
            lines.collect()
        } else {
            reasons(row, lexicon)
        };
        let (rank, score) = (row.rank.to_string(), format!("{:.1}", row.score));
        let cells = [&rank, &row.label, &cases(row), &specialty_of(row), &score, &findings];
        line(Style::new(), cells.map(String::as_str));
    }
    let _ = writeln!(
        text,
        "{} ranked, {} searched",
        plural(found.ranked as u64, "disease"),
        plural(found.cases, "case")
    );
    text
}

fn plural(count: u64, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// True for a finding that leads to the disease, as 喫煙 to 肺癌, and does not come of it.
fn is_cause(reason: &Reason, lexicon: &Lexicon) -> bool {
    let same = |through: &String| through == &reason.finding || lexicon.same_concept(through, &reason.finding);
    reason.through.as_ref().is_some_and(same)
}

/// What speaks for a disease, most first, then what speaks against it.
fn reasons(row: &DiseaseRow, lexicon: &Lexicon) -> String {
    let mut reasons: Vec<_> = row.reasons.iter().collect();
    reasons.sort_by(|a, b| b.log_ratio.total_cmp(&a.log_ratio));
    let name = |reason: &Reason| {
        let sign = if reason.present { "" } else { "-" };
        match &reason.through {
            Some(_) if is_cause(reason, lexicon) => format!("{sign}{}(a cause)", reason.finding),
            Some(through) => format!("{sign}{}(←{through})", reason.finding),
            None => format!("{sign}{}", reason.finding),
        }
    };
    let list = |wanted: &dyn Fn(f64) -> bool| -> Vec<String> {
        let reasons = reasons.iter().copied().filter(|reason| wanted(reason.log_ratio));
        reasons.map(name).collect()
    };
    let (for_it, against) = (list(&|ratio| ratio >= SHOWN), list(&|ratio| ratio <= -SHOWN));
    let mut text = for_it.join("、");
    if !against.is_empty() {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
        let _ = write!(
            text,
            "{}{red}against: {}{red:#}",
            if text.is_empty() { "" } else { "  " },
            against.join("、")
        );
    }
    text
}

fn reason_line(reason: &Reason, cases: u32, lexicon: &Lexicon) -> String {
    let sign = if reason.present { "" } else { "-" };
    let way = match (&reason.through, reason.known) {
        (Some(_), _) if is_cause(reason, lexicon) => ", a cause or risk of it".into(),
        (Some(through), _) => format!(", through {through}"),
        (None, true) => String::new(),
        (None, false) => ", no known link".into(),
    };
    let counted = match cases {
        0 => String::new(),
        cases => format!(", {} of {}", reason.cases, plural(cases.into(), "case")),
    };
    format!(
        "{:+.1} {sign}{}: {:.0} % of this disease, {:.1} % of all{way}{counted}",
        reason.log_ratio,
        reason.finding,
        100.0 * reason.chance,
        100.0 * reason.background
    )
}

fn case(row: &CaseRow, scored: bool) -> String {
    let bold = Style::new().bold();
    let mark = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let age = row.age.map(|age| format!("{age:.0}歳"));
    let sex = match row.sex.as_str() {
        "M" => "男性",
        "F" => "女性",
        _ => "",
    };
    let patient = [age.unwrap_or_default(), sex.to_owned(), row.specialty.clone()];
    let patient: Vec<String> = patient.into_iter().filter(|part| !part.is_empty()).collect();
    let mut text = format!(
        "{:>3}. {bold}{}{bold:#}  {}  {}",
        row.rank,
        row.id,
        if row.primary.is_empty() { "-" } else { &row.primary },
        patient.join(" "),
    );
    if scored {
        let _ = write!(text, "  {:.2}", row.score);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    let mut line = |name: &str, labels: &[String]| {
        if !labels.is_empty() {
            let _ = writeln!(text, "     {name}: {}", labels.join("、"));
        }
    };
    line("has", &row.matched);
    line("has in a more general form", &row.nearly);
    line("has against the query", &row.against);
    let paths: Vec<String> = row.shared_paths.iter().map(|(a, b)| format!("{a}>{b}")).collect();
    line("shared paths", &paths);
    for (node, marked) in row.causal_tree.lines().zip(&row.marked) {
        let _ = match marked {
            true => writeln!(text, "   * {mark}{node}{mark:#}"),
            false => writeln!(text, "     {node}"),
        };
    }
    text
}

/// With spaces up to a width in columns of a terminal: two for a full-width character.
fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
