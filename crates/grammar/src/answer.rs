//! Reads an author's short answer to a question, for the named missing fields
//! and nothing else.
//!
//! The original words are read again, and the answer stands only where they
//! would ask; so it can never change anything that was said.

use nephoran_model::proposal::{
    Action, Actions, Function, LinkDirection, Missing, Proposal, Replicas, ScaleDirection, SliceRef, Target,
    is_dns_label,
};

use crate::frame::{Cmp, Frame, Kind, Link, Mention, Named, PlaceKind, Qty, Role, Seen};
use crate::rules::{self, Context, Where};
use crate::tokens::Tok;
use crate::vocabulary::C;
use crate::{lexer, parse, tokens, translate_with};

/// What an answer supplies. Each field is used only where a rule would ask for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Supplied {
    pub(crate) target: Option<Thing>,
    pub(crate) place: Option<Where>,
    pub(crate) replicas: Option<Replicas>,
    /// A number alone: the verb of the request says whether it is "to" or "by".
    pub(crate) bare_count: bool,
    pub(crate) value: Option<Qty>,
    pub(crate) value_text: Option<String>,
    pub(crate) unit: Option<u8>,
    pub(crate) bound: Option<Cmp>,
    pub(crate) link: Option<LinkDirection>,
    pub(crate) scale_direction: Option<ScaleDirection>,
    pub(crate) function: Option<Function>,
    pub(crate) cells: Option<Vec<String>>,
    pub(crate) slice: Option<SliceRef>,
    pub(crate) five_qi: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Thing {
    pub(crate) name: Option<String>,
    pub(crate) function: Option<Function>,
}

/// Translates `words` again with `text` as the answer to `missing`. An answer
/// that says more, or cannot be read, asks the same again.
pub fn answer(words: &str, missing: &[Missing], text: &str) -> Proposal {
    let again = || crate::with_texts(Proposal::ask(missing.iter().copied()), None);
    let Some(supplied) = read(missing, text) else {
        return again();
    };
    match translate_with(words, &supplied) {
        Proposal::Clarify(clarify) if clarify.missing.iter().any(|one| missing.contains(one)) => again(),
        // What was asked about was only asked because nothing else is wrong.
        Proposal::Refuse(refuse) => Proposal::Refuse(refuse),
        other => other,
    }
}

/// Fills what planning asks about a proposal that is already `actions`: which
/// workload, where it is, or how many replicas. `None` when the answer says
/// more than that, cannot be read, or could belong to several actions.
pub fn fill(proposal: &Actions, missing: &[Missing], text: &str) -> Option<Actions> {
    let mut filled = proposal.clone();
    let [one] = missing else {
        return None;
    };
    if *one == Missing::Replicas {
        let supplied = read(missing, text)?;
        let to = supplied.replicas?.to?;
        let mut scales = filled.actions.iter_mut().filter_map(|action| match action {
            Action::Scale(scale) if scale.replicas.to.is_none() => Some(scale),
            _ => None,
        });
        let scale = scales.next()?;
        if scales.next().is_some() {
            return None;
        }
        scale.replicas.by = None;
        scale.replicas.factor = None;
        scale.replicas.to = Some(to);
        return Some(filled);
    }
    if !matches!(one, Missing::Target | Missing::Place) {
        return None;
    }
    let mut targets: Vec<&mut Target> = filled.actions.iter_mut().filter_map(target_of).collect();
    if targets.len() > 1 {
        targets.retain(|target| target.namespace.is_none() && target.cluster.is_none());
    }
    let [target] = targets.as_mut_slice() else {
        return None;
    };
    // "ran-a/upf": the workload and its namespace.
    let said = text.trim().to_ascii_lowercase();
    if let Some((namespace, name)) = said.split_once('/')
        && is_dns_label(namespace)
        && is_dns_label(name)
    {
        if *one != Missing::Target {
            return None;
        }
        target.namespace = Some(namespace.to_owned());
        target.place = None;
        target.name = Some(name.to_owned());
        return Some(filled);
    }
    let place = read(&[Missing::Place], text).and_then(|supplied| supplied.place);
    let placed = said.starts_with("in ")
        || said.starts_with("at ")
        || said.starts_with("on ")
        || said.starts_with("the one in ")
        || said.contains("namespace")
        || said.contains("ns ")
        || said.contains("cluster")
        || said.contains("site");
    if *one == Missing::Place || placed {
        let place = place?;
        if place.namespace.is_some() {
            target.namespace = place.namespace;
        }
        if place.cluster.is_some() {
            target.cluster = place.cluster;
        }
        if target.namespace.is_some() || target.cluster.is_some() {
            target.place = None;
        }
        if place.place.is_some() {
            target.place = place.place;
        }
        return Some(filled);
    }
    let thing = read(&[Missing::Target], text)?.target?;
    // A name of its own; its function is what the inventory says.
    target.function = thing.function;
    target.name = thing.name;
    Some(filled)
}

