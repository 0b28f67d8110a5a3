//! Disks that fail, fill or are read-only, databases that are broken, folders and ports that are taken.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::harness::{Client, Ended, Options, Server, git, samples, within_patience};

const PAUSED: &str = "limits: off\nworkers: {paused: true}\n";

fn options(config: &str) -> Options {
    Options { config: config.into(), ..Options::default() }
}

/// A folder as [`Server::with`] makes it, for what must be done to it before the operator starts.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    samples(&folder.path().join("packages.git"));
    std::fs::create_dir(folder.path().join("hot")).unwrap();
    folder
}

fn submit(client: &Client, number: u64) -> (u16, Option<String>) {
    let words = format!("scale upf to {} in ns ran-a", 2 + number % 8);
    let answer = client.post("/api/v1/intents", "text/plain", &words);
    if answer.status == 503 {
        let wait: u64 = answer.header("retry-after").expect("a 503 says when to retry").parse().unwrap();
        assert!((1..=60).contains(&wait), "retry-after {wait}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let said = answer.text();
        assert!(!said.contains("/tmp") && !said.contains("nephoran.db"), "names a path of the host: {said}");
    }
    (answer.status, answer.json()["id"].as_str().map(str::to_owned))
}

fn ready(client: &Client) -> Result<(), String> {
    let answer = client.get("/readyz");
    match answer.status {
        200 => Ok(()),
        503 => Err(answer.json()["detail"].as_str().unwrap().to_owned()),
        status => panic!("/readyz answers {status}"),
    }
}

fn all_there(server: &Server, accepted: &[String]) {
    let client = server.client();
    for id in accepted {
        assert_eq!(client.get(&format!("/api/v1/intents/{id}")).status, 200, "{id} was accepted and is gone");
    }
}

fn all_rest(server: &Server, accepted: &[String]) {
    let client = server.client();
    for id in accepted {
        server.until(&format!("{id} rests"), || {
            let state = client.get(&format!("/api/v1/intents/{id}")).json()["state"].clone();
            ["applied", "superseded"].iter().any(|rest| state == *rest).then_some(())
        });
    }
}

// ---- Syncs that fail --------------------------------------------------------------------------

/// Why syncs cannot be made to fail here; says so aloud.
fn cannot_inject() -> bool {
    let probe = Command::new("strace")
        .args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match probe {
        Ok(status) if status.success() => false,
        Ok(_) => {
            eprintln!("SKIPPED: failing syncs need strace with the right to trace (ptrace)");
            true
        }
        Err(_) => {
            eprintln!("SKIPPED: failing syncs need strace; to install it: apt-get install strace");
            true
        }
    }
}

/// The operator under strace, whose syncs fail where `when` says; `only` bounds that to one file.
fn failing(folder: &Path, when: &str, only: Option<&Path>, config: &str) -> Options {
    let mut wrapper: Vec<String> =
        ["strace", "-D", "-f", "-qq", "-y", "-s", "24", "-o"].map(Into::into).into();
    wrapper.push(folder.join("strace").to_str().unwrap().to_owned());
    wrapper.extend(["-e".into(), "trace=fsync,fdatasync,openat,writev,write,sendto".into()]);
    wrapper.extend(["-e".into(), format!("inject=fsync,fdatasync:error=EIO:when={when}")]);
    if let Some(only) = only {
        wrapper.extend(["-P".into(), only.to_str().unwrap().to_owned()]);
    }
    Options { wrapper, ..options(config) }
}

fn strace(server: &Server) -> String {
    std::fs::read_to_string(server.path("strace")).unwrap_or_default()
}

/// In the order in which the kernel saw it: after a failed sync of the store no 202 goes out until the
/// thread that writes opened the database again. Returns how often the fault fired.
fn no_acceptance_between_fault_and_reopening(log: &str) -> usize {
    // Calls that others interrupted end on a line of their own, which names no file.
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let (mut fired, mut broken) = (0, None);
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let whole = if call.starts_with("<...") { begun.get(thread).copied().unwrap_or(call) } else { call };
        if call.ends_with("<unfinished ...>") {
            begun.insert(thread, call);
        }
        let is_sync = whole.starts_with("fsync(") || whole.starts_with("fdatasync(");
        let is_open = whole.starts_with("openat(") && whole.contains("/nephoran.db\"");
        if is_sync && whole.contains("/nephoran.db") && call.contains("(INJECTED)") {
            fired += 1;
            broken = Some(thread);
        } else if is_open && whole.contains("O_RDWR") && broken == Some(thread) {
            broken = None;
        } else if call.contains("\"HTTP/1.1 202") {
            assert!(broken.is_none(), "a 202 went out on a store whose sync had failed: {line}\n{log}");
        }
    }
    fired
}

