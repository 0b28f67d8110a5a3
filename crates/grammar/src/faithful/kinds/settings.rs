//! set_capacity and configure: what a workload can carry, and how it is set.

use serde_json::json;

use super::{Work, count, number};
use crate::faithful::Miss;
use crate::faithful::marks::Mark;
use crate::faithful::quantities::{End, Qty, links, quantities};
use crate::frame::{Cmp, Kind};
use crate::units;
use crate::vocabulary::C;
use crate::words::metric;

pub(super) fn capacity(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    work.target("/target")?;
    work.place("/target")?;
    let mut found = quantities(work.sheet, work.group)?;
    let link = links(work.sheet, work.group, &mut found)?;
    // "raise max sessions of smf to 100k": the noun stands before.
    if let [one] = found.as_mut_slice()
        && one.kind == Kind::Bare
        && one.link.is_none()
        && link.is_none()
        && work.sheet.class(one.at + 1) != C::Pods
    {
        let nouns = (work.says(C::Sessions), work.says(C::Subscribers));
        match nouns {
            (true, false) => one.kind = Kind::Sessions,
            (false, true) => one.kind = Kind::Subscribers,
            _ => {}
        }
    }
    if found.is_empty() || link.is_some() {
        return Err(work.unclear());
    }
    for qty in &found {
        capacity_of(work, qty, link, "/capacity")?;
    }
    let metrics = work.group.own.iter().any(|at| {
        let item = &work.sheet.items[*at];
        item.class == C::Metric && !matches!(item.value, metric::THROUGHPUT | metric::BANDWIDTH)
    });
    if metrics
        || work.says(C::Keep) && !work.any(&[C::Let, C::Should, C::Must, C::Want])
        || work.any(&[C::Remove, C::Retire, C::Add, C::Deploy, C::Create, C::Factor, C::Half])
    {
        return Err(work.unclear());
    }
    work.allow(&[
        C::Give,
        C::Carry,
        C::Set,
        C::Light,
        C::Put,
        C::Grow,
        C::Shrink,
        C::Limit,
        C::Capacity,
        C::Sessions,
        C::Subscribers,
        C::Scale,
        C::Run,
        C::Pron,
        C::Up,
        C::Out,
        C::Use,
        C::Of,
        C::Max,
        C::AtMost,
        C::For,
        C::Keep,
        C::With,
        C::Traffic,
        C::Metric,
        C::Must,
        C::Pdu,
    ]);
    work.ties();
    Ok("set_capacity")
}

/// One number of a capacity.
pub(super) fn capacity_of(work: &mut Work<'_>, qty: &Qty, link: Option<u8>, under: &str) -> Result<(), Miss> {
    let plain = matches!(qty.cmp, None | Some(Cmp::AtMost))
        && !qty.per_ue
        && qty.more == 0
        && qty.end == End::None
        && qty.value > 0.0
        && !matches!(qty.prep, C::By | C::From);
    if !plain {
        return Err(work.sheet.unclear(qty.at));
    }
    match qty.kind {
        Kind::Rate(_) => {
            let link = qty.link.or(link).ok_or_else(|| work.sheet.unclear(qty.at))?;
            for (which, field) in [(0, "max_downlink"), (1, "max_uplink")] {
                if link == which || link == 2 {
                    work.rate(&format!("{under}/{field}"), qty)?;
                }
            }
            Ok(())
        }
        Kind::Sessions | Kind::Pdu | Kind::Subscribers if qty.link.is_none() => {
            let n = count(qty).ok_or_else(|| work.sheet.unclear(qty.at))?;
            let field = if qty.kind == Kind::Subscribers { "max_subscribers" } else { "max_sessions" };
            work.put(&format!("{under}/{field}"), n, &[qty.at]);
            Ok(())
        }
        _ => Err(work.sheet.unclear(qty.at)),
    }
}

