//! What the broker is told: `mosquitto.conf`, the access rules, the authority and its revocation list.
//!
//! # Source
//! mosquitto.conf(5) of mosquitto 2.0.11 (Debian 12). Each rule is tried against that broker in `tests/`.

mod text;

use std::path::{Path, PathBuf};

use loket_wire::enrolment::{Endpoint, MAX_BROKERS};
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

/// Writes one broker's configuration, access rules, authority and a fresh revocation list, and remembers where, so that
/// `revoke` can write rules and list again; of the other brokers rules and list are written again too. A folder is one
/// broker: told again, it is set up anew. Certificate and key of the broker are not touched.
///
/// # Errors
/// [`Refusal::TooManyBrokers`] for one more than central keeps links to; [`Refusal::BrokerOption`] for an option that would bend the file; what writing files can meet.
pub fn broker_config(
    authority: &Authority,
    options: &BrokerOptions,
    now: Timestamp,
) -> Result<BrokerFiles, ProvisionError> {
    let options = &options.anchored()?;
    options.check()?;
    let _lock = authority.lock()?;
    let files = BrokerFiles::within(&options.out);
    authority.check_room(options)?;
    durable::create_folder(&options.out, Readers::All)?;
    authority.remember_broker(options)?;
    let rules = authority.put_acl();
    let list = authority.put_crl(now);
    let certificate = authority.certificate_pem().as_bytes();
    durable::write(&files.authority, certificate, Readers::All)?;
    let there = BrokerFiles::within(&options.installed_at);
    let config = text::configuration(options, &there);
    durable::write(&files.config, config.as_bytes(), Readers::All)?;
    // A folder of another broker that is gone keeps this one from nothing.
    rules?;
    list?;
    Ok(files)
}

/// Forgets a broker that is no more: nothing is written for it from here on. Its files stay as they are.
///
/// # Errors
/// [`Refusal::UnknownBroker`] when none was set up there; what writing files can meet.
pub fn forget_broker(authority: &Authority, out: &Path) -> Result<(), ProvisionError> {
    let folder = std::path::absolute(out).map_err(|source| ProvisionError::Write {
        path: out.to_owned(),
        source,
    })?;
    let _lock = authority.lock()?;
    let mut brokers = authority.brokers()?;
    let count = brokers.len();
    brokers.retain(|broker| broker.out != folder);
    if brokers.len() == count {
        return Err(Refusal::UnknownBroker { folder }.into());
    }
    authority.remember_brokers(brokers)
}

/// What `brokers.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    version: u16,
    brokers: Vec<BrokerOptions>,
}

/// What `broker.json` holds, from the time of one broker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RememberedOne {
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

    /// Writes the access rules beside each broker's configuration; gives the folders. One that cannot be written to
    /// keeps the others from nothing, and is told at the end.
    pub(crate) fn put_acl(&self) -> Result<Vec<PathBuf>, ProvisionError> {
        let folders = self.broker_folders()?;
        let mut denied = Vec::new();
        for file in durable::json_names(&self.path("denied"))? {
            let name = file.trim_end_matches(".json").parse::<MachineId>();
            denied.push(name.map_err(|source| ProvisionError::Id {
                path: self.path("denied").join(&file),
                source,
            })?);
        }
        let rules = text::access_rules(&denied);
        in_each(&folders, |folder| {
            let acl = BrokerFiles::within(folder).acl;
            durable::write(&acl, rules.as_bytes(), Readers::All)
        })?;
        Ok(folders)
    }

    /// Where the files of each broker were last written to.
    pub(crate) fn broker_folders(&self) -> Result<Vec<PathBuf>, ProvisionError> {
        let brokers = self.brokers()?.into_iter();
        Ok(brokers.map(|broker| broker.out).collect())
    }

    fn brokers(&self) -> Result<Vec<BrokerOptions>, ProvisionError> {
        let path = self.path("brokers.json");
        if let Some(bytes) = durable::read_if_there(&path)? {
            let remembered: Remembered = parse_json(&path, &bytes)?;
            check_version(&path, remembered.version)?;
            return Ok(remembered.brokers);
        }
        let path = self.path("broker.json");
        let Some(bytes) = durable::read_if_there(&path)? else {
            return Ok(Vec::new());
        };
        let remembered: RememberedOne = parse_json(&path, &bytes)?;
        check_version(&path, remembered.version)?;
        Ok(vec![remembered.options])
    }

    fn remember_broker(&self, options: &BrokerOptions) -> Result<(), ProvisionError> {
        let mut brokers = self.brokers()?;
        match brokers.iter_mut().find(|known| known.out == options.out) {
            Some(known) => *known = options.clone(),
            None => brokers.push(options.clone()),
        }
        self.remember_brokers(brokers)
    }

    /// Refuses one broker too many before anything of it is written.
    fn check_room(&self, options: &BrokerOptions) -> Result<(), ProvisionError> {
        let brokers = self.brokers()?;
        let others = brokers.iter().filter(|known| known.out != options.out);
        let count = others.count().saturating_add(1);
        if count > MAX_BROKERS {
            return Err(Refusal::TooManyBrokers { count }.into());
        }
        Ok(())
    }

    fn remember_brokers(&self, brokers: Vec<BrokerOptions>) -> Result<(), ProvisionError> {
        let version = VERSION;
        write_json(&self.path("brokers.json"), &Remembered { version, brokers })
    }

    fn denied_path(&self, machine: &MachineId) -> PathBuf {
        self.path("denied").join(format!("{machine}.json"))
    }
}

/// Does `work` in every folder, also after one where it failed; the first failure is told.
pub(crate) fn in_each(
    folders: &[PathBuf],
    work: impl Fn(&Path) -> Result<(), ProvisionError>,
) -> Result<(), ProvisionError> {
    let outcomes: Vec<_> = folders.iter().map(|folder| work(folder)).collect();
    outcomes.into_iter().collect()
}
