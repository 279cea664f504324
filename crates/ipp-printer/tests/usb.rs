//! A printer behind HTTP over USB: asked, unplugged, plugged in again.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use loket_ipp_printer::{
    IppError, IppPrinter, OpenFuture, OpenUsb, Options, PrinterUri, USB_PRINTER_URI, UsbTransport,
};
use loket_usb::fake::{FakeDevice, Said};
use loket_usb::{HttpPool, Quirks, UsbError};

/// Devices that are plugged into one socket, one after the other.
#[derive(Debug, Clone)]
struct Socket(Arc<Mutex<VecDeque<FakeDevice>>>);

impl OpenUsb for Socket {
    fn open(&self) -> OpenFuture<'_> {
        Box::pin(async {
            let next = self.0.lock().unwrap().pop_front();
            let device = next.ok_or_else(|| UsbError::NotThere {
                address: "ippusb://1209:0001/".to_owned(),
                instead: Vec::new(),
            })?;
            HttpPool::open(device.opened(), &device.function(), Quirks::default()).await
        })
    }
}

/// A printer without a page for IPP: its answer needs no codec, and comes over the whole way.
fn device() -> FakeDevice {
    FakeDevice::http(2, 64, |request| {
        let head = String::from_utf8_lossy(request);
        assert!(head.starts_with("POST /ipp/print HTTP/1.1\r\n"), "{head}");
        assert!(
            head.to_ascii_lowercase()
                .contains("\r\nhost: localhost\r\n"),
            "{head}"
        );
        vec![Said::Bytes(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        )]
    })
}

fn printer(socket: &Socket) -> IppPrinter {
    let uri = PrinterUri::parse(USB_PRINTER_URI).unwrap();
    let transport = UsbTransport::new(Box::new(socket.clone()));
    IppPrinter::over(Arc::new(transport), uri, Options::default())
}

fn is_answered(error: &IppError) -> bool {
    matches!(error, IppError::NotIpp { .. })
}

#[tokio::test]
async fn a_printer_that_was_unplugged_is_asked_again_once_it_is_back() {
    let (first, second) = (device(), device());
    let plugged = VecDeque::from([first.clone(), second.clone()]);
    let socket = Socket(Arc::new(Mutex::new(plugged)));
    let printer = printer(&socket);
    for _asked in 0..3 {
        let error = printer.printer_attributes().await.unwrap_err();
        assert!(is_answered(&error), "{error:?}");
    }
    assert_eq!(
        socket.0.lock().unwrap().len(),
        1,
        "one opening serves all exchanges"
    );

    first.unplug();
    // The exchange that meets it may be lost; the next ones go over the device that is there by then.
    let met = printer.printer_attributes().await.unwrap_err();
    let after = printer.printer_attributes().await.unwrap_err();
    assert!(is_answered(&after), "{met:?} {after:?}");
    assert!(second.accepted_bytes() > 0);

    second.unplug();
    drop(printer.printer_attributes().await);
    let error = printer.printer_attributes().await.unwrap_err();
    assert!(error.nothing_left(), "{error:?}");
    let IppError::NotReached { source } = error else {
        panic!("{error:?}")
    };
    let usb = UsbError::within(&source).unwrap();
    assert_eq!(usb.keyword(), "usb-not-there");
}

#[tokio::test]
async fn two_callers_open_a_device_once() {
    let socket = Socket(Arc::new(Mutex::new(VecDeque::from([device()]))));
    let printer = printer(&socket);
    let (one, two) = tokio::join!(printer.printer_attributes(), printer.printer_attributes());
    assert!(is_answered(&one.unwrap_err()) && is_answered(&two.unwrap_err()));
}
