//! `SearchResult`: what is found among cases, as tables and for notebooks.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch};
use arrow_schema::{Field, Schema};
use pyo3::prelude::*;
use shorei::export::html::fragment_style;
use shorei::export::push_escaped;
use shorei::search::{CaseRow, DiseaseRow, FoundDiseases, Query, Reason};

use crate::arrow::{Table, arrow_error};
use crate::errors::invalid;

/// What a finding says of a disease must be at least this much, as a logarithm of a likelihood
/// ratio, to be listed beside it; as in `shorei search`.
const SHOWN: f64 = 0.2;

/// Columns on their way to a table.
#[derive(Default)]
pub struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    pub fn with(mut self, name: &str, array: impl Array + 'static) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(Arc::new(array));
        self
    }

    pub fn table(self) -> PyResult<Table> {
        let schema = Arc::new(Schema::new(self.fields));
        let batch = RecordBatch::try_new(schema, self.arrays).map_err(arrow_error)?;
        Ok(Table::of(batch))
    }
}

/// A column of lists of strings.
pub fn lists<T: AsRef<str>>(rows: impl Iterator<Item = impl Iterator<Item = T>>) -> ListArray {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for item in row {
            builder.values().append_value(item);
        }
        builder.append(true);
    }
    builder.finish()
}

fn strings<'a>(rows: impl Iterator<Item = &'a str>) -> arrow_array::StringArray {
    let mut builder = StringBuilder::new();
    // Where there is nothing to say, a cell is null.
    rows.for_each(|row| builder.append_option((!row.is_empty()).then_some(row)));
    builder.finish()
}

fn integers(rows: impl Iterator<Item = usize>) -> arrow_array::Int64Array {
    let mut builder = Int64Builder::new();
    rows.for_each(|row| builder.append_value(i64::try_from(row).unwrap_or(i64::MAX)));
    builder.finish()
}

fn numbers(rows: impl Iterator<Item = Option<f64>>) -> arrow_array::Float64Array {
    let mut builder = Float64Builder::new();
    rows.for_each(|row| builder.append_option(row));
    builder.finish()
}

fn flags(rows: impl Iterator<Item = bool>) -> arrow_array::BooleanArray {
    let mut builder = BooleanBuilder::new();
    rows.for_each(|row| builder.append_value(row));
    builder.finish()
}

/// The findings of a row that speak for the disease, or against it, weightiest first.
fn speaking(row: &DiseaseRow, is_for: bool) -> Vec<&Reason> {
    let weight = |reason: &Reason| if is_for { reason.log_ratio } else { -reason.log_ratio };
    let mut reasons: Vec<&Reason> = row.reasons.iter().filter(|reason| weight(reason) >= SHOWN).collect();
    reasons.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    reasons
}

/// A finding, with a sign where it is said not to be there.
fn written(reason: &Reason) -> String {
    let sign = if reason.present { "" } else { "-" };
    format!("{sign}{}", reason.finding)
}

/// What was found: diseases and cases, best first. A notebook shows it as a table.
///
/// >>> import pathlib, tempfile
/// >>> index = shorei.CaseIndex.create(pathlib.Path(tempfile.mkdtemp()) / "cases.index", pipeline=nlp)
/// >>> index.add(nlp("発熱と発疹があり、刺し口を認めた。ツツガムシ病と診断した。", id="症例1"))
/// 1
/// >>> found = index.search("発熱 発疹 刺し口 -腹痛", limit=3)
/// >>> found.present, found.absent
/// (['発熱', '発疹', '刺し口'], ['腹痛'])
/// >>> found.to_pandas()[["rank", "disease", "matching", "cases", "specialty"]].values.tolist()[0]
/// [1, 'ツツガムシ病', 1, 1, '感染症']
/// >>> found.to_polars("case")["id"].to_list()
/// ['症例1']
#[pyclass(frozen, module = "shorei")]
pub struct SearchResult {
    found: FoundDiseases,
    rows: Vec<CaseRow>,
    /// The findings that were asked for.
    #[pyo3(get)]
    present: Vec<String>,
    /// The findings that were asked to be absent.
    #[pyo3(get)]
    absent: Vec<String>,
    /// What no dictionary lists; it is looked for in the cases only.
    #[pyo3(get)]
    unknown: Vec<String>,
    /// The id of the case whose like was asked for.
    #[pyo3(get)]
    like: Option<String>,
}

