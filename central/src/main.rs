//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let inspector = loket_central::Inspector::beside_this_program();
    loket_central::main(std::env::args_os(), inspector)
}
