//! The print desk of one machine under random faults: crashes, lost answers, torn and late documents, printers that
//! forget, officers and central that call off at any moment. What must hold is written in `machine` and
//! checked at every event.

use std::time::Duration;

use crate::hands::Way;
use crate::machine::{Machine, START, job_id, officer, order};
use crate::printer::{Counter, Habits, Memory, Printer, Torn};
use crate::{check, find_failure};
use loket_domain::print::{Actor, Command, Facts, Intake, Origin, What};
use loket_wire::{Epoch, JobState, Reason, Release, Sha256Digest};
use proptest::collection::vec;
use proptest::prelude::*;

/// Jobs in one history: enough to queue in two lanes, few enough to meet often.
const JOBS: u8 = 4;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Op {
    Order {
        job: u8,
        release: Release,
        lane: Option<u8>,
        hours: u8,
        is_local: bool,
    },
    Redeliver(u8),
    Replay(u8),
    OtherEpoch(u8),
    Run {
        pick: u8,
        way: Way,
    },
    Start(u8),
    Perform {
        pick: u8,
        way: Way,
    },
    Deliver(u8),
    Restart,
    CrashAfter {
        pick: u8,
        way: Way,
    },
    Power(u8),
    Reach(u8, bool),
    Work(u8),
    Stop(u8),
    GiveUp(u8, bool),
    Arrive(u8),
    Foreign(u8),
    Release(u8),
    Cancel(u8, bool),
    Answer(u8),
    Refuse(u8),
    Spoil(u8),
    Hours(u8),
    Trust(bool),
    Tick,
    Stale(u8),
}

pub(crate) fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        8 => Just(Way::Good),
        1 => Just(Way::Twice),
        2 => Just(Way::RequestLost),
        2 => Just(Way::AnswerLost),
        1 => Just(Way::Torn),
        1 => Just(Way::Late),
    ]
}

fn release() -> impl Strategy<Value = Release> {
    prop_oneof![5 => Just(Release::Now), 1 => Just(Release::Officer), 1 => Just(Release::Code)]
}

fn op() -> impl Strategy<Value = Op> {
    let job = 0..JOBS;
    let lane = 0..2_u8;
    let ordered = (
        job.clone(),
        release(),
        proptest::option::weighted(0.4, 0..3_u8),
        1..200_u8,
        proptest::bool::weighted(0.15),
    );
    prop_oneof![
        8 => ordered.prop_map(|(job, release, lane, hours, is_local)| Op::Order {
            job, release, lane, hours, is_local
        }),
        1 => job.clone().prop_map(Op::Redeliver),
        1 => job.clone().prop_map(Op::Replay),
        1 => job.clone().prop_map(Op::OtherEpoch),
        30 => (any::<u8>(), way()).prop_map(|(pick, way)| Op::Run { pick, way }),
        4 => any::<u8>().prop_map(Op::Start),
        4 => (any::<u8>(), way()).prop_map(|(pick, way)| Op::Perform { pick, way }),
        4 => any::<u8>().prop_map(Op::Deliver),
        3 => Just(Op::Restart),
        4 => (any::<u8>(), way()).prop_map(|(pick, way)| Op::CrashAfter { pick, way }),
        2 => lane.clone().prop_map(Op::Power),
        2 => (lane.clone(), any::<bool>()).prop_map(|(lane, on)| Op::Reach(lane, on)),
        10 => lane.clone().prop_map(Op::Work),
        1 => lane.clone().prop_map(Op::Stop),
        2 => (lane.clone(), any::<bool>()).prop_map(|(lane, panel)| Op::GiveUp(lane, panel)),
        2 => lane.clone().prop_map(Op::Arrive),
        1 => lane.prop_map(Op::Foreign),
        2 => job.clone().prop_map(Op::Release),
        2 => (job.clone(), any::<bool>()).prop_map(|(job, central)| Op::Cancel(job, central)),
        3 => job.clone().prop_map(Op::Answer),
        1 => job.clone().prop_map(Op::Refuse),
        1 => job.prop_map(Op::Spoil),
        1 => (1..100_u8).prop_map(Op::Hours),
        1 => any::<bool>().prop_map(Op::Trust),
        1 => Just(Op::Tick),
        2 => any::<u8>().prop_map(Op::Stale),
    ]
}

