use loket_domain::dispatch::{Answer, Refusal};
use loket_store::{
    CancelOutcome, IdempotencyKey, Inserted, JobFilter, NewJob, Offerable, Pick, SqliteStore,
    Store, StoreError, TextError,
};
use loket_wire::order::ReprintOf;
use loket_wire::{JobState, MachineId, Reason, Sha256Digest};

use crate::world::{
    EPOCH, NEW_EPOCH, World, at, central, job_id, new_job, offers_of, presence, record, say, sync,
};

fn insert(world: &World, new: &NewJob) -> Inserted {
    world.store.insert_job(new, &central(), at(9)).unwrap()
}

#[test]
fn what_was_committed_is_there_after_a_reopen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 1);
    let job = world.held(1, 1);
    let row = world.row(job);
    drop(world);
    let again = World::over(SqliteStore::open(&path).unwrap());
    assert_eq!(again.row(job), row);
    again.check();
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for its owner alone");
    }
}

#[test]
fn the_same_revision_is_taken_once_unless_a_reprint_names_the_latest_job() {
    let world = World::new();
    world.connect(1, 1);
    let first = world.held(1, 1);
    let mut again = new_job(2, &world.machine);
    again.intake.content_sha256 = new_job(1, &world.machine).intake.content_sha256;
    assert_eq!(
        insert(&world, &again),
        Inserted::AlreadyThere { job: first }
    );
    // Unknown and printed stand in the way as well.
    world.tell_job(4, first, JobState::Unknown);
    assert_eq!(
        insert(&world, &again),
        Inserted::AlreadyThere { job: first }
    );
    world.tell_job(5, first, JobState::Printed);
    assert_eq!(
        insert(&world, &again),
        Inserted::AlreadyThere { job: first }
    );

    let reprint = |job, reason: &str| {
        Some(ReprintOf {
            job,
            reason: reason.to_owned(),
        })
    };
    again.intake.reprint_of = reprint(job_id(99), "rusak");
    assert_eq!(insert(&world, &again), Inserted::ReprintOfUnknown);
    let mut other = new_job(4, &world.machine);
    other.intake.content_sha256 = Sha256Digest::of(b"another document");
    other.intake.reprint_of = reprint(first, "rusak");
    assert_eq!(
        insert(&world, &other),
        Inserted::ReprintOfUnknown,
        "a reprint is of the same document"
    );
    again.intake.reprint_of = reprint(first, "NIK 3279 0101 0180 0001");
    let refused = world.store.insert_job(&again, &central(), at(9));
    let field = "the reason of a reprint";
    assert!(
        matches!(refused, Err(StoreError::Text(TextError::PersonalNumber { field: met })) if met == field)
    );
    again.intake.reprint_of = reprint(first, "rusak");
    assert_eq!(insert(&world, &again), Inserted::Created);
    assert!(
        world.store.history(job_id(2)).unwrap()[0]
            .body
            .contains("rusak")
    );
    // The next reprint must name the one before it, or three sheets come of two reasons.
    let mut third = again.clone();
    third.facts.id = job_id(3);
    assert_eq!(
        insert(&world, &third),
        Inserted::AlreadyThere { job: job_id(2) }
    );
    world.check();
}

#[test]
fn a_job_that_made_no_sheet_stands_in_nobodys_way() {
    for state in [
        JobState::Failed,
        JobState::Rejected,
        JobState::Expired,
        JobState::Cancelled,
    ] {
        let world = World::new();
        world.connect(1, 1);
        let first = world.held(1, 1);
        world.tell_job(4, first, state);
        let mut again = new_job(2, &world.machine);
        again.intake.content_sha256 = new_job(1, &world.machine).intake.content_sha256;
        assert_eq!(insert(&world, &again), Inserted::Created, "{state}");
    }
}

#[test]
fn an_idempotency_key_answers_with_its_first_job() {
    let world = World::new();
    let key = |body: &[u8]| {
        Some(IdempotencyKey {
            key_sha256: Sha256Digest::of(b"operator:key"),
            body_sha256: Sha256Digest::of(body),
        })
    };
    let mut new = new_job(1, &world.machine);
    new.idempotency_key = key(b"a");
    assert_eq!(insert(&world, &new), Inserted::Created);
    new.facts.id = job_id(2);
    let (job, is_same_body) = (job_id(1), true);
    assert_eq!(
        insert(&world, &new),
        Inserted::SameKey { job, is_same_body }
    );
    new.idempotency_key = key(b"b");
    let is_same_body = false;
    assert_eq!(
        insert(&world, &new),
        Inserted::SameKey { job, is_same_body }
    );
}

