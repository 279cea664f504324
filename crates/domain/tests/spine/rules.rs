//! What must hold of one machine, its journal and its printers.

use std::time::Duration;

use loket_domain::print::{Command, Intake, Job, Origin, Stage, job_name};
use loket_wire::{JobState, Reason};

use super::{Machine, job_id, order, revision_of};
use crate::printer::Printer;

/// The name of the job at the printer that an officer is asked about.
fn asked_about(job: &Job) -> Option<String> {
    match &job.stage {
        Stage::Unknown { attempt, .. } => Some(job_name(job.facts.job_id, *attempt)),
        _known => None,
    }
}

impl Machine {
    /// What must hold at every moment.
    pub(super) fn check(&self) {
        let mut lanes: Vec<&str> = Vec::new();
        for job in self.desk.jobs() {
            let lane = match &job.stage {
                Stage::Attempting(attempt) => &attempt.printer,
                Stage::Clearing(clearing) => &clearing.printer,
                _no_lane => continue,
            };
            assert!(!lanes.contains(&lane.as_str()), "one attempt a lane");
            lanes.push(lane);
        }
        self.check_paper();
        for job in self.shadow.jobs().filter(|job| !job.is_closed()) {
            let running = self.desk.job(job.facts.job_id).cloned();
            // A job that was remembered has another place in the order, which no open job ever changes.
            let running = running.map(|running| Job {
                accepted_no: job.accepted_no,
                ..running
            });
            assert_eq!(running.as_ref(), Some(job), "the journal folds to the desk");
        }
    }

    /// What must hold of paper, whatever the desk believes.
    pub(crate) fn check_paper(&self) {
        let are_hurt = self.printers.values().any(Printer::has_hurt_others);
        assert!(
            !are_hurt,
            "somebody else's job was called off or given a card"
        );
        for job in self.shadow.jobs() {
            let id = job.facts.job_id;
            let (pages, whole) = (self.pages_of(id), revision_of(id).page_count);
            let again = self.forgotten_pages.get(&id).copied().unwrap_or(0);
            assert!(
                pages <= whole + again,
                "a page came out twice: {pages} of {whole}"
            );
            let (Stage::Ended { state, reason } | Stage::Closed { state, reason }) = &job.stage
            else {
                continue;
            };
            match state {
                JobState::Printed => assert!(pages >= whole, "printed means a sheet: {pages}"),
                JobState::Failed if *reason == Some(Reason::SheetDamaged) => assert!(pages > 0),
                other => {
                    assert!(
                        pages == 0 || again > 0 || self.forgotten.contains(&id),
                        "{other} {reason:?} means no sheet: {pages}"
                    );
                }
            }
        }
    }

    /// After faults stopped: nothing waits but for a person, and once each printer was used again nothing is left there.
    pub(crate) fn check_rest(&mut self) {
        for job in self.desk.jobs() {
            assert!(
                matches!(
                    job.stage,
                    Stage::Held | Stage::Unknown { .. } | Stage::Closed { .. }
                ),
                "a job is stuck: {:?}",
                job.stage
            );
        }
        self.check_nothing_is_left();
    }

    /// A job of ours that waits for its document blocks printers; whoever prints next finds and clears it.
    pub(crate) fn check_nothing_is_left(&mut self) {
        for (no, lane) in (200..).zip(self.printers.keys().cloned().collect::<Vec<_>>()) {
            let mut facts = order(job_id(no), self.disk.epoch, 0, no);
            facts.origin = Origin::Local { by: None };
            facts.printer = Some(lane);
            facts.not_after = self.now.wall.saturating_add(Duration::from_secs(86_400));
            let intake = Intake::Good(Box::new(facts));
            self.submit(Command::Accept(intake)).unwrap();
        }
        self.settle();
        // What an officer is asked about stays as it is until the answer.
        let asked_about: Vec<String> = self.desk.jobs().filter_map(asked_about).collect();
        for printer in self.printers.values() {
            let mut left = printer.open_names();
            left.retain(|name| !asked_about.contains(name));
            assert!(left.is_empty(), "a job is left at the printer: {left:?}");
        }
    }
}
