//! `cargo xtask crash`: loketd is killed at every stop and at random moments, before printers of every character, as
//! often as is asked.

use std::path::Path;

use clap::Args;

use crate::metadata::Metadata;
use crate::tally::Tally;
use crate::test::{PROGRAMS_FOLDER_VARIABLE, finish, loket_tests, programs, quick};

/// Names how many kills each printer of the matrix shall see (`tests/crash/matrix.rs`).
const KILLS_VARIABLE: &str = "LOKET_KILLS";

/// Names where the random moments come from (`tests/src/seed.rs`).
const SEED_VARIABLE: &str = "LOKET_SEED";

/// Of a run, about so many come at known places, whatever is asked; more are made before the printers of the matrix.
const AT_KNOWN_PLACES: u64 = 150;

/// Printers of the matrix, by their names there (`tests/src/matrix/printer.rs`), each with a part of its test's name
/// (`tests/crash/matrix.rs`).
const PRINTERS: [(&str, &str); 7] = [
    ("remembers", "printer_that_remembers"),
    ("forgets-all", "printer_that_forgets_all"),
    ("forgets-but-numbers", "printer_that_forgets_and_goes_on"),
    ("takes-several", "printer_that_takes_several"),
    ("takes-whole", "printer_that_takes_jobs_only"),
    ("ippeveprinter", "before_ippeveprinter"),
    ("cupsd", "before_cupsd"),
];

/// Before each printer at least, as in a test run.
const BEFORE_EACH: u64 = 10;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Kills loketd at least so many times
    #[arg(long, default_value_t = AT_KNOWN_PLACES)]
    kills: u64,
    /// Takes other random moments
    #[arg(long)]
    seed: Option<u64>,
    /// Only before this printer; may be given more than once, and each then sees so many kills [default: all]
    #[arg(long, value_name = "PRINTER", value_parser = PRINTERS.map(|(printer, _test)| printer))]
    before: Vec<String>,
    /// Builds the programs optimised, which takes some minutes and makes thousands of kills possible
    #[arg(long)]
    quick: bool,
}

/// Runs the crash tests; the last line says what came of it.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let programs_folder = if options.quick {
        Some(quick(root)?)
    } else {
        programs(root)?;
        None
    };
    let tally = Tally::empty(&Metadata::of_members(root)?)?;
    let mut command = loket_tests(root, "--test crash")?;
    let is_meant = |printer: &str| options.before.iter().any(|it| it == printer);
    let chosen: Vec<&str> = PRINTERS
        .into_iter()
        .filter_map(|(printer, test)| is_meant(printer).then_some(test))
        .collect();
    if !chosen.is_empty() {
        command.arg("--").args(chosen);
    }
    tally.hears(&mut command);
    if let Some(folder) = programs_folder {
        command.env(PROGRAMS_FOLDER_VARIABLE, folder);
    }
    let before_each = if options.before.is_empty() {
        let printers = u64::try_from(PRINTERS.len())?;
        let of_matrix = options.kills.saturating_sub(AT_KNOWN_PLACES);
        of_matrix.div_ceil(printers).max(BEFORE_EACH)
    } else {
        options.kills
    };
    command.env(KILLS_VARIABLE, before_each.to_string());
    if let Some(seed) = options.seed {
        command.env(SEED_VARIABLE, seed.to_string());
    }
    let run = finish(command);
    let sums = tally.sums()?;
    for (printer, row) in &sums.matrix {
        let row: Vec<String> = row
            .iter()
            .map(|(name, count)| format!("{name}={count}"))
            .collect();
        println!("{printer}: {}", row.join(" "));
    }
    println!("{sums}");
    run?;
    sums.hold(options.kills)
}
