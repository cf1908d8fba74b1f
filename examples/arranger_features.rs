//! Prints what the arranger's classifiers are trained on: the features of each report's candidates
//! and pairs, and which gold node each candidate is.
//!
//!     cargo run --release --example arranger_features -- GOLD.jsonl REPORTS.jsonl [MODEL] > features.jsonl
//!
//! With MODEL, a folder of `training/model`, the features of the transformer's reading are among them.
//! GOLD holds `{id, primary, causal_tree}` and REPORTS `{id, text}` a line. The first line out
//! names the features, every other is a report. See training/README.md.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use shorei::arrange::{Features, Source, Standing};
use shorei::evaluate::{align, read_trees, similarity};
use shorei::types::Role;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (gold, reports, model) = match &arguments[..] {
        [gold, reports] => (gold, reports, None),
        [gold, reports, model] => (gold, reports, Some(model)),
        _ => return Err("usage: arranger_features GOLD.jsonl REPORTS.jsonl [MODEL]".into()),
    };
    let mut texts = HashMap::new();
    for line in std::fs::read_to_string(reports)?.lines() {
        let record: Value = serde_json::from_str(line)?;
        let field = |name: &str| {
            record[name]
                .as_str()
                .map(str::to_owned)
                .ok_or(format!("no `{name}` in {line}"))
        };
        texts.insert(field("id")?, field("text")?);
    }
    let builder = shorei::Pipeline::builder().untrained();
    let pipeline = match model {
        Some(folder) => builder.model(folder).load()?,
        None => builder.load()?,
    };
    let lexicon = pipeline.lexicon();
    let same = |a: &str, b: &str| lexicon.same_concept(a, b);
    let mut out = BufWriter::new(std::io::stdout().lock());
    let names = json!({
        "candidate": Features::candidate_names(lexicon, model.is_some()),
        "pair": Features::pair_names(lexicon),
    });
    writeln!(out, "{names}")?;
    for gold in read_trees(Path::new(gold))? {
        let Some(text) = texts.get(&gold.id) else { continue };
        let explained = pipeline.explain(&gold.id, text)?;
        let case = &explained.case;
        let candidates = &explained.candidates;
        let features = Features::new(Source {
            text: &case.text,
            sections: &case.sections,
            sentences: &case.sentences,
            mentions: &case.mentions,
            candidates,
            relations: &explained.relations,
            lexicon,
            affinity: pipeline.affinity(),
            reading: case.reading.as_ref(),
        });
        let gold_labels: Vec<String> = gold.map.nodes.iter().map(|node| node.label.to_string()).collect();
        let labels: Vec<String> = candidates.iter().map(|candidate| candidate.label.to_string()).collect();
        let standing = vec![Standing::default(); candidates.len()];
        let judged = features.judged(&standing);
        let leaf = |index: usize| matches!(candidates[index].role, Role::Result | Role::ExamFinding);
        let mut pairs = Vec::new();
        for effect in 0..candidates.len() {
            let causes = (0..candidates.len())
                .filter(|&cause| cause != effect && !leaf(cause))
                .map(Some);
            for cause in std::iter::once(None).chain(causes) {
                pairs.push(json!([cause, effect, features.pair(cause, effect, &judged).values]));
            }
        }
        let chars = |byte: usize| case.text.norm()[..byte].chars().count();
        let spans: Vec<Vec<[usize; 2]>> = candidates
            .iter()
            .map(|candidate| {
                let spans = candidate.mentions.iter().map(|id| case.mentions[id.0 as usize].norm);
                spans.map(|span| [chars(span.start), chars(span.end)]).collect()
            })
            .collect();
        let record = json!({
            "id": gold.id,
            "gold": gold_labels,
            "parents": gold.map.parents().iter().map(|parent| parent.map(|id| id.0)).collect::<Vec<_>>(),
            "labels": labels,
            "spans": spans,
            "lends": (0..candidates.len())
                .flat_map(|from| (0..candidates.len()).map(move |to| [from, to]))
                .filter(|&[from, to]| from != to && features.lends(from, to))
                .collect::<Vec<_>>(),
            "roles": candidates.iter().map(|candidate| format!("{:?}", candidate.role)).collect::<Vec<_>>(),
            "match": align(&gold_labels, &labels, &same),
            "is_primary": labels.iter().map(|label| similarity(&gold.primary, label, &same)).collect::<Vec<_>>(),
            "rows": (0..candidates.len()).map(|index| features.candidate(index).values).collect::<Vec<_>>(),
            "pairs": pairs,
        });
        writeln!(out, "{record}")?;
    }
    Ok(())
}
