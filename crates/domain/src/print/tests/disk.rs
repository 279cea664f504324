//! The disk form: what version 1 wrote is read for ever, and no kind of event is without an example.

use super::*;
use crate::print::attempt::Afterwards;
use crate::print::{Answer, event};

/// Journals of version 1, one event of each kind a line.
const EVENTS_V1: &str = include_str!("../../../fixtures/print-events-v1.jsonl");

/// One of each kind. A new kind does not compile here until it has its line in `kind_count`.
fn examples() -> Vec<What> {
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
        What::CreationUnclear,
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
        },
        What::AttemptFailed,
        What::CancelRefused,
        What::BecameUnknown {
            reason: Reason::PrinterRestarted,
        },
        What::Answered {
            answer: Answer::DidNot,
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
        | What::CreationUnclear
        | What::SendingBegan
        | What::SendingUnclear
        | What::Sent
        | What::CalledOff { .. }
        | What::CancellingRemote { .. }
        | What::AttemptFailed
        | What::CancelRefused
        | What::BecameUnknown { .. }
        | What::Answered { .. }
        | What::Ended { .. }
        | What::Shredded => 20,
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

#[test]
fn the_journal_of_version_1_is_read() {
    let read: Vec<Event> = EVENTS_V1
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let expect: Vec<Event> = examples().into_iter().map(event_of).collect();
    assert_eq!(read, expect);
}

#[test]
fn every_kind_of_event_has_an_example_that_is_written_as_version_1_wrote_it() {
    let examples = examples();
    let kinds: std::collections::BTreeSet<&str> = examples.iter().map(What::kind).collect();
    assert_eq!(kinds.len(), examples.len());
    assert_eq!(kinds.len(), kind_count(&examples[0]));
    let written: Vec<String> = examples
        .into_iter()
        .map(|what| serde_json::to_string(&event_of(what)).unwrap())
        .collect();
    let lines: Vec<&str> = EVENTS_V1.lines().collect();
    // A new kind: its line is in this message, to be added to the fixture.
    assert_eq!(written, lines, "as of today:\n{}\n", written.join("\n"));
}

#[test]
fn the_kind_on_disk_is_the_kind_in_words() {
    for what in examples() {
        let kind = what.kind();
        let json = serde_json::to_value(event_of(what)).unwrap();
        assert_eq!(json["kind"], kind);
        assert_eq!(json["v"], 1);
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
