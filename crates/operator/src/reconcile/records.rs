//! The records as the reconciling side writes them: durable first, then everything in memory
//! that follows them.

use std::sync::Arc;

use nephoran_model::intent::{Intent, IntentId};
use tracing::{debug, info};

use super::fields::Fields;
use crate::store::{self, AuditHead, AuditNote, Store};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::Trace;

#[derive(Clone)]
pub struct Records {
    pub store: Store,
    pub fields: Arc<Fields>,
    pub metrics: Metrics,
}

impl Records {
    pub async fn get(&self, id: &IntentId) -> Result<Option<Intent>, store::Error> {
        self.store.get(id).await
    }

    /// Makes the record durable if nobody else wrote it meanwhile, then tells the index and
    /// the metrics.
    pub async fn save(&self, intent: &mut Intent, notes: Vec<AuditNote>) -> Result<AuditHead, store::Error> {
        let advanced = self.store.advance(intent.clone(), notes).await?;
        intent.version = advanced.version;
        self.fields.note(intent);
        self.metrics.moved(intent, advanced.moves);
        tell(intent, advanced.moves);
        Ok(advanced.audit)
    }
}

/// Where an intent rests is worth a line; the way there only to who looks for it.
fn tell(intent: &Intent, new: usize) {
    let from = intent.history.len().saturating_sub(new);
    for step in &intent.history[from..] {
        let (state, cause, actor) = (step.state.as_str(), &step.cause, &step.actor);
        if step.state.is_resting(intent.hold) {
            info!(intent = %intent.id, trace_id = %Trace::of(intent).id, state, cause, actor, "An intent came to rest.");
        } else {
            debug!(intent = %intent.id, trace_id = %Trace::of(intent).id, state, cause, actor, "An intent moved.");
        }
    }
}
