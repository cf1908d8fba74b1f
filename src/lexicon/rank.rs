//! Findings → diseases: which of them the knowledge explains best, and by which finding.
//!
//! The score is a sum of logarithms of likelihood ratios, as LIRICAL ranks (Robinson et al., AJHG
//! 2020): for a finding that is there log(P(f|d) / P(f)), for one that is not
//! log((1 - P(f|d)) / (1 - P(f))). P(f|d) comes from the frequency of the link, also through a
//! step of an abnormal state (心筋梗塞 → 左室機能低下 → 呼吸困難); P(f) is the mean over all diseases.
//! A finding that is itself a cause or a risk of a disease (喫煙, a drug, an underlying disease) makes
//! the disease likelier by what the link's frequency says. The patient's sex and age, and a little how
//! common the disease is, add what [`super::Demographics`] says.
//!
//! The sum takes findings as independent, which a low haemoglobin and a low haematocrit are not. So
//! each counts by its [`independence`]: less, the more others lead to the same diseases.
//!
//! The constants were chosen on the gold maps of the written corpus (training/corpus), each disease
//! hidden and ranked by the other nodes of its map.
//!
//! Cases add to it: with n of N cases of the disease showing the finding, P(f|d) is the posterior
//! mean of a beta prior that is worth [`PRIOR_CASES`] cases, (κ P(f|d) + n) / (κ + N). Without cases
//! it is the knowledge alone, with many it is the cases' frequency.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Key, Lexicon, Patient};
use crate::types::{ConceptId, Direction};

/// What a step through an abnormal state leaves of a probability; with longer chains everything
/// explains everything.
const STEP: f64 = 0.2;
/// What a step from a general disease to a kind of it leaves.
const KIND: f64 = 0.5;
/// A kind with so many links of its own takes half of that.
const SPARSE: f64 = 10.0;
/// What a step from a finding to a more general one leaves.
const GENERAL: f64 = 0.85;
/// A disease without a link to a finding has it by chance, or the table lacks the link: P(f|d) is then
/// P(f) times `DESCRIBED / (links + DESCRIBED)`, the part shrinking as the disease is better described.
const DESCRIBED: f64 = 80.0;
/// Least probability of any finding in any disease.
const CHANCE: f64 = 0.004;
/// A finding's absence is told less surely than its presence.
const ABSENT_WEIGHT: f64 = 0.6;
/// Most that a likelihood ratio counts, as a logarithm.
const MAX_LOG: f64 = 6.0;
/// How many cases the knowledge of a link is worth against counted ones.
pub const PRIOR_CASES: f64 = 5.0;
/// How many times as likely a disease is with something that always leads to it, a cause or a risk: of
/// some thousand diseases each is rare, so that even a cause that seldom leads to it says much.
const RISK: f64 = 100.0;
/// What a finding that speaks against a disease counts.
const AGAINST: f64 = 0.7;
/// Two findings whose diseases are less alike than this are taken as independent.
const UNRELATED: f64 = 0.15;

/// What one finding adds to a disease's score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The finding.
    pub finding: Key,
    /// True when the finding is there, false when it is said not to be.
    pub present: bool,
    /// The natural logarithm of the likelihood ratio, times the finding's [`independence`]; below
    /// zero it speaks against the disease.
    pub log_ratio: f64,
    /// P(f|d), of the knowledge and the cases together.
    pub chance: f64,
    /// P(f), the mean over all diseases: how rare the finding is.
    pub background: f64,
    /// The last step of the way from the disease: the disease itself for a direct link, an
    /// abnormal state for a chain, none where the knowledge has no link.
    pub through: Option<Key>,
}

impl Contribution {
    /// This contribution, counting `weight` of what it says.
    pub fn weighted(mut self, weight: f64) -> Self {
        self.log_ratio *= weight;
        self
    }
}

