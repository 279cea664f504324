//! A station accounts for its day from its own journal.

use std::time::Duration;

use loket_daemon::unit::print::{ReportDesk, sweep};
use loket_domain::account::{Day, Found, Outcome};
use loket_domain::core::Now;
use loket_domain::dispatch::LocalDay;
use loket_domain::print::{Answer, Command};
use loket_wire::order::Reprint;
use loket_wire::{JobState, Release, Zone};

use crate::printer::Op;
use crate::world::{World, job_no, officer};

async fn account(world: &World) -> Day {
    let desk = ReportDesk {
        journal: world.journal.clone(),
        clock: world.clock.clone(),
        machine: "desa-contoh-1".parse().unwrap(),
        zone: Zone::Wib,
    };
    let today = LocalDay::of(world.clock.now().wall, Zone::Wib.utc_offset_minutes());
    let report = desk.day(today).await.unwrap();
    assert!(report.clock_trusted, "central spoke in this boot");
    report.day
}

#[tokio::test]
async fn a_day_is_accounted_for_alike_while_it_is_fresh_and_when_it_is_one_row_a_job() {
    let mut world = World::new();
    world.start().await;
    world
        .accept(&world.spooled(1, Release::Officer))
        .await
        .unwrap();
    world.until_state(job_no(1), JobState::Held).await;
    let fresh = account(&world).await;
    assert_eq!((fresh.totals.arrived, fresh.totals.carried_out), (1, 1));
    assert_eq!(fresh.open[0].state, JobState::Held);
    let release = Command::Release {
        job: job_no(1),
        by: officer(),
    };
    world.desk().submit(release).await.unwrap();
    world.until_closed(job_no(1)).await;
    let mut again = world.spooled(2, Release::Now);
    again.reprint = Some(Reprint {
        job: job_no(1),
        reason: "kertas sobek".to_owned(),
        by: "token:siti".to_owned(),
    });
    world.accept(&again).await.unwrap();
    world.until_closed(job_no(2)).await;
    let day = account(&world).await;
    assert_eq!(day.totals.controlled.printed, 2);
    assert_eq!(day.totals.settled, 2);
    assert_eq!(day.jobs[0].released_by.as_deref(), Some("officer:Sari"));
    assert_eq!(day.reprints[0].earlier, Some(Outcome::Printed));
    assert_eq!(day.reprints[0].ordered_by, "token:siti");
    let now = world.clock.now();
    let later = Now {
        wall: now.wall.saturating_add(Duration::from_secs(31 * 86_400)),
        ..now
    };
    assert_eq!(sweep(&world.journal, later).await.unwrap().folded_count, 2);
    assert_eq!(account(&world).await, day);
    assert_eq!(day.totals.unread, 0);
}

#[tokio::test]
async fn a_question_and_its_answer_stand_in_the_account() {
    let mut world = World::new();
    world.printer().hold_sheets();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the sheet is under way", |printer| {
            printer.count(Op::Look) > 0
        })
        .await;
    world.crash().await;
    // Nobody can ask a printer that left the settings.
    world.printers.clear();
    world.lanes.clear();
    world.start().await;
    world.until_state(job_no(1), JobState::Unknown).await;
    let asked = account(&world).await;
    assert_eq!(
        (asked.totals.questions_asked, asked.totals.sheets_in_doubt),
        (1, 1)
    );
    let answer = Command::Answer {
        job: job_no(1),
        attempt: None,
        answer: Answer::Damaged,
        by: officer(),
    };
    world.desk().submit(answer).await.unwrap();
    world.until_closed(job_no(1)).await;
    let day = account(&world).await;
    assert_eq!(day.questions[0].found, Some(Found::Damaged));
    assert_eq!(day.spoiled[0].said_by.as_deref(), Some("officer:Sari"));
    assert_eq!(day.totals.controlled.spoiled_sheets, day.spoiled[0].sheets);
    assert_eq!((day.totals.carried_out, day.totals.sheets_in_doubt), (0, 0));
}
