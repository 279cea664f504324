//! Sockets of the kernel's virtual host controller, into which virtual devices are plugged.

use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use loket_sim::usb::{Description, UsbKnobs, UsbReport, VirtualUsb};
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

use crate::value::{text, until};

const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";

const DEVICES: &str = "/sys/bus/usb/devices";

/// High speed, as the kernel counts (`USB_SPEED_HIGH`).
const HIGH_SPEED: u8 = 3;

/// A socket with nothing in it (`VDEV_ST_NULL`).
const FREE: &str = "004";

/// Where devices and the printers behind them run: beside whoever drives them, for they answer what he waits for.
pub(crate) fn beside() -> anyhow::Result<&'static Runtime> {
    static BESIDE: OnceLock<Option<Runtime>> = OnceLock::new();
    let made = BESIDE.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .worker_threads(DEVICE_THREADS)
            .enable_all()
            .build()
            .ok()
    });
    made.as_ref().context("start the devices' threads")
}

/// Devices never block.
const DEVICE_THREADS: usize = 2;

/// A virtual device in a socket of the kernel.
#[derive(Debug)]
pub(crate) struct PluggedIn {
    pub(crate) usb: VirtualUsb,
    /// As the kernel names it: `3-1`.
    name: String,
    port: u8,
}

/// Plugs a device into socket `port`, 0 to 7, and waits until the kernel knows it.
pub(crate) async fn plug(
    port: u8,
    description: Description,
    knobs: UsbKnobs,
) -> anyhow::Result<PluggedIn> {
    let plugged = plug_only(port, description, knobs).await?;
    plugged.until_configured().await?;
    Ok(plugged)
}

/// As [`plug`], for a device that the kernel may refuse.
pub(crate) async fn plug_only(
    port: u8,
    description: Description,
    knobs: UsbKnobs,
) -> anyhow::Result<PluggedIn> {
    until("a free socket", || is_free(port).then_some(())).await?;
    let (ours, theirs) = StdStream::pair().context("make a pair of sockets")?;
    ours.set_nonblocking(true).context("make a socket ready")?;
    let usb = {
        let _beside = beside()?.enter();
        let ours = UnixStream::from_std(ours).context("make a socket ready")?;
        VirtualUsb::plug(description, knobs, ours)
    };
    let fd = theirs.as_raw_fd();
    // Bus and device number at the other end, of which there is none.
    let device = (1_u32 << 16) | u32::from(port);
    let line = format!("{port} {fd} {device} {HIGH_SPEED}");
    std::fs::write(format!("{CONTROLLER}/attach"), line).context("plug a device in")?;
    let name = format!("{}-{}", bus()?, port.saturating_add(1));
    Ok(PluggedIn { usb, name, port })
}

impl PluggedIn {
    /// Its folder in sysfs.
    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(DEVICES).join(&self.name)
    }

    /// As the kernel names its socket.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What one of its files in sysfs says.
    pub(crate) fn said(&self, file: &str) -> Option<String> {
        text(self.folder().join(file))
    }

    /// The kernel's driver of an interface, where it has one.
    pub(crate) fn driver(&self, interface: u8) -> Option<String> {
        let link = self
            .folder()
            .join(format!("{}:1.{interface}/driver", self.name));
        let target = std::fs::read_link(link).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    pub(crate) async fn until_configured(&self) -> anyhow::Result<()> {
        let configured = || self.said("bConfigurationValue").filter(|it| it == "1");
        until("a configured device", configured).await?;
        Ok(())
    }

    /// Waits until the kernel's printer driver has the interface.
    pub(crate) async fn until_usblp(&self, interface: u8) -> anyhow::Result<()> {
        let what = format!("usblp at interface {interface}");
        let driver = || self.driver(interface).filter(|it| it == "usblp");
        until(&what, driver).await.map(drop)
    }

    /// Pulls the plug, waits until the kernel has noticed, and says what the device saw.
    pub(crate) async fn unplug(self) -> anyhow::Result<UsbReport> {
        let (folder, port) = (self.folder(), self.port);
        let report = self.usb.unplug().await;
        until_gone(&folder, port).await?;
        Ok(report)
    }

    /// Waits until the kernel has noticed that the device went by itself.
    pub(crate) async fn until_gone(&self) -> anyhow::Result<()> {
        until_gone(&self.folder(), self.port).await
    }
}

async fn until_gone(folder: &Path, port: u8) -> anyhow::Result<()> {
    let gone = || (!folder.exists() && is_free(port)).then_some(());
    until("an empty socket", gone).await
}

/// The number of the controller's bus.
fn bus() -> anyhow::Result<u8> {
    let entries = std::fs::read_dir(CONTROLLER).context("look at the virtual host controller")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let buses = names.filter_map(|name| name.strip_prefix("usb")?.parse::<u8>().ok());
    // It has two: the first is that of high speed.
    buses
        .min()
        .context("find the bus of the virtual host controller")
}

/// Lines like `hs  0000 004 000 00000000 000000 0-0`.
fn is_free(port: u8) -> bool {
    let status = text(format!("{CONTROLLER}/status")).unwrap_or_default();
    let wanted = format!("{port:04}");
    status.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("hs")
            && words.next() == Some(wanted.as_str())
            && words.next() == Some(FREE)
    })
}
