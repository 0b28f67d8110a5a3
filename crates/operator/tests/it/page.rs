//! The page as people use it: by its forms alone, and in a browser.

use serde_json::json;

use crate::browser::{Browser, CONTROL, ENTER, View};
use crate::harness::{Answer, Server, push};

/// A browser without scripts: the cookie it was given and the fields of the form it fills in.
struct Visitor<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a Server) -> Self {
        let answer = server.get("/");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    fn token(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }

    fn get(&self, path: &str) -> Answer {
        self.server.send("GET", path, &[("cookie", &self.cookie)], None)
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = format!("csrf={}", self.token());
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", encoded(value)));
        }
        let headers =
            [("cookie", self.cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        // A redirect is an answer here, not something to follow.
        crate::harness::send(&format!("{}{path}", self.server.url), "POST", &headers, Some(body.as_bytes()))
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().strip_prefix("/intents/").unwrap().to_owned()
}

#[test]
fn forms_do_the_whole_job_without_a_script() {
    let server = Server::start();
    let visitor = Visitor::new(&server);
    let preview = visitor.post("/ui/preview", &[("text", "scale upf to 20 in ns ran-a")]);
    assert_eq!(preview.status, 200);
    assert!(preview.text().contains("data-verdict=\"awaiting_approval\""), "{}", preview.text());
    assert!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().is_empty());

    let sent =
        id(&visitor.post("/ui/intents", &[("text", "scale upf to 20 in ns ran-a"), ("priority", "high")]));
    let waiting = server.intent_in(&sent, "awaiting_approval");
    assert_eq!(waiting["priority"], "high");
    let hash = waiting["plan"]["hash"].as_str().unwrap().to_owned();
    let story = visitor.get(&format!("/intents/{sent}")).text();
    assert!(story.contains(&hash) && story.contains(visitor.token()));

    let stale = visitor.post(&format!("/ui/intents/{sent}/approve"), &[("plan_hash", &"0".repeat(64))]);
    assert_eq!(stale.status, 412, "{}", stale.text());
    let approved =
        visitor.post(&format!("/ui/intents/{sent}/approve"), &[("plan_hash", &hash), ("comment", "ok")]);
    assert_eq!(id(&approved), sent);
    server.intent_in(&sent, "applied");
    let late = visitor.post(&format!("/ui/intents/{sent}/approve"), &[("plan_hash", &hash)]);
    assert_eq!(late.status, 409, "{}", late.text());

    let undone = id(&visitor.post(&format!("/ui/intents/{sent}/rollback"), &[]));
    assert_ne!(undone, sent);
    // The way back is as large a step as the way there.
    let waiting = server.intent_in(&undone, "awaiting_approval");
    let hash = waiting["plan"]["hash"].as_str().unwrap();
    id(&visitor.post(&format!("/ui/intents/{undone}/approve"), &[("plan_hash", hash)]));
    server.intent_in(&sent, "rolled_back");
}

#[test]
fn a_question_is_answered_and_a_plan_rejected_by_form() {
    let server = Server::start();
    let visitor = Visitor::new(&server);
    let asked = id(&visitor.post("/ui/intents", &[("text", "scale up the upf in ns ran-a")]));
    server.intent_in(&asked, "needs_answer");
    assert_eq!(visitor.post(&format!("/ui/intents/{asked}/answer"), &[("text", " ")]).status, 422);
    assert_eq!(id(&visitor.post(&format!("/ui/intents/{asked}/answer"), &[("text", "6")])), asked);
    server.intent_in(&asked, "applied");

    let big = id(&visitor.post("/ui/intents", &[("text", "scale upf to 30 in ns ran-a")]));
    server.intent_in(&big, "awaiting_approval");
    assert_eq!(visitor.post(&format!("/ui/intents/{big}/reject"), &[]).status, 422);
    assert_eq!(id(&visitor.post(&format!("/ui/intents/{big}/reject"), &[("reason", "not tonight")])), big);
    server.intent_in(&big, "refused");
    assert!(visitor.get(&format!("/intents/{big}")).text().contains("not tonight"));
}

#[test]
fn a_form_without_its_token_does_nothing() {
    let server = Server::start();
    let mut visitor = Visitor::new(&server);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let paths = ["/ui/intents", "/ui/preview", "/ui/pause", "/ui/intents/x/approve", "/ui/intents/x/cancel"];
    for path in paths {
        let answer = server.send("POST", path, &form, Some(b"text=scale+upf+to+5+in+ns+ran-a"));
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    let cookie = std::mem::replace(&mut visitor.cookie, format!("nephoran-csrf={}", "0".repeat(32)));
    let body = format!("csrf={}&text=scale+upf+to+5+in+ns+ran-a", "0".repeat(31));
    for cookie in [cookie.as_str(), visitor.cookie.as_str(), "nephoran-csrf="] {
        let headers = [form[0], ("cookie", cookie)];
        let answer = server.send("POST", "/ui/intents", &headers, Some(body.as_bytes()));
        assert_eq!(answer.status, 403, "{cookie}");
    }
    assert!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().is_empty());
    assert_eq!(server.get("/api/v1/queue").json()["paused"], false);
}

#[test]
fn one_form_sent_twice_is_one_intent_and_changed_it_is_another() {
    let server = Server::start();
    let visitor = Visitor::new(&server);
    let nonce = "0123456789abcdef0123456789abcdef";
    let form = |text| visitor.post("/ui/intents", &[("text", text), ("nonce", nonce)]);
    let first = id(&form("scale upf to 5 in ns ran-a"));
    assert_eq!(id(&form("scale upf to 5 in ns ran-a")), first);
    assert_ne!(id(&form("scale upf to 6 in ns ran-a")), first);
}

#[test]
fn every_example_beside_the_box_can_be_carried_out_on_the_sample_packages() {
    let server = Server::start();
    let visitor = Visitor::new(&server);
    let home = visitor.get("/").text();
    let examples: Vec<_> =
        home.split("data-example=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(examples.len() > 2, "{home}");
    for example in examples {
        let shown = visitor.post("/ui/preview", &[("text", example)]).text();
        let verdict = shown.split("data-verdict=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(["applying", "answered"].contains(&verdict.as_str()), "{example}: {verdict}");
    }
}

#[test]
fn a_form_is_held_to_the_rules_of_the_api_and_loses_nothing() {
    let server = Server::start();
    let visitor = Visitor::new(&server);
    let words = "scale upf to 5 in ns ran-a";
    for (field, value) in
        [("ticket", "[skip ci] x"), ("reason", &*"r".repeat(600)), ("text", &*"x".repeat(260 * 1024))]
    {
        let answer = visitor
            .post("/ui/intents", &[(field, value), (if field == "text" { "reason" } else { "text" }, words)]);
        assert_eq!(answer.status, 422, "{field}");
        let page = answer.text();
        assert!(
            page.contains(&format!("<strong>{field}</strong>")) && page.contains(words),
            "{field}: {page}"
        );
    }
    let huge = visitor.post("/ui/intents", &[("text", &"x".repeat(400 * 1024))]);
    assert_eq!(huge.status, 413, "{}", huge.text());
    assert!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().is_empty());
    let sent =
        id(&visitor.post("/ui/intents", &[("text", words), ("ticket", "CHG-7"), ("reason", "evening load")]));
    let intent = server.intent_in(&sent, "applied");
    assert_eq!(intent["change"], json!({"ticket": "CHG-7", "reason": "evening load"}));
}

#[test]
fn every_page_allows_only_what_is_ours() {
    let server = Server::start();
    let sent = server.submit("scale upf to 5 in ns ran-a");
    for path in
        ["/".to_owned(), "/?state=waiting".into(), format!("/intents/{sent}"), "/intents/nothing".into()]
    {
        let answer = server.get(&path);
        assert_eq!(
            answer.header("content-security-policy"),
            Some(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            ),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
    assert_eq!(server.get("/intents/nothing").status, 404);
    assert_eq!(server.get("/intents/%3Cscript%3E").status, 404);
    assert_eq!(server.get("/?state=nonsense").status, 400);
    assert_eq!(server.get("/assets/page.css").status, 200);
    assert_eq!(server.get("/assets/../Cargo.toml").status, 404);
}

/// Marks the document: a mark that is still there later says that it was not loaded again.
fn mark(browser: &Browser) {
    browser.run("window.mark = 'here'");
}

fn is_marked(browser: &Browser) -> bool {
    browser.run("return window.mark === 'here'") == json!(true)
}

#[test]
fn an_intent_is_written_seen_planned_sent_approved_and_seen_applied() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    browser.go(&server.url);
    browser.see("#rows .empty");
    browser.type_in("#text", "scale upf to 20 in ns ran-a");
    browser.see("#preview [data-verdict=awaiting_approval]");
    let plan = browser.text("#preview");
    assert!(plan.contains("scale ran-a/upf 3 -> 20") && plan.contains("step_size"), "{plan}");
    let comes =
        browser.run("return [...document.querySelectorAll('#preview .ins ins')].map(part => part.innerText)");
    assert_eq!(comes, json!(["20", "20"]), "the setter's value and the field");
    assert!(
        server.get("/api/v1/intents").json()["items"].as_array().unwrap().is_empty(),
        "only shown, not sent"
    );

    browser.click(".send .primary");
    browser.see("#story-head [data-state=awaiting_approval]");
    mark(&browser);
    let hash = browser.text("#approval .hash code");
    assert_eq!(hash.len(), 64, "{hash}");
    browser.type_in("#approve-comment", "for the evening");
    browser.click("#approve");
    browser.see("#story-head [data-state=applied]");
    assert!(is_marked(&browser), "seen without loading the page again");
    browser.until(
        "the commit is told",
        "return document.querySelector('#result .commit')?.innerText.length === 40",
    );
    assert!(browser.text("#result").contains("Unknown"), "a commit is not called fulfilled");
    browser.until("the form is gone", "return !document.querySelector('#approve')");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 20 #"));

    let altered = server.packaged("ran-a/upf/deployment.yaml").replace("replicas: 20", "replicas: 4");
    push(&server.path("packages.git"), "ran-a/upf/deployment.yaml", &altered, "by hand");
    browser.see("#story-head [data-state=degraded]");
    assert!(is_marked(&browser));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_list_follows_what_comes_in_by_other_doors() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    browser.go(&server.url);
    browser.see(".link-state[data-is=live]");
    mark(&browser);
    browser.type_in("#text", "half a sent");
    let first = server.submit("scale upf to 5 in ns ran-a");
    browser.see(&format!("#row-{first}[data-state=applied]"));
    let second = server.submit("scale up the upf in ns ran-a");
    browser.see(&format!("#row-{second}[data-state=needs_answer]"));
    let order = browser.run("return [...document.querySelectorAll('.row')].map(row => row.id)");
    assert_eq!(order, json!([format!("row-{second}"), format!("row-{first}")]));
    browser.until("the tab's title counts who waits", "return document.title.startsWith('(1)')");
    assert_eq!(browser.text("#waiting").trim(), "1");
    browser.click("#glance button");
    browser.see("#glance .paused");
    assert_eq!(server.get("/api/v1/queue").json()["paused"], true);
    assert!(is_marked(&browser));
    let written = browser.run("return document.querySelector('#text').value");
    assert_eq!(written, "half a sent", "what is being written stays");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_script_in_the_words_is_text() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    let words = "<script>window.owned=1</script><img src=x onerror='window.owned=2'> \u{202E}a";
    let sent = server.submit(words);
    server.until("it rests", || {
        let state = server.intent(&sent)["state"].clone();
        (state == "needs_answer" || state == "refused").then_some(())
    });
    for path in ["/".to_owned(), format!("/intents/{sent}")] {
        browser.go(&format!("{}{path}", server.url));
        browser.see(".link-state[data-is=live]");
        let text = browser.text("main");
        assert!(text.contains("<script>window.owned=1</script>"), "{path}: {text}");
        assert!(text.contains("U+202E"), "{path}: {text}");
        let strangers = browser.run("return document.querySelectorAll('main script, main img').length");
        assert_eq!(strangers, 0, "{path}");
    }
    browser.go(&server.url);
    browser.type_in("#text", "<script>window.owned=3</script><img src=x onerror=window.owned=4>");
    browser.see("#preview [data-verdict]");
    assert_eq!(browser.run("return window.owned ?? null"), json!(null));
    assert_eq!(browser.run("return document.querySelectorAll('main script, main img').length"), 0);
    // The policy had nothing to stop: it was never markup.
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_keyboard_is_enough() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    let older = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    browser.go(&server.url);
    browser.see(".link-state[data-is=live]");
    browser.keys("/");
    assert_eq!(browser.run("return document.activeElement.id"), "text");
    browser.keys("scale upf to 6 in ns ran-a");
    browser.chord(&[CONTROL, ENTER]);
    browser.see("#story-head [data-state=applied]");
    assert!(server.packaged("ran-a/upf/deployment.yaml").contains("replicas: 6 #"));

    browser.go(&server.url);
    browser.see(".link-state[data-is=live]");
    browser.keys("jjk");
    assert_eq!(browser.text(".row-link:focus"), "scale ran-a/upf 5 -> 6");
    browser.keys("j");
    browser.chord(&[ENTER]);
    browser.see("#story-head");
    assert_eq!(browser.path(), format!("/intents/{}", older["id"].as_str().unwrap()));
    // Whatever takes the focus shows it.
    browser.go(&server.url);
    browser.see(".link-state[data-is=live]");
    browser.chord(&["\u{E004}"]);
    assert_eq!(browser.text(":focus"), "Skip to the content");
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid");
}

#[test]
fn a_phone_scrolls_one_way_only() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    let big = server.submit_until("scale upf to 20 in ns ran-a", "awaiting_approval");
    let asked = server.submit_until("scale up the upf in ns ran-a", "needs_answer");
    let long = server.submit(&format!("scale upf to 5 in ns {}", "a-long-name-".repeat(5)));
    let story = |intent: &serde_json::Value| format!("/intents/{}", intent["id"].as_str().unwrap());
    browser.view(View::PHONE);
    for path in
        ["/".into(), story(&big), story(&asked), format!("/intents/{long}"), "/intents/none".to_owned()]
    {
        browser.go(&format!("{}{path}", server.url));
        browser.see("main > *");
        let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth]");
        assert_eq!(widths, json!([360, 360]), "{path}");
    }
    browser.go(&server.url);
    browser.type_in("#text", "scale upf to 20 in ns ran-a");
    browser.see("#preview .diff");
    let width = browser.run("return document.documentElement.scrollWidth");
    assert_eq!(width, 360, "with a plan shown");
}

/// Makes the pictures of `docs/screenshots` where `UPDATE_SCREENSHOTS` is set; checks in any
/// case that no view of the page has text that cannot be told from its ground.
#[test]
fn text_stands_out_from_its_ground_in_light_and_dark() {
    let Some(browser) = Browser::start() else { return };
    let server = Server::start();
    server.submit_until("scale smf to 3 in ns core5g", "applied");
    server.submit("how many upf replicas are running in ran-a?");
    server.submit_until("scale upf to 5000 in ns ran-a", "refused");
    let applied = server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let asked = server.submit_until("scale up the amf in ns core5g", "needs_answer");
    let big = server.submit_until("scale upf to 20 in ns ran-a because of the concert", "awaiting_approval");
    let views = [("", View::DESK), ("-dark", View::DESK.dark()), ("-phone", View::PHONE)];
    let story = |intent: &serde_json::Value| format!("/intents/{}", intent["id"].as_str().unwrap());
    let pages = [
        ("list", "/".to_owned()),
        ("plan-as-you-type", "/?text=scale+smf+to+6+in+ns+core5g".into()),
        ("approval", story(&big)),
        ("question", story(&asked)),
        ("applied", story(&applied)),
    ];
    for (suffix, view) in views {
        browser.view(view);
        for (name, path) in &pages {
            browser.go(&format!("{}{path}", server.url));
            browser.see(".link-state[data-is=live]");
            if *name == "plan-as-you-type" {
                browser.see("#preview .diff");
            }
            if PICTURES.contains(&format!("{name}{suffix}").as_str()) {
                browser.screenshot(&format!("{name}{suffix}"));
            }
            let faint = browser.run(CONTRAST);
            assert_eq!(faint, json!([]), "{name}{suffix}");
        }
    }
}

/// The views that the documents show.
const PICTURES: &[&str] = &[
    "list",
    "list-dark",
    "list-phone",
    "plan-as-you-type",
    "approval",
    "approval-dark",
    "approval-phone",
    "question",
    "applied",
];

/// Every text with less than 4.5:1 between it and what it stands on (WCAG 2.2, 1.4.3).
const CONTRAST: &str = r"
const parse = (color) => (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] > 0.99) return color;
  }
  return [255, 255, 255];
};
const faint = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || element.closest('[hidden], .sr, option') || element.getClientRects().length === 0) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) faint.push(`${element.tagName}.${element.className}: ${ratio.toFixed(2)} ${element.textContent.slice(0, 20)}`);
}
return faint;
";
