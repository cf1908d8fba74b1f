//! Cases as JSON, one object a case.
//!
//! Offsets are code points of the original report, counted from 0, half-open: in Python
//! `text[start:end]` is the mention.

use crate::types::{
    Assertion, Case, Concept, ConceptId, ConceptKind, MentionKind, NormalizedText, RelationKind, SectionKind, Value,
    Why,
};
use serde::{Deserialize, Serialize};

use super::ConceptSource;

/// A case as its JSON has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The id that the caller gave.
    pub id: String,
    /// The report as it was given.
    pub text: String,
    /// The label of the primary disease; empty when there is none.
    pub primary: String,
    /// The causal tree in the notation of the guideline.
    pub causal_tree: String,
    /// The sections.
    pub sections: Vec<SectionRecord>,
    /// The mentions.
    pub mentions: Vec<MentionRecord>,
    /// Scored relations between nodes, also those that the map did not take.
    pub relations: Vec<RelationRecord>,
    /// The causal map.
    pub case_map: CaseMapRecord,
}

/// A section: its body, without its heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionRecord {
    /// What it is about.
    pub kind: SectionKind,
    /// First code point of the report.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
}

/// A mention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MentionRecord {
    /// Its number within the case.
    pub id: u32,
    /// First code point of the report.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The report from `start` to `end`, as it was given.
    pub text: String,
    /// What it is.
    pub kind: MentionKind,
    /// What the report asserts of it.
    pub assertion: Assertion,
    /// Its dictionary entry.
    pub concept: Option<ConceptRecord>,
    /// Its value.
    pub value: Option<Value>,
}

/// A dictionary entry with its codes; a code that it lacks is an empty string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConceptRecord {
    /// Stable id.
    pub id: String,
    /// Preferred label.
    pub label: String,
    /// What it is.
    pub kind: ConceptKind,
    /// English name.
    pub english: String,
    /// ICD-10 code.
    pub icd10: String,
    /// HPO id.
    pub hpo: String,
    /// ATC code.
    pub atc: String,
    /// LOINC code.
    pub loinc: String,
}

impl ConceptRecord {
    fn of(concept: &Concept) -> Self {
        ConceptRecord {
            id: concept.id.clone(),
            label: concept.label.clone(),
            kind: concept.kind,
            english: concept.english.clone(),
            icd10: concept.icd10.clone(),
            hpo: concept.hpo.clone(),
            atc: concept.atc.clone(),
            loinc: concept.loinc.clone(),
        }
    }

    fn find(id: Option<ConceptId>, concepts: &dyn ConceptSource) -> Option<Self> {
        id.and_then(|id| concepts.concept(id)).map(Self::of)
    }
}

/// A cause → effect pair of nodes of the map: a relation, or an edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelationRecord {
    /// The cause: a node's id.
    pub source: u32,
    /// The effect: a node's id.
    pub target: u32,
    /// What kind of relation.
    pub kind: RelationKind,
    /// Its score, comparable within the case only.
    pub score: f64,
    /// The evidence, strongest first.
    pub why: Vec<WhyRecord>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WhyRecord {
    /// Words of the report.
    Cue {
        /// First code point of the report.
        start: usize,
        /// One past the last code point.
        end: usize,
        /// The cue, normalised.
        text: String,
    },
    /// A row of the knowledge table.
    Knowledge {
        /// The row's cause.
        cause: String,
        /// The row's effect.
        effect: String,
    },
    /// How the report is built.
    Structure {
        /// A short name of the reason.
        reason: String,
    },
    /// Nothing better: hung under the primary disease.
    Primary,
}

/// The causal map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseMapRecord {
    /// The nodes; a node's id is its index.
    pub nodes: Vec<NodeRecord>,
    /// The edges; no node is the target of two.
    pub edges: Vec<RelationRecord>,
}

/// A node of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its number.
    pub id: u32,
    /// Its label in the notation of the guideline.
    pub label: String,
    /// Its dictionary entry.
    pub concept: Option<ConceptRecord>,
    /// The mentions that it folds together.
    pub mentions: Vec<u32>,
    /// True when no span of the report names it.
    pub inferred: bool,
}

