//! MeCab CSV with IPADIC's columns (ComeJisyo, J-GLOBAL MeSH): 表層形, 左文脈ID, 右文脈ID, コスト,
//! 品詞, 品詞細分類1-3, 活用型, 活用形, 原形, 読み, 発音. Nouns are taken; their base form is the label.

use super::file::File;
use super::{Broken, ImportedTerm, Outcome, Reader};
use crate::error::Error;
use crate::lexicon::pack::KindCertainty;
use crate::types::ConceptKind;

/// Kinds of nouns that name nothing by themselves.
const NO_NAMES: [&str; 4] = ["数", "代名詞", "非自立", "接尾"];

pub(super) fn read(files: &[File], reader: &mut Reader<'_>) -> Result<(), Error> {
    for file in files {
        reader.rows(file, ',', 0, |row, reader| {
            if row.len() < 7 {
                return Err(Broken::new(
                    row.get(0),
                    format!("{} columns where a MeCab dictionary has 11 or more", row.len()),
                ));
            }
            // The ids may be empty: MeCab then finds them by the part of speech.
            if let Some(number) = (1..4)
                .map(|at| row.get(at))
                .find(|cell| !cell.is_empty() && cell.parse::<i32>().is_err())
            {
                return Err(Broken::new(
                    number,
                    "no number where a MeCab dictionary has ids and costs; quote a term that has a comma",
                ));
            }
            if row.get(4) != "名詞" || NO_NAMES.contains(&row.get(5)) {
                return Ok(Outcome::LeftOut);
            }
            let given = |at: usize| Some(row.get(at)).filter(|cell| !matches!(*cell, "" | "*"));
            let mut term = ImportedTerm::new(row.get(0), given(10).unwrap_or(row.get(0)));
            term.reading = given(11).unwrap_or_default().to_owned();
            (term.kind, term.certainty) = reader.kind(ConceptKind::Disease, KindCertainty::Assumed);
            Ok(Outcome::Term(Box::new(term)))
        })?;
    }
    Ok(())
}
