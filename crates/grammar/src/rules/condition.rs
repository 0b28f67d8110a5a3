//! ensure: a state to keep, and what may be scaled to keep it.

use nephoran_model::proposal::{
    Action, Comparison, Condition, Decimal, Ensure, EnsureBy, EnsureScale, LinkDirection, MAX_COUNT, Metric,
    Missing, RefuseReason, ScaleDirection, Statistic, Time,
};

use super::{Context, Problem, Read, slice, target};
use crate::account::{Slots, account};
use crate::frame::{Cmp, Frame, Kind, Link, Qty, Role, Seen};
use crate::units;
use crate::vocabulary::C;

/// Whether the clause speaks of a measured state.
pub(crate) fn applies(frame: &Frame) -> bool {
    let compared = |q: &Qty| q.cmp.is_some() || matches!(q.role, Role::Low | Role::High);
    if !frame.metrics.is_empty() {
        let capacity = frame.metrics.iter().all(|m| f64::from(*m) == crate::words::metric::BANDWIDTH);
        return !capacity;
    }
    frame.says(C::Elastic)
        || (frame.trigger && frame.quantities.iter().any(|q| counted(q).is_some()))
        || frame.quantities.iter().any(|q| {
            counted(q).is_some()
                && (matches!(q.cmp, Some(Cmp::Below | Cmp::Above | Cmp::AtLeast)) && !frame.says(C::Give)
                    || (compared(q) && frame.says(C::Keep)))
        })
        || (frame.seen.any(Seen::of(&[C::Sessions, C::UeNoun]))
            && (frame.says(C::Keep) || frame.trigger)
            && frame.quantities.iter().any(compared))
}

fn counted(qty: &Qty) -> Option<Metric> {
    match qty.kind {
        Kind::Sessions | Kind::Pdu => Some(Metric::Sessions),
        Kind::Ues => Some(Metric::Ues),
        _ => None,
    }
}

const SAID: Seen = Seen::of(&[
    C::Keep,
    C::Scale,
    C::Grow,
    C::Shrink,
    C::Elastic,
    C::Run,
    C::Light,
    C::Set,
    C::Cell,
    C::Out,
    C::Up,
    C::Down,
    C::When,
    C::Let,
    C::Pron,
    C::On,
    C::For,
    C::In,
    C::With,
    C::Limit,
    C::Guarantee,
    C::Status,
    C::Sessions,
    C::UeNoun,
    C::Use,
    C::Pods,
    C::Between,
    C::Of,
    C::Traffic,
    C::Put,
    C::Give,
    C::Carry,
    C::Add,
    C::To,
    C::At,
]);

