//! The devices of this computer, through nusb and nothing else. Linux alone (usbfs and sysfs).

mod device;
mod list;
mod transfer;

pub(crate) use device::open;
pub(crate) use list::{Hints, Listed, list};

use nusb::ErrorKind;

use crate::error::{Doing, UsbError};

/// The error of the crate for one of nusb.
fn error(doing: Doing, error: &nusb::Error) -> UsbError {
    let os = error.os_error().unwrap_or_default();
    match error.kind() {
        ErrorKind::Disconnected => UsbError::Unplugged { doing },
        ErrorKind::Busy => UsbError::Busy { doing },
        ErrorKind::PermissionDenied => UsbError::Denied { doing },
        ErrorKind::NotFound | ErrorKind::Unsupported | ErrorKind::Other | _ => {
            UsbError::System { doing, os }
        }
    }
}
