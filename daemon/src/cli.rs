//! The command line: `run`, `check-config`, `devices`, `verify`, `print`, `jobs`, `job`, `records`,
//! `report`, `identity`.
//!
//! Usage errors exit 64, unreadable files 66, wrong settings 78 (sysexits.h).

mod devices;
mod face;
mod identity;
mod jobs;
mod paper;
mod print;
mod records;
mod report;
mod talk;
mod ticket;
mod trust;
mod verify;
mod words;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loket_trust_folder::TrustFolder;
use tokio_util::sync::CancellationToken;

use self::face::{note, say, tell};
use crate::account::{name_of, owner_unless_own};
use crate::config::{Config, ConfigError};
use crate::exit::Exit;
use crate::supervisor::RunError;
use crate::telemetry::{self, chain};
use crate::trouble::Trouble;
use loket_inspection::Inspector;

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
    Devices(devices::Args),
    /// Judge a signed document, offline.
    #[command(
        about = "Periksa dokumen bertanda tangan di mesin ini, tanpa internet",
        disable_help_flag = true,
        help_template = verify::HELP,
        after_help = verify::EXIT_CODES
    )]
    Verify(verify::Args),
    /// Print one signed document by hand: exit 0 printed, 1 not printed, 2 not known.
    Print(print::Hand),
    /// List the jobs that are not ended.
    Jobs {
        #[command(flatten)]
        at: At,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Count the records of printed sheets on this machine.
    Records {
        #[command(flatten)]
        at: At,
        /// Erase those that central cannot open; its audit key is gone for good.
        #[arg(long, requires = "by")]
        forget: bool,
        /// Who says so, for the log.
        #[arg(long, requires = "forget")]
        by: Option<String>,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Account for a day of the office: sheets, spoiled sheets, reprints, questions.
    Report(report::Args),
    /// Print one test ticket: exit 0 printed or taken, 1 not printed, 2 not known.
    TicketTest(ticket::Args),
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

/// Reads the command line `args`, the program's name first, does it, and gives the exit code. `inspector` is who reads what
/// strangers bring.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>, inspector: Inspector) -> ExitCode {
    telemetry::tell_panics_by_place();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version are answers, everything else is a usage error.
        Err(error) if error.use_stderr() => {
            return tell(Trouble::CommandLine, error.render().to_string().trim_end()).into();
        }
        Err(error) => {
            drop(error.print());
            return Exit::Done.into();
        }
    };
    #[cfg(feature = "test-hooks")]
    if crate::test_doors::wish(crate::test_doors::UNSEALED).is_some_and(|value| value == "1") {
        loket_wire::sealed::unsealed::turn_on();
    }
    let done = match cli.command {
        Command::Run(at) => run(&at, inspector),
        Command::CheckConfig(at) => check_config(&at),
        Command::Devices(args) => devices::devices(&args),
        Command::Verify(args) => verify::verify(args, &inspector),
        Command::Print(hand) => print::print(&hand, &inspector),
        Command::Jobs { at, json } => jobs::list(&at.config, json),
        Command::Records { at, by, json, .. } => records::records(&at.config, by, json),
        Command::Report(args) => report::report(&args),
        Command::TicketTest(args) => ticket::test(&args),
        Command::Job { what } => jobs::change(&what),
        Command::Identity { what } => identity::identity(&what),
        #[cfg(feature = "crash-stops")]
        Command::Stops => {
            let mut words = crate::stops::Stop::ALL.iter().map(|stop| stop.word());
            words.try_for_each(say).map(|()| Exit::Done)
        }
    };
    done.unwrap_or_else(|exit| exit).into()
}

/// Reads the settings or says why not; the exit code tells an unreadable file from wrong settings.
fn read_config(path: &std::path::Path) -> Result<Config, Exit> {
    Config::read(path).map_err(|error| {
        let trouble = match error {
            ConfigError::Read { .. } => Trouble::SettingsUnreadable,
            ConfigError::Shape { .. } | ConfigError::Value { .. } => Trouble::SettingsWrong,
        };
        tell(trouble, chain(&error))
    })
}

