//! What goes wrong with a virtual USB device, and where.

use std::collections::BTreeMap;
use std::time::Duration;

/// The way bytes go, as the host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the device.
    Out,
    /// From the device.
    In,
}

/// What happens to an interface once so many bytes went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The cable is pulled.
    Unplug,
    /// The endpoint halts until the host clears that.
    Stall,
    /// The interface answers nothing (NAK), in both directions, until it is healed ([`Heals`]).
    Silence,
    /// The rest is lost: what the host sends is taken and thrown away, what the device says ends in the middle with a
    /// short packet. It lasts until the interface is healed.
    Cut,
}

/// A fault that waits for its byte. It fires once, as soon as so many bytes went by since it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// The interface's number.
    pub interface: u8,
    /// The way whose bytes are counted.
    pub direction: Direction,
    /// Fires right behind this many bytes; at once for 0.
    pub after_bytes: u64,
    /// What happens then.
    pub fault: Fault,
}

/// The least that heals an interface which is silent or loses bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Heals {
    /// SOFT_RESET of the printer class, or choosing an alternate setting.
    #[default]
    Interface,
    /// A reset of the whole device, after which the host sets its configuration again.
    Device,
    /// Pulling the plug.
    Replug,
}

/// A request of control endpoint 0 that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortRequest {
    /// `GET_DEVICE_ID`.
    DeviceId,
    /// `GET_PORT_STATUS`.
    PortStatus,
    /// `SOFT_RESET`.
    SoftReset,
    /// `SET_INTERFACE`.
    SetInterface,
    /// `CLEAR_FEATURE(ENDPOINT_HALT)`.
    ClearHalt,
    /// `GET_DESCRIPTOR` of a string.
    StringDescriptor,
}

/// How a request of the control endpoint goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlFault {
    /// It is refused.
    Stall,
    /// It is never answered.
    Silence,
    /// It is answered with one byte of what was asked for.
    OneByte,
}

/// Selected, no error, paper: what printers say that have nothing to say (measured: the kernel's printer gadget).
const PORT_STATUS_READY: u8 = 0x18;

/// The faults of a virtual device that have no place; the defaults are a device without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbKnobs {
    /// What `GET_PORT_STATUS` says: 0x20 paper empty, 0x10 selected, 0x08 no error.
    pub port_status: u8,
    /// Requests of the control endpoint that go wrong.
    pub control: BTreeMap<PortRequest, ControlFault>,
    /// What heals an interface.
    pub heals: Heals,
    /// False: what the host sends stays in the interfaces' buffers until these are full.
    pub reads: bool,
    /// False: what the device says and fills whole packets ends without an empty one, as some devices do, so that the
    /// host cannot tell that it ended.
    pub ends_with_zero_packet: bool,
    /// So many empty packets come before anything that the device says.
    pub stray_zero_packets: u8,
    /// The device takes so long for each answer.
    pub pace: Duration,
}

impl Default for UsbKnobs {
    fn default() -> Self {
        Self {
            port_status: PORT_STATUS_READY,
            control: BTreeMap::new(),
            heals: Heals::default(),
            reads: true,
            ends_with_zero_packet: true,
            stray_zero_packets: 0,
            pace: Duration::ZERO,
        }
    }
}
