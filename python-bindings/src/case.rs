//! `Case` and its parts.

use std::fmt::Write as _;
use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use shorei::export::json::{CaseMapRecord, CaseRecord, ConceptRecord, RelationRecord, from_json, name_of};
use shorei::export::{ConceptSource, to_dot, to_html, to_html_fragment, to_map_fragment, to_svg};
use shorei::types;

use crate::errors::{Class, exception, guarded, invalid};

/// Everything known of one report.
///
/// Offsets are code points: ``case.text[m.start:m.end] == m.text`` for every mention. A case does
/// not change; it pickles as its JSON.
///
/// >>> case = nlp("【主訴】発熱【現病歴】咳嗽もあった。胸痛はない。【診断】肺炎と診断した。", id="症例1")
/// >>> case.primary
/// '肺炎'
/// >>> print(case.tree, end="")
/// -肺炎
///   -発熱
///   -咳嗽
#[pyclass(frozen, module = "shorei")]
pub struct Case {
    pub record: Arc<CaseRecord>,
}

/// The record as the library's case, for the formats that are made of cases.
fn library_case(record: &CaseRecord) -> PyResult<(types::Case, Vec<types::Concept>)> {
    record
        .to_case()
        .map_err(|error| exception(Class::Value, "case-json", error.to_string()))
}

/// The case in a format that is made of the library's case.
fn drawn(record: &CaseRecord, draw: impl FnOnce(&types::Case, &dyn ConceptSource) -> String) -> PyResult<String> {
    guarded(|| {
        let (case, concepts) = library_case(record)?;
        Ok(draw(&case, &concepts))
    })
}

fn json(record: &CaseRecord) -> PyResult<String> {
    serde_json::to_string(record).map_err(|error| exception(Class::General, "internal", error.to_string()))
}

fn attribute_of(
    py: Python<'_>,
    record: &Arc<CaseRecord>,
    kind: &str,
    index: usize,
) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
    let function = py.import("shorei._shorei")?.getattr("_part")?.unbind();
    let case = Case { record: record.clone() };
    Ok((function, (case, kind, index).into_pyobject(py)?.unbind()))
}

#[pymethods]
impl Case {
    /// The id that the caller gave; empty where none was.
    #[getter]
    fn id(&self) -> &str {
        &self.record.id
    }

    /// The report as it was given.
    #[getter]
    fn text(&self) -> &str {
        &self.record.text
    }

    /// The label of the primary disease; empty when the report names none.
    #[getter]
    fn primary(&self) -> &str {
        &self.record.primary
    }

    /// The causal tree in the notation of the guideline, one node a line.
    #[getter]
    fn tree(&self) -> &str {
        &self.record.causal_tree
    }

    /// The sections, in reading order.
    #[getter]
    fn sections(&self) -> Vec<Section> {
        (0..self.record.sections.len())
            .map(|at| Section {
                record: self.record.clone(),
                at,
            })
            .collect()
    }

    /// The mentions, in reading order.
    #[getter]
    fn mentions(&self) -> Vec<Mention> {
        (0..self.record.mentions.len())
            .map(|at| Mention {
                record: self.record.clone(),
                at,
            })
            .collect()
    }

    /// Scored relations between the nodes of the map, also those that it did not take.
    #[getter]
    fn relations(&self) -> Vec<Relation> {
        (0..self.record.relations.len())
            .map(|at| Relation {
                record: self.record.clone(),
                at,
                edge: false,
            })
            .collect()
    }

    /// The causal map.
    #[getter]
    fn map(&self) -> CaseMap {
        CaseMap {
            record: self.record.clone(),
        }
    }