/// Keeps the workers still, so that the only writes are acceptances, one at a time.
fn a_failed_sync_of_the_store(when: &str) {
    let (_, folder) = Server::with(options(PAUSED)).stop();
    let path = folder.path().to_owned();
    let server = Server::on(folder, failing(&path, when, None, PAUSED));
    let client = server.client();
    let mut accepted = Vec::new();
    let (mut refused, mut unready) = (0, None);
    for number in 0.. {
        let (status, id) = submit(&client, number);
        match status {
            202 => accepted.extend(id),
            503 => {
                refused += 1;
                unready = unready.or(ready(&client).err());
                // The store tries again by itself; nobody need push it.
                server.until("the store writes again", || ready(&client).ok());
            }
            status => panic!("answered {status}"),
        }
        if refused > 0 && status == 202 {
            break;
        }
        assert!(number < 60, "the fault at {when} did not show in 60 requests");
    }
    let fired = no_acceptance_between_fault_and_reopening(&strace(&server));
    assert!(fired > 0, "no fault was injected: {}", strace(&server));
    let reason = unready.expect("while the store could not sync, /readyz said so");
    assert!(reason.contains("store"), "{reason}");
    // Not a clean stop: what was promised must be on disk as it is.
    let folder = server.kill();
    let server = Server::on(folder, options("limits: off\n"));
    all_there(&server, &accepted);
    all_rest(&server, &accepted);
}

#[test]
fn no_202_after_a_failed_sync_until_the_store_was_reopened() {
    if cannot_inject() {
        return;
    }
    // Counted for each thread: three syncs of the one that writes belong to the start.
    // Several in a row: the first tries to reopen fail too.
    for when in ["4..7", "5..8", "10..14"] {
        a_failed_sync_of_the_store(when);
    }
}

#[test]
fn a_start_whose_first_sync_fails_is_refused_with_the_reason_and_harms_nothing() {
    if cannot_inject() {
        return;
    }
    let server = Server::with(options(PAUSED));
    let id = server.submit("scale upf to 5 in ns ran-a");
    let (_, folder) = server.stop();
    let path = folder.path().to_owned();
    let ended = Server::refused(folder, failing(&path, "1..50", None, PAUSED));
    says_what_to_do(&ended, &[]);
    let server = Server::on(ended.folder, options("limits: off\n"));
    server.intent_in(&id, "applied");
}

