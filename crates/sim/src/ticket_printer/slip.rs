//! What came out of the printer: slips of text, codes and dots, and what a person would read on them.

use serde::{Deserialize, Serialize};

/// Font A: 12 by 24 dots.
pub(crate) const CHARACTER_DOTS: (u32, u32) = (12, 24);

/// Between the lines of font A are 6 dots.
pub(crate) const LINE_DOTS: u32 = 30;

/// A slip of ten metres is torn: what comes then is another one.
const MAX_ITEMS: usize = 4_096;

/// How characters look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// Times as wide, 1 to 8.
    pub width: u8,
    /// Times as high, 1 to 8.
    pub height: u8,
    /// Emphasised.
    pub bold: bool,
    /// White on black.
    pub reverse: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width: 1,
            height: 1,
            bold: false,
            reverse: false,
        }
    }
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

/// One thing on a slip, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Item {
    /// A line of text.
    Line {
        /// What is read.
        text: String,
        /// How it looks.
        style: Style,
        /// Where it stands.
        align: Align,
    },
    /// A code that the printer drew.
    Code {
        /// What it holds.
        payload: String,
        /// Dots of a module.
        module_dots: u8,
        /// Where it stands.
        align: Align,
    },
    /// Dots.
    Raster {
        /// Bytes of a row; the first dot is the highest bit.
        row_bytes: usize,
        /// Rows, one after the other.
        #[serde(skip)]
        dots: Vec<u8>,
    },
    /// White.
    Feed {
        /// Rows.
        dots: u32,
    },
}

impl Item {
    /// Rows of dots that it takes.
    pub(crate) fn height_dots(&self) -> u32 {
        match self {
            Self::Line { style, .. } => {
                let (_width, height) = CHARACTER_DOTS;
                height.saturating_mul(style.height.into()).max(LINE_DOTS)
            }
            Self::Code {
                payload,
                module_dots,
                ..
            } => {
                let modules = modules(payload).map_or(0, |rows| rows.len());
                u32::try_from(modules)
                    .unwrap_or(0)
                    .saturating_mul((*module_dots).into())
            }
            Self::Raster { row_bytes, dots } => {
                u32::try_from(dots.len().checked_div(*row_bytes).unwrap_or(0)).unwrap_or(u32::MAX)
            }
            Self::Feed { dots } => *dots,
        }
    }
}

/// The modules of a code, dark as true, as the printer draws them (model 2, level M).
pub(crate) fn modules(payload: &str) -> Option<Vec<Vec<bool>>> {
    let code = qrcode::QrCode::with_error_correction_level(payload, qrcode::EcLevel::M).ok()?;
    let colors = code.to_colors();
    let dark = |row: &[qrcode::Color]| row.iter().map(|it| *it == qrcode::Color::Dark).collect();
    Some(colors.chunks(code.width()).map(dark).collect())
}

/// One slip.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slip {
    /// What stands on it.
    pub items: Vec<Item>,
    /// True once it was cut off; the last slip of a printer mostly is not.
    pub is_cut: bool,
}

impl Slip {
    /// The lines a person reads, without blanks at their ends.
    #[must_use]
    pub fn text(&self) -> Vec<&str> {
        let lines = self.items.iter().filter_map(|item| match item {
            Item::Line { text, .. } => Some(text.trim()),
            Item::Code { .. } | Item::Raster { .. } | Item::Feed { .. } => None,
        });
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// What a telephone reads on it: codes that the printer drew, and those among its dots.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let mut codes = Vec::new();
        let mut bands: Option<(usize, Vec<u8>)> = None;
        for item in &self.items {
            match item {
                Item::Raster { row_bytes, dots } => match &mut bands {
                    Some((width, all)) if width == row_bytes => all.extend_from_slice(dots),
                    Some(_) | None => {
                        codes.extend(bands.replace((*row_bytes, dots.clone())).map(read_dots));
                    }
                },
                Item::Code { payload, .. } => codes.push(vec![payload.clone()]),
                Item::Line { .. } | Item::Feed { .. } => {}
            }
        }
        codes.extend(bands.map(read_dots));
        codes.into_iter().flatten().collect()
    }

    /// Rows of dots from its top to its end.
    #[must_use]
    pub fn height_dots(&self) -> u32 {
        self.items
            .iter()
            .fold(0, |sum, item| sum.saturating_add(item.height_dots()))
    }

    /// True where nothing stands on it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item, Item::Feed { .. }))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= MAX_ITEMS
    }
}

/// The codes among dots.
fn read_dots((row_bytes, dots): (usize, Vec<u8>)) -> Vec<String> {
    let luma: Vec<u8> = dots
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| if byte & (0x80 >> bit) == 0 { 255 } else { 0 }))
        .collect();
    let width = row_bytes.saturating_mul(8);
    let height = luma.len().checked_div(width).unwrap_or(0);
    let (Ok(width), Ok(height)) = (u32::try_from(width), u32::try_from(height)) else {
        return Vec::new();
    };
    let read = loket_qr::read(width, height, &luma, loket_qr::Effort::Page);
    let codes = read.map(|reading| reading.codes).unwrap_or_default();
    let text =
        |code: &loket_qr::Code| String::from_utf8_lossy(code.payload.as_bytes()).into_owned();
    codes.iter().map(text).collect()
}
