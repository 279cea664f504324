//! One claimed interface of a raw printer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{DeviceId, PortStatus};
use crate::class;
use crate::error::{Doing, UsbError};
use crate::outflow::{Halt, MAX_TRANSFER_BYTES, OutEnd, Outflow, SHORT_TRANSFER_BYTES};
use crate::pipe::{BulkIn, Claimed, ClassControl, Device, PipeFault, Received};
use crate::plugged::{Function, FunctionKind, Place};
use crate::quirks::{InitReset, Quirks};

/// Where no more than this is left to be sent, as of any ticket, transfers are short: what was accepted is known soon, and a
/// printer with 4 KiB of memory takes one after the other.
const LONG_WRITE_BYTES: usize = 64 * 1024;

/// One moves while the next is under way; more in flight would gain nothing, and leave more in doubt.
const MOST_IN_FLIGHT: usize = 2;

/// As for HTTP: the kernel gives a cancelled transfer back within a frame of the bus.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// A printer that is silent for so long has nothing waiting to be read.
const SILENCE: Duration = Duration::from_millis(20);

/// What a printer can have waiting: status bytes, four at a time.
const MAX_STALE_TRANSFERS: usize = 256;

/// Why not all bytes were written, and how many of them the printer can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("send all to the USB printer: it took {accepted_bytes} bytes")]
pub struct WriteError {
    /// The cause.
    #[source]
    pub error: UsbError,
    /// What the printer acknowledged, from the first byte on.
    pub accepted_bytes: usize,
    /// The most that can have reached it; more than `accepted_bytes` where it was lost during a transfer.
    pub at_most_bytes: usize,
}

/// A raw printer: bytes to it, and from it where it answers (7/1/2).
///
/// # Cancel safety
/// Every function may be dropped half-way. What it had in flight is ended by the next one, and
/// [`accepted_bytes`](Self::accepted_bytes) then counts what of it the printer took.
#[derive(Debug)]
pub struct RawPrinter {
    place: Place,
    out: Outflow,
    input: Option<Box<dyn BulkIn>>,
    control: Box<dyn ClassControl>,
    quirks: Quirks,
    is_receiving: bool,
    accepted_bytes: u64,
}

