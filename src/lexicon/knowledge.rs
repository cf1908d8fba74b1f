//! Causal links between concepts.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::Lexicon;
use super::table::Table;
use crate::error::Error;
use crate::types::{ConceptId, Direction, Label, RelationKind};

/// What the knowledge table speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// A concept: disease, finding, drug, …
    Concept(ConceptId),
    /// A test and its direction.
    Result(ConceptId, Direction),
}

/// How often a cause has an effect, in HPO's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Frequency {
    /// 1-4 %.
    VeryRare,
    /// 5-29 %.
    Occasional,
    /// 30-79 %.
    Frequent,
    /// 80-99 %.
    VeryFrequent,
    /// Always.
    Obligate,
}

impl Frequency {
    /// The middle of the band, as a probability.
    pub const fn probability(self) -> f64 {
        match self {
            Frequency::VeryRare => 0.025,
            Frequency::Occasional => 0.17,
            Frequency::Frequent => 0.55,
            Frequency::VeryFrequent => 0.9,
            Frequency::Obligate => 1.0,
        }
    }

    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Frequency::VeryRare => "very_rare",
            Frequency::Occasional => "occasional",
            Frequency::Frequent => "frequent",
            Frequency::VeryFrequent => "very_frequent",
            Frequency::Obligate => "obligate",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::VeryRare,
            Self::Occasional,
            Self::Frequent,
            Self::VeryFrequent,
            Self::Obligate,
        ]
        .into_iter()
        .find(|frequency| frequency.name() == name)
    }
}

/// One causal link of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// The cause as the table writes it.
    pub cause: String,
    /// The effect as the table writes it.
    pub effect: String,
    /// What kind of link.
    pub relation: RelationKind,
    /// How often.
    pub frequency: Frequency,
}

/// The causal links, by cause and by effect.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Links", into = "Links")]
pub struct Knowledge {
    links: Links,
    by_pair: HashMap<(Key, Key), u32>,
    by_cause: HashMap<Key, Vec<u32>>,
    by_effect: HashMap<Key, Vec<u32>>,
}

/// What the tables say; the rest is made from it.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Links {
    links: Vec<Link>,
    unlinked: Vec<(String, String)>,
}

/// A fact between the keys that its names are.
#[derive(Clone, Serialize, Deserialize)]
struct Link {
    cause: Key,
    effect: Key,
    fact: Fact,
}

impl From<Knowledge> for Links {
    fn from(knowledge: Knowledge) -> Self {
        knowledge.links
    }
}

impl From<Links> for Knowledge {
    fn from(links: Links) -> Self {
        let mut knowledge = Knowledge {
            by_pair: HashMap::with_capacity(links.links.len()),
            ..Knowledge::default()
        };
        for (index, link) in links.links.iter().enumerate() {
            knowledge.index(link.cause, link.effect, index as u32);
        }
        knowledge.links = links;
        knowledge
    }
}

impl Knowledge {
    pub(super) fn read(&mut self, table: &Table<'_>, lexicon: &Lexicon) -> Result<(), Error> {
        for row in &table.rows {
            let relation = row.get("relation");
            let Some(relation) = RelationKind::from_name(relation) else {
                return Err(table.error(row, relation, "unknown relation; see dictionaries/README.md"));
            };
            let frequency = row.get("frequency");
            let Some(frequency) = Frequency::from_name(frequency) else {
                return Err(table.error(row, frequency, "unknown frequency; see dictionaries/README.md"));
            };
            let (cause, effect) = (row.get("cause"), row.get("effect"));
            if cause.is_empty() || effect.is_empty() {
                return Err(table.error(row, "", "cause and effect must both be given"));
            }
            let fact = Fact {
                cause: cause.to_owned(),
                effect: effect.to_owned(),
                relation,
                frequency,
            };
            let (Ok(cause_label), Ok(effect_label)) = (cause.parse::<Label>(), effect.parse::<Label>());
            let keys = (lexicon.key(&cause_label), lexicon.key(&effect_label));
            let (Some(cause_key), Some(effect_key)) = keys else {
                self.links.unlinked.push((cause.to_owned(), effect.to_owned()));
                continue;
            };
            self.add(cause_key, effect_key, fact);
        }
        Ok(())
    }

