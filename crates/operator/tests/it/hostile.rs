//! Input that means harm, or was never meant for us: bodies, texts, files, packages, connections.
//!
//! Whatever comes, the operator answers below 500, writes one JSON object a line into its log, and
//! changes nothing that nobody asked it to change.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Options, PATIENCE, Server, corpora, git};

/// Room for everything at once: what is tried here is the input, not the bounds of the queue.
const ROOMY: &str = "limits: off\nqueue: {total: 20000}\n";

fn roomy() -> Server {
    Server::with(Options { config: ROOMY.into(), ..Options::default() })
}

fn tip(server: &Server) -> String {
    git(&server.path("packages.git"), &["rev-parse", "main"])
}

/// Alive, sane, and its log readable by machines.
fn is_unharmed(server: &Server) {
    assert_eq!(server.get("/healthz").status, 200);
    for line in server.log().lines() {
        let object: Value =
            serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault} in the log line {line:?}"));
        assert!(object.is_object(), "{line:?}");
        assert!(!line.contains("panicked"), "{line:?}");
    }
}

/// Refused for what it is, with a problem that says so.
fn is_refused(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what} was answered {}: {}", answer.status, answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}: {}", answer.text());
    let problem = answer.json();
    for field in ["type", "title", "detail", "instance"] {
        assert!(problem[field].is_string(), "{what}: no {field} in {problem}");
    }
    assert_eq!(problem["status"], answer.status, "{what}");
    assert!(answer.header("x-request-id").is_some(), "{what}");
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(u32::from(c), 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2069 | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

// ---- The JSON suite ---------------------------------------------------------------------------

fn json_suite() -> Option<BTreeMap<String, Vec<u8>>> {
    let folder = corpora()?.join("json-parsing");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    Some(
        files
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
            })
            .collect(),
    )
}

#[test]
fn the_json_suites_verdicts_hold_at_both_doors() {
    let Some(suite) = json_suite() else { return };
    assert!(suite.len() > 100);
    let server = roomy();
    let before = tip(&server);
    let client = server.client();
    for (name, body) in &suite {
        for route in ["/api/v1/intents", "/intent"] {
            let what = format!("{name} at {route}");
            let answer = client.post(route, "application/json", body);
            // None of them is an intent: even what is valid JSON is refused for its content.
            is_refused(&answer, &what);
            let syntax = answer.json()["detail"].as_str().unwrap().contains("not valid JSON");
            match name.as_bytes()[0] {
                b'y' => assert!(!syntax, "{what} is valid JSON, but: {}", answer.text()),
                b'n' => {
                    // A body too deep to be read on is refused for that.
                    let deep = answer.text().contains("nested deeper");
                    assert!(syntax || deep, "{what} is no JSON, but: {}", answer.text());
                }
                _ => {}
            }
        }
    }
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

#[test]
fn json_that_is_deep_doubled_or_huge_is_refused_with_the_reason() {
    let server = roomy();
    let before = tip(&server);
    let deep = |open: &str, close: &str| {
        format!("{{\"text\":{}{}}}", open.repeat(40_000), close.repeat(40_000)).into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("deep arrays", deep("[", "]"), 400),
        ("deep objects", deep("{\"a\":", "}"), 400),
        ("unclosed arrays", "[".repeat(100_000).into_bytes(), 400),
        (
            "a doubled key",
            br#"{"text":"scale upf to 5 in ns ran-a","text":"scale upf to 9 in ns ran-a"}"#.to_vec(),
            422,
        ),
        (
            "a key doubled by escapes",
            br#"{"text":"a","\u0074ext":"scale upf to 9 in ns ran-a"}"#.to_vec(),
            422,
        ),
        ("a huge exponent", intent_with("replicas", "1e999999999"), 422),
        ("many digits", intent_with("replicas", &"9".repeat(100_000)), 422),
        ("a negative", intent_with("replicas", "-5"), 422),
        ("a number as text", intent_with("replicas", "\"5\""), 422),
        ("an unknown key", intent_with("x", "1"), 422),
        ("a lone surrogate", br#"{"text":"\ud800"}"#.to_vec(), 400),
        ("two requests", br#"{"text":"a","proposal":{}}"#.to_vec(), 422),
        ("nothing", b"{}".to_vec(), 422),
        ("a list", b"[]".to_vec(), 422),
        ("null", b"null".to_vec(), 422),
        ("not UTF-8", b"{\"text\":\"\xff\xfe\"}".to_vec(), 400),
        ("UTF-16", "{\"text\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(), 400),
    ];
    for (what, body, status) in cases {
        let answer = server.post("/api/v1/intents", "application/json", &body);
        is_refused(&answer, what);
        // A number that no program can hold is a fault of syntax to some readers.
        let also = if what.contains("huge") || what.contains("digits") { 400 } else { status };
        assert!(answer.status == status || answer.status == also, "{what}: {}", answer.text());
        assert!(answer.body.len() < 8192, "{what}: an answer of {} bytes", answer.body.len());
        let at_the_other = server.post("/intent", "application/json", &body);
        is_refused(&at_the_other, what);
    }
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]));
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

fn intent_with(key: &str, value: &str) -> Vec<u8> {
    let mut fields = BTreeMap::from([
        ("intent_type", "\"scaling\""),
        ("target", "\"upf\""),
        ("namespace", "\"ran-a\""),
        ("replicas", "5"),
    ]);
    fields.insert(key, value);
    let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{\"intent\":{{{}}}}}", fields.join(",")).into_bytes()
}

#[test]
fn names_that_reach_for_files_or_shells_are_no_names() {
    let server = roomy();
    let before = tip(&server);
    for name in [
        "../../etc/passwd",
        "$(rm -rf /)",
        "`id`",
        "upf;ls",
        "upf\n",
        "UPF",
        "-upf",
        "upf-",
        "a.b",
        "",
        "u\u{202e}pf",
    ] {
        for field in ["target", "namespace"] {
            let mut intent =
                json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 5});
            intent[field] = json!(name);
            let answer = server.post_json("/intent", &intent);
            is_refused(&answer, name);
            assert!(
                answer.json()["detail"].as_str().unwrap().contains("validation failed"),
                "{}",
                answer.text()
            );
            is_refused(&server.post_json("/api/v1/intents", &json!({"intent": intent})), name);
        }
    }
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

// ---- Hostile texts ----------------------------------------------------------------------------

fn hostile_texts() -> Option<Vec<String>> {
    let lines = std::fs::read_to_string(corpora()?.join("hostile.jsonl")).unwrap();
    let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
    Some(lines.lines().map(text).collect())
}

/// Waits until the operator has nothing to do, and returns every record.
fn at_rest(server: &Server) -> Vec<Value> {
    let client = server.client();
    for state in ["received", "translating", "planned", "applying"] {
        server.until(&format!("nothing is {state}"), || {
            let page = client.get(&format!("/api/v1/intents?state={state}&limit=1")).json();
            page["items"].as_array().unwrap().is_empty().then_some(())
        });
    }
    let mut records = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = client.get(&format!("/api/v1/intents?limit=500&cursor={cursor}")).json();
        records.append(page["items"].as_array_mut().unwrap());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return records,
        }
    }
}

