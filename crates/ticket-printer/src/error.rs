//! Why a ticket was not printed, and why nobody can tell whether one was.

use std::io;

use crate::port::OpenError;
use crate::status::PrinterStatus;

/// Says what was wrong with a printer's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// Bytes that answer nothing.
    #[error("it sends bytes that answer nothing")]
    Noise,
    /// More answers than questions: which belongs to which cannot be told.
    #[error("it sends more answers than it was asked questions")]
    OutOfStep,
    /// An answer in line of another shape than the one a moment before.
    #[error("its answer in line has other fixed bits than the one before")]
    Shape,
}

/// Says why nothing of a ticket left for the printer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No way to the printer came about.
    #[error("reach the ticket printer")]
    NotReached(#[source] OpenError),
    /// The printer says that it cannot print.
    #[error("print a ticket: the printer reports {}", words(.0))]
    Faults(PrinterStatus),
    /// The printer takes what it gets, and answers no question within its time.
    #[error("hear the ticket printer: it does not answer")]
    Silent,
    /// The printer's answers are none.
    #[error("understand the ticket printer: {0}")]
    Garbage(Garbage),
    /// The way to the printer ended before it took the first byte of the ticket.
    #[error("send a ticket: the printer took nothing of it")]
    NothingTaken(#[source] io::Error),
}

impl Refusal {
    /// Words that never change, in the style of IPP's `printer-state-reasons`.
    #[must_use]
    pub fn keywords(&self) -> Vec<&'static str> {
        match self {
            Self::NotReached(_) => vec!["not-reached"],
            Self::Faults(status) => status.keywords().collect(),
            Self::Silent => vec!["not-answering"],
            Self::Garbage(_) => vec!["answers-not-understood"],
            Self::NothingTaken(_) => vec!["nothing-taken"],
        }
    }
}

/// Says why it is not known whether a ticket came out whole.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    /// The way to the printer ended: unplugged, switched off, reset.
    #[error("follow a ticket: the way to the printer ended")]
    Lost(#[source] io::Error),
    /// The printer stopped taking bytes.
    #[error("send a ticket: the printer stopped taking it")]
    Stalled,
    /// The question behind the ticket was not answered in its time.
    #[error("hear that a ticket is printed: the printer does not answer")]
    Silent,
    /// What came cannot be the answer to the question behind the ticket.
    #[error("understand the ticket printer: {0}")]
    Garbage(Garbage),
    /// The printer stopped while it printed.
    #[error("print a ticket: the printer reports {}", words(.0))]
    Stopped(PrinterStatus),
}

impl Doubt {
    /// Words that never change, in the style of IPP's `printer-state-reasons`.
    #[must_use]
    pub fn keywords(&self) -> Vec<&'static str> {
        match self {
            Self::Lost(_) => vec!["connection-lost"],
            Self::Stalled => vec!["stopped-taking"],
            Self::Silent => vec!["not-answering"],
            Self::Garbage(_) => vec!["answers-not-understood"],
            Self::Stopped(status) => status.keywords().collect(),
        }
    }
}

fn words(status: &PrinterStatus) -> String {
    let words: Vec<&str> = status.keywords().collect();
    words.join(", ")
}
