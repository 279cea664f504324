//! What a printed page must look like, small enough to travel and fine enough to show one changed digit.
//!
//! The page at [`DPI`] in [`LEVELS`] shades, packed by an adaptive coder that knows each dot's neighbours
//! (docs/adr/0035, 0048). It shows the page: whoever holds it open holds personal data.

mod coder;
mod packed;

use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::num::float;
use crate::plane::Plane;
use crate::raster::Gray;

/// Dots an inch at which a page is rendered for its fingerprint.
pub const DPI: u16 = 150;

/// Shades of a dot, from bare paper to full ink.
pub const LEVELS: u8 = 6;

/// The largest byte form that is made or read; family cards take less than a quarter.
pub const MAX_BYTES: usize = 128 * 1024;

/// The longest side in dots: A3 at [`DPI`] has 2,481.
pub const MAX_SIDE: u16 = 2_700;

/// The shortest side in dots: 10 mm at [`DPI`].
pub const MIN_SIDE: u16 = 59;

/// Shows the page: no part of it is printed by `Debug`, and it is overwritten when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Fingerprint {
    width: u16,
    height: u16,
    /// One value below [`LEVELS`] a dot, row after row from the top left.
    dots: Vec<u8>,
}

/// Why there is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// Not rendered at [`DPI`].
    #[error("take the fingerprint: the page was not rendered at {DPI} dpi")]
    Resolution,
    /// The page is too small, too large, or its pixels do not fill it.
    #[error("take the fingerprint: the page's size")]
    Size,
    /// The page has more detail than [`MAX_BYTES`] can hold, as a photograph over all of it has.
    #[error("take the fingerprint: the page has too much detail")]
    TooDetailed,
    /// A byte form of a version that is not known here.
    #[error("read the fingerprint: its version is unknown")]
    Version,
    /// A byte form that was cut, lengthened or altered.
    #[error("read the fingerprint: it is malformed")]
    Malformed,
}

impl FingerprintError {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::Resolution,
        Self::Size,
        Self::TooDetailed,
        Self::Version,
        Self::Malformed,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Resolution => "R-201",
            Self::Size => "R-202",
            Self::TooDetailed => "R-203",
            Self::Version => "R-204",
            Self::Malformed => "R-205",
        }
    }

    /// What happened, what to do, whom to ask.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Resolution => {
                "Catatan cetak tidak dapat dibuat karena kesalahan program. Dokumen tetap boleh dicetak. Hubungi petugas TI."
            }
            Self::Size => {
                "Catatan cetak tidak dapat dibuat: ukuran halaman di luar batas (10 mm sampai A3). Minta dokumen dalam ukuran A4. Bila berulang, hubungi petugas TI."
            }
            Self::TooDetailed => {
                "Catatan cetak tidak dapat dibuat: halaman ini penuh gambar. Dokumen tetap boleh dicetak, tetapi kertasnya tidak dapat dicocokkan kelak. Bila ragu, hubungi petugas TI."
            }
            Self::Version => {
                "Catatan cetak dokumen ini dibuat oleh versi yang belum dikenal. Perbarui program, lalu ulangi. Hubungi petugas TI."
            }
            Self::Malformed => {
                "Catatan cetak dokumen ini rusak sehingga kertas tidak dapat dicocokkan. Periksa dokumen elektroniknya. Hubungi petugas TI."
            }
        }
    }
}

/// Takes the fingerprint of a page rendered at [`DPI`].
///
/// # Errors
/// [`FingerprintError::Resolution`], [`FingerprintError::Size`], [`FingerprintError::TooDetailed`].
pub fn of(page: &Gray) -> Result<Fingerprint, FingerprintError> {
    if page.dpi != Some(DPI) {
        return Err(FingerprintError::Resolution);
    }
    let side = |pixels: u32| {
        u16::try_from(pixels)
            .ok()
            .filter(|it| (MIN_SIDE..=MAX_SIDE).contains(it))
    };
    let (Some(width), Some(height)) = (side(page.width), side(page.height)) else {
        return Err(FingerprintError::Size);
    };
    if page.pixels.len() != dot_count(width, height) {
        return Err(FingerprintError::Size);
    }
    let dots = page.pixels.iter().map(|shade| level(*shade)).collect();
    let fingerprint = Fingerprint {
        width,
        height,
        dots,
    };
    if fingerprint.to_bytes().len() > MAX_BYTES {
        return Err(FingerprintError::TooDetailed);
    }
    Ok(fingerprint)
}

/// The nearest of [`LEVELS`] shades.
fn level(shade: u8) -> u8 {
    let ink = u16::from(255 - shade) * u16::from(LEVELS - 1);
    u8::try_from((ink + 127) / 255).unwrap_or_default()
}

fn dot_count(width: u16, height: u16) -> usize {
    usize::from(width).saturating_mul(usize::from(height))
}

impl Fingerprint {
    /// The size of the page in millimetres: width, height.
    #[must_use]
    pub fn size_mm(&self) -> (f32, f32) {
        let mm = |dots: u16| f32::from(dots) / f32::from(DPI) * 25.4;
        (mm(self.width), mm(self.height))
    }

