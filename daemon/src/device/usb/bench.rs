//! A printer of the settings on a cable in memory, for the tests of the units that are woken by it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loket_device_profile::Profiles;
use loket_ipp_printer::{
    IppPrinter, OpenFuture, OpenUsb, Options, PrinterUri, USB_PRINTER_URI, UsbTransport,
};
use loket_usb::fake::{FakeBus, FakeDevice, Said, ok};
use loket_usb::{DeviceAddress, HttpPool, Plugged, Quirks};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::device::IppDevice;
use crate::unit::hotplug::{HotplugUnit, Plugs};

/// The printer's name in the settings.
pub(crate) const NAME: &str = "a4";

const STARTING: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

const ADDRESS: &str = "ippusb://1209:0001/S1";

/// How often a bus without udev is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A computer's USB, one printer that comes and goes, and the hotplug unit over both.
pub(crate) struct CableBench {
    pub(crate) bus: FakeBus,
    pub(crate) plugs: Plugs,
    device: Arc<Mutex<FakeDevice>>,
    is_ready: Arc<AtomicBool>,
    number: u8,
    _unit: JoinSet<()>,
}

impl CableBench {
    /// Nothing is plugged in yet.
    pub(crate) fn new(has_udev: bool) -> Self {
        let bus = FakeBus::default();
        let watch = bus.watch(has_udev, LOOK_EVERY);
        let printers = vec![(NAME.to_owned(), ADDRESS.parse().unwrap())];
        let (unit, plugs) = HotplugUnit::over(watch, printers);
        let mut running = JoinSet::new();
        running.spawn(unit.run(CancellationToken::new()));
        let is_ready = Arc::default();
        Self {
            bus,
            plugs,
            device: Arc::new(Mutex::new(printer(&is_ready))),
            is_ready,
            number: 1,
            _unit: running,
        }
    }

    /// The printer as the daemon has it.
    pub(crate) fn printer(&self) -> IppDevice {
        let cable = Cable {
            bus: self.bus.clone(),
            device: Arc::clone(&self.device),
        };
        let transport = UsbTransport::new(Box::new(cable));
        let uri = PrinterUri::parse(USB_PRINTER_URI).unwrap();
        let printer = IppPrinter::over(Arc::new(transport), uri, Options::default());
        IppDevice::over(printer, "loket-test".to_owned(), Arc::new(Profiles::none()))
    }

    /// Plugs it in under a new number; one that is still starting says nothing that is IPP.
    pub(crate) fn plug(&mut self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Release);
        let device = printer(&self.is_ready);
        self.number = self.number.wrapping_add(1);
        let plugged = Plugged {
            number: self.number,
            ..device.plugged(Some("S1"), 1)
        };
        *self.device.lock().unwrap() = device;
        self.bus.turn(|bus| bus.plugged = vec![plugged]);
        self.bus.hint();
    }

    /// One that was still starting answers from here on.
    pub(crate) fn get_ready(&self) {
        self.is_ready.store(true, Ordering::Release);
    }

    /// Plugs it out.
    pub(crate) fn unplug(&self) {
        self.device.lock().unwrap().unplug();
        self.bus.turn(|bus| bus.plugged.clear());
        self.bus.hint();
    }
}

#[derive(Debug)]
struct Cable {
    bus: FakeBus,
    device: Arc<Mutex<FakeDevice>>,
}

impl OpenUsb for Cable {
    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let address: DeviceAddress = ADDRESS.parse().unwrap();
            address.choose(&self.bus.plugged())?;
            let device = self.device.lock().unwrap().clone();
            HttpPool::open(device.opened(), &device.function(), Quirks::default()).await
        })
    }
}

/// Answers whatever it is asked with its state, which is idle, once it is ready.
fn printer(is_ready: &Arc<AtomicBool>) -> FakeDevice {
    let is_ready = Arc::clone(is_ready);
    FakeDevice::http(1, 64, move |request| {
        if !is_ready.load(Ordering::Acquire) {
            return vec![Said::Bytes(STARTING.to_vec())];
        }
        let head = request.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        // The body begins behind the empty line; the id stands behind version and operation.
        vec![Said::Bytes(ok(&idle_in_ipp(&request[head + 8..head + 12])))]
    })
}

/// An answer of Get-Printer-Attributes (RFC 8010 section 3), written by hand: version 1.1, successful-ok, the id of the
/// request, and what an answer must hold.
fn idle_in_ipp(request_id: &[u8]) -> Vec<u8> {
    let state = 3_u32.to_be_bytes();
    let operation = [
        attribute(0x47, "attributes-charset", b"utf-8"),
        attribute(0x48, "attributes-natural-language", b"en"),
    ];
    let printer = [
        attribute(0x23, "printer-state", &state),
        attribute(0x44, "printer-state-reasons", b"none"),
        attribute(0x22, "printer-is-accepting-jobs", &[1]),
    ];
    let parts: [&[u8]; 7] = [
        &[1, 1, 0, 0],
        request_id,
        &[0x01],
        &operation.concat(),
        &[0x04],
        &printer.concat(),
        &[0x03],
    ];
    parts.concat()
}

fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let len = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let name = name.as_bytes();
    [&[tag], &len(name)[..], name, &len(value), value].concat()
}
