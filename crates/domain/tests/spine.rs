//! The spine without any I/O: one machine under random faults, then machines and central together.
//!
//! Nothing printed twice, nothing lost, nothing stuck: what that means exactly is written where it is checked,
//! in `machine` for paper and journal, in `world` for both sides.
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests: a wrong world fails the test, and they look for single events among many"
)]

#[path = "spine/central.rs"]
mod central;
#[path = "spine/desk.rs"]
mod desk;
#[path = "spine/hands.rs"]
mod hands;
#[path = "spine/joint.rs"]
mod joint;
#[path = "spine/lost.rs"]
mod lost;
#[path = "spine/machine.rs"]
mod machine;
#[path = "spine/printer.rs"]
mod printer;
#[path = "spine/world.rs"]
mod world;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Where random histories begin unless `LOKET_SEED` says otherwise: those of proptest's own beginning.
const USUAL_SEED: u64 = 0;

fn rng() -> TestRng {
    let seed = match loket_fuzz::seed::of_run(USUAL_SEED) {
        Ok(USUAL_SEED) => return TestRng::deterministic_rng(RngAlgorithm::XorShift),
        Ok(seed) => seed,
        Err(error) => panic!("{error}"),
    };
    let words = [seed, seed.rotate_left(17)].map(|word| word ^ 0x9e37_79b9_7f4a_7c15);
    let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    TestRng::from_seed(RngAlgorithm::XorShift, &bytes)
}

/// Runs `test` on `cases` values, the same in every run with the same seed.
fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    if let Err(failure) = find_failure(cases, 20_000, strategy, test) {
        panic!("{failure}");
    }
}

/// The same, for controls: what a test without faults in it must find.
fn find_failure<S: Strategy>(
    cases: u32,
    max_shrink_iters: u32,
    strategy: S,
    test: impl Fn(S::Value),
) -> Result<(), String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng());
    let outcome = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    outcome.map_err(|failure| failure.to_string())
}
