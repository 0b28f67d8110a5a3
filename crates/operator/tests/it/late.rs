//! What would be late is told so at the door, and what is late is never begun.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::{Options, Server};

fn paused() -> Server {
    Server::with(Options { config: "workers: {paused: true}\n".into(), ..Options::default() })
}

fn by(wait: SignedDuration) -> String {
    Timestamp::now().checked_add(wait).unwrap().to_string()
}

/// While nothing is claimed, the wait of who comes last grows: at some moment it is longer than
/// any deadline, and then the door says so.
#[test]
fn what_would_wait_beyond_its_deadline_is_refused_at_the_door() {
    let server = paused();
    for _ in 0..5 {
        server.submit("scale upf to 5 in ns ran-a");
    }
    let refused = server.until("a refusal at the door", || {
        let body =
            json!({"text": "scale upf to 4 in ns ran-a", "deadline": by(SignedDuration::from_secs(1))});
        let answer = server.post_json("/api/v1/intents", &body);
        (answer.status == 503).then_some(answer)
    });
    let problem = refused.json();
    assert!(problem["type"].as_str().unwrap().ends_with("late"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("longer than until its deadline"), "{problem}");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    // Without a deadline there is nothing to miss.
    assert_eq!(server.post("/api/v1/intents", "text/plain", "scale upf to 3 in ns ran-a").status, 202);
}

#[test]
fn what_is_late_ends_expired_and_changes_nothing() {
    let server = paused();
    let before = server.packaged("ran-a/upf/deployment.yaml");
    let body =
        json!({"text": "scale upf to 9 in ns ran-a", "deadline": by(SignedDuration::from_millis(1500))});
    let accepted = server.post_json("/api/v1/intents", &body);
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    let passed = Timestamp::now().checked_add(SignedDuration::from_millis(1600)).unwrap();
    server.until("the deadline to pass", || (Timestamp::now() > passed).then_some(()));
    assert_eq!(server.post("/api/v1/admin/resume", "application/json", "").status, 200);
    server.intent_in(&id, "expired");
    assert_eq!(server.packaged("ran-a/upf/deployment.yaml"), before);
}
