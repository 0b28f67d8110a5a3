//! scale: what each number means, by what stands beside it and by the verb.

use nephoran_model::proposal::MAX_COUNT;
use serde_json::json;

use super::{Work, count, number};
use crate::faithful::Miss;
use crate::faithful::marks::Mark;
use crate::faithful::quantities::{End, Qty, quantities};
use crate::frame::{Cmp, Kind};
use crate::vocabulary::C;

pub(super) fn scale(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    inward(work);
    if work.says(C::Cond) {
        return Err(work.unclear());
    }
    work.target("/target")?;
    work.place("/target")?;
    let mut found = quantities(work.sheet, work.group)?;
    let grows = work.any(&[C::Grow, C::Add, C::Up, C::Out]) || work.says(C::More) && found.is_empty();
    let shrinks = work.any(&[C::Shrink, C::Remove, C::Retire, C::Down, C::In]);
    if grows && shrinks {
        return Err(work.unclear());
    }
    let off = work.group.all().any(|at| {
        let item = &work.sheet.items[at];
        matches!(item.mark, Mark::Thing | Mark::Place)
            && (item.prep == C::Off || item.prep == C::From && work.any(&[C::Light, C::Shrink]))
    }) || work.says(C::Off);
    let dirs: Vec<usize> = work
        .group
        .all()
        .filter(|at| {
            let item = &work.sheet.items[*at];
            item.mark == Mark::None
                && matches!(
                    item.class,
                    C::Grow | C::Add | C::Up | C::Out | C::Shrink | C::Remove | C::Retire | C::Down
                )
                || work.inward == Some(*at)
        })
        .collect();
    let direction = if grows {
        Some("out")
    } else if shrinks {
        Some("in")
    } else {
        None
    };
    let mut ways = 0;
    let mut to: Option<(Qty, bool)> = None;
    let mut factors: Vec<(f64, usize)> = Vec::new();
    let halves: Vec<usize> = work
        .group
        .all()
        .filter(|at| {
            work.sheet.items[*at].mark == Mark::None && matches!(work.sheet.class(*at), C::Factor | C::Half)
        })
        .collect();
    for at in halves {
        let half = work.sheet.class(at) == C::Half;
        factors.push((if half { 0.5 } else { work.sheet.items[at].value }, at));
        work.sheet.items[at].used = true;
        // "cut by half", "to half"
        if let Some(before) = at.checked_sub(1)
            && matches!(work.sheet.class(before), C::By | C::To | C::In)
        {
            work.sheet.items[before].used = true;
        }
    }
    let adds = work.says(C::Add);
    // Which pods, when no number stands beside them?
    let loose = work.group.own.iter().any(|at| {
        work.sheet.items[*at].mark == Mark::None
            && work.sheet.class(*at) == C::Pods
            && !work.sheet.before(*at, &[C::New, C::More, C::Fewer, C::Fill, C::The]).is_some_and(|before| {
                matches!(work.sheet.class(before), C::Number | C::Function | C::Name | C::Quoted)
            })
    });
    let first_verb = work.group.own.iter().copied().find(|at| {
        work.sheet.items[*at].mark == Mark::None && crate::frame::VERBS.has(work.sheet.class(*at))
    });
    let removes = work.any(&[C::Remove, C::Retire]) || off;
    let offered = work.group.own.iter().copied().find(|at| {
        let word = work.sheet.word(*at);
        work.sheet.class(*at) == C::Give
            && ["allow", "offer", "deserve", "lend"].iter().any(|stem| word.starts_with(stem))
    });
    if let Some(at) = offered {
        return Err(work.sheet.unclear(at));
    }
    let limited = work.says(C::Limit);
    // The verb of a bound is no bound of its own number here.
    for qty in &mut found {
        if qty.value == 0.0 && (adds || removes || qty.prep == C::By || qty.more != 0) {
            return Err(work.sheet.unclear(qty.at));
        }
        if limited && (qty.cmp != Some(Cmp::AtMost) || qty.prep == C::To) {
            return Err(work.sheet.unclear(qty.at));
        }
        match qty.kind {
            Kind::Bare | Kind::Pods => {}
            Kind::Percent => {
                if qty.prep == C::To || qty.cmp.is_some() || qty.end != End::None || adds || removes {
                    return Err(work.sheet.unclear(qty.at));
                }
                let sign = match (qty.more, grows, shrinks) {
                    (1, _, false) | (0, true, false) => 1.0,
                    (-1, false, _) | (0, false, true) => -1.0,
                    _ => return Err(work.sheet.unclear(qty.at)),
                };
                let factor = (100.0 + sign * qty.value) / 100.0;
                if factor <= 0.0 || qty.value < 0.0 {
                    return Err(work.sheet.unclear(qty.at));
                }
                ways += 1;
                work.put("/replicas/factor", number(factor), &[qty.at]);
                continue;
            }
            Kind::Times => {
                if qty.up_to || qty.cmp.is_some() || qty.prep == C::To && !grows && !shrinks {
                    return Err(work.sheet.unclear(qty.at));
                }
                factors.push((qty.value, qty.at));
                continue;
            }
            _ => return Err(work.sheet.unclear(qty.at)),
        }
        let Some(n) = count(qty).filter(|n| *n <= u64::from(MAX_COUNT)) else {
            return Err(work.sheet.unclear(qty.at));
        };
        let at = [qty.at];
        match (qty.cmp, qty.prep, qty.end) {
            _ if qty.up_to => return Err(work.sheet.unclear(qty.at)),
            (Some(Cmp::AtMost), C::Fill | C::With | C::At | C::Of | C::To, End::None)
                if qty.prep != C::To =>
            {
                work.put("/replicas/max", n, &at);
            }
            (Some(Cmp::AtLeast), C::Fill | C::With | C::At | C::Of, End::None) => {
                work.put("/replicas/min", n, &at);
            }
            (Some(_), ..) => return Err(work.sheet.unclear(qty.at)),
            // "change smf: 3 to 7 pods"
            (None, _, End::Low) if qty.prep == C::Fill && !adds && !removes => {
                work.put("/replicas/from", n, &at);
            }
            (None, _, End::High) if qty.prep == C::To && !adds && !removes => {
                ways += 1;
                to = Some((*qty, true));
            }
            (None, C::From, End::None) => work.put("/replicas/from", n, &at),
            (None, C::To, End::None) if qty.more == 0 => {
                if adds || removes {
                    return Err(work.sheet.unclear(qty.at));
                }
                ways += 1;
                to = Some((*qty, true));
            }
            (None, C::By | C::Fill | C::With, End::None) if qty.more != 0 => {
                if qty.more > 0 && shrinks || qty.more < 0 && grows {
                    return Err(work.sheet.unclear(qty.at));
                }
                ways += 1;
                work.put("/replicas/by", i64::try_from(n).unwrap_or(0) * i64::from(qty.more), &at);
            }
            (None, C::By, End::None) => {
                let Some(direction) = direction else {
                    return Err(work.sheet.unclear(qty.at));
                };
                let n = i64::try_from(n).unwrap_or(0);
                ways += 1;
                work.put("/replicas/by", if direction == "out" { n } else { -n }, &at);
            }
            (None, C::Fill | C::At | C::On | C::With | C::Of, End::None) if qty.more == 0 => {
                ways += 1;
                if adds && (removes || off) {
                    return Err(work.sheet.unclear(qty.at));
                }
                // "seven retire amf-old": the count stands behind its verb, or before its noun.
                let before_noun = qty.kind == Kind::Pods
                    || matches!(work.sheet.class(qty.at + 1), C::Function | C::Name | C::Quoted | C::New);
                let behind = first_verb.is_none_or(|verb| verb < qty.at);
                if (adds || removes) && (loose || !behind && !before_noun) {
                    return Err(work.sheet.unclear(qty.at));
                }
                let n = i64::try_from(n).unwrap_or(0);
                if adds {
                    work.put("/replicas/by", n, &at);
                } else if removes {
                    work.put("/replicas/by", -n, &at);
                } else {
                    bare(work, qty, grows || shrinks)?;
                    to = Some((*qty, false));
                }
            }
            _ => return Err(work.sheet.unclear(qty.at)),
        }
    }
    if let [(factor, at)] = factors.as_slice() {
        // "reduce by a factor of 2" divides; "shrink by half" is half.
        let divides = shrinks && *factor > 1.0;
        if *factor <= 0.0
            || adds
            || removes
            || divides && factor.log2().fract() != 0.0
            || grows && *factor < 1.0
            || *factor < 1.0 && work.says(C::Set)
        {
            return Err(work.sheet.unclear(*at));
        }
        ways += 1;
        work.put("/replicas/factor", number(if divides { 1.0 / factor } else { *factor }), &[*at]);
    } else if !factors.is_empty() {
        return Err(work.unclear());
    }
    if ways != 1 || work.any(&[C::Few, C::About]) {
        return Err(work.unclear());
    }
    if let Some((qty, _)) = to {
        work.put("/replicas/to", qty.value as i64, &[qty.at]);
        if let (Some(direction), false) = (direction, dirs.is_empty()) {
            work.put("/replicas/direction", json!(direction), &dirs);
        }
    }
    contradiction(work, direction)?;
    let other = [C::Scale, C::Light, C::Set, C::Put, C::Grow, C::Shrink, C::Add, C::Give];
    let bounded = work.facts.iter().any(|(path, ..)| path.ends_with("/min") || path.ends_with("/max"));
    if work.says(C::Keep) && (work.any(&other) && !bounded || to.is_some_and(|(_, said)| said)) {
        return Err(work.unclear());
    }
    if work.says(C::Scale) && work.any(&[C::Add, C::Remove, C::Retire]) {
        return Err(work.unclear());
    }
    work.allow(&[
        C::Scale,
        C::Light,
        C::Set,
        C::Put,
        C::Run,
        C::Keep,
        C::Give,
        C::Use,
        C::Grow,
        C::Shrink,
        C::Add,
        C::Remove,
        C::Retire,
        C::Pron,
        C::Out,
        C::Up,
        C::Down,
        C::Must,
    ]);
    if work.says(C::More) {
        work.allow(&[C::Launch]);
    }
    work.ties();
    Ok("scale")
}

