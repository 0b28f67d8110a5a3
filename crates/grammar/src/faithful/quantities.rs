//! A number with what stands beside it: its preposition, its bound, whether it
//! is one more or one fewer, whose direction it has.

use super::Miss;
use super::groups::Group;
use super::marks::{Mark, Sheet};
use crate::frame::{Cmp, Kind};
use crate::vocabulary::C;

#[derive(Debug, Clone, Copy)]
pub(super) struct Qty {
    pub(super) at: usize,
    pub(super) value: f64,
    pub(super) whole: bool,
    pub(super) kind: Kind,
    /// `C::Fill` for none.
    pub(super) prep: C,
    pub(super) cmp: Option<Cmp>,
    /// 1: "3 more"; -1: "3 fewer".
    pub(super) more: i8,
    pub(super) end: End,
    /// 0 downlink, 1 uplink, 2 both.
    pub(super) link: Option<u8>,
    pub(super) per_ue: bool,
    /// "up to 5": as many as, or higher?
    pub(super) up_to: bool,
    pub(super) answer: bool,
}

/// Which end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    None,
    Low,
    High,
}

const BOUNDS: &[C] =
    &[C::AtMost, C::AtLeast, C::Below, C::Above, C::Over, C::Max, C::Min, C::Guarantee, C::Limit];

/// Nouns that may stand between a bound or a preposition and its number.
const NOUNS: &[C] = &[
    C::Link,
    C::Metric,
    C::Capacity,
    C::Sessions,
    C::Subscribers,
    C::UeNoun,
    C::Pods,
    C::Noun,
    C::Reliability,
    C::DelayBudget,
    C::Of,
    C::Be,
    C::Become,
    C::Should,
    C::Must,
    C::Have,
    C::Statistic,
    C::Traffic,
    C::Pdu,
    C::SliceWord,
];

const SMALL: &[C] = &[C::The, C::A, C::Fill, C::Colon, C::Eq];

fn cmp_of(class: C) -> Cmp {
    match class {
        C::AtMost | C::Max | C::Limit => Cmp::AtMost,
        C::AtLeast | C::Min => Cmp::AtLeast,
        C::Below => Cmp::Below,
        C::Guarantee => Cmp::Guaranteed,
        _ => Cmp::Above,
    }
}

/// "at least" and "guaranteed" bound from the same side.
fn agree(a: Cmp, b: Cmp) -> bool {
    let low = |cmp: Cmp| if cmp == Cmp::Guaranteed { Cmp::AtLeast } else { cmp };
    low(a) == low(b)
}

/// The numbers of a group. The words that are read here are accounted for.
pub(super) fn quantities(sheet: &mut Sheet, group: &Group) -> Result<Vec<Qty>, Miss> {
    let mut found: Vec<Qty> = Vec::new();
    let mut numbers: Vec<usize> = group.all().filter(|at| sheet.items[*at].mark == Mark::Quantity).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for at in numbers {
        found.push(quantity(sheet, at)?);
    }
    found.sort_by_key(|qty| qty.at);
    ranges(sheet, &mut found)?;
    bounds_behind(sheet, group, &mut found)?;
    Ok(found)
}

