//! The audit trail tells what happened, and any later change to it shows.

use serde_json::json;

use super::*;
use crate::store::audit;

/// A store with ten entries, closed; and their head.
async fn ten_entries() -> (Folder, AuditHead) {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..8 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    let translating = moved(stored(&store, &id(3)).await, State::Translating, "claimed");
    store.advance(translating, vec![]).await.unwrap();
    store.audit_record("started", "operator", json!({"configuration": "abc"})).await.unwrap();
    let head = store.audit_head();
    assert_eq!(head.sequence, 10);
    store.close().await;
    (folder, head)
}

async fn verify(folder: &Folder, known: Vec<AuditHead>) -> Verification {
    let store = folder.open();
    let verification = store.verify_audit(known).await.unwrap();
    store.close().await;
    verification
}

#[tokio::test]
async fn each_move_and_each_note_is_told_in_order() {
    let folder = Folder::new();
    let store = folder.open();
    store.audit_record("started", "operator", json!({"configuration": "abc"})).await.unwrap();
    store.accept(intent(1), None, None).await.unwrap();
    store.accept(intent(2), None, None).await.unwrap();
    let note = AuditNote { kind: "answered", actor: "ann".into(), body: json!({"text": "5"}) };
    let next = moved(stored(&store, &id(1)).await, State::Translating, "claimed");
    let advanced = store.advance(next, vec![note]).await.unwrap();

    let entries = store.audit(Some(&id(1)), 0, 100).await.unwrap();
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.sequence, entry.kind.as_str(), entry.actor.as_deref())).collect();
    assert_eq!(
        told,
        [(2, "state", Some("local")), (4, "answered", Some("ann")), (5, "state", Some("operator"))]
    );
    assert_eq!(entries[0].body, Some(json!({"state": "received", "cause": "accepted"})));
    assert_eq!(entries[2].body, Some(json!({"state": "translating", "cause": "claimed"})));
    assert_eq!(advanced.audit.to_string(), format!("5:{}", entries[2].hash));
    assert_eq!(advanced.audit.to_string().parse(), Ok(advanced.audit));

    let all = store.audit(None, 0, 100).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let page = store.audit(None, 2, 2).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [3, 4]);
    let page = store.audit(Some(&id(1)), 2, 1).await.unwrap();
    assert_eq!(page.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn an_untouched_trail_verifies_and_goes_on_over_restarts() {
    let (folder, head) = ten_entries().await;
    let store = folder.open();
    store.accept(intent(100), None, None).await.unwrap();
    let verification = store.verify_audit(vec![head]).await.unwrap();
    assert!(verification.is_sound(), "{:?}", verification.faults);
    assert_eq!((verification.entries, verification.erased), (11, 0));
    assert_eq!(verification.head, store.audit_head());
}

#[tokio::test]
async fn a_change_to_any_field_of_an_entry_shows() {
    for change in [
        "at = at + 1",
        "kind = 'stat'",
        "kind = kind || char(0)",
        "intent = 'i000005'",
        "intent = NULL",
        "previous = 1",
        "digest = zeroblob(32)",
        "hash = zeroblob(32)",
        "salt = zeroblob(16)",
        "salt = NULL",
        "words = NULL",
        "words = NULL",
        "words = CAST(replace(CAST(words AS TEXT), 'local', 'lodal') AS BLOB)",
        "digest = x'00'",
    ] {
        let (folder, _) = ten_entries().await;
        folder.tamper(&format!("UPDATE audit SET {change} WHERE sequence = 4"));
        let verification = verify(&folder, vec![]).await;
        assert!(!verification.is_sound(), "{change} was not noticed");
        assert!(verification.faults[0].sequence.abs_diff(4) <= 1, "{change}: {:?}", verification.faults);
    }
}

#[tokio::test]
async fn a_change_of_any_single_byte_shows() {
    let (folder, head) = ten_entries().await;
    let connection = rusqlite::Connection::open(folder.database()).unwrap();
    let mut changed = 0;
    for column in ["kind", "intent", "digest", "hash", "salt", "words"] {
        let is_text = matches!(column, "kind" | "intent");
        let read = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE sequence = 4");
        let bytes: Vec<u8> = connection.query_row(&read, [], |row| row.get(0)).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            // Stays ASCII, so that text stays text.
            other[at] ^= 1;
            connection.execute_batch("BEGIN").unwrap();
            let value = if is_text { "CAST(?1 AS TEXT)" } else { "?1" };
            connection
                .execute(&format!("UPDATE audit SET {column} = {value} WHERE sequence = 4"), [other])
                .unwrap();
            let verification = audit::verify(&connection, &[head]).unwrap();
            assert!(!verification.is_sound(), "byte {at} of {column} was changed");
            connection.execute_batch("ROLLBACK").unwrap();
            changed += 1;
        }
    }
    assert!(changed > 150, "{changed}");
    assert!(audit::verify(&connection, &[head]).unwrap().is_sound(), "nothing of it stayed");
}

