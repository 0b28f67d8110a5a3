//! Reads tokens into clauses. Each token fills a slot of its clause, or leaves
//! its class or itself behind for the rules to account for.

use nephoran_model::proposal::{LinkDirection, Missing, Priority};

use crate::frame::{Cmp, Frame, Kind, Link, Mention, Named, Place, PlaceKind, Qty, Role, Span, VERBS};
use crate::numbers::number;
use crate::phrases::{CHECK_FIRST, HIGH, LOW, POLITE, URGENT, WE_HAVE, WHOLE};
use crate::tokens::Tok;
use crate::units;
use crate::vocabulary::{C, function_of};

/// The whole request, parted into clauses, with what belongs to all of them.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) parts: Vec<Frame>,
    pub(crate) priority: Option<Priority>,
    pub(crate) priorities_differ: bool,
    pub(crate) check: bool,
    pub(crate) polite: bool,
    pub(crate) asked: bool,
    pub(crate) motive: Option<Span>,
}

pub(crate) struct Reader<'a> {
    text: &'a str,
    toks: &'a [Tok],
    at: usize,
    out: Parsed,
    frame: Frame,
    /// A comparison that waits for its number.
    pending: Option<Cmp>,
    pending_link: Option<Link>,
    pending_metric: Option<u8>,
    approximate: bool,
    /// The last thing read was a number (and what follows one).
    adjacent: bool,
}

pub(crate) fn read(text: &str, toks: &[Tok]) -> Parsed {
    let mut reader = Reader {
        text,
        toks,
        at: 0,
        out: Parsed::default(),
        frame: Frame { first: 0, ..Frame::default() },
        pending: None,
        pending_link: None,
        pending_metric: None,
        approximate: false,
        adjacent: false,
    };
    while reader.at < toks.len() {
        let before = reader.at;
        reader.step();
        debug_assert!(reader.at > before, "each step reads a token");
        reader.at = reader.at.max(before + 1);
    }
    reader.finish(false);
    reader.out
}

