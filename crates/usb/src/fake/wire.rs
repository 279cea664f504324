//! The bus between the host and a device in memory.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::control::FakeControl;
use super::{Answer, FakeDevice, InFlight, OutFlight, Said, World};
use crate::pipe::{BulkIn, BulkOut, Claimed, MAX_IN_FLIGHT, PipeFault, PipeFuture, Received, Sent};
use crate::plugged::Place;

impl World {
    /// Moves what can move.
    pub(super) fn run(&mut self) {
        let numbers: Vec<u8> = self.interfaces.keys().copied().collect();
        for number in numbers {
            self.run_out(number);
            self.run_in(number);
        }
        if self.is_gone {
            self.end_all(PipeFault::Unplugged);
        }
    }

    fn end_all(&mut self, fault: PipeFault) {
        for interface in self.interfaces.values_mut() {
            for out in &mut interface.out {
                out.end.get_or_insert(Err(fault));
            }
            if let Some(input) = &mut interface.input {
                input.end.get_or_insert(Err(fault));
            }
        }
    }

    /// Accepts packets while there are some and no fault forbids it.
    fn run_out(&mut self, number: u8) {
        loop {
            let room = self.room();
            let packet_len = self.packet_len;
            let (stall_at, short_at) = self.until_fault();
            let is_gone = self.is_gone;
            let Some(interface) = self.interfaces.get_mut(&number) else {
                return;
            };
            let mut unended = interface.out.iter_mut().filter(|it| it.end.is_none());
            let Some(out) = unended.next().filter(|_| !is_gone) else {
                return;
            };
            if interface.is_out_stalled || stall_at == Some(0) {
                interface.is_out_stalled = true;
                self.faults.stall_out_at = None;
                out.end = Some(Err(PipeFault::Stalled));
                continue;
            }
            if short_at == Some(0) {
                self.faults.short_out_at = None;
                out.end = Some(Ok(()));
                continue;
            }
            let left = out.bytes.len().saturating_sub(out.accepted);
            let len = left
                .min(packet_len)
                .min(room)
                .min(stall_at.unwrap_or(usize::MAX))
                .min(short_at.unwrap_or(usize::MAX));
            if len == 0 && left > 0 {
                return;
            }
            let from = out.accepted;
            out.accepted = out.accepted.saturating_add(len);
            let packet = out
                .bytes
                .get(from..out.accepted)
                .unwrap_or_default()
                .to_vec();
            if out.accepted == out.bytes.len() {
                out.end = Some(Ok(()));
            }
            self.took(number, &packet);
        }
    }

    /// How many bytes there are before a stall, and before a transfer ends short.
    fn until_fault(&self) -> (Option<usize>, Option<usize>) {
        let until = |at: Option<usize>| at.map(|at| at.saturating_sub(self.out_bytes));
        (
            until(self.faults.stall_out_at),
            until(self.faults.short_out_at),
        )
    }

    /// How many more bytes the device takes before a fault.
    fn room(&self) -> usize {
        let left =
            |max: Option<usize>| max.map_or(usize::MAX, |max| max.saturating_sub(self.out_bytes));
        left(self.faults.take_at_most).min(left(self.faults.unplug_after_out))
    }

    fn took(&mut self, number: u8, packet: &[u8]) {
        self.out_bytes = self.out_bytes.saturating_add(packet.len());
        self.received
            .entry(number)
            .or_default()
            .extend_from_slice(packet);
        if let Some(interface) = self.interfaces.get_mut(&number) {
            interface.request.extend_from_slice(packet);
            if let Some(said) = (self.firmware)(number, &interface.request) {
                interface.request.clear();
                self.say(number, said);
            }
        }
        if self.faults.unplug_after_out == Some(self.out_bytes) {
            self.is_gone = true;
        }
    }

    pub(super) fn say(&mut self, number: u8, said: Vec<Said>) {
        let packet_len = self.packet_len;
        let Some(interface) = self.interfaces.get_mut(&number) else {
            return;
        };
        for said in said {
            match said {
                Said::Bytes(bytes) => {
                    interface
                        .packets
                        .extend(bytes.chunks(packet_len).map(<[u8]>::to_vec));
                }
                Said::Packet(packet) => interface.packets.push_back(packet),
                Said::StallIn => interface.is_in_stalled = true,
                Said::StallOut => interface.is_out_stalled = true,
                Said::Unplug => self.is_gone = true,
            }
        }
    }

    /// Gives packets while somebody asks for them.
    fn run_in(&mut self, number: u8) {
        loop {
            let packet_len = self.packet_len;
            let left = self
                .faults
                .unplug_after_in
                .map(|at| at.saturating_sub(self.in_bytes));
            let is_gone = self.is_gone;
            let Some(interface) = self.interfaces.get_mut(&number) else {
                return;
            };
            let Some(input) = interface
                .input
                .as_mut()
                .filter(|it| it.end.is_none() && !is_gone)
            else {
                return;
            };
            let Some(packet) = interface.packets.pop_front() else {
                if interface.is_in_stalled {
                    input.end = Some(Err(PipeFault::Stalled));
                }
                return;
            };
            if left.is_some_and(|left| packet.len() >= left) {
                let cut = packet.get(..left.unwrap_or_default()).unwrap_or_default();
                input.bytes.extend_from_slice(cut);
                self.is_gone = true;
                return;
            }
            input.bytes.extend_from_slice(&packet);
            self.in_bytes = self.in_bytes.saturating_add(packet.len());
            if packet.len() > packet_len || input.bytes.len() > input.len {
                input.end = Some(Err(PipeFault::Broken));
            } else if packet.len() < packet_len || input.bytes.len() == input.len {
                input.end = Some(Ok(()));
            }
        }
    }

