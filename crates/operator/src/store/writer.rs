//! The one thread that writes: what waits shares a transaction and its one sync.
//!
//! ```text
//! gather -> commit (one sync) -> tell -> checkpoint when the journal is long
//!              |
//!            failed: everyone who waits is told; nothing is accepted until the store was
//!            closed, reopened and checkpointed, which is tried again and again.
//! ```

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nephoran_api::canonical::hex;
use nephoran_model::intent::IntentId;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use super::audit::{self, AuditHead, AuditNote, Salts};
use super::events::{self, Event, Events};
use super::readers::Readers;
use super::schema::{self, Files, Lock, Opened};
use super::stats::Stats;
use super::write::{Applied, Batch, Prepared, StoredKey, Transaction};
use super::{Accepted, Advanced, Error, Health, read, remembered};

/// Most requests in one transaction. Each costs some 20 us: a batch stays below the time of a slow sync.
const MOST: usize = 1024;

/// Concurrency from which on it pays to wait for those who were just answered.
const CROWD: usize = 8;

/// How long the writer looks away while a batch gathers, so that who sends need not wake it.
const LOOK_AWAY: Duration = Duration::from_micros(50);

/// Looks without anything new after which the batch is as large as it gets.
const STALLED: u32 = 3;

/// Longest gathering. Below half of the 10 ms that acceptance may cost beside the syncs.
const GATHER: Duration = Duration::from_millis(4);

/// A batch gathers for at most this part of the time that a commit takes: on a fast disk there is
/// little to share.
const GATHER_PART: u32 = 2;

/// Pages in the journal from which on they are taken into the database: 8 MiB.
const CHECKPOINT: i32 = 2000;

/// Pages from which on readers are waited for, so that the journal can start afresh: 128 MiB.
const CHECKPOINT_AT_ANY_PRICE: i32 = 32_000;

/// Waits between two tries to reopen.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Free bytes below which a full disk is still full: room for a batch, its journal and a checkpoint.
const ROOM: u64 = 1 << 20;

type Answer<T> = oneshot::Sender<Result<T, Error>>;

pub(super) enum Job {
    Accept {
        prepared: Box<Prepared>,
        key: Option<StoredKey>,
        folder_key: Option<String>,
        answer: Answer<Accepted>,
    },
    Advance {
        prepared: Box<Prepared>,
        notes: Vec<AuditNote>,
        answer: Answer<Advanced>,
    },
    Record {
        note: AuditNote,
        answer: Answer<AuditHead>,
    },
    RetireFolderKey {
        key: String,
        answer: Answer<()>,
    },
    Forget {
        old: Vec<i64>,
        answer: Answer<usize>,
    },
    Close {
        answer: oneshot::Sender<()>,
    },
}

impl Job {
    fn fail(self, reason: &str) {
        let error = || Error::Unavailable { reason: reason.to_owned() };
        // Whoever asked may have gone.
        match self {
            Self::Accept { answer, .. } => drop(answer.send(Err(error()))),
            Self::Advance { answer, .. } => drop(answer.send(Err(error()))),
            Self::Record { answer, .. } => drop(answer.send(Err(error()))),
            Self::RetireFolderKey { answer, .. } => drop(answer.send(Err(error()))),
            Self::Forget { answer, .. } => drop(answer.send(Err(error()))),
            Self::Close { answer } => drop(answer.send(())),
        }
    }
}

/// What is said to one who waits, once the commit is on disk.
enum Told {
    Accepted(Answer<Accepted>, Result<Accepted, Error>),
    Advanced(Answer<Advanced>, Result<Advanced, Error>),
    Recorded(Answer<AuditHead>, Result<AuditHead, Error>),
    Done(Answer<()>, Result<(), Error>),
    Forgotten(Answer<usize>, Result<usize, Error>),
}

impl Told {
    fn tell(self) {
        match self {
            Self::Accepted(answer, result) => drop(answer.send(result)),
            Self::Advanced(answer, result) => drop(answer.send(result)),
            Self::Recorded(answer, result) => drop(answer.send(result)),
            Self::Done(answer, result) => drop(answer.send(result)),
            Self::Forgotten(answer, result) => drop(answer.send(result)),
        }
    }

