//! Normalised text → sections and sentences.
//!
//! Headings are found by their brackets (【主訴】 <現症> 〔経過〕 ■既往歴 「入院時検査所見」), by a
//! colon after a known heading word, or as S/O/A/P at the start of a line. A report without
//! headings is one section, except that what stands before its 「症例は…」 is background.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

use crate::types::{Norm, Section, SectionKind, Sentence, Span};

/// Words that name a section, with the section that each names. The longest match decides; among
/// equally long ones the later in the heading (「治療経過」 is a course).
const HEADINGS: &[(&str, SectionKind)] = &[
    ("主訴", SectionKind::ChiefComplaint),
    ("現病歴", SectionKind::PresentIllness),
    ("現症歴", SectionKind::PresentIllness),
    ("病歴", SectionKind::PresentIllness),
    ("既往歴", SectionKind::PastHistory),
    ("既往", SectionKind::PastHistory),
    ("合併症", SectionKind::Comorbidity),
    ("併存症", SectionKind::Comorbidity),
    ("併存疾患", SectionKind::Comorbidity),
    ("基礎疾患", SectionKind::Comorbidity),
    ("家族歴", SectionKind::FamilyHistory),
    ("生活歴", SectionKind::SocialHistory),
    ("社会歴", SectionKind::SocialHistory),
    ("職業歴", SectionKind::SocialHistory),
    ("生活史", SectionKind::SocialHistory),
    ("嗜好", SectionKind::SocialHistory),
    ("飲酒歴", SectionKind::SocialHistory),
    ("喫煙歴", SectionKind::SocialHistory),
    ("渡航歴", SectionKind::SocialHistory),
    ("内服", SectionKind::Medication),
    ("内服薬", SectionKind::Medication),
    ("常用薬", SectionKind::Medication),
    ("服薬歴", SectionKind::Medication),
    ("薬剤歴", SectionKind::Medication),
    ("アレルギー歴", SectionKind::Allergy),
    ("アレルギー", SectionKind::Allergy),
    ("現症", SectionKind::PhysicalExam),
    ("初診時現症", SectionKind::PhysicalExam),
    ("入院時現症", SectionKind::PhysicalExam),
    ("理学所見", SectionKind::PhysicalExam),
    ("理学的所見", SectionKind::PhysicalExam),
    ("身体所見", SectionKind::PhysicalExam),
    ("身体診察", SectionKind::PhysicalExam),
    ("神経学的所見", SectionKind::PhysicalExam),
    ("皮膚症状", SectionKind::PhysicalExam),
    ("局所所見", SectionKind::PhysicalExam),
    ("臨床所見", SectionKind::PhysicalExam),
    ("バイタルサイン", SectionKind::PhysicalExam),
    ("検査", SectionKind::Tests),
    ("検査所見", SectionKind::Tests),
    ("検査成績", SectionKind::Tests),
    ("検査値", SectionKind::Tests),
    ("血液所見", SectionKind::Tests),
    ("血液検査", SectionKind::Tests),
    ("血算", SectionKind::Tests),
    ("血清", SectionKind::Tests),
    ("生化", SectionKind::Tests),
    ("生化学", SectionKind::Tests),
    ("尿所見", SectionKind::Tests),
    ("検尿", SectionKind::Tests),
    ("髄液所見", SectionKind::Tests),
    ("血清学的所見", SectionKind::Tests),
    ("肺機能", SectionKind::Tests),
    ("データ", SectionKind::Tests),
    ("画像", SectionKind::Imaging),
    ("画像所見", SectionKind::Imaging),
    ("画像診断", SectionKind::Imaging),
    ("画像検査", SectionKind::Imaging),
    ("CT", SectionKind::Imaging),
    ("MRI", SectionKind::Imaging),
    ("レントゲン", SectionKind::Imaging),
    ("X線", SectionKind::Imaging),
    ("エコー", SectionKind::Imaging),
    ("病理", SectionKind::Pathology),
    ("病理所見", SectionKind::Pathology),
    ("病理組織", SectionKind::Pathology),
    ("組織学的所見", SectionKind::Pathology),
    ("組織所見", SectionKind::Pathology),
    ("病理診断", SectionKind::Pathology),
    ("剖検", SectionKind::Pathology),
    ("剖検所見", SectionKind::Pathology),
    ("生検", SectionKind::Pathology),
    ("診断", SectionKind::Diagnosis),
    ("臨床診断", SectionKind::Diagnosis),
    ("最終診断", SectionKind::Diagnosis),
    ("経過", SectionKind::Course),
    ("臨床経過", SectionKind::Course),
    ("入院後経過", SectionKind::Course),
    ("治療経過", SectionKind::Course),
    ("治療と経過", SectionKind::Course),
    ("治療後の経過", SectionKind::Course),
    ("結果", SectionKind::Course),
    ("転帰", SectionKind::Course),
    ("治療", SectionKind::Treatment),
    ("処置", SectionKind::Treatment),
    ("手術", SectionKind::Treatment),
    ("手術所見", SectionKind::Pathology),
    ("考察", SectionKind::Discussion),
    ("考案", SectionKind::Discussion),
    ("結語", SectionKind::Conclusion),
    ("結論", SectionKind::Conclusion),
    ("まとめ", SectionKind::Conclusion),
    ("まとめと考察", SectionKind::Discussion),
    ("緒言", SectionKind::Background),
    ("はじめに", SectionKind::Background),
    ("背景", SectionKind::Background),
    ("目的", SectionKind::Background),
    ("序論", SectionKind::Background),
    ("症例", SectionKind::Case),
    ("症例提示", SectionKind::Case),
    ("症例報告", SectionKind::Case),
    ("患者", SectionKind::Case),
    ("初診", SectionKind::PresentIllness),
    ("入院時", SectionKind::PresentIllness),
    ("表題", SectionKind::Title),
    ("演題", SectionKind::Title),
    ("タイトル", SectionKind::Title),
];

