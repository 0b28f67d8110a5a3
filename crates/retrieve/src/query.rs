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

/// The words of a request, each once, in lower case and with nothing in them that could be syntax.
pub(crate) fn words(request: &str) -> Vec<String> {
    let end = request.floor_char_boundary(BYTES);
    let mut all: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let word = word.to_lowercase();
        if all.len() < WORDS && !all.contains(&word) {
            all.push(word);
        }
    };
    for said in request[..end].split(|character: char| !is_part(character)) {
        let said = said.trim_matches(|character: char| !character.is_alphanumeric());
        if said.is_empty() {
            continue;
        }
        add(said);
        // `near-rt-ric` is looked for as a whole, and its parts count too.
        let parts = said.split(|character: char| !character.is_alphanumeric());
        if said.contains(|character: char| !character.is_alphanumeric()) {
            parts.filter(|part| part.chars().count() > 1).for_each(&mut add);
        }
    }
    if all.iter().any(|word| !FREQUENT.contains(&word.as_str())) {
        all.retain(|word| !FREQUENT.contains(&word.as_str()));
    }
    all
}

/// Any of the words. A string between quotes is a phrase: it holds no quote, since none is a part of a word.
pub(crate) fn expression<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(" OR ")
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
            ("Scale the UPF to 5!", r#""scale" OR "upf" OR "5""#),
            ("near-rt-ric", r#""near-rt-ric" OR "near" OR "rt" OR "ric""#),
            ("the of", r#""the" OR "of""#),
            ("  ?!*\"() ", ""),
            ("", ""),
            (
                r#"upf" OR title:x NEAR(a b) -c ^d e*"#,
                r#""upf" OR "title" OR "x" OR "near" OR "b" OR "c" OR "d" OR "e""#,
            ),
        ];
        for (request, expected) in cases {
            assert_eq!(expression(&words(request)), expected, "{request}");
        }
    }

    #[test]
    fn a_very_long_request_is_bounded() {
        let long: Vec<String> = (0..10_000).map(|number| format!("w{number}")).collect();
        assert_eq!(words(&long.join(" ")).len(), WORDS);
    }
}