/// A `git` whose first writers meet one failing sync each: the first its first one, the second its second.
fn failing_git(folder: &Path) -> Options {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::var("PATH").unwrap();
    let git =
        std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap();
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nfor word; do [ \"$word\" = fast-import ] && writes=1; done\nfor n in 1 2 3; do\n  \
         [ -n \"$writes\" ] && [ ! -e '{here}/sync.'$n ] && exec strace -D -f -qq -y -o '{here}/sync.'$n \
         -e trace=fsync,fdatasync -e inject=fsync,fdatasync:error=EIO:when=$n '{git}' \"$@\"\ndone\nexec '{git}' \"$@\"\n",
        here = folder.display(),
        git = git.display(),
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let env = vec![("PATH".to_owned(), format!("{}:{path}", bin.display()))];
    Options { env, ..options("limits: off\n") }
}

#[test]
fn commits_whose_syncs_fail_are_made_later_and_once() {
    if cannot_inject() {
        return;
    }
    let folder = folder();
    let options = failing_git(folder.path());
    let server = Server::on(folder, options);
    let client = server.client();
    let accepted: Vec<String> = (0..12).filter_map(|number| submit(&client, number).1).collect();
    assert_eq!(accepted.len(), 12, "the store has no part in it");
    all_rest(&server, &accepted);
    for n in 1..=3 {
        let log = std::fs::read_to_string(server.path(&format!("sync.{n}"))).unwrap_or_default();
        assert!(log.contains("(INJECTED)"), "writer {n} met no failing sync: {log}");
    }
    let log =
        git(&server.path("packages.git"), &["log", "--format=%(trailers:key=Nephoran-Intent,valueonly)"]);
    let mut ids: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
    let commits = ids.len();
    assert!(commits > 0);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), commits, "an intent has two commits");
    git(&server.path("packages.git"), &["fsck", "--strict"]);
}

// ---- Disks that are full or read-only -----------------------------------------------------------

/// A file system of its own, so that it can be full or read-only without harm to others.
struct Mount(PathBuf);

impl Mount {
    /// `None`, said aloud, where nobody may mount.
    fn new(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder.to_owned()));
        }
        eprintln!("SKIPPED: a file system of its own needs the right to mount");
        None
    }

    fn read_only(&self) {
        let status = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }

    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        let block = [0; 4096];
        while file.write_all(&block).is_ok() {}
        ballast
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_says_so_and_recovers_by_itself() {
    let folder = folder();
    let Some(mount) = Mount::new(&folder.path().join("data"), "12m") else { return };
    let server = Server::on(folder, options(PAUSED));
    // Taken away before the server's folder is.
    let mount = mount;
    let client = server.client();
    let mut accepted: Vec<String> = (0..20).filter_map(|number| submit(&client, number).1).collect();
    assert_eq!(accepted.len(), 20);

    let ballast = mount.fill();
    let mut last = (202, None);
    for number in 0..200 {
        last = submit(&client, number);
        match last.0 {
            202 => accepted.extend(last.1.take()),
            _ => break,
        }
    }
    assert_eq!(last.0, 503, "a full disk refuses");
    let reason = server.until("it says that it is not ready", || ready(&client).err());
    assert!(reason.contains("full"), "{reason}");
    assert_eq!(client.get("/healthz").status, 200, "it lives all the same");
    all_there(&server, &accepted);
    // It does not say that it is ready and then refuses.
    for number in 0..20 {
        assert_eq!(submit(&client, number).0, 503);
        assert!(ready(&client).is_err());
    }

    std::fs::remove_file(ballast).unwrap();
    server.until("it is ready again without a restart", || ready(&client).ok());
    let (status, id) = submit(&client, 1);
    assert_eq!(status, 202);
    accepted.extend(id);
    all_there(&server, &accepted);
    assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
    all_rest(&server, &accepted);
}

#[test]
fn packages_on_a_full_disk_delay_the_commit_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mount) = Mount::new(&folder.path().join("packages.git"), "6m") else { return };
    let made = tempfile::tempdir().unwrap();
    samples(&made.path().join("packages.git"));
    crate::harness::copy(&made.path().join("packages.git"), &mount.0);
    let server = Server::on(folder, options(PAUSED));
    let mount = mount;
    let client = server.client();
    let ballast = mount.fill();
    assert_eq!(server.post_json("/api/v1/admin/resume", &json!({})).status, 200);
    let id = server.submit("scale upf to 5 in ns ran-a");
    // It tries, more than once, and gives nothing up.
    server.until("the operator met the full disk", || {
        let log = server.log();
        (log.contains("\"WARN\"") || log.contains("\"ERROR\"")).then_some(())
    });
    let state = server.intent(&id)["state"].clone();
    assert!(state != "applied" && state != "failed", "{state}");
    std::fs::remove_file(ballast).unwrap();
    server.intent_in(&id, "applied");
    assert!(ready(&client).is_ok());
    git(&server.path("packages.git"), &["fsck", "--strict"]);
}

