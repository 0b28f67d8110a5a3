//! What is named by the noun beside it: "ns X", "cell 17", "5qi 3", "v1.2"; and
//! of the names that are left, which are things and which places.

use super::keys::settings;
use super::marks::{Mark, Sheet, is_label};
use super::table;
use crate::frame::Kind;
use crate::vocabulary::C;

const TIES: &[C] = &[C::Colon, C::Eq, C::Called, C::Fill, C::The];

/// Marks what its own noun names: "ns X", "cell 17", "5qi 3", "v1.2".
pub(super) fn labels(sheet: &mut Sheet) {
    let count = sheet.items.len();
    for at in 0..count {
        if !sheet.free(at) {
            continue;
        }
        match sheet.class(at) {
            C::Ns | C::Cluster => place_noun(sheet, at),
            C::Cell => {
                let next = sheet.skip(at + 1, &[C::Colon, C::Fill, C::Called]);
                if list(sheet, next, Mark::Cell) {
                    sheet.items[at].used = true;
                }
            }
            C::Tac => {
                let next = sheet.skip(at + 1, TIES);
                if list(sheet, next, Mark::Tac) {
                    sheet.items[at].used = true;
                }
            }
            C::Name if sheet.is_ue(at) => sheet.mark(at, Mark::Ue),
            C::Name if cell_name(sheet.word(at)) => {
                list(sheet, at, Mark::Cell);
            }
            C::Number => number_mark(sheet, at),
            C::SliceWord => slice_noun(sheet, at),
            C::Sst | C::Sd | C::Plmn | C::FiveQi | C::PriorityLevel => numbered(sheet, at),
            C::UeNoun => {
                let mut next = sheet.skip(at + 1, &[C::Called, C::Colon, C::Eq, C::Fill]);
                if sheet.word(next) == "id" {
                    sheet.items[next].used = true;
                    next += 1;
                }
                if next < count && sheet.is_ue(next) {
                    sheet.mark(next, Mark::Ue);
                    sheet.items[at].used = true;
                }
            }
            C::Group => {
                let next = sheet.skip(at + 1, &[C::Colon, C::Eq, C::Of, C::The, C::Fill, C::A]);
                let label = matches!(sheet.class(next), C::Name | C::Unknown | C::Quoted | C::Number);
                if next < count && sheet.free(next) && label {
                    sheet.mark(next, Mark::Group);
                    sheet.items[at].used = true;
                }
            }
            C::Version => version(sheet, at),
            C::Provider | C::Blueprint | C::Intent | C::Called => labelled(sheet, at),
            C::Unknown if matches!(sheet.word(at), "mcc" | "mnc") && sheet.class(at + 1) == C::Number => {
                let mark = if sheet.word(at) == "mcc" { Mark::Mcc } else { Mark::Mnc };
                sheet.items[at].used = true;
                sheet.mark(at + 1, mark);
            }
            _ => {}
        }
    }
    settings(sheet);
    for at in 0..count {
        if sheet.free(at) && matches!(sheet.class(at), C::Function | C::Name | C::Quoted) {
            thing_or_place(sheet, at);
        }
        if sheet.free(at) && sheet.class(at) == C::Unknown {
            thing_or_place(sheet, at);
        }
    }
}

fn number_mark(sheet: &mut Sheet, at: usize) {
    if sheet.is_ue(at) {
        // Ten digits and more count nothing.
        let noun = sheet.before(at, &[C::Called, C::Colon, C::Eq, C::Fill]);
        if noun.is_some_and(|noun| sheet.class(noun) == C::UeNoun) {
            return;
        }
    }
    let kind = match sheet.class(at + 1) {
        C::Sessions => Kind::Sessions,
        C::Pdu => Kind::Pdu,
        C::Subscribers => Kind::Subscribers,
        C::UeNoun if !sheet.is_ue(at + 2) => Kind::Ues,
        C::Pods => Kind::Pods,
        _ => sheet.items[at].kind,
    };
    if kind != Kind::Pods && sheet.class(at + 2) == C::Pods && kind != sheet.items[at].kind {
        sheet.items[at].kind = Kind::Unclear;
    }
    if sheet.items[at].kind == Kind::Bare {
        sheet.items[at].kind = kind;
        if kind != Kind::Bare {
            sheet.items[at + 1].used = true;
        }
    }
    sheet.mark(at, Mark::Quantity);
}

