//! What a virtual USB device says of itself: its descriptors, and how they lie.

use std::sync::Arc;

use super::port::Port;

/// Bulk packets at high speed (USB 2.0 section 5.8.3).
pub(crate) const PACKET_BYTES: usize = 512;

/// The product that pid.codes keeps for tests.
const VENDOR_ID: u16 = 0x1209;
const PRODUCT_ID: u16 = 0x0001;

/// Endpoint numbers have four bits, and 0 is the control endpoint's: one pair an interface.
const MAX_INTERFACES: usize = 15;

const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;

const BULK: u8 = 2;
const INTERRUPT: u8 = 3;

const MANUFACTURER: u8 = 1;
const PRODUCT: u8 = 2;
const SERIAL: u8 = 3;

/// American English, which every device has.
const LANGUAGE: u16 = 0x0409;

/// What an alternate setting speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// 7/1/1: bytes to the printer alone.
    Unidirectional,
    /// 7/1/2: bytes in both directions.
    Bidirectional,
    /// 7/1/4: HTTP in both directions (IPP over USB 1.0).
    IppUsb,
    /// Something of the maker's own.
    Vendor,
    /// 8/6/80: a disk, and no printer.
    Disk,
}

impl Protocol {
    /// `bInterfaceClass`, `bInterfaceSubClass`, `bInterfaceProtocol`.
    fn codes(self) -> [u8; 3] {
        match self {
            Self::Unidirectional => [7, 1, 1],
            Self::Bidirectional => [7, 1, 2],
            Self::IppUsb => [7, 1, 4],
            Self::Vendor => [255, 204, 0],
            Self::Disk => [8, 6, 80],
        }
    }
}

/// One alternate setting of an interface: what it speaks, and what answers there.
#[derive(Debug, Clone)]
pub struct Alternate {
    /// What it speaks.
    pub protocol: Protocol,
    /// What answers; where there is nothing, bytes are taken and thrown away.
    pub port: Option<Arc<dyn Port>>,
}

/// An interface: its alternate settings share one pair of bulk endpoints, numbered as the interface, from 1.
#[derive(Debug, Clone)]
pub struct Interface {
    /// By their numbers, from 0.
    pub alternates: Vec<Alternate>,
}

impl Interface {
    /// An interface with one setting.
    #[must_use]
    pub fn plain(protocol: Protocol, port: Option<Arc<dyn Port>>) -> Self {
        let alternates = vec![Alternate { protocol, port }];
        Self { alternates }
    }
}

/// What a descriptor says that is not true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// The configuration says that it is longer than what comes.
    LongerConfiguration,
    /// The configuration counts more interfaces than it has.
    MoreInterfaces,
    /// A descriptor in the midst of the configuration has no length.
    ZeroLength,
    /// Interfaces count two endpoints and have none.
    NoEndpoints,
    /// Interfaces have no way to the host.
    OutOnly,
    /// The endpoints are no bulk endpoints.
    InterruptEndpoints,
    /// Packets have no size.
    ZeroPacket,
    /// Strings are half a character of UTF-16, and longer than what comes.
    BadStrings,
    /// The device id says that it is longer than what comes.
    LongerDeviceId,
}

/// What a device is, from its strings to what stands behind its interfaces.
#[derive(Debug, Clone)]
pub struct Description {
    /// `idVendor`.
    pub vendor_id: u16,
    /// `idProduct`.
    pub product_id: u16,
    /// `iManufacturer`.
    pub manufacturer: String,
    /// `iProduct`.
    pub product: String,
    /// `iSerialNumber`; cheap devices have none, or all the same.
    pub serial: Option<String>,
    /// The answer to `GET_DEVICE_ID`, without its length (IEEE 1284).
    pub device_id: String,
    /// By their numbers, from 0; the sixteenth and later are left out.
    pub interfaces: Vec<Interface>,
    /// What is not true of it.
    pub lie: Option<Lie>,
}

