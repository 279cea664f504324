//! What a doubted sheet shows beside the record of what was printed, as pages and the command line tell it.

use loket_inspection::{Region, SheetVerdict};
use loket_wire::{JobId, MachineId};
use serde::{Deserialize, Serialize};

/// The answer on a sheet, as `loketd verify --paper --json` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperReport {
    /// The answer.
    pub verdict: SheetVerdict,
    /// Why it cannot be told: a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in Indonesian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The job that printed the sheet of the record.
    pub job_id: JobId,
    /// When central took its record, RFC 3339: minutes after the print where a link was there.
    pub printed_at: String,
    /// The machine that printed it.
    pub machine: MachineId,
    /// Which page of the document it is, from 1.
    pub page: u32,
    /// Where the sheet differs, the clearest first, at most twenty.
    pub regions: Vec<Region>,
}
