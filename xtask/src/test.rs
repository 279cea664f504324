//! `cargo xtask test`: every check and every test, cheap ones first, each a step with its time.

pub(crate) mod debian;
pub(crate) mod peers;
mod programs;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::metadata::Metadata;
use crate::tally::Tally;
use crate::tidy;
use crate::usb;

pub(crate) use programs::{check_shut, quick};

/// Tells tests where the programs lie: `plain/` as shipped, `hooks/` with the doors for tests.
pub(crate) const PROGRAMS_FOLDER_VARIABLE: &str = "LOKET_BIN_DIR";

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs this step alone; may be given more than once
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
}

/// The steps, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting is what rustfmt makes of it
    Format,
    /// The house rules
    Tidy,
    /// The Debian packages that tests need, and pyHanko, installed where they are missing
    Packages,
    /// No warning from clippy
    Clippy,
    /// Documentation builds without a warning
    Docs,
    /// The programs, as shipped and with the doors for tests
    Programs,
    /// USB in a real kernel, which boots in an emulated computer
    Usb,
    /// Every test
    Tests,
    /// Every example in the documentation
    Doctests,
}

/// Runs the steps, up to the first that fails.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let start = Instant::now();
    for step in Step::value_variants() {
        if !options.only.is_empty() && !options.only.contains(step) {
            continue;
        }
        let name = step.name();
        println!("== {name}");
        let step_start = Instant::now();
        step.run(root).with_context(|| {
            format!("pass the step {name} (alone: cargo xtask test --only {name})")
        })?;
        println!("== {name}: ok, {:.1} s", step_start.elapsed().as_secs_f64());
    }
    println!("== all ok, {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn run(self, root: &Path) -> anyhow::Result<()> {
        match self {
            Self::Format => finish(cargo(root, "fmt --all --check")),
            Self::Tidy => tidy::run(root),
            Self::Packages => {
                debian::install_missing("tests", debian::FOR_TESTS)?;
                debian::install_missing("the USB suite", usb::PACKAGES)?;
                peers::install(root, &Metadata::of_members(root)?.target_directory)
            }
            Self::Clippy => finish(cargo(
                root,
                "clippy --workspace --all-targets -- -D warnings",
            )),
            Self::Docs => {
                let mut command = cargo(root, "doc --no-deps --workspace");
                command.env("RUSTDOCFLAGS", "-D warnings");
                finish(command)
            }
            Self::Programs => programs::build(root),
            Self::Usb => usb::run(root, &usb::Options::of_a_test_run()),
            Self::Tests => tests(root),
            Self::Doctests => finish(cargo(root, "test --doc --workspace")),
        }
    }
}

/// Runs every test, and adds up what they did.
fn tests(root: &Path) -> anyhow::Result<()> {
    let line = if has_nextest(root) {
        format!("nextest run --workspace --test-threads {}", side_by_side())
    } else {
        println!("cargo-nextest is not installed: cargo test runs one crate after the other");
        "test --workspace --lib --bins --tests".to_owned()
    };
    let metadata = Metadata::of_members(root)?;
    let tally = Tally::empty(&metadata)?;
    let mut command = cargo(root, &line);
    command.env(PROGRAMS_FOLDER_VARIABLE, programs_folder(&metadata));
    tally.hears(&mut command);
    let run = finish(command);
    let sums = tally.sums()?;
    println!("{sums}");
    for (name, cases) in &sums.cases {
        println!("fuzz {name}: {cases} cases");
    }
    run?;
    sums.hold(KILLS_OF_A_TEST_RUN)
}

/// How many tests run at a time: half as many again as there are cores, for those with real programs wait a third of their
/// time for a printer's seconds, a broker's or a browser's.
fn side_by_side() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.saturating_mul(3).div_ceil(2)
}

/// So many kills a test run makes, counted and not computed.
const KILLS_OF_A_TEST_RUN: u64 = 200;

/// Builds the programs, plain and with the doors for tests.
pub(crate) fn programs(root: &Path) -> anyhow::Result<()> {
    programs::build(root)
}

/// A command that runs tests of the whole, those that `words` choose, for as long as they take.
pub(crate) fn loket_tests(root: &Path, words: &str) -> anyhow::Result<Command> {
    let runner = if has_nextest(root) {
        "nextest run --profile long"
    } else {
        "test"
    };
    let mut command = cargo(root, &format!("{runner} -p loket-tests {words}"));
    let folder = programs_folder(&Metadata::of_members(root)?);
    command.env(PROGRAMS_FOLDER_VARIABLE, folder);
    Ok(command)
}

pub(crate) fn has_nextest(root: &Path) -> bool {
    let mut command = cargo(root, "nextest --version");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Where the step `programs` leaves them.
fn programs_folder(metadata: &Metadata) -> PathBuf {
    metadata.target_directory.join("loket-bin")
}

/// What `cargo run` sets for the program it starts, by its beginning.
///
/// Build scripts that ask for these are run again, and everything above them is built again, when
/// a cargo started here says something else than one started by hand.
const SET_BY_CARGO_RUN: &[&str] = &[
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
];

/// A cargo command from its words, to be run at the root.
pub(crate) fn cargo(root: &Path, words: &str) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(words.split_whitespace());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if SET_BY_CARGO_RUN
            .iter()
            .any(|beginning| text.starts_with(beginning))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command that talks to the terminal itself.
pub(crate) fn finish(mut command: Command) -> anyhow::Result<()> {
    let shown = shown(&command);
    println!("{shown}");
    let status = command
        .status()
        .with_context(|| format!("start `{shown}`"))?;
    if !status.success() {
        bail!("run `{shown}`: {status}");
    }
    Ok(())
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_named_as_they_are_typed() {
        let names: Vec<String> = Step::value_variants()
            .iter()
            .map(|step| step.name())
            .collect();
        let expected = [
            "format", "tidy", "packages", "clippy", "docs", "programs", "usb", "tests", "doctests",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_cargo_started_here_knows_nothing_of_this_package() {
        // Cargo sets this for tests as `cargo run` does for programs.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let command = cargo(Path::new("."), "build");
        let removed = command
            .get_envs()
            .find(|(name, _)| *name == "CARGO_PKG_NAME");
        assert!(matches!(removed, Some((_, None))));
    }

    #[test]
    fn a_command_that_fails_is_an_error_with_its_line() {
        let mut command = Command::new("false");
        command.arg("a");
        assert!(
            finish(command)
                .unwrap_err()
                .to_string()
                .starts_with("run `false a`: ")
        );
    }
}
