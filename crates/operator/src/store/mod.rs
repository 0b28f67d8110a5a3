//! The only place that is durable: one record per intent, its keys and the audit trail, in SQLite.
//!
//! What a call returned as done is on disk. All writes pass one thread, and what waits together
//! shares one sync; reads have connections of their own. No SQL is elsewhere.

mod audit;
mod error;
mod events;
mod look;
mod read;
mod readers;
pub mod retention;
mod schema;
mod stats;
mod write;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, Source, State};
use tokio::sync::{broadcast, oneshot, watch};
use tracing::{error, info};

pub use audit::{AuditEntry, AuditHead, AuditNote, Fault as AuditFault, Verification};
pub use error::Error;
pub use events::Event;
pub use look::Look;
pub use read::{Filter, Live, Page};
pub use stats::{Histogram, Snapshot, Stats};

use events::Events;
use readers::Readers;
use schema::Files;
use write::{Prepared, StoredKey};
use writer::{Job, Shared, Writer};

/// Requests that may wait for the writer. At some 2 KiB each this is 8 MiB.
const WAITING: usize = 4096;

/// A client's mark for one request. It belongs to (identity, door) and never meets another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptKey {
    pub identity: String,
    pub door: Source,
    pub key: String,
    /// SHA-256 of the bytes that were sent.
    pub digest: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    New {
        version: u64,
        audit: AuditHead,
    },
    /// The same key and bytes, or the same file, came before: this is that intent.
    Repeated {
        id: IntentId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    pub version: u64,
    /// The end of the audit trail with this write in it.
    pub audit: AuditHead,
    /// How many moves of the history were new.
    pub moves: usize,
}

/// Whether the store can write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Ready,
    Unavailable { reason: String },
    Closed,
}

/// A handle; clones share one store. It is closed when the last one is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    files: Files,
    jobs: SyncSender<Job>,
    readers: Readers,
    shared: Arc<Shared>,
    health: watch::Receiver<Health>,
    #[cfg(test)]
    fault: Arc<Fault>,
}

impl Store {
    /// Makes what is missing, takes the folder for this process and takes in what an unclean stop left.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let files = Files::of(folder);
        let lock = schema::lock(&files)?;
        let unclean = files.stopped_unclean();
        let opened = schema::open_writer(&files)?;
        let connection = &opened.connection;
        let failed = |source| Error::Open { file: files.database.clone(), source };
        let head = audit::head(connection).map_err(failed)?;
        let live = read::count_live(connection).map_err(failed)?;
        let recent = audit::last(connection, events::REMEMBERED).map_err(failed)?;
        let complete_after = recent.first().map_or(0, |first| first.sequence - 1);
        let recent = recent.into_iter().filter_map(remembered).collect();

