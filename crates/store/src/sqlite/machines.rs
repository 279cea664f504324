//! Machines in SQLite: their records, links, devices and the lives of their journals.

use std::collections::BTreeMap;

use loket_domain::dispatch::{OFFLINE_AFTER, Presence, SEEN_AHEAD_MAX, Stream};
use loket_wire::enrolment::MachineRecord;
use loket_wire::{DeviceReport, Epoch, Heartbeat, MachineId, Timestamp};
use rusqlite::{Transaction, named_params, params};

use super::chain::{self, About};
use super::column::{Columns, json, number, run, select, select_first};
use super::sessions::find_bare;
use super::stock;
use crate::actor::Actor;
use crate::error::StoreError;
use crate::history::Note;
use crate::machine::{DeviceRow, LastHeartbeat, MachineRow, SealTo};

/// Longest text of a device or of a machine's state, in bytes: names and keywords are far shorter, and a broken
/// device must not fill the store.
const MAX_WORD_BYTES: usize = 128;

/// Most reasons of a device: IPP printers give a handful.
const MAX_REASONS: usize = 32;

/// Most devices of a machine; a desk has room for fewer.
const MAX_DEVICES: i64 = 64;

const SELECT_MACHINE: &str = "SELECT machine.*, journal_life.epoch, journal_life.committed_seq,
      journal_life.doubted_seq, journal_life.overlap_from
    FROM machine LEFT JOIN journal_life
      ON journal_life.machine = machine.id AND journal_life.generation = machine.generation";

pub(super) fn find(tx: &Transaction<'_>, id: &MachineId) -> Result<Option<MachineRow>, StoreError> {
    let sql = format!("{SELECT_MACHINE} WHERE machine.id = ?1");
    let Some(mut row) = select_first(tx, &sql, [id.as_str()], read_machine)? else {
        return Ok(None);
    };
    let sql = "SELECT * FROM device WHERE machine = ?1 ORDER BY name";
    row.devices = select(tx, sql, [id.as_str()], read_device)?;
    Ok(Some(row))
}

pub(super) fn list(tx: &Transaction<'_>) -> Result<Vec<MachineRow>, StoreError> {
    let sql = format!("{SELECT_MACHINE} ORDER BY machine.id");
    let mut rows = select(tx, &sql, [], read_machine)?;
    let mut devices: BTreeMap<MachineId, Vec<DeviceRow>> = BTreeMap::new();
    let all = select(
        tx,
        "SELECT * FROM device ORDER BY machine, name",
        [],
        |row| Ok((row.parsed("machine")?, read_device(row)?)),
    )?;
    for (machine, device) in all {
        devices.entry(machine).or_default().push(device);
    }
    for row in &mut rows {
        row.devices = devices.remove(&row.id).unwrap_or_default();
    }
    Ok(rows)
}

fn read_machine(row: &Columns<'_, '_>) -> Result<MachineRow, StoreError> {
    let heartbeat: Option<String> = row.get("heartbeat")?;
    let heartbeat = heartbeat
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_ignored| StoreError::Corrupt { what: "heartbeat" })?;
    let committed_seq = row.maybe_count("committed_seq")?.unwrap_or(0);
    Ok(MachineRow {
        id: row.parsed("id")?,
        office: row.parsed("office")?,
        report_key: row.get("report_key")?,
        seal_to: SealTo {
            key_id: row.parsed("key_id")?,
            public_key: row.get("sealing_public_key")?,
        },
        certificate_serial: row.get("certificate_serial")?,
        enrolled_at: row.time("enrolled_at_ms")?,
        presence: Presence {
            is_online: row.get("is_online")?,
            online_changed_at: row.maybe_time("online_changed_at_ms")?,
            last_seen: row.maybe_time("last_seen_at_ms")?,
        },
        session_seq: row.count("session_seq")?,
        session_ceiling: row.count("session_ceiling")?,
        boot_id: row.get("boot_id")?,
        software: row.get("software")?,
        config_hash: row.get("config_hash")?,
        epoch: row.maybe_parsed("epoch")?,
        committed_seq,
        acked_seq: row
            .maybe_count("overlap_from")?
            .map_or(committed_seq, |from| from.saturating_sub(1)),
        is_in_doubt: row.maybe_count("doubted_seq")?.is_some(),
        last_command_seq: row.count("last_command_seq")?,
        lost_report_count: row.count("lost_report_count")?,
        journal_lost_count: row.count("journal_lost_count")?,
        heartbeat: heartbeat.zip(row.maybe_time("heartbeat_at_ms")?).map(
            |(heartbeat, received_at)| LastHeartbeat {
                heartbeat,
                received_at,
            },
        ),
        devices: Vec::new(),
    })
}

fn read_device(row: &Columns<'_, '_>) -> Result<DeviceRow, StoreError> {
    let reasons: String = row.get("reasons")?;
    let stock: Option<String> = row.get("stock")?;
    Ok(DeviceRow {
        device: row.get("name")?,
        state: row.get("state")?,
        reasons: serde_json::from_str(&reasons)
            .map_err(|_ignored| StoreError::Corrupt { what: "reasons" })?,
        model: row.get("model")?,
        machine_at: row.time("machine_at_ms")?,
        received_at: row.time("received_at_ms")?,
        stock: stock
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_ignored| StoreError::Corrupt { what: "stock" })?,
        stock_at: row.maybe_time("stock_at_ms")?,
        since: row.time("since_ms")?,
    })
}

