//! Opens the database file, or says what is wrong with it and changes nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::Error;

/// What `PRAGMA user_version` says of a file that this program writes.
pub(super) const SCHEMA: i64 = 1;

/// `neph`, so that `file` and we can tell whose database it is.
const APPLICATION: i64 = 0x6e65_7068;

/// From here on the WAL-reset bug is mended: before, two connections could lose a commit.
const OLDEST_LIBRARY: i32 = 3_051_003;

const CREATE: &str = "
CREATE TABLE intents (
    seq        INTEGER PRIMARY KEY, -- order of acceptance
    id         TEXT NOT NULL UNIQUE,
    version    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    hold       TEXT,
    priority   INTEGER NOT NULL,
    source     TEXT NOT NULL,
    namespaces TEXT NOT NULL, -- each between two commas
    created_at INTEGER NOT NULL, -- this and the other times: microseconds since 1970
    deadline   INTEGER,
    not_before INTEGER,
    retry_at   INTEGER,
    ended_at   INTEGER,
    moves      INTEGER NOT NULL, -- length of the history
    last_audit INTEGER NOT NULL,
    key        BLOB, -- half of the SHA-256 of identity, door and idempotency key
    key_digest BLOB  -- of the bytes that came with it
) STRICT;
-- Keys fall anywhere in it: the shorter its entries, the fewer pages a batch touches.
CREATE UNIQUE INDEX by_key ON intents (key) WHERE key IS NOT NULL;
-- Those that have not ended; what has ended costs no entry.
CREATE INDEX live ON intents (state) WHERE ended_at IS NULL;
CREATE INDEX deadlines ON intents (deadline) WHERE ended_at IS NULL AND deadline IS NOT NULL;
-- Beside the columns above, so that a list need not page through the records.
CREATE TABLE records (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE folder_keys (
    key TEXT PRIMARY KEY,
    id  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    intent   TEXT,
    previous INTEGER NOT NULL, -- the same intent's entry before
    digest   BLOB NOT NULL,
    hash     BLOB NOT NULL,
    salt     BLOB, -- this and the words are NULL once erased
    words    BLOB
) STRICT;
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('opened', 0);
";

/// The files of one store.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) database: PathBuf,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), database: folder.join("nephoran.db") }
    }

    fn journal(&self) -> PathBuf {
        self.folder.join("nephoran.db-wal")
    }

    /// A journal that was not taken in: the last process did not close the store.
    pub(super) fn stopped_unclean(&self) -> bool {
        fs::metadata(self.journal()).is_ok_and(|journal| journal.len() > 0)
    }
}

/// Held as long as the store is open; the system gives it up when the process ends, however that is.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock. A process that was killed between starting a child and the child's first
/// instruction leaves the lock with the child for a moment: a little patience tells that from an
/// operator that runs.
fn take(file: &File) -> Result<(), rustix::io::Errno> {
    let patience = Instant::now() + Duration::from_secs(2);
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < patience => {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            tried => return tried,
        }
    }
}

/// Makes the folder when it is missing and takes it for this process alone.
pub(super) fn lock(files: &Files) -> Result<Lock, Error> {
    let folder = |source| Error::Folder { folder: files.folder.clone(), source };
    if !files.folder.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&files.folder).map_err(folder)?;
        // The new name must be on disk before anything in it is promised.
        if let Some(parent) = files.folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|parent| parent.sync_all()).map_err(folder)?;
        }
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(files.folder.join("nephoran.lock"))
        .map_err(folder)?;
    match take(&file) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut process = String::new();
            let process = file.read_to_string(&mut process).ok().map(|_| process.trim().to_owned());
            return Err(Error::InUse {
                folder: files.folder.clone(),
                process: process.filter(|process| !process.is_empty()),
            });
        }
        Err(errno) => return Err(folder(errno.into())),
    }
    // For the message above only: a full disk is no reason not to start.
    let _ = file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| write!(file, "{}", std::process::id()));
    Ok(Lock { _file: file })
}

/// The connection that alone writes.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// Pages in the journal after the last commit, told by SQLite.
    pub(super) journal: Arc<AtomicI32>,
}

