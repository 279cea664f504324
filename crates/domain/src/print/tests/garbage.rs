//! Any command in any state: nothing panics, and what is decided can be applied.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::print::{Answer, EffectStep, Step};

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::Machine), Just(Actor::Central), Just(officer())]
}

fn reason() -> impl Strategy<Value = Reason> {
    prop_oneof![
        Just(Reason::Replay),
        Just(Reason::Altered),
        Just(Reason::NotAfter),
        Just(Reason::Other)
    ]
}

fn intake() -> impl Strategy<Value = Intake> {
    let release = prop_oneof![
        Just(Release::Now),
        Just(Release::Officer),
        Just(Release::Code)
    ];
    let printer = option::of(prop_oneof![Just("b".to_owned()), Just("c".to_owned())]);
    let parts = (
        0..3_u8,
        0..3_u8,
        release,
        printer,
        option::weighted(0.2, reason()),
    );
    parts.prop_map(|(job, envelope, release, printer, bad)| {
        let mut facts = Box::new(facts(job_no(job)));
        match &mut facts.origin {
            Origin::Central {
                envelope: sealed, ..
            } if envelope > 0 => {
                *sealed = Sha256Digest::from_bytes([envelope; 32]);
            }
            origin => *origin = Origin::Local { by: None },
        }
        facts.release = release;
        facts.printer = printer;
        match bad {
            Some(reason) => Intake::Bad { facts, reason },
            None => Intake::Good(facts),
        }
    })
}

fn remote_view() -> impl Strategy<Value = RemoteView> {
    let state = prop_oneof![
        Just(RemoteState::Pending),
        Just(RemoteState::AwaitingDocument),
        Just(RemoteState::Held),
        Just(RemoteState::Processing),
        Just(RemoteState::Stopped),
        Just(RemoteState::Canceled),
        Just(RemoteState::Aborted),
        Just(RemoteState::Completed),
    ];
    let parts = (
        0..3_u8,
        0..4_u32,
        state,
        option::of(0..4_u32),
        option::of(any::<u32>()),
        any::<bool>(),
        option::of(any::<i32>()),
        option::of("[ab]"),
    );
    parts.prop_map(
        |(job, attempt, state, impressions, up_time_s, by_person, created_at_s, uuid)| RemoteView {
            id: 12,
            uuid: None,
            name: Some(job_name(job_no(job), attempt)),
            state,
            impressions,
            up_time_s,
            created_at_s,
            printer_uuid: uuid,
            is_canceled_by_person: by_person,
        },
    )
}

fn sighting() -> impl Strategy<Value = Sighting> {
    prop_oneof![1 => Just(Sighting::Absent), 1 => Just(Sighting::Unasked), 5 => remote_view().prop_map(Sighting::Seen)]
}

fn survey() -> impl Strategy<Value = PrinterSurvey> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let parts = (flags, vec(remote_view(), 0..3));
    let ready = parts.prop_map(|((is_single_document, trusts, takes_whole), jobs)| {
        let mark = PrinterMark {
            is_single_document,
            trusts_impressions: trusts,
            takes_whole,
            ..mark()
        };
        PrinterSurvey::Ready { mark, jobs }
    });
    prop_oneof![1 => Just(PrinterSurvey::FormatUnsupported), 9 => ready]
}

/// Observations of any job and attempt, whether or not there is one.
fn observation() -> impl Strategy<Value = Command> {
    let job = (0..3_u8).prop_map(job_no);
    let opened = prop_oneof![
        1 => Just(None),
        5 => Just(Some(revision().sha256)),
        1 => Just(Some(Sha256Digest::from_bytes([0; 32])))
    ];
    (job, 0..4_u32, 0..13_u8, opened).prop_map(|(job, attempt, kind, opened)| match kind {
        0 => Command::Created {
            job,
            attempt,
            remote: remote(),
            unsupported: Vec::new(),
        },
        1 => Command::CreateRefused { job, attempt },
        2 => Command::CreateUnclear { job, attempt },
        3 => Command::Prepared {
            job,
            attempt,
            opened,
        },
        4 => Command::Sent { job, attempt },
        5 => Command::SendNotTaken { job, attempt },
        6 => Command::CancelTried { job, attempt },
        7 => Command::Waits {
            job,
            attempt,
            reason: Reason::PrinterBusy,
        },
        8 => Command::SendNotDrawn { job, attempt },
        9 => Command::JobTaken {
            job,
            attempt,
            remote: remote(),
            unsupported: Vec::new(),
        },
        10 | 11 => Command::JobRefused {
            job,
            attempt,
            is_for_good: kind == 10,
        },
        _other => Command::SendUnclear { job, attempt },
    })
}

