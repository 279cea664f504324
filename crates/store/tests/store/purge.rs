//! What leaves after its time, and what the chain of the history says of it. Time is an argument: nothing waits.

use std::time::Duration;

use loket_store::{
    ASIDE_KEPT, Front, HistoryVerdict, IdempotencyKey, Inserted, KnownLine, LEDGER_KEPT,
    LINE_WAITS, NewJob, Note, Purged, RecordRow, Role, SqliteStore, Store, StoreError, TokenRow,
};
use loket_wire::order::ReprintOf;
use loket_wire::{Epoch, JobId, JobState, Sha256Digest, Timestamp};
use rusqlite::Connection;

use crate::tamper::alter;
use crate::world::{EPOCH, World, at, central, job_id, new_job, say};

/// Seconds; reports of the helpers come at 50.
const SECONDS: i64 = 50;

fn after(span: Duration) -> Timestamp {
    at(SECONDS).saturating_add(span)
}

fn five_years() -> Timestamp {
    after(LEDGER_KEPT + Duration::from_secs(3_600))
}

/// The job is printed, and its sealed copy erased.
fn printed(world: &World, number: u8, first_seq: u64) -> JobId {
    let job = world.held(number, first_seq);
    world.tell_job(first_seq + 3, job, JobState::Printing);
    world.tell_job(first_seq + 4, job, JobState::Printed);
    world.store.mark_secrets_dropped(job, at(SECONDS)).unwrap();
    job
}

/// Purges until a round was not full.
pub(crate) fn purge_all(store: &dyn Store, now: Timestamp) -> Purged {
    let mut all = Purged::default();
    loop {
        let round = store.purge(now).unwrap();
        all.jobs += round.jobs;
        all.lines += round.lines;
        all.others += round.others;
        if !round.more {
            return all;
        }
    }
}

#[test]
fn a_job_waits_for_the_record_of_its_sheet() {
    let world = World::new();
    world.connect(1, 0);
    let job = printed(&world, 1, 1);
    let record = RecordRow {
        job,
        machine: world.machine.clone(),
        received_at: after(Duration::ZERO),
        keep_until: five_years(),
        size_bytes: 1,
        sha256: Sha256Digest::of(b"sealed"),
    };
    world.store.put_record(&record, &[]).unwrap();
    let later = five_years().saturating_add(Duration::from_secs(1));
    assert_eq!(purge_all(&world.store, later).jobs, 0);
    assert_eq!(world.store.ended_records(later, 9).unwrap(), [job]);
    world.store.drop_record(job).unwrap();
    assert_eq!(purge_all(&world.store, later).jobs, 1);
}

pub(crate) struct Intact {
    pub(crate) row_count: u64,
    pub(crate) head_seq: u64,
    pub(crate) head_sha256: Sha256Digest,
    pub(crate) front: Front,
}

pub(crate) fn intact(store: &dyn Store) -> Intact {
    match store.verify_history().unwrap() {
        HistoryVerdict::Intact {
            row_count,
            head_seq,
            head_sha256,
            front,
        } => Intact {
            row_count,
            head_seq,
            head_sha256,
            front,
        },
        broken @ HistoryVerdict::Broken { .. } => panic!("{broken:?}"),
    }
}

