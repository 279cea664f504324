//! Central's rules for one job, case by case.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own helpers fail like the test"
)]

use std::time::Duration;

use loket_domain::dispatch::{
    Answer, CHANGE_VERSION, Change, ChangeError, EndedBy, Input, Job, MachineCopy,
    OFFER_AGAIN_FIRST, OFFER_AGAIN_MAX, Place, Refusal, apply, decide,
};
use loket_wire::order::ReprintOf;
use loket_wire::{Epoch, JobId, JobReport, JobState, Reason, Timestamp};

const EPOCH: Epoch = Epoch::from_bytes([1; 16]);

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

fn id() -> JobId {
    JobId::from_parts(1, [1; 10])
}

fn created() -> Job {
    Job::created(id(), "desa-1".parse().unwrap(), at(100_000), at(0))
}

fn say(state: JobState, reason: Option<Reason>) -> JobReport {
    JobReport {
        job_id: id(),
        state,
        reason,
        attempt: None,
        sheet_count: None,
        actor: None,
        at: at(0),
        clock_trusted: false,
        local: None,
    }
}

fn feed(job: &mut Job, seconds: i64, input: Input<'_>) -> Vec<Change> {
    let changes = decide(job, at(seconds), input).unwrap();
    for change in &changes {
        apply(job, at(seconds), change);
    }
    changes
}

fn report_in(job: &mut Job, generation: u64, seq: u64, state: JobState, reason: Option<Reason>) {
    let report = say(state, reason);
    let place = Place { generation, seq };
    let input = Input::Reported {
        place,
        report: &report,
    };
    feed(job, 10, input);
}

fn offer(job: &mut Job, seconds: i64, command_seq: u64) {
    let input = Input::Offer {
        epoch: EPOCH,
        command_seq,
    };
    feed(job, seconds, input);
}

/// A whole list without the job, which answers central's question.
const UNLISTED: Input<'_> = Input::Unlisted {
    is_settled: true,
    asked_at: Some(at(3_600)),
};

fn held() -> Job {
    let mut job = created();
    offer(&mut job, 0, 1);
    report_in(&mut job, 1, 1, JobState::Fetching, None);
    report_in(&mut job, 1, 2, JobState::Journalled, None);
    report_in(&mut job, 1, 3, JobState::Held, None);
    job
}

#[test]
fn an_order_is_offered_again_after_a_minute_then_doubling_up_to_an_hour() {
    let mut job = created();
    let mut now = 0;
    let mut waits = Vec::new();
    for seq in 1..=9 {
        offer(&mut job, now, seq);
        let early = Input::Offer {
            epoch: EPOCH,
            command_seq: 99,
        };
        let due_at = job.next_offer_at;
        assert_eq!(
            decide(&job, at(now), early),
            Err(Refusal::NotDue { due_at })
        );
        waits.push(due_at.since(at(now)));
        now = due_at.unix_ms() / 1000;
    }
    assert_eq!(waits[0], OFFER_AGAIN_FIRST);
    assert_eq!(waits[1], 2 * OFFER_AGAIN_FIRST);
    assert_eq!(waits[5], 32 * OFFER_AGAIN_FIRST);
    assert_eq!(waits[6..], [OFFER_AGAIN_MAX; 3]);
    assert_eq!(job.command_seq, Some(9));
}

#[test]
fn what_the_machine_has_is_neither_offered_nor_expired_nor_ended_by_central() {
    for state in [
        JobState::Fetching,
        JobState::Journalled,
        JobState::Held,
        JobState::Printing,
        JobState::Unknown,
    ] {
        let mut job = created();
        offer(&mut job, 0, 1);
        report_in(&mut job, 1, 1, state, None);
        let again = Input::Offer {
            epoch: EPOCH,
            command_seq: 2,
        };
        let refused = Err(Refusal::NotOfferable { state });
        assert_eq!(decide(&job, at(5000), again), refused);
        assert!(feed(&mut job, 200_000, Input::Tick).is_empty());
        let asked = feed(&mut job, 20, Input::CancelAsked { command_seq: 3 });
        assert_eq!(asked, [Change::CancelAsked { command_seq: 3 }]);
        assert_eq!(job.state, state);
        assert!(job.cancel_asked);
    }
}

