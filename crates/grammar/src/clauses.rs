//! Which parts belong together, and what clauses share: a verb, a number that
//! comes last, a place at the very start or end, the thing named first.

use nephoran_model::proposal::Missing;

use crate::frame::{Frame, Named, Role, Seen, VERBS};
use crate::vocabulary::C;

const SUFFICIENT: Seen = Seen::of(&[
    C::Retire,
    C::Remove,
    C::Undo,
    C::Show,
    C::Status,
    C::Alive,
    C::HowMany,
    C::Deploy,
    C::Create,
    C::Launch,
    C::Unsupported,
    C::Notify,
]);

/// Verbs that a further part may add to a clause that has its number already:
/// "elastic upf: 3 to 9 replicas, keeping cpu under 60 %".
const ADJUNCT: Seen =
    Seen::of(&[C::Keep, C::Run, C::Carry, C::Want, C::Use, C::Give, C::Limit, C::Guarantee, C::Light]);

pub(crate) fn clauses(parts: Vec<Frame>) -> Vec<Frame> {
    let mut clauses: Vec<Frame> = Vec::with_capacity(2);
    // What a clause took from the one before it: verb inherited, number awaited.
    let mut inherits: Vec<(bool, bool)> = Vec::with_capacity(2);
    for part in parts {
        let several = clauses.len() > 1;
        let Some(previous) = clauses.last_mut() else {
            if part.is_bare() && part.seen == Seen::default() && !part.whole_network {
                continue;
            }
            clauses.push(part);
            inherits.push((false, false));
            continue;
        };
        let odd = several && adrift(previous, &part);
        match if odd { Relation::Odd } else { relation(previous, &part) } {
            Relation::Same => previous.join(part),
            Relation::Odd => {
                previous.join(part);
                previous.seen.add(C::Told);
            }
            Relation::Place => {
                previous.join(part);
                previous.choice = previous.choice.or(Some(Missing::Place));
            }
            Relation::New { verb, awaits } => {
                clauses.push(part);
                inherits.push((verb, awaits));
            }
        }
    }
    share(&mut clauses, &inherits);
    clauses
}

/// "..., amf, in west-core to 5": whose is it?
fn adrift(previous: &Frame, part: &Frame) -> bool {
    !part.has_thing()
        && !part.has_verb()
        && part.has_content()
        && !previous.has_content()
        && previous.has_thing()
        && part
            .mentions
            .first()
            .is_some_and(|m| m.at <= part.first + 1 && matches!(m.prep, C::In | C::At | C::On))
}

enum Relation {
    Same,
    /// Words that belong to nothing.
    Odd,
    /// Two places, or a place and a workload: it must be asked.
    Place,
    New {
        verb: bool,
        awaits: bool,
    },
}

fn complete(frame: &Frame) -> bool {
    frame.has_thing() && (frame.has_content() || frame.seen.any(SUFFICIENT) || !frame.metrics.is_empty())
        || (!frame.cells.is_empty()
            && frame.seen.any(Seen::of(&[C::Prefer, C::Avoid, C::Forbid, C::Must, C::Only, C::Steer])))
        || frame.seen.any(Seen::of(&[C::Notify, C::Unsupported]))
        || (frame.seen.any(Seen::of(&[C::Deploy, C::Create, C::Launch])) && frame.says(C::SliceWord))
}

