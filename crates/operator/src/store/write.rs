//! What one request changes, inside the transaction that it shares with others.

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, Request};
use nephoran_model::proposal::{Action, Proposal};
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::audit::{self, AuditHead, AuditNote, New, Salts};
use super::events::Event;
use super::{AcceptKey, Accepted, Advanced, Error};

/// An intent with what the database wants of it, made ready where it is asked, not by the writer.
pub(super) struct Prepared {
    pub(super) intent: Intent,
    body: Vec<u8>,
    namespaces: String,
}

impl Prepared {
    /// `intent.version` is that of the record to be written.
    pub(super) fn new(intent: Intent) -> Result<Self, Error> {
        let body = serde_json::to_vec(&intent)
            .map_err(|source| Error::Invalid { id: intent.id.clone(), detail: source.to_string() })?;
        let namespaces = namespaces(&intent);
        Ok(Self { intent, body, namespaces })
    }
}

/// An idempotency key as it is stored: neither identity nor key can be read from it.
pub(super) struct StoredKey {
    pub(super) key: [u8; 16],
    pub(super) digest: [u8; 32],
}

impl StoredKey {
    pub(super) fn new(key: &AcceptKey) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [key.identity.as_str(), key.door.as_str(), key.key.as_str()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut half = [0; 16];
        half.copy_from_slice(&context.finish().as_ref()[..16]);
        Self { key: half, digest: key.digest }
    }
}

/// The effects of a batch that the world learns only after its commit.
pub(super) struct Batch {
    pub(super) head: AuditHead,
    pub(super) events: Vec<Event>,
    pub(super) live: i64,
}

/// A transaction under way.
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) salts: &'a mut Salts,
    pub(super) batch: &'a mut Batch,
}

/// The outer error ends the whole transaction; the inner one is the request's alone.
pub(super) type Applied<T> = rusqlite::Result<Result<T, Error>>;

