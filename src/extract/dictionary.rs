//! Dictionary mentions: the longest surface at each place, on word boundaries.

use std::sync::LazyLock;

use regex::Regex;

use super::Draft;
use super::measure::TestHit;
use crate::lexicon::{Lexicon, SurfaceMatch};
use crate::types::{ConceptId, ConceptKind, MentionKind, Norm, Span, Token};

/// What the dictionaries find in a text.
#[derive(Debug, Default)]
pub struct Matches {
    /// Terms other than tests, leftmost-longest, in reading order, without overlaps.
    pub terms: Vec<Draft>,
    /// Names of tests, leftmost-longest among themselves; they may overlap terms (血小板減少).
    pub tests: Vec<TestHit>,
    /// Names that mean a test only in a body fluid, in reading order.
    pub fluid_names: Vec<Span<Norm>>,
}

/// A dose that runs on from a drug's name: 「PSL30mg」.
static DOSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[0-9][0-9.,]* ?(?:mg|g|μg|mcg|mL|ml|cc|単位|U|IU|万|錠|カプセル|%|γ|C)").expect("a constant pattern")
});

/// Finds terms and test names. O(n + matches).
pub fn matches(text: &str, tokens: &[Token], lexicon: &Lexicon) -> Matches {
    let lowercase = text.to_ascii_lowercase();
    let boundaries = Boundaries::new(text, tokens);
    let mut terms: Vec<(SurfaceMatch, ConceptId)> = Vec::new();
    let mut tests: Vec<(SurfaceMatch, ConceptId)> = Vec::new();
    for found in lexicon.find_all(&lowercase) {
        let surface = lexicon.surface(found.surface);
        if !case_agrees(&text[found.start..found.end], &surface.text) {
            continue;
        }
        let is_test = |id: &ConceptId| lexicon.concept(*id).kind == ConceptKind::Test;
        if let Some(&test) = surface.concepts.iter().find(|id| is_test(id))
            && boundaries.allow_test(text, found.start, found.end)
        {
            tests.push((found, test));
        }
        if let Some(&term) = surface.concepts.iter().find(|id| !is_test(id))
            && (!is_part_of_code(text, found.start, found.end)
                || lexicon.concept(term).kind == ConceptKind::Drug && DOSE.is_match(&text[found.end..]))
            && boundaries.allow_term(text, found.start, found.end)
        {
            terms.push((found, term));
        }
    }
    let mut tests: Vec<TestHit> = leftmost_longest(tests)
        .map(|(found, concept)| TestHit {
            span: Span::new(found.start, found.end),
            concept,
        })
        .collect();
    tests.extend(more_classes(text, &tests, lexicon));
    tests.sort_by_key(|hit| hit.span);
    Matches {
        terms: leftmost_longest(terms)
            .flat_map(|(found, concept)| {
                let kind = mention_kind(lexicon.concept(concept).kind);
                let draft = Draft::new(Span::new(found.start, found.end), kind, Some(concept));
                let (of, draft) = of_disease(text, draft, lexicon);
                of.into_iter().chain([draft])
            })
            .collect(),
        tests,
        fluid_names: fluid_names(text, lexicon),
    }
}

