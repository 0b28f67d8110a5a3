//! Numbers in digits and words: "twenty one", "1.5 million", "64k", "half a dozen".

use crate::tokens::Tok;
use crate::vocabulary::C;

/// A number and how many tokens it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) whole: bool,
    pub(crate) used: usize,
}

/// Reads a number that begins at the first of `tokens`.
pub(crate) fn number(tokens: &[Tok], text: &str) -> Option<Number> {
    let first = tokens.first()?;
    match first.class {
        C::Number => {}
        // "a dozen", "a hundred", "a million"; "k" needs its number.
        C::A if tokens.get(1).is_some_and(|next| next.class == C::Multiplier && spelled(next, text)) => {
            let rest = multiplied(1.0, tokens, 1, text);
            return Some(rest);
        }
        // "minus six"
        C::Multiplier if first.value < 0.0 => {
            let rest = number(&tokens[1..], text)?;
            return Some(Number { value: -rest.value, whole: rest.whole, used: rest.used + 1 });
        }
        C::Multiplier if spelled(first, text) => return Some(multiplied(1.0, tokens, 0, text)),
        C::Half
            if tokens.get(1).is_some_and(|next| next.class == C::A)
                && tokens.get(2).is_some_and(|next| next.class == C::Multiplier) =>
        {
            let multiplier = tokens[2].value;
            return Some(Number { value: multiplier / 2.0, whole: true, used: 3 });
        }
        _ => return None,
    }
    let mut value = first.value;
    let mut used = 1;
    let in_words = in_letters(first, text);
    if in_words {
        // "twenty one"
        if value >= 20.0
            && value % 10.0 == 0.0
            && let Some(next) = tokens.get(1)
            && next.class == C::Number
            && in_letters(next, text)
            && (1.0..10.0).contains(&next.value)
        {
            value += next.value;
            used = 2;
        }
    }
    let mut whole = first.whole;
    // "one and a half million"
    if tokens.get(used).is_some_and(|t| t.class == C::And)
        && tokens.get(used + 1).is_some_and(|t| t.class == C::A)
        && tokens.get(used + 2).is_some_and(|t| t.class == C::Half)
    {
        value += 0.5;
        whole = false;
        used += 3;
    }
    let after = tokens.get(used).map(|t| t.class);
    if after == Some(C::Multiplier) {
        let number = multiplied(value, tokens, used, text);
        return Some(number);
    }
    Some(Number { value, whole, used })
}

/// "two hundred and five thousand": multipliers from `used` on.
fn multiplied(mut value: f64, tokens: &[Tok], mut used: usize, text: &str) -> Number {
    while let Some(next) = tokens.get(used) {
        if next.class != C::Multiplier {
            break;
        }
        value *= next.value;
        used += 1;
        // "one hundred and five", "two hundred twenty"
        if next.value == 100.0 || next.value == 1_000.0 && spelled(next, text) {
            let mut ahead = used;
            if tokens.get(ahead).is_some_and(|t| t.class == C::And) {
                ahead += 1;
            }
            if let Some(small) = tokens.get(ahead)
                && small.class == C::Number
                && in_letters(small, text)
            {
                let rest = number(&tokens[ahead..], text);
                if let Some(rest) = rest
                    && rest.value < next.value
                {
                    value += rest.value;
                    used = ahead + rest.used;
                }
            }
        }
    }
    Number { value, whole: value.fract() == 0.0, used }
}

fn in_letters(token: &Tok, text: &str) -> bool {
    text.as_bytes().get(token.lo as usize).is_some_and(u8::is_ascii_alphabetic)
}

fn spelled(token: &Tok, _text: &str) -> bool {
    token.hi - token.lo > 2
}