impl Work<'_> {
    pub(super) fn rate(&mut self, path: &str, qty: &Qty) -> Result<(), Miss> {
        let Kind::Rate(unit) = qty.kind else {
            return Err(self.sheet.unclear(qty.at));
        };
        let unit = match unit {
            0 => "kbps",
            1 => "Mbps",
            _ => "Gbps",
        };
        self.put(&format!("{path}/value"), number(qty.value), &[qty.at]);
        self.put(&format!("{path}/unit"), json!(unit), &[qty.at]);
        Ok(())
    }

    pub(super) fn time(&mut self, path: &str, qty: &Qty) -> Result<(), Miss> {
        let Kind::Time(unit) = qty.kind else {
            return Err(self.sheet.unclear(qty.at));
        };
        let unit = match unit {
            20 => "ms",
            21 => "s",
            22 => "min",
            _ => "h",
        };
        self.put(&format!("{path}/value"), number(qty.value), &[qty.at]);
        self.put(&format!("{path}/unit"), json!(unit), &[qty.at]);
        Ok(())
    }

    /// Bits per second, to compare two rates.
    pub(super) fn bits(qty: &Qty) -> f64 {
        match qty.kind {
            Kind::Rate(0) => qty.value * 1e3,
            Kind::Rate(1) => qty.value * 1e6,
            _ => qty.value * 1e9,
        }
    }

    /// Small words that tie nouns to each other.
    pub(super) fn ties(&mut self) {
        const NOUNS: &[C] = &[
            C::Pods,
            C::Noun,
            C::Pron,
            C::SliceWord,
            C::ServiceWord,
            C::Sst,
            C::Sd,
            C::Plmn,
            C::FiveQi,
            C::UeNoun,
            C::Traffic,
            C::Tac,
            C::Metric,
            C::Reliability,
            C::DelayBudget,
            C::PriorityLevel,
            C::Max,
            C::Min,
            C::AtMost,
            C::AtLeast,
            C::Guarantee,
            C::Link,
            C::Capacity,
            C::Provider,
            C::Version,
            C::Blueprint,
            C::Below,
            C::Above,
            C::Statistic,
            C::Key,
            C::Sessions,
            C::Subscribers,
            C::Called,
            C::Between,
            C::Pdu,
            C::Intent,
            C::Number,
            C::Status,
            C::Factor,
            C::Cell,
        ];
        for at in self.group.own.clone() {
            let item = self.sheet.items[at];
            if item.used || item.mark != Mark::None {
                continue;
            }
            let next = self.sheet.skip(at + 1, &[C::The, C::A, C::Fill]);
            let noun = NOUNS.contains(&self.sheet.class(next))
                && !(matches!(item.class, C::In | C::At | C::Into)
                    && matches!(
                        self.sheet.class(next),
                        C::Number | C::Status | C::Pods | C::Noun | C::Pron | C::Factor
                    ));
            let verb = self.sheet.items.get(next).is_some_and(|item| {
                item.mark == Mark::None
                    && (crate::frame::VERBS.has(item.class) || matches!(item.class, C::Be | C::Have))
            });
            match item.class {
                C::Of | C::On | C::With | C::For | C::In | C::At | C::By | C::Into if noun => {
                    self.sheet.items[at].used = true;
                }
                C::To if verb || self.sheet.class(next) == C::FiveQi => self.sheet.items[at].used = true,
                _ => {}
            }
        }
    }
}

const SECRETS: &[&str] = &["password", "secret", "token", "credential", "passwd", "api_key", "private_key"];

pub(super) fn configure(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let keys = work.marked(Mark::Key);
    let [key] = keys.as_slice() else {
        return Err(work.unclear());
    };
    let key = *key;
    let name = work.word(key);
    if SECRETS.iter().any(|secret| name.contains(secret))
        || work.group.all().any(|at| work.sheet.items[at].mark == Mark::Quantity)
    {
        return Err(work.sheet.unclear(key));
    }
    let values = work.marked(Mark::Value);
    let on: Vec<usize> = work
        .group
        .all()
        .filter(|at| {
            let item = &work.sheet.items[*at];
            item.mark == Mark::None && matches!(item.class, C::Enable | C::Disable)
        })
        .collect();
    let (value, at) = match (values.as_slice(), on.as_slice()) {
        ([value], []) if *value > key => {
            let word = work.word(*value);
            let stands = work.sheet.class(*value);
            // "should be disabled" switches; "to disabled" is the word itself.
            let switched = matches!(stands, C::Enable | C::Disable) && work.sheet.class(*value - 1) == C::Be;
            let word = match (stands, switched) {
                (C::Enable, true) => "on".to_owned(),
                (C::Disable, true) => "off".to_owned(),
                _ => word,
            };
            (word, *value)
        }
        ([], [verb]) => {
            let on = work.sheet.class(*verb) == C::Enable;
            ((if on { "on" } else { "off" }).to_owned(), *verb)
        }
        _ => return Err(work.sheet.unclear(key)),
    };
    work.target("/target")?;
    work.place("/target")?;
    let path = format!("/settings/{}", name.replace('~', "~0").replace('/', "~1"));
    work.put(&path, value, &[at]);
    work.also_carries.push(key);
    for verb in on {
        work.sheet.items[verb].used = true;
    }
    if work.any(&[C::Scale, C::Grow, C::Shrink, C::Add, C::Remove, C::Retire, C::Deploy, C::Create, C::Undo])
    {
        return Err(work.unclear());
    }
    work.allow(&[
        C::Set,
        C::Put,
        C::Give,
        C::Become,
        C::Change,
        C::Light,
        C::Pron,
        C::Use,
        C::Run,
        C::For,
        C::With,
        C::Must,
    ]);
    work.ties();
    Ok("configure")
}

/// The unit a condition on this metric may have, in the contract's words.
pub(super) fn metric_unit(value: f64, kind: Kind) -> Option<(&'static str, serde_json::Value)> {
    let metric = units::metric_of(value as u8)?;
    let unit = units::metric_unit(metric, kind)?;
    let name = match value {
        metric::PRB => "prb_usage",
        metric::CPU => "cpu",
        metric::MEMORY => "memory",
        metric::LATENCY => "latency",
        metric::THROUGHPUT | metric::BANDWIDTH => "throughput",
        metric::PACKET_LOSS => "packet_loss",
        metric::AVAILABILITY => "availability",
        _ => "energy",
    };
    Some((name, serde_json::to_value(unit).ok()?))
}
