//! One function for each promise.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::Runtime;

use super::load::{self, Connection, closed_loop, get, post};
use super::operator::{self, Operator};
use super::{Row, millis, quantile};
use nephoran_sim::packages::{self, REPLICAS, git};

type Measure = fn(&Runtime, Duration) -> Vec<Row>;

pub const ALL: &[(&str, Measure)] = &[
    ("grammar", grammar),
    ("accept", accept),
    ("commit, idle", commit_idle),
    ("commit, sustained", commit_sustained),
    ("hot folder", hot_folder),
    ("up --once", once),
    ("start", start),
    ("429", refusal),
];

/// Nothing is claimed, the queue takes all, no limit is on: the accept path alone.
const ACCEPT_ONLY: &str =
    "workers: {paused: true}\nqueue: {total: 1000000}\nlimits: off\ntelemetry: {log: warn}\n";

const WORKING: &str = "limits: off\ntelemetry: {log: warn}\n";

fn grammar(_: &Runtime, _: Duration) -> Vec<Row> {
    let sentences = sentences();
    let mut medians: Vec<Duration> = sentences
        .iter()
        .map(|words| {
            let mut runs: Vec<Duration> = (0..101)
                .map(|_| {
                    let begun = Instant::now();
                    std::hint::black_box(nephoran_grammar::translate(std::hint::black_box(words)));
                    begun.elapsed()
                })
                .collect();
            quantile(&mut runs, 0.5)
        })
        .collect();
    let (p50, p99) = (quantile(&mut medians, 0.5), quantile(&mut medians, 0.99));
    vec![Row {
        name: "grammar",
        promised: "p50 <= 5 us, p99 <= 20 us".into(),
        measured: format!(
            "p50 {:.2} us, p99 {:.2} us over {} sentences",
            p50.as_secs_f64() * 1e6,
            p99.as_secs_f64() * 1e6,
            sentences.len()
        ),
        kept: p50 <= Duration::from_micros(5) && p99 <= Duration::from_micros(20),
        figures: json!({"p50_ns": p50.as_nanos() as u64, "p99_ns": p99.as_nanos() as u64, "sentences": sentences.len()}),
    }]
}

/// The labelled sentences of the grammar's own tests.
fn sentences() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grammar/testdata");
    let mut sentences = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the grammar has test data").flatten() {
        if entry.path().extension().is_some_and(|end| end == "jsonl") {
            let text = std::fs::read_to_string(entry.path()).expect("test data is text");
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                let value: serde_json::Value = serde_json::from_str(line).expect("test data is JSON");
                sentences.push(value["text"].as_str().expect("each has a text").to_owned());
            }
        }
    }
    sentences
}

fn accept(runtime: &Runtime, _: Duration) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    packages::repository(&folder.path().join("packages.git"), 10);
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), ACCEPT_ONLY).await;
        let sync = load::sync_p50(&folder.path().join("data"));
        let address = operator.address.clone();
        let health = |seconds| {
            let address = address.clone();
            async move { closed_loop(&address, 64, Duration::from_secs(seconds), |_| get("/healthz")).await }
        };
        let distinct = |n: usize| {
            post(
                "/api/v1/intents",
                "text/plain",
                &format!("scale app-{} to {} in ns bench-{}", n % 997, n % 89, n / 997),
            )
        };
        health(1).await;
        let health_before = health(4).await.rate();
        let commits = "nephoran_store_commit_seconds_count";
        let commits_before = operator.metric(commits).await;
        let accepted = closed_loop(&address, 64, Duration::from_secs(6), distinct).await;
        let syncs = operator.metric(commits).await - commits_before;
        let health_after = health(4).await.rate();
        let health_rate = f64::midpoint(health_before, health_after);
        let wanted = (0.4 * health_rate).min(0.7 * 64.0 / sync.as_secs_f64());
        let per_sync = accepted.good as f64 / syncs.max(1.0);
        let mut one = closed_loop(&address, 1, Duration::from_secs(3), move |n| distinct(n + 100_000_000)).await;
        let single = quantile(&mut one.latencies, 0.5);
        let sync_now = load::sync_p50(&folder.path().join("data"));
        let bound = sync_now + Duration::from_micros(500);
        vec![
            Row {
                name: "accept, 64 connections",
                promised: format!(
                    ">= {wanted:.0}/s (0.4 of /healthz, or 0.7 x 64 / sync where lower); >= 16 accepted per sync"
                ),
                measured: format!(
                    "{:.0}/s = {:.2} of /healthz at {health_rate:.0}/s, {per_sync:.1} per sync, sync {}",
                    accepted.rate(),
                    accepted.rate() / health_rate,
                    millis(sync)
                ),
                kept: accepted.rate() >= wanted && per_sync >= 16.0 && accepted.other == 0,
                figures: json!({
                    "accepted_per_second": accepted.rate(), "healthz_per_second": health_rate,
                    "accepted_per_sync": per_sync, "sync_seconds": sync.as_secs_f64(), "other_answers": accepted.other,
                }),
            },
            Row {
                name: "accept, 1 connection",
                promised: format!("p50 <= sync + 0.5 ms = {}", millis(bound)),
                measured: format!("p50 {}, sync {}", millis(single), millis(sync_now)),
                kept: single <= bound,
                figures: json!({"p50_seconds": single.as_secs_f64(), "sync_seconds": sync_now.as_secs_f64()}),
            },
        ]
    })
}

