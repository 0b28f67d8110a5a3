//! Connections, counts, and what is on the wire.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::asked::{Api, Asked};
use super::shapes::{self, End};
use super::{Reply, Script};

/// Requests remembered.
const SEEN: usize = 1000;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What the server's thread and its handle both hold.
pub(super) struct Shared {
    script: Mutex<(Script, Option<Arc<Semaphore>>)>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) stalled: watch::Sender<bool>,
    pub(super) released: Notify,
    pub(super) seen: Mutex<VecDeque<Asked>>,
    pub(super) requests: AtomicU64,
    pub(super) answered: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) most_open: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) most_in_flight: AtomicU64,
}

impl Shared {
    pub(super) fn new(script: Script) -> Self {
        let slots = script.slots.map(|slots| Arc::new(Semaphore::new(slots)));
        Self {
            script: Mutex::new((script, slots)),
            stop: watch::Sender::new(false),
            stalled: watch::Sender::new(false),
            released: Notify::new(),
            seen: Mutex::default(),
            requests: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            most_open: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            most_in_flight: AtomicU64::new(0),
        }
    }

    pub(super) fn set(&self, script: Script) {
        let slots = script.slots.map(|slots| Arc::new(Semaphore::new(slots)));
        *self.script.lock().expect("nobody panics with the lock") = (script, slots);
    }

    fn script(&self) -> (Script, Option<Arc<Semaphore>>) {
        self.script.lock().expect("nobody panics with the lock").clone()
    }
}

/// Counts one thing more as long as it lives.
struct Counted {
    shared: Arc<Shared>,
    count: fn(&Shared) -> &AtomicU64,
}

impl Counted {
    fn new(shared: &Arc<Shared>, count: fn(&Shared) -> &AtomicU64, most: fn(&Shared) -> &AtomicU64) -> Self {
        let now = count(shared).fetch_add(1, Ordering::Relaxed) + 1;
        most(shared).fetch_max(now, Ordering::Relaxed);
        Self { shared: shared.clone(), count }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.count)(&self.shared).fetch_sub(1, Ordering::Relaxed);
    }
}

/// One request, from its body to the last byte of its answer.
struct Flight {
    counted: Counted,
    /// The server's own work: freed when the answer is whole or its client has left.
    permit: Option<OwnedSemaphorePermit>,
    done: bool,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.permit.take();
        let shared = &self.counted.shared;
        if self.done { &shared.answered } else { &shared.cancelled }.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) fn start(address: SocketAddr, shared: Arc<Shared>) -> (SocketAddr, std::thread::JoinHandle<()>) {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("scripted-model".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs threads and nothing else");
            runtime.block_on(async {
                let listener = TcpListener::bind(address).await.expect("the address is free");
                let _ = tell.send(listener.local_addr().expect("it is bound"));
                accept(listener, shared).await;
            });
        })
        .expect("the system gives a thread");
    (told.recv().expect("the thread listens"), thread)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let counted = Counted::new(&shared, |shared| &shared.open, |shared| &shared.most_open);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(shared.clone(), request));
            // An error is a client that left, or a cut of the script's.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(counted);
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let api = match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/v1/chat/completions") => Api::OpenAi,
        (&Method::POST, "/api/chat") => Api::Ollama,
        (method, path) => return Ok(aside(method, path, &body)),
    };
    let counted = Counted::new(&shared, |shared| &shared.in_flight, |shared| &shared.most_in_flight);
    let mut flight = Flight { counted, permit: None, done: false };
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let (script, slots) = shared.script();
    if let Some(response) = refuse(&script, api, &parts.headers) {
        flight.done = true;
        return Ok(response);
    }
    let Ok(document) = serde_json::from_slice::<Value>(&body) else {
        flight.done = true;
        let said = shapes::error(api, 400, "invalid_request_error", "the body is no JSON");
        return Ok(whole(400, "application/json; charset=utf-8", said));
    };
    let asked = Asked::read(api, parts.headers, document, body);
    {
        let mut seen = shared.seen.lock().expect("nobody panics with the lock");
        if seen.len() == SEEN {
            seen.pop_front();
        }
        seen.push_back(asked.clone());
    }
    if let Some(slots) = slots {
        flight.permit = slots.acquire_owned().await.ok();
    }
    let reply = (script.says)(&asked);
    if reply == Reply::Stall {
        shared.released.notified().await;
        return Err(io::Error::other("released without an answer"));
    }
    if script.delay > Duration::ZERO {
        tokio::time::sleep(script.delay).await;
    }
    let _ = shared.stalled.subscribe().wait_for(|stalled| !*stalled).await;
    Ok(respond(&asked, reply, &script, flight))
}

fn refuse(script: &Script, api: Api, headers: &HeaderMap) -> Option<Response<Body>> {
    let key = script.key.as_ref()?;
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {key}")) {
        return None;
    }
    let said = shapes::error(api, 401, "authentication_error", "Invalid API Key");
    Some(whole(401, "application/json; charset=utf-8", said))
}

