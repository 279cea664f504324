//! Asks a device for a page over HTTP: `get ippusb://04B8:1234/SERIAL /eSCL/ScannerCapabilities`.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::error::Error;
use std::time::Duration;

use loket_usb::{DeviceAddress, Quirks, find, open_http};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(path)) = (words.next(), words.next()) else {
        return Err("say an address and a path".into());
    };
    let address: DeviceAddress = address.parse()?;
    let pool = open_http(&find(&address).await?, Quirks::default()).await?;
    let mut stream = pool.dial().await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    println!("{}", String::from_utf8_lossy(&answer));
    pool.close(PATIENCE).await;
    Ok(())
}
