//! A sentence that says a proposal again, for confirmations and reports.
//!
//! `translate` reads it back to the same proposal: what a person confirms is
//! what would be done.

use std::fmt::Write;

use nephoran_model::proposal::{
    Action, Actions, BitRate, BitRateUnit, Capacity, Comparison, Deploy, Ensure, Function, LinkDirection,
    Metric, MetricUnit, Preference, Priority, Purpose, Qos, Scale, ScaleDirection, Service, Slice, SliceRef,
    Statistic, Steer, Target, Time, TimeUnit,
};

/// Says `proposal` in words.
pub fn render(proposal: &Actions) -> String {
    let mut out = String::new();
    match proposal.priority {
        Some(Priority::Urgent) => out.push_str("urgent: "),
        Some(Priority::High) => out.push_str("high priority: "),
        Some(Priority::Normal) => out.push_str("normal priority: "),
        Some(Priority::Low) => out.push_str("low priority: "),
        None => {}
    }
    if proposal.purpose == Some(Purpose::Check) {
        out.push_str("can we ");
    }
    for (index, action) in proposal.actions.iter().enumerate() {
        if index > 0 {
            out.push_str("; ");
        }
        out.push_str(&sentence(action));
    }
    if let Some(motive) = &proposal.motive {
        out.push_str(", ");
        out.push_str(motive);
    }
    out
}

fn sentence(action: &Action) -> String {
    match action {
        Action::Scale(scale) => self::scale(scale),
        Action::Deploy(deploy) => self::deploy(deploy),
        Action::Retire(retire) => format!("retire {}", target(&retire.target)),
        Action::Upgrade(upgrade) => {
            format!("upgrade {} to version {}", target(&upgrade.target), upgrade.version)
        }
        Action::SetCapacity(set) => format!("give {} {}", target(&set.target), capacity(&set.capacity)),
        Action::Configure(configure) => configure
            .settings
            .iter()
            .map(|(key, value)| format!("set {key} to \"{value}\" on {}", target(&configure.target)))
            .collect::<Vec<_>>()
            .join("; "),
        Action::Slice(slice) => self::slice(slice),
        Action::Steer(steer) => self::steer(steer),
        Action::Qos(qos) => self::qos(qos),
        Action::Ensure(ensure) => self::ensure(ensure),
        Action::Rollback(rollback) => match (&rollback.intent, &rollback.target) {
            (Some(intent), _) => format!("undo intent \"{intent}\""),
            (None, Some(of)) => format!("undo the last change of {}", target(of)),
            (None, None) => "undo".to_owned(),
        },
        Action::Report(report) => match &report.target {
            Some(of) => format!("show the status of {}", target(of)),
            None => "show the full inventory".to_owned(),
        },
    }
}

fn target(target: &Target) -> String {
    let mut out = match (&target.name, target.function) {
        (Some(name), Some(function)) if word_of(name, function) => name.clone(),
        (Some(name), Some(function)) => format!("the {} called \"{name}\"", in_full(function)),
        (Some(name), None) => format!("the workload \"{name}\""),
        (None, Some(function)) => format!("the {}", in_full(function)),
        (None, None) => "it".to_owned(),
    };
    place(&mut out, target.namespace.as_ref(), target.cluster.as_ref(), target.place.as_ref());
    out
}

fn place(out: &mut String, namespace: Option<&String>, cluster: Option<&String>, place: Option<&String>) {
    for (before, name) in [(" in namespace", namespace), (" on cluster", cluster), (" in", place)] {
        if let Some(name) = name {
            // Writing to a string cannot fail.
            let _ = write!(out, "{before} \"{name}\"");
        }
    }
}

/// Whether the vocabulary folds the word `name` to `function`.
fn word_of(name: &str, function: Function) -> bool {
    crate::words::FUNCTIONS
        .iter()
        .any(|(of, words)| *of == function && words.split(' ').any(|word| word == name))
}

