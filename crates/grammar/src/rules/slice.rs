//! slice: a slice and what it must hold.

use nephoran_model::proposal::{
    Action, Decimal, LinkDirection, Missing, Plmn, RefuseReason, Service, Slice, SliceObjectives, SliceRef,
    is_dns_label,
};

use super::{Context, Problem, Read, target};
use crate::account::{Slots, account};
use crate::frame::{Cmp, Frame, Kind, Link, Qty, Role, Seen, SliceSaid};
use crate::units;
use crate::vocabulary::C;
use crate::words::metric;

pub(crate) fn slice(frame: &Frame, context: &Context<'_>) -> Read<Action> {
    let seen = Seen::of(&[
        C::Create,
        C::Deploy,
        C::Launch,
        C::Set,
        C::Give,
        C::Put,
        C::Light,
        C::Run,
        C::Carry,
        C::SliceWord,
        C::Guarantee,
        C::Limit,
        C::New,
        C::Cell,
        C::Capacity,
        C::UeNoun,
        C::Sessions,
        C::Pdu,
        C::Up,
        C::Keep,
        C::For,
        C::Subscribers,
        C::Sst,
        C::Use,
        C::With,
        C::Reliability,
        C::Traffic,
        C::Grow,
        C::Out,
        C::Pron,
        C::Max,
        C::On,
    ]);
    let place = target::place(frame, context);
    let mut objectives = SliceObjectives::default();
    let mut problems: Vec<Missing> = Vec::new();
    let shared = shared_link(frame);
    for qty in &frame.quantities {
        let mut qty = *qty;
        if matches!(qty.kind, Kind::Rate(_) | Kind::Unclear) {
            qty.link = qty.link.or(shared);
        }
        if frame.max_metric && qty.cmp.is_none() {
            qty.cmp = Some(Cmp::AtMost);
        }
        match add_objective(&mut objectives, &qty, frame, context) {
            Ok(()) => {}
            Err(Problem::Ask(missing)) => problems.extend(missing),
            Err(refuse) => return Err(refuse),
        }
    }
    for (low, high) in
        [(objectives.gua_dl_thpt, objectives.max_dl_thpt), (objectives.gua_ul_thpt, objectives.max_ul_thpt)]
    {
        if let (Some(low), Some(high)) = (low, high)
            && units::bits(low) > units::bits(high)
        {
            return Err(Problem::Refuse(RefuseReason::Contradiction));
        }
    }
    let slots = Slots::QUANTITIES
        .with(Slots::MENTIONS)
        .with(Slots::CELLS)
        .with(Slots::TACS)
        .with(Slots::SLICE)
        .with(Slots::METRICS)
        .with(Slots::LINK)
        .with(Slots::CALLED)
        .with(Slots::PER_UE);
    let said = reference(&frame.slice, frame, context)?;
    let anything = said != SliceRef::default() || frame.slice.service.is_some();
    if !anything && context.supplied.slice.is_none() {
        // Words that could be its name or kind are left over: that is what is asked.
        let known = frame.seen.within(seen.with(super::COMMON).with(Seen::of(&[C::Notify, C::Vague])));
        return Err(if known { Problem::ask(Missing::Slice) } else { Problem::ask(Missing::Action) });
    }
    account(frame, seen, slots)?;
    if frame.metrics.iter().any(|m| {
        !matches!(f64::from(*m), metric::LATENCY | metric::THROUGHPUT | metric::BANDWIDTH)
            && *m != units::RELIABILITY
    }) {
        return Err(Problem::ask(Missing::Action));
    }
    let place = place?;
    let directed =
        |q: &Qty| q.link.is_none() && matches!(q.kind, Kind::Rate(_) | Kind::Unclear | Kind::Time(_));
    if frame.link.is_some() && !frame.quantities.is_empty() && !frame.quantities.iter().any(directed) {
        return Err(Problem::ask(Missing::Action));
    }
    if frame.mentions.iter().any(|m| matches!(m.named, crate::frame::Named::Function(..))) {
        return Err(Problem::ask(Missing::Action));
    }
    if frame.mentions.iter().any(|m| !matches!(m.prep, C::In | C::At | C::On | C::Into | C::To))
        || place.cluster.is_some()
    {
        return Err(Problem::ask(Missing::Action));
    }
    if !problems.is_empty() {
        return Err(Problem::Ask(problems));
    }
    if frame.says(C::Cell) && frame.cells.is_empty() {
        return Err(Problem::ask(Missing::Cells));
    }
    let made = frame.seen.any(Seen::of(&[C::Create, C::Deploy, C::Launch, C::Want]));
    if !frame.cells.is_empty()
        && !made
        && frame.seen.any(Seen::of(&[C::Keep, C::Put, C::Light, C::Use, C::Run, C::Limit, C::Let]))
        || matches!(frame.cell_prep, Some(C::Off | C::From | C::To | C::Out))
    {
        return Err(Problem::ask(Missing::Action));
    }
    let acted = frame.has_verb() || frame.says(C::Let);
    if !frame.cells.is_empty()
        && acted
        && !made
        && objectives == SliceObjectives::default()
        && frame.slice.service.is_none()
    {
        // Something is done with a slice that is there: that is steering, and says too little for it.
        return Err(Problem::ask(Missing::Action));
    }
    if frame.per_ue || frame.link.is_some() && objectives == SliceObjectives::default() {
        return Err(Problem::ask(Missing::Value));
    }
    // "for robots": how many, or which?
    let counted =
        frame.quantities.iter().any(|q| matches!(q.kind, Kind::Ues | Kind::Subscribers) || q.per_ue);
    if frame.says(C::UeNoun) && !counted && objectives != SliceObjectives::default() {
        return Err(Problem::ask(Missing::Action));
    }
    // A metric without its number: "a slice with low latency" says too little.
    if (!frame.metrics.is_empty() || frame.seen.any(Seen::of(&[C::UeNoun, C::Sessions, C::Pdu])))
        && objectives == SliceObjectives::default()
    {
        return Err(Problem::ask(Missing::Value));
    }
    let bare = objectives == SliceObjectives::default() && frame.cells.is_empty() && frame.tacs.is_empty();
    if bare
        && !frame.seen.any(Seen::of(&[C::Create, C::Deploy, C::Launch, C::Want, C::Set, C::Give]))
        && !context.check
    {
        return Err(Problem::ask(Missing::Action));
    }
    let plmn = match (frame.slice.mcc, frame.slice.mnc) {
        (Some(mcc), Some(mnc)) => {
            let (mcc, mnc) = (mcc.text(context.text), mnc.text(context.text));
            if mcc.len() != 3 || !(2..=3).contains(&mnc.len()) {
                return Err(Problem::ask(Missing::Value));
            }
            Some(Plmn { mcc: mcc.to_owned(), mnc: mnc.to_owned() })
        }
        (None, None) => None,
        _ => return Err(Problem::ask(Missing::Value)),
    };
    let said = if anything { said } else { context.supplied.slice.clone().unwrap_or_default() };
    Ok(Action::Slice(Slice {
        name: said.name,
        service: frame.slice.service.map(service),
        sst: said.sst,
        sd: said.sd,
        plmn,
        namespace: place.namespace,
        place: place.place,
        objectives: (objectives != SliceObjectives::default()).then_some(objectives),
        cells: spans(&frame.cells, context),
        tacs: spans(&frame.tacs, context),
    }))
}