pub(super) fn upsert(
    tx: &Transaction<'_>,
    record: &MachineRecord,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = run(
        tx,
        // On a repeated record nothing changes; a machine's own newer sealing key outlives its old record.
        "INSERT INTO machine (id, office, report_key, record_key_id, key_id, sealing_public_key,
            certificate_serial, enrolled_at_ms)
         VALUES (:id, :office, :report_key, :key_id, :key_id, :public_key, :serial, :enrolled_at)
         ON CONFLICT (id) DO UPDATE SET office = :office, report_key = :report_key,
            key_id = iif(record_key_id = :key_id, key_id, :key_id),
            sealing_public_key = iif(record_key_id = :key_id, sealing_public_key, :public_key),
            record_key_id = :key_id, certificate_serial = :serial, enrolled_at_ms = :enrolled_at
         WHERE office <> :office OR report_key <> :report_key OR record_key_id <> :key_id
            OR certificate_serial <> :serial OR enrolled_at_ms <> :enrolled_at",
        named_params! {
            ":id": record.machine.as_str(),
            ":office": record.office.as_str(),
            ":report_key": record.report_key.to_string(),
            ":key_id": record.key_id.to_string(),
            ":public_key": record.sealing_public_key,
            ":serial": record.certificate_serial,
            ":enrolled_at": record.enrolled_at.unix_ms(),
        },
    )?;
    if changed == 0 {
        return Ok(());
    }
    let note = Note::MachineRecorded {
        certificate_serial: record.certificate_serial.clone(),
        key_id: record.key_id.to_string(),
    };
    let about = About {
        job: None,
        machine: Some(&record.machine),
    };
    chain::append_note(tx, about, &Actor::central(), now, &note)
}

/// Takes the sealing key that a machine announced.
pub(super) fn set_sealing_key(
    tx: &Transaction<'_>,
    machine: &MachineId,
    seal_to: &SealTo,
) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE machine SET key_id = ?2, sealing_public_key = ?3 WHERE id = ?1",
        params![
            machine.as_str(),
            seal_to.key_id.to_string(),
            seal_to.public_key
        ],
    )?;
    Ok(())
}

/// The machine's present life of its journal; the default before it was ever heard.
pub(super) fn stream(tx: &Transaction<'_>, machine: &MachineId) -> Result<Stream, StoreError> {
    let row = find_bare(tx, machine)?.ok_or(StoreError::NoSuchMachine)?;
    if row.generation == 0 {
        return Ok(Stream::default());
    }
    let sql = "SELECT * FROM journal_life WHERE machine = ?1 AND generation = ?2";
    let generation = number("generation", row.generation)?;
    select_first(tx, sql, params![machine.as_str(), generation], read_stream)?.ok_or(
        StoreError::Corrupt {
            what: "journal_life",
        },
    )
}

/// The last life of the machine's journal under that epoch, present or past.
pub(super) fn stream_of_epoch(
    tx: &Transaction<'_>,
    machine: &MachineId,
    epoch: Epoch,
) -> Result<Option<Stream>, StoreError> {
    select_first(
        tx,
        "SELECT * FROM journal_life WHERE machine = ?1 AND epoch = ?2
         ORDER BY generation DESC LIMIT 1",
        params![machine.as_str(), epoch.to_string()],
        read_stream,
    )
}

fn read_stream(row: &Columns<'_, '_>) -> Result<Stream, StoreError> {
    Ok(Stream {
        epoch: Some(row.parsed("epoch")?),
        generation: row.count("generation")?,
        committed_seq: row.count("committed_seq")?,
    })
}

/// Saves a life of the machine's journal; one that is newer than the present becomes the present one.
pub(super) fn save_stream(
    tx: &Transaction<'_>,
    machine: &MachineId,
    stream: &Stream,
) -> Result<(), StoreError> {
    let Some(epoch) = stream.epoch else {
        return Ok(());
    };
    let generation = number("generation", stream.generation)?;
    run(
        tx,
        "INSERT INTO journal_life (machine, generation, epoch, committed_seq)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (machine, generation) DO UPDATE SET committed_seq = ?4",
        params![
            machine.as_str(),
            generation,
            epoch.to_string(),
            number("a report's seq", stream.committed_seq)?,
        ],
    )?;
    run(
        tx,
        "UPDATE machine SET generation = max(generation, ?2) WHERE id = ?1",
        params![machine.as_str(), generation],
    )?;
    Ok(())
}

/// Draws the machine's next command number; never given twice.
pub(super) fn draw_command_seq(
    tx: &Transaction<'_>,
    machine: &MachineId,
) -> Result<u64, StoreError> {
    select_first(
        tx,
        "UPDATE machine SET last_command_seq = last_command_seq + 1 WHERE id = ?1
         RETURNING last_command_seq",
        [machine.as_str()],
        |row| row.count("last_command_seq"),
    )?
    .ok_or(StoreError::NoSuchMachine)
}