#[test]
fn a_job_is_forgotten_five_years_after_its_end_with_all_that_is_its_own() {
    let world = World::new();
    world.connect(1, 0);
    let key = IdempotencyKey {
        key_sha256: Sha256Digest::of(b"key"),
        body_sha256: Sha256Digest::of(b"body"),
    };
    let folder = Sha256Digest::of(b"folder");
    let new = NewJob {
        idempotency_key: Some(key),
        folder_sha256: Some(folder),
        ..new_job(1, &world.machine)
    };
    world.store.insert_job(&new, &central(), at(1)).unwrap();
    world.offer(job_id(1), 2);
    for (seq, state) in [(1, JobState::Journalled), (2, JobState::Printed)] {
        world.tell_job(seq, job_id(1), state);
    }
    world
        .store
        .mark_secrets_dropped(job_id(1), at(SECONDS))
        .unwrap();
    let to_the_moment = after(LEDGER_KEPT);
    let early = world.store.purge(to_the_moment).unwrap();
    // What stood before the job's own lines has left with its time.
    assert_eq!((early.jobs, early.lines), (0, 2));
    assert_eq!(world.state(job_id(1)), JobState::Printed);
    let before = intact(&world.store);
    let purged = world.store.purge(five_years()).unwrap();
    assert_eq!((purged.jobs, purged.more), (1, false));
    assert_eq!(purged.lines, before.row_count - 1, "all but the young seal");
    assert_eq!(world.store.job(job_id(1)).unwrap(), None);
    assert!(matches!(
        world.store.history(job_id(1)),
        Err(StoreError::NoSuchJob { .. })
    ));
    world.check();
    // Key, folder's digest and document are free again: the same request is a new job.
    let again = NewJob {
        idempotency_key: Some(key),
        folder_sha256: Some(folder),
        ..new_job(1, &world.machine)
    };
    let inserted = world.store.insert_job(&again, &central(), five_years());
    assert_eq!(inserted.unwrap(), Inserted::Created);
    world.check();
}

#[test]
fn a_job_whose_sealed_copy_may_still_be_there_is_not_forgotten() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.tell_job(4, job, JobState::Printed);
    assert_eq!(purge_all(&world.store, five_years()).jobs, 0);
    world.store.mark_secrets_dropped(job, five_years()).unwrap();
    assert_eq!(purge_all(&world.store, five_years()).jobs, 1);
}

#[test]
fn an_open_job_stays_however_old_and_a_line_says_what_left() {
    let world = World::new();
    world.connect(1, 0);
    let open = world.held(1, 1);
    let over = printed(&world, 2, 4);
    let later = after(LEDGER_KEPT * 3);
    let purged = purge_all(&world.store, later);
    assert_eq!(purged.jobs, 1);
    assert_eq!(world.store.job(over).unwrap(), None);
    assert_eq!(world.state(open), JobState::Held);
    let rows = world.store.history(open).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].kind, "carried-forward");
    for word in ["\"line_count\":5", "\"by\":\"central\"", "\"since\":1000"] {
        assert!(rows[0].body.contains(word), "{word} in {}", rows[0].body);
    }
    // Its own next purge hands on what the first one said.
    purge_all(&world.store, later.saturating_add(LEDGER_KEPT * 2));
    let rows = world.store.history(open).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].body.contains("\"since\":1000"), "{}", rows[0].body);
    // It can still end, and is then forgotten like any other.
    world.tell_job(9, open, JobState::Printing);
    intact(&world.store);
}

#[test]
fn lines_wait_for_a_job_that_ended_later_and_not_for_ever() {
    let world = World::new();
    world.connect(1, 0);
    let slow = world.held(1, 1);
    let end = after(LINE_WAITS / 2);
    let ended = loket_wire::Event {
        epoch: EPOCH,
        seq: 4,
        report: say(slow, JobState::Printed, None),
    };
    world
        .store
        .ingest_event(&world.machine, &ended, end)
        .unwrap();
    world.store.mark_secrets_dropped(slow, end).unwrap();
    // Its first lines are past their time, its end is not: they wait, and those before them left.
    purge_all(&world.store, five_years());
    assert_eq!(world.state(slow), JobState::Printed);
    assert_eq!(world.store.history(slow).unwrap().len(), 7);
    let late = end.saturating_add(LEDGER_KEPT + Duration::from_secs(3_600));
    assert_eq!(purge_all(&world.store, late).jobs, 1);
    assert!(world.store.history(slow).is_err());

    // One that took longer than lines wait is carried forward instead.
    let world = World::new();
    world.connect(1, 0);
    let slower = world.held(1, 1);
    let end = after(LINE_WAITS * 2);
    world
        .store
        .ingest_event(&world.machine, &ended, end)
        .unwrap();
    world.store.mark_secrets_dropped(slower, end).unwrap();
    purge_all(
        &world.store,
        after(LEDGER_KEPT + LINE_WAITS + Duration::from_secs(3_600)),
    );
    assert_eq!(world.state(slower), JobState::Printed);
    let kinds: Vec<_> = world
        .store
        .history(slower)
        .unwrap()
        .into_iter()
        .map(|row| row.kind)
        .collect();
    assert_eq!(kinds.last().map(String::as_str), Some("carried-forward"));
    assert!(!kinds.contains(&"created".to_owned()), "{kinds:?}");
}

