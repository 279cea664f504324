//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use loket_wire::enrolment::Endpoint;
use loket_wire::{MachineId, OfficeId};
use thiserror::Error;

use crate::request;

/// The authority of Loket: enrols machines, names broker and central, revokes.
#[derive(Debug, Parser)]
#[command(name = "loket-provision", version)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an authority in an empty folder
    Init(Init),
    /// Make the key of a broker or of central where it will run, and a request for its certificate
    Request(Request),
    /// Answer a request: of a machine ('loketd identity request'), a broker or central
    Enrol(Enrol),
    /// Write one broker's mosquitto.conf, access rules and a fresh revocation list, good for 90 days
    BrokerConfig(BrokerConfig),
    /// Take the rights of a machine, or of one certificate, away for good
    Revoke(Revoke),
    /// Ask a broker with a revoked certificate whether its revocation list is in force
    Probe(Probe),
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The authority's folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// A broker that machines and central use, tried in this order; may be repeated
    #[arg(long = "broker", value_name = "HOST:PORT", value_parser = endpoint, required = true)]
    pub(super) brokers: Vec<Endpoint>,
    /// Where machines will fetch documents: central's second listener
    #[arg(long, value_name = "HOST:PORT", value_parser = endpoint)]
    pub(super) documents: Endpoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Server {
    Broker,
    Central,
}

#[derive(Debug, Args)]
pub(super) struct Request {
    #[arg(long)]
    pub(super) kind: Server,
    /// The file for the request
    #[arg(long)]
    pub(super) out: PathBuf,
    /// The file for the key; it must not exist
    #[arg(long)]
    pub(super) key: PathBuf,
    /// A DNS name or address that clients will use; may be repeated
    #[arg(long = "name", value_name = "HOST", required = true)]
    pub(super) names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Machine,
    Broker,
    Central,
}

#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// The request
    pub(super) request: PathBuf,
    /// The authority's folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    #[arg(long)]
    pub(super) kind: Kind,
    /// The office the machine stands in
    #[arg(long, required_if_eq("kind", "machine"))]
    pub(super) office: Option<OfficeId>,
    /// The file for the answer; standard output without it
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// Names of a server in place of those it asks for; may be repeated
    #[arg(long = "name", value_name = "HOST")]
    pub(super) names: Vec<String>,
    /// The machine's earlier keys are lost: revoke their certificates
    #[arg(long)]
    pub(super) replace: bool,
    /// With --replace: a broker's process on this computer, which is told to read its list again; may be repeated
    #[arg(long = "pid", value_name = "PID", requires = "replace")]
    pub(super) pids: Vec<i32>,
}

#[derive(Debug, Args)]
pub(super) struct BrokerConfig {
    /// The authority's folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// The folder to write to, one for each broker; revocations are written there again
    #[arg(long)]
    pub(super) out: PathBuf,
    /// The address and port to listen on
    #[arg(long, value_name = "HOST:PORT", value_parser = endpoint, default_value = "0.0.0.0:8883")]
    pub(super) listen: Endpoint,
    /// The folder the files will stand in where the broker runs [default: the folder written to]
    #[arg(long, value_name = "DIR")]
    pub(super) installed_at: Option<PathBuf>,
    /// The user mosquitto becomes when it is started as root [default: mosquitto's own]
    #[arg(long)]
    pub(super) user: Option<String>,
    /// A folder for snapshots; without it the broker keeps nothing on disk
    #[arg(long, value_name = "DIR")]
    pub(super) persistence: Option<PathBuf>,
    /// The broker with files in that folder is no more: nothing is written for it again
    #[arg(long, conflicts_with_all = ["listen", "installed_at", "user", "persistence"])]
    pub(super) forget: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The machine
    #[arg(required_unless_present = "serial", conflicts_with = "serial")]
    pub(super) machine: Option<MachineId>,
    /// One certificate, for instance of a broker whose key was stolen: its serial number in hexadecimal
    #[arg(long)]
    pub(super) serial: Option<String>,
    /// The authority's folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// A broker's process on this computer, which is told to read its rules again; may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pub(super) pids: Vec<i32>,
}

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// The authority's folder
    #[arg(long)]
    pub(super) dir: PathBuf,
    /// The broker
    #[arg(long, value_name = "HOST:PORT", value_parser = endpoint)]
    pub(super) broker: Endpoint,
}

/// Why a word is no host and port.
#[derive(Debug, Error)]
#[error("expected HOST:PORT, for instance broker.contoh.go.id:8883 or [::1]:8883")]
struct NotAnEndpoint;

fn endpoint(text: &str) -> Result<Endpoint, NotAnEndpoint> {
    let (host, port) = text.rsplit_once(':').ok_or(NotAnEndpoint)?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    // An IPv6 address without brackets would lose its last group to the port.
    if bracketed.is_none() && host.contains(':') {
        return Err(NotAnEndpoint);
    }
    let host = bracketed.unwrap_or(host);
    request::host(host).map_err(|_refusal| NotAnEndpoint)?;
    Ok(Endpoint {
        host: host.to_owned(),
        port: port.parse().map_err(|_number| NotAnEndpoint)?,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn endpoints_are_a_host_and_a_port() {
        for (text, expected) in [
            ("broker.contoh.id:8883", Some(("broker.contoh.id", 8883))),
            ("127.0.0.1:1", Some(("127.0.0.1", 1))),
            ("[::1]:8883", Some(("::1", 8883))),
            ("::1:8883", None),
            ("broker", None),
            ("broker:", None),
            ("broker:99999", None),
            (":8883", None),
        ] {
            let read = endpoint(text).ok();
            let read = read.as_ref().map(|found| (found.host.as_str(), found.port));
            assert_eq!(read, expected, "{text}");
        }
    }
}
