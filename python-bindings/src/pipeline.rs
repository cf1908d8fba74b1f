//! `Pipeline`: reports → cases.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use shorei::export::CaseRecord;
use shorei::lexicon::Lexicon as Tables;
use shorei::lexicon::pack::Pack;

use crate::arrow::{Table, table_of};
use crate::case::Case;
use crate::errors::{Class, exception, from_error, invalid};
use crate::knowledge::{Knowledge, Lexicon, Source};
use crate::stream::{CaseIterator, OnError};

/// What a pipeline is made of: what pickles in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    pub dictionaries: Vec<PathBuf>,
    /// True for the built-in transformer.
    pub built_in_model: bool,
    /// A transformer's folder.
    pub model: Option<PathBuf>,
    pub arranger: Option<PathBuf>,
}

impl Config {
    /// What tells runs with these models from others.
    pub fn settings(&self) -> String {
        format!("{} {:?} {:?}", self.built_in_model, self.model, self.arranger)
    }

    pub fn packs(&self) -> Result<Vec<Pack>, shorei::Error> {
        self.dictionaries.iter().map(|path| Pack::load(path)).collect()
    }
}

/// A loaded pipeline with its configuration.
pub struct Engine {
    pub config: Config,
    pub pipeline: shorei::Pipeline,
}

impl Engine {
    pub fn load(config: Config) -> Result<Arc<Self>, shorei::Error> {
        let mut builder = shorei::Pipeline::builder();
        if config.built_in_model {
            builder = builder.built_in_model();
        }
        if let Some(folder) = &config.model {
            builder = builder.model(folder);
        }
        if let Some(folder) = &config.arranger {
            builder = builder.arranger(folder);
        }
        let pipeline = builder.load()?.with_dictionaries(config.packs()?)?;
        Ok(Arc::new(Engine { config, pipeline }))
    }

    /// The record of one report. A panic is an error of this report, not of the caller.
    pub fn record(&self, id: &str, text: &str) -> Result<CaseRecord, Failure> {
        let structured = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let case = self.pipeline.structure(id, text)?;
            Ok(CaseRecord::new(&case, self.pipeline.lexicon()))
        }));
        structured.unwrap_or_else(|_| Err(Failure::Panic(id.to_owned())))
    }
}

/// Why a report has no case.
pub enum Failure {
    Library(shorei::Error),
    /// A fault of shorei; the report's id.
    Panic(String),
}

impl From<shorei::Error> for Failure {
    fn from(error: shorei::Error) -> Self {
        Failure::Library(error)
    }
}

impl Failure {
    pub fn exception(&self) -> PyErr {
        match self {
            Failure::Library(error) => from_error(error),
            Failure::Panic(id) => exception(
                Class::General,
                "internal",
                format!("{id}: a fault of shorei itself; please report it with the report's structure, not its text"),
            ),
        }
    }
}

/// The pipeline that was unpickled last: a worker process that unpickles one for every task loads it
/// once.
static UNPICKLED: Mutex<Option<Arc<Engine>>> = Mutex::new(None);

/// Reports → cases. Everything it needs is in the package; no file and no network is touched.
///
/// ``dictionaries`` are packs made by ``shorei dictionary build``, each over those before it;
/// ``model=True`` puts the built-in transformer beside the dictionaries, at some ten times the time; a
/// folder is a Hugging Face token classifier of your own.
/// ``arranger`` is a folder with classifiers of your own training. Loading takes a quarter of a
/// second; make one pipeline and keep it. It may be shared by threads, and pickles as its
/// configuration, so that processes, Spark and Ray load their own.
///
/// >>> nlp = shorei.Pipeline()
/// >>> case = nlp("【主訴】発熱 【診断】肺炎と診断した。", id="症例1")
/// >>> case.id, case.primary
/// ('症例1', '肺炎')
#[pyclass(frozen, module = "shorei")]
pub struct Pipeline {
    pub engine: Arc<Engine>,
}