    /// The versioned byte form; the same page gives the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        packed::packed(self)
    }

    /// Reads the byte form.
    ///
    /// # Errors
    /// [`FingerprintError::Version`], [`FingerprintError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FingerprintError> {
        packed::unpacked(bytes)
    }

    /// The page as it can be seen in [`LEVELS`] shades, at [`DPI`].
    #[must_use]
    pub fn picture(&self) -> Gray {
        let full = u16::from(LEVELS - 1);
        let shade = |dot: &u8| {
            let ink = u16::from(*dot).min(full) * 255 / full;
            255 - u8::try_from(ink).unwrap_or(u8::MAX)
        };
        Gray {
            width: self.width.into(),
            height: self.height.into(),
            pixels: self.dots.iter().map(shade).collect(),
            dpi: Some(DPI),
        }
    }

    /// Ink from 0 to 1.
    pub(crate) fn plane(&self) -> Plane {
        let full = f32::from(LEVELS - 1);
        Plane {
            width: usize::from(self.width),
            height: usize::from(self.height),
            data: self.dots.iter().map(|dot| f32::from(*dot) / full).collect(),
        }
    }

    /// Share of the page that has ink.
    #[must_use]
    pub fn ink_share(&self) -> f32 {
        let inked = self.dots.iter().filter(|dot| **dot > 0).count();
        float(inked) / float(self.dots.len().max(1))
    }
}

/// It shows persons: its size alone is told.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::compare::{CompareError, Reason};

    const KK: &[u8] = include_bytes!("../../../tests/fixtures/kk-sample-bb.pdf");

    fn card() -> Gray {
        crate::raster::render(KK, 0, DPI).unwrap()
    }

    #[test]
    fn a_family_card_travels_in_less_than_a_quarter_of_what_is_allowed() {
        let fingerprint = of(&card()).unwrap();
        let bytes = fingerprint.to_bytes();
        assert!(
            (8_000..MAX_BYTES / 4).contains(&bytes.len()),
            "{}",
            bytes.len()
        );
        assert!(Fingerprint::from_bytes(&bytes).unwrap() == fingerprint);
        assert_eq!(of(&card()).unwrap().to_bytes(), bytes);
        let (width, height) = fingerprint.size_mm();
        assert!(
            (width - 297.0).abs() < 0.5 && (height - 210.0).abs() < 0.5,
            "{width} {height}"
        );
    }

    #[test]
    fn what_is_no_page_of_ours_has_no_fingerprint() {
        assert_eq!(
            of(&Gray {
                dpi: Some(200),
                ..card()
            })
            .unwrap_err(),
            FingerprintError::Resolution
        );
        assert_eq!(
            of(&Gray { width: 9, ..card() }).unwrap_err(),
            FingerprintError::Size
        );
        let mut noise = card();
        let mut seed = 1_u32;
        for pixel in &mut noise.pixels {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *pixel = seed.to_be_bytes()[0];
        }
        assert_eq!(of(&noise).unwrap_err(), FingerprintError::TooDetailed);
    }

    #[test]
    fn a_fingerprint_tells_nothing_of_its_page_by_debug() {
        assert_eq!(
            format!("{:?}", of(&card()).unwrap()),
            "Fingerprint(1753 x 1240)"
        );
    }

    #[test]
    fn what_was_cut_lengthened_or_is_of_another_version_is_refused() {
        let bytes = of(&card()).unwrap().to_bytes();
        let refusal = |bytes: &[u8]| Fingerprint::from_bytes(bytes).unwrap_err();
        assert_eq!(
            refusal(&bytes[..bytes.len() - 1]),
            FingerprintError::Malformed
        );
        assert_eq!(refusal(&bytes[..8]), FingerprintError::Malformed);
        assert_eq!(
            refusal(&[bytes.as_slice(), &[0]].concat()),
            FingerprintError::Malformed
        );
        let mut newer = bytes.clone();
        newer[3] = 3;
        assert_eq!(refusal(&newer), FingerprintError::Version);
        let mut huge = bytes;
        huge[7..11].copy_from_slice(&[0xff; 4]);
        assert_eq!(refusal(&huge), FingerprintError::Malformed);
    }

    #[test]
    fn fuzz_fingerprints_no_bytes_panic_and_what_is_read_is_written_the_same() {
        let small = Gray {
            width: 90,
            height: 70,
            pixels: (0..6_300)
                .map(|at| u8::try_from(at % 256).unwrap())
                .collect(),
            dpi: Some(DPI),
        };
        let good = of(&small).unwrap().to_bytes();
        let mut taken = 0;
        loket_fuzz::fuzz("fingerprints", 3_000, &[&good], |bytes| {
            if let Ok(read) = Fingerprint::from_bytes(bytes) {
                taken += 1;
                assert_eq!(
                    Fingerprint::from_bytes(&read.to_bytes()).unwrap().dots,
                    read.dots
                );
            }
        });
        assert!(taken > 0, "no case was ever taken");
    }

    #[test]
    fn every_answer_of_this_crate_has_a_code_of_its_own_and_says_whom_to_ask() {
        let fingerprints = FingerprintError::ALL
            .iter()
            .map(|it| (it.code(), it.sentence()));
        let compares = CompareError::ALL
            .iter()
            .map(|it| (it.code(), it.sentence()));
        let reasons = Reason::ALL.iter().map(|it| (it.code(), it.sentence()));
        let all: Vec<_> = fingerprints.chain(compares).chain(reasons).collect();
        let codes: BTreeSet<_> = all.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(
            all.iter()
                .all(|(_, sentence)| sentence.to_lowercase().contains("hubungi"))
        );
    }
}