/// Headings of the SOAP scheme, at the start of a line only.
const SOAP: &[(&str, SectionKind)] = &[
    ("S", SectionKind::PresentIllness),
    ("O", SectionKind::PhysicalExam),
    ("A", SectionKind::Diagnosis),
    ("P", SectionKind::Treatment),
];

/// A bracket pair with up to sixteen characters, or a bullet at a line's start. OCR reads `<` as
/// `く` and `>` as `〉`, so brackets need not match in kind.
static BRACKETED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?m)【([^】\n]{1,24})】:?|(?:^|[。.\s>)\]])?([<〔《［\[く〈「『]([^<>〔〕【】《》\[\]「」『』〈〉\n、。]{1,16})[>〕》］\]〉」』]):?|^\s*[■●◆○◎▼□・*#]+\s*([^\s:、。\n]{1,14})(?:\s*:|\s|$)",
    )
    .expect("a constant pattern")
});

/// A known word and a colon, at the start of a line or sentence.
static COLON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)(?:^|[。.,、]|\s)\s*(?:\(?\d{1,2}[).]\s*)?([^\s:、。.,()\n<>【】]{2,12})[:;]")
        .expect("a constant pattern")
});

/// S/O/A/P at the start of a line.
static SOAP_LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*([SOAP])\s*[):]\s*").expect("a constant pattern"));

/// A line that is nothing but a known heading.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(?:\d{1,2}[.)]\s*)?([^\s:、。.,()\n]{2,12})\s*$").expect("a constant pattern")
});

/// Where the case begins in a report without headings.
static CASE_START: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:症例|患者|患児)\d?(?:は|:|,|、|\s)|\d{1,3}\s*(?:歳|才|代|か月|ヵ月)[^。\n]{0,8}(?:男|女)")
        .expect("a constant pattern")
});

