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
        "wati".to_owned(),
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
    let told = world.told(job).await;
    assert_eq!(told[0].actor.as_deref(), Some("officer:wati"));
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
        "wati".to_owned(),
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
        "wati".to_owned(),
    );
    assert!(taken.await.is_err());
    assert_eq!(world.documents.spool.stats().unwrap().file_count, 0);
}

#[tokio::test]
async fn what_is_put_into_the_trust_folder_counts_without_a_start() {
    let mut world = World::new();
    let root = world.trust_dir.join("root.pem");
    let bytes = std::fs::read(&root).unwrap();
    std::fs::remove_file(&root).unwrap();
    world.start().await;
    for (expect, puts) in [(JobState::Rejected, true), (JobState::Printed, false)] {
        let (documents, clock) = (&world.documents, &world.clock);
        let document = Zeroizing::new(sample());
        let (lane, by) = ("a4".to_owned(), "wati".to_owned());
        let desk = world.desk();
        let job = local::admit(documents, &desk, clock, document, lane, by);
        let job = job.await.unwrap();
        assert_eq!(world.until_closed(job).await.0, expect);
        if puts {
            std::fs::write(&root, &bytes).unwrap();
        }
    }
}
