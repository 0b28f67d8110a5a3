//! Spans on their way to a collector: handed over, never waited for.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use super::out::Out;
use crate::telemetry::trace::Trace;

/// Spans that may wait for the exporter, about 4 MB of them. An intent makes six or seven.
pub(crate) const QUEUE: usize = 8192;

/// What became of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Exported,
    /// The collector did not keep up.
    DroppedFull,
    /// The collector did not take it, or not in time.
    DroppedFailed,
}

impl Fate {
    pub const ALL: [Self; 3] = [Self::Exported, Self::DroppedFull, Self::DroppedFailed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::DroppedFull => "dropped_full",
            Self::DroppedFailed => "dropped_failed",
        }
    }
}

/// A part of the way of an intent, when it is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub trace: Trace,
    pub id: u64,
    /// 0: none.
    pub parent: u64,
    pub parent_is_remote: bool,
    pub name: &'static str,
    pub start: SystemTime,
    pub end: SystemTime,
    pub attributes: Vec<(&'static str, String)>,
    /// Why it did not come off.
    pub failed: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Spans {
    /// Empty while nobody wants any: then none is made.
    out: OnceLock<mpsc::Sender<Span>>,
    fates: [Counter; 3],
    made: AtomicU64,
}

impl Spans {
    /// From now on spans are made, and come out at the other end.
    pub(super) fn open(&self) -> Option<mpsc::Receiver<Span>> {
        let (out, spans) = mpsc::channel(QUEUE);
        let seed = u64::from_be_bytes(uuid::Uuid::new_v4().as_bytes()[8..].try_into().expect("16 - 8 = 8"));
        self.made.store(seed, Ordering::Relaxed);
        self.out.set(out).ok().map(|()| spans)
    }

    pub(super) fn are_wanted(&self) -> bool {
        self.out.get().is_some()
    }

    pub(super) fn count(&self, fate: Fate, spans: u64) {
        self.fates[fate as usize].inc_by(spans);
    }

    /// A stage of `trace` that ended now.
    pub(super) fn ended(&self, trace: Trace, name: &'static str, took: Duration, details: Details<'_>) {
        let end = SystemTime::now();
        let start = end.checked_sub(took).unwrap_or(end);
        self.hand_over(Span {
            trace,
            id: self.next_id(),
            parent: trace.root,
            parent_is_remote: false,
            name,
            start,
            end,
            attributes: details.attributes(),
            failed: details.failed.map(str::to_owned),
        });
    }

    pub(super) fn hand_over(&self, span: Span) {
        let Some(out) = self.out.get() else { return };
        // Whoever works on an intent never waits for a collector.
        if out.try_send(span).is_err() {
            self.count(Fate::DroppedFull, 1);
        }
    }

    /// Spread over all numbers (SplitMix64), begun at a random one.
    pub(super) fn next_id(&self) -> u64 {
        let mut mixed = self.made.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).max(1)
    }
}

/// What else is known of a span; borrowed, so that it costs nothing while nobody wants spans.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details<'a> {
    pub of: &'a [(&'static str, &'a str)],
    pub failed: Option<&'a str>,
}

impl Details<'_> {
    fn attributes(&self) -> Vec<(&'static str, String)> {
        self.of.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }
}

impl Collector for Spans {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let fates = Fate::ALL.iter().map(|fate| fate.as_str()).zip(&self.fates);
        Out::new(encoder).counters("nephoran_spans", "Spans by what became of them", "result", fates)
    }
}
