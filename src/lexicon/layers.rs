//! Packs over the built-in dictionaries, and over each other.
//!
//! A concept of a pack whose label an earlier dictionary lists is that concept: it keeps its id and
//! its knowledge. Where it is the label there as well, it takes the pack's codes; where it is a
//! synonym there and the codes speak of two things (虹彩炎 of ぶどう膜炎), it is a new concept under
//! the known one, whose knowledge it then has by inheritance. Other concepts get ids after the
//! earlier ones. Where a surface means something else in a later pack, the later one wins, and the
//! conflict is kept.

use std::sync::OnceLock;

use super::pack::{KindCertainty, Pack};
use super::{Lexicon, Surface, SurfaceMatch};
use crate::error::Error;
use crate::types::{Concept, ConceptId, ConceptKind};

/// Where a later pack says something else than an earlier dictionary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The pack's name.
    pub pack: String,
    /// The surface or label.
    pub surface: String,
    /// What the earlier dictionary says.
    pub earlier: String,
    /// What the pack says, which stands.
    pub later: String,
}

/// What a pack knows of a concept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'l> {
    /// The pack's name.
    pub pack: &'l str,
    /// The file that the pack was made of.
    pub source: &'l str,
    /// How the concept is read, in kana; empty where the pack does not say.
    pub reading: &'l str,
    /// Codes of other systems (`MEDIS BPQ8; MeSH D009203`), or empty.
    pub codes: &'l str,
}

/// All packs of a lexicon; empty for the built-in dictionaries alone.
#[derive(Clone, Default)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    /// By surface: true where another layer's meaning stands. Empty without packs.
    hidden: Vec<bool>,
    conflicts: Vec<Conflict>,
}

/// A pack in its place.
#[derive(Clone)]
struct Layer {
    pack: Pack,
    /// Id of its first concept, whether or not that has one of its own.
    first_concept: u32,
    first_surface: u32,
    /// By concept of the pack: its id in the lexicon, which is an earlier one's where they are one.
    ids: Vec<ConceptId>,
    /// Concepts that are an earlier dictionary's: (its id, ours), sorted.
    joined: Vec<(ConceptId, u32)>,
    // A pack of 200,000 terms is loaded in no time because entries are made when asked for.
    concepts: Vec<OnceLock<Box<Concept>>>,
    surfaces: Vec<OnceLock<Box<Surface>>>,
}

impl Layer {
    fn concept(&self, concept: u32) -> Option<&Concept> {
        let cell = self.concepts.get(concept as usize)?;
        Some(cell.get_or_init(|| Box::new(self.pack.concept(concept))))
    }

    fn concept_mut(&mut self, concept: u32) -> Option<&mut Concept> {
        let cell = self.concepts.get_mut(concept as usize)?;
        cell.get_or_init(|| Box::new(self.pack.concept(concept)));
        cell.get_mut().map(Box::as_mut)
    }

    fn surface(&self, surface: u32) -> Option<&Surface> {
        let cell = self.surfaces.get(surface as usize)?;
        Some(cell.get_or_init(|| {
            Box::new(Surface {
                text: self.pack.written(surface).to_owned(),
                concepts: self.meanings(surface),
            })
        }))
    }

    /// What a surface means, as ids of the lexicon.
    fn meanings(&self, surface: u32) -> Vec<ConceptId> {
        let mut meanings: Vec<ConceptId> = Vec::new();
        for concept in self.pack.meanings(surface) {
            if let Some(&id) = self.ids.get(concept as usize)
                && !meanings.contains(&id)
            {
                meanings.push(id);
            }
        }
        meanings
    }
}

impl Layers {
    /// True without packs.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// True where a pack says what this surface means.
    pub fn hides(&self, surface: u32) -> bool {
        self.hidden.get(surface as usize) == Some(&true)
    }

    /// The meanings of a key in the packs, the last first.
    pub fn lookup(&self, key: &str) -> Option<&[ConceptId]> {
        self.find(key)
            .and_then(|(layer, surface)| layer.surface(surface))
            .map(|surface| surface.concepts.as_slice())
    }

    fn find(&self, key: &str) -> Option<(&Layer, u32)> {
        self.layers.iter().rev().find_map(|layer| {
            let surface = layer.pack.find(key)?;
            (!self.hides(layer.first_surface + surface)).then_some((layer, surface))
        })
    }

