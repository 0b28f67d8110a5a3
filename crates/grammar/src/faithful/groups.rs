//! Words into groups: one verb (its own, or the one before) and one target.
//! Where a word could belong to two groups, it belongs to none, and it asks.

use super::marks::{Item, Mark, Sheet, is_whole};
use super::{Miss, share, table};
use crate::frame::{Seen, VERBS};
use crate::vocabulary::C;

/// What one action is said with: items of the sheet, in the order said.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) own: Vec<usize>,
    /// Of other groups: an inherited verb, a number that comes last, a shared place.
    pub(super) shared: Vec<usize>,
    /// Its verb is the one of the group before.
    pub(super) inherits: bool,
}

impl Group {
    pub(super) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.own.iter().chain(&self.shared).copied()
    }
}

#[derive(Debug, Clone, Default)]
struct Part {
    items: Vec<usize>,
    /// What it was cut from the words before by: a separator, or a verb alone.
    by: Option<C>,
}

/// Verbs that say more of the same thing: they begin no action of their own.
const ADJUNCT: Seen = Seen::of(&[
    C::Keep,
    C::Run,
    C::Carry,
    C::Want,
    C::Use,
    C::Give,
    C::Limit,
    C::Guarantee,
    C::Light,
    C::Elastic,
]);

pub(super) const HARD: u8 = 1;
pub(super) const SOFT: u8 = 2;
pub(super) const SLICE: u8 = 4;
pub(super) const FIVE_QI: u8 = 8;
const INTENT: u8 = 16;
pub(super) const CELLS: u8 = 32;
pub(super) const UE: u8 = 64;
const WHOLE: u8 = 128;

pub(super) fn is_hard(item: &Item) -> bool {
    item.mark == Mark::Thing && (item.class == C::Function || matches!(item.prep, C::Fill | C::Of))
        || item.mark == Mark::Called
}

pub(super) fn anchors(sheet: &Sheet, items: &[usize]) -> u8 {
    let mut found = 0;
    for item in items.iter().map(|at| &sheet.items[*at]) {
        found |= match item.mark {
            _ if is_hard(item) => HARD,
            Mark::Thing => SOFT,
            Mark::SliceName | Mark::Sst => SLICE,
            Mark::FiveQi => FIVE_QI,
            Mark::Intent => INTENT,
            Mark::Cell => CELLS,
            Mark::Ue => UE,
            _ if is_whole(item) => WHOLE,
            _ if matches!(item.class, C::SliceWord | C::ServiceWord) => SLICE,
            _ => 0,
        };
    }
    found
}

pub(super) fn is_verb(item: &Item) -> bool {
    item.mark == Mark::None && VERBS.has(item.class)
}

pub(super) fn has_verb(sheet: &Sheet, items: &[usize]) -> bool {
    items.iter().any(|at| is_verb(&sheet.items[*at]))
}

pub(super) fn is_content(item: &Item) -> bool {
    matches!(item.mark, Mark::Quantity | Mark::Version | Mark::Value)
        || item.mark == Mark::None && matches!(item.class, C::Factor | C::Half | C::Enable | C::Disable)
}

pub(super) fn has_content(sheet: &Sheet, items: &[usize]) -> bool {
    items.iter().any(|at| is_content(&sheet.items[*at]))
}

pub(super) fn is_place(item: &Item) -> bool {
    matches!(item.mark, Mark::Place | Mark::Namespace | Mark::Cluster)
}

pub(super) fn says(sheet: &Sheet, items: &[usize], classes: &[C]) -> bool {
    items
        .iter()
        .map(|at| &sheet.items[*at])
        .any(|item| item.mark == Mark::None && classes.contains(&item.class))
}

/// Cuts at separators and before verbs; a list or a range stays whole.
fn parts(sheet: &Sheet) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part::default();
    for (at, item) in sheet.items.iter().enumerate() {
        let separates =
            item.mark == Mark::None && matches!(item.class, C::And | C::Then | C::Comma | C::Stop | C::Quest);
        if separates && !joins(sheet, at) {
            let by = if item.class == C::Comma { C::Comma } else { C::And };
            if part.items.is_empty() {
                // ", and": the stronger of the two.
                if by == C::And || part.by.is_none() {
                    part.by = Some(by);
                }
            } else {
                parts.push(std::mem::take(&mut part));
                part.by = Some(by);
            }
            continue;
        }
        let begins = is_verb(item) && !part.items.iter().all(|at| light(&sheet.items[*at]));
        // "upf in ran-a to 5 smf in core-b to 3": a thing behind a thing and its number.
        let thing = is_hard(item) && {
            let hard = part.items.iter().copied().find(|at| is_hard(&sheet.items[*at]));
            hard.is_some_and(|hard| part.items.iter().any(|at| *at > hard && is_content(&sheet.items[*at])))
        };
        if begins || thing {
            parts.push(std::mem::take(&mut part));
            part.by = Some(C::Fill);
        }
        part.items.push(at);
    }
    parts.push(part);
    parts
}

