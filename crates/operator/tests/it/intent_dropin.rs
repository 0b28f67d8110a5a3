//! `POST /intent`, row by row, as clients of the reference operator know it.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Answer, Options, PATIENCE, Server};

fn intent() -> Value {
    json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 4})
}

fn with(key: &str, value: Value) -> Value {
    let mut intent = intent();
    intent[key] = value;
    intent
}

fn detail(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    answer.json()["detail"].as_str().unwrap().to_owned()
}

fn is_protected(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.header("x-request-id").is_some());
}

/// `intent-YYYYMMDDTHHMMSSZ-NNNNNNNNN.json`.
fn is_handoff_name(name: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix("intent-")
        .and_then(|rest| rest.strip_suffix(".json"))
        .and_then(|rest| rest.split_once('-'))
        .and_then(|(time, nanos)| Some((time.strip_suffix('Z')?.split_once('T')?, nanos)))
        .is_some_and(|((day, time), nanos)| digits(day, 8) && digits(time, 6) && digits(nanos, 9))
}

#[test]
fn an_intent_is_accepted_in_every_content_type_that_clients_send() {
    let server = Server::start();
    for kind in [Some("application/json"), Some("application/json; charset=utf-8"), Some("text/json"), None] {
        let headers: Vec<(&str, &str)> = kind.into_iter().map(|kind| ("content-type", kind)).collect();
        let answer = server.send("POST", "/intent", &headers, Some(intent().to_string().as_bytes()));
        assert_eq!(answer.status, 202, "{kind:?}: {}", answer.text());
        is_protected(&answer);
        let body = answer.json();
        assert_eq!(body["status"], "accepted");
        assert!(is_handoff_name(body["saved"].as_str().unwrap()), "{body}");
        let preview = &body["preview"];
        assert_eq!(preview["type"], "scaling");
        assert_eq!(preview["status"], "pending");
        assert_eq!(preview["target_resources"], json!(["deployment/upf"]));
        assert_eq!(preview["parameters"], intent());
        assert!(preview["id"].is_string() && preview["description"].is_string());
        assert!(preview.get("correlation_id").is_none());
        assert_eq!(server.intent(body["intent"].as_str().unwrap())["source"], "intent");
    }
}

#[test]
fn an_accepted_intent_becomes_a_commit() {
    let server = Server::start();
    let answer = server.post_json("/intent", &with("correlation_id", json!("job-7")));
    let body = answer.json();
    assert_eq!(body["preview"]["correlation_id"], "job-7");
    let record = server.intent_in(body["intent"].as_str().unwrap(), "applied");
    assert_eq!(record["request"]["intent"]["replicas"], 4);
    assert_eq!(record["correlation_id"], "job-7");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 4 #"));
}

#[test]
fn the_hand_off_file_holds_the_intent_and_is_not_picked_up_again() {
    // The hand-off folder is the hot folder: existing installations have it so.
    let folder = tempfile::tempdir().unwrap();
    crate::harness::samples(&folder.path().join("packages.git"));
    let hot = folder.path().join("hot");
    std::fs::create_dir(&hot).unwrap();
    let config = format!("handoff: {}\n", hot.display());
    let server = Server::on(folder, Options { config: config.clone(), ..Default::default() });
    let answer = server.post_json("/intent", &intent());
    let body = answer.json();
    let saved = hot.join(body["saved"].as_str().unwrap());
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(&saved).unwrap()).unwrap(), intent());
    server.intent_in(body["intent"].as_str().unwrap(), "applied");
    // A file that comes after it has been looked at when this one is done.
    let one_more = |server: &Server, name: &str| {
        std::fs::write(server.path("hot").join(name), intent().to_string()).unwrap();
        server.until("a later file is processed", || {
            server.path("hot/processed").join(name).exists().then_some(())
        });
    };
    one_more(&server, "intent-later.json");
    assert!(saved.exists(), "the file is for others and stays");
    // Neither after a restart.
    let (_, folder) = server.stop();
    let server = Server::on(folder, Options { config, ..Default::default() });
    one_more(&server, "intent-latest.json");
    assert!(saved.exists());
    assert_eq!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().len(), 3);
}

