//! Numbers with all that is said about them: units, more and fewer, ranges, directions.

use nephoran_model::proposal::LinkDirection;

use super::Reader;
use crate::frame::{Cmp, Kind, Link, Qty, Role, Span};
use crate::numbers::number;
use crate::phrases::POLITE;
use crate::units;
use crate::vocabulary::C;

impl Reader<'_> {
    pub(super) fn is_number(&self, at: usize) -> bool {
        number(&self.toks[at.min(self.toks.len())..], self.text).is_some()
    }

    pub(super) fn article(&mut self) {
        if self.is_number(self.at) {
            return self.quantity(Role::None);
        }
        self.at += 1;
        self.frame.seen.add(C::A);
        // "add a pod to upf" adds one.
        if self.class(self.at) == C::Pods
            && (self.frame.says(C::Add) || self.frame.says(C::Remove) || self.frame.says(C::Shrink))
            && !self.word(self.at).ends_with('s')
        {
            let span = self.span(self.at);
            self.at += 1;
            self.push(Qty { value: 1.0, kind: Kind::Pods, ..self.blank(span) });
            return;
        }
        if self.class(self.at) == C::More && !self.is_number(self.at + 1) {
            // "an extra pod", "a further replica"
            self.one_more();
        }
    }

    pub(super) fn one_more(&mut self) {
        let span = self.span(self.at);
        self.at += 1;
        self.push(Qty { value: 1.0, more: 1, ..self.blank(span) });
        self.after_number();
    }

    pub(super) fn blank(&self, span: Span) -> Qty {
        Qty {
            value: 0.0,
            whole: true,
            kind: Kind::Bare,
            role: Role::None,
            cmp: None,
            link: None,
            per_ue: false,
            more: 0,
            before_target: false,
            metric: None,
            approximate: false,
            span,
        }
    }

    pub(super) fn push(&mut self, mut qty: Qty) {
        qty.approximate = std::mem::take(&mut self.approximate);
        self.frame.quantities.push(qty);
        self.adjacent = true;
    }

    /// A number with its unit and the words that belong to it.
    pub(super) fn quantity(&mut self, role: Role) {
        let Some(read) = number(&self.toks[self.at..], self.text) else {
            if self.class(self.at) == C::Half {
                let by = role == Role::By;
                self.at += 1;
                if by {
                    let span = self.span(self.at - 1);
                    self.push(Qty { value: 50.0, kind: Kind::Percent, role, ..self.blank(span) });
                } else {
                    self.frame.factors.push(0.5);
                }
            } else {
                self.leave(self.at);
                self.at += 1;
            }
            return;
        };
        let span = Span { lo: self.toks[self.at].lo, hi: self.toks[self.at + read.used - 1].hi };
        self.at += read.used;
        // "for 5m" is minutes; "2m subscribers" is millions.
        if role == Role::For
            && read.used == 2
            && self.word(self.at - 1) == "m"
            && !matches!(self.class(self.at), C::Subscribers | C::Sessions | C::Pdu | C::UeNoun)
        {
            self.push(Qty { value: read.value / 1e6, role, kind: Kind::Time(22), ..self.blank(span) });
            return;
        }
        self.push(Qty { value: read.value, whole: read.whole, role, ..self.blank(span) });
        self.after_number();
        let qty = self.last();
        let (kind, current) = (qty.kind, self.frame.quantities.len() - 1);
        // A comparison, a metric or a direction that waited for its number.
        if let Some(cmp) = self.pending.take().or(self.verb_comparison(kind)) {
            self.frame.quantities[current].cmp = Some(cmp);
        }
        if let Some(metric) = self.pending_metric.take() {
            self.frame.quantities[current].metric = Some(metric);
        }
        if matches!(kind, Kind::Rate(_) | Kind::Unclear | Kind::Time(_))
            && let Some(link) = self.pending_link.take()
        {
            self.frame.quantities[current].link = Some(link);
        }
        // "3 to 9 replicas"
        if matches!(self.class(self.at), C::To)
            && self.is_number(self.at + 1)
            && self.frame.quantities[current].cmp.is_none()
            && matches!(kind, Kind::Bare | Kind::Percent)
        {
            let low = if role == Role::From { Role::From } else { Role::Low };
            let high = if role == Role::From { Role::To } else { Role::High };
            self.frame.quantities[current].role = low;
            self.at += 1;
            self.quantity(high);
            self.level(current);
        }
    }

    pub(super) fn verb_comparison(&self, kind: Kind) -> Option<Cmp> {
        match kind {
            Kind::Rate(_) | Kind::Unclear => self.frame.comparison_verb,
            Kind::Bare
            | Kind::Pods
            | Kind::Sessions
            | Kind::Subscribers
            | Kind::Ues
            | Kind::Pdu
            | Kind::Percent => self.frame.comparison_verb.filter(|cmp| *cmp == Cmp::AtMost),
            _ => None,
        }
    }

    /// "between 25 and 55 percent": the first number has the unit of the second.
    pub(super) fn level(&mut self, first: usize) {
        if first + 1 < self.frame.quantities.len() {
            let second = self.frame.quantities[first + 1];
            if self.frame.quantities[first].kind == Kind::Bare {
                self.frame.quantities[first].kind = second.kind;
            }
        }
    }

    pub(super) fn last(&mut self) -> &mut Qty {
        self.frame.quantities.last_mut().expect("a number was pushed just before")
    }

    pub(super) fn after_number(&mut self) {
        loop {
            let class = self.class(self.at);
            match class {
                C::Fill if self.toks[self.at].value != POLITE => self.at += 1,
                C::More => {
                    self.last().more = 1;
                    self.at += 1;
                }
                C::Fewer => {
                    self.last().more = -1;
                    self.at += 1;
                }
                // "two new pods" are two more.
                C::New if self.class(self.at + 1) == C::Pods => {
                    self.last().more = 1;
                    self.at += 1;
                }
                C::New => {
                    self.frame.new_article = true;
                    self.frame.seen.add(C::New);
                    self.at += 1;
                }
                _ if matches!(self.word(self.at), "am" | "pm" | "o'clock") => {
                    self.frame.seen.add(C::Time);
                    self.at += 1;
                }
                _ => break,
            }
        }
        let tok = self.toks.get(self.at).copied();
        let kind = match tok.map(|tok| (tok.class, tok.value)) {
            Some((C::Pods, _)) => {
                self.at += 1;
                if self.class(self.at) == C::More {
                    self.last().more = 1;
                    self.at += 1;
                } else if self.class(self.at) == C::Fewer {
                    self.last().more = -1;
                    self.at += 1;
                }
                Kind::Pods
            }
            Some((C::Percent, _)) => {
                self.at += 1;
                match self.class(self.at) {
                    C::More => {
                        self.last().more = 1;
                        self.at += 1;
                    }
                    C::Fewer => {
                        self.last().more = -1;
                        self.at += 1;
                    }
                    _ => {}
                }
                Kind::Percent
            }
            Some((C::Unit, unit)) => {
                let kind = units::kind(unit, self.word(self.at));
                self.at += 1;
                kind
            }
            // "for 10 min"
            Some((C::Min, _)) if self.word(self.at) == "min" && self.last().role == Role::For => {
                self.at += 1;
                Kind::Time(22)
            }
            Some((C::Times, _)) => {
                self.at += 1;
                if self.class(self.at) == C::As
                    && matches!(self.word(self.at + 1), "many" | "big" | "large" | "much")
                {
                    self.at += 2;
                }
                // "7x upf": seven times, or seven of them?
                if matches!(self.class(self.at), C::Function | C::Name | C::Quoted)
                    && self.last().role == Role::None
                {
                    self.frame.up_to = true;
                }
                Kind::Times
            }
            Some((C::Sessions, _)) => {
                self.at += 1;
                Kind::Sessions
            }
            Some((C::Pdu, _)) => {
                self.at += 1;
                Kind::Pdu
            }
            Some((C::Subscribers, _)) => {
                self.at += 1;
                Kind::Subscribers
            }
            Some((C::UeNoun, _)) if !self.is_ue(self.at + 1) => {
                self.at += 1;
                Kind::Ues
            }
            Some((C::Function | C::Name | C::Quoted, _)) => {
                self.last().before_target = true;
                Kind::Bare
            }
            _ => Kind::Bare,
        };
        // "with 4 cpu", "8 GB memory": what a machine has.
        if matches!(kind, Kind::Bare | Kind::Unclear)
            && self.class(self.at) == C::Metric
            && matches!(self.toks[self.at].value as u8, 1 | 2)
        {
            self.frame.seen.add(C::Hardware);
        }
        let qty = self.last();
        if qty.kind == Kind::Bare {
            qty.kind = kind;
        }
        if self.word(self.at) == "each" {
            self.frame.each = true;
            self.at += 1;
        }
    }

    pub(super) fn over(&mut self) {
        self.at += 1;
        // "move the pcf over to 13"; "over 70 %" compares.
        if matches!(self.class(self.at), C::To | C::In) {
            return;
        }
        if self.is_number(self.at) || self.class(self.at) == C::The {
            self.pending = Some(Cmp::Above);
            return;
        }
        self.frame.seen.add(C::Over);
    }

    pub(super) fn out_word(&mut self) {
        self.at += 1;
        if self.class(self.at) == C::Of {
            // "take 9 instances out of the o-cu"
            self.preposition(C::Off);
            return;
        }
        self.frame.seen.add(C::Grow);
        self.frame.seen.add(C::Out);
    }

    pub(super) fn up_down(&mut self, class: C) {
        let up = class == C::Up;
        if self.adjacent
            && matches!(
                self.frame.quantities.last(),
                Some(Qty { kind: Kind::Rate(_) | Kind::Unclear, link: None, .. })
            )
        {
            self.at += 1;
            self.last().link =
                Some(Link::One(if up { LinkDirection::Uplink } else { LinkDirection::Downlink }));
            return;
        }
        if self.class(self.at + 1) == C::To && self.is_number(self.at + 2) {
            let read = number(&self.toks[self.at + 2..], self.text).map_or(0, |number| number.used);
            let after = self.class(self.at + 2 + read);
            let grown = self.at > 0 && self.class(self.at - 1) == C::Grow;
            let bounds =
                matches!(after, C::Unit | C::Percent | C::Sessions | C::Subscribers | C::Pdu | C::UeNoun)
                    || (up
                        && (self.frame.trigger || !self.frame.metrics.is_empty())
                        && (grown || after == C::Pods));
            let named = self.frame.has_thing();
            if up && (bounds || !named) {
                self.at += 2;
                self.pending = Some(Cmp::AtMost);
                if !bounds {
                    self.frame.up_to = true;
                }
                return self.quantity(Role::None);
            }
        }
        // "is the upf up?"
        if self.frame.says(C::Be)
            && !self.is_number(self.at + 1)
            && self.at + 1 < self.toks.len()
            && matches!(self.class(self.at + 1), C::Quest | C::Stop)
        {
            self.at += 1;
            self.frame.seen.add(C::Alive);
            return;
        }
        self.at += 1;
        self.frame.seen.add(if up { C::Grow } else { C::Shrink });
        self.frame.seen.add(class);
    }

    pub(super) fn more(&mut self, class: C) {
        let another = matches!(self.word(self.at), "another");
        if class == C::More && another && !self.is_number(self.at + 1) {
            return self.one_more();
        }
        self.at += 1;
        if self.class(self.at) == C::Than {
            self.at += 1;
            self.pending = Some(if class == C::More { Cmp::Above } else { Cmp::Below });
            return;
        }
        self.skip_fillers();
        if self.is_number(self.at) {
            let role = Role::None;
            self.quantity(role);
            self.last().more = if class == C::More { 1 } else { -1 };
            return;
        }
        self.frame.seen.add(class);
    }

    pub(super) fn between(&mut self) {
        self.at += 1;
        if !self.is_number(self.at) {
            self.frame.seen.add(C::Between);
            return;
        }
        let first = self.frame.quantities.len();
        self.quantity(Role::Low);
        if matches!(self.class(self.at), C::And | C::To)
            && self.is_number(self.at + 1)
            && self.frame.quantities.len() == first + 1
        {
            self.at += 1;
            self.quantity(Role::High);
            self.level(first);
        } else if self.frame.quantities.len() != first + 2 {
            self.frame.seen.add(C::Between);
        }
    }

    pub(super) fn times(&mut self) {
        self.at += 1;
        if self.class(self.at) == C::By {
            self.at += 1;
        }
        match number(&self.toks[self.at..], self.text) {
            Some(read) => {
                self.at += read.used;
                self.frame.factors.push(read.value);
            }
            None => self.frame.seen.add(C::Times),
        }
    }
}
