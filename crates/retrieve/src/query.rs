//! Words of a request become an expression that holds nothing but words: what FTS5 would read as
//! an operator, a column or a prefix never reaches it.

/// Words of one request that are looked for; the rest adds cost and little meaning.
const WORDS: usize = 40;

/// Bytes of a request that are looked at.
const BYTES: usize = 4_000;

/// So frequent that they tell nothing apart. Left in when there is nothing else.
const FREQUENT: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have",
    "how", "i", "in", "is", "it", "its", "me", "of", "on", "or", "please", "so", "that", "the", "this", "to",
    "was", "what", "when", "which", "with", "you",
];

/// `None`: there is no word in it.
pub(crate) fn expression(words: &str) -> Option<String> {
    let end = (0..=words.len().min(BYTES)).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
    let mut all: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let word = word.to_lowercase();
        if all.len() < WORDS && !all.contains(&word) {
            all.push(word);
        }
    };
    for said in words[..end].split(|character: char| !is_part(character)) {
        let said = said.trim_matches(|character: char| !character.is_alphanumeric());
        if said.is_empty() {
            continue;
        }
        add(said);
        // `near-rt-ric` is looked for as a whole, and its parts count too.
        let mut parts =
            said.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty());
        if said.contains(|character: char| !character.is_alphanumeric()) {
            parts.by_ref().filter(|part| part.chars().count() > 1).for_each(&mut add);
        }
    }
    let telling: Vec<&String> = all.iter().filter(|word| !FREQUENT.contains(&word.as_str())).collect();
    let chosen = if telling.is_empty() { all.iter().collect() } else { telling };
    // A string between quotes is a phrase: it holds no quote, since `is_part` lets none in.
    let quoted: Vec<String> = chosen.iter().map(|word| format!("\"{word}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" OR "))
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '.' | '_' | '/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_request_becomes_its_words() {
        let cases = [
            ("Scale the UPF to 5!", Some(r#""scale" OR "upf" OR "5""#)),
            ("near-rt-ric", Some(r#""near-rt-ric" OR "near" OR "rt" OR "ric""#)),
            ("the of", Some(r#""the" OR "of""#)),
            ("  ?!*\"() ", None),
            ("", None),
            (
                r#"upf" OR title:x NEAR(a b) -c ^d e*"#,
                Some(r#""upf" OR "title" OR "x" OR "near" OR "b" OR "c" OR "d" OR "e""#),
            ),
        ];
        for (words, expected) in cases {
            assert_eq!(expression(words).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn a_very_long_request_is_bounded() {
        let words: Vec<String> = (0..10_000).map(|number| format!("w{number}")).collect();
        assert_eq!(expression(&words.join(" ")).unwrap().matches(" OR ").count(), WORDS - 1);
    }
}
