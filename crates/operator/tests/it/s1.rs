//! Row S1, on the whole program: a stop in the middle of work loses nothing and does nothing twice.

use std::collections::HashMap;
use std::time::Instant;

use nephoran_sim::model::{Handle, Script, ScriptedModel};

use crate::harness::{Options, Server, git};

const INTENTS: usize = 300;

/// The grace of a stop is 10 s for what runs; the doors have theirs after it.
const LONGEST_STOP: std::time::Duration = std::time::Duration::from_secs(20);

#[test]
fn s1_what_a_stop_left_in_the_queue_is_done_after_the_restart_and_nothing_twice() {
    let server = Server::start();
    let client = server.client();
    let ids: Vec<String> = (0..INTENTS)
        .map(|number| {
            // On one package they run one after another, and each changes it.
            let words = format!("scale upf to {} in ns ran-a", 4 + number % 2);
            let answer = client.post("/api/v1/intents", "text/plain", words);
            assert_eq!(answer.status, 202, "{}", answer.text());
            answer.json()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let commits = |server: &Server| {
        let log = git(
            &server.path("packages.git"),
            &["log", "--format=%(trailers:key=Nephoran-Intent,valueonly)", "main"],
        );
        let mut of: HashMap<String, usize> = HashMap::new();
        for id in log.split_whitespace() {
            *of.entry(id.to_owned()).or_default() += 1;
        }
        of
    };
    let before = commits(&server).len();
    let began = Instant::now();
    let (status, folder) = server.stop();
    let took = began.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < LONGEST_STOP, "{took:?}");

    let server = Server::on(folder, Default::default());
    let between = commits(&server).len();
    let client = server.client();
    for id in &ids {
        let path = format!("/api/v1/intents/{id}");
        server.until("every intent rests", || {
            let state = client.get(&path).json()["state"].clone();
            ["applied", "superseded"].iter().any(|rest| state == *rest).then_some(())
        });
    }
    let of = commits(&server);
    println!(
        "{before} of {INTENTS} were committed when the stop came, {between} when it was over after {took:?}, {} in the end",
        of.len()
    );
    for id in &ids {
        assert_eq!(of.get(id), Some(&1), "{id}: 0 lost, 0 twice");
    }
}

fn asking(model: &Handle) -> Options {
    let config = format!(
        "translate: {{order: [grammar, model], model: {{endpoint: '{}', name: scripted}}}}\n\
         http: {{allow: [127.0.0.1]}}\n\
         workers: {{min: 2, max: 4}}\n",
        model.url()
    );
    Options { config, ..Options::default() }
}

#[test]
fn s1_a_model_that_stalls_holds_no_stop_up_and_is_asked_again_after_the_restart() {
    let model = ScriptedModel::start(Script::honest());
    model.stall(true);
    let server = Server::with(asking(&model));
    let ids: Vec<String> =
        (3..9).map(|number| server.submit(&format!("upf, to {number}, in ns ran-a, scale please"))).collect();
    server.until("`workers.min` ask the model", || (model.in_flight() == 2).then_some(()));
    let began = Instant::now();
    let (status, folder) = server.stop();
    let took = began.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < std::time::Duration::from_secs(10), "a call is dropped, not waited for: {took:?}");

    model.stall(false);
    let server = Server::on(folder, asking(&model));
    for id in &ids {
        let intent = server.intent_in(id, "needs_answer");
        assert_eq!(intent["translator"], "model", "{intent}");
    }
    assert!(model.most_in_flight() <= 4, "`workers.max` is the most: {}", model.most_in_flight());
}
