//! Pages of the machine's own, by which a printer is kept from drying.

use super::*;
use crate::exercise::rest_after;

/// Such a page for lane `a`, as job 1.
fn page() -> Facts {
    page_no(1)
}

fn page_no(no: u8) -> Facts {
    let mut facts = facts(job_no(no));
    facts.origin = Origin::Local { by: None };
    facts.class = Class::Own;
    facts.service = Service::exercise();
    facts.printer = Some("a".to_owned());
    facts
}

fn bench() -> Bench {
    let mut bench = Bench::new();
    assert_eq!(bench.accept(page()), "accepted");
    bench
}

/// Carries the page on from its acceptance, as far as the way to `stage` goes.
fn carried(stage: &str) -> Bench {
    let mut bench = bench();
    bench.mark.takes_whole = OF_WHOLE.contains(&stage);
    for command in bench.way_to(stage).into_iter().skip(1) {
        bench.submit(command).unwrap();
    }
    bench
}

#[test]
fn a_page_is_taken_only_where_nothing_is_on_its_way_to_the_printer() {
    let taken = Refusal::LaneTaken.code();
    for (stage, expect) in [
        ("fetching", taken),
        ("received", taken),
        ("held", "accepted"),
        ("released", taken),
        ("creating", taken),
        ("sent", taken),
        ("unknown", taken),
        ("ended", "accepted"),
    ] {
        let mut bench = Bench::new().at(stage);
        assert_eq!(bench.accept(page_no(2)), expect, "{stage}");
        let mut other = page_no(3);
        other.printer = Some("b".to_owned());
        assert_eq!(bench.accept(other), "accepted", "the other printer is free");
    }
    assert_eq!(bench().accept(page_no(2)), taken, "one page at a time");
}

#[test]
fn a_document_that_comes_later_goes_before_a_page_that_waits() {
    let mut bench = carried("released");
    assert_eq!(bench.effects(), "survey");
    bench.accept(facts(job_no(2)));
    bench.give(Command::Received { job: job_no(2) });
    let outcome = Verification::Valid(revision());
    bench.give(Command::Verified {
        job: job_no(2),
        outcome,
    });
    let surveyed: Vec<JobId> = bench
        .desk
        .effects(bench.now)
        .iter()
        .map(|effect| effect.id.job)
        .collect();
    assert_eq!(surveyed, [job_no(2)]);
    assert_eq!(bench.survey(), Refusal::Stale.code(), "its turn has passed");
}

/// Whatever an officer would be asked about: nothing of a page is asked, and none is printed in its place.
#[test]
fn nobody_is_asked_whether_a_page_came_out() {
    let unseen = (JobState::Failed, Some(Reason::ExerciseUnseen));
    for (stage, seen) in [
        ("probing", view(RemoteState::Aborted, Some(1))),
        ("sent", view(RemoteState::Aborted, None)),
        ("sent", view(RemoteState::Completed, Some(7))),
        ("sent", view(RemoteState::Canceled, Some(1))),
    ] {
        let mut bench = carried(stage);
        assert_eq!(bench.see(seen.clone()), "ended", "{stage} {seen:?}");
        assert_eq!(bench.public(), unseen, "{stage}");
        assert_eq!(bench.effects(), "shred");
    }
    let mut bench = carried("sent");
    assert_eq!(bench.see_nothing(), "ended", "the printer forgot it");
    assert_eq!(bench.public(), unseen);
    let mut bench = carried("seeking");
    assert_eq!(
        bench.see_nothing(),
        "ended",
        "sent whole, and it is not there"
    );
    assert_eq!(bench.public(), unseen);
    // One that the printer remembers and the journal does not.
    let mut bench = carried("released");
    bench.jobs = vec![view(RemoteState::Completed, Some(1))];
    assert_eq!(bench.survey(), "ended");
    assert_eq!(bench.public(), unseen);
    // The control: of a document an officer is asked.
    for stage in ["sent", "seeking"] {
        let mut document = Bench::new().at(stage);
        assert_eq!(document.see_nothing(), "became-unknown", "{stage}");
    }
}

#[test]
fn a_page_that_came_out_leaves_no_record_for_anybody_who_doubts_it() {
    let record = |bench: &Bench| {
        let effects = bench.desk.effects(bench.now);
        match &effects[0].action {
            crate::print::Action::Shred { printed } => *printed,
            other => panic!("{other:?}"),
        }
    };
    let mut page = carried("sent");
    page.see(view(RemoteState::Completed, Some(PAGES)));
    assert_eq!(page.public(), (JobState::Printed, None));
    assert_eq!(record(&page), None);
    let mut document = Bench::new().at("sent");
    document.see(view(RemoteState::Completed, Some(PAGES)));
    assert_eq!(record(&document), Some(revision()));
}

/// An order of central, or a person at the machine, that says it is one.
#[test]
fn only_the_machine_itself_makes_a_page() {
    let mut ordered = facts(job_no(1));
    ordered.class = Class::Own;
    ordered.service = Service::exercise();
    let by_hand = Facts {
        origin: Origin::Local {
            by: Some("wati".to_owned()),
        },
        ..page()
    };
    let controlled = Facts {
        class: Class::Controlled,
        ..page()
    };
    for facts in [&ordered, &by_hand, &controlled] {
        assert!(!facts.is_exercise(), "{facts:?}");
    }
    assert!(page().is_exercise());
}

#[test]
fn a_rest_begins_anew_with_the_page_that_is_taken_and_with_each_sheet_that_came_out() {
    let desk = Bench::new().desk;
    let accepted = |facts: Facts| {
        let bench = Bench::new();
        let accept = Command::Accept(Intake::Good(Box::new(facts)));
        bench.desk.decide(bench.now, accept).unwrap()
    };
    let rest = |desk: &Desk, events: &[Event]| events.iter().find_map(|it| rest_after(desk, it));
    let (lane, taken) = rest(&desk, &accepted(page())).unwrap();
    assert_eq!((lane.as_str(), taken.since), ("a", NOON));
    assert!(taken.clock_trusted);
    assert_eq!(rest(&desk, &accepted(facts(job_no(1)))), None);

    let sighted = |sighting| Command::Sighted {
        job: job_no(1),
        attempt: 1,
        sighting,
    };
    let answer = |answer| Command::Answer {
        job: job_no(1),
        attempt: None,
        answer,
        by: officer(),
    };
    let completed = Sighting::Seen(view(RemoteState::Completed, Some(PAGES)));
    for (stage, command, is_of_paper) in [
        ("sent", sighted(completed), true),
        ("sent", sighted(Sighting::Absent), false),
        ("unknown", answer(crate::print::Answer::CameOut), true),
        ("unknown", answer(crate::print::Answer::Damaged), true),
        ("unknown", answer(crate::print::Answer::DidNot), false),
    ] {
        let bench = Bench::new().at(stage);
        let events = bench.desk.decide(bench.now, command).unwrap();
        let found = rest(&bench.desk, &events).map(|(lane, _rest)| lane);
        assert_eq!(found.is_some(), is_of_paper, "{stage}: {events:?}");
        assert!(found.is_none_or(|lane| lane == "a"));
    }
}
