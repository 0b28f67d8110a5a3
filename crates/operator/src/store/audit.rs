//! The audit trail: append-only, each entry chained to the one before by its hash.
//!
//! The chain holds a salted hash of each entry's body. Names and words lie beside it, so that they
//! can be erased later: verification then says `erased`, not broken, and without the salt nobody
//! can guess the words back from the hash.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use nephoran_api::canonical::hex;
use nephoran_model::intent::{IntentId, Move};
use ring::digest::{Context, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;

/// Kind of the entries that the store itself derives from an intent's history.
pub const MOVED: &str = "state";

/// Faults that a verification tells one by one; more are only counted.
const TOLD: usize = 100;

/// The end of the chain: every commit in git carries it, so that a cut tail shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuditHead {
    /// 0 when the trail is empty.
    pub sequence: u64,
    pub hash: [u8; 32],
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (sequence, digits) = text.split_once(':').ok_or(())?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        let mut hash = [0; 32];
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| ())?;
        }
        Ok(Self { sequence: sequence.parse().map_err(|_| ())?, hash })
    }
}

/// Something beside a move that the trail must tell: an approval, an answer, a start, a reload.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditNote {
    /// From a closed set in our code, never a client's word.
    pub kind: &'static str,
    pub actor: String,
    pub body: Value,
}

/// One entry as people read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    pub sequence: u64,
    pub at: Timestamp,
    pub kind: String,
    pub intent: Option<IntentId>,
    /// 64 hex digits.
    pub hash: String,
    /// Absent once erased.
    pub actor: Option<String>,
    /// For a move `{state, cause}`; absent once erased.
    pub body: Option<Value>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub entries: u64,
    #[serde(serialize_with = "as_text")]
    pub head: AuditHead,
    /// Entries whose words were erased; their place in the chain is proven all the same.
    pub erased: u64,
    /// At most a hundred of them.
    pub faults: Vec<Fault>,
    pub faults_in_all: u64,
}

impl Verification {
    pub fn is_sound(&self) -> bool {
        self.faults_in_all == 0
    }

    fn fault(&mut self, sequence: u64, what: impl Into<String>) {
        self.faults_in_all += 1;
        if self.faults.len() < TOLD {
            self.faults.push(Fault { sequence, what: what.into() });
        }
    }
}

fn as_text<S: serde::Serializer>(head: &AuditHead, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(head)
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub sequence: u64,
    pub what: String,
}

/// The part of an entry that can be erased.
#[derive(Serialize, Deserialize)]
struct Words<B> {
    actor: String,
    body: B,
}

#[derive(Serialize)]
struct Moved<'a> {
    state: &'a str,
    cause: &'a str,
}

/// An entry on its way into the trail.
pub(super) struct New<'a> {
    at: Timestamp,
    kind: &'a str,
    intent: Option<&'a IntentId>,
    words: Vec<u8>,
}

impl<'a> New<'a> {
    pub(super) fn moved(intent: &'a IntentId, moved: &Move) -> Self {
        let body = Moved { state: moved.state.as_str(), cause: &moved.cause };
        Self { at: moved.at, kind: MOVED, intent: Some(intent), words: words(&moved.actor, body) }
    }

    pub(super) fn note(intent: Option<&'a IntentId>, note: &AuditNote, at: Timestamp) -> Self {
        Self { at, kind: note.kind, intent, words: words(&note.actor, &note.body) }
    }
}

fn words(actor: &str, body: impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Words { actor: actor.to_owned(), body })
        .expect("texts and JSON values are always JSON")
}

/// Random bytes that keep an erased body from being guessed; drawn for many entries at once.
pub(super) struct Salts {
    random: SystemRandom,
    drawn: [u8; 16 * 64],
    used: usize,
}

impl Salts {
    pub(super) fn new() -> Self {
        Self { random: SystemRandom::new(), drawn: [0; 16 * 64], used: 16 * 64 }
    }

    fn next(&mut self) -> [u8; 16] {
        if self.used == self.drawn.len() {
            self.random.fill(&mut self.drawn).expect("the system has random bytes once it has booted");
            self.used = 0;
        }
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.drawn[self.used..self.used + 16]);
        self.used += 16;
        salt
    }
}

