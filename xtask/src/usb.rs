//! `cargo xtask usb`: boots a Debian kernel without hardware, plugs virtual devices into it, and holds what ran against
//! what was to run.
//!
//! ```text
//! target/loket-usb/packages/   the Debian packages that make the guest, as downloaded
//! target/loket-usb/NAME/       each of them unpacked, but not installed
//! target/loket-usb/pappl-printer  a printer that others made, built from tests/usb-guest/peer
//! target/loket-usb/guest.cpio  the guest's files: busybox, modules, programs with their libraries, ipp-usb
//! ```

mod boot;
mod cpio;
mod files;
mod packages;
mod section;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;

use crate::metadata::Metadata;
use crate::test::debian::{Package, install_missing};
use crate::test::{cargo, finish};
use verdict::Verdict;

/// What runs the guest; what is inside of it is downloaded and not installed ([`packages`]).
pub(crate) const PACKAGES: &[Package] = &[
    (
        "qemu-system-x86",
        "a computer for the kernel of the USB suite",
    ),
    ("binutils", "strip, which makes the guest's program small"),
    ("gcc", "a compiler for the printer that others made"),
    ("libpappl-dev", "PAPPL, of which that printer is made"),
];

/// The scenarios that the guest must tell of.
const SCENARIOS: &str = include_str!("../../tests/usb-guest/scenarios.txt");

/// The one scenario of them that holds nothing and tells figures beside a rival's.
const MEASURED: &str = "figures";

/// Of the whole workspace, so that its libraries are those that the other programs are built with.
const BUILD: &str = "build --workspace --exclude xtask --bin loket-usb-guest --bin loketd";

/// A boot and all scenarios take about 90 s on two quiet cores.
const DEADLINE_S: u64 = 900;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// This scenario alone; may be given more than once [default: all]
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// After so long the guest is ended
    #[arg(long, value_name = "SECONDS", default_value_t = DEADLINE_S, value_parser = clap::value_parser!(u64).range(1..))]
    deadline_s: u64,
    /// Optimises what runs in the guest, for figures
    #[arg(long)]
    release: bool,
}

impl Options {
    /// All that must hold, and nothing that is only measured: a rival that starts too late on a busy computer is no fault
    /// of ours.
    pub(crate) fn of_a_test_run() -> Self {
        let held = SCENARIOS
            .lines()
            .filter(|name| !name.is_empty() && *name != MEASURED);
        Self {
            only: held.map(str::to_owned).collect(),
            deadline_s: DEADLINE_S,
            release: false,
        }
    }
}

/// Measures in the guest; gives the section of BENCHMARKS.md.
pub(crate) fn measured(root: &Path) -> anyhow::Result<String> {
    let options = Options {
        only: vec![MEASURED.to_owned()],
        deadline_s: DEADLINE_S,
        release: true,
    };
    section::of(heard(root, &options)?.figures())
}

/// Builds the guest, boots it and judges what it says.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    heard(root, options).map(drop)
}

/// What the guest said, where it held.
fn heard(root: &Path, options: &Options) -> anyhow::Result<Verdict> {
    let expected = expected(&options.only)?;
    install_missing("the USB suite", PACKAGES)?;
    let target = Metadata::of_members(root)?.target_directory;
    let folder = target.join("loket-usb");
    let unpacked = packages::unpacked(&folder)?;
    let profile = if options.release { " --release" } else { "" };
    finish(cargo(root, &format!("{BUILD}{profile}")))?;
    let built = if options.release { "release" } else { "debug" };
    let guests = files::Guests {
        ours: target.join(built),
        peer: peer(root, &folder)?,
    };
    let archive = folder.join("guest.cpio");
    files::write(root, &unpacked, &guests, &archive)?;
    let start = Instant::now();
    let mut verdict = Verdict::default();
    let ended = boot::run(
        &unpacked.kernel()?,
        &archive,
        &options.only,
        Duration::from_secs(options.deadline_s),
        |line| verdict.hear(line),
    );
    println!("{}", verdict.table());
    println!("the guest ran for {:.1} s", start.elapsed().as_secs_f64());
    ended.with_context(|| verdict.trouble())?;
    verdict.hold(&expected)?;
    Ok(verdict)
}

/// Builds the printer that others made.
fn peer(root: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("pappl-printer");
    let mut compile = Command::new("gcc");
    compile
        .args(["-O1", "-s", "-Wall", "-Werror", "-o"])
        .arg(&program)
        .arg(root.join("tests/usb-guest/peer/pappl_printer.c"))
        .arg("-lpappl");
    finish(compile)?;
    Ok(program)
}

/// The names of the scenarios that must run.
fn expected(only: &[String]) -> anyhow::Result<Vec<&str>> {
    let all: Vec<&str> = SCENARIOS.lines().filter(|line| !line.is_empty()).collect();
    if let Some(unknown) = only.iter().find(|name| !all.contains(&name.as_str())) {
        bail!(
            "run {unknown}: there is no such scenario; there are {}",
            all.join(", ")
        );
    }
    let chosen = all
        .into_iter()
        .filter(|name| only.is_empty() || only.iter().any(|it| it == name));
    Ok(chosen.collect())
}

/// What a command says on its standard output.
fn said_by(mut command: Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("run {name}: {}: {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("read what {name} says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_named_once_and_as_they_are_typed() {
        let all = expected(&[]).unwrap();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
        assert!(all.contains(&"print-job"), "{all:?}");
        let words = |it: &str| {
            it.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        assert!(all.iter().all(|name| words(name)), "{all:?}");
    }

    #[test]
    fn a_test_run_holds_all_but_the_figures() {
        let all = expected(&[]).unwrap().len();
        let held = Options::of_a_test_run().only;
        assert_eq!(expected(&held).unwrap().len(), all - 1);
        assert!(!held.iter().any(|name| name == MEASURED));
    }

    #[test]
    fn a_scenario_that_does_not_exist_is_refused() {
        assert!(expected(&["fly".to_owned()]).is_err());
        assert_eq!(expected(&["print-job".to_owned()]).unwrap(), ["print-job"]);
    }
}
