//! Finishes supersedings that a crash cut in half: the newer intent names the older ones in its
//! record before they are told, so what is missing can be made up.

use jiff::Timestamp;
use nephoran_model::intent::{Intent, IntentId, State};

use super::records::Records;
use crate::store;

/// Ends what `intent`, whose change is committed, supersedes.
pub async fn supersedings(records: &Records, intent: &Intent) -> Result<(), store::Error> {
    if !intent.state.is_committed() {
        return Ok(());
    }
    for id in &intent.supersedes {
        // Somebody may act on it at the same moment: read again, it soon rests or ends.
        while let Err(cause) = end(records, intent, id).await {
            if !matches!(cause, store::Error::Stale { .. }) {
                return Err(cause);
            }
        }
    }
    Ok(())
}

async fn end(records: &Records, intent: &Intent, id: &IntentId) -> Result<(), store::Error> {
    let Some(mut older) = records.get(id).await? else { return Ok(()) };
    let parent = intent.parent.as_ref().is_some_and(|parent| parent.id == *id);
    let state = if parent { State::RolledBack } else { State::Superseded };
    if !older.state.is_resting(older.hold) || !older.state.may_become(state) {
        return Ok(());
    }
    older.superseded_by = Some(intent.id.clone());
    let cause = format!("ended by {} (made up after a restart)", intent.id);
    if older.enter(state, cause, "operator", Timestamp::now()).is_ok() {
        records.save(&mut older, Vec::new()).await?;
    }
    Ok(())
}
