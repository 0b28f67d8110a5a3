//! How fast the store accepts, beside what a sync costs in the same folder in the same run:
//! `cargo bench -p nephoran --bench store`. The folder is the first argument, or cargo's own.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nephoran::store::{AcceptKey, Store};
use nephoran_model::intent::{Intent, IntentId, Move, Request, Source, State};
use nephoran_model::proposal::Priority;
use nephoran_queue::{Band, Limits, Queue};

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"))
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let folder = tempfile::tempdir_in(parent)?;
    let sync = sync_p50(folder.path())?;
    println!("sync (p50 of 300 overwrites of 4 KiB): {} us", sync.as_micros());

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(&folder.path().join("data"))?;
        let next = Arc::new(AtomicUsize::new(0));
        // The journal has its size and the pages are in memory, as after the first minute.
        run(&store, &next, 64, Duration::from_secs(1), false).await;
        println!("acks: claim, the moves to an end in the store, ack");
        for in_flight in [64, 256] {
            acks(&store, &next, in_flight, 60_000).await;
        }
        for (in_flight, with_key) in [(1, false), (8, false), (16, false), (64, false), (64, true), (256, false)] {
            let before = (store.stats().commits(), store.stats().syncs.load(Ordering::Relaxed));
            let (accepted, took, mut times) =
                run(&store, &next, in_flight, Duration::from_secs(3), with_key).await;
            let commits = store.stats().commits() - before.0;
            let syncs = store.stats().syncs.load(Ordering::Relaxed) - before.1;
            times.sort_unstable();
            let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
            println!(
                "{in_flight:>4} in flight{}: {:>7.0}/s, p50 {:>5} us, p99 {:>6} us, {:.1} a commit, {:.1} a sync",
                if with_key { " with keys" } else { "          " },
                accepted as f64 / took.as_secs_f64(),
                at(0.5),
                at(0.99),
                accepted as f64 / commits.max(1) as f64,
                accepted as f64 / syncs.max(1) as f64,
            );
        }
        let started = Instant::now();
        let live = store.live().await?.len();
        println!("live() of {live}: {} ms", started.elapsed().as_millis());
        let started = Instant::now();
        let verification = store.verify_audit(vec![]).await?;
        println!("verify_audit() of {}: {} ms", verification.entries, started.elapsed().as_millis());
        assert!(verification.is_sound(), "{:?}", verification.faults);
        println!("resident: {} KiB", resident()?);
        store.close().await;
        Ok(())
    })
}

/// Takes `items` accepted intents from a queue to their end, so many at a time.
async fn acks(store: &Store, next: &Arc<AtomicUsize>, in_flight: usize, items: usize) {
    let queue: Queue<usize> = Queue::new(Limits::default()).expect("the default limits are valid");
    let first = next.fetch_add(items, Ordering::Relaxed);
    let accepting: Vec<_> = (0..256)
        .map(|client| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (first + client..first + items).step_by(256) {
                    store.accept(intent(number), None, None).await.expect("the store accepts");
                }
            })
        })
        .collect();
    for client in accepting {
        client.await.expect("no client panics");
    }
    // As in a day's work: what is done together came in together.
    for number in first..first + items {
        queue.resume(number, Band::Normal);
    }
    let before = (store.stats().commits(), store.stats().syncs.load(Ordering::Relaxed));
    let started = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (store, queue) = (store.clone(), queue.clone());
            tokio::spawn(async move {
                while let Some(delivery) = queue.try_claim() {
                    let mut intent = intent(*delivery.key());
                    intent.version = 1;
                    for (state, cause) in [(State::Translating, "claimed"), (State::Refused, "out_of_scope")]
                    {
                        intent
                            .enter(state, cause, "operator", Timestamp::now())
                            .expect("the moves are legal");
                    }
                    store.advance(intent, vec![]).await.expect("the store advances");
                    delivery.ack();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("no worker panics");
    }
    let took = started.elapsed();
    let commits = store.stats().commits() - before.0;
    let syncs = store.stats().syncs.load(Ordering::Relaxed) - before.1;
    println!(
        "{in_flight:>4} in flight          : {:>7.0}/s, {:.1} a commit, {:.1} a sync",
        items as f64 / took.as_secs_f64(),
        items as f64 / commits.max(1) as f64,
        items as f64 / syncs.max(1) as f64,
    );
}

/// `in_flight` clients, each with one request at a time.
async fn run(
    store: &Store,
    next: &Arc<AtomicUsize>,
    in_flight: usize,
    how_long: Duration,
    with_key: bool,
) -> (usize, Duration, Vec<Duration>) {
    let started = Instant::now();
    let clients: Vec<_> = (0..in_flight)
        .map(|_| {
            let (store, next) = (store.clone(), next.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while started.elapsed() < how_long {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let key = with_key.then(|| AcceptKey {
                        identity: "local".into(),
                        door: Source::Http,
                        key: format!("key-{number}"),
                        digest: [7; 32],
                    });
                    let asked = Instant::now();
                    store.accept(intent(number), key, None).await.expect("the store accepts");
                    times.push(asked.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.expect("no client panics"));
    }
    (times.len(), started.elapsed(), times)
}

fn sync_p50(folder: &Path) -> std::io::Result<Duration> {
    let path = folder.join("sync");
    let file = File::create_new(&path)?;
    file.write_all_at(&[0; 4096], 0)?;
    file.sync_all()?;
    let mut times = Vec::new();
    for number in 0..300 {
        let started = Instant::now();
        file.write_all_at(&[number as u8; 4096], 0)?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times[150])
}

fn resident() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?)
}

fn intent(number: usize) -> Intent {
    let at = Timestamp::now();
    Intent {
        id: IntentId::parse(&format!("i{number:09}")).expect("it is a label"),
        version: 0,
        generation: 1,
        state: State::Received,
        hold: None,
        priority: Priority::Normal,
        source: Source::Http,
        requester: "local".into(),
        created_at: at,
        deadline: None,
        not_before: None,
        request: Request::Text(format!("scale upf to {} in ns ran-a", number % 100)),
        change: Default::default(),
        constraints: Default::default(),
        parent: None,
        file: None,
        correlation_id: None,
        traceparent: None,
        answers: vec![],
        history: vec![Move {
            at,
            state: State::Received,
            cause: "accepted over HTTP".into(),
            actor: "local".into(),
        }],
        proposal: None,
        translator: None,
        understanding: None,
        plan: None,
        findings: vec![],
        question: None,
        approval: None,
        outcomes: vec![],
        fulfilment: Default::default(),
        answer: None,
        superseded_by: None,
        supersedes: vec![],
        attempts: 0,
        retry_at: None,
    }
}
