//! One pass over the postings of a query: how many cases of each disease have each finding, and
//! which cases have most of them.

use rayon::prelude::*;
use tantivy::schema::Field;
use tantivy::{DocAddress, DocId, SegmentReader, Term};

use super::query::{Asked, Query};
use super::store::{CaseIndex, NO_DISEASE, Snapshot, sex_name};
use super::term;
use crate::error::Error;
use crate::lexicon::{Key, PRIOR_CASES};

/// What a step up to a more general finding leaves of a finding's weight (腹痛 for 右下腹部痛).
pub(super) const GENERAL: f64 = 0.6;
/// Least share of cases that a finding is taken to have.
const LEAST: f64 = 0.004;
/// What a finding counts that the case has and should not have.
pub(super) const AGAINST: f64 = 0.5;
/// What a word of the report weighs against a finding.
const WORD: f64 = 0.5;

/// The terms that a finding of a query is found by.
pub(super) struct Forms {
    /// It or a special form of it: the case has it.
    pub exact: Vec<String>,
    /// Its more general forms, nearest first: the case may have it.
    pub general: Vec<(f64, String)>,
    /// Information content: how rare it is among the cases, -ln P(f).
    pub information: f64,
}

/// What a scan counts.
pub(super) struct Tally {
    /// Cases of each disease that the query's narrowing leaves.
    pub cases: Vec<u32>,
    /// Of these, those that have at least half of the findings that should be there.
    pub matching: Vec<u32>,
    /// By finding, present ones first, by disease: the cases that have it.
    pub with: Vec<Vec<u32>>,
    /// The cases that have most of the findings, best first.
    pub best: Vec<(f64, DocAddress)>,
    /// Cases that the narrowing leaves.
    pub total: u64,
}

struct Part {
    cases: Vec<u32>,
    matching: Vec<u32>,
    with: Vec<Vec<u32>>,
    best: Vec<(f32, DocId)>,
    total: u64,
}

impl CaseIndex {
    /// The forms of every finding: present ones, then absent ones. O(kinds of the finding).
    pub(super) fn forms(&self, snapshot: &Snapshot, query: &Query) -> Result<Vec<Forms>, Error> {
        let present = query.present.iter().map(|asked| (asked, true));
        let absent = query.absent.iter().map(|asked| (asked, false));
        present
            .chain(absent)
            .map(|(asked, is_present)| self.forms_of(snapshot, asked, is_present))
            .collect()
    }

    fn forms_of(&self, snapshot: &Snapshot, asked: &Asked, is_present: bool) -> Result<Forms, Error> {
        let lexicon = &self.lexicon;
        let mut exact: Vec<String> = Vec::new();
        let mut general: Vec<(f64, String)> = Vec::new();
        match (asked.key, asked.site) {
            // At a site, and at its parts: しびれ@手 for しびれ@上肢; without a site it may be there.
            (_, Some(site)) => {
                let sites = lexicon.specialised_key(Key::Concept(site));
                exact.extend(sites.into_iter().filter_map(|(_, key)| match key {
                    Key::Concept(site) => Some(term::sited(lexicon, &asked.term, site)),
                    Key::Result(..) => None,
                }));
                general.push((GENERAL, asked.term.clone()));
            }
            (Some(key), None) => {
                let keys = lexicon.specialised_key(key);
                exact.extend(keys.into_iter().map(|(_, key)| term::of_key(lexicon, key)));
                for (up, key) in lexicon.generalised_key(key).into_iter().skip(1) {
                    let term = term::of_key(lexicon, key);
                    if is_present && up > 0 && !exact.contains(&term) {
                        general.push((GENERAL.powi(up as i32), term));
                    }
                }
            }
            (None, None) => exact.push(asked.term.clone()),
        }
        Ok(Forms {
            information: self.information(snapshot, &exact, asked.key)?,
            exact,
            general,
        })
    }

    /// How rare it is among the cases that one has any of these terms: -ln P, with the knowledge
    /// counting as a few cases.
    pub(super) fn information(&self, snapshot: &Snapshot, terms: &[String], key: Option<Key>) -> Result<f64, Error> {
        let mut frequency = 0;
        for term in terms {
            let term = Term::from_field_text(self.fields.present, term);
            frequency += snapshot.searcher.doc_freq(&term).map_err(|error| self.explain(error))?;
        }
        let background = key.map_or(0.0, |key| self.lexicon.likelihoods(key, true).background());
        let cases = snapshot.cases as f64;
        let with = frequency.min(snapshot.cases) as f64 + PRIOR_CASES * background.max(LEAST);
        Ok(-(with / (cases + PRIOR_CASES)).min(1.0).ln())
    }