/// Files that may not grow are refused as a broken disk is: by an error that is not `disk full`.
#[test]
fn files_that_cannot_grow_refuse_and_recover_by_themselves() {
    let (_, folder) = Server::with(options(PAUSED)).stop();
    // Without the signal that would end the process.
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""].map(Into::into).into();
    let server = Server::on(folder, Options { wrapper, ..options(PAUSED) });
    let client = server.client();
    let (status, id) = submit(&client, 0);
    assert_eq!(status, 202);
    let mut accepted: Vec<String> = id.into_iter().collect();

    let pid = Pid::from_raw(server.pid() as i32);
    let before = prlimit(pid, Resource::Fsize, Rlimit { current: Some(4096), maximum: None }).unwrap();
    let (status, _) = submit(&client, 1);
    assert_eq!(status, 503);
    let reason = server.until("it says that it is not ready", || ready(&client).err());
    assert!(reason.contains("store"), "{reason}");
    all_there(&server, &accepted);

    prlimit(pid, Resource::Fsize, before).unwrap();
    server.until("it is ready again without a restart", || ready(&client).ok());
    let (status, id) = submit(&client, 2);
    assert_eq!(status, 202);
    accepted.extend(id);
    let folder = server.kill();
    let server = Server::on(folder, options("limits: off\n"));
    all_there(&server, &accepted);
    all_rest(&server, &accepted);
}

// ---- Starts that must be refused ----------------------------------------------------------------

/// Exit 1, with what failed, why, and what to do; each of `names` is named.
fn says_what_to_do(ended: &Ended, names: &[&str]) {
    let said = &ended.said;
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert_eq!(ended.stdout, "", "it listened");
    for word in ["error", "cause", "try"] {
        let line = ended.line(word).unwrap_or_else(|| panic!("there is no `{word}:` line in: {said}"));
        assert!(!line.is_empty(), "`{word}:` says nothing in: {said}");
    }
    for name in names {
        assert!(said.contains(name), "{name} is not named in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"nephoran.db"))
        })
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_read_only_data_folder_is_named() {
    let (_, folder) = Server::start().stop();
    let data = folder.path().join("data");
    let ended;
    let _writable;
    if rustix::process::geteuid().is_root() {
        // Root may write whatever the mode says.
        let aside = tempfile::tempdir().unwrap();
        crate::harness::copy(&data, aside.path());
        let Some(mount) = Mount::new(&data, "12m") else { return };
        crate::harness::copy(aside.path(), &data);
        mount.read_only();
        ended = Server::refused(folder, Options::default());
        _writable = Some(mount);
    } else {
        use std::os::unix::fs::PermissionsExt;
        for name in std::fs::read_dir(&data).unwrap() {
            std::fs::set_permissions(name.unwrap().path(), std::fs::Permissions::from_mode(0o400)).unwrap();
        }
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o500)).unwrap();
        ended = Server::refused(folder, Options::default());
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
        _writable = None;
    }
    says_what_to_do(&ended, &[ended.folder.path().join("data").to_str().unwrap()]);
}

