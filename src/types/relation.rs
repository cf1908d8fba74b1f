//! Relations between nodes or mentions, with their evidence.

use super::{NodeId, Norm, Span};
use serde::{Deserialize, Serialize};

/// Kinds of causal relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// Disease or exposure → disease or pathology.
    Causes,
    /// Disease → symptom, sign, abnormal state.
    ManifestsAs,
    /// Disease → test result or examination finding that is evidence of it.
    EvidencedBy,
    /// Disease → its complication.
    Complicates,
    /// Underlying condition or risk → disease.
    Predisposes,
    /// Disease → drug or procedure that is given for it.
    TreatedBy,
}

impl RelationKind {
    /// The name used in files: `causes`, `manifests_as`, …
    pub const fn name(self) -> &'static str {
        match self {
            RelationKind::Causes => "causes",
            RelationKind::ManifestsAs => "manifests_as",
            RelationKind::EvidencedBy => "evidenced_by",
            RelationKind::Complicates => "complicates",
            RelationKind::Predisposes => "predisposes",
            RelationKind::TreatedBy => "treated_by",
        }
    }

    /// The kind that a file's name means.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "causes" => RelationKind::Causes,
            "manifests_as" => RelationKind::ManifestsAs,
            "evidenced_by" => RelationKind::EvidencedBy,
            "complicates" => RelationKind::Complicates,
            "predisposes" => RelationKind::Predisposes,
            "treated_by" => RelationKind::TreatedBy,
            _ => return None,
        })
    }
}

/// Why a relation is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Words of the report: 「に伴う」, 「による」.
    Cue {
        /// Where the cue stands.
        span: Span<Norm>,
        /// The cue.
        text: String,
    },
    /// A row of the knowledge table.
    Knowledge {
        /// The row's cause.
        cause: String,
        /// The row's effect.
        effect: String,
    },
    /// The exam that shows the condition, or the site that it stands at.
    Structure {
        /// A short name of the structural reason, e.g. `exam of the same sentence`.
        reason: String,
    },
    /// Nothing better: hung under the primary disease.
    Primary,
}

/// What speaks for a relation, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// Strength of the knowledge table's link, from 0 (none) to 1 (obligate, between exactly these).
    pub knowledge: f64,
    /// Weight of the words that say it, from 0 (none) to 1.
    pub cue: f64,
    /// The result defines the state, or the exam's finding is the condition itself.
    pub identity: bool,
    /// The finding's words hold the condition's name, or the other way round.
    pub same_name: bool,
    /// The kinds of the two alone say it: a metastasis and its cancer.
    pub by_nature: bool,
}

/// A scored cause → effect pair between nodes of the case map.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The cause.
    pub source: NodeId,
    /// The effect.
    pub target: NodeId,
    /// What kind of relation.
    pub kind: RelationKind,
    /// Score; comparable within one case only, larger is stronger.
    pub score: f64,
    /// The evidence, strongest first.
    pub why: Vec<Why>,
    /// The evidence in numbers.
    pub evidence: Evidence,
}
