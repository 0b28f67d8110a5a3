//! Reads tokens into clauses. Each token fills a slot of its clause, or leaves
//! its class or itself behind for the rules to account for.

mod measures;
mod numbers;
mod prepositions;
mod things;
mod verbs;

pub(crate) use verbs::IRREGULAR;

use nephoran_model::proposal::{LinkDirection, Priority};

use crate::frame::{Cmp, Frame, Link, Role, Seen, Span, VERBS};
use crate::phrases::{CHECK_FIRST, POLITE, WE_HAVE, WHOLE};
use crate::tokens::Tok;
use crate::units;
use crate::vocabulary::C;

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
    pub(super) fn class(&self, at: usize) -> C {
        self.toks.get(at).map_or(C::Stop, |tok| tok.class)
    }

    pub(super) fn span(&self, at: usize) -> Span {
        Span { lo: self.toks[at].lo, hi: self.toks[at].hi }
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.toks.get(at).map_or("", |tok| &self.text[tok.lo as usize..tok.hi as usize])
    }

    pub(super) fn finish(&mut self, comma: bool) {
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
    pub(super) fn settle(&mut self) {
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

    pub(super) fn leave(&mut self, at: usize) {
        let span = self.span(at);
        self.frame.unknown.push((span, at));
    }

    pub(super) fn step(&mut self) {
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
            self.second_verb(tok);
        }
        if tok.class == C::Want {
            self.want_form();
        }
        // A modal verb behind an order belongs to nothing: "double the must upf".
        let modal = matches!(tok.class, C::Want | C::Should | C::Must | C::Become | C::Let)
            || tok.class == C::You && matches!(self.word(self.at), "we" | "i");
        if modal && self.frame.base && !self.frame.says(C::Keep) && !self.frame.trigger {
            self.frame.seen.add(C::Told);
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

    pub(super) fn dispatch(&mut self, tok: Tok) {
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
                // "together with smf, scale upf": what is done with smf?
                if self.word(self.at).contains(' ')
                    && self.frame.is_bare()
                    && self.out.parts.iter().all(|part| part.is_bare())
                {
                    self.frame.seen.add(C::Told);
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
            C::Pods => {
                self.frame.loose_pods |=
                    self.at == 0 || !matches!(self.class(self.at - 1), C::Function | C::Name | C::Quoted);
                self.frame.seen.add(C::Pods);
                self.at += 1;
            }
            // "upf number 3" is one of several.
            C::Noun if self.word(self.at) == "number" && self.is_number(self.at + 1) => {
                self.frame.seen.add(C::Told);
                self.at += 1;
            }
            // "cell 5 only for slice 1" says it of the slice.
            C::Only if matches!(self.class(self.at + 1), C::For | C::SliceWord) && tok.value == 0.0 => {
                self.frame.seen.add(C::Told);
                self.at += 1;
            }
            C::Undo if self.frame.says(C::Undo) => {
                self.frame.seen.add(C::Told);
                self.at += 1;
            }
            // "no rush, but ..."
            C::But if self.frame.is_bare() && self.out.parts.iter().all(|part| part.is_bare()) => {
                self.at += 1
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
                    // "scale upf to 5 and can we scale smf?" orders one and asks about the other.
                    if !self.out.check
                        && self.out.parts.iter().any(|part| part.has_thing() && part.has_content())
                    {
                        self.frame.seen.add(C::Told);
                    }
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
                // "three times as big"
                if self.class(self.at) == C::As
                    && matches!(self.word(self.at + 1), "many" | "big" | "large" | "much")
                {
                    self.at += 2;
                }
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
                // "when cpu is above 70 %" sets off; "if you must" says how.
                let mut ahead = self.at + 1;
                while matches!(
                    self.class(ahead),
                    C::The | C::A | C::Link | C::Statistic | C::Max | C::Of | C::Function | C::Name | C::Fill
                ) {
                    ahead += 1;
                }
                if !matches!(self.class(ahead), C::Metric | C::Sessions | C::UeNoun | C::Subscribers | C::Pdu)
                {
                    let says_how = matches!(self.class(ahead), C::You | C::Want | C::Must)
                        || VERBS.has(self.class(ahead));
                    self.frame.seen.add(if says_how { C::Told } else { C::Cond });
                }
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
                // "have smf scaled to 9" orders.
                if self.word(self.at) == "have" && self.frame.is_bare() && self.frame.seen == Seen::default()
                {
                    self.frame.base = true;
                }
                self.frame.seen.add(tok.class);
                self.at += 1;
                if finite && self.class(self.at) != C::To {
                    self.frame.tells = true;
                }
                if tok.class != C::Have {
                    self.value_here(tok.class);
                }
            }
            C::Told if self.out.check && matches!(self.word(self.at), "were" | "was" | "would" | "had") => {
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
                if self.frame.seen == Seen::default()
                    && self.out.parts.iter().all(|part| part.is_bare() && part.seen == Seen::default())
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

    /// Small words between a label and its value.
    pub(super) fn skip_small(&mut self) {
        while matches!(self.class(self.at), C::Colon | C::Eq | C::Of | C::The | C::Fill | C::A) {
            self.at += 1;
        }
    }

    pub(super) fn skip_fillers(&mut self) {
        while matches!(self.class(self.at), C::The | C::Fill | C::Colon) {
            self.at += 1;
        }
    }
}

/// A label of DNS (RFC 1123), in lower case.
pub(crate) fn is_label(word: &str) -> bool {
    nephoran_model::proposal::is_dns_label(word)
}

#[expect(non_snake_case, reason = "reads like the set it asks")]
fn VERBS_SEEN(class: C) -> bool {
    VERBS.has(class) || class == C::Factor
}
