//! Whether a proposal says what its author said: nothing more, nothing less,
//! nothing else. A translator that nobody trusts (a language model) hands in a
//! proposal with the words each of its leaves rests on; here is decided,
//! without asking it again, whether those words say that.
//!
//! This is no second translation by the grammar's clauses and rules. It shares
//! the lexer, the tables and the readers of numbers and units with them, and:
//! 1. each word is forced to one field and one value by its neighbours alone,
//!    wherever it stands (`whole`, `refold`, `labels`, `keys`, `quantities`);
//! 2. words are grouped by verb and target, and share no more than a verb, a
//!    number that comes last, and a place at the very start or end (`groups`,
//!    `share`);
//! 3. a closed table says what each kind of action takes, which operator words
//!    force what, and which words may be left unsaid (`kinds`, `table`);
//! 4. what words force and what the proposal has must be the same, leaf by
//!    leaf, and each leaf's quote must hold its own words and no other's;
//! 5. a word that nothing took over is left over.
//!
//! For the same words at most one proposal passes, whoever made it. What is not
//! certain is a miss, and a miss asks.

mod groups;
mod keys;
mod kinds;
mod labels;
mod leaves;
mod marks;
mod quantities;
mod refold;
mod share;
mod table;
mod whole;

use std::collections::BTreeMap;
use std::fmt;

use nephoran_model::proposal::Actions;
use serde_json::Value;

pub use leaves::{Leaf, leaves};

/// The words that one leaf of a proposal rests on, as a translator claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// JSON pointer of the leaf in the proposal: `/actions/0/replicas/to`, `/priority`.
    pub path: String,
    pub quote: String,
    /// Which occurrence of the quote, from 1.
    pub occurrence: u32,
}

/// What counts as said: the request, and its author's answers, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub words: &'a str,
    pub answers: &'a [String],
}

/// One reason why a proposal is not what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The leaf, or empty when words belong to none.
    pub path: String,
    pub why: Why,
    /// The words in question.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A code point that no table reads.
    Foreign,
    /// A word that no field of the proposal carries.
    LeftOver,
    /// The words leave more than one reading.
    Unclear,
    /// A leaf without words.
    NotSaid,
    /// The words say another value.
    OtherValue,
    /// The words say a value that the proposal has not.
    Dropped,
    /// Another number of actions, or another order.
    OtherActions,
    /// The leaf came without a quote.
    NoEvidence,
    /// The quote is not in the words, or cuts a word.
    NotQuoted,
    /// The quote stands somewhere else than the words of the leaf.
    WrongPlace,
    /// Evidence for something that is no leaf.
    NoLeaf,
    /// The grammar reads the same words as other actions.
    Contradicted,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "a character that is not read",
            Self::LeftOver => "words that no field carries",
            Self::Unclear => "words with more than one reading",
            Self::NotSaid => "nothing was said of it",
            Self::OtherValue => "the words say something else",
            Self::Dropped => "what was said is not in the proposal",
            Self::OtherActions => "other actions than were said, or in another order",
            Self::NoEvidence => "no words were quoted for it",
            Self::NotQuoted => "the quote is not among the words",
            Self::WrongPlace => "the quote is of other words",
            Self::NoLeaf => "the quote is for something that is not in the proposal",
            Self::Contradicted => "the words are plain, and say something else",
        })
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.is_empty(), self.words.is_empty()) {
            (true, true) => write!(f, "{}", self.why),
            (true, false) => write!(f, "{}: \"{}\"", self.why, self.words),
            (false, true) => write!(f, "{}: {}", self.path, self.why),
            (false, false) => write!(f, "{}: {}: \"{}\"", self.path, self.why, self.words),
        }
    }
}

impl Miss {
    pub(crate) fn new(path: impl Into<String>, why: Why, words: impl Into<String>) -> Self {
        Self { path: path.into(), why, words: words.into() }
    }
}

/// What a word forces, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) value: Value,
    /// Spans of the whole source, each of whole tokens.
    pub(crate) spans: Vec<(u32, u32)>,
}

/// What the words force, leaf by leaf.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) facts: BTreeMap<String, Fact>,
    /// A reason may stay out of the proposal: it changes nothing.
    pub(crate) motive: Option<(String, (u32, u32))>,
    /// Every piece of the source, for quotes of whole tokens.
    pub(crate) pieces: Vec<(u32, u32)>,
    /// Spans that carry a value: none may lie in the quote of another leaf.
    pub(crate) carrying: Vec<(u32, u32)>,
    /// Where each action is said, first byte to last.
    pub(crate) groups: Vec<(u32, u32)>,
    pub(crate) actions: Vec<&'static str>,
}

