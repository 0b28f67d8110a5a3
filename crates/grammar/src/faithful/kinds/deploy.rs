//! deploy and upgrade: what is new, and what gets newer.

use nephoran_model::proposal::MAX_COUNT;

use super::{Work, count, settings};
use crate::faithful::Miss;
use crate::faithful::marks::{Mark, is_label};
use crate::faithful::quantities::{End, links, quantities};
use crate::frame::Kind;
use crate::vocabulary::{C, function_of};

pub(super) fn deploy(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let mut found = quantities(work.sheet, work.group)?;
    let link = links(work.sheet, work.group, &mut found)?;
    let mut function = None;
    let mut names = Vec::new();
    for at in work.marked(Mark::Thing) {
        let item = work.sheet.items[at];
        if item.class == C::Function {
            if function.is_some() || matches!(item.prep, C::In | C::At | C::Into | C::From | C::To | C::By) {
                return Err(work.sheet.unclear(at));
            }
            function = Some(at);
        } else if matches!(item.prep, C::Fill | C::Of) {
            names.push(at);
        } else if matches!(item.prep, C::In | C::At | C::On | C::Into | C::To) {
            work.sheet.items[at].mark = Mark::Place;
        } else {
            return Err(work.sheet.unclear(at));
        }
    }
    work.place("")?;
    let called = work.one(Mark::Called)?;
    let blueprint = work.one(Mark::Blueprint)?;
    for at in names.iter().copied().chain(called).chain(blueprint) {
        if !is_label(&work.word(at).to_ascii_lowercase()) {
            return Err(work.sheet.unclear(at));
        }
    }
    if let Some(at) = function {
        let (said, _) = function_of(work.sheet.items[at].value);
        work.put("/function", said.as_str(), &[at]);
    }
    if let Some(at) = called {
        let word = work.word(at).to_ascii_lowercase();
        work.put("/name", word, &[at]);
    }
    if let Some(at) = blueprint {
        let word = work.word(at).to_ascii_lowercase();
        work.put("/blueprint", word, &[at]);
    }
    match (names.as_slice(), function.is_some() || blueprint.is_some(), called) {
        ([], ..) => {}
        ([at], true, None) => {
            let word = work.word(*at).to_ascii_lowercase();
            work.put("/name", word, &[*at]);
        }
        ([at], false, _) => {
            let word = work.word(*at).to_ascii_lowercase();
            work.put("/blueprint", word, &[*at]);
        }
        ([at, ..], ..) => return Err(work.sheet.unclear(*at)),
    }
    if function.is_none() && blueprint.is_none() && names.is_empty() {
        return Err(work.unclear());
    }
    for (mark, path) in [(Mark::Provider, "/provider"), (Mark::Version, "/version")] {
        if let Some(at) = work.one(mark)? {
            let word = work.word(at);
            work.put(path, word, &[at]);
            // "roll out version v2 of smf": new, or newer?
            if mark == Mark::Version && function.is_some_and(|function| at < function) {
                return Err(work.sheet.unclear(at));
            }
        }
    }
    let mut counted = false;
    let mut capacity = false;
    for qty in &found {
        if !matches!(qty.kind, Kind::Bare | Kind::Pods) {
            settings::capacity_of(work, qty, link, "/capacity")?;
            capacity = true;
            continue;
        }
        // "deploy nssf 2": two of them, or the second?
        let noun = qty.kind == Kind::Pods
            || qty.prep != C::Fill
            || function.is_none_or(|function| qty.at < function);
        let plain = qty.more == 0
            && noun
            && qty.cmp.is_none()
            && qty.end == End::None
            && matches!(qty.prep, C::Fill | C::With | C::At | C::Of | C::On);
        let Some(n) = count(qty).filter(|n| plain && *n <= u64::from(MAX_COUNT)) else {
            return Err(work.sheet.unclear(qty.at));
        };
        counted = true;
        work.put("/replicas", n, &[qty.at]);
    }
    if link.is_some() && !capacity {
        return Err(work.unclear());
    }
    let article = function.is_some_and(|at| at > 0 && work.sheet.class(at - 1) == C::A);
    let instance = work.says(C::Pods) || article;
    let fresh = work.says(C::New);
    let launched = work.says(C::Launch) && !work.any(&[C::Deploy, C::Create]);
    // Start and launch without a count or "an instance of" are no deployment.
    if work.says(C::Launch) && !counted && capacity && !instance && !fresh
        || launched && !counted && !instance && !fresh
        || work.any(&[C::Shrink, C::Remove, C::Retire, C::Scale, C::Factor, C::Half])
    {
        return Err(work.unclear());
    }
    if work.loose(C::Down) || work.loose(C::Out) {
        return Err(work.unclear());
    }
    work.allow(&[
        C::Deploy,
        C::Create,
        C::Launch,
        C::Put,
        C::Set,
        C::Light,
        C::Give,
        C::Run,
        C::New,
        C::Carry,
        C::Sessions,
        C::Subscribers,
        C::Blueprint,
        C::Pron,
        C::Up,
        C::Grow,
        C::Into,
        C::Add,
        C::Must,
        C::Pdu,
    ]);
    if capacity {
        work.allow(&[C::Capacity, C::Traffic]);
    }
    work.ties();
    Ok("deploy")
}

