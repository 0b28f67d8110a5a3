//! What is committed is there once, read back, and sound.

use super::*;

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
