//! What the arranger's model sees of a case: numbers about each candidate, and about each pair of
//! a possible cause and its effect.
//!
//! A row is put together by [`Row::put`] in one fixed order, so that the names and the numbers
//! cannot come apart; the model file lists the names that it was trained with.

use super::fit::{self, Fit};
use crate::affinity::Affinity;
use crate::lexicon::{Key, Lexicon};
use crate::types::{
    Aspect, Candidate, ConceptId, ConceptKind, Evidence, Label, Mention, MentionKind, NormalizedText, Reading,
    Relation, RelationKind, Role, Section, SectionKind, Sentence, Status, Temporality,
};

/// A row of features.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The numbers.
    pub values: Vec<f32>,
    names: Option<Vec<String>>,
}

impl Row {
    fn named() -> Self {
        Row {
            values: Vec::new(),
            names: Some(Vec::new()),
        }
    }

    fn put(&mut self, name: impl Fn() -> String, value: f64) {
        if let Some(names) = &mut self.names {
            names.push(name());
        }
        self.values.push(value as f32);
    }

    fn flag(&mut self, name: impl Fn() -> String, value: bool) {
        self.put(name, f64::from(u8::from(value)));
    }
}

/// The roles, as features count them.
const ROLES: [Role; 6] = [
    Role::Disease,
    Role::Pathology,
    Role::Symptom,
    Role::Result,
    Role::ExamFinding,
    Role::Exposure,
];

/// The sections that tell most of what stands in them.
const SECTIONS: [SectionKind; 18] = [
    SectionKind::Title,
    SectionKind::Background,
    SectionKind::Case,
    SectionKind::ChiefComplaint,
    SectionKind::PresentIllness,
    SectionKind::PastHistory,
    SectionKind::SocialHistory,
    SectionKind::Comorbidity,
    SectionKind::Medication,
    SectionKind::PhysicalExam,
    SectionKind::Tests,
    SectionKind::Imaging,
    SectionKind::Pathology,
    SectionKind::Diagnosis,
    SectionKind::Course,
    SectionKind::Treatment,
    SectionKind::Discussion,
    SectionKind::Conclusion,
];

/// How far behind a mention its cues may stand, in characters.
const REACH_CHAR: usize = 60;

/// What a case's features are made from.
#[derive(Clone, Copy)]
pub struct Source<'t> {
    /// The text.
    pub text: &'t NormalizedText,
    /// Its sections.
    pub sections: &'t [Section],
    /// Its sentences.
    pub sentences: &'t [Sentence],
    /// Its mentions.
    pub mentions: &'t [Mention],
    /// The candidates.
    pub candidates: &'t [Candidate],
    /// The relations that have evidence.
    pub relations: &'t [Relation],
    /// The dictionaries.
    pub lexicon: &'t Lexicon,
    /// How well any effect fits any cause.
    pub affinity: &'t Affinity,
    /// What the transformer says, where there is one. Classifiers that were trained with it need it.
    pub reading: Option<&'t Reading>,
}

/// Everything that rows are made from, worked out once a case.
pub struct Features<'t> {
    source: Source<'t>,
    /// Relation by cause × effect.
    relation: Vec<Option<&'t Relation>>,
    /// Bits of standing cues of each candidate.
    cues: Vec<Vec<u16>>,
    /// Where each candidate's mentions stand.
    places: Vec<Vec<Place>>,
    /// First mention's start, bytes.
    first: Vec<usize>,
    /// Knowledge strength of the best cause of each candidate, and how many causes it has.
    best_cause: Vec<(f64, usize)>,
    letters: Vec<u8>,
    /// Starts of drugs and treatments, sorted.
    treatments: Vec<usize>,
    primacy_max: f64,
    /// What rows say of each candidate by itself.
    own: Vec<Vec<f32>>,
    /// Labels, and their characters, sorted, as they are compared.
    names: Vec<String>,
    labels: Vec<Vec<char>>,
    /// Bits of each label's characters: what lacks one of them cannot hold the label.
    letters_of: Vec<u64>,
    /// Each candidate's concept and what that is a kind of.
    ancestries: Vec<Vec<ConceptId>>,
    /// Mentions of diseases and pathologies: start and candidate, sorted.
    disease_starts: Vec<(usize, usize)>,
    /// Numbers of the standing cues that pair rows count.
    pair_cues: [Option<usize>; PAIR_CUES.len()],
    /// Best relation score of each candidate as an effect.
    best_score: Vec<f64>,
    /// Scores of the relations, cause × effect; 0 without one.
    scores: Vec<f64>,
    fit: Fit,
}

/// Where a mention stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Bytes of the text.
    start: usize,
    sentence: usize,
    section: usize,
}

