//! The asynchronous runtime: tasks alive, and how long tasks wait for it.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::out::Out;

const TICK: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Runtime {
    runtime: Option<tokio::runtime::Handle>,
    stall: Histogram,
}

impl Runtime {
    /// Counts the tasks of the runtime it is made in, when there is one.
    pub(super) fn new() -> Self {
        Self {
            runtime: tokio::runtime::Handle::try_current().ok(),
            // A tick rounds up to the next millisecond; the alert stands at 100 ms.
            stall: Histogram::new([0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
        }
    }

    /// Ticks until `stop`, and notes how late each tick was: that is how long every other task of
    /// the runtime had to wait too.
    pub(super) async fn watch(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let due = Instant::now() + TICK;
            tokio::select! {
                () = tokio::time::sleep_until(due) => self.stall.observe(due.elapsed().as_secs_f64()),
                () = stop.cancelled() => return,
            }
        }
    }
}

impl Collector for Runtime {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out::new(encoder);
        let tasks = self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        out.gauge("nephoran_runtime_tasks", "Tasks alive", tasks as i64)?;
        out.histogram("nephoran_runtime_stall_seconds", "How late a 10 ms tick fired", &self.stall)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Metrics;
    use super::*;

    fn value(metrics: &Metrics, series: &str) -> f64 {
        let text = metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series} is not in\n{text}")).parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_runtime_that_is_held_up_for_a_quarter_of_a_second_shows_as_a_stall() {
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let watched = tokio::spawn(metrics.clone().watch_runtime(stop.clone()));
        tokio::task::yield_now().await;
        // Nobody gets a turn before 250 ms have gone by.
        tokio::time::advance(Duration::from_millis(250)).await;
        while value(&metrics, "nephoran_runtime_stall_seconds_count") < 1.0 {
            tokio::task::yield_now().await;
        }
        let late = value(&metrics, "nephoran_runtime_stall_seconds_sum");
        assert!((0.239..=0.25).contains(&late), "{late}");
        // The alert asks for the share that is later than 100 ms.
        assert_eq!(value(&metrics, "nephoran_runtime_stall_seconds_bucket{le=\"0.1\"}"), 0.0);
        assert_eq!(value(&metrics, "nephoran_runtime_stall_seconds_bucket{le=\"0.25\"}"), 1.0);
        assert!(value(&metrics, "nephoran_runtime_tasks") >= 1.0);
        stop.cancel();
        watched.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_in_time_are_no_stall() {
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let watched = tokio::spawn(metrics.clone().watch_runtime(stop.clone()));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(value(&metrics, "nephoran_runtime_stall_seconds_count") >= 150.0);
        assert_eq!(
            value(&metrics, "nephoran_runtime_stall_seconds_bucket{le=\"0.005\"}"),
            value(&metrics, "nephoran_runtime_stall_seconds_count"),
        );
        stop.cancel();
        watched.await.unwrap();
    }

    /// The real thing, once: a thread of the runtime that computes and does not give way.
    #[tokio::test]
    async fn a_task_that_never_gives_way_shows_as_a_stall() {
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let watched = tokio::spawn(metrics.clone().watch_runtime(stop.clone()));
        tokio::task::yield_now().await;
        let until = std::time::Instant::now() + Duration::from_millis(130);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        while value(&metrics, "nephoran_runtime_stall_seconds_count") < 1.0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(value(&metrics, "nephoran_runtime_stall_seconds_bucket{le=\"0.1\"}"), 0.0);
        stop.cancel();
        watched.await.unwrap();
    }
}
