//! Stock of devices in SQLite: what is left, and the readings and sheets of before.

use std::collections::BTreeMap;

use loket_domain::supply::{Printed, Reading};
use loket_wire::stock::Level;
use loket_wire::{MachineId, Stock, Timestamp};
use rusqlite::{Transaction, params};

use super::column::{json, run, select};
use super::machines::cut;
use crate::error::StoreError;
use crate::stock::{STOCK_KEPT, StockHistory};

/// Readings kept of one supply: ten a cartridge, so four cartridges with some between.
const READINGS_KEPT: u32 = 48;

/// Readings kept of one device, over all supplies that it ever named: sixteen are the most it can have at a time.
const DEVICE_READINGS_KEPT: u32 = 16 * READINGS_KEPT;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Takes what a device that has a row says it has left.
pub(super) fn record(
    tx: &Transaction<'_>,
    (machine, device): (&MachineId, &str),
    stock: &Stock,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stock = cleaned(stock);
    let changed = run(
        tx,
        "UPDATE device SET stock = ?3, stock_at_ms = ?4 WHERE machine = ?1 AND name = ?2",
        params![machine.as_str(), device, json(&stock)?, now.unix_ms()],
    )?;
    if changed == 0 {
        return Ok(());
    }
    for (key, supply) in stock.keyed() {
        put_reading(tx, (machine, device, &key), supply.level, now)?;
    }
    run(
        tx,
        "DELETE FROM stock_reading WHERE machine = ?1 AND device = ?2 AND at_ms <
            (SELECT at_ms FROM stock_reading WHERE machine = ?1 AND device = ?2
             ORDER BY at_ms DESC LIMIT 1 OFFSET ?3)",
        params![machine.as_str(), device, DEVICE_READINGS_KEPT],
    )?;
    Ok(())
}

/// A name or medium as printers say it is a text of the outside, as every other here.
fn cleaned(stock: &Stock) -> Stock {
    let mut stock = stock.clone().bounded();
    for supply in &mut stock.supplies {
        supply.name = supply.name.as_deref().map(cut);
    }
    for tray in &mut stock.trays {
        tray.name = tray.name.as_deref().map(cut);
        tray.media = tray.media.as_deref().map(cut);
    }
    stock
}

/// Of a level that stays, the first and the last reading say all; those between make room for older levels.
fn put_reading(
    tx: &Transaction<'_>,
    (machine, device, supply): (&MachineId, &str, &str),
    level: Level,
    now: Timestamp,
) -> Result<(), StoreError> {
    let level = i64::from(level);
    let last = select(
        tx,
        "SELECT at_ms, level FROM stock_reading WHERE machine = ?1 AND device = ?2 AND supply = ?3
         ORDER BY at_ms DESC LIMIT 2",
        params![machine.as_str(), device, supply],
        |row| Ok((row.get::<i64>("at_ms")?, row.get::<i64>("level")?)),
    )?;
    if let [(at_ms, last), (_, before)] = last.as_slice()
        && *last == level
        && *before == level
    {
        run(
            tx,
            "DELETE FROM stock_reading WHERE machine = ?1 AND device = ?2 AND supply = ?3 AND at_ms = ?4",
            params![machine.as_str(), device, supply, at_ms],
        )?;
    }
    run(
        tx,
        "INSERT INTO stock_reading (machine, device, supply, at_ms, level) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (machine, device, supply, at_ms) DO UPDATE SET level = ?5",
        params![machine.as_str(), device, supply, now.unix_ms(), level],
    )?;
    run(
        tx,
        "DELETE FROM stock_reading WHERE machine = ?1 AND device = ?2 AND supply = ?3 AND at_ms <=
            (SELECT at_ms FROM stock_reading WHERE machine = ?1 AND device = ?2 AND supply = ?3
             ORDER BY at_ms DESC LIMIT 1 OFFSET ?4)",
        params![machine.as_str(), device, supply, READINGS_KEPT],
    )?;
    Ok(())
}

/// Everything that forecasts rest on, by machine.
pub(super) fn histories(
    tx: &Transaction<'_>,
    now: Timestamp,
) -> Result<BTreeMap<MachineId, StockHistory>, StoreError> {
    let mut histories: BTreeMap<MachineId, StockHistory> = BTreeMap::new();
    let readings = select(
        tx,
        "SELECT * FROM stock_reading ORDER BY machine, device, supply, at_ms",
        [],
        |row| {
            let reading = Reading {
                at: row.time("at_ms")?,
                level: Level::from(row.get::<i64>("level")?),
            };
            let device: String = row.get("device")?;
            let supply: String = row.get("supply")?;
            Ok((row.parsed("machine")?, device, supply, reading))
        },
    )?;
    for (machine, device, supply, reading) in readings {
        let history = histories.entry(machine).or_default();
        let of_device = history.readings.entry(device).or_default();
        of_device.entry(supply).or_default().push(reading);
    }
    let from = now.saturating_sub(STOCK_KEPT).unix_ms() / DAY_MS;
    let days = select(
        tx,
        "SELECT * FROM sheet_day WHERE day >= ?1 ORDER BY machine, day",
        [from],
        |row| {
            let printed = Printed {
                at: row.time("last_at_ms")?,
                sheets: u32::try_from(row.count("sheets")?).unwrap_or(u32::MAX),
            };
            Ok((row.parsed("machine")?, printed))
        },
    )?;
    for (machine, printed) in days {
        histories.entry(machine).or_default().printed.push(printed);
    }
    Ok(histories)
}

/// Removes what is past its time, at most so many rows of each.
pub(super) fn drop_old(
    tx: &Transaction<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let before = now.saturating_sub(STOCK_KEPT).unix_ms();
    let readings = run(
        tx,
        "DELETE FROM stock_reading WHERE (machine, device, supply, at_ms) IN
            (SELECT machine, device, supply, at_ms FROM stock_reading WHERE at_ms < ?1 LIMIT ?2)",
        params![before, limit],
    )?;
    let days = run(
        tx,
        "DELETE FROM sheet_day WHERE (machine, day) IN
            (SELECT machine, day FROM sheet_day WHERE day < ?1 LIMIT ?2)",
        params![before / DAY_MS, limit],
    )?;
    Ok(readings.max(days))
}
