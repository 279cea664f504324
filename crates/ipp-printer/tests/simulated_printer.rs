//! The client against the simulated printer, whose faults can be set.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::time::Duration;

use bytes::Bytes;
use loket_ipp_printer::{
    IppError, IppPrinter, JobState, Level, Media, NewJob, Operation, Options, PrinterState,
    Severity, StateReason, SupplyKind, WhichJobs,
};
use loket_sim::printer::{Impressions, Knobs, Memory, PrinterConfig, Replies, Report, SimPrinter};
use tokio::time::timeout;

/// Ends a hung test; none takes a second.
const DEADLINE: Duration = Duration::from_secs(30);

const PDF: &str = "application/pdf";

/// What stands in fixtures and must stand nowhere else.
const CANARIES: &str = include_str!("../../../tests/fixtures/canaries.txt");

/// One page, and longer than a few pieces of the body.
fn document() -> Bytes {
    let mut pdf = b"%PDF-1.4 3 0 obj<</Type/Page>>endobj ".to_vec();
    pdf.extend((0..100_000_u32).flat_map(u32::to_le_bytes));
    pdf.into()
}

async fn start(knobs: Knobs) -> (SimPrinter, IppPrinter) {
    let config = PrinterConfig {
        knobs,
        ..PrinterConfig::default()
    };
    let sim = SimPrinter::start(config).await.unwrap();
    let printer = IppPrinter::new(sim.uri(), Options::default()).unwrap();
    (sim, printer)
}

async fn until(sim: &SimPrinter, condition: impl FnMut(&Report) -> bool) -> Report {
    timeout(DEADLINE, sim.until(condition)).await.unwrap()
}

fn state_is(state: &'static str) -> impl FnMut(&Report) -> bool {
    move |report| report.jobs.first().is_some_and(|job| job.state == state)
}

#[tokio::test]
async fn a_document_goes_from_create_to_completed_and_comes_out_once() {
    let (sim, printer) = start(Knobs::default()).await;
    let created = printer.create_job(&NewJob::new("loket:1:1")).await.unwrap();
    assert_eq!((created.id, created.state), (1, JobState::PendingHeld));
    assert!(
        created
            .state_reasons
            .iter()
            .any(|reason| reason == "job-data-insufficient")
    );
    assert_eq!(created.unsupported, Vec::<String>::new());
    assert_eq!(sim.report().sheets, 0);

    let sent = printer
        .send_document(created.id, PDF, document())
        .await
        .unwrap();
    assert_eq!((sent.id, &sent.uuid), (created.id, &created.uuid));
    let report = until(&sim, state_is("completed")).await;
    assert_eq!((report.sheets, report.printed_sha256.len()), (1, 1));
    assert_eq!(sim.document(&report.printed_sha256[0]).unwrap(), document());

    let job = printer.job_attributes(created.id).await.unwrap();
    assert_eq!(
        (job.state, job.name.as_deref()),
        (JobState::Completed, Some("loket:1:1"))
    );
    assert_eq!(
        (job.uuid, job.impressions_completed),
        (created.uuid, Some(1))
    );
    assert!(job.printer_up_time_s.is_some());
    sim.stop().await;
}

