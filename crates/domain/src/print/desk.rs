//! All jobs of one machine, and the lanes of its printers.

use std::collections::BTreeMap;

use loket_wire::{JobId, OpenJob, Timestamp};

use super::command::{Command, Refusal};
use super::effect::{self, Effect};
use super::event::Event;
use super::job::{Job, Stage};
use super::{apply, decide};
use crate::core::{Core, IllegalEvent, Now};

/// The print desk of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    pub(super) lanes: Vec<String>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) next_no: u64,
}

impl Desk {
    /// An empty desk with these printers, by their names in the settings; the first is the default.
    #[must_use]
    pub const fn new(lanes: Vec<String>) -> Self {
        Self {
            lanes,
            jobs: BTreeMap::new(),
            next_no: 1,
        }
    }

    /// The job, while it is not closed.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Every job that is not closed, by id.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// What `sync` tells central: every job not ended.
    #[must_use]
    pub fn open_jobs(&self) -> Vec<OpenJob> {
        let open = self.jobs.values().filter(|job| job.is_open());
        open.map(|job| OpenJob {
            job_id: job.facts.job_id,
            state: job.public_state().0,
        })
        .collect()
    }

    /// The lane a job prints in: the one it names, else the first; `None` without printers.
    pub(super) fn lane_of(&self, job: &Job) -> Option<&str> {
        match &job.facts.printer {
            Some(named) => self
                .lanes
                .iter()
                .find(|lane| *lane == named)
                .map(String::as_str),
            None => self.lanes.first().map(String::as_str),
        }
    }

    /// Whether the lane is free for `job`: no attempt in it, and no job waiting for it that came earlier.
    pub(super) fn is_next_in_lane(&self, job: &Job) -> bool {
        let Some(lane) = self.lane_of(job) else {
            return false;
        };
        self.jobs
            .values()
            .filter(|other| other.facts.job_id != job.facts.job_id)
            .all(|other| match &other.stage {
                Stage::Attempting(attempt) => attempt.printer != lane,
                Stage::Released => {
                    self.lane_of(other) != Some(lane) || other.accepted_no > job.accepted_no
                }
                Stage::Fetching
                | Stage::Received
                | Stage::Held
                | Stage::Unknown { .. }
                | Stage::Ended { .. }
                | Stage::Closed { .. } => true,
            })
    }

    /// Drops a closed job from memory; the journal keeps its ledger.
    pub fn forget_closed(&mut self) {
        self.jobs
            .retain(|_id, job| !matches!(job.stage, Stage::Closed { .. }));
    }
}

impl Core for Desk {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, now: Now, command: Command) -> Result<Vec<Event>, Refusal> {
        decide::decide(self, now, command)
    }

    fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        apply::apply(self, event)
    }

    fn effects(&self, now: Now) -> Vec<Effect> {
        effect::effects(self, now)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let waiting = self.jobs.values().filter(|job| decide::may_expire(job));
        waiting.map(|job| job.facts.not_after).min()
    }
}
