//! Which devices are plugged in, from sysfs: nothing is opened, woken or asked.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream as _;
use nusb::{DeviceInfo, MaybeFuture as _};
use tokio::task::spawn_blocking;

use super::error;
use crate::descriptor::{self, Functions, MAX_DESCRIPTOR_BYTES};
use crate::error::{Doing, UsbError};
use crate::identity::{Identity, Model, PortPath};
use crate::plugged::Plugged;

/// A number of three digits and a line end.
const MAX_NUMBER_BYTES: usize = 8;

/// Where udev takes orders; libudev and libusb tell by it whether udev runs.
const UDEV_CONTROL: &str = "/run/udev/control";

/// What a look at the bus found.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// Devices with printer interfaces, by their sockets.
    pub(crate) plugged: Vec<Plugged>,
    /// A device is there that the kernel has not finished with: another look will show more.
    pub(crate) is_unready: bool,
}

/// Looks which devices with printer interfaces are there.
pub(crate) async fn list() -> Result<Listed, UsbError> {
    let doing = Doing::Listing;
    let looked = spawn_blocking(move || {
        let devices = nusb::list_devices().wait();
        let devices = devices.map_err(|failed| error(doing, &failed))?;
        let mut listed = Listed::default();
        for device in devices {
            match look(&device) {
                Look::Printer(plugged) => listed.plugged.push(*plugged),
                Look::Unready => listed.is_unready = true,
                Look::Other => {}
            }
        }
        listed
            .plugged
            .sort_by(|one, two| one.identity.port.cmp(&two.identity.port));
        Ok(listed)
    });
    // The work cannot panic; it is not begun any more where the runtime ends.
    looked.await.unwrap_or(Err(UsbError::Closed))
}

/// What hangs at the socket of `identity` under this number, where it is still the same.
pub(super) async fn info(identity: Identity, number: u8) -> Result<DeviceInfo, UsbError> {
    let doing = Doing::Opening;
    let looked = spawn_blocking(move || {
        let devices = nusb::list_devices().wait();
        let mut devices = devices.map_err(|failed| error(doing, &failed))?;
        let same = |it: &DeviceInfo| it.device_address() == number && is_at(&identity, it);
        devices.find(same).ok_or(UsbError::Unplugged { doing })
    });
    looked.await.unwrap_or(Err(UsbError::Closed))
}

/// True where a listed device is of this model and serial number, and hangs at this socket.
fn is_at(identity: &Identity, info: &DeviceInfo) -> bool {
    let port = PortPath::new(info.busnum(), info.port_chain());
    port.as_ref() == Some(&identity.port)
        && info.vendor_id() == identity.model.vendor
        && info.product_id() == identity.model.product
        && info.serial_number().filter(|it| !it.is_empty()) == identity.serial.as_deref()
}

/// What the kernel shows of one device.
enum Look {
    Printer(Box<Plugged>),
    Unready,
    Other,
}

fn look(device: &DeviceInfo) -> Look {
    let path = device.sysfs_path();
    let Some(descriptors) = read(&path.join("descriptors"), MAX_DESCRIPTOR_BYTES) else {
        // Gone since the list was made.
        return Look::Other;
    };
    let Some(port) = PortPath::new(device.busnum(), device.port_chain()) else {
        return Look::Other;
    };
    // The file is empty until the device has a configuration.
    let Some(active) = number(&path.join("bConfigurationValue")) else {
        return Look::Unready;
    };
    let Functions { functions, fault } = match descriptor::functions(&descriptors, active) {
        Ok(functions) => functions,
        Err(fault) => {
            tracing::debug!(usb.port = %port, %fault, "a device describes itself wrongly");
            return Look::Other;
        }
    };
    if functions.is_empty() && fault.is_none() {
        return Look::Other;
    }
    let model = Model {
        vendor: device.vendor_id(),
        product: device.product_id(),
    };
    let text = |text: Option<&str>| text.map(str::to_owned).filter(|it| !it.is_empty());
    Look::Printer(Box::new(Plugged {
        identity: Identity {
            model,
            serial: text(device.serial_number()),
            port,
        },
        number: device.device_address(),
        manufacturer: text(device.manufacturer_string()),
        product: text(device.product_string()),
        functions,
        fault,
    }))
}

/// What a file of sysfs holds; nothing where it cannot be read or is larger than it can be.
fn read(path: &Path, max_bytes: usize) -> Option<Vec<u8>> {
    let bound = u64::try_from(max_bytes).ok()?.saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(bound)
        .read_to_end(&mut bytes)
        .ok()?;
    (bytes.len() <= max_bytes).then_some(bytes)
}

fn number(path: &Path) -> Option<u8> {
    let bytes = read(path, MAX_NUMBER_BYTES)?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// Hints of udev that something was plugged in or out.
pub(crate) struct Hints(nusb::hotplug::HotplugWatch);

impl Hints {
    /// Listens from here on; nothing where no udev runs. Its socket can be listened to all the same, and stays silent.
    pub(crate) fn listen() -> Result<Option<Self>, UsbError> {
        if !Path::new(UDEV_CONTROL).exists() {
            return Ok(None);
        }
        let watch = nusb::watch_devices();
        let watch = watch.map_err(|failed| error(Doing::Listing, &failed))?;
        Ok(Some(Self(watch)))
    }

    /// What an event says is not told: the list that is read after it is the truth. Nothing where there will be none.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|event| event.map(drop))
    }
}
