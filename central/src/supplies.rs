//! What devices have left and how long that lasts: the store's rows, put to the pure forecast of `loket_domain::supply`.
//!
//! The levels shown are those of the last report; the readings and sheets of before are read once a minute at most,
//! because a page is asked for every second and days do not pass in one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loket_domain::core::Now;
use loket_domain::supply::{self, Forecast, Reading};
use loket_store::{DeviceRow, MachineRow, StockHistory, Store, StoreError};
use loket_wire::stock::{Band, Supply, SupplyKind, Tray};
use loket_wire::{MachineId, Timestamp};

/// How old the readings may be that a forecast rests on, beside the newest ones.
const HISTORIES_KEPT: Duration = Duration::from_secs(60);

/// Histories by machine.
pub(crate) type Histories = BTreeMap<MachineId, StockHistory>;

/// Keeps what forecasts rest on for a while.
#[derive(Debug, Default)]
pub(crate) struct SupplyDesk {
    kept: Mutex<Option<(Timestamp, Arc<Histories>)>>,
}

impl SupplyDesk {
    /// What forecasts rest on. Blocks.
    pub(crate) fn histories(
        &self,
        store: &dyn Store,
        at: Timestamp,
    ) -> Result<Arc<Histories>, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read_at, histories)) = kept.as_ref()
            && at >= *read_at
            && at < read_at.saturating_add(HISTORIES_KEPT)
        {
            return Ok(Arc::clone(histories));
        }
        let histories = Arc::new(store.stock_histories(at)?);
        *kept = Some((at, Arc::clone(&histories)));
        Ok(histories)
    }
}

/// A supply or tray with its forecast.
#[derive(Debug)]
pub(crate) struct Left<T> {
    pub(crate) what: T,
    pub(crate) band: Band,
    pub(crate) forecast: Forecast,
    /// Whether it is ordered somewhere: a tray is filled by whoever stands beside it, and a waste box by printing.
    pub(crate) is_ordered: bool,
    /// Whether it must be ordered, or should have been.
    pub(crate) must_order: bool,
}

/// What a device has left.
#[derive(Debug)]
pub(crate) struct DeviceLeft {
    pub(crate) told_at: Timestamp,
    pub(crate) supplies: Vec<Left<Supply>>,
    pub(crate) trays: Vec<Left<Tray>>,
}

impl DeviceLeft {
    /// Of a device that ever told of it.
    pub(crate) fn of(
        row: &MachineRow,
        device: &DeviceRow,
        histories: &Histories,
        at: Timestamp,
    ) -> Option<Self> {
        let (stock, told_at) = device.stock.as_ref().zip(device.stock_at)?;
        let history = histories.get(&row.id);
        let now = Now {
            wall: at,
            trusted: true,
            floor: at,
        };
        // Which printer a job left is not told: with several, sheets belong to none of them.
        let tells = row.devices.iter().filter(|device| device.stock.is_some());
        let is_only_one = tells.count() == 1;
        let printed = history
            .map(|history| history.printed.as_slice())
            .filter(|_printed| is_only_one);
        let of_device = history.and_then(|history| history.readings.get(&device.device));
        let supplies = stock.keyed().into_iter().map(|(key, supply)| {
            let before = of_device.and_then(|readings| readings.get(&key));
            let mut readings = before.cloned().unwrap_or_default();
            readings.push(Reading {
                at: told_at,
                level: supply.level,
            });
            let forecast = supply::supply(now, &readings, printed);
            let is_ordered = supply.kind != SupplyKind::Waste;
            Left {
                band: supply.band(),
                is_ordered,
                must_order: is_ordered && forecast.must_order(now),
                forecast,
                what: supply.clone(),
            }
        });
        let trays = stock.trays.iter().map(|tray| {
            let reading = Reading {
                at: told_at,
                level: tray.level,
            };
            Left {
                band: tray.band(),
                is_ordered: false,
                must_order: false,
                forecast: supply::tray(now, reading, printed),
                what: tray.clone(),
            }
        });
        Some(Self {
            told_at,
            supplies: supplies.collect(),
            trays: trays.collect(),
        })
    }
}
