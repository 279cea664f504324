//! How much of each machine was set aside.

use std::collections::BTreeMap;

use loket_wire::MachineId;
use rusqlite::Transaction;

use super::column::select;
use crate::error::StoreError;

/// Messages set aside by machine; a machine without any is not there.
pub(super) fn by_machine(tx: &Transaction<'_>) -> Result<BTreeMap<MachineId, u64>, StoreError> {
    let counted = select(
        tx,
        "SELECT machine, count(*) AS messages FROM quarantine GROUP BY machine",
        [],
        |row| Ok((row.parsed("machine")?, row.count("messages")?)),
    )?;
    Ok(counted.into_iter().collect())
}
