//! What a group forces: the action by its verbs and nouns, and each field of it
//! by the words that stand for it.

mod deploy;
mod ensure;
mod mood;
mod scale;
mod settings;
mod simple;
mod target;
mod traffic;

use serde_json::{Value, json};

use super::groups::Group;
use super::marks::{Mark, Sheet};
use super::quantities::Qty;
use super::{Fact, Miss, Said, Why};
use crate::frame::{Kind, Seen};
use crate::vocabulary::C;

/// One group while its words are turned into fields.
pub(super) struct Work<'a> {
    pub(super) sheet: &'a mut Sheet,
    pub(super) group: &'a Group,
    pub(super) index: usize,
    pub(super) facts: Vec<(String, Value, Vec<usize>)>,
    /// Classes of the words that have no mark.
    pub(super) seen: Seen,
    /// Words that carry a name of a field and no value.
    pub(super) also_carries: Vec<usize>,
    /// "in" as a direction.
    pub(super) inward: Option<usize>,
}

impl Work<'_> {
    pub(super) fn says(&self, class: C) -> bool {
        self.seen.has(class)
    }

    pub(super) fn any(&self, classes: &[C]) -> bool {
        classes.iter().any(|class| self.seen.has(*class))
    }

    pub(super) fn put(&mut self, path: &str, value: impl Into<Value>, at: &[usize]) {
        self.facts.push((path.to_owned(), value.into(), at.to_vec()));
    }

    pub(super) fn marked(&self, mark: Mark) -> Vec<usize> {
        self.group.all().filter(|at| self.sheet.items[*at].mark == mark).collect()
    }

    /// The one word with this mark; two that differ are unclear.
    pub(super) fn one(&self, mark: Mark) -> Result<Option<usize>, Miss> {
        let found = self.marked(mark);
        let Some(first) = found.first().copied() else {
            return Ok(None);
        };
        match found.iter().find(|at| self.sheet.word(**at) != self.sheet.word(first)) {
            Some(other) => Err(self.sheet.unclear(*other)),
            None => Ok(Some(first)),
        }
    }

    pub(super) fn word(&self, at: usize) -> String {
        self.sheet.word(at).to_owned()
    }

    pub(super) fn unclear(&self) -> Miss {
        let words: Vec<&str> = self.group.own.iter().map(|at| self.sheet.word(*at)).collect();
        Miss::new(format!("/actions/{}", self.index), Why::Unclear, words.join(" "))
    }

    /// Whether a word of this class is not accounted for yet.
    pub(super) fn loose(&self, class: C) -> bool {
        self.group.own.iter().any(|at| {
            let item = &self.sheet.items[*at];
            item.mark == Mark::None && item.class == class && !item.used
        })
    }

    /// Accounts for words of these classes.
    pub(super) fn allow(&mut self, classes: &[C]) {
        for at in self.group.own.clone() {
            let item = &mut self.sheet.items[at];
            if item.mark == Mark::None && classes.contains(&item.class) {
                item.used = true;
            }
        }
    }
}

pub(super) fn facts(sheet: &mut Sheet, groups: &[Group], out: &mut Said) -> Result<(), Vec<Miss>> {
    let mut misses = Vec::new();
    let mut reports = true;
    for (index, group) in groups.iter().enumerate() {
        let mut seen = Seen::default();
        for at in group.all() {
            if sheet.items[at].mark == Mark::None {
                seen.add(sheet.items[at].class);
            }
        }
        let mut work = Work {
            sheet: &mut *sheet,
            group,
            index,
            facts: Vec::new(),
            seen,
            inward: None,
            also_carries: Vec::new(),
        };
        match action(&mut work) {
            Ok(name) => {
                reports &= name == "report";
                each(&mut work, groups.len());
                let facts = std::mem::take(&mut work.facts);
                let carries = std::mem::take(&mut work.also_carries);
                out.carrying.extend(carries.iter().map(|at| (sheet.items[*at].lo, sheet.items[*at].hi)));
                out.actions.push(name);
                for (path, value, at) in facts {
                    // What no word forces is not forced.
                    if at.is_empty() {
                        misses.push(Miss::new(format!("/actions/{index}{path}"), Why::NotSaid, ""));
                        continue;
                    }
                    let spans: Vec<(u32, u32)> =
                        at.iter().map(|at| (sheet.items[*at].lo, sheet.items[*at].hi)).collect();
                    out.carrying.extend(&spans);
                    let path = format!("/actions/{index}{path}");
                    if let Some(old) = out.facts.get_mut(&path) {
                        if !super::same(&old.value, &value) {
                            misses.push(Miss::new(path, Why::Unclear, ""));
                            continue;
                        }
                        old.spans.extend(spans);
                        continue;
                    }
                    out.facts.insert(path, Fact { value, spans });
                }
                let lo = group.all().map(|at| sheet.items[at].lo).min().unwrap_or(0);
                let hi = group.all().map(|at| sheet.items[at].hi).max().unwrap_or(0);
                out.groups.push((lo, hi));
            }
            Err(miss) => misses.push(miss),
        }
    }
    // A question that is no report, no polite order and no feasibility check.
    if sheet.asked && !sheet.check && !sheet.polite && !reports {
        misses.push(Miss::new("", Why::Unclear, "?"));
    }
    if misses.is_empty() { Ok(()) } else { Err(misses) }
}

