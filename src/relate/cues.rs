//! Relations that words say: 「AによるB」, 「Aに伴うB」, 「Aは、Bを呈した」.

use std::collections::HashMap;

use crate::lexicon::{CueDirection, Lexicon};
use crate::types::{Candidate, Mention, MentionKind, Norm, RelationKind, Role, Sentence, Span};

/// A cue does not reach over more bytes than this: forty Japanese characters.
const REACH_BYTES: usize = 120;

/// A relation that words say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cued {
    pub kind: RelationKind,
    /// 0 to 1.
    pub weight: f64,
    pub span: Span<Norm>,
}

/// Relations between candidates, by (cause, effect). O(sentences × mentions² × cues), small.
pub(super) fn pairs(
    text: &str,
    sentences: &[Sentence],
    mentions: &[Mention],
    candidates: &[Candidate],
    lexicon: &Lexicon,
) -> HashMap<(usize, usize), Cued> {
    let mut node_of: HashMap<u32, usize> = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        for mention in &candidate.mentions {
            node_of.insert(mention.0, index);
        }
    }
    let mut found: HashMap<(usize, usize), Cued> = HashMap::new();
    let mut first = 0;
    for (number, sentence) in sentences.iter().enumerate() {
        first += mentions[first..].partition_point(|mention| mention.sentence < number);
        let len = mentions[first..].partition_point(|mention| mention.sentence == number);
        let inside = &mentions[first..first + len];
        let nodes: Vec<(&Mention, usize)> = inside
            .iter()
            .filter_map(|mention| Some((mention, *node_of.get(&mention.id.0)?)))
            .collect();
        for (at, &(cause, cause_node)) in nodes.iter().enumerate() {
            if matches!(cause.kind, MentionKind::TestItem) {
                continue;
            }
            let after = text.get(cause.norm.end..sentence.span.end).unwrap_or_default();
            let shielded = lexicon.relation_cues().iter().any(|cue| {
                cue.direction == CueDirection::Neutral && cue.pattern.find(after).is_some_and(|hit| hit.end() > 0)
            });
            if shielded {
                continue;
            }
            for cue in lexicon.relation_cues() {
                match cue.direction {
                    CueDirection::Forward => {
                        let rest = text.get(cause.norm.end..sentence.span.end).unwrap_or_default();
                        // The cue must follow the cause at once, at most a parenthesis between.
                        let skip = parenthesis(rest);
                        let Some(hit) = cue.pattern.find(&rest[skip..]).filter(|hit| hit.end() > 0) else {
                            continue;
                        };
                        let cue_start = cause.norm.end + skip;
                        let cue_end = cue_start + hit.end();
                        let span = Span::new(cue_start, cue_end);
                        let mut weight = cue.weight;
                        for &(effect, effect_node) in nodes[at + 1..].iter() {
                            if effect.norm.start > cue_end + REACH_BYTES {
                                break;
                            }
                            if effect.norm.start < cue_end {
                                continue;
                            }
                            add(
                                &mut found,
                                cause_node,
                                effect_node,
                                Cued {
                                    kind: cue.relation,
                                    weight,
                                    span,
                                },
                            );
                            // What stands further on is said of less surely.
                            weight *= 0.8;
                        }
                    }
                    CueDirection::Neutral => {}
                    CueDirection::Backward => {
                        let rest = text.get(cause.norm.end..sentence.span.end).unwrap_or_default();
                        let skip = parenthesis(rest);
                        let Some(hit) = cue.pattern.find(&rest[skip..]).filter(|hit| hit.end() > 0) else {
                            continue;
                        };
                        let span = Span::new(cause.norm.end + skip, cause.norm.end + skip + hit.end());
                        let after = nodes[at + 1..].iter().find(|(next, _)| next.norm.start == span.end);
                        if let Some(&(_, owner)) = after {
                            add(
                                &mut found,
                                owner,
                                cause_node,
                                Cued {
                                    kind: cue.relation,
                                    weight: cue.weight,
                                    span,
                                },
                            );
                        }
                    }
                    CueDirection::Subject => {
                        // The topic of the sentence, with は, が, に or で, causes what 「を呈した」 follows.
                        let topic = text[cause.norm.end..].starts_with(['は', 'が', 'に', 'で']);
                        if !topic || candidates[cause_node].role == Role::Symptom {
                            continue;
                        }
                        for &(effect, effect_node) in nodes[at + 1..].iter() {
                            if effect.norm.start > cause.norm.end + REACH_BYTES {
                                break;
                            }
                            let rest = &text[effect.norm.end..sentence.span.end];
                            let Some(hit) = cue.pattern.find(rest).filter(|hit| hit.end() > 0) else {
                                continue;
                            };
                            let span = Span::new(effect.norm.end, effect.norm.end + hit.end());
                            add(
                                &mut found,
                                cause_node,
                                effect_node,
                                Cued {
                                    kind: cue.relation,
                                    weight: cue.weight,
                                    span,
                                },
                            );
                        }
                    }
                }
            }
        }
    }
    found
}

/// Length of a parenthesis that `rest` opens with.
fn parenthesis(rest: &str) -> usize {
    if !rest.starts_with('(') {
        return 0;
    }
    rest.bytes()
        .take(60)
        .position(|byte| byte == b')')
        .map_or(0, |at| at + 1)
}

fn add(found: &mut HashMap<(usize, usize), Cued>, cause: usize, effect: usize, cued: Cued) {
    if cause == effect {
        return;
    }
    let entry = found.entry((cause, effect)).or_insert(cued);
    if entry.weight < cued.weight {
        *entry = cued;
    }
}
