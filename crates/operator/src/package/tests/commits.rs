//! What is committed is there once, read back, and sound.

use super::*;
use crate::package::Committed;

#[tokio::test]
async fn a_change_becomes_one_commit_that_the_inventory_knows_at_once() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 5).await;
    let committed = repository.commit(change.clone()).await.unwrap();
    assert!(!committed.already);
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 5);
    assert_eq!(repository.tip(), committed.commit);
    assert_eq!(
        world.show("ran-a/upf/deployment.yaml"),
        deployment("ran-a", "upf", "5 # kpt-set: ${replicas}")
    );
    let read = repository.value("ran-a/upf/deployment.yaml", 0, "spec.replicas").await.unwrap();
    assert_eq!(read, Some(Scalar::Int(5)));

    let again = repository.commit(change).await.unwrap();
    assert_eq!((again.commit.clone(), again.already), (committed.commit.clone(), true));
    assert_eq!(world.commits(), 3);
    let found = repository.find_plans(None, &[plan_hash(1), plan_hash(2)]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(plan_hash(1), committed.commit)]);
    world.is_sound();
}

/// `count` packages `n/w0`, `n/w1`, ... with a Deployment each.
async fn many(count: usize) -> World {
    let files: Vec<(String, String)> = (0..count)
        .flat_map(|at| {
            [
                (format!("n/w{at}/Kptfile"), KPTFILE.to_owned()),
                (format!("n/w{at}/deployment.yaml"), deployment("n", &format!("w{at}"), "3")),
            ]
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    World::new(&files).await
}

/// How often each plan is in the history.
fn plans(world: &World) -> Vec<(String, usize)> {
    let log = world.git(&["log", "--format=%(trailers:key=Nephoran-Plan,valueonly)", "main"]);
    let mut counts = std::collections::BTreeMap::new();
    for plan in log.lines().filter(|line| !line.is_empty()) {
        *counts.entry(plan.to_owned()).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// Tries again where somebody was quicker, as the flow does with a plan that is stale.
async fn commit_until_done(repository: &Repository, number: u64, name: &str, to: u32) -> Committed {
    loop {
        repository.refresh().await.unwrap();
        let change = change(repository, number, name, to).await;
        match repository.commit(change).await {
            Ok(committed) => return committed,
            Err(Error::Stale { .. } | Error::Moving { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_becomes_one_commit_each_and_few_packs() {
    let world = many(40).await;
    let repository = world.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..40_u64 {
        let repository = repository.clone();
        tasks.spawn(async move {
            for to in 4..10 {
                let change = change(&repository, at * 100 + u64::from(to), &format!("w{at}"), to).await;
                let committed = repository.commit(change).await.unwrap();
                assert!(!committed.already);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(world.commits(), 2 + 40 * 6);
    let plans = plans(&world);
    assert_eq!(plans.len(), 240);
    assert!(plans.iter().all(|(_, count)| *count == 1));
    for at in 0..40 {
        assert_eq!(world.show(&format!("n/w{at}/deployment.yaml")), deployment("n", &format!("w{at}"), "9"));
    }
    repository.close().await;
    let packs = world.git(&["count-objects", "-v"]);
    assert!(packs.contains("count: 0\n") && packs.contains("packs: 1\n"), "{packs}");
    world.is_sound();
    assert!(matches!(repository.refresh().await, Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_plan_from_many_sides_is_one_commit() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 5).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (repository, change) = (repository.clone(), change.clone());
        tasks.spawn(async move { repository.commit(change).await.unwrap() });
    }
    let mut made = Vec::new();
    while let Some(done) = tasks.join_next().await {
        made.push(done.unwrap());
    }
    assert_eq!(made.iter().filter(|committed| !committed.already).count(), 1);
    assert!(made.iter().all(|committed| committed.commit == made[0].commit));
    assert_eq!(world.commits(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_on_one_repository_commit_each_plan_once() {
    let world = many(8).await;
    let (one, other) = (world.open().await, world.open().await);
    let mut tasks = tokio::task::JoinSet::new();
    for repository in [one, other] {
        tasks.spawn(async move {
            for at in 0..8_u64 {
                // Planned before any of the two wrote: the same plan for both.
                let name = format!("w{at}");
                if named(&repository, &name).replicas.unwrap().value != 3 {
                    continue;
                }
                let change = change(&repository, at, &name, 5).await;
                match repository.commit(change).await {
                    Ok(_) | Err(Error::Stale { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let plans = plans(&world);
    assert_eq!(plans.len(), 8);
    assert!(plans.iter().all(|(_, count)| *count == 1), "{plans:?}");
    world.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_the_operator_write_beside_each_other_and_nothing_is_lost() {
    let world = many(6).await;
    let repository = world.open().await;
    let people = world.people();
    let pushes = tokio::task::spawn_blocking(move || {
        for round in 0..8 {
            people.write(&format!("notes/{round}.md"), "a note");
            // Somebody may be quicker again between pull and push, as in real life.
            people.git(&["add", "-A"]);
            people.git(&["commit", "-q", "-m", &format!("note {round}")]);
            while {
                people.git(&["pull", "-q", "--rebase"]);
                let push =
                    Command::new("git").current_dir(&people.place).args(["push", "-q"]).output().unwrap();
                !push.status.success()
            } {}
        }
    });
    let rounds = 15;
    for number in 1..=rounds {
        for at in 0..6_u64 {
            let to = 4 + u32::try_from(number).unwrap();
            commit_until_done(&repository, number * 10 + at, &format!("w{at}"), to).await;
        }
    }
    pushes.await.unwrap();
    let log = world.git(&["log", "--format=%s", "main"]);
    for round in 0..8 {
        assert_eq!(log.lines().filter(|line| *line == format!("note {round}")).count(), 1);
    }
    let plans = plans(&world);
    assert_eq!(plans.len(), 15 * 6);
    assert!(plans.iter().all(|(_, count)| *count == 1));
    world.is_sound();
}

#[tokio::test]
async fn of_two_plans_for_one_file_the_second_is_stale() {
    let world = one_package().await;
    let repository = world.open().await;
    let (one, other) = (change(&repository, 1, "upf", 5).await, change(&repository, 2, "upf", 6).await);
    let (one, other) = tokio::join!(repository.commit(one), repository.commit(other));
    assert!(one.is_ok());
    assert_eq!(other.unwrap_err(), Error::Stale { file: "ran-a/upf/Kptfile".into() });
    assert_eq!(world.commits(), 3);
}

#[tokio::test]
async fn an_earlier_run_s_commit_is_found_again() {
    let world = one_package().await;
    let first = world.open().await;
    let change = change(&first, 1, "upf", 5).await;
    let base = first.tip();
    let committed = first.commit(change.clone()).await.unwrap();
    first.close().await;
    let second = world.open().await;
    let again = second.commit(change).await.unwrap();
    assert_eq!(again, Committed { commit: committed.commit.clone(), already: true });
    let found = second.find_plans(Some(&base), &[plan_hash(1)]).await.unwrap();
    assert_eq!(found.get(&plan_hash(1)), Some(&committed.commit));
    let later = second.find_plans(Some(&committed.commit), &[plan_hash(1)]).await.unwrap();
    assert!(later.is_empty());
    // A commit to start from that no longer exists is no reason not to look.
    let found = second.find_plans(Some(&"1".repeat(40)), &[plan_hash(1)]).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_file_keeps_its_mode() {
    let world = one_package().await;
    let people = world.people();
    people.git(&["update-index", "--chmod=+x", "ran-a/upf/deployment.yaml"]);
    people.git(&["commit", "-q", "-m", "executable"]);
    people.git(&["push", "-q"]);
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 5).await;
    repository.commit(change).await.unwrap();
    let listing = world.git(&["ls-tree", "-r", "main", "ran-a/upf/deployment.yaml"]);
    assert!(listing.starts_with("100755 blob"), "{listing}");
}

#[tokio::test]
async fn a_repository_with_sha256_ids_works_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let world = World { folder };
    git(
        world.folder.path(),
        &["init", "-q", "--bare", "-b", "main", "--object-format=sha256", "packages.git"],
    );
    let files = vec![
        ("n/w/Kptfile".to_owned(), KPTFILE.as_bytes().to_vec()),
        ("n/w/x.yaml".to_owned(), deployment("n", "w", "3").into_bytes()),
    ];
    crate::package::import_files(&world.bare(), "main", files).await.unwrap();
    let repository = world.open().await;
    for (number, to) in [(1, 4), (2, 5)] {
        let change = change(&repository, number, "w", to).await;
        let committed = repository.commit(change).await.unwrap();
        assert_eq!(committed.commit.len(), 64);
    }
    assert_eq!(world.show("n/w/x.yaml"), deployment("n", "w", "5"));
    world.is_sound();
}
