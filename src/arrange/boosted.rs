//! Gradient-boosted trees in LightGBM's text format: the part of it that a numerical binary
//! classifier uses.

use crate::error::Error;

/// A tree: inner nodes by index; a child below zero is a leaf, `!child` its index.
struct Tree {
    features: Vec<u16>,
    thresholds: Vec<f32>,
    left: Vec<i16>,
    right: Vec<i16>,
    leaves: Vec<f32>,
}

/// A node of the walk: where to go by a feature's value. A leaf leads to itself, whatever the value,
/// so that all walks of a tree take as many steps and none of them branches.
#[derive(Clone, Copy)]
struct Step {
    threshold: f32,
    feature: u16,
    left: u16,
    right: u16,
}

/// A tree among the steps of all trees.
#[derive(Clone, Copy)]
struct Root {
    /// Where its nodes begin; its first node is the root.
    first: u32,
    /// One past its last.
    end: u32,
    /// Steps from the root to the deepest leaf.
    depth: u32,
}

/// A classifier: features → the logarithm of the odds. All trees' nodes lie in one row, so that
/// they stay in the cache over the thousands of rows of a report.
#[derive(Default)]
pub(super) struct Boosted {
    steps: Vec<Step>,
    /// What a step is worth where a walk ends there.
    values: Vec<f32>,
    trees: Vec<Root>,
}

/// Rows that walk through a tree side by side: while one waits for its next node, the others go on.
const ABREAST: usize = 8;