fn none_became_an_action(records: &[Value]) {
    for record in records {
        assert!(record["plan"].is_null(), "it was planned: {record:#}");
        assert!(["needs_answer", "refused"].iter().any(|state| record["state"] == *state), "{record:#}");
    }
}

#[test]
fn hostile_texts_over_http_stay_texts() {
    let Some(texts) = hostile_texts() else { return };
    let server = roomy();
    let before = tip(&server);
    let client = server.client();
    let mut accepted = 0;
    for text in &texts {
        let as_words = client.post("/api/v1/intents", "text/plain; charset=utf-8", text);
        let as_json = client.post("/api/v1/intents", "application/json", json!({"text": text}).to_string());
        for answer in [as_words, as_json] {
            match answer.status {
                202 => accepted += 1,
                _ => is_refused(&answer, text),
            }
        }
        let drop_in = client.post("/intent", "text/plain", text);
        is_refused(&drop_in, text);
        assert!(drop_in.json()["detail"].as_str().unwrap().starts_with("plain text: "), "{}", drop_in.text());
    }
    let records = at_rest(&server);
    assert_eq!(records.len(), accepted);
    none_became_an_action(&records);
    assert_eq!(tip(&server), before);

    let marked: Vec<&String> =
        texts.iter().filter(|text| text.contains("</") || text.contains("<s")).collect();
    assert!(!marked.is_empty());
    let mut pages: Vec<String> = records
        .iter()
        .step_by(2)
        .map(|record| format!("/intents/{}", record["id"].as_str().unwrap()))
        .collect();
    pages.push("/".into());
    for path in pages {
        let page = client.get(&path);
        assert_eq!(page.status, 200, "{path}");
        let html = String::from_utf8(page.body).unwrap();
        if let Some(at) = html.find(is_hidden) {
            panic!("{path} has {:?} raw", html[at..].chars().next());
        }
        for text in &marked {
            assert!(!html.contains(text.as_str()), "{path} has markup of {text:?}");
        }
    }
    for command in [["list", "--limit", "200"], ["list", "-o", "wide"]] {
        let output = server.cli(&command);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(printed.find(is_hidden).is_none(), "{command:?} prints {printed:?}");
    }
    is_unharmed(&server);
}

