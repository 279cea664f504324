//! loket-demo: the whole of Loket on one machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_demo::cli::main()
}