fn target_of(action: &mut Action) -> Option<&mut Target> {
    match action {
        Action::Scale(scale) => Some(&mut scale.target),
        Action::Retire(retire) => Some(&mut retire.target),
        Action::Upgrade(upgrade) => Some(&mut upgrade.target),
        Action::SetCapacity(set) => Some(&mut set.target),
        Action::Configure(configure) => Some(&mut configure.target),
        Action::Ensure(ensure) => ensure.target.as_mut(),
        Action::Rollback(rollback) => rollback.target.as_mut(),
        Action::Report(report) => report.target.as_mut(),
        Action::Deploy(_) | Action::Slice(_) | Action::Steer(_) | Action::Qos(_) => None,
    }
}

/// The typed values of an answer, when all of it belongs to `missing`.
pub(crate) fn read(missing: &[Missing], text: &str) -> Option<Supplied> {
    if text.chars().count() > 200 {
        return None;
    }
    let lowered = text.to_ascii_lowercase();
    let mut raw = Vec::new();
    lexer::lex(&lowered, &mut raw).ok()?;
    let tokens = tokens::tokens(&lowered, text, &raw);
    let words: Vec<&Tok> = tokens
        .list
        .iter()
        .filter(|tok| !matches!(tok.class, C::Fill | C::The | C::Stop | C::Comma | C::A))
        .collect();
    let parsed = parse::read(&lowered, &tokens.list);
    let mut parts = parsed.parts.into_iter();
    let mut frame = parts.next()?;
    for part in parts {
        frame.join(part);
    }
    if parsed.asked
        || parsed.check
        || parsed.priority.is_some()
        || frame.choice.is_some()
        || frame.conflict
        || frame.trigger
    {
        return None;
    }
    let mut supplied = Supplied::default();
    let mut left = frame;
    for one in missing {
        match one {
            Missing::Replicas => replicas(&mut left, &mut supplied, &lowered)?,
            Missing::Value => value(&mut left, &mut supplied, &words, &lowered)?,
            Missing::Unit => unit(&mut left, &mut supplied, &words)?,
            Missing::Bound => bound(&mut left, &mut supplied)?,
            Missing::Direction => direction(&mut left, &mut supplied)?,
            Missing::Target => target(&mut left, &mut supplied, &lowered)?,
            Missing::Place => place(&mut left, &mut supplied, &lowered)?,
            Missing::Function => function(&mut left, &mut supplied)?,
            Missing::Cells => cells(&mut left, &mut supplied, &lowered)?,
            Missing::Slice => slice(&mut left, &mut supplied, &lowered)?,
            Missing::FiveQi => five_qi(&mut left, &mut supplied)?,
            // A word left over needs a request in other words.
            Missing::Action | Missing::Schedule | Missing::Confirmation => return None,
        }
    }
    left.seen.drop(C::A);
    let done = Frame {
        first: left.first,
        last: left.last,
        verb_at: left.verb_at,
        cell_prep: left.cell_prep,
        slice_at: left.slice_at,
        ..Frame::default()
    };
    (is_empty(&left) && left.seen == done.seen).then_some(supplied)
}

fn is_empty(frame: &Frame) -> bool {
    frame.is_bare()
        && frame.metrics.is_empty()
        && frame.link.is_none()
        && frame.tacs.is_empty()
        && frame.group.is_none()
        && frame.provider.is_none()
        && frame.statistic.is_none()
        && frame.priority_level.is_none()
        && frame.slice.service.is_none()
        && frame.slice.sd.is_none()
}

fn forget(frame: &mut Frame, classes: &[C]) {
    for class in classes {
        frame.seen.drop(*class);
    }
}

fn replicas(frame: &mut Frame, out: &mut Supplied, text: &str) -> Option<()> {
    let context = Context { text, supplied: &Supplied::default(), check: false, asked: false };
    let allowed = Seen::of(&[
        C::A,
        C::Pods,
        C::Scale,
        C::Set,
        C::Grow,
        C::Shrink,
        C::Add,
        C::Remove,
        C::Up,
        C::Down,
        C::Out,
        C::Be,
        C::Should,
        C::Want,
        C::You,
        C::Pron,
    ]);
    if !frame.seen.within(allowed) {
        return None;
    }
    let read = rules::replicas(frame, &context)?;
    if read.from.is_some() || read.min.is_some() || read.max.is_some() {
        return None;
    }
    out.bare_count = frame.quantities.iter().any(|q| q.role == Role::None && q.more == 0)
        && !frame.seen.any(Seen::of(&[C::Add, C::Remove]));
    out.replicas = Some(read);
    frame.quantities.clear();
    frame.factors.clear();
    frame.seen = Seen::default();
    Some(())
}

