//! Which devices are there, and which is which.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use loket_sim::usb::{
    ByteSink, ControlFault, Description, Interface, Lie, Port, PortRequest, Protocol, UsbKnobs,
};
use loket_usb::{DeviceAddress, Event, FunctionKind, Plugged, Quirks, UsbError, Watch};
use tokio::time::timeout;

use crate::devices::{address, close, ipp, listed, open_http, printer};
use crate::udev::Udev;
use crate::value::{holds, same, until};
use crate::vhci;

pub(super) async fn identity() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 3).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let device = listed(&plugged).await?;
    same(
        "the serial",
        device.identity.serial.as_deref(),
        Some("LKT-0001"),
    )?;
    same(
        "the product",
        device.product.as_deref(),
        Some("Virtual IPP"),
    )?;
    let ipp = device
        .function(FunctionKind::IppUsb)
        .context("find IPP over USB")?;
    let places: Vec<(u8, u8)> = ipp
        .places
        .iter()
        .map(|it| (it.interface, it.setting))
        .collect();
    same("the settings for IPP", places, vec![(0, 1), (1, 1), (2, 1)])?;
    let raw = device
        .function(FunctionKind::RawPrinter)
        .context("find the raw printer")?;
    let places: Vec<(u8, u8)> = raw
        .places
        .iter()
        .map(|it| (it.interface, it.setting))
        .collect();
    same("the settings for bytes", places, vec![(0, 0)])?;
    let opened = loket_usb::open_raw(&device, Quirks::default())
        .await
        .context("open it")?;
    let id = opened.device_id().await.context("ask for its device id")?;
    same("the model", id.model(), Some("Virtual IPP"))?;
    let status = opened
        .port_status()
        .await
        .context("ask for its port status")?;
    same("the port status", status.bits(), 0x18)?;
    opened.close().await;
    let named = address(&device, std::slice::from_ref(&device), FunctionKind::IppUsb);
    plugged.unplug().await?;
    Ok(named)
}

/// Two devices of one model, each with a serial number of its own.
pub(super) async fn twins_by_serial() -> anyhow::Result<String> {
    let (one, two) = (printer("LKT-A", 2).await?, printer("LKT-B", 2).await?);
    let first = one.plug(0, UsbKnobs::default()).await?;
    let second = two.plug(1, UsbKnobs::default()).await?;
    for (printer, plugged) in [(&one, &first), (&two, &second)] {
        let device = listed(plugged).await?;
        let all = loket_usb::list().await.context("list the devices")?;
        let named = address(&device, &all, FunctionKind::IppUsb);
        holds("a serial number is enough", !named.contains("port="))?;
        let parsed: DeviceAddress = named.parse().context("read its address")?;
        let found = loket_usb::find(&parsed).await.context("find it")?;
        same("the device found", &found, &device)?;
        let pool = open_http(plugged, Quirks::default()).await?;
        let (_way, client) = ipp(&pool)?;
        let uuid = client.printer_uuid().await.context("ask for its uuid")?;
        let expected = printer.sim.report().uuid;
        holds(
            "the right one answers",
            uuid.is_some_and(|it| it.contains(&expected)),
        )?;
        close(&pool).await;
    }
    first.unplug().await?;
    second.unplug().await?;
    Ok("each found by its serial number".to_owned())
}

/// Two devices of one model without serial numbers, and two that claim the same.
pub(super) async fn twins_by_port() -> anyhow::Result<String> {
    let mut told = Vec::new();
    for serial in [None, Some("0000")] {
        let sink = ByteSink::default();
        let port: Arc<dyn Port> = Arc::new(sink.clone());
        let description = Description::ticket_printer(serial, port);
        let first = vhci::plug(0, description.clone(), UsbKnobs::default()).await?;
        let second = vhci::plug(1, description, UsbKnobs::default()).await?;
        let device = listed(&second).await?;
        let all = loket_usb::list().await.context("list the devices")?;
        let named = address(&device, &all, FunctionKind::RawPrinter);
        let parsed: DeviceAddress = named.parse().context("read its address")?;
        let found = loket_usb::find(&parsed).await.context("find it")?;
        same(
            "the device found",
            found.identity.port.to_string().as_str(),
            second.name(),
        )?;
        let (bare, _) = named
            .split_once('?')
            .context("find a socket in its address")?;
        let bare: DeviceAddress = bare.parse().context("read an address without a socket")?;
        match loket_usb::find(&bare).await {
            Err(UsbError::Ambiguous { candidates, .. }) => {
                same("the candidates", candidates.len(), 2)?;
            }
            other => bail!("an address that fits two gave {other:?}"),
        }
        first.unplug().await?;
        second.unplug().await?;
        told.push(named);
    }
    Ok(told.join(" "))
}

pub(super) async fn no_printer() -> anyhow::Result<String> {
    let disk = Description::new(
        "Disk",
        None,
        "",
        vec![Interface::plain(Protocol::Disk, None)],
    );
    let plugged = vhci::plug(0, disk, UsbKnobs::default()).await?;
    let all = loket_usb::list().await.context("list the devices")?;
    let is_there = all
        .iter()
        .any(|it| it.identity.port.to_string() == plugged.name());
    holds("a disk is no printer", !is_there)?;
    plugged.unplug().await?;
    Ok(format!("{} others", all.len()))
}

const LIES: &[Lie] = &[
    Lie::LongerConfiguration,
    Lie::MoreInterfaces,
    Lie::ZeroLength,
    Lie::NoEndpoints,
    Lie::OutOnly,
    Lie::InterruptEndpoints,
    Lie::ZeroPacket,
    Lie::BadStrings,
    Lie::LongerDeviceId,
];

