//! The size of the file, asked of SQLite itself.

use std::path::Path;

use rusqlite::Transaction;

use super::column::select_first;
use super::file::PAGE_BYTES;
use crate::error::StoreError;
use crate::size::{Fullness, StoreSize};

/// The size of the file as this transaction sees it; the log is not looked at.
pub(super) fn read(tx: &Transaction<'_>) -> Result<StoreSize, StoreError> {
    let pages = select_first(
        tx,
        "SELECT page_count, freelist_count FROM pragma_page_count(), pragma_freelist_count()",
        [],
        |row| Ok((row.count("page_count")?, row.count("freelist_count")?)),
    )?;
    let (pages, free) = pages.unwrap_or_default();
    let limit: i64 = tx
        .pragma_query_value(None, "max_page_count", |row| row.get(0))
        .map_err(|error| StoreError::sqlite("read the size limit", error))?;
    let bytes = |pages: u64| pages.saturating_mul(PAGE_BYTES);
    Ok(StoreSize {
        used_bytes: bytes(pages.saturating_sub(free)),
        free_bytes: bytes(free),
        log_bytes: 0,
        limit_bytes: bytes(u64::try_from(limit).unwrap_or(0)),
    })
}

/// Refuses a new job where what is left is kept for reports.
pub(super) fn room_for_a_job(tx: &Transaction<'_>) -> Result<(), StoreError> {
    match read(tx)?.fullness() {
        Fullness::Fine | Fullness::Low => Ok(()),
        Fullness::Reserved => Err(StoreError::Reserved),
    }
}

/// Size of the write-ahead log beside the file at `path`; one that is not there holds nothing.
pub(super) fn log_bytes(path: &Path) -> Result<u64, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let log = Path::new(&name);
    match std::fs::metadata(log) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreError::file("measure", log, error)),
    }
}