/// A disease with what the findings say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedDisease {
    /// The disease.
    pub disease: ConceptId,
    /// Sum of the contributions and `patient`: the natural logarithm of the likelihood ratio.
    pub score: f64,
    /// What sex and age, and how common the disease is, say before any finding, in the same measure.
    pub patient: f64,
    /// Each finding's part, in the order that the findings were given.
    pub contributions: Vec<Contribution>,
}

/// What counted cases say of a finding in a disease; the default is no case.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Observed {
    /// Cases of the disease.
    pub cases: f64,
    /// Those of them that have the finding.
    pub with: f64,
    /// What the cases of all diseases add to P(f).
    pub background_shift: f64,
}

/// P(f|d) of one finding by disease, as the knowledge has it.
#[derive(Debug)]
pub struct Likelihoods {
    finding: Key,
    present: bool,
    background: f64,
    /// By disease, sorted, with the last step of the way from it. 32-bit, since these are kept for
    /// every finding that was ever asked for.
    by_disease: Box<[(ConceptId, f32, Key)]>,
    /// Length of `by_disease` as a vector of probabilities.
    norm: f64,
}

impl Likelihoods {
    /// P(f): the mean over all diseases that have links.
    pub fn background(&self) -> f64 {
        self.background
    }

    /// The diseases that are known to have the finding, in ascending order.
    pub fn diseases(&self) -> impl Iterator<Item = ConceptId> {
        self.by_disease.iter().map(|&(disease, _, _)| disease)
    }

    /// P(f|d) where the knowledge has it, and the last step of the way.
    fn of(&self, disease: ConceptId) -> Option<(f64, Key)> {
        let at = self
            .by_disease
            .binary_search_by_key(&disease, |&(disease, _, _)| disease)
            .ok()?;
        let (_, chance, through) = self.by_disease[at];
        Some((f64::from(chance), through))
    }

    /// How alike the diseases of two findings are: the cosine of their P(f|d), from 0 to 1. O(diseases
    /// of the rarer one).
    fn likeness(&self, other: &Likelihoods) -> f64 {
        let (few, many) = if self.by_disease.len() < other.by_disease.len() {
            (self, other)
        } else {
            (other, self)
        };
        let shared: f64 = few
            .by_disease
            .iter()
            .filter_map(|&(disease, chance, _)| many.of(disease).map(|(other, _)| f64::from(chance) * other))
            .sum();
        shared / (self.norm * other.norm).max(f64::MIN_POSITIVE)
    }
}

/// What each finding counts beside the others, from 0 to 1: 1 for one that stands alone, less the
/// more of the others lead to the same diseases (Hb, Ht and red cells); n equal ones count as one. O(findings² × diseases).
pub fn independence(findings: &[Option<Arc<Likelihoods>>]) -> Vec<f64> {
    let mut likes = vec![1.0; findings.len()];
    for (index, one) in findings.iter().enumerate() {
        for (other_index, other) in findings.iter().enumerate().skip(index + 1) {
            let (Some(one), Some(other)) = (one, other) else {
                continue;
            };
            if one.present != other.present {
                continue;
            }
            let likeness = one.likeness(other);
            if likeness > UNRELATED {
                likes[index] += likeness;
                likes[other_index] += likeness;
            }
        }
    }
    likes.into_iter().map(f64::recip).collect()
}

/// The likelihoods that were asked for before.
pub(super) type Cache = std::sync::RwLock<HashMap<(Key, bool), Arc<Likelihoods>>>;

impl Lexicon {
    /// Ranks `candidates` by what `present` and `absent` findings say of them, best first; equal
    /// scores keep the candidates' order. A finding also counts for its more general concepts
    /// (右下腹部痛 for 腹痛), and what has a special form of it has it. O(candidates × findings), after
    /// O(links) once a finding.
    ///
    /// ```
    /// let lexicon = shorei::lexicon::Lexicon::load_default()?;
    /// let key = |label: &str| lexicon.key(&label.parse().unwrap()).unwrap();
    /// let disease = |label: &str| lexicon.lookup_condition(label).unwrap();
    /// let ranked = lexicon.rank(
    ///     &[key("発熱"), key("頭痛"), key("項部硬直")],
    ///     &[],
    ///     &[disease("片頭痛"), disease("細菌性髄膜炎")],
    /// );
    /// assert_eq!(lexicon.concept(ranked[0].disease).label, "細菌性髄膜炎");
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn rank(&self, present: &[Key], absent: &[Key], candidates: &[ConceptId]) -> Vec<RankedDisease> {
        self.rank_for(Patient::default(), present, absent, candidates)
    }

