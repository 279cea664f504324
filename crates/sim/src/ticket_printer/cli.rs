//! The command line of `loket-sim-ticket-printer`: one simulated ticket printer until it is told to stop.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Knobs, SimTicketPrinter, Speaks, TicketPrinterConfig, Truth};

/// A wrong command line, as sysexits has it.
const EX_USAGE: u8 = 64;

/// The service cannot run, as sysexits has it.
const EX_UNAVAILABLE: u8 = 69;

/// A simulated ESC/POS ticket printer; POST /control at its control door turns the knobs while it runs.
#[derive(Debug, Parser)]
#[command(name = "loket-sim-ticket-printer")]
struct Arguments {
    /// Where it is written to; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where its control door is; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Millimetres of the roll: 58 or 80.
    #[arg(long, default_value = "80", value_parser = dots)]
    width_mm: u16,
    /// Rows of dots left on the roll, eight a millimetre.
    #[arg(long, value_name = "DOTS")]
    paper_dots: Option<u32>,
    /// The roll is nearly at its end.
    #[arg(long)]
    near_end: bool,
    /// The cover stands open.
    #[arg(long)]
    cover_open: bool,
    /// It is offline and says not why.
    #[arg(long)]
    offline: bool,
    /// The knife sticks at the next cut.
    #[arg(long)]
    cutter_jams: bool,
    /// Breaks the connection at this byte.
    #[arg(long, value_name = "BYTES")]
    unplugs_at: Option<u64>,
    /// Fails at this byte and forgets what it had not printed.
    #[arg(long, value_name = "BYTES")]
    dies_at: Option<u64>,
    /// Bytes that it works through in a second.
    #[arg(long, value_name = "BYTES")]
    bytes_per_s: Option<u32>,
    /// Bytes that it takes ahead.
    #[arg(long, value_name = "BYTES")]
    buffer_bytes: Option<usize>,
    /// What it answers: nothing, status, in-line, words.
    #[arg(long, value_parser = by_name::<Speaks>)]
    speaks: Option<Speaks>,
    /// How true that is: honest, garbage, wrong-bits, twice, early, all-is-well.
    #[arg(long, value_parser = by_name::<Truth>)]
    truth: Option<Truth>,
    /// Milliseconds until an answer leaves.
    #[arg(long)]
    answer_ms: Option<u32>,
    /// It starts with two bytes a character.
    #[arg(long)]
    double_byte: bool,
    /// Draws each slip into this folder, readable to its owner alone, and deletes it after 24 hours.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Reads a knob's value by the name it has in JSON.
fn by_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(name.into())
}

/// Dots a line of a roll that is so wide.
fn dots(millimetres: &str) -> Result<u16, &'static str> {
    match millimetres {
        "58" => Ok(384),
        "80" => Ok(576),
        _ => Err("a roll is 58 or 80 mm wide"),
    }
}

impl Arguments {
    fn into_config(self) -> TicketPrinterConfig {
        let sound = Knobs::default();
        let knobs = Knobs {
            paper_dots: self.paper_dots,
            near_end: self.near_end,
            cover_open: self.cover_open,
            offline: self.offline,
            cutter_jams: self.cutter_jams,
            unplugs_at: self.unplugs_at,
            dies_at: self.dies_at,
            bytes_per_s: self.bytes_per_s,
            buffer_bytes: self.buffer_bytes.unwrap_or(sound.buffer_bytes),
            speaks: self.speaks.unwrap_or_default(),
            truth: self.truth.unwrap_or_default(),
            answer_ms: self.answer_ms.unwrap_or(sound.answer_ms),
            double_byte: self.double_byte,
            ..sound
        };
        TicketPrinterConfig {
            listen: self.listen,
            control: self.control,
            dots: self.width_mm,
            keep: self.keep,
            knobs,
        }
    }
}

/// Reads the command line `args`, the program's name first, and runs the printer.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(usage) => {
            let is_help = !usage.use_stderr();
            // Nobody is left to be told where even this cannot be written.
            usage.print().ok();
            return if is_help {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(EX_USAGE)
            };
        }
    };
    // An empty text is read as everything.
    let wished = std::env::var("RUST_LOG").ok();
    let wished = wished.filter(|text| !text.is_empty());
    let filter: Option<Targets> = wished.and_then(|text| text.parse().ok());
    let usual = || Targets::new().with_default(LevelFilter::ERROR);
    tracing_subscriber::registry()
        .with(filter.unwrap_or_else(usual))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let ran = runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(arguments.into_config())));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "failed to run the ticket printer");
            ExitCode::from(EX_UNAVAILABLE)
        }
    }
}

async fn run(config: TicketPrinterConfig) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let printer = SimTicketPrinter::start(config).await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "listening {} control {}",
        printer.address(),
        printer.control_url()
    )?;
    out.flush()?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    printer.stop().await;
    Ok(())
}
