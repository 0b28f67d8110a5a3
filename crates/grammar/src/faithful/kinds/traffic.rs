//! slice, steer and qos: what traffic is given, and where it goes.

use serde_json::json;

use super::{Work, count, number};
use crate::faithful::Miss;
use crate::faithful::marks::{Mark, is_label};
use crate::faithful::quantities::{End, links, quantities};
use crate::frame::{Cmp, Kind};
use crate::vocabulary::C;
use crate::words::metric;

pub(super) fn slice(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let mut found = quantities(work.sheet, work.group)?;
    let mut verb_bound = None;
    for (class, cmp) in [(C::Guarantee, Cmp::Guaranteed), (C::Limit, Cmp::AtMost)] {
        if work.group.own.iter().any(|at| work.sheet.class(*at) == class && !work.sheet.items[*at].used) {
            verb_bound = Some((class, cmp));
        }
    }
    // "guarantee 20 Mbps down and 5 Mbps up": the verb holds for both.
    let rates = found.iter().filter(|qty| matches!(qty.kind, Kind::Rate(_))).count();
    if let (Some((_, cmp)), [first, ..]) = (verb_bound, found.as_slice()) {
        let first = first.at;
        if rates == 1 {
            for qty in found.iter_mut().filter(|qty| matches!(qty.kind, Kind::Rate(_)) && qty.at >= first) {
                qty.cmp = qty.cmp.or(Some(cmp));
            }
        }
    }
    let link = links(work.sheet, work.group, &mut found)?;
    let latency =
        work.says(C::Metric)
            && work.group.own.iter().any(|at| {
                work.sheet.class(*at) == C::Metric && work.sheet.items[*at].value == metric::LATENCY
            });
    let mut guaranteed: [Option<f64>; 2] = [None; 2];
    let mut most: [Option<f64>; 2] = [None; 2];
    let mut anything = false;
    let times = found.iter().filter(|qty| matches!(qty.kind, Kind::Time(_))).count();
    for qty in found.clone() {
        if qty.more != 0 || qty.end != End::None || matches!(qty.prep, C::By | C::From) || qty.value < 0.0 {
            return Err(work.sheet.unclear(qty.at));
        }
        anything = true;
        let upper = matches!(qty.cmp, None | Some(Cmp::AtMost));
        match qty.kind {
            Kind::Ues | Kind::Subscribers if upper && !qty.per_ue => {
                let n = count(&qty).ok_or_else(|| work.sheet.unclear(qty.at))?;
                work.put("/objectives/max_ues", n, &[qty.at]);
            }
            Kind::Pdu | Kind::Sessions if upper && !qty.per_ue => {
                let n = count(&qty).ok_or_else(|| work.sheet.unclear(qty.at))?;
                work.put("/objectives/max_pdu_sessions", n, &[qty.at]);
            }
            Kind::Percent
                if work.says(C::Reliability)
                    && qty.value <= 100.0
                    && matches!(qty.cmp, None | Some(Cmp::AtLeast | Cmp::Guaranteed)) =>
            {
                work.put("/objectives/reliability", number(qty.value), &[qty.at]);
            }
            Kind::Time(_)
                if latency
                    && times <= 2
                    && qty.prep != C::For
                    && matches!(qty.cmp, None | Some(Cmp::AtMost | Cmp::Guaranteed)) =>
            {
                let link = qty.link.or(link.filter(|_| times == 1));
                match link {
                    None if times == 1 => work.time("/objectives/delay", &qty)?,
                    Some(link) => {
                        for (which, field) in [(0, "dl_delay"), (1, "ul_delay")] {
                            if link == which || link == 2 {
                                work.time(&format!("/objectives/{field}"), &qty)?;
                            }
                        }
                    }
                    None => return Err(work.sheet.unclear(qty.at)),
                }
            }
            Kind::Rate(_) => {
                let link = qty.link.ok_or_else(|| work.sheet.unclear(qty.at))?;
                let low = match qty.cmp {
                    Some(Cmp::Guaranteed | Cmp::AtLeast) => true,
                    Some(Cmp::AtMost) => false,
                    _ => return Err(work.sheet.unclear(qty.at)),
                };
                if low && qty.per_ue {
                    return Err(work.sheet.unclear(qty.at));
                }
                for which in [0_u8, 1] {
                    if link != which && link != 2 {
                        continue;
                    }
                    let dir = ["dl", "ul"][usize::from(which)];
                    let field = match (low, qty.per_ue) {
                        (true, _) => format!("gua_{dir}_thpt"),
                        (false, false) => format!("max_{dir}_thpt"),
                        (false, true) => format!("max_{dir}_thpt_ue"),
                    };
                    if !qty.per_ue {
                        let slot = if low { &mut guaranteed } else { &mut most };
                        slot[usize::from(which)] = Some(Work::bits(&qty));
                    }
                    work.rate(&format!("/objectives/{field}"), &qty)?;
                }
            }
            _ => return Err(work.sheet.unclear(qty.at)),
        }
    }
    for (low, high) in guaranteed.iter().zip(most) {
        if let (Some(low), Some(high)) = (low, high)
            && *low > high
        {
            return Err(work.unclear());
        }
    }
    // "a slice for slice 2"
    let nouns = work.group.own.iter().filter(|at| work.sheet.class(**at) == C::SliceWord).count();
    if nouns > 1 {
        return Err(work.unclear());
    }
    let named = work.slice_reference("")?;
    let service = work.service()?;
    if !named && !service {
        return Err(work.unclear());
    }
    work.plmn()?;
    let cells = work.marked(Mark::Cell);
    let tacs = work.marked(Mark::Tac);
    work.members("cells", &cells);
    work.members("tacs", &tacs);
    for at in work.marked(Mark::Thing) {
        let item = work.sheet.items[at];
        if item.class == C::Function || !matches!(item.prep, C::In | C::At | C::On | C::Into | C::To) {
            return Err(work.sheet.unclear(at));
        }
        work.sheet.items[at].mark = Mark::Place;
    }
    if !work.marked(Mark::Cluster).is_empty() {
        return Err(work.unclear());
    }
    work.place("")?;
    let made = work.any(&[C::Create, C::Deploy, C::Launch, C::Want]);
    let used = work.any(&[C::Keep, C::Put, C::Light, C::Use, C::Run, C::Limit, C::Let]);
    let verbs = work.group.all().any(|at| {
        let item = &work.sheet.items[at];
        item.mark == Mark::None && crate::frame::VERBS.has(item.class)
    });
    let bare = !anything && cells.is_empty() && tacs.is_empty();
    let metrics = work.group.own.iter().any(|at| {
        work.sheet.class(*at) == C::Metric
            && !matches!(
                work.sheet.items[*at].value,
                metric::LATENCY | metric::THROUGHPUT | metric::BANDWIDTH
            )
    });
    let counted = found.iter().any(|qty| matches!(qty.kind, Kind::Ues | Kind::Subscribers) || qty.per_ue);
    if !cells.is_empty() && !made && (used || verbs && !anything && !service)
        || work.says(C::Cell) && cells.is_empty()
        || metrics
        || link.is_some() && times != 1
        || work.says(C::UeNoun) && !counted
        || !anything && work.any(&[C::Metric, C::Sessions, C::Pdu])
        || bare
            && !work.any(&[C::Create, C::Deploy, C::Launch, C::Want, C::Set, C::Give])
            && !work.sheet.check
        || work.any(&[C::Remove, C::Retire, C::Shrink, C::Off, C::From, C::Scale, C::Add])
    {
        return Err(work.unclear());
    }
    work.allow(&[
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
        C::Pron,
        C::On,
        C::Metric,
        C::Must,
        C::Tac,
        C::Plmn,
    ]);
    if verb_bound.is_some_and(|(class, _)| class == C::Limit) && rates == 1 {
        work.allow(&[C::Limit]);
    }
    work.ties();
    Ok("slice")
}

