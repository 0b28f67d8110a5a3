//! A text becomes passages with their headings. Every byte of it is in exactly one piece, and a
//! piece that is no passage says why.

use std::ops::Range;

/// Bytes of one passage at most: some 400 tokens, which every embedding model takes whole.
pub const MOST: usize = 1_600;

/// From here on a passage is long enough: the next paragraph begins a new one.
const ENOUGH: usize = 900;

/// Bytes of one heading that are kept; a longer one is a paragraph in disguise.
const HEADING: usize = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `# headings`, underlined ones, fences.
    Markdown,
    /// Paragraphs alone.
    Plain,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where in the text; the pieces lie one behind the other, without a gap.
    pub span: Range<usize>,
    /// The heading it stands under and those above that, outermost first.
    pub headings: Vec<String>,
    /// `None`: a passage.
    pub left_out: Option<LeftOut>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// Nothing but white space.
    Blank,
    /// Its words are in the headings of the piece that follows.
    Headings,
}

pub fn cut(text: &str, kind: Kind) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for section in sections(text, kind) {
        for span in packed(text, &section.blocks) {
            let left_out = text[span.clone()].trim().is_empty().then_some(LeftOut::Blank);
            pieces.push(Piece { span, headings: section.headings.clone(), left_out });
        }
    }
    for at in 0..pieces.len().saturating_sub(1) {
        let [piece, next] = &pieces[at..at + 2] else { continue };
        if kind == Kind::Markdown
            && piece.left_out.is_none()
            && next.headings.starts_with(&piece.headings)
            && only_heading(&text[piece.span.clone()], piece.headings.last())
        {
            pieces[at].left_out = Some(LeftOut::Headings);
        }
    }
    pieces
}

/// The first heading: what a document calls itself.
pub fn title(pieces: &[Piece]) -> Option<&str> {
    pieces.iter().find_map(|piece| piece.headings.first()).map(String::as_str)
}

fn only_heading(text: &str, heading: Option<&String>) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), Some(heading)) = (lines.next(), heading) else { return false };
    let said = atx(first).map_or_else(|| shortened(first), |(_, words)| words);
    said == *heading && lines.all(|line| underline(line).is_some())
}

/// A heading with what follows until the next one.
struct Section {
    headings: Vec<String>,
    /// One behind the other, without a gap.
    blocks: Vec<Range<usize>>,
}

/// Goes through the lines once.
struct Scan {
    kind: Kind,
    sections: Vec<Section>,
    /// Level and words of the headings that are open.
    open: Vec<(usize, String)>,
    /// Where the block that is being read began.
    block: usize,
    /// Lines of it so far that are not blank.
    lines: usize,
    /// A blank line came: what follows is a new block.
    ended: bool,
    fence: Option<(char, usize)>,
}

fn sections(text: &str, kind: Kind) -> Vec<Section> {
    let mut scan = Scan {
        kind,
        sections: vec![Section { headings: Vec::new(), blocks: Vec::new() }],
        open: Vec::new(),
        block: 0,
        lines: 0,
        ended: false,
        fence: None,
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        scan.line(text, at, line);
        at += line.len();
    }
    scan.close_block(at);
    scan.sections
}

impl Scan {
    fn line(&mut self, text: &str, at: usize, line: &str) {
        let markdown = self.kind == Kind::Markdown;
        if let Some((mark, count)) = self.fence {
            self.lines += 1;
            if fence(line)
                .is_some_and(|(other, long, rest)| other == mark && long >= count && rest.is_empty())
            {
                self.fence = None;
                self.ended = true;
            }
            return;
        }
        if line.trim().is_empty() {
            // Blank lines stay with the block before them.
            self.ended = true;
            return;
        }
        if markdown && let Some((mark, count, _)) = fence(line) {
            self.close_block(at);
            self.fence = Some((mark, count));
            self.lines = 1;
            return;
        }
        if markdown && let Some((level, words)) = atx(line) {
            self.close_block(at);
            self.heading(level, words);
            self.lines = 1;
            self.ended = true;
            return;
        }
        if markdown
            && self.lines == 1
            && !self.ended
            && let Some(level) = underline(line)
            && let Some(words) = Some(text[self.block..at].trim()).filter(|words| !is_other(words))
        {
            let words = shortened(words);
            self.heading(level, words);
            self.lines = 2;
            self.ended = true;
            return;
        }
        if self.ended {
            self.close_block(at);
        }
        self.lines += 1;
    }

