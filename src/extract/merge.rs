//! One list of mentions from dictionary, compounds, values, times and a model; every conflict is
//! settled here, once.

use super::Draft;
use super::measure::Measurement;
use super::neural::Tagged;
use super::time::TimeExpression;
use crate::lexicon::Lexicon;
use crate::types::{ConceptKind, MentionKind, Norm, Span};

/// Joins the sources. A value's test wins over a condition inside its name and over the state
/// that says the same without a number (血小板減少 is 血小板/低下); a symptom (体重減少) wins over
/// the test that it contains.
pub fn merge(
    text: &str,
    lexicon: &Lexicon,
    terms: Vec<Draft>,
    measured: Vec<Measurement>,
    times: Vec<TimeExpression>,
) -> Vec<Draft> {
    let mut kept: Vec<Option<Draft>> = terms.into_iter().map(Some).collect();
    let mut tests = Vec::new();
    for measurement in measured {
        let extent = measurement.test_span.cover(&measurement.value_span);
        let mut wins = true;
        for slot in &mut kept {
            let Some(term) = slot else { continue };
            if !term.span.overlaps(&extent) {
                continue;
            }
            let in_test = term.span.overlaps(&measurement.test_span);
            let state = term.concept.is_some_and(|id| {
                let kind = lexicon.concept(id).kind;
                kind == ConceptKind::LabState
                    || matches!(kind, ConceptKind::Site | ConceptKind::Organism | ConceptKind::Test)
            });
            let longer = measurement.test_span.contains(&term.span) && measurement.test_span != term.span;
            if !in_test {
                // A term in the value's place is a word that measure read as a result.
                if measurement.value_span.contains(&term.span) {
                    *slot = None;
                }
            } else if longer
                || state && term.span.end <= extent.end
                || measurement.value.number.is_some() && measurement.test_span.contains(&term.span)
            {
                *slot = None;
            } else {
                wins = false;
            }
        }
        if wins {
            tests.push(measurement);
        }
    }
    let mut drafts: Vec<Draft> = kept.into_iter().flatten().collect();
    for measurement in tests {
        if let Some(organism) = organism_before(text, lexicon, &drafts, &measurement) {
            drafts.retain(|draft| draft.span != organism);
            drafts.extend(antibodies(text, organism, measurement));
            continue;
        }
        drafts.push(Draft {
            value: Some(measurement.value.clone()),
            ..Draft::new(measurement.test_span, MentionKind::TestItem, Some(measurement.test))
        });
        if !measurement.value_span.is_empty() && !measurement.value_span.overlaps(&measurement.test_span) {
            drafts.push(Draft {
                value: Some(measurement.value),
                ..Draft::new(measurement.value_span, MentionKind::TestValue, Some(measurement.test))
            });
        }
    }
    let taken: Vec<Span<Norm>> = drafts.iter().map(|draft| draft.span).collect();
    for time in times {
        if !taken.iter().any(|span| span.overlaps(&time.span)) {
            drafts.push(Draft::new(time.span, MentionKind::Time, None));
        }
    }
    drafts.retain(|draft| !draft.span.slice(text).trim().is_empty());
    drafts.sort_by_key(|draft| (draft.span, draft.kind));
    // Two tests may share one value (AST, ALTの上昇): the value is one mention.
    drafts.dedup_by(|b, a| a.span == b.span && a.kind == b.kind);
    drafts
}

/// The organism directly before an immunoglobulin, whose antibodies are then meant: HHV-6 of 「HHV-6
/// IgG上昇」.
fn organism_before(text: &str, lexicon: &Lexicon, drafts: &[Draft], measurement: &Measurement) -> Option<Span<Norm>> {
    if !matches!(lexicon.concept(measurement.test).label.as_str(), "IgG" | "IgM" | "IgA") {
        return None;
    }
    let start = measurement.test_span.start;
    let is_organism = |draft: &&Draft| {
        let listed = draft.concept.map(|id| lexicon.concept(id).kind);
        let between = text.get(draft.span.end..start);
        listed == Some(ConceptKind::Organism)
            && between.is_some_and(|between| matches!(between, "" | " " | "-" | "特異的" | "抗体" | "抗体 "))
    };
    drafts.iter().find(is_organism).map(|draft| draft.span)
}

/// The antibodies against an organism as a test of their own. A number says nothing of them by the
/// ranges of the whole class; a titre, a sign or a word does.
fn antibodies(text: &str, organism: Span<Norm>, measurement: Measurement) -> Vec<Draft> {
    let mut value = measurement.value;
    let judged = value.range_low.is_some() || value.range_high.is_some() || value.unit == "倍";
    if value.number.is_some() && !judged {
        value.direction = None;
    }
    let class = measurement.test_span.slice(text);
    let name = organism.cover(&measurement.test_span);
    let mut drafts = vec![Draft {
        value: Some(value.clone()),
        expansion: Some(format!("{} {class}", organism.slice(text))),
        ..Draft::new(name, MentionKind::TestItem, None)
    }];
    if !measurement.value_span.overlaps(&name) {
        drafts.push(Draft {
            value: Some(value),
            ..Draft::new(measurement.value_span, MentionKind::TestValue, None)
        });
    }
    drafts
}

/// How surely a surface of the dictionary is a mention, as a probability: a model must be surer.
const LISTED: f32 = 0.75;

/// The same for a compound that no dictionary lists.
const UNLISTED: f32 = 0.5;

