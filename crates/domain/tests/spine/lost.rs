//! What happens when somebody loses their memory, told as single histories.

use loket_wire::{JobId, JobState, Reason};

use crate::central::Told;
use crate::joint::Op;
use crate::machine::{Row, job_id};
use crate::printer::{Counter, Habits, Memory, Torn};
use crate::world::{Faults, Said, World};

const HONEST: Habits = Habits {
    memory: Memory::Forgets,
    counter: Counter::Honest,
    torn: Torn::AbortsJob,
    is_single_document: true,
    has_uuid: true,
    is_believed: false,
    is_one_at_a_time: false,
    takes_whole: false,
    gives_up_waiting: true,
};

/// A machine that central knows, and one job of one page for it.
fn linked(faults: Faults) -> (World, JobId) {
    let mut world = World::new(HONEST, faults);
    world.connect(0);
    world.flush();
    world.happen(&Op::Create(0, false));
    (world, job_id(0))
}

fn unheard(rounds: u8) -> Op {
    Op::Serve {
        machine: 0,
        rounds,
        is_heard: false,
    }
}

fn public(world: &World, job: JobId) -> (JobState, Option<Reason>) {
    let job = &world.central.jobs[&job].job;
    (job.state, job.reason)
}

#[test]
fn a_journal_lost_before_its_first_report_came_through_is_noticed_by_the_document_that_was_asked_for()
 {
    let (mut world, job) = linked(Faults::default());
    world.happen(&unheard(12));
    assert_eq!(
        world.machines[0].pages_of(job),
        1,
        "printed, and central heard nothing"
    );
    world.happen(&Op::WipeBroker);
    world.happen(&Op::Wipe(0));
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 1);
    let lost = (JobState::Unknown, Some(Reason::JournalLost));
    assert_eq!(public(&world, job), lost);
    world.happen(&Op::AnswerAtCentral(0));
    assert_eq!(
        public(&world, job),
        (JobState::Printed, Some(Reason::OfficerSaw))
    );
}

/// Why `DocumentAsked` must be committed before the first byte is served: the printer is a witness only while it has
/// power.
#[test]
fn without_that_note_a_journal_lost_too_early_would_be_printed_twice() {
    let faults = Faults {
        notes_nothing: true,
        ..Faults::default()
    };
    let (mut world, job) = linked(faults);
    world.happen(&unheard(12));
    world.happen(&Op::WipeBroker);
    world.happen(&Op::Wipe(0));
    world.happen(&Op::Power(0));
    world.machines[0].forgotten_pages.insert(job, 1);
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 2);
}

/// The machine's journal is set back to where it had not begun, and the printer has printed meanwhile.
fn set_back_behind_a_sheet() -> (World, JobId) {
    let (mut world, job) = linked(Faults::default());
    world.happen(&unheard(1));
    world.happen(&Op::Copy(0));
    world.happen(&unheard(12));
    world.connect(0);
    world.flush();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    world.happen(&Op::RollBack(0));
    (world, job)
}

#[test]
fn a_journal_set_back_behind_a_sheet_finds_it_at_the_printer_and_asks_the_officer() {
    let (mut world, job) = set_back_behind_a_sheet();
    world.happen(&unheard(12));
    assert_eq!(world.machines[0].pages_of(job), 1);
    let unknown = (JobState::Unknown, Some(Reason::FateNotSeen));
    assert_eq!(world.machines[0].last_word(job), Some(unknown));
    world.happen(&Op::AnswerHere(0));
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 1);
    assert_eq!(public(&world, job).0, JobState::Printed);
}

/// A flaw that stands: where journal and printer forget the same sheet, nobody on the site is left to tell of it before
/// central does, and by then it may have printed again.
#[test]
fn a_journal_set_back_behind_a_sheet_that_the_printer_forgot_prints_it_again() {
    let (mut world, job) = set_back_behind_a_sheet();
    world.happen(&Op::Power(0));
    assert_eq!(world.machines[0].forgotten_pages.get(&job), Some(&1));
    world.happen(&unheard(12));
    assert_eq!(world.machines[0].pages_of(job), 2);
}