fn command() -> impl Strategy<Value = Command> {
    let job = || (0..3_u8).prop_map(job_no);
    let outcome = prop_oneof![
        6 => Just(Verification::Valid(revision())),
        1 => reason().prop_map(Verification::Refused)
    ];
    let answer = prop_oneof![
        Just(Answer::CameOut),
        Just(Answer::DidNot),
        Just(Answer::Damaged)
    ];
    let lane = prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("x".to_owned())
    ];
    prop_oneof![
        1 => Just(Command::Resume),
        1 => Just(Command::Tick),
        4 => intake().prop_map(Command::Accept),
        4 => job().prop_map(|job| Command::Received { job }),
        1 => (job(), reason()).prop_map(|(job, reason)| Command::FetchFailed { job, reason }),
        4 => (job(), outcome).prop_map(|(job, outcome)| Command::Verified { job, outcome }),
        2 => (job(), actor()).prop_map(|(job, by)| Command::Release { job, by }),
        1 => (job(), actor()).prop_map(|(job, by)| Command::Cancel { job, by }),
        2 => (job(), option::of(0..4_u32), answer, actor())
            .prop_map(|(job, attempt, answer, by)| Command::Answer { job, attempt, answer, by }),
        6 => (job(), lane, survey())
            .prop_map(|(job, printer, survey)| Command::Surveyed { job, printer, survey }),
        20 => observation(),
        6 => (job(), 1..3_u32, sighting())
            .prop_map(|(job, attempt, sighting)| Command::Sighted { job, attempt, sighting }),
        1 => job().prop_map(|job| Command::Shredded { job }),
    ]
}

#[test]
fn any_command_in_any_state_is_decided_and_what_is_decided_can_be_applied() {
    let config = Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let step = (command(), 0..40_u64, any::<bool>());
    let outcome = TestRunner::new_with_rng(config, rng).run(&vec(step, 1..60), |steps| {
        let mut bench = Bench::new();
        for (command, hours, trusted) in steps {
            bench.now.wall = NOON.saturating_add(Duration::from_secs(hours * 3600));
            bench.now.trusted = trusted;
            let before = bench.desk.clone();
            match bench.submit(command) {
                Ok(events) => {
                    let changed = events.iter().any(|event| event.what.is_change());
                    assert!(changed || bench.desk == before);
                }
                Err(refusal) => {
                    assert_eq!(bench.desk, before, "a refusal changes nothing");
                    assert!(!refusal.code().is_empty());
                }
            }
            let effects = bench.desk.effects(bench.now);
            let ids: std::collections::BTreeSet<_> = effects.iter().map(|todo| todo.id).collect();
            assert_eq!(ids.len(), effects.len(), "an effect's id is its own");
            for todo in &effects {
                let stage = bench.desk.job(todo.id.job).map(|job| &job.stage);
                let Some(Stage::Attempting(Attempt { step, .. })) = stage else {
                    continue;
                };
                let may = matches!(
                    (todo.id.step, step),
                    (EffectStep::Send, Step::Sending(_)) | (EffectStep::Print, Step::SendingWhole)
                );
                let sends = matches!(todo.id.step, EffectStep::Send | EffectStep::Print);
                assert!(may || !sends, "bytes leave only while the journal says so");
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Some ten seconds without optimisation.
const EVENTS: u64 = 40_000;

/// A journal that a disk has altered, where the checksum of the row did not tell: read or refused, and what was read is
/// applied or refused.
#[test]
fn fuzz_events() {
    let good: Vec<&[u8]> = [disk::EVENTS_V1, disk::EVENTS_V2, disk::EVENTS_V3]
        .iter()
        .flat_map(|text| text.lines().map(str::as_bytes))
        .collect();
    let mut read = 0_u64;
    loket_fuzz::fuzz_from("events", EVENTS, |seeded| {
        let mut desk = Bench::new().desk;
        for _event in 0..4 {
            let chosen = seeded.pick(&good).unwrap();
            let bytes = loket_fuzz::Mutator::new(seeded.clone()).alter(chosen);
            let Ok(event) = serde_json::from_slice::<Event>(&bytes) else {
                continue;
            };
            read += 1;
            let again = serde_json::to_vec(&event).unwrap();
            assert_eq!(serde_json::from_slice::<Event>(&again).unwrap(), event);
            let _applied = desk.apply(&event);
            let now = Bench::new().now;
            let _effects = desk.effects(now);
            let _lost = desk.decide(now, Command::Resume);
        }
    });
    assert!(read > 0, "control: some are still read");
}