/// Below it a model's mention is none.
const LEAST: f32 = 0.5;

/// Joins what a model names with what dictionary and rules found.
///
/// - On one span, the draft stays, with its concept and kind; the model's status goes with it as an
///   opinion, for `qualify` to weigh.
/// - A value of a test and its test stay: a model knows no numbers.
/// - Where spans overlap otherwise, the surer one stays: a model's mention by its probability, a
///   surface of the dictionary as 0.75, a compound that it does not list as 0.5. A draft that stays
///   takes the model's status if they are of one kind.
/// - What stands alone is a mention from a probability of 0.5.
///
/// `drafts` and `tagged` come in reading order. O(drafts + tagged · log drafts).
pub fn with_model(mut drafts: Vec<Draft>, tagged: Vec<Tagged>) -> Vec<Draft> {
    let mut removed = vec![false; drafts.len()];
    let mut added = Vec::new();
    for tagged in tagged.into_iter().filter(|tagged| tagged.opinion.probability >= LEAST) {
        let first = drafts.partition_point(|draft| draft.span.end <= tagged.span.start);
        let count = drafts[first..].partition_point(|draft| draft.span.start < tagged.span.end);
        let overlapping = first..first + count;
        let same = overlapping.clone().find(|&index| drafts[index].span == tagged.span);
        let surest = drafts[overlapping.clone()].iter().map(certainty).fold(0.0, f32::max);
        if same.is_none() && tagged.opinion.probability > surest {
            removed[overlapping].fill(true);
            added.push(Draft {
                opinion: Some(tagged.opinion),
                ..Draft::new(tagged.span, tagged.kind, None)
            });
            continue;
        }
        for index in overlapping {
            let draft = &mut drafts[index];
            let surer = draft
                .opinion
                .is_none_or(|opinion| opinion.probability < tagged.opinion.probability);
            if (same == Some(index) || same.is_none() && alike(draft.kind, tagged.kind)) && surer {
                draft.opinion = Some(tagged.opinion);
            }
        }
    }
    let mut removed = removed.into_iter();
    drafts.retain(|_| removed.next() != Some(true));
    drafts.append(&mut added);
    drafts.sort_by_key(|draft| (draft.span, draft.kind));
    drafts
}

fn certainty(draft: &Draft) -> f32 {
    match (&draft.value, draft.concept) {
        (Some(_), _) => 1.0,
        (None, Some(_)) => LISTED,
        (None, None) => UNLISTED,
    }
}

/// MedTxt knows diseases and findings as one.
fn alike(kind: MentionKind, other: MentionKind) -> bool {
    let condition = |kind| matches!(kind, MentionKind::Disease | MentionKind::Finding);
    kind == other || condition(kind) && condition(other)
}

#[cfg(test)]
mod tests {
    use super::super::neural::Opinion;
    use super::*;
    use crate::types::{ConceptId, Status, Value};

    fn draft(start: usize, end: usize, concept: Option<u32>) -> Draft {
        Draft::new(Span::new(start, end), MentionKind::Disease, concept.map(ConceptId))
    }

    fn tagged(start: usize, end: usize, status: Status, probability: f32) -> Tagged {
        Tagged {
            span: Span::new(start, end),
            kind: MentionKind::Disease,
            opinion: Opinion {
                status: Some(status),
                probability,
            },
        }
    }

    fn spans(drafts: &[Draft]) -> Vec<(usize, usize)> {
        drafts.iter().map(|draft| (draft.span.start, draft.span.end)).collect()
    }

    #[test]
    fn one_span_keeps_its_concept_and_takes_the_status() {
        let merged = with_model(vec![draft(0, 6, Some(3))], vec![tagged(0, 6, Status::Absent, 0.99)]);
        assert_eq!(spans(&merged), [(0, 6)]);
        assert_eq!(merged[0].concept, Some(ConceptId(3)));
        assert_eq!(
            merged[0].opinion.and_then(|opinion| opinion.status),
            Some(Status::Absent)
        );
    }

    #[test]
    fn the_surer_of_two_stays() {
        let drafts = || vec![draft(0, 6, Some(3)), draft(9, 12, None)];
        let longer = |probability| with_model(drafts(), vec![tagged(0, 9, Status::Present, probability)]);
        assert_eq!(spans(&longer(0.7)), [(0, 6), (9, 12)]);
        assert_eq!(longer(0.7)[0].opinion.map(|opinion| opinion.probability), Some(0.7));
        assert_eq!(spans(&longer(0.8)), [(0, 9), (9, 12)]);
        assert_eq!(longer(0.8)[0].concept, None);
        // Not listed, a compound yields earlier.
        assert_eq!(
            spans(&with_model(drafts(), vec![tagged(8, 12, Status::Present, 0.6)])),
            [(0, 6), (8, 12)]
        );
    }

    #[test]
    fn values_stay_and_doubt_adds_nothing() {
        let mut value = draft(0, 6, Some(1));
        value.value = Some(Value::default());
        let merged = with_model(vec![value.clone()], vec![tagged(0, 9, Status::Present, 0.999)]);
        assert_eq!(spans(&merged), [(0, 6)]);
        assert_eq!(with_model(vec![], vec![tagged(0, 9, Status::Present, 0.4)]), []);
        assert_eq!(
            spans(&with_model(vec![], vec![tagged(0, 9, Status::Present, 0.6)])),
            [(0, 9)]
        );
    }
}