    /// As [`Lexicon::rank`], for a patient whose sex or age is known.
    pub fn rank_for(
        &self,
        patient: Patient,
        present: &[Key],
        absent: &[Key],
        candidates: &[ConceptId],
    ) -> Vec<RankedDisease> {
        let findings: Vec<Option<Arc<Likelihoods>>> = present
            .iter()
            .map(|&key| Some(self.likelihoods(key, true)))
            .chain(absent.iter().map(|&key| Some(self.likelihoods(key, false))))
            .collect();
        let weights = independence(&findings);
        let mut ranked: Vec<RankedDisease> = candidates
            .iter()
            .map(|&disease| {
                let unlinked = self.unlinked(Some(disease));
                let contributions: Vec<Contribution> = findings
                    .iter()
                    .flatten()
                    .zip(&weights)
                    .map(|(likelihoods, weight)| {
                        self.contribution(likelihoods, Some(disease), unlinked, Observed::default())
                            .weighted(*weight)
                    })
                    .collect();
                let patient = self.patient_log_ratio(patient, Some(disease));
                RankedDisease {
                    disease,
                    score: total(&contributions) + patient,
                    patient,
                    contributions,
                }
            })
            .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked
    }

    /// Drops what was worked out for rankings: concepts or links change.
    pub(super) fn forget_rankings(&mut self) {
        self.likelihoods = Arc::default();
        self.described = std::sync::OnceLock::new();
        self.kinds = std::sync::OnceLock::new();
    }

    /// What part of P(f) a disease has of a finding that it has no link to. What a well-described
    /// disease has no link to it rarely has; of a sparsely described one a missing link says little.
    pub fn unlinked(&self, disease: Option<ConceptId>) -> f64 {
        let links = disease.map_or(0, |disease| {
            self.knowledge().effects(self.condition_key(disease)).count()
        });
        DESCRIBED / (links as f64 + DESCRIBED)
    }

    /// P(f|d) of a finding for every disease; kept, so that asking again costs nothing. What is
    /// absent is absent in its more general forms only if it is they, so `present` decides which
    /// forms count. O(links to the finding and its causes).
    pub fn likelihoods(&self, finding: Key, present: bool) -> Arc<Likelihoods> {
        let asked = (finding, present);
        // A poisoned lock would only mean that another thread panicked while it wrote one entry.
        let known = self.likelihoods.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(found) = known.get(&asked) {
            return Arc::clone(found);
        }
        drop(known);
        let found = Arc::new(self.work_out(finding, present));
        self.likelihoods
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .insert(asked, Arc::clone(&found));
        found
    }

    fn work_out(&self, finding: Key, present: bool) -> Likelihoods {
        let forms = if present {
            self.generalised_key(finding)
        } else {
            vec![(0, finding)]
        };
        let diseases = self.described_diseases();
        let mut by_disease: HashMap<ConceptId, (f64, Key)> = HashMap::new();
        let mut background = CHANCE;
        for (up, form) in forms {
            let weight = GENERAL.powi(up as i32);
            let of_form = self.explained_by(form);
            let sum: f64 = of_form.values().map(|&(chance, _)| chance).sum();
            let mean = ((sum + 1.0) / diseases).clamp(CHANCE, 0.5);
            background = f64::max(background, weight * mean);
            for (disease, (chance, through)) in of_form {
                raise(&mut by_disease, disease, weight * chance, through);
            }
        }
        if present {
            for (disease, chance) in self.caused_by(finding) {
                let chance = (background * (1.0 + RISK * chance)).min(0.98);
                raise(&mut by_disease, disease, chance, finding);
            }
        }
        let norm = by_disease
            .values()
            .map(|&(chance, _)| chance * chance)
            .sum::<f64>()
            .sqrt();
        let mut by_disease: Box<[(ConceptId, f32, Key)]> = by_disease
            .into_iter()
            .map(|(disease, (chance, through))| (disease, chance as f32, through))
            .collect();
        by_disease.sort_unstable_by_key(|&(disease, _, _)| disease);
        Likelihoods {
            finding,
            present,
            background,
            by_disease,
            norm,
        }
    }

