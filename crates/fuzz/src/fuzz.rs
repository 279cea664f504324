//! One fuzzer: a reader, good examples, and a number of cases.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::mutate::Mutator;
use crate::seed::Seeded;
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
/// When `read` does, and when a variable holds no number.
pub fn fuzz(name: &str, usual_cases: u64, good: &[&[u8]], mut read: impl FnMut(&[u8])) {
    fuzz_from(name, usual_cases, |seeded| {
        let chosen = seeded.pick(good).unwrap_or_default();
        let bytes = Mutator::new(seeded.clone()).alter(chosen);
        guarded(&bytes, &mut read);
    });
}

/// As [`fuzz`], for a reader whose input is not one piece of altered bytes: `case` makes it from the seed.
///
/// # Panics
/// As [`fuzz`].
pub fn fuzz_from(name: &str, usual_cases: u64, mut case: impl FnMut(&mut Seeded)) {
    let cases = cases(usual_cases);
    for number in 0..cases {
        let mut seeded = match Seeded::of_round(USUAL_SEED, number) {
            Ok(seeded) => seeded,
            Err(error) => panic!("{error}"),
        };
        let named = seeded.name();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&mut seeded))) {
            eprintln!("{name}, case {number}: again with {named}");
            resume_unwind(panic);
        }
    }
    println!("fuzz {name}: {cases} cases");
    tally::tell(&format!("fuzz {name}={cases}"));
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
