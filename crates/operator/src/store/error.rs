//! What can go wrong with the store, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nephoran_model::intent::IntentId;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    // At the start.
    #[error(
        "the data folder {folder} is in use by another operator{}; stop that one, or give this one its own folder with --data",
        .process.as_ref().map(|process| format!(" (process {process})")).unwrap_or_default()
    )]
    InUse { folder: PathBuf, process: Option<String> },
    #[error("prepare the data folder {folder}; it must be a folder that this user may write")]
    Folder { folder: PathBuf, source: io::Error },
    #[error("the store {file} cannot be written; give this user write permission on it and on its folder")]
    ReadOnly { file: PathBuf },
    #[error(
        "the store {file} has schema {found}, this program knows up to {known}; use the newer program that wrote it"
    )]
    Newer { file: PathBuf, found: i64, known: i64 },
    #[error(
        "the store {file} is broken: {what}; nothing was changed: restore it from a backup, or move it away to start empty"
    )]
    Broken { file: PathBuf, what: String },
    #[error("SQLite {found} is too old: before 3.51.3 it can lose data that was written")]
    OldLibrary { found: &'static str },
    #[error("open the store {file}")]
    Open { file: PathBuf, source: rusqlite::Error },

    // While running.
    #[error("the store cannot write now: {reason}")]
    Unavailable { reason: String },
    #[error("too much waits for the store")]
    Busy,
    #[error("the store is closed")]
    Closed,
    #[error("the idempotency key was used with other content")]
    KeyReused,
    #[error("intent {id} has version {stored}, not {expected}: read it again")]
    Stale { id: IntentId, expected: u64, stored: u64 },
    #[error("no intent has the id {id}")]
    Unknown { id: IntentId },
    #[error("an intent with the id {id} is there already")]
    Exists { id: IntentId },
    #[error("intent {id} cannot be stored: {detail}")]
    Invalid { id: IntentId, detail: String },
    #[error("the cursor is none that a list returned")]
    Cursor,
    #[error("understand the stored record of intent {id}")]
    Record { id: String, source: serde_json::Error },
    #[error("{what}")]
    Read { what: &'static str, source: rusqlite::Error },
}

impl Error {
    /// When to try the same again; `None` when that cannot help.
    pub fn retry(&self) -> Option<Duration> {
        match self {
            // The writer tries to reopen at least every two seconds.
            Self::Unavailable { .. } => Some(Duration::from_secs(2)),
            Self::Busy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// A word from a closed set, for labels.
    pub fn category(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "in_use",
            Self::Folder { .. } | Self::ReadOnly { .. } => "permission",
            Self::Newer { .. } | Self::OldLibrary { .. } => "version",
            Self::Broken { .. } | Self::Record { .. } => "broken",
            Self::Open { .. } | Self::Read { .. } => "io",
            Self::Unavailable { .. } => "unavailable",
            Self::Busy => "busy",
            Self::Closed => "closed",
            Self::KeyReused | Self::Stale { .. } | Self::Exists { .. } => "conflict",
            Self::Unknown { .. } => "unknown",
            Self::Invalid { .. } | Self::Cursor => "invalid",
        }
    }
}