#[test]
fn what_does_not_validate_is_a_400_that_says_why() {
    let server = Server::start();
    for body in [
        with("replicas", json!(0)),
        with("replicas", json!(101)),
        with("replicas", json!("3")),
        with("replicas", json!(2.5)),
        with("intent_type", json!("explode")),
        with("target", json!("../../etc/passwd")),
        with("target", json!("$(rm -rf /)")),
        with("namespace", json!("")),
        with("priority", json!(11)),
        with("source", json!("root")),
        with("status", json!("done")),
        with("reason", json!("x".repeat(513))),
        with("bogus", json!(1)),
        with("constraints", json!({"max_replicas": 0})),
        with("target_resources", json!([""])),
        with("created_at", json!("yesterday")),
        json!([]),
        json!({}),
        json!("scale upf"),
    ] {
        let answer = server.post_json("/intent", &body);
        assert_eq!(answer.status, 400, "{body}");
        is_protected(&answer);
        let detail = detail(&answer);
        assert!(detail.contains("validation failed"), "{body}: {detail}");
        if body["replicas"] != 4 {
            assert!(detail.contains("Replicas must be between 1 and 100.") || !body.is_object(), "{detail}");
        }
    }
    for raw in ["", "{", "not json", r#"{"intent_type":"scaling","intent_type":"scaling"}"#] {
        let answer = server.post("/intent", "application/json", raw);
        assert_eq!(answer.status, 400, "{raw}");
        assert!(detail(&answer).contains("validation failed"), "{raw}");
    }
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]), "nothing of it was kept");
}

#[test]
fn a_byte_order_mark_is_skipped_and_three_point_zero_is_three() {
    let server = Server::start();
    let text = format!(
        "\u{feff}{}",
        r#"{"intent_type":"scaling","target":"upf","namespace":"ran-a","replicas":4.0}"#
    );
    let answer = server.post("/intent", "application/json", text);
    assert_eq!(answer.status, 202, "{}", answer.text());
    server.intent_in(answer.json()["intent"].as_str().unwrap(), "applied");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 4 #"));
}

#[test]
fn words_that_scale_one_target_are_accepted() {
    let server = Server::start();
    for (words, replicas) in [("scale upf to 5 in ns ran-a", 5), ("scale upf to 6 in ran-a\n", 6)] {
        let answer = server.post("/intent", "text/plain; charset=utf-8", words);
        assert_eq!(answer.status, 202, "{}", answer.text());
        let body = answer.json();
        let parameters = &body["preview"]["parameters"];
        assert_eq!(
            (&parameters["target"], &parameters["namespace"], &parameters["replicas"]),
            (&json!("upf"), &json!("ran-a"), &json!(replicas))
        );
        let record = server.intent_in(body["intent"].as_str().unwrap(), "applied");
        assert_eq!(record["request"]["text"], words.trim_end());
    }
}

#[test]
fn other_words_are_a_400_that_names_the_route_which_takes_them() {
    let server = Server::start();
    for words in [
        "scale up the upf in ns ran-a",
        "scale upf to 5",
        "add two upf instances in ns ran-a",
        "scale upf to 5 in ns ran-a and amf to 2 in ns core5g",
        "can we scale upf to 5 in ns ran-a?",
        "deploy amf with 2 replicas in namespace core5g",
        "what is the weather",
        "delete everything",
        "",
        " ",
    ] {
        let answer = server.post("/intent", "text/plain", words);
        assert_eq!(answer.status, 400, "{words:?}: {}", answer.text());
        let detail = detail(&answer);
        assert!(detail.starts_with("plain text: "), "{words:?}: {detail}");
        assert!(detail.contains("/api/v1/intents"), "{words:?}: {detail}");
    }
    for words in ["scale upf to 500 in ns ran-a", "scale upf to 0 in ns ran-a"] {
        let answer = server.post("/intent", "text/plain", words);
        let detail = detail(&answer);
        assert_eq!(answer.status, 400);
        assert!(detail.starts_with("plain text: ") && detail.contains("between 1 and 100"), "{detail}");
    }
    let answer = server.post("/intent", "text/plain", b"scale \xff upf");
    assert_eq!(answer.status, 400);
    assert!(detail(&answer).starts_with("plain text: "));
}