/// A first line that is a title: 「…の1例」.
static TITLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[^。\n]{6,80}(?:[1一2２]\s?例|症例)\s*\n").expect("a constant pattern"));

/// Where a report without headings turns from the case to what is known of such cases.
static DISCUSSION_START: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"本邦(?:での|に[おけ]|報告)|文献的考察|検索し(?:え|得)た(?:限り|範囲)|報告例は|(?:極めて|きわめて|比較的|非常に)?(?:稀|まれ|希)(?:な|で)(?:疾患|病態|あ|は)|一般に").expect("a constant pattern")
});

/// All words of [`HEADINGS`] at once.
static HEADING_WORDS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(HEADINGS.iter().map(|(word, _)| word)).expect("a few constant words"));

/// The section that a heading's words name; `None` when they name none. O(length).
fn heading_kind(words: &str) -> Option<SectionKind> {
    let words = words.trim().trim_end_matches([':', ' ']);
    if words.is_empty() {
        return None;
    }
    HEADING_WORDS
        .find_overlapping_iter(words)
        .map(|found| (found.end(), found.len(), HEADINGS[found.pattern().as_usize()].1))
        .max_by_key(|(end, len, _)| (*end == words.len(), *len, *end))
        .map(|(_, _, kind)| kind)
}

/// Splits a normalised text into sections that cover it, headings excepted. O(n).
///
/// ```
/// use shorei::{segment::sections, types::SectionKind};
/// let kinds: Vec<_> = sections("【主訴】発熱【現病歴】3日前から発熱。").iter().map(|s| s.kind).collect();
/// assert_eq!(kinds, [SectionKind::ChiefComplaint, SectionKind::PresentIllness]);
/// ```
pub fn sections(text: &str) -> Vec<Section> {
    let mut headings = headings(text);
    headings.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut sections: Vec<Section> = Vec::new();
    let mut body_start = 0;
    let mut current: (Option<Span<Norm>>, SectionKind) = (None, SectionKind::Other);
    for (span, kind) in headings {
        if span.start < body_start && current.0.is_some() {
            continue;
        }
        close(text, &mut sections, current, body_start, span.start);
        current = (Some(span), kind);
        body_start = span.end;
    }
    close(text, &mut sections, current, body_start, text.len());
    split_unheaded(text, sections)
}

fn close(
    text: &str,
    sections: &mut Vec<Section>,
    (heading, kind): (Option<Span<Norm>>, SectionKind),
    start: usize,
    end: usize,
) {
    let body = Span::new(start, end);
    if heading.is_some() || !body.slice(text).trim().is_empty() {
        sections.push(Section {
            kind,
            heading,
            span: body,
        });
    }
}

fn headings(text: &str) -> Vec<(Span<Norm>, SectionKind)> {
    let mut found = Vec::new();
    for captures in BRACKETED.captures_iter(text) {
        if let (Some(whole), Some(words)) = (captures.get(0), captures.get(1)) {
            // 【】 always is a heading, also with words that we do not know.
            let kind = heading_kind(words.as_str()).unwrap_or(SectionKind::Other);
            found.push((Span::new(whole.start(), whole.end()), kind));
        } else if let (Some(bracket), Some(words)) = (captures.get(2), captures.get(3)) {
            let quoted = bracket.as_str().starts_with(['「', '『', 'く', '[']);
            let kind = heading_kind(words.as_str());
            // 「」 also quote, OCR's く is also a kana: these need a heading word at the end.
            let exact = ends_in_heading_word(words.as_str());
            if let Some(kind) = kind
                && (!quoted || exact)
            {
                found.push((Span::new(bracket.start(), bracket.end()), kind));
            }
        } else if let Some(words) = captures.get(4)
            && ends_in_heading_word(words.as_str())
            && let Some(kind) = heading_kind(words.as_str())
        {
            let start = captures.get(0).map_or(words.start(), |whole| whole.start());
            found.push((Span::new(start, words.end()), kind));
        }
    }
    for pattern in [&*COLON, &*BARE] {
        for captures in pattern.captures_iter(text) {
            let (Some(whole), Some(words)) = (captures.get(0), captures.get(1)) else {
                continue;
            };
            if ends_in_heading_word(words.as_str())
                && let Some(kind) = heading_kind(words.as_str())
            {
                let end = if text[..whole.end()].ends_with('\n') {
                    words.end()
                } else {
                    whole.end()
                };
                found.push((Span::new(words.start(), end), kind));
            }
        }
    }
    let soap: Vec<_> = SOAP_LINE
        .captures_iter(text)
        .filter_map(|c| Some((c.get(0)?, c.get(1)?)))
        .collect();
    // One "A:" is an answer or an artery; two letters of the four are the scheme.
    if soap.len() >= 2 {
        for (whole, letter) in soap {
            if let Some((_, kind)) = SOAP.iter().find(|(name, _)| *name == letter.as_str()) {
                found.push((Span::new(letter.start(), whole.end()), *kind));
            }
        }
    }
    found
}

