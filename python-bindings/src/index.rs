//! `CaseIndex`: cases on disk. What is found among them is `search.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rayon::prelude::*;
use shorei::export::{CaseRecord, from_json};
use shorei::search::{self as library, AggregatedGraph, Entry, Query};
use shorei::types::CaseMap;

use crate::arrow::Table;
use crate::case::Case;
use crate::errors::{Class, exception, from_error, guarded, invalid};
use crate::pipeline::{Config, Engine, Pipeline, path_text};
use crate::search::{Columns, SearchResult, lists};
use crate::stream::pool;
use shorei::search::findings_of_record;

/// Cases that are read of the input before they go into the index together.
const CHUNK_CASES: usize = 256;

/// Cases on disk, to be asked with findings: which diseases explain them, and which cases are alike.
///
/// The index is a folder, the same that ``shorei index`` and ``shorei search`` work on. Any number
/// of readers and one writer may have it open at a time. ``pipeline`` reads queries and the reports of
/// cases; give it the one that made the cases, so that it is loaded once and dictionaries of your own
/// are known here as well. An index pickles as its path.
///
/// >>> import pathlib, tempfile
/// >>> path = pathlib.Path(tempfile.mkdtemp()) / "cases.index"
/// >>> index = shorei.CaseIndex.create(path, pipeline=nlp)
/// >>> index.add(nlp.pipe([("1", "発熱と発疹があり、刺し口を認めた。ツツガムシ病と診断した。"),
/// ...                     ("2", "右下腹部痛と発熱があり、急性虫垂炎と診断した。")]))
/// 2
/// >>> found = index.search("発熱 発疹 刺し口 -腹痛")
/// >>> found.to_arrow().to_pydict()["disease"][0]
/// 'ツツガムシ病'
#[pyclass(frozen, module = "shorei")]
pub struct CaseIndex {
    index: Arc<library::CaseIndex>,
    engine: Arc<Engine>,
    path: PathBuf,
}

/// How many cases an index has, and how large it is.
///
/// See :meth:`CaseIndex.info`.
#[pyclass(frozen, get_all, module = "shorei")]
pub struct IndexInfo {
    /// Cases that can be found.
    cases: u64,
    /// Different primary diseases of theirs.
    diseases: usize,
    /// Cases without a primary disease.
    without_primary: u64,
    /// Parts that the index consists of.
    segments: usize,
    /// Size on disk in bytes.
    bytes: u64,
    /// Version of the index's format.
    format: u32,
}

#[pymethods]
impl IndexInfo {
    fn __repr__(&self) -> String {
        format!(
            "<IndexInfo: {} cases, {} diseases, {} bytes in {} segments>",
            self.cases, self.diseases, self.bytes, self.segments
        )
    }
}

/// A case on its way into the index.
enum Item {
    Case(Arc<CaseRecord>),
    /// A record without a report, as JSON.
    Json(String),
}

impl Item {
    fn of(item: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(case) = item.cast::<Case>() {
            return Ok(Item::Case(case.get().record.clone()));
        }
        if item.cast::<PyDict>().is_ok() {
            let json = item.py().import("json")?.call_method1("dumps", (item,))?;
            return Ok(Item::Json(json.extract()?));
        }
        let found = item.get_type().name()?;
        Err(invalid(format!(
            "expected cases, or dictionaries with `id`, `primary` and `causal_tree`; found {found}"
        )))
    }

    fn entry(&self, engine: &Engine) -> Result<Entry, String> {
        let lexicon = engine.pipeline.lexicon();
        match self {
            Item::Json(json) => Entry::of_json(json, lexicon),
            Item::Case(record) => {
                let json = serde_json::to_string(record.as_ref()).map_err(|error| error.to_string())?;
                let mut entry = Entry::of_json(&json, lexicon)?;
                entry.add_text(&record.text, &engine.pipeline);
                Ok(entry)
            }
        }
    }
}

impl CaseIndex {
    fn new(
        py: Python<'_>,
        path: PathBuf,
        pipeline: Option<&Pipeline>,
        make: impl Send + FnOnce(&Path, &Engine) -> Result<library::CaseIndex, shorei::Error>,
    ) -> PyResult<Self> {
        let known = pipeline.map(|pipeline| pipeline.engine.clone());
        let made = py.detach(|| {
            let engine = known.map_or_else(|| Engine::load(Config::default()), Ok)?;
            Ok((Arc::new(make(&path, &engine)?), engine))
        });
        let (index, engine) = made.map_err(|error| from_error(&error))?;
        Ok(CaseIndex { index, engine, path })
    }

