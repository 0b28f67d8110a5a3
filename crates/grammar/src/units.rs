//! Units: what a number counts, and the contract's names for it.

use nephoran_model::proposal::{BitRate, BitRateUnit, Decimal, Metric, MetricUnit, Time, TimeUnit};

use crate::frame::{Kind, Qty};
use crate::words::{metric, unit};

/// Metrics of objectives that nobody watches by name.
pub(crate) const DELAY_BUDGET: u8 = 100;
pub(crate) const RELIABILITY: u8 = 101;

/// The kind of a number before the unit with this value. "GB/s" is bytes: the
/// capital cannot be seen here, so bytes are told apart by the caller's text.
pub(crate) fn kind(value: f64, _word: &str) -> Kind {
    if value == unit::TBPS {
        Kind::Unclear
    } else if value < unit::UNCLEAR {
        Kind::Rate(value as u8)
    } else if value == unit::UNCLEAR {
        Kind::Unclear
    } else if value < unit::W {
        Kind::Time(value as u8)
    } else {
        Kind::Power(value as u8)
    }
}

pub(crate) fn bit_rate(qty: &Qty) -> Option<BitRate> {
    let Kind::Rate(unit) = qty.kind else {
        return None;
    };
    let unit = match f64::from(unit) {
        unit::KBPS => BitRateUnit::Kbps,
        unit::MBPS => BitRateUnit::Mbps,
        _ => BitRateUnit::Gbps,
    };
    Some(BitRate { value: Decimal(qty.value), unit })
}

pub(crate) fn time(qty: &Qty) -> Option<Time> {
    let Kind::Time(unit) = qty.kind else {
        return None;
    };
    let unit = match f64::from(unit) {
        unit::MS => TimeUnit::Ms,
        unit::S => TimeUnit::S,
        unit::MIN => TimeUnit::Min,
        _ => TimeUnit::H,
    };
    Some(Time { value: Decimal(qty.value), unit })
}

pub(crate) fn metric_of(value: u8) -> Option<Metric> {
    Some(match f64::from(value) {
        metric::PRB => Metric::PrbUsage,
        metric::CPU => Metric::Cpu,
        metric::MEMORY => Metric::Memory,
        metric::LATENCY => Metric::Latency,
        metric::THROUGHPUT | metric::BANDWIDTH => Metric::Throughput,
        metric::PACKET_LOSS => Metric::PacketLoss,
        metric::AVAILABILITY => Metric::Availability,
        metric::ENERGY => Metric::Energy,
        _ => return None,
    })
}

/// The unit a condition on this metric may have.
pub(crate) fn metric_unit(metric: Metric, kind: Kind) -> Option<MetricUnit> {
    Some(match (metric, kind) {
        (
            Metric::PrbUsage | Metric::Cpu | Metric::Memory | Metric::PacketLoss | Metric::Availability,
            Kind::Percent,
        ) => MetricUnit::Percent,
        (Metric::Latency, Kind::Time(unit)) => match f64::from(unit) {
            unit::MS => MetricUnit::Ms,
            unit::S => MetricUnit::S,
            unit::MIN => MetricUnit::Min,
            _ => MetricUnit::H,
        },
        (Metric::Throughput, Kind::Rate(unit)) => match f64::from(unit) {
            unit::KBPS => MetricUnit::Kbps,
            unit::MBPS => MetricUnit::Mbps,
            _ => MetricUnit::Gbps,
        },
        (Metric::Sessions, Kind::Sessions | Kind::Pdu | Kind::Bare)
        | (Metric::Ues, Kind::Ues | Kind::Bare) => MetricUnit::Count,
        (Metric::Energy, Kind::Power(unit)) => match f64::from(unit) {
            unit::W => MetricUnit::W,
            unit::KW => MetricUnit::KW,
            unit::WH => MetricUnit::Wh,
            _ => MetricUnit::KWh,
        },
        _ => return None,
    })
}

/// Bits per second, to compare two rates.
pub(crate) fn bits(rate: BitRate) -> f64 {
    rate.value.0
        * match rate.unit {
            BitRateUnit::Kbps => 1e3,
            BitRateUnit::Mbps => 1e6,
            BitRateUnit::Gbps => 1e9,
        }
}
