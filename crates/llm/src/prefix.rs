//! Judges an answer while it is still being written: a beginning that can no longer become one JSON
//! object ends the call, and what it would have cost.

/// Objects and lists inside one another; the schema needs seven.
const MAX_DEPTH: u32 = 32;

/// Spaces in a row. Constrained models that lost their way write nothing else.
const MAX_SPACES: u32 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A value has to begin; `true` when the list may also end here.
    Value(bool),
    /// A key has to begin; `true` when the object may also end here.
    Key(bool),
    Colon,
    CommaOrEnd,
    Text {
        key: bool,
    },
    Escape {
        key: bool,
    },
    /// So many hex digits are still to come.
    Hex {
        key: bool,
        left: u8,
    },
    Number(Number),
    Literal(&'static [u8]),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Whole,
    Dot,
    Fraction,
    Exponent,
    Sign,
    Power,
}

/// What is wrong with the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoObject,
    NoJson,
    TooDeep,
    OnlySpaces,
}

/// Reads a JSON object byte by byte.
#[derive(Debug)]
pub(crate) struct Prefix {
    state: State,
    /// One bit a level: whether it is an object.
    objects: u64,
    depth: u32,
    spaces: u32,
}

impl Default for Prefix {
    fn default() -> Self {
        Self { state: State::Value(false), objects: 0, depth: 0, spaces: 0 }
    }
}

impl Prefix {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        bytes.iter().try_for_each(|byte| self.byte(*byte))
    }

    /// Whether the object is closed.
    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::End
    }

    fn byte(&mut self, byte: u8) -> Result<(), Fault> {
        let space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.spaces = if space { self.spaces + 1 } else { 0 };
        if self.spaces > MAX_SPACES {
            return Err(Fault::OnlySpaces);
        }
        self.state = match self.state {
            State::Text { key } => match byte {
                b'"' if key => State::Colon,
                b'"' => State::CommaOrEnd,
                b'\\' => State::Escape { key },
                0..0x20 => return Err(Fault::NoJson),
                _ => State::Text { key },
            },
            State::Escape { key } => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::Text { key },
                b'u' => State::Hex { key, left: 4 },
                _ => return Err(Fault::NoJson),
            },
            State::Hex { key, left } if byte.is_ascii_hexdigit() => match left {
                1 => State::Text { key },
                _ => State::Hex { key, left: left - 1 },
            },
            State::Hex { .. } => return Err(Fault::NoJson),
            State::Literal(rest) => match rest {
                [next] if *next == byte => State::CommaOrEnd,
                [next, rest @ ..] if *next == byte => State::Literal(rest),
                _ => return Err(Fault::NoJson),
            },
            State::Number(number) => match number.next(byte)? {
                Some(number) => State::Number(number),
                // The byte after a number belongs to what is around it.
                None if space => State::CommaOrEnd,
                None => self.comma_or_end(byte)?,
            },
            state if space => state,
            State::Value(may_end) => self.value(byte, may_end)?,
            State::Key(may_end) => match byte {
                b'"' => State::Text { key: true },
                b'}' if may_end => self.close(true)?,
                _ => return Err(Fault::NoJson),
            },
            State::Colon if byte == b':' => State::Value(false),
            State::Colon | State::End => return Err(Fault::NoJson),
            State::CommaOrEnd => self.comma_or_end(byte)?,
        };
        Ok(())
    }

    fn value(&mut self, byte: u8, may_end: bool) -> Result<State, Fault> {
        if self.depth == 0 && byte != b'{' {
            return Err(Fault::NoObject);
        }
        Ok(match byte {
            b'{' => {
                self.open(true)?;
                State::Key(true)
            }
            b'[' => {
                self.open(false)?;
                State::Value(true)
            }
            b']' if may_end => self.close(false)?,
            b'"' => State::Text { key: false },
            b'-' => State::Number(Number::Minus),
            b'0' => State::Number(Number::Zero),
            b'1'..=b'9' => State::Number(Number::Whole),
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            _ => return Err(Fault::NoJson),
        })
    }

    fn comma_or_end(&mut self, byte: u8) -> Result<State, Fault> {
        let object = self.objects & 1 == 1;
        Ok(match byte {
            b',' if object => State::Key(false),
            b',' => State::Value(false),
            b'}' => self.close(true)?,
            b']' => self.close(false)?,
            _ => return Err(Fault::NoJson),
        })
    }

    fn open(&mut self, object: bool) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(object);
        Ok(())
    }

    fn close(&mut self, object: bool) -> Result<State, Fault> {
        if (self.objects & 1 == 1) != object {
            return Err(Fault::NoJson);
        }
        self.objects >>= 1;
        self.depth -= 1;
        Ok(if self.depth == 0 { State::End } else { State::CommaOrEnd })
    }
}

