//! What groups share, and nothing else: the verb of the one before, a number
//! that comes last, the thing named first, a place at the very start or end.

use super::Miss;
use super::groups::{
    CELLS, FIVE_QI, Group, HARD, SLICE, SOFT, UE, anchors, has_content, has_verb, is_content, is_hard,
    is_place, is_verb, says,
};
use super::marks::{Mark, Sheet};
use crate::vocabulary::C;

/// The verb of the group before, a number that comes last, a place at the very
/// start or end: nothing else is shared.
pub(super) fn share(sheet: &Sheet, groups: &mut [Group]) -> Result<(), Miss> {
    let count = groups.len();
    for index in 1..count {
        if has_verb(sheet, &groups[index].own) || says(sheet, &groups[index].own, &[C::Factor, C::Half]) {
            continue;
        }
        groups[index].inherits = true;
        let verbs: Vec<usize> = groups[index - 1]
            .all()
            .filter(|at| {
                let item = &sheet.items[*at];
                is_verb(item)
                    || item.mark == Mark::None
                        && matches!(
                            item.class,
                            C::Question | C::Status | C::Alive | C::HowMany | C::Should | C::Must | C::Want
                        )
            })
            .collect();
        // "scale upf down to 3 and smf to 2": is smf to go down too?
        let steered = groups[index - 1].own.iter().any(|at| {
            let item = &sheet.items[*at];
            item.mark == Mark::None && matches!(item.class, C::Up | C::Down | C::Out | C::More | C::Fewer)
        });
        let own = groups[index]
            .own
            .iter()
            .any(|at| matches!(sheet.items[*at].class, C::Up | C::Down | C::Out | C::More | C::Fewer));
        let inward = groups[index - 1].own.iter().any(|at| {
            *at > 0
                && sheet.class(*at) == C::In
                && sheet.class(*at - 1) == C::Scale
                && !sheet.items.get(sheet.skip(*at + 1, &[C::The, C::A])).is_some_and(is_place)
        });
        if (steered || inward) && !own {
            return Err(sheet.unclear(groups[index].own[0]));
        }
        let earlier_content = has_content(sheet, &groups[index - 1].own);
        if earlier_content && !has_content(sheet, &groups[index].own) {
            let factors: Vec<usize> = groups[index - 1]
                .all()
                .filter(|at| matches!(sheet.items[*at].class, C::Factor | C::Half))
                .collect();
            let only_factor = groups[index - 1].own.iter().all(|at| sheet.items[*at].mark != Mark::Quantity);
            let switches = groups[index - 1].all().any(|at| {
                let item = &sheet.items[at];
                item.mark == Mark::None && matches!(item.class, C::Enable | C::Disable)
            });
            let first = groups[index - 1].own.iter().find(|at| is_hard(&sheet.items[**at])).copied();
            let before = factors.iter().all(|at| first.is_none_or(|first| *at < first));
            if factors.len() == 1 && only_factor && before {
                groups[index].shared.extend(factors);
            } else if !switches {
                // "remove 2 upf and smf": all of smf, or two of it?
                return Err(sheet.unclear(groups[index].own[0]));
            }
        }
        groups[index].shared.extend(verbs);
    }
    // "prefer cell 503, forbid cell 504" after "slice sst 5:".
    let topic: Vec<usize> = {
        let first = &groups[0].own;
        let verb = first.iter().copied().find(|at| is_verb(&sheet.items[*at]));
        first
            .iter()
            .copied()
            .filter(|at| {
                matches!(sheet.items[*at].mark, Mark::SliceName | Mark::Sst | Mark::Sd | Mark::Ue)
                    && verb.is_none_or(|verb| *at < verb)
            })
            .collect()
    };
    for group in groups.iter_mut().skip(1) {
        let found = anchors(sheet, &group.own);
        if found & CELLS != 0 && found & (SLICE | UE | HARD | SOFT | FIVE_QI) == 0 {
            group.shared.extend(&topic);
        }
    }
    // "scale upf and smf to 3": the number comes last.
    for index in (0..count - 1).rev() {
        if has_content(sheet, &groups[index].own) || !groups[index + 1].inherits {
            continue;
        }
        let next: Vec<usize> = groups[index + 1].all().collect();
        let anchor = groups[index + 1].own.iter().find(|at| is_hard(&sheet.items[**at])).copied();
        let content: Vec<usize> = next
            .iter()
            .copied()
            .filter(|at| {
                let item = &sheet.items[*at];
                is_content(item)
                    || item.mark == Mark::None
                        && matches!(
                            item.class,
                            C::To
                                | C::By
                                | C::Up
                                | C::Down
                                | C::Out
                                | C::AtMost
                                | C::AtLeast
                                | C::More
                                | C::Fewer
                        )
            })
            .collect();
        let behind = content.iter().all(|at| anchor.is_some_and(|anchor| *at > anchor));
        if content.is_empty() {
            continue;
        }
        // "deploy an ausf in east-core, and an nssf, 1 replica": one of each?
        let deploys = says(sheet, &groups[index].own, &[C::Deploy, C::Create, C::Launch]);
        let with = content.iter().all(|at| *at > 0 && sheet.class(*at - 1) == C::With);
        if deploys && (!with || groups[index].own.iter().any(|at| is_place(&sheet.items[*at]))) {
            return Err(sheet.unclear(content[0]));
        }
        // "retire smf-a; smf-b 8": eight of smf-a?
        if says(sheet, &groups[index].own, &[C::Retire, C::Remove, C::Undo, C::Show]) {
            return Err(sheet.unclear(content[0]));
        }
        if !behind {
            return Err(sheet.unclear(content[0]));
        }
        groups[index].shared.extend(content);
    }
    places(sheet, groups)
}

