//! What a device says of itself, read from its raw descriptors without trusting a length or a count in them.
//!
//! The kernel keeps the descriptors as the device sent them and lets everybody read them, so that the settings of an
//! interface beside the current one (IPP over USB is setting 1 on many devices) are known before anything is opened.
//!
//! # Source
//! USB 2.0 section 9.6, USB Printer Class 1.1 section 4, IPP over USB 1.0 section 4.

use crate::plugged::{Capabilities, Direction, Function, FunctionKind, Pipe, Place};

const DEVICE: u8 = 0x01;
const CONFIGURATION: u8 = 0x02;
const INTERFACE: u8 = 0x04;
const ENDPOINT: u8 = 0x05;
/// The class-specific descriptor of an IPP-over-USB interface.
const DEVICE_INFO: u8 = 0x21;

const DEVICE_LEN: usize = 18;
const CONFIGURATION_LEN: usize = 9;

const CLASS_PRINTER: u8 = 7;
const SUBCLASS_PRINTER: u8 = 1;
const PROTOCOL_UNIDIRECTIONAL: u8 = 1;
const PROTOCOL_BIDIRECTIONAL: u8 = 2;
const PROTOCOL_IPP: u8 = 4;

const TRANSFER_MASK: u8 = 0x03;
const TRANSFER_BULK: u8 = 0x02;
const DIRECTION_IN: u8 = 0x80;
const ENDPOINT_NUMBER_MASK: u8 = 0x0f;
/// Bits 11 and 12 of the packet length belong to isochronous endpoints.
const PACKET_LEN_MASK: u16 = 0x07ff;

/// The largest bulk packet of any speed (SuperSpeed).
const MAX_PACKET_LEN: u16 = 1024;

/// Linux keeps no more interfaces of a device than 32; with eight settings each, which no device at hand comes near.
const MAX_SETTINGS: usize = 256;

/// A setting has at most 30 endpoints besides the control one (USB 2.0 section 9.6.5).
const MAX_ENDPOINTS: usize = 30;

/// The most descriptor bytes that are read: eight configurations of the largest size are 512 KiB, devices have some
/// hundred bytes.
pub(crate) const MAX_DESCRIPTOR_BYTES: usize = 64 * 1024;

/// Says what is wrong with what a device says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorFault {
    /// There is no device descriptor.
    #[error("it has no device descriptor")]
    NoDevice,
    /// There is no configuration, or none that is switched on.
    #[error("it has no configuration")]
    NoConfiguration,
    /// More interface settings, endpoints or bytes than any device has.
    #[error("it claims more interfaces or endpoints than a device can have")]
    TooMany,
    /// A printer interface without a bulk OUT endpoint.
    #[error("its interface {interface} has no endpoint to send to")]
    NoOut {
        /// bInterfaceNumber.
        interface: u8,
    },
    /// An interface that must answer has no bulk IN endpoint.
    #[error("its interface {interface} has no endpoint to read from")]
    NoIn {
        /// bInterfaceNumber.
        interface: u8,
    },
    /// A bulk endpoint whose packets have no length, or a longer one than the bus has.
    #[error("its interface {interface} has packets of {len} bytes")]
    PacketLen {
        /// bInterfaceNumber.
        interface: u8,
        /// wMaxPacketSize.
        len: u16,
    },
}

/// What a device can be used for, and what keeps some of it from being used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Functions {
    /// At most one of each kind.
    pub functions: Vec<Function>,
    /// The first printer interface that cannot be used as it is described, where there is one.
    pub fault: Option<DescriptorFault>,
}

/// Reads which printer functions the configuration `active` has.
///
/// `bytes` are the device descriptor and all configurations behind it, as Linux shows them in the file `descriptors` of a
/// device. Where no configuration has the value `active` and there is only one, that one is meant: some firmware says a
/// wrong number. A broken descriptor ends the walk, as it does in the kernel; what stood before it counts.
///
/// # Errors
/// [`DescriptorFault`] where nothing can be made of the whole; a single bad interface is told in [`Functions::fault`].
pub fn functions(bytes: &[u8], active: u8) -> Result<Functions, DescriptorFault> {
    if bytes.len() > MAX_DESCRIPTOR_BYTES {
        return Err(DescriptorFault::TooMany);
    }
    let device = bytes.get(..DEVICE_LEN).ok_or(DescriptorFault::NoDevice)?;
    if device.get(1) != Some(&DEVICE) {
        return Err(DescriptorFault::NoDevice);
    }
    let rest = bytes.get(DEVICE_LEN..).unwrap_or_default();
    let configuration = configuration(rest, active).ok_or(DescriptorFault::NoConfiguration)?;
    Ok(classify(&settings(configuration)?))
}

/// The bytes behind the header of the active configuration.
fn configuration(mut rest: &[u8], active: u8) -> Option<&[u8]> {
    let mut seen = Vec::new();
    while let Some(header) = rest.get(..CONFIGURATION_LEN) {
        let &[len, kind, low, high, _, value, ..] = header else {
            break;
        };
        let total = usize::from(u16::from_le_bytes([low, high]));
        let len = usize::from(len);
        if kind != CONFIGURATION || len < CONFIGURATION_LEN || total < len {
            break;
        }
        // A total beyond the end is cut by the kernel as well.
        let whole = rest.get(..total).unwrap_or(rest);
        seen.push((value, whole.get(len..).unwrap_or_default()));
        rest = rest.get(total..).unwrap_or_default();
    }
    let named = seen.iter().find(|(value, _)| *value == active);
    named
        .or_else(|| seen.first().filter(|_| seen.len() == 1))
        .map(|(_, body)| *body)
}

