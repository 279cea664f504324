//! All jobs of one machine, and the lanes of its printers.

use std::collections::{BTreeMap, BTreeSet};

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
        open.map(Job::as_open).collect()
    }

    /// The lane a job prints in: the one it names, else the first; `None` without printers.
    pub(crate) fn lane_of(&self, job: &Job) -> Option<&str> {
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
        let next = self.lane_of(job).and_then(|lane| {
            let mut lanes = self.next_in_lanes();
            lanes.remove(lane)
        });
        next == Some(job.facts.job_id)
    }

    /// Whether anything of the lane is on its way, or an officer is asked about a sheet of it: then no exercise page goes
    /// there. What a person has yet to release is not on its way.
    #[must_use]
    pub fn is_lane_taken(&self, lane: &str) -> bool {
        self.jobs.values().any(|job| match &job.stage {
            Stage::Attempting(attempt) => attempt.printer == lane,
            Stage::Clearing(clearing) => clearing.printer == lane,
            Stage::Fetching | Stage::Received | Stage::Released | Stage::Unknown { .. } => {
                self.lane_of(job) == Some(lane)
            }
            Stage::Held | Stage::Ended { .. } | Stage::Closed { .. } => false,
        })
    }

    /// The lanes, by the printers' names in the settings.
    #[must_use]
    pub fn lanes(&self) -> &[String] {
        &self.lanes
    }

    /// For each free lane the job that comes next, in one pass over all jobs: an exercise page only where no other waits.
    pub(super) fn next_in_lanes(&self) -> BTreeMap<&str, JobId> {
        let mut first: BTreeMap<&str, &Job> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for job in self.jobs.values() {
            match &job.stage {
                Stage::Attempting(attempt) => {
                    taken.insert(attempt.printer.as_str());
                }
                Stage::Clearing(clearing) => {
                    taken.insert(clearing.printer.as_str());
                }
                Stage::Released => {
                    let Some(lane) = self.lane_of(job) else {
                        continue;
                    };
                    let place = |job: &Job| (job.facts.is_exercise(), job.accepted_no);
                    let earlier = first.entry(lane).or_insert(job);
                    if place(job) < place(earlier) {
                        *earlier = job;
                    }
                }
                Stage::Fetching
                | Stage::Received
                | Stage::Held
                | Stage::Unknown { .. }
                | Stage::Ended { .. }
                | Stage::Closed { .. } => {}
            }
        }
        let free = first
            .into_iter()
            .filter(|(lane, _job)| !taken.contains(lane));
        free.map(|(lane, job)| (lane, job.facts.job_id)).collect()
    }

    /// A desk that holds only these jobs: what would become of them is tried on it before it is written.
    #[must_use]
    pub fn with_only(&self, ids: impl IntoIterator<Item = JobId>) -> Self {
        let jobs = ids
            .into_iter()
            .filter_map(|id| Some((id, self.jobs.get(&id)?.clone())));
        Self {
            lanes: self.lanes.clone(),
            jobs: jobs.collect(),
            next_no: self.next_no,
        }
    }

    /// Takes over the jobs of a desk made by [`Self::with_only`], as they have become there.
    pub fn take_over(&mut self, other: Self) {
        self.jobs.extend(other.jobs);
        self.next_no = self.next_no.max(other.next_no);
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

    fn wake_at(&self, now: Now) -> Option<Timestamp> {
        let moments = self.jobs.values().flat_map(|job| {
            let expires = decide::may_expire(job) && !job.is_undated;
            let ends = expires.then_some(job.facts.not_after);
            let pauses = decide::fault_pause(job).filter(|_pause| job.stage == Stage::Released);
            [ends, pauses.map(|(from, pause)| from.saturating_add(pause))]
        });
        moments.flatten().filter(|at| *at > now.wall).min()
    }
}
