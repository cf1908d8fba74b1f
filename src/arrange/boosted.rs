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

/// A node of the walk: where to go by a feature's value. A target below zero is a leaf, `!target`
/// its place among the leaves.
#[derive(Clone, Copy)]
struct Step {
    threshold: f32,
    feature: u16,
    left: i16,
    right: i16,
}

/// A classifier: features → the logarithm of the odds. All trees' nodes lie in one row, so that
/// they stay in the cache over the thousands of rows of a report.
#[derive(Default)]
pub(super) struct Boosted {
    steps: Vec<Step>,
    leaves: Vec<f32>,
    /// Where each tree's nodes and leaves start; a tree without nodes has one leaf.
    trees: Vec<(u32, u32, bool)>,
}

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
        for tree in trees {
            model.trees.push((
                model.steps.len() as u32,
                model.leaves.len() as u32,
                tree.features.is_empty(),
            ));
            for at in 0..tree.features.len() {
                model.steps.push(Step {
                    threshold: tree.thresholds[at],
                    feature: tree.features[at],
                    left: tree.left[at],
                    right: tree.right[at],
                });
            }
            model.leaves.extend(tree.leaves);
        }
        Ok(model)
    }

    /// The log odds of a row. O(trees × depth).
    pub(super) fn score(&self, row: &[f32]) -> f64 {
        let mut sum = 0.0;
        for &(steps, leaves, single) in &self.trees {
            let mut target = if single { !0i16 } else { 0 };
            while target >= 0 {
                let step = self.steps[steps as usize + target as usize];
                target = if row[usize::from(step.feature)] <= step.threshold {
                    step.left
                } else {
                    step.right
                };
            }
            sum += f64::from(self.leaves[leaves as usize + usize::from(!target as u16)]);
        }
        sum
    }

    /// The probability of a row.
    pub(super) fn probability(&self, row: &[f32]) -> f64 {
        1.0 / (1.0 + (-self.score(row)).exp())
    }
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
        assert_eq!(model.score(&[0.5, 9.0]), -0.5);
        assert_eq!(model.score(&[0.6, 2.0]), 0.75);
        assert_eq!(model.score(&[0.6, 2.1]), 2.5);
        assert!((model.probability(&[0.6, 2.1]) - 0.924_141_8).abs() < 1e-6);
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
