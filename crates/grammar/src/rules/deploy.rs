//! deploy: a workload that is not there yet.

use nephoran_model::proposal::{
    Action, Capacity, Deploy, Function, MAX_COUNT, Missing, RefuseReason, is_dns_label,
};

use super::{Context, Problem, Read, settings, target};
use crate::account::{Slots, account};
use crate::frame::{Frame, Kind, Named, Role, Seen};
use crate::vocabulary::C;

const SAID: Seen = Seen::of(&[
    C::Deploy,
    C::Create,
    C::Launch,
    C::Put,
    C::Set,
    C::Light,
    C::Give,
    C::Run,
    C::Pods,
    C::New,
    C::Carry,
    C::Sessions,
    C::Subscribers,
    C::Blueprint,
    C::Pron,
    C::Up,
    C::Grow,
    C::Into,
    C::Add,
]);

/// "put 3 e2sims into namespace ric-lab": new ones, into a place.
pub(crate) fn puts(frame: &Frame) -> bool {
    let placed = |m: &crate::frame::Mention| !matches!(m.named, Named::Function(..));
    let into = frame.says(C::Into) || frame.mentions.iter().any(|m| m.prep == C::Into && placed(m));
    let within = !frame.places.is_empty()
        || frame.mentions.iter().any(|m| matches!(m.prep, C::In | C::At) && placed(m));
    let counted = frame.quantities.iter().any(|q| q.before_target && q.role == Role::None && q.more == 0);
    let moved = frame.quantities.iter().any(|q| q.role == Role::To || q.more != 0)
        || frame.says(C::Grow)
        || frame.says(C::Shrink);
    let put = frame.says(C::Put) && counted && (into || within && !frame.says(C::Pods));
    let light = (frame.says(C::Light) || frame.says(C::Put)) && counted && into;
    let fresh = frame.new_article && frame.seen.any(Seen::of(&[C::Put, C::Want, C::Give, C::Light]));
    (put || light || fresh) && !moved
}

/// "we want an amf called amf-fair": one that is not there yet.
pub(crate) fn wants(frame: &Frame) -> bool {
    frame.says(C::Want)
        && frame.called.is_some()
        && frame.mentions.iter().any(|m| m.article && matches!(m.named, Named::Function(..)))
        && !frame.quantities.iter().any(|q| q.role == Role::To || q.more != 0)
}