    /// The case as plain dictionaries and lists, as :meth:`to_json` has it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let value = py.import("json")?.call_method1("loads", (self.to_json()?,))?;
        Ok(value.cast_into::<PyDict>()?)
    }

    /// The case as one line of JSON: what ``shorei structure --format json`` prints.
    fn to_json(&self) -> PyResult<String> {
        json(&self.record)
    }

    /// Reads a case from its JSON.
    ///
    /// Raises :class:`ShoreiValueError` for text that is no case.
    ///
    /// >>> case = nlp("【診断】肺炎と診断した。")
    /// >>> shorei.Case.from_json(case.to_json()) == case
    /// True
    #[classmethod]
    fn from_json(_class: &Bound<'_, PyType>, json: &str) -> PyResult<Self> {
        let record = from_json(json).map_err(|error| exception(Class::Value, "case-json", error.to_string()))?;
        library_case(&record)?;
        Ok(Case {
            record: Arc::new(record),
        })
    }

    /// A self-contained page: the marked report beside the drawn tree.
    fn to_html(&self) -> PyResult<String> {
        drawn(&self.record, to_html)
    }

    /// The case in a notebook: the marked report and the drawn tree; evidence is in the tooltips.
    fn _repr_html_(&self) -> PyResult<String> {
        drawn(&self.record, to_html_fragment)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Case {:?}: {}; {} mentions, {} nodes>",
            self.record.id,
            if self.record.primary.is_empty() {
                "no primary disease"
            } else {
                &self.record.primary
            },
            self.record.mentions.len(),
            self.record.case_map.nodes.len()
        )
    }

    fn __str__(&self) -> String {
        self.record.causal_tree.clone()
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let same = self.record == other.record;
        equality(py, same, op)
    }

    fn __hash__(&self) -> u64 {
        hash(&(&self.record.id, &self.record.text, &self.record.causal_tree))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let class = py.get_type::<Case>();
        Ok((class.getattr("from_json")?, (self.to_json()?,)))
    }
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn equality(py: Python<'_>, same: bool, op: CompareOp) -> PyResult<Py<PyAny>> {
    Ok(match op {
        CompareOp::Eq => same.into_pyobject(py)?.to_owned().into_any().unbind(),
        CompareOp::Ne => (!same).into_pyobject(py)?.to_owned().into_any().unbind(),
        _ => py.NotImplemented(),
    })
}

/// A section of the report: its body, without its heading.
///
/// >>> case = nlp("【主訴】発熱")
/// >>> [(section.kind, section.text) for section in case.sections]
/// [('chief_complaint', '発熱')]
#[pyclass(frozen, module = "shorei")]
pub struct Section {
    record: Arc<CaseRecord>,
    at: usize,
}

#[pymethods]
impl Section {
    /// What it is about: ``chief_complaint``, ``present_illness``, …
    #[getter]
    fn kind(&self) -> String {
        name_of(&self.record.sections[self.at].kind)
    }

    /// First code point of the report.
    #[getter]
    fn start(&self) -> usize {
        self.record.sections[self.at].start
    }

    /// One past the last code point.
    #[getter]
    fn end(&self) -> usize {
        self.record.sections[self.at].end
    }

    /// The report from ``start`` to ``end``.
    #[getter]
    fn text(&self) -> String {
        let text = self.record.text.chars().skip(self.start());
        text.take(self.end() - self.start()).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Section {} {}:{}>", self.kind(), self.start(), self.end())
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
        attribute_of(py, &self.record, "section", self.at)
    }
}

/// A span of the report that names something.
///
/// >>> case = nlp("【現病歴】発熱があった。胸痛はない。")
/// >>> [(m.text, m.kind, m.status) for m in case.mentions]
/// [('発熱', 'disease', 'present'), ('胸痛', 'disease', 'absent')]
#[pyclass(frozen, module = "shorei")]
pub struct Mention {
    record: Arc<CaseRecord>,
    at: usize,
}

impl Mention {
    fn get(&self) -> &shorei::export::json::MentionRecord {
        &self.record.mentions[self.at]
    }
}

#[pymethods]
impl Mention {
    /// Its number within the case.
    #[getter]
    fn id(&self) -> u32 {
        self.get().id
    }

    /// First code point of the report.
    #[getter]
    fn start(&self) -> usize {
        self.get().start
    }

    /// One past the last code point.
    #[getter]
    fn end(&self) -> usize {
        self.get().end
    }

    /// The report from ``start`` to ``end``, as it was given.
    #[getter]
    fn text(&self) -> &str {
        &self.get().text
    }

    /// What it is: ``disease``, ``finding``, ``test_item``, ``drug``, …
    #[getter]
    fn kind(&self) -> String {
        name_of(&self.get().kind)
    }

    /// Whether it is the case: ``present``, ``absent``, ``suspected``, ``planned``, ``general``.
    #[getter]
    fn status(&self) -> String {
        name_of(&self.get().assertion.status)
    }

    /// Who has it: ``patient``, ``family``, ``other``.
    #[getter]
    fn experiencer(&self) -> String {
        name_of(&self.get().assertion.experiencer)
    }

    /// When: ``current`` or ``past``.
    #[getter]
    fn time(&self) -> String {
        name_of(&self.get().assertion.time)
    }

