//! Reading reports.

use std::io::{self, BufRead as _, Read};
use std::path::Path;

use serde::Deserialize;
use shorei::Error;

/// A report with its id.
pub struct Report {
    pub id: String,
    pub text: String,
}

/// Any failure, with its message for people.
pub type Failure = Box<dyn std::error::Error>;

/// True when writing failed because the reader of the pipe has gone.
pub fn is_broken_pipe(error: &Failure) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The reports of a file: all of a .jsonl, else the one that the file is. Each is a result of its
/// own, so that a broken record does not stop the rest.
pub fn reports(path: &Path, id: Option<&str>) -> Vec<Result<Report, Error>> {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => return vec![Err(error)],
    };
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        return text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| record(path, index + 1, line))
            .collect();
    }
    let stem = if path == Path::new("-") {
        "stdin".into()
    } else {
        path.file_stem().unwrap_or_default().to_string_lossy()
    };
    vec![Ok(Report {
        id: id.map_or_else(|| stem.into_owned(), str::to_owned),
        text,
    })]
}

/// Calls `visit` with the number and text of every line that is not empty, until it says false. The
/// file is read line by line, so that it may be larger than memory.
pub fn each_record(path: &Path, mut visit: impl FnMut(usize, &str) -> bool) -> Result<(), Error> {
    let io_error = |reason: String| Error::Io {
        path: path.to_owned(),
        reason,
    };
    let file = std::fs::File::open(path).map_err(|error| io_error(error.to_string()))?;
    for (index, line) in io::BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| io_error(format!("line {}: {error}", index + 1)))?;
        if !line.trim().is_empty() && !visit(index + 1, &line) {
            break;
        }
    }
    Ok(())
}

fn record(path: &Path, line: usize, text: &str) -> Result<Report, Error> {
    #[derive(Deserialize)]
    struct Record {
        id: String,
        text: String,
    }
    serde_json::from_str::<Record>(text)
        .map(|record| Report {
            id: record.id,
            text: record.text,
        })
        .map_err(|error| Error::Record {
            file: path.display().to_string(),
            line,
            reason: format!("{error}; expected {{\"id\": …, \"text\": …}}"),
        })
}

fn read(path: &Path) -> Result<String, Error> {
    let io_error = |reason: String| Error::Io {
        path: path.to_owned(),
        reason,
    };
    let limit = 16 * shorei::pipeline::MAX_REPORT_BYTES as u64;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| io_error(error.to_string()))?;
    } else if path.is_dir() {
        return Err(io_error(
            "is a folder; name the report files in it, e.g. FOLDER/*.txt".into(),
        ));
    } else if path.extension().is_some_and(|extension| extension == "jsonl") {
        bytes = std::fs::read(path).map_err(|error| io_error(error.to_string()))?;
    } else {
        let file = std::fs::File::open(path).map_err(|error| io_error(error.to_string()))?;
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| io_error(error.to_string()))?;
    }
    String::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })
}