/// The source as one text: an answer is a further part of the request.
fn joined(source: &Source<'_>) -> (String, u32) {
    let mut text = crate::lowered(source.words);
    let answers_from = text.len() as u32;
    for answer in source.answers {
        text.push_str(" , ");
        text.push_str(&crate::lowered(answer));
    }
    (text, answers_from)
}

/// The source as it was said, byte for byte as long as [`joined`].
fn said(source: &Source<'_>) -> String {
    let unfold = |words: &str| words.replace('\u{2019}', "'");
    let mut text = unfold(source.words);
    for answer in source.answers {
        text.push_str(" , ");
        text.push_str(&unfold(answer));
    }
    text
}

/// What the words of one source force, read once: for whoever checks more than
/// one proposal or its evidence against the same words.
#[derive(Debug)]
pub struct Reading<'a> {
    source: Source<'a>,
    lower: String,
    spoken: String,
    said: Result<Said, Vec<Miss>>,
}

impl<'a> Reading<'a> {
    pub fn new(source: &Source<'a>) -> Self {
        Self { source: *source, lower: joined(source).0, spoken: said(source), said: marks::force(source) }
    }

    /// Faithful, or every reason why not. Any miss asks.
    pub fn check(&self, actions: &Actions, evidence: &[Evidence]) -> Result<(), Vec<Miss>> {
        self.check_alone(actions, evidence)?;
        contradiction(&self.source, actions).map_or(Ok(()), |miss| Err(vec![miss]))
    }

    /// The check by itself, without the grammar as a second opinion.
    #[doc(hidden)]
    pub fn check_alone(&self, actions: &Actions, evidence: &[Evidence]) -> Result<(), Vec<Miss>> {
        let document = serde_json::to_value(actions).unwrap_or_default();
        let forced = self.compare(actions, &document)?;
        let misses = self.quoted(actions, &document, evidence, forced);
        if misses.is_empty() { Ok(()) } else { Err(misses) }
    }

    /// The words each leaf rests on, found by us; `None` when the proposal is
    /// not what the words say. What it finds is accepted by [`Reading::check`]
    /// unless the grammar contradicts; words alone decide what that is.
    pub fn evidence_for(&self, actions: &Actions) -> Option<Vec<Evidence>> {
        let document = serde_json::to_value(actions).ok()?;
        let forced = self.compare(actions, &document).ok()?;
        let mut out = Vec::new();
        for (path, _) in leaves::of(&document) {
            let span = if path == "/motive" {
                forced.motive.as_ref().map(|(_, span)| *span)
            } else {
                forced.facts.get(&key(&path, &document)).and_then(|fact| fact.spans.first().copied())
            };
            let (lo, hi) = span?;
            let quote = self.spoken.get(lo as usize..hi as usize)?.to_owned();
            let wanted = quote.to_ascii_lowercase();
            let nth = occurrences(&self.lower, &wanted).position(|at| at == lo as usize)?;
            out.push(Evidence { path, quote, occurrence: nth as u32 + 1 });
        }
        Some(out)
    }

    /// What the words force: for tests that look for words that force
    /// something where nothing should be forced.
    #[doc(hidden)]
    pub fn forced(&self) -> Option<Actions> {
        self.said.as_ref().ok().and_then(assemble)
    }
}

/// Faithful, or every reason why not. Any miss asks.
pub fn check(source: &Source<'_>, actions: &Actions, evidence: &[Evidence]) -> Result<(), Vec<Miss>> {
    Reading::new(source).check(actions, evidence)
}

/// The words each leaf rests on, found by us: see [`Reading::evidence_for`].
pub fn evidence_for(source: &Source<'_>, actions: &Actions) -> Option<Vec<Evidence>> {
    Reading::new(source).evidence_for(actions)
}

