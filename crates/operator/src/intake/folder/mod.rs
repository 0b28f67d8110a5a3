//! The hot folder: a file is a request.
//!
//! A file is taken when it is complete: because an event said so, because it was left alone for long
//! enough, or because its JSON is whole. Its record is durable before it moves; the key of
//! [`identity`] makes sure that a crash in between makes no second intent. Files of one look at the
//! folder are let in by the order of their names.

/// What makes a file the same request as before.
pub mod identity;

/// Whether a file is a request, and the names that follow from it.
mod name;

/// The folder and the folders in it, each step from a descriptor.
mod place;

/// Bytes become a request.
mod request;

/// What status files say.
mod status;

/// Files that must wait.
mod later;

/// Keeps status files true.
mod track;

/// Hears of complete files.
mod watch;

/// Decides which files are complete.
mod ripe;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::intent::{Change, Intent, IntentId, Source, State};
use nephoran_model::proposal::{Priority, Proposal};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::admit::{Admitted, Desk, Refusal, Submission};
use crate::store::Store;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::readiness::Readiness;
use later::Later;
use place::{Look, Opened, Place};
use request::{Asked, Fault, Reader};
use ripe::Ripeness;
use track::Tracker;
use watch::Heard;

/// Files let in together: they share the sync of their records and of their moves.
const BATCH: usize = 128;

/// How often the folder itself is looked at when events tell of it, to find what they missed.
const RESCAN: Duration = Duration::from_secs(2);

/// How often when they do not, or while a file is not left alone long enough.
const POLL: Duration = Duration::from_millis(250);

/// How long a file that cannot be moved is let be.
const STUCK: Duration = Duration::from_secs(30);

/// How long `--once` waits for a file that is written to all the time.
const ENOUGH: Duration = Duration::from_secs(10);

/// How the folder is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Events, where the file system has them.
    Auto,
    Events,
    Poll,
}

/// What the hot folder needs.
pub struct Folder {
    pub path: PathBuf,
    pub mode: Mode,
    pub desk: Desk,
    pub store: Store,
    pub metrics: Metrics,
    pub readiness: Readiness,
    /// For whom its files act.
    pub requester: String,
    /// The grammar: it runs at the door.
    pub translate: fn(&str) -> Proposal,
    /// A model is asked what the grammar does not understand.
    pub model_follows: bool,
    /// Words that the intent schema's `source` may be besides its own.
    pub sources: Vec<String>,
}

/// What `up --once` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnceReport {
    /// Files accepted.
    pub accepted: usize,
    /// Files in `failed/`, or left because they could not be moved there.
    pub failed_files: usize,
    /// Accepted intents that ended `failed`.
    pub failed_intents: usize,
}

impl OnceReport {
    /// Whether the exit code is 8.
    pub fn any_failed(&self) -> bool {
        self.failed_files + self.failed_intents > 0
    }
}

const CONDITION: &str = "hot_folder";

/// Takes files until `stop`. A folder that is away is waited for, and reported meanwhile.
pub async fn run(folder: Folder, stop: CancellationToken) {
    let mut reported = false;
    while !stop.is_cancelled() {
        let place = match Place::open(&folder.path) {
            Ok(place) => Arc::new(place),
            Err(error) => {
                folder.readiness.lacks(CONDITION, format!("the hot folder cannot be opened: {error}"));
                if !std::mem::replace(&mut reported, true) {
                    tracing::error!(folder = %folder.path.display(), cause = %error,
                        "The hot folder cannot be opened; it is tried again until it can.");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(RESCAN) => continue,
                }
            }
        };
        reported = false;
        folder.readiness.holds(CONDITION);
        let here = stop.child_token();
        let tracker = Tracker::new(place.clone(), folder.store.clone());
        let tracking = tokio::spawn({
            let (tracker, here) = (tracker.clone(), here.clone());
            async move { tracker.run(here).await }
        });
        watch_here(&folder, &place, &tracker, &here).await;
        here.cancel();
        let _ = tracking.await;
    }
}

