//! Mentions: what stands where in a report.

use super::{Assertion, ConceptId, Norm, Raw, Span};
use serde::{Deserialize, Serialize};

/// Number of a mention within its case, in reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MentionId(pub u32);

/// Kinds of mentions; MedTxt's tags map to them one to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionKind {
    /// Disease or symptom (MedTxt `d`).
    Disease,
    /// Sign or finding of an examination (MedTxt `d` as well; told apart by its concept).
    Finding,
    /// Body site (`a`).
    Site,
    /// Examination (`t-test`).
    Exam,
    /// Test item (`t-key`).
    TestItem,
    /// Test value (`t-val`).
    TestValue,
    /// Drug (`m-key`).
    Drug,
    /// Dose (`m-val`).
    Dose,
    /// Treatment (`r`).
    Treatment,
    /// Time expression (`timex3`).
    Time,
    /// Change (`c`): 上昇, 改善.
    Change,
    /// Feature (`f`): severity, shape.
    Feature,
    /// Clinical context (`cc`): admission, visit.
    Context,
}

/// Direction or result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Above its reference range.
    High,
    /// Below it.
    Low,
    /// Positive.
    Positive,
    /// Negative.
    Negative,
    /// Within its reference range.
    Normal,
    /// Neither positive nor negative (±).
    Equivocal,
}

impl Direction {
    /// The word of the notation: 上昇, 低下, 陽性, 陰性; 正常 and 疑陽性 for the rest.
    pub const fn label(self) -> &'static str {
        match self {
            Direction::High => "上昇",
            Direction::Low => "低下",
            Direction::Positive => "陽性",
            Direction::Negative => "陰性",
            Direction::Normal => "正常",
            Direction::Equivocal => "疑陽性",
        }
    }

    /// True for what makes a node: high, low, positive.
    pub const fn is_abnormal(self) -> bool {
        matches!(self, Direction::High | Direction::Low | Direction::Positive)
    }
}

/// The value of a test, vital sign or trend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Value {
    /// The number as printed after normalisation, in the printed unit; `None` for words.
    pub number: Option<f64>,
    /// Second number of a pair (diastolic pressure) or of a trend's start (696→320: 696).
    pub second: Option<f64>,
    /// The printed unit, NFKC; empty where none is printed.
    pub unit: String,
    /// The printed reference range's lower bound, in the printed unit.
    pub range_low: Option<f64>,
    /// The printed reference range's upper bound.
    pub range_high: Option<f64>,
    /// Direction or result, where it can be told.
    pub direction: Option<Direction>,
}

/// A span of the report that names something.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Its number.
    pub id: MentionId,
    /// Where it stands in the report, in bytes.
    pub span: Span<Raw>,
    /// Where it stands in the normalised text, in bytes.
    pub norm: Span<Norm>,
    /// Its normalised text.
    pub text: String,
    /// What it is.
    pub kind: MentionKind,
    /// What the report asserts of it.
    pub assertion: Assertion,
    /// Its dictionary entry, where it has one.
    pub concept: Option<ConceptId>,
    /// The parts of its text that modify what the dictionary entry names (難治性 of 難治性多発性筋炎), in
    /// reading order.
    pub modifiers: Vec<String>,
    /// What it stands for: where the report defines it as an abbreviation (EGPA), or where words
    /// around it complete it (シラカンバ of シラカンバ特異的IgE).
    pub expansion: Option<String>,
    /// Its value, for a test item, test value, change or dose.
    pub value: Option<Value>,
    /// Index of its sentence.
    pub sentence: usize,
    /// Index of its section.
    pub section: usize,
}
