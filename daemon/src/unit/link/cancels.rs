//! Which of central's questions to call a job off were answered: a broker may repeat one without end.

use std::collections::BTreeMap;

use loket_wire::{JobId, JobState, Reason};

use crate::unit::print::JobView;

/// Jobs of which an answer is remembered. A station holds fewer; where there are more, the answers are forgotten, and a
/// repeated question is answered once more.
const MAX_REMEMBERED: usize = 256;

/// Where a job stood when central's question was answered; `None` for one that is not known (any more).
type Standing = Option<(JobState, Option<Reason>)>;

/// What was answered, by job. Only what is repeated word for word of a job that stands where it stood is passed over:
/// whatever changed since is worth another answer.
#[derive(Debug, Default)]
pub(super) struct Cancels {
    answered: BTreeMap<JobId, (u64, Standing)>,
}

impl Cancels {
    /// Whether central has this answer already, or will have it from the outbox.
    pub(super) fn is_answered(&self, job: JobId, seq: u64, standing: Standing) -> bool {
        self.answered
            .get(&job)
            .is_some_and(|(answered, stood)| seq <= *answered && *stood == standing)
    }

    pub(super) fn keep(&mut self, job: JobId, seq: u64, standing: Standing) {
        if self.answered.len() >= MAX_REMEMBERED {
            self.answered.clear();
        }
        self.answered.insert(job, (seq, standing));
    }
}

/// Where a job stands.
pub(super) fn standing(job: Option<&JobView>) -> Standing {
    job.map(|job| (job.state, job.reason))
}