/// The facts as one document; `None` when they make none.
pub(crate) fn assemble(said: &Said) -> Option<Actions> {
    let mut root = Value::Object(serde_json::Map::new());
    let actions = said.actions.iter().map(|name| serde_json::json!({ "action": name })).collect();
    root.as_object_mut()?.insert("actions".to_owned(), Value::Array(actions));
    for (path, fact) in &said.facts {
        let mut node = &mut root;
        let mut parts = path.split('/').skip(1).peekable();
        while let Some(part) = parts.next() {
            let part = part.replace("~1", "/").replace("~0", "~");
            node = match node {
                Value::Array(items) => match part.parse::<usize>() {
                    Ok(index) => items.get_mut(index)?,
                    Err(_) => {
                        items.push(Value::Null);
                        items.last_mut()?
                    }
                },
                other => {
                    if other.is_null() {
                        *other = Value::Object(serde_json::Map::new());
                    }
                    other.as_object_mut()?.entry(part).or_insert(Value::Null)
                }
            };
            if parts.peek().is_some_and(|next| next.starts_with('=')) && node.is_null() {
                *node = Value::Array(Vec::new());
            }
        }
        *node = fact.value.clone();
    }
    serde_json::from_value(root).ok()
}

/// The reason that the words give, word for word: for a proposal without one.
pub fn motive(words: &str) -> Option<String> {
    let source = Source { words, answers: &[] };
    whole::motive(&source).map(|(text, _)| text)
}

/// Where `quote` stands, each at whole characters; they may overlap.
fn occurrences<'a>(text: &'a str, quote: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        if quote.is_empty() {
            return None;
        }
        let at = text.get(from..)?.find(quote)? + from;
        from = at + text[at..].chars().next().map_or(1, char::len_utf8);
        Some(at)
    })
}