#[pymethods]
impl Pipeline {
    #[new]
    #[pyo3(signature = (*, dictionaries=Vec::new(), model=None, arranger=None))]
    fn new(
        py: Python<'_>,
        dictionaries: Vec<PathBuf>,
        model: Option<Bound<'_, PyAny>>,
        arranger: Option<PathBuf>,
    ) -> PyResult<Self> {
        let switch = model.as_ref().and_then(|model| model.extract::<bool>().ok());
        let config = Config {
            dictionaries,
            built_in_model: switch.unwrap_or(false),
            model: match model {
                Some(model) if switch.is_none() => Some(model.extract()?),
                _ => None,
            },
            arranger,
        };
        let engine = py.detach(|| Engine::load(config)).map_err(|error| from_error(&error))?;
        Ok(Pipeline { engine })
    }

    /// Structures one report.
    ///
    /// Raises :class:`ShoreiValueError` (code ``too-long``) beyond 1 MiB; any shorter text gives a
    /// case, if need be with an empty map.
    #[pyo3(signature = (text, *, id=""))]
    fn __call__(&self, py: Python<'_>, text: &str, id: &str) -> PyResult<Case> {
        let record = py
            .detach(|| self.engine.record(id, text))
            .map_err(|failure| failure.exception())?;
        Ok(Case {
            record: Arc::new(record),
        })
    }

