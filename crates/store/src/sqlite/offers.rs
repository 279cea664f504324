//! Jobs that may be offered, in SQLite.

use loket_wire::{JobId, MachineId, Timestamp};
use rusqlite::{Transaction, named_params};

use super::column::{json, select};
use super::job_row::read_job;
use super::lost::is_of_one_row;
use super::machines;
use crate::error::StoreError;
use crate::job::{DueOffers, Offerable};

/// What is due; a damaged row must not stop the others.
pub(super) fn offerable(
    tx: &Transaction<'_>,
    asked: &Offerable,
    now: Timestamp,
) -> Result<DueOffers, StoreError> {
    let (heard_from, heard_to) = machines::heard_between(now);
    let due = select(
        tx,
        "SELECT * FROM (
             SELECT job.*, row_number() OVER
                 (PARTITION BY job.machine ORDER BY job.created_at_ms, job.id) AS place
             FROM job JOIN machine ON machine.id = job.machine
             WHERE job.state IN ('created', 'offered') AND job.next_offer_at_ms <= :now
               AND job.not_after_ms >= :now AND machine.is_online = 1 AND machine.generation > 0
               AND machine.last_seen_at_ms BETWEEN :heard_from AND :heard_to
               AND (:machine IS NULL OR job.machine = :machine)
               AND job.machine NOT IN (SELECT value FROM json_each(:without_machines))
               AND job.id NOT IN (SELECT value FROM json_each(:without_jobs)))
         WHERE place <= :a_machine ORDER BY created_at_ms, id LIMIT :limit",
        named_params! {
            ":now": now.unix_ms(),
            ":heard_from": heard_from,
            ":heard_to": heard_to,
            ":machine": asked.machine.as_ref().map(MachineId::as_str),
            ":without_machines": json(&asked.without_machines)?,
            ":without_jobs": json(&asked.without_jobs)?,
            ":a_machine": asked.a_machine,
            ":limit": asked.limit,
        },
        |row| {
            let whose = row
                .parsed::<JobId>("id")
                .and_then(|id| Ok((id, row.parsed::<MachineId>("machine")?)));
            Ok((whose, read_job(row)))
        },
    )?;
    let mut offers = DueOffers::default();
    for (whose, row) in due {
        match (whose, row) {
            (_whose, Ok(row)) => offers.jobs.push(row),
            (Ok(whose), Err(error)) if is_of_one_row(&error) => offers.damaged.push(whose),
            (_whose, Err(error)) => return Err(error),
        }
    }
    Ok(offers)
}

/// Whether a job of the machine may be offered.
pub(super) fn has_offerable(
    tx: &Transaction<'_>,
    machine: &MachineId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let asked = Offerable {
        machine: Some(machine.clone()),
        a_machine: 1,
        limit: 1,
        ..Offerable::default()
    };
    Ok(!offerable(tx, &asked, now)?.jobs.is_empty())
}
