//! The dictionaries and the knowledge table, loaded once and then read only.
//!
//! [`Lexicon::from_tables`] reads the tables of `dictionaries/`, and any others of the same columns.
//! The build script does so once and embeds the result, which [`Lexicon::load_default`] takes up.
//! Dictionaries of other formats are read by [`import`], kept as a [`pack`], and laid over the
//! built-in ones by [`Lexicon::layered`].

mod check;
mod compiled;
mod cues;
mod demographics;
pub mod import;
mod knowledge;
mod layers;
mod modified;
pub mod pack;
mod ranges;
mod rank;
mod specialty;
mod surfaces;
mod table;

pub use check::{Problem, ProblemKind};
pub use cues::{CueDirection, Pattern, Predicate, RelationCue, StandingCue, StatusCue, StatusCueKind};
pub use demographics::{Demographics, Patient, Prevalence};
pub use knowledge::{Fact, Frequency, Key, Knowledge};
pub use layers::{Conflict, Origin};
pub(crate) use modified::adjectival_rest;
pub use modified::{Modified, Modifier, ModifierKind};
pub use ranges::{ReferenceRange, Sex};
pub use rank::{Contribution, Likelihoods, Observed, PRIOR_CASES, RankedDisease, independence, total};

use std::sync::OnceLock;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder, MatchKind};
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::types::{Concept, ConceptId, ConceptKind, Direction, Label, MentionKind, Norm, Span};
use surfaces::SurfaceIndex;
use table::Table;

/// A surface form found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurfaceMatch {
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Index of the surface, for [`Lexicon::surface`].
    pub surface: u32,
}

/// A surface form: a way in which reports write one or more concepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surface {
    /// The form as the dictionary writes it, NFKC.
    pub text: String,
    /// What it can mean, best first: a preferred label before a synonym before an abbreviation.
    pub concepts: Vec<ConceptId>,
}

/// How a modifier of disease and finding names counts (軽度, 両側, 急速に進行する).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModifierClass {
    /// Changes the concept and stays in labels: 急性, 両側, 続発性.
    Concept,
    /// Degree; dropped from labels: 軽度, 著明な.
    Degree,
    /// Course; dropped from labels: 急速に進行する.
    Course,
}

/// All dictionaries and the knowledge, read only; shared by threads.
#[derive(Clone)]
pub struct Lexicon {
    tables: Tables,
    matcher: CharwiseDoubleArrayAhoCorasick<u32>,
    by_surface: SurfaceIndex,
    /// Made when an id is first asked for.
    by_id: OnceLock<HashMap<String, ConceptId>>,
    /// P(f|d) of the findings that rankings asked for.
    likelihoods: std::sync::Arc<rank::Cache>,
    /// How many diseases have links.
    described: OnceLock<f64>,
    /// The concepts directly under each concept.
    kinds: OnceLock<std::collections::HashMap<ConceptId, Vec<ConceptId>>>,
    layers: layers::Layers,
    patterns: Patterns,
}

/// Patterns of the tables that are asked together; each is made when it is first asked.
#[derive(Clone, Default)]
struct Patterns {
    status_after: cues::PatternSet,
    status_before: cues::PatternSet,
    standing: cues::PatternSet,
    family: OnceLock<Option<Regex>>,
    misprints: OnceLock<Option<aho_corasick::AhoCorasick>>,
    variants: OnceLock<Option<aho_corasick::AhoCorasick>>,
}

/// What the tables say, with names resolved to concepts: what [`compiled`] writes and reads.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Tables {
    concepts: Vec<Concept>,
    surfaces: Vec<Surface>,
    parents: Vec<Option<ConceptId>>,
    #[serde(serialize_with = "compiled::sorted")]
    tests: HashMap<ConceptId, ranges::TestData>,
    any_test_units: Vec<(String, String, f64)>,
    #[serde(serialize_with = "compiled::sorted")]
    states: HashMap<ConceptId, (ConceptId, Direction)>,
    #[serde(serialize_with = "compiled::sorted")]
    state_of: HashMap<(ConceptId, Direction), ConceptId>,
    #[serde(serialize_with = "compiled::sorted")]
    organism_disease: HashMap<ConceptId, ConceptId>,
    #[serde(serialize_with = "compiled::sorted")]
    results: HashMap<String, Direction>,
    prefixes: Vec<(String, ModifierClass)>,
    suffixes: Vec<(String, ModifierClass)>,
    variants: Vec<(String, String)>,
    /// What stands instead of a word in scanned reports, and the word.
    misprints: Vec<(String, String)>,
    #[serde(serialize_with = "compiled::sorted_set")]
    generic: HashSet<String>,
    heads: Vec<(String, MentionKind)>,
    change_heads: Vec<String>,
    status_cues: Vec<StatusCue>,
    relation_cues: Vec<RelationCue>,
    standing_cues: Vec<StandingCue>,
    specialties: Vec<specialty::SpecialtyRow>,
    #[serde(serialize_with = "compiled::sorted")]
    demographics: HashMap<ConceptId, demographics::Demographics>,
    found: Vec<Pattern>,
    /// Frame words; true for those that stand outside every name.
    #[serde(serialize_with = "compiled::sorted")]
    frame_words: HashMap<String, bool>,
    family: Vec<String>,
    tissues: Vec<(String, String)>,
    /// Longest first.
    predicates: Vec<cues::Predicate>,
    stages: Vec<(Pattern, String)>,
    /// Surface and test, longest first.
    substance_tests: Vec<(String, String)>,
    /// What is a test only in a body fluid.
    fluid_names: Vec<String>,
    knowledge: Knowledge,
    counts: Vec<(String, usize)>,
}