fn relation(previous: &Frame, part: &Frame) -> Relation {
    if part.is_bare() && !part.whole_network {
        let dangling = Seen::of(&[C::Should, C::Must, C::Can, C::Let, C::There, C::Be, C::Have, C::Want]);
        return if part.seen.any(dangling) && complete(previous) { Relation::Odd } else { Relation::Same };
    }
    let empty = !part.has_thing()
        && !part.has_content()
        && part.places.is_empty()
        && part.mentions.is_empty()
        && part.metrics.is_empty()
        && part.keys.is_empty()
        && part.unknown.is_empty()
        && part.tacs.is_empty()
        && part.slice.service.is_none()
        && part.link.is_none();
    // "... to 5 and run": a verb with nothing to do.
    if part.seen.any(VERBS)
        && empty
        && complete(previous)
        && (!previous.trigger || previous.has_verb())
        && !part.seen.any(SUFFICIENT)
        && !part.says(C::Pron)
    {
        return Relation::Odd;
    }
    if part.after_parenthesis && part.has_own_target() && previous.has_thing() {
        return Relation::Odd;
    }
    let again = part.five_qi.is_some() && previous.five_qi.is_some()
        || part.intent.is_some() && previous.intent.is_some()
        || part.slice.is_named()
            && previous.slice.is_named()
            && part.cells.is_empty()
            && previous.cells.is_empty();
    if again && part.slice.sd.is_none() {
        return Relation::New { verb: !part.seen.any(VERBS), awaits: false };
    }
    let steers = Seen::of(&[C::Prefer, C::Avoid, C::Forbid]);
    let verb = part.seen.any(VERBS) || !part.factors.is_empty() && part.has_thing();
    if verb && complete(previous) {
        let adjunct =
            part.seen.common(VERBS).within(ADJUNCT) && !part.has_own_target() && part.five_qi.is_none();
        if previous.trigger && !previous.has_verb() && !part.has_own_target() {
            return Relation::Same;
        }
        if part.after_stop && previous.has_verb() && part.has_thing() {
            return Relation::New { verb: false, awaits: false };
        }
        let own_steer = part.seen.any(steers) && !part.cells.is_empty();
        let watches = !part.metrics.is_empty()
            && !part.has_own_target()
            && part.cells.is_empty()
            && previous.metrics.is_empty()
            && !part.says(C::Guarantee);
        let previous_verb = previous.has_verb() || previous.has_content();
        if own_steer || (previous_verb && !adjunct && !watches) {
            return Relation::New { verb: false, awaits: false };
        }
        if !part.has_own_target() {
            return Relation::Same;
        }
    }
    // "in ran-a and edge-oslo to 3": a second place, or a second workload.
    if let (Some(name), Some(last)) = (part.mentions.first(), previous.mentions.last())
        && name.named == Named::Name
        && name.prep == C::Fill
        && name.at == part.first
        && !part.has_verb()
        && !previous.after_comma
        && matches!(last.prep, C::In | C::At | C::On)
        && last.at + 2 == name.at
        && previous.mentions.len() > 1
    {
        return Relation::Place;
    }
    if part.has_own_target() && previous.has_thing() {
        if apposition(previous, part) {
            return Relation::Same;
        }
        let deploys = previous.seen.any(Seen::of(&[C::Deploy, C::Create]))
            && part.quantities.iter().any(|q| q.role == Role::With)
            && previous.places.is_empty();
        let awaits =
            !previous.has_content() && (!previous.seen.any(SUFFICIENT) || deploys) && part.has_content();
        let listed = !previous.has_content() && !previous.seen.any(SUFFICIENT) && !part.has_content();
        // A leading thing and its verb in another part are one clause only when nothing new is named.
        return Relation::New { verb: !part.seen.any(VERBS), awaits: awaits || listed };
    }
    if !part.cells.is_empty() && !previous.cells.is_empty() && part.seen.any(steers) {
        return Relation::New { verb: false, awaits: false };
    }
    Relation::Same
}

/// "Create upf-guest-2, a upf, on cluster bern-2": the second names the kind of the first.
fn apposition(previous: &Frame, part: &Frame) -> bool {
    let deploys = previous.seen.any(Seen::of(&[C::Deploy, C::Create, C::Launch, C::Put]));
    let (Some(first), Some(second)) = (previous.mentions.first(), part.mentions.first()) else {
        return part.called.is_some() && part.mentions.is_empty() && deploys;
    };
    if !deploys || part.has_verb() || !part.after_comma || previous.mentions.len() != 1 {
        return false;
    }
    let kinds = (matches!(first.named, Named::Function(..)), matches!(second.named, Named::Function(..)));
    kinds == (false, true) && second.article && !matches!(first.named, Named::Word)
}

fn share(clauses: &mut [Frame], inherits: &[(bool, bool)]) {
    if clauses.len() < 2 {
        return;
    }
    for index in 1..clauses.len() {
        let (before, rest) = clauses.split_at_mut(index);
        let previous = &before[index - 1];
        let current = &mut rest[0];
        if inherits[index].0 {
            current.seen = current.seen.with(previous.seen.common(VERBS));
            current.comparison_verb = current.comparison_verb.or(previous.comparison_verb);
            current.new_article |= previous.new_article && !current.has_content();
            for class in [C::Must, C::Should, C::Be] {
                if previous.says(class) {
                    current.seen.add(class);
                }
            }
            if current.factors.is_empty()
                && current.quantities.is_empty()
                && previous.factors.len() == 1
                && !inherits[index].1
            {
                current.factors = previous.factors.clone();
            }
        }
        // "remove 2 upf and smf": all of smf, or two of it?
        let counted = Seen::of(&[C::Remove, C::Retire, C::Add]);
        if inherits[index].0 && previous.has_content() && !current.has_content() && previous.seen.any(counted)
        {
            current.seen.add(C::Told);
        }
        // "prefer cell 503, forbid cell 504" after "slice sst 5:".
        let topic_slice = before[0].slice_at.is_some_and(|at| before[0].verb_at.is_none_or(|verb| at < verb));
        if topic_slice && !current.slice.is_named() && !current.cells.is_empty() && before[0].slice.is_named()
        {
            current.slice = before[0].slice.clone();
            current.seen.add(C::SliceWord);
        }
        let topic = before[0].mentions.first().copied().filter(|mention| {
            mention.prep == C::Fill && before[0].verb_at.is_none_or(|verb| mention.at < verb)
        });
        if !current.has_thing() && current.has_verb() && current.cells.is_empty() {
            let pronoun = current.says(C::Pron)
                && previous.mentions.iter().filter(|m| !matches!(m.named, Named::Word)).count() >= 1;
            if let Some(mention) = topic {
                current.mentions.push(mention);
                if current.places.is_empty() {
                    current.places.extend(before[0].places.iter().copied());
                    current.mentions.extend(before[0].mentions.iter().skip(1).copied());
                }
            } else if pronoun {
                current.mentions.extend(previous.mentions.iter().copied());
                current.places.extend(previous.places.iter().copied());
            }
        }
    }
    // "scale upf and smf to 3": the number comes last.
    let mut each = false;
    for index in (0..clauses.len() - 1).rev() {
        let (before, rest) = clauses.split_at_mut(index + 1);
        let (current, next) = (&mut before[index], &rest[0]);
        if inherits[index + 1].1 && !current.has_content() {
            current.quantities.extend(next.quantities.iter().copied());
            current.factors.extend(next.factors.iter().copied());
            current.version = current.version.or(next.version);
            current.value = current.value.or(next.value);
            current.switch = current.switch.or(next.switch);
            current.choice = current.choice.or(next.choice);
            current.up_to |= next.up_to;
            each |= next.each;
            if current.metrics.is_empty() {
                current.metrics.extend(next.metrics.iter().copied());
            }
            for class in [C::Grow, C::Shrink, C::Few, C::About] {
                if next.says(class) {
                    current.seen.add(class);
                }
            }
        }
    }
    if each {
        // "amf, smf and upf to 5 each": that is what sharing means.
        clauses.iter_mut().for_each(|clause| clause.each = false);
    }
    share_places(clauses, inherits);
}