/// Refuses to touch the state folder of another account, with the command to type: what this account made there, the
/// daemon could not open.
fn own_state(config: &Config) -> Result<(), Exit> {
    let Some(owner) = owner_unless_own(&config.state_dir) else {
        return Ok(());
    };
    let dir = config.state_dir.display();
    let owner = name_of(owner);
    let exit = tell(
        Trouble::StateOfAnother,
        format_args!("{dir}: milik {owner}"),
    );
    let words: Vec<String> = std::env::args_os().map(|word| quoted(&word)).collect();
    note(format_args!(
        "  jalankan: runuser -u {owner} -- {}",
        words.join(" ")
    ));
    Err(exit)
}

/// A word of a command line as a shell reads it.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Says why the desk of this machine cannot be used by a command.
fn run_trouble(error: &RunError) -> Exit {
    let trouble = match error {
        RunError::Locked(_) => Trouble::StateLocked,
        RunError::JobsWaiting => Trouble::JobsWaiting,
        RunError::State { .. }
        | RunError::DiskFull(_)
        | RunError::Journal(_)
        | RunError::JournalBroken
        | RunError::Recover(_)
        | RunError::Spool(_) => Trouble::StateUnusable,
        RunError::Identity(_) => Trouble::IdentityBroken,
        RunError::Trust(_) => Trouble::TrustUnreadable,
        RunError::Policy(_) => Trouble::PolicyUnusable,
        RunError::Profiles(_) => Trouble::ProfilesUnusable,
        RunError::Printer { .. } => Trouble::PrinterAddress,
        RunError::TicketPrinter(_) => Trouble::SettingsWrong,
        RunError::Control(_)
        | RunError::Link(_)
        | RunError::Print(_)
        | RunError::LinkUnit(_)
        | RunError::Panicked => Trouble::Fault,
    };
    tell(trouble, chain(error))
}

/// One thread: the daemon waits nearly always, and old PCs have little memory. Blocking work has its own threads.
fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .build()
        .map_err(|error| tell(Trouble::Fault, error))
}

/// Names are looked up on these threads too, for half a minute each where the name server is dead: the link, two fetches
/// and a printer's lane may each wait for one (a printer's name has one question at a time) while the journal is checked,
/// and documents still find a thread for each of their turns. A thread that only waits costs some kilobytes.
const MAX_BLOCKING_THREADS: usize = 8;

/// Idle blocking threads give their stacks back soon.
const BLOCKING_KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(5);

fn run(at: &At, inspector: Inspector) -> Result<Exit, Exit> {
    let config = read_config(&at.config)?;
    telemetry::install(config.log, &config.log_filter);
    install_crypto();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!(%error, "signals cannot be heard");
                return Err(Exit::Bug);
            }
        };
        let daemon = crate::run(config, inspector, stop.clone());
        tokio::pin!(daemon);
        let ended = tokio::select! {
            ended = &mut daemon => ended,
            () = signals.next() => {
                tracing::info!("asked to stop; draining");
                stop.cancel();
                daemon.await
            }
        };
        ended.map_err(|error| {
            tracing::error!("loketd ended: failed to {}", chain(&error));
            error.exit()
        })
    });
    // A blocking read of a dead disk must not hold the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended.map(|()| Exit::Done)
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

    /// Waits for the next request to stop.
    async fn next(&mut self) {
        tokio::select! {
            _asked = self.terminate.recv() => {}
            _asked = self.interrupt.recv() => {}
        }
    }
}

fn check_config(at: &At) -> Result<Exit, Exit> {
    let config = read_config(&at.config)?;
    let trust = TrustFolder::open(config.trust_dir.clone())
        .map_err(|error| tell(Trouble::TrustUnreadable, chain(&error)))?;
    crate::policy::policy_of(&config)
        .map_err(|error| tell(Trouble::PolicyUnusable, chain(&error)))?;
    crate::profiles::load(config.devices_dir.as_deref())
        .map_err(|error| tell(Trouble::ProfilesUnusable, chain(&error)))?;
    let file = std::fs::read_to_string(&at.config).unwrap_or_default();
    let table: toml::Table = toml::from_str(&file).unwrap_or_default();
    say(config.explain(&table).trim_end())?;
    let trust = verify::with_bundle(&config, trust);
    if let Some(standing) = trust.standing() {
        say(format_args!(
            "# trust bundle {}, made at {}",
            standing.serial, standing.made_at
        ))?;
    }
    if trust.current().is_empty() {
        // The daemon starts all the same: it waits for trust to be put there.
        tell(Trouble::TrustEmpty, config.trust_dir.display());
    }
    Ok(Exit::Done)
}
