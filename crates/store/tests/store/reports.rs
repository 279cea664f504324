use loket_domain::dispatch::MachineCopy;
use loket_store::{AckPoint, Store, StoreError, Taken};
use loket_wire::event::{KeyReport, QuarantineReport};
use loket_wire::{DeviceReport, JobReport, JobState, KeyId, Reason, Report, Sha256Digest};

use crate::world::{EPOCH, NEW_EPOCH, World, at, job_id, new_job, open, record, say, sync};

fn device(state: &str, reasons: &[&str]) -> Report {
    Report::Device(DeviceReport {
        device: "a4".to_owned(),
        state: state.to_owned(),
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        model: Some("Printer 1".to_owned()),
        stock: None,
        at: at(1),
    })
}

#[test]
fn a_report_is_committed_once_and_acknowledged_again() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let rows = world.store.history(job).unwrap().len();
    let again = world.tell_job(3, job, JobState::Held);
    assert!(again.was_duplicate() && again.job.is_none());
    let (epoch, seq) = (EPOCH, 3);
    assert_eq!(again.ack, Some(AckPoint { epoch, seq }));
    assert_eq!(world.store.history(job).unwrap().len(), rows);
    let ahead = world.tell_job(5, job, JobState::Printed);
    assert_eq!(ahead.taken, Taken::Ahead { expected_seq: 4 });
    assert_eq!(ahead.ack, Some(AckPoint { epoch, seq }));
    assert_eq!(world.state(job), JobState::Held);
    let unknown = world.tell(NEW_EPOCH, 1, say(job, JobState::Printed, None), 51);
    assert_eq!((unknown.taken, unknown.ack), (Taken::UnknownEpoch, None));
    world.check();
}

#[test]
fn a_report_that_cannot_be_followed_is_set_aside_and_acknowledged() {
    let world = World::new();
    world.connect(1, 0);
    let other = "desa-2".parse().unwrap();
    world
        .store
        .upsert_machine(&record(&other, 8), at(0))
        .unwrap();
    let foreign = new_job(2, &other);
    world
        .store
        .insert_job(&foreign, &crate::world::central(), at(1))
        .unwrap();
    let job = world.insert(1);
    let reports = [
        say(job_id(99), JobState::Printed, None),
        say(job_id(2), JobState::Printed, None),
        say(job, JobState::Offered, None),
        Report::Key(KeyReport {
            key_id: KeyId::of(b"another"),
            public_key: "AAAA".to_owned(),
        }),
        // It names itself truly and is no key: five bytes.
        Report::Key(KeyReport {
            key_id: KeyId::of(&[9; 5]),
            public_key: data_encoding::BASE64.encode(&[9; 5]),
        }),
        Report::Quarantine(QuarantineReport {
            code: "9971010101800001".to_owned(),
            payload_sha256: Sha256Digest::of(b""),
            size_bytes: 0,
        }),
    ];
    for (seq, report) in (1..).zip(reports) {
        let ingested = world.tell(EPOCH, seq, report, 2);
        assert_eq!(ingested.taken, Taken::Quarantined, "{seq}");
        assert_eq!(ingested.ack.unwrap().seq, seq);
    }
    let digest = Sha256Digest::of(b"payload");
    let quarantine = |seq, code| {
        world
            .store
            .quarantine_event(&world.machine, EPOCH, seq, code, digest, at(3))
    };
    assert_eq!(quarantine(6, "W-102").unwrap().ack.unwrap().seq, 6);
    assert!(quarantine(6, "W-102").unwrap().was_duplicate());
    assert_eq!(world.store.counts(at(3)).unwrap().quarantined, 6);
    assert_eq!(world.state(job), JobState::Created);
    world.check();
}

#[test]
fn a_call_that_fails_keeps_nothing() {
    let world = World::new();
    world.connect(1, 0);
    let digest = Sha256Digest::of(b"payload");
    let before = world.store.machine(&world.machine).unwrap();
    let refused = world
        .store
        .quarantine_event(&world.machine, EPOCH, 1, "", digest, at(9));
    assert!(matches!(refused, Err(StoreError::Text(_))));
    assert_eq!(world.store.machine(&world.machine).unwrap(), before);
    let job = world.insert(1);
    assert_eq!(
        world.tell_job(1, job, JobState::Held).taken,
        Taken::Committed
    );
    world.check();
}

