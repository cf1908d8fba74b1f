//! `build_dictionary`: dictionaries of one's own → a pack.

use std::path::PathBuf;

use pyo3::prelude::*;
use shorei::Error;
use shorei::lexicon::import::{self, Format, Options};
use shorei::lexicon::pack::{self, KINDS};
use shorei::normalize::normalize;

use crate::errors::{from_error, invalid};

/// Makes a pack of a dictionary of your own, for ``Pipeline(dictionaries=[…])``; gives what is wrong
/// with rows that were left out, a message a row.
///
/// ``format`` is ``"manbyo"``, ``"babelon"``, ``"medis"``, ``"mecab"`` or ``"generic"`` (CSV or TSV
/// whose header names ``surface`` or ``label``, and any of ``kind``, ``icd10``, ``hpo``,
/// ``synonyms``, ``parent``, …). ``kind`` says what terms are whose rows do not. With ``strict`` the
/// first broken row raises.
///
/// >>> import pathlib, tempfile
/// >>> folder = pathlib.Path(tempfile.mkdtemp())
/// >>> _ = (folder / "own.csv").write_text("surface,kind\n未知熱病,disease\n", encoding="utf-8")
/// >>> shorei.build_dictionary(folder / "own.csv", folder / "own.pack")
/// []
/// >>> "未知熱病" in shorei.Lexicon(dictionaries=[folder / "own.pack"])
/// True
#[pyfunction]
#[pyo3(signature = (files, output, *, format="generic", kind=None, name=None, strict=false))]
pub fn build_dictionary(
    py: Python<'_>,
    files: &Bound<'_, PyAny>,
    output: PathBuf,
    format: &str,
    kind: Option<&str>,
    name: Option<&str>,
    strict: bool,
) -> PyResult<Vec<String>> {
    let files: Vec<PathBuf> = match files.extract::<PathBuf>() {
        Ok(file) => vec![file],
        Err(_) => files.extract()?,
    };
    let formats = Format::ALL.map(Format::name);
    let format = Format::ALL
        .into_iter()
        .find(|known| known.name() == format)
        .ok_or_else(|| invalid(format!("format={format:?}: expected one of {}", formats.join(", "))))?;
    let kind = kind
        .map(|kind| {
            let known = KINDS.iter().find(|(_, name)| *name == kind);
            known.map(|&(kind, _)| kind).ok_or_else(|| {
                let kinds = KINDS.map(|(_, name)| name).join(", ");
                invalid(format!("kind={kind:?}: expected one of {kinds}"))
            })
        })
        .transpose()?;
    let built = py.detach(|| {
        let normalized = |text: &str| normalize(text).norm().to_owned();
        let options = Options {
            normalize: &normalized,
            kind,
            strict,
        };
        let import = import::read(format, &files, &options)?;
        let faults: Vec<String> = import.faults.iter().map(ToString::to_string).collect();
        let fail = |reason: String| Error::Io {
            path: output.clone(),
            reason,
        };
        if import.terms.is_empty() {
            return Err(fail(
                "not written, as no term was read; name the dictionary's format with format=".into(),
            ));
        }
        let stem = output.file_stem().unwrap_or_default().to_string_lossy();
        let built = pack::build(name.unwrap_or(&stem), import.terms)?;
        std::fs::write(&output, &built.bytes).map_err(|error| fail(error.to_string()))?;
        Ok(faults)
    });
    built.map_err(|error| from_error(&error))
}
