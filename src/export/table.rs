//! Cases as Arrow tables: a row a case, a mention, or an edge of the map.
//!
//! The report's `id` joins the three. Offsets are code points of the original report. The columns
//! of mentions carry medspaCy's names, so that what reads its tables reads these. Where there is
//! nothing to say — no concept, no code, no value — a cell is null.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::json::{CaseRecord, ConceptRecord, WhyRecord, name_of};
use crate::types::{Experiencer, Status, Temporality};

/// The most cases of one record batch: with reports at their longest, its texts stay within the
/// two gigabytes that a column of strings can hold.
pub const MAX_CASES: usize = 1024;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// A case.
    Case,
    /// A mention.
    Mention,
    /// An edge of a case map.
    Edge,
}

impl Level {
    /// All levels.
    pub const ALL: [Level; 3] = [Level::Case, Level::Mention, Level::Edge];

    /// The name of the level: `case`, `mention`, `edge`.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Case => "case",
            Level::Mention => "mention",
            Level::Edge => "edge",
        }
    }

    /// The level of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Level::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The columns.
    pub fn schema(self) -> SchemaRef {
        let mut fields = Vec::new();
        let mut add = |names: &[&str], data_type: &DataType, nullable: bool| {
            fields.extend(names.iter().map(|name| Field::new(*name, data_type.clone(), nullable)));
        };
        use DataType::{Boolean, Float64, Int64, Utf8};
        match self {
            Level::Case => {
                add(&["id", "text", "primary", "causal_tree"], &Utf8, false);
                add(&["n_chars", "n_mentions", "n_nodes", "n_edges"], &Int64, false);
            }
            Level::Mention => {
                add(&["id"], &Utf8, false);
                add(&["mention_id"], &Int64, false);
                add(&["text"], &Utf8, false);
                add(&["start_char", "end_char"], &Int64, false);
                add(&["label_"], &Utf8, false);
                add(
                    &[
                        "is_negated",
                        "is_uncertain",
                        "is_historical",
                        "is_hypothetical",
                        "is_family",
                    ],
                    &Boolean,
                    false,
                );
                add(&["section_category"], &Utf8, true);
                add(&["status", "experiencer"], &Utf8, false);
                add(
                    &[
                        "concept_id",
                        "concept_label",
                        "concept_kind",
                        "icd10",
                        "hpo",
                        "atc",
                        "loinc",
                    ],
                    &Utf8,
                    true,
                );
                add(&["value"], &Float64, true);
                add(&["unit", "direction", "node"], &Utf8, true);
            }
            Level::Edge => {
                add(&["id", "source", "target", "kind"], &Utf8, false);
                add(&["score"], &Float64, false);
                add(&["evidence", "why"], &Utf8, true);
                add(&["source_node", "target_node"], &Int64, false);
                add(
                    &[
                        "source_concept_id",
                        "source_concept_label",
                        "target_concept_id",
                        "target_concept_label",
                    ],
                    &Utf8,
                    true,
                );
            }
        }
        Arc::new(Schema::new(fields))
    }
}

/// The rows of some cases, in their order. O(total size).
///
/// # Errors
/// None in practice: an [`ArrowError`] would say that the columns differ from [`Level::schema`].
pub fn to_record_batch<'r>(
    level: Level,
    cases: impl IntoIterator<Item = &'r CaseRecord>,
) -> Result<RecordBatch, ArrowError> {
    let columns = match level {
        Level::Case => case_columns(cases),
        Level::Mention => mention_columns(cases),
        Level::Edge => edge_columns(cases),
    };
    RecordBatch::try_new(level.schema(), columns)
}

#[derive(Default)]
struct Strings(StringBuilder);

impl Strings {
    fn push(&mut self, text: &str) {
        self.0.append_value(text);
    }

