//! `cargo xtask bench`: builds the programs as shipped, where a benchmark starts them, runs it and writes BENCHMARKS.md.
//!
//! ```text
//! target/loket-bench/plain         → target/release, where the driver looks for the programs
//! target/loket-bench/NAME.md       what a run says, before it is put into BENCHMARKS.md
//! ```

mod conditions;
mod document;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::metadata::Metadata;
use crate::test::debian::{Package, install_missing};
use crate::test::{PROGRAMS_FOLDER_VARIABLE, cargo, check_shut, finish, peers, programs};
use crate::usb;

/// The programs as shipped: optimised, without symbols, without the doors for tests.
const BUILD: &str = "build --release --workspace --exclude xtask --exclude loket-usb-guest --bins";

/// The driver, a benchmark of the package that may start every program.
const DRIVER: &str = "bench --package loket-tests --bench loket-bench";

/// What the benchmarks run beside ours or measure with; the first two are the rival.
const PACKAGES: &[Package] = &[
    ("cups-daemon", "cupsd, the rival as a print server"),
    ("cups-client", "lp and lpadmin, the rival's doors"),
    ("cups-ipp-utils", "ippeveprinter, the printer of both sides"),
    ("mosquitto", "the broker that offices run"),
    ("iproute2", "ss, which counts the bytes of a connection"),
    ("zxing-cpp-tools", "ZXingReader, a rival at QR codes"),
    ("zbar-tools", "zbarimg, another"),
    (
        "poppler-utils",
        "pdfsig and pdftoppm, the rivals at judging and drawing",
    ),
    ("libnss3-tools", "certutil, which makes what pdfsig trusts"),
    (
        "python3-venv",
        "a place for pyHanko and zxing-cpp, other rivals",
    ),
    ("imagemagick", "convert, the rival at telling sheets apart"),
    ("time", "the most memory that a process takes"),
];

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One benchmark alone [default: each, one after the other]
    name: Option<Name>,
    /// Documents of `dispatch`, for each side and each rhythm
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// How long `idle` looks
    #[arg(long, value_name = "SECONDS", default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..))]
    window_s: u32,
    /// Faults of `fault` at an idle printer, and as many at a job
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    faults: u16,
    /// How many quarters of an hour `link` looks; a short heartbeat is the third after a start
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    quarters: u32,
    /// Commits of `journal`, alone and in groups
    #[arg(long, value_name = "N", default_value_t = 6400, value_parser = clap::value_parser!(u32).range(64..))]
    commits: u32,
    /// Reads each N-th page of `qr`
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Pairs of sheets of `paper`: one as it was printed, one with a digit changed
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Processes of `raster` for each side and shape
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Calls of `verify` in process; processes are a twentieth
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..))]
    calls: u32,
    /// Kills of loketd that `crash` makes before each of seven printers
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Kills of cupsd that `crash` makes before each of seven printers
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rival_kills: u32,
}

/// The benchmarks, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// From accepted at central to the printer's print command, beside `lp` through cupsd
    Dispatch,
    /// What loketd takes while nothing happens, beside cupsd
    Idle,
    /// From a fault at the printer to central's console
    Fault,
    /// What an idle day costs on the link
    Link,
    /// Commits of the journal, beside bare writes to the same disk
    Journal,
    /// QR codes on harmed pages, beside zxing-cpp and zbar
    Qr,
    /// A printed sheet held against its record, beside ImageMagick
    Paper,
    /// A card made into a raster for a printer without PDF, beside pdftoppm
    Raster,
    /// A signed document judged, beside pdfsig, pyHanko and the floor
    Verify,
    /// Documents printed once through crashes, beside `lp` and cupsd
    Crash,
    /// IPP and bytes over USB in a kernel of its own, beside ipp-usb and usblp
    Usb,
}

