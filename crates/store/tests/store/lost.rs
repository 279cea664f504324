//! Jobs whose machine lost its journal: asked about again and again, answered when no copy can print.

use loket_domain::dispatch::{Answer, MachineCopy, Refusal};
use loket_store::{AskDue, SqliteStore, Store as _, StoreError, Taken};
use loket_wire::{JobId, JobState, Reason};

use crate::world::{EPOCH, NEW_EPOCH, World, at, central, open, presence, say, sync};

/// A machine that is set back to where it holds a job whose printing central had heard of.
fn set_back() -> (World, JobId) {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.tell_job(4, job, JobState::Printing);
    let mut back = sync(2, None, 3);
    back.open_jobs = vec![open(job, JobState::Held)];
    let outcome = world.sync(&back, 60);
    assert!(outcome.is_rolled_back);
    let asked: Vec<_> = outcome.ask_cancel.iter().map(|(job, _seq)| *job).collect();
    assert_eq!((outcome.lost_jobs, asked), (vec![job], vec![job]));
    (world, job)
}

fn answer(world: &World, job: JobId, answer: Answer) -> Result<JobState, StoreError> {
    let answered = world.store.resolve_lost(job, answer, &central(), at(90));
    answered.map(|now| now.state)
}

fn refusal(world: &World, job: JobId) -> Refusal {
    match answer(world, job, Answer::FoundNone) {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn due(world: &World, seconds: i64) -> Vec<AskDue> {
    world.store.ask_due(at(seconds), &[], 16).unwrap().asked
}

#[test]
fn a_machine_set_back_is_asked_until_its_own_answer_is_there() {
    let (world, job) = set_back();
    assert_eq!(refusal(&world, job), Refusal::CopyHeld);
    assert!(due(&world, 119).is_empty(), "it was asked a minute ago");
    let again = due(&world, 120);
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].job, &again[0].machine), (job, &world.machine));
    assert!(again[0].sync.is_some_and(|point| point.epoch == EPOCH));
    assert!(due(&world, 239).is_empty());
    let later = due(&world, 240);
    assert!(later[0].command_seq > again[0].command_seq);
    // Its copy's own words, in the second life of its journal.
    let cancelled = say(job, JobState::Cancelled, Some(Reason::ByCentral));
    world.tell(EPOCH, 4, cancelled, 250);
    let row = world.row(job);
    assert_eq!(row.job.copy, Some(MachineCopy::Gone));
    assert_eq!(row.job.reason, Some(Reason::JournalLost));
    assert!(due(&world, 100_000).is_empty());
    assert_eq!(
        answer(&world, job, Answer::FoundNone).unwrap(),
        JobState::Failed
    );
    world.check();
}

#[test]
fn only_a_machine_that_is_there_is_asked_again() {
    let (world, _job) = set_back();
    let say = |online, seconds| {
        let state = presence(EPOCH, 2, online);
        let store = &world.store;
        store
            .record_state(&world.machine, &state, false, at(seconds))
            .unwrap();
    };
    say(false, 100);
    assert!(due(&world, 200).is_empty(), "its will came");
    say(true, 210);
    assert_eq!(due(&world, 210).len(), 1);
    assert!(due(&world, 210 + 3600).is_empty(), "silent for an hour");
}

#[test]
fn what_a_wrong_clock_put_off_is_asked_all_the_same() {
    let (world, _job) = set_back();
    let month = 30 * 86_400;
    world
        .store
        .record_link_seen(&world.machine, at(month))
        .unwrap();
    assert_eq!(due(&world, month).len(), 1);
    world
        .store
        .record_link_seen(&world.machine, at(300))
        .unwrap();
    assert_eq!(due(&world, 300).len(), 1);
}

#[test]
fn a_call_off_that_somebody_asked_for_is_asked_again_too() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    assert!(due(&world, 50).is_empty());
    world.store.request_cancel(job, &central(), at(60)).unwrap();
    let again = due(&world, 120);
    assert_eq!((again.len(), again[0].sync), (1, None));
    world.tell_job(4, job, JobState::Cancelled);
    assert!(due(&world, 9000).is_empty());
    world.check();
}

#[test]
fn a_new_journal_that_lists_nothing_is_asked_once_more_and_then_none_is_taken() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut new = sync(1, None, 0);
    new.epoch = NEW_EPOCH;
    let outcome = world.sync(&new, 60);
    assert!(
        outcome.must_ask,
        "this list may be older than the loss it proved"
    );
    assert_eq!(refusal(&world, job), Refusal::MachineUnheard);
    assert_eq!(due(&world, 60).len(), 1, "and it is asked at once");
    let unasked = world.sync_unasked(&new, 61);
    assert!(unasked.must_ask);
    assert_eq!(refusal(&world, job), Refusal::MachineUnheard);
    assert!(!world.sync(&new, 62).must_ask);
    assert_eq!(world.row(job).job.copy, Some(MachineCopy::Gone));
    assert_eq!(
        answer(&world, job, Answer::FoundNone).unwrap(),
        JobState::Failed
    );
    world.check();
}

