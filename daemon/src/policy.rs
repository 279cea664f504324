//! The office's rules of judging: a file of their own, or what the settings say of revocation alone.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use loket_trust_folder::{MAX_POLICY_BYTES, PolicyError, PolicyFile};
use loket_verify::{Policy, Revocation};
use thiserror::Error;

use crate::config::{Config, RevocationPolicy};

/// Why the rules of judging cannot be used.
#[derive(Debug, Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("read the policy {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not one; the source names line and key.
    #[error("understand the policy {}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: PolicyError,
    },
}

/// Reads a policy file.
///
/// # Errors
/// [`PolicyFileError`]
pub fn read_policy(path: &Path) -> Result<Policy, PolicyFileError> {
    let unreadable = |source| PolicyFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    // One byte more than is taken, so that what is too large is refused and not cut.
    let most = u64::try_from(MAX_POLICY_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let policy = PolicyFile::parse(&bytes).map_err(|source| PolicyFileError::Broken {
        path: path.to_owned(),
        source,
    })?;
    Ok(policy.policy())
}

/// The rules that the settings name.
///
/// # Errors
/// [`PolicyFileError`]
pub fn policy_of(config: &Config) -> Result<Policy, PolicyFileError> {
    if let Some(path) = &config.policy {
        return read_policy(path);
    }
    Ok(Policy {
        revocation: match config.revocation {
            RevocationPolicy::Required => Revocation::Required,
            RevocationPolicy::IfKnown => Revocation::IfKnown,
        },
        ..Policy::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_and_a_misspelt_rule_is_told_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.toml");
        std::fs::write(&path, "version = 1\nrevocation = \"required\"\n").unwrap();
        assert_eq!(read_policy(&path).unwrap().revocation, Revocation::Required);
        std::fs::write(&path, "version = 1\nrevokation = \"required\"\n").unwrap();
        let error = crate::telemetry::chain(&read_policy(&path).unwrap_err()).to_string();
        assert!(
            error.contains("policy.toml") && error.contains("revokation"),
            "{error}"
        );
        let none = read_policy(&dir.path().join("none.toml"));
        assert!(matches!(none, Err(PolicyFileError::Unreadable { .. })));
    }
}