impl Lexicon {
    fn new(tables: Tables, matcher: CharwiseDoubleArrayAhoCorasick<u32>) -> Self {
        Lexicon {
            by_surface: SurfaceIndex::new(&tables.surfaces),
            tables,
            matcher,
            by_id: OnceLock::new(),
            likelihoods: std::sync::Arc::default(),
            described: OnceLock::new(),
            kinds: OnceLock::new(),
            layers: layers::Layers::default(),
            patterns: Patterns::default(),
        }
    }

    /// Takes up the embedded dictionaries, which were compiled with the program. Tens of
    /// milliseconds.
    ///
    /// # Errors
    /// [`Error::Embedded`] when they do not load, which is a fault of the build.
    pub fn load_default() -> Result<Self, Error> {
        Self::from_compiled(crate::embedded::LEXICON)
    }

    /// Reads tables given as (folder, file stem, TSV text); the folder says what the rows are, as
    /// under `dictionaries/`. O(total size).
    ///
    /// # Errors
    /// [`Error::Dictionary`] names the first broken row: a missing column, an unknown kind, an
    /// empty label.
    pub fn from_tables<'t>(tables: impl IntoIterator<Item = (&'t str, &'t str, &'t str)>) -> Result<Self, Error> {
        let tables: Vec<Table<'t>> = tables
            .into_iter()
            .map(|(folder, stem, text)| Table::new(folder, stem, text))
            .collect::<Result<_, _>>()?;
        let mut builder = Builder::default();
        for table in &tables {
            builder.concepts(table)?;
        }
        for table in tables
            .iter()
            .filter(|table| (table.folder, table.stem) == ("modifiers", "variants"))
        {
            builder
                .variants
                .extend(table.rows.iter().map(|row| (row.get("standard"), row.get("variant"))));
        }
        builder.surfaces();
        let mut lexicon = builder.finish()?;
        // Ranges and units refer to tests, so the tests come first.
        let (tests, others): (Vec<_>, Vec<_>) = tables
            .iter()
            .partition(|table| (table.folder, table.stem) == ("tests", "tests"));
        for table in tests.into_iter().chain(others) {
            lexicon.read_auxiliary(table)?;
            lexicon
                .tables
                .counts
                .push((format!("{}/{}", table.folder, table.stem), table.rows.len()));
        }
        // Knowledge refers to concepts and to test states, so it comes last.
        let mut knowledge = Knowledge::default();
        for table in tables.iter().filter(|table| table.folder == "knowledge") {
            knowledge.read(table, &lexicon)?;
        }
        lexicon.tables.knowledge = knowledge;
        Ok(lexicon)
    }

    /// This lexicon with more causal links, from a file of the columns of `dictionaries/knowledge`
    /// (tab-separated: cause, relation, effect, frequency; others are passed over): links of one's
    /// own, or what `shorei knowledge aggregate` counted. O(rows).
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read, [`Error::Record`] for a broken row.
    pub fn with_knowledge(mut self, file: &std::path::Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|error| Error::Io {
            path: file.to_owned(),
            reason: error.to_string(),
        })?;
        let header = text.lines().next().unwrap_or_default();
        let columns = ["cause", "relation", "effect", "frequency"];
        if let Some(column) = columns
            .iter()
            .find(|&&column| !header.split('\t').any(|name| name == column))
        {
            return Err(Error::Record {
                file: file.display().to_string(),
                line: 1,
                reason: format!("no column `{column}`; the header needs cause, relation, effect and frequency"),
            });
        }
        let mut knowledge = std::mem::take(&mut self.tables.knowledge);
        let read = Table::new("knowledge", "added", &text).and_then(|table| knowledge.read(&table, &self));
        read.map_err(|error| match error {
            Error::Dictionary {
                line, value, reason, ..
            } => Error::Record {
                file: file.display().to_string(),
                line,
                reason: format!("{reason}: `{value}`"),
            },
            other => other,
        })?;
        self.tables.knowledge = knowledge;
        self.forget_rankings();
        Ok(self)
    }

    /// A concept by its index.
    ///
    /// # Panics
    /// When the id is of another lexicon.
    pub fn concept(&self, id: ConceptId) -> &Concept {
        match self.tables.concepts.get(id.0 as usize) {
            Some(concept) => concept,
            None => self.layers.concept(id).expect("an id of this lexicon"),
        }
    }

    /// Every built-in concept, by index; those of packs follow, see [`Lexicon::ids`].
    pub fn concepts(&self) -> &[Concept] {
        &self.tables.concepts
    }

    /// A concept by its stable id.
    pub fn by_id(&self, id: &str) -> Option<ConceptId> {
        let by_id = self.by_id.get_or_init(|| {
            let concepts = self.tables.concepts.iter().enumerate();
            concepts
                .map(|(index, concept)| (concept.id.clone(), ConceptId(index as u32)))
                .collect()
        });
        by_id.get(id).copied().or_else(|| self.layers.by_id(id))
    }

    /// Every built-in surface form; those of packs follow, see [`pack::Pack`].
    pub fn surfaces(&self) -> &[Surface] {
        &self.tables.surfaces
    }

    /// A surface form by its index.
    ///
    /// # Panics
    /// When the index is of another lexicon.
    pub fn surface(&self, index: u32) -> &Surface {
        match self.tables.surfaces.get(index as usize) {
            Some(surface) => surface,
            None => self.layers.surface(index).expect("a surface of this lexicon"),
        }
    }

    /// What a normalised string means, best first; exact but for the case of Latin letters. O(1).
    pub fn lookup(&self, text: &str) -> &[ConceptId] {
        if !self.layers.is_empty()
            && let Some(concepts) = self.layers.lookup(&text.to_ascii_lowercase())
        {
            return concepts;
        }
        self.by_surface
            .get(text, &self.tables.surfaces)
            .map_or(&[], |surface| &self.tables.surfaces[surface as usize].concepts)
    }

    /// The concepts that are read so: `reading` in hiragana or katakana, whole. O(concepts).
    ///
    /// ```
    /// let lexicon = shorei::lexicon::Lexicon::load_default()?;
    /// let found = lexicon.lookup_reading("キカンシゼンソク");
    /// assert_eq!(lexicon.concept(found[0]).label, "気管支喘息");
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn lookup_reading(&self, reading: &str) -> Vec<ConceptId> {
        // Katakana stands 0x60 above hiragana.
        let hiragana = |c: char| match c {
            '\u{30a1}'..='\u{30f6}' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
            c => c,
        };
        let asked: String = reading.chars().map(hiragana).collect();
        let is_read = |id: &ConceptId| !asked.is_empty() && self.concept(*id).reading == asked;
        self.ids().filter(is_read).collect()
    }

    /// The best meaning of `text` that `accept` takes.
    pub fn lookup_kind(&self, text: &str, accept: impl Fn(ConceptKind) -> bool) -> Option<ConceptId> {
        self.lookup(text)
            .iter()
            .copied()
            .find(|&id| accept(self.concept(id).kind))
    }

    /// The best disease, pathology, symptom, sign or finding that `text` names.
    pub fn lookup_condition(&self, text: &str) -> Option<ConceptId> {
        self.lookup_kind(text, ConceptKind::is_condition)
    }

    /// As [`Lexicon::lookup_condition`], and where nothing is listed without leading modifiers:
    /// 左Horner症候群 → Horner症候群. O(length × modifiers).
    pub fn lookup_modified_condition(&self, text: &str) -> Option<ConceptId> {
        let mut rest = text;
        loop {
            if let Some(id) = self.lookup_condition(rest) {
                return Some(id);
            }
            let (modifier, _) = self.modifier_prefix(rest)?;
            rest = &rest[modifier.len()..];
        }
    }

    /// The disease that a name means as people list diseases, a diagnosis among choices say: without
    /// another name in brackets (川崎病〈MCLS〉), without leading modifiers, else by the longest end of
    /// the name, of at least three characters, that a dictionary lists (耳下腺多形腺腫 → 多形腺腫).
    /// `name` is NFKC. O(length²).
    ///
    /// ```
    /// let lexicon = shorei::lexicon::Lexicon::load_default()?;
    /// let label = |name: &str| lexicon.lookup_disease(name).map(|id| lexicon.concept(id).label.as_str());
    /// assert_eq!(label("川崎病〈MCLS〉"), Some("川崎病"));
    /// assert_eq!(label("右 外転神経麻痺"), Some("外転神経麻痺"));
    /// # Ok::<(), shorei::Error>(())
    /// ```
    pub fn lookup_disease(&self, name: &str) -> Option<ConceptId> {
        let bare: String = name
            .split(['〈', '(', '（', '<', '['])
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let disease = |text: &str| self.lookup_kind(text, ConceptKind::is_disease);
        let chars = bare.chars().count();
        disease(&bare)
            .or_else(|| self.lookup_modified_condition(&bare))
            .or_else(|| self.lookup_modified_condition(&bare.to_lowercase()))
            .or_else(|| {
                let ends = bare.char_indices().skip(1).take(chars.saturating_sub(3));
                ends.map(|(at, _)| &bare[at..]).find_map(disease)
            })
    }

    /// Every occurrence, also overlapping ones, of every surface form in `lowercase`: a normalised
    /// text with its ASCII letters in lower case. O(n + matches).
    pub fn find_all<'l>(&'l self, lowercase: &'l str) -> impl Iterator<Item = SurfaceMatch> + 'l {
        let built_in = self.matcher.find_overlapping_iter(lowercase).map(|found| SurfaceMatch {
            start: found.start(),
            end: found.end(),
            surface: found.value(),
        });
        built_in
            .filter(|found| !self.layers.hides(found.surface))
            .chain(self.layers.find_all(lowercase))
    }

    /// The more general concept.
    pub fn parent(&self, id: ConceptId) -> Option<ConceptId> {
        match self.tables.parents.get(id.0 as usize) {
            Some(parent) => *parent,
            None => self.parent_named(self.layers.parent_label(id)?, id),
        }
    }

    /// `id`, its parent, its parent's parent, … at most eight.
    pub fn ancestry(&self, id: ConceptId) -> impl Iterator<Item = ConceptId> + '_ {
        std::iter::successors(Some(id), |&id| self.parent(id)).take(8)
    }

    /// True when `general` is `specific` or one of its ancestors.
    pub fn is_a(&self, specific: ConceptId, general: ConceptId) -> bool {
        self.ancestry(specific).any(|id| id == general)
    }

    /// The test and direction that a named state is: 高カリウム血症 is K, high.
    pub fn state_result(&self, state: ConceptId) -> Option<(ConceptId, Direction)> {
        self.tables.states.get(&state).copied()
    }

    /// The state that a test's direction is called: K, high is 高カリウム血症.
    pub fn result_state(&self, test: ConceptId, direction: Direction) -> Option<ConceptId> {
        self.tables.state_of.get(&(test, direction)).copied()
    }

    /// The infection that an organism makes.
    pub fn infection(&self, organism: ConceptId) -> Option<ConceptId> {
        self.tables.organism_disease.get(&organism).copied()
    }

    /// The direction or result that a word says: 高値 → high, (+) → positive.
    pub fn result_word(&self, word: &str) -> Option<Direction> {
        self.tables.results.get(word).copied()
    }

    /// True for words that name nothing by themselves: 再発, 病変, 合併症.
    pub fn is_generic(&self, text: &str) -> bool {
        self.tables.generic.contains(text)
    }

    /// Where `text` holds a misprint, as byte ranges, with the right word. In reading order, without
    /// overlaps. O(n).
    pub fn misprints_in(&self, text: &str) -> Vec<(std::ops::Range<usize>, &str)> {
        let matcher = self.patterns.misprints.get_or_init(|| {
            aho_corasick::AhoCorasick::builder()
                .match_kind(aho_corasick::MatchKind::LeftmostLongest)
                .build(self.tables.misprints.iter().map(|(misprint, _)| misprint))
                .ok()
        });
        let Some(matcher) = matcher else {
            return Vec::new();
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '.';
        matcher
            .find_iter(text)
            .filter(|found| {
                // 1gM is IgM, 11gM is not.
                let latin = text[found.range()].is_ascii();
                !latin || !text[..found.start()].ends_with(word) && !text[found.end()..].starts_with(word)
            })
            .map(|found| {
                (
                    found.range(),
                    self.tables.misprints[found.pattern().as_usize()].1.as_str(),
                )
            })
            .collect()
    }

    /// `text` in standard characters: 葦麻疹 → 蕁麻疹.
    pub fn standard_characters(&self, text: &str) -> String {
        let variants = &self.tables.variants;
        let matcher = self.patterns.variants.get_or_init(|| {
            let patterns = variants.iter().map(|(_, variant)| variant);
            aho_corasick::AhoCorasick::new(patterns).ok()
        });
        // Almost no word has one.
        if matcher.as_ref().is_some_and(|matcher| !matcher.is_match(text)) {
            return text.to_owned();
        }
        variants.iter().fold(text.to_owned(), |text, (standard, variant)| {
            if text.contains(variant.as_str()) {
                text.replace(variant.as_str(), standard)
            } else {
                text
            }
        })
    }

    /// The longest modifier that `text` begins with, and its class.
    pub fn modifier_prefix<'t>(&self, text: &'t str) -> Option<(&'t str, ModifierClass)> {
        self.tables
            .prefixes
            .iter()
            .find(|(modifier, _)| text.starts_with(modifier.as_str()) && text.len() > modifier.len())
            .map(|(modifier, class)| (&text[..modifier.len()], *class))
    }

    /// The kind of mention that a noun run with a known head is: 〜症, 〜炎, 〜陰影.
    pub fn head_kind(&self, text: &str) -> Option<MentionKind> {
        self.tables
            .heads
            .iter()
            .find(|(head, _)| text.len() > head.len() && text.ends_with(head.as_str()))
            .map(|&(_, kind)| kind)
    }

    /// True when a finding's name ends in a word for a change of something else: 肥厚, 増加, 浸潤.
    pub fn is_change_head(&self, text: &str) -> bool {
        self.tables
            .change_heads
            .iter()
            .any(|head| text.ends_with(head.as_str()))
    }

    /// The status cues that stand where `rest`, the words after a mention, begins.
    pub fn status_cues_after(&self, rest: &str) -> impl Iterator<Item = &StatusCue> {
        self.status_cues_in(&self.patterns.status_after, true, rest)
    }

    /// The status cues that match in `before`, the words before a mention.
    pub fn status_cues_before(&self, before: &str) -> impl Iterator<Item = &StatusCue> {
        self.status_cues_in(&self.patterns.status_before, false, before)
    }

    fn status_cues_in(&self, set: &cues::PatternSet, after: bool, text: &str) -> impl Iterator<Item = &StatusCue> {
        // Numbers ascend, so one walk over the cues of that side meets them all.
        let of_side = move || self.tables.status_cues.iter().filter(move |cue| cue.after == after);
        let mut cues = of_side().enumerate();
        set.matches(of_side().map(|cue| &cue.pattern), text)
            .into_iter()
            .filter_map(move |matching| cues.find(|&(number, _)| number == matching).map(|(_, cue)| cue))
    }

    /// True when `text` holds a word for a member of a family.
    pub fn names_family(&self, text: &str) -> bool {
        let pattern = self.patterns.family.get_or_init(|| {
            let words: Vec<String> = self.tables.family.iter().map(|word| regex::escape(word)).collect();
            (!words.is_empty()).then(|| Regex::new(&words.join("|")).expect("plain words are a pattern"))
        });
        pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    /// Words for members of a family, longest first.
    pub fn family_words(&self) -> &[String] {
        &self.tables.family
    }

    /// The biopsy whose tissue a histological description speaks of: 真皮 → 皮膚生検.
    pub fn biopsy_of_tissue(&self, text: &str) -> Option<&str> {
        self.tables
            .tissues
            .iter()
            .find(|(word, _)| text.contains(word.as_str()))
            .map(|(_, exam)| exam.as_str())
    }

    /// Every word that tells something of a noun (狭窄, 困難), by its first byte; of words that begin
    /// at one place the longest. O(text × words).
    pub fn predicates_in(&self, text: &str) -> Vec<(usize, &Predicate)> {
        let mut found: Vec<(usize, &Predicate)> = self
            .tables
            .predicates
            .iter()
            .flat_map(|predicate| {
                text.match_indices(predicate.word.as_str())
                    .map(move |(at, _)| (at, predicate))
            })
            .collect();
        found.sort_by_key(|&(at, predicate)| (at, std::cmp::Reverse(predicate.word.len())));
        found.dedup_by_key(|&mut (at, _)| at);
        found
    }

    /// Codes of tumour stages, with the finding that each says.
    pub fn stages(&self) -> impl Iterator<Item = (&Pattern, &str)> {
        self.tables
            .stages
            .iter()
            .map(|(pattern, label)| (pattern, label.as_str()))
    }

    /// Every test of substances (パッチテスト, 特異的IgE) that `text` names, in order, with the name that
    /// labels give it. O(text × tests).
    pub fn substance_tests_in(&self, text: &str) -> Vec<(Span<Norm>, &str)> {
        let mut found: Vec<(Span<Norm>, &str)> = Vec::new();
        for (surface, test) in &self.tables.substance_tests {
            for (at, _) in text.match_indices(surface.as_str()) {
                let span = Span::new(at, at + surface.len());
                if !found.iter().any(|(other, _)| other.overlaps(&span)) {
                    found.push((span, test));
                }
            }
        }
        found.sort_by_key(|&(span, _)| span);
        found
    }

    /// Names that mean a test only where the text speaks of a body fluid: 蛋白, 糖, 細胞数.
    pub fn fluid_names(&self) -> &[String] {
        &self.tables.fluid_names
    }

    /// Cues of causal relations.
    pub fn relation_cues(&self) -> &[RelationCue] {
        &self.tables.relation_cues
    }

    /// True when a text opens with words that say that what stands before them was found:
    /// 「を認めた」.
    pub fn is_found(&self, rest: &str) -> bool {
        self.tables.found.iter().any(|pattern| pattern.is_match(rest))
    }

    /// True for nouns that stand beside names without being part of them: 入院, 指摘, 所見.
    pub fn is_outside_names(&self, word: &str) -> bool {
        self.tables.frame_words.get(word) == Some(&true)
    }

    /// True for nouns that name nothing of their own: those outside names, and 影響, 染色, 性.
    pub fn is_frame_word(&self, word: &str) -> bool {
        self.tables.frame_words.contains_key(word)
    }

    /// Cues of the part that a mention plays in its report.
    pub fn standing_cues(&self) -> &[StandingCue] {
        &self.tables.standing_cues
    }

    /// Numbers of the standing cues that stand where `rest`, the words after a mention, begins.
    pub fn standing_cues_after(&self, rest: &str) -> impl Iterator<Item = usize> {
        let patterns = self.tables.standing_cues.iter().map(|cue| &cue.pattern);
        self.patterns.standing.matches(patterns, rest).into_iter()
    }

    /// The disease-finding knowledge.
    pub fn knowledge(&self) -> &Knowledge {
        &self.tables.knowledge
    }

    /// Rows of each table, as (folder/stem, rows).
    pub fn counts(&self) -> &[(String, usize)] {
        &self.tables.counts
    }

    /// The main unit of a test; empty when it has none.
    pub fn main_unit(&self, test: ConceptId) -> &str {
        self.tables.tests.get(&test).map_or("", |data| &data.unit)
    }

    /// What a value in `unit` is multiplied by to be in the test's main unit; `None` for a unit
    /// that the dictionary does not know for this test. Case and spaces do not count.
    pub fn unit_factor(&self, test: ConceptId, unit: &str) -> Option<f64> {
        let data = self.tables.tests.get(&test)?;
        let unit = ranges::canonical_unit(unit);
        let main = &data.canonical_unit;
        let via_any = |from: &str, to: &str| {
            self.tables
                .any_test_units
                .iter()
                .find(|(a, b, _)| a == from && b == to)
                .map(|&(_, _, factor)| factor)
        };
        if unit == *main {
            return Some(1.0);
        }
        data.units
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|&(_, factor)| factor)
            .or_else(|| via_any(&unit, main))
    }

    /// The reference range of a test in its main unit, for a sex and age in years where known.
    pub fn reference_range(&self, test: ConceptId, sex: Option<Sex>, age_years: Option<f64>) -> Option<ReferenceRange> {
        let data = self.tables.tests.get(&test)?;
        data.range(&data.canonical_unit, sex, age_years)
    }

    /// The reference range in another unit, for tests that have one of its own there: neutrophils
    /// in % and in /μL.
    pub fn reference_range_in(
        &self,
        test: ConceptId,
        unit: &str,
        sex: Option<Sex>,
        age_years: Option<f64>,
    ) -> Option<ReferenceRange> {
        let data = self.tables.tests.get(&test)?;
        data.range(&ranges::canonical_unit(unit), sex, age_years)
    }

    /// The concept that a node label names, and with it what knowledge knows of. Strings that no
    /// dictionary lists are keys of their own. O(length).
    pub fn key(&self, label: &Label) -> Option<Key> {
        match label {
            Label::Condition(text) => self.lookup_condition(text).map(|id| self.condition_key(id)),
            Label::AtSite { condition, site } => self
                .lookup_condition(&format!("{site}{condition}"))
                .or_else(|| self.lookup_condition(condition))
                .map(|id| self.condition_key(id)),
            Label::Result { test, result } => {
                let test = self.lookup_kind(test, |kind| kind == ConceptKind::Test)?;
                Some(Key::Result(test, self.result_word(result)?))
            }
            Label::ExamFinding { finding, .. } => self.lookup_condition(finding).map(|id| self.condition_key(id)),
            Label::History(exposure) => self.exposure(exposure).map(Key::Concept),
        }
    }

    /// A state that is a test's direction has that direction's key, so that 高カリウム血症 and
    /// K/上昇 are one thing to the knowledge.
    pub fn condition_key(&self, id: ConceptId) -> Key {
        match self.tables.states.get(&id) {
            Some(&(test, direction)) => Key::Result(test, direction),
            _ => Key::Concept(id),
        }
    }

    /// The drug, treatment, organism or condition that an exposure names: 「ドキソルビシン使用」.
    pub fn exposure(&self, text: &str) -> Option<ConceptId> {
        const TAILS: [&str; 12] = [
            "使用歴",
            "使用",
            "投与",
            "内服",
            "服用",
            "後",
            "歴",
            "摂取",
            "治療",
            "曝露",
            "施行",
            "術後",
        ];
        let mut text = text;
        loop {
            if let Some(&id) = self.lookup(text).first() {
                return Some(id);
            }
            text = TAILS
                .iter()
                .find_map(|tail| text.strip_suffix(tail))
                .filter(|rest| !rest.is_empty())?;
        }
    }

    /// True when two labels of the notation name the same concept. Where both name a site, or an
    /// exam, that must be the same as well; 脱力@四肢 and 脱力 are one concept.
    pub fn same_concept(&self, a: &str, b: &str) -> bool {
        let (Ok(a), Ok(b)) = (a.parse::<Label>(), b.parse::<Label>());
        match (&a, &b) {
            (Label::AtSite { site: x, .. }, Label::AtSite { site: y, .. })
                if x != y
                    && self
                        .lookup(x)
                        .first()
                        .is_none_or(|id| self.lookup(y).first() != Some(id)) =>
            {
                return false;
            }
            (Label::ExamFinding { exam: x, .. }, Label::ExamFinding { exam: y, .. })
                if x != y
                    && self
                        .lookup(x)
                        .first()
                        .is_none_or(|id| self.lookup(y).first() != Some(id)) =>
            {
                return false;
            }
            (Label::ExamFinding { .. }, other) | (other, Label::ExamFinding { .. })
                if !matches!(other, Label::ExamFinding { .. }) =>
            {
                return false;
            }
            (Label::AtSite { condition: sited, .. }, Label::Condition(plain))
            | (Label::Condition(plain), Label::AtSite { condition: sited, .. })
                if self
                    .lookup_condition(sited)
                    .is_some_and(|id| self.lookup_condition(plain) == Some(id)) =>
            {
                return true;
            }
            (Label::History(_), other) | (other, Label::History(_)) if !matches!(other, Label::History(_)) => {
                return false;
            }
            _ => {}
        }
        matches!((self.key(&a), self.key(&b)), (Some(x), Some(y)) if x == y)
    }

    fn read_auxiliary(&mut self, table: &Table<'_>) -> Result<(), Error> {
        match (table.folder, table.stem) {
            ("tests", "tests") => self.read_test_states(table),
            ("tests", "ranges") => self.read_ranges(table),
            ("tests", "units") => self.read_units(table),
            ("tests", "qualitative") => self.read_results(table),
            ("organisms", _) => self.read_infections(table),
            ("specialties", _) => {
                self.tables.specialties = specialty::read(table)?;
                Ok(())
            }
            ("demographics", _) => {
                let rows = demographics::read(table, self)?;
                self.tables.demographics.extend(rows);
                Ok(())
            }
            ("modifiers", "heads") => self.read_heads(table),
            ("modifiers", "misprints") => {
                let pair = |row: &table::Row<'_>| (row.get("misprint").to_owned(), row.get("standard").to_owned());
                self.tables.misprints = table.rows.iter().map(pair).collect();
                Ok(())
            }
            ("modifiers", "generic") => {
                self.tables.generic = table.rows.iter().map(|row| row.get("word").to_owned()).collect();
                Ok(())
            }
            ("modifiers", "modifiers") => self.read_modifiers(table),
            ("cues", "status") => {
                self.tables.status_cues = cues::read_status(table)?;
                Ok(())
            }
            ("cues", "family") => {
                self.tables.family = table.rows.iter().map(|row| row.get("word").to_owned()).collect();
                self.tables.family.sort_by_key(|word| std::cmp::Reverse(word.len()));
                Ok(())
            }
            ("cues", "tissue") => {
                let pair = |row: &table::Row<'_>| (row.get("word").to_owned(), row.get("exam").to_owned());
                self.tables.tissues = table.rows.iter().map(pair).collect();
                Ok(())
            }
            ("cues", "predicate") => {
                self.tables.predicates = cues::read_predicates(table)?;
                Ok(())
            }
            ("cues", "staging") => {
                self.tables.stages = cues::read_stages(table)?;
                Ok(())
            }
            ("cues", "substance") => {
                let pair = |row: &table::Row<'_>| (row.get("surface").to_owned(), row.get("test").to_owned());
                self.tables.substance_tests = table.rows.iter().map(pair).collect();
                self.tables
                    .substance_tests
                    .sort_by_key(|(surface, _)| std::cmp::Reverse(surface.len()));
                Ok(())
            }
            ("cues", "fluid") => {
                self.tables.fluid_names = table.rows.iter().map(|row| row.get("name").to_owned()).collect();
                Ok(())
            }
            ("cues", "found") => {
                self.tables.found = cues::read_found(table)?;
                Ok(())
            }
            ("modifiers", "frame") => {
                let words = table
                    .rows
                    .iter()
                    .map(|row| (row.get("word").to_owned(), row.get("use") == "outside"));
                self.tables.frame_words = words.collect();
                Ok(())
            }
            ("cues", "standing") => {
                self.tables.standing_cues = cues::read_standing(table)?;
                Ok(())
            }
            ("cues", "relation") => {
                self.tables.relation_cues = cues::read_relation(table)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn read_test_states(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let Some(test) = self.lookup_kind(row.get("label"), |kind| kind == ConceptKind::Test) else {
                continue;
            };
            let data = ranges::TestData {
                unit: row.get("unit").to_owned(),
                canonical_unit: ranges::canonical_unit(row.get("unit")),
                ..Default::default()
            };
            self.tables.tests.insert(test, data);
            for (column, direction) in [
                ("low_label", Direction::Low),
                ("high_label", Direction::High),
                ("positive_label", Direction::Positive),
            ] {
                if let Some(state) = self.lookup_condition(row.get(column)) {
                    self.tables.states.entry(state).or_insert((test, direction));
                    self.tables.state_of.insert((test, direction), state);
                }
            }
        }
        Ok(())
    }

    fn test_of(&mut self, table: &Table<'_>, row: &table::Row<'_>) -> Result<&mut ranges::TestData, Error> {
        let name = row.get("test");
        let id = self.lookup_kind(name, |kind| kind == ConceptKind::Test);
        match id.and_then(|id| self.tables.tests.get_mut(&id)) {
            Some(data) => Ok(data),
            None => Err(table.error(row, name, "no such test in tests.tsv; add it there or correct the name")),
        }
    }

    fn read_ranges(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let range = ranges::RangeRow::read(table, row)?;
            self.test_of(table, row)?.ranges.push(range);
        }
        Ok(())
    }

    fn read_units(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let factor = table.number(row, "factor")?.unwrap_or(1.0);
            let unit = row.get("unit");
            if row.get("test") == "*" {
                let Some((from, to)) = unit.split_once('=') else {
                    return Err(table.error(row, unit, "a unit of every test is written FROM=TO"));
                };
                self.tables
                    .any_test_units
                    .push((ranges::canonical_unit(from), ranges::canonical_unit(to), factor));
            } else {
                self.test_of(table, row)?
                    .units
                    .push((ranges::canonical_unit(unit), factor));
            }
        }
        Ok(())
    }

    fn read_results(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let direction = match row.get("result") {
                "上昇" => Direction::High,
                "低下" => Direction::Low,
                "陽性" => Direction::Positive,
                "陰性" => Direction::Negative,
                "正常" => Direction::Normal,
                "疑陽性" => Direction::Equivocal,
                other => return Err(table.error(row, other, "expected 上昇, 低下, 陽性, 陰性, 正常 or 疑陽性")),
            };
            self.tables.results.insert(row.get("surface").to_owned(), direction);
        }
        Ok(())
    }

    fn read_infections(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let organism = self.lookup_kind(row.get("label"), |kind| kind == ConceptKind::Organism);
            if let (Some(organism), Some(disease)) = (organism, self.lookup_condition(row.get("disease"))) {
                self.tables.organism_disease.insert(organism, disease);
            }
        }
        Ok(())
    }

    fn read_heads(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let kind = match row.get("kind") {
                "disease" => MentionKind::Disease,
                "finding" => MentionKind::Finding,
                other => return Err(table.error(row, other, "expected disease or finding")),
            };
            let head = row.get("suffix").to_owned();
            if row.get("change") == "yes" {
                self.tables.change_heads.push(head.clone());
            }
            self.tables.heads.push((head, kind));
        }
        self.tables
            .heads
            .sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        Ok(())
    }

    fn read_modifiers(&mut self, table: &Table<'_>) -> Result<(), Error> {
        for row in &table.rows {
            let class = match row.get("class") {
                "concept" => ModifierClass::Concept,
                "degree" => ModifierClass::Degree,
                "course" => ModifierClass::Course,
                other => return Err(table.error(row, other, "expected concept, degree or course")),
            };
            let modifiers = match row.get("position") {
                "prefix" => &mut self.tables.prefixes,
                "suffix" => &mut self.tables.suffixes,
                other => return Err(table.error(row, other, "expected prefix or suffix")),
            };
            modifiers.push((row.get("label").to_owned(), class));
        }
        // Longest first, so that 両側性 is not read as 両側.
        for modifiers in [&mut self.tables.prefixes, &mut self.tables.suffixes] {
            modifiers.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        }
        Ok(())
    }
}

