//! The readers beside ours: a process for each page, or one that stays for all.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::process::python_peer;

/// A reader beside ours.
pub(super) enum Reader {
    /// A program that is started for each page.
    Program {
        name: &'static str,
        before: &'static [&'static str],
    },
    /// A process that is told each page.
    Process(Staying),
}

/// One that is started once; it ends with its input.
pub(super) struct Staying {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Those of Debian as they are, and zxing-cpp as well as it reads: with tiles, and these twice as large.
pub(super) fn all() -> anyhow::Result<[Reader; 3]> {
    let mut command = python_peer("read_zxing.py");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .context("start zxing-cpp: cargo xtask test --only packages")?;
    let input = child.stdin.take().context("write to zxing-cpp")?;
    let output = child.stdout.take().context("read from zxing-cpp")?;
    Ok([
        Reader::Process(Staying {
            name: "zxing-cpp with tiles",
            child,
            input,
            lines: BufReader::new(output).lines(),
        }),
        Reader::Program {
            name: "ZXingReader",
            before: &["-1", "-format", "QRCode"],
        },
        Reader::Program {
            name: "zbarimg",
            before: &["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"],
        },
    ])
}

impl Reader {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Program { name, .. } | Self::Process(Staying { name, .. }) => name,
        }
    }

    /// What it reads from a page, and how long that took: the whole process, or what the process tells.
    pub(super) fn read(&mut self, file: &Path) -> anyhow::Result<(Vec<Vec<u8>>, Duration)> {
        match self {
            Self::Program { name, before } => by_program(name, before, file),
            Self::Process(staying) => staying.read(file),
        }
    }
}

/// The payloads that a program prints for a page; ZXingReader puts them behind a word and between quotation marks.
fn by_program(
    name: &str,
    before: &[&str],
    file: &Path,
) -> anyhow::Result<(Vec<Vec<u8>>, Duration)> {
    let started = Instant::now();
    let mut command = Command::new(name);
    command.args(before).arg(file).stderr(Stdio::null());
    let output = command.output().with_context(|| format!("start {name}"))?;
    ensure!(output.status.code().is_some(), "{name} was ended");
    let took = started.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let payloads = text.lines().filter_map(|line| {
        let at = line.find("https://")?;
        let payload = line.get(at..)?.split(['"', ' ']).next()?;
        Some(payload.as_bytes().to_vec())
    });
    Ok((payloads.collect(), took))
}

impl Staying {
    fn read(&mut self, file: &Path) -> anyhow::Result<(Vec<Vec<u8>>, Duration)> {
        let name = self.name;
        writeln!(self.input, "{}", file.display()).with_context(|| format!("write to {name}"))?;
        let line = self
            .lines
            .next()
            .with_context(|| format!("hear from {name}"))?;
        let line = line.with_context(|| format!("read from {name}"))?;
        let told: serde_json::Value =
            serde_json::from_str(&line).with_context(|| format!("read what {name} says"))?;
        let said = told.get("said").and_then(serde_json::Value::as_array);
        let said = said.with_context(|| format!("read payloads of {name}"))?;
        let payloads = said
            .iter()
            .filter_map(|payload| Some(payload.as_str()?.as_bytes().to_vec()));
        let seconds = told.get("seconds").and_then(serde_json::Value::as_f64);
        let seconds = seconds.with_context(|| format!("read the time of {name}"))?;
        Ok((payloads.collect(), Duration::from_secs_f64(seconds)))
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // Its input ends with this benchmark, but only after it: a process that waits for more is ended.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
