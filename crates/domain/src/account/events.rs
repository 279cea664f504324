//! What a machine's own journal tells of a job.

use super::known::{Known, Ordered, Step};
use crate::core::{Core as _, IllegalEvent};
use crate::print::{Desk, Event, Job, Origin};
use loket_wire::Report;

/// Folds the events of one job, in their order; nothing where there are none.
///
/// # Errors
/// [`IllegalEvent`] where no history of a job has them in that order.
pub fn known(events: &[Event]) -> Result<Option<Known>, IllegalEvent> {
    let mut desk = Desk::new(Vec::new());
    let mut steps = Vec::new();
    let mut told = None;
    for event in events {
        desk.apply(event)?;
        let Some(job) = desk.job(event.job_id) else {
            continue;
        };
        if let Some(Report::Job(report)) = event.report(job) {
            steps.push(Step::of(&report));
        }
        told = Some(of(job));
    }
    Ok(told.map(|known| Known { steps, ..known }))
}

fn of(job: &Job) -> Known {
    let facts = &job.facts;
    Known {
        job_id: facts.job_id,
        reference: facts.reference.clone(),
        service: facts.service.clone(),
        class: facts.class,
        ordered: match &facts.origin {
            Origin::Central { .. } => Ordered::Central,
            Origin::Local { .. } if facts.is_exercise() => Ordered::Machine,
            Origin::Local { by } => Ordered::ByHand { by: by.clone() },
        },
        reprint: facts.reprint.clone(),
        page_count: job.revision.map(|revision| revision.page_count),
        steps: Vec::new(),
    }
}
