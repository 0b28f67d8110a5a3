//! Which network function a workload is. One rule, in one place.
//!
//! A wrong guess here would let "scale amf to 3" change a database, so a name counts only
//! where its words leave no doubt; what is not recognised is still found by its own name.

use nephoran_model::proposal::Function;

/// Labels and annotations that say it, the clearest first.
pub(super) const LABELS: &[&str] =
    &["nephoran.com/function", "app.kubernetes.io/component", "app.kubernetes.io/name", "nf"];

/// A word of the vocabulary: a function's own name or one of its short forms.
pub(super) fn of_word(word: &str) -> Option<Function> {
    let word = word.to_ascii_lowercase();
    Some(match word.as_str() {
        "odu" | "du" => Function::ODu,
        "cu-cp" | "cucp" | "ocucp" | "ocu-cp" => Function::OCuCp,
        "cu-up" | "cuup" | "ocuup" | "ocu-up" => Function::OCuUp,
        "ocu" => Function::OCu,
        "oru" => Function::ORu,
        "nearrt-ric" | "nearrtric" => Function::NearRtRic,
        "nonrt-ric" | "nonrtric" => Function::NonRtRic,
        "e2sim" | "e2-sim" => Function::E2Simulator,
        word => return word.parse().ok(),
    })
}

/// `upf.free5gc.io`, `cucp.openairinterface.org`: the first label of a Nephio provider.
pub(super) fn of_provider(provider: &str) -> Option<Function> {
    of_word(provider.split('.').next().unwrap_or_default())
}

/// From a name:
/// 1. the whole name is a word of the vocabulary (`upf`, `o-du`, `cucp`);
/// 2. it ends in one, since the last part of a name says what the thing is (`free5gc-amf`, `oai-cu-cp`);
/// 3. it begins with one and the rest only tells instances apart: a number, or where the
///    package is (`upf-2`, `upf-edge-1` in cluster edge-1). `amf-db` is no amf.
pub(super) fn of_name(name: &str, places: &[&str]) -> Option<Function> {
    if let Some(function) = of_word(name) {
        return Some(function);
    }
    let cuts: Vec<usize> = name.match_indices('-').map(|(at, _)| at).collect();
    // The longest word wins: `x-o-cu-cp` is an o-cu-cp.
    if let Some(function) = cuts.iter().find_map(|cut| of_word(&name[cut + 1..])) {
        return Some(function);
    }
    cuts.iter().rev().find_map(|cut| {
        let rest = &name[cut + 1..];
        let tells_apart = rest.bytes().all(|byte| byte.is_ascii_digit()) || places.contains(&rest);
        of_word(&name[..*cut]).filter(|_| tells_apart)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_only_where_it_leaves_no_doubt() {
        for (name, expected) in [
            ("upf", Some(Function::Upf)),
            ("o-du", Some(Function::ODu)),
            ("du", Some(Function::ODu)),
            ("cucp", Some(Function::OCuCp)),
            ("free5gc-amf", Some(Function::Amf)),
            ("oai-cu-cp", Some(Function::OCuCp)),
            ("x-o-cu-up", Some(Function::OCuUp)),
            ("upf-2", Some(Function::Upf)),
            ("upf-edge-1", Some(Function::Upf)),
            ("o-du-12", Some(Function::ODu)),
            ("amf-db", None),
            ("odu-high-phy", None),
            ("upf-dashboard", None),
            ("ric", None),
            ("cu", None),
            ("mongodb", None),
        ] {
            assert_eq!(of_name(name, &["edge-1"]), expected, "{name}");
        }
        assert_eq!(of_provider("cucp.openairinterface.org"), Some(Function::OCuCp));
        assert_eq!(of_provider("example.org"), None);
    }
}