/// Words that a verb may have before it without being parted from it.
fn light(item: &Item) -> bool {
    item.mark == Mark::None
        && (table::filler(item.class)
            || matches!(item.class, C::Priority | C::Motive | C::Check | C::Can | C::To | C::Must)
            || VERBS.has(item.class))
}

/// Whether the separator at `at` stands inside one list or range.
fn joins(sheet: &Sheet, at: usize) -> bool {
    let over = &[C::And, C::Comma, C::Cell, C::Tac];
    let Some(before) = sheet.before(at, over) else {
        return false;
    };
    let after = sheet.skip(at, over);
    let (Some(a), Some(b)) = (sheet.items.get(before), sheet.items.get(after)) else {
        return false;
    };
    if a.mark == b.mark && matches!(a.mark, Mark::Cell | Mark::Tac) {
        // "cells 41 and 42", not "prefer cell 41, forbid cell 42".
        return true;
    }
    a.mark == Mark::Quantity
        && b.mark == Mark::Quantity
        && after == at + 1
        && sheet.before(before, &[C::The, C::A, C::Fill]).is_some_and(|b| sheet.class(b) == C::Between)
}

pub(super) fn groups(sheet: &mut Sheet) -> Result<Vec<Group>, Miss> {
    let parts = parts(sheet);
    let mut groups: Vec<Group> = Vec::new();
    // Parts without an anchor of their own that wait for the one to come.
    let mut waiting: Vec<usize> = Vec::new();
    // Something that counts stood before the first thing, in a part of its own.
    let mut leads = false;
    let count = parts.len();
    for index in 0..count {
        let part = &parts[index];
        if part.items.is_empty() {
            continue;
        }
        let mine = anchors(sheet, &part.items);
        let content = has_content(sheet, &part.items);
        let place = part.items.iter().any(|at| is_place(&sheet.items[*at]));
        let Some(group) = groups.last_mut() else {
            // "hello from core-lab", "emergency at edge-oslo": whose place is that?
            let spoken = part.items.iter().any(|at| {
                let item = &sheet.items[*at];
                item.mark == Mark::None
                    && (matches!(item.class, C::Priority | C::You | C::Be)
                        || item.class == C::Fill && !sheet.word(*at).starts_with("please"))
            });
            if mine & !SOFT == 0
                && (place || mine == SOFT)
                && spoken
                && !has_verb(sheet, &part.items)
                && !content
            {
                return Err(sheet.unclear(part.items[0]));
            }
            waiting.extend(&part.items);
            if mine == 0 {
                leads |= content;
                continue;
            }
            groups.push(Group { own: std::mem::take(&mut waiting), ..Group::default() });
            continue;
        };
        // "scale smf (amf)": the same again, or something else.
        if mine & HARD != 0
            && part.items.first().is_some_and(|at| {
                at.checked_sub(1)
                    .is_some_and(|before| sheet.class(before) == C::Comma && sheet.items[before].value == 1.0)
            })
        {
            return Err(sheet.unclear(part.items[0]));
        }
        // "... to 5 and run": a verb with nothing to do.
        let idle = mine == 0
            && part.by.is_some_and(|by| by != C::Fill)
            && has_verb(sheet, &part.items)
            && part.items.iter().all(|at| light(&sheet.items[*at]) || sheet.items[*at].mark == Mark::None)
            && !says(sheet, &part.items, &[C::Show, C::Pron, C::Unsupported])
            && !content
            && parts.get(index + 1).is_none_or(|next| next.by != Some(C::Fill));
        if idle && has_content(sheet, &group.own) && has_verb(sheet, &group.own) {
            return Err(sheet.unclear(part.items[0]));
        }
        // "upgrade smf to v1.6 and scale it to 4": the thing stays the same.
        let again = mine == 0
            && says(sheet, &part.items, &[C::Pron])
            && part
                .items
                .iter()
                .map(|at| &sheet.items[*at])
                .any(|item| is_verb(item) && !ADJUNCT.has(item.class))
            && has_verb(sheet, &group.own)
            && has_content(sheet, &group.own);
        if again {
            let shared: Vec<usize> = group
                .all()
                .filter(|at| {
                    let item = &sheet.items[*at];
                    is_place(item) || matches!(item.mark, Mark::Thing | Mark::Called)
                })
                .collect();
            let mut own = std::mem::take(&mut waiting);
            own.extend(&part.items);
            groups.push(Group { own, shared, inherits: false });
            continue;
        }
        // "... and from ran-b | retire upf-old": a place right before a verb is the verb's.
        let heads = mine == SOFT
            && part.by != Some(C::Fill)
            && !content
            && !has_verb(sheet, &part.items)
            && parts
                .get(index + 1)
                .is_some_and(|next| next.by == Some(C::Fill) && anchors(sheet, &next.items) & HARD != 0);
        if heads {
            waiting.extend(&part.items);
            continue;
        }
        if mine == 0 {
            // "..., and in ran-b | scale smf": what stands right before a verb is the verb's.
            let next = parts.get(index + 1).filter(|next| next.by == Some(C::Fill));
            let forward = next.is_some_and(|next| anchors(sheet, &next.items) != 0)
                && part.by != Some(C::Fill)
                && !has_verb(sheet, &part.items)
                && !content;
            let more = parts[index + 1..].iter().any(|part| starts_group(sheet, &groups, part));
            if forward && (place || !part.items.iter().all(|at| light(&sheet.items[*at]))) {
                waiting.extend(&part.items);
                continue;
            }
            if more && (content || place) && part.by.is_some_and(|by| by != C::Fill) {
                let last = groups.last().map(|group| group.own.clone()).unwrap_or_default();
                let taken = content && has_content(sheet, &last)
                    || place && last.iter().any(|at| is_place(&sheet.items[*at]));
                let next = parts[index + 1..].iter().find(|part| starts_group(sheet, &groups, part));
                let next_has = next.is_some_and(|next| {
                    (!content || has_content(sheet, &next.items) || follows(sheet, &parts, index))
                        && (!place || next.items.iter().any(|at| is_place(&sheet.items[*at])))
                });
                if leads || taken || !next_has {
                    return Err(sheet.unclear(part.items[0]));
                }
            }
            if let Some(group) = groups.last_mut() {
                group.own.extend(&part.items);
            }
            continue;
        }
        // "in ran-a and edge-oslo to 3": a second place, or a second workload.
        let first = part.items.iter().copied().find(|at| sheet.items[*at].mark != Mark::None);
        let second_place = first.is_some_and(|at| {
            let item = &sheet.items[at];
            let before = group.own.last().map(|last| &sheet.items[*last]);
            item.mark == Mark::Thing
                && item.class != C::Function
                && item.prep == C::Fill
                && !has_verb(sheet, &part.items)
                && before.is_some_and(|last| {
                    is_place(last) || last.mark == Mark::Thing && matches!(last.prep, C::On | C::From | C::To)
                })
                && part.by == Some(C::And)
                && part.items.first() == Some(&at)
        });
        if second_place && !part.items.iter().any(|at| is_place(&sheet.items[*at])) {
            return Err(sheet.unclear(part.items[0]));
        }
        let new = starts(sheet, group, part);
        // "... to 5 in ran-a smf to 3": without anything between, whose place is that?
        let beside = part.by == Some(C::Fill) && is_hard(&sheet.items[part.items[0]]);
        let number = sheet
            .before(part.items[0], &[C::More, C::Fewer, C::Pods, C::The, C::A, C::Fill])
            .filter(|at| sheet.items[*at].mark == Mark::Quantity);
        let loose = number.is_some_and(|at| {
            !sheet
                .before(at, &[])
                .is_some_and(|tie| matches!(sheet.class(tie), C::To | C::By | C::From | C::Eq | C::Colon))
        });
        if new && beside && loose {
            return Err(sheet.unclear(part.items[0]));
        }
        if new
            && beside
            && !part.items.iter().any(|at| is_place(&sheet.items[*at]))
            && group.own.last().is_some_and(|last| is_place(&sheet.items[*last]))
        {
            return Err(sheet.unclear(part.items[0]));
        }
        if new {
            if leads && !has_content(sheet, &part.items) {
                return Err(sheet.unclear(part.items[0]));
            }
            let mut own = std::mem::take(&mut waiting);
            own.extend(&part.items);
            groups.push(Group { own, ..Group::default() });
        } else {
            group.own.append(&mut waiting);
            group.own.extend(&part.items);
        }
    }
    if groups.is_empty() {
        groups.push(Group { own: std::mem::take(&mut waiting), ..Group::default() });
    } else if let Some(group) = groups.last_mut() {
        group.own.append(&mut waiting);
    }
    for (index, group) in groups.iter().enumerate() {
        for at in &group.own {
            sheet.items[*at].group = index;
        }
    }
    if groups.len() > 1 {
        share::share(sheet, &mut groups)?;
    }
    Ok(groups)
}

