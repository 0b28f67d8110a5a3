//! The command line against a small stand-in for the operator: what is asked, what is printed,
//! and with which code it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::binary;

/// What was asked: `POST /path`, headers in lower case, body.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    head: String,
    body: String,
}

type Answers = dyn Fn(&Asked) -> (u16, &'static str, String) + Send + Sync;

struct Stub {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    fn new(answers: impl Fn(&Asked) -> (u16, &'static str, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (seen, answers): (_, Arc<Answers>) = (asked.clone(), Arc::new(answers));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (seen, answers) = (seen.clone(), answers.clone());
                std::thread::spawn(move || serve(connection, &seen, &*answers));
            }
        });
        Self { url, asked }
    }

    /// Every request gets this answer.
    fn always(status: u16, body: Value) -> Self {
        Self::new(move |_| (status, "application/json", body.to_string()))
    }

    fn run(&self, words: &[&str]) -> Ran {
        run(words, &[("NEPHORAN_SERVER", &self.url)], "")
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut connection: TcpStream, seen: &Mutex<Vec<Asked>>, answers: &Answers) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let head_lower = head.to_ascii_lowercase();
    let length = head_lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let asked = Asked { line, head: head_lower, body: String::from_utf8(body).unwrap() };
    seen.lock().unwrap().push(asked.clone());
    let (status, kind, body) = answers(&asked);
    let extra = if matches!(status, 429 | 503) { "retry-after: 7\r\n" } else { "" };
    let _ = write!(
        connection,
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{extra}connection: close\r\n\r\n{body}",
        body.len()
    );
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(words: &[&str], environment: &[(&str, &str)], input: &str) -> Ran {
    let mut command = Command::new(binary());
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NEPHORAN_") {
            command.env_remove(name);
        }
    }
    command.envs(environment.iter().copied());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ran {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

fn offline(words: &[&str]) -> Ran {
    run(words, &[], "")
}

const ID: &str = "019a2f3c-0000-7000-8000-000000000001";

/// A record in `state`, with a plan where there would be one.
fn record(state: &str) -> Value {
    json!({
        "id": ID, "state": state, "reason": if state == "planned" { json!("frozen") } else { Value::Null },
        "priority": "normal", "source": "http", "requester": "local", "created_at": "2026-11-24T10:00:00Z",
        "request": {"text": "scale upf to 5 in ns ran-a"}, "change": {"ticket": null, "reason": null},
        "history": [
            {"at": "2026-11-24T10:00:00Z", "state": "received", "cause": "accepted over HTTP", "actor": "local"},
            {"at": "2026-11-24T10:00:01Z", "state": state, "cause": "because", "actor": "operator"}
        ],
        "plan": {"hash": "a".repeat(64), "summary": "scale ran-a/upf 3 -> 5", "base": {"default": "b".repeat(40)},
            "steps": [{"id": "1", "action": "scale", "actuator": "package", "repository": "default",
                "target": {"name": "upf", "namespace": "ran-a"}, "file": "ran-a/upf/deployment.yaml",
                "field": "spec.replicas", "before": 3, "after": 5, "state": "pending"}],
            "notes": [], "diff": "--- a\n+++ b\n-  replicas: 3\n+  replicas: 5\n"},
        "findings": [{"rule": "to_zero", "message": "zero is an outage", "remedy": "say 1"}],
        "question": if state == "needs_answer" { json!("How many replicas?") } else { Value::Null },
        "candidates": [], "outcomes": [], "fulfilment": {"status": "unknown", "reason": "NoProbe", "targets": []}
    })
}

/// Accepts, then says that the intent rests in `state`.
fn operator(state: &'static str) -> Stub {
    Stub::new(move |asked| match asked.line.as_str() {
        "POST /api/v1/intents" if asked.body.contains("\"dry_run\":true") => {
            let record = record(state);
            let answer = json!({"state": state, "proposal": {}, "plan": record["plan"],
                "findings": record["findings"], "question": record["question"]});
            (200, "application/json", answer.to_string())
        }
        "POST /api/v1/intents" => {
            (202, "application/json", json!({"id": ID, "state": "received", "position": 3}).to_string())
        }
        _ => (200, "application/json", record(state).to_string()),
    })
}

#[test]
fn submit_wait_and_dry_run_end_with_the_code_of_the_state() {
    for (state, code) in [
        ("applied", 0),
        ("fulfilled", 0),
        ("answered", 0),
        ("refused", 3),
        ("planned", 3),
        ("needs_answer", 4),
        ("awaiting_approval", 5),
        ("failed", 8),
        ("cancelled", 8),
        ("expired", 8),
    ] {
        let stub = operator(state);
        let waited = stub.run(&["submit", "--wait", "scale upf to 5 in ns ran-a"]);
        assert_eq!(waited.code, code, "{state}: {}{}", waited.out, waited.err);
        assert!(waited.out.contains(state), "{}", waited.out);
        assert!(
            waited.err.contains("received          accepted over HTTP\n"),
            "plain lines, no spinner: {}",
            waited.err
        );
        let planned = stub.run(&["submit", "--dry-run", "scale upf to 5 in ns ran-a"]);
        assert_eq!(planned.code, code, "{state}: {}{}", planned.out, planned.err);
        assert!(planned.out.contains("nothing was stored"), "{}", planned.out);
    }
    let sent = operator("refused").run(&["submit", "scale upf to 5 in ns ran-a"]);
    assert_eq!((sent.code, sent.out.lines().next()), (0, Some(&*format!("{ID} accepted (received)"))));
}

#[test]
fn an_answer_that_says_no_becomes_its_code_with_cause_and_remedy() {
    for (status, code) in [
        (400, 2),
        (403, 7),
        (404, 7),
        (409, 7),
        (412, 7),
        (413, 2),
        (422, 2),
        (429, 3),
        (503, 3),
        (500, 1),
        (501, 1),
    ] {
        let problem = json!({"type": "about:blank", "title": "No", "status": status, "detail": "this is why",
            "errors": [{"pointer": "/text", "detail": "says nothing"}]});
        let stub = Stub::always(status, problem);
        let ran = stub.run(&["get", ID]);
        assert_eq!(ran.code, code, "{status}: {}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
        assert!(ran.err.starts_with("error: read the intent"), "{}", ran.err);
        assert!(
            ran.err.contains("\ncause: this is why\n") && ran.err.contains("\ncause: /text: says nothing\n"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("\ntry: "), "{}", ran.err);
        if matches!(status, 429 | 503) {
            assert!(ran.err.contains("try: again in 7 s"), "{}", ran.err);
        }
    }
}

#[test]
fn what_cannot_be_reached_is_code_6() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for words in
        [&["list"][..], &["watch"], &["submit", "x"], &["approve", ID, "--plan", &"a".repeat(64)], &["pause"]]
    {
        let ran = run(words, &[("NEPHORAN_SERVER", &url)], "");
        assert_eq!(ran.code, 6, "{words:?}: {}", ran.err);
        assert!(
            ran.err.contains("\ncause: http://127.0.0.1:")
                && ran.err.contains("\ntry: start the operator: nephoran up\n"),
            "{}",
            ran.err
        );
    }
    let stub = Stub::new(|_| (200, "text/html", "<html>another program</html>".into()));
    assert_eq!(stub.run(&["list"]).code, 6);
}

#[test]
fn wrong_inputs_say_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let faulty = file("nephoran.yaml", "queue:\n  totl: 5\n");
    let yaml = file("intent.yaml", "kind: NetworkIntent\n");
    let empty = file("empty.json", " \n");
    let short = "a".repeat(12);
    let cases: Vec<(Vec<&str>, i32)> = vec![
        (vec!["submit", ""], 2),
        (vec!["submit", "-f", "/does/not/exist"], 2),
        (vec!["submit", "-f", &yaml], 2),
        (vec!["submit", "-f", &empty], 2),
        (vec!["submit", "--priority", "soon", "x"], 2),
        (vec!["get"], 2),
        (vec!["approve", ID], 2),
        (vec!["approve", ID, "--plan", &short], 2),
        (vec!["list", "--server", "ftp://x"], 2),
        (vec!["list", "--server", "https://127.0.0.1:1"], 2),
        (vec!["list", "--token-file", "/does/not/exist"], 1),
        (vec!["up", "--config", &faulty], 1),
        (vec!["up", "--listen", "0.0.0.0:80"], 1),
        (vec!["up", "--store", "kubernetes"], 1),
        (vec!["up", "--hot-folder", "/does/not/exist"], 1),
        (vec!["config", "check", &faulty], 1),
        (vec!["translate", "--file", "/does/not/exist"], 2),
        (vec!["translate", "--translator", "model", "x"], 1),
        (vec!["token", "new", "a b", "--role", "viewer"], 2),
        (vec!["crd"], 1),
        (vec!["audit", "--verify", "--data", "/does/not/exist"], 1),
        (vec!["frobnicate"], 2),
    ];
    for (words, code) in cases {
        let ran = offline(&words);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.err);
        for line in ["error: ", "cause: ", "try: "] {
            assert!(ran.err.lines().any(|said| said.starts_with(line)), "{words:?}: no {line}in {}", ran.err);
        }
        assert!(ran.out.is_empty(), "{words:?}: {}", ran.out);
    }
    assert!(offline(&["config", "check", &faulty]).err.contains("2 |   totl: 5\n  |   ^\n"));
}