fn quantity(sheet: &mut Sheet, at: usize) -> Result<Qty, Miss> {
    let item = sheet.items[at];
    let mut qty = Qty {
        at,
        value: item.value,
        whole: item.whole,
        kind: item.kind,
        prep: C::Fill,
        cmp: None,
        more: 0,
        end: End::None,
        link: None,
        per_ue: false,
        up_to: false,
        answer: item.answer,
    };
    // "another pod", "an extra pod": one more.
    if item.prep == C::More {
        qty.more = 1;
    }
    let mut back = at;
    while let Some(before) = back.checked_sub(1) {
        let other = sheet.items[before];
        let free = other.mark == Mark::None;
        match other.class {
            class if free && SMALL.contains(&class) => {}
            // A bound that stands behind the number before it is that number's.
            // "guaranteed maximum", "below above 70": which?
            class
                if free
                    && BOUNDS.contains(&class)
                    && qty.cmp.is_some_and(|cmp| !agree(cmp, cmp_of(class)))
                    && !(class == C::Max && NOUNS.contains(&sheet.class(before + 1)))
                    && !belongs_behind(sheet, before) =>
            {
                return Err(sheet.unclear(before));
            }
            class if free && BOUNDS.contains(&class) && qty.cmp.is_none() => {
                if belongs_behind(sheet, before) {
                    break;
                }
                if class == C::Limit || class == C::Guarantee {
                    // The verb bounds what follows it; it stays a verb.
                    qty.cmp = Some(cmp_of(class));
                    sheet.items[before].used = true;
                } else {
                    let trigger = sheet.items.iter().any(|item| item.class == C::When);
                    // "reaches 80 %" is what sets something off, not what is asked for.
                    if matches!(class, C::AtLeast | C::AtMost) && other.value == 1.0 && !trigger {
                        return Err(sheet.unclear(before));
                    }
                    if trigger && before > 0 && sheet.class(before - 1) == C::Not {
                        return Err(sheet.unclear(before - 1));
                    }
                    if before > 0 && sheet.class(before - 1) == C::Not && matches!(class, C::Above | C::Below)
                    {
                        sheet.items[before - 1].used = true;
                        qty.cmp = Some(if class == C::Above { Cmp::AtMost } else { Cmp::AtLeast });
                        sheet.items[before].used = true;
                        back = before - 1;
                        continue;
                    }
                    // "just below", "well above": how far, nobody says.
                    if before > 0 && matches!(sheet.word(before - 1), "just" | "well" | "simply") {
                        return Err(sheet.unclear(before));
                    }
                    qty.cmp = Some(cmp_of(class));
                    sheet.items[before].used = true;
                }
            }
            C::To if free && qty.prep == C::Fill => {
                qty.prep = C::To;
                sheet.items[before].used = true;
                let up = before > 0
                    && sheet.items[before - 1].mark == Mark::None
                    && (sheet.class(before - 1) == C::Up || sheet.word(before - 1).ends_with(" up"));
                let thing = sheet.items[..before].iter().any(|item| {
                    matches!(item.mark, Mark::Thing | Mark::Called) && item.group == sheet.items[at].group
                });
                let watched = sheet.items.iter().any(|item| matches!(item.class, C::When | C::Metric));
                if up && (!matches!(qty.kind, Kind::Bare | Kind::Pods) || watched && qty.kind == Kind::Pods) {
                    qty.cmp = Some(Cmp::AtMost);
                    qty.prep = C::Fill;
                    if sheet.class(before - 1) == C::Up {
                        sheet.items[before - 1].used = true;
                        back = before - 1;
                        continue;
                    }
                } else if up && !thing {
                    qty.up_to = true;
                }
            }
            // "by +4"
            C::Grow if free && sheet.word(before) == "+" => sheet.items[before].used = true,
            C::More | C::Fewer if free && back == at => {
                if before + 1 < at {
                    break;
                }
                qty.more = if other.class == C::More { 1 } else { -1 };
                sheet.items[before].used = true;
            }
            C::By | C::From | C::For | C::With | C::At | C::On | C::Of | C::Between | C::In | C::Into
                if free && qty.prep == C::Fill && !(other.class == C::Of && back < at) =>
            {
                qty.prep = other.class;
                if matches!(other.class, C::In | C::Into) {
                    break;
                }
                sheet.items[before].used = true;
                break;
            }
            class if free && NOUNS.contains(&class) => {}
            _ => break,
        }
        back = before;
    }
    behind(sheet, at, &mut qty)?;
    Ok(qty)
}

