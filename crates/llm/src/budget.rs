//! Tokens per identity in any hour, and how many repeats a failing endpoint gets.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Parts of an hour: what was spent is forgotten part by part.
const PARTS: u64 = 12;
const PART: Duration = Duration::from_secs(3600 / PARTS);
/// One more than an hour has, so that no hour is ever told too short.
const SLOTS: usize = PARTS as usize + 1;

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    slots: [u64; SLOTS],
    /// The part that was written last.
    part: u64,
}

impl Spent {
    fn forget(&mut self, part: u64) {
        let passed = part.saturating_sub(self.part).min(SLOTS as u64);
        for step in 0..passed {
            self.slots[((self.part + 1 + step) % SLOTS as u64) as usize] = 0;
        }
        self.part = self.part.max(part);
    }

    fn sum(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// Parts until so many tokens are forgotten.
    fn parts_until_free(&self, tokens: u64) -> u64 {
        let mut freed = 0;
        for age in (0..SLOTS as u64).rev() {
            freed += self.slots[((self.part + SLOTS as u64 - age) % SLOTS as u64) as usize];
            if freed >= tokens {
                return SLOTS as u64 - age;
            }
        }
        SLOTS as u64
    }
}

/// What identities may spend.
#[derive(Debug)]
pub(crate) struct Budget {
    most: Option<u64>,
    identities: usize,
    since: Instant,
    spent: Mutex<HashMap<Box<str>, Spent>>,
}

/// Tokens that were set aside for a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reserved {
    tokens: u64,
    part: u64,
}

/// Everybody beyond the number of identities that are told apart.
const OTHERS: &str = "";

impl Budget {
    pub(crate) fn new(most: Option<u64>, identities: usize) -> Self {
        Self { most, identities: identities.max(1), since: Instant::now(), spent: Mutex::default() }
    }

    fn part(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs() / PART.as_secs()
    }

    /// Sets `tokens` aside, or says when that many may be spent.
    pub(crate) fn reserve(&self, identity: &str, tokens: u64, now: Instant) -> Result<Reserved, Duration> {
        let part = self.part(now);
        let Some(most) = self.most else { return Ok(Reserved { tokens: 0, part }) };
        let mut all = self.spent.lock().expect("no holder of the budgets panics");
        let identity = self.slot(&mut all, identity, part);
        let spent = all.entry(identity.into()).or_default();
        spent.forget(part);
        let sum = spent.sum();
        if sum + tokens > most {
            let parts = spent.parts_until_free(sum + tokens - most);
            let at = PART * u32::try_from(part + parts).unwrap_or(u32::MAX);
            let wait = at.saturating_sub(now.saturating_duration_since(self.since));
            return Err(wait.max(Duration::from_secs(1)));
        }
        spent.slots[(part % SLOTS as u64) as usize] += tokens;
        Ok(Reserved { tokens, part })
    }

    /// Writes down what was spent in place of what was set aside.
    pub(crate) fn settle(&self, identity: &str, reserved: Reserved, tokens: u64) {
        if self.most.is_none() {
            return;
        }
        let mut all = self.spent.lock().expect("no holder of the budgets panics");
        let known = if all.contains_key(identity) { identity } else { OTHERS };
        if let Some(spent) = all.get_mut(known)
            && spent.part.saturating_sub(reserved.part) < SLOTS as u64
        {
            let slot = &mut spent.slots[(reserved.part % SLOTS as u64) as usize];
            *slot = (*slot + tokens).saturating_sub(reserved.tokens);
        }
    }

    /// The name under which `identity` is kept; makes room when the number is reached.
    fn slot<'i>(&self, all: &mut HashMap<Box<str>, Spent>, identity: &'i str, part: u64) -> &'i str {
        if all.contains_key(identity) || all.len() < self.identities {
            return identity;
        }
        all.retain(|_, spent| {
            spent.forget(part);
            spent.sum() > 0
        });
        if all.len() < self.identities { identity } else { OTHERS }
    }
}

/// Repeats are at most a fifth of the requests: a failing endpoint gets no more than 1.2 times the
/// load, whatever everybody thinks of it.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<u32>);

impl Repeats {
    const PER_REPEAT: u32 = 5;
    /// What quiet times may save up.
    const MOST: u32 = 10 * Self::PER_REPEAT;

    pub(crate) fn request(&self) {
        let mut saved = self.0.lock().expect("no holder of the repeats panics");
        *saved = (*saved + 1).min(Self::MOST);
    }

    pub(crate) fn may_repeat(&self) -> bool {
        let mut saved = self.0.lock().expect("no holder of the repeats panics");
        if *saved < Self::PER_REPEAT {
            return false;
        }
        *saved -= Self::PER_REPEAT;
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_was_spent_comes_back_after_an_hour_and_the_time_is_told() {
        let budget = Budget::new(Some(1000), 10);
        let start = budget.since;
        let reserved = budget.reserve("ana", 900, start).unwrap();
        budget.settle("ana", reserved, 1000);
        let wait = budget.reserve("ana", 100, start + MINUTE).unwrap_err();
        assert_eq!(wait, Duration::from_secs(3600 + 300 - 60));
        assert!(budget.reserve("ana", 100, start + MINUTE + wait - Duration::from_secs(1)).is_err());
        assert!(budget.reserve("ana", 100, start + MINUTE + wait).is_ok());
        assert!(budget.reserve("bo", 1000, start + MINUTE).is_ok());
        assert!(budget.reserve("bo", 1001, start + 200 * MINUTE).is_err());
    }

    #[test]
    fn identities_beyond_the_number_share_one_budget() {
        let budget = Budget::new(Some(100), 2);
        let now = budget.since;
        for identity in ["a", "b"] {
            assert!(budget.reserve(identity, 60, now).is_ok());
        }
        assert!(budget.reserve("c", 60, now).is_ok());
        assert!(budget.reserve("d", 60, now).is_err(), "c and d share");
        assert!(budget.reserve("e", 60, now + 90 * MINUTE).is_ok());
        assert!(budget.spent.lock().unwrap().len() <= 3);
    }

    #[test]
    fn repeats_are_at_most_a_fifth() {
        let repeats = Repeats::default();
        let mut attempts = 0;
        for _ in 0..1000 {
            repeats.request();
            attempts += 1;
            attempts += i32::from(repeats.may_repeat());
        }
        assert_eq!(attempts, 1200);
    }

    proptest! {
        #[test]
        fn nobody_spends_more_than_the_budget_in_any_hour(
            steps in proptest::collection::vec((0u64..20, 1u64..60), 1..80)
        ) {
            let budget = Budget::new(Some(100), 10);
            let mut now = budget.since;
            let mut spent: Vec<(Instant, u64)> = Vec::new();
            for (minutes, tokens) in steps {
                now += MINUTE * u32::try_from(minutes).unwrap();
                if budget.reserve("ana", tokens, now).is_ok() {
                    spent.push((now, tokens));
                }
                let hour: u64 =
                    spent.iter().filter(|(at, _)| now - *at <= 60 * MINUTE).map(|(_, tokens)| tokens).sum();
                prop_assert!(hour <= 100);
            }
        }
    }
}
