//! What one clause says, in slots. A word fills a slot or leaves its class in
//! `seen`; a rule takes a clause only when it can use all of both.

use nephoran_model::proposal::{Function, LinkDirection, Missing};

use crate::vocabulary::C;

/// A set of classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen([u64; 3]);

impl Seen {
    pub(crate) const fn of(classes: &[C]) -> Self {
        let mut set = [0_u64; 3];
        let mut at = 0;
        while at < classes.len() {
            let bit = classes[at] as usize;
            set[bit / 64] |= 1 << (bit % 64);
            at += 1;
        }
        Self(set)
    }

    pub(crate) fn add(&mut self, class: C) {
        self.0[class as usize / 64] |= 1 << (class as usize % 64);
    }

    pub(crate) fn drop(&mut self, class: C) {
        self.0[class as usize / 64] &= !(1 << (class as usize % 64));
    }

    pub(crate) fn has(&self, class: C) -> bool {
        self.0[class as usize / 64] & (1 << (class as usize % 64)) != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1], self.0[2] | other.0[2]])
    }

    pub(crate) fn any(&self, other: Self) -> bool {
        (0..3).any(|word| self.0[word] & other.0[word] != 0)
    }

    pub(crate) fn common(&self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1], self.0[2] & other.0[2]])
    }

    /// Whether every class here is among `allowed`.
    pub(crate) fn within(&self, allowed: Self) -> bool {
        (0..3).all(|word| self.0[word] & !allowed.0[word] == 0)
    }
}

/// Bytes of the lower-cased request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) lo: u32,
    pub(crate) hi: u32,
}