/// Whether the numbers follow their things to the end: "upf, 3 pods, smf, 4 pods".
fn follows(sheet: &Sheet, parts: &[Part], index: usize) -> bool {
    parts[index + 1..]
        .iter()
        .rev()
        .find(|part| !part.items.is_empty())
        .is_some_and(|last| has_content(sheet, &last.items) && anchors(sheet, &last.items) == 0)
}

fn starts_group(sheet: &Sheet, groups: &[Group], part: &Part) -> bool {
    groups.last().is_some_and(|group| anchors(sheet, &part.items) != 0 && starts(sheet, group, part))
}

fn starts(sheet: &Sheet, group: &Group, part: &Part) -> bool {
    let (theirs, mine) = (anchors(sheet, &group.own), anchors(sheet, &part.items));
    if mine & HARD != 0 && theirs & HARD != 0 {
        return !apposition(sheet, group, part);
    }
    // Cells preferred here and avoided there.
    if mine & theirs & CELLS != 0
        && says(sheet, &part.items, &[C::Prefer, C::Avoid, C::Forbid])
        && says(sheet, &group.own, &[C::Prefer, C::Avoid, C::Forbid])
    {
        return true;
    }
    if mine & SOFT != 0 && theirs & SOFT != 0 && mine & HARD == 0 && theirs & HARD == 0 {
        return true;
    }
    if mine & theirs & (FIVE_QI | INTENT) != 0 {
        return true;
    }
    let named =
        |items: &[usize]| items.iter().any(|at| matches!(sheet.items[*at].mark, Mark::SliceName | Mark::Sst));
    if named(&part.items) && named(&group.own) && theirs & CELLS == mine & CELLS {
        // "sst 1 ... slice x": one slice may have both; two of a kind are two slices.
        let twice = [Mark::SliceName, Mark::Sst].iter().any(|mark| {
            part.items.iter().any(|at| sheet.items[*at].mark == *mark)
                && group.own.iter().any(|at| sheet.items[*at].mark == *mark)
        });
        if twice {
            return true;
        }
    }
    let orders =
        part.items.iter().map(|at| &sheet.items[*at]).any(|item| is_verb(item) && !ADJUNCT.has(item.class));
    let ordered = group
        .own
        .iter()
        .map(|at| &sheet.items[*at])
        .any(|item| is_verb(item) && !ADJUNCT.has(item.class) && item.class != C::Steer);
    orders && ordered && mine != 0
}

/// "create upf-guest-2, a upf, ...": the second names the kind of the first.
fn apposition(sheet: &Sheet, group: &Group, part: &Part) -> bool {
    let deploys = says(sheet, &group.own, &[C::Deploy, C::Create, C::Launch, C::Put]);
    let things = |items: &[usize]| -> Vec<usize> {
        items.iter().copied().filter(|at| is_hard(&sheet.items[*at])).collect()
    };
    let (first, second) = (things(&group.own), things(&part.items));
    let ([first], [second]) = (first.as_slice(), second.as_slice()) else {
        return false;
    };
    let called = sheet.items[*second].mark == Mark::Called || sheet.items[*first].mark == Mark::Called;
    let kinds = sheet.class(*first) != C::Function && sheet.class(*second) == C::Function;
    let article = *second > 0 && sheet.class(*second - 1) == C::A;
    called && !has_verb(sheet, &part.items)
        || deploys && kinds && article && part.by == Some(C::Comma) && !has_verb(sheet, &part.items)
}