    fn fail(self, reason: &str) {
        let error = Error::Unavailable { reason: reason.to_owned() };
        match self {
            Self::Accepted(answer, _) => drop(answer.send(Err(error))),
            Self::Advanced(answer, _) => drop(answer.send(Err(error))),
            Self::Recorded(answer, _) => drop(answer.send(Err(error))),
            Self::Done(answer, _) => drop(answer.send(Err(error))),
            Self::Forgotten(answer, _) => drop(answer.send(Err(error))),
        }
    }
}

/// What others may know of the writer's work.
pub(super) struct Shared {
    pub(super) head: Mutex<AuditHead>,
    pub(super) live: AtomicUsize,
    /// Requests sent and not yet taken up.
    pub(super) waiting: AtomicUsize,
    pub(super) events: Events,
    pub(super) stats: Stats,
    pub(super) health: watch::Sender<Health>,
}

impl Shared {
    pub(super) fn head(&self) -> AuditHead {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_head(&self, head: AuditHead) {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
}

pub(super) struct Writer {
    files: Files,
    /// Given up before the end is told, so that the next can have the folder.
    lock: Option<Lock>,
    /// Absent only while the store is being reopened.
    opened: Option<Opened>,
    jobs: Receiver<Job>,
    readers: Readers,
    shared: Arc<Shared>,
    salts: Salts,
    /// Pages in the journal, one commit ago.
    pages: i32,
    /// Where the next checkpoint is due.
    due: i32,
    /// Requests that came at once lately: as many are likely to come again.
    crowd: usize,
    /// How long the last commit took, its sync included.
    last_commit: Duration,
    /// Who wants the store closed.
    closing: Option<oneshot::Sender<()>>,
    #[cfg(test)]
    pub(super) fault: Arc<super::Fault>,
}

/// The store as it was found when it was opened again.
struct Again {
    opened: Opened,
    head: AuditHead,
    live: usize,
    unheard: Vec<Event>,
}

/// Why the store stopped taking requests.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// Nothing was written: the connection is as good as before.
    Full(String),
    /// What is on disk is not known until the store was reopened.
    Unsure(String),
}

impl Failure {
    fn of(what: &str, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                Self::Full("the disk is full; it goes on by itself when there is space".into())
            }
            _ => Self::Unsure(format!("{what}: {error}")),
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Full(reason) | Self::Unsure(reason) => reason,
        }
    }
}

impl Writer {
    pub(super) fn new(
        files: Files,
        lock: Lock,
        opened: Opened,
        jobs: Receiver<Job>,
        readers: Readers,
        shared: Arc<Shared>,
        #[cfg(test)] fault: Arc<super::Fault>,
    ) -> Self {
        Self {
            files,
            lock: Some(lock),
            opened: Some(opened),
            jobs,
            readers,
            shared,
            salts: Salts::new(),
            pages: 0,
            due: CHECKPOINT,
            crowd: 0,
            last_commit: Duration::ZERO,
            closing: None,
            #[cfg(test)]
            fault,
        }
    }

    /// Until the last handle is gone or somebody closes.
    pub(super) fn run(mut self) {
        while self.closing.is_none() {
            let Ok(job) = self.jobs.recv() else { break };
            self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            if let Err(failure) = self.round(job) {
                self.recover(failure);
            }
        }
        self.shut();
        if let Some(answer) = self.closing.take() {
            let _ = answer.send(());
        }
    }

    /// One transaction, and a checkpoint when one is due.
    fn round(&mut self, first: Job) -> Result<(), Failure> {
        // Taken out meanwhile, so that the rest of the writer can be changed beside it.
        let opened = self.opened.take().expect("recover returns to here only with an open store");
        let result = self.transaction(&opened, first).and_then(|()| self.checkpoint(&opened));
        self.opened = Some(opened);
        if let Err(failure) = &result {
            self.shared.stats.failures.fetch_add(1, Ordering::Relaxed);
            self.not_ready(failure);
        }
        result
    }

