//! Node labels in the notation of the guideline.

use std::fmt;

/// A node label: `X`, `X@site`, `test/result`, `exam=finding`, `H:x`.
///
/// ```
/// use shorei::types::Label;
/// let label: Label = "しびれ@四肢".parse().unwrap();
/// assert_eq!(label, Label::AtSite { condition: "しびれ".into(), site: "四肢".into() });
/// assert_eq!(label.to_string(), "しびれ@四肢");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A disease, pathology, symptom or sign.
    Condition(String),
    /// A symptom or lesion at a body site.
    AtSite {
        /// The symptom or lesion.
        condition: String,
        /// The site.
        site: String,
    },
    /// A laboratory, vital or pathology marker and its result.
    Result {
        /// The test.
        test: String,
        /// 上昇, 低下, 陽性, 陰性 or a named result.
        result: String,
    },
    /// An examination and its finding.
    ExamFinding {
        /// The examination.
        exam: String,
        /// The finding.
        finding: String,
    },
    /// A history of exposure that acts as a cause.
    History(String),
}

impl Default for Label {
    /// A condition without a name.
    fn default() -> Self {
        Label::Condition(String::new())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Condition(condition) => f.write_str(condition),
            Label::AtSite { condition, site } => write!(f, "{condition}@{site}"),
            Label::Result { test, result } => write!(f, "{test}/{result}"),
            Label::ExamFinding { exam, finding } => write!(f, "{exam}={finding}"),
            Label::History(exposure) => write!(f, "H:{exposure}"),
        }
    }
}

impl std::str::FromStr for Label {
    type Err = std::convert::Infallible;

    /// Reads a label of the notation. Never fails: what has no separator is a condition.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let pair = |at: usize, len: usize| (text[..at].trim().to_owned(), text[at + len..].trim().to_owned());
        if let Some(exposure) = text.strip_prefix("H:") {
            return Ok(Label::History(exposure.trim().to_owned()));
        }
        if let Some(at) = text.find('=') {
            let (exam, finding) = pair(at, 1);
            return Ok(Label::ExamFinding { exam, finding });
        }
        if let Some(at) = text.find('@') {
            let (condition, site) = pair(at, 1);
            return Ok(Label::AtSite { condition, site });
        }
        // The last slash: 「HbA1c/上昇」, 「KL-6/SP-D/上昇」.
        if let Some(at) = text.rfind('/') {
            let (test, result) = pair(at, 1);
            return Ok(Label::Result { test, result });
        }
        Ok(Label::Condition(text.to_owned()))
    }
}
