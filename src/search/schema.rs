//! What the index keeps of a case, field by field.

use tantivy::schema::{Field, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions};

/// Version of the layout below. An index of another version is refused.
pub(super) const FORMAT: u32 = 1;

/// The fields of a document.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub id: Field,
    /// Terms of all that the patient had: nodes of the map, and mentions beside it.
    pub present: Field,
    /// Terms of what the report says was not there.
    pub absent: Field,
    /// Terms of what was only thought of.
    pub suspected: Field,
    /// The primary disease.
    pub primary: Field,
    /// Nodes of depth 0.
    pub root: Field,
    /// Nodes above the primary disease.
    pub cause: Field,
    /// The other nodes that are no results of tests or examinations.
    pub finding: Field,
    /// Nodes that are results of tests or examinations.
    pub evidence: Field,
    /// Drugs that were given or taken.
    pub drug: Field,
    /// `cause>effect` of every edge of the map.
    pub path: Field,
    pub specialty: Field,
    pub sex: Field,
    /// Years, rounded down.
    pub age: Field,
    /// Words of the report.
    pub word: Field,
    /// The case as JSON.
    pub case: Field,
}

/// The schema and its fields; the same at every call.
pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    // Terms are whole values, and it matters only whether a case has them.
    let terms = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let terms = TextOptions::default().set_indexing_options(terms);
    let column = terms.clone().set_fast("raw");
    let mut term = |name: &str| builder.add_text_field(name, terms.clone());
    let (present, absent, suspected) = (term("present"), term("absent"), term("suspected"));
    let (root, cause, finding, evidence) = (term("root"), term("cause"), term("finding"), term("evidence"));
    let (drug, path, word) = (term("drug"), term("path"), term("word"));
    let fields = Fields {
        id: builder.add_text_field("id", terms.clone() | STORED),
        primary: builder.add_text_field("primary", column.clone()),
        specialty: builder.add_text_field("specialty", column.clone()),
        sex: builder.add_text_field("sex", column),
        age: builder.add_u64_field("age", NumericOptions::default().set_fast()),
        case: builder.add_text_field("case", STORED),
        present,
        absent,
        suspected,
        root,
        cause,
        finding,
        evidence,
        drug,
        path,
        word,
    };
    (builder.build(), fields)
}