impl Boosted {
    /// Reads a model that was trained with exactly these features, in this order. O(size).
    ///
    /// # Errors
    /// [`Error::Model`] for a file of another form, of other features, or with categorical splits.
    pub(super) fn read(name: &str, text: &str, features: &[String]) -> Result<Self, Error> {
        let fail = |line: usize, value: &str, reason: &str| Error::Model {
            file: name.to_owned(),
            line,
            value: value.chars().take(80).collect(),
            reason: reason.to_owned(),
        };
        let mut trees: Vec<Tree> = Vec::new();
        let mut named = false;
        for (number, line) in text.lines().enumerate() {
            let line_number = number + 1;
            if line.starts_with("end of trees") {
                break;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            if key == "feature_names" {
                let differing = value
                    .split(' ')
                    .zip(features)
                    .find(|(theirs, ours)| theirs != ours)
                    .map(|(theirs, _)| theirs);
                if differing.is_some() || value.split(' ').count() != features.len() {
                    return Err(fail(
                        line_number,
                        differing.unwrap_or(value),
                        "other features than this program has; train it again (training/README.md)",
                    ));
                }
                named = true;
            } else if key == "Tree" {
                trees.push(Tree {
                    features: Vec::new(),
                    thresholds: Vec::new(),
                    left: Vec::new(),
                    right: Vec::new(),
                    leaves: Vec::new(),
                });
            } else if let Some(tree) = trees.last_mut() {
                let reason = "not a number that a tree can have here";
                let broken = |value: &str| fail(line_number, value, reason);
                match key {
                    "num_cat" if value != "0" => {
                        return Err(fail(line_number, value, "categorical splits are not read"));
                    }
                    "split_feature" => tree.features = numbers(value, &broken)?,
                    "threshold" => tree.thresholds = numbers(value, &broken)?,
                    "left_child" => tree.left = numbers(value, &broken)?,
                    "right_child" => tree.right = numbers(value, &broken)?,
                    "leaf_value" => tree.leaves = numbers(value, &broken)?,
                    _ => {}
                }
            }
        }
        if !named || trees.iter().any(|tree| !tree.is_sound(features.len())) {
            return Err(fail(1, "", "no LightGBM text model, or a broken one"));
        }
        let mut model = Boosted::default();
        trees.iter().for_each(|tree| model.add(tree));
        Ok(model)
    }

    /// Adds a sound tree: its inner nodes, then its leaves.
    fn add(&mut self, tree: &Tree) {
        let inner = tree.features.len();
        let place = |child: i16| {
            let at = if child < 0 {
                inner + usize::from(!child as u16)
            } else {
                child as usize
            };
            at as u16
        };
        let first = self.steps.len() as u32;
        let mut depths = vec![0; inner];
        for at in 0..inner {
            self.steps.push(Step {
                threshold: tree.thresholds[at],
                feature: tree.features[at],
                left: place(tree.left[at]),
                right: place(tree.right[at]),
            });
            self.values.push(0.0);
            // Children stand behind their parents.
            for child in [tree.left[at], tree.right[at]] {
                if child >= 0 {
                    depths[child as usize] = depths[at] + 1;
                }
            }
        }
        for (leaf, &value) in tree.leaves.iter().enumerate() {
            let own = (inner + leaf) as u16;
            self.steps.push(Step {
                threshold: 0.0,
                feature: 0,
                left: own,
                right: own,
            });
            self.values.push(value);
        }
        self.trees.push(Root {
            first,
            end: self.steps.len() as u32,
            depth: depths.iter().max().map_or(0, |depth| depth + 1),
        });
    }

    /// The probabilities of rows that lie one after the other, `width` numbers each. O(rows × trees
    /// × depth).
    pub(super) fn probabilities(&self, rows: &[f32], width: usize) -> Vec<f64> {
        self.scores(rows, width).into_iter().map(probability).collect()
    }

    /// The shares of rows of which one in each group is right, trained to be ranked: the softmax of
    /// the group's scores, times `contrast`. `groups` are the groups' lengths, in the order of the
    /// rows. A row that is more than `behind` behind the best of its group after `trees` trees keeps
    /// the score of these: the trees behind them would not lift it to where it matters.
    /// O(rows × trees × depth).
    pub(super) fn shares(
        &self,
        rows: &[f32],
        width: usize,
        groups: &[usize],
        contrast: f64,
        trees: usize,
        behind: f64,
    ) -> Vec<f64> {
        let (first, rest) = self.trees.split_at(trees.min(self.trees.len()));
        let row = |at: usize| &rows[at * width..][..width];
        let best = |scores: &[f64]| scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut scores = self.walk(first, rows.len() / width.max(1), row);
        let mut open: Vec<usize> = Vec::new();
        let mut start = 0;
        for &length in groups {
            let range = start..start + length;
            let least = best(&scores[range.clone()]) - behind;
            open.extend(range.filter(|&at| scores[at] >= least));
            start += length;
        }
        // Those of all groups side by side.
        for (&at, score) in open.iter().zip(self.walk(rest, open.len(), |at| row(open[at]))) {
            scores[at] += score;
        }
        let mut left = scores.as_mut_slice();
        for &length in groups {
            let (group, others) = left.split_at_mut(length);
            let best = best(group);
            group
                .iter_mut()
                .for_each(|score| *score = ((*score - best) * contrast).exp());
            let total: f64 = group.iter().sum();
            group.iter_mut().for_each(|score| *score /= total);
            left = others;
        }
        scores
    }

    /// The sums over the trees (log odds, or scores to rank by) of rows that lie one after the other,
    /// `width` numbers each. O(rows × trees × depth).
    pub(super) fn scores(&self, rows: &[f32], width: usize) -> Vec<f64> {
        self.walk(&self.trees, rows.len() / width.max(1), |at| {
            &rows[at * width..][..width]
        })
    }

    /// What `trees` give for each of `count` rows.
    fn walk<'r>(&self, trees: &[Root], count: usize, row: impl Fn(usize) -> &'r [f32]) -> Vec<f64> {
        let mut scores = Vec::with_capacity(count);
        for first in (0..count).step_by(ABREAST) {
            // A short block walks its last row more than once, which is cheaper than row by row.
            let block = std::array::from_fn(|at| row((first + at).min(count - 1)));
            let open = ABREAST.min(count - first);
            scores.extend_from_slice(&self.walk_abreast::<ABREAST>(trees, block)[..open]);
        }
        scores
    }

