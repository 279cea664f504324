//! Transfers as nusb has them, behind the seam.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use nusb::transfer::{
    Buffer, Bulk, ControlIn, ControlOut, ControlType, In, Out, Recipient, TransferError,
};
use nusb::{Endpoint, Interface};

use crate::pipe::{
    BulkIn, BulkOut, ClassControl, ClassRequest, MAX_IN_FLIGHT, PipeFault, PipeFuture, Received,
    Sent,
};

fn fault(error: TransferError) -> PipeFault {
    match error {
        TransferError::Cancelled => PipeFault::Cancelled,
        TransferError::Stall => PipeFault::Stalled,
        TransferError::Disconnected => PipeFault::Unplugged,
        TransferError::Fault => PipeFault::Broken,
        TransferError::InvalidArgument => PipeFault::System(EINVAL),
        TransferError::Unknown(os) => PipeFault::System(os),
    }
}

const EINVAL: u32 = 22;

/// Clearing a halt and resetting fail with the errors of nusb's other half.
fn other_fault(error: &nusb::Error) -> PipeFault {
    match error.kind() {
        nusb::ErrorKind::Disconnected => PipeFault::Unplugged,
        nusb::ErrorKind::Busy
        | nusb::ErrorKind::PermissionDenied
        | nusb::ErrorKind::NotFound
        | nusb::ErrorKind::Unsupported
        | nusb::ErrorKind::Other
        | _ => PipeFault::System(error.os_error().unwrap_or_default()),
    }
}

/// A bulk OUT endpoint.
pub(super) struct Output {
    endpoint: Endpoint<Bulk, Out>,
    /// What carried transfers that ended carries the next.
    spares: Vec<Buffer>,
}

impl Output {
    pub(super) fn new(endpoint: Endpoint<Bulk, Out>) -> Self {
        Self {
            endpoint,
            spares: Vec::with_capacity(MAX_IN_FLIGHT),
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Output").field(&self.endpoint).finish()
    }
}

impl BulkOut for Output {
    fn submit(&mut self, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|it| it.len()).sum();
        let spare = self.spares.pop().filter(|it| it.capacity() >= len);
        let mut buffer = spare.unwrap_or_else(|| Buffer::new(len.max(1)));
        buffer.clear();
        parts.iter().for_each(|it| buffer.extend_from_slice(it));
        self.endpoint.submit(buffer);
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Sent> {
        // nusb panics where nothing is in flight.
        if self.endpoint.pending() == 0 {
            return Poll::Ready(Sent {
                accepted: 0,
                end: Ok(()),
            });
        }
        self.endpoint.poll_next_complete(cx).map(|mut done| {
            // A piece of a document does not wait here for the next one.
            done.buffer.fill(0);
            self.spares.push(done.buffer);
            Sent {
                accepted: done.actual_len,
                end: done.status.map_err(fault),
            }
        })
    }

    fn cancel(&mut self) {
        // The youngest first, which nusb does.
        self.endpoint.cancel_all();
    }

    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>> {
        Box::pin(async {
            self.endpoint
                .clear_halt()
                .await
                .map_err(|error| other_fault(&error))
        })
    }
}

/// A bulk IN endpoint.
pub(super) struct Input {
    endpoint: Endpoint<Bulk, In>,
    spare: Option<Buffer>,
}

impl Input {
    pub(super) fn new(endpoint: Endpoint<Bulk, In>) -> Self {
        Self {
            endpoint,
            spare: None,
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Input").field(&self.endpoint).finish()
    }
}

impl BulkIn for Input {
    fn submit(&mut self, len: usize) {
        let spare = self.spare.take().filter(|it| it.capacity() >= len);
        let mut buffer = spare.unwrap_or_else(|| Buffer::new(len));
        buffer.clear();
        buffer.set_requested_len(len);
        self.endpoint.submit(buffer);
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.endpoint.pending() == 0 {
            return Poll::Ready(Received {
                bytes: Vec::new(),
                end: Ok(()),
            });
        }
        self.endpoint.poll_next_complete(cx).map(|mut done| {
            let came = done.buffer.get(..done.actual_len).unwrap_or_default();
            let bytes = came.to_vec();
            done.buffer.fill(0);
            self.spare = Some(done.buffer);
            Received {
                bytes,
                end: done.status.map_err(fault),
            }
        })
    }

    fn cancel(&mut self) {
        self.endpoint.cancel_all();
    }

    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>> {
        Box::pin(async {
            self.endpoint
                .clear_halt()
                .await
                .map_err(|error| other_fault(&error))
        })
    }
}

/// The control endpoint, in the name of one interface.
pub(super) struct Control {
    interface: Interface,
}

impl Control {
    pub(super) fn new(interface: Interface) -> Self {
        Self { interface }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&self.interface).finish()
    }
}

fn recipient(request: ClassRequest) -> Recipient {
    if request.to_other {
        Recipient::Other
    } else {
        Recipient::Interface
    }
}

impl ClassControl for Control {
    fn ask(
        &self,
        request: ClassRequest,
        len: u16,
        patience: Duration,
    ) -> PipeFuture<'_, Result<Vec<u8>, PipeFault>> {
        let data = ControlIn {
            control_type: ControlType::Class,
            recipient: recipient(request),
            request: request.request,
            value: request.value,
            index: request.index,
            length: len,
        };
        Box::pin(async move {
            self.interface
                .control_in(data, patience)
                .await
                .map_err(fault)
        })
    }

    fn tell(
        &self,
        request: ClassRequest,
        patience: Duration,
    ) -> PipeFuture<'_, Result<(), PipeFault>> {
        let data = ControlOut {
            control_type: ControlType::Class,
            recipient: recipient(request),
            request: request.request,
            value: request.value,
            index: request.index,
            data: &[],
        };
        Box::pin(async move {
            self.interface
                .control_out(data, patience)
                .await
                .map_err(fault)
        })
    }
}
