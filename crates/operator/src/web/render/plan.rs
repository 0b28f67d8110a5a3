//! A plan: steps, notes, diff, findings.

use maud::{Markup, html};
use nephoran_model::guard::{Effect, Finding};
use nephoran_model::plan::{ActuatorKind, Plan, Step, StepState};

use crate::web::look::icon;
use crate::web::text::visible;

/// Lines of a diff that are shown; the rest is in the JSON.
const MOST_LINES: usize = 600;

pub fn steps(plan: &Plan) -> Markup {
    html! {
        div.scroll {
            table.steps {
                caption.sr { "Steps of the plan" }
                thead { tr {
                    th scope="col" { "Step" }
                    th scope="col" { "Change" }
                    th scope="col" { "Before → after" }
                    th scope="col" { "Where" }
                    th scope="col" { "State" }
                } }
                tbody {
                    @for step in &plan.steps { (self::step(step)) }
                }
            }
        }
    }
}

fn step(step: &Step) -> Markup {
    html! {
        tr {
            td data-label="Step" { (visible(&step.id)) }
            td data-label="Change" {
                strong { (visible(&step.action)) " " (visible(&step.target.title())) }
                span.minor {
                    (visible(&step.target.kind))
                    @if let Some(function) = step.target.function { ", " (function) }
                }
            }
            td data-label="Before → after" {
                @match (step.before(), step.after()) {
                    (Some(before), Some(after)) => {
                        span.value.before { (visible(&before.to_string())) }
                        span.arrow { " → " }
                        span.value.after { (visible(&after.to_string())) }
                    }
                    _ => span.minor { "reads only" }
                }
            }
            td data-label="Where" {
                @for edit in &step.edits {
                    span.where { code { (visible(&edit.file)) } " " code.minor { (visible(&edit.field)) } }
                }
                @if step.edits.is_empty() { code { (visible(&step.target.package)) } }
                @if step.actuator == ActuatorKind::Package && !step.repository.is_empty() {
                    span.minor { "repository " (visible(&step.repository)) }
                }
            }
            td data-label="State" { (step_state(step.state)) }
        }
    }
}

fn step_state(state: StepState) -> Markup {
    let (class, shape, word) = match state {
        StepState::Pending => ("busy", r#"<circle cx="8" cy="8" r="6" stroke-dasharray="2 2"/>"#, "to do"),
        StepState::Done => ("good", r#"<path d="m2.5 8.5 3.5 3.5 7.5-8"/>"#, "done"),
        StepState::AlreadySo => ("quiet", r#"<path d="M2.5 6h11M2.5 10h11"/>"#, "already so"),
        StepState::Failed => ("bad", r#"<path d="m3 3 10 10M13 3 3 13"/>"#, "failed"),
    };
    html! { span.state.small.(class) { (icon(shape)) span.state-word { (word) } } }
}

pub fn notes(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            ul.notes aria-label="Notes of the plan" {
                @for note in notes { li { (visible(note)) } }
            }
        }
    }
}

/// The strongest first.
pub fn findings<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Markup {
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.effect));
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    @let (class, shape, word) = effect(finding.effect);
                    li.finding.(class) {
                        p.finding-head {
                            span.state.small.(class) { (icon(shape)) span.state-word { (word) } }
                            code { (visible(&finding.rule)) }
                        }
                        p { (visible(&finding.message)) }
                        @if !finding.remedy.is_empty() {
                            p.remedy { strong { "What to do: " } (visible(&finding.remedy)) }
                        }
                    }
                }
            }
        }
    }
}

