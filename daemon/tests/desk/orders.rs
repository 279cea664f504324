//! Orders that come more than once, or as something else.

use loket_daemon::unit::print::DeskError;
use loket_domain::print::{Origin, Refusal};
use loket_journal::{Batch, NewReport};
use loket_wire::{DeviceReport, JobState, Release, Report, Sha256Digest, Timestamp};

use crate::printer::Op;
use crate::world::{World, job_no};

#[tokio::test]
async fn a_redelivered_order_is_answered_with_its_state_and_changes_nothing() {
    let mut world = World::new();
    world.start().await;
    let facts = world.spooled(1, Release::Officer);
    assert!(world.accept(&facts).await.unwrap());
    world.until_state(job_no(1), JobState::Held).await;
    let events = world.events(job_no(1)).await;
    assert!(!world.accept(&facts).await.unwrap());
    assert_eq!(world.events(job_no(1)).await, events);
    let told = world.told(job_no(1)).await;
    assert_eq!(told.last().unwrap().state, JobState::Held);
    assert_eq!(told.len(), 4);
}

#[tokio::test]
async fn an_order_that_comes_again_after_its_end_is_answered_and_not_printed() {
    let mut world = World::new();
    world.start().await;
    let facts = world.spooled(1, Release::Now);
    world.accept(&facts).await.unwrap();
    world.until_closed(job_no(1)).await;
    let before = world.told(job_no(1)).await.len();
    for _twice in 0..2 {
        world.accept(&facts).await.unwrap();
        world.crash().await;
        world.start().await;
    }
    let told = world.told(job_no(1)).await;
    assert_eq!(told.len(), before + 2);
    assert_eq!(told.last().unwrap().state, JobState::Printed);
    assert_eq!(world.printer().count(Op::Survey), 1);
    assert_eq!(world.desk().jobs().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_known_id_with_another_envelope_is_refused_and_the_present_state_told() {
    let mut world = World::new();
    world.start().await;
    let facts = world.spooled(1, Release::Now);
    world.accept(&facts).await.unwrap();
    world.until_closed(job_no(1)).await;
    let mut replay = facts;
    if let Origin::Central { envelope, .. } = &mut replay.origin {
        *envelope = Sha256Digest::of(b"another");
    }
    let before = world.told(job_no(1)).await.len();
    let refused = world.accept(&replay).await;
    assert!(
        matches!(refused, Err(DeskError::Refused(Refusal::Replay))),
        "{refused:?}"
    );
    assert_eq!(world.told(job_no(1)).await.len(), before + 1);
    assert_eq!(world.printer().sheets().len(), 1);
}

#[tokio::test]
async fn answers_yield_when_very_many_reports_wait_and_jobs_go_on() {
    let mut world = World::new();
    let row = NewReport {
        kind: "filler".to_owned(),
        bytes: b"{}".to_vec(),
    };
    for _batch in 0..40 {
        let batch = Batch {
            reports: vec![row.clone(); 250],
            ..Batch::default()
        };
        world.journal.append(batch).await.unwrap();
    }
    world.start().await;
    let device = Report::Device(DeviceReport {
        device: "a4".to_owned(),
        state: "idle".to_owned(),
        reasons: Vec::new(),
        model: None,
        stock: None,
        at: Timestamp::UNIX_EPOCH,
    });
    let refused = world.desk().report(device.clone()).await;
    assert!(matches!(refused, Err(DeskError::Crowded)), "{refused:?}");
    let facts = world.spooled(1, Release::Now);
    world.accept(&facts).await.unwrap();
    world.until_closed(job_no(1)).await;
    let full = world.journal.outbox_span().await.unwrap().count;
    assert!(!world.accept(&facts).await.unwrap());
    assert_eq!(world.journal.outbox_span().await.unwrap().count, full);
    world.journal.settle(5_000).await.unwrap();
    world.desk().report(device).await.unwrap();
}
