//! USB, as a raw printer (class 7/1/1, and 7/1/2 where it answers).
//!
//! Each ticket claims the interface anew and gives it back. What a transfer took is what the printer took, so an
//! unplugged cable leaves a count of bytes that is exact, and not one of this computer's own buffer as over TCP.

use std::fmt;
use std::io;
use std::time::Duration;

use loket_usb::{DeviceAddress, InitReset, Quirks, RawPrinter, UsbError};
use tokio::time::timeout;

use crate::port::{OpenError, OpenFuture, Port, PortFuture, PortStatus, Transport, Written};
use crate::profile::Waits;

/// Finds one USB printer and claims it.
pub trait OpenUsb: fmt::Debug + Send + Sync {
    /// Claims the interface of the printer, with what is odd about its model.
    ///
    /// # Errors
    /// [`UsbError`]; nothing of the device is held then.
    ///
    /// # Cancel safety
    /// Dropping the future gives back whatever it held.
    fn open(&self, quirks: Quirks) -> PortFuture<'_, Result<RawPrinter, UsbError>>;
}

impl OpenUsb for DeviceAddress {
    fn open(&self, quirks: Quirks) -> PortFuture<'_, Result<RawPrinter, UsbError>> {
        Box::pin(async move {
            let device = loket_usb::find(self).await?;
            loket_usb::open_raw(&device, quirks).await
        })
    }
}

/// The way to a printer over USB; its interface is ours alone while it is open.
///
/// An interface that only listens (7/1/1) needs a profile with
/// [`Answering::Nothing`](crate::Answering::Nothing): over it, no question is ever answered.
#[derive(Debug)]
pub struct UsbTransport {
    device: Box<dyn OpenUsb>,
    quirks: Quirks,
}

impl UsbTransport {
    /// The way to a device, mostly a [`DeviceAddress`], with what is odd about its model and the waits of its profile.
    ///
    /// Two quirks are narrowed. No soft reset is made at opening: it would throw away the ticket before, where the
    /// printer took it and has not printed it yet; what half a command left in a printer is overcome by the next ticket
    /// itself. And a printer that takes nothing is given up after `waits.stall_ms` at the latest, since a person waits.
    #[must_use]
    pub fn new(device: Box<dyn OpenUsb>, quirks: Quirks, waits: &Waits) -> Self {
        let init_reset = match quirks.init_reset {
            InitReset::None | InitReset::Soft => InitReset::None,
            // No model has this unless somebody wrote that it needs it.
            InitReset::Hard => InitReset::Hard,
        };
        let quirks = Quirks {
            init_reset,
            send_quiet_ms: quirks.send_quiet_ms.min(waits.stall_ms),
            ..quirks
        };
        Self { device, quirks }
    }
}

impl Transport for UsbTransport {
    fn open(&self, within: Duration) -> OpenFuture<'_> {
        Box::pin(async move {
            let opened = timeout(within, self.device.open(self.quirks.clone())).await;
            let opened = opened.map_err(|_elapsed| OpenError::TimedOut(within))?;
            let printer = opened.map_err(|error| {
                if matches!(error, UsbError::Busy { .. }) {
                    OpenError::Busy(error.into())
                } else {
                    OpenError::NotThere(error.into())
                }
            })?;
            let port: Box<dyn Port> = Box::new(UsbPort {
                printer: Some(printer),
                ahead: Vec::new(),
            });
            Ok(port)
        })
    }
}

/// One claimed interface.
#[derive(Debug)]
struct UsbPort {
    /// None once it was given back.
    printer: Option<RawPrinter>,
    /// Heard, and not asked for yet.
    ahead: Vec<u8>,
}

impl UsbPort {
    fn printer(&mut self) -> io::Result<&mut RawPrinter> {
        self.printer
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Port for UsbPort {
    /// The wait is that of the quirks, which the transport bounded: a transfer that is given up from outside would leave
    /// open how much of it was taken.
    fn write<'a>(&'a mut self, bytes: &'a [u8], _stall: Duration) -> PortFuture<'a, Written> {
        Box::pin(async move {
            let printer = match self.printer() {
                Ok(printer) => printer,
                Err(error) => {
                    return Written {
                        accepted: 0,
                        at_most: 0,
                        ended: Some(error),
                    };
                }
            };
            match printer.write(bytes).await {
                Ok(()) => Written {
                    accepted: bytes.len(),
                    at_most: bytes.len(),
                    ended: None,
                },
                Err(failed) => Written {
                    accepted: failed.accepted_bytes,
                    at_most: failed.at_most_bytes,
                    ended: Some(failed.error.into()),
                },
            }
        })
    }

    fn read<'a>(
        &'a mut self,
        into: &'a mut [u8],
        within: Duration,
    ) -> PortFuture<'a, io::Result<usize>> {
        Box::pin(async move {
            if self.ahead.is_empty() {
                self.ahead = self.printer()?.read(within).await?;
            }
            let len = self.ahead.len().min(into.len());
            for (to, from) in into.iter_mut().zip(self.ahead.drain(..len)) {
                *to = from;
            }
            Ok(len)
        })
    }

    fn status(&mut self) -> PortFuture<'_, Option<PortStatus>> {
        Box::pin(async move {
            // Printers that do not know the question stall it: they have no such state.
            let status = self.printer().ok()?.port_status().await.ok()?;
            Some(PortStatus {
                paper_empty: status.is_paper_empty(),
                selected: status.is_selected(),
                error: status.has_error(),
            })
        })
    }

    fn finish(&mut self, _within: Duration) -> PortFuture<'_, io::Result<()>> {
        Box::pin(async move {
            // All that was written has been taken: there is nothing left to wait for.
            if let Some(printer) = self.printer.take() {
                printer.close().await;
            }
            Ok(())
        })
    }
}
