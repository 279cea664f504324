//! The command line of `loket-provision`. Text goes back to `main`, so that a test sees what a person sees.

mod arguments;

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::io;

use clap::{CommandFactory, Parser, error::ErrorKind};
use loket_wire::Timestamp;
use loket_wire::enrolment::EnrolmentRequest;

use self::arguments::{BrokerConfig, Cli, Command, Enrol, Init, Kind, Request, Revoke};
use crate::authority::{Authority, InitOptions};
use crate::broker::{BrokerOptions, broker_config};
use crate::durable::{self, Readers};
use crate::error::{ProvisionError, Refusal};
use crate::probe::{Probe, probe};
use crate::revoke::{broker_process, hang_up};
use crate::server::{ServerKind, server_request};

/// Exit code of a command line that cannot be understood (sysexits `EX_USAGE`).
const EX_USAGE: u8 = 64;
/// Exit code when the text could not be written (sysexits `EX_IOERR`).
const EX_IOERR: u8 = 74;
/// Exit code when the broker lets a revoked certificate in.
const CANARY_ADMITTED: u8 = 1;
/// Exit code when the broker refuses the canary, but not as revoked (sysexits `EX_UNAVAILABLE`).
const CANARY_UNCLEAR: u8 = 69;

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
        Command::Probe(args) => knock(&args),
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
         Give central: {dir}/authority.crt, {dir}/central-signing.key and the folder {dir}/machines.\n"
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
    let server = |kind| {
        let csr = durable::read_text(&args.request)?;
        authority.issue_server(kind, &csr, &args.names, now)
    };
    let answer = match (args.kind, &args.office) {
        (Kind::Machine, Some(office)) => {
            let request: EnrolmentRequest =
                serde_json::from_slice(&durable::read(&args.request)?).map_err(Refusal::Request)?;
            let bundle = if args.replace {
                authority.replace(&request, office.clone(), now)?
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
    match &args.out {
        None => Ok(said(answer)),
        Some(out) => {
            durable::write(out, answer.as_bytes(), Readers::All)?;
            Ok(said(format!("Carry {} back.\n", out.display())))
        }
    }
}

fn write_broker_config(args: BrokerConfig, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
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
    Ok(said(text))
}

fn revoke(args: &Revoke, now: Timestamp) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    // A mistyped number is told before anything is done.
    args.pid.map(broker_process).transpose()?;
    let mut reload = || args.pid.map_or(Ok(()), hang_up);
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
    let mut text = format!(
        "{whom} is revoked; on the list: {}.\n",
        revoked.serials.join(", ")
    );
    text.push_str(&match (&revoked.broker_folder, args.pid) {
        (None, _) => "No broker was told: run broker-config, then restart the broker.\n".to_owned(),
        (Some(folder), None) => format!(
            "NOT IN FORCE YET: have the broker read acl and crl.pem in {} \
             (copy them where it runs, then SIGHUP).\n",
            folder.display()
        ),
        (Some(_folder), Some(pid)) => {
            format!("The broker (process {pid}) was told to read its rules again.\n")
        }
    });
    text.push_str(if args.machine.is_some() {
        "Central takes the machine off its list when it reads machines/ again.\n"
    } else {
        "Its open connections live on: restart the broker.\n"
    });
    text.push_str("Then: loket-provision probe. If the canary gets in, restart the broker.\n");
    Ok(said(text))
}

fn knock(args: &arguments::Probe) -> Result<Outcome, ProvisionError> {
    let authority = Authority::open(&args.dir)?;
    Ok(match probe(&authority, &args.broker)? {
        Probe::Revoked => {
            said("The canary was refused as revoked: the revocation list is in force.\n".to_owned())
        }
        Probe::Admitted => Outcome {
            code: CANARY_ADMITTED,
            stderr: "THE CANARY GOT IN: the broker does not look at the revocation list. \
                     Run broker-config, copy crl.pem, restart the broker, probe again.\n"
                .to_owned(),
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
