//! What can go wrong: a rule said no ([`Refusal`]), or a file, the network or the state is not as it must be.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use loket_wire::enrolment::MAX_BROKERS;
use loket_wire::frame::FrameError;
use loket_wire::sign::SignError;
use loket_wire::{IdError, MachineId};
use thiserror::Error;

/// Exit code for input that a rule refuses (sysexits `EX_DATAERR`).
const EX_DATAERR: u8 = 65;
/// Exit code for input that cannot be read (sysexits `EX_NOINPUT`).
const EX_NOINPUT: u8 = 66;
/// Exit code for a broker that does not answer (sysexits `EX_UNAVAILABLE`).
const EX_UNAVAILABLE: u8 = 69;
/// Exit code for an operation of ours that cannot fail and did (sysexits `EX_SOFTWARE`).
const EX_SOFTWARE: u8 = 70;
/// Exit code for output that cannot be written (sysexits `EX_CANTCREAT`).
const EX_CANTCREAT: u8 = 73;
/// Exit code for a setting or a state folder that cannot be used (sysexits `EX_CONFIG`).
const EX_CONFIG: u8 = 78;

/// A rule said no; the person can act on it.
#[derive(Debug, Error)]
pub enum Refusal {
    /// More brokers than central keeps links to.
    #[error("list the brokers: {count} are named, more than {MAX_BROKERS}; name fewer")]
    TooManyBrokers {
        /// How many were named.
        count: usize,
    },
    /// One broker named twice: central's two links would throw each other out for good.
    #[error("list the brokers: {broker} is named twice; name it once")]
    BrokerTwice {
        /// Its host and port.
        broker: String,
    },
    /// No broker was set up with files in this folder.
    #[error("forget the broker in {folder}: none was set up with files there")]
    UnknownBroker {
        /// The folder.
        folder: PathBuf,
    },
    /// The file is no enrolment request, or asks for a reserved or malformed name.
    #[error("read the enrolment request: it is not one, or the name it asks for is not allowed")]
    Request(#[source] serde_json::Error),
    /// The request has a version this program does not read.
    #[error("read the enrolment request: version {version} is not known here")]
    Version {
        /// Version met.
        version: u16,
    },
    /// The certificate request cannot be read or is not signed by its own key.
    #[error("read the certificate request: it is not one, or its own key did not sign it")]
    Csr(#[source] rcgen::Error),
    /// The certificate request holds another kind of key.
    #[error("accept the certificate request: its key must be P-256, signed with SHA-256")]
    KeyKind,
    /// The certificate request bears another name.
    #[error("accept the certificate request: its common name must be '{expected}'")]
    CommonName {
        /// The only name this request may bear.
        expected: String,
    },
    /// The certificate request asks to be an authority.
    #[error("accept the certificate request: it asks to be an authority itself")]
    AsksForAuthority,
    /// The sealing key is no usable X25519 key.
    #[error("accept the enrolment request: its sealing key is no usable X25519 key")]
    SealingKey,
    /// The name is enrolled with other keys.
    #[error(
        "enrol {machine}: it is enrolled with other keys; where those are lost, repeat with --replace"
    )]
    OtherKeys {
        /// The name asked for.
        machine: MachineId,
    },
    /// The name was revoked, and a revoked name never comes back.
    #[error("enrol {machine}: this name was revoked; give the machine a new name")]
    RevokedName {
        /// The name asked for.
        machine: MachineId,
    },
    /// No machine of that name was ever enrolled.
    #[error("revoke {machine}: no machine of that name was enrolled here")]
    UnknownMachine {
        /// The name asked for.
        machine: MachineId,
    },
    /// No certificate of that serial number was issued.
    #[error("revoke a certificate: none with that serial number was issued here")]
    UnknownSerial,
    /// A server's name is neither a DNS name nor an IP address.
    #[error("accept the name '{name}': it is neither a DNS name nor an IP address")]
    HostName {
        /// The name met, without control characters.
        name: String,
    },
    /// A server without a name that its clients could check.
    #[error("issue a server certificate: it needs at least one DNS name or IP address (--name)")]
    NoHostName,
    /// A machine without an office.
    #[error("enrol a machine: its office is missing (--office)")]
    NoOffice,
    /// A broker option that would bend its configuration file.
    #[error("write the broker's configuration: {option} must be one line of plain text")]
    BrokerOption {
        /// The option.
        option: &'static str,
    },
    /// A process that is no broker is never signalled.
    #[error("reload the broker: process {pid} is not mosquitto")]
    NotABroker {
        /// The process asked for.
        pid: i32,
    },
}

