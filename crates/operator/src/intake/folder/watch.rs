//! Hears of files that are complete: written and closed, or renamed into the folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use inotify::{EventMask, Inotify, WatchMask};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::name;

/// Names remembered between two looks; beyond, the folder itself is the memory. At 100 bytes each 6 MiB.
const REMEMBERED: usize = 65_536;

/// Names of files that are complete, until somebody takes them.
#[derive(Clone, Default)]
pub struct Heard {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    names: Mutex<Names>,
    came: Notify,
}

#[derive(Default)]
struct Names {
    complete: BTreeSet<OsString>,
    /// Something was missed: only the folder knows.
    missed: bool,
}

impl Heard {
    /// What came since the last time, sorted by name, and whether something was missed.
    pub fn take(&self) -> (BTreeSet<OsString>, bool) {
        let mut names = self.inner.names.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut names.complete), std::mem::take(&mut names.missed))
    }

    /// Until something may have come.
    pub async fn came(&self) {
        self.inner.came.notified().await;
    }

    fn add(&self, name: OsString) {
        let mut names = self.inner.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.complete.len() < REMEMBERED {
            names.complete.insert(name);
        } else {
            names.missed = true;
        }
    }

    fn miss(&self) {
        self.inner.names.lock().unwrap_or_else(PoisonError::into_inner).missed = true;
    }
}

/// Listens until `stop`. What happened before it returns is not heard: look at the folder afterwards.
pub fn listen(folder: &Path, heard: Heard, stop: CancellationToken) -> io::Result<()> {
    let inotify = Inotify::init()?;
    inotify.watches().add(folder, WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::ONLYDIR)?;
    // 64 KiB hold some thousand events of usual names.
    let mut events = inotify.into_event_stream(vec![0; 64 * 1024])?;
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                () = stop.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                Some(Ok(event)) if event.mask.contains(EventMask::Q_OVERFLOW) => heard.miss(),
                Some(Ok(event)) => match event.name {
                    Some(name) if name::kind(&name).is_some() => heard.add(name),
                    _ => continue,
                },
                Some(Err(error)) => {
                    tracing::warn!(cause = %error, "Events of the hot folder cannot be read; it is looked through instead.");
                    heard.miss();
                    return;
                }
                None => return,
            }
            heard.inner.came.notify_one();
        }
    });
    Ok(())
}
