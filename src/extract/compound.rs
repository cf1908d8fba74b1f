//! Compounds that no dictionary lists: a known term with the nouns around it (両側多発性すりガラス
//! 陰影), and noun runs that end in a head of disease or finding names (〜症, 〜炎, 〜狭窄).

use super::Draft;
use crate::lexicon::{Lexicon, adjectival_rest};
use crate::types::{ConceptId, MentionKind, PartOfSpeech, Span, Token};

/// No compound is longer, in characters.
const MAX_COMPOUND_CHARS: usize = 30;

/// Extends the dictionary's terms to their compounds and adds unlisted compounds. In reading
/// order, without overlaps. O(tokens + terms).
pub fn extend(text: &str, tokens: &[Token], terms: &[Draft], lexicon: &Lexicon) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::with_capacity(terms.len() * 2);
    let mut term = terms.iter().peekable();
    for run in runs(text, tokens, terms, lexicon) {
        let mut inside = Vec::new();
        while let Some(next) = term.next_if(|next| next.span.end <= run.end) {
            inside.push(next.clone());
        }
        compounds_of_run(text, tokens, run, inside, lexicon, &mut drafts);
    }
    drafts.extend(term.cloned());
    join_by_no(text, tokens, drafts, lexicon)
}

/// Joins 「膠原線維の軽度増加」, 「表皮の萎縮」, 「胆嚢壁の肥厚」: a finding whose head tells a change,
/// with the noun or site that の links to it.
fn join_by_no(text: &str, tokens: &[Token], drafts: Vec<Draft>, lexicon: &Lexicon) -> Vec<Draft> {
    let mut joined: Vec<Draft> = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        if is_condition(&draft)
            && let Some(before) = text[..draft.span.start].strip_suffix('の')
            && lexicon.is_change_head(draft.span.slice(text))
            && !spreads(&draft, &joined, text)
        {
            let end = before.len();
            let start = noun_run_start(text, tokens, end, lexicon);
            let first_free = joined.last().map_or(0, |last| {
                if last.kind == MentionKind::Site || is_condition(last) && draft.kind == MentionKind::Disease {
                    last.span.start
                } else {
                    last.span.end
                }
            });
            let start = start.max(first_free);
            if start < end && text[start..end].chars().count() <= 14 {
                while joined.last().is_some_and(|last| last.span.start >= start) {
                    joined.pop();
                }
                if joined.last().is_none_or(|last| last.span.end <= start) {
                    draft.span = Span::new(start, draft.span.end);
                }
            }
        }
        joined.push(draft);
    }
    joined
}

/// True for 「胃癌の肝転移」: the tumour, and what came of it.
fn spreads(draft: &Draft, joined: &[Draft], text: &str) -> bool {
    draft.span.slice(text).ends_with("転移")
        && joined.last().is_some_and(|last| {
            last.kind == MentionKind::Disease && last.span.end + 'の'.len_utf8() == draft.span.start
        })
}

/// Where the run of nominal tokens that ends at byte `end` starts; `end` when there is none.
fn noun_run_start(text: &str, tokens: &[Token], end: usize, lexicon: &Lexicon) -> usize {
    let mut start = end;
    let last = tokens.partition_point(|token| token.span.end <= end);
    for token in tokens[..last].iter().rev() {
        if token.span.end != start || !token.pos.is_nominal() || !fits_inside(token, text, lexicon) {
            break;
        }
        start = token.span.start;
    }
    start
}

/// Maximal stretches of adjoining nominal tokens and terms.
fn runs(text: &str, tokens: &[Token], terms: &[Draft], lexicon: &Lexicon) -> Vec<Span<crate::types::Norm>> {
    let mut pieces: Vec<Span<crate::types::Norm>> = tokens
        .iter()
        .filter(|token| token.pos.is_nominal() && fits_inside(token, text, lexicon))
        .map(|token| token.span)
        .chain(terms.iter().map(|term| term.span))
        .collect();
    pieces.sort();
    let mut runs: Vec<Span<crate::types::Norm>> = Vec::new();
    for piece in pieces {
        match runs.last_mut() {
            Some(run) if piece.start <= run.end => run.end = run.end.max(piece.end),
            _ => runs.push(piece),
        }
    }
    runs
}