impl Work<'_> {
    fn service(&mut self) -> Result<bool, Miss> {
        let said: Vec<usize> = self
            .group
            .all()
            .filter(|at| self.sheet.items[*at].mark == Mark::None && self.sheet.class(*at) == C::ServiceWord)
            .collect();
        let Some(first) = said.first().copied() else {
            return Ok(false);
        };
        let value = self.sheet.items[first].value;
        if said.iter().any(|at| self.sheet.items[*at].value != value) {
            return Err(self.sheet.unclear(said[1]));
        }
        for at in &said {
            self.sheet.items[*at].used = true;
        }
        let name = ["embb", "urllc", "miot", "v2x"][(value as usize).min(3)];
        self.put("/service", name, &said);
        Ok(true)
    }

    /// The slice that is meant, under `under`: by name, by sst and sd.
    fn slice_reference(&mut self, under: &str) -> Result<bool, Miss> {
        let mut named = false;
        let called = self.one(Mark::Called)?;
        let name = match (self.one(Mark::SliceName)?, called) {
            (Some(name), Some(called)) if self.word(name) != self.word(called) => {
                return Err(self.sheet.unclear(called));
            }
            (name, called) => name.or(called),
        };
        if let Some(at) = name {
            let word = self.word(at).to_ascii_lowercase();
            if !is_label(&word) {
                return Err(self.sheet.unclear(at));
            }
            self.put(&format!("{under}/name"), word, &[at]);
            named = true;
        }
        if let Some(at) = self.one(Mark::Sst)? {
            let value = self.sheet.items[at].value;
            if !(0.0..=255.0).contains(&value) || value.fract() != 0.0 {
                return Err(self.sheet.unclear(at));
            }
            self.put(&format!("{under}/sst"), value as u64, &[at]);
            named = true;
        }
        if let Some(at) = self.one(Mark::Sd)? {
            let word = self.word(at);
            if word.len() != 6 || !word.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(self.sheet.unclear(at));
            }
            self.put(&format!("{under}/sd"), word, &[at]);
            named = true;
        }
        Ok(named)
    }

    fn plmn(&mut self) -> Result<(), Miss> {
        match (self.one(Mark::Mcc)?, self.one(Mark::Mnc)?) {
            (None, None) => Ok(()),
            (Some(at), None) if (5..=6).contains(&self.word(at).len()) => {
                let word = self.word(at);
                self.put("/plmn/mcc", &word[..3], &[at]);
                self.put("/plmn/mnc", &word[3..], &[at]);
                Ok(())
            }
            (Some(mcc), Some(mnc)) => {
                let (first, second) = (self.word(mcc), self.word(mnc));
                if first.len() != 3 || !(2..=3).contains(&second.len()) {
                    return Err(self.sheet.unclear(mcc));
                }
                self.put("/plmn/mcc", first, &[mcc]);
                self.put("/plmn/mnc", second, &[mnc]);
                Ok(())
            }
            (_, Some(at)) | (Some(at), _) => Err(self.sheet.unclear(at)),
        }
    }

    fn no_thing(&self) -> Result<(), Miss> {
        for mark in [Mark::Thing, Mark::Place, Mark::Namespace, Mark::Cluster, Mark::Mcc, Mark::Mnc] {
            if let Some(at) = self.marked(mark).first() {
                return Err(self.sheet.unclear(*at));
            }
        }
        Ok(())
    }
}

