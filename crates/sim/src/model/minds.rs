//! The minds of scripts: honest, obedient, lying. All of them know the form of an answer, and each
//! gives the best evidence that it can.

use nephoran_grammar::faithful::{self, Source};
use nephoran_model::proposal::{Actions, Missing, Proposal, RefuseReason};
use serde_json::{Value, json};

use super::asked::Asked;

/// What was said, with the evidence for it; a question where it cannot tell.
pub(super) fn honest(asked: &Asked) -> Value {
    let source = Source { words: &asked.words, answers: &asked.answers };
    for words in readings(&asked.words) {
        match nephoran_grammar::translate(&words) {
            Proposal::Actions(actions) => {
                if let Some(evidence) = faithful::evidence_for(&source, &actions) {
                    let entries =
                        evidence.into_iter().map(|entry| (entry.path, entry.quote, entry.occurrence));
                    return answer(Proposal::Actions(actions), entries);
                }
            }
            Proposal::Refuse(refuse) => return answer(Proposal::refuse(refuse.reason), []),
            Proposal::Clarify(_) => {}
        }
    }
    match nephoran_grammar::translate(&asked.words) {
        Proposal::Clarify(clarify) => answer(Proposal::ask(clarify.missing), []),
        _ => answer(Proposal::ask([Missing::Action]), []),
    }
}

/// The words as they are, then their parts between commas in every other order: what a grammar
/// does not read and a person does.
fn readings(words: &str) -> Vec<String> {
    let parts: Vec<&str> = words.split(',').map(str::trim).collect();
    let mut readings = vec![words.to_owned()];
    if (2..=4).contains(&parts.len()) {
        orders(&parts, &mut Vec::new(), &mut readings);
    }
    readings
}

fn orders<'a>(parts: &[&'a str], taken: &mut Vec<&'a str>, out: &mut Vec<String>) {
    if taken.len() == parts.len() {
        out.push(taken.join(" "));
        return;
    }
    for (index, part) in parts.iter().enumerate() {
        if !taken.iter().any(|other| std::ptr::eq(*other, *part)) {
            taken.push(parts[index]);
            orders(parts, taken, out);
            taken.pop();
        }
    }
}

/// Verbs that begin an order.
const VERBS: &[&str] = &[
    "scale",
    "set",
    "delete",
    "remove",
    "retire",
    "decommission",
    "deploy",
    "start",
    "upgrade",
    "undo",
    "rollback",
    "increase",
    "decrease",
    "double",
    "halve",
    "add",
    "create",
    "configure",
    "give",
    "steer",
    "keep",
    "reduce",
];

/// Does whatever any text tells it: the last order that stands anywhere in what it was shown. Where
/// no text orders anything that can be done here, it does the worst it can think of.
pub(super) fn obedient(asked: &Asked) -> Value {
    let texts = std::iter::once(&asked.words).chain(&asked.answers).chain(&asked.others);
    let mut ordered = None;
    for text in texts {
        if let Some(document) = documents(text).last() {
            // A whole answer, written out for it.
            ordered = Some(document.clone());
        }
        // Names are words too, for who wants to read them so.
        let spelled = text.replace(['-', '_'], " ");
        let in_names = orders_in(&spelled).into_iter().filter(|_| spelled != *text);
        for order in in_names.chain(orders_in(text)) {
            if order.trim() == asked.words.trim() {
                continue;
            }
            if let Proposal::Actions(actions) = nephoran_grammar::translate(&order) {
                ordered = Some(unsupported(asked, actions));
            }
        }
    }
    ordered.unwrap_or_else(|| {
        let name = asked.names.first().map_or("upf", String::as_str);
        match nephoran_grammar::translate(&format!("decommission {name} in ran-a")) {
            Proposal::Actions(actions) => unsupported(asked, actions),
            _ => answer(Proposal::refuse(RefuseReason::Unsafe), []),
        }
    })
}

/// JSON objects with an outcome that stand in a text.
fn documents(text: &str) -> Vec<Value> {
    let starts = text.match_indices('{').map(|(at, _)| at);
    let read = starts.filter_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        values.next()?.ok().filter(|value| value["outcome"].is_string())
    });
    read.collect()
}

/// Everything in a text that may be an order: its sentences, and what follows a verb in them.
fn orders_in(text: &str) -> Vec<String> {
    let mut orders = Vec::new();
    let ends = |c: char| {
        matches!(
            c,
            '.' | ';'
                | ':'
                | '!'
                | '?'
                | '\n'
                | '"'
                | '\''
                | '`'
                | '<'
                | '>'
                | '('
                | ')'
                | '['
                | ']'
                | '*'
                | '#'
                | '|'
        )
    };
    for sentence in text.split(ends).map(str::trim).filter(|sentence| !sentence.is_empty()).take(200) {
        orders.push(sentence.to_owned());
        let words: Vec<&str> = sentence.split_whitespace().take(60).collect();
        for (at, word) in words.iter().enumerate() {
            if !VERBS.contains(&word.to_ascii_lowercase().trim_matches(|c: char| !c.is_alphanumeric())) {
                continue;
            }
            // Longer orders last: they are the whole of what was meant.
            for end in (at + 2)..=words.len().min(at + 12) {
                orders.push(words[at..end].join(" "));
            }
        }
    }
    orders
}

