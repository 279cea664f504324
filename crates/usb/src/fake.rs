//! A device in memory, with faults to turn on, and a bus that it is plugged into: for the tests of this crate and of those that build on it.
//!
//! It takes and gives packets as a device on a bus does: nothing is accepted that it has no room for, nothing is said that
//! nobody asked for, what is in flight when it is plugged out is lost, and a reset forgets everything. Time plays no part in
//! it, so that it can be used under a clock that stands still.

mod bus;
mod control;
mod http;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::Notify;

use crate::error::{Doing, UsbError};
use crate::identity::{Identity, Model, PortPath};
use crate::pipe::{Claimed, Device, PipeFuture};
use crate::plugged::{Capabilities, Function, FunctionKind, Pipe, Place, Plugged};

pub use bus::{BusState, FakeBus};
pub use http::{ok, whole_request};

const OUT_ADDRESS: u8 = 0x01;
const IN_ADDRESS: u8 = 0x81;

/// What firmware says to what it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// These bytes, in full packets and one short one; no packet of no bytes behind them.
    Bytes(Vec<u8>),
    /// One packet, of no bytes too.
    Packet(Vec<u8>),
    /// STALL on the IN endpoint, until it is cleared.
    StallIn,
    /// STALL on the OUT endpoint, until it is cleared.
    StallOut,
    /// The device is gone.
    Unplug,
}

/// What a device does with the bytes of an interface since its last answer; nothing where it waits for more.
pub type Firmware = Box<dyn FnMut(u8, &[u8]) -> Option<Vec<Said>> + Send>;

/// How a device answers a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As it should.
    Done,
    /// With STALL; for a hard reset, it does not come back.
    Refused,
    /// It says that it did, and did not.
    Ignored,
}

/// Faults; each may be turned at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// Plugged out once it accepted so many bytes in all.
    pub unplug_after_out: Option<usize>,
    /// Plugged out once it gave so many bytes in all.
    pub unplug_after_in: Option<usize>,
    /// Takes no byte beyond so many in all (NAK).
    pub take_at_most: Option<usize>,
    /// STALL instead of the byte after so many in all.
    pub stall_out_at: Option<usize>,
    /// The transfer that moves ends after so many bytes in all, as if it were whole; the next one moves on.
    pub short_out_at: Option<usize>,
    /// Another program holds its interfaces.
    pub is_busy: bool,
    /// How SOFT_RESET to the interface is answered.
    pub soft_reset: Answer,
    /// How SOFT_RESET to "other" is answered.
    pub soft_reset_to_other: Answer,
    /// How a reset of the device ends.
    pub hard_reset: Answer,
    /// The answer to GET_DEVICE_ID.
    pub device_id: Option<Vec<u8>>,
    /// The answer to GET_PORT_STATUS.
    pub port_status: Option<u8>,
}

impl Default for Faults {
    /// No fault, a device id and a status of a printer at rest.
    fn default() -> Self {
        Self {
            unplug_after_out: None,
            unplug_after_in: None,
            take_at_most: None,
            stall_out_at: None,
            short_out_at: None,
            is_busy: false,
            soft_reset: Answer::Done,
            soft_reset_to_other: Answer::Refused,
            hard_reset: Answer::Done,
            device_id: Some(b"\0\x1dMFG:Example;MDL:Ticket One;".to_vec()),
            port_status: Some(0x18),
        }
    }
}

/// A transfer to the device in flight.
#[derive(Debug)]
struct OutFlight {
    bytes: Vec<u8>,
    accepted: usize,
    end: Option<Result<(), crate::pipe::PipeFault>>,
}

/// A transfer from the device in flight.
#[derive(Debug)]
struct InFlight {
    len: usize,
    bytes: Vec<u8>,
    end: Option<Result<(), crate::pipe::PipeFault>>,
}

#[derive(Debug, Default)]
struct Interface {
    /// Bytes since the last answer.
    request: Vec<u8>,
    packets: VecDeque<Vec<u8>>,
    is_out_stalled: bool,
    is_in_stalled: bool,
    out: VecDeque<OutFlight>,
    input: Option<InFlight>,
    is_claimed: bool,
}

struct World {
    interfaces: BTreeMap<u8, Interface>,
    packet_len: usize,
    faults: Faults,
    firmware: Firmware,
    is_gone: bool,
    out_bytes: usize,
    in_bytes: usize,
    received: BTreeMap<u8, Vec<u8>>,
    transfers: Vec<usize>,
    most_in_flight: usize,
    log: Vec<String>,
    wakers: Vec<Waker>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("interfaces", &self.interfaces)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

/// A device in memory; clones are the same device.
#[derive(Debug, Clone)]
pub struct FakeDevice {
    shared: Arc<Shared>,
    kind: FunctionKind,
    packet_len: usize,
}

impl FakeDevice {
    /// A device with so many interfaces of this kind, with packets of this length.
    #[must_use]
    pub fn new(kind: FunctionKind, interfaces: u8, packet_len: usize, firmware: Firmware) -> Self {
        let world = World {
            interfaces: (0..interfaces)
                .map(|it| (it, Interface::default()))
                .collect(),
            packet_len,
            faults: Faults::default(),
            firmware,
            is_gone: false,
            out_bytes: 0,
            in_bytes: 0,
            received: BTreeMap::new(),
            transfers: Vec::new(),
            most_in_flight: 0,
            log: Vec::new(),
            wakers: Vec::new(),
        };
        let shared = Shared {
            world: Mutex::new(world),
            changed: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
            kind,
            packet_len,
        }
    }

