//! Findings that a clause tells of a noun: 「右肝静脈は高度に狭窄し」, 「階段昇降が困難」, 「腫大した
//! 虫垂」. No dictionary lists them all; which words tell so much is in cues/predicate.tsv.

use std::sync::LazyLock;

use regex::Regex;

use super::{Draft, put_over};
use crate::lexicon::{Lexicon, Predicate};
use crate::types::{Direction, MentionKind, Norm, Span, Token};

/// No noun is longer, in characters.
const MAX_NOUN_CHARS: usize = 12;

/// No word between the noun and what is told of it is longer, in characters.
const MAX_BETWEEN_CHARS: usize = 14;

/// What stands between the noun and what is told of it, last word first: degree, extent, shape,
/// direction, size, each with what follows it (「主膵管は12mmとびまん性に拡張」, 「胆嚢が正中側に偏位」).
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:",
        r"(?:約|径|最大径?)? ?[0-9][0-9,.]* ?(?:mm|cm|倍|度|%|[A-Za-zμ]{1,4}(?:/[A-Za-z]{1,4})?)(?:大|程度)?(?:にまで|まで|に|と|へと?)",
        r"|[\p{Han}\p{Katakana}ー]{1,6}[状様性]に",
        r"|(?:高度|軽度|中等度|著明|顕著|軽微|急速|急激|徐々|次第|速やか|完全|部分的|一部|全体|非常|均一|不均一|両側とも|左右とも)(?:に|で)?",
        r"|(?:[上下左右前後内外]方|[頭尾背腹内外左右患健対]側|正中側|中央|末梢側|中枢側)(?:に|へと?|から)",
        r"|著しく|強く|やや|若干|ともに|とも|いずれも|わずかに|僅かに|なお|さらに|既に|すでに",
        r")[、,]?$",
    ))
    .expect("a constant pattern")
});

/// Adds what clauses tell of nouns to `drafts`, which is in reading order and stays so. The noun is
/// a site or a run of nouns that names nothing else. O(tokens + drafts).
pub fn extend(text: &str, tokens: &[Token], drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut told: Vec<Draft> = Vec::new();
    for (start, predicate) in lexicon.predicates_in(text) {
        let span: Span<Norm> = Span::new(start, start + predicate.word.len());
        if !stands_alone(text, tokens, span) || told.last().is_some_and(|last| last.span.end > span.start) {
            continue;
        }
        let noun = noun_before(text, tokens, &drafts, span, predicate.is_level, lexicon)
            .map(|noun| (noun, Span::new(noun.start, span.end)));
        let noun = noun.or_else(|| {
            let site = predicate.of_organ.then(|| site_after(text, &drafts, span))??;
            Some((site, Span::new(span.start, site.end)))
        });
        let Some((noun, whole)) = noun else { continue };
        if !names_something(noun.slice(text), predicate, lexicon) || !free(&drafts, noun, span, predicate) {
            continue;
        }
        let name = format!("{}{}", noun.slice(text), predicate.word);
        let listed = lexicon.lookup_modified_condition(&name);
        if predicate.is_level && listed.is_none() {
            told.extend(Draft::unlisted_result(noun, span, level(&predicate.word)));
            continue;
        }
        let head = drafts
            .iter()
            .find(|draft| draft.span == span)
            .and_then(|draft| draft.concept);
        let concept = listed.or(head);
        told.push(Draft {
            expansion: Some(name),
            ..Draft::new(whole, MentionKind::Finding, concept)
        });
    }
    put_over(drafts, told)
}

fn level(word: &str) -> Direction {
    if word.contains("力価") {
        Direction::Positive
    } else if word.contains(['低', '減']) || word.ends_with("以下") {
        Direction::Low
    } else {
        Direction::High
    }
}

/// True when the word is not the start or the end of a longer one: 狭窄 of 狭窄部.
fn stands_alone(text: &str, tokens: &[Token], span: Span<Norm>) -> bool {
    let next = tokens.partition_point(|token| token.span.start < span.end);
    let cut = next > 0 && tokens[next - 1].span.end > span.end;
    let longer = tokens
        .get(next)
        .is_some_and(|token| token.span.start == span.end && token.pos.is_nominal() && is_word(token.span.slice(text)));
    !cut && !longer
}

