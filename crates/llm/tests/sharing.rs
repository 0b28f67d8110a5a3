//! What is at hand is not asked for: answers kept, requests shared, budgets and places bounded.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use nephoran_http::{BreakerSettings, BreakerState};
use nephoran_llm::{Ended, Error, Known, Settings};
use nephoran_model::proposal::{Missing, Proposal};
use nephoran_sim::model::{Script, ScriptedModel};
use support::{answer_for, ask, translator};

const WORDS: &str = "scale upf to 5 in ns ran-a";

#[tokio::test]
async fn an_answer_is_given_again_but_never_a_question() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    let translator = translator(Settings::new(server.url(), "m"));
    let first = translator.translate(&ask(WORDS)).await.unwrap();
    let second = translator.translate(&ask(WORDS)).await.unwrap();
    assert_eq!(first.proposal, second.proposal);
    assert_eq!((second.origin.calls, second.origin.prompt_tokens, second.origin.shared), (0, 0, true));
    assert_eq!(second.origin.prompt_version, first.origin.prompt_version);
    assert_eq!(server.requests(), 1);
    for _ in 0..2 {
        let asked = translator.translate(&ask("scale up the upf")).await.unwrap();
        assert_eq!(asked.proposal, nephoran_grammar::translate("scale up the upf"));
    }
    assert_eq!(server.requests(), 3);
    assert_eq!(translator.stats().ended(Ended::Cached), 1);
}

#[tokio::test]
async fn another_inventory_or_another_answer_is_another_request() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    let translator = translator(Settings::new(server.url(), "m"));
    let mut asked = ask(WORDS);
    translator.translate(&asked).await.unwrap();
    asked.known = Known { names: vec!["upf".to_owned()], ..Known::default() };
    translator.translate(&asked).await.unwrap();
    let answers = ["yes".to_owned()];
    asked.answers = &answers;
    translator.translate(&asked).await.unwrap();
    assert_eq!(server.requests(), 3);
    let schema = server.seen()[1].schema.clone().unwrap().to_string();
    assert!(schema.contains(r#"{"enum":["upf"],"type":"string"},{"type":"null"}"#), "{schema}");
}

#[tokio::test]
async fn the_same_request_in_flight_is_asked_once() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    server.stall(true);
    let translator = Arc::new(translator(Settings::new(server.url(), "m")));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let translator = translator.clone();
            tokio::spawn(async move { translator.translate(&ask(WORDS)).await.unwrap() })
        })
        .collect();
    while server.requests() == 0 {
        tokio::task::yield_now().await;
    }
    server.stall(false);
    let mut asked = 0;
    for call in calls {
        let understood = call.await.unwrap();
        assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
        asked += understood.origin.calls;
    }
    assert_eq!((asked, server.requests()), (1, 1));
}

#[tokio::test]
async fn who_waits_for_somebody_who_leaves_asks_in_his_place() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    server.stall(true);
    let translator = Arc::new(translator(Settings::new(server.url(), "m")));
    let spawn = || {
        let translator = translator.clone();
        tokio::spawn(async move { translator.translate(&ask(WORDS)).await.unwrap() })
    };
    let leaves = spawn();
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let stays = spawn();
    tokio::task::yield_now().await;
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    server.stall(false);
    let understood = stays.await.unwrap();
    assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
    assert_eq!(understood.origin.calls, 1);
}

#[tokio::test]
async fn a_spent_budget_stops_its_identity_and_nobody_else() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    let settings = Settings { tokens_per_hour: Some(6_000), ..Settings::new(server.url(), "m") };
    let translator = translator(settings);
    let mut spent = None;
    let words: Vec<String> = (1..100).map(|count| format!("scale upf to {count} in ns ran-a")).collect();
    for words in &words {
        match translator.translate(&ask(words)).await {
            Ok(_) => {}
            Err(Error::Budget { retry_after }) => {
                spent = Some(retry_after);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let retry_after = spent.expect("a hundred requests cost more than the budget");
    assert!(retry_after > Duration::from_secs(3000) && retry_after <= Duration::from_secs(3900));
    let used = translator.stats().prompt_tokens + translator.stats().completion_tokens;
    assert!(used <= 6_000, "{used}");
    // What is at hand costs nothing.
    assert!(translator.translate(&ask(&words[0])).await.is_ok());
    let mut other = ask(&words[98]);
    other.identity = "bo";
    assert!(translator.translate(&other).await.is_ok());
}

#[tokio::test]
async fn no_more_calls_than_places_and_the_wait_for_one_is_bounded() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)));
    server.stall(true);
    let settings = Settings {
        max_in_flight: 2,
        max_wait: Duration::from_millis(200),
        ..Settings::new(server.url(), "m")
    };
    let translator = Arc::new(translator(settings));
    let calls: Vec<_> = (1..=6)
        .map(|count| {
            let translator = translator.clone();
            tokio::spawn(async move {
                translator.translate(&ask(&format!("scale upf to {count} in ns ran-a"))).await
            })
        })
        .collect();
    let mut away = 0;
    let mut answered = 0;
    for (index, call) in calls.into_iter().enumerate().rev() {
        if index == 1 {
            server.stall(false);
        }
        match call.await.unwrap() {
            Ok(_) => answered += 1,
            Err(Error::Away { .. }) => away += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((answered, away), (2, 4));
    assert!(server.most_in_flight() <= 2);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_not_asked_until_it_had_time() {
    let server = ScriptedModel::start(Script::error(500));
    let breaker = BreakerSettings {
        minimum: 4,
        open: Duration::from_millis(200),
        open_at_most: Duration::from_millis(200),
        ..BreakerSettings::default()
    };
    let translator = translator(Settings { breaker, ..Settings::new(server.url(), "m") });
    for count in 0..20 {
        let words = format!("scale upf to {count} in ns ran-a");
        let error = translator.translate(&ask(&words)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_) | Error::Away { .. }), "{error:?}");
    }
    assert_eq!(translator.breaker().state(), BreakerState::Open);
    assert_eq!(server.requests(), 4, "then nobody asked");
    server.set(Script::answering(|asked| answer_for(&asked.words)));
    translator.ready().await;
    let understood = translator.translate(&ask(WORDS)).await.unwrap();
    assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
    assert_eq!(translator.breaker().state(), BreakerState::Closed);
}

#[tokio::test]
async fn answers_that_do_not_hold_leave_the_breaker_closed() {
    let server = ScriptedModel::start(Script::broken_json());
    let translator = translator(Settings::new(server.url(), "m"));
    for count in 0..20 {
        let words = format!("scale upf to {count} in ns ran-a");
        let understood = translator.translate(&ask(&words)).await.unwrap();
        assert!(
            matches!(understood.proposal, Proposal::Clarify(clarify) if clarify.missing == [Missing::Action])
        );
    }
    assert_eq!(translator.breaker().state(), BreakerState::Closed);
}

#[tokio::test]
async fn the_servers_count_of_tokens_is_what_is_spent() {
    let server = ScriptedModel::start(Script::answering(|asked| answer_for(&asked.words)).without_usage());
    let translator = translator(Settings::new(server.url(), "m"));
    let understood = translator.translate(&ask(WORDS)).await.unwrap();
    // Without one, our estimate is.
    assert!(understood.origin.prompt_tokens > 1_000, "{:?}", understood.origin);
    assert!(understood.origin.completion_tokens > 50, "{:?}", understood.origin);
}
