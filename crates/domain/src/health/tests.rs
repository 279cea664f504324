//! Health, told what is seen and when.

use loket_wire::DeviceReport;
use proptest::prelude::*;

use super::*;

const EVERY: Duration = Duration::from_secs(900);

/// Wednesday 2026-11-25, 08:00 in Jakarta.
const MORNING: Timestamp = Timestamp::from_unix_ms(1_795_568_400_000);

fn at(moment: Timestamp) -> Now {
    Now {
        wall: moment,
        trusted: true,
        floor: Timestamp::UNIX_EPOCH,
    }
}

fn later(s: u64) -> Now {
    at(MORNING.saturating_add(Duration::from_secs(s)))
}

fn sound() -> Measures {
    Measures {
        disk_free_bytes: Some(10 << 30),
        spool_bytes: 0,
        spool_quota_bytes: 256 << 20,
        clock_offset_ms: Some(0),
        certificate_days_left: Some(300),
        is_trust_old: false,
        has_refused_records: false,
        is_inspector_missing: false,
        is_trust_ended: false,
        is_trust_broken: false,
    }
}

fn look(state: &str, reasons: &[&str]) -> Look {
    Look {
        state: state.to_owned(),
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        model: None,
        stock: None,
    }
}

fn looked(look: Look) -> Command {
    Command::Looked {
        device: "a4".to_owned(),
        look,
    }
}

/// A machine whose first heartbeat has left.
fn beaten() -> Health {
    let mut health = Health::new(EVERY);
    submit(&mut health, later(0), Command::Measured(sound()));
    submit(&mut health, later(0), Command::Beaten);
    health
}

fn submit(health: &mut Health, now: Now, command: Command) -> Vec<Event> {
    let Ok(events) = health.decide(now, command);
    for event in &events {
        health.apply(event).unwrap();
    }
    events
}

fn kept() -> Command {
    Command::Kept {
        device: "a4".to_owned(),
    }
}

fn not_kept() -> Command {
    Command::NotKept {
        device: "a4".to_owned(),
    }
}

fn reports(effects: &[Effect]) -> Vec<&DeviceReport> {
    let each = effects.iter().filter_map(|effect| match effect {
        Effect::Report(report) => Some(report),
        Effect::Heartbeat { .. } => None,
    });
    each.collect()
}

/// Troubles and devices of the heartbeat that is due, if one is.
fn beat(effects: &[Effect]) -> Option<(Vec<&'static str>, Vec<&str>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Report(_) => None,
        Effect::Heartbeat { troubles, devices } => Some((
            troubles.iter().map(|trouble| trouble.keyword()).collect(),
            devices.iter().map(|device| device.state.as_str()).collect(),
        )),
    })
}

#[test]
fn a_device_is_told_of_once_a_change_and_jobs_are_none() {
    let mut health = beaten();
    submit(&mut health, later(1), looked(look("idle", &[])));
    let effects = health.effects(later(1));
    assert_eq!(reports(&effects).first().unwrap().state, "idle");
    assert_eq!(beat(&effects), None);
    submit(&mut health, later(1), kept());
    assert_eq!(
        submit(&mut health, later(3), looked(look("processing", &[]))),
        []
    );
    assert_eq!(health.effects(later(3)), []);
    submit(
        &mut health,
        later(5),
        looked(look("stopped", &["media-jam"])),
    );
    let told = health.effects(later(7));
    let told = reports(&told);
    assert_eq!((told.len(), told[0].at), (1, later(5).wall));
}

#[test]
fn a_change_that_finds_no_room_goes_with_heartbeats_until_it_does_and_is_told_of_once() {
    let mut health = beaten();
    submit(
        &mut health,
        later(1),
        looked(look("unreachable", &["timed-out"])),
    );
    assert_eq!(submit(&mut health, later(1), not_kept()).len(), 1);
    let effects = health.effects(later(1));
    assert_eq!(beat(&effects), Some((vec![], vec!["unreachable"])));
    assert_eq!(reports(&effects).len(), 1);
    submit(&mut health, later(1), Command::Beaten);

    // Looked at again and again: it is tried again, without an event and without a heartbeat each time.
    assert_eq!(
        submit(
            &mut health,
            later(3),
            looked(look("unreachable", &["timed-out"]))
        ),
        []
    );
    assert_eq!(submit(&mut health, later(3), not_kept()), []);
    assert_eq!(beat(&health.effects(later(3))), None);
    assert_eq!(reports(&health.effects(later(3))).len(), 1);

    submit(&mut health, later(5), kept());
    assert_eq!(health.effects(later(5)), []);
    assert_eq!(submit(&mut health, later(5), not_kept()), []);
}

