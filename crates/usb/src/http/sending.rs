//! The caller's side of an exchange: its request on the way to the device.

use tokio::time::Instant;

use super::cable::TaskEnd;
use super::pair::Pair;
use super::pieces::{Piece, Pieces};
use super::request::Request;
use super::stream::Evidence;
use crate::error::UsbError;
use crate::outflow::{Halt, MAX_TRANSFER_BYTES, OutEnd, SHORT_TRANSFER_BYTES};
use crate::pipe::MAX_IN_FLIGHT;
use crate::quirks::Quirks;

/// So much of a request is taken from the caller: what can be in flight at a time.
const MAX_READY_BYTES: usize = MAX_IN_FLIGHT * MAX_TRANSFER_BYTES;

/// So much of a request is held back until it is whole; IPP requests without documents have less than 2 KiB.
const MAX_HELD_BYTES: usize = 16 * 1024;

/// What a caller waits for that the device is not asked for (RFC 9110, section 10.1.1).
const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request under way.
pub(super) struct Sending<'a> {
    quirks: &'a Quirks,
    evidence: Evidence,
    request: Request,
    /// Bytes of the request, as the device gets them, that it has not accepted.
    outgoing: Pieces,
    has_begun: bool,
    is_zlp_due: bool,
    /// No transfer before that.
    not_before: Instant,
    /// Since when the device could have taken something.
    since: Instant,
}

impl<'a> Sending<'a> {
    pub(super) fn new(quirks: &'a Quirks, evidence: Evidence, not_before: Instant) -> Self {
        Self {
            quirks,
            evidence,
            request: Request::new(),
            outgoing: Pieces::default(),
            has_begun: false,
            is_zlp_due: false,
            not_before,
            since: Instant::now(),
        }
    }

    /// True where a byte of it was handed over.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// True where not a byte of it has come from the caller.
    pub(super) fn is_fresh(&self) -> bool {
        self.request.is_fresh()
    }

    /// True where its last byte has come from the caller.
    pub(super) fn is_whole(&self) -> bool {
        self.request.is_whole()
    }

    /// True where the answer will have no body, whatever its header says.
    pub(super) fn is_head(&self) -> bool {
        self.request.is_head()
    }

    /// True where the device accepted all of it.
    pub(super) fn is_sent(&self, pair: &Pair) -> bool {
        self.request.is_whole()
            && self.outgoing.is_empty()
            && !self.is_zlp_due
            && !pair.is_sending()
    }

    /// True where nothing is to be done until the caller writes more.
    pub(super) fn is_settled(&self, pair: &Pair) -> bool {
        !pair.is_sending() && self.sendable(pair, 0) == 0
    }

    /// Takes what the caller wrote, as much as can be in flight; says whether nothing of it is left.
    ///
    /// # Errors
    /// [`UsbError::Request`], [`UsbError::SecondRequest`].
    pub(super) fn take(&mut self, cable: &TaskEnd) -> Result<bool, UsbError> {
        while self.outgoing.len() < MAX_READY_BYTES {
            let Some(piece) = cable.take() else {
                return Ok(true);
            };
            self.request.take(piece, self.quirks, &mut self.outgoing)?;
            if self.request.take_expectation() && !self.request.is_whole() {
                cable.give(Piece::of(GO_ON.to_vec()));
            }
        }
        Ok(false)
    }

    /// The largest transfer that the model bears.
    fn largest(&self) -> usize {
        if self.quirks.send_delay_ms > 0 {
            SHORT_TRANSFER_BYTES
        } else {
            MAX_TRANSFER_BYTES
        }
    }

    /// How many bytes behind those in flight may leave in one transfer.
    ///
    /// Until the request is whole only full packets leave: a short one is a mark to some devices. Behind another transfer
    /// only a full one leaves, or the last: a smaller one would leave without bytes that are about to come.
    fn sendable(&self, pair: &Pair, in_flight: usize) -> usize {
        let ready = self.outgoing.len().saturating_sub(in_flight);
        let len = ready.min(self.largest());
        if self.request.is_whole() {
            return len;
        }
        if !self.has_begun && self.outgoing.len() < MAX_HELD_BYTES {
            return 0;
        }
        if pair.is_sending() && len < self.largest() {
            return 0;
        }
        len.saturating_sub(len.checked_rem(pair.out_packet_len()).unwrap_or_default())
    }

    /// Begins the transfers that are due; false where the caller left before the first one.
    pub(super) fn send(&mut self, pair: &mut Pair, cable: &TaskEnd) -> bool {
        while let Some(in_flight) = pair.bytes_ahead() {
            let len = self.sendable(pair, in_flight);
            let is_zlp = len == 0 && self.is_zlp_due && !pair.is_sending();
            if !self.may_send(pair) || (len == 0 && !is_zlp) {
                break;
            }
            if !cable.hand_over(&self.evidence, len, self.has_begun) {
                return false;
            }
            if !pair.is_sending() {
                self.since = Instant::now();
            }
            pair.send(&self.outgoing.parts(in_flight, len));
            self.has_begun = true;
            let upto = in_flight.saturating_add(len);
            let is_last = self.request.is_whole() && upto == self.outgoing.len();
            let fills = len > 0 && len.checked_rem(pair.out_packet_len()) == Some(0);
            self.is_zlp_due = self.quirks.zlp_send && is_last && fills;
        }
        true
    }

    /// False in the pauses that a model needs.
    fn may_send(&self, pair: &Pair) -> bool {
        let waits_for_pause = self.quirks.send_delay_ms > 0 && pair.is_sending();
        !waits_for_pause && Instant::now() >= self.not_before
    }

    /// Until when the device must have taken something.
    pub(super) fn quiet_at(&self, pair: &Pair) -> Option<Instant> {
        pair.is_sending()
            .then(|| self.since + self.quirks.send_quiet())
    }

    /// When the pause before the next transfer ends.
    pub(super) fn pause_ends_at(&self, pair: &Pair) -> Option<Instant> {
        let is_due = self.sendable(pair, 0) > 0 || self.is_zlp_due;
        (is_due && !pair.is_sending() && self.not_before > Instant::now())
            .then_some(self.not_before)
    }

    /// The device took nothing for too long: asks what is in flight to end.
    ///
    /// # Errors
    /// [`UsbError::TimedOut`] where that was asked before.
    pub(super) fn quiet(&mut self, pair: &mut Pair) -> Result<(), UsbError> {
        if pair.is_cancelling() {
            return Err(Halt::StoodStill.into_error(self.quirks.send_quiet_ms));
        }
        // What of it had moved, its end tells; then it is known whether all stood still.
        pair.cancel_sending();
        self.since = Instant::now();
        Ok(())
    }

    /// Counts what the device took of a transfer.
    pub(super) fn count(&mut self, end: &OutEnd) {
        let accepted = end.sent.accepted;
        self.evidence.accept(accepted, end.len, end.is_in_doubt());
        self.outgoing.consume(accepted);
    }

    /// Notes the end of the oldest transfer.
    ///
    /// # Errors
    /// What the rest of the request is lost by.
    pub(super) fn note(&mut self, end: &OutEnd) -> Result<(), UsbError> {
        self.count(end);
        self.since = Instant::now();
        if let Some(pause) = self.quirks.send_delay(end.len) {
            self.not_before = Instant::now() + pause;
        }
        end.verdict
            .map_err(|halt| halt.into_error(self.quirks.send_quiet_ms))
    }
}