/// True for a place between two letters of one Latin word: PUV|A.
fn within_latin(name: &str, at: usize) -> bool {
    name[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
        && name[at..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// A treatment named after a disease tells of both: 食道癌 and 食道癌根治術 of 「食道癌根治術を施行」,
/// whose span is then the rest of the name.
fn of_disease(text: &str, draft: Draft, lexicon: &Lexicon) -> (Option<Draft>, Draft) {
    let name = draft.span.slice(text);
    if draft.kind != MentionKind::Treatment || name.contains("予防") {
        return (None, draft);
    }
    let disease = name
        .char_indices()
        .rev()
        .filter(|&(end, _)| name[..end].chars().nth(1).is_some() && !within_latin(name, end))
        .find_map(|(end, _)| {
            let is_disease = |kind: ConceptKind| kind.is_condition() && kind != ConceptKind::Sign;
            Some((end, lexicon.lookup_kind(&name[..end], is_disease)?))
        });
    let Some((length, concept)) = disease else {
        return (None, draft);
    };
    let Span { start, end, .. } = draft.span;
    let treatment = Draft {
        span: Span::new(start + length, end),
        expansion: Some(name.to_owned()),
        ..draft
    };
    let kind = mention_kind(lexicon.concept(concept).kind);
    let of = Draft::new(Span::new(start, start + length), kind, Some(concept));
    (Some(of), treatment)
}

/// The classes of immunoglobulin that a list names by a letter: A and M of 「IgG・A・Mの上昇」.
fn more_classes(text: &str, tests: &[TestHit], lexicon: &Lexicon) -> Vec<TestHit> {
    static LETTERS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?:[・,、/] ?[GAMDE])+").expect("a constant pattern"));
    let mut more = Vec::new();
    for hit in tests {
        let name = hit.span.slice(text);
        let rest = &text[hit.span.end..];
        let Some(letters) = LETTERS.find(rest).filter(|_| name.len() == 3 && name.starts_with("Ig")) else {
            continue;
        };
        if rest[letters.end()..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            continue;
        }
        for (at, letter) in letters.as_str().char_indices().filter(|(_, c)| c.is_ascii_uppercase()) {
            let start = hit.span.end + at;
            if let Some(concept) = lexicon.lookup_kind(&format!("Ig{letter}"), |kind| kind == ConceptKind::Test) {
                more.push(TestHit {
                    span: Span::new(start, start + 1),
                    concept,
                });
            }
        }
    }
    more
}

/// Where names stand that mean a test only in a body fluid: by themselves, before a value. In
/// reading order, the longer before the shorter. O(text × names).
fn fluid_names(text: &str, lexicon: &Lexicon) -> Vec<Span<Norm>> {
    static VALUE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[ 0-9:=+\-±(<>は]|が[0-9+ ]|も[0-9+ ]|、?(?:陽性|陰性|高値|低値|正常|著増)|[がはもの](?:陽性|陰性|高値|低値|正常|著|軽|上昇|低下|増加|減少|高|低)|上昇|低下|増加|減少)")
            .expect("a constant pattern")
    });
    let mut found: Vec<Span<Norm>> = Vec::new();
    for name in lexicon.fluid_names() {
        for (at, _) in text.match_indices(name.as_str()) {
            let end = at + name.len();
            let joined = text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
                && !text[..at].ends_with(['は', 'で', 'に', 'も', 'の', 'と', 'り', '中']);
            if !joined && VALUE.is_match(&text[end..]) {
                found.push(Span::new(at, end));
            }
        }
    }
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    found.dedup_by_key(|span| span.start);
    found
}

/// The kind of mention that a concept of this kind makes.
pub fn mention_kind(kind: ConceptKind) -> MentionKind {
    match kind {
        ConceptKind::Disease | ConceptKind::Pathology | ConceptKind::Symptom => MentionKind::Disease,
        ConceptKind::Sign | ConceptKind::ExamFinding | ConceptKind::LabState => MentionKind::Finding,
        ConceptKind::Test => MentionKind::TestItem,
        ConceptKind::Exam => MentionKind::Exam,
        ConceptKind::Drug => MentionKind::Drug,
        ConceptKind::Site => MentionKind::Site,
        // An organism matters for the infection that it makes.
        ConceptKind::Organism => MentionKind::Feature,
        ConceptKind::Treatment => MentionKind::Treatment,
    }
}

/// A short Latin form before a digit or after 抗 is part of a test's name: PaO2, 抗SSA抗体.
fn is_part_of_code(text: &str, start: usize, end: usize) -> bool {
    let term = &text[start..end];
    term.is_ascii()
        && term.len() <= 4
        && (text[end..].starts_with(|c: char| c.is_ascii_digit())
            || text[..start].ends_with('抗')
            || text[end..].starts_with("抗体"))
}

fn leftmost_longest(mut found: Vec<(SurfaceMatch, ConceptId)>) -> impl Iterator<Item = (SurfaceMatch, ConceptId)> {
    found.sort_by_key(|(found, _)| (found.start, std::cmp::Reverse(found.end)));
    let mut end = 0;
    found.into_iter().filter(move |(found, _)| {
        let free = found.start >= end;
        if free {
            end = found.end;
        }
        free
    })
}

