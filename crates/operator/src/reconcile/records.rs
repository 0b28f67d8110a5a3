//! The records as the reconciling side writes them: durable first, then everything in memory
//! that follows them.

use std::sync::Arc;

use nephoran_model::intent::{Intent, IntentId};

use super::fields::Fields;
use crate::store::{self, AuditHead, AuditNote, Store};
use crate::telemetry::metrics::Metrics;

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
        if intent.state.is_end() {
            self.metrics.intent_ended(intent.source, intent.state);
        }
        Ok(advanced.audit)
    }
}
