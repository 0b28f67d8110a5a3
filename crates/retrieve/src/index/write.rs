//! Takes in what changed: one document, one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio_util::sync::CancellationToken;

use super::schema::{Lock, begin_anew, is_broken, is_whole, open_writer};
use super::{Error, Inner, Report, locked};
use crate::clean::clean;
use crate::cut::{Kind, cut, title};
use crate::folder::{Folder, Look, NOTE, Skip, Stamp, look};
use crate::meaning::bytes;
use crate::notes::NOTES;

/// A file written within this time before it was looked at may be written once more within the same
/// tick of the file system's clock: its stamp proves nothing, its content is compared.
const RACY: i64 = 2_000_000_000;

/// From so many changed documents on, the words are put in order afterwards: questions are faster then.
const MANY: usize = 100;

/// What the index knows of a document.
struct Known {
    id: i64,
    stamp: String,
    looked: i64,
    hash: Vec<u8>,
}

/// A document that is to be in the index.
enum Wanted {
    Note(&'static str),
    File(Stamp),
}

/// A passage as it goes into the index.
struct Passage {
    name: String,
    title: String,
    text: String,
}

impl Inner {
    pub(super) fn take_in(&self, stop: &CancellationToken) -> Result<Report, Error> {
        let mut writer = locked(&self.writer);
        let mut made_anew = false;
        if writer.is_none() {
            let mut lock = locked(&self.lock);
            if lock.is_none() {
                *lock = Lock::take(&self.files)?;
            }
            if lock.is_none() {
                return Err(Error::KeptElsewhere);
            }
            let opened = open_writer(&self.files)?;
            made_anew = opened.made_anew;
            *writer = Some(opened.connection);
        }
        let is_checked = self.checked.swap(true, Ordering::Relaxed) || made_anew;
        if !is_checked && !writer.as_ref().is_some_and(is_whole) {
            self.throw_away(&mut writer)?;
            made_anew = true;
        }
        let connection = writer.as_mut().ok_or(Error::NotThere)?;
        let taken = match self.take_in_with(connection, stop) {
            Err(Error::Write(cause)) if is_broken(&cause) => {
                self.throw_away(&mut writer)?;
                made_anew = true;
                self.take_in_with(writer.as_mut().ok_or(Error::NotThere)?, stop)
            }
            taken => taken,
        };
        taken.map(|report| Report { made_anew, ..report })
    }

    fn throw_away(&self, writer: &mut Option<Connection>) -> Result<(), Error> {
        *writer = None;
        *writer = Some(begin_anew(&self.files)?.connection);
        self.readers.forget();
        *locked(&self.matrix) = None;
        locked(&self.refused).clear();
        self.common.forget();
        Ok(())
    }

    fn take_in_with(&self, connection: &mut Connection, stop: &CancellationToken) -> Result<Report, Error> {
        let mut report = Report::default();
        let mut known = known(connection).map_err(Error::Write)?;
        let (folder, seen) = self.look(&mut report);
        let mut kept: HashSet<String> = HashSet::new();
        let is_readable = folder.is_some() || self.settings.folder.is_none();
        for (name, reason) in &seen.skipped {
            // What cannot be read for the moment is no reason to forget it.
            if matches!(reason, Skip::Unreadable(_)) {
                kept.insert(name.clone());
            }
            report.skip(name, reason.clone());
        }
        let notes = NOTES.iter().filter(|_| self.settings.notes);
        let notes = notes.map(|(name, text)| (format!("{NOTE}{name}"), Wanted::Note(text)));
        let files = seen.files.into_iter().map(|(name, stamp)| (name, Wanted::File(stamp)));
        let wanted: Vec<(String, Wanted)> = notes.chain(files).collect();
        {
            let mut progress = locked(&self.progress);
            (progress.documents, progress.done) = (wanted.len(), 0);
        }
        let mut passages = count(connection, "passages").map_err(Error::Write)?;

        // First what went: its place is free for what came.
        let names: HashSet<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
        let gone: Vec<String> = known
            .keys()
            .filter(|name| !names.contains(name.as_str()) && !kept.contains(*name))
            .filter(|name| name.starts_with(NOTE) || (is_readable && !is_below(name, &seen.unread)))
            .cloned()
            .collect();
        for name in gone {
            if let Some(document) = known.remove(&name) {
                passages -= remove(connection, document.id).map_err(Error::Write)?;
                report.removed += 1;
            }
        }
        for (name, wanted) in wanted {
            if stop.is_cancelled() {
                report.stopped = true;
                break;
            }
            let before = known.get(&name);
            let done = self.take_in_one(connection, folder.as_ref(), &name, wanted, before, &mut passages);
            match done {
                Ok(Some(dropped)) => {
                    report.changed += 1;
                    report.dropped += dropped;
                }
                Ok(None) => {}
                Err(NotTaken::Skipped(reason)) => {
                    let is_to_go = !matches!(reason, Skip::Unreadable(_));
                    if let Some(before) = before.filter(|_| is_to_go) {
                        passages -= remove(connection, before.id).map_err(Error::Write)?;
                        report.removed += 1;
                    }
                    report.skip(&name, reason);
                }
                Err(NotTaken::Failed(cause)) => return Err(Error::Write(cause)),
            }
            let mut progress = locked(&self.progress);
            progress.done += 1;
            progress.passages = passages;
        }
        if report.changed >= MANY {
            connection.execute("INSERT INTO words (words) VALUES ('optimize')", []).map_err(Error::Write)?;
        }
        report.documents = count(connection, "documents").map_err(Error::Write)?;
        report.passages = count(connection, "passages").map_err(Error::Write)?;
        Ok(report)
    }