/// The long form, which is a function and no name.
fn in_full(function: Function) -> &'static str {
    match function {
        Function::Amf => "access and mobility management function",
        Function::Smf => "session management function",
        Function::Upf => "user plane function",
        Function::Nrf => "network repository function",
        Function::Ausf => "authentication server function",
        Function::Udm => "unified data management",
        Function::Udr => "unified data repository",
        Function::Pcf => "policy control function",
        Function::Nssf => "network slice selection function",
        Function::Nef => "network exposure function",
        Function::Af => "application function",
        Function::N3iwf => "non-3gpp interworking function",
        Function::Chf => "charging function",
        Function::Bsf => "binding support function",
        Function::Scp => "service communication proxy",
        Function::Sepp => "security edge protection proxy",
        Function::Nwdaf => "network data analytics function",
        Function::ODu => "distributed unit",
        Function::OCuCp => "cu control plane",
        Function::OCuUp => "cu user plane",
        Function::OCu => "central unit",
        Function::ORu => "radio unit",
        Function::NearRtRic => "near real time ric",
        Function::NonRtRic => "non real time ric",
        Function::Xapp => "xapp function",
        Function::Rapp => "rapp function",
        Function::Smo => "service management and orchestration",
        Function::E2Simulator => "e2 simulator",
    }
}

fn scale(scale: &Scale) -> String {
    let replicas = &scale.replicas;
    let what = target(&scale.target);
    let from = replicas.from.map(|from| format!(" from {from}")).unwrap_or_default();
    let mut out = match (replicas.to, replicas.by, replicas.factor) {
        (Some(to), _, _) => {
            let verb = match replicas.direction {
                Some(ScaleDirection::Out) => "increase",
                Some(ScaleDirection::In) => "reduce",
                _ => "scale",
            };
            format!("{verb} {what}{from} to {to} replicas")
        }
        (None, Some(by), _) if by < 0 => format!("reduce {what}{from} by {} replicas", by.unsigned_abs()),
        (None, Some(by), _) => format!("increase {what}{from} by {by} replicas"),
        (None, None, Some(factor)) => format!("scale {what}{from} {factor} times"),
        (None, None, None) => format!("scale {what}"),
    };
    if let Some(min) = replicas.min {
        let _ = write!(out, ", at least {min} replicas");
    }
    if let Some(max) = replicas.max {
        let _ = write!(out, ", at most {max} replicas");
    }
    out
}

fn deploy(deploy: &Deploy) -> String {
    let mut out = "deploy".to_owned();
    if let Some(function) = deploy.function {
        let _ = write!(out, " {function}");
    }
    if let Some(blueprint) = &deploy.blueprint {
        let _ = write!(out, " blueprint \"{blueprint}\"");
    }
    if let Some(name) = &deploy.name {
        let _ = write!(out, " called \"{name}\"");
    }
    if let Some(provider) = &deploy.provider {
        let _ = write!(out, " of provider \"{provider}\"");
    }
    if let Some(version) = &deploy.version {
        let _ = write!(out, " in version {version}");
    }
    place(&mut out, deploy.namespace.as_ref(), deploy.cluster.as_ref(), deploy.place.as_ref());
    if let Some(replicas) = deploy.replicas {
        let _ = write!(out, " with {replicas} replicas");
    }
    if let Some(of) = &deploy.capacity {
        let _ = write!(out, ", with {}", capacity(of));
    }
    out
}

fn capacity(capacity: &Capacity) -> String {
    let mut parts = Vec::new();
    if let Some(of) = capacity.max_downlink {
        parts.push(format!("{} downlink", rate(of)));
    }
    if let Some(of) = capacity.max_uplink {
        parts.push(format!("{} uplink", rate(of)));
    }
    if let Some(of) = capacity.max_sessions {
        parts.push(format!("{of} sessions"));
    }
    if let Some(of) = capacity.max_subscribers {
        parts.push(format!("{of} subscribers"));
    }
    parts.join(", ")
}

fn rate(rate: BitRate) -> String {
    let unit = match rate.unit {
        BitRateUnit::Kbps => "kbps",
        BitRateUnit::Mbps => "Mbps",
        BitRateUnit::Gbps => "Gbps",
    };
    format!("{} {unit}", rate.value)
}

fn time(time: Time) -> String {
    let unit = match time.unit {
        TimeUnit::Ms => "ms",
        TimeUnit::S => "s",
        TimeUnit::Min => "minutes",
        TimeUnit::H => "h",
    };
    format!("{} {unit}", time.value)
}