/// Shorter English names are no surfaces: they are mostly something else in Japanese text.
const MIN_ENGLISH_BYTES: usize = 5;

/// Concepts and surfaces while they are being read.
#[derive(Default)]
struct Builder<'t> {
    variants: Vec<(&'t str, &'t str)>,
    concepts: Vec<Concept>,
    surfaces: Vec<Surface>,
    by_surface: HashMap<String, u32>,
}

impl<'t> Builder<'t> {
    fn concepts(&mut self, table: &Table<'_>) -> Result<(), Error> {
        let fixed = match (table.folder, table.stem) {
            ("tests", "tests") => Some(ConceptKind::Test),
            ("tests" | "knowledge" | "modifiers" | "cues" | "specialties" | "demographics", _) => return Ok(()),
            ("exams", _) => Some(ConceptKind::Exam),
            ("drugs", _) => Some(ConceptKind::Drug),
            ("sites", _) => Some(ConceptKind::Site),
            ("organisms", _) => Some(ConceptKind::Organism),
            ("treatments", _) => Some(ConceptKind::Treatment),
            _ => None,
        };
        for row in &table.rows {
            let kind = match (fixed, row.get("kind")) {
                (Some(kind), _) => kind,
                (None, "disease" | "syndrome") => ConceptKind::Disease,
                (None, "pathology") => ConceptKind::Pathology,
                (None, "symptom") => ConceptKind::Symptom,
                (None, "sign") => ConceptKind::Sign,
                (None, "lab_state") => ConceptKind::LabState,
                (None, "imaging" | "ecg" | "endoscopy" | "pathology_finding" | "physiology") => {
                    ConceptKind::ExamFinding
                }
                (None, other) => {
                    return Err(table.error(row, other, "unknown kind; see dictionaries/README.md for the kinds"));
                }
            };
            let label = row.get("label");
            if label.is_empty() {
                return Err(table.error(row, "", "the label is empty"));
            }
            let text = |column: &str| row.get(column).to_owned();
            let class = ["class", "modality", "group", "specimen"]
                .iter()
                .map(|column| row.get(column));
            self.concepts.push(Concept {
                id: text("id"),
                kind,
                label: label.to_owned(),
                reading: text("reading"),
                english: text("english"),
                synonyms: row.list("synonyms"),
                abbreviations: row.list("abbreviations"),
                icd10: text("icd10"),
                hpo: text("hpo"),
                atc: text("atc"),
                loinc: text("loinc"),
                parent: text("parent"),
                class: class
                    .into_iter()
                    .find(|class| !class.is_empty())
                    .unwrap_or_default()
                    .to_owned(),
                domain: table.stem.to_owned(),
            });
        }
        Ok(())
    }