pub(crate) fn habits() -> impl Strategy<Value = Habits> {
    let memory = prop_oneof![
        Just(Memory::ForgetsAndRestartsIds),
        Just(Memory::Forgets),
        Just(Memory::Keeps),
        Just(Memory::KeepsButMiscounts),
    ];
    let counter = prop_oneof![2 => Just(Counter::Honest), 1 => Just(Counter::Absent), 1 => Just(Counter::StuckAtZero)];
    let torn = prop_oneof![
        Just(Torn::AbortsJob),
        Just(Torn::WaitsAgain),
        Just(Torn::KeepsPart)
    ];
    (
        memory,
        counter,
        torn,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        proptest::bool::weighted(0.3),
    )
        .prop_map(
            |(memory, counter, torn, single, has_uuid, one, gives_up, takes_whole)| Habits {
                takes_whole,
                memory,
                counter,
                torn,
                is_single_document: single,
                has_uuid,
                is_believed: false,
                is_one_at_a_time: one,
                gives_up_waiting: gives_up,
            },
        )
}

const EPOCH: Epoch = Epoch::from_bytes([1; 16]);

fn facts(job: u8, release: Release, lane: Option<u8>, hours: u8, is_local: bool) -> Facts {
    let mut facts = order(job_id(job), EPOCH, u64::from(job) + 1, job);
    facts.release = release;
    facts.printer = lane.map(|lane| format!("lane-{lane}"));
    facts.not_after = START.saturating_add(Duration::from_secs(u64::from(hours) * 3600));
    if is_local {
        facts.origin = Origin::Local { by: None };
    }
    facts
}

fn accept(machine: &mut Machine, facts: Facts) {
    drop(machine.submit(Command::Accept(Intake::Good(Box::new(facts)))));
}

fn lane_of(machine: &mut Machine, lane: u8) -> &mut Printer {
    machine.printer(&format!("lane-{lane}"))
}

fn happen(machine: &mut Machine, op: &Op) {
    // Nobody is so fast that a printer starts twice within a minute.
    machine.now.wall = machine.now.wall.saturating_add(Duration::from_secs(120));
    machine.tell_time();
    match op {
        Op::Order { .. } | Op::Redeliver(_) | Op::Replay(_) | Op::OtherEpoch(_) => {
            arrive(machine, op);
        }
        Op::Run { pick, way } => machine.run(usize::from(*pick), *way),
        Op::Start(pick) => drop(machine.start(usize::from(*pick))),
        Op::Perform { pick, way } => drop(machine.perform(usize::from(*pick), *way)),
        Op::Deliver(pick) => drop(machine.deliver(usize::from(*pick))),
        Op::Restart => machine.restart(),
        Op::CrashAfter { pick, way } => {
            machine.start(usize::from(*pick));
            machine.perform(usize::from(*pick), *way);
            machine.restart();
        }
        Op::Power(lane) => lane_of(machine, *lane).power_cycle(),
        Op::Reach(lane, on) => lane_of(machine, *lane).is_on = *on,
        Op::Work(lane) => lane_of(machine, *lane).work(),
        Op::Stop(lane) => lane_of(machine, *lane).stop(),
        Op::GiveUp(lane, is_panel) => lane_of(machine, *lane).give_up(*is_panel),
        Op::Arrive(lane) => lane_of(machine, *lane).arrive(),
        Op::Foreign(lane) => lane_of(machine, *lane).print_foreign(),
        Op::Release(job) => {
            let command = Command::Release {
                job: job_id(*job),
                by: officer(),
            };
            drop(machine.submit(command));
        }
        Op::Cancel(job, is_central) => {
            let by = if *is_central {
                Actor::Central
            } else {
                officer()
            };
            drop(machine.submit(Command::Cancel {
                job: job_id(*job),
                by,
            }));
        }
        Op::Answer(job) => drop(machine.answer(job_id(*job))),
        Op::Refuse(job) => {
            machine
                .verdicts
                .insert(job_id(*job), Reason::SignatureInvalid);
        }
        Op::Spoil(job) => drop(machine.spoiled.insert(job_id(*job))),
        Op::Hours(hours) => {
            let passed = Duration::from_secs(u64::from(*hours) * 3600);
            machine.now.wall = machine.now.wall.saturating_add(passed);
        }
        Op::Trust(trusted) => machine.now.trusted = *trusted,
        Op::Tick => drop(machine.submit(Command::Tick)),
        Op::Stale(pick) => machine.repeat_stale(usize::from(*pick)),
    }
}