/// Appends `new` after `head`. `previous` is the number of the intent's entry before, 0 for none:
/// an intent's entries are a list through the trail, which costs no index.
pub(super) fn append(
    connection: &Connection,
    head: &mut AuditHead,
    salts: &mut Salts,
    previous: u64,
    new: &New<'_>,
) -> rusqlite::Result<u64> {
    let sequence = head.sequence + 1;
    let salt = salts.next();
    let digest = digest_of(&salt, &new.words);
    let at = new.at.as_microsecond();
    let hash =
        hash_of(&head.hash, sequence, at, new.kind, new.intent.map(IntentId::as_str), previous, &digest);
    connection
        .prepare_cached(
            "INSERT INTO audit (sequence, at, kind, intent, previous, digest, hash, salt, words)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            sequence as i64,
            at,
            new.kind,
            new.intent.map(IntentId::as_str),
            previous as i64,
            digest,
            hash,
            salt,
            new.words
        ])?;
    *head = AuditHead { sequence, hash };
    Ok(sequence)
}

fn digest_of(salt: &[u8], words: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(words);
    finish(context)
}

#[allow(clippy::too_many_arguments)]
fn hash_of(
    before: &[u8; 32],
    sequence: u64,
    at: i64,
    kind: &str,
    intent: Option<&str>,
    previous: u64,
    digest: &[u8],
) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&sequence.to_be_bytes());
    context.update(&at.to_be_bytes());
    // With their lengths, so that no byte can move from one field to the next.
    for text in [kind, intent.unwrap_or_default()] {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.update(&previous.to_be_bytes());
    context.update(digest);
    finish(context)
}

fn finish(context: Context) -> [u8; 32] {
    context.finish().as_ref().try_into().expect("a SHA-256 digest has 32 bytes")
}

pub(super) fn head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    let mut statement =
        connection.prepare_cached("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        None => Ok(AuditHead::default()),
        Some(row) => Ok(AuditHead { sequence: row.get::<_, i64>(0)? as u64, hash: row.get(1)? }),
    }
}

const COLUMNS: &str = "sequence, at, kind, intent, previous, hash, words";

fn entry(row: &Row<'_>) -> rusqlite::Result<(AuditEntry, u64)> {
    let words: Option<Vec<u8>> = row.get(6)?;
    let words = words.and_then(|words| serde_json::from_slice::<Words<Value>>(&words).ok());
    let (actor, body) = words.map(|words| (words.actor, words.body)).unzip();
    let hash: [u8; 32] = row.get(5)?;
    let entry = AuditEntry {
        sequence: row.get::<_, i64>(0)? as u64,
        at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
        kind: row.get(2)?,
        intent: row.get::<_, Option<String>>(3)?.and_then(|id| IntentId::parse(&id)),
        hash: hex(&hash),
        actor,
        body,
    };
    Ok((entry, row.get::<_, i64>(4)? as u64))
}

/// Entries after `after`, oldest first.
pub(super) fn entries(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<AuditEntry>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"
        ))?
        .query_map(params![after.min(i64::MAX as u64) as i64, limit as i64], |row| {
            entry(row).map(|(entry, _)| entry)
        })?
        .collect()
}

/// The last `limit` entries, oldest first.
pub(super) fn last(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut entries: Vec<AuditEntry> = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit ORDER BY sequence DESC LIMIT ?1"))?
        .query_map([limit as i64], |row| entry(row).map(|(entry, _)| entry))?
        .collect::<rusqlite::Result<_>>()?;
    entries.reverse();
    Ok(entries)
}

/// One intent's entries after `after`, oldest first, found from its last one backwards.
pub(super) fn entries_of(
    connection: &Connection,
    last: u64,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE sequence = ?1"))?;
    let mut found = std::collections::VecDeque::new();
    let mut at = last;
    while at > after {
        let mut rows = statement.query([at as i64])?;
        let Some(row) = rows.next()? else { break };
        let (entry, previous) = entry(row)?;
        // The oldest are wanted: the newer ones make room for them.
        if found.len() == limit {
            found.pop_back();
        }
        found.push_front(entry);
        // A damaged trail must not lead round in circles.
        if previous >= at {
            break;
        }
        at = previous;
    }
    Ok(found.into())
}

