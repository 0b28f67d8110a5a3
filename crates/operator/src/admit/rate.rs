//! The request rates of the desk: how often one client may ask, and all together.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use nephoran_limit::{Client, Decision, Limiter, Network, Numbers, Rates, Refused, Settings};
use tokio_util::sync::CancellationToken;

/// Between two sweeps over the clients.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// Between two looks whether room grows short.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A refusal is told once in so long for each client, and only so often for all of them: many
/// clients at once must not fill the log.
const TELL_EVERY: Duration = Duration::from_secs(60);
const MOST_TOLD: u32 = 20;

/// A handle; clones judge by the same buckets.
#[derive(Debug, Clone)]
pub struct RequestRates {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limiter: Limiter<Client>,
    started: Instant,
    on: AtomicBool,
    trusted: ArcSwap<Vec<Network>>,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    since: Duration,
    lines: u32,
    /// Left untold since the last line.
    untold: u64,
}

/// What `/api/v1/limits` shows.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// `None`: `limits: off`.
    pub rates: Option<Rates>,
    pub numbers: Numbers,
    pub most_clients: usize,
}

impl RequestRates {
    /// `None`: no limit.
    pub fn new(rates: Option<Rates>, trusted: Vec<Network>) -> Self {
        let settings =
            Settings { rates: rates.unwrap_or_default(), tell_every: TELL_EVERY, ..Settings::default() };
        Self {
            inner: Arc::new(Inner {
                limiter: Limiter::new(settings),
                started: Instant::now(),
                on: AtomicBool::new(rates.is_some()),
                trusted: ArcSwap::from_pointee(trusted),
                told: Mutex::default(),
            }),
        }
    }

    /// From now on other rates and other proxies. What clients have used up stays used up.
    pub fn set(&self, rates: Option<Rates>, trusted: Vec<Network>) {
        self.inner.trusted.store(Arc::new(trusted));
        if let Some(rates) = rates
            && rates != self.inner.limiter.rates()
        {
            self.inner.limiter.reload(rates, self.now());
        }
        self.inner.on.store(rates.is_some(), Ordering::Relaxed);
    }

    /// Whether the sender of a request may ask now; `None` when nothing is limited. `forwarded` are
    /// the values of `X-Forwarded-For` in their order.
    pub fn check<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Option<Decision> {
        if !self.inner.on.load(Ordering::Relaxed) {
            return None;
        }
        let client = Client::behind(peer, forwarded, &self.inner.trusted.load());
        let decision = self.inner.limiter.check(client.clone(), self.now());
        if let Decision::Refused(refused) = &decision
            && refused.tell
        {
            self.tell(&client, refused);
        }
        Some(decision)
    }

    fn tell(&self, client: &Client, refused: &Refused) {
        let mut told = self.inner.told.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = self.inner.started.elapsed();
        if now.saturating_sub(told.since) >= TELL_EVERY {
            (told.since, told.lines) = (now, 0);
        }
        if told.lines >= MOST_TOLD {
            told.untold += 1;
            return;
        }
        told.lines += 1;
        let others = std::mem::take(&mut told.untold);
        drop(told);
        tracing::warn!(
            client = %client,
            tier = refused.tier.as_str(),
            per_second = refused.rate.per_second(),
            burst = refused.rate.burst(),
            others,
            "Requests are turned away: more come than the limit allows. Not told again for a minute."
        );
    }

    pub fn standing(&self) -> Standing {
        Standing {
            rates: self.inner.on.load(Ordering::Relaxed).then(|| self.inner.limiter.rates()),
            numbers: self.inner.limiter.numbers(),
            most_clients: Settings::default().most_clients,
        }
    }

    pub fn numbers(&self) -> Numbers {
        self.inner.limiter.numbers()
    }

