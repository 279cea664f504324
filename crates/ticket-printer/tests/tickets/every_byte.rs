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

/// Where faults strike: each `step`-th byte from the `first` on, but for the zeroes that bring a printer to a fresh sheet,
/// where one place is as another.
fn places(all: u64, step: usize, first: u64) -> impl Iterator<Item = u64> {
    let zeroes = (24..2_068).step_by(89);
    let ticket = (2_068 + first..=all + 4).step_by(step);
    (first..24).step_by(step.min(4)).chain(zeroes).chain(ticket)
}

/// Every byte of each raster's head, where a cut does most harm: what comes next is taken for its lengths.
fn heads(profile: &Profile, all: u64) -> Vec<u64> {
    const HEAD: &[u8] = b"\x1dv0";
    const HEAD_BYTES: u64 = 8;
    let bytes = render(&ticket("A-007"), profile);
    // What is asked behind the ticket: in line, and then the four states.
    let behind = match profile.answering {
        Answering::Nothing => 0,
        Answering::Status => 12,
        Answering::InLine => 2 * 3 + 12,
        Answering::ProcessId => 11 + 12,
    };
    let begin = all - u64::try_from(bytes.len()).unwrap() - behind;
    let starts = (0_u64..).zip(bytes.windows(HEAD.len()));
    let starts = starts.filter_map(|(at, it)| (it == HEAD).then_some(begin + at));
    starts.flat_map(|at| at..=at + HEAD_BYTES).collect()
}

async fn check(profile: &Profile, step: usize, first: u64) -> [usize; 4] {
    let (ours, second) = (ticket("A-007"), ticket("A-008"));
    let clean = clean_slip(profile, &ours).await;
    let clean_second = clean_slip(profile, &second).await;
    let mut counts = [0; 4];
    for (name, fault) in FAULTS {
        let all = all_bytes(profile).await;
        for at in places(all, step, first).chain(heads(profile, all)) {
            let mut bench = Bench::new(profile, speaking(profile.answering));
            // What a printer holds when it dies is gone, questions too; a ticket that is larger than that would go on.
            bench.breaks_with_power = profile.qr == QrBy::Raster;
            bench.turn(|knobs| fault(knobs, at));
            let mut printer = bench.printer(profile);
            let outcome = printer.print(&ours).await;
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
                    assert_eq!(*bytes, render(&ours, profile).len(), "{said}");
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
    // Each fault strikes at every byte once: one byte in four with each kind of answering.
    for (first, answering) in (0..).zip(ANSWERING) {
        let counts = check(&profile(answering, QrBy::Native), 4, first).await;
        // Each of them occurs: a test of faults that never strike would pass, too.
        assert!(
            counts[2] > 10 && counts[3] > 10,
            "{answering:?}: {counts:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_outcome_says_more_than_is_on_the_paper_with_rasters() {
    // A prime: no band is met at the same place as the one before.
    const STEP: usize = 307;
    for answering in ANSWERING {
        check(&profile(answering, QrBy::Raster), STEP, 0).await;
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
    check(&narrow, 3, 0).await;
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