    /// Null for an empty text.
    fn push_some(&mut self, text: &str) {
        self.0.append_option((!text.is_empty()).then_some(text));
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

#[derive(Default)]
struct Integers(Int64Builder);

impl Integers {
    fn push(&mut self, number: usize) {
        self.0.append_value(number as i64);
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

fn case_columns<'r>(cases: impl IntoIterator<Item = &'r CaseRecord>) -> Vec<ArrayRef> {
    let mut strings: [Strings; 4] = Default::default();
    let mut counts: [Integers; 4] = Default::default();
    for case in cases {
        let texts = [&case.id, &case.text, &case.primary, &case.causal_tree];
        for (column, text) in strings.iter_mut().zip(texts) {
            column.push(text);
        }
        let numbers = [
            case.text.chars().count(),
            case.mentions.len(),
            case.case_map.nodes.len(),
            case.case_map.edges.len(),
        ];
        for (column, number) in counts.iter_mut().zip(numbers) {
            column.push(number);
        }
    }
    strings
        .map(Strings::finish)
        .into_iter()
        .chain(counts.map(Integers::finish))
        .collect()
}

fn mention_columns<'r>(cases: impl IntoIterator<Item = &'r CaseRecord>) -> Vec<ArrayRef> {
    let (mut id, mut text, mut kind, mut section) = <(Strings, Strings, Strings, Strings)>::default();
    let (mut number, mut start, mut end) = <(Integers, Integers, Integers)>::default();
    let mut flags: [BooleanBuilder; 5] = Default::default();
    let (mut status, mut experiencer) = <(Strings, Strings)>::default();
    let mut concept: [Strings; 7] = Default::default();
    let mut value = Float64Builder::new();
    let (mut unit, mut direction, mut node) = <(Strings, Strings, Strings)>::default();
    for case in cases {
        let mut nodes: Vec<Option<&str>> = vec![None; case.mentions.len()];
        for folded in &case.case_map.nodes {
            for &mention in &folded.mentions {
                if let Some(slot) = nodes.get_mut(mention as usize) {
                    slot.get_or_insert(&folded.label);
                }
            }
        }
        for (mention, folded) in case.mentions.iter().zip(nodes) {
            let assertion = mention.assertion;
            id.push(&case.id);
            number.push(mention.id as usize);
            text.push(&mention.text);
            start.push(mention.start);
            end.push(mention.end);
            kind.push(&name_of(&mention.kind));
            let told = [
                assertion.status == Status::Absent,
                assertion.status == Status::Suspected,
                assertion.time == Temporality::Past,
                matches!(assertion.status, Status::Planned | Status::General),
                assertion.experiencer == Experiencer::Family,
            ];
            for (column, flag) in flags.iter_mut().zip(told) {
                column.append_value(flag);
            }
            section.push_some(
                &case
                    .section_of(mention.start)
                    .map(|kind| name_of(&kind))
                    .unwrap_or_default(),
            );
            status.push(&name_of(&assertion.status));
            experiencer.push(&name_of(&assertion.experiencer));
            let cells = mention.concept.as_ref().map(|entry| {
                let kind = name_of(&entry.kind);
                [
                    &entry.id,
                    &entry.label,
                    &kind,
                    &entry.icd10,
                    &entry.hpo,
                    &entry.atc,
                    &entry.loinc,
                ]
                .map(String::clone)
            });
            for (column, cell) in concept.iter_mut().zip(cells.unwrap_or_default()) {
                column.push_some(&cell);
            }
            let known = mention.value.as_ref();
            value.append_option(known.and_then(|value| value.number));
            unit.push_some(known.map_or("", |value| &value.unit));
            direction.push_some(
                &known
                    .and_then(|value| value.direction)
                    .map(|one| name_of(&one))
                    .unwrap_or_default(),
            );
            node.push_some(folded.unwrap_or(""));
        }
    }
    let mut columns = vec![
        id.finish(),
        number.finish(),
        text.finish(),
        start.finish(),
        end.finish(),
        kind.finish(),
    ];
    columns.extend(flags.map(|mut column| Arc::new(column.finish()) as ArrayRef));
    columns.extend([section.finish(), status.finish(), experiencer.finish()]);
    columns.extend(concept.map(Strings::finish));
    columns.push(Arc::new(value.finish()));
    columns.extend([unit.finish(), direction.finish(), node.finish()]);
    columns
}

fn edge_columns<'r>(cases: impl IntoIterator<Item = &'r CaseRecord>) -> Vec<ArrayRef> {
    let mut names: [Strings; 4] = Default::default();
    let mut score = Float64Builder::new();
    let (mut evidence, mut why) = <(Strings, Strings)>::default();
    let mut numbers: [Integers; 2] = Default::default();
    let mut concepts: [Strings; 4] = Default::default();
    for case in cases {
        for edge in &case.case_map.edges {
            let ends = [edge.source, edge.target].map(|end| case.case_map.nodes.get(end as usize));
            let label = |end: usize| ends[end].map_or("", |node| &node.label);
            let kind = name_of(&edge.kind);
            for (column, text) in names.iter_mut().zip([case.id.as_str(), label(0), label(1), &kind]) {
                column.push(text);
            }
            score.append_value(edge.score);
            evidence.push_some(edge.why.first().map_or("", WhyRecord::name));
            why.push_some(&edge.why_words());
            numbers[0].push(edge.source as usize);
            numbers[1].push(edge.target as usize);
            let concept = |end: usize, cell: fn(&ConceptRecord) -> &str| {
                ends[end].and_then(|node| node.concept.as_ref()).map_or("", cell)
            };
            let cells = [
                concept(0, |entry| &entry.id),
                concept(0, |entry| &entry.label),
                concept(1, |entry| &entry.id),
                concept(1, |entry| &entry.label),
            ];
            for (column, cell) in concepts.iter_mut().zip(cells) {
                column.push_some(cell);
            }
        }
    }
    let mut columns: Vec<ArrayRef> = names.map(Strings::finish).into();
    columns.push(Arc::new(score.finish()));
    columns.extend([evidence.finish(), why.finish()]);
    columns.extend(numbers.map(Integers::finish));
    columns.extend(concepts.map(Strings::finish));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    fn batch(level: Level) -> RecordBatch {
        let record = CaseRecord::new(&sample::case(), &sample::concepts());
        to_record_batch(level, [&record, &record]).expect("columns as the schema says")
    }

    fn strings(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
        let column = batch.column_by_name(name).unwrap_or_else(|| panic!("a column {name}"));
        column
            .as_string::<i32>()
            .iter()
            .map(|cell| cell.map(str::to_owned))
            .collect()
    }

    #[test]
    fn a_row_a_case() {
        let batch = batch(Level::Case);
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(strings(&batch, "text")[1].as_deref(), Some(sample::REPORT));
        assert_eq!(strings(&batch, "primary")[0].as_deref(), Some("ドキソルビシン心筋症"));
        let chars = batch
            .column_by_name("n_chars")
            .expect("a column")
            .as_primitive::<Int64Type>();
        assert_eq!(chars.value(0) as usize, sample::REPORT.chars().count());
    }

    #[test]
    fn a_row_a_mention_with_its_assertion() {
        let batch = batch(Level::Mention);
        let record = CaseRecord::new(&sample::case(), &sample::concepts());
        assert_eq!(batch.num_rows(), 2 * record.mentions.len());
        let flag = |name: &str, row: usize| batch.column_by_name(name).expect("a column").as_boolean().value(row);
        assert!(flag("is_negated", 3) && !flag("is_negated", 0));
        assert!(flag("is_family", 2));
        assert_eq!(strings(&batch, "hpo")[0].as_deref(), Some("HP:0002094"));
        assert_eq!(strings(&batch, "icd10")[1], None, "no concept, no code");
        assert_eq!(strings(&batch, "direction")[15].as_deref(), Some("high"));
        let start = batch
            .column_by_name("start_char")
            .expect("a column")
            .as_primitive::<Int64Type>();
        for (row, mention) in record.mentions.iter().enumerate() {
            assert_eq!(start.value(row) as usize, mention.start);
        }
    }

    #[test]
    fn a_row_an_edge_with_its_evidence() {
        let batch = batch(Level::Edge);
        assert_eq!(batch.num_rows(), 2 * sample::case().map.edges.len());
        assert_eq!(strings(&batch, "evidence")[6].as_deref(), Some("cue"));
        assert!(
            strings(&batch, "why")[6]
                .as_deref()
                .is_some_and(|why| why.contains("「による」"))
        );
        assert!(
            strings(&batch, "source")
                .iter()
                .all(|label| label.as_deref() != Some(""))
        );
    }

    #[test]
    fn levels_have_names() {
        for level in Level::ALL {
            assert_eq!(Level::from_name(level.name()), Some(level));
            assert_eq!(
                to_record_batch(level, []).expect("an empty table").schema(),
                level.schema()
            );
        }
        assert_eq!(Level::from_name("cases"), None);
    }
}
