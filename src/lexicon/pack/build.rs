//! Terms of any dictionary → the bytes of a pack.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use super::KINDS;
use super::layout::{AFTER_LAST_CHAR, CHECKED_FROM, Counts, HEADER_BYTES, MAGIC, Places, VERSION};
use crate::error::Error;
use crate::lexicon::import::ImportedTerm;
use crate::types::ConceptKind;

/// A pack as it is written to a file.
#[derive(Debug, Clone)]
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// Number of concepts.
    pub concepts: u32,
    /// Number of surface forms.
    pub surfaces: u32,
    /// Concepts that rows gave different codes: the first stands, the others are kept beside it.
    pub with_other_codes: usize,
}

/// Makes a pack of terms; `name` begins the ids of its concepts. Rows of one label are one concept:
/// the first code of a system stands. The same terms in the same order give the same bytes.
/// O(terms × log terms).
///
/// # Errors
/// [`Error::Pack`] where the terms need more than 4 GiB.
pub fn build(name: &str, terms: impl IntoIterator<Item = ImportedTerm>) -> Result<Built, Error> {
    let mut draft = Draft::default();
    for term in terms {
        draft.add(term);
    }
    // `:` divides the parts of an id.
    draft.write(&name.replace(':', "_")).ok_or_else(|| Error::Pack {
        path: PathBuf::from(name),
        reason: "more than 4 GiB of terms; build several packs, which are layered one over the other".into(),
    })
}

/// A concept while its rows come in.
struct Entity {
    term: ImportedTerm,
    forms: Vec<String>,
    has_other_codes: bool,
}

/// A surface: as it was written first, and what it means; true for the concept whose label it is.
struct Form {
    written: String,
    meanings: Vec<(bool, u32)>,
}

#[derive(Default)]
struct Draft {
    entities: Vec<Entity>,
    by_label: HashMap<(String, Family), u32>,
    forms: HashMap<String, Form>,
}

/// Conditions are one family: that dictionaries call fever a disease or a symptom does not make it
/// two.
#[derive(PartialEq, Eq, Hash)]
enum Family {
    Condition,
    Other(ConceptKind),
}

impl Draft {
    fn add(&mut self, term: ImportedTerm) {
        let family = if term.kind.is_condition() {
            Family::Condition
        } else {
            Family::Other(term.kind)
        };
        let forms: Vec<String> = [&term.label, &term.surface]
            .into_iter()
            .chain(&term.synonyms)
            .filter(|form| !form.is_empty())
            .cloned()
            .collect();
        let index = self.entities.len() as u32;
        let index = match self.by_label.entry((term.label.clone(), family)) {
            Entry::Occupied(entry) => {
                let index = *entry.get();
                self.entities[index as usize].merge(term);
                index
            }
            Entry::Vacant(entry) => {
                entry.insert(index);
                self.entities.push(Entity {
                    term,
                    forms: Vec::new(),
                    has_other_codes: false,
                });
                index
            }
        };
        let entity = &mut self.entities[index as usize];
        for form in forms {
            let is_label = form == entity.term.label;
            let known = self.forms.entry(form.to_ascii_lowercase()).or_insert_with(|| Form {
                written: form.clone(),
                meanings: Vec::new(),
            });
            match known.meanings.iter_mut().find(|(_, concept)| *concept == index) {
                Some((label, _)) => *label |= is_label,
                None => known.meanings.push((is_label, index)),
            }
            if !is_label && !entity.forms.contains(&form) {
                entity.forms.push(form);
            }
        }
    }