pub(super) fn steer(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    work.no_thing()?;
    let cells = work.marked(Mark::Cell);
    if cells.is_empty()
        || work.says(C::ServiceWord)
        || work.group.all().any(|at| work.sheet.items[at].mark == Mark::Quantity)
    {
        return Err(work.unclear());
    }
    one_way(work, &cells)?;
    preference(work)?;
    work.members("cells", &cells);
    let named = work.slice_reference("/slice")?;
    let ue = work.one(Mark::Ue)?;
    if let Some(at) = ue {
        let word = work.word(at);
        work.put("/ue", word, &[at]);
    }
    let sd_only = !work.marked(Mark::Sd).is_empty()
        && work.marked(Mark::Sst).is_empty()
        && work.marked(Mark::SliceName).is_empty();
    if named == ue.is_some() || sd_only {
        return Err(work.unclear());
    }
    work.allow(&[
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
        C::Set,
        C::Sst,
        C::On,
        C::To,
        C::Out,
        C::For,
        C::Pron,
        C::Grow,
        C::Carry,
        C::Give,
        C::Of,
        C::Limit,
        C::From,
    ]);
    work.ties();
    Ok("steer")
}

/// "away from cell 5 towards cell 6" says two things at once.
fn one_way(work: &Work<'_>, cells: &[usize]) -> Result<(), Miss> {
    let mut ways = Vec::new();
    for at in cells {
        let tie = work.sheet.before(*at, &[C::Cell, C::The, C::Fill, C::Colon, C::Called]);
        let listed = tie.is_some_and(|tie| {
            matches!(work.sheet.class(tie), C::Comma | C::And)
                && tie.checked_sub(1).is_some_and(|before| work.sheet.items[before].mark == Mark::Cell)
        });
        if !listed {
            ways.push(tie.map_or(C::Fill, |tie| work.sheet.class(tie)));
        }
    }
    match cells.first() {
        Some(first) if ways.windows(2).any(|pair| pair[0] != pair[1]) => Err(work.sheet.unclear(*first)),
        _ => Ok(()),
    }
}