#[test]
fn hostile_texts_in_the_hot_folder_stay_texts() {
    let Some(texts) = hostile_texts() else { return };
    let server = roomy();
    let before = tip(&server);
    let around = listing(server.folder.path());
    let hot = server.path("hot");
    let mut files = 0;
    let mut drop_file = |name: &[u8], content: &[u8]| {
        let hidden = hot.join(".part");
        std::fs::write(&hidden, content).unwrap();
        let place = hot.join(OsStr::from_bytes(name));
        // Names that the file system does not have are none that it can bring.
        let renamed = !place.exists() && std::fs::rename(&hidden, &place).is_ok();
        files += usize::from(renamed);
        renamed
    };
    let good = drop_in_words();
    for (number, text) in texts.iter().enumerate() {
        assert!(drop_file(format!("intent-{number}.txt").as_bytes(), text.as_bytes()));
        if !text.contains('/') && !text.contains('\0') && text.len() < 200 {
            // The content asks for nothing new: only the name is hostile.
            drop_file(format!("intent-{text}.json").as_bytes(), good.as_bytes());
        }
    }
    for (name, body) in json_suite().unwrap_or_default() {
        assert!(drop_file(format!("intent-{name}").as_bytes(), &body));
    }
    let name = b"intent-\xff\xfe.json";
    assert!(drop_file(name, good.as_bytes()));
    let requests = |folder: &Path| {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        entries
            .map(|entry| entry.unwrap())
            .filter(|entry| {
                let name = entry.file_name();
                name.as_bytes().starts_with(b"intent-") && !name.as_bytes().ends_with(b".error.log")
            })
            .count()
    };
    let (mut left, mut deadline) = (usize::MAX, Instant::now() + PATIENCE);
    while left > 0 {
        let now = requests(&hot);
        if now < left {
            (left, deadline) = (now, Instant::now() + PATIENCE);
        }
        assert!(Instant::now() < deadline, "{left} files are never taken: {:?}", listing(&hot));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let (processed, failed) = (hot.join("processed"), hot.join("failed"));
    server.until("each file is in one of two folders", || {
        (requests(&processed) + requests(&failed) == files).then_some(())
    });
    assert!(requests(&failed) >= texts.len(), "none of the texts is a request that can be carried out");
    for record in at_rest(&server) {
        // The only content that asks for anything asks for what is so already.
        assert_eq!(
            record["outcomes"]
                .as_array()
                .map_or(0, |done| done.iter().filter(|d| !d["commit"].is_null()).count()),
            0
        );
    }
    assert_eq!(tip(&server), before);
    assert_eq!(listing(server.folder.path()), around, "something was written beside the hot folder");
    is_unharmed(&server);
}

/// What is so already in the sample packages.
fn drop_in_words() -> String {
    json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 3}).to_string()
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn what_is_no_regular_file_is_no_request() {
    let server = roomy();
    let before = tip(&server);
    let hot = server.path("hot");
    let outside = server.path("outside.json");
    let wanted = json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 7});
    std::fs::write(&outside, wanted.to_string()).unwrap();
    std::os::unix::fs::symlink(&outside, hot.join("intent-symlink.json")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", hot.join("intent-zero.json")).unwrap();
    std::os::unix::fs::symlink("intent-loop.json", hot.join("intent-loop.json")).unwrap();
    std::fs::hard_link(&outside, hot.join("intent-hardlink.json")).unwrap();
    std::fs::create_dir(hot.join("intent-folder.json")).unwrap();
    assert!(Command::new("mkfifo").arg(hot.join("intent-fifo.json")).status().unwrap().success());
    let _socket = UnixListener::bind(hot.join("intent-socket.json")).unwrap();
    std::fs::write(hot.join("intent-large.txt"), "scale upf to 7 in ns ran-a ".repeat(20_000)).unwrap();
    // A neighbour that is fine comes through all the same.
    std::fs::write(hot.join("intent-fine.json"), drop_in_words()).unwrap();
    server.until("the neighbour is taken", || hot.join("processed/intent-fine.json").exists().then_some(()));
    server.until("the large file is refused", || {
        let reason = std::fs::read_to_string(hot.join("failed/intent-large.txt.error.log")).ok()?;
        reason.contains("256 KiB").then_some(())
    });
    for name in ["symlink", "zero", "loop", "hardlink", "folder", "fifo", "socket"] {
        let name = format!("intent-{name}.json");
        assert!(!hot.join("processed").join(&name).exists(), "{name} was taken");
        if let Ok(reason) = std::fs::read_to_string(hot.join(format!("failed/{name}.error.log"))) {
            assert!(reason.contains("Error:"), "{reason}");
        }
    }
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), wanted.to_string());
    for record in at_rest(&server) {
        assert_eq!(record["file"], "intent-fine.json", "{record:#}");
    }
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

// ---- Packages ---------------------------------------------------------------------------------

const KPTFILE: &str = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: hostile\n";