    /// `None` where something does not fit into 32 bits.
    fn write(self, name: &str) -> Option<Built> {
        let mut keys: Vec<(String, Form)> = self.forms.into_iter().collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut strings = Strings::default();
        // The keys are the first strings, in their order.
        for (key, _) in &keys {
            strings.id(key)?;
        }
        let (mut concepts, mut lists) = (Vec::new(), Vec::new());
        for entity in &self.entities {
            let term = &entity.term;
            let codes: Vec<String> = term
                .codes
                .iter()
                .map(|(system, code)| format!("{system} {code}"))
                .collect();
            for text in [
                &term.label,
                &term.reading,
                &term.english,
                &term.icd10,
                &term.hpo,
                &term.atc,
                &term.loinc,
                &codes.join("; "),
                &term.parent,
                &term.source,
            ] {
                concepts.push(strings.id(text)?);
            }
            concepts.push(u32::try_from(lists.len()).ok()?);
            concepts.push(u32::try_from(entity.forms.len()).ok()?);
            for form in &entity.forms {
                lists.push(strings.id(form)?);
            }
            let kind = KINDS.iter().position(|&(kind, _)| kind == term.kind)?;
            concepts.push(u32::try_from(kind).ok()? | (term.certainty as u32) << 8);
        }
        let (mut surfaces, mut meanings, mut firsts) = (Vec::new(), Vec::new(), Vec::<u32>::new());
        let mut last = None;
        for (index, (key, form)) in keys.iter().enumerate() {
            surfaces.extend([strings.id(&form.written)?, u32::try_from(meanings.len()).ok()?]);
            let mut sorted = form.meanings.clone();
            // A label before a synonym, as in the built-in dictionaries.
            sorted.sort_by_key(|&(is_label, _)| !is_label);
            meanings.extend(sorted.into_iter().map(|(_, concept)| concept));
            let first = key.chars().next();
            if first != last {
                firsts.extend([first.map_or(0, u32::from), u32::try_from(index).ok()?]);
                last = first;
            }
        }
        surfaces.extend([0, u32::try_from(meanings.len()).ok()?]);
        let counts = Counts {
            concepts: u32::try_from(self.entities.len()).ok()?,
            surfaces: u32::try_from(keys.len()).ok()?,
            meanings: u32::try_from(meanings.len()).ok()?,
            lists: u32::try_from(lists.len()).ok()?,
            firsts: u32::try_from(firsts.len() / 2).ok()?,
            ..Counts::default()
        };
        firsts.extend([AFTER_LAST_CHAR, counts.surfaces]);
        let name = strings.id(name)?;
        let counts = Counts {
            strings: u32::try_from(strings.offsets.len()).ok()?,
            text_bytes: u32::try_from(strings.text.len()).ok()?,
            ..counts
        };
        strings.offsets.push(counts.text_bytes);

        let mut bytes = Vec::with_capacity(Places::new(counts)?.end);
        bytes.extend(MAGIC);
        let put = |words: &[u32], bytes: &mut Vec<u8>| bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        put(&[VERSION, 0], &mut bytes);
        put(&counts.words(), &mut bytes);
        put(&[name, 0, 0], &mut bytes);
        debug_assert_eq!(bytes.len(), HEADER_BYTES);
        for table in [&concepts, &surfaces, &meanings, &lists, &firsts, &strings.offsets] {
            put(table, &mut bytes);
        }
        bytes.extend(strings.text.as_bytes());
        let checksum = crc32fast::hash(&bytes[CHECKED_FROM..]);
        bytes[CHECKED_FROM - 4..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        Some(Built {
            bytes,
            concepts: counts.concepts,
            surfaces: counts.surfaces,
            with_other_codes: self.entities.iter().filter(|entity| entity.has_other_codes).count(),
        })
    }
}

impl Entity {
    /// Takes what a later row of the same label adds.
    fn merge(&mut self, term: ImportedTerm) {
        let own = &mut self.term;
        if term.certainty > own.certainty {
            (own.kind, own.certainty) = (term.kind, term.certainty);
        }
        for (own, other) in [
            (&mut own.reading, term.reading),
            (&mut own.english, term.english),
            (&mut own.parent, term.parent),
        ] {
            if own.is_empty() {
                *own = other;
            }
        }
        let codes = [
            ("ICD-10", &mut own.icd10, term.icd10),
            ("HPO", &mut own.hpo, term.hpo),
            ("ATC", &mut own.atc, term.atc),
            ("LOINC", &mut own.loinc, term.loinc),
        ];
        let mut others = term.codes;
        for (system, own, other) in codes {
            if own.is_empty() {
                *own = other;
            } else if !other.is_empty() && *own != other {
                self.has_other_codes = true;
                others.push((system.to_owned(), other));
            }
        }
        for code in others {
            if !own.codes.contains(&code) {
                own.codes.push(code);
            }
        }
    }
}

/// The strings of a pack, each once.
#[derive(Default)]
struct Strings {
    ids: HashMap<String, u32>,
    offsets: Vec<u32>,
    text: String,
}

impl Strings {
    fn id(&mut self, text: &str) -> Option<u32> {
        if let Some(&id) = self.ids.get(text) {
            return Some(id);
        }
        let id = u32::try_from(self.offsets.len()).ok()?;
        self.offsets.push(u32::try_from(self.text.len()).ok()?);
        self.text.push_str(text);
        self.ids.insert(text.to_owned(), id);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::pack::Pack;

    #[test]
    fn rows_of_one_label_are_one_concept() {
        let term = |surface: &str, icd10: &str| ImportedTerm {
            icd10: icd10.into(),
            ..ImportedTerm::new(surface, "心筋梗塞")
        };
        let built = build("a:b", [term("AMI", ""), term("ami", "I21.9"), term("心筋梗塞", "I21")]).unwrap();
        assert_eq!((built.concepts, built.surfaces, built.with_other_codes), (1, 2, 1));
        let pack = Pack::from_bytes("a".as_ref(), built.bytes).unwrap();
        let concept = pack.concept(0);
        assert_eq!(
            (concept.id.as_str(), concept.icd10.as_str()),
            ("a_b:disease:心筋梗塞", "I21.9")
        );
        assert_eq!(concept.synonyms, ["AMI", "ami"]);
        assert_eq!(pack.codes(0), "ICD-10 I21");
        assert_eq!(pack.by_id(&concept.id), Some(0));
        assert_eq!(pack.written(pack.find("ami").unwrap()), "AMI");
    }

    #[test]
    fn a_label_means_its_own_concept_first() {
        let terms = [ImportedTerm::new("MS", "多発性硬化症"), ImportedTerm::new("MS", "MS")];
        let pack = Pack::from_bytes("a".as_ref(), build("a", terms).unwrap().bytes).unwrap();
        let labels: Vec<_> = pack
            .meanings(pack.find("ms").unwrap())
            .map(|id| pack.label(id))
            .collect();
        assert_eq!(labels, ["MS", "多発性硬化症"]);
    }

    #[test]
    fn every_prefix_is_found() {
        let terms = ["心", "心不全", "心不全増悪", "心筋", "不全"].map(|form| ImportedTerm::new(form, form));
        let pack = Pack::from_bytes("a".as_ref(), build("a", terms).unwrap().bytes).unwrap();
        let text = "心不全増悪、心筋";
        let found: Vec<_> = pack.find_all(text).map(|(start, end, _)| &text[start..end]).collect();
        assert_eq!(found, ["心", "心不全", "心不全増悪", "不全", "心", "心筋"]);
    }
}
