//! A real, weak model behind a real server: what a protocol is like when nobody scripted it, and
//! that nothing wrong gets through. No test here says that its answers are right.
//!
//! `cargo xtask setup` puts it into `target/model-server`; without it these tests say that they skip.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nephoran_grammar::faithful::{Source, evidence_for};
use nephoran_llm::{Ask, Ended, Error, Known, Settings, Understood};
use nephoran_model::proposal::Proposal;
use support::translator;

/// The server's process; it ends with this.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/model-server");
        if !folder.join("installed").exists() {
            println!(
                "SKIPPED: no model server in target/model-server; `cargo xtask setup` installs it where the network allows"
            );
            return None;
        }
        let mut child = Command::new(folder.join("venv/bin/python"))
            .arg(folder.join("serve.py"))
            .arg(folder.join("model.gguf"))
            .arg("0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "the server says where it listens: {line:?}");
        Some(Self { child, url: line.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings(server: &Server) -> Settings {
    Settings {
        cache_entries: 0,
        share: false,
        tokens_per_hour: None,
        max_in_flight: 2,
        max_wait: Duration::from_secs(600),
        header_timeout: Duration::from_secs(120),
        call_timeout: Duration::from_secs(120),
        ..Settings::new(&server.url, "smollm2-135m")
    }
}

/// How many requests the server works on.
async fn working(server: &Server) -> usize {
    let url = format!("{}/slots", server.url);
    let request = http::Request::get(url).body(bytes::Bytes::new()).unwrap();
    let response = support::client().send(request, nephoran_http::Call::default()).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    let slots: serde_json::Value = serde_json::from_slice(&body).unwrap();
    slots.as_array().unwrap().iter().filter(|slot| slot["is_processing"] == true).count()
}

async fn until_idle(server: &Server) -> Duration {
    let begun = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    looks.tick().await;
    while working(server).await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server works on what nobody waits for");
        looks.tick().await;
    }
    begun.elapsed()
}

fn known() -> Known {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Known {
        names: words(&["amf", "smf", "upf"]),
        namespaces: words(&["core5g", "ran-a"]),
        ..Known::default()
    }
}

fn ask(words: &str) -> Ask<'_> {
    Ask { known: known(), ..support::ask(words) }
}

/// Whatever a model answers, only what the words say may come out of it.
fn assert_said(words: &str, understood: &Understood) -> &'static str {
    match &understood.proposal {
        Proposal::Actions(actions) => {
            let source = Source { words, answers: &[] };
            assert!(evidence_for(&source, actions).is_some(), "{words}: {actions:?}");
            "said"
        }
        Proposal::Clarify(_) => "asked",
        Proposal::Refuse(_) => "refused",
    }
}

/// One test, one server: to read the prompt for the first time costs it ten seconds.
#[tokio::test]
async fn a_real_model_is_asked_cancelled_and_cut_off_and_nothing_wrong_gets_through() {
    let Some(server) = Server::start() else { return };
    let translator = Arc::new(translator(settings(&server)));

    // Concurrency: two at a time for four, each comes back.
    let begun = Instant::now();
    let words = [
        "please make the upf in ran-a five strong",
        "what about a third amf",
        "the smf, bigger",
        "scale upf to 4 in ns ran-a",
    ];
    let calls: Vec<_> = words
        .into_iter()
        .map(|words| {
            let translator = translator.clone();
            tokio::spawn(async move { (words, translator.translate(&ask(words)).await.unwrap()) })
        })
        .collect();
    for call in calls {
        let (words, understood) = call.await.unwrap();
        assert!(understood.origin.prompt_tokens > 0 && understood.origin.completion_tokens > 0);
        println!("{words}: {} after {} calls", assert_said(words, &understood), understood.origin.calls);
    }
    println!("4 requests, 2 at a time: {:.1} s", begun.elapsed().as_secs_f64());

    // Cancellation: who stops waiting makes the server stop working.
    {
        let asked = ask("and now something else entirely");
        let call = translator.translate(&asked);
        let gone = tokio::time::timeout(Duration::from_millis(1500), call).await;
        assert!(gone.is_err(), "a model of this size is not that fast");
    }
    println!("cancelled: the server was idle {:.1} s later", until_idle(&server).await.as_secs_f64());

    // A deadline does the same, and is the intent's own.
    let deadline = tokio::time::Instant::now() + Duration::from_millis(1500);
    let asked = Ask { deadline: Some(deadline), ..ask("one more thing for the amf") };
    assert_eq!(translator.translate(&asked).await.unwrap_err(), Error::Late);
    assert!(tokio::time::Instant::now() < deadline + Duration::from_secs(1));
    println!("late: the server was idle {:.1} s later", until_idle(&server).await.as_secs_f64());

    // Truncation: HTTP 200 and half a document is no answer.
    let short = support::translator(Settings { max_tokens: 12, ..settings(&server) });
    let understood = short.translate(&ask("make the upf five strong")).await.unwrap();
    assert_eq!(understood.proposal, nephoran_grammar::translate("make the upf five strong"));
    assert_eq!(
        (short.stats().invalid, understood.origin.calls),
        (2, 2),
        "asked, repaired once, then the author"
    );

    println!("all calls: {:?}", translator.stats());
    assert_eq!(translator.stats().ended(Ended::Unreachable), 0);
}
