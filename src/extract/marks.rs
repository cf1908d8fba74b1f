//! What the dictionaries and rules say of each character, in the form in which the transformer
//! reads it: its token types.

use super::Draft;
use crate::lexicon::Lexicon;
use crate::types::{Assertion, ConceptKind, Direction, Experiencer, MentionKind, Status, Temporality};

/// What a mark says of its mention besides where it begins.
const CONDITIONS: [&str; 5] = ["disease", "symptom", "finding", "state", "unlisted"];
const STATUSES: [&str; 4] = ["present", "absent", "suspected", "elsewhere"];
const RESULTS: [&str; 4] = ["abnormal", "negative", "normal", "unclear"];
const OTHERS: [(MentionKind, &str); 9] = [
    (MentionKind::Site, "site"),
    (MentionKind::Exam, "exam"),
    (MentionKind::Drug, "drug"),
    (MentionKind::Dose, "dose"),
    (MentionKind::Treatment, "treatment"),
    (MentionKind::Time, "time"),
    (MentionKind::Change, "change"),
    (MentionKind::Feature, "feature"),
    (MentionKind::Context, "context"),
];

/// The names of the marks: `O`, then `B-` and `I-` of each kind with its status or result. A
/// model names those that it was trained with.
pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    for condition in CONDITIONS {
        names.extend(STATUSES.map(|status| format!("{condition}_{status}")));
    }
    for test in ["test", "value"] {
        names.extend(RESULTS.map(|result| format!("{test}_{result}")));
    }
    names.extend(OTHERS.map(|(_, name)| name.to_owned()));
    std::iter::once("O".to_owned())
        .chain(names.iter().flat_map(|name| [format!("B-{name}"), format!("I-{name}")]))
        .collect()
}

/// The mark of each character of the normalised text, as an index of [`names`]. O(n).
pub fn marks(text: &str, drafts: &[Draft], assertions: &[Assertion], lexicon: &Lexicon) -> Vec<u32> {
    let mut of_bytes = vec![0; text.len()];
    for (draft, assertion) in drafts.iter().zip(assertions) {
        let inside = 2 + 2 * number(draft, *assertion, lexicon);
        of_bytes[draft.span.start..draft.span.end].fill(inside);
        of_bytes[draft.span.start] = inside - 1;
    }
    text.char_indices().map(|(at, _)| of_bytes[at]).collect()
}

fn number(draft: &Draft, assertion: Assertion, lexicon: &Lexicon) -> u32 {
    let conditions = (CONDITIONS.len() * STATUSES.len()) as u32;
    let results = RESULTS.len() as u32;
    match draft.kind {
        MentionKind::Disease | MentionKind::Finding => {
            let condition = match draft.concept.map(|id| lexicon.concept(id).kind) {
                Some(ConceptKind::Disease) => 0,
                Some(ConceptKind::Symptom | ConceptKind::Sign) => 1,
                Some(ConceptKind::ExamFinding | ConceptKind::Pathology) => 2,
                Some(ConceptKind::LabState) => 3,
                _ => 4,
            };
            condition * STATUSES.len() as u32 + status(assertion)
        }
        MentionKind::TestItem => conditions + result(draft),
        MentionKind::TestValue => conditions + results + result(draft),
        kind => {
            let other = OTHERS.iter().position(|(other, _)| *other == kind).unwrap_or(0) as u32;
            conditions + 2 * results + other
        }
    }
}

fn status(assertion: Assertion) -> u32 {
    if assertion.experiencer != Experiencer::Patient || assertion.time == Temporality::Past {
        return 3;
    }
    match assertion.status {
        Status::Present => 0,
        Status::Absent => 1,
        Status::Suspected | Status::Planned => 2,
        Status::General => 3,
    }
}

fn result(draft: &Draft) -> u32 {
    match draft.value.as_ref().and_then(|value| value.direction) {
        Some(direction) if direction.is_abnormal() => 0,
        Some(Direction::Negative) => 1,
        Some(Direction::Normal) => 2,
        _ => 3,
    }
}