fn cells(cells: &[String]) -> String {
    let names: Vec<String> = cells
        .iter()
        .map(
            |cell| {
                if cell.bytes().all(|b| b.is_ascii_digit()) { cell.clone() } else { format!("\"{cell}\"") }
            },
        )
        .collect();
    format!("cells {}", names.join(" and "))
}

fn reference(slice: &SliceRef) -> String {
    let mut out = "slice".to_owned();
    if let Some(name) = &slice.name {
        let _ = write!(out, " \"{name}\"");
    }
    if let Some(sst) = slice.sst {
        let _ = write!(out, " sst {sst}");
    }
    if let Some(sd) = &slice.sd {
        let _ = write!(out, " sd {sd}");
    }
    out
}

fn slice(slice: &Slice) -> String {
    let service = match slice.service {
        Some(Service::Embb) => " embb",
        Some(Service::Urllc) => " urllc",
        Some(Service::Miot) => " miot",
        Some(Service::V2x) => " v2x",
        None => "",
    };
    let of = reference(&SliceRef { name: slice.name.clone(), sst: slice.sst, sd: slice.sd.clone() });
    let mut out = format!("create a{service} {of}");
    if let Some(plmn) = &slice.plmn {
        let _ = write!(out, ", plmn {}-{}", plmn.mcc, plmn.mnc);
    }
    place(&mut out, slice.namespace.as_ref(), None, slice.place.as_ref());
    if let Some(of) = &slice.objectives {
        for (words, value) in [
            ("guaranteed downlink of", of.gua_dl_thpt),
            ("maximum downlink of", of.max_dl_thpt),
            ("guaranteed uplink of", of.gua_ul_thpt),
            ("maximum uplink of", of.max_ul_thpt),
        ] {
            if let Some(value) = value {
                let _ = write!(out, ", with a {words} {}", rate(value));
            }
        }
        for (link, value) in [("downlink", of.max_dl_thpt_ue), ("uplink", of.max_ul_thpt_ue)] {
            if let Some(value) = value {
                let _ = write!(out, ", at most {} {link} per device", rate(value));
            }
        }
        for (words, value) in
            [("delay", of.delay), ("downlink delay", of.dl_delay), ("uplink delay", of.ul_delay)]
        {
            if let Some(value) = value {
                let _ = write!(out, ", {words} of {}", time(value));
            }
        }
        if let Some(value) = of.reliability {
            let _ = write!(out, ", reliability {value} %");
        }
        if let Some(value) = of.max_ues {
            let _ = write!(out, ", at most {value} devices");
        }
        if let Some(value) = of.max_pdu_sessions {
            let _ = write!(out, ", at most {value} pdu sessions");
        }
    }
    if let Some(list) = &slice.cells {
        let _ = write!(out, ", on {}", cells(list));
    }
    if let Some(list) = &slice.tacs {
        let _ = write!(out, ", in tracking areas {}", list.join(" and "));
    }
    out
}

fn steer(steer: &Steer) -> String {
    let verb = match steer.preference {
        Preference::Prefer => "prefer",
        Preference::Avoid => "avoid",
        Preference::Forbid => "forbid",
        Preference::Shall => "must use",
    };
    let mut out = format!("{verb} {}", cells(&steer.cells));
    if let Some(slice) = &steer.slice {
        let _ = write!(out, " for {}", reference(slice));
    }
    if let Some(ue) = &steer.ue {
        let _ = write!(out, " for ue {ue}");
    }
    out
}

fn qos(qos: &Qos) -> String {
    let mut out = format!("give 5qi {}", qos.scope.five_qi);
    if let Some(slice) = &qos.scope.slice {
        let _ = write!(out, " of {}", reference(slice));
    }
    if let Some(ue) = &qos.scope.ue {
        let _ = write!(out, " of ue {ue}");
    }
    if let Some(group) = &qos.scope.group {
        let _ = write!(out, " of group \"{group}\"");
    }
    let of = &qos.objectives;
    if let Some(value) = of.gfbr {
        let _ = write!(out, ", at least {}", rate(value));
    }
    if let Some(value) = of.mfbr {
        let _ = write!(out, ", at most {}", rate(value));
    }
    if let Some(value) = of.delay_budget {
        let _ = write!(out, ", a delay budget of {}", time(value));
    }
    if let Some(value) = of.priority_level {
        let _ = write!(out, ", priority level {value}");
    }
    match qos.direction {
        Some(LinkDirection::Downlink) => out.push_str(", on the downlink"),
        Some(LinkDirection::Uplink) => out.push_str(", on the uplink"),
        None => {}
    }
    out
}

