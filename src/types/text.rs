//! A report after normalisation, with the map back.

use super::{Norm, Raw, Span};

/// The normalised text of a report and, for each of its bytes, where it came from.
///
/// Made by [`crate::normalize::normalize`]; holds both texts so that every later stage can slice
/// either.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NormalizedText {
    raw: String,
    norm: String,
    /// For each byte of `norm`: the raw byte range that its character came from.
    origin: Vec<(u32, u32)>,
}

impl NormalizedText {
    /// Joins a report, its normalised form and the origin of each normalised byte, as raw byte
    /// ranges that start and end on character boundaries.
    ///
    /// # Panics
    /// When `origin` does not hold one entry per byte of `norm`.
    pub fn new(raw: String, norm: String, origin: Vec<(u32, u32)>) -> Self {
        assert_eq!(norm.len(), origin.len(), "one origin per normalised byte");
        NormalizedText { raw, norm, origin }
    }

    /// The text with other words in the place of some: `words` are normalised byte ranges in reading
    /// order, without overlaps, on character boundaries, each with what stands there instead. A new
    /// word of as many characters maps back character by character, another one as a whole. O(n).
    pub fn replaced(self, words: &[(std::ops::Range<usize>, &str)]) -> Self {
        if words.is_empty() {
            return self;
        }
        let mut norm = String::with_capacity(self.norm.len());
        let mut origin = Vec::with_capacity(self.origin.len());
        let mut from = 0;
        for (range, new) in words {
            norm.push_str(&self.norm[from..range.start]);
            origin.extend_from_slice(&self.origin[from..range.start]);
            from = range.end;
            norm.push_str(new);
            let old = &self.norm[range.clone()];
            let whole = (self.origin[range.start].0, self.origin[range.end - 1].1);
            let one_by_one = old.chars().count() == new.chars().count();
            let mut at = range.start;
            for (was, is) in old.chars().map(Some).chain(std::iter::repeat(None)).zip(new.chars()) {
                let place = if one_by_one { self.origin[at] } else { whole };
                origin.extend(std::iter::repeat_n(place, is.len_utf8()));
                at += was.map_or(0, char::len_utf8);
            }
        }
        norm.push_str(&self.norm[from..]);
        origin.extend_from_slice(&self.origin[from..]);
        NormalizedText::new(self.raw, norm, origin)
    }

    /// The report as it was given.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The normalised text.
    pub fn norm(&self) -> &str {
        &self.norm
    }

    /// The part of the report that a normalised span came from: from the first byte of its first
    /// character's origin to the last byte of its last one's. O(1).
    pub fn to_raw(&self, span: Span<Norm>) -> Span<Raw> {
        if span.is_empty() || span.end > self.origin.len() {
            let at = self
                .origin
                .get(span.start)
                .map_or(self.raw.len(), |origin| origin.0 as usize);
            return Span::new(at, at);
        }
        let start = self.origin[span.start].0 as usize;
        let end = self.origin[span.end - 1].1 as usize;
        Span::new(start, end)
    }
}