fn deployment(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: hostile\nspec:\n  \
         replicas: 2\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: \
         {name}}}}}\n    spec:\n      containers: [{{name: {name}, image: example/{name}:1}}]\n"
    )
}

/// One commit that adds files, whatever they are called: no work tree is needed.
fn commit(bare: &Path, message: &str, files: &[(String, Vec<u8>)]) {
    let mut stream = format!(
        "commit refs/heads/main\ncommitter Alex Example <alex@example.com> 1700000000 +0000\ndata {}\n{message}\nfrom refs/heads/main^0\n",
        message.len()
    )
    .into_bytes();
    for (path, content) in files {
        stream.extend(format!("M 100644 inline {path}\ndata {}\n", content.len()).bytes());
        stream.extend(content);
        stream.push(b'\n');
    }
    let mut import = Command::new("git")
        .arg("-C")
        .arg(bare)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(&stream).unwrap();
    assert!(import.wait().unwrap().success());
}

/// After others pushed `what`, the operator lives and the sample packages scale as ever.
fn neighbours_scale(server: &Server, what: &str) {
    server
        .until(&format!("it is ready beside {what}"), || (server.get("/readyz").status == 200).then_some(()));
    let file = server.packaged("ran-a/upf/deployment.yaml");
    let to = if file.contains("replicas: 5 ") { 4 } else { 5 };
    let applied = server.submit_until(&format!("scale upf to {to} in ns ran-a"), "applied");
    let commit = applied["outcomes"][0]["commit"].as_str().unwrap_or_else(|| panic!("{what}: {applied:#}"));
    let changed =
        git(&server.path("packages.git"), &["diff-tree", "-r", "--no-commit-id", "--name-only", commit]);
    assert!(changed.lines().all(|file| file.starts_with("ran-a/upf/")), "{what}: {changed}");
    is_unharmed(server);
}

#[derive(Deserialize)]
struct YamlCase {
    #[serde(default)]
    yaml: Option<String>,
}

/// A case's text without the marks that make it visible in the suite.
fn unmarked(yaml: &str) -> Vec<u8> {
    let mut text = String::new();
    for c in yaml.chars() {
        match c {
            '␣' => text.push(' '),
            '—' => {}
            '»' => text.push('\t'),
            '↵' => {}
            '∎' => {
                text.pop();
            }
            '←' => text.push('\r'),
            '⇔' => text.push('\u{feff}'),
            other => text.push(other),
        }
    }
    text.into_bytes()
}

#[test]
fn the_yaml_suite_as_packages_puts_at_most_those_packages_out() {
    let Some(corpora) = corpora() else { return };
    let mut files = Vec::new();
    for path in listing(&corpora.join("yaml")) {
        let id = path.file_stem().unwrap().to_str().unwrap().to_lowercase();
        let cases: Vec<YamlCase> =
            serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_default();
        for (number, case) in cases.iter().enumerate() {
            let Some(yaml) = &case.yaml else { continue };
            let package = format!("suite/{id}-{number}");
            files.push((format!("{package}/Kptfile"), KPTFILE.into()));
            files.push((format!("{package}/workload.yaml"), unmarked(yaml)));
            files
                .push((format!("{package}/deployment.yaml"), deployment(&format!("w-{id}-{number}")).into()));
            // And as the file that makes it a package.
            files.push((format!("kptfiles/{id}-{number}/Kptfile"), unmarked(yaml)));
        }
    }
    assert!(files.len() > 400, "only {} files of the suite could be read", files.len());
    let server = roomy();
    commit(&server.path("packages.git"), "the YAML suite", &files);
    neighbours_scale(&server, "the YAML suite");
    // Also when it is there from the start.
    let (status, folder) = server.stop();
    assert!(status.success());
    let server = Server::on(folder, Options { config: ROOMY.into(), ..Options::default() });
    neighbours_scale(&server, "the YAML suite at the start");
}

