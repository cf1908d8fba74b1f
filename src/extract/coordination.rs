//! What coordinated words share with the last of them: 「骨格筋・皮膚転移」 is two metastases,
//! 「IgG,C3の沈着」 two deposits.

use std::sync::LazyLock;

use regex::Regex;

use super::dictionary::mention_kind;
use super::{Draft, put_over};
use crate::lexicon::Lexicon;
use crate::types::{ConceptKind, MentionKind, Norm, Span};

/// What a name at a site ends in where coordinated sites may share it.
const SHARED_HEADS: [&str; 18] = [
    "リンパ節転移",
    "転移巣",
    "転移",
    "転移性腫瘍",
    "転移性病変",
    "再発",
    "浸潤",
    "播種",
    "結石",
    "拡張",
    "腫大",
    "肥厚",
    "萎縮",
    "狭窄",
    "骨折",
    "損傷",
    "梗塞",
    "出血",
];

/// Between coordinated words.
const JOINTS: [&str; 8] = ["・", "、", ",", "と", "や", "および", "及び", "ならびに"];

/// Adds what sites before 「皮膚転移」 share with it, and what proteins before 「C3の沈着」 do. `drafts`
/// is in reading order and stays so. O(drafts).
pub fn extend(text: &str, drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut found = at_sites(text, &drafts, lexicon);
    found.extend(deposits(text, lexicon));
    put_over(drafts, found)
}

fn at_sites(text: &str, drafts: &[Draft], lexicon: &Lexicon) -> Vec<Draft> {
    let mut found = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        if !matches!(draft.kind, MentionKind::Disease | MentionKind::Finding) {
            continue;
        }
        let words = draft.span.slice(text);
        let Some(head) = SHARED_HEADS.iter().find(|head| words.ends_with(**head)) else {
            continue;
        };
        let own_site = words[..words.len() - head.len()].trim_end_matches('の');
        if !is_site(own_site, lexicon) {
            found.extend(metastases(text, drafts, index, lexicon));
            continue;
        }
        let mut next = draft.span.start;
        for site in drafts[..index].iter().rev() {
            let joined = text
                .get(site.span.end..next)
                .is_some_and(|between| JOINTS.contains(&between));
            if site.kind != MentionKind::Site || !joined {
                break;
            }
            let name = format!("{}{head}", site.span.slice(text));
            let concept = lexicon.lookup_modified_condition(&name);
            let kind = concept.map_or(draft.kind, |id| mention_kind(lexicon.concept(id).kind));
            found.push(Draft {
                expansion: Some(name),
                ..Draft::new(site.span, kind, concept)
            });
            next = site.span.start;
        }
    }
    found
}

/// 「肝S7と右肺S3に転移性腫瘍」, 「肺、脾臓に多発転移」: a metastasis a site, by the organ.
fn metastases(text: &str, drafts: &[Draft], index: usize, lexicon: &Lexicon) -> Vec<Draft> {
    static SPREAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:多発性?|新たな|新規)?(?:転移性(?:腫瘍|病変|結節)|転移(?:巣|性|性病変|性腫瘍)?)$")
            .expect("a constant pattern")
    });
    static PART: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?:左右|両側|左|右|両)|S[0-9]+(?:/[0-9]+)*$").expect("a constant pattern"));
    // What the site's name leaves of 「右肺S3に」.
    static SEGMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?:S ?[0-9]+(?:[/+][0-9]+)*|[上中下]葉|内)").expect("a constant pattern"));
    let draft = &drafts[index];
    let mut found = Vec::new();
    if !SPREAD.is_match(draft.span.slice(text)) {
        return found;
    }
    let mut next = draft.span.start;
    for site in drafts[..index].iter().rev() {
        let between = text.get(site.span.end..next).unwrap_or("。");
        let between = SEGMENT.replace(between, "");
        let joined = if found.is_empty() {
            matches!(&*between, "に" | "にも" | "には" | "への" | "の")
        } else {
            JOINTS.contains(&&*between)
        };
        if site.kind != MentionKind::Site || !joined {
            break;
        }
        let organ = PART.replace_all(site.span.slice(text), "").into_owned();
        if organ.is_empty() {
            break;
        }
        let name = format!("{organ}転移");
        let concept = lexicon.lookup_modified_condition(&name);
        let kind = concept.map_or(draft.kind, |id| mention_kind(lexicon.concept(id).kind));
        // The last site's stands for the words themselves.
        let span = if found.is_empty() { draft.span } else { site.span };
        found.push(Draft {
            expansion: Some(name),
            ..Draft::new(span, kind, concept)
        });
        next = site.span.start;
    }
    found
}

