//! The file of the index: opened, or thrown away and begun anew.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::warn;

use super::Error;

/// Of the tables and of how texts are cut and cleaned: whoever changes either counts it up.
const SCHEMA: i64 = 1;

/// `nepr`, so that `file` and we can tell whose database it is.
const APPLICATION: i64 = 0x6e65_7072;

const CREATE: &str = "
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE documents (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    stamp  TEXT NOT NULL,
    looked INTEGER NOT NULL, -- nanoseconds since 1970 when the stamp was read
    hash   BLOB NOT NULL
) STRICT;
-- Numbers are never used again: whoever still holds one finds that passage or none.
CREATE TABLE passages (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL,
    name     TEXT NOT NULL UNIQUE,
    title    TEXT NOT NULL,
    text     TEXT NOT NULL
) STRICT;
CREATE INDEX of_document ON passages (document);
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY,
    vector  BLOB NOT NULL -- f32, little end first, of length one
) STRICT;
-- The texts are in `passages`: the words alone are kept here.
CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
);
";

#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) database: PathBuf,
}

impl Files {
    pub(super) fn of(path: &Path) -> Self {
        Self { database: path.to_owned() }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut path = self.database.clone().into_os_string();
        path.push(end);
        path.into()
    }
}

/// Held by the one process that writes; the system gives it up when that ends, however that is.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// `None`: another process holds it.
    pub(super) fn take(files: &Files) -> Result<Option<Self>, Error> {
        let path = files.beside(".lock");
        let failed = |source: io::Error| Error::Place { path: files.database.clone(), source };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(failed(errno.into())),
        }
    }
}

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) made_anew: bool,
}

/// Only for who holds the lock.
pub(super) fn open_writer(files: &Files) -> Result<Writer, Error> {
    match open_current(files) {
        Ok(Some(connection)) => Ok(Writer { connection, made_anew: false }),
        Ok(None) => begin_anew(files),
        Err(Error::Open { source, .. }) if is_broken(&source) => {
            warn!(path = %files.database.display(), cause = %source, "The index of documents is broken; it is made anew.");
            begin_anew(files)
        }
        Err(other) => Err(other),
    }
}

/// Throws away what there is. Whoever reads the old file goes on reading it until it asks again.
pub(super) fn begin_anew(files: &Files) -> Result<Writer, Error> {
    for end in ["", "-wal", "-shm"] {
        match fs::remove_file(files.beside(end)) {
            Ok(()) => {}
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Place { path: files.database.clone(), source }),
        }
    }
    let open = |source| Error::Open { path: files.database.clone(), source };
    let connection = connect(files).map_err(open)?;
    connection
        .execute_batch(&format!(
            "BEGIN IMMEDIATE; {CREATE} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"
        ))
        .map_err(open)?;
    Ok(Writer { connection, made_anew: true })
}

/// `None`: there is nothing, or another version's.
fn open_current(files: &Files) -> Result<Option<Connection>, Error> {
    let open = |source| Error::Open { path: files.database.clone(), source };
    let is_new = fs::metadata(&files.database).map_or(true, |found| found.len() == 0);
    if is_new {
        return Ok(None);
    }
    let connection = raw(files).map_err(open)?;
    let number =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(open);
    let (application, version) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION && application != 0 {
        return Err(Error::Foreign { path: files.database.clone() });
    }
    if application != APPLICATION || version != SCHEMA {
        return Ok(None);
    }
    configure(&connection).map_err(open)?;
    Ok(Some(connection))
}

fn connect(files: &Files) -> rusqlite::Result<Connection> {
    let connection = raw(files)?;
    configure(&connection)?;
    Ok(connection)
}

fn raw(files: &Files) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&files.database, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Writes to the file: only for one that is ours.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a power failure takes is taken in again.
    connection.pragma_update(None, "synchronous", "NORMAL")
}

pub(super) fn open_reader(files: &Files) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&files.database, flags)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    Ok(connection)
}

/// What only making it anew mends.
pub(super) fn is_broken(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || message.as_deref().is_some_and(|message| message.starts_with("no such table"))
        }
        _ => false,
    }
}

/// Once for every opening: the pages, and that the words are those of an FTS5 index.
pub(super) fn is_whole(connection: &Connection) -> bool {
    let pages: rusqlite::Result<String> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let words = connection.execute("INSERT INTO words (words) VALUES ('integrity-check')", []);
    matches!(pages.as_deref(), Ok("ok")) && words.is_ok()
}
