//! Exit codes of the program (sysexits.h), each with one meaning.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; `verify`: valid.
    Done,
    /// `verify`: invalid. Other commands: it did not come about.
    Negative,
    /// `verify`: indeterminate. `print`: whether paper came out is not known.
    Unsure,
    /// The command line is wrong (EX_USAGE).
    Usage,
    /// A rule refuses the input (EX_DATAERR).
    Refused,
    /// A file cannot be read (EX_NOINPUT).
    Unreadable,
    /// A service that is needed does not answer (EX_UNAVAILABLE).
    Unavailable,
    /// A fault of this program (EX_SOFTWARE).
    Bug,
    /// The state folder cannot be used (EX_CANTCREAT).
    State,
    /// Standard output cannot be written (EX_IOERR).
    Output,
    /// Something else holds it; try again later (EX_TEMPFAIL).
    Busy,
    /// The settings are wrong (EX_CONFIG).
    Config,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Negative => 1,
            Self::Unsure => 2,
            Self::Usage => 64,
            Self::Refused => 65,
            Self::Unreadable => 66,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::State => 73,
            Self::Output => 74,
            Self::Busy => 75,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
