//! Jobs, machines and history as the API's JSON shows them. No label, no name: central has none.

use loket_domain::dispatch::{Connectivity, MachineCopy};
use loket_store::{HistoryRow, JobRow, MachineRow};
use loket_wire::{
    Class, Epoch, Heartbeat, JobId, JobState, KeyId, MachineId, OfficeId, Reason, Reference,
    Release, Service, Sha256Digest, Timestamp,
};
use serde::Serialize;

/// A moment as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) Timestamp);

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A job.
#[derive(Debug, Serialize)]
pub(super) struct JobShape {
    job_id: JobId,
    state: JobState,
    reason: Option<Reason>,
    reference: Reference,
    service: Service,
    class: Class,
    release: Release,
    machine: MachineId,
    office: OfficeId,
    created_at: Moment,
    state_at: Moment,
    due_at: Moment,
    not_after: Moment,
    ended_at: Option<Moment>,
    is_overdue_at_end: Option<bool>,
    document_sha256: Sha256Digest,
    revision_sha256: Sha256Digest,
    page_count: u32,
    size_bytes: u64,
    offer_count: u32,
    attempt: Option<u32>,
    sheet_count: Option<u32>,
    cancel_asked: bool,
    /// What is known of the machine's copy, where its journal was lost.
    machine_copy: Option<MachineCopy>,
    reprint_of: Option<JobId>,
}

impl From<&JobRow> for JobShape {
    fn from(row: &JobRow) -> Self {
        let (facts, job) = (&row.facts, &row.job);
        Self {
            job_id: facts.id,
            state: job.state,
            reason: job.reason,
            reference: facts.reference.clone(),
            service: facts.service.clone(),
            class: facts.class,
            release: facts.release,
            machine: facts.machine.clone(),
            office: facts.office.clone(),
            created_at: Moment(job.created_at),
            state_at: Moment(job.state_at),
            due_at: Moment(facts.due_at),
            not_after: Moment(facts.not_after),
            ended_at: job.ended_at.map(Moment),
            is_overdue_at_end: job.ended_at.map(|at| at > facts.due_at),
            document_sha256: facts.document_sha256,
            revision_sha256: facts.revision_sha256,
            page_count: facts.page_count,
            size_bytes: facts.size_bytes,
            offer_count: job.offer_count,
            attempt: job.attempt,
            sheet_count: job.sheet_count,
            cancel_asked: job.cancel_asked,
            machine_copy: job.copy,
            reprint_of: facts.reprint_of.as_ref().map(|reprint| reprint.job),
        }
    }
}

/// A page of jobs.
#[derive(Debug, Serialize)]
pub(super) struct JobsShape {
    pub(super) jobs: Vec<JobShape>,
    /// What `before` must be for the next page.
    pub(super) next_before: Option<String>,
}

/// A machine with its devices.
#[derive(Debug, Serialize)]
pub(super) struct MachineShape {
    machine: MachineId,
    office: OfficeId,
    /// `online`, `late` or `offline`.
    connectivity: &'static str,
    since: Option<Moment>,
    last_seen: Option<Moment>,
    /// Whether the authority's record of it is there and good.
    is_enrolled: bool,
    software: Option<String>,
    config_hash: Option<String>,
    boot_id: Option<String>,
    journal_epoch: Option<Epoch>,
    committed_seq: u64,
    lost_report_count: u64,
    journal_lost_count: u64,
    key_id: KeyId,
    enrolled_at: Moment,
    heartbeat: Option<HeartbeatShape>,
    devices: Vec<DeviceShape>,
}

#[derive(Debug, Serialize)]
struct HeartbeatShape {
    received_at: Moment,
    #[serde(flatten)]
    heartbeat: Heartbeat,
}

#[derive(Debug, Serialize)]
struct DeviceShape {
    device: String,
    state: String,
    reasons: Vec<String>,
    model: Option<String>,
    since: Moment,
    received_at: Moment,
}

impl MachineShape {
    pub(super) fn new(row: &MachineRow, is_enrolled: bool, now: Timestamp) -> Self {
        let (connectivity, since) = match row.connectivity(now) {
            Connectivity::Online => ("online", row.presence.online_changed_at),
            Connectivity::Late { since } => ("late", Some(since)),
            Connectivity::Offline { since } => ("offline", since),
        };
        let devices = row.devices.iter().map(|device| DeviceShape {
            device: device.device.clone(),
            state: device.state.clone(),
            reasons: device.reasons.clone(),
            model: device.model.clone(),
            since: Moment(device.since),
            received_at: Moment(device.received_at),
        });
        Self {
            machine: row.id.clone(),
            office: row.office.clone(),
            connectivity,
            since: since.map(Moment),
            last_seen: row.presence.last_seen.map(Moment),
            is_enrolled,
            software: row.software.clone(),
            config_hash: row.config_hash.clone(),
            boot_id: row.boot_id.clone(),
            journal_epoch: row.epoch,
            committed_seq: row.committed_seq,
            lost_report_count: row.lost_report_count,
            journal_lost_count: row.journal_lost_count,
            key_id: row.seal_to.key_id,
            enrolled_at: Moment(row.enrolled_at),
            heartbeat: row.heartbeat.as_ref().map(|last| HeartbeatShape {
                received_at: Moment(last.received_at),
                heartbeat: last.heartbeat.clone(),
            }),
            devices: devices.collect(),
        }
    }
}

/// A row of the history.
#[derive(Debug, Serialize)]
pub(super) struct HistoryShape {
    seq: u64,
    at: Moment,
    actor: String,
    job_id: Option<JobId>,
    machine: Option<MachineId>,
    kind: String,
    body: Box<serde_json::value::RawValue>,
    sha256: Sha256Digest,
}

impl HistoryShape {
    /// `None` for a body that is no JSON, which the store never wrote.
    pub(super) fn new(row: HistoryRow) -> Option<Self> {
        Some(Self {
            seq: row.seq,
            at: Moment(row.at),
            actor: row.actor,
            job_id: row.job,
            machine: row.machine,
            kind: row.kind,
            body: serde_json::value::RawValue::from_string(row.body).ok()?,
            sha256: row.sha256,
        })
    }
}
