//! The formats of a simulated printer, and how many sheets a document in one of them takes.

use serde::{Deserialize, Serialize};

use super::pages;
use crate::raster;

/// A document format; in JSON and on the command line its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// PDF.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// PWG raster.
    #[serde(rename = "image/pwg-raster")]
    Pwg,
    /// AirPrint's raster.
    #[serde(rename = "image/urf")]
    Urf,
    /// A picture.
    #[serde(rename = "image/jpeg")]
    Jpeg,
}

impl Format {
    /// What printers of offices take at best.
    pub(crate) const USUAL: [Self; 3] = [Self::Pdf, Self::Pwg, Self::Urf];

    const ALL: [Self; 4] = [Self::Pdf, Self::Pwg, Self::Urf, Self::Jpeg];

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Pwg => "image/pwg-raster",
            Self::Urf => "image/urf",
            Self::Jpeg => "image/jpeg",
        }
    }

    pub(crate) fn of(media_type: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| it.media_type() == media_type)
    }

    /// What a document is by its first bytes, where nobody says.
    pub(crate) fn sniffed(document: &[u8]) -> Self {
        let starts: [(&[u8], Self); 3] = [
            (b"RaS2", Self::Pwg),
            (b"UNIRAST\0", Self::Urf),
            (b"\xff\xd8\xff", Self::Jpeg),
        ];
        let known = starts
            .into_iter()
            .find(|(start, _)| document.starts_with(start));
        known.map_or(Self::Pdf, |(_, format)| format)
    }

    /// The sheets that a document takes, one a page; none where it is not what it is said to be. A PDF is looked through
    /// for pages and believed for the rest.
    pub(crate) fn sheets(self, document: &[u8]) -> Option<u32> {
        match self {
            Self::Pdf => Some(pages::sheets(document)),
            Self::Pwg | Self::Urf if Self::sniffed(document) == self => {
                raster::count(document).ok()
            }
            Self::Jpeg if Self::sniffed(document) == self => Some(1),
            Self::Pwg | Self::Urf | Self::Jpeg => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_not_what_it_is_said_to_be_takes_no_sheet() {
        assert_eq!(Format::Pwg.sheets(b"%PDF-1.7"), None);
        assert_eq!(Format::Pwg.sheets(b"RaS2 and no more"), None);
        assert_eq!(Format::Urf.sheets(b"RaS2"), None);
        assert_eq!(Format::Jpeg.sheets(b"\xff\xd8\xff\xe0"), Some(1));
        assert_eq!(Format::Pdf.sheets(b"%PDF-1.7"), Some(1));
        for format in Format::ALL {
            let json = serde_json::to_value(format).unwrap();
            assert_eq!(json, format.media_type());
            assert_eq!(Format::of(format.media_type()), Some(format));
        }
    }
}
