//! A report → its normalised text, with an exact map back.
//!
//! NFKC, plus what real reports need: signs that NFKC leaves apart (〜, −, ‐, ―), half-width kana
//! with their voicing marks, a long-vowel mark used as a hyphen, control characters, and line
//! breaks in the middle of a sentence.

use std::str::CharIndices;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::lexicon::Lexicon;
use crate::types::NormalizedText;

/// A line shorter than this is a list item or a heading rather than wrapped prose, in characters.
const WRAPPED_LINE_CHARS: usize = 24;

/// Normalises a report. O(n) in its length; never fails.
///
/// Every character of the result maps back to the whole raw character (or base character with its
/// combining marks) that it came from.
///
/// ```
/// use shorei::normalize::normalize;
/// use shorei::types::Span;
/// let text = normalize("ＢＮＰ　６９６ｐｇ／ｍＬ、ｶﾞｽ");
/// assert_eq!(text.norm(), "BNP 696pg/mL、ガス");
/// let at = text.norm().find("ガ").unwrap();
/// assert_eq!(text.to_raw(Span::new(at, at + 3)).slice(text.raw()), "ｶﾞ");
/// ```
pub fn normalize(report: &str) -> NormalizedText {
    let wrapped = wrapped_line_breaks(report);
    let mut wrapped = wrapped.iter().copied().peekable();
    let mut norm = String::with_capacity(report.len());
    let mut origin: Vec<(u32, u32)> = Vec::with_capacity(report.len());
    let mut clusters = Clusters {
        chars: report.char_indices().peekable(),
    };
    while let Some((start, first)) = clusters.chars.peek().copied() {
        let cluster = clusters.take(report);
        let end = start + cluster.len();
        let mut push = |c: char, norm: &mut String| {
            norm.push(c);
            origin.extend(std::iter::repeat_n((start as u32, end as u32), c.len_utf8()));
        };
        if first == '\n' || first == '\r' {
            let is_wrapped = wrapped.peek() == Some(&start);
            if is_wrapped {
                wrapped.next();
            }
            // \r\n gives one line break, at its \n.
            let doubled = first == '\r' && report[end..].starts_with('\n');
            if !is_wrapped && !doubled {
                push('\n', &mut norm);
            }
            continue;
        }
        if first.is_control() && first != '\t' || first == '\u{feff}' || first == '\u{200b}' {
            continue;
        }
        // Nearly all of a report is kana and kanji, which NFKC leaves as they are.
        if cluster.len() == first.len_utf8() && is_plain(first) {
            let c = if first == 'ー' && norm.ends_with(|c: char| c.is_ascii_alphanumeric()) {
                '-'
            } else {
                first
            };
            push(c, &mut norm);
            continue;
        }
        for c in cluster.nfkc() {
            let c = match c {
                '\u{301c}' | '\u{223c}' | '\u{02dc}' => '~',
                '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
                'ー' if norm.ends_with(|c: char| c.is_ascii_alphanumeric()) => '-',
                '\t' | '\u{2028}' | '\u{2029}' => ' ',
                // Half-width CJK stop and comma, and OCR's look-alikes of the heading brackets.
                '\u{3008}' | '\u{2039}' => '<',
                '\u{3009}' | '\u{203a}' => '>',
                '\u{00d7}' | '\u{2715}' => '×',
                '\u{2192}' | '\u{21d2}' | '\u{27a1}' => '→',
                c => c,
            };
            push(c, &mut norm);
        }
    }
    NormalizedText::new(report.to_owned(), norm, origin)
}

/// The text with the misprints of scanned reports mended (水泡性類天庖瘡, 黄疽), as
/// dictionaries/modifiers/misprints.tsv lists them. O(n).
pub fn mended(text: NormalizedText, lexicon: &Lexicon) -> NormalizedText {
    let found = lexicon.misprints_in(text.norm());
    text.replaced(&found)
}

/// True for hiragana, katakana, common kanji and Japanese stops: fixed points of NFKC here.
fn is_plain(c: char) -> bool {
    matches!(c,
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fe}' | '\u{4e00}'..='\u{9fff}'
        | '、' | '。' | '「' | '」' | '【' | '】' | '〔' | '〕'
        | ' '..='~')
}

/// Base characters with the marks that combine with them.
struct Clusters<'t> {
    chars: std::iter::Peekable<CharIndices<'t>>,
}

