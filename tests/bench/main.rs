//! The benchmarks of BENCHMARKS.md, each beside its peer in one run. `cargo xtask bench` builds what they need and
//! starts them; a person reads the figures, no test asserts them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures go to the terminal that asked for them"
)]

mod cups;
mod dispatch;
mod figures;
mod idle;
mod journal;
mod peer_printer;
mod process;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "loket-bench",
    about = "One benchmark; `cargo xtask bench` starts it"
)]
struct Line {
    #[command(subcommand)]
    name: Name,
    /// Said by `cargo bench` to every benchmark; means nothing here.
    #[arg(long = "bench", global = true, hide = true)]
    from_cargo: bool,
}

#[derive(Debug, Subcommand)]
enum Name {
    /// From accepted to the start of the print command, beside `lp` through cupsd
    Dispatch {
        /// Documents for each side and each rhythm
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        jobs: u16,
    },
    /// What the daemon takes while nothing happens, beside cupsd
    Idle {
        /// How long to look
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
        window_s: u32,
    },
    /// Commits per second, alone and in groups, beside bare writes to the same disk
    Journal {
        /// Commits one after the other
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..))]
        commits: u32,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let line = Line::parse();
    let load = process::load_average();
    println!("load average before: {load}");
    let done = match line.name {
        Name::Dispatch { jobs } => dispatch::run(usize::from(jobs)).await,
        Name::Idle { window_s } => idle::run(Duration::from_secs(u64::from(window_s))).await,
        Name::Journal { commits } => journal::run(commits).await,
    };
    match done {
        Ok(()) => {
            println!("load average after: {}", process::load_average());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}
