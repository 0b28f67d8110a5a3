//! Forgets what ended long ago: `retention` in the configuration.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Store;

/// An idempotency key lives as long as its record, and this long at least.
const AT_LEAST: Duration = Duration::from_secs(24 * 3600);

const EVERY: Duration = Duration::from_secs(3600);

/// Intents of one transaction: what waits behind it waits some 10 ms.
const AT_ONCE: usize = 250;

/// Looks once an hour, and at the start, until `stop`.
pub async fn run(store: Store, keep: Duration, stop: CancellationToken) {
    let keep = keep.max(AT_LEAST);
    loop {
        let swept = stop.run_until_cancelled(sweep(&store, keep)).await;
        match swept {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(intents)) => info!(intents, "What ended before the retention was forgotten."),
            Some(Err(cause)) => warn!(%cause, "What ended before the retention could not be forgotten yet."),
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

async fn sweep(store: &Store, keep: Duration) -> Result<usize, super::Error> {
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    // Longer than there are years: nothing is that old.
    let Ok(before) = Timestamp::now().checked_sub(keep) else { return Ok(0) };
    let mut forgotten = 0;
    loop {
        let these = store.forget(before, AT_ONCE).await?;
        forgotten += these;
        if these < AT_ONCE {
            return Ok(forgotten);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::{Folder, id, intent, moved, stored};
    use super::*;
    use nephoran_model::intent::State;

    #[tokio::test]
    async fn what_ended_before_the_retention_goes_and_the_rest_stays() {
        let folder = Folder::new();
        let store = folder.open();
        // All accepted in 2023; the last one has not ended.
        for number in 0..601 {
            let mut old = intent(number);
            if number < 600 {
                let at = old.created_at;
                old.enter(State::Cancelled, "not wanted", "ann", at).unwrap();
            }
            store.accept(old, None, None).await.unwrap();
        }
        let recent = stored(&store, &id(600)).await;
        store.accept(intent(700), None, None).await.unwrap();
        let cancelled = moved(stored(&store, &id(700)).await, State::Cancelled, "just now");
        store.advance(cancelled, vec![]).await.unwrap();

        assert_eq!(sweep(&store, AT_LEAST).await.unwrap(), 600);
        assert_eq!(store.get(&id(599)).await.unwrap(), None);
        assert_eq!(stored(&store, &id(600)).await, recent);
        assert!(store.get(&id(700)).await.unwrap().is_some(), "it ended a moment ago");
        let verification = store.verify_audit(vec![]).await.unwrap();
        assert!(verification.is_sound() && verification.erased == 1200, "{verification:?}");
        assert_eq!(sweep(&store, Duration::MAX).await.unwrap(), 0);
    }
}
