//! Sentences.

use super::{Norm, Span};

/// A sentence, within one section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// Where it stands, without surrounding white space; its final 。 is within.
    pub span: Span<Norm>,
    /// Index of its section.
    pub section: usize,
}
