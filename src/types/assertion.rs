//! What the report asserts of a mention.

use serde::{Deserialize, Serialize};

/// Whether the mentioned thing is the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is (or was) there.
    #[default]
    Present,
    /// It is said not to be there, or was ruled out.
    Absent,
    /// It is thought of, not settled.
    Suspected,
    /// It is going to be done.
    Planned,
    /// A statement about patients or medicine in general.
    General,
}

/// Who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Experiencer {
    /// The patient of the report.
    #[default]
    Patient,
    /// A member of the family.
    Family,
    /// Somebody else (a donor, a partner, other patients).
    Other,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    /// In the present episode.
    #[default]
    Current,
    /// Before it.
    Past,
}

/// Status, experiencer and time of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Assertion {
    /// Whether it is the case.
    pub status: Status,
    /// Who has it.
    pub experiencer: Experiencer,
    /// When.
    pub time: Temporality,
}

impl Assertion {
    /// True when the patient has, or had, it.
    pub fn holds(&self) -> bool {
        self.status == Status::Present && self.experiencer == Experiencer::Patient
    }
}