/// One setting of one interface, as it is described.
#[derive(Debug, Default)]
struct Setting {
    interface: u8,
    setting: u8,
    class: [u8; 3],
    endpoints: Vec<Endpoint>,
    capabilities: Option<Capabilities>,
}

#[derive(Debug, Clone, Copy)]
struct Endpoint {
    address: u8,
    attributes: u8,
    packet_len: u16,
}

fn settings(mut rest: &[u8]) -> Result<Vec<Setting>, DescriptorFault> {
    let mut settings: Vec<Setting> = Vec::new();
    while let Some(&len) = rest.first() {
        let len = usize::from(len);
        let Some(descriptor) = rest.get(..len).filter(|it| it.len() >= 2) else {
            break;
        };
        rest = rest.get(len..).unwrap_or_default();
        match *descriptor {
            [
                _,
                INTERFACE,
                interface,
                setting,
                _,
                class,
                subclass,
                protocol,
                _,
                ..,
            ] => {
                settings.push(Setting {
                    interface,
                    setting,
                    class: [class, subclass, protocol],
                    ..Setting::default()
                });
            }
            [_, ENDPOINT, address, attributes, low, high, _, ..] => {
                if let Some(setting) = settings.last_mut() {
                    setting.endpoints.push(Endpoint {
                        address,
                        attributes,
                        packet_len: u16::from_le_bytes([low, high]) & PACKET_LEN_MASK,
                    });
                }
            }
            [_, DEVICE_INFO, _, _, _, _, low, high, ..] => {
                if let Some(setting) = settings.last_mut() {
                    setting.capabilities = Capabilities::said(u16::from_le_bytes([low, high]));
                }
            }
            _ => {}
        }
        let endpoints = settings.last().map_or(0, |it| it.endpoints.len());
        if settings.len() > MAX_SETTINGS || endpoints > MAX_ENDPOINTS {
            return Err(DescriptorFault::TooMany);
        }
    }
    Ok(settings)
}

fn classify(settings: &[Setting]) -> Functions {
    let mut found = Functions::default();
    for setting in settings {
        let [CLASS_PRINTER, SUBCLASS_PRINTER, protocol] = setting.class else {
            continue;
        };
        let (kind, direction) = match protocol {
            PROTOCOL_IPP => (FunctionKind::IppUsb, Direction::Both),
            PROTOCOL_BIDIRECTIONAL => (FunctionKind::RawPrinter, Direction::Both),
            PROTOCOL_UNIDIRECTIONAL => (FunctionKind::RawPrinter, Direction::OutOnly),
            _ => continue,
        };
        match place(setting, direction) {
            Ok(place) => found.add(kind, place, setting.capabilities),
            Err(fault) => found.fault = found.fault.or(Some(fault)),
        }
    }
    found
}

impl Functions {
    /// Of several settings of an interface that do the same, the one that answers is taken, else the first.
    fn add(&mut self, kind: FunctionKind, place: Place, capabilities: Option<Capabilities>) {
        let at = self.functions.iter().position(|it| it.kind == kind);
        let Some(function) = at.and_then(|at| self.functions.get_mut(at)) else {
            self.functions.push(Function {
                kind,
                places: vec![place],
                capabilities: capabilities.unwrap_or_default(),
            });
            return;
        };
        let same = function
            .places
            .iter_mut()
            .find(|it| it.interface == place.interface);
        match same {
            Some(known) if known.input.is_none() && place.input.is_some() => *known = place,
            Some(_known) => {}
            None => function.places.push(place),
        }
    }
}

fn place(setting: &Setting, direction: Direction) -> Result<Place, DescriptorFault> {
    let interface = setting.interface;
    let out = bulk(setting, 0)?.ok_or(DescriptorFault::NoOut { interface })?;
    let input = match direction {
        Direction::OutOnly => None,
        Direction::Both => {
            Some(bulk(setting, DIRECTION_IN)?.ok_or(DescriptorFault::NoIn { interface })?)
        }
    };
    Ok(Place {
        interface,
        setting: setting.setting,
        out,
        input,
    })
}

/// The first bulk endpoint of this direction.
fn bulk(setting: &Setting, direction: u8) -> Result<Option<Pipe>, DescriptorFault> {
    let found = setting.endpoints.iter().find(|it| {
        it.attributes & TRANSFER_MASK == TRANSFER_BULK
            && it.address & DIRECTION_IN == direction
            && it.address & ENDPOINT_NUMBER_MASK != 0
    });
    let Some(endpoint) = found else {
        return Ok(None);
    };
    let len = endpoint.packet_len;
    if len == 0 || len > MAX_PACKET_LEN {
        return Err(DescriptorFault::PacketLen {
            interface: setting.interface,
            len,
        });
    }
    Ok(Some(Pipe {
        address: endpoint.address,
        packet_len: usize::from(len),
    }))
}

#[cfg(test)]
mod tests;