#[test]
fn a_round_takes_a_bounded_part_and_says_that_there_is_more() {
    let world = World::new();
    world.connect(1, 0);
    for number in 1..=70_u8 {
        printed(&world, number, 5 * u64::from(number) - 4);
    }
    let first = world.store.purge(five_years()).unwrap();
    assert_eq!((first.jobs, first.more), (64, true));
    assert!(first.lines <= 512, "{first:?}");
    let rest = purge_all(&world.store, five_years());
    assert_eq!(first.jobs + rest.jobs, 70);
    let left = intact(&world.store);
    assert!(left.row_count < 10, "seals alone: {}", left.row_count);
    world.check();
    // With nothing to remove nothing is written.
    assert_eq!(world.store.purge(five_years()).unwrap(), Purged::default());
    assert_eq!(intact(&world.store).head_sha256, left.head_sha256);
}

#[test]
fn a_head_that_was_noted_before_a_purge_can_still_be_compared() {
    let world = World::new();
    world.connect(1, 0);
    printed(&world, 1, 1);
    let old = intact(&world.store);
    assert_eq!(old.front.seq, 0);
    assert_eq!(old.row_count, old.head_seq);
    assert_eq!(
        world.store.known_line(old.head_seq).unwrap(),
        KnownLine::Digest(old.head_sha256)
    );
    assert_eq!(
        world.store.known_line(old.head_seq + 1).unwrap(),
        KnownLine::None
    );
    let did = Note::Did {
        action: "looked".to_owned(),
    };
    let ten_days = Duration::from_secs(10 * 86_400);
    let note = |at| world.store.note(&did, None, &central(), at).unwrap();
    note(after(ten_days));
    purge_all(&world.store, five_years());
    let new = intact(&world.store);
    assert_eq!(
        (new.front.seq, new.front.sha256),
        (old.head_seq, old.head_sha256)
    );
    assert_eq!((new.head_seq, new.row_count), (old.head_seq + 2, 2));
    // The very line at which it was sealed is known, one before it is gone.
    let known = |seq| world.store.known_line(seq).unwrap();
    assert_eq!(known(old.head_seq), KnownLine::Digest(old.head_sha256));
    assert_eq!(known(old.head_seq - 1), KnownLine::Removed);
    // So it is after the next purge, as long as the line of its seal stands; then its time is over.
    purge_all(&world.store, five_years().saturating_add(ten_days));
    let newer = intact(&world.store);
    assert_eq!(newer.front.seq, old.head_seq + 1);
    assert_eq!(known(old.head_seq), KnownLine::Digest(old.head_sha256));
    let much_later = five_years().saturating_add(LEDGER_KEPT * 2);
    note(much_later);
    purge_all(&world.store, much_later);
    assert!(intact(&world.store).front.seq > newer.front.seq);
    assert_eq!(known(old.head_seq), KnownLine::Removed);
    assert_eq!(
        known(intact(&world.store).head_seq),
        KnownLine::Digest(intact(&world.store).head_sha256)
    );
}

#[test]
fn the_latest_sheet_still_stands_in_the_way_when_the_first_is_forgotten() {
    let world = World::new();
    world.connect(1, 0);
    let first = printed(&world, 1, 1);
    let reprint = |number: u8, of: JobId| {
        let mut new = new_job(number, &world.machine);
        new.intake.content_sha256 = Sha256Digest::of(&[1]);
        new.intake.reprint_of = Some(ReprintOf {
            job: of,
            reason: "rusak".to_owned(),
        });
        new
    };
    let year_four = after(LEDGER_KEPT - Duration::from_secs(365 * 86_400));
    let second = world
        .store
        .insert_job(&reprint(2, first), &central(), year_four);
    assert_eq!(second.unwrap(), Inserted::Created);
    assert_eq!(purge_all(&world.store, five_years()).jobs, 1);
    assert!(
        world.row(job_id(2)).intake.unwrap().reprint_of.is_some(),
        "the reference stays as text"
    );
    let mut same = new_job(3, &world.machine);
    same.intake.content_sha256 = Sha256Digest::of(&[1]);
    let stands = world.store.insert_job(&same, &central(), five_years());
    assert_eq!(stands.unwrap(), Inserted::AlreadyThere { job: job_id(2) });
    let of_gone = world
        .store
        .insert_job(&reprint(4, first), &central(), five_years());
    assert_eq!(of_gone.unwrap(), Inserted::ReprintOfUnknown);
}

