//! Cases whose maps have most in common with what is asked.

use std::collections::HashMap;

use tantivy::DocAddress;

use super::entry::Entry;
use super::query::Query;
use super::scan::{AGAINST, Forms};
use super::store::{CaseIndex, Snapshot, sex_name};
use super::term;
use crate::error::Error;

/// What a shared path weighs against the mean of the two findings that it joins: more than a leaf.
const PATH: f64 = 1.5;
/// So many times the wanted cases are compared map by map, at least [`COMPARED`].
const TIMES: usize = 4;
const COMPARED: usize = 60;

/// A case that was found.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CaseRow {
    /// Rank, from 1.
    pub rank: usize,
    /// The case's id.
    pub id: String,
    /// From 0 to 1: the part of the query's information that the case has; for a case's like, what
    /// both maps share against what each holds.
    pub score: f64,
    /// Label of the primary disease.
    pub primary: String,
    /// Specialty of the primary disease.
    pub specialty: String,
    /// Sex of the patient: M, F or empty.
    pub sex: String,
    /// Age in years.
    pub age: Option<f64>,
    /// The query's findings that the case has.
    pub matched: Vec<String>,
    /// Those that it has in a more general form only.
    pub nearly: Vec<String>,
    /// The query's absent findings that the case has.
    pub against: Vec<String>,
    /// Pairs of cause and effect that lie on a path in both maps.
    pub shared_paths: Vec<(String, String)>,
    /// The causal tree, a node a line.
    pub causal_tree: String,
    /// By line of the tree: true for a node that the query asks for.
    pub marked: Vec<bool>,
}

impl CaseIndex {
    /// The cases that have most in common with a query, at most `limit`. Findings count by their
    /// information content -ln P(f), more general forms less; for [`Query::like`] a pair of nodes
    /// that lie on one path in both maps counts more than the two alone. O(postings + compared cases).
    ///
    /// # Errors
    /// [`Error::Index`] for damaged files.
    pub fn cases(&self, query: &Query, limit: usize) -> Result<Vec<CaseRow>, Error> {
        self.guarded(|| self.similar(query, limit))
    }

