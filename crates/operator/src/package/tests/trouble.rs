//! The repository is locked, moved, rewritten, tidied up or not there at all.

use super::*;

/// Children of this process that run `git <word>` on a repository.
fn children(world: &World, word: &str) -> Vec<i32> {
    let me = std::process::id();
    let place = world.bare().display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
        if status.contains(&format!("PPid:\t{me}\n"))
            && words.contains(&word.as_bytes())
            && words.contains(&place.as_bytes())
        {
            found.push(pid);
        }
    }
    found
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn git_processes_that_die_are_started_again() {
    let world = one_package().await;
    let repository = world.open().await;
    for (number, to) in [(1, 4), (2, 5), (3, 6)] {
        let change = change(&repository, number, "upf", to).await;
        for word in ["fast-import", "cat-file"] {
            for pid in children(&world, word) {
                kill(pid);
            }
        }
        repository.commit(change).await.unwrap();
        assert_eq!(children(&world, "fast-import").len(), 1);
    }
    assert_eq!(world.commits(), 5);
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 6);
    world.is_sound();
    let names: Vec<String> = std::fs::read_dir(world.bare())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("fast_import_crash"))
        .collect();
    assert_eq!(names, Vec::<String>::new());
}

#[tokio::test]
async fn no_git_process_outlives_its_repository() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 4).await;
    repository.commit(change).await.unwrap();
    assert_eq!((children(&world, "fast-import").len(), children(&world, "cat-file").len()), (1, 1));
    repository.close().await;
    assert_eq!(children(&world, "fast-import").len(), 0);
    drop(repository);
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !children(&world, "cat-file").is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_held_lock_refuses_with_its_name_until_it_is_gone() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 4).await;
    let lock = world.bare().join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let error = repository.commit(change.clone()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Locked { reference } if reference.ends_with("refs/heads/main")),
        "{error:?}"
    );
    assert!(error.retry());
    assert!(error.remedy().contains("main.lock"), "{}", error.remedy());
    assert_eq!(world.commits(), 2);
    std::fs::remove_file(&lock).unwrap();
    repository.commit(change).await.unwrap();
    assert_eq!(world.commits(), 3);
    world.is_sound();
}

#[tokio::test]
async fn a_repository_that_moved_away_is_missing_until_it_comes_back() {
    let world = one_package().await;
    let repository = world.open().await;
    let first = change(&repository, 1, "upf", 4).await;
    let second = Change { plan: plan_hash(2), ..first.clone() };
    repository.commit(first).await.unwrap();
    let second_fresh = change(&repository, 2, "upf", 5).await;
    let away = world.folder.path().join("away");
    std::fs::rename(world.bare(), &away).unwrap();
    let error = repository.commit(second_fresh.clone()).await.unwrap_err();
    assert_eq!(error, Error::Missing { path: world.bare().display().to_string() });
    assert_eq!(repository.status().error, Some(error));
    // What was read is still known.
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 4);
    std::fs::rename(&away, world.bare()).unwrap();
    repository.refresh().await.unwrap();
    assert_eq!(repository.status().error, None);
    repository.commit(second_fresh).await.unwrap();
    assert!(repository.commit(second).await.unwrap().already);
    world.is_sound();
}

#[tokio::test]
async fn another_repository_in_its_place_is_read_anew() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 4).await;
    repository.commit(change.clone()).await.unwrap();
    std::fs::rename(world.bare(), world.folder.path().join("away")).unwrap();
    crate::package::init_bare(&world.bare(), "main").await.unwrap();
    let files = vec![
        ("n/other/Kptfile".to_owned(), KPTFILE.as_bytes().to_vec()),
        ("n/other/x.yaml".to_owned(), deployment("n", "other", "1").into_bytes()),
    ];
    crate::package::import_files(&world.bare(), "main", files).await.unwrap();
    repository.refresh().await.unwrap();
    assert_eq!(repository.inventory().workloads().len(), 1);
    let other = super::change(&repository, 2, "other", 3).await;
    repository.commit(other).await.unwrap();
    assert_eq!(world.show("n/other/x.yaml"), deployment("n", "other", "3"));
    world.is_sound();
}

