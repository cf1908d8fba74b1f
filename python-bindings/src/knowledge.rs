//! `Lexicon` and `Knowledge`: what the dictionaries say.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use shorei::export::json::ConceptRecord;
use shorei::lexicon::{Fact, Key, Lexicon as Tables, Patient};
use shorei::search::findings_of_record;
use shorei::types::{ConceptId, Label};
use unicode_normalization::UnicodeNormalization;

use crate::case::{Case, Concept};
use crate::errors::{Class, exception, from_error};
use crate::pipeline::{Config, Engine, paths, tables};

/// Where the dictionaries are.
#[derive(Clone)]
pub enum Source {
    /// In a pipeline.
    Pipeline(Arc<Engine>),
    /// Loaded by themselves, from packs.
    Own(Arc<Tables>, Vec<PathBuf>),
}

impl Source {
    pub fn load(py: Python<'_>, dictionaries: Vec<PathBuf>) -> PyResult<Self> {
        let config = Config {
            dictionaries,
            built_in_model: false,
            model: None,
            arranger: None,
        };
        let tables = py.detach(|| tables(&config)).map_err(|error| from_error(&error))?;
        Ok(Source::Own(tables, config.dictionaries))
    }

    pub fn get(&self) -> &Tables {
        match self {
            Source::Pipeline(engine) => engine.pipeline.lexicon(),
            Source::Own(tables, _) => tables,
        }
    }

    fn dictionaries(&self) -> &[PathBuf] {
        match self {
            Source::Pipeline(engine) => &engine.config.dictionaries,
            Source::Own(_, dictionaries) => dictionaries,
        }
    }

    fn reduce(&self, py: Python<'_>, function: &str) -> PyResult<(Py<PyAny>, (Vec<String>,))> {
        let function = py.import("shorei._shorei")?.getattr(function)?.unbind();
        Ok((function, (paths(self.dictionaries())?,)))
    }

    fn concept(&self, id: ConceptId) -> Concept {
        Concept {
            record: ConceptRecord::of(self.get().concept(id)),
        }
    }

    fn find(&self, term: &str) -> Vec<ConceptId> {
        let term: String = term.nfkc().collect();
        self.get().lookup(&term).to_vec()
    }
}

/// The dictionaries: the built-in ones, with packs over them.
///
/// >>> lexicon = shorei.Lexicon()
/// >>> [concept.label for concept in lexicon.lookup("EGPA")]
/// ['好酸球性多発血管炎性肉芽腫症']
/// >>> "存在しない病名" in lexicon
/// False
#[pyclass(frozen, module = "shorei")]
pub struct Lexicon {
    pub source: Source,
}

#[pymethods]
impl Lexicon {
    #[new]
    #[pyo3(signature = (*, dictionaries=Vec::new()))]
    fn new(py: Python<'_>, dictionaries: Vec<PathBuf>) -> PyResult<Self> {
        Ok(Lexicon {
            source: Source::load(py, dictionaries)?,
        })
    }

    /// What a term means: label, synonym, abbreviation or spelling variant. Empty for a term that
    /// no dictionary lists.
    fn lookup(&self, term: &str) -> Vec<Concept> {
        self.source
            .find(term)
            .into_iter()
            .map(|id| self.source.concept(id))
            .collect()
    }

    /// What else the dictionaries call the concepts of a term: synonyms, then abbreviations.
    ///
    /// >>> "SIADH" in shorei.Lexicon().synonyms("抗利尿ホルモン不適合分泌症候群")
    /// True
    fn synonyms(&self, term: &str) -> Vec<String> {
        let tables = self.source.get();
        let concepts = self.source.find(term);
        let concepts = concepts.into_iter().map(|id| tables.concept(id));
        concepts
            .flat_map(|concept| concept.synonyms.iter().chain(&concept.abbreviations).cloned())
            .collect()
    }

    /// The more general concepts of a term's first meaning, nearest first.
    fn ancestors(&self, term: &str) -> Vec<Concept> {
        let Some(&first) = self.source.find(term).first() else {
            return Vec::new();
        };
        let ancestry: Vec<_> = self.source.get().ancestry(first).skip(1).collect();
        ancestry.into_iter().map(|id| self.source.concept(id)).collect()
    }

    /// True when two labels of the notation name one concept.
    ///
    /// >>> shorei.Lexicon().same_concept("低Na血症", "低ナトリウム血症")
    /// True
    fn same_concept(&self, a: &str, b: &str) -> bool {
        self.source.get().same_concept(a, b)
    }

    fn __contains__(&self, term: &str) -> bool {
        !self.source.find(term).is_empty()
    }

    /// The number of concepts.
    fn __len__(&self) -> usize {
        self.source.get().ids().count()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Lexicon: {} concepts, {} packs>",
            self.__len__(),
            self.source.dictionaries().len()
        )
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (Vec<String>,))> {
        self.source.reduce(py, "_unpickle_lexicon")
    }
}