#[test]
fn bombs_links_and_giants_put_only_their_own_package_out() {
    let server = roomy();
    let bare = server.path("packages.git");
    let laughs: String = (1..10)
        .map(|level| format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", ")))
        .collect();
    let laughs = format!("l0: &l0 ha\n{laughs}{}", deployment("bomb-1"));
    let merge = "base: &base {a: 1}\n".to_owned() + &"x: {<<: [*base, *base]}\n".repeat(2000);
    let giant = format!("{KPTFILE}# {}\n", "x".repeat(10 << 20));
    let long_scalar = format!("{}note: \"{}\"\n", deployment("long"), "y".repeat(900_000));
    let deep = format!("a: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    let deep_block: String = (0..2000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let many = "---\na: 1\n".repeat(50_000);
    let keys: String = (0..60_000).map(|number| format!("k{number}: 1\n")).collect();
    let names: [(&str, String); 9] = [
        ("laughs", laughs),
        ("merge", merge),
        ("deep", deep),
        ("deep-block", deep_block),
        ("documents", many),
        ("keys", keys),
        ("long-scalar", long_scalar),
        ("nul", format!("{}\0", deployment("nul"))),
        ("binary", String::from("\u{1}\u{2}\u{7f}\u{85}\u{202e}")),
    ];
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, content) in names {
        files.push((format!("hostile/{name}/Kptfile"), KPTFILE.into()));
        files.push((format!("hostile/{name}/workload.yaml"), content.into_bytes()));
    }
    files.push(("hostile/giant/Kptfile".into(), giant.into_bytes()));
    files.push(("hostile/giant/workload.yaml".into(), deployment("giant-1").into()));
    files.push(("hostile/latin/Kptfile".into(), b"apiVersion: kpt.dev/v1\nkind: \xe4\xff\n".to_vec()));
    commit(&bare, "bombs", &files);
    // Crafted trees: what no git command would add.
    odd_tree(&bare);
    neighbours_scale(&server, "bombs");
    let client = server.client();
    for name in ["bomb-1", "giant-1", "linked-1", "submodule-1", "dotgit-1", "escape-1"] {
        let answer = client.post("/api/v1/intents", "text/plain", format!("scale {name} to 3 in ns hostile"));
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let refused = server.intent_in(&id, "refused");
        assert!(!refused["findings"].as_array().unwrap().is_empty(), "{refused:#}");
    }
    neighbours_scale(&server, "bombs, asked for");
}

