//! Every row of the contract's tables of sentences.

use serde_json::{Value, json};

fn check(words: &str, want: Value) {
    let said = serde_json::to_value(nephoran_grammar::translate(words)).unwrap();
    let keep = |value: &Value| {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.remove("question");
            map.remove("explanation");
            map.remove("motive");
        }
        value
    };
    assert_eq!(keep(&said), keep(&want), "{words}");
}

fn asks(words: &str, missing: &[&str]) {
    check(words, json!({"outcome": "clarify", "missing": missing}));
}

fn refuses(words: &str, reason: &str) {
    check(words, json!({"outcome": "refuse", "reason": reason}));
}

fn does(words: &str, action: Value) {
    check(words, json!({"outcome": "actions", "actions": [action]}));
}

#[test]
fn the_table_of_questions_and_refusals_holds() {
    asks("do not scale upf above 5 in ran-a", &["action"]);
    asks("scale upf by 3", &["direction"]);
    asks("scale 5 upf to 3", &["replicas"]);
    asks("scale up to 5 upf", &["replicas"]);
    asks("scale upf to 5 Gbps", &["direction"]);
    refuses("scale upf to 5 nodes", "unsupported");
    asks("upf to 5?", &["action"]);
    asks("create an emergency services slice", &["slice"]);
    asks("scale upf to 5 not 6", &["action"]);
    asks("delete the upf slice", &["target"]);
    asks("undo", &["target"]);
    asks("undo it", &["target"]);
    refuses("scale upf to 5 for 2 hours", "unsupported");
    refuses("scale upf back to 3", "unsupported");
    refuses("scale upf as before", "unsupported");
    refuses("stop upf", "unsupported");
    asks("scale up the upf", &["replicas"]);
    asks("scale it to 5", &["target"]);
    asks("upf or smf to 3", &["target"]);
    asks("scale upf to 5 or 6", &["replicas"]);
    asks("scale upf to about 5", &["replicas"]);
    asks("add a few upf", &["replicas"]);
    asks("make the network better", &["action"]);
    asks("improve latency", &["action"]);
    asks("scale all upf to 5", &["target"]);
    asks("scale every upf to 5", &["target"]);
    refuses("scale upf to 5 ... and upf to 6", "contradiction");
    refuses("scale out upf from 5 to 2", "contradiction");
    refuses("scale upf to -1", "contradiction");
    refuses("scale upf to 2.5", "contradiction");
    refuses("scale upf to 10001", "unsupported");
    refuses("restart upf in ran-a", "unsupported");
    refuses("lock cell 17", "unsupported");
    refuses("start upf in ran-a", "unsupported");
    asks("scale upf to 5 in ns ran-\u{e4}", &["action"]);
    refuses("scale upf to 5 in ns ran-a but only until 18:00", "unsupported");
}

#[test]
fn the_table_of_orders_holds() {
    does(
        "scale in ran-a upf to 3",
        json!({"action": "scale", "target": {"name": "upf", "function": "upf", "place": "ran-a"}, "replicas": {"to": 3}}),
    );
    does(
        "remove two upf from ran-a",
        json!({"action": "scale", "target": {"name": "upf", "function": "upf", "place": "ran-a"}, "replicas": {"by": -2}}),
    );
    does(
        "remove upf from ran-a",
        json!({"action": "retire", "target": {"name": "upf", "function": "upf", "place": "ran-a"}}),
    );
    does(
        "can you scale upf to 5?",
        json!({"action": "scale", "target": {"name": "upf", "function": "upf"}, "replicas": {"to": 5}}),
    );
    does(
        "set replicas of upf to 0",
        json!({"action": "scale", "target": {"name": "upf", "function": "upf"}, "replicas": {"to": 0}}),
    );
    check(
        "can we scale upf to 5?",
        json!({"outcome": "actions", "purpose": "check",
            "actions": [{"action": "scale", "target": {"name": "upf", "function": "upf"}, "replicas": {"to": 5}}]}),
    );
}

