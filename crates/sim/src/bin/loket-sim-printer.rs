//! loket-sim-printer: one simulated IPP printer.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_sim::printer::cli::main(std::env::args_os())
}
