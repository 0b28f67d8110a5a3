//! Rows S3 and S9: what a task allocates on its way queue -> worker -> result -> callback, once all
//! is warm: `cargo bench -p nephoran-worker`.
//!
//! The same pool and the same tasks, with three kinds of result: a fresh one with a map of three
//! strings (the baseline, whose figure is committed below), a fresh one with fields, and one whose
//! strings come from a store of spare ones and go back there after the callback.

use std::alloc::System;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nephoran_queue::{Band, Delivery, Lane, Limits, Queue};
use nephoran_worker::{Begun, Context, Ended, Next, Pool, Scale, Settings, Spare, Work};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::Notify;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes a task of the baseline, as measured when this was written: what the others are held to.
const BASELINE: f64 = 276.0;

const WARM: usize = 10_000;
const TASKS: usize = 100_000;
/// In the queue at a time.
const CROWD: usize = 1000;

/// How a kind of result is made, and what the callback does with it.
trait Kind: Send + Sync + 'static {
    type Result: Send + 'static;
    fn make(&self, key: u64) -> Self::Result;
    fn taken(&self, result: Self::Result);
}

struct Mapped;

impl Kind for Mapped {
    type Result = (u64, HashMap<String, String>);

    fn make(&self, key: u64) -> Self::Result {
        let mut map = HashMap::new();
        map.insert("worker".to_owned(), "worker-7".to_owned());
        map.insert("target".to_owned(), "ran-a/upf".to_owned());
        map.insert("outcome".to_owned(), "applied, commit 0123456789ab".to_owned());
        (key, map)
    }

    fn taken(&self, result: Self::Result) {
        std::hint::black_box(&result);
    }
}

#[derive(Default)]
struct Fields {
    key: u64,
    worker: String,
    target: String,
    outcome: String,
}

impl Fields {
    fn fill(&mut self, key: u64) {
        self.key = key;
        self.worker.push_str("worker-7");
        self.target.push_str("ran-a/upf");
        self.outcome.push_str("applied, commit 0123456789ab");
    }
}

struct Fresh;

impl Kind for Fresh {
    type Result = Fields;

    fn make(&self, key: u64) -> Fields {
        let mut fields = Fields::default();
        fields.fill(key);
        fields
    }

    fn taken(&self, result: Fields) {
        std::hint::black_box(&result);
    }
}

struct Reused {
    spare: Spare<Fields>,
}

impl Kind for Reused {
    type Result = Fields;

    fn make(&self, key: u64) -> Fields {
        let mut fields = self.spare.take();
        fields.fill(key);
        fields
    }

    fn taken(&self, mut result: Fields) {
        std::hint::black_box(&result);
        result.worker.clear();
        result.target.clear();
        result.outcome.clear();
        self.spare.give(result);
    }
}

/// What the operator's own results are: no allocation of their own.
struct Plain;

impl Kind for Plain {
    type Result = (u64, bool);

    fn make(&self, key: u64) -> Self::Result {
        (key, true)
    }

    fn taken(&self, result: Self::Result) {
        std::hint::black_box(&result);
    }
}

struct Tasks<T> {
    kind: T,
    taken: AtomicUsize,
    wanted: AtomicUsize,
    reached: Notify,
}

impl<T: Kind> Work<u64> for Tasks<T> {
    type Begun = u64;
    type Output = T::Result;

    async fn begin(&self, delivery: &Delivery<u64>) -> Begun<u64, T::Result> {
        Begun::Work(*delivery.key())
    }

    async fn work(&self, key: u64, context: Context) -> Ended<T::Result> {
        // As long as it takes to be another task's turn.
        tokio::task::yield_now().await;
        std::hint::black_box(&context);
        Ended::new(Next::Done).with(self.kind.make(key))
    }

    async fn failed(&self, _: &u64, _: &str) -> Next {
        Next::Done
    }

    fn finished(&self, output: T::Result) {
        self.kind.taken(output);
        if self.taken.fetch_add(1, Ordering::AcqRel) + 1 == self.wanted.load(Ordering::Acquire) {
            self.reached.notify_one();
        }
    }
}

struct Figures {
    bytes: f64,
    allocations: f64,
    nanoseconds: f64,
}

async fn measure<T: Kind>(kind: T) -> Figures {
    let queue = Queue::new(Limits::default()).expect("the default limits are valid");
    let tasks = Arc::new(Tasks {
        kind,
        taken: AtomicUsize::new(0),
        wanted: AtomicUsize::new(0),
        reached: Notify::new(),
    });
    let settings = Settings { lane: Lane::Direct, scale: Scale::Between { min: 16, max: 16 }, batch: 16 };
    let pool = Pool::start(queue.clone(), settings, tasks.clone());
    let run = async |number: usize| {
        for round in 0..number / CROWD {
            let wanted = tasks.taken.load(Ordering::Acquire) + CROWD;
            tasks.wanted.store(wanted, Ordering::Release);
            for key in 0..CROWD {
                let place = queue.reserve(Band::Urgent).expect("the crowd is smaller than the queue");
                place.publish((round * CROWD + key) as u64, None, None);
            }
            tasks.reached.notified().await;
        }
    };
    run(WARM).await;
    let region = Region::new(ALLOCATOR);
    let started = std::time::Instant::now();
    run(TASKS).await;
    let (took, change) = (started.elapsed(), region.change());
    pool.shutdown(tokio::time::Instant::now() + std::time::Duration::from_secs(1)).await;
    Figures {
        bytes: change.bytes_allocated as f64 / TASKS as f64,
        allocations: (change.allocations + change.reallocations) as f64 / TASKS as f64,
        nanoseconds: took.as_nanos() as f64 / TASKS as f64,
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts where a benchmark does");
    let kinds = runtime.block_on(async {
        [
            ("fresh result with a map of three strings (baseline)", measure(Mapped).await),
            ("fresh result with three string fields", measure(Fresh).await),
            ("result reused after the callback", measure(Reused { spare: Spare::new(256) }).await),
            ("result of plain values, as the operator's", measure(Plain).await),
        ]
    });
    println!("{TASKS} tasks, queue -> worker -> result -> callback, 16 workers:");
    for (name, Figures { bytes, allocations, nanoseconds }) in &kinds {
        println!(
            "{name:<52} {bytes:>7.1} bytes, {allocations:>5.2} allocations, {nanoseconds:>6.0} ns a task, {:>5.1} % fewer bytes",
            (1.0 - bytes / kinds[0].1.bytes) * 100.0
        );
    }
    let (baseline, reused, plain) = (kinds[0].1.bytes, kinds[2].1.bytes, kinds[3].1.bytes);
    println!("committed baseline: {BASELINE} bytes a task");
    for (name, bytes) in [("reused", reused), ("plain", plain)] {
        let lower = baseline.min(BASELINE);
        assert!(
            bytes <= 0.3 * lower,
            "{name}: {bytes:.1} bytes a task; at most {:.1} are promised",
            0.3 * lower
        );
    }
}