    /// Work on the index: with the interpreter detached, on threads of its own, since the shared ones
    /// do not survive a fork.
    fn work<T: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&library::CaseIndex) -> Result<T, shorei::Error>,
    ) -> PyResult<T> {
        let pool = pool(None)?;
        guarded(|| {
            py.detach(|| pool.install(|| work(&self.index)))
                .map_err(|error| from_error(&error))
        })
    }
}

#[pymethods]
impl CaseIndex {
    /// Makes an empty index. The folder must not be there.
    #[staticmethod]
    #[pyo3(signature = (path, *, pipeline=None))]
    fn create(py: Python<'_>, path: PathBuf, pipeline: Option<&Pipeline>) -> PyResult<Self> {
        Self::new(py, path, pipeline, |path, engine| {
            library::CaseIndex::create(path, engine.pipeline.shared_lexicon())
        })
    }

    /// Opens an index.
    ///
    /// Raises :class:`FileNotFoundError` where there is none, and :class:`OSError` for what is no
    /// index, or one of another version.
    #[staticmethod]
    #[pyo3(signature = (path, *, pipeline=None))]
    fn open(py: Python<'_>, path: PathBuf, pipeline: Option<&Pipeline>) -> PyResult<Self> {
        Self::new(py, path, pipeline, |path, engine| {
            library::CaseIndex::open(path, engine.pipeline.shared_lexicon())
        })
    }