/// A link, a submodule, `.git` and `..` inside packages that look fine otherwise.
fn odd_tree(bare: &Path) {
    let hash = |content: &str| {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(bare)
            .args(["hash-object", "-w", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(content.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    // Not by git itself: its own checks would refuse these names.
    let tree = |entries: &[(&str, &str, String)]| {
        let mut content = Vec::new();
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_by_key(|(mode, name, _)| format!("{name}{}", if *mode == "40000" { "/" } else { "" }));
        for (mode, name, id) in sorted {
            content.extend(format!("{mode} {name}\0").bytes());
            content.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
        }
        let mut child = Command::new("git")
            .arg("-C")
            .arg(bare)
            .args(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&content).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let kptfile = hash(KPTFILE);
    let package = |name: &str, odd: (&'static str, &'static str, String)| {
        tree(&[
            ("100644", "Kptfile", kptfile.clone()),
            ("100644", "deployment.yaml", hash(&deployment(name))),
            odd,
        ])
    };
    let nothing = tree(&[("100644", "config", hash("[core]\n\tpager = touch /tmp/owned\n"))]);
    let tip = git(bare, &["rev-parse", "main"]).trim().to_owned();
    let odd = tree(&[
        ("40000", "linked", package("linked-1", ("120000", "link.yaml", hash("/etc/passwd")))),
        ("40000", "submodule", package("submodule-1", ("160000", "module", tip.clone()))),
        ("40000", "dotgit", package("dotgit-1", ("40000", ".git", nothing.clone()))),
        ("40000", "escape", package("escape-1", ("40000", "..", nothing))),
    ]);
    let root = git(bare, &["ls-tree", "main"]);
    let mut entries: Vec<(String, String, String)> = root
        .lines()
        .map(|line| {
            let (head, name) = line.split_once('\t').unwrap();
            let words: Vec<&str> = head.split(' ').collect();
            (words[0].trim_start_matches('0').to_owned(), name.to_owned(), words[2].to_owned())
        })
        .collect();
    entries.push(("40000".into(), "odd".into(), odd));
    let entries: Vec<(&str, &str, String)> =
        entries.iter().map(|(mode, name, id)| (mode.as_str(), name.as_str(), id.clone())).collect();
    let root = tree(&entries);
    let commit = git(bare, &["commit-tree", &root, "-p", &tip, "-m", "odd entries"]);
    git(bare, &["update-ref", "refs/heads/main", commit.trim(), &tip]);
}

// ---- Connections ------------------------------------------------------------------------------

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that comes until the other side closes.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return all,
            Ok(count) => all.extend(&part[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("{error}; so far: {}", String::from_utf8_lossy(&all)),
        }
    }
}

/// Sends bytes as they are; all that is answered until the connection ends.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server);
    // The other side may close before it has read everything.
    let _ = stream.write_all(bytes);
    String::from_utf8_lossy(&rest(stream)).into_owned()
}

/// The status of a raw answer; `None` when the connection was closed without one.
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ").map(|rest| rest[..3].parse().unwrap())
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

#[test]
fn a_request_by_a_name_that_is_not_ours_is_misdirected() {
    let server = Server::start();
    let before = tip(&server);
    let words = "scale upf to 5 in ns ran-a";
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8080",
        "10.0.0.1",
        "169.254.169.254",
    ] {
        for (method, path, body) in [
            ("GET", "/api/v1/intents", ""),
            ("GET", "/", ""),
            ("POST", "/api/v1/intents", words),
            ("POST", "/intent", words),
        ] {
            let answer =
                raw(&server, &request(method, path, &[("host", host), ("content-type", "text/plain")], body));
            assert_eq!(status(&answer), Some(421), "{method} {path} for {host}: {answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
        }
        // The target of the request line counts, not the header behind it.
        let absolute = format!("http://{host}/api/v1/intents");
        let answer = raw(&server, &request("GET", &absolute, &[("host", "localhost")], ""));
        assert_eq!(status(&answer), Some(421), "{answer}");
    }
    for headers in [&[][..], &[("host", "localhost"), ("host", "evil.example")]] {
        let answer = raw(&server, &request("GET", "/healthz", headers, ""));
        assert_eq!(status(&answer), Some(400), "{answer}");
    }
    for host in ["localhost", "127.0.0.1:1", "[::1]:8080"] {
        let answer = raw(&server, &request("GET", "/healthz", &[("host", host)], ""));
        assert_eq!(status(&answer), Some(200), "{host}: {answer}");
    }
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]));
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

#[test]
fn another_sites_page_changes_nothing() {
    let server = Server::start();
    let id = server.submit_until("scale upf to 20 in ns ran-a", "awaiting_approval")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let hash = server.intent(&id)["plan"]["hash"].as_str().unwrap().to_owned();
    let own = server.url.clone();
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
    ];
    let approve = json!({"plan_hash": hash}).to_string();
    for headers in foreign {
        for (path, kind, body) in [
            ("/api/v1/intents", "text/plain", "scale upf to 5 in ns ran-a"),
            ("/intent", "text/plain", "scale upf to 5 in ns ran-a"),
            ("/ui/intents", "application/x-www-form-urlencoded", "text=scale+upf+to+5+in+ns+ran-a"),
            (&format!("/api/v1/intents/{id}/approve"), "application/json", &approve),
            (&format!("/api/v1/intents/{id}/cancel"), "application/json", ""),
            ("/api/v1/admin/pause", "application/json", ""),
        ] {
            let mut all = vec![("content-type", kind)];
            all.extend(headers);
            let answer = server.send("POST", path, &all, Some(body.as_bytes()));
            assert_eq!(answer.status, 403, "{path} with {headers:?}: {}", answer.text());
            assert!(answer.header("access-control-allow-origin").is_none());
        }
        let preflight = server.send("OPTIONS", "/api/v1/intents", headers, None);
        assert!(preflight.status == 403 || preflight.status == 405, "{}", preflight.status);
        assert!(preflight.header("access-control-allow-origin").is_none());
        // Reading is no change.
        assert_eq!(server.send("GET", "/api/v1/intents", headers, None).status, 200);
    }
    assert_eq!(server.intent(&id)["state"], "awaiting_approval");
    assert_eq!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().len(), 1);
    let ours = server.send(
        "POST",
        "/api/v1/intents",
        &[("content-type", "text/plain"), ("origin", &own), ("sec-fetch-site", "same-origin")],
        Some(b"report upf in ns ran-a"),
    );
    assert_eq!(ours.status, 202, "{}", ours.text());
    is_unharmed(&server);
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let server = Server::start();
    let many: String = (0..10_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x-long: {}\r\n", "y".repeat(1 << 20));
    let lines: String = (0..200).map(|number| format!("x-{number}: {}\r\n", "y".repeat(200))).collect();
    for (what, headers) in [("10,000 headers", many), ("a long header", long), ("too much in all", lines)] {
        let answer = raw(
            &server,
            format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
                .as_bytes(),
        );
        assert!(matches!(status(&answer), None | Some(400 | 431)), "{what}: {answer}");
    }
    let path = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(1 << 20));
    let answer = raw(&server, path.as_bytes());
    assert!(matches!(status(&answer), None | Some(400 | 404 | 414 | 431)), "{answer}");
    is_unharmed(&server);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read_to_its_end() {
    let server = Server::start();
    for (path, most) in [("/api/v1/intents", 256 << 10), ("/intent", 1 << 20)] {
        for kind in ["text/plain", "application/json"] {
            let body = "a".repeat(most + 1);
            let answer = server.post(path, kind, &body);
            assert_eq!(answer.status, 413, "{path}: {}", answer.text());
            is_refused(&answer, path);
            assert!(answer.text().contains("KiB"), "the bound is not named: {}", answer.text());
        }
        // Announced, never sent: the answer does not wait for it.
        let mut stream = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 1000000000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 413");
        // In chunks, whose size nobody announced.
        let mut stream = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
        for _ in 0..=most / 0x10000 {
            stream.write_all(chunk.as_bytes()).unwrap();
        }
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 413");
    }
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]));
    is_unharmed(&server);
}

