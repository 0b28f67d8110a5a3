//! ensure: the state to keep, and what may be scaled to keep it.

use nephoran_model::proposal::MAX_COUNT;
use serde_json::{Value, json};

use super::{Work, count, number, settings};
use crate::faithful::Miss;
use crate::faithful::marks::Mark;
use crate::faithful::quantities::{End, Qty, links, quantities};
use crate::frame::{Cmp, Kind};
use crate::vocabulary::C;

/// Whether the group speaks of a measured state.
pub(super) fn applies(work: &Work<'_>) -> bool {
    let metrics = work.group.all().any(|at| {
        let item = &work.sheet.items[at];
        item.mark == Mark::None && item.class == C::Metric && item.value != crate::words::metric::BANDWIDTH
    });
    let counts = work.any(&[C::Sessions, C::UeNoun, C::Pdu]);
    let bounded = work.any(&[C::Below, C::Above, C::AtLeast, C::Min]) && !work.says(C::Give)
        || work.says(C::Keep)
            && work.any(&[C::Below, C::Above, C::AtLeast, C::AtMost, C::Max, C::Min, C::Between]);
    metrics || work.any(&[C::Elastic, C::When]) || counts && bounded
}

pub(super) fn ensure(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    let trigger = work.says(C::When);
    super::scale::inward(work);
    let turned = work.inward.is_some();
    // "scale out and in"
    if turned && work.any(&[C::Grow, C::Add, C::Up, C::Out]) {
        return Err(work.unclear());
    }
    let mut found = quantities(work.sheet, work.group)?;
    let link = links(work.sheet, work.group, &mut found)?;
    let (metric, metric_at) = metric(work, &found)?;
    let counts = matches!(metric, Measured::Sessions | Measured::Ues);
    let latency = matches!(metric, Measured::Of(crate::words::metric::LATENCY));
    let mut state: Vec<Qty> = Vec::new();
    let mut bounds: Vec<Qty> = Vec::new();
    let mut hold: Option<Qty> = None;
    for qty in found {
        if qty.value < 0.0 || qty.more != 0 || qty.per_ue || qty.up_to {
            return Err(work.sheet.unclear(qty.at));
        }
        match qty.kind {
            Kind::Time(_) if !latency || qty.prep == C::For => {
                let longer = qty.cmp == Some(Cmp::AtLeast) && trigger;
                if hold.is_some() || qty.cmp.is_some() && !longer || qty.prep != C::For && !longer {
                    return Err(work.sheet.unclear(qty.at));
                }
                hold = Some(qty);
            }
            Kind::Pods => bounds.push(qty),
            Kind::Bare if !counts => bounds.push(qty),
            _ => state.push(qty),
        }
    }
    let by = bound(work, &bounds, trigger)?;
    condition(work, metric, metric_at, &state, trigger)?;
    if let Some(hold) = hold {
        work.time("/condition/for", &hold)?;
    }
    let direction = link.or_else(|| state.iter().find_map(|qty| qty.link));
    if state.iter().filter_map(|qty| qty.link).any(|link| Some(link) != direction) || direction == Some(2) {
        return Err(work.unclear());
    }
    if let Some(direction) = direction {
        let at: Vec<usize> =
            work.group.own.iter().copied().filter(|at| work.sheet.class(*at) == C::Link).collect();
        work.put("/condition/direction", if direction == 0 { "downlink" } else { "uplink" }, &at);
    } else if matches!(metric, Measured::Of(crate::words::metric::PRB)) {
        return Err(work.unclear());
    }
    statistic(work, &state)?;
    let scales = scale_direction(work, trigger)?;
    let elastic = work.any(&[C::Elastic, C::Scale]);
    if !scales && (trigger && work.says(C::Scale) || !by && elastic) {
        return Err(work.unclear());
    }
    let cells = work.marked(Mark::Cell);
    if cells.is_empty() {
        if work.says(C::Cell) {
            return Err(work.unclear());
        }
        work.target("/target")?;
        work.place("/target")?;
    } else {
        let placed = [Mark::Place, Mark::Namespace, Mark::Cluster, Mark::Thing, Mark::Called];
        if placed.iter().any(|mark| !work.marked(*mark).is_empty()) || by || scales {
            return Err(work.unclear());
        }
        work.cells(&cells);
    }
    let low = state.iter().all(|qty| matches!(qty.cmp, Some(Cmp::AtLeast | Cmp::Guaranteed)));
    if low {
        work.allow(&[C::Guarantee]);
    }
    work.allow(&[
        C::Keep,
        C::Scale,
        C::Grow,
        C::Shrink,
        C::Elastic,
        C::Run,
        C::Light,
        C::Set,
        C::Cell,
        C::Out,
        C::Up,
        C::Down,
        C::When,
        C::Let,
        C::Pron,
        C::On,
        C::For,
        C::With,
        C::Status,
        C::Sessions,
        C::UeNoun,
        C::Use,
        C::Between,
        C::Of,
        C::Traffic,
        C::Put,
        C::Give,
        C::Carry,
        C::Add,
        C::To,
        C::At,
        C::Must,
        C::Pdu,
    ]);
    Ok("ensure")
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Measured {
    Of(f64),
    Sessions,
    Ues,
}

fn metric(work: &mut Work<'_>, found: &[Qty]) -> Result<(Measured, Vec<usize>), Miss> {
    let metrics: Vec<usize> = work
        .group
        .all()
        .filter(|at| work.sheet.items[*at].mark == Mark::None && work.sheet.class(*at) == C::Metric)
        .collect();
    for at in &metrics {
        work.sheet.items[*at].used = true;
    }
    if let Some(first) = metrics.first() {
        let value = work.sheet.items[*first].value;
        if metrics.iter().any(|at| work.sheet.items[*at].value != value) {
            return Err(work.sheet.unclear(metrics[1]));
        }
        return Ok((Measured::Of(value), metrics));
    }
    let mut nouns: Vec<(usize, Measured)> = Vec::new();
    for at in work.group.all() {
        let item = &work.sheet.items[at];
        if item.mark != Mark::None {
            continue;
        }
        match item.class {
            C::Sessions | C::Pdu => nouns.push((at, Measured::Sessions)),
            C::UeNoun => nouns.push((at, Measured::Ues)),
            _ => {}
        }
    }
    let kinds = found.iter().any(|qty| matches!(qty.kind, Kind::Subscribers));
    match nouns.first() {
        Some((_, first)) if !kinds && nouns.iter().all(|(_, other)| other == first) => {
            Ok((*first, nouns.iter().map(|(at, _)| *at).collect()))
        }
        _ => Err(work.unclear()),
    }
}

fn condition(
    work: &mut Work<'_>,
    metric: Measured,
    metric_at: Vec<usize>,
    state: &[Qty],
    trigger: bool,
) -> Result<(), Miss> {
    let unit = |work: &Work<'_>, qty: &Qty| -> Result<(&'static str, Value), Miss> {
        match (metric, qty.kind) {
            (Measured::Sessions, Kind::Sessions | Kind::Pdu | Kind::Bare) => Ok(("sessions", json!("count"))),
            (Measured::Ues, Kind::Ues | Kind::Bare) => Ok(("ues", json!("count"))),
            (Measured::Of(value), kind) => {
                settings::metric_unit(value, kind).ok_or_else(|| work.sheet.unclear(qty.at))
            }
            _ => Err(work.sheet.unclear(qty.at)),
        }
    };
    let percent = matches!(metric, Measured::Of(m) if !matches!(
        m,
        crate::words::metric::LATENCY | crate::words::metric::THROUGHPUT | crate::words::metric::ENERGY
    ));
    for qty in state {
        let whole = matches!(metric, Measured::Sessions | Measured::Ues);
        if percent && qty.value > 100.0 || whole && count(qty).is_none() {
            return Err(work.sheet.unclear(qty.at));
        }
    }
    match state {
        [one] => {
            if matches!(one.prep, C::By | C::From) || one.end != End::None {
                return Err(work.sheet.unclear(one.at));
            }
            let most = max_metric(work);
            let cmp = one.cmp.or(most.map(|_| Cmp::AtMost)).ok_or_else(|| work.sheet.unclear(one.at))?;
            if one.cmp.is_none()
                && let Some(at) = most
            {
                work.sheet.items[at].used = true;
            }
            // A trigger is stored as the state it would leave.
            let is = match (cmp, trigger) {
                (Cmp::Below, false) | (Cmp::AtLeast | Cmp::Guaranteed, true) => "less_than",
                (Cmp::AtMost, false) | (Cmp::Above, true) => "at_most",
                (Cmp::Above, false) | (Cmp::AtMost, true) => "greater_than",
                (Cmp::AtLeast | Cmp::Guaranteed, false) | (Cmp::Below, true) => "at_least",
            };
            // "reaches 80 %" is what sets something off, not what is asked for.
            let reached = work.group.own.iter().copied().find(|at| {
                let item = &work.sheet.items[*at];
                item.mark == Mark::None && matches!(item.class, C::AtLeast | C::AtMost) && item.value == 1.0
            });
            // "scale out when cpu is below 20 %" makes it worse.
            let grows = work.any(&[C::Grow, C::Add, C::Up, C::Out]);
            let shrinks = work.any(&[C::Shrink, C::Down]) || work.inward.is_some();
            let falls = matches!(cmp, Cmp::Below | Cmp::AtMost);
            if trigger && grows != shrinks && grows == falls && !work.says(C::Metric) {
                return Err(work.sheet.unclear(one.at));
            }
            if let (Some(at), false) = (reached, trigger) {
                return Err(work.sheet.unclear(at));
            }
            let (name, unit) = unit(work, one)?;
            work.put("/condition/metric", name, &metric_at);
            let mut words = work.bound_words(one);
            words.extend(most.filter(|_| one.cmp.is_none()));
            work.put("/condition/is", is, &words);
            work.put("/condition/value", number(one.value), &[one.at]);
            work.put("/condition/unit", unit, &[one.at]);
            Ok(())
        }
        [low, high] if !trigger => {
            let (from, to) = match ((low.end, high.end), (low.prep, high.prep), (low.cmp, high.cmp)) {
                ((End::Low, End::High), ..) | (_, (C::From, C::To), (None, None)) => (low, high),
                (_, _, (Some(Cmp::AtLeast), Some(Cmp::AtMost))) => (low, high),
                (_, _, (Some(Cmp::AtMost), Some(Cmp::AtLeast))) => (high, low),
                _ => return Err(work.sheet.unclear(high.at)),
            };
            let (name, shown) = unit(work, to)?;
            if from.value > to.value || unit(work, from)?.1 != shown {
                return Err(work.sheet.unclear(from.at));
            }
            let (from, to) = (*from, *to);
            let mut words = work.bound_words(&from);
            words.extend(work.bound_words(&to));
            work.put("/condition/metric", name, &metric_at);
            work.put("/condition/is", "within", &words);
            work.put("/condition/from", number(from.value), &[from.at]);
            work.put("/condition/to", number(to.value), &[to.at]);
            work.put("/condition/unit", shown, &[to.at]);
            Ok(())
        }
        _ => Err(work.unclear()),
    }
}

