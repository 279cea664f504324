//! The quota of what a machine may have set aside or remarked on: all of it is counted, the first of each code is kept.
//!
//! A report that finds no room is acknowledged all the same: it is committed as counted, and its machine's outbox goes on.

use std::collections::BTreeMap;

use loket_wire::{Epoch, MachineId, Sha256Digest, Timestamp};
use rusqlite::{Transaction, named_params, params};

use super::chain::{self, About};
use super::column::{number, run, select, select_first};
use crate::actor::Actor;
use crate::aside::{AsideCount, KEPT_A_CODE};
use crate::error::StoreError;
use crate::history::Note;
use crate::retention::ASIDE_KEPT;

/// Codes counted one by one for each machine; ours are some twenty.
const MAX_CODES: u64 = 32;

/// What stands for every further code.
const OTHER_CODES: &str = "other";

/// What is counted.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A report that cannot be taken.
    Report,
    /// A line of the history to which a machine gives cause.
    Note,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Note => "note",
        }
    }
}

/// What tells the newest of a code, where it was a report.
#[derive(Clone, Copy)]
pub(super) struct Newest {
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) sha256: Sha256Digest,
}

/// Counts one more of `code`; true where it may be kept as well.
pub(super) fn admit(
    tx: &Transaction<'_>,
    machine: &MachineId,
    counted: (Kind, &str),
    newest: Option<Newest>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    admit_up_to(tx, machine, counted, newest, KEPT_A_CODE, now)
}

/// The same with another quota.
pub(super) fn admit_up_to(
    tx: &Transaction<'_>,
    machine: &MachineId,
    (kind, code): (Kind, &str),
    newest: Option<Newest>,
    quota: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let code = counted_code(tx, machine, kind, code)?;
    let span = select_first(
        tx,
        "SELECT span_from_ms, span_kept FROM aside_count WHERE machine = ?1 AND kind = ?2 AND code = ?3",
        params![machine.as_str(), kind.as_str(), code],
        |row| Ok((row.time("span_from_ms")?, row.small("span_kept")?)),
    )?;
    let (span_from, kept) = span
        .filter(|(from, _kept)| now.since(*from) < ASIDE_KEPT)
        .unwrap_or((now, 0));
    let is_kept = kept < quota;
    let seq = newest.map(|it| number("seq", it.seq)).transpose()?;
    run(
        tx,
        "INSERT INTO aside_count (machine, kind, code, total, counted_only, span_from_ms, span_kept,
            last_epoch, last_event_seq, last_sha256, last_at_ms)
         VALUES (:machine, :kind, :code, 1, :counted_only, :from, :kept, :epoch, :seq, :sha256, :now)
         ON CONFLICT (machine, kind, code) DO UPDATE SET total = total + 1,
            counted_only = counted_only + :counted_only, span_from_ms = :from, span_kept = :kept,
            last_epoch = :epoch, last_event_seq = :seq, last_sha256 = :sha256, last_at_ms = :now",
        named_params! {
            ":machine": machine.as_str(),
            ":kind": kind.as_str(),
            ":code": code,
            ":counted_only": !is_kept,
            ":from": span_from.unix_ms(),
            ":kept": kept.saturating_add(1).min(quota.saturating_add(1)),
            ":epoch": newest.map(|it| it.epoch.to_string()),
            ":seq": seq,
            ":sha256": newest.map(|it| it.sha256.to_string()),
            ":now": now.unix_ms(),
        },
    )?;
    if kept == quota {
        say_once(tx, machine, (code, quota), now)?;
    }
    Ok(is_kept)
}

/// The code itself, or one for all where the machine has too many of them.
fn counted_code<'a>(
    tx: &Transaction<'_>,
    machine: &MachineId,
    kind: Kind,
    code: &'a str,
) -> Result<&'a str, StoreError> {
    let others = select_first(
        tx,
        "SELECT count(*) AS others FROM aside_count WHERE machine = ?1 AND NOT (kind = ?2 AND code = ?3)",
        params![machine.as_str(), kind.as_str(), code],
        |row| row.count("others"),
    )?;
    Ok(match others {
        Some(others) if others >= MAX_CODES => OTHER_CODES,
        Some(_) | None => code,
    })
}

/// The history says from where on only the count tells.
fn say_once(
    tx: &Transaction<'_>,
    machine: &MachineId,
    (code, kept): (&str, u32),
    now: Timestamp,
) -> Result<(), StoreError> {
    let about = About {
        job: None,
        machine: Some(machine),
    };
    let note = Note::AsideQuotaReached {
        code: code.to_owned(),
        kept,
    };
    chain::append_note(tx, about, &Actor::central(), now, &note)
}

/// What was set aside of each machine's reports; machines without any are left out.
pub(super) fn counts(tx: &Transaction<'_>) -> Result<BTreeMap<MachineId, AsideCount>, StoreError> {
    let rows = select(
        tx,
        "SELECT machine, sum(total) AS total, sum(counted_only) AS counted_only
         FROM aside_count WHERE kind = 'report' GROUP BY machine",
        [],
        |row| {
            let count = AsideCount {
                total: row.count("total")?,
                counted_only: row.count("counted_only")?,
            };
            Ok((row.parsed("machine")?, count))
        },
    )?;
    Ok(rows.into_iter().collect())
}