        let (health_sender, health) = watch::channel(Health::Ready);
        let shared = Arc::new(Shared {
            head: Mutex::new(head),
            live: AtomicUsize::new(live),
            waiting: AtomicUsize::new(0),
            events: Events::new(recent, complete_after),
            stats: Stats::new(),
            health: health_sender,
        });
        let thread = |source| Error::Folder { folder: files.folder.clone(), source };
        let readers = Readers::start(files.clone()).map_err(thread)?;
        let (jobs, receiver) = sync_channel(WAITING);
        #[cfg(test)]
        let fault = Arc::new(Fault::default());
        let writer = Writer::new(
            files.clone(),
            lock,
            opened,
            receiver,
            readers.clone(),
            shared.clone(),
            #[cfg(test)]
            fault.clone(),
        );
        thread::Builder::new().name("store-write".into()).spawn(move || writer.run()).map_err(thread)?;
        if unclean {
            info!(
                "The store was not closed cleanly; its journal was taken in and its pages are being checked."
            );
            check_in_background(files.clone(), shared.clone());
        }
        Ok(Self {
            inner: Arc::new(Inner {
                files,
                jobs,
                readers,
                shared,
                health,
                #[cfg(test)]
                fault,
            }),
        })
    }

    /// Writes what waits, takes the journal in and gives the folder up. Later calls fail.
    pub async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        let jobs = self.inner.jobs.clone();
        self.inner.shared.waiting.fetch_add(1, Ordering::Relaxed);
        // May wait for room: not on a thread that others need.
        let sent = tokio::task::spawn_blocking(move || jobs.send(Job::Close { answer })).await;
        if matches!(sent, Ok(Ok(()))) {
            // An error says that it was closed already.
            let _ = closed.await;
        }
    }

    /// Record, keys and audit entries in one commit; returns when they are on disk.
    ///
    /// Once called, the intent may be stored even if the future is dropped: run it to its end, in a task
    /// of its own where the caller can go away.
    pub async fn accept(
        &self,
        mut intent: Intent,
        key: Option<AcceptKey>,
        folder_key: Option<String>,
    ) -> Result<Accepted, Error> {
        intent.version = 1;
        let prepared = Box::new(Prepared::new(intent)?);
        let key = key.as_ref().map(StoredKey::new);
        self.send(|answer| Job::Accept { prepared, key, folder_key, answer }).await
    }

    /// Replaces the record if it still has `intent.version`; the returned version is one more.
    /// Moves that are new in the history, and `notes` before them, go into the audit trail.
    pub async fn advance(&self, mut intent: Intent, notes: Vec<AuditNote>) -> Result<Advanced, Error> {
        intent.version += 1;
        let prepared = Box::new(Prepared::new(intent)?);
        self.send(|answer| Job::Advance { prepared, notes, answer }).await
    }

    /// The intent that came with this key before, and whether its bytes were the same.
    pub async fn repeated(&self, key: &AcceptKey) -> Result<Option<IntentId>, Error> {
        let key = StoredKey::new(key);
        self.read(move |connection| {
            let found = write::by_key(connection, &key.key)
                .map_err(|source| Error::Read { what: "look up an idempotency key", source })?;
            match found {
                None => Ok(None),
                Some((id, digest)) if digest == key.digest => Ok(Some(id)),
                Some(_) => Err(Error::KeyReused),
            }
        })
        .await
    }

    /// Forgets up to `limit` intents that ended before `ended_before`: their records and keys are
    /// removed and their words erased from the audit trail, whose chain stays whole. Returns how many.
    pub async fn forget(&self, ended_before: Timestamp, limit: usize) -> Result<usize, Error> {
        let before = ended_before.as_microsecond();
        let old = self.read(move |connection| read::ended_before(connection, before, limit)).await?;
        if old.is_empty() {
            return Ok(0);
        }
        self.send(|answer| Job::Forget { old, answer }).await
    }

    /// The file is where its intent is: the same name may come again as another request.
    pub async fn retire_folder_key(&self, key: &str) -> Result<(), Error> {
        let key = key.to_owned();
        self.send(|answer| Job::RetireFolderKey { key, answer }).await
    }

    pub async fn get(&self, id: &IntentId) -> Result<Option<Intent>, Error> {
        let id = id.clone();
        self.read(move |connection| read::get(connection, &id)).await
    }

    /// Newest first.
    pub async fn list(&self, filter: Filter, cursor: Option<String>, limit: usize) -> Result<Page, Error> {
        self.read(move |connection| read::list(connection, &filter, cursor.as_deref(), limit)).await
    }

    /// All that have not ended, in order of acceptance.
    pub async fn live(&self) -> Result<Vec<Live>, Error> {
        self.read(read::live).await
    }

    /// Those that wait although their deadline has passed.
    pub async fn passed(&self, now: Timestamp) -> Result<Vec<IntentId>, Error> {
        self.read(move |connection| read::passed(connection, now)).await
    }

    /// How many have not ended; costs nothing.
    pub fn count_live(&self) -> usize {
        self.inner.shared.live.load(Ordering::Relaxed)
    }

    /// How many intents that have not ended are in each state.
    pub async fn count_states(&self) -> Result<Vec<(State, usize)>, Error> {
        self.read(|connection| {
            read::count_states(connection).map_err(|source| Error::Read { what: "count the intents", source })
        })
        .await
    }

    /// Whole records in these states, in order of acceptance, `limit` at a time: begin with `after` 0
    /// and go on with the number returned until nothing comes.
    pub async fn in_states(
        &self,
        states: &[State],
        after: i64,
        limit: usize,
    ) -> Result<(Vec<Intent>, i64), Error> {
        let states = states.to_vec();
        self.read(move |connection| read::in_states(connection, &states, after, limit)).await
    }

    /// Entries after the number `after`, oldest first: of one intent, or of all.
    pub async fn audit(
        &self,
        id: Option<&IntentId>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Error> {
        let id = id.cloned();
        self.read(move |connection| {
            let failed = |source| Error::Read { what: "read the audit trail", source };
            match id {
                None => audit::entries(connection, after, limit).map_err(failed),
                Some(id) => {
                    let last = read::last_audit(connection, &id)?.ok_or(Error::Unknown { id })?;
                    audit::entries_of(connection, last, after, limit).map_err(failed)
                }
            }
        })
        .await
    }

    /// Something that belongs to no intent: a start, a reload, a pause.
    pub async fn audit_record(
        &self,
        kind: &'static str,
        actor: &str,
        body: serde_json::Value,
    ) -> Result<AuditHead, Error> {
        let note = AuditNote { kind, actor: actor.to_owned(), body };
        self.send(|answer| Job::Record { note, answer }).await
    }

    /// Goes through the whole chain. `known` are heads that others remember, e.g. those in commits.
    pub async fn verify_audit(&self, known: Vec<AuditHead>) -> Result<Verification, Error> {
        let mut known = known;
        // What this process has seen itself must be there as well.
        known.push(self.audit_head());
        known.retain(|head| head.sequence > 0);
        self.read(move |connection| audit::verify(connection, &known)).await
    }

    pub fn audit_head(&self) -> AuditHead {
        self.inner.shared.head()
    }

    /// Moves from now on. A receiver that lags is told so, and asks [`Store::events_after`].
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.shared.events.subscribe()
    }

    /// Moves after the number `seq`; `None` when they are no longer remembered.
    pub fn events_after(&self, seq: u64) -> Option<Vec<Event>> {
        self.inner.shared.events.after(seq, self.audit_head().sequence)
    }

    /// Changes when the store stops and starts again to be able to write. After it was unavailable,
    /// a move that was told as failed may be stored after all: look at [`Store::live`] again. An
    /// acceptance that was told as failed was undone.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.clone()
    }

    pub fn stats(&self) -> &Stats {
        &self.inner.shared.stats
    }

    /// Looks at every page; the list of complaints is empty when the file is sound.
    pub async fn integrity_check(&self) -> Result<Vec<String>, Error> {
        self.read(|connection| {
            complaints(connection, "integrity_check")
                .map_err(|source| Error::Read { what: "check the store", source })
        })
        .await
    }

    async fn send<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Job) -> Result<T, Error> {
        match &*self.inner.health.borrow() {
            Health::Ready => {}
            Health::Unavailable { reason } => return Err(Error::Unavailable { reason: reason.clone() }),
            Health::Closed => return Err(Error::Closed),
        }
        let (answer, told) = oneshot::channel();
        self.inner.shared.waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.inner.jobs.try_send(job(answer)) {
            self.inner.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(match error {
                TrySendError::Full(_) => Error::Busy,
                TrySendError::Disconnected(_) => Error::Closed,
            });
        }
        told.await.unwrap_or(Err(Error::Closed))
    }

    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&rusqlite::Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.inner.readers.ask(question).await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("file", &self.inner.files.database).finish_non_exhaustive()
    }
}

