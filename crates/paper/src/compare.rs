//! Whether a scanned sheet shows what was printed.
//!
//! ```text
//! scan ─> ink: paper becomes 0, black 1 ─> coarse: which way up, askew, where ─> follow: blocks, then tiles ─> flat
//! fingerprint ─> ink as this printer and this scanner show it (expect) ──────────────────────────> judge ─> regions
//! ```
//!
//! What is looked at: the rectangle around everything that the page prints, and 3 mm around it. Holes, staples and notes
//! further out are no part of the document. Inside, a stamp or a note is ink that was not printed, and is told.

mod close_up;
mod coarse;
mod expect;
mod follow;
mod ink;
mod judge;
mod nearest;
mod rules;
mod show;
mod solve;
mod warp;

use thiserror::Error;

pub use close_up::{close_up, close_up_printed};
pub use nearest::nearest;
pub use show::{laid, marked};

use crate::fingerprint::{self, Fingerprint};
use crate::num::{count, float};
use crate::plane::Plane;
use crate::raster::{Gray, MAX_PIXELS};
use warp::{Elsewhere, Warp};

/// [`fingerprint::DPI`], for lengths.
const DPI: f32 = 150.0;

/// Dots a millimetre of fingerprints, and of all that is compared here.
const DOTS_PER_MM: f32 = DPI / 25.4;

/// Digits of family cards are 1.8 mm high: below this many dots a millimetre (100 dpi) they are not told apart.
const MIN_SCAN_DOTS_PER_MM: f32 = 100.0 / 25.4;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was printed is on the sheet, and nothing else.
    Same,
    /// Something is missing, added or changed, in the regions told.
    Different,
    /// Not to be told from this scan.
    CannotTell(Reason),
}

/// Why a scan tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no ink to speak of: blank, or laid face down.
    Blank,
    /// The page was not found in it: another document, or too askew.
    NotFound,
    /// Too coarse, too noisy or too blurred to tell digits apart.
    Unclear,
    /// The document did not bring its fonts along: an honest sheet of it may look different too. Told by who knows the
    /// document, not by [`scan`].
    Fonts,
}

/// What differs in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Printed ink is not on the sheet.
    Missing,
    /// Ink on the sheet was not printed.
    Added,
    /// Both, as where one digit stands for another.
    Changed,
}

/// A rectangle of the page in which it differs; millimetres from the page's top left.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x_mm: f32,
    /// Top edge.
    pub y_mm: f32,
    /// From left to right.
    pub width_mm: f32,
    /// From top to foot.
    pub height_mm: f32,
    /// How far beyond doubt: 1 is where a difference begins to count.
    pub score: f32,
    /// What differs.
    pub kind: Kind,
}

/// How well the scan could be laid over the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Share of the page's printed tiles that look as expected, from 0 to 1.
    pub matched: f32,
    /// Standard deviation of the scan's noise, as a share of full ink.
    pub noise: f32,
}

/// The answer, with what it rests on.
#[derive(Clone)]
pub struct Comparison {
    /// The answer.
    pub verdict: Verdict,
    /// Where the sheet differs, the clearest first, at most [`MAX_REGIONS`].
    pub regions: Vec<Region>,
    /// How well the scan could be read; zeros where the page was not found.
    pub quality: Quality,
    /// Where the page lies in the scan, for drawing.
    place: Option<Place>,
}

/// More regions than an officer looks at.
pub const MAX_REGIONS: usize = 200;

/// The page's way into the scan's own pixels.
#[derive(Clone)]
struct Place {
    warp: Warp,
    factor: f32,
}

/// Where the sheet shows whom is not told by `Debug`.
impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (regions, quality) = (self.regions.len(), self.quality);
        write!(
            f,
            "Comparison({:?}, {regions} regions, {quality:?})",
            self.verdict
        )
    }
}

/// Why nothing was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The scan has no pixels, too many, or not as many as its sides say.
    #[error("compare the scan: its pixels do not fill it")]
    Shape,
    /// The scan has so few pixels that digits cannot be told apart.
    #[error("compare the scan: it is too coarse")]
    TooCoarse,
}

