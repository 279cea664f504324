//! What can go wrong between a caller and a USB device, told apart by what the caller can do.

use std::{fmt, io};

use crate::descriptor::DescriptorFault;
use crate::plugged::FunctionKind;

/// Names what the crate was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// Reading the list of devices.
    Listing,
    /// Opening the device.
    Opening,
    /// Taking an interface from the kernel's driver, or selecting its setting.
    Claiming,
    /// Sending to the device.
    Sending,
    /// Waiting for bytes of the device.
    Receiving,
    /// Asking for the IEEE 1284 device id.
    AskingDeviceId,
    /// Asking for the port status.
    AskingPortStatus,
    /// The soft reset of the printer class.
    SoftReset,
    /// The reset of the whole device.
    HardReset,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listing => "list the USB devices",
            Self::Opening => "open the USB device",
            Self::Claiming => "claim the USB interface",
            Self::Sending => "send to the USB device",
            Self::Receiving => "hear from the USB device",
            Self::AskingDeviceId => "ask the USB printer for its device id",
            Self::AskingPortStatus => "ask the USB printer for its port status",
            Self::SoftReset => "reset the USB interface",
            Self::HardReset => "reset the USB device",
        })
    }
}

/// Says why bytes are no HTTP/1.1 message that can be followed to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// The first line is no status line or request line of HTTP/1.0 or HTTP/1.1.
    #[error("its first line is not of HTTP/1")]
    FirstLine,
    /// A line of the header has no name, no colon, or bytes that no header has.
    #[error("a header line is broken")]
    HeaderLine,
    /// The header, or the trailer, is larger than the bound.
    #[error("its header is larger than {0} bytes")]
    HeaderTooLarge(usize),
    /// Lengths contradict each other, or are no numbers.
    #[error("its length is not a number, or said twice")]
    Length,
    /// The chunks of a chunked body are broken.
    #[error("its chunks are broken")]
    Chunk,
    /// A status that has no place in this exchange (101).
    #[error("its status has no place here: {0}")]
    Status(u16),
    /// More interim answers (1xx) than the bound.
    #[error("it has more than {0} interim answers")]
    TooManyInterim(usize),
}

/// Says what failed, in terms of what the caller can do about it.
///
/// ```text
/// NotThere, Ambiguous, NoFunction, BadDescriptor   nothing was opened
/// Denied, Busy                                     nothing was sent
/// Unplugged, TimedOut, Stalled, Fault, System      ask the evidence how much had left
/// NotHttp, OutOfStep, CutShort                     the same; the interface is reset before it serves again
/// Request                                          the caller's own request cannot be sent
/// Closed                                           the pool was closed
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsbError {
    /// No such device is plugged in.
    #[error("find the USB device {address}{}", Instead(.instead))]
    NotThere {
        /// The address asked for.
        address: String,
        /// Devices of the same model that are there, by their full addresses.
        instead: Vec<String>,
    },
    /// The address fits several devices.
    #[error("choose between {} for {address}", .candidates.join(" and "))]
    Ambiguous {
        /// The address asked for.
        address: String,
        /// Full addresses, of which one must be written instead.
        candidates: Vec<String>,
    },
    /// The device has no interface of this kind.
    #[error("use the USB device {device} for {wanted}: it has no such interface")]
    NoFunction {
        /// The device's address.
        device: String,
        /// What was asked of it.
        wanted: FunctionKind,
    },
    /// What the device says of itself cannot be.
    #[error("use the USB device {device}: {fault}")]
    BadDescriptor {
        /// The device's address.
        device: String,
        /// What is wrong.
        fault: DescriptorFault,
    },
    /// The operating system does not let this user do it.
    #[error("{doing}: no permission")]
    Denied {
        /// What was being done.
        doing: Doing,
    },
    /// Another program holds the interface or the device.
    #[error("{doing}: another program holds it")]
    Busy {
        /// What was being done.
        doing: Doing,
    },
    /// The device is gone.
    #[error("{doing}: it was unplugged")]
    Unplugged {
        /// What was being done.
        doing: Doing,
    },
    /// The device refused with a STALL.
    #[error("{doing}: it stalled")]
    Stalled {
        /// What was being done.
        doing: Doing,
    },
    /// The device said and took nothing for as long as the bound.
    #[error("{doing}: nothing moved for {quiet_ms} ms")]
    TimedOut {
        /// What was being done.
        doing: Doing,
        /// How long nothing moved.
        quiet_ms: u64,
    },
    /// The bus reported a broken transfer (CRC, babble, protocol).
    #[error("{doing}: the transfer was broken")]
    Fault {
        /// What was being done.
        doing: Doing,
    },
    /// The operating system failed in another way.
    #[error("{doing}: system error {os}")]
    System {
        /// What was being done.
        doing: Doing,
        /// Its error number, 0 where it has none.
        os: u32,
    },
    /// The device answers with something that is not HTTP/1.
    #[error("read the answer of the USB device: {garbage}")]
    NotHttp {
        /// What is wrong with it.
        garbage: Garbage,
    },
    /// The device's answer ended before its announced end.
    #[error("read the whole answer of the USB device")]
    OutOfStep,
    /// The caller went away, or shut its side, before its request was whole.
    #[error("send a whole request to the USB device")]
    CutShort,
    /// The caller's bytes are no request that one exchange can carry; no byte of it left, or no more of it will.
    #[error("send the request: {garbage}")]
    Request {
        /// What is wrong with it.
        garbage: Garbage,
    },
    /// The caller wrote more than one request into a stream that carries one.
    #[error("send a second request over a stream of one exchange")]
    SecondRequest,
    /// The pool was closed.
    #[error("use a USB device that was closed")]
    Closed,
}