/// Takes the words out of all entries of an intent whose last entry is `last`.
pub(super) fn erase(connection: &Connection, last: u64) -> rusqlite::Result<u64> {
    let mut erased = 0;
    let mut at = last;
    while at > 0 {
        let changed = connection
            .prepare_cached(
                "UPDATE audit SET salt = NULL, words = NULL WHERE sequence = ?1 AND words IS NOT NULL",
            )?
            .execute([at as i64])?;
        erased += changed as u64;
        let previous: i64 = connection
            .prepare_cached("SELECT previous FROM audit WHERE sequence = ?1")?
            .query_row([at as i64], |row| row.get(0))?;
        if previous as u64 >= at {
            break;
        }
        at = previous as u64;
    }
    Ok(erased)
}

/// Goes through the whole trail. `known` are heads that somebody else remembers, e.g. those in
/// the commits: each must be in the chain.
pub(super) fn verify(connection: &Connection, known: &[AuditHead]) -> Result<Verification, Error> {
    let unreadable = |source| Error::Read { what: "read the audit trail", source };
    let mut verification = Verification {
        entries: 0,
        head: AuditHead::default(),
        erased: 0,
        faults: Vec::new(),
        faults_in_all: 0,
    };
    let mut known: Vec<AuditHead> = known.to_vec();
    known.sort_by_key(|head| head.sequence);
    let mut known = known.into_iter().peekable();

    let mut statement = connection
        .prepare("SELECT sequence, at, kind, intent, previous, digest, hash, salt, words FROM audit ORDER BY sequence")
        .map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(source) => {
                verification.fault(verification.head.sequence + 1, format!("cannot be read: {source}"));
                break;
            }
        };
        let expected = verification.head.sequence + 1;
        verification.entries += 1;
        let row = match Raw::read(row) {
            Ok(raw) => raw,
            Err(source) => {
                verification.fault(expected, format!("cannot be read: {source}"));
                verification.head.sequence = expected;
                continue;
            }
        };
        if row.sequence != expected {
            verification.fault(expected, format!("missing: the entry after it is {}", row.sequence));
        }
        let digest = match (&row.salt, &row.words) {
            (Some(salt), Some(words)) => Some(digest_of(salt, words)),
            (None, None) => None,
            _ => {
                verification.fault(row.sequence, "only half of its words is there");
                None
            }
        };
        match digest {
            None => verification.erased += 1,
            Some(digest) if digest == row.digest => {}
            Some(_) => verification.fault(row.sequence, "its words were changed"),
        }
        let hash = hash_of(
            &verification.head.hash,
            row.sequence,
            row.at,
            &row.kind,
            row.intent.as_deref(),
            row.previous,
            &row.digest,
        );
        if hash != row.hash {
            verification.fault(row.sequence, "it does not follow from the entry before");
        }
        while let Some(head) = known.next_if(|head| head.sequence <= row.sequence) {
            if head.sequence == row.sequence && head.hash != row.hash {
                verification.fault(row.sequence, "it is not the entry that was known by this number");
            }
        }
        // Goes on from what is written, so that one change is not told as many.
        verification.head = AuditHead { sequence: row.sequence, hash: row.hash };
    }
    for head in known {
        verification.fault(head.sequence, "missing at the end: it was known before");
    }
    let beyond: Option<i64> = connection
        .query_row(
            "SELECT max(last_audit) FROM intents WHERE last_audit > ?1",
            [verification.head.sequence as i64],
            |row| row.get(0),
        )
        .map_err(unreadable)?;
    if let Some(beyond) = beyond {
        verification.fault(beyond as u64, "missing at the end: an intent's record names it");
    }
    Ok(verification)
}

struct Raw {
    sequence: u64,
    at: i64,
    kind: String,
    intent: Option<String>,
    previous: u64,
    digest: [u8; 32],
    hash: [u8; 32],
    salt: Option<Vec<u8>>,
    words: Option<Vec<u8>>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get::<_, i64>(0)? as u64,
            at: row.get(1)?,
            kind: row.get(2)?,
            intent: row.get(3)?,
            previous: row.get::<_, i64>(4)? as u64,
            digest: row.get(5)?,
            hash: row.get(6)?,
            salt: row.get(7)?,
            words: row.get(8)?,
        })
    }
}
