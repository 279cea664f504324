//! Which jobs may belong to a day of a machine.

use loket_wire::{JobId, MachineId};
use rusqlite::{Transaction, params};

use super::column::select;
use crate::error::StoreError;
use crate::job::Span;

/// What is looked at is as old as the machine, by its index: some hundred thousand rows for the oldest.
pub(super) fn jobs_in(
    tx: &Transaction<'_>,
    machine: &MachineId,
    span: Span,
    limit: u32,
) -> Result<Vec<JobId>, StoreError> {
    select(
        tx,
        "SELECT id FROM job
         WHERE machine = ?1 AND (ended_at_ms IS NULL OR ended_at_ms >= ?2)
            AND (created_at_ms < ?3 OR local IS NOT NULL)
         ORDER BY created_at_ms, id LIMIT ?4",
        params![
            machine.as_str(),
            span.from.unix_ms(),
            span.until.unix_ms(),
            limit
        ],
        |row| row.parsed("id"),
    )
}
