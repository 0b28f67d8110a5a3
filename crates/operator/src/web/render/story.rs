//! One intent's story: what was said, what was understood, what was planned, who said
//! yes, what was done, and what is known of its effect.

use jiff::Timestamp;
use maud::{Markup, html};
use nephoran_api::record::Report;
use nephoran_model::fulfilment::{Fulfilment, Status};
use nephoran_model::intent::{Intent, Question, Relation, Request, State};
use nephoran_model::plan::Plan;
use nephoran_model::proposal::Missing;

use super::compose::understood;
use super::{Visit, list, plan};
use crate::web::look;
use crate::web::text::{moment, start, visible};

/// `notice` is what went wrong with the act that was tried last.
pub fn story(visit: &Visit, intent: &Intent, notice: Option<&Markup>) -> Markup {
    html! {
        article.story {
            p.back { a href="/" { "← All intents" } }
            div #notice .notice.bad role="alert" hidden[notice.is_none()] { @if let Some(notice) = notice { (notice) } }
            (head(intent))
            div.story-columns {
                div.story-main {
                    (asked(visit, intent))
                    (approval_wanted(visit, intent))
                    (findings(intent))
                    (answered(intent))
                    (said(intent))
                    (planned(intent))
                    (result(visit, intent))
                }
                div.story-side {
                    (acts(visit, intent))
                    (facts(visit, intent))
                    (history(visit, intent))
                }
            }
        }
    }
}

pub fn title(intent: &Intent) -> String {
    let title = match &intent.plan {
        Some(plan) if !plan.summary.is_empty() => plan.summary.clone(),
        _ => list::said(intent),
    };
    start(&title, 100)
}

/// A part of the page that is replaced when it changes. The id stays where the part is empty.
fn part(id: &str, heading: &str, class: &str, body: Option<Markup>) -> Markup {
    html! {
        section #(id) data-live-part class=[body.as_ref().map(|_| format!("card {class}"))]
            aria-labelledby=[body.as_ref().map(|_| format!("{id}-h"))] {
            @if let Some(body) = body { h2 #{ (id) "-h" } { (heading) } (body) }
        }
    }
}

fn head(intent: &Intent) -> Markup {
    html! {
        header.story-head #story-head data-live-part {
            p.story-state data-announce=(look::word(intent.state)) { (look::badge(intent.state, intent.hold)) }
            h1 { (visible(&title(intent))) }
            p.meaning {
                (look::meaning(intent))
                @if let Some(id) = &intent.superseded_by { " See " (link(id.as_str())) "." }
            }
        }
    }
}

fn link(id: &str) -> Markup {
    html! { a href={ "/intents/" (id) } { code { (id) } } }
}

fn asked(visit: &Visit, intent: &Intent) -> Markup {
    let body = match &intent.question {
        Some(question) if intent.state == State::NeedsAnswer => Some(answer_form(visit, intent, question)),
        _ => None,
    };
    part("question", "It asks", "call", body)
}

fn answer_form(visit: &Visit, intent: &Intent, question: &Question) -> Markup {
    let choices: Vec<&str> = if question.missing.contains(&Missing::Confirmation) {
        vec!["yes"]
    } else {
        question.candidates.iter().map(String::as_str).collect()
    };
    html! {
        p.question { (visible(&question.text)) }
        form.act data-in-place method="post" action={ "/ui/intents/" (intent.id) "/answer" } {
            (visit.field())
            @if !choices.is_empty() {
                // Buttons of their own carry the answer; the field beside them is for another one.
                p.choices {
                    @for choice in &choices {
                        button type="submit" name="choice" value=(choice) formnovalidate { (visible(choice)) }
                    }
                }
            }
            label for="answer-text" { @if choices.is_empty() { "Your answer" } @else { "Or in your words" } }
            div.line {
                input #answer-text name="text" required autocomplete="off" maxlength="1000";
                button.primary type="submit" { "Answer" }
            }
            @if question.missing.contains(&Missing::Confirmation) {
                p.minor {
                    "A language model read your words like this. With yes it is planned and reviewed like any
                    other; nothing is done before. If you meant something else, cancel it and say it in other words."
                }
            } @else {
                p.minor { "An answer fills in what is missing and changes nothing else." }
            }
        }
    }
}

fn approval_wanted(visit: &Visit, intent: &Intent) -> Markup {
    let body = match &intent.plan {
        Some(plan) if intent.state == State::AwaitingApproval => Some(approval_form(visit, intent, plan)),
        _ => None,
    };
    part("approval", "Approve this plan?", "call", body)
}

