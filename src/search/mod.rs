//! Cases → an index on disk; findings → ranked diseases and similar cases.
//!
//! [`CaseIndex`] keeps one document a case; [`Query`] is what is asked; [`CaseIndex::diseases`] ranks
//! diseases by the cases and the knowledge together, [`CaseIndex::cases`] ranks cases by how much
//! their maps have in common with the query, and [`CaseIndex::aggregate`] folds all maps into one
//! graph.
//!
//! ```
//! use shorei::search::{CaseIndex, Entry, Query};
//! let pipeline = shorei::Pipeline::load_default()?;
//! let folder = std::env::temp_dir().join(format!("shorei-doc-{}", std::process::id()));
//! let index = CaseIndex::create(&folder, pipeline.shared_lexicon())?;
//! let mut writer = index.writer()?;
//! let case = pipeline.structure("症例1", "発熱と発疹があり、刺し口を認めた。ツツガムシ病と診断した。")?;
//! writer.add(&Entry::of_case(&case, &pipeline))?;
//! writer.commit()?;
//! let query = Query::parse("発熱 発疹 刺し口 -腹痛", &pipeline)?;
//! let found = index.diseases(&query, 10)?;
//! let row = found.diseases.iter().find(|row| row.label == "ツツガムシ病").expect("it is ranked");
//! assert_eq!((row.matching, row.cases, row.specialty.as_str()), (1, 1, "感染症"));
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), shorei::Error>(())
//! ```

mod aggregate;
mod entry;
mod query;
mod rank;
mod scan;
mod schema;
mod similar;
mod store;
mod term;

pub use aggregate::{AggregatedGraph, AggregatedLink};
pub use entry::Entry;
pub use query::{AgeRange, Query, findings, findings_of_record};
pub use rank::{DiseaseRow, FoundDiseases, Reason};
pub use similar::CaseRow;
pub use store::{CaseIndex, IndexInfo, Writer};