fn cell_name(word: &str) -> bool {
    word.starts_with("cell-") && word.bytes().any(|b| b.is_ascii_digit())
        || (word.starts_with("cell") && word[4..].bytes().next().is_some_and(|b| b.is_ascii_digit()))
}

fn celllike(sheet: &Sheet, at: usize) -> bool {
    sheet.free(at)
        && match sheet.class(at) {
            C::Number => {
                sheet.items[at].kind == Kind::Bare
                    && sheet.items[at].whole
                    && sheet.items[at].value >= 0.0
                    && !sheet.is_ue(at)
                    && !matches!(
                        sheet.class(at + 1),
                        C::Pods | C::Sessions | C::UeNoun | C::Subscribers | C::Pdu | C::Multiplier
                    )
            }
            C::Name => {
                let word = sheet.word(at);
                !sheet.is_ue(at) && (word.bytes().any(|b| b.is_ascii_digit()) || word.starts_with("cell"))
            }
            C::Quoted => true,
            _ => false,
        }
}

fn taclike(sheet: &Sheet, at: usize) -> bool {
    let word = sheet.word(at);
    sheet.free(at)
        && matches!(sheet.class(at), C::Number | C::Name | C::Unknown)
        && sheet.items[at].kind == Kind::Bare
        && (1..=6).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_digit())
}

/// "41, 42 and 43"
fn list(sheet: &mut Sheet, from: usize, mark: Mark) -> bool {
    let fits = |sheet: &Sheet, at: usize| match mark {
        Mark::Cell => celllike(sheet, at),
        _ => taclike(sheet, at),
    };
    let mut at = from;
    let mut found = false;
    while fits(sheet, at) {
        sheet.mark(at, mark);
        found = true;
        let mut ahead = at + 1;
        while ahead < at + 4 && matches!(sheet.class(ahead), C::Comma | C::And | C::Cell | C::Tac) {
            ahead += 1;
        }
        let noun = (at + 1..ahead).any(|i| matches!(sheet.class(i), C::Cell | C::Tac));
        if noun || ahead == at + 1 && !matches!(sheet.class(ahead), C::Number) || !fits(sheet, ahead) {
            break;
        }
        if ahead == at + 1 {
            break;
        }
        at = ahead;
    }
    found
}

fn place_noun(sheet: &mut Sheet, at: usize) {
    let mark = if sheet.class(at) == C::Ns { Mark::Namespace } else { Mark::Cluster };
    let left = at.checked_sub(1).filter(|left| sheet.namelike(*left));
    let placed = left.is_some_and(|left| {
        let tie = sheet.before(left, &[C::The, C::A, C::Fill]);
        tie.is_some_and(|tie| {
            matches!(
                sheet.class(tie),
                C::In | C::At | C::On | C::Into | C::From | C::For | C::To | C::Of | C::Off
            )
        })
    });
    let right = sheet.skip(at + 1, TIES);
    let listed = matches!(
        sheet.class(right),
        C::Priority
            | C::Vague
            | C::Time
            | C::Unsupported
            | C::Hardware
            | C::Traffic
            | C::Notify
            | C::New
            | C::Alive
            | C::Status
    ) && sheet.items[right].whole
        && is_label(sheet.word(right))
        && !matches!(sheet.class(right + 1), C::Name | C::Quoted);
    let plain = sheet.free(right) && sheet.class(right) == C::Unknown && is_label(sheet.word(right));
    let function = sheet.free(right)
        && sheet.class(right) == C::Function
        && !at
            .checked_sub(1)
            .is_some_and(|left| matches!(sheet.class(left), C::Function | C::Name | C::Quoted | C::Unknown));
    let said = sheet.namelike(right) || plain || function || listed && !placed;
    let at_name = match (said && !placed, left) {
        (true, _) => right,
        (false, Some(left)) => {
            // "the edge-4 zug-3 cluster": two names, one noun.
            if left > 0 && sheet.namelike(left - 1) {
                return;
            }
            left
        }
        _ => return,
    };
    let first = at_name.min(at);
    sheet.mark(at_name, mark);
    sheet.items[at].used = true;
    tie(sheet, first, at_name);
}

/// Takes the preposition before `first` as the one that ties `name`.
fn tie(sheet: &mut Sheet, first: usize, name: usize) {
    let Some(prep) = sheet.before(first, &[C::The, C::A, C::Fill]) else {
        return;
    };
    if matches!(
        sheet.class(prep),
        C::In | C::At | C::On | C::Into | C::From | C::For | C::To | C::Of | C::Off | C::With | C::By
    ) && sheet.free(prep)
    {
        sheet.items[name].prep = sheet.class(prep);
        sheet.items[prep].used = true;
    }
}

