//! A proposal in words: what was understood. Rendered by us from typed fields; of a
//! translator's own text only the motive is shown, and as a quotation.

use nephoran_model::proposal::{
    Action, BitRate, Capacity, Comparison, Condition, Deploy, Ensure, LinkDirection, Metric, MetricUnit,
    Missing, Preference, Proposal, Purpose, Qos, RefuseReason, Replicas, Report, Rollback, ScaleDirection,
    Service, Slice, SliceRef, Statistic, Steer, Target, Time, TimeUnit,
};

/// One line per action; for a question or a refusal one line that says so.
pub fn understood(proposal: &Proposal) -> Vec<String> {
    match proposal {
        Proposal::Actions(actions) => {
            let check = actions.purpose == Some(Purpose::Check);
            actions
                .actions
                .iter()
                .map(|a| if check { format!("check: {}", action(a)) } else { action(a) })
                .collect()
        }
        Proposal::Clarify(clarify) => {
            let missing: Vec<_> = clarify.missing.iter().copied().map(lacks).collect();
            if missing.is_empty() {
                vec!["not clear yet".into()]
            } else {
                vec![format!("not clear yet: {}", join(&missing))]
            }
        }
        Proposal::Refuse(refuse) => vec![refusal(refuse.reason).to_owned()],
    }
}

pub fn refusal(reason: RefuseReason) -> &'static str {
    match reason {
        RefuseReason::OutOfScope => "not a request about operating a network",
        RefuseReason::Unsafe => {
            "asks for something that is never done: to go round checks, destroy at large, run commands or read secrets"
        }
        RefuseReason::Unsupported => "about the network, but nothing here can carry it out as it was said",
        RefuseReason::Contradiction => "cannot all be true at once",
    }
}

fn lacks(missing: Missing) -> String {
    match missing {
        Missing::Action => "what to do",
        Missing::Target => "which workload",
        Missing::Place => "where",
        Missing::Replicas => "how many replicas",
        Missing::Value => "which value",
        Missing::Unit => "which unit",
        Missing::Bound => "guaranteed or at most",
        Missing::Direction => "which direction",
        Missing::Function => "which network function",
        Missing::Cells => "which cells",
        Missing::Slice => "which slice",
        Missing::FiveQi => "which 5QI",
        Missing::Schedule => "when",
        Missing::Confirmation => "whether it was understood",
    }
    .to_owned()
}

fn action(action: &Action) -> String {
    match action {
        Action::Scale(scale) => format!("scale {} {}", target(&scale.target), replicas(&scale.replicas)),
        Action::Deploy(deploy) => self::deploy(deploy),
        Action::Retire(retire) => format!("retire {}", target(&retire.target)),
        Action::Upgrade(upgrade) => {
            format!("upgrade {} to version {}", target(&upgrade.target), upgrade.version)
        }
        Action::SetCapacity(set) => format!("give {} {}", target(&set.target), capacity(&set.capacity)),
        Action::Configure(configure) => {
            let settings: Vec<_> =
                configure.settings.iter().map(|(key, value)| format!("{key} to “{value}”")).collect();
            format!("on {}, set {}", target(&configure.target), join(&settings))
        }
        Action::Slice(slice) => self::slice(slice),
        Action::Steer(steer) => self::steer(steer),
        Action::Qos(qos) => self::qos(qos),
        Action::Ensure(ensure) => self::ensure(ensure),
        Action::Rollback(rollback) => self::rollback(rollback),
        Action::Report(report) => self::report(report),
    }
}

fn target(target: &Target) -> String {
    let mut out = match (&target.name, target.function) {
        (Some(name), Some(function)) if name != function.as_str() => format!("{name} (function {function})"),
        (Some(name), _) => name.clone(),
        (None, Some(function)) => format!("the {function}"),
        (None, None) => "a workload".into(),
    };
    out.push_str(&place(target.namespace.as_deref(), target.cluster.as_deref(), target.place.as_deref()));
    out
}