impl Reader<'_> {
    pub(crate) fn class(&self, at: usize) -> C {
        self.toks.get(at).map_or(C::Stop, |tok| tok.class)
    }

    fn span(&self, at: usize) -> Span {
        Span { lo: self.toks[at].lo, hi: self.toks[at].hi }
    }

    fn word(&self, at: usize) -> &str {
        self.toks.get(at).map_or("", |tok| &self.text[tok.lo as usize..tok.hi as usize])
    }

    fn finish(&mut self, comma: bool) {
        self.settle();
        let mut next = Frame { first: self.at, after_comma: comma, ..Frame::default() };
        // "guarantee 20 Mbps down and 5 Mbps up": the verb holds for both.
        next.comparison_verb = self.frame.comparison_verb;
        let mut done = std::mem::replace(&mut self.frame, next);
        done.last = self.at;
        self.out.parts.push(done);
        self.adjacent = false;
        self.pending_link = None;
    }

    /// What still waits for a number at the end of a part.
    fn settle(&mut self) {
        if let Some(link) = self.pending_link.take() {
            let conflict = &mut self.frame.conflict;
            Frame::set(&mut self.frame.link, link, conflict);
        }
        if let Some(cmp) = self.pending.take() {
            self.frame.seen.add(match cmp {
                Cmp::Below => C::Below,
                Cmp::AtMost => C::Max,
                Cmp::Above => C::Above,
                Cmp::AtLeast => C::Min,
                Cmp::Guaranteed => C::Guarantee,
            });
        }
        if self.approximate {
            self.frame.seen.add(C::About);
            self.approximate = false;
        }
        self.pending_metric = None;
    }

    fn leave(&mut self, at: usize) {
        let span = self.span(at);
        self.frame.unknown.push((span, at));
    }

    fn step(&mut self) {
        let tok = self.toks[self.at];
        let keeps_adjacent = matches!(
            tok.class,
            C::Fill
                | C::The
                | C::Of
                | C::Link
                | C::Per
                | C::Percent
                | C::Max
                | C::Min
                | C::AtMost
                | C::AtLeast
                | C::Guarantee
                | C::Limit
                | C::For
                | C::On
                | C::In
                | C::At
                | C::Up
                | C::Down
        );
        let was_adjacent = self.adjacent;
        if VERBS_SEEN(tok.class) {
            if self.frame.verb_at.is_none() {
                self.frame.verb_at = Some(self.at);
                self.frame.verb_lo = Some(tok.lo);
            }
            self.verb_form(tok);
        }
        if tok.class == C::Want {
            self.want_form();
        }
        self.dispatch(tok);
        if !keeps_adjacent
            && self.adjacent
            && was_adjacent
            && !matches!(tok.class, C::Number | C::A | C::Multiplier | C::Half)
        {
            self.adjacent = false;
        }
    }

    /// "scale" orders; "scales", "scaled", "took" tell, unless a modal verb, a
    /// passive or an order stands before.
    fn verb_form(&mut self, tok: Tok) {
        if matches!(tok.class, C::Guarantee | C::Unsupported | C::Notify | C::Show | C::HowMany | C::Limit) {
            return;
        }
        let first = self.word(self.at).split(' ').next().unwrap_or_default();
        let past = first.ends_with("ed") && !matches!(first, "shed" | "need" | "speed" | "feed")
            || IRREGULAR.contains(&first);
        let third = first.ends_with('s')
            && !first.ends_with("ss")
            && first.len() > 3
            && tok.class != C::Prefer
            && !matches!(first, "lets" | "gets" | "let's" | "times");
        if self.frame.base {
            return;
        }
        if past {
            self.frame.past = true;
        } else if third {
            self.frame.third = true;
        } else {
            self.frame.base = true;
        }
    }

    fn want_form(&mut self) {
        let word = self.word(self.at);
        let past = word.ends_with("ed") && word != "need";
        if past
            && (self.frame.base
                || self.frame.says(C::You)
                || self.at > 0 && matches!(self.class(self.at - 1), C::The | C::A))
        {
            self.frame.seen.add(C::Told);
        }
    }

    fn dispatch(&mut self, tok: Tok) {
        match tok.class {
            C::Fill => {
                if tok.value == POLITE {
                    self.out.polite = true;
                }
                if tok.value == WE_HAVE
                    && !(self.at > 0
                        && matches!(self.class(self.at - 1), C::Pods | C::Function | C::Name | C::Noun))
                {
                    self.frame.seen.add(C::Told);
                }
                self.at += 1;
            }
            C::The | C::Colon => self.at += 1,
            C::Quest => {
                self.out.asked = true;
                self.at += 1;
            }
            C::Comma | C::Stop => {
                let comma = tok.class == C::Comma;
                self.at += 1;
                self.finish(comma);
                self.frame.after_stop = !comma;
                self.frame.after_parenthesis = tok.value == 1.0;
            }
            C::And | C::Then => {
                // "plus 2 pods for bsf" adds.
                if self.word(self.at) == "plus" && self.is_number(self.at + 1) && !self.frame.has_content() {
                    self.frame.seen.add(C::Add);
                    self.at += 1;
                    return;
                }
                self.at += 1;
                // A conjunction with nothing behind it promised more.
                let mut ahead = self.at;
                while matches!(self.class(ahead), C::Fill | C::The | C::Comma) && ahead < self.toks.len() {
                    ahead += 1;
                }
                // "scale out and in"
                let both = self.at >= 2
                    && (self.class(self.at - 2) == C::Grow && matches!(self.class(self.at), C::In | C::Down)
                        || self.class(self.at - 2) == C::Shrink
                            && matches!(self.class(self.at), C::Out | C::Up));
                if both {
                    self.frame.seen.add(C::Told);
                }
                if matches!(self.class(ahead), C::Stop | C::Quest | C::Or | C::But)
                    || (tok.class == C::And && self.class(ahead) == C::And)
                {
                    self.frame.seen.add(C::And);
                }
                self.finish(false);
            }
            C::Priority => self.priority(tok),
            C::Motive => {
                self.out.motive = Some(Span { lo: tok.lo, hi: tok.hi });
                self.at += 1;
            }
            C::There => {
                let first = self.frame.is_bare();
                self.frame.seen.add(if first { C::There } else { C::Told });
                self.at += 1;
            }
            // "take two pods away from pcf"
            C::Avoid
                if self.word(self.at) == "away from" && !self.frame.quantities.is_empty() && {
                    let ahead = self.at + 1 + usize::from(self.class(self.at + 1) == C::The);
                    matches!(self.class(ahead), C::Function | C::Quoted)
                        || self.class(ahead) == C::Name && !self.word(ahead).starts_with("cell")
                } =>
            {
                self.preposition(C::Off);
            }
            C::Check => {
                if tok.value == CHECK_FIRST {
                    self.out.check = true;
                } else {
                    self.frame.seen.add(C::Check);
                }
                self.at += 1;
            }
            C::A => self.article(),
            C::Number | C::Multiplier | C::Half => self.quantity(Role::None),
            C::Few => {
                self.at += 1;
                if matches!(self.class(self.at), C::More | C::Fewer) {
                    self.at += 1;
                }
                self.frame.seen.add(C::Few);
            }
            C::About => {
                self.approximate = true;
                self.at += 1;
            }
            C::To => self.to(),
            C::From | C::By | C::For | C::With | C::On | C::At | C::In | C::Into | C::Of | C::Off => {
                self.preposition(tok.class)
            }
            C::Over => self.over(),
            C::Out => self.out_word(),
            C::Up | C::Down => self.up_down(tok.class),
            C::More | C::Fewer => self.more(tok.class),
            C::Between => self.between(),
            C::Factor => {
                self.frame.factors.push(tok.value);
                self.at += 1;
            }
            C::Times => self.times(),
            C::Function => self.mention(C::Fill),
            C::Name | C::Quoted => self.mention(C::Fill),
            C::Key => {
                let span = self.span(self.at);
                self.frame.keys.push(span);
                self.at += 1;
                self.value_after();
            }
            C::Ns | C::Cluster => self.place_word(),
            C::Cell => self.cells(C::Fill),
            C::Tac => self.tacs(),
            C::SliceWord => self.slice(),
            C::ServiceWord => {
                let conflict = &mut self.frame.slice.conflict;
                Frame::set(&mut self.frame.slice.service, tok.value as u8, conflict);
                self.at += 1;
            }
            C::Sst | C::Sd | C::Plmn => self.slice_field(tok.class),
            C::UeNoun => self.ue(),
            C::FiveQi => self.five_qi(tok),
            C::Group => {
                self.at += 1;
                self.skip_small();
                if matches!(self.class(self.at), C::Name | C::Unknown | C::Quoted | C::Number) {
                    let span = self.span(self.at);
                    let conflict = &mut self.frame.conflict;
                    Frame::set(&mut self.frame.group, span, conflict);
                    self.at += 1;
                } else {
                    self.frame.seen.add(C::Group);
                }
            }
            C::PriorityLevel => self.priority_level(),
            C::DelayBudget => {
                self.pending_metric = Some(units::DELAY_BUDGET);
                self.frame.seen.add(C::DelayBudget);
                self.at += 1;
            }
            C::Metric | C::Reliability => self.metric(tok),
            C::Statistic => {
                let conflict = &mut self.frame.conflict;
                Frame::set(&mut self.frame.statistic, tok.value as u8, conflict);
                self.at += 1;
            }
            C::Sessions | C::Subscribers | C::Pdu => self.count_noun(tok.class),
            C::Link => {
                self.link(if tok.value == 0.0 { LinkDirection::Downlink } else { LinkDirection::Uplink })
            }
            C::Per => self.per(tok),
            C::Max | C::AtMost => self.compare(Cmp::AtMost, tok),
            C::Min | C::AtLeast => self.compare(Cmp::AtLeast, tok),
            C::Below => self.compare(Cmp::Below, tok),
            C::Above => self.compare(Cmp::Above, tok),
            C::Guarantee | C::Limit => self.bound_verb(tok),
            C::Version => self.version(tok),
            C::Provider | C::Blueprint | C::Called | C::Intent => self.labelled(tok.class),
            C::As => self.as_word(),
            C::Or => self.or(),
            C::All => {
                if tok.value == WHOLE {
                    self.frame.whole_network = true;
                } else {
                    // "report all"
                    if self.frame.says(C::Show)
                        && (self.at + 1 >= self.toks.len()
                            || matches!(self.class(self.at + 1), C::Stop | C::Quest))
                        && !self.frame.has_thing()
                    {
                        self.frame.whole_network = true;
                        self.at += 1;
                        return;
                    }
                    self.frame.seen.add(C::All);
                    let mut ahead = self.at + 1;
                    while matches!(self.class(ahead), C::The | C::Of) {
                        ahead += 1;
                    }
                    self.frame.stray_all |=
                        !matches!(self.class(ahead), C::Function | C::Name | C::Quoted | C::Pods | C::Noun);
                }
                self.at += 1;
            }
            // Two denials say who knows what.
            C::Forbid | C::Only if self.frame.says(tok.class) => {
                self.frame.seen.add(C::Told);
                self.at += 1;
            }
            C::Pron => {
                // "its latest change": the word stands for the thing already named.
                self.frame.seen.add(C::Pron);
                self.at += 1;
            }
            C::When => {
                self.frame.seen.add(C::When);
                self.frame.trigger = true;
                self.at += 1;
            }
            C::Inventory => {
                self.frame.whole_network = true;
                self.at += 1;
            }
            C::New => {
                self.frame.new_article = true;
                self.frame.seen.add(C::New);
                self.at += 1;
            }
            C::Unknown => self.unknown(),
            C::Become | C::Eq | C::Be | C::Have => {
                let finite = matches!(self.word(self.at), "is" | "are" | "am" | "has" | "being");
                self.frame.seen.add(tok.class);
                self.at += 1;
                if finite && self.class(self.at) != C::To {
                    self.frame.tells = true;
                }
                if tok.class != C::Have {
                    self.value_here(tok.class);
                }
            }
            C::Told if self.out.check && matches!(self.word(self.at), "were" | "was" | "would") => {
                self.at += 1
            }
            C::Run if self.word(self.at) == "running" => {
                self.frame.seen.add(C::Run);
                self.frame.tells = true;
                self.at += 1;
            }
            C::You => {
                self.frame.seen.add(C::You);
                let subject = matches!(self.word(self.at), "we" | "i");
                self.at += 1;
                // "we scaled upf to 5" tells.
                if subject && VERBS.has(self.class(self.at)) && self.word(self.at).ends_with("ed") {
                    self.frame.seen.add(C::Told);
                }
            }
            C::Can => {
                // "could the smf be scaled to 14?"
                if self.out.parts.iter().all(|part| part.is_bare())
                    && self.frame.is_bare()
                    && self.frame.metrics.is_empty()
                {
                    self.out.check = true;
                } else {
                    self.frame.seen.add(C::Can);
                }
                self.at += 1;
            }
            C::Back => {
                // "roll the pcf back"
                if !self.frame.says(C::Undo) {
                    self.frame.seen.add(C::Back);
                }
                self.at += 1;
            }
            class => {
                self.frame.seen.add(class);
                self.at += 1;
            }
        }
    }

    fn priority(&mut self, tok: Tok) {
        let word = self.word(self.at);
        // "an emergency services slice" names a service.
        if word == "emergency"
            && matches!(self.word(self.at + 1), "service" | "services" | "call" | "calls" | "response")
        {
            self.leave(self.at);
            self.at += 2;
            return;
        }
        let priority = match tok.value {
            URGENT => Priority::Urgent,
            HIGH => Priority::High,
            LOW => Priority::Low,
            _ => Priority::Normal,
        };
        if self.out.priority.is_some_and(|old| old != priority) {
            self.out.priorities_differ = true;
        }
        self.out.priority = Some(priority);
        self.at += 1;
    }

    /// Small words between a label and its value.
    fn skip_small(&mut self) {
        while matches!(self.class(self.at), C::Colon | C::Eq | C::Of | C::The | C::Fill | C::A) {
            self.at += 1;
        }
    }

    fn skip_fillers(&mut self) {
        while matches!(self.class(self.at), C::The | C::Fill | C::Colon) {
            self.at += 1;
        }
    }

    fn is_number(&self, at: usize) -> bool {
        number(&self.toks[at.min(self.toks.len())..], self.text).is_some()
    }

    fn article(&mut self) {
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

    fn one_more(&mut self) {
        let span = self.span(self.at);
        self.at += 1;
        self.push(Qty { value: 1.0, more: 1, ..self.blank(span) });
        self.after_number();
    }

    fn blank(&self, span: Span) -> Qty {
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

    fn push(&mut self, mut qty: Qty) {
        qty.approximate = std::mem::take(&mut self.approximate);
        self.frame.quantities.push(qty);
        self.adjacent = true;
    }

    /// A number with its unit and the words that belong to it.
    pub(crate) fn quantity(&mut self, role: Role) {
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

    fn verb_comparison(&self, kind: Kind) -> Option<Cmp> {
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
    fn level(&mut self, first: usize) {
        if first + 1 < self.frame.quantities.len() {
            let second = self.frame.quantities[first + 1];
            if self.frame.quantities[first].kind == Kind::Bare {
                self.frame.quantities[first].kind = second.kind;
            }
        }
    }

    fn last(&mut self) -> &mut Qty {
        self.frame.quantities.last_mut().expect("a number was pushed just before")
    }

    fn after_number(&mut self) {
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
        let qty = self.last();
        if qty.kind == Kind::Bare {
            qty.kind = kind;
        }
        if self.word(self.at) == "each" {
            self.frame.each = true;
            self.at += 1;
        }
    }

    fn to(&mut self) {
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
            C::A | C::Version | C::Cell | C::SliceWord => {
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
    fn plain_value(&self) -> bool {
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

    fn value_ends(&self) -> bool {
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

    fn leave_from_to(&mut self) {
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

    fn approximate_ahead(&self) -> bool {
        self.class(self.at) == C::About && self.is_number(self.at + 1)
    }

    /// A setting was named, and its value was not.
    fn expects_value(&self) -> bool {
        self.frame.value.is_none() && (self.frame.keys.len() == 1 || self.frame.unknown.len() == 1)
    }

    fn take_value(&mut self) {
        let span = self.span(self.at);
        let conflict = &mut self.frame.conflict;
        Frame::set(&mut self.frame.value, span, conflict);
        self.at += 1;
    }

    fn value_after(&mut self) {
        if matches!(self.class(self.at), C::Eq | C::Colon) {
            self.at += 1;
            self.value_here(C::Eq);
        }
    }

    fn value_here(&mut self, after: C) {
        if !self.expects_value() {
            return;
        }
        self.skip_fillers();
        let modal = after != C::Be || self.frame.says(C::Should) || self.frame.says(C::Must);
        if modal && (self.class(self.at) == C::UeNoun || self.plain_value()) && self.value_ends() {
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

    fn preposition(&mut self, prep: C) {
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
    fn leave_preposition(&mut self, prep: C) {
        let next = self.class(self.at + usize::from(matches!(self.class(self.at), C::The | C::A)));
        let ties = match prep {
            C::Of => true,
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
                        | C::Limit
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
        if !ties {
            self.frame.seen.add(prep);
        } else if prep == C::Off || (prep == C::From && next == C::SliceWord) {
            self.frame.seen.add(prep);
        }
    }

    fn switched(&mut self, prep: C) -> bool {
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

    fn direction_in(&self) -> bool {
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

    fn over(&mut self) {
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

    fn out_word(&mut self) {
        self.at += 1;
        if self.class(self.at) == C::Of {
            // "take 9 instances out of the o-cu"
            self.preposition(C::Off);
            return;
        }
        self.frame.seen.add(C::Grow);
        self.frame.seen.add(C::Out);
    }

    fn up_down(&mut self, class: C) {
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

    fn more(&mut self, class: C) {
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

    fn between(&mut self) {
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

    fn times(&mut self) {
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

    fn is_ue(&self, at: usize) -> bool {
        let word = self.word(at);
        ["imsi-", "supi-", "nai-", "gpsi-", "msisdn-", "suci-"].iter().any(|prefix| word.starts_with(prefix))
            || (self.class(at) == C::Number && word.len() >= 10)
    }

    fn mention(&mut self, prep: C) {
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
            if word.starts_with("cell-")
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
        if self.class(self.at) == C::Eq && tok.class == C::Name {
            // "max-sessions=5" is a setting.
            self.frame.mentions.pop();
            self.frame.keys.push(span);
            self.value_after();
        }
    }

    /// "ns X", "namespace: X", "X namespace".
    fn place_word(&mut self) {
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
            self.frame.places.push(Place { kind, span: mention.span, at: mention.at });
        } else if let Some((span, _)) = self.frame.unknown.last().copied().filter(|(_, at)| at + 1 == here) {
            self.frame.unknown.pop();
            self.frame.places.push(Place { kind, span, at: here - 1 });
        } else {
            self.frame.seen.add(if kind == PlaceKind::Namespace { C::Ns } else { C::Cluster });
        }
    }

    fn cells(&mut self, prep: C) {
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

    fn cell_list(&mut self) {
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
    fn is_cell(&self, at: usize) -> bool {
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

    fn tacs(&mut self) {
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

    fn slice(&mut self) {
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

    fn slice_name(&mut self, span: Span) {
        let conflict = &mut self.frame.slice.conflict;
        Frame::set(&mut self.frame.slice.name, span, conflict);
    }

    fn slice_field(&mut self, class: C) {
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
    fn plmn(&mut self) {
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
                self.frame.slice.mcc = Some(span);
                self.frame.slice.mnc = Some(self.span(second));
                self.at = second + 1;
                return;
            }
        }
        if (5..=6).contains(&word.len()) {
            self.frame.slice.mcc = Some(Span { lo: span.lo, hi: span.lo + 3 });
            self.frame.slice.mnc = Some(Span { lo: span.lo + 3, hi: span.hi });
            self.at += 1;
            return;
        }
        self.frame.seen.add(C::Plmn);
    }

    fn span_or_none(&self) -> Option<Span> {
        (self.at < self.toks.len()).then(|| self.span(self.at))
    }

    fn ue(&mut self) {
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

    fn five_qi(&mut self, tok: Tok) {
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

    fn priority_level(&mut self) {
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

    fn metric(&mut self, tok: Tok) {
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

    fn count_noun(&mut self, class: C) {
        self.at += 1;
        self.count_noun_at(class);
    }

    /// "sessions 45k", "session ceiling: 45k": the noun before its number.
    fn count_noun_at(&mut self, class: C) {
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

    fn link(&mut self, direction: LinkDirection) {
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

    fn per(&mut self, tok: Tok) {
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

    fn compare(&mut self, cmp: Cmp, tok: Tok) {
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

    fn bound_verb(&mut self, tok: Tok) {
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

    fn version(&mut self, tok: Tok) {
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

    fn labelled(&mut self, class: C) {
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

    fn as_word(&mut self) {
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

    fn or(&mut self) {
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

    fn unknown(&mut self) {
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
                self.frame.slice.mcc = Some(span);
            } else {
                self.frame.slice.mnc = Some(span);
            }
            self.at += 2;
            return;
        }
        self.leave(here);
        self.at += 1;
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

/// A label of DNS (RFC 1123), in lower case.
pub(crate) fn is_label(word: &str) -> bool {
    nephoran_model::proposal::is_dns_label(word)
}

/// Forms of the past that do not end in "ed".
const IRREGULAR: &[&str] = &[
    "took",
    "taken",
    "gave",
    "given",
    "grew",
    "grown",
    "shrank",
    "shrunk",
    "got",
    "gone",
    "went",
    "came",
    "brought",
    "left",
    "kept",
    "held",
    "sat",
    "ran",
    "rose",
    "fell",
    "threw",
    "withdrew",
    "withdrawn",
    "undid",
    "undone",
    "wound",
    "spun",
    "made",
    "built",
    "drove",
    "driven",
    "stood",
    "thrown",
    "tore",
    "torn",
    "stuck",
    "slid",
];

#[expect(non_snake_case, reason = "reads like the set it asks")]
fn VERBS_SEEN(class: C) -> bool {
    VERBS.has(class) || class == C::Factor
}