    /// The index's folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Adds cases; gives how many.
    ///
    /// ``cases`` is a case or any iterable of cases, such as what :meth:`Pipeline.pipe` gives; it is
    /// read as the index is written, so that memory does not grow with it. Records without a
    /// report may be added too, as dictionaries with ``id``, ``primary`` and ``causal_tree`` and,
    /// where known, ``absent``, ``suspected``, ``present``, ``drugs`` (lists of labels), ``sex``
    /// (``"M"`` or ``"F"``), ``age`` and ``specialty``. A case takes the place of one with its id.
    /// Adding is all or nothing, but for a commit every 50,000 cases: after an exception the index is
    /// what it was.
    #[pyo3(signature = (cases, *, n_threads=None))]
    fn add(&self, py: Python<'_>, cases: &Bound<'_, PyAny>, n_threads: Option<usize>) -> PyResult<usize> {
        let pool = pool(n_threads)?;
        let is_one = cases.is_instance_of::<Case>() || cases.is_instance_of::<PyDict>();
        let mut single = is_one.then(|| cases.clone());
        let mut many = if is_one { None } else { Some(cases.try_iter()?) };
        let mut next = || match &mut many {
            Some(many) => many.next(),
            None => single.take().map(Ok),
        };
        let mut writer = self.index.writer().map_err(|error| from_error(&error))?;
        let mut place = 0;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_CASES);
            while chunk.len() < CHUNK_CASES
                && let Some(item) = next()
            {
                chunk.push(Item::of(&item?)?);
            }
            if chunk.is_empty() {
                break;
            }
            guarded(|| {
                let entries: Vec<Result<Entry, String>> =
                    py.detach(|| pool.install(|| chunk.par_iter().map(|item| item.entry(&self.engine)).collect()));
                for entry in entries {
                    let entry = entry.map_err(|reason| invalid(format!("the case at place {place}: {reason}")))?;
                    py.detach(|| writer.add(&entry)).map_err(|error| from_error(&error))?;
                    place += 1;
                }
                Ok(())
            })?;
            py.check_signals()?;
        }
        guarded(|| py.detach(|| writer.commit()).map_err(|error| from_error(&error)))
    }

    /// Removes the cases of these ids; gives how many there were. ``ids`` is an id or an iterable of
    /// ids.
    fn remove(&self, py: Python<'_>, ids: &Bound<'_, PyAny>) -> PyResult<usize> {
        let ids: Vec<String> = if ids.is_instance_of::<PyString>() {
            vec![ids.extract()?]
        } else {
            ids.try_iter()?
                .map(|id| id.and_then(|id| id.extract()))
                .collect::<PyResult<_>>()?
        };
        self.work(py, |index| {
            let mut writer = index.writer()?;
            let mut known: Vec<&String> = Vec::new();
            for id in &ids {
                if !known.contains(&id) && index.case(id)?.is_some() {
                    writer.remove(id);
                    known.push(id);
                }
            }
            writer.commit()?;
            Ok(known.len())
        })
    }

    /// How many cases it has, and how large it is.
    fn info(&self, py: Python<'_>) -> PyResult<IndexInfo> {
        let info = self.work(py, library::CaseIndex::info)?;
        Ok(IndexInfo {
            cases: info.cases,
            diseases: info.diseases,
            without_primary: info.without_primary,
            segments: info.segments,
            bytes: info.bytes,
            format: info.format,
        })
    }

    /// Reads every file and compares its checksum; gives the names of damaged files.
    fn damaged(&self, py: Python<'_>) -> PyResult<Vec<PathBuf>> {
        self.work(py, library::CaseIndex::damaged)
    }

    /// Sees what others have added or removed since it was opened.
    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        self.work(py, library::CaseIndex::refresh)
    }

    /// Which diseases explain the findings, and which cases have them.
    ///
    /// ``query`` is a case, the words of a report (``"3日前からの発熱、血小板減少、腹痛はない"``), or terms
    /// with spaces between them: ``発熱``, ``血小板/低下``, ``-腹痛`` (absent), ``disease:肺炎``,
    /// ``specialty:血液``, ``cause:喫煙``, ``drug:メトホルミン``, ``sex:女``, ``age:60-``, ``肺癌>SIADH``.
    /// At most ``limit`` diseases and ``limit`` cases are given.
    ///
    /// Raises :class:`ShoreiValueError` (code ``query``) for a query that asks for nothing.
    #[pyo3(signature = (query, *, limit=20))]
    fn search(&self, py: Python<'_>, query: &Bound<'_, PyAny>, limit: usize) -> PyResult<SearchResult> {
        let query = if let Ok(case) = query.cast::<Case>() {
            let lexicon = self.engine.pipeline.lexicon();
            let (present, absent) = findings_of_record(&case.get().record, lexicon);
            Query::of_keys(&present, &absent, lexicon)
        } else {
            let text: String = query
                .extract()
                .map_err(|_| invalid("a query is a text or a case".to_owned()))?;
            self.work(py, |_| Query::parse(&text, &self.engine.pipeline))?
        };
        let (diseases, cases) = self.work(py, |index| {
            Ok((index.diseases(&query, limit)?, index.cases(&query, limit)?))
        })?;
        Ok(SearchResult::new(&query, diseases, cases, None))
    }

    /// The like of a case of the index, which is itself left out: the cases with a similar map, and
    /// the diseases that explain its findings, its own diagnosis hidden.
    ///
    /// Raises :class:`KeyError` for an id that the index does not have.
    #[pyo3(signature = (case_id, *, limit=20))]
    fn like(&self, py: Python<'_>, case_id: &str, limit: usize) -> PyResult<SearchResult> {
        let found = self.work(py, |index| {
            let Some(entry) = index.case(case_id)? else {
                return Ok(None);
            };
            let lexicon = self.engine.pipeline.lexicon();
            let hidden = Query::like(&entry, true, lexicon);
            let diseases = index.diseases(&hidden, limit)?;
            let cases = index.cases(&Query::like(&entry, false, lexicon), limit)?;
            Ok(Some((hidden, diseases, cases)))
        })?;
        let (query, diseases, cases) =
            found.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(case_id.to_owned()))?;
        Ok(SearchResult::new(&query, diseases, cases, Some(case_id.to_owned())))
    }

    /// The case of this id as it was added; ``None`` where there is none. A record without a report
    /// gives a case with an empty text.
    fn get(&self, py: Python<'_>, case_id: &str) -> PyResult<Option<Case>> {
        let Some(entry) = self.work(py, |index| index.case(case_id))? else {
            return Ok(None);
        };
        guarded(|| {
            let record = match from_json(&entry.json) {
                Ok(record) => record,
                Err(_) => CaseRecord {
                    id: entry.id.clone(),
                    primary: entry.primary.clone(),
                    ..CaseRecord::of_tree(&CaseMap::to_tree(&entry.map))
                        .map_err(|error| exception(Class::Value, "tree", error.to_string()))?
                },
            };
            Ok(Some(Case {
                record: Arc::new(record),
            }))
        })
    }

    /// All maps as one graph: what led to what, in how many cases.
    ///
    /// Links that fewer than ``min_cases`` cases have are left out; ``support`` is how many ids of
    /// cases each link names.
    #[pyo3(signature = (*, min_cases=1, support=3))]
    fn aggregate(&self, py: Python<'_>, min_cases: u64, support: usize) -> PyResult<CaseGraph> {
        let graph = self.work(py, |index| index.aggregate(min_cases, support))?;
        Ok(CaseGraph { graph })
    }

    fn __contains__(&self, py: Python<'_>, case_id: &str) -> PyResult<bool> {
        Ok(self.work(py, |index| index.case(case_id))?.is_some())
    }

    /// The number of cases.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let cases = self.work(py, library::CaseIndex::info)?.cases;
        Ok(usize::try_from(cases).unwrap_or(usize::MAX))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "<CaseIndex {}: {} cases>",
            self.path.display(),
            self.__len__(py)?
        ))
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (String, Pipeline))> {
        let function = py.import("shorei._shorei")?.getattr("_unpickle_index")?.unbind();
        let pipeline = Pipeline {
            engine: self.engine.clone(),
        };
        Ok((function, (path_text(&self.path)?, pipeline)))
    }
}