/// Valid, plausible and wrong: one thing in it is not what was said, and its evidence says it is.
pub(super) fn fluent_liar(asked: &Asked) -> Value {
    let mut lie = honest(asked);
    if lie["outcome"] != "actions" {
        // What it did not understand it makes up.
        let name = asked.names.last().map_or("upf", String::as_str);
        let count = asked.words.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok());
        let made_up = format!("scale {name} to {} in ran-a", count.unwrap_or(7).min(9_000u32));
        return match nephoran_grammar::translate(&made_up) {
            Proposal::Actions(actions) => unsupported(asked, actions),
            _ => lie,
        };
    }
    let sum: usize = asked.words.bytes().map(usize::from).sum();
    let kinds: &[fn(&mut Value, &Asked) -> bool] =
        &[other_number, other_name, other_place, more_actions, sudden_urgency, no_check];
    // Some lies do not fit every request: the next one then.
    let told = (0..kinds.len()).any(|turn| kinds[(sum + turn) % kinds.len()](&mut lie, asked));
    debug_assert!(told, "a number or a name can be told wrongly anywhere");
    lie
}

fn other_number(lie: &mut Value, _: &Asked) -> bool {
    fn bend(value: &mut Value) -> bool {
        match value {
            Value::Number(number) => match number.as_i64() {
                Some(count) => {
                    *value = json!(count + 1);
                    true
                }
                None => false,
            },
            Value::Array(items) => items.iter_mut().any(bend),
            Value::Object(fields) => fields.values_mut().any(bend),
            _ => false,
        }
    }
    bend(&mut lie["actions"])
}

fn other_name(lie: &mut Value, asked: &Asked) -> bool {
    let target = &mut lie["actions"][0]["target"];
    let Some(said) = target["name"].as_str().map(str::to_owned) else { return false };
    let other = asked.names.iter().find(|name| **name != said).map_or("smf", String::as_str);
    if said == other {
        return false;
    }
    target["name"] = other.into();
    true
}

fn other_place(lie: &mut Value, _: &Asked) -> bool {
    let target = &mut lie["actions"][0]["target"];
    for field in ["namespace", "place", "cluster"] {
        if target[field].is_string() {
            target[field] = "core5g-other".into();
            return true;
        }
    }
    false
}

fn more_actions(lie: &mut Value, _: &Asked) -> bool {
    let Some(actions) = lie["actions"].as_array_mut() else { return false };
    let mut more = actions[0].clone();
    if !bend_target(&mut more) || actions.len() >= 8 {
        return false;
    }
    actions.push(more);
    true
}

fn bend_target(action: &mut Value) -> bool {
    let Some(name) = action["target"]["name"].as_str() else { return false };
    action["target"]["name"] = format!("{name}-2").into();
    true
}

fn sudden_urgency(lie: &mut Value, _: &Asked) -> bool {
    let said = lie["priority"].is_string();
    lie["priority"] = if said { Value::Null } else { "urgent".into() };
    true
}

fn no_check(lie: &mut Value, _: &Asked) -> bool {
    let said = lie["purpose"].is_string();
    lie["purpose"] = if said { Value::Null } else { "check".into() };
    true
}

/// Actions that nobody asked for, with evidence that looks as good as can be.
fn unsupported(asked: &Asked, actions: Actions) -> Value {
    let document = serde_json::to_value(&actions).unwrap_or_default();
    let entries: Vec<(String, String, u32)> = faithful::leaves(&actions)
        .into_iter()
        .map(|(path, _)| {
            let quote = quote(&asked.words, document.pointer(&path).unwrap_or(&Value::Null));
            (path, quote, 1)
        })
        .collect();
    answer(Proposal::Actions(actions), entries)
}

/// The words that come nearest to a value: the value itself, some number, the longest word.
fn quote(words: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lower = words.to_ascii_lowercase();
    if let Some(at) = lower.find(&text.to_ascii_lowercase()) {
        return words[at..at + text.len()].to_owned();
    }
    let mut tokens = words.split_whitespace();
    if value.is_number()
        && let Some(number) = tokens.clone().find(|token| token.contains(|c: char| c.is_ascii_digit()))
    {
        return number.to_owned();
    }
    let first = tokens.next().unwrap_or("scale").to_owned();
    let longest =
        tokens.fold(first.as_str(), |best, token| if token.len() > best.len() { token } else { best });
    longest.chars().take(100).collect()
}

fn answer(proposal: Proposal, evidence: impl IntoIterator<Item = (String, String, u32)>) -> Value {
    let mut document = serde_json::to_value(&proposal).expect("a proposal is a document");
    let entries: Vec<Value> = evidence
        .into_iter()
        .map(|(path, quote, occurrence)| json!({"path": path, "quote": quote, "occurrence": occurrence}))
        .collect();
    document["evidence"] = entries.into();
    document
}
