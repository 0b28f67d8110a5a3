//! Words that tie: to, in, by, on, of, or; and the values of settings behind them.

use nephoran_model::proposal::Missing;

use super::{Reader, is_label};
use crate::frame::{Frame, Kind, Mention, Named, Qty, Role, VERBS};
use crate::vocabulary::C;

impl Reader<'_> {
    pub(super) fn to(&mut self) {
        self.at += 1;
        self.skip_fillers();
        if self.approximate_ahead() {
            self.approximate = true;
            self.at += 1;
        }
        if self.is_number(self.at) {
            // "scale up to 5 upf": a bound or a number, who knows.
            let grown =
                self.at >= 2 && self.class(self.at - 2) == C::Grow && self.word(self.at - 2).ends_with(" up");
            let nothing = !self.frame.has_thing();
            self.quantity(Role::To);
            if grown && nothing && matches!(self.class(self.at), C::Function | C::Name | C::Quoted) {
                self.frame.up_to = true;
            }
            return;
        }
        if self.expects_value() && self.plain_value() {
            return self.take_value();
        }
        match self.class(self.at) {
            C::Half | C::Factor => {}
            C::FiveQi | C::UeNoun | C::Group | C::Traffic => {}
            C::AtMost | C::AtLeast | C::Max | C::Min => {
                let tok = self.toks[self.at];
                self.dispatch(tok);
                if self.is_number(self.at) {
                    self.quantity(Role::To);
                }
            }
            C::Ns | C::Cluster => self.place_word(),
            C::Function | C::Name | C::Quoted if !self.expects_value() => self.mention(C::To),
            C::Name | C::Quoted | C::Unknown | C::On | C::Off | C::Enable | C::Disable
                if self.expects_value() =>
            {
                self.take_value()
            }
            C::Version | C::Cell | C::SliceWord => {
                if self.class(self.at) == C::Cell {
                    self.cells(C::To);
                }
            }
            class if VERBS.has(class) || matches!(class, C::Be | C::Become | C::Have | C::Want) => {}
            C::Few => {}
            C::Unknown => self.leave_from_to(),
            _ => self.frame.seen.add(C::To),
        }
    }

    /// One plain word that is the value of a setting, whatever it means elsewhere.
    pub(super) fn plain_value(&self) -> bool {
        let sets = self.frame.says(C::Should)
            || !self.frame.keys.is_empty()
            || self.frame.says(C::Set)
            || self.frame.says(C::Become)
            || self.frame.says(C::Must);
        let plain = matches!(
            self.class(self.at),
            C::Unsupported
                | C::Time
                | C::Vague
                | C::Hardware
                | C::Notify
                | C::Priority
                | C::Alive
                | C::Max
                | C::Min
                | C::Status
                | C::Back
                | C::Traffic
                | C::Key
                | C::Name
                | C::Unknown
                | C::Quoted
                | C::Enable
                | C::Disable
                | C::Guarantee
        ) && self.toks[self.at].whole;
        sets && plain && self.value_ends()
    }

    pub(super) fn value_ends(&self) -> bool {
        self.at + 1 >= self.toks.len()
            || matches!(
                self.class(self.at + 1),
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
                    | C::Ns
            )
    }

    pub(super) fn leave_from_to(&mut self) {
        // "deploy upf to lab": a plain word after "to" is a place for a deployment alone.
        let span = self.span(self.at);
        self.frame.mentions.push(Mention {
            named: Named::Word,
            prep: C::To,
            span,
            at: self.at,
            article: false,
        });
        self.at += 1;
    }

    pub(super) fn approximate_ahead(&self) -> bool {
        self.class(self.at) == C::About && self.is_number(self.at + 1)
    }

    /// A setting was named, and its value was not.
    pub(super) fn expects_value(&self) -> bool {
        self.frame.value.is_none() && (self.frame.keys.len() == 1 || self.frame.unknown.len() == 1)
    }

    pub(super) fn take_value(&mut self) {
        let span = self.span(self.at);
        let conflict = &mut self.frame.conflict;
        Frame::set(&mut self.frame.value, span, conflict);
        self.at += 1;
    }

    pub(super) fn value_after(&mut self) {
        if matches!(self.class(self.at), C::Eq | C::Colon) {
            self.at += 1;
            self.value_here(C::Eq);
        }
    }

    pub(super) fn value_here(&mut self, after: C) {
        if !self.expects_value() {
            return;
        }
        self.skip_fillers();
        let modal = after != C::Be || self.frame.says(C::Should) || self.frame.says(C::Must);
        // "should be disabled" switches; "to disabled" is the word itself.
        let switches = after == C::Be && matches!(self.class(self.at), C::Enable | C::Disable);
        if modal
            && !switches
            && (matches!(self.class(self.at), C::UeNoun | C::On | C::Off) || self.plain_value())
            && self.value_ends()
        {
            return self.take_value();
        }
        match self.class(self.at) {
            C::Unknown | C::Quoted | C::Switch => self.take_value(),
            C::Name if after != C::Be => self.take_value(),
            C::Unsupported
            | C::Time
            | C::Vague
            | C::Hardware
            | C::Notify
            | C::Priority
            | C::Alive
            | C::Key
                if after == C::Eq && self.toks[self.at].whole =>
            {
                self.take_value();
            }
            C::Version => self.take_value(),
            C::Enable | C::Disable | C::On | C::Off if after != C::Be => self.take_value(),
            C::Number if after != C::Be || self.frame.says(C::Should) || self.frame.says(C::Must) => {
                self.quantity(Role::To)
            }
            _ => {}
        }
    }

    pub(super) fn preposition(&mut self, prep: C) {
        let start = self.at;
        self.at += 1;
        if prep == C::Off && self.class(self.at) == C::Of {
            self.at += 1;
        }
        // "by +4"
        if prep == C::By && self.word(self.at) == "+" {
            self.frame.seen.add(C::Grow);
            self.at += 1;
        }
        // "scale the udm in ns east-core in by 2"
        if prep == C::In && self.frame.says(C::Scale) && self.class(self.at) == C::By {
            self.frame.seen.add(C::Shrink);
            return;
        }
        // "tack on 2 more replicas"
        if prep == C::On && start > 0 && self.class(start - 1) == C::Add && self.is_number(self.at) {
            return self.quantity(Role::None);
        }
        // "for an hour": how long a state must last.
        if prep == C::For && !self.frame.metrics.is_empty() && self.class(self.at) == C::Time {
            let read = match self.word(self.at) {
                "an hour" => Some((1.0, 23)),
                "half an hour" => Some((0.5, 23)),
                "a minute" => Some((1.0, 22)),
                "quarter of an hour" => Some((15.0, 22)),
                _ => None,
            };
            if let Some((value, unit)) = read {
                let span = self.span(self.at);
                self.at += 1;
                self.push(Qty { value, kind: Kind::Time(unit), role: Role::For, ..self.blank(span) });
                return;
            }
        }
        // "turn ue_tracing on"
        if matches!(prep, C::On | C::Off) && self.switched(prep) {
            return;
        }
        // "scale in amf by 1"
        if prep == C::In && start > 0 && self.class(start - 1) == C::Scale && self.direction_in() {
            self.frame.seen.add(C::Shrink);
            return;
        }
        let article = self.class(self.at) == C::A && !self.is_number(self.at);
        let resume = self.at;
        while matches!(self.class(self.at), C::The | C::Fill | C::Colon)
            || (self.class(self.at) == C::A && !self.is_number(self.at))
        {
            self.at += 1;
        }
        if self.approximate_ahead() {
            self.approximate = true;
            self.at += 1;
        }
        // "knock off 6 pods", but not "take upf off 5"
        if prep == C::Off && self.is_number(self.at) && !(start > 0 && VERBS.has(self.class(start - 1))) {
            self.frame.seen.add(C::Told);
        }
        if self.is_number(self.at) || (prep == C::By && self.class(self.at) == C::Half) {
            let role = match prep {
                C::From => Role::From,
                C::By => Role::By,
                C::For => Role::For,
                C::With => Role::With,
                C::At => Role::At,
                C::On => Role::On,
                C::Of => Role::Of,
                _ => {
                    self.frame.seen.add(prep);
                    Role::None
                }
            };
            return self.quantity(role);
        }
        match self.class(self.at) {
            C::Ns | C::Cluster => {
                if prep == C::Into {
                    self.frame.seen.add(C::Into);
                }
                self.place_word();
            }
            C::Function | C::Name | C::Quoted => {
                self.mention(prep);
                if article && let Some(mention) = self.frame.mentions.last_mut() {
                    mention.article = true;
                }
            }
            C::Unknown => {
                // A plain word is a place only after in, at, on and the like, or before "namespace".
                let names = matches!(self.class(self.at + 1), C::Ns | C::Cluster);
                if matches!(prep, C::In | C::At | C::Into | C::On | C::From) || names {
                    let span = self.span(self.at);
                    let named = if is_label(span.text(self.text)) { Named::Word } else { Named::Quoted };
                    self.frame.mentions.push(Mention { named, prep, span, at: self.at, article });
                    self.at += 1;
                } else {
                    self.at = resume;
                    self.leave_preposition(prep);
                }
            }
            C::Cell => self.cells(prep),
            _ => {
                self.at = resume;
                self.leave_preposition(prep);
            }
        }
    }

    /// Prepositions that only tie a thing to what is read next.
    pub(super) fn leave_preposition(&mut self, prep: C) {
        let next = self.class(self.at + usize::from(matches!(self.class(self.at), C::The | C::A)));
        let ties = match prep {
            C::Of => {
                !VERBS.has(next)
                    && !matches!(
                        next,
                        C::Stop
                            | C::Comma
                            | C::And
                            | C::To
                            | C::In
                            | C::At
                            | C::On
                            | C::From
                            | C::By
                            | C::For
                    )
            }
            C::For | C::On | C::In | C::At | C::With | C::By | C::From | C::Into | C::Off => {
                matches!(
                    next,
                    C::SliceWord
                        | C::ServiceWord
                        | C::Sst
                        | C::Sd
                        | C::Plmn
                        | C::FiveQi
                        | C::UeNoun
                        | C::Group
                        | C::Traffic
                        | C::Tac
                        | C::Metric
                        | C::Reliability
                        | C::DelayBudget
                        | C::PriorityLevel
                        | C::Max
                        | C::Min
                        | C::AtMost
                        | C::AtLeast
                        | C::Guarantee
                        | C::Link
                        | C::Capacity
                        | C::Provider
                        | C::Version
                        | C::Blueprint
                        | C::Below
                        | C::Above
                        | C::Statistic
                        | C::Key
                        | C::Sessions
                        | C::Subscribers
                        | C::Called
                        | C::Pron
                        | C::Between
                        | C::More
                        | C::Few
                        | C::Pdu
                        | C::Factor
                        | C::About
                        | C::Half
                        | C::New
                        | C::Pods
                        | C::Intent
                        | C::Noun
                ) || (prep == C::Into && next == C::Run)
                    || (prep == C::On && next == C::Pron)
            }
            _ => false,
        };
        if !ties || prep == C::Off || (prep == C::From && next == C::SliceWord) {
            self.frame.seen.add(prep);
        }
    }

    pub(super) fn switched(&mut self, prep: C) -> bool {
        let key = self.frame.keys.len() == 1 || self.frame.unknown.len() == 1;
        let ends = matches!(
            self.class(self.at),
            C::On
                | C::In
                | C::For
                | C::At
                | C::Of
                | C::Stop
                | C::Comma
                | C::Quest
                | C::Fill
                | C::Priority
                | C::Motive
                | C::From
        ) || self.at >= self.toks.len();
        if key && self.frame.says(C::Set) && ends && self.frame.switch.is_none() {
            self.frame.switch = Some(prep == C::On);
            return true;
        }
        false
    }

    pub(super) fn direction_in(&self) -> bool {
        let mut at = self.at;
        while matches!(self.class(at), C::The | C::Fill | C::A) {
            at += 1;
        }
        match self.class(at) {
            C::Ns | C::Cluster | C::Unknown => false,
            // "scale in ran-a upf to 3": a name is the place when the target still comes.
            C::Name => !self.toks[at + 1..]
                .iter()
                .take_while(|tok| !matches!(tok.class, C::And | C::Comma | C::Stop))
                .any(|tok| matches!(tok.class, C::Function | C::Ns | C::Cluster)),
            _ => true,
        }
    }

    pub(super) fn as_word(&mut self) {
        self.at += 1;
        self.skip_fillers();
        if self.class(self.at) == C::Name
            && self.frame.mentions.iter().any(|m| matches!(m.named, Named::Function(..)))
        {
            let span = self.span(self.at);
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.called, span, conflict);
            self.at += 1;
        } else {
            self.frame.seen.add(C::As);
        }
    }

    pub(super) fn or(&mut self) {
        self.at += 1;
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::The | C::A | C::To | C::Fill | C::By) && !self.is_number(ahead) {
            ahead += 1;
        }
        let placed = self.frame.places.last().map(|place| place.at + 1);
        let missing = match self.class(ahead) {
            _ if self.is_number(ahead) => {
                let kind = self.frame.quantities.last().map(|qty| qty.kind);
                match kind {
                    Some(Kind::Bare | Kind::Pods | Kind::Times | Kind::Percent) => Missing::Replicas,
                    Some(_) => Missing::Value,
                    None if self.frame.slice.is_named() => Missing::Slice,
                    None if !self.frame.cells.is_empty() => Missing::Cells,
                    None => Missing::Replicas,
                }
            }
            C::In | C::At | C::Ns | C::Cluster => Missing::Place,
            C::Function | C::Name | C::Quoted | C::Unknown => {
                let last = self.frame.mentions.last();
                let by_place = placed > last.map(|mention| mention.at);
                if by_place || last.is_some_and(|m| matches!(m.prep, C::In | C::At | C::Into)) {
                    Missing::Place
                } else {
                    Missing::Target
                }
            }
            C::Cell => Missing::Cells,
            C::Link => Missing::Direction,
            C::Up | C::Down | C::Out => Missing::Direction,
            C::SliceWord | C::Sst => Missing::Slice,
            C::FiveQi => Missing::FiveQi,
            _ => Missing::Action,
        };
        if self.frame.choice.is_none() {
            self.frame.choice = Some(missing);
            self.frame.choice_at = self.at;
        }
    }
}
