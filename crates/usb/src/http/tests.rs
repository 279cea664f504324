//! Exchanges with a device in memory, under a clock that stands still.

mod cancelled;
mod carried;
mod client;
mod faults;
mod in_flight;
mod read;
mod shared;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{Evidence, HttpPool};
use crate::error::UsbError;
use crate::fake::FakeDevice;
use crate::quirks::Quirks;

/// The packets of the devices here: small, so that small messages have several.
const PACKET: usize = 64;

/// Ends a test that hangs; longer than all waits of the crate together, in a time that does not pass.
const DEADLINE: Duration = Duration::from_secs(3_600);

async fn within<T>(wait: impl Future<Output = T>) -> T {
    timeout(DEADLINE, wait).await.expect("it ends in time")
}

async fn open(device: &FakeDevice) -> HttpPool {
    open_with(device, Quirks::default()).await
}

async fn open_with(device: &FakeDevice, quirks: Quirks) -> HttpPool {
    within(HttpPool::open(device.opened(), &device.function(), quirks))
        .await
        .unwrap()
}

/// A request as a client writes it.
fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: printer\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The same as the device gets it.
fn posted(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// One exchange: what was read up to the end or the error, the error, and the evidence.
async fn exchange(pool: &HttpPool, request: &[u8]) -> (Vec<u8>, io::Result<()>, Evidence) {
    let mut stream = match within(pool.dial()).await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error.into()), Evidence::default()),
    };
    let evidence = stream.evidence();
    let mut answer = Vec::new();
    let outcome = within(async {
        stream.write_all(request).await?;
        stream.flush().await?;
        stream.read_to_end(&mut answer).await.map(|_len| ())
    });
    let outcome = outcome.await;
    (answer, outcome, evidence)
}

/// An exchange that must go well.
async fn ask(pool: &HttpPool, request: &[u8]) -> Vec<u8> {
    let (answer, outcome, _) = exchange(pool, request).await;
    outcome.unwrap();
    answer
}

fn error_of(outcome: io::Result<()>) -> UsbError {
    let error = outcome.expect_err("it fails");
    UsbError::within(&error)
        .cloned()
        .unwrap_or_else(|| panic!("{error:?}"))
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap()
}

fn count(device: &FakeDevice, what: &str) -> usize {
    device
        .log()
        .iter()
        .filter(|it| it.starts_with(what))
        .count()
}
