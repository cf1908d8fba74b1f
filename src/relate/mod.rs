//! Candidate pairs → scored cause → effect relations, each with its evidence.

mod cues;
mod knowledge;

use crate::lexicon::{Key, Lexicon};
use crate::types::{
    Candidate, Evidence, Label, Mention, NodeId, NormalizedText, Relation, RelationKind, Role, Sentence, Why,
};

/// Score of an examination that shows the very disease.
const SHOWN_BY_EXAM: f64 = 2.6;
/// Score of a result under the state that it defines: Hb/低下 under 貧血.
const RESULT_OF_STATE: f64 = 2.4;
/// Score of what follows from the very kind of the two: a metastasis and its cancer.
const BY_NATURE: f64 = 1.3;
/// The most that knowledge alone gives.
const KNOWLEDGE: f64 = 2.0;
/// The most that a cue alone gives.
const CUE: f64 = 1.6;
/// What standing in one sentence adds to a pair that has other evidence.
const SAME_SENTENCE: f64 = 0.25;

/// Scores every ordered pair of candidates that has evidence. O(candidates²).
pub fn relations(
    text: &NormalizedText,
    sentences: &[Sentence],
    mentions: &[Mention],
    candidates: &[Candidate],
    lexicon: &Lexicon,
) -> Vec<Relation> {
    let keys: Vec<Option<Key>> = candidates
        .iter()
        .map(|candidate| knowledge::key(candidate, lexicon))
        .collect();
    let knowledge = lexicon.knowledge();
    let forms = |of: &dyn Fn(Key) -> Vec<(usize, Key)>| -> Vec<Vec<(usize, Key)>> {
        keys.iter().map(|key| key.map(of).unwrap_or_default()).collect()
    };
    let as_cause = forms(&|key| knowledge.as_cause(lexicon, key));
    let as_effect = forms(&|key| knowledge.as_effect(lexicon, key));
    let names: Vec<String> = candidates.iter().map(|candidate| candidate.label.to_string()).collect();
    let cued = cues::pairs(text.norm(), sentences, mentions, candidates, lexicon);
    let mut relations = Vec::new();
    for (source, cause) in candidates.iter().enumerate() {
        if !can_be_cause(cause) {
            continue;
        }
        for (target, effect) in candidates.iter().enumerate() {
            if source == target || !allowed(cause, effect) {
                continue;
            }
            let mut score = 0.0;
            let mut kind = default_kind(cause, effect);
            let mut why = Vec::new();
            let mut evidence = Evidence::default();
            if let (Some(cause_key), Some(effect_key)) = (keys[source], keys[target]) {
                if cause_key == effect_key && effect.role == Role::ExamFinding {
                    score += SHOWN_BY_EXAM;
                    evidence.identity = true;
                    kind = RelationKind::EvidencedBy;
                    why.push(Why::Structure {
                        reason: "examination that shows it".into(),
                    });
                } else if cause_key == effect_key && effect.role == Role::Result {
                    score += RESULT_OF_STATE;
                    evidence.identity = true;
                    kind = RelationKind::EvidencedBy;
                    why.push(Why::Structure {
                        reason: "result that defines the state".into(),
                    });
                } else if let Some((strength, fact)) = knowledge.link_between(&as_cause[source], &as_effect[target]) {
                    score += KNOWLEDGE * strength;
                    evidence.knowledge = strength;
                    kind = fact.relation;
                    why.push(Why::Knowledge {
                        cause: fact.cause.clone(),
                        effect: fact.effect.clone(),
                    });
                }
            }
            if why.is_empty()
                && let Some(reason) = by_nature(cause, effect, &names[target], lexicon)
            {
                score += BY_NATURE;
                evidence.by_nature = true;
                why.push(Why::Structure { reason: reason.into() });
            }
            if why.is_empty() && shows_same_name(cause, effect) {
                score += SHOWN_BY_EXAM * 0.9;
                evidence.same_name = true;
                kind = RelationKind::EvidencedBy;
                why.push(Why::Structure {
                    reason: "examination that shows it".into(),
                });
            }
            if cause.role != Role::Symptom
                && let Some(cue) = cued.get(&(source, target))
            {
                score += CUE * cue.weight;
                evidence.cue = cue.weight;
                kind = cue.kind;
                why.push(Why::Cue {
                    span: cue.span,
                    text: cue.span.slice(text.norm()).to_owned(),
                });
            }
            if why.is_empty() {
                continue;
            }
            if share_sentence(cause, effect, mentions) {
                score += SAME_SENTENCE;
            }
            relations.push(Relation {
                source: NodeId(source as u32),
                target: NodeId(target as u32),
                kind,
                score,
                why,
                evidence,
            });
        }
    }
    relations
}