#[test]
fn a_heartbeat_is_due_after_its_time_and_when_the_clock_was_set_back() {
    let mut health = Health::new(EVERY);
    assert!(beat(&health.effects(later(0))).is_some());
    submit(&mut health, later(0), Command::Beaten);
    assert_eq!(health.wake_at(later(899)), Some(later(900).wall));
    assert_eq!(health.wake_at(later(900)), None);
    assert_eq!(beat(&health.effects(later(899))), None);
    assert!(beat(&health.effects(later(900))).is_some());
    let back = at(MORNING.saturating_sub(Duration::from_secs(1)));
    assert!(beat(&health.effects(back)).is_some());
}

#[test]
fn each_bound_that_is_crossed_makes_a_heartbeat_due_at_once_and_again_when_it_is_left() {
    type Change = fn(&mut Measures);
    let cases: [(Change, &[&str]); 11] = [
        (|now| now.disk_free_bytes = Some(400 << 20), &["disk-low"]),
        (
            |now| now.disk_free_bytes = Some(0),
            &["disk-low", "disk-full"],
        ),
        (|now| now.spool_bytes = 220 << 20, &["spool-high"]),
        (|now| now.clock_offset_ms = Some(-400_000), &["clock-off"]),
        (
            |now| now.certificate_days_left = Some(29),
            &["certificate-ends-soon"],
        ),
        (
            |now| now.certificate_days_left = Some(-1),
            &["certificate-ended"],
        ),
        (|now| now.is_trust_old = true, &["trust-old"]),
        (|now| now.is_trust_ended = true, &["trust-ended"]),
        (|now| now.has_refused_records = true, &["records-refused"]),
        (
            |now| now.is_inspector_missing = true,
            &["inspector-missing"],
        ),
        (|now| now.is_trust_broken = true, &["trust-broken"]),
    ];
    for (change, troubles) in cases {
        let mut health = beaten();
        let mut measures = sound();
        change(&mut measures);
        submit(&mut health, later(10), Command::Measured(measures));
        assert_eq!(
            beat(&health.effects(later(10))),
            Some((troubles.to_vec(), vec![]))
        );
        submit(&mut health, later(10), Command::Beaten);
        assert_eq!(
            submit(&mut health, later(20), Command::Measured(measures)),
            []
        );
        submit(&mut health, later(30), Command::Measured(sound()));
        assert_eq!(beat(&health.effects(later(30))), Some((vec![], vec![])));
    }
}

#[test]
fn another_trust_bundle_makes_a_heartbeat_due_at_once() {
    let mut health = beaten();
    assert_eq!(beat(&health.effects(later(10))), None, "control");
    submit(&mut health, later(10), Command::TrustRenewed);
    assert_eq!(beat(&health.effects(later(10))), Some((vec![], vec![])));
    submit(&mut health, later(10), Command::Beaten);
    assert_eq!(beat(&health.effects(later(20))), None);
}

#[test]
fn a_clock_that_nobody_confirmed_is_a_trouble() {
    let mut health = beaten();
    let dead = Now {
        trusted: false,
        ..later(10)
    };
    submit(&mut health, dead, Command::Measured(sound()));
    assert_eq!(
        beat(&health.effects(dead)),
        Some((vec!["clock-untrusted"], vec![]))
    );
}

#[test]
fn a_measure_that_trembles_at_its_bound_crosses_it_once() {
    let mut health = beaten();
    let free = |mib: u64| {
        let disk_free_bytes = Some(mib << 20);
        Command::Measured(Measures {
            disk_free_bytes,
            ..sound()
        })
    };
    assert_eq!(submit(&mut health, later(1), free(513)), []);
    assert_eq!(submit(&mut health, later(2), free(511)).len(), 1);
    for mib in [513, 511, 560] {
        assert_eq!(submit(&mut health, later(3), free(mib)), [], "{mib}");
    }
    assert_eq!(submit(&mut health, later(4), free(577)).len(), 1);
}

