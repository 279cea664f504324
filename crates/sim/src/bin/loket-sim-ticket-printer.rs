//! loket-sim-ticket-printer: one simulated ticket printer.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_sim::ticket_printer::cli::main(std::env::args_os())
}
