//! Any UTF-8 text: no panic, every mention slices the report, the map is a forest that prints and
//! reads.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shorei::{CaseMap, Pipeline};

static PIPELINE: LazyLock<Pipeline> =
    LazyLock::new(|| Pipeline::load_default().expect("the embedded data loads"));

fuzz_target!(|text: &str| {
    let case = PIPELINE.structure("fuzz", text).expect("below the limit");
    assert_eq!(case.text.raw(), text);
    for mention in &case.mentions {
        assert!(
            text.get(mention.span.range())
                .is_some_and(|slice| !slice.is_empty())
        );
    }
    let mut parents = vec![0; case.map.nodes.len()];
    for edge in &case.map.edges {
        parents[edge.target.0 as usize] += 1;
    }
    assert!(parents.iter().all(|&count| count <= 1), "two parents");
    // A cycle has no root, so the walk from the roots would miss it.
    assert_eq!(case.map.preorder().len(), case.map.nodes.len(), "a cycle");
    let tree = case.map.to_tree();
    assert_eq!(
        CaseMap::parse(&tree)
            .expect("a printed tree reads")
            .to_tree(),
        tree
    );
});
