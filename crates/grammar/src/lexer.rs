//! Cuts a request into tokens with spans. Knows characters, not meanings.
//!
//! ASCII letters are lower-cased once, in a copy of the same length, so that a
//! span reads both what was said and what is looked up.

/// One piece of the request: bytes `lo..hi` of the lower-cased copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Raw {
    pub(crate) kind: RawKind,
    pub(crate) lo: u32,
    pub(crate) hi: u32,
    /// No white space between this token and the one before it.
    pub(crate) glued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RawKind {
    /// Letters, digits, `_`, and `-` `.` `/` `'` between them.
    Word,
    /// A number in digits; `whole` when it was written without a fraction.
    Number { value: f64, whole: bool },
    /// `18:00`.
    Clock,
    /// What stands between two quotation marks.
    Quoted,
    /// One sign; comparison signs of two characters are folded to one.
    Sign(u8),
    /// Something that no rule reads.
    Alien,
}

/// A code point that the grammar does not read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Foreign(pub(crate) char);

/// `<=` and `>=` as one sign each.
pub(crate) const LESS_OR_EQUAL: u8 = b'l';
pub(crate) const MORE_OR_EQUAL: u8 = b'm';
pub(crate) const ARROW: u8 = b'a';

pub(crate) fn lex(words: &str, out: &mut Vec<Raw>) -> Result<(), Foreign> {
    let bytes = words.as_bytes();
    let mut at = 0;
    let mut spaced = true;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b' ' || byte == b'\t' || byte == b'\n' || byte == b'\r' {
            spaced = true;
            at += 1;
            continue;
        }
        let start = at;
        let kind = if byte.is_ascii_digit() || (starts_signed(bytes, at) && spaced) {
            number_or_word(bytes, &mut at)
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            word(bytes, &mut at);
            RawKind::Word
        } else if byte >= 0x80 {
            match foreign(words, &mut at)? {
                // A curly quotation mark closes with its partner.
                b'"' => quoted(words, start, &mut at, out, !spaced)?,
                sign => RawKind::Sign(sign),
            }
        } else if byte < 0x20 || byte == 0x7f {
            return Err(Foreign(char::from(byte)));
        } else if byte == b'"' || byte == b'`' || (byte == b'\'' && opens_single(bytes, at)) {
            at += 1;
            quoted(words, start, &mut at, out, !spaced)?
        } else {
            at += 1;
            RawKind::Sign(sign(bytes, start, &mut at))
        };
        if let RawKind::Sign(0) = kind {
            // The symbol is no letter; it is left over like an unknown word.
            out.push(Raw { kind: RawKind::Alien, lo: start as u32, hi: at as u32, glued: !spaced });
        } else if kind != RawKind::Quoted {
            out.push(Raw { kind, lo: start as u32, hi: at as u32, glued: !spaced });
        }
        spaced = false;
    }
    Ok(())
}

fn starts_signed(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'-' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
}

fn opens_single(bytes: &[u8], at: usize) -> bool {
    (at == 0 || !bytes[at - 1].is_ascii_alphanumeric())
        && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
        && bytes[at + 1..]
            .iter()
            .position(|b| *b == b'\'')
            .is_some_and(|end| bytes[at + 1..at + 1 + end].iter().all(|b| !b.is_ascii_whitespace()))
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn word(bytes: &[u8], at: &mut usize) {
    while *at < bytes.len() {
        let byte = bytes[*at];
        let joins = matches!(byte, b'-' | b'.' | b'/' | b'\'')
            && bytes.get(*at + 1).copied().is_some_and(is_word_byte);
        if !is_word_byte(byte) && !joins {
            break;
        }
        *at += 1;
    }
}

fn number_or_word(bytes: &[u8], at: &mut usize) -> RawKind {
    let start = *at;
    if bytes[start] == b'-' {
        *at += 1;
    }
    let digits = |at: &mut usize| {
        let from = *at;
        while *at < bytes.len() && bytes[*at].is_ascii_digit() {
            *at += 1;
        }
        *at - from
    };
    let first = digits(at);
    let mut grouped = false;
    if first <= 3 {
        // 10,000 is one number; "610, 611" and "610,611,6" are not.
        let mut ahead = *at;
        while bytes.get(ahead) == Some(&b',') {
            let mut end = ahead + 1;
            if digits(&mut end) == 3 && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
                ahead = end;
                grouped = true;
            } else {
                grouped = false;
                break;
            }
        }
        if grouped {
            *at = ahead;
        }
    }
    if bytes.get(*at) == Some(&b':') && bytes.get(*at + 1).is_some_and(u8::is_ascii_digit) {
        *at += 1;
        digits(at);
        return RawKind::Clock;
    }
    let mut whole = true;
    if bytes.get(*at) == Some(&b'.') && bytes.get(*at + 1).is_some_and(u8::is_ascii_digit) {
        *at += 1;
        digits(at);
        whole = false;
        if bytes.get(*at) == Some(&b'.') && bytes.get(*at + 1).is_some_and(u8::is_ascii_digit) {
            word(bytes, at);
            return RawKind::Word;
        }
    }
    let end = *at;
    if bytes.get(end).copied().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-') {
        // "64k", "10Gbps", "70%": the unit becomes a token of its own; "5qi", "3gpp-x", "00c0de" stay whole.
        let mut rest = end;
        word(bytes, &mut rest);
        if bytes[end] == b'-' && rest > end + 1 && bytes[end + 1..rest].iter().all(u8::is_ascii_digit) {
            // "3-9" is a range.
            return value(&bytes[start..end], whole);
        }
        if rest == end || (bytes[end] != b'-' && is_glued_unit(&bytes[end..rest])) {
            return value(&bytes[start..end], whole);
        }
        if bytes[end] == b'-' && bytes.get(end + 1).is_none_or(|b| !is_word_byte(*b)) {
            return value(&bytes[start..end], whole);
        }
        *at = rest;
        return RawKind::Word;
    }
    value(&bytes[start..end], whole)
}

