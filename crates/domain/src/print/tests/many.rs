//! A thousand parked jobs: what a command costs does not grow with them.

use super::*;

const MANY: u16 = 1_000;

fn parked(no: u16) -> JobId {
    let [high, low] = no.to_be_bytes();
    JobId::from_parts(1_795_435_200_000, [1, 0, 0, 0, 0, 0, 0, 0, high, low])
}

#[test]
fn a_thousand_parked_jobs_ask_for_one_thing_and_a_command_touches_one_of_them() {
    let mut bench = Bench::new();
    for job in (0..MANY).map(parked) {
        bench.accept(facts(job));
        bench.give(Command::Received { job });
        let outcome = Verification::Valid(revision());
        bench.give(Command::Verified { job, outcome });
    }
    let next: Vec<JobId> = bench
        .desk
        .effects(bench.now)
        .iter()
        .map(|to_do| to_do.id.job)
        .collect();
    assert_eq!(next, [parked(0)], "the lane's next one alone");

    let job = parked(7);
    let cancel = Command::Cancel { job, by: officer() };
    let events = bench.desk.decide(bench.now, cancel).unwrap();
    let mut touched = bench
        .desk
        .with_only(events.iter().map(|event| event.job_id));
    assert_eq!(touched.jobs().count(), 1);
    for event in &events {
        touched.apply(event).unwrap();
    }
    let mut whole = bench.desk.clone();
    whole.apply(&events[0]).unwrap();
    bench.desk.take_over(touched);
    assert_eq!(bench.desk, whole, "as if all of it had been there");
}
