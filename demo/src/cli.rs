//! `cargo demo`: everything on one machine, or the main job once without a person.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the program's face at a terminal"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::child::{Program, Running};
use crate::once;
use crate::site::{Programs, Site, text};

/// Trust anchors of the sample; a test authority, good for nothing else.
const TRUST: [(&str, &[u8]); 4] = [
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
];

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
            eprintln!("loket-demo failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one part in this process, by its own documented command line.
fn part(name: &str, arguments: Vec<OsString>) -> ExitCode {
    let with_name =
        |program: &str| std::iter::once(program.into()).chain(arguments.iter().cloned());
    match name {
        "loketd" => loket_daemon::cli::main(with_name("loketd")),
        "loket-central" => loket_central::main(with_name("loket-central")),
        "loket-provision" => {
            let outcome =
                loket_provisioning::cli::run(with_name("loket-provision"), jiff::Timestamp::now());
            print!("{}", outcome.stdout);
            eprint!("{}", outcome.stderr);
            ExitCode::from(outcome.code)
        }
        "loket-sim-printer" => loket_sim::printer::cli::main(with_name("loket-sim-printer")),
        "broker" => broker(&arguments),
        other => {
            eprintln!("loket-demo has no part '{other}'");
            ExitCode::from(64)
        }
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
        broker: Some(Program::part_of(&demo, "broker")),
    })
}

/// Everything that runs, in the order in which it is stopped.
struct Whole {
    site: Site,
    token: String,
    it_token: String,
    printer_uri: String,
    running: Vec<Running>,
}

impl Whole {
    async fn start(state: &Path) -> anyhow::Result<Self> {
        let site = Site::prepare(state, programs()?, &TRUST).await?;
        let tokens = site.tokens().await?;
        let kept = site.path("printer-output");
        std::fs::create_dir_all(&kept).context("make the printer's folder")?;
        let broker = site.start_broker().await?;
        let (printer, printer_uri) = site
            .start_printer("printer", &["--keep", &text(&kept)])
            .await?;
        let central = site.start_central().await?;
        let machine = site.machine(once::SAMPLE_MACHINE, &printer_uri).await?;
        let station = site.start_machine(&machine)?;
        let running = vec![station, central, printer, broker];
        Ok(Self {
            site,
            token: tokens.operator,
            it_token: tokens.it,
            printer_uri,
            running,
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
    let fresh = PathBuf::from(format!("target/demo-once/{}", std::process::id()));
    let whole = Whole::start(state.unwrap_or(&fresh)).await?;
    let out = out.unwrap_or(Path::new("target/demo-once/out"));
    let kept = whole.site.path("printer-output");
    let done = once::run(&whole.site, &whole.token, &whole.printer_uri, &kept, out).await;
    whole.stop().await?;
    let summary = done?;
    println!(
        "printed: job {} in {} ms, {} sheet, {}",
        summary.job_id,
        summary.timings_ms.printed,
        summary.sheets,
        out.join("summary.json").display()
    );
    if state.is_none() {
        drop(std::fs::remove_dir_all(&fresh));
    }
    Ok(())
}

async fn stay(state: Option<&Path>) -> anyhow::Result<()> {
    let mut whole = Whole::start(state.unwrap_or(Path::new("target/demo"))).await?;
    println!("central http://{}/", whole.site.api());
    println!("sign-in operator {}", whole.token);
    println!("sign-in it {}", whole.it_token);
    println!(
        "intake folder {} (a PDF and an order of the same name)",
        whole.site.path("intake").display()
    );
    println!("printer {}", whole.printer_uri);
    println!("Ctrl+C ends everything");
    let mut interrupt = signal(SignalKind::interrupt()).context("hear signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("hear signals")?;
    let ended = tokio::select! {
        _asked = interrupt.recv() => Ok(()),
        _asked = terminate.recv() => Ok(()),
        ended = any_ended(&mut whole.running) => Err(ended),
    };
    whole.stop().await?;
    ended.map_or_else(Err, Ok)
}

async fn any_ended(running: &mut [Running]) -> anyhow::Error {
    loop {
        for each in running.iter_mut() {
            if let Err(error) = each.check() {
                return error;
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}
