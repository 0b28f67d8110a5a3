//! retire, upgrade, rollback and report.

use nephoran_model::proposal::{Action, Missing, Report, Retire, Rollback, Upgrade};

use super::{Context, Problem, Read, target};
use crate::account::{Slots, account};
use crate::frame::{Frame, Kind, Role, Seen};
use crate::vocabulary::C;

pub(crate) fn retire(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen =
        Seen::of(&[C::Retire, C::Remove, C::Light, C::Pron, C::Out, C::Grow, C::Off, C::Shrink, C::Down]);
    // "take it out": the particle belongs to the verb.
    account(frame, seen, Slots::TARGET)?;
    if frame.says(C::Grow) && !frame.says(C::Out) {
        return Err(Problem::ask(Missing::Action));
    }
    Ok(Action::Retire(Retire { target: target::target(frame, context)? }))
}

pub(crate) fn upgrade(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::Upgrade,
        C::Set,
        C::Light,
        C::Put,
        C::Run,
        C::Version,
        C::Pron,
        C::Grow,
        C::Use,
        C::Up,
        C::To,
        C::Scale,
    ]);
    let mut version = frame.version.map(|span| span.text(context.text).to_owned());
    for qty in &frame.quantities {
        // "upgrade smf to 1.5" says a version without its "v".
        if version.is_none() && qty.role == Role::To && qty.kind == Kind::Bare && frame.says(C::Upgrade) {
            version = Some(qty.span.text(context.text).to_owned());
        } else {
            return Err(Problem::ask(Missing::Action));
        }
    }
    if frame.says(C::Scale) || frame.says(C::Set) && !frame.says(C::Upgrade) && frame.version.is_none() {
        return Err(Problem::ask(Missing::Action));
    }
    account(frame, seen, Slots::TARGET.with(Slots::VERSION).with(Slots::QUANTITIES))?;
    let target = target::target(frame, context)?;
    match version.or_else(|| context.supplied.value_text.clone()) {
        Some(version) => Ok(Action::Upgrade(Upgrade { target, version })),
        None => Err(Problem::ask(Missing::Value)),
    }
}

pub(crate) fn rollback(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::Undo,
        C::Change,
        C::Latest,
        C::Pron,
        C::Set,
        C::Light,
        C::Intent,
        C::On,
        C::For,
        C::To,
        C::That,
        C::Do,
    ]);
    if let Some(intent) = frame.intent {
        account(frame, seen, Slots::INTENT)?;
        return Ok(Action::Rollback(Rollback {
            target: None,
            intent: Some(intent.text(context.text).to_owned()),
        }));
    }
    if frame.says(C::Intent) {
        return Err(Problem::ask(Missing::Target));
    }
    if frame.whole_network {
        return Err(Problem::ask(Missing::Target));
    }
    account(frame, seen, Slots::TARGET)?;
    let target = target::target(frame, context)?;
    Ok(Action::Rollback(Rollback { target: Some(target), intent: None }))
}

pub(crate) fn report(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::Show,
        C::HowMany,
        C::Status,
        C::Alive,
        C::Question,
        C::Run,
        C::Do,
        C::Pods,
        C::Pron,
        C::That,
        C::On,
        C::For,
        C::Give,
        C::All,
        C::Light,
        C::Of,
        C::At,
        C::In,
        C::Can,
        C::Create,
        C::Carry,
        C::Over,
    ]);
    let about =
        Seen::of(&[C::Show, C::HowMany, C::Status, C::Alive, C::Question, C::Do, C::Be, C::Run, C::There]);
    if frame.whole_network && !target::has_target(frame) {
        if !frame.seen.any(about) && frame.has_verb() && !(frame.says(C::Give) && frame.says(C::You)) {
            return Err(Problem::ask(Missing::Target));
        }
        if !frame.places.is_empty() || !frame.mentions.is_empty() {
            // Everything in one place has no field.
            return Err(Problem::ask(Missing::Target));
        }
        account(frame, seen, Slots::WHOLE)?;
        return Ok(Action::Report(Report { target: None, all: Some(true) }));
    }
    if frame.says(C::Vague) && !frame.says(C::Show) {
        return Err(Problem::ask(Missing::Action));
    }
    // "how many will we need" is no question about what is.
    if frame.stray_all
        || frame.says(C::Should)
        || frame.says(C::Must)
        || frame.says(C::Let)
        || frame.says(C::HowMany) && frame.says(C::Want)
    {
        return Err(Problem::ask(Missing::Action));
    }
    account(frame, seen, Slots::TARGET)?;
    if frame.says(C::All) && !target::has_target(frame) {
        return Err(Problem::ask(Missing::Target));
    }
    let target = target::target(frame, context)?;
    // "how many" alone, a verb of change beside a question: nothing is reported by accident.
    if frame.says(C::Create)
        || frame.says(C::Give) && !frame.says(C::Status) && !frame.says(C::Show) && !frame.says(C::Pods)
    {
        return Err(Problem::ask(Missing::Action));
    }
    Ok(Action::Report(Report { target: Some(target), all: None }))
}
