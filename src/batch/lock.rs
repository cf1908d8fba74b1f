//! One run an output.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt;

use super::io_error;
use crate::error::Error;

/// Held by a run, beside its output: `cases.jsonl.lock`. The system gives it up with the process,
/// however that ends; the file that is left of a killed run is taken over by the next.
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock of an output, or says that another run has it.
    pub fn take(output: &Path) -> Result<Self, Error> {
        // `cases/` is `cases`: the lock stands beside the folder, not in it.
        let mut name = output.components().as_path().as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let fail = |error: std::io::Error| io_error(&path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(fail)?;
        }
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(fail)?;
            match FileExt::try_lock_exclusive(&file) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(io_error(
                        output,
                        "another run is writing to it; wait until it has ended, or name another output",
                    ));
                }
                // A file system without locks: nothing can be told of other runs.
                Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {}
                Err(error) => return Err(fail(error)),
            }
            // The run that had it may have removed the file between our opening and our locking.
            let ours = same_file::Handle::from_file(file.try_clone().map_err(fail)?).map_err(fail)?;
            if same_file::Handle::from_path(&path).is_ok_and(|there| there == ours) {
                return Ok(Lock { path, file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody's lock is removed but ours. If that fails, an
        // empty file stays, and harms nothing.
        let _ = std::fs::remove_file(&self.path);
        let _ = FileExt::unlock(&self.file);
    }
}
