//! Every word forced to a mark by the tables and its neighbours: this is a
//! namespace, that a cell, this number a bound. Where a word stands in the
//! sentence does not matter, only what stands beside it.

use nephoran_model::proposal::Priority;
use serde_json::json;

use super::table;
use super::{Fact, Miss, Said, Source, Why, groups, joined, kinds, said};
use crate::frame::Kind;
use crate::numbers::number;
use crate::phrases::{CHECK_FIRST, HIGH, LOW, POLITE, URGENT, WE_HAVE, WHOLE};
use crate::tokens::Tok;
use crate::vocabulary::{C, TABLE};
use crate::{lexer, safety, tokens, units};

/// What a word is, beside its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    /// Of a workload: a function word, or a name.
    Thing,
    Namespace,
    Cluster,
    /// Behind "in", "at" and the like.
    Place,
    Called,
    Cell,
    Tac,
    SliceName,
    Sst,
    Sd,
    Mcc,
    Mnc,
    Ue,
    FiveQi,
    Level,
    Version,
    Provider,
    Blueprint,
    Intent,
    Group,
    Key,
    Value,
    /// A free number: how much, how many.
    Quantity,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) class: C,
    pub(super) value: f64,
    pub(super) whole: bool,
    pub(super) lo: u32,
    pub(super) hi: u32,
    pub(super) mark: Mark,
    /// Of a number: what it counts.
    pub(super) kind: Kind,
    /// The preposition that ties a name.
    pub(super) prep: C,
    /// Accounted for.
    pub(super) used: bool,
    /// From an answer of the author.
    pub(super) answer: bool,
    pub(super) group: usize,
}

pub(super) struct Sheet {
    pub(super) text: String,
    pub(super) items: Vec<Item>,
    pub(super) check: bool,
    pub(super) asked: bool,
    pub(super) polite: bool,
}

impl Sheet {
    pub(super) fn class(&self, at: usize) -> C {
        self.items.get(at).map_or(C::Stop, |item| item.class)
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.items.get(at).map_or("", |item| &self.text[item.lo as usize..item.hi as usize])
    }

    pub(super) fn unclear(&self, at: usize) -> Miss {
        Miss::new("", Why::Unclear, self.word(at))
    }

    /// Steps over words that tie nothing.
    pub(super) fn skip(&self, mut at: usize, over: &[C]) -> usize {
        while at < self.items.len() && over.contains(&self.class(at)) {
            at += 1;
        }
        at
    }

    /// The item before `at`, over articles and fillers.
    pub(super) fn before(&self, at: usize, over: &[C]) -> Option<usize> {
        let mut at = at.checked_sub(1)?;
        while over.contains(&self.class(at)) {
            at = at.checked_sub(1)?;
        }
        Some(at)
    }

    pub(super) fn free(&self, at: usize) -> bool {
        self.items.get(at).is_some_and(|item| item.mark == Mark::None)
    }

    fn mark(&mut self, at: usize, mark: Mark) {
        self.items[at].mark = mark;
        self.items[at].used = true;
    }

    fn namelike(&self, at: usize) -> bool {
        self.free(at)
            && (matches!(self.class(at), C::Name | C::Quoted)
                || self.class(at) == C::Unknown && self.items[at].value == 0.0 && is_label(self.word(at)))
    }

    fn is_ue(&self, at: usize) -> bool {
        let word = self.word(at);
        ["imsi-", "supi-", "nai-", "gpsi-", "msisdn-", "suci-"].iter().any(|prefix| word.starts_with(prefix))
            || (self.class(at) == C::Number && word.len() >= 10 && word.bytes().all(|b| b.is_ascii_digit()))
    }
}

pub(super) fn is_label(word: &str) -> bool {
    nephoran_model::proposal::is_dns_label(word)
}

