//! Pathologies that no word names but that several findings make plain.

use std::collections::HashMap;

use crate::lexicon::{Key, Lexicon};
use crate::types::{Candidate, ConceptId, ConceptKind, Label, Relation, Role};

/// So many findings must speak for a pathology.
const MIN_FINDINGS: usize = 3;

/// A link of this strength explains a finding: one that is frequent.
const EXPLAINS: f64 = 0.6;

/// Ends of names of states that reports show by results alone; others (菌血症, 肝転移) they name.
const UNNAMED: [&str; 2] = ["障害", "機能低下"];

/// Adds pathologies that at least three findings are evidence of and that a disease of the report
/// is known to make (心筋障害 for BNP↑, troponin+, negative T). True when one was added.
/// O(candidates × known causes).
pub fn add_latent(candidates: &mut Vec<Candidate>, relations: &[Relation], lexicon: &Lexicon) -> bool {
    let chapter = |id: ConceptId| lexicon.concept(id).icd10.chars().next();
    let mut evidence: HashMap<ConceptId, Vec<usize>> = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        if !matches!(candidate.role, Role::Result | Role::ExamFinding) {
            continue;
        }
        let Some(key) = key(candidate, lexicon) else { continue };
        for (cause, fact) in lexicon.knowledge().causes_generalised(lexicon, key) {
            if let Key::Concept(id) = cause
                && lexicon.concept(id).kind == ConceptKind::Pathology
                && fact.frequency.probability() >= 0.5
            {
                let findings = evidence.entry(id).or_default();
                if findings.last() != Some(&index) {
                    findings.push(index);
                }
            }
        }
    }
    let mut latent: Vec<(ConceptId, Vec<usize>)> = evidence
        .into_iter()
        .filter(|(id, findings)| {
            findings.len() >= MIN_FINDINGS && UNNAMED.iter().any(|end| lexicon.concept(*id).label.ends_with(end))
        })
        .collect();
    latent.sort_by_key(|(id, findings)| (std::cmp::Reverse(findings.len()), *id));
    let knowledge = lexicon.knowledge();
    let fits = |id: ConceptId, findings: &[usize]| {
        !candidates.iter().any(|candidate| {
            candidate
                .concept
                .is_some_and(|other| lexicon.is_a(other, id) || lexicon.is_a(id, other))
        })
            // A disease of the same organ system explains them by itself, all but one at least.
            && !candidates.iter().enumerate().any(|(index, cause)| {
                let explained = relations.iter().filter(|relation| {
                    relation.source.0 as usize == index
                        && relation.evidence.knowledge >= EXPLAINS
                        && findings.contains(&(relation.target.0 as usize))
                });
                matches!(cause.role, Role::Disease | Role::Pathology)
                    && cause.concept.is_some_and(|cause| chapter(cause) == chapter(id))
                    && explained.count() + 1 >= findings.len()
            })
            && candidates.iter().any(|candidate| {
                matches!(candidate.role, Role::Disease)
                    && candidate.concept.is_some_and(|cause| {
                        // Exactly it: what makes ascites does not make urinary ascites.
                        let causes = knowledge.as_cause(lexicon, Key::Concept(cause));
                        knowledge.link_between(&causes, &[(0, Key::Concept(id))]).is_some()
                    })
            })
    };
    // One at most: two that share their findings would only divide them.
    let Some(id) = latent
        .iter()
        .find(|(id, findings)| fits(*id, findings))
        .map(|&(id, _)| id)
    else {
        return false;
    };
    candidates.push(Candidate {
        label: Label::Condition(lexicon.concept(id).label.clone()),
        concept: Some(id),
        role: Role::Pathology,
        mentions: Vec::new(),
        inferred: true,
        needs_effect: false,
        is_complication: false,
        primacy: -10.0,
    });
    true
}

fn key(candidate: &Candidate, lexicon: &Lexicon) -> Option<Key> {
    lexicon.key(&candidate.label)
}
