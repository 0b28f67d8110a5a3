//! What is named: workloads, places, cells, slices, devices, versions, labels.

use super::{Reader, is_label};
use crate::frame::{Frame, Mention, Named, Place, PlaceKind, Span};
use crate::tokens::Tok;
use crate::vocabulary::{C, function_of};

impl Reader<'_> {
    pub(super) fn is_ue(&self, at: usize) -> bool {
        let word = self.word(at);
        ["imsi-", "supi-", "nai-", "gpsi-", "msisdn-", "suci-"].iter().any(|prefix| word.starts_with(prefix))
            || (self.class(at) == C::Number && word.len() >= 10)
    }

    pub(super) fn mention(&mut self, prep: C) {
        let tok = self.toks[self.at];
        let span = self.span(self.at);
        if tok.class == C::Name {
            if self.is_ue(self.at) {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.ue, span, conflict);
                self.at += 1;
                return;
            }
            let word = span.text(self.text);
            if word.starts_with("cell-") && word.bytes().any(|b| b.is_ascii_digit())
                || (word.starts_with("cell") && word[4..].bytes().next().is_some_and(|b| b.is_ascii_digit()))
            {
                self.frame.cell_prep = Some(prep);
                return self.cell_list();
            }
        }
        let named = match tok.class {
            C::Function => {
                let (function, named) = function_of(tok.value);
                Named::Function(function, named)
            }
            C::Quoted => Named::Quoted,
            _ => Named::Name,
        };
        let article = self.at > 0 && self.class(self.at - 1) == C::A;
        self.frame.mentions.push(Mention { named, prep, span, at: self.at, article });
        self.at += 1;
        if tok.class != C::Function || self.adjacent {
            // "nine e2 sim instances": the noun belongs to the count before.
            self.adjacent = false;
        }
        if self.class(self.at) == C::Eq && tok.class == C::Name && prep == C::Fill {
            // "max-sessions=5" is a setting.
            self.frame.mentions.pop();
            self.frame.keys.push(span);
            self.value_after();
        }
    }

    /// "ns X", "namespace: X", "X namespace".
    pub(super) fn place_word(&mut self) {
        let kind = if self.class(self.at) == C::Ns { PlaceKind::Namespace } else { PlaceKind::Cluster };
        let here = self.at;
        self.at += 1;
        let before = self.frame.mentions.last().copied().filter(|mention| mention.at + 1 == here);
        let placed = before.is_some_and(|mention| {
            matches!(
                mention.prep,
                C::In | C::At | C::On | C::Into | C::From | C::For | C::To | C::Of | C::Off
            ) && !matches!(mention.named, Named::Function(..))
        });
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::Called | C::Colon | C::Eq | C::The | C::Fill) {
            ahead += 1;
        }
        let labelled = matches!(self.class(ahead), C::Name | C::Quoted | C::Unknown)
            || (matches!(
                self.class(ahead),
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
            ) && self.toks[ahead].whole
                && !matches!(self.class(ahead + 1), C::Name | C::Quoted)
                && is_label(self.word(ahead)))
            || (self.class(ahead) == C::Function && before.is_none())
            || (self.class(ahead) == C::Number && before.is_none());
        if labelled && !placed {
            let span = self.span(ahead);
            self.at = ahead + 1;
            self.frame.places.push(Place { kind, span, at: here });
        } else if let Some(mention) = before.filter(|mention| !matches!(mention.named, Named::Function(..))) {
            self.frame.mentions.pop();
            // "the edge-4 zug-3 cluster": two names, one noun.
            if self.frame.mentions.last().is_some_and(|other| other.at + 1 == mention.at) {
                self.frame.seen.add(C::Told);
            }
            self.frame.places.push(Place { kind, span: mention.span, at: mention.at });
        } else if let Some((span, _)) = self.frame.unknown.last().copied().filter(|(_, at)| at + 1 == here) {
            self.frame.unknown.pop();
            self.frame.places.push(Place { kind, span, at: here - 1 });
        } else {
            self.frame.seen.add(if kind == PlaceKind::Namespace { C::Ns } else { C::Cluster });
        }
    }

    pub(super) fn cells(&mut self, prep: C) {
        self.at += 1;
        self.frame.seen.add(C::Cell);
        // "away from cell 5 towards cell 6": two things at once.
        if !self.frame.cells.is_empty() && self.frame.cell_prep != Some(prep) {
            self.frame.seen.add(C::Told);
        }
        self.frame.cell_prep = self.frame.cell_prep.or(Some(prep));
        while matches!(self.class(self.at), C::Colon | C::Fill | C::Called) {
            self.at += 1;
        }
        self.cell_list();
    }

    pub(super) fn cell_list(&mut self) {
        loop {
            match self.class(self.at) {
                C::Number | C::Name | C::Quoted if self.is_cell(self.at) => {
                    let span = self.span(self.at);
                    if self.class(self.at) == C::Number && span.text(self.text).contains(',') {
                        // "610,611" looks like one number.
                        let mut lo = span.lo;
                        for part in span.text(self.text).split(',') {
                            self.frame.cells.push(Span { lo, hi: lo + part.len() as u32 });
                            lo += part.len() as u32 + 1;
                        }
                    } else {
                        self.frame.cells.push(span);
                    }
                    self.at += 1;
                }
                _ => return,
            }
            let mut ahead = self.at;
            while matches!(self.class(ahead), C::Comma | C::And) && ahead < self.at + 2 {
                ahead += 1;
            }
            if self.class(ahead) == C::Cell
                && ahead > self.at
                && matches!(self.class(ahead + 1), C::Number | C::Name)
            {
                ahead += 1;
            }
            if ahead == self.at || !self.is_cell(ahead) {
                return;
            }
            self.at = ahead;
        }
    }

    /// A number or name that is a cell and nothing else: no unit after it.
    pub(super) fn is_cell(&self, at: usize) -> bool {
        match self.class(at) {
            C::Number => {
                self.toks[at].whole
                    && !matches!(
                        self.class(at + 1),
                        C::Unit
                            | C::Percent
                            | C::Pods
                            | C::Sessions
                            | C::UeNoun
                            | C::Subscribers
                            | C::Pdu
                            | C::Multiplier
                            | C::Times
                    )
            }
            C::Name => {
                !self.is_ue(at) && {
                    let word = self.word(at);
                    word.bytes().any(|b| b.is_ascii_digit()) || word.starts_with("cell")
                }
            }
            C::Quoted => true,
            _ => false,
        }
    }

    pub(super) fn tacs(&mut self) {
        self.at += 1;
        while matches!(self.class(self.at), C::Colon | C::Fill | C::Eq | C::Called) {
            self.at += 1;
        }
        let before = self.frame.tacs.len();
        loop {
            let word = self.word(self.at);
            let fits = matches!(self.class(self.at), C::Number | C::Name | C::Unknown)
                && (4..=6).contains(&word.len())
                && word.bytes().all(|b| b.is_ascii_hexdigit());
            let short = self.class(self.at) == C::Number
                && self.toks[self.at].whole
                && word.len() < 7
                && !matches!(self.class(self.at + 1), C::Unit | C::Percent | C::UeNoun | C::Pods);
            if !fits && !short {
                break;
            }
            let span = self.span(self.at);
            self.frame.tacs.push(span);
            self.at += 1;
            let mut ahead = self.at;
            while matches!(self.class(ahead), C::Comma | C::And | C::Tac) && ahead < self.at + 3 {
                ahead += 1;
            }
            let next = self.word(ahead);
            if ahead == self.at
                || !(matches!(self.class(ahead), C::Number | C::Name | C::Unknown)
                    && next.bytes().any(|b| b.is_ascii_digit())
                    && (1..=6).contains(&next.len())
                    && next.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                break;
            }
            self.at = ahead;
        }
        if self.frame.tacs.len() == before {
            self.frame.seen.add(C::Tac);
        }
    }

    pub(super) fn slice(&mut self) {
        // "a slice for slice 2"
        if self.frame.says(C::SliceWord) {
            self.frame.seen.add(C::Told);
        }
        self.frame.seen.add(C::SliceWord);
        self.frame.slice_at = self.frame.slice_at.or(Some(self.at));
        // "the museum-tv slice"
        if let Some(mention) = self.frame.mentions.last().copied()
            && mention.at + 1 == self.at
            && mention.named == Named::Name
            && !matches!(self.class(self.at + 1), C::Name | C::Sst)
        {
            self.frame.mentions.pop();
            self.slice_name(mention.span);
        }
        self.at += 1;
        while matches!(self.class(self.at), C::Colon | C::Eq | C::Called)
            || matches!(self.word(self.at), "id" | "number" | "type")
        {
            self.at += 1;
        }
        match self.class(self.at) {
            C::Number if self.is_cell(self.at) => {
                let value = self.toks[self.at].value;
                let conflict = &mut self.frame.slice.conflict;
                Frame::set(&mut self.frame.slice.sst, value, conflict);
                self.at += 1;
            }
            C::Name if !self.is_ue(self.at) => {
                let span = self.span(self.at);
                self.slice_name(span);
                self.at += 1;
            }
            C::Quoted => {
                let span = self.span(self.at);
                self.slice_name(span);
                self.at += 1;
            }
            // A plain word is a name only when it is called one.
            C::Unknown if is_label(self.word(self.at)) && self.class(self.at - 1) == C::Called => {
                let span = self.span(self.at);
                self.slice_name(span);
                self.at += 1;
            }
            _ => {}
        }
    }

    pub(super) fn slice_name(&mut self, span: Span) {
        let conflict = &mut self.frame.slice.conflict;
        Frame::set(&mut self.frame.slice.name, span, conflict);
    }

    pub(super) fn slice_field(&mut self, class: C) {
        self.at += 1;
        self.skip_small();
        match class {
            C::Sst if self.class(self.at) == C::Number && self.toks[self.at].whole => {
                let value = self.toks[self.at].value;
                let conflict = &mut self.frame.slice.conflict;
                Frame::set(&mut self.frame.slice.sst, value, conflict);
                self.at += 1;
            }
            C::Sd if matches!(self.class(self.at), C::Number | C::Name | C::Unknown | C::Quoted) => {
                let span = self.span(self.at);
                let conflict = &mut self.frame.slice.conflict;
                Frame::set(&mut self.frame.slice.sd, span, conflict);
                self.at += 1;
            }
            C::Plmn => self.plmn(),
            class => self.frame.seen.add(class),
        }
    }

    /// "001-01", "00101", "mcc 001 mnc 01".
    pub(super) fn plmn(&mut self) {
        if matches!(self.word(self.at), "mcc" | "mnc") {
            return;
        }
        let span = self.span_or_none();
        let word = self.word(self.at).to_owned();
        let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let Some(span) = span.filter(|_| digits) else {
            self.frame.seen.add(C::Plmn);
            return;
        };
        if word.len() == 3 && matches!(self.class(self.at + 1), C::To | C::Number) {
            let second = if self.class(self.at + 1) == C::To { self.at + 2 } else { self.at + 1 };
            let mnc = self.word(second);
            if (2..=3).contains(&mnc.len()) && mnc.bytes().all(|b| b.is_ascii_digit()) {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.slice.mcc, span, conflict);
                let mnc = self.span(second);
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.slice.mnc, mnc, conflict);
                self.at = second + 1;
                return;
            }
        }
        if (5..=6).contains(&word.len()) {
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.slice.mcc, Span { lo: span.lo, hi: span.lo + 3 }, conflict);
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.slice.mnc, Span { lo: span.lo + 3, hi: span.hi }, conflict);
            self.at += 1;
            return;
        }
        self.frame.seen.add(C::Plmn);
    }

    pub(super) fn span_or_none(&self) -> Option<Span> {
        (self.at < self.toks.len()).then(|| self.span(self.at))
    }

    pub(super) fn ue(&mut self) {
        self.at += 1;
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::Called | C::Colon | C::Eq | C::Fill)
            || matches!(self.word(ahead), "id")
        {
            ahead += 1;
        }
        if self.is_ue(ahead) {
            let span = self.span(ahead);
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.ue, span, conflict);
            self.at = ahead + 1;
        } else {
            self.count_noun_at(C::UeNoun);
        }
    }

    pub(super) fn five_qi(&mut self, tok: Tok) {
        self.at += 1;
        let mut value = tok.value - 1.0;
        if tok.value == 0.0 || tok.whole && tok.value < 0.0 {
            self.skip_small();
            if self.class(self.at) == C::Number && self.toks[self.at].whole {
                value = self.toks[self.at].value;
                self.at += 1;
            } else {
                self.frame.seen.add(C::FiveQi);
                return;
            }
        }
        self.frame.seen.add(C::FiveQi);
        let conflict = &mut self.frame.conflict;
        Frame::set(&mut self.frame.five_qi, value, conflict);
    }

    pub(super) fn priority_level(&mut self) {
        self.at += 1;
        let mut ahead = self.at;
        while matches!(self.class(ahead), C::Colon | C::Eq | C::Of | C::To | C::Fill | C::Be) {
            ahead += 1;
        }
        if self.class(ahead) == C::Number && self.toks[ahead].whole {
            let value = self.toks[ahead].value;
            self.at = ahead + 1;
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.priority_level, value, conflict);
        } else {
            self.frame.seen.add(C::PriorityLevel);
        }
    }

    pub(super) fn version(&mut self, tok: Tok) {
        let mut at = self.at;
        if tok.value == 0.0 {
            at += 1;
            let mut to = false;
            while matches!(self.class(at), C::Colon | C::Eq | C::To | C::Be | C::Fill | C::Of) {
                to |= self.class(at) == C::To;
                at += 1;
            }
            // "release to 5" without a verb is no version.
            if to && self.class(at) == C::Number && !self.frame.says(C::Upgrade) && !self.frame.says(C::Set) {
                at = self.toks.len();
            }
            if !matches!(self.class(at), C::Version | C::Number | C::Name) {
                self.frame.seen.add(C::Version);
                self.at += 1;
                return;
            }
        }
        let span = self.span(at);
        self.at = at + 1;
        let conflict = &mut self.frame.conflict;
        Frame::set(&mut self.frame.version, span, conflict);
    }

    pub(super) fn labelled(&mut self, class: C) {
        let here = self.at;
        self.at += 1;
        while matches!(self.class(self.at), C::Colon | C::Eq | C::The | C::Fill | C::As | C::Called)
            || matches!(self.word(self.at), "id")
        {
            self.at += 1;
        }
        let label = matches!(self.class(self.at), C::Name | C::Quoted | C::Unknown)
            || (class == C::Intent && matches!(self.class(self.at), C::Number))
            || (class == C::Called && self.class(self.at) == C::Function);
        if label {
            let span = self.span(self.at);
            if class == C::Called && self.class(self.at) == C::Function {
                return self.mention(C::Fill);
            }
            let quoted = self.class(self.at) == C::Quoted;
            let conflict = &mut self.frame.conflict;
            let slot = match class {
                C::Provider => &mut self.frame.provider,
                C::Blueprint => &mut self.frame.blueprint,
                C::Intent => &mut self.frame.intent,
                _ => &mut self.frame.called,
            };
            Frame::set(slot, span, conflict);
            let _ = quoted;
            self.at += 1;
            return;
        }
        self.at = here + 1;
        // "the traffic-gen blueprint"
        if class == C::Blueprint
            && let Some(mention) = self.frame.mentions.last().copied()
            && mention.at + 1 == here
            && matches!(mention.named, Named::Name | Named::Quoted)
        {
            self.frame.mentions.pop();
            self.frame.blueprint = Some(mention.span);
            return;
        }
        if class == C::Blueprint
            && let Some((span, at)) = self.frame.unknown.last().copied()
            && at + 1 == here
        {
            self.frame.unknown.pop();
            self.frame.blueprint = Some(span);
            return;
        }
        self.frame.seen.add(class);
    }

    pub(super) fn unknown(&mut self) {
        let here = self.at;
        // "mtu=1400"
        if self.class(here + 1) == C::Eq || (self.class(here + 1) == C::Colon && self.frame.has_thing()) {
            let span = self.span(here);
            self.frame.keys.push(span);
            self.at += 1;
            return self.value_after();
        }
        if matches!(self.word(here), "mcc" | "mnc") && self.class(here + 1) == C::Number {
            let span = self.span(here + 1);
            if self.word(here) == "mcc" {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.slice.mcc, span, conflict);
            } else {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.slice.mnc, span, conflict);
            }
            self.at += 2;
            return;
        }
        self.leave(here);
        self.at += 1;
        let mut before = here;
        while before > 0 && matches!(self.class(before - 1), C::The | C::A) {
            before -= 1;
        }
        let opens = before == 0
            || matches!(
                self.class(before - 1),
                C::Set
                    | C::Enable
                    | C::Disable
                    | C::Light
                    | C::Put
                    | C::Give
                    | C::Comma
                    | C::Colon
                    | C::And
                    | C::Then
                    | C::Stop
                    | C::Fill
                    | C::Priority
                    | C::With
                    | C::Want
                    | C::You
                    | C::Let
            );
        let goes_on = matches!(
            self.class(self.at),
            C::To
                | C::On
                | C::Off
                | C::Of
                | C::For
                | C::In
                | C::At
                | C::Eq
                | C::Colon
                | C::Be
                | C::Become
                | C::Should
                | C::Must
                | C::Want
                | C::Number
                | C::Unknown
        );
        if opens && goes_on {
            self.frame.plain_key = Some(here);
        }
        let mut verb = here;
        while verb > 0 && matches!(self.class(verb - 1), C::A | C::The | C::Number | C::New | C::Pods | C::Of)
        {
            verb -= 1;
        }
        self.frame.plain_blueprint |= verb > 0
            && self.class(verb - 1) == C::Deploy
            && ["deploy", "install", "instantiat", "onboard"]
                .iter()
                .any(|stem| self.word(verb - 1).starts_with(stem))
            && self.toks[here].value == 0.0;
        // "scale redis to 3": where a name would stand, and the word is none of ours.
        let behind = here.checked_sub(1).map(|at| self.class(at));
        let ahead = matches!(
            self.class(self.at),
            C::To | C::In | C::At | C::On | C::By | C::Up | C::Down | C::Ns | C::Fill
        );
        if matches!(behind, Some(C::Scale | C::Set | C::Grow | C::Shrink | C::Light))
            && ahead
            && self.toks[here].value == 0.0
            && is_label(self.word(here))
            && self.frame.mentions.is_empty()
        {
            self.frame.plain_at = Some(here);
        }
    }
}
