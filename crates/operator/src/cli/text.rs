//! Text of others on a terminal: shown, never obeyed.

use std::fmt::Write;

/// Makes C0, C1, bidirectional and zero-width characters visible. Tabs and line ends too: a table
/// has one line per row.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut shown, character);
    }
    shown
}

/// As [`escape`], but line ends stay: for texts of several lines, such as a diff.
pub fn escape_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' {
            shown.push('\n');
        } else {
            push(&mut shown, character);
        }
    }
    shown
}

fn push(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        hidden if is_hidden(hidden) => {
            for visible in hidden.escape_unicode() {
                shown.push(visible);
            }
        }
        plain => shown.push(plain),
    }
}

/// JSON, with the same characters written as `\uXXXX`: it means the same, and a terminal is left alone.
pub fn escape_json(json: String) -> String {
    if !json.chars().any(|character| character != '\n' && is_hidden(character)) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if character == '\n' || !is_hidden(character) {
            shown.push(character);
            continue;
        }
        // Such a character stands in a string: outside of strings JSON is ASCII.
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Does something to a terminal or to a reader without being seen.
pub fn is_hidden(character: char) -> bool {
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

/// Columns of a terminal that `text` takes: wide characters take two, combining ones none.
pub fn width(text: &str) -> usize {
    text.chars()
        .map(|character| match character {
            '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}' => 0,
            '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{303e}'
            | '\u{3041}'..='\u{33ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{a000}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}'
            | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}' => 2,
            _ => 1,
        })
        .sum()
}

/// At most `columns` wide, the cut shown.
pub fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    for character in text.chars() {
        if width(&cut) + 4 > columns {
            break;
        }
        cut.push(character);
    }
    format!("{}...", cut.trim_end())
}

/// Columns aligned as kubectl aligns them; the last is as long as it is.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
    let columns = head.len();
    let widest = |column: usize| {
        let cells = shown.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut text = String::new();
    let titles = head.iter().map(|title| (*title).to_owned()).collect();
    for row in [titles].iter().chain(&shown) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if column + 1 < columns {
                line.push_str(&" ".repeat(widths[column] - width(cell) + 3));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        let cases = [
            ("plain text, with ümlauts and 日本語", "plain text, with ümlauts and 日本語"),
            ("a\u{1b}[31mred", "a\\u{1b}[31mred"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("\u{0}\u{7f}\u{85}\u{9b}", "\\u{0}\\u{7f}\\u{85}\\u{9b}"),
            ("upf\u{202e}5", "upf\\u{202e}5"),
            ("u\u{200b}pf\u{2066}\u{feff}\u{ad}", "u\\u{200b}pf\\u{2066}\\u{feff}\\u{ad}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, shown) in cases {
            assert_eq!(escape(text), shown);
            assert!(!escape(text).chars().any(is_hidden));
        }
        assert_eq!(escape_lines("-a\n+\u{1b}b\n"), "-a\n+\\u{1b}b\n");
    }

    #[test]
    fn json_means_the_same_with_its_hidden_characters_written_out() {
        let value = serde_json::json!({"a\u{202e}": "x\u{1b}\u{9b}\u{200b}\u{e0041}\u{7f}y\n日本"});
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = escape_json(text);
            assert!(!shown.chars().any(|c| c != '\n' && is_hidden(c)), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), Some(value.clone()));
        }
    }

    #[test]
    fn a_table_is_aligned_whatever_its_cells_hold() {
        let rows = vec![
            vec!["a".into(), "x\ny".into(), "first".into()],
            vec!["日本".into(), "z".into(), String::new()],
        ];
        assert_eq!(
            table(&["NAME", "WORDS", "MORE"], &rows),
            "NAME   WORDS   MORE\na      x\\ny    first\n日本   z\n"
        );
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(shorten("scale upf to 5", 40), "scale upf to 5");
        assert_eq!(shorten("scale upf to 5", 10), "scale u...");
    }
}
