//! Calling a job off at each step.

use loket_daemon::unit::print::DeskError;
use loket_domain::print::{Actor, Command, Refusal};
use loket_wire::{JobState, Reason, Release};

use crate::printer::{Fate, Op};
use crate::world::{World, job_no, officer, sample};

fn cancel(by: Actor) -> Command {
    Command::Cancel { job: job_no(1), by }
}

const CALLED_OFF: (JobState, Option<Reason>) = (JobState::Cancelled, Some(Reason::ByOfficer));

/// A machine whose job 1 stands in the middle of `op`.
async fn amid(op: Op, fate: Fate) -> World {
    let mut world = World::new();
    world.printer().set(op, fate);
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world
        .until_printer("the step is under way", |printer| printer.count(op) == 1)
        .await;
    world
}

#[tokio::test]
async fn a_job_is_called_off_while_its_document_is_fetched() {
    let mut world = World::new();
    world.start().await;
    let (facts, _blob) = world.order(1, Release::Now, &sample());
    world.accept(&facts).await.unwrap();
    world.desk().submit(cancel(officer())).await.unwrap();
    assert_eq!(world.until_closed(job_no(1)).await, CALLED_OFF);
}

#[tokio::test]
async fn a_job_is_called_off_while_it_waits_for_its_printer_and_nothing_more_is_asked_there() {
    let world = amid(Op::Survey, Fate::Stuck).await;
    world.desk().submit(cancel(officer())).await.unwrap();
    assert_eq!(world.until_closed(job_no(1)).await, CALLED_OFF);
    assert_eq!(world.printer().dropped(Op::Survey), 1);
    // The next job of the lane asks the printer once, and nobody beside it.
    world.printer().set(Op::Survey, Fate::Answered);
    world.accept(&world.spooled(2, Release::Now)).await.unwrap();
    world.until_closed(job_no(2)).await;
    assert_eq!(world.printer().count(Op::Survey), 2);
}

#[tokio::test]
async fn a_job_called_off_while_it_is_made_at_the_printer_is_called_off_there() {
    let world = amid(Op::Create, Fate::Silent).await;
    world.desk().submit(cancel(officer())).await.unwrap();
    world.printer().set(Op::Create, Fate::Answered);
    assert_eq!(world.until_closed(job_no(1)).await, CALLED_OFF);
    assert_eq!(world.printer().count(Op::Cancel), 1);
    assert_eq!(world.printer().count(Op::Send), 0);
}

#[tokio::test]
async fn a_job_whose_document_is_leaving_is_not_called_off_and_its_asker_is_told() {
    let world = amid(Op::Send, Fate::Silent).await;
    let refused = world.desk().submit(cancel(officer())).await;
    assert!(
        matches!(refused, Err(DeskError::Refused(Refusal::AlreadySending))) || refused.is_ok(),
        "{refused:?}"
    );
    world.printer().set(Op::Send, Fate::Answered);
    assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
    let told = world.told(job_no(1)).await;
    assert!(
        refused.is_err()
            || told
                .iter()
                .any(|report| report.reason == Some(Reason::AlreadySending))
    );
}

#[tokio::test]
async fn a_job_called_off_over_a_crash_leaves_nothing_at_the_printer() {
    let mut world = amid(Op::Create, Fate::Silent).await;
    world.desk().submit(cancel(officer())).await.unwrap();
    world.crash().await;
    world.printer().set(Op::Create, Fate::Answered);
    world.start().await;
    assert_eq!(world.until_closed(job_no(1)).await, CALLED_OFF);
    assert_eq!(world.printer().count(Op::Cancel), 1);
    assert!(world.printer().sheets().is_empty());
}

#[tokio::test]
async fn central_hears_the_end_of_a_job_that_it_calls_off_too_late() {
    let mut world = World::new();
    world.start().await;
    world.accept(&world.spooled(1, Release::Now)).await.unwrap();
    world.until_closed(job_no(1)).await;
    let before = world.told(job_no(1)).await.len();
    world.desk().submit(cancel(Actor::Central)).await.unwrap();
    let told = world.told(job_no(1)).await;
    assert_eq!(told.len(), before + 1);
    assert_eq!(told.last().unwrap().state, JobState::Printed);
}

/// As many reports as may wait for central before those of no event yield.
const CROWD: usize = 10_000;

/// Far more than there is room for beside those that wait.
const DELIVERIES: usize = 1_000;

#[tokio::test]
async fn a_question_repeated_without_end_fills_neither_journal_nor_outbox_and_the_job_still_ends() {
    let world = amid(Op::Send, Fate::Silent).await;
    let before = world.events(job_no(1)).await;
    world.fill_outbox(CROWD - 10).await;
    for _delivery in 0..DELIVERIES {
        let answered = world.desk().submit(cancel(Actor::Central)).await;
        assert!(matches!(answered, Ok(false)), "{answered:?}");
    }
    assert_eq!(world.events(job_no(1)).await, before);
    let span = world.journal.outbox_span().await.unwrap();
    assert_eq!(span.count, u64::try_from(CROWD).unwrap());
    world.printer().set(Op::Send, Fate::Answered);
    assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Printed);
    let span = world.journal.outbox_span().await.unwrap();
    assert!(
        span.count > u64::try_from(CROWD).unwrap(),
        "its end is told"
    );
}

#[tokio::test]
async fn a_job_is_called_off_although_very_much_waits_for_central() {
    let mut world = World::new();
    world.start().await;
    let (facts, _blob) = world.order(1, Release::Now, &sample());
    world.accept(&facts).await.unwrap();
    world.fill_outbox(CROWD).await;
    let answered = world.desk().submit(cancel(Actor::Central)).await;
    assert!(matches!(answered, Ok(true)), "{answered:?}");
    assert_eq!(world.until_closed(job_no(1)).await.0, JobState::Cancelled);
}
