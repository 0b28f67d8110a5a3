//! The one task that owns a repository: it writes what waits, sees what others wrote,
//! and publishes the inventory of where the branch stands.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::git::Git;
use super::packs;
use super::plans::{self, Recent};
use super::reader::{Reader, is_id};
use super::repository::{Published, Status};
use super::state::{State, Written};
use super::tree::{self, Entry, Mode};
use super::watch::{self as foreign, Moved};
use super::writer::Writer;
use super::{Change, Committed, Error, NewCommit, NewFile, Prepared};

/// How often the branch is read while nothing else happens. Drift is to be seen within 5 s.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Commits of one batch: at 64 a checkpoint's syncs are spread thin enough.
const MOST_IN_BATCH: usize = 64;

/// From so many changes in a batch on the next is expected to be as large.
const CROWD: usize = 4;

/// How long a batch waits for a crowd: less than one of its three syncs.
const MOMENT: Duration = Duration::from_millis(3);

/// Checkpoints, and so packs, of one fast-import.
const MOST_CHECKPOINTS: u32 = 64;

/// Without work for so long the packs are merged.
const IDLE: Duration = Duration::from_secs(3);

/// An idle fast-import is started again after this time.
const OLDEST_WRITER: Duration = Duration::from_secs(3600);

/// How often a batch is tried when the branch moves under it or its lock is held.
const ATTEMPTS: u32 = 8;

/// Commits whose plans are remembered from before the start.
const LOOK_BACK: &str = "4096";

pub(super) enum Ask {
    Commit(Prepared, oneshot::Sender<Result<Committed, Error>>),
    /// Look at the branch now.
    Look(oneshot::Sender<Result<(), Error>>),
    /// Release the packs, merge them and end.
    Close(oneshot::Sender<()>),
}

pub(super) struct Owner {
    pub(super) git: Git,
    pub(super) reader: Reader,
    pub(super) reference: String,
    pub(super) state: State,
    pub(super) published: Arc<Published>,
    pub(super) moves: broadcast::Sender<Arc<Moved>>,
    pub(super) status: watch::Sender<Status>,
    pub(super) writer: Writer,
    pub(super) recent: Recent,
    pub(super) repack: Option<JoinHandle<()>>,
    /// The last write found a disk that is full or read-only, and no later one was seen to work.
    pub(super) trouble: Option<Error>,
    /// Changes that the last batch held.
    pub(super) last_batch: usize,
}

/// A change that waits for its commit.
struct Waiting {
    prepared: Prepared,
    reply: oneshot::Sender<Result<Committed, Error>>,
}

impl Waiting {
    fn answer(self, result: Result<Committed, Error>) {
        // Whoever asked may have stopped waiting; the commit is found by its plan.
        let _ = self.reply.send(result);
    }
}

