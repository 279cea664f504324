//! A job as a row.

use loket_domain::dispatch::{EndedBy, Job, Place};
use loket_wire::order::ReprintOf;
use loket_wire::{Blob, LocalJob, OfficeId, Release, Service, Timestamp};
use rusqlite::{Transaction, named_params, params};

use super::column::{Columns, json, number, run, word};
use crate::error::StoreError;
use crate::job::{Intake, JobFacts, JobRow, NewJob};

/// Writes a new row.
pub(super) fn insert(tx: &Transaction<'_>, new: &NewJob, job: &Job) -> Result<(), StoreError> {
    let (facts, intake) = (&new.facts, &new.intake);
    let reprint = intake.reprint_of.as_ref();
    let key = new.idempotency_key.as_ref();
    run(
        tx,
        "INSERT INTO job (id, reference, service, class, release, machine, office, not_after_ms,
            due_at_ms, created_at_ms, document_sha256, revision_sha256, content_sha256,
            page_count, size_bytes,
            blob_sha256, blob_size_bytes, reprint_of, reprint_reason, idempotency_sha256,
            request_sha256, folder_sha256, state, state_at_ms, offer_count, next_offer_at_ms,
            cancel_asked)
         VALUES (:id, :reference, :service, :class, :release, :machine, :office, :not_after_ms,
            :due_at_ms, :created_at_ms, :document_sha256, :revision_sha256, :content_sha256, :page_count,
            :size_bytes, :blob_sha256, :blob_size_bytes, :reprint_of, :reprint_reason,
            :idempotency_sha256, :request_sha256, :folder_sha256, :state, :created_at_ms, 0,
            :created_at_ms, 0)",
        named_params! {
            ":id": job.id.to_string(),
            ":reference": facts.reference.as_str(),
            ":service": facts.service.as_str(),
            ":class": word(&facts.class)?,
            ":release": word(&facts.release)?,
            ":machine": facts.machine.as_str(),
            ":office": facts.office.as_str(),
            ":not_after_ms": facts.not_after.unix_ms(),
            ":due_at_ms": intake.due_at.unix_ms(),
            ":created_at_ms": job.created_at.unix_ms(),
            ":document_sha256": intake.document_sha256.to_string(),
            ":revision_sha256": intake.revision_sha256.to_string(),
            ":content_sha256": intake.content_sha256.to_string(),
            ":page_count": intake.page_count,
            ":size_bytes": number("size_bytes", intake.size_bytes)?,
            ":blob_sha256": intake.blob.sha256.to_string(),
            ":blob_size_bytes": number("blob.size_bytes", intake.blob.size_bytes)?,
            ":reprint_of": reprint.map(|reprint| reprint.job.to_string()),
            ":reprint_reason": reprint.map(|reprint| reprint.reason.as_str()),
            ":idempotency_sha256": key.map(|key| key.key_sha256.to_string()),
            ":request_sha256": key.map(|key| key.body_sha256.to_string()),
            ":folder_sha256": new.folder_sha256.map(|digest| digest.to_string()),
            ":state": job.state.as_str(),
        },
    )?;
    Ok(())
}

/// Writes the row of a job that was given to its machine by hand; what it is follows with its first change.
pub(super) fn insert_local(
    tx: &Transaction<'_>,
    job: &Job,
    office: &OfficeId,
) -> Result<(), StoreError> {
    let local = job.local.as_ref().ok_or(StoreError::Corrupt {
        what: "a job given by hand",
    })?;
    run(
        tx,
        "INSERT INTO job (id, reference, service, class, release, machine, office, not_after_ms,
            due_at_ms, created_at_ms, document_sha256, revision_sha256, content_sha256,
            page_count, size_bytes, blob_sha256, blob_size_bytes, state, state_at_ms, offer_count,
            next_offer_at_ms, cancel_asked, secrets_dropped, local)
         VALUES (:id, :reference, :service, :class, :release, :machine, :office, :not_after_ms,
            :never, :created_at_ms, '', '', '', 0, 0, '', 0, :state, :created_at_ms, 0,
            :created_at_ms, 0, 1, :local)",
        named_params! {
            ":id": job.id.to_string(),
            ":reference": local.reference.as_str(),
            ":service": local.service.as_str(),
            ":class": word(&local.class)?,
            // Who gives it by hand releases it by that.
            ":release": word(&Release::Now)?,
            ":machine": job.machine.as_str(),
            ":office": office.as_str(),
            ":not_after_ms": job.not_after.unix_ms(),
            ":never": i64::MAX,
            ":created_at_ms": job.created_at.unix_ms(),
            ":state": job.state.as_str(),
            ":local": json(local)?,
        },
    )?;
    save(tx, job)
}

/// Writes what its machine has said of a job given by hand.
fn save_local(tx: &Transaction<'_>, job: &Job, local: &LocalJob) -> Result<(), StoreError> {
    let revision = local.revision.as_ref();
    let size_bytes = revision.map_or(0, |revision| revision.size_bytes);
    run(
        tx,
        "UPDATE job SET local = ?2, revision_sha256 = ?3, size_bytes = ?4, page_count = ?5
         WHERE id = ?1",
        params![
            job.id.to_string(),
            json(local)?,
            revision.map_or_else(String::new, |revision| revision.sha256.to_string()),
            number("size_bytes", size_bytes)?,
            revision.map_or(0, |revision| revision.page_count),
        ],
    )?;
    Ok(())
}

