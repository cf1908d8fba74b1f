//! Reports of a file or folder, one at a time, in a fixed order.

#[cfg(feature = "tables")]
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::Value;

use super::{Fault, Job, io_error};
use crate::error::Error;
use crate::pipeline::MAX_REPORT_BYTES;

/// The longest line of JSONL, in bytes: a report at its limit with every character escaped.
const MAX_LINE_BYTES: usize = 8 * MAX_REPORT_BYTES;
/// Rows of Parquet that are decoded at a time.
#[cfg(feature = "tables")]
const PARQUET_ROWS: usize = 256;

/// A report with its id.
pub struct Report {
    pub id: String,
    pub text: String,
}

/// A report of the input, or what is wrong with it.
pub struct Item {
    /// File and line, row or file.
    pub place: String,
    pub report: Result<Report, Fault>,
}

impl Item {
    fn fault(place: String, id: &str, code: &str, reason: String) -> Self {
        let fault = Fault {
            id: id.to_owned(),
            place: place.clone(),
            code: code.to_owned(),
            reason,
        };
        Item {
            place,
            report: Err(fault),
        }
    }
}

/// An open input.
pub struct Input {
    path: PathBuf,
    id_field: String,
    text_field: String,
    source: Source,
}

enum Source {
    Lines {
        file: BufReader<File>,
        line: usize,
        read: u64,
        bytes: u64,
    },
    Csv {
        reader: Box<csv::Reader<File>>,
        id: usize,
        text: usize,
        bytes: u64,
    },
    Folder {
        files: Vec<PathBuf>,
        at: usize,
    },
    #[cfg(feature = "tables")]
    Parquet(Box<Parquet>),
}

#[cfg(feature = "tables")]
struct Parquet {
    reader: parquet::arrow::arrow_reader::ParquetRecordBatchReader,
    rows: u64,
    row: u64,
    ready: VecDeque<Item>,
}

impl Input {
    pub fn open(job: &Job) -> Result<Self, Error> {
        let path = &job.input;
        let fail = |error: std::io::Error| io_error(path, format!("{error}; check that it exists and may be read"));
        let source = if path.is_dir() {
            folder(path)?
        } else {
            let file = File::open(path).map_err(fail)?;
            let bytes = file.metadata().map_err(fail)?.len();
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            match extension.as_str() {
                "jsonl" | "ndjson" => Source::Lines {
                    file: BufReader::with_capacity(1 << 16, file),
                    line: 0,
                    read: 0,
                    bytes,
                },
                "csv" | "tsv" => csv(path, job, file, bytes, if extension == "csv" { b',' } else { b'\t' })?,
                #[cfg(feature = "tables")]
                "parquet" => Source::Parquet(Box::new(parquet(path, job, file, 0)?)),
                _ => {
                    return Err(io_error(
                        path,
                        "unknown kind of input; expected .jsonl, .csv, .tsv, .parquet or a folder of .txt files",
                    ));
                }
            }
        };
        Ok(Input {
            path: path.clone(),
            id_field: job.id_field.clone(),
            text_field: job.text_field.clone(),
            source,
        })
    }

    /// What tells that the input is the one that a run began with: sizes and times of its files.
    pub fn fingerprint(&self) -> Result<String, Error> {
        let one = |path: &Path| -> Result<(u64, u128), Error> {
            let metadata = std::fs::metadata(path).map_err(|error| io_error(path, error))?;
            let changed = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            Ok((metadata.len(), changed.map_or(0, |time| time.as_nanos())))
        };
        if let Source::Folder { files, .. } = &self.source {
            let mut crc = crc32fast::Hasher::new();
            for file in files {
                let (bytes, changed) = one(file)?;
                crc.update(file.file_name().unwrap_or_default().as_encoded_bytes());
                crc.update(format!("\0{bytes} {changed}\0").as_bytes());
            }
            return Ok(format!("{} files, {:08x}", files.len(), crc.finalize()));
        }
        let (bytes, changed) = one(&self.path)?;
        Ok(format!("{bytes} bytes, {changed}"))
    }