impl<'t> Clusters<'t> {
    /// The next character with its combining and half-width voicing marks.
    fn take(&mut self, text: &'t str) -> &'t str {
        let Some((start, first)) = self.chars.next() else {
            return "";
        };
        let mut end = start + first.len_utf8();
        while let Some(&(at, c)) = self.chars.peek() {
            let voicing = matches!(c, '\u{ff9e}' | '\u{ff9f}') && matches!(first, '\u{ff66}'..='\u{ff9d}');
            if voicing || (c > '\u{2ff}' && canonical_combining_class(c) != 0) {
                self.chars.next();
                end = at + c.len_utf8();
            } else {
                break;
            }
        }
        &text[start..end]
    }
}

/// Byte offsets of the line breaks that only wrap prose: after a long line that does not end a
/// sentence, before a line that opens neither a heading nor a list item.
fn wrapped_line_breaks(report: &str) -> Vec<usize> {
    let mut breaks = Vec::new();
    let mut start = 0;
    for (at, _) in report.match_indices('\n') {
        let line = report[start..at].trim_end_matches('\r');
        start = at + 1;
        let next = report[start..].lines().next().unwrap_or_default();
        let ends_open =
            line.trim_end().chars().next_back().is_some_and(|c| {
                is_kana_or_kanji(c) || matches!(c, '、' | '，' | ',' | '･' | '・') || c.is_alphanumeric()
            });
        let continues = next.chars().next().is_some_and(|c| {
            is_kana_or_kanji(c) || matches!(c, '、' | '。' | '，' | '．' | '）' | ')') || c.is_ascii_lowercase()
        });
        // A title stands on a line of its own.
        let is_title = line.trim_end().ends_with('例');
        if ends_open
            && !is_title
            && continues
            && line.chars().count() >= WRAPPED_LINE_CHARS
            && !looks_like_heading(next)
        {
            if report[..at].ends_with('\r') {
                breaks.push(at - 1);
            }
            breaks.push(at);
        }
    }
    breaks
}

/// 「主訴：…」 at the start of a line.
fn looks_like_heading(line: &str) -> bool {
    line.chars()
        .take(10)
        .any(|c| matches!(c, ':' | '：' | '】' | '〉' | '＞' | '>' | '］' | ']' | '〕'))
}

fn is_kana_or_kanji(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30fe}' | '\u{4e00}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Span;
    use proptest::prelude::*;

    #[test]
    fn signs_units_and_kana() {
        for (raw, expected) in [
            ("Ｃａ　９．２㎎／㎗", "Ca 9.2mg/dl"),
            ("３８〜３９℃", "38~39°C"),
            ("３８～３９℃", "38~39°C"),
            ("（＋）（−）（－）", "(+)(-)(-)"),
            ("HHVー6とヘルペス", "HHV-6とヘルペス"),
            ("ｱﾚﾙｷﾞｰ", "アレルギー"),
            ("か\u{3099}ん", "がん"),
            ("a\u{0007}b", "ab"),
        ] {
            assert_eq!(normalize(raw).norm(), expected);
        }
    }

    #[test]
    fn a_wrapped_line_is_joined_and_a_list_is_not() {
        let wrapped = "入院後に施行した胸部造影CTでは両側の肺動脈に血栓を認め、肺血\n栓塞栓症と診断した。";
        assert!(normalize(wrapped).norm().contains("肺血栓塞栓症"));
        assert_eq!(normalize("発熱\n咳嗽").norm(), "発熱\n咳嗽");
    }

    proptest! {
        #[test]
        fn every_span_maps_into_the_report(report in "\\PC{0,60}|[ｦ-ﾟ㌀-㏿０-９\u{3099}\r\nか゛]{0,40}") {
            let text = normalize(&report);
            let bounds: Vec<usize> = text.norm().char_indices().map(|(at, _)| at).chain([text.norm().len()]).collect();
            for pair in bounds.windows(2) {
                let raw = text.to_raw(Span::new(pair[0], pair[1]));
                prop_assert!(report.get(raw.range()).is_some_and(|slice| !slice.is_empty()));
            }
            let whole = text.to_raw(Span::new(0, text.norm().len()));
            prop_assert!(report.get(whole.range()).is_some());
        }
    }
}
