//! QR codes on A4 pages with seventeen kinds of harm, read by ours, by the readers that Debian has, and by zxing-cpp as
//! well as it can.

mod readers;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loket_fuzz::Seeded;
use loket_fuzz::page::{Defect, Picture, Symbol, family_card};
use loket_qr::{Effort, read};
use qrcode::{Color, EcLevel, QrCode, Version};
use readers::Reader;

use crate::figures::{Figures, ms, ratio};
use crate::process::cpu_of_thread;
use crate::rate::{rate, told};
use crate::section::{Row, Section};

/// Where every page starts, each with a seed of its own. Nothing was tuned on it: docs/adr/0049 names seeds that were
/// looked at.
const SEED: u64 = 20_261_127;

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

/// Pages of each kind of the grid.
const ROUNDS: u64 = 2;

/// Pages of each kind of realistic harm at [`TARGET_DPI`] and [`TARGET_SIDE_MM`] beside those of the grid: with 440 in
/// all, none of which is missed, 99 % is the lower bound.
const TARGET_ROUNDS: u64 = 20;
const TARGET_DPI: u32 = 200;
const TARGET_SIDE_MM: f32 = 22.0;

/// A kind of page.
#[derive(Debug, Clone, Copy)]
struct Kind {
    defect: Defect,
    code: (i16, &'static str),
    side_mm: f32,
    dpi: u32,
}

/// One page.
struct Page {
    picture: Picture,
    kind: Kind,
    is_of_grid: bool,
    /// Whether it is one of those of which nearly all must be read.
    is_target: bool,
}

/// Of some pages, those that were read.
#[derive(Debug, Default, Clone, Copy)]
struct Read {
    read: usize,
    all: usize,
}

/// How one reader did.
#[derive(Default)]
struct Score {
    grid: Read,
    target: Read,
    /// Pages that are not of the grid.
    more: usize,
    wrong: usize,
    /// Of the grid's pages; of a peer what [`Reader::read`] says.
    wall: Vec<Duration>,
    cpu: Vec<Duration>,
    by_defect: BTreeMap<Defect, Read>,
    target_by_defect: BTreeMap<Defect, Read>,
}

impl Read {
    fn count(&mut self, is_read: bool) {
        self.read += usize::from(is_read);
        self.all += 1;
    }

    fn rate(self) -> f64 {
        rate(self.read, self.all)
    }

    fn told(self) -> String {
        told(self.read, self.all)
    }
}

impl Score {
    fn count(&mut self, page: &Page, said: &[Vec<u8>], took: Duration) {
        let (_, written) = page.kind.code;
        let right = |payload: &&Vec<u8>| payload.as_slice() == written.as_bytes();
        let is_read = said.iter().any(|payload| right(&payload));
        self.wrong += usize::from(said.iter().any(|payload| !right(&payload)));
        let defect = page.kind.defect;
        if page.is_of_grid {
            self.grid.count(is_read);
            self.by_defect.entry(defect).or_default().count(is_read);
            self.wall.push(took);
        } else {
            self.more += 1;
        }
        if page.is_target {
            self.target.count(is_read);
            self.target_by_defect
                .entry(defect)
                .or_default()
                .count(is_read);
        }
    }
}

/// Reads every `every`-th page with all readers.
pub(crate) fn run(every: u64) -> anyhow::Result<Section> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let file = folder.path().join("page.pgm");
    let mut ours = Score::default();
    let mut readers = readers::all()?;
    let mut peers: [Score; 3] = std::array::from_fn(|_| Score::default());
    let step = usize::try_from(every).context("count pages")?;
    for (place, kind, is_of_grid) in kinds().step_by(step) {
        let page = page(place, kind, is_of_grid)?;
        std::fs::write(&file, page.picture.to_pgm()).context("write a page")?;
        by_us(&page, &mut ours)?;
        for (reader, score) in readers.iter_mut().zip(&mut peers) {
            let (said, took) = reader.read(&file)?;
            score.count(&page, &said, took);
        }
    }
    let named: Vec<(&str, Score)> = readers.iter().map(Reader::name).zip(peers).collect();
    Ok(section(&ours, &named))
}

/// Every page: its number, its kind, and whether it is of the grid.
fn kinds() -> impl Iterator<Item = (u64, Kind, bool)> {
    let grid = (0..ROUNDS).flat_map(|_| {
        let papers = DPI
            .into_iter()
            .flat_map(|dpi| SIDES_MM.map(|side_mm| (dpi, side_mm)));
        papers.flat_map(|(dpi, side_mm)| of_paper(dpi, side_mm))
    });
    let realistic = (0..TARGET_ROUNDS).flat_map(|_| {
        let all = of_paper(TARGET_DPI, TARGET_SIDE_MM);
        all.filter(|kind| kind.defect.is_realistic())
    });
    let all = grid
        .map(|kind| (kind, true))
        .chain(realistic.map(|kind| (kind, false)));
    (0_u64..)
        .zip(all)
        .map(|(place, (kind, is_of_grid))| (place, kind, is_of_grid))
}

fn of_paper(dpi: u32, side_mm: f32) -> impl Iterator<Item = Kind> {
    CODES.into_iter().flat_map(move |code| {
        Defect::ALL.map(|defect| Kind {
            defect,
            code,
            side_mm,
            dpi,
        })
    })
}

