//! Settings: which word is the key, and which its value.

use super::marks::{Mark, Sheet};
use crate::frame::Kind;
use crate::vocabulary::C;

/// A setting and its value: "mtu to 1400", "ue_tracing on", "enable x_log".
pub(super) fn settings(sheet: &mut Sheet) {
    let count = sheet.items.len();
    for at in 0..count {
        if !sheet.free(at) {
            continue;
        }
        let keyed = sheet.class(at) == C::Key
            || sheet.class(at) == C::Unknown && plain_key(sheet, at)
            || sheet.class(at) == C::Name
                && (sheet.class(at + 1) == C::Eq && !placed(sheet, at) || set_name(sheet, at));
        if !keyed {
            continue;
        }
        let over: &[C] =
            &[C::To, C::Eq, C::Colon, C::Be, C::Become, C::Should, C::Must, C::As, C::Fill, C::Want, C::Run];
        let near = sheet.skip(at + 1, over);
        // "nf_weight of smf in west-core to 40": the value comes behind the thing.
        let near_tied =
            near < sheet.items.len() && sheet.items[at + 1..near].iter().any(|item| item.class != C::Fill);
        let far = if fits_value(sheet, near, near_tied) { None } else { far_value(sheet, at, over) };
        let next = far.unwrap_or(near);
        let tied = far.is_some() || near_tied;
        let fits = fits_value(sheet, next, tied);
        if fits && (tied || matches!(sheet.class(next), C::On | C::Off | C::Number)) {
            sheet.mark(at, Mark::Key);
            sheet.mark(next, Mark::Value);
            let from = if far.is_some() {
                (at + 1..next).rev().take_while(|i| over.contains(&sheet.class(*i))).last().unwrap_or(next)
            } else {
                at + 1
            };
            for between in from..next {
                sheet.items[between].used = true;
            }
        } else if switch_verb(sheet, at).is_some() {
            sheet.mark(at, Mark::Key);
        }
    }
}

fn fits_value(sheet: &Sheet, next: usize, tied: bool) -> bool {
    sheet.items.get(next).is_some_and(|item| {
        (item.mark == Mark::None || item.mark == Mark::Quantity)
            && match item.class {
                C::Number => item.kind == Kind::Bare,
                C::On | C::Off => value_ends(sheet, next),
                C::Enable | C::Disable => tied && value_ends(sheet, next),
                C::Name | C::Quoted | C::Unknown | C::Version | C::Switch | C::Key => tied,
                C::Time
                | C::Unsupported
                | C::Vague
                | C::Hardware
                | C::Notify
                | C::Priority
                | C::Alive
                | C::UeNoun
                | C::Max
                | C::Min
                | C::Status
                | C::Back
                | C::Traffic
                | C::Guarantee => tied && item.whole && value_ends(sheet, next),
                _ => false,
            }
    })
}

/// The value of a setting behind the thing that has it.
fn far_value(sheet: &Sheet, at: usize, over: &[C]) -> Option<usize> {
    let mut thing = false;
    let mut ahead = at + 1;
    while let Some(item) = sheet.items.get(ahead) {
        let ties = matches!(item.class, C::To | C::Be | C::Become | C::Eq);
        if thing && ties {
            let mut value = sheet.skip(ahead, over);
            // "must be set to ims"
            if matches!(sheet.class(value), C::Set | C::Put) && sheet.class(value + 1) == C::To {
                value += 2;
            }
            return (value_ends(sheet, value) && fits_value(sheet, value, true)).then_some(value);
        }
        match item.class {
            C::Function | C::Name | C::Quoted => thing = true,
            C::Of
            | C::On
            | C::For
            | C::In
            | C::At
            | C::The
            | C::Fill
            | C::Ns
            | C::Cluster
            | C::Unknown
            | C::Should
            | C::Must
            | C::Have
            | C::Want => {}
            _ => return None,
        }
        ahead += 1;
    }
    None
}

pub(super) fn placed(sheet: &Sheet, at: usize) -> bool {
    sheet
        .before(at, &[C::The])
        .is_some_and(|before| matches!(sheet.class(before), C::In | C::At | C::On | C::Ns | C::Cluster))
}

/// "configure t3512 to 3600 on amf": what is set is a word with a digit.
fn set_name(sheet: &Sheet, at: usize) -> bool {
    let set = sheet.before(at, &[C::The]).is_some_and(|before| sheet.class(before) == C::Set);
    let thing = sheet.items.iter().enumerate().skip(at + 3).any(|(other, item)| {
        matches!(item.class, C::Function | C::Name | C::Quoted)
            && sheet
                .before(other, &[C::The])
                .is_some_and(|tie| matches!(sheet.class(tie), C::On | C::Of | C::For))
    });
    set && thing && sheet.class(at + 1) == C::To
}

/// The verb that switches what stands right behind it, or right before it at the end.
fn switch_verb(sheet: &Sheet, at: usize) -> Option<usize> {
    let behind = sheet.skip(at + 1, &[C::Fill]);
    if matches!(sheet.class(behind), C::Enable | C::Disable) && value_ends(sheet, behind) {
        return Some(behind);
    }
    sheet
        .before(at, &[C::The, C::A, C::Fill, C::On])
        .filter(|verb| matches!(sheet.class(*verb), C::Enable | C::Disable))
}

/// A plain word is a setting only where a setting stands: behind a verb that
/// sets, with a value to come, and beside a thing.
fn plain_key(sheet: &Sheet, at: usize) -> bool {
    let opens = match sheet.before(at, &[C::The, C::A, C::Fill]) {
        None => true,
        Some(before) => matches!(
            sheet.class(before),
            C::Set | C::Enable | C::Disable | C::Put | C::Comma | C::Colon | C::Stop | C::And | C::Then
        ),
    };
    let things = sheet
        .items
        .iter()
        .enumerate()
        .any(|(other, item)| other != at && matches!(item.class, C::Function | C::Name | C::Quoted));
    let sets = sheet.items.iter().any(|item| {
        matches!(item.class, C::Set | C::Enable | C::Disable | C::Put | C::Become | C::Should | C::Must)
    });
    opens && things && sets
}

pub(super) fn value_ends(sheet: &Sheet, at: usize) -> bool {
    at + 1 >= sheet.items.len()
        || matches!(
            sheet.class(at + 1),
            C::On
                | C::In
                | C::For
                | C::At
                | C::Of
                | C::Stop
                | C::Comma
                | C::Quest
                | C::Fill
                | C::And
                | C::Then
                | C::Priority
                | C::Motive
                | C::Into
                | C::From
                | C::Ns
        )
}
