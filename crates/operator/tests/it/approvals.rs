//! What an approval allows, and what it does not: one plan, as it was read, for its time.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Answer, Options, Server, copy, git, push, within_patience};

const FILE: &str = "ran-a/upf/deployment.yaml";

/// Over the bound of ten: a person must say yes.
const WORDS: &str = "scale upf to 20 in ns ran-a";

fn options(config: &str) -> Options {
    Options { config: config.into(), ..Options::default() }
}

fn tip(server: &Server) -> String {
    git(&server.path("packages.git"), &["rev-parse", "main"]).trim().to_owned()
}

fn act(server: &Server, id: &str, act: &str, body: &Value) -> Answer {
    server.post_json(&format!("/api/v1/intents/{id}/{act}"), body)
}

fn approve(server: &Server, id: &str, hash: &str) -> Answer {
    act(server, id, "approve", &json!({"plan_hash": hash}))
}

/// The id and the plan's hash of an intent that waits for a yes.
fn waiting(server: &Server) -> (String, String) {
    let intent = server.submit_until(WORDS, "awaiting_approval");
    (text(&intent["id"]), text(&intent["plan"]["hash"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn replicas(server: &Server) -> String {
    let file = server.packaged(FILE);
    let line = file.lines().find(|line| line.trim_start().starts_with("replicas:")).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// Of the intent's own commits: the plans they carried out.
fn carried_out(bare: &Path, id: &str) -> Vec<String> {
    let format = "--format=%(trailers:key=Nephoran-Intent,valueonly,separator=%x2C) \
                  %(trailers:key=Nephoran-Plan,valueonly,separator=%x2C)";
    let log = git(bare, &["log", "main", format]);
    log.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(intent, _)| *intent == id)
        .map(|(_, plan)| plan.to_owned())
        .collect()
}

fn is_applied_as(server: &Server, id: &str, hash: &str) {
    let applied = server.intent_in(id, "applied");
    assert_eq!(carried_out(&server.path("packages.git"), id), [hash]);
    assert_eq!(applied["plan"]["hash"], hash);
    assert_eq!(replicas(server), "20");
}

fn waits_for_approval_with_another_plan(server: &Server, id: &str, than: &str) -> String {
    server.until(&format!("{id} waits with another plan"), || {
        let intent = server.intent(id);
        let hash = intent["plan"]["hash"].as_str()?.to_owned();
        (intent["state"] == "awaiting_approval" && hash != than).then_some(hash)
    })
}

#[test]
fn a_commit_elsewhere_does_not_void_an_approval() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    let bare = server.path("packages.git");
    push(&bare, "core5g/amf/README.md", "# amf\n\nMaintained by the core team.\n", "say who maintains it");
    let pushed = tip(&server);
    assert!(approve(&server, &id, &hash).status < 300);
    is_applied_as(&server, &id, &hash);
    // On top of what the others did, not instead of it.
    assert_eq!(git(&bare, &["rev-parse", "main~1"]).trim(), pushed);
}

#[test]
fn a_commit_elsewhere_between_approval_and_apply_does_not_void_it() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
    assert!(approve(&server, &id, &hash).status < 300);
    push(&server.path("packages.git"), "core5g/amf/README.md", "# amf\n", "elsewhere");
    assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
    is_applied_as(&server, &id, &hash);
}

#[test]
fn a_commit_that_touches_the_file_asks_for_a_new_approval() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    // Only a comment: the field is as it was, the file is not what was approved.
    let touched = format!("# Touched.\n{}", server.packaged(FILE));
    push(&server.path("packages.git"), FILE, &touched, "touch the file");
    let before = tip(&server);
    let refused = approve(&server, &id, &hash);
    assert_eq!(refused.status, 412, "{}", refused.text());
    let other = waits_for_approval_with_another_plan(&server, &id, &hash);
    assert_eq!(tip(&server), before, "nothing ran");
    assert_eq!(approve(&server, &id, &hash).status, 412, "the old hash stays refused");
    assert!(approve(&server, &id, &other).status < 300);
    is_applied_as(&server, &id, &other);
    assert!(server.packaged(FILE).starts_with("# Touched.\n"));
}

#[test]
fn a_commit_that_touches_the_file_after_the_approval_voids_it() {
    for content in [
        |file: &str| format!("# Touched.\n{file}"),
        |file: &str| file.replace("replicas: 3 ", "replicas: 4 "),
    ] {
        let server = Server::start();
        let (id, hash) = waiting(&server);
        assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
        assert!(approve(&server, &id, &hash).status < 300);
        push(&server.path("packages.git"), FILE, &content(&server.packaged(FILE)), "touch the file");
        let before = tip(&server);
        assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
        let other = waits_for_approval_with_another_plan(&server, &id, &hash);
        assert_eq!(tip(&server), before, "the approval was for another plan, and something ran");
        assert!(approve(&server, &id, &other).status < 300);
        is_applied_as(&server, &id, &other);
    }
}

#[test]
fn only_the_whole_hash_of_the_plan_that_would_run_is_taken() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    let before = tip(&server);
    for length in [0, 1, 7, 12, 40, 63] {
        let refused = approve(&server, &id, &hash[..length]);
        assert_eq!(refused.status, 422, "{length} digits: {}", refused.text());
    }
    for odd in [
        hash.to_uppercase(),
        format!("{hash}0"),
        format!(" {hash}"),
        hash.replace(&hash[..1], "g"),
        "z".repeat(64),
    ] {
        if odd == hash {
            continue;
        }
        let refused = approve(&server, &id, &odd);
        assert_eq!(refused.status, 422, "{odd}: {}", refused.text());
    }
    for body in [
        json!({}),
        json!({"plan_hash": null}),
        json!({"plan_hash": 5}),
        json!({"plan_hash": [hash]}),
        json!({"hash": hash}),
    ] {
        assert_eq!(act(&server, &id, "approve", &body).status, 422, "{body}");
    }
    // Each digit changed, one after another.
    for at in 0..hash.len() {
        let mut digits = hash.clone().into_bytes();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        let refused = approve(&server, &id, std::str::from_utf8(&digits).unwrap());
        assert_eq!(refused.status, 412, "digit {at}: {}", refused.text());
    }
    assert_eq!(server.intent(&id)["state"], "awaiting_approval");
    assert_eq!(tip(&server), before);
    assert!(approve(&server, &id, &hash).status < 300);
    is_applied_as(&server, &id, &hash);
}

