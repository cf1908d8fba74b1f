//! Units and reference ranges of tests.

use serde::{Deserialize, Serialize};

use super::table::{Row, Table};
use crate::error::Error;

/// Sex of the patient, as reference ranges tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// 男性.
    Male,
    /// 女性.
    Female,
}

/// A reference range in the test's main unit; a missing bound is open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRange {
    /// Lower bound, itself normal.
    pub low: Option<f64>,
    /// Upper bound, itself normal.
    pub high: Option<f64>,
}

/// One row of ranges.tsv.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RangeRow {
    /// Canonical; a differential count has rows in % and in /μL.
    unit: String,
    sex: Option<Sex>,
    age_min: f64,
    age_max: f64,
    range: ReferenceRange,
}

impl RangeRow {
    pub fn read(table: &Table<'_>, row: &Row<'_>) -> Result<Self, Error> {
        let sex = match row.get("sex") {
            "" => None,
            "M" => Some(Sex::Male),
            "F" => Some(Sex::Female),
            other => return Err(table.error(row, other, "sex is M, F or empty")),
        };
        Ok(RangeRow {
            unit: canonical_unit(row.get("unit")),
            sex,
            age_min: table.number(row, "age_min")?.unwrap_or(0.0),
            age_max: table.number(row, "age_max")?.unwrap_or(f64::INFINITY),
            range: ReferenceRange {
                low: table.number(row, "low")?,
                high: table.number(row, "high")?,
            },
        })
    }
}

/// What is known of one test.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct TestData {
    /// The main unit as it is printed.
    pub unit: String,
    pub canonical_unit: String,
    pub units: Vec<(String, f64)>,
    pub ranges: Vec<RangeRow>,
}

impl TestData {
    /// The range in a canonical unit for a sex and age. Where they are unknown: an adult's, the widest of both sexes.
    pub fn range(&self, unit: &str, sex: Option<Sex>, age_years: Option<f64>) -> Option<ReferenceRange> {
        let age = age_years.unwrap_or(50.0);
        let fits = |row: &&RangeRow| {
            row.unit == unit
                && row.age_min <= age
                && age < row.age_max
                && (row.sex.is_none() || sex.is_none() || row.sex == sex)
        };
        let mut rows = self.ranges.iter().filter(fits).map(|row| row.range);
        let first = rows.next()?;
        Some(rows.fold(first, |a, b| ReferenceRange {
            low: a.low.zip(b.low).map(|(x, y)| x.min(y)),
            high: a.high.zip(b.high).map(|(x, y)| x.max(y)),
        }))
    }
}

/// A unit without the differences that do not count: case, spaces, 「毎」 forms.
pub(super) fn canonical_unit(unit: &str) -> String {
    let mut text: String = unit
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    for (from, to) in [
        ("μ", "u"),
        ("µ", "u"),
        ("cmm", "ul"),
        ("mm3", "ul"),
        ("mm^3", "ul"),
        ("iu", "u"),
        ("㎕", "ul"),
    ] {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    text
}
