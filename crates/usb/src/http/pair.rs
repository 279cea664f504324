//! One claimed interface of the pool: its two pipes with what is in flight on each, and how it is brought to rest.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::class;
use crate::descriptor::DescriptorFault;
use crate::error::{Doing, UsbError};
use crate::outflow::{OutEnd, Outflow};
use crate::pipe::{BulkIn, Claimed, ClassControl, MAX_IN_FLIGHT, PipeFault, Received};
use crate::plugged::Place;
use crate::quirks::Quirks;

/// The kernel gives a cancelled transfer back within a frame of the bus; one that does not come back has a broken
/// controller under it.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// A device that has something to say puts it on the bus within a few milliseconds of being asked.
const SILENCE: Duration = Duration::from_millis(100);

/// What a device may still have to say after a soft reset: its buffers are some kilobytes.
const MAX_STALE_BYTES: usize = 256 * 1024;

/// Packets of no bytes that may come after a soft reset.
const MAX_STALE_TRANSFERS: usize = 1024;

/// What moved.
#[derive(Debug)]
pub(super) enum Moved {
    Sent(OutEnd),
    Received(Received),
}

/// A claimed interface.
#[derive(Debug)]
pub(super) struct Pair {
    place: Place,
    out: Outflow,
    input: Box<dyn BulkIn>,
    control: Box<dyn ClassControl>,
    is_receiving: bool,
    /// The device is left alone until then.
    pub(super) ready_at: Instant,
}

impl Pair {
    /// # Errors
    /// [`UsbError::BadDescriptor`] where the interface cannot answer.
    pub(super) fn new(claimed: Claimed, ready_at: Instant) -> Result<Self, UsbError> {
        let Claimed {
            place,
            out,
            input,
            control,
        } = claimed;
        let Some(input) = input else {
            let interface = place.interface;
            return Err(UsbError::BadDescriptor {
                device: format!("interface {interface}"),
                fault: DescriptorFault::NoIn { interface },
            });
        };
        Ok(Self {
            place,
            out: Outflow::new(out, MAX_IN_FLIGHT),
            input,
            control,
            is_receiving: false,
            ready_at,
        })
    }

    pub(super) fn out_packet_len(&self) -> usize {
        self.place.out.packet_len.max(1)
    }

    pub(super) fn in_packet_len(&self) -> usize {
        self.place.input.map_or(1, |pipe| pipe.packet_len.max(1))
    }

    pub(super) fn is_sending(&self) -> bool {
        self.out.is_busy()
    }

    pub(super) fn is_receiving(&self) -> bool {
        self.is_receiving
    }

    /// How many bytes are on their way to the device, where one more transfer may follow them.
    pub(super) fn bytes_ahead(&self) -> Option<usize> {
        self.out.bytes_ahead()
    }

    pub(super) fn send(&mut self, parts: &[&[u8]]) {
        self.out.submit(parts);
    }

    pub(super) fn receive(&mut self, len: usize) {
        self.is_receiving = true;
        self.input.submit(len);
    }

    pub(super) fn cancel_sending(&mut self) {
        self.out.cancel();
    }

    pub(super) fn is_cancelling(&self) -> bool {
        self.out.is_cancelling()
    }

    /// Waits for the end of a transfer in flight; for ever where there is none.
    ///
    /// # Cancel safety
    /// Nothing is lost: the transfer goes on.
    pub(super) async fn next(&mut self) -> Moved {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Moved> {
        if let Poll::Ready(end) = self.out.poll_ended(cx) {
            return Poll::Ready(Moved::Sent(end));
        }
        if self.is_receiving
            && let Poll::Ready(received) = self.input.poll_received(cx)
        {
            self.is_receiving = false;
            return Poll::Ready(Moved::Received(received));
        }
        Poll::Pending
    }

    /// Ends what is in flight and says what had moved of it.
    ///
    /// # Errors
    /// [`UsbError::TimedOut`] where the kernel does not give a transfer back.
    pub(super) async fn quiesce(&mut self) -> Result<Vec<Moved>, UsbError> {
        self.out.cancel();
        if self.is_receiving {
            self.input.cancel();
        }
        let mut moved = Vec::new();
        while self.is_sending() || self.is_receiving {
            moved.push(within(CANCEL_PATIENCE, Doing::Receiving, self.next()).await?);
        }
        Ok(moved)
    }

    /// SOFT_RESET, both pipes at their beginning, and silence after it.
    ///
    /// # Errors
    /// [`UsbError::OutOfStep`] where the device goes on talking; what the requests fail with otherwise. A device that
    /// does not know SOFT_RESET is told by its silence alone.
    pub(super) async fn reset_softly(&mut self, quirks: &Quirks) -> Result<(), UsbError> {
        self.quiesce().await?;
        match class::soft_reset(self.control.as_ref(), self.place, quirks.soft_reset_to).await {
            Ok(()) | Err(UsbError::Stalled { .. } | UsbError::TimedOut { .. }) => {}
            Err(error) => return Err(error),
        }
        class::halt_cleared(self.out.clear_halt().await)?;
        class::halt_cleared(self.input.clear_halt().await)?;
        self.wait_for_silence().await
    }

    /// Reads what the device still had to say, until it says nothing.
    async fn wait_for_silence(&mut self) -> Result<(), UsbError> {
        let len = self.in_packet_len();
        let mut stale_bytes = 0_usize;
        for _transfer in 0..MAX_STALE_TRANSFERS {
            self.receive(len);
            let moved = match timeout(SILENCE, self.next()).await {
                Ok(moved) => vec![moved],
                Err(_silent) => {
                    let moved = self.quiesce().await?;
                    // What came together with the end of the wait is no silence.
                    if moved.iter().all(|it| it.received_bytes() == 0) {
                        return Ok(());
                    }
                    moved
                }
            };
            for moved in moved {
                stale_bytes = stale_bytes.saturating_add(moved.received_bytes());
                if let Moved::Received(Received {
                    end: Err(fault), ..
                }) = moved
                    && fault != PipeFault::Cancelled
                {
                    return Err(fault.while_doing(Doing::Receiving));
                }
            }
            if stale_bytes > MAX_STALE_BYTES {
                break;
            }
        }
        Err(UsbError::OutOfStep)
    }

    /// Gives the interface back to the kernel, off the async threads: its driver may talk to the device first.
    pub(super) async fn release(self) {
        drop(spawn_blocking(move || drop(self)).await);
    }
}

impl Moved {
    fn received_bytes(&self) -> usize {
        match self {
            Self::Received(received) => received.bytes.len(),
            Self::Sent(_) => 0,
        }
    }
}

async fn within<T>(
    patience: Duration,
    doing: Doing,
    wait: impl Future<Output = T>,
) -> Result<T, UsbError> {
    timeout(patience, wait)
        .await
        .map_err(|_late| UsbError::TimedOut {
            doing,
            quiet_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
        })
}
