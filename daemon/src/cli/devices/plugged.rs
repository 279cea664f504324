//! What is plugged into this computer by USB: printers and multifunction devices, whether the settings know them or not.

use loket_device_profile::{Profiles, Seen as Known, UsbId};
use loket_usb::{DeviceAddress, FunctionKind, Plugged, UsbError};
use serde::Serialize;

use super::Quirk;
use crate::cli::face::say;
use crate::config::PrinterConfig;
use crate::device::model_of;
use crate::exit::Exit;
use crate::telemetry::chain;

/// One device on a cable, in the shape of `loketd devices --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct OnCable {
    /// Its address for the settings; of a device of which nothing can be used, that of the cable.
    uri: String,
    /// Manufacturer and product.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// `in-settings`, `not-in-settings`, `raw` (prints no documents), `unusable`, or `unlisted` where USB cannot be read.
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quirks: Vec<Quirk>,
    /// What is wrong with it, for the one who mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// Lists what is plugged in; opens nothing.
pub(super) async fn look(printers: &[PrinterConfig], profiles: &Profiles) -> Vec<OnCable> {
    match loket_usb::list().await {
        Ok(all) => all
            .iter()
            .map(|it| of(it, &all, printers, profiles))
            .collect(),
        // A computer without USB, or without its files: nothing is on a cable there.
        Err(UsbError::System { .. }) => Vec::new(),
        Err(error) => vec![OnCable {
            uri: "usb".to_owned(),
            model: None,
            state: "unlisted",
            quirks: Vec::new(),
            fault: Some(format!("{} ({})", chain(&error), error.remedy())),
        }],
    }
}

fn of(
    device: &Plugged,
    all: &[Plugged],
    printers: &[PrinterConfig],
    profiles: &Profiles,
) -> OnCable {
    let has = |kind| device.function(kind).is_some();
    let kind = if has(FunctionKind::IppUsb) || !has(FunctionKind::RawPrinter) {
        FunctionKind::IppUsb
    } else {
        FunctionKind::RawPrinter
    };
    let is_known = printers.iter().any(|printer| {
        let address = printer.usb().ok().flatten();
        address.is_some_and(|it| it.choose(all).is_ok_and(|meant| meant == device))
    });
    let state = if device.fault.is_some()
        || !(has(FunctionKind::IppUsb) || has(FunctionKind::RawPrinter))
    {
        "unusable"
    } else if kind == FunctionKind::RawPrinter {
        "raw"
    } else if is_known {
        "in-settings"
    } else {
        "not-in-settings"
    };
    let model = model_of(device);
    let said = profiles.for_device(Known {
        usb: Some(UsbId {
            vendor: device.identity.model.vendor,
            product: device.identity.model.product,
        }),
        model: model.as_deref(),
    });
    OnCable {
        uri: DeviceAddress::of(device, kind, all).to_string(),
        model,
        state,
        quirks: said.origins().iter().map(Quirk::from).collect(),
        fault: device.fault.as_ref().map(ToString::to_string),
    }
}

impl OnCable {
    /// For a person: what it is, and what to do next.
    pub(super) fn say(&self) -> Result<(), Exit> {
        let model = self.model.as_deref().unwrap_or("-");
        let next = match self.state {
            "in-settings" => "sudah ada di pengaturan".to_owned(),
            "not-in-settings" => format!(
                "belum dipakai; tulis uri = \"{}\" pada [[printer]] di pengaturan, lalu nyalakan ulang loketd",
                self.uri
            ),
            "raw" => {
                "tidak dapat mencetak dokumen lewat USB; aktifkan IPP over USB di menu printer, atau pakai lewat jaringan".to_owned()
            }
            _unusable => "tidak dapat dipakai; hubungi petugas TI".to_owned(),
        };
        say(format_args!("usb  {}  {model}  {next}", self.uri))?;
        if let Some(fault) = &self.fault {
            say(format_args!("  rincian: {fault}"))?;
        }
        for quirk in &self.quirks {
            quirk.say()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use loket_usb::fake::FakeDevice;

    use super::*;

    fn printer(uri: &str) -> PrinterConfig {
        PrinterConfig {
            name: "a4".to_owned(),
            uri: uri.to_owned(),
            pinned_spki_sha256: None,
            trusts_impressions: None,
            idle_poll_ms: None,
            exercise: None,
        }
    }

    #[test]
    fn a_device_is_told_with_the_address_that_tells_it_from_its_twin() {
        let one = FakeDevice::http(1, 64, |_request| Vec::new());
        let all = [one.plugged(Some("S1"), 1), one.plugged(Some("S1"), 2)];
        let told = |printers: &[PrinterConfig]| -> Vec<(String, &str)> {
            let each = all
                .iter()
                .map(|it| of(it, &all, printers, &Profiles::none()));
            each.map(|it| (it.uri, it.state)).collect()
        };
        let alone = told(&[]);
        assert_eq!(alone[0].0, "ippusb://1209:0001/S1?port=1-1");
        assert_eq!(
            alone[1],
            (
                "ippusb://1209:0001/S1?port=1-2".to_owned(),
                "not-in-settings"
            )
        );
        let known = told(&[printer("ippusb://1209:0001/S1?port=1-2")]);
        assert_eq!([known[0].1, known[1].1], ["not-in-settings", "in-settings"]);
        // An address that fits both means neither.
        let unclear = told(&[printer("ippusb://1209:0001/S1")]);
        assert_eq!([unclear[0].1, unclear[1].1], ["not-in-settings"; 2]);
    }

    #[test]
    fn a_raw_printer_and_one_with_nothing_to_use_are_told_apart() {
        let raw = FakeDevice::new(FunctionKind::RawPrinter, 1, 64, Box::new(|_, _| None));
        let all = [raw.plugged(Some("R1"), 1)];
        let state = |device: &Plugged| of(device, &all, &[], &Profiles::none()).state;
        assert_eq!(state(&all[0]), "raw");
        let mut bare = all[0].clone();
        bare.functions.clear();
        assert_eq!(state(&bare), "unusable");
    }
}
