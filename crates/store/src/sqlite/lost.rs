//! Jobs whose machine lost its journal, in SQLite: asked of the machine again and again, and answered by a person.

use loket_domain::dispatch::{ASK_AGAIN_MAX, Answer, Input, decide};
use loket_wire::{JobId, MachineId, Timestamp};
use rusqlite::{Transaction, named_params, params};

use super::column::{json, run, select};
use super::job_row::read_job;
use super::{doubts, jobs, machines};
use crate::actor::Actor;
use crate::error::StoreError;
use crate::job::{AskDue, AskRound, JobRow};
use crate::report::JobNow;

/// What machines that are online are to be asked again, numbered and put off until the next time; `without` are left out.
///
/// A moment further ahead than the longest pause was set by a clock that was wrong. A damaged row must not stop the others.
pub(super) fn ask_due(
    tx: &Transaction<'_>,
    now: Timestamp,
    without: &[MachineId],
    limit: u32,
) -> Result<AskRound, StoreError> {
    let (heard_from, heard_to) = machines::heard_between(now);
    let due = select(
        tx,
        "SELECT job.* FROM job JOIN machine ON machine.id = job.machine
         WHERE (job.copy IS NOT NULL OR job.cancel_asked = 1)
           AND (job.ended_at_ms IS NULL OR job.copy IS NOT NULL)
           AND (job.copy IN ('unheard', 'held') OR (job.cancel_asked = 1
                AND job.state IN ('fetching', 'journalled', 'held', 'printing')))
           AND (job.next_ask_at_ms <= :now OR job.next_ask_at_ms > :beyond)
           AND machine.is_online = 1 AND machine.generation > 0
           AND machine.last_seen_at_ms BETWEEN :heard_from AND :heard_to
           AND job.machine NOT IN (SELECT value FROM json_each(:without))
         ORDER BY job.next_ask_at_ms, job.id LIMIT :limit",
        named_params! {
            ":now": now.unix_ms(),
            ":beyond": now.saturating_add(ASK_AGAIN_MAX).unix_ms(),
            ":heard_from": heard_from,
            ":heard_to": heard_to,
            ":without": json(&without)?,
            ":limit": limit,
        },
        |row| Ok((row.get::<String>("id")?, read_job(row))),
    )?;
    let mut round = AskRound::default();
    for (id, row) in due {
        match row.and_then(|row| ask(tx, row, now)) {
            Ok(asked) => round.asked.extend(asked),
            Err(error) if is_of_one_row(&error) => {
                put_off(tx, &id, now)?;
                round.damaged.push(id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(round)
}

fn ask(
    tx: &Transaction<'_>,
    mut row: JobRow,
    now: Timestamp,
) -> Result<Option<AskDue>, StoreError> {
    if !row.job.is_to_be_asked() {
        return Ok(None);
    }
    let stream = machines::stream(tx, &row.facts.machine)?;
    let sync = match row.job.copy {
        Some(_copy) => doubts::ack(tx, &row.facts.machine, &stream)?,
        None => None,
    };
    let command_seq = jobs::ask_cancel(tx, &mut row.job, now)?;
    Ok(Some(AskDue {
        machine: row.facts.machine,
        job: row.facts.id,
        command_seq,
        ask_count: row.job.ask_count,
        sync,
    }))
}

/// Whether what failed is one row, and not the store.
pub(super) const fn is_of_one_row(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Corrupt { .. }
            | StoreError::OutOfRange { .. }
            | StoreError::Refused(_)
            | StoreError::NoSuchMachine
    )
}

fn put_off(tx: &Transaction<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let until = now.saturating_add(ASK_AGAIN_MAX).unix_ms();
    let sql = "UPDATE job SET next_ask_at_ms = ?2 WHERE id = ?1";
    run(tx, sql, params![id, until])?;
    Ok(())
}

pub(super) fn resolve_lost(
    tx: &Transaction<'_>,
    id: JobId,
    answer: Answer,
    by: &Actor,
    now: Timestamp,
) -> Result<JobNow, StoreError> {
    let mut row = jobs::get(tx, id)?;
    let changes = decide(&row.job, now, Input::Answered(answer)).map_err(StoreError::Refused)?;
    jobs::change(tx, &mut row.job, &changes, by, now)?;
    Ok(jobs::job_now(&row.job, true))
}

/// Takes it from a person that the machine prints nothing any more; answers the jobs that wait for a person now.
pub(super) fn write_off(
    tx: &Transaction<'_>,
    machine: &MachineId,
    by: &Actor,
    now: Timestamp,
) -> Result<Vec<JobId>, StoreError> {
    if machines::find(tx, machine)?.is_none() {
        return Err(StoreError::NoSuchMachine);
    }
    let mut waiting = Vec::new();
    for mut row in jobs::open_of(tx, machine)? {
        let changes = decide(&row.job, now, Input::WrittenOff).map_err(StoreError::Refused)?;
        if !changes.is_empty() {
            jobs::change(tx, &mut row.job, &changes, by, now)?;
            waiting.push(row.facts.id);
        }
    }
    Ok(waiting)
}
