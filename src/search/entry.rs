//! A case as the index sees it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::term;
use crate::export::json::{CaseRecord, MentionRecord, json_fault};
use crate::lexicon::{Key, Lexicon, Sex};
use crate::pipeline::Pipeline;
use crate::types::{Case, CaseMap, ConceptKind, Experiencer, Label, MentionKind, NodeId, Status, Temporality};

/// A case as the index sees it: its map, and the terms that it is found by.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The case's id; adding another case of this id replaces it.
    pub id: String,
    /// Label of the primary disease; empty when there is none.
    pub primary: String,
    /// The causal map.
    pub map: CaseMap,
    /// Specialty that the case itself states; empty where its primary disease decides.
    pub specialty: String,
    /// Sex of the patient.
    pub sex: Option<Sex>,
    /// Age in years.
    pub age_years: Option<f64>,
    /// The case as JSON; it is stored as it is.
    pub json: String,
    /// Terms of nodes, in the map's order.
    pub(super) nodes: Vec<String>,
    /// Terms of what is present, with the nodes.
    pub(super) present: BTreeSet<String>,
    pub(super) absent: BTreeSet<String>,
    pub(super) suspected: BTreeSet<String>,
    pub(super) drugs: BTreeSet<String>,
    pub(super) words: BTreeSet<String>,
}

/// The fields of a case's JSON that matter here; those of a record without a report as well.
#[derive(Deserialize)]
struct Record {
    id: String,
    #[serde(default)]
    primary: String,
    #[serde(default)]
    causal_tree: String,
    #[serde(default)]
    mentions: Vec<MentionRecord>,
    #[serde(default)]
    present: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    suspected: Vec<String>,
    #[serde(default)]
    drugs: Vec<String>,
    #[serde(default)]
    sex: String,
    age: Option<f64>,
    #[serde(default)]
    specialty: String,
}

impl Entry {
    /// The entry of a structured case. O(its JSON).
    pub fn of_case(case: &Case, pipeline: &Pipeline) -> Self {
        let lexicon = pipeline.lexicon();
        let record = CaseRecord::new(case, lexicon);
        let json = crate::export::json::to_json_line(case, lexicon);
        let record = Record {
            id: record.id,
            primary: record.primary,
            causal_tree: record.causal_tree,
            mentions: record.mentions,
            present: Vec::new(),
            absent: Vec::new(),
            suspected: Vec::new(),
            drugs: Vec::new(),
            sex: String::new(),
            age: None,
            specialty: String::new(),
        };
        let mut entry = Self::of_record(record, case.map.clone(), json, lexicon);
        entry.add_text(case.text.raw(), pipeline);
        entry
    }

    /// The entry of a case's JSON: what `shorei structure --format json` prints, or a record
    /// `{"id", "primary", "causal_tree"}` with, where known, `"absent"`, `"suspected"`, `"present"`,
    /// `"drugs"` (lists of labels), `"sex"` (M or F), `"age"` (years) and `"specialty"`. O(length).
    ///
    /// # Errors
    /// A message that says what is wrong with the record.
    pub fn of_json(json: &str, lexicon: &Lexicon) -> Result<Self, String> {
        let record: Record = serde_json::from_str(json).map_err(|error| json_fault(&error))?;
        if record.id.is_empty() {
            return Err("`id` is empty; every case needs one of its own".into());
        }
        if !matches!(record.sex.as_str(), "" | "M" | "F") {
            return Err(format!("`sex` is `{}`; expected M, F or nothing", record.sex));
        }
        if record.age.is_some_and(|age| !(0.0..=130.0).contains(&age)) {
            return Err("`age` is in years, from 0 to 130".into());
        }
        let map = CaseMap::parse(&record.causal_tree).map_err(|error| format!("`causal_tree`, {error}"))?;
        Ok(Self::of_record(record, map, json.trim_end().to_owned(), lexicon))
    }

    /// Adds the words of the report, and its patient's sex and age where they are not known.
    pub fn add_text(&mut self, report: &str, pipeline: &Pipeline) {
        self.words.extend(pipeline.words(report));
        let patient = Pipeline::patient(report);
        self.sex = self.sex.or(patient.sex);
        self.age_years = self.age_years.or(patient.age_years);
    }

