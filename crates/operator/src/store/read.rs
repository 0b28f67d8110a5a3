//! What the store can be asked, on connections that only read.

use jiff::Timestamp;
use nephoran_model::intent::{HoldReason, Intent, IntentId, Source, State};
use nephoran_model::proposal::Priority;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::Error;

/// Which intents a list shows. `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In any of these states; in every one when there is none.
    pub states: Vec<State>,
    pub namespace: Option<String>,
    pub priority: Option<Priority>,
    pub source: Option<Source>,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub items: Vec<Intent>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
}

/// What the queue and the lanes need of an intent that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub id: IntentId,
    pub state: State,
    pub hold: Option<HoldReason>,
    pub priority: Priority,
    pub created_at: Timestamp,
    pub deadline: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub retry_at: Option<Timestamp>,
}

fn failed(what: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |source| Error::Read { what, source }
}

fn record(id: &str, body: &[u8]) -> Result<Intent, Error> {
    serde_json::from_slice(body).map_err(|source| Error::Record { id: id.to_owned(), source })
}

pub(super) fn get(connection: &Connection, id: &IntentId) -> Result<Option<Intent>, Error> {
    let failed = failed("read an intent");
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body FROM intents JOIN records USING (seq) WHERE id = ?1")
        .map_err(&failed)?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()
        .map_err(&failed)?;
    body.map(|body| record(id.as_str(), &body)).transpose()
}

/// Number of the last audit entry of an intent.
pub(super) fn last_audit(connection: &Connection, id: &IntentId) -> Result<Option<u64>, Error> {
    let failed = failed("read an intent");
    connection
        .prepare_cached("SELECT last_audit FROM intents WHERE id = ?1")
        .map_err(&failed)?
        .query_row([id.as_str()], |row| row.get::<_, i64>(0))
        .optional()
        .map(|last| last.map(|last| last as u64))
        .map_err(&failed)
}

pub(super) fn list(
    connection: &Connection,
    filter: &Filter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page, Error> {
    let failed = failed("list the intents");
    let before: i64 = match cursor {
        None => i64::MAX,
        Some(cursor) => cursor.parse().map_err(|_| Error::Cursor)?,
    };
    let mut conditions = vec!["seq < ?1".to_owned()];
    let mut values = vec![Value::Integer(before)];
    let mut index = "";
    if !filter.states.is_empty() {
        // The words of a closed set: nothing in them to escape.
        let states: Vec<String> = filter.states.iter().map(|state| format!("'{state}'")).collect();
        conditions.push(format!("state IN ({})", states.join(", ")));
        if filter.states.iter().all(|state| !state.is_end()) {
            // Few among many that have ended.
            conditions.push("ended_at IS NULL".to_owned());
            index = "INDEXED BY live";
        }
    }
    let mut also = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace("{}", &format!("?{}", values.len())));
    };
    if let Some(namespace) = &filter.namespace {
        also("instr(namespaces, {}) > 0", Value::Text(format!(",{namespace},")));
    }
    if let Some(priority) = filter.priority {
        also("priority = {}", Value::Integer(priority as i64));
    }
    if let Some(source) = filter.source {
        also("source = {}", Value::Text(source.as_str().into()));
    }
    // One more than wanted tells whether there is a next page.
    values.push(Value::Integer(limit.saturating_add(1).min(i64::MAX as usize) as i64));
    let sql = format!(
        "SELECT page.seq, page.id, body
         FROM (SELECT seq, id FROM intents {index} WHERE {} ORDER BY seq DESC LIMIT ?{}) AS page
         JOIN records USING (seq) ORDER BY page.seq DESC",
        conditions.join(" AND "),
        values.len()
    );
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let mut rows = statement.query(params_from_iter(values)).map_err(&failed)?;
    let mut page = Page { items: Vec::new(), next_cursor: None };
    let mut last = 0;
    while let Some(row) = rows.next().map_err(&failed)? {
        if page.items.len() == limit {
            page.next_cursor = Some(i64::to_string(&last));
            break;
        }
        last = row.get(0).map_err(&failed)?;
        let id: String = row.get(1).map_err(&failed)?;
        let body = row.get_ref(2).and_then(|body| Ok(body.as_blob()?)).map_err(&failed)?;
        page.items.push(record(&id, body)?);
    }
    Ok(page)
}

/// In order of acceptance.
pub(super) fn live(connection: &Connection) -> Result<Vec<Live>, Error> {
    let failed = failed("list the live intents");
    let mut statement = connection
        .prepare_cached(
            "SELECT id, state, hold, priority, created_at, deadline, not_before, retry_at
             FROM intents INDEXED BY live WHERE ended_at IS NULL ORDER BY seq",
        )
        .map_err(&failed)?;
    let rows = statement.query_map([], live_row).map_err(&failed)?;
    rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>().map_err(&failed)
}