fn ends_in_heading_word(words: &str) -> bool {
    let words = words.trim().trim_end_matches(|c: char| c.is_ascii_digit());
    HEADINGS.iter().any(|(word, _)| words.ends_with(word))
}

/// Finds background and discussion in long sections that no heading tells apart.
fn split_unheaded(text: &str, sections: Vec<Section>) -> Vec<Section> {
    let mut split = Vec::with_capacity(sections.len() + 2);
    for section in sections {
        if !matches!(section.kind, SectionKind::Other | SectionKind::Case) {
            split.push(section);
            continue;
        }
        let mut section = section;
        if section.heading.is_none()
            && section.span.start == 0
            && let Some(title) = TITLE.find(section.span.slice(text))
        {
            split.push(Section {
                kind: SectionKind::Title,
                heading: None,
                span: Span::new(0, title.end()),
            });
            section.span = Span::new(title.end(), section.span.end);
        }
        let body = section.span.slice(text);
        if section.heading.is_none()
            && let Some(start) = CASE_START.find(body)
        {
            let at = sentence_start(body, start.start());
            if at > 0 && !body[..at].trim().is_empty() {
                split.push(Section {
                    kind: SectionKind::Background,
                    heading: None,
                    span: Span::new(section.span.start, section.span.start + at),
                });
                section = Section {
                    kind: SectionKind::Case,
                    heading: None,
                    span: Span::new(section.span.start + at, section.span.end),
                };
            } else {
                section.kind = SectionKind::Case;
            }
        }
        let body = section.span.slice(text);
        // Only what stands in the last half can be the discussion.
        let half = body
            .char_indices()
            .nth(body.chars().count() / 2)
            .map_or(0, |(at, _)| at);
        let discussion = DISCUSSION_START
            .find_iter(body)
            .map(|found| sentence_start(body, found.start()))
            .find(|&at| at >= half && at > 0);
        if let Some(at) = discussion {
            let middle = section.span.start + at;
            split.push(Section {
                span: Span::new(section.span.start, middle),
                ..section.clone()
            });
            split.push(Section {
                kind: SectionKind::Discussion,
                heading: None,
                span: Span::new(middle, section.span.end),
            });
        } else {
            split.push(section);
        }
    }
    split
}

/// The start of the sentence that holds byte `at` of `body`.
fn sentence_start(body: &str, at: usize) -> usize {
    sentence_ends(body).take_while(|&end| end <= at).last().unwrap_or(0)
}