impl Number {
    /// The state after `byte`, or `None` when the number ended before it.
    fn next(self, byte: u8) -> Result<Option<Self>, Fault> {
        let digit = byte.is_ascii_digit();
        Ok(Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus | Self::Whole, _) if digit => Self::Whole,
            (Self::Dot | Self::Fraction, _) if digit => Self::Fraction,
            (Self::Exponent | Self::Sign | Self::Power, _) if digit => Self::Power,
            (Self::Zero | Self::Whole, b'.') => Self::Dot,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Zero, _) if digit => return Err(Fault::NoJson),
            (Self::Zero | Self::Whole | Self::Fraction | Self::Power, _) => return Ok(None),
            _ => return Err(Fault::NoJson),
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn verdict(text: &str) -> Result<bool, Fault> {
        let mut prefix = Prefix::default();
        prefix.feed(text.as_bytes()).map(|()| prefix.is_whole())
    }

    #[test]
    fn a_beginning_that_cannot_become_an_object_is_told_at_once() {
        for (text, expected) in [
            ("{\"a\": [1, -2.5e+3, true, null, \"\\u00e9\\n\"], \"b\": {}} \n", Ok(true)),
            ("  {", Ok(false)),
            ("", Ok(false)),
            ("{\"a\":1", Ok(false)),
            ("I am sorry", Err(Fault::NoObject)),
            ("```json\n{", Err(Fault::NoObject)),
            ("[{", Err(Fault::NoObject)),
            ("null", Err(Fault::NoObject)),
            ("{} {", Err(Fault::NoJson)),
            ("{'a'", Err(Fault::NoJson)),
            ("{\"a\" 1", Err(Fault::NoJson)),
            ("{\"a\":01", Err(Fault::NoJson)),
            ("{\"a\":1.}", Err(Fault::NoJson)),
            ("{\"a\":nul}", Err(Fault::NoJson)),
            ("{\"a\":[1}", Err(Fault::NoJson)),
            ("{\"a\":[1,]", Err(Fault::NoJson)),
            ("{\"a\":1,}", Err(Fault::NoJson)),
            ("{\"a\":\"\n", Err(Fault::NoJson)),
            ("{\"a\":\"\\x", Err(Fault::NoJson)),
        ] {
            assert_eq!(verdict(text), expected, "{text}");
        }
        assert_eq!(verdict(&"{\"a\":".repeat(40)), Err(Fault::TooDeep));
        assert_eq!(verdict(&format!("{{{}", " ".repeat(600))), Err(Fault::OnlySpaces));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9f64).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_object_is_whole_at_its_last_byte_and_not_before(value in any_json(), pretty in any::<bool>()) {
            let value = json!({"root": value});
            let text =
                if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut prefix = Prefix::default();
            for (index, byte) in text.bytes().enumerate() {
                prop_assert_eq!(prefix.feed(&[byte]), Ok(()));
                prop_assert_eq!(prefix.is_whole(), index + 1 == text.len());
            }
        }

        #[test]
        fn what_it_calls_whole_is_what_serde_reads(text in "[{}\\[\\]\",:0-9a-z.\\-\\\\ ]{0,24}") {
            let text = format!("{{{text}");
            let read = serde_json::from_str::<Value>(&text);
            prop_assert_eq!(verdict(&text) == Ok(true), read.is_ok(), "{}: {:?}", text, read);
        }
    }
}