/// Keeps command numbers above what the machine has seen, also where this store came back from a backup.
pub(super) fn raise_command_seq(
    tx: &Transaction<'_>,
    machine: &MachineId,
    seen_seq: u64,
) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE machine SET last_command_seq = max(last_command_seq, ?2) WHERE id = ?1",
        params![machine.as_str(), number("last_command_seq", seen_seq)?],
    )?;
    Ok(())
}

/// Adds to what is known to be lost.
pub(super) fn count_losses(
    tx: &Transaction<'_>,
    machine: &MachineId,
    lost_reports: u64,
    lost_journals: u32,
) -> Result<(), StoreError> {
    run(
        tx,
        "UPDATE machine SET lost_report_count = lost_report_count + ?2,
            journal_lost_count = journal_lost_count + ?3 WHERE id = ?1",
        params![
            machine.as_str(),
            number("lost reports", lost_reports)?,
            lost_journals
        ],
    )?;
    Ok(())
}

/// Between which moments a machine was last heard that is not offline: what is rung for another would lie at the broker.
/// A moment far ahead was noted by a clock that was wrong.
pub(super) fn heard_between(now: Timestamp) -> (i64, i64) {
    let from = now
        .saturating_sub(OFFLINE_AFTER)
        .unix_ms()
        .saturating_add(1);
    (from, now.saturating_add(SEEN_AHEAD_MAX).unix_ms())
}

/// Notes a sign of life. The present counts, also where a clock that was wrong noted a later one.
pub(super) fn seen(
    tx: &Transaction<'_>,
    machine: &MachineId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = run(
        tx,
        "UPDATE machine SET last_seen_at_ms = ?2 WHERE id = ?1",
        params![machine.as_str(), now.unix_ms()],
    )?;
    found(changed)
}

pub(super) fn record_heartbeat(
    tx: &Transaction<'_>,
    machine: &MachineId,
    heartbeat: &Heartbeat,
    now: Timestamp,
) -> Result<(), StoreError> {
    let bare = find_bare(tx, machine)?.ok_or(StoreError::NoSuchMachine)?;
    if bare.is_late(heartbeat.session_seq) {
        return Ok(());
    }
    // Devices have rows of their own, with the bounds of those.
    let troubles = heartbeat.troubles.iter().take(MAX_REASONS);
    let kept = Heartbeat {
        troubles: troubles.map(|trouble| cut(trouble)).collect(),
        devices: Vec::new(),
        ..heartbeat.clone()
    };
    run(
        tx,
        "UPDATE machine SET heartbeat = ?2, heartbeat_at_ms = ?3 WHERE id = ?1",
        params![machine.as_str(), json(&kept)?, now.unix_ms()],
    )?;
    for device in &heartbeat.devices {
        record_device(tx, machine, device, now)?;
    }
    seen(tx, machine, now)
}

/// Takes a device report; one more device than a machine can have is dropped.
pub(super) fn record_device(
    tx: &Transaction<'_>,
    machine: &MachineId,
    report: &DeviceReport,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reasons: Vec<_> = report
        .reasons
        .iter()
        .take(MAX_REASONS)
        .map(|reason| cut(reason))
        .collect();
    run(
        tx,
        "INSERT INTO device (machine, name, state, reasons, model, machine_at_ms, received_at_ms, since_ms)
         SELECT :machine, :name, :state, :reasons, :model, :machine_at, :now, :now
         WHERE (SELECT count(*) FROM device WHERE machine = :machine AND name <> :name) < :limit
         ON CONFLICT (machine, name) DO UPDATE SET model = :model, machine_at_ms = :machine_at,
            received_at_ms = :now,
            since_ms = iif(state = :state AND reasons = :reasons, since_ms, :now),
            state = :state, reasons = :reasons",
        named_params! {
            ":machine": machine.as_str(),
            ":name": cut(&report.device),
            ":state": cut(&report.state),
            ":reasons": json(&reasons)?,
            ":model": report.model.as_deref().map(cut),
            ":machine_at": report.at.unix_ms(),
            ":now": now.unix_ms(),
            ":limit": MAX_DEVICES,
        },
    )?;
    match &report.stock {
        Some(said) => stock::record(tx, (machine, &cut(&report.device)), said, now),
        // What it said last stands.
        None => Ok(()),
    }
}

/// Cuts a text to its bound and leaves out what could be a personal number.
pub(super) fn cut(text: &str) -> String {
    let mut kept = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if kept.len() + c.len_utf8() > MAX_WORD_BYTES {
            break;
        }
        kept.push(c);
    }
    if loket_wire::ids::has_long_number(&kept) {
        "(withheld)".to_owned()
    } else {
        kept
    }
}

pub(super) const fn found(changed: usize) -> Result<(), StoreError> {
    match changed {
        0 => Err(StoreError::NoSuchMachine),
        _changed => Ok(()),
    }
}
