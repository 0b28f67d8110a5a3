//! scale: how many replicas a workload has.

use nephoran_model::proposal::{
    Action, Decimal, MAX_COUNT, Missing, RefuseReason, Replicas, Scale, ScaleDirection,
};

use super::{Context, Problem, Read, target};
use crate::account::{Slots, account};
use crate::frame::{Cmp, Frame, Kind, Qty, Role, Seen};
use crate::vocabulary::C;

/// Verbs and nouns that leave nothing unsaid beside the numbers of a scale.
const SAID: Seen = Seen::of(&[
    C::Scale,
    C::Light,
    C::Set,
    C::Put,
    C::Run,
    C::Keep,
    C::Give,
    C::Use,
    C::Grow,
    C::Shrink,
    C::Add,
    C::Remove,
    C::Retire,
    C::Pods,
    C::Out,
    C::Up,
    C::Down,
    C::Pron,
    C::Limit,
    C::Of,
    C::Off,
]);

const OUT: Seen = Seen::of(&[C::Grow, C::Add]);
const IN: Seen = Seen::of(&[C::Shrink, C::Remove, C::Retire]);

/// Whether the clause counts replicas: then a removal is a smaller number.
pub(crate) fn counts(frame: &Frame) -> bool {
    !frame.quantities.is_empty() || !frame.factors.is_empty() || frame.says(C::Few)
}