/// True for a site's name, also with a side or 「多発」 before it.
fn is_site(words: &str, lexicon: &Lexicon) -> bool {
    let mut rest = words;
    loop {
        if lexicon.lookup_kind(rest, |kind| kind == ConceptKind::Site).is_some() {
            return true;
        }
        let bare = rest
            .strip_prefix(['左', '右', '両'])
            .map(|bare| bare.trim_start_matches('側'));
        match bare.or_else(|| {
            lexicon
                .modifier_prefix(rest)
                .map(|(modifier, _)| &rest[modifier.len()..])
        }) {
            Some(shorter) => rest = shorter,
            None => return false,
        }
    }
}

/// Proteins that immunofluorescence shows, before 「の沈着」 of the last of them.
fn deposits(text: &str, lexicon: &Lexicon) -> Vec<Draft> {
    static LIST: LazyLock<Regex> = LazyLock::new(|| {
        let protein = r"(?:Ig[GAMDE][1-4]?|C[1-9][a-z]?|κ鎖?|λ鎖?|フィブリノ[ーゲン]+|アルブミン|補体)";
        Regex::new(&format!(
            r"(?P<list>(?:{protein}(?:[・,、]|と|および|及び) ?)+)(?P<last>{protein})(?P<link>の)?(?P<head>[^\s、。,・の]{{0,4}}沈着)"
        ))
        .expect("a constant pattern")
    });
    static ONE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"Ig[GAMDE][1-4]?|C[1-9][a-z]?|κ鎖?|λ鎖?|フィブリノ[ーゲン]+|アルブミン|補体")
            .expect("a constant pattern")
    });
    // 「IgAのメサンギウム領域への沈着」
    static AT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?P<protein>Ig[GAMDE][1-4]?|C[1-9][a-z]?|フィブリノ[ーゲン]+|補体|免疫グロブリン)の(?P<place>[^\s、。,・の]{2,14})への(?P<head>[^\s、。,・の]{0,4}沈着)")
            .expect("a constant pattern")
    });
    let mut found: Vec<Draft> = Vec::new();
    for capture in AT.captures_iter(text) {
        let part = |name: &str| capture.name(name).map_or("", |part| part.as_str());
        let name = format!("{}{}{}", part("place"), part("protein"), part("head"));
        let concept = lexicon
            .lookup_modified_condition(&name)
            .or_else(|| lexicon.lookup_modified_condition(&format!("{}沈着", part("protein"))));
        if let Some(whole) = capture.get(0) {
            found.push(Draft {
                expansion: Some(name),
                ..Draft::new(Span::new(whole.start(), whole.end()), MentionKind::Finding, concept)
            });
        }
    }
    for capture in LIST.captures_iter(text) {
        let (Some(list), Some(last), Some(head)) = (capture.name("list"), capture.name("last"), capture.name("head"))
        else {
            continue;
        };
        let mut add = |span: Span<Norm>, protein: &str| {
            let name = format!("{protein}沈着");
            let concept = lexicon.lookup_modified_condition(&name);
            found.push(Draft {
                expansion: Some(name),
                ..Draft::new(span, MentionKind::Finding, concept)
            });
        };
        for protein in ONE.find_iter(list.as_str()) {
            let start = list.start() + protein.start();
            add(Span::new(start, list.start() + protein.end()), protein.as_str());
        }
        add(Span::new(last.start(), head.end()), last.as_str());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicon() -> Lexicon {
        Lexicon::load_default().expect("the built-in dictionaries load")
    }

    #[test]
    fn proteins_share_their_deposition() {
        let names: Vec<_> = deposits("表皮細胞間にIgG,C3の沈着を認めた", &lexicon())
            .into_iter()
            .filter_map(|draft| draft.expansion)
            .collect();
        assert_eq!(names, ["IgG沈着", "C3沈着"]);
    }

    #[test]
    fn sites_with_side_and_number() {
        let lexicon = lexicon();
        assert!(is_site("左鎖骨上リンパ節", &lexicon));
        assert!(is_site("多発骨", &lexicon));
        assert!(!is_site("悪性", &lexicon));
    }
}
