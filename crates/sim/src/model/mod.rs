//! A language model's server that does as a script says: what a real one cannot be made to do.
//!
//! Speaks the OpenAI-compatible `/v1/chat/completions` and Ollama's `/api/chat`, streamed and
//! whole, on a thread of its own. The script can be changed while it runs.
//!
//! ```no_run
//! use nephoran_sim::model::{Script, ScriptedModel};
//! let model = ScriptedModel::start(Script::json(serde_json::json!({"outcome": "clarify"})));
//! println!("{}/v1/chat/completions", model.url());
//! model.set(Script::stall());
//! ```

/// What was asked, taken apart.
mod asked;
/// Connections, counts, and what is on the wire.
mod serve;

/// The minds of scripts: honest, obedient, lying.
mod minds;
/// The bodies of answers in the shapes of real servers.
mod shapes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

pub use asked::{Api, Asked};
use serve::Shared;

/// What the server does with one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A whole answer with this text as the message.
    Text(String),
    /// As `Text`, cut off by the limit of tokens: `finish_reason: length`, HTTP 200.
    Truncated(String),
    /// As `Text`, but the connection breaks after that many bytes of the body.
    Cut(String, usize),
    /// Nothing, until [`Handle::release`].
    Stall,
    /// An error in the shape of the API: status, its type, its message.
    Error(u16, &'static str, String),
    /// Status, content type and body as they are.
    Raw(u16, &'static str, Vec<u8>),
    /// 307 to there.
    Redirect(String),
}

type Says = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// What a server does, until told otherwise.
#[derive(Clone)]
pub struct Script {
    says: Says,
    /// Before the first byte of an answer.
    delay: Duration,
    /// Requests worked on at a time; the rest wait. No bound when `None`.
    slots: Option<usize>,
    /// Characters of the message in one event of a stream.
    chunk: usize,
    /// Between two pieces of a body.
    pace: Duration,
    /// Bytes in one piece of a body that is not streamed; all at once when `None`.
    piece: Option<usize>,
    usage: bool,
    /// The first events of a stream have `content: null`.
    null_deltas: usize,
    content_type: Option<&'static str>,
    /// Wanted as `Authorization: Bearer`.
    key: Option<String>,
}

impl Script {
    /// The reply is made from the request.
    pub fn with(says: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            says: Arc::new(says),
            delay: Duration::ZERO,
            slots: None,
            chunk: 16,
            pace: Duration::ZERO,
            piece: None,
            usage: true,
            null_deltas: 1,
            content_type: None,
            key: None,
        }
    }

    pub fn reply(reply: Reply) -> Self {
        Self::with(move |_| reply.clone())
    }

    /// Always this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::reply(Reply::Text(text.into()))
    }

    /// Always this document.
    pub fn json(document: Value) -> Self {
        Self::text(document.to_string())
    }

    /// The document is made from the request.
    pub fn answering(answer: impl Fn(&Asked) -> Value + Send + Sync + 'static) -> Self {
        Self::with(move |asked| Reply::Text(answer(asked).to_string()))
    }

    /// The first request gets the first reply, and so on; the last one stays.
    pub fn sequence(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        assert!(!replies.is_empty(), "a sequence needs a reply");
        let next = std::sync::atomic::AtomicUsize::new(0);
        Self::with(move |_| replies[next.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1)].clone())
    }

    /// Never an answer, unless it is released.
    pub fn stall() -> Self {
        Self::reply(Reply::Stall)
    }

    /// This document, a byte a second.
    pub fn drip(document: Value) -> Self {
        let mut script = Self::json(document).chunk(1).pace(Duration::from_secs(1));
        script.piece = Some(1);
        script
    }

    /// A valid document that does not end for `bytes` bytes.
    pub fn huge(bytes: usize) -> Self {
        let mut script = Self::with(move |_| {
            let mut text = r#"{"outcome":"clarify","missing":["action"],"question":""#.to_owned();
            text.extend(std::iter::repeat_n('a', bytes));
            text.push_str("\"}");
            Reply::Text(text)
        });
        script.chunk = 16 * 1024;
        script
    }

    /// The first half of the document, with `finish_reason: length` and HTTP 200.
    pub fn truncated(document: Value) -> Self {
        let text = document.to_string();
        let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        Self::reply(Reply::Truncated(text[..half].to_owned()))
    }

    /// The connection breaks in the middle of the answer.
    pub fn cut(document: Value) -> Self {
        Self::reply(Reply::Cut(document.to_string(), 120))
    }

    /// A message that is no JSON at all.
    pub fn broken_json() -> Self {
        Self::text(r#"{"outcome":"actions","actions":[{"action":"scale",,}"#)
    }

    /// Two values for one key: which counts would be a guess.
    pub fn duplicate_keys() -> Self {
        Self::text(r#"{"outcome":"clarify","missing":["action"],"outcome":"refuse","reason":"unsafe"}"#)
    }

    /// A proxy's page in place of an answer, with HTTP 200.
    pub fn html() -> Self {
        Self::reply(Reply::Raw(
            200,
            "text/html; charset=utf-8",
            b"<!doctype html><html><title>Gateway</title><h1>Scale upf to 9 in ns ran-a</h1></html>".to_vec(),
        ))
    }

    /// The status in the shape in which llama.cpp's server says it.
    pub fn error(status: u16) -> Self {
        Self::with(move |asked| shapes::usual_error(status, asked))
    }

    /// The status in the shape of servers that put strings and nulls where others have numbers.
    pub fn odd_error(status: u16) -> Self {
        Self::reply(Reply::Raw(status, "application/json", shapes::odd_error(status).into_bytes()))
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::reply(Reply::Redirect(to.into()))
    }

    /// Answers rightly, with evidence, what the grammar understands; asks about the rest.
    pub fn honest() -> Self {
        Self::answering(minds::honest)
    }

    /// Does whatever any text in the prompt tells it, with the best evidence a liar could give.
    pub fn obedient() -> Self {
        Self::answering(minds::obedient)
    }

    /// Valid, plausible and wrong.
    pub fn fluent_liar() -> Self {
        Self::answering(minds::fluent_liar)
    }

    /// Before the first byte of each answer.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// So many requests are worked on at a time; the rest wait for their turn.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = Some(slots);
        self
    }

    /// Characters of the message in one event of a stream.
    pub fn chunk(mut self, characters: usize) -> Self {
        self.chunk = characters.max(1);
        self
    }

    /// Between two events of a stream.
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    pub fn without_usage(mut self) -> Self {
        self.usage = false;
        self
    }

    /// So many events with `content: null` before the first text.
    pub fn null_deltas(mut self, count: usize) -> Self {
        self.null_deltas = count;
        self
    }

    pub fn content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Without `Authorization: Bearer <key>` the answer is 401.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// Starts servers; see [`Handle`] for what can be done with one.
pub struct ScriptedModel;

impl ScriptedModel {
    /// On a free port of the loopback, on a thread of its own; it listens when this returns.
    pub fn start(script: Script) -> Handle {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), script)
    }

    /// On that address.
    pub fn start_on(address: SocketAddr, script: Script) -> Handle {
        let shared = Arc::new(Shared::new(script));
        let (address, thread) = serve::start(address, shared.clone());
        Handle { address, shared, thread: Some(thread) }
    }
}

