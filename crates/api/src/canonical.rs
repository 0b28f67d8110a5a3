//! One way to write a value down, so that equal values have equal hashes: RFC 8785.

use nephoran_model::plan::PlanHash;
use serde::Serialize;

/// A value that canonical JSON cannot hold, e.g. a map whose keys are no strings.
#[derive(Debug, thiserror::Error)]
#[error("write as canonical JSON")]
pub struct Error(#[from] serde_json::Error);

/// Canonical JSON (RFC 8785): keys sorted by their UTF-16 code units, no white space, numbers as
/// ECMAScript writes them.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

pub fn sha256(value: &impl Serialize) -> Result<[u8; 32], Error> {
    let digest = ring::digest::digest(&ring::digest::SHA256, &to_vec(value)?);
    Ok(digest.as_ref().try_into().expect("a SHA-256 digest has 32 bytes"))
}

/// 64 lower-case hex digits over the canonical JSON of `value`.
pub fn sha256_hex(value: &impl Serialize) -> Result<String, Error> {
    Ok(hex(&sha256(value)?))
}

/// The hash that an approval names and a commit carries.
pub fn plan_hash(value: &impl Serialize) -> Result<PlanHash, Error> {
    Ok(PlanHash::parse(&sha256_hex(value)?).expect("a SHA-256 in hex is a plan hash"))
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &impl Serialize) -> String {
        String::from_utf8(to_vec(value).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_sorted_by_utf16_and_white_space_is_left_out() {
        // The order of RFC 8785, section 3.2.3: the emoji (a surrogate pair) before U+FB33.
        let value = json!({
            "\u{20ac}": "euro", "\r": "return", "\u{fb33}": "dalet", "1": "one",
            "\u{1f600}": "smile", "\u{80}": "control", "\u{f6}": "o umlaut"
        });
        let written = text(&value);
        let mut last = 0;
        for word in ["return", "one", "control", "o umlaut", "euro", "smile", "dalet"] {
            let at = written.find(word).unwrap();
            assert!(at > last, "{word} is out of order in {written}");
            last = at;
        }
    }

    #[test]
    fn numbers_and_texts_are_written_as_the_standard_says() {
        let value = json!({
            "numbers": [333_333_333.333_333_3, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/",
            "literals": [null, true, false]
        });
        assert_eq!(
            text(&value),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn a_known_value_has_a_known_hash() {
        // SHA-256 of the two bytes `{}`.
        assert_eq!(
            sha256_hex(&json!({})).unwrap(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert_eq!(plan_hash(&json!({})).unwrap().as_str(), sha256_hex(&json!({})).unwrap());
    }

    #[test]
    fn a_value_that_is_no_json_is_an_error_and_no_hash() {
        let keys: HashMap<Vec<u8>, u8> = HashMap::from([(vec![1], 1)]);
        assert!(sha256_hex(&keys).is_err());
        assert!(sha256_hex(&f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn the_order_in_which_keys_were_put_in_does_not_matter(
            mut pairs in proptest::collection::vec(("[a-z\u{e9}\u{1f600}]{1,4}", any::<i32>()), 0..8)
        ) {
            pairs.sort();
            pairs.dedup_by(|one, other| one.0 == other.0);
            let forward: serde_json::Map<String, Value> =
                pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let backward: serde_json::Map<String, Value> =
                pairs.iter().rev().map(|(key, value)| (key.clone(), json!(value))).collect();
            prop_assert_eq!(sha256(&forward).unwrap(), sha256(&backward).unwrap());
        }

        #[test]
        fn what_was_written_reads_as_the_same_value(text_value in ".*", number in any::<i32>()) {
            let value = json!({"a": text_value, "b": [number, {"c": null}]});
            let read: Value = serde_json::from_slice(&to_vec(&value).unwrap()).unwrap();
            prop_assert_eq!(read, value);
        }
    }
}
