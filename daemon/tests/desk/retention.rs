//! How long a machine remembers what it printed.

use std::time::Duration;

use loket_daemon::clock::Clock;
use loket_daemon::unit::print::{DeskError, sweep};
use loket_domain::core::Now;
use loket_domain::print::Command;
use loket_journal::{Batch, CloseStream, NewEvent, StreamState};
use loket_wire::{JobState, Release, Timestamp};

use crate::world::{DAY, World, job_no, officer};

fn days_on(now: Now, days: u64) -> Now {
    let wall = now.wall.saturating_add(Duration::from_secs(days * 86_400));
    Now { wall, ..now }
}

/// A machine whose job 1 an officer released and which is over.
async fn printed() -> World {
    let mut world = World::new();
    world.start().await;
    world
        .accept(&world.spooled(1, Release::Officer))
        .await
        .unwrap();
    world.until_state(job_no(1), JobState::Held).await;
    let release = Command::Release {
        job: job_no(1),
        by: officer(),
    };
    world.desk().submit(release).await.unwrap();
    world.until_closed(job_no(1)).await;
    world
}

async fn stands(world: &World) -> StreamState {
    let stream = format!("print/{}", job_no(1));
    world.journal.stream_state(&stream).await.unwrap()
}

#[tokio::test]
async fn a_closed_job_becomes_a_row_of_who_did_what_after_30_days_and_is_gone_after_90() {
    let world = printed().await;
    let now = world.clock.now();
    sweep(&world.journal, days_on(now, 29)).await.unwrap();
    assert!(matches!(stands(&world).await, StreamState::Closed { .. }));
    let swept = sweep(&world.journal, days_on(now, 31)).await.unwrap();
    assert_eq!(swept.folded_count, 1);
    let row = world.journal.ledger(&format!("print/{}", job_no(1))).await;
    let row = String::from_utf8(row.unwrap().unwrap().bytes).unwrap();
    assert!(row.contains("\"printed\"") && row.contains("KK-1"), "{row}");
    // The officer who released it stands in the day's report; what the order's label says stands nowhere.
    assert!(
        row.contains("officer:Sari") && !row.contains("label"),
        "{row}"
    );
    let swept = sweep(&world.journal, days_on(now, 91)).await.unwrap();
    assert_eq!(swept.dropped_count, 1);
    assert_eq!(stands(&world).await, StreamState::Unknown);
}

#[tokio::test]
async fn a_clock_that_nobody_confirmed_makes_a_machine_forget_nothing() {
    let world = printed().await;
    let now = Now {
        wall: Timestamp::from_unix_ms(4_000_000_000_000),
        trusted: false,
        floor: world.clock.now().floor,
    };
    let swept = sweep(&world.journal, now).await.unwrap();
    assert_eq!((swept.folded_count, swept.dropped_count), (0, 0));
}

#[tokio::test]
async fn an_order_of_a_job_in_the_ledger_is_refused_and_its_end_is_told() {
    let world = printed().await;
    sweep(&world.journal, days_on(world.clock.now(), 31))
        .await
        .unwrap();
    let before = world.told(job_no(1)).await.len();
    let refused = world.accept(&world.spooled(1, Release::Now)).await;
    assert!(matches!(refused, Err(DeskError::LongOver)), "{refused:?}");
    let told = world.told(job_no(1)).await;
    assert_eq!(told.len(), before + 1);
    assert_eq!(told.last().unwrap().state, JobState::Printed);
    assert_eq!(world.printer().sheets().len(), 1);
}

/// The system clock of whoever runs this says a later day than the floor, as a machine with a clock in 2040 does.
#[tokio::test]
async fn a_job_that_ends_under_a_clock_that_nobody_confirmed_is_closed_at_what_certainly_passed() {
    let mut world = World::new();
    world.clock = Clock::new(Some(DAY));
    let now = world.clock.now();
    assert!(!now.trusted && now.wall > now.floor, "{now:?}");
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world.until_closed(job_no(1)).await;
    let at_ms = now.floor.unix_ms();
    assert_eq!(stands(&world).await, StreamState::Closed { at_ms });
}

/// A closed job whose events a later version of the program wrote, beside one of this version.
async fn with_a_later_job() -> (World, Now, String) {
    let world = printed().await;
    let now = world.clock.now();
    let name = format!("print/{}", job_no(2));
    let later = Batch {
        events: vec![NewEvent {
            stream: name.clone(),
            kind: "unheard-of".to_owned(),
            version: u16::MAX,
            bytes: b"{\"v\":65535}".to_vec(),
        }],
        close_streams: vec![CloseStream {
            name: name.clone(),
            // Older than the job of this version, so that it stands before it.
            at_ms: now.wall.unix_ms() - 1,
        }],
        ..Batch::default()
    };
    world.journal.append(later).await.unwrap();
    (world, now, name)
}

#[tokio::test]
async fn a_job_of_a_later_version_is_kept_for_that_version_and_holds_up_no_other() {
    let (world, now, name) = with_a_later_job().await;
    for days in [31, 60, 89] {
        let swept = sweep(&world.journal, days_on(now, days)).await.unwrap();
        assert_eq!(swept.left_count, 1, "after {days} days");
    }
    assert!(matches!(stands(&world).await, StreamState::Swept { .. }));
    let kept = world.journal.stream(&name).await.unwrap();
    assert_eq!((kept.len(), kept[0].version), (1, u16::MAX));
    // The same 90 days as every other job.
    let swept = sweep(&world.journal, days_on(now, 91)).await.unwrap();
    assert_eq!((swept.left_count, swept.dropped_count), (0, 2));
    let state = world.journal.stream_state(&name).await.unwrap();
    assert_eq!(state, StreamState::Unknown);
}

#[tokio::test]
async fn an_order_of_a_job_of_a_later_version_is_not_printed_again() {
    let (world, now, _name) = with_a_later_job().await;
    sweep(&world.journal, days_on(now, 31)).await.unwrap();
    let again = world.accept(&world.spooled(2, Release::Now)).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(world.printer().sheets().len(), 1, "the first job's alone");
}

#[tokio::test]
async fn more_unreadable_jobs_than_a_sweep_takes_hold_up_no_other() {
    let (world, now, _name) = with_a_later_job().await;
    for number in 0..2 * loket_journal::MAX_SWEEP_STREAMS {
        let name = format!("print/later-{number}");
        let later = Batch {
            events: vec![NewEvent {
                stream: name.clone(),
                kind: "unheard-of".to_owned(),
                version: u16::MAX,
                bytes: Vec::new(),
            }],
            close_streams: vec![CloseStream {
                name,
                at_ms: now.wall.unix_ms() - 2,
            }],
            ..Batch::default()
        };
        world.journal.append(later).await.unwrap();
    }
    let swept = sweep(&world.journal, days_on(now, 31)).await.unwrap();
    let left = u64::try_from(2 * loket_journal::MAX_SWEEP_STREAMS + 1).unwrap();
    assert_eq!((swept.folded_count, swept.left_count), (1, left));
    assert!(matches!(stands(&world).await, StreamState::Swept { .. }));
}
