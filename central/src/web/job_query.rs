//! Which jobs a program asks for, and the place in a list where its next page begins.

use loket_domain::dispatch::LocalDay;
use loket_store::{JobCursor, JobFilter, JobNumber, MAX_PAGE_JOBS, Origin, Search, Span};
use loket_wire::ids::has_long_number;
use loket_wire::{JobState, Reference, Timestamp, Zone};
use serde::Deserialize;

use super::shapes::origin_word;
use crate::problem::{Code, Problem};

/// Jobs in one answer unless the caller says otherwise.
const DEFAULT_PAGE_JOBS: u32 = 50;

/// Marks a reference that is only the beginning of one. No reference holds it.
const START_MARK: char = '*';

/// Which jobs.
///
/// What one searches for is somebody's own text: it has no `Debug` and goes into no log.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    /// States, separated by commas.
    state: Option<String>,
    machine: Option<String>,
    office: Option<String>,
    /// Who ordered it: `central` or `local`.
    origin: Option<String>,
    /// A reference, or the beginning of one with a star behind it.
    reference: Option<String>,
    /// A job's id, or the last part of one.
    job_id: Option<String>,
    /// A day in central's zone, `YYYY-MM-DD`.
    day: Option<String>,
    limit: Option<u32>,
    /// What `next_before` said.
    before: Option<String>,
}

impl JobsQuery {
    /// What the store is asked for; days begin at midnight of `zone`.
    ///
    /// # Errors
    /// `QueryMalformed`; `SearchNumber` where a person's number may be searched for.
    pub(super) fn filter(&self, zone: Zone) -> Result<JobFilter, Problem> {
        let malformed = |_ignored| Problem::new(Code::QueryMalformed);
        let limit = self.limit.unwrap_or(DEFAULT_PAGE_JOBS);
        if !(1..=MAX_PAGE_JOBS).contains(&limit) {
            return Err(Code::QueryMalformed.into());
        }
        let by_reference = self.reference.as_deref().map(by_reference).transpose()?;
        let by_id = match &self.job_id {
            None => None,
            Some(text) => Some(by_id(text).ok_or(Code::QueryMalformed)?),
        };
        let origin = match self.origin.as_deref() {
            None => None,
            Some(word) => Some(origin(word).ok_or(Code::QueryMalformed)?),
        };
        let machine = self.machine.as_deref().map(str::parse);
        let office = self.office.as_deref().map(str::parse);
        let day = self.day.as_deref().map(|text| day(text, zone));
        let before = self.before.as_deref().map(cursor);
        Ok(JobFilter {
            states: states(self.state.as_deref().unwrap_or_default())?,
            machine: machine.transpose().map_err(malformed)?,
            office: office.transpose().map_err(malformed)?,
            origin,
            before: match before {
                None => None,
                Some(cursor) => Some(cursor.ok_or(Code::QueryMalformed)?),
            },
            taken: day.transpose()?,
            search: by_id.or(by_reference),
            pick: None,
            limit,
        })
    }

    /// Whether a job that was found is one of the reference asked for: of an id and a reference the store seeks the id.
    pub(super) fn takes(&self, found: &Reference) -> bool {
        let Some(wanted) = &self.reference else {
            return true;
        };
        let (found, wanted) = (found.as_str(), wanted.as_str());
        match wanted.strip_suffix(START_MARK) {
            None => found.eq_ignore_ascii_case(wanted),
            Some(start) => found
                .get(..start.len())
                .is_some_and(|beginning| beginning.eq_ignore_ascii_case(start)),
        }
    }
}

fn states(words: &str) -> Result<Vec<JobState>, Problem> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let known = words
        .split(',')
        .map(|word| state(word).ok_or(Code::QueryMalformed.into()));
    known.collect()
}

/// The state of that word.
pub(super) fn state(word: &str) -> Option<JobState> {
    JobState::ALL
        .into_iter()
        .find(|state| state.as_str() == word)
}

fn origin(word: &str) -> Option<Origin> {
    [Origin::Central, Origin::Local]
        .into_iter()
        .find(|origin| origin_word(*origin) == word)
}

/// A day's moments.
///
/// # Errors
/// `QueryMalformed`.
pub(super) fn day(text: &str, zone: Zone) -> Result<Span, Problem> {
    let day: LocalDay = text.parse().map_err(|_ignored| Code::QueryMalformed)?;
    let offset_minutes = zone.utc_offset_minutes();
    Ok(Span {
        from: day.start(offset_minutes),
        until: day.next().start(offset_minutes),
    })
}

/// A search by reference: of the whole one, or of its beginning where a star says so.
///
/// # Errors
/// `QueryMalformed`; `SearchNumber`.
pub(super) fn by_reference(text: &str) -> Result<Search, Problem> {
    let (start, is_start) = match text.strip_suffix(START_MARK) {
        Some(start) => (start, true),
        None => (text, false),
    };
    if has_long_number(start) {
        return Err(Code::SearchNumber.into());
    }
    let reference: Reference = start.parse().map_err(|_ignored| Code::QueryMalformed)?;
    Ok(if is_start {
        Search::ReferenceStart(reference)
    } else {
        Search::Reference(reference)
    })
}

/// A search by a job's id or number.
pub(super) fn by_id(text: &str) -> Option<Search> {
    let whole = text.parse().ok().map(Search::Id);
    whole.or_else(|| JobNumber::parse(text).map(Search::Number))
}

