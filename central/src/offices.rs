//! The offices and their working days: when a paper is due.
//!
//! Shape of `offices.toml`: `version = 1` and one `[[office]]` a place, with `id`, `name`, `zone`, `working_days`,
//! `holidays`, `default_machine` and `paper_days`; `valid_from` where its rules change on a day to come.

mod error;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use loket_domain::dispatch::{Calendar, CalendarError, LocalDay, due_at, due_under};
use loket_wire::{Day, MachineId, OfficeId, Timestamp, Zone};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

#[cfg(test)]
pub(crate) use error::FILE_FAULTS;
pub use error::OfficesError;
pub(crate) use file::OfficesFile;

/// The largest offices file: 500 offices with a year's holidays stay below a tenth of it.
const MAX_OFFICES_BYTES: u64 = 4 * 1024 * 1024;

/// One place as it is from a day on: its name, calendar and default machine.
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
    /// The local day from which this counts; `None` where it always did.
    valid_from: Option<LocalDay>,
    paper_days: u16,
    calendar: Calendar,
}

impl Office {
    /// Whether it counts at that moment.
    fn is_valid(&self, at: Timestamp) -> bool {
        self.is_valid_on(LocalDay::of(at, self.zone.utc_offset_minutes()))
    }

    fn is_valid_on(&self, day: LocalDay) -> bool {
        self.valid_from.is_none_or(|from| from <= day)
    }

    fn read(written: Written) -> Result<Self, OfficesError> {
        let Written {
            id,
            name,
            zone,
            working_days,
            holidays,
            default_machine,
            valid_from,
            paper_days,
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
        let valid_from = valid_from.map(|day| day.parse().map_err(failed));
        Ok(Self {
            valid_from: valid_from.transpose()?,
            id,
            name,
            zone,
            default_machine,
            paper_days,
            calendar,
        })
    }
}

/// The calendar of a place that stands in a machine's record and not in the file: WIB, Monday to Friday.
fn usual_calendar() -> Option<Calendar> {
    calendar(Zone::Wib, &Day::MONDAY_TO_FRIDAY, BTreeSet::new()).ok()
}

fn calendar(
    zone: Zone,
    working_days: &[Day],
    holidays: BTreeSet<LocalDay>,
) -> Result<Calendar, CalendarError> {
    Calendar::new(zone.utc_offset_minutes(), Day::week(working_days), holidays)
}

/// A sheet that is doubted is doubted within the year: the usual time between two visits to an office.
const fn usual_paper_days() -> u16 {
    365
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
    #[serde(default)]
    valid_from: Option<String>,
    #[serde(default = "usual_paper_days", deserialize_with = "paper_days")]
    paper_days: u16,
}

/// Five years: the job that a record belongs to leaves the ledger then.
const MAX_PAPER_DAYS: u16 = 1_826;

fn paper_days<'de, D: Deserializer<'de>>(written: D) -> Result<u16, D::Error> {
    let days = u16::deserialize(written)?;
    if days <= MAX_PAPER_DAYS {
        Ok(days)
    } else {
        let said = format!("paper_days = {days} is more than {MAX_PAPER_DAYS}, five years");
        Err(D::Error::custom(said))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    version: u16,
    #[serde(default)]
    office: Vec<Written>,
}

/// Every office of the file, by id, each as it is from day to day.
#[derive(Debug, Clone, Default)]
pub struct Offices(BTreeMap<OfficeId, Vec<Office>>);

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
        let file: WrittenFile = toml::from_str(text).map_err(|source| OfficesError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        if file.version != 1 {
            return Err(OfficesError::Version {
                version: file.version,
            });
        }
        let mut offices: BTreeMap<OfficeId, Vec<Office>> = BTreeMap::new();
        for office in file.office {
            let office = Office::read(office)?;
            let known = offices.entry(office.id.clone()).or_default();
            if known.iter().any(|it| it.valid_from == office.valid_from) {
                return Err(OfficesError::Twice { office: office.id });
            }
            known.push(office);
            known.sort_by_key(|it| it.valid_from);
        }
        Ok(Self(offices))
    }

    /// The office as it is at that moment, where the file has it.
    #[must_use]
    pub fn find(&self, id: &OfficeId, at: Timestamp) -> Option<&Office> {
        let known = self.0.get(id)?;
        known.iter().rfind(|office| office.is_valid(at))
    }

    /// When an order taken `at` is due: the same local hour on the office's next working day, by the rules that count
    /// on that day. A place that the file does not have works from Monday to Friday.
    #[must_use]
    pub fn due(&self, id: &OfficeId, at: Timestamp) -> Timestamp {
        let Some(present) = self.find(id, at) else {
            return usual_calendar().map_or(at, |calendar| due_at(&calendar, at));
        };
        let known = self.0.get(id).map(Vec::as_slice).unwrap_or_default();
        due_under(at, &present.calendar, |day| {
            let of_day = known.iter().rfind(|office| office.is_valid_on(day));
            of_day.map(|office| &office.calendar)
        })
    }

    /// How many days the record of a sheet that the office prints at that moment is kept; 0 for not at all.
    #[must_use]
    pub fn paper_days(&self, id: &OfficeId, at: Timestamp) -> u16 {
        let office = self.find(id, at);
        office.map_or_else(usual_paper_days, |office| office.paper_days)
    }

    /// The offices as they are at that moment, by id.
    pub(crate) fn present(&self, at: Timestamp) -> impl Iterator<Item = &Office> {
        let known = self.0.values();
        known.filter_map(move |known| known.iter().rfind(|office| office.is_valid(at)))
    }

    /// The zone of central's own day: a regency lies in one.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.0
            .values()
            .find_map(|known| known.first())
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
        due_by(FILE, "kec-1", at)
    }

