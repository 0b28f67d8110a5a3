//! retire and report: a target and nothing else.

use serde_json::json;

use super::Work;
use crate::faithful::Miss;
use crate::faithful::marks::{Mark, is_whole};
use crate::vocabulary::C;

pub(super) fn retire(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    work.target("/target")?;
    work.place("/target")?;
    let out = work.group.all().any(|at| work.sheet.items[at].mark == Mark::Quantity);
    if out || work.any(&[C::Pods, C::Add, C::Scale, C::Deploy, C::Create, C::Launch]) {
        return Err(work.unclear());
    }
    work.allow(&[C::Retire, C::Remove, C::Light, C::Pron, C::Out, C::Off, C::Must, C::To]);
    Ok("retire")
}

pub(super) fn report(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let about = [C::Show, C::HowMany, C::Status, C::Alive, C::Question, C::Do, C::Be, C::Run, C::There];
    if work.group.all().any(|at| work.sheet.items[at].mark == Mark::Quantity)
        || work.any(&[C::Should, C::Must, C::Let, C::Create, C::Factor, C::Half])
        || work.says(C::HowMany) && work.says(C::Want)
    {
        return Err(work.unclear());
    }
    let allowed = [
        C::Show,
        C::HowMany,
        C::Status,
        C::Alive,
        C::Question,
        C::Run,
        C::Do,
        C::Pron,
        C::That,
        C::On,
        C::For,
        C::Give,
        C::Light,
        C::Can,
        C::Carry,
        C::There,
        C::To,
    ];
    let whole: Vec<usize> = work
        .group
        .own
        .iter()
        .copied()
        .filter(|at| is_whole(&work.sheet.items[*at]) || work.sheet.class(*at) == C::Inventory)
        .collect();
    if !whole.is_empty() && work.marked(Mark::Thing).is_empty() {
        if !(work.any(&about) || work.says(C::Give) && work.says(C::You))
            && work.sheet.items.iter().any(|i| i.mark == Mark::None && crate::frame::VERBS.has(i.class))
        {
            return Err(work.unclear());
        }
        for mark in [Mark::Place, Mark::Namespace, Mark::Cluster] {
            if !work.marked(mark).is_empty() {
                return Err(work.unclear());
            }
        }
        for at in &whole {
            work.sheet.items[*at].used = true;
        }
        work.put("/all", json!(true), &whole);
        work.allow(&allowed);
        return Ok("report");
    }
    if work.says(C::Give) && !work.any(&[C::Status, C::Show, C::Pods]) {
        return Err(work.unclear());
    }
    work.target("/target")?;
    work.place("/target")?;
    work.allow(&allowed);
    // "all upf pods": what is reported is whatever is there.
    work.ties();
    for at in work.group.own.clone() {
        let next = work.sheet.skip(at + 1, &[C::The, C::Of]);
        let thing = matches!(work.sheet.class(next), C::Function | C::Name | C::Quoted | C::Pods | C::Noun);
        if work.sheet.class(at) == C::All && thing {
            work.sheet.items[at].used = true;
        }
    }
    Ok("report")
}
