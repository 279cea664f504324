//! Match records at the machines' listener: the key they are sealed to, handing one in, asking for one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use data_encoding::BASE64;
use loket_store::{Actor, Looker, RecordRow, Sought, StoreError};
use loket_wire::record::{FindRecord, MAX_CODES};
use loket_wire::sealed::SealingPublic;
use loket_wire::{JobId, JobState, MachineId, Sha256Digest, Timestamp};
use serde_json::{Value, json};

use super::api::job_id;
use crate::clock::now;
use crate::listener::Peer;
use crate::metrics::count;
use crate::office::{Office, RosterError, storage_problem};
use crate::problem::{Code, Problem};
use crate::records::{RecordFault, Records};

/// Records of different documents in one answer: a code stands on one document, and a machine compares each.
const MAX_TOLD: usize = 3;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// `GET /machine/v1/audit-key`
pub(super) async fn audit_key(
    State(office): State<Arc<Office>>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Value>, Problem> {
    office
        .blocking(move |office| office.machine_of(&peer).map(|_machine| ()))
        .await??;
    let key = office.records.public();
    Ok(Json(
        json!({ "version": 1, "key_id": key.key_id(), "public_key": key.to_string() }),
    ))
}

/// `PUT /machine/v1/records/{job}`
pub(super) async fn put(
    State(office): State<Arc<Office>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = job_id(&id)?;
    let kept = office
        .blocking(move |office| keep(office, &peer, id, &body))
        .await??;
    let (status, until) = match kept {
        Kept::Now(until) => (StatusCode::CREATED, Some(until)),
        Kept::Before(until) => (StatusCode::OK, Some(until)),
        Kept::NotWanted => (StatusCode::OK, None),
    };
    let until = until.map(|until| until.to_string());
    Ok((
        status,
        Json(json!({ "kept": until.is_some(), "until": until })),
    ))
}

enum Kept {
    Now(Timestamp),
    Before(Timestamp),
    NotWanted,
}

fn keep(office: &Office, peer: &Peer, id: JobId, sealed: &[u8]) -> Result<Kept, Problem> {
    let machine = office.machine_of(peer)?;
    let row = office
        .store
        .job(id)
        .map_err(|error| storage_problem(&error))?;
    let row = row.ok_or(Code::JobUnknown)?;
    if row.facts.machine != machine {
        tracing::warn!(job.id = %id, machine.id = %machine, "a record of another machine's job refused");
        return Err(Code::NotYourJob.into());
    }
    let at = now();
    let days = office.offices.current().paper_days(&row.facts.office, at);
    // Asked before the record is opened: a machine that kept one which does not open may erase it.
    if is_over(row.job.ended_at, days, at) {
        return Ok(Kept::NotWanted);
    }
    let record = office.records.read(&machine, id, sealed).map_err(|error| {
        tracing::warn!(job.id = %id, machine.id = %machine, error = %crate::chain(&error), "a record that does not open refused");
        let counted = &office.tally.records;
        if matches!(error, RecordFault::OtherKey) {
            // The key may come back: the machine keeps the record and hands it in again.
            count(&counted.other_key);
            return Problem::new(Code::RecordOtherKey);
        }
        count(&counted.refused);
        Problem::new(Code::RecordRefused)
    })?;
    let _guard = office.records.lock();
    let known = office.store.record(id);
    if let Some(known) = known.map_err(|error| storage_problem(&error))? {
        // The first one stands: another file under its name would not be the one that the row tells of.
        return Ok(Kept::Before(known.keep_until));
    }
    if office.room.disk().is_full() {
        return Err(Code::StorageFull.into());
    }
    let fresh = RecordRow {
        job: id,
        machine,
        received_at: at,
        keep_until: Timestamp::from_unix_ms(
            at.unix_ms()
                .saturating_add(i64::from(days).saturating_mul(DAY_MS)),
        ),
        size_bytes: u64::try_from(sealed.len()).unwrap_or(u64::MAX),
        sha256: Sha256Digest::of(sealed),
    };
    office.records.keep(id, sealed).map_err(|error| {
        tracing::error!(job.id = %id, error = %crate::chain(&error), "record not kept");
        let is_full = matches!(&error, RecordFault::Io { source, .. }
            if source.kind() == std::io::ErrorKind::StorageFull);
        Problem::new(if is_full {
            Code::StorageFull
        } else {
            Code::StorageFailed
        })
    })?;
    let codes = record.codes.iter().map(|code| Sha256Digest::of(code));
    let codes: Vec<_> = codes.map(|code| office.records.code_key(code)).collect();
    let stands = office.store.put_record(&fresh, &codes);
    let stands = stands.map_err(|error| {
        // Such a commit may have been kept all the same: the next start erases what no row tells of.
        if !matches!(error, StoreError::Io { .. }) {
            forget(office, id);
        }
        storage_problem(&error)
    })?;
    count(&office.tally.records.kept);
    tracing::info!(job.id = %id, machine.id = %fresh.machine, size_bytes = fresh.size_bytes, "record of a printed sheet kept");
    Ok(Kept::Now(stands.keep_until))
}

/// Erases a file whose row was not taken; a leftover is found at the next start.
fn forget(office: &Office, job: JobId) {
    if let Err(error) = office.records.erase(job) {
        tracing::warn!(job.id = %job, error = %crate::chain(&error), "sealed record not erased yet");
    }
}

/// Whether the office keeps no record of a sheet whose job ended then, or not any more.
fn is_over(ended_at: Option<Timestamp>, days: u16, at: Timestamp) -> bool {
    let span_ms = i64::from(days).saturating_mul(DAY_MS);
    let until = |ended: Timestamp| ended.unix_ms().saturating_add(span_ms);
    days == 0 || ended_at.is_some_and(|ended| until(ended) < at.unix_ms())
}

/// `POST /machine/v1/records/find`
pub(super) async fn find(
    State(office): State<Arc<Office>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let asked: FindRecord =
        serde_json::from_slice(&body).map_err(|_malformed| Code::RequestMalformed)?;
    if asked.version != 1 || asked.codes_sha256.len() > MAX_CODES {
        return Err(Code::RequestMalformed.into());
    }
    let told = office
        .blocking(move |office| tell(office, &peer, &asked))
        .await??;
    Ok(Json(told))
}

fn tell(office: &Office, peer: &Peer, asked: &FindRecord) -> Result<Value, Problem> {
    let machine = office.machine_of(peer)?;
    // Enrolled a moment ago, it may not be in the store yet.
    office.record(&machine).map_err(|error| match error {
        RosterError::Store(error) => storage_problem(&error),
        RosterError::Record(_) | RosterError::Folder(_) => Code::MachineNotRecognised.into(),
    })?;
    let row = office.store.machine(&machine);
    let row = row.map_err(|error| storage_problem(&error))?;
    let seal_to = row.ok_or(Code::MachineNotRecognised)?.seal_to;
    let to = SealingPublic::parse(&seal_to.public_key).map_err(|error| {
        tracing::error!(machine.id = %machine, %error, "machine's sealing key not usable");
        Problem::new(Code::StorageFailed)
    })?;
    let codes = asked.codes_sha256.iter();
    let sought = match asked.job_id {
        Some(job) => Sought::Job(job),
        None => Sought::Codes(
            codes
                .flat_map(|code| office.records.code_keys(*code))
                .collect(),
        ),
    };
    let by = Actor::reported(&machine, Some(&format!("officer:{}", asked.by)));
    let looker = Looker {
        by: &by,
        machine: Some(&machine),
        reason: None,
    };
    let found = office
        .store
        .show_records(&sought, looker, now())
        .map_err(|error| storage_problem(&error))?;
    let counted = &office.tally.paper;
    count(if found.is_empty() {
        &counted.machine_none
    } else {
        &counted.machine_told
    });
    tracing::info!(machine.id = %machine, count = found.len(), "records of printed sheets asked for");
    let told = seal_each(office, &found, &machine, &to)?;
    let is_expired = told.is_empty() && asked.job_id.is_some_and(|job| had_record(office, job));
    Ok(json!({ "records": told, "expired": is_expired }))
}

/// Whether a record of the job was kept, for days that are over.
fn had_record(office: &Office, job: JobId) -> bool {
    let Ok(Some(row)) = office.store.job(job) else {
        return false;
    };
    let at = now();
    let days = office.offices.current().paper_days(&row.facts.office, at);
    row.job.state == JobState::Printed && days > 0 && is_over(row.job.ended_at, days, at)
}

/// One of each document: a reprint looks like the first print.
fn seal_each(
    office: &Office,
    found: &[RecordRow],
    machine: &MachineId,
    to: &SealingPublic,
) -> Result<Vec<Value>, Problem> {
    let failed = |error: RecordFault| {
        tracing::error!(error = %crate::chain(&error), "record not opened");
        Problem::new(Code::StorageFailed)
    };
    let (mut told, mut documents) = (Vec::new(), Vec::new());
    for row in found {
        let opened = office.records.opened(row).map_err(failed)?;
        let Some(record) = opened else {
            tracing::error!(job.id = %row.job, "the file of a record is gone or another");
            continue;
        };
        if documents.contains(&record.revision_sha256) || told.len() == MAX_TOLD {
            continue;
        }
        documents.push(record.revision_sha256);
        let sealed = Records::for_machine(&record, (machine, to)).map_err(failed)?;
        told.push(json!({
            "job_id": row.job,
            "machine": row.machine,
            "printed_at": row.received_at.to_string(),
            "sealed": BASE64.encode(&sealed),
        }));
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_over_when_the_days_of_its_office_are() {
        let at = |day: i64| Timestamp::from_unix_ms(day * DAY_MS);
        for (ended, days, now, over) in [
            (Some(10), 3, 13, false),
            (Some(10), 3, 14, true),
            (Some(10), 0, 10, true),
            (None, 3, 100, false),
            (None, 0, 100, true),
        ] {
            let told = is_over(ended.map(at), days, at(now));
            assert_eq!(told, over, "{ended:?} {days} {now}");
        }
    }
}
