//! Accounts for what a clause says: what a rule does not use makes it ask.

use nephoran_model::proposal::{Missing, RefuseReason};

use crate::frame::{Frame, Seen};
use crate::rules::{COMMON, Problem, Read};

/// The slots of a clause that a rule uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots(u32);

impl Slots {
    pub(crate) const QUANTITIES: Self = Self(1);
    pub(crate) const FACTORS: Self = Self(1 << 1);
    pub(crate) const MENTIONS: Self = Self(1 << 2);
    pub(crate) const CELLS: Self = Self(1 << 3);
    pub(crate) const TACS: Self = Self(1 << 4);
    pub(crate) const SLICE: Self = Self(1 << 5);
    pub(crate) const UE: Self = Self(1 << 6);
    pub(crate) const FIVE_QI: Self = Self(1 << 7);
    pub(crate) const GROUP: Self = Self(1 << 8);
    pub(crate) const METRICS: Self = Self(1 << 9);
    pub(crate) const LINK: Self = Self(1 << 10);
    pub(crate) const STATISTIC: Self = Self(1 << 11);
    pub(crate) const LEVEL: Self = Self(1 << 12);
    pub(crate) const VERSION: Self = Self(1 << 13);
    pub(crate) const PROVIDER: Self = Self(1 << 14);
    pub(crate) const BLUEPRINT: Self = Self(1 << 15);
    pub(crate) const CALLED: Self = Self(1 << 16);
    pub(crate) const INTENT: Self = Self(1 << 17);
    pub(crate) const KEYS: Self = Self(1 << 18);
    pub(crate) const VALUE: Self = Self(1 << 19);
    pub(crate) const SWITCH: Self = Self(1 << 20);
    pub(crate) const WHOLE: Self = Self(1 << 21);
    pub(crate) const TRIGGER: Self = Self(1 << 22);
    pub(crate) const PER_UE: Self = Self(1 << 23);
    pub(crate) const UP_TO: Self = Self(1 << 24);
    pub(crate) const UNKNOWN: Self = Self(1 << 25);
    pub(crate) const CHOICE: Self = Self(1 << 26);
    /// A thing and its place.
    pub(crate) const TARGET: Self = Self(Self::MENTIONS.0 | Self::CALLED.0);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no slot of the clause is filled.
    pub(crate) fn none(frame: &Frame) -> bool {
        Self::filled(frame).0 == 0
    }

    fn filled(frame: &Frame) -> Self {
        let mut mask = 0;
        let mut fill = |slot: Self, is: bool| {
            if is {
                mask |= slot.0;
            }
        };
        fill(Self::QUANTITIES, !frame.quantities.is_empty());
        fill(Self::FACTORS, !frame.factors.is_empty());
        fill(Self::MENTIONS, !frame.mentions.is_empty() || !frame.places.is_empty());
        fill(Self::CELLS, !frame.cells.is_empty());
        fill(Self::TACS, !frame.tacs.is_empty());
        let slice = &frame.slice;
        fill(
            Self::SLICE,
            slice.is_named()
                || slice.sd.is_some()
                || slice.service.is_some()
                || slice.mcc.is_some()
                || slice.mnc.is_some(),
        );
        fill(Self::UE, frame.ue.is_some());
        fill(Self::FIVE_QI, frame.five_qi.is_some());
        fill(Self::GROUP, frame.group.is_some());
        fill(Self::METRICS, !frame.metrics.is_empty());
        fill(Self::LINK, frame.link.is_some());
        fill(Self::STATISTIC, frame.statistic.is_some());
        fill(Self::LEVEL, frame.priority_level.is_some());
        fill(Self::VERSION, frame.version.is_some());
        fill(Self::PROVIDER, frame.provider.is_some());
        fill(Self::BLUEPRINT, frame.blueprint.is_some());
        fill(Self::CALLED, frame.called.is_some());
        fill(Self::INTENT, frame.intent.is_some());
        fill(Self::KEYS, !frame.keys.is_empty());
        fill(Self::VALUE, frame.value.is_some());
        fill(Self::SWITCH, frame.switch.is_some());
        fill(Self::WHOLE, frame.whole_network);
        fill(Self::TRIGGER, frame.trigger);
        fill(Self::PER_UE, frame.per_ue);
        fill(Self::UP_TO, frame.up_to);
        fill(Self::UNKNOWN, !frame.unknown.is_empty());
        fill(Self::CHOICE, frame.choice.is_some());
        Self(mask)
    }
}

/// Everything said is used, or it asks (a condition that no rule carries refuses).
pub(crate) fn account(frame: &Frame, seen: Seen, slots: Slots) -> Read<()> {
    let filled = Slots::filled(frame);
    if let Some(choice) = frame.choice {
        return Err(Problem::ask(choice));
    }
    if frame.each {
        return Err(Problem::ask(Missing::Target));
    }
    if frame.trigger && slots.0 & Slots::TRIGGER.0 == 0 {
        return Err(Problem::Refuse(RefuseReason::Unsupported));
    }
    if filled.0 & !slots.0 != 0 || !frame.seen.within(seen.with(COMMON)) {
        return Err(Problem::ask(Missing::Action));
    }
    Ok(())
}