#[test]
fn a_device_report_keeps_since_when_it_is_so() {
    let world = World::new();
    world.connect(1, 0);
    world.tell(EPOCH, 1, device("idle", &["none"]), 10);
    world.tell(EPOCH, 2, device("stopped", &["media-jam-error"]), 20);
    world.tell(EPOCH, 3, device("stopped", &["media-jam-error"]), 30);
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!(row.devices.len(), 1);
    let a4 = &row.devices[0];
    assert_eq!(
        (a4.state.as_str(), a4.since, a4.received_at),
        ("stopped", at(20), at(30))
    );
    assert_eq!(a4.reasons, ["media-jam-error"]);
    assert_eq!(world.store.machines().unwrap(), [row]);
}

#[test]
fn what_a_device_says_is_cut_and_personal_numbers_are_withheld() {
    let world = World::new();
    world.connect(1, 0);
    let long = "x".repeat(10_000);
    world.tell(
        EPOCH,
        1,
        device(&long, &["9971010101800001", "door\u{7}open"]),
        10,
    );
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!(row.devices[0].state.len(), 128);
    assert_eq!(row.devices[0].reasons, ["(withheld)", "dooropen"]);
}

#[test]
fn an_announced_sealing_key_is_used_and_outlives_the_old_record() {
    let world = World::new();
    world.connect(1, 0);
    let public_key = [9; 32];
    let key = KeyReport {
        key_id: KeyId::of(&public_key),
        public_key: data_encoding::BASE64.encode(&public_key),
    };
    world.tell(EPOCH, 1, Report::Key(key), 1);
    let key_id = || {
        world
            .store
            .machine(&world.machine)
            .unwrap()
            .unwrap()
            .seal_to
            .key_id
    };
    assert_eq!(key_id(), KeyId::of(&public_key));
    world
        .store
        .upsert_machine(&record(&world.machine, 7), at(2))
        .unwrap();
    assert_eq!(key_id(), KeyId::of(&public_key), "central started again");
    world
        .store
        .upsert_machine(&record(&world.machine, 8), at(3))
        .unwrap();
    assert_eq!(key_id(), KeyId::of(&[8; 32]), "enrolled anew");
    world.check();
}

#[test]
fn the_history_names_the_officer_but_no_personal_number() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let by = |seq, name: &str| {
        let report = Report::Job(JobReport {
            job_id: job,
            state: JobState::Printing,
            reason: None,
            attempt: Some(1),
            sheet_count: None,
            actor: Some(name.to_owned()),
            at: at(1),
            clock_trusted: true,
            local: None,
        });
        world.tell(EPOCH, seq, report, 60);
        world.store.history(job).unwrap().pop().unwrap().actor
    };
    assert_eq!(by(4, "officer:ani"), "officer:ani@desa-1");
    assert_eq!(by(5, "officer:9971010101800001"), "machine:desa-1");
    assert_eq!(by(6, &"x".repeat(500)), "machine:desa-1");
}

#[test]
fn another_report_under_a_committed_number_betrays_a_journal_that_was_set_back() {
    let world = World::new();
    world.connect(1, 0);
    let (a, b) = (world.held(1, 1), world.held(2, 4));
    // The machine went back to before report 6 and grew past it while it was offline: its number 6 is another.
    let mut back = sync(2, Some(6), 7);
    back.last_command_seq = 2;
    back.open_jobs = vec![open(a, JobState::Printing)];
    assert!(
        !world.sync_unasked(&back, 50).must_ask,
        "no loss to be seen"
    );
    let told = world.tell_job(6, a, JobState::Printing);
    assert_eq!((told.taken, told.must_ask), (Taken::InDoubt, true));
    assert_eq!(told.ack.unwrap().seq, 0, "nothing is acknowledged");
    let next = world.tell_job(7, a, JobState::Printing);
    assert_eq!(next.taken, Taken::InDoubt, "nor is anything taken");
    assert_eq!(world.state(a), JobState::Held);
    assert!(
        world
            .store
            .machine(&world.machine)
            .unwrap()
            .unwrap()
            .is_in_doubt
    );
    let unasked = world.sync_unasked(&back, 51);
    assert_eq!((unasked.must_ask, unasked.ack.seq), (true, 0));
    let forked = world.sync(&back, 52);
    assert!(forked.is_rolled_back && forked.must_ask);
    assert_eq!(forked.ack.seq, 5);
    for (job, copy) in [(a, MachineCopy::Held), (b, MachineCopy::Unheard)] {
        let lost = world.row(job).job;
        let why = (JobState::Unknown, Some(Reason::JournalLost));
        assert_eq!(((lost.state, lost.reason), lost.copy), (why, Some(copy)));
    }
    // What the copy does says nothing of a sheet that its forgotten life may have made: it is to be called off.
    assert_eq!(forked.ask_cancel.len(), 1);
    assert_eq!(world.tell_job(6, a, JobState::Printing).ack.unwrap().seq, 6);
    assert_eq!(
        world
            .store
            .machine(&world.machine)
            .unwrap()
            .unwrap()
            .journal_lost_count,
        1
    );
    world.check();
}

