//! QR codes on A4 pages with seventeen kinds of harm, read by ours and by the readers that Debian has.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_fuzz::Seeded;
use loket_fuzz::page::{Defect, Picture, Symbol, family_card};
use loket_qr::{Effort, read};
use qrcode::{Color, EcLevel, QrCode, Version};

use crate::figures::{Figures, ms, ratio};
use crate::process::cpu_of_thread;
use crate::section::{Row, Section};

/// Where every page of the grid starts, each with a seed of its own.
const SEED: u64 = 20_261_126;

/// Resolutions of scanners in offices.
const DPI: [u32; 3] = [150, 200, 300];

/// Sides of printed codes.
const SIDES_MM: [f32; 2] = [15.0, 22.0];

/// Versions of codes, and a made-up payload that fills each with error correction M.
const CODES: [(i16, &str); 2] = [
    (
        5,
        "https://kk.contoh.invalid/Terpusat/Pindai/00000000-0000-4000-8000-000000000001",
    ),
    (
        8,
        "https://kk.contoh.invalid/Terpusat/Pindai/CONTOH9971_00000000-0000-4000-8000-000000000001",
    ),
];

/// Pages of each kind.
const ROUNDS: u64 = 2;

/// A reader beside ours: a whole process a page.
struct Peer {
    name: &'static str,
    before: &'static [&'static str],
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "ZXingReader",
        before: &["-1", "-format", "QRCode"],
    },
    Peer {
        name: "zbarimg",
        before: &["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"],
    },
];

/// One page of the grid.
struct Page {
    picture: Picture,
    defect: Defect,
    payload: &'static str,
    /// Whether it is one of those of which nearly all must be read.
    is_target: bool,
}

/// How one reader did.
#[derive(Default)]
struct Score {
    read: u32,
    wrong: u32,
    target_read: u32,
    wall: Vec<Duration>,
    cpu: Vec<Duration>,
    by_defect: BTreeMap<Defect, u32>,
}

impl Score {
    fn count(&mut self, page: &Page, said: &[Vec<u8>]) {
        let right = |payload: &&Vec<u8>| payload.as_slice() == page.payload.as_bytes();
        let is_read = u32::from(said.iter().any(|payload| right(&payload)));
        self.wrong += u32::from(said.iter().any(|payload| !right(&payload)));
        self.read += is_read;
        self.target_read += if page.is_target { is_read } else { 0 };
        *self.by_defect.entry(page.defect).or_default() += is_read;
    }
}

/// Reads every `every`-th page of the grid with all readers.
pub(crate) fn run(every: u64) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let file = folder.path().join("page.pgm");
    let mut ours = Score::default();
    let mut peers = PEERS.map(|_| Score::default());
    let (mut all, mut targets) = (0_u32, 0_u32);
    let mut pages = BTreeMap::<Defect, u32>::new();
    for place in (0..count()).filter(|place| place % every == 0) {
        let page = page(place)?;
        all += 1;
        targets += u32::from(page.is_target);
        *pages.entry(page.defect).or_default() += 1;
        std::fs::write(&file, page.picture.to_pgm()).context("write a page")?;
        let said = by_us(&page, &mut ours)?;
        ours.count(&page, &said);
        for (peer, score) in PEERS.iter().zip(&mut peers) {
            let started = Instant::now();
            let said = by_peer(peer, &file)?;
            score.wall.push(started.elapsed());
            score.count(&page, &said);
        }
    }
    Ok(told(ours, peers, all, targets, &pages))
}

/// Pages of the whole grid.
fn count() -> u64 {
    let kinds = DPI.len() * SIDES_MM.len() * CODES.len() * Defect::ALL.len();
    u64::try_from(kinds)
        .unwrap_or(u64::MAX)
        .saturating_mul(ROUNDS)
}

/// The page at a place of the grid, always the same.
fn page(place: u64) -> anyhow::Result<Page> {
    let mut rest = usize::try_from(place).context("count pages")?;
    let mut next = |length: usize| {
        let at = rest % length;
        rest /= length;
        at
    };
    let defect = Defect::ALL.get(next(Defect::ALL.len()));
    let code = CODES.get(next(CODES.len()));
    let side_mm = SIDES_MM.get(next(SIDES_MM.len()));
    let dpi = DPI.get(next(DPI.len()));
    let kind = defect.zip(code).zip(side_mm.zip(dpi));
    let ((&defect, &(version, payload)), (&side_mm, &dpi)) = kind.context("find a page")?;
    let mut seeded = Seeded::of_round(SEED, place)?;
    let code = QrCode::with_version(payload, Version::Normal(version), EcLevel::M)
        .context("draw a code")?;
    let mut along = |from: f32| {
        let hundredths = u16::try_from(seeded.below(300)).unwrap_or_default();
        from + f32::from(hundredths) / 100.0
    };
    let at_mm = (along(240.0 - side_mm / 2.0), along(158.0));
    let symbol = Symbol {
        side: code.width(),
        modules: code
            .to_colors()
            .into_iter()
            .map(|color| color == Color::Dark)
            .collect(),
        side_mm,
        at_mm,
    };
    let clean = family_card(dpi, std::slice::from_ref(&symbol), &mut seeded);
    Ok(Page {
        picture: defect.apply(&clean, &symbol, dpi, &mut seeded),
        defect,
        payload,
        is_target: defect.is_realistic() && dpi == 200 && side_mm > 20.0,
    })
}

