//! Variants of genes and chromosomes, which no dictionary can list: 「SLC12A3遺伝子に複合ヘテロ接合性
//! 変異」, 「EGFR exon 19欠失陽性」, 「22q11.2欠失」, 「t(9;22)転座」, 「BCR-ABL1融合遺伝子」.

use std::sync::LazyLock;

use regex::Regex;

use super::{Draft, marker, put_over};
use crate::types::{MentionKind, Norm, Span};

/// What every variant ends in, as a part of a pattern.
const CHANGES: &str = "変異|バリアント|欠失|重複|増幅|転座|逆位|融合遺伝子|融合|再構成|多型|遺伝子異常|リピートの?(?:異常)?(?:伸長|延長|増加)";

/// Most reports have no such word, and looking for one is quick.
static CHANGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(CHANGES).expect("a constant pattern"));

/// A gene or a piece of a chromosome, what is said of its kind, the word for the change, a result.
static VARIANT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = concat!(
        r"(?P<name>(?:",
        r"(?:[A-Z][A-Z0-9]{1,9}|[A-Z][0-9])(?:(?:::|[-/])[A-Z][A-Z0-9]{1,9})*(?:遺伝子)?",
        r"|[A-Z][a-z]{2}[0-9]{2,4}[A-Z][a-z]{2}|[cpgm]\.[A-Za-z0-9_>*+-]{3,20}|[A-Z][0-9]{2,4}[A-Z]",
        r"|(?:[0-9]{1,2}|[XY])[pq][0-9.]*(?:-[pq]?[0-9.]+)?|(?:[0-9]{1,2}|[XY])番染色体(?:[長短]腕)?",
        r"|(?:t|inv|del|dup)\([0-9XYpq;.]{1,12}\)(?:\([0-9pq;.]{2,16}\))?",
        r"|(?:エクソン|[Ee]xon) ?[0-9]{1,2}(?:[-~][0-9]{1,2})?)",
        r"(?:(?:における|上の|領域の|の|に)?(?:[A-Za-z0-9.>*_+():/ -]|\p{Han}|[\p{Katakana}ー]){0,22}?)??",
        r"(?:遺伝子)?(?:CHANGES))",
        r"(?:(?:は|が|も)? ?(?P<result>\([1-4]?\+\)|\(-\)|陽性|陰性))?(?P<next>[\p{Han}\p{Katakana}]?)",
    );
    Regex::new(&pattern.replace("CHANGES", CHANGES)).expect("a constant pattern")
});

/// Adds the variants to `drafts`; what stands within one gives way, what goes beyond it or names all
/// of it is kept. O(n).
pub fn extend(text: &str, drafts: Vec<Draft>) -> Vec<Draft> {
    if !CHANGE.is_match(text) {
        return drafts;
    }
    let mut found: Vec<Draft> = Vec::new();
    for capture in VARIANT.captures_iter(text) {
        let Some(name) = capture.name("name") else { continue };
        let result = capture.name("result");
        // 「EGFR変異陽性肺癌」, 「BRCA変異例」 name something else.
        let goes_on = capture
            .name("next")
            .is_some_and(|next| !matches!(next.as_str(), "" | "及" | "並"));
        if goes_on {
            continue;
        }
        let span: Span<Norm> = Span::new(name.start(), name.end());
        let stands = |draft: &Draft| {
            draft.span.overlaps(&span) && (!span.contains(&draft.span) || draft.span == span && draft.concept.is_some())
        };
        if drafts.iter().any(stands) {
            continue;
        }
        match result {
            Some(result) => {
                let direction = marker::direction_of(result.as_str());
                let result = Span::new(result.start(), result.end());
                found.extend(Draft::unlisted_result(span, result, direction));
            }
            None => found.push(Draft::new(span, MentionKind::Finding, None)),
        }
    }
    put_over(drafts, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&str, MentionKind)> {
        extend(text, Vec::new())
            .iter()
            .map(|draft| (draft.span.slice(text), draft.kind))
            .collect()
    }

    #[test]
    fn genes() {
        assert_eq!(
            read("遺伝子検査でSLC12A3遺伝子に複合ヘテロ接合性変異を認めた。RYR2のミスセンス変異。"),
            [
                ("SLC12A3遺伝子に複合ヘテロ接合性変異", MentionKind::Finding),
                ("RYR2のミスセンス変異", MentionKind::Finding)
            ]
        );
        assert_eq!(
            read("FBN1の病的バリアントが同定された。EWSR1::FLI1融合遺伝子を検出"),
            [
                ("FBN1の病的バリアント", MentionKind::Finding),
                ("EWSR1::FLI1融合遺伝子", MentionKind::Finding)
            ]
        );
        assert_eq!(
            read("EGFR exon 19欠失陽性、BRAF V600E変異は陰性。"),
            [
                ("EGFR exon 19欠失", MentionKind::TestItem),
                ("陽性", MentionKind::TestValue),
                ("BRAF V600E変異", MentionKind::TestItem),
                ("陰性", MentionKind::TestValue)
            ]
        );
        assert_eq!(
            read("TTR遺伝子検査でVal30Met変異を認めた"),
            [("Val30Met変異", MentionKind::Finding)]
        );
    }

    #[test]
    fn chromosomes() {
        assert_eq!(
            read("FISHで22q11.2欠失、骨髄でt(9;22)転座、15q11-q13の欠失"),
            [
                ("22q11.2欠失", MentionKind::Finding),
                ("t(9;22)転座", MentionKind::Finding),
                ("15q11-q13の欠失", MentionKind::Finding)
            ]
        );
    }

    #[test]
    fn names_of_diseases_are_left_alone() {
        assert_eq!(read("EGFR変異陽性肺癌、BRCA1変異例、22q11.2欠失症候群"), []);
        // A list does not run over its comma, nor a sentence over its verb.
        assert_eq!(read("CRPを測定した。変異はない。MRIを施行、変異なし"), []);
    }
}
