//! Tests with a substance: 「特異的IgEはシラカンバ・ハンノキでクラス5」, 「セレコキシブのパッチテスト
//! 陽性」, 「プリックテストでは豆乳(3+)、小麦(-)」. Each substance has a result of its own, which the
//! notation writes セレコキシブパッチテスト/陽性.

use std::sync::LazyLock;

use regex::Regex;

use super::{Draft, put_over};
use crate::lexicon::Lexicon;
use crate::types::{Direction, MentionKind, Norm, Span, Value};

/// A name of a substance: no particles of hiragana in it, so that clauses stay apart.
const NAME: &str = r"[^\s、,。・()（）\[\]:;=はがをにでもと]{1,16}";

/// A result, and the separators of a list.
const RESULT: &str = r"クラス ?[0-6]|class ?[0-6]|\([1-4]?\+\)|[1-4]\+|\(-\)|強陽性|弱陽性|陽性|陰性";

/// 「シラカンバ・ハンノキでクラス5」 after the test's name.
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?P<list>{NAME}(?:(?:[・、,]|と|および|及び){NAME}){{0,9}})(?:で|は|が|に|も|のみ|に対し(?:て)?|:|共に|ともに|いずれも|すべて){{0,3}}(?P<result>{RESULT})"
    ))
    .expect("a constant pattern")
});

/// 「セレコキシブ、テプレノンの」 before the test's name.
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?P<list>{NAME}(?:(?:[・、,]|と|および|及び){NAME}){{0,5}})(?:の|に対する|による)?$"
    ))
    .expect("a constant pattern")
});

/// A result directly after the test's name.
static DIRECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^(?:は|が|も|では|で)?(?:いずれも|ともに|すべて)?(?P<result>{RESULT})"
    ))
    .expect("a constant pattern")
});

static SEPARATOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"・|、|,|と|および|及び").expect("a constant pattern"));

/// How far results may stand behind the test's name, in bytes.
const REACH: usize = 300;

/// Adds the results of substances to `drafts`, which is in reading order and stays so. O(n).
pub fn extend(text: &str, drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut found: Vec<Draft> = Vec::new();
    let mut end = 0;
    for (anchor, test) in lexicon.substance_tests_in(text) {
        if anchor.start < end {
            continue;
        }
        let read_to = end;
        end = anchor.end;
        let rest = &text[anchor.end..];
        if let Some(direct) = DIRECT.captures(rest).and_then(|found| found.name("result")) {
            let clause = text[..anchor.start]
                .rfind(['。', '\n', ';'])
                .map_or(0, |stop| stop + text[stop..].chars().next().map_or(1, char::len_utf8))
                .max(read_to);
            end = anchor.end + direct.end();
            let before = text[clause..anchor.start].trim_start_matches(['、', ',', ' ']);
            let from = anchor.start - before.len();
            if let Some(list) = BEFORE.captures(before).and_then(|found| found.name("list")) {
                let list = Span::new(from + list.start(), from + list.end());
                let result = Span::new(anchor.end + direct.start(), end);
                add(text, list, result, test, lexicon, &mut found);
            }
            continue;
        }
        // Up to the next test of this kind, or the sentence's end.
        let stop = rest.find(['。', '\n', ';']).unwrap_or(rest.len()).min(REACH);
        let stop = (0..=stop).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(0);
        let next = lexicon
            .substance_tests_in(&rest[..stop])
            .first()
            .map_or(stop, |(next, _)| next.start);
        // 「では、」, 「は」, 「を行い」 stand between the test and the first substance.
        let clause = &rest[..next];
        let body = clause.trim_start_matches(['で', 'は', 'に', 'て', 'の', 'が', '、', ',', ':', ' ']);
        let body = ["を行い", "を行ったところ", "を施行し", "を施行したところ", "を施行、"]
            .iter()
            .find_map(|lead| body.strip_prefix(lead))
            .unwrap_or(body);
        let from = anchor.end + clause.len() - body.len();
        for capture in AFTER.captures_iter(body) {
            let (Some(list), Some(result)) = (capture.name("list"), capture.name("result")) else {
                continue;
            };
            let list = Span::new(from + list.start(), from + list.end());
            let result = Span::new(from + result.start(), from + result.end());
            end = end.max(result.end);
            add(text, list, result, test, lexicon, &mut found);
        }
    }
    found.sort_by_key(|draft| (draft.span, draft.kind));
    found.dedup_by(|b, a| a.span == b.span);
    put_over(drafts, found)
}

fn add(text: &str, list: Span<Norm>, result: Span<Norm>, test: &str, lexicon: &Lexicon, found: &mut Vec<Draft>) {
    let words = result.slice(text);
    let negative = words.contains('-') || words == "陰性" || words.ends_with('0');
    let value = Value {
        direction: Some(if negative {
            Direction::Negative
        } else {
            Direction::Positive
        }),
        ..Value::default()
    };
    let mut items: Vec<Span<Norm>> = Vec::new();
    let mut start = list.start;
    for separator in SEPARATOR.find_iter(list.slice(text)) {
        items.push(Span::new(start, list.start + separator.start()));
        start = list.start + separator.end();
    }
    items.push(Span::new(start, list.end));
    let before = found.len();
    for item in items {
        let name = item.slice(text);
        let only = ["のみ", "だけ", "の"].iter().find_map(|only| name.strip_suffix(only));
        let name = only.unwrap_or(name);
        let item = Span::new(item.start, item.start + name.len());
        let names_something = name
            .chars()
            .any(|c| c.is_alphabetic() && !('\u{3041}'..='\u{309f}').contains(&c))
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !lexicon.is_frame_word(name)
            && !lexicon.is_generic(name);
        if names_something {
            found.push(Draft {
                value: Some(value.clone()),
                expansion: Some(format!("{name}{test}")),
                ..Draft::new(item, MentionKind::TestItem, None)
            });
        }
    }
    if found.len() > before {
        found.push(Draft {
            value: Some(value),
            ..Draft::new(result, MentionKind::TestValue, None)
        });
    }
}
