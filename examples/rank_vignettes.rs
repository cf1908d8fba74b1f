//! Ranks the choices of examination questions by the knowledge table alone: the findings of each
//! vignette, as the pipeline structures it, against the choices.
//!
//!     cargo run --release --example rank_vignettes -- diagnosis.jsonl [--index cases.jsonl] [--show]
//!
//! A record is `{id, text, choices, answer}`; `answer` is the index of the right choice. With cases
//! (`{id, primary, causal_tree}`) the choices are ranked by an index of them as well.

use std::path::Path;

use serde_json::Value;
use shorei::Pipeline;
use shorei::lexicon::{Key, Lexicon};
use shorei::search::{CaseIndex, DiseaseRow, Entry, Query, findings};
use shorei::types::ConceptId;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: rank_vignettes diagnosis.jsonl [--index cases.jsonl] [--show]";
    let path = arguments.next().ok_or(usage)?;
    let (mut show, mut cases) = (false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--show" => show = true,
            "--index" => cases = Some(arguments.next().ok_or(usage)?),
            _ => return Err(usage.into()),
        }
    }
    let pipeline = Pipeline::load_default()?;
    let lexicon = pipeline.lexicon();
    let folder = std::env::temp_dir().join(format!("shorei-vignettes-{}", std::process::id()));
    let index = cases.map(|path| index(&path, &folder, &pipeline)).transpose()?;
    let (mut right, mut right_by_cases, mut items, mut unlisted) = (0, 0, 0, 0);
    for line in std::fs::read_to_string(&path)?.lines() {
        let record: Value = serde_json::from_str(line)?;
        let (id, text) = (
            record["id"].as_str().unwrap_or(""),
            record["text"].as_str().unwrap_or(""),
        );
        let choices: Vec<&str> = record["choices"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let answer = record["answer"].as_u64().ok_or("no `answer`")? as usize;
        let concepts: Vec<Option<ConceptId>> = choices
            .iter()
            .map(|choice| lexicon.lookup_disease(shorei::normalize::normalize(choice).norm()))
            .collect();
        let case = pipeline.structure(id, text)?;
        let (present, absent) = findings(&case, lexicon);
        let listed: Vec<ConceptId> = concepts.iter().flatten().copied().collect();
        let ranked = lexicon.rank_for(Pipeline::patient(text), &present, &absent, &listed);
        let hit = ranked
            .first()
            .is_some_and(|first| Some(first.disease) == concepts[answer]);
        items += 1;
        right += usize::from(hit);
        if let Some(index) = &index {
            let rows = index.diseases(&Query::of_case(&case, lexicon), usize::MAX)?.diseases;
            let choice = |row: &DiseaseRow| {
                listed
                    .iter()
                    .find(|&&id| lexicon.concept(id).id == row.concept)
                    .copied()
            };
            let first = rows.iter().find_map(choice);
            right_by_cases += usize::from(first.is_some() && first == concepts[answer]);
        }
        unlisted += concepts.iter().filter(|concept| concept.is_none()).count();
        if show {
            println!("{} {id} answer {}", if hit { "+" } else { "-" }, choices[answer]);
            for (choice, concept) in choices.iter().zip(&concepts) {
                if concept.is_none() {
                    println!("    unlisted: {choice}");
                }
            }
            for ranked in ranked {
                let mut parts: Vec<_> = ranked
                    .contributions
                    .iter()
                    .filter(|part| part.log_ratio.abs() > 0.3)
                    .collect();
                parts.sort_by(|a, b| b.log_ratio.total_cmp(&a.log_ratio));
                let parts: Vec<String> = parts
                    .iter()
                    .map(|part| {
                        let sign = if part.present { "" } else { "no " };
                        format!("{sign}{} {:+.1}", name(lexicon, part.finding), part.log_ratio)
                    })
                    .collect();
                println!(
                    "    {:6.2} {}: {}",
                    ranked.score,
                    lexicon.concept(ranked.disease).label,
                    parts.join(", ")
                );
            }
        }
    }
    println!(
        "first: {right} of {items} ({:.3}); {unlisted} choices unlisted",
        right as f64 / f64::from(items.max(1))
    );
    if index.is_some() {
        println!(
            "with the cases: {right_by_cases} of {items} ({:.3})",
            right_by_cases as f64 / f64::from(items.max(1))
        );
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// An index of the cases of a file.
fn index(path: &str, folder: &Path, pipeline: &Pipeline) -> Result<CaseIndex, Box<dyn std::error::Error>> {
    let index = CaseIndex::create(folder, pipeline.shared_lexicon())?;
    let mut writer = index.writer()?;
    for line in std::fs::read_to_string(path)?.lines() {
        writer.add(&Entry::of_json(line, pipeline.lexicon())?)?;
    }
    writer.commit()?;
    Ok(index)
}

fn name(lexicon: &Lexicon, key: Key) -> String {
    match key {
        Key::Concept(id) => lexicon.concept(id).label.clone(),
        Key::Result(id, direction) => format!("{}/{}", lexicon.concept(id).label, direction.label()),
    }
}
