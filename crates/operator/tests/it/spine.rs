//! The main job: words in, a reviewed commit out.

use serde_json::json;

use crate::harness::{Server, git, push};

#[test]
fn words_become_a_commit_that_changes_one_scalar_and_its_setter() {
    let server = Server::start();
    let before = server.packaged("ran-a/upf/deployment.yaml");
    let intent = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let after = server.packaged("ran-a/upf/deployment.yaml");
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(changed, [("  replicas: 3 # kpt-set: ${replicas}", "  replicas: 5 # kpt-set: ${replicas}")]);
    assert!(server.packaged("ran-a/upf/Kptfile").contains("replicas: \"5\""));
    let tip = git(&server.path("packages.git"), &["rev-parse", "main"]);
    assert_eq!(intent["outcomes"][0]["commit"], tip.trim());
    let message = git(&server.path("packages.git"), &["log", "-1", "--format=%B", "main"]);
    assert!(message.starts_with("scale ran-a/upf 3 -> 5\n"), "{message}");
    let id = intent["id"].as_str().unwrap();
    assert!(message.contains(&format!("\nNephoran-Intent: {id}\n")), "{message}");
    assert!(message.contains(&format!("\nNephoran-Plan: {}\n", intent["plan"]["hash"].as_str().unwrap())));
}

#[test]
fn what_is_already_so_makes_no_commit() {
    let server = Server::start();
    let tip = git(&server.path("packages.git"), &["rev-parse", "main"]);
    let intent = server.submit_until("scale upf to 3 in ns ran-a", "applied");
    assert_eq!(git(&server.path("packages.git"), &["rev-parse", "main"]), tip);
    assert_eq!(intent["outcomes"][0]["commit"], serde_json::Value::Null);
}

#[test]
fn a_question_is_answered_by_its_author_and_then_applied() {
    let server = Server::start();
    let asked = server.submit_until("scale up the upf in ns ran-a", "needs_answer");
    assert_eq!(asked["missing"], json!(["replicas"]));
    let id = asked["id"].as_str().unwrap();
    let answer = server.post_json(&format!("/api/v1/intents/{id}/answer"), &json!({"text": "6"}));
    assert!(answer.status < 300, "{}", answer.text());
    server.intent_in(id, "applied");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 6 #"));
}

#[test]
fn a_change_behind_our_back_is_seen_with_its_commit_and_author() {
    let server = Server::start();
    let intent = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let id = intent["id"].as_str().unwrap();
    let altered = server.packaged("ran-a/upf/deployment.yaml").replace("replicas: 5", "replicas: 4");
    push(&server.path("packages.git"), "ran-a/upf/deployment.yaml", &altered, "by hand");
    let degraded = server.intent_in(id, "degraded");
    let cause = degraded["history"].as_array().unwrap().last().unwrap()["cause"].as_str().unwrap().to_owned();
    let tip = git(&server.path("packages.git"), &["rev-parse", "main"]);
    assert!(cause.contains(&tip[..12]) && cause.contains("Alex Example"), "{cause}");
}

#[test]
fn a_step_over_the_bound_waits_for_approval_of_exactly_its_plan() {
    let server = Server::start();
    let waiting = server.submit_until("scale upf to 20 in ns ran-a", "awaiting_approval");
    let id = waiting["id"].as_str().unwrap();
    let other = "0".repeat(64);
    let refused = server.post_json(&format!("/api/v1/intents/{id}/approve"), &json!({"plan_hash": other}));
    assert_eq!(refused.status, 412, "{}", refused.text());
    let hash = waiting["plan"]["hash"].as_str().unwrap();
    let approved = server.post_json(&format!("/api/v1/intents/{id}/approve"), &json!({"plan_hash": hash}));
    assert!(approved.status < 300, "{}", approved.text());
    server.intent_in(id, "applied");
}

#[test]
fn a_rollback_is_the_inverse_plan_and_ends_the_old_intent() {
    let server = Server::start();
    let intent = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let id = intent["id"].as_str().unwrap();
    let answer = server.post_json(&format!("/api/v1/intents/{id}/rollback"), &json!({}));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let second = answer.json()["id"].as_str().unwrap().to_owned();
    server.intent_in(&second, "applied");
    server.intent_in(id, "rolled_back");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 3 #"));
}

#[test]
fn a_newer_intent_on_the_same_field_supersedes_the_older_one() {
    let server = Server::start();
    let first = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let second = server.submit_until("scale upf to 6 in ns ran-a", "applied");
    let ended = server.intent_in(first["id"].as_str().unwrap(), "superseded");
    assert_eq!(ended["superseded_by"], second["id"]);
}

#[test]
fn what_was_accepted_before_a_kill_is_applied_after_the_restart() {
    let server = Server::with(crate::harness::Options {
        args: vec![],
        config: "workers: {paused: true}\n".into(),
        ..Default::default()
    });
    let id = server.submit("scale upf to 5 in ns ran-a");
    let folder = server.kill();
    let server = Server::on(folder, Default::default());
    server.intent_in(&id, "applied");
}

#[test]
fn an_approved_plan_that_became_another_needs_approval_again_however_small_it_is_now() {
    let server = Server::start();
    let waiting = server.submit_until("scale upf to 20 in ns ran-a", "awaiting_approval");
    let id = waiting["id"].as_str().unwrap();
    assert!(server.post_json("/api/v1/admin/pause", &json!({})).status < 300);
    let approval = json!({"plan_hash": waiting["plan"]["hash"]});
    let approved = server.post_json(&format!("/api/v1/intents/{id}/approve"), &approval);
    assert!(approved.status < 300, "{}", approved.text());
    // 15 -> 20 alone would need nobody's yes.
    let near = server.packaged("ran-a/upf/deployment.yaml").replace("replicas: 3", "replicas: 15");
    push(&server.path("packages.git"), "ran-a/upf/deployment.yaml", &near, "by hand");
    server.until("the push is seen", || {
        let words = json!({"text": "how many upf replicas are running in ran-a?", "dry_run": true});
        let seen = server.post_json("/api/v1/intents", &words).text();
        seen.contains("15 replicas").then_some(())
    });
    let tip = git(&server.path("packages.git"), &["rev-parse", "main"]);
    assert!(server.post_json("/api/v1/admin/resume", &json!({})).status < 300);
    let again = server.intent_in(id, "awaiting_approval");
    assert_ne!(again["plan"]["hash"], waiting["plan"]["hash"]);
    assert_eq!(git(&server.path("packages.git"), &["rev-parse", "main"]), tip);
}

#[test]
fn undoing_passes_over_what_was_already_so() {
    let server = Server::start();
    let changed = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    server.submit_until("undo the last change of upf in ns ran-a", "applied");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 3 #"));
    server.intent_in(changed["id"].as_str().unwrap(), "rolled_back");
}

#[test]
fn a_cancelled_intent_leaves_its_place_in_the_queue() {
    let server = Server::start();
    assert!(server.post_json("/api/v1/admin/pause", &json!({})).status < 300);
    let id = server.submit("scale upf to 5 in ns ran-a");
    assert_ne!(server.get("/api/v1/queue").text(), String::new());
    let before = server.get("/api/v1/queue").json();
    assert!(server.post_json(&format!("/api/v1/intents/{id}/cancel"), &json!({})).status < 300);
    let after = server.get("/api/v1/queue").json();
    assert_ne!(before, after, "a place was given back");
}
