//! The table of states: what must never be possible, and what always must.

use std::collections::HashSet;

use jiff::Timestamp;
use nephoran_model::fulfilment::Fulfilment;
use nephoran_model::intent::{Change, Constraints, Intent, IntentId, Request, Source, State};
use nephoran_model::proposal::Priority;
use proptest::prelude::*;

/// Every state that can come after `from`, by any number of moves.
fn reachable(from: State) -> HashSet<State> {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(state) = open.pop() {
        for next in state.next() {
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    seen
}

#[test]
fn nothing_leaves_an_end() {
    for state in State::ALL.into_iter().filter(|state| state.is_end()) {
        assert_eq!(state.next(), &[], "{state}");
    }
}

#[test]
fn every_state_that_is_no_end_can_reach_one() {
    for state in State::ALL.into_iter().filter(|state| !state.is_end()) {
        assert!(reachable(state).iter().any(|other| other.is_end()), "{state}");
    }
}

#[test]
fn every_state_is_reached_from_received() {
    let reached = reachable(State::Received);
    for state in State::ALL.into_iter().filter(|state| *state != State::Received) {
        assert!(reached.contains(&state), "{state}");
    }
}

#[test]
fn no_move_is_listed_twice_and_nothing_is_received_again() {
    for state in State::ALL {
        let distinct: HashSet<_> = state.next().iter().collect();
        assert_eq!(distinct.len(), state.next().len(), "{state}");
        assert!(!state.may_become(State::Received), "{state}");
    }
}

#[test]
fn a_change_is_written_only_by_way_of_a_plan() {
    let before = |wanted: State| -> Vec<State> {
        State::ALL.into_iter().filter(|state| state.may_become(wanted)).collect()
    };
    // Not from awaiting_approval: an approved plan is planned and reviewed once more.
    assert_eq!(before(State::Applying), [State::Planned]);
    assert_eq!(before(State::AwaitingMerge), [State::Applying]);
    assert_eq!(
        before(State::Applied),
        [State::Planned, State::Applying, State::AwaitingMerge, State::Fulfilled, State::Degraded]
    );
    assert_eq!(before(State::RolledBack), [State::Applied, State::Fulfilled, State::Degraded]);
}

#[test]
fn what_is_in_the_repository_is_not_called_off() {
    for state in State::ALL.into_iter().filter(|state| state.is_committed()) {
        for other in [State::Cancelled, State::Expired, State::Refused, State::Failed, State::Answered] {
            assert!(!state.may_become(other), "{state} -> {other}");
        }
    }
    // Nor what is just being written: whether it is there is found out first.
    for other in [State::Cancelled, State::Expired, State::Superseded] {
        assert!(!State::Applying.may_become(other), "applying -> {other}");
    }
}

#[test]
fn a_person_can_call_off_whatever_waits_for_one() {
    for state in [State::NeedsAnswer, State::AwaitingApproval, State::AwaitingMerge, State::Planned] {
        assert!(state.may_become(State::Cancelled), "{state}");
        assert!(state.may_become(State::Expired), "{state}");
        assert!(state.may_become(State::Superseded), "{state}");
    }
}

#[test]
fn a_word_names_one_state() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(State::ALL.iter().collect::<HashSet<_>>().len(), State::ALL.len());
}

fn intent() -> Intent {
    Intent {
        id: IntentId::parse("i-1").unwrap(),
        version: 1,
        generation: 1,
        state: State::Received,
        hold: None,
        priority: Priority::Normal,
        source: Source::Http,
        requester: "author".into(),
        created_at: Timestamp::UNIX_EPOCH,
        deadline: None,
        not_before: None,
        request: Request::Text("scale upf to 5".into()),
        change: Change::default(),
        constraints: Constraints::default(),
        parent: None,
        file: None,
        correlation_id: None,
        traceparent: None,
        answers: vec![],
        history: vec![],
        proposal: None,
        translator: None,
        plan: None,
        findings: vec![],
        question: None,
        approval: None,
        understanding: None,
        outcomes: vec![],
        fulfilment: Fulfilment::default(),
        answer: None,
        superseded_by: None,
        supersedes: vec![],
        attempts: 0,
        retry_at: None,
    }
}

proptest! {
    #[test]
    fn a_walk_through_the_states_is_remembered_and_an_illegal_move_leaves_no_trace(
        wishes in proptest::collection::vec(proptest::sample::select(State::ALL.to_vec()), 0..40),
    ) {
        let mut intent = intent();
        let mut walked = vec![];
        for wish in wishes {
            let before = intent.clone();
            match intent.enter(wish, "because", "operator", Timestamp::UNIX_EPOCH) {
                Ok(()) => {
                    prop_assert!(before.state.may_become(wish));
                    walked.push(wish);
                    prop_assert_eq!(intent.state, wish);
                    prop_assert_eq!(intent.hold, None);
                }
                Err(illegal) => {
                    prop_assert_eq!((illegal.from, illegal.to), (before.state, wish));
                    prop_assert!(!before.state.may_become(wish));
                    prop_assert_eq!(&intent, &before);
                }
            }
            prop_assert_eq!(intent.history.iter().map(|one| one.state).collect::<Vec<_>>(), walked.clone());
        }
    }
}
