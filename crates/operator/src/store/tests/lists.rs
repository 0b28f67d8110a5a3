//! Lists show what was asked for, newest first, page by page.

use nephoran_model::intent::HoldReason;
use nephoran_model::proposal::{Action, Actions, Proposal, Replicas, Scale, Target};

use super::*;

fn scale(namespace: &str) -> Proposal {
    Proposal::Actions(Actions {
        actions: vec![Action::Scale(Scale {
            target: Target {
                name: Some("upf".into()),
                namespace: Some(namespace.into()),
                ..Target::default()
            },
            replicas: Replicas { to: Some(3), ..Replicas::default() },
        })],
        ..Actions::default()
    })
}

/// Twelve intents: each third in `ran-a`, every other urgent, the first four cancelled.
async fn twelve() -> (Folder, Store) {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..12 {
        let mut new = intent(number);
        if number % 3 == 0 {
            new.request = Request::Proposal(scale("ran-a"));
        }
        if number % 2 == 0 {
            new.priority = Priority::Urgent;
            new.source = Source::Folder;
        }
        store.accept(new, None, None).await.unwrap();
    }
    for number in 0..4 {
        let cancelled = moved(stored(&store, &id(number)).await, State::Cancelled, "not wanted");
        store.advance(cancelled, vec![]).await.unwrap();
    }
    (folder, store)
}

async fn listed(store: &Store, filter: Filter) -> Vec<usize> {
    let mut numbers = Vec::new();
    let mut cursor = None;
    loop {
        // Small pages, so that each list is made of several.
        let page = store.list(filter.clone(), cursor, 2).await.unwrap();
        numbers.extend(page.items.iter().map(|item| item.id.as_str()[1..].parse::<usize>().unwrap()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return numbers;
        }
        assert_eq!(page.items.len(), 2);
    }
}

#[tokio::test]
async fn each_filter_shows_what_it_names_newest_first() {
    let (_folder, store) = twelve().await;
    let any = Filter::default;
    assert_eq!(listed(&store, any()).await, (0..12).rev().collect::<Vec<_>>());
    let cases = [
        (Filter { states: vec![State::Cancelled], ..any() }, vec![3, 2, 1, 0]),
        (Filter { states: vec![State::Received], ..any() }, vec![11, 10, 9, 8, 7, 6, 5, 4]),
        (Filter { states: vec![State::Applied], ..any() }, vec![]),
        (Filter { states: vec![State::Cancelled, State::Received], ..any() }, (0..12).rev().collect()),
        (Filter { namespace: Some("ran-a".into()), ..any() }, vec![9, 6, 3, 0]),
        (Filter { namespace: Some("ran".into()), ..any() }, vec![]),
        (Filter { namespace: Some("%".into()), ..any() }, vec![]),
        (Filter { priority: Some(Priority::Urgent), ..any() }, vec![10, 8, 6, 4, 2, 0]),
        (Filter { source: Some(Source::Http), ..any() }, vec![11, 9, 7, 5, 3, 1]),
        (
            Filter {
                states: vec![State::Received],
                namespace: Some("ran-a".into()),
                priority: Some(Priority::Urgent),
                source: Some(Source::Folder),
            },
            vec![6],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(&store, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_page_begins_where_the_last_one_ended_whatever_came_meanwhile() {
    let (_folder, store) = twelve().await;
    let first = store.list(Filter::default(), None, 5).await.unwrap();
    store.accept(intent(99), None, None).await.unwrap();
    let second = store.list(Filter::default(), first.next_cursor, 100).await.unwrap();
    assert_eq!(second.items[0].id, id(6));
    assert_eq!(second.items.len(), 7);
    assert_eq!(second.next_cursor, None);
}

#[tokio::test]
async fn a_cursor_that_no_list_returned_is_refused() {
    let (_folder, store) = twelve().await;
    for cursor in ["", "x", "1; DROP TABLE intents", "99999999999999999999"] {
        let refused = store.list(Filter::default(), Some(cursor.into()), 5).await;
        assert!(matches!(refused, Err(Error::Cursor)), "{cursor}: {refused:?}");
    }
}

#[tokio::test]
async fn the_live_ones_come_in_order_of_acceptance_with_what_the_queue_needs() {
    let folder = Folder::new();
    let store = folder.open();
    let at = |second| Timestamp::from_second(second).unwrap();
    // Accepted in an order that is neither that of ids nor of clocks.
    for number in [5, 2, 9] {
        let mut new = intent(number);
        new.deadline = Some(at(1_800_000_000));
        new.not_before = Some(at(1_750_000_000));
        store.accept(new, None, None).await.unwrap();
    }
    let mut held = moved(stored(&store, &id(2)).await, State::Translating, "claimed");
    held = moved(held, State::Planned, "planned");
    held.hold = Some(HoldReason::Frozen);
    held.retry_at = Some(at(1_760_000_000));
    store.advance(held, vec![]).await.unwrap();

    let live = store.live().await.unwrap();
    assert_eq!(live.iter().map(|live| live.id.clone()).collect::<Vec<_>>(), [id(5), id(2), id(9)]);
    assert_eq!(
        live[1],
        Live {
            id: id(2),
            state: State::Planned,
            hold: Some(HoldReason::Frozen),
            priority: Priority::Normal,
            created_at: intent(2).created_at,
            deadline: Some(at(1_800_000_000)),
            not_before: Some(at(1_750_000_000)),
            retry_at: Some(at(1_760_000_000)),
        }
    );
}

#[tokio::test]
async fn those_in_given_states_come_in_parts_in_order_of_acceptance() {
    let (_folder, store) = twelve().await;
    for states in [vec![State::Received], vec![State::Received, State::Cancelled], vec![State::Applying]] {
        let mut found = Vec::new();
        let mut after = 0;
        loop {
            let (part, next) = store.in_states(&states, after, 3).await.unwrap();
            assert!(part.len() <= 3);
            if part.is_empty() {
                break;
            }
            after = next;
            found.extend(part);
        }
        let expected: Vec<IntentId> = (0..12)
            .filter(|number| states.contains(if *number < 4 { &State::Cancelled } else { &State::Received }))
            .map(id)
            .collect();
        assert_eq!(found.iter().map(|intent| intent.id.clone()).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn ten_thousand_live_ones_are_listed_in_a_moment() {
    let folder = Folder::new();
    let store = folder.open();
    for thousand in 0..10 {
        let numbers = thousand * 1000..(thousand + 1) * 1000;
        let accepted = numbers.map(|number| store.accept(intent(number), None, None));
        futures_util::future::try_join_all(accepted).await.unwrap();
    }
    let started = std::time::Instant::now();
    assert_eq!(store.live().await.unwrap().len(), 10_000);
    // A tenth of the second that a start may take, even on a busy machine without optimisation.
    assert!(started.elapsed().as_millis() < 1000, "{:?}", started.elapsed());
}
