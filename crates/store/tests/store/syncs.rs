use loket_store::Store as _;
use loket_store::{AckPoint, SyncOutcome};
use loket_wire::{JobState, Reason};

use crate::world::{EPOCH, NEW_EPOCH, World, at, central, job_id, offers_of, open, presence, sync};

#[test]
fn a_gap_is_recorded_told_and_passed() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut later = sync(2, Some(6), 6);
    later.open_jobs = vec![open(job, JobState::Held)];
    later.last_command_seq = 1;
    let outcome = world.sync(&later, 60);
    let (epoch, seq) = (EPOCH, 5);
    assert_eq!(
        (outcome.gap, outcome.ack),
        (Some((4, 5)), AckPoint { epoch, seq })
    );
    assert!(outcome.lost_jobs.is_empty());
    assert_eq!(
        world.tell_job(6, job, JobState::Printed).ack.unwrap().seq,
        6
    );
    let counts = world.store.counts(at(60)).unwrap();
    assert_eq!(counts.lost_reports, 2);
    world.check();
}

#[test]
fn a_new_journal_makes_the_held_unknown_and_the_offered_due_anew() {
    let world = World::new();
    world.connect(1, 0);
    let held = world.held(1, 1);
    let (offered, created) = (world.insert(2), world.insert(3));
    world.offer(offered, 3);
    let mut lost = sync(1, None, 0);
    lost.epoch = NEW_EPOCH;
    let outcome = world.sync(&lost, 10);
    assert!(outcome.is_new_epoch && outcome.reoffer);
    assert_eq!(outcome.lost_jobs, [held]);
    assert_eq!(world.row(held).job.reason, Some(Reason::JournalLost));
    let due = world
        .store
        .offerable(&offers_of(&world.machine), at(10))
        .unwrap()
        .jobs;
    let due: Vec<_> = due
        .iter()
        .map(|row| (row.facts.id, row.job.epoch))
        .collect();
    assert_eq!(due, [(offered, None), (created, None)], "sealed anew");
    world
        .store
        .mark_offered(offered, NEW_EPOCH, at(11))
        .unwrap();
    assert_eq!(world.row(offered).job.epoch, Some(NEW_EPOCH));
    world.check();
}

#[test]
fn a_journal_set_back_is_seen_by_its_reports() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let outcome = world.sync(&sync(2, Some(1), 2), 60);
    assert!(outcome.is_rolled_back);
    assert_eq!(outcome.lost_jobs, [job]);
    assert_eq!(outcome.ack.seq, 0, "the machine's reports count anew");
    world.check();
}

#[test]
fn a_machine_that_lost_count_of_its_commands_has_not_lost_its_journal() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut forgetful = sync(2, None, 3);
    forgetful.last_command_seq = 0;
    forgetful.open_jobs = vec![open(job, JobState::Held)];
    assert!(!world.sync(&forgetful, 60).is_rolled_back);
    assert_eq!(world.state(job), JobState::Held);
}

#[test]
fn the_same_words_on_the_next_connect_make_what_is_missing_due_again() {
    let world = World::new();
    let same = sync(1, None, 0);
    world.sync(&same, 0);
    let job = world.insert(1);
    world.offer(job, 1);
    let outcome = world.sync(&same, 5);
    assert!(outcome.reoffer && !outcome.must_ask);
}

#[test]
fn a_sync_delivered_again_after_later_reports_is_no_rollback() {
    let world = World::new();
    let first = sync(1, None, 0);
    world.sync(&first, 0);
    let job = world.held(1, 1);
    let again = world.sync_unasked(&first, 60);
    assert!(again.must_ask && !again.is_rolled_back);
    assert_eq!(again.ack.seq, 0, "nothing of it is acknowledged");
    assert_eq!(world.state(job), JobState::Held);
    world.check();
}

/// With several brokers a sync may wait at one while its machine is at another.
#[test]
fn a_sync_of_an_earlier_connection_moves_nothing_unless_it_was_asked_for() {
    let world = World::new();
    world.connect(1, 0);
    world.connect(2, 10);
    let held = world.held(1, 1);
    let mut late = sync(1, None, 3);
    let outcome = world.sync_unasked(&late, 60);
    assert!(outcome.must_ask && outcome.lost_jobs.is_empty());
    assert_eq!(outcome.ack.seq, 0, "nothing of it is acknowledged");
    assert_eq!(world.state(held), JobState::Held, "it lists no job");
    let record = |session_seq| {
        let state = presence(EPOCH, session_seq, false);
        let taken = world
            .store
            .record_state(&world.machine, &state, false, at(61));
        taken.unwrap()
    };
    assert!(!record(1), "nor is its connection the present one");
    // A journal that was set back counts its connections lower, and answers.
    late.open_jobs = vec![open(held, JobState::Held)];
    assert!(!world.sync(&late, 62).must_ask);
    assert_eq!(world.state(held), JobState::Held);
    assert!(record(1));
    world.check();
}

/// A machine set back counts its connections from a lower number; a broker that it left kept words of the higher ones.
#[test]
fn what_a_forgotten_life_left_behind_takes_no_machine_offline() {
    let world = World::new();
    world.connect(45, 0);
    let record = |session_seq, online| {
        let state = presence(EPOCH, session_seq, online);
        let store = &world.store;
        store
            .record_state(&world.machine, &state, true, at(61))
            .unwrap()
    };
    let machine = || world.store.machine(&world.machine).unwrap().unwrap();
    assert!(record(45, false));
    let back = world.sync_unasked(&sync(41, None, 0), 50);
    assert!(back.must_ask && back.is_late);
    world.sync(&sync(41, None, 0), 60);
    assert!(!record(45, false), "the goodbye of before");
    assert!(!record(44, true));
    assert!(machine().presence.is_online && machine().session_seq == 41);
    assert!(machine().is_of_present(41) && !machine().is_of_present(45));
    let late = world.sync_unasked(&sync(45, None, 0), 62);
    assert!(late.must_ask && late.is_late);
    assert!(record(41, true), "its own");
    // Its next connection has a number that the forgotten life had as well: a sync that was asked for proves it.
    assert!(!record(42, true));
    world.sync(&sync(42, None, 0), 63);
    assert!(record(42, false) && !record(45, true));
    assert!(record(46, true), "above all that were");
    assert_eq!(machine().session_seq, 46);
    world.check();
}

