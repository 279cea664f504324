//! A family card made into a raster for a printer without PDF, beside pdftoppm drawing the same page.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_inspection::{Head, RASTER_LIMITS, Work};
use loket_tests::world::{Build, bin_dir};
use loket_wire::{RasterColours, RasterFormat, RasterSetup};

use crate::figures::{Figures, ms, ratio};
use crate::process::{peak_kib, share};
use crate::section::{Row, Section};

const TARGET_MEMORY_KIB: u64 = 64 * 1024;

/// What is drawn: the card, and a page of an office program.
const DOCUMENTS: [(&str, &str); 2] = [
    ("family card", "kk-embedded-bb.pdf"),
    ("page of LibreOffice", "producers/libreoffice.pdf"),
];

/// Shapes, each with the words of pdftoppm that draw the same.
const SHAPES: [(RasterColours, u16, &str); 3] = [
    (RasterColours::Gray, 600, "-gray"),
    (RasterColours::Gray, 300, "-gray"),
    (RasterColours::Rgb, 600, ""),
];

/// Draws each document `count` times in each shape, ours and the peer's in turns.
pub(crate) fn run(count: u32) -> anyhow::Result<Section> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folder = tempfile::tempdir().context("make a folder")?;
    let inspector = bin_dir(Build::Plain)?.join("loket-inspector");
    let mut section = Section::default();
    for (name, file) in DOCUMENTS {
        let file = fixtures.join(file);
        let document = std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        for (colours, resolution_dpi, word) in SHAPES {
            let question = folder.path().join("question");
            std::fs::write(&question, asked(&document, colours, resolution_dpi)?)
                .context("write the question")?;
            let mut ours = shell("exec \"$1\" < \"$2\"", &[&inspector, &question]);
            let script = format!("exec pdftoppm -r {resolution_dpi} {word} -singlefile - < \"$1\"");
            let mut peer = shell(&script, &[&file]);
            let (mut mine, mut theirs) = (Vec::new(), Vec::new());
            let mut size = 0;
            for _ in 0..count {
                let (taken, bytes) = timed(&mut ours)?;
                mine.push(taken);
                size = bytes;
                theirs.push(timed(&mut peer)?.0);
            }
            let (mine, theirs) = (Figures::of(mine), Figures::of(theirs));
            let what = format!("{name}, {colours:?} {resolution_dpi} dpi, {size} bytes");
            let row = Row::new(format!("{what}, p50; peer: pdftoppm"), ms(mine.median()));
            let row = row.beside(ms(theirs.median()), ratio(mine.median(), theirs.median()));
            section.row(row.target("no slower", mine.median() <= theirs.median()));
            let (most, other) = (peak_kib(&ours)?, peak_kib(&peer)?);
            let row = Row::new(format!("{what}, memory at most"), format!("{most} KiB"));
            let row = row.beside(format!("{other} KiB"), share(most, other));
            section.row(row.target("< 64 MiB", most < TARGET_MEMORY_KIB));
        }
    }
    section.note(format!(
        "Processes, {count} of each in turns, from start to end: loket-inspector as the daemon asks it, its PWG raster read and thrown \
         away; `pdftoppm -r DPI [-gray] -singlefile -`, its picture likewise, which is not compressed and not turned as the printer \
         feeds the sheet."
    ));
    Ok(section)
}

/// The question of the daemon, as it crosses.
fn asked(document: &[u8], colours: RasterColours, resolution_dpi: u16) -> anyhow::Result<Vec<u8>> {
    let setup = RasterSetup {
        format: RasterFormat::Pwg,
        colours,
        resolution_dpi,
        coarser_dpi: None,
    };
    let head = Head {
        work: Work::Raster { setup },
        limits: RASTER_LIMITS,
        part_bytes: vec![u64::try_from(document.len())?],
    };
    let mut question = head.encode().context("write the question")?;
    question.extend_from_slice(document);
    Ok(question)
}

/// A program that reads a file as its standard input.
fn shell(script: &str, words: &[&Path]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh"]).args(words);
    command
}

/// How long a program takes whose output is read to its end, and how much that is.
fn timed(command: &mut Command) -> anyhow::Result<(Duration, usize)> {
    let since = Instant::now();
    let output = command.stderr(Stdio::null()).output().context("start it")?;
    let taken = since.elapsed();
    ensure!(output.status.success(), "draw a page: {}", output.status);
    Ok((taken, output.stdout.len()))
}
