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
use crate::pipe::{Claimed, Device, PipeFault, Received, Sent};
use crate::plugged::{Function, FunctionKind};
use crate::quirks::{InitReset, Quirks};

/// Small enough that what was accepted is known soon, and that a printer with 4 KiB of memory takes one after the other.
const MAX_TRANSFER_BYTES: usize = 16 * 1024;

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
    claimed: Claimed,
    quirks: Quirks,
    sending: Option<usize>,
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
        let mut printer = Self {
            claimed: device.claim(place).await?,
            sending: None,
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
        self.claimed.input.is_some()
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
    /// The bytes of one transfer (16 KiB) may still be taken until the next call; see the type.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut accepted = 0_usize;
        if let Err(error) = self.settle().await {
            return Err(WriteError {
                error,
                accepted_bytes: 0,
                at_most_bytes: 0,
            });
        }
        while accepted < bytes.len() {
            let rest = bytes.get(accepted..).unwrap_or_default();
            let piece = rest.get(..MAX_TRANSFER_BYTES).unwrap_or(rest);
            let outcome = self.send(piece).await;
            accepted = accepted.saturating_add(outcome.accepted);
            if let Err((error, in_doubt)) = outcome.end {
                return Err(WriteError {
                    error,
                    accepted_bytes: accepted,
                    at_most_bytes: accepted.saturating_add(in_doubt),
                });
            }
            if let Some(pause) = self.quirks.send_delay(piece.len()) {
                sleep(pause).await;
            }
        }
        let packet_len = self.claimed.place.out.packet_len;
        if self.quirks.zlp_send && bytes.len().checked_rem(packet_len) == Some(0) {
            let outcome = self.send(&[]).await;
            outcome.end.map_err(|(error, _)| WriteError {
                error,
                accepted_bytes: accepted,
                at_most_bytes: accepted,
            })?;
        }
        Ok(())
    }

    /// Sends one piece; a transfer that stood still is given up only if nothing of it had moved.
    async fn send(&mut self, piece: &[u8]) -> PieceSent {
        let quiet = self.quirks.send_quiet();
        self.sending = Some(piece.len());
        self.claimed.out.submit(&[piece]);
        let sent = match timeout(quiet, self.sent()).await {
            Ok(sent) => sent,
            Err(_quiet) => {
                self.claimed.out.cancel();
                match timeout(CANCEL_PATIENCE, self.sent()).await {
                    Ok(sent) => sent,
                    Err(_stuck) => return PieceSent::stuck(piece.len()),
                }
            }
        };
        let rest = piece.len().saturating_sub(sent.accepted);
        let doing = Doing::Sending;
        let end = match sent.end {
            Ok(()) => Ok(()),
            Err(PipeFault::Cancelled) if sent.accepted > 0 => Ok(()),
            Err(PipeFault::Cancelled) => Err((self.timed_out(), 0)),
            Err(PipeFault::Stalled) => Err((UsbError::Stalled { doing }, 0)),
            Err(fault) => Err((fault.while_doing(doing), rest)),
        };
        PieceSent {
            accepted: sent.accepted,
            end,
        }
    }

    fn timed_out(&self) -> UsbError {
        UsbError::TimedOut {
            doing: Doing::Sending,
            quiet_ms: u64::from(self.quirks.send_quiet_ms),
        }
    }

    async fn sent(&mut self) -> Sent {
        let sent = poll_fn(|cx| self.claimed.out.poll_sent(cx)).await;
        self.sending = None;
        let accepted = u64::try_from(sent.accepted).unwrap_or(u64::MAX);
        self.accepted_bytes = self.accepted_bytes.saturating_add(accepted);
        sent
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
        let Some(packet_len) = self.claimed.place.input.map(|pipe| pipe.packet_len) else {
            return Ok(Vec::new());
        };
        let Some(input) = &mut self.claimed.input else {
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
        let received = poll_fn(|cx| match &mut self.claimed.input {
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
        if let Some(input) = &mut self.claimed.input {
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
        if self.sending.is_some() {
            self.claimed.out.cancel();
            let ended = timeout(CANCEL_PATIENCE, self.sent()).await;
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
        let answer = class::device_id(self.claimed.control.as_ref(), self.claimed.place).await?;
        Ok(DeviceId::parse(&answer))
    }

    /// What the printer says of its paper and its state; it is asked beside the data, so that it answers while it takes
    /// none.
    ///
    /// # Errors
    /// As [`device_id`](Self::device_id).
    pub async fn port_status(&self) -> Result<PortStatus, UsbError> {
        let bits = class::port_status(self.claimed.control.as_ref(), self.claimed.place).await?;
        Ok(PortStatus::new(bits))
    }

    /// Empties the printer's buffers and clears what stalled; what it had taken and not printed is lost.
    ///
    /// # Errors
    /// As [`device_id`](Self::device_id).
    pub async fn soft_reset(&mut self) -> Result<(), UsbError> {
        self.settle().await?;
        let to = self.quirks.soft_reset_to;
        class::soft_reset(self.claimed.control.as_ref(), self.claimed.place, to).await?;
        class::halt_cleared(self.claimed.out.clear_halt().await)?;
        if let Some(input) = &mut self.claimed.input {
            class::halt_cleared(input.clear_halt().await)?;
        }
        Ok(())
    }

    /// Ends what is in flight and gives the interface back to the kernel.
    pub async fn close(mut self) {
        drop(self.settle().await);
        let claimed = self.claimed;
        drop(spawn_blocking(move || drop(claimed)).await);
    }
}

/// How a piece left.
struct PieceSent {
    accepted: usize,
    /// The cause, and how many bytes beyond the accepted ones can have reached the printer.
    end: Result<(), (UsbError, usize)>,
}

impl PieceSent {
    fn stuck(len: usize) -> Self {
        Self {
            accepted: 0,
            end: Err((stuck(Doing::Sending), len)),
        }
    }
}

fn stuck(doing: Doing) -> UsbError {
    UsbError::TimedOut {
        doing,
        quiet_ms: u64::try_from(CANCEL_PATIENCE.as_millis()).unwrap_or(u64::MAX),
    }
}
