//! The text of a commit: a title and lines from typed fields, then trailers.
//!
//! Forges act on what a message says (`[skip ci]`, `Fixes #1`, trailers), so not one
//! word of a requester gets in, and no value that could be more than one.

use nephoran_model::plan::{Plan, Step};

/// What the trailers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailers {
    pub intent: String,
    pub requested_by: String,
    pub approved_by: Option<String>,
    pub ticket: Option<String>,
    /// Sequence and hash of the head of the audit trail.
    pub audit: Option<(u64, String)>,
}

/// Who writes: the operator, whoever asked.
pub(crate) const IDENTITY: &str = "nephoran <nephoran@localhost>";

/// A title that lists of commits show whole; several steps have their lines below.
const LONGEST_TITLE: usize = 72;

/// Largest value of a trailer.
const LONGEST_VALUE: usize = 128;

/// The steps that a commit carries out, in the plan's order.
pub fn text<'s>(plan: &Plan, steps: impl Iterator<Item = &'s Step>, trailers: &Trailers) -> String {
    let lines: Vec<String> = steps.map(|step| plain(&step.line())).collect();
    let summary = plain(&plan.summary);
    let title = match lines.as_slice() {
        [only] => only.clone(),
        [first, rest @ ..] if summary.is_empty() || summary.len() > LONGEST_TITLE => {
            format!("{first}, and {} more", rest.len())
        }
        _ => summary,
    };
    let mut text = format!("{title}\n\n{}\n\n", lines.join("\n"));
    let mut trailer = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{key}: {value}\n"));
        }
    };
    trailer("Nephoran-Intent", Some(replaced(&trailers.intent)));
    trailer("Nephoran-Plan", Some(plan.hash.to_string()));
    trailer("Nephoran-Requested-By", Some(replaced(&trailers.requested_by)));
    trailer("Nephoran-Approved-By", trailers.approved_by.as_deref().map(replaced));
    // An altered ticket would name another ticket.
    trailer("Nephoran-Ticket", trailers.ticket.clone().filter(|ticket| is_value(ticket)));
    let audit = trailers.audit.as_ref().map(|(sequence, hash)| format!("{sequence}:{hash}"));
    trailer("Nephoran-Audit", audit.filter(|audit| is_value(audit)));
    text
}

fn is_value(value: &str) -> bool {
    (1..=LONGEST_VALUE).contains(&value.len()) && value.bytes().all(|byte| fits(char::from(byte)))
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | ':' | '/' | '+' | '-')
}

/// A name that does not fit is shown as far as it does.
fn replaced(value: &str) -> String {
    let value: String = value.chars().take(LONGEST_VALUE).map(|c| if fits(c) { c } else { '_' }).collect();
    if value.is_empty() { "unknown".to_owned() } else { value }
}

/// Names and numbers of a step. Brackets, colons and hashes are what forges act on.
fn plain(line: &str) -> String {
    line.chars()
        .map(|c| {
            let allowed =
                c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '/' | '-' | '>' | ',' | ';' | '_');
            if allowed { c } else { '?' }
        })
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use nephoran_model::plan::{ActuatorKind, Edit, PlanHash, Resolved, Scalar, StepState};

    use super::*;

    fn step(name: &str, after: Scalar) -> Step {
        Step {
            id: "1".into(),
            action: "scale".into(),
            actuator: ActuatorKind::Package,
            repository: "default".into(),
            target: Resolved {
                name: name.into(),
                kind: "Deployment".into(),
                function: None,
                namespace: Some("ran-a".into()),
                cluster: None,
                package: "ran-a/upf".into(),
            },
            edits: vec![Edit {
                file: "f".into(),
                document: 0,
                field: "spec.replicas".into(),
                before: Scalar::Int(3),
                after,
                blob: "b".into(),
            }],
            state: StepState::Pending,
        }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            hash: PlanHash::parse(&"a".repeat(64)).unwrap(),
            parent: None,
            summary: nephoran_model::plan::summary(&steps),
            base: BTreeMap::new(),
            steps,
            notes: vec![],
            diff: String::new(),
        }
    }

    fn trailers() -> Trailers {
        Trailers {
            intent: "i-1".into(),
            requested_by: "alice@example.org".into(),
            approved_by: None,
            ticket: Some("CHG-7".into()),
            audit: Some((12, "f".repeat(64))),
        }
    }

    #[test]
    fn a_commit_says_what_it_does_and_for_whom() {
        let plan = plan(vec![step("upf", Scalar::Int(5))]);
        assert_eq!(
            text(&plan, plan.steps.iter(), &trailers()),
            format!(
                "scale ran-a/upf 3 -> 5\n\nscale ran-a/upf 3 -> 5\n\nNephoran-Intent: i-1\nNephoran-Plan: {}\n\
                 Nephoran-Requested-By: alice@example.org\nNephoran-Ticket: CHG-7\nNephoran-Audit: 12:{}\n",
                "a".repeat(64),
                "f".repeat(64)
            )
        );
    }

    #[test]
    fn no_value_becomes_a_second_line_or_a_word_that_a_forge_obeys() {
        let plan = plan(vec![step("upf", Scalar::Text("5 [skip ci]\nFixes: #1".into()))]);
        let odd = Trailers {
            requested_by: "eve\nNephoran-Approved-By: root".into(),
            approved_by: Some(String::new()),
            ticket: Some("CHG 7\n[skip ci]".into()),
            ..trailers()
        };
        let text = text(&plan, plan.steps.iter(), &odd);
        assert!(!text.contains('['), "{text}");
        assert!(!text.contains("Fixes:"), "{text}");
        assert!(!text.contains("Ticket"), "{text}");
        assert!(text.contains("Nephoran-Requested-By: eve_Nephoran-Approved-By:_root\n"), "{text}");
        assert!(text.contains("Nephoran-Approved-By: unknown\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("Nephoran-")).count(), 5, "{text}");
    }
}
