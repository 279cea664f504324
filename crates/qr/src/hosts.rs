//! Host rules that were checked, with what each name looks like to the eye.

use loket_wire::{HostRules, HostsError, Timestamp};

use crate::looks::{flat, looks_of};

/// Host rules ready to be compared with.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// From when on they count.
    pub(crate) valid_from: Timestamp,
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
        rules.check()?;
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
            valid_from: rules.valid_from,
            official: official.collect(),
            words: rules.words.iter().map(|word| looks_of(word)).collect(),
            reserved: rules.reserved.clone(),
        })
    }
}