/// "max cpu": a bound, or a statistic when another bound follows.
fn max_metric(work: &Work<'_>) -> Option<usize> {
    work.group.own.iter().copied().find(|at| {
        let item = &work.sheet.items[*at];
        item.mark == Mark::None
            && item.class == C::Max
            && !item.used
            && work.sheet.class(work.sheet.skip(at + 1, &[C::Of, C::The, C::Fill, C::Colon, C::Link]))
                == C::Metric
    })
}

fn statistic(work: &mut Work<'_>, state: &[Qty]) -> Result<(), Miss> {
    let mut said: Vec<(usize, &str)> = Vec::new();
    for at in work.group.own.iter().copied() {
        let item = &work.sheet.items[at];
        if item.mark == Mark::None && item.class == C::Statistic {
            said.push((at, ["mean", "max", "p95"][(item.value as usize).min(2)]));
        }
    }
    if let Some(at) = max_metric(work)
        && state.iter().all(|qty| qty.cmp.is_some())
    {
        said.push((at, "max"));
    }
    match said.as_slice() {
        [] => Ok(()),
        [(at, name)] => {
            work.sheet.items[*at].used = true;
            work.put("/condition/statistic", *name, &[*at]);
            Ok(())
        }
        [(at, _), ..] => Err(work.sheet.unclear(*at)),
    }
}