    /// P(f|d) of exactly this finding, or a special form of it, for every disease that leads to it.
    fn explained_by(&self, finding: Key) -> HashMap<ConceptId, (f64, Key)> {
        let mut causes: HashMap<Key, (f64, Key)> = HashMap::new();
        for (_, special) in self.specialised_key(finding) {
            causes.insert(special, (1.0, special));
        }
        let mut direct: HashMap<Key, (f64, Key)> = HashMap::new();
        for (_, special) in self.specialised_key(finding) {
            for (cause, fact) in self.knowledge().causes(special) {
                raise(&mut direct, cause, fact.frequency.probability(), cause);
            }
        }
        for (&state, &(chance, _)) in &direct {
            for (cause, fact) in self.knowledge().causes(state) {
                let chance = fact.frequency.probability() * chance * STEP;
                if chance > CHANCE {
                    raise(&mut causes, cause, chance, state);
                }
            }
        }
        for (cause, (chance, through)) in direct {
            raise(&mut causes, cause, chance, through);
        }
        let mut by_disease = HashMap::new();
        for (cause, (chance, through)) in causes {
            let is_finding = through == cause && chance >= 1.0;
            for (down, kind) in self.specialised_key(cause) {
                let left = match (is_finding, down) {
                    (true, _) | (_, 0) => 1.0,
                    _ => {
                        // A kind that is well described says itself what it shares with others.
                        let own = self.knowledge().effects(kind).count() as f64;
                        KIND.powi(down as i32) * SPARSE / (own + SPARSE)
                    }
                };
                let concept = match kind {
                    Key::Concept(id) => Some(id),
                    Key::Result(test, direction) => self.result_state(test, direction),
                };
                if let Some(concept) = concept.filter(|&id| self.concept(id).kind.is_disease()) {
                    raise(&mut by_disease, concept, chance * left, through);
                }
            }
        }
        by_disease
    }

    /// P(d|f) of every disease that this condition or exposure, or what it is a kind of, leads to.
    fn caused_by(&self, cause: Key) -> HashMap<ConceptId, f64> {
        let mut by_disease: HashMap<ConceptId, f64> = HashMap::new();
        for (up, form) in self.generalised_key(cause) {
            for (effect, fact) in self.knowledge().effects(form) {
                let chance = fact.frequency.probability() * GENERAL.powi(up as i32);
                for (down, kind) in self.specialised_key(effect) {
                    if let Key::Concept(disease) = kind
                        && self.concept(disease).kind.is_disease()
                    {
                        let known = by_disease.entry(disease).or_default();
                        *known = known.max(chance * KIND.powi(down as i32));
                    }
                }
            }
        }
        by_disease
    }

    /// How many diseases have links; at least one.
    fn described_diseases(&self) -> f64 {
        *self.described.get_or_init(|| {
            let is_described = |index: &usize| {
                let id = ConceptId(*index as u32);
                self.concepts()[*index].kind.is_disease()
                    && self.knowledge().effects(self.condition_key(id)).next().is_some()
            };
            (0..self.concepts().len()).filter(is_described).count().max(1) as f64
        })
    }

