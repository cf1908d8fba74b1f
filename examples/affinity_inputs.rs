//! Prints what the affinity model is trained on: the knowledge table's links, their labels cut into
//! pieces as the program cuts them.
//!
//!     cargo run --release --example affinity_inputs > inputs.jsonl
//!
//! The first line out is `{"buckets"}`. Then comes a line a label, `{"label", "forms"}`: its pieces,
//! first as the table writes it, then with each synonym. Then a line a link, `{"cause", "effect",
//! "frequency"}`: numbers of labels, from 0, and the frequency's name. See training/README.md.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;
use shorei::affinity::{BUCKETS, pieces};
use shorei::lexicon::Lexicon;
use shorei::types::Label;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lexicon = Lexicon::load_default()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", json!({ "buckets": BUCKETS }))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries/knowledge");
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tsv"));
    files.sort();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut links = Vec::new();
    for file in files {
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(b'\t')
            .quoting(false)
            .from_path(&file)?;
        for row in rows.records() {
            let row = row?;
            let (Some(cause), Some(effect), Some(frequency)) = (row.get(0), row.get(2), row.get(3)) else {
                return Err(format!("{}: a row of fewer than four cells", file.display()).into());
            };
            let mut number = |name: &str| -> Result<usize, Box<dyn std::error::Error>> {
                if let Some(&number) = numbers.get(name) {
                    return Ok(number);
                }
                let label: Label = name.parse()?;
                let mut forms = vec![pieces(&label, &lexicon)];
                if let Label::Condition(condition) = &label {
                    for &id in lexicon.lookup(condition).iter().take(1) {
                        let concept = lexicon.concept(id);
                        let names = concept.synonyms.iter().chain(&concept.abbreviations);
                        let others = names.filter(|name| *name != condition);
                        forms.extend(others.map(|name| pieces(&Label::Condition(name.clone()), &lexicon)));
                    }
                }
                writeln!(out, "{}", json!({ "label": name, "forms": forms }))?;
                numbers.insert(name.to_owned(), numbers.len());
                Ok(numbers.len() - 1)
            };
            links.push((number(cause)?, number(effect)?, frequency.to_owned()));
        }
    }
    for (cause, effect, frequency) in links {
        writeln!(
            out,
            "{}",
            json!({ "cause": cause, "effect": effect, "frequency": frequency })
        )?;
    }
    Ok(())
}
