//! Packs: dictionaries of one's own in one flat, checksummed file that needs no parsing.
//!
//! `shorei dictionary build` and [`build`] write them, [`Pack::load`] reads them, and
//! [`crate::lexicon::Lexicon::layered`] lays them over the built-in dictionaries.

mod build;
mod layout;
mod scan;

pub use build::{Built, build};

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::types::{Concept, ConceptKind};
use layout::{CHECKED_FROM, CONCEPT_WORDS, Counts, Field, HEADER_BYTES, MAGIC, Places, VERSION};

/// How sure it is what a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KindCertainty {
    /// Assumed, as the format does not say: it settles nothing that another dictionary knows.
    Assumed,
    /// The format tells a condition from a drug, but not a disease from a symptom.
    Family,
    /// The row, or the user, says exactly this kind.
    Stated,
}

/// The kinds and their names, in the order that packs number them. Append only.
pub const KINDS: [(ConceptKind, &str); 12] = [
    (ConceptKind::Disease, "disease"),
    (ConceptKind::Pathology, "pathology"),
    (ConceptKind::Symptom, "symptom"),
    (ConceptKind::Sign, "sign"),
    (ConceptKind::ExamFinding, "exam_finding"),
    (ConceptKind::LabState, "lab_state"),
    (ConceptKind::Test, "test"),
    (ConceptKind::Exam, "exam"),
    (ConceptKind::Drug, "drug"),
    (ConceptKind::Site, "site"),
    (ConceptKind::Organism, "organism"),
    (ConceptKind::Treatment, "treatment"),
];

/// A dictionary pack, read only.
///
/// ```
/// use shorei::lexicon::import::ImportedTerm;
/// use shorei::lexicon::pack::{Pack, build};
/// let built = build("院内", [ImportedTerm::new("たこつぼ型心筋症", "たこつぼ症候群")])?;
/// let pack = Pack::from_bytes("院内.pack".as_ref(), built.bytes)?;
/// assert_eq!((pack.name(), pack.concepts_len(), pack.surfaces_len()), ("院内", 1, 2));
/// assert!(pack.find("たこつぼ症候群").is_some());
/// # Ok::<(), shorei::Error>(())
/// ```
#[derive(Clone)]
pub struct Pack {
    path: PathBuf,
    counts: Counts,
    places: Places,
    name: u32,
    /// The file up to its text.
    tables: Vec<u8>,
    text: String,
}

