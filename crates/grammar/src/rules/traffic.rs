//! steer and qos: what traffic prefers, and what it is given.

use nephoran_model::proposal::{
    Action, LinkDirection, Missing, Preference, Qos, QosObjectives, QosScope, RefuseReason, SliceRef, Steer,
};

use super::{Context, Problem, Read, slice};
use crate::account::{Slots, account};
use crate::frame::{Cmp, Frame, Kind, Link, Qty, Role, Seen};
use crate::units;
use crate::vocabulary::C;
use crate::words::metric;

pub(crate) fn steer(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let preference = preference(frame);
    let seen = Seen::of(&[
        C::Prefer,
        C::Avoid,
        C::Forbid,
        C::Must,
        C::Only,
        C::Steer,
        C::Cell,
        C::SliceWord,
        C::Traffic,
        C::Keep,
        C::Put,
        C::Light,
        C::Use,
        C::Run,
        C::UeNoun,
        C::From,
        C::Off,
        C::Set,
        C::Sst,
        C::On,
        C::To,
        C::Out,
        C::For,
        C::Pron,
        C::Noun,
        C::Grow,
        C::Carry,
        C::Be,
        C::Limit,
        C::Give,
    ]);
    let missing_cells = frame.cells.is_empty() && context.supplied.cells.is_none();
    let allowed = if missing_cells { seen.with(Seen::of(&[C::That])) } else { seen };
    if missing_cells {
        // "that noisy cell": the words that should name it are left over.
        let mut bare = frame.clone();
        if frame.says(C::Cell) || frame.says(C::That) {
            bare.unknown.clear();
            bare.seen.drop(C::Vague);
        }
        account(&bare, allowed, Slots::SLICE.with(Slots::UE))?;
        if preference.is_none() {
            return Err(Problem::ask(Missing::Action));
        }
        return Err(Problem::ask(Missing::Cells));
    }
    account(frame, allowed, Slots::SLICE.with(Slots::UE).with(Slots::CELLS).with(Slots::CALLED))?;
    let Some(preference) = preference else {
        return Err(Problem::ask(Missing::Action));
    };
    if frame.slice.mcc.is_some() || frame.slice.mnc.is_some() {
        return Err(Problem::ask(Missing::Action));
    }
    let reference = slice::reference(&frame.slice, frame, context)?;
    let named = reference != SliceRef::default();
    if frame.slice.service.is_some()
        || (reference.sd.is_some() && reference.sst.is_none() && reference.name.is_none())
    {
        return Err(Problem::ask(Missing::Slice));
    }
    let slice = if named { Some(reference) } else { context.supplied.slice.clone() };
    if slice.is_none() && frame.ue.is_none() {
        return Err(Problem::ask(Missing::Slice));
    }
    if slice.is_some() && frame.ue.is_some() {
        return Err(Problem::ask(Missing::Action));
    }
    let cells =
        slice::spans(&frame.cells, context).or_else(|| context.supplied.cells.clone()).unwrap_or_default();
    Ok(Action::Steer(Steer {
        preference,
        cells,
        slice,
        ue: frame.ue.map(|span| span.text(context.text).to_owned()),
    }))
}

fn preference(frame: &Frame) -> Option<Preference> {
    let mut found = Vec::new();
    if frame.says(C::Avoid) || frame.cell_prep == Some(C::Off) && frame.says(C::Keep) {
        found.push(Preference::Avoid);
    }
    if frame.says(C::Forbid) {
        found.push(Preference::Forbid);
    }
    if frame.says(C::Prefer) {
        found.push(Preference::Prefer);
    }
    if found.is_empty() && (frame.says(C::Must) || frame.says(C::Only)) {
        // "must keep off": what must be done says more than that it must.
        found.push(Preference::Shall);
    } else if frame.says(C::Only) {
        return None;
    }
    if frame.says(C::Avoid) && frame.says(C::Off) {
        found.retain(|p| *p == Preference::Avoid);
    }
    match found.as_slice() {
        [one] => Some(*one),
        [] if (frame.says(C::Off) || frame.says(C::From)) && frame.says(C::Keep) => Some(Preference::Avoid),
        _ => None,
    }
}