/// Numbers that cannot all be true.
fn contradiction(work: &Work<'_>, direction: Option<&str>) -> Result<(), Miss> {
    let value = |field: &str| {
        let path = format!("/replicas/{field}");
        work.facts.iter().find(|(other, ..)| *other == path).and_then(|(_, value, _)| value.as_i64())
    };
    let (to, from, min, max) = (value("to"), value("from"), value("min"), value("max"));
    let over =
        |low: Option<i64>, high: Option<i64>| matches!((low, high), (Some(low), Some(high)) if low > high);
    let wrong = over(min, max)
        || over(to, max)
        || over(min, to)
        || direction == Some("out") && over(from, to)
        || direction == Some("in") && over(to, from)
        || value("by").is_some_and(|by| from.is_some_and(|from| from + by < 0));
    if wrong { Err(work.unclear()) } else { Ok(()) }
}

/// A number without "to" or "by" is a size only where the verb says so.
fn bare(work: &Work<'_>, qty: &Qty, resized: bool) -> Result<(), Miss> {
    let before_thing = work
        .group
        .own
        .iter()
        .any(|at| *at > qty.at && matches!(work.sheet.items[*at].mark, Mark::Thing | Mark::Called));
    let tied = matches!(qty.prep, C::At | C::On);
    // "scale upf 5": to five, or by five?
    let equals = qty.at > 0 && matches!(work.sheet.class(qty.at - 1), C::Eq | C::Colon);
    if !qty.answer && !equals && work.says(C::Scale) && qty.prep == C::Fill && qty.kind == Kind::Bare {
        return Err(work.sheet.unclear(qty.at));
    }
    let loose = qty.prep == C::Fill && qty.kind == Kind::Bare;
    if !qty.answer
        && ((resized || work.says(C::Scale)) && before_thing
            || resized && !tied
            || work.says(C::Keep) && loose)
    {
        return Err(work.sheet.unclear(qty.at));
    }
    Ok(())
}