    fn due_by(file: &str, office: &str, at: &str) -> String {
        let offices = Offices::parse(file, Path::new("offices.toml")).unwrap();
        let at = Timestamp::parse_rfc3339(at).unwrap();
        offices.due(&office.parse().unwrap(), at).to_string()
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

    /// Works on Saturdays from 2027 on, in another zone, with New Year's Day off.
    const CHANGES: &str = r#"
        version = 1
        [[office]]
        id = "kec-1"
        name = "Kecamatan Contoh Baru"
        zone = "Asia/Jayapura"
        working_days = ["mon", "tue", "wed", "thu", "fri", "sat"]
        holidays = ["2027-01-01"]
        valid_from = "2027-01-01"
        [[office]]
        id = "kec-1"
        name = "Kecamatan Contoh"
        zone = "Asia/Makassar"
        [[office]]
        id = "kec-2"
        name = "Kecamatan yang Baru Dibuka"
        zone = "WIB"
        valid_from = "2027-02-01"
    "#;

    #[test]
    fn rules_count_from_their_day_on() {
        let offices = Offices::parse(CHANGES, Path::new("offices.toml")).unwrap();
        let name = |id: &str, at: &str| {
            let at = Timestamp::parse_rfc3339(at).unwrap();
            let office = offices.find(&id.parse().unwrap(), at);
            office.map(|office| office.name.clone())
        };
        let old = Some("Kecamatan Contoh".to_owned());
        // Each entry's day begins at midnight of its own zone.
        assert_eq!(name("kec-1", "2026-12-31T22:59:59+08:00"), old);
        let new = name("kec-1", "2027-01-01T00:00:00+09:00").unwrap();
        assert!(new.ends_with("Baru"));
        assert_eq!(name("kec-2", "2027-01-31T23:59:59+07:00"), None);
        assert!(name("kec-2", "2027-02-01T00:00:00+07:00").is_some());
    }

    #[test]
    fn what_is_due_beyond_a_change_of_rules_follows_the_rules_of_that_day() {
        for (taken, expected) in [
            // Thursday; Friday is New Year's Day by the new rules, and they work on Saturday.
            ("2026-12-31T10:00:00+08:00", "2027-01-02T02:00:00Z"),
            ("2026-12-29T10:00:00+08:00", "2026-12-30T02:00:00Z"),
        ] {
            assert_eq!(due_by(CHANGES, "kec-1", taken), expected, "{taken}");
        }
        // A place that opens later, or that the file does not have, has the usual week.
        let friday = "2026-12-25T10:00:00+07:00";
        let monday = "2026-12-28T03:00:00Z";
        assert_eq!(due_by(CHANGES, "kec-2", friday), monday);
        assert_eq!(due_by(CHANGES, "nowhere", friday), monday);
    }

    #[test]
    fn records_of_sheets_are_kept_by_the_rule_of_the_day_on_which_they_were_printed() {
        let from = CHANGES.replacen("valid_from", "paper_days = 0\nvalid_from", 1);
        let offices = Offices::parse(&from, Path::new("offices.toml")).unwrap();
        let days = |id: &str, at: &str| {
            let at = Timestamp::parse_rfc3339(at).unwrap();
            offices.paper_days(&id.parse().unwrap(), at)
        };
        assert_eq!(days("kec-1", "2026-12-01T10:00:00+08:00"), 365);
        assert_eq!(days("kec-1", "2027-01-01T10:00:00+09:00"), 0);
        assert_eq!(days("nowhere", "2027-01-01T10:00:00+09:00"), 365);
        let days = |days: u32| {
            let text =
                CHANGES.replacen("valid_from", &format!("paper_days = {days}\nvalid_from"), 1);
            Offices::parse(&text, Path::new("offices.toml"))
        };
        assert!(days(1_826).is_ok());
        let refused = days(1_827).unwrap_err();
        assert!(matches!(refused, OfficesError::Syntax { .. }), "{refused}");
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
    fn the_examples_name_every_rule_of_an_office() {
        let complaint = |text: &str| {
            toml::from_str::<WrittenFile>(text)
                .err()
                .unwrap()
                .to_string()
        };
        for (name, text) in [
            (
                "docs/examples",
                include_str!("../../docs/examples/offices.toml"),
            ),
            (
                "systemd/etc/loket",
                include_str!("../../systemd/etc/loket/offices.toml"),
            ),
        ] {
            loket_example_settings::assert_complete(name, text, complaint);
        }
    }

    #[test]
    fn a_file_that_says_too_much_or_too_little_is_refused() {
        for (from, to) in [
            ("version = 1", "version = 2"),
            ("Asia/Makassar", "Europe/Paris"),
            ("2026-08-17", "17-08-2026"),
            ("holidays", "holydays"),
            ("[[office]]", "[[office]]\nworking_days = []"),
            ("[[office]]", "[[office]]\nvalid_from = \"besok\""),
        ] {
            let text = FILE.replace(from, to);
            assert!(
                Offices::parse(&text, Path::new("offices.toml")).is_err(),
                "{to}"
            );
        }
    }
}
