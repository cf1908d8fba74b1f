//! Findings → diseases: which of them the knowledge explains best, and by which finding.
//!
//! The score is a sum of logarithms of likelihood ratios, as LIRICAL ranks (Robinson et al., AJHG
//! 2020): for a finding that is there log(P(f|d) / P(f)), for one that is not
//! log((1 - P(f|d)) / (1 - P(f))). P(f|d) comes from the frequency of the link, also through a
//! step of an abnormal state (心筋梗塞 → 左室機能低下 → 呼吸困難); P(f) is the mean over all diseases.

use std::collections::HashMap;

use super::{Key, Lexicon};
use crate::types::ConceptId;

/// What a step through an abnormal state leaves of a probability. Chosen, like the other constants
/// here, on 46 examination questions; with longer chains everything explains everything.
const STEP: f64 = 0.2;
/// No chain is longer.
const MAX_STEPS: usize = 2;
/// A disease without a link to a finding has it by chance, or the table lacks the link: P(f|d) is then
/// P(f) times `DESCRIBED / (links + DESCRIBED)`, the part shrinking as the disease is better described.
const DESCRIBED: f64 = 40.0;
/// Least probability of any finding in any disease.
const CHANCE: f64 = 0.004;
/// A finding's absence is told less surely than its presence.
const ABSENT_WEIGHT: f64 = 0.6;
/// What each further finding through the same state counts of the one before.
const TOGETHER: f64 = 0.9;
/// Most that a likelihood ratio counts, as a logarithm.
const MAX_LOG: f64 = 4.5;

/// What one finding adds to a disease's score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The finding.
    pub finding: Key,
    /// True when the finding is there, false when it is said not to be.
    pub present: bool,
    /// The natural logarithm of the likelihood ratio; below zero it speaks against the disease.
    pub log_ratio: f64,
    /// The last step of the way from the disease: the disease itself for a direct link, an
    /// abnormal state for a chain, none where the knowledge has no link.
    pub through: Option<Key>,
}

/// A disease with what the findings say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedDisease {
    /// The disease.
    pub disease: ConceptId,
    /// Sum of the contributions: the natural logarithm of the likelihood ratio.
    pub score: f64,
    /// Each finding's part, in the order that the findings were given.
    pub contributions: Vec<Contribution>,
}

/// A finding, whether it is there, and the forms that it counts as, with their weights.
type Given = (Key, bool, Vec<(f64, Key)>);

/// P(f|d) of everything that a disease is known to lead to, with the last cause on the way.
type Profile = HashMap<Key, (f64, Key)>;