#[test]
fn what_is_not_there_and_what_is_not_allowed_say_so() {
    let server = Server::start();
    for (method, path, allow) in [
        ("GET", "/intent", "POST"),
        ("PUT", "/intent", "POST"),
        ("DELETE", "/intent", "POST"),
        ("DELETE", "/api/v1/intents", "GET"),
        ("PATCH", "/api/v1/intents", "POST"),
        ("POST", "/healthz", "GET"),
        ("POST", "/metrics", "GET"),
        ("BREW", "/api/v1/intents", "POST"),
        ("TRACE", "/", "GET"),
    ] {
        let answer = server.send(method, path, &[], None);
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
        is_refused(&answer, path);
        assert!(
            answer.header("allow").is_some_and(|said| said.contains(allow)),
            "{method} {path} {:?}",
            answer.header("allow")
        );
    }
    for path in [
        "/nothing",
        "/api",
        "/api/v2/intents",
        "/api/v1/intents/x/y/z",
        "/.git/config",
        "/etc/passwd",
        "/intents/",
        "/assets/../Cargo.toml",
    ] {
        let answer = raw(&server, &request("GET", path, &[("host", "localhost")], ""));
        assert_eq!(status(&answer), Some(404), "{path}: {answer}");
    }
    let answer = server.get("/api/v1/nothing");
    is_refused(&answer, "/api/v1/nothing");
    for kind in
        ["text/html", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "\u{7f}"]
    {
        if kind == "\u{7f}" {
            continue;
        }
        let answer = server.post("/intent", kind, "scale upf to 5 in ns ran-a");
        assert_eq!(answer.status, 415, "{kind}");
        assert!(answer.text().contains("Unsupported content type"));
        assert_eq!(server.post("/api/v1/intents", kind, "x").status, 415, "{kind}");
    }
    is_unharmed(&server);
}

#[test]
fn an_id_in_a_path_is_an_id_and_nothing_else() {
    let server = Server::start();
    for id in [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "../../../../etc/passwd",
        "..%5c..%5cwindows",
        "%00",
        "a%00b",
        "%ff%fe",
        "%c0%ae%c0%ae/",
        "%",
        "%zz",
        "'%20OR%201=1--",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "%0d%0aset-cookie:%20a=b",
        "%e2%80%ae",
        &"a".repeat(5000),
    ] {
        for rest in ["", "/plan", "/report", "/audit"] {
            let answer = raw(
                &server,
                &request("GET", &format!("/api/v1/intents/{id}{rest}"), &[("host", "localhost")], ""),
            );
            assert!(matches!(status(&answer), Some(400 | 404 | 414 | 431)), "{id}{rest}: {answer}");
            assert!(!answer.contains("root:") && !answer.contains("<script>"), "{answer}");
            assert!(!answer.to_lowercase().contains("\r\nset-cookie: a=b"), "{answer}");
        }
        for act in ["cancel", "approve", "answer", "rollback", "retry"] {
            let answer = raw(
                &server,
                &request("POST", &format!("/api/v1/intents/{id}/{act}"), &[("host", "localhost")], ""),
            );
            assert!(matches!(status(&answer), Some(400..=499)), "{id}/{act}: {answer}");
        }
        let page = raw(&server, &request("GET", &format!("/intents/{id}"), &[("host", "localhost")], ""));
        assert!(matches!(status(&page), Some(400..=499)), "{id}: {page}");
        assert!(!page.contains("<script>alert"), "{page}");
    }
    for query in [
        "?cursor=%00",
        "?cursor=../../x",
        "?limit=-1",
        "?limit=99999999999999999999",
        "?state=x%27",
        "?x=%ff",
    ] {
        let answer = server.get(&format!("/api/v1/intents{query}"));
        is_refused(&answer, query);
    }
    is_unharmed(&server);
}