fn is_word(word: &str) -> bool {
    word.chars().all(char::is_alphanumeric)
}

/// The noun of 「XはY」, 「XがY」, 「Xも高度にY」, 「XのY」; of 「XY」 where it may be `joined`.
fn noun_before(
    text: &str,
    tokens: &[Token],
    drafts: &[Draft],
    predicate: Span<Norm>,
    joined: bool,
    lexicon: &Lexicon,
) -> Option<Span<Norm>> {
    let mut before = &text[..predicate.start];
    // No clause has more of them.
    for _ in 0..4 {
        // The longest that ends here starts first.
        let from = before
            .char_indices()
            .rev()
            .nth(MAX_BETWEEN_CHARS)
            .map_or(0, |(at, _)| at);
        let Some(found) = BETWEEN.find(&before[from..]) else {
            break;
        };
        before = &before[..from + found.start()];
    }
    let mut before = before.trim_end_matches(['、', ',']);
    // 「胆管は左右肝管分岐部で途絶」: where it is told of the noun.
    if let Some(place) = before.strip_suffix('で')
        && let Some(site) = drafts
            .iter()
            .rev()
            .find(|draft| draft.kind == MentionKind::Site && draft.span.end == place.len())
        && text[..site.span.start].ends_with(['は', 'が', 'も'])
    {
        before = &text[..site.span.start];
    }
    let end = match before.strip_suffix(['は', 'が', 'も', 'の']) {
        Some(noun) => noun.len(),
        None if joined => before.len(),
        None => return None,
    };
    // What is listed with の is a compound already: 胆嚢壁の肥厚.
    if before.ends_with('の') && drafts.iter().any(|draft| draft.span == predicate) {
        return None;
    }
    let last = tokens.partition_point(|token| token.span.end <= end);
    let mut start = end;
    for token in tokens[..last].iter().rev() {
        let word = token.span.slice(text);
        // 「尿中LTE4」, 「血中NSE」: where it is measured, and the numbers of its name.
        let of_test = joined && (word.ends_with('中') || word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let of_name = token.pos.is_nominal() && !lexicon.is_outside_names(word);
        if token.span.end != start || !is_word(word) || !of_name && !of_test {
            break;
        }
        start = token.span.start;
    }
    let site = drafts
        .iter()
        .rev()
        .find(|draft| draft.kind == MentionKind::Site && draft.span.end == end);
    if let Some(site) = site {
        start = start.min(site.span.start);
    }
    (start < end && text[start..end].chars().count() <= MAX_NOUN_CHARS).then(|| Span::new(start, end))
}

/// The site of 「腫大した虫垂」.
fn site_after(text: &str, drafts: &[Draft], predicate: Span<Norm>) -> Option<Span<Norm>> {
    let rest = &text[predicate.end..];
    let link = ["した", "している", "状の", "性の"]
        .iter()
        .find(|link| rest.starts_with(**link))?;
    let start = predicate.end + link.len();
    let site = drafts
        .iter()
        .find(|draft| draft.kind == MentionKind::Site && draft.span.start == start)?;
    Some(site.span)
}

fn names_something(noun: &str, predicate: &Predicate, lexicon: &Lexicon) -> bool {
    let letters = noun.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 1
        && !noun.chars().all(|c| c.is_ascii_digit())
        && (letters >= 2 || !lexicon.lookup(noun).is_empty())
        && !lexicon.is_frame_word(noun)
        && !lexicon.is_generic(noun)
        && !predicate.except.iter().any(|except| noun.ends_with(except.as_str()))
}

/// True when nothing stands there but sites and words for what the predicate itself says.
fn free(drafts: &[Draft], noun: Span<Norm>, span: Span<Norm>, predicate: &Predicate) -> bool {
    drafts
        .iter()
        .all(|draft| match (draft.span.overlaps(&noun), draft.span.overlaps(&span)) {
            // 「ALST高値」 as a phrase that nobody lists.
            (true, _) if predicate.is_level && draft.kind == MentionKind::Finding && draft.concept.is_none() => true,
            (false, false) => true,
            (true, false) => matches!(draft.kind, MentionKind::Site | MentionKind::Feature),
            (false, true) => draft.span == span && draft.value.is_none(),
            (true, true) => false,
        })
}
