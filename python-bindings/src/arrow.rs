//! Tables, over the Arrow C data interface in capsules (the PyCapsule protocol): a column of texts
//! from pyarrow, polars, pandas or DuckDB comes in, a table for them goes out, and no Python object
//! is made for a row.
//!
//! The crates that do this need Python's unstable interface; the protocol itself is this page.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, StructArray, make_array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList};
use rayon::prelude::*;
use shorei::export::CaseRecord;
use shorei::export::table::{Level, MAX_CASES, to_record_batch};

use crate::case::records;
use crate::errors::{Class, exception, invalid};
use crate::pipeline::{Engine, Failure};
use crate::stream::{OnError, pool};

/// A table of cases, mentions or edges.
///
/// Anything that reads Arrow data takes it: ``pyarrow.table(table)``, ``polars.DataFrame(table)``,
/// ``duckdb.sql("from mentions")`` by its variable.
///
/// >>> table = shorei.to_arrow([nlp("【主訴】発熱 【診断】肺炎と診断した。", id="1")], level="edge")
/// >>> table.num_rows, table.to_pydict()["target"]
/// (1, ['発熱'])
#[pyclass(frozen, module = "shorei")]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    /// The table of one batch.
    pub fn of(batch: RecordBatch) -> Self {
        Table {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }
}

pub fn arrow_error(error: ArrowError) -> PyErr {
    exception(Class::Value, "arrow", error.to_string())
}

pub fn level(name: &str) -> PyResult<Level> {
    Level::from_name(name).ok_or_else(|| invalid(format!("level={name:?}: expected \"case\", \"mention\" or \"edge\"")))
}

#[pymethods]
impl Table {
    /// The number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The columns as lists.
    fn to_pydict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = PyDict::new(py);
        for (at, field) in self.schema.fields().iter().enumerate() {
            let cells = PyList::empty(py);
            for batch in &self.batches {
                append(&cells, batch.column(at))?;
            }
            columns.set_item(field.name(), cells)?;
        }
        Ok(columns)
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("<Table: {} rows; {}>", self.num_rows(), self.column_names().join(", "))
    }

    /// The table's schema, by the Arrow PyCapsule protocol.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref()).map_err(arrow_error)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// The table, by the Arrow PyCapsule protocol. Every call gives a stream of its own.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A wish, by the protocol: the reader casts where it gets something else.
        drop(requested_schema);
        let batches = self.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, self.schema.clone());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }

    /// The table as Arrow's own bytes, which is also how it pickles.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema).map_err(arrow_error)?;
        for batch in &self.batches {
            writer.write(batch).map_err(arrow_error)?;
        }
        let bytes = writer.into_inner().map_err(arrow_error)?;
        let function = py.import("shorei._shorei")?.getattr("_unpickle_table")?;
        Ok((function, (PyBytes::new(py, &bytes),)))
    }
}

/// A table from Arrow's bytes: how it unpickles.
#[pyfunction]
#[pyo3(name = "_unpickle_table")]
pub fn unpickle_table(bytes: &[u8]) -> PyResult<Table> {
    let reader = StreamReader::try_new(bytes, None).map_err(arrow_error)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<_, _>>().map_err(arrow_error)?;
    Ok(Table { schema, batches })
}

fn append(cells: &Bound<'_, PyList>, column: &ArrayRef) -> PyResult<()> {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().try_for_each(|cell| cells.append(cell)),
        DataType::Int64 => column
            .as_primitive::<Int64Type>()
            .iter()
            .try_for_each(|cell| cells.append(cell)),
        DataType::Float64 => column
            .as_primitive::<Float64Type>()
            .iter()
            .try_for_each(|cell| cells.append(cell)),
        DataType::List(_) => column.as_list::<i32>().iter().try_for_each(|cell| {
            let list = cell.map(|items| {
                let list = PyList::empty(cells.py());
                append(&list, &items).map(|()| list)
            });
            cells.append(list.transpose()?)
        }),
        DataType::Boolean => column.as_boolean().iter().try_for_each(|cell| cells.append(cell)),
        other => Err(exception(Class::General, "internal", format!("a column of {other}"))),
    }
}

fn table(level: Level, cases: &[&CaseRecord]) -> PyResult<Table> {
    let batches = cases
        .chunks(MAX_CASES)
        .map(|chunk| to_record_batch(level, chunk.iter().copied()))
        .collect::<Result<_, _>>()
        .map_err(arrow_error)?;
    Ok(Table {
        schema: level.schema(),
        batches,
    })
}

/// The cases as a table: ``level`` is ``"case"``, ``"mention"`` or ``"edge"``.
///
/// >>> shorei.to_arrow([nlp("【主訴】発熱")], level="mention").to_pydict()["label_"]
/// ['disease']
#[pyfunction]
#[pyo3(signature = (cases, level="case"))]
pub fn to_arrow(py: Python<'_>, cases: &Bound<'_, PyAny>, level: &str) -> PyResult<Table> {
    let level = self::level(level)?;
    let records = records(cases)?;
    py.detach(|| table(level, &records.iter().map(Arc::as_ref).collect::<Vec<_>>()))
}

