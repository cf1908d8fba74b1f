//! What is wrong in the dictionaries as loaded: duplicates, unknown parents, cycles.

use std::collections::HashMap;

use super::Lexicon;
use super::layers::kind_name;
use crate::types::ConceptId;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Two concepts of one kind have the same label.
    Duplicate,
    /// The parent is in no dictionary.
    UnknownParent,
    /// A concept is its own ancestor.
    Cycle,
}

impl ProblemKind {
    /// What people read.
    pub const fn name(self) -> &'static str {
        match self {
            ProblemKind::Duplicate => "duplicate",
            ProblemKind::UnknownParent => "unknown parent",
            ProblemKind::Cycle => "cycle",
        }
    }
}

/// A fault of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Stable id of the concept.
    pub id: String,
    /// Its label.
    pub label: String,
    /// The other concept, the parent, or the way round.
    pub detail: String,
}

impl Lexicon {
    /// Every fault of the dictionaries and packs, sorted. O(concepts).
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut by_label: HashMap<(&str, &str), ConceptId> = HashMap::new();
        for id in self.ids() {
            let concept = self.concept(id);
            let mut add = |kind: ProblemKind, detail: String| {
                problems.push(Problem {
                    kind,
                    id: concept.id.clone(),
                    label: concept.label.clone(),
                    detail,
                });
            };
            let first = *by_label
                .entry((concept.label.as_str(), kind_name(concept.kind)))
                .or_insert(id);
            if first != id {
                add(ProblemKind::Duplicate, format!("also {}", self.concept(first).id));
            }
            if !concept.parent.is_empty() && self.parent(id).is_none() {
                let reason = if concept.parent == concept.label {
                    (ProblemKind::Cycle, format!("{} is its own parent", concept.parent))
                } else {
                    (ProblemKind::UnknownParent, concept.parent.clone())
                };
                add(reason.0, reason.1);
            }
            // `ancestry` stops after eight steps, so a cycle of up to eight is seen from each of its
            // concepts.
            let ancestors: Vec<ConceptId> = self.ancestry(id).skip(1).collect();
            if let Some(back) = ancestors.iter().position(|&ancestor| ancestor == id) {
                let way = ancestors[..=back].iter().map(|&id| self.concept(id).label.as_str());
                add(ProblemKind::Cycle, way.collect::<Vec<_>>().join(" < "));
            }
        }
        problems.sort();
        problems
    }
}
