//! Candidates as the knowledge table's keys.

use crate::lexicon::{Key, Lexicon};
use crate::types::{Candidate, ConceptKind, Label};

/// What the knowledge knows a candidate as; `None` for what no dictionary lists.
pub(super) fn key(candidate: &Candidate, lexicon: &Lexicon) -> Option<Key> {
    match (&candidate.label, candidate.concept) {
        (Label::Result { result, .. }, Some(test)) => Some(Key::Result(test, lexicon.result_word(result)?)),
        (Label::History(_), Some(id)) => Some(Key::Concept(id)),
        // An organism that grew is the infection's sign.
        (_, Some(id)) if lexicon.concept(id).kind == ConceptKind::Organism => {
            lexicon.infection(id).map(|disease| lexicon.condition_key(disease))
        }
        (_, Some(id)) => Some(lexicon.condition_key(id)),
        (label, None) => lexicon.key(label),
    }
}
