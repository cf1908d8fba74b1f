//! Sections of a report.

use super::{Norm, Span};
use serde::{Deserialize, Serialize};

/// What a section of a case report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// The title of the report (「〜の1例」).
    Title,
    /// Introduction, aim (緒言, 背景, 目的): statements about other patients.
    Background,
    /// The case itself (症例), where nothing finer is said.
    Case,
    /// Chief complaint (主訴).
    ChiefComplaint,
    /// History of present illness (現病歴).
    PresentIllness,
    /// Past history (既往歴).
    PastHistory,
    /// Family history (家族歴).
    FamilyHistory,
    /// Social history, habits (生活歴, 嗜好, 職業歴).
    SocialHistory,
    /// Comorbidities (併存症, 基礎疾患).
    Comorbidity,
    /// Medication on admission (内服).
    Medication,
    /// Allergies (アレルギー).
    Allergy,
    /// Physical examination (身体所見, 現症).
    PhysicalExam,
    /// Laboratory and other tests (検査).
    Tests,
    /// Imaging (画像).
    Imaging,
    /// Pathology (病理).
    Pathology,
    /// Diagnosis (診断).
    Diagnosis,
    /// Course (経過).
    Course,
    /// Treatment (治療).
    Treatment,
    /// Discussion (考察).
    Discussion,
    /// Conclusion (結語).
    Conclusion,
    /// A heading that is none of these, or text without one.
    Other,
}

impl SectionKind {
    /// The Japanese name of the section, as headings give it.
    pub const fn name(self) -> &'static str {
        match self {
            SectionKind::Title => "表題",
            SectionKind::Background => "緒言",
            SectionKind::Case => "症例",
            SectionKind::ChiefComplaint => "主訴",
            SectionKind::PresentIllness => "現病歴",
            SectionKind::PastHistory => "既往歴",
            SectionKind::FamilyHistory => "家族歴",
            SectionKind::SocialHistory => "生活歴",
            SectionKind::Comorbidity => "併存症",
            SectionKind::Medication => "内服",
            SectionKind::Allergy => "アレルギー",
            SectionKind::PhysicalExam => "身体所見",
            SectionKind::Tests => "検査",
            SectionKind::Imaging => "画像",
            SectionKind::Pathology => "病理",
            SectionKind::Diagnosis => "診断",
            SectionKind::Course => "経過",
            SectionKind::Treatment => "治療",
            SectionKind::Discussion => "考察",
            SectionKind::Conclusion => "結語",
            SectionKind::Other => "その他",
        }
    }
}

/// A section: its kind, its heading (where one is printed) and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub kind: SectionKind,
    /// The printed heading with its brackets; `None` for text before the first heading.
    pub heading: Option<Span<Norm>>,
    /// The body, without the heading.
    pub span: Span<Norm>,
}