pub(crate) fn deploy(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let place = target::place(frame, context)?;
    let mut out = Deploy {
        namespace: place.namespace,
        cluster: place.cluster,
        place: place.place,
        ..Deploy::default()
    };
    let text = context.text;
    let mut names: Vec<String> = Vec::new();
    let mut used_unknown = 0;
    for mention in &frame.mentions {
        match (mention.named, mention.prep) {
            (Named::Function(said, _), _) => {
                if out.function.is_some_and(|old| old != said) {
                    return Err(Problem::ask(Missing::Function));
                }
                out.function = Some(said);
            }
            (Named::Name | Named::Quoted, C::Fill | C::Of) => {
                names.push(mention.span.text(text).to_ascii_lowercase())
            }
            _ => {}
        }
    }
    // "a word that is in no table is the blueprint"
    for (span, at) in &frame.unknown {
        let word = span.text(text);
        // "the anr rapp"
        let app = frame.mentions.iter().any(|m| {
            m.at == at + 1 && matches!(m.named, Named::Function(Function::Xapp | Function::Rapp, _))
        });
        if app && frame.plain_blueprint && is_dns_label(word) && frame.unknown.len() == 1 && names.is_empty()
        {
            names.push(word.to_owned());
            used_unknown += 1;
            continue;
        }
        if frame.plain_blueprint
            && is_dns_label(word)
            && names.is_empty()
            && frame.blueprint.is_none()
            && frame.unknown.len() == 1
            && out.function.is_none()
        {
            names.push(word.to_owned());
            used_unknown += 1;
        }
    }
    if let Some(called) = frame.called {
        out.name = Some(called.text(text).to_ascii_lowercase());
    }
    if let Some(blueprint) = frame.blueprint {
        out.blueprint = Some(blueprint.text(text).to_ascii_lowercase());
    }
    names.dedup();
    match (names.as_slice(), out.function, out.blueprint.is_some()) {
        ([], ..) => {}
        ([name], Some(_), _) | ([name], None, true) => {
            if out.name.as_ref().is_some_and(|old| old != name) {
                return Err(Problem::ask(Missing::Target));
            }
            out.name = Some(name.clone());
        }
        ([name], None, false) => out.blueprint = Some(name.clone()),
        _ => return Err(Problem::ask(Missing::Function)),
    }
    if out.function.is_none() && out.blueprint.is_none() {
        out.function = context.supplied.function;
    }
    out.provider = frame.provider.map(|span| span.text(text).to_owned());
    out.version = frame.version.map(|span| span.text(text).to_owned());
    let mut capacity = Capacity::default();
    for qty in &frame.quantities {
        match qty.kind {
            Kind::Bare | Kind::Pods => {
                if qty.more != 0
                    || !matches!(qty.role, Role::None | Role::With | Role::At | Role::Of | Role::On)
                    || qty.cmp.is_some()
                {
                    return Err(Problem::ask(Missing::Replicas));
                }
                if qty.approximate {
                    return Err(Problem::ask(Missing::Replicas));
                }
                if qty.value < 0.0 || qty.value.fract() != 0.0 {
                    return Err(Problem::Refuse(RefuseReason::Contradiction));
                }
                if qty.value > f64::from(MAX_COUNT) {
                    return Err(Problem::Refuse(RefuseReason::Unsupported));
                }
                let n = qty.value as u32;
                if out.replicas.is_some_and(|old| old != n) {
                    return Err(Problem::Refuse(RefuseReason::Contradiction));
                }
                out.replicas = Some(n);
            }
            Kind::Time(_) => return Err(Problem::Refuse(RefuseReason::Unsupported)),
            _ => settings::add_capacity(&mut capacity, qty, frame.link, context)?,
        }
    }
    if frame.link.is_some()
        && !frame.quantities.iter().any(|q| matches!(q.kind, Kind::Rate(_) | Kind::Unclear))
    {
        return Err(Problem::ask(Missing::Value));
    }
    if capacity != Capacity::default() {
        out.capacity = Some(capacity);
    }
    let mut slots = Slots::QUANTITIES
        .with(Slots::TARGET)
        .with(Slots::VERSION)
        .with(Slots::PROVIDER)
        .with(Slots::BLUEPRINT)
        .with(Slots::LINK);
    if used_unknown == frame.unknown.len() {
        slots = slots.with(Slots::UNKNOWN);
    }
    if frame.says(C::Few) || frame.says(C::About) {
        return Err(Problem::ask(Missing::Replicas));
    }
    let mut said = SAID;
    if out.capacity.is_some() {
        said = said.with(Seen::of(&[C::Capacity]));
    }
    if frame.mentions.iter().any(|m| m.prep == C::Of) || frame.says(C::Pods) {
        said = said.with(Seen::of(&[C::Of]));
    }
    account(frame, said, slots)?;
    if out.function.is_none() && out.blueprint.is_none() {
        return Err(Problem::ask(Missing::Function));
    }
    for word in [&out.name, &out.blueprint].into_iter().flatten() {
        if !is_dns_label(word) {
            return Err(Problem::ask(Missing::Target));
        }
    }
    // "roll out version v2 of smf": new, or newer?
    let function_at = frame.mentions.iter().map(|m| m.span.lo).min();
    if frame.version.is_some_and(|version| function_at.is_some_and(|at| version.lo < at)) {
        return Err(Problem::ask(Missing::Action));
    }
    let counted = out.replicas.is_some();
    // Start and launch without a count or "an instance of" are not deployments.
    if frame.says(C::Launch)
        && !counted
        && out.capacity.is_some()
        && !instance_of(frame)
        && !frame.new_article
    {
        // "provision udr for 2 million subscribers": new, or larger?
        return Err(Problem::ask(Missing::Action));
    }
    if frame.says(C::Launch)
        && !frame.says(C::Deploy)
        && !frame.says(C::Create)
        && !counted
        && !instance_of(frame)
        && !frame.new_article
    {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    let _: Option<Function> = out.function;
    Ok(Action::Deploy(out))
}

/// "an instance of", "a upf", "a fresh upf".
fn instance_of(frame: &Frame) -> bool {
    frame.says(C::Pods) || frame.mentions.iter().any(|m| m.article && matches!(m.named, Named::Function(..)))
}