fn by_us(page: &Page, score: &mut Score) -> anyhow::Result<Vec<Vec<u8>>> {
    let effort = if page.defect == Defect::Photograph {
        Effort::Photograph
    } else {
        Effort::Page
    };
    let picture = &page.picture;
    let (started, before) = (Instant::now(), cpu_of_thread()?);
    let reading = read(picture.width, picture.height, &picture.pixels, effort)?;
    score.cpu.push(cpu_of_thread()?.saturating_sub(before));
    score.wall.push(started.elapsed());
    let said = reading
        .codes
        .iter()
        .map(|code| code.payload.as_bytes().to_vec());
    Ok(said.collect())
}

/// The payloads that a peer prints for a page; ZXingReader puts them behind a word and between quotation marks.
fn by_peer(peer: &Peer, file: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut command = Command::new(peer.name);
    command.args(peer.before).arg(file).stderr(Stdio::null());
    let output = command
        .output()
        .with_context(|| format!("start {}", peer.name))?;
    ensure!(output.status.code().is_some(), "{} was ended", peer.name);
    let text = String::from_utf8_lossy(&output.stdout);
    let payloads = text.lines().filter_map(|line| {
        let at = line.find("https://")?;
        let payload = line.get(at..)?.split(['"', ' ']).next()?;
        Some(payload.as_bytes().to_vec())
    });
    Ok(payloads.collect())
}

fn told(
    ours: Score,
    peers: [Score; 2],
    all: u32,
    targets: u32,
    pages: &BTreeMap<Defect, u32>,
) -> Section {
    let mut section = Section::default();
    let rate = |read: u32, all: u32| 100.0 * f64::from(read) / f64::from(all.max(1));
    let share = |read: u32, all: u32| format!("{:.1} % ({read} of {all})", rate(read, all));
    let [zxing, zbar] = &peers;
    for (name, peer) in [("zxing-cpp", zxing), ("zbar", zbar)] {
        let row = Row::new(format!("all pages, beside {name}"), share(ours.read, all)).beside(
            share(peer.read, all),
            f64::from(ours.read) / f64::from(peer.read.max(1)),
        );
        section.row(row.target("at least the peer's", ours.read >= peer.read));
        let row = Row::new(
            format!("realistic harm, 200 dpi, 22 mm, beside {name}"),
            share(ours.target_read, targets),
        );
        let beside = f64::from(ours.target_read) / f64::from(peer.target_read.max(1));
        let row = row.beside(share(peer.target_read, targets), beside);
        section.row(row.target("≥ 99 %", rate(ours.target_read, targets) >= 99.0));
        let row = Row::new(format!("pages read wrongly, beside {name}"), ours.wrong);
        let beside = f64::from(ours.wrong) / f64::from(peer.wrong.max(1));
        section.row(row.beside(peer.wrong, beside).target("0", ours.wrong == 0));
    }
    let by_defect: Vec<String> = pages
        .iter()
        .map(|(defect, all)| {
            let of = |score: &Score| score.by_defect.get(defect).copied().unwrap_or_default();
            let read = [&ours, zxing, zbar].map(of);
            format!(
                "{} {}/{}/{} of {all}",
                defect.word(),
                read[0],
                read[1],
                read[2]
            )
        })
        .collect();
    let (wall, cpu) = (Figures::of(ours.wall), Figures::of(ours.cpu));
    let zxing_wall = Figures::of(zxing.wall.clone());
    for percent in [50, 95] {
        let (mine, peer) = (wall.percentile(percent), zxing_wall.percentile(percent));
        let row =
            Row::new(format!("a page, p{percent}"), ms(mine)).beside(ms(peer), ratio(mine, peer));
        section.row(if percent == 95 {
            row.target("≤ 100 ms", mine <= Duration::from_millis(100))
        } else {
            row
        });
        let row = Row::new(
            format!("a page on the processor, p{percent}"),
            ms(cpu.percentile(percent)),
        );
        section.row(row);
    }
    section.note(format!(
        "{all} pages of A4 with writing and one code (version 5 or 8, error correction M, 15 or 22 mm, 150, 200 or 300 \
         dpi). Peers: `ZXingReader` and `zbarimg` of Debian, whole processes that read the same pictures from files, so \
         rates can be compared and times only roughly."
    ));
    section.note(format!(
        "Read by loket, zxing-cpp and zbar: {}.",
        by_defect.join(", ")
    ));
    section
}
