//! Findings → diseases, by the cases and the knowledge together.

use std::collections::HashSet;
use std::sync::Arc;

use super::query::{Asked, Query};
use super::scan::Tally;
use super::store::{CaseIndex, Snapshot};
use super::term;
use crate::error::Error;
use crate::lexicon::{Contribution, Key, Likelihoods, Observed, independence, total};
use crate::types::{ConceptId, ConceptKind};

/// Fewer links, and a disease without cases is not described well enough to be proposed.
const MIN_LINKS: usize = 3;

/// Why a disease is ranked where it is: what one finding says of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Reason {
    /// The finding.
    pub finding: String,
    /// True when it is there, false when it is said not to be.
    pub present: bool,
    /// Natural logarithm of the likelihood ratio; below zero it speaks against the disease.
    pub log_ratio: f64,
    /// P(finding | disease).
    pub chance: f64,
    /// P(finding) over all diseases: how rare it is.
    pub background: f64,
    /// The abnormal state through which the disease leads to it; none for a direct link, and where
    /// the knowledge has no link.
    pub through: Option<String>,
    /// True when the knowledge links the disease to it.
    pub known: bool,
    /// Cases of the disease that have it.
    pub cases: u32,
}

/// A ranked disease.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DiseaseRow {
    /// Rank, from 1.
    pub rank: usize,
    /// The disease.
    pub label: String,
    /// Stable id of the concept; empty where no dictionary lists the disease.
    pub concept: String,
    /// Its specialty; empty where no dictionary lists the disease.
    pub specialty: String,
    /// Natural logarithm of the likelihood ratio of all findings, those against it counting a little
    /// less ([`crate::lexicon::total`]), and of sex and age.
    pub score: f64,
    /// What sex and age, and how common the disease is, say before any finding, in the same measure.
    pub patient: f64,
    /// Its cases that the query's narrowing leaves.
    pub cases: u32,
    /// Of these, those that have at least half of the findings that should be there.
    pub matching: u32,
    /// What each finding says, in the query's order.
    pub reasons: Vec<Reason>,
}

/// The answer to a query for diseases.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct FoundDiseases {
    /// Best first.
    pub diseases: Vec<DiseaseRow>,
    /// How many diseases were ranked.
    pub ranked: usize,
    /// Cases that the query's narrowing leaves.
    pub cases: u64,
}

/// A disease that may be the answer.
struct Candidate {
    concept: Option<ConceptId>,
    /// Its place among the diseases of the cases.
    in_cases: Option<usize>,
}

impl CaseIndex {
    /// Ranks diseases by what the findings of a query say of them, at most `limit`.
    ///
    /// The score is that of [`crate::lexicon::Lexicon::rank`]: a sum of logarithms of likelihood
    /// ratios, where P(f|d) joins the knowledge, worth [`crate::lexicon::PRIOR_CASES`] cases, with
    /// the counted cases of the disease. Ranked are the diseases of the cases, and those that the
    /// knowledge links to a finding. A query without findings lists diseases by their cases.
    /// O(postings of the findings + diseases × findings).
    ///
    /// # Errors
    /// [`Error::Index`] for damaged files.
    pub fn diseases(&self, query: &Query, limit: usize) -> Result<FoundDiseases, Error> {
        let snapshot = self.snapshot();
        let tally = self.guarded(|| {
            let forms = self.forms(&snapshot, query)?;
            let without = match &query.like {
                Some(entry) => self.find(&entry.id)?,
                None => None,
            };
            self.scan(&snapshot, query, &forms, 0, without)
        })?;
        Ok(self.rank(&snapshot, query, &tally, limit))
    }

