//! Gives each piece of the request its class: folds phrases, joins numbers,
//! keeps reasons whole. Here a word is read once; rules see only tokens.

use crate::lexer::{ARROW, LESS_OR_EQUAL, MORE_OR_EQUAL, Raw, RawKind};
use crate::vocabulary::{C, Entry, TABLE, Table};
use crate::words::unit;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Tok {
    pub(crate) class: C,
    pub(crate) lo: u32,
    pub(crate) hi: u32,
    pub(crate) value: f64,
    /// A number without a fraction, or the single word of a phrase.
    pub(crate) whole: bool,
}

/// Tokens, and what the words of the whole request hint at.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Tok>,
    pub(crate) hints: u16,
    /// Words that no table has.
    pub(crate) strange: u32,
    pub(crate) asked: bool,
}

/// `said` is the request before it was lower-cased: "GB/s" is not "Gb/s".
pub(crate) fn tokens(text: &str, said: &str, raw: &[Raw]) -> Tokens {
    let table = &*TABLE;
    let mut out = Tokens { list: Vec::with_capacity(raw.len() + 4), ..Tokens::default() };
    let mut at = 0;
    while at < raw.len() {
        let piece = raw[at];
        let tok = |class: C, value: f64| Tok { class, lo: piece.lo, hi: piece.hi, value, whole: true };
        match piece.kind {
            RawKind::Sign(sign) => {
                if sign == b'?' {
                    out.asked = true;
                }
                if let Some(folded) = sign_class(sign, raw, at) {
                    // A parenthesis says the same again, or something else.
                    out.list.push(tok(folded, if sign == b'(' { 1.0 } else { 0.0 }));
                }
                at += 1;
            }
            RawKind::Number { value, whole } => {
                // "5 qi", "2 x": a phrase may begin with a digit.
                if let Some(used) = phrase(table, text, raw, at, &mut out) {
                    at += used;
                    continue;
                }
                out.list.push(Tok { whole, ..tok(C::Number, value) });
                at += 1;
            }
            RawKind::Clock => {
                out.list.push(tok(C::Clock, 0.0));
                at += 1;
            }
            RawKind::Quoted => {
                out.list.push(tok(C::Quoted, 0.0));
                at += 1;
            }
            RawKind::Alien => {
                out.strange += 1;
                out.list.push(tok(C::Unknown, 0.0));
                at += 1;
            }
            // "Morning, ..." greets.
            RawKind::Word
                if at == 0
                    && matches!(word_of(text, &piece), "morning" | "afternoon" | "evening")
                    && raw
                        .get(1)
                        .is_some_and(|next| matches!(next.kind, RawKind::Sign(b',' | b'!' | b'-'))) =>
            {
                out.list.push(tok(C::Fill, 0.0));
                at += 1;
            }
            RawKind::Word => {
                if let Some(used) = phrase(table, text, raw, at, &mut out) {
                    at += used;
                    continue;
                }
                single(table, text, piece, &mut out);
                if let Some(tok) = out.list.last_mut()
                    && tok.class == C::Unit
                    && said.get(piece.lo as usize..piece.hi as usize).is_some_and(counts_bytes)
                {
                    tok.value = unit::UNCLEAR;
                }
                at += 1;
            }
        }
    }
    out
}

fn sign_class(sign: u8, raw: &[Raw], at: usize) -> Option<C> {
    let number_before = at > 0 && matches!(raw[at - 1].kind, RawKind::Number { .. });
    let number_after =
        raw.get(at + 1).is_some_and(|next| next.glued && matches!(next.kind, RawKind::Number { .. }));
    Some(match sign {
        b',' | b'(' | b')' => C::Comma,
        b':' => C::Colon,
        // "3-9" is a range; elsewhere a dash parts clauses.
        b'-' if number_before && number_after => C::To,
        b'-' => C::Comma,
        b'.' | b'!' => C::Stop,
        b';' => C::Stop,
        b'?' => C::Quest,
        b'=' => C::Eq,
        b'%' => C::Percent,
        b'&' => C::And,
        b'@' => C::At,
        b'<' => C::Below,
        b'>' => C::Above,
        LESS_OR_EQUAL => C::AtMost,
        MORE_OR_EQUAL => C::AtLeast,
        ARROW => C::To,
        b'*' if raw.get(at + 1).is_some_and(|next| matches!(next.kind, RawKind::Number { .. })) => C::Times,
        b'~' => C::About,
        b'+' if number_after => C::Add,
        b'#' if raw.get(at + 1).is_some_and(|next| next.glued) => return None,
        _ => C::Unknown,
    })
}