    /// A key and its more special keys (腹痛 → 右下腹部痛), with their distance in steps. The key
    /// itself comes first. O(result), after O(concepts) once.
    pub fn specialised_key(&self, key: Key) -> Vec<(usize, Key)> {
        let kinds = self.kinds.get_or_init(|| {
            let mut kinds: HashMap<ConceptId, Vec<ConceptId>> = HashMap::new();
            for id in self.ids() {
                if let Some(parent) = self.parent(id) {
                    kinds.entry(parent).or_default().push(id);
                }
            }
            kinds
        });
        let mut found = vec![(0, key)];
        let mut front: Vec<(usize, ConceptId)> = Vec::new();
        match key {
            Key::Concept(id) => front.push((0, id)),
            Key::Result(test, direction) => {
                // 「トロポニンT陽性」 and 「トロポニンT上昇」 say the same of a test.
                match direction {
                    Direction::Positive => found.push((0, Key::Result(test, Direction::High))),
                    Direction::High => found.push((0, Key::Result(test, Direction::Positive))),
                    _ => {}
                }
                front.extend(self.result_state(test, direction).map(|state| (0, state)));
            }
        }
        while let Some((depth, id)) = front.pop() {
            // As deep as ancestry goes up; a cycle ends here.
            for &kind in kinds.get(&id).into_iter().flatten().filter(|_| depth < 7) {
                let key = self.condition_key(kind);
                if !found.iter().any(|&(_, known)| known == key) {
                    found.push((depth + 1, key));
                    front.push((depth + 1, kind));
                }
            }
        }
        found
    }

    /// What one finding says of a disease, by the knowledge and by what cases were counted;
    /// `unlinked` is [`Lexicon::unlinked`] of it. `None` is a disease that no dictionary lists.
    pub fn contribution(
        &self,
        likelihoods: &Likelihoods,
        disease: Option<ConceptId>,
        unlinked: f64,
        observed: Observed,
    ) -> Contribution {
        let best = disease.and_then(|disease| {
            let known = |id: ConceptId| likelihoods.of(id);
            // Diseases of packs stand in no likelihoods but through what they are a kind of.
            known(disease).or_else(|| {
                let mut above = self.ancestry(disease).enumerate().skip(1);
                above.find_map(|(up, id)| known(id).map(|(chance, through)| (chance * KIND.powi(up as i32), through)))
            })
        });
        // Of a finding that nothing is known to lead to, only cases can speak.
        let unknown = likelihoods.by_disease.is_empty();
        let unlinked = if unknown { 1.0 } else { unlinked };
        let prior = prior(best.map(|(chance, _)| chance), likelihoods.background, unlinked);
        let background = (likelihoods.background + observed.background_shift).clamp(CHANCE, 0.9);
        let chance = posterior(prior, observed).clamp(CHANCE * 0.5, 0.98);
        let log_ratio = if likelihoods.present {
            (chance / background).ln()
        } else {
            ABSENT_WEIGHT * ((1.0 - chance) / (1.0 - background)).ln()
        };
        Contribution {
            finding: likelihoods.finding,
            present: likelihoods.present,
            log_ratio: log_ratio.clamp(-MAX_LOG, MAX_LOG),
            chance,
            background,
            through: best.map(|(_, through)| through),
        }
    }

    /// How many cases of a disease change P(f): the posterior less the prior, over all diseases.
    pub fn background_change(
        &self,
        likelihoods: &Likelihoods,
        disease: Option<ConceptId>,
        unlinked: f64,
        observed: Observed,
    ) -> f64 {
        let known = disease.and_then(|disease| likelihoods.of(disease));
        let prior = prior(known.map(|(chance, _)| chance), likelihoods.background, unlinked);
        (posterior(prior, observed) - prior) / self.described_diseases()
    }
}

/// P(f|d) by the knowledge alone.
fn prior(linked: Option<f64>, background: f64, unlinked: f64) -> f64 {
    let unlinked = (background * unlinked).max(CHANCE * 0.5);
    linked.map_or(unlinked, |chance| chance.max(unlinked)).min(0.98)
}

