//! Long inputs as overlapping windows, and their answers as one.

#![expect(clippy::single_range_in_vec_init, reason = "a text of one window has one range")]

use std::ops::Range;

/// The windows of a text of `length` tokens, of which a model reads `limit` at a time: as few as can
/// be and no longer than they must be, neighbours sharing a quarter of `limit` or more. `limit` must
/// not be 0.
pub(super) fn windows(length: usize, limit: usize) -> Vec<Range<usize>> {
    if length <= limit {
        return vec![0..length];
    }
    let overlap = limit / 4;
    let steps = (length - limit).div_ceil(limit - overlap);
    let size = (length + steps * overlap).div_ceil(steps + 1);
    (0..=steps)
        .map(|index| {
            let start = (length - size) * index / steps;
            start..start + size
        })
        .collect()
}

/// How much the answer of each window counts at each of its tokens; over all windows, 1 a token.
/// It is as the token's distance from the nearer edge at which the text was cut, for there context
/// is missing.
pub(super) fn shares(windows: &[Range<usize>], length: usize) -> Vec<Vec<f32>> {
    let mut totals = vec![0.0; length];
    let mut shares: Vec<Vec<f32>> = windows
        .iter()
        .map(|window| window.clone().map(|at| weight(window, at, length)).collect())
        .collect();
    for (window, weights) in windows.iter().zip(&shares) {
        for (at, weight) in window.clone().zip(weights) {
            totals[at] += weight;
        }
    }
    for (window, weights) in windows.iter().zip(&mut shares) {
        for (at, weight) in window.clone().zip(weights) {
            *weight /= totals[at];
        }
    }
    shares
}

fn weight(window: &Range<usize>, at: usize, length: usize) -> f32 {
    let before = if window.start == 0 {
        usize::MAX
    } else {
        at - window.start
    };
    let after = if window.end == length {
        usize::MAX
    } else {
        window.end - 1 - at
    };
    (before.min(after).min(window.len()) + 1) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_text_is_one_window() {
        assert_eq!(windows(0, 10), [0..0]);
        assert_eq!(windows(10, 10), [0..10]);
        assert_eq!(windows(11, 10), [0..7, 4..11]);
    }

    #[test]
    fn the_middle_of_a_window_counts_most() {
        let window = 10..20;
        let weights: Vec<f32> = (10..20).map(|at| weight(&window, at, 100)).collect();
        assert_eq!(weights, [1., 2., 3., 4., 5., 5., 4., 3., 2., 1.]);
        // Nothing is cut at the text's own ends.
        assert_eq!(weight(&(0..10), 0, 100), 10.0);
        assert_eq!(weight(&(90..100), 99, 100), 10.0);
        assert_eq!(shares(&[0..3], 3), [[1.0; 3]]);
    }

    proptest! {
        #[test]
        fn windows_cover_the_text_and_overlap(length in 0usize..5000, limit in 1usize..600) {
            let windows = windows(length, limit);
            prop_assert_eq!(windows.first().map(|window| window.start), Some(0));
            prop_assert_eq!(windows.last().map(|window| window.end), Some(length));
            for pair in windows.windows(2) {
                prop_assert!(pair[0].start < pair[1].start);
                prop_assert!(pair[0].end >= pair[1].start + limit / 4);
            }
            prop_assert!(windows.iter().all(|window| window.len() <= limit));
            let mut sums = vec![0.0; length];
            for (window, shares) in windows.iter().zip(shares(&windows, length)) {
                for (at, share) in window.clone().zip(shares) {
                    prop_assert!(share > 0.0);
                    sums[at] += share;
                }
            }
            prop_assert!(sums.iter().all(|sum: &f32| (sum - 1.0).abs() < 1e-5));
        }
    }
}
