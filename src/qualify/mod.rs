//! Mentions → what the report asserts of each: present, absent, suspected, planned, general;
//! patient or family; current or past.
//!
//! A cue after a mention speaks of the mention and of all that is coordinated with it
//! (発熱、咳嗽、喀痰は認めず), up to the clause's end; contrast (〜が、) ends the scope.

use std::sync::LazyLock;

use regex::Regex;

use crate::extract::Draft;
use crate::lexicon::{Lexicon, StatusCueKind};
use crate::types::{
    Aspect, Assertion, Experiencer, MentionKind, Norm, Reading, Section, SectionKind, Sentence, Span, Status,
    Temporality,
};

/// What joins coordinated mentions.
static COORDINATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:など|等|や|と|および|及び|および|ならびに|並びに|または|又は|あるいは|もしくは|,|、|・|/|\s|に加え|といった|の|\([^()]{0,30}\)|\d+(?:\.\d+)?[^、。,\s]{0,6})*$")
        .expect("a constant pattern")
});

/// Words that may stand between a mention and the predicate that a cue is.
static FILLER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:など|等|といった|のような|様|ら)?(?:の(?:症状|所見|存在|徴候|合併|発現|出現|発生|残存|遺残|混在|関与|既往|自覚|訴え|有無|診断|部位|変化|徴|明らかな))?")
        .expect("a constant pattern")
});

/// Words for the course of what stands before them.
const COURSE: [&str; 5] = ["再発", "再燃", "増悪", "悪化", "進行"];

/// The history of something.
static PAST_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:など|等)?(?:の(?:治療|手術|化学療法)?(?:既往|罹患歴|治療歴|病歴)|で(?:手術|治療|通院)歴|術後|(?:の)?手術歴|歴|(?:にて|で)\S{0,12}(?:手術|切除)|(?:にて|で|に対し(?:て)?|のため|の診断で)[^。、]{0,16}(?:通院|加療中|内服中|治療中|フォロー|経過観察中))")
        .expect("a constant pattern")
});

/// 「既往歴に…」: what follows in the sentence is history.
static PAST_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"既往(?:歴)?(?:に|は|と|として|:|で)").expect("a constant pattern"));

/// A sentence of background or discussion that speaks of this patient after all.
static THIS_CASE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"本例|本症例|自験例|今回|我々|われわれ|当院で|本患者|患者は").expect("a constant pattern")
});

/// The report's own case is told of.
static REPORTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"経験した|経験し(?:、|,|て)|を報告する|1例を|一例を|を行った。?$|を施行した。?$|を?発症した。?$")
        .expect("a constant pattern")
});

/// A sentence of any section that speaks of patients in general.
static IN_GENERAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"とされ(?:る|て)|と言われ|といわれ|知られて|報告されて|報告がある|報告例|一般的?に|ことが多い|稀な疾患|まれな疾患|文献|本邦|頻度|必要がある|重要である|べきで|必要と思われ|考慮すべき|留意")
        .expect("a constant pattern")
});

/// How sure a model must be of a status to overrule a cue, as a probability.
const CUED: f32 = 0.9;

/// How sure it must be where no cue stands by the mention.
const UNCUED: f32 = 0.5;

/// How sure a transformer's reading must be of what it says of a condition, against what the cues
/// say: above it the reading is right more often. More is asked where a cue stands.
const READ: f32 = 0.6;
const READ_OVER_CUE: f32 = 0.95;