/// Standing cues of the cause that pair rows count.
const PAIR_CUES: [&str; 6] = ["about", "diagnosed", "cause_word", "complicates", "under_care", "onset"];

/// What is known of a candidate before pairs are scored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Probability that it is a node of the map.
    pub keep: f64,
    /// Probability that it is the primary disease.
    pub primary: f64,
    /// True for the one that was taken as the primary disease.
    pub is_primary: bool,
}

/// Standings, and what they come to for each candidate as an effect.
#[derive(Debug, Clone)]
pub struct Judged<'s> {
    standing: &'s [Standing],
    primary: Option<usize>,
    /// Odds of all causes, each by how likely it is a node.
    fit: Vec<f64>,
    /// The same of the strengths of knowledge.
    knowledge: Vec<f64>,
}

impl<'t> Features<'t> {
    /// Works out what rows are made from. O(candidates² + mentions).
    pub fn new(source: Source<'t>) -> Self {
        let Source {
            candidates,
            mentions,
            relations,
            lexicon,
            ..
        } = source;
        let n = candidates.len();
        let mut relation: Vec<Option<&Relation>> = vec![None; n * n];
        let mut best_cause = vec![(0.0, 0); n];
        for item in relations {
            let (cause, effect) = (item.source.0 as usize, item.target.0 as usize);
            relation[cause * n + effect] = Some(item);
            if item.evidence.knowledge > 0.0 {
                best_cause[effect].0 = f64::max(best_cause[effect].0, item.evidence.knowledge);
                best_cause[effect].1 += 1;
            }
        }
        let mention = |id: &crate::types::MentionId| &mentions[id.0 as usize];
        let text = source.text.norm();
        let cues = candidates
            .iter()
            .map(|candidate| {
                let mut counts = vec![0; lexicon.standing_cues().len()];
                // Results and exam findings are spoken of otherwise.
                for id in candidate.mentions.iter().filter(|_| !leaf(candidate.role)) {
                    let after = after(text, source.sentences, mention(id));
                    lexicon.standing_cues_after(after).for_each(|cue| counts[cue] += 1);
                }
                counts
            })
            .collect();
        let names: Vec<String> = candidates.iter().map(|candidate| candidate.label.to_string()).collect();
        let mut disease_starts: Vec<(usize, usize)> = Vec::new();
        for (index, candidate) in candidates.iter().enumerate() {
            if matches!(candidate.role, Role::Disease | Role::Pathology) {
                disease_starts.extend(candidate.mentions.iter().map(|id| (mention(id).norm.start, index)));
            }
        }
        disease_starts.sort_unstable();
        let scores: Vec<f64> = relation
            .iter()
            .map(|relation| relation.map_or(0.0, |relation| relation.score))
            .collect();
        let number = |name: &str| lexicon.standing_cues().iter().position(|cue| cue.name == name);
        let mut features = Features {
            source,
            own: Vec::new(),
            labels: names.iter().map(|name| sorted_chars(name)).collect(),
            letters_of: names.iter().map(|name| letters(name)).collect(),
            names,
            ancestries: candidates
                .iter()
                .map(|candidate| {
                    let concept = candidate.concept;
                    concept.map_or_else(Vec::new, |id| lexicon.ancestry(id).collect())
                })
                .collect(),
            places: candidates
                .iter()
                .map(|candidate| {
                    let places = candidate.mentions.iter().map(mention).map(|mention| Place {
                        start: mention.norm.start,
                        sentence: mention.sentence,
                        section: mention.section,
                    });
                    places.collect()
                })
                .collect(),
            disease_starts,
            pair_cues: PAIR_CUES.map(number),
            best_score: (0..n)
                .map(|effect| (0..n).map(|cause| scores[cause * n + effect]).fold(0.0, f64::max))
                .collect(),
            scores,
            fit: Fit::new(
                candidates,
                &source.affinity.scores(
                    candidates
                        .iter()
                        .map(|candidate| (&candidate.label, !leaf(candidate.role))),
                    lexicon,
                ),
            ),
            relation,
            cues,
            first: candidates
                .iter()
                .map(|candidate| candidate.mentions.first().map_or(0, |id| mention(id).norm.start))
                .collect(),
            best_cause,
            letters: candidates
                .iter()
                .map(|candidate| {
                    let code = candidate.concept.map_or("", |id| lexicon.concept(id).icd10.as_str());
                    code.bytes().next().map_or(0, |letter| letter - b'A' + 1)
                })
                .collect(),
            treatments: mentions
                .iter()
                .filter(|mention| matches!(mention.kind, MentionKind::Drug | MentionKind::Treatment))
                .map(|mention| mention.norm.start)
                .collect(),
            primacy_max: candidates
                .iter()
                .map(|candidate| candidate.primacy)
                .fold(f64::NEG_INFINITY, f64::max),
        };
        features.own = (0..n)
            .map(|index| {
                let mut row = Row::default();
                features.work_out_standing("", index, &mut row);
                row.values
            })
            .collect();
        features
    }