pub(crate) fn ensure(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let slots = Slots::QUANTITIES
        .with(Slots::TARGET)
        .with(Slots::CELLS)
        .with(Slots::METRICS)
        .with(Slots::LINK)
        .with(Slots::STATISTIC)
        .with(Slots::TRIGGER);
    let vague = frame.says(C::Vague) && frame.quantities.is_empty();
    if vague || frame.quantities.is_empty() && frame.seen.any(Seen::of(&[C::Few, C::More, C::Fewer])) {
        let rate = frame.metrics == [crate::words::metric::THROUGHPUT as u8] && target::has_target(frame);
        return Err(Problem::ask(if frame.says(C::Keep) || rate { Missing::Value } else { Missing::Action }));
    }
    account(frame, SAID, slots)?;
    let metric = metric(frame)?;
    let mut by = EnsureScale::default();
    let mut state: Vec<&Qty> = Vec::new();
    let mut hold: Option<Time> = None;
    let counts_are_state = matches!(metric, Metric::Sessions | Metric::Ues);
    for qty in &frame.quantities {
        if qty.approximate {
            return Err(Problem::ask(Missing::Value));
        }
        if qty.value < 0.0 {
            return Err(Problem::Refuse(RefuseReason::Contradiction));
        }
        if qty.more != 0 || qty.per_ue {
            return Err(Problem::ask(Missing::Action));
        }
        match qty.kind {
            Kind::Time(_) if metric != Metric::Latency || qty.role == Role::For => {
                if qty.role != Role::For && !(qty.cmp.is_some() && hold.is_none() && frame.trigger) {
                    return Err(Problem::Refuse(RefuseReason::Unsupported));
                }
                if qty.cmp.is_some() && !matches!(qty.cmp, Some(Cmp::AtLeast)) {
                    return Err(Problem::ask(Missing::Action));
                }
                let time = units::time(qty).ok_or(Problem::ask(Missing::Unit))?;
                if hold.is_some_and(|old| old != time) {
                    return Err(Problem::Refuse(RefuseReason::Contradiction));
                }
                hold = Some(time);
            }
            Kind::Pods => bound(&mut by, qty, frame)?,
            Kind::Bare if !counts_are_state && !first_state(&state, qty, frame) => {
                bound(&mut by, qty, frame)?
            }
            _ => state.push(qty),
        }
    }
    if let (Some(min), Some(max)) = (by.min, by.max)
        && min > max
    {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    let direction = link(frame, &state)?;
    let mut missing = Vec::new();
    if metric == Metric::PrbUsage && direction.is_none() && context.supplied.link.is_none() {
        missing.push(Missing::Direction);
    }
    let condition = condition(frame, metric, &state, hold, context);
    let mut condition = match condition {
        Ok(condition) => Some(condition),
        Err(Problem::Ask(more)) => {
            missing.extend(more);
            None
        }
        Err(refuse) => return Err(refuse),
    };
    if let Some(condition) = &mut condition {
        condition.direction =
            direction.or(if metric == Metric::PrbUsage { context.supplied.link } else { None });
        condition.statistic = frame.statistic.map(|value| match value {
            0 => Statistic::Mean,
            1 => Statistic::Max,
            _ => Statistic::P95,
        });
    }
    let celled = !frame.cells.is_empty();
    if frame.says(C::Cell) && !celled && context.supplied.cells.is_none() {
        missing.push(Missing::Cells);
    }
    let scales = scale_direction(frame)?;
    if scales.is_some() {
        by.direction = scales;
    }
    // "autoscale", "scale" beside a state and nothing of how: the word would be lost.
    if by.direction.is_none() && frame.trigger && frame.says(C::Scale) {
        missing.push(Missing::Direction);
    } else if by == EnsureScale::default() && frame.seen.any(Seen::of(&[C::Elastic, C::Scale])) {
        missing.push(Missing::Action);
    }
    let named = target::has_target(frame);
    if celled && (named || by != EnsureScale::default()) {
        return Err(Problem::ask(Missing::Action));
    }
    let target = if celled || frame.says(C::Cell) && !named {
        if target::place(frame, context)? != target::Where::default() {
            return Err(Problem::ask(Missing::Action));
        }
        None
    } else {
        match target::target(frame, context) {
            Ok(target) => Some(target),
            Err(Problem::Ask(more)) => {
                missing.extend(more);
                None
            }
            Err(refuse) => return Err(refuse),
        }
    };
    let (Some(condition), true) = (condition, missing.is_empty()) else {
        return Err(Problem::Ask(missing));
    };
    Ok(Action::Ensure(Ensure {
        target,
        cells: if celled {
            slice::spans(&frame.cells, context)
        } else {
            context.supplied.cells.clone().filter(|_| !named)
        },
        condition,
        by: (by != EnsureScale::default()).then_some(EnsureBy { scale: by }),
    }))
}

/// "when cpu is above 70": a bare number beside the metric is its value, with the unit left out.
fn first_state(state: &[&Qty], qty: &Qty, frame: &Frame) -> bool {
    let has_other = frame.quantities.iter().any(|q| {
        matches!(q.kind, Kind::Percent | Kind::Rate(_) | Kind::Power(_) | Kind::Time(_))
            && q.role != Role::For
    });
    !has_other
        && (state.is_empty() || matches!(qty.role, Role::High))
        && qty.metric.is_some() | matches!(qty.role, Role::High)
}

fn metric(frame: &Frame) -> Read<Metric> {
    match frame.metrics.as_slice() {
        [] => {
            let mut found = frame.quantities.iter().filter_map(counted);
            match found.next() {
                Some(metric) => Ok(metric),
                None if frame.says(C::Sessions) => Ok(Metric::Sessions),
                None if frame.says(C::UeNoun) => Ok(Metric::Ues),
                None => {
                    Err(Problem::ask(if frame.says(C::Elastic) { Missing::Value } else { Missing::Action }))
                }
            }
        }
        [one] => units::metric_of(*one).ok_or(Problem::Refuse(RefuseReason::Unsupported)),
        _ => Err(Problem::ask(Missing::Action)),
    }
}

fn link(frame: &Frame, state: &[&Qty]) -> Read<Option<LinkDirection>> {
    let mut found = frame.link;
    for qty in state {
        if let Some(link) = qty.link {
            if found.is_some_and(|old| old != link) {
                return Err(Problem::ask(Missing::Direction));
            }
            found = Some(link);
        }
    }
    match found {
        Some(Link::One(direction)) => Ok(Some(direction)),
        Some(Link::Both) => Err(Problem::ask(Missing::Direction)),
        None => Ok(None),
    }
}

/// The least, the most and the step of an automatic scale.
fn bound(by: &mut EnsureScale, qty: &Qty, frame: &Frame) -> Read<()> {
    if qty.value.fract() != 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    if qty.value > f64::from(MAX_COUNT) {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    let n = qty.value as u32;
    let slot = match (qty.cmp, qty.role) {
        (Some(Cmp::AtMost), _) | (None, Role::High) => &mut by.max,
        (Some(Cmp::AtLeast), _) | (None, Role::Low) => &mut by.min,
        (None, Role::From)
            if frame
                .quantities
                .iter()
                .any(|q| q.role == Role::To && matches!(q.kind, Kind::Pods | Kind::Bare)) =>
        {
            &mut by.min
        }
        (None, Role::To)
            if frame
                .quantities
                .iter()
                .any(|q| q.role == Role::From && matches!(q.kind, Kind::Pods | Kind::Bare)) =>
        {
            &mut by.max
        }
        (None, Role::None) if frame.trigger && frame.says(C::Add) => &mut by.step,
        (None, Role::By) if frame.seen.any(Seen::of(&[C::Scale, C::Grow, C::Shrink, C::Elastic, C::Add])) => {
            &mut by.step
        }
        _ => return Err(Problem::ask(Missing::Action)),
    };
    if slot.is_some_and(|old| old != n) {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    *slot = Some(n);
    Ok(())
}

fn scale_direction(frame: &Frame) -> Read<Option<ScaleDirection>> {
    let scaling = frame.says(C::Scale) || frame.says(C::Elastic);
    let out = frame.says(C::Grow) || frame.says(C::Add);
    let inward = frame.says(C::Shrink);
    Ok(match (out, inward) {
        (true, true) if scaling => Some(ScaleDirection::Both),
        (true, true) => return Err(Problem::ask(Missing::Direction)),
        (true, false) if frame.trigger => Some(ScaleDirection::Out),
        (false, true) if frame.trigger => Some(ScaleDirection::In),
        (true, false) | (false, true) => return Err(Problem::ask(Missing::Action)),
        _ => None,
    })
}

fn condition(
    frame: &Frame,
    metric: Metric,
    state: &[&Qty],
    hold: Option<Time>,
    context: &Context<'_>,
) -> Read<Condition> {
    let blank = |is, value, from, to, unit| Condition {
        metric,
        direction: None,
        statistic: None,
        is,
        value,
        from,
        to,
        unit,
        hold,
    };
    match state {
        [] => Err(Problem::ask(Missing::Value)),
        [one] => {
            let unit = unit(metric, one, context)?;
            let most = frame.max_metric.then_some(Cmp::AtMost);
            let is = match one.cmp.or(most).or(context.supplied.bound) {
                Some(Cmp::Below) => Comparison::LessThan,
                Some(Cmp::AtMost) => Comparison::AtMost,
                Some(Cmp::Above) => Comparison::GreaterThan,
                Some(Cmp::AtLeast | Cmp::Guaranteed) => Comparison::AtLeast,
                None => return Err(Problem::ask(Missing::Bound)),
            };
            if matches!(one.role, Role::By | Role::From | Role::Low | Role::High) {
                return Err(Problem::ask(Missing::Value));
            }
            // A trigger is stored as the state it would leave.
            let is = if frame.trigger { opposite(is) } else { is };
            range(metric, one)?;
            Ok(blank(is, Some(Decimal(one.value)), None, None, unit))
        }
        [low, high] => {
            if frame.trigger {
                return Err(Problem::ask(Missing::Value));
            }
            let (from, to) = match (low.role, high.role) {
                (Role::Low, Role::High) | (Role::From, Role::To) => (low, high),
                _ if low.cmp == Some(Cmp::AtLeast) && high.cmp == Some(Cmp::AtMost) => (low, high),
                _ if low.cmp == Some(Cmp::AtMost) && high.cmp == Some(Cmp::AtLeast) => (high, low),
                _ if low.cmp.is_some() && low.cmp == high.cmp => {
                    return Err(Problem::Refuse(RefuseReason::Contradiction));
                }
                _ => return Err(Problem::ask(Missing::Value)),
            };
            let unit = unit(metric, to, context)?;
            range(metric, from)?;
            range(metric, to)?;
            if from.value > to.value {
                return Err(Problem::Refuse(RefuseReason::Contradiction));
            }
            if from.kind != to.kind {
                return Err(Problem::ask(Missing::Unit));
            }
            Ok(blank(Comparison::Within, None, Some(Decimal(from.value)), Some(Decimal(to.value)), unit))
        }
        _ => Err(Problem::ask(Missing::Value)),
    }
}

fn range(metric: Metric, qty: &Qty) -> Read<()> {
    let percentage = !matches!(
        metric,
        Metric::Latency | Metric::Throughput | Metric::Sessions | Metric::Ues | Metric::Energy
    );
    if percentage && qty.value > 100.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    if matches!(metric, Metric::Sessions | Metric::Ues) && qty.value.fract() != 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    Ok(())
}

fn unit(metric: Metric, qty: &Qty, context: &Context<'_>) -> Read<nephoran_model::proposal::MetricUnit> {
    let kind = match (qty.kind, context.supplied.unit) {
        (Kind::Unclear | Kind::Bare, Some(unit)) => Kind::Rate(unit),
        (kind, _) => kind,
    };
    units::metric_unit(metric, kind).ok_or_else(|| {
        Problem::ask(match kind {
            Kind::Bare | Kind::Unclear => Missing::Unit,
            _ => Missing::Action,
        })
    })
}

fn opposite(is: Comparison) -> Comparison {
    match is {
        Comparison::GreaterThan => Comparison::AtMost,
        Comparison::AtLeast => Comparison::LessThan,
        Comparison::LessThan => Comparison::AtLeast,
        Comparison::AtMost => Comparison::GreaterThan,
        Comparison::Within => Comparison::Within,
    }
}