    /// Labels first, then synonyms, then abbreviations, so that a surface's concepts stand in
    /// that order; then the English names that are nothing else yet.
    fn surfaces(&mut self) {
        for round in 0..3 {
            for index in 0..self.concepts.len() {
                let concept = &self.concepts[index];
                let forms = match round {
                    0 => vec![concept.label.clone()],
                    1 => concept.synonyms.clone(),
                    _ => concept.abbreviations.clone(),
                };
                for form in forms {
                    self.add_surface(form, ConceptId(index as u32));
                }
            }
        }
        for index in 0..self.concepts.len() {
            let concept = &self.concepts[index];
            // A site's English name is mostly part of some other name.
            if concept.kind != ConceptKind::Site
                && concept.english.len() >= MIN_ENGLISH_BYTES
                && !self.by_surface.contains_key(&concept.english.to_ascii_lowercase())
            {
                self.add_surface(concept.english.clone(), ConceptId(index as u32));
            }
        }
        // Other characters for the same word: 癌 and がん, 頸 and 頚, what OCR takes for another; twice,
        // since a word may have two of them (水泡性類天庖瘡).
        let mut from = 0;
        for _ in 0..2 {
            let to = self.surfaces.len();
            for index in from..to {
                for at in 0..self.variants.len() {
                    let (standard, variant) = self.variants[at];
                    let surface = &self.surfaces[index];
                    if surface.text.contains(standard) {
                        let (text, concepts) = (surface.text.replace(standard, variant), surface.concepts.clone());
                        concepts
                            .into_iter()
                            .for_each(|concept| self.add_surface(text.clone(), concept));
                    }
                }
            }
            from = to;
        }
    }

