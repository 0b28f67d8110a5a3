//! Text of strangers as text: escaped, with what would not show made to show.

use jiff::Timestamp;
use maud::{Markup, PreEscaped, html};

/// `text` for the page. Controls, bidi marks and other characters that are invisible or
/// reorder their neighbours appear as their code point, so that two texts that differ look different.
pub fn visible(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if hides(c) => {
                let code = u32::from(c);
                out.push_str(&format!(
                    "<span class=\"cp\" title=\"a character that would not show\">U+{code:04X}</span>"
                ));
            }
            c => out.push(c),
        }
    }
    PreEscaped(out)
}

/// As [`visible`], where no markup can stand: the title of a window.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { out.push_str(&format!("[U+{:04X}]", u32::from(c))) } else { out.push(c) }
    }
    out
}

/// Does not show by itself, or moves what stands beside it.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers, Mongolian separators.
            0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x3164 | 0xFFA0 | 0x180B..=0x180F
            // Zero-width characters and bidi marks, line and paragraph separators, bidi embeddings.
            | 0x200B..=0x200F | 0x2028..=0x202E
            // Word joiner, invisible operators, bidi isolates, deprecated format characters.
            | 0x2060..=0x206F
            // Spaces that pass for a common one.
            | 0x00A0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000
            // Variation selectors, byte order mark, interlinear annotation, tags.
            | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0xE0FFF)
}

/// The beginning of `text`, at most `most` characters, on one line.
pub fn start(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut words = text.split(['\n', '\t']).map(str::trim).filter(|line| !line.is_empty());
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for line in words {
        out.push(' ');
        out.push_str(line);
        if out.len() > most * 4 {
            break;
        }
    }
    match out.char_indices().nth(most) {
        Some((at, _)) => {
            out.truncate(at);
            out.push('…');
            out
        }
        None => out,
    }
}

/// A moment: the time of day, the date where it is not today's. The script makes it relative.
pub fn moment(at: Timestamp, now: Timestamp) -> Markup {
    let full = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let same_day = at.strftime("%F").to_string() == now.strftime("%F").to_string();
    let shown =
        if same_day { at.strftime("%H:%M:%S").to_string() } else { at.strftime("%F %H:%M").to_string() };
    html! { time datetime=(at.to_string()) title=(full) { (shown) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_is_text() {
        assert_eq!(
            visible("<script>alert('1')</script> & \"x\"").into_string(),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;"
        );
    }

    #[test]
    fn characters_that_hide_or_reorder_are_shown_by_code_point() {
        for (text, code) in [
            ("a\u{202E}b", "U+202E"),
            ("a\u{200B}b", "U+200B"),
            ("a\u{1b}[31m", "U+001B"),
            ("a\u{85}b", "U+0085"),
            ("a\rb", "U+000D"),
            ("a\u{E0041}b", "U+E0041"),
            ("a\u{FEFF}b", "U+FEFF"),
            ("a\0b", "U+0000"),
            ("a\u{a0}b", "U+00A0"),
        ] {
            let shown = visible(text).into_string();
            assert!(shown.contains(&format!(">{code}</span>")), "{text:?} is shown as {shown}");
            assert!(!shown.chars().any(hides), "{text:?} is shown as {shown:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(start("äöü\n  ß", 3), "äöü…");
        assert_eq!(start("one\n\ntwo", 20), "one two");
        assert_eq!(start("", 3), "");
    }
}