    /// The next report; `None` at the end.
    ///
    /// # Errors
    /// Only for what ends the run: a file that cannot be read any further.
    pub fn next(&mut self) -> Result<Option<Item>, Error> {
        let place = |number: usize| format!("{}:{number}", self.path.display());
        match &mut self.source {
            Source::Lines { file, line, read, .. } => loop {
                let (bytes, text) = match next_line(file).map_err(|error| io_error(&self.path, error))? {
                    None => return Ok(None),
                    Some(found) => found,
                };
                *line += 1;
                *read += bytes;
                let Some(text) = text else {
                    let reason = format!("the line has more than {MAX_LINE_BYTES} bytes; one report a line");
                    return Ok(Some(Item::fault(place(*line), "", "record", reason)));
                };
                let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
                if !text.trim_ascii().is_empty() {
                    return Ok(Some(record(text, place(*line), &self.id_field, &self.text_field)));
                }
            },
            Source::Csv { reader, id, text, .. } => {
                let mut row = csv::ByteRecord::new();
                let more = reader.read_byte_record(&mut row);
                if !more.map_err(|error| io_error(&self.path, error))? {
                    return Ok(None);
                }
                let line = row.position().map_or(0, csv::Position::line);
                let place = place(line as usize);
                let cell = |at: usize| row.get(at).map(std::str::from_utf8);
                Ok(Some(match (cell(*id), cell(*text)) {
                    (Some(Ok(id)), Some(Ok(text))) => checked(id, text, place),
                    (Some(Err(_)), _) | (_, Some(Err(_))) => Item::fault(
                        place,
                        "",
                        "not-utf8",
                        "not UTF-8; convert the file, e.g. `iconv -f CP932 -t UTF-8`".into(),
                    ),
                    _ => Item::fault(
                        place,
                        "",
                        "record",
                        format!("the row has {} cells, fewer than the header", row.len()),
                    ),
                }))
            }
            Source::Folder { files, at } => {
                let Some(path) = files.get(*at) else { return Ok(None) };
                *at += 1;
                Ok(Some(text_file(path)))
            }
            #[cfg(feature = "tables")]
            Source::Parquet(parquet) => {
                while parquet.ready.is_empty() {
                    let Some(batch) = parquet.reader.next() else {
                        return Ok(None);
                    };
                    let batch = batch.map_err(|error| io_error(&self.path, error))?;
                    parquet.ready = rows(&self.path, &batch, parquet.row, &self.id_field, &self.text_field)?;
                    parquet.row += batch.num_rows() as u64;
                }
                Ok(parquet.ready.pop_front())
            }
        }
    }

    /// Passes over reports that are done.
    pub fn skip(&mut self, reports: u64) -> Result<(), Error> {
        #[cfg(feature = "tables")]
        if let Source::Parquet(parquet) = &mut self.source {
            let job = Job {
                id_field: self.id_field.clone(),
                text_field: self.text_field.clone(),
                ..Job::new(&self.path, "")
            };
            let file = File::open(&self.path).map_err(|error| io_error(&self.path, error))?;
            **parquet = self::parquet(&self.path, &job, file, reports)?;
            return Ok(());
        }
        if let Source::Folder { at, .. } = &mut self.source {
            *at = reports as usize;
            return Ok(());
        }
        for _ in 0..reports {
            self.next()?;
        }
        Ok(())
    }

    /// The part of the input that is read, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        let (read, all) = match &self.source {
            Source::Lines { read, bytes, .. } => (*read, *bytes),
            Source::Csv { reader, bytes, .. } => (reader.position().byte(), *bytes),
            Source::Folder { files, at } => (*at as u64, files.len() as u64),
            #[cfg(feature = "tables")]
            Source::Parquet(parquet) => (parquet.row - parquet.ready.len() as u64, parquet.rows),
        };
        if all == 0 {
            1.0
        } else {
            (read as f64 / all as f64).min(1.0)
        }
    }
}

/// A line with its number of bytes, both with the line break; without its text where it is too long.
type Line = (u64, Option<Vec<u8>>);

fn next_line(file: &mut impl BufRead) -> std::io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut bytes = 0;
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok((bytes > 0).then_some((bytes, (bytes as usize <= MAX_LINE_BYTES).then_some(line))));
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = end.map_or(buffer.len(), |end| end + 1);
        bytes += part as u64;
        if bytes as usize <= MAX_LINE_BYTES {
            line.extend_from_slice(&buffer[..part]);
        }
        file.consume(part);
        if end.is_some() {
            return Ok(Some((bytes, (bytes as usize <= MAX_LINE_BYTES).then_some(line))));
        }
    }
}

/// A record of JSONL. What is said of a broken one quotes nothing of it: it may be the report.
fn record(line: &[u8], place: String, id_field: &str, text_field: &str) -> Item {
    let Ok(line) = std::str::from_utf8(line) else {
        let reason = "not UTF-8; convert the file, e.g. `iconv -f CP932 -t UTF-8`".to_owned();
        return Item::fault(place, "", "not-utf8", reason);
    };
    let mut fields = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Item::fault(place, "", "record", "no JSON object; one `{…}` a line".into()),
        Err(error) => {
            let reason = format!("not JSON at column {}; one `{{…}}` a line", error.column());
            return Item::fault(place, "", "record", reason);
        }
    };
    let id = match fields.get(id_field) {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => {
            let reason = format!("no `{id_field}`, or not a string or number; name its field with --id-field");
            return Item::fault(place, "", "record", reason);
        }
    };
    match fields.remove(text_field) {
        Some(Value::String(text)) => checked(&id, &text, place),
        _ => {
            let reason = format!("no `{text_field}`, or not a string; name its field with --text-field");
            Item::fault(place, &id, "record", reason)
        }
    }
}

