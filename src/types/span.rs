//! Spans: half-open byte ranges, typed by the text that they index.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// Marks a span of the original report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Raw {}

/// Marks a span of the normalised text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Norm {}

/// A half-open range of bytes, `start..end`, of the text that `S` names.
///
/// `Span<Raw>` and `Span<Norm>` are different types, so that an offset into the normalised text
/// cannot be used to slice the report.
///
/// ```
/// use shorei::types::{Norm, Span};
/// let span: Span<Norm> = Span::new(0, 6);
/// assert_eq!(span.slice("発熱あり"), "発熱");
/// ```
pub struct Span<S> {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    text: PhantomData<fn() -> S>,
}

impl<S> Span<S> {
    /// A span from `start` to `end` bytes. An `end` before `start` is read as an empty span.
    pub const fn new(start: usize, end: usize) -> Self {
        let end = if end < start { start } else { end };
        Span {
            start,
            end,
            text: PhantomData,
        }
    }

    /// Length in bytes.
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// True when the span holds no byte.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// As a standard range of bytes.
    pub const fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The part of `text` that the span covers; the empty string where the span is not on
    /// character boundaries of `text` or lies outside it.
    pub fn slice<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range()).unwrap_or("")
    }

    /// True when the two spans share a byte.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// True when `other` lies within this span.
    pub const fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that covers both.
    pub fn cover(&self, other: &Self) -> Self {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }
}

// Written by hand: a derive would ask that the marker itself implements each trait.
impl<S> Clone for Span<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Span<S> {}
impl<S> PartialEq for Span<S> {
    fn eq(&self, other: &Self) -> bool {
        self.range() == other.range()
    }
}
impl<S> Eq for Span<S> {}
impl<S> std::hash::Hash for Span<S> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.range().hash(state);
    }
}
impl<S> PartialOrd for Span<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<S> Ord for Span<S> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.start, self.end).cmp(&(other.start, other.end))
    }
}
impl<S> fmt::Debug for Span<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