/// The page of a number, always the same.
fn page(place: u64, kind: Kind, is_of_grid: bool) -> anyhow::Result<Page> {
    let Kind {
        defect,
        code: (version, payload),
        side_mm,
        dpi,
    } = kind;
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
        kind,
        is_of_grid,
        is_target: defect.is_realistic() && dpi == TARGET_DPI && side_mm >= TARGET_SIDE_MM,
    })
}

fn by_us(page: &Page, score: &mut Score) -> anyhow::Result<()> {
    let effort = if page.kind.defect == Defect::Photograph {
        Effort::Photograph
    } else {
        Effort::Page
    };
    let picture = &page.picture;
    let (started, before) = (Instant::now(), cpu_of_thread()?);
    let reading = read(picture.width, picture.height, &picture.pixels, effort)?;
    let (took, cpu) = (started.elapsed(), cpu_of_thread()?.saturating_sub(before));
    if page.is_of_grid {
        score.cpu.push(cpu);
    }
    let said = reading
        .codes
        .iter()
        .map(|code| code.payload.as_bytes().to_vec());
    score.count(page, &said.collect::<Vec<_>>(), took);
    Ok(())
}

fn section(ours: &Score, peers: &[(&str, Score)]) -> Section {
    let mut section = Section::default();
    for (name, peer) in peers {
        let row = Row::new(format!("all pages; peer: {name}"), ours.grid.told()).beside(
            peer.grid.told(),
            ours.grid.rate() / peer.grid.rate().max(0.01),
        );
        section.row(row.target("at least the peer's", ours.grid.read >= peer.grid.read));
    }
    for (name, peer) in peers {
        let row = Row::new(
            format!("realistic harm, 200 dpi, 22 mm; peer: {name}"),
            ours.target.told(),
        );
        let beside = ours.target.rate() / peer.target.rate().max(0.01);
        let row = row.beside(peer.target.told(), beside);
        section.row(row.target("≥ 99 %", ours.target.rate() >= 99.0));
    }
    let wrong: Vec<String> = peers
        .iter()
        .map(|(name, peer)| format!("{name} {}", peer.wrong))
        .collect();
    let row = Row::new("pages read wrongly", ours.wrong);
    section.row(row.target("0", ours.wrong == 0));
    time_rows(&mut section, ours, peers);
    section.note(format!(
        "{} pages of A4 with writing and one code (version 5 or 8, error correction M, 15 or 22 mm, 150, 200 or 300 dpi), \
         and {} more of realistic harm at 200 dpi and 22 mm. Seed {SEED}. Bounds: Wilson, 95 %. Times are of the former. \
         Pages that peers read wrongly: {}.",
        ours.grid.all,
        ours.more,
        wrong.join(", "),
    ));
    section.note(
        "Peers: *zxing-cpp with tiles* is zxing-cpp's binding for Python in one process, which looks at the whole page, then \
         at seven tiles, then at these twice as large; its time is processor time without opening the file. `ZXingReader` \
         and `zbarimg` of Debian are whole processes that read the same pictures from files.",
    );
    let names: Vec<&str> = peers.iter().map(|(name, _)| *name).collect();
    section.note(format!(
        "Read by loket, {}: {}.",
        names.join(", "),
        by_defect(ours, peers, |score| &score.by_defect)
    ));
    section.note(format!(
        "Of those of realistic harm at 200 dpi and 22 mm: {}.",
        by_defect(ours, peers, |score| &score.target_by_defect)
    ));
    section
}

/// Beside a process by the clock, and beside what stays by processor time, which a busy machine changes little.
fn time_rows(section: &mut Section, ours: &Score, peers: &[(&str, Score)]) {
    let kinds = [
        ("a page on the processor", &ours.cpu),
        ("a page", &ours.wall),
    ];
    for ((what, ours), (name, peer)) in kinds.into_iter().zip(peers) {
        let (ours, peer) = (Figures::of(ours.clone()), Figures::of(peer.wall.clone()));
        for percent in [50, 95] {
            let (mine, beside) = (ours.percentile(percent), peer.percentile(percent));
            let row = Row::new(format!("{what}, p{percent}; peer: {name}"), ms(mine))
                .beside(ms(beside), ratio(mine, beside));
            section.row(if percent == 95 {
                row.target("≤ 100 ms", mine <= Duration::from_millis(100))
            } else {
                row
            });
        }
    }
}

/// `fold 24/20/15/12 of 24` for each kind of harm: ours, then the peers in their order.
fn by_defect(
    ours: &Score,
    peers: &[(&str, Score)],
    of: fn(&Score) -> &BTreeMap<Defect, Read>,
) -> String {
    let told = of(ours).iter().map(|(defect, mine)| {
        let peers = peers
            .iter()
            .map(|(_, peer)| of(peer).get(defect).map_or(0, |read| read.read));
        let read: Vec<String> = std::iter::once(mine.read)
            .chain(peers)
            .map(|read| read.to_string())
            .collect();
        format!("{} {} of {}", defect.word(), read.join("/"), mine.all)
    });
    told.collect::<Vec<_>>().join(", ")
}