fn respond(asked: &Asked, reply: Reply, script: &Script, flight: Flight) -> Response<Body> {
    const JSON: &str = "application/json; charset=utf-8";
    let (text, end, cut) = match reply {
        Reply::Text(text) => (text, End::Stop, None),
        Reply::Truncated(text) => (text, End::Length, None),
        Reply::Cut(text, after) => (text, End::Stop, Some(after)),
        Reply::Stall => unreachable!("a stalled request has no answer"),
        Reply::Error(status, kind, message) => {
            let said = shapes::error(asked.api, status, kind, &message);
            let mut response = pieces(status, JSON, vec![said], script, None, flight);
            if status == 429 || status == 503 {
                response.headers_mut().insert("retry-after", http::HeaderValue::from_static("1"));
            }
            return response;
        }
        Reply::Raw(status, content_type, bytes) => {
            let body = stream::once(async move {
                // The answer is whole as soon as its only piece is on its way.
                let mut flight = flight;
                flight.done = true;
                Ok(Frame::data(Bytes::from(bytes)))
            });
            return head(status, content_type, StreamBody::new(body).boxed_unsync());
        }
        Reply::Redirect(to) => {
            let mut response = pieces(307, "text/plain", vec![String::new()], script, None, flight);
            let to = http::HeaderValue::from_str(&to).expect("the script gives a location");
            response.headers_mut().insert("location", to);
            return response;
        }
    };
    if asked.stream {
        let usual = match asked.api {
            Api::OpenAi => "text/event-stream",
            Api::Ollama => "application/x-ndjson",
        };
        let events = shapes::events(asked, &text, end, script);
        return pieces(200, script.content_type.unwrap_or(usual), events, script, cut, flight);
    }
    let whole = shapes::whole(asked, &text, end, script);
    let parts = match script.piece {
        Some(size) => {
            let characters: Vec<char> = whole.chars().collect();
            characters.chunks(size).map(|piece| piece.iter().collect()).collect()
        }
        None => vec![whole],
    };
    pieces(200, script.content_type.unwrap_or(JSON), parts, script, cut, flight)
}

/// A body in pieces, at the script's pace, that may break after `cut` bytes.
fn pieces(
    status: u16,
    content_type: &str,
    pieces: Vec<String>,
    script: &Script,
    cut: Option<usize>,
    flight: Flight,
) -> Response<Body> {
    if cut.is_none() && pieces.len() == 1 && script.pace.is_zero() {
        // With its length, as servers answer that know the whole.
        let mut flight = flight;
        flight.done = true;
        let only = pieces.into_iter().next().unwrap_or_default();
        return whole(status, content_type, only);
    }
    let pace = script.pace;
    let state = (pieces.into_iter(), cut, flight, true);
    let body = stream::unfold(state, move |(mut pieces, mut left, mut flight, first)| async move {
        if left == Some(0) {
            return Some((Err(io::Error::other("the script cuts here")), (pieces, None, flight, first)));
        }
        let mut piece = pieces.next()?;
        if !first && !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        if let Some(left) = &mut left {
            piece.truncate(piece.floor_char_boundary(*left));
            *left -= piece.len();
            if *left < 4 {
                *left = 0;
            }
        } else if pieces.len() == 0 {
            flight.done = true;
        }
        Some((Ok(Frame::data(Bytes::from(piece))), (pieces, left, flight, false)))
    });
    head(status, content_type, StreamBody::new(body.fuse()).boxed_unsync())
}

fn whole(status: u16, content_type: &str, body: String) -> Response<Body> {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    head(status, content_type, body.boxed_unsync())
}

fn head(status: u16, content_type: &str, body: Body) -> Response<Body> {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("the script gives a status"))
        .header("content-type", content_type)
        .body(body)
        .expect("status and content type are well formed")
}

/// What such servers answer beside chat.
fn aside(method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    const JSON: &str = "application/json; charset=utf-8";
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let inputs: Vec<&str> = match &document["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match (method, path) {
        (&Method::GET, "/health") => whole(200, JSON, json!({"status": "ok"}).to_string()),
        (&Method::GET, "/v1/models") => {
            let models = json!({"object": "list", "data": [{"id": "scripted", "object": "model"}]});
            whole(200, JSON, models.to_string())
        }
        (&Method::GET, "/api/tags") => {
            whole(200, JSON, json!({"models": [{"name": "scripted"}]}).to_string())
        }
        (&Method::POST, "/v1/embeddings") => {
            let data: Vec<Value> = inputs
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    json!({"object": "embedding", "index": index, "embedding": shapes::embedding(text)})
                })
                .collect();
            whole(200, JSON, json!({"object": "list", "data": data, "model": "scripted"}).to_string())
        }
        (&Method::POST, "/api/embed") => {
            let vectors: Vec<Vec<f32>> = inputs.iter().map(|text| shapes::embedding(text)).collect();
            whole(200, JSON, json!({"model": "scripted", "embeddings": vectors}).to_string())
        }
        _ => whole(404, JSON, shapes::error(Api::OpenAi, 404, "not_found_error", "File Not Found")),
    }
}