    fn look(&self, report: &mut Report) -> (Option<Folder>, Look) {
        let Some(path) = &self.settings.folder else { return (None, Look::default()) };
        let seen =
            Folder::open(path).and_then(|open| Ok((open, look(path, self.settings.limits.documents)?)));
        match seen {
            Ok((folder, seen)) => (Some(folder), seen),
            Err(source) => {
                report.trouble = Some(format!("{}: {source}", path.display()));
                (None, Look::default())
            }
        }
    }

    /// `None`: it is as it was. Else how many characters were dropped.
    fn take_in_one(
        &self,
        connection: &mut Connection,
        folder: Option<&Folder>,
        name: &str,
        wanted: Wanted,
        before: Option<&Known>,
        passages: &mut usize,
    ) -> Result<Option<usize>, NotTaken> {
        let limits = &self.settings.limits;
        let looked = now();
        let (stamp, raw) = match (wanted, folder) {
            (Wanted::Note(text), _) => (String::new(), text.to_owned()),
            (Wanted::File(stamp), Some(folder)) => {
                let is_proof = |known: &&Known| stamp.modified.max(stamp.changed) < known.looked - RACY;
                if before.filter(is_proof).is_some_and(|known| known.stamp == stamp.text()) {
                    return Ok(None);
                }
                let (stamp, text) = folder.read(name, limits.bytes).map_err(NotTaken::Skipped)?;
                (stamp.text(), text)
            }
            (Wanted::File(_), None) => return Ok(None),
        };
        let hash = digest(&SHA256, raw.as_bytes());
        let transaction = connection.transaction()?;
        if let Some(before) = before.filter(|known| known.hash == hash.as_ref()) {
            if !stamp.is_empty() {
                transaction.execute(
                    "UPDATE documents SET stamp = ?2, looked = ?3 WHERE id = ?1",
                    params![before.id, stamp, looked],
                )?;
                transaction.commit()?;
            }
            return Ok(None);
        }
        let cleaned = clean(&raw);
        let new = passages_of(name, &cleaned.text);
        let document: i64 = transaction.query_row(
            "INSERT INTO documents (name, stamp, looked, hash) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET stamp = ?2, looked = ?3, hash = ?4 RETURNING id",
            params![name, stamp, looked, hash.as_ref()],
            |row| row.get(0),
        )?;
        let (added, removed) = replace(&transaction, document, &new)?;
        if *passages + added > limits.passages + removed {
            // Dropping the transaction undoes it.
            return Err(NotTaken::Skipped(Skip::Full(limits.passages)));
        }
        transaction.commit()?;
        *passages = *passages + added - removed;
        Ok(Some(cleaned.dropped))
    }

    /// The vectors of another model are of no use.
    pub(super) fn vectors_of(&self, model: &str) -> Result<(), Error> {
        self.write(|transaction| {
            let before = meta(transaction, "model")?;
            if before.as_deref() != Some(model) {
                transaction.execute("DELETE FROM vectors", [])?;
                transaction.execute("DELETE FROM meta WHERE name = 'dimension'", [])?;
                transaction.execute("INSERT OR REPLACE INTO meta VALUES ('model', ?1)", [model])?;
            }
            Ok(())
        })
    }