    fn close_block(&mut self, at: usize) {
        if at > self.block {
            let section = self.sections.last_mut().expect("there is a section from the start on");
            section.blocks.push(self.block..at);
        }
        self.block = at;
        self.lines = 0;
        self.ended = false;
    }

    /// A new section, whose first block is the one being read.
    fn heading(&mut self, level: usize, words: String) {
        self.open.retain(|(above, _)| *above < level);
        self.open.push((level, words));
        let headings = self.open.iter().map(|(_, words)| words.clone()).collect();
        self.sections.push(Section { headings, blocks: Vec::new() });
    }
}

/// `## words ##`
fn atx(line: &str) -> Option<(usize, String)> {
    let line = indented(line)?;
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &line[level..];
    if !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t', '\n'])) {
        return None;
    }
    let words = rest.trim();
    // Closing marks count only behind a space.
    let closed = words.trim_end_matches('#');
    let words = if closed.is_empty() || closed.ends_with([' ', '\t']) { closed } else { words };
    Some((level, shortened(words)))
}

/// The line under an underlined heading.
fn underline(line: &str) -> Option<usize> {
    let line = indented(line)?.trim_end();
    let of = |mark| line.len() >= 3 && line.bytes().all(|byte| byte == mark);
    if of(b'=') {
        Some(1)
    } else if of(b'-') {
        Some(2)
    } else {
        None
    }
}

/// A list, a quote or a table: what stands under it is a rule, not an underline.
fn is_other(words: &str) -> bool {
    words.starts_with(['-', '*', '+', '>', '|', '#']) || words.contains('|')
}

/// Mark, how many, and what follows on the line.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = indented(line)?;
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let count = line.chars().take_while(|other| *other == mark).count();
    let rest = line[count..].trim();
    (count >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, count, rest))
}

/// Four spaces make code of a line.
fn indented(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ');
    (line.len() - rest.len() <= 3).then_some(rest)
}

fn shortened(words: &str) -> String {
    let words = words.trim();
    let end = words.floor_char_boundary(HEADING);
    words[..end].trim_end().to_owned()
}

/// Blocks put together until there is enough; one that is too long is split.
fn packed(text: &str, blocks: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for block in blocks {
        if let Some(last) = spans.last_mut().filter(|_| open)
            && last.len() < ENOUGH
            && last.len() + block.len() <= MOST
        {
            last.end = block.end;
            continue;
        }
        let mut rest = block.clone();
        while rest.len() > MOST {
            let end = rest.start + split(&text[rest.clone()]);
            spans.push(rest.start..end);
            rest.start = end;
        }
        spans.push(rest);
        open = true;
    }
    spans
}