pub(super) fn open_writer(files: &Files) -> Result<Opened, Error> {
    check_library(rusqlite::version_number(), rusqlite::version())?;
    check_file(files)?;
    let file = &files.database;
    // Made by us first: SQLite would let others read it, and its journal takes over its mode.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file)
        .map_err(|source| cannot_open(file, source))?;
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    let mut connection = connect().map_err(|source| explain(file, source))?;
    let found = version(&connection).map_err(|source| explain(file, source))?;
    match found {
        Found::Empty | Found::Ours(1..=SCHEMA) => {}
        Found::Ours(found) => return Err(Error::Newer { file: file.clone(), found, known: SCHEMA }),
        Found::Foreign => {
            return Err(Error::Broken {
                file: file.clone(),
                what: "it is a database of another program".into(),
            });
        }
    }
    let journal = Arc::<AtomicI32>::default();
    prepare(&mut connection, found == Found::Empty, journal.clone())
        .map_err(|source| explain(file, source))?;
    Ok(Opened { connection, journal })
}

pub(super) fn check_library(number: i32, name: &'static str) -> Result<(), Error> {
    if number < OLDEST_LIBRARY { Err(Error::OldLibrary { found: name }) } else { Ok(()) }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Empty,
    Ours(i64),
    Foreign,
}

/// Looks before anything is written, the journal mode included.
fn version(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let version = number("PRAGMA user_version")?;
    let application = number("PRAGMA application_id")?;
    Ok(match (tables, application, version) {
        (0, 0, 0) => Found::Empty,
        (_, APPLICATION, version) if version > 0 => Found::Ours(version),
        _ => Found::Foreign,
    })
}

fn prepare(connection: &mut Connection, is_empty: bool, journal: Arc<AtomicI32>) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidParameterName(format!("journal mode {mode} in place of wal")));
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0; -- the writer does it where it sees the error
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -4096; -- KiB
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = ON; -- what is erased is not left in free pages",
    )?;
    connection.wal_hook(Some(move |_: &mut Wal, pages| {
        journal.store(pages, Ordering::Relaxed);
        Ok(())
    }))?;
    if is_empty {
        let transaction = connection.transaction()?;
        transaction.execute_batch(CREATE)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()?;
    }
    Ok(())
}

/// A connection that reads beside the writer.
pub(super) fn open_reader(files: &Files) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        &files.database,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    Ok(connection)
}

/// A connection of another program that looks in: it makes nothing and takes no lock of ours.
pub(super) fn open_look(files: &Files) -> Result<Connection, Error> {
    check_file(files)?;
    let file = &files.database;
    let connection = open_reader(files).map_err(|source| explain(file, source))?;
    match version(&connection).map_err(|source| explain(file, source))? {
        Found::Ours(1..=SCHEMA) => Ok(connection),
        Found::Ours(found) => Err(Error::Newer { file: file.clone(), found, known: SCHEMA }),
        Found::Empty | Found::Foreign => {
            Err(Error::Broken { file: file.clone(), what: "it is no store of this program".into() })
        }
    }
}

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What can be seen without SQLite, which would take a file of zeros for a new database and
/// notice a cut one only when it needs the lost page.
fn check_file(files: &Files) -> Result<(), Error> {
    let file = &files.database;
    let broken = |what: String| Error::Broken { file: file.clone(), what };
    let mut opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if files.stopped_unclean() {
                return Err(broken("it is missing, but its journal nephoran.db-wal is there".into()));
            }
            return Ok(());
        }
        Err(source) => return Err(cannot_open(file, source)),
    };
    let metadata = opened.metadata().map_err(|source| cannot_open(file, source))?;
    if !metadata.is_file() {
        return Err(broken("it is not a regular file".into()));
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let mut header = [0; 100];
    if opened.read_exact(&mut header).is_err() || &header[..16] != MAGIC {
        return Err(broken("it is not a database".into()));
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    // With a journal there may be pages that only it has.
    if !files.stopped_unclean() && metadata.len() < page * pages {
        return Err(broken(format!(
            "it is cut short: {} bytes of {}, and there is no journal to mend it from",
            metadata.len(),
            page * pages
        )));
    }
    Ok(())
}

fn cannot_open(file: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::ReadOnly { file: file.to_owned() }
        }
        _ => Error::Folder { folder: file.parent().unwrap_or(file).to_owned(), source },
    }
}

fn explain(file: &Path, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            Error::Broken { file: file.to_owned(), what: "it is not a database".into() }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            Error::Broken { file: file.to_owned(), what: "its pages contradict each other".into() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::ReadOnly { file: file.to_owned() },
        _ => Error::Open { file: file.to_owned(), source },
    }
}
