//! Orders that a person gives at the machine.

use super::*;

fn by_hand(by: Option<&str>, printer: &str) -> Facts {
    let mut facts = facts(job_no(1));
    facts.origin = Origin::Local {
        by: by.map(str::to_owned),
    };
    facts.printer = Some(printer.to_owned());
    facts
}

#[test]
fn who_gave_an_order_is_in_the_history_and_told_to_central() {
    let cases = [
        (facts(job_no(1)), Some("central")),
        (by_hand(Some("wati"), "a"), Some("officer:wati")),
        (by_hand(None, "a"), None),
    ];
    for (facts, expect) in cases {
        let mut bench = Bench::new();
        let accept = Command::Accept(Intake::Good(Box::new(facts)));
        let events = bench.submit(accept).unwrap();
        let told = events[0].report(bench.desk.job(job_no(1)).unwrap());
        let Some(loket_wire::Report::Job(told)) = told else {
            panic!("an acceptance is told: {told:?}")
        };
        assert_eq!(told.actor.as_deref(), expect);
    }
}

#[test]
fn an_order_by_hand_of_the_first_days_is_still_read() {
    let old = serde_json::json!({ "from": "local" });
    let origin: Origin = serde_json::from_value(old.clone()).unwrap();
    assert_eq!(origin, Origin::Local { by: None });
    assert_eq!(serde_json::to_value(&origin).unwrap(), old);
}

/// The printer was named on the command line: after a start its lane is gone.
#[test]
fn a_job_by_hand_whose_printer_no_setting_names_ends_and_blocks_nothing() {
    let mut bench = Bench::new();
    bench.desk = Desk::new(vec!["hand".to_owned()]);
    bench.accept(by_hand(Some("wati"), "hand"));
    let outcome = Verification::Valid(revision());
    let verified = Command::Verified {
        job: job_no(1),
        outcome,
    };
    assert_eq!(bench.give(verified), "verified released");
    assert_eq!(bench.give(Command::Tick), "", "its printer is there");
    bench.desk.lanes = vec!["a".to_owned()];
    assert_eq!(bench.effects(), "", "nobody can be asked for it");
    assert_eq!(bench.give(Command::Tick), "ended");
    assert_eq!(bench.public(), (JobState::Failed, Some(Reason::NoPrinter)));
}

#[test]
fn an_order_of_central_waits_for_its_printer_to_come_back_into_the_settings() {
    let mut bench = Bench::new().at("released");
    bench.desk.lanes.clear();
    assert_eq!(bench.give(Command::Tick), "waiting", "told once why");
    assert_eq!(bench.give(Command::Tick), "");
    assert_eq!(bench.public().0, JobState::Printing);
}

#[test]
fn a_local_job_needs_no_fetching_and_is_verified_like_any_other() {
    let mut bench = Bench::new();
    let mut local = facts(job_no(1));
    local.origin = Origin::Local { by: None };
    assert_eq!(bench.accept(local.clone()), "accepted");
    assert_eq!(bench.public(), (JobState::Journalled, None));
    assert_eq!(bench.effects(), "verify");
    assert_eq!(
        bench.accept(local),
        Refusal::Replay.code(),
        "its id cannot come twice"
    );
}

/// Which of its reports is the first to reach central is chance: a gap, a lost journal, a central set back.
#[test]
fn every_report_of_a_job_by_hand_says_what_it_is_and_no_report_of_an_order_does() {
    let mut said = Vec::new();
    // A document given by hand is there: it is not fetched.
    for (facts, skipped) in [(by_hand(Some("wati"), "a"), 1), (facts(job_no(1)), 0)] {
        let mut bench = Bench::new();
        let accept = Command::Accept(Intake::Good(Box::new(facts)));
        let way = bench.way_to("unknown").into_iter().skip(skipped);
        for command in std::iter::once(accept).chain(way) {
            for event in bench.desk.decide(bench.now, command).unwrap() {
                bench.desk.apply(&event).unwrap();
                if let Some(loket_wire::Report::Job(report)) = event.report(bench.job()) {
                    said.push((report.state, report.local));
                }
            }
        }
        assert_eq!(bench.desk.open_jobs()[0].local, bench.job().local());
    }
    let [journalled, printing, _attempt, unknown] = &said[..4] else {
        panic!("{said:?}");
    };
    assert_eq!(journalled.0, JobState::Journalled);
    assert_eq!(unknown.0, JobState::Unknown);
    let first = journalled.1.as_ref().unwrap();
    assert_eq!(first.by.as_deref(), Some("wati"));
    assert_eq!(
        (first.printer.as_deref(), first.revision),
        (Some("a"), None)
    );
    for (state, local) in [printing, unknown] {
        let revision = local.as_ref().and_then(|local| local.revision).unwrap();
        assert_eq!(
            (revision.sha256, revision.page_count),
            (super::revision().sha256, PAGES)
        );
        assert_eq!(local.as_ref().unwrap().by, first.by, "{state}");
    }
    assert!(
        said[4..].iter().all(|(_state, local)| local.is_none()),
        "{said:?}"
    );
    assert_eq!(
        said[4..].last().map(|(state, _none)| *state),
        Some(JobState::Unknown)
    );
}

#[test]
fn a_job_by_hand_taken_by_a_clock_that_nobody_confirmed_is_not_ended_by_one_that_is() {
    let year = Duration::from_secs(365 * 24 * 3_600);
    let sure = |wall| Now {
        wall,
        trusted: true,
        floor: wall,
    };
    // Central speaks after the job was taken, or between its sealing and its place on the desk.
    let unsure = Now {
        wall: NOON,
        trusted: false,
        floor: NOON,
    };
    let right = sure(NOON.saturating_add(year));
    for (taken, is_undated) in [(unsure, true), (right, true), (sure(NOON), false)] {
        let mut bench = Bench::new();
        bench.now = taken;
        assert_eq!(bench.accept(by_hand(Some("wati"), "a")), "accepted");
        bench.now = right;
        let expect = if is_undated { "" } else { "ended" };
        assert_eq!(bench.give(Command::Tick), expect, "{taken:?}");
        if !is_undated {
            continue;
        }
        assert_eq!(bench.desk.wake_at(taken), None);
        for command in bench.way_to("sent").into_iter().skip(1) {
            bench.submit(command).unwrap();
            assert_eq!(bench.give(Command::Tick), "");
        }
        assert_eq!(
            bench.see(view(RemoteState::Completed, Some(PAGES))),
            "ended"
        );
        assert_eq!(bench.public(), (JobState::Printed, None));
    }
    // Central's own word holds however this machine's clock stood.
    let mut bench = Bench::new();
    bench.now = unsure;
    bench.accept(facts(job_no(1)));
    bench.now = right;
    assert_eq!(bench.give(Command::Tick), "ended");
}
