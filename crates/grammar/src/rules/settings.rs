//! set_capacity and configure.

use std::collections::BTreeMap;

use nephoran_model::proposal::{
    Action, Capacity, Configure, LinkDirection, Missing, RefuseReason, SetCapacity,
};

use super::{Context, Problem, Read, target};
use crate::account::{Slots, account};
use crate::frame::{Cmp, Frame, Kind, Link, Named, Qty, Role, Seen};
use crate::units;
use crate::vocabulary::C;
use crate::words::metric;

/// Whether the clause speaks of what a workload can carry.
pub(crate) fn capacity_applies(frame: &Frame) -> bool {
    frame.quantities.iter().any(|q| {
        matches!(q.kind, Kind::Rate(_) | Kind::Unclear | Kind::Sessions | Kind::Subscribers | Kind::Pdu)
            || q.kind == Kind::Ues
    }) || ((frame.link.is_some()
        || frame.seen.any(Seen::of(&[C::Sessions, C::Subscribers]))
        || frame.metrics.iter().any(|m| f64::from(*m) == metric::BANDWIDTH))
        && !frame.quantities.iter().any(|q| q.kind == Kind::Pods))
}

pub(crate) fn capacity(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
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
        C::For,
        C::Keep,
        C::With,
        C::Traffic,
    ]);
    let mut capacity = Capacity::default();
    let mut problem = None;
    for qty in &frame.quantities {
        let mut qty = *qty;
        // "raise max sessions of smf to 100k": the noun stands before.
        if qty.kind == Kind::Bare && qty.link.is_none() && frame.quantities.len() == 1 {
            if frame.says(C::Sessions) {
                qty.kind = Kind::Sessions;
            } else if frame.says(C::Subscribers) {
                qty.kind = Kind::Subscribers;
            }
        }
        if let Err(found) = add_capacity(&mut capacity, &qty, frame.link, context) {
            problem = problem.or(Some(found));
        }
    }
    if let Some(Problem::Refuse(reason)) = problem {
        return Err(Problem::Refuse(reason));
    }
    if frame.metrics.iter().any(|m| !matches!(f64::from(*m), metric::THROUGHPUT | metric::BANDWIDTH)) {
        return Err(Problem::ask(Missing::Action));
    }
    // "keep sessions at 20k" is a state; "let smf hold 20k sessions" a capacity.
    if frame.says(C::Keep) && !frame.seen.any(Seen::of(&[C::Let, C::Should, C::Must, C::Want])) {
        return Err(Problem::ask(Missing::Action));
    }
    let directed = |q: &Qty| {
        q.link.is_none()
            && (matches!(q.kind, Kind::Rate(_) | Kind::Unclear)
                || q.kind == Kind::Bare && !frame.says(C::Sessions) && !frame.says(C::Subscribers))
    };
    if frame.link.is_some() && !frame.quantities.is_empty() && !frame.quantities.iter().any(directed) {
        return Err(Problem::ask(Missing::Action));
    }
    let value = capacity == Capacity::default() && problem.is_none();
    let allowed = if value { seen.with(Seen::of(&[C::Vague, C::Few, C::More, C::Fewer])) } else { seen };
    account(frame, allowed, Slots::QUANTITIES.with(Slots::TARGET).with(Slots::LINK).with(Slots::METRICS))?;
    let target = target::target(frame, context)?;
    if let Some(problem) = problem {
        return Err(problem);
    }
    if value {
        return Err(Problem::ask(Missing::Value));
    }
    Ok(Action::SetCapacity(SetCapacity { target, capacity }))
}