impl Description {
    /// A printer with so many pairs of endpoints for IPP.
    ///
    /// The first is 7/1/2 until the host chooses its alternate setting 1; the others are the maker's own until then.
    #[must_use]
    pub fn ipp_usb(serial: &str, pairs: usize, ipp: &Arc<dyn Port>, raw: &Arc<dyn Port>) -> Self {
        let interface = |number: usize| {
            let first = if number == 0 {
                (Protocol::Bidirectional, Some(Arc::clone(raw)))
            } else {
                (Protocol::Vendor, None)
            };
            let second = (Protocol::IppUsb, Some(Arc::clone(ipp)));
            let alternates = [first, second].map(|(protocol, port)| Alternate { protocol, port });
            Interface {
                alternates: alternates.into(),
            }
        };
        let interfaces = (0..pairs).map(interface).collect();
        let id = "MFG:Loket;MDL:Virtual IPP;CMD:PDF,PWGRaster,URF;CLS:PRINTER;";
        Self::new("Virtual IPP", Some(serial.to_owned()), id, interfaces)
    }

    /// A ticket printer of class 7/1/2.
    #[must_use]
    pub fn ticket_printer(serial: Option<&str>, port: Arc<dyn Port>) -> Self {
        let interfaces = vec![Interface::plain(Protocol::Bidirectional, Some(port))];
        let id = "MFG:Loket;MDL:Virtual Ticket;CMD:ESC/POS;CLS:PRINTER;";
        Self::new("Virtual Ticket", serial.map(str::to_owned), id, interfaces)
    }

    /// A device of the product that is kept for tests.
    #[must_use]
    pub fn new(
        product: &str,
        serial: Option<String>,
        device_id: &str,
        interfaces: Vec<Interface>,
    ) -> Self {
        Self {
            vendor_id: VENDOR_ID,
            product_id: PRODUCT_ID,
            manufacturer: "Loket".to_owned(),
            product: product.to_owned(),
            serial,
            device_id: device_id.to_owned(),
            interfaces: interfaces.into_iter().take(MAX_INTERFACES).collect(),
            lie: None,
        }
    }

    /// The descriptor that `GET_DESCRIPTOR` asks for by its type and number; none where there is none.
    pub(crate) fn descriptor(&self, kind: u8, number: u8) -> Option<Vec<u8>> {
        match (kind, number) {
            (DEVICE, _) => Some(self.device()),
            (CONFIGURATION, 0) => Some(self.configuration()),
            (STRING, _) => self.string(number),
            _ => None,
        }
    }

    /// The answer to `GET_DEVICE_ID`: its length, high byte first and counting itself, then the id.
    pub(crate) fn device_id(&self) -> Vec<u8> {
        let told = self.device_id.len().saturating_add(2);
        let told = if self.lie == Some(Lie::LongerDeviceId) {
            told.saturating_mul(3)
        } else {
            told
        };
        let told = u16::try_from(told).unwrap_or(u16::MAX);
        let mut answer = told.to_be_bytes().to_vec();
        answer.extend_from_slice(self.device_id.as_bytes());
        answer
    }

    /// USB 2.0 table 9-8.
    fn device(&self) -> Vec<u8> {
        let mut bytes = vec![18, DEVICE, 0x00, 0x02, 0, 0, 0, 64];
        bytes.extend(self.vendor_id.to_le_bytes());
        bytes.extend(self.product_id.to_le_bytes());
        let serial = self.serial.as_ref().map_or(0, |_| SERIAL);
        bytes.extend([0x00, 0x01, MANUFACTURER, PRODUCT, serial, 1]);
        bytes
    }

    /// USB 2.0 table 9-10, with all that follows it.
    fn configuration(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (number, interface) in (0..).zip(&self.interfaces) {
            for (setting, alternate) in (0..).zip(&interface.alternates) {
                self.interface(number, setting, alternate.protocol, &mut body);
            }
        }
        let mut total = body.len().saturating_add(9);
        let mut count = u8::try_from(self.interfaces.len()).unwrap_or(u8::MAX);
        match self.lie {
            Some(Lie::LongerConfiguration) => total = total.saturating_mul(2),
            Some(Lie::MoreInterfaces) => count = count.saturating_add(5),
            _ => {}
        }
        let total = u16::try_from(total).unwrap_or(u16::MAX).to_le_bytes();
        // Powered by itself, and takes 2 mA from the bus.
        let mut bytes = vec![9, CONFIGURATION];
        bytes.extend(total);
        bytes.extend([count, 1, 0, 0xc0, 1]);
        bytes.extend(body);
        bytes
    }