#[test]
fn an_idle_printer_is_looked_at_often_in_office_hours_and_seldom_outside_them_or_asleep() {
    let hours = OfficeHours {
        utc_offset_min: 7 * 60,
        days: [true, true, true, true, true, false, false],
        open_min: 7 * 60,
        close_min: 17 * 60,
    };
    let (often, seldom) = (Duration::from_secs(2), Duration::from_secs(30));
    let rule = PollRule {
        in_hours: often,
        quiet: seldom,
        hours,
    };
    let idle = look("idle", &[]);
    let hour = |hours: i64| {
        at(Timestamp::from_unix_ms(
            MORNING.unix_ms() + hours * 3_600_000,
        ))
    };
    for (hours, pause) in [
        (0, often),
        (-1, often),  // 07:00
        (-2, seldom), // 06:00
        (8, often),   // 16:00
        (9, seldom),  // 17:00
        (48, often),  // Friday
        (72, seldom), // Saturday
        (96, seldom), // Sunday
        (120, often), // Monday
    ] {
        assert_eq!(rule.pause(hour(hours), &idle), pause, "{hours} hours on");
    }
    assert_eq!(rule.pause(hour(0), &look("idle", &["suspend"])), seldom);
    let dead = Now {
        trusted: false,
        ..hour(9)
    };
    assert_eq!(rule.pause(dead, &idle), often);
    let slow = PollRule {
        in_hours: Duration::from_secs(60),
        ..rule
    };
    assert_eq!(slow.pause(hour(9), &idle), Duration::from_secs(60));
}

/// Any command about two devices.
fn command() -> impl Strategy<Value = Command> {
    let device = prop_oneof![Just("a4".to_owned()), Just("a5".to_owned())];
    let state = prop_oneof![Just("idle"), Just("stopped"), Just("unreachable")];
    let looked = (device.clone(), state).prop_map(|(device, state)| Command::Looked {
        device,
        look: look(state, &[]),
    });
    let free = prop_oneof![Just(0), Just(400 << 20), Just(10 << 30)];
    let measured = free.prop_map(|free| {
        Command::Measured(Measures {
            disk_free_bytes: Some(free),
            ..sound()
        })
    });
    prop_oneof![
        looked,
        measured,
        device.clone().prop_map(|device| Command::Kept { device }),
        device.prop_map(|device| Command::NotKept { device }),
        Just(Command::Beaten),
        Just(Command::TrustRenewed),
    ]
}

proptest! {
    /// Whatever comes in whatever order: what is decided can be applied; the last change of each device stands in
    /// the outbox or is asked for; and a bound that was crossed since the last heartbeat has one due.
    #[test]
    fn no_change_is_ever_forgotten(commands in proptest::collection::vec(command(), 0..40)) {
        let mut health = Health::new(EVERY);
        let (mut seen, mut in_outbox) = (BTreeMap::new(), BTreeMap::new());
        let mut beaten_with = None;
        for command in commands {
            let events = health.decide(later(1), command).unwrap();
            for event in events {
                health.apply(&event).unwrap();
                match event {
                    Event::Changed { device, look, .. } | Event::Used { device, look, .. } => {
                        seen.insert(device, look.state);
                    }
                    Event::Kept { device } => {
                        let state = seen.get(&device).cloned().unwrap();
                        in_outbox.insert(device, state);
                    }
                    Event::Beaten { .. } => beaten_with = Some(health.troubles().clone()),
                    Event::TrustRenewed => beaten_with = None,
                    Event::Crossed { .. } | Event::NotKept { .. } => {}
                }
            }
            let effects = health.effects(later(1));
            for (device, state) in &seen {
                let asked = reports(&effects).iter().any(|report| report.device == *device);
                prop_assert!(asked || in_outbox.get(device) == Some(state));
            }
            if beaten_with.as_ref() != Some(health.troubles()) {
                prop_assert!(beat(&effects).is_some());
            }
        }
    }
}