#[test]
fn what_is_sent_is_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let intent = r#"{"intent_type":"scaling","target":"upf","namespace":"ran-a","replicas":5,"replicas":6}"#;
    let proposal = r#"{"outcome":"actions","actions":[]}"#;
    let whole = r#"{ "text": "scale upf to 5 in ns ran-a" }"#;
    let words = "scale upf to 5 in ns ran-a";
    let cases: Vec<(Vec<String>, String, &str)> = vec![
        (vec![words.into()], words.into(), "text/plain"),
        (words.split(' ').map(str::to_owned).collect(), words.into(), "text/plain"),
        (vec!["-f".into(), file("a.txt", &format!("\u{feff}{words}\r\n"))], words.into(), "text/plain"),
        (vec!["-f".into(), file("a.json", whole)], whole.into(), "application/json"),
        // Duplicate keys are still there for the server to see.
        (vec!["-f".into(), file("b.json", intent)], format!(r#"{{"intent":{intent}}}"#), "application/json"),
        (
            vec!["-f".into(), file("c.json", proposal)],
            format!(r#"{{"proposal":{proposal}}}"#),
            "application/json",
        ),
        (
            vec!["--priority".into(), "high".into(), "-f".into(), file("d.json", proposal)],
            format!(r#"{{"priority":"high","proposal":{proposal}}}"#),
            "application/json",
        ),
        (vec!["-f".into(), file("e.json", "{broken")], "{broken".into(), "application/json"),
        (
            vec!["--ticket".into(), "CHG-1".into(), "--reason".into(), "load".into(), words.into()],
            format!(r#"{{"change":{{"reason":"load","ticket":"CHG-1"}},"text":"{words}"}}"#),
            "application/json",
        ),
    ];
    for (arguments, body, kind) in cases {
        let stub = operator("applied");
        let words: Vec<&str> = ["submit", "--idempotency-key", "k-1"]
            .into_iter()
            .chain(arguments.iter().map(String::as_str))
            .collect();
        let ran = stub.run(&words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        let asked = &stub.asked()[0];
        assert_eq!(asked.body, body, "{words:?}");
        assert!(asked.head.contains(&format!("content-type: {kind}")), "{}", asked.head);
        assert!(asked.head.contains("\r\nidempotency-key: k-1\r\n"), "{}", asked.head);
    }
    let stub = operator("applied");
    assert_eq!(run(&["submit", "-"], &[("NEPHORAN_SERVER", &stub.url)], &format!("{words}\n")).code, 0);
    assert_eq!(stub.asked()[0].body, words);
    let differs = file("f.json", r#"{"text":"x","priority":"low"}"#);
    assert_eq!(stub.run(&["submit", "--priority", "high", "-f", &differs]).code, 2);
}

#[test]
fn several_files_are_all_sent_and_one_that_fails_is_code_8() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.txt");
    std::fs::write(&good, "scale upf to 5 in ns ran-a").unwrap();
    let bad = folder.path().join("bad.txt");
    std::fs::write(&bad, "nonsense").unwrap();
    let stub = Stub::new(|asked| {
        if asked.body == "nonsense" {
            return (422, "application/problem+json", json!({"detail": "says nothing"}).to_string());
        }
        (202, "application/json", json!({"id": ID, "state": "received"}).to_string())
    });
    let ran = stub.run(&["submit", "-f", bad.to_str().unwrap(), "-f", good.to_str().unwrap()]);
    assert_eq!(ran.code, 8, "{}", ran.err);
    assert!(ran.out.contains(ID) && ran.err.contains("in "), "{}{}", ran.out, ran.err);
    assert_eq!(stub.asked().len(), 2);
}

#[test]
fn the_acts_ask_for_what_they_say() {
    let hash = "a".repeat(64);
    let cases: Vec<(Vec<&str>, String, Value)> = vec![
        (vec!["answer", ID, "-2"], format!("POST /api/v1/intents/{ID}/answer"), json!({"text": "-2"})),
        (
            vec!["approve", ID, "--plan", &hash, "--comment", "ok"],
            format!("POST /api/v1/intents/{ID}/approve"),
            json!({"plan_hash": hash, "comment": "ok"}),
        ),
        (
            vec!["reject", ID, "--reason", "no"],
            format!("POST /api/v1/intents/{ID}/reject"),
            json!({"reason": "no"}),
        ),
        (vec!["cancel", ID], format!("POST /api/v1/intents/{ID}/cancel"), json!({})),
        (vec!["rollback", ID], format!("POST /api/v1/intents/{ID}/rollback"), json!({})),
        (vec!["retry", ID], format!("POST /api/v1/intents/{ID}/retry"), json!({})),
        (vec!["pause"], "POST /api/v1/admin/pause".into(), json!({})),
        (vec!["resume"], "POST /api/v1/admin/resume".into(), json!({})),
        (vec!["cancel", "../x y"], "POST /api/v1/intents/..%2Fx%20y/cancel".into(), json!({})),
    ];
    for (words, line, body) in cases {
        let stub = operator("applied");
        let ran = stub.run(&words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        let asked = &stub.asked()[0];
        assert_eq!(asked.line, line);
        assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap(), body);
    }
}

#[test]
fn lists_ask_with_their_filters_and_show_aligned_columns() {
    let page =
        json!({"items": [record("awaiting_approval"), record("needs_answer")], "next_cursor": "next+1"});
    let stub = Stub::always(200, page.clone());
    let ran = stub.run(&[
        "list",
        "--state",
        "applied",
        "--namespace",
        "ran-a",
        "--priority",
        "high",
        "--limit",
        "5",
        "--cursor",
        "a b",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        stub.asked()[0].line,
        "GET /api/v1/intents?state=applied&namespace=ran-a&priority=high&limit=5&cursor=a%20b"
    );
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    let column = lines[0].find("STATE").unwrap();
    assert!(lines[1][column..].starts_with("awaiting_approval   normal"), "{}", ran.out);
    assert!(lines[2].ends_with("How many replicas?"), "{}", ran.out);
    assert_eq!(ran.err, "more: --cursor next+1\n");
    assert_eq!(serde_json::from_str::<Value>(&stub.run(&["list", "-o", "json"]).out).unwrap(), page);
    assert!(stub.run(&["list", "-o", "wide"]).out.starts_with("ID "));
    assert!(stub.run(&["list", "-o", "yaml"]).out.starts_with("items:"));
    assert_eq!(
        Stub::always(200, json!({"items": [], "next_cursor": null})).run(&["list"]).out,
        "no intents\n"
    );
}

#[test]
fn what_a_stranger_wrote_is_shown_and_never_obeyed() {
    let mut hostile = record("refused");
    let words = "scale\u{1b}[2J\u{1b}]0;gone\u{7} upf\u{202e}5\u{200b}\nERROR\r\t";
    hostile["request"]["text"] = json!(words);
    hostile["findings"][0]["message"] = json!(words);
    hostile["history"][1]["cause"] = json!(words);
    hostile["plan"]["diff"] = json!(format!("+{words}"));
    hostile["plan"]["summary"] = json!(words);
    let stub = Stub::new(move |asked| {
        let body = match asked.line.as_str() {
            line if line.ends_with("/plan") => hostile["plan"].clone(),
            line if line.ends_with("/report") => json!({"words": [words], "findings": hostile["findings"]}),
            line if line.contains('?') || line.ends_with("intents") => json!({"items": [hostile.clone()]}),
            _ => hostile.clone(),
        };
        (200, "application/json", body.to_string())
    });
    for words in [&["get", ID][..], &["get", ID, "-o", "wide"], &["list"], &["plan", ID], &["report", ID]] {
        let ran = stub.run(words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        assert!(ran.out.contains("\\u{1b}[2J"), "{words:?}: {}", ran.out);
        for forbidden in ['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}', '\r', '\t'] {
            assert!(!ran.out.contains(forbidden), "{words:?}: {forbidden:?} in {:?}", ran.out);
        }
    }
    for format in ["json", "yaml"] {
        let ran = stub.run(&["get", ID, "-o", format]);
        for forbidden in ['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}', '\r', '\t'] {
            assert!(!ran.out.contains(forbidden), "{format}: {forbidden:?} in {:?}", ran.out);
        }
        assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["request"]["text"], words);
    }
    let refused = Stub::always(422, json!({"detail": words}));
    assert!(!refused.run(&["get", ID]).err.contains('\u{1b}'));
}

#[test]
fn a_watch_is_taken_up_again_after_the_last_event() {
    let stub = Stub::new(|asked| {
        if !asked.line.contains("/events") {
            return (200, "application/json", record("applied").to_string());
        }
        let number = if asked.head.contains("last-event-id: 2") { 3 } else { 1 };
        let mut text = String::new();
        for id in number..number + 2 {
            text.push_str(&format!(
                "id: {id}\nevent: state\ndata: {{\"id\":\"{ID}\",\"state\":\"applied\",\"at\":\"T{id}\"}}\n\n"
            ));
        }
        if number == 3 {
            // The third time it is no operator any more: the watch ends.
            text.push_str("event: reset\ndata: {}\n\n");
        }
        (if asked.head.contains("last-event-id: 4") { 404 } else { 200 }, "text/event-stream", text)
    });
    let ran = stub.run(&["watch", "-o", "json"]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    let times: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(times, ["T1", "T2", "T3", "T4"], "{}", ran.out);
    assert!(ran.err.contains("no longer remembered"), "{}", ran.err);
}

#[test]
fn a_watch_of_one_intent_ends_with_it() {
    let stub = Stub::new(|asked| {
        if asked.line.contains("/events") {
            return (200, "text/event-stream", ": alive\n\n".into());
        }
        (200, "application/json", record("refused").to_string())
    });
    let ran = stub.run(&["watch", ID]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    assert!(lines[2].contains("refused") && lines[2].ends_with("because"), "{}", ran.out);
}

#[test]
fn a_token_goes_into_the_header_and_never_beyond_this_machine() {
    let stub = operator("applied");
    let ran = run(&["get", ID], &[("NEPHORAN_SERVER", &stub.url), ("NEPHORAN_TOKEN", "s3cret")], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(stub.asked()[0].head.contains("authorization: bearer s3cret"));
    let ran =
        run(&["get", ID], &[("NEPHORAN_SERVER", "http://192.0.2.1:80"), ("NEPHORAN_TOKEN", "s3cret")], "");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(!ran.err.contains("s3cret"));
}

#[test]
fn translate_gives_a_line_out_for_each_line_in() {
    let ran = run(
        &["translate", "-"],
        &[],
        "scale upf to 5 in ns ran-a\n\nmake it better\r\nlast line without end",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let proposals: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(proposals.len(), 4, "{}", ran.out);
    assert_eq!(
        proposals[0],
        json!({"outcome": "actions", "actions": [{"action": "scale",
            "target": {"name": "upf", "function": "upf", "namespace": "ran-a"}, "replicas": {"to": 5}}]})
    );
    assert!(proposals.iter().all(|proposal| proposal["outcome"].is_string()), "{}", ran.out);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("corpus.jsonl");
    std::fs::write(&file, "{\"id\": 1, \"text\": \"scale upf to 5 in ns ran-a\"}\n{\"text\": \"\"}\n")
        .unwrap();
    let ran = offline(&["translate", "--file", file.to_str().unwrap(), "-o", "json"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}", ran.err);
    assert_eq!(serde_json::from_str::<Value>(ran.out.lines().next().unwrap()).unwrap(), proposals[0]);

    std::fs::write(&file, "{\"text\": \"x\"}\nno json\n").unwrap();
    let ran = offline(&["translate", "--file", file.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.lines().count()), (8, 2), "{}", ran.err);
    assert_eq!(offline(&["translate", ""]).out.lines().count(), 1);
}

#[test]
fn a_token_is_shown_once_with_the_line_that_stands_for_it() {
    let ran = offline(&["token", "new", "alice", "--role", "submitter", "--namespace", "ran-a"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let token = ran.out.lines().next().unwrap().strip_prefix("token: ").unwrap();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", ran.out);
    assert_eq!(ran.out.matches(token).count(), 1);
    let line: Value =
        serde_json::from_str(ran.out.lines().last().unwrap().strip_prefix("- ").unwrap()).unwrap();
    assert_eq!((&line["name"], &line["namespaces"]), (&json!("alice"), &json!(["ran-a"])));
    assert_ne!(
        offline(&["token", "new", "alice", "--role", "submitter"]).out.lines().next().unwrap(),
        format!("token: {token}")
    );
}

#[test]
fn explain_prints_every_key_and_doctor_every_check() {
    let ran = run(&["config", "explain"], &[("NEPHORAN_QUEUE__TOTAL", "500")], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out
            .lines()
            .any(|line| line.starts_with("queue.total")
                && line.contains("environment (NEPHORAN_QUEUE__TOTAL)")),
        "{}",
        ran.out
    );
    let rows: Value = serde_json::from_str(&offline(&["config", "explain", "-o", "json"]).out).unwrap();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["key"] == "guard.approval.ttl" && row["value"] == "24h")
    );

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let words = ["doctor", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "-o", "json"];
    let ran = offline(&words);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let checks: Value = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> =
        checks.as_array().unwrap().iter().map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "disk",
            "space",
            "store",
            "git",
            "repository default",
            "hot folder",
            "documents",
            "embeddings",
            "clock",
            "outgoing http",
            "model endpoint",
            "cluster",
            "listen"
        ]
    );
    assert!(!data.exists(), "doctor makes nothing");
    let ran = offline(&[
        "doctor",
        "--data",
        data.to_str().unwrap(),
        "--packages",
        "/does/not/exist",
        "--listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("cause: repository default: ") && ran.err.contains("\ntry: "), "{}", ran.err);
}

#[test]
fn generated_documents_and_completions_are_printed() {
    for words in [&["schema", "proposal"][..], &["schema", "intent"]] {
        let ran = offline(words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(serde_json::from_str::<Value>(&ran.out).unwrap().is_object());
    }
    assert!(offline(&["completions", "bash"]).out.contains("_nephoran"));
    assert!(offline(&["--version"]).out.starts_with("nephoran "));
    assert_eq!(offline(&["--help"]).code, 0);
}

#[test]
fn colours_stay_off_where_nobody_looks() {
    let stub = operator("applied");
    assert!(!stub.run(&["plan", ID]).out.contains('\u{1b}'));
    assert!(!stub.run(&["submit", "--wait", "x"]).err.contains('\u{1b}'));
}
