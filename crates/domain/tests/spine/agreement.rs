//! What must hold of all machines and central together, once faults have stopped and what was said has arrived.

use loket_domain::dispatch::EndedBy;
use loket_domain::print::Stage;
use loket_wire::{JobState, Reason};

use super::{World, machine_of};
use crate::machine::revision_of;

/// Whose memory may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Nothing,
    ByCentral,
}

impl World {
    /// What a person was allowed to call none.
    pub(crate) fn check_none(&self) {
        for job in &self.none {
            let pages = self.machines[machine_of(*job)].pages_of(*job);
            assert_eq!(pages, 0, "a sheet came out that was taken as none");
        }
    }

    pub(crate) fn check_rest(&mut self) {
        for (id, kept) in &self.central.jobs {
            let machine = &self.machines[kept.machine_no];
            let (state, reason) = (kept.job.state, kept.job.reason);
            let here = machine.last_word(*id);
            let stage = machine.desk.job(*id).map(|job| &job.stage);
            match state {
                ended if ended.is_end() => {}
                JobState::Held => assert!(matches!(stage, Some(Stage::Held)), "{here:?}"),
                JobState::Unknown if reason == Some(Reason::JournalLost) => {}
                JobState::Unknown => {
                    assert!(matches!(stage, Some(Stage::Unknown { .. })), "{here:?}");
                }
                stuck => {
                    panic!("a job is stuck: {stuck} at central, {here:?} at its machine: {stage:?}")
                }
            }
        }
        for machine in &mut self.machines {
            machine.check_nothing_is_left();
        }
    }

    /// Every job given by hand that a machine's journal knows is at central too. A restored central may have forgotten
    /// those that are over: they were told before and are told no more.
    pub(crate) fn check_by_hand(&self, lost: Lost) {
        for (no, machine) in self.machines.iter().enumerate() {
            for job in machine.by_hand() {
                let id = job.facts.job_id;
                let Some(kept) = self.central.jobs.get(&id) else {
                    let is_excused = lost == Lost::ByCentral && !job.is_open();
                    assert!(is_excused, "a job given by hand is not at central: {job:?}");
                    continue;
                };
                let given = kept
                    .job
                    .local
                    .as_ref()
                    .and_then(|local| local.by.as_deref());
                assert_eq!((given, kept.machine_no), (Some("wati"), no));
                assert_eq!(kept.job.offer_count, 0, "offered what nobody ordered");
            }
        }
    }

    /// What central shows is the machine's last word, where its journal knows the job; or, where central or the
    /// machine lost its memory, that it does not know and asks a person.
    pub(crate) fn check_agreement(&self, lost: Lost) {
        for (id, kept) in &self.central.jobs {
            let machine = &self.machines[kept.machine_no];
            let (pages, whole) = (machine.pages_of(*id), revision_of(*id).page_count);
            let job = &kept.job;
            if job.state == JobState::Printed {
                assert!(pages > 0, "central shows a sheet that is not there");
            }
            let Some((state, _reason)) = machine.last_word(*id) else {
                continue;
            };
            // A restored central cannot be told again what it had acknowledged, only that it is over.
            let is_lost = (job.state, job.reason) == (JobState::Unknown, Some(Reason::JournalLost));
            let is_guess = job.ended_by == Some(EndedBy::Central);
            let is_excused = match lost {
                Lost::Nothing => false,
                Lost::ByCentral => state.is_end() && (is_lost || is_guess),
            };
            assert!(
                job.state == state || is_excused,
                "central and machine disagree on {id}: {job:?} there, {state} here, {pages} of {whole} pages"
            );
        }
    }
}
