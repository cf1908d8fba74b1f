//! `batch`: reports from file to file.

use std::ops::ControlFlow;
use std::path::PathBuf;

use pyo3::prelude::*;
use shorei::batch::{Job, run};

use crate::errors::{from_error, invalid};
use crate::pipeline::Pipeline;

/// Structures the reports of a file; gives reports, failed ones, those of earlier runs, and the path
/// of the errors file. `observe` is called with reports, those before, and the part that is done.
#[pyfunction]
#[pyo3(name = "_run_batch")]
#[pyo3(signature = (pipeline, input, output, *, n_threads, resume, observe, id_field, text_field))]
#[allow(clippy::too_many_arguments)]
pub fn run_batch(
    py: Python<'_>,
    pipeline: &Pipeline,
    input: PathBuf,
    output: PathBuf,
    n_threads: Option<usize>,
    resume: bool,
    observe: Option<Py<PyAny>>,
    id_field: String,
    text_field: String,
) -> PyResult<(u64, u64, u64, PathBuf)> {
    if n_threads == Some(0) {
        return Err(invalid(
            "n_threads=0: expected at least 1, or None for the number of processors",
        ));
    }
    let engine = pipeline.engine.clone();
    let job = Job {
        threads: n_threads,
        resume,
        id_field,
        text_field,
        settings: engine.config.settings(),
        ..Job::new(input, output)
    };
    let mut interrupted: Option<PyErr> = None;
    let outcome = py.detach(|| {
        run(&engine.pipeline, &job, &mut |progress| {
            let told = Python::attach(|py| {
                py.check_signals()?;
                match &observe {
                    Some(observe) => observe
                        .call1(py, (progress.reports, progress.before, progress.fraction))
                        .map(drop),
                    None => Ok(()),
                }
            });
            match told {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    interrupted.get_or_insert(error);
                    ControlFlow::Break(())
                }
            }
        })
    });
    if let Some(error) = interrupted {
        return Err(error);
    }
    let summary = outcome.map_err(|error| from_error(&error))?;
    Ok((summary.reports, summary.failed, summary.before, job.errors_path()))
}