fn arrive(machine: &mut Machine, op: &Op) {
    let known = |machine: &Machine, job: u8| {
        let taken = machine
            .disk
            .events
            .iter()
            .find_map(|event| match &event.what {
                What::Accepted { facts } if facts.job_id == job_id(job) => Some((**facts).clone()),
                _other => None,
            });
        taken.filter(|facts| matches!(facts.origin, Origin::Central { .. }))
    };
    match op {
        Op::Order {
            job,
            release,
            lane,
            hours,
            is_local,
        } => {
            if known(machine, *job).is_none() {
                accept(machine, facts(*job, *release, *lane, *hours, *is_local));
            }
        }
        Op::Redeliver(job) => {
            if let Some(facts) = known(machine, *job) {
                let command = Command::Accept(Intake::Good(Box::new(facts)));
                let events = machine.submit(command).unwrap();
                assert_eq!(
                    events.len(),
                    1,
                    "a redelivery is answered with the present state"
                );
                assert_eq!(events[0].what.kind(), "restated");
            }
        }
        Op::Replay(job) => {
            if let Some(mut facts) = known(machine, *job) {
                if let Origin::Central { envelope, .. } = &mut facts.origin {
                    *envelope = Sha256Digest::from_bytes([99; 32]);
                }
                let refused = machine.submit(Command::Accept(Intake::Good(Box::new(facts))));
                assert!(refused.is_err(), "other bytes under a known id are refused");
            }
        }
        Op::OtherEpoch(job) => {
            let facts = Box::new(order(job_id(*job), Epoch::from_bytes([9; 16]), 90, 9));
            let intake = Intake::Bad {
                facts,
                reason: Reason::Replay,
            };
            let refused = machine.submit(Command::Accept(intake));
            assert!(
                refused.is_err(),
                "an order for another life of the journal is refused"
            );
        }
        other => panic!("{other:?} is no order"),
    }
}

fn play(first: Habits, second: Habits, ops: &[Op]) {
    let printers = vec![Printer::new(first), Printer::new(second)];
    let mut machine = Machine::new(EPOCH, printers);
    for op in ops {
        happen(&mut machine, op);
        machine.check_paper();
    }
    machine.settle();
    machine.check_rest();
    machine.check_paper();
}

/// Lines in the journal that one job may bring, whatever its printer does: twenty attempts that fail before any byte
/// left, five that are aborted, and calling off after each.
const MAX_LINES: usize = 400;

#[test]
fn whatever_always_fails_at_the_printers_comes_to_an_end_within_bounds() {
    let bad = prop_oneof![
        Just(Way::RequestLost),
        Just(Way::AnswerLost),
        Just(Way::Torn),
        Just(Way::Late),
    ];
    check(
        200,
        (habits(), vec(op(), 1..30), bad),
        |(habits, ops, way)| {
            let printers = vec![Printer::new(habits), Printer::new(habits)];
            let mut machine = Machine::new(EPOCH, printers);
            for op in &ops {
                happen(&mut machine, op);
            }
            machine.settle_though(way);
            machine.check_paper();
            for job in (0..JOBS).map(job_id) {
                let of_job = machine
                    .disk
                    .events
                    .iter()
                    .filter(|event| event.job_id == job);
                assert!(
                    of_job.count() < MAX_LINES,
                    "a printer's fault fills the journal"
                );
            }
            machine.settle();
            machine.check_rest();
            machine.check_paper();
        },
    );
}

