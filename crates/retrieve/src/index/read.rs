//! Asks the index: by words, by meaning, and fuses what both say. A connection of its own: with a
//! write-ahead log a reader sees the last finished document and waits for nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension};

use super::schema::{Files, is_broken, open_reader};
use super::write::meta;
use super::{Error, Found, Inner, locked};
use crate::meaning::{Matrix, fused};
use crate::query;

/// Questions at a time, and connections that stay open.
pub(super) const AT_ONCE: usize = 4;

/// A word in more than a third of the passages is common.
const COMMON: i64 = 3;

/// In so few passages no word is.
const FEW: i64 = 200;

/// Words whose count is remembered.
const REMEMBERED: usize = 4_096;

/// Passages that each list brings into the fusion, at least.
const CANDIDATES: usize = 50;

/// Connections that wait for a question.
#[derive(Debug)]
pub(super) struct Readers {
    files: Files,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    connections: Vec<Connection>,
    /// Counts the files there have been: a connection to one that was thrown away is closed.
    file: u64,
}

impl Readers {
    pub(super) fn new(files: Files) -> Self {
        Self { files, idle: Mutex::default() }
    }

    /// There is another file now.
    pub(super) fn forget(&self) {
        let mut idle = locked(&self.idle);
        idle.file += 1;
        idle.connections.clear();
    }

    fn with<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let (connection, file) = {
            let mut idle = locked(&self.idle);
            (idle.connections.pop(), idle.file)
        };
        let connection = match connection {
            Some(connection) => connection,
            None if !self.files.database.exists() => return Err(Error::NotThere),
            None => open_reader(&self.files).map_err(Error::Ask)?,
        };
        let asked = ask(&connection);
        // A broken file is about to be replaced.
        let is_good = asked.as_ref().err().is_none_or(|cause| !is_broken(cause));
        let mut idle = locked(&self.idle);
        if is_good && idle.file == file && idle.connections.len() < AT_ONCE {
            idle.connections.push(connection);
        }
        asked.map_err(Error::Ask)
    }
}

/// Which words are in so many passages that they tell none apart: BM25 gives them no weight, but
/// every passage that holds one would be weighed.
#[derive(Debug, Default)]
pub(super) struct Common {
    known: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    /// From so many passages on a word is common; 0: not known.
    from: i64,
    words: HashMap<String, bool>,
}

impl Common {
    /// Other passages, other counts.
    pub(super) fn forget(&self) {
        *locked(&self.known) = Counted::default();
    }

    /// The words that are not common; all of them when they all are.
    fn telling<'a>(&self, connection: &Connection, words: &'a [String]) -> rusqlite::Result<Vec<&'a String>> {
        let mut known = locked(&self.known);
        if known.from == 0 {
            let passages: i64 =
                connection.query_row("SELECT count(*) FROM passages", [], |row| row.get(0))?;
            known.from = (passages / COMMON).max(FEW);
        }
        if known.words.len() > REMEMBERED {
            known.words.clear();
        }
        let from = known.from;
        let mut telling = Vec::with_capacity(words.len());
        for word in words {
            let is_common = match known.words.get(word) {
                Some(is_common) => *is_common,
                None => {
                    let is_common = has(connection, word, from)?;
                    known.words.insert(word.clone(), is_common);
                    is_common
                }
            };
            if !is_common {
                telling.push(word);
            }
        }
        Ok(if telling.is_empty() { words.iter().collect() } else { telling })
    }
}

/// Whether a word is in so many passages at least.
fn has(connection: &Connection, word: &String, passages: i64) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM words WHERE words MATCH ?1 LIMIT 1 OFFSET ?2")?;
    statement.exists((query::expression([word]), passages - 1))
}

impl Inner {
    pub(super) fn ask(&self, words: &str, vector: Option<&[f32]>, most: usize) -> Result<Vec<Found>, Error> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let candidates = CANDIDATES.max(most);
        let mut lists = Vec::new();
        let words = query::words(words);
        if !words.is_empty() {
            let listed = self.readers.with(|connection| {
                let telling = self.common.telling(connection, &words)?;
                by_words(connection, &query::expression(telling), candidates)
            });
            lists.push(listed?);
        }
        if let Some(vector) = vector {
            lists.push(self.matrix()?.nearest(vector, candidates));
        }
        // A passage may have gone since a list was made: more are fused than are shown.
        let best = fused(&lists, candidates);
        self.readers.with(|connection| {
            let mut found = Vec::with_capacity(most);
            for (passage, score) in best {
                found.extend(passage_of(connection, passage, score)?);
                if found.len() == most {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Reads the vectors anew, after they changed.
    pub(super) fn refresh_matrix(&self) -> Result<(), Error> {
        let matrix = self.read_matrix()?;
        locked(&self.progress).embedded = matrix.len();
        *locked(&self.matrix) = Some(Arc::new(matrix));
        Ok(())
    }

    fn matrix(&self) -> Result<Arc<Matrix>, Error> {
        if let Some(matrix) = &*locked(&self.matrix) {
            return Ok(matrix.clone());
        }
        let matrix = Arc::new(self.read_matrix()?);
        *locked(&self.matrix) = Some(matrix.clone());
        Ok(matrix)
    }

    fn read_matrix(&self) -> Result<Matrix, Error> {
        let Some(embed) = &self.settings.embed else { return Ok(Matrix::default()) };
        self.readers.with(|connection| {
            if meta(connection, "model")?.as_deref() != Some(embed.model()) {
                return Ok(Matrix::default());
            }
            let dimension = meta(connection, "dimension")?.and_then(|text| text.parse().ok()).unwrap_or(0);
            let count: i64 = connection.query_row("SELECT count(*) FROM vectors", [], |row| row.get(0))?;
            let mut matrix = Matrix::new(dimension, count as usize);
            let mut statement = connection.prepare("SELECT passage, vector FROM vectors ORDER BY passage")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                matrix.push(row.get(0)?, row.get_ref(1)?.as_blob()?);
            }
            Ok(matrix)
        })
    }
}

/// BM25, where a word in a title or heading weighs as much as three in the text.
fn by_words(connection: &Connection, expression: &str, most: usize) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT rowid FROM words WHERE words MATCH ?1 AND rank MATCH 'bm25(3.0, 1.0)' ORDER BY rank LIMIT ?2",
    )?;
    let rows = statement.query_map((expression, most as i64), |row| row.get(0))?;
    rows.collect()
}

fn passage_of(connection: &Connection, passage: i64, score: f64) -> rusqlite::Result<Option<Found>> {
    let mut statement = connection.prepare_cached(
        "SELECT passages.name, documents.name, title, text
         FROM passages JOIN documents ON documents.id = document WHERE passages.id = ?1",
    )?;
    statement
        .query_row([passage], |row| {
            Ok(Found { id: row.get(0)?, document: row.get(1)?, title: row.get(2)?, text: row.get(3)?, score })
        })
        .optional()
}
