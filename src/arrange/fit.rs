//! How well the candidates of a report fit each other as causes and effects, by the affinity model.

use super::features::leaf;
use crate::types::{Candidate, Role};

/// The score where there is nothing to compare with: lower than that of any pair seen.
pub(super) const LOWEST: f64 = -20.0;

/// What a candidate counts among causes however unlikely it is a node.
const LEAST_KEEP: f64 = 1e-3;

/// Affinities of all pairs of candidates, and what they come to for each.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// Cause × effect.
    scores: Vec<f64>,
    /// Their exponentials.
    odds: Vec<f64>,
    /// Of each effect, its best cause and score, and the score of the second best.
    best: Vec<(usize, f64, f64)>,
    /// Of each effect, the logarithm of the summed odds of its causes.
    total: Vec<f64>,
    /// Of each candidate, what rows say of it.
    own: Vec<Own>,
    causes: Vec<usize>,
}

/// What the affinities say of one candidate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    /// How many other candidates it explains: the sum of its share among their causes.
    pub explains: f64,
    /// Of these the diseases and pathologies.
    pub explains_diseases: f64,
    /// Its share of all that is explained.
    pub share: f64,
    /// It explains most.
    pub leads: bool,
    /// Score of its best cause.
    pub best: f64,
    /// Score of its best cause among diseases and pathologies.
    pub best_disease: f64,
    /// Score of its best effect.
    pub best_effect: f64,
    /// Its mean score as a cause.
    pub mean: f64,
    /// Its score under the candidate that explains most.
    pub from_leader: f64,
}

/// What the affinities say of a pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// The score itself.
    pub score: f64,
    /// How far it is above the best of the other causes.
    pub gap: f64,
    /// The logarithm of its share among all causes.
    pub share: f64,
    /// How far it is above the cause's mean.
    pub above_mean: f64,
    /// How many causes are better.
    pub rank: f64,
    /// The score of the effect's best cause.
    pub best: f64,
}

impl Fit {
    /// `scores` holds cause × effect. O(candidates²).
    pub fn new(candidates: &[Candidate], scores: &[f32]) -> Self {
        let n = candidates.len();
        let scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        let mut fit = Fit {
            odds: scores.iter().map(|score| score.min(30.0).exp()).collect(),
            scores,
            causes: (0..n).filter(|&index| !leaf(candidates[index].role)).collect(),
            ..Fit::default()
        };
        let disease = |index: usize| matches!(candidates[index].role, Role::Disease | Role::Pathology);
        let mut explains = vec![(0.0, 0.0); n];
        let mut best_disease = vec![LOWEST; n];
        for (effect, best_disease) in best_disease.iter_mut().enumerate() {
            let mut best = (usize::MAX, LOWEST, LOWEST);
            let others = || fit.causes.iter().copied().filter(move |&cause| cause != effect);
            for cause in others() {
                let score = fit.scores[cause * n + effect];
                if score > best.1 {
                    best = (cause, score, best.1);
                } else if score > best.2 {
                    best.2 = score;
                }
                if disease(cause) {
                    *best_disease = best_disease.max(score);
                }
            }
            let odds = |cause: usize| fit.odds[cause * n + effect];
            let total: f64 = others().map(odds).sum();
            for cause in others() {
                // The case itself, which causes nothing in particular, counts as one more.
                let share = odds(cause) / (total + 1.0);
                explains[cause].0 += share;
                if disease(effect) {
                    explains[cause].1 += share;
                }
            }
            fit.best.push(best);
            fit.total.push(if total > 0.0 { total.ln() } else { LOWEST });
        }
        let leader = (0..n)
            .max_by(|&a, &b| explains[a].0.total_cmp(&explains[b].0))
            .unwrap_or(0);
        let all: f64 = explains.iter().map(|explains| explains.0).sum();
        fit.own = (0..n)
            .map(|index| {
                let row = &fit.scores[index * n..(index + 1) * n];
                let is_cause = !leaf(candidates[index].role);
                let effects = row.iter().enumerate().filter(|&(effect, _)| effect != index);
                Own {
                    explains: explains[index].0,
                    explains_diseases: explains[index].1,
                    share: explains[index].0 / all.max(1e-6),
                    leads: index == leader,
                    best: fit.best[index].1,
                    best_disease: best_disease[index],
                    best_effect: if is_cause {
                        effects.map(|(_, &score)| score).fold(LOWEST, f64::max)
                    } else {
                        LOWEST
                    },
                    mean: if is_cause {
                        row.iter().sum::<f64>() / n as f64
                    } else {
                        LOWEST
                    },
                    from_leader: fit.scores[leader * n + index],
                }
            })
            .collect();
        fit
    }