    fn walk_abreast<const N: usize>(&self, trees: &[Root], rows: [&[f32]; N]) -> [f64; N] {
        let mut sums = [0.0; N];
        for tree in trees {
            let range = tree.first as usize..tree.end as usize;
            let steps = &self.steps[range.clone()];
            let mut at = [0u16; N];
            for _ in 0..tree.depth {
                for (at, row) in at.iter_mut().zip(&rows) {
                    let step = steps[usize::from(*at)];
                    let goes_left = row[usize::from(step.feature)] <= step.threshold;
                    *at = if goes_left { step.left } else { step.right };
                }
            }
            let values = &self.values[range];
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum += f64::from(values[usize::from(at)]);
            }
        }
        sums
    }
}

fn probability(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

fn numbers<T: std::str::FromStr>(value: &str, broken: &dyn Fn(&str) -> Error) -> Result<Vec<T>, Error> {
    value
        .split_ascii_whitespace()
        .map(|number| number.parse().map_err(|_| broken(number)))
        .collect()
}

impl Tree {
    fn is_sound(&self, features: usize) -> bool {
        let inner = self.features.len();
        let child = |&child: &i16| {
            if child < 0 {
                usize::from(!child as u16) < self.leaves.len()
            } else {
                usize::from(child as u16) < inner
            }
        };
        !self.leaves.is_empty()
            && self.thresholds.len() == inner
            && self.left.len() == inner
            && self.right.len() == inner
            && self.features.iter().all(|&feature| usize::from(feature) < features)
            // A child stands behind its parent, so that every walk ends.
            && self.left.iter().zip(&self.right).enumerate().all(|(at, (left, right))| {
                [left, right].iter().all(|next| child(next) && (**next < 0 || **next as usize > at))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "tree\nfeature_names=a b\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nthreshold=0.5 2\n\
        left_child=-1 -2\nright_child=1 -3\nleaf_value=-1 0.25 2\n\nTree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\n\nend of trees\n";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn walks_to_the_leaf() {
        let model = Boosted::read("m", MODEL, &names(&["a", "b"])).unwrap();
        assert_eq!(model.scores(&[0.5, 9.0], 2), [-0.5]);
        assert_eq!(model.scores(&[0.6, 2.0], 2), [0.75]);
        assert_eq!(model.scores(&[0.6, 2.1], 2), [2.5]);
        assert!((model.probabilities(&[0.6, 2.1], 2)[0] - 0.924_141_8).abs() < 1e-6);
    }

    #[test]
    fn rows_side_by_side_are_rows_alone() {
        let model = Boosted::read("m", MODEL, &names(&["a", "b"])).unwrap();
        let rows = [0.5, 9.0, 0.6, 2.0, 0.6, 2.1, f32::NAN, 1.0, 0.6, f32::NAN, 0.0, 0.0];
        for count in 0..=6 {
            let rows = &rows[..count * 2];
            let alone: Vec<f64> = rows.chunks(2).map(|row| model.probabilities(row, 2)[0]).collect();
            assert_eq!(model.probabilities(rows, 2), alone);
        }
    }

    #[test]
    fn other_features_are_refused() {
        let error = Boosted::read("m", MODEL, &names(&["a", "c"])).err().unwrap();
        assert!(error.to_string().contains("train it again"), "{error}");
    }

    #[test]
    fn broken_models_are_refused() {
        for (from, to) in [
            ("left_child=-1 -2", "left_child=-1 -9"),
            ("left_child=-1 -2", "left_child=0 -2"),
            ("split_feature=0 1", "split_feature=0 7"),
            ("threshold=0.5 2", "threshold=0.5 x"),
            ("num_cat=0", "num_cat=1"),
        ] {
            assert!(
                Boosted::read("m", &MODEL.replacen(from, to, 1), &names(&["a", "b"])).is_err(),
                "{to}"
            );
        }
        assert!(Boosted::read("m", "nothing", &names(&["a", "b"])).is_err());
    }
}
