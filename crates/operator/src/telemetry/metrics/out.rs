//! Writes one family of numbers after another in the form of `/metrics`.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;

pub(super) struct Out<'a>(DescriptorEncoder<'a>);

impl<'a> Out<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    /// Seconds and other counts that are not whole.
    pub(super) fn sum(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    /// One series per label value.
    pub(super) fn counters<'b>(
        &mut self,
        name: &str,
        help: &str,
        label: &'b str,
        all: impl IntoIterator<Item = (&'b str, &'b Counter)>,
    ) -> fmt::Result {
        self.counted(name, help, all.into_iter().map(|(value, counter)| ([(label, value)], counter.get())))
    }

    /// One series per set of labels.
    pub(super) fn counted<'b, const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        all: impl IntoIterator<Item = ([(&'b str, &'b str); LABELS], u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in all {
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    /// One series per label value.
    pub(super) fn gauges<'b>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        all: impl IntoIterator<Item = (&'b str, i64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (value, gauge) in all {
            ConstGauge::new(gauge).encode(encoder.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }

    /// One series per set of labels.
    pub(super) fn gauged<'b, const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        all: impl IntoIterator<Item = ([(&'b str, &'b str); LABELS], i64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in all {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &impl EncodeMetric) -> fmt::Result {
        histogram.encode(self.0.encode_descriptor(name, help, None, MetricType::Histogram)?)
    }

    /// One histogram per label value.
    pub(super) fn histograms<'b>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        all: impl IntoIterator<Item = (&'b str, &'b Histogram)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (value, histogram) in all {
            histogram.encode(encoder.encode_family(&[(label, value)])?)?;
        }
        Ok(())
    }
}

pub(super) fn values(all: &[Gauge]) -> impl Iterator<Item = i64> {
    all.iter().map(Gauge::get)
}

pub(super) fn many<T: Default>(count: usize) -> Vec<T> {
    (0..count).map(|_| T::default()).collect()
}

/// From a sync of a fast disk to what a caller is ready to wait.
pub(super) fn seconds() -> Histogram {
    Histogram::new([
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        10.0, 30.0, 60.0,
    ])
}
