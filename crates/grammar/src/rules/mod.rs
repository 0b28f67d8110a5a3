//! One file per action. A rule either makes the action out of everything a
//! clause says, or says what is missing.

mod condition;
mod deploy;
mod lifecycle;
mod scale;
mod settings;
mod slice;
mod target;
mod traffic;

use nephoran_model::proposal::{Action, Missing, RefuseReason};

use crate::answer::Supplied;
use crate::frame::{Frame, Kind, Seen};
use crate::vocabulary::C;

/// Why a clause is no action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Problem {
    Ask(Vec<Missing>),
    Refuse(RefuseReason),
}

impl Problem {
    pub(crate) fn ask(missing: Missing) -> Self {
        Self::Ask(vec![missing])
    }
}

/// For answers: the same readings, without their problems.
pub(crate) use target::{PLAIN_PLACES, Where};

pub(crate) fn replicas(frame: &Frame, context: &Context<'_>) -> Option<nephoran_model::proposal::Replicas> {
    scale::replicas(frame, context).ok()
}

pub(crate) fn target(frame: &Frame, context: &Context<'_>) -> Option<nephoran_model::proposal::Target> {
    target::target(frame, context).ok()
}

pub(crate) fn slice_reference(
    frame: &Frame,
    context: &Context<'_>,
) -> Option<nephoran_model::proposal::SliceRef> {
    slice::reference(&frame.slice, frame, context).ok()
}

pub(crate) type Read<T> = Result<T, Problem>;

/// What a rule works with.
pub(crate) struct Context<'a> {
    pub(crate) text: &'a str,
    pub(crate) supplied: &'a Supplied,
    /// "can we ...": the verb may stand as a question.
    pub(crate) check: bool,
    pub(crate) asked: bool,
}

/// Words that any clause may have beside its own.
pub(crate) const COMMON: Seen = Seen::of(&[
    C::A,
    C::Be,
    C::Have,
    C::Should,
    C::Must,
    C::You,
    C::Want,
    C::Let,
    C::Noun,
    C::There,
    C::Eq,
    C::Become,
]);

const REFUSED: Seen =
    Seen::of(&[C::Unsupported, C::Time, C::Hardware, C::Notify, C::Cond, C::Clock, C::Back]);

