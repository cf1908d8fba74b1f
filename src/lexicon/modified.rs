//! Terms with modifiers: what a term is built on, and what modifies it (難治性|多発性筋炎, 肺炎|の増悪).
//!
//! MEDIS's tables of diseases list base terms and modifiers apart, and a diagnosis is put together of
//! both. Here a term is taken apart by `dictionaries/modifiers` and the sites: prefixes and suffixes are
//! taken off until what is left is listed, and the longest listed rest is the base.

use std::collections::{BTreeSet, HashSet};

use super::{Lexicon, ModifierClass};
use crate::types::{ConceptId, ConceptKind};

/// A term, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modified<'t> {
    /// The part of the term that the dictionaries list.
    pub base: &'t str,
    /// What it names.
    pub concept: ConceptId,
    /// The other parts, in the term's order.
    pub modifiers: Vec<Modifier<'t>>,
}

/// A part of a term that modifies its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modifier<'t> {
    /// As the term writes it.
    pub text: &'t str,
    /// What it says.
    pub kind: ModifierKind,
    /// True behind the base.
    pub is_suffix: bool,
}

/// What a modifier says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModifierKind {
    /// How the disease is: 急性, 軽度, 再発性.
    Class(ModifierClass),
    /// Where it is: 下腿.
    Site(ConceptId),
}

/// Longer terms are sentences.
const MAX_CHARS: usize = 40;

/// What follows the 性 that makes a modifier of the word before it: 狭窄 of 「性狭窄」 in 全周性狭窄;
/// `None` where no such 性 stands there (性器出血, 性状).
pub(crate) fn adjectival_rest(words: &str) -> Option<&str> {
    words
        .strip_prefix('性')
        .filter(|rest| !rest.starts_with(['器', '欲', '交', '感', '腺', '格', '状', '別']))
}

impl Lexicon {
    /// Takes a term of a disease, symptom or finding apart; a listed term is its own base. None where
    /// no part that modifiers leave is listed. `term` is NFKC. O(modifiers × ways to take it apart),
    /// microseconds.
    ///
    /// ```
    /// let lexicon = shorei::lexicon::Lexicon::load_default()?;
    /// let term = lexicon.take_apart("急性薬剤性肝障害の増悪").unwrap();
    /// assert_eq!((term.base, lexicon.concept(term.concept).label.as_str()), ("薬剤性肝障害", "薬物性肝障害"));
    /// let modifiers: Vec<&str> = term.modifiers.iter().map(|modifier| modifier.text).collect();
    /// assert_eq!(modifiers, ["急性", "の増悪"]);
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn take_apart<'t>(&self, term: &'t str) -> Option<Modified<'t>> {
        if term.chars().nth(MAX_CHARS).is_some() {
            return None;
        }
        // Longest rest first; of equal ones the one with less taken off in front.
        let mut open: BTreeSet<(usize, usize, usize)> = BTreeSet::new();
        let mut seen: HashSet<(usize, usize)> = HashSet::new();
        let mut ways: Vec<Vec<(usize, Modifier<'t>)>> = vec![Vec::new()];
        open.insert((term.len(), usize::MAX, 0));
        while let Some((length, before_end, way)) = open.pop_last() {
            let start = usize::MAX - before_end;
            let rest = term.get(start..start + length)?;
            if let Some(concept) = self.lookup_condition(rest) {
                let mut modifiers = ways.swap_remove(way);
                modifiers.sort_by_key(|&(at, _)| at);
                return Some(Modified {
                    base: rest,
                    concept,
                    modifiers: modifiers.into_iter().map(|(_, modifier)| modifier).collect(),
                });
            }
            let mut add = |from: usize, to: usize, at: usize, modifier: Modifier<'t>, open: &mut BTreeSet<_>| {
                if from < to && seen.insert((from, to)) {
                    let mut taken = ways[way].clone();
                    taken.push((at, modifier));
                    ways.push(taken);
                    open.insert((to - from, usize::MAX - from, ways.len() - 1));
                }
            };
            let end = start + length;
            let mut add_prefix = |text: &'t str, kind: ModifierKind, open: &mut BTreeSet<_>| {
                // 「軽度の」 is listed, 「下腿の」 is not.
                let after = start + text.len();
                let skip = usize::from(term[after..end].starts_with('の')) * 'の'.len_utf8();
                let modifier = Modifier {
                    text,
                    kind,
                    is_suffix: false,
                };
                add(after + skip, end, start, modifier, open);
            };
            if let Some((text, class)) = self.modifier_prefix(rest) {
                add_prefix(text, ModifierKind::Class(class), &mut open);
            }
            let site = self.site_prefix(rest);
            if let Some((text, site)) = site {
                add_prefix(text, ModifierKind::Site(site), &mut open);
            }
            if let Some((text, class)) = self.modifier_suffix(rest) {
                let kind = ModifierKind::Class(class);
                let modifier = Modifier {
                    text,
                    kind,
                    is_suffix: true,
                };
                add(start, end - text.len(), end - text.len(), modifier, &mut open);
            }
        }
        None
    }

    /// The longest modifier that `text` ends with, and its class.
    pub fn modifier_suffix<'t>(&self, text: &'t str) -> Option<(&'t str, ModifierClass)> {
        self.tables
            .suffixes
            .iter()
            .find(|(modifier, _)| text.ends_with(modifier.as_str()) && text.len() > modifier.len())
            .map(|(modifier, class)| (&text[text.len() - modifier.len()..], *class))
    }

    /// The longest site that `text` begins with.
    fn site_prefix<'t>(&self, text: &'t str) -> Option<(&'t str, ConceptId)> {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).take(8).collect();
        ends.into_iter().rev().find_map(|end| {
            let site = self.lookup_kind(&text[..end], |kind| kind == ConceptKind::Site)?;
            Some((&text[..end], site))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_taken_apart_at_their_longest_listed_rest() {
        let lexicon = Lexicon::load_default().unwrap();
        let parts = |term: &'static str| {
            lexicon.take_apart(term).map(|term| {
                let modifiers: Vec<&str> = term.modifiers.iter().map(|modifier| modifier.text).collect();
                (term.base, modifiers)
            })
        };
        assert_eq!(parts("難治性多発性筋炎"), Some(("多発性筋炎", vec!["難治性"])));
        assert_eq!(parts("肺炎の増悪"), Some(("肺炎", vec!["の増悪"])));
        assert_eq!(parts("軽度の右前腕の紅斑"), Some(("紅斑", vec!["軽度の", "右前腕"])));
        assert_eq!(parts("多発性骨髄腫"), Some(("多発性骨髄腫", vec![])));
        assert_eq!(parts("入院時"), None);
        assert_eq!(parts(""), None);
    }

    #[test]
    fn sites_are_told_from_other_modifiers() {
        let lexicon = Lexicon::load_default().unwrap();
        let term = lexicon.take_apart("左前腕紅斑").unwrap();
        assert!(matches!(
            term.modifiers.last().map(|last| last.kind),
            Some(ModifierKind::Site(_))
        ));
    }
}
