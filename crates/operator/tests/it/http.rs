//! `/api/v1` as its clients meet it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Answer, Options, PATIENCE, Server, corpora};

fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let problem = answer.json();
    assert_eq!(problem["status"], answer.status);
    for field in ["type", "title", "detail", "instance"] {
        assert!(problem[field].is_string(), "{field}: {problem}");
    }
    assert!(answer.header("x-request-id").is_some());
    problem
}

fn paused() -> Server {
    Server::with(Options { config: "workers: {paused: true}\n".into(), ..Default::default() })
}

fn items(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("/api/v1/intents?{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn an_accepted_intent_says_where_to_look_and_is_there() {
    let server = paused();
    let answer = server.post("/api/v1/intents", "text/plain", "scale upf to 5 in ns ran-a");
    assert_eq!(answer.status, 202);
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(body["state"], "received");
    assert!(body["position"].is_u64());
    assert_eq!(answer.header("location"), Some(format!("/api/v1/intents/{id}").as_str()));
    for link in body["links"].as_object().unwrap().values() {
        let link = link.as_str().unwrap();
        if !link.contains("/events") && !link.ends_with("/plan") {
            assert_eq!(server.get(link).status, 200, "{link}");
        }
    }
    let record = server.intent(id);
    assert_eq!(record["request"], json!({"text": "scale upf to 5 in ns ran-a"}));
    assert_eq!(record["requester"], "local");
    assert_eq!(record["source"], "http");
    assert_eq!(record["change"], json!({"ticket": null, "reason": null}));
    assert_eq!(record["question"], Value::Null);
    assert_eq!(record["history"][0]["state"], "received");
    assert!(id.len() <= 40 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
}

#[test]
fn the_record_of_an_applied_intent_has_every_field_of_the_contract() {
    let server = Server::start();
    let record = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    for field in [
        "id",
        "state",
        "priority",
        "source",
        "requester",
        "created_at",
        "request",
        "change",
        "history",
        "proposal",
        "translator",
        "plan",
        "findings",
        "question",
        "outcomes",
        "fulfilment",
    ] {
        assert!(record.get(field).is_some(), "{field}");
    }
    assert_eq!(record["translator"], "grammar");
    let fulfilment = &record["fulfilment"];
    assert_eq!((&fulfilment["status"], &fulfilment["reason"]), (&json!("unknown"), &json!("NoProbe")));
    let plan = &record["plan"];
    assert_eq!(plan["hash"].as_str().unwrap().len(), 64);
    assert_eq!(plan["summary"], "scale ran-a/upf 3 -> 5");
    assert!(plan["base"]["default"].is_string());
    assert!(plan["diff"].as_str().unwrap().contains("+  replicas: 5 # kpt-set: ${replicas}"));
    let step = &plan["steps"][0];
    for (field, value) in [
        ("id", json!("1")),
        ("actuator", json!("package")),
        ("repository", json!("default")),
        ("file", json!("ran-a/upf/deployment.yaml")),
        ("field", json!("spec.replicas")),
        ("before", json!(3)),
        ("after", json!(5)),
        ("state", json!("done")),
    ] {
        assert_eq!(step[field], value, "{field}");
    }
    let outcome = &record["outcomes"][0];
    assert_eq!(outcome["step"], "1");
    assert!(outcome["commit"].is_string() && outcome["at"].is_string());
    let id = record["id"].as_str().unwrap();
    let path = |rest: &str| format!("/api/v1/intents/{id}/{rest}");
    assert_eq!(server.get(&path("plan")).json()["hash"], plan["hash"]);
    let report = server.get(&path("report")).json();
    assert!(
        report["words"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("NoProbe"))
    );
    let audit = server.get(&path("audit")).json();
    assert!(audit["items"].as_array().unwrap().len() >= 4, "{audit}");
}

#[test]
fn a_key_makes_one_intent_of_one_request() {
    let server = paused();
    let send = |key: Option<&str>, body: &Value| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        server.send("POST", "/api/v1/intents", &headers, Some(body.to_string().as_bytes()))
    };
    let body = json!({"text": "scale upf to 5 in ns ran-a"});
    let first = send(Some("k-1"), &body);
    assert_eq!(first.status, 202);
    let again = send(Some("k-1"), &body);
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]));
    let other = send(Some("k-1"), &json!({"text": "scale upf to 6 in ns ran-a"}));
    assert_eq!(other.status, 409);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert!(!problem(&other).to_string().contains(&id), "another's intent is never revealed");
    // In the body it is the same key.
    let keyed = json!({"text": "scale amf to 3 in ns core5g", "idempotency_key": "k-2"});
    let first = send(None, &keyed);
    assert_eq!(first.status, 202);
    assert_eq!(send(Some("k-2"), &keyed).status, 200);
    assert_eq!(send(Some("k-3"), &keyed).status, 400, "two different keys");
    for bad in ["a b", "", "ä", &"x".repeat(129)] {
        assert!(matches!(send(Some(bad), &body).status, 400 | 422), "{bad:?}");
    }
    // What was turned away does not use a key up.
    assert_eq!(send(Some("k-4"), &json!({"text": ""})).status, 422);
    assert_eq!(send(Some("k-4"), &body).status, 202);
    assert_eq!(items(&server, "limit=100")["items"].as_array().unwrap().len(), 3);
}