    /// SOFT_RESET: buffers are emptied, stalls cleared.
    pub(super) fn reset_softly(&mut self, number: u8, answer: Answer) -> Result<(), PipeFault> {
        if self.is_gone {
            return Err(PipeFault::Unplugged);
        }
        self.log.push(format!("soft-reset {number}"));
        match answer {
            Answer::Refused => return Err(PipeFault::Stalled),
            Answer::Ignored => return Ok(()),
            Answer::Done => {}
        }
        if let Some(interface) = self.interfaces.get_mut(&number) {
            interface.request.clear();
            interface.packets.clear();
            interface.is_in_stalled = false;
            interface.is_out_stalled = false;
        }
        Ok(())
    }
}

/// A claimed interface of a device in memory.
pub(super) fn claimed(device: FakeDevice, place: Place) -> Claimed {
    let hold = Arc::new(Hold {
        device,
        number: place.interface,
    });
    Claimed {
        place,
        out: Box::new(FakeOut(Arc::clone(&hold))),
        input: place.input.map(|_pipe| {
            let input: Box<dyn BulkIn> = Box::new(FakeIn(Arc::clone(&hold)));
            input
        }),
        control: Box::new(FakeControl(hold)),
    }
}

/// Releases the interface when its last part is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) device: FakeDevice,
    pub(super) number: u8,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let number = self.number;
        self.device.change(|world| {
            world.log.push(format!("release {number}"));
            if let Some(interface) = world.interfaces.get_mut(&number) {
                interface.is_claimed = false;
                interface.out.clear();
                interface.input = None;
            }
        });
    }
}

#[derive(Debug)]
struct FakeOut(Arc<Hold>);

impl BulkOut for FakeOut {
    fn submit(&mut self, parts: &[&[u8]]) {
        let bytes = parts.concat();
        let number = self.0.number;
        self.0.device.change(|world| {
            world.transfers.push(bytes.len());
            if let Some(interface) = world.interfaces.get_mut(&number) {
                assert!(
                    interface.out.len() < MAX_IN_FLIGHT,
                    "too many transfers to interface {number} at once"
                );
                interface.out.push_back(OutFlight {
                    bytes,
                    accepted: 0,
                    end: None,
                });
                world.most_in_flight = world.most_in_flight.max(interface.out.len());
            }
        });
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Sent> {
        let mut world = self.0.device.lock();
        let interface = world.interfaces.get_mut(&self.0.number);
        let Some(interface) = interface.filter(|it| !it.out.is_empty()) else {
            return Poll::Ready(Sent {
                accepted: 0,
                end: Ok(()),
            });
        };
        let Some(oldest) = interface.out.pop_front_if(|it| it.end.is_some()) else {
            world.wakers.push(cx.waker().clone());
            return Poll::Pending;
        };
        Poll::Ready(Sent {
            accepted: oldest.accepted,
            end: oldest.end.unwrap_or(Ok(())),
        })
    }

    fn cancel(&mut self) {
        let number = self.0.number;
        self.0.device.change(|world| {
            let interface = world.interfaces.get_mut(&number);
            for out in interface.into_iter().flat_map(|it| &mut it.out) {
                out.end.get_or_insert(Err(PipeFault::Cancelled));
            }
        });
    }

    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>> {
        let number = self.0.number;
        let cleared = self.0.device.change(|world| {
            world.log.push(format!("clear-out {number}"));
            let interface = world.interfaces.get_mut(&number).filter(|_| !world.is_gone);
            interface
                .map(|it| it.is_out_stalled = false)
                .ok_or(PipeFault::Unplugged)
        });
        Box::pin(async move { cleared })
    }
}

#[derive(Debug)]
struct FakeIn(Arc<Hold>);

impl BulkIn for FakeIn {
    fn submit(&mut self, len: usize) {
        let number = self.0.number;
        self.0.device.change(|world| {
            let packet_len = world.packet_len;
            assert!(
                len > 0 && len.is_multiple_of(packet_len),
                "a transfer of {len} bytes in packets of {packet_len}"
            );
            if let Some(interface) = world.interfaces.get_mut(&number) {
                assert!(
                    interface.input.is_none(),
                    "two transfers from interface {number} at once"
                );
                interface.input = Some(InFlight {
                    len,
                    bytes: Vec::new(),
                    end: None,
                });
            }
        });
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let mut world = self.0.device.lock();
        let interface = world.interfaces.get_mut(&self.0.number);
        let Some(interface) = interface.filter(|it| it.input.is_some()) else {
            return Poll::Ready(Received {
                bytes: Vec::new(),
                end: Ok(()),
            });
        };
        match &mut interface.input {
            Some(InFlight {
                bytes,
                end: Some(end),
                ..
            }) => {
                let received = Received {
                    bytes: std::mem::take(bytes),
                    end: *end,
                };
                interface.input = None;
                Poll::Ready(received)
            }
            _ => {
                world.wakers.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn cancel(&mut self) {
        let number = self.0.number;
        self.0.device.change(|world| {
            let interface = world.interfaces.get_mut(&number);
            if let Some(input) = interface.and_then(|it| it.input.as_mut()) {
                input.end.get_or_insert(Err(PipeFault::Cancelled));
            }
        });
    }

    fn clear_halt(&mut self) -> PipeFuture<'_, Result<(), PipeFault>> {
        let number = self.0.number;
        let cleared = self.0.device.change(|world| {
            world.log.push(format!("clear-in {number}"));
            let interface = world.interfaces.get_mut(&number).filter(|_| !world.is_gone);
            interface
                .map(|it| it.is_in_stalled = false)
                .ok_or(PipeFault::Unplugged)
        });
        Box::pin(async move { cleared })
    }
}
