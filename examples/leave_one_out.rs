//! Ranks the hidden primary disease of every case by its other findings, the case itself left out of
//! the index: by knowledge alone, and with the other cases.
//!
//!     python3 training/corpus/read.py --reports reports.jsonl --gold gold.jsonl
//!     cargo run --release --example leave_one_out -- gold.jsonl [--reports reports.jsonl] [--show]
//!
//! A record is `{id, primary, causal_tree}`; of the reports, `{id, text}`, the patient's sex and age
//! are taken. A primary disease that no dictionary lists counts as found when its base concept is,
//! as modifiers are linked (術後上腸間膜動脈症候群: 上腸間膜動脈症候群).

use std::collections::HashMap;

use shorei::Pipeline;
use shorei::search::{CaseIndex, Entry, Query};

/// Ranks beyond are a miss.
const DEPTH: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: leave_one_out gold.jsonl [--reports reports.jsonl] [--show]";
    let path = arguments.next().ok_or(usage)?;
    let (mut reports, mut show) = (HashMap::new(), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--show" => show = true,
            "--reports" => reports = texts(&arguments.next().ok_or(usage)?)?,
            _ => return Err(usage.into()),
        }
    }
    let pipeline = Pipeline::load_default()?;
    let folder = std::env::temp_dir().join(format!("shorei-leave-one-out-{}", std::process::id()));
    let mut entries: Vec<Entry> = std::fs::read_to_string(&path)?
        .lines()
        .map(|line| Entry::of_json(line, pipeline.lexicon()))
        .collect::<Result<_, _>>()?;
    for entry in &mut entries {
        if let Some(text) = reports.get(&entry.id) {
            entry.add_text(text, &pipeline);
        }
    }
    for (name, indexed) in [("knowledge alone", false), ("with the other cases", true)] {
        let index = CaseIndex::create(&folder, pipeline.shared_lexicon())?;
        let mut writer = index.writer()?;
        for entry in entries.iter().filter(|_| indexed) {
            writer.add(entry)?;
        }
        writer.commit()?;
        let mut ranks = Vec::new();
        for entry in &entries {
            let query = Query::like(entry, true, pipeline.lexicon());
            let found = index.diseases(&query, DEPTH)?;
            let lexicon = pipeline.lexicon();
            let base = lexicon.lookup_modified_condition(&entry.primary);
            let same = |label: &str| {
                lexicon.same_concept(label, &entry.primary) || base.is_some() && base == lexicon.lookup_condition(label)
            };
            let rank = found.diseases.iter().position(|row| same(&row.label));
            if show {
                let first = found.diseases.first().map_or("", |row| row.label.as_str());
                let rank = rank.map_or_else(|| "-".into(), |rank| (rank + 1).to_string());
                println!(
                    "{}\t{rank}\t{}\t{first}\t{}",
                    entry.id,
                    entry.primary,
                    query.present_labels().len()
                );
            }
            ranks.push(rank);
        }
        let within = |depth: usize| {
            let hits = ranks.iter().flatten().filter(|&&rank| rank < depth).count();
            hits as f64 / ranks.len().max(1) as f64
        };
        let reciprocal: f64 = ranks.iter().flatten().map(|&rank| 1.0 / (rank as f64 + 1.0)).sum();
        println!(
            "{name}: {} cases, first {:.3}, in the first 5 {:.3}, 10 {:.3}, {DEPTH} {:.3}; mean reciprocal rank {:.3}",
            ranks.len(),
            within(1),
            within(5),
            within(10),
            within(DEPTH),
            reciprocal / ranks.len().max(1) as f64
        );
        std::fs::remove_dir_all(&folder)?;
    }
    among_five(&entries, &pipeline);
    Ok(())
}

/// The reports by id.
fn texts(path: &str) -> Result<HashMap<String, String>, Box<dyn std::error::Error>> {
    let mut texts = HashMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let field = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        texts.insert(field("id"), field("text"));
    }
    Ok(texts)
}

/// As an examination asks: the primary disease against four others, primary diseases of cases of the
/// same specialty, by knowledge alone.
fn among_five(entries: &[Entry], pipeline: &Pipeline) {
    let lexicon = pipeline.lexicon();
    let disease = |entry: &Entry| lexicon.lookup_condition(&entry.primary);
    let (mut items, mut right) = (0, 0.0);
    for (at, entry) in entries.iter().enumerate() {
        let Some(own) = disease(entry) else { continue };
        let mut choices = vec![own];
        // Those after it, round about: the same at every run, and every case serves as often.
        for other in entries.iter().cycle().skip(at + 1).take(entries.len() - 1) {
            let Some(id) = disease(other) else { continue };
            let fits =
                lexicon.specialty(id) == lexicon.specialty(own) && !lexicon.is_a(id, own) && !lexicon.is_a(own, id);
            if fits && !choices.contains(&id) && choices.len() < 5 {
                choices.push(id);
            }
        }
        if choices.len() < 5 {
            continue;
        }
        let query = Query::like(entry, true, lexicon);
        let (present, absent) = query.keys();
        let ranked = lexicon.rank_for(query.patient(), &present, &absent, &choices);
        items += 1;
        // The right one stands first among equals, so equals share the point.
        let first = ranked.iter().filter(|row| row.score == ranked[0].score).count() as f64;
        if ranked
            .iter()
            .any(|row| row.disease == own && row.score == ranked[0].score)
        {
            right += 1.0 / first;
        }
    }
    println!(
        "first among five of a specialty: {:.3} of {items}",
        right / f64::from(items.max(1))
    );
}
