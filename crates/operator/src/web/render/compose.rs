//! The box an intent is written in, and the plan shown beside it.

use maud::{Markup, html};
use nephoran_model::guard::Effect;
use nephoran_model::intent::State;
use nephoran_model::proposal::Priority;

use super::{Visit, plan};
use crate::admit::DryRun;
use crate::web::look::icon;
use crate::web::text::visible;
use crate::web::words;

/// What somebody has written so far.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub text: String,
    pub priority: Option<Priority>,
    pub ticket: String,
    pub reason: String,
    /// Made with the form: sending one form twice makes one intent.
    pub nonce: String,
}

/// Sentences that show what can be said.
const EXAMPLES: &[&str] = &[
    "scale upf to 5 in ns ran-a",
    "add two smf instances",
    "how many upf replicas are running in ran-a?",
    "can we scale amf to 4?",
];

pub fn compose(visit: &Visit, draft: &Draft, preview: &Markup, notice: Option<&Markup>) -> Markup {
    html! {
        section.compose aria-labelledby="write" {
            form.card.write #compose method="post" action="/ui/intents" {
                h1 #write { label for="text" { "What should the network do?" } }
                div #notice .notice.bad role="alert" hidden[notice.is_none()] { @if let Some(notice) = notice { (notice) } }
                (visit.field())
                input type="hidden" name="nonce" value=(draft.nonce);
                // A line feed right after the tag is dropped by parsers: this one protects a first line of the draft.
                textarea #text name="text" rows="4" required spellcheck="false" autocomplete="off"
                    autocapitalize="off" placeholder="scale upf to 5 in ns ran-a" aria-describedby="examples" {
                    "\n" (draft.text)
                }
                p.examples #examples {
                    span.minor { "For example:" }
                    @for example in EXAMPLES {
                        a.example href={ "/?text=" (query(example)) } data-example=(example) { (example) }
                    }
                }
                details open[!draft.ticket.is_empty() || !draft.reason.is_empty()] {
                    summary { "Ticket and reason" }
                    div.pair {
                        label { "Ticket" input name="ticket" value=(draft.ticket) maxlength="128" autocomplete="off"; }
                        label { "Reason" input name="reason" value=(draft.reason) maxlength="512" autocomplete="off"; }
                    }
                }
                div.send {
                    label { "Priority "
                        select name="priority" {
                            option value="" { "as said, else normal" }
                            @for priority in Priority::ALL {
                                option value=(priority.as_str()) selected[draft.priority == Some(priority)] {
                                    (priority.as_str())
                                }
                            }
                        }
                    }
                    span.spread {}
                    button.only-still type="submit" formaction="/ui/preview" { "Preview" }
                    button.primary type="submit" aria-keyshortcuts="Control+Enter" { "Send" }
                }
            }
            section.card.preview #preview aria-label="Plan" tabindex="0" { (preview) }
        }
    }
}

/// Percent-encodes what is not unreserved (RFC 3986).
fn query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What stands in the place of a plan while nothing is written.
pub fn nothing() -> Markup {
    html! {
        div.empty {
            (icon(r#"<path d="M3 2h10v12H3z"/><path d="M5.5 6h5M5.5 9h5"/>"#))
            p { "The plan shows here as you write. Nothing is sent or changed until you send it." }
        }
    }
}

/// Why no plan can be shown.
pub fn turned_away(reason: &str) -> Markup {
    html! { div.verdict.bad { strong { "No plan" } p { (visible(reason)) } } }
}

/// What would happen to the words as they stand.
pub fn preview(run: &DryRun) -> Markup {
    let (class, shape, verdict) = verdict(run);
    let planned = run.plan.as_ref().filter(|plan| !plan.steps.is_empty());
    html! {
        p.verdict.(class) data-verdict=(run.state.as_str()) { (icon(shape)) strong { (verdict) } }
        @if let Some(question) = &run.question {
            p.question { (visible(&question.text)) }
            @if !question.candidates.is_empty() {
                p.minor { "It can be: " @for (at, candidate) in question.candidates.iter().enumerate() {
                    @if at > 0 { ", " } code { (visible(candidate)) }
                } }
            }
        }
        @if let Some(answer) = &run.answer { p.answer { (visible(answer)) } }
        h2 { "Understood as" }
        (understood(&run.proposal))
        @if let Some(plan) = planned { h2 { "Plan" } p.summary { code { (visible(&plan.summary)) } } }
        (plan::findings(run.findings.iter().filter(|finding| finding.effect > Effect::Note)))
        @if let Some(plan) = planned {
            (plan::notes(&plan.notes))
            @if !plan.diff.trim().is_empty() { (plan::changes(&plan.diff)) }
        }
        (plan::findings(run.findings.iter().filter(|finding| finding.effect == Effect::Note)))
    }
}

fn verdict(run: &DryRun) -> (&'static str, &'static str, &'static str) {
    const TICK: &str = r#"<circle cx="8" cy="8" r="6.2"/><path d="m5 8.2 2.2 2.2L11 6.2"/>"#;
    const ASK: &str =
        r#"<path d="M2 2h12v9H8l-3 3v-3H2z"/><path d="M6.5 5.2c.2-1 2.9-1 2.9.4 0 1-1.4 1-1.4 2M8 9v.2"/>"#;
    const STOP: &str = r#"<path d="M8 1.5 14.5 8 8 14.5 1.5 8z"/><path d="M8 5v3.5M8 10.8v.2"/>"#;
    const NO: &str = r#"<path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z"/><path d="M5 8h6"/>"#;
    match run.state {
        State::NeedsAnswer => ("waiting", ASK, "It would ask you"),
        State::Refused | State::Failed => ("bad", NO, "It would be refused"),
        State::AwaitingApproval => ("waiting", STOP, "It would wait for approval"),
        State::Planned if run.findings.iter().any(|f| f.effect == Effect::Hold) => {
            ("waiting", STOP, "It would be held")
        }
        State::Applied | State::Fulfilled => ("quiet", TICK, "It is so already: nothing to commit"),
        State::Answered => ("good", TICK, "It is a question: nothing would be changed"),
        _ => ("good", TICK, "It would be carried out at once"),
    }
}

pub fn understood(proposal: &nephoran_model::proposal::Proposal) -> Markup {
    use nephoran_model::proposal::Proposal;
    let lines = words::understood(proposal);
    html! {
        @if let [line] = lines.as_slice() {
            p.understood { (visible(line)) }
        } @else {
            ol.understood { @for line in &lines { li { (visible(line)) } } }
        }
        @if let Proposal::Actions(actions) = proposal {
            @if let Some(priority) = actions.priority { p.minor { "Priority said: " (priority.as_str()) } }
            @if let Some(motive) = &actions.motive {
                p.minor { "Given as the reason: " q { (visible(motive)) } }
            }
        }
    }
}
