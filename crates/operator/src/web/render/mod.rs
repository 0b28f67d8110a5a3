//! Markup, a function per part of a page. Reads, decides nothing, touches nothing.

/// The frame around every page: head, header, footer.
mod frame;

/// The box an intent is written in, and the plan shown beside it.
mod compose;

/// The list of intents, its filters, and the queue at a glance.
mod list;

/// One intent's story.
mod story;

/// A plan: steps, notes, diff, findings.
mod plan;

use jiff::Timestamp;

pub use compose::{Draft, compose, nothing, preview, turned_away};
pub use frame::{Live, frame, problem};
pub use list::{Filter, Glance, Listing, Waiting, home};
pub use story::{story, title};

/// What every part needs to know about the visit.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The token that each form carries back.
    pub csrf: String,
    pub now: Timestamp,
}

impl Visit {
    /// The hidden field of every form.
    fn field(&self) -> maud::Markup {
        maud::html! { input type="hidden" name="csrf" value=(self.csrf); }
    }
}

#[cfg(test)]
mod tests {
    use nephoran_model::intent::{Intent, State};

    use super::*;

    const HASH: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

    fn visit() -> Visit {
        Visit {
            csrf: "0123456789abcdef0123456789abcdef".into(),
            now: "2026-11-24T12:00:00Z".parse().expect("a time"),
        }
    }

    /// An intent with everything that a stranger may write full of markup.
    fn intent(state: State) -> Intent {
        let markup = "<script>alert(1)</script>\u{202E}\"'&<img src=x onerror=alert(2)>";
        let step = serde_json::json!({
            "id": "1", "action": "scale", "actuator": "package", "repository": "default",
            "target": {"name": markup, "kind": "Deployment", "namespace": "ran-a", "package": markup},
            "edits": [{"file": markup, "document": 0, "field": markup, "before": 3, "after": markup, "blob": "b"}],
        });
        let finding = |effect: &str| serde_json::json!({"rule": markup, "message": markup, "remedy": markup, "effect": effect});
        let record = serde_json::json!({
            "id": "i-1", "version": 1, "generation": 1, "state": state, "priority": "normal", "source": "http",
            "requester": markup, "created_at": "2026-11-24T11:59:00Z", "request": {"text": markup},
            "change": {"ticket": markup, "reason": markup}, "file": markup, "correlation_id": markup,
            "history": [{"at": "2026-11-24T11:59:00Z", "state": state, "cause": markup, "actor": markup}],
            "answers": [{"at": "2026-11-24T11:59:00Z", "by": markup, "missing": ["action"], "text": markup}],
            "proposal": {"outcome": "actions", "motive": markup,
                "actions": [{"action": "configure", "target": {"name": "upf"}, "settings": {"dnn": markup}}]},
            "translator": markup,
            "plan": {"hash": HASH, "summary": markup, "base": {"default": markup}, "steps": [step],
                "notes": [markup], "diff": format!("--- a/f\n+++ b/{markup}\n@@ -1 +1 @@\n-{markup}\n+{markup}!\n")},
            "findings": [finding("refuse"), finding("approval"), finding("hold"), finding("note")],
            "question": {"missing": ["target"], "text": markup, "candidates": ["ran-a/<upf>"]},
            "approval": {"plan": HASH, "by": markup, "at": "2026-11-24T11:59:00Z", "until": "2026-11-25T11:59:00Z",
                "comment": markup},
            "outcomes": [{"step": markup, "commit": markup, "at": "2026-11-24T11:59:00Z", "note": markup}],
            "fulfilment": {"status": "unknown", "reason": markup, "targets": [{"step": markup, "field": markup,
                "wanted": markup, "seen": "0", "at": "2026-11-24T11:59:00Z", "source": markup}]},
            "answer": markup,
        });
        serde_json::from_value(record).expect("the record is whole")
    }