/// A nominal token that can be part of a name.
fn fits_inside(token: &Token, text: &str, lexicon: &Lexicon) -> bool {
    let word = token.span.slice(text);
    // 行い, 疑い, 繰り返し: verbs in noun's clothing; びまん and ぶどう膜 are not.
    let okurigana = token.pos != PartOfSpeech::MedicalTerm
        && word
            .chars()
            .next()
            .is_some_and(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
        && word
            .chars()
            .next_back()
            .is_some_and(|c| ('\u{3041}'..='\u{3096}').contains(&c));
    !okurigana && !lexicon.is_outside_names(word) && !is_symbol(word)
}

/// Punctuation that IPADIC's unknown-word rules call a noun.
fn is_symbol(word: &str) -> bool {
    !word.chars().any(char::is_alphanumeric)
}

fn is_condition(draft: &Draft) -> bool {
    matches!(draft.kind, MentionKind::Disease | MentionKind::Finding)
}

fn compounds_of_run(
    text: &str,
    tokens: &[Token],
    run: Span<crate::types::Norm>,
    inside: Vec<Draft>,
    lexicon: &Lexicon,
    drafts: &mut Vec<Draft>,
) {
    // A suffix whose noun stands outside the run (〜部|性浸潤) cannot open a name.
    let first = tokens.partition_point(|token| token.span.start < run.start);
    let orphan = tokens[first.min(tokens.len())..]
        .iter()
        .take_while(|token| token.pos == PartOfSpeech::Suffix && token.span.end < run.end)
        .last();
    let run = match orphan {
        Some(token) if inside.first().is_none_or(|draft| draft.span.start >= token.span.end) => {
            Span::new(token.span.end, run.end)
        }
        _ => run,
    };
    let words = run.slice(text);
    let chars = words.chars().count();
    let head = inside.iter().rposition(is_condition);
    // 〜閉塞術 is an operation, 出血量 a quantity: no condition at all.
    if let Some(index) = head {
        let rest = &text[inside[index].span.end..];
        if rest.starts_with(['術', '法']) && !rest.starts_with("術後") && !rest.starts_with("術前") {
            let end = inside[index].span.end + '術'.len_utf8();
            drafts.extend(inside[..index].iter().filter(|draft| !is_condition(draft)).cloned());
            let start = inside[..index]
                .iter()
                .rfind(|draft| !is_condition(draft))
                .map_or(run.start, |draft| draft.span.end);
            drafts.push(Draft::new(
                Span::new(start, end.max(start)),
                MentionKind::Treatment,
                None,
            ));
            drafts.extend(inside[index + 1..].iter().cloned());
            return;
        }
        if rest.starts_with(['量', '率']) && index + 1 == inside.len() {
            drafts.extend(inside[..index].iter().cloned());
            return;
        }
    }
    // An exam, drug or test beside a finding is a mention of its own: cut the run there.
    let cut = inside.iter().rposition(|draft| {
        !matches!(
            draft.kind,
            MentionKind::Site | MentionKind::Disease | MentionKind::Finding
        )
    });
    if let Some(head) = head {
        let last = &inside[head];
        let start = match cut {
            // 細菌|性扁桃炎, アルコール|性重症膵炎: what makes it is a part of its name.
            Some(cut) if cut < head && adjectival_rest(&text[inside[cut].span.end..]).is_some() => {
                inside[cut].span.start
            }
            Some(cut) if cut < head => inside[cut].span.end,
            Some(_) => last.span.start,
            None => run.start,
        };
        let end = extended_end(text, tokens, last.span.end, run.end, cut.is_some_and(|cut| cut > head));
        let whole = Span::new(start, end);
        if whole.slice(text).chars().count() <= MAX_COMPOUND_CHARS && whole.contains(&last.span) {
            let concept = best_concept(text, whole, last, lexicon);
            drafts.extend(inside[..head].iter().filter(|draft| draft.span.end <= start).cloned());
            let kind = if whole == last.span {
                last.kind
            } else {
                compound_kind(text, whole, last, lexicon)
            };
            drafts.push(Draft::new(whole, kind, concept));
            drafts.extend(
                inside[head + 1..]
                    .iter()
                    .filter(|draft| draft.span.start >= end)
                    .cloned(),
            );
            return;
        }
        drafts.extend(inside);
        return;
    }
    // No known condition: a run that ends in a head is one, from the last exam or drug on.
    let start = cut.map_or(run.start, |cut| match inside[cut].span {
        span if adjectival_rest(&text[span.end..]).is_some() => span.start,
        span => span.end,
    });
    let tail = Span::<crate::types::Norm>::new(start, run.end);
    if let Some(kind) = lexicon.head_kind(tail.slice(text))
        && chars <= MAX_COMPOUND_CHARS
        && tail.slice(text).chars().count() >= 3
    {
        drafts.extend(inside.iter().filter(|draft| draft.span.end <= start).cloned());
        drafts.push(Draft::new(tail, kind, None));
        return;
    }
    drafts.extend(inside);
}

/// Words after the head that belong to the name: 肝硬変|症, 浸潤影|像; a sufffix, or a run that
/// ends in a head itself.
fn extended_end(text: &str, tokens: &[Token], head_end: usize, run_end: usize, other_follows: bool) -> usize {
    if other_follows || head_end == run_end {
        return head_end;
    }
    let first = tokens.partition_point(|token| token.span.start < head_end);
    let mut end = head_end;
    for token in &tokens[first.min(tokens.len())..] {
        if token.span.start != end || token.span.end > run_end {
            break;
        }
        let word = token.span.slice(text);
        if token.pos == PartOfSpeech::Suffix
            && !matches!(
                word,
                "性" | "的"
                    | "様"
                    | "化"
                    | "時"
                    | "者"
                    | "剤"
                    | "薬"
                    | "部"
                    | "例"
                    | "術"
                    | "法"
                    | "巣"
                    | "型"
                    | "期"
                    | "歴"
                    | "中"
                    | "後"
                    | "前"
            )
        {
            end = token.span.end;
            continue;
        }
        break;
    }
    if end == head_end {
        run_end.min(rest_end(text, head_end, run_end))
    } else {
        end
    }
}

/// The run's end when what follows the head makes a longer name of it (脳梗塞|後遺症), else the
/// head's end.
fn rest_end(text: &str, head_end: usize, run_end: usize) -> usize {
    const TAILS: [&str; 12] = [
        "後遺症",
        "性病変",
        "様症状",
        "性変化",
        "症状",
        "病変",
        "反応",
        "様陰影",
        "部位",
        "拡大",
        "狭小化",
        "機能低下",
    ];
    let rest = &text[head_end..run_end];
    if TAILS.iter().any(|tail| rest.ends_with(tail)) {
        run_end
    } else {
        head_end
    }
}

/// The concept of the longest suffix of the compound, with leading modifiers taken off.
fn best_concept(text: &str, whole: Span<crate::types::Norm>, head: &Draft, lexicon: &Lexicon) -> Option<ConceptId> {
    let words = whole.slice(text);
    lexicon
        .lookup_condition(words)
        .or_else(|| {
            let mut rest = words;
            while let Some((modifier, _)) = lexicon.modifier_prefix(rest) {
                rest = &rest[modifier.len()..];
                if let Some(id) = lexicon.lookup_condition(rest) {
                    return Some(id);
                }
            }
            None
        })
        .or(head.concept)
}

fn compound_kind(text: &str, whole: Span<crate::types::Norm>, head: &Draft, lexicon: &Lexicon) -> MentionKind {
    if whole.end == head.span.end {
        head.kind
    } else {
        lexicon.head_kind(whole.slice(text)).unwrap_or(head.kind)
    }
}
