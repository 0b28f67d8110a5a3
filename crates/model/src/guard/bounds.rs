//! What the guard is configured to let through.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::proposal::Decimal;

/// `guard:` of the configuration. Serialised, its hash is part of every plan's hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    /// Globs of the namespaces that plans may change.
    pub namespaces: Vec<String>,
    /// Globs of what only an approval may change: of `namespace/name` when there is a slash in it,
    /// else of a namespace or of a name.
    pub protected: Vec<String>,
    pub max_replicas: u32,
    /// Everything waits.
    pub freeze: bool,
    pub approval: ApprovalBounds,
    /// Tokens are configured: identities can be told apart.
    pub authenticated: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalBounds {
    pub to_zero: bool,
    pub retire: bool,
    pub step_over: u32,
    pub factor_over: Decimal,
    #[serde(rename = "self")]
    pub self_: OwnPlans,
    /// How long an approval holds.
    pub ttl: SignedDuration,
}

/// May authors approve their own plans?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnPlans {
    #[default]
    Deny,
    Allow,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            namespaces: vec!["*".into()],
            protected: Vec::new(),
            max_replicas: 100,
            freeze: false,
            approval: ApprovalBounds::default(),
            authenticated: false,
        }
    }
}

impl Default for ApprovalBounds {
    fn default() -> Self {
        Self {
            to_zero: true,
            retire: true,
            step_over: 10,
            factor_over: Decimal(3.0),
            self_: OwnPlans::Deny,
            ttl: SignedDuration::from_hours(24),
        }
    }
}

impl Bounds {
    pub fn allows_namespace(&self, namespace: Option<&str>) -> bool {
        self.namespaces.iter().any(|pattern| glob(pattern, namespace.unwrap_or_default()))
    }

    pub fn protects(&self, namespace: Option<&str>, name: &str) -> bool {
        let namespace = namespace.unwrap_or_default();
        self.protected.iter().any(|pattern| {
            if pattern.contains('/') {
                glob(pattern, &format!("{namespace}/{name}"))
            } else {
                glob(pattern, namespace) || glob(pattern, name)
            }
        })
    }

    /// Until when an approval given `now` holds.
    pub fn approved_until(&self, now: Timestamp) -> Timestamp {
        // A time to live beyond the calendar holds as long as the calendar does.
        now.checked_add(self.approval.ttl).unwrap_or(Timestamp::MAX)
    }
}

/// Whether the whole of `word` matches `pattern`: `*` is any run of characters, `?` any one.
pub fn glob(pattern: &str, word: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let word: Vec<char> = word.chars().collect();
    let (mut p, mut w) = (0, 0);
    // The last star seen and how much of the word it has eaten: enough to go back to, so that the
    // time is bounded by the product of the lengths.
    let mut star: Option<(usize, usize)> = None;
    while w < word.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, w));
                p += 1;
            }
            Some(one) if *one == '?' || *one == word[w] => {
                p += 1;
                w += 1;
            }
            _ => match star {
                Some((at, eaten)) => {
                    star = Some((at, eaten + 1));
                    p = at + 1;
                    w = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|one| *one == '*')
}