    /// True when the patient has, or had, it.
    #[getter]
    fn holds(&self) -> bool {
        self.get().assertion.holds()
    }

    /// The kind of its section; ``None`` outside of any.
    #[getter]
    fn section(&self) -> Option<String> {
        self.record.section_of(self.get().start).map(|kind| name_of(&kind))
    }

    /// Its dictionary entry.
    #[getter]
    fn concept(&self) -> Option<Concept> {
        self.get().concept.clone().map(|record| Concept { record })
    }

    /// The parts of its text that modify what the dictionary entry names (難治性 of 難治性多発性筋炎).
    #[getter]
    fn modifiers(&self) -> Vec<String> {
        self.get().modifiers.clone()
    }

    /// Its value, for tests, changes and doses.
    #[getter]
    fn value(&self) -> Option<Value> {
        self.get().value.clone().map(|value| Value { value })
    }

    fn __repr__(&self) -> String {
        let mention = self.get();
        format!(
            "<Mention {} {}:{} {} {}>",
            mention.text,
            mention.start,
            mention.end,
            self.kind(),
            self.status()
        )
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let same =
            self.get() == other.get() && (Arc::ptr_eq(&self.record, &other.record) || self.record == other.record);
        equality(py, same, op)
    }

    fn __hash__(&self) -> u64 {
        let mention = self.get();
        hash(&(&self.record.id, mention.start, mention.end, &mention.text))
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
        attribute_of(py, &self.record, "mention", self.at)
    }
}

/// A dictionary entry with its codes; a code that it lacks is an empty string.
///
/// >>> entry = shorei.Lexicon().lookup("低Na血症")[0]
/// >>> entry.label, entry.kind
/// ('低ナトリウム血症', 'pathology')
#[pyclass(frozen, module = "shorei")]
pub struct Concept {
    pub record: ConceptRecord,
}

#[pymethods]
impl Concept {
    /// Stable id.
    #[getter]
    fn id(&self) -> &str {
        &self.record.id
    }

    /// Preferred Japanese label.
    #[getter]
    fn label(&self) -> &str {
        &self.record.label
    }

    /// What it is: ``disease``, ``symptom``, ``test``, ``drug``, …
    #[getter]
    fn kind(&self) -> String {
        name_of(&self.record.kind)
    }

    /// English name.
    #[getter]
    fn english(&self) -> &str {
        &self.record.english
    }

    /// ICD-10 code.
    #[getter]
    fn icd10(&self) -> &str {
        &self.record.icd10
    }

    /// HPO id.
    #[getter]
    fn hpo(&self) -> &str {
        &self.record.hpo
    }

    /// ATC code.
    #[getter]
    fn atc(&self) -> &str {
        &self.record.atc
    }

    /// LOINC code.
    #[getter]
    fn loinc(&self) -> &str {
        &self.record.loinc
    }

    fn __repr__(&self) -> String {
        format!("<Concept {} [{}] {}>", self.record.label, self.record.id, self.kind())
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        equality(py, self.record == other.record, op)
    }