fn approval_form(visit: &Visit, intent: &Intent, plan: &Plan) -> Markup {
    html! {
        p { "This very plan, and no other, runs when you approve it: " strong { (visible(&plan.summary)) } }
        p.hash { span.minor { "plan " } code { (plan.hash) } }
        form.act data-in-place method="post" action={ "/ui/intents/" (intent.id) "/approve" } {
            (visit.field())
            input type="hidden" name="plan_hash" value=(plan.hash);
            label for="approve-comment" { "Comment (may be empty)" }
            div.line {
                input #approve-comment name="comment" autocomplete="off" maxlength="512";
                button.primary #approve type="submit" { "Approve" }
            }
        }
        form.act data-in-place method="post" action={ "/ui/intents/" (intent.id) "/reject" } {
            (visit.field())
            label for="reject-reason" { "Reason to reject it" }
            div.line {
                input #reject-reason name="reason" required autocomplete="off" maxlength="512";
                button.danger #reject type="submit" { "Reject" }
            }
        }
    }
}

fn answered(intent: &Intent) -> Markup {
    part(
        "answer",
        "Answer",
        "call",
        intent.answer.as_ref().map(|answer| html! { p.answer { (visible(answer)) } }),
    )
}

fn said(intent: &Intent) -> Markup {
    part(
        "said",
        "Asked for",
        "",
        Some(html! {
            @match &intent.request {
                Request::Text(text) => blockquote.words { bdi { (visible(text)) } },
                Request::Proposal(_) => p.minor { "Sent as JSON: a proposal." },
                Request::Intent { body, .. } => {
                    p.minor { "Sent as JSON: an intent." }
                    details { summary { "The JSON as it came in" } pre.raw tabindex="0" { (visible(&start_lines(body))) } }
                }
            }
            @if let Some(proposal) = &intent.proposal {
                h3 { "Understood as" @if let Some(by) = &intent.translator { span.minor { " by the " (visible(by)) } } }
                (understood(proposal))
            }
            @for answer in &intent.answers {
                p.minor { "Answered by " (visible(&answer.by)) ": " q { bdi { (visible(&answer.text)) } } }
            }
        }),
    )
}

/// Enough of a body to recognise it.
fn start_lines(body: &str) -> String {
    body.chars().take(4_000).collect()
}

fn findings(intent: &Intent) -> Markup {
    let body = (!intent.findings.is_empty()).then(|| plan::findings(&intent.findings));
    part("findings", "Findings", "", body)
}

fn planned(intent: &Intent) -> Markup {
    let body = intent.plan.as_ref().map(|plan| {
        html! {
            (plan::notes(&plan.notes))
            (plan::steps(plan))
            (plan::diff(&plan.diff))
            p.hash { span.minor { "plan " } code { (plan.hash) } }
            @if let Some(parent) = &plan.parent {
                p.hash { span.minor { "follows plan " } code { (parent) } }
            }
            @for (repository, commit) in &plan.base {
                p.hash { span.minor { "made on " (visible(repository)) " at " } code { (visible(commit)) } }
            }
        }
    });
    part("plan", "Plan", "", body)
}

fn result(visit: &Visit, intent: &Intent) -> Markup {
    let body = (intent.state.is_end()
        || intent.state.is_committed()
        || !intent.outcomes.is_empty()
        || intent.approval.is_some())
    .then(|| {
        html! {
            @if let Some(approval) = &intent.approval {
                p { "Approved by " strong { (visible(&approval.by)) } ", " (moment(approval.at, visit.now))
                    @if approval.self_approved { " (the author: no authentication is configured)" }
                    @if let Some(comment) = &approval.comment { ": " q { bdi { (visible(comment)) } } }
                }
            }
            @if !intent.outcomes.is_empty() {
                ul.outcomes {
                    @for outcome in &intent.outcomes {
                        li {
                            "Step " (visible(&outcome.step)) ": "
                            @match &outcome.commit {
                                Some(commit) => { "commit " code.commit { (visible(commit)) } }
                                None => "no commit",
                            }
                            @if let Some(note) = &outcome.note { " · " (visible(note)) }
                            " · " (moment(outcome.at, visit.now))
                        }
                    }
                }
            }
            @if intent.state.is_committed() || !intent.fulfilment.targets.is_empty() {
                (fulfilment(&intent.fulfilment, intent.state, visit.now))
            }
            details #report {
                summary { "Report in sentences" }
                ul.report { @for line in Report::of(intent).words { li { (visible(&line)) } } }
            }
        }
    });
    part("result", "What came of it", "", body)
}