/// "at least 100 Mbps and at most 500 Mbps downlink": one direction for both bounds.
fn shared_link(frame: &Frame) -> Option<Link> {
    let mut rates = frame.quantities.iter().filter(|q| matches!(q.kind, Kind::Rate(_)));
    match (rates.next(), rates.next(), rates.next()) {
        (Some(first), Some(second), None)
            if first.link.is_none()
                && first.cmp.is_some()
                && second.cmp.is_some()
                && first.cmp != second.cmp =>
        {
            second.link
        }
        _ => None,
    }
}

pub(crate) fn spans(list: &[crate::frame::Span], context: &Context<'_>) -> Option<Vec<String>> {
    if list.is_empty() {
        return None;
    }
    let mut out: Vec<String> = Vec::with_capacity(list.len());
    for span in list {
        let word = span.text(context.text);
        if !out.iter().any(|old| old == word) {
            out.push(word.to_owned());
        }
    }
    Some(out)
}

fn service(value: u8) -> Service {
    match value {
        0 => Service::Embb,
        1 => Service::Urllc,
        2 => Service::Miot,
        _ => Service::V2x,
    }
}

/// The slice as other actions refer to it.
pub(crate) fn reference(said: &SliceSaid, frame: &Frame, context: &Context<'_>) -> Read<SliceRef> {
    let text = context.text;
    let mut out = SliceRef::default();
    if let (Some(name), Some(called)) = (said.name, frame.called)
        && name.text(text) != called.text(text)
    {
        return Err(Problem::ask(Missing::Action));
    }
    if let Some(name) = said.name.or(frame.called) {
        let name = name.text(text).to_ascii_lowercase();
        if !is_dns_label(&name) {
            return Err(Problem::ask(Missing::Slice));
        }
        out.name = Some(name);
    }
    if let Some(sst) = said.sst {
        if !(0.0..=255.0).contains(&sst) || sst.fract() != 0.0 {
            return Err(Problem::ask(Missing::Slice));
        }
        out.sst = Some(sst as u8);
    }
    if let Some(sd) = said.sd {
        let sd = sd.text(text);
        if sd.len() != 6 || !sd.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Problem::ask(Missing::Slice));
        }
        out.sd = Some(sd.to_owned());
    }
    Ok(out)
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

fn count(qty: &Qty) -> Read<u64> {
    if qty.value < 0.0 || qty.value.fract() != 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    Ok(qty.value as u64)
}

