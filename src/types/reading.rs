//! What the transformer says of a report, character by character.

use super::{Norm, Span};

/// What a [`Reading`] says of a character: how likely it is part of …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Aspect {
    /// … the words of a node of the case map.
    Node,
    /// … the words of the primary disease.
    Primary,
    /// … a positive disease in MedTxt's sense: the longest phrase, coordination in one.
    Positive,
    /// … a condition that the patient has.
    Present,
    /// … a condition that is said not to be there.
    Absent,
    /// … one that is thought of.
    Suspected,
    /// … one that was thought of and ruled out.
    RuledOut,
    /// … a condition of the past.
    Past,
    /// … one of the family.
    Family,
    /// … one that is spoken of in general.
    General,
    /// … a test, its value, an examination, a drug or another mention that is no condition.
    Other,
}

impl Aspect {
    /// All, in the order of a reading's columns.
    pub const ALL: [Aspect; 11] = [
        Aspect::Node,
        Aspect::Primary,
        Aspect::Positive,
        Aspect::Present,
        Aspect::Absent,
        Aspect::Suspected,
        Aspect::RuledOut,
        Aspect::Past,
        Aspect::Family,
        Aspect::General,
        Aspect::Other,
    ];
}

/// What the transformer says of each character of a normalised text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Start of each character, in bytes of the normalised text.
    starts: Vec<usize>,
    /// A row a character, a column an aspect, probabilities.
    values: Vec<[f32; Aspect::ALL.len()]>,
    /// Phrases that are nodes of the case map by their own tags, in reading order.
    pub nodes: Vec<Span<Norm>>,
    /// Positive diseases in MedTxt's sense, in reading order.
    pub positives: Vec<Span<Norm>>,
}

impl Reading {
    /// Joins the characters' starts (bytes, ascending) and what is said of each.
    ///
    /// # Panics
    /// When there are not as many starts as rows.
    pub fn new(starts: Vec<usize>, values: Vec<[f32; Aspect::ALL.len()]>) -> Self {
        assert_eq!(starts.len(), values.len(), "one row a character");
        Reading {
            starts,
            values,
            nodes: Vec::new(),
            positives: Vec::new(),
        }
    }

    /// The mean probability of an aspect over a span's characters; 0 for an empty span. O(span).
    pub fn mean(&self, span: Span<Norm>, aspect: Aspect) -> f32 {
        let from = self.starts.partition_point(|&start| start < span.start);
        let to = self.starts.partition_point(|&start| start < span.end);
        if from >= to {
            return 0.0;
        }
        let sum: f32 = self.values[from..to].iter().map(|row| row[aspect as usize]).sum();
        sum / (to - from) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_the_characters_of_a_span() {
        let row = |node: f32| {
            let mut row = [0.0; Aspect::ALL.len()];
            row[Aspect::Node as usize] = node;
            row
        };
        let reading = Reading::new(vec![0, 3, 6], vec![row(1.0), row(0.5), row(0.0)]);
        assert_eq!(reading.mean(Span::new(0, 6), Aspect::Node), 0.75);
        assert_eq!(reading.mean(Span::new(6, 9), Aspect::Node), 0.0);
        assert_eq!(reading.mean(Span::new(3, 3), Aspect::Node), 0.0);
        assert_eq!(reading.mean(Span::new(0, 6), Aspect::Primary), 0.0);
    }
}
