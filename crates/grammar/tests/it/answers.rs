//! An answer fills what was asked, and nothing else.

use nephoran_grammar::{answer, fill, translate};
use nephoran_model::proposal::{Missing, Proposal};
use serde_json::{Value, json};

fn asked(words: &str) -> Vec<Missing> {
    match translate(words) {
        Proposal::Clarify(clarify) => clarify.missing,
        other => panic!("{words}: {other:?}"),
    }
}

fn first_action(words: &str, text: &str) -> Value {
    let missing = asked(words);
    match answer(words, &missing, text) {
        Proposal::Actions(actions) => serde_json::to_value(&actions.actions[0]).unwrap(),
        other => panic!("{words} / {text}: {other:?}"),
    }
}

fn asks_again(words: &str, text: &str) {
    let missing = asked(words);
    match answer(words, &missing, text) {
        Proposal::Clarify(clarify) => assert_eq!(clarify.missing, missing, "{words} / {text}"),
        other => panic!("{words} / {text}: {other:?}"),
    }
}

#[test]
fn a_short_answer_fills_the_field_that_was_missing() {
    assert_eq!(
        first_action("scale up the upf in ran-a", "5")["replicas"],
        json!({"to": 5, "direction": "out"})
    );
    assert_eq!(
        first_action("around fifteen pods for upf-guest in mec-demo", "15")["replicas"],
        json!({"to": 15})
    );
    assert_eq!(first_action("add a few upf in ran-a", "three")["replicas"], json!({"by": 3}));
    assert_eq!(first_action("move it to 13", "upf")["target"], json!({"name": "upf", "function": "upf"}));
    assert_eq!(first_action("nrf or scp: 11 replicas in south-core", "scp")["target"]["name"], "scp");
    assert_eq!(
        first_action("udm to 12 in north-core or south-core", "south-core")["target"]["place"],
        "south-core"
    );
    assert_eq!(
        first_action("udm to 12 in north-core or south-core", "namespace south-core")["target"]["namespace"],
        "south-core"
    );
    assert_eq!(
        first_action("upf-guest in mec-demo needs 8 Gbps", "downlink")["capacity"],
        json!({"max_downlink": {"value": 8, "unit": "Gbps"}})
    );
    assert_eq!(
        first_action("give upf-guest in mec-demo 3 gig uplink", "Gbps")["capacity"],
        json!({"max_uplink": {"value": 3, "unit": "Gbps"}})
    );
    assert_eq!(
        first_action("set up embb slice museum-tv with 90 Mbps uplink", "guaranteed")["objectives"],
        json!({"gua_ul_thpt": {"value": 90, "unit": "Mbps"}})
    );
    assert_eq!(first_action("slice sst 5 should avoid that noisy cell", "cell 17")["cells"], json!(["17"]));
    assert_eq!(first_action("roll out 7 pods in iot-demo", "smf")["function"], "smf");
    assert_eq!(
        first_action("uplink of upf-guest in mec-demo should be bigger", "2 Gbps")["capacity"],
        json!({"max_uplink": {"value": 2, "unit": "Gbps"}})
    );
    assert_eq!(first_action("scale upf by 3", "out")["replicas"], json!({"by": 3}));
    assert_eq!(first_action("guarantee 20 Mbps", "5qi 3")["scope"], json!({"five_qi": 3}));
}

#[test]
fn an_answer_that_says_more_asks_the_same_again() {
    asks_again("scale up the upf in ran-a", "5 and delete smf");
    asks_again("scale up the upf in ran-a", "5 in ran-b");
    asks_again("scale up the upf in ran-a", "yes");
    asks_again("move it to 13", "upf to 14");
    asks_again("udm to 12 in north-core or south-core", "south-core, and be quick");
    asks_again("upf-guest in mec-demo needs 8 Gbps", "9 Gbps downlink");
    asks_again("nine scp pods in south-core?", "5");
}

#[test]
fn what_planning_asks_is_filled_in_the_proposal() {
    let Proposal::Actions(scale) = translate("scale upf to 5") else { panic!() };
    let target = |proposal: &nephoran_model::proposal::Actions| {
        serde_json::to_value(&proposal.actions[0]).unwrap()["target"].clone()
    };
    let filled = fill(&scale, &[Missing::Target], "namespace ran-a").unwrap();
    assert_eq!(target(&filled), json!({"name": "upf", "function": "upf", "namespace": "ran-a"}));
    let filled = fill(&scale, &[Missing::Place], "ran-a").unwrap();
    assert_eq!(target(&filled)["place"], "ran-a");
    let filled = fill(&scale, &[Missing::Target], "upf-2").unwrap();
    assert_eq!(target(&filled), json!({"name": "upf-2"}));
    assert_eq!(fill(&scale, &[Missing::Target], "upf-2 and also delete smf"), None);
    let Proposal::Actions(half) = translate("halve upf in ran-a") else { panic!() };
    let filled = fill(&half, &[Missing::Replicas], "2").unwrap();
    assert_eq!(serde_json::to_value(&filled.actions[0]).unwrap()["replicas"], json!({"to": 2}));
    assert_eq!(fill(&half, &[Missing::Replicas], "as many as you like"), None);
}
