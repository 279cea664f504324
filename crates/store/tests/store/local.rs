//! Jobs that a person gave to a machine by hand: central ordered none of them, and can say who printed what.

use loket_domain::dispatch::Answer;
use loket_store::{
    CancelOutcome, Ingested, Inserted, JobFilter, NewJob, Origin, Pick, SameDocument, SqliteStore,
    Store as _, Taken,
};
use loket_wire::{
    Class, Event, JobId, JobReport, JobState, LocalJob, LocalRevision, MachineId, OpenJob, Reason,
    Report, Service, Sha256Digest,
};
use rusqlite::Connection;

use crate::world::{
    EPOCH, NEW_EPOCH, World, at, central, job_id, new_job, offers_of, record, say, sync,
};

/// What is printed in these tests; the same revision as that of order `number`.
fn revision(number: u8) -> LocalRevision {
    LocalRevision {
        sha256: Sha256Digest::of(&[number]),
        size_bytes: 40_000,
        page_count: 2,
    }
}

fn local(revision: Option<LocalRevision>) -> LocalJob {
    LocalJob {
        reference: "LOKAL-636363636363".parse().unwrap(),
        service: Service::new("lokal").unwrap(),
        class: Class::Controlled,
        given_at: at(5),
        not_after: at(86_405),
        by: Some("wati".to_owned()),
        printer: Some("a4".to_owned()),
        revision,
    }
}

/// A report of the job with number 99, which is never ordered.
fn told(state: JobState, actor: Option<&str>, local: Option<LocalJob>) -> Report {
    let mut report = say(job_id(99), state, None);
    if let Report::Job(report) = &mut report {
        report.actor = actor.map(str::to_owned);
        report.local = local.map(Box::new);
    }
    report
}

fn tell(world: &World, seq: u64, state: JobState, local: Option<LocalJob>) -> Ingested {
    world.tell(EPOCH, seq, told(state, None, local), 50)
}

/// A document given by hand that came to `last`, told whole.
fn printing(world: &World, last: JobState) -> JobId {
    world.connect(1, 0);
    let accepted = told(
        JobState::Journalled,
        Some("officer:wati"),
        Some(local(None)),
    );
    let ingested = world.tell(EPOCH, 1, accepted, 50);
    assert_eq!(ingested.taken, Taken::Committed);
    tell(world, 2, JobState::Printing, Some(local(Some(revision(1)))));
    if last != JobState::Printing {
        tell(world, 3, last, Some(local(Some(revision(1)))));
    }
    assert_eq!(world.state(job_id(99)), last);
    job_id(99)
}

fn actors(world: &World, job: JobId) -> Vec<(String, String)> {
    let rows = world.store.history(job).unwrap();
    rows.into_iter().map(|row| (row.kind, row.actor)).collect()
}

#[test]
fn it_begins_with_its_first_report_and_says_who_printed_what_where() {
    let world = World::new();
    let job = printing(&world, JobState::Printed);
    let row = world.row(job);
    assert_eq!((row.origin(), row.intake.clone()), (Origin::Local, None));
    assert_eq!(row.facts.reference.as_str(), "LOKAL-636363636363");
    assert_eq!(row.facts.office.as_str(), "kec-1", "its machine's");
    assert_eq!(row.job.local.as_deref(), Some(&local(Some(revision(1)))));
    assert_eq!(row.job.offer_count, 0);
    let expect = [
        ("given-by-hand", "officer:wati@desa-1"),
        ("reported", "officer:wati@desa-1"),
        ("reported", "machine:desa-1"),
        ("document-told", "machine:desa-1"),
        ("reported", "machine:desa-1"),
    ];
    let expect = expect.map(|(kind, actor)| (kind.to_owned(), actor.to_owned()));
    assert_eq!(actors(&world, job), expect);
    assert_eq!(world.store.counts(at(60)).unwrap().quarantined, 0);
    // The acceptance was lost: whoever gave it is in every report.
    let world = World::new();
    world.connect(1, 0);
    tell(&world, 1, JobState::Printed, Some(local(Some(revision(1)))));
    let first = actors(&world, job_id(99)).swap_remove(0);
    assert_eq!(first.1, "officer:wati@desa-1");
    world.check();
}

