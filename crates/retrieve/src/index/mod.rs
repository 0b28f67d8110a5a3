//! The index: kept up to date, asked. Everything in it follows from the documents: what is broken, or
//! was written by another version, is thrown away and made anew.

mod read;
mod schema;
mod write;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::folder::Skip;
use crate::meaning::{Embed, EmbedError, Matrix, unit};
use read::{Common, Readers};
use schema::{Files, Lock};

/// Passages that one question may ask for.
const MOST: usize = 50;

/// How long the vector of a question may take; then words alone must do.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of a question that its vector is made of: fewer than the 512 tokens that servers take at least,
/// so that no question is refused and makes words alone do for everybody.
const QUESTION: usize = 400;

/// Texts that are sent for their vectors at once.
const BATCH: usize = 32;

/// Skipped documents that are named one by one; the rest is counted.
const NAMED: usize = 100;

/// What the index is made of.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Markdown and text files; `None`: the notes alone.
    pub folder: Option<PathBuf>,
    /// Whether the project's own notes are in it.
    pub notes: bool,
    pub limits: Limits,
    /// `None`: found by words alone.
    pub embed: Option<Arc<dyn Embed>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one document.
    pub bytes: u64,
    pub documents: usize,
    /// All together. At 768 numbers a vector, 20,000 take 60 MB of memory.
    pub passages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1024 * 1024, documents: 10_000, passages: 20_000 }
    }
}

/// A passage, and how well it fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Stable: document, heading, and a hash of title and text.
    pub id: String,
    /// Path below the folder; `note:` and a name for the project's own.
    pub document: String,
    /// The document's title and the headings above the passage.
    pub title: String,
    pub text: String,
    /// Higher is better; compares within one answer only.
    pub score: f64,
}

/// What one update did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// In the index now.
    pub documents: usize,
    pub passages: usize,
    /// New or with other content.
    pub changed: usize,
    pub removed: usize,
    /// Passages that got a vector.
    pub embedded: usize,
    /// Characters that cannot be seen, dropped from what changed.
    pub dropped: usize,
    /// The first hundred that are not in it, with the reason.
    pub skipped: Vec<Skipped>,
    pub skipped_in_all: usize,
    /// The index was broken or another version's, and was made anew.
    pub made_anew: bool,
    /// Why the folder could not be read; what was known of it stays.
    pub trouble: Option<String>,
    /// Why passages are found by words alone although embeddings are configured.
    pub words_alone: Option<String>,
    /// The stop signal came first.
    pub stopped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub document: String,
    pub reason: Skip,
}

