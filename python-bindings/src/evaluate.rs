//! `evaluate`: scores of predicted against gold trees.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use shorei::evaluate::{self as library, EvaluateError, GoldTree};
use shorei::types::CaseMap;

use crate::case::Case;
use crate::errors::{Class, exception, invalid};
use crate::knowledge::{Lexicon, Source};

/// The scores of a set of cases; printing it gives a table.
///
/// See :func:`evaluate`.
#[pyclass(frozen, module = "shorei")]
pub struct Evaluation {
    evaluation: library::Evaluation,
}

#[pymethods]
impl Evaluation {
    /// Micro-averaged F1 of labels.
    #[getter]
    fn node_f1(&self) -> f64 {
        self.evaluation.node.micro.f1
    }

    /// Micro-averaged F1 of (parent, child) pairs.
    #[getter]
    fn edge_f1(&self) -> f64 {
        self.evaluation.edge.micro.f1
    }

    /// Micro-averaged F1 of (ancestor, descendant) pairs.
    #[getter]
    fn path_f1(&self) -> f64 {
        self.evaluation.path.micro.f1
    }

    /// Share of cases whose primary disease was found.
    #[getter]
    fn primary_accuracy(&self) -> f64 {
        self.evaluation.primary.accuracy
    }

    /// Everything: the scores with their counts, and case by case what was missed, what is spurious
    /// and what hangs under another parent.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let json = serde_json::to_string(&self.evaluation)
            .map_err(|error| exception(Class::General, "internal", error.to_string()))?;
        let value = py.import("json")?.call_method1("loads", (json,))?;
        Ok(value.cast_into::<PyDict>()?)
    }

    fn __str__(&self) -> String {
        self.evaluation.to_string()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Evaluation of {} cases: node F1 {:.3}, edge F1 {:.3}, path F1 {:.3}, primary {:.3}>",
            self.evaluation.cases.len(),
            self.node_f1(),
            self.edge_f1(),
            self.path_f1(),
            self.primary_accuracy()
        )
    }
}

/// Scores predicted case maps against gold ones.
///
/// Each side is the path of a JSONL file of records ``{"id", "primary", "causal_tree"}``, or an
/// iterable of such dictionaries or of cases. They are joined on ``id``; a gold id without a
/// prediction counts as an empty one. Labels match when ``lexicon`` (by default the built-in
/// dictionaries) holds them for one concept, or when they are spelt alike.
///
/// >>> gold = [{"id": "1", "primary": "肺炎", "causal_tree": "-肺炎\n  -発熱\n"}]
/// >>> scores = shorei.evaluate(gold, [nlp("【主訴】発熱 【診断】肺炎と診断した。", id="1")])
/// >>> scores.node_f1, scores.primary_accuracy
/// (1.0, 1.0)
#[pyfunction]
#[pyo3(signature = (gold, predicted, *, lexicon=None))]
pub fn evaluate(
    py: Python<'_>,
    gold: &Bound<'_, PyAny>,
    predicted: &Bound<'_, PyAny>,
    lexicon: Option<&Lexicon>,
) -> PyResult<Evaluation> {
    let gold = trees(gold, "gold")?;
    let predicted = trees(predicted, "predicted")?;
    let source = match lexicon {
        Some(lexicon) => lexicon.source.clone(),
        None => Source::load(py, Vec::new())?,
    };
    let evaluation = py.detach(|| {
        let tables = source.get();
        library::evaluate(&gold, &predicted, &|a, b| tables.same_concept(a, b))
    });
    Ok(Evaluation { evaluation })
}

fn trees(side: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<GoldTree>> {
    if let Ok(path) = side.extract::<PathBuf>() {
        return library::read_trees(&path).map_err(|error| {
            let class = match &error {
                EvaluateError::Io { path, .. } if !path.exists() => Class::FileNotFound,
                EvaluateError::Io { .. } => Class::Os,
                _ => Class::Value,
            };
            exception(class, "record", error.to_string())
        });
    }
    let mut trees: Vec<GoldTree> = Vec::new();
    for (at, item) in side.try_iter()?.enumerate() {
        let item = item?;
        let (id, primary, tree) = if let Ok(case) = item.cast::<Case>() {
            let record = &case.get().record;
            (record.id.clone(), record.primary.clone(), record.causal_tree.clone())
        } else if let Ok(record) = item.cast::<PyDict>() {
            let get = |key: &str| -> PyResult<Option<String>> {
                let value = record.get_item(key)?;
                value.map(|value| value.extract()).transpose()
            };
            let needed = |key: &str| get(key)?.ok_or_else(|| invalid(format!("{what}: record {at} has no `{key}`")));
            (
                needed("id")?,
                get("primary")?.unwrap_or_default(),
                needed("causal_tree")?,
            )
        } else {
            return Err(invalid(format!(
                "{what}: record {at} is neither a case nor a dictionary"
            )));
        };
        let map = CaseMap::parse(&tree)
            .map_err(|error| exception(Class::Value, "tree", format!("{what}: `causal_tree` of {id}, {error}")))?;
        if trees.iter().any(|tree| tree.id == id) {
            return Err(invalid(format!(
                "{what}: the id {id:?} stands twice; keep one record an id"
            )));
        }
        trees.push(GoldTree { id, primary, map });
    }
    Ok(trees)
}
