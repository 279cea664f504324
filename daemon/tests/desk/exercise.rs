//! Pages by which a printer is kept from drying, through the real desk and journal.

use std::sync::Arc;
use std::time::Duration;

use loket_daemon::clock::Word;
use loket_daemon::sights::{Sight, Sights};
use loket_daemon::unit::exercise::{ExerciseUnit, Exercised};
use loket_device_profile::Profiles;
use loket_domain::exercise::Rule;
use loket_domain::health::{Look, OfficeHours};
use loket_domain::print::Command;
use loket_wire::{JobId, JobState, Reason, Release, Zone};
use tokio::time::Instant;

use crate::printer::{Fate, Op};
use crate::world::{DAY, World, until};

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// An idle inkjet at the bench, seen a moment ago.
fn unit(world: &World) -> ExerciseUnit {
    unit_that_counts(world, None)
}

fn unit_that_counts(world: &World, impressions: Option<u32>) -> ExerciseUnit {
    let sights = Sights::default();
    let sight = Sight {
        look: Look {
            state: "idle".to_owned(),
            reasons: Vec::new(),
            model: None,
            stock: None,
        },
        impressions,
        at: world.clock.now().wall,
        seen: Instant::now(),
    };
    sights.note("a4", sight);
    ExerciseUnit {
        machine: "desa-contoh-1".parse().unwrap(),
        printers: vec![Exercised {
            name: "a4".to_owned(),
            setting: Some(true),
            not_before: None,
        }],
        profiles: Arc::new(Profiles::none()),
        rule: Rule {
            after: WEEK,
            hours: OfficeHours {
                utc_offset_min: 0,
                days: [true; 7],
                open_min: 0,
                close_min: 24 * 60,
            },
        },
        zone: Zone::Wib,
        sights,
        desk: world.desk(),
        documents: Arc::clone(&world.documents),
        clock: world.clock.clone(),
    }
}

/// Central says that so many weeks have passed.
fn pass(world: &World, weeks: u32) {
    let seq = u64::from(weeks) + 1;
    let passed = (WEEK + Duration::from_secs(3_600)) * weeks;
    world
        .clock
        .hear(Word::Command(seq), DAY.saturating_add(passed));
}

/// A document that may be printed for as long as a test goes on.
async fn ordered(world: &World) -> JobId {
    let mut facts = world.spooled(1, Release::Now);
    facts.not_after = DAY.saturating_add(WEEK * 9);
    world.accept(&facts).await.unwrap();
    let job = facts.job_id;
    world
        .desk()
        .submit(Command::Received { job })
        .await
        .unwrap();
    job
}

/// The page that is under way.
async fn page(world: &World) -> JobId {
    let jobs = world.desk().jobs().await.unwrap();
    let page = jobs.iter().find(|job| job.service == "perawatan-printer");
    page.expect("a page is under way").job_id
}

async fn check(world: &World) {
    unit(world).check_all().await;
}

#[tokio::test]
async fn a_page_comes_out_once_a_week_and_a_crash_after_it_was_taken_brings_no_second() {
    let mut world = World::new();
    world.start().await;
    check(&world).await;
    assert!(world.desk().jobs().await.unwrap().is_empty(), "seen first");
    pass(&world, 1);
    world.printer().set(Op::Survey, Fate::Away);
    check(&world).await;
    let first = page(&world).await;
    world.crash().await;
    world.start().await;
    check(&world).await;
    world.printer().set(Op::Survey, Fate::Answered);
    assert_eq!(world.until_closed(first).await, (JobState::Printed, None));
    for _again in 0..3 {
        check(&world).await;
        world.crash().await;
        world.start().await;
        check(&world).await;
    }
    assert_eq!(world.printer().sheets().len(), 1);
    pass(&world, 2);
    check(&world).await;
    let second = page(&world).await;
    assert_eq!(world.until_closed(second).await, (JobState::Printed, None));
    assert_eq!(world.printer().sheets().len(), 2);
    let told = world.told(second).await;
    let local = told.first().and_then(|told| told.local.as_deref()).unwrap();
    assert!(local.is_exercise() && local.by.is_none(), "{local:?}");
}

/// The printer counts the page as well, and nobody else printed.
#[tokio::test]
async fn a_page_that_the_printer_counts_is_not_taken_for_somebody_elses() {
    let mut world = World::new();
    world.start().await;
    unit_that_counts(&world, Some(40)).check_all().await;
    for (week, sheets) in [(1_u32, 40), (2, 41), (3, 42)] {
        pass(&world, week);
        // What is first seen after a sheet is noted, what is seen then is judged.
        for _look in 0..2 {
            unit_that_counts(&world, Some(sheets)).check_all().await;
        }
        let page = page(&world).await;
        assert_eq!(world.until_closed(page).await, (JobState::Printed, None));
        unit_that_counts(&world, Some(sheets + 1)).check_all().await;
    }
    assert_eq!(world.printer().sheets().len(), 3);
    // Somebody copies: the next week begins there.
    pass(&world, 4);
    unit_that_counts(&world, Some(50)).check_all().await;
    unit_that_counts(&world, Some(50)).check_all().await;
    assert!(world.desk().jobs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sheet_of_anybody_begins_the_rest_anew_through_a_start() {
    let mut world = World::new();
    world.start().await;
    check(&world).await;
    pass(&world, 1);
    let job = ordered(&world).await;
    assert_eq!(world.until_closed(job).await.0, JobState::Printed);
    world.crash().await;
    world.start().await;
    check(&world).await;
    assert_eq!(world.printer().sheets().len(), 1, "the document alone");
    pass(&world, 2);
    check(&world).await;
    let page = page(&world).await;
    world.until_closed(page).await;
    assert_eq!(world.printer().sheets().len(), 2);
}

#[tokio::test]
async fn a_page_whose_fate_nobody_saw_is_over_and_nobody_is_asked() {
    let mut world = World::new();
    world.start().await;
    check(&world).await;
    pass(&world, 1);
    world.printer().hold_sheets();
    check(&world).await;
    let page = page(&world).await;
    world
        .until_printer("the page is there", |printer| printer.sheets().len() == 1)
        .await;
    world.printer().restart_with_others_jobs();
    let unseen = (JobState::Failed, Some(Reason::ExerciseUnseen));
    assert_eq!(world.until_closed(page).await, unseen);
    check(&world).await;
    assert!(world.desk().jobs().await.unwrap().is_empty());
    assert_eq!(world.printer().sheets().len(), 1, "none in its place");
}

#[tokio::test]
async fn no_page_is_taken_where_a_job_waits_for_the_printer() {
    let mut world = World::new();
    world.start().await;
    check(&world).await;
    pass(&world, 1);
    world.printer().set(Op::Survey, Fate::Away);
    let job = ordered(&world).await;
    world.until_state(job, JobState::Printing).await;
    check(&world).await;
    let jobs = world.desk().jobs().await.unwrap();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let spooled = || async {
        let stats = world.documents.spool.stats().unwrap();
        stats.file_count == 2
    };
    until("the document's two files alone", spooled).await;
}