fn commit_idle(runtime: &Runtime, _: Duration) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bare = folder.path().join("packages.git");
    packages::repository(&bare, 1000);
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), WORKING).await;
        let sync = load::sync_p50(&folder.path().join("data"));
        let mut connection = Connection::open(&operator.address).await;
        let tip = bare.join("refs/heads/main");
        let mut samples = Vec::new();
        for n in 0..100 {
            let (name, namespace) = packages::name(n * 7);
            let words = format!("scale {name} to {} in ns {namespace}", REPLICAS + 1);
            let before = std::fs::read(&tip).ok();
            let (status, body) = connection.send(&post("/api/v1/intents", "text/plain", &words)).await;
            assert_eq!(status, 202, "{body}");
            let accepted = Instant::now();
            while std::fs::read(&tip).ok() == before {
                assert!(accepted.elapsed() < Duration::from_secs(10), "no commit came of: {words}");
                // A look costs the operator little that way: there are two cores for both.
                std::thread::park_timeout(Duration::from_micros(50));
            }
            samples.push(accepted.elapsed());
            // Let it come to rest, so that each starts from an idle operator.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let p50 = quantile(&mut samples, 0.5);
        let bound = sync * 5 + Duration::from_millis(10);
        vec![Row {
            name: "accepted -> commit visible, idle, 1,000 packages",
            promised: format!("p50 <= 5 sync + 10 ms = {}", millis(bound)),
            measured: format!("p50 {}, sync {}", millis(p50), millis(sync)),
            kept: p50 <= bound,
            figures: json!({"p50_seconds": p50.as_secs_f64(), "sync_seconds": sync.as_secs_f64()}),
        }]
    })
}

fn commit_sustained(runtime: &Runtime, _: Duration) -> Vec<Row> {
    const LASTING: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bare = folder.path().join("packages.git");
    packages::repository(&bare, 1000);
    let count = || -> usize { git(&bare, &["rev-list", "--count", "main"]).trim().parse().expect("a count") };
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), WORKING).await;
        let before = count();
        let begun = Instant::now();
        // Each package in turn; each round another value than the one before.
        let load = closed_loop(&operator.address, 64, LASTING, |n| {
            let (name, namespace) = packages::name(n % 1000);
            let to = REPLICAS + 1 + (n / 1000 % 4) as u32;
            post("/api/v1/intents", "text/plain", &format!("scale {name} to {to} in ns {namespace}"))
        })
        .await;
        let during = count() - before;
        let rate = during as f64 / begun.elapsed().as_secs_f64();
        let packs = std::fs::read_dir(bare.join("objects/pack"))
            .expect("a repository has packs")
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "pack"))
            .count();
        let deadline = Instant::now() + Duration::from_secs(60);
        while count() - before < load.good && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let all = count() - before;
        operator.stop();
        let clean = std::process::Command::new("git")
            .arg("-C")
            .arg(&bare)
            .args(["fsck", "--strict"])
            .output()
            .is_ok_and(|output| output.status.success());
        vec![Row {
            name: "accepted -> commit, sustained 60 s, 1,000 packages",
            promised: ">= 500/s, one commit each, fsck clean, <= 200 packs".into(),
            measured: format!(
                "{rate:.0}/s, {all} commits for {} accepted, fsck {}, {packs} packs",
                load.good,
                if clean { "clean" } else { "NOT clean" }
            ),
            kept: rate >= 500.0 && all == load.good && clean && packs <= 200,
            figures: json!({
                "commits_per_second": rate, "accepted": load.good, "commits": all, "fsck_clean": clean, "packs": packs,
            }),
        }]
    })
}