/// The one word that says whether the cells are wanted.
fn preference(work: &mut Work<'_>) -> Result<(), Miss> {
    let of = |work: &Work<'_>, class: C| -> Vec<usize> {
        work.group
            .all()
            .filter(|at| work.sheet.items[*at].mark == Mark::None && work.sheet.class(*at) == class)
            .collect()
    };
    let (prefer, avoid, forbid) = (of(work, C::Prefer), of(work, C::Avoid), of(work, C::Forbid));
    let mut shall = of(work, C::Must);
    shall.extend(of(work, C::Only));
    let off = of(work, C::Off);
    let of_cell = |work: &Work<'_>, at: &usize| {
        let next = work.sheet.skip(at + 1, &[C::The, C::Of, C::Fill]);
        work.sheet.class(next) == C::Cell || work.sheet.items.get(next).is_some_and(|i| i.mark == Mark::Cell)
    };
    let kept: Vec<usize> = if work.any(&[C::Keep, C::Light]) {
        [off.clone(), of(work, C::From)].concat().into_iter().filter(|at| of_cell(work, at)).collect()
    } else {
        Vec::new()
    };
    let said = [&prefer, &avoid, &forbid].iter().filter(|words| !words.is_empty()).count();
    let (name, at) = if said > 1 {
        return Err(work.unclear());
    } else if !prefer.is_empty() {
        ("prefer", prefer)
    } else if !avoid.is_empty() {
        ("avoid", avoid)
    } else if !forbid.is_empty() {
        ("forbid", forbid)
    } else if !kept.is_empty() {
        ("avoid", kept)
    } else if !shall.is_empty() {
        ("shall", shall)
    } else {
        return Err(work.unclear());
    };
    if at.len() > 1 && name != "shall" && name != "avoid" {
        return Err(work.sheet.unclear(at[1]));
    }
    // "must avoid" says no more than "avoid"; "only" beside another word does.
    if name != "shall" && work.says(C::Only) {
        return Err(work.unclear());
    }
    for word in &at {
        // "only slice 5 must use cell 90" says it of the slice.
        let next = work.sheet.skip(word + 1, &[C::The, C::A, C::Fill]);
        let of_slice = matches!(work.sheet.class(next), C::SliceWord | C::UeNoun | C::Sst)
            || work.sheet.items.get(next).is_some_and(|item| matches!(item.mark, Mark::Ue | Mark::Sst));
        if work.sheet.class(*word) == C::Only && of_slice {
            return Err(work.sheet.unclear(*word));
        }
        work.sheet.items[*word].used = true;
    }
    if name == "avoid" {
        for word in off {
            work.sheet.items[word].used = true;
        }
    }
    work.put("/preference", name, &at);
    if name != "shall" {
        work.allow(&[C::Must]);
    }
    Ok(())
}

