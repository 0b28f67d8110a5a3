//! Which mention is the thing, and which the place.

use nephoran_model::proposal::{Function, Missing, Target, is_dns_label};

use super::{Context, Problem, Read};
use crate::frame::{Frame, Mention, Named, PlaceKind, Seen};
use crate::vocabulary::C;

/// The place of a clause: at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Where {
    pub(crate) namespace: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) place: Option<String>,
}

/// Plain words that are places where they stand behind "in", "at" and the like;
/// any other ("in moderation", "on paper") says something that has no field.
/// What has a hyphen or a digit needs no list.
pub(crate) const PLAIN_PLACES: &[&str] = &[
    "test",
    "testing",
    "prod",
    "production",
    "staging",
    "stage",
    "dev",
    "development",
    "lab",
    "core",
    "edge",
    "ran",
    "default",
    "demo",
    "qa",
    "uat",
    "preprod",
    "sandbox",
    "central",
    "north",
    "south",
    "east",
    "west",
    "hub",
    "metro",
    "campus",
    "factory",
    "stadium",
    "hq",
];

struct Sorted<'a> {
    things: Vec<&'a Mention>,
    places: Vec<&'a Mention>,
}

fn sort<'a>(frame: &'a Frame) -> Sorted<'a> {
    let mut sorted = Sorted { things: Vec::new(), places: Vec::new() };
    for mention in &frame.mentions {
        match (mention.named, mention.prep) {
            (Named::Function(..), _) | (_, C::Fill | C::Of) => sorted.things.push(mention),
            (_, C::In | C::At | C::Into) => sorted.places.push(mention),
            _ => {}
        }
    }
    // "on X", "from X", "to X", "for X": the thing when nothing else is, else the place.
    let mut open: Vec<&Mention> = frame
        .mentions
        .iter()
        .filter(|m| {
            !matches!(m.named, Named::Function(..))
                && !matches!(m.prep, C::Fill | C::Of | C::In | C::At | C::Into)
        })
        .collect();
    // "hello from core-lab" names nothing to act on.
    if sorted.things.is_empty()
        && frame.called.is_none()
        && let Some(index) = open
            .iter()
            .position(|m| !matches!(m.named, Named::Word) && (m.prep != C::From || frame.has_verb()))
    {
        sorted.things.push(open.remove(index));
    }
    sorted.places.extend(open);
    sorted
}

/// The places that were said; two of a kind ask.
pub(crate) fn place(frame: &Frame, context: &Context<'_>) -> Read<Where> {
    // Here nothing is the thing: what stands behind "on" or "from" is a place, or it asks.
    let places: Vec<&Mention> = frame
        .mentions
        .iter()
        .filter(|m| !matches!(m.named, Named::Function(..)) && !matches!(m.prep, C::Fill | C::Of))
        .collect();
    place_of(frame, &places, context)
}

fn place_of(frame: &Frame, mentions: &[&Mention], context: &Context<'_>) -> Read<Where> {
    let mut found = Where::default();
    let text = context.text;
    let mut put = |slot: fn(&mut Where) -> &mut Option<String>, word: &str| -> Read<()> {
        if !is_dns_label(word) {
            return Err(Problem::ask(Missing::Place));
        }
        let slot = slot(&mut found);
        match slot {
            Some(old) if old != word => Err(Problem::ask(Missing::Place)),
            _ => {
                *slot = Some(word.to_owned());
                Ok(())
            }
        }
    };
    for place in &frame.places {
        let word = place.span.text(text);
        match place.kind {
            PlaceKind::Namespace => put(|w| &mut w.namespace, word)?,
            PlaceKind::Cluster => put(|w| &mut w.cluster, word)?,
        }
    }
    for mention in mentions {
        let word = mention.span.text(text);
        let deploys = frame.seen.any(Seen::of(&[C::Deploy, C::Create, C::Launch, C::Put]));
        if matches!(mention.named, Named::Word)
            && (!PLAIN_PLACES.contains(&word) || mention.article || mention.prep == C::To && !deploys)
        {
            return Err(Problem::ask(Missing::Action));
        }
        if !matches!(mention.prep, C::In | C::At | C::On | C::Into | C::From | C::To | C::Off) {
            return Err(Problem::ask(Missing::Action));
        }
        put(|w| &mut w.place, word)?;
    }
    if let Some(supplied) = &context.supplied.place
        && found == Where::default()
    {
        return Ok(supplied.clone());
    }
    Ok(found)
}

