//! Match records: taken once, found by code or job, shown with a line in the history, ended by their time.

use loket_store::{Actor, LookReason, Looker, MAX_FOUND, RecordRow, Sought, Store, TextError};
use loket_wire::Sha256Digest;

use crate::world::{World, at, central, job_id, new_job};

const CODE: [u8; 32] = [7; 32];

fn record(world: &World, number: u8) -> RecordRow {
    RecordRow {
        job: job_id(number),
        machine: world.machine.clone(),
        received_at: at(i64::from(number)),
        keep_until: at(1_000 + i64::from(number)),
        size_bytes: 9_000,
        sha256: Sha256Digest::of(&[number]),
    }
}

fn world_with_jobs(count: u8) -> World {
    let world = World::new();
    for number in 1..=count {
        let new = new_job(number, &world.machine);
        world.store.insert_job(&new, &central(), at(0)).unwrap();
    }
    world
}

fn kinds(world: &World, number: u8) -> Vec<String> {
    let lines = world.store.history(job_id(number)).unwrap();
    lines.into_iter().map(|line| line.kind).collect()
}

#[test]
fn the_first_record_of_a_job_stands_and_the_history_tells_of_it_once() {
    let world = world_with_jobs(1);
    let first = record(&world, 1);
    assert_eq!(world.store.record(job_id(1)).unwrap(), None);
    assert_eq!(world.store.put_record(&first, &[CODE]).unwrap(), first);
    // A machine that died before it heard the answer sealed the same sheet once more.
    let again = RecordRow {
        sha256: Sha256Digest::of(b"sealed again"),
        ..first.clone()
    };
    assert_eq!(world.store.put_record(&again, &[CODE]).unwrap(), first);
    assert_eq!(world.store.record(job_id(1)).unwrap(), Some(first));
    let told = kinds(&world, 1);
    assert_eq!(told.iter().filter(|it| *it == "record-kept").count(), 1);
}

#[test]
fn a_record_is_found_by_its_code_or_job_and_each_look_is_written_down() {
    let world = world_with_jobs(2);
    for (number, codes) in [(1, vec![CODE, [8; 32]]), (2, vec![CODE])] {
        let record = record(&world, number);
        world.store.put_record(&record, &codes).unwrap();
    }
    let officer = Actor::new("officer:siti").unwrap();
    let reason = LookReason::new("laporan warga 12").unwrap();
    let show = |sought: Sought| {
        let looker = Looker {
            by: &officer,
            machine: Some(&world.machine),
            reason: (sought == Sought::Job(job_id(2))).then_some(&reason),
        };
        let found = world.store.show_records(&sought, looker, at(10)).unwrap();
        found.into_iter().map(|it| it.job).collect::<Vec<_>>()
    };
    assert_eq!(show(Sought::Job(job_id(2))), [job_id(2)]);
    let both = [job_id(2), job_id(1)];
    assert_eq!(show(Sought::Codes(vec![CODE])), both, "newest first");
    let twice = Sought::Codes(vec![[8; 32], CODE]);
    assert_eq!(show(twice), both, "each once");
    assert!(show(Sought::Codes(vec![[9; 32]])).is_empty());
    let told = world.store.history(job_id(1)).unwrap();
    let shown: Vec<_> = told.iter().filter(|it| it.kind == "record-shown").collect();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0].actor, "officer:siti");
    assert_eq!(shown[0].machine.as_ref(), Some(&world.machine));
    assert_eq!(shown[0].body, r#"{"v":1,"kind":"record-shown"}"#);
    let told = world.store.history(job_id(2)).unwrap();
    let first = told.iter().find(|it| it.kind == "record-shown").unwrap();
    let with_reason = r#"{"v":1,"kind":"record-shown","reason":"laporan warga 12"}"#;
    assert_eq!(first.body, with_reason);
}

fn nobody_in_particular(by: &Actor) -> Looker<'_> {
    Looker {
        by,
        machine: None,
        reason: None,
    }
}

#[test]
fn a_reason_for_a_look_is_one_line_without_a_number_of_a_person() {
    let refused = |text: &str| LookReason::new(text).unwrap_err();
    assert!(LookReason::new(&"x".repeat(200)).is_ok());
    assert!(matches!(refused(""), TextError::Empty { .. }));
    assert!(matches!(
        refused(&"x".repeat(201)),
        TextError::TooLong { .. }
    ));
    assert!(matches!(refused("a\nb"), TextError::Unprintable { .. }));
    let number = "1".repeat(16);
    assert!(matches!(refused(&number), TextError::PersonalNumber { .. }));
}

#[test]
fn a_code_that_many_sheets_bear_finds_a_few_of_them() {
    let world = world_with_jobs(12);
    for number in 1..=12 {
        let record = record(&world, number);
        world.store.put_record(&record, &[CODE]).unwrap();
    }
    let by = central();
    let by = nobody_in_particular(&by);
    let sought = Sought::Codes(vec![CODE]);
    let found = world.store.show_records(&sought, by, at(20)).unwrap();
    assert_eq!(found.len(), usize::try_from(MAX_FOUND).unwrap());
    assert_eq!(found[0].job, job_id(12));
}

#[test]
fn a_record_past_its_time_is_shown_to_nobody_and_goes_with_its_codes() {
    let world = world_with_jobs(2);
    for number in 1..=2 {
        let record = record(&world, number);
        world.store.put_record(&record, &[CODE]).unwrap();
    }
    let (by, ends) = (central(), at(1_001));
    let by = nobody_in_particular(&by);
    let sought = Sought::Codes(vec![CODE]);
    let found = world.store.show_records(&sought, by, ends).unwrap();
    assert_eq!(found.len(), 1, "the other ended at that moment");
    assert_eq!(world.store.ended_records(at(1_000), 9).unwrap(), []);
    assert_eq!(world.store.ended_records(ends, 9).unwrap(), [job_id(1)]);
    world.store.drop_record(job_id(1)).unwrap();
    world.store.drop_record(job_id(1)).unwrap();
    assert_eq!(world.store.ended_records(ends, 9).unwrap(), []);
    let found = world.store.show_records(&sought, by, at(1)).unwrap();
    assert_eq!(found.len(), 1, "its code leads to it no more");
}
