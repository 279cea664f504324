//! `loket-provision`: the authority's commands.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = loket_provisioning::cli::run(std::env::args_os(), jiff::Timestamp::now());
    let told = std::io::stdout().write_all(outcome.stdout.as_bytes());
    let complained = std::io::stderr().write_all(outcome.stderr.as_bytes());
    ExitCode::from(outcome.code_after(told.and(complained)))
}
