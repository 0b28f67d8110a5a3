//! What a language model is asked, and what of its answers may ever be applied.

use nephoran_sim::model::{Handle, Script, ScriptedModel};
use serde_json::{Value, json};

use crate::harness::{Options, Server};

/// A person reads it at once, the grammar does not.
const WORDS: &str = "upf, to 5, in ns ran-a, scale please";
const FILE: &str = "ran-a/upf/deployment.yaml";

fn with(model: &Handle) -> Server {
    let config = format!(
        "translate: {{order: [grammar, model], model: {{endpoint: '{}', name: scripted}}}}\n\
         http: {{allow: [127.0.0.1]}}\n",
        model.url()
    );
    Server::with(Options { config, ..Options::default() })
}

fn answer(server: &Server, id: &str, text: &str) -> Value {
    let answer = server.post_json(&format!("/api/v1/intents/{id}/answer"), &json!({"text": text}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn id(intent: &Value) -> String {
    intent["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_model_understood_is_read_back_and_applied_only_after_a_yes() {
    let model = ScriptedModel::start(Script::honest());
    let server = with(&model);
    let before = server.packaged(FILE);
    let intent = server.submit_until(WORDS, "needs_answer");
    assert_eq!(intent["question"], "scale upf in namespace \"ran-a\" to 5 replicas");
    assert_eq!(intent["missing"], json!(["confirmation"]));
    assert_eq!(intent["translator"], "model");
    assert_eq!(intent["understanding"]["model"], "scripted");
    assert!(!intent["understanding"]["prompt_version"].as_str().unwrap().is_empty());
    assert_eq!(intent["plan"], Value::Null);
    // Any other text asks again, and changes nothing.
    let again = answer(&server, &id(&intent), "yes, but to 6");
    assert_eq!((again["state"].as_str(), &again["question"]), (Some("needs_answer"), &intent["question"]));
    assert_eq!(server.packaged(FILE), before);

    answer(&server, &id(&intent), "yes");
    let applied = server.intent_in(&id(&intent), "applied");
    assert_eq!(applied["understanding"]["confirmed"]["sentence"], intent["question"]);
    assert_eq!(applied["understanding"]["confirmed"]["by"], "local");
    assert!(server.packaged(FILE).contains("replicas: 5"));
    let trail = server.get(&format!("/api/v1/intents/{}/audit", id(&intent))).text();
    assert!(trail.contains("\"confirm\""), "{trail}");
}

#[test]
fn a_yes_is_no_approval() {
    let model = ScriptedModel::start(Script::honest());
    let server = with(&model);
    let intent = server.submit_until("upf, to 50, in ns ran-a, scale please", "needs_answer");
    answer(&server, &id(&intent), "yes");
    server.intent_in(&id(&intent), "awaiting_approval");
}

#[test]
fn the_grammar_goes_first() {
    let model = ScriptedModel::start(Script::honest());
    let server = with(&model);
    let applied = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    assert_eq!(applied["translator"], "grammar");
    let asked = server.submit_until("scale up the upf in ns ran-a", "needs_answer");
    assert_eq!(asked["missing"], json!(["replicas"]));
    server.submit_until("delete everything in all namespaces", "refused");
    assert_eq!(model.requests(), 0, "what the grammar accounts for never needs a model");
}

#[test]
fn a_model_that_lies_is_asked_about_and_nothing_changes() {
    for script in [Script::fluent_liar(), Script::obedient(), Script::broken_json(), Script::duplicate_keys()]
    {
        let model = ScriptedModel::start(script);
        let server = with(&model);
        let before = server.packaged(FILE);
        let intent = server.submit_until(WORDS, "needs_answer");
        assert_eq!(intent["missing"], json!(["action"]), "{intent}");
        assert!(model.requests() > 0);
        assert_eq!(server.packaged(FILE), before);
    }
}

#[test]
fn while_the_model_stalls_the_grammar_answers_and_the_rest_waits() {
    let model = ScriptedModel::start(Script::honest());
    model.stall(true);
    let server = with(&model);
    let waiting = server.submit(WORDS);
    server.until("the model to be asked", || (model.in_flight() > 0).then_some(()));
    server.submit_until("scale smf to 3 in ns core5g", "applied");
    assert!(["received", "translating"].contains(&server.intent(&waiting)["state"].as_str().unwrap()));
    model.stall(false);
    server.intent_in(&waiting, "needs_answer");
}

#[test]
fn a_model_that_is_not_there_leaves_the_question_of_the_grammar() {
    let gone = ScriptedModel::start(Script::error(401));
    let server = with(&gone);
    let intent = server.submit_until(WORDS, "needs_answer");
    assert_eq!(intent["missing"], json!(["action"]));
    assert!(intent["question"].as_str().unwrap().contains("the language model cannot be asked"), "{intent}");
    assert_eq!(intent["translator"], "grammar");
}

#[test]
fn a_dry_run_says_what_the_model_understood_and_stores_nothing() {
    let model = ScriptedModel::start(Script::honest());
    let server = with(&model);
    let run = server.post_json("/api/v1/intents", &json!({"text": WORDS, "dry_run": true}));
    assert_eq!(run.status, 200, "{}", run.text());
    let run = run.json();
    assert_eq!(run["state"], "needs_answer");
    assert_eq!(run["question"], "scale upf in namespace \"ran-a\" to 5 replicas");
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]));
}
