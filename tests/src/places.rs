//! Where a site leaves bytes, and which of these places name somebody.

use std::collections::BTreeMap;
use std::path::Path;

use crate::secrecy::{files, found_in};

/// Where the test authority's own fictitious names stand, and what was handed in: both are the outside.
const OUTSIDE: &[&str] = &["trust/", "intake/"];

/// A kind of place, which a search must reach and a control must be able to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What a reader of all topics got.
    Capture,
    /// What the broker keeps on disk.
    BrokerDatabase,
    /// Documents and keys on a machine.
    Spool,
    /// A machine's journal.
    Journal,
    /// What of the journal stands in its log alone.
    JournalLog,
    /// What any program said.
    Logs,
    /// Central's database.
    CentralDatabase,
    /// What of central's database stands in its log alone.
    CentralLog,
    /// Documents at central.
    CentralDocuments,
    /// Settings, certificates and whatever else lies there.
    Elsewhere,
}

impl Place {
    /// Every kind that a run leaves, whatever happens in it.
    pub const ALL: [Self; 10] = [
        Self::Capture,
        Self::BrokerDatabase,
        Self::Spool,
        Self::Journal,
        Self::JournalLog,
        Self::Logs,
        Self::CentralDatabase,
        Self::CentralLog,
        Self::CentralDocuments,
        Self::Elsewhere,
    ];

    /// The kind of a file of a site, by its path from the site's folder.
    fn of(path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_log = name.ends_with("-wal");
        match folder.split('/').collect::<Vec<_>>().as_slice() {
            ["logs"] if name == "spy.log" => Self::Capture,
            ["logs"] => Self::Logs,
            ["broker-database"] => Self::BrokerDatabase,
            ["machines", _machine, "state", "spool", ..] => Self::Spool,
            ["machines", _machine, "state"] if name.starts_with("journal.db") && is_log => {
                Self::JournalLog
            }
            ["machines", _machine, "state"] if name.starts_with("journal.db") => Self::Journal,
            ["central", "state"] if name.contains(".db") && is_log => Self::CentralLog,
            ["central", "state"] if name.contains(".db") => Self::CentralDatabase,
            ["central", "state", ..] => Self::CentralDocuments,
            [..] => Self::Elsewhere,
        }
    }
}

/// What one search found, by place.
#[derive(Debug, Default)]
pub struct Search {
    /// How many bytes were read there.
    pub read: BTreeMap<Place, usize>,
    /// Files with a canary in them or in their name, by their path from the site's folder.
    pub caught: BTreeMap<Place, Vec<String>>,
}

impl Search {
    /// Searches every file of a site.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn of(dir: &Path, canaries: &[String]) -> anyhow::Result<Self> {
        let mut search = Self::default();
        for (name, bytes) in files(dir, OUTSIDE)? {
            let place = Place::of(&name);
            *search.read.entry(place).or_default() += bytes.len();
            let names_one = !found_in(name.as_bytes(), canaries).is_empty();
            if names_one || !found_in(&bytes, canaries).is_empty() {
                search.caught.entry(place).or_default().push(name);
            }
        }
        Ok(search)
    }

    /// Adds what another search of the same site read and found.
    pub fn add(&mut self, other: Self) {
        for (place, bytes) in other.read {
            *self.read.entry(place).or_default() += bytes;
        }
        for (place, files) in other.caught {
            self.caught.entry(place).or_default().extend(files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_site_belongs_to_its_place() {
        for (path, place) in [
            ("logs/spy.log", Place::Capture),
            ("logs/central.log", Place::Logs),
            ("broker-database/mosquitto.db", Place::BrokerDatabase),
            ("machines/a/state/spool/x/job.blob", Place::Spool),
            ("machines/a/state/journal.db", Place::Journal),
            ("machines/a/state/journal.db-wal", Place::JournalLog),
            ("machines/a/state/lock", Place::Elsewhere),
            ("ports.json", Place::Elsewhere),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }
}