    /// USB 2.0 tables 9-12 and 9-13.
    fn interface(&self, number: u8, setting: u8, protocol: Protocol, into: &mut Vec<u8>) {
        let mut endpoints = Vec::new();
        let address = number.saturating_add(1);
        let packet = match self.lie {
            Some(Lie::ZeroPacket) => 0,
            _ => u16::try_from(PACKET_BYTES).unwrap_or(u16::MAX),
        };
        let (attributes, interval) = match self.lie {
            Some(Lie::InterruptEndpoints) => (INTERRUPT, 8),
            _ => (BULK, 0),
        };
        for address in [address, address | 0x80] {
            endpoints.extend([7, ENDPOINT, address, attributes]);
            endpoints.extend(packet.to_le_bytes());
            endpoints.push(interval);
        }
        let is_one_way = protocol == Protocol::Unidirectional || self.lie == Some(Lie::OutOnly);
        if is_one_way {
            endpoints.truncate(7);
        }
        if self.lie == Some(Lie::NoEndpoints) {
            endpoints.clear();
        }
        let [class, subclass, speaks] = protocol.codes();
        let count = if is_one_way { 1 } else { 2 };
        into.extend([
            9, INTERFACE, number, setting, count, class, subclass, speaks, 0,
        ]);
        if self.lie == Some(Lie::ZeroLength) {
            into.extend([0, 0]);
        }
        into.extend(endpoints);
    }

    /// USB 2.0 tables 9-15 and 9-16.
    fn string(&self, number: u8) -> Option<Vec<u8>> {
        if number == 0 {
            let [low, high] = LANGUAGE.to_le_bytes();
            return Some(vec![4, STRING, low, high]);
        }
        let text = match number {
            MANUFACTURER => Some(self.manufacturer.as_str()),
            PRODUCT => Some(self.product.as_str()),
            SERIAL => self.serial.as_deref(),
            _ => None,
        }?;
        if self.lie == Some(Lie::BadStrings) {
            return Some(vec![255, STRING, 0x00, 0xd8, 0x41]);
        }
        // The length has one byte.
        let units = text.encode_utf16().take(126).flat_map(u16::to_le_bytes);
        let mut bytes = vec![0, STRING];
        bytes.extend(units);
        if let (Ok(len), Some(first)) = (u8::try_from(bytes.len()), bytes.first_mut()) {
            *first = len;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::port::ByteSink;
    use super::*;

    fn printer() -> Description {
        let port: Arc<dyn Port> = Arc::new(ByteSink::default());
        Description::ipp_usb("A-1", 3, &port, &port)
    }

    #[test]
    fn a_configuration_has_each_setting_with_its_endpoints() {
        let bytes = printer().descriptor(CONFIGURATION, 0).unwrap();
        assert_eq!(bytes.len(), 9 + 6 * (9 + 14));
        assert_eq!(bytes[2..5], [147, 0, 3]);
        let settings: Vec<&[u8]> = bytes[9..].chunks(23).collect();
        assert_eq!(settings[0][2..8], [0, 0, 2, 7, 1, 2]);
        assert_eq!(settings[1][2..8], [0, 1, 2, 7, 1, 4]);
        assert_eq!(settings[4][2..8], [2, 0, 2, 255, 204, 0]);
        assert_eq!(
            settings[5][9..],
            [7, 5, 3, 2, 0, 2, 0, 7, 5, 0x83, 2, 0, 2, 0]
        );
    }

    #[test]
    fn strings_and_device_id_have_their_lengths() {
        let printer = printer();
        assert_eq!(
            printer.descriptor(STRING, 3).unwrap(),
            b"\x08\x03A\0-\x001\0"
        );
        assert_eq!(printer.descriptor(STRING, 9), None);
        let id = printer.device_id();
        assert_eq!(usize::from(id[1]), id.len());
        let without = Description {
            serial: None,
            ..printer
        };
        assert_eq!(without.device()[16], 0);
        assert_eq!(without.descriptor(STRING, 3), None);
    }

    #[test]
    fn lies_are_told() {
        let told = |lie| Description {
            lie: Some(lie),
            ..printer()
        };
        let longer = told(Lie::LongerConfiguration).configuration();
        assert!(usize::from(u16::from_le_bytes([longer[2], longer[3]])) > longer.len());
        assert_eq!(told(Lie::NoEndpoints).configuration().len(), 9 + 6 * 9);
        assert_eq!(told(Lie::OutOnly).configuration().len(), 9 + 6 * 16);
        let id = told(Lie::LongerDeviceId).device_id();
        assert!(usize::from(u16::from_be_bytes([id[0], id[1]])) > id.len());
    }
}
