//! `nlp.pipe`: an iterator that structures ahead of its reader.

use std::collections::VecDeque;
use std::ffi::CString;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use shorei::export::CaseRecord;

use crate::case::Case;
use crate::errors::{Class, exception, invalid};
use crate::pipeline::{Engine, Failure};

/// Reports a thread in a chunk: enough that threads seldom wait for the slowest report, few enough
/// that the first case comes soon.
const CHUNK_REPORTS_PER_THREAD: usize = 16;
/// A chunk ends once it holds so many bytes of text.
const CHUNK_BYTES: usize = 4 << 20;
/// How often a waiting iterator looks for Ctrl-C.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// What happens to a report that cannot be structured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    Raise,
    Skip,
}

impl OnError {
    pub fn from_name(name: &str) -> PyResult<Self> {
        match name {
            "raise" => Ok(OnError::Raise),
            "skip" => Ok(OnError::Skip),
            _ => Err(invalid(format!("errors={name:?}: expected \"raise\" or \"skip\""))),
        }
    }

    /// Warns of a report that is left out.
    pub fn warn(py: Python<'_>, error: &PyErr) -> PyResult<()> {
        let message = format!("left out: {}", error.value(py));
        let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1)
    }
}

/// A pool of threads; by default as many as there are processors.
pub fn pool(n_threads: Option<usize>) -> PyResult<ThreadPool> {
    if n_threads == Some(0) {
        return Err(invalid(
            "n_threads=0: expected at least 1, or None for the number of processors",
        ));
    }
    ThreadPoolBuilder::new()
        .num_threads(n_threads.unwrap_or(0))
        .thread_name(|index| format!("shorei-{index}"))
        .build()
        .map_err(|error| exception(Class::General, "threads", error.to_string()))
}

type Outcome = Result<CaseRecord, Failure>;

struct State {
    input: Option<Py<PyIterator>>,
    /// What was wrong with the input, to be raised after the cases before it.
    broken: Option<PyErr>,
    /// The chunk that the pool works on.
    running: Option<Receiver<Vec<Outcome>>>,
    ready: VecDeque<Outcome>,
}

/// Cases in the order of their texts; what :meth:`Pipeline.pipe` gives.
#[pyclass(frozen, module = "shorei")]
pub struct CaseIterator {
    engine: Arc<Engine>,
    pool: Arc<ThreadPool>,
    on_error: OnError,
    /// Threads do not survive a fork: the iterator belongs to the process that made it.
    process: u32,
    state: Mutex<State>,
}

impl CaseIterator {
    pub fn new(
        engine: Arc<Engine>,
        input: Py<PyIterator>,
        n_threads: Option<usize>,
        on_error: OnError,
    ) -> PyResult<Self> {
        Ok(CaseIterator {
            engine,
            pool: Arc::new(pool(n_threads)?),
            on_error,
            process: std::process::id(),
            state: Mutex::new(State {
                input: Some(input),
                broken: None,
                running: None,
                ready: VecDeque::new(),
            }),
        })
    }

    /// Reads the next chunk and hands it to the pool.
    fn start(&self, py: Python<'_>, state: &mut State) {
        let Some(input) = &state.input else { return };
        let input = input.clone_ref(py);
        let mut input = input.into_bound(py);
        let mut chunk: Vec<(String, String)> = Vec::new();
        let mut bytes = 0;
        let chunk_reports = CHUNK_REPORTS_PER_THREAD * self.pool.current_num_threads();
        while chunk.len() < chunk_reports && bytes < CHUNK_BYTES {
            match input.next().map(|item| item.and_then(|item| report(&item))) {
                Some(Ok(report)) => {
                    bytes += report.1.len();
                    chunk.push(report);
                }
                Some(Err(error)) => {
                    state.broken = Some(error);
                    break;
                }
                None => {
                    state.input = None;
                    break;
                }
            }
        }
        if chunk.is_empty() {
            return;
        }
        let (sender, receiver) = sync_channel(1);
        let engine = self.engine.clone();
        self.pool.spawn(move || {
            let cases = chunk.par_iter().map(|(id, text)| engine.record(id, text)).collect();
            // Nobody listens once the iterator is dropped.
            let _ = sender.send(cases);
        });
        state.running = Some(receiver);
    }

