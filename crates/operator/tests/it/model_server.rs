//! The whole path with a real, weak model behind a real server: from a request in words to a
//! question, a refusal or a sentence that is read back. No test says that its answers are right;
//! what is shown is that whatever it answers, nothing wrong gets through.
//!
//! `cargo xtask setup` puts server and model into `target/model-server`; without them this skips.
//! The model is slow where the cores are busy, so the requests have a deadline: as many as come to
//! their turn before it. NEPHORAN_MODEL_SECONDS moves it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nephoran_grammar::faithful::{Source, evidence_for};
use nephoran_model::proposal::{Missing, Proposal};
use serde_json::{Value, json};

use crate::harness::{Options, Server, git, root};

const REQUESTS: usize = 100;

struct ModelServer {
    child: Child,
    url: String,
}

impl ModelServer {
    fn start() -> Option<Self> {
        let folder = root().join("target/model-server");
        if !folder.join("installed").exists() {
            println!(
                "SKIPPED: needs the model server in target/model-server; cargo xtask setup installs it where the network allows"
            );
            return None;
        }
        let mut child = Command::new(folder.join("venv/bin/python"))
            .arg(folder.join("serve.py"))
            .arg(folder.join("model.gguf"))
            .arg("0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "the server says where it listens: {line:?}");
        Some(Self { child, url: line.trim().to_owned() })
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests of people that the grammar leaves words over in.
fn requests() -> impl Iterator<Item = String> {
    let forms = [
        "upf, to {n}, in ns ran-a, scale please",
        "we could do with {n} upf over in ran-a",
        "the smf of core5g feels small, {n} of it would be right",
        "amf: {n}, core5g, thanks in advance",
        "kindly see to it that ran-a has {n} upf by its side",
        "get us some more smf, say {n} of them, for core5g",
        "there is a rush on, so the upf wants {n}",
        "nothing but {n} amf will do for core5g",
        "ran-a's upf should number {n} and not one more",
        "o-du in ran-a gets {n}, the upf keeps what it has",
    ];
    let all = (0..).map(move |n| forms[n % forms.len()].replace("{n}", &(2 + n / forms.len()).to_string()));
    // What the grammar reads, or can ask a better question about, never comes to a model.
    let beyond = all.filter(|words| {
        let read = nephoran_grammar::translate(words);
        matches!(read, Proposal::Clarify(clarify) if clarify.missing.contains(&Missing::Action))
    });
    beyond.take(REQUESTS)
}

#[test]
fn a_hundred_requests_to_a_real_model_are_each_asked_about_refused_or_read_back_as_said() {
    let Some(model) = ModelServer::start() else { return };
    let seconds = std::env::var("NEPHORAN_MODEL_SECONDS").ok().and_then(|text| text.parse().ok());
    let patience = Duration::from_secs(seconds.unwrap_or(100));
    let config = format!(
        "limits: off\ntelemetry: {{log: warn}}\nhttp: {{allow: [127.0.0.1]}}\nworkers: {{min: 1, max: 2}}\n\
         translate:\n  order: [grammar, model]\n  model: {{endpoint: '{}', name: smollm2-135m, tokens_per_hour: null, first_byte: 120s}}\n",
        model.url
    );
    let server = Server::with(Options { config, ..Options::default() });
    let packages = server.path("packages.git");
    let before = git(&packages, &["rev-parse", "main"]);

    let begun = Instant::now();
    let deadline = (Timestamp::now() + patience).to_string();
    let mut sent = Vec::new();
    let mut told_to_come_back = 0;
    for words in requests() {
        let body = json!({"text": words, "deadline": deadline});
        let answer = server.post_json("/api/v1/intents", &body);
        match answer.status {
            202 => sent.push((words, answer.json()["id"].as_str().unwrap().to_owned())),
            // It would still wait when its deadline passes.
            503 => {
                assert!(answer.header("retry-after").is_some());
                told_to_come_back += 1;
            }
            _ => panic!("{words}: {}", answer.text()),
        }
    }
    // One is cancelled while it waits or is asked, by its author.
    let cancelled = sent.pop().expect("some are accepted").1;
    server.post_json(&format!("/api/v1/intents/{cancelled}/cancel"), &json!({}));

    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut took = Vec::new();
    let (mut tokens, mut calls) = (0, 0);
    for (words, id) in &sent {
        let intent = loop {
            let intent = server.intent(id);
            if !matches!(intent["state"].as_str().unwrap(), "received" | "translating") {
                break intent;
            }
            assert!(begun.elapsed() < patience + Duration::from_secs(60), "{words}: {intent:#}");
            std::thread::park_timeout(Duration::from_millis(50));
        };
        let state = intent["state"].as_str().unwrap().to_owned();
        let by_model = intent["translator"] == "model";
        match state.as_str() {
            "needs_answer" => {
                assert!(intent["question"].as_str().is_some_and(|text| !text.is_empty()), "{intent:#}");
                if intent["missing"] == json!(["confirmation"]) {
                    let proposal: Proposal = serde_json::from_value(intent["proposal"].clone()).unwrap();
                    let Proposal::Actions(actions) = proposal else { panic!("{intent:#}") };
                    let source = Source { words, answers: &[] };
                    assert!(evidence_for(&source, &actions).is_some(), "{words}: {intent:#}");
                }
            }
            "refused" => {
                assert!(
                    intent["findings"][0]["remedy"].as_str().is_some_and(|text| !text.is_empty()),
                    "{intent:#}"
                );
            }
            "expired" => {}
            _ => panic!("{words}: {intent:#}"),
        }
        if by_model {
            let history = intent["history"].as_array().unwrap();
            let at = |n: usize| history[n]["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
            took.push(at(history.len() - 1).duration_since(at(0)).unsigned_abs());
            tokens += intent["understanding"]["completion_tokens"].as_u64().unwrap_or_default();
            calls += intent["understanding"]["calls"].as_u64().unwrap_or_default();
        }
        let read_back = intent["missing"] == json!(["confirmation"]);
        let end = match (state.as_str(), by_model, read_back) {
            ("expired", ..) => "came to its deadline before its turn",
            (_, false, _) => "asked by the grammar in the model's place",
            ("refused", ..) => "refused by the model",
            (_, _, true) => "read back",
            _ => "asked",
        };
        *ends.entry(end.to_owned()).or_default() += 1;
    }
    assert_eq!(git(&packages, &["rev-parse", "main"]), before, "nothing was committed");
    assert!(!took.is_empty(), "the model answered: {ends:?}");
    took.sort_unstable();
    println!(
        "{REQUESTS} requests to a real model in {:.0} s: {ends:?}, {told_to_come_back} told at the door to come back, 1 cancelled; \
         {calls} calls, {tokens} tokens; answered after p50 {:.1} s, last {:.1} s; 0 wrong, 0 commits",
        begun.elapsed().as_secs_f64(),
        took[took.len() / 2].as_secs_f64(),
        took[took.len() - 1].as_secs_f64(),
    );
    drop(server);
    // Whoever waited is gone: the server works for nobody.
    let idle = crate::harness::poll(|| {
        let slots: Value = crate::harness::send(&format!("{}/slots", model.url), "GET", &[], None).json();
        slots.as_array().unwrap().iter().all(|slot| slot["is_processing"] == false).then_some(())
    });
    assert!(idle.is_some(), "the server still works");
}
