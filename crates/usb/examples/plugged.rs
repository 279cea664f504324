//! Lists printers that are plugged in, and then tells what is plugged in and out until it is interrupted.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Duration;

use loket_usb::{DeviceAddress, Event, Plugged, UsbError, watch};

const PERIOD: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), UsbError> {
    let mut watch = watch(PERIOD);
    loop {
        match watch.next().await? {
            Event::Plugged(device) => show("plugged in", &device, watch.plugged()),
            Event::Unplugged(device) => show("plugged out", &device, watch.plugged()),
        }
    }
}

fn show(what: &str, device: &Plugged, all: &[Plugged]) {
    let product = device.product.as_deref().unwrap_or("without a name");
    println!("{what}: {product} at {}", device.identity.port);
    for function in &device.functions {
        let address = DeviceAddress::of(device, function.kind, all);
        println!(
            "  {}: {address}, {} interfaces",
            function.kind,
            function.places.len()
        );
    }
    if let Some(fault) = device.fault {
        println!("  cannot be used in full: {fault}");
    }
}