    fn transaction(&mut self, opened: &Opened, first: Job) -> Result<(), Failure> {
        let connection = &opened.connection;
        let mut batch = Batch { head: self.shared.head(), events: Vec::new(), live: 0 };
        let mut told = Vec::with_capacity(self.crowd.min(MOST));
        let filled = self.fill(connection, first, &mut batch, &mut told);
        let started = Instant::now();
        if let Err(error) = filled.and_then(|()| self.commit(connection)) {
            // After some errors SQLite has rolled back by itself.
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            let failure = Failure::of("commit", &error);
            // Before anybody is told: who hears of it finds the store not ready.
            self.not_ready(&failure);
            told.into_iter().for_each(|told| told.fail(failure.reason()));
            return Err(failure);
        }
        self.last_commit = started.elapsed();
        self.shared.stats.committed(told.len(), self.last_commit);
        self.shared.set_head(batch.head);
        // Only this thread changes the count, so that it cannot fall below 0 in between.
        let live = self.shared.live.load(Ordering::Relaxed) as i64 + batch.live;
        self.shared.live.store(live.max(0) as usize, Ordering::Relaxed);
        self.shared.events.publish(batch.events);
        self.crowd = told.len() + self.shared.waiting.load(Ordering::Relaxed);
        told.into_iter().for_each(Told::tell);
        Ok(())
    }

    fn not_ready(&self, failure: &Failure) {
        self.shared.health.send_replace(Health::Unavailable { reason: failure.reason().to_owned() });
    }

