//! The address by which settings name a device, and which of the plugged ones it means.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::UsbError;
use crate::identity::{Model, PortPath};
use crate::plugged::{FunctionKind, Plugged};

/// A string descriptor holds 126 UTF-16 units, each of which may become three bytes of UTF-8.
const MAX_SERIAL_BYTES: usize = 378;

/// Each byte of a serial may be written as three characters; the rest of an address is shorter than this.
const MAX_ADDRESS_CHARS: usize = 3 * MAX_SERIAL_BYTES + 64;

const IPP_SCHEME: &str = "ippusb";
const RAW_SCHEME: &str = "usb";

/// Names one USB device in settings, by what of it stays the same.
///
/// ```text
/// ippusb://04B8:1234/X9A70012             HTTP over USB, by model and serial number
/// ippusb://04B8:1234/X9A70012?port=1-2.3  the same, of two that claim one serial number
/// usb://0519:0003/?port=1-4               a raw printer without a serial number, by its socket
/// usb://0519:0003/                        the same, where it is the only one of its model
/// ```
///
/// Vendor and product are four hexadecimal digits each. In the serial number every byte but letters, digits and `-._~`
/// is written as `%XX`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceAddress {
    kind: FunctionKind,
    model: Model,
    serial: Option<String>,
    port: Option<PortPath>,
}

/// Says why a text is no address of a USB device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressFault {
    /// It begins with neither `ippusb://` nor `usb://`.
    #[error("it must begin with ippusb:// or usb://")]
    Scheme,
    /// It is longer than an address can be.
    #[error("it is too long")]
    TooLong,
    /// Vendor and product are not four hexadecimal digits each.
    #[error("vendor and product must be four hexadecimal digits each, as in 04B8:1234")]
    Model,
    /// The serial number holds a character that must be written as `%XX`, or is no UTF-8.
    #[error("the serial number must be written with %XX for all but letters, digits and -._~")]
    Serial,
    /// What follows the `?` is no `port=BUS-PORT.PORT`.
    #[error("the socket must be written as in port=1-2.3")]
    Port,
}

impl DeviceAddress {
    /// The address of this function of a device that tells it from all others of `plugged`.
    ///
    /// Without a serial number, and where another one has the same, it holds the socket.
    #[must_use]
    pub fn of(device: &Plugged, kind: FunctionKind, plugged: &[Plugged]) -> Self {
        let serial = device.identity.serial.clone().filter(|it| !it.is_empty());
        let bare = Self {
            kind,
            model: device.identity.model,
            serial,
            port: None,
        };
        let twins = plugged.iter().filter(|it| bare.fits(it)).count();
        if bare.serial.is_some() && twins <= 1 {
            return bare;
        }
        Self {
            port: Some(device.identity.port.clone()),
            ..bare
        }
    }

    /// What the device is to be used for.
    #[must_use]
    pub fn kind(&self) -> FunctionKind {
        self.kind
    }

    /// Which model it is.
    #[must_use]
    pub fn model(&self) -> Model {
        self.model
    }

    /// The one device of `plugged` that it means.
    ///
    /// # Errors
    /// [`UsbError::NotThere`], with the devices of the same model that are there; [`UsbError::Ambiguous`], with all that
    /// fit: of two devices none is ever taken by chance. [`UsbError::NoFunction`] where it lacks such an interface.
    pub fn choose<'a>(&self, plugged: &'a [Plugged]) -> Result<&'a Plugged, UsbError> {
        let full = |it: &Plugged| Self::of(it, self.kind, plugged).to_string();
        let mut fitting = plugged.iter().filter(|it| self.fits(it));
        match (fitting.next(), fitting.next()) {
            (None, _) => {
                let same = plugged.iter().filter(|it| it.identity.model == self.model);
                Err(UsbError::NotThere {
                    address: self.to_string(),
                    instead: same.map(full).collect(),
                })
            }
            (Some(_), Some(_)) => Err(UsbError::Ambiguous {
                address: self.to_string(),
                candidates: plugged
                    .iter()
                    .filter(|it| self.fits(it))
                    .map(full)
                    .collect(),
            }),
            (Some(one), None) => {
                if one.function(self.kind).is_some() {
                    return Ok(one);
                }
                let device = self.to_string();
                Err(match one.fault {
                    Some(fault) => UsbError::BadDescriptor { device, fault },
                    None => UsbError::NoFunction {
                        device,
                        wanted: self.kind,
                    },
                })
            }
        }
    }

    fn fits(&self, device: &Plugged) -> bool {
        let identity = &device.identity;
        let same_serial = |serial: &String| identity.serial.as_ref() == Some(serial);
        identity.model == self.model
            && self.serial.as_ref().is_none_or(same_serial)
            && self.port.as_ref().is_none_or(|port| *port == identity.port)
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            FunctionKind::IppUsb => IPP_SCHEME,
            FunctionKind::RawPrinter => RAW_SCHEME,
        };
        write!(f, "{scheme}://{}/", self.model)?;
        for byte in self.serial.iter().flat_map(|serial| serial.bytes()) {
            if is_plain(byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        match &self.port {
            Some(port) => write!(f, "?port={port}"),
            None => Ok(()),
        }
    }
}

impl FromStr for DeviceAddress {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        if text.len() > MAX_ADDRESS_CHARS {
            return Err(AddressFault::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Scheme)?;
        let kind = match scheme {
            IPP_SCHEME => FunctionKind::IppUsb,
            RAW_SCHEME => FunctionKind::RawPrinter,
            _ => return Err(AddressFault::Scheme),
        };
        let (rest, port) = match rest.split_once('?') {
            Some((rest, query)) => {
                let port = query.strip_prefix("port=").ok_or(AddressFault::Port)?;
                (rest, Some(port.parse().map_err(|()| AddressFault::Port)?))
            }
            None => (rest, None),
        };
        let (model, serial) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self {
            kind,
            model: model.parse().map_err(|()| AddressFault::Model)?,
            serial: decode(serial)?,
            port,
        })
    }
}

impl TryFrom<String> for DeviceAddress {
    type Error = AddressFault;

    fn try_from(text: String) -> Result<Self, AddressFault> {
        text.parse()
    }
}

impl From<DeviceAddress> for String {
    fn from(address: DeviceAddress) -> Self {
        address.to_string()
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Nothing for a serial number of no characters.
fn decode(text: &str) -> Result<Option<String>, AddressFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                hex(digits).ok_or(AddressFault::Serial)?
            }
            byte if is_plain(byte) => byte,
            _ => return Err(AddressFault::Serial),
        };
        bytes.push(decoded);
    }
    if bytes.len() > MAX_SERIAL_BYTES {
        return Err(AddressFault::TooLong);
    }
    let serial = String::from_utf8(bytes).map_err(|_broken| AddressFault::Serial)?;
    Ok(Some(serial).filter(|it| !it.is_empty()))
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let [high, low] = digits;
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

#[cfg(test)]
mod tests;
