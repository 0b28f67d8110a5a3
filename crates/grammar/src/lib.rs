//! Words into a proposal: a closed grammar that accounts for every word.
//!
//! Pure: it knows no network and no clock. Data flows downwards.

/// Characters into pieces with spans.
mod lexer;

/// The words, and what they are: data and its table.
mod phrases;
mod terms;
mod vocabulary;
mod words;

/// Pieces into tokens: phrases folded, reasons kept whole.
mod tokens;

/// Numbers and units.
mod numbers;
mod units;

/// Tokens into clauses, slot by slot; clauses that share.
mod clauses;
mod frame;
mod parse;

/// What is refused whatever else is said.
mod safety;

/// A clause into an action, or what is missing.
mod account;
mod rules;

/// Whether a proposal of somebody else says what its author said.
pub mod faithful;

/// What people are shown, and their answers.
mod answer;
mod ask;
mod render;

pub use answer::{answer, fill};
pub use ask::{question, refusal};
pub use render::render;

use nephoran_model::proposal::{
    Action, Actions, MAX_ACTIONS, MAX_WORDS, Missing, Proposal, Purpose, RefuseReason,
};

use answer::Supplied;
use rules::{Context, Problem};

/// Translates a whole request. Never panics; depends on nothing but the words.
pub fn translate(words: &str) -> Proposal {
    with_texts(translate_with(words, &Supplied::default()), Some(words))
}

/// Adds the question or the explanation that people are shown.
pub(crate) fn with_texts(mut proposal: Proposal, words: Option<&str>) -> Proposal {
    match &mut proposal {
        Proposal::Clarify(clarify) => clarify.question = Some(question(&clarify.missing, words)),
        Proposal::Refuse(refuse) => refuse.explanation = Some(refusal(refuse.reason)),
        Proposal::Actions(_) => {}
    }
    proposal
}

/// The first character of `words` that the grammar does not read.
pub(crate) fn foreign(words: &str) -> Option<char> {
    lexer::lex(&lowered(words), &mut Vec::new()).err().map(|foreign| foreign.0)
}

pub(crate) fn translate_with(words: &str, supplied: &Supplied) -> Proposal {
    if words.len() > MAX_WORDS && words.chars().count() > MAX_WORDS || words.is_empty() {
        return Proposal::refuse(RefuseReason::Unsupported);
    }
    let lowered = lowered(words);
    let mut raw = Vec::with_capacity(32);
    if let Err(_foreign) = lexer::lex(&lowered, &mut raw) {
        return Proposal::ask([Missing::Action]);
    }
    let mut tokens = tokens::tokens(&lowered, words, &raw);
    if let Some(reason) = safety::verdict(&tokens) {
        return Proposal::refuse(reason);
    }
    let list = std::mem::take(&mut tokens.list);
    let parsed = parse::read(&lowered, &list);
    tokens.list = list;
    if safety::out_of_scope(&tokens, &parsed.parts) {
        return Proposal::refuse(RefuseReason::OutOfScope);
    }
    if parsed.priorities_differ {
        return Proposal::ask([Missing::Action]);
    }
    let context = Context { text: &lowered, supplied, check: parsed.check, asked: parsed.asked };
    let mut clauses = clauses::clauses(parsed.parts);
    if *supplied != Supplied::default() {
        clauses.iter_mut().for_each(|clause| supplied.settle(clause));
    }
    if clauses.is_empty() {
        return Proposal::ask([Missing::Action]);
    }
    if clauses.len() > MAX_ACTIONS {
        return Proposal::refuse(RefuseReason::Unsupported);
    }
    let mut actions = Vec::with_capacity(clauses.len());
    let mut missing: Vec<Missing> = Vec::new();
    let mut refused: Option<RefuseReason> = None;
    for clause in &clauses {
        match rules::action(clause, &context) {
            Ok(action) => actions.push(action),
            Err(Problem::Ask(more)) => missing.extend(more),
            Err(Problem::Refuse(reason)) => refused = refused.or(Some(reason)),
        }
    }
    if let Some(reason) = refused {
        return Proposal::refuse(reason);
    }
    if !missing.is_empty() {
        return Proposal::ask(missing);
    }
    // The same twice: one of them means something else.
    if actions.iter().enumerate().any(|(index, action)| actions[..index].contains(action)) {
        return Proposal::ask([Missing::Action]);
    }
    if contradicts(&actions) {
        return Proposal::refuse(RefuseReason::Contradiction);
    }
    // A question that is no report, no polite order and no feasibility check.
    let reports = actions.iter().all(|action| matches!(action, Action::Report(_)));
    if parsed.asked && !parsed.check && !parsed.polite && !reports {
        return Proposal::ask([Missing::Action]);
    }
    let motive = parsed.motive.map(|span| {
        let source = if lowered.len() == words.len() { words } else { &lowered };
        source.get(span.lo as usize..span.hi as usize).unwrap_or_default().to_owned()
    });
    Proposal::Actions(Actions {
        purpose: parsed.check.then_some(Purpose::Check),
        priority: parsed.priority,
        actions,
        motive,
    })
}

/// Two values for one thing, said in two clauses.
fn contradicts(actions: &[Action]) -> bool {
    actions.iter().enumerate().any(|(index, first)| {
        actions[index + 1..].iter().any(|second| match (first, second) {
            (Action::Scale(a), Action::Scale(b)) => {
                a.target == b.target
                    && a.replicas != b.replicas
                    && (a.replicas.to.is_some() || b.replicas.to.is_some())
            }
            (Action::Upgrade(a), Action::Upgrade(b)) => a.target == b.target && a.version != b.version,
            (Action::Retire(a), Action::Scale(b)) | (Action::Scale(b), Action::Retire(a)) => {
                a.target == b.target
            }
            (Action::Configure(a), Action::Configure(b)) => {
                a.target == b.target && a.settings.keys().eq(b.settings.keys()) && a.settings != b.settings
            }
            (Action::Steer(a), Action::Steer(b)) => {
                a.slice == b.slice && a.ue == b.ue && a.cells == b.cells && a.preference != b.preference
            }
            _ => false,
        })
    })
}

/// The request in lower case (ASCII only), with the typographic apostrophe folded.
fn lowered(words: &str) -> String {
    let mut lowered =
        if words.contains('\u{2019}') { words.replace('\u{2019}', "'") } else { words.to_owned() };
    lowered.make_ascii_lowercase();
    lowered
}
