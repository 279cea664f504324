//! The benchmarks of BENCHMARKS.md, each beside its peer in one run. `cargo xtask bench` builds what they need and
//! starts them; a person reads the figures, no test asserts them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures go to the terminal that asked for them"
)]

mod crash;
mod dispatch;
mod fault;
mod figures;
mod idle;
mod journal;
mod link;
mod paper;
mod peer_printer;
mod process;
mod qr;
mod raster;
mod rate;
mod section;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    name = "loket-bench",
    about = "One benchmark; `cargo xtask bench` starts it"
)]
struct Line {
    #[command(subcommand)]
    name: Name,
    /// Where to write the section as well as to the terminal
    #[arg(long, global = true, value_name = "FILE")]
    section: Option<PathBuf>,
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
    /// From a fault at the printer to central's console, and from paper in the tray to the sheet
    Fault {
        /// Faults at an idle printer, and as many at a job
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        faults: u16,
    },
    /// What an idle day costs on the link
    Link {
        /// Quarters of an hour to look
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
        quarters: u32,
    },
    /// Commits per second, alone and in groups, beside bare writes to the same disk
    Journal {
        /// Commits one after the other
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..))]
        commits: u32,
    },
    /// QR codes on harmed pages, beside zxing-cpp and zbar
    Qr {
        /// Reads each N-th page of the grid
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        every: u64,
    },
    /// A printed sheet held against its record, beside ImageMagick
    Paper {
        /// Pairs of sheets: one as it was printed, one with a digit changed
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        pairs: u32,
        /// Compares the scan in FOLDER alone, as the process whose memory is measured
        #[arg(long, value_name = "FOLDER", hide = true)]
        once: Option<PathBuf>,
    },
    /// A card made into a raster for a printer without PDF, beside pdftoppm
    Raster {
        /// Processes of each side and shape
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        times: u32,
    },
    /// A signed document judged, beside pdfsig, pyHanko and the floor
    Verify {
        /// Calls in process; processes are a twentieth
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(20..))]
        calls: u32,
    },
    /// Documents printed once through crashes, beside `lp` and cupsd
    Crash {
        /// Kills of loketd before each printer
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        kills: u32,
        /// Kills of cupsd before each printer
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        rival_kills: u32,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Line::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(line: Line) -> anyhow::Result<()> {
    let load = process::load_average();
    let mut section = match line.name {
        Name::Dispatch { jobs } => dispatch::run(usize::from(jobs)).await,
        Name::Idle { window_s } => idle::run(Duration::from_secs(u64::from(window_s))).await,
        Name::Fault { faults } => fault::run(usize::from(faults)).await,
        Name::Link { quarters } => link::run(quarters).await,
        Name::Journal { commits } => journal::run(commits).await,
        Name::Qr { every } => qr::run(every),
        Name::Paper {
            once: Some(folder), ..
        } => paper::once(&folder),
        Name::Paper { pairs, once: None } => paper::run(pairs),
        Name::Raster { times } => raster::run(times),
        Name::Verify { calls } => verify::run(calls),
        Name::Crash { kills, rival_kills } => {
            crash::run(u64::from(kills), u64::from(rival_kills)).await
        }
    }?;
    let load_after = process::load_average();
    section.note(format!("Load average before: {load}; after: {load_after}."));
    println!("{section}");
    if let Some(file) = line.section {
        std::fs::write(&file, section.to_string())
            .with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}
