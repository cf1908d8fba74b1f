//! Dictionaries that users bring → neutral terms, a file a format.
//!
//! Every reader gives [`ImportedTerm`]s; [`crate::lexicon::pack::build`] makes a pack of them. A
//! broken row is named with its file and line, counted and left out.

mod babelon;
mod file;
mod generic;
mod manbyo;
mod mecab;
mod medis;

use std::path::Path;

use crate::error::Error;
use crate::lexicon::pack::KindCertainty;
use crate::types::ConceptKind;
use file::{File, Row};

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// MANBYO (万病辞書), as its project publishes it, and the two-column forms of MedNER-J and
    /// MedNERN.
    Manbyo,
    /// HPO translations as Babelon TSV; the OFFICIAL ones are taken.
    Babelon,
    /// MEDIS 標準病名マスター: nmain, index and mdfy, joined on the exchange code.
    Medis,
    /// ComeJisyo, J-GLOBAL MeSH and other dictionaries as MeCab CSV with IPADIC's columns.
    Mecab,
    /// CSV or TSV with named columns.
    Generic,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 5] = [
        Format::Manbyo,
        Format::Babelon,
        Format::Medis,
        Format::Mecab,
        Format::Generic,
    ];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Manbyo => "manbyo",
            Format::Babelon => "babelon",
            Format::Medis => "medis",
            Format::Mecab => "mecab",
            Format::Generic => "generic",
        }
    }
}

/// A row of any dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTerm {
    /// The form that reports use.
    pub surface: String,
    /// The preferred label of what it means.
    pub label: String,
    /// How it is read, in kana; empty where the dictionary does not say.
    pub reading: String,
    /// English name, or empty.
    pub english: String,
    /// What it is.
    pub kind: ConceptKind,
    /// How sure that is.
    pub certainty: KindCertainty,
    /// ICD-10 code with its dot, or empty.
    pub icd10: String,
    /// HPO id, or empty.
    pub hpo: String,
    /// ATC code, or empty.
    pub atc: String,
    /// LOINC code, or empty.
    pub loinc: String,
    /// Codes of other systems: (`MEDIS`, `BPQ8`).
    pub codes: Vec<(String, String)>,
    /// Label of the more general concept, or empty.
    pub parent: String,
    /// Other forms.
    pub synonyms: Vec<String>,
    /// The file that the row stands in.
    pub source: String,
}

impl ImportedTerm {
    /// A disease, so assumed, without codes.
    pub fn new(surface: &str, label: &str) -> Self {
        ImportedTerm {
            surface: surface.to_owned(),
            label: label.to_owned(),
            reading: String::new(),
            english: String::new(),
            kind: ConceptKind::Disease,
            certainty: KindCertainty::Assumed,
            icd10: String::new(),
            hpo: String::new(),
            atc: String::new(),
            loinc: String::new(),
            codes: Vec::new(),
            parent: String::new(),
            synonyms: Vec::new(),
            source: String::new(),
        }
    }
}