pub(super) fn upgrade(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    work.target("/target")?;
    work.place("/target")?;
    let found = quantities(work.sheet, work.group)?;
    let mut version = work.marked(Mark::Version);
    for qty in &found {
        // "upgrade smf to 1.5" says a version without its "v".
        if version.is_empty()
            && qty.prep == C::To
            && qty.kind == Kind::Bare
            && qty.cmp.is_none()
            && qty.more == 0
            && qty.end == End::None
            && work.says(C::Upgrade)
        {
            version.push(qty.at);
        } else {
            return Err(work.sheet.unclear(qty.at));
        }
    }
    let [at] = version.as_slice() else {
        return Err(work.unclear());
    };
    if work.says(C::Scale) || work.any(&[C::Shrink, C::Remove, C::Retire, C::Add, C::Down]) {
        return Err(work.unclear());
    }
    let word = work.word(*at);
    work.put("/version", word, &[*at]);
    work.allow(&[
        C::Upgrade,
        C::Set,
        C::Light,
        C::Put,
        C::Run,
        C::Version,
        C::Pron,
        C::Grow,
        C::Use,
        C::Up,
        C::To,
        C::Must,
    ]);
    work.ties();
    Ok("upgrade")
}

pub(super) fn rollback(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let intent = work.one(Mark::Intent)?;
    let undone = work.group.own.iter().filter(|at| work.sheet.class(**at) == C::Undo).count();
    if undone != 1 && !(undone == 0 && work.says(C::Undo))
        || work.any(&[C::Scale, C::Grow, C::Shrink, C::Add, C::Remove, C::Retire, C::Deploy, C::Create])
        || work.group.all().any(|at| work.sheet.items[at].mark == Mark::Quantity)
    {
        return Err(work.unclear());
    }
    if let Some(at) = intent {
        if !work.marked(Mark::Thing).is_empty() {
            return Err(work.sheet.unclear(at));
        }
        let word = work.word(at);
        work.put("/intent", word, &[at]);
    } else {
        if work.says(C::Intent) {
            return Err(work.unclear());
        }
        work.target("/target")?;
        work.place("/target")?;
    }
    work.allow(&[
        C::Undo,
        C::Change,
        C::Latest,
        C::Pron,
        C::Set,
        C::Light,
        C::Intent,
        C::On,
        C::For,
        C::To,
        C::That,
        C::Do,
        C::Back,
        C::Of,
        C::Must,
    ]);
    Ok("rollback")
}