#[test]
fn bytes_that_are_no_http_end_their_own_connection_only() {
    let server = Server::start();
    let before = tip(&server);
    let good = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let noise: Vec<u8> = (0..65_536u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut cases: Vec<Vec<u8>> = vec![
        noise,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET /a\0b HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost: local\x01host\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx y: z\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nhost: localhost\r\n folded: z\r\n\r\n".to_vec(),
    ];
    // Two lengths, two ways to say where the body ends: what a proxy and we might read differently.
    for head in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: -1",
        "content-length: +5",
        "content-length: 99999999999999999999999",
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
    ] {
        cases.push(
            format!("POST /api/v1/intents HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n{head}\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .into_bytes(),
        );
    }
    for chunk in
        ["zz\r\nabc\r\n0\r\n\r\n", "ffffffffffffffffff\r\nabc", "-1\r\n\r\n", "3\r\nabcdef\r\n0\r\n\r\n"]
    {
        cases.push(
            format!("POST /api/v1/intents HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n{chunk}")
                .into_bytes(),
        );
    }
    for bytes in &cases {
        let answer = raw(&server, bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned();
        assert!(
            !answer.contains("HTTP/1.1 5") && !answer.contains("HTTP/1.1 202"),
            "{shown:?} was answered {answer}"
        );
        // The same behind a good request on one connection: the good one is answered.
        let mut pipelined = good.as_bytes().to_vec();
        pipelined.extend(bytes);
        let answer = raw(&server, &pipelined);
        assert_eq!(status(&answer), Some(200), "{shown:?} behind a good request: {answer}");
        assert!(!answer.contains("HTTP/1.1 5"), "{answer}");
    }
    let five = good.repeat(4) + "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(
        raw(&server, five.as_bytes()).matches("HTTP/1.1 200").count(),
        5,
        "pipelined requests are all answered"
    );
    assert_eq!(server.get("/api/v1/intents").json()["items"], json!([]));
    assert_eq!(tip(&server), before);
    is_unharmed(&server);
}

#[test]
fn who_sends_too_slowly_is_cut_off_and_holds_up_nobody() {
    let server = Server::start();
    let begun = Instant::now();
    let mut head = connect(&server);
    head.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
    let idle = connect(&server);
    let client = server.client();
    // One byte now and then does not buy more time.
    while begun.elapsed() < PATIENCE {
        assert_eq!(client.get("/healthz").status, 200, "others are served meanwhile");
        if head.write_all(b"y").is_err() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(500));
    }
    assert!(begun.elapsed() < PATIENCE, "a head that never ends is read for ever");
    drop(idle);
    let answer = rest(head);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(matches!(status(&answer), None | Some(400 | 408)), "{answer}");
    is_unharmed(&server);
}

#[test]
fn half_open_connections_are_bounded_and_end_by_themselves() {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 4096) {
        eprintln!("SKIPPED: 1,500 connections need more open files than this machine allows");
        return;
    }
    let wanted = Rlimit { current: Some(4096.max(limit.current.unwrap_or(4096))), maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).unwrap();
    let server = Server::start();
    let files = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    let before = files();
    let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut open = Vec::new();
    let begun = Instant::now();
    // More than are served at once; who waits in the backlog is not open yet. Before the first are cut off.
    while open.len() < 1100 && begun.elapsed() < Duration::from_secs(8) {
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) else { continue };
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost:");
        open.push(stream);
    }
    assert!(open.len() > 1024, "only {} connections were taken", open.len());
    server.until("the first are accepted", || (files() > before + 500).then_some(()));
    assert!(files() <= before + 1024 + 64, "{} descriptors are open", files());
    // They are cut off, and who waits behind them is answered.
    let answer = raw(&server, &request("GET", "/healthz", &[("host", "localhost")], ""));
    assert_eq!(status(&answer), Some(200), "{answer}");
    drop(open);
    server.until("their descriptors are given back", || (files() < before + 64).then_some(()));
    is_unharmed(&server);
}

#[test]
fn words_and_keys_of_any_form_are_taken_as_words_or_refused() {
    let server = roomy();
    let client: Client = server.client();
    for words in
        ["", " ", "\n", "\u{feff}", "\0", "\u{202e}", &"a".repeat(200_000), &"scale upf ".repeat(10_000)]
    {
        let answer = client.post("/api/v1/intents", "text/plain", words);
        assert!(answer.status == 202 || answer.status == 422 || answer.status == 400, "{}", answer.text());
    }
    for body in [&b"\xff\xfe"[..], b"scale \xc0\xaf upf", b"\xed\xa0\x80"] {
        is_refused(&client.post("/api/v1/intents", "text/plain", body), "words that are not UTF-8");
    }
    let long = "k".repeat(129);
    for key in ["", "a b", "a/b", "ключ", long.as_str()] {
        let headers = [("content-type", "text/plain"), ("idempotency-key", key)];
        let sent = format!(
            "POST /api/v1/intents HTTP/1.1\r\nhost: localhost\r\n{}: {}\r\n{}: {}\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
            headers[0].0, headers[0].1, headers[1].0, headers[1].1
        );
        let answer = raw(&server, sent.as_bytes());
        assert_eq!(status(&answer), Some(400), "the key {key:?}: {answer}");
    }
    for name in ["a b", "<script>", "\u{e4}", long.as_str()] {
        let sent = format!(
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-request-id: {name}\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(&server, sent.as_bytes());
        assert_eq!(status(&answer), Some(200));
        let echoed = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        assert!(echoed != name && !echoed.is_empty(), "the id {name:?} came back as it was");
    }
    at_rest(&server);
    is_unharmed(&server);
}
