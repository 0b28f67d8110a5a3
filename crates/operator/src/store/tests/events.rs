//! Who listens learns of each move once it is on disk, and can go on where it stopped.

use super::*;
use crate::store::events;

#[tokio::test]
async fn each_move_is_told_once_in_order_and_only_when_it_can_be_read() {
    let folder = Folder::new();
    let store = folder.open();
    let mut events = store.subscribe();
    store.accept(intent(1), None, None).await.unwrap();
    let event = events.recv().await.unwrap();
    assert_eq!((event.seq, &event.id, event.state), (1, &id(1), State::Received));
    assert_eq!(event.at, intent(1).created_at);
    let read = stored(&store, &event.id).await;
    assert_eq!(read.state, State::Received);

    // Two moves in one write are two events.
    let twice = moved(moved(read, State::Translating, "claimed"), State::Refused, "out of scope");
    store.advance(twice, vec![]).await.unwrap();
    let (first, second) = (events.recv().await.unwrap(), events.recv().await.unwrap());
    assert_eq!((first.seq, first.state), (2, State::Translating));
    assert_eq!((second.seq, second.state), (3, State::Refused));
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_write_that_failed_is_no_event() {
    let folder = Folder::new();
    let store = folder.open();
    store.accept(intent(1), None, None).await.unwrap();
    let mut events = store.subscribe();
    assert!(store.accept(intent(1), None, None).await.is_err());
    assert!(store.advance(moved(intent(1), State::Cancelled, "stale"), vec![]).await.is_err());
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn who_was_away_is_told_what_it_missed_also_over_a_restart() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 1..=5 {
        store.accept(intent(number), None, None).await.unwrap();
    }
    let missed = |store: &Store, seq| {
        store.events_after(seq).map(|events| events.into_iter().map(|event| event.seq).collect::<Vec<_>>())
    };
    assert_eq!(missed(&store, 0), Some(vec![1, 2, 3, 4, 5]));
    assert_eq!(missed(&store, 3), Some(vec![4, 5]));
    assert_eq!(missed(&store, 5), Some(vec![]));
    assert_eq!(missed(&store, 6), None, "it was never said");
    let before = store.events_after(0).unwrap();
    store.close().await;

    let store = folder.open();
    assert_eq!(store.events_after(0), Some(before));
    store.accept(intent(6), None, None).await.unwrap();
    assert_eq!(missed(&store, 4), Some(vec![5, 6]));
}

#[test]
fn who_was_away_too_long_is_told_to_begin_anew() {
    let event = |seq| Event { seq, id: id(1), state: State::Planned, at: Timestamp::UNIX_EPOCH };
    let remembered = events::REMEMBERED as u64;
    let events = Events::new(vec![], 0);
    let head = remembered + 10;
    events.publish((1..=head).map(event).collect());
    assert_eq!(events.after(9, head), None);
    let after = events.after(10, head).unwrap();
    assert_eq!((after.len() as u64, after[0].seq), (remembered, 11));
}
