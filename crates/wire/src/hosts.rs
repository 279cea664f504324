//! Which hosts are official: rules with a day on which they begin to count, as central publishes them with its trust.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Timestamp;

/// Entries of each list: an office knows a handful, and each is compared with every payload.
pub const MAX_HOSTS: usize = 64;

/// The longest name of a host in text.
///
/// # Source
/// RFC 1035, section 2.3.4.
pub const MAX_HOST_BYTES: usize = 253;

/// The longest label of one.
const MAX_LABEL_BYTES: usize = 63;

/// Shorter words stand in the names of too many others.
const MIN_WORD_BYTES: usize = 4;

/// Where an honest code may lead, and what gives a forged one away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRules {
    /// From this moment on they count; of several, those that began last.
    #[serde(rename = "valid_from_ms")]
    pub valid_from: Timestamp,
    /// Where an honest code may lead.
    pub official: Vec<OfficialHost>,
    /// Words that nobody but the offices has a reason to carry in the name of a host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Names below which only state bodies get one: a word is no forgery there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<String>,
}

/// One official host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        /// Which entry: official ones first, then reserved names.
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

impl HostRules {
    /// Whether they can be used.
    ///
    /// # Errors
    /// [`HostsError`]: the first entry that could never match, or too many of them.
    pub fn check(&self) -> Result<(), HostsError> {
        let lists = [self.official.len(), self.words.len(), self.reserved.len()];
        if lists.iter().any(|length| *length > MAX_HOSTS) {
            return Err(HostsError::TooMany);
        }
        if self.official.is_empty() {
            return Err(HostsError::None);
        }
        let names = self.official.iter().map(|official| &official.host);
        for (position, name) in names.chain(&self.reserved).enumerate() {
            if !is_host(name) {
                return Err(HostsError::Host { position });
            }
        }
        for (position, word) in self.words.iter().enumerate() {
            if !is_word(word) {
                return Err(HostsError::Word { position });
            }
        }
        Ok(())
    }

    /// Those of `lists` that count at a moment: of all that began, the ones that began last, and of two that began
    /// together the later of the lists. Where none began, the earliest: a clock that is years behind knows old rules
    /// rather than none.
    #[must_use]
    pub fn in_force<'a>(lists: &[&'a Self], at: Timestamp) -> Option<&'a Self> {
        let began = lists.iter().filter(|rules| rules.valid_from <= at);
        let newest = began.max_by_key(|rules| rules.valid_from);
        newest
            .or_else(|| lists.iter().min_by_key(|rules| rules.valid_from))
            .copied()
    }
}

/// Lower-case letters, digits and hyphens in labels that are parted by dots.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.len() <= MAX_LABEL_BYTES && label.bytes().all(known)
    };
    name.len() <= MAX_HOST_BYTES && name.contains('.') && name.split('.').all(is_label)
}

fn is_word(word: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (MIN_WORD_BYTES..=MAX_HOST_BYTES).contains(&word.len()) && word.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(host: &str, word: &str) -> HostRules {
        HostRules {
            valid_from: Timestamp::UNIX_EPOCH,
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
        let check = |host: &str, word: &str, expect: Result<(), HostsError>| {
            assert_eq!(rules(host, word).check(), expect, "{host} {word}");
        };
        let no_host = Err(HostsError::Host { position: 0 });
        let no_word = Err(HostsError::Word { position: 0 });
        check("a.go.id", "dukcapil", Ok(()));
        check("A.go.id", "dukcapil", no_host);
        check("localhost", "dukcapil", no_host);
        check("a..id", "dukcapil", no_host);
        check("https://a.id", "dukcapil", no_host);
        check("a.go.id", "kk", no_word);
        check("a.go.id", "", no_word);
        let none = HostRules {
            official: Vec::new(),
            ..rules("a.go.id", "dukcapil")
        };
        assert_eq!(none.check(), Err(HostsError::None));
        let mut many = rules("a.go.id", "dukcapil");
        many.words = vec!["dukcapil".to_owned(); MAX_HOSTS + 1];
        assert_eq!(many.check(), Err(HostsError::TooMany));
    }

    #[test]
    fn of_what_has_begun_the_latest_counts() {
        let from = |ms: i64, host: &str| HostRules {
            valid_from: Timestamp::from_unix_ms(ms),
            ..rules(host, "dukcapil")
        };
        let lists = [
            from(100, "first.id"),
            from(300, "later.id"),
            from(300, "bundle.id"),
        ];
        let lists: Vec<&HostRules> = lists.iter().collect();
        let check = |at: i64, expect: &str| {
            let found = HostRules::in_force(&lists, Timestamp::from_unix_ms(at)).unwrap();
            assert_eq!(found.official[0].host, expect, "{at}");
        };
        check(299, "first.id");
        check(300, "bundle.id");
        check(0, "first.id");
        assert_eq!(HostRules::in_force(&[], Timestamp::UNIX_EPOCH), None);
    }
}
