//! The command line of `loket-central`, with exit codes as sysexits has them.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use loket_inspection::Inspector;
use loket_store::{Actor, Note, Role, SqliteStore, Store, StoreError, TokenRow};
use loket_wire::Sha256Digest;
use loket_wire::random::draw;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::check_history::{self, Head, HistoryError};
use crate::clock::{self, now};
use crate::config::{Config, ConfigError};
use crate::random::SystemRandomness;
use crate::run::{RunError, run};
use crate::{files, telemetry};

/// A command line that is none.
const USAGE: u8 = 64;
/// A fault of our own.
const BUG: u8 = 70;
/// The state folder or the store.
const CANNOT_CREATE: u8 = 73;
/// A name that is not there or taken already.
const DATA: u8 = 65;

/// The longest life of a token: it is renewed once a year like the certificates.
const MAX_TOKEN_DAYS: u32 = 366;

/// The centre that takes certified documents in and follows each until it is printed.
#[derive(Debug, Parser)]
#[command(name = "loket-central", version)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run until SIGTERM or SIGINT
    Run {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
    },
    /// Take the system clock as right, though it is far from what central last knew
    AcceptClock {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
    },
    /// Check the settings file and show each effective value
    CheckConfig {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
    },
    /// Follow the hash-chained history from end to end: 0 intact, 1 altered, 2 the noted head is past its time
    CheckHistory {
        /// The settings file, for the store of this central
        #[arg(long, required_unless_present = "store")]
        config: Option<PathBuf>,
        /// A copy of a store, instead
        #[arg(long, conflicts_with = "config")]
        store: Option<PathBuf>,
        /// A head that was noted before, as this command prints it, to be compared
        #[arg(long, value_name = "NUMBER:SHA256")]
        head: Option<Head>,
    },
    /// Make, list or revoke the tokens by which people and systems sign in
    Token {
        #[command(subcommand)]
        task: TokenTask,
    },
}

#[derive(Debug, Subcommand)]
enum TokenTask {
    /// Make a token and print it, this once
    Add {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
        /// Its name, for instance the person's account
        #[arg(long)]
        name: String,
        /// operator, it or auditor
        #[arg(long, value_parser = role)]
        role: Role,
        /// How many days it is good
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_TOKEN_DAYS)))]
        days: u32,
    },
    /// List tokens by name, role and end
    List {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
    },
    /// Revoke a token at once
    Revoke {
        /// The settings file
        #[arg(long)]
        config: PathBuf,
        /// Its name
        #[arg(long)]
        name: String,
    },
}

fn role(text: &str) -> Result<Role, loket_store::UnknownRole> {
    text.parse()
}

/// Runs the command line `args`, the program's name first; `inspector` reads what strangers bring.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>, inspector: Inspector) -> ExitCode {
    let line = match Line::try_parse_from(args) {
        Ok(line) => line,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_no_terminal) => ExitCode::from(USAGE),
            };
        }
    };
    let outcome = match line.task {
        Task::Run { config } => run_task(&config, inspector),
        Task::AcceptClock { config } => accept_clock(&config),
        Task::CheckConfig { config } => check_task(&config),
        Task::CheckHistory {
            config,
            store,
            head,
        } => check_history_task(config.as_deref(), store, head),
        Task::Token { task } => token_task(task),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the one line in which a failed command says why"
)]
fn say_error(error: &anyhow::Error) {
    eprintln!("loket-central: failed to {error:#}");
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        error.exit_code()
    } else if let Some(error) = error.downcast_ref::<RunError>() {
        error.exit_code()
    } else if let Some(error) = error.downcast_ref::<HistoryError>() {
        error.exit_code()
    } else if let Some(error) = error.downcast_ref::<StoreError>() {
        let is_name = matches!(
            error,
            StoreError::NoSuchToken | StoreError::TokenNameTaken | StoreError::Text(_)
        );
        if is_name { DATA } else { CANNOT_CREATE }
    } else {
        BUG
    }
}

fn run_task(path: &Path, inspector: Inspector) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    telemetry::start();
    telemetry::tell_panics_by_place();
    crate::test_doors::open_seals();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        let mut terminated = signal(SignalKind::terminate()).context("watch for SIGTERM")?;
        let mut interrupted = signal(SignalKind::interrupt()).context("watch for SIGINT")?;
        let running = run(config, inspector, stop.clone());
        tokio::pin!(running);
        tokio::select! {
            ended = running.as_mut() => return Ok(ended?),
            _signal = terminated.recv() => {}
            _signal = interrupted.recv() => {}
        }
        stop.cancel();
        Ok(running.await?)
    });
    // Everything is drained; a question to a dead name server must not hold the exit.
    runtime.shutdown_timeout(EXIT_TIMEOUT);
    ended
}

/// What still runs on a blocking thread when all is drained is waited for no longer.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Somebody vouches for the clock; the history says that it was done.
fn accept_clock(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    let store = open_store(&config)?;
    let now = now();
    clock::accept(&config.state_dir, now).map_err(RunError::Clock)?;
    let accepted = Note::Did {
        action: "clock-accepted".to_owned(),
    };
    store.note(&accepted, None, &Actor::new("command-line")?, now)?;
    print(&format!("{now} is taken as right"))
}

fn check_task(path: &Path) -> anyhow::Result<()> {
    let shown = Config::load(path)?.shown().context("show the settings")?;
    print(shown.trim_end())
}

fn check_history_task(
    config: Option<&Path>,
    store: Option<PathBuf>,
    head: Option<Head>,
) -> anyhow::Result<()> {
    let of_config = config.map(|path| Config::load(path).map(|config| config.database()));
    let path = store.or(of_config.transpose()?).context("find a store")?;
    print(&check_history::check(&path, head)?)
}

/// Writes one answer to the output.
fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write the answer")
}

fn open_store(config: &Config) -> anyhow::Result<SqliteStore> {
    files::make_dir(&config.state_dir).map_err(|source| RunError::StateDir {
        path: config.state_dir.clone(),
        source,
    })?;
    Ok(SqliteStore::open(&config.database())?)
}

fn token_task(task: TokenTask) -> anyhow::Result<()> {
    let by = Actor::new("command-line")?;
    match task {
        TokenTask::Add {
            config,
            name,
            role,
            days,
        } => {
            let store = open_store(&Config::load(&config)?)?;
            let mut random = SystemRandomness::new();
            let bytes = Zeroizing::new(draw::<32>(&mut random));
            random.check()?;
            let token = Zeroizing::new(data_encoding::BASE64URL_NOPAD.encode(bytes.as_slice()));
            let created_at = now();
            let life = Duration::from_secs(u64::from(days).saturating_mul(24 * 3600));
            let row = TokenRow {
                token_sha256: Sha256Digest::of(token.as_bytes()),
                name,
                role,
                created_at,
                expires_at: created_at.saturating_add(life),
                revoked_at: None,
            };
            store.insert_token(&row, &by)?;
            print(&token)
        }
        TokenTask::List { config } => {
            for token in open_store(&Config::load(&config)?)?.tokens()? {
                let end = match token.revoked_at {
                    Some(at) => format!("revoked {at}"),
                    None if token.is_good(now()) => format!("good until {}", token.expires_at),
                    None => format!("ended {}", token.expires_at),
                };
                print(&format!("{}\t{}\t{end}", token.name, token.role.as_str()))?;
            }
            Ok(())
        }
        TokenTask::Revoke { config, name } => {
            open_store(&Config::load(&config)?)?.revoke_token(&name, &by, now())?;
            Ok(())
        }
    }
}