impl Span {
    pub(crate) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.lo as usize..self.hi as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Bare,
    Pods,
    Percent,
    Rate(u8),
    /// Bytes, or no "per second".
    Unclear,
    Time(u8),
    Power(u8),
    Sessions,
    Pdu,
    Subscribers,
    Ues,
    Times,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    None,
    To,
    From,
    By,
    For,
    With,
    At,
    On,
    Of,
    /// The two ends of "between 2 and 5", "3 to 9".
    Low,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cmp {
    Below,
    AtMost,
    Above,
    AtLeast,
    Guaranteed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    One(LinkDirection),
    Both,
}

/// A number with all that was said about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Qty {
    pub(crate) value: f64,
    pub(crate) whole: bool,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    pub(crate) cmp: Option<Cmp>,
    pub(crate) link: Option<Link>,
    pub(crate) per_ue: bool,
    /// 1: "3 more"; -1: "3 fewer".
    pub(crate) more: i8,
    pub(crate) before_target: bool,
    /// The metric named just before it.
    pub(crate) metric: Option<u8>,
    pub(crate) approximate: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Named {
    Function(Function, bool),
    Name,
    Quoted,
    /// A plain word that no table has.
    Word,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mention {
    pub(crate) named: Named,
    /// The preposition before it; `C::Fill` for none.
    pub(crate) prep: C,
    pub(crate) span: Span,
    pub(crate) at: usize,
    pub(crate) article: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceKind {
    Namespace,
    Cluster,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) kind: PlaceKind,
    pub(crate) span: Span,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SliceSaid {
    pub(crate) name: Option<Span>,
    pub(crate) sst: Option<f64>,
    pub(crate) sd: Option<Span>,
    pub(crate) service: Option<u8>,
    pub(crate) mcc: Option<Span>,
    pub(crate) mnc: Option<Span>,
    pub(crate) conflict: bool,
}

impl SliceSaid {
    pub(crate) fn is_named(&self) -> bool {
        self.name.is_some() || self.sst.is_some()
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    pub(crate) seen: Seen,
    pub(crate) quantities: Vec<Qty>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) places: Vec<Place>,
    pub(crate) cells: Vec<Span>,
    pub(crate) tacs: Vec<Span>,
    pub(crate) slice: SliceSaid,
    pub(crate) ue: Option<Span>,
    pub(crate) five_qi: Option<f64>,
    pub(crate) group: Option<Span>,
    pub(crate) metrics: Vec<u8>,
    pub(crate) link: Option<Link>,
    pub(crate) statistic: Option<u8>,
    pub(crate) factors: Vec<f64>,
    pub(crate) priority_level: Option<f64>,
    pub(crate) version: Option<Span>,
    pub(crate) provider: Option<Span>,
    pub(crate) blueprint: Option<Span>,
    pub(crate) called: Option<Span>,
    pub(crate) intent: Option<Span>,
    pub(crate) keys: Vec<Span>,
    pub(crate) value: Option<Span>,
    pub(crate) switch: Option<bool>,
    pub(crate) unknown: Vec<(Span, usize)>,
    pub(crate) choice: Option<Missing>,
    pub(crate) choice_at: usize,
    /// A slot was filled twice with different things.
    pub(crate) conflict: bool,
    pub(crate) whole_network: bool,
    /// "when cpu is above 70 %".
    pub(crate) trigger: bool,
    /// First token, first verb, first target: for what is shared by position.
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) verb_at: Option<usize>,
    pub(crate) new_article: bool,
    pub(crate) cell_prep: Option<C>,
    pub(crate) comparison_verb: Option<Cmp>,
    pub(crate) per_ue: bool,
    pub(crate) after_comma: bool,
    pub(crate) after_stop: bool,
    pub(crate) up_to: bool,
    pub(crate) slice_at: Option<usize>,
    /// "5 each".
    pub(crate) each: bool,
    /// "max cpu": a statistic when another comparison follows.
    pub(crate) max_metric: bool,
    /// "is", "has", "running": tells a state, unless a modal verb is there too.
    pub(crate) tells: bool,
    /// Orders in this part.
    pub(crate) orders: u8,
    /// A plain word where a setting's name would stand.
    pub(crate) plain_key: Option<usize>,
    /// "pod 3", "pods": the noun without a count or a name before it.
    pub(crate) loose_pods: bool,
    /// Forms of the verbs: "scale" orders, "scales" and "scaled" tell.
    pub(crate) base: bool,
    pub(crate) third: bool,
    pub(crate) past: bool,
    pub(crate) verb_lo: Option<u32>,
    pub(crate) after_parenthesis: bool,
    /// A plain word right behind "deploy" or "install": a blueprint.
    pub(crate) plain_blueprint: bool,
    /// "all" without a thing behind it.
    pub(crate) stray_all: bool,
    /// A plain word right behind a verb, where a name would stand.
    pub(crate) plain_at: Option<usize>,
}

/// Classes that begin a clause of their own.
pub(crate) const VERBS: Seen = Seen::of(&[
    C::Scale,
    C::Light,
    C::Set,
    C::Put,
    C::Run,
    C::Keep,
    C::Give,
    C::Use,
    C::Carry,
    C::Grow,
    C::Shrink,
    C::Add,
    C::Remove,
    C::Retire,
    C::Deploy,
    C::Create,
    C::Launch,
    C::Upgrade,
    C::Enable,
    C::Disable,
    C::Guarantee,
    C::Limit,
    C::Prefer,
    C::Avoid,
    C::Forbid,
    C::Steer,
    C::Undo,
    C::Show,
    C::Elastic,
    C::Unsupported,
    C::Notify,
    C::HowMany,
]);

impl Frame {
    pub(crate) fn says(&self, class: C) -> bool {
        self.seen.has(class)
    }

    pub(crate) fn says_pods(&self) -> bool {
        self.says(C::Pods) || self.quantities.iter().any(|qty| qty.kind == Kind::Pods)
    }

    pub(crate) fn has_verb(&self) -> bool {
        self.seen.any(VERBS) || !self.factors.is_empty()
    }

    /// A mention that can only be the thing acted on.
    pub(crate) fn has_own_target(&self) -> bool {
        self.mentions.iter().any(|mention| match mention.named {
            Named::Function(..) | Named::Quoted => !matches!(mention.prep, C::In | C::At | C::Into),
            Named::Name => matches!(mention.prep, C::Fill | C::Of),
            Named::Word => false,
        }) || self.called.is_some()
    }

    pub(crate) fn has_thing(&self) -> bool {
        self.has_own_target()
            || self
                .mentions
                .iter()
                .any(|m| matches!(m.prep, C::On | C::For | C::From | C::To | C::Off | C::With))
            || !self.cells.is_empty()
            || self.slice.is_named()
            || self.ue.is_some()
            || self.five_qi.is_some()
            || self.intent.is_some()
            || self.blueprint.is_some()
            || self.whole_network
    }

    pub(crate) fn has_content(&self) -> bool {
        !self.quantities.is_empty()
            || !self.factors.is_empty()
            || self.version.is_some()
            || self.value.is_some()
            || self.switch.is_some()
    }

    pub(crate) fn is_bare(&self) -> bool {
        !self.has_verb() && crate::account::Slots::none(self)
    }

    pub(crate) fn set<T: Copy + PartialEq>(slot: &mut Option<T>, value: T, conflict: &mut bool) {
        if slot.is_some_and(|old| old != value) {
            *conflict = true;
        }
        *slot = Some(value);
    }

    /// Takes over what a further part of the same clause says.
    pub(crate) fn join(&mut self, other: Self) {
        self.seen = self.seen.with(other.seen);
        self.quantities.extend(other.quantities);
        self.mentions.extend(other.mentions);
        self.places.extend(other.places);
        self.cells.extend(other.cells);
        self.tacs.extend(other.tacs);
        self.metrics.extend(other.metrics);
        self.factors.extend(other.factors);
        self.keys.extend(other.keys);
        self.unknown.extend(other.unknown);
        let conflict = &mut self.conflict;
        macro_rules! slots {
            ($($slot:expr, $other:expr;)*) => {$( if let Some(value) = $other { Self::set(&mut $slot, value, conflict); } )*};
        }
        slots! {
            self.slice.name, other.slice.name;
            self.slice.sst, other.slice.sst;
            self.slice.sd, other.slice.sd;
            self.slice.service, other.slice.service;
            self.slice.mcc, other.slice.mcc;
            self.slice.mnc, other.slice.mnc;
            self.ue, other.ue;
            self.five_qi, other.five_qi;
            self.group, other.group;
            self.link, other.link;
            self.statistic, other.statistic;
            self.priority_level, other.priority_level;
            self.version, other.version;
            self.provider, other.provider;
            self.blueprint, other.blueprint;
            self.called, other.called;
            self.intent, other.intent;
            self.value, other.value;
            self.switch, other.switch;
        }
        if self.choice.is_none() {
            self.choice = other.choice;
            self.choice_at = other.choice_at;
        }
        self.conflict |= other.conflict;
        self.slice.conflict |= other.slice.conflict;
        self.whole_network |= other.whole_network;
        self.trigger |= other.trigger;
        self.new_article |= other.new_article;
        self.per_ue |= other.per_ue;
        self.up_to |= other.up_to;
        self.each |= other.each;
        self.max_metric |= other.max_metric;
        self.tells |= other.tells;
        self.plain_key = self.plain_key.or(other.plain_key);
        self.loose_pods |= other.loose_pods;
        self.third |= other.third && !self.base;
        self.past |= other.past && !self.base;
        self.base |= other.base;
        self.verb_lo = self.verb_lo.or(other.verb_lo);
        self.plain_blueprint |= other.plain_blueprint;
        self.stray_all |= other.stray_all;
        self.plain_at = self.plain_at.or(other.plain_at);
        self.last = other.last;
        self.verb_at = self.verb_at.or(other.verb_at);
        self.cell_prep = self.cell_prep.or(other.cell_prep);
        self.slice_at = self.slice_at.or(other.slice_at);
    }
}