impl Owner {
    /// Ends when the last handle is gone, or told so.
    pub(super) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        self.remember_history().await;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut inbox = Vec::new();
        let mut worked = Instant::now();
        loop {
            tokio::select! {
                biased;
                count = asks.recv_many(&mut inbox, MOST_IN_BATCH) => {
                    if count == 0 {
                        break;
                    }
                    self.gather(&mut asks, &mut inbox).await;
                    if let Some(closing) = self.serve(&mut inbox).await {
                        self.close().await;
                        let _ = closing.send(());
                        return;
                    }
                    worked = Instant::now();
                }
                _ = tick.tick() => {
                    if self.trouble.is_some() && self.git.try_to_write("fast-import").is_ok() {
                        self.trouble = None;
                    }
                    let _ = self.look().await;
                    let idle = worked.elapsed() >= IDLE;
                    if idle && (self.writer.checkpoints() > 0 || self.writer.age() > OLDEST_WRITER) {
                        self.tidy().await;
                    }
                }
            }
        }
        self.close().await;
    }

    /// After a crowd those who were answered ask again within a moment: their next batch waits
    /// for them, or they would wait for a batch of one. Who comes alone never waits.
    async fn gather(&self, asks: &mut mpsc::Receiver<Ask>, inbox: &mut Vec<Ask>) {
        if self.last_batch < CROWD {
            return;
        }
        let until = Instant::now() + MOMENT;
        while inbox.len() < self.last_batch {
            let places = self.last_batch - inbox.len();
            match tokio::time::timeout_at(until, asks.recv_many(inbox, places)).await {
                Ok(1..) => {}
                _ => return,
            }
        }
    }

    async fn close(&mut self) {
        let wrote = self.writer.checkpoints() > 0;
        self.writer.rest().await;
        if let Some(repack) = self.repack.take() {
            let _ = repack.await;
        }
        if wrote {
            packs::merge(self.git.clone()).await;
        }
    }

    async fn serve(&mut self, inbox: &mut Vec<Ask>) -> Option<oneshot::Sender<()>> {
        let mut batch = Vec::new();
        let mut closing = None;
        for ask in inbox.drain(..) {
            match ask {
                Ask::Commit(prepared, reply) => batch.push(Waiting { prepared, reply }),
                Ask::Look(reply) => {
                    let _ = reply.send(self.look().await);
                }
                Ask::Close(reply) => closing = Some(reply),
            }
        }
        if !batch.is_empty() {
            self.last_batch = batch.len();
            self.write(batch).await;
            if self.writer.checkpoints() >= MOST_CHECKPOINTS {
                self.tidy().await;
            }
        }
        closing
    }

    /// What earlier runs committed. Without it nothing is lost: a file that already changed is stale.
    async fn remember_history(&mut self) {
        let Ok(planned) = plans::history(&self.git, None, &self.state.tip, LOOK_BACK).await else { return };
        for planned in planned.into_iter().rev() {
            self.recent.remember(planned.plan, planned.commit);
        }
    }

    /// Reads the branch, and follows it when somebody else moved it.
    async fn look(&mut self) -> Result<(), Error> {
        let result = self.follow().await;
        let status = Status {
            tip: self.state.tip.clone(),
            packages: self.state.packages(),
            workloads: self.state.inventory.workloads().len(),
            error: result.as_ref().err().or(self.trouble.as_ref()).cloned(),
        };
        self.status.send_if_modified(|now| {
            let differs = *now != status;
            *now = status;
            differs
        });
        result
    }

    async fn follow(&mut self) -> Result<(), Error> {
        let Some(tip) = self.read_tip().await? else {
            return Err(self.without_branch());
        };
        if tip == self.state.tip {
            return Ok(());
        }
        let old = self.state.tip.clone();
        let files = self.state.advance(&self.git, &self.reader, tip.clone()).await?;
        let moved = foreign::look(&self.git, &old, &tip, files).await?;
        if moved.rewritten {
            // Commits that were thrown away carry out no plan any more.
            self.recent = Recent::default();
            self.remember_history().await;
        }
        for commit in moved.commits.iter().rev() {
            if let Some(plan) = &commit.plan {
                self.recent.remember(plan.clone(), commit.commit.clone());
            }
        }
        self.publish();
        // Nobody may be listening.
        let _ = self.moves.send(Arc::new(moved));
        Ok(())
    }

    /// Where the branch stands. A branch that moved is a file of its own, which is read without
    /// asking another process; packed references and other formats are git's to read.
    async fn read_tip(&self) -> Result<Option<String>, Error> {
        let loose = std::fs::read_to_string(self.git.dir().join(&self.reference)).ok();
        match loose.as_deref().map(str::trim_end).filter(|id| is_id(id)) {
            Some(id) => Ok(Some(id.to_owned())),
            None => self.reader.id(&self.reference).await,
        }
    }

    fn without_branch(&self) -> Error {
        let path = self.git.dir().display().to_string();
        if self.git.dir().exists() {
            Error::NoBranch { path, branch: self.reference.trim_start_matches("refs/heads/").to_owned() }
        } else {
            Error::Missing { path }
        }
    }

    fn publish(&self) {
        self.published.set(self.state.tip.clone(), Arc::clone(&self.state.inventory));
    }

    /// Every change gets its commit, or the reason why not. Changes of one plan come one after
    /// the other: the second finds what became of the first.
    async fn write(&mut self, mut batch: Vec<Waiting>) {
        while !batch.is_empty() {
            let (first, twins) = without_twins(batch);
            self.write_batch(first).await;
            batch = twins;
        }
    }

    async fn write_batch(&mut self, mut batch: Vec<Waiting>) {
        let mut attempt = 0;
        loop {
            if let Err(error) = self.look().await {
                return refuse(batch, &error);
            }
            batch = self.still_right(batch);
            if batch.is_empty() {
                return;
            }
            attempt += 1;
            let error = match self.attempt(&batch).await {
                Ok(commits) => return self.finish(batch, commits).await,
                Err(error) => error,
            };
            let again = match &error {
                Error::Locked { .. } | Error::Moving { .. } | Error::Git { .. } => attempt < ATTEMPTS,
                _ => false,
            };
            if !again {
                if matches!(error, Error::DiskFull { .. } | Error::ReadOnly { .. }) {
                    self.trouble = Some(error.clone());
                }
                // The branch may hold some of them all the same: then they are known now.
                let _ = self.look().await;
                let batch = self.still_right(batch);
                return refuse(batch, &error);
            }
            tracing::debug!(error = %error, attempt, "The batch is tried again.");
            // 10, 20, ... 640 ms: what another git needs to move a branch.
            tokio::time::sleep(Duration::from_millis(5 << attempt.min(7))).await;
        }
    }

    /// Answers what is committed already and what is stale, and keeps the rest.
    fn still_right(&self, batch: Vec<Waiting>) -> Vec<Waiting> {
        // What earlier changes of the batch make of the files.
        let mut made: HashMap<String, String> = HashMap::new();
        let mut kept: Vec<Waiting> = Vec::with_capacity(batch.len());
        for waiting in batch {
            if let Some(commit) = self.recent.get(&waiting.prepared.change.plan) {
                let committed = Committed { commit: commit.clone(), already: true };
                waiting.answer(Ok(committed));
                continue;
            }
            let files = &waiting.prepared.change.files;
            if let Some(odd) = files.iter().find(|file| !tree::is_plain(&file.path)) {
                let reason = "its path is no path of a package".to_owned();
                let file = odd.path.chars().take(80).collect();
                waiting.answer(Err(Error::CannotEdit { file, reason }));
                continue;
            }
            let stale = files.iter().find(|file| {
                let made = made.get(&file.path);
                let now = made.or_else(|| self.state.tree.get(file.path.as_bytes()).map(|entry| &entry.id));
                now != file.blob_before.as_ref()
            });
            if let Some(stale) = stale {
                let file = stale.path.clone();
                waiting.answer(Err(Error::Stale { file }));
                continue;
            }
            for (file, result) in waiting.prepared.files() {
                made.insert(file.path.clone(), result.blob.clone());
            }
            kept.push(waiting);
        }
        kept
    }

    /// One checkpoint. `Moving` when the branch is not where it left it.
    async fn attempt(&mut self, batch: &[Waiting]) -> Result<Vec<String>, Error> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let commits: Vec<NewCommit> =
            batch.iter().map(|waiting| self.new_commit(&waiting.prepared.change, time)).collect();
        let commits: Vec<&NewCommit> = commits.iter().collect();
        let (ids, complaint) = self.writer.import(&self.reference, &self.state.tip, &commits).await?;
        let tip = self.read_tip().await?;
        if tip.as_ref() == ids.last() {
            return Ok(ids);
        }
        if tip.as_ref() == Some(&self.state.tip) {
            if complaint.trim().is_empty() {
                self.git.try_to_write("fast-import")?;
            }
            let error = self.git.explain("fast-import", &complaint);
            // After a refused reference this process keeps its own idea of the branch.
            self.writer.rest().await;
            return Err(error);
        }
        Err(Error::Moving { attempts: ATTEMPTS })
    }

    fn new_commit(&self, change: &Change, time: u64) -> NewCommit {
        let files = change.files.iter().map(|file| NewFile {
            path: file.path.clone(),
            mode: self.mode_of(&file.path),
            bytes: file.bytes.clone(),
        });
        NewCommit { message: change.message.clone(), time, files: files.collect() }
    }

    fn mode_of(&self, path: &str) -> Mode {
        self.state.tree.get(path.as_bytes()).map_or(Mode::File, |entry| entry.mode)
    }

    /// Reads back what was written, moves the inventory on, and answers.
    async fn finish(&mut self, batch: Vec<Waiting>, commits: Vec<String>) {
        self.trouble = None;
        let wrong = self.read_back(&batch, &commits).await;
        let mut known = true;
        for (waiting, commit) in batch.iter().zip(&commits) {
            let files = waiting.prepared.files().map(|(file, result)| Written {
                path: file.path.clone(),
                entry: Entry { mode: self.mode_of(&file.path), id: result.blob.clone() },
                facts: Arc::clone(&result.facts),
            });
            let files = files.collect();
            known &= self.state.advance_own(commit.clone(), files);
            self.recent.remember(waiting.prepared.change.plan.clone(), commit.clone());
        }
        if known {
            self.state.publish();
        } else {
            // A new package: what cannot be read now is read with the next look.
            let _ = self.state.regroup_now(&self.reader).await;
        }
        self.publish();
        for ((waiting, commit), wrong) in batch.into_iter().zip(commits).zip(wrong) {
            match wrong {
                None => waiting.answer(Ok(Committed { commit, already: false })),
                Some(error) => waiting.answer(Err(error)),
            }
        }
    }

    async fn read_back(&self, batch: &[Waiting], commits: &[String]) -> Vec<Option<Error>> {
        let files = || {
            batch.iter().zip(commits).flat_map(|(waiting, commit)| {
                waiting.prepared.change.files.iter().map(move |file| (commit, file))
            })
        };
        let names = files().map(|(commit, file)| format!("{commit}:{}", file.path)).collect();
        let objects = match self.reader.contents_each(names).await {
            Ok(objects) => objects,
            Err(error) => return vec![Some(error); batch.len()],
        };
        let mut objects = objects.into_iter();
        batch
            .iter()
            .zip(commits)
            .map(|(waiting, commit)| {
                let mut wrong = None;
                for file in &waiting.prepared.change.files {
                    match objects.next() {
                        Some(Ok(Some(object))) if object.bytes == file.bytes => {}
                        _ => {
                            wrong = wrong.or(Some(Error::NotAsWritten {
                                file: file.path.clone(),
                                commit: commit.clone(),
                            }));
                        }
                    }
                }
                wrong
            })
            .collect()
    }

    /// Releases the packs of this process and merges them beside the next one.
    async fn tidy(&mut self) {
        self.writer.rest().await;
        // A failure shows with the next commit.
        let _ = self.writer.warm_up();
        if self.repack.as_ref().is_none_or(JoinHandle::is_finished) {
            self.repack = Some(tokio::spawn(packs::merge(self.git.clone())));
        }
    }
}

fn refuse(batch: Vec<Waiting>, error: &Error) {
    for waiting in batch {
        waiting.answer(Err(error.clone()));
    }
}

/// The first change of each plan, and the others.
fn without_twins(batch: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    let mut plans = HashSet::new();
    batch.into_iter().partition(|waiting| plans.insert(waiting.prepared.change.plan.clone()))
}