#[test]
fn folder_files_met_again_after_a_crash_are_recognised() {
    let world = World::new();
    let mut new = new_job(1, &world.machine);
    new.folder_sha256 = Some(Sha256Digest::of(b"pair"));
    assert_eq!(insert(&world, &new), Inserted::Created);
    new.facts.id = job_id(2);
    assert_eq!(
        insert(&world, &new),
        Inserted::SameFolderFiles { job: job_id(1) }
    );
    world
        .store
        .request_cancel(job_id(1), &central(), at(10))
        .unwrap();
    assert_eq!(
        insert(&world, &new),
        Inserted::SameFolderFiles { job: job_id(1) },
        "the very same files order nothing by themselves, whatever became of their job"
    );
    new.folder_sha256 = Some(Sha256Digest::of(b"a fresh copy"));
    assert_eq!(
        insert(&world, &new),
        Inserted::Created,
        "dropped in again after a cancel"
    );
}

#[test]
fn a_job_for_an_unknown_machine_is_refused() {
    let world = World::new();
    let new = new_job(1, &"desa-9".parse().unwrap());
    let refused = world.store.insert_job(&new, &central(), at(1));
    assert!(matches!(refused, Err(StoreError::NoSuchMachine)));
    let refused = world.store.mark_offered(job_id(9), EPOCH, at(1));
    assert!(matches!(refused, Err(StoreError::NoSuchJob { .. })));
}

#[test]
fn jobs_are_offered_only_to_machines_that_are_there_and_only_when_due() {
    let world = World::new();
    let job = world.insert(1);
    let due = |seconds| {
        world
            .store
            .offerable(&offers_of(&world.machine), at(seconds))
            .unwrap()
            .jobs
            .len()
    };
    assert_eq!(due(5), 0, "never heard");
    let outcome = world.connect(1, 5);
    assert!(outcome.reoffer);
    assert_eq!(due(5), 1);
    world.offer(job, 5);
    assert_eq!((due(64), due(65)), (0, 1));
    assert!(
        world
            .store
            .record_state(&world.machine, &presence(EPOCH, 1, false), false, at(66))
            .unwrap()
    );
    assert_eq!(due(70), 0, "its will came");
    assert!(
        world
            .store
            .record_state(&world.machine, &presence(EPOCH, 2, true), false, at(71))
            .unwrap()
    );
    assert_eq!(due(70), 1);
    world.tell_job(1, job, JobState::Fetching);
    assert_eq!(due(900), 0, "the machine has it");
    world.check();
}

#[test]
fn a_machine_that_was_not_heard_for_an_hour_is_not_rung_before_it_speaks() {
    let world = World::new();
    world.connect(1, 5);
    world.insert(1);
    let due = |seconds| {
        let asked = offers_of(&world.machine);
        let due = world.store.offerable(&asked, at(seconds)).unwrap();
        due.jobs.len()
    };
    assert_eq!((due(3604), due(3605)), (1, 0));
    let state = presence(EPOCH, 1, true);
    assert!(
        world
            .store
            .record_state(&world.machine, &state, false, at(4000))
            .unwrap()
    );
    assert_eq!(due(4000), 1);
}

#[test]
fn what_is_left_out_or_of_a_crowded_machine_gives_place_to_others() {
    let world = World::new();
    world.connect(1, 5);
    let crowd: Vec<_> = (1..=5).map(|number| world.insert(number)).collect();
    let other: MachineId = "desa-2".parse().unwrap();
    world
        .store
        .upsert_machine(&record(&other, 8), at(0))
        .unwrap();
    let outcome = world
        .store
        .ingest_sync(&other, &sync(1, None, 0), None, at(5))
        .unwrap();
    assert!(!outcome.reoffer);
    let its = new_job(9, &other);
    assert_eq!(insert(&world, &its), Inserted::Created);

    let due = |asked: &Offerable| {
        let rows = world.store.offerable(asked, at(10)).unwrap().jobs;
        rows.into_iter().map(|row| row.facts.id).collect::<Vec<_>>()
    };
    let mut asked = Offerable {
        a_machine: 2,
        limit: 3,
        ..Offerable::default()
    };
    assert_eq!(due(&asked), [crowd[0], crowd[1], its.facts.id]);
    asked.without_jobs = vec![crowd[0], crowd[1]];
    assert_eq!(due(&asked), [crowd[2], crowd[3], its.facts.id]);
    asked.without_machines = vec![world.machine.clone()];
    assert_eq!(due(&asked), [its.facts.id]);
}