fn value(digits: &[u8], whole: bool) -> RawKind {
    // Beyond 15 digits a number is no longer the one that was written.
    if digits.len() > 16 {
        return RawKind::Alien;
    }
    let mut value: f64 = 0.0;
    let mut scale = 0.0;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value * 10.0 + f64::from(byte - b'0');
                scale *= 10.0;
            }
            b'.' => scale = 1.0,
            _ => {}
        }
    }
    if scale > 1.0 {
        value /= scale;
    }
    if digits.first() == Some(&b'-') {
        value = -value;
    }
    RawKind::Number { value, whole }
}

fn is_glued_unit(suffix: &[u8]) -> bool {
    const UNITS: &[&str] = &[
        "k", "m", "x", "ms", "msec", "s", "sec", "secs", "min", "mins", "h", "hr", "hrs", "kbps", "mbps",
        "gbps", "kbit", "mbit", "gbit", "kbit/s", "mbit/s", "gbit/s", "kb/s", "mb/s", "gb/s", "mb", "gb",
        "g", "w", "kw", "kwh", "wh", "fold", "th", "st", "nd", "rd", "am", "pm", "gig", "meg", "mbits",
        "gbits", "tbps", "bps", "kb", "d", "pods", "replicas", "us", "gig/s", "mbits/s", "gbits/s", "mn",
        "mio", "gib", "mib",
    ];
    std::str::from_utf8(suffix).is_ok_and(|suffix| UNITS.contains(&suffix))
}

/// Reads `"..."` up to its end; without an end the mark is an unknown sign.
fn quoted(
    words: &str,
    start: usize,
    at: &mut usize,
    out: &mut Vec<Raw>,
    glued: bool,
) -> Result<RawKind, Foreign> {
    let open = words[start..].chars().next().unwrap_or('"');
    let close = match open {
        '\u{201c}' | '\u{201e}' => '\u{201d}',
        '\u{2018}' => '\u{2019}',
        '\u{ab}' => '\u{bb}',
        other => other,
    };
    let inner = *at;
    let end = words[inner..].find(|c| c == close || (open == '\u{201e}' && c == '\u{201c}'));
    match end {
        Some(length) => {
            let hi = inner + length;
            out.push(Raw { kind: RawKind::Quoted, lo: inner as u32, hi: hi as u32, glued });
            *at = hi + words[hi..].chars().next().map_or(1, char::len_utf8);
            Ok(RawKind::Quoted)
        }
        None => Ok(RawKind::Sign(0)),
    }
}

/// Folds typographic punctuation to its ASCII sign (0 for other symbols);
/// a letter, digit, format or control character stops the reading.
fn foreign(words: &str, at: &mut usize) -> Result<u8, Foreign> {
    let Some(character) = words[*at..].chars().next() else {
        return Ok(0);
    };
    *at += character.len_utf8();
    match character {
        '\u{2013}' | '\u{2014}' | '\u{2212}' => Ok(b'-'),
        '\u{2026}' => Ok(b'.'),
        '\u{201c}' | '\u{201e}' | '\u{ab}' | '\u{2018}' => Ok(b'"'),
        '\u{2192}' => Ok(ARROW),
        '\u{2264}' => Ok(LESS_OR_EQUAL),
        '\u{2265}' => Ok(MORE_OR_EQUAL),
        '\u{d7}' => Ok(b'*'),
        // Currency, arrows, mathematical and other symbols, dingbats: no letters.
        '\u{20a0}'..='\u{20cf}'
        | '\u{2190}'..='\u{23ff}'
        | '\u{2500}'..='\u{27bf}'
        | '\u{1f300}'..='\u{1faff}' => Ok(0),
        '\u{2019}' | '\u{201d}' | '\u{bb}' | '\u{a7}' | '\u{b0}' | '\u{b1}' | '\u{b7}' => Ok(0),
        _ => Err(Foreign(character)),
    }
}

fn sign(bytes: &[u8], start: usize, at: &mut usize) -> u8 {
    let next = bytes.get(start + 1).copied();
    let folded = match (bytes[start], next) {
        (b'<', Some(b'=')) => LESS_OR_EQUAL,
        (b'>', Some(b'=')) => MORE_OR_EQUAL,
        (b'-' | b'=', Some(b'>')) => ARROW,
        (b'-', Some(b'-')) | (b'.', Some(b'.')) | (b'!', Some(b'!')) | (b'?', Some(b'?' | b'!')) => {
            while bytes.get(*at).is_some_and(|b| matches!(b, b'-' | b'.' | b'!' | b'?')) {
                *at += 1;
            }
            return bytes[start];
        }
        (byte, _) => return byte,
    };
    *at += 1;
    folded
}
