//! How fast an index answers: draws three findings of random cases, asks for diseases, and prints
//! how long it takes.
//!
//!     cargo run --release --example search_scale -- cases.index [QUERIES]

use std::time::Instant;

use shorei::Pipeline;
use shorei::search::{CaseIndex, Query};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: search_scale INDEX [QUERIES]")?;
    let queries: usize = arguments.next().map_or(Ok(300), |count| count.parse())?;
    let pipeline = Pipeline::load_default()?;
    let started = Instant::now();
    let index = CaseIndex::open(path.as_ref(), pipeline.shared_lexicon())?;
    let info = index.info()?;
    println!(
        "{} cases, {} MB, opened in {:.0} ms",
        info.cases,
        info.bytes / 1_000_000,
        1e3 * started.elapsed().as_secs_f64()
    );
    let mut asked = Vec::new();
    for number in 0..queries as u64 {
        // Every so many cases of the index, as `generate_cases` names them.
        let id = format!("g{:07}", number * info.cases / queries as u64);
        let Some(entry) = index.case(&id)? else { continue };
        let labels: Vec<String> = entry
            .map
            .nodes
            .iter()
            .skip(1)
            .map(|node| node.label.to_string())
            .collect();
        let step = (labels.len() / 3).max(1);
        let three: Vec<&str> = labels.iter().step_by(step).take(3).map(String::as_str).collect();
        if three.len() == 3 {
            asked.push((entry.primary, Query::parse(&three.join(" "), &pipeline)?));
        }
    }
    for (name, cases) in [("diseases", false), ("cases", true)] {
        // The first round reads files into memory and works out the findings' likelihoods.
        for round in ["cold", "warm"] {
            let mut times = Vec::new();
            let mut found = 0;
            for (primary, query) in &asked {
                let started = Instant::now();
                if cases {
                    found += usize::from(!index.cases(query, 10)?.is_empty());
                } else {
                    let rows = index.diseases(query, 20)?.diseases;
                    found += usize::from(rows.iter().any(|row| &row.label == primary));
                }
                times.push(1e3 * started.elapsed().as_secs_f64());
            }
            times.sort_by(f64::total_cmp);
            let at = |part: f64| {
                times
                    .get((times.len() as f64 * part) as usize)
                    .copied()
                    .unwrap_or_default()
            };
            println!(
                "{name}, {round}: p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms; {} queries, found {found}",
                at(0.5),
                at(0.95),
                times.last().copied().unwrap_or_default(),
                times.len()
            );
        }
    }
    Ok(())
}
