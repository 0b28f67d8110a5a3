//! What the model's path costs beside the call itself: `cargo bench -p nephoran-llm`.
//!
//! One stub answers at once, with an answer that is right for the words it was sent. Once it is asked
//! by the translator, words to checked proposal; once through a bare hyper reverse proxy with the same
//! bytes; once directly. Distinct words, no cache, nothing shared.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nephoran_http::{Clients, Profile};
use nephoran_llm::{Ask, Known, ModelTranslator, Settings};
use nephoran_model::proposal::Proposal;
use serde_json::{Value, json};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1500);
const IN_FLIGHT: usize = 64;
const SINGLE: usize = 2000;

const BEFORE: &str = "scale upf to ";
const AFTER: &str = " in ns ran-a";

/// Where the words differ, so that a stub can answer without reading JSON.
fn words(count: usize) -> String {
    format!("{BEFORE}{}{AFTER}", 1000 + count % 9000)
}

/// The events of a stream for the answer to `words(0)`, cut at the number that differs.
fn events() -> Vec<String> {
    let words = words(0);
    let source = nephoran_grammar::faithful::Source { words: &words, answers: &[] };
    let proposal = nephoran_grammar::translate(&words);
    let Proposal::Actions(actions) = &proposal else { panic!("the words are an order") };
    let evidence: Vec<Value> = nephoran_grammar::faithful::evidence_for(&source, actions)
        .unwrap()
        .into_iter()
        .map(|one| json!({"path": one.path, "quote": one.quote, "occurrence": one.occurrence}))
        .collect();
    let mut answer = serde_json::to_value(&proposal).unwrap();
    answer["evidence"] = evidence.into();
    let answer = nephoran_api::strict_schema::full(&answer);
    let mut out = String::new();
    let mut event = |delta: Value, finish: Value, usage: Value| {
        let event = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            "created": 1_760_000_000, "id": "chatcmpl-0123456789abcdef", "model": "m",
            "object": "chat.completion.chunk", "usage": usage});
        out.push_str(&format!("data: {event}\n\n"));
    };
    event(json!({"role": "assistant", "content": null}), Value::Null, Value::Null);
    // Some four letters a token, and the number never cut.
    let mut rest = answer.as_str();
    while !rest.is_empty() {
        let mut end = rest.len().min(4);
        if let Some(at) = rest.find("1000")
            && at < end
        {
            end = at + 4;
        }
        event(json!({"content": rest[..end]}), Value::Null, Value::Null);
        rest = &rest[end..];
    }
    event(json!({}), json!("stop"), json!({"prompt_tokens": 1500, "completion_tokens": 200}));
    out.push_str("data: [DONE]\n\n");
    out.split("1000").map(str::to_owned).collect()
}

/// What the first request to the stub was: all others differ from it by their number alone.
static FIRST: OnceLock<(Bytes, usize)> = OnceLock::new();

/// Where the number ends.
fn number_end(body: &[u8]) -> usize {
    (0..body.len()).rev().find(|at| body[*at..].starts_with(AFTER.as_bytes())).unwrap()
}

/// Answers every request at once; on a thread of its own.
fn stub() -> SocketAddr {
    let parts = Arc::new(events());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let parts = parts.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let parts = parts.clone();
                    async move {
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let (_, at) = *FIRST.get_or_init(|| (body.clone(), number_end(&body)));
                        let number = std::str::from_utf8(&body[at - 4..at]).unwrap();
                        let response = Response::builder()
                            .header(header::CONTENT_TYPE, "text/event-stream")
                            .body(Full::new(Bytes::from(parts.join(number))))
                            .unwrap();
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
    });
    told.recv().unwrap()
}

type Plain = Client<HttpConnector, Full<Bytes>>;

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

/// Passes bodies on as they come.
async fn proxy(to: SocketAddr) -> SocketAddr {
    let client: Client<HttpConnector, Incoming> = Client::builder(TokioExecutor::new()).build(connector());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let client = client.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let client = client.clone();
                *request.uri_mut() = format!("http://{to}{}", request.uri().path()).parse().unwrap();
                async move { client.request(request).await }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
            );
        }
    });
    address
}