    /// Every surface of every pack in a text.
    pub fn find_all<'l>(&'l self, lowercase: &'l str) -> impl Iterator<Item = SurfaceMatch> + 'l {
        self.layers.iter().flat_map(move |layer| {
            layer
                .pack
                .find_all(lowercase)
                .map(|(start, end, surface)| SurfaceMatch {
                    start,
                    end,
                    surface: layer.first_surface + surface,
                })
                .filter(|found| !self.hides(found.surface))
        })
    }

    fn of_concept(&self, id: ConceptId) -> Option<(&Layer, u32)> {
        let at = self.layers.partition_point(|layer| layer.first_concept <= id.0);
        let layer = self.layers.get(at.checked_sub(1)?)?;
        Some((layer, id.0 - layer.first_concept))
    }

    pub fn concept(&self, id: ConceptId) -> Option<&Concept> {
        let (layer, concept) = self.of_concept(id)?;
        layer.concept(concept)
    }

    pub fn surface(&self, surface: u32) -> Option<&Surface> {
        let at = self.layers.partition_point(|layer| layer.first_surface <= surface);
        let layer = self.layers.get(at.checked_sub(1)?)?;
        layer.surface(surface - layer.first_surface)
    }

    pub fn by_id(&self, id: &str) -> Option<ConceptId> {
        let of = |layer: &Layer| layer.ids.get(layer.pack.by_id(id)? as usize).copied();
        self.layers.iter().rev().find_map(of)
    }

    /// The label of a concept's parent.
    pub fn parent_label(&self, id: ConceptId) -> Option<&str> {
        let label = self.concept(id)?.parent.as_str();
        Some(label).filter(|label| !label.is_empty())
    }
}

impl Lexicon {
    /// This lexicon with packs over it, each over those before it. Milliseconds a pack: a pass over
    /// the surfaces that are there, O(surfaces × log of the pack's).
    ///
    /// ```
    /// use shorei::lexicon::{Lexicon, import::ImportedTerm, pack::{Pack, build}};
    /// let terms = [ImportedTerm::new("謎の熱", "発熱"), ImportedTerm::new("未知病", "未知病")];
    /// let pack = Pack::from_bytes("own.pack".as_ref(), build("own", terms)?.bytes)?;
    /// let lexicon = Lexicon::load_default()?.layered([pack])?;
    /// // A name for what is known, with all that is known of it, and a concept of its own.
    /// assert_eq!(lexicon.concept(lexicon.lookup("謎の熱")[0]).hpo, "HP:0001945");
    /// assert_eq!(lexicon.concept(lexicon.lookup("未知病")[0]).id, "own:disease:未知病");
    /// # Ok::<(), shorei::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Pack`] when all of them together have more entries than 32 bits count.
    pub fn layered(mut self, packs: impl IntoIterator<Item = Pack>) -> Result<Self, Error> {
        // What diseases lead to may change with the packs.
        self.forget_rankings();
        for pack in packs {
            self.add_layer(pack)?;
        }
        Ok(self)
    }