#[test]
fn the_table_of_actions_holds() {
    let upf = json!({"name": "upf", "function": "upf"});
    does(
        "scale upf to 5 in ns ran-a",
        json!({"action": "scale", "target": {"name": "upf", "function": "upf", "namespace": "ran-a"}, "replicas": {"to": 5}}),
    );
    does(
        "add two smf instances",
        json!({"action": "scale", "target": {"name": "smf", "function": "smf"}, "replicas": {"by": 2}}),
    );
    does(
        "scale in amf by 1",
        json!({"action": "scale", "target": {"name": "amf", "function": "amf"}, "replicas": {"by": -1}}),
    );
    does("double the upf", json!({"action": "scale", "target": upf, "replicas": {"factor": 2}}));
    does(
        "increase amf from 3 to 8",
        json!({"action": "scale", "target": {"name": "amf", "function": "amf"}, "replicas": {"to": 8, "from": 3, "direction": "out"}}),
    );
    does(
        "deploy amf with 2 replicas in namespace core5g",
        json!({"action": "deploy", "function": "amf", "namespace": "core5g", "replicas": 2}),
    );
    does(
        "start 3 e2 simulators in test",
        json!({"action": "deploy", "function": "e2-simulator", "place": "test", "replicas": 3}),
    );
    does(
        "decommission old-amf in core5g",
        json!({"action": "retire", "target": {"name": "old-amf", "place": "core5g"}}),
    );
    does(
        "remove nf-sim from ran-a",
        json!({"action": "retire", "target": {"name": "nf-sim", "place": "ran-a"}}),
    );
    does(
        "upgrade smf in core5g to v1.5.2",
        json!({"action": "upgrade", "target": {"name": "smf", "function": "smf", "place": "core5g"}, "version": "v1.5.2"}),
    );
    does(
        "give the upf at edge-1 10 Gbps downlink and 2 Gbps uplink",
        json!({"action": "set_capacity", "target": {"name": "upf", "function": "upf", "place": "edge-1"},
            "capacity": {"max_downlink": {"value": 10, "unit": "Gbps"}, "max_uplink": {"value": 2, "unit": "Gbps"}}}),
    );
    does(
        "set dnn to internet on smf in core5g",
        json!({"action": "configure", "target": {"name": "smf", "function": "smf", "place": "core5g"}, "settings": {"dnn": "internet"}}),
    );
    does(
        "create a urllc slice with 1 ms latency for at most 200 devices",
        json!({"action": "slice", "service": "urllc", "objectives": {"delay": {"value": 1, "unit": "ms"}, "max_ues": 200}}),
    );
    does(
        "keep traffic of slice 1 away from cell 17",
        json!({"action": "steer", "preference": "avoid", "cells": ["17"], "slice": {"sst": 1}}),
    );
    does(
        "guarantee 20 Mbps for 5qi 3",
        json!({"action": "qos", "scope": {"five_qi": 3}, "objectives": {"gfbr": {"value": 20, "unit": "Mbps"}}}),
    );
    does(
        "keep cpu of smf below 70 % for 5 minutes, at most 6 replicas",
        json!({"action": "ensure", "target": {"name": "smf", "function": "smf"},
            "condition": {"metric": "cpu", "is": "less_than", "value": 70, "unit": "%", "for": {"value": 5, "unit": "min"}}, "by": {"scale": {"max": 6}}}),
    );
    does(
        "scale out smf when cpu is above 70 %",
        json!({"action": "ensure", "target": {"name": "smf", "function": "smf"},
            "condition": {"metric": "cpu", "is": "at_most", "value": 70, "unit": "%"}, "by": {"scale": {"direction": "out"}}}),
    );
    does(
        "keep downlink PRB usage of cell 17 below 80 %",
        json!({"action": "ensure", "cells": ["17"],
            "condition": {"metric": "prb_usage", "direction": "downlink", "is": "less_than", "value": 80, "unit": "%"}}),
    );
    does(
        "undo the last change of upf in ran-a",
        json!({"action": "rollback", "target": {"name": "upf", "function": "upf", "place": "ran-a"}}),
    );
    does(
        "how many upf replicas are running in ran-a?",
        json!({"action": "report", "target": {"name": "upf", "function": "upf", "place": "ran-a"}}),
    );
}

#[test]
fn places_are_shared_as_the_contract_says() {
    let scale = |name: &str, to: u32, place: Option<&str>| {
        let mut target = json!({"name": name, "function": name});
        if let Some(place) = place {
            target["place"] = json!(place);
        }
        json!({"action": "scale", "target": target, "replicas": {"to": to}})
    };
    let both = |first: Value, second: Value| json!({"outcome": "actions", "actions": [first, second]});
    check(
        "scale upf and smf to 3 in ran-a",
        both(scale("upf", 3, Some("ran-a")), scale("smf", 3, Some("ran-a"))),
    );
    check(
        "scale upf to 3 and smf to 2 in ran-a",
        both(scale("upf", 3, Some("ran-a")), scale("smf", 2, Some("ran-a"))),
    );
    check("upf in ran-a and smf to 3", both(scale("upf", 3, Some("ran-a")), scale("smf", 3, None)));
}

#[test]
fn limits_hold() {
    let long = "scale upf to 5 ".repeat(67);
    refuses(&long, "unsupported");
    refuses("", "unsupported");
    let nine = (0..9).map(|n| format!("scale upf-{n} to 3")).collect::<Vec<_>>().join(", ");
    refuses(&nine, "unsupported");
    asks("   ", &["action"]);
}

#[test]
fn a_character_that_is_not_read_is_named() {
    let said = serde_json::to_value(nephoran_grammar::translate("scale \u{443}pf to 5")).unwrap();
    assert!(said["question"].as_str().unwrap().contains("U+0443"), "{said}");
}

#[test]
fn a_reason_is_kept_word_for_word() {
    let said = serde_json::to_value(nephoran_grammar::translate(
        "scale upf to 5 in ran-a because Users are complaining",
    ))
    .unwrap();
    assert_eq!(said["motive"], "because Users are complaining");
    assert_eq!(said["actions"][0]["replicas"]["to"], 5);
}