#[test]
fn a_sheet_may_be_seen_at_any_time_and_the_copy_is_asked_about_all_the_same() {
    let (world, job) = set_back();
    assert_eq!(
        answer(&world, job, Answer::Printed).unwrap(),
        JobState::Printed
    );
    assert_eq!(due(&world, 120).len(), 1);
    let cancelled = say(job, JobState::Cancelled, Some(Reason::ByCentral));
    world.tell(EPOCH, 4, cancelled, 130);
    assert_eq!(world.state(job), JobState::Printed);
    assert!(due(&world, 9000).is_empty());
    world.check();
}

#[test]
fn a_copy_that_is_gone_without_a_word_is_asked_about_no_more() {
    let (world, job) = set_back();
    answer(&world, job, Answer::Printed).unwrap();
    world.sync(&sync(3, None, 3), 100);
    assert!(due(&world, 9000).is_empty());
    assert_eq!(world.row(job).job.copy, None);
    world.check();
}

#[test]
fn a_machine_out_of_service_is_written_off_until_it_is_heard_again() {
    let (world, job) = set_back();
    let held = world.held(2, 4);
    let mut written_off = world
        .store
        .write_off(&world.machine, &central(), at(70))
        .unwrap();
    written_off.sort_unstable();
    assert_eq!(written_off, [job, held]);
    assert_eq!(world.row(held).job.reason, Some(Reason::JournalLost));
    let again = world.store.write_off(&world.machine, &central(), at(71));
    assert!(again.unwrap().is_empty(), "said once");
    assert_eq!(
        answer(&world, job, Answer::FoundNone).unwrap(),
        JobState::Failed
    );
    let mut back = sync(3, None, 6);
    back.open_jobs = vec![open(job, JobState::Held), open(held, JobState::Held)];
    let mut asked: Vec<_> = world
        .sync_unasked(&back, 100)
        .ask_cancel
        .into_iter()
        .map(|(job, _seq)| job)
        .collect();
    asked.sort_unstable();
    assert_eq!(asked, [job, held], "it came back");
    assert_eq!(refusal(&world, held), Refusal::CopyHeld);
    assert_eq!(due(&world, 9000).len(), 0, "silent");
    let stranger = "desa-9".parse().unwrap();
    let refused = world.store.write_off(&stranger, &central(), at(1));
    assert!(matches!(refused, Err(StoreError::NoSuchMachine)));
    world.check();
}

fn asked_of(outcome: loket_store::SyncOutcome) -> Vec<JobId> {
    outcome
        .ask_cancel
        .into_iter()
        .map(|(job, _seq)| job)
        .collect()
}

/// One sync is all that a machine says on a connection, and it may have other things to tell.
#[test]
fn a_copy_that_a_person_declared_gone_is_called_off_with_reports_under_way() {
    let (world, job) = set_back();
    let store = &world.store;
    store.write_off(&world.machine, &central(), at(70)).unwrap();
    answer(&world, job, Answer::FoundNone).unwrap();
    let mut back = sync(3, Some(4), 4);
    back.open_jobs = vec![open(job, JobState::Held)];
    assert_eq!(asked_of(world.sync_unasked(&back, 100)), [job]);
    assert_eq!(world.row(job).job.copy, Some(MachineCopy::Held));
    world.check();
}

#[test]
fn a_copy_of_an_earlier_life_is_called_off_with_reports_under_way() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.tell_job(4, job, JobState::Printed);
    let mut back = sync(2, Some(3), 3);
    back.open_jobs = vec![open(job, JobState::Held)];
    assert_eq!(asked_of(world.sync(&back, 60)), [job]);
    world.check();
}

/// A machine was set back and grew past what is committed: its list alone does not show it.
#[test]
fn a_copy_that_a_list_named_before_its_reports_is_asked_about_once_they_are_through() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.tell_job(4, job, JobState::Printed);
    let mut back = sync(2, Some(5), 6);
    back.open_jobs = vec![open(job, JobState::Held)];
    let outcome = world.sync_unasked(&back, 60);
    assert!(outcome.ask_cancel.is_empty() && !outcome.must_ask);
    let other = world.insert(2);
    assert!(!world.tell_job(5, other, JobState::Fetching).must_ask);
    assert!(world.tell_job(6, other, JobState::Journalled).must_ask);
    back.first_event_seq = None;
    back.open_jobs.push(open(other, JobState::Journalled));
    assert_eq!(asked_of(world.sync(&back, 61)), [job]);
    assert!(
        !world.tell_job(7, other, JobState::Held).must_ask,
        "said once"
    );
    world.check();
}

