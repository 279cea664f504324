//! The printer itself: a state machine that is told the time.
//!
//! ```text
//! create ──> Awaiting ──> Incoming ──> Pending ──> Processing ──> Completed
//!               │             │           │             │
//!               └─ time-out, lost connection, cancel ───┴──> Aborted | Canceled
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use ipp::model::StatusCode;
use tokio::time::Instant;
use uuid::Uuid;

use super::job::{CanceledBy, Document, Job, JobKey, NewJob, Phase};
use super::knobs::{Knobs, Memory};

/// Large printers keep some hundreds of jobs; the oldest ended ones are dropped beyond this.
const MAX_JOBS: usize = 500;

/// Jobs that have not ended; a client that only creates is refused beyond this.
const MAX_OPEN_JOBS: usize = 100;

/// A crash matrix of 10,000 kills prints as many documents; 32 bytes each.
const MAX_PRINTED: usize = 100_000;

/// Documents of which the bytes are kept for those who ask.
const MAX_KEPT_DOCUMENTS: usize = 64;
const MAX_KEPT_BYTES: usize = 128 * 1024 * 1024;

/// Documents of one job, where several are allowed.
const MAX_DOCUMENTS: usize = 10;

/// The simulated printer's whole state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) knobs: Knobs,
    pub(crate) jobs: BTreeMap<i32, Job>,
    /// Sheets that came out since the printer was made.
    pub(crate) sheets: u64,
    /// Requests that got the fixed reply.
    pub(crate) fixed_replies: u64,
    /// The digest of each document that came out whole, in order, once a time it came out.
    pub(crate) printed: VecDeque<[u8; 32]>,
    kept: VecDeque<([u8; 32], Bytes)>,
    next_id: i32,
    time_out: Duration,
    up_since: Instant,
    /// The `printer-up-time` at which the state last changed.
    pub(crate) changed_s: i32,
    /// The sheet on its way: its job, and when it is out.
    current: Option<(i32, Instant)>,
}

impl State {
    pub(crate) fn new(knobs: Knobs, time_out: Duration, now: Instant) -> Self {
        Self {
            knobs,
            jobs: BTreeMap::new(),
            sheets: 0,
            fixed_replies: 0,
            printed: VecDeque::new(),
            kept: VecDeque::new(),
            next_id: 1,
            time_out,
            up_since: now,
            changed_s: 1,
            current: None,
        }
    }

    /// Seconds since the power came on, at least 1 as RFC 8011 section 5.4.29 wants.
    pub(crate) fn up_time_s(&self, now: Instant) -> i32 {
        let passed = now.saturating_duration_since(self.up_since).as_secs();
        i32::try_from(passed).unwrap_or(i32::MAX).saturating_add(1)
    }

    /// True where a job is at work and a fault keeps it from going on.
    pub(crate) fn is_stopped(&self) -> bool {
        self.current.is_some() && !self.knobs.faults().is_empty()
    }

    /// True where a job is at work.
    pub(crate) fn is_at_work(&self) -> bool {
        self.current.is_some()
    }

    /// Jobs that have not ended.
    pub(crate) fn open_jobs(&self) -> usize {
        self.jobs
            .values()
            .filter(|job| !job.phase.is_final())
            .count()
    }

    /// Replaces the knobs; a sheet that a fault held up starts anew.
    pub(crate) fn turn(&mut self, knobs: Knobs, now: Instant) {
        let was_stopped = self.is_stopped();
        self.knobs = knobs;
        if let Some((_, due)) = &mut self.current
            && was_stopped
        {
            *due = now + Duration::from_millis(u64::from(self.knobs.delay_ms));
        }
        self.changed_s = self.up_time_s(now);
    }

    /// Makes a job without a document.
    pub(crate) fn create(&mut self, asked: NewJob, now: Instant) -> Result<JobKey, StatusCode> {
        if self.knobs.refuse {
            return Err(StatusCode::ServerErrorNotAcceptingJobs);
        }
        let open = self.open_jobs();
        if open >= MAX_OPEN_JOBS || (self.knobs.busy && open > 0) {
            return Err(StatusCode::ServerErrorBusy);
        }
        while self.jobs.len() >= MAX_JOBS {
            let oldest = self
                .jobs
                .values()
                .find(|job| job.phase.is_final())
                .map(|job| job.id);
            match oldest {
                Some(id) => self.jobs.remove(&id),
                None => return Err(StatusCode::ServerErrorBusy),
            };
        }
        let id = self.next_id;
        self.next_id = id.checked_add(1).unwrap_or(1);
        let job = Job {
            id,
            uuid: Uuid::now_v7(),
            asked,
            phase: Phase::Awaiting,
            documents: Vec::new(),
            sheets_done: 0,
            documents_done: 0,
            touched: now,
            created_s: self.up_time_s(now),
            processing_s: None,
            completed_s: None,
        };
        let key = job.key();
        self.jobs.insert(id, job);
        Ok(key)
    }

