//! Jobs that a person gave to a machine by hand, case by case: what central makes of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's own helpers fail like the test"
)]

use loket_domain::dispatch::{
    Answer, Change, EndedBy, Input, Job, Met, Place, Refusal, apply, decide, meet,
};
use loket_wire::{
    Class, Epoch, JobId, JobReport, JobState, LocalJob, LocalRevision, MachineId, Reason, Service,
    Sha256Digest, Timestamp,
};

const REVISION: LocalRevision = LocalRevision {
    sha256: Sha256Digest::from_bytes([7; 32]),
    size_bytes: 40_000,
    page_count: 2,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

fn id() -> JobId {
    JobId::from_parts(1, [1; 10])
}

fn machine(no: u8) -> MachineId {
    format!("desa-{no}").parse().unwrap()
}

fn local(revision: Option<LocalRevision>) -> LocalJob {
    LocalJob {
        reference: "LOKAL-010101010101".parse().unwrap(),
        service: Service::new("lokal").unwrap(),
        class: Class::Controlled,
        given_at: at(5),
        not_after: at(86_405),
        by: Some("wati".to_owned()),
        printer: Some("a4".to_owned()),
        revision,
    }
}

fn say(state: JobState, reason: Option<Reason>, local: Option<LocalJob>) -> JobReport {
    JobReport {
        job_id: id(),
        state,
        reason,
        attempt: None,
        sheet_count: None,
        actor: None,
        at: at(5),
        clock_trusted: true,
        local: local.map(Box::new),
    }
}

const fn place(generation: u64, seq: u64) -> Place {
    Place { generation, seq }
}

fn feed(job: &mut Job, input: Input<'_>) -> Result<Vec<Change>, Refusal> {
    let changes = decide(job, at(20), input)?;
    for change in &changes {
        apply(job, at(20), change);
    }
    Ok(changes)
}

fn report(job: &mut Job, place: Place, report: &JobReport) -> Vec<Change> {
    feed(job, Input::Reported { place, report }).unwrap()
}

/// The job as central meets it with this report.
fn met(first: &JobReport) -> Job {
    let said = first.local.as_deref();
    let Ok(Met::GivenByHand { mut job, change }) = meet(None, &machine(1), id(), said, at(10))
    else {
        panic!("a report that says what the job is begins it");
    };
    let begun = job.clone();
    apply(&mut job, at(10), &change);
    assert_eq!(job, begun, "the row is the fold of its history");
    report(&mut job, place(1, 9), first);
    *job
}

#[test]
fn any_report_that_says_what_it_is_begins_a_job_that_its_machine_holds() {
    for state in [JobState::Journalled, JobState::Printing, JobState::Printed] {
        let job = met(&say(state, None, Some(local(None))));
        assert_eq!((job.state, job.machine.clone()), (state, machine(1)));
        assert_eq!((job.created_at, job.not_after), (at(10), at(86_405)));
        assert_eq!(job.local.as_deref(), Some(&local(None)));
    }
    let offered = say(JobState::Offered, None, Some(local(None)));
    let Ok(Met::GivenByHand { mut job, .. }) =
        meet(None, &machine(1), id(), offered.local.as_deref(), at(10))
    else {
        panic!("it is named");
    };
    let input = Input::Reported {
        place: place(1, 1),
        report: &offered,
    };
    let refused = feed(&mut job, input);
    let state = JobState::Offered;
    assert_eq!(refused, Err(Refusal::NotAMachinesState { state }));
}

/// Whether it came out is of no use to anybody: no question is left, wherever the machine's journal went.
#[test]
fn nobody_is_asked_about_an_exercise_page_whose_machine_lost_it() {
    let page = LocalJob {
        service: Service::exercise(),
        class: Class::Own,
        by: None,
        ..local(None)
    };
    let unlisted = Input::Unlisted {
        is_settled: true,
        asked_at: Some(at(3_600)),
    };
    for input in [Input::JournalLost, unlisted, Input::WrittenOff] {
        let mut job = met(&say(JobState::Printing, None, Some(page.clone())));
        feed(&mut job, input).unwrap();
        let settled = (JobState::Failed, Some(Reason::ExerciseUnseen));
        assert_eq!((job.state, job.reason), settled);
        let mut document = met(&say(JobState::Printing, None, Some(local(None))));
        feed(&mut document, input).unwrap();
        assert_eq!(document.state, JobState::Unknown, "the control");
    }
}

#[test]
fn a_job_that_nothing_says_anything_of_stays_unknown() {
    let unknown = meet(None, &machine(1), id(), None, at(10));
    assert_eq!(unknown, Err(Refusal::UnknownJob));
    assert_eq!(Refusal::UnknownJob.code(), "S-101");
}

#[test]
fn only_its_machine_speaks_of_it() {
    let job = met(&say(JobState::Journalled, None, Some(local(None))));
    for said in [None, Some(local(None))] {
        let own = meet(Some(&job), &machine(1), id(), said.as_ref(), at(10));
        assert_eq!(own, Ok(Met::Known));
        let others = meet(Some(&job), &machine(2), id(), said.as_ref(), at(10));
        assert_eq!(others, Err(Refusal::AnothersJob));
    }
    assert_eq!(Refusal::AnothersJob.code(), "S-102");
}

#[test]
fn what_central_ordered_stays_ordered_whatever_a_report_says() {
    let mut job = Job::created(id(), machine(1), at(100), at(0));
    let told = say(JobState::Printed, None, Some(local(Some(REVISION))));
    let said = told.local.as_deref();
    assert_eq!(
        meet(Some(&job), &machine(1), id(), said, at(10)),
        Ok(Met::Known)
    );
    let changes = report(&mut job, place(1, 1), &told);
    assert_eq!(changes.len(), 1, "the report alone: {changes:?}");
    assert_eq!((job.state, job.local), (JobState::Printed, None));
}

#[test]
fn the_document_is_told_once_and_the_first_word_stays() {
    let mut job = met(&say(JobState::Journalled, None, Some(local(None))));
    let printing = say(JobState::Printing, None, Some(local(Some(REVISION))));
    let changes = report(&mut job, place(1, 10), &printing);
    let told = Change::DocumentTold { revision: REVISION };
    assert_eq!(changes.last(), Some(&told));
    let other = LocalRevision {
        page_count: 9,
        ..REVISION
    };
    let liar = LocalJob {
        by: Some("siti".to_owned()),
        ..local(Some(other))
    };
    let printed = say(JobState::Printed, None, Some(liar));
    assert_eq!(report(&mut job, place(1, 11), &printed).len(), 1);
    assert_eq!(job.local.as_deref(), Some(&local(Some(REVISION))));
    // A job that is met late is met whole: nothing is told of it that its beginning did not say.
    let mut late = Job::given_by_hand(id(), machine(1), local(Some(REVISION)), at(10));
    assert_eq!(report(&mut late, place(1, 1), &printed).len(), 1);
}

#[test]
fn it_is_never_offered_nor_ended_by_central() {
    let job = met(&say(JobState::Printing, None, Some(local(None))));
    let epoch = Epoch::from_bytes([1; 16]);
    let offer = Input::Offer {
        epoch,
        command_seq: 1,
    };
    let state = JobState::Printing;
    assert_eq!(
        decide(&job, at(20), offer),
        Err(Refusal::NotOfferable { state })
    );
    assert_eq!(decide(&job, at(1_000_000), Input::Tick), Ok(Vec::new()));
    assert_eq!(decide(&job, at(20), Input::DocumentAsked), Ok(Vec::new()));
}

#[test]
fn where_the_journal_is_lost_somebody_must_look_for_the_sheet_and_can_say_so() {
    for input in [
        Input::JournalLost,
        Input::Unlisted {
            is_settled: true,
            asked_at: Some(at(3_600)),
        },
    ] {
        for state in [JobState::Journalled, JobState::Printing, JobState::Unknown] {
            let mut job = met(&say(state, None, Some(local(None))));
            feed(&mut job, input).unwrap();
            assert_eq!(job.reason, Some(Reason::JournalLost), "{state}");
            assert_eq!(job.state, JobState::Unknown);
            feed(&mut job, Input::Answered(Answer::Printed)).unwrap();
            let by = Some(EndedBy::Person);
            assert_eq!((job.state, job.ended_by), (JobState::Printed, by));
            assert!(job.local.is_some(), "who gave it is still known");
        }
        let mut over = met(&say(JobState::Printed, None, Some(local(None))));
        assert_eq!(feed(&mut over, input), Ok(Vec::new()));
    }
}

#[test]
fn the_disk_form_of_version_one_stays_readable() {
    let changes = [
        Change::GivenByHand {
            machine: machine(1),
            local: Box::new(local(None)),
        },
        Change::DocumentTold { revision: REVISION },
    ];
    let kept = include_str!("dispatch_fixtures/changes-local-v1.jsonl");
    for (change, line) in changes.iter().zip(kept.lines()) {
        assert_eq!(change.to_json().as_deref(), Ok(line));
        assert_eq!(Change::from_json(line).as_ref(), Ok(change));
        assert!(line.contains(&format!("\"kind\":\"{}\"", change.kind())));
    }
    assert_eq!(kept.lines().count(), changes.len());
}