fn value(frame: &mut Frame, out: &mut Supplied, words: &[&Tok], text: &str) -> Option<()> {
    if let [qty] = frame.quantities.as_slice() {
        if qty.approximate || qty.more != 0 {
            return None;
        }
        out.value = Some(*qty);
        if words.len() == 1 || words.len() == 2 && words[0].class == C::To {
            out.value_text = Some(qty.span.text(text).to_owned());
        }
        frame.quantities.clear();
        return Some(());
    }
    let word = match words {
        [word] => word,
        [to, word] if to.class == C::To => word,
        _ => return None,
    };
    out.value_text = Some(text[word.lo as usize..word.hi as usize].to_owned());
    *frame = Frame::default();
    Some(())
}

fn unit(frame: &mut Frame, out: &mut Supplied, words: &[&Tok]) -> Option<()> {
    let [word] = words else {
        return None;
    };
    let Kind::Rate(unit) = (word.class == C::Unit).then(|| crate::units::kind(word.value, ""))? else {
        return None;
    };
    out.unit = Some(unit);
    frame.seen = Seen::default();
    Some(())
}

fn bound(frame: &mut Frame, out: &mut Supplied) -> Option<()> {
    let guaranteed = frame.says(C::Guarantee) || frame.says(C::Min);
    let maximum = frame.says(C::Max) || frame.says(C::Limit);
    out.bound = Some(match (guaranteed, maximum, frame.says(C::Below), frame.says(C::Above)) {
        (true, false, false, false) => Cmp::Guaranteed,
        (false, true, false, false) => Cmp::AtMost,
        (false, false, true, false) => Cmp::Below,
        (false, false, false, true) => Cmp::Above,
        _ => return None,
    });
    forget(frame, &[C::Guarantee, C::Min, C::Max, C::Limit, C::Below, C::Above, C::Be]);
    frame.comparison_verb = None;
    Some(())
}

fn direction(frame: &mut Frame, out: &mut Supplied) -> Option<()> {
    match frame.link.take() {
        Some(Link::One(link)) => out.link = Some(link),
        Some(Link::Both) => return None,
        None => match (frame.says(C::Grow), frame.says(C::Shrink) || frame.says(C::In)) {
            (true, false) => {
                out.scale_direction = Some(ScaleDirection::Out);
                if frame.says(C::Up) {
                    out.link = Some(LinkDirection::Uplink);
                }
            }
            (false, true) => {
                out.scale_direction = Some(ScaleDirection::In);
                if frame.says(C::Down) {
                    out.link = Some(LinkDirection::Downlink);
                }
            }
            _ => return None,
        },
    }
    forget(frame, &[C::Grow, C::Shrink, C::In, C::Up, C::Down, C::Out, C::Scale]);
    Some(())
}

fn one_mention(frame: &mut Frame) -> Option<Mention> {
    match frame.mentions.as_slice() {
        [mention] => Some(*mention),
        _ => None,
    }
}

fn target(frame: &mut Frame, out: &mut Supplied, text: &str) -> Option<()> {
    let mut plain = frame.clone();
    // A plain word is a name where a name was asked for.
    if let ([], [(span, at)]) = (frame.mentions.as_slice(), frame.unknown.as_slice()) {
        plain.unknown.clear();
        plain.mentions.push(Mention {
            named: Named::Name,
            prep: C::Fill,
            span: *span,
            at: *at,
            article: false,
        });
    }
    let mention = one_mention(&mut plain)?;
    if mention.prep != C::Fill {
        return None;
    }
    let context = Context { text, supplied: &Supplied::default(), check: false, asked: false };
    let target = rules::target(&plain, &context)?;
    if target.namespace.is_some() || target.cluster.is_some() || target.place.is_some() {
        return None;
    }
    out.target = Some(Thing { name: target.name, function: target.function });
    frame.mentions.clear();
    frame.unknown.clear();
    Some(())
}

fn place(frame: &mut Frame, out: &mut Supplied, text: &str) -> Option<()> {
    let mut found = Where::default();
    match (frame.places.as_slice(), frame.mentions.as_slice(), frame.unknown.as_slice()) {
        ([place], [], []) => {
            let word = place.span.text(text).to_owned();
            match place.kind {
                PlaceKind::Namespace => found.namespace = Some(word),
                PlaceKind::Cluster => found.cluster = Some(word),
            }
        }
        ([], [mention], []) if matches!(mention.prep, C::Fill | C::In | C::At | C::On) => {
            found.place = Some(mention.span.text(text).to_owned());
        }
        ([], [], [(span, _)]) => found.place = Some(span.text(text).to_owned()),
        _ => return None,
    }
    let word = found.namespace.as_ref().or(found.cluster.as_ref()).or(found.place.as_ref())?;
    if !is_dns_label(word) {
        return None;
    }
    frame.places.clear();
    frame.mentions.clear();
    frame.unknown.clear();
    forget(frame, &[C::Number]);
    out.place = Some(found);
    Some(())
}