impl CompareError {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 2] = [Self::Shape, Self::TooCoarse];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Shape => "R-301",
            Self::TooCoarse => "R-302",
        }
    }

    /// What happened, what to do, whom to ask.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Shape => {
                "Hasil pindaian tidak utuh. Pindai ulang kertasnya. Bila berulang, hubungi petugas TI."
            }
            Self::TooCoarse => {
                "Hasil pindaian terlalu kasar untuk dicocokkan. Pindai ulang dengan 200 dpi atau lebih. Bila berulang, hubungi petugas TI."
            }
        }
    }
}

impl Reason {
    /// Every one, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Blank, Self::NotFound, Self::Unclear, Self::Fonts];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "R-401",
            Self::NotFound => "R-402",
            Self::Unclear => "R-403",
            Self::Fonts => "R-404",
        }
    }

    /// What happened, what to do, whom to ask.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Blank => {
                "Kertas yang dipindai tampak kosong. Balik kertasnya, lalu pindai ulang. Bila berulang, hubungi petugas TI."
            }
            Self::NotFound => {
                "Kertas ini tidak dapat dicocokkan: mungkin dokumen lain, atau letaknya terlalu miring. Luruskan dan pindai ulang. Bila tetap begitu, anggap belum dapat dipastikan dan hubungi dinas penerbit."
            }
            Self::Unclear => {
                "Hasil pindaian kurang jelas untuk dicocokkan. Bersihkan kaca pemindai, pindai ulang dengan 200 dpi. Bila berulang, hubungi petugas TI."
            }
            Self::Fonts => {
                "Dokumen aslinya tidak memuat hurufnya sendiri, sehingga kertas yang asli pun dapat tampak lain. Anggap belum dapat dipastikan; periksa dokumen elektroniknya. Bila ragu, hubungi dinas penerbit."
            }
        }
    }
}

/// Lays the scan over what was printed and tells where they differ.
///
/// Shape: the scan may lie any way up, be up to 15° askew, cut or with the scanner's lid around it; 100 dpi at least, 200
/// for what the figures of BENCHMARKS.md say.
///
/// # Errors
/// [`CompareError`].
pub fn scan(fingerprint: &Fingerprint, scan: &Gray) -> Result<Comparison, CompareError> {
    let pixels = u64::from(scan.width).saturating_mul(u64::from(scan.height));
    if pixels == 0
        || pixels > u64::from(MAX_PIXELS)
        || u64::try_from(scan.pixels.len()) != Ok(pixels)
    {
        return Err(CompareError::Shape);
    }
    let (width_mm, height_mm) = fingerprint.size_mm();
    let densities = densities(scan, width_mm.max(height_mm), width_mm.min(height_mm));
    if densities.iter().all(|it| *it < MIN_SCAN_DOTS_PER_MM) {
        return Err(CompareError::TooCoarse);
    }
    let page = fingerprint.plane();
    let mut answer = cannot_tell(Reason::NotFound);
    for density in densities {
        match laid_over(&page, scan, density) {
            Ok(comparison) => return Ok(comparison),
            Err(reason) => answer = cannot_tell(reason),
        }
    }
    Ok(answer)
}

fn cannot_tell(reason: Reason) -> Comparison {
    let quality = Quality {
        matched: 0.0,
        noise: 0.0,
    };
    Comparison {
        verdict: Verdict::CannotTell(reason),
        regions: Vec::new(),
        quality,
        place: None,
    }
}

/// Dots a millimetre that the scan may have: as its file says, and as if the page filled it.
fn densities(scan: &Gray, long_mm: f32, short_mm: f32) -> Vec<f32> {
    let side = |pixels: u32| float(usize::try_from(pixels).unwrap_or_default());
    let (long, short) = (
        side(scan.width.max(scan.height)),
        side(scan.width.min(scan.height)),
    );
    let filled = ((long / long_mm) * (short / short_mm)).sqrt();
    let said = scan.dpi.map(|dpi| f32::from(dpi) / 25.4);
    let near = |one: f32| (one / filled - 1.0).abs() < 0.05;
    said.filter(|it| !near(*it))
        .into_iter()
        .chain([said.filter(|it| near(*it)).unwrap_or(filled)])
        .collect()
}

