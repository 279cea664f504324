//! ImageMagick as people use it on scans: straightened, brought to the page's size, subtracted, smoothed, and the
//! largest difference taken.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_paper::raster::Gray;

use crate::process;

/// How many honest and how many forged sheets are suspected from the threshold on that parts these very scores best: no
/// other would serve the rival better.
pub(super) fn best(scores: &[[f64; 2]]) -> (usize, usize) {
    let over = |threshold: f64| {
        let honest = scores.iter().filter(|[honest, _]| *honest >= threshold);
        let forged = scores.iter().filter(|[_, forged]| *forged >= threshold);
        (honest.count(), forged.count())
    };
    let each = scores.iter().flatten().map(|threshold| over(*threshold));
    // Of equal ones that which suspects fewest.
    each.min_by_key(|(honest, forged)| (honest + scores.len() - forged, *honest))
        .unwrap_or_default()
}

/// The page, and a folder for scans.
pub(super) struct Rival {
    folder: tempfile::TempDir,
    size: String,
}

impl Rival {
    pub(super) fn new(page: &Gray) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        std::fs::write(folder.path().join("page.pgm"), to_pgm(page)).context("write the page")?;
        let size = format!("{}x{}!", page.width, page.height);
        Ok(Self { folder, size })
    }

    fn command(&self, scan: &Gray, name: &str) -> anyhow::Result<Command> {
        let file = self.folder.path().join(format!("{name}.pgm"));
        std::fs::write(&file, to_pgm(scan)).context("write a scan")?;
        let mut command = Command::new("convert");
        command.arg("(").arg(file);
        command.args([
            "-deskew",
            "40%",
            "+repage",
            "-resize",
            &self.size,
            "-normalize",
            ")",
        ]);
        command.arg(self.folder.path().join("page.pgm"));
        command.args(["-compose", "difference", "-composite", "-blur", "0x2"]);
        command.args(["-format", "%[fx:maxima]", "info:"]);
        Ok(command)
    }

    /// The largest difference, from 0 to 1, and how long the process took.
    pub(super) fn score(&self, scan: &Gray, seed: u64) -> anyhow::Result<(f64, Duration)> {
        let name = format!("{seed}-{:?}", std::thread::current().id());
        let mut command = self.command(scan, &name)?;
        let since = Instant::now();
        let output = command
            .output()
            .context("start convert of the Debian package imagemagick")?;
        let wall = since.elapsed();
        ensure!(output.status.success(), "run convert: {}", output.status);
        let said = String::from_utf8_lossy(&output.stdout);
        let score = said.trim().parse();
        Ok((
            score.with_context(|| format!("read what convert says: {said}"))?,
            wall,
        ))
    }

    pub(super) fn peak_kib(&self, scan: &Gray) -> anyhow::Result<u64> {
        process::peak_kib(&self.command(scan, "memory")?)
    }

    /// How it was asked.
    pub(super) fn note(&self, every: u64) -> String {
        format!(
            "Peer: `convert` of Debian's imagemagick, each {every}th pair: `-deskew 40%`, brought to the page's {}, subtracted from \
             the page as it was printed, `-blur 0x2`; suspected from that largest difference on which parts these very sheets best.",
            self.size.trim_end_matches('!')
        )
    }
}

/// As the simplest of picture files.
pub(super) fn to_pgm(picture: &Gray) -> Vec<u8> {
    let mut file = format!("P5\n{} {}\n255\n", picture.width, picture.height).into_bytes();
    file.extend(&picture.pixels);
    file
}

/// What [`to_pgm`] wrote.
pub(super) fn from_pgm(file: &[u8]) -> anyhow::Result<Gray> {
    let mut parts = file.splitn(4, |byte| *byte == b'\n');
    let (Some(_magic), Some(sides), Some(_white), Some(pixels)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        anyhow::bail!("read a picture: it has no head");
    };
    let sides = std::str::from_utf8(sides).context("read a picture")?;
    let (width, height) = sides.split_once(' ').context("read a picture")?;
    Ok(Gray {
        width: width.parse().context("read a picture")?,
        height: height.parse().context("read a picture")?,
        pixels: pixels.to_vec(),
        dpi: Some(loket_sim::paper::SCAN_DPI),
    })
}
