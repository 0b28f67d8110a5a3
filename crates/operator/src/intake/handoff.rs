//! The hand-off file of `POST /intent`: written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::folder::identity;

/// `intent-YYYYMMDDTHHMMSSZ-NNNNNNNNN.json`, the nine digits being nanoseconds.
pub fn name(at: Timestamp) -> String {
    let time = at.to_zoned(TimeZone::UTC);
    format!(
        "intent-{:04}{:02}{:02}T{:02}{:02}{:02}Z-{:09}.json",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.subsec_nanosecond()
    )
}

/// A file that is on disk under a name that nobody reads yet. Dropped without [`Handoff::publish`],
/// it is taken away.
pub struct Handoff {
    folder: PathBuf,
    hidden: Option<PathBuf>,
    name: String,
    key: String,
}

impl Handoff {
    pub fn prepare(folder: &Path, content: &[u8], now: Timestamp) -> io::Result<Self> {
        let name = name(unlike_the_last(now));
        let hidden = folder.join(format!(".{name}.tmp"));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&hidden)?;
        let mut made = Self { folder: folder.to_owned(), hidden: Some(hidden), name, key: String::new() };
        file.write_all(content)?;
        file.sync_all()?;
        // Should the hot folder be this folder, the file is known there by this key, and left alone.
        made.key = identity::key(&made.name, &file.metadata()?, content);
        Ok(made)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// Gives it its name. A file that has it already is never overwritten.
    pub fn publish(mut self) -> io::Result<()> {
        let Some(hidden) = self.hidden.take() else { return Ok(()) };
        let place = self.folder.join(&self.name);
        let renamed = rustix::fs::renameat_with(
            rustix::fs::CWD,
            &hidden,
            rustix::fs::CWD,
            &place,
            rustix::fs::RenameFlags::NOREPLACE,
        );
        if let Err(error) = renamed {
            self.hidden = Some(hidden);
            return Err(error.into());
        }
        File::open(&self.folder)?.sync_all()
    }
}

impl Drop for Handoff {
    fn drop(&mut self) {
        if let Some(hidden) = &self.hidden {
            let _ = fs::remove_file(hidden);
        }
    }
}

/// Two files of one nanosecond would have one name.
fn unlike_the_last(now: Timestamp) -> Timestamp {
    static LAST: Mutex<Timestamp> = Mutex::new(Timestamp::UNIX_EPOCH);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let next = Timestamp::from_nanosecond(last.as_nanosecond() + 1).unwrap_or(now);
    // Only forward, and never far: a clock set back makes names that follow the last.
    *last = if now > *last { now } else { next };
    *last
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_name_has_the_time_to_the_nanosecond() {
        let at: Timestamp = "2026-01-31T18:05:09.000000042Z".parse().unwrap();
        assert_eq!(name(at), "intent-20260131T180509Z-000000042.json");
    }

    #[test]
    fn a_file_appears_whole_and_only_when_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let file = Handoff::prepare(folder.path(), b"{}\n", Timestamp::now()).unwrap();
        let name = file.name().to_owned();
        assert!(!folder.path().join(&name).exists());
        file.publish().unwrap();
        assert_eq!(fs::read(folder.path().join(&name)).unwrap(), b"{}\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_published_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(Handoff::prepare(folder.path(), b"{}", Timestamp::now()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_of_one_instant_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let first = Handoff::prepare(folder.path(), b"1", now).unwrap();
        let second = Handoff::prepare(folder.path(), b"2", now).unwrap();
        assert_ne!(first.name(), second.name());
    }
}