#[test]
fn command_numbers_grow_and_are_never_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let mut world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    let (a, b) = (world.insert(1), world.insert(2));
    let mut seqs = vec![world.offer(a, 3), world.offer(b, 3)];
    drop(world);
    world = World::over(SqliteStore::open(&path).unwrap());
    seqs.push(world.offer(a, 63));
    let cancelled = world.store.request_cancel(b, &central(), at(64)).unwrap();
    assert_eq!(cancelled, CancelOutcome::CancelledAskToo { command_seq: 4 });
    seqs.push(4);
    // Restored from a backup, central hears that the machine has seen more.
    let mut seen = sync(2, None, 0);
    seen.last_command_seq = 70;
    world.sync(&seen, 65);
    seqs.push(world.offer(a, 200));
    assert_eq!(seqs, [1, 2, 3, 4, 71]);
    world.check();
}

#[test]
fn an_order_for_another_journal_is_not_recorded_as_offered() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.insert(1);
    let refused = world.store.mark_offered(job, NEW_EPOCH, at(1));
    assert!(matches!(refused, Err(StoreError::EpochChanged { .. })));
    world.offer(job, 1);
    let refused = world.store.mark_offered(job, EPOCH, at(2));
    let due_at = at(61);
    assert!(
        matches!(refused, Err(StoreError::Refused(Refusal::NotDue { due_at: met })) if met == due_at)
    );
}

#[test]
fn calling_off_ends_what_is_here_and_asks_for_what_is_there() {
    let world = World::new();
    world.connect(1, 0);
    let fresh = world.insert(9);
    let cancel = |job| world.store.request_cancel(job, &central(), at(60)).unwrap();
    assert_eq!(cancel(fresh), CancelOutcome::Cancelled);
    let state = JobState::Cancelled;
    assert_eq!(
        cancel(fresh),
        CancelOutcome::Refused(Refusal::AlreadyEnded { state })
    );
    let held = world.held(1, 1);
    assert!(matches!(cancel(held), CancelOutcome::Asked { .. }));
    assert_eq!(world.state(held), JobState::Held);
    let report = say(held, JobState::Cancelled, Some(Reason::ByCentral));
    let ingested = world.tell(EPOCH, 4, report, 61);
    assert!(ingested.job.unwrap().is_end);
    assert!(!world.row(held).job.cancel_asked);
    // The machine got an order that was called off here in the meantime: it is asked again.
    let offered = world.insert(2);
    world.offer(offered, 60);
    assert!(matches!(
        cancel(offered),
        CancelOutcome::CancelledAskToo { .. }
    ));
    let ingested = world.tell_job(5, offered, JobState::Fetching);
    assert_eq!(world.state(offered), JobState::Fetching);
    assert!(ingested.job.unwrap().ask_cancel_seq.is_some());
    world.check();
}

#[test]
fn what_no_machine_has_expires_and_its_secrets_are_dropped_once() {
    let world = World::new();
    world.connect(1, 0);
    let (created, held) = (world.insert(9), world.held(1, 1));
    assert!(
        world
            .store
            .expire_due(at(1_000_000), 10)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        world.store.expire_due(at(1_000_001), 10).unwrap(),
        [created]
    );
    assert_eq!(world.state(held), JobState::Held);
    assert_eq!(world.store.secrets_to_drop(10).unwrap(), [created]);
    world
        .store
        .mark_secrets_dropped(created, at(1_000_002))
        .unwrap();
    world
        .store
        .mark_secrets_dropped(created, at(1_000_003))
        .unwrap();
    assert!(world.store.secrets_to_drop(10).unwrap().is_empty());
    let kinds: Vec<_> = world
        .store
        .history(created)
        .unwrap()
        .into_iter()
        .map(|row| row.kind)
        .collect();
    assert_eq!(kinds, ["created", "expired", "secrets-dropped"]);
    world.check();
}

