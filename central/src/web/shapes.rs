//! Jobs, machines and history as the API's JSON shows them. No label, no name: central has none.

use loket_domain::dispatch::{Connectivity, MachineCopy};
use loket_store::{AsideCount, HistoryRow, JobRow, MachineRow, Origin, SameDocument};
use loket_wire::{
    Class, Epoch, Heartbeat, JobId, JobState, KeyId, LocalJob, MachineId, OfficeId, Reason,
    Reference, Release, Service, Sha256Digest, Timestamp,
};
use serde::Serialize;

use super::stock::StockShape;
use crate::dispatch::BROKER_DOWN;
use crate::metrics::LinkTally;
use crate::supplies::{DeviceLeft, Histories};
use crate::words::trouble;

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
    /// `central`, or `local` for one that a person gave to its machine by hand.
    origin: &'static str,
    local: Option<LocalShape>,
    created_at: Moment,
    state_at: Moment,
    due_at: Option<Moment>,
    not_after: Moment,
    ended_at: Option<Moment>,
    is_overdue_at_end: Option<bool>,
    document_sha256: Option<Sha256Digest>,
    revision_sha256: Option<Sha256Digest>,
    page_count: Option<u32>,
    size_bytes: Option<u64>,
    offer_count: u32,
    attempt: Option<u32>,
    sheet_count: Option<u32>,
    cancel_asked: bool,
    /// What is known of the machine's copy, where its journal was lost.
    machine_copy: Option<MachineCopy>,
    reprint_of: Option<JobId>,
    /// Other jobs of the same document, one of them given by hand; of one job that was asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_document: Option<Vec<JobId>>,
}

/// What a machine says of a job that a person gave to it by hand.
#[derive(Debug, Serialize)]
struct LocalShape {
    by: Option<String>,
    printer: Option<String>,
    given_at: Moment,
}

impl From<&LocalJob> for LocalShape {
    fn from(local: &LocalJob) -> Self {
        Self {
            by: local.by.clone(),
            printer: local.printer.clone(),
            given_at: Moment(local.given_at),
        }
    }
}

impl JobShape {
    /// The same with other jobs of its document.
    pub(super) fn beside(self, same: &[SameDocument]) -> Self {
        Self {
            same_document: Some(same.iter().map(|other| other.job).collect()),
            ..self
        }
    }
}

impl From<&JobRow> for JobShape {
    fn from(row: &JobRow) -> Self {
        let (facts, job, intake) = (&row.facts, &row.job, row.intake.as_ref());
        let local = job.local.as_deref();
        let told = local.and_then(|local| local.revision);
        let due_at = intake.map(|intake| intake.due_at);
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
            origin: origin_word(row.origin()),
            local: local.map(LocalShape::from),
            created_at: Moment(job.created_at),
            state_at: Moment(job.state_at),
            due_at: due_at.map(Moment),
            not_after: Moment(facts.not_after),
            ended_at: job.ended_at.map(Moment),
            is_overdue_at_end: job.ended_at.zip(due_at).map(|(at, due_at)| at > due_at),
            document_sha256: intake.map(|intake| intake.document_sha256),
            revision_sha256: intake
                .map(|intake| intake.revision_sha256)
                .or(told.map(|told| told.sha256)),
            page_count: page_count(row),
            size_bytes: intake
                .map(|intake| intake.size_bytes)
                .or(told.map(|told| told.size_bytes)),
            offer_count: job.offer_count,
            attempt: job.attempt,
            sheet_count: job.sheet_count,
            cancel_asked: job.cancel_asked,
            machine_copy: job.copy,
            reprint_of: intake
                .and_then(|intake| intake.reprint_of.as_ref())
                .map(|reprint| reprint.job),
            same_document: None,
        }
    }
}

/// The word for who ordered a job, in answers and queries.
pub(super) const fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Central => "central",
        Origin::Local => "local",
    }
}

/// Pages of what is printed, once they are known.
pub(super) fn page_count(row: &JobRow) -> Option<u32> {
    let told = row.job.local.as_ref().and_then(|local| local.revision);
    let taken = row.intake.as_ref().map(|intake| intake.page_count);
    taken.or(told.map(|told| told.page_count))
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
    /// Its reports that could not be taken, ever.
    set_aside_count: u64,
    /// Of them those beyond its quota: counted, and not kept one by one.
    counted_only_count: u64,
    /// Bounds that its last heartbeat said are crossed.
    troubles: Vec<TroubleShape>,
    /// Whether the trust bundle that it holds is the newest; `None` of one that takes none.
    is_trust_newest: Option<bool>,
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
struct TroubleShape {
    /// The keyword of the protocol.
    code: String,
    /// Indonesian: what happened and what to do.
    message: String,
    /// Whether work is about to stop.
    is_severe: bool,
}

impl TroubleShape {
    fn of(keyword: &str) -> Self {
        let words = trouble(keyword);
        Self {
            code: keyword.to_owned(),
            message: words.sentence(),
            is_severe: words.is_severe,
        }
    }
}

#[derive(Debug, Serialize)]
struct DeviceShape {
    device: String,
    state: String,
    reasons: Vec<String>,
    model: Option<String>,
    /// What it said last that it has left; null where it never did.
    stock: Option<StockShape>,
    since: Moment,
    received_at: Moment,
}

impl MachineShape {
    pub(super) fn new(
        (row, histories): (&MachineRow, &Histories),
        is_enrolled: bool,
        aside: AsideCount,
        newest_trust: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let last = row.heartbeat.as_ref();
        let troubles = last.map_or(&[][..], |last| &last.heartbeat.troubles);
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
            stock: DeviceLeft::of(row, device, histories, now).map(StockShape::of),
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
            set_aside_count: aside.total,
            counted_only_count: aside.counted_only,
            troubles: troubles.iter().map(|it| TroubleShape::of(it)).collect(),
            is_trust_newest: last
                .and_then(|last| last.heartbeat.trust_serial)
                .zip(newest_trust)
                .map(|(held, newest)| held >= newest),
            key_id: row.seal_to.key_id,
            enrolled_at: Moment(row.enrolled_at),
            heartbeat: last.map(|last| HeartbeatShape {
                received_at: Moment(last.received_at),
                heartbeat: last.heartbeat.clone(),
            }),
            devices: devices.collect(),
        }
    }
}

/// A broker and central's link to it.
#[derive(Debug, Serialize)]
pub(super) struct BrokerShape {
    broker: String,
    is_up: bool,
    since: Option<Moment>,
    /// What is wrong, as a stable code; absent while the link stands.
    code: Option<&'static str>,
}

impl From<&LinkTally> for BrokerShape {
    fn from(link: &LinkTally) -> Self {
        let is_up = link.is_up();
        Self {
            broker: link.broker.clone(),
            is_up,
            since: link.since().map(Moment),
            code: (!is_up).then_some(BROKER_DOWN),
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
