//! The command line: `run`, `check-config`, `devices`, `verify`, `print`, `jobs`, `job`, `identity`.
//!
//! Usage errors exit 64, unreadable files 66, wrong settings 78 (sysexits.h).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's face at a terminal"
)]

mod identity;
mod jobs;
mod print;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loket_wire::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError};
use crate::device::{IppDevice, Printer as _};
use crate::exit::Exit;
use crate::telemetry::{self, chain};

/// Where the settings lie unless said otherwise.
const DEFAULT_CONFIG: &str = "/etc/loket/loket.toml";

#[derive(Debug, Parser)]
#[command(
    name = "loketd",
    version,
    about = "The daemon of one kiosk or print station"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run(At),
    /// Check the settings and print each effective value with its origin.
    CheckConfig(At),
    /// Say what the settings' devices answer.
    Devices {
        #[command(flatten)]
        at: At,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Judge a signed document, offline: exit 0 valid, 1 invalid, 2 indeterminate.
    Verify {
        /// The PDF.
        file: PathBuf,
        /// Folder with trust anchors, intermediates and revocation lists; the settings' where absent.
        #[arg(long)]
        trust: Option<PathBuf>,
        /// The moment of judgement, RFC 3339; now where absent.
        #[arg(long, value_parser = parse_time)]
        at: Option<Timestamp>,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Print one signed document by hand: exit 0 printed, 1 not printed, 2 not known.
    Print {
        /// The PDF.
        file: PathBuf,
        /// The printer's address, `ipp://…`; a running daemon takes printers of its settings alone.
        #[arg(long)]
        printer: String,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// List the jobs that are not ended.
    Jobs {
        #[command(flatten)]
        at: At,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Release, cancel or answer one job.
    Job {
        #[command(subcommand)]
        what: jobs::JobCommand,
    },
    /// The machine's side of enrolment.
    Identity {
        #[command(subcommand)]
        what: identity::IdentityCommand,
    },
    /// Print the names of the stops that crash tests kill at.
    #[cfg(feature = "crash-stops")]
    #[command(hide = true)]
    Stops,
}

/// Where the settings lie.
#[derive(Debug, clap::Args)]
struct At {
    /// The settings file.
    #[arg(long, default_value = DEFAULT_CONFIG)]
    config: PathBuf,
}

/// Reads the command line `args`, the program's name first, does it, and gives the exit code.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    telemetry::tell_panics_by_place();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a usage error.
            drop(error.print());
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    #[cfg(feature = "test-hooks")]
    if std::env::var_os("LOKET_UNSEALED").is_some() {
        loket_wire::sealed::unsealed::turn_on();
    }
    let exit = match cli.command {
        Command::Run(at) => run(&at),
        Command::CheckConfig(at) => check_config(&at),
        Command::Devices { at, json } => devices(&at, json),
        Command::Verify {
            file,
            trust,
            at,
            json,
        } => verify::verify(&file, trust.as_deref(), at, json),
        Command::Print {
            file,
            printer,
            json,
            at,
        } => print::print(&at.config, &file, &printer, json),
        Command::Jobs { at, json } => jobs::list(&at.config, json),
        Command::Job { what } => jobs::change(&what),
        Command::Identity { what } => identity::identity(&what),
        #[cfg(feature = "crash-stops")]
        Command::Stops => {
            for stop in crate::stops::Stop::ALL {
                println!("{}", stop.word());
            }
            Exit::Done
        }
    };
    exit.into()
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).map_err(|error| error.to_string())
}

/// Reads the settings or says why not; the exit code tells an unreadable file from wrong settings.
fn read_config(path: &std::path::Path) -> Result<Config, Exit> {
    Config::read(path).map_err(|error| {
        eprintln!("failed to {}", chain(&error));
        match error {
            ConfigError::Read { .. } => Exit::Unreadable,
            ConfigError::Shape { .. } | ConfigError::Value { .. } => Exit::Config,
        }
    })
}

/// One thread: the daemon waits nearly always, and old PCs have little memory. Blocking work has its own threads.
fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .build()
        .map_err(|error| {
            eprintln!("failed to start the runtime: {error}");
            Exit::Bug
        })
}

/// Names are looked up on these threads too, for ten seconds each where the name server is dead: the link, two fetches
/// and a printer's lane may all wait for one while the journal is checked, and documents still find a thread for each of
/// their turns. A thread that only waits costs some kilobytes.
const MAX_BLOCKING_THREADS: usize = 8;

/// Idle blocking threads give their stacks back soon.
const BLOCKING_KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(5);

fn run(at: &At) -> Exit {
    let config = match read_config(&at.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    telemetry::install(config.log, &config.log_filter);
    install_crypto();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!(%error, "signals cannot be heard");
                return Err(Exit::Bug);
            }
        };
        let daemon = crate::run(config, stop.clone());
        tokio::pin!(daemon);
        let ended = tokio::select! {
            ended = &mut daemon => ended,
            () = signals.first() => {
                tracing::info!("asked to stop; draining");
                stop.cancel();
                daemon.await
            }
        };
        ended.map_err(|error| {
            tracing::error!(error = %chain(&error), "loketd ended: failed to {}", chain(&error));
            error.exit()
        })
    });
    // A blocking read of a dead disk must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended.map_or_else(|exit| exit, |()| Exit::Done)
}

/// One provider a process; a second call finds it there.
pub(crate) fn install_crypto() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn first(mut self) {
        tokio::select! {
            _asked = self.terminate.recv() => {}
            _asked = self.interrupt.recv() => {}
        }
    }
}

fn check_config(at: &At) -> Exit {
    let config = match read_config(&at.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let file = std::fs::read_to_string(&at.config).unwrap_or_default();
    let table: toml::Table = toml::from_str(&file).unwrap_or_default();
    print!("{}", config.explain(&table));
    Exit::Done
}

fn devices(at: &At, json: bool) -> Exit {
    let config = match read_config(&at.config) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    install_crypto();
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let mut found = Vec::new();
    for printer in &config.printers {
        let (state, reasons, model) = match IppDevice::new(printer, &config.machine) {
            Err(error) => (format!("unusable: {}", chain(&error)), Vec::new(), None),
            Ok(device) => match runtime.block_on(device.status()) {
                Ok(status) => (status.state.to_owned(), status.reasons, status.model),
                Err(error) => (format!("unreachable: {}", chain(&error)), Vec::new(), None),
            },
        };
        found.push(serde_json::json!({
            "name": printer.name, "kind": "printer", "uri": printer.uri,
            "state": state, "reasons": reasons, "model": model,
        }));
    }
    if json {
        println!("{}", serde_json::json!({ "devices": found }));
        return Exit::Done;
    }
    for device in &found {
        let text = |key: &str| {
            device
                .get(key)
                .and_then(serde_json::Value::as_str)
                .unwrap_or("-")
        };
        println!(
            "{}  {}  {}  {}",
            text("name"),
            text("state"),
            text("uri"),
            text("model")
        );
    }
    Exit::Done
}
