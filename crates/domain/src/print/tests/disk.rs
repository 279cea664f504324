//! The disk form: what version 1 wrote is read for ever, and no kind of event is without an example.

use super::*;
use crate::print::attempt::Afterwards;
use crate::print::{Answer, Holds, event};

/// Journals of version 1, one event of each kind a line.
pub(super) const EVENTS_V1: &str = include_str!("../../../fixtures/print-events-v1.jsonl");

/// Journals of version 2.
pub(super) const EVENTS_V2: &str = include_str!("../../../fixtures/print-events-v2.jsonl");

/// Journals of version 3.
pub(super) const EVENTS_V3: &str = include_str!("../../../fixtures/print-events-v3.jsonl");

/// Those of version 2, and what came with version 3: rasters, and printers that take a job only with its document.
fn examples() -> Vec<What> {
    let raster = RasterSetup {
        format: RasterFormat::Pwg,
        colours: RasterColours::Gray,
        resolution_dpi: 600,
        coarser_dpi: None,
    };
    let mut all = examples_v2();
    all.extend([
        What::AttemptStarted {
            no: 2,
            printer: "a".to_owned(),
            mark: PrinterMark {
                format: "image/pwg-raster".to_owned(),
                raster: Some(raster),
                takes_whole: true,
                ..mark()
            },
        },
        What::JobRefused { is_for_good: false },
        What::JobRefused { is_for_good: true },
    ]);
    all
}

/// Those of version 1, those that it had not, and those that say more than they did.
fn examples_v2() -> Vec<What> {
    let then = Afterwards::TryAgain;
    let mut all = examples_v1();
    all.extend([
        What::CheckingRemote,
        What::RemoteConfirmed,
        What::CancelDue,
        What::CancelTried,
        What::StrayFound {
            printer: "a".to_owned(),
            name: job_name(job_no(9), 1),
            remote: remote(),
            holds: Holds::Nothing,
            mark: mark(),
        },
        What::StrayCleared,
        What::StrayStays,
        What::ForgottenSeen {
            no: 2,
            printer: "a".to_owned(),
            mark: mark(),
            left: Some(remote()),
        },
        What::Waiting {
            reason: Some(Reason::PrinterBusy),
        },
        What::CreationUnclear { by_printer: true },
        What::CancellingRemote {
            remote: remote(),
            bytes_left: false,
            then,
            by_printer: true,
        },
        What::BecameUnknown {
            reason: Reason::FateNotSeen,
            left: Some(remote()),
        },
    ]);
    all
}

/// One of each kind of version 1.
fn examples_v1() -> Vec<What> {
    let facts = Box::new(Facts {
        printer: Some("a".to_owned()),
        ..facts(job_no(1))
    });
    let then = Afterwards::End {
        state: JobState::Cancelled,
        reason: Reason::ByCentral,
    };
    vec![
        What::Accepted { facts },
        What::Restated {
            state: JobState::Unknown,
            reason: Some(Reason::PrinterForgot),
        },
        What::Received,
        What::Verified {
            revision: revision(),
        },
        What::Held,
        What::Released,
        What::AttemptStarted {
            no: 1,
            printer: "a".to_owned(),
            mark: mark(),
        },
        What::RemoteCreated { remote: remote() },
        What::CreationUnclear { by_printer: false },
        What::SendingBegan,
        What::SendingUnclear,
        What::Sent,
        What::CalledOff {
            reason: Reason::ByOfficer,
        },
        What::CancellingRemote {
            remote: remote(),
            bytes_left: true,
            then,
            by_printer: false,
        },
        What::AttemptFailed,
        What::CancelRefused,
        What::BecameUnknown {
            reason: Reason::PrinterRestarted,
            left: None,
        },
        What::Answered {
            answer: Answer::DidNot,
            lets_be: false,
        },
        What::Ended {
            state: JobState::Printed,
            reason: None,
            sheet_count: Some(2),
        },
        What::Shredded,
    ]
}

/// Variants of [`What`]: the match has no wildcard, so that a new kind is not forgotten here.
const fn kind_count(what: &What) -> usize {
    match what {
        What::Accepted { .. }
        | What::Restated { .. }
        | What::Received
        | What::Verified { .. }
        | What::Held
        | What::Released
        | What::AttemptStarted { .. }
        | What::RemoteCreated { .. }
        | What::CreationUnclear { .. }
        | What::CheckingRemote
        | What::RemoteConfirmed
        | What::SendingBegan
        | What::SendingUnclear
        | What::JobRefused { .. }
        | What::Sent
        | What::CalledOff { .. }
        | What::CancellingRemote { .. }
        | What::CancelDue
        | What::CancelTried
        | What::StrayFound { .. }
        | What::StrayCleared
        | What::StrayStays
        | What::ForgottenSeen { .. }
        | What::Waiting { .. }
        | What::AttemptFailed
        | What::CancelRefused
        | What::BecameUnknown { .. }
        | What::Answered { .. }
        | What::Ended { .. }
        | What::Shredded => 30,
    }
}

fn event_of(what: What) -> Event {
    let actor = match &what {
        What::Accepted { .. } => Actor::Central,
        What::Answered { .. } => officer(),
        _other => Actor::Machine,
    };
    Event {
        v: event::EVENT_VERSION,
        job_id: job_no(1),
        at: NOON,
        clock_trusted: true,
        actor,
        what,
    }
}

fn read(lines: &str) -> Vec<Event> {
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_journals_of_every_version_are_read() {
    let old = |what| Event {
        v: 1,
        ..event_of(what)
    };
    let expect: Vec<Event> = examples_v1().into_iter().map(old).collect();
    assert_eq!(read(EVENTS_V1), expect);
    let old = |what| Event {
        v: 2,
        ..event_of(what)
    };
    let expect: Vec<Event> = examples_v2().into_iter().map(old).collect();
    assert_eq!(read(EVENTS_V2), expect);
    let expect: Vec<Event> = examples().into_iter().map(event_of).collect();
    assert_eq!(read(EVENTS_V3), expect);
}

#[test]
fn every_kind_of_event_has_an_example_that_is_written_as_its_version_wrote_it() {
    let examples = examples();
    let kinds: std::collections::BTreeSet<&str> = examples.iter().map(What::kind).collect();
    assert_eq!(kinds.len(), kind_count(&examples[0]));
    let written: Vec<String> = examples
        .into_iter()
        .map(|what| serde_json::to_string(&event_of(what)).unwrap())
        .collect();
    let lines: Vec<&str> = EVENTS_V3.lines().collect();
    // A new kind: its line is in this message, to be added to the fixture.
    assert_eq!(written, lines, "as of today:\n{}\n", written.join("\n"));
}

#[test]
fn the_kind_on_disk_is_the_kind_in_words() {
    for what in examples() {
        let kind = what.kind();
        let json = serde_json::to_value(event_of(what)).unwrap();
        assert_eq!(json["kind"], kind);
        assert_eq!(json["v"], event::EVENT_VERSION);
    }
}

#[test]
fn an_event_that_cannot_follow_is_named_with_the_state_it_met_and_changes_nothing() {
    for stage in STAGES {
        for what in examples() {
            let mut bench = Bench::new().at(stage);
            let before = bench.desk.clone();
            let kind = what.kind();
            if let Err(illegal) = bench.desk.apply(&event_of(what)) {
                assert_eq!(bench.desk, before, "{stage} {kind}");
                assert_eq!(illegal.event, kind);
            }
        }
    }
}