/// Builds, then runs one benchmark or each.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let metadata = Metadata::of_members(root)?;
    let target = &metadata.target_directory;
    install_missing("benchmarks", PACKAGES)?;
    peers::install(root, target)?;
    if options.name.is_none_or(Name::starts_programs) {
        finish(cargo(root, BUILD))?;
        // The test run asks programs without optimisation; what ships is built here.
        check_shut(&metadata, &target.join("release"))?;
    }
    let shipped = programs_folder(target)?;
    let names: Vec<String> = Name::value_variants().iter().map(|it| it.word()).collect();
    for name in Name::value_variants() {
        if options.name.is_some_and(|only| only != *name) {
            continue;
        }
        if *name == Name::Usb {
            let conditions = conditions::told(root, &options.typed_for(*name))?;
            let body = format!("{conditions}\n\n{}", usb::measured(root)?);
            document::put(root, &names, &name.word(), &body)?;
            continue;
        }
        let section = shipped.join(format!("{}.md", name.word()));
        // Of crashes nothing is timed: a driver that is optimised would only take longer to build.
        let profile = if *name == Name::Crash {
            " --profile dev"
        } else {
            ""
        };
        let line = format!("{DRIVER}{profile} -- {}", options.words_for(*name));
        let mut command = cargo(root, &line);
        if *name == Name::Crash {
            // Only programs with the doors for tests die where they are told to.
            programs(root)?;
            command.env(PROGRAMS_FOLDER_VARIABLE, target.join("loket-bin"));
        } else {
            command.env(PROGRAMS_FOLDER_VARIABLE, &shipped);
        }
        command.arg("--section").arg(&section);
        // Asked before the run: what is changed meanwhile was not measured.
        let conditions = conditions::told(root, &options.typed_for(*name))?;
        finish(command)?;
        let said = std::fs::read_to_string(&section)
            .with_context(|| format!("read {}", section.display()))?;
        let body = format!("{conditions}\n\n{said}");
        document::put(root, &names, &name.word(), &body)?;
    }
    Ok(())
}

impl Name {
    /// Whether it starts programs of ours; the others measure what is linked into the driver.
    const fn starts_programs(self) -> bool {
        match self {
            Self::Dispatch
            | Self::Idle
            | Self::Fault
            | Self::Link
            | Self::Raster
            | Self::Verify => true,
            Self::Journal | Self::Qr | Self::Paper | Self::Crash | Self::Usb => false,
        }
    }

    /// As it is typed.
    fn word(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

impl Options {
    /// What a person types to measure this one again.
    fn typed_for(&self, name: Name) -> String {
        let words = self.words_for(name);
        format!("cargo xtask bench {words}")
    }

    /// The driver's own command line.
    fn words_for(&self, name: Name) -> String {
        match name {
            Name::Dispatch => format!("dispatch --jobs {}", self.jobs),
            Name::Idle => format!("idle --window-s {}", self.window_s),
            Name::Fault => format!("fault --faults {}", self.faults),
            Name::Link => format!("link --quarters {}", self.quarters),
            Name::Journal => format!("journal --commits {}", self.commits),
            Name::Qr => format!("qr --every {}", self.every),
            Name::Paper => format!("paper --pairs {}", self.pairs),
            Name::Raster => format!("raster --times {}", self.times),
            Name::Verify => format!("verify --calls {}", self.calls),
            Name::Crash => format!(
                "crash --kills {} --rival-kills {}",
                self.kills, self.rival_kills
            ),
            Name::Usb => "usb".to_owned(),
        }
    }
}

/// A folder whose `plain` is what cargo built.
fn programs_folder(target: &Path) -> anyhow::Result<PathBuf> {
    let folder = target.join("loket-bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let plain = folder.join("plain");
    if !plain.is_symlink() {
        symlink(target.join("release"), &plain)
            .with_context(|| format!("make {}", plain.display()))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_found_where_cargo_puts_them_again_and_again() {
        let target = tempfile::tempdir().unwrap();
        std::fs::create_dir(target.path().join("release")).unwrap();
        std::fs::write(target.path().join("release/loketd"), "program").unwrap();
        for _ in 0..2 {
            let folder = programs_folder(target.path()).unwrap();
            let found = std::fs::read_to_string(folder.join("plain/loketd")).unwrap();
            assert_eq!(found, "program");
        }
    }

    #[test]
    fn each_benchmark_gets_its_own_bound() {
        let options = Options {
            name: None,
            jobs: 1,
            window_s: 2,
            faults: 5,
            quarters: 3,
            commits: 64,
            every: 3,
            pairs: 4,
            times: 5,
            calls: 20,
            kills: 5,
            rival_kills: 6,
        };
        let lines = Name::value_variants()
            .iter()
            .map(|name| options.words_for(*name));
        let expected = [
            "dispatch --jobs 1",
            "idle --window-s 2",
            "fault --faults 5",
            "link --quarters 3",
            "journal --commits 64",
            "qr --every 3",
            "paper --pairs 4",
            "raster --times 5",
            "verify --calls 20",
            "crash --kills 5 --rival-kills 6",
            "usb",
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