/// "amf, smf and upf to 5 each": that is what sharing means.
fn each(work: &mut Work<'_>, groups: usize) {
    for at in work.group.own.clone() {
        let counted = work
            .sheet
            .before(at, &[C::Pods])
            .is_some_and(|before| work.sheet.items[before].mark == Mark::Quantity);
        if groups > 1 && counted && work.sheet.word(at) == "each" {
            work.sheet.items[at].used = true;
        }
    }
}

const REFUSED: &[C] = &[
    C::Unsupported,
    C::Time,
    C::Hardware,
    C::Notify,
    C::Cond,
    C::Clock,
    C::Told,
    C::Back,
    C::Vague,
    C::Again,
];

fn action(work: &mut Work<'_>) -> Result<&'static str, Miss> {
    if let Some(class) = REFUSED.iter().find(|class| work.says(**class)) {
        let undone = *class == C::Back && work.says(C::Undo);
        if !undone {
            let at = work
                .group
                .all()
                .find(|at| work.sheet.items[*at].mark == Mark::None && work.sheet.class(*at) == *class);
            return Err(Miss::new("", Why::LeftOver, at.map_or("", |at| work.sheet.word(at))));
        }
    }
    mood::mood(work)?;
    let creates = work.any(&[C::Create, C::Deploy, C::Launch]);
    let cells = !work.marked(Mark::Cell).is_empty();
    let celled = cells || work.says(C::Cell);
    let named = !work.marked(Mark::SliceName).is_empty() || !work.marked(Mark::Sst).is_empty();
    let sliced = work.any(&[C::SliceWord, C::ServiceWord]) || named;
    let ue = !work.marked(Mark::Ue).is_empty();
    let five_qi = !work.marked(Mark::FiveQi).is_empty() || !work.marked(Mark::Level).is_empty();
    let numbers = work.group.all().filter(|at| work.sheet.items[*at].mark == Mark::Quantity).count();
    let counted = numbers > 0 || work.any(&[C::Factor, C::Half]);
    if five_qi || work.any(&[C::DelayBudget, C::FiveQi, C::PriorityLevel]) {
        return traffic::qos(work);
    }
    let preferred = work.any(&[C::Prefer, C::Avoid, C::Forbid]);
    let watches = work.says(C::Metric) && !sliced && !ue && !celled;
    if preferred && !watches
        || celled && (sliced || ue) && !creates && work.any(&[C::Must, C::Only])
        || celled && (sliced || ue || work.says(C::Traffic)) && work.any(&[C::Off, C::Steer])
        || celled && ue
    {
        return traffic::steer(work);
    }
    if work.says(C::Undo) {
        return deploy::rollback(work);
    }
    let reports = !work.sheet.check
        && (work.any(&[C::Show, C::HowMany, C::Status, C::Alive, C::Question])
            || work.group.all().any(|at| {
                super::marks::is_whole(&work.sheet.items[at]) || work.sheet.class(at) == C::Inventory
            })
            || work.says(C::Give) && work.says(C::You) && work.says(C::Pods) && !counted
            || work.sheet.asked && work.says(C::Be) && work.any(&[C::Run, C::There]));
    if sliced && work.any(&[C::Retire, C::Remove]) {
        return Err(work.unclear());
    }
    if reports && !creates {
        return simple::report(work);
    }
    if ue {
        return Err(work.unclear());
    }
    if sliced {
        if work.says(C::Keep) && work.says(C::Metric) && !creates {
            return Err(work.unclear());
        }
        return traffic::slice(work);
    }
    if ensure::applies(work) || celled {
        return ensure::ensure(work);
    }
    let deploys = creates || !work.marked(Mark::Blueprint).is_empty();
    let keyed = !work.marked(Mark::Key).is_empty() || work.any(&[C::Enable, C::Disable]);
    let versioned = !work.marked(Mark::Version).is_empty();
    if work.says(C::Upgrade) || versioned && !deploys && !keyed {
        return deploy::upgrade(work);
    }
    if deploys || puts(work) {
        let more = work.any(&[C::More]) && work.says(C::Launch) && !work.any(&[C::Deploy, C::Create]);
        return if more { scale::scale(work) } else { deploy::deploy(work) };
    }
    // "take upf-vip out of mec-test"
    let taken = work.says(C::Light)
        && work.group.all().any(|at| {
            let item = &work.sheet.items[at];
            item.prep == C::Off && item.class != C::Function && matches!(item.mark, Mark::Thing | Mark::Place)
        });
    if (work.any(&[C::Retire, C::Remove]) || taken) && !counted {
        return simple::retire(work);
    }
    let rated = work.group.all().any(|at| {
        let item = &work.sheet.items[at];
        item.mark == Mark::Quantity
            && matches!(item.kind, Kind::Rate(_) | Kind::Sessions | Kind::Subscribers | Kind::Pdu | Kind::Ues)
    });
    let pods = work
        .group
        .all()
        .any(|at| work.sheet.items[at].mark == Mark::Quantity && work.sheet.items[at].kind == Kind::Pods);
    if rated || work.any(&[C::Link, C::Sessions, C::Subscribers, C::Metric]) && !pods {
        return settings::capacity(work);
    }
    if keyed {
        return settings::configure(work);
    }
    scale::scale(work)
}

/// "put 3 e2sims into namespace ric-lab": new ones, into a place.
fn puts(work: &Work<'_>) -> bool {
    let places: Vec<usize> =
        [Mark::Place, Mark::Namespace, Mark::Cluster].iter().flat_map(|mark| work.marked(*mark)).collect();
    let into = places.iter().any(|at| work.sheet.items[*at].prep == C::Into);
    let within = places.iter().any(|at| {
        let item = &work.sheet.items[*at];
        matches!(item.prep, C::In | C::At) || item.mark != Mark::Place
    });
    let things = work.marked(Mark::Thing);
    let numbers = work.marked(Mark::Quantity);
    let counted = numbers.iter().any(|number| {
        things.iter().any(|thing| number < thing)
            && !number.checked_sub(1).is_some_and(|before| {
                matches!(work.sheet.class(before), C::To | C::By | C::From | C::With | C::At | C::For)
            })
            && matches!(work.sheet.class(number + 1), C::Function | C::Name | C::Quoted)
    });
    let moved = work.any(&[C::Grow, C::Shrink, C::More, C::Fewer, C::Up, C::Down, C::Out])
        || numbers
            .iter()
            .any(|number| number.checked_sub(1).is_some_and(|before| work.sheet.class(before) == C::To));
    let article = things
        .iter()
        .any(|at| work.sheet.class(*at) == C::Function && *at > 0 && work.sheet.class(at - 1) == C::A);
    let put = work.says(C::Put) && (counted || article && into) && (into || within && !work.says(C::Pods));
    let light = work.any(&[C::Light, C::Put]) && counted && into;
    let new = work.group.all().any(|at| {
        work.sheet.items[at].mark == Mark::None
            && work.sheet.class(at) == C::New
            && work.sheet.class(at + 1) != C::Pods
    });
    let fresh = new && work.any(&[C::Put, C::Want, C::Give, C::Light]);
    let wants = work.says(C::Want)
        && !work.marked(Mark::Called).is_empty()
        && things
            .iter()
            .any(|at| work.sheet.class(*at) == C::Function && *at > 0 && work.sheet.class(at - 1) == C::A);
    (put || light || fresh || wants) && !moved
}

pub(super) fn count(qty: &Qty) -> Option<u64> {
    (qty.value >= 0.0 && qty.value.fract() == 0.0 && qty.value < 1e15).then_some(qty.value as u64)
}

pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}
