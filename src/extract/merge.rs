//! One list of mentions from dictionary, compounds, values and times; every conflict is settled
//! here, once.

use super::Draft;
use super::measure::Measurement;
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
