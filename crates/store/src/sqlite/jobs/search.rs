//! What people search jobs by, each by an index of its own: a list of a million jobs is never gone through.

use loket_wire::{JobState, Reference};
use rusqlite::types::Value;

use super::Condition;
use crate::job::{JobFilter, Search};

/// A reference as the index has it.
const REFERENCE: &str = "reference COLLATE NOCASE";

/// Behind every character that a reference may have.
const BEHIND_ALL: char = '~';

/// Whether the list is in the order of references.
pub(super) const fn is_by_reference(filter: &JobFilter) -> bool {
    matches!(filter.search, Some(Search::ReferenceStart(_)))
}

/// The column of the state. Nearly every job is printed: in a search the plus keeps that state's index out, whose rows
/// would all be sorted. The other states hold few jobs, and their index leads to them.
pub(super) fn state_column(filter: &JobFilter) -> &'static str {
    if filter.search.is_some() && filter.states.contains(&JobState::Printed) {
        "+state"
    } else {
        "state"
    }
}

/// Adds what is searched for, from the reference `last` on where the list is in their order.
pub(super) fn narrow(condition: &mut Condition, filter: &JobFilter, last: Option<&Reference>) {
    let clause = match &filter.search {
        None => None,
        Some(Search::Id(id)) => Some(format!("id = {}", condition.text(&id.to_string()))),
        Some(Search::Number(number)) => {
            let number = condition.text(number.as_str());
            Some(format!("substr(id, -12) = {number}"))
        }
        Some(Search::Reference(reference)) => {
            let reference = condition.text(reference.as_str());
            Some(format!("{REFERENCE} = {reference}"))
        }
        Some(Search::ReferenceStart(start)) => {
            // One lower bound: of two the index may take the worse. A place before the beginning is none.
            let last = last.filter(|last| folded(last) >= folded(start));
            let from = condition.text(last.unwrap_or(start).as_str());
            let until = condition.text(&format!("{}{BEHIND_ALL}", start.as_str()));
            Some(format!("{REFERENCE} >= {from} AND {REFERENCE} < {until}"))
        }
    };
    condition.clauses.extend(clause);
    if let Some(taken) = filter.taken {
        let (from, until) = (condition.time(taken.from), condition.time(taken.until));
        let clause = format!("created_at_ms >= {from} AND created_at_ms < {until}");
        condition.clauses.push(clause);
    }
}

fn folded(reference: &Reference) -> String {
    reference.as_str().to_ascii_lowercase()
}

/// The statement that reads a page of at most `limit` jobs, with the values of its places.
pub(super) fn page(filter: &JobFilter, limit: u32) -> (String, Vec<Value>) {
    let before = filter.before.as_ref();
    let last = before
        .and_then(|before| before.reference.as_ref())
        .filter(|_| is_by_reference(filter));
    let mut condition = Condition::besides_search(filter);
    narrow(&mut condition, filter, last);
    if let Some(before) = before {
        let at = condition.time(before.created_at);
        let id = condition.text(&before.id.to_string());
        let is_older = format!("(created_at_ms, id) < ({at}, {id})");
        let is_behind = match last {
            None => is_older,
            Some(last) => {
                let last = condition.text(last.as_str());
                format!("({REFERENCE} > {last} OR {is_older})")
            }
        };
        condition.clauses.push(is_behind);
    }
    let order = if is_by_reference(filter) {
        "reference COLLATE NOCASE, created_at_ms DESC, id DESC"
    } else {
        "created_at_ms DESC, id DESC"
    };
    let sql = format!(
        "SELECT * FROM job {} ORDER BY {order} LIMIT {limit}",
        condition.sql()
    );
    (sql, condition.values)
}

#[cfg(test)]
mod tests {
    use loket_wire::{JobId, Timestamp};
    use rusqlite::Connection;

    use super::*;
    use crate::job::{JobCursor, JobNumber, Span};
    use crate::sqlite::file::open_memory;