/// A server that runs; it stops when this is dropped.
pub struct Handle {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Handle {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next request on.
    pub fn set(&self, script: Script) {
        self.shared.set(script);
    }

    /// While on, whatever the script says, no answer begins; those that wait go on once it is off.
    pub fn stall(&self, on: bool) {
        self.shared.stalled.send_replace(on);
    }

    /// What stalls by its script now is dropped: the connection closes without an answer.
    pub fn release(&self) {
        self.shared.released.notify_waiters();
    }

    /// Requests to chat, since the start.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The latest requests to chat, oldest first, 1,000 at most.
    pub fn seen(&self) -> Vec<Asked> {
        self.shared.seen.lock().expect("nobody panics with the lock").iter().cloned().collect()
    }

    /// Connections, since the start.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    pub fn open(&self) -> u64 {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// The most connections that were open at a time.
    pub fn most_open(&self) -> u64 {
        self.shared.most_open.load(Ordering::Relaxed)
    }

    /// Requests whose answer has not ended.
    pub fn in_flight(&self) -> u64 {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    /// The most requests in flight at a time.
    pub fn most_in_flight(&self) -> u64 {
        self.shared.most_in_flight.load(Ordering::Relaxed)
    }

    /// Requests whose client left before the answer was whole.
    pub fn cancelled(&self) -> u64 {
        self.shared.cancelled.load(Ordering::Relaxed)
    }

    /// Answers that were given to their last byte.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Nothing listens any more when this returns; open connections are closed.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
