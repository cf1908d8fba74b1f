//! Markers and reactions that no dictionary lists, with a plain result: 「CK20(-)」, 「DOG1陽性」,
//! 「皮内反応は陰性」, 「JAK2 V617F変異陽性」.

use std::sync::LazyLock;

use regex::Regex;

use super::{Draft, put_over};
use crate::types::{Direction, MentionKind, Norm, Span, Value};

/// A name and its result. Latin names stand free; Japanese ones end in a word for a kind of test.
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<name>(?:[A-Za-zα-ωΑ-Ω][A-Za-z0-9α-ω./-]{0,14}(?: ?[A-Z][A-Za-z0-9]{1,7})?(?:変異|発現|抗体|抗原|遺伝子|融合遺伝子|染色|蛋白)?)",
        r"|(?:(?:[\p{Han}\p{Katakana}ーA-Za-z0-9α-ω-]{1,14}(?:受容体|レセプター|鎖|遺伝子)[\p{Han}\p{Katakana}ーA-Za-z0-9α-ω-]{0,6}の)?[\p{Han}\p{Katakana}ーA-Za-z0-9α-ω-]{0,16}(?:抗体|抗原|反応|試験|テスト|変異|発現|染色|再構成|培養|断端|細胞診)))",
        r"(?P<link>(?:は|が|も|では|の)?(?:いずれも|ともに|すべて|全て|強)? ?)",
        r"(?P<result>\([1-4]?\+[^()]{0,8}\)|\(-\)|\(±\)|陽性|陰性)"
    ))
    .expect("a constant pattern")
});

/// Adds the markers that `drafts` lacks. A finding that only repeats the marker (CK7(+)) gives way;
/// a test that is listed stands. O(n).
pub fn extend(text: &str, drafts: Vec<Draft>) -> Vec<Draft> {
    let mut found: Vec<Draft> = Vec::new();
    for capture in MARKER.captures_iter(text) {
        let (Some(name), Some(result)) = (capture.name("name"), capture.name("result")) else {
            continue;
        };
        let direction = direction_of(result.as_str());
        let name_span: Span<Norm> = Span::new(name.start(), name.end());
        let extent = Span::new(name.start(), result.end());
        let listed = drafts.iter().any(|draft| {
            // What a test is made with is part of its name: ノルアドレナリン皮内反応; and a test may be
            // listed as an examination: シルマー試験陽性.
            let in_name = match draft.kind {
                MentionKind::Feature | MentionKind::Site => true,
                MentionKind::Drug => draft.span.end < name.end(),
                MentionKind::Exam => draft.span.end == name.end(),
                _ => false,
            };
            draft.span.overlaps(&extent)
                && (matches!(draft.kind, MentionKind::TestItem | MentionKind::TestValue)
                    || draft.concept.is_some() && (!extent.contains(&draft.span) || !in_name))
        });
        if listed || name.as_str().chars().count() < 2 {
            continue;
        }
        let result_span = Span::new(result.start(), result.end());
        found.extend(Draft::unlisted_result(name_span, result_span, direction));
    }
    found.extend(examinations(text, &drafts, &found));
    found.extend(verdicts(text, &drafts));
    put_over(drafts, found)
}

/// What a look at cells or tissue comes to: 「細胞診で悪性と診断」, 「生検の結果はGroup 4」.
fn verdicts(text: &str, drafts: &[Draft]) -> Vec<Draft> {
    static VERDICT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"^(?:検査|診断|所見)?(?:の?結果)?(?:にて|では|で|に|は|も|より|:)?(?:、|,)? ?",
            r"(?P<verdict>悪性|良性|[Cc]lass ?(?:[1-5]|I{1,3}|IV|V)[ab]?|クラス ?[1-5]|[Gg]roup ?(?:[1-5]|I{1,3}|IV|V))",
            r"(?:と|の(?:診断|所見|結果)|で|であ|所見|を|、|。|,|\.|\)|$)",
        ))
        .expect("a constant pattern")
    });
    let of_cells = |draft: &&Draft| {
        let name = draft.span.slice(text).trim_end_matches("検査");
        let ends = ["細胞診", "生検", "組織診", "病理", "組織"];
        draft.kind == MentionKind::Exam && ends.iter().any(|end| name.ends_with(end))
    };
    let verdict = |exam: &Draft| {
        let found = VERDICT.captures(&text[exam.span.end..])?.name("verdict")?;
        let span = Span::new(exam.span.end + found.start(), exam.span.end + found.end());
        let is_free = drafts
            .iter()
            .all(|other| !other.span.overlaps(&span) || span.contains(&other.span));
        is_free.then(|| Draft::new(span, MentionKind::Finding, None))
    };
    drafts.iter().filter(of_cells).filter_map(verdict).collect()
}

