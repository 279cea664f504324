//! Why a printer cannot be used, as keywords that the protocol has words for (`crates/wire/src/device_reason.rs`).
//!
//! They stand beside printer-state-reasons of IPP in a device report; RFC 8011 has none of these names.

use std::io::{Error, ErrorKind};

use loket_ipp_printer::{Garbage, IppError};
use loket_usb::UsbError;

use super::DeviceFault;

impl DeviceFault {
    /// The keyword: what stands between this machine and the printer.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Wait(error) | Self::Unclear(error) | Self::Refused(error) => reason_of(error),
        }
    }

    /// True where the printer itself answered in IPP, and said no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Wait(error) | Self::Unclear(error) | Self::Refused(error) => {
                error.status().is_some()
            }
        }
    }
}

fn reason_of(error: &IppError) -> String {
    let keyword = match error {
        IppError::Pin { .. } => "certificate-mismatch",
        IppError::Tls { .. } => "tls-failed",
        IppError::UnknownHost { .. } => "name-unknown",
        IppError::NotReached { source } => of_stream(source, "not-reached"),
        IppError::Lost { source, .. } => of_stream(source, "connection-lost"),
        IppError::NotIpp {
            garbage: Garbage::HttpStatus(status),
            ..
        } => return format!("http-{status}"),
        IppError::NotIpp { .. } => "not-ipp",
        IppError::Refused { .. } if error.is_temporary() => "busy",
        IppError::Refused { status, .. } => return format!("ipp-0x{status:04x}"),
        IppError::BadUri { .. } | IppError::BadRequest { .. } => "address-invalid",
    };
    keyword.to_owned()
}

/// The keyword of an error of the byte stream, or the one that says where it happened.
fn of_stream(error: &Error, otherwise: &'static str) -> &'static str {
    if let Some(usb) = UsbError::within(error) {
        return usb.keyword();
    }
    let is = |kind| error.kind() == kind;
    if is(ErrorKind::ConnectionRefused) {
        "connection-refused"
    } else if is(ErrorKind::TimedOut) {
        "timed-out"
    } else if is(ErrorKind::HostUnreachable) || is(ErrorKind::NetworkUnreachable) {
        "no-route"
    } else {
        otherwise
    }
}

/// What a printer says, in so many characters at most.
pub(super) fn cut(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use loket_ipp_printer::Operation;

    use super::*;

    #[test]
    fn each_way_to_fail_has_its_keyword() {
        let operation = Operation::GetPrinterAttributes;
        let not_reached = |kind| IppError::NotReached {
            source: Error::from(kind),
        };
        let lost = |kind| IppError::Lost {
            operation,
            sent_bytes: 0,
            source: Error::from(kind),
        };
        let not_ipp = |garbage| IppError::NotIpp {
            operation,
            sent_bytes: 0,
            garbage,
        };
        let refused = |status| IppError::Refused { operation, status };
        let presented = "00".to_owned();
        for (error, keyword) in [
            (IppError::Pin { presented }, "certificate-mismatch"),
            (
                not_reached(ErrorKind::ConnectionRefused),
                "connection-refused",
            ),
            (not_reached(ErrorKind::TimedOut), "timed-out"),
            (not_reached(ErrorKind::HostUnreachable), "no-route"),
            (not_reached(ErrorKind::NotConnected), "not-reached"),
            (lost(ErrorKind::TimedOut), "timed-out"),
            (
                IppError::NotReached {
                    source: UsbError::Closed.into(),
                },
                "usb-closed",
            ),
            (lost(ErrorKind::UnexpectedEof), "connection-lost"),
            (not_ipp(Garbage::HttpStatus(404)), "http-404"),
            (not_ipp(Garbage::RequestId), "not-ipp"),
            (refused(0x0502), "busy"),
            (refused(0x0507), "busy"),
            (refused(0x0401), "ipp-0x0401"),
        ] {
            assert_eq!(reason_of(&error), keyword, "{error}");
        }
    }

    #[test]
    fn what_a_printer_says_at_length_is_cut_at_whole_characters() {
        assert_eq!(cut("kertas hàbis", 9), "kertas hà");
        assert_eq!(cut("idle", 9), "idle");
    }
}