fn laid_over(page: &Plane, scan: &Gray, density: f32) -> Result<Comparison, Reason> {
    let dark = ink::darkness(scan, density);
    // A finer scan is made about as fine as the page is; noise goes with it.
    let factor = count(density / DOTS_PER_MM).max(1);
    // Dots are picked between those of the scan: what is finer than its dots would come out by chance.
    let sharp = dark.reduced(factor);
    let dark = sharp.blurred(PICKING_BLUR);
    let is_drawn = ink::is_drawn(&sharp);
    let density = density / float(factor);
    let inked = dark.data.iter().filter(|it| **it > ink::INK).count();
    if float(inked) < float(dark.data.len()) * MIN_INK_SHARE {
        return Err(Reason::Blank);
    }
    let small_page = resized(page, DOTS_PER_MM / coarse::DOTS_PER_MM);
    let small_scan = resized(&dark, density / coarse::DOTS_PER_MM);
    let (affine, _likeness) = coarse::locate(&small_page, &small_scan).ok_or(Reason::NotFound)?;
    let ratios = (
        DOTS_PER_MM / coarse::DOTS_PER_MM,
        density / coarse::DOTS_PER_MM,
    );
    let warp = Warp::of(&affine, (page.width, page.height), ratios.0, ratios.1);
    let mut warp = follow::follow(page, &dark, warp);
    let printed = expect::Printed::of(page);
    let rules = rules::mask(page);
    let lay = |warp: &Warp, elsewhere| warp.flattened(&dark, printed.near(), elsewhere);
    let mut flat = lay(&warp, Elsewhere::Bare);
    let mut expected = expect::expected(&printed, &flat, None);
    for step in TILES {
        warp = follow::settled(&expected, &flat, &rules, &warp, step);
        flat = lay(&warp, Elsewhere::Bare);
    }
    // Fitted anew now that edges lie on each other.
    for _ in 0..2 {
        expected = expect::expected(&printed, &flat, Some(&expected));
    }
    warp = follow::settled(&expected, &flat, &rules, &warp, LAST_TILE);
    flat = lay(&warp, Elsewhere::Plain);
    let judged = judge::judge(page, &rules, &expected, &flat, is_drawn);
    let verdict = match judged.doubt {
        Some(reason) => Verdict::CannotTell(reason),
        None if judged.regions.is_empty() => Verdict::Same,
        None => Verdict::Different,
    };
    let place = Some(Place {
        warp,
        factor: float(factor),
    });
    Ok(Comparison {
        verdict,
        regions: judged.regions,
        quality: judged.quality,
        place,
    })
}

/// Sides in dots of the tiles that are moved by parts of a dot, from round to round: a word, then half a word.
const TILES: [usize; 2] = [36, 18];
const LAST_TILE: usize = 18;

/// Standard deviation, in dots of the scan: less than any scanner's optics blur.
const PICKING_BLUR: f32 = 0.5;

/// Fewer inked dots than a heading has.
const MIN_INK_SHARE: f32 = 0.0005;

/// `ratio` times as coarse, each dot the mean of what it covers.
fn resized(picture: &Plane, ratio: f32) -> Plane {
    let whole = count(ratio - 0.25).max(1);
    let reduced = picture.reduced(whole);
    let rest = ratio / float(whole);
    let side = |dots: usize| count(float(dots) / rest).max(1);
    Plane::drawn(side(reduced.width), side(reduced.height), |x, y| {
        reduced.sample((float(x) + 0.5) * rest - 0.5, (float(y) + 0.5) * rest - 0.5)
    })
}

const _: () = assert!(fingerprint::DPI == 150, "DPI says so too");
