//! What was issued and revoked: one file a certificate, so that a cut between two writes loses none of them.

use std::path::{Path, PathBuf};

use loket_wire::{Sha256Digest, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::certificate::Kind;
use crate::durable::{self, Readers};
use crate::error::ProvisionError;

/// The version of every state file's shape.
pub(crate) const VERSION: u16 = 1;

/// Why a certificate is on the revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// The machine is lost, stolen or retired.
    Revoked,
    /// The machine was enrolled again with other keys.
    Superseded,
    /// It exists to be refused: the canary.
    Canary,
}

/// When and why a certificate was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    #[serde(rename = "at_ms")]
    pub(crate) at: Timestamp,
    pub(crate) cause: Cause,
}

/// One certificate of the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issued {
    pub(crate) version: u16,
    /// Hexadecimal, 32 digits.
    pub(crate) serial: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// What the same request digests to again.
    pub(crate) request_sha256: Sha256Digest,
    #[serde(rename = "issued_at_ms")]
    pub(crate) issued_at: Timestamp,
    #[serde(rename = "not_after_ms")]
    pub(crate) not_after: Timestamp,
    pub(crate) certificate_pem: String,
    pub(crate) revoked: Option<Revocation>,
}

impl Issued {
    /// Whether the certificate still opens a door.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.not_after
    }

    /// Whether the same request gets this certificate again: in the first third of its life. Later a repeated
    /// request is a renewal.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_good(now) && now.since(self.issued_at) * 3 < self.not_after.since(self.issued_at)
    }
}

/// The folder of all certificates ever issued, but for canaries that no list names any more.
#[derive(Debug)]
pub(crate) struct Book {
    dir: PathBuf,
}

impl Book {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(crate) fn put(&self, issued: &Issued) -> Result<(), ProvisionError> {
        durable::create_folder(&self.dir, Readers::Owner)?;
        write_json(&self.path_of(issued), issued)
    }

    /// Takes a certificate out that nobody needs any more.
    pub(crate) fn forget(&self, issued: &Issued) -> Result<(), ProvisionError> {
        durable::remove(&self.path_of(issued))
    }

    fn path_of(&self, issued: &Issued) -> PathBuf {
        self.dir
            .join(format!("{}.{}.json", issued.name, issued.serial))
    }

    /// Every certificate, by name and serial.
    pub(crate) fn all(&self) -> Result<Vec<Issued>, ProvisionError> {
        self.read(|_file| true)
    }

    /// The certificates of one name, newest last.
    pub(crate) fn of(&self, name: &str) -> Result<Vec<Issued>, ProvisionError> {
        let prefix = format!("{name}.");
        let mut found = self.read(|file| file.starts_with(&prefix))?;
        // A name may begin with another name and a dot.
        found.retain(|issued| issued.name == name);
        found.sort_by_key(|issued| issued.issued_at);
        Ok(found)
    }

    fn read(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Issued>, ProvisionError> {
        let mut found = Vec::new();
        for name in durable::json_names(&self.dir)? {
            if wanted(&name) {
                let path = self.dir.join(name);
                let issued: Issued = read_json(&path)?;
                check_version(&path, issued.version)?;
                found.push(issued);
            }
        }
        Ok(found)
    }
}

/// Writes a state file.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ProvisionError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|source| ProvisionError::Json {
        path: path.to_owned(),
        source,
    })?;
    bytes.push(b'\n');
    durable::write(path, &bytes, Readers::Owner)
}

/// Reads a state file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ProvisionError> {
    parse_json(path, &durable::read(path)?)
}

/// Reads a state file's bytes.
pub(crate) fn parse_json<T: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
) -> Result<T, ProvisionError> {
    serde_json::from_slice(bytes).map_err(|source| ProvisionError::Json {
        path: path.to_owned(),
        source,
    })
}

/// Refuses a state file of another version.
pub(crate) fn check_version(path: &Path, version: u16) -> Result<(), ProvisionError> {
    if version == VERSION {
        return Ok(());
    }
    Err(ProvisionError::StateVersion {
        path: path.to_owned(),
        version,
    })
}