fn word_of<'a>(text: &'a str, piece: &Raw) -> &'a str {
    &text[piece.lo as usize..piece.hi as usize]
}

/// Takes the longest phrase that begins here; returns how many pieces it used.
fn phrase(table: &Table, text: &str, raw: &[Raw], at: usize, out: &mut Tokens) -> Option<usize> {
    let first = word_of(text, &raw[at]);
    let entry = table.get(first)?;
    let (from, to) = entry.phrases;
    for candidate in &table.phrases[from as usize..to as usize] {
        let Some(end) = matches(text, raw, at, &candidate.rest) else {
            continue;
        };
        // "must go" retires, "must go to 5" does not.
        if candidate.class == C::Retire
            && candidate.rest.last() == Some(&"go")
            && raw
                .get(end + 1)
                .is_some_and(|next| matches!(next.kind, RawKind::Word | RawKind::Number { .. }))
        {
            continue;
        }
        let mut last = end;
        if candidate.class == C::Motive {
            match reason_end(table, text, raw, end + 1) {
                Some(end) => last = end,
                None => continue,
            }
        }
        for piece in &raw[at..=last] {
            if let Some(entry) = table.get(word_of(text, piece)) {
                out.hints |= entry.hints;
            }
        }
        out.hints |= candidate.hints;
        out.list.push(Tok {
            class: candidate.class,
            lo: raw[at].lo,
            hi: raw[last].hi,
            value: candidate.value,
            whole: candidate.rest.is_empty(),
        });
        return Some(last + 1 - at);
    }
    None
}

fn matches(text: &str, raw: &[Raw], at: usize, rest: &[&str]) -> Option<usize> {
    let mut position = at;
    for word in rest {
        position += 1;
        let piece = raw.get(position)?;
        if word_of(text, piece) != *word {
            return None;
        }
    }
    Some(position)
}

/// A reason runs to the next comma or the end, and holds no number, time,
/// bound, place, condition or verb of action; else it is none.
fn reason_end(table: &Table, text: &str, raw: &[Raw], from: usize) -> Option<usize> {
    let mut last = None;
    for (index, piece) in raw.iter().enumerate().skip(from) {
        match piece.kind {
            RawKind::Sign(b',' | b';' | b'.' | b'!' | b':' | b'-' | b'(' | b')') => break,
            RawKind::Word => {}
            _ => return None,
        }
        let word = word_of(text, piece);
        if matches!(word, "please" | "kindly") {
            break;
        }
        let class = table.get(word).map_or(C::Unknown, |entry| entry.class);
        // What an order is, or how it must be done, is no reason.
        let commands = index == from
            && matches!(class, C::Keep | C::Do | C::Run | C::Give | C::Use | C::Carry | C::Grow | C::Light);
        if commands || NO_REASON.contains(&word) {
            return None;
        }
        let harmless = match class {
            C::Unknown => !word.bytes().any(|b| b.is_ascii_digit() || b == b'-' || b == b'_'),
            C::Fill
            | C::The
            | C::A
            | C::Of
            | C::For
            | C::On
            | C::To
            | C::With
            | C::Up
            | C::And
            | C::Pron
            | C::That
            | C::Be
            | C::Become
            | C::Have
            | C::Should
            | C::Can
            | C::You
            | C::Want
            | C::Do
            | C::There
            | C::Vague
            | C::Few
            | C::Keep
            | C::Light
            | C::Grow
            | C::Carry
            | C::Give
            | C::Use
            | C::Run
            | C::Status
            | C::Alive
            | C::Pods
            | C::Noun
            | C::SliceWord
            | C::Cell
            | C::UeNoun
            | C::Sessions
            | C::Subscribers
            | C::Metric
            | C::Link
            | C::Capacity
            | C::Traffic
            | C::Reliability
            | C::Function
            | C::More
            | C::New
            | C::Latest
            | C::By
            | C::As
            | C::Out => true,
            // "so that users stop complaining"
            C::Unsupported => {
                matches!(word, "stop" | "stops")
                    && raw.get(index + 1).is_some_and(|next| word_of(text, next).ends_with("ing"))
            }
            _ => false,
        };
        if !harmless {
            return None;
        }
        last = Some(index);
    }
    last
}