/// A short Latin form must agree in its capitals: `RA` is not `ra`, `Na` not `NA`… unless the
/// report writes all of it in capitals.
fn case_agrees(found: &str, surface: &str) -> bool {
    if !found.is_ascii() || found.len() > 4 || found == surface {
        return true;
    }
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).count();
    letters(found) >= 3 && !found.chars().any(|c| c.is_ascii_lowercase()) || {
        let mut pair = found.chars().zip(surface.chars());
        letters(found) >= 2 && pair.next().is_some_and(|(a, b)| a == b && a.is_ascii_uppercase())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Digit,
    Katakana,
    Hiragana,
    Kanji,
    Other,
}

fn script(c: char) -> Script {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{370}'..='\u{3ff}' => Script::Latin,
        '0'..='9' => Script::Digit,
        '\u{30a1}'..='\u{30fa}' | 'ー' => Script::Katakana,
        '\u{3041}'..='\u{3096}' => Script::Hiragana,
        '\u{4e00}'..='\u{9fff}' | '々' => Script::Kanji,
        _ => Script::Other,
    }
}

/// Where tokens start and end.
struct Boundaries {
    at: Vec<bool>,
}

impl Boundaries {
    fn new(text: &str, tokens: &[Token]) -> Self {
        let mut at = vec![tokens.is_empty(); text.len() + 1];
        for token in tokens {
            at[token.span.start] = true;
            at[token.span.end] = true;
        }
        at[0] = true;
        at[text.len()] = true;
        Boundaries { at }
    }

    /// Latin, digit and katakana words are not cut; a short kanji or kana term must agree with the
    /// tokens (下血 is not in 皮下血腫), a long one carries its own evidence.
    fn allow_term(&self, text: &str, start: usize, end: usize) -> bool {
        if !edges_free(text, start, end) {
            return false;
        }
        let term = &text[start..end];
        let chars = term.chars().count();
        let kana = term.chars().all(|c| script(c) == Script::Hiragana);
        // から咳 is not in 1か月前から咳嗽.
        if term.chars().next().is_some_and(|c| script(c) == Script::Hiragana) && !(self.at[start] && self.at[end]) {
            return false;
        }
        if chars <= 2 || kana {
            return self.at[start] && self.at[end];
        }
        chars > 3 || self.at[start] || self.at[end]
    }

    /// A test's name may be followed by its number, and may stand inside a longer token.
    fn allow_test(&self, text: &str, start: usize, end: usize) -> bool {
        edges_free(text, start, end) || edges_free(&text[..end], start, end) && value_adjoins(text, start, end)
    }
}

/// True where a test's name that ends in a digit runs into its value: 「CA19-929432U/ml」, 「PaO257.0」.
fn value_adjoins(text: &str, start: usize, end: usize) -> bool {
    static VALUE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[0-9]{1,3}\.[0-9]|[0-9]{2,6} ?(?:[IU]|%|mm|Torr|torr|ng|pg|mg|μg|g/))")
            .expect("a constant pattern")
    });
    let name = &text[start..end];
    name.len() >= 3
        && name.ends_with(|c: char| c.is_ascii_digit())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && VALUE.is_match(&text[end..])
}

fn edges_free(text: &str, start: usize, end: usize) -> bool {
    let joined = |a: Option<char>, b: Option<char>| {
        let (Some(a), Some(b)) = (a, b) else { return false };
        matches!(
            (script(a), script(b)),
            (Script::Latin, Script::Latin) | (Script::Digit, Script::Digit) | (Script::Katakana, Script::Katakana)
        )
    };
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let first = text[start..end].chars().next();
    let last = text[start..end].chars().next_back();
    // `Stage4の肺癌` may touch a digit, `HHV6` before `7` may not.
    let suffix_of_code = first.is_some_and(|c| script(c) == Script::Latin) && before == Some('-') && end - start <= 2;
    !(joined(before, first) || joined(last, after) || suffix_of_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_of_short_forms() {
        assert!(case_agrees("RA", "RA"));
        assert!(!case_agrees("ra", "RA"));
        assert!(case_agrees("CRP", "Crp"));
    }

    #[test]
    fn words_are_not_cut() {
        assert!(!edges_free("アミロイドーシス", 0, 15));
        assert!(edges_free("WBC9000", 0, 3));
        assert!(!edges_free("WBCS", 0, 3));
    }
}
