//! What one check of both tiers costs beside governor's, what a client takes in memory, and how
//! long a slice of the sweep lasts: `cargo bench -p nephoran-limit`.
//!
//! Both are asked in turn in the same run, by two threads, for 10,000 clients in no order, each
//! check with its own reading of the clock.

use std::alloc::System;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use nephoran_limit::{Client, Decision, Limiter, Rate, Rates, Settings};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CLIENTS: usize = 10_000;
const THREADS: usize = 2;
/// A round is short, so that what else the machine does falls on both or on few.
const CHECKS: usize = 100_000;
const ROUNDS: usize = 201;

fn main() {
    let clients: Vec<Client> = (0..CLIENTS as u32).map(client).collect();
    // Nothing is refused: both write down what they let pass.
    let (ours, theirs) = (
        ours((1e6, 1_000_000), (1e9, u64::from(u32::MAX))),
        Governor::new((1_000_000, 1_000_000), (1_000_000_000, u32::MAX)),
    );
    beside("all pass", &clients, &ours, &theirs);
    // As configured by default, at a load far above it: nearly all are refused by the second tier.
    let (ours, theirs) = (self::ours((20.0, 40), (500.0, 1000)), Governor::new((20, 40), (500, 1000)));
    beside("the defaults, overloaded", &clients, &ours, &theirs);
    million();
}

fn client(number: u32) -> Client {
    Client::V4(Ipv4Addr::from_bits(0x0a00_0000 | number))
}

fn ours(client: (f64, u64), global: (f64, u64)) -> Ours {
    let rate = |(per_second, burst)| Rate::new(per_second, burst).expect("in range");
    let rates = Rates { client: rate(client), global: rate(global) };
    Ours { limiter: Limiter::new(Settings { rates, ..Settings::default() }), started: Instant::now() }
}

trait Checks: Sync {
    fn check(&self, client: &Client) -> bool;
}

struct Ours {
    limiter: Limiter<Client>,
    started: Instant,
}

impl Ours {
    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }
}

impl Checks for Ours {
    fn check(&self, client: &Client) -> bool {
        matches!(self.limiter.check(client.clone(), self.now()), Decision::Passed(_))
    }
}

struct Governor {
    keyed: DefaultKeyedRateLimiter<Client>,
    direct: DefaultDirectRateLimiter,
}

impl Governor {
    fn new(client: (u32, u32), global: (u32, u32)) -> Self {
        let quota = |(per_second, burst)| {
            let number = |number| NonZeroU32::new(number).expect("not 0");
            Quota::per_second(number(per_second)).allow_burst(number(burst))
        };
        Self { keyed: RateLimiter::keyed(quota(client)), direct: RateLimiter::direct(quota(global)) }
    }
}

impl Checks for Governor {
    fn check(&self, client: &Client) -> bool {
        self.keyed.check_key(client).is_ok() && self.direct.check().is_ok()
    }
}

fn beside(what: &str, clients: &[Client], ours: &dyn Checks, theirs: &dyn Checks) {
    // Both know all clients before the first measured round.
    for client in clients {
        black_box(ours.check(client));
        black_box(theirs.check(client));
    }
    let mut rounds: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (nanos_per_check(clients, ours), nanos_per_check(clients, theirs))).collect();
    let middle = rounds.len() / 2;
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let ratio = rounds[middle].0 / rounds[middle].1;
    let median = |pick: fn(&(f64, f64)) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(pick).collect();
        all.sort_by(f64::total_cmp);
        all[middle]
    };
    println!(
        "check of both tiers, {what}: {:.0} ns, governor keyed + direct {:.0} ns, ratio {ratio:.2} \
         (medians of {ROUNDS} rounds, {THREADS} threads, {CLIENTS} clients, clock included)",
        median(|round| round.0),
        median(|round| round.1),
    );
}

/// As one thread sees it while the other does the same.
fn nanos_per_check(clients: &[Client], limiter: &dyn Checks) -> f64 {
    let together = Barrier::new(THREADS);
    let took: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let together = &together;
                scope.spawn(move || {
                    let mut dice = 0x9e37_79b9_7f4a_7c15_u64 ^ thread as u64;
                    together.wait();
                    let begun = Instant::now();
                    for _ in 0..CHECKS {
                        dice ^= dice << 13;
                        dice ^= dice >> 7;
                        dice ^= dice << 17;
                        black_box(limiter.check(&clients[(dice % CLIENTS as u64) as usize]));
                    }
                    begun.elapsed()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no check panics")).collect()
    });
    let sum: Duration = took.iter().sum();
    sum.as_nanos() as f64 / (THREADS * CHECKS) as f64
}

fn million() {
    const MANY: u32 = 1_000_000;
    let region = Region::new(ALLOCATOR);
    let limiter = ours((20.0, 40), (1e9, u64::MAX)).limiter;
    for number in 0..MANY {
        limiter.check(client(number), 0);
    }
    let change = region.change();
    let bytes = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    println!(
        "memory: {:.0} bytes a client with {} clients known ({:.1} MB in all)",
        bytes / f64::from(MANY),
        limiter.numbers().clients,
        bytes / 1e6
    );
    let hour = 3_600_000_000_000;
    let sweep = |what: &str, now: u64| {
        let mut forgotten = 0;
        let mut took: Vec<Duration> = (0..limiter.slices())
            .map(|slice| {
                let begun = Instant::now();
                forgotten += limiter.sweep(slice, now);
                begun.elapsed()
            })
            .collect();
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "sweep, {what}: {} slices, {forgotten} clients forgotten; p50 {:.3} ms, p99 {:.3} ms, longest {:.3} ms",
            took.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    };
    // One that is known already, so that the table is not taken for crowded: that is another sweep.
    sweep("a crowded table, nobody's bucket is full", 0);
    sweep("a crowded table, every bucket is full", hour / 60);
    sweep("all that are left are idle", 2 * hour);
    let change = region.change();
    println!(
        "memory after that: {:.1} MB with {} clients known",
        (change.bytes_allocated as f64 - change.bytes_deallocated as f64) / 1e6,
        limiter.numbers().clients
    );
}