/// Reads a place in a list: `<created_at in ms>.<job id>`, and `.<reference>` where the list is in their order.
pub(super) fn cursor(text: &str) -> Option<JobCursor> {
    let mut parts = text.splitn(3, '.');
    let at: i64 = parts.next()?.parse().ok()?;
    let id = parts.next()?.parse().ok()?;
    let reference = parts.next().map(str::parse).transpose().ok()?;
    Some(JobCursor {
        created_at: Timestamp::from_unix_ms(at),
        id,
        reference,
    })
}

/// Writes it.
pub(super) fn cursor_text(cursor: &JobCursor) -> String {
    let mut text = format!("{}.{}", cursor.created_at.unix_ms(), cursor.id);
    if let Some(reference) = &cursor.reference {
        text.push('.');
        text.push_str(reference.as_str());
    }
    text
}

#[cfg(test)]
mod tests {
    use loket_wire::JobId;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<JobFilter, Code> {
        let mut query = JobsQuery::default();
        for (name, value) in pairs {
            let text = *value;
            let value = Some(text.to_owned());
            match *name {
                "state" => query.state = value,
                "origin" => query.origin = value,
                "reference" => query.reference = value,
                "job_id" => query.job_id = value,
                "day" => query.day = value,
                "before" => query.before = value,
                "limit" => query.limit = text.parse().ok(),
                other => panic!("{other}"),
            }
        }
        query.filter(Zone::Wib).map_err(|problem| problem.code)
    }

    #[test]
    fn filters_are_read_or_refused() {
        let id = JobId::from_parts(1_790_000_000_000, [1; 10]);
        let filter =
            query(&[("state", "printed,unknown"), ("before", &format!("5.{id}"))]).unwrap();
        assert_eq!(filter.states, [JobState::Printed, JobState::Unknown]);
        let expected = JobCursor {
            created_at: Timestamp::from_unix_ms(5),
            id,
            reference: None,
        };
        assert_eq!(filter.before, Some(expected));
        let plain = query(&[]).unwrap();
        assert!(plain.states.is_empty() && plain.search.is_none() && plain.limit == 50);
        for wrong in [
            ("state", "done"),
            ("state", "printed,x"),
            ("state", "printed,"),
            ("origin", "dari-mesin"),
            ("before", "5"),
            ("before", "x.y"),
            ("before", &format!("5.{id}.***")),
            ("day", "26-11-2026"),
            ("day", "2026-02-30"),
            ("job_id", "0a1b"),
            ("reference", "*"),
            ("reference", "KK 1"),
            ("reference", "K*K"),
            ("limit", "0"),
            ("limit", "201"),
        ] {
            assert_eq!(query(&[wrong]), Err(Code::QueryMalformed), "{wrong:?}");
        }
        let by_hand = query(&[("origin", "local")]).map(|filter| filter.origin);
        assert_eq!(by_hand, Ok(Some(Origin::Local)));
        let both = [("reference", "KK-1"), ("job_id", "0a1b2c3d4e5f")];
        let search = query(&both).unwrap().search;
        assert!(
            matches!(search, Some(Search::Number(_))),
            "an id finds less"
        );
    }

    #[test]
    fn what_may_be_a_persons_number_is_not_searched_for() {
        // Put together here: a made-up number could be a living person's.
        let digits = "0".repeat(16);
        for text in [
            digits.clone(),
            format!("0000-0000-{}", &digits[8..]),
            format!("{digits}0*"),
        ] {
            let refused = query(&[("reference", &text)]);
            assert_eq!(refused, Err(Code::SearchNumber), "{text}");
        }
    }

    #[test]
    fn a_reference_narrows_what_an_id_found() {
        let takes = |reference: Option<&str>, found: &str| {
            let query = JobsQuery {
                reference: reference.map(str::to_owned),
                ..JobsQuery::default()
            };
            query.takes(&found.parse().unwrap())
        };
        assert!(takes(None, "KK-1") && takes(Some("kk-1"), "KK-1") && takes(Some("kk*"), "KK-1"));
        assert!(!takes(Some("KK"), "KK-1") && !takes(Some("KK-12*"), "KK-1"));
    }

    #[test]
    fn searches_and_places_are_read_as_they_are_written() {
        let id = JobId::from_parts(1_790_000_000_000, [1; 10]);
        let text = id.to_string();
        assert_eq!(by_id(&text), Some(Search::Id(id)));
        let number = JobNumber::parse("010101010101").unwrap();
        assert_eq!(by_id(&text[24..]), Some(Search::Number(number)));
        let start = query(&[("reference", "KK-2026*")]).unwrap().search;
        let expected = Search::ReferenceStart("KK-2026".parse().unwrap());
        assert_eq!(start, Some(expected));
        let place = JobCursor {
            created_at: Timestamp::from_unix_ms(7),
            id,
            reference: Some("KK.1.2".parse().unwrap()),
        };
        assert_eq!(cursor(&cursor_text(&place)), Some(place));
        let day = query(&[("day", "2026-11-26")]).unwrap().taken.unwrap();
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        assert_eq!(day.from, at("2026-11-26T00:00:00+07:00"));
        assert_eq!(day.until, at("2026-11-27T00:00:00+07:00"));
    }
}
