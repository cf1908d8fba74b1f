//! How far a run is, on disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::io_error;
use crate::error::Error;

/// What is done. Everything beyond it is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    /// Reports of the input that are written, or listed as failed.
    pub reports: u64,
    /// Reports that failed.
    pub failed: u64,
    /// Length of the JSONL output, in bytes.
    pub bytes: u64,
    /// Length of the errors file, in bytes.
    pub error_bytes: u64,
    /// Parts of each Parquet table.
    pub parts: u64,
    /// Everything is written.
    pub finished: bool,
}

/// The progress file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The input that the run began with.
    pub input: String,
    /// What the output depends on besides it.
    pub settings: String,
    /// How far it is.
    pub done: Done,
}

impl State {
    /// Reads the file; `None` where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(path, error)),
        };
        let state = serde_json::from_str(&text).map_err(|error| {
            io_error(
                path,
                format!("not the progress of a run: {error}; remove the output and start anew"),
            )
        })?;
        Ok(Some(state))
    }

    /// Writes the file, so that at any moment either the old or the new one is there.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self).map_err(|error| io_error(path, error))?;
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let written = File::create(&name)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&name, path));
        written.map_err(|error| io_error(path, error))
    }
}
