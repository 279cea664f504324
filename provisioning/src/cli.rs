//! The command line of `loket-provision`. Text goes back to `main`, so that a test sees what a person sees.

mod arguments;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;
use std::path::Path;

use clap::{CommandFactory, Parser, error::ErrorKind};
use loket_wire::enrolment::EnrolmentRequest;
use loket_wire::{MachineId, Timestamp};

use self::arguments::{BrokerConfig, Cli, Command, Enrol, Init, Kind, Request, Revoke};
use crate::authority::{Authority, InitOptions};
use crate::broker::{BrokerOptions, broker_config, forget_broker};
use crate::crl::CRL_LEAST;
use crate::durable::{self, Readers};
use crate::error::{ProvisionError, Refusal};
use crate::probe::{Probe, probe};
use crate::revoke::{Revoked, broker_process, hang_up};
use crate::server::{ServerKind, server_request};

/// Exit code of a command line that cannot be understood (sysexits `EX_USAGE`).
const EX_USAGE: u8 = 64;
/// Exit code when the text could not be written (sysexits `EX_IOERR`).
const EX_IOERR: u8 = 74;
/// Exit code when the broker lets a revoked certificate in: its list is not the newest, or it looks at none.
const CANARY_ADMITTED: u8 = 1;
/// Exit code when the broker refuses the canary, but not as revoked (sysexits `EX_UNAVAILABLE`).
const CANARY_UNCLEAR: u8 = 69;

/// Exit code when revocation works and the list runs out soon: for a timer that looks every day.
const LIST_ENDS_SOON: u8 = 3;

/// What a run of the program leaves.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code (sysexits).
    pub code: u8,
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
}

impl Outcome {
    /// The exit code once the text was written, or not.
    #[must_use]
    pub fn code_after(&self, written: io::Result<()>) -> u8 {
        match written {
            Err(_unwritten) if self.code == 0 => EX_IOERR,
            Ok(()) | Err(_) => self.code,
        }
    }
}

/// Runs one command line, `arguments` with the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, now: jiff::Timestamp) -> Outcome {
    let now = Timestamp::from_unix_ms(now.as_millisecond());
    let outcome = Cli::try_parse_from(arguments).and_then(|cli| execute(cli.command, now));
    match outcome {
        Ok(outcome) => outcome,
        Err(error) if error.use_stderr() => Outcome {
            code: EX_USAGE,
            stderr: error.to_string(),
            ..Outcome::default()
        },
        Err(help) => Outcome {
            stdout: help.to_string(),
            ..Outcome::default()
        },
    }
}

fn execute(command: Command, now: Timestamp) -> Result<Outcome, clap::Error> {
    let done = match command {
        Command::Init(args) => init(args, now),
        Command::Request(args) => request(args),
        Command::Enrol(args) => {
            args.check()?;
            enrol(&args, now)
        }
        Command::BrokerConfig(args) => write_broker_config(args, now),
        Command::Revoke(args) => revoke(&args, now),
        Command::Probe(args) => knock(&args, now),
    };
    Ok(done.unwrap_or_else(|error| Outcome {
        code: error.exit_code(),
        stderr: complaint(&error),
        ..Outcome::default()
    }))
}

impl Enrol {
    /// What clap cannot say: options that belong to one kind alone.
    fn check(&self) -> Result<(), clap::Error> {
        let wrong = match self.kind {
            Kind::Machine if !self.names.is_empty() => "--name is for servers alone",
            Kind::Broker | Kind::Central if self.office.is_some() => {
                "--office is for machines alone"
            }
            Kind::Broker | Kind::Central if self.replace => "--replace is for machines alone",
            Kind::Machine | Kind::Broker | Kind::Central => return Ok(()),
        };
        Err(Cli::command().error(ErrorKind::ArgumentConflict, wrong))
    }
}

fn init(args: Init, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let options = InitOptions {
        brokers: args.brokers,
        documents: args.documents,
        now,
    };
    Authority::init(&args.dir, options)?;
    let dir = args.dir.display();
    Ok(said(format!(
        "The authority is in {dir}.\n\
         Keep authority.key off the network and copied in a safe; whoever has it can be any machine.\n\
         Give central: {dir}/authority.crt, {dir}/central-signing.key and, after each enrolment, the machine's \
         record in {dir}/machines.\n"
    )))
}

fn request(args: Request) -> Result<Outcome, ProvisionError> {
    let made = server_request(args.kind.into(), &args.names)?;
    // The key first: a request without its key is worth nothing, and a key that exists is never overwritten.
    durable::write_once(&args.key, made.key_pem.as_bytes())?;
    durable::write(&args.out, made.csr_pem.as_bytes(), Readers::All)?;
    Ok(said(format!(
        "The key is {} and stays here. Carry {} to the authority.\n",
        args.key.display(),
        args.out.display()
    )))
}

