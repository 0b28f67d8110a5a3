//! Makes the ids of intents: UUIDs of version 7 in base 32, so that they sort by time
//! and are DNS labels (26 characters).

use std::sync::Mutex;

use jiff::Timestamp;
use nephoran_model::intent::IntentId;

/// Crockford's alphabet in lower case: keeps the order of the bits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Hands out ids that only ever grow, also when the clock jumps back.
pub struct Ids {
    last: Mutex<u128>,
}

impl Ids {
    /// `newest` is the newest id on record: what comes after sorts behind it.
    pub fn after(newest: Option<&IntentId>) -> Self {
        Self { last: Mutex::new(newest.and_then(|id| decode(id.as_str())).unwrap_or(0)) }
    }

    pub fn next(&self, now: Timestamp) -> IntentId {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let random: [u8; 10] = uuid::Uuid::new_v4().as_bytes()[6..].try_into().expect("16 - 6 = 10 bytes");
        let fresh = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128();
        let mut last = self.last.lock().expect("no code panics while it holds this lock");
        *last = fresh.max(*last + 1);
        encode(*last)
    }
}

fn encode(mut value: u128) -> IntentId {
    let mut text = [0u8; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    let text = std::str::from_utf8(&text).expect("the alphabet is ASCII");
    IntentId::parse(text).expect("26 letters and digits are a DNS label")
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    text.bytes().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
        Some((value << 5) | digit as u128)
    })
}

/// The number that `id` is written with; of an id that is none of ours, one that follows from it.
pub fn number(id: &IntentId) -> u128 {
    decode(id.as_str()).unwrap_or_else(|| {
        let digest = ring::digest::digest(&ring::digest::SHA256, id.as_str().as_bytes());
        let half: [u8; 16] = digest.as_ref()[..16].try_into().expect("SHA-256 has 32 bytes");
        u128::from_be_bytes(half)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("in range")
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let ids = Ids::after(None);
        let made: Vec<_> = (0..1000).map(|i| ids.next(at(1_700_000_000_000 + i / 10))).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_clock_that_jumps_back_makes_no_older_id() {
        let ids = Ids::after(None);
        let before = ids.next(at(1_700_000_000_000));
        let restarted = Ids::after(Some(&before));
        assert!(restarted.next(at(1_500_000_000_000)) > before);
    }
}
