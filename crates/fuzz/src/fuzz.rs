//! One fuzzer: a reader, good examples, and a number of cases.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::cost::{self, Slowest};
use crate::der::DerMutator;
use crate::mutate::Mutator;
use crate::seed::{self, Seeded};
use crate::tally;

/// Names how many cases every fuzzer of a run has.
const CASES_VARIABLE: &str = "LOKET_CASES";

/// Where every fuzzer starts, unless `LOKET_SEED` says otherwise.
const USUAL_SEED: u64 = 20_261_126;

/// A case that fails is shown up to here; its seed gives all of it.
const SHOWN_BYTES: usize = 4_096;

/// Gives `read` altered copies of `good`, one after the other; it fails by a panic, which is told with the seed by which
/// that case is had again as the first one.
///
/// # Panics
/// When `read` does, when a variable holds no number, and for a name that is not one word.
pub fn fuzz(name: &str, usual_cases: u64, good: &[&[u8]], mut read: impl FnMut(&[u8])) {
    fuzz_from(name, usual_cases, |seeded| {
        let chosen = seeded.pick(good).unwrap_or_default();
        let bytes = Mutator::new(seeded.clone()).alter(chosen);
        guarded(&bytes, &mut read);
    });
}

/// As [`fuzz`], for a reader of DER: what it gets keeps its lengths more often than not, and has values of its brothers.
/// What `read` draws is drawn anew in each case.
///
/// # Panics
/// As [`fuzz`].
pub fn fuzz_der(
    name: &str,
    usual_cases: u64,
    good: &[&[u8]],
    mut read: impl FnMut(&[u8], &mut Seeded),
) {
    fuzz_from(name, usual_cases, |seeded| {
        let chosen = seeded.pick(good).unwrap_or_default();
        let bytes = DerMutator::new(seeded.fork()).alter(chosen, good);
        guarded(&bytes, &mut |bytes: &[u8]| read(bytes, seeded));
    });
}

/// As [`fuzz`], for a reader whose input is not one piece of altered bytes: `case` makes it from the seed.
///
/// What the dearest case took is told where `LOKET_COST` asks for it, and never asserted: another computer, or a busy one,
/// would say something else. Each case is had once unless that is asked.
///
/// # Panics
/// As [`fuzz`].
pub fn fuzz_from(name: &str, usual_cases: u64, mut case: impl FnMut(&mut Seeded)) {
    // Counts are told as words with a number each, to a reader that stops at anything else.
    assert!(!name.contains([' ', '=']), "one word: '{name}'");
    let cases = cases(usual_cases);
    let first = match seed::of_run(USUAL_SEED) {
        Ok(first) => first,
        Err(error) => panic!("{error}"),
    };
    let mut have = |number: u64| case(&mut Seeded::from(first.wrapping_add(number)));
    let mut slowest = Slowest::if_asked();
    for number in 0..cases {
        let started = slowest.as_ref().map(|_asked| cost::processor_time());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| have(number))) {
            let named = Seeded::from(first.wrapping_add(number)).name();
            eprintln!("{name}, case {number}: again with {named}");
            resume_unwind(panic);
        }
        if let Some((slowest, started)) = slowest.as_mut().zip(started) {
            slowest.weigh(number, started, &mut have);
        }
    }
    println!("fuzz {name}: {cases} cases");
    tally::tell(&format!("fuzz {name}={cases}"));
    if let Some(slowest) = slowest {
        tell_cost(name, first.wrapping_add(slowest.number), &slowest);
    }
}

fn tell_cost(name: &str, seed: u64, slowest: &Slowest) {
    let micros = slowest.time.as_micros();
    let peak = cost::peak_kib().unwrap_or_default();
    let named = Seeded::from(seed).name();
    println!("fuzz {name}: {micros} µs the slowest ({named}), {peak} KiB the process");
    tally::tell(&format!("slowest-us {name}={micros}"));
    tally::tell(&format!("slowest-seed {name}={seed}"));
    tally::tell(&format!("peak-kib {name}={peak}"));
}

fn guarded(bytes: &[u8], read: &mut impl FnMut(&[u8])) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| read(bytes))) {
        let shown = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
        eprintln!("{} bytes: {}", bytes.len(), shown.escape_ascii());
        resume_unwind(panic);
    }
}

fn cases(usual: u64) -> u64 {
    match std::env::var(CASES_VARIABLE) {
        Ok(text) => match text.parse() {
            Ok(cases) => cases,
            Err(error) => panic!("{CASES_VARIABLE}={text}: {error}"),
        },
        Err(_unset) => usual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_fails_at_one_case_in_many_is_found() {
        let found = catch_unwind(|| {
            fuzz("itself", 2_000, &[b"{\"a\":1}"], |bytes| {
                assert!(!bytes.starts_with(b"[["), "this one");
            });
        });
        assert!(found.is_err());
    }

    #[test]
    fn a_name_that_the_count_could_not_carry_is_refused_before_anything_is_told() {
        for name in ["two words", "a=1"] {
            let mut had = 0;
            let run = catch_unwind(AssertUnwindSafe(|| fuzz_from(name, 50, |_seeded| had += 1)));
            assert_eq!((run.is_err(), had), (true, 0), "{name}");
        }
    }

    #[test]
    fn each_case_of_a_test_run_is_had_once() {
        let mut had = 0;
        fuzz_from("itself", 50, |_seeded| had += 1);
        assert_eq!(had, 50);
    }

    #[test]
    fn the_same_run_gives_the_same_bytes_and_each_case_others() {
        let run = || {
            let mut seen = Vec::new();
            fuzz("itself", 50, &[b"one", b"another"], |bytes| {
                seen.push(bytes.to_vec());
            });
            seen
        };
        let (first, again) = (run(), run());
        assert_eq!(first, again);
        let mut kinds = first;
        kinds.sort();
        kinds.dedup();
        assert!(kinds.len() > 30, "{}", kinds.len());
    }
}
