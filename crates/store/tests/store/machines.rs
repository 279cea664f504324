use loket_domain::dispatch::Connectivity;
use loket_store::{Store, StoreError};
use loket_wire::{DeviceReport, Heartbeat, JobState, MachineState};

use crate::world::{EPOCH, NEW_EPOCH, World, at, offers_of, presence, sync};

fn heartbeat(session_seq: u64) -> Heartbeat {
    Heartbeat {
        session_seq,
        at: at(1),
        clock_trusted: true,
        clock_offset_ms: Some(-20),
        up_time_s: 9,
        open_job_count: 1,
        outbox_count: 2,
        spool_bytes: 3,
        disk_free_bytes: Some(4),
        certificate_days_left: Some(300),
        link_sent_bytes: None,
        link_received_bytes: None,
        troubles: Vec::new(),
        trust_serial: None,
        trust_made_at: None,
        judged: None,
        devices: Vec::new(),
    }
}

#[test]
fn a_heartbeat_tells_of_devices_whose_reports_found_no_room() {
    let world = World::new();
    world.connect(1, 1);
    let told = Heartbeat {
        troubles: vec!["disk-full".to_owned()],
        devices: vec![DeviceReport {
            device: "a4".to_owned(),
            state: "unreachable".to_owned(),
            reasons: vec!["timed-out".to_owned()],
            model: None,
            stock: None,
            at: at(2),
        }],
        ..heartbeat(1)
    };
    let tell = |heartbeat| {
        let told = world
            .store
            .record_heartbeat(&world.machine, heartbeat, at(3));
        told.unwrap();
        world.store.machine(&world.machine).unwrap().unwrap()
    };
    let row = tell(&told);
    let last = row.heartbeat.unwrap().heartbeat;
    assert_eq!(
        (last.troubles, last.devices),
        (told.troubles.clone(), vec![])
    );
    assert_eq!(row.devices.len(), 1);
    assert_eq!(row.devices[0].state, "unreachable");
    // The next one has nothing to tell of it, which changes nothing.
    assert_eq!(tell(&heartbeat(1)).devices[0].reasons, ["timed-out"]);
}

#[test]
fn a_will_of_an_earlier_connection_is_ignored() {
    let world = World::new();
    let take = |epoch, session_seq, online, seconds| {
        let state = presence(epoch, session_seq, online);
        world
            .store
            .record_state(&world.machine, &state, false, at(seconds))
            .unwrap()
    };
    let online = || {
        world
            .store
            .machine(&world.machine)
            .unwrap()
            .unwrap()
            .presence
            .is_online
    };
    assert!(take(EPOCH, 1, true, 1));
    assert!(take(EPOCH, 2, true, 2));
    assert!(!take(EPOCH, 1, false, 3));
    assert!(online());
    assert!(take(EPOCH, 2, false, 4));
    assert!(!online());
    // A new journal counts its connections anew; the will of the old one comes late.
    let mut lost = sync(1, None, 0);
    lost.epoch = NEW_EPOCH;
    world.connect(3, 5);
    world.sync(&lost, 6);
    assert!(take(NEW_EPOCH, 1, true, 7));
    assert!(!take(EPOCH, 3, false, 8));
    assert!(online());
    let before_its_sync = loket_wire::Epoch::from_bytes([3; 16]);
    assert!(take(before_its_sync, 1, true, 9));
    assert!(!take(NEW_EPOCH, 1, false, 10));
    assert!(online());
}

#[test]
fn connectivity_has_three_states() {
    let world = World::new();
    let judge = |seconds| {
        let row = world.store.machine(&world.machine).unwrap().unwrap();
        row.connectivity(at(seconds))
    };
    assert_eq!(judge(0), Connectivity::Offline { since: None });
    world.connect(1, 100);
    assert_eq!(judge(100), Connectivity::Online);
    world
        .store
        .record_heartbeat(&world.machine, &heartbeat(1), at(1000))
        .unwrap();
    assert_eq!(judge(2799), Connectivity::Online);
    assert_eq!(judge(2800), Connectivity::Late { since: at(2800) });
    assert_eq!(
        judge(4600),
        Connectivity::Offline {
            since: Some(at(1000))
        }
    );
    world
        .store
        .record_link_seen(&world.machine, at(5000))
        .unwrap();
    assert_eq!(judge(5000), Connectivity::Online);
    world
        .store
        .record_state(&world.machine, &presence(EPOCH, 1, false), false, at(5001))
        .unwrap();
    assert_eq!(judge(5002), Connectivity::Late { since: at(5001) });
}