pub(crate) fn scale(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    // "move smf from lab-core to north-core" is a migration.
    let to_place = frame
        .mentions
        .iter()
        .any(|m| m.prep == C::To && !matches!(m.named, crate::frame::Named::Function(..)));
    let from_place = frame
        .mentions
        .iter()
        .any(|m| m.prep == C::From && !matches!(m.named, crate::frame::Named::Function(..)));
    if to_place && from_place {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    let wanted = target::target(frame, context);
    let choice = frame.choice;
    if let Some(choice) = choice {
        return Err(Problem::ask(choice));
    }
    let numbers = if context.supplied.replicas.is_some() && vague(frame) {
        Ok(Replicas::default())
    } else {
        replicas(frame, context)
    };
    let numbers = match numbers {
        Err(Problem::Ask(missing)) if missing == [Missing::Replicas] => match &context.supplied.replicas {
            Some(answer) => Ok(apply_answer(answer, context.supplied.bare_count, frame)),
            None => Err(Problem::Ask(missing)),
        },
        Ok(read) if read == Replicas::default() => match &context.supplied.replicas {
            Some(answer) => Ok(apply_answer(answer, context.supplied.bare_count, frame)),
            None => Err(Problem::ask(Missing::Replicas)),
        },
        other => other,
    };
    if let Err(Problem::Refuse(reason)) = numbers {
        return Err(Problem::Refuse(reason));
    }
    let allowed = if matches!(numbers, Err(Problem::Ask(_))) || context.supplied.replicas.is_some() {
        SAID.with(Seen::of(&[C::Few, C::Vague, C::More, C::Fewer, C::About, C::To]))
    } else {
        SAID
    };
    // "scale that to 5": which is asked for.
    let pointed = matches!(&wanted, Err(Problem::Ask(missing)) if missing == &[Missing::Target]);
    let allowed = if pointed { allowed.with(Seen::of(&[C::That])) } else { allowed };
    let slots = Slots::QUANTITIES.with(Slots::FACTORS).with(Slots::TARGET).with(Slots::UP_TO);
    let named = target::plain_name(frame).is_some();
    account(frame, allowed, if named { slots.with(Slots::UNKNOWN) } else { slots })?;
    match (wanted, numbers) {
        (Ok(target), Ok(replicas)) => Ok(Action::Scale(Scale { target, replicas })),
        (Err(Problem::Ask(mut missing)), Err(Problem::Ask(more))) => {
            // A count that names its own problem is asked for beside the target.
            if frame.has_verb() && !frame.says(C::Vague) {
                missing.extend(more);
            } else {
                missing = vec![Missing::Action];
            }
            Err(Problem::Ask(missing))
        }
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    }
}

fn vague(frame: &Frame) -> bool {
    frame.quantities.iter().any(|q| q.approximate) || frame.says(C::Few) || frame.says(C::Vague)
}

fn apply_answer(answer: &Replicas, bare: bool, frame: &Frame) -> Replicas {
    let mut replicas = answer.clone();
    if let (true, Some(to)) = (bare, replicas.to) {
        // "add a few", answered "3", adds three.
        let n = i32::try_from(to).unwrap_or(0);
        if frame.seen.any(Seen::of(&[C::Add, C::Remove])) {
            replicas.to = None;
            replicas.by = Some(if frame.says(C::Add) { n } else { -n });
        }
    }
    if replicas.to.is_some() {
        replicas.direction = direction(frame);
    }
    replicas
}

fn direction(frame: &Frame) -> Option<ScaleDirection> {
    match (frame.seen.any(OUT), frame.seen.any(IN)) {
        (true, false) => Some(ScaleDirection::Out),
        (false, true) => Some(ScaleDirection::In),
        _ => None,
    }
}

fn count(qty: &Qty) -> Read<u32> {
    if qty.value < 0.0 || qty.value.fract() != 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    if qty.value > f64::from(MAX_COUNT) {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    Ok(qty.value as u32)
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

/// Which numbers a clause says, and whether they can all be true.
#[derive(Default)]
struct Numbers {
    to: Option<u32>,
    by: Option<u32>,
    more: Option<i32>,
    bare: Option<u32>,
    bare_before_target: bool,
    factor: Option<f64>,
    percent: Option<(f64, i8)>,
    from: Option<u32>,
    min: Option<u32>,
    max: Option<u32>,
}

fn collect(frame: &Frame) -> Read<Numbers> {
    let mut said = Numbers::default();
    for factor in &frame.factors {
        once(&mut said.factor, *factor)?;
    }
    for qty in &frame.quantities {
        match qty.kind {
            Kind::Bare | Kind::Pods => {}
            Kind::Percent => {
                if qty.role == Role::To || qty.cmp.is_some() || qty.approximate {
                    return Err(Problem::ask(Missing::Replicas));
                }
                once(&mut said.percent, (qty.value, qty.more))?;
                continue;
            }
            Kind::Times => {
                if frame.up_to {
                    return Err(Problem::ask(Missing::Replicas));
                }
                once(&mut said.factor, qty.value)?;
                continue;
            }
            // A time beside a scale is a window or a delay.
            Kind::Time(_) => return Err(Problem::Refuse(RefuseReason::Unsupported)),
            _ => return Err(Problem::ask(Missing::Action)),
        }
        if qty.approximate {
            return Err(Problem::ask(Missing::Replicas));
        }
        let n = count(qty)?;
        match (qty.cmp, qty.role) {
            (Some(Cmp::AtMost), Role::None | Role::With | Role::At | Role::Of) if !frame.up_to => {
                once(&mut said.max, n)?
            }
            (Some(Cmp::AtLeast), Role::None | Role::With | Role::At | Role::Of) => once(&mut said.min, n)?,
            (Some(_), _) | (_, Role::Low | Role::High) => return Err(Problem::ask(Missing::Replicas)),
            (None, Role::To) if qty.more == 0 => {
                if frame.up_to {
                    return Err(Problem::ask(Missing::Replicas));
                }
                once(&mut said.to, n)?;
            }
            (None, Role::By) if qty.more == 0 => once(&mut said.by, n)?,
            (None, Role::By | Role::None) if qty.more != 0 => {
                once(&mut said.more, i32::try_from(n).unwrap_or(0) * i32::from(qty.more))?
            }
            (None, Role::From) => once(&mut said.from, n)?,
            (None, Role::None | Role::At | Role::On | Role::With | Role::Of) if qty.more == 0 => {
                if said.bare.is_some_and(|old| old != n) {
                    return Err(Problem::ask(Missing::Replicas));
                }
                said.bare = Some(n);
                said.bare_before_target |=
                    qty.before_target || qty.kind == Kind::Bare && qty.role == Role::None;
            }
            (None, Role::For) => return Err(Problem::ask(Missing::Action)),
            _ => return Err(Problem::ask(Missing::Replicas)),
        }
    }
    Ok(said)
}

pub(crate) fn replicas(frame: &Frame, context: &Context<'_>) -> Read<Replicas> {
    let said = collect(frame)?;
    let grows = frame.seen.any(OUT) || frame.says(C::Grow);
    let shrinks = frame.seen.any(IN);
    if frame.says(C::Few) || frame.says(C::More) || frame.says(C::Fewer) {
        return Err(Problem::ask(Missing::Replicas));
    }
    if grows && shrinks {
        return match context.supplied.scale_direction {
            Some(_) => Err(Problem::ask(Missing::Action)),
            None => Err(Problem::ask(Missing::Direction)),
        };
    }
    let other = Seen::of(&[C::Scale, C::Light, C::Set, C::Put, C::Grow, C::Shrink, C::Add, C::Give]);
    if frame.says(C::Keep)
        && (frame.seen.any(other) && said.min.is_none() && said.max.is_none() || said.to.is_some())
    {
        return Err(Problem::ask(Missing::Action));
    }
    let takes = Seen::of(&[C::Add, C::Remove, C::Retire]);
    if frame.factors.len() > 1
        || frame.says(C::Scale) && frame.seen.any(takes)
        || said.percent.is_some() && frame.seen.any(takes)
        || said.factor.is_some_and(|factor| factor < 1.0) && frame.says(C::Set)
    {
        return Err(Problem::ask(Missing::Action));
    }
    let mut out = Replicas { from: said.from, min: said.min, max: said.max, ..Replicas::default() };
    let ways = [
        said.to.is_some(),
        said.by.is_some(),
        said.more.is_some(),
        said.factor.is_some(),
        said.percent.is_some(),
    ]
    .iter()
    .filter(|is| **is)
    .count();
    if ways > 1 {
        return Err(Problem::ask(Missing::Replicas));
    }
    if let Some(bare) = said.bare {
        return with_bare(frame, &said, bare, ways, out);
    }
    if let Some(to) = said.to {
        if frame.seen.any(Seen::of(&[C::Add, C::Remove, C::Retire])) {
            return Err(Problem::ask(Missing::Replicas));
        }
        out.to = Some(to);
        out.direction = direction(frame);
        check(&out)?;
        return Ok(out);
    }
    if let Some(by) = said.by {
        let by = i32::try_from(by).unwrap_or(0);
        out.by = Some(if grows {
            by
        } else if shrinks {
            -by
        } else {
            match context.supplied.scale_direction {
                Some(ScaleDirection::Out) => by,
                Some(ScaleDirection::In) => -by,
                _ => return Err(Problem::ask(Missing::Direction)),
            }
        });
    } else if let Some(more) = said.more {
        // "reduce by 2 more" could be either; "add 3 more" and "take 2 fewer" are plain.
        if (more > 0 && shrinks) || (more < 0 && grows) {
            return Err(Problem::ask(Missing::Direction));
        }
        out.by = Some(more);
    } else if let Some((percent, more)) = said.percent {
        let sign = match (more, grows, shrinks) {
            (1, _, false) | (0, true, _) => 1.0,
            (-1, false, _) | (0, _, true) => -1.0,
            (0, false, false) => match context.supplied.scale_direction {
                Some(ScaleDirection::Out) => 1.0,
                Some(ScaleDirection::In) => -1.0,
                _ => return Err(Problem::ask(Missing::Direction)),
            },
            _ => return Err(Problem::ask(Missing::Direction)),
        };
        if percent < 0.0 {
            return Err(Problem::Refuse(RefuseReason::Contradiction));
        }
        // In hundredths, so that 1.4 is the number nearest to 1.4.
        let factor = (100.0 + sign * percent) / 100.0;
        if factor <= 0.0 {
            return Err(Problem::ask(Missing::Replicas));
        }
        out.factor = Some(Decimal(factor));
    } else if let Some(factor) = said.factor {
        let verb = frame.seen.any(Seen::of(&[C::Add, C::Remove, C::Retire]));
        if factor <= 0.0 || verb {
            return Err(Problem::ask(Missing::Replicas));
        }
        // "reduce by a factor of 2" divides; "shrink by half", "cut to half" is half.
        let divides = shrinks && factor > 1.0;
        if divides && (factor.log2().fract() != 0.0) || grows && factor < 1.0 {
            return Err(Problem::ask(Missing::Replicas));
        }
        out.factor = Some(Decimal(if divides { 1.0 / factor } else { factor }));
    } else {
        if said.max.is_some() || said.min.is_some() || said.from.is_some() {
            return Err(Problem::ask(Missing::Replicas));
        }
        return Ok(Replicas::default());
    }
    check(&out)?;
    Ok(out)
}

/// A number without "to" or "by": the verb says what it means.
fn with_bare(frame: &Frame, said: &Numbers, bare: u32, ways: usize, mut out: Replicas) -> Read<Replicas> {
    if ways > 0 {
        // "scale 5 upf to 3"
        // "to 5 at 5": the second is a time of day.
        if frame.quantities.iter().any(|q| q.role == Role::At) && said.to.is_some() {
            return Err(Problem::Refuse(RefuseReason::Unsupported));
        }
        return Err(Problem::ask(Missing::Replicas));
    }
    let n = i32::try_from(bare).unwrap_or(0);
    let adds = frame.says(C::Add);
    // "seven retire amf-old": the count stands behind its verb, or before its noun.
    let placed = frame.quantities.iter().all(|q| {
        q.kind == Kind::Pods
            || q.before_target
            || q.cmp.is_some()
            || frame.verb_lo.is_none_or(|verb| verb < q.span.lo)
    });
    if !placed || frame.loose_pods && frame.seen.any(Seen::of(&[C::Add, C::Remove, C::Retire])) {
        return Err(Problem::ask(Missing::Action));
    }
    let removes = frame.seen.any(Seen::of(&[C::Remove, C::Retire]));
    let off = frame.says(C::Off)
        || frame.mentions.iter().any(|m| matches!(m.prep, C::Off))
        || frame.mentions.iter().any(|m| m.prep == C::From && frame.says(C::Light))
        || frame.says(C::Shrink) && frame.mentions.iter().any(|m| m.prep == C::From);
    if adds && (removes || off) {
        return Err(Problem::ask(Missing::Direction));
    }
    if adds {
        out.by = Some(n);
    } else if removes || off {
        out.by = Some(-n);
    } else if unclear(frame, said) {
        return Err(Problem::ask(Missing::Replicas));
    } else {
        return finish_to(out, bare, frame);
    }
    check(&out)?;
    Ok(out)
}

/// "scale 5 upf", "increase upf 5 pods", "keep 5 upf": to five, or by five?
fn unclear(frame: &Frame, said: &Numbers) -> bool {
    let resized = frame.seen.any(Seen::of(&[C::Grow, C::Shrink]));
    let ties = frame.quantities.iter().any(|q| matches!(q.role, Role::At | Role::On));
    let loose = frame.quantities.iter().any(|q| q.role == Role::None && q.kind == Kind::Bare);
    (resized || frame.says(C::Scale)) && said.bare_before_target
        || frame.up_to
        || resized && !ties
        || frame.says(C::Keep) && loose
}

fn finish_to(mut out: Replicas, to: u32, frame: &Frame) -> Read<Replicas> {
    out.to = Some(to);
    out.direction = direction(frame);
    check(&out)?;
    Ok(out)
}

/// Facts that cannot all be true.
fn check(replicas: &Replicas) -> Read<()> {
    let contradiction = Err(Problem::Refuse(RefuseReason::Contradiction));
    if let (Some(min), Some(max)) = (replicas.min, replicas.max)
        && min > max
    {
        return contradiction;
    }
    if let Some(to) = replicas.to {
        if replicas.max.is_some_and(|max| to > max) || replicas.min.is_some_and(|min| to < min) {
            return contradiction;
        }
        if let Some(from) = replicas.from {
            let wrong = match replicas.direction {
                Some(ScaleDirection::Out) => to < from,
                Some(ScaleDirection::In) => to > from,
                _ => false,
            };
            if wrong {
                return contradiction;
            }
        }
    }
    if let (Some(from), Some(by)) = (replicas.from, replicas.by)
        && i64::from(from) + i64::from(by) < 0
    {
        return contradiction;
    }
    Ok(())
}
