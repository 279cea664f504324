//! The daemon's ear for cables.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use loket_daemon::Config;
use loket_daemon::device::{IppDevice, Printer as _};
use loket_daemon::unit::hotplug::{HotplugUnit, Plug};
use loket_sim::usb::UsbKnobs;
use loket_usb::FunctionKind;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::devices::{address, listed, printer};
use crate::udev::Udev;
use crate::value::same;

/// An emulated processor on a busy machine is some fifty times slower than a real one. Where udev runs the bus is looked at every
/// 30 s: what is told sooner was told by udev.
const DEADLINE: Duration = Duration::from_secs(20);

/// In a kernel with Debian's udev.
pub(super) async fn wakes_by_udev() -> anyhow::Result<String> {
    let udev = Udev::start().await?;
    let told = wakes().await;
    udev.stop().await?;
    told
}

/// A printer of the settings is told of when it is plugged in and out, and answers, or not, who then looks at it as the health
/// unit does.
pub(super) async fn wakes() -> anyhow::Result<String> {
    let printer = printer("LKT-WAKE", 2).await?;
    let first = printer.plug(3, UsbKnobs::default()).await?;
    let device = listed(&first).await?;
    let uri = address(&device, std::slice::from_ref(&device), FunctionKind::IppUsb);
    first.unplug().await?;

    let config = config(&uri).await?;
    let settings = config.printers.first().context("find the printer")?;
    let profiles = loket_daemon::profiles::load(None).context("read the shipped profiles")?;
    let device = IppDevice::new(settings, &config.machine, Arc::new(profiles));
    let device = device.context("take the printer of the settings")?;
    let (unit, plugs) = HotplugUnit::of(&config).context("watch for the printer")?;
    let mut plug = plugs.of(&settings.name);
    let stop = CancellationToken::new();
    let mut unit_running = JoinSet::new();
    unit_running.spawn(unit.run(stop.clone()));

    let mut told = Vec::new();
    for _time in 0..2 {
        let plugged = printer.plug(3, UsbKnobs::default()).await?;
        told.push(heard(&mut plug, true).await?);
        let status = device
            .status()
            .await
            .context("look at it once it is there")?;
        same("its state", status.state, "idle")?;
        plugged.unplug().await?;
        told.push(heard(&mut plug, false).await?);
        // The first exchange may meet the device that hung there: the health unit asks a second time too.
        drop(device.status().await);
        let Err(fault) = device.status().await else {
            bail!("a printer that is not there answered");
        };
        same("why", fault.reason().as_str(), "usb-not-there")?;
    }
    stop.cancel();
    let ended = timeout(DEADLINE, unit_running.join_next()).await;
    ended.context("end the unit")?;
    Ok(format!("told after {told:?} ms"))
}

/// Milliseconds until it is told that the printer is there, or is not.
async fn heard(plug: &mut Plug, is_there: bool) -> anyhow::Result<u128> {
    let start = Instant::now();
    let changed = timeout(DEADLINE, plug.changed()).await;
    same(
        "what is told",
        changed.context("hear of the cable")?,
        is_there,
    )?;
    Ok(start.elapsed().as_millis())
}

/// Settings with this printer alone.
async fn config(uri: &str) -> anyhow::Result<Config> {
    let path = std::path::Path::new("/tmp/hotplug.toml");
    let text = format!(
        "machine = \"desa-contoh-1\"\nstate_dir = \"/tmp\"\nruntime_dir = \"/tmp\"\ntrust_dir = \"/tmp\"\n\
         [[printer]]\nname = \"a4\"\nuri = \"{uri}\"\n"
    );
    tokio::fs::write(path, text)
        .await
        .context("write settings")?;
    Config::read(path).context("read settings")
}