    fn __hash__(&self) -> u64 {
        hash(&self.record.id)
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (&'static str, String))> {
        unpickled(py, "concept", serde_json::to_string(&self.record))
    }
}

fn unpickled(
    py: Python<'_>,
    kind: &'static str,
    json: serde_json::Result<String>,
) -> PyResult<(Py<PyAny>, (&'static str, String))> {
    let json = json.map_err(|error| invalid(error.to_string()))?;
    let function = py.import("shorei._shorei")?.getattr("_unpickle")?.unbind();
    Ok((function, (kind, json)))
}

/// The value of a test, a vital sign, a trend or a dose.
///
/// >>> case = nlp("【検査】Na 118 mEq/L。")
/// >>> value = next(m.value for m in case.mentions if m.value)
/// >>> value.number, value.unit, value.direction
/// (118.0, 'mEq/L', 'low')
#[pyclass(frozen, module = "shorei")]
pub struct Value {
    value: types::Value,
}

#[pymethods]
impl Value {
    /// The number as printed; ``None`` for words.
    #[getter]
    fn number(&self) -> Option<f64> {
        self.value.number
    }

    /// Second number of a pair (diastolic pressure), or a trend's start.
    #[getter]
    fn second(&self) -> Option<f64> {
        self.value.second
    }

    /// The printed unit; empty where none is printed.
    #[getter]
    fn unit(&self) -> &str {
        &self.value.unit
    }

    /// The printed reference range's lower bound.
    #[getter]
    fn range_low(&self) -> Option<f64> {
        self.value.range_low
    }

    /// The printed reference range's upper bound.
    #[getter]
    fn range_high(&self) -> Option<f64> {
        self.value.range_high
    }

    /// ``high``, ``low``, ``positive``, ``negative``, ``normal``, ``equivocal``, or ``None``.
    #[getter]
    fn direction(&self) -> Option<String> {
        self.value.direction.map(|direction| name_of(&direction))
    }

    fn __repr__(&self) -> String {
        let mut text = String::from("<Value");
        if let Some(number) = self.value.number {
            let _ = write!(text, " {number}");
        }
        if !self.value.unit.is_empty() {
            let _ = write!(text, " {}", self.value.unit);
        }
        if let Some(direction) = self.direction() {
            let _ = write!(text, " {direction}");
        }
        text.push('>');
        text
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        equality(py, self.value == other.value, op)
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (&'static str, String))> {
        unpickled(py, "value", serde_json::to_string(&self.value))
    }
}

/// A node of the map.
///
/// >>> case = nlp("【主訴】発熱【診断】肺炎と診断した。")
/// >>> root = case.map.roots[0]
/// >>> root.label, [child.label for child in root.children]
/// ('肺炎', ['発熱'])
#[pyclass(frozen, module = "shorei")]
pub struct Node {
    record: Arc<CaseRecord>,
    at: usize,
}

impl Node {
    fn sibling(&self, id: u32) -> Node {
        Node {
            record: self.record.clone(),
            at: id as usize,
        }
    }
}

#[pymethods]
impl Node {
    /// Its number: its place in :attr:`CaseMap.nodes`.
    #[getter]
    fn id(&self) -> usize {
        self.at
    }

    /// Its label in the notation of the guideline.
    #[getter]
    fn label(&self) -> &str {
        &self.record.case_map.nodes[self.at].label
    }

    /// Its dictionary entry.
    #[getter]
    fn concept(&self) -> Option<Concept> {
        let record = self.record.case_map.nodes[self.at].concept.clone();
        record.map(|record| Concept { record })
    }

    /// The mentions that it folds together; none for an inferred node.
    #[getter]
    fn mentions(&self) -> Vec<Mention> {
        self.record.case_map.nodes[self.at]
            .mentions
            .iter()
            .map(|&mention| Mention {
                record: self.record.clone(),
                at: mention as usize,
            })
            .collect()
    }

    /// True when no words of the report name it: knowledge made it plain.
    #[getter]
    fn inferred(&self) -> bool {
        self.record.case_map.nodes[self.at].inferred
    }

    /// Its cause; ``None`` for a root.
    #[getter]
    fn parent(&self) -> Option<Node> {
        let mut edges = self.record.case_map.edges.iter();
        edges
            .find(|edge| edge.target as usize == self.at)
            .map(|edge| self.sibling(edge.source))
    }

    /// What it causes, or what is evidence of it.
    #[getter]
    fn children(&self) -> Vec<Node> {
        let edges = self.record.case_map.edges.iter();
        edges
            .filter(|edge| edge.source as usize == self.at)
            .map(|edge| self.sibling(edge.target))
            .collect()
    }

    fn __repr__(&self) -> String {
        format!("<Node {} {}>", self.at, self.label())
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let same = self.at == other.at && (Arc::ptr_eq(&self.record, &other.record) || self.record == other.record);
        equality(py, same, op)
    }

    fn __hash__(&self) -> u64 {
        hash(&(&self.record.id, self.at, self.label()))
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
        attribute_of(py, &self.record, "node", self.at)
    }
}

/// A cause and its effect: an edge of the map, or a relation that was considered.
///
/// >>> case = nlp("【診断】小細胞肺癌によるSIADHと診断した。")
/// >>> edge = case.map.edges[0]
/// >>> edge.source.label, edge.kind, edge.why[0]
/// ('小細胞肺癌', 'causes', 'knowledge 小細胞肺癌 → 抗利尿ホルモン不適合分泌症候群')
#[pyclass(frozen, module = "shorei")]
pub struct Relation {
    record: Arc<CaseRecord>,
    at: usize,
    edge: bool,
}

impl Relation {
    fn get(&self) -> &RelationRecord {
        if self.edge {
            &self.record.case_map.edges[self.at]
        } else {
            &self.record.relations[self.at]
        }
    }

    fn node(&self, id: u32) -> Node {
        Node {
            record: self.record.clone(),
            at: id as usize,
        }
    }
}

#[pymethods]
impl Relation {
    /// The cause.
    #[getter]
    fn source(&self) -> Node {
        self.node(self.get().source)
    }

    /// The effect.
    #[getter]
    fn target(&self) -> Node {
        self.node(self.get().target)
    }

    /// ``causes``, ``manifests_as``, ``evidenced_by``, ``complicates``, ``predisposes`` or
    /// ``treated_by``.
    #[getter]
    fn kind(&self) -> &'static str {
        self.get().kind.name()
    }

    /// Its score, comparable within the case only.
    #[getter]
    fn score(&self) -> f64 {
        self.get().score
    }

    /// The evidence in words, strongest first.
    #[getter]
    fn why(&self) -> Vec<String> {
        self.get().why.iter().map(|why| why.words()).collect()
    }

    fn __repr__(&self) -> String {
        let label = |id: u32| &self.record.case_map.nodes[id as usize].label;
        let relation = self.get();
        format!(
            "<Relation {} {} {}>",
            label(relation.source),
            relation.kind.name(),
            label(relation.target)
        )
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let same =
            self.get() == other.get() && (Arc::ptr_eq(&self.record, &other.record) || self.record == other.record);
        equality(py, same, op)
    }

    fn __hash__(&self) -> u64 {
        hash(&(&self.record.id, self.get().source, self.get().target))
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
        attribute_of(py, &self.record, if self.edge { "edge" } else { "relation" }, self.at)
    }
}

/// The causal forest of a case: no node has two parents.
///
/// >>> tree = shorei.CaseMap.parse("-肺癌\n  -SIADH\n    -Na/低下\n")
/// >>> [node.label for node in tree.nodes]
/// ['肺癌', 'SIADH', 'Na/低下']
/// >>> tree.roots[0].label
/// '肺癌'
#[pyclass(frozen, module = "shorei")]
pub struct CaseMap {
    pub record: Arc<CaseRecord>,
}

impl CaseMap {
    fn get(&self) -> &CaseMapRecord {
        &self.record.case_map
    }

    fn node(&self, at: usize) -> Node {
        Node {
            record: self.record.clone(),
            at,
        }
    }
}

#[pymethods]
impl CaseMap {
    /// Reads a tree in the notation of the guideline.
    ///
    /// Raises :class:`ShoreiValueError` naming the line at fault.
    #[staticmethod]
    fn parse(tree: &str) -> PyResult<Self> {
        let record = CaseRecord::of_tree(tree).map_err(|error| exception(Class::Value, "tree", error.to_string()))?;
        Ok(CaseMap {
            record: Arc::new(record),
        })
    }

    /// The nodes.
    #[getter]
    fn nodes(&self) -> Vec<Node> {
        (0..self.get().nodes.len()).map(|at| self.node(at)).collect()
    }

    /// The edges, parents before children.
    #[getter]
    fn edges(&self) -> Vec<Relation> {
        (0..self.get().edges.len())
            .map(|at| Relation {
                record: self.record.clone(),
                at,
                edge: true,
            })
            .collect()
    }

    /// The nodes without a cause.
    #[getter]
    fn roots(&self) -> Vec<Node> {
        let mut is_root = vec![true; self.get().nodes.len()];
        for edge in &self.get().edges {
            is_root[edge.target as usize] = false;
        }
        (0..is_root.len())
            .filter(|&at| is_root[at])
            .map(|at| self.node(at))
            .collect()
    }

    /// The node of the primary disease; ``None`` where there is none.
    #[getter]
    fn primary(&self) -> Option<Node> {
        let primary = &self.record.primary;
        let at = self
            .get()
            .nodes
            .iter()
            .position(|node| !primary.is_empty() && node.label == *primary);
        at.map(|at| self.node(at))
    }

    /// The tree in the notation of the guideline.
    fn to_tree(&self) -> &str {
        &self.record.causal_tree
    }

    /// The map as a ``networkx.DiGraph``: nodes are numbers, with ``label``, ``kind``, ``concept``
    /// (its id), ``inferred`` and ``primary``; edges have ``kind``, ``score`` and ``why``.
    ///
    /// Needs networkx.
    fn to_networkx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let graph = py.import("networkx")?.call_method0("DiGraph")?;
        let primary = self.primary().map(|node| node.at);
        for (at, node) in self.get().nodes.iter().enumerate() {
            let attributes = PyDict::new(py);
            attributes.set_item("label", &node.label)?;
            attributes.set_item("concept", node.concept.as_ref().map(|concept| &concept.id))?;
            attributes.set_item("kind", node.concept.as_ref().map(|concept| name_of(&concept.kind)))?;
            attributes.set_item("inferred", node.inferred)?;
            attributes.set_item("primary", primary == Some(at))?;
            graph.call_method("add_node", (at,), Some(&attributes))?;
        }
        for edge in &self.get().edges {
            let attributes = PyDict::new(py);
            attributes.set_item("kind", edge.kind.name())?;
            attributes.set_item("score", edge.score)?;
            attributes.set_item("why", edge.why_words())?;
            graph.call_method("add_edge", (edge.source, edge.target), Some(&attributes))?;
        }
        Ok(graph)
    }

    /// A graph for Graphviz.
    fn to_dot(&self) -> PyResult<String> {
        drawn(&self.record, to_dot)
    }

    /// The drawn tree, as a file of its own.
    fn to_svg(&self) -> PyResult<String> {
        drawn(&self.record, to_svg)
    }

    /// The drawn tree, in a notebook.
    fn _repr_html_(&self) -> PyResult<String> {
        drawn(&self.record, to_map_fragment)
    }

    fn __len__(&self) -> usize {
        self.get().nodes.len()
    }

    fn __str__(&self) -> &str {
        &self.record.causal_tree
    }

    fn __repr__(&self) -> String {
        format!(
            "<CaseMap: {} nodes, {} edges>",
            self.get().nodes.len(),
            self.get().edges.len()
        )
    }

    fn __richcmp__(&self, other: &Self, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        equality(py, self.record.case_map == other.record.case_map, op)
    }

    fn __hash__(&self) -> u64 {
        hash(&self.record.causal_tree)
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyTuple>)> {
        attribute_of(py, &self.record, "map", 0)
    }
}

/// A part of a case by its place: how parts unpickle.
#[pyfunction]
#[pyo3(name = "_part")]
pub fn part(py: Python<'_>, case: &Case, kind: &str, index: usize) -> PyResult<Py<PyAny>> {
    let record = case.record.clone();
    let count = match kind {
        "map" => 1,
        "section" => record.sections.len(),
        "mention" => record.mentions.len(),
        "node" => record.case_map.nodes.len(),
        "edge" => record.case_map.edges.len(),
        "relation" => record.relations.len(),
        _ => 0,
    };
    if index >= count {
        return Err(invalid(format!("the case has no {kind} {index}")));
    }
    let at = index;
    Ok(match kind {
        "map" => Py::new(py, CaseMap { record })?.into_any(),
        "section" => Py::new(py, Section { record, at })?.into_any(),
        "mention" => Py::new(py, Mention { record, at })?.into_any(),
        "node" => Py::new(py, Node { record, at })?.into_any(),
        kind => {
            let edge = kind == "edge";
            Py::new(py, Relation { record, at, edge })?.into_any()
        }
    })
}

/// A concept or a value from its JSON: how they unpickle.
#[pyfunction]
#[pyo3(name = "_unpickle")]
pub fn unpickle(py: Python<'_>, kind: &str, json: &str) -> PyResult<Py<PyAny>> {
    let fail = |error: serde_json::Error| exception(Class::Value, "case-json", error.to_string());
    Ok(if kind == "concept" {
        let record = serde_json::from_str(json).map_err(fail)?;
        Py::new(py, Concept { record })?.into_any()
    } else {
        let value = serde_json::from_str(json).map_err(fail)?;
        Py::new(py, Value { value })?.into_any()
    })
}

/// The cases of an iterable.
pub fn records(cases: &Bound<'_, PyAny>) -> PyResult<Vec<Arc<CaseRecord>>> {
    if let Ok(case) = cases.cast::<Case>() {
        return Ok(vec![case.get().record.clone()]);
    }
    let mut records = Vec::new();
    for item in cases.try_iter()? {
        let item = item?;
        let case = item.cast::<Case>().map_err(|_| {
            let found = item
                .get_type()
                .name()
                .map_or_else(|_| "?".to_owned(), |name| name.to_string());
            invalid(format!("expected cases, found {found} at place {}", records.len()))
        })?;
        records.push(case.get().record.clone());
    }
    Ok(records)
}
