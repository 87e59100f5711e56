//! The directory that outlives the process: one user at a time, readable by its owner only.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::EngineError;

/// A data directory, locked for as long as this value lives.
pub(super) struct DataDir {
    path: PathBuf,
    /// The operating system releases the lock with the handle, also after a crash.
    _lock: File,
}

impl DataDir {
    /// Creates the directory if it is missing and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        if !path.exists() {
            create_private(path).map_err(|source| failed(path, source))?;
        }
        let lock_path = path.join("lock");
        let lock = private().open(&lock_path).map_err(|source| failed(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EngineError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(&lock_path, source)),
        }
    }

    /// The database file, created empty so that SQLite's files inherit its permissions.
    pub(super) fn database(&self) -> Result<PathBuf, EngineError> {
        let path = self.path.join("engine.db");
        private().open(&path).map_err(|source| failed(&path, source))?;
        Ok(path)
    }

    /// Where the secrets are kept.
    pub(super) fn secrets(&self) -> PathBuf {
        self.path.join("secrets.json")
    }
}

/// Replaces a file at once: after a crash it holds the old content or the new one, never half of it.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), EngineError> {
    let new = path.with_extension("new");
    let write = || {
        let mut file = private().truncate(true).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        // The rename itself is only durable once the directory is.
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|source| failed(path, source))
}

pub(super) fn failed(path: &Path, source: std::io::Error) -> EngineError {
    EngineError::File { path: path.to_owned(), source }
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