/// The least, the most and the step of an automatic scale.
fn bound(work: &mut Work<'_>, bounds: &[Qty], trigger: bool) -> Result<bool, Miss> {
    let pair = bounds.iter().any(|q| q.prep == C::From) && bounds.iter().any(|q| q.prep == C::To);
    for qty in bounds {
        let Some(n) = count(qty).filter(|n| *n <= u64::from(MAX_COUNT)) else {
            return Err(work.sheet.unclear(qty.at));
        };
        let stepped = work.any(&[C::Scale, C::Grow, C::Shrink, C::Elastic, C::Add]);
        let field = match (qty.cmp, qty.end, qty.prep) {
            (Some(Cmp::AtMost), End::None, _) | (None, End::High, _) => "max",
            (Some(Cmp::AtLeast), End::None, _) | (None, End::Low, _) => "min",
            (None, End::None, C::From) if pair => "min",
            (None, End::None, C::To) if pair => "max",
            (None, End::None, C::Fill) if trigger && work.says(C::Add) => "step",
            (None, End::None, C::By) if stepped => "step",
            _ => return Err(work.sheet.unclear(qty.at)),
        };
        work.put(&format!("/by/scale/{field}"), n, &[qty.at]);
    }
    Ok(!bounds.is_empty())
}

fn scale_direction(work: &mut Work<'_>, trigger: bool) -> Result<bool, Miss> {
    let of = |work: &Work<'_>, classes: &[C]| -> Vec<usize> {
        work.group
            .all()
            .filter(|at| {
                let item = &work.sheet.items[*at];
                item.mark == Mark::None && classes.contains(&item.class)
            })
            .collect()
    };
    let out = of(work, &[C::Grow, C::Add, C::Up, C::Out]);
    let mut inward = of(work, &[C::Shrink, C::Down]);
    inward.extend(work.inward);
    let both = work.any(&[C::Scale, C::Elastic]);
    let (name, at) = match (out.is_empty(), inward.is_empty()) {
        (true, true) => return Ok(false),
        (false, true) if trigger => ("out", out),
        (true, false) if trigger => ("in", inward),
        (false, false) if both => ("both", out.into_iter().chain(inward).collect()),
        _ => return Err(work.unclear()),
    };
    work.put("/by/scale/direction", name, &at);
    Ok(true)
}

