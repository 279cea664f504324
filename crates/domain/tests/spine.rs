//! The spine without any I/O: one machine under random faults, then machines and central together.
//!
//! Nothing printed twice, nothing lost, nothing stuck: what that means exactly is written where it is checked,
//! in `machine` for paper and journal, in `joint` for both sides.
#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests: a wrong world fails the test, and they look for single events among many"
)]

#[path = "spine/desk.rs"]
mod desk;
#[path = "spine/machine.rs"]
mod machine;
#[path = "spine/printer.rs"]
mod printer;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs `test` on `cases` values, the same in every run.
fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