#[test]
fn one_machine_does_not_fill_the_store_with_jobs_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    tell(&world, 1, JobState::Journalled, Some(local(None)));
    Connection::open(&path)
        .unwrap()
        .execute(
            "UPDATE aside_count SET span_kept = 9000 WHERE code = 'given-by-hand'",
            [],
        )
        .unwrap();
    let by_hand = |seq, number, seconds| {
        let mut report = say(job_id(number), JobState::Journalled, None);
        if let Report::Job(report) = &mut report {
            report.local = Some(Box::new(local(None)));
        }
        world.tell(EPOCH, seq, report, seconds)
    };
    let refused = by_hand(2, 98, 50);
    assert_eq!(
        (refused.taken, refused.ack.unwrap().seq),
        (Taken::Quarantined, 2)
    );
    assert!(world.store.job(job_id(98)).unwrap().is_none());
    assert_eq!(
        tell(&world, 3, JobState::Held, None).taken,
        Taken::Committed
    );
    let span = 91 * 86_400;
    assert_eq!(
        by_hand(4, 97, span).taken,
        Taken::Committed,
        "in the next span"
    );
    // Reports that a machine says it lost have a quota as well.
    for seq in (6..400).step_by(2) {
        world.sync_unasked(&sync(seq, Some(seq), seq), 60);
    }
    let lines = world.store.history_from(1, 1000).unwrap();
    let lost = lines.iter().filter(|row| row.kind == "reports-lost");
    assert_eq!(lost.count(), 64);
}

#[test]
fn a_machine_that_does_not_say_so_yet_has_its_report_set_aside_as_before() {
    let world = World::new();
    world.connect(1, 0);
    assert_eq!(
        tell(&world, 1, JobState::Printed, None).taken,
        Taken::Quarantined
    );
    assert_eq!(world.store.job(job_id(99)).unwrap(), None);
    let aside = world.store.history_from(1, 100).unwrap().pop().unwrap();
    assert!(aside.body.contains("S-101"), "{}", aside.body);
    // Once it is renewed, the job's next report is taken.
    let next = tell(&world, 2, JobState::Printed, Some(local(None)));
    assert_eq!(next.taken, Taken::Committed);
    world.check();
}

#[test]
fn no_other_machine_reports_on_it_or_lists_it() {
    let world = World::new();
    let job = printing(&world, JobState::Printing);
    let other: MachineId = "desa-2".parse().unwrap();
    world
        .store
        .upsert_machine(&record(&other, 8), at(0))
        .unwrap();
    let report = told(JobState::Printed, None, Some(local(Some(revision(1)))));
    let event = Event {
        epoch: NEW_EPOCH,
        seq: 1,
        report,
    };
    let refused = world.store.ingest_event(&other, &event, at(60)).unwrap();
    assert_eq!(refused.taken, Taken::Quarantined);
    let mut list = sync(1, None, 1);
    list.epoch = NEW_EPOCH;
    list.open_jobs = vec![open(JobState::Held, Some(local(None)))];
    world
        .store
        .ingest_sync(&other, &list, Some(at(61)), at(61))
        .unwrap();
    let row = world.row(job);
    assert_eq!(
        (row.job.state, row.facts.machine),
        (JobState::Printing, world.machine.clone())
    );
    world.check();
}

#[test]
fn what_central_ordered_stays_ordered_and_a_text_that_cannot_stand_is_left_out() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut printed = say(job, JobState::Printed, None);
    let liar = LocalJob {
        by: Some("3279 0101 0180 0001".to_owned()),
        printer: Some("a\nb".to_owned()),
        ..local(None)
    };
    if let Report::Job(JobReport { local, .. }) = &mut printed {
        *local = Some(Box::new(liar.clone()));
    }
    world.tell(EPOCH, 4, printed, 50);
    let row = world.row(job);
    assert_eq!(
        (row.origin(), row.job.state),
        (Origin::Central, JobState::Printed)
    );
    assert!(row.intake.is_some());
    let taken = tell(&world, 5, JobState::Journalled, Some(liar));
    assert_eq!(taken.taken, Taken::Committed);
    let kept = world.row(job_id(99)).job.local.unwrap();
    assert_eq!((kept.by, kept.printer), (None, None));
    assert_eq!(actors(&world, job_id(99))[0].1, "machine:desa-1");
    world.check();
}

