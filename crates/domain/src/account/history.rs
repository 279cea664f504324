//! What central's history tells of a job.

use loket_wire::order::ReprintOf;
use loket_wire::{
    Class, JobId, JobState, LocalJob, MachineId, Reason, Reference, Service, Timestamp,
};

use super::known::{Known, Ordered, Step};
use crate::dispatch::Change;
use loket_wire::order::Reprint;

/// What central knows of a job for good.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The job.
    pub job_id: JobId,
    /// Its machine.
    pub machine: MachineId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// What it replaces on paper.
    pub reprint_of: Option<ReprintOf>,
    /// Pages of what was verified at intake.
    pub page_count: Option<u32>,
    /// What its machine says of it, where a person gave it there by hand.
    pub local: Option<Box<LocalJob>>,
}

/// A line of a job's history.
#[derive(Debug, Clone)]
pub struct Said {
    /// When, by central's clock.
    pub at: Timestamp,
    /// Who, as the history names them.
    pub actor: String,
    /// What.
    pub change: Change,
}

/// Folds the changes of one job, in their order. What central decided by itself is no step: the machine never held what
/// it did not report. That its journal was lost, and what a person then answered at central, are.
#[must_use]
pub fn known(facts: &Facts, history: &[Said]) -> Known {
    let page_count = facts.page_count.or_else(|| {
        let revision = facts.local.as_ref()?.revision?;
        Some(revision.page_count)
    });
    let steps = history.iter().filter_map(|said| step(&facts.machine, said));
    Known {
        job_id: facts.job_id,
        reference: facts.reference.clone(),
        service: facts.service.clone(),
        class: facts.class,
        ordered: match facts.local.as_deref() {
            None => Ordered::Central,
            Some(local) if local.is_exercise() => Ordered::Machine,
            Some(local) => Ordered::ByHand {
                by: local.by.clone(),
            },
        },
        reprint: facts.reprint_of.as_ref().map(|of| Reprint {
            job: of.job,
            reason: of.reason.clone(),
            by: ordered_by(history),
        }),
        page_count,
        steps: steps.collect(),
    }
}

/// Who ordered it, as its machine was told.
fn ordered_by(history: &[Said]) -> String {
    let mut created = history
        .iter()
        .filter(|said| matches!(said.change, Change::Created { .. }));
    created
        .next()
        .map_or_else(String::new, |said| said.actor.clone())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what the machine did not say is no step"
)]
fn step(machine: &MachineId, said: &Said) -> Option<Step> {
    let of_central = |state, reason, by| Step {
        at: said.at,
        clock_trusted: true,
        by,
        state,
        reason: Some(reason),
        attempt: None,
        sheet_count: None,
    };
    match &said.change {
        Change::Reported {
            state,
            reason,
            attempt,
            sheet_count,
            machine_at,
            clock_trusted,
            ..
        } => Some(Step {
            at: *machine_at,
            clock_trusted: *clock_trusted,
            by: at_machine(machine, &said.actor),
            state: *state,
            reason: *reason,
            attempt: *attempt,
            sheet_count: *sheet_count,
        }),
        Change::Lost => Some(of_central(JobState::Unknown, Reason::JournalLost, None)),
        Change::Resolved { state, reason } => {
            let by = Some(said.actor.clone());
            Some(of_central(*state, *reason, by))
        }
        _other => None,
    }
}

/// The history names who did it at the machine as `<name>@<machine>`, and `machine:<machine>` where it was itself.
fn at_machine(machine: &MachineId, actor: &str) -> Option<String> {
    let name = actor.strip_suffix(machine.as_str())?.strip_suffix('@')?;
    Some(name.to_owned())
}
