//! Whom a disease befalls: sex, age, and how often a hospital sees it.

use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{Lexicon, Sex};
use crate::error::Error;
use crate::types::ConceptId;

/// Part of the first presentations that falls between [`Demographics::youngest`] and
/// [`Demographics::oldest`].
const WITHIN: f64 = 0.85;
/// Past the range, over this part of its width, an age becomes steadily less usual.
const MARGIN: f64 = 0.2;
/// How surely a table of round numbers speaks: what the sex counts, and what the age.
const SEX_WEIGHT: f64 = 0.6;
const AGE_WEIGHT: f64 = 0.7;
/// Share of the patients of a hospital who are younger than an age in years. The ages of the
/// patients of case reports and of examinations: about as many children as a general hospital sees.
const PATIENTS: [(f64, f64); 7] = [
    (0.0, 0.0),
    (1.0, 0.04),
    (15.0, 0.14),
    (40.0, 0.34),
    (65.0, 0.64),
    (85.0, 0.95),
    (110.0, 1.0),
];

/// How often a general hospital sees a disease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prevalence {
    /// Every week.
    Common,
    /// Every month to every year.
    Uncommon,
    /// Less often.
    Rare,
}

impl Prevalence {
    /// What it adds to a disease's score: enough to put the common before the rare among equals, too
    /// little to hide a rare disease that explains more.
    const fn log_odds(self) -> f64 {
        match self {
            Prevalence::Common => 0.3,
            Prevalence::Uncommon => 0.0,
            Prevalence::Rare => -0.3,
        }
    }
}

/// Whom a disease befalls: one row of `dictionaries/demographics`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Demographics {
    /// Share of the patients who are female, 0 to 1.
    pub female: f64,
    /// Age in years from which on most patients present for the first time.
    pub youngest: f64,
    /// Age in years up to which most patients do.
    pub oldest: f64,
    /// How often a general hospital sees it.
    pub prevalence: Prevalence,
}

/// What is known of a patient before any finding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Patient {
    /// The sex, where it is known.
    pub sex: Option<Sex>,
    /// The age in years, where it is known.
    pub age_years: Option<f64>,
}

impl Demographics {
    /// Natural logarithm of the likelihood ratio of the patient's sex and age: of the disease
    /// against all patients. 0 where nothing is known. O(1).
    pub fn log_ratio(&self, patient: Patient) -> f64 {
        let sex = patient.sex.map_or(0.0, |sex| {
            let share = match sex {
                Sex::Female => self.female,
                Sex::Male => 1.0 - self.female,
            };
            (share.clamp(0.01, 0.99) / 0.5).ln()
        });
        let age = patient.age_years.map_or(0.0, |age| self.age_log_ratio(age));
        SEX_WEIGHT * sex + AGE_WEIGHT * age
    }

    fn age_log_ratio(&self, age: f64) -> f64 {
        let (from, to) = (younger_than(self.youngest), younger_than(self.oldest));
        let width = (to - from).clamp(0.01, 1.0);
        let usual = (WITHIN / width).max(1.0).ln();
        let unusual = ((1.0 - WITHIN) / (1.0 - width).max(1.0 - WITHIN)).ln();
        let at = younger_than(age);
        let past = (from - at).max(at - to).max(0.0) / (MARGIN * width);
        usual + (unusual - usual) * past.min(1.0)
    }
}

/// Share of all patients who are younger than `age_years`.
fn younger_than(age_years: f64) -> f64 {
    let above = PATIENTS.iter().position(|&(age, _)| age >= age_years);
    match above {
        Some(0) => 0.0,
        Some(index) => {
            let ((young, less), (old, more)) = (PATIENTS[index - 1], PATIENTS[index]);
            less + (more - less) * (age_years - young) / (old - young)
        }
        None => 1.0,
    }
}