#[test]
fn only_an_answer_proves_that_a_journal_was_lost_whatever_a_broker_kept() {
    let world = World::new();
    let mut old = sync(1, None, 0);
    old.epoch = NEW_EPOCH;
    world.sync(&old, 0);
    world.sync(&sync(1, None, 0), 1);
    let job = world.held(1, 1);
    // More syncs than anyone would keep a list of, and then the very first one again.
    for no in 2..200 {
        let mut usual = sync(no, None, 3);
        usual.open_jobs = vec![open(job, JobState::Held)];
        assert!(!world.sync_unasked(&usual, 60).must_ask);
    }
    let replayed = world.sync_unasked(&old, 61);
    assert!(replayed.must_ask && !replayed.is_new_epoch);
    assert_eq!(world.state(job), JobState::Held);
    let answered = world.sync(&old, 62);
    assert!(answered.is_new_epoch);
    assert_eq!(answered.lost_jobs, [job]);
    world.check();
}

#[test]
fn a_job_the_machine_does_not_list_is_offered_at_once() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.insert(1);
    world.offer(job, 1);
    let outcome = world.connect(2, 5);
    assert!(outcome.reoffer);
    assert_eq!(world.row(job).job.next_offer_at, at(5));
    let mut partial = sync(3, None, 0);
    partial.is_complete = false;
    partial.last_command_seq = 1;
    world.offer(job, 5);
    assert!(
        !world.sync(&partial, 6).reoffer,
        "a list in part says nothing"
    );
}

#[test]
fn central_restored_from_a_backup_learns_what_the_machine_has() {
    let world = World::new();
    world.connect(1, 0);
    let (job, gone) = (world.insert(1), world.held(2, 1));
    let mut telling = sync(2, Some(40), 41);
    telling.last_command_seq = 30;
    telling.open_jobs = vec![open(job, JobState::Held), open(job_id(77), JobState::Held)];
    let outcome = world.sync(&telling, 60);
    assert_eq!(outcome.gap, Some((4, 39)));
    assert_eq!(world.state(job), JobState::Held, "not offered again");
    assert_eq!(world.state(gone), JobState::Held, "reports are under way");
    world.tell_job(40, gone, JobState::Held);
    world.tell_job(41, gone, JobState::Held);
    telling.session_seq = 3;
    telling.first_event_seq = None;
    let unasked = world.sync_unasked(&telling, 61);
    assert!(unasked.must_ask && unasked.lost_jobs.is_empty());
    assert_eq!(world.state(gone), JobState::Held, "it may be an older list");
    assert_eq!(world.sync(&telling, 62).lost_jobs, [gone], "none will come");
    let history = world.store.history(job_id(77)).unwrap();
    assert_eq!(history[0].kind, "unexpected-job");
    world.check();
}

#[test]
fn the_machine_is_asked_about_jobs_that_are_over_here() {
    let world = World::new();
    world.connect(1, 0);
    let (called_off, printed) = (world.insert(9), world.held(1, 1));
    world.offer(called_off, 10);
    world
        .store
        .request_cancel(called_off, &central(), at(11))
        .unwrap();
    world.tell_job(4, printed, JobState::Printed);
    let mut back = sync(2, Some(1), 3);
    back.last_command_seq = 9;
    back.open_jobs = vec![
        open(called_off, JobState::Held),
        open(printed, JobState::Held),
    ];
    let SyncOutcome { ask_cancel, .. } = world.sync(&back, 60);
    let asked: Vec<_> = ask_cancel.iter().map(|(job, _seq)| *job).collect();
    assert_eq!(asked, [printed, called_off], "{asked:?}");
    let seqs: std::collections::BTreeSet<_> = ask_cancel.iter().map(|(_job, seq)| seq).collect();
    assert_eq!(seqs.len(), ask_cancel.len());
    assert_eq!(world.state(called_off), JobState::Held);
    assert_eq!(world.state(printed), JobState::Printed);
    // Asked within its pause, it is not asked again by each sync.
    let mut settled = sync(3, None, 0);
    settled.last_command_seq = 20;
    settled.open_jobs = vec![open(printed, JobState::Held)];
    let SyncOutcome { ask_cancel, .. } = world.sync(&settled, 61);
    assert!(
        ask_cancel.iter().all(|(job, _seq)| *job != printed),
        "{ask_cancel:?}"
    );
    settled.session_seq = 4;
    let SyncOutcome { ask_cancel, .. } = world.sync(&settled, 121);
    assert!(
        ask_cancel.iter().any(|(job, _seq)| *job == printed),
        "{ask_cancel:?}"
    );
    assert_eq!(world.state(printed), JobState::Printed);
    world.check();
}

#[test]
fn numbers_beyond_reason_are_refused() {
    let world = World::new();
    let refused = world.store.ingest_sync(
        &world.machine,
        &sync(1, Some(u64::MAX), u64::MAX),
        Some(at(1)),
        at(1),
    );
    assert!(refused.is_err());
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!((row.epoch, row.committed_seq), (None, 0));
}
