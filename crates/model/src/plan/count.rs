//! What a replica count becomes, from what is seen.

use crate::guard::Finding;
use crate::proposal::{Decimal, MAX_COUNT, Missing, Replicas, ScaleDirection};

use super::{Objection, rule};

/// The count after, and how it came about where that is more than what was said.
pub(super) struct After {
    pub count: u32,
    pub note: String,
}

/// Computes the count for `title`, of which `seen` replicas are there.
pub(super) fn after(title: &str, replicas: &Replicas, seen: u32) -> Result<After, Objection> {
    let mut findings = Vec::new();
    if let Some(from) = replicas.from
        && from != seen
    {
        findings.push(Finding::refuse(
            rule::PRECONDITION,
            format!("{title} has {}, not {from} as the request says", replicas_of(i64::from(seen))),
            format!("ask again with what is there: from {seen}"),
        ));
    }
    let (count, how) = match (replicas.to, replicas.by, replicas.factor) {
        (Some(to), None, None) => (i64::from(to), String::new()),
        (None, Some(by), None) => (i64::from(seen) + i64::from(by), format!("; {by:+}")),
        (None, None, Some(factor)) => match times(seen, factor) {
            Some(Product::Whole(count)) => (count, format!("; x {factor}")),
            // A question could not lift these.
            Some(Product::Between(..)) if !findings.is_empty() => return Err(Objection::Refuse(findings)),
            Some(Product::Between(_, high)) if high > i64::from(MAX_COUNT) => (high, format!("; x {factor}")),
            Some(Product::Between(low, high)) => {
                return Err(Objection::Ask {
                    missing: vec![Missing::Replicas],
                    question: format!(
                        "{title} has {}; {factor} times that is between {low} and {high}. Which one?",
                        replicas_of(i64::from(seen))
                    ),
                    candidates: vec![low.to_string(), high.to_string()],
                });
            }
            None => {
                return Err(Objection::Refuse(vec![Finding::refuse(
                    rule::REPLICAS_WITHIN_BOUNDS,
                    format!("{factor} is no factor that a count can be multiplied by"),
                    "say how many replicas there should be",
                )]));
            }
        },
        (None, None, None) => {
            return Err(Objection::Ask {
                missing: vec![Missing::Replicas],
                question: format!("How many replicas should {title} have? It has {seen} now."),
                candidates: Vec::new(),
            });
        }
        _ => {
            return Err(Objection::Refuse(vec![Finding::refuse(
                rule::CONTRADICTION,
                format!("more than one new count is given for {title}"),
                "give one of to, by and factor",
            )]));
        }
    };

    // Equal contradicts no direction: what was asked for is already so.
    let contradicted = match replicas.direction {
        Some(ScaleDirection::Out) => count < i64::from(seen),
        Some(ScaleDirection::In) => count > i64::from(seen),
        Some(ScaleDirection::Both) | None => false,
    };
    if contradicted {
        let direction = if replicas.direction == Some(ScaleDirection::Out) { "out" } else { "in" };
        findings.push(Finding::refuse(
            rule::PRECONDITION,
            format!("the request says scale {direction}, but {title} would go from {seen} to {count}"),
            "ask again without the direction, or with another count",
        ));
    }
    // The requester's own bounds: outside of them is not what was asked for, and never clamped.
    if let Some(min) = replicas.min
        && count < i64::from(min)
    {
        findings.push(Finding::refuse(
            rule::CONSTRAINTS,
            format!("{title} would have {}, and the request wants at least {min}", replicas_of(count)),
            format!("ask for {min} or more"),
        ));
    }
    if let Some(max) = replicas.max
        && count > i64::from(max)
    {
        findings.push(Finding::refuse(
            rule::CONSTRAINTS,
            format!("{title} would have {}, and the request wants at most {max}", replicas_of(count)),
            format!("ask for {max} or fewer"),
        ));
    }
    match u32::try_from(count) {
        Ok(after) if after <= MAX_COUNT && findings.is_empty() => {
            Ok(After { count: after, note: format!("{title}: {seen} seen at read{how} -> {after}") })
        }
        Ok(after) if after <= MAX_COUNT => Err(Objection::Refuse(findings)),
        Ok(_) => {
            findings.push(Finding::refuse(
                rule::REPLICAS_WITHIN_BOUNDS,
                format!("{title} would have {count} replicas; no count over {MAX_COUNT} is accepted"),
                format!("ask for {MAX_COUNT} or fewer"),
            ));
            Err(Objection::Refuse(findings))
        }
        Err(_) => {
            findings.push(Finding::refuse(
                rule::REPLICAS_WITHIN_BOUNDS,
                format!("{title} has {} and would have {count}", replicas_of(i64::from(seen))),
                format!("remove at most {seen}, or ask for a count of 0 to stop all"),
            ));
            Err(Objection::Refuse(findings))
        }
    }
}

/// `1 replica`, `5 replicas`.
pub(crate) fn replicas_of(count: i64) -> String {
    format!("{count} {}", if count == 1 { "replica" } else { "replicas" })
}

enum Product {
    Whole(i64),
    Between(i64, i64),
}

/// `seen` times `factor`, exactly as it is written in decimal: 10 times 1.1 is 11.
fn times(seen: u32, factor: Decimal) -> Option<Product> {
    let (digits, scale) = exact(factor)?;
    let product = u128::from(seen).checked_mul(digits)?;
    let low = i64::try_from(product / scale).ok()?;
    Some(if product % scale == 0 { Product::Whole(low) } else { Product::Between(low, low + 1) })
}

/// A decimal as `digits / scale`, the shortest form that reads back as the same number. `None` for
/// what is negative, not finite, or has more digits than anyone writes.
pub(crate) fn exact(decimal: Decimal) -> Option<(u128, u128)> {
    if !decimal.0.is_finite() || decimal.0 < 0.0 {
        return None;
    }
    let written = decimal.0.to_string();
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    // 18 digits: with a factor of 10,000 that stays far inside 128 bits.
    if whole.len() + fraction.len() > 18 {
        return None;
    }
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, 10_u128.pow(u32::try_from(fraction.len()).ok()?)))
}
