//! SIGKILL at random moments under load: what was answered 202 is there afterwards, once.
//!
//! `NEPHORAN_KILLS` says how many kills (30 when unset), `NEPHORAN_SEED` repeats a run's dice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use nephoran::store::{AuditHead, Store};
use serde_json::{Value, json};

use crate::harness::{Client, Options, PATIENCE, Server, git};

const KILLS: u32 = 30;
const CLIENTS: u64 = 4;

/// Requests that all clients together send in one life of the operator: enough to be killed in the midst
/// of, few enough that the rest is worked off within a test's time.
const REQUESTS_A_LIFE: u64 = 40;
const FILES_A_LIFE: u64 = 6;

/// Factors between these stay within the bound of what needs no approval.
const LEAST: u64 = 2;
const MOST: u64 = 6;

const TARGETS: &[(&str, &str)] =
    &[("upf", "ran-a"), ("o-cu-up", "ran-a"), ("o-cu-cp", "ran-a"), ("amf", "core5g"), ("smf", "core5g")];

/// States in which the operator itself has something to do.
const RESTLESS: &[&str] = &["received", "translating", "planned", "applying"];

/// SplitMix64: a line of dice that a seed repeats.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.between(0, of.len() as u64 - 1) as usize]
    }
}

/// One request as it is sent, and sent again when it has a key and got no answer.
#[derive(Clone)]
struct Request {
    /// In the record's `change.reason`: no two requests share one.
    mark: String,
    route: &'static str,
    body: Vec<u8>,
    has_key: bool,
}

impl Request {
    fn draw(dice: &mut Dice, mark: String) -> Self {
        let (target, namespace) = *dice.one(TARGETS);
        let to = dice.between(LEAST, MOST);
        let has_key = dice.between(0, 2) == 0;
        let words = match dice.between(0, 3) {
            0 => format!("add 1 {target} in ns {namespace}"),
            1 => format!("scale in {target} by 1 in ns {namespace}"),
            _ => format!("scale {target} to {to} in ns {namespace}"),
        };
        let (route, body) = match dice.between(0, 3) {
            0 => ("/intent", drop_in(target, namespace, to, &mark)),
            _ => ("/api/v1/intents", json!({"text": words, "change": {"reason": mark}})),
        };
        Self { mark, route, body: body.to_string().into_bytes(), has_key }
    }

    /// The id when it was accepted; `None` when it was refused for now.
    fn send(&self, client: &Client) -> Result<Option<String>, String> {
        let mut headers = vec![("content-type", "application/json")];
        if self.has_key {
            headers.push(("idempotency-key", &self.mark));
        }
        let answer = client
            .send("POST", self.route, &headers, Some(&self.body))
            .map_err(|fault| format!("no answer: {fault}"))?;
        match answer.status {
            200 | 202 => {
                let said = answer.json();
                let id = if self.route == "/intent" { &said["intent"] } else { &said["id"] };
                Ok(Some(id.as_str().unwrap().to_owned()))
            }
            429 | 503 => Ok(None),
            status => panic!("{} was answered {status}: {}", self.mark, answer.text()),
        }
    }
}

fn drop_in(target: &str, namespace: &str, replicas: u64, mark: &str) -> Value {
    json!({
        "intent_type": "scaling", "target": target, "namespace": namespace, "replicas": replicas,
        "reason": mark, "source": "test",
    })
}

