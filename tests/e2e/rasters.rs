//! Printers that take no PDF: they get the pages of the very document as a raster, or nothing and a clear word.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use loket_demo::once::SAMPLE_KK;
use loket_sim::raster::{Page, pages};
use loket_tests::peer_printer::PeerPrinter;
use loket_tests::world::{Build, World};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const ID: &str = "desa-contoh-1";

/// The card as pdftoppm draws it at 600 dpi in shades of grey, turned anticlockwise as it comes out of the printer.
async fn expected() -> anyhow::Result<(usize, usize, Vec<u8>)> {
    let mut poppler = Command::new("pdftoppm")
        .args(["-r", "600", "-gray", "-singlefile", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start pdftoppm: install the Debian package poppler-utils")?;
    let mut stdin = poppler.stdin.take().context("give it the card")?;
    stdin.write_all(SAMPLE_KK).await?;
    drop(stdin);
    let drawn = poppler.wait_with_output().await?.stdout;
    let mut fields = drawn.splitn(5, |byte| byte.is_ascii_whitespace());
    ensure!(fields.next() == Some(b"P5"), "a picture in shades of grey");
    let mut side = || {
        let text = fields
            .next()
            .and_then(|text| std::str::from_utf8(text).ok());
        text.and_then(|text| text.parse::<usize>().ok())
            .context("read the picture's size")
    };
    let (width, height) = (side()?, side()?);
    let pixels = fields.nth(1).context("read the picture")?;
    let turned = (0..width)
        .rev()
        .flat_map(|x| (0..height).map(move |y| y * width + x));
    Ok((height, width, turned.map(|at| pixels[at]).collect()))
}

/// Whether a page shows what pdftoppm draws: the bound that `crates/paper/tests/printed.rs` states, without its look at
/// the pixels around.
async fn shows_the_card(page: &Page) -> anyhow::Result<()> {
    let (width, height, theirs) = expected().await?;
    ensure!(
        (page.width, page.height, page.bytes) == (4_961, 7_016, 1) && page.resolution_dpi == 600,
        "{page:?}"
    );
    ensure!((width, height) == (4_961, 7_016), "{width} x {height}");
    let pairs = page.pixels.iter().zip(&theirs);
    let (sum, far) = pairs.fold((0_u64, 0_u32), |(sum, far), (one, other)| {
        let apart = one.abs_diff(*other);
        (sum + u64::from(apart), far + u32::from(apart > 128))
    });
    let dark = theirs.iter().filter(|shade| **shade < 128).count();
    ensure!(dark > 500_000, "control: the card is no white page");
    let count = u64::try_from(theirs.len())?;
    ensure!(sum < count, "mean difference {sum} of {count}");
    ensure!(u64::from(far) * 200 < count, "{far} of {count} far apart");
    Ok(())
}

/// What the printer kept.
fn received(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let mut files = std::fs::read_dir(folder)?;
    let file = files.next().context("find what the printer got")??;
    ensure!(files.next().is_none(), "one document was sent");
    Ok(std::fs::read(file.path())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_printed_by_printers_that_take_a_raster_alone() -> anyhow::Result<()> {
    for (format, start) in [
        ("image/pwg-raster", b"RaS2".as_slice()),
        ("image/urf", b"UNIRAST\0"),
    ] {
        let world = World::start(Build::Plain, false).await?;
        let outside = tempfile::tempdir()?;
        let kept = outside.path().to_str().context("a plain path")?;
        let printer = ["--formats", format, "--keep", kept];
        let station = world.station(ID, &printer).await?;
        let _daemon = world.site.start_machine(&station.machine)?;
        let job = world.order(ID, "KK-1", "now").await?;
        let seen = world
            .wait(&job, &["printed", "failed", "rejected", "unknown"])
            .await?;
        ensure!(seen["state"] == "printed", "{format}: {seen}");
        ensure!(seen["sheet_count"] == 1, "{format}: {seen}");
        ensure!(station.printed().await?.sheets == 1);
        let raster = received(outside.path())?;
        ensure!(raster.starts_with(start));
        let pages = pages(&raster)?;
        ensure!(pages.len() == 1);
        shows_the_card(&pages[0]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_with_neither_pdf_nor_a_raster_gets_nothing_and_central_says_why()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &["--formats", "image/jpeg"]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &["printed", "failed", "unknown"]).await?;
    ensure!(
        seen["state"] == "failed" && seen["reason"] == "format-unsupported",
        "{seen}"
    );
    let report = loket_demo::once::printer_report(&station.uri).await?;
    ensure!(report["sheets"] == 0, "{report}");
    let jobs = report["jobs"].as_array().map(Vec::len);
    ensure!(jobs == Some(0), "no job was made there: {report}");
    Ok(())
}

/// Keeps what came, and has the command of CUPS's own PostScript printers read all of it.
const READS: &str = r#"#!/bin/sh
cp "$1" "$OUT/printed" || exit 1
CONTENT_TYPE="$CONTENT_TYPE" ippeveps "$1" > "$OUT/page.ps" || exit 1
echo "ATTR: job-impressions-completed=1" >&2
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_of_another_maker_prints_a_raster() -> anyhow::Result<()> {
    for format in ["image/pwg-raster", "image/urf"] {
        let world = World::start(Build::Plain, false).await?;
        let peer = PeerPrinter::start_with(&world.site, READS, format).await?;
        let machine = world.site.machine(ID, &peer.uri()).await?;
        let _daemon = world.site.start_machine(&machine)?;
        let job = world.order(ID, "KK-1", "now").await?;
        let seen = world.wait(&job, &["printed", "failed", "unknown"]).await?;
        ensure!(seen["state"] == "printed", "{format}: {seen}");
        let raster = std::fs::read(peer.out("printed")).context("read what was printed")?;
        let pages = pages(&raster)?;
        ensure!(pages.len() == 1, "{pages:?}");
        let postscript = std::fs::read_to_string(peer.out("page.ps"))?;
        ensure!(postscript.contains("%%Pages: 1\n"), "it read one page");
    }
    Ok(())
}
