//! What the broker is told: `mosquitto.conf`, the access rules, the authority and its revocation list.
//!
//! # Source
//! mosquitto.conf(5) of mosquitto 2.0.11 (Debian 12). Each rule is tried against that broker in `tests/`.

mod text;

use std::path::{Path, PathBuf};

use loket_wire::enrolment::Endpoint;
use loket_wire::{MachineId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::bookkeeping::{VERSION, check_version, parse_json, write_json};
use crate::durable::{self, Readers};
use crate::error::{ProvisionError, Refusal};

/// How the broker is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerOptions {
    /// The address and port it listens on.
    pub listen: Endpoint,
    /// The folder the files are written to. Revocation writes there again.
    pub out: PathBuf,
    /// The folder the files stand in where the broker runs; its `broker.crt` and `broker.key` too.
    pub installed_at: PathBuf,
    /// The user that mosquitto runs as when it is started as root; its own default where `None`.
    pub user: Option<String>,
    /// A folder for snapshots of sessions and retained messages; none are made where `None`.
    pub persistence: Option<PathBuf>,
}

impl BrokerOptions {
    /// A broker that listens on `listen` and runs from `out` itself, with nothing kept on disk.
    #[must_use]
    pub const fn new(listen: Endpoint, out: PathBuf, installed_at: PathBuf) -> Self {
        Self {
            listen,
            out,
            installed_at,
            user: None,
            persistence: None,
        }
    }

    /// With absolute folders: a relative one would depend on where the broker, or `revoke`, is started.
    fn anchored(&self) -> Result<Self, ProvisionError> {
        let absolute = |folder: &Path| {
            std::path::absolute(folder).map_err(|source| ProvisionError::Write {
                path: folder.to_owned(),
                source,
            })
        };
        Ok(Self {
            out: absolute(&self.out)?,
            installed_at: absolute(&self.installed_at)?,
            persistence: self.persistence.as_deref().map(absolute).transpose()?,
            ..self.clone()
        })
    }

    /// The file is lines of `option value`: a line break in a value would be an option of its own.
    fn check(&self) -> Result<(), Refusal> {
        let plain = |option, text: Option<&str>| match text {
            Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(()),
            Some(_) | None => Err(Refusal::BrokerOption { option }),
        };
        plain("the address to listen on", Some(&self.listen.host))?;
        plain("the folder", self.installed_at.to_str())?;
        if let Some(user) = &self.user {
            plain("the user", Some(user))?;
        }
        match &self.persistence {
            Some(folder) => plain("the folder of snapshots", folder.to_str()),
            None => Ok(()),
        }
    }
}

/// The files that were written, all in [`BrokerOptions::out`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerFiles {
    /// `mosquitto.conf`.
    pub config: PathBuf,
    /// `acl`: who may read and write which topics, and who is denied.
    pub acl: PathBuf,
    /// `crl.pem`.
    pub crl: PathBuf,
    /// `authority.crt`.
    pub authority: PathBuf,
    /// `broker.crt`, which `enrol --kind broker` puts here.
    pub certificate: PathBuf,
    /// `broker.key`, which was made where the broker runs.
    pub key: PathBuf,
}

impl BrokerFiles {
    fn within(folder: &Path) -> Self {
        Self {
            config: folder.join("mosquitto.conf"),
            acl: folder.join("acl"),
            crl: folder.join("crl.pem"),
            authority: folder.join("authority.crt"),
            certificate: folder.join("broker.crt"),
            key: folder.join("broker.key"),
        }
    }
}

/// Writes the broker's configuration, access rules, authority and a fresh revocation list, and remembers where, so
/// that `revoke` can write rules and list again. Certificate and key of the broker are not touched.
///
/// # Errors
/// [`Refusal::BrokerOption`] for an option that would bend the file; what writing files can meet.
pub fn broker_config(
    authority: &Authority,
    options: &BrokerOptions,
    now: Timestamp,
) -> Result<BrokerFiles, ProvisionError> {
    let options = &options.anchored()?;
    options.check()?;
    let _lock = authority.lock()?;
    let files = BrokerFiles::within(&options.out);
    durable::create_folder(&options.out, Readers::All)?;
    authority.remember_broker(options)?;
    authority.put_acl()?;
    authority.put_crl(now)?;
    let certificate = authority.certificate_pem().as_bytes();
    durable::write(&files.authority, certificate, Readers::All)?;
    let there = BrokerFiles::within(&options.installed_at);
    let config = text::configuration(options, &there);
    durable::write(&files.config, config.as_bytes(), Readers::All)?;
    Ok(files)
}

/// What `broker.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    version: u16,
    options: BrokerOptions,
}

/// What a file in `denied/` holds; its name says whom.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Denied {
    version: u16,
    #[serde(rename = "at_ms")]
    at: Timestamp,
}

impl Authority {
    /// Puts `machine` among those the broker refuses; the access rules follow with [`Authority::put_acl`].
    pub(crate) fn deny(&self, machine: &MachineId, at: Timestamp) -> Result<(), ProvisionError> {
        durable::create_folder(&self.path("denied"), Readers::Owner)?;
        let version = VERSION;
        write_json(&self.denied_path(machine), &Denied { version, at })
    }

    pub(crate) fn is_denied(&self, machine: &MachineId) -> Result<bool, ProvisionError> {
        Ok(durable::read_if_there(&self.denied_path(machine))?.is_some())
    }

    /// Writes the access rules beside the broker's configuration, where there is one; gives their path.
    pub(crate) fn put_acl(&self) -> Result<Option<PathBuf>, ProvisionError> {
        let Some(folder) = self.broker_folder()? else {
            return Ok(None);
        };
        let mut denied = Vec::new();
        for file in durable::json_names(&self.path("denied"))? {
            let name = file.trim_end_matches(".json").parse::<MachineId>();
            denied.push(name.map_err(|source| ProvisionError::Id {
                path: self.path("denied").join(&file),
                source,
            })?);
        }
        let acl = BrokerFiles::within(&folder).acl;
        durable::write(&acl, text::access_rules(&denied).as_bytes(), Readers::All)?;
        Ok(Some(acl))
    }

    /// Where the broker's files were last written to.
    pub(crate) fn broker_folder(&self) -> Result<Option<PathBuf>, ProvisionError> {
        let path = self.path("broker.json");
        let Some(bytes) = durable::read_if_there(&path)? else {
            return Ok(None);
        };
        let remembered: Remembered = parse_json(&path, &bytes)?;
        check_version(&path, remembered.version)?;
        Ok(Some(remembered.options.out))
    }

    fn remember_broker(&self, options: &BrokerOptions) -> Result<(), ProvisionError> {
        let remembered = Remembered {
            version: VERSION,
            options: options.clone(),
        };
        write_json(&self.path("broker.json"), &remembered)
    }

    fn denied_path(&self, machine: &MachineId) -> PathBuf {
        self.path("denied").join(format!("{machine}.json"))
    }
}
