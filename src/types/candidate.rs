//! Candidate nodes: what folding makes of mentions, before relations decide what stays.

use super::{ConceptId, Label, MentionId};

/// What part a candidate can play in a case map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// A disease or syndrome.
    #[default]
    Disease,
    /// An abnormal state that explains findings.
    Pathology,
    /// A symptom or physical sign.
    Symptom,
    /// A test's result.
    Result,
    /// A finding of an examination.
    ExamFinding,
    /// A history of exposure.
    Exposure,
}

/// A candidate node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// Its label.
    pub label: Label,
    /// The dictionary entry of the condition, test or exposure.
    pub concept: Option<ConceptId>,
    /// What part it can play.
    pub role: Role,
    /// The mentions that it folds together, in reading order.
    pub mentions: Vec<MentionId>,
    /// True when no span names it.
    pub inferred: bool,
    /// True when it only stays if it is a cause of something that stays: past conditions,
    /// exposures.
    pub needs_effect: bool,
    /// True when the report says of it 「…を合併した」: a complication of what the report is about.
    pub is_complication: bool,
    /// How much speaks for its being the primary disease; larger is more.
    pub primacy: f64,
}