impl RawPrinter {
    /// Takes the first interface of an opened device that prints raw bytes, resets it as the quirks say, and throws away
    /// what it still had to say.
    ///
    /// # Errors
    /// [`UsbError::Busy`] where another program holds it, [`UsbError::Unplugged`], [`UsbError::NoFunction`].
    pub async fn open(
        device: Arc<dyn Device>,
        function: &Function,
        quirks: Quirks,
    ) -> Result<Self, UsbError> {
        let place = function.places.iter().find(|it| it.input.is_some());
        let place = place.or_else(|| function.places.first()).copied();
        let Some(place) = place.filter(|_| function.kind == FunctionKind::RawPrinter) else {
            return Err(UsbError::NoFunction {
                device: format!("{device:?}"),
                wanted: FunctionKind::RawPrinter,
            });
        };
        let device = match quirks.init_reset {
            InitReset::Hard => device.reset().await?,
            InitReset::None | InitReset::Soft => device,
        };
        let Claimed {
            place,
            out,
            input,
            control,
        } = device.claim(place).await?;
        let mut printer = Self {
            place,
            out: Outflow::new(out, MOST_IN_FLIGHT),
            input,
            control,
            is_receiving: false,
            accepted_bytes: 0,
            quirks,
        };
        if printer.quirks.init_reset == InitReset::Soft {
            match printer.soft_reset().await {
                Ok(()) | Err(UsbError::Stalled { .. } | UsbError::TimedOut { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        printer.discard().await?;
        sleep(printer.quirks.init_delay()).await;
        Ok(printer)
    }

    /// True where the printer can answer.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.input.is_some()
    }

    /// How many bytes the printer acknowledged since it was opened.
    #[must_use]
    pub fn accepted_bytes(&self) -> u64 {
        self.accepted_bytes
    }

    /// Writes all bytes; returns when the printer took the last one into its memory, which is not onto paper.
    ///
    /// # Errors
    /// [`WriteError`], with how far it came. [`UsbError::TimedOut`] in it where the printer took nothing for
    /// `send_quiet_ms`: out of paper, off line, cover open.
    ///
    /// # Cancel safety
    /// The bytes of two transfers (32 KiB; 64 KiB where more than that was left to be sent) may still be taken until the next
    /// call; see the type.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut progress = Progress::default();
        let written = self.write_all(bytes, &mut progress).await;
        written.map_err(|error| progress.failed(error))
    }

    async fn write_all(&mut self, bytes: &[u8], progress: &mut Progress) -> Result<(), UsbError> {
        self.settle().await?;
        while progress.accepted < bytes.len() {
            self.send(bytes.get(progress.accepted..).unwrap_or_default());
            let len = self.sent(progress).await?;
            if let Some(pause) = self.quirks.send_delay(len) {
                sleep(pause).await;
            }
        }
        let packet_len = self.place.out.packet_len;
        if self.quirks.zlp_send && bytes.len().checked_rem(packet_len) == Some(0) {
            self.out.submit(&[]);
            self.sent(progress).await?;
        }
        Ok(())
    }

    /// Begins the transfers of `bytes` that are due; some of its first bytes may be in flight.
    fn send(&mut self, bytes: &[u8]) {
        let waits_for_pause = self.quirks.send_delay_ms > 0;
        while let Some(ahead) = self.out.bytes_ahead() {
            let rest = bytes.get(ahead..).unwrap_or_default();
            if rest.is_empty() || (waits_for_pause && ahead > 0) {
                break;
            }
            let is_short = waits_for_pause || rest.len() <= LONG_WRITE_BYTES;
            let len = if is_short {
                SHORT_TRANSFER_BYTES
            } else {
                MAX_TRANSFER_BYTES
            };
            let piece = rest.get(..len).unwrap_or(rest);
            self.out.submit(&[piece]);
        }
    }

    /// Waits for the end of the oldest transfer; says how long it was. Those that stood still are given up only if nothing of
    /// them had moved. Where it fails none is in flight.
    async fn sent(&mut self, progress: &mut Progress) -> Result<usize, UsbError> {
        let end = match timeout(self.quirks.send_quiet(), self.ended()).await {
            Ok(end) => end,
            Err(_quiet) => {
                self.out.cancel();
                self.ended_soon(progress).await?
            }
        };
        progress.note(&end, !self.out.is_busy());
        let Err(mut halt) = end.verdict else {
            return Ok(end.len);
        };
        self.out.cancel();
        while self.out.is_busy() {
            let end = self.ended_soon(progress).await?;
            progress.note(&end, !self.out.is_busy());
            // What follows a fault ends with it.
            if end.verdict == Err(Halt::Gap) {
                halt = Halt::Gap;
            }
        }
        Err(halt.into_error(self.quirks.send_quiet_ms))
    }

    /// The end of the oldest transfer, which was asked to end.
    async fn ended_soon(&mut self, progress: &mut Progress) -> Result<OutEnd, UsbError> {
        let ended = timeout(CANCEL_PATIENCE, self.ended()).await;
        ended.map_err(|_stuck| {
            progress.in_doubt = progress.in_doubt.saturating_add(self.out.bytes_in_flight());
            stuck(Doing::Sending)
        })
    }

    async fn ended(&mut self) -> OutEnd {
        let end = poll_fn(|cx| self.out.poll_ended(cx)).await;
        let accepted = u64::try_from(end.sent.accepted).unwrap_or(u64::MAX);
        self.accepted_bytes = self.accepted_bytes.saturating_add(accepted);
        end
    }

    /// Waits up to `patience` for bytes of the printer; none where it says nothing, or cannot.
    ///
    /// # Errors
    /// [`UsbError::Unplugged`], [`UsbError::Stalled`], [`UsbError::Fault`].
    ///
    /// # Cancel safety
    /// What comes while nobody waits is thrown away by the next call: ask again.
    pub async fn read(&mut self, patience: Duration) -> Result<Vec<u8>, UsbError> {
        self.settle().await?;
        let Some(packet_len) = self.place.input.map(|pipe| pipe.packet_len) else {
            return Ok(Vec::new());
        };
        let Some(input) = &mut self.input else {
            return Ok(Vec::new());
        };
        // One packet: a status is shorter, and a longer transfer would wait for more.
        input.submit(packet_len);
        self.is_receiving = true;
        let received = match timeout(patience, self.received()).await {
            Ok(received) => received,
            Err(_quiet) => self.cancel_receiving().await?,
        };
        match received.end {
            Ok(()) | Err(PipeFault::Cancelled) => Ok(received.bytes),
            Err(_) if !received.bytes.is_empty() => Ok(received.bytes),
            Err(fault) => Err(fault.while_doing(Doing::Receiving)),
        }
    }

    async fn received(&mut self) -> Received {
        let received = poll_fn(|cx| match &mut self.input {
            Some(input) => input.poll_received(cx),
            None => Poll::Ready(Received {
                bytes: Vec::new(),
                end: Ok(()),
            }),
        });
        let received = received.await;
        self.is_receiving = false;
        received
    }

    async fn cancel_receiving(&mut self) -> Result<Received, UsbError> {
        if let Some(input) = &mut self.input {
            input.cancel();
        }
        let ended = timeout(CANCEL_PATIENCE, self.received()).await;
        ended.map_err(|_stuck| stuck(Doing::Receiving))
    }

    /// Throws away what the printer had to say before, so that what comes next is the answer to what is asked next.
    ///
    /// # Errors
    /// [`UsbError::OutOfStep`] where it does not stop talking; as [`read`](Self::read).
    pub async fn discard(&mut self) -> Result<(), UsbError> {
        for _transfer in 0..MAX_STALE_TRANSFERS {
            if self.read(SILENCE).await?.is_empty() {
                return Ok(());
            }
        }
        Err(UsbError::OutOfStep)
    }

    /// Ends what a dropped call left in flight.
    async fn settle(&mut self) -> Result<(), UsbError> {
        self.out.cancel();
        while self.out.is_busy() {
            let ended = timeout(CANCEL_PATIENCE, self.ended()).await;
            ended.map_err(|_stuck| stuck(Doing::Sending))?;
        }
        if self.is_receiving {
            self.cancel_receiving().await?;
        }
        Ok(())
    }

    /// What the printer says of itself.
    ///
    /// # Errors
    /// [`UsbError::Stalled`] where it does not know the question, [`UsbError::TimedOut`], [`UsbError::Unplugged`].
    pub async fn device_id(&self) -> Result<DeviceId, UsbError> {
        let answer = class::device_id(self.control.as_ref(), self.place).await?;
        Ok(DeviceId::parse(&answer))
    }

    /// What the printer says of its paper and its state; it is asked beside the data, so that it answers while it takes
    /// none.
    ///
    /// # Errors
    /// As [`device_id`](Self::device_id).
    pub async fn port_status(&self) -> Result<PortStatus, UsbError> {
        let bits = class::port_status(self.control.as_ref(), self.place).await?;
        Ok(PortStatus::new(bits))
    }

    /// Empties the printer's buffers and clears what stalled; what it had taken and not printed is lost.
    ///
    /// # Errors
    /// As [`device_id`](Self::device_id).
    pub async fn soft_reset(&mut self) -> Result<(), UsbError> {
        self.settle().await?;
        let to = self.quirks.soft_reset_to;
        class::soft_reset(self.control.as_ref(), self.place, to).await?;
        class::halt_cleared(self.out.clear_halt().await)?;
        if let Some(input) = &mut self.input {
            class::halt_cleared(input.clear_halt().await)?;
        }
        Ok(())
    }

    /// Ends what is in flight and gives the interface back to the kernel.
    pub async fn close(mut self) {
        drop(self.settle().await);
        drop(spawn_blocking(move || drop(self)).await);
    }
}

/// How far a write came.
#[derive(Debug, Default)]
struct Progress {
    /// The bytes that the printer acknowledged, from the first one on.
    accepted: usize,
    /// How many beyond them can have reached it.
    in_doubt: usize,
    /// A transfer ended short, and not all behind it have ended: what is acknowledged of those does not follow `accepted`.
    is_short: bool,
}

impl Progress {
    /// `is_last` says that nothing is in flight behind it.
    fn note(&mut self, end: &OutEnd, is_last: bool) {
        let accepted = end.sent.accepted;
        let rest = end.len.saturating_sub(accepted);
        let count = if self.is_short {
            &mut self.in_doubt
        } else {
            &mut self.accepted
        };
        *count = count.saturating_add(accepted);
        if end.is_in_doubt() {
            self.in_doubt = self.in_doubt.saturating_add(rest);
        }
        self.is_short = !is_last && (self.is_short || rest > 0);
    }

    fn failed(&self, error: UsbError) -> WriteError {
        WriteError {
            error,
            accepted_bytes: self.accepted,
            at_most_bytes: self.accepted.saturating_add(self.in_doubt),
        }
    }
}

fn stuck(doing: Doing) -> UsbError {
    UsbError::TimedOut {
        doing,
        quiet_ms: u64::try_from(CANCEL_PATIENCE.as_millis()).unwrap_or(u64::MAX),
    }
}
