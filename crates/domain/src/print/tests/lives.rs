//! Lives of a program that dies again and again: each must bring its job forward, however few commits it has.

use super::*;
use RemoteState::{AwaitingDocument, Completed};

/// Far above what any way of dying needs.
const MAX_LIVES: u32 = 40;

/// What the printer has of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtPrinter {
    Nothing,
    Empty,
    Document,
}

/// The answer that the present effect gets, and what the printer has afterwards.
fn answer(bench: &Bench, at_printer: &mut AtPrinter) -> Option<Command> {
    let (job, attempt) = (job_no(1), bench.desk.job(job_no(1))?.attempt_count);
    let opened = Some(revision().sha256);
    let seen = |state, impressions| Command::Sighted {
        job,
        attempt,
        sighting: Sighting::Seen(RemoteView {
            name: Some(job_name(job, attempt)),
            ..view(state, impressions)
        }),
    };
    Some(match bench.effects().as_str() {
        "fetch" => Command::Received { job },
        "verify" => Command::Verified {
            job,
            outcome: Verification::Valid(revision()),
        },
        "survey" => Command::Surveyed {
            job,
            printer: "a".to_owned(),
            survey: ready(bench.mark.clone()),
        },
        "create" => {
            *at_printer = AtPrinter::Empty;
            Command::Created {
                job,
                attempt,
                remote: remote(),
                unsupported: Vec::new(),
            }
        }
        "prepare" => Command::Prepared {
            job,
            attempt,
            opened,
        },
        "send" => {
            *at_printer = AtPrinter::Document;
            Command::Sent { job, attempt }
        }
        "locate" | "check" | "probe" | "watch" => match at_printer {
            AtPrinter::Nothing => Command::Sighted {
                job,
                attempt,
                sighting: Sighting::Absent,
            },
            AtPrinter::Empty => seen(AwaitingDocument, None),
            AtPrinter::Document => seen(Completed, Some(PAGES)),
        },
        "shred" => Command::Shredded { job },
        _nothing => return None,
    })
}

/// On which side of a commit a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    /// It is not on disk, and nothing came of it.
    Before,
    /// It is on disk, and nothing came of it.
    After,
}

/// Lives until the job is closed; each dies at its commit of this number.
fn lives_of(number: u32, dies: Dies) -> u32 {
    let mut bench = Bench::new();
    let mut at_printer = AtPrinter::Nothing;
    bench.accept(facts(job_no(1)));
    for life in 1..MAX_LIVES {
        let mut commits = 0;
        let mut command = Some(Command::Resume);
        while let Some(next) = command {
            let events = bench.desk.decide(bench.now, next).unwrap();
            commits += u32::from(!events.is_empty());
            let is_last = commits == number;
            if !is_last || dies == Dies::After {
                for event in &events {
                    bench.desk.apply(event).unwrap();
                }
            }
            if is_last {
                break;
            }
            command = answer(&bench, &mut at_printer);
        }
        if bench.job().is_closed() {
            return life;
        }
    }
    panic!("it never comes forward with lives that end {dies:?} commit {number}")
}

/// Two commits and what follows from them are what a start needs: that an answer was lost, and what is done about it.
/// Where nothing follows from a life's last commit, it needs one more: an attempt that was only begun is given up, and
/// the next one begins. The crash tests of the whole kill at these commits.
#[test]
fn a_life_of_few_commits_brings_its_job_forward() {
    for number in 3..12 {
        assert!(lives_of(number, Dies::Before) <= 8, "before {number}");
    }
    for number in 4..12 {
        assert!(lives_of(number, Dies::After) <= 8, "after {number}");
    }
}