    /// Makes ready for a document of this job.
    pub(crate) fn begin_document(&mut self, id: i32, now: Instant) -> Result<JobKey, StatusCode> {
        let several = self.knobs.multiple_document_jobs;
        let job = self
            .jobs
            .get_mut(&id)
            .ok_or(StatusCode::ClientErrorNotFound)?;
        match job.phase {
            Phase::Awaiting if job.documents.is_empty() || several => {}
            Phase::Pending | Phase::Processing | Phase::Completed
                if several && job.documents.len() < MAX_DOCUMENTS => {}
            Phase::Awaiting
            | Phase::Incoming
            | Phase::Pending
            | Phase::Processing
            | Phase::Completed => {
                return Err(StatusCode::ServerErrorMultipleDocumentJobsNotSupported);
            }
            Phase::Canceled(_) | Phase::Aborted => return Err(StatusCode::ClientErrorNotPossible),
        }
        if job.phase == Phase::Awaiting {
            job.phase = Phase::Incoming;
        }
        job.touched = now;
        Ok(job.key())
    }

    /// Takes a document that has come whole; `last` says that the job has all it needs.
    pub(crate) fn finish_document(
        &mut self,
        key: JobKey,
        document: Document,
        bytes: Bytes,
        last: bool,
        now: Instant,
    ) -> Result<(), StatusCode> {
        let job = self.same_job(key).ok_or(StatusCode::ClientErrorNotFound)?;
        if matches!(job.phase, Phase::Canceled(_) | Phase::Aborted) {
            return Err(StatusCode::ServerErrorJobCanceled);
        }
        job.documents.push(document);
        job.touched = now;
        if job.phase != Phase::Processing {
            job.phase = if last {
                Phase::Pending
            } else {
                Phase::Awaiting
            };
        }
        self.keep(document.sha256, bytes);
        Ok(())
    }

    /// Gives a job up whose document broke off.
    pub(crate) fn drop_document(&mut self, key: JobKey, now: Instant) {
        let up_time_s = self.up_time_s(now);
        if let Some(job) = self.same_job(key)
            && job.phase == Phase::Incoming
        {
            end(job, Phase::Aborted, up_time_s);
        }
    }

    /// Ends a job for somebody who asks.
    pub(crate) fn cancel(
        &mut self,
        id: i32,
        by: CanceledBy,
        now: Instant,
    ) -> Result<(), StatusCode> {
        let up_time_s = self.up_time_s(now);
        let job = self
            .jobs
            .get_mut(&id)
            .ok_or(StatusCode::ClientErrorNotFound)?;
        if job.phase.is_final() {
            return Err(StatusCode::ClientErrorNotPossible);
        }
        end(job, Phase::Canceled(by), up_time_s);
        self.current = self.current.filter(|(at_work, _)| *at_work != id);
        Ok(())
    }

    /// Says that a job gets no more documents.
    pub(crate) fn close(&mut self, id: i32, now: Instant) -> Result<(), StatusCode> {
        let up_time_s = self.up_time_s(now);
        let job = self
            .jobs
            .get_mut(&id)
            .ok_or(StatusCode::ClientErrorNotFound)?;
        match job.phase {
            Phase::Awaiting if job.documents.is_empty() => end(job, Phase::Aborted, up_time_s),
            Phase::Awaiting => job.phase = Phase::Pending,
            Phase::Incoming | Phase::Pending | Phase::Processing => {}
            Phase::Canceled(_) | Phase::Aborted | Phase::Completed => {
                return Err(StatusCode::ClientErrorNotPossible);
            }
        }
        Ok(())
    }