fn effect(effect: Effect) -> (&'static str, &'static str, &'static str) {
    match effect {
        Effect::Note => ("quiet", r#"<circle cx="8" cy="8" r="6.2"/><path d="M8 7v4M8 4.8V5"/>"#, "note"),
        Effect::Approval => (
            "waiting",
            r#"<path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/><path d="M8 5v3.5M8 10.8v.2"/>"#,
            "needs approval",
        ),
        Effect::Hold => ("waiting", r#"<path d="M5.5 3v10M10.5 3v10"/>"#, "held"),
        Effect::Refuse => (
            "bad",
            r#"<path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z"/><path d="M5 8h6"/>"#,
            "refused",
        ),
    }
}

/// One line of a unified diff, read.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    File(&'a str),
    Hunk(&'a str),
    Same {
        old: u32,
        new: u32,
        text: &'a str,
    },
    Gone {
        old: u32,
        text: &'a str,
    },
    Come {
        new: u32,
        text: &'a str,
    },
    /// `\ No newline at end of file` and what we do not know.
    Other(&'a str),
}

fn lines(diff: &str) -> Vec<Line<'_>> {
    let (mut old, mut new) = (0u32, 0u32);
    // Lines that the hunk still has: `--- ` inside a hunk is a line that goes, not a file's head.
    let (mut old_left, mut new_left) = (0u32, 0u32);
    let mut out = Vec::new();
    for line in diff.lines() {
        let inside = old_left > 0 || new_left > 0;
        if inside && let Some(text) = line.strip_prefix('-') {
            out.push(Line::Gone { old, text });
            old += 1;
            old_left = old_left.saturating_sub(1);
        } else if inside && let Some(text) = line.strip_prefix('+') {
            out.push(Line::Come { new, text });
            new += 1;
            new_left = new_left.saturating_sub(1);
        } else if inside && (line.starts_with(' ') || line.is_empty()) {
            out.push(Line::Same { old, new, text: line.strip_prefix(' ').unwrap_or(line) });
            old += 1;
            new += 1;
            old_left = old_left.saturating_sub(1);
            new_left = new_left.saturating_sub(1);
        } else if let Some(file) = line.strip_prefix("+++ ") {
            out.push(Line::File(file.strip_prefix("b/").unwrap_or(file)));
        } else if line.starts_with("--- ") || line.starts_with("diff ") || line.starts_with("index ") {
            // The name after `+++` stands for both.
        } else if let Some((old_at, old_count, new_at, new_count)) = hunk(line) {
            (old, old_left, new, new_left) = (old_at, old_count, new_at, new_count);
            out.push(Line::Hunk(line));
        } else {
            out.push(Line::Other(line));
        }
    }
    out
}

/// `@@ -12,7 +12,7 @@`: where it starts and how long it is, on both sides.
fn hunk(line: &str) -> Option<(u32, u32, u32, u32)> {
    let ranges = line.strip_prefix("@@ -")?.split(" @@").next()?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |range: &str| -> Option<(u32, u32)> {
        match range.split_once(',') {
            Some((at, count)) => Some((at.parse().ok()?, count.parse().ok()?)),
            None => Some((range.parse().ok()?, 1)),
        }
    };
    let ((old_at, old_count), (new_at, new_count)) = (range(old)?, range(new)?);
    Some((old_at, old_count, new_at, new_count))
}

pub fn diff(diff: &str) -> Markup {
    if diff.trim().is_empty() {
        return html! { p.minor { "No file would change." } };
    }
    table(&lines(diff))
}

/// The lines that change, with one on either side: for where there is little room.
pub fn changes(diff: &str) -> Markup {
    let mut lines = lines(diff);
    let near: Vec<bool> = (0..lines.len())
        .map(|at| {
            let around = &lines[at.saturating_sub(1)..lines.len().min(at + 2)];
            match &lines[at] {
                Line::Same { .. } => {
                    around.iter().any(|line| matches!(line, Line::Gone { .. } | Line::Come { .. }))
                }
                Line::Hunk(_) => false,
                _ => true,
            }
        })
        .collect();
    let mut near = near.into_iter();
    lines.retain(|_| near.next().unwrap_or(true));
    table(&lines)
}

fn table(lines: &[Line<'_>]) -> Markup {
    let shown = &lines[..lines.len().min(MOST_LINES)];
    html! {
        div.diff role="region" aria-label="Diff" tabindex="0" {
            @for (at, line) in shown.iter().enumerate() {
                @match line {
                    Line::File(file) => div.diff-file { (visible(file)) },
                    Line::Hunk(text) => div.diff-hunk { (visible(text)) },
                    Line::Same { old, new, text } => div.diff-line {
                        span.no { (old) } span.no { (new) } span.sign { " " } span.text { (visible(text)) }
                    },
                    Line::Gone { old, text } => div.diff-line.del {
                        span.no { (old) } span.no {} span.sign { "-" }
                        span.text { (marked(text, partner(shown, at), "del")) }
                    },
                    Line::Come { new, text } => div.diff-line.ins {
                        span.no {} span.no { (new) } span.sign { "+" }
                        span.text { (marked(text, partner(shown, at), "ins")) }
                    },
                    Line::Other(text) => div.diff-hunk { (visible(text)) },
                }
            }
            @if lines.len() > MOST_LINES {
                div.diff-hunk { (lines.len() - MOST_LINES) " more lines are in the JSON of the plan." }
            }
        }
    }
}

/// The line that took this one's place, or whose place it took: the one at the same
/// position in the neighbouring run of the other sign.
fn partner<'a>(lines: &[Line<'a>], at: usize) -> Option<&'a str> {
    let gone = |line: &Line<'_>| matches!(line, Line::Gone { .. });
    let come = |line: &Line<'_>| matches!(line, Line::Come { .. });
    let (start_gone, start_come) = if gone(&lines[at]) {
        let start = at - lines[..at].iter().rev().take_while(|line| gone(line)).count();
        (start, start + lines[start..].iter().take_while(|line| gone(line)).count())
    } else {
        let start = at - lines[..at].iter().rev().take_while(|line| come(line)).count();
        (start - lines[..start].iter().rev().take_while(|line| gone(line)).count(), start)
    };
    let count_gone = start_come - start_gone;
    let count_come = lines[start_come..].iter().take_while(|line| come(line)).count();
    if count_gone != count_come {
        return None;
    }
    let other = if at < start_come { start_come + (at - start_gone) } else { start_gone + (at - start_come) };
    match lines.get(other)? {
        Line::Gone { text, .. } | Line::Come { text, .. } => Some(text),
        _ => None,
    }
}

