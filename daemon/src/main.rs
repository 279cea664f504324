//! loketd: the daemon of one kiosk or print station.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_daemon::cli::main(std::env::args_os())
}
