//! MEDIS 標準病名マスター: three files without a header, joined on the 4-character exchange code.
//!
//! nmain (病名基本) gives labels and ICD-10, index (索引) the forms that people write. mdfy (修飾語)
//! only tells which forms of index are modifiers: those are no concepts and are left out.

use std::collections::{HashMap, HashSet};

use super::file::{File, Row};
use super::{Broken, ImportedTerm, Outcome, Reader, icd10, kind_of_icd10};
use crate::error::Error;
use crate::lexicon::pack::KindCertainty;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Main,
    Index,
    Modifiers,
}

/// What nmain says of an exchange code.
struct Disease {
    label: String,
    icd10: String,
    number: String,
}

pub(super) fn read(files: &[File], reader: &mut Reader<'_>) -> Result<(), Error> {
    let mut tables = Vec::new();
    for file in files {
        let Some(table) = table(file) else {
            return Err(file.error(
                1,
                Broken::new(
                    file.name(),
                    "cannot tell whether this is nmain, index or mdfy; name the file so, e.g. nmain510.txt",
                ),
            ));
        };
        tables.push((table, file));
    }
    if let Some((_, file)) = tables.iter().find(|(table, _)| *table == Table::Index)
        && !tables.iter().any(|(table, _)| *table == Table::Main)
    {
        return Err(file.error(
            1,
            Broken::new(file.name(), "index refers to nmain; give both files at once"),
        ));
    }
    let mut diseases: HashMap<String, Disease> = HashMap::new();
    let mut modifiers: HashSet<String> = HashSet::new();
    let in_order = |wanted: Table| {
        let files: Vec<&File> = tables
            .iter()
            .filter(|(table, _)| *table == wanted)
            .map(|&(_, file)| file)
            .collect();
        files
    };
    for file in in_order(Table::Main) {
        reader.rows(file, file.delimiter(), 0, |row, reader| {
            if is_header(row) {
                return Ok(Outcome::LeftOut);
            }
            let disease = Disease {
                label: row.get(2).to_owned(),
                icd10: Some(row.get(6))
                    .filter(|code| !code.is_empty())
                    .map_or(Ok(String::new()), icd10)?,
                number: row.get(1).to_owned(),
            };
            let code = exchange_code(row, 5)?.to_owned();
            let mut term = of(&disease, &code, &disease.label, reader);
            term.reading = row.get(3).to_owned();
            diseases.insert(code, disease);
            Ok(Outcome::Term(Box::new(term)))
        })?;
    }
    for file in in_order(Table::Modifiers) {
        reader.rows(file, file.delimiter(), 0, |row, _| {
            if !is_header(row) {
                modifiers.insert(exchange_code(row, 4)?.to_owned());
            }
            Ok(Outcome::LeftOut)
        })?;
    }
    for file in in_order(Table::Index) {
        reader.rows(file, file.delimiter(), 0, |row, reader| {
            if is_header(row) {
                return Ok(Outcome::LeftOut);
            }
            let code = exchange_code(row, 1)?;
            match diseases.get(code) {
                Some(disease) => Ok(Outcome::Term(Box::new(of(disease, code, row.get(0), reader)))),
                None if modifiers.contains(code) => Ok(Outcome::LeftOut),
                None => Err(Broken::new(
                    code,
                    "neither nmain nor mdfy has this exchange code; give the files of one version",
                )),
            }
        })?;
    }
    Ok(())
}

fn of(disease: &Disease, code: &str, surface: &str, reader: &Reader<'_>) -> ImportedTerm {
    let mut term = ImportedTerm::new(surface, &disease.label);
    term.icd10.clone_from(&disease.icd10);
    term.codes.push(("MEDIS".into(), code.to_owned()));
    if !disease.number.is_empty() {
        term.codes.push(("MEDIS-NO".into(), disease.number.clone()));
    }
    (term.kind, term.certainty) = reader.kind(kind_of_icd10(&disease.icd10), KindCertainty::Family);
    term
}

/// The table by the file's name, else by where its first row has an exchange code.
fn table(file: &File) -> Option<Table> {
    let name = file.name().to_lowercase();
    for (part, table) in [
        ("nmain", Table::Main),
        ("index", Table::Index),
        ("mdfy", Table::Modifiers),
    ] {
        if name.contains(part) {
            return Some(table);
        }
    }
    let delimiter = file.delimiter();
    let row = file
        .rows(delimiter)
        .filter_map(|(_, row)| row.ok())
        .find(|row| !is_header(row))?;
    [(1, Table::Index), (5, Table::Main), (4, Table::Modifiers)]
        .into_iter()
        .find_map(|(at, table)| exchange_code(&row, at).is_ok().then_some(table))
}

/// Some distributions have a header line, whose cells are names.
fn is_header(row: &Row<'_>) -> bool {
    row.cells().any(|cell| cell.contains("コード"))
}

/// The 4-character code of a cell.
fn exchange_code<'r>(row: &'r Row<'_>, at: usize) -> Result<&'r str, Broken> {
    let code = row.get(at);
    if code.len() == 4 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        Ok(code)
    } else {
        Err(Broken::new(
            code,
            format!("column {} has no 4-character exchange code (like BPQ8)", at + 1),
        ))
    }
}