fn enrol(args: &Enrol, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    // A mistyped number is told before anything is done.
    args.pids
        .iter()
        .try_for_each(|pid| broker_process(*pid).map(drop))?;
    let mut revoked = None;
    let server = |kind| {
        let csr = durable::read_text(&args.request)?;
        authority.issue_server(kind, &csr, &args.names, now)
    };
    let mut machine = None;
    let answer = match (args.kind, &args.office) {
        (Kind::Machine, Some(office)) => {
            let request: EnrolmentRequest =
                serde_json::from_slice(&durable::read(&args.request)?).map_err(Refusal::Request)?;
            machine = Some(request.machine.clone());
            let bundle = if args.replace {
                let replaced = authority.replace(&request, office.clone(), now)?;
                revoked = replaced.revoked;
                replaced.bundle
            } else {
                authority.enrol(&request, office.clone(), now)?
            };
            let text = serde_json::to_string_pretty(&bundle).map_err(|source| {
                let path = args.out.clone().unwrap_or_default();
                ProvisionError::Json { path, source }
            })?;
            text + "\n"
        }
        // clap demands an office for a machine.
        (Kind::Machine, None) => return Err(Refusal::NoOffice.into()),
        (Kind::Broker, _) => server(ServerKind::Broker)?,
        (Kind::Central, _) => server(ServerKind::Central)?,
    };
    if revoked.is_some() {
        hang_up_all(&args.pids)?;
    }
    let mut text = String::new();
    if let Some(machine) = &machine {
        text.push_str(&to_central(&args.dir, machine));
    }
    if let Some(revoked) = &revoked {
        text.push_str(&on_the_list(
            &authority,
            "The earlier keys' certificate",
            revoked,
            &args.pids,
        )?);
    }
    match &args.out {
        // The answer alone is what a pipe reads.
        None => Ok(Outcome {
            stdout: answer,
            stderr: text,
            ..Outcome::default()
        }),
        Some(out) => {
            durable::write(out, answer.as_bytes(), Readers::All)?;
            Ok(said(format!("Carry {} back.\n{text}", out.display())))
        }
    }
}

/// What of an enrolment must reach central, and how.
fn to_central(dir: &Path, machine: &MachineId) -> String {
    format!(
        "Copy {} to central, into the folder that its settings call machines_dir: \
         before, central gives the machine no work.\n",
        dir.join("machines")
            .join(format!("{machine}.json"))
            .display()
    )
}

/// Tells each of these brokers to read its files again; one that cannot be told keeps the others from nothing.
fn hang_up_all(pids: &[i32]) -> Result<(), ProvisionError> {
    let told: Vec<_> = pids.iter().map(|pid| hang_up(*pid)).collect();
    told.into_iter().collect()
}

/// What is revoked, which brokers know, and how long the list is good.
fn on_the_list(
    authority: &Authority,
    whom: &str,
    revoked: &Revoked,
    pids: &[i32],
) -> Result<String, ProvisionError> {
    let folders = &revoked.broker_folders;
    let mut told = String::new();
    if folders.is_empty() {
        told.push_str("No broker was told: run broker-config, then restart the broker.\n");
    }
    for pid in pids {
        told.push_str(&format!(
            "The broker (process {pid}) was told to read its rules again.\n"
        ));
    }
    if folders.len() > pids.len() {
        told.push_str(if pids.is_empty() {
            "NOT IN FORCE YET: each broker must read its acl and crl.pem (copy them where it runs, then SIGHUP):\n"
        } else {
            "NOT IN FORCE YET at the others: each broker must read its acl and crl.pem (copy them where it runs, then \
             SIGHUP); all are:\n"
        });
        for folder in folders {
            told.push_str(&format!("  {}\n", folder.display()));
        }
    }
    Ok(format!(
        "{whom} is revoked; on the list: {}.\n{}{told}",
        revoked.serials.join(", "),
        list_ends(authority)?
    ))
}

/// Until when the list is good, and what then.
fn list_ends(authority: &Authority) -> Result<String, ProvisionError> {
    Ok(format!(
        "The revocation list is good until {}: run broker-config and have each broker read its crl.pem before, \
         or it refuses every machine.\n",
        authority.list_until()?
    ))
}