fn function(frame: &mut Frame, out: &mut Supplied) -> Option<()> {
    let mention = one_mention(frame)?;
    let Named::Function(function, _) = mention.named else {
        return None;
    };
    frame.mentions.clear();
    out.function = Some(function);
    Some(())
}

fn cells(frame: &mut Frame, out: &mut Supplied, text: &str) -> Option<()> {
    let mut found: Vec<String> = frame.cells.iter().map(|span| span.text(text).to_owned()).collect();
    if found.is_empty() {
        found.extend(
            frame
                .quantities
                .iter()
                .filter(|q| q.whole && q.kind == Kind::Bare && q.role == Role::None)
                .map(|q| q.span.text(text).to_owned()),
        );
        if found.len() != frame.quantities.len() {
            return None;
        }
        frame.quantities.clear();
    }
    if found.is_empty() {
        return None;
    }
    frame.cells.clear();
    forget(frame, &[C::Cell]);
    out.cells = Some(found);
    Some(())
}

fn slice(frame: &mut Frame, out: &mut Supplied, text: &str) -> Option<()> {
    let context = Context { text, supplied: &Supplied::default(), check: false, asked: false };
    let mut reference = rules::slice_reference(frame, &context)?;
    if reference == SliceRef::default() {
        if let [qty] = frame.quantities.as_slice()
            && qty.kind == Kind::Bare
            && qty.whole
            && (0.0..=255.0).contains(&qty.value)
        {
            reference.sst = Some(qty.value as u8);
            frame.quantities.clear();
        } else {
            let word = match (frame.mentions.as_slice(), frame.unknown.as_slice()) {
                ([mention], []) if mention.prep == C::Fill => mention.span.text(text),
                ([], [(span, _)]) => span.text(text),
                _ => return None,
            };
            if !is_dns_label(word) {
                return None;
            }
            reference.name = Some(word.to_owned());
            frame.mentions.clear();
            frame.unknown.clear();
        }
    }
    frame.slice.name = None;
    frame.slice.sst = None;
    frame.slice.sd = None;
    forget(frame, &[C::SliceWord, C::Sst]);
    out.slice = Some(reference);
    Some(())
}

fn five_qi(frame: &mut Frame, out: &mut Supplied) -> Option<()> {
    let value = match (frame.five_qi, frame.quantities.as_slice()) {
        (Some(value), []) => value,
        (None, [qty]) if qty.kind == Kind::Bare && qty.whole => qty.value,
        _ => return None,
    };
    if !(0.0..=255.0).contains(&value) {
        return None;
    }
    frame.five_qi = None;
    frame.quantities.clear();
    forget(frame, &[C::FiveQi]);
    out.five_qi = Some(value as u16);
    Some(())
}

impl Supplied {
    /// Puts what was supplied in the place of what a clause left open.
    pub(crate) fn settle(&self, frame: &mut Frame) {
        match frame.choice {
            Some(Missing::Target) if self.target.is_some() => {
                frame.mentions.retain(|m| matches!(m.prep, C::In | C::At | C::Into));
                frame.choice = None;
            }
            Some(Missing::Place) if self.place.is_some() => {
                let choice_at = frame.choice_at;
                let behind = frame.mentions.iter().filter(|m| m.at >= choice_at).map(|m| m.at).min();
                frame
                    .mentions
                    .retain(|m| !matches!(m.prep, C::In | C::At | C::Into | C::On) && Some(m.at) != behind);
                frame.places.clear();
                frame.choice = None;
            }
            Some(Missing::Replicas) if self.replicas.is_some() => {
                frame.quantities.retain(|q| !matches!(q.kind, Kind::Bare | Kind::Pods) || q.cmp.is_some());
                frame.choice = None;
            }
            _ => {}
        }
        if self.replicas.is_some() {
            frame.quantities.retain(|q| !q.approximate || !matches!(q.kind, Kind::Bare | Kind::Pods));
            forget(frame, &[C::Few, C::About]);
        }
        if self.cells.is_some() && frame.cells.is_empty() && frame.says(C::Cell) {
            // "that noisy cell" is what the answer names.
            frame.unknown.clear();
            forget(frame, &[C::That, C::Vague]);
        }
        if let Some(value) = self.value
            && !frame.quantities.iter().any(|q| {
                !q.approximate
                    && matches!(q.kind, Kind::Rate(_) | Kind::Percent | Kind::Time(_) | Kind::Sessions)
            })
        {
            frame.quantities.retain(|q| !q.approximate);
            forget(frame, &[C::Few, C::About, C::Vague, C::More, C::Fewer]);
            frame.quantities.push(value);
        }
    }
}
