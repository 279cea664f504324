//! Carries one request and its answer over one interface, in both directions at once.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use zeroize::{Zeroize as _, Zeroizing};

use super::cable::TaskEnd;
use super::pair::{Moved, Pair};
use super::request::Request;
use super::response::Response;
use super::stream::Evidence;
use crate::error::{Doing, UsbError};
use crate::pipe::{PipeFault, Received, Sent};
use crate::quirks::Quirks;

/// The largest transfer. Kernels before 3.3 take no larger one, virtual controllers neither, and a larger one gains
/// nothing measurable at the speed of USB 2.
const MAX_TRANSFER_BYTES: usize = 16 * 1024;

/// So much of a request is held back until it is whole; IPP requests without documents have less than 2 KiB.
const MAX_HELD_BYTES: usize = 16 * 1024;

/// Room for two transfers and the largest header, so that the buffer never grows and leaves copies behind.
const MAX_OUTGOING_BYTES: usize = 64 * 1024;

/// Silence that ends an answer that says no length.
const UNFRAMED_SILENCE: Duration = Duration::from_secs(2);

/// Silence after a packet of no bytes that says that no more will come, for models that do so.
const ZLP_SILENCE: Duration = Duration::from_secs(2);

/// The pause after each further packet of no bytes; a device that sends nothing else must not keep the processor busy.
const EMPTY_PAUSE: Duration = Duration::from_millis(10);

/// The longest such pause.
const MAX_EMPTY_PAUSE: Duration = Duration::from_secs(1);

/// How much the interface can be trusted after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Request and answer were whole: the next exchange may follow.
    Kept,
    /// They were, but something else came too, or nobody said where the answer ends.
    Doubtful,
    /// A part of the request, or the answer, is still owed.
    Lost,
}

/// How an exchange ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) result: Result<(), UsbError>,
    pub(super) step: Step,
}

fn lost(error: UsbError) -> Ended {
    Ended {
        result: Err(error),
        step: Step::Lost,
    }
}

/// What is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The pause before the next transfer ends.
    PauseOver,
    /// The device took nothing for too long.
    SendQuiet,
    /// The device said nothing for too long.
    AnswerQuiet,
    /// Silence ends the answer.
    Silence,
    /// Nobody waits for the answer, and it does not end.
    Drained,
}

