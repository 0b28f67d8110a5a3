//! What others keep: the store's commits, and which conditions of readiness hold.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::out::Out;
use crate::store::{Snapshot, Store};
use crate::telemetry::Readiness;

#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Counts its own commits; read when somebody looks.
    pub(super) store: OnceLock<Store>,
    pub(super) readiness: OnceLock<Readiness>,
}

impl Collector for Kept {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        if let Some(readiness) = self.readiness.get() {
            let conditions = readiness.conditions();
            let conditions = conditions.iter().map(|(name, holds)| (*name, i64::from(*holds)));
            let help = "1 while the condition of readiness holds";
            out.gauges("nephoran_ready", help, "condition", conditions)?;
        }
        let Some(store) = self.store.get() else { return Ok(()) };
        let stats = store.stats();
        let histograms = [
            ("nephoran_store_commit_seconds", "Time of one durable write", &stats.commit_seconds),
            ("nephoran_store_commit_batch", "Changes in one durable write", &stats.commit_batch),
        ];
        for (name, help, histogram) in histograms {
            out.histogram(name, help, &Stored(histogram.snapshot()))?;
        }
        let counted = [
            ("nephoran_store_syncs", "Syncs of the journal", &stats.syncs),
            ("nephoran_store_failures", "Writes and openings of the store that went wrong", &stats.failures),
        ];
        for (name, help, count) in counted {
            out.counter(name, help, count.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}

/// A histogram that the store keeps.
struct Stored(Snapshot);

impl EncodeMetric for Stored {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<NoLabelSet>(self.0.sum, self.0.count, &self.0.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