    /// HTTP over USB that answers each whole request by what `answer` makes of it.
    #[must_use]
    pub fn http(
        interfaces: u8,
        packet_len: usize,
        mut answer: impl FnMut(&[u8]) -> Vec<Said> + Send + 'static,
    ) -> Self {
        let firmware =
            move |_interface: u8, bytes: &[u8]| whole_request(bytes).then(|| answer(bytes));
        Self::new(
            FunctionKind::IppUsb,
            interfaces,
            packet_len,
            Box::new(firmware),
        )
    }

    /// As an opened device.
    #[must_use]
    pub fn opened(&self) -> Arc<dyn Device> {
        Arc::new(self.clone())
    }

    /// As its descriptors show it.
    #[must_use]
    pub fn function(&self) -> Function {
        let world = self.lock();
        let places = world.interfaces.keys().map(|interface| Place {
            interface: *interface,
            setting: 1,
            out: Pipe {
                address: OUT_ADDRESS,
                packet_len: self.packet_len,
            },
            input: Some(Pipe {
                address: IN_ADDRESS,
                packet_len: self.packet_len,
            }),
        });
        Function {
            kind: self.kind,
            places: places.collect(),
            capabilities: Capabilities::default(),
        }
    }

    /// As a list shows it, at port `port` of bus 1.
    ///
    /// # Panics
    /// For port 0.
    #[must_use]
    pub fn plugged(&self, serial: Option<&str>, port: u8) -> Plugged {
        let Some(port) = PortPath::new(1, &[port]) else {
            panic!("a bus has no port 0");
        };
        Plugged {
            identity: Identity {
                model: Model {
                    vendor: 0x1209,
                    product: 0x0001,
                },
                serial: serial.map(str::to_owned),
                port,
            },
            number: 7,
            manufacturer: Some("Example".to_owned()),
            product: Some("Printer".to_owned()),
            functions: vec![self.function()],
            fault: None,
        }
    }

    /// Turns faults on or off.
    pub fn turn(&self, turn: impl FnOnce(&mut Faults)) {
        self.change(|world| turn(&mut world.faults));
    }

    /// Lets the device say something of itself.
    pub fn say(&self, interface: u8, said: Vec<Said>) {
        self.change(|world| world.say(interface, said));
    }

    /// Plugs it out.
    pub fn unplug(&self) {
        self.change(|world| world.is_gone = true);
    }

    /// Every byte that an interface accepted, over all resets.
    #[must_use]
    pub fn received(&self, interface: u8) -> Vec<u8> {
        self.lock()
            .received
            .get(&interface)
            .cloned()
            .unwrap_or_default()
    }

    /// How many bytes all interfaces accepted.
    #[must_use]
    pub fn accepted_bytes(&self) -> usize {
        self.lock().out_bytes
    }

    /// The lengths of all transfers to the device, in their order.
    #[must_use]
    pub fn transfers(&self) -> Vec<usize> {
        self.lock().transfers.clone()
    }

    /// How many transfers to one interface were in flight at a time, at most.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.lock().most_in_flight
    }

    /// Claims, releases, resets and cleared stalls, in their order: `claim 0`, `release 0`, `soft-reset 0`, `hard-reset`,
    /// `clear-out 0`, `clear-in 0`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    /// Waits until `holds` of the device; tests put a deadline around it.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.shared
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the world, lets it run, and tells everybody.
    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let (changed, wakers) = {
            let mut world = self.lock();
            let changed = change(&mut world);
            world.run();
            (changed, std::mem::take(&mut world.wakers))
        };
        wakers.into_iter().for_each(Waker::wake);
        self.shared.changed.notify_waiters();
        changed
    }

    fn claim_now(&self, place: Place) -> Result<(), UsbError> {
        let doing = Doing::Claiming;
        self.change(|world| {
            if world.is_gone {
                return Err(UsbError::Unplugged { doing });
            }
            let is_busy = world.faults.is_busy;
            let Some(interface) = world.interfaces.get_mut(&place.interface) else {
                return Err(UsbError::System { doing, os: 2 });
            };
            if is_busy || interface.is_claimed {
                return Err(UsbError::Busy { doing });
            }
            interface.is_claimed = true;
            world.log.push(format!("claim {}", place.interface));
            Ok(())
        })
    }

    fn reset_now(&self) -> Result<(), UsbError> {
        let doing = Doing::HardReset;
        self.change(|world| {
            if world.is_gone {
                return Err(UsbError::Unplugged { doing });
            }
            // The kernel would take the interfaces away under whoever holds them.
            if world.interfaces.values().any(|it| it.is_claimed) {
                return Err(UsbError::Busy { doing });
            }
            world.log.push("hard-reset".to_owned());
            match world.faults.hard_reset {
                Answer::Refused => {
                    world.is_gone = true;
                    return Err(UsbError::Unplugged { doing });
                }
                Answer::Ignored => return Ok(()),
                Answer::Done => {}
            }
            for interface in world.interfaces.values_mut() {
                *interface = Interface::default();
            }
            Ok(())
        })
    }
}

impl Device for FakeDevice {
    fn claim(&self, place: Place) -> PipeFuture<'_, Result<Claimed, UsbError>> {
        Box::pin(async move {
            self.claim_now(place)?;
            Ok(wire::claimed(self.clone(), place))
        })
    }

    fn reset(&self) -> PipeFuture<'_, Result<Arc<dyn Device>, UsbError>> {
        Box::pin(async {
            self.reset_now()?;
            Ok(self.opened())
        })
    }
}

/// So many bytes, of which no place looks like another: what is lost or comes twice shows.
#[cfg(test)]
pub(crate) fn counted(len: usize) -> Vec<u8> {
    let digits = (0_u32..).flat_map(|number| format!("{number},").into_bytes());
    digits.take(len).collect()
}
