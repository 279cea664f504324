//! Which hosts are official: data that an office gives, checked before it is used.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::looks::{flat, looks_of};

/// Entries of each list: an office knows a handful, and each is compared with every payload.
pub const MAX_HOSTS: usize = 64;

/// The longest name of a host in text.
///
/// # Source
/// RFC 1035, section 2.3.4.
pub const MAX_HOST_BYTES: usize = 253;

/// Hosts and words as they stand in a file; when they begin to count is the caller's to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRules {
    /// Where an honest code may lead.
    pub official: Vec<OfficialHost>,
    /// Words that nobody but the offices has a reason to carry in the name of a host.
    #[serde(default)]
    pub words: Vec<String>,
    /// Names below which only state bodies get one: a word is no forgery there.
    #[serde(default)]
    pub reserved: Vec<String>,
}

/// One official host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficialHost {
    /// Its name, lower case.
    pub host: String,
    /// Whether every name below it is official too.
    #[serde(default)]
    pub sub_domains: bool,
}

/// Why host rules cannot be used; `position` counts the entries of a list from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HostsError {
    /// A list is longer than [`MAX_HOSTS`].
    #[error("read host rules: more than {MAX_HOSTS} entries in a list")]
    TooMany,
    /// No host is official.
    #[error("read host rules: no official host")]
    None,
    /// An entry is no lower-case name of a host with a dot in it.
    #[error("read host rules: entry {position} is no lower-case host name")]
    Host {
        /// Which entry.
        position: usize,
    },
    /// A word is not made of four or more lower-case letters and digits.
    #[error(
        "read host rules: word {position} is shorter than 4 or holds other than letters and digits"
    )]
    Word {
        /// Which entry.
        position: usize,
    },
}

/// Host rules that were checked, ready to be compared with.
#[derive(Debug, Clone)]
pub struct Hosts {
    pub(crate) official: Vec<Official>,
    pub(crate) words: Vec<String>,
    pub(crate) reserved: Vec<String>,
}

/// An official host and what it looks like.
#[derive(Debug, Clone)]
pub(crate) struct Official {
    pub(crate) host: String,
    pub(crate) sub_domains: bool,
    /// As the eye reads it.
    pub(crate) looks: String,
    /// The same without dots and hyphens.
    pub(crate) flat: String,
}

impl Hosts {
    /// Checks rules.
    ///
    /// # Errors
    /// [`HostsError`].
    pub fn new(rules: &HostRules) -> Result<Self, HostsError> {
        let lists = [
            rules.official.len(),
            rules.words.len(),
            rules.reserved.len(),
        ];
        if lists.iter().any(|length| *length > MAX_HOSTS) {
            return Err(HostsError::TooMany);
        }
        if rules.official.is_empty() {
            return Err(HostsError::None);
        }
        let names = rules.official.iter().map(|official| &official.host);
        for (position, name) in names.chain(&rules.reserved).enumerate() {
            if !is_host(name) {
                return Err(HostsError::Host { position });
            }
        }
        for (position, word) in rules.words.iter().enumerate() {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            if word.len() < 4 || word.len() > MAX_HOST_BYTES || !word.bytes().all(is_word) {
                return Err(HostsError::Word { position });
            }
        }
        let official = rules.official.iter().map(|official| {
            let looks = looks_of(&official.host);
            Official {
                host: official.host.clone(),
                sub_domains: official.sub_domains,
                flat: flat(&looks),
                looks,
            }
        });
        Ok(Self {
            official: official.collect(),
            words: rules.words.iter().map(|word| looks_of(word)).collect(),
            reserved: rules.reserved.clone(),
        })
    }
}

/// Lower-case letters, digits and hyphens in labels that are parted by dots.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known)
    };
    name.len() <= MAX_HOST_BYTES && name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(host: &str, word: &str) -> HostRules {
        HostRules {
            official: vec![OfficialHost {
                host: host.to_owned(),
                sub_domains: false,
            }],
            words: vec![word.to_owned()],
            reserved: vec!["go.id".to_owned()],
        }
    }

    #[test]
    fn rules_that_could_not_match_are_refused() {
        let check = |host: &str, word: &str, expect: Option<HostsError>| {
            assert_eq!(
                Hosts::new(&rules(host, word)).err(),
                expect,
                "{host} {word}"
            );
        };
        check("a.go.id", "dukcapil", None);
        check(
            "A.go.id",
            "dukcapil",
            Some(HostsError::Host { position: 0 }),
        );
        check(
            "localhost",
            "dukcapil",
            Some(HostsError::Host { position: 0 }),
        );
        check("a..id", "dukcapil", Some(HostsError::Host { position: 0 }));
        check(
            "https://a.id",
            "dukcapil",
            Some(HostsError::Host { position: 0 }),
        );
        check("a.go.id", "kk", Some(HostsError::Word { position: 0 }));
        check("a.go.id", "", Some(HostsError::Word { position: 0 }));
        assert_eq!(
            Hosts::new(&HostRules::default()).err(),
            Some(HostsError::None)
        );
        let mut many = rules("a.go.id", "dukcapil");
        many.words = vec!["dukcapil".to_owned(); MAX_HOSTS + 1];
        assert_eq!(Hosts::new(&many).err(), Some(HostsError::TooMany));
    }

    #[test]
    fn the_rules_that_come_with_the_crate_can_be_used() {
        let rules: HostRules = toml::from_str(include_str!("../hosts.toml")).unwrap();
        let hosts = Hosts::new(&rules).unwrap();
        assert!(!hosts.official.is_empty() && !hosts.words.is_empty());
        let unknown = toml::from_str::<HostRules>("official = []\nhost = 1\n");
        assert!(unknown.is_err(), "unknown keys are refused");
    }
}