#[tokio::test]
async fn a_rewritten_history_is_followed_also_when_the_old_one_is_gone() {
    let world = one_package().await;
    let repository = world.open().await;
    let people = world.people();
    let change = change(&repository, 1, "upf", 4).await;
    let committed = repository.commit(change.clone()).await.unwrap();
    let mut moves = repository.moves();
    // Our commit is thrown away, and everything that only it held with it.
    people.write("ran-a/upf/new.yaml", &deployment("ran-a", "new", "1"));
    people.git(&["add", "-A"]);
    people.git(&["commit", "-q", "-m", "rewritten"]);
    people.git(&["push", "-q", "--force"]);
    repository.refresh().await.unwrap();
    let moved = moves.recv().await.unwrap();
    assert!(moved.rewritten);
    assert_eq!(moved.old, committed.commit);
    assert_eq!(moved.files, ["ran-a/upf/Kptfile", "ran-a/upf/deployment.yaml", "ran-a/upf/new.yaml"]);
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 3);
    assert_eq!(named(&repository, "new").replicas.unwrap().value, 1);
    // The plan's commit is gone, so the plan is not done: it gets another.
    let again = repository.commit(change).await.unwrap();
    assert!(!again.already);
    assert_ne!(again.commit, committed.commit);

    people.git(&["reset", "-q", "--hard", "HEAD~1"]);
    people.write("ran-a/upf/newer.yaml", &deployment("ran-a", "newer", "2"));
    people.git(&["add", "-A"]);
    people.git(&["commit", "-q", "-m", "again"]);
    people.git(&["push", "-q", "--force"]);
    repository.close().await;
    let repository = world.open().await;
    people.git(&["reset", "-q", "--hard", "HEAD~1"]);
    people.git(&["push", "-q", "--force"]);
    world.git(&["gc", "-q", "--prune=now"]);
    repository.refresh().await.unwrap();
    assert_eq!(repository.inventory().named("newer").count(), 0);
    let change = super::change(&repository, 9, "upf", 8).await;
    repository.commit(change).await.unwrap();
    world.is_sound();
}

#[tokio::test]
async fn a_thorough_gc_under_a_live_writer_does_no_harm() {
    let world = one_package().await;
    let repository = world.open().await;
    for number in 1..5 {
        let change = change(&repository, number, "upf", 3 + number as u32).await;
        repository.commit(change).await.unwrap();
        world.git(&["gc", "-q", "--prune=now"]);
        world.git(&["pack-refs", "--all"]);
    }
    assert_eq!(world.commits(), 6);
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 7);
    world.is_sound();
}

#[tokio::test]
async fn nothing_that_the_repository_configures_is_run() {
    let world = one_package().await;
    let proof = world.folder.path().join("it-ran");
    let script = world.folder.path().join("script");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\n", proof.display())).unwrap();
    let hooks = world.bare().join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in
        ["reference-transaction", "post-update", "post-receive", "update", "pre-auto-gc", "post-commit"]
    {
        std::fs::copy(&script, hooks.join(hook)).unwrap();
    }
    let script = script.display().to_string();
    for path in
        std::fs::read_dir(&hooks).unwrap().map(|entry| entry.unwrap().path()).chain([PathBuf::from(&script)])
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    // Configuration that names programs.
    let config = format!(
        "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {script}\n[core]\n\tfsmonitor = {script}\n\tpager = {script}\n\tsshCommand = {script}\n\talternateRefsCommand = {script}\n[diff]\n\texternal = {script}\n[filter \"x\"]\n\tclean = {script}\n\tsmudge = {script}\n[alias]\n\tlog = \"!{script}\"\n[pack]\n\tpackObjectsHook = {script}\n"
    );
    let mut file = std::fs::OpenOptions::new().append(true).open(world.bare().join("config")).unwrap();
    std::io::Write::write_all(&mut file, config.as_bytes()).unwrap();
    let attributes = world.bare().join("info");
    std::fs::create_dir_all(&attributes).unwrap();
    std::fs::write(attributes.join("attributes"), "* filter=x diff=x\n").unwrap();

    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 4).await;
    repository.commit(change).await.unwrap();
    repository.find_plans(None, &[plan_hash(1)]).await.unwrap();
    repository.close().await;
    assert!(!proof.exists());
}

