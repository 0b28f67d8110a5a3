//! What is refused whatever else a request says: ways round the checks, ruin at
//! large, commands, secrets, orders to the translator; and what is no network's.

use nephoran_model::proposal::RefuseReason;

use crate::frame::Frame;
use crate::tokens::Tokens;
use crate::vocabulary::{C, hint};

/// Whether the words as a whole must be refused, before any rule reads them.
pub(crate) fn verdict(tokens: &Tokens) -> Option<RefuseReason> {
    let has = |bit: u16| tokens.hints & bit != 0;
    let thing = tokens.list.iter().any(|tok| matches!(tok.class, C::Function | C::Name | C::Quoted));
    let rules = has(hint::OVERRIDE) && has(hint::RULES);
    let approvals = has(hint::APPROVAL) && has(hint::NEGATION);
    let secrets = has(hint::SECRET);
    let shell = has(hint::SHELL) || has(hint::TOOL) && has(hint::RUN);
    let function = tokens.list.iter().any(|tok| tok.class == C::Function);
    let ruin = has(hint::DESTROY) && has(hint::EVERYTHING) && !function;
    let emptied = has(hint::EVERYTHING)
        && !thing
        && tokens.list.iter().any(|tok| tok.class == C::Number && tok.value == 0.0)
        && tokens.list.iter().any(|tok| matches!(tok.class, C::To | C::Set | C::Scale | C::Shrink));
    let no_thing = !tokens.list.windows(2).any(|pair| {
        matches!(pair[0].class, C::Function)
            || (pair[0].class == C::Name && !matches!(pair[1].class, C::Ns | C::Cluster))
    });
    // "delete namespace ran-a": the place itself, and nothing in it.
    let razed = tokens.list.iter().take(4).any(|tok| {
        matches!(tok.class, C::Retire | C::Remove) || tok.class == C::Unknown && has(hint::DESTROY)
    }) && razes_place(tokens)
        && no_thing | only_place(tokens);
    if rules
        || approvals
        || secrets
        || shell
        || ruin
        || emptied
        || razed
        || has(hint::BYPASS)
        || has(hint::PERSONA) && tokens.strange > 1
    {
        return Some(RefuseReason::Unsafe);
    }
    None
}

fn razes_place(tokens: &Tokens) -> bool {
    let mut list = tokens
        .list
        .iter()
        .filter(|tok| !matches!(tok.class, C::Fill | C::The | C::Priority))
        .skip_while(|tok| !matches!(tok.class, C::Retire | C::Remove | C::Unknown));
    list.next();
    matches!(
        (list.next().map(|t| t.class), list.next().map(|t| t.class)),
        (Some(C::Ns | C::Cluster), _) | (Some(C::Name | C::Unknown), Some(C::Ns | C::Cluster))
    )
}

fn only_place(tokens: &Tokens) -> bool {
    !tokens.list.iter().any(|tok| tok.class == C::Function)
        && tokens.list.iter().filter(|tok| matches!(tok.class, C::Name | C::Quoted)).count() <= 1
}

/// Nothing in the words belongs to a network.
pub(crate) fn out_of_scope(tokens: &Tokens, parts: &[Frame]) -> bool {
    let has = |bit: u16| tokens.hints & bit != 0;
    let network = has(hint::NETWORK)
        || tokens.list.iter().any(|tok| {
            matches!(
                tok.class,
                C::Function
                    | C::Name
                    | C::Key
                    | C::SliceWord
                    | C::Cell
                    | C::Metric
                    | C::FiveQi
                    | C::Undo
                    | C::Ns
                    | C::Cluster
                    | C::Link
                    | C::Scale
                    | C::ServiceWord
                    | C::Pods
                    | C::Unit
                    | C::Version
                    | C::Priority
                    | C::Deploy
                    | C::Upgrade
                    | C::Sst
            )
        });
    if network {
        return has(hint::FOREIGN_TOPIC)
            && !tokens.list.iter().any(|tok| {
                matches!(tok.class, C::Function | C::Name | C::SliceWord | C::Cell | C::Ns | C::Pods)
            });
    }
    let unread = parts.iter().any(|part| !part.unknown.is_empty());
    has(hint::FOREIGN_TOPIC) || ((unread || tokens.strange > 0) && has(hint::ASKING)) || tokens.strange >= 5
}