    /// What is said of a candidate.
    pub fn own(&self, index: usize) -> Own {
        self.own[index]
    }

    /// The score of a pair.
    pub fn score(&self, cause: usize, effect: usize) -> f64 {
        self.scores[cause * self.own.len() + effect]
    }

    /// The odds of all causes of an effect, each by how likely it is a node. O(causes).
    pub fn odds_of_kept(&self, effect: usize, keep: impl Fn(usize) -> f64) -> f64 {
        let n = self.own.len();
        let others = self.causes.iter().copied().filter(|&other| other != effect);
        others
            .map(|cause| self.odds[cause * n + effect] * (keep(cause) + LEAST_KEEP))
            .sum()
    }

    /// The logarithm of a cause's share in [`Fit::odds_of_kept`].
    pub fn share_of_kept(&self, cause: usize, effect: usize, keep: f64, total: f64) -> f64 {
        if total > 0.0 {
            (self.odds[cause * self.own.len() + effect] * (keep + LEAST_KEEP) / total).ln()
        } else {
            0.0
        }
    }

    /// What is said of a pair. O(causes).
    pub fn pair(&self, cause: usize, effect: usize) -> Pair {
        let n = self.own.len();
        let score = self.scores[cause * n + effect];
        let (at, best, second) = self.best[effect];
        let better = |&&other: &&usize| other != effect && self.scores[other * n + effect] > score;
        Pair {
            score,
            gap: score - if at == cause { second } else { best },
            share: score - self.total[effect],
            above_mean: score - self.own[cause].mean,
            rank: self.causes.iter().filter(better).count() as f64,
            best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(role: Role) -> Candidate {
        Candidate {
            role,
            ..Candidate::default()
        }
    }

    #[test]
    fn the_best_cause_is_told_from_the_others() {
        let candidates = [Role::Disease, Role::Disease, Role::Result].map(candidate);
        // Rows are causes: the first fits the result, the second hardly; a result causes nothing.
        let fit = Fit::new(&candidates, &[0.0, 1.0, 6.0, -2.0, 0.0, 2.0, 50.0, 50.0, 0.0]);
        let pair = fit.pair(0, 2);
        assert_eq!((pair.score, pair.gap, pair.rank, pair.best), (6.0, 4.0, 0.0, 6.0));
        assert!((pair.share - (6.0 - (6f64.exp() + 2f64.exp()).ln())).abs() < 1e-12);
        let pair = fit.pair(1, 2);
        assert_eq!((pair.gap, pair.rank), (-4.0, 1.0));
        assert!(fit.own(0).leads && !fit.own(1).leads);
        assert!(fit.own(0).explains > 1.5 && fit.own(2).explains == 0.0);
        assert_eq!((fit.own(1).best, fit.own(2).best_disease), (1.0, 6.0));
        assert_eq!((fit.own(2).best_effect, fit.own(1).from_leader), (LOWEST, 1.0));
    }

    #[test]
    fn a_candidate_alone_has_no_cause() {
        let fit = Fit::new(&[candidate(Role::Disease)], &[3.0]);
        assert_eq!((fit.own(0).best, fit.own(0).explains), (LOWEST, 0.0));
        assert_eq!(fit.pair(0, 0).rank, 0.0);
    }
}
