//! What the control endpoint is asked.

use super::faults::{ControlFault, PortRequest, UsbKnobs};
use super::wire::Setup;

/// A request that a printer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Descriptor { kind: u8, number: u8 },
    Configuration,
    SetConfiguration(u8),
    Alternate { interface: u8 },
    SetAlternate { interface: u8, setting: u8 },
    Status,
    EndpointStatus { endpoint: u8 },
    ClearHalt { endpoint: u8 },
    SetHalt { endpoint: u8 },
    DeviceId,
    PortStatus,
    SoftReset,
    Unknown,
}

const STRING: u8 = 3;

impl Asked {
    /// # Source
    /// USB 2.0 tables 9-3 and 9-4; USB Printing Class 1.1 section 4.2 (version 1.0 has SOFT_RESET as 0x23).
    pub(crate) fn read(setup: Setup) -> Self {
        let [low, high] = setup.value.to_le_bytes();
        let [target, _] = setup.index.to_le_bytes();
        match (setup.kind, setup.request) {
            (0x80, 6) => Self::Descriptor {
                kind: high,
                number: low,
            },
            (0x80, 8) => Self::Configuration,
            (0x00, 9) => Self::SetConfiguration(low),
            (0x81, 10) => Self::Alternate { interface: target },
            (0x01, 11) => Self::SetAlternate {
                interface: target,
                setting: low,
            },
            (0x80 | 0x81, 0) => Self::Status,
            (0x82, 0) => Self::EndpointStatus { endpoint: target },
            (0x02, 1) if setup.value == 0 => Self::ClearHalt { endpoint: target },
            (0x02, 3) if setup.value == 0 => Self::SetHalt { endpoint: target },
            (0xa1, 0) => Self::DeviceId,
            (0xa1, 1) => Self::PortStatus,
            (0x21 | 0x23, 2) => Self::SoftReset,
            _ => Self::Unknown,
        }
    }
}

/// How this request goes wrong, if it does.
pub(crate) fn fault(asked: &Asked, knobs: &UsbKnobs) -> Option<ControlFault> {
    let request = match asked {
        Asked::DeviceId => PortRequest::DeviceId,
        Asked::PortStatus => PortRequest::PortStatus,
        Asked::SoftReset => PortRequest::SoftReset,
        Asked::SetAlternate { .. } => PortRequest::SetInterface,
        Asked::ClearHalt { .. } => PortRequest::ClearHalt,
        Asked::Descriptor { kind: STRING, .. } => PortRequest::StringDescriptor,
        Asked::Descriptor { .. }
        | Asked::Configuration
        | Asked::SetConfiguration(_)
        | Asked::Alternate { .. }
        | Asked::Status
        | Asked::EndpointStatus { .. }
        | Asked::SetHalt { .. }
        | Asked::Unknown => return None,
    };
    knobs.control.get(&request).copied()
}