/// Members of a set have no order: they are known by their value.
fn key(path: &str, document: &Value) -> String {
    let Some((head, index)) = path.rsplit_once('/') else {
        return path.to_owned();
    };
    if !(head.ends_with("/cells") || head.ends_with("/tacs")) || index.parse::<usize>().is_err() {
        return path.to_owned();
    }
    format!("{head}/={}", document.pointer(path).and_then(Value::as_str).unwrap_or_default())
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        // What is read twice from the same digits differs by rounding alone.
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

impl Reading<'_> {
    /// Every leaf is forced by words, and everything that words force is a leaf.
    fn compare(&self, actions: &Actions, document: &Value) -> Result<&Said, Vec<Miss>> {
        let forced = self.said.as_ref().map_err(Clone::clone)?;
        let text = &self.spoken;
        let words = |fact: &Fact| -> String {
            fact.spans
                .first()
                .and_then(|(lo, hi)| text.get(*lo as usize..*hi as usize))
                .unwrap_or("")
                .to_owned()
        };
        let named: Vec<&str> = actions.actions.iter().map(|action| action.name()).collect();
        if named != forced.actions {
            return Err(vec![Miss::new("/actions", Why::OtherActions, forced.actions.join(", "))]);
        }
        let mut misses = Vec::new();
        let mut seen = Vec::new();
        for (path, _) in leaves::of(document) {
            let value = document.pointer(&path).unwrap_or(&Value::Null);
            if path == "/motive" {
                let right = forced.motive.as_ref().is_some_and(|(text, _)| value.as_str() == Some(text));
                if !right {
                    misses.push(Miss::new(path, Why::NotSaid, ""));
                }
                continue;
            }
            let key = key(&path, document);
            match forced.facts.get(&key) {
                None => misses.push(Miss::new(path, Why::NotSaid, "")),
                Some(fact) if !same(&fact.value, value) => {
                    misses.push(Miss::new(path, Why::OtherValue, words(fact)));
                }
                // The same member of a set twice is one too many.
                Some(_) if seen.contains(&key) => misses.push(Miss::new(path, Why::NotSaid, "")),
                Some(_) => seen.push(key),
            }
        }
        for (path, fact) in &forced.facts {
            if !seen.contains(path) && !misses.iter().any(|miss| miss.path == *path) {
                misses.push(Miss::new(path.clone(), Why::Dropped, words(fact)));
            }
        }
        if misses.is_empty() { Ok(forced) } else { Err(misses) }
    }

    /// Each leaf has a quote of whole tokens that holds its own words, and no
    /// words that carry another value.
    fn quoted(&self, actions: &Actions, document: &Value, evidence: &[Evidence], forced: &Said) -> Vec<Miss> {
        let mut misses = Vec::new();
        let lower = &self.lower;
        let all = leaves::of(document);
        let mut by_path: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, one) in evidence.iter().enumerate() {
            let known = all.iter().any(|(path, _)| *path == one.path);
            if !known && !leaves::is_verb(&one.path, actions) {
                misses.push(Miss::new(one.path.clone(), Why::NoLeaf, one.quote.clone()));
            } else if by_path.insert(&one.path, index).is_some() {
                misses.push(Miss::new(one.path.clone(), Why::WrongPlace, one.quote.clone()));
            }
        }
        let mut spans: Vec<Vec<(u32, u32)>> = Vec::with_capacity(evidence.len());
        for one in evidence {
            let found = self.spans(one, forced);
            if found.is_empty() {
                misses.push(Miss::new(one.path.clone(), Why::NotQuoted, one.quote.clone()));
            } else if let Some(index) = leaves::verb_of(&one.path)
                // What names the action lies where that action is said.
                && let Some((from, to)) = forced.groups.get(index)
                && !found.iter().any(|(lo, hi)| lo >= from && hi <= to)
            {
                misses.push(Miss::new(one.path.clone(), Why::WrongPlace, one.quote.clone()));
            }
            spans.push(found);
        }
        for (path, leaf) in &all {
            let own: Vec<(u32, u32)> = if path == "/motive" {
                forced.motive.iter().map(|(_, span)| *span).collect()
            } else {
                forced.facts.get(&key(path, document)).map(|fact| fact.spans.clone()).unwrap_or_default()
            };
            let Some(index) = by_path.get(path.as_str()).copied() else {
                misses.push(Miss::new(path.clone(), Why::NoEvidence, ""));
                continue;
            };
            // "dnn to internet": the name of a setting may be quoted with its value.
            let name = path.split_once("/settings/").map(|(_, name)| name);
            let others: Vec<(u32, u32)> = forced
                .carrying
                .iter()
                .copied()
                .filter(|(lo, hi)| name.is_none() || lower.get(*lo as usize..*hi as usize) != name)
                .collect();
            let fits = spans[index].iter().any(|span| holds(*span, &own, *leaf, &others));
            if !fits && !spans[index].is_empty() {
                misses.push(Miss::new(path.clone(), Why::WrongPlace, evidence[index].quote.clone()));
            }
        }
        misses
    }

    /// Where a quote stands, each of whole tokens: its occurrences are counted
    /// in whole tokens, or else in characters.
    fn spans(&self, one: &Evidence, forced: &Said) -> Vec<(u32, u32)> {
        let quote = one.quote.trim().replace('\u{2019}', "'").to_ascii_lowercase();
        let Some(nth) = (one.occurrence as usize).checked_sub(1) else {
            return Vec::new();
        };
        let whole = |at: &usize| {
            let (lo, hi) = (*at as u32, (*at + quote.len()) as u32);
            forced.pieces.iter().all(|(from, to)| *from >= hi || *to <= lo || *from >= lo && *to <= hi)
        };
        let by_token = occurrences(&self.lower, &quote).filter(whole).nth(nth);
        let by_text = occurrences(&self.lower, &quote).nth(nth).filter(whole);
        by_token.into_iter().chain(by_text).map(|at| (at as u32, (at + quote.len()) as u32)).collect()
    }
}

/// Whether a quote holds the words of a leaf and none that carry another value;
/// of a phrase it may be a part ("out" of "scale out"), of a number the figure.
fn holds((lo, hi): (u32, u32), own: &[(u32, u32)], leaf: Leaf, carrying: &[(u32, u32)]) -> bool {
    let around = own.iter().any(|(from, to)| *from >= lo && *to <= hi);
    let inside = own.iter().any(|(from, to)| {
        lo >= *from && hi <= *to && (leaf == Leaf::Choice || leaf == Leaf::Number && lo == *from)
    });
    let alone = carrying
        .iter()
        .all(|(from, to)| *to <= lo || *from >= hi || own.iter().any(|(a, b)| a <= from && to <= b));
    (around || inside) && alone
}

/// The grammar answers only when it can account for every word: where it reads
/// the same words as other actions, one of the two is wrong.
fn contradiction(source: &Source<'_>, actions: &Actions) -> Option<Miss> {
    if !source.answers.is_empty() {
        return None;
    }
    let nephoran_model::proposal::Proposal::Actions(mut read) = crate::translate(source.words) else {
        return None;
    };
    let mut given = actions.clone();
    read.motive = None;
    given.motive = None;
    (!leaves::same_sets(&read, &given)).then(|| Miss::new("", Why::Contradicted, ""))
}
