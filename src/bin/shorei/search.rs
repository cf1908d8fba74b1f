//! `shorei search`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use shorei::search::{CaseIndex, CaseRow, DiseaseRow, FoundDiseases, Query};
use shorei::{Error, Pipeline};

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
    #[arg(required_unless_present = "like")]
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
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: usize,
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
    let text = if args.cases || args.like.is_some() && !args.diagnose {
        let rows = index.cases(&query, args.limit)?;
        if args.json {
            serde_json::to_string_pretty(&rows)? + "\n"
        } else if rows.is_empty() {
            asked(&query) + "no case found\n"
        } else {
            asked(&query) + &rows.iter().map(case).collect::<String>()
        }
    } else {
        let found = index.diseases(&query, args.limit)?;
        if args.json {
            serde_json::to_string_pretty(&found)? + "\n"
        } else {
            asked(&query) + &table(&found, args.why)
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

fn table(found: &FoundDiseases, why: bool) -> String {
    let mut text = String::new();
    if found.diseases.is_empty() {
        return "no disease found\n".into();
    }
    let cases = |row: &DiseaseRow| match (row.cases, row.reasons.is_empty()) {
        (0, _) => "-".to_owned(),
        (cases, true) => cases.to_string(),
        (cases, false) => format!("{}/{cases}", row.matching),
    };
    let width = |of: &dyn Fn(&DiseaseRow) -> usize| found.diseases.iter().map(of).max().unwrap_or(0);
    let name = width(&|row| columns(&row.label)).max(columns("disease"));
    let count = width(&|row| cases(row).len()).max("cases".len());
    let specialty = width(&|row| columns(&row.specialty)).max(columns("specialty"));
    let head = Style::new().bold();
    let _ = writeln!(
        text,
        "{head}{:>4}  {}  {:>count$}  {}  {:>5}  findings{head:#}",
        "rank",
        pad("disease", name),
        "cases",
        pad("specialty", specialty),
        "score"
    );
    for row in &found.diseases {
        let _ = writeln!(
            text,
            "{:>4}  {}  {:>count$}  {}  {:>5.1}  {}",
            row.rank,
            pad(&row.label, name),
            cases(row),
            pad(&row.specialty, specialty),
            row.score,
            if why { String::new() } else { reasons(row) }
        );
        if why {
            for reason in &row.reasons {
                let _ = writeln!(text, "      {}", reason_line(reason, row.cases));
            }
        }
    }
    let _ = writeln!(text, "{} diseases ranked, {} cases searched", found.ranked, found.cases);
    text
}

/// What speaks for a disease, most first, then what speaks against it.
fn reasons(row: &DiseaseRow) -> String {
    let mut reasons: Vec<_> = row.reasons.iter().collect();
    reasons.sort_by(|a, b| b.log_ratio.total_cmp(&a.log_ratio));
    let name = |reason: &shorei::search::Reason| {
        let sign = if reason.present { "" } else { "-" };
        match &reason.through {
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

fn reason_line(reason: &shorei::search::Reason, cases: u32) -> String {
    let sign = if reason.present { "" } else { "-" };
    let way = match (&reason.through, reason.known) {
        (Some(through), _) => format!(", through {through}"),
        (None, true) => String::new(),
        (None, false) => ", no known link".into(),
    };
    let counted = match cases {
        0 => String::new(),
        cases => format!(", {} of {cases} cases", reason.cases),
    };
    format!(
        "{:+.1} {sign}{}: {:.0} % of this disease, {:.1} % of all{way}{counted}",
        reason.log_ratio,
        reason.finding,
        100.0 * reason.chance,
        100.0 * reason.background
    )
}

fn case(row: &CaseRow) -> String {
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
        "{:>3}. {bold}{}{bold:#}  {}  {}  {:.2}\n",
        row.rank,
        row.id,
        if row.primary.is_empty() { "-" } else { &row.primary },
        patient.join(" "),
        row.score
    );
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

/// Columns of a terminal that a text takes: two for the characters of East Asia.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}