fn place(namespace: Option<&str>, cluster: Option<&str>, place: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(namespace) = namespace {
        out.push_str(&format!(" in namespace {namespace}"));
    }
    if let Some(cluster) = cluster {
        out.push_str(&format!(" on cluster {cluster}"));
    }
    if let Some(place) = place {
        out.push_str(&format!(" in {place}"));
    }
    out
}

fn replicas(replicas: &Replicas) -> String {
    let mut out = match (replicas.to, replicas.by, replicas.factor) {
        (Some(to), ..) => format!("to {}", count(u64::from(to), "replica")),
        (_, Some(by), _) if by < 0 => format!("by {by} (fewer than now)"),
        (_, Some(by), _) => format!("by +{by} (more than now)"),
        (.., Some(factor)) => format!("to {factor} times what it has now"),
        _ => "to an unknown number".into(),
    };
    if let Some(from) = replicas.from {
        out.push_str(&format!(", if it has {from} now"));
    }
    if let Some(min) = replicas.min {
        out.push_str(&format!(", at least {min}"));
    }
    if let Some(max) = replicas.max {
        out.push_str(&format!(", at most {max}"));
    }
    match replicas.direction {
        Some(ScaleDirection::Out) => out.push_str(", upwards only"),
        Some(ScaleDirection::In) => out.push_str(", downwards only"),
        Some(ScaleDirection::Both) | None => {}
    }
    out
}

fn deploy(deploy: &Deploy) -> String {
    let what = match (&deploy.blueprint, deploy.function) {
        (Some(blueprint), Some(function)) => format!("blueprint {blueprint} (function {function})"),
        (Some(blueprint), None) => format!("blueprint {blueprint}"),
        (None, Some(function)) => format!("a new {function}"),
        (None, None) => "a new workload".into(),
    };
    let mut out = format!("deploy {what}");
    if let Some(name) = &deploy.name {
        out.push_str(&format!(" named {name}"));
    }
    out.push_str(&place(deploy.namespace.as_deref(), deploy.cluster.as_deref(), deploy.place.as_deref()));
    if let Some(replicas) = deploy.replicas {
        out.push_str(&format!(" with {}", count(u64::from(replicas), "replica")));
    }
    if let Some(version) = &deploy.version {
        out.push_str(&format!(", version {version}"));
    }
    if let Some(provider) = &deploy.provider {
        out.push_str(&format!(", from provider {provider}"));
    }
    if let Some(capacity) = &deploy.capacity {
        out.push_str(&format!(", with {}", self::capacity(capacity)));
    }
    out
}

fn capacity(capacity: &Capacity) -> String {
    let mut parts = Vec::new();
    if let Some(rate) = capacity.max_downlink {
        parts.push(format!("{} downlink", bit_rate(rate)));
    }
    if let Some(rate) = capacity.max_uplink {
        parts.push(format!("{} uplink", bit_rate(rate)));
    }
    if let Some(sessions) = capacity.max_sessions {
        parts.push(format!("room for {}", count(sessions, "session")));
    }
    if let Some(subscribers) = capacity.max_subscribers {
        parts.push(format!("room for {}", count(subscribers, "subscriber")));
    }
    if parts.is_empty() { "no stated capacity".into() } else { join(&parts) }
}