impl SearchResult {
    pub fn new(query: &Query, found: FoundDiseases, rows: Vec<CaseRow>, like: Option<String>) -> Self {
        let owned = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
        SearchResult {
            found,
            rows,
            present: owned(query.present_labels()),
            absent: owned(query.absent_labels()),
            unknown: owned(query.unknown()),
            like,
        }
    }

    fn diseases(&self) -> PyResult<Table> {
        let rows = &self.found.diseases;
        let findings = |is_for| {
            lists(
                rows.iter()
                    .map(move |row| speaking(row, is_for).into_iter().map(written)),
            )
        };
        Columns::default()
            .with("rank", integers(rows.iter().map(|row| row.rank)))
            .with("disease", strings(rows.iter().map(|row| row.label.as_str())))
            .with("concept_id", strings(rows.iter().map(|row| row.concept.as_str())))
            .with("specialty", strings(rows.iter().map(|row| row.specialty.as_str())))
            .with("score", numbers(rows.iter().map(|row| Some(row.score))))
            .with("cases", integers(rows.iter().map(|row| row.cases as usize)))
            .with("matching", integers(rows.iter().map(|row| row.matching as usize)))
            .with("findings", findings(true))
            .with("against", findings(false))
            .table()
    }

    fn findings(&self) -> PyResult<Table> {
        let diseases = self.found.diseases.iter();
        let rows: Vec<(&DiseaseRow, &Reason)> = diseases
            .flat_map(|row| row.reasons.iter().map(move |reason| (row, reason)))
            .collect();
        let reasons = || rows.iter().map(|(_, reason)| *reason);
        Columns::default()
            .with("rank", integers(rows.iter().map(|(row, _)| row.rank)))
            .with("disease", strings(rows.iter().map(|(row, _)| row.label.as_str())))
            .with("finding", strings(reasons().map(|reason| reason.finding.as_str())))
            .with("present", flags(reasons().map(|reason| reason.present)))
            .with("log_ratio", numbers(reasons().map(|reason| Some(reason.log_ratio))))
            .with("chance", numbers(reasons().map(|reason| Some(reason.chance))))
            .with("background", numbers(reasons().map(|reason| Some(reason.background))))
            .with(
                "through",
                strings(reasons().map(|reason| reason.through.as_deref().unwrap_or_default())),
            )
            .with("known", flags(reasons().map(|reason| reason.known)))
            .with("cases", integers(reasons().map(|reason| reason.cases as usize)))
            .table()
    }

    fn cases(&self) -> PyResult<Table> {
        let rows = &self.rows;
        Columns::default()
            .with("rank", integers(rows.iter().map(|row| row.rank)))
            .with("id", strings(rows.iter().map(|row| row.id.as_str())))
            .with("score", numbers(rows.iter().map(|row| Some(row.score))))
            .with("primary", strings(rows.iter().map(|row| row.primary.as_str())))
            .with("specialty", strings(rows.iter().map(|row| row.specialty.as_str())))
            .with("sex", strings(rows.iter().map(|row| row.sex.as_str())))
            .with("age", numbers(rows.iter().map(|row| row.age)))
            .with("findings", lists(rows.iter().map(|row| row.matched.iter())))
            .with("nearly", lists(rows.iter().map(|row| row.nearly.iter())))
            .with("against", lists(rows.iter().map(|row| row.against.iter())))
            .with("causal_tree", strings(rows.iter().map(|row| row.causal_tree.as_str())))
            .table()
    }
}

#[pymethods]
impl SearchResult {
    /// How many diseases were ranked.
    #[getter]
    fn n_ranked(&self) -> usize {
        self.found.ranked
    }

    /// How many cases were searched: those that the query's narrowing leaves.
    #[getter]
    fn n_cases(&self) -> u64 {
        self.found.cases
    }

    /// What was found as a table.
    ///
    /// ``level="disease"``: ``rank``, ``disease``, ``concept_id``, ``specialty``, ``score`` (natural
    /// logarithm of the likelihood ratio), ``cases``, ``matching`` (of these, those with at least half
    /// of the findings), and the ``findings`` that speak for it and ``against`` it, weightiest first.
    /// ``level="finding"``: what each finding says of each disease. ``level="case"``: ``rank``,
    /// ``id``, ``score`` (0 to 1), ``primary``, ``specialty``, ``sex``, ``age``, and the ``findings``
    /// that it has, has ``nearly`` (in a more general form) and has ``against`` the query.
    #[pyo3(signature = (level="disease"))]
    fn to_arrow(&self, level: &str) -> PyResult<Table> {
        match level {
            "disease" => self.diseases(),
            "finding" => self.findings(),
            "case" => self.cases(),
            _ => Err(invalid(format!(
                "level={level:?}: expected \"disease\", \"finding\" or \"case\""
            ))),
        }
    }