#[test]
fn a_journal_set_back_prints_nothing_again_where_central_is_heard_first() {
    let (mut world, job) = linked(Faults::default());
    world.happen(&unheard(1));
    world.happen(&Op::Copy(0));
    world.happen(&unheard(12));
    world.connect(0);
    world.flush();
    world.happen(&Op::RollBack(0));
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 1);
    assert_eq!(public(&world, job).0, JobState::Printed);
}

/// Central heard of the attempt and not how it ended: the machine prints, is set back to where it holds the job released,
/// and the printer forgets. So nobody but central can know.
fn set_back_and_forgotten() -> (World, JobId) {
    let (mut world, job) = linked(Faults::default());
    world.happen(&unheard(1));
    world.happen(&Op::Copy(0));
    world.happen(&unheard(2));
    world.connect(0);
    world.flush();
    assert_eq!(public(&world, job).0, JobState::Printing);
    world.happen(&unheard(12));
    assert_eq!(world.machines[0].pages_of(job), 1);
    world.happen(&Op::RollBack(0));
    world.machines[0].printer("lane-0").power_cycle();
    (world, job)
}

#[test]
fn a_copy_that_central_lost_is_called_off_before_it_prints_and_only_then_is_none_taken() {
    let (mut world, job) = set_back_and_forgotten();
    let lost = (JobState::Unknown, Some(Reason::JournalLost));
    // Until its copy is called off, it may print whatever a person found.
    let now = world.now;
    world.connect(0);
    for _until_lost in 0..3 {
        while !world.to_central.is_empty() {
            world.carry_up(0, false);
        }
        let is_asked = |told: &Told| matches!(told, Told::Cancel { .. });
        if public(&world, job) == lost {
            assert!(world.to_machines[0].iter().any(is_asked));
            assert!(!world.central.answer(job, 0, now), "none was taken");
            assert_eq!(public(&world, job), lost);
            break;
        }
        world.carry_down(0, 0, false);
    }
    world.flush();
    let here = Some((JobState::Cancelled, Some(Reason::ByCentral)));
    assert_eq!(world.machines[0].last_word(job), here);
    assert_eq!(public(&world, job), lost, "it said nothing of the sheet");
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 1);
    world.happen(&Op::AnswerAtCentral(0));
    assert_eq!(
        public(&world, job),
        (JobState::Printed, Some(Reason::OfficerSaw))
    );
}

/// A sheet is out and told; the machine is set back to where it holds the job and has its first reports to say again. Its
/// list alone shows that the copy is alive: nobody waits for the reports, which the line may hold back for days.
#[test]
fn a_copy_listed_while_its_reports_are_under_way_is_called_off_before_they_came() {
    let (mut world, job) = linked(Faults::default());
    world.happen(&unheard(1));
    world.happen(&Op::Copy(0));
    world.happen(&unheard(12));
    world.connect(0);
    world.flush();
    assert_eq!(public(&world, job).0, JobState::Printed);
    world.happen(&Op::RollBack(0));
    world.machines[0].printer("lane-0").power_cycle();
    world.connect(0);
    let is_asked = |told: &Told| matches!(told, Told::Cancel { .. });
    while !world.to_machines[0].iter().any(is_asked) {
        if world.to_central.is_empty() {
            world.carry_down(0, 0, false);
        } else {
            world.carry_up(0, false);
        }
    }
    let reports = world.to_central.iter();
    let reports = reports.filter(|(_no, said)| matches!(said, Said::Event(..)));
    assert_eq!(reports.count(), 2, "its reports are under way");
    world.to_central.clear();
    while !world.to_machines[0].is_empty() {
        world.carry_down(0, 0, false);
    }
    let here = Some((JobState::Cancelled, Some(Reason::ByCentral)));
    assert_eq!(world.machines[0].last_word(job), here);
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 1);
    assert_eq!(public(&world, job).0, JobState::Printed);
}

