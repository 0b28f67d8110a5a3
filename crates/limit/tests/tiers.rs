//! Both tiers under virtual time, a million requests at a stretch.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use nephoran_limit::{Decision, Limiter, Rate, Rates, Settings, Tier};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn rates(client: (f64, u64), global: (f64, u64)) -> Rates {
    Rates { client: Rate::new(client.0, client.1).unwrap(), global: Rate::new(global.0, global.1).unwrap() }
}

fn limiter(rates: Rates) -> Limiter<u32> {
    Limiter::new(Settings { rates, ..Settings::default() })
}

/// A generator whose numbers are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn passed(decision: &Decision) -> bool {
    matches!(decision, Decision::Passed(_))
}

/// The most that any stretch of time may hold of `times`, and whether it held.
fn assert_bounded(times: &[u64], per_second: u64, burst: u64, whose: &str) {
    let interval = SECOND / per_second;
    // Equivalent to looking at every pair: the bucket that `times` drained must never be overdrawn.
    // What came before `at`, as intervals, less the time that passed, is at most the burst.
    let mut least = i128::MAX;
    for (index, at) in times.iter().enumerate() {
        let level = index as i128 * i128::from(interval) - i128::from(*at);
        least = least.min(level);
        let spent = level + i128::from(interval) - least;
        assert!(
            spent <= i128::from(burst * interval),
            "{whose}: more than {per_second} x time + {burst} before {at} ns"
        );
    }
}

#[test]
fn s7_each_tier_admits_rate_times_time_plus_burst_and_no_more_over_a_million_requests() {
    let limiter = limiter(Rates::default());
    let mut dice = Dice(7);
    let mut now = 0;
    let (mut by_client, mut all): (Vec<Vec<u64>>, Vec<u64>) = (vec![Vec::new(); 100], Vec::new());
    for _ in 0..1_000_000 {
        // Two thousand a second on average, in fits and starts.
        now += if dice.below(100) == 0 { dice.below(SECOND / 10) } else { dice.below(SECOND / 30_000) };
        // Half of it comes from five.
        let among = if dice.below(2) == 0 { 5 } else { 100 };
        let client = dice.below(among) as u32;
        if passed(&limiter.check(client, now)) {
            by_client[client as usize].push(now);
            all.push(now);
        }
    }
    assert_bounded(&all, 500, 1000, "all");
    for (client, times) in by_client.iter().enumerate() {
        assert_bounded(times, 20, 40, &format!("client {client}"));
    }
    let numbers = limiter.numbers();
    assert_eq!(numbers.passed as usize, all.len());
    assert_eq!(numbers.passed + numbers.refused_client + numbers.refused_global, 1_000_000);
    assert!(numbers.refused_client > 0 && numbers.refused_global > 0, "both tiers were tried: {numbers:?}");
}

#[test]
fn s7_a_client_that_always_asks_gets_exactly_rate_times_time_plus_burst() {
    let limiter = limiter(Rates::default());
    // 1,000 a second for 1,000 s: one million requests.
    let got = (0..1_000_000_u64).filter(|n| passed(&limiter.check(1, n * SECOND / 1000))).count();
    // The last of them comes 1 ms before the end of the last second.
    assert_eq!(got, 20 * 1000 + 40 - 1);
}

#[test]
fn s7_all_together_get_exactly_rate_times_time_plus_burst() {
    let limiter = limiter(Rates::default());
    // Each client stays within its share; together they want four times what there is.
    let got =
        (0..1_000_000_u64).filter(|n| passed(&limiter.check((n % 200) as u32, n * SECOND / 2000))).count();
    assert_eq!(got, 500 * 500 + 1000 - 1);
    assert_eq!(limiter.numbers().refused_client, 0);
}

#[test]
fn s7_a_client_at_fifty_times_its_share_costs_the_others_nothing() {
    let limiter = limiter(Rates::default());
    let mut refused = 0;
    let mut own = 0;
    // 24 clients at their full share take 480 of the 500 a second that all have.
    for tick in 0..60 * 1000_u64 {
        let now = tick * SECOND / 1000;
        own += u64::from(passed(&limiter.check(999, now)));
        if tick % 50 == 0 {
            refused += (0..24).filter(|client| !passed(&limiter.check(*client, now))).count();
        }
    }
    assert_eq!(refused, 0, "one that floods took from the others");
    assert_eq!(own, 20 * 60 + 40 - 1, "and it has its own share all the same");
}