fn add_objective(out: &mut SliceObjectives, qty: &Qty, frame: &Frame, context: &Context<'_>) -> Read<()> {
    if qty.approximate || qty.more != 0 || matches!(qty.role, Role::By | Role::From | Role::Low | Role::High)
    {
        return Err(Problem::ask(Missing::Value));
    }
    if qty.value < 0.0 {
        return Err(Problem::Refuse(RefuseReason::Contradiction));
    }
    let upper = matches!(qty.cmp, None | Some(Cmp::AtMost));
    match qty.kind {
        Kind::Ues | Kind::Subscribers if upper => once(&mut out.max_ues, count(qty)?),
        Kind::Pdu | Kind::Sessions if upper => once(&mut out.max_pdu_sessions, count(qty)?),
        Kind::Percent => {
            if !matches!(qty.metric, Some(units::RELIABILITY))
                || !matches!(qty.cmp, None | Some(Cmp::AtLeast | Cmp::Guaranteed))
            {
                return Err(Problem::ask(Missing::Action));
            }
            if qty.value > 100.0 {
                return Err(Problem::Refuse(RefuseReason::Contradiction));
            }
            once(&mut out.reliability, Decimal(qty.value))
        }
        Kind::Time(_) => {
            let latency = qty.metric.is_some_and(|m| f64::from(m) == metric::LATENCY)
                || frame.metrics.iter().any(|m| f64::from(*m) == metric::LATENCY) && qty.role != Role::For;
            if !latency {
                return Err(Problem::Refuse(RefuseReason::Unsupported));
            }
            if !matches!(qty.cmp, None | Some(Cmp::AtMost | Cmp::Guaranteed)) {
                return Err(Problem::ask(if qty.cmp == Some(Cmp::Below) {
                    Missing::Bound
                } else {
                    Missing::Action
                }));
            }
            let time = units::time(qty).ok_or(Problem::ask(Missing::Unit))?;
            match qty.link.or(frame.link) {
                Some(Link::One(LinkDirection::Downlink)) => once(&mut out.dl_delay, time),
                Some(Link::One(LinkDirection::Uplink)) => once(&mut out.ul_delay, time),
                Some(Link::Both) => {
                    once(&mut out.dl_delay, time)?;
                    once(&mut out.ul_delay, time)
                }
                None => once(&mut out.delay, time),
            }
        }
        Kind::Unclear => match context.supplied.unit {
            Some(unit) => add_objective(out, &Qty { kind: Kind::Rate(unit), ..*qty }, frame, context),
            None => Err(Problem::ask(Missing::Unit)),
        },
        Kind::Rate(_) => rate(out, qty, frame, context),
        Kind::Bare if qty.link.is_some() || frame.link.is_some() => Err(Problem::ask(Missing::Unit)),
        _ => Err(Problem::ask(Missing::Action)),
    }
}

fn rate(out: &mut SliceObjectives, qty: &Qty, frame: &Frame, context: &Context<'_>) -> Read<()> {
    let rate = units::bit_rate(qty).ok_or(Problem::ask(Missing::Unit))?;
    let mut missing = Vec::new();
    let link = qty.link.or(frame.link).or(context.supplied.link.map(Link::One));
    let guaranteed = match qty.cmp.or(context.supplied.bound) {
        Some(Cmp::Guaranteed | Cmp::AtLeast) => Some(true),
        Some(Cmp::AtMost) => Some(false),
        Some(_) => return Err(Problem::ask(Missing::Bound)),
        None => {
            missing.push(Missing::Bound);
            None
        }
    };
    if link.is_none() {
        missing.push(Missing::Direction);
    }
    let (Some(link), Some(guaranteed)) = (link, guaranteed) else {
        return Err(Problem::Ask(missing));
    };
    let per_ue = qty.per_ue;
    if per_ue && guaranteed {
        // Only the most one device may have is a field.
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    let links: &[LinkDirection] = match link {
        Link::One(LinkDirection::Downlink) => &[LinkDirection::Downlink],
        Link::One(LinkDirection::Uplink) => &[LinkDirection::Uplink],
        Link::Both => &[LinkDirection::Downlink, LinkDirection::Uplink],
    };
    for link in links {
        let slot = match (link, guaranteed, per_ue) {
            (LinkDirection::Downlink, true, _) => &mut out.gua_dl_thpt,
            (LinkDirection::Uplink, true, _) => &mut out.gua_ul_thpt,
            (LinkDirection::Downlink, false, false) => &mut out.max_dl_thpt,
            (LinkDirection::Uplink, false, false) => &mut out.max_ul_thpt,
            (LinkDirection::Downlink, false, true) => &mut out.max_dl_thpt_ue,
            (LinkDirection::Uplink, false, true) => &mut out.max_ul_thpt_ue,
        };
        once(slot, rate)?;
    }
    Ok(())
}