fn once<T: PartialEq>(slot: &mut Option<T>, value: T) -> Read<()> {
    match slot {
        Some(old) if *old != value => Err(Problem::Refuse(RefuseReason::Contradiction)),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// Adds one number to a capacity, or says what it lacks.
pub(crate) fn add_capacity(
    capacity: &mut Capacity,
    qty: &Qty,
    link: Option<Link>,
    context: &Context<'_>,
) -> Read<()> {
    if qty.approximate {
        return Err(Problem::ask(Missing::Value));
    }
    if qty.value < 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    if qty.per_ue || matches!(qty.cmp, Some(Cmp::Guaranteed | Cmp::AtLeast | Cmp::Above | Cmp::Below)) {
        return Err(Problem::ask(Missing::Action));
    }
    // "by 2 Gbps", "2 Gbps more", "from 1 to 2 Gbps" have no field.
    if qty.more != 0 || matches!(qty.role, Role::By | Role::From | Role::Low | Role::High) {
        return Err(Problem::ask(Missing::Value));
    }
    match qty.kind {
        Kind::Unclear => {
            let Some(unit) = context.supplied.unit else {
                return Err(Problem::ask(Missing::Unit));
            };
            let fixed = Qty { kind: Kind::Rate(unit), ..*qty };
            add_capacity(capacity, &fixed, link, context)
        }
        Kind::Rate(_) => {
            let rate = units::bit_rate(qty).ok_or(Problem::ask(Missing::Unit))?;
            match qty.link.or(link).or(context.supplied.link.map(Link::One)) {
                Some(Link::One(LinkDirection::Downlink)) => once(&mut capacity.max_downlink, rate),
                Some(Link::One(LinkDirection::Uplink)) => once(&mut capacity.max_uplink, rate),
                Some(Link::Both) => {
                    once(&mut capacity.max_downlink, rate)?;
                    once(&mut capacity.max_uplink, rate)
                }
                None => Err(Problem::ask(Missing::Direction)),
            }
        }
        Kind::Sessions | Kind::Pdu => once(&mut capacity.max_sessions, whole(qty)?),
        Kind::Subscribers => once(&mut capacity.max_subscribers, whole(qty)?),
        Kind::Time(_) => Err(Problem::Refuse(RefuseReason::Unsupported)),
        // Devices are no field of a workload's capacity; a bare number has no unit.
        Kind::Bare if link.is_some() || qty.link.is_some() => Err(Problem::ask(Missing::Unit)),
        _ => Err(Problem::ask(Missing::Action)),
    }
}

fn whole(qty: &Qty) -> Read<u64> {
    if qty.value < 0.0 || qty.value.fract() != 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    Ok(qty.value as u64)
}

/// "configure t3512 to 3600 on amf": what is set is a word with a digit.
pub(crate) fn named_key(frame: &Frame) -> Option<Frame> {
    let verb = frame.verb_at?;
    if !frame.says(C::Set) || !frame.keys.is_empty() || !frame.unknown.is_empty() {
        return None;
    }
    let first = frame.mentions.first()?;
    let close = first.at == verb + 1 || first.at == verb + 2;
    let other = frame.mentions.iter().skip(1).any(|m| matches!(m.prep, C::On | C::Of | C::For));
    let said =
        frame.mentions.iter().position(|m| m.prep == C::To && matches!(m.named, Named::Name | Named::Quoted));
    let set = frame.value.is_some()
        || said.is_some()
        || frame.quantities.iter().any(|q| q.role == Role::To && q.kind == Kind::Bare)
        || frame.switch.is_some();
    if first.named != Named::Name || first.prep != C::Fill || !close || !other || !set {
        return None;
    }
    let mut settled = frame.clone();
    if let (Some(index), None) = (said, frame.value) {
        settled.value = Some(settled.mentions.remove(index).span);
    }
    let key = settled.mentions.remove(0);
    settled.keys.push(key.span);
    Some(settled)
}

/// Whether the clause names a setting, by its shape or by what is done to it.
pub(crate) fn applies(frame: &Frame) -> bool {
    !frame.keys.is_empty()
        || frame.seen.any(Seen::of(&[C::Enable, C::Disable]))
        || frame.switch.is_some()
        || (frame.unknown.len() == 1
            && frame.plain_key == Some(frame.unknown[0].1)
            && (frame.value.is_some()
                || frame.seen.any(Seen::of(&[C::Become]))
                || frame.seen.any(Seen::of(&[C::Set, C::Must, C::Should]))
                    && frame.quantities.iter().any(|q| q.role == Role::To && q.kind == Kind::Bare)))
}

pub(crate) fn configure(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::Set,
        C::Put,
        C::Give,
        C::Enable,
        C::Disable,
        C::Become,
        C::Change,
        C::Light,
        C::Pron,
        C::Use,
        C::Run,
        C::For,
        C::With,
        C::On,
    ]);
    if frame.choice.is_some() {
        return Err(Problem::ask(Missing::Value));
    }
    let mut keys = frame.keys.clone();
    let mut unknown = frame.unknown.len();
    if keys.is_empty() && unknown == 1 && frame.plain_key == Some(frame.unknown[0].1) {
        keys.push(frame.unknown[0].0);
        unknown = 0;
    }
    let mut values = Vec::new();
    if let Some(value) = frame.value {
        values.push(value);
    }
    // "enable ue_tracing", "dnn internet"
    if keys.len() == 1
        && frame.value.is_none()
        && unknown == 1
        && !frame.keys.is_empty()
        && frame.quantities.is_empty()
    {
        let (span, at) = frame.unknown[0];
        if at > 0 && span.lo > keys[0].lo {
            values.push(span);
            unknown = 0;
        }
    }
    for qty in &frame.quantities {
        if qty.kind != Kind::Bare
            || qty.approximate
            || qty.more != 0
            || qty.cmp.is_some()
            || !matches!(qty.role, Role::To | Role::None | Role::At)
        {
            return Err(Problem::ask(Missing::Value));
        }
        values.push(qty.span);
    }
    let switch = match (frame.switch, frame.says(C::Enable), frame.says(C::Disable)) {
        (Some(on), false, false) => Some(on),
        (None, true, false) => Some(true),
        (None, false, true) => Some(false),
        (None, false, false) => None,
        _ => return Err(Problem::Refuse(RefuseReason::Contradiction)),
    };
    // "turn off upf": a workload is no setting.
    let off =
        frame.seen.any(Seen::of(&[C::Enable, C::Disable])) && keys.is_empty() && frame.unknown.is_empty();
    if off && target::has_target(frame) {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    let slots = Slots::TARGET
        .with(Slots::KEYS)
        .with(Slots::VALUE)
        .with(Slots::SWITCH)
        .with(Slots::QUANTITIES)
        .with(Slots::UNKNOWN);
    account(frame, seen, slots)?;
    if unknown != 0 || keys.len() != 1 {
        return Err(Problem::ask(Missing::Action));
    }
    let key = keys[0].text(context.text).to_owned();
    // A key stands before its value.
    if values.first().is_some_and(|value| value.lo < keys[0].lo) {
        return Err(Problem::ask(Missing::Action));
    }
    if SECRETS.iter().any(|secret| key.contains(secret)) {
        return Err(Problem::ask(Missing::Action));
    }
    let target = target::target(frame, context)?;
    let value = match (values.as_slice(), switch) {
        ([], Some(on)) => (if on { "on" } else { "off" }).to_owned(),
        ([value], None) => value.text(context.text).to_owned(),
        ([], None) => match &context.supplied.value_text {
            Some(value) => value.clone(),
            None => return Err(Problem::ask(Missing::Value)),
        },
        _ => return Err(Problem::Refuse(RefuseReason::Contradiction)),
    };
    Ok(Action::Configure(Configure { target, settings: BTreeMap::from([(key, value)]) }))
}

const SECRETS: &[&str] = &["password", "secret", "token", "credential", "passwd", "api_key", "private_key"];
