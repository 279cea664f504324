//! A printed sheet held against its record: changed digits found, honest sheets suspected, beside a rival; what the
//! record costs, and what a comparison takes.

mod rival;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_paper::compare::{self, Comparison, Verdict};
use loket_paper::fingerprint::{self, Fingerprint};
use loket_paper::raster::{self, Gray};
use loket_sim::paper::{self, PRINT_DPI, SCAN_DPI, Sheet, Way, card};
use rival::Rival;

use crate::figures::{Figures, ms, ratio};
use crate::process::{cpu_of_thread, peak_kib, share};
use crate::rate::{rate, told};
use crate::section::{Row, Section};

/// The first pair; nothing was tuned on it or on those after it (docs/adr/0035 and 0048 name seeds that were looked at).
const FIRST_SEED: u64 = 800_000;

/// A rival is a process for each sheet: it sees each so-many-th pair.
const RIVAL_EVERY: u64 = 5;

/// Makings of a record.
const MAKINGS: u32 = 20;

const TARGET_RECORD_BYTES: usize = 32 * 1024;
const TARGET_WALL: Duration = Duration::from_secs(1);

/// What one pair of sheets said: the one as it was printed, and the one with one digit changed.
struct Pair {
    same: Verdict,
    changed: Verdict,
    /// Whether a region touches the digit.
    is_told: bool,
    size_pt: f32,
    cpu: [Duration; 2],
    /// The rival's scores of both.
    rival: Option<[f64; 2]>,
    rival_wall: Vec<Duration>,
}

/// What every pair needs.
struct Bench {
    document: Vec<u8>,
    fingerprint: Fingerprint,
    clean: Sheet,
    rival: Rival,
}

/// Compares `count` pairs of sheets.
pub(crate) fn run(count: u32) -> anyhow::Result<Section> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kk-embedded-unsigned.pdf");
    let document = std::fs::read(file).context("read the card")?;
    let (record, makings) = made(&document)?;
    let bench = Bench {
        fingerprint: Fingerprint::from_bytes(&record).context("read the record")?,
        clean: printed(&document)?,
        rival: Rival::new(&gray(&document, SCAN_DPI)?)?,
        document,
    };
    let pairs = bench.all(u64::from(count))?;
    let mut section = Section::default();
    rates(&mut section, &pairs);
    record_rows(&mut section, &record, &makings);
    time_rows(&mut section, &pairs);
    section.row(bench.memory(&record)?);
    section.note(format!(
        "{count} seeds from {FIRST_SEED} on: the family card printed at {PRINT_DPI} dpi, with one of its digits changed and without, scanned \
         at {SCAN_DPI} dpi by `loket_sim::paper::Way::ordinary`: fat or lean toner, up to 2° askew, blur, noise, dust, folds, JPEG. \
         Bounds: Wilson, 95 %. *Suspected*: an unchanged sheet called different."
    ));
    section.note(bench.rival.note(RIVAL_EVERY));
    Ok(section)
}

/// Compares the scan in `folder` with the record beside it once, for [`Bench::memory`].
pub(crate) fn once(folder: &Path) -> anyhow::Result<Section> {
    let record = std::fs::read(folder.join("record")).context("read the record")?;
    let scan = std::fs::read(folder.join("scan.pgm")).context("read the scan")?;
    let scan = rival::from_pgm(&scan)?;
    let fingerprint = Fingerprint::from_bytes(&record).context("read the record")?;
    let comparison = compare::scan(&fingerprint, &scan).context("compare the scan")?;
    ensure!(
        !matches!(comparison.verdict, Verdict::CannotTell(_)),
        "find the page in its scan"
    );
    Ok(Section::default())
}

/// The record of the card, and how long each making of it took.
fn made(document: &[u8]) -> anyhow::Result<(Vec<u8>, Figures)> {
    let mut record = Vec::new();
    let mut durations = Vec::new();
    for _ in 0..MAKINGS {
        let since = Instant::now();
        let page = gray(document, fingerprint::DPI)?;
        record = fingerprint::of(&page)
            .context("make the record")?
            .to_bytes();
        durations.push(since.elapsed());
    }
    Ok((record, Figures::of(durations)))
}