    /// What was found as a pandas data frame; see :meth:`to_arrow`.
    #[pyo3(signature = (level="disease"))]
    fn to_pandas<'py>(&self, py: Python<'py>, level: &str) -> PyResult<Bound<'py, PyAny>> {
        py.import("shorei._tables")?
            .call_method1("to_pandas", (self.to_arrow(level)?,))
    }

    /// What was found as a polars data frame; see :meth:`to_arrow`.
    #[pyo3(signature = (level="disease"))]
    fn to_polars<'py>(&self, py: Python<'py>, level: &str) -> PyResult<Bound<'py, PyAny>> {
        py.import("shorei._tables")?
            .call_method1("to_polars", (self.to_arrow(level)?,))
    }

    fn __repr__(&self) -> String {
        format!(
            "<SearchResult: {} of {} diseases, {} of {} cases>",
            self.found.diseases.len(),
            self.found.ranked,
            self.rows.len(),
            self.found.cases
        )
    }

    /// The diseases and the cases as tables in a notebook; what a finding says of a disease is in
    /// its tooltip.
    fn _repr_html_(&self) -> String {
        let mut html = format!("<div class=\"shorei\" lang=\"ja\">\n{}", fragment_style(STYLE, ""));
        self.head(&mut html);
        let diseases = |html: &mut String| {
            if !self.found.diseases.is_empty() {
                table(
                    html,
                    ["順位", "疾患", "症例", "診療科", "得点", "所見"],
                    |html| {
                        self.found.diseases.iter().for_each(|row| disease_row(html, row));
                    },
                );
            }
        };
        let cases = |html: &mut String| {
            if !self.rows.is_empty() {
                table(
                    html,
                    ["順位", "症例", "主病名", "診療科", "類似度", "所見"],
                    |html| {
                        self.rows.iter().for_each(|row| case_row(html, row));
                    },
                );
            }
        };
        // Who asks for the like of a case asks for cases.
        if self.like.is_some() {
            cases(&mut html);
            diseases(&mut html);
        } else {
            diseases(&mut html);
            cases(&mut html);
        }
        if self.found.diseases.is_empty() && self.rows.is_empty() {
            html.push_str("<p>該当なし</p>\n");
        }
        html.push_str("</div>\n");
        html
    }
}

/// The tables in the colours of cases.
const STYLE: &str = "\
.head:has(.chip){line-height:1.9}
.scroll{overflow-x:auto}
.scroll+.scroll{margin-top:.8rem;padding-top:.6rem;border-top:1px solid var(--rule)}
table.found{border-collapse:collapse;width:100%;margin:0;color:inherit;font:inherit;background:none;border:0}
table.found :is(th,td){text-align:left;vertical-align:baseline;padding:.28rem .9rem .28rem 0;border:0;background:none;white-space:nowrap;color:inherit;font-size:inherit}
table.found thead th{color:var(--soft);font-weight:600;font-size:.85em;border-bottom:1px solid var(--rule)}
table.found tbody tr+tr td{border-top:1px solid var(--rule)}
table.found .number{text-align:right;font-variant-numeric:tabular-nums}
table.found .name{font-weight:600}
table.found tr:first-child .first{color:var(--red)}
table.found .wide{white-space:normal;line-height:1.9;min-width:14rem;width:60%;padding-right:0}
.chip{white-space:nowrap;border-radius:3px;padding:.12em .35em;margin-right:.35em;background:var(--amber-bg);border-bottom:2px solid var(--amber)}
.chip.none{background:var(--grey-bg);border-color:var(--grey);text-decoration:line-through}
.chip.nearly{background:none;border-bottom-style:dashed}
.chip.against{background:none;border:1px solid var(--red);color:var(--red)}
";

