//! Dictionary entries.

use serde::{Deserialize, Serialize};

/// Index of a concept in the loaded [`crate::lexicon::Lexicon`]; stable for one lexicon only.
/// What is stable between versions is [`Concept::id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConceptId(pub u32);

/// What a concept is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConceptKind {
    /// A disease or syndrome.
    Disease,
    /// An abnormal state that a disease makes and that explains findings (心筋障害).
    Pathology,
    /// A symptom.
    Symptom,
    /// A physical sign.
    Sign,
    /// A finding of imaging, ECG, endoscopy, pathology or physiology.
    ExamFinding,
    /// A named laboratory abnormality (高カリウム血症).
    LabState,
    /// A laboratory test, vital sign or measurement.
    Test,
    /// An examination whose result is a finding.
    Exam,
    /// A drug, drug class or toxic substance.
    Drug,
    /// A body site.
    Site,
    /// An organism.
    Organism,
    /// A treatment, operation or other procedure.
    Treatment,
}

impl ConceptKind {
    /// True for what a case map's plain nodes are made of.
    pub const fn is_condition(self) -> bool {
        matches!(
            self,
            ConceptKind::Disease
                | ConceptKind::Pathology
                | ConceptKind::Symptom
                | ConceptKind::Sign
                | ConceptKind::ExamFinding
                | ConceptKind::LabState
        )
    }

    /// True for diseases and pathologies.
    pub const fn is_disease(self) -> bool {
        matches!(self, ConceptKind::Disease | ConceptKind::Pathology)
    }
}

/// A dictionary entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concept {
    /// Stable id, e.g. `D00123`.
    pub id: String,
    /// What it is.
    pub kind: ConceptKind,
    /// Preferred Japanese label, NFKC.
    pub label: String,
    /// Reading in hiragana; empty where none is given.
    pub reading: String,
    /// English name; empty where none is known.
    pub english: String,
    /// Synonyms and spelling variants, NFKC.
    pub synonyms: Vec<String>,
    /// Abbreviations and Latin names that reports use.
    pub abbreviations: Vec<String>,
    /// ICD-10 code with its dot, or empty.
    pub icd10: String,
    /// HPO id (`HP:0001945`), or empty.
    pub hpo: String,
    /// WHO ATC code, or empty.
    pub atc: String,
    /// LOINC code, or empty.
    pub loinc: String,
    /// Label of the more general concept, or empty.
    pub parent: String,
    /// Drug class, exam modality, treatment class, organism group; empty for other kinds.
    pub class: String,
    /// Domain (file) that the row stands in.
    pub domain: String,
}
