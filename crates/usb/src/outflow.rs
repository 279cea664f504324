//! A pipe to a device with what is in flight on it, and what the ends of transfers say of each other.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use crate::error::{Doing, UsbError};
use crate::pipe::{BulkOut, MAX_IN_FLIGHT, PipeFault, PipeFuture, Sent};

/// The largest transfer. What one costs beside its bytes is paid half as often as with 16 KiB. The kernel gets so much memory
/// in one piece even on an old machine whose memory is in shreds (order 3, `PAGE_ALLOC_COSTLY_ORDER`), which controllers
/// that gather nothing need; of more it may get none, and a transfer that is refused before another leaves a gap.
pub(crate) const MAX_TRANSFER_BYTES: usize = 32 * 1024;

/// The largest transfer where small steps are worth their cost: to models that need pauses, and of a ticket.
pub(crate) const SHORT_TRANSFER_BYTES: usize = 16 * 1024;

/// Why nothing more may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// A transfer ended badly.
    Fault(PipeFault),
    /// What was in flight was asked to end, and nothing of it had moved.
    StoodStill,
    /// The device took bytes behind a transfer that ended short: it lacks those between.
    Gap,
}

impl Halt {
    /// The error of the crate for it, where a device may stand still for so long.
    pub(crate) fn into_error(self, quiet_ms: u32) -> UsbError {
        let doing = Doing::Sending;
        match self {
            Self::Fault(fault) => fault.while_doing(doing),
            Self::StoodStill => UsbError::TimedOut {
                doing,
                quiet_ms: u64::from(quiet_ms),
            },
            Self::Gap => UsbError::Fault { doing },
        }
    }
}

/// How the oldest transfer in flight ended.
#[derive(Debug)]
pub(crate) struct OutEnd {
    pub(crate) sent: Sent,
    /// How long it was.
    pub(crate) len: usize,
    /// Whether more may be sent, once all in flight have ended.
    pub(crate) verdict: Result<(), Halt>,
}

impl OutEnd {
    /// True where more of it than it acknowledged can have reached the device: it is gone, or the bus broke.
    pub(crate) fn is_in_doubt(&self) -> bool {
        !matches!(
            self.sent.end,
            Ok(()) | Err(PipeFault::Cancelled | PipeFault::Stalled)
        )
    }
}

/// A pipe to a device.
#[derive(Debug)]
pub(crate) struct Outflow {
    out: Box<dyn BulkOut>,
    /// The most transfers that are in flight at a time.
    most: usize,
    /// How long the transfers in flight are, the oldest first.
    in_flight: VecDeque<usize>,
    /// Where those in flight were asked to end: whether anything moved of the ones that have ended since.
    cancelling: Option<bool>,
    /// A transfer ended before its last byte, and others behind it have not ended.
    is_short: bool,
}

impl Outflow {
    /// `most` transfers are in flight at a time, and no more than [`MAX_IN_FLIGHT`].
    pub(crate) fn new(out: Box<dyn BulkOut>, most: usize) -> Self {
        Self {
            out,
            most: most.min(MAX_IN_FLIGHT),
            in_flight: VecDeque::with_capacity(MAX_IN_FLIGHT),
            cancelling: None,
            is_short: false,
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// How many bytes are in flight, where one more transfer may follow them: there are few, and none of them is ending.
    pub(crate) fn bytes_ahead(&self) -> Option<usize> {
        let may_follow =
            self.in_flight.len() < self.most && self.cancelling.is_none() && !self.is_short;
        may_follow.then(|| self.bytes_in_flight())
    }

    pub(crate) fn bytes_in_flight(&self) -> usize {
        self.in_flight.iter().sum()
    }

    /// Begins a transfer of these parts behind those in flight.
    pub(crate) fn submit(&mut self, parts: &[&[u8]]) {
        self.in_flight
            .push_back(parts.iter().map(|it| it.len()).sum());
        self.out.submit(parts);
    }

    /// Asks all in flight to end.
    pub(crate) fn cancel(&mut self) {
        if self.is_busy() {
            self.out.cancel();
            self.cancelling.get_or_insert(false);
        }
    }

    /// True while those in flight were asked to end and have not.
    pub(crate) fn is_cancelling(&self) -> bool {
        self.cancelling.is_some()
    }

    /// Waits for the end of the oldest transfer in flight; for ever where there is none.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<OutEnd> {
        let Some(&len) = self.in_flight.front() else {
            return Poll::Pending;
        };
        self.out.poll_sent(cx).map(|sent| {
            self.in_flight.pop_front();
            let verdict = self.judge(sent, len);
            OutEnd { sent, len, verdict }
        })
    }

    fn judge(&mut self, sent: Sent, len: usize) -> Result<(), Halt> {
        let is_behind_gap = self.is_short && sent.accepted > 0;
        let has_moved = sent.accepted > 0 || sent.end.is_ok();
        let cancelling = self.cancelling.map(|moved| moved || has_moved);
        let is_last = !self.is_busy();
        self.is_short = !is_last && (self.is_short || sent.accepted < len);
        self.cancelling = cancelling.filter(|_| !is_last);
        match (sent.end, cancelling) {
            _ if is_behind_gap => Err(Halt::Gap),
            (Err(PipeFault::Cancelled), Some(false)) if is_last => Err(Halt::StoodStill),
            (Ok(()), _) | (Err(PipeFault::Cancelled), Some(_)) => Ok(()),
            (Err(fault), _) => Err(Halt::Fault(fault)),
        }
    }

    pub(crate) fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>> {
        self.out.clear_halt()
    }
}
