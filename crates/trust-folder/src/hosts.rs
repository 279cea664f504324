//! Which hosts are official, as a file: [`HOSTS_FILE`] in the trust folder.
//!
//! ```toml
//! version = 1
//! valid_from = "2026-01-01T00:00:00+07:00"
//! words = ["dukcapil"]                        # in the name of a host, they are the offices' alone
//! reserved = ["go.id"]                        # below these a word is no forgery
//!
//! [[official]]
//! host = "layananonline.dukcapil.kemendagri.go.id"
//! sub_domains = false
//! ```

use loket_wire::{HostRules, HostsError, IdError, OfficialHost, Timestamp};
use serde::Deserialize;
use thiserror::Error;

/// What the file is called.
pub const HOSTS_FILE: &str = "qr-hosts.toml";

/// The version of the file that is read.
pub const HOSTS_VERSION: u32 = 1;

/// Size of the file: three lists of the longest names, with room for words about them.
pub const MAX_HOSTS_FILE_BYTES: usize = 128 * 1024;

/// Why the file cannot be used; the text names line and key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostsFileError {
    /// It is larger than [`MAX_HOSTS_FILE_BYTES`].
    #[error("read official hosts: larger than {MAX_HOSTS_FILE_BYTES} bytes")]
    TooLarge,
    /// It is no text, no TOML, or has a key or value that is not known.
    #[error("read official hosts: {0}")]
    Malformed(String),
    /// It is of another version.
    #[error("read official hosts: version {found}, this program reads version {HOSTS_VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// `valid_from` is no moment.
    #[error("read official hosts: valid_from is no moment such as 2026-01-01T00:00:00+07:00")]
    ValidFrom(#[source] IdError),
    /// A rule in it could never match.
    #[error("use official hosts")]
    Rules(#[source] HostsError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u32,
    valid_from: String,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    reserved: Vec<String>,
    official: Vec<Official>,
}

/// As [`OfficialHost`], and a key that is not known is refused: a misspelt one would be none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Official {
    host: String,
    #[serde(default)]
    sub_domains: bool,
}

/// The one key that all versions share: a newer file is called that, and not malformed.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Reads a file of official hosts.
///
/// # Errors
/// [`HostsFileError`], which names the key.
pub fn parse_hosts(bytes: &[u8]) -> Result<HostRules, HostsFileError> {
    if bytes.len() > MAX_HOSTS_FILE_BYTES {
        return Err(HostsFileError::TooLarge);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_binary| HostsFileError::Malformed("it is no text in UTF-8".to_owned()))?;
    let malformed = |error: toml::de::Error| HostsFileError::Malformed(error.to_string());
    let Versioned { version } = toml::from_str(text).map_err(malformed)?;
    if version != HOSTS_VERSION {
        return Err(HostsFileError::Version { found: version });
    }
    let file: File = toml::from_str(text).map_err(malformed)?;
    let official = file.official.into_iter().map(|official| OfficialHost {
        host: official.host,
        sub_domains: official.sub_domains,
    });
    let rules = HostRules {
        valid_from: Timestamp::parse_rfc3339(&file.valid_from)
            .map_err(HostsFileError::ValidFrom)?,
        official: official.collect(),
        words: file.words,
        reserved: file.reserved,
    };
    rules.check().map_err(HostsFileError::Rules)?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 1\nvalid_from = \"2026-01-01T00:00:00+07:00\"\n";
    const HOST: &str = "[[official]]\nhost = \"kk.contoh.invalid\"\n";

    #[test]
    fn a_file_is_read_with_its_day() {
        let rules = parse_hosts(format!("{HEAD}{HOST}").as_bytes()).unwrap();
        assert_eq!(rules.valid_from.to_string(), "2025-12-31T17:00:00Z");
        assert_eq!(rules.official[0].host, "kk.contoh.invalid");
        assert!(!rules.official[0].sub_domains && rules.words.is_empty());
    }

    #[test]
    fn the_list_that_comes_with_the_programs_can_be_used() {
        let rules = parse_hosts(include_bytes!("../../qr/hosts.toml")).unwrap();
        assert!(!rules.words.is_empty() && !rules.reserved.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let later = HEAD.replace("version = 1", "version = 2");
        let some_day = HEAD.replace("2026-01-01T00:00:00+07:00", "besok");
        for (text, expect) in [
            (String::new(), "version"),
            (format!("{later}newer = true"), "version 2"),
            (format!("version = 1\n{HOST}"), "valid_from"),
            (format!("{some_day}{HOST}"), "valid_from"),
            (format!("{HEAD}wods = []\n{HOST}"), "wods"),
            (format!("{HEAD}{HOST}subdomains = true"), "subdomains"),
            (format!("{HEAD}official = []"), "no official host"),
            (
                format!("{HEAD}words = [\"kk\"]\n{HOST}"),
                "word 0 is shorter",
            ),
        ] {
            let error = parse_hosts(text.as_bytes()).unwrap_err();
            let said = crate::chain(&error);
            assert!(said.contains(expect), "{text}: {said}");
        }
        let large = vec![b' '; MAX_HOSTS_FILE_BYTES + 1];
        assert!(matches!(parse_hosts(&large), Err(HostsFileError::TooLarge)));
    }
}
