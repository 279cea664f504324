//! The two pipes of an interface: requests of the host that wait, and bytes that wait for a request.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::description::PACKET_BYTES;
use super::wire::{self, Status, Submit};

/// What an interface takes before whatever stands behind it reads; then it answers NAK. Printers have some kilobytes.
const OUT_ROOM_BYTES: usize = 16 * 1024;

/// What an interface holds for a host that does not ask.
const IN_ROOM_BYTES: usize = 64 * 1024;

/// Bytes on their way to the device.
#[derive(Debug, Default)]
pub(crate) struct OutPipe {
    waiting: VecDeque<OutRequest>,
    taken: BytesMut,
    pub(crate) is_halted: bool,
}

#[derive(Debug)]
struct OutRequest {
    seq: u32,
    rest: Bytes,
    moved: usize,
    /// An empty packet stands behind the bytes, or is all there is.
    zero_packet: bool,
}

/// What became of the bytes that a pipe moved.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) bytes: u64,
    pub(crate) zero_packets: u64,
}

impl OutPipe {
    pub(crate) fn submit(&mut self, submit: Submit) {
        let is_whole = submit.data.len().is_multiple_of(PACKET_BYTES);
        let zero_packet = submit.data.is_empty() || (submit.ends_with_zero_packet && is_whole);
        self.waiting.push_back(OutRequest {
            seq: submit.seq,
            rest: submit.data,
            moved: 0,
            zero_packet,
        });
    }

    /// Takes packets as far as there is room, and no more than `most` bytes; `loses` throws them away.
    pub(crate) fn advance(
        &mut self,
        most: u64,
        loses: bool,
        answers: &mut VecDeque<Bytes>,
    ) -> Moved {
        let mut moved = Moved::default();
        while let Some(front) = self.waiting.front_mut() {
            if self.is_halted {
                answers.push_back(wire::ret_submit(front.seq, Status::Stall, front.moved, &[]));
                self.waiting.pop_front();
                continue;
            }
            let left = usize::try_from(most.saturating_sub(moved.bytes)).unwrap_or(usize::MAX);
            let packet = front.rest.len().min(PACKET_BYTES).min(left);
            let room = OUT_ROOM_BYTES.saturating_sub(self.taken.len());
            if !front.rest.is_empty() && (packet == 0 || packet > room) {
                break;
            }
            let bytes = front.rest.split_to(packet);
            if !loses {
                self.taken.extend_from_slice(&bytes);
            }
            front.moved = front.moved.saturating_add(packet);
            moved.bytes = moved
                .bytes
                .saturating_add(u64::try_from(packet).unwrap_or(u64::MAX));
            if front.rest.is_empty() {
                moved.zero_packets = moved.zero_packets.saturating_add(front.zero_packet.into());
                answers.push_back(wire::ret_submit(
                    front.seq,
                    Status::Success,
                    front.moved,
                    &[],
                ));
                self.waiting.pop_front();
            }
        }
        moved
    }

    /// What stands behind the interface reads.
    pub(crate) fn take(&mut self) -> Bytes {
        self.taken.split().freeze()
    }

    pub(crate) fn has_taken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// The host takes a request back; how many of its bytes had moved, or none where it is not here.
    pub(crate) fn unlink(&mut self, seq: u32) -> Option<Bytes> {
        let at = self.waiting.iter().position(|request| request.seq == seq)?;
        let request = self.waiting.remove(at)?;
        Some(wire::ret_submit(seq, Status::Unlinked, request.moved, &[]))
    }

    pub(crate) fn open_requests(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes that wait in requests.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(|request| request.rest.len()).sum()
    }

    /// The interface begins anew.
    pub(crate) fn restart(&mut self) {
        self.taken.clear();
        self.is_halted = false;
    }
}

/// Bytes on their way to the host.
#[derive(Debug, Default)]
pub(crate) struct InPipe {
    waiting: VecDeque<InRequest>,
    packets: VecDeque<Bytes>,
    pub(crate) is_halted: bool,
}

#[derive(Debug)]
struct InRequest {
    seq: u32,
    len: usize,
    come: BytesMut,
}

impl InPipe {
    pub(crate) fn submit(&mut self, submit: &Submit) {
        self.waiting.push_back(InRequest {
            seq: submit.seq,
            len: submit.len,
            come: BytesMut::new(),
        });
    }

    pub(crate) fn has_room(&self) -> bool {
        self.packets.iter().map(Bytes::len).sum::<usize>() < IN_ROOM_BYTES
    }

    /// What the device says at one time, in packets.
    pub(crate) fn say(&mut self, mut said: Bytes, ends_with_zero_packet: bool) {
        while said.has_remaining() {
            let packet = said.len().min(PACKET_BYTES);
            let is_last = packet == said.len();
            self.packets.push_back(said.split_to(packet));
            if is_last && packet == PACKET_BYTES && ends_with_zero_packet {
                self.packets.push_back(Bytes::new());
            }
        }
    }

    /// Says nothing, as a packet.
    pub(crate) fn say_zero_packet(&mut self) {
        self.packets.push_back(Bytes::new());
    }

    /// Gives packets to requests, no more than `most` bytes; a packet is cut short there and ends its request.
    pub(crate) fn advance(&mut self, most: u64, answers: &mut VecDeque<Bytes>) -> Moved {
        let mut moved = Moved::default();
        while let Some(front) = self.waiting.front_mut() {
            let mut ends = None;
            if self.is_halted {
                ends = Some(Status::Stall);
            } else {
                let left = usize::try_from(most.saturating_sub(moved.bytes)).unwrap_or(usize::MAX);
                let Some(packet) = self.packets.front_mut() else {
                    break;
                };
                if left == 0 && !packet.is_empty() {
                    break;
                }
                let packet_len = packet.len().min(left);
                if packet_len > front.len.saturating_sub(front.come.len()) {
                    ends = Some(Status::Babble);
                } else {
                    front.come.extend_from_slice(&packet.split_to(packet_len));
                    let len = u64::try_from(packet_len).unwrap_or(u64::MAX);
                    moved.bytes = moved.bytes.saturating_add(len);
                    if packet.is_empty() {
                        self.packets.pop_front();
                    }
                    if packet_len < PACKET_BYTES || front.come.len() >= front.len {
                        ends = Some(Status::Success);
                    }
                }
            }
            if let (Some(status), Some(ended)) = (ends, ends.and_then(|_| self.waiting.pop_front()))
            {
                let come = &ended.come;
                answers.push_back(wire::ret_submit(ended.seq, status, come.len(), come));
            }
        }
        moved
    }

    /// As for the other pipe; the bytes that had come go with the answer.
    pub(crate) fn unlink(&mut self, seq: u32) -> Option<Bytes> {
        let at = self.waiting.iter().position(|request| request.seq == seq)?;
        let InRequest { come, .. } = self.waiting.remove(at)?;
        Some(wire::ret_submit(seq, Status::Unlinked, come.len(), &come))
    }

    pub(crate) fn open_requests(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn restart(&mut self) {
        self.packets.clear();
        self.is_halted = false;
    }
}
