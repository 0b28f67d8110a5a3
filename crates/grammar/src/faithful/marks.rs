//! Every word forced to a mark by the tables and its neighbours: this is a
//! namespace, that a cell, this number a bound. Where a word stands in the
//! sentence does not matter, only what stands beside it.

use super::table;
use super::{Miss, Said, Source, Why, groups, joined, kinds, labels, refold, said, whole};
use crate::frame::Kind;
use crate::numbers::number;
use crate::phrases::WHOLE;
use crate::tokens::Tok;
use crate::vocabulary::C;
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

    pub(super) fn mark(&mut self, at: usize, mark: Mark) {
        self.items[at].mark = mark;
        self.items[at].used = true;
    }

    pub(super) fn namelike(&self, at: usize) -> bool {
        self.free(at)
            && (matches!(self.class(at), C::Name | C::Quoted)
                || self.class(at) == C::Unknown && self.items[at].value == 0.0 && is_label(self.word(at)))
    }

    pub(super) fn is_ue(&self, at: usize) -> bool {
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
    whole::whole_request(&mut sheet, &mut out, &spoken).map_err(|miss| vec![miss])?;
    refold::refold(&mut sheet).map_err(|miss| vec![miss])?;
    labels::labels(&mut sheet);
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

/// "everything that runs"
pub(super) fn is_whole(item: &Item) -> bool {
    item.class == C::All && item.value == WHOLE
}
