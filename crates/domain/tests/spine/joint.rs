//! Random histories of machines, central and the broker between them.

use std::collections::VecDeque;

use loket_domain::print::Command;
use loket_wire::Release;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::check;
use crate::desk::{habits, way};
use crate::hands::Way;
use crate::machine::{Machine, job_id, officer};
use crate::world::{Faults, JOBS, Lost, Said, World, machine_of, not_after};

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Create(u8, bool),
    Offer(u8),
    Cancel(u8),
    AnswerAtCentral(u8),
    Expire,
    Backup,
    Restore,
    Connect(u8),
    Publish(u8),
    Run {
        machine: u8,
        pick: u8,
        way: Way,
    },
    /// Good rounds; unheard, nothing reaches central but the document listener.
    Serve {
        machine: u8,
        rounds: u8,
        is_heard: bool,
    },
    Work(u8),
    Power(u8),
    Restart(u8),
    /// An officer prints a document by hand.
    PrintByHand(u8),
    Release(u8),
    CancelHere(u8),
    AnswerHere(u8),
    Copy(u8),
    RollBack(u8),
    Wipe(u8),
    ToMachine {
        machine: u8,
        pick: u8,
        again: bool,
    },
    ToCentral {
        pick: u8,
        again: bool,
    },
    DropToMachine(u8),
    DropToCentral(u8),
    WipeBroker,
    CarryAgain(u8),
    /// A broker says a sync again that it kept.
    SyncAgain(u8),
    Minutes(u8),
}

fn op(faults: Faults) -> impl Strategy<Value = Op> {
    let job = || 0..JOBS;
    let machine = || 0..2_u8;
    // Mostly in order, as a broker does.
    let pick = || prop_oneof![4 => Just(0_u8), 1 => any::<u8>()];
    let again = || proptest::bool::weighted(0.1);
    let on = |on: bool| u32::from(on);
    prop_oneof![
        6 => (job(), proptest::bool::weighted(0.2)).prop_map(|(job, held)| Op::Create(job, held)),
        12 => machine().prop_map(Op::Offer),
        2 => job().prop_map(Op::Cancel),
        4 => job().prop_map(Op::AnswerAtCentral),
        1 => Just(Op::Expire),
        6 => machine().prop_map(Op::Connect),
        12 => machine().prop_map(Op::Publish),
        40 => (machine(), any::<u8>(), way())
            .prop_map(|(machine, pick, way)| Op::Run { machine, pick, way }),
        10 => (machine(), 1..16_u8, any::<bool>())
            .prop_map(|(machine, rounds, is_heard)| Op::Serve { machine, rounds, is_heard }),
        12 => machine().prop_map(Op::Work),
        1 => machine().prop_map(Op::Power),
        2 => machine().prop_map(Op::Restart),
        2 => machine().prop_map(Op::PrintByHand),
        2 => job().prop_map(Op::Release),
        1 => job().prop_map(Op::CancelHere),
        2 => job().prop_map(Op::AnswerHere),
        24 => (machine(), pick(), again())
            .prop_map(|(machine, pick, again)| Op::ToMachine { machine, pick, again }),
        24 => (pick(), again()).prop_map(|(pick, again)| Op::ToCentral { pick, again }),
        2 => machine().prop_map(Op::DropToMachine),
        2 => any::<u8>().prop_map(Op::DropToCentral),
        1 => Just(Op::WipeBroker),
        3 => any::<u8>().prop_map(Op::CarryAgain),
        2 => any::<u8>().prop_map(Op::SyncAgain),
        4 => (1..200_u8).prop_map(Op::Minutes),
        on(faults.wipes) * 2 + u32::from(!faults.wipes) => machine()
            .prop_map(move |machine| if faults.wipes { Op::Wipe(machine) } else { Op::Restart(machine) }),
        3 + 6 * on(faults.heard_first) => machine()
            .prop_map(move |machine| if faults.sets_back() { Op::Copy(machine) } else { Op::Publish(machine) }),
        2 + 6 * on(faults.heard_first) => machine()
            .prop_map(move |machine| if faults.sets_back() { Op::RollBack(machine) } else { Op::Publish(machine) }),
        2 => Just(if faults.restores { Op::Backup } else { Op::Expire }),
        2 => Just(if faults.restores { Op::Restore } else { Op::Expire }),
    ]
}