#[test]
fn configuration_is_not_supported_here_and_deployment_scales_what_exists() {
    let server = Server::start();
    let answer = server.post_json("/intent", &with("intent_type", json!("configuration")));
    assert_eq!(answer.status, 400);
    assert!(detail(&answer).contains("Currently only scaling and deployment are supported here"));
    let answer = server.post_json("/intent", &with("intent_type", json!("deployment")));
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["preview"]["type"], "deployment");
    server.intent_in(answer.json()["intent"].as_str().unwrap(), "applied");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 4 #"));
}

#[test]
fn constraints_of_the_intent_are_enforced() {
    let server = Server::start();
    for constraints in
        [json!({"max_replicas": 3}), json!({"min_replicas": 5}), json!({"allowed_namespaces": ["core5g"]})]
    {
        let answer = server.post_json("/intent", &with("constraints", constraints.clone()));
        assert_eq!(answer.status, 202, "{}", answer.text());
        let record = server.intent_in(answer.json()["intent"].as_str().unwrap(), "refused");
        assert!(!record["findings"].as_array().unwrap().is_empty(), "{constraints}");
    }
    let answer =
        server.post_json("/intent", &with("constraints", json!({"max_replicas": 4, "anything": [1]})));
    server.intent_in(answer.json()["intent"].as_str().unwrap(), "applied");
}

#[test]
fn a_priority_number_becomes_its_band() {
    let server = Server::start();
    for (number, band) in
        [(0, "low"), (2, "low"), (3, "normal"), (6, "normal"), (7, "high"), (9, "urgent"), (10, "urgent")]
    {
        let answer = server.post_json("/intent", &with("priority", json!(number)));
        let record = server.intent(answer.json()["intent"].as_str().unwrap());
        assert_eq!(record["priority"], band, "{number}");
    }
    let answer = server.post_json("/intent", &intent());
    assert_eq!(server.intent(answer.json()["intent"].as_str().unwrap())["priority"], "normal");
}

#[test]
fn other_types_and_other_methods_are_told_so() {
    let server = Server::start();
    for kind in ["application/xml", "application/yaml", "text/html", "application/jsonp", "json"] {
        let answer = server.post("/intent", kind, intent().to_string());
        assert_eq!(answer.status, 415, "{kind}");
        assert!(answer.text().contains("Unsupported content type"), "{kind}: {}", answer.text());
        is_protected(&answer);
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.send(method, "/intent", &[], None);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
        is_protected(&answer);
    }
    let answer = server.send("HEAD", "/intent", &[], None);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[test]
fn a_page_of_another_site_cannot_send_one() {
    let server = Server::start();
    let body = intent().to_string();
    for header in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
        let answer =
            server.send("POST", "/intent", &[("content-type", "text/plain"), header], Some(body.as_bytes()));
        assert_eq!(answer.status, 403, "{header:?}");
        is_protected(&answer);
        assert!(answer.header("access-control-allow-origin").is_none());
    }
}

#[test]
fn more_than_a_mebibyte_is_answered_and_what_still_comes_is_taken() {
    let server = Server::start();
    let address = server.url.strip_prefix("http://").unwrap();
    for size in [1024 * 1024 + 1, 4 * 1024 * 1024] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST /intent HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
        )
        .unwrap();
        // Everything is sent before anything is read: the answer must survive that.
        for _ in 0..size / 4096 {
            stream.write_all(&[b' '; 4096]).unwrap();
        }
        stream.write_all(&vec![b' '; size % 4096]).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{size}");
    }
    // Exactly a mebibyte is read, and is no intent.
    let answer = server.post("/intent", "application/json", vec![b' '; 1024 * 1024]);
    assert_eq!(answer.status, 400);
}
