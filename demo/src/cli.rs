//! `cargo demo`: everything on one machine, or the main job once without a person.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's face at a terminal"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use loket_inspection::Inspector;
use rustix::process::{Signal as KillSignal, getpid, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::child::{Program, Running, TIED};
use crate::folders::{Held, Output, State};
use crate::once::{self, Summary};
use crate::site::{Programs, Site, text};

/// Trust anchors of the sample and where its codes lead; a test authority, good for nothing else.
const TRUST: [(&str, &[u8]); 5] = [
    (
        "root.pem",
        include_bytes!("../../tests/fixtures/trust/root.pem"),
    ),
    (
        "issuing.pem",
        include_bytes!("../../tests/fixtures/trust/issuing.pem"),
    ),
    (
        "root.crl.pem",
        include_bytes!("../../tests/fixtures/trust/root.crl.pem"),
    ),
    (
        "issuing.crl",
        include_bytes!("../../tests/fixtures/trust/issuing.crl"),
    ),
    ("qr-hosts.toml", include_bytes!("../assets/qr-hosts.toml")),
];

/// Exit code when another demo holds the state folder (sysexits `EX_TEMPFAIL`).
const HELD: u8 = 75;

#[derive(Debug, Parser)]
#[command(
    name = "loket-demo",
    version,
    about = "The whole of Loket on one machine, with a simulated printer"
)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    /// Run the main job on the sample family card without a person, then end.
    #[arg(long)]
    once: bool,
    /// Where `--once` writes what the printer received and summary.json.
    #[arg(long, requires = "once")]
    out: Option<PathBuf>,
    /// Where keys, journals and logs are kept [default: target/demo; a fresh folder with --once].
    #[arg(long)]
    state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// One part of the whole, started by the demo itself.
    #[command(hide = true, disable_help_flag = true)]
    Part {
        /// Which.
        name: String,
        /// Its own command line.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Reads the command line, does it, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    // `cargo demo -- --once`: cargo hands the `--` of an alias on to the program.
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "--") {
        words.remove(1);
    }
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    if let Some(Part::Part { name, arguments }) = cli.part {
        return part(&name, arguments);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("failed to start the runtime: {error}");
            return ExitCode::from(70);
        }
    };
    let done = runtime.block_on(async {
        if cli.once {
            once(cli.state.as_deref(), cli.out.as_deref()).await
        } else {
            stay(cli.state.as_deref()).await
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loket-demo: failed to {error:#}");
            let is_held = error.downcast_ref::<Held>().is_some();
            ExitCode::from(if is_held { HELD } else { 1 })
        }
    }
}

/// Whoever turns a knob of the ticket printer sees it on the next page.
const TICKET_POLL_MS: u32 = 500;

/// The part that reads what strangers bring.
const INSPECTOR: &str = "loket-inspector";

/// Runs one part in this process, by its own documented command line.
fn part(name: &str, arguments: Vec<OsString>) -> ExitCode {
    if std::env::var_os(TIED).is_some() {
        std::thread::spawn(end_with_parent);
    }
    let with_name =
        |program: &str| std::iter::once(program.into()).chain(arguments.iter().cloned());
    let inspector = || Inspector::part_of_this_program(&["part", INSPECTOR]);
    match name {
        "loketd" => loket_daemon::cli::main(with_name("loketd"), inspector()),
        "loket-central" => loket_central::main(with_name("loket-central"), inspector()),
        INSPECTOR => loket_inspector::main(),
        "loket-provision" => {
            let outcome =
                loket_provisioning::cli::run(with_name("loket-provision"), jiff::Timestamp::now());
            print!("{}", outcome.stdout);
            eprint!("{}", outcome.stderr);
            ExitCode::from(outcome.code)
        }
        "loket-sim-printer" => loket_sim::printer::cli::main(with_name("loket-sim-printer")),
        "loket-sim-ticket-printer" => {
            loket_sim::ticket_printer::cli::main(with_name("loket-sim-ticket-printer"))
        }
        "broker" => broker(&arguments),
        other => {
            eprintln!("loket-demo has no part '{other}'");
            ExitCode::from(64)
        }
    }
}

/// Ends this process as a person would who stops it, once the demo is gone: a killed demo leaves nothing behind that
/// holds its ports.
fn end_with_parent() {
    // Nothing is ever written there: this returns when the last holder of the other end is gone.
    drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    if let Err(error) = kill_process(getpid(), KillSignal::TERM) {
        eprintln!("failed to end after the demo: {error}");
    }
}

fn broker(arguments: &[OsString]) -> ExitCode {
    let [_dir_flag, dir, _port_flag, port] = arguments else {
        return ExitCode::from(64);
    };
    let port = port
        .to_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    match crate::broker::run(Path::new(dir), port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("broker failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn programs() -> anyhow::Result<Programs> {
    let demo = std::env::current_exe().context("find the demo's own program")?;
    Ok(Programs {
        loketd: Program::part_of(&demo, "loketd"),
        central: Program::part_of(&demo, "loket-central"),
        provision: Program::part_of(&demo, "loket-provision"),
        printer: Program::part_of(&demo, "loket-sim-printer"),
        ticket_printer: Program::part_of(&demo, "loket-sim-ticket-printer"),
        broker: Some(Program::part_of(&demo, "broker")),
    })
}

/// Everything that runs, in the order in which it is stopped.
struct Whole {
    site: Site,
    token: String,
    it_token: String,
    printer_uri: String,
    /// The ticket printer's control door.
    ticket_control: String,
    running: Vec<Running>,
    output: Output,
    /// Given back last.
    _state: State,
}

impl Whole {
    async fn start(state: &Path) -> anyhow::Result<Self> {
        let state = State::hold(state)?;
        let output = Output::beside(&state)?;
        output.sweep(SystemTime::now())?;
        let site = Site::prepare(state.dir(), programs()?, &TRUST).await?;
        site.check_ports()?;
        let tokens = site.tokens().await?;
        let broker = site.start_broker().await?;
        let (printer, printer_uri) = site
            .start_printer("printer", &["--keep", &text(output.dir())])
            .await?;
        let (ticket_printer, at, ticket_control) = site
            .start_ticket_printer(&["--keep", &text(output.dir())])
            .await?;
        let central = site.start_central().await?;
        let machine = site.machine(once::SAMPLE_MACHINE, &printer_uri).await?;
        site.give_ticket_printer(&machine, &at, TICKET_POLL_MS)?;
        site.show_pages(&machine)?;
        let station = site.start_machine(&machine)?;
        let running = vec![station, central, printer, ticket_printer, broker];
        Ok(Self {
            site,
            token: tokens.operator,
            it_token: tokens.it,
            printer_uri,
            ticket_control,
            running,
            output,
            _state: state,
        })
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        for running in &mut self.running {
            running.stop().await?;
        }
        Ok(())
    }
}

async fn once(state: Option<&Path>, out: Option<&Path>) -> anyhow::Result<()> {
    let out = out.unwrap_or(Path::new("target/demo-once"));
    Summary::clear(out)?;
    let mut summary = Summary::default();
    let done = match state {
        Some(state) => once_in(state, out, &mut summary).await,
        None => {
            let mut fresh = tempfile::Builder::new()
                .prefix("loket-demo-")
                .tempdir()
                .context("make a folder")?;
            let state = fresh.path().join("state");
            let done = once_in(&state, out, &mut summary).await;
            if done.is_err() {
                fresh.disable_cleanup(true);
                eprintln!("loket-demo: logs are in {}", state.join("logs").display());
            }
            done
        }
    };
    summary.write(out)?;
    done?;
    println!(
        "printed: job {} in {} ms, {} sheet, {}",
        summary.job_id.unwrap_or_default(),
        summary.timings_ms.printed.unwrap_or_default(),
        summary.sheets,
        out.join("summary.json").display()
    );
    Ok(())
}

async fn once_in(state: &Path, out: &Path, summary: &mut Summary) -> anyhow::Result<()> {
    let whole = Whole::start(state).await?;
    let (site, kept) = (&whole.site, whole.output.dir());
    let done = once::run(site, &whole.token, &whole.printer_uri, kept, out, summary).await;
    whole.stop().await?;
    done
}

async fn stay(state: Option<&Path>) -> anyhow::Result<()> {
    // Before anything is started: a signal meanwhile must not leave parts behind.
    let mut asked = Asked::listen()?;
    let starting = Whole::start(state.unwrap_or(Path::new("target/demo")));
    let mut whole = tokio::select! {
        whole = starting => whole?,
        () = asked.wait() => return Ok(()),
    };
    println!("central http://{}/", whole.site.api());
    println!("kiosk http://{}/kiosk", whole.site.pages());
    println!("station http://{}/station", whole.site.pages());
    println!("sign-in operator {}", whole.token);
    println!("sign-in it {}", whole.it_token);
    println!(
        "intake folder {} (a PDF and an order of the same name)",
        whole.site.path("intake").display()
    );
    println!(
        "output folder {} (what the printer printed; emptied after 24 hours)",
        whole.output.dir().display()
    );
    println!("printer {}", whole.printer_uri);
    println!(
        "ticket printer http://{}/control/state",
        whole.ticket_control
    );
    println!("Ctrl+C ends everything");
    let ended = tokio::select! {
        () = asked.wait() => Ok(()),
        ended = any_ended(&mut whole.running) => Err(ended),
        never = sweep(&whole.output) => never,
    };
    whole.stop().await?;
    ended
}

/// The signals that end a demo: Ctrl+C, a service manager, a terminal that is closed.
struct Asked {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Asked {
    fn listen() -> anyhow::Result<Self> {
        let hear = |kind| signal(kind).context("hear signals");
        Ok(Self {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
            hang_up: hear(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _asked = self.interrupt.recv() => {}
            _asked = self.terminate.recv() => {}
            _asked = self.hang_up.recv() => {}
        }
    }
}

/// Sweeps the printer's output every hour; ends only with an error.
async fn sweep(output: &Output) -> anyhow::Result<()> {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        output.sweep(SystemTime::now())?;
    }
}

async fn any_ended(running: &mut [Running]) -> anyhow::Error {
    loop {
        for each in running.iter_mut() {
            if let Err(error) = each.check() {
                return error;
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
