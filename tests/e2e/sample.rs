//! The sample family card as the paper shows it, judged by programs of others: poppler and zbar.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use loket_demo::site::text;
use tokio::process::Command;

/// What printers of offices do at least.
const DPI: f64 = 300.0;

/// ISO/IEC 18004, 9.1: white of so many modules on each side of a QR code.
const QUIET_MODULES: f64 = 4.0;

fn sample() -> String {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    text(&fixtures.join("kk-sample-bb.pdf"))
}

async fn said(program: &str, package: &str, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.with_context(|| format!("run {program}: Debian package {package}"))?;
    ensure!(output.status.success(), "{program}: {output:?}");
    Ok(output.stdout)
}

#[tokio::test]
async fn the_sample_is_one_upright_page_of_a4_landscape_with_numbered_columns() -> anyhow::Result<()>
{
    let info = said("pdfinfo", "poppler-utils", &[&sample()]).await?;
    let info = String::from_utf8(info)?;
    let line = |key: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| *found == key).map(|it| it.1.trim())
    };
    ensure!(line("Pages") == Some("1"), "{info}");
    ensure!(
        line("Page size") == Some("841.89 x 595.276 pts (A4)"),
        "{info}"
    );
    ensure!(line("Page rot") == Some("0"), "{info}");
    let shown = said("pdftotext", "poppler-utils", &[&sample(), "-"]).await?;
    let shown = String::from_utf8(shown)?;
    for word in ["Dokumen Imigrasi", "Nama Orang Tua", "(1)", "(9)"] {
        ensure!(shown.contains(word), "{word}");
    }
    for column in 10..=17 {
        let number = format!("({column})");
        ensure!(shown.matches(&number).count() == 1, "{number}");
    }
    Ok(())
}

#[tokio::test]
async fn the_sample_s_qr_code_is_read_and_stands_in_enough_white() -> anyhow::Result<()> {
    let dpi = DPI.to_string();
    let file = sample();
    let arguments = ["-r", &dpi, "-gray", &file];
    let page = said("pdftoppm", "poppler-utils", &arguments).await?;
    let folder = tempfile::tempdir()?;
    let image = folder.path().join("page.pgm");
    std::fs::write(&image, &page)?;
    let read = said("zbarimg", "zbar-tools", &["-q", "--raw", &text(&image)]).await?;
    let read = String::from_utf8(read)?;
    ensure!(
        read.trim_end()
            == "https://kk.contoh.invalid/Terpusat/Pindai/CONTOH9971_00000000-0000-4000-8000-000000000001",
        "{read}"
    );
    let (area, module) = code_area(&std::fs::read(sample())?)?;
    let picture = Picture::read(&page)?;
    let quiet = module * QUIET_MODULES;
    // A pixel of the edge may be half the code's.
    let slack = 72.0 / DPI;
    for (x, y, value) in picture.points() {
        let is_in = |margin: f64| {
            (area[0] - margin..=area[2] + margin).contains(&x)
                && (area[1] - margin..=area[3] + margin).contains(&y)
        };
        if is_in(quiet - slack) && !is_in(slack) {
            ensure!(value > 250, "ink at {x:.1}, {y:.1} pt beside the code");
        }
    }
    Ok(())
}

/// Left, foot, right and head of the QR code in points, and the size of a module: its dark runs are the only filled
/// boxes of the page, whose content stands uncompressed.
fn code_area(document: &[u8]) -> anyhow::Result<([f64; 4], f64)> {
    let document = String::from_utf8_lossy(document);
    let mut area = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    let mut module = f64::MAX;
    for line in document.lines() {
        let Some(line) = line.strip_suffix(" re f*") else {
            continue;
        };
        let numbers = line.split(' ').filter_map(|word| word.parse().ok());
        let numbers: Vec<f64> = numbers.collect();
        let [x, y, width, height] = numbers[..] else {
            bail!("read a box: {line}");
        };
        area = [
            area[0].min(x),
            area[1].min(y),
            area[2].max(x + width),
            area[3].max(y + height),
        ];
        module = module.min(height);
    }
    ensure!(module < 2.0, "find the code's boxes: {module}");
    Ok((area, module))
}

/// A page in grey.
struct Picture {
    width: usize,
    height: usize,
    values: Vec<u8>,
}

impl Picture {
    /// A binary PGM of 8 bits (netpbm): magic, width, height, greatest value, each behind one white space.
    fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let mut fields = Vec::new();
        let mut rest = bytes;
        while fields.len() < 4 {
            let end = rest.iter().position(u8::is_ascii_whitespace);
            let (field, behind) = rest.split_at(end.context("read the page")?);
            fields.push(std::str::from_utf8(field)?.to_owned());
            rest = &behind[1..];
        }
        ensure!(fields[0] == "P5" && fields[3] == "255", "{fields:?}");
        let (width, height) = (fields[1].parse()?, fields[2].parse()?);
        ensure!(rest.len() == width * height, "a whole page");
        Ok(Self {
            width,
            height,
            values: rest.to_vec(),
        })
    }

    /// Each pixel's middle in points from the lower left corner, and its value.
    fn points(&self) -> impl Iterator<Item = (f64, f64, u8)> + '_ {
        let scale = 72.0 / DPI;
        let middle = move |at: usize| (f64::from(u32::try_from(at).unwrap_or(0)) + 0.5) * scale;
        self.values.iter().enumerate().map(move |(at, value)| {
            let (row, column) = (at / self.width, at % self.width);
            (middle(column), middle(self.height - 1 - row), *value)
        })
    }
}
