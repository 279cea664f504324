//! The way of an order without faults.

use std::sync::Arc;

use loket_domain::print::Command;
use loket_wire::{JobState, Release, Sha256Digest};

use crate::printer::{FakePrinter, Op};
use crate::world::{World, fixture, job_no, officer, sample};

#[tokio::test]
async fn an_order_becomes_one_sheet_of_the_very_bytes_and_is_destroyed() {
    let mut world = World::new();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    let end = world.until_closed(job_no(1)).await;
    assert_eq!(end, (JobState::Printed, None));
    let sheet = (
        format!("loket:{}:1", job_no(1)),
        Sha256Digest::of(&sample()),
    );
    assert_eq!(world.printer().sheets(), vec![sheet]);
    let told: Vec<_> = world.told(job_no(1)).await;
    let states: Vec<_> = told.iter().map(|report| report.state).collect();
    let expect = [
        JobState::Fetching,
        JobState::Journalled,
        JobState::Printing,
        JobState::Printing,
        JobState::Printed,
    ];
    assert_eq!(states, expect);
    world.stop().await.unwrap();
}

#[tokio::test]
async fn jobs_of_one_lane_print_one_after_the_other_in_the_order_of_acceptance() {
    let mut world = World::new();
    let printer = world.printer();
    printer.hold_sheets();
    world.start().await;
    for no in [3, 1, 2] {
        let facts = world.spooled(no, Release::Officer);
        world.accept(&facts).await.unwrap();
        world.until_state(job_no(no), JobState::Held).await;
    }
    // The first takes the lane; of the others the later one is released first.
    for no in [3, 2, 1] {
        let release = Command::Release {
            job: job_no(no),
            by: officer(),
        };
        world.desk().submit(release).await.unwrap();
        let what = "the first is watched";
        world
            .until_printer(what, |printer| printer.count(Op::Look) > 1)
            .await;
    }
    assert_eq!(printer.count(Op::Create), 1, "one attempt in a lane");
    printer.finish();
    for no in [3, 1, 2] {
        world.until_closed(job_no(no)).await;
    }
    let names: Vec<_> = printer.sheets().into_iter().map(|sheet| sheet.0).collect();
    let expect = [3, 1, 2].map(|no| format!("loket:{}:1", job_no(no)));
    assert_eq!(names, expect);
}

#[tokio::test]
async fn a_second_lane_goes_on_while_the_first_waits() {
    let mut world = World::new();
    world.lanes.push("b4".to_owned());
    let other = Arc::new(FakePrinter::new());
    world.printers.insert("b4".to_owned(), Arc::clone(&other));
    world.printer().hold_sheets();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the first has its document", |printer| {
            printer.count(Op::Send) == 1
        })
        .await;
    let mut second = world.spooled(2, Release::Now);
    second.printer = Some("b4".to_owned());
    world.accept(&second).await.unwrap();
    world.until_closed(job_no(2)).await;
    assert_eq!(other.sheets().len(), 1);
    assert_eq!(world.job(job_no(1)).await.state, JobState::Printing);
}

#[tokio::test]
async fn a_held_job_waits_for_an_officer_over_a_restart_and_a_second_tap_is_no_second_sheet() {
    let mut world = World::new();
    world.start().await;
    world
        .accept(&world.spooled(1, Release::Officer))
        .await
        .unwrap();
    world.until_state(job_no(1), JobState::Held).await;
    world.stop().await.unwrap();
    world.start().await;
    assert_eq!(world.job(job_no(1)).await.state, JobState::Held);
    assert_eq!(world.printer().count(Op::Survey), 0);
    let release = Command::Release {
        job: job_no(1),
        by: officer(),
    };
    assert!(world.desk().submit(release.clone()).await.unwrap());
    // Too late or in time, the second one changes nothing.
    let _again = world.desk().submit(release).await;
    world.until_closed(job_no(1)).await;
    assert_eq!(world.printer().sheets().len(), 1);
}

#[tokio::test]
async fn documents_that_are_not_valid_never_reach_a_printer() {
    for name in [
        "kk-sample-altered.pdf",
        "kk-sample-unsigned.pdf",
        "kk-sample-untrusted.pdf",
    ] {
        let mut world = World::new();
        world.start().await;
        let facts = world.spooled_document(1, Release::Now, &fixture(name));
        world.accept(&facts).await.unwrap();
        let (state, reason) = world.until_closed(job_no(1)).await;
        assert_eq!(state, JobState::Rejected, "{name}");
        assert!(reason.is_some(), "{name}");
        assert_eq!(world.printer().count(Op::Survey), 0, "{name}");
    }
}

#[tokio::test]
async fn a_document_that_is_on_disk_already_is_not_asked_for_again() {
    // Central may be away, or may have destroyed its copy: there is no source here at all.
    let mut world = World::new();
    world.start().await;
    let (facts, blob) = world.order(1, Release::Officer, &sample());
    world.accept(&facts).await.unwrap();
    assert_eq!(world.job(job_no(1)).await.state, JobState::Fetching);
    let name = job_no(1).to_string();
    world.documents.spool.append_part(&name, 0, &blob).unwrap();
    world.crash().await;
    world.start().await;
    world.until_state(job_no(1), JobState::Held).await;
}