/// A causal link of the knowledge table.
///
/// >>> link = shorei.Knowledge().effects("高カリウム血症")[0]
/// >>> link.cause, link.probability > 0
/// ('高カリウム血症', True)
#[pyclass(frozen, get_all, module = "shorei")]
pub struct Link {
    /// The cause as the table writes it.
    cause: String,
    /// The effect as the table writes it.
    effect: String,
    /// ``causes``, ``manifests_as``, …
    kind: &'static str,
    /// How often, in HPO's terms: ``obligate``, ``very_frequent``, ``frequent``, ``occasional``, ``very_rare``.
    frequency: &'static str,
    /// The middle of that band, from 0 to 1.
    probability: f64,
}

impl Link {
    fn of(fact: &Fact) -> Self {
        Link {
            cause: fact.cause.clone(),
            effect: fact.effect.clone(),
            kind: fact.relation.name(),
            frequency: fact.frequency.name(),
            probability: fact.frequency.probability(),
        }
    }
}

#[pymethods]
impl Link {
    fn __repr__(&self) -> String {
        format!("<Link {} → {} ({})>", self.cause, self.effect, self.frequency)
    }
}

/// What one finding adds to a disease's score.
///
/// See :meth:`Knowledge.rank`.
#[pyclass(frozen, get_all, module = "shorei")]
pub struct Contribution {
    /// The finding's label.
    finding: String,
    /// True when it is there, false when it is said not to be.
    present: bool,
    /// Natural logarithm of the likelihood ratio; below zero it speaks against the disease.
    log_ratio: f64,
    /// The abnormal state through which the disease explains it; ``None`` for a direct link or none.
    through: Option<String>,
}

#[pymethods]
impl Contribution {
    fn __repr__(&self) -> String {
        let sign = if self.present { "" } else { "no " };
        format!("<Contribution {sign}{} {:+.2}>", self.finding, self.log_ratio)
    }
}

/// A disease with what the findings say of it.
///
/// See :meth:`Knowledge.rank`.
#[pyclass(frozen, module = "shorei")]
pub struct Ranking {
    /// The candidate as it was given; the label where none was.
    #[pyo3(get)]
    query: String,
    /// The preferred label; ``None`` for a candidate that the dictionaries lack.
    #[pyo3(get)]
    label: Option<String>,
    /// Natural logarithm of the likelihood ratio; minus infinity for a candidate that the dictionaries lack.
    #[pyo3(get)]
    score: f64,
    /// What the patient's sex and age, and how common the disease is, say: a part of the score.
    #[pyo3(get)]
    patient: f64,
    contributions: Vec<Py<Contribution>>,
}

#[pymethods]
impl Ranking {
    /// Each finding's part, weightiest first.
    #[getter]
    fn contributions(&self, py: Python<'_>) -> Vec<Py<Contribution>> {
        self.contributions.iter().map(|part| part.clone_ref(py)).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Ranking {} {:.2}>",
            self.label.as_deref().unwrap_or(&self.query),
            self.score
        )
    }
}

/// The causal knowledge: which disease leads to which finding, and how often.
///
/// >>> knowledge = shorei.Knowledge()
/// >>> ranked = knowledge.rank(present=["発熱", "頭痛", "項部硬直"], candidates=["片頭痛", "細菌性髄膜炎"])
/// >>> [disease.query for disease in ranked]
/// ['細菌性髄膜炎', '片頭痛']
#[pyclass(frozen, module = "shorei")]
pub struct Knowledge {
    pub source: Source,
}

#[pymethods]
impl Knowledge {
    #[new]
    #[pyo3(signature = (*, dictionaries=Vec::new()))]
    fn new(py: Python<'_>, dictionaries: Vec<PathBuf>) -> PyResult<Self> {
        Ok(Knowledge {
            source: Source::load(py, dictionaries)?,
        })
    }

    /// What a disease, state or exposure leads to, most frequent first.
    ///
    /// ``label`` is in the notation of the guideline. Raises :class:`ShoreiValueError` (code
    /// ``unknown``) for a label that the dictionaries lack.
    fn effects(&self, label: &str) -> PyResult<Vec<Link>> {
        let key = self.key(label)?;
        Ok(links(self.source.get().knowledge().effects(key)))
    }

    /// What a finding, state or disease comes from, most frequent first.
    ///
    /// >>> "高カリウム血症" in [link.cause for link in shorei.Knowledge().causes("テント状T波")]
    /// True
    fn causes(&self, label: &str) -> PyResult<Vec<Link>> {
        let key = self.key(label)?;
        Ok(links(self.source.get().knowledge().causes(key)))
    }