/// "scale in amf by 1", "scale the amf in by 2": not where, but which way.
pub(super) fn inward(work: &mut Work<'_>) {
    work.seen.drop(C::In);
    for at in work.group.all().collect::<Vec<_>>() {
        if work.sheet.class(at) != C::In {
            continue;
        }
        let behind = at.checked_sub(1).is_some_and(|before| {
            work.sheet.class(before) == C::Scale && work.sheet.items[before].mark == Mark::None
        });
        let next = work.sheet.skip(at + 1, &[C::The, C::A, C::Fill]);
        let of_thing = work.sheet.items.get(next).is_some_and(|item| {
            item.prep == C::In
                && (item.class == C::Function
                    || item.mark == Mark::Place && item.class == C::Name && !others(work, next))
        });
        // "scale in ran-a and smf to 3": a place, or a name?
        let parted = behind
            && work.sheet.items.get(next).is_some_and(|item| item.mark == Mark::Place)
            && matches!(work.sheet.class(next + 1), C::And | C::Comma);
        let idle = behind && !of_thing && work.sheet.free(at) && !work.sheet.items[at].used;
        if parted || idle && !matches!(work.sheet.class(at + 1), C::By | C::To) {
            work.seen.add(C::Cond);
        }
        let before_number =
            work.says(C::Scale) && matches!(work.sheet.class(at + 1), C::By | C::To) && work.sheet.free(at);
        if behind && of_thing {
            work.sheet.items[next].prep = C::Fill;
            work.sheet.items[next].mark = Mark::Thing;
        }
        if behind && of_thing || before_number {
            work.seen.add(C::In);
            work.sheet.items[at].mark = Mark::None;
            work.sheet.items[at].used = true;
            work.inward = Some(at);
        }
    }
}

fn others(work: &Work<'_>, at: usize) -> bool {
    work.group
        .own
        .iter()
        .any(|other| *other != at && matches!(work.sheet.items[*other].mark, Mark::Thing | Mark::Called))
}