pub(crate) fn action(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let complaint = !frame.has_thing() && !frame.has_verb() && !frame.has_content();
    if frame.seen.any(REFUSED) && !(complaint && frame.seen.common(REFUSED) == Seen::of(&[C::Time])) {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    if frame.says(C::Told) {
        return Err(Problem::ask(Missing::Action));
    }
    if frame.says(C::Not) {
        return Err(Problem::ask(Missing::Action));
    }
    if frame.says(C::All) && !reports(frame, context) {
        return Err(Problem::ask(Missing::Target));
    }
    if frame.conflict || frame.slice.conflict {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    let passive = frame.seen.any(Seen::of(&[C::Be, C::Should, C::Must, C::Want, C::Become, C::Let]));
    let asks = reports(frame, context) || frame.trigger || context.check;
    if !frame.base && !asks && (frame.third && !frame.says(C::Should) || frame.past && !passive) {
        return Err(Problem::ask(Missing::Action));
    }
    if frame.says(C::There) && !frame.says(C::Should) && !frame.says(C::Must) && !reports(frame, context) {
        return Err(Problem::ask(Missing::Action));
    }
    if context.check && frame.says(C::Should) && frame.says(C::You) {
        return Err(Problem::ask(Missing::Action));
    }
    if context.check && frame.tells && frame.says(C::Have) && !frame.trigger {
        return Err(Problem::ask(Missing::Action));
    }
    let ordered = frame.seen.any(Seen::of(&[
        C::Should,
        C::Must,
        C::Want,
        C::Let,
        C::Prefer,
        C::Forbid,
        C::Avoid,
        C::Give,
        C::Keep,
    ]));
    if frame.tells && !ordered && !frame.trigger && !context.check && !reports(frame, context) {
        return Err(Problem::ask(Missing::Action));
    }
    if let Some(settled) = settings::named_key(frame) {
        return kind(&settled, context);
    }
    kind(frame, context)
}

fn kind(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let preference = Seen::of(&[C::Prefer, C::Avoid, C::Forbid]);
    let sliced = frame.says(C::SliceWord) || frame.slice.is_named() || frame.slice.service.is_some();
    if frame.five_qi.is_some()
        || frame.says(C::FiveQi)
        || frame.says(C::DelayBudget)
        || frame.priority_level.is_some()
    {
        return traffic::qos(frame, context);
    }
    let rated = frame.quantities.iter().any(|q| matches!(q.kind, Kind::Rate(_)));
    if frame.says(C::Guarantee)
        && rated
        && !context.check
        && !creates(frame)
        && !frame.says(C::Want)
        && frame.mentions.is_empty()
        && frame.unknown.is_empty()
        && frame.comparison_verb.is_some()
        && frame.verb_at.is_some_and(|at| frame.slice_at.is_none_or(|slice| at < slice))
    {
        return traffic::qos(frame, context);
    }
    let celled = frame.says(C::Cell) || !frame.cells.is_empty();
    let kept_off =
        celled && (sliced || frame.ue.is_some() || frame.says(C::Traffic)) && frame.cell_prep == Some(C::Off);
    if frame.seen.any(preference)
        || kept_off
        || (celled
            && (sliced || frame.ue.is_some())
            && (frame.says(C::Must) || frame.says(C::Only))
            && !creates(frame))
        || (celled && frame.says(C::Steer))
        || (celled && frame.ue.is_some())
    {
        return traffic::steer(frame, context);
    }
    if frame.says(C::Undo) {
        return lifecycle::rollback(frame, context);
    }
    let retires = frame.says(C::Retire) || frame.says(C::Remove);
    if sliced && retires {
        return Err(Problem::ask(Missing::Target));
    }
    if reports(frame, context) && !creates(frame) {
        return lifecycle::report(frame, context);
    }
    if frame.ue.is_some() && !sliced {
        return if frame.quantities.iter().any(|q| matches!(q.kind, Kind::Rate(_))) {
            traffic::qos(frame, context)
        } else {
            Err(Problem::ask(Missing::Action))
        };
    }
    if sliced && watches(frame) && !creates(frame) {
        return Err(Problem::ask(Missing::Action));
    }
    if sliced {
        return slice::slice(frame, context);
    }
    if condition::applies(frame) {
        return condition::ensure(frame, context);
    }
    if celled {
        return condition::ensure(frame, context);
    }
    if frame.says(C::Upgrade) || (frame.version.is_some() && !deploys(frame) && !settings::applies(frame)) {
        return lifecycle::upgrade(frame, context);
    }
    if deploys(frame) || deploy::puts(frame) || deploy::wants(frame) {
        return deploy::deploy(frame, context);
    }
    if retires && !scale::counts(frame) {
        return lifecycle::retire(frame, context);
    }
    if settings::capacity_applies(frame) {
        return settings::capacity(frame, context);
    }
    if settings::applies(frame) {
        return settings::configure(frame, context);
    }
    scale::scale(frame, context)
}

fn creates(frame: &Frame) -> bool {
    frame.seen.any(Seen::of(&[C::Create, C::Deploy, C::Launch]))
}

fn watches(frame: &Frame) -> bool {
    frame.says(C::Keep) && !frame.metrics.is_empty()
}

fn deploys(frame: &Frame) -> bool {
    frame.says(C::Deploy) || frame.says(C::Create) || frame.says(C::Launch) || frame.blueprint.is_some()
}

fn reports(frame: &Frame, context: &Context<'_>) -> bool {
    if context.check {
        return false;
    }
    frame.seen.any(Seen::of(&[C::Show, C::HowMany, C::Status, C::Alive, C::Question]))
        || frame.whole_network
        || (frame.says(C::Give) && frame.says(C::You) && frame.says(C::Pods) && !frame.has_content())
        || (context.asked && frame.says(C::Be) && frame.seen.any(Seen::of(&[C::Run, C::There])))
}