#[tokio::test]
async fn what_is_no_repository_says_what_to_do() {
    let world = one_package().await;
    let at = |path: PathBuf| RepositoryConfig { path, ..world.config() };
    let plain = world.folder.path().join("plain");
    std::fs::create_dir(&plain).unwrap();
    git(world.folder.path(), &["init", "-q", "--bare", "empty.git"]);
    world.people();
    for (config, category) in [
        (at(world.folder.path().join("nowhere")), "missing"),
        (at(plain), "not_a_repository"),
        (at(world.folder.path().join("empty.git")), "no_branch"),
        (RepositoryConfig { branch: "other".into(), ..world.config() }, "no_branch"),
        (at(world.folder.path().join("people")), "checked_out"),
        (RepositoryConfig { directory: "../x".into(), ..world.config() }, "bad_directory"),
    ] {
        let error = Repository::open(config).await.err().unwrap();
        assert_eq!(error.category(), category, "{error}");
        assert!(!error.remedy().is_empty());
    }
    // A work tree on another branch does not notice.
    let people = world.folder.path().join("people");
    git(&people, &["checkout", "-q", "-b", "elsewhere"]);
    let repository = Repository::open(at(people)).await.unwrap();
    let change = change(&repository, 1, "upf", 4).await;
    repository.commit(change).await.unwrap();
}

/// A small disk of its own, as far as this machine lets us have one.
struct Disk {
    place: PathBuf,
    _folder: TempDir,
}

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("disk");
        std::fs::create_dir(&place).unwrap();
        let disk = Self { place, _folder: folder };
        if disk.mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"]) {
            return Some(disk);
        }
        eprintln!("SKIPPED: no file system can be mounted here; a full and a read-only disk are not shown");
        None
    }

    fn mount(&self, args: &[&str]) -> bool {
        Command::new("mount").args(args).arg(&self.place).output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).output();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_until_there_is_space() {
    let Some(disk) = Disk::new() else { return };
    let files = [("n/w/Kptfile", KPTFILE), ("n/w/x.yaml", &deployment("n", "w", "3"))];
    let world = World::new_in(tempfile::tempdir_in(&disk.place).unwrap(), &files).await;
    let repository = world.open().await;
    for (number, to) in [(1, 4), (2, 5)] {
        let change = change(&repository, number, "w", to).await;
        let filler = world.folder.path().join("filler");
        let _ = std::fs::write(&filler, vec![1; 8 << 20]);
        let error = repository.commit(change.clone()).await.unwrap_err();
        assert_eq!(error.category(), "disk_full", "{error}");
        assert!(error.retry());
        assert_eq!(repository.status().error, Some(error));
        std::fs::remove_file(filler).unwrap();
        let mut status = repository.watch_status();
        let well = status.wait_for(|status| status.error.is_none());
        tokio::time::timeout(std::time::Duration::from_secs(10), well).await.unwrap().unwrap();
        let committed = repository.commit(change).await.unwrap();
        assert!(!committed.already);
        assert_eq!(named(&repository, "w").replicas.unwrap().value, to);
    }
    assert_eq!(world.commits(), 4);
    repository.close().await;
    world.is_sound();
    let left = std::fs::read_dir(world.bare()).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.starts_with("fast_import_crash")), "{left:?}");
}

#[tokio::test]
async fn a_read_only_repository_is_read_and_refuses_to_be_written() {
    let Some(disk) = Disk::new() else { return };
    let files = [("n/w/Kptfile", KPTFILE), ("n/w/x.yaml", &deployment("n", "w", "3"))];
    let world = World::new_in(tempfile::tempdir_in(&disk.place).unwrap(), &files).await;
    assert!(disk.mount(&["-o", "remount,ro"]));
    let repository = world.open().await;
    let change = change(&repository, 1, "w", 4).await;
    let error = repository.commit(change.clone()).await.unwrap_err();
    assert_eq!(error.category(), "read_only", "{error}");
    assert!(disk.mount(&["-o", "remount,rw"]));
    repository.commit(change).await.unwrap();
    world.is_sound();
}
