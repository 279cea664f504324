//! What a job takes, and what a full file does: it refuses new jobs first, and never says what it has not kept.

use std::path::Path;

use loket_store::{
    Actor, BYTES_A_JOB, Fullness, MAX_FILE_BYTES, Note, SqliteStore, Store, StoreError, StoreSize,
    Taken,
};
use loket_wire::{Class, Event, JobId, JobState, LocalJob, Report, Service, Sha256Digest};

use crate::world::{EPOCH, World, at, job_id, new_job, say};

/// A file so small that some four hundred jobs fill it: so many that what is carried forward of them takes more room
/// than the lines that leave.
const SMALL_BYTES: u64 = 1024 * 1024;

fn numbered(world: &World, number: u64) -> (JobId, Result<loket_store::Inserted, StoreError>) {
    let mut new = new_job(1, &world.machine);
    // Ids, digests and references as long and as different as those of real jobs.
    let digest = |what: &str| Sha256Digest::of(format!("{what} {number}").as_bytes());
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(digest("id").as_bytes()) {
        *to = *from;
    }
    new.facts.id = JobId::from_parts(1_790_000_000_000 + number * 1_000, random);
    new.facts.reference = format!("KK-2026-11-26-{number:06}").parse().unwrap();
    new.intake.document_sha256 = digest("document");
    new.intake.revision_sha256 = digest("revision");
    new.intake.content_sha256 = digest("content");
    new.intake.blob.sha256 = digest("blob");
    new.idempotency_key = Some(loket_store::IdempotencyKey {
        key_sha256: digest("key"),
        body_sha256: digest("body"),
    });
    let actor = Actor::new("token:pendaftaran-penduduk").unwrap();
    let inserted = world.store.insert_job(&new, &actor, at(1));
    (new.facts.id, inserted)
}

/// The reports of a job that an officer released, from its first to its end.
const LIFE: [JobState; 5] = [
    JobState::Fetching,
    JobState::Journalled,
    JobState::Held,
    JobState::Printing,
    JobState::Printed,
];

#[test]
fn a_printed_job_takes_what_the_bound_of_the_file_reckons_with() {
    let world = World::new();
    world.connect(1, 0);
    let mut seq = 0;
    let used = |world: &World| world.store.size().unwrap().used_bytes;
    let mut live = |from: u64, to: u64| {
        for number in from..to {
            let (job, inserted) = numbered(&world, number);
            inserted.unwrap();
            world.offer(job, 2);
            world.store.document_asked(job, at(2)).unwrap();
            for state in LIFE {
                seq += 1;
                let mut report = say(job, state, None);
                if let (Report::Job(told), JobState::Printing) = (&mut report, state) {
                    told.actor = Some("officer:sari.wulandari".to_owned());
                    told.attempt = Some(1);
                }
                world.tell(EPOCH, seq, report, 50);
            }
            world.store.mark_secrets_dropped(job, at(60)).unwrap();
        }
    };
    // The first fill pages that stand there anyway, and the marks of a machine.
    live(0, 60);
    let before = used(&world);
    live(60, 210);
    let bytes = (used(&world) - before) / 150;
    println!("{bytes} bytes a job");
    assert!(
        bytes <= BYTES_A_JOB && bytes > BYTES_A_JOB * 3 / 4,
        "{bytes} bytes a job"
    );
    // 500 offices with 30 jobs a day on 250 days, five years.
    assert!(500 * 30 * 250 * 5 * bytes.max(BYTES_A_JOB) <= MAX_FILE_BYTES);
}

fn small(path: &Path) -> World {
    let world = World::over(SqliteStore::open_bounded(path, SMALL_BYTES).unwrap());
    world.connect(1, 0);
    world
}