/// A column of strings, of any of Arrow's types for them.
enum Texts<'a> {
    Small(&'a arrow_array::StringArray),
    Large(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
}

impl<'a> Texts<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Texts::Small(array.as_string())),
            DataType::LargeUtf8 => Some(Texts::Large(array.as_string())),
            DataType::Utf8View => Some(Texts::View(array.as_string_view())),
            _ => None,
        }
    }

    /// `None` for a null.
    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Texts::Small(array) => (!array.is_null(row)).then(|| array.value(row)),
            Texts::Large(array) => (!array.is_null(row)).then(|| array.value(row)),
            Texts::View(array) => (!array.is_null(row)).then(|| array.value(row)),
        }
    }
}

/// Structures a column: see `Pipeline.table`.
pub fn table_of(
    py: Python<'_>,
    engine: &Arc<Engine>,
    texts: &Bound<'_, PyAny>,
    level: &str,
    (text_column, id_column): (&str, &str),
    n_threads: Option<usize>,
    on_error: OnError,
) -> PyResult<Table> {
    let level = self::level(level)?;
    let arrays = import(texts)?;
    let pool = pool(n_threads)?;
    let mut batches = Vec::new();
    let mut first_row = 0;
    for array in &arrays {
        let (texts, ids) = columns(array, text_column, id_column)?;
        for start in (0..array.len()).step_by(MAX_CASES) {
            let rows = start..array.len().min(start + MAX_CASES);
            let outcomes: Vec<Option<Result<CaseRecord, Failure>>> = py.detach(|| {
                pool.install(|| {
                    rows.into_par_iter()
                        .map(|row| {
                            let text = texts.get(row)?;
                            let number = (first_row + row).to_string();
                            let id = ids.as_ref().and_then(|ids| ids.get(row)).unwrap_or(&number);
                            Some(engine.record(id, text))
                        })
                        .collect()
                })
            });
            py.check_signals()?;
            let mut cases = Vec::with_capacity(outcomes.len());
            for outcome in outcomes.into_iter().flatten() {
                match outcome {
                    Ok(record) => cases.push(record),
                    Err(failure) if on_error == OnError::Skip => OnError::warn(py, &failure.exception())?,
                    Err(failure) => return Err(failure.exception()),
                }
            }
            batches.push(py.detach(|| to_record_batch(level, &cases)).map_err(arrow_error)?);
        }
        first_row += array.len();
    }
    Ok(Table {
        schema: level.schema(),
        batches,
    })
}

/// The column of texts, and that of ids where there is one.
fn columns<'a>(array: &'a ArrayRef, text_column: &str, id_column: &str) -> PyResult<(Texts<'a>, Option<Texts<'a>>)> {
    let Some(table) = array.as_any().downcast_ref::<StructArray>() else {
        let texts = Texts::of(array.as_ref())
            .ok_or_else(|| invalid(format!("a column of {}; expected strings", array.data_type())))?;
        return Ok((texts, None));
    };
    let find = |name: &str| -> PyResult<Option<Texts<'a>>> {
        let Some(column) = table.column_by_name(name) else {
            return Ok(None);
        };
        let texts = Texts::of(column.as_ref()).ok_or_else(|| {
            invalid(format!(
                "the column `{name}` is of {}; expected strings: cast it first",
                column.data_type()
            ))
        })?;
        Ok(Some(texts))
    };
    let names = table.column_names().join(", ");
    let texts = find(text_column)?.ok_or_else(|| {
        invalid(format!(
            "no column `{text_column}` among {names}; name it with text_column="
        ))
    })?;
    Ok((texts, find(id_column)?))
}

/// The arrays that a Python object hands out.
fn import(object: &Bound<'_, PyAny>) -> PyResult<Vec<ArrayRef>> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        let capsule = capsule.cast::<PyCapsule>()?;
        let pointer = capsule
            .pointer_checked(Some(c"arrow_array_stream"))?
            .cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule of this name holds a stream of Arrow's C interface (the PyCapsule
        // protocol); it is moved out, and what is left is marked as released.
        let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
        let reader = ArrayStreamReader::try_new(stream).map_err(arrow_error)?;
        return reader.collect::<Result<_, _>>().map_err(arrow_error);
    }
    if object.hasattr("__arrow_c_array__")? {
        let pair = object.call_method0("__arrow_c_array__")?;
        let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = pair.extract()?;
        let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
        let array = array.pointer_checked(Some(c"arrow_array"))?.cast::<FFI_ArrowArray>();
        // SAFETY: as above; the schema stays in its capsule, which outlives the borrow.
        let data = unsafe {
            let array = FFI_ArrowArray::from_raw(array.as_ptr());
            from_ffi(array, schema.as_ref())
        };
        return Ok(vec![make_array(data.map_err(arrow_error)?)]);
    }
    let found = object.get_type().name()?;
    Err(invalid(format!(
        "{found} hands out no Arrow data; pass a column or table of pyarrow, polars, pandas or DuckDB, or use pipe()"
    )))
}