    fn add(&mut self, cause: Key, effect: Key, fact: Fact) {
        if let Some(&old) = self.by_pair.get(&(cause, effect)) {
            // The same link from two tables: the more frequent wording stands.
            let old = &mut self.links.links[old as usize].fact;
            if old.frequency < fact.frequency {
                *old = fact;
            }
            return;
        }
        self.index(cause, effect, self.links.links.len() as u32);
        self.links.links.push(Link { cause, effect, fact });
    }

    fn index(&mut self, cause: Key, effect: Key, index: u32) {
        self.by_pair.insert((cause, effect), index);
        self.by_cause.entry(cause).or_default().push(index);
        self.by_effect.entry(effect).or_default().push(index);
    }

    /// The link from exactly `cause` to exactly `effect`. O(1).
    pub fn fact(&self, cause: Key, effect: Key) -> Option<&Fact> {
        self.by_pair
            .get(&(cause, effect))
            .map(|&index| &self.links.links[index as usize].fact)
    }

    fn links<'k>(&'k self, of: &'k HashMap<Key, Vec<u32>>, key: Key) -> impl Iterator<Item = &'k Link> {
        let indices = of.get(&key).into_iter().flatten();
        indices.map(|&index| &self.links.links[index as usize])
    }

    /// What `cause` leads to; its treatments are not among them.
    pub fn effects(&self, cause: Key) -> impl Iterator<Item = (Key, &Fact)> {
        self.links(&self.by_cause, cause)
            .filter(|link| link.fact.relation != RelationKind::TreatedBy)
            .map(|link| (link.effect, &link.fact))
    }

    /// What leads to `effect`; what it is given for is not among them.
    pub fn causes(&self, effect: Key) -> impl Iterator<Item = (Key, &Fact)> {
        self.links(&self.by_effect, effect)
            .filter(|link| link.fact.relation != RelationKind::TreatedBy)
            .map(|link| (link.cause, &link.fact))
    }

    /// The drugs and procedures that are given for `disease`.
    pub fn treatments(&self, disease: Key) -> impl Iterator<Item = (Key, &Fact)> {
        self.links(&self.by_cause, disease)
            .filter(|link| link.fact.relation == RelationKind::TreatedBy)
            .map(|link| (link.effect, &link.fact))
    }

    /// What leads to `effect` or to what it is a kind of.
    pub fn causes_generalised(&self, lexicon: &Lexicon, effect: Key) -> Vec<(Key, &Fact)> {
        generalised(lexicon, effect)
            .into_iter()
            .flat_map(|(_, key)| self.causes(key))
            .collect()
    }

    /// Number of links.
    pub fn len(&self) -> usize {
        self.links.links.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.links.links.is_empty()
    }

    /// Links whose cause or effect no dictionary lists; they serve nothing until it does.
    pub fn unlinked(&self) -> &[(String, String)] {
        &self.links.unlinked
    }

    /// The best link from `cause` or what it is a kind of, to `effect` or what that is a kind of,
    /// with its strength: its frequency's probability, less for every step of generality.
    pub fn link(&self, lexicon: &Lexicon, cause: Key, effect: Key) -> Option<(f64, &Fact)> {
        self.link_between(&self.as_cause(lexicon, cause), &self.as_effect(lexicon, effect))
    }

    /// A key and what it is a kind of, as far as the knowledge has effects of it, with its distance
    /// in steps: what [`Knowledge::link_between`] takes.
    pub fn as_cause(&self, lexicon: &Lexicon, cause: Key) -> Vec<(usize, Key)> {
        let mut keys = generalised(lexicon, cause);
        keys.retain(|(_, key)| self.by_cause.contains_key(key));
        keys
    }

    /// As [`Knowledge::as_cause`], as far as the knowledge has causes of it.
    pub fn as_effect(&self, lexicon: &Lexicon, effect: Key) -> Vec<(usize, Key)> {
        let mut keys = generalised(lexicon, effect);
        keys.retain(|(_, key)| self.by_effect.contains_key(key));
        keys
    }

