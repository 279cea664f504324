//! Central's rules for one job under whatever may arrive, in any order and any number of times.
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a test's own helpers fail like the test"
)]

use loket_domain::dispatch::{
    Answer, Change, EndedBy, Ingest, Input, Job, MachineCopy, OFFER_AGAIN_FIRST, OFFER_AGAIN_MAX,
    Place, Stream, SyncView, apply, decide,
};
use loket_wire::{
    Class, Epoch, JobId, JobReport, JobState, LocalJob, Party, Reason, Service, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const EPOCH: Epoch = Epoch::from_bytes([1; 16]);

fn created() -> Job {
    let id = JobId::from_parts(1, [1; 10]);
    let not_after = Timestamp::from_unix_ms(10_000_000);
    Job::created(
        id,
        "desa-1".parse().unwrap(),
        not_after,
        Timestamp::UNIX_EPOCH,
    )
}

fn local_job() -> LocalJob {
    LocalJob {
        reference: "LOKAL-010101010101".parse().unwrap(),
        service: Service::new("lokal").unwrap(),
        class: Class::Controlled,
        given_at: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::from_unix_ms(10_000_000),
        by: Some("wati".to_owned()),
        printer: None,
        revision: None,
    }
}

/// A job as it begins at central: ordered here, or met as one that was given to its machine by hand.
fn begun(is_local: bool) -> Job {
    let made = created();
    if is_local {
        Job::given_by_hand(made.id, made.machine, local_job(), made.created_at)
    } else {
        made
    }
}

/// An input that owns its report.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Met {
    Offer,
    /// The last says whether the machine calls the job one that was given to it by hand.
    Reported(Place, JobState, Option<Reason>, bool),
    Listed(Place, JobState, bool),
    Unlisted(bool, bool),
    JournalLost,
    WrittenOff,
    CancelAsked,
    Answered(bool),
    Tick,
}

fn states() -> impl Strategy<Value = JobState> {
    prop::sample::select(JobState::ALL.to_vec())
}

fn reasons() -> impl Strategy<Value = Option<Reason>> {
    prop::sample::select(vec![
        None,
        Some(Reason::Replay),
        Some(Reason::JournalLost),
        Some(Reason::AlreadySending),
        Some(Reason::OfficerSaw),
    ])
}

fn places() -> impl Strategy<Value = Place> {
    (1..4_u64, 1..8_u64).prop_map(|(generation, seq)| Place { generation, seq })
}

fn met() -> impl Strategy<Value = Met> {
    prop_oneof![
        3 => Just(Met::Offer),
        5 => (places(), states(), reasons(), any::<bool>())
            .prop_map(|(p, s, r, l)| Met::Reported(p, s, r, l)),
        2 => (places(), states(), any::<bool>()).prop_map(|(p, s, b)| Met::Listed(p, s, b)),
        1 => any::<(bool, bool)>().prop_map(|(settled, answer)| Met::Unlisted(settled, answer)),
        1 => Just(Met::WrittenOff),
        1 => Just(Met::JournalLost),
        1 => Just(Met::CancelAsked),
        1 => any::<bool>().prop_map(Met::Answered),
        2 => Just(Met::Tick),
    ]
}

fn report(job: &Job, state: JobState, reason: Option<Reason>) -> JobReport {
    JobReport {
        job_id: job.id,
        state,
        reason,
        attempt: None,
        sheet_count: None,
        actor: None,
        at: Timestamp::UNIX_EPOCH,
        clock_trusted: false,
        local: None,
    }
}

/// Feeds what was met; a refusal changes nothing.
fn feed(job: &mut Job, now: Timestamp, seq: u64, met: &Met) -> Vec<Change> {
    let owned;
    let input = match met {
        Met::Offer => Input::Offer {
            epoch: EPOCH,
            command_seq: seq,
        },
        Met::Reported(place, state, reason, is_local) => {
            owned = JobReport {
                local: is_local.then(|| Box::new(local_job())),
                ..report(job, *state, *reason)
            };
            Input::Reported {
                place: *place,
                report: &owned,
            }
        }
        Met::Listed(place, state, is_settled) => Input::Listed {
            place: *place,
            state: *state,
            is_settled: *is_settled,
        },
        Met::Unlisted(is_settled, is_answer) => Input::Unlisted {
            is_settled: *is_settled,
            asked_at: is_answer.then_some(now),
        },
        Met::WrittenOff => Input::WrittenOff,
        Met::JournalLost => Input::JournalLost,
        Met::CancelAsked => Input::CancelAsked { command_seq: seq },
        Met::Answered(true) => Input::Answered(Answer::Printed),
        Met::Answered(false) => Input::Answered(Answer::FoundNone),
        Met::Tick => Input::Tick,
    };
    let changes = decide(job, now, input).unwrap_or_default();
    for change in &changes {
        apply(job, now, change);
    }
    changes
}