/// Examinations with a plain result, which they share where they are listed: 「耳下腺造影、シルマー試験
/// ともに陽性」, 「ツ反(-)」.
fn examinations(text: &str, drafts: &[Draft], found: &[Draft]) -> Vec<Draft> {
    static RESULT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:は|が|も|では|:)? ?(?:いずれも|ともに|すべて|全て|強|弱)? ?(?P<result>\([1-4]?\+\)|\(-\)|\(±\)|疑陽性|偽陽性|陽性|陰性)(?P<of>[^\s、。,.)]?)")
            .expect("a constant pattern")
    });
    let mut results: Vec<Draft> = Vec::new();
    // From the end backwards, so that the last of a list passes its result on.
    let mut shared: Option<(usize, Value)> = None;
    for draft in drafts.iter().rev().filter(|draft| draft.kind == MentionKind::Exam) {
        let rest = &text[draft.span.end..];
        let own = RESULT.captures(rest).and_then(|capture| {
            let result = capture.name("result")?;
            // 「陽性所見」, 「陽性率」 are no result.
            let of = capture.name("of").map_or("", |of| of.as_str());
            let goes_on = of
                .chars()
                .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c) && !matches!(c, '及' | '並'))
                && result.as_str().ends_with('性');
            (!goes_on).then(|| (result.start(), result.end(), direction_of(result.as_str())))
        });
        let value = match own {
            Some((start, end, direction)) => {
                let span = Span::new(draft.span.end + start, draft.span.end + end);
                if drafts
                    .iter()
                    .chain(found)
                    .any(|other| other.span.overlaps(&span) && other.span != span)
                {
                    shared = None;
                    continue;
                }
                let value = Value {
                    direction: Some(direction),
                    ..Value::default()
                };
                results.push(Draft {
                    value: Some(value.clone()),
                    ..Draft::new(span, MentionKind::TestValue, None)
                });
                value
            }
            None => match &shared {
                Some((start, value))
                    if matches!(text.get(draft.span.end..*start), Some("、" | "," | "・" | "と" | ", ")) =>
                {
                    value.clone()
                }
                _ => {
                    shared = None;
                    continue;
                }
            },
        };
        results.push(Draft {
            value: Some(value.clone()),
            ..Draft::new(draft.span, MentionKind::TestItem, draft.concept)
        });
        shared = Some((draft.span.start, value));
    }
    results
}

pub(super) fn direction_of(result: &str) -> Direction {
    match result {
        "陰性" => Direction::Negative,
        "疑陽性" | "偽陽性" => Direction::Equivocal,
        sign if sign.contains('±') => Direction::Equivocal,
        sign if sign.contains('-') => Direction::Negative,
        _ => Direction::Positive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<Direction>)> {
        extend(text, Vec::new())
            .iter()
            .filter(|draft| draft.kind == MentionKind::TestItem)
            .map(|draft| {
                let direction = draft.value.as_ref().and_then(|value| value.direction);
                (draft.span.slice(text).to_owned(), direction)
            })
            .collect()
    }

    #[test]
    fn immunostains() {
        let (plus, minus) = (Some(Direction::Positive), Some(Direction::Negative));
        assert_eq!(
            read("免疫染色にてCK7(+),CK20(-),ER(+:95%),E-cadherin(-)を示した"),
            [
                ("CK7".into(), plus),
                ("CK20".into(), minus),
                ("ER".into(), plus),
                ("E-cadherin".into(), minus)
            ]
        );
    }

    #[test]
    fn reactions_and_mutations() {
        assert_eq!(
            read("自己血清皮内反応は陰性。JAK2 V617F変異陽性。"),
            [
                ("自己血清皮内反応".into(), Some(Direction::Negative)),
                ("JAK2 V617F変異".into(), Some(Direction::Positive))
            ]
        );
    }
}