#[test]
fn the_hash_of_another_intents_plan_is_not_taken() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    // The same words by the same requester: still another plan, because it is another intent's.
    let other = server.submit_until("scale o-cu-up to 20 in ns ran-a", "awaiting_approval");
    let (other_id, other_hash) = (text(&other["id"]), text(&other["plan"]["hash"]));
    assert_eq!(approve(&server, &id, &other_hash).status, 412);
    assert_eq!(approve(&server, &other_id, &hash).status, 412);
    assert_eq!(approve(&server, "01aaaaaaaaaaaaaaaaaaaaaaaa", &hash).status, 404);
    assert_eq!(carried_out(&server.path("packages.git"), &id), [""; 0]);
    assert_eq!(carried_out(&server.path("packages.git"), &other_id), [""; 0]);
}

#[test]
fn what_does_not_wait_for_a_yes_cannot_get_one() {
    let server = Server::start();
    let before = tip(&server);
    let (cancelled, first) = waiting(&server);
    assert!(act(&server, &cancelled, "cancel", &json!({})).status < 300);
    let (rejected, second) = waiting(&server);
    assert!(act(&server, &rejected, "reject", &json!({"reason": "not tonight"})).status < 300);
    let asked = text(&server.submit_until("scale up the upf in ns ran-a", "needs_answer")["id"]);
    let refused = text(&server.submit_until("scale upf to 1000 in ns ran-a", "refused")["id"]);
    for (id, state, hash) in [
        (&cancelled, "cancelled", &first),
        (&rejected, "refused", &second),
        (&asked, "needs_answer", &first),
        (&refused, "refused", &first),
    ] {
        let answer = approve(&server, id, hash);
        assert_eq!(answer.status, 409, "{state}: {}", answer.text());
        assert!(answer.json()["detail"].as_str().unwrap().contains(state), "{}", answer.text());
        assert_eq!(server.intent(id)["state"], state);
    }
    // Nor can what has ended be ended again.
    for end in ["cancel", "reject", "answer", "retry", "rollback"] {
        let body = match end {
            "reject" => json!({"reason": "again"}),
            "answer" => json!({"text": "5"}),
            _ => json!({}),
        };
        assert_eq!(act(&server, &cancelled, end, &body).status, 409, "{end}");
    }
    assert_eq!(tip(&server), before);
    let (id, hash) = waiting(&server);
    assert!(approve(&server, &id, &hash).status < 300);
    is_applied_as(&server, &id, &hash);
    assert_eq!(approve(&server, &id, &hash).status, 409, "a second yes");
}

