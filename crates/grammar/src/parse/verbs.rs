//! Forms of verbs: what orders, and what only tells; how urgent it is.

use nephoran_model::proposal::Priority;

use super::Reader;
use crate::frame::Seen;
use crate::phrases::{HIGH, LOW, URGENT};
use crate::tokens::Tok;
use crate::vocabulary::C;

/// Forms of the past that do not end in "ed".
pub(crate) const IRREGULAR: &[&str] = &[
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

impl Reader<'_> {
    /// "scale" orders; "scales", "scaled", "took" tell, unless a modal verb, a
    /// passive or an order stands before.
    pub(super) fn verb_form(&mut self, tok: Tok) {
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
            // "amf scales out when ..." tells what it does by itself.
            if matches!(tok.class, C::Scale | C::Grow | C::Shrink | C::Add) && !self.out.check {
                self.frame.seen.add(C::Told);
            }
        } else {
            self.frame.base = true;
        }
    }

    /// Two orders in one part, with nothing between them: "move scale upf to 5".
    pub(super) fn second_verb(&mut self, tok: Tok) {
        const ORDERS: Seen = Seen::of(&[
            C::Scale,
            C::Light,
            C::Set,
            C::Put,
            C::Run,
            C::Use,
            C::Carry,
            C::Give,
            C::Grow,
            C::Shrink,
            C::Add,
            C::Remove,
            C::Retire,
            C::Deploy,
            C::Create,
            C::Launch,
            C::Upgrade,
            C::Steer,
        ]);
        // "good for 30k sessions" says what it can carry.
        if !ORDERS.has(tok.class) || tok.class == C::Carry && !tok.whole {
            return;
        }
        let first = self.word(self.at).split(' ').next().unwrap_or_default();
        let participle = first.ends_with("ed") || first.ends_with("ing") || IRREGULAR.contains(&first);
        let tied = self.at > 0
            && matches!(
                self.class(self.at - 1),
                C::To | C::And | C::Comma | C::Colon | C::Keep | C::Be | C::Only | C::Must | C::Forbid
            );
        let softened = self.frame.seen.any(Seen::of(&[
            C::Keep,
            C::Prefer,
            C::Avoid,
            C::Forbid,
            C::Show,
            C::Undo,
            C::Elastic,
            C::When,
            C::Must,
            C::Only,
            C::Unsupported,
            C::Notify,
        ]));
        let out_of = first == "out" && !self.frame.says(C::Retire) && !self.frame.says(C::Remove);
        if self.frame.orders > 0 && !out_of && !participle && !tied && !softened {
            self.frame.seen.add(C::Told);
        }
        self.frame.orders += 1;
    }

    pub(super) fn want_form(&mut self) {
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

    pub(super) fn priority(&mut self, tok: Tok) {
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
}
