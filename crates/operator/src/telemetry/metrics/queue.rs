//! The queue: places in use, and what was turned away.

use std::fmt;

use nephoran_queue::{Band, Numbers};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::out::{Out, many, values};
use crate::admit::Refusal;

const REFUSALS: [&str; 8] = ["full", "live", "draining", "store", "key", "invalid", "model", "late"];

#[derive(Debug)]
pub(super) struct Queue {
    depth: Vec<Gauge>,
    capacity: Gauge,
    refusals: Vec<Counter>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { depth: many(Band::ALL.len()), capacity: Gauge::default(), refusals: many(REFUSALS.len()) }
    }
}

impl Queue {
    pub(super) fn numbers(&self, queue: &Numbers) {
        for band in Band::ALL {
            self.depth[band.index()].set(queue.used[band.index()] as i64);
        }
        self.capacity.set(queue.limits.total as i64);
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        let reason = match refusal {
            Refusal::Full { .. } => 0,
            Refusal::TooManyLive { .. } => 1,
            Refusal::Draining { .. } => 2,
            Refusal::Store { .. } => 3,
            Refusal::KeyReused => 4,
            Refusal::Invalid { .. } => 5,
            Refusal::Model { .. } => 6,
            Refusal::Late { .. } => 7,
        };
        self.refusals[reason].inc();
    }
}

impl Collector for Queue {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let bands = Band::ALL.iter().map(|band| (band.as_str(), self.depth[band.index()].get()));
        out.gauges("nephoran_queue_depth", "Places in use", "priority", bands)?;
        let refusals = REFUSALS.into_iter().zip(&self.refusals);
        out.counters("nephoran_queue_refusals", "Submissions turned away", "reason", refusals)?;
        out.gauge("worker_pool_queue_depth", "Places in use, all bands", values(&self.depth).sum())?;
        out.gauge("worker_pool_queue_capacity", "Places in the queue", self.capacity.get())
    }
}