fn write_broker_config(args: BrokerConfig, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    if args.forget {
        forget_broker(&authority, &args.out)?;
        return Ok(said(format!(
            "Forgotten: the broker with files in {}. Take it from authority.toml and from central's settings too; \
             machines that are enrolled keep their list until they install a new one.\n",
            args.out.display()
        )));
    }
    let installed_at = args.installed_at.unwrap_or_else(|| args.out.clone());
    let mut options = BrokerOptions::new(args.listen, args.out, installed_at);
    options.user = args.user;
    options.persistence = args.persistence;
    let files = broker_config(&authority, &options, now)?;
    let there = options.installed_at.display();
    let mut text = format!("Written: {}\n", files.config.display());
    if options.out != options.installed_at {
        text.push_str(&format!("Copy the folder's files to {there}.\n"));
    }
    text.push_str(&format!(
        "broker.crt and broker.key belong into {there}, readable by the user that mosquitto runs as.\n\
         Start: mosquitto -c {there}/mosquitto.conf (LimitNOFILE of at least 4096).\n\
         Then: loket-provision probe, which must say that the canary was refused.\n"
    ));
    text.push_str(&list_ends(&authority)?);
    Ok(said(text))
}

fn revoke(args: &Revoke, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    // A mistyped number is told before anything is done.
    args.pids
        .iter()
        .try_for_each(|pid| broker_process(*pid).map(drop))?;
    let mut reload = || hang_up_all(&args.pids);
    let (whom, revoked) = match (&args.machine, &args.serial) {
        (Some(machine), _) => (
            machine.to_string(),
            authority.revoke_and(machine, now, &mut reload)?,
        ),
        (None, serial) => {
            let serial = serial.as_deref().unwrap_or_default();
            let whom = format!("the certificate {serial}");
            (whom, authority.revoke_serial(serial, now, &mut reload)?)
        }
    };
    let mut text = on_the_list(&authority, &whom, &revoked, &args.pids)?;
    match &args.machine {
        Some(machine) => text.push_str(&format!(
            "At central delete {machine}.json from the folder that its settings call machines_dir (where that is \
             {} itself, it is gone already): before, central goes on giving the machine work.\n\
             Jobs that it held wait for its answer. Where it will not come back, somebody with role 'it' writes it off \
             at central once it was silent for an hour: POST /api/v1/machines/{machine}/write-off.\n",
            args.dir.join("machines").display()
        )),
        None => text.push_str("Its open connections live on: restart every broker.\n"),
    }
    text.push_str(
        "Then, for each broker: loket-provision probe. If the canary gets in, restart that broker.\n",
    );
    Ok(said(text))
}

fn knock(args: &arguments::Probe, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    Ok(match probe(&authority, &args.broker)? {
        Probe::Revoked => {
            let soon = authority.list_until()? < now.saturating_add(CRL_LEAST);
            let list = list_ends(&authority)?;
            Outcome {
                code: if soon { LIST_ENDS_SOON } else { 0 },
                stdout: format!(
                    "The canary was refused as revoked: the newest revocation list is in force there.\n{list}"
                ),
                stderr: if soon {
                    "THE LIST RUNS OUT SOON: then the broker refuses every machine.\n".to_owned()
                } else {
                    String::new()
                },
            }
        }
        Probe::Admitted => Outcome {
            code: CANARY_ADMITTED,
            stderr: format!(
                "THE CANARY GOT IN: the revocation list at {} is older than {}, or that broker looks at none; what was \
                 revoked since gets in. Carry crl.pem there, have the broker read it (SIGHUP), probe again. If the \
                 canary still gets in, restart that broker.\n",
                args.broker,
                authority.dir().join("crl.pem").display()
            ),
            ..Outcome::default()
        },
        Probe::Refused(alert) => Outcome {
            code: CANARY_UNCLEAR,
            stderr: format!(
                "The canary was refused, but not as revoked ({alert:?}): nothing is known of the revocation list. \
                 Look at the broker's log.\n"
            ),
            ..Outcome::default()
        },
    })
}

impl From<arguments::Server> for ServerKind {
    fn from(kind: arguments::Server) -> Self {
        match kind {
            arguments::Server::Broker => Self::Broker,
            arguments::Server::Central => Self::Central,
        }
    }
}

fn said(stdout: String) -> Outcome {
    Outcome {
        stdout,
        ..Outcome::default()
    }
}

/// The error, its causes and its code, in one line.
fn complaint(error: &ProvisionError) -> String {
    let mut text = format!("loket-provision: failed to {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    if let ProvisionError::Refused(refusal) = error {
        // Writing to a String does not fail.
        write!(text, " [{}]", refusal.code()).unwrap_or_default();
    }
    text.push('\n');
    text
}