#[test]
fn no_history_prints_twice_loses_a_job_or_gets_stuck() {
    let world = ((habits(), habits()), vec(op(), 1..80));
    check(600, world, |((first, second), ops)| {
        play(first, second, &ops)
    });
}

/// The control: where a profile believes a printer that lies, sheets come out twice, and these tests see it.
#[test]
fn a_printer_that_is_believed_though_it_lies_is_caught_printing_twice() {
    let lies = |habits: Habits| Habits {
        is_believed: true,
        takes_whole: false,
        ..habits
    };
    let counts_nothing = habits().prop_map(move |habits| Habits {
        counter: Counter::StuckAtZero,
        ..lies(habits)
    });
    let takes_several = habits().prop_map(move |habits| Habits {
        torn: Torn::KeepsPart,
        counter: Counter::Absent,
        is_single_document: false,
        ..lies(habits)
    });
    let twice = "a page came out twice";
    let again = "a document is sent while another job at the printer may hold it";
    let unseen = "means no sheet: ";
    for habits in [counts_nothing.boxed(), takes_several.boxed()] {
        let world = (habits, vec(op(), 40..80));
        let found = find_failure(600, 0, world, |(habits, ops)| play(habits, habits, &ops));
        let failure = found.unwrap_err();
        let is_caught = [twice, again, unseen].iter().any(|it| failure.contains(it));
        assert!(is_caught, "{failure}");
    }
}

const FORGETFUL: Habits = Habits {
    memory: Memory::ForgetsAndRestartsIds,
    counter: Counter::Honest,
    torn: Torn::AbortsJob,
    is_single_document: true,
    has_uuid: false,
    is_believed: false,
    is_one_at_a_time: false,
    takes_whole: false,
    gives_up_waiting: false,
};

/// A machine with one job, whose printer started a little while ago; so many effects of it have been run.
fn under_way(habits: Habits, effects: usize) -> Machine {
    let mut machine = Machine::new(EPOCH, vec![Printer::new(habits)]);
    happen(&mut machine, &Op::Power(0));
    accept(&mut machine, facts(0, Release::Now, None, 100, false));
    for _effect in 0..effects {
        happen(
            &mut machine,
            &Op::Run {
                pick: 0,
                way: Way::Good,
            },
        );
    }
    machine
}

#[test]
fn after_a_crash_a_card_goes_into_no_job_that_got_the_number_of_ours() {
    // Fetched, verified, surveyed, created: the number is on disk.
    let mut machine = under_way(FORGETFUL, 4);
    for op in [Op::Power(0), Op::Foreign(0), Op::Restart] {
        happen(&mut machine, &op);
    }
    for _effect in 0..2 {
        happen(
            &mut machine,
            &Op::Run {
                pick: 0,
                way: Way::Good,
            },
        );
        machine.check_paper();
    }
    machine.settle();
    machine.check_rest();
    machine.check_paper();
    assert_eq!(machine.pages_of(job_id(0)), 1);
}

#[test]
fn a_second_power_cycle_is_seen_though_the_printer_has_run_longer_than_before_by_then() {
    let habits = Habits {
        memory: Memory::KeepsButMiscounts,
        ..FORGETFUL
    };
    // Compared and sent as well; a page comes out, and the power goes.
    let mut machine = under_way(habits, 6);
    for op in [Op::Work(0), Op::Work(0), Op::Power(0)] {
        happen(&mut machine, &op);
    }
    assert_eq!(machine.pages_of(job_id(0)), 1);
    machine.now.wall = machine.now.wall.saturating_add(Duration::from_secs(1_200));
    machine.settle();
    let unknown = (JobState::Unknown, Some(Reason::PrinterRestarted));
    assert_eq!(machine.last_word(job_id(0)), Some(unknown));
    machine.check_paper();
}