/// What the load and the one who kills share.
#[derive(Default)]
struct World {
    /// Where the operator listens; `None` while it is dead.
    url: Mutex<Option<String>>,
    requests: AtomicU64,
    files: AtomicU64,
    stop: AtomicBool,
    /// The test failed elsewhere: nobody need wait for an answer any more.
    broken: AtomicBool,
    accepted: Mutex<Vec<(Request, String)>>,
    /// Without a key and without an answer: stored at most once, perhaps not at all.
    unsure: Mutex<BTreeSet<String>>,
    dropped: Mutex<BTreeSet<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// Takes one of what may still be sent in this life.
fn take(budget: &AtomicU64) -> bool {
    budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl World {
    fn alive(&self, url: &str) {
        self.requests.store(REQUESTS_A_LIFE, Ordering::SeqCst);
        self.files.store(FILES_A_LIFE, Ordering::SeqCst);
        *lock(&self.url) = Some(url.to_owned());
    }

    fn run_client(&self, name: u64, mut dice: Dice) {
        let mut unanswered: Option<Request> = None;
        let mut client: Option<Client> = None;
        let mut count = 0;
        loop {
            let stop = unanswered.is_none() && self.stop.load(Ordering::SeqCst);
            if stop || self.broken.load(Ordering::SeqCst) {
                return;
            }
            let url = lock(&self.url).clone();
            let Some(url) = url.filter(|_| unanswered.is_some() || take(&self.requests)) else {
                std::thread::park_timeout(Duration::from_millis(2));
                continue;
            };
            let known = client.take().filter(|client| client.url == url);
            let client = client.insert(known.unwrap_or_else(|| Client::to(&url)));
            let request = unanswered.take().unwrap_or_else(|| {
                count += 1;
                Request::draw(&mut dice, format!("client-{name}-{count}"))
            });
            match request.send(client) {
                Ok(Some(id)) => lock(&self.accepted).push((request, id)),
                Ok(None) => {
                    // A key is used until there is an answer; the store may hold the request already.
                    unanswered = request.has_key.then_some(request);
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                Err(_) if request.has_key => unanswered = Some(request),
                Err(_) => {
                    lock(&self.unsure).insert(request.mark);
                }
            }
        }
    }

    /// Renames files into the hot folder, whether the operator is alive or not.
    fn run_folder(&self, hot: &Path, mut dice: Dice) {
        let mut count = 0;
        while !self.stop.load(Ordering::SeqCst) {
            if !take(&self.files) {
                std::thread::park_timeout(Duration::from_millis(2));
                continue;
            }
            count += 1;
            let (target, namespace) = *dice.one(TARGETS);
            let name = format!("intent-{count}.json");
            let body = drop_in(target, namespace, dice.between(LEAST, MOST), &name).to_string();
            let hidden = hot.join(format!(".{name}.part"));
            std::fs::write(&hidden, body).unwrap();
            std::fs::rename(&hidden, hot.join(&name)).unwrap();
            lock(&self.dropped).insert(name);
            std::thread::park_timeout(Duration::from_millis(dice.between(0, 30)));
        }
    }
}

#[test]
fn what_was_answered_202_survives_kills_at_random_moments_and_is_done_once() {
    let kills = std::env::var("NEPHORAN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let seed = std::env::var("NEPHORAN_SEED").map_or_else(
        |_| std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64,
        |seed| seed.parse().unwrap(),
    );
    println!("{kills} kills; to repeat these dice: NEPHORAN_SEED={seed}");
    let mut dice = Dice(seed);
    let options = Options { config: "limits: off\n".into(), ..Options::default() };
    let world = World::default();
    let begun = Instant::now();

    let mut server = Server::with(options.clone());
    let hot = server.path("hot");
    let server = std::thread::scope(|scope| {
        for name in 0..CLIENTS {
            let dice = Dice(dice.next());
            let world = &world;
            scope.spawn(move || world.run_client(name, dice));
        }
        let folder_dice = Dice(dice.next());
        scope.spawn(|| world.run_folder(&hot, folder_dice));
        // However this ends, the load must end with it.
        let _stop = StopAtEnd(&world);
        for _ in 0..kills {
            world.alive(&server.url);
            std::thread::park_timeout(Duration::from_millis(dice.between(5, 300)));
            *lock(&world.url) = None;
            let mut folder = server.kill();
            // Now and then the next life ends while it still takes up what the last one left.
            if dice.between(0, 4) == 0 {
                let started = Server::begin(folder, options.clone()).unwrap_or_else(|ended| {
                    panic!("the operator did not start again ({}): {}", ended.status, ended.said)
                });
                std::thread::park_timeout(Duration::from_millis(dice.between(0, 20)));
                folder = started.kill();
            }
            server = Server::on(folder, options.clone());
        }
        world.alive(&server.url);
        server
    });
    println!(
        "{} accepted by HTTP, {} files; killed {kills} times in {:?}",
        lock(&world.accepted).len(),
        lock(&world.dropped).len(),
        begun.elapsed()
    );
    rest(&server);
    println!("all rest after {:?}", begun.elapsed());

    every_answer_was_true(&server, &world);
    let records = records(&server);
    each_request_is_one_intent(&records, &world);
    each_file_is_one_intent(&server, &records, &world);
    let heads = each_intent_has_its_commit(&server, &records);
    the_repository_says_what_was_applied_last(&server, &records);

    let (status, folder) = server.stop();
    assert!(status.success(), "after all kills the operator stops with {status}");
    git(&folder.path().join("packages.git"), &["fsck", "--strict"]);
    the_trail_holds_every_head(&folder.path().join("data"), heads);
}

struct StopAtEnd<'a>(&'a World);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.broken.store(std::thread::panicking(), Ordering::SeqCst);
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

/// Waits until nothing moves by itself any more, for as long as things get fewer.
fn rest(server: &Server) {
    let client = server.client();
    let mut fewest = usize::MAX;
    let mut deadline = Instant::now() + PATIENCE;
    loop {
        let restless: usize = RESTLESS
            .iter()
            .map(|state| {
                let page = client.get(&format!("/api/v1/intents?state={state}&limit=500")).json();
                page["items"].as_array().unwrap().iter().filter(|item| item["reason"].is_null()).count()
            })
            .sum();
        if restless == 0 {
            return;
        }
        if restless < fewest {
            (fewest, deadline) = (restless, Instant::now() + PATIENCE);
        }
        assert!(Instant::now() < deadline, "{restless} intents do not come to rest: {}", server.log());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

fn every_answer_was_true(server: &Server, world: &World) {
    let client = server.client();
    let accepted = lock(&world.accepted);
    assert!(!accepted.is_empty(), "nothing was accepted: there is nothing to show");
    for (request, id) in accepted.iter() {
        let answer = client.get(&format!("/api/v1/intents/{id}"));
        assert_eq!(answer.status, 200, "{} was accepted as {id} and is not there", request.mark);
        if request.has_key {
            let again = request.send(&client).unwrap();
            assert_eq!(again.as_ref(), Some(id), "the key of {} gives another intent", request.mark);
        }
    }
}

fn records(server: &Server) -> Vec<Value> {
    let client = server.client();
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

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value:#}"))
}

fn each_request_is_one_intent(records: &[Value], world: &World) {
    let mut by_mark: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in records {
        by_mark.entry(text(&record["change"], "reason")).or_default().push(text(record, "id"));
    }
    for (mark, ids) in &by_mark {
        assert_eq!(ids.len(), 1, "{mark} became more than one intent: {ids:?}");
    }
    let accepted = lock(&world.accepted);
    for (request, id) in accepted.iter() {
        assert_eq!(by_mark[request.mark.as_str()], [id.as_str()], "{}", request.mark);
    }
    let known: BTreeSet<&str> = accepted.iter().map(|(request, _)| request.mark.as_str()).collect();
    let (unsure, dropped) = (lock(&world.unsure), lock(&world.dropped));
    for mark in by_mark.keys() {
        let asked = known.contains(mark) || unsure.contains(*mark) || dropped.contains(*mark);
        assert!(asked, "nobody asked for {mark}");
    }
}

fn each_file_is_one_intent(server: &Server, records: &[Value], world: &World) {
    let dropped = lock(&world.dropped);
    let from_folder: BTreeSet<&str> = records
        .iter()
        .filter(|record| record["source"] == "folder")
        .map(|record| text(&record["change"], "reason"))
        .collect();
    let expected: BTreeSet<&str> = dropped.iter().map(String::as_str).collect();
    assert_eq!(from_folder, expected, "files and the intents they became");
    let names = |folder: &str| -> BTreeSet<String> {
        std::fs::read_dir(server.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names("hot/processed"), *dropped, "each file moved once, under its own name");
    assert_eq!(names("hot"), BTreeSet::new(), "no file was left behind");
    for name in dropped.iter() {
        let status = std::fs::read(server.path("hot/status").join(format!("{name}.status"))).unwrap();
        let status: Value = serde_json::from_slice(&status).unwrap();
        assert!(status["status"] != "pending" || status["state"] != "received", "{status}");
    }
}

/// The audit heads that the commits carry.
fn each_intent_has_its_commit(server: &Server, records: &[Value]) -> Vec<AuditHead> {
    let trailer = |name: &str| format!("%(trailers:key={name},valueonly,separator=%x2C)");
    let format = format!(
        "--format=%H %x1f{}%x1f{}%x1f{}",
        trailer("Nephoran-Intent"),
        trailer("Nephoran-Plan"),
        trailer("Nephoran-Audit")
    );
    let log = git(&server.path("packages.git"), &["log", "main", &format]);
    let mut commits: BTreeMap<String, String> = BTreeMap::new();
    let mut plans = BTreeSet::new();
    let mut heads = Vec::new();
    for line in log.lines() {
        let fields: Vec<&str> = line.split('\u{1f}').map(str::trim).collect();
        let [commit, intent, plan, head] = fields[..] else { panic!("{line:?}") };
        if intent.is_empty() {
            continue;
        }
        let before = commits.insert(intent.to_owned(), commit.to_owned());
        assert_eq!(before, None, "{intent} has a second commit {commit}");
        assert!(plans.insert(plan.to_owned()), "the plan {plan} was carried out twice");
        heads.push(head.parse().unwrap_or_else(|()| panic!("{commit} has the audit trailer {head:?}")));
    }
    let mut done = 0;
    for record in records {
        let id = text(record, "id");
        let said =
            record["outcomes"].as_array().unwrap().iter().find_map(|outcome| outcome["commit"].as_str());
        assert_eq!(
            said,
            commits.get(id).map(String::as_str),
            "the record of {id} and the repository tell different stories: {record:#}"
        );
        done += usize::from(said.is_some());
    }
    assert_eq!(done, commits.len(), "a commit belongs to no intent");
    assert!(done > 0, "nothing was committed: there is nothing to show");
    println!("{} intents, {done} commits", records.len());
    heads
}

/// What is `applied` and not overtaken is in the repository.
fn the_repository_says_what_was_applied_last(server: &Server, records: &[Value]) {
    for record in records.iter().filter(|record| record["state"] == "applied") {
        for step in record["plan"]["steps"].as_array().unwrap() {
            let file = server.packaged(text(step, "file"));
            let wanted = format!("replicas: {}", step["after"]);
            let said =
                file.lines().find(|line| line.trim_start().starts_with("replicas:")).unwrap_or_default();
            assert!(
                said.trim_start()
                    .strip_prefix(&wanted)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
                "{} is applied with {wanted}, the repository says {said:?}",
                text(record, "id")
            );
        }
    }
}

fn the_trail_holds_every_head(data: &Path, heads: Vec<AuditHead>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(data).unwrap();
        let verification = store.verify_audit(heads).await.unwrap();
        assert!(verification.is_sound(), "{verification:?}");
        assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
        store.close().await;
    });
}
