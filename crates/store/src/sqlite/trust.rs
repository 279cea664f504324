//! Trust bundles in SQLite.

use loket_wire::{Sha256Digest, Timestamp};
use rusqlite::{Transaction, params};

use super::chain::{self, About};
use super::column::{number, run, select_first};
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::Note;
use crate::trust::TrustRow;

/// Bundles remembered: the newest alone decides, the others are for people who look into the file.
const KEPT: u32 = 100;

pub(super) fn newest(tx: &Transaction<'_>) -> Result<Option<TrustRow>, StoreError> {
    let sql = "SELECT * FROM trust_bundle ORDER BY serial DESC LIMIT 1";
    select_first(tx, sql, [], |row| {
        Ok(TrustRow {
            serial: row.count("serial")?,
            made_at: row.time("made_at_ms")?,
            content_sha256: row.digest("content_sha256")?,
        })
    })
}

pub(super) fn begin(
    tx: &Transaction<'_>,
    content_sha256: Sha256Digest,
    above: u64,
    now: Timestamp,
) -> Result<TrustRow, StoreError> {
    let last = newest(tx)?.map_or(0, |row| row.serial);
    // The moment in milliseconds, as long as that grows: so a store that came back from a backup is above what it gave
    // out after it.
    let serial = u64::try_from(now.unix_ms())
        .unwrap_or(0)
        .max(last.max(above).saturating_add(1));
    let row = TrustRow {
        serial,
        made_at: now,
        content_sha256,
    };
    let serial = number("a trust bundle's serial", serial)?;
    run(
        tx,
        "INSERT INTO trust_bundle (serial, made_at_ms, content_sha256) VALUES (?1, ?2, ?3)",
        params![serial, now.unix_ms(), content_sha256.to_string()],
    )?;
    run(
        tx,
        "DELETE FROM trust_bundle WHERE serial NOT IN
             (SELECT serial FROM trust_bundle ORDER BY serial DESC LIMIT ?1)",
        params![KEPT],
    )?;
    let note = Note::TrustBundleMade {
        serial: row.serial,
        content_sha256,
    };
    let about = About {
        job: None,
        machine: None,
    };
    chain::append_note(tx, about, &Actor::central(), now, &note)?;
    Ok(row)
}