impl Lexicon {
    /// Ranks `candidates` by what `present` and `absent` findings say of them, best first; equal
    /// scores keep the candidates' order. A finding also counts for its more general concepts
    /// (右下腹部痛 for 腹痛). O(candidates × links within three steps + diseases × links for P(f)).
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
        let background = self.background();
        let findings: Vec<Given> = present
            .iter()
            .map(|&key| (key, true))
            .chain(absent.iter().map(|&key| (key, false)))
            .map(|(key, is_present)| {
                // What is absent is absent in its more general forms only if it is they.
                let forms = if is_present {
                    self.generalised_key(key)
                } else {
                    vec![(0, key)]
                };
                let forms = forms
                    .into_iter()
                    .map(|(up, form)| (0.85f64.powi(up as i32), form))
                    .collect();
                (key, is_present, forms)
            })
            .collect();
        let mut ranked: Vec<RankedDisease> = candidates
            .iter()
            .map(|&disease| {
                let profile = self.profile(disease);
                // What a well-described disease has no link to it rarely has; of a sparsely described
                // one a missing link says little.
                let links = self.knowledge().effects(self.condition_key(disease)).count() as f64;
                let unlinked = DESCRIBED / (links + DESCRIBED);
                let contributions: Vec<Contribution> = findings
                    .iter()
                    .map(|(key, is_present, forms)| {
                        let mean = forms
                            .iter()
                            .map(|(weight, form)| weight * background.get(form).copied().unwrap_or(CHANCE))
                            .fold(CHANCE, f64::max);
                        contribution(*key, *is_present, forms, &profile, mean * unlinked, mean)
                    })
                    .collect();
                RankedDisease {
                    disease,
                    score: total(&contributions),
                    contributions,
                }
            })
            .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked
    }

    /// Everything that a disease, or what it is a kind of, leads to within three steps.
    fn profile(&self, disease: ConceptId) -> Profile {
        let mut profile: Profile = HashMap::new();
        let mut front: Vec<(Key, f64)> = Vec::new();
        for (up, id) in self.ancestry(disease).enumerate() {
            let key = self.condition_key(id);
            let weight = 0.8f64.powi(up as i32);
            profile.entry(key).or_insert((weight, key));
            front.push((key, weight));
        }
        for step in 0..MAX_STEPS {
            let mut next = Vec::new();
            for (cause, probability) in front {
                for (effect, fact) in self.knowledge().effects(cause) {
                    let step_weight = if step == 0 { 1.0 } else { STEP };
                    let chance = probability * fact.frequency.probability() * step_weight;
                    let known = profile.get(&effect).map_or(0.0, |known| known.0);
                    if chance > known && chance > CHANCE {
                        profile.insert(effect, (chance, cause));
                        next.push((effect, chance));
                    }
                }
            }
            front = next;
        }
        profile
    }

    /// P(f) of every finding: its mean over the profiles of all diseases that have links.
    fn background(&self) -> &Background {
        self.background.get_or_init(|| {
            let mut sums: HashMap<Key, f64> = HashMap::new();
            let mut diseases = 0;
            for (index, concept) in self.concepts().iter().enumerate() {
                let id = ConceptId(index as u32);
                let is_cause = self.knowledge().effects(self.condition_key(id)).next().is_some();
                if !concept.kind.is_disease() || !is_cause {
                    continue;
                }
                diseases += 1;
                for (key, (chance, _)) in self.profile(id) {
                    *sums.entry(key).or_default() += chance;
                }
            }
            let diseases = f64::from(diseases.max(1));
            sums.into_iter()
                .map(|(key, sum)| (key, ((sum + 1.0) / diseases).clamp(CHANCE, 0.5)))
                .collect()
        })
    }
}

/// P(f) by finding.
pub(super) type Background = HashMap<Key, f64>;

/// The sum of the contributions, those through one abnormal state counting less and less: a failing
/// heart's findings come together and are no independent witnesses.
fn total(contributions: &[Contribution]) -> f64 {
    let mut by_state: HashMap<Option<Key>, Vec<f64>> = HashMap::new();
    let mut sum = 0.0;
    for part in contributions {
        if part.log_ratio > 0.0 {
            by_state.entry(part.through).or_default().push(part.log_ratio);
        } else {
            sum += part.log_ratio;
        }
    }
    for parts in by_state.values_mut() {
        parts.sort_by(|a, b| b.total_cmp(a));
        let mut weight = 1.0;
        for part in parts {
            sum += *part * weight;
            weight *= TOGETHER;
        }
    }
    sum
}

fn contribution(
    key: Key,
    present: bool,
    forms: &[(f64, Key)],
    profile: &Profile,
    unlinked: f64,
    mean: f64,
) -> Contribution {
    let best = forms
        .iter()
        .filter_map(|&(weight, form)| profile.get(&form).map(|&(chance, through)| (chance * weight, through)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let unlinked = unlinked.max(CHANCE * 0.5);
    let chance = best.map_or(unlinked, |(chance, _)| chance.max(unlinked)).min(0.98);
    let log_ratio = if present {
        (chance / mean).ln()
    } else {
        ABSENT_WEIGHT * ((1.0 - chance) / (1.0 - mean)).ln()
    };
    Contribution {
        finding: key,
        present,
        log_ratio: log_ratio.clamp(-MAX_LOG, MAX_LOG),
        through: best.map(|(_, through)| through),
    }
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
