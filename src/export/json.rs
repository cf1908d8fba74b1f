//! Cases as JSON, one object a case.
//!
//! Offsets are code points of the original report, counted from 0, half-open: in Python
//! `text[start:end]` is the mention.

use crate::types::{
    Assertion, Case, CaseMap, Concept, ConceptId, ConceptKind, Edge, Evidence, Label, Mention, MentionId, MentionKind,
    Node, NodeId, NormalizedText, Relation, RelationKind, Section, SectionKind, Sentence, Span, TreeParseError, Value,
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
    /// Scored relations between the nodes of the map, also those that it did not take.
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
    /// The parts of its text that modify what the dictionary entry names; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
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
    /// The record of an entry.
    pub fn of(concept: &Concept) -> Self {
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

impl RelationRecord {
    /// The evidence in words, strongest first: 「による」; knowledge SIADH → 低ナトリウム血症.
    pub fn why_words(&self) -> String {
        let words: Vec<String> = self.why.iter().map(WhyRecord::words).collect();
        words.join("; ")
    }
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
#[non_exhaustive]
pub enum CaseJsonError {
    /// It is no JSON, or lacks a field.
    #[error("not the JSON of a case: {}; write it with `shorei structure --format json`", json_fault(.0))]
    Syntax(#[from] serde_json::Error),
    /// Its parts do not fit together.
    #[error("not the JSON of a case: {0}; write it with `shorei structure --format json`")]
    Inconsistent(String),
}

/// What is wrong with JSON, without the value that is wrong: it may be the report.
pub fn json_fault(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let Some((what, value)) = ["invalid type: ", "invalid value: ", "unknown variant "]
        .into_iter()
        .find_map(|what| Some((what, told.strip_prefix(what)?)))
    else {
        // A field's name, or a place: nothing of the record.
        return told;
    };
    let expected = value.rfind(", expected ").map_or("", |at| &value[at..]);
    format!("{}{expected}", what.trim_end_matches([':', ' ']))
}

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

    /// The bytes of a range of code points. O(1).
    fn bytes(&self, text: &str, start: usize, end: usize, what: &str) -> Result<(usize, usize), CaseJsonError> {
        let len = self.starts.len();
        if start > end || end > len {
            return Err(CaseJsonError::Inconsistent(format!(
                "{what} is from {start} to {end}, the text has {len} code points"
            )));
        }
        let byte = |point: usize| self.starts.get(point).copied().unwrap_or(text.len());
        Ok((byte(start), byte(end)))
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
                modifiers: mention.modifiers.clone(),
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

impl CaseRecord {
    /// The case that a record is of, and the entries of its concepts, for the formats that are made
    /// of cases.
    ///
    /// A record keeps neither the normalised text nor the sentences: the case's normalised text is
    /// the report itself, and its sentences end at 。 and line breaks. O(n log n).
    ///
    /// # Errors
    /// [`CaseJsonError::Inconsistent`] where numbers are not those of the record's own mentions,
    /// nodes or text, or where the map is no forest.
    pub fn to_case(&self) -> Result<(Case, Vec<Concept>), CaseJsonError> {
        let points = CodePoints::of(&self.text);
        let mut concepts = Vec::new();
        let mut concept = |record: &Option<ConceptRecord>| {
            record.as_ref().map(|record| {
                concepts.push(record.concept());
                ConceptId(concepts.len() as u32 - 1)
            })
        };
        let sections: Vec<Section> = self
            .sections
            .iter()
            .map(|section| {
                let (start, end) = points.bytes(&self.text, section.start, section.end, "a section")?;
                Ok(Section {
                    kind: section.kind,
                    heading: None,
                    span: Span::new(start, end),
                })
            })
            .collect::<Result<_, CaseJsonError>>()?;
        let section_at = |byte: usize| {
            let after = sections.partition_point(|section| section.span.end <= byte);
            after.min(sections.len().saturating_sub(1))
        };
        let mut sentences: Vec<Sentence> = Vec::new();
        let mut start = 0;
        for part in self.text.split_inclusive(['。', '\n']) {
            let end = start + part.len();
            sentences.push(Sentence {
                span: Span::new(start, end),
                section: section_at(start),
            });
            start = end;
        }
        let mut mentions = Vec::with_capacity(self.mentions.len());
        for (index, mention) in self.mentions.iter().enumerate() {
            numbered("mention", index, mention.id)?;
            let (start, end) = points.bytes(&self.text, mention.start, mention.end, "a mention")?;
            mentions.push(Mention {
                id: MentionId(mention.id),
                span: Span::new(start, end),
                norm: Span::new(start, end),
                text: mention.text.clone(),
                kind: mention.kind,
                assertion: mention.assertion,
                concept: concept(&mention.concept),
                modifiers: mention.modifiers.clone(),
                expansion: None,
                value: mention.value.clone(),
                sentence: sentences.partition_point(|sentence| sentence.span.end <= start),
                section: section_at(start),
            });
        }
        let mut nodes = Vec::with_capacity(self.case_map.nodes.len());
        for (index, node) in self.case_map.nodes.iter().enumerate() {
            numbered("node", index, node.id)?;
            for &mention in &node.mentions {
                within("mention", mention, mentions.len())?;
            }
            let Ok(label) = node.label.parse::<Label>();
            nodes.push(Node {
                id: NodeId(node.id),
                label,
                concept: concept(&node.concept),
                mentions: node.mentions.iter().copied().map(MentionId).collect(),
                inferred: node.inferred,
            });
        }
        let ends = |relation: &RelationRecord| -> Result<(NodeId, NodeId, Vec<Why>), CaseJsonError> {
            within("node", relation.source, nodes.len())?;
            within("node", relation.target, nodes.len())?;
            let why = relation
                .why
                .iter()
                .map(|why| why.why(&self.text, &points))
                .collect::<Result<_, _>>()?;
            Ok((NodeId(relation.source), NodeId(relation.target), why))
        };
        let mut relations = Vec::with_capacity(self.relations.len());
        for relation in &self.relations {
            let (source, target, why) = ends(relation)?;
            relations.push(Relation {
                source,
                target,
                kind: relation.kind,
                score: relation.score,
                why,
                evidence: Evidence::default(),
            });
        }
        let mut edges = Vec::with_capacity(self.case_map.edges.len());
        for edge in &self.case_map.edges {
            let (source, target, why) = ends(edge)?;
            edges.push(Edge {
                source,
                target,
                kind: edge.kind,
                score: edge.score,
                why,
            });
        }
        let primary = nodes
            .iter()
            .find(|node| !self.primary.is_empty() && node.label.to_string() == self.primary)
            .map(|node| node.id);
        let map = CaseMap { nodes, edges, primary };
        let mut has_parent = vec![false; map.nodes.len()];
        let twice = (map.edges.iter()).any(|edge| std::mem::replace(&mut has_parent[edge.target.0 as usize], true));
        // A node on a cycle is below no root.
        if twice || map.preorder().len() != map.nodes.len() {
            return Err(CaseJsonError::Inconsistent(
                "`case_map` is no forest: a node has two parents, or is its own ancestor".into(),
            ));
        }
        // Every character is its own origin.
        let origin = self
            .text
            .char_indices()
            .flat_map(|(at, c)| std::iter::repeat_n((at as u32, (at + c.len_utf8()) as u32), c.len_utf8()))
            .collect();
        let case = Case {
            reading: None,
            id: self.id.clone(),
            text: NormalizedText::new(self.text.clone(), self.text.clone(), origin),
            sections,
            sentences,
            mentions,
            relations,
            map,
        };
        Ok((case, concepts))
    }

    /// The record of a map without a report: a tree in the notation of the guideline.
    ///
    /// # Errors
    /// As [`CaseMap::parse`].
    pub fn of_tree(tree: &str) -> Result<Self, TreeParseError> {
        let map = CaseMap::parse(tree)?;
        let case = Case {
            reading: None,
            id: String::new(),
            text: NormalizedText::default(),
            sections: Vec::new(),
            sentences: Vec::new(),
            mentions: Vec::new(),
            relations: Vec::new(),
            map,
        };
        Ok(CaseRecord::new(&case, &Vec::new()))
    }
}

impl ConceptRecord {
    fn concept(&self) -> Concept {
        Concept {
            id: self.id.clone(),
            kind: self.kind,
            label: self.label.clone(),
            reading: String::new(),
            english: self.english.clone(),
            synonyms: Vec::new(),
            abbreviations: Vec::new(),
            icd10: self.icd10.clone(),
            hpo: self.hpo.clone(),
            atc: self.atc.clone(),
            loinc: self.loinc.clone(),
            parent: String::new(),
            class: String::new(),
            domain: String::new(),
        }
    }
}

impl CaseRecord {
    /// The kind of the section that a code point of the report stands in; `None` for a heading and
    /// for text of no section. O(log n).
    pub fn section_of(&self, point: usize) -> Option<SectionKind> {
        let at = self.sections.partition_point(|section| section.end <= point);
        self.sections
            .get(at)
            .filter(|section| section.start <= point)
            .map(|section| section.kind)
    }
}

impl WhyRecord {
    /// The name of its form in JSON: `cue`, `knowledge`, `structure`, `primary`.
    pub const fn name(&self) -> &'static str {
        match self {
            WhyRecord::Cue { .. } => "cue",
            WhyRecord::Knowledge { .. } => "knowledge",
            WhyRecord::Structure { .. } => "structure",
            WhyRecord::Primary => "primary",
        }
    }

    /// In words: `cue 「による」`, `knowledge SIADH → 低ナトリウム血症`.
    pub fn words(&self) -> String {
        match self {
            WhyRecord::Cue { text, .. } => format!("cue 「{text}」"),
            WhyRecord::Knowledge { cause, effect } => format!("knowledge {cause} → {effect}"),
            WhyRecord::Structure { reason } => format!("structure: {reason}"),
            WhyRecord::Primary => "placed under the primary disease".to_owned(),
        }
    }

    fn why(&self, text: &str, points: &CodePoints) -> Result<Why, CaseJsonError> {
        Ok(match self {
            WhyRecord::Cue { start, end, text: cue } => {
                let (start, end) = points.bytes(text, *start, *end, "a cue")?;
                Why::Cue {
                    span: Span::new(start, end),
                    text: cue.clone(),
                }
            }
            WhyRecord::Knowledge { cause, effect } => Why::Knowledge {
                cause: cause.clone(),
                effect: effect.clone(),
            },
            WhyRecord::Structure { reason } => Why::Structure { reason: reason.clone() },
            WhyRecord::Primary => Why::Primary,
        })
    }
}

fn numbered(what: &str, index: usize, id: u32) -> Result<(), CaseJsonError> {
    if id as usize == index {
        return Ok(());
    }
    Err(CaseJsonError::Inconsistent(format!(
        "the {what} at place {index} has the id {id}; ids are places, counted from 0"
    )))
}

fn within(what: &str, id: u32, len: usize) -> Result<(), CaseJsonError> {
    if (id as usize) < len {
        return Ok(());
    }
    Err(CaseJsonError::Inconsistent(format!(
        "there is no {what} {id}; the case has {len}"
    )))
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

/// The name that JSON has for a kind, a status, a direction: `test_value`, `absent`, `high`.
pub fn name_of(kind: &impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
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
    fn what_is_wrong_quotes_nothing_of_the_record() {
        let told = |text: &str| from_json(text).expect_err("no case").to_string();
        let secret = "秘密, expected a 本文";
        let wrong_type =
            serde_json::json!({"id": "1", "text": secret, "primary": "", "causal_tree": "", "sections": secret});
        let wrong_type = told(&wrong_type.to_string());
        assert!(
            wrong_type.contains("invalid type, expected a sequence at line 1"),
            "{wrong_type}"
        );
        let section = serde_json::json!([{"kind": secret, "start": 0, "end": 0}]);
        let variant = serde_json::json!({"id": "1", "text": "", "primary": "", "causal_tree": "", "sections": section});
        let variant = told(&variant.to_string());
        assert!(variant.contains("unknown variant, expected one of"), "{variant}");
        for told in [wrong_type, variant, told(&format!("{{\"{secret}")), told(secret)] {
            assert!(!told.contains('秘') && !told.contains('本'), "{told}");
        }
        assert!(told("{}").contains("missing field `id`"));
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
    fn a_record_becomes_a_case_again() {
        let record = CaseRecord::new(&sample::case(), &sample::concepts());
        let (case, concepts) = record.to_case().expect("a sound record");
        assert_eq!(CaseRecord::new(&case, &concepts), record);
        assert!(case.mentions.iter().all(|mention| {
            case.sentences[mention.sentence].span.contains(&mention.norm) || mention.text.contains('\n')
        }));
        let tree = "-肺癌\n  -SIADH\n    -Na/低下\n";
        assert_eq!(CaseRecord::of_tree(tree).expect("a tree").causal_tree, tree);
    }

    #[test]
    fn records_that_do_not_fit_together_are_errors() {
        let sound = CaseRecord::new(&sample::case(), &sample::concepts());
        let fault = |change: &dyn Fn(&mut CaseRecord)| {
            let mut record = sound.clone();
            change(&mut record);
            record.to_case().expect_err("a fault").to_string()
        };
        assert!(fault(&|record| record.mentions[3].end = 9999).contains("to 9999"));
        assert!(fault(&|record| record.mentions[3].id = 7).contains("place 3"));
        assert!(fault(&|record| record.case_map.nodes[0].mentions.push(500)).contains("no mention 500"));
        assert!(fault(&|record| record.case_map.edges[0].target = 77).contains("no node 77"));
        assert!(
            fault(&|record| record.case_map.edges[0].target = record.case_map.edges[0].source).contains("no forest")
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
