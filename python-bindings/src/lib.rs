//! The native half of the Python package `shorei`. The other half, `python/shorei`, holds what needs
//! Python libraries: data frames, progress bars, Spark, Ray.
//!
//! A class here is a thin view of a Rust value: a case and its parts share one record behind an
//! `Arc`. Work on reports runs with the interpreter detached.

#![deny(unsafe_op_in_unsafe_fn)]

mod arrow;
mod batch;
mod case;
mod dictionary;
mod errors;
mod evaluate;
mod index;
mod knowledge;
mod pipeline;
mod search;
mod stream;

use pyo3::prelude::*;

/// The native half of shorei. Import from `shorei`, not from here.
#[pymodule]
mod _shorei {
    #[pymodule_export]
    use crate::arrow::{Table, to_arrow, unpickle_table};
    #[pymodule_export]
    use crate::batch::run_batch;
    #[pymodule_export]
    use crate::case::{Case, CaseMap, Concept, Mention, Node, Relation, Section, Value, part, unpickle};
    #[pymodule_export]
    use crate::dictionary::build_dictionary;
    #[pymodule_export]
    use crate::evaluate::{Evaluation, evaluate};
    #[pymodule_export]
    use crate::index::{CaseGraph, CaseIndex, IndexInfo, unpickle_index};
    #[pymodule_export]
    use crate::knowledge::{Contribution, Knowledge, Lexicon, Link, Ranking};
    #[pymodule_export]
    use crate::pipeline::{Pipeline, unpickle_knowledge, unpickle_lexicon, unpickle_pipeline};
    #[pymodule_export]
    use crate::search::SearchResult;
    #[pymodule_export]
    use crate::stream::CaseIterator;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Those of this module only: another extension has a standard library of its own.
        shorei::error::hide_panic_messages();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