impl Report {
    fn skip(&mut self, document: &str, reason: Skip) {
        self.skipped_in_all += 1;
        if self.skipped.len() < NAMED {
            self.skipped.push(Skipped { document: document.to_owned(), reason });
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not looked at the documents yet; what was in the index is found.
    #[default]
    Waiting,
    Building,
    /// As the documents were at the last look.
    Ready,
}

/// How far the index is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub state: State,
    /// To be looked at in this update, and done of those.
    pub documents: usize,
    pub done: usize,
    pub passages: usize,
    /// Passages that have a vector.
    pub embedded: usize,
    pub skipped: usize,
    /// Why the last update fell short; the one before stays in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Why passages are found by words alone although embeddings are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_alone: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("make room for the index {path}")]
    Place { path: PathBuf, source: io::Error },
    #[error("open the index {path}")]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("{path} is a database of another program; move it away")]
    Foreign { path: PathBuf },
    #[error("another process keeps the index up to date")]
    KeptElsewhere,
    #[error("there is no index yet")]
    NotThere,
    #[error("write the index")]
    Write(#[source] rusqlite::Error),
    #[error("ask the index")]
    Ask(#[source] rusqlite::Error),
    #[error("the task that {0} the index ended early")]
    Ended(&'static str),
}

/// A handle: clones share one index.
#[derive(Debug, Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Files,
    settings: Settings,
    /// Who holds it alone writes. `None`: another process does.
    lock: Mutex<Option<Lock>>,
    writer: Mutex<Option<rusqlite::Connection>>,
    /// The file was looked through for damage since it was opened.
    checked: AtomicBool,
    readers: Readers,
    common: Common,
    progress: Mutex<Progress>,
    /// `None`: not read from the file yet.
    matrix: Mutex<Option<Arc<Matrix>>>,
    /// Passages that the model refuses a vector.
    refused: Mutex<HashSet<i64>>,
    /// Embeddings are not asked for before that time, and why.
    rest: Mutex<Option<(Instant, EmbedError)>>,
    /// One update at a time.
    updating: tokio::sync::Mutex<()>,
    /// Questions at a time; they never wait for an update.
    asking: tokio::sync::Semaphore,
}

/// What a lock guards here is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Opens the index at `path`, or begins an empty one. Reads no document: [`Index::update`] does.
    pub fn open(path: &Path, settings: Settings) -> Result<Self, Error> {
        let files = Files::of(path);
        let lock = Lock::take(&files)?;
        let mut anew = false;
        let writer = match &lock {
            Some(_) => {
                let opened = schema::open_writer(&files)?;
                anew = opened.made_anew;
                Some(opened.connection)
            }
            None => None,
        };
        if anew {
            debug!(path = %path.display(), "A new index is begun.");
        }
        let inner = Inner {
            readers: Readers::new(files.clone()),
            common: Common::default(),
            files,
            settings,
            lock: Mutex::new(lock),
            writer: Mutex::new(writer),
            checked: AtomicBool::new(anew),
            progress: Mutex::default(),
            matrix: Mutex::default(),
            refused: Mutex::default(),
            rest: Mutex::default(),
            updating: tokio::sync::Mutex::default(),
            asking: tokio::sync::Semaphore::new(read::AT_ONCE),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn progress(&self) -> Progress {
        locked(&self.inner.progress).clone()
    }

    /// Looks at every document once and takes in what changed. A document is taken in whole or not at
    /// all, so that it may be stopped, or killed, at any moment.
    pub async fn update(&self, stop: &CancellationToken) -> Result<Report, Error> {
        let _alone = self.inner.updating.lock().await;
        locked(&self.inner.progress).state = State::Building;
        let updated = self.update_alone(stop).await;
        let mut progress = locked(&self.inner.progress);
        match &updated {
            Ok(report) => {
                progress.state = if report.stopped { State::Waiting } else { State::Ready };
                progress.passages = report.passages;
                progress.skipped = report.skipped_in_all;
                progress.trouble.clone_from(&report.trouble);
                progress.words_alone.clone_from(&report.words_alone);
            }
            Err(cause) => {
                progress.state = State::Waiting;
                progress.trouble = Some(cause.to_string());
            }
        }
        updated
    }

    async fn update_alone(&self, stop: &CancellationToken) -> Result<Report, Error> {
        let (inner, stopped) = (self.inner.clone(), stop.clone());
        let mut report = blocking("updates", move || inner.take_in(&stopped)).await??;
        if report.changed + report.removed > 0 {
            self.inner.common.forget();
        }
        if let Some(embed) = self.inner.settings.embed.clone()
            && !report.stopped
        {
            self.give_meaning(&*embed, stop, &mut report).await?;
            let inner = self.inner.clone();
            blocking("updates", move || inner.refresh_matrix()).await??;
        }
        Ok(report)
    }

    /// Gets the vectors that passages lack. That there are none to be had is no failure.
    async fn give_meaning(
        &self,
        embed: &dyn Embed,
        stop: &CancellationToken,
        report: &mut Report,
    ) -> Result<(), Error> {
        if let Some(cause) = self.inner.rests() {
            report.words_alone = Some(cause.to_string());
            return Ok(());
        }
        let (inner, model) = (self.inner.clone(), embed.model().to_owned());
        blocking("updates", move || inner.vectors_of(&model)).await??;
        let (mut after, mut was_anew) = (0, false);
        loop {
            let inner = self.inner.clone();
            let waiting = blocking("updates", move || inner.without_vector(after, BATCH)).await??;
            let Some((last, _)) = waiting.last() else { return Ok(()) };
            after = *last;
            let (passages, texts): (Vec<i64>, Vec<String>) = waiting.into_iter().unzip();
            let vectors = tokio::select! {
                () = stop.cancelled() => {
                    report.stopped = true;
                    return Ok(());
                }
                vectors = each(embed, texts) => vectors,
            };
            let vectors = match vectors {
                Ok(vectors) => vectors,
                Err(cause) => {
                    report.words_alone = Some(cause.to_string());
                    self.inner.rest_from(cause);
                    return Ok(());
                }
            };
            let mut kept = Vec::with_capacity(passages.len());
            for (passage, vector) in passages.into_iter().zip(vectors) {
                match vector {
                    Some(vector) => kept.push((passage, vector)),
                    // Not asked for again by this process: it would be refused again.
                    None => drop(locked(&self.inner.refused).insert(passage)),
                }
            }
            report.embedded += kept.len();
            let inner = self.inner.clone();
            let (embedded, anew) = blocking("updates", move || inner.keep_vectors(&kept)).await??;
            locked(&self.inner.progress).embedded = embedded;
            if anew && was_anew {
                let cause = EmbedError::Unusable("vectors of changing lengths".to_owned());
                report.words_alone = Some(cause.to_string());
                self.inner.rest_from(cause);
                return Ok(());
            }
            if anew {
                (after, was_anew) = (0, true);
            }
        }
    }

    /// The passages that fit `words` best, the best first. Never waits for an update.
    pub async fn find(&self, words: &str, most: usize) -> Result<Vec<Found>, Error> {
        let most = most.min(MOST);
        let vector = self.vector(words).await;
        let _turn = self.inner.asking.acquire().await.map_err(|_| Error::Ended("asks"))?;
        let (inner, words) = (self.inner.clone(), words.to_owned());
        blocking("asks", move || inner.ask(&words, vector.as_deref(), most)).await?
    }

    /// The vector of a question, when there is something to compare it with.
    async fn vector(&self, words: &str) -> Option<Vec<f32>> {
        let embed = self.inner.settings.embed.as_ref()?;
        if words.trim().is_empty() || self.inner.rests().is_some() {
            return None;
        }
        let question = words[..words.floor_char_boundary(QUESTION)].to_owned();
        let asked = tokio::time::timeout(PATIENCE, embed.embed(vec![question])).await;
        let answer =
            asked.unwrap_or_else(|_| Err(EmbedError::Away(format!("no answer within {PATIENCE:?}"))));
        match answer.and_then(|vectors| checked(vectors, 1)) {
            Ok(mut vectors) => vectors.pop(),
            Err(cause) => {
                warn!(%cause, "Passages are found by words alone.");
                locked(&self.inner.progress).words_alone = Some(cause.to_string());
                self.inner.rest_from(cause);
                None
            }
        }
    }

    /// Updates now and then `every` so often, until told to stop.
    pub async fn keep(self, every: Duration, stop: CancellationToken) {
        let mut told = Report::default();
        let mut first = true;
        let mut was_away = None;
        loop {
            match self.update(&stop).await {
                Ok(report) => {
                    tell(&report, &told, first);
                    (told, first, was_away) = (report, false, None);
                }
                Err(cause) => {
                    let cause = chain(&cause);
                    // The same again tells nobody anything.
                    if was_away.as_ref() != Some(&cause) {
                        warn!(cause, "Documents are not kept up to date now; tried again.");
                    }
                    was_away = Some(cause);
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }
}

fn tell(report: &Report, before: &Report, first: bool) {
    if first || report.changed + report.removed + report.embedded > 0 {
        info!(
            documents = report.documents,
            passages = report.passages,
            changed = report.changed,
            removed = report.removed,
            embedded = report.embedded,
            skipped = report.skipped_in_all,
            "Documents are indexed."
        );
    }
    if report.made_anew && !first {
        warn!("The index of documents was broken and was made anew.");
    }
    for skipped in report.skipped.iter().filter(|skipped| !before.skipped.contains(skipped)) {
        warn!(document = skipped.document, reason = %skipped.reason, "A document is not indexed.");
    }
    for (now, then, what) in [
        (
            &report.trouble,
            &before.trouble,
            "The folder of documents cannot be read; what was known of it stays.",
        ),
        (&report.words_alone, &before.words_alone, "Passages are found by words alone."),
    ] {
        if let Some(cause) = now.as_ref().filter(|_| now != then) {
            warn!(cause, "{what}");
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said.push_str(": ");
        said.push_str(&cause.to_string());
        source = cause.source();
    }
    said
}

impl Inner {
    /// Why embeddings are not asked for now.
    fn rests(&self) -> Option<EmbedError> {
        let rest = locked(&self.rest);
        rest.as_ref().filter(|(until, _)| Instant::now() < *until).map(|(_, cause)| cause.clone())
    }

    fn rest_from(&self, cause: EmbedError) {
        let pause = match cause {
            // Somebody has to change something first.
            EmbedError::Rejected(_) | EmbedError::Unusable(_) => Duration::from_secs(300),
            EmbedError::Away(_) => Duration::from_secs(30),
        };
        *locked(&self.rest) = Some((Instant::now() + pause, cause));
    }
}

/// A vector for each text, `None` for one that the model refuses. A server refuses a whole batch for the
/// one text in it that has too many tokens, and says so with a 500 as often as with a 400: so each is
/// then asked for alone, shorter when need be, and blamed only while a plain word is answered.
async fn each(embed: &dyn Embed, texts: Vec<String>) -> Result<Vec<Option<Vec<f32>>>, EmbedError> {
    let count = texts.len();
    let whole = embed.embed(texts.clone()).await.and_then(|vectors| checked(vectors, count));
    let cause = match whole {
        Ok(vectors) => return Ok(vectors.into_iter().map(Some).collect()),
        Err(cause @ EmbedError::Unusable(_)) => return Err(cause),
        Err(cause) => cause,
    };
    let mut vectors = Vec::with_capacity(count);
    for text in texts {
        if embed.embed(vec!["word".to_owned()]).await.is_err() {
            return Err(cause);
        }
        let mut vector = None;
        for share in [1, 2, 4] {
            let part = text[..text.floor_char_boundary(text.len() / share)].to_owned();
            if let Ok(mut one) = embed.embed(vec![part]).await.and_then(|vectors| checked(vectors, 1)) {
                vector = one.pop();
                break;
            }
        }
        vectors.push(vector);
    }
    let mut lengths = vectors.iter().flatten().map(Vec::len);
    let first = lengths.next();
    match lengths.all(|length| Some(length) == first) {
        true => Ok(vectors),
        false => Err(EmbedError::Unusable("vectors of different lengths".to_owned())),
    }
}

/// As many as were asked for, of one length, each with a direction.
fn checked(vectors: Vec<Vec<f32>>, count: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
    if vectors.len() != count {
        return Err(EmbedError::Unusable(format!("{} vectors for {count} texts", vectors.len())));
    }
    let dimension = vectors.first().map_or(0, Vec::len);
    if let Some(other) = vectors.iter().find(|vector| vector.len() != dimension) {
        return Err(EmbedError::Unusable(format!("vectors of {dimension} and of {} numbers", other.len())));
    }
    vectors.iter().map(|vector| unit(vector)).collect()
}

/// SQLite waits for the disk: not on a thread that serves others.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Ended(what))
}