/// Writes what changes in a job.
pub(super) fn save(tx: &Transaction<'_>, job: &Job) -> Result<(), StoreError> {
    let reported = job
        .reported
        .map(|place| -> Result<(i64, i64), StoreError> {
            Ok((
                number("generation", place.generation)?,
                number("seq", place.seq)?,
            ))
        })
        .transpose()?;
    let maybe = |value: Option<u64>| value.map(|value| number("command_seq", value)).transpose();
    run(
        tx,
        "UPDATE job SET state = :state, reason = :reason, state_at_ms = :state_at_ms,
            epoch = :epoch, command_seq = :command_seq,
            offer_count = :offer_count, next_offer_at_ms = :next_offer_at_ms,
            cancel_asked = :cancel_asked, copy = :copy, ask_count = :ask_count,
            next_ask_at_ms = :next_ask_at_ms, ended_at_ms = :ended_at_ms, ended_by = :ended_by,
            reported_generation = :reported_generation, reported_seq = :reported_seq,
            attempt = :attempt, sheet_count = :sheet_count
         WHERE id = :id",
        named_params! {
            ":id": job.id.to_string(),
            ":state": job.state.as_str(),
            ":reason": job.reason.as_ref().map(word).transpose()?,
            ":state_at_ms": job.state_at.unix_ms(),
            ":epoch": job.epoch.map(|epoch| epoch.to_string()),
            ":command_seq": maybe(job.command_seq)?,
            ":offer_count": job.offer_count,
            ":next_offer_at_ms": job.next_offer_at.unix_ms(),
            ":cancel_asked": job.cancel_asked,
            ":copy": job.copy.as_ref().map(word).transpose()?,
            ":ask_count": job.ask_count,
            ":next_ask_at_ms": job.next_ask_at.unix_ms(),
            ":ended_at_ms": job.ended_at.map(Timestamp::unix_ms),
            ":ended_by": job.ended_by.as_ref().map(word).transpose()?,
            ":reported_generation": reported.map(|(generation, _seq)| generation),
            ":reported_seq": reported.map(|(_generation, seq)| seq),
            ":attempt": job.attempt,
            ":sheet_count": job.sheet_count,
        },
    )?;
    match &job.local {
        Some(local) => save_local(tx, job, local),
        None => Ok(()),
    }
}

/// Reads a row.
pub(super) fn read_job(row: &Columns<'_, '_>) -> Result<JobRow, StoreError> {
    let job = read_state(row)?;
    Ok(JobRow {
        facts: read_facts(row)?,
        intake: match job.local {
            None => Some(read_intake(row)?),
            Some(_) => None,
        },
        job,
        secrets_dropped: row.get("secrets_dropped")?,
    })
}

fn read_facts(row: &Columns<'_, '_>) -> Result<JobFacts, StoreError> {
    let service: String = row.get("service")?;
    Ok(JobFacts {
        id: row.parsed("id")?,
        reference: row.parsed("reference")?,
        service: Service::new(&service).ok_or(StoreError::Corrupt { what: "service" })?,
        class: row.word("class")?,
        release: row.word("release")?,
        machine: row.parsed("machine")?,
        office: row.parsed("office")?,
        not_after: row.time("not_after_ms")?,
    })
}

fn read_intake(row: &Columns<'_, '_>) -> Result<Intake, StoreError> {
    let reprint_reason: Option<String> = row.get("reprint_reason")?;
    Ok(Intake {
        due_at: row.time("due_at_ms")?,
        document_sha256: row.digest("document_sha256")?,
        revision_sha256: row.digest("revision_sha256")?,
        content_sha256: row.digest("content_sha256")?,
        page_count: row.small("page_count")?,
        size_bytes: row.count("size_bytes")?,
        blob: Blob {
            sha256: row.digest("blob_sha256")?,
            size_bytes: row.count("blob_size_bytes")?,
        },
        reprint_of: row
            .maybe_parsed("reprint_of")?
            .zip(reprint_reason)
            .map(|(job, reason)| ReprintOf { job, reason }),
    })
}

fn read_state(row: &Columns<'_, '_>) -> Result<Job, StoreError> {
    let generation = row.maybe_count("reported_generation")?;
    let ended_by: Option<EndedBy> = row.maybe_word("ended_by")?;
    Ok(Job {
        id: row.parsed("id")?,
        machine: row.parsed("machine")?,
        state: row.word("state")?,
        reason: row.maybe_word("reason")?,
        not_after: row.time("not_after_ms")?,
        created_at: row.time("created_at_ms")?,
        state_at: row.time("state_at_ms")?,
        epoch: row.maybe_parsed("epoch")?,
        command_seq: row.maybe_count("command_seq")?,
        offer_count: row.small("offer_count")?,
        next_offer_at: row.time("next_offer_at_ms")?,
        cancel_asked: row.get("cancel_asked")?,
        copy: row.maybe_word("copy")?,
        ask_count: row.small("ask_count")?,
        next_ask_at: row.time("next_ask_at_ms")?,
        ended_at: row.maybe_time("ended_at_ms")?,
        ended_by,
        reported: generation
            .zip(row.maybe_count("reported_seq")?)
            .map(|(generation, seq)| Place { generation, seq }),
        attempt: row.maybe_small("attempt")?,
        sheet_count: row.maybe_small("sheet_count")?,
        local: read_local(row)?,
    })
}

fn read_local(row: &Columns<'_, '_>) -> Result<Option<Box<LocalJob>>, StoreError> {
    let json: Option<String> = row.get("local")?;
    json.map(|json| {
        serde_json::from_str(&json).map_err(|_ignored| StoreError::Corrupt { what: "local" })
    })
    .transpose()
}