impl Work<'_> {
    /// The bound of a number, or the number when the bound has no word of its own.
    fn bound_words(&self, qty: &Qty) -> Vec<usize> {
        const BOUNDS: &[C] = &[
            C::AtMost,
            C::AtLeast,
            C::Below,
            C::Above,
            C::Over,
            C::Max,
            C::Min,
            C::Between,
            C::Guarantee,
            C::Limit,
            C::From,
            C::To,
            C::And,
        ];
        let before = (0..qty.at).rev().take(10).find(|at| {
            let item = &self.sheet.items[*at];
            item.group == self.sheet.items[qty.at].group
                && item.mark == Mark::None
                && BOUNDS.contains(&item.class)
                && item.class != C::And
        });
        let behind = (qty.at + 1..self.sheet.items.len()).take(4).find(|at| {
            let item = &self.sheet.items[*at];
            item.mark == Mark::None && BOUNDS[..7].contains(&item.class)
        });
        before.into_iter().chain(behind).collect()
    }

    pub(super) fn cells(&mut self, cells: &[usize]) {
        self.members("cells", cells);
    }

    /// Members of a set, each known by its value.
    pub(super) fn members(&mut self, field: &str, items: &[usize]) {
        for at in items {
            let item = self.sheet.items[*at];
            let word = self.word(*at);
            if item.class == C::Number && word.contains(',') {
                // "610,611" looks like one number.
                for part in word.split(',') {
                    self.put(&format!("/{field}/={part}"), part, &[*at]);
                }
            } else {
                self.put(&format!("/{field}/={word}"), word, &[*at]);
            }
        }
    }
}
