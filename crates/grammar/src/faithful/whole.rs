//! What belongs to the whole request and to no action of it: purpose, priority,
//! reason and manners.

use nephoran_model::proposal::Priority;
use serde_json::json;

use super::keys::placed;
use super::marks::Sheet;
use super::{Fact, Miss, Said, Source, table};
use crate::phrases::{CHECK_FIRST, HIGH, LOW, POLITE, URGENT, WE_HAVE};
use crate::vocabulary::{C, TABLE};
use crate::{lexer, tokens};

/// Purpose, priority, reason and manners: they belong to no action.
pub(super) fn whole_request(sheet: &mut Sheet, out: &mut Said, spoken: &str) -> Result<(), Miss> {
    let mut priority: Option<Priority> = None;
    for at in 0..sheet.items.len() {
        let item = sheet.items[at];
        match item.class {
            C::Priority
                if at > 0
                    && matches!(sheet.class(at - 1), C::Ns | C::Cluster)
                    && item.whole
                    && !matches!(sheet.class(at + 1), C::Name | C::Quoted) => {}
            C::Priority => {
                let word = sheet.word(at);
                let service =
                    matches!(sheet.word(at + 1), "service" | "services" | "call" | "calls" | "response");
                if word == "emergency" && service {
                    return Err(sheet.unclear(at));
                }
                let said = match item.value {
                    URGENT => Priority::Urgent,
                    HIGH => Priority::High,
                    LOW => Priority::Low,
                    _ => Priority::Normal,
                };
                if priority.is_some_and(|old| old != said) {
                    return Err(sheet.unclear(at));
                }
                priority = Some(said);
                sheet.items[at].used = true;
                out.carrying.push((item.lo, item.hi));
                out.facts
                    .entry("/priority".to_owned())
                    .or_insert_with(|| Fact { value: json!(said.as_str()), spans: Vec::new() })
                    .spans
                    .push((item.lo, item.hi));
            }
            C::Motive => {
                if out.motive.is_some() {
                    return Err(sheet.unclear(at));
                }
                // "... because the stadium fills up and nssf": one more thing is no reason.
                let mut joined = false;
                for word in sheet.word(at).split_ascii_whitespace() {
                    let class = TABLE.get(word).map_or(C::Unknown, |entry| entry.class);
                    if joined && class == C::Function {
                        return Err(sheet.unclear(at));
                    }
                    joined = class == C::And || joined && matches!(class, C::The | C::A);
                }
                let text = spoken.get(item.lo as usize..item.hi as usize).unwrap_or_default().to_owned();
                out.motive = Some((text, (item.lo, item.hi)));
                sheet.items[at].used = true;
            }
            C::Fill if item.value == POLITE => sheet.polite = true,
            // "the pods we have": tells which, after the thing; before it, tells what is.
            C::Fill if item.value == WE_HAVE => {
                let which =
                    at > 0 && matches!(sheet.class(at - 1), C::Pods | C::Function | C::Name | C::Noun);
                if !which {
                    return Err(sheet.unclear(at));
                }
            }
            C::Quest => sheet.items[at].used = true,
            _ => {}
        }
    }
    purpose(sheet, out)
}

/// "can we ...", "could X be ...": to plan and never to carry out.
fn purpose(sheet: &mut Sheet, out: &mut Said) -> Result<(), Miss> {
    let mut found = None;
    let mut begun = false;
    for at in 0..sheet.items.len() {
        let class = sheet.class(at);
        let opens = !begun;
        if class == C::Check {
            if sheet.items[at].value == CHECK_FIRST && !opens {
                return Err(sheet.unclear(at));
            }
            found = Some(at);
            sheet.items[at].used = true;
        } else if class == C::Can && opens && sheet.asked && found.is_none() && sheet.class(at + 1) != C::You
        {
            found = Some(at);
            sheet.items[at].used = true;
        } else if class == C::Question && opens && sheet.word(at) == "what" && sheet.class(at + 1) == C::When
        {
            return Err(sheet.unclear(at));
        }
        let named = matches!(class, C::Name | C::Quoted) && !placed(sheet, at);
        if table::verb(class) || named || matches!(class, C::Function | C::Number | C::Unknown) {
            begun = true;
        }
    }
    if let Some(at) = found {
        let item = sheet.items[at];
        sheet.check = true;
        out.carrying.push((item.lo, item.hi));
        out.facts
            .insert("/purpose".to_owned(), Fact { value: json!("check"), spans: vec![(item.lo, item.hi)] });
    }
    Ok(())
}

pub(super) fn motive(source: &Source<'_>) -> Option<(String, (u32, u32))> {
    let text = crate::lowered(source.words);
    let mut raw = Vec::new();
    lexer::lex(&text, &mut raw).ok()?;
    let tokens = tokens::tokens(&text, source.words, &raw);
    let tok = tokens.list.iter().rev().find(|tok| tok.class == C::Motive)?;
    let source = if text.len() == source.words.len() { source.words } else { &text };
    Some((source.get(tok.lo as usize..tok.hi as usize)?.to_owned(), (tok.lo, tok.hi)))
}