/// The control: a machine that does not hear central's question prints the second sheet.
#[test]
fn where_the_question_is_not_heard_such_a_copy_prints_again() {
    let (mut world, job) = set_back_and_forgotten();
    world.machines[0].forgotten_pages.insert(job, 1);
    world.happen(&unheard(12));
    assert_eq!(world.machines[0].pages_of(job), 2);
}

/// A question that the broker loses is asked again, as an order is.
#[test]
fn a_lost_question_is_asked_again() {
    let (mut world, job) = set_back_and_forgotten();
    world.connect(0);
    let is_lost = |world: &World| public(world, job).1 == Some(Reason::JournalLost);
    while !is_lost(&world) {
        if world.to_central.is_empty() {
            world.carry_down(0, 0, false);
        }
        world.carry_up(0, false);
    }
    world.happen(&Op::WipeBroker);
    assert!(
        world.machines[0]
            .desk
            .job(job)
            .is_some_and(|job| !job.is_closed())
    );
    world.happen(&Op::Minutes(61));
    world.offer(0);
    world.flush();
    let here = Some((JobState::Cancelled, Some(Reason::ByCentral)));
    assert_eq!(world.machines[0].last_word(job), here);
}

/// The printer is a witness for as long as it remembers.
#[test]
fn a_journal_set_back_into_an_attempt_asks_the_printer_and_prints_nothing_again() {
    for rounds in 3..10 {
        let (mut world, job) = linked(Faults::default());
        world.happen(&unheard(rounds));
        world.happen(&Op::Copy(0));
        world.happen(&unheard(12));
        world.happen(&Op::RollBack(0));
        world.happen(&unheard(12));
        assert_eq!(world.machines[0].pages_of(job), 1, "{rounds}");
        let here = world.machines[0]
            .last_word(job)
            .map(|(state, _reason)| state);
        assert!(
            matches!(here, Some(JobState::Printed | JobState::Unknown)),
            "{here:?}"
        );
    }
}

#[test]
fn a_restored_central_that_gives_a_job_anew_is_told_where_it_stands() {
    let (mut world, job) = linked(Faults::default());
    world.happen(&Op::Backup);
    world.happen(&Op::Serve {
        machine: 0,
        rounds: 12,
        is_heard: true,
    });
    assert_eq!(public(&world, job), (JobState::Printed, None));
    world.happen(&Op::Restore);
    assert_eq!(
        public(&world, job).0,
        JobState::Created,
        "it forgot even the offer"
    );
    world.settle();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    assert_eq!(world.machines[0].pages_of(job), 1);
}

/// What ended after the backup was acknowledged and is told no more: a person must look, though the machine knows.
#[test]
fn a_restored_central_asks_a_person_of_a_job_that_was_with_its_machine() {
    let (mut world, job) = linked(Faults::default());
    let heard = |rounds| Op::Serve {
        machine: 0,
        rounds,
        is_heard: true,
    };
    world.happen(&heard(2));
    assert_eq!(public(&world, job).0, JobState::Printing);
    world.happen(&Op::Backup);
    world.happen(&heard(12));
    world.flush();
    world.happen(&Op::Restore);
    world.settle();
    let lost = (JobState::Unknown, Some(Reason::JournalLost));
    assert_eq!(public(&world, job), lost);
}

#[test]
fn an_order_that_arrives_after_its_cancel_is_not_printed_for_central_serves_no_document() {
    let (mut world, job) = linked(Faults::default());
    world.happen(&Op::Offer(0));
    let order = world.to_machines[0].pop_back().unwrap();
    world.happen(&Op::Cancel(0));
    world.flush();
    assert_eq!(
        public(&world, job),
        (JobState::Cancelled, Some(Reason::ByCentral))
    );
    world.to_machines[0].push_back(order);
    world.settle();
    assert_eq!(world.machines[0].pages_of(job), 0);
    assert_eq!(
        public(&world, job),
        (JobState::Rejected, Some(Reason::DocumentGone))
    );
}