impl UsbError {
    /// A stable word for logs, metrics and tables of sentences.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::NotThere { .. } => "usb-not-there",
            Self::Ambiguous { .. } => "usb-ambiguous",
            Self::NoFunction { .. } => "usb-no-such-interface",
            Self::BadDescriptor { .. } => "usb-bad-descriptor",
            Self::Denied { .. } => "usb-denied",
            Self::Busy { .. } => "usb-busy",
            Self::Unplugged { .. } => "usb-unplugged",
            Self::Stalled { .. } => "usb-stalled",
            Self::TimedOut { .. } => "usb-timed-out",
            Self::Fault { .. } => "usb-broken-transfer",
            Self::System { .. } => "usb-system",
            Self::NotHttp { .. } => "usb-not-http",
            Self::OutOfStep => "usb-out-of-step",
            Self::CutShort => "usb-cut-short",
            Self::Request { .. } => "usb-request",
            Self::SecondRequest => "usb-second-request",
            Self::Closed => "usb-closed",
        }
    }

    /// What helps, for whoever looks after the machine.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotThere { .. } => {
                "plug the device in and switch it on, or correct its address in the settings"
            }
            Self::Ambiguous { .. } => "write one of the full addresses into the settings",
            Self::NoFunction { .. } => {
                "switch IPP over USB on in the device's menu, or address it as a raw printer"
            }
            Self::BadDescriptor { .. } => {
                "update the device's firmware, or use it over the network"
            }
            Self::Denied { .. } => "give the user access to the device by a udev rule",
            Self::Busy { .. } => {
                "stop the other program that uses the device (ipp-usb, CUPS, a scanner program)"
            }
            Self::Unplugged { .. } => {
                "plug the device in again, by another cable where it happens often"
            }
            Self::Stalled { .. } | Self::TimedOut { .. } => {
                "look at the device's panel for paper, jams and open covers, then switch it off and on"
            }
            Self::Fault { .. } => "use another cable or another port, without a hub in between",
            Self::System { .. } => "look for messages of the kernel about this device",
            Self::NotHttp { .. } | Self::OutOfStep => {
                "switch the device off and on; where it comes back, its firmware needs a quirk or an update"
            }
            Self::CutShort => "nothing to do: the device is reset before it is used again",
            Self::Request { .. } | Self::SecondRequest => {
                "report it: the program wrote a request that cannot be sent"
            }
            Self::Closed => "open the device again",
        }
    }

    /// True where the device, or the way to it, is gone for this opening: list, find and open it anew.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Unplugged { .. } | Self::Closed | Self::NotThere { .. }
        )
    }

    /// The error of this crate inside an error of a stream, where there is one.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<UsbError> for io::Error {
    fn from(error: UsbError) -> Self {
        let kind = match &error {
            UsbError::NotThere { .. } => io::ErrorKind::NotFound,
            UsbError::Ambiguous { .. }
            | UsbError::NoFunction { .. }
            | UsbError::Request { .. }
            | UsbError::SecondRequest => io::ErrorKind::InvalidInput,
            UsbError::BadDescriptor { .. } | UsbError::NotHttp { .. } => io::ErrorKind::InvalidData,
            UsbError::Denied { .. } => io::ErrorKind::PermissionDenied,
            UsbError::Busy { .. } => io::ErrorKind::ResourceBusy,
            UsbError::Unplugged { .. } => io::ErrorKind::ConnectionAborted,
            UsbError::Stalled { .. } => io::ErrorKind::ConnectionReset,
            UsbError::TimedOut { .. } => io::ErrorKind::TimedOut,
            UsbError::OutOfStep => io::ErrorKind::UnexpectedEof,
            UsbError::CutShort => io::ErrorKind::BrokenPipe,
            UsbError::Closed => io::ErrorKind::NotConnected,
            UsbError::Fault { .. } | UsbError::System { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Writes which devices of the same model are there.
struct Instead<'a>(&'a [String]);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "; of that model there is {}", self.0.join(" and "))
    }
}