impl Pack {
    /// Reads a pack and checks its checksum and every reference in it. O(file), about 20 ms for
    /// 200,000 terms.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read; [`Error::Pack`] where it is no pack, of another
    /// version, cut short or damaged.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|error| Error::Io {
            path: path.to_owned(),
            reason: format!("{error}; name a file that `shorei dictionary build` wrote"),
        })?;
        Self::from_bytes(path, bytes)
    }

    /// A pack from its bytes; `path` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Pack`], as [`Pack::load`].
    pub fn from_bytes(path: &Path, mut bytes: Vec<u8>) -> Result<Self, Error> {
        let fault = |reason: &str| Error::Pack {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(fault(
                "not a dictionary pack; make one of a dictionary with `shorei dictionary build`",
            ));
        }
        let short = || fault("cut short; copy it again, or build it again with `shorei dictionary build`");
        if bytes.len() < HEADER_BYTES {
            return Err(short());
        }
        let version = word(&bytes, 8);
        if version != VERSION {
            return Err(fault(&format!(
                "pack version {version}, this program reads {VERSION}; build it again with `shorei dictionary build`"
            )));
        }
        let counts = Counts::from_words(std::array::from_fn(|index| word(&bytes, 16 + 4 * index)));
        let Some(places) = Places::new(counts).filter(|places| places.end <= bytes.len()) else {
            return Err(short());
        };
        let damaged = |what: &str| {
            fault(&format!(
                "damaged ({what}); build it again with `shorei dictionary build`"
            ))
        };
        if places.end != bytes.len() {
            return Err(damaged("it goes on after its end"));
        }
        if crc32fast::hash(&bytes[CHECKED_FROM..]) != word(&bytes, 12) {
            return Err(damaged("its checksum does not agree"));
        }
        let text = String::from_utf8(bytes.split_off(places.text)).map_err(|_| damaged("its text is not UTF-8"))?;
        let pack = Pack {
            path: path.to_owned(),
            counts,
            places,
            name: word(&bytes, 44),
            tables: bytes,
            text,
        };
        match pack.fault() {
            Some(what) => Err(damaged(what)),
            None => Ok(pack),
        }
    }

    /// What is out of place, so that nothing that reads the pack later has to doubt it.
    fn fault(&self) -> Option<&'static str> {
        let Counts {
            concepts,
            surfaces,
            meanings,
            lists,
            firsts,
            strings,
            text_bytes,
        } = self.counts;
        let words = |from: usize, to: usize| {
            self.tables[from..to]
                .chunks_exact(4)
                .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let mut last = 0;
        for offset in words(self.places.offsets, self.places.text) {
            if offset < last || !self.text.is_char_boundary(offset as usize) {
                return Some("a string lies outside of its text");
            }
            last = offset;
        }
        if last != text_bytes || surfaces > strings || self.name >= strings {
            return Some("strings are missing");
        }
        for concept in 0..concepts {
            let field = |field: Field| self.field_word(concept, field);
            let is_list =
                u64::from(field(Field::SynonymsStart)) + u64::from(field(Field::SynonymsLen)) <= u64::from(lists);
            let kind = field(Field::Kind);
            if STRINGS.iter().any(|&name| field(name) >= strings)
                || !is_list
                || (kind & 0xff) as usize >= KINDS.len()
                || kind >> 8 > 2
            {
                return Some("a concept refers to what is not there");
            }
        }
        if words(self.places.lists, self.places.firsts).any(|string| string >= strings)
            || words(self.places.meanings, self.places.lists).any(|concept| concept >= concepts)
        {
            return Some("a list refers to what is not there");
        }
        let mut start = 0;
        for surface in 0..=surfaces {
            let next = self.surface_word(surface, 1);
            let is_last = surface == surfaces;
            if next < start && surface > 0 || next > meanings || !is_last && self.surface_word(surface, 0) >= strings {
                return Some("a surface refers to what is not there");
            }
            start = next;
        }
        if (1..surfaces).any(|surface| self.key(surface - 1) >= self.key(surface)) {
            return Some("its surfaces are out of order");
        }
        let mut before = (None, 0);
        for first in 0..=firsts {
            let (c, surface) = self.first(first);
            let is_sorted = before.0.is_none_or(|before| before < c) && before.1 <= surface && surface <= surfaces;
            // The keys from the last entry up to this one begin with the last one's character; as
            // they are sorted, the outer two speak for the rest.
            let begins = |surface: u32, c: u32| self.key(surface).chars().next().map(u32::from) == Some(c);
            let is_run = before
                .0
                .is_none_or(|c| before.1 < surface && begins(before.1, c) && begins(surface - 1, c));
            if !is_sorted || !is_run {
                return Some("its index is out of order");
            }
            before = (Some(c), surface);
        }
        None
    }

    /// The name that it was built under.
    pub fn name(&self) -> &str {
        self.string(self.name)
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the format.
    pub fn version(&self) -> u32 {
        VERSION
    }

    /// The checksum of what it holds (CRC-32).
    pub fn checksum(&self) -> u32 {
        word(&self.tables, 12)
    }

    /// Number of concepts.
    pub fn concepts_len(&self) -> u32 {
        self.counts.concepts
    }

    /// Number of surface forms.
    pub fn surfaces_len(&self) -> u32 {
        self.counts.surfaces
    }

    /// Bytes in memory, about those of the file.
    pub fn bytes(&self) -> usize {
        self.tables.len() + self.text.len()
    }

    /// The surface with this key: the form with ASCII letters in lower case. O(log surfaces).
    pub fn find(&self, key: &str) -> Option<u32> {
        let (mut low, mut high) = self.range_of_first(key.chars().next()?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle).cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// A surface's key; empty for a surface that the pack does not have.
    pub fn key(&self, surface: u32) -> &str {
        if surface < self.counts.surfaces {
            self.string(surface)
        } else {
            ""
        }
    }

    /// A surface as the dictionary writes it.
    pub fn written(&self, surface: u32) -> &str {
        if surface < self.counts.surfaces {
            self.string(self.surface_word(surface, 0))
        } else {
            ""
        }
    }

    /// What a surface can mean, best first, as indices of concepts.
    pub fn meanings(&self, surface: u32) -> impl Iterator<Item = u32> {
        let range = if surface < self.counts.surfaces {
            self.surface_word(surface, 1)..self.surface_word(surface + 1, 1)
        } else {
            0..0
        };
        range.map(|at| word(&self.tables, self.places.meanings + 4 * at as usize))
    }

    /// A concept's preferred label.
    pub fn label(&self, concept: u32) -> &str {
        self.field(concept, Field::Label)
    }

    /// How it is read, in kana; empty where the dictionary does not say.
    pub fn reading(&self, concept: u32) -> &str {
        self.field(concept, Field::Reading)
    }

    /// Codes of other systems than a concept has fields for: `MEDIS BPQ8; ICD-10 I21.0`.
    pub fn codes(&self, concept: u32) -> &str {
        self.field(concept, Field::Codes)
    }

    /// The file of the dictionary that a concept stood in first.
    pub fn source(&self, concept: u32) -> &str {
        self.field(concept, Field::Source)
    }

    /// Label of the more general concept; empty for none.
    pub fn parent(&self, concept: u32) -> &str {
        self.field(concept, Field::Parent)
    }

    /// What a concept is, and how sure that is.
    pub fn kind(&self, concept: u32) -> (ConceptKind, KindCertainty) {
        let word = self.field_word(concept, Field::Kind);
        let kind = KINDS.get((word & 0xff) as usize).map(|&(kind, _)| kind);
        let certainty = match word >> 8 {
            2 => KindCertainty::Stated,
            1 => KindCertainty::Family,
            _ => KindCertainty::Assumed,
        };
        (kind.unwrap_or(ConceptKind::Disease), certainty)
    }

    /// ICD-10, HPO, ATC and LOINC codes, empty for none; without making the whole concept.
    pub(super) fn main_codes(&self, concept: u32) -> [&str; 4] {
        [Field::Icd10, Field::Hpo, Field::Atc, Field::Loinc].map(|field| self.field(concept, field))
    }

    /// The whole entry. Its id is the pack's name, its kind and its label, which stay when the pack
    /// is built again: `manbyo:disease:急性心筋梗塞`.
    pub fn concept(&self, concept: u32) -> Concept {
        let text = |field: Field| self.field(concept, field).to_owned();
        let list = self.field_word(concept, Field::SynonymsStart) as usize;
        let len = self.field_word(concept, Field::SynonymsLen) as usize;
        let synonym = |at: usize| self.string(word(&self.tables, self.places.lists + 4 * at)).to_owned();
        let (kind, _) = self.kind(concept);
        Concept {
            id: self.id(concept),
            kind,
            label: text(Field::Label),
            reading: text(Field::Reading),
            english: text(Field::English),
            synonyms: (list..list + len).map(synonym).collect(),
            abbreviations: Vec::new(),
            icd10: text(Field::Icd10),
            hpo: text(Field::Hpo),
            atc: text(Field::Atc),
            loinc: text(Field::Loinc),
            parent: text(Field::Parent),
            class: String::new(),
            domain: self.name().to_owned(),
        }
    }

    fn id(&self, concept: u32) -> String {
        let kind = (self.field_word(concept, Field::Kind) & 0xff) as usize;
        let kind = KINDS.get(kind).map_or("", |&(_, name)| name);
        format!("{}:{kind}:{}", self.name(), self.label(concept))
    }

    /// The concept with an id that this pack gave. O(log surfaces).
    pub(super) fn by_id(&self, id: &str) -> Option<u32> {
        let label = id.strip_prefix(self.name())?.strip_prefix(':')?.split_once(':')?.1;
        let surface = self.find(&label.to_ascii_lowercase())?;
        self.meanings(surface).find(|&concept| self.id(concept) == id)
    }

    fn field(&self, concept: u32, field: Field) -> &str {
        if concept < self.counts.concepts {
            self.string(self.field_word(concept, field))
        } else {
            ""
        }
    }

    fn field_word(&self, concept: u32, field: Field) -> u32 {
        let at = concept as usize * CONCEPT_WORDS + field as usize;
        word(&self.tables, self.places.concepts + 4 * at)
    }

    fn surface_word(&self, surface: u32, column: usize) -> u32 {
        word(&self.tables, self.places.surfaces + 4 * (2 * surface as usize + column))
    }

    fn first(&self, first: u32) -> (u32, u32) {
        let at = self.places.firsts + 8 * first as usize;
        (word(&self.tables, at), word(&self.tables, at + 4))
    }

    /// The surfaces whose keys begin with a character.
    fn range_of_first(&self, c: char) -> (u32, u32) {
        let c = u32::from(c);
        let (mut low, mut high) = (0, self.counts.firsts);
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, start) = self.first(middle);
            match found.cmp(&c) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return (start, self.first(middle + 1).1),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        (0, 0)
    }

    fn string(&self, string: u32) -> &str {
        let at = self.places.offsets + 4 * string as usize;
        let (start, end) = (word(&self.tables, at), word(&self.tables, at + 4));
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// The fields that are strings.
const STRINGS: [Field; 10] = [
    Field::Label,
    Field::Reading,
    Field::English,
    Field::Icd10,
    Field::Hpo,
    Field::Atc,
    Field::Loinc,
    Field::Codes,
    Field::Parent,
    Field::Source,
];

/// The word at a byte; 0 outside of the file, which the check at loading excludes.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}
