//! Whether words order something, or only tell what is.

use super::Work;
use crate::faithful::marks::Mark;
use crate::faithful::{Miss, table};
use crate::vocabulary::C;

/// "scale" orders; "scales" and "scaled" tell, unless a modal verb or a passive
/// makes an order of them.
pub(super) fn mood(work: &Work<'_>) -> Result<(), Miss> {
    let mut base = false;
    let mut third = None;
    let mut past = None;
    for at in work.group.all() {
        let item = &work.sheet.items[at];
        if item.mark != Mark::None
            || !crate::frame::VERBS.has(item.class)
            || matches!(
                item.class,
                C::Guarantee | C::Unsupported | C::Notify | C::Show | C::HowMany | C::Limit | C::Prefer
            )
        {
            continue;
        }
        let first = work.sheet.word(at).split(' ').next().unwrap_or_default();
        if first.ends_with("ed") && !matches!(first, "shed" | "need" | "speed" | "feed")
            || table::PAST.contains(&first)
        {
            past = past.or(Some(at));
        } else if first.ends_with('s')
            && !first.ends_with("ss")
            && first.len() > 3
            && !matches!(first, "gets" | "plus")
        {
            third = third.or(Some(at));
        } else {
            base = true;
        }
    }
    let passive = work.any(&[C::Be, C::Should, C::Must, C::Want, C::Become, C::Let, C::Have]);
    let asks = work.any(&[C::When, C::Show, C::HowMany, C::Status, C::Alive, C::Question])
        || work.sheet.check
        || work.sheet.asked && !work.sheet.polite;
    modals(work)?;
    let finite = work.group.own.iter().copied().find(|at| {
        let unmarked = work.sheet.items[*at].mark == Mark::None;
        let word = work.sheet.word(*at);
        let tells = matches!(work.sheet.class(*at), C::Be | C::Have)
            && matches!(word, "is" | "are" | "am" | "has" | "being")
            && work.sheet.class(at + 1) != C::To;
        let runs = work.sheet.class(*at) == C::Run && word == "running";
        // "is above", "exceeds", "went above" tell a state; "stay above" orders one.
        let compares = matches!(work.sheet.class(*at), C::Below | C::Above | C::AtLeast | C::AtMost) && {
            let first = word.split(' ').next().unwrap_or_default();
            matches!(first, "is" | "has")
                || !base
                    && (first.len() > 4
                        && first.ends_with('s')
                        && !first.ends_with("ss")
                        && !matches!(first, "tops" | "less")
                        || first.ends_with("ed") && !matches!(first, "capped" | "limited" | "topped")
                        || table::PAST.contains(&first))
        };
        unmarked && (tells || runs || compares)
    });
    // "what happens if upf has 5 pods?"
    if work.sheet.check
        && !work.says(C::When)
        && (finite.is_some() && work.says(C::Have) || work.says(C::Should) && work.says(C::You))
    {
        return Err(work.unclear());
    }
    if asks {
        return Ok(());
    }
    if !base && let Some(at) = third.filter(|_| !work.says(C::Should)).or(past.filter(|_| !passive)) {
        return Err(work.sheet.unclear(at));
    }
    let ordered =
        work.any(&[C::Should, C::Must, C::Want, C::Let, C::Prefer, C::Forbid, C::Avoid, C::Give, C::Keep]);
    match finite {
        Some(at) if !ordered => Err(work.sheet.unclear(at)),
        _ => Ok(()),
    }
}

/// A modal verb behind an order belongs to nothing: "double the must upf", and
/// what was wanted is not what is.
fn modals(work: &Work<'_>) -> Result<(), Miss> {
    let exempt = work.any(&[C::Keep, C::When]);
    let mut ordered = false;
    let mut last = None;
    for at in work.group.own.iter().copied() {
        let item = &work.sheet.items[at];
        // A separator stands between: a part of its own.
        if last.is_some_and(|last| last + 1 < at) {
            ordered = false;
        }
        last = Some(at);
        if item.mark != Mark::None {
            continue;
        }
        let word = work.sheet.word(at);
        let modal = matches!(item.class, C::Want | C::Should | C::Must | C::Become | C::Let)
            || item.class == C::You && matches!(word, "we" | "i");
        if modal && ordered && !exempt {
            return Err(work.sheet.unclear(at));
        }
        if item.class == C::Want
            && word.ends_with("ed")
            && word != "need"
            && (ordered || work.says(C::You) || at > 0 && matches!(work.sheet.class(at - 1), C::The | C::A))
        {
            return Err(work.sheet.unclear(at));
        }
        // "i am scaling", "we scaled" tells.
        if item.class == C::You
            && matches!(word, "we" | "i")
            && (work.sheet.class(at + 1) == C::Be
                || crate::frame::VERBS.has(work.sheet.class(at + 1))
                    && work.sheet.word(at + 1).ends_with("ed"))
        {
            return Err(work.sheet.unclear(at));
        }
        if crate::frame::VERBS.has(item.class) && !matches!(item.class, C::Show | C::HowMany) {
            let first = word.split(' ').next().unwrap_or_default();
            ordered |= !first.ends_with("ed") && !first.ends_with('s') && !table::PAST.contains(&first);
        }
    }
    // "upf in ran-a doubled"
    for at in work.group.own.iter().copied() {
        let item = &work.sheet.items[at];
        let told = item.mark == Mark::None
            && item.class == C::Factor
            && work.sheet.word(at).ends_with("ed")
            && !work.sheet.check
            && !work.any(&[C::Be, C::Should, C::Must, C::Want, C::Become, C::Let, C::Have]);
        if told {
            return Err(work.sheet.unclear(at));
        }
    }
    // The same order twice: "retire amf-old out of service".
    for class in [C::Retire, C::Remove, C::Undo, C::Deploy, C::Upgrade, C::Forbid, C::Only] {
        let said: Vec<usize> = work
            .group
            .own
            .iter()
            .copied()
            .filter(|at| work.sheet.items[*at].mark == Mark::None && work.sheet.class(*at) == class)
            .collect();
        if let [_, second, ..] = said.as_slice() {
            return Err(work.sheet.unclear(*second));
        }
    }
    Ok(())
}