#[test]
fn an_order_for_a_lost_journal_is_refused_and_given_anew() {
    let (mut world, job) = linked(Faults::default());
    world.happen(&Op::Offer(0));
    world.happen(&Op::Wipe(0));
    world.happen(&Op::ToMachine {
        machine: 0,
        pick: 0,
        again: false,
    });
    assert!(
        world.machines[0].desk.job(job).is_none(),
        "refused, not kept"
    );
    assert_eq!(
        world.machines[0].disk.outbox.values().next(),
        Some(&Row::Quarantine)
    );
    world.settle();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    assert_eq!(world.machines[0].pages_of(job), 1);
}

/// A machine that central knows, and a document that an officer printed there by hand, unheard.
fn printed_by_hand() -> (World, JobId) {
    let mut world = World::new(HONEST, Faults::default());
    world.connect(0);
    world.flush();
    let job = world.print_by_hand(0);
    world.happen(&unheard(12));
    assert_eq!(
        world.machines[0].pages_of(job),
        1,
        "an even number: one page"
    );
    (world, job)
}

fn given_by(world: &World, job: JobId) -> Option<&str> {
    world.central.jobs[&job].job.local.as_ref()?.by.as_deref()
}

#[test]
fn a_sheet_printed_by_hand_while_the_line_is_down_is_known_to_central_afterwards() {
    let (mut world, job) = printed_by_hand();
    assert!(!world.central.jobs.contains_key(&job));
    world.settle();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    assert_eq!(given_by(&world, job), Some("wati"));
}

#[test]
fn the_last_report_alone_says_who_printed_what_where_those_before_it_are_lost() {
    let (mut world, job) = printed_by_hand();
    let outbox = &mut world.machines[0].disk.outbox;
    while outbox.len() > 1 {
        outbox.pop_first();
    }
    world.settle();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    assert_eq!(given_by(&world, job), Some("wati"));
    let revision = world.central.jobs[&job]
        .job
        .local
        .as_ref()
        .unwrap()
        .revision;
    assert!(revision.is_some(), "what was printed is known as well");
}

/// A document given by hand that came to this stage, with everything heard.
fn heard_at(rounds: u8) -> (World, JobId) {
    let mut world = World::new(HONEST, Faults::default());
    world.connect(0);
    world.flush();
    world.happen(&Op::Backup);
    let job = world.print_by_hand(0);
    world.happen(&Op::Serve {
        machine: 0,
        rounds,
        is_heard: true,
    });
    world.flush();
    (world, job)
}

#[test]
fn a_journal_lost_while_a_document_given_by_hand_was_printing_makes_somebody_look() {
    let (mut world, job) = heard_at(2);
    assert_eq!(public(&world, job).0, JobState::Printing);
    world.happen(&Op::Wipe(0));
    world.settle();
    let lost = (JobState::Unknown, Some(Reason::JournalLost));
    assert_eq!(public(&world, job), lost);
    world.central.answer(job, 1, world.now);
    assert_eq!(
        public(&world, job),
        (JobState::Printed, Some(Reason::OfficerSaw))
    );
    assert_eq!(given_by(&world, job), Some("wati"));
}

/// Its reports were acknowledged and are told no more, but the list of open jobs says what it is.
#[test]
fn a_restored_central_learns_of_an_open_job_by_hand_from_the_list_of_its_machine() {
    let (mut world, job) = heard_at(2);
    world.happen(&Op::Restore);
    assert!(!world.central.jobs.contains_key(&job), "forgotten");
    world.connect(0);
    world.flush();
    assert_eq!(public(&world, job).0, JobState::Printing);
    assert_eq!(given_by(&world, job), Some("wati"));
    world.settle();
    assert_eq!(public(&world, job), (JobState::Printed, None));
    assert_eq!(world.machines[0].pages_of(job), 1);
}
