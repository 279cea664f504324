//! What the settings say of who central is.

use std::path::PathBuf;

use serde::Deserialize;

/// Exchanged audit keys: one a year outlives the longest time that an office keeps records.
pub(super) const MAX_OLD_AUDIT_KEYS: usize = 8;

/// Who central is: files that `loket-provision init` writes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Central's certificate chain, PEM: to brokers and to machines.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authority that signed brokers, central and machines, PEM.
    pub authority: PathBuf,
    /// Ed25519 key that signs commands, PKCS#8 PEM.
    pub signing_key: PathBuf,
    /// X25519 key of central's own copies; made on the first run, `sealing.key` in the state folder when absent.
    #[serde(default)]
    pub sealing_key: Option<PathBuf>,
    /// X25519 key that records of printed sheets are sealed to; made on the first run, `audit.key` in the state folder
    /// when absent. What was sealed to a key that is lost opens never again.
    #[serde(default)]
    pub audit_key: Option<PathBuf>,
    /// Audit keys that were exchanged and go on opening what was sealed to them.
    #[serde(default)]
    pub old_audit_keys: Vec<PathBuf>,
}
