//! Carries one request and its answer over one interface, in both directions at once.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroize as _;

use super::cable::TaskEnd;
use super::pair::{Moved, Pair};
use super::pieces::{PIECE_BYTES, Piece};
use super::response::Response;
use super::sending::Sending;
use super::stream::Evidence;
use crate::error::{Doing, UsbError};
use crate::outflow::OutEnd;
use crate::pipe::Received;
use crate::quirks::Quirks;

/// The largest transfer from the device: a scan comes to the caller in steps, and not when much of it is there.
const MAX_ANSWER_TRANSFER_BYTES: usize = PIECE_BYTES;

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
    sending: Sending<'a>,
    response: Response,
    has_leftover: bool,
    /// No transfer from the device before that.
    receive_after: Instant,
    /// Since when the device could have said something.
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
        let sending = Sending::new(quirks, evidence, pair.ready_at);
        Self {
            pair,
            cable,
            quirks,
            sending,
            response: Response::new(),
            has_leftover: false,
            receive_after: now,
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
        // One timer for all that is due, moved with each transfer.
        let mut timer = pin!(sleep_until(Instant::now()));
        let ended = loop {
            if let Some(ended) = self.advance() {
                break ended;
            }
            let due = self.due();
            if let Some((at, _)) = due
                && timer.deadline() != at
            {
                timer.as_mut().reset(at);
            }
            let outcome = tokio::select! {
                moved = self.pair.next() => self.note(moved),
                () = self.cable.changed() => Ok(()),
                () = &mut timer, if due.is_some() => match due {
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
                    if let Moved::Sent(end) = moved {
                        self.sending.count(&end);
                    }
                }
                ended
            }
            Err(error) => lost(ended.result.err().unwrap_or(error)),
        }
    }

    fn stopped(&self) -> Ended {
        self.broken_off(UsbError::Closed)
    }

    /// The end before the whole request was sent: where nothing of it left, nothing is owed.
    fn broken_off(&self, error: UsbError) -> Ended {
        Ended {
            result: Err(error),
            step: if self.sending.has_begun() {
                Step::Lost
            } else {
                Step::Kept
            },
        }
    }

    /// Does everything that can be done without waiting; says where that is the end.
    fn advance(&mut self) -> Option<Ended> {
        let is_all_taken = match self.sending.take(self.cable) {
            Ok(is_all_taken) => is_all_taken,
            Err(error) => return Some(self.broken_off(error)),
        };
        if let Some(ended) = self.abandoned(is_all_taken) {
            return Some(ended);
        }
        if !self.sending.send(self.pair, self.cable) {
            return Some(self.broken_off(UsbError::CutShort));
        }
        self.receive();
        if self.is_sent() && self.response.is_whole() {
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
        self.cable.settle(self.sending.is_settled(self.pair));
        None
    }

    /// The end, where the caller left or shut its side and that leaves nothing to carry on.
    fn abandoned(&mut self, is_all_taken: bool) -> Option<Ended> {
        let caller = self.cable.caller();
        if !(caller.is_gone || caller.is_shut) {
            return None;
        }
        let is_unsent = !self.sending.has_begun() && (caller.is_gone || self.sending.is_fresh());
        if is_unsent || (is_all_taken && !self.sending.is_whole()) {
            return Some(self.broken_off(UsbError::CutShort));
        }
        if caller.is_gone && self.is_sent() && self.unheard.is_none() {
            self.unheard = Some((Instant::now(), 0));
        }
        None
    }

    fn is_sent(&self) -> bool {
        self.sending.is_sent(self.pair)
    }

    /// Begins the next transfer from the device, where one is due and its bytes have room.
    fn receive(&mut self) {
        if !self.sending.has_begun()
            || self.response.is_whole()
            || self.pair.is_receiving()
            || Instant::now() < self.receive_after
        {
            return;
        }
        let len = self.receivable();
        if !self.cable.has_room(len) {
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
        let len = certain.min(MAX_ANSWER_TRANSFER_BYTES);
        len.saturating_sub(len.checked_rem(packet).unwrap_or_default())
            .max(packet)
    }

    /// What will be due first, and when.
    fn due(&self) -> Option<(Instant, Due)> {
        let is_paused = self.receive_after > Instant::now();
        let is_unanswered = self.sending.has_begun() && !self.response.is_whole();
        let is_answer_due = self.is_sent() || !self.response.is_fresh();
        let is_heard = self.pair.is_receiving() || is_paused;
        let quiet = self.sending.quiet_at(self.pair);
        let send = self.sending.pause_ends_at(self.pair);
        let receive = (is_paused && is_unanswered).then_some(self.receive_after);
        let silence =
            (is_answer_due && is_heard && !self.response.is_whole()).then(|| self.silence());
        let drained = self.unheard.map(|(since, _)| since + self.quirks.drain());
        let dues = [
            quiet.map(|at| (at, Due::SendQuiet)),
            send.map(|at| (at, Due::PauseOver)),
            receive.map(|at| (at, Due::PauseOver)),
            silence,
            drained.map(|at| (at, Due::Drained)),
        ];
        dues.into_iter().flatten().min_by_key(|(at, _)| *at)
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
            Due::SendQuiet => self.sending.quiet(self.pair).map_err(lost),
            Due::AnswerQuiet | Due::Drained => Err(lost(self.timed_out())),
            Due::Silence if self.response.ends_with_silence() && self.is_sent() => Err(Ended {
                result: Ok(()),
                step: Step::Doubtful,
            }),
            Due::Silence => Err(lost(UsbError::OutOfStep)),
        }
    }

    fn timed_out(&self) -> UsbError {
        let quiet_ms = if self.unheard.is_some() {
            self.quirks.drain_ms
        } else {
            self.quirks.answer_quiet_ms
        };
        UsbError::TimedOut {
            doing: Doing::Receiving,
            quiet_ms: u64::from(quiet_ms),
        }
    }

    fn note(&mut self, moved: Moved) -> Result<(), Ended> {
        match moved {
            Moved::Sent(end) => self.note_sent(&end),
            Moved::Received(received) => self.note_received(received),
        }
    }

    fn note_sent(&mut self, end: &OutEnd) -> Result<(), Ended> {
        self.sending.note(end).map_err(lost)?;
        if self.is_sent() {
            self.receiving_since = Instant::now();
        }
        Ok(())
    }

    fn note_received(&mut self, received: Received) -> Result<(), Ended> {
        let Received { mut bytes, end } = received;
        if bytes.is_empty() && end.is_ok() {
            self.empty_packets = self.empty_packets.saturating_add(1);
            let pause = EMPTY_PAUSE.saturating_mul(self.empty_packets.saturating_sub(1));
            self.receive_after = Instant::now() + pause.min(MAX_EMPTY_PAUSE);
            return Ok(());
        }
        if !bytes.is_empty() {
            self.empty_packets = 0;
            self.receiving_since = Instant::now();
            let came = bytes.len();
            let taken = match self.response.take(&bytes, self.sending.is_head()) {
                Ok(taken) => taken,
                Err(garbage) => {
                    bytes.zeroize();
                    return Err(lost(UsbError::NotHttp { garbage }));
                }
            };
            let rest = bytes.get_mut(taken..).unwrap_or_default();
            // A line end behind an answer is an old habit and no second answer.
            self.has_leftover |= rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
            rest.zeroize();
            bytes.truncate(taken);
            self.cable.give(Piece::of(bytes));
            self.count_unheard(came)?;
        }
        end.map_err(|fault| lost(fault.while_doing(Doing::Receiving)))
    }

    fn count_unheard(&mut self, len: usize) -> Result<(), Ended> {
        if let Some((_, bytes)) = &mut self.unheard {
            *bytes = bytes.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
            if *bytes > self.quirks.drain_bytes && !self.response.is_whole() {
                return Err(lost(self.timed_out()));
            }
        }
        Ok(())
    }
}