/// What the words force, or why they force nothing.
pub(super) fn force(source: &Source<'_>) -> Result<Said, Vec<Miss>> {
    if source.words.chars().count() > nephoran_model::proposal::MAX_WORDS {
        return Err(vec![Miss::new("", Why::Unclear, "")]);
    }
    let (text, answers_from) = joined(source);
    let spoken = said(source);
    let mut raw = Vec::new();
    if let Err(foreign) = lexer::lex(&text, &mut raw) {
        return Err(vec![Miss::new("", Why::Foreign, foreign.0.to_string())]);
    }
    let pieces = raw.iter().map(|piece| (piece.lo, piece.hi)).collect();
    let tokens = tokens::tokens(&text, &spoken, &raw);
    if safety::verdict(&tokens).is_some() {
        return Err(vec![Miss::new("", Why::LeftOver, text)]);
    }
    let mut out = Said { pieces, ..Said::default() };
    let mut sheet = Sheet {
        items: Vec::with_capacity(tokens.list.len()),
        check: false,
        asked: tokens.asked,
        polite: false,
        text,
    };
    items(&tokens.list, &mut sheet, answers_from);
    whole_request(&mut sheet, &mut out, &spoken).map_err(|miss| vec![miss])?;
    refold(&mut sheet).map_err(|miss| vec![miss])?;
    labels(&mut sheet);
    let groups = groups::groups(&mut sheet).map_err(|miss| vec![miss])?;
    kinds::facts(&mut sheet, &groups, &mut out)?;
    let left: Vec<Miss> = sheet
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| {
            // A mark that no field took over carries nothing.
            let carried = out.carrying.iter().any(|(lo, hi)| *lo <= item.lo && *hi >= item.hi);
            if item.mark == Mark::None { !item.used && !table::filler(item.class) } else { !carried }
        })
        .map(|(at, _)| Miss::new("", Why::LeftOver, sheet.word(at)))
        .collect();
    if !left.is_empty() {
        return Err(left);
    }
    // Twice the same, two values for one thing, more than one request holds.
    let sound = super::assemble(&out).is_some_and(|actions| {
        let all = &actions.actions;
        all.len() <= nephoran_model::proposal::MAX_ACTIONS
            && !all.iter().enumerate().any(|(index, action)| all[..index].contains(action))
            && !crate::contradicts(all)
    });
    if sound { Ok(out) } else { Err(vec![Miss::new("", Why::Unclear, sheet.text)]) }
}

pub(super) fn motive(source: &Source<'_>) -> Option<(String, (u32, u32))> {
    let text = crate::lowered(source.words);
    let mut raw = Vec::new();
    lexer::lex(&text, &mut raw).ok()?;
    let tokens = tokens::tokens(&text, source.words, &raw);
    let tok = tokens.list.iter().rev().find(|tok| tok.class == C::Motive)?;
    let source = if text.len() == source.words.len() { source.words } else { &text };
    Some((source.get(tok.lo as usize..tok.hi as usize)?.to_owned(), (tok.lo, tok.hi)))
}

fn items(toks: &[Tok], sheet: &mut Sheet, answers_from: u32) {
    let mut at = 0;
    while at < toks.len() {
        let tok = toks[at];
        let mut item = Item {
            class: tok.class,
            value: tok.value,
            whole: tok.whole,
            lo: tok.lo,
            hi: tok.hi,
            mark: Mark::None,
            kind: Kind::Bare,
            prep: C::Fill,
            used: false,
            answer: tok.lo >= answers_from,
            group: 0,
        };
        at += 1;
        let word = &sheet.text[tok.lo as usize..tok.hi as usize];
        let timed = match word {
            "an hour" => Some((1.0, 23)),
            "half an hour" => Some((0.5, 23)),
            "a minute" => Some((1.0, 22)),
            "quarter of an hour" => Some((15.0, 22)),
            _ => None,
        };
        let after_for = at >= 2 && toks[at - 2].class == C::For;
        if let (C::Time, Some((value, unit)), true) = (tok.class, timed, after_for) {
            item.class = C::Number;
            item.value = value;
            item.kind = Kind::Time(unit);
            item.whole = value == 1.0;
        } else if let Some(read) = number(&toks[at - 1..], &sheet.text) {
            // "times two"
            let multiplied = at >= 2 && toks[at - 2].class == C::Times;
            let used = read.used;
            item.class = C::Number;
            item.value = read.value;
            item.whole = read.whole;
            at += used - 1;
            item.hi = toks[at - 1].hi;
            let last = &sheet.text[toks[at - 1].lo as usize..toks[at - 1].hi as usize];
            // "for 5m" is minutes; "2m subscribers" is millions.
            let counts = toks
                .get(at)
                .is_some_and(|tok| matches!(tok.class, C::Subscribers | C::Sessions | C::Pdu | C::UeNoun));
            if used == 2 && last == "m" && after_for && !counts {
                item.value /= 1e6;
                item.kind = Kind::Time(22);
            }
            if multiplied {
                item.kind = Kind::Times;
                if let Some(before) = sheet.items.last_mut() {
                    before.used = true;
                }
            }
            if let Some(next) = toks.get(at) {
                let min = &sheet.text[next.lo as usize..next.hi as usize] == "min" && after_for;
                match next.class {
                    C::Percent => item.kind = Kind::Percent,
                    C::Unit => item.kind = units::kind(next.value, ""),
                    C::Times => item.kind = Kind::Times,
                    C::Min if min => item.kind = Kind::Time(22),
                    _ => {}
                }
                if matches!(next.class, C::Percent | C::Unit | C::Times) || min {
                    item.hi = next.hi;
                    at += 1;
                }
            }
        }
        sheet.items.push(item);
    }
}

