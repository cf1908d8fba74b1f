//! One pass over the postings of a query: how many cases of each disease have each finding, and
//! which cases have most of them.

use fixedbitset::FixedBitSet;
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

/// What a scan counts in one segment.
struct Part {
    /// Counted only where the query narrows.
    cases: Vec<u32>,
    matching: Vec<u32>,
    with: Vec<Vec<u32>>,
    best: Vec<(f32, DocId)>,
    /// Counted only where the query narrows.
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
    /// forms + documents / 64), the segments in parallel.
    ///
    /// Every finding becomes a set of documents, a bit each, so that what lies in how many of them
    /// is told for 64 documents at a time.
    pub(super) fn scan(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        forms: &[Forms],
        keep: usize,
        without: Option<DocAddress>,
    ) -> Result<Tally, Error> {
        let words = self.weigh_words(snapshot, query)?;
        let parts: Vec<Part> = snapshot
            .searcher
            .segment_readers()
            .par_iter()
            .enumerate()
            .map(|(ordinal, segment)| {
                let left_out = without.filter(|address| address.segment_ord as usize == ordinal);
                let scan = Scan {
                    index: self,
                    segment,
                    query,
                    disease_of: &snapshot.disease_of[ordinal],
                    diseases: snapshot.diseases.len(),
                    allowed: self.allowed(segment, query, &words, left_out.map(|address| address.doc_id))?,
                };
                scan.run(forms, &words, keep)
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
        if !query.narrows() {
            tally.cases = snapshot.diseases.iter().map(|disease| disease.cases).collect();
            tally.total = snapshot.cases;
            if let Some(without) = without {
                tally.total -= 1;
                let disease = snapshot.disease_of[without.segment_ord as usize][without.doc_id as usize];
                if let Some(cases) = tally.cases.get_mut(disease as usize) {
                    *cases -= 1;
                }
            }
        }
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

    /// The query's words with what each weighs: the rarer, the more.
    fn weigh_words(&self, snapshot: &Snapshot, query: &Query) -> Result<Vec<(Term, f32)>, Error> {
        let weigh = |word: &String| {
            let term = Term::from_field_text(self.fields.word, word);
            let frequency = snapshot.searcher.doc_freq(&term).map_err(|error| self.explain(error))?;
            let share = (frequency as f64 + 1.0) / (snapshot.cases as f64 + 1.0);
            Ok((term, (WORD * -share.min(1.0).ln()) as f32))
        };
        query.words.iter().map(weigh).collect()
    }

    /// The documents of one segment that the query's narrowing leaves; none where it leaves all.
    fn allowed(
        &self,
        segment: &SegmentReader,
        query: &Query,
        words: &[(Term, f32)],
        without: Option<DocId>,
    ) -> Result<Option<FixedBitSet>, Error> {
        if !query.narrows() && !segment.has_deletes() && without.is_none() {
            return Ok(None);
        }
        let mut allowed = none(segment);
        match segment.alive_bitset() {
            Some(alive) => alive.iter_alive().for_each(|doc| allowed.insert(doc as usize)),
            None => allowed.insert_range(..),
        }
        if let Some(without) = without {
            allowed.remove(without as usize);
        }
        let mut only = |field: Field, terms: &[String]| -> Result<(), Error> {
            let mut has = none(segment);
            for term in terms {
                self.collect(segment, &Term::from_field_text(field, term), &mut has)?;
            }
            allowed.intersect_with(&has);
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
        if query.by_words() {
            let mut has = Vec::with_capacity(words.len());
            for (term, _) in words {
                let mut documents = none(segment);
                self.collect(segment, term, &mut documents)?;
                has.push(documents);
            }
            allowed.intersect_with(&in_at_least(words.len().div_ceil(2), &has, segment.max_doc() as usize));
        }
        if let Some(range) = query.age {
            let ages = segment.fast_fields().column_opt::<u64>("age");
            let ages = ages.map_err(|error| self.explain(error))?;
            let within = |age: u64| range.from.is_none_or(|from| age >= from) && range.to.is_none_or(|to| age <= to);
            let mut has = none(segment);
            for doc in allowed.ones() {
                let age = ages.as_ref().and_then(|ages| ages.first(doc as DocId));
                has.set(doc, age.is_some_and(within));
            }
            allowed = has;
        }
        Ok(Some(allowed))
    }
}

/// An empty set of a segment's documents.
fn none(segment: &SegmentReader) -> FixedBitSet {
    FixedBitSet::with_capacity(segment.max_doc() as usize)
}

/// The documents that lie in at least `least` of the sets, which is more than 0. The counts are kept
/// bit by bit, 64 documents a word: O(sets × documents / 64 × log sets).
fn in_at_least(least: usize, sets: &[FixedBitSet], documents: usize) -> FixedBitSet {
    let sets: Vec<&[usize]> = sets.iter().map(FixedBitSet::as_slice).collect();
    let mut found = FixedBitSet::with_capacity(documents);
    if sets.len() < least {
        return found;
    }
    // Bits that a count of all sets takes.
    let bits = (usize::BITS - sets.len().leading_zeros()) as usize;
    let mut count = vec![0usize; bits];
    for (word, found) in found.as_mut_slice().iter_mut().enumerate() {
        count.fill(0);
        for set in &sets {
            let mut carry = set[word];
            for bit in &mut count {
                (*bit, carry) = (*bit ^ carry, *bit & carry);
            }
        }
        let (mut more, mut equal) = (0, usize::MAX);
        for (at, bit) in count.iter().enumerate().rev() {
            let wanted = if least >> at & 1 == 1 { usize::MAX } else { 0 };
            more |= equal & bit & !wanted;
            equal &= !(bit ^ wanted);
        }
        *found = more | equal;
    }
    found
}

/// What one query counts in one segment.
struct Scan<'q> {
    index: &'q CaseIndex,
    segment: &'q SegmentReader,
    query: &'q Query,
    disease_of: &'q [u32],
    diseases: usize,
    /// The documents that count; none for all.
    allowed: Option<FixedBitSet>,
}

/// Documents that have one form of a finding or one word, and no nearer form of it.
struct Level {
    /// What this form adds to a document's score.
    weight: f32,
    documents: FixedBitSet,
}

/// What documents can have of one finding or word: at most one of the levels.
struct Ladder {
    levels: Vec<Level>,
    /// The most that it adds; at least 0, for a document may have none of the levels.
    most: f32,
    /// Whether a document is found for having it.
    finds: bool,
}

impl Scan<'_> {
    fn run(&self, forms: &[Forms], words: &[(Term, f32)], keep: usize) -> Result<Part, Error> {
        let mut part = Part {
            cases: vec![0; self.diseases],
            matching: vec![0; self.diseases],
            with: Vec::with_capacity(forms.len()),
            best: Vec::new(),
            total: 0,
        };
        // Without narrowing the snapshot knows the counts.
        if let Some(allowed) = self.allowed.as_ref().filter(|_| self.query.narrows()) {
            part.total = allowed.count_ones(..) as u64;
            self.count(allowed, &mut part.cases);
        }
        let in_present = |term: &String| Term::from_field_text(self.index.fields.present, term);
        let mut exact = Vec::with_capacity(forms.len());
        for forms in forms {
            let documents = self.documents(forms.exact.iter().map(in_present))?;
            let mut with = vec![0; self.diseases];
            self.count(&documents, &mut with);
            part.with.push(with);
            exact.push(documents);
        }
        let present = self.query.present.len();
        let half = present.div_ceil(2).max(1);
        let documents = self.segment.max_doc() as usize;
        self.count(&in_at_least(half, &exact[..present], documents), &mut part.matching);
        if keep == 0 {
            return Ok(part);
        }
        let mut ladders = Vec::with_capacity(forms.len() + words.len());
        for (finding, (forms, exact)) in forms.iter().zip(exact).enumerate() {
            if finding >= present {
                let weight = (-AGAINST * forms.information) as f32;
                ladders.push(Ladder::new(vec![Level::new(weight, exact)], false));
                continue;
            }
            let weight = forms.information as f32;
            let mut nearer = exact.clone();
            let mut levels = vec![Level::new(weight, exact)];
            for (nearness, term) in &forms.general {
                let mut documents = self.documents([in_present(term)])?;
                documents.difference_with(&nearer);
                nearer.union_with(&documents);
                levels.push(Level::new(weight * *nearness as f32, documents));
            }
            ladders.push(Ladder::new(levels, true));
        }
        for (term, weight) in words {
            let documents = self.documents([term.clone()])?;
            ladders.push(Ladder::new(vec![Level::new(*weight, documents)], true));
        }
        part.best = self.best(&ladders, keep);
        Ok(part)
    }

    /// The documents that have any of the terms.
    fn documents(&self, terms: impl IntoIterator<Item = Term>) -> Result<FixedBitSet, Error> {
        let mut documents = none(self.segment);
        for term in terms {
            self.index.collect(self.segment, &term, &mut documents)?;
        }
        if let Some(allowed) = &self.allowed {
            documents.intersect_with(allowed);
        }
        Ok(documents)
    }

    /// Counts the documents by their disease.
    fn count(&self, documents: &FixedBitSet, by_disease: &mut [u32]) {
        for doc in documents.ones() {
            let disease = self.disease_of[doc];
            if disease != NO_DISEASE {
                by_disease[disease as usize] += 1;
            }
        }
    }

    /// The documents of the highest scores, at most `keep`; of equal ones the first. A query that only
    /// narrows has no scores: its documents in their order.
    ///
    /// Once `keep` documents are known, the findings that together add no more than the least of
    /// their scores find no better document by themselves (MaxScore: Turtle and Flood, 1995), so
    /// the documents that have nothing else are passed over.
    fn best(&self, ladders: &[Ladder], keep: usize) -> Vec<(f32, DocId)> {
        let order = |a: &(f32, DocId), b: &(f32, DocId)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        let scored = ladders.iter().any(|ladder| ladder.finds);
        // Those that say least come first.
        let mut by_weight: Vec<usize> = (0..ladders.len()).filter(|&at| ladders[at].finds).collect();
        by_weight.sort_by(|&a, &b| ladders[a].most.total_cmp(&ladders[b].most));
        let mut least = f32::NEG_INFINITY;
        let mut needed: &[usize] = &by_weight;
        let mut best: Vec<(f32, DocId)> = Vec::new();
        // Room for as many again, so that sorting out is rare.
        let room = keep.saturating_mul(2).max(64);
        for word in 0..(self.segment.max_doc() as usize).div_ceil(usize::BITS as usize) {
            let mut candidates = if scored {
                let levels = needed.iter().flat_map(|&at| &ladders[at].levels);
                levels.fold(0, |found, level| found | level.documents.as_slice()[word])
            } else {
                self.allowed
                    .as_ref()
                    .map_or(usize::MAX, |allowed| allowed.as_slice()[word])
            };
            while candidates != 0 {
                let bit = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                let doc = word * usize::BITS as usize + bit;
                if doc >= self.segment.max_doc() as usize {
                    break;
                }
                let has = |level: &&Level| level.documents.as_slice()[word] >> bit & 1 == 1;
                let found = ladders.iter().filter_map(|ladder| ladder.levels.iter().find(has));
                let score = found.fold(0.0, |score, level| score + level.weight);
                if score <= least {
                    continue;
                }
                best.push((score, doc as DocId));
                if best.len() < room {
                    continue;
                }
                best.select_nth_unstable_by(keep - 1, order);
                best.truncate(keep);
                least = best[keep - 1].0;
                needed = needed_above(least, &by_weight, ladders);
                if scored && needed.is_empty() || !scored && least >= 0.0 {
                    return best;
                }
            }
        }
        best.sort_unstable_by(order);
        best.truncate(keep);
        best
    }
}

/// The ladders of which a document must have one to score more than `least`.
fn needed_above<'o>(least: f32, by_weight: &'o [usize], ladders: &[Ladder]) -> &'o [usize] {
    let mut idle = vec![false; ladders.len()];
    for (passed, &at) in by_weight.iter().enumerate() {
        idle[at] = true;
        // Added up in the order in which scores are: rounding then never makes a score larger.
        let counted = ladders.iter().zip(&idle).filter(|(_, idle)| **idle);
        let most = counted.fold(0.0, |sum, (ladder, _)| sum + ladder.most);
        if most > least {
            return &by_weight[passed..];
        }
    }
    &[]
}