#[test]
fn a_lost_job_is_answered_at_central() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let early = world
        .store
        .resolve_lost(job, Answer::Printed, &central(), at(60));
    assert!(matches!(
        early,
        Err(StoreError::Refused(Refusal::NotLost { .. }))
    ));
    let mut lost = sync(1, None, 0);
    lost.epoch = NEW_EPOCH;
    assert_eq!(world.sync(&lost, 61).lost_jobs, [job]);
    let now = world
        .store
        .resolve_lost(job, Answer::Printed, &central(), at(62))
        .unwrap();
    assert!(now.is_end && now.state == JobState::Printed);
    world.check();
}

#[test]
fn lists_page_from_the_newest_without_losing_or_repeating() {
    let world = World::new();
    for number in 1..=25 {
        world.insert(number);
    }
    world
        .store
        .request_cancel(job_id(3), &central(), at(30))
        .unwrap();
    let mut filter = JobFilter {
        limit: 10,
        ..JobFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = world.store.jobs(&filter).unwrap();
        seen.extend(page.jobs.iter().map(|row| row.facts.id));
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    let expect: Vec<_> = (1..=25).rev().map(job_id).collect();
    assert_eq!(seen, expect);
    let only = |filter| -> Vec<_> {
        world
            .store
            .jobs(&filter)
            .unwrap()
            .jobs
            .iter()
            .map(|row| row.facts.id)
            .collect()
    };
    let cancelled = JobFilter {
        states: vec![JobState::Cancelled, JobState::Printed],
        machine: Some(world.machine.clone()),
        office: Some("kec-1".parse().unwrap()),
        ..JobFilter::default()
    };
    assert_eq!(only(cancelled), [job_id(3)]);
    let elsewhere = JobFilter {
        office: Some("kec-2".parse().unwrap()),
        ..JobFilter::default()
    };
    assert!(only(elsewhere).is_empty());
}

#[test]
fn what_needs_a_person_is_picked_wherever_it_stands_in_the_list() {
    let world = World::new();
    world.connect(1, 1);
    let picked = |pick| {
        let filter = JobFilter {
            pick: Some(pick),
            ..JobFilter::default()
        };
        let page = world.store.jobs(&filter).unwrap();
        let ids: Vec<_> = page.jobs.iter().map(|row| row.facts.id).collect();
        let count = world.store.count_jobs(&filter).unwrap();
        assert_eq!(count, u64::try_from(ids.len()).unwrap());
        ids
    };
    let (since, day) = (at(0), at(86_400 + 60));
    let mut seq = 1;
    for (number, end) in [
        (1, JobState::Printed),
        (2, JobState::Failed),
        (3, JobState::Unknown),
        (4, JobState::Failed),
    ] {
        let mut new = new_job(number, &world.machine);
        new.intake.content_sha256 = Sha256Digest::of(&[number]);
        assert_eq!(insert(&world, &new), Inserted::Created);
        world.offer(job_id(number), 10);
        for state in [JobState::Fetching, JobState::Journalled, end] {
            world.tell_job(seq, job_id(number), state);
            seq += 1;
        }
    }
    // Ordered again after its failure: nobody need look at the failed one.
    let mut again = new_job(5, &world.machine);
    again.intake.content_sha256 = Sha256Digest::of(&[4]);
    world.store.insert_job(&again, &central(), at(60)).unwrap();

    assert_eq!(picked(Pick::Printed { since }), [job_id(1)]);
    assert_eq!(picked(Pick::Printed { since: at(51) }), []);
    assert_eq!(picked(Pick::Unresolved { since }), [job_id(2)]);
    assert_eq!(picked(Pick::Unresolved { since: at(59) }), []);
    assert_eq!(picked(Pick::Overdue { now: at(60) }), []);
    assert_eq!(picked(Pick::Overdue { now: day }), [job_id(5), job_id(3)]);
    let attention = Pick::Attention { now: at(60), since };
    assert_eq!(picked(attention), [job_id(3), job_id(2)]);
    world.store.check().unwrap();
}