fn slice(slice: &Slice) -> String {
    let mut out = String::from("make ");
    out.push_str(match slice.service {
        Some(Service::Embb) => "an eMBB slice",
        Some(Service::Urllc) => "a URLLC slice",
        Some(Service::Miot) => "a massive-IoT slice",
        Some(Service::V2x) => "a V2X slice",
        None => "a slice",
    });
    if let Some(name) = &slice.name {
        out.push_str(&format!(" named {name}"));
    }
    if let Some(sst) = slice.sst {
        out.push_str(&format!(", SST {sst}"));
    }
    if let Some(sd) = &slice.sd {
        out.push_str(&format!(", SD {sd}"));
    }
    if let Some(plmn) = &slice.plmn {
        out.push_str(&format!(", PLMN {}-{}", plmn.mcc, plmn.mnc));
    }
    out.push_str(&place(slice.namespace.as_deref(), None, slice.place.as_deref()));
    let mut parts = Vec::new();
    if let Some(o) = &slice.objectives {
        for (rate, what) in [
            (o.gua_dl_thpt, "downlink guaranteed"),
            (o.max_dl_thpt, "downlink at most"),
            (o.gua_ul_thpt, "uplink guaranteed"),
            (o.max_ul_thpt, "uplink at most"),
            (o.max_dl_thpt_ue, "downlink at most for each device"),
            (o.max_ul_thpt_ue, "uplink at most for each device"),
        ] {
            if let Some(rate) = rate {
                parts.push(format!("{} {what}", bit_rate(rate)));
            }
        }
        for (delay, what) in
            [(o.delay, "delay"), (o.dl_delay, "downlink delay"), (o.ul_delay, "uplink delay")]
        {
            if let Some(delay) = delay {
                parts.push(format!("{what} {}", time(delay)));
            }
        }
        if let Some(reliability) = o.reliability {
            parts.push(format!("reliability {reliability} %"));
        }
        if let Some(most) = o.max_ues {
            parts.push(format!("at most {}", count(most, "device")));
        }
        if let Some(most) = o.max_pdu_sessions {
            parts.push(format!("at most {}", count(most, "session")));
        }
    }
    if let Some(cells) = &slice.cells {
        parts.push(self::cells(cells));
    }
    if let Some(tacs) = &slice.tacs {
        parts.push(format!("tracking areas {}", join(tacs)));
    }
    if !parts.is_empty() {
        out.push_str(": ");
        out.push_str(&parts.join(", "));
    }
    out
}

fn slice_ref(slice: &SliceRef) -> String {
    let mut out = String::from("slice");
    if let Some(name) = &slice.name {
        out.push_str(&format!(" {name}"));
    }
    if let Some(sst) = slice.sst {
        out.push_str(&format!(" SST {sst}"));
    }
    if let Some(sd) = &slice.sd {
        out.push_str(&format!(" SD {sd}"));
    }
    out
}

fn steer(steer: &Steer) -> String {
    let mut who = Vec::new();
    if let Some(slice) = &steer.slice {
        who.push(slice_ref(slice));
    }
    if let Some(ue) = &steer.ue {
        who.push(format!("device {ue}"));
    }
    let who = if who.is_empty() { "all traffic".into() } else { format!("traffic of {}", join(&who)) };
    let cells = cells(&steer.cells);
    match steer.preference {
        Preference::Prefer => format!("have {who} prefer {cells}"),
        Preference::Avoid => format!("have {who} avoid {cells}"),
        Preference::Forbid => format!("forbid {cells} to {who}"),
        Preference::Shall => format!("keep {who} on {cells} only"),
    }
}

fn qos(qos: &Qos) -> String {
    let mut scope = vec![format!("5QI {}", qos.scope.five_qi)];
    if let Some(slice) = &qos.scope.slice {
        scope.push(slice_ref(slice));
    }
    if let Some(ue) = &qos.scope.ue {
        scope.push(format!("device {ue}"));
    }
    if let Some(group) = &qos.scope.group {
        scope.push(format!("group {group}"));
    }
    let o = &qos.objectives;
    let mut parts = Vec::new();
    if let Some(rate) = o.gfbr {
        parts.push(format!("{} guaranteed", bit_rate(rate)));
    }
    if let Some(rate) = o.mfbr {
        parts.push(format!("{} at most", bit_rate(rate)));
    }
    if let Some(level) = o.priority_level {
        parts.push(format!("priority level {level}"));
    }
    if let Some(budget) = o.delay_budget {
        parts.push(format!("delay budget {}", time(budget)));
    }
    let direction = qos.direction.map(|d| format!(", {}", link(d))).unwrap_or_default();
    format!("for {}: {}{direction}", join(&scope), parts.join(", "))
}

