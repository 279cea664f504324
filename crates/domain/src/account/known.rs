//! What is known of one job, from wherever it is told.

use loket_wire::order::Reprint;
use loket_wire::{Class, JobId, JobReport, JobState, Reason, Reference, Service, Timestamp};
use serde::{Deserialize, Serialize};

/// One job of a station. No name of the document's people: of those who work here alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The job.
    pub job_id: JobId,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The public service.
    pub service: Service,
    /// Controlled or own.
    pub class: Class,
    /// Who gave it.
    pub ordered: Ordered,
    /// What it replaces on paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reprint: Option<Reprint>,
    /// Pages of what was verified; each is one sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_count: Option<u32>,
    /// What the machine reported of it, in its order.
    pub steps: Vec<Step>,
}

/// Steps kept of a job that is over for long. An honest one has some twenty; a printer that went and came for a week makes
/// more, and a ledger row has 64 KiB.
const MAX_FOLDED_STEPS: usize = 200;

impl Known {
    /// Whether it is the page that a machine prints so that the ink of a printer at rest does not dry.
    pub(super) fn is_exercise(&self) -> bool {
        self.ordered == Ordered::Machine && self.service.is_exercise()
    }

    /// The same without what only says how a printer was waited for, where there is much of it.
    #[must_use]
    pub fn folded(mut self) -> Self {
        if self.steps.len() > MAX_FOLDED_STEPS {
            let mut is_first = true;
            self.steps.retain(|step| {
                let is_waiting = step.state == JobState::Printing
                    && step.by.is_none()
                    && step.reason != Some(Reason::OfficerFoundNone);
                std::mem::take(&mut is_first) || !is_waiting
            });
            self.steps.truncate(MAX_FOLDED_STEPS);
        }
        self
    }
}

/// Who gave an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Ordered {
    /// Central, over the link.
    Central,
    /// A person at the machine.
    ByHand {
        /// The name they sign with, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Nobody: the machine by itself.
    Machine,
}

/// One report of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The machine's wall clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whether that clock was trusted.
    pub clock_trusted: bool,
    /// Who did it: `officer:<name>`, `token:<name>`, `central`; the machine itself where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The state.
    pub state: JobState,
    /// Why, where there is a why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The attempt at the printer, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Sheets counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet_count: Option<u32>,
}

impl Step {
    /// What a report says.
    #[must_use]
    pub fn of(report: &JobReport) -> Self {
        Self {
            at: report.at,
            clock_trusted: report.clock_trusted,
            by: report.actor.clone(),
            state: report.state,
            reason: report.reason,
            attempt: report.attempt,
            sheet_count: report.sheet_count,
        }
    }
}