/// The acknowledgement of the sync came first: the machine holds nothing of the doubted number any more.
#[test]
fn a_machine_that_claimed_the_number_was_set_back_whatever_it_holds_now() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.sync_unasked(&sync(2, Some(2), 5), 50);
    assert_eq!(world.tell_job(2, job, JobState::Held).taken, Taken::InDoubt);
    let forked = world.sync(&sync(2, Some(4), 5), 51);
    assert!(forked.is_rolled_back);
    assert_eq!(world.row(job).job.reason, Some(Reason::JournalLost));
    world.check();
}

#[test]
fn a_late_report_of_a_forgotten_life_begins_no_other() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    world.sync(&sync(2, Some(2), 2), 60);
    let other = world.insert(2);
    world.offer(other, 61);
    for (seq, state) in [
        (2, JobState::Fetching),
        (3, JobState::Journalled),
        (4, JobState::Held),
    ] {
        world.tell_job(seq, other, state);
    }
    // A broker kept reports of before.
    for seq in [2, 3] {
        let late = world.tell_job(seq, job, JobState::Held);
        assert_eq!((late.taken, late.must_ask), (Taken::InDoubt, true));
    }
    let mut present = sync(3, None, 4);
    present.last_command_seq = 2;
    present.open_jobs = vec![open(other, JobState::Held)];
    let outcome = world.sync(&present, 62);
    assert!(!outcome.is_rolled_back && outcome.lost_jobs.is_empty());
    assert_eq!(outcome.ack.seq, 4);
    assert_eq!(world.state(other), JobState::Held);
    let next = world.tell_job(5, other, JobState::Printing);
    assert_eq!(next.taken, Taken::Committed);
    world.check();
}

#[test]
fn a_machine_whose_earlier_reports_are_missing_is_asked_once() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let asked: Vec<_> = (5..9)
        .map(|seq| world.tell_job(seq, job, JobState::Printing))
        .map(|told| {
            (
                told.taken == Taken::Ahead { expected_seq: 4 },
                told.must_ask,
            )
        })
        .collect();
    assert_eq!(
        asked,
        [(true, true), (true, false), (true, false), (true, false)]
    );
}

#[test]
fn a_report_set_aside_is_no_other_report_once_it_can_be_read() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let digest = Sha256Digest::of(b"newer");
    world
        .store
        .quarantine_event(&world.machine, EPOCH, 4, "W-103", digest, at(60))
        .unwrap();
    let again = world.tell_job(4, job, JobState::Printing);
    assert!(again.was_duplicate());
    assert_eq!(world.state(job), JobState::Held);
}

#[test]
fn a_late_report_of_a_lost_journal_still_tells_the_truth() {
    let world = World::new();
    world.connect(1, 0);
    let job = world.held(1, 1);
    let mut lost = sync(1, None, 0);
    lost.epoch = NEW_EPOCH;
    world.sync(&lost, 60);
    assert_eq!(world.state(job), JobState::Unknown);
    let late = world.tell_job(4, job, JobState::Printed);
    assert_eq!((late.taken, late.ack), (Taken::Committed, None));
    assert_eq!(world.state(job), JobState::Printed);
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert_eq!((row.epoch, row.committed_seq), (Some(NEW_EPOCH), 0));
    world.check();
}