fn checked(id: &str, text: &str, place: String) -> Item {
    if id.is_empty() {
        return Item::fault(place, "", "record", "the id is empty; give every report one".into());
    }
    Item {
        place,
        report: Ok(Report {
            id: id.to_owned(),
            text: text.to_owned(),
        }),
    }
}

fn csv(path: &Path, job: &Job, file: File, bytes: u64, delimiter: u8) -> Result<Source, Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(file);
    let header = reader
        .byte_headers()
        .map_err(|error| io_error(path, error))?
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect::<Vec<_>>();
    let find = |name: &str, option: &str| {
        header.iter().position(|column| column == name).ok_or_else(|| {
            let columns = header.join(", ");
            io_error(
                path,
                format!("no column `{name}` in the header ({columns}); name it with {option}"),
            )
        })
    };
    let (id, text) = (
        find(&job.id_field, "--id-field")?,
        find(&job.text_field, "--text-field")?,
    );
    Ok(Source::Csv {
        reader: Box::new(reader),
        id,
        text,
        bytes,
    })
}

fn folder(path: &Path) -> Result<Source, Error> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| io_error(path, error))? {
        let file = entry.map_err(|error| io_error(path, error))?.path();
        if file.extension().is_some_and(|extension| extension == "txt") {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(io_error(path, "holds no .txt file; one report a file"));
    }
    files.sort();
    Ok(Source::Folder { files, at: 0 })
}

/// A report that is a file; its id is the file's name without the ending.
fn text_file(path: &Path) -> Item {
    let place = path.display().to_string();
    let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_REPORT_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Item::fault(place, &id, "io", error.to_string());
    }
    if bytes.len() > MAX_REPORT_BYTES {
        let reason = format!("more than {MAX_REPORT_BYTES} bytes; split it into one file a case");
        return Item::fault(place, &id, "too-long", reason);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Item {
            place,
            report: Ok(Report { id, text }),
        },
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let reason = format!("not UTF-8 at byte {at}; convert it, e.g. `iconv -f CP932 -t UTF-8`");
            Item::fault(place, &id, "not-utf8", reason)
        }
    }
}

#[cfg(feature = "tables")]
fn parquet(path: &Path, job: &Job, file: File, skip: u64) -> Result<Parquet, Error> {
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let fail = |error: parquet::errors::ParquetError| io_error(path, error);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fail)?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let fields = builder.schema().fields();
    let mut wanted = Vec::new();
    for (name, option) in [(&job.id_field, "--id-field"), (&job.text_field, "--text-field")] {
        let Some((at, _)) = fields.find(name) else {
            let columns: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            let columns = columns.join(", ");
            return Err(io_error(
                path,
                format!("no column `{name}` ({columns}); name it with {option}"),
            ));
        };
        wanted.push(at);
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(PARQUET_ROWS)
        .with_offset(usize::try_from(skip).unwrap_or(usize::MAX))
        .build()
        .map_err(fail)?;
    Ok(Parquet {
        reader,
        rows,
        row: skip,
        ready: VecDeque::new(),
    })
}

/// The reports of some rows.
#[cfg(feature = "tables")]
fn rows(
    path: &Path,
    batch: &arrow_array::RecordBatch,
    first: u64,
    id_field: &str,
    text_field: &str,
) -> Result<VecDeque<Item>, Error> {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_schema::DataType;
    let column = |name: &str| {
        batch
            .column_by_name(name)
            .ok_or_else(|| io_error(path, format!("no column `{name}`")))
    };
    let (ids, texts) = (column(id_field)?, column(text_field)?);
    let cell = |array: &dyn Array, row: usize| -> Option<String> {
        if array.is_null(row) {
            return None;
        }
        use arrow_array::types::{Int32Type, Int64Type};
        Some(match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
            DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
            DataType::Utf8View => array.as_string_view().value(row).to_owned(),
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            _ => return None,
        })
    };
    for (name, array) in [(id_field, ids), (text_field, texts)] {
        use DataType::{Int32, Int64, LargeUtf8, Utf8, Utf8View};
        let fits = match array.data_type() {
            Utf8 | LargeUtf8 | Utf8View => true,
            Int32 | Int64 => name == id_field,
            _ => false,
        };
        if !fits {
            let kind = array.data_type();
            return Err(io_error(
                path,
                format!("the column `{name}` is of {kind}; expected strings: cast it first"),
            ));
        }
    }
    let item = |row: usize| {
        let place = format!("{} row {}", path.display(), first + row as u64);
        match (cell(ids.as_ref(), row), cell(texts.as_ref(), row)) {
            (Some(id), Some(text)) => checked(&id, &text, place),
            (id, _) => Item::fault(
                place,
                &id.unwrap_or_default(),
                "record",
                "the id or the text is null".into(),
            ),
        }
    };
    Ok((0..batch.num_rows()).map(item).collect())
}
