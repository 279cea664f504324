//! Prints a line on a ticket printer and asks it for its paper: `raw usb://0519:0003/`.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::error::Error;
use std::time::Duration;

use loket_usb::{DeviceAddress, Quirks, find, open_raw};

/// DLE EOT 4: the paper sensors, in real time (ESC/POS).
const ASK_PAPER: &[u8] = &[0x10, 0x04, 0x04];

const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("say an address")?;
    let address: DeviceAddress = address.parse()?;
    let mut printer = open_raw(&find(&address).await?, Quirks::default()).await?;
    println!("{}", printer.device_id().await?);
    printer.discard().await?;
    printer.write(ASK_PAPER).await?;
    match printer.read(PATIENCE).await?.as_slice() {
        [] => println!("it says nothing about its paper"),
        status => println!("its paper sensors say {status:02x?}"),
    }
    printer.write(b"\x1b@ANTRIAN A-001\n\n\n\n").await?;
    printer.close().await;
    Ok(())
}
