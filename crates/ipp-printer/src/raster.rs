//! What a printer says about the rasters that it takes.

use ipp::attribute::IppAttributeGroup;
use ipp::value::IppValue;

use crate::attributes::{boolean, text, texts, values};

/// `units` of a resolution: dots an inch (RFC 8011 section 5.1.16).
const DOTS_PER_INCH: i8 = 3;

/// More resolutions than a printer has; what it lists beyond is left out.
const MAX_RESOLUTIONS: usize = 32;

/// What a printer says about the rasters that it takes, in both dialects.
///
/// # Source
/// `pwg-raster-document-…`: PWG 5102.4 section 7. `urf-supported`: AirPrint, as CUPS reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rasters {
    /// `color-supported`.
    pub is_colour: Option<bool>,
    /// `pwg-raster-document-resolution-supported` where it is the same in both directions, in dots an inch, ascending.
    pub pwg_resolutions_dpi: Vec<u16>,
    /// `pwg-raster-document-type-supported`, for instance `sgray_8`.
    pub pwg_types: Vec<String>,
    /// `pwg-raster-document-sheet-back`: how the back of a sheet is wanted.
    pub pwg_sheet_back: Option<String>,
    /// The resolutions of `urf-supported` (`RS300-600`), in dots an inch, ascending.
    pub urf_resolutions_dpi: Vec<u16>,
    /// The other words of `urf-supported`, for instance `W8` and `SRGB24`.
    pub urf_words: Vec<String>,
}

impl Rasters {
    pub(crate) fn read(group: &IppAttributeGroup) -> Self {
        let resolutions = values(group, "pwg-raster-document-resolution-supported");
        let mut urf_words = texts(group, "urf-supported");
        let urf_resolutions = urf_words.iter().find_map(|word| urf_resolutions(word));
        urf_words.retain(|word| urf_resolutions_of(word).is_none());
        Self {
            is_colour: boolean(group, "color-supported"),
            pwg_resolutions_dpi: ascending(resolutions.iter().filter_map(square_dpi).collect()),
            pwg_types: texts(group, "pwg-raster-document-type-supported"),
            pwg_sheet_back: text(group, "pwg-raster-document-sheet-back"),
            urf_resolutions_dpi: ascending(urf_resolutions.unwrap_or_default()),
            urf_words,
        }
    }
}

fn ascending(mut resolutions: Vec<u16>) -> Vec<u16> {
    resolutions.sort_unstable();
    resolutions.dedup();
    resolutions.truncate(MAX_RESOLUTIONS);
    resolutions
}

fn square_dpi(value: &IppValue) -> Option<u16> {
    if let IppValue::Resolution {
        cross_feed,
        feed,
        units: DOTS_PER_INCH,
    } = value
        && cross_feed == feed
    {
        return u16::try_from(*feed).ok();
    }
    None
}

/// What follows `RS`, where a number does: other words may begin so, too.
fn urf_resolutions_of(word: &str) -> Option<&str> {
    let numbers = word.strip_prefix("RS")?;
    numbers
        .starts_with(|letter: char| letter.is_ascii_digit())
        .then_some(numbers)
}

fn urf_resolutions(word: &str) -> Option<Vec<u16>> {
    let numbers = urf_resolutions_of(word)?.split('-');
    Some(numbers.flat_map(str::parse).collect())
}

#[cfg(test)]
mod tests {
    use ipp::attribute::IppAttribute;
    use ipp::model::DelimiterTag;

    use super::*;

    fn group(attributes: Vec<(&str, IppValue)>) -> IppAttributeGroup {
        let mut group = IppAttributeGroup::new(DelimiterTag::PrinterAttributes);
        for (name, value) in attributes {
            let attribute = IppAttribute::with_name(name, value).unwrap();
            group.attributes_mut().push(attribute);
        }
        group
    }

    fn keywords(words: &[&str]) -> IppValue {
        let keyword = |word: &&str| IppValue::new_keyword(*word).unwrap();
        IppValue::Array(words.iter().map(keyword).collect())
    }

    fn resolution(cross_feed: i32, feed: i32, units: i8) -> IppValue {
        IppValue::Resolution {
            cross_feed,
            feed,
            units,
        }
    }

    #[test]
    fn what_a_printer_says_of_its_rasters_is_read_in_both_dialects() {
        let all = [
            resolution(600, 600, 3),
            resolution(300, 300, 3),
            resolution(600, 1_200, 3),
            resolution(118, 118, 4),
            resolution(-1, -1, 3),
        ];
        let rasters = Rasters::read(&group(vec![
            ("color-supported", IppValue::Boolean(true)),
            (
                "pwg-raster-document-resolution-supported",
                IppValue::Array(all.to_vec()),
            ),
            (
                "pwg-raster-document-type-supported",
                keywords(&["sgray_8", "srgb_8"]),
            ),
            (
                "pwg-raster-document-sheet-back",
                IppValue::new_keyword("rotated").unwrap(),
            ),
            (
                "urf-supported",
                keywords(&["CP1", "W8", "SRGB24", "RS600-300-x", "V1.4", "RSX"]),
            ),
        ]));
        assert_eq!(rasters.is_colour, Some(true));
        assert_eq!(rasters.pwg_resolutions_dpi, [300, 600]);
        assert_eq!(rasters.pwg_types, ["sgray_8", "srgb_8"]);
        assert_eq!(rasters.pwg_sheet_back.as_deref(), Some("rotated"));
        assert_eq!(rasters.urf_resolutions_dpi, [300, 600]);
        assert_eq!(rasters.urf_words, ["CP1", "W8", "SRGB24", "V1.4", "RSX"]);
        assert_eq!(Rasters::read(&group(Vec::new())), Rasters::default());
    }
}
