//! Both tiers over a bounded number of clients.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::rate::{Left, Rate, Rates};

/// Many enough that two threads rarely meet, and that one of them is swept in far less than 1 ms
/// when a million clients are known. A power of two.
const SHARDS: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rates: Rates,
    /// Clients known at once. Those beyond share one bucket.
    pub most_clients: usize,
    /// A client that did not ask for so long is forgotten.
    pub idle: Duration,
    /// A refusal is worth telling once in so long, for each client.
    pub tell_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rates: Rates::default(),
            most_clients: 1_000_000,
            idle: Duration::from_secs(3600),
            tell_every: Duration::from_secs(60),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    Client,
    Global,
}

impl Tier {
    pub const ALL: [Self; 2] = [Self::Client, Self::Global];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Global => "global",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// With what the client has left.
    Passed(Left),
    Refused(Refused),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused {
    pub tier: Tier,
    /// That tier's rate.
    pub rate: Rate,
    pub retry_after: Duration,
    /// Whether this one is worth a line in a log: the first of its client in a while, or the
    /// first of all clients where the second tier refused.
    pub tell: bool,
}

/// What came of all requests so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Clients known now.
    pub clients: usize,
    /// Passed both tiers.
    pub passed: u64,
    pub refused_client: u64,
    pub refused_global: u64,
    /// Judged by the bucket that the clients beyond the bound share.
    pub shared: u64,
}

impl Numbers {
    /// Requests that passed `tier`.
    pub fn passed(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Client => self.passed + self.refused_global,
            Tier::Global => self.passed,
        }
    }

    pub fn refused(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Client => self.refused_client,
            Tier::Global => self.refused_global,
        }
    }
}

/// Both tiers. Times are nanoseconds since any fixed moment.
pub struct Limiter<K> {
    shards: Box<[Aligned<Mutex<Shard<K>>>]>,
    /// For the clients beyond the bound.
    shared: Mutex<Shared>,
    global: Aligned<Global>,
    clients: AtomicUsize,
    most_clients: usize,
    idle: u64,
    tell_every: u64,
    /// Keys come from outside: nobody may choose them so that they meet in one place.
    hasher: RandomState,
}

/// Neighbours that different threads write to must not lie on one cache line.
#[repr(align(128))]
struct Aligned<T>(T);

/// In this order: what each check writes lies with the lock on one cache line, and the rates, which
/// are only read, on the next.
#[repr(C)]
struct Shard<K> {
    counts: Counts,
    seen: HashMap<Hashed<K>, Bucket, BuildHasherDefault<Carried>>,
    rates: Rates,
}

struct Shared {
    rates: Rates,
    counts: Counts,
    bucket: Bucket,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    passed: u64,
    refused_client: u64,
    refused_global: u64,
}

struct Global {
    full_at: AtomicU64,
    told: AtomicU64,
}

/// A client's state.
#[derive(Default, Clone, Copy)]
struct Bucket {
    full_at: u64,
    /// When a refusal was last told; 0: never.
    told: u64,
}

/// A key with its hash: computed once, used for the shard and inside it.
struct Hashed<K> {
    hash: u64,
    key: K,
}

impl<K: PartialEq> PartialEq for Hashed<K> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Eq> Eq for Hashed<K> {}

impl<K> Hash for Hashed<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Hands on the hash that the key carries.
#[derive(Default)]
struct Carried(u64);

impl Hasher for Carried {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is ever called; this keeps any other use correct.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A panic elsewhere leaves whole numbers behind: the state is usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl<K: Hash + Eq> Limiter<K> {
    pub fn new(settings: Settings) -> Self {
        let rates = settings.rates;
        let shard = || Shard { rates, counts: Counts::default(), seen: HashMap::default() };
        Self {
            shards: (0..SHARDS).map(|_| Aligned(Mutex::new(shard()))).collect(),
            shared: Mutex::new(Shared { rates, counts: Counts::default(), bucket: Bucket::default() }),
            global: Aligned(Global { full_at: AtomicU64::new(0), told: AtomicU64::new(0) }),
            clients: AtomicUsize::new(0),
            most_clients: settings.most_clients,
            idle: nanos(settings.idle),
            tell_every: nanos(settings.tell_every),
            hasher: RandomState::new(),
        }
    }

    /// Whether `client` may ask now.
    pub fn check(&self, client: K, now: u64) -> Decision {
        let hash = self.hasher.hash_one(&client);
        let client = Hashed { hash, key: client };
        // The map inside uses the lowest bits and the highest seven.
        let mut shard = lock(&self.shards[(hash >> 40) as usize % SHARDS].0);
        let Shard { rates, counts, seen } = &mut *shard;
        if let Some(bucket) = seen.get_mut(&client) {
            return self.decide(bucket, rates, counts, now);
        }
        if self.clients.load(Ordering::Relaxed) >= self.most_clients {
            drop(shard);
            let Shared { rates, counts, bucket } = &mut *lock(&self.shared);
            return self.decide(bucket, rates, counts, now);
        }
        let mut bucket = Bucket::default();
        let decision = self.decide(&mut bucket, rates, counts, now);
        // One that was refused has taken nothing: there is nothing to remember, and a flood of new
        // clients fills the table no faster than the second tier lets them in.
        if matches!(decision, Decision::Passed(_)) {
            // Threads that come here at once may each add one beyond the bound.
            self.clients.fetch_add(1, Ordering::Relaxed);
            seen.insert(client, bucket);
        }
        decision
    }

