//! Reaches printers and scanners over USB: which are plugged in, HTTP over class 7/1/4, raw bytes over class 7/1/1 and 7/1/2.
//!
//! Pure Rust on usbfs: no libusb, no proxy on a port, no CUPS, no Avahi. Linux alone.
//!
//! ```text
//! watch, list ──► Plugged ──► open_http ──► HttpPool::dial ──► HttpStream   one request, one answer
//!                    │
//! DeviceAddress ─────┘  ────► open_raw  ──► RawPrinter                      bytes out, status bytes in
//! ```
//!
//! The kernel's driver (usblp) is detached from an interface while it is claimed, and comes back after it.
//!
//! What moves bytes stands behind the traits of [`pipe`]; with the feature `fake` a device in memory with faults to turn
//! on stands there too, so that whoever builds on this crate can test without hardware.
//!
//! # Source
//! USB 2.0; USB Printer Class 1.1; IPP over USB 1.0; RFC 9112 (HTTP/1.1).

#[cfg(not(target_os = "linux"))]
compile_error!("loket-usb reads sysfs and speaks to usbfs: it is for Linux");

mod address;
mod class;
mod descriptor;
mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod http;
mod identity;
mod native;
mod open;
mod outflow;
pub mod pipe;
mod plugged;
mod quirks;
mod raw;
mod watch;

pub use address::{AddressFault, DeviceAddress};
pub use descriptor::{DescriptorFault, Functions, functions};
pub use error::{Doing, Garbage, UsbError};
pub use http::{Evidence, HttpPool, HttpStream};
pub use identity::{Identity, Model, PortPath};
pub use open::{find, list, open_http, open_raw};
pub use plugged::{Capabilities, Function, FunctionKind, Pipe, Place, Plugged};
pub use quirks::{HeaderFault, Headers, Host, InitReset, Quirks, Resync, SoftResetTo};
pub use raw::{DeviceId, PortStatus, RawPrinter, WriteError};
pub use watch::{Event, Watch, changes, watch};

/// Its code is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
