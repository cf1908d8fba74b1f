//! HPO translations as Babelon TSV: subject_id, predicate_id, source_value, translation_value,
//! translation_status; those with status OFFICIAL are taken.

use std::collections::HashMap;

use super::file::File;
use super::{Broken, ImportedTerm, Outcome, Reader, hpo};
use crate::error::Error;
use crate::lexicon::pack::KindCertainty;
use crate::types::ConceptKind;

/// The columns that must be there.
const COLUMNS: [&str; 4] = ["subject_id", "source_value", "translation_value", "translation_status"];

pub(super) fn read(files: &[File], reader: &mut Reader<'_>) -> Result<(), Error> {
    for file in files {
        let header = file.header('\t');
        let column = |name: &str| {
            header
                .as_ref()
                .and_then(|row| row.cells().position(|cell| cell == name))
        };
        let columns: Vec<usize> = COLUMNS.iter().filter_map(|name| column(name)).collect();
        let &[subject, source, translation, status] = columns.as_slice() else {
            return Err(file.error(
                1,
                Broken::new(
                    &header
                        .as_ref()
                        .map_or(String::new(), |row| row.cells().take(4).collect::<Vec<_>>().join(" ")),
                    format!(
                        "not Babelon TSV, whose header has {}; name another format with --from",
                        COLUMNS.join(", ")
                    ),
                ),
            ));
        };
        let (predicate, language) = (column("predicate_id"), column("translation_language"));
        // Synonyms stand in rows of their own, and need the label of their subject.
        let mut labels: HashMap<String, String> = HashMap::new();
        for (_, row) in file.rows('\t').skip(1) {
            if let Ok(row) = row
                && is_label(predicate.map_or("", |at| row.get(at)))
                && row.get(status) == "OFFICIAL"
            {
                labels.insert(row.get(subject).to_owned(), row.get(translation).to_owned());
            }
        }
        let cells = header.as_ref().map_or(0, super::file::Row::len);
        reader.rows(file, '\t', 1, |row, reader| {
            if row.len() != cells {
                return Err(Broken::new(
                    row.get(subject),
                    format!("{} cells where the header has {cells}", row.len()),
                ));
            }
            if row.get(status) != "OFFICIAL" || language.is_some_and(|at| row.get(at) != "ja") {
                return Ok(Outcome::LeftOut);
            }
            let id = hpo(row.get(subject))?;
            let value = row.get(translation);
            // A character that an old encoding lost: ?瘡.
            if value.contains('?') {
                return Err(Broken::new(
                    value,
                    "a character of the translation was lost; correct it",
                ));
            }
            let label = labels.get(row.get(subject)).map_or(value, String::as_str);
            let is_label = is_label(predicate.map_or("", |at| row.get(at)));
            let mut term = ImportedTerm::new(value, if is_label { value } else { label });
            term.hpo = id;
            if is_label {
                term.english = row.get(source).to_owned();
            }
            (term.kind, term.certainty) = reader.kind(ConceptKind::Sign, KindCertainty::Family);
            Ok(Outcome::Term(Box::new(term)))
        })?;
    }
    Ok(())
}

fn is_label(predicate: &str) -> bool {
    predicate.is_empty() || predicate == "rdfs:label"
}
