//! The command line of `loket-sim-printer`: one simulated IPP printer until it is told to stop.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{Format, Impressions, Knobs, Memory, PrinterConfig, Replies, SimPrinter};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use uuid::Uuid;

/// A wrong command line, as sysexits has it.
const EX_USAGE: u8 = 64;

/// The service cannot run, as sysexits has it.
const EX_UNAVAILABLE: u8 = 69;

/// A simulated IPP printer; POST /control on the same port turns the knobs while it runs.
#[derive(Debug, Parser)]
#[command(name = "loket-sim-printer")]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The printer's name.
    #[arg(long)]
    name: Option<String>,
    /// The printer's uuid; a new one each start where it is not given.
    #[arg(long)]
    uuid: Option<Uuid>,
    /// Milliseconds a sheet takes.
    #[arg(long)]
    delay_ms: Option<u32>,
    /// Jams after so many sheets.
    #[arg(long, value_name = "SHEETS")]
    jam_after: Option<u32>,
    /// Sheets in the tray.
    #[arg(long, value_name = "SHEETS")]
    paper: Option<u32>,
    /// The door stands open.
    #[arg(long)]
    door_open: bool,
    /// Closes the connection after so many bytes of a document.
    #[arg(long, value_name = "BYTES")]
    stop_after_bytes: Option<u64>,
    /// Takes no new jobs.
    #[arg(long)]
    refuse: bool,
    /// Takes no new job while another has not ended.
    #[arg(long)]
    busy: bool,
    /// Acts, but loses its answer: create-job, send-document, cancel-job, get-jobs, get-printer-attributes, all.
    #[arg(long, value_parser = by_name::<Replies>)]
    lose_reply: Option<Replies>,
    /// What it remembers after a power cycle: keep, forget-restart-ids, forget-keep-ids.
    #[arg(long, value_parser = by_name::<Memory>)]
    memory: Option<Memory>,
    /// Says completed, though nothing came out.
    #[arg(long)]
    completes_without_paper: bool,
    /// What it says of the sides that came out: honest, absent, zero, one-more.
    #[arg(long, value_parser = by_name::<Impressions>)]
    impressions: Option<Impressions>,
    /// Takes a second document for the same job, and prints it.
    #[arg(long)]
    multiple_document_jobs: bool,
    /// Takes a job only with its document: has no Create-Job and Send-Document.
    #[arg(long)]
    print_job_only: bool,
    /// The formats it takes, for instance image/pwg-raster alone: application/pdf, image/pwg-raster, image/urf,
    /// image/jpeg.
    #[arg(long, value_delimiter = ',', value_parser = by_name::<Format>)]
    formats: Option<Vec<Format>>,
    /// Seconds a job without a document is kept.
    #[arg(long, value_name = "SECONDS")]
    multiple_operation_time_out_s: Option<u32>,
    /// Writes each received document into this folder, readable to its owner alone, and deletes it after 24 hours.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Reads a knob's value by the name it has in JSON.
fn by_name<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(name.into())
}

impl Arguments {
    fn into_config(self) -> PrinterConfig {
        let sound = PrinterConfig::default();
        let knobs = Knobs {
            delay_ms: self.delay_ms.unwrap_or(sound.knobs.delay_ms),
            paper: self.paper,
            jam_after: self.jam_after,
            door_open: self.door_open,
            stop_after_bytes: self.stop_after_bytes,
            refuse: self.refuse,
            busy: self.busy,
            lose_reply: self.lose_reply,
            memory: self.memory.unwrap_or_default(),
            completes_without_paper: self.completes_without_paper,
            impressions: self.impressions.unwrap_or_default(),
            multiple_document_jobs: self.multiple_document_jobs,
            print_job_only: self.print_job_only,
            formats: self.formats.unwrap_or(sound.knobs.formats),
            ..Knobs::default()
        };
        let time_out = self
            .multiple_operation_time_out_s
            .map(|s| Duration::from_secs(s.into()));
        PrinterConfig {
            listen: self.listen,
            name: self.name.unwrap_or(sound.name),
            uuid: self.uuid.unwrap_or(sound.uuid),
            multiple_operation_time_out: time_out.unwrap_or(sound.multiple_operation_time_out),
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
    let filter = filter.unwrap_or_else(usual);
    tracing_subscriber::registry()
        .with(filter)
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
            tracing::error!(%error, "failed to run the printer");
            ExitCode::from(EX_UNAVAILABLE)
        }
    }
}

async fn run(config: PrinterConfig) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let printer = SimPrinter::start(config).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening {}", printer.uri())?;
    out.flush()?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    printer.stop().await;
    Ok(())
}