fn gray(document: &[u8], dpi: u16) -> anyhow::Result<Gray> {
    raster::render(document, 0, dpi).context("render the card")
}

fn printed(document: &[u8]) -> anyhow::Result<Sheet> {
    let page = gray(document, PRINT_DPI)?;
    Ok(Sheet {
        width: usize::try_from(page.width)?,
        height: usize::try_from(page.height)?,
        pixels: page.pixels,
    })
}

fn scanned(sheet: &Sheet, seed: u64) -> anyhow::Result<Gray> {
    let scan = paper::scanned(sheet, &Way::ordinary(seed), seed);
    Ok(Gray {
        width: u32::try_from(scan.width)?,
        height: u32::try_from(scan.height)?,
        pixels: scan.pixels,
        dpi: Some(SCAN_DPI),
    })
}

impl Bench {
    /// Every pair, one on each processor at a time.
    fn all(&self, count: u64) -> anyhow::Result<Vec<Pair>> {
        let next = AtomicU64::new(0);
        let pairs = Mutex::new(Vec::new());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let work = || -> anyhow::Result<()> {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return Ok(());
                    }
                    let pair = self.pair(FIRST_SEED + at)?;
                    pairs
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push(pair);
                }
            };
            let runs: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for run in runs {
                run.join()
                    .map_err(|_panic| anyhow::anyhow!("compare: a thread panicked"))??;
            }
            Ok(())
        })?;
        Ok(pairs
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn pair(&self, seed: u64) -> anyhow::Result<Pair> {
        let digits = card::digits(&self.document);
        let mut dice = loket_fuzz::Seeded::of_round(FIRST_SEED, seed)?;
        let at = usize::try_from(dice.below(u64::try_from(digits.len())?))?;
        let digit = *digits.get(at).context("find a digit")?;
        let value = (digit.value + 1 + u8::try_from(dice.below(9))?) % 10;
        let forged = printed(&card::with_digit(&self.document, digit, value))?;
        let spot = spot(&self.clean, &forged);
        let (honest, forged) = (scanned(&self.clean, seed)?, scanned(&forged, seed)?);
        let (same, same_cpu) = self.compared(&honest)?;
        let (changed, changed_cpu) = self.compared(&forged)?;
        let mut pair = Pair {
            same: same.verdict,
            changed: changed.verdict,
            is_told: is_told(&changed, spot),
            size_pt: digit.size_pt,
            cpu: [same_cpu, changed_cpu],
            rival: None,
            rival_wall: Vec::new(),
        };
        if seed.is_multiple_of(RIVAL_EVERY) {
            let (honest, one) = self.rival.score(&honest, seed)?;
            let (forged, other) = self.rival.score(&forged, seed)?;
            pair.rival = Some([honest, forged]);
            pair.rival_wall = vec![one, other];
        }
        Ok(pair)
    }

    fn compared(&self, scan: &Gray) -> anyhow::Result<(Comparison, Duration)> {
        let before = cpu_of_thread()?;
        let comparison = compare::scan(&self.fingerprint, scan).context("compare a scan")?;
        Ok((comparison, cpu_of_thread()?.saturating_sub(before)))
    }

    /// The most memory of a process that reads a record and a scan and compares them.
    fn memory(&self, record: &[u8]) -> anyhow::Result<Row> {
        let folder = tempfile::tempdir().context("make a folder")?;
        std::fs::write(folder.path().join("record"), record).context("write the record")?;
        let scan = rival::to_pgm(&scanned(&self.clean, FIRST_SEED)?);
        std::fs::write(folder.path().join("scan.pgm"), scan).context("write the scan")?;
        let own = std::env::current_exe().context("find this program")?;
        let mut command = Command::new(own);
        command
            .args(["paper", "--pairs", "1", "--once"])
            .arg(folder.path());
        let mine = peak_kib(&command)?;
        let theirs = self.rival.peak_kib(&scanned(&self.clean, FIRST_SEED)?)?;
        let row = Row::new(
            "memory at most, a process that compares one scan; peer: ImageMagick",
            format!("{mine} KiB"),
        );
        Ok(row.beside(format!("{theirs} KiB"), share(mine, theirs)))
    }
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

/// Whether a region touches the spot.
fn is_told(comparison: &Comparison, [left, top, right, foot]: [f32; 4]) -> bool {
    comparison.regions.iter().any(|it| {
        it.x_mm < right + 0.5
            && left - 0.5 < it.x_mm + it.width_mm
            && it.y_mm < foot + 0.5
            && top - 0.5 < it.y_mm + it.height_mm
    })
}

fn rates(section: &mut Section, pairs: &[Pair]) {
    let count = |of: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|pair| of(pair)).count();
    let found = |pair: &Pair| pair.changed == Verdict::Different && pair.is_told;
    let suspected = |pair: &Pair| pair.same == Verdict::Different;
    let seen: Vec<[f64; 2]> = pairs.iter().filter_map(|pair| pair.rival).collect();
    let (rival_suspected, rival_found) = rival::best(&seen);
    let all = pairs.len();
    let row = Row::new(
        "one changed digit found; peer: ImageMagick",
        told(count(&found), all),
    );
    let row = row.beside(
        told(rival_found, seen.len()),
        rate(count(&found), all) / rate(rival_found, seen.len()).max(0.01),
    );
    section.row(row.target("≥ 99 %", rate(count(&found), all) >= 99.0));
    let row = Row::new(
        "unchanged sheets suspected; peer: ImageMagick",
        told(count(&suspected), all),
    );
    let row = row.beside(
        told(rival_suspected, seen.len()),
        rate(count(&suspected), all) / rate(rival_suspected, seen.len()).max(0.01),
    );
    section.row(row.target("≤ 1 %", rate(count(&suspected), all) <= 1.0));
    let small = |pair: &Pair| pair.size_pt < 6.8;
    let found_small = count(&|pair| small(pair) && found(pair));
    let row = Row::new(
        "digits of 6 and 6.5 points found",
        told(found_small, count(&small)),
    );
    section.row(row.target("≥ 99 %", rate(found_small, count(&small)) >= 99.0));
    let missed = count(&|pair| pair.changed == Verdict::Same);
    section.row(Row::new(
        "changed sheets called the same",
        told(missed, all),
    ));
    let unsure = count(&|pair| matches!(pair.same, Verdict::CannotTell(_)))
        + count(&|pair| matches!(pair.changed, Verdict::CannotTell(_)));
    section.row(Row::new("cannot tell, of both", told(unsure, 2 * all)));
}

fn record_rows(section: &mut Section, record: &[u8], makings: &Figures) {
    let row = Row::new("record of the card", format!("{} bytes", record.len()));
    section.row(row.target("≤ 32 kB", record.len() <= TARGET_RECORD_BYTES));
    let row = Row::new(
        "making a record, rendering included, p50",
        ms(makings.median()),
    );
    section.row(row);
    section.row(Row::new(
        "making a record, rendering included, p95",
        ms(makings.percentile(95)),
    ));
}

fn time_rows(section: &mut Section, pairs: &[Pair]) {
    let ours = Figures::of(pairs.iter().flat_map(|pair| pair.cpu).collect());
    let theirs = pairs.iter().flat_map(|pair| pair.rival_wall.clone());
    let theirs = Figures::of(theirs.collect());
    for percent in [50, 95] {
        let (mine, peer) = (ours.percentile(percent), theirs.percentile(percent));
        let row = Row::new(
            format!("a comparison on the processor, p{percent}; peer: ImageMagick, a process"),
            ms(mine),
        );
        section.row(
            row.beside(ms(peer), ratio(mine, peer))
                .target("≤ 1 s", mine <= TARGET_WALL),
        );
    }
}
