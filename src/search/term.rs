//! Index terms: what a case is found by. A concept's stable id, a test's id with its result, or
//! the label itself where no dictionary lists it.

use crate::lexicon::{Key, Lexicon};
use crate::types::{ConceptId, ConceptKind, Direction, Label};

/// Begins the term of a label that no dictionary lists.
const UNLISTED: char = '=';

/// The term of a key.
pub(super) fn of_key(lexicon: &Lexicon, key: Key) -> String {
    let id = |id: ConceptId| lexicon.get(id).map_or("", |concept| concept.id.as_str());
    match key {
        Key::Concept(concept) => id(concept).to_owned(),
        Key::Result(test, direction) => format!("{}/{}", id(test), direction.label()),
    }
}

/// The term of a node's label.
pub(super) fn of_label(lexicon: &Lexicon, label: &Label) -> String {
    lexicon
        .key(label)
        .map_or_else(|| format!("{UNLISTED}{label}"), |key| of_key(lexicon, key))
}

/// The term of a node at its site, besides that of the node: しびれ@左上肢. None for other labels.
pub(super) fn at_site(lexicon: &Lexicon, label: &Label) -> Option<(String, ConceptId)> {
    let Label::AtSite { site, .. } = label else { return None };
    let site = lexicon.lookup_kind(site, |kind| kind == crate::types::ConceptKind::Site)?;
    Some((of_label(lexicon, label), site))
}

/// The term of something at a site.
pub(super) fn sited(lexicon: &Lexicon, term: &str, site: ConceptId) -> String {
    format!("{term}@{}", lexicon.get(site).map_or("", |concept| concept.id.as_str()))
}

/// The key of a term; none for what no dictionary lists, and for terms at a site.
pub(super) fn key(lexicon: &Lexicon, term: &str) -> Option<Key> {
    if term.starts_with(UNLISTED) {
        return None;
    }
    match term.rsplit_once('/') {
        Some((test, result)) => {
            let direction = [
                Direction::High,
                Direction::Low,
                Direction::Positive,
                Direction::Negative,
            ]
            .into_iter()
            .find(|direction| direction.label() == result)?;
            Some(Key::Result(lexicon.by_id(test)?, direction))
        }
        None => lexicon.by_id(term).map(|id| lexicon.condition_key(id)),
    }
}

/// What a person reads for a term.
pub(super) fn label(lexicon: &Lexicon, term: &str) -> String {
    match (term.strip_prefix(UNLISTED), key(lexicon, term)) {
        (Some(label), _) => label.to_owned(),
        (None, Some(key)) => key_label(lexicon, key),
        (None, None) => term.to_owned(),
    }
}

/// What a person reads for a key: the symptom's name where the result is one.
pub(super) fn key_label(lexicon: &Lexicon, key: Key) -> String {
    let label = |id: ConceptId| lexicon.get(id).map_or("", |concept| concept.label.as_str());
    match key {
        Key::Concept(id) => label(id).to_owned(),
        Key::Result(test, direction) => match lexicon.result_state(test, direction) {
            // 発熱, not 体温/上昇: as case maps name a vital sign out of range.
            Some(state) if matches!(lexicon.concept(state).kind, ConceptKind::Symptom | ConceptKind::Sign) => {
                label(state).to_owned()
            }
            _ => format!("{}/{}", label(test), direction.label()),
        },
    }
}

/// The disease that a term is, where a dictionary lists it.
pub(super) fn concept(lexicon: &Lexicon, term: &str) -> Option<ConceptId> {
    match key(lexicon, term)? {
        Key::Concept(id) => Some(id),
        Key::Result(test, direction) => lexicon.result_state(test, direction),
    }
}
