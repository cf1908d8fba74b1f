//! One error type, with stable codes.

use std::path::PathBuf;

/// What can go wrong. Each has a stable [`Error::code`]; each message names the file, line and
/// value at fault and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{path}: {reason}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A report is not UTF-8.
    #[error("{path}: not UTF-8 at byte {at}; convert it first, e.g. `iconv -f CP932 -t UTF-8`", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First offending byte.
        at: usize,
    },
    /// A report is longer than [`crate::pipeline::MAX_REPORT_BYTES`].
    #[error("{id}: {bytes} bytes; a report may have at most {limit}: split it into one file a case")]
    TooLong {
        /// The report's id.
        id: String,
        /// Its length in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A dictionary row is broken.
    #[error("{file}:{line}: {reason}: `{value}`")]
    Dictionary {
        /// The table.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The value at fault.
        value: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A model file is broken or of another version.
    #[error("{file}:{line}: {reason}: `{value}`")]
    Model {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The value at fault.
        value: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A transformer's files are broken or do not fit together, or it was given what it cannot read.
    #[error("{file}: {reason}")]
    Encoder {
        /// The file or folder.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A dictionary pack is damaged, of another version, or too large.
    #[error("{path}: {reason}", path = path.display())]
    Pack {
        /// The pack.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A case index is damaged, of another version, in use, or cannot be written.
    #[error("{path}: {reason}", path = path.display())]
    Index {
        /// The index's folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A query cannot be understood.
    #[error("query: {reason}: `{value}`")]
    Query {
        /// The part at fault.
        value: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A record of a data file is broken.
    #[error("{file}:{line}: {reason}")]
    Record {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Data compiled into the program does not load: a fault of the build.
    #[error("embedded {what} does not load: {reason}; rebuild with `cargo clean && cargo build`")]
    Embedded {
        /// Which data.
        what: &'static str,
        /// The loader's message.
        reason: String,
    },
}

impl Error {
    /// A stable code, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Error::Io { .. } => "io",
            Error::NotUtf8 { .. } => "not-utf8",
            Error::TooLong { .. } => "too-long",
            Error::Dictionary { .. } => "dictionary",
            Error::Model { .. } => "model",
            Error::Encoder { .. } => "encoder",
            Error::Pack { .. } => "pack",
            Error::Index { .. } => "index",
            Error::Query { .. } => "query",
            Error::Record { .. } => "record",
            Error::Embedded { .. } => "embedded",
        }
    }
}

/// From now on a panic of this process says where it happened, and not what: the message of a slice
/// out of bounds quotes the string, which may be a report.
///
/// For programs that work on reports of patients; the command line and the Python package call it.
/// The message is still in the payload, for those who catch the panic.
pub fn hide_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        eprintln!(
            "shorei: a fault of shorei itself{place}; its message is left out, as it may quote a report. \
             Please report the place."
        );
    }));
}