/// An exchange under way.
pub(super) struct Exchange<'a> {
    pair: &'a mut Pair,
    cable: &'a TaskEnd,
    quirks: &'a Quirks,
    evidence: Evidence,
    request: Request,
    response: Response,
    /// Bytes of the request that the device has not accepted.
    outgoing: Zeroizing<Vec<u8>>,
    has_begun: bool,
    is_cancelling: bool,
    is_zlp_due: bool,
    has_leftover: bool,
    /// No transfer to the device before that.
    send_after: Instant,
    /// No transfer from the device before that.
    receive_after: Instant,
    /// Since when the device could have taken something, and could have said something.
    sending_since: Instant,
    receiving_since: Instant,
    /// Packets of no bytes in a row.
    empty_packets: u32,
    /// Since when nobody waits for an answer that is due, and how many bytes of it came since.
    unheard: Option<(Instant, u64)>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        pair: &'a mut Pair,
        cable: &'a TaskEnd,
        quirks: &'a Quirks,
        evidence: Evidence,
    ) -> Self {
        let now = Instant::now();
        let send_after = pair.ready_at;
        Self {
            pair,
            cable,
            quirks,
            evidence,
            request: Request::new(),
            response: Response::new(),
            outgoing: Zeroizing::new(Vec::with_capacity(MAX_OUTGOING_BYTES)),
            has_begun: false,
            is_cancelling: false,
            is_zlp_due: false,
            has_leftover: false,
            send_after,
            receive_after: now,
            sending_since: now,
            receiving_since: now,
            empty_packets: 0,
            unheard: None,
        }
    }

    /// Carries it to its end, or to the end of what can be carried.
    ///
    /// # Cancel safety
    /// None: transfers may be left in flight. Ask it to end by `stop`.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Ended {
        let ended = loop {
            if let Some(ended) = self.advance() {
                break ended;
            }
            let due = self.due();
            let at = due.map_or_else(Instant::now, |(at, _)| at);
            let outcome = tokio::select! {
                moved = self.pair.next() => self.note(moved),
                () = self.cable.changed() => Ok(()),
                () = sleep_until(at), if due.is_some() => match due {
                    Some((_, due)) => self.overdue(due),
                    None => Ok(()),
                },
                () = stop.cancelled() => Err(self.stopped()),
            };
            if let Err(ended) = outcome {
                break ended;
            }
        };
        self.rest(ended).await
    }

    /// Ends what is in flight, and counts it.
    async fn rest(mut self, ended: Ended) -> Ended {
        match self.pair.quiesce().await {
            Ok(moved) => {
                for moved in moved {
                    if let Moved::Sent { sent, len } = moved {
                        self.count(sent, len);
                    }
                }
                ended
            }
            Err(error) => lost(ended.result.err().unwrap_or(error)),
        }
    }

    fn stopped(&self) -> Ended {
        Ended {
            result: Err(UsbError::Closed),
            step: if self.has_begun {
                Step::Lost
            } else {
                Step::Kept
            },
        }
    }

    /// Does everything that can be done without waiting; says where that is the end.
    fn advance(&mut self) -> Option<Ended> {
        let is_all_taken = match self.take() {
            Ok(is_all_taken) => is_all_taken,
            Err(error) => {
                return Some(Ended {
                    result: Err(error),
                    step: if self.has_begun {
                        Step::Lost
                    } else {
                        Step::Kept
                    },
                });
            }
        };
        if let Some(ended) = self.abandoned(is_all_taken) {
            return Some(ended);
        }
        if !self.send() {
            return Some(Ended {
                result: Err(UsbError::CutShort),
                step: Step::Kept,
            });
        }
        self.receive();
        let is_sent = self.is_sent();
        if is_sent && self.response.is_whole() {
            let step = if self.has_leftover {
                Step::Doubtful
            } else {
                Step::Kept
            };
            return Some(Ended {
                result: Ok(()),
                step,
            });
        }
        self.cable
            .settle(!self.pair.is_sending() && self.sendable() == 0);
        None
    }

    /// Takes what the caller wrote; says whether nothing of it is left.
    fn take(&mut self) -> Result<bool, UsbError> {
        while self.outgoing.len() < MAX_TRANSFER_BYTES {
            let taken = self.cable.take(MAX_TRANSFER_BYTES);
            if taken.is_empty() {
                return Ok(true);
            }
            self.request.take(&taken, self.quirks, &mut self.outgoing)?;
            if self.request.take_expectation() && !self.request.is_whole() {
                self.cable.give(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
        }
        Ok(false)
    }

    /// The end, where the caller left or shut its side and that leaves nothing to carry on.
    fn abandoned(&mut self, is_all_taken: bool) -> Option<Ended> {
        let caller = self.cable.caller();
        if !(caller.is_gone || caller.is_shut) {
            return None;
        }
        if !self.has_begun && (caller.is_gone || self.request.is_fresh()) {
            return Some(Ended {
                result: Err(UsbError::CutShort),
                step: Step::Kept,
            });
        }
        if is_all_taken && !self.request.is_whole() {
            return Some(Ended {
                result: Err(UsbError::CutShort),
                step: if self.has_begun {
                    Step::Lost
                } else {
                    Step::Kept
                },
            });
        }
        if caller.is_gone && self.is_sent() && self.unheard.is_none() {
            self.unheard = Some((Instant::now(), 0));
        }
        None
    }

    /// True where the device accepted the whole request.
    fn is_sent(&self) -> bool {
        self.request.is_whole()
            && self.outgoing.is_empty()
            && !self.is_zlp_due
            && !self.pair.is_sending()
    }

    /// How many bytes may leave in one transfer.
    ///
    /// Until the request is whole only full packets leave: a short one is a mark to some devices.
    fn sendable(&self) -> usize {
        let len = self.outgoing.len().min(MAX_TRANSFER_BYTES);
        if self.request.is_whole() {
            return len;
        }
        if !self.has_begun && self.outgoing.len() < MAX_HELD_BYTES {
            return 0;
        }
        len.saturating_sub(
            len.checked_rem(self.pair.out_packet_len())
                .unwrap_or_default(),
        )
    }

    /// Begins the next transfer to the device, where one is due; false where the caller left before the first one.
    fn send(&mut self) -> bool {
        let len = self.sendable();
        if self.pair.is_sending()
            || Instant::now() < self.send_after
            || (len == 0 && !self.is_zlp_due)
        {
            return true;
        }
        if !self.cable.hand_over(&self.evidence, len, self.has_begun) {
            return false;
        }
        let bytes = self.outgoing.get(..len).unwrap_or_default();
        self.pair.send(bytes);
        self.has_begun = true;
        self.sending_since = Instant::now();
        let is_last = self.request.is_whole() && len == self.outgoing.len();
        let fills = len > 0 && len.checked_rem(self.pair.out_packet_len()) == Some(0);
        self.is_zlp_due = self.quirks.zlp_send && is_last && fills;
        true
    }

    /// Begins the next transfer from the device, where one is due and its bytes have room.
    fn receive(&mut self) {
        if !self.has_begun
            || self.response.is_whole()
            || self.pair.is_receiving()
            || Instant::now() < self.receive_after
        {
            return;
        }
        let len = self.receivable();
        if self.cable.room() < len {
            return;
        }
        if self.empty_packets == 0 {
            self.receiving_since = Instant::now();
        }
        self.pair.receive(len);
    }

    /// How many bytes to ask for: never more than will come for certain, beyond one packet. So a transfer ends although
    /// the device marks the end of an answer that fills its last packet by nothing.
    fn receivable(&self) -> usize {
        let packet = self.pair.in_packet_len();
        let certain = usize::try_from(self.response.certain()).unwrap_or(usize::MAX);
        let len = certain.min(MAX_TRANSFER_BYTES);
        len.saturating_sub(len.checked_rem(packet).unwrap_or_default())
            .max(packet)
    }

    /// What will be due first, and when.
    fn due(&self) -> Option<(Instant, Due)> {
        let mut dues = Vec::with_capacity(4);
        let now = Instant::now();
        if self.pair.is_sending() {
            dues.push((
                self.sending_since + self.quirks.send_quiet(),
                Due::SendQuiet,
            ));
        } else if self.send_after > now && (self.sendable() > 0 || self.is_zlp_due) {
            dues.push((self.send_after, Due::PauseOver));
        }
        if self.receive_after > now && self.has_begun && !self.response.is_whole() {
            dues.push((self.receive_after, Due::PauseOver));
        }
        let is_answer_due = self.is_sent() || !self.response.is_fresh();
        let is_heard = self.pair.is_receiving() || self.receive_after > now;
        if is_answer_due && is_heard && !self.response.is_whole() {
            dues.push(self.silence());
        }
        if let Some((since, _)) = self.unheard {
            dues.push((since + self.quirks.drain(), Due::Drained));
        }
        dues.into_iter().min_by_key(|(at, _)| *at)
    }

    /// When silence of the device means something, and what.
    fn silence(&self) -> (Instant, Due) {
        let quiet = self.receiving_since + self.quirks.answer_quiet();
        if self.response.ends_with_silence() {
            return (self.receiving_since + UNFRAMED_SILENCE, Due::Silence);
        }
        if self.quirks.zlp_recv && self.empty_packets > 0 && !self.response.is_fresh() {
            return (quiet.min(self.receiving_since + ZLP_SILENCE), Due::Silence);
        }
        (quiet, Due::AnswerQuiet)
    }

    fn overdue(&mut self, due: Due) -> Result<(), Ended> {
        match due {
            Due::PauseOver => Ok(()),
            Due::SendQuiet if self.is_cancelling => Err(lost(self.timed_out(Doing::Sending))),
            Due::SendQuiet => {
                // What of it had moved, the end of the transfer tells; then it is known whether all stood still.
                self.pair.cancel_sending();
                self.is_cancelling = true;
                self.sending_since = Instant::now();
                Ok(())
            }
            Due::AnswerQuiet | Due::Drained => Err(lost(self.timed_out(Doing::Receiving))),
            Due::Silence if self.response.ends_with_silence() && self.is_sent() => Err(Ended {
                result: Ok(()),
                step: Step::Doubtful,
            }),
            Due::Silence => Err(lost(UsbError::OutOfStep)),
        }
    }

    fn timed_out(&self, doing: Doing) -> UsbError {
        let quiet_ms = if doing == Doing::Sending {
            self.quirks.send_quiet_ms
        } else if self.unheard.is_some() {
            self.quirks.drain_ms
        } else {
            self.quirks.answer_quiet_ms
        };
        UsbError::TimedOut {
            doing,
            quiet_ms: u64::from(quiet_ms),
        }
    }

    fn note(&mut self, moved: Moved) -> Result<(), Ended> {
        match moved {
            Moved::Sent { sent, len } => self.note_sent(sent, len),
            Moved::Received(mut received) => {
                let noted = self.note_received(&received);
                received.bytes.zeroize();
                noted
            }
        }
    }

    fn count(&mut self, sent: Sent, len: usize) {
        // A device that is gone may have had more than it could acknowledge.
        let is_lost = !matches!(
            sent.end,
            Ok(()) | Err(PipeFault::Cancelled | PipeFault::Stalled)
        );
        self.evidence.accept(sent.accepted, len, is_lost);
        let accepted = sent.accepted.min(self.outgoing.len());
        self.outgoing.drain(..accepted);
    }

    fn note_sent(&mut self, sent: Sent, len: usize) -> Result<(), Ended> {
        self.count(sent, len);
        let was_cancelling = std::mem::take(&mut self.is_cancelling);
        match sent.end {
            Ok(()) => {}
            Err(PipeFault::Cancelled) if was_cancelling && sent.accepted > 0 => {}
            Err(PipeFault::Cancelled) => return Err(lost(self.timed_out(Doing::Sending))),
            Err(fault) => return Err(lost(fault.while_doing(Doing::Sending))),
        }
        if let Some(pause) = self.quirks.send_delay(len) {
            self.send_after = Instant::now() + pause;
        }
        if self.is_sent() {
            self.receiving_since = Instant::now();
        }
        Ok(())
    }

    fn note_received(&mut self, received: &Received) -> Result<(), Ended> {
        let bytes = &received.bytes;
        if bytes.is_empty() && received.end.is_ok() {
            self.empty_packets = self.empty_packets.saturating_add(1);
            let pause = EMPTY_PAUSE.saturating_mul(self.empty_packets.saturating_sub(1));
            self.receive_after = Instant::now() + pause.min(MAX_EMPTY_PAUSE);
            return Ok(());
        }
        if !bytes.is_empty() {
            self.empty_packets = 0;
            self.receiving_since = Instant::now();
            let taken = self.response.take(bytes, self.request.is_head());
            let taken = taken.map_err(|garbage| lost(UsbError::NotHttp { garbage }))?;
            let (of_answer, rest) = bytes.split_at_checked(taken).unwrap_or((bytes, &[]));
            self.cable.give(of_answer);
            // A line end behind an answer is an old habit and no second answer.
            self.has_leftover |= rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
            self.count_unheard(bytes.len())?;
        }
        received
            .end
            .map_err(|fault| lost(fault.while_doing(Doing::Receiving)))
    }

    fn count_unheard(&mut self, len: usize) -> Result<(), Ended> {
        if let Some((_, bytes)) = &mut self.unheard {
            *bytes = bytes.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
            if *bytes > self.quirks.drain_bytes && !self.response.is_whole() {
                return Err(lost(self.timed_out(Doing::Receiving)));
            }
        }
        Ok(())
    }
}
