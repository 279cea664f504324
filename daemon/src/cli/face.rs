//! The program's face at a terminal: results on standard output, what a person must know on standard error.

use std::fmt::Display;
use std::io::Write as _;

use crate::exit::Exit;
use crate::trouble::Trouble;

/// Writes one line of the result.
///
/// # Errors
/// [`Exit::Output`], having said so, where standard output is closed or full.
pub(super) fn say(line: impl Display) -> Result<(), Exit> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // Whoever read has had enough of it (`| head`): nothing to tell.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Exit::Output),
        Err(error) => Err(tell(Trouble::OutputClosed, error)),
    }
}

/// Writes one line beside the result; there is nobody to tell where that fails.
pub(super) fn note(line: impl Display) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Says what is wrong, with a detail for the one who is asked for help, and gives the exit code.
pub(super) fn tell(trouble: Trouble, detail: impl Display) -> Exit {
    note(format_args!("{}: {}", trouble.id(), trouble.sentence()));
    note(format_args!("  rincian: {detail}"));
    trouble.exit()
}