    fn page(state: State) -> String {
        let intent = intent(state);
        let visit = visit();
        let notice = maud::html! { "notice" };
        frame(&title(&intent), Live::One { id: "i-1", moving: false }, &story(&visit, &intent, Some(&notice)))
            .into_string()
    }

    #[test]
    fn markup_of_strangers_is_text_wherever_it_stands() {
        for state in State::ALL {
            let listing = Listing { intents: vec![intent(state)], ..Listing::default() };
            let draft = Draft {
                text: "</textarea><script>alert(3)</script>".into(),
                ticket: "\"><script>".into(),
                ..Draft::default()
            };
            let compose = compose(&visit(), &draft, &turned_away("<script>"), None);
            let list = home(&visit(), &compose, &listing, &Glance::default()).into_string();
            let story = page(state);
            for html in [&list, &story] {
                for wrong in ["<script>", "<img", "\u{202E}", "</textarea><script"] {
                    assert!(!html.contains(wrong), "{state}: {wrong} in {html}");
                }
                assert!(html.contains("&lt;script&gt;"), "{state}: the words are shown");
                assert!(!html.contains(" style=") && !html.contains(" onclick="), "{state}: nothing inline");
            }
            assert!(story.contains("U+202E"), "{state}: the mark that reorders is shown");
        }
    }

    #[test]
    fn an_intent_can_be_acted_on_only_where_its_state_allows_it() {
        for state in State::ALL {
            let html = page(state);
            for (act, allowed) in [
                ("answer", state == State::NeedsAnswer),
                ("approve", state == State::AwaitingApproval),
                ("reject", state == State::AwaitingApproval),
                ("cancel", state.may_become(State::Cancelled)),
                ("rollback", state.may_become(State::RolledBack)),
                ("retry", state == State::Failed),
            ] {
                let form = format!("action=\"/ui/intents/i-1/{act}\"");
                assert_eq!(html.contains(&form), allowed, "{act} of an intent that is {state}");
            }
        }
    }

    #[test]
    fn every_form_that_changes_something_carries_the_token() {
        let mut pages: Vec<String> = State::ALL.into_iter().map(page).collect();
        let compose = compose(&visit(), &Draft::default(), &nothing(), None);
        pages.push(home(&visit(), &compose, &Listing::default(), &Glance::default()).into_string());
        for html in pages {
            for form in html.split("<form").skip(1) {
                let form = form.split("</form>").next().expect("a first part");
                if form.contains("method=\"post\"") {
                    assert!(form.contains(&visit().csrf), "{form}");
                }
            }
        }
    }

    #[test]
    fn a_commit_is_never_called_fulfilled() {
        let mut intent = intent(State::Applied);
        intent.fulfilment = nephoran_model::fulfilment::Fulfilment::default();
        let html = story(&visit(), &intent, None).into_string();
        assert!(html.contains("Unknown") && html.contains("NoProbe"), "{html}");
        assert!(!html.contains("fulfilled"), "{html}");
    }

    #[test]
    fn the_plan_is_approved_by_its_whole_hash() {
        let html = page(State::AwaitingApproval);
        assert!(html.contains(&format!("name=\"plan_hash\" value=\"{HASH}\"")), "{html}");
        assert!(html.contains(&format!("<code>{HASH}</code>")), "{html}");
    }

    #[test]
    fn every_state_has_a_word_and_a_shape_of_its_own() {
        let mut badges: Vec<String> = State::ALL
            .into_iter()
            .map(|state| {
                let badge = crate::web::look::badge(state, None).into_string();
                badge.split("<svg").nth(1).expect("a shape").to_owned()
            })
            .collect();
        badges.sort();
        badges.dedup();
        assert_eq!(badges.len(), State::ALL.len());
    }

    #[test]
    fn every_filter_is_found_again_by_its_address() {
        for filter in Filter::GROUPS.into_iter().chain(State::ALL.map(Filter::One)) {
            assert_eq!(Filter::parse(filter.as_str()), Some(filter));
        }
        assert_eq!(Filter::parse("nonsense"), None);
    }
}