fn hot_folder(runtime: &Runtime, _: Duration) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    packages::repository(&folder.path().join("packages.git"), 10);
    let hot = folder.path().join("hot");
    std::fs::create_dir(&hot).expect("a fresh folder");
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), ACCEPT_ONLY).await;
        let sync = load::sync_p50(&folder.path().join("data"));
        let mut samples = Vec::new();
        for n in 0..200 {
            let name = format!("intent-{n:04}.json");
            let (app, namespace) = packages::name(n % 10);
            let body = json!({"intent_type": "scaling", "target": app, "namespace": namespace, "replicas": 1 + n % 50});
            std::fs::write(hot.join(&name), body.to_string()).expect("the hot folder is writable");
            let closed = Instant::now();
            let moved = hot.join("processed").join(&name);
            while !moved.exists() {
                assert!(closed.elapsed() < Duration::from_secs(10), "{name} was not taken");
                // A look costs the operator little that way: there are two cores for both.
                std::thread::park_timeout(Duration::from_micros(50));
            }
            samples.push(closed.elapsed());
        }
        drop(operator);
        let p50 = quantile(&mut samples, 0.5);
        let bound = sync + Duration::from_millis(5);
        vec![Row {
            name: "hot folder, close-write -> accepted and moved",
            promised: format!("p50 <= sync + 5 ms = {}", millis(bound)),
            measured: format!("p50 {}, p99 {}, sync {}", millis(p50), millis(quantile(&mut samples, 0.99)), millis(sync)),
            kept: p50 <= bound,
            figures: json!({"p50_seconds": p50.as_secs_f64(), "sync_seconds": sync.as_secs_f64()}),
        }]
    })
}

fn once(runtime: &Runtime, _: Duration) -> Vec<Row> {
    let few = once_with(runtime, 2_000);
    let many = once_with(runtime, 10_000);
    let growth = (many.1.as_secs_f64() / 10_000.0) / (few.1.as_secs_f64() / 2_000.0);
    let accepted = 10_000.0 / many.0.as_secs_f64();
    let decided = 10_000.0 / many.1.as_secs_f64();
    vec![Row {
        name: "up --once, 10,000 files",
        promised: "accepted >= 1,000/s, decided >= 300/s; time per file <= 1.3 x that at 2,000".into(),
        measured: format!("accepted {accepted:.0}/s, decided {decided:.0}/s, {growth:.2} x"),
        kept: accepted >= 1000.0 && decided >= 300.0 && growth <= 1.3,
        figures: json!({"accepted_per_second": accepted, "decided_per_second": decided, "growth": growth}),
    }]
}

