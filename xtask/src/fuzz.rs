//! `cargo xtask fuzz`: every fuzzer of the test run, or one of them, with as many cases as are asked for.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use clap::Args;

use crate::metadata::Metadata;
use crate::tally::Tally;
use crate::test::{cargo, finish, has_nextest};

/// Names how many cases each fuzzer gets (`crates/fuzz/src/fuzz.rs`).
const CASES_VARIABLE: &str = "LOKET_CASES";

/// Names where the cases come from (`crates/fuzz/src/seed.rs`).
const SEED_VARIABLE: &str = "LOKET_SEED";

/// As fast as what is shipped, with the checks of arithmetic that a test has (root Cargo.toml).
const PROFILE: &str = "fuzz";

/// Asks what the dearest case takes (`crates/fuzz/src/cost.rs`).
const COST_VARIABLE: &str = "LOKET_COST";

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs the fuzzers whose name holds this; all where it is absent
    name: Option<String>,
    /// Cases of each; some ten seconds of them where it is absent
    #[arg(long)]
    cases: Option<u64>,
    /// Takes other cases
    #[arg(long)]
    seed: Option<u64>,
    /// Builds with optimisation; arithmetic that wraps is a panic all the same
    #[arg(long)]
    release: bool,
    /// Builds and runs the tests of this crate alone
    #[arg(long)]
    package: Option<String>,
}

/// Runs the fuzzers and says how many cases each had.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let tally = Tally::empty(&Metadata::of_members(root)?)?;
    let name = options.name.as_deref().unwrap_or_default();
    let (words, profile) = if has_nextest(root) {
        ("nextest run --profile long", "--cargo-profile")
    } else {
        ("test --lib --tests", "--profile")
    };
    let mut command = cargo(root, words);
    if options.release {
        command.args([profile, PROFILE]);
    }
    match &options.package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    // Every fuzzer is a test whose name begins so.
    command.arg(format!("fuzz_{name}"));
    tally.hears(&mut command);
    command.env(COST_VARIABLE, "1");
    if let Some(cases) = options.cases {
        command.env(CASES_VARIABLE, cases.to_string());
    }
    if let Some(seed) = options.seed {
        command.env(SEED_VARIABLE, seed.to_string());
    }
    finish(command)?;
    let sums = tally.sums()?;
    if sums.cases.is_empty() {
        bail!("find a fuzzer called {name}");
    }
    for (name, cases) in &sums.cases {
        let of = |costs: &BTreeMap<String, u64>| costs.get(name).copied().unwrap_or_default();
        println!(
            "fuzz {name}: {cases} cases, {} µs the slowest (seed {}), {} KiB the process",
            of(&sums.slowest_us),
            of(&sums.slowest_seed),
            of(&sums.peak_kib),
        );
    }
    Ok(())
}