fn slice_noun(sheet: &mut Sheet, at: usize) {
    let mut next = sheet.skip(at + 1, &[C::Colon, C::Eq, C::Called]);
    let called = next > at + 1 && sheet.class(next - 1) == C::Called;
    if matches!(sheet.word(next), "id" | "number" | "type") {
        sheet.items[next].used = true;
        next += 1;
    }
    match sheet.class(next) {
        C::Number if celllike(sheet, next) => sheet.mark(next, Mark::Sst),
        C::Name if sheet.free(next) && !sheet.is_ue(next) => sheet.mark(next, Mark::SliceName),
        C::Quoted => sheet.mark(next, Mark::SliceName),
        C::Unknown if called && is_label(sheet.word(next)) => sheet.mark(next, Mark::SliceName),
        _ => {
            // "the museum-tv slice"
            if at > 0 && sheet.class(at - 1) == C::Name && sheet.free(at - 1) && sheet.class(at + 1) != C::Sst
            {
                sheet.mark(at - 1, Mark::SliceName);
            }
            return;
        }
    }
    if called {
        sheet.items[next - 1].used = true;
    }
}

fn numbered(sheet: &mut Sheet, at: usize) {
    let over: &[C] = match sheet.class(at) {
        C::PriorityLevel => &[C::Colon, C::Eq, C::Of, C::To, C::Fill, C::Be],
        _ => &[C::Colon, C::Eq, C::Fill, C::The, C::Called],
    };
    let class = sheet.class(at);
    let value = sheet.items[at].value;
    if class == C::FiveQi && value > 0.0 {
        sheet.items[at].value = value - 1.0;
        sheet.mark(at, Mark::FiveQi);
        return;
    }
    let next = sheet.skip(at + 1, over);
    let whole = sheet.class(next) == C::Number
        && sheet.items[next].whole
        && sheet.items[next].kind == Kind::Bare
        && sheet.free(next);
    let mark = match class {
        C::Sst if whole => Mark::Sst,
        C::FiveQi if whole => Mark::FiveQi,
        C::PriorityLevel if whole => Mark::Level,
        C::Sd
            if sheet.free(next)
                && matches!(sheet.class(next), C::Number | C::Name | C::Unknown | C::Quoted) =>
        {
            Mark::Sd
        }
        C::Plmn => {
            plmn(sheet, at, next);
            return;
        }
        _ => return,
    };
    sheet.mark(next, mark);
    sheet.items[at].used = true;
    for between in at + 1..next {
        sheet.items[between].used = true;
    }
}

/// "001-01", "00101"; "mcc 001 mnc 01" is read word by word.
fn plmn(sheet: &mut Sheet, at: usize, next: usize) {
    let word = sheet.word(next);
    if matches!(word, "mcc" | "mnc") {
        sheet.items[at].used = true;
        return;
    }
    if word.is_empty() || !word.bytes().all(|b| b.is_ascii_digit()) {
        return;
    }
    if word.len() == 3 {
        let second = if sheet.class(next + 1) == C::To { next + 2 } else { next + 1 };
        let mnc = sheet.word(second);
        if (2..=3).contains(&mnc.len()) && mnc.bytes().all(|b| b.is_ascii_digit()) {
            sheet.mark(next, Mark::Mcc);
            sheet.mark(second, Mark::Mnc);
            sheet.items[at].used = true;
            sheet.items[second - 1].used = true;
        }
        return;
    }
    if (5..=6).contains(&word.len()) {
        // Both in one word: its first three digits, and the rest.
        sheet.mark(next, Mark::Mcc);
        sheet.items[at].used = true;
    }
}