#[test]
fn central_ends_what_was_never_sent_at_once_and_asks_where_an_offer_had_left() {
    let mut job = created();
    let changes = feed(&mut job, 1, Input::CancelAsked { command_seq: 1 });
    assert_eq!(changes, [Change::Cancelled]);
    assert_eq!((job.state, job.cancel_asked), (JobState::Cancelled, false));

    let mut job = created();
    offer(&mut job, 0, 1);
    feed(&mut job, 1, Input::CancelAsked { command_seq: 2 });
    assert_eq!((job.state, job.cancel_asked), (JobState::Cancelled, true));
    let twice = decide(&job, at(2), Input::CancelAsked { command_seq: 3 });
    let state = JobState::Cancelled;
    assert_eq!(twice, Err(Refusal::AlreadyEnded { state }));
    // The order got there first: what the machine says wins, and it still owes the answer.
    report_in(&mut job, 1, 1, JobState::Held, None);
    assert_eq!((job.state, job.cancel_asked), (JobState::Held, true));
    report_in(
        &mut job,
        1,
        2,
        JobState::Printing,
        Some(Reason::AlreadySending),
    );
    assert_eq!((job.state, job.cancel_asked), (JobState::Printing, false));
}

#[test]
fn time_runs_out_only_for_what_no_machine_has() {
    for is_offered in [false, true] {
        let mut job = created();
        if is_offered {
            offer(&mut job, 0, 1);
        }
        assert!(feed(&mut job, 100_000, Input::Tick).is_empty());
        assert_eq!(feed(&mut job, 100_001, Input::Tick), [Change::Expired]);
        assert_eq!(job.reason, Some(Reason::NotAfter));
        assert_eq!(job.ended_by, Some(EndedBy::Central));
        report_in(&mut job, 1, 1, JobState::Printed, None);
        assert_eq!(
            (job.state, job.ended_by),
            (JobState::Printed, Some(EndedBy::Machine))
        );
    }
}

#[test]
fn an_end_the_machine_reported_is_corrected_only_by_another_end() {
    let mut job = held();
    report_in(
        &mut job,
        1,
        4,
        JobState::Failed,
        Some(Reason::PrinterAborted),
    );
    report_in(&mut job, 1, 5, JobState::Held, None);
    report_in(&mut job, 1, 6, JobState::Unknown, None);
    assert_eq!(job.state, JobState::Failed);
    report_in(&mut job, 1, 7, JobState::Printed, Some(Reason::OfficerSaw));
    assert_eq!(job.state, JobState::Printed);
    report_in(&mut job, 1, 6, JobState::Cancelled, None);
    assert_eq!(job.state, JobState::Printed, "an earlier place is old news");
}

