//! From a list and an address to an opened device.

use crate::address::DeviceAddress;
use crate::error::UsbError;
use crate::http::HttpPool;
use crate::native;
use crate::plugged::{Function, FunctionKind, Plugged};
use crate::quirks::Quirks;
use crate::raw::RawPrinter;

/// The devices with printer interfaces that are plugged in, by their sockets; nothing is opened, woken or asked.
///
/// # Errors
/// [`UsbError::Denied`] and [`UsbError::System`] where sysfs cannot be read.
pub async fn list() -> Result<Vec<Plugged>, UsbError> {
    native::list().await.map(|listed| listed.plugged)
}

/// The one device that an address means.
///
/// # Errors
/// As [`list`] and [`DeviceAddress::choose`].
pub async fn find(address: &DeviceAddress) -> Result<Plugged, UsbError> {
    let plugged = list().await?;
    address.choose(&plugged).cloned()
}

/// Opens a device for HTTP over USB.
///
/// # Errors
/// [`UsbError::Unplugged`] where it is there no more, [`UsbError::Denied`], [`UsbError::NoFunction`]; as
/// [`HttpPool::open`].
pub async fn open_http(device: &Plugged, quirks: Quirks) -> Result<HttpPool, UsbError> {
    let function = function(device, FunctionKind::IppUsb)?;
    HttpPool::open(native::open(device).await?, function, quirks).await
}

/// Opens a device as a raw printer.
///
/// # Errors
/// [`UsbError::Unplugged`] where it is there no more, [`UsbError::Denied`], [`UsbError::NoFunction`]; as
/// [`RawPrinter::open`].
pub async fn open_raw(device: &Plugged, quirks: Quirks) -> Result<RawPrinter, UsbError> {
    let function = function(device, FunctionKind::RawPrinter)?;
    RawPrinter::open(native::open(device).await?, function, quirks).await
}

fn function(device: &Plugged, wanted: FunctionKind) -> Result<&Function, UsbError> {
    device.function(wanted).ok_or_else(|| UsbError::NoFunction {
        device: DeviceAddress::of(device, wanted, &[]).to_string(),
        wanted,
    })
}
