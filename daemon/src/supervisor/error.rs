//! Why the daemon did not start or did not go on, and the exit code that says it.

use std::path::PathBuf;

use loket_journal::JournalError;
use loket_link::LinkError;
use loket_spool::SpoolError;
use loket_trust_folder::TrustFolderError;
use thiserror::Error;

use crate::config::TicketProblem;
use crate::exit::Exit;
use crate::identity::IdentityError;
use crate::policy::PolicyFileError;
use crate::profiles::ProfilesError;
use crate::unit::control::ControlError;
use crate::unit::link::LinkUnitError;
use crate::unit::print::{DeskError, RecoverError};

/// The stable code of a full disk under the state folder.
pub(crate) const DISK_FULL: &str = "J-101";

/// Why the daemon did not start or did not go on.
#[derive(Debug, Error)]
pub enum RunError {
    /// The state folder cannot be used.
    #[error("use the state folder {}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the state folder.
    #[error("use the state folder {}: another loketd holds it", .0.display())]
    Locked(PathBuf),
    /// The disk has no room for the journal, the reserve spent.
    #[error("use the state folder {}: the disk is full ({DISK_FULL})", .0.display())]
    DiskFull(PathBuf),
    /// The journal cannot be opened.
    #[error("open the journal")]
    Journal(#[source] JournalError),
    /// The journal is damaged; it is set aside, and the next start begins a new one.
    #[error("go on with a damaged journal")]
    JournalBroken,
    /// The journal cannot be read back.
    #[error("recover from the journal")]
    Recover(#[source] RecoverError),
    /// The spool cannot be opened.
    #[error("open the spool")]
    Spool(#[source] SpoolError),
    /// The identity is missing or broken.
    #[error("use this machine's identity")]
    Identity(#[source] IdentityError),
    /// Trust anchors cannot be read.
    #[error("read the trust anchors")]
    Trust(#[source] TrustFolderError),
    /// The office's rules of judging cannot be used.
    #[error("read the rules of judging")]
    Policy(#[source] PolicyFileError),
    /// Device profiles cannot be used.
    #[error("use the device profiles")]
    Profiles(#[source] ProfilesError),
    /// A printer's address cannot be used.
    #[error("use the printer '{name}'")]
    Printer {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<loket_ipp_printer::IppError>,
    },
    /// The ticket printer cannot be as settings and profiles say.
    #[error("use the ticket printer")]
    TicketPrinter(#[source] TicketProblem),
    /// The control socket cannot be bound.
    #[error("open the officer's door")]
    Control(#[source] ControlError),
    /// The link's settings cannot be used.
    #[error("run the link")]
    Link(#[source] LinkError),
    /// The print unit ended by itself.
    #[error("run the print unit")]
    Print(#[source] DeskError),
    /// The link unit ended by itself.
    #[error("run the link unit")]
    LinkUnit(#[source] LinkUnitError),
    /// Other jobs are on their way to a printer: only the daemon may finish them.
    #[error("print by hand: other jobs are on their way to a printer; start the daemon first")]
    JobsWaiting,
    /// A unit panicked.
    #[error("run a unit: it ended without an answer")]
    Panicked,
}

impl RunError {
    /// The exit code that says it.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::State { .. }
            | Self::DiskFull(_)
            | Self::Journal(_)
            | Self::JournalBroken
            | Self::Recover(_)
            | Self::Spool(_) => Exit::State,
            Self::Locked(_) | Self::JobsWaiting => Exit::Busy,
            Self::Identity(_)
            | Self::Trust(_)
            | Self::Policy(_)
            | Self::Profiles(_)
            | Self::Printer { .. }
            | Self::TicketPrinter(_)
            | Self::Link(_) => Exit::Config,
            Self::Control(_) => Exit::State,
            Self::Print(_) | Self::LinkUnit(_) | Self::Panicked => Exit::Bug,
        }
    }
}