/// An entry of the trail as the event it was.
fn remembered(entry: AuditEntry) -> Option<Event> {
    if entry.kind != audit::MOVED {
        return None;
    }
    let state = State::parse(entry.body.as_ref()?.get("state")?.as_str()?)?;
    Some(Event { seq: entry.sequence, id: entry.intent?, state, at: entry.at })
}

fn complaints(connection: &rusqlite::Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {check}(100)"))?;
    let told = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut told: Vec<String> = told.collect::<rusqlite::Result<_>>()?;
    told.retain(|line| line != "ok");
    Ok(told)
}

/// On a thread of its own: a large store takes seconds, and it is open meanwhile.
fn check_in_background(files: Files, shared: Arc<Shared>) {
    let check = move || {
        let told = schema::open_reader(&files).and_then(|connection| complaints(&connection, "quick_check"));
        let what = match told {
            Ok(told) if told.is_empty() => return info!("The store's pages are sound."),
            Ok(told) => told.join("; "),
            Err(error) => error.to_string(),
        };
        error!(file = %files.database.display(), cause = what, "The store is broken; restore it from a backup.");
        // Goes out by /readyz, which says nothing of this machine's folders.
        let reason = format!("the database is broken: {what}");
        shared.health.send_replace(Health::Unavailable { reason });
    };
    if let Err(error) = thread::Builder::new().name("store-check".into()).spawn(check) {
        error!(%error, "The store could not be checked.");
    }
}

/// Makes commits and reopenings fail, as a disk would.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Fault {
    commits: std::sync::atomic::AtomicU32,
    /// Commits that reach the disk and are told as failed.
    late: std::sync::atomic::AtomicU32,
    reopens: std::sync::atomic::AtomicU32,
    /// Pages that the disk has room for; 0 for as many as there are.
    pages: std::sync::atomic::AtomicU32,
}

#[cfg(test)]
impl Fault {
    fn fires(left: &std::sync::atomic::AtomicU32) -> rusqlite::Result<()> {
        let fired = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match fired {
            Err(_) => Ok(()),
            Ok(_) => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
                None,
            )),
        }
    }

    fn at_begin(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let pages = match self.pages.load(Ordering::SeqCst) {
            0 => u32::MAX - 1,
            pages => pages,
        };
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
    }

    fn at_commit(&self) -> rusqlite::Result<()> {
        Self::fires(&self.commits)
    }

    fn after_commit(&self) -> rusqlite::Result<()> {
        Self::fires(&self.late)
    }

    fn at_reopen(&self) -> rusqlite::Result<()> {
        Self::fires(&self.reopens)
    }
}

#[cfg(test)]
mod tests;