/// What a person may say of a lost job, and what of its machine's copy.
fn check_copy(before: &Job, after: &Job, met: &Met) -> Result<(), TestCaseError> {
    let is_machines_word = matches!(met, Met::Reported(..));
    if before.ended_by == Some(EndedBy::Person) {
        let is_sheet = is_machines_word && before.state != JobState::Printed;
        prop_assert!(
            after.state == before.state || (is_sheet && after.ended_by == Some(EndedBy::Machine)),
            "what a person saw came undone without a sheet"
        );
    }
    if after.reason == Some(Reason::OfficerFoundNone) && *met == Met::Answered(false) {
        let is_same = before == after;
        prop_assert!(
            is_same || before.copy == Some(MachineCopy::Gone),
            "none was taken while a copy may print"
        );
    }
    let may_print = before.copy != Some(MachineCopy::Gone);
    if may_print && after.copy == Some(MachineCopy::Gone) {
        let is_end = matches!(met, Met::Reported(_, state, ..) if state.is_end());
        let is_word = is_end || matches!(met, Met::Unlisted(true, true) | Met::WrittenOff);
        prop_assert!(is_word, "nobody said that no copy prints");
    }
    let is_lost = (after.state, after.reason) == (JobState::Unknown, Some(Reason::JournalLost));
    prop_assert!(!is_lost || after.copy.is_some());
    Ok(())
}

fn check_step(before: &Job, after: &Job, met: &Met, now: Timestamp) -> Result<(), TestCaseError> {
    let is_machines_word = matches!(met, Met::Reported(..));
    let was_lost = before.reason == Some(Reason::JournalLost);
    if before.ended_by == Some(EndedBy::Machine) {
        prop_assert!(
            after.state.is_end(),
            "an end that the machine reported came undone"
        );
        let is_corrected = (after.state, after.reason) != (before.state, before.reason);
        prop_assert!(
            !is_corrected || is_machines_word,
            "central corrected the machine"
        );
    }
    if before.state == JobState::Printed && before.ended_by == Some(EndedBy::Machine) {
        let life = before.reported.map(|last| last.generation);
        let is_same_life =
            matches!(met, Met::Reported(place, ..) if life == Some(place.generation));
        prop_assert!(
            after.state == JobState::Printed || is_same_life,
            "a sheet was called back"
        );
    }
    if before.state.is_with_machine() && after.state.is_end() {
        let by_answer = was_lost && matches!(met, Met::Answered(_));
        prop_assert!(
            is_machines_word || by_answer,
            "central ended what a machine holds"
        );
    }
    if before.state.is_end() && !after.state.is_end() {
        let by_machine = is_machines_word || matches!(met, Met::Listed(..));
        prop_assert!(by_machine && before.ended_by == Some(EndedBy::Central));
    }
    let is_kept = before.local == after.local;
    prop_assert!(is_kept, "who ordered it is known from its beginning");
    if after.local.is_some() {
        let is_here = after.state.may_be_ended_by(Party::Central) || after.offer_count > 0;
        prop_assert!(!is_here, "a job given by hand was never central's to offer");
    }
    check_copy(before, after, met)?;
    prop_assert_eq!(after.ended_at.is_some(), after.state.is_end());
    prop_assert_eq!(after.ended_by.is_some(), after.state.is_end());
    prop_assert!(
        after.reported >= before.reported,
        "the last place went back"
    );
    if after.offer_count > before.offer_count {
        prop_assert!(
            before.state.may_be_ended_by(Party::Central),
            "offered what a machine has"
        );
        let wait = after.next_offer_at.since(now);
        prop_assert!((OFFER_AGAIN_FIRST..=OFFER_AGAIN_MAX).contains(&wait));
    }
    Ok(())
}