    fn similar(&self, query: &Query, limit: usize) -> Result<Vec<CaseRow>, Error> {
        let snapshot = self.snapshot();
        let forms = self.forms(&snapshot, query)?;
        let without = match &query.like {
            Some(entry) => self.find(&entry.id)?,
            None => None,
        };
        let keep = limit.saturating_mul(TIMES).max(COMPARED);
        let tally = self.scan(&snapshot, query, &forms, keep, without)?;
        let mut information = HashMap::new();
        let mut rows = Vec::with_capacity(tally.best.len());
        for (found, address) in tally.best {
            rows.push((
                found,
                self.compare(&snapshot, query, &forms, address, &mut information)?,
            ));
        }
        // Of equal scores the one that the words of the report speak for.
        rows.sort_by(|(a_found, a), (b_found, b)| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| b_found.total_cmp(a_found))
                .then_with(|| a.id.cmp(&b.id))
        });
        rows.truncate(limit);
        let rows = rows.into_iter().enumerate();
        Ok(rows.map(|(rank, (_, row))| CaseRow { rank: rank + 1, ..row }).collect())
    }

    fn compare(
        &self,
        snapshot: &Snapshot,
        query: &Query,
        forms: &[Forms],
        address: DocAddress,
        information: &mut HashMap<String, f64>,
    ) -> Result<CaseRow, Error> {
        let lexicon = &self.lexicon;
        let entry = self.entry(snapshot, address)?;
        let mut marked = vec![false; entry.nodes.len()];
        let (mut matched, mut nearly, mut against) = (Vec::new(), Vec::new(), Vec::new());
        let (mut shared, mut asked_for) = (0.0, 0.0);
        // By term of the case: the terms of the query that it is, exactly.
        let mut as_asked: HashMap<&str, Vec<&str>> = HashMap::new();
        let present = query.present.len();
        let all = query.present.iter().chain(&query.absent);
        for (index, (asked, forms)) in all.zip(forms).enumerate() {
            let exact = forms.exact.iter().filter(|form| entry.present.contains(*form));
            let exact: Vec<&str> = exact.map(String::as_str).collect();
            if index >= present {
                if !exact.is_empty() {
                    against.push(asked.label.clone());
                    shared -= AGAINST * forms.information;
                }
                continue;
            }
            asked_for += forms.information;
            let mut mark = |term: &str| {
                let own = term.split('@').next().unwrap_or(term);
                let nodes = entry.nodes.iter().zip(&mut marked);
                nodes
                    .filter(|(node, _)| *node == own)
                    .for_each(|(_, marked)| *marked = true);
            };
            if !exact.is_empty() {
                shared += forms.information;
                matched.push(asked.label.clone());
                for term in exact {
                    mark(term);
                    as_asked.entry(term).or_default().push(&asked.term);
                }
                continue;
            }
            let mut general = forms.general.iter();
            if let Some((nearness, term)) = general.find(|(_, term)| entry.present.contains(term)) {
                shared += nearness * forms.information;
                nearly.push(asked.label.clone());
                mark(term);
            }
        }
        let mut shared_paths = Vec::new();
        let mut score = if asked_for > 0.0 { shared / asked_for } else { 0.0 };
        if let Some(like) = &query.like {
            let mut weight = |term: &str| -> Result<f64, Error> {
                if let Some(&known) = information.get(term) {
                    return Ok(known);
                }
                let terms = [term.to_owned()];
                let found = self.information(snapshot, &terms, term::key(lexicon, term))?;
                information.insert(term.to_owned(), found);
                Ok(found)
            };
            let mut of_path = |entry: &Entry, path: (usize, usize)| -> Result<f64, Error> {
                Ok(PATH * (weight(&entry.nodes[path.0])? + weight(&entry.nodes[path.1])?) / 2.0)
            };
            let paths = entry.paths();
            let theirs = like.paths();
            let known: HashMap<(&str, &str), (usize, usize)> = theirs
                .iter()
                .map(|&path| ((like.nodes[path.0].as_str(), like.nodes[path.1].as_str()), path))
                .collect();
            let mut own = 0.0;
            for &path in &paths {
                own += of_path(&entry, path)?;
                let forms = |node: usize| as_asked.get(entry.nodes[node].as_str()).into_iter().flatten();
                let mut pairs = forms(path.0).flat_map(|a| forms(path.1).map(move |b| (*a, *b)));
                if let Some(path) = pairs.find_map(|pair| known.get(&pair).copied()) {
                    shared += of_path(like, path)?;
                    let label = |node: usize| like.map.nodes[node].label.to_string();
                    shared_paths.push((label(path.0), label(path.1)));
                }
            }
            for path in theirs {
                asked_for += of_path(like, path)?;
            }
            for node in &entry.nodes {
                own += weight(node)?;
            }
            let both = (own * asked_for).sqrt();
            score = if both > 0.0 { shared / both } else { 0.0 };
        }
        let disease = entry
            .primary_term(lexicon)
            .and_then(|primary| term::concept(lexicon, &primary));
        let order = entry.map.preorder();
        Ok(CaseRow {
            rank: 0,
            score: score.clamp(0.0, 1.0),
            specialty: match (entry.specialty.as_str(), disease) {
                ("", Some(disease)) => lexicon.specialty(disease).to_owned(),
                (stated, _) => stated.to_owned(),
            },
            sex: entry.sex.map_or("", sex_name).to_owned(),
            age: entry.age_years,
            causal_tree: entry.map.to_tree(),
            marked: order.iter().map(|(id, _)| marked[id.0 as usize]).collect(),
            id: entry.id,
            primary: entry.primary,
            matched,
            nearly,
            against,
            shared_paths,
        })
    }
}