#[test]
fn a_heartbeat_is_kept_unless_it_is_of_an_earlier_connection() {
    let world = World::new();
    world.connect(2, 1);
    world
        .store
        .record_heartbeat(&world.machine, &heartbeat(2), at(2))
        .unwrap();
    world
        .store
        .record_heartbeat(&world.machine, &heartbeat(1), at(3))
        .unwrap();
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    let last = row.heartbeat.unwrap();
    assert_eq!((last.received_at, last.heartbeat), (at(2), heartbeat(2)));
}

#[test]
fn machines_nobody_enrolled_are_not_known() {
    let world = World::new();
    let stranger = "desa-9".parse().unwrap();
    let state = presence(EPOCH, 1, true);
    let refused = [
        world
            .store
            .record_state(&stranger, &state, false, at(1))
            .map(|_taken| ()),
        world
            .store
            .record_heartbeat(&stranger, &heartbeat(1), at(1)),
        world.store.record_link_seen(&stranger, at(1)),
        world
            .store
            .ingest_sync(&stranger, &sync(1, None, 0), Some(at(1)), at(1))
            .map(|_outcome| ()),
    ];
    for answer in refused {
        assert!(
            matches!(answer, Err(StoreError::NoSuchMachine)),
            "{answer:?}"
        );
    }
    assert_eq!(world.store.machine(&stranger).unwrap(), None);
}

#[test]
fn counts_tell_what_is_open_and_overdue() {
    let world = World::new();
    world.connect(1, 0);
    world.held(1, 1);
    world.insert(2);
    let counts = world.store.counts(at(86_401)).unwrap();
    assert_eq!(
        (
            counts.jobs[&JobState::Held],
            counts.jobs[&JobState::Created]
        ),
        (1, 1)
    );
    assert_eq!(counts.jobs.len(), JobState::ALL.len());
    assert_eq!((counts.oldest_open_at, counts.overdue), (Some(at(1)), 2));
}

fn judged(world: &World, seconds: i64) -> Connectivity {
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    row.connectivity(at(seconds))
}

#[test]
fn what_a_broker_kept_of_a_machine_is_no_sign_of_life() {
    let world = World::new();
    world.connect(1, 100);
    world.insert(1);
    let day = 86_400;
    let kept = presence(EPOCH, 1, true);
    let take = |state: &MachineState, is_retained, seconds| {
        let taken = world
            .store
            .record_state(&world.machine, state, is_retained, at(seconds));
        assert!(taken.unwrap());
    };
    take(&kept, true, day);
    let offline = Connectivity::Offline {
        since: Some(at(100)),
    };
    assert_eq!(judged(&world, day), offline, "dead for a day");
    let offers = world.store.offerable(&offers_of(&world.machine), at(day));
    assert!(offers.unwrap().jobs.is_empty(), "and not rung");
    // Within the hour it is as online as it was; a will that was kept makes it late.
    take(&kept, true, 1000);
    assert_eq!(judged(&world, 1000), Connectivity::Online);
    take(&presence(EPOCH, 1, false), true, 1100);
    assert_eq!(judged(&world, 1100), Connectivity::Late { since: at(1100) });
    // What it says itself counts.
    take(&presence(EPOCH, 2, true), false, day + 1);
    assert_eq!(judged(&world, day + 1), Connectivity::Online);
}

#[test]
fn a_moment_that_a_wrong_clock_noted_is_set_right_by_the_next_word() {
    let world = World::new();
    let month = 30 * 86_400;
    world.connect(1, month);
    world.insert(1);
    let due = || {
        let due = world.store.offerable(&offers_of(&world.machine), at(200));
        due.unwrap().jobs.len()
    };
    assert_eq!(judged(&world, 200), Connectivity::Offline { since: None });
    assert_eq!(due(), 0);
    world
        .store
        .record_link_seen(&world.machine, at(200))
        .unwrap();
    assert_eq!((judged(&world, 200), due()), (Connectivity::Online, 1));
    let silent = Connectivity::Offline {
        since: Some(at(200)),
    };
    assert_eq!(judged(&world, 3800), silent);
}