/// Whether something can still end the job: nothing is stuck.
fn check_way_out(job: &Job) -> Result<(), TestCaseError> {
    let after_all = job.not_after.saturating_add(OFFER_AGAIN_MAX);
    match job.state {
        JobState::Created | JobState::Offered => {
            prop_assert_eq!(
                decide(job, after_all, Input::Tick),
                Ok(vec![Change::Expired])
            );
        }
        JobState::Fetching
        | JobState::Journalled
        | JobState::Held
        | JobState::Printing
        | JobState::Unknown => {
            let next = Place {
                generation: 9,
                seq: 1,
            };
            let printed = report(job, JobState::Printed, None);
            let input = Input::Reported {
                place: next,
                report: &printed,
            };
            let mut told = job.clone();
            for change in decide(job, after_all, input).unwrap() {
                apply(&mut told, after_all, &change);
            }
            prop_assert_eq!(told.state, JobState::Printed);
            let mut lost = job.clone();
            let way_out = [
                Input::JournalLost,
                Input::WrittenOff,
                Input::Answered(Answer::FoundNone),
            ];
            for input in way_out {
                for change in decide(&lost, after_all, input).unwrap() {
                    apply(&mut lost, after_all, &change);
                }
            }
            prop_assert_eq!(lost.state, JobState::Failed);
        }
        JobState::Printed
        | JobState::Failed
        | JobState::Rejected
        | JobState::Expired
        | JobState::Cancelled => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_breaks_a_rule(
        is_local: bool,
        steps in prop::collection::vec((met(), 0..400_000_i64), 1..40),
    ) {
        let mut job = begun(is_local);
        let mut now_ms = 0;
        let mut history = Vec::new();
        for (seq, (met, passed_ms)) in (1..).zip(&steps) {
            now_ms += passed_ms;
            let now = Timestamp::from_unix_ms(now_ms);
            let before = job.clone();
            let changes = feed(&mut job, now, seq, met);
            check_step(&before, &job, met, now)?;
            check_way_out(&job)?;
            // The same message again changes nothing but notes.
            if matches!(met, Met::Reported(..)) {
                let once = job.clone();
                feed(&mut job, now, seq, met);
                prop_assert_eq!(&once, &job);
            }
            history.extend(changes.into_iter().map(|change| (now, change)));
        }
        // What stands on disk tells the same story.
        let mut folded = begun(is_local);
        for (at, change) in history {
            let read = Change::from_json(&change.to_json().unwrap()).unwrap();
            apply(&mut folded, at, &read);
        }
        prop_assert_eq!(folded, job);
    }

    #[test]
    fn repetition_and_disorder_of_reports_change_nothing(
        reports in prop::collection::vec((states(), reasons()), 1..12),
        deliveries in prop::collection::vec(1..13_u64, 0..60),
    ) {
        let deliver = |order: &[u64]| {
            let (mut job, mut stream) = (created(), Stream::default());
            feed(&mut job, Timestamp::UNIX_EPOCH, 1, &Met::Offer);
            for seq in order {
                let Some((state, reason)) = usize::try_from(*seq).ok().and_then(|seq| reports.get(seq - 1)) else {
                    continue;
                };
                let committed = stream.committed_seq;
                match stream.ingest(EPOCH, *seq) {
                    Ingest::Commit { stream: next, place } => {
                        assert_eq!(*seq, committed + 1);
                        stream = next;
                        feed(&mut job, Timestamp::UNIX_EPOCH, 1, &Met::Reported(place, *state, *reason, false));
                    }
                    Ingest::Duplicate => assert!(*seq <= committed),
                    Ingest::Ahead { expected_seq } => assert!(*seq > expected_seq),
                    Ingest::OtherEpoch => panic!("there is one epoch"),
                }
            }
            (job, stream)
        };
        let in_order: Vec<_> = (1..=12).collect();
        // The machine sends what is not acknowledged until it is.
        let disorder: Vec<_> = deliveries.iter().chain(&in_order).copied().collect();
        prop_assert_eq!(deliver(&in_order), deliver(&disorder));
    }

    #[test]
    fn a_sync_never_forgets_and_never_skips_in_silence(
        known in (any::<bool>(), 0..20_u64),
        said in (any::<bool>(), prop::option::of(0..25_u64), 0..25_u64),
    ) {
        let (is_heard, committed_seq) = known;
        let (is_same, first_event_seq, last_event_seq) = said;
        let stream = if is_heard {
            Stream { epoch: Some(EPOCH), generation: 1, committed_seq }
        } else {
            Stream::default()
        };
        let epoch = if is_same { EPOCH } else { Epoch::from_bytes([2; 16]) };
        let view = SyncView { epoch, first_event_seq, last_event_seq };
        let synced = stream.sync(&view, None);
        let after = synced.stream;
        prop_assert_eq!(after.epoch, Some(epoch));
        if synced.is_journal_lost() || !is_heard {
            prop_assert_eq!(after.generation, stream.generation + 1);
        } else {
            prop_assert_eq!(after.generation, stream.generation);
            prop_assert!(after.committed_seq >= stream.committed_seq);
        }
        // What is passed over is what was committed, or is told as a gap.
        if let Some((from, to)) = synced.gap {
            prop_assert!(from <= to && to == after.committed_seq && to <= last_event_seq);
        }
        // The machine's next report fits, whatever it holds.
        let next = first_event_seq.map_or(last_event_seq + 1, |first| first.clamp(1, last_event_seq + 1));
        let ingest = after.ingest(epoch, next);
        let fits = matches!(ingest, Ingest::Commit { .. } | Ingest::Duplicate);
        prop_assert!(fits, "{:?}", ingest);
        // The same sync again is no second loss.
        let again = after.sync(&view, None);
        prop_assert!(!again.is_new_epoch && again.gap.is_none());
    }
}
