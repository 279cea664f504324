//! Where the bytes go: the seam between ESC/POS and the wire.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

/// The future of an operation of a [`Port`].
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The future of [`Transport::open`].
pub type OpenFuture<'a> = PortFuture<'a, Result<Box<dyn Port>, OpenError>>;

/// Knows the way to one printer.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Opens the way; no byte has left when it fails.
    ///
    /// # Errors
    /// [`OpenError`] says what was in the way.
    ///
    /// # Cancel safety
    /// Dropping the future gives the way up and leaves nothing behind.
    fn open(&self, within: Duration) -> OpenFuture<'_>;
}

/// Says why no way to a printer came about.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not there: unplugged, switched off, refused, no route, no such name.
    #[error("reach it")]
    NotThere(#[source] io::Error),
    /// Somebody else holds it.
    #[error("have it alone")]
    Busy(#[source] io::Error),
    /// It did not answer within its time.
    #[error("reach it within {0:?}")]
    TimedOut(Duration),
}

/// How much of some bytes was taken.
#[derive(Debug)]
pub struct Written {
    /// Bytes taken, whatever happened then: over USB by the device, over TCP by this computer's own
    /// buffer.
    pub accepted: usize,
    /// The most that can have arrived: more than `accepted` where it broke amid a transfer of which
    /// nobody told the end.
    pub at_most: usize,
    /// Why not all were; a time-out has kind `TimedOut`.
    pub ended: Option<io::Error>,
}

/// The state that a USB printer's interface tells beside its data.
///
/// # Source
/// USB Device Class Definition for Printing Devices 1.1, section 4.2.2 (GET_PORT_STATUS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "GET_PORT_STATUS")]
pub struct PortStatus {
    /// The paper is at its end.
    pub paper_empty: bool,
    /// It is selected, which is online.
    pub selected: bool,
    /// It has an error.
    pub error: bool,
}

/// An open way to one printer; dropping it closes it.
pub trait Port: fmt::Debug + Send {
    /// Writes bytes, and says how many were taken even where it fails.
    ///
    /// Ends where no byte was taken for `stall`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open how many bytes were taken.
    fn write<'a>(&'a mut self, bytes: &'a [u8], stall: Duration) -> PortFuture<'a, Written>;

    /// Reads what the printer says; 0 bytes where nothing came `within` that time.
    ///
    /// # Errors
    /// The way ended; kind `UnexpectedEof` where the printer closed it.
    ///
    /// # Cancel safety
    /// Dropping the future may lose what was about to come.
    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>>;

    /// The state that the interface tells, where it has one.
    ///
    /// # Cancel safety
    /// Dropping the future does no harm.
    fn status(&mut self) -> PortFuture<'_, Option<PortStatus>> {
        Box::pin(std::future::ready(None))
    }

    /// Ends the way in order: nothing more is written, and what was goes out first.
    ///
    /// # Errors
    /// The way broke before the printer had taken everything.
    ///
    /// # Cancel safety
    /// Dropping the future closes at once.
    fn finish(&mut self, within: Duration) -> PortFuture<'_, io::Result<()>>;
}