fn ensure(ensure: &Ensure) -> String {
    let mut of = Vec::new();
    if let Some(target) = &ensure.target {
        of.push(self::target(target));
    }
    if let Some(cells) = &ensure.cells {
        of.push(self::cells(cells));
    }
    let of = if of.is_empty() { String::new() } else { format!(" of {}", join(&of)) };
    let mut out = condition(&ensure.condition, &of);
    if let Some(by) = &ensure.by {
        let scale = &by.scale;
        out.push_str(match scale.direction {
            Some(ScaleDirection::Out) => ", by scaling out",
            Some(ScaleDirection::In) => ", by scaling in",
            Some(ScaleDirection::Both) => ", by scaling out and in",
            None => ", by scaling",
        });
        if let Some(min) = scale.min {
            out.push_str(&format!(", at least {}", count(u64::from(min), "replica")));
        }
        if let Some(max) = scale.max {
            out.push_str(&format!(", at most {}", count(u64::from(max), "replica")));
        }
        if let Some(step) = scale.step {
            out.push_str(&format!(", {step} at a time"));
        }
    }
    out
}

fn condition(condition: &Condition, of: &str) -> String {
    let mut what = String::new();
    if let Some(direction) = condition.direction {
        what.push_str(link(direction));
        what.push(' ');
    }
    what.push_str(match condition.statistic {
        Some(Statistic::Mean) => "mean ",
        Some(Statistic::Max) => "highest ",
        Some(Statistic::P95) => "95th percentile of ",
        None => "",
    });
    what.push_str(match condition.metric {
        Metric::PrbUsage => "PRB usage",
        Metric::Cpu => "CPU",
        Metric::Memory => "memory",
        Metric::Latency => "latency",
        Metric::Throughput => "throughput",
        Metric::Sessions => "sessions",
        Metric::Ues => "devices",
        Metric::PacketLoss => "packet loss",
        Metric::Availability => "availability",
        Metric::Energy => "energy",
    });
    let unit = match condition.unit {
        MetricUnit::Percent => " %",
        MetricUnit::Count => "",
        MetricUnit::Ms => " ms",
        MetricUnit::S => " s",
        MetricUnit::Min => " min",
        MetricUnit::H => " h",
        MetricUnit::Kbps => " kbps",
        MetricUnit::Mbps => " Mbps",
        MetricUnit::Gbps => " Gbps",
        MetricUnit::W => " W",
        MetricUnit::KW => " kW",
        MetricUnit::Wh => " Wh",
        MetricUnit::KWh => " kWh",
    };
    let show = |value: Option<nephoran_model::proposal::Decimal>| {
        value.map_or_else(|| "an unknown value".to_owned(), |value| format!("{value}{unit}"))
    };
    let bound = match condition.is {
        Comparison::LessThan => format!("below {}", show(condition.value)),
        Comparison::AtMost => format!("at or below {}", show(condition.value)),
        Comparison::GreaterThan => format!("above {}", show(condition.value)),
        Comparison::AtLeast => format!("at or above {}", show(condition.value)),
        Comparison::Within => format!("between {} and {}", show(condition.from), show(condition.to)),
    };
    let hold = condition.hold.map(|hold| format!(" for {}", time(hold))).unwrap_or_default();
    format!("keep {what}{of} {bound}{hold}")
}

fn rollback(rollback: &Rollback) -> String {
    match (&rollback.target, &rollback.intent) {
        (_, Some(intent)) => format!("undo the change of intent {intent}"),
        (Some(target), None) => format!("undo the last change of {}", self::target(target)),
        (None, None) => "undo a change".into(),
    }
}

fn report(report: &Report) -> String {
    match &report.target {
        Some(target) => format!("report on {}", self::target(target)),
        None => "report on everything".into(),
    }
}

