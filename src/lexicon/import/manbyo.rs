//! MANBYO (万病辞書): 出現形, 出現形よみ, ICD10コード, 標準病名, 信頼度LEVEL, 頻度LEVEL.
//!
//! Two derived forms have two columns: MedNER-J's `surface, よみ;icd=X;lv=S/freq=高;標準病名` and
//! MedNERN's `surface, normal form`.

use super::file::{File, Row};
use super::{Broken, ImportedTerm, Outcome, Reader, icd10, kind_of_icd10};
use crate::error::Error;
use crate::lexicon::pack::KindCertainty;

/// Where the columns are; as published unless a header says otherwise.
#[derive(Clone, Copy)]
struct Columns {
    surface: usize,
    reading: usize,
    icd10: usize,
    label: usize,
    level: usize,
}

pub(super) fn read(files: &[File], reader: &mut Reader<'_>) -> Result<(), Error> {
    for file in files {
        let delimiter = file.delimiter();
        let header = file.header(delimiter);
        let named = header.as_ref().and_then(columns);
        let columns = named.unwrap_or(Columns {
            surface: 0,
            reading: 1,
            icd10: 2,
            label: 3,
            level: 4,
        });
        reader.rows(file, delimiter, usize::from(named.is_some()), |row, reader| {
            let mut term = if row.len() == 2 { pair(row) } else { full(row, columns) }?;
            (term.kind, term.certainty) = reader.kind(kind_of_icd10(&term.icd10), KindCertainty::Family);
            Ok(Outcome::Term(Box::new(term)))
        })?;
    }
    Ok(())
}

/// The columns that a header names; `None` where the first line is no header.
fn columns(header: &Row<'_>) -> Option<Columns> {
    let find = |names: &[&str]| {
        header
            .cells()
            .position(|cell| names.iter().any(|name| cell.starts_with(name)))
    };
    let surface = find(&["出現形よみ"]).map_or_else(
        || find(&["出現形"]),
        |reading| {
            header
                .cells()
                .enumerate()
                .position(|(at, cell)| at != reading && cell.starts_with("出現形"))
        },
    )?;
    let absent = usize::MAX;
    Some(Columns {
        surface,
        reading: find(&["出現形よみ", "よみ"]).unwrap_or(absent),
        icd10: find(&["ICD"]).unwrap_or(absent),
        label: find(&["標準病名"]).unwrap_or(absent),
        level: find(&["信頼度"]).unwrap_or(absent),
    })
}

fn full(row: &Row<'_>, columns: Columns) -> Result<ImportedTerm, Broken> {
    if row.len() < 4 {
        return Err(Broken::new(
            row.get(0),
            format!("{} columns where MANBYO has 4 or more, its derived forms 2", row.len()),
        ));
    }
    let mut term = ImportedTerm::new(row.get(columns.surface), given(row.get(columns.label)));
    term.reading = given(row.get(columns.reading)).to_owned();
    codes(&mut term, row.get(columns.icd10), row.get(columns.level))?;
    Ok(term)
}

fn pair(row: &Row<'_>) -> Result<ImportedTerm, Broken> {
    let (surface, value) = (row.get(0), row.get(1));
    let parts: Vec<&str> = value.split(';').map(str::trim).collect();
    let Some(icd_at) = parts.iter().position(|part| part.starts_with("icd=")) else {
        return Ok(ImportedTerm::new(surface, given(value)));
    };
    let level_at = parts.iter().position(|part| part.starts_with("lv="));
    let mut term = ImportedTerm::new(surface, "");
    if let (Some(label), Some(level_at)) = (parts.last(), level_at)
        && level_at + 1 < parts.len()
    {
        term.label = given(label).to_owned();
    }
    if icd_at > 0 {
        term.reading = given(parts[0]).to_owned();
    }
    // Several codes are parted by `;` as well: they go on to the level.
    let codes_end = level_at.unwrap_or(parts.len()).max(icd_at + 1);
    let joined = parts[icd_at..codes_end].join(";");
    let level = level_at.map_or("", |at| {
        let level = parts[at].trim_start_matches("lv=");
        level.split('/').next().unwrap_or_default()
    });
    codes(&mut term, joined.trim_start_matches("icd="), level)?;
    Ok(term)
}

/// A cell that says something: `-1` says that there is nothing.
fn given(cell: &str) -> &str {
    if cell == "-1" { "" } else { cell }
}

fn codes(term: &mut ImportedTerm, cell: &str, level: &str) -> Result<(), Broken> {
    for code in cell.split(';').map(str::trim) {
        if given(code).is_empty() {
            continue;
        }
        let code = icd10(code)?;
        if term.icd10.is_empty() {
            term.icd10 = code;
        } else {
            term.codes.push(("ICD-10".into(), code));
        }
    }
    if !given(level).is_empty() {
        term.codes.push(("MANBYO-LV".into(), level.to_owned()));
    }
    Ok(())
}