/// Where a text that is too long is split: behind a line, a sentence or a word, in this order,
/// not before the middle; else anywhere between two characters.
fn split(text: &str) -> usize {
    let end = text.floor_char_boundary(MOST);
    let half = text.floor_char_boundary(MOST / 2);
    for mark in ["\n", ". ", " "] {
        if let Some(found) = text[half..end].rfind(mark) {
            return half + found + mark.len();
        }
    }
    end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, kind: Kind) -> Vec<Piece> {
        let pieces = cut(text, kind);
        let mut at = 0;
        for piece in &pieces {
            assert_eq!(piece.span.start, at, "a gap or an overlap in {text:?}");
            assert!(!piece.span.is_empty() && piece.span.len() <= MOST, "{:?}", piece.span);
            at = piece.span.end;
            let inside = &text[piece.span.clone()];
            assert_eq!(piece.left_out == Some(LeftOut::Blank), inside.trim().is_empty());
            if piece.left_out == Some(LeftOut::Headings) {
                let heading = piece.headings.last().unwrap();
                assert!(inside.contains(heading.as_str()));
            }
            assert!(piece.headings.len() <= 6);
            assert!(piece.headings.iter().all(|heading| heading.len() <= HEADING));
            if kind == Kind::Plain {
                assert!(piece.headings.is_empty());
            }
        }
        assert_eq!(at, text.len(), "the end of {text:?} is in no piece");
        pieces
    }

    fn passages(text: &str) -> Vec<(String, String)> {
        let pieces = check(text, Kind::Markdown);
        let kept = pieces.iter().filter(|piece| piece.left_out.is_none());
        kept.map(|piece| (piece.headings.join(" > "), text[piece.span.clone()].trim().to_owned())).collect()
    }

    fn of(headings: &str, text: &str) -> (String, String) {
        (headings.to_owned(), text.to_owned())
    }

    #[test]
    fn each_passage_knows_the_headings_above_it() {
        let text = "before\n\n# Slices\n\n## eMBB ##\nbroad\n\n## URLLC\n\nlow\n\n# Cells\nsmall\n";
        assert_eq!(
            passages(text),
            [
                of("", "before"),
                of("Slices > eMBB", "## eMBB ##\nbroad"),
                of("Slices > URLLC", "## URLLC\n\nlow"),
                of("Cells", "# Cells\nsmall"),
            ]
        );
        assert_eq!(title(&cut(text, Kind::Markdown)), Some("Slices"));
    }

    #[test]
    fn underlined_headings_count_and_rules_and_tables_do_not() {
        let text = "Interfaces\n==========\n\nA1\n---\npolicies\n\n---\n\n- one\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
        let headings: Vec<String> = passages(text).into_iter().map(|(headings, _)| headings).collect();
        assert_eq!(headings, ["Interfaces > A1"]);
    }

    #[test]
    fn a_fence_is_kept_whole_and_holds_no_headings() {
        let code = format!("```yaml\n# no heading\n{}```\n", "replicas: 3\n".repeat(90));
        let text = format!("# A\n\n{}\n\n{code}\nafter\n", "words ".repeat(100));
        let found = passages(&text);
        assert!(found.iter().all(|(headings, _)| headings == "A"), "{found:?}");
        assert!(found.iter().any(|(_, passage)| passage.contains(code.trim())), "{found:?}");
    }

    #[test]
    fn a_fence_that_never_ends_and_a_line_without_end_stay_within_bounds() {
        check(&format!("```\n{}", "a".repeat(10_000)), Kind::Markdown);
        check(&"日本語".repeat(2_000), Kind::Markdown);
        check(&"# ".repeat(5_000), Kind::Markdown);
    }

    #[test]
    fn a_heading_without_text_below_it_is_kept_when_it_is_the_last_word() {
        assert_eq!(passages("# A\n\ntext\n\n## The end\n").last().unwrap(), &of("A > The end", "## The end"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn every_byte_is_in_one_piece_and_no_piece_is_too_long(
            lines in proptest::collection::vec(
                prop_oneof![
                    4 => "[a-z äß日.]{0,60}",
                    1 => Just("\n".to_owned()),
                    1 => "#{1,7} ?[A-Z a-z#]{0,20}",
                    1 => "[`~]{2,5}[a-z]{0,4}",
                    1 => "[=-]{1,5}",
                    1 => "[a-z]{400,1700}",
                    1 => "\\PC{0,30}",
                ],
                0..60,
            ),
            end in any::<bool>(),
        ) {
            let mut text = lines.join("\n");
            if end {
                text.push('\n');
            }
            check(&text, Kind::Markdown);
            check(&text, Kind::Plain);
        }

        #[test]
        fn any_text_at_all_is_cut(text in any::<String>()) {
            check(&text, Kind::Markdown);
            check(&text, Kind::Plain);
        }
    }
}
