//! Finishes supersedings that a crash cut in half: the newer intent names the older ones in its
//! record before they are told, so what is missing can be made up.

use jiff::Timestamp;
use nephoran_model::intent::{Intent, State};

use super::records::Records;
use crate::store;

/// Ends what `intent`, whose change is committed, supersedes.
pub async fn supersedings(records: &Records, intent: &Intent) -> Result<(), store::Error> {
    if !intent.state.is_committed() {
        return Ok(());
    }
    for id in &intent.supersedes {
        let Some(mut older) = records.get(id).await? else { continue };
        let rests = older.state.is_resting(older.hold);
        let parent = intent.parent.as_ref().is_some_and(|parent| parent.id == *id);
        let state = if parent { State::RolledBack } else { State::Superseded };
        if !rests || !older.state.may_become(state) {
            continue;
        }
        older.superseded_by = Some(intent.id.clone());
        let cause = format!("ended by {} (made up after a restart)", intent.id);
        if older.enter(state, cause, "operator", Timestamp::now()).is_ok() {
            records.save(&mut older, Vec::new()).await?;
        }
    }
    Ok(())
}
