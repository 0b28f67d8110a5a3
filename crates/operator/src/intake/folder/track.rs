//! Keeps the status files true: each is rewritten when its intent moves on.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, State};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::place::Place;
use super::status::Status;
use crate::store::Store;

/// An intent that runs through moves several times in this; one status file is enough.
const PAUSE: Duration = Duration::from_millis(50);

/// Records read at a time when the tracking begins.
const PAGE: usize = 500;

/// Intents that came from the folder and have not ended, with the names of their files.
#[derive(Clone)]
pub struct Tracker {
    inner: Arc<Inner>,
}

struct Inner {
    place: Arc<Place>,
    store: Store,
    files: Mutex<Files>,
    came: Notify,
}

#[derive(Default)]
struct Files {
    tracked: HashMap<IntentId, Tracked>,
    /// Moved since their status was written.
    dirty: HashSet<IntentId>,
}

struct Tracked {
    file: String,
    /// The version of the record that the status file tells.
    told: u64,
}

impl Tracker {
    pub fn new(place: Arc<Place>, store: Store) -> Self {
        Self { inner: Arc::new(Inner { place, store, files: Mutex::default(), came: Notify::new() }) }
    }

    /// Writes the first status of an accepted file and follows its intent from here on.
    pub fn accepted(&self, file: &OsStr, id: &IntentId, now: Timestamp) {
        let shown = super::name::shown(file);
        {
            let mut files = self.inner.files();
            if !files.tracked.contains_key(id) {
                write(&self.inner.place, &Status::accepted(&shown, id, now));
                files.tracked.insert(id.clone(), Tracked { file: shown, told: 0 });
            }
            // It may have moved on before it was known here.
            files.dirty.insert(id.clone());
        }
        self.inner.came.notify_one();
    }

    /// Follows the store's events until `stop`, then writes what is left.
    pub async fn run(&self, stop: CancellationToken) {
        let mut moves = self.inner.store.subscribe();
        self.take_up().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.inner.came.notified() => {}
                moved = moves.recv() => match moved {
                    Ok(event) => {
                        let mut files = self.inner.files();
                        if !files.tracked.contains_key(&event.id) {
                            continue;
                        }
                        files.dirty.insert(event.id);
                    }
                    Err(RecvError::Lagged(_)) => {
                        let mut files = self.inner.files();
                        files.dirty = files.tracked.keys().cloned().collect();
                    }
                    Err(RecvError::Closed) => break,
                },
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
            while let Ok(event) = moves.try_recv() {
                let mut files = self.inner.files();
                if files.tracked.contains_key(&event.id) {
                    files.dirty.insert(event.id);
                }
            }
            self.write_dirty().await;
        }
        self.write_dirty().await;
    }

    /// Intents of earlier runs: those that live, and those whose status file was left behind.
    async fn take_up(&self) {
        let living: Vec<State> = State::ALL.into_iter().filter(|state| !state.is_end()).collect();
        let mut after = 0;
        loop {
            match self.inner.store.in_states(&living, after, PAGE).await {
                Ok((intents, next)) if !intents.is_empty() => {
                    after = next;
                    for intent in intents {
                        self.update(&intent).await;
                    }
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(cause = %error, "The intents of the hot folder cannot be listed.");
                    break;
                }
            }
        }
        let place = self.inner.place.clone();
        let left = tokio::task::spawn_blocking(move || place.pending()).await;
        for status in left.ok().and_then(Result::ok).unwrap_or_default() {
            let Some(id) = status.intent.as_deref().and_then(IntentId::parse) else { continue };
            if self.inner.files().tracked.contains_key(&id) {
                continue;
            }
            if let Ok(Some(intent)) = self.inner.store.get(&id).await {
                self.update(&intent).await;
            }
        }
    }

    /// Brings every status file up to date.
    pub async fn write_dirty(&self) {
        let dirty: Vec<IntentId> = self.inner.files().dirty.drain().collect();
        for id in dirty {
            match self.inner.store.get(&id).await {
                Ok(Some(intent)) => self.update(&intent).await,
                Ok(None) => {
                    self.inner.files().tracked.remove(&id);
                }
                Err(error) => {
                    tracing::debug!(intent = %id, cause = %error, "A status file waits for the store.");
                    self.inner.files().dirty.insert(id);
                    return;
                }
            }
        }
    }

    async fn update(&self, intent: &Intent) {
        let Some(file) = intent.file.clone() else { return };
        let status = Status::of(&file, intent);
        let (inner, id, version, ended) =
            (self.inner.clone(), intent.id.clone(), intent.version, intent.state.is_end());
        let written = tokio::task::spawn_blocking(move || {
            let mut files = inner.files();
            let tracked = files.tracked.entry(id.clone()).or_insert(Tracked { file, told: 0 });
            // Record versions begin at one or above: what was told is at least as new.
            if tracked.told > version {
                return;
            }
            tracked.told = version;
            let name = tracked.file.clone();
            if ended {
                files.tracked.remove(&id);
            }
            // A later file of the same name has the status file now: ids sort by time.
            let newer = inner
                .place
                .read_status(OsStr::new(&name))
                .and_then(|there| there.intent)
                .is_some_and(|there| there.as_str() > id.as_str());
            if !newer {
                write(&inner.place, &status);
            }
        });
        if let Err(error) = written.await {
            tracing::error!(cause = %error, "A status file could not be written.");
        }
    }
}

impl Inner {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(place: &Place, status: &Status) {
    if let Err(error) = place.write_status(OsStr::new(&status.intent_file), status) {
        tracing::warn!(file = %status.intent_file, cause = %error, "A status file cannot be written.");
    }
}
