//! What devices had left over time, and what was printed meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use loket_domain::supply::{Printed, Reading};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Readings and counts of sheets stay so long: a cartridge that lasts for a year has its cycle in them.
pub const STOCK_KEPT: Duration = DAY.saturating_mul(400);

/// What a forecast of one machine's supplies rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StockHistory {
    /// Levels by device and by the supply's key ([`loket_wire::Stock::keyed`]), oldest first.
    pub readings: BTreeMap<String, BTreeMap<String, Vec<Reading>>>,
    /// Sheets that the machine printed, a day each.
    pub printed: Vec<Printed>,
}