#[test]
fn an_answer_makes_a_plan_that_needs_its_own_yes() {
    let server = Server::start();
    let asked = text(&server.submit_until("scale up the upf in ns ran-a", "needs_answer")["id"]);
    assert!(act(&server, &asked, "answer", &json!({"text": "20"})).status < 300);
    let waits = server.intent_in(&asked, "awaiting_approval");
    assert!(approve(&server, &asked, &text(&waits["plan"]["hash"])).status < 300);
    server.intent_in(&asked, "applied");
}

#[test]
fn an_approval_comes_too_late_after_the_deadline() {
    let server = Server::start();
    let before = tip(&server);
    let deadline = Timestamp::now() + SignedDuration::from_millis(2500);
    let answer = server.post_json("/api/v1/intents", &json!({"text": WORDS, "deadline": deadline}));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = text(&answer.json()["id"]);
    let waits = server.intent_in(&id, "awaiting_approval");
    server.intent_in(&id, "expired");
    assert!(Timestamp::now() >= deadline, "it expired before its time");
    let late = approve(&server, &id, &text(&waits["plan"]["hash"]));
    assert_eq!(late.status, 409, "{}", late.text());
    assert_eq!(tip(&server), before);
}

#[test]
fn an_approval_is_void_after_its_time() {
    let server = Server::with(options("guard: {approval: {ttl: 1s}}\n"));
    let before = tip(&server);
    let (id, hash) = waiting(&server);
    assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
    let approved = approve(&server, &id, &hash);
    assert!(approved.status < 300, "{}", approved.text());
    let until: Timestamp = text(&approved.json()["approval"]["until"]).parse().unwrap();
    within_patience("the approval's time is over", || (Timestamp::now() > until).then_some(()));
    assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
    server.intent_in(&id, "awaiting_approval");
    assert_eq!(tip(&server), before);
}

#[test]
fn an_approval_outlives_a_kill() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
    assert!(approve(&server, &id, &hash).status < 300);
    let folder = server.kill();
    let server = Server::on(folder, Options::default());
    is_applied_as(&server, &id, &hash);
}

#[test]
fn an_approval_is_void_when_the_guard_was_configured_anew_meanwhile() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
    assert!(approve(&server, &id, &hash).status < 300);
    let before = tip(&server);
    let (_, folder) = server.stop();
    let server = Server::on(folder, options("guard: {max_replicas: 50}\n"));
    let other = waits_for_approval_with_another_plan(&server, &id, &hash);
    assert_eq!(tip(&server), before);
    assert!(approve(&server, &id, &other).status < 300);
    is_applied_as(&server, &id, &other);
}

