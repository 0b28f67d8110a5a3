//! Plans, objections and findings as plain text that reads well as a diff.

use std::fmt::Write as _;

use crate::guard::{Effect, Finding};

use super::{Objection, Plan, Scalar, Step};

/// A plan without its hash, base and diff: what would change, and what was chosen.
pub fn render(plan: &Plan) -> String {
    render_steps(&plan.steps, &plan.notes)
}

fn render_steps(steps: &[Step], notes: &[String]) -> String {
    let mut text = String::from("plan\n");
    for step in steps {
        _ = writeln!(
            text,
            "  {}. {}{}",
            step.id,
            step.line(),
            if step.is_already_so() && !step.edits.is_empty() { " (already so)" } else { "" }
        );
        for edit in &step.edits {
            _ = writeln!(
                text,
                "     {}:{} [{}] {}: {} -> {}",
                step.repository,
                edit.file,
                edit.document,
                edit.field,
                quoted(&edit.before),
                quoted(&edit.after)
            );
        }
    }
    if !notes.is_empty() {
        text.push_str("notes\n");
        for note in notes {
            _ = writeln!(text, "  {note}");
        }
    }
    text
}

/// A question with what may answer it, or the findings that refuse.
pub fn render_objection(objection: &Objection) -> String {
    match objection {
        Objection::Ask { missing, question, candidates } => {
            let missing: Vec<&str> = missing.iter().map(|one| one.as_str()).collect();
            let mut text = format!("ask: {}\n  {question}\n", missing.join(", "));
            for candidate in candidates {
                _ = writeln!(text, "  - {candidate}");
            }
            text
        }
        Objection::Refuse(findings) => {
            let mut text = String::from("refuse\n");
            for finding in findings {
                text.push_str(&render_finding(finding));
            }
            text
        }
    }
}

/// Two lines: rule and message, then the remedy.
pub fn render_finding(finding: &Finding) -> String {
    let effect = match finding.effect {
        Effect::Note => "note",
        Effect::Approval => "approval",
        Effect::Hold => "hold",
        Effect::Refuse => "refuse",
    };
    format!("  {} ({effect}): {}\n    {}\n", finding.rule, finding.message, finding.remedy)
}

/// A text in quotes, so that "3" and 3 differ.
fn quoted(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => format!("\"{text}\""),
        Scalar::Int(_) | Scalar::Absent => value.to_string(),
    }
}
