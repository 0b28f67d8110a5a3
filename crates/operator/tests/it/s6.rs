//! S6, stability of files: how long from the drop to acceptance, slow writers, many at once.
//! What the folder does with odd files is in `folder.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Options, PATIENCE, Server};

/// Accepted, not carried out: only the way in counts here.
const PAUSED: &str = "workers: {paused: true}\nqueue: {total: 100000}\ntelemetry: {log: warn}\n";

fn body(replicas: usize) -> String {
    json!({"intent_type": "scaling", "target": "upf", "namespace": "ran-a", "replicas": 1 + replicas % 9})
        .to_string()
}

fn start(mode: &str) -> Server {
    Server::with(Options { config: format!("{PAUSED}hot_folder: {{mode: {mode}}}\n"), ..Default::default() })
}

fn renamed_in(server: &Server, name: &str, content: &str) {
    let aside = server.path(name);
    fs::write(&aside, content).unwrap();
    fs::rename(aside, server.path("hot").join(name)).unwrap();
}

fn written(server: &Server, name: &str, content: &str) {
    fs::write(server.path("hot").join(name), content).unwrap();
}

/// p50 and p99 from the drop until the file has moved, which is after its record is durable.
fn drops(server: &Server, count: usize, drop: fn(&Server, &str, &str)) -> (Duration, Duration) {
    let mut took: Vec<Duration> = (0..count)
        .map(|n| {
            let name = format!("intent-{n:04}.json");
            let moved = server.path("hot/processed").join(&name);
            let begun = Instant::now();
            drop(server, &name, &body(n));
            while !moved.exists() {
                assert!(begun.elapsed() < PATIENCE, "{name} was not taken");
                std::thread::park_timeout(Duration::from_micros(100));
            }
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    (took[count / 2], took[(count - 1) * 99 / 100])
}

#[test]
fn s6_from_the_drop_to_acceptance_a_file_waits_for_events_and_no_fixed_time() {
    let with_events = start("events");
    let close_write = drops(&with_events, 100, written);
    let with_events = start("events");
    let rename_in = drops(&with_events, 100, renamed_in);
    let polling = drops(&start("poll"), 12, renamed_in);
    println!("S6: drop to accepted, p50 / p99, a debug build beside other tests:");
    for (way, (p50, p99)) in [("close-write", close_write), ("rename-in", rename_in), ("polling", polling)] {
        println!("S6:   {way}: {:.1} ms / {:.1} ms", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3);
    }
    // Nothing but the look of the poll makes a file wait: with events it is there before that.
    assert!(
        close_write.0 < polling.0 && rename_in.0 < polling.0,
        "{close_write:?} {rename_in:?} {polling:?}"
    );
}

#[test]
fn s6_a_writer_that_pauses_two_seconds_in_mid_file_is_not_read_early() {
    let server = start("events");
    let words = "scale upf to 5 in ns ran-a";
    let whole = body(4);
    // Every beginning of the words is a request of its own, or asks: read early, it would be another.
    let mut files: Vec<(String, &str, fs::File, usize)> =
        [("intent-a.txt", words, 14), ("intent-b.json", &*whole, 30), ("intent-c.txt", words, 1)]
            .map(|(name, content, cut)| {
                let mut file = fs::File::create(server.path("hot").join(name)).unwrap();
                file.write_all(&content.as_bytes()[..cut]).unwrap();
                file.sync_all().unwrap();
                (name.to_owned(), content, file, cut)
            })
            .into();
    let paused = Instant::now();
    let mut others = 0;
    while paused.elapsed() < Duration::from_secs(2) {
        // Others come and go meanwhile: events of theirs let nobody look at these.
        renamed_in(&server, &format!("intent-x{others}.json"), &body(others));
        let moved = server.path("hot/processed").join(format!("intent-x{others}.json"));
        server.until("another is taken", || moved.exists().then_some(()));
        others += 1;
        for (name, ..) in &files {
            assert!(server.path("hot").join(name).exists(), "{name} was taken while it was written");
            assert!(!server.path("hot/status").join(format!("{name}.status")).exists(), "{name}");
        }
    }
    for (_, content, file, cut) in &mut files {
        file.write_all(&content.as_bytes()[*cut..]).unwrap();
    }
    let names: Vec<String> = files.into_iter().map(|(name, ..)| name).collect();
    for name in &names {
        server.until("it is taken", || server.path("hot/processed").join(name).exists().then_some(()));
    }
    let records = records(&server);
    assert_eq!(records.len(), others + names.len());
    for name in &names {
        let request = &server.intent(&records[name][0])["request"];
        let wanted = if name.ends_with(".txt") { json!(words) } else { Value::Null };
        assert_eq!(request["text"], wanted, "{name}: {request}");
    }
    assert_eq!(fs::read_dir(server.path("hot/failed")).unwrap().count(), 0);
    println!(
        "S6: 3 writers paused 2 s in mid-file, {others} other files came meanwhile: none was read early"
    );
}

/// The ids of all intents by the file they came from.
fn records(server: &Server) -> BTreeMap<String, Vec<String>> {
    let client = server.client();
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/v1/intents?limit=500{cursor}")).json();
        for item in page["items"].as_array().unwrap() {
            let (file, id) = (item["file"].as_str().unwrap(), item["id"].as_str().unwrap());
            found.entry(file.to_owned()).or_default().push(id.to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn s6_ten_thousand_files_at_once_are_all_taken_and_none_twice() {
    const FILES: usize = 10_000;
    let server = Server::with(Options { config: format!("{PAUSED}limits: off\n"), ..Default::default() });
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for n in (part..FILES).step_by(4) {
                    let drop = if n % 2 == 0 { written } else { renamed_in };
                    drop(server, &format!("intent-{n:05}.json"), &body(n));
                }
            });
        }
    });
    let dropped = begun.elapsed();
    let processed = server.path("hot/processed");
    let deadline = Instant::now() + 4 * PATIENCE;
    while fs::read_dir(&processed).unwrap().count() < FILES {
        assert!(Instant::now() < deadline, "{} of {FILES} were taken", names(&processed).len());
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let taken = begun.elapsed();
    let wanted: BTreeSet<String> = (0..FILES).map(|n| format!("intent-{n:05}.json")).collect();
    assert_eq!(names(&processed), wanted);
    let records = records(&server);
    assert!(records.keys().eq(wanted.iter()), "each file has its intent");
    assert!(records.values().all(|ids| ids.len() == 1), "no file has two");
    assert_eq!(names(&server.path("hot/failed")).len(), 0);
    println!(
        "S6: {FILES} files at once, dropped in {:.1} s, all accepted and moved after {:.1} s: 0 missed, 0 twice",
        dropped.as_secs_f64(),
        taken.as_secs_f64()
    );
}