/// What is wrong with a case's JSON.
#[derive(Debug, thiserror::Error)]
#[error("not the JSON of a case: {0}; write it with `shorei structure --format json`")]
pub struct CaseJsonError(#[from] serde_json::Error);

/// Code points of a text by byte.
struct CodePoints {
    starts: Vec<usize>,
}

impl CodePoints {
    fn of(text: &str) -> Self {
        CodePoints {
            starts: text.char_indices().map(|(at, _)| at).collect(),
        }
    }

    /// How many code points start before the byte: the byte's code point where one starts there,
    /// the number of all at and after the end. O(log n).
    fn before(&self, byte: usize) -> usize {
        self.starts.partition_point(|&start| start < byte)
    }
}

impl CaseRecord {
    /// The record of a case. O(n log n).
    pub fn new(case: &Case, concepts: &dyn ConceptSource) -> Self {
        let points = CodePoints::of(case.text.raw());
        let sections = case
            .sections
            .iter()
            .map(|section| {
                let span = case.text.to_raw(section.span);
                SectionRecord {
                    kind: section.kind,
                    start: points.before(span.start),
                    end: points.before(span.end),
                }
            })
            .collect();
        let mentions = case
            .mentions
            .iter()
            .map(|mention| MentionRecord {
                id: mention.id.0,
                start: points.before(mention.span.start),
                end: points.before(mention.span.end),
                text: mention.span.slice(case.text.raw()).to_owned(),
                kind: mention.kind,
                assertion: mention.assertion,
                concept: ConceptRecord::find(mention.concept, concepts),
                value: mention.value.clone().map(finite_value),
            })
            .collect();
        let why =
            |why: &[Why]| -> Vec<WhyRecord> { why.iter().map(|why| why_record(why, &case.text, &points)).collect() };
        let relations = case
            .relations
            .iter()
            .map(|relation| RelationRecord {
                source: relation.source.0,
                target: relation.target.0,
                kind: relation.kind,
                score: finite(relation.score),
                why: why(&relation.why),
            })
            .collect();
        let nodes = case
            .map
            .nodes
            .iter()
            .map(|node| NodeRecord {
                id: node.id.0,
                label: node.label.to_string(),
                concept: ConceptRecord::find(node.concept, concepts),
                mentions: node.mentions.iter().map(|id| id.0).collect(),
                inferred: node.inferred,
            })
            .collect();
        let edges = case
            .map
            .edges
            .iter()
            .map(|edge| RelationRecord {
                source: edge.source.0,
                target: edge.target.0,
                kind: edge.kind,
                score: finite(edge.score),
                why: why(&edge.why),
            })
            .collect();
        CaseRecord {
            id: case.id.clone(),
            text: case.text.raw().to_owned(),
            primary: case.primary(),
            causal_tree: case.map.to_tree(),
            sections,
            mentions,
            relations,
            case_map: CaseMapRecord { nodes, edges },
        }
    }
}

fn why_record(why: &Why, text: &NormalizedText, points: &CodePoints) -> WhyRecord {
    match why {
        Why::Cue { span, text: cue } => {
            let span = text.to_raw(*span);
            WhyRecord::Cue {
                start: points.before(span.start),
                end: points.before(span.end),
                text: cue.clone(),
            }
        }
        Why::Knowledge { cause, effect } => WhyRecord::Knowledge {
            cause: cause.clone(),
            effect: effect.clone(),
        },
        Why::Structure { reason } => WhyRecord::Structure { reason: reason.clone() },
        Why::Primary => WhyRecord::Primary,
    }
}

/// JSON knows neither infinities nor NaN: such a score would read back as an error.
fn finite(score: f64) -> f64 {
    if score.is_finite() { score } else { 0.0 }
}

fn finite_value(value: Value) -> Value {
    let keep = |number: Option<f64>| number.filter(|number| number.is_finite());
    Value {
        number: keep(value.number),
        second: keep(value.second),
        range_low: keep(value.range_low),
        range_high: keep(value.range_high),
        ..value
    }
}

/// A case as a JSON value. Its keys are in alphabetical order; [`to_json_line`] keeps the order of
/// [`CaseRecord`].
pub fn to_value(case: &Case, concepts: &dyn ConceptSource) -> serde_json::Value {
    // Strings, numbers that are finite, no maps with other keys: nothing that can fail.
    serde_json::to_value(CaseRecord::new(case, concepts)).unwrap_or_default()
}

/// A case as one line of JSON, with the line break at its end.
pub fn to_json_line(case: &Case, concepts: &dyn ConceptSource) -> String {
    let mut line = serde_json::to_string(&CaseRecord::new(case, concepts)).unwrap_or_default();
    line.push('\n');
    line
}

/// Reads a case's JSON. Fields that it does not know are ignored.
///
/// # Errors
/// Text that is no JSON object, or lacks a field of [`CaseRecord`]; the message says where.
pub fn from_json(text: &str) -> Result<CaseRecord, CaseJsonError> {
    Ok(serde_json::from_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;

    fn slice(text: &str, start: usize, end: usize) -> String {
        text.chars().skip(start).take(end - start).collect()
    }

    #[test]
    fn reads_back_what_it_writes() {
        let (case, concepts) = (sample::case(), sample::concepts());
        let record = CaseRecord::new(&case, &concepts);
        let line = to_json_line(&case, &concepts);
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        assert!(line.starts_with("{\"id\":\"症例<1>\",\"text\":"));
        assert_eq!(from_json(&line).expect("reads"), record);
        assert_eq!(
            from_json(&to_value(&case, &concepts).to_string()).expect("reads"),
            record
        );
    }

    #[test]
    fn offsets_are_code_points_of_the_report() {
        let case = sample::case();
        let record = CaseRecord::new(&case, &sample::concepts());
        for mention in &record.mentions {
            assert_eq!(slice(&record.text, mention.start, mention.end), mention.text);
        }
        let bnp = &record.mentions[14];
        assert_eq!((bnp.text.as_str(), case.mentions[14].text.as_str()), ("ＢＮＰ", "BNP"));
        // After an astral character: one code point, not two.
        assert_eq!(record.mentions[22].text, "心不全");
        let WhyRecord::Cue { start, end, text } = &record.case_map.edges[6].why[0] else {
            panic!("a cue");
        };
        assert_eq!(&slice(&record.text, *start, *end), text);
        assert_eq!(record.sections[0].end, record.text.chars().count());
    }

    #[test]
    fn has_the_fields_of_the_design() {
        let value = to_value(&sample::case(), &sample::concepts());
        assert_eq!(value["primary"], "ドキソルビシン心筋症");
        assert!(
            value["causal_tree"]
                .as_str()
                .is_some_and(|tree| tree.starts_with("-悪性リンパ腫\n"))
        );
        assert_eq!(value["mentions"][3]["assertion"]["status"], "absent");
        assert_eq!(value["mentions"][2]["assertion"]["experiencer"], "family");
        assert_eq!(value["mentions"][0]["concept"]["hpo"], "HP:0002094");
        assert!(value["mentions"][1]["concept"].is_null());
        assert_eq!(value["mentions"][15]["kind"], "test_value");
        assert_eq!(value["mentions"][15]["value"]["direction"], "high");
        assert_eq!(value["case_map"]["nodes"][3]["inferred"], true);
        assert_eq!(value["case_map"]["edges"][6]["why"][0]["type"], "cue");
        assert_eq!(value["relations"][0]["kind"], "predisposes");
    }

    #[test]
    fn numbers_that_json_lacks_are_left_out() {
        let mut case = sample::case();
        case.map.edges[0].score = f64::NAN;
        case.mentions[15].value = Some(Value {
            number: Some(f64::INFINITY),
            ..Value::default()
        });
        let record = from_json(&to_json_line(&case, &sample::concepts())).expect("reads");
        assert_eq!(record.case_map.edges[0].score, 0.0);
        assert_eq!(record.mentions[15].value, Some(Value::default()));
    }

    #[test]
    fn what_is_no_case_is_an_error_with_a_next_step() {
        let error = from_json("{\"id\":\"1\"}").expect_err("no text").to_string();
        assert!(
            error.contains("missing field `text`") && error.contains("shorei structure"),
            "{error}"
        );
        let empty = sample::empty();
        assert!(from_json(&to_json_line(&empty, &Vec::new())).is_ok());
    }
}
