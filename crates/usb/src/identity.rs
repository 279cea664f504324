//! Who a device is, and where it hangs.

use std::fmt;
use std::str::FromStr;

/// A hub tree is at most seven tiers deep, of which the root is one (USB 2.0 section 4.1.1).
const MAX_TIERS: usize = 6;

/// Vendor and product as the descriptors say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Model {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
}

impl fmt::Display for Model {
    /// `VVVV:PPPP`, in upper case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}:{:04X}", self.vendor, self.product)
    }
}

impl FromStr for Model {
    type Err = ();

    /// Four hexadecimal digits, a colon, four more.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (vendor, product) = text.split_once(':').ok_or(())?;
        Ok(Self {
            vendor: four_digits(vendor)?,
            product: four_digits(product)?,
        })
    }
}

fn four_digits(text: &str) -> Result<u16, ()> {
    if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(());
    }
    u16::from_str_radix(text, 16).map_err(|_wrong| ())
}

/// The socket that a device hangs at: the number of the bus and those of the ports on the way, as Linux names devices.
///
/// It stays the same when the device is plugged out and in again at the same socket, and over restarts of a machine
/// whose controllers are found in the same order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortPath {
    bus: u8,
    ports: Vec<u8>,
}

impl PortPath {
    /// The socket at these ports of this bus; nothing where there are no ports or more than a bus can have.
    #[must_use]
    pub fn new(bus: u8, ports: &[u8]) -> Option<Self> {
        if bus == 0 || ports.is_empty() || ports.len() > MAX_TIERS || ports.contains(&0) {
            return None;
        }
        Some(Self {
            bus,
            ports: ports.to_vec(),
        })
    }
}

impl fmt::Display for PortPath {
    /// `1-2.3`: bus 1, port 2, port 3 of the hub there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bus)?;
        for (at, port) in self.ports.iter().enumerate() {
            let separator = if at == 0 { '-' } else { '.' };
            write!(f, "{separator}{port}")?;
        }
        Ok(())
    }
}

impl FromStr for PortPath {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (bus, ports) = text.split_once('-').ok_or(())?;
        // Cut off one more than may be, so that a long text is refused and not read.
        let ports: Result<Vec<u8>, ()> = ports
            .split('.')
            .take(MAX_TIERS + 1)
            .map(plain_number)
            .collect();
        Self::new(plain_number(bus)?, &ports?).ok_or(())
    }
}

/// A number written as Linux writes it: no sign, no zeros in front.
fn plain_number(text: &str) -> Result<u8, ()> {
    let number: u8 = text.parse().map_err(|_wrong| ())?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(())
    }
}

/// What stays the same about a device while it is plugged in, and mostly longer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Which model.
    pub model: Model,
    /// Its serial number, where it says one; not trusted to be its own alone.
    pub serial: Option<String>,
    /// Where it hangs.
    pub port: PortPath,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_written_as_the_kernel_names_them() {
        for text in ["1-2", "1-2.3", "12-10.255.1.2.3.4"] {
            assert_eq!(text.parse::<PortPath>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "1",
            "1-",
            "-1",
            "0-1",
            "1-0",
            "1-2.",
            "1-2..3",
            "1-256",
            "+1-2",
            "1-02",
            "1-1.2.3.4.5.6.7",
            "usb1",
        ] {
            assert_eq!(text.parse::<PortPath>(), Err(()), "{text}");
        }
        assert_eq!(PortPath::new(1, &[]), None);
    }

    #[test]
    fn sockets_are_ordered_as_people_count() {
        let mut paths: Vec<PortPath> = ["2-1", "1-10", "1-2.1", "1-2"]
            .map(|it| it.parse().unwrap())
            .to_vec();
        paths.sort();
        let written: Vec<String> = paths.iter().map(PortPath::to_string).collect();
        assert_eq!(written, ["1-2", "1-2.1", "1-10", "2-1"]);
    }
}