#[test]
fn a_copy_from_an_older_journal_cannot_call_a_sheet_back() {
    let mut job = held();
    report_in(&mut job, 1, 4, JobState::Printed, None);
    report_in(&mut job, 2, 1, JobState::Held, None);
    report_in(&mut job, 2, 2, JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(job.state, JobState::Printed);

    let mut job = held();
    report_in(&mut job, 2, 1, JobState::Held, None);
    report_in(&mut job, 1, 4, JobState::Printing, None);
    assert_eq!(
        job.state,
        JobState::Held,
        "an earlier life does not overrule"
    );
    report_in(&mut job, 1, 5, JobState::Printed, None);
    assert_eq!(job.state, JobState::Printed, "but its sheet is there");
}

#[test]
fn a_lost_journal_makes_the_held_unknown_and_the_offered_due_anew() {
    let mut job = held();
    assert_eq!(feed(&mut job, 20, Input::JournalLost), [Change::Lost]);
    assert_eq!(
        (job.state, job.reason),
        (JobState::Unknown, Some(Reason::JournalLost))
    );
    assert!(
        feed(&mut job, 21, Input::JournalLost).is_empty(),
        "said once"
    );
    // A late report of the old journal still tells the truth.
    let mut late = job.clone();
    report_in(&mut late, 1, 4, JobState::Printed, None);
    assert_eq!(late.state, JobState::Printed);
    // Otherwise somebody looks.
    let cancel = decide(&job, at(22), Input::CancelAsked { command_seq: 9 });
    assert_eq!(cancel, Err(Refusal::JournalLost));
    feed(&mut job, 23, UNLISTED);
    feed(&mut job, 23, Input::Answered(Answer::FoundNone));
    assert_eq!(
        (job.state, job.reason),
        (JobState::Failed, Some(Reason::OfficerFoundNone))
    );

    let mut job = created();
    assert!(feed(&mut job, 1, Input::JournalLost).is_empty());
    offer(&mut job, 1, 1);
    let changes = feed(&mut job, 2, Input::JournalLost);
    assert_eq!(changes, [Change::OfferDue { seal_anew: true }]);
    assert_eq!(
        (job.epoch, job.next_offer_at, job.offer_count),
        (None, at(2), 0)
    );
    assert_eq!(job.state, JobState::Offered, "its order may be on its way");
}

#[test]
fn only_a_job_whose_journal_is_lost_is_answered_at_central() {
    let mut job = held();
    report_in(&mut job, 1, 4, JobState::Unknown, Some(Reason::FateNotSeen));
    let state = JobState::Unknown;
    let refused = decide(&job, at(20), Input::Answered(Answer::Printed));
    assert_eq!(refused, Err(Refusal::NotLost { state }));
}

#[test]
fn a_refused_replay_says_nothing_of_the_job() {
    let mut job = created();
    offer(&mut job, 0, 1);
    report_in(&mut job, 1, 1, JobState::Rejected, Some(Reason::Replay));
    assert_eq!(job.state, JobState::Offered);
    report_in(&mut job, 1, 2, JobState::Rejected, Some(Reason::Altered));
    assert_eq!(job.state, JobState::Rejected);
}

#[test]
fn a_machine_cannot_say_what_only_central_says() {
    for state in [JobState::Created, JobState::Offered] {
        let report = say(state, None);
        let place = Place {
            generation: 1,
            seq: 1,
        };
        let input = Input::Reported {
            place,
            report: &report,
        };
        let refused = Err(Refusal::NotAMachinesState { state });
        assert_eq!(decide(&created(), at(1), input), refused);
    }
}

#[test]
fn a_list_of_open_jobs_repairs_what_central_forgot() {
    let listed = |state, is_settled| Input::Listed {
        place: Place {
            generation: 1,
            seq: 9,
        },
        state,
        is_settled,
    };
    // Restored from a backup, central believes that it never offered the job.
    let mut job = created();
    feed(&mut job, 1, listed(JobState::Held, false));
    assert_eq!(job.state, JobState::Held);
    report_in(&mut job, 1, 8, JobState::Journalled, None);
    assert_eq!(job.state, JobState::Held, "the list knew that report");
    // While reports are under way they tell it.
    let mut job = held();
    assert!(feed(&mut job, 1, listed(JobState::Printing, false)).is_empty());
    feed(&mut job, 1, listed(JobState::Printing, true));
    assert_eq!(job.state, JobState::Printing);
    // It does not wake what the machine ended, nor hide that a journal was lost.
    report_in(&mut job, 1, 10, JobState::Printed, None);
    feed(&mut job, 1, listed(JobState::Held, true));
    assert_eq!(
        (job.state, job.copy),
        (JobState::Printed, Some(MachineCopy::Held))
    );
    let mut job = held();
    feed(&mut job, 1, Input::JournalLost);
    feed(&mut job, 1, listed(JobState::Held, true));
    assert_eq!(
        (job.state, job.reason),
        (JobState::Unknown, Some(Reason::JournalLost))
    );
}

#[test]
fn a_job_missing_in_a_whole_list_is_due_again_or_unknown() {
    let mut job = created();
    offer(&mut job, 0, 1);
    let missing = |is_settled| Input::Unlisted {
        is_settled,
        asked_at: Some(at(3_600)),
    };
    assert_eq!(
        feed(&mut job, 5, missing(false)),
        [Change::OfferDue { seal_anew: false }]
    );
    assert_eq!((job.next_offer_at, job.epoch), (at(5), Some(EPOCH)));
    let mut job = held();
    assert!(
        feed(&mut job, 5, missing(false)).is_empty(),
        "its report is under way"
    );
    let unasked = Input::Unlisted {
        is_settled: true,
        asked_at: None,
    };
    let kept = decide(&job, at(5), unasked);
    assert_eq!(
        kept,
        Err(Refusal::Unproven),
        "an older one that a broker kept?"
    );
    assert_eq!(feed(&mut job, 5, missing(true)), [Change::Lost]);
    assert_eq!(
        decide(&job, at(6), missing(false)),
        Err(Refusal::Unsettled),
        "its copy's reports may be under way"
    );
    assert_eq!(feed(&mut job, 6, missing(true)), [Change::CopyGone]);
    assert!(feed(&mut job, 7, missing(true)).is_empty(), "said once");
    assert!(feed(&mut job, 7, unasked).is_empty(), "nothing to prove");
}

#[test]
fn a_list_that_may_be_older_than_the_ask_for_the_document_loses_no_job() {
    let mut job = created();
    offer(&mut job, 0, 1);
    feed(&mut job, 10, Input::DocumentAsked);
    let missing = UNLISTED;
    assert!(feed(&mut job, 11, missing).is_empty(), "it was under way");
    assert_eq!(job.state, JobState::Fetching);
    let mut asked = job.clone();
    assert_eq!(feed(&mut asked, 70, missing), [Change::Lost]);
    // A report has its place among the lists: the next one that does not name the job counts at once.
    report_in(&mut job, 1, 1, JobState::Fetching, None);
    assert_eq!(feed(&mut job, 12, missing), [Change::Lost]);
}

/// Later kinds of the same version.
fn of_copies(place: Place) -> [Change; 4] {
    [
        Change::CopyHeld {
            state: JobState::Printing,
            reason: Some(Reason::AlreadySending),
        },
        Change::CopyOver {
            place,
            state: JobState::Cancelled,
            reason: Some(Reason::ByCentral),
        },
        Change::CopyGone,
        Change::WrittenOff,
    ]
}

#[test]
fn the_disk_form_of_version_one_stays_readable() {
    let place = Place {
        generation: 1,
        seq: 2,
    };
    let changes = [
        Change::Created {
            machine: "desa-1".parse().unwrap(),
            not_after: at(1),
            reprint_of: Some(ReprintOf {
                job: id(),
                reason: "rusak".to_owned(),
            }),
        },
        Change::Offered {
            epoch: EPOCH,
            command_seq: 7,
            next_offer_at: at(60),
        },
        Change::OfferDue { seal_anew: true },
        Change::Reported {
            place,
            state: JobState::Printed,
            reason: Some(Reason::OfficerSaw),
            attempt: Some(1),
            sheet_count: Some(2),
            machine_at: at(3),
            clock_trusted: true,
        },
        Change::LateReport {
            place,
            state: JobState::Held,
            reason: None,
        },
        Change::Listed {
            place,
            state: JobState::Held,
        },
        Change::Lost,
        Change::CancelAsked { command_seq: 8 },
        Change::Cancelled,
        Change::Expired,
        Change::Resolved {
            state: JobState::Failed,
            reason: Reason::OfficerFoundNone,
        },
    ];
    let changes: Vec<_> = changes.into_iter().chain(of_copies(place)).collect();
    let written: Vec<_> = changes
        .iter()
        .map(|change| change.to_json().unwrap())
        .collect();
    let kept: Vec<_> = include_str!("dispatch_fixtures/changes-v1.jsonl")
        .lines()
        .collect();
    assert_eq!(
        written, kept,
        "version {CHANGE_VERSION} must not change; a new shape is a new version"
    );
    for (change, line) in changes.iter().zip(kept) {
        assert_eq!(Change::from_json(line).as_ref(), Ok(change));
        assert!(
            line.contains(&format!("\"kind\":\"{}\"", change.kind())),
            "{line}"
        );
    }
    let later = Change::from_json(r#"{"v":2,"kind":"lost"}"#);
    assert_eq!(later, Err(ChangeError::Version { version: 2 }));
    assert_eq!(Change::from_json("{}"), Err(ChangeError::Malformed));
}

#[test]
fn refusals_have_codes_of_their_own() {
    let state = JobState::Held;
    let all = [
        Refusal::NotOfferable { state },
        Refusal::NotDue { due_at: at(0) },
        Refusal::TimeRanOut,
        Refusal::NotAMachinesState { state },
        Refusal::AlreadyEnded { state },
        Refusal::JournalLost,
        Refusal::NotLost { state },
        Refusal::UnknownJob,
        Refusal::AnothersJob,
        Refusal::MachineUnheard,
        Refusal::CopyHeld,
        Refusal::Unproven,
        Refusal::Unsettled,
        Refusal::NotServed { state },
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(OFFER_AGAIN_MAX > OFFER_AGAIN_FIRST && OFFER_AGAIN_FIRST > Duration::ZERO);
}
