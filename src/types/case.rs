//! Everything known of one report.

use super::{CaseMap, Mention, NormalizedText, Reading, Relation, Section, Sentence};

/// Everything known of one report.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The id that the caller gave.
    pub id: String,
    /// The report and its normalised form.
    pub text: NormalizedText,
    /// Its sections, in reading order.
    pub sections: Vec<Section>,
    /// Its sentences, in reading order.
    pub sentences: Vec<Sentence>,
    /// Its mentions, in reading order.
    pub mentions: Vec<Mention>,
    /// Scored relations between the nodes of the map, also those that the forest did not take.
    pub relations: Vec<Relation>,
    /// The causal forest.
    pub map: CaseMap,
    /// What the transformer says of each character; `None` where there was none, or where the case
    /// was read from JSON, which does not hold it.
    pub reading: Option<Reading>,
}

impl Case {
    /// The causal forest.
    pub fn map(&self) -> &CaseMap {
        &self.map
    }

    /// The label of the primary disease; empty when the report names none.
    pub fn primary(&self) -> String {
        self.map
            .primary
            .map(|id| self.map.node(id).label.to_string())
            .unwrap_or_default()
    }
}