fn fulfilment(fulfilment: &Fulfilment, state: State, now: Timestamp) -> Markup {
    html! {
        div.fulfilment {
            h3 { "Effect in the network" }
            @match (fulfilment.status, fulfilment.reason.as_deref()) {
                (Status::Fulfilled, _) => p { "Seen: the network does what was asked." },
                (Status::NotFulfilled, reason) => p {
                    "Not as asked" @if let Some(reason) = reason { ": " (visible(reason)) } "."
                },
                (Status::Unknown, Some("NoProbe")) => p {
                    strong { "Unknown" } ": nothing here measures it (" code { "NoProbe" } "). "
                    @if state.is_committed() {
                        "The change is in the repository; that alone does not say that the network follows it."
                    }
                },
                (Status::Unknown, reason) => p {
                    strong { "Unknown" } @if let Some(reason) = reason { ": " (visible(reason)) } "."
                },
            }
            @if !fulfilment.targets.is_empty() {
                div.scroll { table.steps {
                    caption.sr { "What was read back" }
                    thead { tr { th scope="col" { "Step" } th scope="col" { "Field" } th scope="col" { "Wanted" }
                        th scope="col" { "Seen" } th scope="col" { "Read from" } } }
                    tbody { @for target in &fulfilment.targets { tr {
                        td data-label="Step" { (visible(&target.step)) }
                        td data-label="Field" { code { (visible(&target.field)) } }
                        td data-label="Wanted" { (visible(&target.wanted)) }
                        td data-label="Seen" {
                            (visible(&target.seen))
                            @if target.seen != target.wanted { strong.differs { " differs" } }
                        }
                        td data-label="Read from" { (visible(&target.source)) " · " (moment(target.at, now)) }
                    } } }
                } }
            }
        }
    }
}

fn acts(visit: &Visit, intent: &Intent) -> Markup {
    let retry = intent.state == State::Failed;
    let cancel = intent.state.may_become(State::Cancelled);
    let rollback = intent.state.may_become(State::RolledBack)
        && intent.plan.as_ref().is_some_and(|plan| !plan.is_already_so());
    let body = (retry || cancel || rollback).then(|| {
        html! {
            @if retry {
                (act(visit, intent, "retry", "Retry", "Ask for it again as a new intent: planned anew, with approvals of its own."))
            }
            @if rollback {
                (act(visit, intent, "rollback", "Roll back", "Make a new intent that undoes this change. It is reviewed like any other."))
            }
            @if cancel { (act(visit, intent, "cancel", "Cancel", "Nothing more happens to it. It cannot be taken up again.")) }
        }
    });
    part("acts", "What you can do", "acts", body)
}

/// Two clicks, so that one slip of the hand does nothing.
fn act(visit: &Visit, intent: &Intent, act: &str, word: &str, what: &str) -> Markup {
    html! {
        details.act-box #{ "act-" (act) } {
            summary { (word) "…" }
            form data-in-place method="post" action={ "/ui/intents/" (intent.id) "/" (act) } {
                (visit.field())
                p { (what) }
                button type="submit" .danger[act == "cancel"] .primary[act != "cancel"] { (word) " this intent" }
            }
        }
    }
}

fn facts(visit: &Visit, intent: &Intent) -> Markup {
    let base = format!("/api/v1/intents/{}", intent.id);
    part(
        "facts",
        "Facts",
        "",
        Some(html! {
            dl.facts {
                dt { "Id" } dd { code { (intent.id) } }
                dt { "Priority" } dd { (look::priority(intent.priority)) }
                dt { "Asked by" } dd { (visible(&intent.requester)) ", over " (intent.source.as_str()) }
                dt { "Asked at" } dd { (moment(intent.created_at, visit.now)) }
                @if let Some(at) = intent.not_before { dt { "Not before" } dd { (moment(at, visit.now)) } }
                @if let Some(at) = intent.deadline { dt { "Deadline" } dd { (moment(at, visit.now)) } }
                @if let Some(ticket) = &intent.change.ticket { dt { "Ticket" } dd { (visible(ticket)) } }
                @if let Some(reason) = &intent.change.reason { dt { "Reason" } dd { bdi { (visible(reason)) } } }
                @if let Some(parent) = &intent.parent {
                    dt { (match parent.relation { Relation::Rollback => "Undoes", Relation::Retry => "Retries" }) }
                    dd { (link(parent.id.as_str())) }
                }
                @for old in &intent.supersedes { dt { "Takes the place of" } dd { (link(old.as_str())) } }
                @if let Some(file) = &intent.file { dt { "File" } dd { code { (visible(file)) } } }
                @if let Some(mark) = &intent.correlation_id { dt { "Correlation id" } dd { code { (visible(mark)) } } }
                @if let Some(at) = intent.retry_at {
                    dt { "Tried again" } dd { (moment(at, visit.now)) ", after " (intent.attempts) " failed tries" }
                }
            }
            p.links {
                a href=(base) { "JSON" } " · " a href={ (base) "/report" } { "Report" } " · "
                @if intent.plan.is_some() { a href={ (base) "/plan" } { "Plan" } " · " }
                a href={ (base) "/audit" } { "Audit trail" }
            }
        }),
    )
}

fn history(visit: &Visit, intent: &Intent) -> Markup {
    part(
        "history",
        "History",
        "",
        Some(html! {
            ol.history {
                @for step in &intent.history {
                    li {
                        (look::badge(step.state, None))
                        p.cause { (visible(&step.cause)) }
                        p.minor { (moment(step.at, visit.now)) " · " (visible(&step.actor)) }
                    }
                }
            }
        }),
    )
}
