//! What stands on a page. Lengths are points (1/72 inch), from the upper left corner.

use super::face::Weight;

/// A4, ISO 216.
pub(super) const PAGE_WIDTH: f32 = 595.28;
/// The same.
pub(super) const PAGE_HEIGHT: f32 = 841.89;

/// One thing on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A line of words, by its left end and base line.
    Words {
        x: f32,
        y: f32,
        size: f32,
        weight: Weight,
        text: String,
    },
    /// A line.
    Rule {
        x: f32,
        y: f32,
        width: f32,
        thickness: f32,
    },
    /// A grey area.
    Fill {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
    },
    /// An area of one ink, as dark as it gets.
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        ink: Ink,
    },
}

/// An ink of a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Cyan,
    Magenta,
    Yellow,
    Black,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
}