/// Corrects the assertions of conditions where a transformer's reading is sure of another. O(drafts).
pub fn weigh(drafts: &[Draft], reading: &Reading, assertions: &mut [Assertion]) {
    const SAID: [Aspect; 7] = [
        Aspect::Present,
        Aspect::Absent,
        Aspect::Suspected,
        Aspect::RuledOut,
        Aspect::Past,
        Aspect::Family,
        Aspect::General,
    ];
    for (draft, assertion) in drafts.iter().zip(assertions) {
        if !matches!(draft.kind, MentionKind::Disease | MentionKind::Finding) {
            continue;
        }
        let means = SAID.map(|aspect| reading.mean(draft.span, aspect));
        let total: f32 = means.iter().sum();
        let Some((aspect, mean)) = SAID.into_iter().zip(means).max_by(|a, b| a.1.total_cmp(&b.1)) else {
            continue;
        };
        // What a cue says outright is seldom wrong.
        let least = if *assertion == Assertion::default() {
            READ
        } else {
            READ_OVER_CUE
        };
        // Where it sees no condition at all, it says nothing of one.
        if total < 0.5 || mean < least * total {
            continue;
        }
        let read = Assertion {
            status: match aspect {
                Aspect::Absent | Aspect::RuledOut => Status::Absent,
                Aspect::Suspected => Status::Suspected,
                Aspect::General => Status::General,
                _ => Status::Present,
            },
            experiencer: match aspect {
                Aspect::Family => Experiencer::Family,
                _ => Experiencer::Patient,
            },
            time: match aspect {
                Aspect::Past => Temporality::Past,
                _ => Temporality::Current,
            },
        };
        *assertion = match aspect {
            // Which member of the family, what is planned: the cues tell more.
            Aspect::Family if assertion.experiencer != Experiencer::Patient => *assertion,
            Aspect::Suspected if assertion.status == Status::Planned => *assertion,
            _ => read,
        };
    }
}

/// The assertion of each draft, in the drafts' order. O(drafts × cues).
pub fn assertions(
    text: &str,
    sections: &[Section],
    sentences: &[Sentence],
    drafts: &[Draft],
    lexicon: &Lexicon,
) -> Vec<Assertion> {
    let mut assertions = vec![Assertion::default(); drafts.len()];
    let mut first = 0;
    for sentence in sentences {
        let Some(section) = sections.get(sentence.section) else {
            continue;
        };
        first += drafts[first..].partition_point(|draft| draft.span.start < sentence.span.start);
        let len = drafts[first..].partition_point(|draft| draft.span.start < sentence.span.end);
        let inside = first..first + len;
        qualify_sentence(
            text,
            section.kind,
            sentence.span,
            &drafts[inside.clone()],
            lexicon,
            &mut assertions[inside],
        );
        first += len;
    }
    assertions
}

fn qualify_sentence(
    text: &str,
    section: SectionKind,
    sentence: Span<Norm>,
    drafts: &[Draft],
    lexicon: &Lexicon,
    assertions: &mut [Assertion],
) {
    let words = sentence.slice(text);
    // 「本例は…」 speaks of the patient from there on, 「…を経験した」 of all before it.
    let this_case = THIS_CASE.find(words).map(|found| sentence.start + found.start());
    let reported = REPORTED.is_match(words);
    let in_general = IN_GENERAL.is_match(words);
    let general_at = |at: usize| {
        let of_this_case = reported || this_case.is_some_and(|start| start <= at);
        match section {
            SectionKind::Background | SectionKind::Discussion => !of_this_case,
            SectionKind::Conclusion => !of_this_case && in_general,
            _ => false,
        }
    };
    // From the last mention to the first, so that coordination hands a status forward.
    for index in (0..drafts.len()).rev() {
        let span = drafts[index].span;
        let mut assertion = Assertion::default();
        if section == SectionKind::FamilyHistory {
            assertion.experiencer = Experiencer::Family;
        } else if let Some(experiencer) = family_before(text, sentence, span, lexicon) {
            assertion.experiencer = experiencer;
        }
        // A mention may reach over the end of its sentence, where lines are broken oddly.
        let after = first_chars(text.get(span.end..sentence.end).unwrap_or_default(), 80);
        let before = &text[sentence.start..span.start];
        if section == SectionKind::PastHistory
            || PAST_AFTER.is_match(after)
            || PAST_BEFORE.is_match(last_chars(before, 60))
        {
            assertion.time = Temporality::Past;
        }
        let mut joined = false;
        let of_model = |least| drafts[index].status_of_model(least);
        assertion.status = status_after(after, lexicon)
            .or_else(|| status_before(before, lexicon))
            .map(|cued| of_model(CUED).unwrap_or(cued))
            .or_else(|| of_model(UNCUED))
            .unwrap_or_else(|| {
                // Coordinated with the next mention: what is said of that is said of this.
                let next = drafts.get(index + 1);
                joined = next.is_some_and(|next| {
                    next.span.start >= span.end
                        && next.span.start <= sentence.end
                        // 「憩室炎の再発はない」: there was one.
                        && !COURSE.contains(&next.span.slice(text))
                        && coordinated(&text[span.end..next.span.start], drafts[index].kind, next.kind)
                });
                // 「MUC6陽性、脈管侵襲なし」: a result has said what it is.
                let is_result = span.slice(text).ends_with("陽性");
                if joined && !(is_result && assertions[index + 1].status == Status::Absent) {
                    assertions[index + 1].status
                } else {
                    Status::Present
                }
            });
        if joined && assertions[index + 1].time == Temporality::Past && drafts[index].kind == drafts[index + 1].kind {
            assertion.time = Temporality::Past;
        }
        if general_at(span.start) && assertion.status == Status::Present {
            assertion.status = Status::General;
        }
        assertions[index] = assertion;
    }
}

