//! What a word is: its class, and what it hints at. The words themselves are
//! data: `words.rs` (single words), `terms.rs` and `phrases.rs` (several words as one).
//!
//! The table is built once, at first use, and holds no sentence.

use std::sync::LazyLock;

use nephoran_model::proposal::Function;

use crate::phrases::PHRASES;
use crate::terms::TERMS;
use crate::words::{FUNCTIONS, HINTS, NUMBERS, VERBS, WORDS};

/// The class of a token. A token that no slot carries leaves its class behind
/// in the clause, and a rule takes a clause only when it allows every class
/// that is there; so each class is one kind of "may this be left unsaid".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum C {
    // Nothing of its own: politeness, and words between others.
    Fill,
    The,
    A,
    Of,
    To,
    In,
    At,
    On,
    For,
    From,
    By,
    With,
    Into,
    Over,
    Off,
    Out,
    Up,
    Down,
    And,
    Then,
    Or,
    But,
    Than,
    As,
    Per,
    Between,
    Comma,
    Colon,
    Eq,
    Stop,
    Quest,
    Pron,
    That,
    Be,
    Become,
    Have,
    Should,
    Must,
    Can,
    You,
    Want,
    Let,
    Do,
    Question,
    HowMany,
    There,
    // Never fillers.
    When,
    Cond,
    Not,
    Only,
    All,
    Both,
    About,
    Few,
    Again,
    Back,
    Vague,
    // Verbs.
    Scale,
    Light,
    Set,
    Put,
    Run,
    Keep,
    Give,
    Use,
    Carry,
    Grow,
    Shrink,
    Add,
    Remove,
    Retire,
    Deploy,
    Create,
    Launch,
    Upgrade,
    Enable,
    Disable,
    Guarantee,
    Limit,
    Prefer,
    Avoid,
    Forbid,
    Steer,
    Undo,
    Show,
    Status,
    Alive,
    Elastic,
    Check,
    // Nouns.
    Pods,
    Noun,
    Ns,
    Cluster,
    Cell,
    Tac,
    SliceWord,
    ServiceWord,
    Sst,
    Sd,
    Plmn,
    UeNoun,
    Sessions,
    Pdu,
    Subscribers,
    Metric,
    Link,
    Max,
    Min,
    AtMost,
    AtLeast,
    Below,
    Above,
    Percent,
    Unit,
    Version,
    Provider,
    Blueprint,
    FiveQi,
    Group,
    PriorityLevel,
    Called,
    Change,
    Intent,
    Capacity,
    Latest,
    Reliability,
    DelayBudget,
    Traffic,
    Statistic,
    // Numbers.
    Number,
    Multiplier,
    Factor,
    Times,
    More,
    Fewer,
    /// Tells what was or will be, and orders nothing.
    Told,
    New,
    Half,
    Switch,
    // Carried elsewhere.
    Priority,
    Motive,
    Function,
    Name,
    Key,
    Quoted,
    // Refused or asked about.
    Unsupported,
    Time,
    Hardware,
    Notify,
    Clock,
    Inventory,
    Unknown,
}

/// What a word hints at, for the checks of the whole request.
pub(crate) mod hint {
    pub(crate) const OVERRIDE: u16 = 1;
    pub(crate) const RULES: u16 = 1 << 1;
    pub(crate) const APPROVAL: u16 = 1 << 2;
    pub(crate) const BYPASS: u16 = 1 << 3;
    pub(crate) const SECRET: u16 = 1 << 4;
    pub(crate) const SHELL: u16 = 1 << 5;
    pub(crate) const EVERYTHING: u16 = 1 << 6;
    pub(crate) const DESTROY: u16 = 1 << 7;
    pub(crate) const NETWORK: u16 = 1 << 8;
    pub(crate) const FOREIGN_TOPIC: u16 = 1 << 9;
    pub(crate) const NEGATION: u16 = 1 << 10;
    pub(crate) const RUN: u16 = 1 << 11;
    pub(crate) const ASKING: u16 = 1 << 12;
    pub(crate) const PERSONA: u16 = 1 << 13;
    /// Tools that are commands only when they are to be run.
    pub(crate) const TOOL: u16 = 1 << 14;
}

/// A word or phrase of the vocabulary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) class: C,
    /// A value that belongs to the class: a number, a unit, a function, a service.
    pub(crate) value: f64,
    pub(crate) hints: u16,
    /// Phrases that begin with this word: a range of the table's phrases.
    pub(crate) phrases: (u16, u16),
}

/// Several words that mean one thing.
#[derive(Debug)]
pub(crate) struct Phrase {
    /// The words after the first.
    pub(crate) rest: Vec<&'static str>,
    pub(crate) class: C,
    pub(crate) value: f64,
    pub(crate) hints: u16,
}

pub(crate) struct Table {
    slots: Vec<Option<(String, Entry)>>,
    pub(crate) phrases: Vec<Phrase>,
}

