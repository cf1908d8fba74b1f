//! Which specialty a disease belongs to.

use serde::{Deserialize, Serialize};

use super::Lexicon;
use super::table::Table;
use crate::error::Error;
use crate::types::ConceptId;

/// One row of specialties.tsv.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SpecialtyRow {
    /// The domain that it holds for, or `*`.
    domain: String,
    /// The categories of ICD-10 that it holds for, both ends included; none for all.
    icd10: Option<(String, String)>,
    specialty: String,
}

pub(super) fn read(table: &Table<'_>) -> Result<Vec<SpecialtyRow>, Error> {
    let is_category = |code: &str| {
        let mut chars = code.chars();
        code.len() == 3
            && chars.next().is_some_and(|letter| letter.is_ascii_uppercase())
            && chars.all(|digit| digit.is_ascii_digit())
    };
    table
        .rows
        .iter()
        .map(|row| {
            let codes = row.get("icd10");
            let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
            let is_range = is_category(first) && is_category(last) && first <= last;
            if !codes.is_empty() && !is_range {
                return Err(table.error(row, codes, "expected categories of ICD-10: C81 or C81-C96, or nothing"));
            }
            if row.get("specialty").is_empty() {
                return Err(table.error(row, "", "the specialty is empty"));
            }
            Ok(SpecialtyRow {
                domain: row.get("domain").to_owned(),
                icd10: (!codes.is_empty()).then(|| (first.to_owned(), last.to_owned())),
                specialty: row.get("specialty").to_owned(),
            })
        })
        .collect()
}

impl Lexicon {
    /// The names of the specialties, each once, in the order of `dictionaries/specialties`.
    pub fn specialties(&self) -> impl Iterator<Item = &str> {
        let rows = &self.tables.specialties;
        let names = rows.iter().map(|row| row.specialty.as_str()).enumerate();
        names
            .filter(|(at, name)| rows[..*at].iter().all(|row| row.specialty != *name))
            .map(|(_, name)| name)
    }

    /// The specialty that a disease belongs to, by the domain of its row and its ICD-10 code: the
    /// first row of `dictionaries/specialties` that fits. O(rows).
    ///
    /// ```
    /// let lexicon = shorei::lexicon::Lexicon::load_default()?;
    /// let of = |label: &str| lexicon.specialty(lexicon.lookup_condition(label).unwrap());
    /// assert_eq!(of("血栓性血小板減少性紫斑病"), "血液");
    /// assert_eq!(of("ツツガムシ病"), "感染症");
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn specialty(&self, disease: ConceptId) -> &str {
        let Some(concept) = self.get(disease) else { return "" };
        let category = concept.icd10.get(..3).unwrap_or_default();
        let fits = |row: &SpecialtyRow| match &row.icd10 {
            Some((first, last)) => (first.as_str()..=last.as_str()).contains(&category),
            None => true,
        };
        let of = |domain: &str| {
            let mut rows = self.tables.specialties.iter().filter(|row| row.domain == domain);
            rows.find(|row| fits(row))
        };
        of(&concept.domain)
            .or_else(|| of("*"))
            .map_or("", |row| row.specialty.as_str())
    }
}
