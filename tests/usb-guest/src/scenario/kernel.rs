//! What the kernel itself makes of our devices: if these fail, the devices are wrong, not what drives them.

use anyhow::Context;
use loket_sim::usb::{ByteSink, Description, Direction, Fault, Trigger, UsbKnobs};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use crate::devices::{document, printer, sha256};
use crate::value::{same, until};
use crate::vhci;

/// Three interfaces, the first with usblp on its first setting.
pub(super) async fn settings() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 3).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let said = |file: &str| plugged.said(file).unwrap_or_default();
    same("the vendor", said("idVendor").as_str(), "1209")?;
    same("the serial", said("serial").as_str(), "LKT-0001")?;
    same("the speed", said("speed").as_str(), "480")?;
    same("the interfaces", said("bNumInterfaces").trim(), "3")?;
    let id = format!("{}:1.0/ieee1284_id", plugged.name());
    let id = said(&id);
    same(
        "the device id",
        id.starts_with("MFG:Loket;MDL:Virtual IPP;"),
        true,
    )?;
    same("the driver of interface 1", plugged.driver(1), None)?;
    let devnum = said("devnum");
    plugged.unplug().await?;
    Ok(format!("device {devnum}, {id}"))
}

/// Bytes through the kernel's own driver.
pub(super) async fn prints() -> anyhow::Result<String> {
    let sink = ByteSink::default();
    let description = Description::ticket_printer(Some("T-1"), std::sync::Arc::new(sink.clone()));
    let plugged = vhci::plug(0, description, UsbKnobs::default()).await?;
    plugged.until_usblp(0).await?;
    let bytes = document(100_000);
    write_lp(&bytes).await.context("write to usblp")?;
    let count = || Some(sink.count()).filter(|count| *count >= 100_000);
    until("all bytes", count).await?;
    same("the bytes that came", sink.sha256(), sha256(&bytes))?;
    plugged.unplug().await?;
    Ok("100000 bytes".to_owned())
}

/// A plug that is pulled while the kernel's own driver writes.
pub(super) async fn unplugging() -> anyhow::Result<String> {
    let sink = ByteSink::default();
    let description = Description::ticket_printer(Some("T-1"), std::sync::Arc::new(sink.clone()));
    let plugged = vhci::plug(0, description, UsbKnobs::default()).await?;
    plugged.until_usblp(0).await?;
    plugged.usb.arm(Trigger {
        interface: 0,
        direction: Direction::Out,
        after_bytes: 50_000,
        fault: Fault::Unplug,
    });
    let written = write_lp(&document(100_000)).await;
    let failed = written.err().context("fail to write past an unplugging")?;
    plugged.until_gone().await?;
    let report = plugged.usb.report();
    let took = report.interfaces.first().map(|it| it.received_bytes);
    same("the bytes it took", took, Some(50_000))?;
    Ok(format!("gone behind 50000 bytes: {failed:#}"))
}

async fn write_lp(bytes: &[u8]) -> anyhow::Result<()> {
    let path = "/dev/usb/lp0";
    until(path, || std::path::Path::new(path).exists().then_some(())).await?;
    let opened = fs::OpenOptions::new().write(true).open(path).await;
    let mut lp = opened.context("open it")?;
    lp.write_all(bytes).await.context("write to it")?;
    lp.flush().await.context("write to it")
}