impl Transaction<'_> {
    pub(super) fn accept(
        &mut self,
        prepared: &Prepared,
        key: Option<&StoredKey>,
        folder_key: Option<&str>,
    ) -> Applied<Accepted> {
        if let Some(folder_key) = folder_key
            && let Some(id) = self.by_folder_key(folder_key)?
        {
            return Ok(Ok(Accepted::Repeated { id }));
        }
        if let Some(key) = key
            && let Some((id, digest)) = by_key(self.connection, &key.key)?
        {
            return Ok(if digest == key.digest {
                Ok(Accepted::Repeated { id })
            } else {
                Err(Error::KeyReused)
            });
        }
        let intent = &prepared.intent;
        let id = intent.id.as_str();
        let last_audit = self.batch.head.sequence + intent.history.len() as u64;
        let inserted = self
            .connection
            .prepare_cached(
                "INSERT INTO intents (id, version, state, hold, priority, source, namespaces, created_at, deadline,
                    not_before, retry_at, ended_at, moves, last_audit, key, key_digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            )?
            .execute(params![
                id,
                intent.version as i64,
                intent.state.as_str(),
                hold(intent),
                intent.priority as i64,
                intent.source.as_str(),
                prepared.namespaces,
                intent.created_at.as_microsecond(),
                micros(intent.deadline),
                micros(intent.not_before),
                micros(intent.retry_at),
                ended_at(intent),
                intent.history.len() as i64,
                last_audit as i64,
                key.map(|key| key.key),
                key.map(|key| key.digest),
            ]);
        match inserted {
            Ok(_) => {}
            // Only this statement was undone; the batch goes on.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Ok(Err(Error::Exists { id: intent.id.clone() }));
            }
            Err(error) => return Err(error),
        }
        let seq = self.connection.last_insert_rowid();
        self.connection
            .prepare_cached("INSERT INTO records (seq, body) VALUES (?1, ?2)")?
            .execute(params![seq, prepared.body])?;
        if let Some(folder_key) = folder_key {
            self.connection
                .prepare_cached("INSERT INTO folder_keys (key, id) VALUES (?1, ?2)")?
                .execute(params![folder_key, id])?;
        }
        self.record_moves(intent, 0, 0)?;
        if !intent.state.is_end() {
            self.batch.live += 1;
        }
        Ok(Ok(Accepted::New { version: intent.version, audit: self.batch.head }))
    }

    pub(super) fn advance(&mut self, prepared: &Prepared, notes: &[AuditNote]) -> Applied<Advanced> {
        let intent = &prepared.intent;
        let expected = intent.version - 1;
        let stored = self
            .connection
            .prepare_cached(
                "SELECT seq, version, ended_at IS NULL, moves, last_audit FROM intents WHERE id = ?1",
            )?
            .query_row([intent.id.as_str()], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)? as u64,
                    row.get::<_, bool>(2)?,
                    row.get::<_, i64>(3)? as usize,
                    row.get::<_, i64>(4)? as u64,
                ))
            })
            .optional()?;
        let Some((seq, version, was_live, moves, last_audit)) = stored else {
            return Ok(Err(Error::Unknown { id: intent.id.clone() }));
        };
        if version != expected {
            return Ok(Err(Error::Stale { id: intent.id.clone(), expected, stored: version }));
        }
        if intent.history.len() < moves {
            let detail = format!("its history has {} moves, {moves} are stored", intent.history.len());
            return Ok(Err(Error::Invalid { id: intent.id.clone(), detail }));
        }
        let now = Timestamp::now();
        let mut last = last_audit;
        for note in notes {
            // Before the move that it explains.
            last = self.append(last, &New::note(Some(&intent.id), note, now))?;
        }
        let last = self.record_moves(intent, moves, last)?;
        self.connection
            .prepare_cached(
                "UPDATE intents SET version = ?2, state = ?3, hold = ?4, priority = ?5, namespaces = ?6, deadline = ?7,
                    not_before = ?8, retry_at = ?9, ended_at = ?10, moves = ?11, last_audit = ?12
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                intent.version as i64,
                intent.state.as_str(),
                hold(intent),
                intent.priority as i64,
                prepared.namespaces,
                micros(intent.deadline),
                micros(intent.not_before),
                micros(intent.retry_at),
                ended_at(intent),
                intent.history.len() as i64,
                last as i64,
            ])?;
        self.connection
            .prepare_cached("UPDATE records SET body = ?2 WHERE seq = ?1")?
            .execute(params![seq, prepared.body])?;
        self.batch.live += i64::from(!intent.state.is_end()) - i64::from(was_live);
        let moves = intent.history.len() - moves;
        Ok(Ok(Advanced { version: intent.version, audit: self.batch.head, moves }))
    }

    /// An entry that belongs to no intent: a start, a reload, a pause.
    pub(super) fn record(&mut self, note: &AuditNote) -> Applied<AuditHead> {
        self.append(0, &New::note(None, note, Timestamp::now()))?;
        Ok(Ok(self.batch.head))
    }

    pub(super) fn retire_folder_key(&mut self, key: &str) -> Applied<()> {
        self.connection.prepare_cached("DELETE FROM folder_keys WHERE key = ?1")?.execute([key])?;
        Ok(Ok(()))
    }

    /// Only what has ended: a place in the list may have been taken again meanwhile.
    pub(super) fn forget(&mut self, old: &[i64]) -> Applied<usize> {
        let mut forgotten = 0;
        for seq in old {
            let last: Option<i64> = self
                .connection
                .prepare_cached(
                    "DELETE FROM intents WHERE seq = ?1 AND ended_at IS NOT NULL RETURNING last_audit",
                )?
                .query_row([seq], |row| row.get(0))
                .optional()?;
            if let Some(last) = last {
                self.connection.prepare_cached("DELETE FROM records WHERE seq = ?1")?.execute([seq])?;
                audit::erase(self.connection, last as u64)?;
                forgotten += 1;
            }
        }
        Ok(Ok(forgotten))
    }

    /// As if it had never been accepted; the trail tells both.
    pub(super) fn withdraw(&mut self, id: &IntentId) -> rusqlite::Result<()> {
        let (seq, last): (i64, i64) = self
            .connection
            .prepare_cached("DELETE FROM intents WHERE id = ?1 RETURNING seq, last_audit")?
            .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        self.connection.prepare_cached("DELETE FROM records WHERE seq = ?1")?.execute([seq])?;
        self.connection.prepare_cached("DELETE FROM folder_keys WHERE id = ?1")?.execute([id.as_str()])?;
        let note = AuditNote {
            kind: "withdrawn",
            actor: "operator".into(),
            body: serde_json::json!({"cause": "the store failed while it was accepted; its requester was told so"}),
        };
        self.append(last as u64, &New::note(Some(id), &note, Timestamp::now()))?;
        Ok(())
    }

    fn append(&mut self, previous: u64, new: &New<'_>) -> rusqlite::Result<u64> {
        audit::append(self.connection, &mut self.batch.head, self.salts, previous, new)
    }

    /// The history from `from` on becomes audit entries and events.
    fn record_moves(&mut self, intent: &Intent, from: usize, mut last: u64) -> rusqlite::Result<u64> {
        for moved in &intent.history[from..] {
            last = self.append(last, &New::moved(&intent.id, moved))?;
            self.batch.events.push(Event {
                seq: last,
                id: intent.id.clone(),
                state: moved.state,
                at: moved.at,
            });
        }
        Ok(last)
    }

    fn by_folder_key(&self, key: &str) -> rusqlite::Result<Option<IntentId>> {
        let id: Option<String> = self
            .connection
            .prepare_cached("SELECT id FROM folder_keys WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        Ok(id.and_then(|id| IntentId::parse(&id)))
    }
}