/// Words that mean something else beside their neighbours: "a pod" is one,
/// "plus 2" adds, "out of" takes from.
fn refold(sheet: &mut Sheet) -> Result<(), Miss> {
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

/// Purpose, priority, reason and manners: they belong to no action.
fn whole_request(sheet: &mut Sheet, out: &mut Said, spoken: &str) -> Result<(), Miss> {
    let mut priority: Option<Priority> = None;
    for at in 0..sheet.items.len() {
        let item = sheet.items[at];
        match item.class {
            C::Priority
                if at > 0
                    && matches!(sheet.class(at - 1), C::Ns | C::Cluster)
                    && item.whole
                    && !matches!(sheet.class(at + 1), C::Name | C::Quoted) => {}
            C::Priority => {
                let word = sheet.word(at);
                let service =
                    matches!(sheet.word(at + 1), "service" | "services" | "call" | "calls" | "response");
                if word == "emergency" && service {
                    return Err(sheet.unclear(at));
                }
                let said = match item.value {
                    URGENT => Priority::Urgent,
                    HIGH => Priority::High,
                    LOW => Priority::Low,
                    _ => Priority::Normal,
                };
                if priority.is_some_and(|old| old != said) {
                    return Err(sheet.unclear(at));
                }
                priority = Some(said);
                sheet.items[at].used = true;
                out.carrying.push((item.lo, item.hi));
                out.facts
                    .entry("/priority".to_owned())
                    .or_insert_with(|| Fact { value: json!(said.as_str()), spans: Vec::new() })
                    .spans
                    .push((item.lo, item.hi));
            }
            C::Motive => {
                if out.motive.is_some() {
                    return Err(sheet.unclear(at));
                }
                // "... because the stadium fills up and nssf": one more thing is no reason.
                let mut joined = false;
                for word in sheet.word(at).split_ascii_whitespace() {
                    let class = TABLE.get(word).map_or(C::Unknown, |entry| entry.class);
                    if joined && class == C::Function {
                        return Err(sheet.unclear(at));
                    }
                    joined = class == C::And || joined && matches!(class, C::The | C::A);
                }
                let text = spoken.get(item.lo as usize..item.hi as usize).unwrap_or_default().to_owned();
                out.motive = Some((text, (item.lo, item.hi)));
                sheet.items[at].used = true;
            }
            C::Fill if item.value == POLITE => sheet.polite = true,
            // "the pods we have": tells which, after the thing; before it, tells what is.
            C::Fill if item.value == WE_HAVE => {
                let which =
                    at > 0 && matches!(sheet.class(at - 1), C::Pods | C::Function | C::Name | C::Noun);
                if !which {
                    return Err(sheet.unclear(at));
                }
            }
            C::Quest => sheet.items[at].used = true,
            _ => {}
        }
    }
    purpose(sheet, out)
}

/// "can we ...", "could X be ...": to plan and never to carry out.
fn purpose(sheet: &mut Sheet, out: &mut Said) -> Result<(), Miss> {
    let mut found = None;
    let mut begun = false;
    for at in 0..sheet.items.len() {
        let class = sheet.class(at);
        let opens = !begun;
        if class == C::Check {
            if sheet.items[at].value == CHECK_FIRST && !opens {
                return Err(sheet.unclear(at));
            }
            found = Some(at);
            sheet.items[at].used = true;
        } else if class == C::Can && opens && sheet.asked && found.is_none() && sheet.class(at + 1) != C::You
        {
            found = Some(at);
            sheet.items[at].used = true;
        } else if class == C::Question && opens && sheet.word(at) == "what" && sheet.class(at + 1) == C::When
        {
            return Err(sheet.unclear(at));
        }
        let named = matches!(class, C::Name | C::Quoted) && !placed(sheet, at);
        if table::verb(class) || named || matches!(class, C::Function | C::Number | C::Unknown) {
            begun = true;
        }
    }
    if let Some(at) = found {
        let item = sheet.items[at];
        sheet.check = true;
        out.carrying.push((item.lo, item.hi));
        out.facts
            .insert("/purpose".to_owned(), Fact { value: json!("check"), spans: vec![(item.lo, item.hi)] });
    }
    Ok(())
}

const TIES: &[C] = &[C::Colon, C::Eq, C::Called, C::Fill, C::The];

/// Marks what its own noun names: "ns X", "cell 17", "5qi 3", "v1.2".
fn labels(sheet: &mut Sheet) {
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
    if class == C::FiveQi {
        sheet.items[next].value = sheet.items[next].value;
    }
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

/// A setting and its value: "mtu to 1400", "ue_tracing on", "enable x_log".
fn settings(sheet: &mut Sheet) {
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

fn placed(sheet: &Sheet, at: usize) -> bool {
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

/// "everything that runs"
pub(super) fn is_whole(item: &Item) -> bool {
    item.class == C::All && item.value == WHOLE
}