/// "3 pods more", "6 Mbps per device".
fn behind(sheet: &mut Sheet, at: usize, qty: &mut Qty) -> Result<(), Miss> {
    let mut ahead = at + 1;
    loop {
        let class = sheet.class(ahead);
        if ahead >= sheet.items.len() || sheet.items[ahead].mark != Mark::None {
            return Ok(());
        }
        match class {
            C::More | C::Fewer if sheet.class(ahead + 1) != C::Than => {
                let next_number = sheet.class(ahead + 1) == C::Number;
                if next_number {
                    return Ok(());
                }
                let sign = if class == C::More { 1 } else { -1 };
                if qty.more != 0 && qty.more != sign {
                    return Err(sheet.unclear(ahead));
                }
                qty.more = sign;
                sheet.items[ahead].used = true;
            }
            // "two new pods" are two more.
            C::New if sheet.class(ahead + 1) == C::Pods && qty.kind == Kind::Bare => {
                qty.more = 1;
                sheet.items[ahead].used = true;
            }
            C::Per if sheet.items[ahead].value == 1.0 => {
                qty.per_ue = true;
                sheet.items[ahead].used = true;
            }
            C::Fill
            | C::Pods
            | C::Sessions
            | C::Subscribers
            | C::UeNoun
            | C::Pdu
            | C::Link
            | C::Up
            | C::Down
            | C::Of
            | C::AtMost
            | C::Max
            | C::Noun => {}
            _ => return Ok(()),
        }
        ahead += 1;
    }
}

/// "3 to 9", "from 3 to 9", "between 3 and 9", "3 -> 9".
fn ranges(sheet: &mut Sheet, found: &mut [Qty]) -> Result<(), Miss> {
    for index in 1..found.len() {
        let (low, high) = (found[index - 1], found[index]);
        let between = &sheet.items[low.at + 1..high.at];
        let to = between.iter().any(|item| item.class == C::To)
            && between.iter().all(|item| {
                item.mark == Mark::None
                    && (matches!(
                        item.class,
                        C::To | C::Pods | C::The | C::Fill | C::Sessions | C::Subscribers
                    ) || item.class == C::Up
                        || item.class == C::Down)
            });
        let and = low.prep == C::Between && matches!(between, [only] if matches!(only.class, C::And | C::To));
        if and || to && low.cmp.is_none() && high.cmp.is_none() {
            if low.prep == C::From {
                continue;
            }
            if matches!(low.prep, C::To | C::By) && !and {
                return Err(sheet.unclear(high.at));
            }
            found[index - 1].end = End::Low;
            found[index].end = End::High;
            if low.kind == Kind::Bare {
                found[index - 1].kind = high.kind;
            }
            for item in &mut sheet.items[low.at + 1..high.at] {
                if matches!(item.class, C::And | C::To) {
                    item.used = true;
                }
            }
        } else if low.prep == C::Between {
            return Err(sheet.unclear(low.at));
        }
    }
    if found.last().is_some_and(|last| last.prep == C::Between && last.end == End::None) {
        return Err(sheet.unclear(found[found.len() - 1].at));
    }
    for index in 1..found.len() {
        // "from 25 to 55 percent": the first number has the unit of the second.
        if found[index - 1].prep == C::From
            && found[index].prep == C::To
            && found[index - 1].kind == Kind::Bare
        {
            found[index - 1].kind = found[index].kind;
        }
    }
    Ok(())
}

/// Whether the bound at `at` follows the number before it, and no number follows the bound.
fn belongs_behind(sheet: &Sheet, at: usize) -> bool {
    let over = &[
        C::Fill,
        C::Pods,
        C::Sessions,
        C::Subscribers,
        C::UeNoun,
        C::Pdu,
        C::Link,
        C::Noun,
        C::Per,
        C::Up,
        C::Down,
    ];
    let Some(before) = sheet.before(at, over) else {
        return false;
    };
    let ahead = sheet.skip(
        at + 1,
        &[
            C::The,
            C::A,
            C::Fill,
            C::Colon,
            C::Eq,
            C::Of,
            C::To,
            C::Link,
            C::Metric,
            C::Capacity,
            C::Sessions,
            C::Subscribers,
            C::UeNoun,
            C::Pods,
            C::Noun,
            C::Pdu,
            C::Reliability,
            C::DelayBudget,
        ],
    );
    sheet.class(before) == C::Number
        && sheet.items[before].mark == Mark::Quantity
        && sheet.class(ahead) != C::Number
}

