//! What a doubted sheet shows beside the record of what was printed, in the shape in which it crosses to a page, to the
//! command line and back from the process that compares.

use loket_wire::{JobId, MachineId};
use serde::{Deserialize, Serialize};

/// The answer on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperVerdict {
    /// It shows what was printed.
    Same,
    /// It does not.
    Different,
    /// It cannot be told.
    CannotTell,
}

/// What differs at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// What was printed is not there.
    Missing,
    /// What is there was not printed.
    Added,
    /// Both.
    Changed,
}

/// The answer on a sheet, as `loketd verify --paper --json` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaperReport {
    /// The answer.
    pub verdict: PaperVerdict,
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
    pub regions: Vec<Place>,
}

/// A rectangle in which the sheet differs; millimetres from the page's top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Left edge.
    pub x_mm: f32,
    /// Top edge.
    pub y_mm: f32,
    /// From left to right.
    pub width_mm: f32,
    /// From top to foot.
    pub height_mm: f32,
    /// What differs there.
    pub kind: PlaceKind,
}

/// Pictures of a sheet that differs; PNG in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetPictures {
    /// The scan with a frame around each place; empty where it is too large to be shown.
    pub sheet: String,
    /// The first places of the report, in its order.
    pub places: Vec<PlacePictures>,
}

/// One place, on the sheet and as it was printed, laid over each other dot by dot; PNG in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacePictures {
    /// On the sheet.
    pub sheet: String,
    /// As the record has it.
    pub printed: String,
}

/// Pages hold everything that must stand in no log.
impl std::fmt::Debug for SheetPictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SheetPictures")
            .field("place_count", &self.places.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PlacePictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlacePictures(..)")
    }
}
