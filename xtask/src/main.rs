//! Runs the project's own commands: `cargo xtask test`, `tidy`, `crash`, `fuzz`, `usb` and `bench`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command talks to the terminal it was typed in"
)]

mod bench;
mod crash;
mod fuzz;
mod metadata;
mod place;
mod tally;
mod test;
mod tidy;
mod tree;
mod usb;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Exit code of a command line that cannot be understood (sysexits EX_USAGE).
const EXIT_USAGE: u8 = 64;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The project's own commands"
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Installs the Debian packages that tests need, then runs every check and every test
    Test(test::Options),
    /// Checks the house rules of CONTRIBUTING.md and prints every violation
    Tidy,
    /// Kills loketd at every stop and at random moments, and says what became of its documents
    Crash(crash::Options),
    /// Gives readers of bytes bytes that are nearly right, as many as are asked for
    Fuzz(fuzz::Options),
    /// Drives virtual USB devices in a real kernel, which boots in an emulated computer
    Usb(usb::Options),
    /// Builds the programs as shipped and runs the benchmarks of BENCHMARKS.md
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match Line::try_parse() {
        Ok(line) => run(line.command),
        Err(error) => refuse(&error),
    }
}

fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Test(options) => test::run(&root(), &options),
        Command::Tidy => tidy::run(&root()),
        Command::Crash(options) => crash::run(&root(), &options),
        Command::Fuzz(options) => fuzz::run(&root(), &options),
        Command::Usb(options) => usb::run(&root(), &options),
        Command::Bench(options) => bench::run(&root(), &options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what clap has to say; help and version are no errors.
fn refuse(error: &clap::Error) -> ExitCode {
    let printed = error.print().is_ok();
    if error.use_stderr() || !printed {
        ExitCode::from(EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// The names of the commands, for the check of what documents tell to type.
fn command_names() -> Vec<String> {
    Line::command()
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect()
}

/// The folder of the root Cargo.toml: this package's parent.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn a_wrong_flag_is_a_usage_error_and_help_is_not() {
        let wrong = Line::try_parse_from(["xtask", "tidy", "--no-such-flag"]).unwrap_err();
        assert!(wrong.use_stderr());
        let help = Line::try_parse_from(["xtask", "--help"]).unwrap_err();
        assert!(!help.use_stderr());
    }
}