#[test]
fn a_key_outlives_a_restart() {
    let server = paused();
    let send = |server: &Server| {
        let headers = [("content-type", "text/plain"), ("idempotency-key", "k-1")];
        server.send("POST", "/api/v1/intents", &headers, Some(b"scale upf to 5 in ns ran-a"))
    };
    let first = send(&server);
    assert_eq!(first.status, 202);
    let server = Server::on(server.kill(), Options::default());
    let again = send(&server);
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]));
}

#[test]
fn what_is_wrong_is_said_by_pointer() {
    let server = paused();
    let faults = |body: Value| -> Vec<String> {
        let answer = server.post_json("/api/v1/intents", &body);
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        problem(&answer)["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["pointer"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(faults(json!({})), [""]);
    assert_eq!(faults(json!({"text": "x", "deadline": "2020-01-01T00:00:00Z"})), ["/deadline"]);
    let late = json!({"text": "x", "deadline": "2120-01-01T00:00:00Z", "not_before": "2130-01-01T00:00:00Z"});
    assert_eq!(faults(late), ["/deadline"]);
    assert_eq!(faults(json!([])), [""]);
    assert_eq!(faults(json!({"text": "x", "priority": "top", "bogus": 1})), ["/priority", "/bogus"]);
    assert_eq!(
        faults(json!({"proposal": {"outcome": "actions", "actions": [
            {"action": "scale", "target": {"name": "upf"}, "replicas": {"to": "5"}}]}})),
        ["/proposal/actions/0/replicas/to"]
    );
    assert_eq!(faults(json!({"proposal": {"outcome": "refuse", "reason": "unsafe"}})), ["/proposal/outcome"]);
    assert_eq!(
        faults(
            json!({"intent": {"intent_type": "scaling", "target": "upf", "namespace": "a", "replicas": 101}})
        ),
        ["/intent/replicas"]
    );
    let answer = server.post("/api/v1/intents", "application/json", r#"{"text":"a","text":"b"}"#);
    assert_eq!((answer.status, &problem(&answer)["errors"][0]["pointer"]), (422, &json!("/text")));
}

#[test]
fn proposals_and_intents_are_carried_out_as_words_are() {
    let server = Server::start();
    for (body, file) in [
        (
            json!({"proposal": {"outcome": "actions", "priority": null, "actions": [{"action": "scale",
                "target": {"name": "upf", "function": "upf", "namespace": "ran-a"}, "replicas": {"to": 5}}]}}),
            "ran-a/upf/deployment.yaml",
        ),
        (
            json!({"intent": {"intent_type": "scaling", "target": "amf", "namespace": "core5g", "replicas": 5},
                   "priority": "high", "change": {"ticket": "CHG-1", "reason": "load"}}),
            "core5g/amf/deployment.yaml",
        ),
    ] {
        let answer = server.post_json("/api/v1/intents", &body);
        assert_eq!(answer.status, 202, "{}", answer.text());
        let record = server.intent_in(answer.json()["id"].as_str().unwrap(), "applied");
        assert!(server.packaged(file).contains("replicas: 5"), "{record:#}");
    }
    let record = &items(&server, "limit=1")["items"][0];
    assert_eq!(record["priority"], "high");
    assert_eq!(record["change"], json!({"ticket": "CHG-1", "reason": "load"}));
}

#[test]
fn a_dry_run_plans_and_keeps_nothing() {
    let server = Server::start();
    for (words, state) in [
        ("scale upf to 5 in ns ran-a", "applying"),
        ("scale upf to 3 in ns ran-a", "applied"),
        ("scale upf to 30 in ns ran-a", "awaiting_approval"),
        ("scale up the upf in ns ran-a", "needs_answer"),
        ("delete everything", "refused"),
        ("how many upf replicas are running in ran-a?", "answered"),
    ] {
        let answer = server.post_json("/api/v1/intents", &json!({"text": words, "dry_run": true}));
        assert_eq!(answer.status, 200, "{words}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["state"], state, "{words}: {body:#}");
        for field in ["proposal", "plan", "findings", "question"] {
            assert!(body.get(field).is_some(), "{field}");
        }
        assert_eq!(body["question"].is_string(), state == "needs_answer", "{words}");
    }
    assert_eq!(items(&server, "")["items"], json!([]));
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 3 #"));
}

#[test]
fn a_list_is_newest_first_in_pages_and_filtered() {
    let server = paused();
    let mut ids: Vec<String> =
        (1..=7).map(|n| server.submit(&format!("scale upf to {n} in ns ran-a"))).collect();
    ids.reverse();
    let mut seen = Vec::new();
    let mut query = "limit=3".to_owned();
    loop {
        let page = items(&server, &query);
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let count = |query: &str| items(&server, query)["items"].as_array().unwrap().len();
    assert_eq!(count("state=received"), 7);
    assert_eq!(count("state=applied"), 0);
    assert_eq!(count("priority=normal&source=http"), 7);
    assert_eq!(count("priority=urgent"), 0);
    assert_eq!(count("source=folder"), 0);
    for wrong in [
        "state=sleeping",
        "priority=top",
        "source=fax",
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=%00",
        "what=1",
    ] {
        assert_eq!(server.get(&format!("/api/v1/intents?{wrong}")).status, 400, "{wrong}");
    }
}

#[test]
fn what_is_not_there_and_what_is_not_allowed_is_said() {
    let server = Server::start();
    for path in
        ["/api/v1/intents/none", "/api/v1/intents/NONE", "/api/v1/intents/..%2f..%2fetc", "/api/v1/nothing"]
    {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        problem(&answer);
    }
    for act in ["cancel", "rollback", "retry"] {
        assert_eq!(server.post_json(&format!("/api/v1/intents/none/{act}"), &json!({})).status, 404, "{act}");
    }
    let id = server.submit_until("scale upf to 5 in ns ran-a", "applied")["id"].as_str().unwrap().to_owned();
    let act = |act: &str, body: Value| server.post_json(&format!("/api/v1/intents/{id}/{act}"), &body);
    assert_eq!(act("answer", json!({"text": "6"})).status, 409);
    assert_eq!(act("approve", json!({"plan_hash": "0".repeat(64)})).status, 409);
    assert_eq!(act("reject", json!({"reason": "no"})).status, 409);
    assert_eq!(act("cancel", json!({})).status, 409);
    assert_eq!(act("retry", json!({})).status, 409);
    assert_eq!(
        act("approve", json!({"plan_hash": "abc123"})).status,
        422,
        "a short hash is for display only"
    );
    assert_eq!(act("answer", json!({})).status, 422);
    assert_eq!(act("answer", json!({"text": "6", "plan": 1})).status, 422);
    assert_eq!(server.post("/api/v1/intents", "application/xml", "<a/>").status, 415);
    assert_eq!(server.send("POST", "/api/v1/intents", &[], Some(b"x")).status, 415);
    assert_eq!(server.post("/api/v1/intents", "text/plain", vec![b'a'; 256 * 1024 + 1]).status, 413);
    assert_eq!(server.post("/api/v1/intents", "text/plain", b"\xff\xfe").status, 400);
    let answer = server.send("PUT", "/api/v1/intents", &[], None);
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[test]
fn a_full_queue_refuses_and_says_when_to_retry() {
    let config = "workers: {paused: true}\nqueue: {total: 10}\n";
    let server = Server::with(Options { config: config.into(), ..Default::default() });
    let send = |priority: &str, n: usize| {
        server.post_json(
            "/api/v1/intents",
            &json!({"text": format!("scale upf to {n} in ns ran-a"), "priority": priority}),
        )
    };
    let keyed =
        json!({"text": "scale amf to 4 in ns core5g", "priority": "urgent", "idempotency_key": "k-1"});
    let first = server.post_json("/api/v1/intents", &keyed);
    let mut statuses = vec![first.status];
    for n in 1..12 {
        let answer = send("urgent", n);
        if answer.status == 503 {
            problem(&answer);
            assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [vec![202; 10], vec![503; 2]].concat());
    assert_eq!(send("low", 1).status, 503);
    let again = server.post_json("/api/v1/intents", &keyed);
    assert_eq!((again.status, &again.json()["id"]), (200, &first.json()["id"]), "it has its place already");
    let queue = server.get("/api/v1/queue").json();
    assert_eq!(
        (&queue["capacity"], &queue["used"], &queue["paused"]),
        (&json!(10), &json!(10), &json!(true))
    );
    assert_eq!(queue["bands"]["urgent"]["waiting"], 10);
    assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
    server.until("there is room again", || (send("urgent", 1).status == 202).then_some(()));
}

/// Reads an event stream by hand.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n{last}\r\n").unwrap();
        let mut stream = Self(BufReader::new(stream));
        let head = stream.line();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        while !stream.line().is_empty() {}
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
        line.trim_end().to_owned()
    }

    /// `(event, id, data)` of the next event.
    fn next(&mut self) -> (String, String, Value) {
        let (mut event, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let line = self.line();
            if let Some(said) = line.strip_prefix("event: ") {
                event = said.to_owned();
            } else if let Some(said) = line.strip_prefix("id: ") {
                id = said.to_owned();
            } else if let Some(said) = line.strip_prefix("data: ") {
                data = serde_json::from_str(said).unwrap();
            } else if line.is_empty() && !event.is_empty() {
                return (event, id, data);
            }
        }
    }
}

#[test]
fn events_tell_every_move_and_resume_where_a_client_left() {
    let server = Server::start();
    let mut stream = Stream::open(&server, "/api/v1/events", None);
    let id = server.submit("scale upf to 5 in ns ran-a");
    let mut moves = Vec::new();
    let mut marks = Vec::new();
    while moves.last().map(String::as_str) != Some("applied") {
        let (event, mark, data) = stream.next();
        assert_eq!((event.as_str(), data["id"].as_str()), ("state", Some(id.as_str())));
        assert!(data["at"].is_string());
        moves.push(data["state"].as_str().unwrap().to_owned());
        marks.push(mark);
    }
    let record = server.intent(&id);
    let history: Vec<String> = record["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(moves, history);
    // From the first mark on, everything after it comes again, once.
    let mut resumed = Stream::open(&server, "/api/v1/events", Some(&marks[0]));
    for state in &moves[1..] {
        assert_eq!(resumed.next().2["state"], *state);
    }
    // Of one intent only.
    let mut only = Stream::open(&server, &format!("/api/v1/events?intent={id}"), Some(&marks[0]));
    server.submit_until("scale amf to 3 in ns core5g", "applied");
    let rolled = server.post_json(&format!("/api/v1/intents/{id}/rollback"), &json!({})).json();
    server.intent_in(rolled["id"].as_str().unwrap(), "applied");
    loop {
        let (_, _, data) = only.next();
        assert_eq!(data["id"], *id);
        if data["state"] == "rolled_back" {
            break;
        }
    }
    // What nobody remembers, or nobody said, starts anew.
    for unknown in ["nonsense", "effffffffffff"] {
        assert_eq!(Stream::open(&server, "/api/v1/events", Some(unknown)).next().0, "reset", "{unknown}");
    }
    assert_eq!(server.get("/api/v1/events?intent=none").status, 404);
    assert_eq!(server.get("/api/v1/events?who=1").status, 400);
}

#[test]
fn event_streams_are_bounded_and_end_with_the_operator() {
    let server = Server::start();
    let mut streams: Vec<Stream> = (0..64).map(|_| Stream::open(&server, "/api/v1/events", None)).collect();
    let refused = server.get("/api/v1/events");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    streams.truncate(10);
    server.until("a place is free again", || (server.get("/api/v1/queue").status == 200).then_some(()));
    let (status, _folder) = server.stop();
    assert!(status.success(), "open streams do not hold up the end");
}

#[test]
fn every_documented_route_exists() {
    let server = Server::start();
    let document = server.get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if path == "/api/v1/events" {
                continue;
            }
            let path = path.replace("{id}", "none");
            let answer = server.send(&method.to_uppercase(), &path, &[], None);
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(
                answer.status != 404 || answer.text().contains("no intent has the id"),
                "{method} {path}"
            );
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn the_verdicts_of_the_json_suite_hold_at_both_doors() {
    let Some(corpora) = corpora() else { return };
    let server = paused();
    let mut checked = 0;
    for entry in std::fs::read_dir(corpora.join("json-parsing")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let api = server.post("/api/v1/intents", "application/json", &bytes).status;
        let dropin = server.post("/intent", "application/json", &bytes).status;
        // None of them is an intent: JSON is told apart from what is none by the code.
        match name.as_bytes()[0] {
            b'y' => assert_eq!((api, dropin), (422, 400), "{name} is JSON"),
            b'n' => assert_eq!((api, dropin), (400, 400), "{name} is no JSON"),
            _ => assert!(matches!(api, 400 | 422) && dropin == 400, "{name}: {api} {dropin}"),
        }
        checked += 1;
    }
    eprintln!("{checked} files of the JSON suite checked at two doors");
    assert!(checked > 100);
    assert_eq!(server.get("/healthz").status, 200);
}