    /// The client's token is written down only when the second tier passes too. The caller holds
    /// the bucket's lock, so that nobody sees it taken and given back.
    fn decide(&self, bucket: &mut Bucket, rates: &Rates, counts: &mut Counts, now: u64) -> Decision {
        let full_at = match rates.client.take(bucket.full_at, now) {
            Ok(full_at) => full_at,
            Err(wait) => {
                counts.refused_client += 1;
                let tell = bucket.told == 0 || now.saturating_sub(bucket.told) >= self.tell_every;
                if tell {
                    bucket.told = now.max(1);
                }
                return refused(Tier::Client, rates.client, wait, tell);
            }
        };
        if let Err(wait) = self.global.0.take(&rates.global, now) {
            counts.refused_global += 1;
            let tell = self.global.0.tell(now, self.tell_every);
            return refused(Tier::Global, rates.global, wait, tell);
        }
        counts.passed += 1;
        bucket.full_at = full_at;
        Decision::Passed(rates.client.left(full_at, now))
    }

    /// Other rates from now on. What clients have taken stays taken.
    pub fn reload(&self, rates: Rates, now: u64) {
        for shard in &self.shards {
            let mut shard = lock(&shard.0);
            let old = shard.rates.client;
            for bucket in shard.seen.values_mut() {
                bucket.full_at = rates.client.converted(&old, bucket.full_at, now);
            }
            shard.rates.client = rates.client;
        }
        // Nobody may be between the old rate and the new bucket of all: everybody stands still
        // for as long as it takes to write one number to each shard.
        let mut shards: Vec<_> = self.shards.iter().map(|shard| lock(&shard.0)).collect();
        let mut shared = lock(&self.shared);
        let old = shared.rates;
        shared.bucket.full_at = rates.client.converted(&old.client, shared.bucket.full_at, now);
        let full_at = &self.global.0.full_at;
        full_at.store(
            rates.global.converted(&old.global, full_at.load(Ordering::Relaxed), now),
            Ordering::Relaxed,
        );
        shared.rates = rates;
        for shard in &mut shards {
            shard.rates.global = rates.global;
        }
    }

    /// A sweep has so many slices, each short: between two of them others get their turn.
    pub fn slices(&self) -> usize {
        self.shards.len()
    }

    /// Forgets the clients of one slice that have been idle for long enough; says how many. When
    /// room grows short, also those whose bucket is full: they lose nothing by it.
    pub fn sweep(&self, slice: usize, now: u64) -> usize {
        let rest = if self.crowded() { 0 } else { self.idle };
        let mut shard = lock(&self.shards[slice % SHARDS].0);
        let before = shard.seen.len();
        shard.seen.retain(|_, bucket| bucket.full_at.saturating_add(rest) > now);
        let forgotten = before - shard.seen.len();
        if forgotten > 0 {
            self.clients.fetch_sub(forgotten, Ordering::Relaxed);
            if shard.seen.capacity() > 4 * shard.seen.len() {
                let keep = 2 * shard.seen.len();
                shard.seen.shrink_to(keep);
            }
        }
        forgotten
    }

    /// Whether the table is nearly full: time to sweep before the usual time.
    pub fn crowded(&self) -> bool {
        self.clients.load(Ordering::Relaxed) >= self.most_clients - self.most_clients / 8
    }

    pub fn rates(&self) -> Rates {
        lock(&self.shared).rates
    }

    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers { clients: self.clients.load(Ordering::Relaxed), ..Numbers::default() };
        let shared = lock(&self.shared).counts;
        numbers.add(&shared);
        numbers.shared = shared.passed + shared.refused_client + shared.refused_global;
        for shard in &self.shards {
            numbers.add(&lock(&shard.0).counts);
        }
        numbers
    }
}

impl Numbers {
    fn add(&mut self, counts: &Counts) {
        self.passed += counts.passed;
        self.refused_client += counts.refused_client;
        self.refused_global += counts.refused_global;
    }
}

impl Global {
    fn take(&self, rate: &Rate, now: u64) -> Result<(), u64> {
        let mut full_at = self.full_at.load(Ordering::Relaxed);
        loop {
            let next = rate.take(full_at, now)?;
            match self.full_at.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(seen) => full_at = seen,
            }
        }
    }

    fn tell(&self, now: u64, every: u64) -> bool {
        let told = self.told.load(Ordering::Relaxed);
        let due = told == 0 || now.saturating_sub(told) >= every;
        due && self.told.compare_exchange(told, now.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn refused(tier: Tier, rate: Rate, wait: u64, tell: bool) -> Decision {
    Decision::Refused(Refused { tier, rate, retry_after: Duration::from_nanos(wait), tell })
}

impl<K> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("clients", &self.clients).finish_non_exhaustive()
    }
}
