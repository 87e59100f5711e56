//! Why the engine can't start or be provisioned, and what to do about it.

use std::path::PathBuf;

/// Why the embedded engine can't be used. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process has the data directory open.
    #[error("{} is in use by another process; stop that one or give another directory", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// A file of the data directory can't be read or written.
    #[error("{}: {source}; check the directory's owner, permissions and free space", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The kept secrets can't be understood. They hold the peppers, so nothing is overwritten.
    #[error("{} isn't valid: {source}; restore it from a backup, or give an empty directory to start without the old keys", path.display())]
    Secrets {
        /// The file.
        path: PathBuf,
        /// Where it breaks.
        source: serde_json::Error,
    },
    /// The database can't be opened.
    #[error("the embedded database can't be opened: {0}; check that engine.db is a database file, or give an empty directory")]
    Database(String),
    /// No local port for the engine.
    #[error("the engine found no free port on 127.0.0.1: {0}; free one and start again")]
    Port(#[source] std::io::Error),
    /// A kept table has another key or other indexes than the template.
    #[error("the kept table {table} differs from the template; give an empty directory, or undo the template's change")]
    TableChanged {
        /// The table's name.
        table: String,
    },
    /// The engine refused a call while tables or secrets were made.
    #[error("the engine refused to make {name}: {reason}; correct its block in the template")]
    Refused {
        /// The table or secret.
        name: String,
        /// The engine's words.
        reason: String,
    },
    /// A secret can't be generated as the template asks.
    #[error("the secret {name} can't be generated: {reason}; correct its GenerateSecretString")]
    Generate {
        /// The secret.
        name: String,
        /// What doesn't work.
        reason: String,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}; no safe secret can be made without it")]
    Randomness(String),
}

impl EngineError {
    pub(super) fn refused(name: &str, reason: impl std::error::Error) -> Self {
        // The SDK's own Display is "service error"; the cause is further down.
        let mut reasons = vec![reason.to_string()];
        let mut source = reason.source();
        while let Some(error) = source {
            reasons.push(error.to_string());
            source = error.source();
        }
        Self::Refused { name: name.to_owned(), reason: reasons.join(": ") }
    }
}
