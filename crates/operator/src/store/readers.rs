//! A few threads with a connection each, beside the writer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Error;
use super::schema::{self, Files};

/// Two: as many as the smallest machine has cores.
const THREADS: usize = 2;

/// Questions that may wait; more are refused.
const WAITING: usize = 1024;

type Job = Box<dyn FnOnce(Result<&Connection, Error>) + Send>;

/// A handle; the threads end when it says so.
#[derive(Clone)]
pub(super) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    files: Files,
    inner: Mutex<Inner>,
    /// For the threads: there is a job, or the connections are to be closed.
    work: Condvar,
    /// For who closes: a connection was closed.
    closed: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    open: usize,
    /// The writer wants the file for itself.
    paused: bool,
    stopped: bool,
}

impl Readers {
    pub(super) fn start(files: Files) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            files,
            inner: Mutex::new(Inner::default()),
            work: Condvar::new(),
            closed: Condvar::new(),
        });
        for number in 0..THREADS {
            let shared = shared.clone();
            thread::Builder::new().name(format!("store-read-{number}")).spawn(move || shared.serve())?;
        }
        Ok(Self { shared })
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        {
            let mut inner = self.shared.lock();
            if inner.stopped {
                return Err(Error::Closed);
            }
            if inner.jobs.len() >= WAITING {
                return Err(Error::Busy);
            }
            inner.jobs.push_back(Box::new(move |connection| {
                // Whoever asked may have gone: then the answer is for nobody.
                let _ = sender.send(connection.and_then(question));
            }));
        }
        self.shared.work.notify_one();
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Returns when no reader has the file open. Questions wait until [`Readers::resume`].
    pub(super) fn pause(&self) {
        let mut inner = self.shared.lock();
        inner.paused = true;
        self.shared.work.notify_all();
        while inner.open > 0 {
            inner = self.shared.closed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn resume(&self) {
        self.shared.lock().paused = false;
        self.shared.work.notify_all();
    }

    /// Returns when no reader has the file open, for good.
    pub(super) fn stop(&self) {
        let mut inner = self.shared.lock();
        inner.stopped = true;
        self.shared.work.notify_all();
        while inner.open > 0 {
            inner = self.shared.closed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.jobs.clear();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut connection: Option<Connection> = None;
        let mut inner = self.lock();
        loop {
            if inner.paused || inner.stopped {
                if connection.take().is_some() {
                    inner.open -= 1;
                    self.closed.notify_all();
                }
                if inner.stopped {
                    return;
                }
            } else if let Some(job) = inner.jobs.pop_front() {
                // Counted while the lock is held: a pause that comes now waits for us.
                if connection.is_none() {
                    inner.open += 1;
                }
                drop(inner);
                let opened = match connection.take() {
                    Some(connection) => Ok(connection),
                    None => schema::open_reader(&self.files),
                };
                match opened {
                    // A panic is that question's alone: its connection goes, the thread stays.
                    Ok(opened) => {
                        if catch_unwind(AssertUnwindSafe(|| job(Ok(&opened)))).is_ok() {
                            connection = Some(opened);
                        }
                    }
                    Err(source) => {
                        job(Err(Error::Open { file: self.files.database.clone(), source }));
                    }
                }
                inner = self.lock();
                if connection.is_none() {
                    inner.open -= 1;
                    self.closed.notify_all();
                }
                continue;
            }
            inner = self.work.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