pub(super) fn read(table: &Table<'_>, lexicon: &Lexicon) -> Result<Vec<(ConceptId, Demographics)>, Error> {
    table
        .rows
        .iter()
        .map(|row| {
            let label = row.get("disease");
            let disease = lexicon
                .lookup_condition(label)
                .ok_or_else(|| table.error(row, label, "no table lists this disease; use a listed label"))?;
            let number = |column: &str, least: f64, most: f64| {
                let value = table
                    .number(row, column)?
                    .filter(|value| (least..=most).contains(value));
                let reason = format!("{column} is not a number from {least} to {most}");
                value.ok_or_else(|| table.error(row, row.get(column), &reason))
            };
            let (youngest, oldest) = (number("youngest", 0.0, 100.0)?, number("oldest", 0.0, 110.0)?);
            if youngest >= oldest {
                return Err(table.error(row, row.get("oldest"), "oldest is not more than youngest"));
            }
            let prevalence = match row.get("prevalence") {
                "common" => Prevalence::Common,
                "uncommon" => Prevalence::Uncommon,
                "rare" => Prevalence::Rare,
                other => return Err(table.error(row, other, "expected common, uncommon or rare")),
            };
            let demographics = Demographics {
                female: number("female", 0.0, 100.0)? / 100.0,
                youngest,
                oldest,
                prevalence,
            };
            Ok((disease, demographics))
        })
        .collect()
}

impl Lexicon {
    /// Whom a disease befalls: its own row, else that of the nearest more general disease that has
    /// one. O(1).
    ///
    /// ```
    /// use shorei::lexicon::{Lexicon, Patient};
    ///
    /// let lexicon = Lexicon::load_default()?;
    /// let of = |label: &str| lexicon.demographics(lexicon.lookup_condition(label).unwrap()).unwrap();
    /// let infant = Patient { age_years: Some(0.8), ..Patient::default() };
    /// assert!(of("腸重積症").log_ratio(infant) > of("大腸憩室炎").log_ratio(infant));
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn demographics(&self, disease: ConceptId) -> Option<&Demographics> {
        self.ancestry(disease).find_map(|id| self.tables.demographics.get(&id))
    }

    /// What is known of a disease before any finding: what the patient's sex and age say (see
    /// [`Demographics::log_ratio`]), and a little for how common it is. 0 where no row is known.
    pub fn patient_log_ratio(&self, patient: Patient, disease: Option<ConceptId>) -> f64 {
        disease
            .and_then(|disease| self.demographics(disease))
            .map_or(0.0, |demographics| {
                demographics.log_ratio(patient) + demographics.prevalence.log_odds()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(female: f64, youngest: f64, oldest: f64) -> Demographics {
        Demographics {
            female,
            youngest,
            oldest,
            prevalence: Prevalence::Common,
        }
    }

    fn aged(age_years: f64) -> Patient {
        Patient {
            sex: None,
            age_years: Some(age_years),
        }
    }

    #[test]
    fn narrow_ages_say_much_and_wide_ones_little() {
        let infants = of(0.5, 0.25, 2.0);
        let anyone = of(0.5, 0.0, 100.0);
        assert!(infants.log_ratio(aged(0.7)) > 1.5);
        assert!(infants.log_ratio(aged(40.0)) < -1.0);
        assert!(anyone.log_ratio(aged(40.0)).abs() < 0.01);
    }

    #[test]
    fn the_edge_of_a_range_is_soft() {
        let old = of(0.5, 60.0, 90.0);
        let (inside, edge, outside) = (
            old.log_ratio(aged(61.0)),
            old.log_ratio(aged(57.0)),
            old.log_ratio(aged(30.0)),
        );
        assert!(inside > edge && edge > outside, "{inside} {edge} {outside}");
    }

    #[test]
    fn the_other_sex_speaks_against() {
        let women = of(1.0, 0.0, 100.0);
        let patient = |sex| Patient {
            sex: Some(sex),
            age_years: None,
        };
        assert!(women.log_ratio(patient(Sex::Female)) > 0.0);
        assert!(women.log_ratio(patient(Sex::Male)) < -2.0);
        assert_eq!(women.log_ratio(Patient::default()), 0.0);
    }
}
