//! A virtual USB device with its host in this process: what a kernel asks, and HTTP over bulk endpoints.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf as _;
use loket_sim::printer::{PrinterConfig, SimPrinter};
use loket_sim::usb::{
    ByteSink, Description, Direction, Fault, IppPort, Port, Trigger, UsbKnobs, VirtualUsb,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;

/// Ends a test that hangs; none takes a hundredth of it.
const DEADLINE: Duration = Duration::from_secs(30);

/// A host controller with one device.
struct Host {
    socket: DuplexStream,
    seq: u32,
}

/// How a request ended: its status and what came.
type Ended = (i32, Vec<u8>);

impl Host {
    async fn request(
        &mut self,
        endpoint: u32,
        is_in: bool,
        len: u32,
        setup: [u8; 8],
        data: &[u8],
    ) -> Ended {
        self.seq += 1;
        let mut frame = Vec::new();
        for field in [1, self.seq, 1, u32::from(is_in), endpoint, 0, len, 0, 0, 0] {
            frame.extend(field.to_be_bytes());
        }
        frame.extend(setup);
        frame.extend(data);
        self.socket.write_all(&frame).await.unwrap();
        let mut header = [0; 48];
        self.socket.read_exact(&mut header).await.unwrap();
        let mut header = header.as_slice();
        assert_eq!((header.get_u32(), header.get_u32()), (3, self.seq));
        header.advance(12);
        let (status, moved) = (header.get_i32(), header.get_u32());
        let mut come = vec![0; if is_in { moved.try_into().unwrap() } else { 0 }];
        self.socket.read_exact(&mut come).await.unwrap();
        (status, come)
    }

    async fn control(
        &mut self,
        kind: u8,
        request: u8,
        value: u16,
        index: u16,
        length: u16,
    ) -> Ended {
        let ([v0, v1], [i0, i1], [l0, l1]) = (
            value.to_le_bytes(),
            index.to_le_bytes(),
            length.to_le_bytes(),
        );
        let setup = [kind, request, v0, v1, i0, i1, l0, l1];
        self.request(0, kind & 0x80 != 0, length.into(), setup, &[])
            .await
    }

    async fn send(&mut self, endpoint: u32, data: &[u8]) -> i32 {
        let len = u32::try_from(data.len()).unwrap();
        self.request(endpoint, false, len, [0; 8], data).await.0
    }

    async fn receive(&mut self, endpoint: u32) -> Vec<u8> {
        let (status, come) = self.request(endpoint, true, 16_384, [0; 8], &[]).await;
        assert_eq!(status, 0);
        come
    }
}

/// A printer with two pairs, configured, with its second pair ready for IPP.
async fn plugged() -> (Arc<SimPrinter>, ByteSink, VirtualUsb, Host) {
    let printer = Arc::new(SimPrinter::start(PrinterConfig::default()).await.unwrap());
    let sink = ByteSink::default();
    let ipp: Arc<dyn Port> = Arc::new(IppPort::new(Arc::clone(&printer)));
    let raw: Arc<dyn Port> = Arc::new(sink.clone());
    let description = Description::ipp_usb("A-1", 2, &ipp, &raw);
    let (socket, theirs) = tokio::io::duplex(64 * 1024);
    let usb = VirtualUsb::plug(description, UsbKnobs::default(), theirs);
    let mut host = Host { socket, seq: 0 };
    assert_eq!(host.control(0x00, 9, 1, 0, 0).await.0, 0);
    assert_eq!(host.control(0x01, 11, 1, 1, 0).await.0, 0);
    (printer, sink, usb, host)
}

/// Asks for what the printer did, by HTTP over the second pair, until the whole answer has come.
async fn ask_state(host: &mut Host) -> String {
    let request = b"GET /control/state HTTP/1.1\r\nHost: usb\r\n\r\n";
    assert_eq!(host.send(2, request).await, 0);
    let mut come = String::new();
    while !come.ends_with('}') {
        come.push_str(&String::from_utf8(host.receive(2).await).unwrap());
    }
    come
}

#[tokio::test]
async fn http_goes_over_the_bulk_endpoints_again_and_again() {
    timeout(DEADLINE, async {
        let (_printer, _sink, usb, mut host) = plugged().await;
        for _ in 0..3 {
            let state = ask_state(&mut host).await;
            assert!(
                state.starts_with("HTTP/1.1 200 OK") && state.contains("\"sheets\":0"),
                "{state}"
            );
        }
        let report = usb.unplug().await;
        assert!(report.is_configured && report.is_unplugged);
        assert_eq!(report.interfaces[1].alternate, 1);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn half_a_request_is_forgotten_with_a_soft_reset() {
    timeout(DEADLINE, async {
        let (_printer, _sink, _usb, mut host) = plugged().await;
        host.send(2, b"POST /ipp/print HTTP/1.1\r\nContent-Le")
            .await;
        host.control(0x21, 2, 0, 1, 0).await;
        assert!(ask_state(&mut host).await.contains(" 200 OK"));
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_first_setting_of_the_first_interface_takes_bytes_as_they_are() {
    timeout(DEADLINE, async {
        let (_printer, sink, usb, mut host) = plugged().await;
        assert_eq!(host.send(1, &[27; 100_000]).await, 0);
        sink.until(100_000).await;
        assert_eq!(sink.count(), 100_000);
        assert_eq!(usb.report().interfaces[0].received_bytes, 100_000);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_plug_that_is_pulled_ends_the_stream_behind_its_byte() {
    timeout(DEADLINE, async {
        let (_printer, _sink, usb, mut host) = plugged().await;
        usb.arm(Trigger {
            interface: 0,
            direction: Direction::Out,
            after_bytes: 5_000,
            fault: Fault::Unplug,
        });
        let frame: Vec<u8> = [1, 9, 1, 0, 1, 0, 20_000, 0, 0, 0, 0, 0]
            .iter()
            .flat_map(|field: &u32| field.to_be_bytes())
            .chain([7; 20_000])
            .collect();
        host.socket.write_all(&frame).await.unwrap();
        let mut rest = Vec::new();
        host.socket.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        let report = usb.until(|report| report.is_unplugged).await;
        assert_eq!(report.interfaces[0].received_bytes, 5_000);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_host_that_goes_away_has_pulled_the_plug() {
    timeout(DEADLINE, async {
        let (_printer, _sink, usb, host) = plugged().await;
        drop(host);
        assert!(usb.until(|report| report.is_unplugged).await.is_unplugged);
    })
    .await
    .unwrap();
}
