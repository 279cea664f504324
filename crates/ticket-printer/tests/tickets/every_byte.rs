//! Each fault at each byte of a ticket: no outcome says more than is on the paper.

use loket_sim::ticket_printer::Knobs;
use loket_ticket_printer::{Answering, Cut, Doubt, Outcome, Profile, QrBy, render};

use crate::bench::{ANSWERING, Bench, clean_slip, is_whole, name_of, profile, speaking, ticket};

/// A fault that comes at a byte.
type Fault = fn(&mut Knobs, u64);

const FAULTS: [(&str, Fault); 4] = [
    ("unplugged", |knobs, at| knobs.unplugs_at = Some(at)),
    ("dies", |knobs, at| knobs.dies_at = Some(at)),
    ("paper ends", |knobs, at| knobs.paper_ends_at = Some(at)),
    ("cover opens", |knobs, at| knobs.cover_opens_at = Some(at)),
];

/// Bytes from the first question to the last, on a sound printer.
async fn all_bytes(profile: &Profile) -> u64 {
    let bench = Bench::new(profile, speaking(profile.answering));
    drop(bench.printer(profile).print(&ticket("A-007")).await);
    let device = bench.device();
    device.received_bytes()
}

/// Where faults strike: each `step`-th byte, but for the zeroes that bring a printer to a fresh sheet,
/// where one place is as another.
fn places(all: u64, step: usize) -> impl Iterator<Item = u64> {
    let zeroes = (16..2_060).step_by(89);
    (0..16).chain(zeroes).chain((2_060..=all + 4).step_by(step))
}

async fn check(profile: &Profile, step: usize) -> [usize; 4] {
    let (first, second) = (ticket("A-007"), ticket("A-008"));
    let clean = clean_slip(profile, &first).await;
    let clean_second = clean_slip(profile, &second).await;
    let mut counts = [0; 4];
    for (name, fault) in FAULTS {
        for at in places(all_bytes(profile).await, step) {
            let bench = Bench::new(profile, speaking(profile.answering));
            bench.turn(|knobs| fault(knobs, at));
            let mut printer = bench.printer(profile);
            let outcome = printer.print(&first).await;
            let said = format!("{name} at {at} of {profile:?}: {outcome:?}");
            match &outcome {
                Outcome::Printed { .. } => {
                    let whole = bench
                        .slips()
                        .iter()
                        .filter(|it| is_whole(it, &clean))
                        .count();
                    assert_eq!(whole, 1, "{said}");
                }
                Outcome::NotPrinted(_) => {
                    assert!(bench.with_number("A-007").is_empty(), "{said}");
                }
                Outcome::Accepted { bytes, .. } => {
                    assert!(profile.answering < Answering::InLine, "{said}");
                    assert_eq!(*bytes, render(&first, profile).len(), "{said}");
                }
                Outcome::Unclear {
                    accepted_bytes,
                    of_bytes,
                    why,
                } => {
                    assert!(accepted_bytes <= of_bytes && *of_bytes > 0, "{said}");
                    if name == "unplugged" {
                        assert!(matches!(why, Doubt::Lost(_)), "{said}");
                        let more = usize::try_from(bench.device().received_bytes()).unwrap();
                        assert!(*accepted_bytes <= more, "{said}");
                    }
                }
            }
            counts[index(&outcome)] += 1;
            let refused = matches!(outcome, Outcome::NotPrinted(_));
            let unseen = matches!(outcome, Outcome::Accepted { .. });
            // Whatever it was, it is mended, and the next resident comes.
            bench.mend();
            if refused {
                assert!(bench.with_number("A-007").is_empty(), "later: {said}");
            }
            let next = printer.print(&second).await;
            assert_eq!(name_of(&next), best(profile), "{said}, then {next:?}");
            let last = bench.slips().pop();
            let whole = last.is_some_and(|slip| is_whole(&slip, &clean_second));
            // Of a fault that a printer cannot tell, nobody knows that its paper wants a cut.
            assert!(whole || unseen, "{said}, then {:?}", bench.slips().last());
            let twice = bench.with_number("A-007").len();
            assert!(twice <= 1, "{said}");
        }
    }
    counts
}

fn best(profile: &Profile) -> &'static str {
    if profile.answering < Answering::InLine {
        "accepted"
    } else {
        "printed"
    }
}

fn index(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Printed { .. } => 0,
        Outcome::Accepted { .. } => 1,
        Outcome::NotPrinted(_) => 2,
        Outcome::Unclear { .. } => 3,
    }
}

#[tokio::test(start_paused = true)]
async fn no_outcome_says_more_than_is_on_the_paper_with_native_codes() {
    for answering in ANSWERING {
        let counts = check(&profile(answering, QrBy::Native), 1).await;
        // Each of them occurs: a test of faults that never strike would pass, too.
        assert!(
            counts[2] > 10 && counts[3] > 10,
            "{answering:?}: {counts:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_outcome_says_more_than_is_on_the_paper_with_rasters() {
    // A prime: every place of a band is met at some band.
    const STEP: usize = 37;
    for answering in ANSWERING {
        check(&profile(answering, QrBy::Raster), STEP).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_without_a_knife_is_brought_to_a_fresh_sheet_too() {
    let narrow = Profile {
        answering: Answering::InLine,
        qr: QrBy::None,
        cut: Cut::Partial,
        ..Profile::plain_58mm()
    };
    check(&narrow, 3).await;
}

/// What a wire like USB's counts is exactly what the printer got.
#[tokio::test(start_paused = true)]
async fn bytes_accepted_are_those_that_arrived() {
    let profile = profile(Answering::ProcessId, QrBy::Native);
    let first = ticket("A-007");
    let of = render(&first, &profile).len();
    let all = usize::try_from(all_bytes(&profile).await).unwrap();
    // Behind the ticket stand its question of eleven bytes and four questions of three.
    let before = all - of - 11 - 12;
    for arrived in 1..=of {
        let bench = Bench::new(&profile, speaking(Answering::ProcessId));
        bench.turn(|knobs| knobs.unplugs_at = u64::try_from(before + arrived).ok());
        let outcome = bench.printer(&profile).print(&first).await;
        let Outcome::Unclear {
            accepted_bytes,
            of_bytes,
            ..
        } = outcome
        else {
            panic!("{arrived}: {outcome:?}");
        };
        assert_eq!((accepted_bytes, of_bytes), (arrived, of));
    }
}