fn cells(cells: &[String]) -> String {
    match cells {
        [] => "no cell".into(),
        [one] => format!("cell {one}"),
        many => format!("cells {}", join(many)),
    }
}

fn link(direction: LinkDirection) -> &'static str {
    match direction {
        LinkDirection::Downlink => "downlink",
        LinkDirection::Uplink => "uplink",
    }
}

fn bit_rate(rate: BitRate) -> String {
    use nephoran_model::proposal::BitRateUnit::{Gbps, Kbps, Mbps};
    let unit = match rate.unit {
        Kbps => "kbps",
        Mbps => "Mbps",
        Gbps => "Gbps",
    };
    format!("{} {unit}", rate.value)
}

fn time(time: Time) -> String {
    let unit = match time.unit {
        TimeUnit::Ms => "ms",
        TimeUnit::S => "s",
        TimeUnit::Min => "min",
        TimeUnit::H => "h",
    };
    format!("{} {unit}", time.value)
}

fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `a, b and c`.
fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_proposal_is_said_back() {
        let cases: &[(&str, &str)] = &[
            (
                r#"{"action":"scale","target":{"name":"upf","function":"upf","namespace":"ran-a"},"replicas":{"to":5}}"#,
                "scale upf in namespace ran-a to 5 replicas",
            ),
            (
                r#"{"action":"scale","target":{"name":"du","function":"o-du","place":"site-1"},"replicas":{"by":-2,"min":1}}"#,
                "scale du (function o-du) in site-1 by -2 (fewer than now), at least 1",
            ),
            (
                r#"{"action":"scale","target":{"function":"smf","cluster":"edge"},"replicas":{"factor":1.5,"from":2,"max":6,"direction":"out"}}"#,
                "scale the smf on cluster edge to 1.5 times what it has now, if it has 2 now, at most 6, upwards only",
            ),
            (
                r#"{"action":"deploy","function":"amf","name":"amf-2","namespace":"core5g","replicas":1,"version":"v1.2","provider":"free5gc","capacity":{"max_sessions":1000}}"#,
                "deploy a new amf named amf-2 in namespace core5g with 1 replica, version v1.2, from provider free5gc, with room for 1000 sessions",
            ),
            (
                r#"{"action":"set_capacity","target":{"name":"upf"},"capacity":{"max_downlink":{"value":10,"unit":"Gbps"},"max_uplink":{"value":2.5,"unit":"Gbps"}}}"#,
                "give upf 10 Gbps downlink and 2.5 Gbps uplink",
            ),
            (
                r#"{"action":"slice","service":"urllc","objectives":{"delay":{"value":1,"unit":"ms"},"max_ues":200},"cells":["17","18"]}"#,
                "make a URLLC slice: delay 1 ms, at most 200 devices, cells 17 and 18",
            ),
            (
                r#"{"action":"steer","preference":"avoid","cells":["17"],"slice":{"sst":1}}"#,
                "have traffic of slice SST 1 avoid cell 17",
            ),
            (
                r#"{"action":"qos","scope":{"five_qi":3},"objectives":{"gfbr":{"value":20,"unit":"Mbps"}},"direction":"uplink"}"#,
                "for 5QI 3: 20 Mbps guaranteed, uplink",
            ),
            (
                r#"{"action":"ensure","target":{"name":"smf"},"condition":{"metric":"cpu","is":"less_than","value":70,"unit":"%","for":{"value":5,"unit":"min"}},"by":{"scale":{"max":6}}}"#,
                "keep CPU of smf below 70 % for 5 min, by scaling, at most 6 replicas",
            ),
            (r#"{"action":"report","all":true}"#, "report on everything"),
            (r#"{"action":"rollback","intent":"i-1"}"#, "undo the change of intent i-1"),
        ];
        for (json, said) in cases {
            let action: Action = serde_json::from_str(json).expect("the case is a valid action");
            assert_eq!(&super::action(&action), said);
        }
    }
}
