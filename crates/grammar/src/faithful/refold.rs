//! Words that mean something else beside their neighbours: "a pod" is one,
//! "plus 2" adds, "out of" takes from, "pod 3" is one of several.

use super::Miss;
use super::marks::Sheet;
use crate::vocabulary::C;

/// Words that mean something else beside their neighbours: "a pod" is one,
/// "plus 2" adds, "out of" takes from.
pub(super) fn refold(sheet: &mut Sheet) -> Result<(), Miss> {
    let has = |sheet: &Sheet, classes: &[C]| sheet.items.iter().any(|item| classes.contains(&item.class));
    let counts = has(sheet, &[C::Add, C::Remove, C::Shrink]);
    for at in 0..sheet.items.len() {
        let next = sheet.class(at + 1);
        match sheet.class(at) {
            C::A if counts && next == C::Pods && !sheet.word(at + 1).ends_with('s') => {
                one(sheet, at, C::Fill)
            }
            C::More if next != C::Number && next != C::Than => {
                let another = sheet.word(at) == "another";
                let extra = at > 0 && sheet.class(at - 1) == C::A;
                let counted = sheet.before(at, &[C::Pods]).is_some_and(|b| sheet.class(b) == C::Number);
                if (another || extra) && !counted {
                    one(sheet, at, C::More);
                }
            }
            C::And if sheet.word(at) == "plus" => {
                if next != C::Number {
                    return Err(sheet.unclear(at));
                }
                sheet.items[at].class = C::Add;
            }
            C::Out if next == C::Of => {
                sheet.items[at].class = C::Fill;
                sheet.items[at + 1].class = C::Off;
            }
            // "take two pods away from pcf"
            C::Avoid if sheet.word(at) == "away from" => {
                let thing = sheet.skip(at + 1, &[C::The]);
                let named = matches!(sheet.class(thing), C::Function | C::Quoted)
                    || sheet.class(thing) == C::Name && !sheet.word(thing).starts_with("cell");
                if named && sheet.items[..at].iter().any(|item| item.class == C::Number) {
                    sheet.items[at].class = C::Off;
                }
            }
            C::In if sheet.word(at + 1) == "advance" && at > 0 && sheet.class(at - 1) == C::Fill => {
                sheet.items[at].class = C::Fill;
                sheet.items[at + 1].class = C::Fill;
            }
            C::In if sheet.word(at + 1) == "total" && has(sheet, &[C::Add, C::Grow, C::Scale, C::Set]) => {
                sheet.items[at].class = C::Fill;
                sheet.items[at + 1].class = C::Fill;
            }
            // "by +4"
            C::Add if sheet.word(at) == "+" && at > 0 && sheet.class(at - 1) == C::By => {
                sheet.items[at].class = C::Grow;
            }
            // "..., ok?" asks nothing.
            C::Quest
                if at > 1
                    && matches!(sheet.word(at - 1), "ok" | "okay")
                    && sheet.class(at - 2) == C::Comma =>
            {
                sheet.asked = false;
            }
            // "move the pcf over to 13"
            C::Over if matches!(next, C::To | C::In) => sheet.items[at].class = C::Fill,
            // "upf number 3", "pod 3" is one of several.
            C::Noun if sheet.word(at) == "number" && next == C::Number => return Err(sheet.unclear(at)),
            C::Pods
                if next == C::Number && matches!(sheet.word(at), "pod" | "replica" | "instance" | "copy") =>
            {
                return Err(sheet.unclear(at));
            }
            // "cell 5 only for slice 1" says it of the slice.
            C::Only if matches!(next, C::For | C::SliceWord) && sheet.items[at].value == 0.0 => {
                return Err(sheet.unclear(at));
            }
            C::When => trigger(sheet, at)?,
            C::Told if sheet.check && matches!(sheet.word(at), "were" | "was" | "would" | "had") => {
                sheet.items[at].class = C::Fill;
            }
            // A conjunction with nothing behind it promised more.
            C::And | C::Then => {
                let ahead = sheet.skip(at + 1, &[C::Fill, C::The, C::Comma]);
                if matches!(sheet.class(ahead), C::Stop | C::Quest | C::Or | C::But)
                    || sheet.class(at) == C::And && sheet.class(ahead) == C::And
                {
                    return Err(sheet.unclear(at));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn one(sheet: &mut Sheet, at: usize, prep: C) {
    let item = &mut sheet.items[at];
    item.class = C::Number;
    item.value = 1.0;
    item.whole = true;
    item.prep = prep;
}

/// "when cpu is above 70 %" sets off; "if you must" says how.
fn trigger(sheet: &Sheet, at: usize) -> Result<(), Miss> {
    let ahead = sheet
        .skip(at + 1, &[C::The, C::A, C::Link, C::Statistic, C::Max, C::Of, C::Function, C::Name, C::Fill]);
    let measured =
        matches!(sheet.class(ahead), C::Metric | C::Sessions | C::UeNoun | C::Subscribers | C::Pdu);
    let twice = sheet.items[..at].iter().any(|item| item.class == C::When);
    if measured && !twice { Ok(()) } else { Err(sheet.unclear(at)) }
}
