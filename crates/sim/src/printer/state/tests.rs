//! The printer, told the time.

use super::*;

const TIME_OUT: Duration = Duration::from_secs(60);

struct Bench {
    state: State,
    now: Instant,
}

impl Bench {
    fn new(knobs: Knobs) -> Self {
        let now = Instant::now();
        Self {
            state: State::new(
                Knobs {
                    delay_ms: 10,
                    ..knobs
                },
                TIME_OUT,
                now,
            ),
            now,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.state.tick(self.now);
    }

    fn create(&mut self) -> JobKey {
        let asked = NewJob {
            name: "job".to_owned(),
            copies: 1,
            ..NewJob::default()
        };
        self.state.create(asked, self.now).unwrap()
    }

    fn give(&mut self, id: i32, sheets: u32) -> Result<(), StatusCode> {
        let key = self.state.begin_document(id, self.now)?;
        let document = Document {
            sha256: [7; 32],
            size_bytes: 4,
            sheets,
        };
        let bytes = Bytes::from_static(b"%PDF");
        self.state
            .finish_document(key, document, bytes, true, self.now)?;
        self.state.tick(self.now);
        Ok(())
    }

    fn phase(&self, id: i32) -> Phase {
        self.state.jobs[&id].phase
    }
}

#[test]
fn a_job_prints_one_sheet_a_delay_and_then_is_completed() {
    let mut bench = Bench::new(Knobs::default());
    let id = bench.create().id;
    bench.give(id, 2).unwrap();
    assert_eq!(
        (bench.phase(id), bench.state.sheets),
        (Phase::Processing, 0)
    );
    bench.pass(Duration::from_millis(10));
    assert_eq!(
        (bench.phase(id), bench.state.sheets),
        (Phase::Processing, 1)
    );
    bench.pass(Duration::from_millis(10));
    assert_eq!((bench.phase(id), bench.state.sheets), (Phase::Completed, 2));
    assert_eq!(bench.state.printed, [[7; 32]]);
}

#[test]
fn a_job_gets_one_document_and_no_second_one() {
    let mut bench = Bench::new(Knobs::default());
    let id = bench.create().id;
    bench.give(id, 1).unwrap();
    let refused = Err(StatusCode::ServerErrorMultipleDocumentJobsNotSupported);
    assert_eq!(bench.give(id, 1), refused);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.give(id, 1), refused);
    assert_eq!(bench.state.sheets, 1);
}

#[test]
fn a_printer_of_many_documents_prints_the_second_one_too() {
    let mut bench = Bench::new(Knobs {
        multiple_document_jobs: true,
        ..Knobs::default()
    });
    let id = bench.create().id;
    bench.give(id, 1).unwrap();
    bench.pass(Duration::from_secs(1));
    bench.give(id, 1).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.state.printed, [[7; 32], [7; 32]]);
}

#[test]
fn without_paper_a_job_stops_in_the_middle_and_goes_on_when_paper_comes() {
    let mut bench = Bench::new(Knobs {
        paper: Some(1),
        ..Knobs::default()
    });
    let id = bench.create().id;
    bench.give(id, 2).unwrap();
    bench.pass(Duration::from_secs(1));
    assert!(bench.state.is_stopped());
    assert_eq!(
        (bench.phase(id), bench.state.sheets),
        (Phase::Processing, 1)
    );
    let knobs = Knobs {
        paper: Some(5),
        ..bench.state.knobs.clone()
    };
    bench.state.turn(knobs, bench.now);
    bench.pass(Duration::from_millis(10));
    assert_eq!((bench.phase(id), bench.state.sheets), (Phase::Completed, 2));
    assert_eq!(bench.state.knobs.paper, Some(4));
}

#[test]
fn a_job_without_a_document_is_given_up_after_the_time_out() {
    let mut bench = Bench::new(Knobs::default());
    let id = bench.create().id;
    bench.pass(TIME_OUT - Duration::from_millis(1));
    assert_eq!(bench.phase(id), Phase::Awaiting);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.phase(id), Phase::Aborted);
    assert_eq!(bench.give(id, 1), Err(StatusCode::ClientErrorNotPossible));
}

#[test]
fn what_a_power_cycle_leaves_depends_on_the_memory_but_paper_stays() {
    for (memory, jobs, next) in [
        (Memory::Keep, 1, 2),
        (Memory::ForgetRestartIds, 0, 1),
        (Memory::ForgetKeepIds, 0, 2),
    ] {
        let mut bench = Bench::new(Knobs {
            memory,
            ..Knobs::default()
        });
        let id = bench.create().id;
        bench.give(id, 1).unwrap();
        bench.pass(Duration::from_secs(100));
        assert_eq!(bench.state.up_time_s(bench.now), 101);
        bench.state.power_cycle(bench.now);
        assert_eq!(bench.state.up_time_s(bench.now), 1);
        assert_eq!((bench.state.jobs.len(), bench.state.sheets), (jobs, 1));
        assert_eq!(bench.create().id, next);
    }
}

#[test]
fn a_document_that_comes_after_the_power_failed_is_not_given_to_the_job_that_got_its_number() {
    let mut bench = Bench::new(Knobs {
        memory: Memory::ForgetRestartIds,
        ..Knobs::default()
    });
    let old = bench.create();
    bench.state.begin_document(old.id, bench.now).unwrap();
    bench.state.power_cycle(bench.now);
    let new = bench.create();
    assert_eq!(new.id, old.id);
    bench.state.drop_document(old, bench.now);
    assert_eq!(bench.phase(new.id), Phase::Awaiting);
}

#[test]
fn a_printer_that_lies_completes_without_paper() {
    let mut bench = Bench::new(Knobs {
        completes_without_paper: true,
        ..Knobs::default()
    });
    let id = bench.create().id;
    bench.give(id, 1).unwrap();
    bench.pass(Duration::from_secs(1));
    assert_eq!((bench.phase(id), bench.state.sheets), (Phase::Completed, 0));
    assert!(bench.state.printed.is_empty());
}

#[test]
fn jobs_are_bounded_and_the_oldest_ended_ones_go_first() {
    let mut bench = Bench::new(Knobs::default());
    for _ in 0..MAX_JOBS + 5 {
        let id = bench.create().id;
        bench.state.cancel(id, CanceledBy::User, bench.now).unwrap();
    }
    assert_eq!(bench.state.jobs.len(), MAX_JOBS);
    assert_eq!(bench.state.jobs.keys().next(), Some(&6));
    for _ in 0..MAX_OPEN_JOBS {
        bench.create();
    }
    let refused = bench.state.create(NewJob::default(), bench.now);
    assert_eq!(refused, Err(StatusCode::ServerErrorBusy));
}