/// `text` with the part that its partner does not have marked.
fn marked(text: &str, partner: Option<&str>, mark: &'static str) -> Markup {
    let Some(partner) = partner else { return visible(text) };
    let common: usize =
        text.chars().zip(partner.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let head = text[..common].trim_end_matches(in_word).len();
    let common: usize = text[head..]
        .chars()
        .rev()
        .zip(partner[head..].chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let end = text.len() - common;
    let tail = text[end..].trim_start_matches(in_word).len();
    let (before, changed, after) =
        (&text[..head], &text[head..text.len() - tail], &text[text.len() - tail..]);
    if head + tail == 0 {
        return visible(text);
    }
    html! {
        (visible(before))
        @if mark == "ins" { ins { (visible(changed)) } } @else { del { (visible(changed)) } }
        (visible(after))
    }
}

/// A number or a word is marked whole: `3 -> 30` is not `add a 0`.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "--- a/ran-a/upf/deployment.yaml\n+++ b/ran-a/upf/deployment.yaml\n@@ -6,3 +6,3 @@\n spec:\n-  replicas: 3 # kpt-set: ${replicas}\n+  replicas: 5 # kpt-set: ${replicas}\n   selector:\n";

    #[test]
    fn a_diff_shows_file_line_numbers_and_the_part_that_changes() {
        let shown = diff(DIFF).into_string();
        assert!(shown.contains(">ran-a/upf/deployment.yaml</div>"), "{shown}");
        assert!(shown.contains("replicas: <del>3</del> # kpt-set: ${replicas}"), "{shown}");
        assert!(shown.contains("replicas: <ins>5</ins> # kpt-set: ${replicas}"), "{shown}");
        assert!(
            shown.contains(r#"<span class="no">7</span><span class="no"></span><span class="sign">-"#),
            "{shown}"
        );
    }

    #[test]
    fn where_there_is_little_room_only_changes_and_their_neighbours_are_shown() {
        let shown = changes("+++ b/f\n@@ -1,5 +1,5 @@\n a\n b\n-c\n+d\n e\n f\n").into_string();
        for (line, is_shown) in
            [("a", false), ("b", true), ("<del>c</del>", false), ("e", true), ("f</span>", false)]
        {
            assert_eq!(shown.contains(&format!("\"text\">{line}")), is_shown, "{line}: {shown}");
        }
        assert!(shown.contains("\"text\">c<") && shown.contains("\"text\">d<"), "{shown}");
    }

    #[test]
    fn a_number_is_marked_whole() {
        let shown = marked("  replicas: 30 # now", Some("  replicas: 3 # now"), "ins").into_string();
        assert_eq!(shown, "  replicas: <ins>30</ins> # now");
        let shown = marked("image: upf:v1.10", Some("image: upf:v1.9"), "ins").into_string();
        assert_eq!(shown, "image: upf:<ins>v1.10</ins>");
        assert_eq!(marked("same", Some("same"), "ins").into_string(), "same");
    }

    #[test]
    fn a_line_that_begins_like_a_file_head_stays_a_line() {
        let text = "+++ b/f\n@@ -1,2 +1,2 @@\n--- a\n-b\n+++ c\n+d\n";
        assert_eq!(
            lines(text),
            [
                Line::File("f"),
                Line::Hunk("@@ -1,2 +1,2 @@"),
                Line::Gone { old: 1, text: "-- a" },
                Line::Gone { old: 2, text: "b" },
                Line::Come { new: 1, text: "++ c" },
                Line::Come { new: 2, text: "d" },
            ]
        );
        diff(text);
    }

    #[test]
    fn markup_in_a_file_is_text() {
        let shown = diff("+++ b/<img src=x>\n@@ -1 +1 @@\n-<b>\n+<script>\n").into_string();
        assert!(!shown.contains("<img") && !shown.contains("<b>") && !shown.contains("<script"), "{shown}");
    }
}