#[tokio::test]
async fn an_entry_that_was_removed_or_put_elsewhere_shows() {
    let (folder, _) = ten_entries().await;
    folder.tamper("DELETE FROM audit WHERE sequence = 4");
    let verification = verify(&folder, vec![]).await;
    assert!(verification.faults[0].what.contains("missing"), "{:?}", verification.faults);

    let (folder, _) = ten_entries().await;
    folder.tamper(
        "UPDATE audit SET sequence = 99 WHERE sequence = 4;
         UPDATE audit SET sequence = 4 WHERE sequence = 5;
         UPDATE audit SET sequence = 5 WHERE sequence = 99;",
    );
    assert!(!verify(&folder, vec![]).await.is_sound());
}

#[tokio::test]
async fn a_tail_that_was_cut_shows_against_a_head_that_somebody_else_knows() {
    let (folder, head) = ten_entries().await;
    folder.tamper(
        "DELETE FROM audit WHERE sequence > 8;
         UPDATE intents SET last_audit = 1 WHERE last_audit > 8;",
    );
    // The shorter chain is sound in itself.
    assert!(verify(&folder, vec![]).await.is_sound());
    let verification = verify(&folder, vec![head]).await;
    assert_eq!(verification.faults.len(), 1);
    assert_eq!(verification.faults[0].sequence, 10);
}

#[tokio::test]
async fn a_tail_that_was_cut_shows_in_the_records_that_name_it() {
    let (folder, _) = ten_entries().await;
    folder.tamper("DELETE FROM audit WHERE sequence > 8");
    let verification = verify(&folder, vec![]).await;
    assert!(verification.faults[0].what.contains("record names it"), "{:?}", verification.faults);
}

#[tokio::test]
async fn a_chain_that_was_made_anew_shows_against_a_known_head() {
    let (folder, head) = ten_entries().await;
    let (other, _) = ten_entries().await;
    assert!(verify(&other, vec![]).await.is_sound());
    let verification = verify(&other, vec![head]).await;
    assert!(verification.faults[0].what.contains("known by this number"), "{:?}", verification.faults);
    assert!(verify(&folder, vec![head]).await.is_sound());
}

#[tokio::test]
async fn words_that_were_erased_are_told_as_erased_and_the_chain_holds() {
    let (folder, head) = ten_entries().await;
    folder.tamper("UPDATE audit SET salt = NULL, words = NULL WHERE sequence IN (2, 5)");
    let verification = verify(&folder, vec![head]).await;
    assert!(verification.is_sound(), "{:?}", verification.faults);
    assert_eq!((verification.entries, verification.erased), (10, 2));
    let entries = folder.open().audit(None, 1, 1).await.unwrap();
    assert_eq!((entries[0].sequence, &entries[0].actor, &entries[0].body), (2, &None, &None));
}