/// What can have effects: conditions and exposures; results and exam findings are leaves.
fn can_be_cause(candidate: &Candidate) -> bool {
    !matches!(candidate.role, Role::Result | Role::ExamFinding)
}

fn allowed(cause: &Candidate, effect: &Candidate) -> bool {
    match (cause.role, effect.role) {
        // An exposure has a cause only in the disease that required it, which words must say.
        (Role::Symptom, Role::Disease | Role::Exposure | Role::Pathology | Role::Symptom) => false,
        _ => true,
    }
}

/// What needs no row of knowledge: a metastasis is of the cancer, a condition that names the drug
/// is of that drug.
fn by_nature(cause: &Candidate, effect: &Candidate, name: &str, lexicon: &Lexicon) -> Option<&'static str> {
    let icd10 = |candidate: &Candidate| candidate.concept.map_or("", |id| lexicon.concept(id).icd10.as_str());
    let (cause_code, effect_code) = (icd10(cause), icd10(effect));
    let is_metastasis = |code: &str| ("C77".."C80").contains(&code);
    let is_primary_cancer = |code: &str| code.starts_with('C') && !is_metastasis(code);
    if cause.role == Role::Disease
        && is_primary_cancer(cause_code)
        && effect.role == Role::Disease
        && (is_metastasis(effect_code) || !is_primary_cancer(effect_code) && name.ends_with("転移"))
    {
        return Some("metastasis of the cancer");
    }
    if let (Role::Exposure, Label::History(exposure)) = (cause.role, &cause.label) {
        let is_condition = matches!(effect.role, Role::Disease | Role::Pathology | Role::Symptom);
        let drug = exposure.trim_end_matches("使用");
        if is_condition && drug.chars().count() >= 3 && name.contains(drug) {
            return Some("named after the exposure");
        }
    }
    None
}

/// 「肺血栓塞栓症」 and 「胸部CT=肺動脈血栓塞栓症」: an exam finding that names the disease.
fn shows_same_name(cause: &Candidate, effect: &Candidate) -> bool {
    match (&cause.label, &effect.label) {
        (Label::Condition(name) | Label::AtSite { condition: name, .. }, Label::ExamFinding { finding, .. }) => {
            name.chars().count() >= 3
                && (finding.contains(name.as_str()) || name.contains(finding.as_str()) && finding.chars().count() >= 3)
        }
        _ => false,
    }
}

fn default_kind(cause: &Candidate, effect: &Candidate) -> RelationKind {
    match effect.role {
        Role::Result | Role::ExamFinding => RelationKind::EvidencedBy,
        Role::Symptom => RelationKind::ManifestsAs,
        _ if cause.role == Role::Exposure => RelationKind::Causes,
        _ => RelationKind::Complicates,
    }
}

fn share_sentence(a: &Candidate, b: &Candidate, mentions: &[Mention]) -> bool {
    a.mentions.iter().any(|x| {
        b.mentions
            .iter()
            .any(|y| mentions[x.0 as usize].sentence == mentions[y.0 as usize].sentence)
    })
}