    /// The first passages behind `after` that lack a vector, with the text it is to be made of.
    pub(super) fn without_vector(&self, after: i64, most: usize) -> Result<Vec<(i64, String)>, Error> {
        let refused = locked(&self.refused).clone();
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id, title, text FROM passages
                 WHERE id > ?1 AND id NOT IN (SELECT passage FROM vectors) ORDER BY id",
            )?;
            let rows = statement.query_map([after], |row| {
                Ok((row.get(0)?, format!("{}\n{}", row.get::<_, String>(1)?, row.get::<_, String>(2)?)))
            })?;
            let wanted = rows.filter(|row| !row.as_ref().is_ok_and(|(passage, _)| refused.contains(passage)));
            wanted.take(most).collect()
        })
    }

    /// Returns how many passages have a vector now, and whether those of before had another length and went.
    pub(super) fn keep_vectors(&self, vectors: &[(i64, Vec<f32>)]) -> Result<(usize, bool), Error> {
        let dimension = vectors.first().map(|(_, vector)| vector.len().to_string());
        self.write(|transaction| {
            let mut anew = false;
            if let Some(dimension) = dimension {
                // The same name, another length: behind it is another model now.
                if meta(transaction, "dimension")?.is_some_and(|before| before != dimension) {
                    transaction.execute("DELETE FROM vectors", [])?;
                    anew = true;
                }
                transaction.execute("INSERT OR REPLACE INTO meta VALUES ('dimension', ?1)", [&dimension])?;
            }
            for (passage, vector) in vectors {
                // A passage that went in the meantime gets none.
                transaction.execute(
                    "INSERT OR REPLACE INTO vectors SELECT id, ?2 FROM passages WHERE id = ?1",
                    params![passage, bytes(vector)],
                )?;
            }
            transaction
                .query_row("SELECT count(*) FROM vectors", [], |row| row.get::<_, i64>(0))
                .map(|count| (count as usize, anew))
        })
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Error> {
        let mut writer = locked(&self.writer);
        let connection = writer.as_mut().ok_or(Error::KeptElsewhere)?;
        let transaction = connection.transaction().map_err(Error::Write)?;
        let done = work(&transaction).map_err(Error::Write)?;
        transaction.commit().map_err(Error::Write)?;
        Ok(done)
    }
}

enum NotTaken {
    Skipped(Skip),
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for NotTaken {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Failed(cause)
    }
}

pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn known(connection: &Connection) -> rusqlite::Result<HashMap<String, Known>> {
    let mut statement = connection.prepare_cached("SELECT name, id, stamp, looked, hash FROM documents")?;
    let rows = statement.query_map([], |row| {
        let known = Known { id: row.get(1)?, stamp: row.get(2)?, looked: row.get(3)?, hash: row.get(4)? };
        Ok((row.get(0)?, known))
    })?;
    rows.collect()
}

/// `table` is a name of ours, never a document's.
fn count(connection: &Connection, table: &'static str) -> rusqlite::Result<usize> {
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        .map(|count| count as usize)
}

fn is_below(name: &str, folders: &[String]) -> bool {
    folders.iter().any(|folder| name.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

/// Returns how many passages went with it.
fn remove(connection: &mut Connection, document: i64) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let (_, removed) = replace(&transaction, document, &[])?;
    transaction.execute("DELETE FROM documents WHERE id = ?1", [document])?;
    transaction.commit()?;
    Ok(removed)
}

/// What is as it was stays, with its number and its vector. Returns how many came and went.
fn replace(
    transaction: &Transaction<'_>,
    document: i64,
    new: &[Passage],
) -> rusqlite::Result<(usize, usize)> {
    let mut before: HashMap<String, i64> = transaction
        .prepare_cached("SELECT name, id FROM passages WHERE document = ?1")?
        .query_map([document], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut added = 0;
    for passage in new {
        if before.remove(&passage.name).is_some() {
            continue;
        }
        transaction
            .prepare_cached("INSERT INTO passages (document, name, title, text) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![document, passage.name, passage.title, passage.text])?;
        transaction
            .prepare_cached("INSERT INTO words (rowid, title, text) VALUES (?1, ?2, ?3)")?
            .execute(params![transaction.last_insert_rowid(), passage.title, passage.text])?;
        added += 1;
    }
    let removed = before.len();
    for passage in before.into_values() {
        transaction.execute("DELETE FROM passages WHERE id = ?1", [passage])?;
        transaction.execute("DELETE FROM words WHERE rowid = ?1", [passage])?;
        transaction.execute("DELETE FROM vectors WHERE passage = ?1", [passage])?;
    }
    Ok((added, removed))
}

/// The passages of a document, each once.
fn passages_of(name: &str, text: &str) -> Vec<Passage> {
    let kind = if name.starts_with(NOTE) || name.to_ascii_lowercase().ends_with(".md") {
        Kind::Markdown
    } else {
        Kind::Plain
    };
    let pieces = cut(text, kind);
    let file = name.rsplit('/').next().unwrap_or(name);
    let called = title(&pieces).map_or_else(|| file.to_owned(), str::to_owned);
    let mut seen = HashSet::new();
    let mut passages = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.left_out.is_none()) {
        let mut headings = piece.headings.clone();
        if headings.first() != Some(&called) {
            headings.insert(0, called.clone());
        }
        let title = headings.join(" > ");
        let text = text[piece.span.clone()].trim_matches('\n').trim_end().to_owned();
        let hash = digest(&SHA256, format!("{title}\n{text}").as_bytes());
        let hash: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{name}#{}@{hash}", slug(headings.last().map_or("", String::as_str)));
        if seen.insert(name.clone()) {
            passages.push(Passage { name, title, text });
        }
    }
    passages
}

/// A heading as links name it: letters and digits, hyphens between.
fn slug(heading: &str) -> String {
    let words = heading.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase().chars().take(40).collect()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