/// Whatever a device says of itself, the list stands, a good one beside it works, and nothing hangs.
pub(super) async fn liars() -> anyhow::Result<String> {
    let good = printer("LKT-GOOD", 2).await?;
    let beside = good.plug(7, UsbKnobs::default()).await?;
    let mut told = Vec::new();
    for lie in LIES {
        let liar = printer("LKT-LIAR", 2).await?;
        let description = Description {
            lie: Some(*lie),
            ..liar.description.clone()
        };
        let plugged = vhci::plug_only(0, description, UsbKnobs::default()).await?;
        // The kernel refuses some of them, and gives others a configuration.
        until("an enumerated device", || {
            (plugged.said("bConfigurationValue").is_some() || plugged.usb.report().is_unplugged)
                .then_some(())
        })
        .await?;
        let listing = loket_usb::list().await;
        let all = listing.with_context(|| format!("list the devices with {lie:?}"))?;
        holds(
            "the good one is listed",
            all.iter()
                .any(|it| it.identity.serial.as_deref() == Some("LKT-GOOD")),
        )?;
        let listed = all
            .iter()
            .find(|it| it.identity.port.to_string() == plugged.name());
        told.push(format!("{lie:?}: {}", said_of(listed).await));
        plugged.unplug().await?;
    }
    let pool = open_http(&beside, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    client
        .printer_attributes()
        .await
        .context("ask the good one")?;
    close(&pool).await;
    beside.unplug().await?;
    Ok(told.join("; "))
}

/// What became of a liar: not listed, refused with a reason, or used as far as it is true.
async fn said_of(listed: Option<&Plugged>) -> String {
    let Some(device) = listed else {
        return "not listed".to_owned();
    };
    let http = match loket_usb::open_http(device, Quirks::default()).await {
        Ok(pool) => {
            close(&pool).await;
            "opened".to_owned()
        }
        Err(error) => error.keyword().to_owned(),
    };
    let raw = match loket_usb::open_raw(device, Quirks::default()).await {
        Ok(raw) => {
            raw.close().await;
            "opened".to_owned()
        }
        Err(error) => error.keyword().to_owned(),
    };
    format!("http {http}, raw {raw}")
}

/// How often the bus is looked at where no udev runs.
const PERIOD: Duration = Duration::from_millis(200);

/// Who looks so seldom sees nothing of what is tried here.
const SELDOM: Duration = Duration::from_secs(24 * 3600);

const EVENT_DEADLINE: Duration = Duration::from_secs(30);

/// Without udev the bus is looked at.
pub(super) async fn hotplug() -> anyhow::Result<String> {
    told_of_cables(loket_usb::watch(PERIOD)).await
}

/// With it, what it tells is all that there is to hear of.
pub(super) async fn hotplug_by_udev() -> anyhow::Result<String> {
    let udev = Udev::start().await?;
    let told = told_of_cables(loket_usb::watch(SELDOM)).await;
    udev.stop().await?;
    told
}

/// Plugs a device in and out, twice, and holds what a watch tells against it.
async fn told_of_cables(mut watch: Watch) -> anyhow::Result<String> {
    let printer = printer("LKT-HOT", 2).await?;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let plugged = printer.plug(2, UsbKnobs::default()).await?;
        let event = timeout(EVENT_DEADLINE, watch.next())
            .await
            .context("hear of a plug")?;
        let Event::Plugged(device) = event.context("hear of a plug")? else {
            bail!("a plug was told as no plug");
        };
        same(
            "the device told",
            device.identity.port.to_string().as_str(),
            plugged.name(),
        )?;
        numbers.push(device.number);
        plugged.unplug().await?;
        let event = timeout(EVENT_DEADLINE, watch.next())
            .await
            .context("hear of unplugging")?;
        let Event::Unplugged(gone) = event.context("hear of unplugging")? else {
            bail!("unplugging was told as no unplugging");
        };
        same("the device gone", gone, device)?;
    }
    holds(
        "each time has its own number",
        numbers.first() != numbers.last(),
    )?;
    Ok(format!("numbers {numbers:?} at one socket"))
}

/// A device id that is refused, that never comes, or that says a wrong length is asked for and nothing else suffers.
pub(super) async fn device_id_faults() -> anyhow::Result<String> {
    let mut told = Vec::new();
    for fault in [
        ControlFault::Stall,
        ControlFault::OneByte,
        ControlFault::Silence,
    ] {
        let printer = printer("LKT-ID", 2).await?;
        let plugged = printer.plug(0, UsbKnobs::default()).await?;
        plugged.usb.turn(|knobs| {
            knobs.control.insert(PortRequest::DeviceId, fault);
        });
        let device = listed(&plugged).await?;
        let opened = loket_usb::open_raw(&device, Quirks::default()).await;
        let mut raw = opened.context("open it all the same")?;
        let asked = raw.device_id().await;
        told.push(match &asked {
            Ok(id) => format!("{fault:?}: {} fields", id.fields().count()),
            Err(error) => format!("{fault:?}: {}", error.keyword()),
        });
        holds(
            "no model is made up",
            asked.ok().is_none_or(|id| id.model().is_none()),
        )?;
        raw.write(b"bytes").await.context("write all the same")?;
        printer.sink.until(5).await;
        raw.close().await;
        plugged.unplug().await?;
    }
    Ok(told.join("; "))
}