/// A place at the very start is everyone's; one at the very end is everyone's
/// whose verb is shared to the end.
fn share_places(clauses: &mut [Frame], inherits: &[(bool, bool)]) {
    let placed = |frame: &Frame| -> bool {
        !frame.places.is_empty()
            || frame.mentions.iter().any(|m| matches!(m.prep, C::In | C::At | C::Into) || placelike(frame, m))
    };
    let leading = {
        let first = &clauses[0];
        let start = first
            .places
            .iter()
            .map(|p| p.at)
            .chain(first.mentions.iter().filter(|m| matches!(m.prep, C::In | C::At | C::On)).map(|m| m.at))
            .min();
        let thing = first
            .mentions
            .iter()
            .filter(|m| !matches!(m.prep, C::In | C::At | C::On))
            .map(|m| m.at)
            .chain(first.verb_at)
            .min();
        start.is_some_and(|start| thing.is_none_or(|thing| start < thing))
    };
    if leading {
        let places = clauses[0].places.clone();
        let mentions: Vec<_> =
            clauses[0].mentions.iter().filter(|m| matches!(m.prep, C::In | C::At | C::On)).copied().collect();
        for clause in clauses.iter_mut().skip(1) {
            if !placed(clause) {
                clause.places.extend(places.iter().copied());
                clause.mentions.extend(mentions.iter().copied());
            }
        }
    }
    let last = clauses.len() - 1;
    if !inherits[last].0 || !placed(&clauses[last]) {
        return;
    }
    let places = clauses[last].places.clone();
    let mentions: Vec<_> = clauses[last]
        .mentions
        .iter()
        .filter(|m| matches!(m.prep, C::In | C::At | C::Into) || placelike(&clauses[last], m))
        .copied()
        .collect();
    // Only what stands after the last target and its number is at the very end.
    let trailing = places.iter().map(|p| p.at).chain(mentions.iter().map(|m| m.at)).min().unwrap_or(0);
    let behind = clauses[last].quantities.iter().filter(|q| q.role != Role::With).map(|q| q.span.lo).max();
    let place_text = places.first().map(|p| p.span.lo).or(mentions.first().map(|m| m.span.lo));
    if behind.is_some_and(|number| place_text.is_some_and(|place| place < number)) || trailing == 0 {
        // "smf and amf in ran-a to 3": is smf in ran-a too?
        if inherits[last].1 && last > 0 && !placed(&clauses[last - 1]) {
            clauses[last].choice = clauses[last].choice.or(Some(Missing::Place));
        }
        return;
    }
    for index in (0..last).rev() {
        if !placed(&clauses[index]) {
            clauses[index].places.extend(places.iter().copied());
            clauses[index].mentions.extend(mentions.iter().copied());
        }
        if !inherits[index].0 {
            break;
        }
    }
}

/// "from ran-a", "on edge-1" beside a target of its own.
fn placelike(frame: &Frame, mention: &crate::frame::Mention) -> bool {
    matches!(mention.prep, C::On | C::From | C::To | C::Off)
        && matches!(mention.named, Named::Name | Named::Word | Named::Quoted)
        && frame.mentions.iter().any(|other| other.at != mention.at && other.prep == C::Fill)
}
