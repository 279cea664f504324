//! In what shape a printer without PDF is given a document: chosen from what it says of itself, kept with the attempt, and
//! told to whatever draws the pages.

use serde::{Deserialize, Serialize};

/// The format of a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RasterFormat {
    /// PWG 5102.4.
    Pwg,
    /// AirPrint's.
    Urf,
}

impl RasterFormat {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pwg => "image/pwg-raster",
            Self::Urf => "image/urf",
        }
    }
}

/// The colours of a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RasterColours {
    /// 256 shades of grey.
    Gray,
    /// Red, green, blue, 256 of each.
    Rgb,
}

/// In what shape a printer without PDF is given a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RasterSetup {
    /// The format.
    pub format: RasterFormat,
    /// The colours.
    pub colours: RasterColours,
    /// Pixels an inch in both directions.
    pub resolution_dpi: u16,
    /// The next coarser ones that the printer takes: for a document whose raster would be too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coarser_dpi: Option<u16>,
}

impl RasterSetup {
    /// The same with the coarser pixels, where the printer has any.
    #[must_use]
    pub fn coarser(self) -> Option<Self> {
        Some(Self {
            resolution_dpi: self.coarser_dpi?,
            coarser_dpi: None,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_is_read_as_it_is_written() {
        let setup = RasterSetup {
            format: RasterFormat::Pwg,
            colours: RasterColours::Gray,
            resolution_dpi: 600,
            coarser_dpi: None,
        };
        let json = r#"{"format":"pwg","colours":"gray","resolution_dpi":600}"#;
        assert_eq!(serde_json::to_string(&setup).unwrap(), json);
        assert_eq!(serde_json::from_str::<RasterSetup>(json).unwrap(), setup);
        let both = r#"{"format":"pwg","colours":"gray","resolution_dpi":600,"coarser_dpi":300}"#;
        let both: RasterSetup = serde_json::from_str(both).unwrap();
        let coarse = both.coarser().unwrap();
        assert_eq!((coarse.resolution_dpi, coarse.coarser()), (300, None));
        assert_eq!(RasterFormat::Urf.media_type(), "image/urf");
    }
}