impl World {
    pub(crate) fn happen(&mut self, op: &Op) {
        // Nobody is so fast that a printer starts twice within a minute.
        self.pass(2);
        match op {
            Op::Create(..)
            | Op::Offer(_)
            | Op::Cancel(_)
            | Op::AnswerAtCentral(_)
            | Op::Expire
            | Op::Backup
            | Op::Restore => self.at_central(op),
            Op::Connect(no) => self.connect(usize::from(*no)),
            Op::Publish(no) => self.publish(usize::from(*no)),
            Op::Run { machine, pick, way } => {
                self.run(usize::from(*machine), usize::from(*pick), *way)
            }
            Op::Serve {
                machine,
                rounds,
                is_heard,
            } => {
                for _round in 0..*rounds {
                    self.serve(usize::from(*machine), *is_heard);
                }
            }
            Op::Work(no) => self.printer(*no).work(),
            Op::Power(no) => {
                self.printer(*no).power_cycle();
                self.allow_again(usize::from(*no));
            }
            Op::Restart(no) => self.machines[usize::from(*no)].restart(),
            Op::PrintByHand(no) => drop(self.print_by_hand(usize::from(*no))),
            Op::Release(_) | Op::CancelHere(_) | Op::AnswerHere(_) => self.at_machine(op),
            Op::Copy(no) => {
                self.copies[usize::from(*no)] = self.machines[usize::from(*no)].disk.clone()
            }
            Op::RollBack(no) if self.faults.heard_first => {
                self.roll_back_and_hear(usize::from(*no));
            }
            Op::RollBack(no) => self.roll_back(usize::from(*no)),
            Op::Wipe(no) => self.wipe(usize::from(*no)),
            Op::ToMachine {
                machine,
                pick,
                again,
            } => {
                self.carry_down(usize::from(*machine), usize::from(*pick), *again);
            }
            Op::ToCentral { pick, again } => self.carry_up(usize::from(*pick), *again),
            Op::DropToMachine(no) => drop(self.to_machines[usize::from(*no)].pop_front()),
            Op::DropToCentral(pick) => {
                let at = usize::from(*pick).checked_rem(self.to_central.len());
                at.map(|at| self.to_central.remove(at));
            }
            Op::WipeBroker => {
                self.to_machines.iter_mut().for_each(VecDeque::clear);
                self.to_central.clear();
            }
            Op::CarryAgain(pick) => {
                let at = usize::from(*pick).checked_rem(self.carried.len());
                if let Some((no, told)) = at.map(|at| self.carried[at].clone()) {
                    self.to_machines[no].push_back(told);
                }
            }
            Op::SyncAgain(pick) => {
                let at = usize::from(*pick).checked_rem(self.syncs.len());
                if let Some((no, sync)) = at.map(|at| self.syncs[at].clone()) {
                    self.to_central.push_back((no, Said::Sync(sync)));
                }
            }
            Op::Minutes(minutes) => self.pass(u64::from(*minutes)),
        }
    }

    fn at_central(&mut self, op: &Op) {
        match op {
            Op::Create(job, is_held) => {
                let release = if *is_held {
                    Release::Officer
                } else {
                    Release::Now
                };
                self.releases.entry(job_id(*job)).or_insert(release);
                let until = not_after();
                self.central
                    .create(job_id(*job), machine_of(job_id(*job)), until, self.now);
            }
            Op::Offer(no) => self.offer(usize::from(*no)),
            Op::Cancel(job) => {
                if let Some((no, told)) = self.central.cancel(job_id(*job), self.now) {
                    self.send(no, told);
                }
            }
            Op::AnswerAtCentral(job) => {
                self.answer_at_central(job_id(*job));
            }
            Op::Backup => self.backup = self.central.clone(),
            Op::Restore => {
                self.none.clear();
                let backup = self.backup.clone();
                self.central.restore(&backup);
            }
            _expire => self.central.tick(self.now),
        }
    }

    fn at_machine(&mut self, op: &Op) {
        let (Op::Release(job) | Op::CancelHere(job) | Op::AnswerHere(job)) = op else {
            return;
        };
        let job = job_id(*job);
        let machine = &mut self.machines[machine_of(job)];
        match op {
            Op::Release(_) => drop(machine.submit(Command::Release { job, by: officer() })),
            Op::CancelHere(_) => drop(machine.submit(Command::Cancel { job, by: officer() })),
            _answer => drop(machine.answer(job)),
        }
    }
}

fn play(cases: u32, faults: Faults, at_rest: impl Fn(&mut World)) {
    check(
        cases,
        (habits(), vec(op(faults), 1..120)),
        |(habits, ops)| {
            let mut world = World::new(habits, faults);
            for op in &ops {
                world.happen(op);
                world.machines.iter().for_each(Machine::check_paper);
                world.check_none();
            }
            world.settle();
            world.machines.iter().for_each(Machine::check_paper);
            world.check_none();
            at_rest(&mut world);
        },
    );
}

/// Histories of each test: with these every fault meets every state many times within seconds.
const CASES: u32 = 400;

#[test]
fn whatever_the_line_does_each_job_is_printed_once_and_central_knows_it() {
    play(CASES, Faults::default(), |world| {
        world.check_accounts();
        world.check_by_hand(Lost::Nothing);
        world.check_rest();
        world.check_agreement(Lost::Nothing);
    });
}

#[test]
fn with_lost_journals_nothing_is_printed_twice_and_what_was_lost_is_asked_of_a_person() {
    let faults = Faults {
        wipes: true,
        ..Faults::default()
    };
    play(CASES, faults, |world| {
        world.check_by_hand(Lost::Nothing);
        world.check_rest();
        world.check_agreement(Lost::Nothing);
    });
}

#[test]
fn with_a_restored_central_nothing_is_printed_twice_and_no_job_it_knows_is_stuck() {
    let faults = Faults {
        restores: true,
        ..Faults::default()
    };
    play(CASES, faults, |world| {
        world.check_by_hand(Lost::ByCentral);
        world.check_rest();
        world.check_agreement(Lost::ByCentral);
    });
}

/// What such a journal forgot to have sent, the printer remembers. Only where that forgot it too is it printed again:
/// see `lost::a_journal_set_back_behind_a_sheet_that_the_printer_forgot_prints_it_again`.
#[test]
fn with_journals_set_back_only_what_the_printer_forgot_too_is_printed_again_and_nothing_is_stuck() {
    let faults = Faults {
        rollbacks: true,
        ..Faults::default()
    };
    play(CASES, faults, |world| {
        world.check_by_hand(Lost::Nothing);
        world.check_rest();
    });
}

/// The invariant of a machine that was set back, and can be known to be: once central was heard, nothing that it forgot
/// to have sent comes out again, though the printer forgot it too. No page is allowed twice here.
#[test]
fn with_journals_set_back_no_second_sheet_comes_where_central_is_heard_first() {
    let faults = Faults {
        heard_first: true,
        ..Faults::default()
    };
    play(2 * CASES, faults, World::check_rest);
}
