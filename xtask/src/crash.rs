//! `cargo xtask crash`: loketd is killed at every stop and at random moments, as often as is asked.

use std::path::Path;

use clap::Args;

use crate::metadata::Metadata;
use crate::tally::Tally;
use crate::test::{finish, loket_tests, programs};

/// Names how many of the kills shall come at random moments (`tests/crash/soak.rs`).
const KILLS_VARIABLE: &str = "LOKET_KILLS";

/// Names where the random moments come from (`tests/src/seed.rs`).
const SEED_VARIABLE: &str = "LOKET_SEED";

/// Of a run, about so many come at known places, whatever is asked; more are made at random moments.
const AT_KNOWN_PLACES: u64 = 200;

/// At random moments at least: one round of them.
const AT_RANDOM: u64 = 20;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Kills loketd at least so many times
    #[arg(long, default_value_t = AT_KNOWN_PLACES)]
    kills: u64,
    /// Takes other random moments
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the crash tests; the last line says what came of it.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    programs(root)?;
    let tally = Tally::empty(&Metadata::of_members(root)?)?;
    let mut command = loket_tests(root, "--test crash")?;
    tally.hears(&mut command);
    let at_random = options.kills.saturating_sub(AT_KNOWN_PLACES).max(AT_RANDOM);
    command.env(KILLS_VARIABLE, at_random.to_string());
    if let Some(seed) = options.seed {
        command.env(SEED_VARIABLE, seed.to_string());
    }
    let run = finish(command);
    let sums = tally.sums()?;
    println!("{sums}");
    run?;
    sums.hold(options.kills)
}
