//! Is the operator ready, and if not, why: each part says so for itself.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde::Serialize;

/// A handle; clones share what is known.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    conditions: Arc<RwLock<BTreeMap<&'static str, Option<String>>>>,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ready: bool,
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub condition: &'static str,
    pub reason: String,
}

impl Readiness {
    /// Not ready until each of `conditions` was said to hold.
    pub fn awaiting(conditions: impl IntoIterator<Item = &'static str>) -> Self {
        let waiting = |name| (name, Some("starting".to_owned()));
        Self { conditions: Arc::new(RwLock::new(conditions.into_iter().map(waiting).collect())) }
    }

    pub fn holds(&self, condition: &'static str) {
        self.set(condition, None);
    }

    pub fn lacks(&self, condition: &'static str, reason: impl Into<String>) {
        self.set(condition, Some(reason.into()));
    }

    /// Says either, from what was tried.
    pub fn follows<E: std::fmt::Display>(&self, condition: &'static str, tried: &Result<(), E>) {
        self.set(condition, tried.as_ref().err().map(ToString::to_string));
    }

    fn set(&self, condition: &'static str, reason: Option<String>) {
        let mut conditions = self.conditions.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        conditions.insert(condition, reason);
    }

    pub fn report(&self) -> Report {
        let conditions = self.conditions.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let reasons: Vec<_> = conditions
            .iter()
            .filter_map(|(condition, reason)| Some(Reason { condition, reason: reason.clone()? }))
            .collect();
        Report { ready: reasons.is_empty(), reasons }
    }

    /// Each condition, and whether it holds.
    pub fn conditions(&self) -> Vec<(&'static str, bool)> {
        let conditions = self.conditions.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        conditions.iter().map(|(name, lacking)| (*name, lacking.is_none())).collect()
    }

    pub fn is_ready(&self) -> bool {
        self.report().ready
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn it_is_ready_when_every_condition_holds_and_says_why_it_is_not() {
        let readiness = Readiness::awaiting(["store", "repository"]);
        assert_eq!(readiness.report().reasons.len(), 2);
        readiness.holds("store");
        readiness.holds("repository");
        assert!(readiness.is_ready());
        readiness.clone().lacks("draining", "SIGTERM was received");
        assert_eq!(
            serde_json::to_value(readiness.report()).unwrap(),
            serde_json::json!({"ready": false,
                "reasons": [{"condition": "draining", "reason": "SIGTERM was received"}]})
        );
        readiness.follows("draining", &Ok::<(), String>(()));
        assert!(readiness.is_ready());
    }
}