fn table(html: &mut String, head: [&str; 6], body: impl FnOnce(&mut String)) {
    html.push_str("<div class=\"scroll\"><table class=\"found\">\n<thead><tr>");
    for (place, name) in head.into_iter().enumerate() {
        let class = if is_number(place) { " class=\"number\"" } else { "" };
        let _ = write!(html, "<th{class}>{name}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    body(html);
    html.push_str("</tbody></table></div>\n");
}

/// The columns whose cells are numbers: ranks and scores.
const fn is_number(place: usize) -> bool {
    place == 0 || place == 4
}

/// A cell of text.
fn cell(html: &mut String, class: &str, text: &str) {
    let _ = write!(html, "<td class=\"{class}\">");
    push_escaped(html, if text.is_empty() { "–" } else { text });
    html.push_str("</td>");
}

fn chip(html: &mut String, class: &str, text: &str, tooltip: &str) {
    let _ = write!(html, "<span class=\"chip{class}\" title=\"");
    push_escaped(html, tooltip);
    html.push_str("\">");
    push_escaped(html, text);
    html.push_str("</span>\u{200b}");
}

fn disease_row(html: &mut String, row: &DiseaseRow) {
    let cases = match (row.cases, row.reasons.is_empty()) {
        (0, _) => String::new(),
        (cases, true) => cases.to_string(),
        (cases, false) => format!("{}/{cases}", row.matching),
    };
    html.push_str("<tr>");
    cell(html, "number", &row.rank.to_string());
    cell(html, "name first", &row.label);
    cell(html, "", &cases);
    cell(html, "", &row.specialty);
    cell(html, "number", &format!("{:.1}", row.score));
    html.push_str("<td class=\"wide\">");
    for (is_for, class) in [(true, ""), (false, " against")] {
        for reason in speaking(row, is_for) {
            let mut tooltip = format!(
                "{:+.1}: この疾患の {:.0} %、全体の {:.1} %",
                reason.log_ratio,
                100.0 * reason.chance,
                100.0 * reason.background
            );
            if let Some(through) = &reason.through {
                let _ = write!(tooltip, "、{through}を介して");
            } else if !reason.known {
                tooltip.push_str("、知識に関係なし");
            }
            if row.cases > 0 {
                let _ = write!(tooltip, "、{} 例中 {} 例", row.cases, reason.cases);
            }
            let text = if reason.present {
                reason.finding.clone()
            } else {
                format!("{}なし", reason.finding)
            };
            chip(html, class, &text, &tooltip);
        }
    }
    html.push_str("</td></tr>\n");
}

fn case_row(html: &mut String, row: &CaseRow) {
    html.push_str("<tr>");
    cell(html, "number", &row.rank.to_string());
    let sex = match row.sex.as_str() {
        "M" => "男性",
        "F" => "女性",
        _ => "",
    };
    let age = row.age.map_or_else(String::new, |age| format!("{age:.0}歳"));
    let patient = format!("{age}{sex}");
    let separator = if patient.is_empty() { "" } else { " " };
    cell(html, "", &format!("{}{separator}{patient}", row.id));
    cell(html, "name", &row.primary);
    cell(html, "", &row.specialty);
    cell(html, "number", &format!("{:.2}", row.score));
    html.push_str("<td class=\"wide\">");
    for (labels, class, tooltip) in [
        (&row.matched, "", "あり"),
        (&row.nearly, " nearly", "より一般的な所見としてあり"),
        (&row.against, " against", "ないはずだがあり"),
    ] {
        labels.iter().for_each(|label| chip(html, class, label, tooltip));
    }
    html.push_str("</td></tr>\n");
}

impl SearchResult {
    /// What was asked, and among how much.
    fn head(&self, html: &mut String) {
        html.push_str("<div class=\"head\">");
        if let Some(id) = &self.like {
            html.push_str("<strong>");
            push_escaped(html, id);
            html.push_str("</strong><span>に似た症例</span>");
        }
        html.push_str("<span>");
        self.present.iter().for_each(|label| chip(html, "", label, "あり"));
        self.absent.iter().for_each(|label| chip(html, " none", label, "なし"));
        html.push_str("</span>");
        if !self.unknown.is_empty() {
            html.push_str("<span class=\"count\">辞書にない語: ");
            push_escaped(html, &self.unknown.join("、"));
            html.push_str("</span>");
        }
        let _ = writeln!(
            html,
            "<span class=\"count\">疾患 {} · 症例 {}</span></div>",
            self.found.ranked, self.found.cases
        );
    }
}
