//! Where a site leaves bytes, and which of these places name somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::secrecy::{Needles, files};

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

/// A frame in base64 stands within so many bytes: as far back a file that has grown is read again.
const OVERLAP_BYTES: usize = 64 * 1024;

/// What was read and found, by place, of a site that is searched again and again.
#[derive(Debug, Default)]
pub struct Search {
    /// How many bytes were looked at there.
    pub read: BTreeMap<Place, usize>,
    /// Files with a canary in them or in their name, by their path from the site's folder.
    pub caught: BTreeMap<Place, BTreeSet<String>>,
    /// Each file as it was last read: logs and databases' logs grow, and what was read need not be read again.
    known: BTreeMap<String, Vec<u8>>,
}

impl Search {
    /// Searches every file of a site as it stands at this moment.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn look(&mut self, dir: &Path, canaries: &[String]) -> anyhow::Result<()> {
        let needles = Needles::of(canaries)?;
        for (name, bytes) in files(dir, OUTSIDE)? {
            let place = Place::of(&name);
            let from = match self.known.get(&name) {
                Some(known) if bytes.starts_with(known) => {
                    known.len().saturating_sub(OVERLAP_BYTES)
                }
                Some(_) | None => 0,
            };
            let new = bytes.get(from..).unwrap_or_default();
            *self.read.entry(place).or_default() += new.len();
            if needles.stand_in(name.as_bytes()) || needles.stand_in(new) {
                self.caught.entry(place).or_default().insert(name.clone());
            }
            self.known.insert(name, bytes);
        }
        Ok(())
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

    #[test]
    fn what_a_file_grew_by_is_read_with_what_stands_before_it() -> anyhow::Result<()> {
        let canaries = ["SITI CONTOH".to_owned()];
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.log");
        let mut bytes = vec![b'.'; 3 * OVERLAP_BYTES];
        bytes.extend(b"SITI CO");
        std::fs::write(&file, &bytes)?;
        let mut search = Search::default();
        search.look(folder.path(), &canaries)?;
        assert!(search.caught.is_empty());
        bytes.extend(b"NTOH");
        std::fs::write(&file, &bytes)?;
        search.look(folder.path(), &canaries)?;
        assert_eq!(search.caught.len(), 1);
        Ok(())
    }

    #[test]
    fn a_file_that_was_written_anew_is_read_anew() -> anyhow::Result<()> {
        let canaries = ["SITI CONTOH".to_owned()];
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("a.db");
        std::fs::write(&file, vec![b'.'; 3 * OVERLAP_BYTES])?;
        let mut search = Search::default();
        search.look(folder.path(), &canaries)?;
        let mut anew = b"SITI CONTOH".to_vec();
        anew.extend(vec![b'.'; 3 * OVERLAP_BYTES]);
        std::fs::write(&file, anew)?;
        search.look(folder.path(), &canaries)?;
        assert_eq!(search.caught.len(), 1);
        Ok(())
    }
}