pub(crate) fn qos(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::FiveQi,
        C::Guarantee,
        C::Limit,
        C::Give,
        C::Set,
        C::Keep,
        C::Carry,
        C::DelayBudget,
        C::SliceWord,
        C::UeNoun,
        C::Traffic,
        C::Put,
        C::Light,
        C::Use,
        C::Sst,
        C::For,
        C::On,
        C::With,
        C::In,
        C::Run,
        C::Of,
        C::Max,
        C::Create,
        C::Pron,
        C::Grow,
        C::Shrink,
        C::At,
        C::Subscribers,
        C::PriorityLevel,
    ]);
    let mut objectives = QosObjectives::default();
    let mut missing = Vec::new();
    let mut direction = frame.link;
    let mut level = None;
    for qty in &frame.quantities {
        // "priority level of 5qi 66 has to be 7"
        let plain = qty.kind == Kind::Bare
            && matches!(qty.role, Role::None | Role::To)
            && qty.whole
            && qty.cmp.is_none();
        if frame.says(C::PriorityLevel) && level.is_none() && plain && !qty.approximate {
            level = Some(qty.value);
            continue;
        }
        if let Some(link) = qty.link {
            if direction.is_some_and(|old| old != link) {
                return Err(Problem::ask(Missing::Action));
            }
            direction = Some(link);
        }
        match objective(&mut objectives, qty, frame, context) {
            Ok(()) => {}
            Err(Problem::Ask(more)) => missing.extend(more),
            Err(refuse) => return Err(refuse),
        }
    }
    if let (Some(low), Some(high)) = (objectives.gfbr, objectives.mfbr)
        && units::bits(low) > units::bits(high)
    {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    if let Some(level) = frame.priority_level.or(level) {
        // 3GPP TS 23.501 clause 5.7.3.3: 1..=127.
        if !(1.0..=127.0).contains(&level) {
            return Err(Problem::Refuse(RefuseReason::Contradiction));
        }
        objectives.priority_level = Some(level as u16);
    }
    let slots = Slots::QUANTITIES
        .with(Slots::SLICE)
        .with(Slots::UE)
        .with(Slots::FIVE_QI)
        .with(Slots::GROUP)
        .with(Slots::LINK)
        .with(Slots::LEVEL)
        .with(Slots::METRICS);
    account(frame, seen, slots)?;
    if frame
        .metrics
        .iter()
        .any(|m| !matches!(f64::from(*m), metric::LATENCY | metric::THROUGHPUT | metric::BANDWIDTH))
    {
        return Err(Problem::ask(Missing::Action));
    }
    let five_qi = match frame.five_qi.or(context.supplied.five_qi.map(f64::from)) {
        Some(value) if (0.0..=255.0).contains(&value) && value.fract() == 0.0 => Some(value as u16),
        Some(_) => return Err(Problem::ask(Missing::FiveQi)),
        None => {
            missing.push(Missing::FiveQi);
            None
        }
    };
    if frame.slice.service.is_some() {
        return Err(Problem::ask(Missing::Slice));
    }
    if frame.slice.mcc.is_some() || frame.slice.mnc.is_some() {
        return Err(Problem::ask(Missing::Action));
    }
    if objectives == QosObjectives::default() && missing.is_empty() {
        missing.push(Missing::Value);
    }
    let (Some(five_qi), true) = (five_qi, missing.is_empty()) else {
        return Err(Problem::Ask(missing));
    };
    let reference = slice::reference(&frame.slice, frame, context)?;
    Ok(Action::Qos(Qos {
        scope: QosScope {
            five_qi,
            slice: (reference != SliceRef::default()).then_some(reference),
            ue: frame.ue.map(|span| span.text(context.text).to_owned()),
            group: frame.group.map(|span| span.text(context.text).to_owned()),
        },
        objectives,
        direction: match direction {
            Some(Link::One(direction)) => Some(direction),
            Some(Link::Both) => return Err(Problem::ask(Missing::Direction)),
            None => None::<LinkDirection>,
        },
    }))
}

fn objective(out: &mut QosObjectives, qty: &Qty, frame: &Frame, context: &Context<'_>) -> Read<()> {
    if qty.approximate || qty.more != 0 || matches!(qty.role, Role::By | Role::From | Role::Low | Role::High)
    {
        return Err(Problem::ask(Missing::Value));
    }
    if qty.value < 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    let contradiction = Err(Problem::Refuse(RefuseReason::Contradiction));
    match qty.kind {
        Kind::Unclear => match context.supplied.unit {
            Some(unit) => objective(out, &Qty { kind: Kind::Rate(unit), ..*qty }, frame, context),
            None => Err(Problem::ask(Missing::Unit)),
        },
        Kind::Rate(_) => {
            if qty.per_ue {
                return Err(Problem::ask(Missing::Action));
            }
            let rate = units::bit_rate(qty).ok_or(Problem::ask(Missing::Unit))?;
            let slot = match qty.cmp.or(context.supplied.bound) {
                Some(Cmp::Guaranteed | Cmp::AtLeast) => &mut out.gfbr,
                Some(Cmp::AtMost) => &mut out.mfbr,
                _ => return Err(Problem::ask(Missing::Bound)),
            };
            if slot.is_some_and(|old| old != rate) {
                return contradiction;
            }
            *slot = Some(rate);
            Ok(())
        }
        Kind::Time(_) => {
            let delay =
                frame.says(C::DelayBudget) || frame.metrics.iter().any(|m| f64::from(*m) == metric::LATENCY);
            if !delay || qty.role == Role::For {
                return Err(Problem::Refuse(RefuseReason::Unsupported));
            }
            if !matches!(qty.cmp, None | Some(Cmp::AtMost | Cmp::Guaranteed)) {
                return Err(Problem::ask(Missing::Action));
            }
            let time = units::time(qty).ok_or(Problem::ask(Missing::Unit))?;
            if out.delay_budget.is_some_and(|old| old != time) {
                return contradiction;
            }
            out.delay_budget = Some(time);
            Ok(())
        }
        Kind::Bare if qty.cmp.is_some() => Err(Problem::ask(Missing::Unit)),
        _ => Err(Problem::ask(Missing::Action)),
    }
}