impl Level {
    fn new(weight: f32, documents: FixedBitSet) -> Self {
        Level { weight, documents }
    }
}

impl Ladder {
    fn new(levels: Vec<Level>, finds: bool) -> Self {
        let most = levels.iter().fold(0.0, |most, level| f32::max(most, level.weight));
        Ladder { levels, most, finds }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::*;
    use crate::pipeline::Pipeline;
    use crate::search::Entry;

    const DISEASES: [&str; 6] = [
        "肺炎",
        "レジオネラ肺炎",
        "虫垂炎",
        "ツツガムシ病",
        "鉄欠乏性貧血",
        "院内だけの病名",
    ];
    const FINDINGS: [&str; 16] = [
        "発熱",
        "腹痛",
        "右下腹部痛",
        "頭痛",
        "貧血",
        "鉄欠乏性貧血",
        "血小板/低下",
        "白血球/上昇",
        "しびれ@手部",
        "しびれ@上肢",
        "皮疹",
        "紅斑",
        "院内だけの所見",
        "意識障害",
        "K/上昇",
        "高カリウム血症",
    ];

    /// SplitMix64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) % end as u64) as usize
        }

        fn of<'t>(&mut self, from: &[&'t str], most: usize) -> Vec<&'t str> {
            let count = self.below(most + 1);
            (0..count).map(|_| from[self.below(from.len())]).collect()
        }
    }

    fn entry(number: usize, random: &mut Random, pipeline: &Pipeline) -> Entry {
        let disease = DISEASES[random.below(DISEASES.len())];
        let mut tree = format!("-{disease}\n");
        for finding in random.of(&FINDINGS, 8) {
            tree += &format!("  -{finding}\n");
        }
        let record = serde_json::json!({
            "id": format!("c{number}"),
            "primary": disease,
            "causal_tree": tree,
            "sex": if random.below(2) == 0 { "M" } else { "F" },
            "age": 20 + random.below(70),
        });
        let mut entry = Entry::of_json(&record.to_string(), pipeline.lexicon()).expect("a sound record");
        entry.words = random
            .of(&["旅行", "犬", "温泉"], 3)
            .into_iter()
            .map(str::to_owned)
            .collect();
        entry
    }

    fn query(random: &mut Random, pipeline: &Pipeline) -> Query {
        let mut text = random.of(&FINDINGS, 5).join(" ");
        for absent in random.of(&FINDINGS, 2) {
            if !text.split(' ').any(|present| present == absent) {
                text += &format!(" -{absent}");
            }
        }
        text += ["", "", "", " age:40-", " sex:女", " disease:肺炎", " specialty:感染症"][random.below(7)];
        let mut query = Query::parse(&text, pipeline).unwrap_or_default();
        query.words = random
            .of(&["旅行", "犬", "雪"], 2)
            .into_iter()
            .map(str::to_owned)
            .collect();
        query
    }

    /// What a scan counts, case by case from the records.
    fn slowly(
        index: &CaseIndex,
        query: &Query,
        forms: &[Forms],
        cases: &HashMap<String, Entry>,
        without: Option<DocAddress>,
    ) -> Tally {
        let snapshot = index.snapshot();
        let lexicon = &index.lexicon;
        let words = index.weigh_words(&snapshot, query).expect("readable");
        let zero = vec![0; snapshot.diseases.len()];
        let mut tally = Tally {
            cases: zero.clone(),
            matching: zero.clone(),
            with: vec![zero; forms.len()],
            best: Vec::new(),
            total: 0,
        };
        let present = query.present.len();
        for (ordinal, segment) in snapshot.searcher.segment_readers().iter().enumerate() {
            for doc in segment.doc_ids_alive() {
                let address = DocAddress::new(ordinal as u32, doc);
                let case = &cases[&index.entry(&snapshot, address).expect("readable").id];
                let disease = case.primary_term(lexicon).expect("every case has one");
                let concept = term::concept(lexicon, &disease);
                let had = query.words.iter().filter(|word| case.words.contains(*word)).count();
                let kinds = |asked: &Asked| {
                    let keys = asked.key.map(|key| lexicon.specialised_key(key)).unwrap_or_default();
                    keys.into_iter().any(|(_, key)| term::of_key(lexicon, key) == disease)
                };
                let age = case.age_years.expect("every case has one") as u64;
                let left = Some(address) != without
                    && query.sex.is_none_or(|sex| case.sex == Some(sex))
                    && query.age.is_none_or(|range| range.from.is_none_or(|from| age >= from))
                    && (query.diseases.is_empty() || query.diseases.iter().any(kinds))
                    && query
                        .specialty
                        .as_deref()
                        .is_none_or(|wanted| concept.is_some_and(|id| lexicon.specialty(id) == wanted))
                    && (!query.by_words() || 2 * had >= query.words.len());
                if !left {
                    continue;
                }
                let disease = snapshot.disease_of[ordinal][doc as usize] as usize;
                tally.cases[disease] += 1;
                tally.total += 1;
                let (mut score, mut matched, mut found) = (0f32, 0, false);
                for (finding, forms) in forms.iter().enumerate() {
                    let weight = forms.information as f32;
                    let nearest = forms.general.iter().find(|(_, term)| case.present.contains(term));
                    let exact = forms.exact.iter().any(|term| case.present.contains(term));
                    if exact {
                        tally.with[finding][disease] += 1;
                    }
                    match nearest {
                        _ if exact && finding >= present => score += (-AGAINST * forms.information) as f32,
                        _ if exact => {
                            score += weight;
                            matched += 1;
                            found = true;
                        }
                        // Of what is absent only the finding itself speaks against a case.
                        Some((nearness, _)) if finding < present => {
                            score += weight * *nearness as f32;
                            found = true;
                        }
                        _ => {}
                    }
                }
                for (word, (_, weight)) in query.words.iter().zip(&words) {
                    if case.words.contains(word) {
                        score += weight;
                        found = true;
                    }
                }
                if present > 0 && 2 * matched >= present {
                    tally.matching[disease] += 1;
                }
                if found || present == 0 && query.words.is_empty() {
                    tally.best.push((f64::from(score), address));
                }
            }
        }
        tally.best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        tally
    }

    /// Sets of documents, pruning and narrowing count what a pass over the records counts.
    #[test]
    fn a_scan_counts_what_a_pass_over_the_records_counts() {
        let pipeline = Pipeline::load_default().expect("the built-in data loads");
        let folder: PathBuf = std::env::temp_dir().join(format!("shorei-scan-{}", std::process::id()));
        let index = CaseIndex::create(&folder, pipeline.shared_lexicon()).expect("a new index");
        let mut random = Random(2026);
        let mut cases: HashMap<String, Entry> = HashMap::new();
        // Several segments, with replaced and removed cases.
        for round in 0..3 {
            let mut writer = index.writer().expect("the only writer");
            for number in round * 250..round * 250 + 300 {
                let entry = entry(number, &mut random, &pipeline);
                writer.add(&entry).expect("added");
                cases.insert(entry.id.clone(), entry);
            }
            for number in (0..round * 250).step_by(17) {
                let id = format!("c{number}");
                writer.remove(&id);
                cases.remove(&id);
            }
            writer.commit().expect("committed");
        }
        let snapshot = index.snapshot();
        assert_eq!(snapshot.cases as usize, cases.len());
        assert!(
            snapshot
                .searcher
                .segment_readers()
                .iter()
                .any(SegmentReader::has_deletes)
        );
        for round in 0..400 {
            let query = query(&mut random, &pipeline);
            let forms = index.forms(&snapshot, &query).expect("readable");
            let without = (round % 5 == 0).then(|| index.find("c700").expect("readable").expect("there"));
            let mut slow = slowly(&index, &query, &forms, &cases, without);
            for keep in [0, 1, 7, 60, 5000] {
                let fast = index.scan(&snapshot, &query, &forms, keep, without).expect("readable");
                let what = format!("round {round}, {keep} of {query:?}");
                assert_eq!(fast.total, slow.total, "{what}");
                assert_eq!(fast.cases, slow.cases, "{what}");
                assert_eq!(fast.matching, slow.matching, "{what}");
                assert_eq!(fast.with, slow.with, "{what}");
                assert_eq!(fast.best, slow.best[..keep.min(slow.best.len())], "{what}");
            }
            slow.best.clear();
        }
        std::fs::remove_dir_all(&folder).expect("removable");
    }

    #[test]
    fn documents_in_at_least_some_of_the_sets() {
        let mut random = Random(7);
        for sets in 1..9 {
            let sets: Vec<Vec<bool>> = (0..sets)
                .map(|_| (0..200).map(|_| random.below(2) == 0).collect())
                .collect();
            let bits: Vec<FixedBitSet> = sets
                .iter()
                .map(|set| (0..200).filter(|&doc| set[doc]).collect::<FixedBitSet>())
                .map(|mut set| {
                    set.grow(200);
                    set
                })
                .collect();
            for least in 1..=sets.len() + 1 {
                let expected: Vec<usize> = (0..200)
                    .filter(|&doc| sets.iter().filter(|set| set[doc]).count() >= least)
                    .collect();
                let found: Vec<usize> = in_at_least(least, &bits, 200).ones().collect();
                assert_eq!(found, expected, "{least} of {}", sets.len());
            }
        }
    }
}