    /// Counts. `keep` is how many best cases are wanted; `without` is left out. O(postings of all
    /// forms + documents), the segments in parallel.
    pub(super) fn scan(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        forms: &[Forms],
        keep: usize,
        without: Option<DocAddress>,
    ) -> Result<Tally, Error> {
        let parts: Vec<Part> = snapshot
            .searcher
            .segment_readers()
            .par_iter()
            .enumerate()
            .map(|(ordinal, segment)| {
                let left_out = without.filter(|address| address.segment_ord as usize == ordinal);
                let left_out = left_out.map(|address| address.doc_id);
                self.scan_segment(snapshot, ordinal, segment, query, forms, keep, left_out)
            })
            .collect::<Result<_, _>>()?;
        let diseases = snapshot.diseases.len();
        let mut tally = Tally {
            cases: vec![0; diseases],
            matching: vec![0; diseases],
            with: vec![vec![0; diseases]; forms.len()],
            best: Vec::new(),
            total: 0,
        };
        let add = |to: &mut [u32], from: &[u32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        for (ordinal, part) in parts.into_iter().enumerate() {
            add(&mut tally.cases, &part.cases);
            add(&mut tally.matching, &part.matching);
            for (to, from) in tally.with.iter_mut().zip(&part.with) {
                add(to, from);
            }
            tally.total += part.total;
            let found = part.best.into_iter();
            tally
                .best
                .extend(found.map(|(score, doc)| (f64::from(score), DocAddress::new(ordinal as u32, doc))));
        }
        tally.best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        tally.best.truncate(keep);
        Ok(tally)
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, which hands on what it was given")]
    fn scan_segment(
        &self,
        snapshot: &Snapshot,
        ordinal: usize,
        segment: &SegmentReader,
        query: &Query,
        forms: &[Forms],
        keep: usize,
        without: Option<DocId>,
    ) -> Result<Part, Error> {
        let disease_of = &snapshot.disease_of[ordinal];
        let diseases = snapshot.diseases.len();
        let mut allowed = self.allowed(segment, query)?;
        if let Some(without) = without {
            let all = || (0..segment.max_doc()).map(|doc| !segment.is_deleted(doc)).collect();
            allowed.get_or_insert_with(all)[without as usize] = false;
        }
        let is_allowed = |doc: DocId| allowed.as_ref().is_none_or(|allowed| allowed[doc as usize]);
        let mut part = Part {
            cases: vec![0; diseases],
            matching: vec![0; diseases],
            with: vec![vec![0; diseases]; forms.len()],
            best: Vec::new(),
            total: 0,
        };
        match &allowed {
            None => {
                part.total = u64::from(segment.max_doc());
                // The snapshot knows the whole index; the caller adds up what the segments say.
                for &disease in disease_of {
                    if disease != NO_DISEASE {
                        part.cases[disease as usize] += 1;
                    }
                }
            }
            Some(allowed) => {
                for (&disease, _) in disease_of.iter().zip(allowed).filter(|(_, allowed)| **allowed) {
                    part.total += 1;
                    if disease != NO_DISEASE {
                        part.cases[disease as usize] += 1;
                    }
                }
            }
        }
        let documents = segment.max_doc() as usize;
        let mut score = vec![0f32; documents];
        let mut matched = vec![0u16; documents];
        // Documents that have something of what is asked for: what every case has weighs nothing.
        let mut touched = vec![false; documents];
        // The last finding that a document was counted for, from 1.
        let mut counted = vec![0u32; documents];
        let present = query.present.len();
        let in_present = |term: &String| Term::from_field_text(self.fields.present, term);
        for (finding, forms) in forms.iter().enumerate() {
            let is_present = finding < present;
            let stamp = finding as u32 + 1;
            let with = &mut part.with[finding];
            let weight = (if is_present {
                forms.information
            } else {
                -AGAINST * forms.information
            }) as f32;
            for term in &forms.exact {
                self.each(segment, &in_present(term), |doc| {
                    let at = doc as usize;
                    if counted[at] == stamp || !is_allowed(doc) {
                        return;
                    }
                    counted[at] = stamp;
                    score[at] += weight;
                    touched[at] |= is_present;
                    matched[at] += u16::from(is_present);
                    if disease_of[at] != NO_DISEASE {
                        with[disease_of[at] as usize] += 1;
                    }
                })?;
            }
            for (nearness, term) in &forms.general {
                let weight = weight * *nearness as f32;
                self.each(segment, &in_present(term), |doc| {
                    let at = doc as usize;
                    if counted[at] != stamp && is_allowed(doc) {
                        counted[at] = stamp;
                        score[at] += weight;
                        touched[at] = true;
                    }
                })?;
            }
        }
        self.add_words(snapshot, segment, query, |doc, weight| {
            if is_allowed(doc) {
                score[doc as usize] += weight;
                touched[doc as usize] = true;
            }
        })?;
        let half = present.div_ceil(2).max(1);
        for (doc, &matched) in matched.iter().enumerate() {
            if usize::from(matched) >= half && disease_of[doc] != NO_DISEASE {
                part.matching[disease_of[doc] as usize] += 1;
            }
        }
        if keep > 0 {
            // A query that only narrows has no scores: its cases in their order.
            let scored = present > 0 || !query.words.is_empty();
            let candidates =
                (0..segment.max_doc()).filter(|&doc| if scored { touched[doc as usize] } else { is_allowed(doc) });
            let mut best: Vec<(f32, DocId)> = candidates.map(|doc| (score[doc as usize], doc)).collect();
            let order = |a: &(f32, DocId), b: &(f32, DocId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            if best.len() > keep {
                best.select_nth_unstable_by(keep, order);
                best.truncate(keep);
            }
            part.best = best;
        }
        Ok(part)
    }

    fn add_words(
        &self,
        snapshot: &Snapshot,
        segment: &SegmentReader,
        query: &Query,
        mut add: impl FnMut(DocId, f32),
    ) -> Result<(), Error> {
        for word in &query.words {
            let term = Term::from_field_text(self.fields.word, word);
            let frequency = snapshot.searcher.doc_freq(&term).map_err(|error| self.explain(error))?;
            let share = (frequency as f64 + 1.0) / (snapshot.cases as f64 + 1.0);
            let weight = (WORD * -share.min(1.0).ln()) as f32;
            self.each(segment, &term, |doc| add(doc, weight))?;
        }
        Ok(())
    }

    /// The documents that the query's narrowing leaves, by document; none where it leaves all.
    fn allowed(&self, segment: &SegmentReader, query: &Query) -> Result<Option<Vec<bool>>, Error> {
        if !query.narrows() && !segment.has_deletes() {
            return Ok(None);
        }
        let mut allowed: Vec<bool> = (0..segment.max_doc()).map(|doc| !segment.is_deleted(doc)).collect();
        let mut only = |field: Field, terms: &[String]| -> Result<(), Error> {
            let mut has = vec![false; allowed.len()];
            for term in terms {
                self.each(segment, &Term::from_field_text(field, term), |doc| {
                    has[doc as usize] = true
                })?;
            }
            allowed.iter_mut().zip(has).for_each(|(allowed, has)| *allowed &= has);
            Ok(())
        };
        let kinds = |asked: &Asked| -> Vec<String> {
            match asked.key {
                Some(key) => {
                    let keys = self.lexicon.specialised_key(key);
                    keys.into_iter()
                        .map(|(_, key)| term::of_key(&self.lexicon, key))
                        .collect()
                }
                None => vec![asked.term.clone()],
            }
        };
        let fields = self.fields;
        if !query.diseases.is_empty() {
            only(
                fields.primary,
                &query.diseases.iter().flat_map(kinds).collect::<Vec<_>>(),
            )?;
        }
        for cause in &query.causes {
            only(fields.cause, &kinds(cause))?;
        }
        if !query.drugs.is_empty() {
            only(fields.drug, &query.drugs)?;
        }
        for (cause, effect) in &query.paths {
            let effects = kinds(effect);
            let pairs = kinds(cause).into_iter().flat_map(|cause| {
                let pair = move |effect: &String| format!("{cause}>{effect}");
                effects.iter().map(pair).collect::<Vec<_>>()
            });
            only(fields.path, &pairs.collect::<Vec<_>>())?;
        }
        if let Some(specialty) = &query.specialty {
            only(fields.specialty, std::slice::from_ref(specialty))?;
        }
        if let Some(sex) = query.sex {
            only(fields.sex, &[sex_name(sex).to_owned()])?;
        }
        if let Some(range) = query.age {
            let ages = segment.fast_fields().column_opt::<u64>("age");
            let ages = ages.map_err(|error| self.explain(error))?;
            let within = |age: u64| range.from.is_none_or(|from| age >= from) && range.to.is_none_or(|to| age <= to);
            for (doc, allowed) in allowed.iter_mut().enumerate().filter(|(_, allowed)| **allowed) {
                let age = ages.as_ref().and_then(|ages| ages.first(doc as DocId));
                *allowed = age.is_some_and(within);
            }
        }
        Ok(Some(allowed))
    }
}