fn ensure(ensure: &Ensure) -> String {
    let condition = &ensure.condition;
    let by = ensure.by.as_ref().map(|by| by.scale.clone()).unwrap_or_default();
    let direction = match condition.direction {
        Some(LinkDirection::Downlink) => "downlink ",
        Some(LinkDirection::Uplink) => "uplink ",
        None => "",
    };
    let statistic = match condition.statistic {
        Some(Statistic::Mean) => "mean ",
        Some(Statistic::Max) => "peak ",
        Some(Statistic::P95) => "p95 ",
        None => "",
    };
    let metric = match condition.metric {
        Metric::PrbUsage => "prb usage",
        Metric::Cpu => "cpu",
        Metric::Memory => "memory",
        Metric::Latency => "latency",
        Metric::Throughput => "throughput",
        Metric::Sessions => "sessions",
        Metric::Ues => "ues",
        Metric::PacketLoss => "packet loss",
        Metric::Availability => "availability",
        Metric::Energy => "energy",
    };
    let unit = unit(condition.unit, condition.metric);
    let of = match (&ensure.target, &ensure.cells) {
        (Some(of), _) => target(of),
        (None, Some(list)) => cells(list),
        (None, None) => String::new(),
    };
    let hold = condition.hold.map(|hold| format!(" for {}", time(hold))).unwrap_or_default();
    let value = condition.value.map(|value| format!("{value}{unit}")).unwrap_or_default();
    let measured = format!("{direction}{statistic}{metric}");
    let trigger = matches!(by.direction, Some(ScaleDirection::Out | ScaleDirection::In));
    let mut out = if trigger {
        let verb = if by.direction == Some(ScaleDirection::Out) { "scale out" } else { "scale down" };
        // The state is the opposite of what sets it off.
        let when = match condition.is {
            Comparison::AtMost => "above",
            Comparison::LessThan => "at least",
            Comparison::AtLeast => "below",
            _ => "at most",
        };
        format!("{verb} {of} when {measured} is {when} {value}{hold}")
    } else {
        let elastic = match (by.direction, by.step) {
            (Some(ScaleDirection::Both), _) => "autoscale scale-out scale-in, ",
            (None, Some(_)) => "autoscale, ",
            _ => "",
        };
        let is = match condition.is {
            Comparison::LessThan => format!("below {value}"),
            Comparison::AtMost => format!("at most {value}"),
            Comparison::GreaterThan => format!("above {value}"),
            Comparison::AtLeast => format!("at least {value}"),
            Comparison::Within => format!(
                "between {} and {}{unit}",
                condition.from.unwrap_or(nephoran_model::proposal::Decimal(0.0)),
                condition.to.unwrap_or(nephoran_model::proposal::Decimal(0.0))
            ),
        };
        format!("{elastic}keep {measured} of {of} {is}{hold}")
    };
    if let Some(min) = by.min {
        let _ = write!(out, ", at least {min} replicas");
    }
    if let Some(max) = by.max {
        let _ = write!(out, ", at most {max} replicas");
    }
    if let Some(step) = by.step {
        let _ = write!(out, ", by {step} replicas");
    }
    out
}

fn unit(unit: MetricUnit, metric: Metric) -> &'static str {
    match unit {
        MetricUnit::Percent => " %",
        MetricUnit::Count if metric == Metric::Ues => " ues",
        MetricUnit::Count => " sessions",
        MetricUnit::Ms => " ms",
        MetricUnit::S => " s",
        MetricUnit::Min => " minutes",
        MetricUnit::H => " h",
        MetricUnit::Kbps => " kbps",
        MetricUnit::Mbps => " Mbps",
        MetricUnit::Gbps => " Gbps",
        MetricUnit::W => " W",
        MetricUnit::KW => " kW",
        MetricUnit::Wh => " Wh",
        MetricUnit::KWh => " kWh",
    }
}
