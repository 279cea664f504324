//! How often a changed digit is found and an unchanged sheet suspected, over simulated prints and scans.
//!
//! ```text
//! cargo run -p loket-paper --example rates -- FIRST_SEED COUNT hayro|poppler
//! ```
//!
//! One line a pair of scans, then the rates; `poppler` prints sheets as pdftoppm (poppler-utils) draws them.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program for a terminal, which starts poppler and threads"
)]

use std::error::Error;
use std::io::Write as _;
use std::process::{Command, Stdio};

use loket_paper::compare::{self, Comparison, Verdict};
use loket_paper::fingerprint::{self, Fingerprint};
use loket_paper::raster::{self, Gray};
use loket_sim::paper::{self, PRINT_DPI, SCAN_DPI, Sheet, Way, card};

const KK: &[u8] = include_bytes!("../../../tests/fixtures/kk-embedded-unsigned.pdf");

/// Scans at once.
const THREADS: u64 = 4;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What one pair of scans said.
struct Pair {
    same: Verdict,
    is_found: bool,
    size_pt: f32,
    has_fold: bool,
}

fn main() -> Answer<()> {
    let mut words = std::env::args().skip(1);
    let first: u64 = words.next().unwrap_or_default().parse()?;
    let count: u64 = words.next().unwrap_or_default().parse()?;
    let is_poppler = words.next().as_deref() == Some("poppler");
    let fingerprint = fingerprint::of(&raster::render(KK, 0, fingerprint::DPI)?)?;
    println!("fingerprint: {} bytes", fingerprint.to_bytes().len());
    let clean = printed(KK, is_poppler)?;
    let mut pairs = Vec::new();
    std::thread::scope(|scope| -> Answer<()> {
        let mut runs = Vec::new();
        for thread in 0..THREADS {
            let (fingerprint, clean) = (&fingerprint, &clean);
            let seeds = (first..first + count).filter(move |seed| seed % THREADS == thread);
            runs.push(scope.spawn(move || {
                seeds
                    .map(|seed| pair(fingerprint, clean, seed, is_poppler))
                    .collect::<Answer<Vec<_>>>()
            }));
        }
        for run in runs {
            pairs.extend(run.join().map_err(|_panic| "a thread panicked")??);
        }
        Ok(())
    })?;
    tell("all", &pairs, |_| true);
    for size in [6.0, 7.0, 8.0, 8.5, 13.0] {
        tell(&format!("digits of {size} pt"), &pairs, |pair| {
            (pair.size_pt - size).abs() < 0.1
        });
    }
    tell("folded", &pairs, |pair| pair.has_fold);
    tell("not folded", &pairs, |pair| !pair.has_fold);
    Ok(())
}

fn tell(name: &str, pairs: &[Pair], of: impl Fn(&Pair) -> bool) {
    let chosen: Vec<&Pair> = pairs.iter().filter(|pair| of(pair)).collect();
    let found = chosen.iter().filter(|pair| pair.is_found).count();
    let suspected = chosen
        .iter()
        .filter(|pair| pair.same == Verdict::Different)
        .count();
    let unsure = chosen
        .iter()
        .filter(|pair| matches!(pair.same, Verdict::CannotTell(_)))
        .count();
    println!(
        "{name}: found {found} of {n}, suspected {suspected} of {n}, unsure {unsure} of {n}",
        n = chosen.len()
    );
}

/// Scans the page as it was printed, then with one digit changed.
fn pair(fingerprint: &Fingerprint, clean: &Sheet, seed: u64, is_poppler: bool) -> Answer<Pair> {
    let way = Way::ordinary(seed);
    let same = compare::scan(fingerprint, &scan(clean, &way, seed)?)?;
    let digits = card::digits(KK);
    let at = usize::try_from(seed * 7_919)? % digits.len();
    let digit = *digits.get(at).ok_or("no digits")?;
    let value = (digit.value + 1 + u8::try_from(seed % 9)?) % 10;
    let changed = printed(&card::with_digit(KK, digit, value), is_poppler)?;
    let spot = spot(clean, &changed);
    let different = compare::scan(fingerprint, &scan(&changed, &way, seed)?)?;
    let hit = hit(&different, spot);
    let highest = same.regions.first();
    println!(
        "{seed}: unchanged {:?} {:.2} {:?}; {} to {value} at {} pt: {:?} {hit:.2}; fold {:.2}, noise {:.1}, blur {:.2}",
        same.verdict,
        highest.map_or(0.0, |it| it.score),
        highest.map(|it| (it.kind, it.x_mm, it.y_mm, it.width_mm, it.height_mm)),
        digit.value,
        digit.size_pt,
        different.verdict,
        way.fold,
        way.noise,
        way.blur
    );
    Ok(Pair {
        same: same.verdict,
        is_found: hit > 0.0,
        size_pt: digit.size_pt,
        has_fold: way.fold > 0.0,
    })
}

fn printed(document: &[u8], is_poppler: bool) -> Answer<Sheet> {
    let page = if is_poppler {
        drawn_by_poppler(document)?
    } else {
        raster::render(document, 0, PRINT_DPI)?
    };
    Ok(Sheet {
        width: usize::try_from(page.width)?,
        height: usize::try_from(page.height)?,
        pixels: page.pixels,
    })
}

fn drawn_by_poppler(document: &[u8]) -> Answer<Gray> {
    let dpi = PRINT_DPI.to_string();
    let mut poppler = Command::new("pdftoppm")
        .args(["-r", &dpi, "-gray", "-png", "-singlefile", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    poppler
        .stdin
        .take()
        .ok_or("no way in")?
        .write_all(document)?;
    Ok(raster::image(&poppler.wait_with_output()?.stdout)?)
}

fn scan(page: &Sheet, way: &Way, seed: u64) -> Answer<Gray> {
    let scan = paper::scanned(page, way, seed);
    let (width, height) = (u32::try_from(scan.width)?, u32::try_from(scan.height)?);
    Ok(Gray {
        width,
        height,
        pixels: scan.pixels,
        dpi: Some(SCAN_DPI),
    })
}

/// The rectangle in which two pages differ, in millimetres: left, top, right, foot.
fn spot(one: &Sheet, two: &Sheet) -> [f32; 4] {
    let mm = |dots: usize| {
        f32::from(u16::try_from(dots).unwrap_or(u16::MAX)) * 25.4 / f32::from(PRINT_DPI)
    };
    let mut found = [f32::MAX, f32::MAX, 0.0, 0.0];
    let width = one.width.max(1);
    for (at, (one, two)) in one.pixels.iter().zip(&two.pixels).enumerate() {
        if one.abs_diff(*two) > 60 {
            let (x, y) = (mm(at % width), mm(at / width));
            let [left, top, right, foot] = found;
            found = [left.min(x), top.min(y), right.max(x), foot.max(y)];
        }
    }
    found
}

/// The score of the clearest region that touches the spot; 0 of none.
fn hit(comparison: &Comparison, [left, top, right, foot]: [f32; 4]) -> f32 {
    let touching = comparison.regions.iter().find(|it| {
        it.x_mm < right + 0.5
            && left - 0.5 < it.x_mm + it.width_mm
            && it.y_mm < foot + 0.5
            && top - 0.5 < it.y_mm + it.height_mm
    });
    touching.map_or(0.0, |it| it.score)
}