pub(super) fn qos(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    work.no_thing()?;
    if work.says(C::ServiceWord) || !work.marked(Mark::Cell).is_empty() {
        return Err(work.unclear());
    }
    let Some(five_qi) = work.one(Mark::FiveQi)? else {
        return Err(work.unclear());
    };
    let value = work.sheet.items[five_qi].value;
    if !(0.0..=255.0).contains(&value) || value.fract() != 0.0 {
        return Err(work.sheet.unclear(five_qi));
    }
    work.put("/scope/five_qi", value as u64, &[five_qi]);
    work.slice_reference("/scope/slice")?;
    if let Some(at) = work.one(Mark::Ue)? {
        let word = work.word(at);
        work.put("/scope/ue", word, &[at]);
    }
    if let Some(at) = work.one(Mark::Group)? {
        let word = work.word(at);
        work.put("/scope/group", word, &[at]);
    }
    let mut found = quantities(work.sheet, work.group)?;
    let link = links(work.sheet, work.group, &mut found)?;
    let rates: Vec<usize> =
        found.iter().enumerate().filter(|(_, q)| matches!(q.kind, Kind::Rate(_))).map(|(i, _)| i).collect();
    // "guarantee 20 Mbps", "throttle 5qi 9 to 6 Mbps": the verb is the bound.
    let mut verbs: Vec<(usize, Cmp)> = Vec::new();
    for at in work.group.all() {
        let item = &work.sheet.items[at];
        if item.mark == Mark::None && !item.used {
            match item.class {
                C::Guarantee => verbs.push((at, Cmp::Guaranteed)),
                C::Limit => verbs.push((at, Cmp::AtMost)),
                _ => {}
            }
        }
    }
    let open: Vec<usize> = rates.iter().copied().filter(|index| found[*index].cmp.is_none()).collect();
    match (verbs.as_slice(), open.as_slice()) {
        ([], _) => {}
        ([(at, cmp)], [index]) => {
            found[*index].cmp = Some(*cmp);
            work.sheet.items[*at].used = true;
        }
        ([(at, cmp)], []) => {
            // "limit to at most 6 Mbps" says it twice; "guarantee at most" says two things.
            let same = rates.iter().all(|index| {
                let low = matches!(found[*index].cmp, Some(Cmp::AtLeast | Cmp::Guaranteed));
                low == (*cmp == Cmp::Guaranteed)
            });
            if !same || rates.is_empty() {
                return Err(work.sheet.unclear(*at));
            }
            work.sheet.items[*at].used = true;
        }
        ([(at, _), ..], _) => return Err(work.sheet.unclear(*at)),
    }
    let mut direction: Option<u8> = link;
    let mut bits: [Option<f64>; 2] = [None; 2];
    let mut level: Option<(f64, usize)> = work.one(Mark::Level)?.map(|at| (work.sheet.items[at].value, at));
    let delay =
        work.says(C::DelayBudget)
            || work.group.own.iter().any(|at| {
                work.sheet.class(*at) == C::Metric && work.sheet.items[*at].value == metric::LATENCY
            });
    let mut anything = false;
    for qty in &found {
        if qty.more != 0 || qty.end != End::None || matches!(qty.prep, C::By | C::From) || qty.value < 0.0 {
            return Err(work.sheet.unclear(qty.at));
        }
        let plain =
            qty.kind == Kind::Bare && matches!(qty.prep, C::Fill | C::To) && qty.whole && qty.cmp.is_none();
        if work.says(C::PriorityLevel) && level.is_none() && plain {
            level = Some((qty.value, qty.at));
            continue;
        }
        if let Some(link) = qty.link {
            if direction.is_some_and(|old| old != link) {
                return Err(work.sheet.unclear(qty.at));
            }
            direction = Some(link);
        }
        anything = true;
        match qty.kind {
            Kind::Rate(_) if !qty.per_ue => {
                let (field, slot) = match qty.cmp {
                    Some(Cmp::Guaranteed | Cmp::AtLeast) => ("gfbr", 0),
                    Some(Cmp::AtMost) => ("mfbr", 1),
                    _ => return Err(work.sheet.unclear(qty.at)),
                };
                bits[slot] = Some(Work::bits(qty));
                work.rate(&format!("/objectives/{field}"), qty)?;
            }
            Kind::Time(_)
                if delay
                    && qty.prep != C::For
                    && matches!(qty.cmp, None | Some(Cmp::AtMost | Cmp::Guaranteed)) =>
            {
                work.time("/objectives/delay_budget", qty)?;
            }
            _ => return Err(work.sheet.unclear(qty.at)),
        }
    }
    if let (Some(low), Some(high)) = (bits[0], bits[1])
        && low > high
    {
        return Err(work.unclear());
    }
    if let Some((value, at)) = level {
        if !(1.0..=127.0).contains(&value) {
            return Err(work.sheet.unclear(at));
        }
        work.put("/objectives/priority_level", value as u64, &[at]);
        anything = true;
    }
    match direction {
        None => {}
        Some(2) => return Err(work.unclear()),
        Some(which) => {
            let at: Vec<usize> = work
                .group
                .own
                .iter()
                .copied()
                .filter(|at| {
                    let item = &work.sheet.items[*at];
                    item.mark == Mark::None && matches!(item.class, C::Link | C::Up | C::Down)
                })
                .collect();
            work.put("/direction", json!(if which == 0 { "downlink" } else { "uplink" }), &at);
        }
    }
    let metrics = work.group.own.iter().any(|at| {
        work.sheet.class(*at) == C::Metric
            && !matches!(
                work.sheet.items[*at].value,
                metric::LATENCY | metric::THROUGHPUT | metric::BANDWIDTH
            )
    });
    if !anything || metrics || work.any(&[C::Remove, C::Retire, C::Add, C::Deploy, C::Undo]) {
        return Err(work.unclear());
    }
    work.allow(&[
        C::FiveQi,
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
        C::Create,
        C::Pron,
        C::Grow,
        C::Shrink,
        C::At,
        C::Subscribers,
        C::PriorityLevel,
        C::Metric,
        C::Must,
    ]);
    work.ties();
    Ok("qos")
}