    /// As [`Knowledge::link`], for many pairs of the same causes and effects. O(causes × effects),
    /// each at most nine.
    pub fn link_between(&self, causes: &[(usize, Key)], effects: &[(usize, Key)]) -> Option<(f64, &Fact)> {
        let mut best: Option<(f64, &Fact)> = None;
        for &(up, cause) in causes {
            for &(up_effect, effect) in effects {
                if let Some(fact) = self.fact(cause, effect) {
                    // A risk that seldom leads to a disease is behind it all the same where both are there.
                    let frequency = match fact.relation {
                        RelationKind::Predisposes => fact.frequency.max(Frequency::Occasional),
                        _ => fact.frequency,
                    };
                    let strength = frequency.probability().sqrt() * 0.85f64.powi(up as i32 + up_effect as i32);
                    if best.is_none_or(|(old, _)| old < strength) {
                        best = Some((strength, fact));
                    }
                }
            }
        }
        best
    }
}

impl Lexicon {
    /// A key and its more general keys with their distance in steps.
    pub fn generalised_key(&self, key: Key) -> Vec<(usize, Key)> {
        generalised(self, key)
    }
}

/// A key and its more general keys with their distance.
fn generalised(lexicon: &Lexicon, key: Key) -> Vec<(usize, Key)> {
    match key {
        Key::Concept(id) => lexicon
            .ancestry(id)
            .enumerate()
            .map(|(up, id)| (up, lexicon.condition_key(id)))
            .collect(),
        Key::Result(test, direction) => {
            let mut keys = vec![(0, key)];
            // 「トロポニンT陽性」 and 「トロポニンT上昇」 say the same of a test.
            match direction {
                Direction::Positive => keys.push((0, Key::Result(test, Direction::High))),
                Direction::High => keys.push((0, Key::Result(test, Direction::Positive))),
                _ => {}
            }
            if let Some(state) = lexicon.result_state(test, direction) {
                keys.extend(
                    lexicon
                        .ancestry(state)
                        .skip(1)
                        .enumerate()
                        .map(|(up, id)| (up + 1, lexicon.condition_key(id))),
                );
            }
            keys
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn treatments_are_no_effects() {
        let header = "id\tlabel\tenglish\tkind\tsynonyms\tabbreviations\ticd10\thpo\tparent\n";
        let diseases = format!("{header}D1\t甲病\t\tdisease\t\t\t\t\t\nD2\t乙病\t\tdisease\t\t\t\t\t\n");
        let drugs = "id\tlabel\tenglish\tsynonyms\tabbreviations\tatc\tclass\nM1\t丙薬\t\t\t\t\t\n";
        let links = "cause\trelation\teffect\tfrequency\tbasis\n\
                     甲病\tcauses\t乙病\tfrequent\ttextbook\n\
                     甲病\ttreated_by\tH:丙薬使用\tfrequent\ttextbook\n";
        let tables = [
            ("diseases", "x", diseases.as_str()),
            ("drugs", "drugs", drugs),
            ("knowledge", "x", links),
        ];
        let lexicon = Lexicon::from_tables(tables).expect("tables");
        let key = |label: &str| lexicon.key(&label.parse().expect("a label")).expect("a listed label");
        let (disease, drug) = (key("甲病"), key("H:丙薬使用"));
        let knowledge = lexicon.knowledge();
        let effects: Vec<Key> = knowledge.effects(disease).map(|(key, _)| key).collect();
        assert_eq!(effects, [key("乙病")]);
        assert_eq!(knowledge.causes(drug).count(), 0);
        let given: Vec<Key> = knowledge.treatments(disease).map(|(key, _)| key).collect();
        assert_eq!(given, [drug]);
        // A report that names both has the drug under the disease.
        let (_, fact) = knowledge.link(&lexicon, disease, drug).expect("a link");
        assert_eq!(fact.relation, RelationKind::TreatedBy);
    }
}