    /// Forgets idle clients until `stop`: every ten minutes, and at once when room grows short.
    pub async fn sweep(self, stop: CancellationToken) {
        let sweeping = async {
            let mut swept = Instant::now();
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if swept.elapsed() < SWEEP_EVERY && !self.inner.limiter.crowded() {
                    continue;
                }
                let forgotten = self.sweep_once().await;
                swept = Instant::now();
                tracing::debug!(forgotten, "Idle clients were forgotten.");
            }
        };
        tokio::select! {
            () = sweeping => {}
            () = stop.cancelled() => {}
        }
    }

    async fn sweep_once(&self) -> usize {
        let mut forgotten = 0;
        for slice in 0..self.inner.limiter.slices() {
            forgotten += self.inner.limiter.sweep(slice, self.now());
            // Others get their turn: requests wait on no more than one slice.
            tokio::task::yield_now().await;
        }
        forgotten
    }

    fn now(&self) -> u64 {
        u64::try_from(self.inner.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use nephoran_limit::{Rate, Tier};

    use super::*;

    const NOTHING: [&[u8]; 0] = [];

    fn rates(client: u64, global: u64) -> Option<Rates> {
        // So slow that no test sees a bucket fill.
        let rate = |burst| Rate::new(0.001, burst).expect("in range");
        Some(Rates { client: rate(client), global: rate(global) })
    }

    fn passes(rates: &RequestRates, peer: &str, forwarded: &[&str]) -> bool {
        let peer = peer.parse().unwrap_or_else(|bad| panic!("{peer} {bad}"));
        match rates.check(peer, forwarded.iter().map(|value| value.as_bytes())) {
            Some(Decision::Refused(refused)) => {
                assert!(refused.retry_after > Duration::ZERO);
                false
            }
            Some(Decision::Passed(_)) | None => true,
        }
    }

    #[test]
    fn without_limits_everything_passes_and_nothing_is_counted() {
        let off = RequestRates::new(None, Vec::new());
        assert!(off.check(IpAddr::from([192, 0, 2, 1]), NOTHING.into_iter()).is_none());
        assert!(off.standing().rates.is_none());
        assert_eq!(off.numbers(), Numbers::default());
    }

    #[test]
    fn s7_other_rates_and_proxies_leave_what_was_used_up_used_up() {
        let limited = RequestRates::new(rates(2, 100), Vec::new());
        for _ in 0..2 {
            assert!(passes(&limited, "192.0.2.1", &[]));
        }
        assert!(!passes(&limited, "192.0.2.1", &[]));
        limited.set(rates(3, 100), Vec::new());
        assert!(passes(&limited, "192.0.2.1", &[]), "one more than before");
        assert!(!passes(&limited, "192.0.2.1", &[]), "and no burst of its own again");
        limited.set(None, Vec::new());
        assert!(passes(&limited, "192.0.2.1", &[]));
        limited.set(rates(3, 100), vec!["192.0.2.1".parse().unwrap_or_else(|bad| panic!("{bad}"))]);
        assert!(!passes(&limited, "192.0.2.1", &[]));
        assert!(passes(&limited, "192.0.2.1", &["198.51.100.1"]), "the proxy is trusted now");
    }

    #[test]
    fn s7_a_flood_of_refusals_is_told_a_few_times_and_no_more() {
        let limited = RequestRates::new(rates(1, 1000), Vec::new());
        let mut told = 0;
        for round in 0..100 {
            for client in 0..200_u8 {
                let decision = limited.check(IpAddr::from([192, 0, 2, client]), NOTHING.into_iter());
                if let Some(Decision::Refused(refused)) = decision {
                    assert_eq!(refused.tier, Tier::Client);
                    assert_eq!(refused.tell, round == 1, "once for each client");
                    told += u32::from(refused.tell);
                }
            }
        }
        assert_eq!(told, 200);
        let lines = limited.inner.told.lock().expect("no test panics under it");
        assert_eq!((lines.lines, lines.untold), (MOST_TOLD, u64::from(told - MOST_TOLD)));
    }

    #[tokio::test]
    async fn a_sweep_looks_at_every_slice_and_keeps_who_is_not_idle() {
        let limited = RequestRates::new(rates(2, 1000), Vec::new());
        for client in 0..200_u8 {
            assert!(passes(&limited, &format!("192.0.2.{client}"), &[]));
        }
        assert_eq!(limited.sweep_once().await, 0);
        assert_eq!(limited.numbers().clients, 200);
    }
}
