//! loketd: the daemon of one kiosk or print station.

use std::process::ExitCode;

use loket_inspection::Inspector;

fn main() -> ExitCode {
    let inspector = Inspector::beside_this_program();
    loket_daemon::cli::main(std::env::args_os(), inspector)
}