/// How dictionaries are read.
#[derive(Clone, Copy)]
pub struct Options<'o> {
    /// What reports are normalised by ([`crate::normalize::normalize`]), so that a term is written
    /// as the reports are.
    pub normalize: &'o dyn Fn(&str) -> String,
    /// What the terms are; `None` for what the format says, else diseases.
    pub kind: Option<ConceptKind>,
    /// The first broken row is an error.
    pub strict: bool,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFile {
    /// Its path as it was given.
    pub path: String,
    /// Its encoding: `UTF-8`, `Shift_JIS`.
    pub encoding: &'static str,
    /// Rows that became terms.
    pub taken: usize,
    /// Rows that are no terms by their format's own account: translations that are not official,
    /// verbs, modifiers.
    pub left_out: usize,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Import {
    /// The terms, in the order of the files.
    pub terms: Vec<ImportedTerm>,
    /// Broken rows, which were left out.
    pub faults: Vec<Error>,
    /// The files.
    pub files: Vec<ImportedFile>,
}

/// Reads dictionaries of one format. O(size of the files).
///
/// ```no_run
/// use shorei::lexicon::import::{Format, Options, read};
/// let normalize = |text: &str| shorei::normalize::normalize(text).norm().to_owned();
/// let options = Options { normalize: &normalize, kind: None, strict: false };
/// let import = read(Format::Manbyo, &["MANBYO_20210602.csv"], &options)?;
/// println!("{} terms, {} broken rows", import.terms.len(), import.faults.len());
/// # Ok::<(), shorei::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read, [`Error::Dictionary`] for one that is not of this
/// format; with [`Options::strict`] also for the first broken row.
pub fn read(format: Format, paths: &[impl AsRef<Path>], options: &Options<'_>) -> Result<Import, Error> {
    let files = paths
        .iter()
        .map(|path| File::open(path.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut reader = Reader {
        options: *options,
        import: Import::default(),
    };
    match format {
        Format::Manbyo => manbyo::read(&files, &mut reader),
        Format::Babelon => babelon::read(&files, &mut reader),
        Format::Medis => medis::read(&files, &mut reader),
        Format::Mecab => mecab::read(&files, &mut reader),
        Format::Generic => generic::read(&files, &mut reader),
    }?;
    Ok(reader.import)
}

/// What a row of a dictionary is, to its reader.
enum Outcome {
    Term(Box<ImportedTerm>),
    /// By the format's own account no term.
    LeftOut,
}

/// Why a row is broken: the value at fault, and what is wrong.
struct Broken {
    value: String,
    reason: String,
}

impl Broken {
    fn new(value: &str, reason: impl Into<String>) -> Self {
        Broken {
            value: value.to_owned(),
            reason: reason.into(),
        }
    }
}

/// Collects what the formats read.
struct Reader<'o> {
    options: Options<'o>,
    import: Import,
}

impl Reader<'_> {
    /// Reads every row of a file but the first `skip`.
    fn rows(
        &mut self,
        file: &File,
        delimiter: char,
        skip: usize,
        mut read: impl FnMut(&Row<'_>, &Self) -> Result<Outcome, Broken>,
    ) -> Result<(), Error> {
        let (mut taken, mut left_out) = (0, 0);
        for (line, row) in file.rows(delimiter).skip(skip) {
            let outcome = row.and_then(|row| match read(&row, self)? {
                Outcome::Term(term) => self.finish(*term, file).map(Some),
                Outcome::LeftOut => Ok(None),
            });
            match outcome {
                Ok(Some(term)) => {
                    taken += 1;
                    self.import.terms.push(term);
                }
                Ok(None) => left_out += 1,
                Err(broken) => self.fault(file, line, broken)?,
            }
        }
        self.import.files.push(ImportedFile {
            path: file.path.clone(),
            encoding: file.encoding,
            taken,
            left_out,
        });
        Ok(())
    }

    /// Notes a broken row, or stops at it.
    fn fault(&mut self, file: &File, line: usize, broken: Broken) -> Result<(), Error> {
        let error = file.error(line, broken);
        if self.options.strict {
            return Err(error);
        }
        self.import.faults.push(error);
        Ok(())
    }

    /// The kind that the user names, else the format's.
    fn kind(&self, kind: ConceptKind, certainty: KindCertainty) -> (ConceptKind, KindCertainty) {
        match self.options.kind {
            Some(kind) => (kind, KindCertainty::Stated),
            None => (kind, certainty),
        }
    }

    /// Writes a term as reports are written, and refuses what would be found everywhere.
    fn finish(&self, term: ImportedTerm, file: &File) -> Result<ImportedTerm, Broken> {
        let clean = |text: &str| (self.options.normalize)(text).trim().to_owned();
        let surface = clean(&term.surface);
        let label = Some(clean(&term.label)).filter(|label| !label.is_empty());
        let label = label.unwrap_or_else(|| surface.clone());
        if surface.is_empty() {
            return Err(Broken::new(&term.surface, "the term is empty; give it a name"));
        }
        if surface.chars().count() > MAX_CHARS {
            let start: String = surface.chars().take(20).collect();
            return Err(Broken::new(
                &start,
                format!("the term is longer than {MAX_CHARS} characters; shorten it"),
            ));
        }
        let is_word =
            |form: &str| form.chars().any(char::is_alphabetic) && !(form.is_ascii() && form.chars().count() == 1);
        if !is_word(&surface) {
            return Err(Broken::new(
                &surface,
                "a number, a sign or one Latin letter is no term; it would be found everywhere",
            ));
        }
        let mut synonyms: Vec<String> = term.synonyms.iter().map(|form| clean(form)).collect();
        let name = if term.kind.is_condition() {
            plain(&label)
        } else {
            label.clone()
        };
        if name != label {
            synonyms.push(label);
        }
        synonyms.retain(|form| is_word(form) && form.chars().count() <= MAX_CHARS);
        Ok(ImportedTerm {
            surface,
            label: name,
            reading: clean(&term.reading),
            parent: clean(&term.parent),
            synonyms,
            source: file.name().to_owned(),
            ..term
        })
    }
}

/// No term is longer, in characters; such a row is a sentence or a broken one.
const MAX_CHARS: usize = 120;

/// A condition's label without what the notation of case maps gives a meaning: 関節痛/関節炎 would
/// be read as a test and its result.
fn plain(label: &str) -> String {
    let label: String = label
        .chars()
        .map(|c| if matches!(c, '/' | '=' | '@') { '・' } else { c })
        .collect();
    match label.strip_prefix("H:") {
        Some(rest) => format!("H・{rest}"),
        None => label,
    }
}

/// An ICD-10 code with its dot: `I219`, `I21.9†` → `I21.9`. A range keeps its end (C00-C14).
fn icd10(code: &str) -> Result<String, Broken> {
    let plain: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '†' | '*' | '+' | '.'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let (start, end) = plain.split_once('-').unwrap_or((&plain, ""));
    let bytes = start.as_bytes();
    let is_code = (3..=6).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && end.len() <= 6;
    if !is_code {
        return Err(Broken::new(
            code,
            "no ICD-10 code, which is like I21.9; correct it or leave it empty",
        ));
    }
    let mut dotted = start[..3].to_owned();
    if start.len() > 3 {
        dotted.push('.');
        dotted.push_str(&start[3..]);
    }
    if plain.contains('-') && !end.is_empty() {
        dotted.push('-');
        dotted.push_str(end);
    }
    Ok(dotted)
}

/// An HPO id.
fn hpo(id: &str) -> Result<String, Broken> {
    let digits = id.strip_prefix("HP:").unwrap_or_default();
    if digits.len() == 7 && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(id.to_owned())
    } else {
        Err(Broken::new(
            id,
            "no HPO id, which is like HP:0001945; correct it or leave it empty",
        ))
    }
}

/// What a term of a dictionary of diseases is: chapter R of ICD-10 holds symptoms and signs.
fn kind_of_icd10(icd10: &str) -> ConceptKind {
    if icd10.starts_with('R') {
        ConceptKind::Symptom
    } else {
        ConceptKind::Disease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icd10_codes_get_their_dot() {
        for (code, dotted) in [
            ("I219", "I21.9"),
            ("I21.9", "I21.9"),
            ("g63.0†", "G63.0"),
            ("R05", "R05"),
            ("C00-C14", "C00-C14"),
            ("M0690", "M06.90"),
        ] {
            assert_eq!(icd10(code).ok().as_deref(), Some(dotted), "{code}");
        }
        for code in ["", "心", "21.9", "I2", "I21.9.9.9.9", "-1", "心筋梗塞"] {
            assert!(icd10(code).is_err(), "{code}");
        }
    }

    #[test]
    fn labels_keep_clear_of_the_notation() {
        assert_eq!(plain("関節痛/関節炎"), "関節痛・関節炎");
        assert_eq!(plain("H:歴"), "H・歴");
    }
}
