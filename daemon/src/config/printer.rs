//! The printers of the settings: name, address, pin, and how far one is believed.

use loket_ipp_printer::{PrinterUri, Scheme, UriFault};
use loket_usb::{AddressFault, DeviceAddress, FunctionKind};
use loket_wire::Sha256Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{ConfigError, bad};

/// One A4 printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterConfig {
    /// Its name on this machine, `[a-z0-9-]{1,32}`.
    pub name: String,
    /// `ipp://host[:port]/path`, `ipps://…`, or `ippusb://VVVV:PPPP/SERIAL` of one that is plugged into this computer.
    pub uri: String,
    /// SHA-256 of the printer's public key (SPKI), hexadecimal; required for `ipps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_spki_sha256: Option<Sha256Digest>,
    /// Whether its count of printed impressions may be believed; as its device profile says where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusts_impressions: Option<bool>,
    /// Milliseconds between looks at it while it is idle in office hours, where it should be asked more seldom or more
    /// often than the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_poll_ms: Option<u64>,
    /// Whether it prints a page by itself after a rest, so that its ink does not dry; as its device profile says where
    /// absent, else as it says of its ink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise: Option<bool>,
}

/// What is wrong with a printer's address or pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressProblem {
    /// The address of a printer on the network, or its pin.
    #[error(transparent)]
    Network(#[from] UriFault),
    /// The address of a printer on a USB cable.
    #[error(transparent)]
    Usb(#[from] AddressFault),
    /// It is a printer that takes raw bytes: nothing is known of what becomes of a document there.
    #[error("a raw USB printer prints no documents: use its ippusb address, or the network")]
    Raw,
}

impl PrinterConfig {
    /// The device that it means, where it is on a USB cable.
    ///
    /// # Errors
    /// [`AddressProblem`]
    pub fn usb(&self) -> Result<Option<DeviceAddress>, AddressProblem> {
        let is_usb = ["ippusb://", "usb://"]
            .iter()
            .any(|it| self.uri.starts_with(it));
        if !is_usb {
            return Ok(None);
        }
        let address: DeviceAddress = self.uri.parse()?;
        if address.kind() != FunctionKind::IppUsb {
            return Err(AddressProblem::Raw);
        }
        match self.pinned_spki_sha256 {
            Some(_) => Err(UriFault::PinWithoutTls.into()),
            None => Ok(Some(address)),
        }
    }

    /// Whether address and pin can be used together; what the daemon would find when it starts.
    ///
    /// # Errors
    /// [`AddressProblem`] names the part that is wrong.
    pub fn check(&self) -> Result<(), AddressProblem> {
        if self.usb()?.is_some() {
            return Ok(());
        }
        let uri = PrinterUri::parse(&self.uri)?;
        match (uri.scheme(), self.pinned_spki_sha256) {
            (Scheme::Ipp, None) | (Scheme::Ipps, Some(_)) => Ok(()),
            (Scheme::Ipp, Some(_)) => Err(UriFault::PinWithoutTls.into()),
            (Scheme::Ipps, None) => Err(UriFault::TlsWithoutPin.into()),
        }
    }
}

/// Checks what must hold among the printers, and of each.
///
/// # Errors
/// [`ConfigError::Value`]
pub(super) fn check_printers(printers: &[PrinterConfig]) -> Result<(), ConfigError> {
    let mut names: Vec<&str> = printers.iter().map(|each| each.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return bad("printer.name", "two printers have the same name");
    }
    for printer in printers {
        if !is_name(&printer.name) {
            return bad("printer.name", "it must be 1 to 32 of a-z, 0-9 and '-'");
        }
        printer.check().map_err(|fault| ConfigError::Value {
            key: match fault {
                AddressProblem::Network(UriFault::PinWithoutTls | UriFault::TlsWithoutPin) => {
                    "printer.pinned_spki_sha256"
                }
                AddressProblem::Network(_) | AddressProblem::Usb(_) | AddressProblem::Raw => {
                    "printer.uri"
                }
            }
            .to_owned(),
            problem: fault.to_string(),
        })?;
    }
    Ok(())
}

/// Whether a device may be named so.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(allowed)
}
