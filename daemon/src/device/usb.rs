//! Printers of the settings that are plugged into this computer.

use std::sync::Arc;

use loket_device_profile::{Profiles, Seen, UsbId};
use loket_ipp_printer::{
    IppError, IppPrinter, OpenFuture, OpenUsb, Options, PrinterUri, USB_PRINTER_URI, UsbTransport,
};
use loket_usb::{DeviceAddress, FunctionKind, Plugged, Quirks, UsbError};

use crate::profiles::PrintQuirks;

/// The printer at this address; nothing is opened yet.
///
/// # Errors
/// None that an address can cause.
pub(super) fn printer(
    address: DeviceAddress,
    profiles: &Arc<Profiles>,
    options: Options,
) -> Result<IppPrinter, IppError> {
    let device = Box::new(PluggedIn {
        address,
        profiles: Arc::clone(profiles),
    });
    let uri = PrinterUri::parse(USB_PRINTER_URI).map_err(|fault| IppError::BadUri { fault })?;
    let transport = Arc::new(UsbTransport::new(device));
    Ok(IppPrinter::over(transport, uri, options))
}

/// A device by its address; what its model needs is looked up each time it is opened, for it may be another one by then.
#[derive(Debug)]
struct PluggedIn {
    address: DeviceAddress,
    profiles: Arc<Profiles>,
}

impl OpenUsb for PluggedIn {
    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let device = loket_usb::find(&self.address).await?;
            let quirks = quirks_of(&self.profiles, &device)?;
            loket_usb::open_http(&device, quirks).await
        })
    }
}

/// What a device's profile says of its USB side.
///
/// # Errors
/// [`UsbError::NoFunction`] where it speaks no IPP, whatever its descriptors say.
fn quirks_of(profiles: &Profiles, device: &Plugged) -> Result<Quirks, UsbError> {
    let model = model_of(device);
    let said = profiles.for_device(Seen {
        usb: Some(UsbId {
            vendor: device.identity.model.vendor,
            product: device.identity.model.product,
        }),
        model: model.as_deref(),
    });
    // Profiles were read by these very types when the daemon started.
    let print: PrintQuirks = said.section("print").unwrap_or_default();
    if print.speaks_ipp_over_usb == Some(false) {
        let wanted = FunctionKind::IppUsb;
        return Err(UsbError::NoFunction {
            device: DeviceAddress::of(device, wanted, &[]).to_string(),
            wanted,
        });
    }
    Ok(said.section("usb").unwrap_or_default())
}

/// Manufacturer and product, as profiles mean them.
pub(crate) fn model_of(device: &Plugged) -> Option<String> {
    let words = [&device.manufacturer, &device.product];
    let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
pub(crate) mod bench;

#[cfg(test)]
mod tests {
    use loket_usb::fake::FakeDevice;
    use loket_usb::{InitReset, Model};

    use super::*;

    fn plugged(vendor: u16, product: u16, name: &str) -> Plugged {
        let mut plugged = FakeDevice::http(1, 64, |_request| Vec::new()).plugged(Some("S1"), 1);
        plugged.identity.model = Model { vendor, product };
        plugged.manufacturer = Some("HP".to_owned());
        plugged.product = Some(name.to_owned());
        plugged
    }

    #[test]
    fn a_model_gets_the_quirks_of_its_shipped_profile_and_others_none() {
        let profiles = crate::profiles::load(None).unwrap();
        let scanner = quirks_of(&profiles, &plugged(0x03f0, 1, "HP ScanJet Pro 4500 fn1")).unwrap();
        assert_eq!(scanner.max_interfaces, 1);
        let xerox = quirks_of(&profiles, &plugged(0x0924, 0x42ea, "anything")).unwrap();
        assert_eq!(xerox.init_reset, InitReset::Hard);
        let other = quirks_of(&profiles, &plugged(0x04b8, 1, "ET-5800 Series")).unwrap();
        assert_eq!(other, Quirks::default());
    }

    #[test]
    fn a_model_that_only_pretends_to_speak_ipp_is_not_opened() {
        let profiles = crate::profiles::load(None).unwrap();
        let error = quirks_of(&profiles, &plugged(0x03f0, 1, "HP Laser 107a")).unwrap_err();
        assert_eq!(error.keyword(), "usb-no-such-interface");
    }
}