#[test]
fn s7_what_the_second_tier_refuses_costs_the_client_nothing() {
    let limiter = limiter(rates((1.0, 5), (1.0, 5)));
    for _ in 0..5 {
        assert!(passed(&limiter.check(1, 0)));
    }
    assert!(passed(&limiter.check(2, SECOND)));
    for _ in 0..1000 {
        let Decision::Refused(refused) = limiter.check(2, SECOND) else { panic!("nothing is left for all") };
        assert_eq!((refused.tier, refused.retry_after), (Tier::Global, Duration::from_secs(1)));
    }
    // It used one of its five; a refusal that cost would have taken them all.
    for second in 2..6 {
        let Decision::Passed(left) = limiter.check(2, second * SECOND) else { panic!("at {second} s") };
        assert_eq!(left.remaining(), 4);
    }
}

#[test]
fn retry_after_is_the_very_moment_from_which_it_passes() {
    let limiter = limiter(rates((3.0, 2), (7.0, 3)));
    let mut now = 5;
    for client in [1, 1, 1, 2, 2, 1, 3, 3, 3] {
        if let Decision::Refused(refused) = limiter.check(client, now) {
            let wait = u64::try_from(refused.retry_after.as_nanos()).unwrap();
            assert!(!passed(&limiter.check(client, now + wait - 1)));
            now += wait;
            let again = limiter.check(client, now);
            assert!(!matches!(again, Decision::Refused(again) if again.tier == refused.tier), "{again:?}");
        }
    }
}

#[test]
fn s7_a_million_clients_are_known_and_those_beyond_share_one_bucket() {
    let rates = rates((20.0, 40), (1e9, u64::MAX));
    let limiter = Limiter::new(Settings { rates, ..Settings::default() });
    for client in 0..1_000_000_u32 {
        assert!(passed(&limiter.check(client, 0)));
    }
    assert_eq!(limiter.numbers().clients, 1_000_000);
    // Those that came first are served as before; those beyond have 40 among them.
    let beyond = (1_000_000..1_001_000_u32).filter(|client| passed(&limiter.check(*client, 0))).count();
    assert_eq!(beyond, 40);
    assert!(passed(&limiter.check(5, 0)));
    let numbers = limiter.numbers();
    assert_eq!((numbers.clients, numbers.shared), (1_000_000, 1000));
    // Where room is short, a client whose bucket is full again need not be remembered.
    let now = 3 * SECOND;
    assert!(limiter.crowded());
    let forgotten: usize = (0..limiter.slices()).map(|slice| limiter.sweep(slice, now)).sum();
    assert!(forgotten >= 1_000_000 / 8, "{forgotten}");
    assert_eq!(limiter.numbers().clients, 1_000_000 - forgotten);
    assert!(!limiter.crowded());
    assert!(passed(&limiter.check(7_000_000, now)));
    assert_eq!(limiter.numbers().shared, 1000, "it has a bucket of its own");
}

#[test]
fn clients_that_the_second_tier_refuses_take_no_room() {
    let limiter = limiter(rates((1.0, 1), (1.0, 10)));
    for client in 0..100_000 {
        limiter.check(client, 0);
    }
    assert_eq!(limiter.numbers().clients, 10);
}

#[test]
fn s7_a_client_idle_for_an_hour_is_forgotten_and_one_that_asks_is_not() {
    let limiter = limiter(Rates::default());
    let sweep = |now| (0..limiter.slices()).map(|slice| limiter.sweep(slice, now)).sum::<usize>();
    for client in 0..100 {
        limiter.check(client, 0);
    }
    let hour = 3600 * SECOND;
    limiter.check(7, hour);
    assert_eq!(sweep(hour), 0);
    // Its bucket is full again 50 ms after it asked: idle begins there.
    assert_eq!(sweep(hour + SECOND / 20), 99);
    assert_eq!(limiter.numbers().clients, 1);
    assert_eq!(sweep(2 * hour + SECOND / 20), 1);
}

#[test]
fn a_refusal_is_told_once_for_each_client_and_minute() {
    let limiter = limiter(rates((0.001, 1), (1e6, 1_000_000)));
    let mut told = [0; 3];
    for at in 0..180 {
        for client in 0..3_u32 {
            if let Decision::Refused(refused) = limiter.check(client, 1 + at * SECOND) {
                told[client as usize] += u32::from(refused.tell);
            }
        }
    }
    assert_eq!(told, [3; 3]);
}