/// Words that change an order, wherever they stand.
const NO_REASON: &[&str] = &[
    "instead",
    "rather",
    "again",
    "temporarily",
    "slowly",
    "quickly",
    "gradually",
    "urgent",
    "urgently",
    "important",
    "asap",
    "emergency",
    "immediately",
    "except",
    "unless",
    "until",
    "not",
    "never",
    "only",
    "please",
    "instantly",
    "carefully",
    "gently",
];

fn single(table: &Table, text: &str, piece: Raw, out: &mut Tokens) {
    let mut tok = Tok { class: C::Unknown, lo: piece.lo, hi: piece.hi, value: 0.0, whole: true };
    let mut word = word_of(text, &piece);
    let mut entry = table.get(word);
    if entry.is_none()
        && let Some(stem) = word.strip_suffix("'s")
    {
        // "the upf's replicas": the mark of possession is an "of".
        word = stem;
        tok.hi -= 2;
        entry = table.get(word);
    }
    match entry {
        Some(&Entry { class, value, hints, .. }) => {
            out.hints |= hints;
            tok.class = class;
            tok.value = value;
            if class == C::Unknown {
                shape(word, &mut tok, out);
                if tok.class == C::Unknown {
                    // Listed for what it hints at: never taken for a name.
                    tok.value = 1.0;
                }
            }
        }
        None => {
            if let Some((tens, ones)) = word.split_once('-')
                && let (Some(tens), Some(ones)) = (number_word(table, tens), number_word(table, ones))
                && tens >= 20.0
                && ones < 10.0
            {
                tok.class = C::Number;
                tok.value = tens + ones;
            } else {
                shape(word, &mut tok, out);
            }
        }
    }
    if tok.class == C::When && word == "if" {
        tok.value = 1.0;
    }
    out.list.push(tok);
}

fn number_word(table: &Table, word: &str) -> Option<f64> {
    table.get(word).filter(|entry| entry.class == C::Number).map(|entry| entry.value)
}

/// A word that no table has is read by its shape.
fn shape(word: &str, tok: &mut Tok, out: &mut Tokens) {
    let bytes = word.as_bytes();
    let digit = bytes.iter().any(u8::is_ascii_digit);
    if bytes.contains(&b'_')
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    {
        tok.class = C::Key;
    } else if is_version(bytes) {
        tok.class = C::Version;
        tok.value = 1.0;
    } else if let Some(number) = word.strip_prefix("5qi").and_then(|rest| rest.parse::<u16>().ok()) {
        tok.class = C::FiveQi;
        tok.value = f64::from(number) + 1.0;
    } else if let Some(factor) = word.strip_prefix('x').and_then(|rest| rest.parse::<u16>().ok()) {
        tok.class = C::Factor;
        tok.value = f64::from(factor);
    } else if bytes.iter().all(|b| b.is_ascii_digit() || *b == b'-') && bytes.contains(&b'-') {
        // A date is no name.
        tok.class = C::Unknown;
        tok.value = 1.0;
    } else if (digit || bytes.contains(&b'-'))
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    {
        tok.class = C::Name;
    } else {
        tok.class = C::Unknown;
        out.strange += 1;
    }
}

/// `v2`, `v1.5.2`, `1.5.2`, `v3.1-rc1`.
fn is_version(bytes: &[u8]) -> bool {
    let (marked, rest) = match bytes {
        [b'v', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if !rest.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let core = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let dots = rest[..core].iter().filter(|b| **b == b'.').count();
    let tail = &rest[core..];
    let tail_fits = tail.is_empty()
        || (tail[0] == b'-'
            && dots > 0
            && tail.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')));
    tail_fits && (marked || dots >= 2)
}

/// "GB/s", "MBps": a capital B before the "per second" is bytes.
fn counts_bytes(said: &str) -> bool {
    ["B/s", "Bps", "B/S"].iter().any(|tail| said.ends_with(tail))
}