/// An index from its path: how it unpickles.
#[pyfunction]
#[pyo3(name = "_unpickle_index")]
pub fn unpickle_index(py: Python<'_>, path: PathBuf, pipeline: &Pipeline) -> PyResult<CaseIndex> {
    CaseIndex::open(py, path, Some(pipeline))
}

/// The maps of many cases as one graph.
///
/// >>> import pathlib, tempfile
/// >>> index = shorei.CaseIndex.create(pathlib.Path(tempfile.mkdtemp()) / "cases.index", pipeline=nlp)
/// >>> index.add({"id": str(number), "primary": "肺炎", "causal_tree": "-肺炎\n  -発熱\n"} for number in range(3))
/// 3
/// >>> graph = index.aggregate(min_cases=2)
/// >>> graph.to_networkx().edges["肺炎", "発熱"]["cases"]
/// 3
#[pyclass(frozen, module = "shorei")]
pub struct CaseGraph {
    graph: AggregatedGraph,
}

#[pymethods]
impl CaseGraph {
    /// Cases of the index.
    #[getter]
    fn cases(&self) -> u64 {
        self.graph.cases
    }

    /// The links as a table: ``cause``, ``effect``, ``relation``, ``frequency``, ``cases`` (that have
    /// the link), ``cause_cases``, ``effect_cases``, ``lift`` (how many times as often as by chance)
    /// and ``support`` (ids of cases that have it).
    fn to_arrow(&self) -> PyResult<Table> {
        let (mut cause, mut effect, mut relation, mut frequency) = (
            StringBuilder::new(),
            StringBuilder::new(),
            StringBuilder::new(),
            StringBuilder::new(),
        );
        let (mut cases, mut of_cause, mut of_effect) = (Int64Builder::new(), Int64Builder::new(), Int64Builder::new());
        let mut lift = Float64Builder::new();
        for link in &self.graph.links {
            cause.append_value(&link.cause);
            effect.append_value(&link.effect);
            relation.append_value(link.relation.name());
            frequency.append_value(link.frequency().name());
            for (column, count) in [
                (&mut cases, link.cases),
                (&mut of_cause, link.cause_cases),
                (&mut of_effect, link.effect_cases),
            ] {
                column.append_value(i64::try_from(count).unwrap_or(i64::MAX));
            }
            lift.append_value(link.lift);
        }
        let support = lists(self.graph.links.iter().map(|link| link.support.iter()));
        Columns::default()
            .with("cause", cause.finish())
            .with("effect", effect.finish())
            .with("relation", relation.finish())
            .with("frequency", frequency.finish())
            .with("cases", cases.finish())
            .with("cause_cases", of_cause.finish())
            .with("effect_cases", of_effect.finish())
            .with("lift", lift.finish())
            .with("support", support)
            .table()
    }

    /// The links as a pandas data frame; see :meth:`to_arrow`.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("shorei._tables")?
            .call_method1("to_pandas", (self.to_arrow()?,))
    }

    /// The links as a polars data frame; see :meth:`to_arrow`.
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("shorei._tables")?
            .call_method1("to_polars", (self.to_arrow()?,))
    }

    /// The graph as a ``networkx.DiGraph``: nodes are labels, with ``cases``; edges have ``cases``,
    /// ``relation``, ``lift`` and ``support``.
    ///
    /// Needs networkx.
    fn to_networkx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = py.import("networkx")?.call_method0("DiGraph")?;
        for link in &self.graph.links {
            for (label, cases) in [(&link.cause, link.cause_cases), (&link.effect, link.effect_cases)] {
                let attributes = PyDict::new(py);
                attributes.set_item("cases", cases)?;
                graph.call_method("add_node", (label,), Some(&attributes))?;
            }
            let attributes = PyDict::new(py);
            attributes.set_item("cases", link.cases)?;
            attributes.set_item("relation", link.relation.name())?;
            attributes.set_item("lift", link.lift)?;
            attributes.set_item("support", &link.support)?;
            graph.call_method("add_edge", (&link.cause, &link.effect), Some(&attributes))?;
        }
        Ok(graph)
    }

    /// GraphML, which Gephi, Cytoscape, networkx and yEd read.
    fn to_graphml(&self) -> String {
        self.graph.to_graphml()
    }

    /// The links as tab-separated values; ``shorei search --knowledge`` takes them.
    fn to_tsv(&self) -> String {
        self.graph.to_tsv()
    }

    /// The number of links.
    fn __len__(&self) -> usize {
        self.graph.links.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "<CaseGraph: {} links of {} cases>",
            self.graph.links.len(),
            self.graph.cases
        )
    }
}