/// A list cannot say that there is no copy of a lost job while reports are under way, and nobody waits for the next
/// question in its time where they come a moment later.
#[test]
fn a_lost_job_that_a_list_lacked_before_its_reports_is_asked_about_once_they_are_through() {
    let world = World::new();
    world.connect(1, 0);
    let lost = world.held(1, 1);
    let mut new = sync(2, Some(1), 2);
    new.epoch = NEW_EPOCH;
    let outcome = world.sync(&new, 60);
    assert_eq!(outcome.lost_jobs, [lost]);
    let outcome = world.sync(&new, 61);
    assert!(!outcome.must_ask, "its reports are under way");
    assert_eq!(world.row(lost).job.copy, Some(MachineCopy::Unheard));
    let next = world.insert(2);
    let fetching = say(next, JobState::Fetching, None);
    assert!(!world.tell(NEW_EPOCH, 1, fetching, 62).must_ask);
    let journalled = say(next, JobState::Journalled, None);
    assert!(world.tell(NEW_EPOCH, 2, journalled, 62).must_ask);
    new.open_jobs = vec![open(next, JobState::Journalled)];
    assert!(!world.sync(&new, 63).must_ask);
    assert_eq!(world.row(lost).job.copy, Some(MachineCopy::Gone));
    world.check();
}

/// The hourly question leaves no line; and of a job with more lines than it may have, its sheet is heard all the same.
#[test]
fn a_copy_that_is_asked_about_for_weeks_leaves_room_for_its_sheet() {
    let (world, job) = set_back();
    let count = || world.store.history(job).unwrap().len();
    let before = count();
    for hour in 1..200 {
        world
            .store
            .record_link_seen(&world.machine, at(hour * 3600))
            .unwrap();
        assert_eq!(due(&world, hour * 3600).len(), 1);
    }
    assert_eq!(count(), before);
    answer(&world, job, Answer::Printed).unwrap();
    let mut seq = 4;
    while world.tell_job(seq, job, JobState::Held).taken == Taken::Committed {
        seq += 1;
    }
    let cancelled = say(job, JobState::Cancelled, Some(Reason::ByCentral));
    assert_eq!(
        world.tell(EPOCH, seq + 1, cancelled, 50).taken,
        Taken::Committed
    );
    assert_eq!(world.row(job).job.copy, None);
    let rows = world.store.history(job).unwrap();
    assert_eq!((rows.len(), rows[0].kind.as_str()), (1000, "created"));
    assert_eq!(rows[999].kind, "late-report", "the newest");
}

#[test]
fn a_sheet_of_a_job_with_too_many_lines_is_heard_whoever_ended_it() {
    let (world, job) = set_back();
    world
        .store
        .write_off(&world.machine, &central(), at(70))
        .unwrap();
    let mut seq = 4;
    while world.tell_job(seq, job, JobState::Held).taken == Taken::Committed {
        seq += 1;
    }
    world
        .store
        .write_off(&world.machine, &central(), at(70))
        .unwrap();
    answer(&world, job, Answer::FoundNone).unwrap();
    world.tell_job(seq + 1, job, JobState::Printed);
    assert_eq!(world.state(job), JobState::Printed);
    let again = world.tell_job(seq + 2, job, JobState::Printed);
    assert_eq!(again.taken, Taken::Quarantined, "heard once");
}

/// A machine whose own officer is asked about its copy noted the question: the hourly ones would fill the history.
#[test]
fn a_copy_of_unknown_fate_is_asked_about_once() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.tell_job(4, job, JobState::Printed);
    let mut back = sync(2, None, 3);
    back.open_jobs = vec![open(job, JobState::Unknown)];
    assert_eq!(world.sync(&back, 60).ask_cancel.len(), 1);
    for seq in 4..10 {
        let unknown = say(job, JobState::Unknown, Some(Reason::PrinterForgot));
        let told = world.tell(EPOCH, seq, unknown, 61).job.unwrap();
        assert_eq!(told.ask_cancel_seq, None);
    }
    assert_eq!(world.row(job).job.copy, Some(MachineCopy::WithOfficer));
    world
        .store
        .record_link_seen(&world.machine, at(9000))
        .unwrap();
    assert!(due(&world, 9000).is_empty(), "its officer is asked");
    let lists_it = |session_seq, state| {
        let mut again = sync(session_seq, None, 9);
        again.open_jobs = vec![open(job, state)];
        asked_of(world.sync(&again, 9000))
    };
    assert!(lists_it(3, JobState::Unknown).is_empty());
    assert_eq!(lists_it(4, JobState::Held), [job], "it is alive again");
    assert_eq!(world.state(job), JobState::Printed);
    world.check();
}