fn translator(to: SocketAddr) -> ModelTranslator {
    let allow = vec!["127.0.0.1".parse().unwrap()];
    let clients = Clients::new(nephoran_http::Settings { allow, ..Default::default() }).unwrap();
    let settings = Settings {
        max_in_flight: IN_FLIGHT,
        cache_entries: 0,
        share: false,
        ..Settings::new(format!("http://{to}"), "m")
    };
    let settings = Settings { tokens_per_hour: Some(u64::MAX / 2), ..settings };
    ModelTranslator::new(settings, clients.get(Profile::Model), None)
}

fn known() -> Known {
    let names = |prefix: &str, count: usize| (0..count).map(|index| format!("{prefix}-{index:02}")).collect();
    Known { names: names("upf", 40), namespaces: names("ran", 10), clusters: names("edge", 4) }
}

/// Asks once; the proposal must be the right one.
async fn by_translator(translator: &ModelTranslator, known: &Known, count: usize) {
    let words = words(count);
    let ask = Ask { words: &words, answers: &[], identity: "ana", deadline: None, known: known.clone() };
    let understood = translator.translate(&ask).await.unwrap();
    let Proposal::Actions(actions) = understood.proposal else { panic!("{words}: {understood:?}") };
    std::hint::black_box(actions);
}

/// The bytes of a request of the translator, with other words in them.
fn bytes_for(count: usize) -> Bytes {
    let (first, at) = FIRST.get().unwrap();
    let mut body = first.to_vec();
    body[at - 4..*at].copy_from_slice(&words(count).as_bytes()[BEFORE.len()..BEFORE.len() + 4]);
    body.into()
}

async fn by_client(client: &Plain, to: SocketAddr, count: usize) {
    let request = Request::post(format!("http://{to}/v1/chat/completions"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(bytes_for(count)))
        .unwrap();
    let body = client.request(request).await.unwrap().into_body();
    std::hint::black_box(body.collect().await.unwrap());
}

/// Requests a second with so many in flight.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    ask: impl Fn(usize) -> F + Clone + Send + 'static,
) -> f64 {
    let done = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (ask, done) = (ask.clone(), done.clone());
            tokio::spawn(async move {
                while begun.elapsed() < ROUND {
                    ask(done.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
}

async fn median<F: Future<Output = ()>>(ask: impl Fn(usize) -> F) -> Duration {
    let mut times = Vec::with_capacity(SINGLE);
    for count in 0..SINGLE {
        let begun = Instant::now();
        ask(count).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[SINGLE / 2]
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let stub = stub();
    let ratio = runtime.block_on(async move {
        let through = proxy(stub).await;
        let translator = Arc::new(translator(stub));
        let known = Arc::new(known());
        let client: Plain = Client::builder(TokioExecutor::new()).build(connector());
        let path = {
            let (translator, known) = (translator.clone(), known.clone());
            move |count| {
                let (translator, known) = (translator.clone(), known.clone());
                async move { by_translator(&translator, &known, count).await }
            }
        };
        let plain = |to: SocketAddr| {
            let client = client.clone();
            move |count| {
                let client = client.clone();
                async move { by_client(&client, to, count).await }
            }
        };
        path(0).await;
        println!(
            "request {} bytes, answer {} bytes in {} events",
            FIRST.get().unwrap().0.len(),
            events().join("1000").len(),
            events().join("").matches("data: ").count()
        );
        let (mut paths, mut proxies, mut directs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            paths.push(rate(path.clone()).await);
            proxies.push(rate(plain(through)).await);
            directs.push(rate(plain(stub)).await);
        }
        let ratios: Vec<f64> = paths.iter().zip(&proxies).map(|(path, proxy)| path / proxy).collect();
        println!(
            "{IN_FLIGHT} in flight: path {:.0}/s, proxy {:.0}/s, directly {:.0}/s",
            middle(paths),
            middle(proxies),
            middle(directs)
        );
        let ratio = middle(ratios.clone());
        println!("path over proxy {ratio:.2} ({ratios:.2?}; to reach: 0.50)");
        let one = median(path).await;
        let bare = median(plain(stub)).await;
        let proxied = median(plain(through)).await;
        println!(
            "1 in flight, p50: path {one:.0?}, directly {bare:.0?}, proxy {proxied:.0?}; added {:.0?} (to reach: 300us)",
            one.saturating_sub(bare)
        );
        ratio
    });
    assert!(ratio >= 0.5, "the path reaches {ratio:.2} of the proxy's rate");
}
