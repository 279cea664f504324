//! Every door that a test opens into this program and that the program as shipped does not have.
//!
//! A door is a variable of the environment. CONTRIBUTING.md says what each is for; `cargo xtask test` finds them by
//! their names in programs with feature `test-hooks`, and none in programs as shipped. A new one stands here, there,
//! and in `xtask/src/test/programs.rs`, or the build of the test programs fails.

/// `1`: documents and orders are not sealed, which a search for names must notice.
#[cfg(feature = "test-hooks")]
const UNSEALED: &str = "LOKET_UNSEALED";

/// `word`: the process ends at the stop with this word.
#[cfg(feature = "test-hooks")]
const STOP_AT: &str = "LOKET_CENTRAL_STOP_AT";

/// A place where a test ends the process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// A pair of the intake folder is committed as a job; its files still lie there.
    FolderTaken,
}

/// Passes a stop. In a program without feature `test-hooks` this does nothing.
#[cfg(not(feature = "test-hooks"))]
pub(crate) const fn pass(_stop: Stop) {}

/// Passes a stop: ends the process at the one that a test names, without destructors, as a crash does.
#[cfg(feature = "test-hooks")]
pub(crate) fn pass(stop: Stop) {
    let word = match stop {
        Stop::FolderTaken => "folder-taken",
    };
    if std::env::var_os(STOP_AT).is_some_and(|wanted| wanted == word) {
        std::process::abort();
    }
}

/// Turns sealing off where a test asks for it. In a program without feature `test-hooks` this does nothing.
#[cfg(not(feature = "test-hooks"))]
pub(crate) const fn open_seals() {}

/// Turns sealing off where a test asks for it: the control of the search for names.
#[cfg(feature = "test-hooks")]
pub(crate) fn open_seals() {
    if std::env::var_os(UNSEALED).is_some_and(|value| value == "1") {
        tracing::error!("sealing is off: this is a test of the secrecy tests");
        loket_wire::sealed::unsealed::turn_on();
    }
}
