//! Jobs found again by what people have in hand, and what was set aside of each machine.

use loket_store::{JobFilter, JobNumber, Search, Span, Store};
use loket_wire::{JobId, JobState};

use crate::world::{World, at, central, job_id, new_job};

/// Jobs of these references, taken in at seconds 1, 2, 3 and so on.
fn taken(world: &World, references: &[&str]) -> Vec<JobId> {
    let mut ids = Vec::new();
    for (number, reference) in (1_u8..).zip(references) {
        let mut new = new_job(number, &world.machine);
        new.facts.reference = reference.parse().unwrap();
        let at = at(i64::from(number));
        world.store.insert_job(&new, &central(), at).unwrap();
        ids.push(new.facts.id);
    }
    ids
}

/// Every job that the search finds, over pages of two.
fn found(world: &World, filter: JobFilter) -> Vec<JobId> {
    let mut filter = JobFilter { limit: 2, ..filter };
    let mut ids = Vec::new();
    loop {
        let page = world.store.jobs(&filter).unwrap();
        ids.extend(page.jobs.iter().map(|row| row.facts.id));
        filter.before = page.next;
        if filter.before.is_none() {
            return ids;
        }
    }
}

fn by(search: Search) -> JobFilter {
    JobFilter {
        search: Some(search),
        ..JobFilter::default()
    }
}

#[test]
fn a_reference_is_found_whole_newest_first_or_by_its_beginning_in_order() {
    let world = World::new();
    let ids = taken(&world, &["KK-2", "kk-10", "KK-1", "Kk-1", "AKTA-1", "kk-1"]);
    let of = |numbers: &[usize]| numbers.iter().map(|at| ids[*at]).collect::<Vec<_>>();
    let whole = |text: &str| by(Search::Reference(text.parse().unwrap()));
    let start = |text: &str| by(Search::ReferenceStart(text.parse().unwrap()));

    assert_eq!(found(&world, whole("kk-1")), of(&[5, 3, 2]));
    assert_eq!(found(&world, whole("KK-")), of(&[]));
    assert_eq!(found(&world, start("kk-")), of(&[5, 3, 2, 1, 0]));
    assert_eq!(found(&world, start("KK-1")), of(&[5, 3, 2, 1]));
    assert_eq!(found(&world, start("KK-3")), of(&[]));

    // What comes in while somebody turns pages moves nothing that was not shown yet.
    let mut filter = JobFilter {
        limit: 2,
        ..start("kk-")
    };
    let first = world.store.jobs(&filter).unwrap();
    let mut late = new_job(9, &world.machine);
    late.facts.reference = "kk-1".parse().unwrap();
    world.store.insert_job(&late, &central(), at(9)).unwrap();
    filter.before = first.next;
    let second = world.store.jobs(&filter).unwrap();
    let second: Vec<_> = second.jobs.iter().map(|row| row.facts.id).collect();
    assert_eq!(second, of(&[2, 1]));
}

#[test]
fn a_job_is_found_by_its_id_its_number_and_its_day_beside_other_filters() {
    let world = World::new();
    let ids = taken(&world, &["KK-1", "KK-2", "KK-3"]);
    let id = ids[1];
    let text = id.to_string();
    let number = JobNumber::parse(&text[24..].to_uppercase()).unwrap();
    assert_eq!(found(&world, by(Search::Id(id))), [id]);
    assert_eq!(found(&world, by(Search::Number(number.clone()))), [id]);
    assert_eq!(found(&world, by(Search::Id(job_id(77)))), []);
    let day = |from, until| JobFilter {
        taken: Some(Span {
            from: at(from),
            until: at(until),
        }),
        ..JobFilter::default()
    };
    assert_eq!(found(&world, day(2, 4)), [ids[2], ids[1]]);
    let held = JobFilter {
        states: vec![JobState::Held],
        ..by(Search::Number(number))
    };
    assert_eq!(found(&world, held), []);
    let elsewhere = JobFilter {
        machine: Some("desa-2".parse().unwrap()),
        ..day(0, 9)
    };
    assert_eq!(found(&world, elsewhere), []);
    assert_eq!(world.store.count_jobs(&day(2, 4)).unwrap(), 2);
}