    /// Applies requests as they come, until enough of the crowd is there.
    fn fill(
        &mut self,
        connection: &Connection,
        first: Job,
        batch: &mut Batch,
        told: &mut Vec<Told>,
    ) -> rusqlite::Result<()> {
        #[cfg(test)]
        self.fault.at_begin(connection)?;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        // Three quarters: the slowest need not be waited for.
        let enough = if self.crowd >= CROWD { (self.crowd * 3 / 4).min(MOST) } else { 0 };
        let patience = (self.last_commit / GATHER_PART).min(GATHER);
        let started = Instant::now();
        let mut idle = 0;
        let mut next = Some(first);
        loop {
            let before = told.len();
            while let Some(job) = next.take() {
                if let Job::Close { answer } = job {
                    self.closing = Some(answer);
                    return Ok(());
                }
                let mut transaction = Transaction { connection, salts: &mut self.salts, batch };
                let applied = apply(&mut transaction, job, told);
                applied?;
                if told.len() >= MOST {
                    return Ok(());
                }
                next = self.jobs.try_recv().ok();
                if next.is_some() {
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                }
            }
            idle = if told.len() > before { 0 } else { idle + 1 };
            if told.len() >= enough || idle >= STALLED || started.elapsed() >= patience {
                return Ok(());
            }
            // On a thread of its own, and shorter than any stop could notice.
            #[allow(clippy::disallowed_methods)]
            thread::sleep(LOOK_AWAY);
            next = self.jobs.try_recv().ok();
            if next.is_some() {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn commit(&self, connection: &Connection) -> rusqlite::Result<()> {
        #[cfg(test)]
        self.fault.at_commit()?;
        connection.prepare_cached("COMMIT")?.execute([])?;
        #[cfg(test)]
        self.fault.after_commit()?;
        Ok(())
    }

    /// Takes the journal into the database when it is long, so that it starts afresh.
    fn checkpoint(&mut self, opened: &Opened) -> Result<(), Failure> {
        let pages = opened.journal.load(Ordering::Relaxed);
        if pages < self.pages {
            // It did start afresh.
            self.due = CHECKPOINT;
        }
        self.pages = pages;
        if pages < self.due {
            return Ok(());
        }
        let at_any_price = pages >= CHECKPOINT_AT_ANY_PRICE;
        let mode = if at_any_price { "RESTART" } else { "PASSIVE" };
        // Should a reader keep the journal from starting afresh: not again for every commit.
        self.due = pages + if at_any_price { CHECKPOINT_AT_ANY_PRICE } else { CHECKPOINT };
        self.shared.stats.syncs.fetch_add(2, Ordering::Relaxed);
        opened
            .connection
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
            .map_err(|error| Failure::of("checkpoint", &error))
    }

    /// Refuses everything until the store can be written again, or is to be closed.
    fn recover(&mut self, mut failure: Failure) {
        error!(reason = failure.reason(), "The store cannot write; nothing is accepted until it can.");
        let mut wait = FIRST_WAIT;
        loop {
            if self.refuse_for(wait, failure.reason()).is_break() {
                return;
            }
            let tried = match failure {
                Failure::Full(_) => self.probe(),
                Failure::Unsure(_) => self.reopen(),
            };
            let Err(next) = tried else { break };
            warn!(reason = next.reason(), "The store still cannot write.");
            // Once unsure, only reopening makes sure.
            failure = match failure {
                Failure::Unsure(_) => Failure::Unsure(next.reason().to_owned()),
                Failure::Full(_) => next,
            };
            self.not_ready(&failure);
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        info!("The store writes again.");
        self.shared.health.send_replace(Health::Ready);
    }

    /// Breaks when the store is to be closed.
    fn refuse_for(&mut self, wait: Duration, reason: &str) -> ControlFlow<()> {
        let until = Instant::now() + wait;
        while self.closing.is_none() {
            match self.jobs.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Job::Close { answer }) => self.closing = Some(answer),
                Ok(job) => {
                    self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                    job.fail(reason);
                }
                Err(RecvTimeoutError::Timeout) => return ControlFlow::Continue(()),
                // The last handle is gone: `run` finds that too.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        ControlFlow::Break(())
    }

    /// Is there room again? The connection was not touched by the failure.
    fn probe(&mut self) -> Result<(), Failure> {
        let room = rustix::fs::statvfs(&self.files.folder)
            .map(|folder| folder.f_bavail.saturating_mul(folder.f_frsize))
            .unwrap_or(u64::MAX);
        if room < ROOM {
            return Err(Failure::Full("the disk is full; it goes on by itself when there is space".into()));
        }
        let connection = &self.opened.as_ref().expect("a full disk leaves the store open").connection;
        write_something(connection).map_err(|error| {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            Failure::of("write again", &error)
        })
    }

    /// Closes every connection, so that nothing is taken from memory that may not be on disk, opens
    /// the file again and has its whole journal taken in.
    fn reopen(&mut self) -> Result<(), Failure> {
        self.readers.pause();
        self.opened = None;
        let again = self.open_again();
        self.readers.resume();
        let again = again?;
        self.opened = Some(again.opened);
        self.pages = 0;
        self.due = CHECKPOINT;
        self.shared.set_head(again.head);
        self.shared.live.store(again.live, Ordering::Relaxed);
        // Moves told as failed, and stored after all: who listens learns of them now.
        self.shared.events.publish(again.unheard);
        Ok(())
    }

    fn open_again(&mut self) -> Result<Again, Failure> {
        #[cfg(test)]
        self.fault.at_reopen().map_err(|error| Failure::of("reopen", &error))?;
        let opened = schema::open_writer(&self.files).map_err(|error| Failure::Unsure(error.to_string()))?;
        let connection = &opened.connection;
        let failed = |error: rusqlite::Error| Failure::of("reopen", &error);
        if !checkpoint_whole(connection).map_err(failed)? {
            return Err(Failure::Unsure(format!(
                "another program reads {}; close it",
                self.files.database.display()
            )));
        }
        write_something(connection).map_err(failed)?;
        let known = self.shared.head();
        let then = audit::entries(connection, known.sequence.saturating_sub(1), 1).map_err(failed)?;
        if known.sequence > 0 && then.first().is_none_or(|then| then.hash != hex(&known.hash)) {
            return Err(Failure::Unsure(format!(
                "the disk lost what it had said to hold: audit entry {known} is not there; \
                 check the disk, then restore {} from a backup",
                self.files.database.display()
            )));
        }
        let withdrawn = self.withdraw(connection, known).map_err(failed)?;
        let head = audit::head(connection).map_err(failed)?;
        let live = read::count_live(connection).map_err(failed)?;
        let unheard = audit::entries(connection, known.sequence, events::REMEMBERED).map_err(failed)?;
        let mut unheard: Vec<Event> = unheard.into_iter().filter_map(remembered).collect();
        unheard.retain(|event| !withdrawn.contains(&event.id));
        Ok(Again { opened, head, live, unheard })
    }

    /// Takes out the intents that are on disk although their requesters were told that they are
    /// not: who was refused may have asked again, and must not get it twice.
    fn withdraw(&mut self, connection: &Connection, known: AuditHead) -> rusqlite::Result<Vec<IntentId>> {
        let ids = read::accepted_after(connection, known.sequence)?;
        if ids.is_empty() {
            return Ok(ids);
        }
        let head = audit::head(connection)?;
        let mut batch = Batch { head, events: Vec::new(), live: 0 };
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut transaction = Transaction { connection, salts: &mut self.salts, batch: &mut batch };
        let withdrawn = ids.iter().try_for_each(|id| transaction.withdraw(id));
        match withdrawn.and_then(|()| connection.execute_batch("COMMIT")) {
            Ok(()) => Ok(ids),
            Err(error) => {
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                Err(error)
            }
        }
    }

    fn shut(&mut self) {
        self.readers.stop();
        if let Some(Opened { connection, .. }) = self.opened.take() {
            // The journal is taken in and removed, which tells the next start that this was clean.
            if let Err(error) = checkpoint_whole(&connection) {
                warn!(%error, "The store's journal could not be taken in; the next start does it.");
            }
            if let Err((_, error)) = connection.close() {
                warn!(%error, "The store did not close cleanly; the next start looks after it.");
            }
        }
        self.shared.health.send_replace(Health::Closed);
        self.lock = None;
    }
}

impl Drop for Writer {
    /// A panic must not leave a store that looks ready.
    fn drop(&mut self) {
        self.shared.health.send_replace(Health::Closed);
        self.readers.stop();
    }
}

fn apply(transaction: &mut Transaction<'_>, job: Job, told: &mut Vec<Told>) -> rusqlite::Result<()> {
    // On an outer error the answer goes into `told` as well: the batch fails, and all are told why.
    fn settle<T>(
        applied: Applied<T>,
        answer: Answer<T>,
        told: &mut Vec<Told>,
        wrap: fn(Answer<T>, Result<T, Error>) -> Told,
    ) -> rusqlite::Result<()> {
        match applied {
            Ok(result) => {
                told.push(wrap(answer, result));
                Ok(())
            }
            Err(error) => {
                told.push(wrap(answer, Err(Error::Unavailable { reason: error.to_string() })));
                Err(error)
            }
        }
    }
    match job {
        Job::Accept { prepared, key, folder_key, answer } => {
            let applied = transaction.accept(&prepared, key.as_ref(), folder_key.as_deref());
            settle(applied, answer, told, Told::Accepted)
        }
        Job::Advance { prepared, notes, answer } => {
            let applied = transaction.advance(&prepared, &notes);
            settle(applied, answer, told, Told::Advanced)
        }
        Job::Record { note, answer } => {
            let applied = transaction.record(&note);
            settle(applied, answer, told, Told::Recorded)
        }
        Job::RetireFolderKey { key, answer } => {
            let applied = transaction.retire_folder_key(&key);
            settle(applied, answer, told, Told::Done)
        }
        Job::Forget { old, answer } => {
            let applied = transaction.forget(&old);
            settle(applied, answer, told, Told::Forgotten)
        }
        Job::Close { answer } => {
            let _ = answer.send(());
            Ok(())
        }
    }
}

/// Whether the whole journal is in the database; a reader may be in the way.
fn checkpoint_whole(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

fn write_something(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'opened'", []).map(|_| ())
}