/// True when two mentions with `between` between them share a predicate.
fn coordinated(between: &str, kind: MentionKind, next: MentionKind) -> bool {
    let condition = |kind| matches!(kind, MentionKind::Disease | MentionKind::Finding | MentionKind::Feature);
    let site = |kind| matches!(kind, MentionKind::Site);
    (condition(kind) && (condition(next) || site(next))
        || site(kind) && (condition(next) || site(next))
        || kind == next)
        && COORDINATION.is_match(between)
}

/// The status that the words after a mention give it; `None` when they give none.
fn status_after(after: &str, lexicon: &Lexicon) -> Option<Status> {
    let filler = FILLER.find(after).map_or(0, |found| found.end());
    // Directly after the mention, after a filler, and after a case particle with an adverb.
    let rest = &after[filler..];
    let mut best: Option<(usize, StatusCueKind)> = None;
    for start in [after, rest].into_iter().take(1 + usize::from(filler > 0)) {
        for cue in lexicon.status_cues_after(start) {
            if let Some(found) = cue.pattern.find(start)
                && !found.is_empty()
                && best.is_none_or(|(len, _)| found.end() > len)
            {
                best = Some((found.end(), cue.kind));
            }
        }
    }
    match best {
        Some((_, StatusCueKind::Status(status))) => Some(status),
        _ => None,
    }
}

/// The first `count` characters.
fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(at, _)| &text[..at])
}

/// The last `count` characters.
fn last_chars(text: &str, count: usize) -> &str {
    let start = text
        .char_indices()
        .rev()
        .nth(count.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    &text[start..]
}

/// The status that the words before a mention give it (`r/o 肺癌`).
fn status_before(before: &str, lexicon: &Lexicon) -> Option<Status> {
    // A cue stands directly before; without the cut a long sentence would cost its square.
    let before = last_chars(before, 16);
    lexicon.status_cues_before(before).find_map(|cue| match cue.kind {
        StatusCueKind::Status(status) => cue
            .pattern
            .find(before)
            .filter(|found| found.end() == before.len() && !found.is_empty())
            .map(|_| status),
        StatusCueKind::Neutral => None,
    })
}

/// A family member before the mention in the same clause: 「母が糖尿病」「父:胃癌」.
fn family_before(text: &str, sentence: Span<Norm>, span: Span<Norm>, lexicon: &Lexicon) -> Option<Experiencer> {
    let before = last_chars(&text[sentence.start..span.start], 40);
    let clause = before.rsplit(['、', ',', '。', ';']).next().unwrap_or_default();
    if !lexicon.names_family(clause) {
        return None;
    }
    lexicon
        .family_words()
        .iter()
        .filter_map(|word| clause.find(word.as_str()).map(|at| (at, word)))
        .find(|(at, word)| {
            let rest = &clause[at + word.len()..];
            // 母斑, 父島: the word must stand alone.
            rest.is_empty() || rest.starts_with(['が', 'に', 'の', 'は', 'も', ':', ' ', '(', 'と', '・', 'や'])
        })
        .map(|_| Experiencer::Family)
}