#[test]
fn who_said_yes_is_in_the_record_the_commit_and_the_trail() {
    let server = Server::start();
    let (id, hash) = waiting(&server);
    let said =
        act(&server, &id, "approve", &json!({"plan_hash": hash, "comment": "agreed with the core team"}));
    assert!(said.status < 300, "{}", said.text());
    is_applied_as(&server, &id, &hash);
    let record = server.intent(&id);
    assert_eq!(record["approval"]["plan"], hash);
    assert_eq!(record["approval"]["comment"], "agreed with the core team");
    let message = git(&server.path("packages.git"), &["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("\nNephoran-Approved-By: local\n"), "{message}");
    assert!(!message.contains("core team"), "a person's words are in the commit: {message}");
    let trail = server.get(&format!("/api/v1/intents/{id}/audit")).json();
    let entry = trail["items"].as_array().unwrap().iter().find(|entry| entry["kind"] == "approve");
    let entry = entry.unwrap_or_else(|| panic!("no approval in {trail:#}"));
    assert_eq!(entry["body"]["plan"], hash);
    assert_eq!(entry["body"]["waiver"], "self-approved, no authentication");
}

// ---- Records that somebody altered ---------------------------------------------------------------

/// Something that differs from what was approved.
type Mutation = (&'static str, fn(&mut Value, i64));

const MUTATIONS: &[Mutation] = &[
    ("more replicas", |record, by| *after(record) = json!(20 + by)),
    ("another number before", |record, by| *edit(record, "before") = json!(9 + by)),
    ("another blob", |record, by| *edit(record, "blob") = json!(format!("{by:040x}"))),
    ("another file", |record, _| *edit(record, "file") = json!("core5g/udm/udm.yaml")),
    ("a file outside", |record, _| *edit(record, "file") = json!("../../etc/passwd")),
    ("another field", |record, _| *edit(record, "field") = json!("spec.minReadySeconds")),
    ("another document", |record, by| *edit(record, "document") = json!(by)),
    ("another target", |record, _| *step(record, "target", "name") = json!("udm")),
    ("another namespace", |record, _| *step(record, "target", "namespace") = json!("elsewhere")),
    ("another package", |record, _| *step(record, "target", "package") = json!("core5g/udm")),
    ("another action", |record, _| record["plan"]["steps"][0]["action"] = json!("retire")),
    ("another repository", |record, _| record["plan"]["steps"][0]["repository"] = json!("other")),
    ("another step's id", |record, by| record["plan"]["steps"][0]["id"] = json!((1 + by).to_string())),
    ("a step twice", |record, _| {
        let again = record["plan"]["steps"][0].clone();
        record["plan"]["steps"].as_array_mut().unwrap().push(again);
    }),
    ("no step", |record, _| record["plan"]["steps"] = json!([])),
    ("fewer edits", |record, _| {
        record["plan"]["steps"][0]["edits"].as_array_mut().unwrap().truncate(1);
        *after(record) = json!(21);
    }),
    ("another hash", |record, by| record["plan"]["hash"] = json!(format!("{by:064x}"))),
    ("an approval of another plan", |record, by| record["approval"]["plan"] = json!(format!("{by:064x}"))),
    ("an approval whose time is over", |record, by| {
        let over = Timestamp::now() - SignedDuration::from_secs(by);
        record["approval"]["until"] = json!(over);
    }),
    ("no approval", |record, _| record["approval"] = Value::Null),
    ("another requester", |record, _| record["requester"] = json!("somebody")),
    ("another generation", |record, by| record["generation"] = json!(1 + by)),
    ("another wish", |record, by| {
        record["proposal"]["actions"][0]["replicas"]["to"] = json!(20 + by);
    }),
    ("another wish and plan", |record, by| {
        record["proposal"]["actions"][0]["replicas"]["to"] = json!(20 + by);
        *after(record) = json!(20 + by);
    }),
    ("another plan, approved and hashed as it was", |record, by| {
        *after(record) = json!(20 + by);
        *edit(record, "before") = json!(19 + by);
    }),
];

fn edit<'a>(record: &'a mut Value, field: &str) -> &'a mut Value {
    &mut record["plan"]["steps"][0]["edits"][0][field]
}

fn after(record: &mut Value) -> &mut Value {
    edit(record, "after")
}

fn step<'a>(record: &'a mut Value, part: &str, field: &str) -> &'a mut Value {
    &mut record["plan"]["steps"][0][part][field]
}