fn places(sheet: &Sheet, groups: &mut [Group]) -> Result<(), Miss> {
    let placed = |sheet: &Sheet, group: &Group| -> Vec<usize> {
        let hard = group.own.iter().any(|at| is_hard(&sheet.items[*at]));
        group
            .all()
            .filter(|at| {
                let item = &sheet.items[*at];
                is_place(item)
                    || hard
                        && item.mark == Mark::Thing
                        && !is_hard(item)
                        && matches!(item.prep, C::On | C::From | C::To | C::Off)
            })
            .collect()
    };
    let count = groups.len();
    let first = placed(sheet, &groups[0]);
    let begins = groups[0].own.iter().copied().find(|at| {
        let item = &sheet.items[*at];
        is_hard(item) || is_verb(item) || matches!(item.class, C::Factor | C::Half) || is_content(item)
    });
    let leading: Vec<usize> =
        first.iter().copied().filter(|at| begins.is_none_or(|begins| *at < begins)).collect();
    if !leading.is_empty() {
        for group in groups.iter_mut().skip(1) {
            if placed(sheet, group).is_empty() {
                group.shared.extend(&leading);
            }
        }
        return Ok(());
    }
    // "retire in core5g amf-old and smf-old": is smf-old there too?
    let hard = groups[0].own.iter().copied().find(|at| is_hard(&sheet.items[*at]));
    let between = first.iter().any(|place| hard.is_some_and(|hard| *place < hard));
    if between && groups[1].inherits && placed(sheet, &groups[1]).is_empty() {
        return Err(sheet.unclear(groups[1].own[0]));
    }
    let last = count - 1;
    let end = placed(sheet, &groups[last]);
    if !groups[last].inherits || end.is_empty() {
        return Ok(());
    }
    let behind = end.iter().all(|place| {
        groups[last].own.iter().all(|at| {
            let item = &sheet.items[*at];
            at < place || !(is_hard(item) || is_content(item))
        })
    });
    for index in (0..last).rev() {
        if placed(sheet, &groups[index]).is_empty() {
            if !behind {
                // "smf and amf in ran-a to 3": is smf in ran-a too?
                return Err(sheet.unclear(end[0]));
            }
            groups[index].shared.extend(&end);
        }
        if !groups[index].inherits {
            break;
        }
    }
    Ok(())
}
