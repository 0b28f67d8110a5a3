//! Other people push to the same branch.

use super::*;

#[tokio::test]
async fn a_push_is_seen_with_its_commit_author_and_files() {
    let world = one_package().await;
    let repository = world.open().await;
    let mut moves = repository.moves();
    let old = repository.tip();
    let people = world.people();
    people.write("ran-a/upf/deployment.yaml", &deployment("ran-a", "upf", "7 # kpt-set: ${replicas}"));
    let commit = people.push("more of it");
    // Nobody asks: the owner looks by itself.
    let moved = tokio::time::timeout(std::time::Duration::from_secs(5), moves.recv()).await.unwrap().unwrap();
    assert_eq!((&moved.old, &moved.new, moved.rewritten), (&old, &commit, false));
    assert_eq!(moved.files, ["ran-a/upf/deployment.yaml"]);
    assert_eq!(moved.commits.len(), 1);
    assert_eq!(moved.commits[0].commit, commit);
    assert_eq!(moved.commits[0].author, "Some Engineer");
    assert_eq!(moved.commits[0].files, ["ran-a/upf/deployment.yaml"]);
    assert_eq!(named(&repository, "upf").replicas.unwrap().value, 7);
}

#[tokio::test]
async fn a_plan_survives_a_push_elsewhere_and_is_stale_after_one_to_its_file() {
    let world = one_package().await;
    let repository = world.open().await;
    let change = change(&repository, 1, "upf", 5).await;
    let people = world.people();
    people.write("notes/today.md", "nothing to see");
    people.push("notes");
    let committed = repository.commit(change.clone()).await.unwrap();
    assert_eq!(world.git(&["rev-parse", "main"]).trim(), committed.commit);
    assert!(world.git(&["log", "--format=%s", "main"]).contains("notes"));

    let stale = Change { plan: plan_hash(2), ..change };
    let error = repository.commit(stale).await.unwrap_err();
    assert!(matches!(&error, Error::Stale { file } if file == "ran-a/upf/Kptfile"), "{error:?}");
    world.is_sound();
}