/// Splits sections into sentences: at 。, at a full stop after Japanese text, and at line ends;
/// not inside decimals, not in `Dr.` or `ver. 2`. O(n).
pub fn sentences(text: &str, sections: &[Section]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let body = section.span.slice(text);
        let mut start = 0;
        for end in sentence_ends(body).chain([body.len()]) {
            let part = &body[start..end];
            let trimmed = part.trim();
            if !trimmed.is_empty() {
                let at = section.span.start + start + (part.len() - part.trim_start().len());
                sentences.push(Sentence {
                    span: Span::new(at, at + trimmed.len()),
                    section: index,
                });
            }
            start = end;
        }
    }
    sentences
}

/// Byte offsets, ascending, one past each sentence end.
fn sentence_ends(body: &str) -> impl Iterator<Item = usize> + '_ {
    body.char_indices().filter_map(|(at, c)| {
        let end = at + c.len_utf8();
        let ends = match c {
            '。' | '\n' | '!' | '?' => true,
            '.' => {
                let before = body[..at].chars().next_back();
                let after = body[end..].chars().next();
                let inside_latin = after.is_some_and(|c| c.is_ascii_alphanumeric())
                    && before.is_some_and(|c| c.is_ascii_alphanumeric());
                // An abbreviation or list number before a space, unless the line ends here.
                let abbreviation = before.is_some_and(|c| c.is_ascii_alphanumeric())
                    && !matches!(after, None | Some('\n'))
                    && (after == Some(' ')
                        && body[end..]
                            .trim_start()
                            .starts_with(|c: char| c.is_ascii_alphanumeric())
                        || list_number(&body[..at]));
                !inside_latin && !abbreviation
            }
            _ => false,
        };
        ends.then_some(end)
    })
}

/// 「1.」 at the start of a line.
fn list_number(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    !line.is_empty() && line.len() <= 2 && line.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(SectionKind, &str)> {
        sections(text)
            .iter()
            .map(|section| (section.kind, section.span.slice(text).trim()))
            .collect()
    }

    #[test]
    fn headings_in_their_variety() {
        for (text, kind) in [
            ("【主訴】発熱", SectionKind::ChiefComplaint),
            ("<現症>体温38.5°C", SectionKind::PhysicalExam),
            ("〔経過〕改善した", SectionKind::Course),
            ("主訴:発熱", SectionKind::ChiefComplaint),
            ("■既往歴 高血圧", SectionKind::PastHistory),
            ("「入院時検査所見」WBC 9000", SectionKind::Tests),
            ("く主訴〉発熱", SectionKind::ChiefComplaint),
            ("【治療と経過】改善", SectionKind::Course),
        ] {
            assert_eq!(parts(text).first().map(|part| part.0), Some(kind), "{text}");
        }
        let soap = "S: 頭痛あり\nO: 血圧150/90\nA: 高血圧\nP: 降圧薬";
        assert_eq!(
            parts(soap).iter().map(|part| part.0).collect::<Vec<_>>(),
            [
                SectionKind::PresentIllness,
                SectionKind::PhysicalExam,
                SectionKind::Diagnosis,
                SectionKind::Treatment
            ]
        );
    }

    #[test]
    fn a_quotation_is_no_heading() {
        assert_eq!(parts("「息が苦しい」と訴えた。").len(), 1);
    }

    #[test]
    fn text_without_headings() {
        let text = "肺癌は多い疾患である。今回骨転移例を経験した。症例は50歳、男性。咳嗽で受診した。";
        assert_eq!(
            parts(text).iter().map(|part| part.0).collect::<Vec<_>>(),
            [SectionKind::Background, SectionKind::Case]
        );
    }

    #[test]
    fn sentences_end_where_they_do() {
        let text = "体温38.5度.Dr. Aが診察.ver. 2を使用。\nCRP 0.3\n咳嗽あり";
        let sections = sections(text);
        let found: Vec<_> = sentences(text, &sections).iter().map(|s| s.span.slice(text)).collect();
        assert_eq!(
            found,
            ["体温38.5度.", "Dr. Aが診察.", "ver. 2を使用。", "CRP 0.3", "咳嗽あり"]
        );
    }
}
