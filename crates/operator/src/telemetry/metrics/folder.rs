//! The hot folder, under the names that dashboards of the reference operator look for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::out::Out;

#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) processed: Counter,
    pub(super) failed: Counter,
    pub(super) validation_failures: Counter,
    pub(super) retry_attempts: Counter,
    pub(super) waiting: Gauge,
    pub(super) backpressure: Counter,
}

impl Collector for Folder {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let counters = [
            ("conductor_loop_files_processed", "Files accepted", &self.processed),
            ("conductor_loop_files_failed", "Files that failed", &self.failed),
            (
                "conductor_loop_validation_failures",
                "Inputs that are no valid intent",
                &self.validation_failures,
            ),
            ("conductor_loop_retry_attempts", "Tries after the first", &self.retry_attempts),
            ("conductor_loop_backpressure_events", "Times the queue was full", &self.backpressure),
        ];
        for (name, help, counter) in counters {
            out.counter(name, help, counter.get())?;
        }
        out.gauge("conductor_loop_queue_depth", "Files seen and not yet taken", self.waiting.get())
    }
}
