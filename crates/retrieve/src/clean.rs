//! Text without what cannot be seen: neither a terminal nor a reader is led astray by it, and a
//! word that is cut by an invisible character is found all the same.

/// What was left of a document's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) text: String,
    /// Characters that were dropped.
    pub(crate) dropped: usize,
}

/// Line ends become `\n`; control, bidirectional, zero-width and tag characters go. Tabs stay.
pub(crate) fn clean(text: &str) -> Cleaned {
    let mut kept = String::with_capacity(text.len());
    let mut dropped = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                kept.push('\n');
            }
            // A page, a vertical tab, Unicode's own line ends.
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push('\n'),
            '\n' | '\t' => kept.push(character),
            hidden if is_hidden(hidden) => dropped += 1,
            seen => kept.push(seen),
        }
    }
    Cleaned { text: kept, dropped }
}

/// Does something to a terminal or to a reader without being seen.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'                        // soft hyphen
            | '\u{34f}'                     // grapheme joiner
            | '\u{61c}'                     // Arabic letter mark
            | '\u{115f}' | '\u{1160}'       // Hangul fillers
            | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'       // Mongolian selectors
            | '\u{200b}'..='\u{200f}'       // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}'       // separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}'       // joiners, isolates
            | '\u{3164}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}'       // variation selectors
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'     // tags
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_dropped_and_counted() {
        let cases = [
            ("plain, ümlauts, 日本", "plain, ümlauts, 日本", 0),
            ("one\r\ntwo\rthree\u{c}four\u{2028}five", "one\ntwo\nthree\nfour\nfive", 0),
            ("u\u{200b}p\u{ad}f", "upf", 2),
            ("\u{feff}# A", "# A", 1),
            ("a\u{202e}b\u{2066}c", "abc", 2),
            ("a\u{1b}[31mb\u{0}", "a[31mb", 2),
            ("x\u{e0049}\u{e0047}y", "xy", 2),
        ];
        for (text, kept, dropped) in cases {
            assert_eq!(clean(text), Cleaned { text: kept.to_owned(), dropped }, "{text:?}");
        }
    }
}