/// `None` for a row whose words this program does not know.
fn live_row(row: &Row<'_>) -> rusqlite::Result<Option<Live>> {
    let time = |at: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(at)?.and_then(|at| Timestamp::from_microsecond(at).ok()))
    };
    let id = row.get_ref(0)?.as_str()?;
    let state = row.get_ref(1)?.as_str()?;
    let hold = row.get_ref(2)?.as_str_or_null()?;
    let priority = row.get::<_, i64>(3)?;
    let (Some(id), Some(state)) = (IntentId::parse(id), State::parse(state)) else { return Ok(None) };
    Ok(Some(Live {
        id,
        state,
        hold: match hold {
            Some("frozen") => Some(HoldReason::Frozen),
            Some("window") => Some(HoldReason::Window),
            _ => None,
        },
        priority: Priority::ALL
            .into_iter()
            .find(|known| *known as i64 == priority)
            .unwrap_or(Priority::Normal),
        created_at: time(4)?.unwrap_or_default(),
        deadline: time(5)?,
        not_before: time(6)?,
        retry_at: time(7)?,
    }))
}

/// Those whose deadline has passed and that have not ended.
pub(super) fn passed(connection: &Connection, now: Timestamp) -> Result<Vec<IntentId>, Error> {
    let failed = failed("look at the deadlines");
    let mut statement = connection
        .prepare_cached(
            "SELECT id FROM intents INDEXED BY deadlines
             WHERE ended_at IS NULL AND deadline IS NOT NULL AND deadline <= ?1
             AND state IN ('received', 'translating', 'needs_answer', 'planned', 'awaiting_approval', 'awaiting_merge')",
        )
        .map_err(&failed)?;
    let rows = statement
        .query_map([now.as_microsecond()], |row| Ok(IntentId::parse(row.get_ref(0)?.as_str()?)))
        .map_err(&failed)?;
    rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>().map_err(&failed)
}

/// Intents that were accepted after an entry of the audit trail and have not moved since. Looks at
/// every intent.
pub(super) fn accepted_after(connection: &Connection, sequence: u64) -> rusqlite::Result<Vec<IntentId>> {
    let mut statement =
        connection.prepare("SELECT id FROM intents WHERE version = 1 AND last_audit > ?1 ORDER BY seq")?;
    let rows =
        statement.query_map([sequence as i64], |row| Ok(IntentId::parse(row.get_ref(0)?.as_str()?)))?;
    rows.filter_map(Result::transpose).collect()
}

/// Places of intents that ended before a time, oldest first.
pub(super) fn ended_before(connection: &Connection, before: i64, limit: usize) -> Result<Vec<i64>, Error> {
    let failed = failed("list the intents that ended");
    let mut statement = connection
        .prepare_cached("SELECT seq FROM intents WHERE ended_at < ?1 ORDER BY seq LIMIT ?2")
        .map_err(&failed)?;
    let rows = statement.query_map([before, limit as i64], |row| row.get(0)).map_err(&failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(&failed)
}

pub(super) fn count_live(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .query_row("SELECT count(*) FROM intents INDEXED BY live WHERE ended_at IS NULL", [], |row| {
            row.get::<_, i64>(0)
        })
        .map(|count| count as usize)
}

pub(super) fn count_states(connection: &Connection) -> rusqlite::Result<Vec<(State, usize)>> {
    let mut statement = connection.prepare_cached(
        "SELECT state, count(*) FROM intents INDEXED BY live WHERE ended_at IS NULL GROUP BY state",
    )?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)? as usize)))?;
    let mut counts = Vec::new();
    for row in rows {
        let (state, count) = row?;
        counts.extend(State::parse(&state).map(|state| (state, count)));
    }
    Ok(counts)
}

/// Intents in `states` after `after` in order of acceptance, with the place to go on from.
pub(super) fn in_states(
    connection: &Connection,
    states: &[State],
    after: i64,
    limit: usize,
) -> Result<(Vec<Intent>, i64), Error> {
    let failed = failed("list the intents in a state");
    let marks = vec!["?"; states.len()].join(",");
    let index = if states.iter().any(|state| state.is_end()) { "" } else { "INDEXED BY live" };
    let live = if index.is_empty() { "" } else { "AND ended_at IS NULL" };
    let sql = format!(
        "SELECT page.seq, page.id, body
         FROM (SELECT seq, id FROM intents {index} WHERE state IN ({marks}) {live} AND seq > ? ORDER BY seq LIMIT ?)
         AS page JOIN records USING (seq) ORDER BY page.seq"
    );
    let values = states
        .iter()
        .map(|state| Value::Text(state.as_str().into()))
        .chain([Value::Integer(after), Value::Integer(limit as i64)]);
    let mut statement = connection.prepare_cached(&sql).map_err(&failed)?;
    let mut rows = statement.query(params_from_iter(values)).map_err(&failed)?;
    let mut intents = Vec::new();
    let mut last = after;
    while let Some(row) = rows.next().map_err(&failed)? {
        last = row.get(0).map_err(&failed)?;
        let id: String = row.get(1).map_err(&failed)?;
        let body = row.get_ref(2).and_then(|body| Ok(body.as_blob()?)).map_err(&failed)?;
        intents.push(record(&id, body)?);
    }
    Ok((intents, last))
}