/// "6 Mbps max", "70 % or less", "300 Mbps guaranteed".
fn bounds_behind(sheet: &mut Sheet, group: &Group, found: &mut [Qty]) -> Result<(), Miss> {
    for at in group.own.clone() {
        let item = sheet.items[at];
        if item.used || item.mark != Mark::None || !BOUNDS.contains(&item.class) || !belongs_behind(sheet, at)
        {
            continue;
        }
        let Some(qty) = found.iter_mut().rev().find(|qty| qty.at < at) else {
            continue;
        };
        let cmp = cmp_of(item.class);
        if qty.cmp.is_some_and(|old| !agree(old, cmp)) {
            return Err(sheet.unclear(at));
        }
        qty.cmp = Some(cmp);
        sheet.items[at].used = true;
    }
    Ok(())
}

/// Whose downlink, whose uplink: all before their numbers, or all behind.
pub(super) fn links(sheet: &mut Sheet, group: &Group, found: &mut [Qty]) -> Result<Option<u8>, Miss> {
    let rated = |qty: &Qty| matches!(qty.kind, Kind::Time(_)) && qty.prep != C::For;
    let mut said: Vec<(usize, u8)> = Vec::new();
    let all: Vec<usize> = group.own.clone();
    for at in all {
        let item = sheet.items[at];
        if item.mark != Mark::None {
            continue;
        }
        let after_rate = |sheet: &Sheet, at: usize| {
            sheet.before(at, &[C::Fill, C::The, C::Of]).is_some_and(|before| {
                sheet.class(before) == C::Number && matches!(sheet.items[before].kind, Kind::Rate(_))
            })
        };
        match item.class {
            C::Link => said.push((at, item.value as u8)),
            C::Per if item.value == 2.0 => said.push((at, 2)),
            C::Up | C::Down if !item.used && after_rate(sheet, at) => {
                said.push((at, u8::from(item.class == C::Up)));
            }
            _ => {}
        }
    }
    for (at, _) in &said {
        sheet.items[*at].used = true;
    }
    let mut rates: Vec<usize> = found
        .iter()
        .enumerate()
        .filter(|(_, qty)| matches!(qty.kind, Kind::Rate(_) | Kind::Unclear))
        .map(|(i, _)| i)
        .collect();
    if rates.is_empty() {
        rates = found.iter().enumerate().filter(|(_, qty)| rated(qty)).map(|(i, _)| i).collect();
    }
    match (said.as_slice(), rates.as_slice()) {
        ([], _) => Ok(None),
        ([(_, link)], []) => Ok(Some(*link)),
        ([(_, link)], [one]) => {
            found[*one].link = Some(*link);
            Ok(None)
        }
        // "at least 100 Mbps and at most 500 Mbps downlink": one direction for both bounds.
        ([(at, link)], [first, second]) => {
            let bounds = (found[*first].cmp, found[*second].cmp);
            let outside = *at > found[*second].at || *at < found[*first].at;
            if outside && bounds.0.is_some() && bounds.1.is_some() && bounds.0 != bounds.1 {
                found[*first].link = Some(*link);
                found[*second].link = Some(*link);
                return Ok(None);
            }
            Err(sheet.unclear(*at))
        }
        (links, rates) if links.len() == rates.len() => {
            let before = links.iter().zip(rates).all(|((at, _), rate)| *at < found[*rate].at);
            let apart = links.windows(2).zip(rates.windows(2)).all(|(links, rates)| {
                if before { found[rates[0]].at < links[1].0 } else { links[0].0 < found[rates[1]].at }
            });
            let behind = links.iter().zip(rates).all(|((at, _), rate)| *at > found[*rate].at);
            // "1.5 Gbps, uplink": a separator parts a number from a direction.
            let parted = links.iter().zip(rates).any(|((at, _), rate)| {
                let (lo, hi) = (found[*rate].at.min(*at), found[*rate].at.max(*at));
                sheet.items[lo..hi]
                    .iter()
                    .any(|item| item.mark == Mark::None && matches!(item.class, C::Comma | C::And | C::Stop))
            });
            if !(before || behind) || !apart || parted {
                return Err(sheet.unclear(links[0].0));
            }
            for ((_, link), rate) in links.iter().zip(rates) {
                found[*rate].link = Some(*link);
            }
            Ok(None)
        }
        (links, _) => Err(sheet.unclear(links[0].0)),
    }
}
