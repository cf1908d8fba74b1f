//! Sentences → mentions: dictionary matches, compounds that no dictionary lists, values, times, and
//! what a token classifier names.

pub mod compound;
mod coordination;
pub mod dictionary;
pub mod marker;
pub mod marks;
pub mod measure;
pub mod merge;
pub mod neural;
pub mod phrase;
pub mod predicate;
pub mod reader;
pub mod staging;
pub mod substance;
pub mod time;
mod variant;

use std::sync::LazyLock;

use regex::Regex;

use crate::lexicon::{Lexicon, Sex};
use crate::types::{
    ConceptId, ConceptKind, Direction, MentionKind, Norm, NormalizedText, Section, Span, Status, Token, Value,
};

/// A mention before it is numbered, qualified and linked.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where it stands.
    pub span: Span<Norm>,
    /// What it is.
    pub kind: MentionKind,
    /// The dictionary entry whose surface matched, if one did.
    pub concept: Option<ConceptId>,
    /// Its value, for a test.
    pub value: Option<Value>,
    /// What it stands for: as the report itself defines an abbreviation, or as the words around it
    /// complete it.
    pub expansion: Option<String>,
    /// What the model says of it, where one was asked and named it.
    pub opinion: Option<neural::Opinion>,
}

impl Draft {
    /// A draft without a value.
    pub fn new(span: Span<Norm>, kind: MentionKind, concept: Option<ConceptId>) -> Self {
        Draft {
            span,
            kind,
            concept,
            value: None,
            expansion: None,
            opinion: None,
        }
    }

    /// A test that no dictionary lists, and its result.
    fn unlisted_result(name: Span<Norm>, word: Span<Norm>, direction: Direction) -> [Self; 2] {
        [(name, MentionKind::TestItem), (word, MentionKind::TestValue)].map(|(span, kind)| Draft {
            value: Some(Value {
                direction: Some(direction),
                ..Value::default()
            }),
            ..Draft::new(span, kind, None)
        })
    }

    /// The status that the model gives it, when it is surer than `least`, a probability.
    pub fn status_of_model(&self, least: f32) -> Option<Status> {
        self.opinion.filter(|opinion| opinion.probability > least)?.status
    }
}

/// Every mention of a report, in reading order and without overlaps except that a test's value
/// lies apart from its test. `tagged` is what a model names, nothing without one. O(n) in the
/// report's length.
pub fn mentions(
    text: &NormalizedText,
    sections: &[Section],
    tokens: &[Token],
    tagged: Vec<neural::Tagged>,
    lexicon: &Lexicon,
) -> Vec<Draft> {
    let norm = text.norm();
    let found = dictionary::matches(norm, tokens, lexicon);
    let mut compounds = compound::extend(norm, tokens, &found.terms, lexicon);
    compounds.retain(|draft| !describes(norm, draft));
    let (sex, age) = measure::sex_and_age(norm);
    let mut measured = Vec::new();
    let mut times = Vec::new();
    for section in sections {
        let hits: Vec<_> = found
            .tests
            .iter()
            .filter(|hit| section.span.contains(&hit.span))
            .copied()
            .collect();
        measured.extend(measure::measurements(
            norm,
            section.span,
            &hits,
            &found.fluid_names,
            lexicon,
            sex,
            age,
        ));
        times.extend(time::time_expressions(norm, section.span, None));
    }
    let merged = merge::merge(norm, lexicon, compounds, measured, times);
    let staged = staging::extend(norm, merged, lexicon);
    let tested = substance::extend(norm, staged, lexicon);
    let marked = marker::extend(norm, tested);
    let varied = variant::extend(norm, marked);
    let shared = coordination::extend(norm, varied, lexicon);
    let told = predicate::extend(norm, tokens, shared, lexicon);
    let drafts = phrase::extend(norm, sections, tokens, told, lexicon);
    merge::with_model(drafts, tagged)
}

/// True for what only describes the finding behind it: 造影効果 of 「造影効果の乏しい腫瘤」.
fn describes(text: &str, draft: &Draft) -> bool {
    static DESCRIPTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[のに](?:乏しい|富む|強い|弱い|不良な|良好な|ある|ない)[\p{Han}\p{Katakana}]")
            .expect("a constant pattern")
    });
    let name = draft.span.slice(text);
    let is_quality = ["効果", "増強", "血流", "可動性", "濃染"]
        .iter()
        .any(|end| name.ends_with(end));
    draft.kind == MentionKind::Finding && is_quality && DESCRIPTION.is_match(&text[draft.span.end..])
}

/// `drafts` with `found` in the place of what it overlaps, in reading order. O(drafts × found).
fn put_over(drafts: Vec<Draft>, mut found: Vec<Draft>) -> Vec<Draft> {
    if found.is_empty() {
        return drafts;
    }
    let mut all: Vec<Draft> = drafts
        .into_iter()
        .filter(|draft| !found.iter().any(|new| new.span.overlaps(&draft.span)))
        .collect();
    all.append(&mut found);
    all.sort_by_key(|draft| (draft.span, draft.kind));
    all
}

impl measure::TestFacts for Lexicon {
    fn label(&self, test: ConceptId) -> &str {
        &self.concept(test).label
    }

    fn main_unit(&self, test: ConceptId) -> &str {
        Lexicon::main_unit(self, test)
    }

    fn factor(&self, test: ConceptId, unit: &str) -> Option<f64> {
        self.unit_factor(test, unit)
    }

    fn range(&self, test: ConceptId, sex: Option<Sex>, age_years: Option<f64>) -> Option<(Option<f64>, Option<f64>)> {
        self.reference_range(test, sex, age_years)
            .map(|range| (range.low, range.high))
    }

    fn in_fluid(&self, name: &str, fluid: &str) -> Option<ConceptId> {
        [format!("{fluid}{name}"), format!("{fluid}中{name}")]
            .iter()
            .find_map(|name| self.lookup_kind(name, |kind| kind == ConceptKind::Test))
    }

    fn diastolic(&self) -> Option<ConceptId> {
        self.lookup_kind("拡張期血圧", |kind| kind == ConceptKind::Test)
    }

    fn range_in(
        &self,
        test: ConceptId,
        unit: &str,
        sex: Option<Sex>,
        age_years: Option<f64>,
    ) -> Option<(Option<f64>, Option<f64>)> {
        self.reference_range_in(test, unit, sex, age_years)
            .map(|range| (range.low, range.high))
    }
}