    /// Cuts the power and brings it back.
    pub(crate) fn power_cycle(&mut self, now: Instant) {
        self.up_since = now;
        self.current = None;
        self.changed_s = 1;
        match self.knobs.memory {
            Memory::Keep => {
                for job in self
                    .jobs
                    .values_mut()
                    .filter(|job| job.phase == Phase::Processing)
                {
                    job.phase = Phase::Pending;
                }
            }
            Memory::ForgetRestartIds => {
                self.jobs.clear();
                self.next_id = 1;
            }
            Memory::ForgetKeepIds => self.jobs.clear(),
        }
    }

    /// Moves on to `now`; true where something changed, and when to come back.
    pub(crate) fn tick(&mut self, now: Instant) -> (bool, Option<Instant>) {
        let mut changed = self.time_out_jobs(now);
        while self.step(now) {
            changed = true;
        }
        if changed {
            self.changed_s = self.up_time_s(now);
        }
        let sheet = self
            .current
            .filter(|_| !self.is_stopped())
            .map(|(_, due)| due);
        let waiting = self
            .jobs
            .values()
            .filter(|job| job.phase == Phase::Awaiting);
        let time_out = waiting.map(|job| job.touched + self.time_out).min();
        (changed, sheet.into_iter().chain(time_out).min())
    }

    /// One step of the engine: a job is taken up, or a sheet comes out.
    fn step(&mut self, now: Instant) -> bool {
        let delay = Duration::from_millis(u64::from(self.knobs.delay_ms));
        let up_time_s = self.up_time_s(now);
        let Some((id, due)) = self.current else {
            let next = self
                .jobs
                .values_mut()
                .find(|job| job.phase == Phase::Pending);
            let Some(job) = next else { return false };
            job.phase = Phase::Processing;
            job.processing_s = job.processing_s.or(Some(up_time_s));
            self.current = Some((job.id, now + delay));
            return true;
        };
        if self.is_stopped() || due > now {
            return false;
        }
        let Some(job) = self.jobs.get_mut(&id) else {
            self.current = None;
            return true;
        };
        let has_paper = !self.knobs.completes_without_paper;
        job.sheets_done = job.sheets_done.saturating_add(1);
        if has_paper {
            self.sheets = self.sheets.saturating_add(1);
            self.knobs.pull_sheet();
        }
        if job.sheets_done < job.sheets() {
            self.current = Some((id, now + delay));
            return true;
        }
        end(job, Phase::Completed, up_time_s);
        self.current = None;
        if has_paper {
            let copies = usize::try_from(job.asked.copies.max(1)).unwrap_or(1);
            let out = job
                .documents
                .iter()
                .skip(job.documents_done)
                .map(|document| document.sha256);
            self.printed
                .extend(out.flat_map(|sha256| std::iter::repeat_n(sha256, copies)));
            job.documents_done = job.documents.len();
            let excess = self.printed.len().saturating_sub(MAX_PRINTED);
            self.printed.drain(..excess);
        }
        true
    }

    fn time_out_jobs(&mut self, now: Instant) -> bool {
        let (time_out, up_time_s) = (self.time_out, self.up_time_s(now));
        let overdue =
            |job: &&mut Job| job.phase == Phase::Awaiting && job.touched + time_out <= now;
        let mut changed = false;
        for job in self.jobs.values_mut().filter(overdue) {
            end(job, Phase::Aborted, up_time_s);
            changed = true;
        }
        changed
    }

    fn same_job(&mut self, key: JobKey) -> Option<&mut Job> {
        self.jobs
            .get_mut(&key.id)
            .filter(|job| job.uuid == key.uuid)
    }

    fn keep(&mut self, sha256: [u8; 32], bytes: Bytes) {
        if self.kept.iter().any(|(kept, _)| *kept == sha256) {
            return;
        }
        self.kept.push_back((sha256, bytes));
        let size =
            |kept: &VecDeque<([u8; 32], Bytes)>| kept.iter().map(|(_, b)| b.len()).sum::<usize>();
        while self.kept.len() > MAX_KEPT_DOCUMENTS || size(&self.kept) > MAX_KEPT_BYTES {
            self.kept.pop_front();
        }
    }

    /// The bytes of a received document, where they are still kept.
    pub(crate) fn document(&self, sha256: &[u8; 32]) -> Option<Bytes> {
        let found = self.kept.iter().find(|(kept, _)| kept == sha256);
        found.map(|(_, bytes)| bytes.clone())
    }
}

fn end(job: &mut Job, phase: Phase, up_time_s: i32) {
    job.phase = phase;
    job.completed_s = Some(up_time_s);
}

#[cfg(test)]
mod tests;
