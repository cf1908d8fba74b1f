//! The compact form in which the dictionaries are embedded: the automaton over all surfaces as
//! daachorse writes it, then the tables, with every name resolved, as postcard writes them.
//!
//! It is made by `build.rs` from the same sources that read it, so it carries no version. Reading
//! trusts it: an automaton that was tampered with may loop. What users bring are packs.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use daachorse::CharwiseDoubleArrayAhoCorasick;
use hashbrown::{HashMap, HashSet};
use serde::{Serialize, Serializer};

use super::Lexicon;
use crate::error::Error;

impl Lexicon {
    /// The compact form of this lexicon's own tables, without packs; for `build.rs`. The same
    /// tables give the same bytes. O(total size).
    ///
    /// # Errors
    /// [`Error::Embedded`] when a table cannot be written, which none of today's can.
    #[doc(hidden)]
    pub fn compile(&self) -> Result<Vec<u8>, Error> {
        postcard::to_extend(&self.tables, self.matcher.serialize()).map_err(|error| fault(error.to_string()))
    }

    pub(super) fn from_compiled(bytes: &[u8]) -> Result<Self, Error> {
        let (matcher, tables) =
            CharwiseDoubleArrayAhoCorasick::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
        let tables = postcard::from_bytes(tables).map_err(|error| fault(error.to_string()))?;
        Ok(Lexicon::new(tables, matcher))
    }
}

fn fault(reason: String) -> Error {
    Error::Embedded {
        what: "lexicon",
        reason,
    }
}

/// Writes a map by its sorted keys, so that builds are reproducible.
pub(super) fn sorted<K: Serialize + Ord, V: Serialize, S: Serializer>(
    map: &HashMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    map.iter().collect::<BTreeMap<_, _>>().serialize(serializer)
}

/// Writes a set in order.
pub(super) fn sorted_set<K: Serialize + Ord + Hash, S: Serializer>(
    set: &HashSet<K>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    set.iter().collect::<BTreeSet<_>>().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Label;

    #[test]
    fn what_is_compiled_is_what_was_read() {
        let tables = [
            (
                "diseases",
                "d",
                "id\tkind\tlabel\tsynonyms\tparent\nD1\tdisease\t心不全\tCHF\t\nD2\tdisease\t慢性心不全\t\t心不全\n",
            ),
            ("findings", "f", "id\tkind\tlabel\nF1\tsymptom\t呼吸困難\n"),
            (
                "knowledge",
                "k",
                "cause\trelation\teffect\tfrequency\n心不全\tmanifests_as\t呼吸困難\tfrequent\n",
            ),
            ("cues", "found", "pattern\nを認め\n"),
        ];
        let read = Lexicon::from_tables(tables).unwrap();
        let bytes = read.compile().unwrap();
        let loaded = Lexicon::from_compiled(&bytes).unwrap();
        assert_eq!(loaded.compile().unwrap(), bytes);
        assert_eq!(loaded.concepts(), read.concepts());
        assert_eq!(loaded.surfaces(), read.surfaces());
        assert_eq!(loaded.lookup("chf"), read.lookup("CHF"));
        let key = |label: &str| loaded.key(&Label::Condition(label.into())).unwrap();
        let (_, fact) = loaded
            .knowledge()
            .link(&loaded, key("慢性心不全"), key("呼吸困難"))
            .expect("by inheritance");
        assert_eq!(fact.cause, "心不全");
        assert!(loaded.is_found("を認めた") && !loaded.is_found("はない"));
        assert_eq!(loaded.find_all("慢性心不全").count(), 2);
    }

    #[test]
    fn damage_is_an_error() {
        assert!(matches!(Lexicon::from_compiled(&[]), Err(Error::Embedded { .. })));
    }
}
