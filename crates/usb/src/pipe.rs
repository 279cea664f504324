//! The seam between the logic of this crate and whatever moves its bytes: usbfs, or a device in memory.
//!
//! The traits are shaped after what a kernel can do: a transfer is submitted, is polled until it ends, and can be asked
//! to end early; what had moved by then is always told. So every wait above them can be cancelled without losing a byte
//! or a count.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{Doing, UsbError};
use crate::plugged::Place;

/// A future of the seam.
pub type PipeFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says how a transfer ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipeFault {
    /// It was asked to end.
    Cancelled,
    /// The device is gone.
    Unplugged,
    /// The device answered STALL.
    Stalled,
    /// The bus reported a broken transfer.
    Broken,
    /// Anything else, with the error number of the system.
    System(u32),
}

impl PipeFault {
    /// The error of the crate for it.
    pub(crate) fn while_doing(self, doing: Doing) -> UsbError {
        match self {
            Self::Unplugged => UsbError::Unplugged { doing },
            Self::Stalled => UsbError::Stalled { doing },
            Self::Broken => UsbError::Fault { doing },
            Self::Cancelled => UsbError::TimedOut { doing, quiet_ms: 0 },
            Self::System(os) => UsbError::System { doing, os },
        }
    }
}

/// How a transfer to the device ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// How many of its bytes the device acknowledged, however it ended.
    pub accepted: usize,
    /// Whether it ended as it should.
    pub end: Result<(), PipeFault>,
}

/// How a transfer from the device ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What came, however it ended.
    pub bytes: Vec<u8>,
    /// Whether it ended as it should.
    pub end: Result<(), PipeFault>,
}

/// The most transfers to a device that are in flight at a time: one moves while others are made.
pub const MAX_IN_FLIGHT: usize = 3;

/// A bulk OUT endpoint with at most [`MAX_IN_FLIGHT`] transfers in flight.
pub trait BulkOut: Send + Sync + fmt::Debug {
    /// Begins a transfer of these parts, one behind the other, behind the transfers in flight. No bytes make a zero-length
    /// packet.
    fn submit(&mut self, parts: &[&[u8]]);

    /// Waits for the end of the oldest one. Where none is in flight it is ready, with nothing accepted.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Sent>;

    /// Asks all in flight to end, the youngest first, so that none begins when the one before it is ended; `poll_sent`
    /// tells what had moved of each.
    fn cancel(&mut self);

    /// Clears a STALL, and sets both sides to the first data packet; none is in flight.
    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>>;
}

/// A bulk IN endpoint with at most one transfer in flight.
pub trait BulkIn: Send + Sync + fmt::Debug {
    /// Begins a transfer of up to `len` bytes, a multiple of the packet length and not 0; none is in flight.
    ///
    /// It ends with the first short packet, or when it is full.
    fn submit(&mut self, len: usize);

    /// Waits for its end. Where none is in flight it is ready, with no bytes.
    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received>;

    /// Asks the transfer in flight to end; `poll_received` gives what had come.
    fn cancel(&mut self);

    /// As [`BulkOut::clear_halt`].
    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>>;
}

/// A request of the printer class on the control endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassRequest {
    /// To the interface (0x01) or, as an old mistake has it, to "other" (0x03).
    pub to_other: bool,
    /// bRequest.
    pub request: u8,
    /// wValue.
    pub value: u16,
    /// wIndex.
    pub index: u16,
}

/// The control endpoint, for requests of the printer class.
pub trait ClassControl: Send + Sync + fmt::Debug {
    /// Asks, for up to `len` bytes.
    fn ask(
        &self,
        request: ClassRequest,
        len: u16,
        patience: Duration,
    ) -> PipeFuture<'_, Result<Vec<u8>, PipeFault>>;

    /// Tells, without data.
    fn tell(
        &self,
        request: ClassRequest,
        patience: Duration,
    ) -> PipeFuture<'_, Result<(), PipeFault>>;
}

/// A claimed interface in the right setting; dropping it releases the interface.
#[derive(Debug)]
pub struct Claimed {
    /// Where it is.
    pub place: Place,
    /// To the device.
    pub out: Box<dyn BulkOut>,
    /// From the device; nothing for printers that never answer.
    pub input: Option<Box<dyn BulkIn>>,
    /// The control endpoint.
    pub control: Box<dyn ClassControl>,
}

/// An opened device.
pub trait Device: Send + Sync + fmt::Debug {
    /// Takes an interface, from the kernel's driver too, and selects its setting.
    ///
    /// # Errors
    /// [`UsbError::Busy`] where another program holds it, [`UsbError::Unplugged`], [`UsbError::BadDescriptor`] where the
    /// endpoints are not what was listed.
    fn claim(&self, place: Place) -> PipeFuture<'_, Result<Claimed, UsbError>>;

    /// Resets the device and opens it again; every claimed interface was dropped before.
    ///
    /// # Errors
    /// [`UsbError::Unplugged`] where it did not come back as the same.
    fn reset(&self) -> PipeFuture<'_, Result<Arc<dyn Device>, UsbError>>;
}