#[tokio::test]
async fn the_printer_says_who_it_is_and_what_it_can() {
    let (sim, printer) = start(Knobs::default()).await;
    let said = printer.printer_attributes().await.unwrap();
    assert_eq!(
        (said.state, said.state_reasons, said.is_accepting_jobs),
        (PrinterState::Idle, vec![], true)
    );
    assert_eq!(said.uuid, Some(format!("urn:uuid:{}", sim.report().uuid)));
    assert!(said.formats.iter().any(|format| format == PDF));
    assert!(said.operations.create_job() && said.operations.supports(Operation::ValidateJob));
    assert_eq!(said.multiple_document_jobs_supported, Some(false));
    assert_eq!(
        (said.media, said.impressions_completed),
        (Media::Collection, Some(0))
    );
    let toner = &said.supplies.consumed[0];
    assert_eq!(
        (toner.kind, toner.level),
        (SupplyKind::Toner, Level::Known(75))
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_second_document_is_refused_and_nothing_comes_out_twice() {
    let (sim, printer) = start(Knobs::default()).await;
    let id = printer
        .create_job(&NewJob::new("loket:2:1"))
        .await
        .unwrap()
        .id;
    printer.send_document(id, PDF, document()).await.unwrap();
    let again = printer
        .send_document(id, PDF, document())
        .await
        .unwrap_err();
    assert!(again.is_second_document(), "{again}");
    until(&sim, state_is("completed")).await;
    let again = printer
        .send_document(id, PDF, document())
        .await
        .unwrap_err();
    assert!(again.is_second_document(), "{again}");
    assert_eq!(sim.report().sheets, 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_document_cut_off_in_the_middle_is_lost_and_its_job_aborted_with_nothing_printed() {
    let (sim, printer) = start(Knobs {
        stop_after_bytes: Some(20_000),
        ..Knobs::default()
    })
    .await;
    let id = printer
        .create_job(&NewJob::new("loket:3:1"))
        .await
        .unwrap()
        .id;
    let lost = printer
        .send_document(id, PDF, document())
        .await
        .unwrap_err();
    assert!(
        matches!(
            lost,
            IppError::Lost {
                operation: Operation::SendDocument,
                ..
            }
        ),
        "{lost:?}"
    );
    assert!(
        lost.outcome_unknown() && lost.document_bytes_at_most() >= 20_000,
        "{lost}"
    );

    until(&sim, state_is("aborted")).await;
    let job = printer.job_attributes(id).await.unwrap();
    assert_eq!(
        (job.state, job.impressions_completed),
        (JobState::Aborted, Some(0))
    );
    assert_eq!(sim.report().sheets, 0);
    sim.stop().await;
}

#[tokio::test]
async fn a_job_whose_creation_was_not_answered_is_found_by_its_name() {
    let (sim, printer) = start(Knobs {
        lose_reply: Some(Replies::CreateJob),
        ..Knobs::default()
    })
    .await;
    let lost = printer
        .create_job(&NewJob::new("loket:4:1"))
        .await
        .unwrap_err();
    assert!(
        lost.outcome_unknown() && lost.document_bytes_at_most() == 0,
        "{lost:?}"
    );
    let jobs = printer.jobs(WhichJobs::NotCompleted, 100).await.unwrap();
    assert_eq!(
        (jobs.len(), jobs[0].name.as_deref()),
        (1, Some("loket:4:1"))
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_document_whose_arrival_was_not_answered_still_comes_out_once() {
    let (sim, printer) = start(Knobs {
        lose_reply: Some(Replies::SendDocument),
        ..Knobs::default()
    })
    .await;
    let id = printer
        .create_job(&NewJob::new("loket:5:1"))
        .await
        .unwrap()
        .id;
    let lost = printer
        .send_document(id, PDF, document())
        .await
        .unwrap_err();
    let len = u64::try_from(document().len()).unwrap();
    assert!(
        lost.outcome_unknown() && lost.document_bytes_at_most() == len,
        "{lost:?}"
    );
    assert_eq!(until(&sim, state_is("completed")).await.sheets, 1);
    assert_eq!(
        printer.job_attributes(id).await.unwrap().state,
        JobState::Completed
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_printer_that_forgot_gives_the_number_to_another_job_with_another_uuid() {
    let memory = Memory::ForgetRestartIds;
    let (sim, printer) = start(Knobs {
        memory,
        ..Knobs::default()
    })
    .await;
    let first = printer.create_job(&NewJob::new("loket:6:1")).await.unwrap();
    sim.power_cycle();
    let forgotten = printer.job_attributes(first.id).await.unwrap_err();
    assert!(forgotten.is_not_found(), "{forgotten}");
    let second = printer.create_job(&NewJob::new("loket:7:1")).await.unwrap();
    assert_eq!(second.id, first.id);
    assert_ne!(second.uuid, first.uuid);
    assert_eq!(
        printer.printer_attributes().await.unwrap().up_time_s,
        Some(1)
    );
    sim.stop().await;
}

#[tokio::test]
async fn an_empty_tray_stops_the_job_and_new_paper_finishes_it() {
    let (sim, printer) = start(Knobs {
        paper: Some(0),
        ..Knobs::default()
    })
    .await;
    let id = printer
        .create_job(&NewJob::new("loket:8:1"))
        .await
        .unwrap()
        .id;
    printer.send_document(id, PDF, document()).await.unwrap();
    until(&sim, state_is("processing-stopped")).await;

    let said = printer.printer_attributes().await.unwrap();
    let empty = StateReason {
        keyword: "media-empty".to_owned(),
        severity: Severity::Error,
    };
    assert_eq!(said.state, PrinterState::Stopped);
    assert!(
        said.state_reasons.contains(&empty),
        "{:?}",
        said.state_reasons
    );
    let job = printer.job_attributes(id).await.unwrap();
    assert_eq!(job.state, JobState::ProcessingStopped);

    sim.turn(|knobs| knobs.paper = Some(100));
    assert_eq!(until(&sim, state_is("completed")).await.sheets, 1);
    sim.stop().await;
}

#[tokio::test]
async fn a_held_job_is_canceled_and_then_listed_among_the_completed() {
    let (sim, printer) = start(Knobs::default()).await;
    let id = printer
        .create_job(&NewJob::new("loket:9:1"))
        .await
        .unwrap()
        .id;
    printer.cancel_job(id).await.unwrap();
    assert!(printer.cancel_job(id).await.unwrap_err().is_not_possible());
    assert_eq!(
        printer.jobs(WhichJobs::NotCompleted, 100).await.unwrap(),
        vec![]
    );
    let ended = printer.jobs(WhichJobs::Completed, 100).await.unwrap();
    assert_eq!((ended[0].id, ended[0].state), (id, JobState::Canceled));
    assert!(printer.cancel_job(77).await.unwrap_err().is_not_found());
    sim.stop().await;
}

#[tokio::test]
async fn jobs_lists_ours_alone_and_no_more_than_the_limit() {
    let (sim, printer) = start(Knobs::default()).await;
    let other = Options {
        requesting_user_name: "somebody".to_owned(),
        ..Options::default()
    };
    let other = IppPrinter::new(sim.uri(), other).unwrap();
    other.create_job(&NewJob::new("not ours")).await.unwrap();
    for attempt in 1..=3 {
        printer
            .create_job(&NewJob::new(&format!("loket:10:{attempt}")))
            .await
            .unwrap();
    }
    let ours = printer.jobs(WhichJobs::NotCompleted, 100).await.unwrap();
    let names: Vec<_> = ours.iter().filter_map(|job| job.name.as_deref()).collect();
    assert_eq!(names, ["loket:10:1", "loket:10:2", "loket:10:3"]);
    assert_eq!(
        printer
            .jobs(WhichJobs::NotCompleted, 2)
            .await
            .unwrap()
            .len(),
        2
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_busy_and_a_refusing_printer_are_told_apart() {
    let (sim, printer) = start(Knobs {
        busy: true,
        ..Knobs::default()
    })
    .await;
    printer.create_job(&NewJob::new("orphan")).await.unwrap();
    assert!(
        printer
            .create_job(&NewJob::new("loket:11:1"))
            .await
            .unwrap_err()
            .is_busy()
    );
    sim.turn(|knobs| {
        *knobs = Knobs {
            refuse: true,
            ..Knobs::default()
        }
    });
    let refused = printer
        .create_job(&NewJob::new("loket:11:1"))
        .await
        .unwrap_err();
    assert!(
        refused.is_not_accepting_jobs() && !refused.is_busy(),
        "{refused}"
    );
    assert!(
        !printer
            .printer_attributes()
            .await
            .unwrap()
            .is_accepting_jobs
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_job_is_validated_before_it_is_made() {
    let (sim, printer) = start(Knobs::default()).await;
    let job = NewJob {
        media: Media::Keyword,
        ..NewJob::new("loket:12:1")
    };
    printer.validate_job(&job, PDF).await.unwrap();
    let refused = printer.validate_job(&job, "text/html").await.unwrap_err();
    assert_eq!(refused.status(), Some(0x040A));
    assert_eq!(sim.report().jobs, vec![]);
    sim.stop().await;
}

#[tokio::test]
async fn impressions_that_a_printer_does_not_count_are_absent_and_not_zero() {
    let impressions = Impressions::Absent;
    let (sim, printer) = start(Knobs {
        impressions,
        ..Knobs::default()
    })
    .await;
    let id = printer
        .create_job(&NewJob::new("loket:13:1"))
        .await
        .unwrap()
        .id;
    printer.send_document(id, PDF, document()).await.unwrap();
    until(&sim, state_is("completed")).await;
    assert_eq!(
        printer
            .job_attributes(id)
            .await
            .unwrap()
            .impressions_completed,
        None
    );
    sim.turn(|knobs| knobs.impressions = Impressions::Zero);
    assert_eq!(
        printer
            .job_attributes(id)
            .await
            .unwrap()
            .impressions_completed,
        Some(0)
    );
    sim.stop().await;
}

#[tokio::test]
async fn a_printer_that_is_off_is_not_reached_and_nothing_has_left() {
    let (sim, printer) = start(Knobs::default()).await;
    sim.stop().await;
    let error = printer
        .create_job(&NewJob::new("loket:14:1"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, IppError::NotReached { .. }) && error.nothing_left(),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_error_and_a_job_tell_nothing_of_the_document() {
    let (sim, printer) = start(Knobs {
        stop_after_bytes: Some(1),
        ..Knobs::default()
    })
    .await;
    let id = printer
        .create_job(&NewJob::new("loket:15:1"))
        .await
        .unwrap()
        .id;
    let secret = format!("%PDF {CANARIES}");
    assert!(CANARIES.lines().all(|canary| secret.contains(canary)));
    let lost = printer.send_document(id, PDF, secret.into()).await;
    let lost = lost.unwrap_err();
    let told = format!("{lost} {lost:?} {printer:?}");
    let canary = CANARIES.lines().find(|canary| told.contains(canary));
    assert_eq!(canary, None);
    sim.stop().await;
}
