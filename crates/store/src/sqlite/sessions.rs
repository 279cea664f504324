//! Connections of machines in SQLite: which one is the present one, and what is said late of another.

use loket_wire::{Epoch, MachineId, MachineState, Timestamp};
use rusqlite::{Transaction, params};

use super::column::{number, run, select_first};
use super::machines;
use crate::error::StoreError;
use crate::machine::is_late_session;

/// The few columns that decide whether a message is of the present connection.
pub(super) struct Bare {
    pub(super) generation: u64,
    session_seq: u64,
    session_ceiling: u64,
    session_epoch: Option<Epoch>,
}

impl Bare {
    /// Whether a connection of the present epoch is over, or one of a life of the journal that is forgotten.
    pub(super) fn is_late(&self, session_seq: u64) -> bool {
        is_late_session(session_seq, self.session_seq, self.session_ceiling)
    }
}

pub(super) fn find_bare(
    tx: &Transaction<'_>,
    machine: &MachineId,
) -> Result<Option<Bare>, StoreError> {
    let sql =
        "SELECT generation, session_seq, session_ceiling, session_epoch FROM machine WHERE id = ?1";
    select_first(tx, sql, [machine.as_str()], |row| {
        Ok(Bare {
            generation: row.count("generation")?,
            session_seq: row.count("session_seq")?,
            session_ceiling: row.count("session_ceiling")?,
            session_epoch: row.maybe_parsed("session_epoch")?,
        })
    })
}

pub(super) fn record_state(
    tx: &Transaction<'_>,
    machine: &MachineId,
    state: &MachineState,
    is_retained: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let bare = find_bare(tx, machine)?.ok_or(StoreError::NoSuchMachine)?;
    let is_stale = match bare.session_epoch {
        Some(epoch) if epoch == state.epoch => bare.is_late(state.session_seq),
        // Sessions are counted in the journal: another journal counts anew, and only an earlier one is late.
        Some(_other) => {
            !state.online || machines::stream_of_epoch(tx, machine, state.epoch)?.is_some()
        }
        None => false,
    };
    if is_stale {
        return Ok(false);
    }
    set_session(
        tx,
        machine,
        state.epoch,
        state.session_seq,
        state.online,
        now,
    )?;
    run(
        tx,
        "UPDATE machine SET boot_id = ?2, software = ?3, config_hash = ?4 WHERE id = ?1",
        params![
            machine.as_str(),
            machines::cut(&state.boot_id),
            machines::cut(&state.software),
            machines::cut(&state.config_hash)
        ],
    )?;
    // A will is the broker's word, not the machine's; and what it kept may be as old as it likes.
    if state.online && !is_retained {
        machines::seen(tx, machine, now)?;
    }
    Ok(true)
}

/// Notes which connection is the present one and whether it stands. The highest number of the epoch stays known.
pub(super) fn set_session(
    tx: &Transaction<'_>,
    machine: &MachineId,
    epoch: Epoch,
    session_seq: u64,
    is_online: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE machine SET
            session_ceiling = iif(session_epoch = ?2, max(session_ceiling, session_seq), 0),
            session_epoch = ?2, session_seq = ?3,
            online_changed_at_ms = iif(is_online = ?4, online_changed_at_ms, ?5), is_online = ?4
         WHERE id = ?1",
        params![
            machine.as_str(),
            epoch.to_string(),
            number("session_seq", session_seq)?,
            is_online,
            now.unix_ms()
        ],
    )?;
    Ok(())
}

/// Whether a connection of the present journal is known that is later than this one, or this one may be of a life of it
/// that is forgotten.
pub(super) fn is_earlier_session(
    tx: &Transaction<'_>,
    machine: &MachineId,
    epoch: Epoch,
    session_seq: u64,
) -> Result<bool, StoreError> {
    let bare = find_bare(tx, machine)?.ok_or(StoreError::NoSuchMachine)?;
    Ok(bare.session_epoch == Some(epoch) && bare.is_late(session_seq))
}