/// The one workload a clause is about, with its place.
pub(crate) fn target(frame: &Frame, context: &Context<'_>) -> Read<Target> {
    let sorted = sort(frame);
    let place = place_of(frame, &sorted.places, context)?;
    let (name, function) = thing(frame, &sorted.things, context)?;
    Ok(Target { name, function, namespace: place.namespace, cluster: place.cluster, place: place.place })
}

pub(crate) fn has_target(frame: &Frame) -> bool {
    frame.called.is_some() || !sort(frame).things.is_empty()
}

fn thing(
    frame: &Frame,
    things: &[&Mention],
    context: &Context<'_>,
) -> Read<(Option<String>, Option<Function>)> {
    let text = context.text;
    let mut name: Option<String> = None;
    let mut function: Option<Function> = None;
    let mut quoted = false;
    for mention in things {
        let word = mention.span.text(text);
        if matches!(mention.prep, C::With | C::By | C::Into | C::At) {
            return Err(Problem::ask(Missing::Action));
        }
        match mention.named {
            Named::Function(said, named) => {
                if function.is_some_and(|old| old != said) || (name.is_some() && function.is_none()) {
                    return Err(Problem::ask(Missing::Target));
                }
                if function.is_some() {
                    // The same word twice: one of them has no meaning here.
                    return Err(Problem::ask(Missing::Action));
                }
                function = Some(said);
                if named && name.is_none() {
                    name = Some(singular(word, said).to_owned());
                }
            }
            Named::Name | Named::Quoted => {
                let lower = word.to_ascii_lowercase();
                if !is_dns_label(&lower)
                    || (name.is_some() && name.as_deref() != Some(&lower))
                    || function.is_some()
                {
                    return Err(Problem::ask(Missing::Target));
                }
                quoted |= mention.named == Named::Quoted;
                name = Some(lower);
            }
            Named::Word => return Err(Problem::ask(Missing::Action)),
        }
        if quoted && function.is_some() {
            return Err(Problem::ask(Missing::Target));
        }
    }
    if let Some(called) = frame.called {
        let word = called.text(text).to_ascii_lowercase();
        if !is_dns_label(&word) || name.is_some() && function.is_none() {
            return Err(Problem::ask(Missing::Target));
        }
        // "the upf called edge-upf": the name is what it is called.
        name = Some(word);
    }
    if name.is_none()
        && function.is_none()
        && let Some((span, _)) = plain_name(frame)
    {
        name = Some(span.text(text).to_owned());
    }
    if name.is_none() && function.is_none() {
        if let Some(supplied) = &context.supplied.target {
            return Ok((supplied.name.clone(), supplied.function));
        }
        return Err(Problem::ask(Missing::Target));
    }
    Ok((name, function))
}

/// "upfs" is said of several; the name is "upf". "ausf's" was cut before.
fn singular(word: &str, function: Function) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if !stem.is_empty() && word != function.as_str() => stem,
        _ => word,
    }
}

/// A plain word right behind a verb of scaling is a name: "scale redis to 3".
pub(crate) fn plain_name(frame: &Frame) -> Option<(crate::frame::Span, usize)> {
    let [(span, at)] = frame.unknown.as_slice() else {
        return None;
    };
    let scales = frame.says(C::Scale)
        || (frame.seen.any(Seen::of(&[C::Set, C::Grow, C::Shrink, C::Light])) && frame.says_pods());
    (frame.plain_at == Some(*at)
        && scales
        && frame.mentions.iter().all(|m| matches!(m.prep, C::In | C::At | C::On)))
    .then_some((*span, *at))
}