/// How long it takes until the last of `files` was accepted, and until all of them rest.
fn once_with(runtime: &Runtime, files: usize) -> (Duration, Duration) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    packages::repository(&folder.path().join("packages.git"), 1000);
    let hot = folder.path().join("hot");
    std::fs::create_dir(&hot).expect("a fresh folder");
    for n in 0..files {
        let (app, namespace) = packages::name(n % 1000);
        let to = REPLICAS as usize + 1 + n / 1000 % 4;
        let body = json!({"intent_type": "scaling", "target": app, "namespace": namespace, "replicas": to});
        std::fs::write(hot.join(format!("intent-{n:05}.json")), body.to_string()).expect("writable");
    }
    runtime.block_on(async {
        let begun = Instant::now();
        let mut child = operator::command(folder.path(), WORKING)
            .arg("--once")
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the binary was built");
        let mut accepted = None;
        let status = loop {
            if accepted.is_none() {
                let left = std::fs::read_dir(&hot)
                    .expect("the hot folder")
                    .flatten()
                    .filter(|entry| entry.file_name().to_string_lossy().starts_with("intent-"))
                    .count();
                if left == 0 {
                    accepted = Some(begun.elapsed());
                }
            }
            if let Some(status) = child.try_wait().expect("our own child") {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let decided = begun.elapsed();
        assert_eq!(
            status.code(),
            Some(0),
            "{}",
            std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
        );
        (accepted.unwrap_or(decided), decided)
    })
}

fn start(runtime: &Runtime, _: Duration) -> Vec<Row> {
    const LIVE: usize = 10_000;
    let folder = tempfile::tempdir().expect("a temporary folder");
    packages::repository(&folder.path().join("packages.git"), 1000);
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), ACCEPT_ONLY).await;
        let address = operator.address.clone();
        let mut clients = Vec::new();
        for client in 0..50 {
            let address = address.clone();
            clients.push(tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                for n in 0..LIVE / 50 {
                    let (name, namespace) = packages::name((client * 31 + n) % 1000);
                    let words = format!("scale {name} to {} in ns {namespace}", 1 + n % 60);
                    let (status, body) =
                        connection.send(&post("/api/v1/intents", "text/plain", &words)).await;
                    assert_eq!(status, 202, "{body}");
                }
            }));
        }
        for client in clients {
            client.await.expect("a client does not panic");
        }
        operator.stop();
        let operator = Operator::start(folder.path(), ACCEPT_ONLY).await;
        let resident = operator.resident();
        vec![Row {
            name: "start with 10,000 live intents and 1,000 packages",
            promised: "ready <= 1 s; resident <= 80 MB".into(),
            measured: format!(
                "ready after {}, resident {:.1} MB",
                millis(operator.ready_after),
                resident as f64 / 1e6
            ),
            kept: operator.ready_after <= Duration::from_secs(1) && resident <= 80_000_000,
            figures: json!({"ready_seconds": operator.ready_after.as_secs_f64(), "resident_bytes": resident}),
        }]
    })
}

/// A refusal must cost little, or refusing is what brings the operator down: the CPU time of the
/// process for one, beside that for an answer of `/healthz`, in turn in one run.
fn refusal(runtime: &Runtime, _: Duration) -> Vec<Row> {
    const LIMITED: &str = "limits: {client: {per_second: 0.001, burst: 1}}\ntelemetry: {log: warn}\n";
    let folder = tempfile::tempdir().expect("a temporary folder");
    packages::repository(&folder.path().join("packages.git"), 10);
    runtime.block_on(async {
        let operator = Operator::start(folder.path(), LIMITED).await;
        let words = post("/api/v1/intents", "text/plain", "scale app-1 to 3 in ns bench-1");
        let mut connection = Connection::open(&operator.address).await;
        connection.send(&words).await;
        assert_eq!(connection.send(&words).await.0, 429, "the limit is used up");
        let requests = [get("/healthz"), get("/api/v1/intents"), words];
        let mut samples: [Vec<f64>; 3] = Default::default();
        for _ in 0..7 {
            for (request, samples) in requests.iter().zip(&mut samples) {
                let request = request.clone();
                let before = operator.cpu();
                let load =
                    load::answered(&operator.address, 16, Duration::from_secs(1), move |_| request.clone()).await;
                samples.push((operator.cpu() - before).as_secs_f64() / load.max(1) as f64);
            }
        }
        let [health, read, sent] = samples.map(|mut samples| {
            samples.sort_by(f64::total_cmp);
            samples[samples.len() / 2] * 1e6
        });
        let worst = f64::max(read, sent) / health;
        vec![Row {
            name: "429 beside /healthz",
            promised: "<= 1.5 x the CPU".into(),
            measured: format!(
                "{worst:.2} x: /healthz {health:.1} us, 429 to a GET {read:.1} us, to a POST with its body {sent:.1} us"
            ),
            kept: worst <= 1.5,
            figures: json!({"healthz_us": health, "refused_get_us": read, "refused_post_us": sent}),
        }]
    })
}