impl Refusal {
    /// The stable code that a person sees and a runbook lists.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request(_) => "E-101",
            Self::Version { .. } => "E-102",
            Self::Csr(_) => "E-103",
            Self::KeyKind => "E-104",
            Self::CommonName { .. } => "E-105",
            Self::AsksForAuthority => "E-106",
            Self::SealingKey => "E-107",
            Self::OtherKeys { .. } => "E-108",
            Self::RevokedName { .. } => "E-109",
            Self::UnknownMachine { .. } => "E-110",
            Self::HostName { .. } => "E-111",
            Self::NoHostName => "E-112",
            Self::BrokerOption { .. } => "E-113",
            Self::NotABroker { .. } => "E-114",
            Self::NoOffice => "E-115",
            Self::UnknownSerial => "E-116",
            // E-117 said that a second broker is not taken.
            Self::TooManyBrokers { .. } => "E-118",
            Self::BrokerTwice { .. } => "E-119",
            Self::UnknownBroker { .. } => "E-120",
        }
    }
}

/// Why a command of the authority failed.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A file that must be there is not.
    #[error("read {path}: it does not exist")]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is larger than any of ours.
    #[error("read {path}: it holds more than {limit_bytes} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit_bytes: u64,
    },
    /// A file or folder could not be written.
    #[error("write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder holds no authority.
    #[error("open the authority in {dir}: there is none; 'loket-provision init' makes one")]
    NoAuthority {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds an authority already; a second `init` would orphan every machine.
    #[error("make an authority in {dir}: there is one already")]
    AlreadyThere {
        /// The folder.
        dir: PathBuf,
    },
    /// The settings file is not valid TOML of its shape.
    #[error("read the settings in {path}")]
    Settings {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The settings could not be put into TOML.
    #[error("write the settings in {path}")]
    SettingsOut {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::ser::Error>,
    },
    /// A state file is not JSON of its shape.
    #[error("read the state in {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A state file has a version this program does not read.
    #[error("read the state in {path}: version {version} is not known here")]
    StateVersion {
        /// The file.
        path: PathBuf,
        /// Version met.
        version: u16,
    },
    /// The authority's key is not the key of its certificate.
    #[error("open the authority in {dir}: its key does not belong to its certificate")]
    KeyMismatch {
        /// The folder.
        dir: PathBuf,
    },
    /// A key or certificate file is not one.
    #[error("read the key or certificate in {path}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// The clock stands where no certificate may begin.
    #[error("date a certificate: the clock says {now_ms} ms since 1970; set it first")]
    Clock {
        /// What the clock said.
        now_ms: i64,
    },
    /// The certificate library failed.
    #[error("{what}")]
    Certificate {
        /// What was being made.
        what: &'static str,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// A list was made that does not hold what it must; it was not put in place.
    #[error("check the revocation list before it is put in place: {what}")]
    Crl {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A signing key failed.
    #[error("use a signing key")]
    Sign(#[source] SignError),
    /// A machine's record could not be signed.
    #[error("sign a machine's record")]
    Record(#[source] FrameError),
    /// The system gives no randomness.
    #[error("draw random bytes")]
    Randomness,
    /// An id that this program made does not read back.
    #[error("read an id in {path}")]
    Id {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: IdError,
    },
    /// A signal could not be sent.
    #[error("send SIGHUP to process {pid}")]
    Signal {
        /// The process.
        pid: i32,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The broker's name has no address.
    #[error("find the address of {host}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The broker does not answer.
    #[error("reach the broker at {address}")]
    Connect {
        /// The address tried.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS could not be set up, or the broker's own certificate is not the authority's.
    #[error("begin TLS with the broker")]
    Tls(#[source] rustls::Error),
    /// The broker took the connection and then neither admitted nor refused.
    #[error("get an answer from the broker")]
    NoAnswer(#[source] io::Error),
}

impl ProvisionError {
    /// The exit code of a program that ends with this error (sysexits).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => EX_DATAERR,
            Self::NotFound { .. } | Self::Read { .. } | Self::TooLarge { .. } => EX_NOINPUT,
            Self::Write { .. } | Self::SettingsOut { .. } => EX_CANTCREAT,
            Self::NoAuthority { .. }
            | Self::AlreadyThere { .. }
            | Self::Settings { .. }
            | Self::Json { .. }
            | Self::StateVersion { .. }
            | Self::KeyMismatch { .. }
            | Self::Pem { .. }
            | Self::Clock { .. }
            | Self::Id { .. } => EX_CONFIG,
            Self::Certificate { .. }
            | Self::Crl { .. }
            | Self::Sign(_)
            | Self::Record(_)
            | Self::Randomness => EX_SOFTWARE,
            Self::Signal { .. }
            | Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Tls(_)
            | Self::NoAnswer(_) => EX_UNAVAILABLE,
        }
    }
}