#[test]
fn it_is_neither_offered_nor_expired_nor_erased_nor_overdue_nor_in_the_way_of_an_order() {
    let world = World::new();
    let job = printing(&world, JobState::Printing);
    let late = at(10_000_000);
    let mut list = sync(2, None, 2);
    list.open_jobs = vec![open(JobState::Printing, Some(local(None)))];
    world.sync(&list, 9_999_999);
    assert!(
        world
            .store
            .offerable(&offers_of(&world.machine), late)
            .unwrap()
            .jobs
            .is_empty()
    );
    assert!(world.store.expire_due(late, 10).unwrap().is_empty());
    let counts = world.store.counts(late).unwrap();
    assert_eq!((counts.overdue, counts.oldest_open_at), (0, None));
    assert_eq!(counts.jobs[&JobState::Printing], 0);
    assert_eq!(counts.local_jobs[&JobState::Printing], 1);
    let picked = |pick| {
        let filter = JobFilter {
            pick: Some(pick),
            ..JobFilter::default()
        };
        world.store.jobs(&filter).unwrap().jobs.len()
    };
    assert_eq!(picked(Pick::Overdue { now: late }), 0);
    let order = new_job(1, &world.machine);
    let ordered = world.store.insert_job(&order, &central(), at(60)).unwrap();
    assert_eq!(ordered, Inserted::Created, "nobody is refused for it");
    // A person sees both.
    let same = |job, state, is_by_hand| SameDocument {
        job,
        state,
        is_by_hand,
    };
    let beside = |job| world.store.same_document(job).unwrap();
    let order = same(job_id(1), JobState::Created, false);
    assert_eq!(beside(job), [order]);
    let by_hand = |state| same(job, state, true);
    assert_eq!(beside(job_id(1)), [by_hand(JobState::Printing)]);
    tell(&world, 3, JobState::Failed, Some(local(Some(revision(1)))));
    assert_eq!(beside(job_id(1)), [by_hand(JobState::Failed)]);
    assert!(world.store.secrets_to_drop(10).unwrap().is_empty());
    assert_eq!(picked(Pick::Unresolved { since: at(0) }), 0);
    world.check();
}

#[test]
fn orders_alone_of_the_same_document_are_no_news_to_each_other() {
    let world = World::new();
    world.connect(1, 0);
    let first = world.held(1, 1);
    world.tell_job(4, first, JobState::Failed);
    let mut again: NewJob = new_job(2, &world.machine);
    again.intake = new_job(1, &world.machine).intake;
    world.store.insert_job(&again, &central(), at(60)).unwrap();
    assert!(world.store.same_document(first).unwrap().is_empty());
}

#[test]
fn jobs_are_found_by_who_ordered_them() {
    let world = World::new();
    let job = printing(&world, JobState::Printed);
    let ordered = world.insert(1);
    for (origin, expect) in [
        (None, vec![job, ordered]),
        (Some(Origin::Central), vec![ordered]),
        (Some(Origin::Local), vec![job]),
    ] {
        let filter = JobFilter {
            origin,
            ..JobFilter::default()
        };
        let page = world.store.jobs(&filter).unwrap().jobs;
        let ids: Vec<_> = page.iter().map(|row| row.facts.id).collect();
        assert_eq!(ids, expect, "{origin:?}");
    }
}

#[test]
fn a_lost_journal_makes_somebody_look_for_its_sheet_and_the_answer_is_taken() {
    let world = World::new();
    let job = printing(&world, JobState::Printing);
    let mut lost = sync(1, None, 0);
    lost.epoch = NEW_EPOCH;
    assert_eq!(world.sync(&lost, 60).lost_jobs, [job]);
    assert_eq!(world.row(job).job.reason, Some(Reason::JournalLost));
    let filter = JobFilter {
        pick: Some(Pick::Attention {
            now: at(60),
            since: at(0),
        }),
        ..JobFilter::default()
    };
    assert_eq!(world.store.count_jobs(&filter).unwrap(), 1);
    let answered = world
        .store
        .resolve_lost(job, Answer::Printed, &central(), at(70));
    assert_eq!(answered.unwrap().state, JobState::Printed);
    assert_eq!(world.row(job).origin(), Origin::Local);
    world.check();
}

fn open(state: JobState, local: Option<LocalJob>) -> OpenJob {
    OpenJob {
        job_id: job_id(99),
        state,
        local: local.map(Box::new),
    }
}

fn unexpected(world: &World) -> usize {
    let rows = world.store.history_from(1, 1000).unwrap();
    let kinds = rows.iter().filter(|row| row.kind == "unexpected-job");
    kinds.count()
}

