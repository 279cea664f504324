//! What is told of a sheet of paper.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Regions that are told; a person looks at the clearest.
pub const MAX_REGIONS: usize = 20;

/// Regions that are cut out: what fits on two screens.
pub const MAX_CUTS: usize = 6;

/// The longest answer about a sheet: two pictures of a page of 2 MB and twelve close-ups of 0.8, in base64; most have a
/// tenth of that.
pub const MAX_HELD_BYTES: usize = 18 * 1024 * 1024;

/// What became of a scan.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read<T> {
    /// This.
    Told(T),
    /// It is no scan that tells anything: a code of loket-paper.
    Unread(String),
    /// It shows so many sheets, and nobody said which one is meant.
    ManySheets(u32),
    /// A record that was given is none that is known here: a code of loket-paper.
    RecordBroken(String),
}

/// Whether a sheet shows what was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SheetVerdict {
    /// It does.
    Same,
    /// It does not.
    Different,
    /// It cannot be told.
    CannotTell,
}

/// What differs in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// What was printed is not there.
    Missing,
    /// What is there was not printed.
    Added,
    /// Both.
    Changed,
}

/// A rectangle in which the sheet differs; millimetres from the page's top left, whole tenths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Left edge.
    pub x_mm: f32,
    /// Top edge.
    pub y_mm: f32,
    /// From left to right.
    pub width_mm: f32,
    /// From top to foot.
    pub height_mm: f32,
    /// What differs there.
    pub kind: RegionKind,
}

/// A scan beside the record that it resembles most.
#[derive(Debug, Serialize, Deserialize)]
pub struct Held {
    /// Which of the records, from 0.
    pub record: usize,
    /// Which of its pages, from 1.
    pub page: u32,
    /// Whether it shows what was printed.
    pub verdict: SheetVerdict,
    /// Why it cannot be told: a code of loket-paper.
    pub code: Option<String>,
    /// Where it differs, the clearest first, at most [`MAX_REGIONS`].
    pub regions: Vec<Region>,
    /// What an eye compares, if that was asked.
    pub pictures: Option<SheetPictures>,
}

/// What an eye compares; base64. Personal data: wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct SheetPictures {
    /// JPEG: the sheet as it lies on the page, or as it was scanned where the page was not found in it, with marks.
    pub sheet: String,
    /// JPEG: the page as its record has it, with the same marks.
    pub record: String,
    /// The first regions, in their order.
    pub cuts: Vec<Cut>,
}

/// One region of both from near, laid over each other dot by dot; PNG in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Cut {
    /// On the sheet.
    pub sheet: String,
    /// As the record has it.
    pub record: String,
}

/// Pages hold everything that must stand in no log.
impl std::fmt::Debug for SheetPictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SheetPictures")
            .field("cut_count", &self.cuts.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cut(..)")
    }
}