#[test]
fn a_refusal_by_the_second_tier_is_told_once_a_minute_for_all() {
    let limiter = limiter(rates((100.0, 100), (0.001, 1)));
    let mut told = 0;
    for at in 0..121 {
        for client in 0..30 {
            if let Decision::Refused(refused) = limiter.check(client, 1 + at * SECOND) {
                assert_eq!(refused.tier, Tier::Global);
                told += u32::from(refused.tell);
            }
        }
    }
    assert_eq!(told, 3);
}

#[test]
fn s7_a_reload_forgets_nobody() {
    let limiter = limiter(rates((1.0, 40), (1000.0, 1000)));
    for client in 0..10 {
        for _ in 0..40 {
            assert!(passed(&limiter.check(client, 0)));
        }
    }
    limiter.reload(rates((2.0, 50), (1000.0, 1000)), 0);
    assert_eq!(limiter.numbers().clients, 10);
    for client in 0..10 {
        let more = (0..50).filter(|_| passed(&limiter.check(client, 0))).count();
        assert_eq!(more, 10, "40 of 50 were used up before");
    }
    // 500 of 1,000 are used up; a pool of 500 then has nothing left.
    limiter.reload(rates((2.0, 50), (100.0, 500)), 0);
    assert!(!passed(&limiter.check(77, 0)));
    assert_eq!(limiter.rates(), rates((2.0, 50), (100.0, 500)));
}

#[test]
fn several_threads_together_get_no_more_than_the_rates() {
    let limiter = limiter(rates((10.0, 100), (20.0, 500)));
    let all: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let limiter = &limiter;
                scope.spawn(move || (0..20_000_u32).filter(|n| passed(&limiter.check(n % 10, 0))).count())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(all, 500);
}

/// What the arithmetic promises, as a bucket that is filled and emptied in the plainest way.
struct Plain {
    /// In nanoseconds' worth: `interval` is one request.
    tokens: u128,
    interval: u128,
    burst: u128,
    at: u64,
}

impl Plain {
    fn new(interval: u64, burst: u64) -> Self {
        let (interval, burst) = (u128::from(interval), u128::from(burst));
        Self { tokens: burst * interval, interval, burst, at: 0 }
    }

    fn has_one(&mut self, now: u64) -> bool {
        self.tokens = (self.tokens + u128::from(now - self.at)).min(self.burst * self.interval);
        self.at = now;
        self.tokens >= self.interval
    }
}

proptest! {
    #[test]
    fn both_tiers_decide_as_plain_buckets_do(
        client in (1_u64..2000, 1_u64..50),
        global in (1_u64..2000, 1_u64..50),
        requests in prop::collection::vec((0_u32..4, 0_u64..3_000_000), 1..400),
    ) {
        // Intervals that are whole nanoseconds: where they are not, they are rounded up.
        let whole = |rate: u64| (SECOND / rate, SECOND as f64 / (SECOND / rate) as f64);
        let ((own, own_rate), (all, all_rate)) = (whole(client.0), whole(global.0));
        let limiter = limiter(rates((own_rate, client.1), (all_rate, global.1)));
        let exact = |rate: f64, interval: u64| (SECOND as f64 / rate).ceil() as u64 == interval;
        prop_assume!(exact(own_rate, own) && exact(all_rate, all));
        let mut clients: Vec<Plain> = (0..4).map(|_| Plain::new(own, client.1)).collect();
        let mut together = Plain::new(all, global.1);
        let mut now = 0;
        for (who, pause) in requests {
            now += pause;
            let one = &mut clients[who as usize];
            let expected = match (one.has_one(now), together.has_one(now)) {
                (false, _) => Some(Tier::Client),
                (true, false) => Some(Tier::Global),
                (true, true) => None,
            };
            if expected.is_none() {
                one.tokens -= one.interval;
                together.tokens -= together.interval;
            }
            match limiter.check(who, now) {
                Decision::Passed(left) => {
                    prop_assert_eq!(expected, None);
                    prop_assert_eq!(u128::from(left.remaining()), clients[who as usize].tokens / u128::from(own));
                }
                Decision::Refused(refused) => prop_assert_eq!(expected, Some(refused.tier)),
            }
        }
    }
}