#[test]
fn a_call_off_of_an_order_that_never_arrived_is_owed_until_an_answered_list_lacks_it() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.insert(1);
    world.offer(job, 2);
    world.store.request_cancel(job, &central(), at(3)).unwrap();
    assert!(!world.sync_unasked(&sync(2, None, 0), 60).must_ask);
    let mut part = sync(3, None, 0);
    part.is_complete = false;
    world.sync(&part, 61);
    world.sync(&sync(4, Some(1), 1), 62);
    assert!(world.row(job).job.cancel_asked, "none of them proves it");
    let other = world.insert(2);
    world.tell_job(1, other, JobState::Printed);
    world.sync(&sync(5, None, 1), 63);
    assert!(!world.row(job).job.cancel_asked);
    world.check();
}

#[test]
fn a_damaged_row_keeps_no_other_job_from_being_asked_about_or_offered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    let (a, b) = (world.held(1, 1), world.held(2, 4));
    for job in [a, b] {
        world.store.request_cancel(job, &central(), at(60)).unwrap();
    }
    let (c, d) = (world.insert(3), world.insert(4));
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute(
            "UPDATE job SET state_at_ms = 1, class = 'none such' WHERE id IN (?1, ?2)",
            [a.to_string(), c.to_string()],
        )
        .unwrap();
    let round = world.store.ask_due(at(120), &[], 16).unwrap();
    assert_eq!(round.damaged, [a.to_string()]);
    let asked: Vec<_> = round
        .asked
        .iter()
        .map(|asked| (asked.job, asked.ask_count))
        .collect();
    assert_eq!(asked, [(b, 2)]);
    let next = world.store.ask_due(at(121), &[], 16).unwrap();
    assert!(next.damaged.is_empty() && next.asked.is_empty(), "put off");
    let without = [world.machine.clone()];
    assert!(
        world
            .store
            .ask_due(at(300), &without, 16)
            .unwrap()
            .asked
            .is_empty()
    );
    let offers = world
        .store
        .offerable(&crate::world::offers_of(&world.machine), at(120))
        .unwrap();
    assert_eq!(offers.damaged, [(c, world.machine.clone())]);
    let due: Vec<_> = offers.jobs.iter().map(|row| row.facts.id).collect();
    assert_eq!(due, [d]);
}

#[test]
fn the_document_of_a_lost_job_is_not_given_out() {
    let (world, job) = set_back();
    let asked = world.store.document_asked(job, at(61));
    assert!(matches!(
        asked,
        Err(StoreError::Refused(Refusal::NotServed { .. }))
    ));
}

/// Jobs that were lost before central asked anybody, in a file of that time.
#[test]
fn a_file_of_an_earlier_version_asks_about_what_was_lost_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.db");
    let world = World::over(SqliteStore::open(&path).unwrap());
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut new = sync(1, None, 0);
    new.epoch = NEW_EPOCH;
    world.sync(&new, 60);
    drop(world);
    let file = std::process::Command::new("sqlite3")
        .arg(&path)
        .arg(
            "DROP INDEX job_to_ask; DROP INDEX job_with_cancel; ALTER TABLE job DROP COLUMN copy;
             ALTER TABLE job DROP COLUMN ask_count; ALTER TABLE job DROP COLUMN next_ask_at_ms;
             ALTER TABLE journal_life DROP COLUMN doubted_seq;
             ALTER TABLE journal_life DROP COLUMN doubt_is_claimed;
             ALTER TABLE journal_life DROP COLUMN overlap_from;
             ALTER TABLE journal_life DROP COLUMN overlap_to;
             ALTER TABLE journal_life DROP COLUMN relist_seq;
             ALTER TABLE journal_life DROP COLUMN ahead_seq;
             ALTER TABLE machine DROP COLUMN session_ceiling;
             DROP TABLE trust_bundle; DROP TABLE match_code; DROP TABLE match_record;
             DROP TRIGGER sheets_are_counted; DROP TRIGGER sheets_are_counted_no_more;
             DROP TABLE sheet_day; DROP TABLE stock_reading;
             ALTER TABLE device DROP COLUMN stock; ALTER TABLE device DROP COLUMN stock_at_ms;
             PRAGMA user_version = 5;",
        )
        .status();
    assert!(file.expect("the Debian package sqlite3").success());
    let world = World::over(SqliteStore::open(&path).unwrap());
    assert_eq!(refusal(&world, job), Refusal::MachineUnheard);
    assert_eq!(due(&world, 61).len(), 1);
}