#[test]
fn tokens_lives_of_journals_and_what_was_set_aside_leave_in_their_time() {
    let world = World::new();
    world.connect(1, 0);
    let token = |name: &str, expires_at| TokenRow {
        token_sha256: Sha256Digest::of(name.as_bytes()),
        name: name.to_owned(),
        role: Role::Operator,
        created_at: at(1),
        expires_at,
        revoked_at: None,
    };
    for (name, expires_at) in [("old", at(10)), ("young", five_years())] {
        world
            .store
            .insert_token(&token(name, expires_at), &central())
            .unwrap();
    }
    let stranger = world.tell(EPOCH, 1, say(job_id(9), JobState::Printed, None), 50);
    assert!(stranger.job.is_none());
    for life in 2..=100_u8 {
        let mut sync = crate::world::sync(u64::from(life), None, 0);
        sync.epoch = Epoch::from_bytes([life; 16]);
        world.sync(&sync, 60);
    }
    let aside = after(ASIDE_KEPT + Duration::from_secs(3_600));
    let purged = world.store.purge(aside).unwrap();
    // The row set aside, and all lives but the last 64 of 100 with their one mark.
    assert_eq!(
        (purged.jobs, purged.lines, purged.others),
        (0, 0, 1 + 36 + 1)
    );
    let counts = world.store.counts(aside).unwrap();
    assert_eq!(counts.quarantined, 1, "it stays counted");
    let names = || -> Vec<String> {
        let tokens = world.store.tokens().unwrap();
        tokens.into_iter().map(|token| token.name).collect()
    };
    assert_eq!(names(), ["old", "young"]);
    purge_all(&world.store, five_years());
    assert_eq!(names(), ["young"]);
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!(row.epoch, Some(Epoch::from_bytes([100; 16])));
}

#[test]
fn a_break_is_never_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    printed(&world, 1, 1);
    alter(
        &path,
        "UPDATE history SET actor = 'officer:budi' WHERE seq = 3",
    );
    assert!(matches!(
        world.store.purge(five_years()),
        Err(StoreError::Corrupt { .. })
    ));
    assert_eq!(
        world.store.verify_history().unwrap(),
        HistoryVerdict::Broken { seq: 3 }
    );
    assert!(
        world.store.job(job_id(1)).unwrap().is_none(),
        "a break in the lines does not keep rows past their time"
    );
}

#[test]
fn a_young_line_that_cannot_be_read_keeps_no_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    printed(&world, 1, 1);
    alter(&path, "UPDATE history SET job = 'none such' WHERE seq = 3");
    assert!(world.store.purge(at(1000)).is_ok());
}

#[test]
fn the_file_itself_lets_no_line_go_that_no_seal_covers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    printed(&world, 1, 1);
    purge_all(&world.store, five_years());
    let file = Connection::open(&path).unwrap();
    for sql in [
        "DELETE FROM history",
        "DELETE FROM history_front",
        "UPDATE history_front SET seq = 1",
    ] {
        assert!(file.execute(sql, []).is_err(), "{sql}");
    }
}

#[test]
fn what_leaves_makes_room_that_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::over(SqliteStore::open(&folder.path().join("central.db")).unwrap());
    world.connect(1, 0);
    for number in 1..=80_u8 {
        printed(&world, number, 5 * u64::from(number) - 4);
    }
    let full = world.store.size().unwrap();
    purge_all(&world.store, five_years());
    let empty = world.store.size().unwrap();
    assert!(empty.used_bytes < full.used_bytes / 2, "{full:?} {empty:?}");
    assert_eq!(
        empty.used_bytes + empty.free_bytes,
        full.used_bytes + full.free_bytes,
        "the file keeps its length"
    );
}