    fn relation(&self, cause: usize, effect: usize) -> Option<&'t Relation> {
        self.relation[cause * self.source.candidates.len() + effect]
    }

    fn section(&self, mention: &Mention) -> SectionKind {
        self.source
            .sections
            .get(mention.section)
            .map_or(SectionKind::Other, |section| section.kind)
    }

    fn mentions(&self, candidate: usize) -> impl Iterator<Item = &'t Mention> {
        let mentions = self.source.mentions;
        self.source.candidates[candidate]
            .mentions
            .iter()
            .map(move |id| &mentions[id.0 as usize])
    }

    /// The names of [`Features::candidate`]'s numbers.
    /// Those of a reading are among them where `read`.
    pub fn candidate_names(lexicon: &Lexicon, read: bool) -> Vec<String> {
        let reading = read.then(Reading::default);
        Self::names(lexicon, reading.as_ref(), |features, row| {
            features.put_candidate(0, row);
        })
    }

    /// The names of [`Features::pair`]'s numbers.
    pub fn pair_names(lexicon: &Lexicon) -> Vec<String> {
        Self::names(lexicon, None, |features, row| {
            features.put_pair(None, 0, &features.judged(&[Standing::default()]), row);
        })
    }

    fn names(lexicon: &Lexicon, reading: Option<&Reading>, put: impl Fn(&Features<'_>, &mut Row)) -> Vec<String> {
        let text = NormalizedText::default();
        let candidates = [Candidate::default()];
        let affinity = Affinity::default();
        let features = Features::new(Source {
            text: &text,
            sections: &[],
            sentences: &[],
            mentions: &[],
            candidates: &candidates,
            relations: &[],
            lexicon,
            affinity: &affinity,
            reading,
        });
        let mut row = Row::named();
        put(&features, &mut row);
        row.names.unwrap_or_default()
    }

    /// True when the effect is the result that defines the cause, or the exam's finding of it.
    pub(super) fn is_same(&self, cause: usize, effect: usize) -> bool {
        self.relation(cause, effect)
            .is_some_and(|relation| relation.evidence.identity)
    }

    /// True when the knowledge has a link from cause to effect.
    pub(super) fn knows(&self, cause: usize, effect: usize) -> bool {
        self.relation(cause, effect)
            .is_some_and(|relation| relation.evidence.knowledge > 0.0)
    }

    /// The weight of the words that say that one causes the other, 0 to 1.
    pub(super) fn said(&self, cause: usize, effect: usize) -> f64 {
        self.relation(cause, effect)
            .map_or(0.0, |relation| relation.evidence.cue)
    }

    /// The row of a candidate. O(candidates).
    pub fn candidate(&self, index: usize) -> Row {
        let mut row = Row::default();
        self.put_candidate(index, &mut row);
        row
    }

    fn put_candidate(&self, index: usize, row: &mut Row) {
        let source = &self.source;
        let candidate = &source.candidates[index];
        if let Some(reading) = source.reading {
            for aspect in Aspect::ALL {
                let means = self.mentions(index).map(|mention| reading.mean(mention.norm, aspect));
                row.put(|| format!("read_{aspect:?}"), f64::from(means.fold(0.0, f32::max)));
            }
            let least = |aspect| {
                let means = self.mentions(index).map(|mention| reading.mean(mention.norm, aspect));
                means.fold(1.0, f32::min)
            };
            row.put(|| "read_least_node".into(), f64::from(least(Aspect::Node)));
            // How much of the longest phrase that it is in the candidate names.
            let shares = self.mentions(index).map(|mention| {
                let phrase = reading.nodes.iter().find(|phrase| phrase.overlaps(&mention.norm));
                phrase.map_or(0.0, |phrase| {
                    let both = phrase.cover(&mention.norm);
                    (mention.norm.end - mention.norm.start) as f64 / (both.end - both.start) as f64
                })
            });
            row.put(|| "read_share".into(), shares.fold(0.0, f64::max));
        }
        let length = source.text.norm().len().max(1) as f64;
        self.put_standing("", index, row);
        row.put(|| "report_bytes".into(), length);
        row.put(|| "candidates".into(), source.candidates.len() as f64);
        let last = self.mentions(index).last().map_or(0, |mention| mention.norm.start);
        row.put(|| "last_position".into(), last as f64 / length);
        for kind in SECTIONS {
            let count = self
                .mentions(index)
                .filter(|mention| self.section(mention) == kind)
                .count();
            row.put(|| format!("section_{kind:?}"), count as f64);
        }
        for (number, cue) in source.lexicon.standing_cues().iter().enumerate() {
            row.put(|| format!("cue_{}", cue.name), f64::from(self.cues[index][number]));
        }
        // 「AにBを合併したCの1例」: the report is about the disease that stands next to the cue.
        for (number, cue) in source.lexicon.standing_cues().iter().enumerate() {
            if matches!(cue.name.as_str(), "diagnosed" | "considered" | "about") {
                let nearest = self.cues[index][number] > 0 && self.is_nearest(index, number);
                row.flag(|| format!("nearest_{}", cue.name), nearest);
            }
        }
        let sentences = source.sentences.len();
        let in_first = self.mentions(index).filter(|mention| mention.sentence == 0).count();
        let in_last = self
            .mentions(index)
            .filter(|mention| mention.sentence + 2 >= sentences)
            .count();
        row.put(|| "in_first_sentence".into(), in_first as f64);
        row.put(|| "in_last_sentences".into(), in_last as f64);
        let most = (0..source.candidates.len())
            .filter(|&other| source.candidates[other].role == Role::Disease)
            .map(|other| source.candidates[other].mentions.len())
            .max()
            .unwrap_or(0);
        row.put(
            || "mentions_behind".into(),
            most as f64 - candidate.mentions.len() as f64,
        );
        let is_a = |a: usize, b: usize| source.candidates[a].concept != source.candidates[b].concept && self.is_a(a, b);
        let others = || (0..source.candidates.len()).filter(|&other| other != index);
        row.put(
            || "more_specific_here".into(),
            others().filter(|&other| is_a(other, index)).count() as f64,
        );
        row.put(
            || "more_general_here".into(),
            others().filter(|&other| is_a(index, other)).count() as f64,
        );
        // The report's last diagnosis is more often its own than the first.
        let later = |other: usize, number: usize| {
            other != index && self.cues[other][number] > 0 && self.first[other] > self.first[index]
        };
        for (number, cue) in source.lexicon.standing_cues().iter().enumerate() {
            if matches!(
                cue.name.as_str(),
                "diagnosed" | "diagnosis_made" | "considered" | "about"
            ) {
                let count = (0..source.candidates.len())
                    .filter(|&other| source.candidates[other].role == Role::Disease && later(other, number))
                    .count();
                row.put(|| format!("later_{}", cue.name), count as f64);
            }
        }
        let general = candidate.concept.map_or(0, |id| {
            let general = |mention: &&Mention| {
                mention.concept == Some(id) && matches!(mention.assertion.status, Status::General | Status::Suspected)
            };
            source.mentions.iter().filter(general).count()
        });
        row.put(|| "general_mentions".into(), general as f64);
        row.put(|| "primacy_behind".into(), self.primacy_max - candidate.primacy);

        let (mut explained, mut strength, mut only, mut cued, mut effects) = (0, 0.0, 0, 0, 0);
        let (mut from_knowledge, mut from_cue, mut causes): (f64, f64, i32) = (0.0, 0.0, 0);
        let mut diseases_explained = 0;
        for other in 0..source.candidates.len() {
            if let Some(relation) = self.relation(index, other) {
                effects += 1;
                let Evidence { knowledge, cue, .. } = relation.evidence;
                if knowledge > 0.0 {
                    explained += 1;
                    strength += knowledge;
                    only += usize::from(self.best_cause[other].1 == 1);
                    diseases_explained += usize::from(source.candidates[other].role == Role::Disease);
                }
                cued += usize::from(cue > 0.0);
            }
            if let Some(relation) = self.relation(other, index) {
                causes += 1;
                from_knowledge = from_knowledge.max(relation.evidence.knowledge);
                from_cue = from_cue.max(relation.evidence.cue);
            }
        }
        row.put(|| "explains".into(), f64::from(explained));
        row.put(|| "explains_strength".into(), strength);
        row.put(|| "explains_alone".into(), only as f64);
        row.put(
            || "explains_share".into(),
            f64::from(explained) / source.candidates.len() as f64,
        );
        row.put(|| "explains_diseases".into(), diseases_explained as f64);
        row.put(|| "cued_effects".into(), cued as f64);
        row.put(|| "effects".into(), f64::from(effects));
        row.put(|| "causes".into(), f64::from(causes));
        row.put(|| "cause_knowledge".into(), from_knowledge);
        row.put(|| "cause_cue".into(), from_cue);

        let fit = self.fit.own(index);
        row.put(|| "fit_explains".into(), fit.explains);
        row.put(|| "fit_explains_diseases".into(), fit.explains_diseases);
        row.put(|| "fit_share".into(), fit.share);
        row.flag(|| "fit_leads".into(), fit.leads);
        row.put(|| "fit_best".into(), fit.best);
        row.put(|| "fit_best_disease".into(), fit.best_disease);
        row.put(|| "fit_best_effect".into(), fit.best_effect);
        row.put(|| "fit_mean".into(), fit.mean);
        row.put(|| "fit_from_leader".into(), fit.from_leader);

        let mut like_earlier: f64 = 0.0;
        let (mut inside, mut holds) = (0, 0);
        for other in (0..source.candidates.len()).filter(|&other| other != index) {
            if other < index {
                like_earlier = like_earlier.max(self.overlap(index, other));
            }
            inside += usize::from(self.holds(other, index));
            holds += usize::from(self.holds(index, other));
        }
        row.put(|| "like_earlier".into(), like_earlier);
        row.put(|| "inside_others".into(), inside as f64);
        row.put(|| "holds_others".into(), holds as f64);
        let shares = |other: usize| {
            other != index
                && source.candidates[other]
                    .mentions
                    .iter()
                    .any(|id| candidate.mentions.contains(id))
        };
        row.flag(|| "shares_mention".into(), (0..source.candidates.len()).any(shares));
        let same_role = source
            .candidates
            .iter()
            .filter(|other| other.role == candidate.role)
            .count();
        row.put(|| "same_role".into(), same_role as f64);
        let earlier_same_role = source.candidates[..index]
            .iter()
            .filter(|other| other.role == candidate.role)
            .count();
        row.put(|| "earlier_same_role".into(), earlier_same_role as f64);
    }

    /// What candidate rows and both sides of pair rows say of a candidate.
    fn put_standing(&self, side: &str, index: usize, row: &mut Row) {
        if row.names.is_some() {
            self.work_out_standing(side, index, row);
        } else {
            row.values.extend(&self.own[index]);
        }
    }

    fn work_out_standing(&self, side: &str, index: usize, row: &mut Row) {
        let source = &self.source;
        let candidate = &source.candidates[index];
        for role in ROLES {
            row.flag(|| format!("{side}role_{role:?}"), candidate.role == role);
        }
        let kind = candidate.concept.map(|id| source.lexicon.concept(id).kind);
        row.flag(|| format!("{side}listed"), kind.is_some());
        row.flag(|| format!("{side}lab_state"), kind == Some(ConceptKind::LabState));
        row.flag(|| format!("{side}sign"), kind == Some(ConceptKind::Sign));
        row.flag(|| format!("{side}inferred"), candidate.inferred);
        row.flag(|| format!("{side}needs_effect"), candidate.needs_effect);
        row.flag(|| format!("{side}complication"), candidate.is_complication);
        row.put(|| format!("{side}mentions"), candidate.mentions.len() as f64);
        let count = |accept: &dyn Fn(&Mention) -> bool| self.mentions(index).filter(|mention| accept(mention)).count();
        let present = count(&|mention| mention.assertion.status == Status::Present);
        let past = count(&|mention| mention.assertion.time == Temporality::Past);
        let suspected = count(&|mention| mention.assertion.status == Status::Suspected);
        row.put(|| format!("{side}present"), present as f64);
        row.put(|| format!("{side}suspected"), suspected as f64);
        row.put(|| format!("{side}past"), past as f64);
        let length = source.text.norm().len().max(1) as f64;
        row.put(|| format!("{side}position"), self.first[index] as f64 / length);
        let treated_before = self.treatments.partition_point(|&start| start < self.first[index]);
        row.put(|| format!("{side}treatments_before"), treated_before as f64);
        let first = self.mentions(index).next();
        let section = first.map_or(SectionKind::Other, |mention| self.section(mention));
        let number = SECTIONS
            .iter()
            .position(|kind| *kind == section)
            .map_or(-1.0, |at| at as f64);
        row.put(|| format!("{side}first_section"), number);
        row.put(|| format!("{side}icd10_chapter"), f64::from(self.letters[index]));
        let code = candidate
            .concept
            .map_or("", |id| source.lexicon.concept(id).icd10.as_str());
        row.flag(|| format!("{side}metastasis"), ("C77".."C80").contains(&code));
        row.flag(|| format!("{side}cancer"), code.starts_with('C'));
        let text = candidate.label.to_string();
        row.put(|| format!("{side}label_chars"), text.chars().count() as f64);
        row.flag(|| format!("{side}label_latin"), text.is_ascii());
        row.flag(
            || format!("{side}disease_tail"),
            ["症", "炎", "癌", "病", "群", "腫", "全", "染"]
                .iter()
                .any(|tail| text.ends_with(tail)),
        );
        row.flag(
            || format!("{side}at_site"),
            matches!(candidate.label, Label::AtSite { .. }),
        );
        let result = match &candidate.label {
            Label::Result { result, .. } => match result.as_str() {
                "上昇" => 1.0,
                "低下" => 2.0,
                "陽性" => 3.0,
                _ => 4.0,
            },
            _ => 0.0,
        };
        row.put(|| format!("{side}result"), result);
        let number = first.and_then(|mention| mention.value.as_ref()?.number);
        row.flag(|| format!("{side}has_number"), number.is_some());
        let key = candidate.concept.map(|id| source.lexicon.condition_key(id));
        let known = |count: &dyn Fn(Key) -> usize| key.map_or(0.0, |key| (count(key) as f64 + 1.0).ln());
        let knowledge = source.lexicon.knowledge();
        row.put(
            || format!("{side}known_effects"),
            known(&|key| knowledge.effects(key).count()),
        );
        row.put(
            || format!("{side}known_causes"),
            known(&|key| knowledge.causes(key).count()),
        );
        row.put(|| format!("{side}primacy"), candidate.primacy);
    }

    /// The row of `effect` under `cause`, or as a root. O(candidates).
    pub fn pair(&self, cause: Option<usize>, effect: usize, judged: &Judged<'_>) -> Row {
        let mut row = Row::default();
        self.put_pair(cause, effect, judged, &mut row);
        row
    }

    /// As [`Features::pair`], behind the numbers that `row` has.
    pub(super) fn put_pair(&self, cause: Option<usize>, effect: usize, judged: &Judged<'_>, row: &mut Row) {
        let source = &self.source;
        let standing = judged.standing;
        row.flag(|| "root".into(), cause.is_none());
        self.put_standing("effect_", effect, row);
        self.put_judged("effect_", standing[effect], row);
        row.put(|| "effect_best_knowledge".into(), self.best_cause[effect].0);
        row.put(|| "effect_known_here".into(), self.best_cause[effect].1 as f64);
        row.put(|| "effect_cue_cause_word".into(), self.count(effect, self.pair_cues[2]));
        // A row of a root has the numbers of a cause at nothing: start from the candidate that is
        // there, and blank its numbers.
        let start = row.values.len();
        let at = cause.unwrap_or(effect);
        self.put_standing("cause_", at, row);
        self.put_judged("cause_", standing[at], row);
        for (name, number) in PAIR_CUES.iter().zip(self.pair_cues) {
            row.put(|| format!("cause_cue_{name}"), self.count(at, number));
        }
        let relation = self.relation(at, effect);
        let evidence = relation.map(|relation| relation.evidence).unwrap_or_default();
        row.put(|| "knowledge".into(), evidence.knowledge);
        row.put(
            || "knowledge_behind".into(),
            self.best_cause[effect].0 - evidence.knowledge,
        );
        row.put(|| "cue".into(), evidence.cue);
        row.flag(|| "identity".into(), evidence.identity);
        row.flag(|| "same_name".into(), evidence.same_name);
        row.flag(|| "by_nature".into(), evidence.by_nature);
        row.put(|| "score".into(), relation.map_or(0.0, |relation| relation.score));
        let direct = relation.map_or(0.0, |relation| relation.score);
        row.put(|| "score_behind".into(), self.best_score[effect] - direct);
        let kind = relation.map_or(0.0, |relation| match relation.kind {
            RelationKind::Causes => 1.0,
            RelationKind::ManifestsAs => 2.0,
            RelationKind::EvidencedBy => 3.0,
            RelationKind::Complicates => 4.0,
            RelationKind::Predisposes => 5.0,
            RelationKind::TreatedBy => 6.0,
        });
        row.put(|| "kind".into(), kind);
        row.put(
            || "reverse".into(),
            self.relation(effect, at).map_or(0.0, |relation| relation.score),
        );
        let n = source.candidates.len();
        let steps = &self.scores[at * n..(at + 1) * n];
        let mut between: f64 = 0.0;
        for (middle, &step) in steps.iter().enumerate() {
            if step > between && !leaf(source.candidates[middle].role) && middle != at && middle != effect {
                between = between.max(step.min(self.scores[middle * n + effect]));
            }
        }
        row.put(|| "detour".into(), between);
        row.put(|| "detour_gain".into(), between - direct);

        let (near_sentence, near_byte, order) = self.nearness(at, effect);
        row.put(|| "sentences_apart".into(), near_sentence);
        row.put(|| "log_bytes_apart".into(), near_byte);
        row.flag(|| "cause_stands_before".into(), order);
        let first_order = self.first[at] as f64 - self.first[effect] as f64;
        row.put(
            || "first_order".into(),
            first_order / source.text.norm().len().max(1) as f64,
        );
        let (rank, sections) = self.rank_before(at, effect);
        row.put(|| "rank_before".into(), rank);
        row.flag(|| "same_section".into(), sections);
        row.flag(
            || "same_chapter".into(),
            self.letters[at] != 0 && self.letters[at] == self.letters[effect],
        );
        row.put(|| "label_overlap".into(), self.overlap(at, effect));
        row.flag(|| "is_a".into(), self.is_a(effect, at));
        let fit = self.fit.pair(at, effect);
        row.put(|| "fit".into(), fit.score);
        row.put(|| "fit_gap".into(), fit.gap);
        row.put(|| "fit_share".into(), fit.share);
        row.put(|| "fit_above_mean".into(), fit.above_mean);
        row.put(|| "fit_rank".into(), fit.rank);
        row.put(|| "fit_best".into(), fit.best);
        self.put_rivals(at, effect, judged, row);
        if cause.is_none() {
            row.values[start..].fill(0.0);
        }
        row.put(|| "candidates".into(), source.candidates.len() as f64);
    }

    /// How the pair stands against the other likely causes and the primary disease.
    /// training/arranger/train.py works the same out from the columns `fit` and `knowledge`.
    fn put_rivals(&self, cause: usize, effect: usize, judged: &Judged<'_>, row: &mut Row) {
        let keep = judged.standing[cause].keep;
        let total = judged.fit[effect];
        row.put(
            || "fit_share_kept".into(),
            self.fit.share_of_kept(cause, effect, keep, total),
        );
        row.put(
            || "knowledge_share_kept".into(),
            self.known(cause, effect) * keep / (judged.knowledge[effect] + 0.05),
        );
        let of_primary = |value: &dyn Fn(usize) -> f64| judged.primary.map_or(0.0, value);
        // The primary disease itself has no score under itself.
        let fit = |primary: usize, other: usize| {
            if primary == other {
                fit::LOWEST
            } else {
                self.fit.score(primary, other)
            }
        };
        row.put(
            || "fit_above_primary".into(),
            of_primary(&|primary| self.fit.score(cause, effect) - fit(primary, effect)),
        );
        row.put(
            || "fit_primary_cause".into(),
            of_primary(&|primary| fit(primary, cause)),
        );
        row.put(
            || "knowledge_primary_effect".into(),
            of_primary(&|primary| self.known(primary, effect)),
        );
        row.put(
            || "knowledge_primary_cause".into(),
            of_primary(&|primary| self.known(primary, cause)),
        );
    }

    /// Strength of the knowledge's link, 0 without one.
    fn known(&self, cause: usize, effect: usize) -> f64 {
        self.relation(cause, effect)
            .map_or(0.0, |relation| relation.evidence.knowledge)
    }

    /// What rows of pairs say of all candidates, once their standing is known. O(candidates²).
    pub fn judged<'s>(&self, standing: &'s [Standing]) -> Judged<'s> {
        let n = self.source.candidates.len();
        let mut knowledge = vec![0.0; n];
        for relation in self.source.relations {
            let (cause, effect) = (relation.source.0 as usize, relation.target.0 as usize);
            knowledge[effect] += relation.evidence.knowledge * standing[cause].keep;
        }
        Judged {
            primary: standing.iter().position(|standing| standing.is_primary),
            fit: (0..n)
                .map(|effect| self.fit.odds_of_kept(effect, |cause| standing[cause].keep))
                .collect(),
            knowledge,
            standing,
        }
    }

    fn put_judged(&self, side: &str, standing: Standing, row: &mut Row) {
        row.put(|| format!("{side}keep"), standing.keep);
        row.put(|| format!("{side}p_primary"), standing.primary);
        row.flag(|| format!("{side}is_primary"), standing.is_primary);
    }

    /// True when no other disease's name stands between one of the candidate's mentions and the end
    /// of the words that the cue matched there.
    fn is_nearest(&self, index: usize, cue: usize) -> bool {
        let source = &self.source;
        let pattern = &source.lexicon.standing_cues()[cue].pattern;
        self.mentions(index).any(|mention| {
            let after = after(source.text.norm(), source.sentences, mention);
            let Some(hit) = pattern.find(after) else { return false };
            let reach = mention.norm.end..mention.norm.end + hit.end();
            let between = |other: usize| {
                other != index
                    && source.candidates[other].role == Role::Disease
                    && self.mentions(other).any(|other| reach.contains(&other.norm.start))
            };
            !(0..source.candidates.len()).any(between)
        })
    }

    /// True when the second candidate's concept is the first's or what that is a kind of.
    fn is_a(&self, specific: usize, general: usize) -> bool {
        let general = self.source.candidates[general].concept;
        general.is_some_and(|general| self.ancestries[specific].contains(&general))
    }

    /// True when the first candidate's label holds the second's.
    fn holds(&self, whole: usize, part: usize) -> bool {
        self.letters_of[part] & !self.letters_of[whole] == 0 && self.names[whole].contains(&self.names[part])
    }

    /// True when what speaks for `from` as the primary disease speaks for `to` as well: two ways to
    /// write one name, or a general disease beside a kind of it that ends like it (大腸癌 beside 直腸癌).
    pub fn lends(&self, from: usize, to: usize) -> bool {
        let concept = |index: usize| self.source.candidates[index].concept;
        let kind = match (concept(from), concept(to)) {
            (Some(general), Some(special)) => general != special && self.source.lexicon.is_a(special, general),
            _ => false,
        };
        let end = |index: usize| match &self.source.candidates[index].label {
            Label::Condition(words) => words.chars().next_back(),
            _ => None,
        };
        kind && end(from).is_some() && end(from) == end(to) || self.overlap(from, to) >= SAME_NAME
    }

    /// The Dice coefficient of two labels' characters.
    fn overlap(&self, a: usize, b: usize) -> f64 {
        if self.letters_of[a] & self.letters_of[b] == 0 {
            return 0.0;
        }
        overlap(&self.labels[a], &self.labels[b])
    }

    fn count(&self, candidate: usize, cue: Option<usize>) -> f64 {
        cue.map_or(0.0, |cue| f64::from(self.cues[candidate][cue]))
    }

    /// Least distance in sentences (ten at most), the logarithm of the least distance in bytes, and
    /// whether the cause stands before the effect there.
    fn nearness(&self, cause: usize, effect: usize) -> (f64, f64, bool) {
        let mut sentences = 10;
        let mut bytes = (usize::MAX, false);
        for a in &self.places[cause] {
            for b in &self.places[effect] {
                sentences = sentences.min(a.sentence.abs_diff(b.sentence));
                let apart = a.start.abs_diff(b.start);
                if apart < bytes.0 {
                    bytes = (apart, a.start <= b.start);
                }
            }
        }
        let log = if bytes.0 == usize::MAX {
            10.0
        } else {
            (bytes.0 as f64 + 1.0).ln()
        };
        (sentences as f64, log, bytes.1)
    }

    /// How many conditions that can be causes stand between the cause and the effect's first
    /// mention (six at most; seven where the cause stands behind), and whether both first stand in
    /// one section.
    fn rank_before(&self, cause: usize, effect: usize) -> (f64, bool) {
        let (Some(of_effect), Some(_)) = (self.places[effect].first(), self.places[cause].first()) else {
            return (7.0, false);
        };
        let places = self.places[cause].iter();
        let before = places.clone().rfind(|place| place.start <= of_effect.start);
        let same_section = places.clone().any(|place| place.section == of_effect.section);
        let Some(before) = before else {
            return (7.0, same_section);
        };
        let (from, to) = (before.start + 1, of_effect.start);
        let first = self.disease_starts.partition_point(|&(start, _)| start < from);
        let mut seen = [usize::MAX; 6];
        let mut between = 0;
        for &(start, other) in &self.disease_starts[first..] {
            if start >= to || between == seen.len() {
                break;
            }
            if other != cause && other != effect && !seen[..between].contains(&other) {
                seen[between] = other;
                between += 1;
            }
        }
        (between as f64, same_section)
    }
}

/// What is never a cause.
pub(super) fn leaf(role: Role) -> bool {
    matches!(role, Role::Result | Role::ExamFinding)
}

/// The words of the mention's sentence after it, so many characters at most.
fn after<'t>(text: &'t str, sentences: &[Sentence], mention: &Mention) -> &'t str {
    let Some(sentence) = sentences.get(mention.sentence) else {
        return "";
    };
    let after = text.get(mention.norm.end..sentence.span.end).unwrap_or_default();
    after
        .char_indices()
        .nth(REACH_CHAR)
        .map_or(after, |(at, _)| &after[..at])
}

/// Labels whose characters are so much the same are two ways to write one name.
const SAME_NAME: f64 = 0.75;

/// The Dice coefficient of two labels' characters, both sorted.
fn overlap(a: &[char], b: &[char]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    f64::from(common) * 2.0 / (a.len() + b.len()).max(1) as f64
}

/// A bit for each character, of which several share one.
fn letters(text: &str) -> u64 {
    text.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 64))
}

fn sorted_chars(text: &str) -> Vec<char> {
    let mut chars: Vec<char> = text.chars().collect();
    chars.sort_unstable();
    chars
}
