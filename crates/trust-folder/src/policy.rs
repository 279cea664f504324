//! An office's rules of judging as a file: `loketd verify --policy FILE`, and the same for central.
//!
//! ```toml
//! version = 1
//! revocation = "required"          # or "if-known"
//! changes = "sealed"               # or "further-signatures"
//! time_stamp = "optional"          # or "required"
//! signers_required = true
//! usages = ["1.3.6.1.5.5.7.3.36"]  # none: the usual ones
//!
//! [[signers]]
//! subject = { O = "Dinas Kependudukan dan Pencatatan Sipil Kabupaten Contohraya", CN = "*" }
//! issuer = { O = "Badan Contoh" }
//!
//! [[anchors]]
//! sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
//! until = "2032-01-01T00:00:00Z"
//! ```
//!
//! All but `version` may be left out; a key that is not known is refused, for a misspelt rule would be none.

use loket_verify::{
    AnchorEnd, ChangeLevel, KeyPurpose, Policy, Revocation, SignerPattern, TimeStamps,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the file that is read and written.
pub const POLICY_VERSION: u32 = 1;

/// Size of a policy file: some 500 signers.
pub const MAX_POLICY_BYTES: usize = 256 * 1024;

/// Signers in one policy; a regency has a few dozen officials over the years.
pub const MAX_SIGNERS: usize = 512;

/// Usages, and likewise ends of anchors, in one policy.
const MAX_ENTRIES: usize = 64;

/// What stands in a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// [`POLICY_VERSION`].
    pub version: u32,
    /// What a missing revocation list means.
    #[serde(default)]
    pub revocation: Revocation,
    /// What may follow the office's signature.
    #[serde(default)]
    pub changes: ChangeLevel,
    /// What a missing proof of the time of signing means.
    #[serde(default)]
    pub time_stamp: TimeStamps,
    /// Whether no signers named leaves every document undecided.
    #[serde(default)]
    pub signers_required: bool,
    /// Extended key usages under which documents may be signed.
    #[serde(default)]
    pub usages: Vec<KeyPurpose>,
    /// Who may sign.
    #[serde(default)]
    pub signers: Vec<SignerPattern>,
    /// Anchors that end early.
    #[serde(default)]
    pub anchors: Vec<AnchorEnd>,
}

/// Why a policy file cannot be used; the text names line and key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It is larger than [`MAX_POLICY_BYTES`].
    #[error("read the policy: larger than {MAX_POLICY_BYTES} bytes")]
    TooLarge,
    /// It is no text, no TOML, or has a key or value that is not known.
    #[error("read the policy: {0}")]
    Malformed(String),
    /// It is of another version.
    #[error("read the policy: version {found}, this program reads version {POLICY_VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// A list in it is longer than what is looked at.
    #[error("read the policy: {key} has more than {most} entries")]
    TooMany {
        /// Which list.
        key: &'static str,
        /// How many are looked at.
        most: usize,
    },
}

impl PolicyFile {
    /// Reads a policy file.
    ///
    /// # Errors
    /// [`PolicyError`], which names the key.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_POLICY_BYTES {
            return Err(PolicyError::TooLarge);
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_binary| PolicyError::Malformed("it is no text in UTF-8".to_owned()))?;
        let version = toml::from_str::<Versioned>(text)
            .map_err(|error| PolicyError::Malformed(error.to_string()))?
            .version;
        if version != POLICY_VERSION {
            return Err(PolicyError::Version { found: version });
        }
        let file: Self =
            toml::from_str(text).map_err(|error| PolicyError::Malformed(error.to_string()))?;
        for (key, length, most) in [
            ("signers", file.signers.len(), MAX_SIGNERS),
            ("usages", file.usages.len(), MAX_ENTRIES),
            ("anchors", file.anchors.len(), MAX_ENTRIES),
        ] {
            if length > most {
                return Err(PolicyError::TooMany { key, most });
            }
        }
        Ok(file)
    }

    /// The rules in it.
    #[must_use]
    pub fn policy(self) -> Policy {
        let Self {
            version: _,
            revocation,
            changes,
            time_stamp,
            signers_required,
            usages,
            signers,
            anchors,
        } = self;
        Policy {
            revocation,
            changes,
            time_stamp,
            signers,
            signers_required,
            usages,
            anchors,
        }
    }
}

/// The one key that all versions share: a newer file is called that, and not malformed.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
        version = 1
        revocation = "required"
        changes = "further-signatures"
        time_stamp = "required"
        signers_required = true
        usages = ["1.3.6.1.5.5.7.3.36"]
        [[signers]]
        subject = { O = "Dinas Contoh", CN = "Kepala *" }
        issuer = { O = "Badan Contoh" }
        policy = "2.16.360.1.1"
        [[anchors]]
        sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        until = "2032-01-01T00:00:00Z"
    "#;

    #[test]
    fn each_rule_is_read_and_what_is_written_is_read_again() {
        let file = PolicyFile::parse(FULL.as_bytes()).unwrap();
        let policy = file.clone().policy();
        assert_eq!(policy.revocation, Revocation::Required);
        assert_eq!(policy.changes, ChangeLevel::FurtherSignatures);
        assert_eq!(policy.time_stamp, TimeStamps::Required);
        assert!(policy.signers_required);
        assert_eq!(
            (
                policy.signers.len(),
                policy.anchors.len(),
                policy.usages.len()
            ),
            (1, 1, 1)
        );
        let written = toml::to_string(&file).unwrap();
        assert_eq!(PolicyFile::parse(written.as_bytes()).unwrap(), file);
    }

    #[test]
    fn a_version_alone_is_the_default() {
        let file = PolicyFile::parse(b"version = 1").unwrap();
        assert_eq!(file.policy(), Policy::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expect) in [
            ("", "version"),
            ("version = 2\nnewer = true", "version 2"),
            ("version = 1\nrevokation = \"required\"", "revokation"),
            ("version = 1\nrevocation = \"sometimes\"", "sometimes"),
            ("version = 1\n[[signers]]\nsubject = {}", "subject"),
            (
                "version = 1\n[[signers]]\nsubject = { Organisasi = \"x\" }",
                "Organisasi",
            ),
            (
                "version = 1\n[[signers]]\nsubject = { O = \"x\" }\nisuer = {}",
                "isuer",
            ),
            (
                "version = 1\n[[signers]]\nsubject = { O = \"x\" }\npolicy = \"satu\"",
                "policy",
            ),
            ("version = 1\nusages = [\"clientAuth\"]", "clientAuth"),
            (
                "version = 1\n[[anchors]]\nsha256 = \"00\"\nuntil = \"2032-01-01T00:00:00Z\"",
                "sha256",
            ),
            (
                "version = 1\n[[anchors]]\nuntil = \"besok\"\nsha256 = \
                 \"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"",
                "besok",
            ),
        ] {
            let error = PolicyFile::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_over_a_bound_is_refused() {
        let signer = "[[signers]]\nsubject = { O = \"x\" }\n".repeat(MAX_SIGNERS + 1);
        let many = format!("version = 1\n{signer}");
        let error = PolicyFile::parse(many.as_bytes()).unwrap_err();
        assert!(matches!(error, PolicyError::TooMany { key: "signers", .. }));
        let large = vec![b' '; MAX_POLICY_BYTES + 1];
        assert!(matches!(
            PolicyFile::parse(&large),
            Err(PolicyError::TooLarge)
        ));
    }
}
