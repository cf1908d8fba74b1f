//! Structures the report in a file and prints its case map and its mentions.
//!
//! ```text
//! cargo run --release --example structure -- examples/reports/siadh.txt
//! ```

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("examples/reports/siadh.txt"), PathBuf::from);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let id = path.file_stem().unwrap_or_default().to_string_lossy();

    // Loaded once; one pipeline serves any number of reports and threads.
    let pipeline = shorei::Pipeline::load_default()?;
    let case = pipeline.structure(&id, &text)?;

    println!("primary disease: {}\n", case.primary());
    print!("{}", case.map().to_tree());

    println!();
    for mention in &case.mentions {
        // A mention's span slices the report as it was given.
        let range = mention.span.range();
        let concept = mention
            .concept
            .map_or("", |id| pipeline.lexicon().concept(id).label.as_str());
        println!(
            "{:>4}..{:<4} {:?} {:?} {} {concept}",
            range.start,
            range.end,
            mention.kind,
            mention.assertion.status,
            mention.span.slice(&text),
        );
    }
    Ok(())
}
