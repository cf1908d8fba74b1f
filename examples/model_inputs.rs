//! Prints what the transformer reads of each report: its characters with the marks of dictionaries
//! and rules, and what the development gold or the corpus says of them.
//!
//!     cargo run --release --example model_inputs -- REPORTS.jsonl [GOLD.jsonl] > inputs.jsonl
//!
//! REPORTS holds `{id, text}` and GOLD `{id, primary, causal_tree}` a line. The first line out names
//! the marks, every other is a report: `text` is normalised, `origin` holds for each of its
//! characters the code points of the report that it came from, `marks` its mark. With GOLD, `nodes`
//! holds `[start, end, label]` of each candidate that is a gold node, `unfound` the labels of the
//! other gold nodes, `primary` the spans of the primary disease. See training/README.md.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use shorei::evaluate::{align, read_trees, similarity};
use shorei::extract::marks;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (reports, gold) = match &arguments[..] {
        [reports] => (reports, None),
        [reports, gold] => (reports, Some(gold)),
        _ => return Err("usage: model_inputs REPORTS.jsonl [GOLD.jsonl]".into()),
    };
    let mut trees = HashMap::new();
    if let Some(gold) = gold {
        for tree in read_trees(Path::new(gold))? {
            trees.insert(tree.id.clone(), tree);
        }
    }
    let pipeline = shorei::Pipeline::builder().untrained().load()?;
    let lexicon = pipeline.lexicon();
    let same = |a: &str, b: &str| lexicon.same_concept(a, b);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", json!({ "marks": marks::names() }))?;
    for line in std::fs::read_to_string(reports)?.lines() {
        let record: Value = serde_json::from_str(line)?;
        let field = |name: &str| record[name].as_str().ok_or(format!("no `{name}` in {line}"));
        let (id, report) = (field("id")?, field("text")?);
        let explained = pipeline.explain(id, report)?;
        let text = &explained.case.text;
        let points = |byte: usize| report[..byte].chars().count();
        let origin: Vec<[usize; 2]> = text
            .norm()
            .char_indices()
            .map(|(at, c)| {
                let raw = text.to_raw(shorei::types::Span::new(at, at + c.len_utf8()));
                [points(raw.start), points(raw.end)]
            })
            .collect();
        let mut output = json!({
            "id": id,
            "text": text.norm(),
            "origin": origin,
            "marks": marks::marks(text.norm(), &explained.drafts, &explained.assertions, lexicon),
        });
        if let Some(tree) = trees.get(id) {
            let chars = |byte: usize| text.norm()[..byte].chars().count();
            let labels: Vec<String> = explained
                .candidates
                .iter()
                .map(|candidate| candidate.label.to_string())
                .collect();
            let gold_labels: Vec<String> = tree.map.nodes.iter().map(|node| node.label.to_string()).collect();
            let matched = align(&gold_labels, &labels, &same);
            let mut nodes = Vec::new();
            let mut primary = Vec::new();
            for (candidate, gold) in explained.candidates.iter().zip(&matched) {
                let is_primary = similarity(&tree.primary, &candidate.label.to_string(), &same).is_some();
                for id in &candidate.mentions {
                    let span = explained.case.mentions[id.0 as usize].norm;
                    let (start, end) = (chars(span.start), chars(span.end));
                    if let Some(gold) = gold {
                        nodes.push(json!([start, end, gold_labels[*gold]]));
                    }
                    if is_primary {
                        primary.push(json!([start, end]));
                    }
                }
            }
            let found: Vec<usize> = matched.iter().flatten().copied().collect();
            let unfound: Vec<&String> = (0..gold_labels.len())
                .filter(|index| !found.contains(index))
                .map(|index| &gold_labels[index])
                .collect();
            output["nodes"] = json!(nodes);
            output["primary"] = json!(primary);
            output["unfound"] = json!(unfound);
        }
        writeln!(out, "{output}")?;
    }
    Ok(())
}