/// Central is an older copy that never heard of it: its reports were acknowledged and are told no more.
#[test]
fn a_list_begins_it_where_no_report_of_it_is_under_way() {
    let world = World::new();
    world.connect(1, 0);
    let whole = Some(local(Some(revision(1))));
    let mut list = sync(2, None, 7);
    list.open_jobs = vec![open(JobState::Unknown, whole.clone())];
    let outcome = world.sync(&list, 60);
    assert!(outcome.ask_cancel.is_empty() && outcome.lost_jobs.is_empty());
    let row = world.row(job_id(99));
    assert_eq!(
        (row.job.state, row.job.local.as_deref()),
        (JobState::Unknown, whole.as_ref())
    );
    let expect = [
        ("given-by-hand", "officer:wati@desa-1"),
        ("listed", "machine:desa-1"),
    ];
    let expect = expect.map(|(kind, actor)| (kind.to_owned(), actor.to_owned()));
    assert_eq!(actors(&world, job_id(99)), expect);
    // The same list again changes nothing, and it may be called off like any other.
    let mut again = sync(3, None, 7);
    again.open_jobs = list.open_jobs.clone();
    world.sync(&again, 61);
    assert_eq!(actors(&world, job_id(99)), expect);
    let asked = world.store.request_cancel(job_id(99), &central(), at(62));
    assert!(
        matches!(asked, Ok(CancelOutcome::Asked { .. })),
        "{asked:?}"
    );
    assert_eq!(unexpected(&world), 0);
    world.check();
}

#[test]
fn a_list_waits_for_the_reports_that_are_under_way() {
    let world = World::new();
    world.connect(1, 0);
    let mut list = sync(2, Some(1), 2);
    list.open_jobs = vec![open(JobState::Printing, Some(local(None)))];
    world.sync(&list, 60);
    assert_eq!(world.store.job(job_id(99)).unwrap(), None);
    assert_eq!(unexpected(&world), 0, "it is no surprise");
    tell(&world, 1, JobState::Journalled, Some(local(None)));
    tell(
        &world,
        2,
        JobState::Printing,
        Some(local(Some(revision(1)))),
    );
    assert_eq!(world.state(job_id(99)), JobState::Printing);
    // What says nothing of itself is a surprise as before.
    let mut bare = sync(3, None, 2);
    let mut job = open(JobState::Held, None);
    job.job_id = job_id(98);
    bare.open_jobs = vec![job, open(JobState::Printing, Some(local(None)))];
    world.sync(&bare, 61);
    assert_eq!(unexpected(&world), 1);
    world.check();
}

#[test]
fn a_store_of_version_2_keeps_its_jobs_and_takes_such_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch(include_str!("../../migrations/0001_store.sql"))
        .unwrap();
    file.execute_batch(include_str!("../../migrations/0002_console.sql"))
        .unwrap();
    let digest = Sha256Digest::of(b"of version 2");
    file.execute_batch(&format!(
        "INSERT INTO machine (id, office, report_key, record_key_id, key_id, sealing_public_key,
            certificate_serial, enrolled_at_ms) VALUES ('desa-1', 'kec-1', '', '', '', '', '', 0);
         INSERT INTO job (id, reference, service, class, release, machine, office, not_after_ms,
            due_at_ms, created_at_ms, document_sha256, revision_sha256, content_sha256, page_count,
            size_bytes, blob_sha256, blob_size_bytes, state, state_at_ms, offer_count,
            next_offer_at_ms, cancel_asked)
         VALUES ('{}', 'KK-1', 'kk', 'controlled', 'now', 'desa-1', 'kec-1', 9, 9, 9, '{digest}',
            '{digest}', '{digest}', 1, 1, '{digest}', 1, 'created', 9, 0, 9, 0);
         PRAGMA user_version = 2;",
        job_id(1)
    ))
    .unwrap();
    drop(file);
    let world = World::over(SqliteStore::open(&path).unwrap());
    assert_eq!(world.row(job_id(1)).origin(), Origin::Central);
    let job = printing(&world, JobState::Printed);
    assert_eq!(world.row(job).origin(), Origin::Local);
    let counts = world.store.counts(at(60)).unwrap();
    assert_eq!(counts.jobs[&JobState::Created], 1);
    assert_eq!(counts.jobs[&JobState::Printed], 0);
    assert_eq!(counts.local_jobs[&JobState::Printed], 1);
}