/// Returns at `here`, or when the folder is not where it was.
async fn watch_here(folder: &Folder, place: &Arc<Place>, tracker: &Tracker, here: &CancellationToken) {
    let heard = Heard::default();
    let with_events = match folder.mode {
        Mode::Poll => false,
        Mode::Auto if !place.has_events() => false,
        Mode::Auto | Mode::Events => match watch::listen(&folder.path, heard.clone(), here.clone()) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(cause = %error, "The hot folder has no events; it is looked through instead.");
                false
            }
        },
    };
    let mut door = Door::new(folder, place.clone(), tracker.clone());
    let mut next_scan = Instant::now();
    loop {
        let (heard_of, missed) = heard.take();
        let mut complete = BTreeSet::new();
        if missed || Instant::now() >= next_scan {
            if !place.is_where_it_was() {
                return;
            }
            complete.extend(door.scan(with_events).await);
            let soon = !with_events || door.waits();
            next_scan = Instant::now() + if soon { POLL } else { RESCAN };
        }
        // After the look: what an event said is complete is not doubted.
        heard_of.iter().for_each(|name| door.ripeness.forget(name));
        complete.extend(heard_of);
        complete.extend(door.due());
        complete.retain(|name| door.may_try(name));
        folder.metrics.folder_waiting(complete.len() + door.later.len());
        let names: Vec<OsString> = complete.into_iter().collect();
        for batch in names.chunks(BATCH) {
            if here.is_cancelled() {
                return;
            }
            door.take(batch, &HashSet::new()).await;
        }
        let wake = door.next_try().map_or(next_scan, |next| next.min(next_scan));
        tokio::select! {
            () = here.cancelled() => return,
            () = heard.came() => {}
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

/// Takes every file that is there now, then waits until each accepted intent rests.
pub async fn once(folder: Folder, stop: CancellationToken) -> io::Result<OnceReport> {
    let place = Arc::new(Place::open(&folder.path)?);
    folder.readiness.holds(CONDITION);
    let mut moves = folder.store.subscribe();
    let tracker = Tracker::new(place.clone(), folder.store.clone());
    let tracking_stop = CancellationToken::new();
    let tracking = tokio::spawn({
        let (tracker, stop) = (tracker.clone(), tracking_stop.clone());
        async move { tracker.run(stop).await }
    });
    let mut door = Door::new(&folder, place.clone(), tracker.clone());
    let mut present: Vec<OsString> = {
        let place = place.clone();
        tokio::task::spawn_blocking(move || place.requests())
            .await
            .unwrap_or_else(|fault| Err(io::Error::other(fault)))?
    };
    let patience = Instant::now() + ripe::LEFT_ALONE;
    while !present.is_empty() && !stop.is_cancelled() {
        // At the end of the patience whatever is there is taken as it is.
        let forced = Instant::now() >= patience;
        let fresh = present.iter().filter(|name| !door.later.contains(name)).cloned().collect();
        let mut ripe: BTreeSet<OsString> = door.ripen(fresh, forced).await.into_iter().collect();
        ripe.extend(door.due());
        ripe.retain(|name| door.may_try(name));
        let ripe: Vec<OsString> = ripe.into_iter().collect();
        for batch in ripe.chunks(BATCH) {
            if stop.is_cancelled() {
                break;
            }
            let forced = if forced { batch.iter().cloned().collect() } else { HashSet::new() };
            door.take(batch, &forced).await;
        }
        let tried: HashSet<&OsString> = ripe.iter().collect();
        present.retain(|name| !tried.contains(name) || door.is_waiting(name));
        if Instant::now() >= patience + ENOUGH {
            // Still written to: its writer will find it where it is.
            let given_up = present.len();
            present.retain(|name| door.later.contains(name));
            door.failed += given_up - present.len();
        }
        if !present.is_empty() {
            let wake = door.next_try().unwrap_or_else(|| Instant::now() + POLL).min(Instant::now() + POLL);
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }
    let mut report =
        OnceReport { accepted: door.accepted.len(), failed_files: door.failed, failed_intents: 0 };
    let accepted = std::mem::take(&mut door.accepted);
    report.failed_intents = rest(&folder.store, accepted, &mut moves, &stop).await;
    tracking_stop.cancel();
    let _ = tracking.await;
    tracker.write_dirty().await;
    Ok(report)
}

/// Waits until each of these rests; returns how many failed.
async fn rest(
    store: &Store,
    ids: Vec<IntentId>,
    moves: &mut tokio::sync::broadcast::Receiver<crate::store::Event>,
    stop: &CancellationToken,
) -> usize {
    let mut left: HashSet<IntentId> = ids.into_iter().collect();
    let mut failed = 0;
    // Those that rest already, before events are waited for.
    let mut look: Vec<IntentId> = left.iter().cloned().collect();
    loop {
        for id in look.drain(..) {
            match store.get(&id).await {
                Ok(Some(intent)) if rests(&intent) => {
                    if left.remove(&id) && intent.state == State::Failed {
                        failed += 1;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    left.remove(&id);
                }
                Err(error) => tracing::warn!(cause = %error, "A record cannot be read."),
            }
        }
        if left.is_empty() {
            return failed;
        }
        tokio::select! {
            () = stop.cancelled() => return failed,
            moved = moves.recv() => match moved {
                Ok(event) if left.contains(&event.id) => look.push(event.id),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => look.extend(left.iter().cloned()),
                Err(RecvError::Closed) => return failed,
            },
            // An event may be missed for good; a look at all that is left is cheap then.
            () = tokio::time::sleep(RESCAN) => look.extend(left.iter().cloned()),
        }
    }
}

fn rests(intent: &Intent) -> bool {
    intent.state.is_resting(intent.hold)
}

/// Lets files in, and remembers those that must wait.
struct Door<'a> {
    folder: &'a Folder,
    place: Arc<Place>,
    tracker: Tracker,
    reader: Reader,
    ripeness: Ripeness,
    /// Not tried before: the queue was full, or the file was in use.
    later: Later,
    /// Taken, but to be left where they are until they change.
    left: HashMap<OsString, Look>,
    accepted: Vec<IntentId>,
    failed: usize,
}

/// What came of reading one file.
enum Read {
    Gone,
    /// Not complete after all.
    Unripe,
    Failed(String),
    Asked {
        asked: Box<Asked>,
        key: String,
    },
    Busy(io::Error),
}

/// A file whose request was put to the desk.
struct Put {
    name: OsString,
    key: String,
    band: Priority,
}

impl<'a> Door<'a> {
    fn new(folder: &'a Folder, place: Arc<Place>, tracker: Tracker) -> Self {
        Self {
            folder,
            place,
            tracker,
            reader: Reader {
                translate: folder.translate,
                sources: folder.sources.clone(),
                model_follows: folder.model_follows,
            },
            ripeness: Ripeness::default(),
            later: Later::default(),
            left: HashMap::new(),
            accepted: Vec::new(),
            failed: 0,
        }
    }

    fn may_try(&self, name: &OsStr) -> bool {
        self.later.may_try(name, Instant::now())
    }

    /// Whether a file must be tried again.
    fn is_waiting(&self, name: &OsStr) -> bool {
        self.later.contains(name) || self.ripeness.watches(name)
    }

    fn waits(&self) -> bool {
        self.ripeness.is_watching()
    }

    /// Files whose time to be tried again has come. They were complete when they were put off.
    fn due(&mut self) -> Vec<OsString> {
        let due = self.later.due(Instant::now());
        due.iter().for_each(|name| self.ripeness.forget(name));
        due
    }

    fn next_try(&self) -> Option<Instant> {
        self.later.next()
    }

    /// Looks through the folder for files that are complete without an event.
    async fn scan(&mut self, with_events: bool) -> Vec<OsString> {
        let place = self.place.clone();
        let names = match tokio::task::spawn_blocking(move || place.requests()).await {
            Ok(Ok(names)) => names,
            Ok(Err(error)) => {
                tracing::warn!(cause = %error, "The hot folder cannot be looked through.");
                return Vec::new();
            }
            Err(error) => {
                tracing::error!(cause = %error, "The look through the hot folder met a fault.");
                return Vec::new();
            }
        };
        self.ripeness.forget_all_but(&names);
        let there: HashSet<&OsString> = names.iter().collect();
        self.left.retain(|name, _| there.contains(name));
        self.later.retain(|name| there.contains(name));
        if with_events { self.ripen(names, false).await } else { self.compare(names).await }
    }

    /// Those among `names` that are complete: left alone long enough, or JSON that is whole (which
    /// reading them will tell).
    async fn ripen(&mut self, names: Vec<OsString>, forced: bool) -> Vec<OsString> {
        let looks = self.looks(names).await;
        let now = Timestamp::now();
        self.ripeness.tick(now, Instant::now());
        let mut ripe = Vec::new();
        for (name, look) in looks {
            let Some(look) = look else {
                // Gone: the next step will see that for itself.
                self.ripeness.forget(&name);
                ripe.push(name);
                continue;
            };
            if self.left.get(&name) == Some(&look) {
                continue;
            }
            self.left.remove(&name);
            if forced || self.ripeness.is_ripe(&name, look, now, Instant::now()) {
                ripe.push(name);
            }
        }
        ripe
    }

    /// Two equal looks a moment apart: all that can be known where there are no events.
    async fn compare(&mut self, names: Vec<OsString>) -> Vec<OsString> {
        let before = self.looks(names).await;
        let large = before.iter().any(|(_, look)| look.is_some_and(|look| look.size > 1024 * 1024));
        if before.is_empty() {
            return Vec::new();
        }
        tokio::time::sleep(Duration::from_millis(if large { 50 } else { 10 })).await;
        let after = self.looks(before.iter().map(|(name, _)| name.clone()).collect()).await;
        let mut same = Vec::new();
        for ((name, before), (_, after)) in before.into_iter().zip(after) {
            match (before, after) {
                (Some(before), Some(after)) if before == after && self.left.get(&name) != Some(&after) => {
                    self.left.remove(&name);
                    self.ripeness.forget(&name);
                    same.push(name);
                }
                _ => {}
            }
        }
        same
    }

    async fn looks(&self, names: Vec<OsString>) -> Vec<(OsString, Option<Look>)> {
        let place = self.place.clone();
        let looked = tokio::task::spawn_blocking(move || {
            names
                .into_iter()
                .filter_map(|name| {
                    let look = place.look(&name).ok()?;
                    Some((name, look))
                })
                .collect()
        });
        looked.await.unwrap_or_default()
    }

    /// Reads, lets in and moves a batch of files, in the order given. `forced` are taken however
    /// unfinished they look.
    async fn take(&mut self, batch: &[OsString], forced: &HashSet<OsString>) {
        // A batch before may have found its band full.
        let batch: Vec<OsString> = batch.iter().filter(|name| self.may_try(name)).cloned().collect();
        let now = Timestamp::now();
        let in_line = self.later.bands_in_line();
        let reads = self.read(&batch, forced).await;
        let (mut puts, mut submissions, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        for (name, read) in reads {
            match read {
                Read::Gone => {
                    self.later.remove(&name);
                    self.ripeness.forget(&name);
                }
                Read::Unripe => self.ripeness.watch(&name),
                Read::Busy(error) => {
                    tracing::warn!(file = %name::shown(&name), cause = %error, "A file cannot be read just now.");
                    self.retry(name, Duration::from_secs(1));
                }
                Read::Failed(why) => failures.push((name, why)),
                Read::Asked { asked, .. }
                    if in_line.contains(&asked.band()) && !self.later.contains(&name) =>
                {
                    self.later.line_up(name, asked.band());
                }
                Read::Asked { asked, key } => {
                    let band = asked.band();
                    submissions.push(self.submission(&name, *asked, &key));
                    puts.push(Put { name, key, band });
                }
            }
        }
        let answers = self.folder.desk.admit_in_order(submissions).await;
        let mut accepted = Vec::new();
        for (put, answer) in puts.into_iter().zip(answers) {
            match answer {
                Ok(admitted) if admitted.repeated && self.came_by_another_door(&admitted).await => {
                    self.leave(put.name).await;
                }
                Ok(admitted) => accepted.push((put, admitted)),
                Err(Refusal::Invalid { detail, .. }) => failures.push((put.name, detail)),
                Err(refusal @ Refusal::KeyReused) => failures.push((put.name, refusal.to_string())),
                Err(Refusal::Full { .. }) => {
                    self.put_off();
                    self.later.band_full(put.name, put.band, Instant::now());
                }
                Err(
                    Refusal::TooManyLive { retry_after }
                    | Refusal::Late { retry_after, .. }
                    | Refusal::Draining { retry_after }
                    | Refusal::Store { retry_after, .. }
                    | Refusal::Model { retry_after, .. },
                ) => {
                    self.put_off();
                    let soon = retry_after.min(Duration::from_secs(1));
                    self.later.close(put.name, Instant::now() + soon);
                }
            }
        }
        self.fail(failures, now).await;
        self.move_accepted(accepted, now).await;
    }

    async fn read(&self, batch: &[OsString], forced: &HashSet<OsString>) -> Vec<(OsString, Read)> {
        let (place, reader) = (self.place.clone(), self.reader.clone());
        let files: Vec<(OsString, bool)> = batch
            .iter()
            .map(|name| (name.clone(), forced.contains(name) || !self.ripeness.is_doubtful(name)))
            .collect();
        let read = tokio::task::spawn_blocking(move || {
            files
                .into_iter()
                .map(|(name, complete)| {
                    let read = read(&place, &reader, &name, complete);
                    (name, read)
                })
                .collect()
        });
        read.await.unwrap_or_default()
    }

    fn submission(&self, name: &OsStr, asked: Asked, key: &str) -> Submission {
        Submission {
            source: Source::Folder,
            requester: self.folder.requester.clone(),
            request: asked.request,
            priority: asked.priority,
            deadline: None,
            not_before: None,
            change: Change { ticket: None, reason: asked.reason },
            constraints: asked.constraints,
            key: None,
            parent: None,
            file: Some(name::shown(name)),
            folder_key: Some(key.to_owned()),
            correlation_id: asked.correlation_id,
            traceparent: None,
        }
    }

    /// A hand-off file of ours: its intent is there already, and the file is for others.
    async fn came_by_another_door(&self, admitted: &Admitted) -> bool {
        matches!(self.folder.store.get(&admitted.id).await, Ok(Some(intent)) if intent.source != Source::Folder)
    }

    fn put_off(&self) {
        self.folder.metrics.backpressure();
        self.folder.metrics.retried();
    }

    async fn leave(&mut self, name: OsString) {
        self.later.remove(&name);
        self.ripeness.forget(&name);
        let looked = self.looks(vec![name]).await;
        self.left.extend(looked.into_iter().filter_map(|(name, look)| Some((name, look?))));
    }

    fn retry(&mut self, name: OsString, after: Duration) {
        self.later.until(name, Instant::now() + after);
    }

    async fn fail(&mut self, failures: Vec<(OsString, String)>, now: Timestamp) {
        if failures.is_empty() {
            return;
        }
        let place = self.place.clone();
        let moved = tokio::task::spawn_blocking(move || {
            failures
                .into_iter()
                .map(|(name, why)| {
                    let moved = place.to_failed(&name, &why, now);
                    (name, why, moved)
                })
                .collect::<Vec<_>>()
        });
        for (name, why, moved) in moved.await.unwrap_or_default() {
            self.later.remove(&name);
            self.ripeness.forget(&name);
            self.failed += 1;
            self.folder.metrics.folder_failed();
            self.folder.metrics.validation_failed();
            match moved {
                Ok(()) => tracing::info!(file = %name::shown(&name), why, "A file was turned away."),
                Err(error) => {
                    tracing::error!(file = %name::shown(&name), why, cause = %error,
                        "A file was turned away and cannot be moved to failed/; it is left until it changes.");
                    self.leave(name).await;
                }
            }
        }
    }

    async fn move_accepted(&mut self, accepted: Vec<(Put, Admitted)>, now: Timestamp) {
        if accepted.is_empty() {
            return;
        }
        let (place, tracker) = (self.place.clone(), self.tracker.clone());
        let moved = tokio::task::spawn_blocking(move || {
            let moved: Vec<_> = accepted
                .into_iter()
                .map(|(put, admitted)| {
                    tracker.accepted(&put.name, &admitted.id, now);
                    let moved = place.to_processed(&put.name, now);
                    (put, admitted, moved)
                })
                .collect();
            (moved, place.settle())
        });
        let Ok((moved, settled)) = moved.await else { return };
        if let Err(error) = &settled {
            tracing::warn!(cause = %error, "The moves to processed/ may not outlive a loss of power.");
        }
        let mut keys = Vec::new();
        for (put, admitted, moved) in moved {
            self.ripeness.forget(&put.name);
            if !admitted.repeated || !self.accepted.contains(&admitted.id) {
                self.accepted.push(admitted.id.clone());
            }
            match moved {
                Ok(_) => {
                    self.later.remove(&put.name);
                    self.folder.metrics.folder_processed();
                    keys.push(put.key);
                }
                // Gone meanwhile: somebody else took it away after we accepted it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.later.remove(&put.name);
                }
                Err(error) => {
                    tracing::error!(file = %name::shown(&put.name), intent = %admitted.id, cause = %error,
                        "An accepted file cannot be moved to processed/; it is not taken twice.");
                    self.retry(put.name, STUCK);
                }
            }
        }
        if settled.is_ok() {
            let retired = futures_util::future::join_all(
                keys.iter().map(|key| self.folder.store.retire_folder_key(key)),
            );
            for error in retired.await.into_iter().filter_map(Result::err) {
                tracing::debug!(cause = %error, "A file's key stays for now.");
            }
        }
    }
}

/// Opens, checks and parses one file. `complete`: nothing more of it is on its way.
fn read(place: &Place, reader: &Reader, name: &OsStr, complete: bool) -> Read {
    let Some(kind) = name::kind(name) else { return Read::Gone };
    if !complete && kind != name::Kind::Json {
        return Read::Unripe;
    }
    if let Some(fault) = name::fault(name) {
        return Read::Failed(fault.to_owned());
    }
    match place.read(name) {
        Opened::Gone => Read::Gone,
        Opened::Moving => Read::Unripe,
        // A second name may be a writer's way to put the file there.
        Opened::Refused(_) if !complete => Read::Unripe,
        Opened::Refused(why) => Read::Failed(why.to_owned()),
        Opened::Busy(error) => Read::Busy(error),
        Opened::Content(content) => match reader.read(kind, &content.bytes) {
            Ok(asked) => Read::Asked { asked: Box::new(asked), key: content.key },
            Err(Fault::Incomplete(_)) if !complete => Read::Unripe,
            Err(fault) => Read::Failed(fault.text().to_owned()),
        },
    }
}
