//! Every kind of broken endpoint: the request asks, is refused or is told when to come back, and no
//! action comes out that was not said.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use nephoran_llm::{Api, ApiKey, Ended, Error, Settings};
use nephoran_model::proposal::{Missing, Proposal};
use nephoran_sim::model::{Reply, Script, ScriptedModel};
use serde_json::json;
use support::{answer_for, ask, translator};

const WORDS: &str = "scale upf to 5 in ns ran-a";

fn right() -> serde_json::Value {
    answer_for(WORDS)
}

fn asks(proposal: &Proposal) -> bool {
    matches!(proposal, Proposal::Clarify(clarify)
        if clarify.missing == [Missing::Action] && clarify.question.is_some())
}

#[tokio::test]
async fn a_right_answer_becomes_the_proposal_in_both_protocols() {
    for api in [Api::OpenAi, Api::Ollama] {
        let server = ScriptedModel::start(Script::json(right()));
        let translator = translator(Settings { api, ..Settings::new(server.url(), "m") });
        let understood = translator.translate(&ask(WORDS)).await.unwrap();
        assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
        let origin = &understood.origin;
        assert_eq!((origin.model.as_str(), origin.calls, origin.shared), ("m", 1, false));
        assert_eq!(origin.endpoint, server.address().to_string());
        assert_eq!(origin.prompt_version, nephoran_llm::prompt_version());
        assert!(origin.prompt_tokens > 0 && origin.completion_tokens > 0);
        let seen = &server.seen()[0];
        assert_eq!(seen.words, WORDS);
        assert!(seen.schema.is_some());
        assert_eq!(translator.stats().ended(Ended::Actions), 1);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_asked_for_once_more_with_its_errors_and_then_asks_the_author() {
    for (name, script) in [
        ("broken JSON", Script::broken_json()),
        ("duplicate keys", Script::duplicate_keys()),
        ("cut by the limit of tokens", Script::truncated(right())),
        ("ten megabytes", Script::huge(10 << 20)),
        ("prose", Script::text("Sure! Here is the plan: scale upf to 9.")),
        ("spaces without end", Script::text(" ".repeat(100_000))),
        ("nothing", Script::text("")),
        ("a wrong shape", Script::json(json!({"outcome": "actions", "actions": [{"action": "explode"}]}))),
        ("two documents", Script::text(format!("{}{}", right(), right()))),
    ] {
        for api in [Api::OpenAi, Api::Ollama] {
            let server = ScriptedModel::start(script.clone());
            let translator = translator(Settings { api, ..Settings::new(server.url(), "m") });
            let understood = translator.translate(&ask(WORDS)).await.unwrap();
            assert!(asks(&understood.proposal), "{name}: {:?}", understood.proposal);
            assert_eq!(understood.origin.calls, 2, "{name}");
            let stats = translator.stats();
            assert_eq!((stats.repairs, stats.invalid, stats.repeats), (1, 2, 0), "{name}");
            let seen = server.seen();
            assert!(seen[1].prompt.contains("\"errors\":["), "{name}");
            assert_eq!(seen[1].words, WORDS, "{name}");
        }
    }
}

#[tokio::test]
async fn a_repaired_answer_is_taken() {
    let server = ScriptedModel::start(Script::sequence([
        Reply::Text("{\"outcome\":\"actions\",\"actions\":[]}".to_owned()),
        Reply::Text(right().to_string()),
    ]));
    let translator = translator(Settings::new(server.url(), "m"));
    let understood = translator.translate(&ask(WORDS)).await.unwrap();
    assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
    assert_eq!(understood.origin.calls, 2);
}

#[tokio::test]
async fn missing_quotes_may_be_handed_in_once_and_other_values_may_not() {
    let mut bare = right();
    bare["evidence"] = json!([]);
    let server = ScriptedModel::start(Script::sequence([
        Reply::Text(bare.to_string()),
        Reply::Text(right().to_string()),
    ]));
    let settings = Settings::new(server.url(), "m");
    let understood = translator(settings.clone()).translate(&ask(WORDS)).await.unwrap();
    assert_eq!(understood.proposal, nephoran_grammar::translate(WORDS));
    assert_eq!(understood.origin.calls, 2);
    server.set(Script::json(bare));
    let understood = translator(settings.clone()).translate(&ask(WORDS)).await.unwrap();
    assert!(asks(&understood.proposal));
    let mut other = right();
    other["actions"][0]["replicas"]["to"] = json!(6);
    server.set(Script::sequence([Reply::Text(other.to_string()), Reply::Text(right().to_string())]));
    let understood = translator(settings).translate(&ask(WORDS)).await.unwrap();
    assert!(asks(&understood.proposal), "a lie is not asked for again");
    assert_eq!(understood.origin.calls, 1);
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_the_endpoints_failure() {
    for script in [Script::cut(right()), Script::html(), Script::error(500), Script::odd_error(502)] {
        let server = ScriptedModel::start(script);
        let translator = translator(Settings::new(server.url(), "m"));
        let error = translator.translate(&ask(WORDS)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_) | Error::Rejected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_is_told_with_what_to_change() {
    for (script, expected) in [
        (Script::json(right()).key("right"), "translate.model.api_key_file"),
        (Script::error(404), "translate.model.name"),
        (Script::error(400), "JSON schema"),
        (Script::html(), "translate.model.endpoint"),
    ] {
        let server = ScriptedModel::start(script);
        let settings = Settings { api_key: Some(ApiKey::new("wrong")), ..Settings::new(server.url(), "m") };
        let translator = translator(settings);
        match translator.translate(&ask(WORDS)).await {
            Err(Error::Rejected(why)) => {
                assert!(why.contains(expected), "{why}");
                assert!(!why.contains("wrong"), "{why}");
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
    let server = ScriptedModel::start(Script::json(right()).key("right"));
    let settings = Settings { api_key: Some(ApiKey::new("right\n")), ..Settings::new(server.url(), "m") };
    assert!(translator(settings).translate(&ask(WORDS)).await.is_ok());
}

#[tokio::test]
async fn a_full_server_says_when_to_come_back() {
    let server = ScriptedModel::start(Script::error(429));
    let translator = translator(Settings::new(server.url(), "m"));
    let error = translator.translate(&ask(WORDS)).await.unwrap_err();
    assert!(
        matches!(error, Error::Away { retry_after } if retry_after >= Duration::from_secs(1)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_stalls_or_drips_is_left_at_the_limit() {
    for script in [Script::stall(), Script::drip(right())] {
        let server = ScriptedModel::start(script);
        let settings = Settings {
            header_timeout: Duration::from_millis(300),
            call_timeout: Duration::from_millis(300),
            ..Settings::new(server.url(), "m")
        };
        let translator = translator(settings);
        let error = translator.translate(&ask(WORDS)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
        let mut late = ask(WORDS);
        late.deadline = Some(tokio::time::Instant::now() + Duration::from_millis(100));
        assert_eq!(translator.translate(&late).await.unwrap_err(), Error::Late);
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_repeats_stay_within_a_fifth() {
    let server = ScriptedModel::start(Script::json(right()));
    let url = server.url();
    server.stop();
    let translator = translator(Settings { share: false, ..Settings::new(url, "m") });
    for _ in 0..20 {
        let error = translator.translate(&ask(WORDS)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_) | Error::Away { .. }), "{error:?}");
    }
    let stats = translator.stats();
    assert!(stats.calls <= 24, "{stats:?}");
    assert!(stats.repeats <= 4, "{stats:?}");
}

#[tokio::test]
async fn who_leaves_closes_the_call() {
    let server = ScriptedModel::start(Script::stall());
    let translator = translator(Settings::new(server.url(), "m"));
    let asked = ask(WORDS);
    {
        let mut call = Box::pin(translator.translate(&asked));
        while server.in_flight() == 0 {
            tokio::select! {
                _ = &mut call => panic!("it stalls"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    let begun = std::time::Instant::now();
    while server.in_flight() > 0 || server.open() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the connection stays open");
        tokio::task::yield_now().await;
    }
    assert_eq!(server.cancelled(), 1);
}
