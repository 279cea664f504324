//! One document by hand.

use loket_daemon::local;
use loket_wire::{JobState, Sha256Digest};
use zeroize::Zeroizing;

use crate::world::{World, fixture, sample};

#[tokio::test]
async fn a_document_given_by_hand_takes_the_same_path_and_is_destroyed() {
    let mut world = World::new();
    world.start().await;
    let job = local::admit(
        &world.documents,
        &world.desk(),
        &world.clock,
        Zeroizing::new(sample()),
        "a4".to_owned(),
    )
    .await
    .unwrap();
    assert_eq!(world.until_closed(job).await, (JobState::Printed, None));
    let digests: Vec<_> = world
        .printer()
        .sheets()
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(digests, vec![Sha256Digest::of(&sample())]);
}

#[tokio::test]
async fn a_document_given_by_hand_is_verified_like_any_other() {
    let mut world = World::new();
    world.start().await;
    let job = local::admit(
        &world.documents,
        &world.desk(),
        &world.clock,
        Zeroizing::new(fixture("kk-sample-unsigned.pdf")),
        "a4".to_owned(),
    )
    .await
    .unwrap();
    assert_eq!(world.until_closed(job).await.0, JobState::Rejected);
    assert!(world.printer().sheets().is_empty());
}

#[tokio::test]
async fn a_document_given_by_hand_that_the_desk_does_not_take_is_not_left_on_disk() {
    let mut world = World::new();
    world.start().await;
    let desk = world.desk();
    world.crash().await;
    let taken = local::admit(
        &world.documents,
        &desk,
        &world.clock,
        Zeroizing::new(sample()),
        "a4".to_owned(),
    );
    assert!(taken.await.is_err());
    assert_eq!(world.documents.spool.stats().unwrap().file_count, 0);
}
