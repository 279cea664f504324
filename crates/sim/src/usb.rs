//! USB printers without USB: devices of classes 7/1/4 and 7/1/2 behind the USB/IP protocol.
//!
//! ```text
//! kernel (vhci_hcd) ──socket──> wire ──> Device ──pipes──> Port: an IPP printer, a byte sink
//!                                          └── control: descriptors, device id, port status, resets
//! ```
//!
//! `Device` is a plain state machine: requests in, answers out, no clock and no socket; the server carries bytes between it, the
//! socket and what stands behind each interface. Like a real device it answers a bulk request when it can, not when it
//! is asked, so a request that gets no answer (NAK) stays open until the host takes it back.
//!
//! # Source
//! USB 2.0 chapters 5, 8 and 9; USB Printing Class 1.1; IPP over USB 1.0 (section 4); the kernel's description of the
//! USB/IP protocol, version 1.1.1; which alternate settings real devices have: HP's as shown in issues 48 and 72 of ipp-usb.

mod control;
mod description;
mod device;
mod endpoint;
mod faults;
mod port;
mod report;
mod server;
mod wire;

pub use description::{Alternate, Description, Interface, Lie, Protocol};
pub use faults::{ControlFault, Direction, Fault, Heals, PortRequest, Trigger, UsbKnobs};
pub use port::{ByteSink, IppPort, Port, PortFuture, TicketPort};
pub use report::{InterfaceReport, UsbReport};
pub use server::VirtualUsb;
pub use wire::{Command, Refused, Setup, Submit, read_command};