    fn rank(&self, snapshot: &Snapshot, query: &Query, tally: &Tally, limit: usize) -> FoundDiseases {
        let lexicon = &self.lexicon;
        let asked: Vec<(&Asked, bool)> = query
            .present
            .iter()
            .map(|asked| (asked, true))
            .chain(query.absent.iter().map(|asked| (asked, false)))
            .collect();
        let likelihoods: Vec<Option<Arc<Likelihoods>>> = asked
            .iter()
            .map(|(asked, present)| asked.key.map(|key| lexicon.likelihoods(key, *present)))
            .collect();
        let weights = independence(&likelihoods);
        let candidates = self.candidates(snapshot, query, tally, &likelihoods);
        let observed = |candidate: &Candidate, finding: usize, background_shift: f64| Observed {
            cases: candidate.in_cases.map_or(0.0, |index| f64::from(tally.cases[index])),
            with: candidate
                .in_cases
                .map_or(0.0, |index| f64::from(tally.with[finding][index])),
            background_shift,
        };
        let unlinked: Vec<f64> = candidates
            .iter()
            .map(|candidate| lexicon.unlinked(candidate.concept))
            .collect();
        let shifts: Vec<f64> = likelihoods
            .iter()
            .enumerate()
            .map(|(finding, likelihoods)| {
                let Some(likelihoods) = likelihoods else { return 0.0 };
                let counted = candidates.iter().zip(&unlinked);
                let counted = counted.filter(|(candidate, _)| candidate.in_cases.is_some());
                counted
                    .map(|(candidate, &unlinked)| {
                        let observed = observed(candidate, finding, 0.0);
                        lexicon.background_change(likelihoods, candidate.concept, unlinked, observed)
                    })
                    .sum()
            })
            .collect();
        let mut rows: Vec<(f64, usize, Vec<Contribution>)> = candidates
            .iter()
            .enumerate()
            .map(|(at, candidate)| {
                let parts: Vec<Contribution> = likelihoods
                    .iter()
                    .enumerate()
                    .filter_map(|(finding, likelihoods)| {
                        let observed = observed(candidate, finding, shifts[finding]);
                        let likelihoods = likelihoods.as_ref()?;
                        let part = lexicon.contribution(likelihoods, candidate.concept, unlinked[at], observed);
                        Some(part.weighted(weights[finding]))
                    })
                    .collect();
                let patient = lexicon.patient_log_ratio(query.patient, candidate.concept);
                (total(&parts) + patient, at, parts)
            })
            .collect();
        let cases = |at: usize| candidates[at].in_cases.map_or(0, |index| tally.cases[index]);
        // Of equal scores the one with more cases; then the order of candidates, which is fixed.
        rows.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then_with(|| cases(b.1).cmp(&cases(a.1)))
                .then(a.1.cmp(&b.1))
        });
        let ranked = rows.len();
        rows.truncate(limit);
        let listed: Vec<usize> = (0..asked.len())
            .filter(|&finding| likelihoods[finding].is_some())
            .collect();
        let diseases = rows
            .into_iter()
            .enumerate()
            .map(|(rank, (score, at, parts))| {
                let candidate = &candidates[at];
                let reasons = listed.iter().zip(parts).map(|(&finding, part)| {
                    let (asked, present) = asked[finding];
                    let own = candidate.concept.map(|id| lexicon.condition_key(id));
                    Reason {
                        finding: asked.label.clone(),
                        present,
                        log_ratio: part.log_ratio,
                        chance: part.chance,
                        background: part.background,
                        through: part
                            .through
                            .filter(|&through| Some(through) != own && !self.is_general_form(own, through))
                            .map(|through| term::key_label(lexicon, through)),
                        known: part.through.is_some(),
                        cases: candidate.in_cases.map_or(0, |index| tally.with[finding][index]),
                    }
                });
                let concept = candidate.concept.and_then(|id| lexicon.get(id));
                let label = match (concept, candidate.in_cases) {
                    (Some(concept), _) => concept.label.clone(),
                    (None, Some(index)) => term::label(lexicon, &snapshot.diseases[index].term),
                    (None, None) => String::new(),
                };
                DiseaseRow {
                    rank: rank + 1,
                    label,
                    concept: concept.map(|concept| concept.id.clone()).unwrap_or_default(),
                    specialty: candidate.concept.map_or("", |id| lexicon.specialty(id)).to_owned(),
                    score,
                    patient: lexicon.patient_log_ratio(query.patient, candidate.concept),
                    cases: cases(at),
                    matching: candidate.in_cases.map_or(0, |index| tally.matching[index]),
                    reasons: reasons.collect(),
                }
            })
            .collect();
        FoundDiseases {
            diseases,
            ranked,
            cases: tally.total,
        }
    }

    /// True when `through` is only a more general name of the disease itself.
    fn is_general_form(&self, own: Option<Key>, through: Key) -> bool {
        match (own, through) {
            (Some(Key::Concept(own)), Key::Concept(through)) => self.lexicon.is_a(own, through),
            _ => false,
        }
    }

    fn candidates(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        tally: &Tally,
        likelihoods: &[Option<Arc<Likelihoods>>],
    ) -> Vec<Candidate> {
        let lexicon = &self.lexicon;
        // What is asked for is no answer, nor is what was ruled out.
        let mut asked: HashSet<Key> = query.present.iter().filter_map(|asked| asked.key).collect();
        for key in query.absent.iter().filter_map(|asked| asked.key) {
            asked.extend(lexicon.specialised_key(key).into_iter().map(|(_, key)| key));
        }
        let wanted = |concept: Option<ConceptId>, own: &str| {
            let named = query.diseases.is_empty()
                || query.diseases.iter().any(|disease| match (concept, disease.key) {
                    (Some(concept), Some(Key::Concept(disease))) => lexicon.is_a(concept, disease),
                    _ => disease.term == own,
                });
            let specialty = concept.map_or("", |id| lexicon.specialty(id));
            let hidden = concept.is_some_and(|id| asked.contains(&lexicon.condition_key(id)));
            named && !hidden && query.specialty.as_ref().is_none_or(|wanted| wanted == specialty)
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut in_cases: HashSet<ConceptId> = HashSet::new();
        for (index, disease) in snapshot.diseases.iter().enumerate() {
            if tally.cases[index] == 0 || !wanted(disease.concept, &disease.term) {
                continue;
            }
            in_cases.extend(disease.concept);
            candidates.push(Candidate {
                concept: disease.concept,
                in_cases: Some(index),
            });
        }
        let by_cases_alone = !(query.causes.is_empty() && query.drugs.is_empty() && query.paths.is_empty());
        if by_cases_alone {
            return candidates;
        }
        let mut known: Vec<ConceptId> = likelihoods
            .iter()
            .take(query.present.len())
            .flatten()
            .flat_map(|likelihoods| likelihoods.diseases())
            .filter(|id| !in_cases.contains(id))
            .collect();
        known.sort_unstable();
        known.dedup();
        known.retain(|&id| {
            let is_disease = lexicon
                .get(id)
                .is_some_and(|concept| concept.kind == ConceptKind::Disease);
            let links = lexicon.knowledge().effects(lexicon.condition_key(id)).take(MIN_LINKS);
            is_disease && links.count() >= MIN_LINKS && wanted(Some(id), "")
        });
        candidates.extend(known.into_iter().map(|id| Candidate {
            concept: Some(id),
            in_cases: None,
        }));
        candidates
    }
}