/// P(f|d) with the cases.
fn posterior(prior: f64, observed: Observed) -> f64 {
    (PRIOR_CASES * prior + observed.with) / (PRIOR_CASES + observed.cases)
}

fn raise<K: std::hash::Hash + Eq>(map: &mut HashMap<K, (f64, Key)>, key: K, chance: f64, through: Key) {
    let known = map.entry(key).or_insert((chance, through));
    // Of equal ways the one of the smaller key, so that the result does not depend on the order.
    if chance > known.0 || chance == known.0 && through < known.1 {
        *known = (chance, through);
    }
}

/// The sum of the contributions: the natural logarithm of the likelihood ratio of all findings, those
/// against the disease counting a little less, because a table of links is never complete.
pub fn total(contributions: &[Contribution]) -> f64 {
    let counted = |part: &Contribution| part.log_ratio.max(0.0) + AGAINST * part.log_ratio.min(0.0);
    contributions.iter().map(counted).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "id\tlabel\tenglish\tkind\tsynonyms\tabbreviations\ticd10\thpo\tparent\n";

    fn lexicon() -> Lexicon {
        let rows = [
            "D1\t甲病\t\tdisease\t\t\t\t\t",
            "D2\t乙病\t\tdisease\t\t\t\t\t",
            "D3\t左室機能低下\t\tpathology\t\t\t\t\t",
            "F1\t発熱\t\tsymptom\t\t\t\t\t",
            "F2\t呼吸困難\t\tsymptom\t\t\t\t\t",
            "F3\t腹痛\t\tsymptom\t\t\t\t\t",
            "F4\t右下腹部痛\t\tsymptom\t\t\t\t\t腹痛",
        ];
        let diseases = format!("{HEADER}{}\n", rows[..3].join("\n"));
        let findings = format!("{HEADER}{}\n", rows[3..].join("\n"));
        let knowledge = "cause\trelation\teffect\tfrequency\tbasis\n\
            甲病\tmanifests_as\t発熱\tvery_frequent\ttextbook\n\
            甲病\tcauses\t左室機能低下\tfrequent\ttextbook\n\
            左室機能低下\tmanifests_as\t呼吸困難\tvery_frequent\ttextbook\n\
            乙病\tmanifests_as\t腹痛\tvery_frequent\ttextbook\n\
            乙病\tmanifests_as\t発熱\tvery_rare\ttextbook\n";
        Lexicon::from_tables([
            ("diseases", "a", diseases.as_str()),
            ("findings", "a", findings.as_str()),
            ("knowledge", "a", knowledge),
        ])
        .expect("sound tables")
    }

    fn order(present: &[&str], absent: &[&str]) -> Vec<String> {
        let lexicon = lexicon();
        let keys = |labels: &[&str]| -> Vec<Key> {
            labels
                .iter()
                .map(|label| lexicon.key(&label.parse().unwrap()).unwrap())
                .collect()
        };
        let candidates = [
            lexicon.lookup_condition("甲病").unwrap(),
            lexicon.lookup_condition("乙病").unwrap(),
        ];
        let ranked = lexicon.rank(&keys(present), &keys(absent), &candidates);
        ranked
            .iter()
            .map(|ranked| lexicon.concept(ranked.disease).label.clone())
            .collect()
    }

    #[test]
    fn frequent_findings_count_more() {
        assert_eq!(order(&["発熱"], &[])[0], "甲病");
    }

    #[test]
    fn chains_and_more_general_findings_count() {
        assert_eq!(order(&["呼吸困難"], &[])[0], "甲病");
        assert_eq!(order(&["右下腹部痛"], &[])[0], "乙病");
    }

    #[test]
    fn what_is_absent_speaks_against() {
        assert_eq!(order(&[], &["発熱"])[0], "乙病");
    }

    #[test]
    fn no_findings_keep_the_order() {
        assert_eq!(order(&[], &[]), ["甲病", "乙病"]);
    }
}