fn version(sheet: &mut Sheet, at: usize) {
    if sheet.items[at].value != 0.0 {
        // "1.000.000 pods" is no version.
        if sheet.class(at + 1) == C::Pods {
            return;
        }
        sheet.mark(at, Mark::Version);
        tie(sheet, at, at);
        return;
    }
    let next = sheet.skip(at + 1, &[C::Colon, C::Eq, C::To, C::Be, C::Fill, C::Of]);
    // "release to 5" without a verb is no version.
    let verb = sheet
        .items
        .iter()
        .any(|item| matches!(item.class, C::Upgrade | C::Set | C::Deploy | C::Create | C::Launch));
    let to = sheet.items[at + 1..next].iter().any(|item| item.class == C::To);
    let free = sheet.free(next) && !(to && sheet.class(next) == C::Number && !verb);
    if free && (matches!(sheet.class(next), C::Version | C::Name) || sheet.class(next) == C::Number) {
        sheet.mark(next, Mark::Version);
        for between in at..next {
            sheet.items[between].used = true;
        }
        tie(sheet, at, next);
    }
}

fn labelled(sheet: &mut Sheet, at: usize) {
    let class = sheet.class(at);
    let mut next = sheet.skip(at + 1, &[C::Colon, C::Eq, C::The, C::Fill, C::As, C::Called]);
    if sheet.word(next) == "id" {
        sheet.items[next].used = true;
        next += 1;
    }
    let fits = sheet.namelike(next) && !sheet.is_ue(next)
        || class == C::Intent && sheet.free(next) && matches!(sheet.class(next), C::Number | C::Name)
        || class == C::Intent && sheet.free(next) && sheet.class(next) == C::Unknown;
    let mark = match class {
        C::Provider => Mark::Provider,
        C::Blueprint => Mark::Blueprint,
        C::Intent => Mark::Intent,
        _ => Mark::Called,
    };
    if fits {
        sheet.mark(next, mark);
        for between in at..next {
            sheet.items[between].used = true;
        }
        tie(sheet, at, next);
    } else if class == C::Blueprint && at > 0 && sheet.namelike(at - 1) {
        sheet.mark(at - 1, mark);
        sheet.items[at].used = true;
    } else if class == C::Called && sheet.class(next) == C::Function {
        sheet.items[at].used = true;
    }
}

/// A function word is a thing; a name is one too, unless it stands behind a
/// preposition of place.
fn thing_or_place(sheet: &mut Sheet, at: usize) {
    let class = sheet.class(at);
    let tie_at = sheet.before(at, &[C::The, C::A, C::Fill, C::New]);
    let prep = tie_at.map_or(C::Fill, |tie| sheet.class(tie));
    let ties = matches!(
        prep,
        C::In | C::At | C::On | C::Into | C::From | C::To | C::For | C::Of | C::Off | C::With | C::By
    );
    let free = tie_at.is_some_and(|tie| sheet.free(tie) && !sheet.items[tie].used);
    let plain = class == C::Unknown;
    let word = sheet.word(at);
    if plain {
        let article = tie_at.is_some_and(|tie| tie + 1 < at && sheet.class(at - 1) != C::Fill);
        let place = matches!(prep, C::In | C::At | C::On | C::Into | C::From)
            || prep == C::To
                && sheet
                    .items
                    .iter()
                    .any(|item| matches!(item.class, C::Deploy | C::Create | C::Launch | C::Add));
        if place && free && !article && table::PLAIN_PLACES.contains(&word) {
            sheet.items[at].prep = prep;
            sheet.mark(at, Mark::Place);
            if let Some(tie) = tie_at {
                sheet.items[tie].used = true;
            }
        } else if is_label(word) && plain_thing(sheet, at) {
            sheet.mark(at, Mark::Thing);
        }
        return;
    }
    if ties && free {
        sheet.items[at].prep = prep;
    }
    let place = class != C::Function && ties && free && matches!(prep, C::In | C::At | C::Into);
    sheet.mark(at, if place { Mark::Place } else { Mark::Thing });
    if ties
        && free
        && let Some(tie) = tie_at
    {
        sheet.items[tie].used = true;
    }
}

/// "scale redis to 3": where a name would stand, and the word is none of ours.
fn plain_thing(sheet: &Sheet, at: usize) -> bool {
    if sheet.items[at].value != 0.0 {
        return false;
    }
    let behind = sheet.before(at, &[C::The]);
    let verb = behind.is_some_and(|behind| {
        matches!(sheet.class(behind), C::Scale | C::Set | C::Grow | C::Shrink | C::Light)
    });
    let ahead = matches!(
        sheet.class(at + 1),
        C::To | C::In | C::At | C::On | C::By | C::Up | C::Down | C::Ns | C::Fill
    );
    let only = !sheet
        .items
        .iter()
        .any(|item| item.class == C::Function || item.mark == Mark::Thing || item.mark == Mark::Called);
    verb && ahead && only
}