pub(super) fn by_key(
    connection: &Connection,
    key: &[u8; 16],
) -> rusqlite::Result<Option<(IntentId, [u8; 32])>> {
    let found = connection
        .prepare_cached("SELECT id, key_digest FROM intents WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 32]>(1)?)))
        .optional()?;
    Ok(found.and_then(|(id, digest)| Some((IntentId::parse(&id)?, digest))))
}

fn hold(intent: &Intent) -> Option<&'static str> {
    use nephoran_model::intent::HoldReason;
    intent.hold.map(|hold| match hold {
        HoldReason::Frozen => "frozen",
        HoldReason::Window => "window",
    })
}

fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microsecond)
}

fn ended_at(intent: &Intent) -> Option<i64> {
    let at = intent.history.last().map_or(intent.created_at, |last| last.at);
    intent.state.is_end().then(|| at.as_microsecond())
}

/// The namespaces that an intent is about, each between two commas, so that one can be looked for
/// as a word: those of the plan's steps, before there is a plan those that were said.
fn namespaces(intent: &Intent) -> String {
    let mut found: Vec<&str> = match &intent.plan {
        Some(plan) => plan.steps.iter().filter_map(|step| step.target.namespace.as_deref()).collect(),
        None => {
            let said = intent.proposal.as_ref().or(match &intent.request {
                Request::Text(_) => None,
                Request::Proposal(proposal) | Request::Intent { proposal, .. } => Some(proposal),
            });
            match said {
                Some(Proposal::Actions(said)) => said.actions.iter().filter_map(namespace_said).collect(),
                _ => Vec::new(),
            }
        }
    };
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { String::new() } else { format!(",{},", found.join(",")) }
}

fn namespace_said(action: &Action) -> Option<&str> {
    match action {
        Action::Scale(scale) => scale.target.namespace.as_deref(),
        Action::Retire(retire) => retire.target.namespace.as_deref(),
        Action::Upgrade(upgrade) => upgrade.target.namespace.as_deref(),
        Action::SetCapacity(set) => set.target.namespace.as_deref(),
        Action::Configure(configure) => configure.target.namespace.as_deref(),
        Action::Deploy(deploy) => deploy.namespace.as_deref(),
        Action::Slice(slice) => slice.namespace.as_deref(),
        Action::Ensure(ensure) => ensure.target.as_ref()?.namespace.as_deref(),
        Action::Rollback(rollback) => rollback.target.as_ref()?.namespace.as_deref(),
        Action::Report(report) => report.target.as_ref()?.namespace.as_deref(),
        Action::Steer(_) | Action::Qos(_) => None,
    }
}
