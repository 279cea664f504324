//! How long a machine remembers what it printed.

use std::time::Duration;

use loket_daemon::clock::Clock;
use loket_daemon::unit::print::{DeskError, sweep};
use loket_domain::core::Now;
use loket_domain::print::Command;
use loket_journal::StreamState;
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
async fn a_closed_job_becomes_a_row_without_names_after_30_days_and_is_gone_after_90() {
    let world = printed().await;
    let now = world.clock.now();
    sweep(&world.journal, days_on(now, 29)).await.unwrap();
    assert!(matches!(stands(&world).await, StreamState::Closed { .. }));
    let swept = sweep(&world.journal, days_on(now, 31)).await.unwrap();
    assert_eq!(swept.folded_count, 1);
    let row = world.journal.ledger(&format!("print/{}", job_no(1))).await;
    let row = String::from_utf8(row.unwrap().unwrap().bytes).unwrap();
    assert!(row.contains("\"printed\"") && row.contains("KK-1"), "{row}");
    assert!(!row.contains("Sari"), "{row}");
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
