//! Which jobs may belong to a day of a machine.

use loket_store::{Span, Store as _};
use loket_wire::{JobId, JobState};

use crate::world::{World, at, job_id};

fn in_span(world: &World, from: i64, until: i64) -> Vec<JobId> {
    let span = Span {
        from: at(from),
        until: at(until),
    };
    world.store.jobs_in(&world.machine, span, 10).unwrap()
}

#[test]
fn jobs_of_a_span_are_those_taken_before_its_end_that_did_not_end_before_it() {
    let world = World::new();
    world.connect(1, 0);
    let open = world.held(1, 1);
    let ended = world.held(2, 4);
    world.tell_job(7, ended, JobState::Printed);
    let row = world.row(ended);
    let (taken, over) = (
        row.job.created_at.unix_ms() / 1_000,
        row.job.ended_at.unwrap().unix_ms() / 1_000,
    );
    assert_eq!(in_span(&world, taken, over + 1), [open, ended]);
    assert_eq!(in_span(&world, over, over + 1), [open, ended]);
    assert_eq!(in_span(&world, over + 1, over + 2), [open], "it was over");
    assert_eq!(
        in_span(&world, 0, taken),
        [open],
        "the other is not yet taken"
    );
    assert!(in_span(&world, 0, 1).is_empty());
    let other = "desa-2".parse().unwrap();
    let span = Span {
        from: at(taken),
        until: at(over + 1),
    };
    assert!(world.store.jobs_in(&other, span, 10).unwrap().is_empty());
    assert_eq!(
        world.store.jobs_in(&world.machine, span, 1).unwrap(),
        [job_id(1)]
    );
}