#[test]
fn a_file_that_is_nearly_full_takes_reports_and_no_new_job() {
    let folder = tempfile::tempdir().unwrap();
    let world = small(&folder.path().join("central.db"));
    let mut number = 0;
    let mut jobs = Vec::new();
    let mut seen_low = false;
    let refused = loop {
        number += 1;
        let (job, inserted) = numbered(&world, number);
        match inserted {
            Ok(_taken) => jobs.push(job),
            Err(error) => break error,
        }
        seen_low |= world.store.size().unwrap().fullness() == Fullness::Low;
    };
    assert!(matches!(refused, StoreError::Reserved), "{refused:?}");
    let size = world.store.size().unwrap();
    assert_eq!(size.fullness(), Fullness::Reserved);
    assert_eq!(size.limit_bytes, SMALL_BYTES);
    assert!(seen_low && size.log_bytes > 0, "{size:?}");
    // The same request again is known, not refused.
    let (first, _taken) = (jobs[0], ());
    let again = numbered(&world, 1);
    assert_eq!(again.0, first);
    assert!(again.1.is_ok(), "{:?}", again.1);

    // Reports on what was taken go on, until the file is full to the last page.
    let mut acked = 0;
    let mut ended = 0;
    let full = 'all: loop {
        for job in jobs.iter().cycle() {
            let next = if world.state(*job) == JobState::Journalled {
                JobState::Printing
            } else {
                JobState::Journalled
            };
            let event = Event {
                epoch: EPOCH,
                seq: acked + 1,
                report: say(*job, next, None),
            };
            match world.store.ingest_event(&world.machine, &event, at(60)) {
                Ok(ingested) => acked = ingested.ack.unwrap().seq,
                Err(error) => break 'all error,
            }
            ended += 1;
        }
    };
    assert!(matches!(full, StoreError::Full), "{full:?}");
    assert!(ended > 50, "the reserve took {ended} reports");
    let shortest = Note::Did {
        action: "x".to_owned(),
    };
    let note = || world.store.note(&shortest, None, &Actor::central(), at(60));
    while note().is_ok() {}
    // What was acknowledged is there, what was not is not, and nothing stands by half.
    drop(world.store);
    let path = folder.path().join("central.db");
    let store = SqliteStore::open_bounded(&path, SMALL_BYTES).unwrap();
    let row = store.machine(&world.machine).unwrap().unwrap();
    assert_eq!(row.committed_seq, acked);
    assert!(matches!(
        store.verify_history().unwrap(),
        loket_store::HistoryVerdict::Intact { .. }
    ));

    // What is past its time makes room even then.
    let event = Event {
        epoch: EPOCH,
        seq: acked + 1,
        report: say(jobs[0], JobState::Printing, None),
    };
    let later = at(60).saturating_add(loket_store::LEDGER_KEPT * 2);
    assert!(store.ingest_event(&world.machine, &event, later).is_err());
    while store.purge(later).unwrap().more {}
    assert!(store.ingest_event(&world.machine, &event, later).is_ok());
}

/// Nothing of it is lost at the machine: it printed, its reports are acknowledged, and the code says what central lacks.
#[test]
fn a_document_given_by_hand_is_set_aside_where_what_is_left_is_kept_for_reports() {
    let folder = tempfile::tempdir().unwrap();
    let world = small(&folder.path().join("central.db"));
    let by_hand = |number: u8, seq: u64| {
        let mut report = say(job_id(number), JobState::Journalled, None);
        if let Report::Job(told) = &mut report {
            told.local = Some(Box::new(LocalJob {
                reference: "LOKAL-636363636363".parse().unwrap(),
                service: Service::new("lokal").unwrap(),
                class: Class::Controlled,
                given_at: at(5),
                not_after: at(86_405),
                by: Some("wati".to_owned()),
                printer: None,
                revision: None,
            }));
        }
        world.tell(EPOCH, seq, report, 50)
    };
    assert_eq!(
        by_hand(201, 1).taken,
        Taken::Committed,
        "while there is room"
    );
    let refused = (1..)
        .find_map(|number| numbered(&world, number).1.err())
        .unwrap();
    assert!(matches!(refused, StoreError::Reserved), "{refused:?}");

    let ingested = by_hand(202, 2);
    assert_eq!(ingested.taken, Taken::Quarantined);
    assert_eq!(ingested.ack.unwrap().seq, 2, "its outbox goes on");
    assert!(world.store.job(job_id(202)).unwrap().is_none());
    let mut aside = None;
    let mut from = 0;
    while let Some(last) = world.store.history_from(from, 1000).unwrap().pop() {
        let rows = world.store.history_from(from, 1000).unwrap();
        aside = aside.or(rows.into_iter().find(|row| row.kind == "report-set-aside"));
        from = last.seq + 1;
    }
    let aside = format!("{:?}", aside.unwrap());
    assert!(aside.contains("S-106"), "{aside}");
    // The one that began before goes on.
    let goes_on = world.tell(EPOCH, 3, say(job_id(201), JobState::Printed, None), 51);
    assert_eq!(goes_on.taken, Taken::Committed);
    assert_eq!(world.state(job_id(201)), JobState::Printed);
}

#[test]
fn a_large_file_keeps_no_more_than_a_gibibyte_for_reports() {
    let size = |used_bytes| StoreSize {
        used_bytes,
        free_bytes: 0,
        log_bytes: 0,
        limit_bytes: MAX_FILE_BYTES,
    };
    let room = size(0).room_for_jobs_bytes();
    assert_eq!(MAX_FILE_BYTES - room, 1024 * 1024 * 1024);
    for (used_bytes, fullness) in [
        (room / 2, Fullness::Fine),
        (room / 100 * 81, Fullness::Low),
        (room, Fullness::Reserved),
        (u64::MAX, Fullness::Reserved),
    ] {
        assert_eq!(size(used_bytes).fullness(), fullness, "{used_bytes}");
    }
}

#[test]
fn a_store_opened_to_be_read_is_followed_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let missing = SqliteStore::open_to_read(&path);
    assert!(
        matches!(&missing, Err(StoreError::File { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound),
        "{missing:?}"
    );
    let world = small(&path);
    let (_job, inserted) = numbered(&world, 1);
    inserted.unwrap();
    let reader = SqliteStore::open_to_read(&path).unwrap();
    let verdict = world.store.verify_history().unwrap();
    assert_eq!(reader.verify_history().unwrap(), verdict);
    let touched = reader.purge(at(1).saturating_add(loket_store::LEDGER_KEPT * 2));
    assert!(touched.is_err());
}