    fn of_record(record: Record, map: CaseMap, json: String, lexicon: &Lexicon) -> Self {
        let sex = match record.sex.as_str() {
            "M" => Some(Sex::Male),
            "F" => Some(Sex::Female),
            _ => None,
        };
        let mut entry = Entry {
            id: record.id,
            primary: record.primary,
            specialty: record.specialty,
            sex,
            age_years: record.age,
            json,
            ..Entry::default()
        };
        let of = |text: &String| {
            let Ok(label) = text.parse::<Label>();
            term::of_label(lexicon, &label)
        };
        entry.nodes = map
            .nodes
            .iter()
            .map(|node| term::of_label(lexicon, &node.label))
            .collect();
        entry.present = entry.nodes.iter().cloned().collect();
        for node in &map.nodes {
            if let Some((term, site)) = term::at_site(lexicon, &node.label) {
                entry.present.insert(term::sited(lexicon, &term, site));
            }
            if let Label::History(exposure) = &node.label {
                entry.drugs.extend(drug(lexicon, exposure));
            }
        }
        entry.map = map;
        entry.present.extend(record.present.iter().map(of));
        entry.absent.extend(record.absent.iter().map(of));
        entry.suspected.extend(record.suspected.iter().map(of));
        entry
            .drugs
            .extend(record.drugs.iter().filter_map(|name| drug(lexicon, name)));
        for mention in &record.mentions {
            entry.add_mention(mention, lexicon);
        }
        // What the case turned out to have was not absent, whatever a sentence before said.
        entry.absent.retain(|term| !entry.present.contains(term));
        entry.map.primary = entry.primary_node(lexicon);
        entry
    }

    fn add_mention(&mut self, mention: &MentionRecord, lexicon: &Lexicon) {
        let concept = mention.concept.as_ref();
        let Some(concept) = concept.and_then(|concept| lexicon.by_id(&concept.id)) else {
            return;
        };
        let direction = mention.value.as_ref().and_then(|value| value.direction);
        let key = match mention.kind {
            MentionKind::Disease | MentionKind::Finding => lexicon.condition_key(concept),
            MentionKind::TestItem => match direction {
                Some(direction) if direction.is_abnormal() => Key::Result(concept, direction),
                _ => return,
            },
            MentionKind::Drug => Key::Concept(concept),
            _ => return,
        };
        if mention.assertion.experiencer != Experiencer::Patient {
            return;
        }
        let term = term::of_key(lexicon, key);
        match (mention.kind, mention.assertion.status, mention.assertion.time) {
            (MentionKind::Drug, Status::Present, _) => self.drugs.insert(term),
            (MentionKind::Drug, ..) => false,
            (_, Status::Present, Temporality::Current) => self.present.insert(term),
            (_, Status::Absent, _) => self.absent.insert(term),
            (_, Status::Suspected, _) => self.suspected.insert(term),
            _ => false,
        };
    }

    fn primary_node(&self, lexicon: &Lexicon) -> Option<NodeId> {
        let by_text = |node: &&crate::types::Node| node.label.to_string() == self.primary;
        let same = |node: &&crate::types::Node| lexicon.same_concept(&node.label.to_string(), &self.primary);
        let mut nodes = self.map.nodes.iter();
        nodes
            .find(by_text)
            .or_else(|| self.map.nodes.iter().find(same))
            .map(|node| node.id)
    }

    /// The term of the primary disease; none when there is none.
    pub(super) fn primary_term(&self, lexicon: &Lexicon) -> Option<String> {
        if self.primary.is_empty() {
            return None;
        }
        let Ok(label) = self.primary.parse::<Label>();
        Some(term::of_label(lexicon, &label))
    }

    /// Every pair of nodes of which one leads to the other, over any number of steps, as indices.
    /// O(nodes × depth).
    pub(super) fn paths(&self) -> Vec<(usize, usize)> {
        let parents = self.map.parents();
        let mut paths = Vec::new();
        for node in 0..self.map.nodes.len() {
            let mut above = parents[node];
            // A parsed tree has no cycles; a map of other making is a forest as well.
            while let Some(parent) = above {
                paths.push((parent.0 as usize, node));
                above = parents[parent.0 as usize];
            }
        }
        paths
    }
}

/// The term of a drug, by the name of the drug or of its use.
pub(super) fn drug(lexicon: &Lexicon, name: &str) -> Option<String> {
    let id = lexicon
        .lookup_kind(name, |kind| kind == ConceptKind::Drug)
        .or_else(|| lexicon.exposure(name))?;
    Some(term::of_key(lexicon, Key::Concept(id)))
}