    fn plan(connection: &Connection, filter: &JobFilter) -> Vec<String> {
        let (sql, values) = page(filter, 51);
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            row.get::<_, String>("detail")
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn reference(text: &str) -> Reference {
        text.parse().unwrap()
    }

    /// Every question that a person or a program can ask, and the index that answers it.
    fn questions() -> Vec<(JobFilter, &'static str)> {
        let id = JobId::from_parts(1, [7; 10]);
        let taken = Some(Span {
            from: Timestamp::from_unix_ms(0),
            until: Timestamp::from_unix_ms(86_400_000),
        });
        let search = |search| JobFilter {
            search: Some(search),
            ..JobFilter::default()
        };
        let machine = Some("desa-1".parse().unwrap());
        let number = Search::Number(JobNumber::parse("0707070707aF").unwrap());
        let plain = JobFilter::default();
        vec![
            (search(Search::Id(id)), "PRIMARY KEY (id=?)"),
            (search(number), "job_by_number (<expr>=?)"),
            (
                search(Search::Reference(reference("KK-1"))),
                "job_by_reference (reference=?)",
            ),
            (
                search(Search::ReferenceStart(reference("KK-"))),
                "job_by_reference (reference>? AND reference<?)",
            ),
            (
                JobFilter {
                    taken,
                    ..plain.clone()
                },
                "job_by_age (created_at_ms>? AND created_at_ms<?)",
            ),
            (
                JobFilter {
                    machine: machine.clone(),
                    taken,
                    ..plain.clone()
                },
                "job_by_machine (machine=? AND created_at_ms>? AND created_at_ms<?)",
            ),
            (
                JobFilter {
                    office: Some("kec-1".parse().unwrap()),
                    ..plain.clone()
                },
                "job_by_office (office=?",
            ),
            (
                JobFilter {
                    states: vec![JobState::Held],
                    ..plain
                },
                "job_by_state (state=?",
            ),
        ]
    }

    #[test]
    fn every_search_uses_the_index_that_is_there_for_it() {
        let connection = open_memory().unwrap();
        let before = |reference| {
            Some(JobCursor {
                created_at: Timestamp::from_unix_ms(9),
                id: JobId::from_parts(1, [9; 10]),
                reference,
            })
        };
        for (filter, index) in questions() {
            let is_search = filter.search.is_some();
            let last = is_by_reference(&filter).then(|| reference("KK-5"));
            let next = JobFilter {
                before: before(last),
                ..filter.clone()
            };
            for filter in [&filter, &next] {
                let plan = plan(&connection, filter);
                assert!(plan[0].starts_with("SEARCH job USING"), "{plan:?}");
                let named = index.split(" (").next().unwrap();
                assert!(plan[0].contains(named), "{plan:?} does not use {index}");
            }
            assert!(plan(&connection, &filter)[0].contains(index), "{index}");
            if is_search {
                // A state beside it must not lead through all printed jobs.
                let narrowed = JobFilter {
                    states: vec![JobState::Printed],
                    ..filter
                };
                let plan = plan(&connection, &narrowed);
                assert!(plan[0].contains(index), "{plan:?}");
            }
        }
    }

    #[test]
    fn a_place_in_the_order_of_references_is_the_one_lower_bound() {
        let filter = |last: &str| JobFilter {
            search: Some(Search::ReferenceStart(reference("KK-5"))),
            before: Some(JobCursor {
                created_at: Timestamp::from_unix_ms(9),
                id: JobId::from_parts(1, [9; 10]),
                reference: Some(reference(last)),
            }),
            ..JobFilter::default()
        };
        let (sql, values) = page(&filter("kk-5-7"), 51);
        assert_eq!(sql.matches(">= ").count(), 1, "{sql}");
        assert_eq!(values[0], Value::Text("kk-5-7".to_owned()));
        let (_sql, values) = page(&filter("KK-4"), 51);
        assert_eq!(values[0], Value::Text("KK-5".to_owned()), "a made-up place");
    }

    #[test]
    fn a_state_that_few_jobs_have_leads_to_them() {
        let connection = open_memory().unwrap();
        let held = JobFilter {
            states: vec![JobState::Held],
            search: Some(Search::ReferenceStart(reference("K"))),
            ..JobFilter::default()
        };
        let plan = plan(&connection, &held);
        assert!(plan[0].contains("job_by_state (state=?"), "{plan:?}");
    }

    #[test]
    fn pages_of_references_come_from_the_index_in_order() {
        let connection = open_memory().unwrap();
        for search in [
            Search::Reference(reference("KK-1")),
            Search::ReferenceStart(reference("KK-")),
        ] {
            let filter = JobFilter {
                search: Some(search),
                ..JobFilter::default()
            };
            let plan = plan(&connection, &filter);
            assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
        }
    }

    #[test]
    fn a_number_is_twelve_hexadecimal_digits() {
        assert_eq!(
            JobNumber::parse("0A1b2C3d4E5f").unwrap().as_str(),
            "0a1b2c3d4e5f"
        );
        for text in ["", "0a1b2c3d4e5", "0a1b2c3d4e5f6", "0a1b2c3d4e5g"] {
            assert!(JobNumber::parse(text).is_none(), "{text}");
        }
    }
}