    fn next_outcome(&self, py: Python<'_>, state: &mut State) -> PyResult<Option<Outcome>> {
        loop {
            if let Some(outcome) = state.ready.pop_front() {
                return Ok(Some(outcome));
            }
            if state.running.is_none() && state.broken.is_none() {
                self.start(py, state);
            }
            let Some(receiver) = state.running.take() else {
                return match state.broken.take() {
                    Some(error) => Err(error),
                    None => Ok(None),
                };
            };
            match wait(py, receiver) {
                Ok(cases) => state.ready = cases.into(),
                Err((receiver, error)) => {
                    // Interrupted: the chunk is not lost.
                    state.running = receiver;
                    return Err(error);
                }
            }
            // The next chunk is worked on while this one is read.
            if state.broken.is_none() {
                self.start(py, state);
            }
        }
    }
}

type Interrupted = (Option<Receiver<Vec<Outcome>>>, PyErr);

fn wait(py: Python<'_>, mut receiver: Receiver<Vec<Outcome>>) -> Result<Vec<Outcome>, Interrupted> {
    loop {
        let (back, received) = py.detach(move || {
            let received = receiver.recv_timeout(SIGNAL_INTERVAL);
            (receiver, received)
        });
        match received {
            Ok(cases) => return Ok(cases),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = py.check_signals() {
                    return Err((Some(back), error));
                }
                receiver = back;
            }
            Err(RecvTimeoutError::Disconnected) => {
                let error = exception(Class::General, "internal", "a thread of the pool ended early".into());
                return Err((None, error));
            }
        }
    }
}

/// A report: a text, a pair, or a dictionary.
fn report(item: &Bound<'_, PyAny>) -> PyResult<(String, String)> {
    let text = |value: &Bound<'_, PyAny>, what: &str| -> PyResult<String> {
        let text = value
            .cast::<PyString>()
            .map_err(|_| wrong(value, &format!("a string as {what}")))?;
        // Python's own error would quote the text.
        text.to_str().map(str::to_owned).map_err(|_| {
            exception(
                Class::Value,
                "not-utf8",
                "a text holds lone surrogates; decode it as UTF-8 first".into(),
            )
        })
    };
    if item.is_instance_of::<PyString>() {
        return Ok((String::new(), text(item, "text")?));
    }
    if let Ok(record) = item.cast::<PyDict>() {
        let get = |key: &str| {
            record
                .get_item(key)?
                .ok_or_else(|| invalid(format!("a report without `{key}`; expected `id` and `text`")))
        };
        return Ok((text(&get("id")?, "id")?, text(&get("text")?, "text")?));
    }
    let pair: (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract().map_err(|_| {
        wrong(
            item,
            "a string, a pair (id, text), or a dictionary with `id` and `text`",
        )
    })?;
    Ok((text(&pair.0, "id")?, text(&pair.1, "text")?))
}

fn wrong(value: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let found = value
        .get_type()
        .name()
        .map_or_else(|_| "?".to_owned(), |name| name.to_string());
    invalid(format!("expected {expected}, found {found}"))
}

#[pymethods]
impl CaseIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Case>> {
        if std::process::id() != self.process {
            return Err(exception(
                Class::General,
                "forked",
                "this iterator belongs to the process that called pipe(); call pipe() again here".into(),
            ));
        }
        // Two threads may share an iterator only one after the other, as with a generator.
        let Ok(mut state) = self.state.try_lock() else {
            return Err(invalid("the iterator is in use by another thread"));
        };
        loop {
            match self.next_outcome(py, &mut state)? {
                None => return Ok(None),
                Some(Ok(record)) => {
                    return Ok(Some(Case {
                        record: Arc::new(record),
                    }));
                }
                Some(Err(failure)) => {
                    let error = failure.exception();
                    match self.on_error {
                        OnError::Raise => return Err(error),
                        OnError::Skip => OnError::warn(py, &error)?,
                    }
                }
            }
        }
    }
}
