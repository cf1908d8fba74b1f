//! CSV or TSV with named columns: `surface` or `label`, and any of the others.

use super::file::{File, Row};
use super::{Broken, ImportedTerm, Outcome, Reader, hpo, icd10, kind_of_icd10};
use crate::error::Error;
use crate::lexicon::pack::{KINDS, KindCertainty};
use crate::types::ConceptKind;

/// Columns with a field of their own. `synonyms` and `abbreviations` hold several values, parted
/// by `|`.
const FIELDS: [&str; 12] = [
    "surface",
    "label",
    "reading",
    "english",
    "kind",
    "icd10",
    "hpo",
    "atc",
    "loinc",
    "parent",
    "synonyms",
    "abbreviations",
];

/// Columns that are codes of other systems.
const CODES: [(&str, &str); 10] = [
    ("medis", "MEDIS"),
    ("hot", "HOT"),
    ("hot9", "HOT9"),
    ("yj", "YJ"),
    ("jlac10", "JLAC10"),
    ("mesh", "MeSH"),
    ("umls", "UMLS"),
    ("mondo", "MONDO"),
    ("orpha", "ORPHA"),
    ("snomed", "SNOMED-CT"),
];

pub(super) fn read(files: &[File], reader: &mut Reader<'_>) -> Result<(), Error> {
    for file in files {
        let delimiter = file.delimiter();
        let header = file.header(delimiter);
        let names: Vec<String> = header.iter().flat_map(Row::cells).map(str::to_lowercase).collect();
        let has = |name: &str| names.iter().any(|column| column == name);
        if !has("surface") && !has("label") {
            return Err(file.error(
                1,
                Broken::new(
                    &names.join(" "),
                    format!("the header names neither surface nor label; columns are {}", columns()),
                ),
            ));
        }
        let unknown = |name: &&String| !FIELDS.contains(&name.as_str()) && !CODES.iter().any(|(code, _)| code == name);
        for name in names.iter().filter(unknown) {
            let reason = format!("a column that is not known is not read; columns are {}", columns());
            reader.fault(file, 1, Broken::new(name, reason))?;
        }
        reader.rows(file, delimiter, 1, |row, reader| {
            if row.len() != names.len() {
                return Err(Broken::new(
                    row.get(0),
                    format!("{} cells where the header has {}", row.len(), names.len()),
                ));
            }
            let get = |name: &str| {
                names
                    .iter()
                    .position(|column| column == name)
                    .map_or("", |at| row.get(at))
            };
            term(&get, reader).map(|term| Outcome::Term(Box::new(term)))
        })?;
    }
    Ok(())
}

fn term<'r>(get: &dyn Fn(&str) -> &'r str, reader: &Reader<'_>) -> Result<ImportedTerm, Broken> {
    let (surface, label) = (get("surface"), get("label"));
    let mut term = ImportedTerm::new(if surface.is_empty() { label } else { surface }, label);
    let list = |name: &str| get(name).split('|').map(str::trim).filter(|form| !form.is_empty());
    term.synonyms = list("synonyms")
        .chain(list("abbreviations"))
        .map(str::to_owned)
        .collect();
    let text = |name: &str| get(name).to_owned();
    term.reading = text("reading");
    term.english = text("english");
    term.parent = text("parent");
    term.atc = text("atc");
    term.loinc = text("loinc");
    let code = |name: &str, read: fn(&str) -> Result<String, Broken>| match get(name) {
        "" => Ok(String::new()),
        code => read(code),
    };
    term.icd10 = code("icd10", icd10)?;
    term.hpo = code("hpo", hpo)?;
    for (column, system) in CODES {
        if !get(column).is_empty() {
            term.codes.push((system.to_owned(), get(column).to_owned()));
        }
    }
    (term.kind, term.certainty) = match (get("kind"), reader.options.kind) {
        ("", Some(kind)) => (kind, KindCertainty::Stated),
        ("", None) if !term.icd10.is_empty() => (kind_of_icd10(&term.icd10), KindCertainty::Family),
        ("", None) if !term.hpo.is_empty() => (ConceptKind::Sign, KindCertainty::Family),
        ("", None) => (ConceptKind::Disease, KindCertainty::Assumed),
        // A row knows better than the command line, which speaks for the rows that do not say.
        (name, _) => (kind(name)?, KindCertainty::Stated),
    };
    Ok(term)
}

/// A kind by its name in packs, in the built-in tables, or in MedTxt.
fn kind(name: &str) -> Result<ConceptKind, Broken> {
    let lower = name.to_lowercase();
    let known = KINDS.iter().find(|(_, known)| *known == lower).map(|&(kind, _)| kind);
    known
        .or(match lower.as_str() {
            "syndrome" => Some(ConceptKind::Disease),
            "finding" => Some(ConceptKind::Sign),
            "imaging" | "ecg" | "endoscopy" | "pathology_finding" | "physiology" => Some(ConceptKind::ExamFinding),
            "procedure" => Some(ConceptKind::Treatment),
            _ => None,
        })
        .ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|&(_, name)| name).collect();
            Broken::new(name, format!("unknown kind; kinds are {}", names.join(", ")))
        })
}

fn columns() -> String {
    let codes = CODES.iter().map(|&(code, _)| code);
    FIELDS.into_iter().chain(codes).collect::<Vec<_>>().join(", ")
}