    /// Ranks diseases by what findings say of them, best first.
    ///
    /// The findings are those of ``case`` (what the patient has, and what is said to be absent), whose
    /// patient's sex and age count as well, and those given in ``present`` and ``absent`` in the notation of the guideline. ``candidates``
    /// are names of diseases; without them every disease that the knowledge describes is a
    /// candidate, and the first ``top`` (by default 10) are given. The score is a sum of logarithms
    /// of likelihood ratios, and each finding's part is in ``contributions``.
    ///
    /// >>> case = nlp("【現病歴】発熱と頭痛があり、項部硬直を認めた。")
    /// >>> best = shorei.Knowledge().rank(case, candidates=["細菌性髄膜炎", "片頭痛"])[0]
    /// >>> best.label, best.contributions[0].log_ratio > 0
    /// ('細菌性髄膜炎', True)
    #[pyo3(signature = (case=None, candidates=None, *, present=Vec::new(), absent=Vec::new(), top=None))]
    fn rank(
        &self,
        py: Python<'_>,
        case: Option<&Case>,
        candidates: Option<Vec<String>>,
        present: Vec<String>,
        absent: Vec<String>,
        top: Option<usize>,
    ) -> PyResult<Vec<Ranking>> {
        let tables = self.source.get();
        let (mut there, mut missing) =
            case.map_or_else(Default::default, |case| findings_of_record(&case.record, tables));
        for (labels, keys) in [(present, &mut there), (absent, &mut missing)] {
            for label in labels {
                let key = self.key(&label)?;
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        missing.retain(|key| !there.contains(key));
        let limit = top.unwrap_or(if candidates.is_some() { usize::MAX } else { 10 });
        let asked: Vec<(String, Option<ConceptId>)> = match candidates {
            Some(names) => names
                .into_iter()
                .map(|name| {
                    let normal: String = name.nfkc().collect();
                    let id = tables.lookup_disease(&normal);
                    (name, id)
                })
                .collect(),
            None => tables
                .ids()
                .filter(|&id| {
                    tables.concept(id).kind.is_disease()
                        && tables.knowledge().effects(tables.condition_key(id)).next().is_some()
                })
                .map(|id| (tables.concept(id).label.clone(), Some(id)))
                .collect(),
        };
        let listed: Vec<ConceptId> = asked.iter().filter_map(|(_, id)| *id).collect();
        let patient = case.map_or_else(Patient::default, |case| shorei::Pipeline::patient(&case.record.text));
        let ranked = py.detach(|| tables.rank_for(patient, &there, &missing, &listed));
        let mut queries: Vec<(String, Option<ConceptId>)> = asked;
        let mut rankings = Vec::new();
        for disease in ranked.into_iter().take(limit) {
            let Some(at) = queries.iter().position(|(_, id)| *id == Some(disease.disease)) else {
                continue;
            };
            let (query, _) = queries.remove(at);
            let mut parts = disease.contributions;
            parts.sort_by(|a, b| b.log_ratio.abs().total_cmp(&a.log_ratio.abs()));
            let own = tables.condition_key(disease.disease);
            let contributions = parts
                .into_iter()
                .map(|part| {
                    let through = part
                        .through
                        .filter(|&through| through != own)
                        .map(|key| name(tables, key));
                    let contribution = Contribution {
                        finding: name(tables, part.finding),
                        present: part.present,
                        log_ratio: part.log_ratio,
                        through,
                    };
                    Py::new(py, contribution)
                })
                .collect::<PyResult<_>>()?;
            rankings.push(Ranking {
                query,
                label: Some(tables.concept(disease.disease).label.clone()),
                score: disease.score,
                patient: disease.patient,
                contributions,
            });
        }
        let unlisted = queries.into_iter().filter(|(_, id)| id.is_none());
        rankings.extend(
            unlisted
                .take(limit.saturating_sub(rankings.len()))
                .map(|(query, _)| Ranking {
                    query,
                    label: None,
                    score: f64::NEG_INFINITY,
                    patient: 0.0,
                    contributions: Vec::new(),
                }),
        );
        Ok(rankings)
    }

    /// The number of links.
    fn __len__(&self) -> usize {
        self.source.get().knowledge().len()
    }

    fn __repr__(&self) -> String {
        format!("<Knowledge: {} links>", self.__len__())
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (Vec<String>,))> {
        self.source.reduce(py, "_unpickle_knowledge")
    }
}

impl Knowledge {
    fn key(&self, label: &str) -> PyResult<Key> {
        let normal: String = label.nfkc().collect();
        let Ok(parsed) = normal.parse::<Label>();
        self.source.get().key(&parsed).ok_or_else(|| {
            exception(
                Class::Value,
                "unknown",
                format!("{label}: not in the dictionaries; Lexicon.lookup() tells which terms are"),
            )
        })
    }
}

fn links<'l>(facts: impl Iterator<Item = (Key, &'l Fact)>) -> Vec<Link> {
    let mut facts: Vec<&Fact> = facts.map(|(_, fact)| fact).collect();
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.frequency));
    facts.into_iter().map(Link::of).collect()
}

fn name(tables: &Tables, key: Key) -> String {
    match key {
        Key::Concept(id) => tables.concept(id).label.clone(),
        Key::Result(id, direction) => format!("{}/{}", tables.concept(id).label, direction.label()),
    }
}