    /// Structures many reports, on several threads, in their order.
    ///
    /// ``texts`` is any iterable of strings, of ``(id, text)`` pairs, or of dictionaries with
    /// ``id`` and ``text``; it is read as the cases are taken, so that memory does not grow with it.
    /// ``n_threads`` is by default the number of processors, ``progress`` shows a bar with the rate
    /// (with tqdm). ``errors`` says what happens to a report that cannot be structured: ``"raise"``
    /// raises (the iterator may be taken up again after it), ``"skip"`` warns with its id and goes
    /// on.
    ///
    /// >>> [case.primary for case in nlp.pipe(["【診断】肺炎。", "【診断】急性膵炎。"])]
    /// ['肺炎', '急性膵炎']
    #[pyo3(signature = (texts, *, progress=false, n_threads=None, errors="raise"))]
    fn pipe<'py>(
        &self,
        py: Python<'py>,
        texts: &Bound<'py, PyAny>,
        progress: bool,
        n_threads: Option<usize>,
        errors: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        if texts.is_instance_of::<pyo3::types::PyString>() {
            return Err(invalid("pipe() takes many texts; call the pipeline itself for one"));
        }
        let on_error = OnError::from_name(errors)?;
        let cases = CaseIterator::new(self.engine.clone(), texts.try_iter()?.unbind(), n_threads, on_error)?;
        let cases = Bound::new(py, cases)?.into_any();
        if !progress {
            return Ok(cases);
        }
        let total = texts.len().ok();
        py.import("shorei._progress")?.call_method1("bar", (cases, total))
    }

    /// Structures a column of texts into a table, without a Python object a row.
    ///
    /// ``texts`` is anything that hands out Arrow data (``__arrow_c_stream__`` or
    /// ``__arrow_c_array__``: a column or table of pyarrow, polars, pandas, DuckDB): a column of
    /// strings, or a table whose columns ``text_column`` and, where there is one, ``id_column`` are
    /// taken. A report's id is by default the number of its row, from 0. A null gives no row.
    /// ``level`` is ``"case"``, ``"mention"`` or ``"edge"``.
    ///
    /// >>> import pyarrow
    /// >>> table = nlp.table(pyarrow.array(["【診断】肺炎。", "【診断】急性膵炎。"]), level="case")
    /// >>> pyarrow.table(table)["primary"].to_pylist()
    /// ['肺炎', '急性膵炎']
    #[pyo3(signature = (texts, *, level="case", text_column="text", id_column="id", n_threads=None, errors="raise"))]
    #[allow(clippy::too_many_arguments)]
    fn table(
        &self,
        py: Python<'_>,
        texts: &Bound<'_, PyAny>,
        level: &str,
        text_column: &str,
        id_column: &str,
        n_threads: Option<usize>,
        errors: &str,
    ) -> PyResult<Table> {
        table_of(
            py,
            &self.engine,
            texts,
            level,
            (text_column, id_column),
            n_threads,
            OnError::from_name(errors)?,
        )
    }

    /// The dictionaries of this pipeline.
    #[getter]
    fn lexicon(&self) -> Lexicon {
        Lexicon {
            source: Source::Pipeline(self.engine.clone()),
        }
    }

    /// The knowledge of this pipeline.
    #[getter]
    fn knowledge(&self) -> Knowledge {
        Knowledge {
            source: Source::Pipeline(self.engine.clone()),
        }
    }

    fn __repr__(&self) -> String {
        let config = &self.engine.config;
        let mut parts = Vec::new();
        if !config.dictionaries.is_empty() {
            parts.push(format!("dictionaries={:?}", config.dictionaries));
        }
        if config.built_in_model {
            parts.push("model=True".to_owned());
        }
        if let Some(folder) = &config.model {
            parts.push(format!("model={folder:?}"));
        }
        if let Some(folder) = &config.arranger {
            parts.push(format!("arranger={folder:?}"));
        }
        format!("Pipeline({})", parts.join(", "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let function = py.import("shorei._shorei")?.getattr("_unpickle_pipeline")?;
        let config = &self.engine.config;
        let arguments = (
            paths(&config.dictionaries)?,
            config.built_in_model,
            config.model.as_deref().map(path_text).transpose()?,
            config.arranger.as_deref().map(path_text).transpose()?,
        );
        Ok((function, arguments.into_pyobject(py)?))
    }
}

/// An absolute path as text, so that a process with another working directory finds it.
pub fn path_text(path: &std::path::Path) -> PyResult<String> {
    let path = std::path::absolute(path).map_err(|error| invalid(error.to_string()))?;
    path.to_str().map(str::to_owned).ok_or_else(|| {
        invalid(format!(
            "{}: a path that is not UTF-8 cannot be pickled",
            path.display()
        ))
    })
}

/// Absolute paths as texts.
pub fn paths(paths: &[PathBuf]) -> PyResult<Vec<String>> {
    paths.iter().map(|path| path_text(path)).collect()
}

/// A pipeline from its configuration: how it unpickles.
#[pyfunction]
#[pyo3(name = "_unpickle_pipeline")]
pub fn unpickle_pipeline(
    py: Python<'_>,
    dictionaries: Vec<PathBuf>,
    built_in_model: bool,
    model: Option<PathBuf>,
    arranger: Option<PathBuf>,
) -> PyResult<Pipeline> {
    let config = Config {
        dictionaries,
        built_in_model,
        model,
        arranger,
    };
    let known = UNPICKLED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(engine) = known.filter(|engine| engine.config == config) {
        return Ok(Pipeline { engine });
    }
    let engine = py.detach(|| Engine::load(config)).map_err(|error| from_error(&error))?;
    *UNPICKLED.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine.clone());
    Ok(Pipeline { engine })
}

/// The dictionaries with packs.
pub fn tables(config: &Config) -> Result<Arc<Tables>, shorei::Error> {
    Ok(Arc::new(Tables::load_default()?.layered(config.packs()?)?))
}

/// A lexicon from its configuration: how it unpickles.
#[pyfunction]
#[pyo3(name = "_unpickle_lexicon")]
pub fn unpickle_lexicon(py: Python<'_>, dictionaries: Vec<PathBuf>) -> PyResult<Lexicon> {
    Ok(Lexicon {
        source: Source::load(py, dictionaries)?,
    })
}

/// Knowledge from its configuration: how it unpickles.
#[pyfunction]
#[pyo3(name = "_unpickle_knowledge")]
pub fn unpickle_knowledge(py: Python<'_>, dictionaries: Vec<PathBuf>) -> PyResult<Knowledge> {
    Ok(Knowledge {
        source: Source::load(py, dictionaries)?,
    })
}