    fn add_surface(&mut self, text: String, concept: ConceptId) {
        match self.by_surface.entry(text.to_ascii_lowercase()) {
            Entry::Occupied(entry) => {
                let concepts = &mut self.surfaces[*entry.get() as usize].concepts;
                if !concepts.contains(&concept) {
                    concepts.push(concept);
                }
            }
            Entry::Vacant(entry) => {
                entry.insert(self.surfaces.len() as u32);
                self.surfaces.push(Surface {
                    text,
                    concepts: vec![concept],
                });
            }
        }
    }

    fn finish(self) -> Result<Lexicon, Error> {
        let Builder {
            concepts,
            surfaces,
            variants,
            ..
        } = self;
        let fault = |reason: String| Error::Embedded {
            what: "surface matcher",
            reason,
        };
        let patterns: Vec<(String, u32)> = surfaces
            .iter()
            .enumerate()
            .map(|(index, surface)| (surface.text.to_ascii_lowercase(), index as u32))
            .collect();
        let matcher = CharwiseDoubleArrayAhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .build_with_values(patterns)
            .map_err(|error| fault(error.to_string()))?;
        let labels: HashMap<&str, ConceptId> = concepts
            .iter()
            .enumerate()
            .rev()
            .map(|(index, c)| (c.label.as_str(), ConceptId(index as u32)))
            .collect();
        let parents = concepts
            .iter()
            .map(|concept| labels.get(concept.parent.as_str()).copied())
            .collect();
        drop(labels);
        let variants = variants
            .iter()
            .map(|&(standard, variant)| (standard.to_owned(), variant.to_owned()));
        let tables = Tables {
            concepts,
            surfaces,
            parents,
            variants: variants.collect(),
            ..Tables::default()
        };
        Ok(Lexicon::new(tables, matcher))
    }
}
