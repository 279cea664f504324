//! Debian's faketime: a program with a wrong wall clock, and everything else about it right.

use anyhow::ensure;
use loket_demo::child::Program;

/// The variant for programs with threads; the loader knows the machine's `$LIB`.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// The program with a wall clock that starts at `clock`, in faketime's words: `@1970-01-01 00:00:30`, `-8d`.
///
/// Its monotonic clock and the times of files are left alone.
///
/// # Errors
/// When faketime is not installed: the loader would only warn, and the clock be right.
pub fn with_clock(program: Program, clock: &str) -> anyhow::Result<Program> {
    let is_there = std::fs::read_dir("/usr/lib")?
        .filter_map(Result::ok)
        .any(|entry| entry.path().join("faketime/libfaketimeMT.so.1").exists());
    ensure!(
        is_there,
        "find libfaketime: install the Debian package faketime, or run 'cargo xtask test'"
    );
    let variables = [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME", clock),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ];
    Ok(variables
        .into_iter()
        .fold(program, |program, (name, value)| {
            program.with_env(name, value)
        }))
}
