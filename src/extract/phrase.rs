//! Noun phrases that words of finding say were there, and that no dictionary lists: 「右延髄外側に
//! 高信号を認めた」, 「bile lakeがみられ」, 「CT: 口側小腸の拡張」.

use std::sync::LazyLock;

use regex::Regex;

use super::Draft;
use crate::lexicon::Lexicon;
use crate::types::{MentionKind, Norm, Section, SectionKind, Span, Token};

/// A size at a phrase's head: 「3cm大の」, 「mm大」.
static SIZE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[0-9.×x~-]*(?:cm|mm|㎝|㎜|横指|個)(?:大|径)?").expect("a constant pattern"));

/// No phrase is longer, in characters.
const MAX_PHRASE_CHARS: usize = 26;

/// Adds unlisted findings to `drafts`, which is in reading order and stays so. Phrases end where a
/// word of finding follows, where a coordinated phrase was found, or at the end of a clause after
/// an examination's name and in physical findings. O(tokens).
pub fn extend(text: &str, sections: &[Section], tokens: &[Token], drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut phrases: Vec<Draft> = Vec::new();
    // From the end backwards: a phrase that was found says so of those coordinated before it.
    let mut coordinated: Option<usize> = None;
    let mut at = tokens.len();
    while at > 0 {
        let token = tokens[at - 1];
        at -= 1;
        let end = token.span.end;
        let next = tokens.get(at + 1);
        if !token.pos.is_nominal() || next.is_some_and(|next| next.span.start == end && next.pos.is_nominal()) {
            continue;
        }
        let rest = &text[end..];
        let known = drafts[..drafts.partition_point(|draft| draft.span.start < end)]
            .iter()
            .rev()
            .take(3)
            .find(|draft| draft.span.end == end);
        let found = coordinated == Some(end)
            || lexicon.is_found(rest)
            || ends_clause(rest) && in_findings(text, sections, tokens, at, &drafts);
        if !found {
            continue;
        }
        let start = match known {
            Some(draft) => Some(draft.span.start),
            None => {
                let span = phrase(text, tokens, at, &drafts, lexicon);
                if let Some(span) = span.filter(|&span| is_finding(text, span, lexicon)) {
                    phrases.push(Draft::new(span, MentionKind::Finding, None));
                }
                span.map(|span| span.start)
            }
        };
        coordinated = start.and_then(|start| separator_before(text, start));
        if let Some(start) = start {
            while at > 0 && tokens[at - 1].span.start >= start {
                at -= 1;
            }
        }
    }
    if phrases.is_empty() {
        return drafts;
    }
    // A phrase takes in the sites of its words; nothing else that is known lies in it.
    let mut all: Vec<Draft> = drafts
        .into_iter()
        .filter(|draft| !phrases.iter().any(|phrase| phrase.span.overlaps(&draft.span)))
        .chain(phrases.iter().cloned())
        .collect();
    all.sort_by_key(|draft| (draft.span, draft.kind));
    all
}

/// The phrase whose last token is at `last`, less the words at its ends that only frame it.
fn phrase(text: &str, tokens: &[Token], last: usize, drafts: &[Draft], lexicon: &Lexicon) -> Option<Span<Norm>> {
    let mut last = last;
    while lexicon.is_outside_names(tokens[last].span.slice(text))
        && last > 0
        && tokens[last - 1].span.end == tokens[last].span.start
        && tokens[last - 1].pos.is_nominal()
    {
        last -= 1;
    }
    let end = tokens[last].span.end;
    let mut start = end;
    let mut first_free = 0;
    for draft in drafts[..drafts.partition_point(|draft| draft.span.start < end)]
        .iter()
        .rev()
    {
        let absorbed = matches!(
            draft.kind,
            MentionKind::Site | MentionKind::Feature | MentionKind::Change
        );
        if !absorbed {
            if draft.span.end > end {
                return None;
            }
            first_free = draft.span.end;
            break;
        }
    }
    for (back, token) in tokens[..=last].iter().enumerate().rev() {
        // Words of Latin letters stand apart.
        if !matches!(&text[token.span.end.min(start)..start], "" | " ") || token.span.start < first_free {
            break;
        }
        let word = token.span.slice(text);
        let inside = token.pos.is_nominal() && !is_bracket(word) && (back == last || !lexicon.is_outside_names(word))
            || back < last && matches!(word, "の" | "な" | "状" | "様" | "-" | " ");
        if !inside {
            break;
        }
        start = token.span.start;
    }
    // 「の高信号」, 「部の閉塞」: the phrase opens with a word.
    loop {
        let words = &text[start..end];
        let trimmed = words.trim_start_matches(['の', 'な', ' ', '-', '性', '部', '的', '様', '化', '時']);
        let trimmed = SIZE.find(trimmed).map_or(trimmed, |size| &trimmed[size.end()..]);
        if trimmed.len() == words.len() {
            break;
        }
        start = end - trimmed.len();
    }
    (start < end && text[start..end].chars().count() <= MAX_PHRASE_CHARS).then(|| Span::new(start, end))
}

fn is_bracket(word: &str) -> bool {
    !word.chars().any(char::is_alphanumeric)
}

/// Long enough to name something, and no word that frames findings (所見, 入院, 検査).
fn is_finding(text: &str, span: Span<Norm>, lexicon: &Lexicon) -> bool {
    let words = span.slice(text);
    let chars = words.chars().count();
    let letters = words.chars().filter(|c| c.is_alphabetic()).count();
    let last = words.rsplit('の').next().unwrap_or(words);
    chars >= 2
        && letters >= 2
        && (!words.is_ascii() || words.len() >= 4)
        && !lexicon.is_frame_word(words)
        && !lexicon.is_frame_word(last)
        && !lexicon.is_generic(words)
        && !words.starts_with(|c: char| c.is_ascii_digit())
}

fn ends_clause(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['、', '。', ',', ';', '\n', '.', '('])
}

/// The end of the phrase before a separator of coordinated phrases that ends at `start`.
fn separator_before(text: &str, start: usize) -> Option<usize> {
    let before = &text[..start];
    ["、", ",", "と", "や", "および", "及び", "・", ", ", "ならびに"]
        .iter()
        .filter_map(|separator| before.strip_suffix(separator))
        .map(str::len)
        .min()
}

/// True in a sentence that has named an examination before this token, and in the section of
/// physical findings.
fn in_findings(text: &str, sections: &[Section], tokens: &[Token], at: usize, drafts: &[Draft]) -> bool {
    let position = tokens[at].span.start;
    let section = sections
        .get(sections.partition_point(|section| section.span.end <= position))
        .map(|section| section.kind);
    if section == Some(SectionKind::PhysicalExam) {
        return true;
    }
    let sentence_start = text[..position].rfind(['。', '\n']).map_or(0, |stop| stop);
    let before = drafts.partition_point(|draft| draft.span.start < position);
    drafts[..before]
        .iter()
        .rev()
        .take_while(|draft| draft.span.start >= sentence_start)
        .any(|draft| draft.kind == MentionKind::Exam)
}