    /// The packs, in their order.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.layers.layers.iter().map(|layer| &layer.pack)
    }

    /// Where packs say something else than what lies under them; sorted.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.layers.conflicts
    }

    /// What packs know of a concept, in their order.
    pub fn origins(&self, id: ConceptId) -> Vec<Origin<'_>> {
        let mut origins = Vec::new();
        for layer in &self.layers.layers {
            let from = layer.joined.partition_point(|&(joined, _)| joined < id);
            let joined = layer.joined[from..].iter().take_while(|&&(joined, _)| joined == id);
            let own =
                id.0.checked_sub(layer.first_concept)
                    .filter(|&own| layer.ids.get(own as usize) == Some(&id));
            for concept in joined.map(|&(_, concept)| concept).chain(own) {
                origins.push(Origin {
                    pack: layer.pack.name(),
                    source: layer.pack.source(concept),
                    reading: layer.pack.reading(concept),
                    codes: layer.pack.codes(concept),
                });
            }
        }
        origins
    }

    /// Every concept's id: the built-in ones, then those that packs add.
    pub fn ids(&self) -> impl Iterator<Item = ConceptId> {
        let built_in = (0..self.tables.concepts.len() as u32).map(ConceptId);
        built_in.chain(self.layers.layers.iter().flat_map(|layer| {
            let own = |&(index, &id): &(usize, &ConceptId)| id.0 == layer.first_concept + index as u32;
            layer.ids.iter().enumerate().filter(own).map(|(_, &id)| id)
        }))
    }

    /// An entry by its index; `None` for an id of another lexicon.
    pub fn get(&self, id: ConceptId) -> Option<&Concept> {
        self.tables
            .concepts
            .get(id.0 as usize)
            .or_else(|| self.layers.concept(id))
    }

    fn add_layer(&mut self, pack: Pack) -> Result<(), Error> {
        let last = self.layers.layers.last();
        let ends = last.map_or(
            (self.tables.concepts.len() as u64, self.tables.surfaces.len() as u64),
            |last| {
                (
                    u64::from(last.first_concept) + u64::from(last.pack.concepts_len()),
                    u64::from(last.first_surface) + u64::from(last.pack.surfaces_len()),
                )
            },
        );
        let fits = |end: u64, more: u32| u32::try_from(end + u64::from(more)).ok().map(|_| end as u32);
        let (Some(first_concept), Some(first_surface)) =
            (fits(ends.0, pack.concepts_len()), fits(ends.1, pack.surfaces_len()))
        else {
            return Err(Error::Pack {
                path: pack.path().to_owned(),
                reason: "too many entries with the packs before it; give fewer packs".into(),
            });
        };
        let shared = self.shared_surfaces(&pack);
        let mut layer = Layer {
            first_concept,
            first_surface,
            ids: (0..pack.concepts_len())
                .map(|index| ConceptId(first_concept + index))
                .collect(),
            joined: Vec::new(),
            concepts: (0..pack.concepts_len()).map(|_| OnceLock::new()).collect(),
            surfaces: (0..pack.surfaces_len()).map(|_| OnceLock::new()).collect(),
            pack,
        };
        self.join(&mut layer, &shared);
        let end = first_surface as usize + layer.surfaces.len();
        self.layers.hidden.resize(end, false);
        for &(earlier, surface) in &shared {
            let known = &self.surface(earlier).concepts;
            let meanings = layer.meanings(surface);
            // The earlier dictionary says the same, and perhaps more: 「MS」 stays ambiguous.
            let agrees = meanings.first() == known.first() && meanings.iter().all(|id| known.contains(id));
            if agrees {
                self.layers.hidden[(first_surface + surface) as usize] = true;
                continue;
            }
            let conflict = Conflict {
                pack: layer.pack.name().to_owned(),
                surface: layer.pack.written(surface).to_owned(),
                earlier: self.names(known, None),
                later: self.names(&meanings, Some(&layer)),
            };
            self.layers.hidden[earlier as usize] = true;
            self.layers.conflicts.push(conflict);
        }
        // A parent that a pack gives to a concept which has none.
        let parents: Vec<(ConceptId, String)> = layer
            .joined
            .iter()
            .filter(|(id, _)| self.tables.parents.get(id.0 as usize) == Some(&None))
            .map(|&(id, concept)| (id, layer.pack.parent(concept).to_owned()))
            .filter(|(_, label)| !label.is_empty())
            .collect();
        self.layers.layers.push(layer);
        self.layers.conflicts.sort();
        for (id, label) in parents {
            let parent = self.parent_named(&label, id).filter(|&parent| !self.is_a(parent, id));
            self.tables.parents[id.0 as usize] = parent;
        }
        Ok(())
    }

    /// The surfaces that stand now and that the pack has as well, with its index of each; in order.
    fn shared_surfaces(&self, pack: &Pack) -> Vec<(u32, u32)> {
        let mut key = String::new();
        let mut built_in = |(index, surface): (usize, &Surface)| {
            key.clear();
            key.push_str(&surface.text);
            key.make_ascii_lowercase();
            Some((index as u32, pack.find(&key)?))
        };
        let packs = self.layers.layers.iter().flat_map(|layer| {
            (0..layer.pack.surfaces_len()).map(|index| (layer.pack.key(index), layer.first_surface + index))
        });
        let surfaces = self.tables.surfaces.iter().enumerate();
        let mut shared: Vec<(u32, u32)> = surfaces
            .filter(|&(index, _)| !self.layers.hides(index as u32))
            .filter_map(&mut built_in)
            .chain(
                packs
                    .filter(|&(_, index)| !self.layers.hides(index))
                    .filter_map(|(key, index)| Some((index, pack.find(key)?))),
            )
            .collect();
        shared.sort_unstable();
        shared
    }

    /// Finds the concepts of a pack that are an earlier dictionary's, and gives those its codes.
    fn join(&mut self, layer: &mut Layer, shared: &[(u32, u32)]) {
        for &(earlier, surface) in shared {
            let key = layer.pack.key(surface).to_owned();
            let concepts: Vec<u32> = layer.pack.meanings(surface).collect();
            for concept in concepts {
                if !layer.pack.label(concept).eq_ignore_ascii_case(&key) {
                    continue;
                }
                let (kind, certainty) = layer.pack.kind(concept);
                let same = |known: ConceptKind| {
                    certainty == KindCertainty::Assumed
                        || known == kind
                        || (known.is_condition() && kind.is_condition())
                };
                let known = &self.surface(earlier).concepts;
                let Some(&id) = known.iter().find(|&&id| same(self.concept(id).kind)) else {
                    continue;
                };
                let found = self.concept(id);
                let is_label = found.label.eq_ignore_ascii_case(&key);
                if !is_label && contradict(found, layer.pack.main_codes(concept)) {
                    let (parent, kind) = (found.label.clone(), found.kind);
                    if let Some(own) = layer.concept_mut(concept) {
                        if own.parent.is_empty() {
                            own.parent = parent;
                        }
                        if certainty != KindCertainty::Stated {
                            own.kind = kind;
                        }
                    }
                    continue;
                }
                layer.ids[concept as usize] = id;
                layer.joined.push((id, concept));
                if is_label {
                    self.update(id, &layer.pack, concept);
                }
            }
        }
        layer.joined.sort_unstable();
    }

    /// Gives a concept what a later pack says of it.
    fn update(&mut self, id: ConceptId, pack: &Pack, concept: u32) {
        let known = self.concept(id);
        let (kind, certainty) = pack.kind(concept);
        let other_kind = certainty == KindCertainty::Stated && kind != known.kind;
        let codes = pack.main_codes(concept);
        let old = [&known.icd10, &known.hpo, &known.atc, &known.loinc];
        let other_code: [bool; 4] = std::array::from_fn(|at| !codes[at].is_empty() && old[at] != codes[at]);
        if !other_kind && other_code == [false; 4] {
            return;
        }
        let conflict = |earlier: &str, later: &str| Conflict {
            pack: pack.name().to_owned(),
            surface: known.label.clone(),
            earlier: earlier.to_owned(),
            later: later.to_owned(),
        };
        let mut conflicts = Vec::new();
        if other_kind {
            conflicts.push(conflict(kind_name(known.kind), kind_name(kind)));
        }
        for at in (0..4).filter(|&at| other_code[at] && !old[at].is_empty()) {
            conflicts.push(conflict(old[at], codes[at]));
        }
        self.layers.conflicts.append(&mut conflicts);
        let Some(known) = self.concept_mut(id) else { return };
        if other_kind {
            known.kind = kind;
        }
        let old = [&mut known.icd10, &mut known.hpo, &mut known.atc, &mut known.loinc];
        for (at, old) in old.into_iter().enumerate() {
            if other_code[at] {
                codes[at].clone_into(old);
            }
        }
    }

    fn concept_mut(&mut self, id: ConceptId) -> Option<&mut Concept> {
        if (id.0 as usize) < self.tables.concepts.len() {
            return self.tables.concepts.get_mut(id.0 as usize);
        }
        let at = self.layers.layers.partition_point(|layer| layer.first_concept <= id.0);
        let layer = self.layers.layers.get_mut(at.checked_sub(1)?)?;
        let concept = id.0 - layer.first_concept;
        layer.concept_mut(concept)
    }

    /// The concept that a label names as the parent of another.
    pub(super) fn parent_named(&self, label: &str, child: ConceptId) -> Option<ConceptId> {
        let kind = self.get(child)?.kind;
        let alike = |other: ConceptKind| other == kind || (other.is_condition() && kind.is_condition());
        self.lookup_kind(label, alike).filter(|&parent| parent != child)
    }

    fn names(&self, ids: &[ConceptId], layer: Option<&Layer>) -> String {
        let name = |&id: &ConceptId| {
            let own = layer.and_then(|layer| Some((layer, id.0.checked_sub(layer.first_concept)?)));
            match own {
                Some((layer, own)) => layer.concept(own),
                None => self.get(id),
            }
            .map_or(String::new(), |concept| {
                format!("{} ({})", concept.label, kind_name(concept.kind))
            })
        };
        ids.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

/// True where codes of one system speak of two things: another HPO id, another category of ICD-10.
fn contradict(known: &Concept, codes: [&str; 4]) -> bool {
    let [icd10, hpo, _, _] = codes;
    let category = |code: &str| code.split(['.', '-']).next().map(str::to_owned);
    let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    differ(&known.hpo, hpo) || differ(&known.icd10, icd10) && category(&known.icd10) != category(icd10)
}

/// A kind's name in files.
pub(super) fn kind_name(kind: ConceptKind) -> &'static str {
    let found = super::pack::KINDS.iter().find(|&&(known, _)| known == kind);
    found.map_or("", |&(_, name)| name)
}
