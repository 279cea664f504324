//! Several jobs at once: one at a time in a lane, and what a command costs does not grow with the parked ones.

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

#[test]
fn a_lane_serves_one_job_at_a_time_in_the_order_of_acceptance() {
    let mut bench = Bench::new().at("released");
    for (no, printer) in [(2, None), (3, Some("b"))] {
        let mut next = facts(job_no(no));
        next.printer = printer.map(str::to_owned);
        bench.accept(next);
        let job = job_no(no);
        bench.give(Command::Received { job });
        let outcome = Verification::Valid(revision());
        assert_eq!(
            bench.give(Command::Verified { job, outcome }),
            "verified released"
        );
    }
    let waiting: Vec<JobId> = bench
        .desk
        .effects(bench.now)
        .iter()
        .map(|to_do| to_do.id.job)
        .collect();
    assert_eq!(
        waiting,
        [job_no(1), job_no(3)],
        "the second waits behind the first"
    );
    let survey = |job, printer: &str| Command::Surveyed {
        job,
        printer: printer.to_owned(),
        survey: ready(mark()),
    };
    assert_eq!(bench.give(survey(job_no(2), "a")), Refusal::Stale.code());
    assert_eq!(
        bench.give(survey(job_no(1), "b")),
        Refusal::Stale.code(),
        "not its lane"
    );
    assert_eq!(bench.give(survey(job_no(3), "b")), "attempt-started");
    assert_eq!(bench.give(survey(job_no(1), "a")), "attempt-started");
    assert_eq!(
        bench.give(survey(job_no(2), "a")),
        Refusal::Stale.code(),
        "the lane is taken"
    );
    assert_eq!(bench.cancel(officer()), "called-off");
    bench.give(Command::CreateRefused {
        job: job_no(1),
        attempt: 1,
    });
    assert_eq!(bench.give(survey(job_no(2), "a")), "attempt-started");
}
