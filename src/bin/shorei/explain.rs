//! `shorei explain`: every stage of one report, for a terminal.

use anstyle::{AnsiColor, Style};
use shorei::types::{Experiencer, Status, Temporality, Why};

use crate::args::ExplainArgs;
use crate::input::{Failure, reports};

const HEADING: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
const DIM: Style = Style::new().dimmed();

/// Prints the stages; 0 when all went well.
pub fn run(args: &ExplainArgs) -> Result<usize, Failure> {
    let pipeline = args.packs.over(args.models.pipeline()?)?;
    let lexicon = pipeline.lexicon();
    for report in reports(&args.file, None) {
        let report = report?;
        let explanation = pipeline.explain(&report.id, &report.text)?;
        let case = &explanation.case;
        let norm = case.text.norm();
        heading("normalize");
        anstream::println!("{norm}");
        heading("segment");
        for section in &case.sections {
            let title = section.heading.map_or("", |span| span.slice(norm));
            anstream::println!(
                "{:<8} {DIM}{title}{DIM:#} {}",
                section.kind.name(),
                one_line(section.span.slice(norm), 60)
            );
        }
        heading("tokenize");
        let tokens: Vec<_> = explanation.tokens.iter().map(|token| token.span.slice(norm)).collect();
        anstream::println!("{}", tokens.join("|"));
        heading("extract, qualify, link");
        for (mention, draft) in case.mentions.iter().zip(&explanation.drafts) {
            let mut notes = vec![format!("{:?}", mention.assertion.status)];
            if mention.assertion.status == Status::Present {
                notes.clear();
            }
            if mention.assertion.experiencer != Experiencer::Patient {
                notes.push(format!("{:?}", mention.assertion.experiencer));
            }
            if mention.assertion.time == Temporality::Past {
                notes.push("Past".into());
            }
            if let Some(opinion) = draft.opinion {
                let status = opinion.status.map_or(String::new(), |status| format!(" {status:?}"));
                notes.push(format!("model{status} {:.2}", opinion.probability));
            }
            let concept = mention.concept.map(|id| lexicon.concept(id));
            let concept = concept.map(|concept| {
                [&concept.label, &concept.icd10, &concept.hpo]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            let value = mention.value.as_ref().map(|value| {
                let number = value.number.map_or(String::new(), |number| number.to_string());
                format!(
                    "{number}{} {}",
                    value.unit,
                    value.direction.map_or("", |direction| direction.label())
                )
            });
            anstream::println!(
                "{:>3} {:<10} {}  {DIM}{}{DIM:#}  {}  {}",
                mention.id.0,
                format!("{:?}", mention.kind),
                one_line(&mention.text, 40),
                concept.unwrap_or_default(),
                value.unwrap_or_default(),
                notes.join(" "),
            );
        }
        heading("arrange: candidates");
        for (index, candidate) in explanation.candidates.iter().enumerate() {
            anstream::println!(
                "{index:>3} {:<12} {}  {DIM}primacy {:.2}{}{DIM:#}",
                format!("{:?}", candidate.role),
                candidate.label,
                candidate.primacy,
                if candidate.needs_effect {
                    ", only as a cause"
                } else {
                    ""
                }
            );
        }
        heading("relate");
        for relation in &explanation.relations {
            let label = |id: shorei::types::NodeId| explanation.candidates[id.0 as usize].label.to_string();
            anstream::println!(
                "{:.2} {} → {}  {DIM}{} {}{DIM:#}",
                relation.score,
                label(relation.source),
                label(relation.target),
                relation.kind.name(),
                relation.why.iter().map(why).collect::<Vec<_>>().join("; ")
            );
        }
        heading("arrange: case map");
        anstream::println!("primary: {}", case.primary());
        anstream::print!("{}", case.map.to_tree());
    }
    Ok(0)
}

fn heading(name: &str) {
    anstream::println!("\n{HEADING}{name}{HEADING:#}");
}

fn one_line(text: &str, chars: usize) -> String {
    let flat: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if flat.chars().count() > chars {
        flat.chars().take(chars).chain(['…']).collect()
    } else {
        flat
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::Cue { text, .. } => format!("cue 「{text}」"),
        Why::Knowledge { cause, effect } => format!("knowledge {cause} → {effect}"),
        Why::Structure { reason } => reason.clone(),
        Why::Primary => "under the primary disease".into(),
    }
}
