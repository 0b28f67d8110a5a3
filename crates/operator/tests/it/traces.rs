//! Traces of a running operator, as a collector gets them.
#![cfg(feature = "otel")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;

use crate::harness::{Options, Server, within_patience};

/// A collector on loopback that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// The collector and its address. `answers`: whether it says that it took them.
    fn start(answers: bool) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let kept = collector.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = kept.clone();
                std::thread::spawn(move || kept.serve(stream, answers));
            }
        });
        (collector, address)
    }

    fn serve(&self, stream: TcpStream, answers: bool) -> Option<()> {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut line, mut length, mut first) = (String::new(), 0, String::new());
            loop {
                line.clear();
                reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
                if first.is_empty() {
                    first.clone_from(&line);
                }
                if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = said.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            assert!(first.starts_with("POST /v1/traces HTTP/1.1"), "{first}");
            let request = ExportTraceServiceRequest::decode(&*body).unwrap();
            let spans = request.resource_spans.into_iter().flat_map(|of| of.scope_spans);
            self.spans.lock().unwrap().extend(spans.flat_map(|of| of.spans));
            if answers {
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                reader.get_mut().write_all(answer.as_bytes()).ok()?;
            }
        }
    }

    /// The spans of one trace by name, once the last of them is there.
    fn trace(&self, id: &str) -> HashMap<String, Span> {
        within_patience("the collector has the whole way", || {
            let spans = self.spans.lock().unwrap();
            let of: Vec<&Span> = spans.iter().filter(|span| hex(&span.trace_id) == id).collect();
            let whole = of.iter().any(|span| span.name == "intent");
            let verified = of.iter().any(|span| span.name == "verify");
            (whole && verified)
                .then(|| of.into_iter().map(|span| (span.name.clone(), span.clone())).collect())
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|pair| pair.key == name)?;
    match found.value.clone()?.value? {
        opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn traced(endpoint: &str) -> Options {
    Options { config: format!("telemetry: {{otlp: '{endpoint}'}}\n"), ..Options::default() }
}

fn counted(server: &Server, result: &str) -> f64 {
    let text = server.get("/metrics").text();
    let series = format!("nephoran_spans_total{{result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
}

#[test]
fn one_trace_leads_from_the_door_to_the_commit_and_answer_and_log_name_it() {
    let (collector, endpoint) = Collector::start(true);
    let server = Server::with(traced(&endpoint));
    let answer = server.post("/api/v1/intents", "text/plain", "scale upf to 4 in ns ran-a");
    let trace_id = answer.header("x-trace-id").unwrap().to_owned();
    assert!(answer.header("traceparent").unwrap().starts_with(&format!("00-{trace_id}-")));
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let record = server.intent_in(&id, "applied");

    let spans = collector.trace(&trace_id);
    let root = &spans["intent"];
    assert_eq!(attribute(root, "nephoran.intent").unwrap(), id);
    assert_eq!(attribute(root, "nephoran.outcome").unwrap(), "applied");
    assert!(root.parent_span_id.iter().all(|byte| *byte == 0));
    for name in ["accept", "queue", "translate", "plan", "guard", "apply", "verify"] {
        let span = spans.get(name).unwrap_or_else(|| panic!("{name} is not in {:?}", spans.keys()));
        assert_eq!(hex(&span.parent_span_id), hex(&root.span_id), "{name} lies below the whole way");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{name}");
        assert!(span.end_time_unix_nano <= spans["verify"].end_time_unix_nano, "{name}");
    }
    let ends: Vec<u64> = ["queue", "translate", "plan", "apply", "verify"]
        .iter()
        .map(|name| spans[*name].end_time_unix_nano)
        .collect();
    assert!(ends.is_sorted(), "the stages end in their order: {ends:?}");
    let commit = record["outcomes"][0]["commit"].as_str().unwrap();
    assert_eq!(attribute(&spans["apply"], "nephoran.commit").unwrap(), commit);

    let asked_again = server.get(&format!("/api/v1/intents/{id}"));
    assert_eq!(asked_again.header("x-trace-id"), Some(trace_id.as_str()));
    server.until("the spans are counted", || (counted(&server, "exported") >= 8.0).then_some(()));
    let rested = server
        .log()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|event| event["message"] == "An intent came to rest." && event["intent"] == id.as_str())
        .unwrap();
    assert_eq!(rested["trace_id"], trace_id.as_str());
}

#[test]
fn a_requester_s_trace_is_gone_on_with_over_a_restart() {
    let (collector, endpoint) = Collector::start(true);
    let mut options = traced(&endpoint);
    options.config.push_str("workers: {paused: true}\n");
    let server = Server::with(options);
    let parent = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let kind = ("content-type", "text/plain");
    let words = b"scale upf to 4 in ns ran-a";
    let answer = server.send("POST", "/api/v1/intents", &[kind, parent], Some(words));
    assert_eq!((answer.status, answer.header("x-trace-id")), (202, Some("4bf92f3577b34da6a3ce929d0e0e4736")));
    let id = answer.json()["id"].as_str().unwrap().to_owned();

    let (status, folder) = server.stop();
    assert!(status.success());
    let server = Server::on(folder, traced(&endpoint));
    server.intent_in(&id, "applied");
    let spans = collector.trace("4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&spans["intent"].parent_span_id), "00f067aa0ba902b7");
    // Accepted by the one run, carried out by the next.
    for name in ["accept", "queue", "apply"] {
        assert_eq!(hex(&spans[name].parent_span_id), hex(&spans["intent"].span_id), "{name}");
    }
}

#[test]
fn a_collector_that_is_gone_or_silent_costs_spans_and_nothing_else() {
    let gone = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let server = Server::with(traced(&gone));
    server.submit_until("scale upf to 4 in ns ran-a", "applied");
    server.until("lost spans are counted", || (counted(&server, "dropped_failed") >= 1.0).then_some(()));
    assert!(server.log().contains("The collector does not take spans"), "{}", server.log());

    let (_silent, endpoint) = Collector::start(false);
    let server = Server::with(traced(&endpoint));
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let begun = Instant::now();
    let (status, _) = server.stop();
    assert!(status.success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn without_a_collector_no_span_is_made_and_the_trace_is_named_all_the_same() {
    let server = Server::start();
    let answer = server.post("/api/v1/intents", "text/plain", "scale upf to 4 in ns ran-a");
    let trace_id = answer.header("x-trace-id").unwrap().to_owned();
    assert!(answer.header("traceparent").unwrap().ends_with("-00"), "nothing is recorded");
    server.intent_in(answer.json()["id"].as_str().unwrap(), "applied");
    server.until("the log names it", || server.log().contains(&trace_id).then_some(()));
    for result in ["exported", "dropped_full", "dropped_failed"] {
        assert_eq!(counted(&server, result), 0.0);
    }
}