#[test]
fn a_broken_database_is_named_and_never_overwritten() {
    let server = Server::start();
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
    let (_, folder) = server.stop();
    let database = folder.path().join("data/nephoran.db");
    let whole = std::fs::read(&database).unwrap();
    let mut folder = folder;
    let page = 4096.min(whole.len());
    let cut = whole[..whole.len() / 2].to_vec();
    let mut other_head = whole.clone();
    other_head[..16].copy_from_slice(b"not a database!!");
    let mut zeros = whole.clone();
    zeros.fill(0);
    let mut other_pages = whole.clone();
    other_pages[100..page].fill(0xff);
    let cases: [(&str, Vec<u8>); 6] = [
        ("text", b"these are the notes of somebody\n".to_vec()),
        ("a short file", b"SQLite format 3\0".to_vec()),
        ("a cut file", cut),
        ("another head", other_head),
        ("zeros", zeros),
        ("a schema that is none", other_pages),
    ];
    for (what, content) in cases {
        std::fs::write(&database, &content).unwrap();
        let before = bytes(&folder.path().join("data"));
        let ended = Server::refused(folder, Options::default());
        says_what_to_do(&ended, &[database.to_str().unwrap()]);
        assert_eq!(bytes(&ended.folder.path().join("data")), before, "{what} was changed");
        folder = ended.folder;
    }
    // And it was only that file: put back, all is there.
    std::fs::write(&database, &whole).unwrap();
    let server = Server::on(folder, Options::default());
    assert_eq!(server.get("/api/v1/intents").json()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let database = data.join("nephoran.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine');").unwrap();
    drop(other);
    let before = bytes(&data);
    let ended = Server::refused(folder, Options::default());
    says_what_to_do(&ended, &[database.to_str().unwrap()]);
    assert_eq!(bytes(&data), before);
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let (_, folder) = Server::start().stop();
    let data = folder.path().join("data");
    let database = data.join("nephoran.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 4711).unwrap();
    drop(connection);
    let before = bytes(&data);
    let ended = Server::refused(folder, Options::default());
    says_what_to_do(&ended, &[database.to_str().unwrap(), "4711", "newer"]);
    assert_eq!(bytes(&data), before);
}

#[test]
fn a_journal_without_its_database_is_not_taken_for_an_empty_folder() {
    let server = Server::start();
    server.submit("scale upf to 5 in ns ran-a");
    let folder = server.kill();
    let data = folder.path().join("data");
    std::fs::remove_file(data.join("nephoran.db")).unwrap();
    let before = bytes(&data);
    assert!(!before.is_empty(), "the killed operator left no journal");
    let ended = Server::refused(folder, Options::default());
    says_what_to_do(&ended, &["nephoran.db"]);
    assert_eq!(bytes(&data), before);
}

#[test]
fn a_second_operator_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let server = Server::start();
    let second = Command::new(crate::harness::binary())
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(server.path("data"))
        .arg("--packages")
        .arg(server.path("packages.git"))
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert_eq!(second.stdout, b"");
    for word in ["error", "cause", "try"] {
        assert!(crate::harness::line(&said, word).is_some(), "{said}");
    }
    assert!(said.contains(server.path("data").to_str().unwrap()), "{said}");
    assert!(said.contains(&server.pid().to_string()), "the process that holds it is not named: {said}");
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let ended = Server::refused(folder(), Options { listen: listen.clone(), ..Options::default() });
    says_what_to_do(&ended, &[&listen, "--listen"]);
}

#[test]
fn a_killed_operator_gives_its_folder_up_at_once() {
    let server = Server::start();
    let folder = server.kill();
    let server = Server::on(folder, Options::default());
    server.submit_until("scale upf to 5 in ns ran-a", "applied");
}

#[test]
fn pages_that_rot_are_never_served_as_if_they_were_sound() {
    let server = Server::with(options(PAUSED));
    let client = server.client();
    let accepted: Vec<String> = (0..50).filter_map(|number| submit(&client, number).1).collect();
    assert_eq!(accepted.len(), 50);
    let (_, folder) = server.stop();
    let database = folder.path().join("data/nephoran.db");
    let mut content = std::fs::read(&database).unwrap();
    let page = usize::from(u16::from_be_bytes([content[16], content[17]]));
    assert!(content.len() > 4 * page);
    // All but the schema's page.
    for byte in &mut content[page..] {
        *byte ^= 0x5a;
    }
    std::fs::write(&database, &content).unwrap();
    match Server::begin(folder, options(PAUSED)) {
        Err(ended) => says_what_to_do(&ended, &[database.to_str().unwrap()]),
        Ok(server) => {
            let client = server.client();
            within_patience("it says that it is not ready", || ready(&client).err());
            let answer: Value = client.get(&format!("/api/v1/intents/{}", accepted[0])).json();
            assert!(answer["state"].is_null(), "{answer}");
        }
    }
}