/// Changes the stored record of an intent as somebody with access to the file could.
fn alter(data: &Path, id: &str, mutate: impl Fn(&mut Value)) {
    let database = rusqlite::Connection::open(data.join("nephoran.db")).unwrap();
    let (seq, body): (i64, Vec<u8>) = database
        .query_row(
            "SELECT intents.seq, records.body FROM intents JOIN records USING (seq) WHERE intents.id = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let mut record: Value = serde_json::from_slice(&body).unwrap();
    let before = record.clone();
    mutate(&mut record);
    assert_ne!(record, before, "the mutation changes nothing");
    let body = serde_json::to_vec(&record).unwrap();
    database.execute("UPDATE records SET body = ?2 WHERE seq = ?1", rusqlite::params![seq, body]).unwrap();
}

/// One approved intent: its id, its plan's hash, the file it changes.
struct Approved {
    id: String,
    hash: String,
    file: String,
}

#[test]
fn fifty_mutations_of_an_approved_plan_never_run() {
    let targets =
        [("upf", "ran-a"), ("o-cu-up", "ran-a"), ("o-cu-cp", "ran-a"), ("amf", "core5g"), ("smf", "core5g")];
    let server = Server::start();
    let mut approved = Vec::new();
    for (name, namespace) in targets {
        let words = format!("scale {name} to 20 in ns {namespace}");
        let waits = server.submit_until(&words, "awaiting_approval");
        let step = &waits["plan"]["steps"][0];
        approved.push(Approved {
            id: text(&waits["id"]),
            hash: text(&waits["plan"]["hash"]),
            file: text(&step["file"]),
        });
    }
    assert_eq!(server.post_json("/api/v1/admin/pause", &json!({})).status, 200);
    for one in &approved {
        assert!(approve(&server, &one.id, &one.hash).status < 300);
    }
    let (_, original) = server.stop();
    let bare = original.path().join("packages.git");
    let before: Vec<String> =
        approved.iter().map(|one| git(&bare, &["show", &format!("main:{}", one.file)])).collect();

    let cases: Vec<(&Mutation, i64)> =
        [1, 7].into_iter().flat_map(|by| MUTATIONS.iter().map(move |mutation| (mutation, by))).collect();
    assert!(cases.len() >= 50, "{} mutations", cases.len());
    for group in cases.chunks(targets.len()) {
        let folder = tempfile::tempdir().unwrap();
        copy(original.path(), folder.path());
        for (((_, mutate), by), one) in group.iter().zip(&approved) {
            alter(&folder.path().join("data"), &one.id, |record| mutate(record, *by));
        }
        let server = Server::on(folder, Options::default());
        for ((((what, _), by), one), before) in group.iter().zip(&approved).zip(&before) {
            let rested = server.until(&format!("the intent with {what} rests"), || {
                let record = server.intent(&one.id);
                let moving = ["received", "translating", "planned", "applying"];
                (!moving.iter().any(|state| record["state"] == *state)).then_some(record)
            });
            let content = server.packaged(&one.file);
            let ran = carried_out(&server.path("packages.git"), &one.id);
            if ran.is_empty() {
                assert_eq!(content, *before, "{what} ({by}) changed the file without a commit of its own");
            } else {
                // The altered plan was thrown away, and planned anew it came out as it was approved.
                assert_eq!(ran, [one.hash.as_str()], "{what} ({by}): another plan ran: {rested:#}");
                assert!(content.contains("replicas: 20"), "{what} ({by}): {content}");
            }
        }
        let commits = git(&server.path("packages.git"), &["rev-list", "--count", "main"]);
        assert!(commits.trim().parse::<usize>().unwrap() <= 1 + targets.len());
        git(&server.path("packages.git"), &["fsck", "--strict"]);
    }
}
