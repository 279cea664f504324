//! Printers as the print unit needs them, and the adapter to IPP.
//!
//! The trait is this program's own and as narrow as the walk; hands know nothing of it.

mod format;
mod ipp;
mod reason;
mod stock;
mod ticket;
mod usb;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use loket_domain::print::{Asked, PrinterSurvey, RemoteJob, Sighting};
use loket_ipp_printer::IppError;
use loket_wire::{Class, Reason, Stock};
use thiserror::Error;

use crate::telemetry::chain;

pub use self::ipp::IppDevice;
pub use self::ticket::TicketDevice;
pub(crate) use self::ticket::known as known_ticket_printer;
#[cfg(test)]
pub(crate) use self::usb::bench;
pub(crate) use self::usb::model_of;

/// A future of a device trait.
pub type DeviceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, DeviceFault>> + Send + 'a>>;

/// What a printer did not do, by what the caller can do about it.
#[derive(Debug, Error)]
pub enum DeviceFault {
    /// Nothing left this machine, or the printer is busy: wait and ask again.
    #[error("reach the printer")]
    Wait(#[source] IppError),
    /// The request may have been acted on: look what the printer knows.
    #[error("hear from the printer")]
    Unclear(#[source] IppError),
    /// The printer said no for good.
    #[error("have the printer do it")]
    Refused(#[source] IppError),
}

impl DeviceFault {
    const fn cause(&self) -> &IppError {
        match self {
            Self::Wait(error) | Self::Unclear(error) | Self::Refused(error) => error,
        }
    }

    /// Why a job waits that met it.
    pub(crate) fn waits_for(&self) -> Reason {
        match self {
            Self::Wait(error) if error.nothing_left() => Reason::PrinterAway,
            Self::Wait(_busy) => Reason::PrinterBusy,
            Self::Unclear(_) | Self::Refused(_) => Reason::PrinterFault,
        }
    }

    /// Where the printer itself says that it did not take what was sent: whether it never will.
    pub(crate) fn is_final_refusal(&self) -> Option<bool> {
        let is_said = self.cause().status().is_some() && self.left_no_byte();
        is_said.then_some(matches!(self, Self::Refused(_)))
    }

    /// Whether no byte of the document that was sent can be at the printer. One that says it has a document already
    /// may have this one.
    pub(crate) fn left_no_byte(&self) -> bool {
        let error = self.cause();
        error.document_bytes_at_most() == 0 && !error.is_second_document()
    }
}

/// What the printer made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The job there.
    pub remote: RemoteJob,
    /// What was asked that it will not honour.
    pub unsupported: Vec<Asked>,
}

/// What a printer says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterStatus {
    /// `idle`, `processing` or `stopped`.
    pub state: &'static str,
    /// printer-state-reasons without their severity suffixes, unknown keywords passed through.
    pub reasons: Vec<String>,
    /// Make and model.
    pub model: Option<String>,
    /// What it has left; none where it says nothing of that.
    pub stock: Option<Stock>,
    /// How many sheets it has printed in its life, or since it was switched on, for anybody; none where it does not count.
    pub impressions: Option<u32>,
}

/// Why a device is not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// True where it answers and says no.
    pub is_refusal: bool,
    /// The keyword of a device report.
    pub reason: String,
    /// All causes, for the one who mends it.
    pub detail: String,
}

/// A look at a device.
pub type ObservedFuture<'a> =
    Pin<Box<dyn Future<Output = Result<PrinterStatus, Away>> + Send + 'a>>;

/// A device that health looks at.
pub trait Observed: Send + Sync {
    /// Asks it what it is at.
    fn observe(&self) -> ObservedFuture<'_>;
}

impl Observed for Arc<dyn Printer> {
    fn observe(&self) -> ObservedFuture<'_> {
        Box::pin(async {
            self.status().await.map_err(|fault| Away {
                is_refusal: fault.is_refusal(),
                reason: fault.reason(),
                detail: chain(&fault),
            })
        })
    }
}

/// A printer of controlled documents.
pub trait Printer: Send + Sync {
    /// What it is and can, and which jobs it has or remembers under this machine's name, before an attempt.
    fn survey(&self) -> DeviceFuture<'_, PrinterSurvey>;
    /// Its state, for health.
    fn status(&self) -> DeviceFuture<'_, PrinterStatus>;
    /// Makes an empty job of this name.
    fn create<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Made>;
    /// Looks for a job of this exact name.
    fn locate<'a>(&'a self, name: &'a str) -> DeviceFuture<'a, Sighting>;
    /// Sends the document to the job, once.
    fn send<'a>(
        &'a self,
        job: &'a RemoteJob,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, ()>;
    /// Makes a job of this name together with its document, once; of controlled documents only one that honours all of
    /// it.
    fn print<'a>(
        &'a self,
        name: &'a str,
        class: Class,
        format: &'a str,
        document: Bytes,
    ) -> DeviceFuture<'a, Made>;
    /// Looks at the job.
    fn look<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, Sighting>;
    /// Calls the job off; its fate is seen by looking.
    fn cancel<'a>(&'a self, job: &'a RemoteJob) -> DeviceFuture<'a, ()>;
}
