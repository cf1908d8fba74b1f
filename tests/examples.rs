//! Whole reports: the example of the notation against its gold tree, and snapshots of the trees of
//! `examples/reports/*.txt`, so that a change of any of them is seen and reviewed.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test examples`, then read the
//! difference.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use shorei::evaluate::{GoldTree, evaluate};
use shorei::{CaseMap, Pipeline};

static PIPELINE: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::load_default().expect("the embedded data loads"));

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_example_of_the_notation() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples");
    if !folder.join("egpa.txt").exists() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let case = PIPELINE
        .structure("egpa", &read(&folder.join("egpa.txt")))
        .expect("a case");
    let gold = CaseMap::parse(&read(&folder.join("egpa.tree.txt"))).expect("a tree of the notation");
    let gold = GoldTree {
        id: "egpa".into(),
        primary: "好酸球性多発血管炎性肉芽腫症".into(),
        map: gold,
    };
    let predicted = GoldTree {
        id: "egpa".into(),
        primary: case.primary(),
        map: case.map.clone(),
    };
    let same = |a: &str, b: &str| PIPELINE.lexicon().same_concept(a, b);
    let scores = evaluate(&[gold], &[predicted], &same);
    let (edge, node) = (scores.edge.micro.f1, scores.node.micro.f1);
    eprintln!("egpa: node F1 {node:.3}, edge F1 {edge:.3}");
    assert!(
        edge >= 0.9,
        "edge F1 {edge:.3}\n{:#?}\n{}",
        scores.cases,
        case.map.to_tree()
    );
    assert_eq!(scores.primary.matched, 1, "primary is {}", case.primary());
}

#[test]
fn trees_of_the_example_reports() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/reports");
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| entry.expect("a readable folder").path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    if paths.is_empty() {
        eprintln!("skipped: no reports in {}", folder.display());
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let mut failed = Vec::new();
    for path in paths {
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let case = PIPELINE.structure(&id, &read(&path)).expect("a case");
        let text = format!("primary: {}\n{}", case.primary(), case.map.to_tree());
        // All snapshots are compared before the test fails.
        let compared = std::panic::catch_unwind(|| insta::assert_snapshot!(id.as_str(), text));
        if compared.is_err() {
            failed.push(id);
        }
    }
    assert!(failed.is_empty(), "snapshots that differ: {}", failed.join(", "));
}
