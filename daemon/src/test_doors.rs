//! Every door that a test opens into this program and that the program as shipped does not have.
//!
//! A door is a variable of the environment. CONTRIBUTING.md says what each is for; `cargo xtask test` finds them by
//! their names in programs with feature `test-hooks`, and none in programs as shipped. A new one stands here, there,
//! and in `xtask/src/test/programs.rs`, or the build of the test programs fails.

/// `word[:n]`: SIGKILL at the n-th passage of the stop with this word.
#[cfg(feature = "crash-stops")]
pub(crate) const STOP_AT: &str = "LOKET_STOP_AT";

/// `word:FILE`: hangs at the hold with this word for as long as the file is there.
#[cfg(feature = "crash-stops")]
pub(crate) const HOLD_AT: &str = "LOKET_HOLD_AT";

/// `1`: documents and orders are not sealed, which a search for names must notice.
#[cfg(feature = "test-hooks")]
pub(crate) const UNSEALED: &str = "LOKET_UNSEALED";

/// What is asked of this run by a door; nothing where it is shut.
#[cfg(feature = "crash-stops")]
pub(crate) fn wish(door: &str) -> Option<String> {
    std::env::var(door).ok()
}
