//! Stages of tumours as surgeons and pathologists write them: 「T3,N2,H0,P0」, 「ly1,v2,n1(3/12)」. A
//! code that says that something is there is a finding; which, is in cues/staging.tsv.

use std::sync::LazyLock;

use regex::Regex;

use super::dictionary::mention_kind;
use super::{Draft, put_over};
use crate::lexicon::Lexicon;
use crate::types::{Norm, Span};

/// A code of a stage, whatever it says; O stands for 0 as scanners read it.
const CODE: &str = concat!(
    r"(?:[pcsyrf]{0,2}(?:T(?:[0-4OX]|is)[a-d]?|[NnHPM][0-3OX][a-c]?(?:\([0-9]+/[0-9]+\))?)|[Ll][Yy][0-3O]|[Vv][0-3O]",
    r"|PUL[0-3O]|CY[01OX]|INF ?[abcαβγ]|Pn[0-3][ab]?|[Dd][0-3]|[pcf]?[Ss]tage ?[0-9IV]{1,3}[a-cA-C]?|s[eimsnp]{1,2}|mp|ss",
    r"|tub[12]|por[12]?|sig|muc|pap|med|int|sci)"
);

/// Codes in a row: one alone may be anything (P1, V1).
static ROW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?-u:\b){CODE}(?:[ ,、・;:/.(]{{0,2}}{CODE}){{1,12}}(?-u:\b)"
    ))
    .expect("a constant pattern")
});

/// Adds the findings of stages to `drafts`, which is in reading order and stays so. O(n).
pub fn extend(text: &str, drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut found: Vec<Draft> = Vec::new();
    for row in ROW.find_iter(text) {
        for (pattern, label) in lexicon.stages() {
            let Some(concept) = lexicon.lookup_condition(label) else {
                continue;
            };
            let mut from = row.start();
            while let Some(code) = pattern.find(&text[from..row.end()]) {
                let span: Span<Norm> = Span::new(from + code.start(), from + code.end());
                from = span.end;
                let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                // cT4aN2M0 is three codes: a capital begins the next.
                let joined = text[..span.start].chars().next_back();
                let begins = span.slice(text).starts_with(char::is_uppercase);
                if part_of_word(joined) && !begins || text[span.end..].starts_with(|c: char| c.is_ascii_digit()) {
                    continue;
                }
                let kind = mention_kind(lexicon.concept(concept).kind);
                found.push(Draft {
                    expansion: Some(label.to_owned()),
                    ..Draft::new(span, kind, Some(concept))
                });
            }
        }
    }
    found.sort_by_key(|draft| draft.span);
    found.dedup_by(|b, a| a.span.overlaps(&b.span));
    put_over(drafts, found)
}
