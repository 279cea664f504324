//! The offices and their working days: when a paper is due.
//!
//! Shape of `offices.toml`: `version = 1` and one `[[office]]` a place, with `id`, `name`, `zone`, `working_days`,
//! `holidays` and `default_machine`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use loket_domain::dispatch::{Calendar, CalendarError, LocalDay, due_at};
use loket_wire::{Day, MachineId, OfficeId, Timestamp, Zone};
use serde::Deserialize;
use thiserror::Error;

/// The largest offices file: 500 offices with a year's holidays stay below a tenth of it.
const MAX_OFFICES_BYTES: u64 = 4 * 1024 * 1024;

/// Why the offices cannot be used.
#[derive(Debug, Error)]
pub enum OfficesError {
    /// The file could not be read.
    #[error("read the offices file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than such files are.
    #[error("read the offices file: {size_bytes} bytes, more than {MAX_OFFICES_BYTES}")]
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// Not TOML of this shape.
    #[error("understand the offices file {}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Another version than 1.
    #[error("understand the offices file: version {version} is not known, 1 is")]
    Version {
        /// Version met.
        version: u16,
    },
    /// Two offices of one id.
    #[error("accept the offices file: {office} stands there twice")]
    Twice {
        /// The office.
        office: OfficeId,
    },
    /// An office whose calendar cannot be.
    #[error("accept the offices file: the calendar of {office}")]
    Calendar {
        /// The office.
        office: OfficeId,
        /// Why.
        #[source]
        source: CalendarError,
    },
}

/// One place: its name, calendar and default machine.
#[derive(Debug, Clone)]
pub struct Office {
    /// Its id.
    pub id: OfficeId,
    /// Its name, for people.
    pub name: String,
    /// Its time zone.
    pub zone: Zone,
    /// The machine that orders for the office go to.
    pub default_machine: Option<MachineId>,
    calendar: Calendar,
}

impl Office {
    /// When an order taken `at` is due: the same local hour on the office's next working day.
    #[must_use]
    pub fn due(&self, at: Timestamp) -> Timestamp {
        due_at(&self.calendar, at)
    }

    fn read(written: Written) -> Result<Self, OfficesError> {
        let Written {
            id,
            name,
            zone,
            working_days,
            holidays,
            default_machine,
        } = written;
        let failed = |source| OfficesError::Calendar {
            office: id.clone(),
            source,
        };
        let holidays: BTreeSet<LocalDay> = holidays
            .iter()
            .map(|day| day.parse().map_err(failed))
            .collect::<Result<_, _>>()?;
        let calendar = calendar(zone, &working_days, holidays).map_err(failed)?;
        Ok(Self {
            id,
            name,
            zone,
            default_machine,
            calendar,
        })
    }

    /// A place that stands in a machine's record and not in the file: WIB, Monday to Friday.
    fn unlisted(id: &OfficeId) -> Option<Self> {
        let zone = Zone::Wib;
        Some(Self {
            id: id.clone(),
            name: id.to_string(),
            zone,
            default_machine: None,
            calendar: calendar(zone, &Day::MONDAY_TO_FRIDAY, BTreeSet::new()).ok()?,
        })
    }
}

fn calendar(
    zone: Zone,
    working_days: &[Day],
    holidays: BTreeSet<LocalDay>,
) -> Result<Calendar, CalendarError> {
    Calendar::new(zone.utc_offset_minutes(), Day::week(working_days), holidays)
}

fn monday_to_friday() -> Vec<Day> {
    Day::MONDAY_TO_FRIDAY.to_vec()
}

/// An office as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: OfficeId,
    name: String,
    zone: Zone,
    #[serde(default = "monday_to_friday")]
    working_days: Vec<Day>,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    default_machine: Option<MachineId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficesFile {
    version: u16,
    #[serde(default)]
    office: Vec<Written>,
}

/// Every office of the file, by id.
#[derive(Debug, Clone, Default)]
pub struct Offices(BTreeMap<OfficeId, Office>);

impl Offices {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The [`OfficesError`] that says what is wrong with it.
    pub fn load(path: &Path) -> Result<Self, OfficesError> {
        let failed = |source| OfficesError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let size_bytes = std::fs::metadata(path).map_err(failed)?.len();
        if size_bytes > MAX_OFFICES_BYTES {
            return Err(OfficesError::TooLarge { size_bytes });
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, OfficesError> {
        let file: OfficesFile = toml::from_str(text).map_err(|source| OfficesError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        if file.version != 1 {
            return Err(OfficesError::Version {
                version: file.version,
            });
        }
        let mut offices = BTreeMap::new();
        for office in file.office {
            let office = Office::read(office)?;
            if let Some(earlier) = offices.insert(office.id.clone(), office) {
                return Err(OfficesError::Twice { office: earlier.id });
            }
        }
        Ok(Self(offices))
    }

    /// The office, where the file has it.
    #[must_use]
    pub fn find(&self, id: &OfficeId) -> Option<&Office> {
        self.0.get(id)
    }

    /// The office, or one with the usual calendar where the file does not have it.
    #[must_use]
    pub fn find_or_usual(&self, id: &OfficeId) -> Option<Office> {
        self.0.get(id).cloned().or_else(|| Office::unlisted(id))
    }

    /// The zone of central's own day: a regency lies in one.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.0
            .values()
            .next()
            .map_or(Zone::Wib, |office| office.zone)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        version = 1
        [[office]]
        id = "kec-1"
        name = "Kecamatan Contoh"
        zone = "Asia/Makassar"
        holidays = ["2026-08-17"]
        default_machine = "kec-contoh-1"
    "#;

    fn due(at: &str) -> String {
        let offices = Offices::parse(FILE, Path::new("offices.toml")).unwrap();
        let office = offices.find(&"kec-1".parse().unwrap()).unwrap();
        office
            .due(Timestamp::parse_rfc3339(at).unwrap())
            .to_string()
    }

    #[test]
    fn a_paper_is_due_at_the_same_local_hour_of_the_next_working_day() {
        for (taken, expected) in [
            // Wednesday to Thursday
            ("2026-08-12T10:00:00+08:00", "2026-08-13T02:00:00Z"),
            // Friday over the weekend and Independence Day to Tuesday
            ("2026-08-14T10:00:00+08:00", "2026-08-18T02:00:00Z"),
            // Saturday morning, a day off
            ("2026-08-15T07:00:00+08:00", "2026-08-17T23:00:00Z"),
            // Sunday in UTC is Monday in Makassar, and that Monday is a holiday
            ("2026-08-16T20:00:00Z", "2026-08-17T20:00:00Z"),
        ] {
            assert_eq!(due(taken), expected, "{taken}");
        }
    }

    #[test]
    fn the_documented_example_is_taken() {
        let text = include_str!("../../docs/examples/offices.toml");
        assert_eq!(
            Offices::parse(text, Path::new("offices.toml"))
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn a_file_that_says_too_much_or_too_little_is_refused() {
        for (from, to) in [
            ("version = 1", "version = 2"),
            ("Asia/Makassar", "Europe/Paris"),
            ("2026-08-17", "17-08-2026"),
            ("holidays", "holydays"),
            ("[[office]]", "[[office]]\nworking_days = []"),
        ] {
            let text = FILE.replace(from, to);
            assert!(
                Offices::parse(&text, Path::new("offices.toml")).is_err(),
                "{to}"
            );
        }
    }
}
