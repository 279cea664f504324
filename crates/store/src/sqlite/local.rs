//! Jobs given by hand, in SQLite: how they begin, and which jobs print the same document.

use loket_domain::dispatch::{Change, Job, Met, meet};
use loket_wire::{JobId, LocalJob, MachineId, Timestamp};
use rusqlite::{Transaction, params};

use super::aside::{self, Kind};
use super::column::select;
use super::{job_row, jobs, machines, size};
use crate::actor::{Actor, check_text};
use crate::aside::LOCAL_JOBS_KEPT;
use crate::error::StoreError;
use crate::job::{JobRow, SameDocument};

/// Longest name of a person or printer that is kept, in bytes: 40 characters of up to four bytes.
const MAX_NAME_BYTES: usize = 160;

/// One more job given by hand than there is room for.
const NO_ROOM: &str = "S-106";

/// Jobs of the same document that are named: a person looks at the latest few.
const MAX_SAME: u32 = 20;

/// What a machine may say of its jobs by hand; a text that cannot stand in the store is left out, and the job is taken.
fn fit(local: &LocalJob) -> LocalJob {
    let fitting = |text: &Option<String>| {
        let is_good = |text: &&String| check_text("name", text, MAX_NAME_BYTES).is_ok();
        text.as_ref().filter(is_good).cloned()
    };
    LocalJob {
        by: fitting(&local.by),
        printer: fitting(&local.printer),
        ..local.clone()
    }
}

/// The job that a machine speaks of; one given to it by hand begins here. The inner error is the code of a refusal.
pub(super) fn met(
    tx: &Transaction<'_>,
    machine: &MachineId,
    id: JobId,
    local: Option<&LocalJob>,
    now: Timestamp,
) -> Result<Result<JobRow, &'static str>, StoreError> {
    let known = jobs::find(tx, id)?;
    let job = known.as_ref().map(|row| &row.job);
    let local = local.map(fit);
    match meet(job, machine, id, local.as_ref(), now) {
        Ok(Met::Known) => Ok(known.ok_or("S-101")),
        Ok(Met::GivenByHand { job, change }) => begin(tx, *job, change, now),
        Err(refusal) => Ok(Err(refusal.code())),
    }
}

fn begin(
    tx: &Transaction<'_>,
    mut job: Job,
    change: Change,
    now: Timestamp,
) -> Result<Result<JobRow, &'static str>, StoreError> {
    if !has_room(tx, &job.machine, now)? {
        return Ok(Err(NO_ROOM));
    }
    let by = job.local.as_ref().and_then(|local| local.by.as_ref());
    let by = by.map(|name| format!("officer:{name}"));
    let actor = Actor::reported(&job.machine, by.as_deref());
    let office = machines::find(tx, &job.machine)?
        .ok_or(StoreError::NoSuchMachine)?
        .office;
    job_row::insert_local(tx, &job, &office)?;
    jobs::change(tx, &mut job, &[change], &actor, now)?;
    jobs::get(tx, job.id).map(Ok)
}

/// Whether one more is taken of the machine: a machine gone mad must not fill the store, and what is left of a file that
/// is nearly full is kept for reports of what was taken before.
fn has_room(tx: &Transaction<'_>, machine: &MachineId, now: Timestamp) -> Result<bool, StoreError> {
    match size::room_for_a_job(tx) {
        Ok(()) => {}
        Err(StoreError::Reserved) => return Ok(false),
        Err(other) => return Err(other),
    }
    let counted = (Kind::Note, "given-by-hand");
    aside::admit_up_to(tx, machine, counted, None, LOCAL_JOBS_KEPT, now)
}

/// Other jobs of the same signed revision of which one was given by hand, latest first.
pub(super) fn same_document(
    tx: &Transaction<'_>,
    id: JobId,
) -> Result<Vec<SameDocument>, StoreError> {
    select(
        tx,
        "SELECT other.id, other.state, other.local IS NOT NULL AS is_by_hand FROM job JOIN job AS other
             ON other.revision_sha256 = job.revision_sha256 AND other.revision_sha256 <> ''
         WHERE job.id = ?1 AND other.id <> job.id
           AND (job.local IS NOT NULL OR other.local IS NOT NULL)
         ORDER BY other.created_at_ms DESC, other.id DESC LIMIT ?2",
        params![id.to_string(), MAX_SAME],
        |row| {
            Ok(SameDocument {
                job: row.parsed("id")?,
                state: row.word("state")?,
                is_by_hand: row.get("is_by_hand")?,
            })
        },
    )
}