const SLOTS: usize = 16_384;

pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    pub(crate) fn get(&self, word: &str) -> Option<&Entry> {
        let mut slot = slot(word);
        loop {
            match &self.slots[slot] {
                Some((text, entry)) if text == word => return Some(entry),
                Some(_) => slot = (slot + 1) % SLOTS,
                None => return None,
            }
        }
    }

    fn entry(&mut self, word: &str) -> &mut Entry {
        let mut at = slot(word);
        while self.slots[at].as_ref().is_some_and(|(text, _)| text != word) {
            at = (at + 1) % SLOTS;
        }
        let fresh = Entry { class: C::Unknown, value: 0.0, hints: 0, phrases: (0, 0) };
        &mut self.slots[at].get_or_insert_with(|| (word.to_owned(), fresh)).1
    }

    /// Keeps what a word already is: the tables are listed from exact to general.
    fn define(&mut self, word: &str, class: C, value: f64) {
        let entry = self.entry(word);
        if entry.class == C::Unknown {
            entry.class = class;
            entry.value = value;
        }
    }

    fn build() -> Self {
        let mut table = Self { slots: vec![None; SLOTS], phrases: Vec::new() };
        for (function, words) in FUNCTIONS {
            for word in words.split(' ') {
                table.define(word, C::Function, function_value(*function, true));
                if !word.ends_with('s') {
                    table.define(&format!("{word}s"), C::Function, function_value(*function, true));
                }
            }
        }
        for (value, words) in NUMBERS {
            for word in words.split(' ') {
                table.define(word, C::Number, *value);
            }
        }
        for (class, value, words) in WORDS {
            for word in words.split_ascii_whitespace() {
                table.define(word, *class, *value);
            }
        }
        for (class, words) in VERBS {
            for word in words.split_ascii_whitespace() {
                for form in inflect(word) {
                    table.define(&form, *class, 0.0);
                }
            }
        }
        for (hints, words) in HINTS {
            for word in words.split_ascii_whitespace() {
                table.entry(word).hints |= *hints;
            }
        }
        table.add_phrases();
        table
    }

    fn add_phrases(&mut self) {
        let mut listed: Vec<(&'static str, Phrase)> = Vec::new();
        for (class, value, hints, phrases) in PHRASES.iter().chain(TERMS) {
            for phrase in phrases.split(';').map(str::trim).filter(|p| !p.is_empty()) {
                let mut words = phrase.split_ascii_whitespace();
                let first = words.next().expect("an empty phrase was filtered out");
                let rest = words.collect();
                listed.push((first, Phrase { rest, class: *class, value: *value, hints: *hints }));
            }
        }
        // The longest reading of the same beginning comes first.
        listed.sort_by(|a, b| a.0.cmp(b.0).then(b.1.rest.len().cmp(&a.1.rest.len())));
        let mut from = 0;
        while from < listed.len() {
            let first = listed[from].0;
            let length = listed[from..].iter().take_while(|(word, _)| *word == first).count();
            self.entry(first).phrases = (from as u16, (from + length) as u16);
            from += length;
        }
        self.phrases = listed.into_iter().map(|(_, phrase)| phrase).collect();
    }
}

/// A function as the value of an entry; `named` when the word itself is a name too.
pub(crate) fn function_value(function: Function, named: bool) -> f64 {
    f64::from(function as u8) + if named { 100.0 } else { 0.0 }
}

pub(crate) fn function_of(value: f64) -> (Function, bool) {
    let named = value >= 100.0;
    let index = (if named { value - 100.0 } else { value }) as usize;
    (Function::ALL[index.min(Function::ALL.len() - 1)], named)
}

/// The regular forms of a verb: raise raises raised raising.
fn inflect(verb: &str) -> [String; 4] {
    let (stem, third) = if let Some(stem) = verb.strip_suffix('e') {
        (stem.to_owned(), format!("{verb}s"))
    } else if verb.ends_with('y') && !verb.ends_with("ay") && !verb.ends_with("oy") && !verb.ends_with("ey") {
        (verb.to_owned(), format!("{}ies", &verb[..verb.len() - 1]))
    } else if verb.ends_with("sh") || verb.ends_with("ch") || verb.ends_with('x') || verb.ends_with("ss") {
        (verb.to_owned(), format!("{verb}es"))
    } else {
        (verb.to_owned(), format!("{verb}s"))
    };
    let past = if verb.ends_with('y') && third.ends_with("ies") {
        format!("{}ied", &verb[..verb.len() - 1])
    } else {
        format!("{stem}ed")
    };
    [verb.to_owned(), third, past, format!("{stem}ing")]
}

fn slot(word: &str) -> usize {
    // FNV-1a (public domain): short keys, no state.
    let mut hash: u32 = 0x811c_9dc5;
    for byte in word.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}
