//! loket-inspector: reads what strangers bring, for the daemon and for central.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_inspector::main()
}
