//! What is measured and bounded: metrics, comparisons, downlink and uplink.

use nephoran_model::proposal::LinkDirection;

use super::Reader;
use super::verbs::IRREGULAR;
use crate::frame::{Cmp, Frame, Kind, Link, Role};
use crate::tokens::Tok;
use crate::units;
use crate::vocabulary::C;

impl Reader<'_> {
    pub(super) fn metric(&mut self, tok: Tok) {
        let metric = if tok.class == C::Reliability { units::RELIABILITY } else { tok.value as u8 };
        self.at += 1;
        // "cpu usage": the noun belongs to the metric.
        if self.class(self.at) == C::Status && self.toks[self.at].value == 1.0 {
            self.at += 1;
        }
        if !self.frame.metrics.contains(&metric) {
            self.frame.metrics.push(metric);
        }
        if self.adjacent
            && let Some(qty) = self.frame.quantities.last_mut()
            && qty.metric.is_none()
            && matches!(qty.kind, Kind::Time(_) | Kind::Percent | Kind::Rate(_))
            && qty.role != Role::For
        {
            // "7 ms latency"
            qty.metric = Some(metric);
            return;
        }
        self.pending_metric = Some(metric);
        if let Some(link) = self.pending_link.take() {
            if matches!(tok.value as u8, 3) {
                self.pending_link = Some(link);
            } else {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.link, link, conflict);
            }
        }
    }

    pub(super) fn count_noun(&mut self, class: C) {
        self.at += 1;
        self.count_noun_at(class);
    }

    /// "sessions 45k", "session ceiling: 45k": the noun before its number.
    pub(super) fn count_noun_at(&mut self, class: C) {
        self.frame.seen.add(class);
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::Colon | C::Eq | C::Of | C::To | C::Be) {
            ahead += 1;
        }
        if self.class(ahead) == C::Number && self.frame.quantities.is_empty() && ahead > self.at {
            self.at = ahead;
            self.quantity(Role::To);
            let kind = match class {
                C::Sessions => Kind::Sessions,
                C::Pdu => Kind::Pdu,
                C::Subscribers => Kind::Subscribers,
                _ => Kind::Ues,
            };
            let qty = self.last();
            if qty.kind == Kind::Bare {
                qty.kind = kind;
            }
        }
    }

    pub(super) fn link(&mut self, direction: LinkDirection) {
        self.at += 1;
        let link = Link::One(direction);
        if self.adjacent
            && let Some(qty) = self.frame.quantities.last_mut()
            && matches!(qty.kind, Kind::Rate(_) | Kind::Unclear)
            && qty.link.is_none()
        {
            qty.link = Some(link);
            return;
        }
        // "5 ms uplink delay"
        if self.adjacent
            && self.class(self.at) == C::Metric
            && let Some(qty) = self.frame.quantities.last_mut()
            && matches!(qty.kind, Kind::Time(_))
            && qty.link.is_none()
        {
            qty.link = Some(link);
            return;
        }
        if let Some(old) = self.pending_link.replace(link) {
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.link, old, conflict);
        }
    }

    pub(super) fn per(&mut self, tok: Tok) {
        self.at += 1;
        match tok.value as u8 {
            1 => match self.frame.quantities.last_mut().filter(|_| self.adjacent) {
                Some(qty) => qty.per_ue = true,
                None => self.frame.per_ue = true,
            },
            2 => match self.frame.quantities.last_mut().filter(|qty| self.adjacent && qty.link.is_none()) {
                Some(qty) => qty.link = Some(Link::Both),
                None => self.pending_link = Some(Link::Both),
            },
            _ => self.frame.seen.add(C::Per),
        }
    }

    pub(super) fn compare(&mut self, cmp: Cmp, tok: Tok) {
        self.at += 1;
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::Of | C::Colon | C::The | C::Fill) {
            ahead += 1;
        }
        // "below above 70", "guaranteed maximum": which?
        let before = (self.at >= 2).then(|| self.class(self.at - 2));
        let clash = match before {
            Some(C::Guarantee) => matches!(cmp, Cmp::AtMost | Cmp::Below),
            Some(C::Limit) => matches!(cmp, Cmp::AtLeast | Cmp::Above),
            Some(C::Below | C::Above | C::AtMost | C::AtLeast | C::Max | C::Min) => {
                self.pending.is_some_and(|old| old != cmp)
            }
            _ => false,
        };
        // "just below", "well above": how far, nobody says.
        if self.at >= 2 && matches!(self.word(self.at - 2), "just" | "well" | "simply") {
            self.frame.seen.add(C::Told);
        }
        // "is above", "exceeds", "went above" tell a state; "stay above" orders one.
        let first = self.word(self.at - 1).split(' ').next().unwrap_or_default();
        if matches!(first, "is" | "has") {
            self.frame.tells = true;
        } else if !self.frame.base
            && tok.class != C::Max
            && tok.class != C::Min
            && (first.len() > 4
                && first.ends_with('s')
                && !first.ends_with("ss")
                && !matches!(first, "tops" | "less")
                || first.ends_with("ed") && first != "capped" && first != "limited" && first != "topped"
                || IRREGULAR.contains(&first))
        {
            self.frame.third = true;
        }
        // "reaches 80 %" is what sets something off, not what is asked for.
        if clash || tok.value == 1.0 && tok.class == C::AtLeast && !self.frame.trigger {
            self.frame.seen.add(C::Told);
        }
        if tok.class == C::Max && self.class(ahead) == C::Metric {
            self.frame.max_metric = true;
            self.pending = Some(cmp);
            return;
        }
        if self.is_number(ahead) {
            if self.frame.max_metric && tok.class != C::Max {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.statistic, 1, conflict);
                self.frame.max_metric = false;
            }
            self.pending = Some(cmp);
            self.at = ahead;
            return self.quantity(Role::None);
        }
        // "6 Mbps max", "70 % or less"
        if self.adjacent
            && let Some(qty) = self.frame.quantities.last_mut()
            && qty.cmp.is_none_or(|old| old == cmp)
        {
            qty.cmp = Some(cmp);
            return;
        }
        if self.pending.is_some_and(|old| old != cmp) {
            self.frame.conflict = true;
        }
        self.pending = Some(cmp);
    }

    pub(super) fn bound_verb(&mut self, tok: Tok) {
        let cmp = if tok.class == C::Guarantee { Cmp::Guaranteed } else { Cmp::AtMost };
        self.at += 1;
        if self.adjacent
            && let Some(qty) = self.frame.quantities.last_mut()
            && qty.cmp.is_none()
        {
            qty.cmp = Some(cmp);
            return;
        }
        self.frame.seen.add(tok.class);
        self.frame.comparison_verb = Some(cmp);
    }
}
