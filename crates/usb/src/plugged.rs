//! A device that is plugged in, and what it can be used for.

use std::fmt;

use crate::descriptor::DescriptorFault;
use crate::identity::Identity;

/// A plugged device with at least one printer interface, as the list shows it; nothing was opened for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugged {
    /// Who it is and where it hangs.
    pub identity: Identity,
    /// The number that the kernel gave it for this time of being plugged in (`devnum`).
    pub number: u8,
    /// What it calls its maker, where it does.
    pub manufacturer: Option<String>,
    /// What it calls itself, where it does.
    pub product: Option<String>,
    /// What it can be used for; empty where all its printer interfaces are described wrongly.
    pub functions: Vec<Function>,
    /// Why a printer interface of it cannot be used.
    pub fault: Option<DescriptorFault>,
}

impl Plugged {
    /// Its function of this kind.
    #[must_use]
    pub fn function(&self, kind: FunctionKind) -> Option<&Function> {
        self.functions.iter().find(|it| it.kind == kind)
    }
}

/// What a device can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FunctionKind {
    /// HTTP over USB (class 7/1/4): printing by IPP, scanning by eSCL.
    IppUsb,
    /// A printer that takes bytes as they are (class 7/1/1 and 7/1/2).
    RawPrinter,
}

impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IppUsb => "IPP over USB",
            Self::RawPrinter => "raw printing",
        })
    }
}

/// One function with the interfaces that it can be reached through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// What it is.
    pub kind: FunctionKind,
    /// One for each interface, in the order of the descriptors; never empty in a list of the crate.
    pub places: Vec<Place>,
    /// What stands behind IPP over USB; without meaning for raw printers.
    pub capabilities: Capabilities,
}

/// A setting of an interface that carries a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// bInterfaceNumber.
    pub interface: u8,
    /// bAlternateSetting.
    pub setting: u8,
    /// Where bytes are sent to.
    pub out: Pipe,
    /// Where bytes are read from; nothing for a printer that never answers (7/1/1).
    pub input: Option<Pipe>,
}

/// A bulk endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pipe {
    /// bEndpointAddress, with the direction in bit 7.
    pub address: u8,
    /// wMaxPacketSize, 1 to 1024.
    pub packet_len: usize,
}

/// Whether an interface answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    OutOnly,
    Both,
}

/// What a device says to serve behind IPP over USB; where it says nothing, everything is possible.
///
/// # Source
/// IPP over USB 1.0 section 4.3, basic capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It prints.
    pub prints: bool,
    /// It scans.
    pub scans: bool,
    /// It faxes.
    pub faxes: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            prints: true,
            scans: true,
            faxes: true,
        }
    }
}

impl Capabilities {
    const PRINT: u16 = 0x0001;
    const SCAN: u16 = 0x0002;
    const FAX: u16 = 0x0004;

    /// What these bits say; nothing where they say nothing, which some firmware does.
    pub(crate) fn said(bits: u16) -> Option<Self> {
        (bits != 0).then_some(Self {
            prints: bits & Self::PRINT != 0,
            scans: bits & Self::SCAN != 0,
            faxes: bits & Self::FAX != 0,
        })
    }
}
