//! Where everything stands in a pack: a header, tables of little-endian u32 words, and one text.
//!
//! ```text
//! magic (8 bytes) · format version · checksum of all that follows · counts (7 words) · name · 0 · 0
//! concepts   13 words each   string ids of its fields, its synonyms in `lists`, its kind
//! surfaces    2 words each   string id as written, its first meaning; and one more that ends the last
//! meanings    1 word each    index of a concept, best first
//! lists       1 word each    string ids of synonyms
//! firsts      2 words each   first character of keys, its first surface; and one more that ends the last
//! offsets     1 word each    where each string begins in the text; and one more that ends the last
//! text                       all strings, one after the other
//! ```
//!
//! The first strings are the keys: the surfaces with ASCII letters in lower case, ascending by
//! their bytes, so that surface `i` has key `i`. A reader needs no parsing: every table lies at a
//! place that the counts tell.

/// What a pack begins with.
pub const MAGIC: [u8; 8] = *b"shoreipk";
/// Version of this layout; a reader refuses any other.
pub const VERSION: u32 = 1;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 56;
/// The checksum covers all from here on.
pub const CHECKED_FROM: usize = 16;
/// Words of a concept.
pub const CONCEPT_WORDS: usize = 13;
/// Above every character: the key of the entry that ends `firsts`.
pub const AFTER_LAST_CHAR: u32 = 0x11_0000;

/// A concept's words.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    Label,
    Reading,
    English,
    Icd10,
    Hpo,
    Atc,
    Loinc,
    /// Codes of other systems: `MEDIS BPQ8; HOT9 123456789`.
    Codes,
    Parent,
    Source,
    /// Not a string id: the first entry in `lists`.
    SynonymsStart,
    /// Not a string id: how many.
    SynonymsLen,
    /// Not a string id: index of the kind, and its certainty × 256.
    Kind,
}

/// How many of each a pack has, in the order of the header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub concepts: u32,
    pub surfaces: u32,
    pub meanings: u32,
    pub lists: u32,
    pub firsts: u32,
    pub strings: u32,
    pub text_bytes: u32,
}

impl Counts {
    pub fn words(self) -> [u32; 7] {
        [
            self.concepts,
            self.surfaces,
            self.meanings,
            self.lists,
            self.firsts,
            self.strings,
            self.text_bytes,
        ]
    }

    pub fn from_words(words: [u32; 7]) -> Self {
        let [concepts, surfaces, meanings, lists, firsts, strings, text_bytes] = words;
        Counts {
            concepts,
            surfaces,
            meanings,
            lists,
            firsts,
            strings,
            text_bytes,
        }
    }
}

/// Where each table begins, in bytes of the file.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    pub concepts: usize,
    pub surfaces: usize,
    pub meanings: usize,
    pub lists: usize,
    pub firsts: usize,
    pub offsets: usize,
    pub text: usize,
    /// The file's length.
    pub end: usize,
}

impl Places {
    /// `None` where the counts ask for more than an address can hold.
    pub fn new(counts: Counts) -> Option<Self> {
        let words = |count: u32, each: usize, extra: usize| (count as usize).checked_add(extra)?.checked_mul(4 * each);
        let concepts = HEADER_BYTES;
        let surfaces = concepts.checked_add(words(counts.concepts, CONCEPT_WORDS, 0)?)?;
        let meanings = surfaces.checked_add(words(counts.surfaces, 2, 1)?)?;
        let lists = meanings.checked_add(words(counts.meanings, 1, 0)?)?;
        let firsts = lists.checked_add(words(counts.lists, 1, 0)?)?;
        let offsets = firsts.checked_add(words(counts.firsts, 2, 1)?)?;
        let text = offsets.checked_add(words(counts.strings, 1, 1)?)?;
        let end = text.checked_add(counts.text_bytes as usize)?;
        Some(Places {
            concepts,
            surfaces,
            meanings,
            lists,
            firsts,
            offsets,
            text,
            end,
        })
    }
}
