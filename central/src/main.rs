//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    loket_central::main(std::env::args_os())
}
