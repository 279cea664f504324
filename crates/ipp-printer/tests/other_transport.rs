//! The seam: any byte stream leads to a printer, not only a socket.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use loket_ipp_printer::{
    DialError, DialFuture, IppError, IppPrinter, NewJob, Options, PrinterUri, Stream, Transport,
};
use loket_sim::printer::{PrinterConfig, SimPrinter};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A cable in memory, with a printer at its other end; one exchange at a time, as over USB.
#[derive(Debug)]
struct Cable {
    printer: SocketAddr,
    is_plugged: bool,
    dialled_count: AtomicUsize,
    pumps: Mutex<JoinSet<()>>,
}

impl Transport for Cable {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(async {
            if !self.is_plugged {
                let gone = std::io::Error::from(std::io::ErrorKind::NotConnected);
                return Err(DialError::NotReached(gone));
            }
            self.dialled_count.fetch_add(1, Ordering::AcqRel);
            let (ours, mut theirs) = tokio::io::duplex(1024);
            let mut printer = TcpStream::connect(self.printer).await.unwrap();
            self.pumps.lock().unwrap().spawn(async move {
                drop(tokio::io::copy_bidirectional(&mut theirs, &mut printer).await);
            });
            let ours: Stream = Box::new(ours);
            Ok(ours)
        })
    }
}

fn cable(sim: &SimPrinter, is_plugged: bool) -> (Arc<Cable>, IppPrinter) {
    let cable = Arc::new(Cable {
        printer: sim.address(),
        is_plugged,
        dialled_count: AtomicUsize::new(0),
        pumps: Mutex::new(JoinSet::new()),
    });
    let uri = PrinterUri::parse("ipp://localhost/ipp/print").unwrap();
    let transport: Arc<dyn Transport> = cable.clone();
    (cable, IppPrinter::over(transport, uri, Options::default()))
}

#[tokio::test]
async fn a_printer_behind_any_byte_stream_is_printed_on_with_one_dial_an_operation() {
    let sim = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let (cable, printer) = cable(&sim, true);
    let id = printer
        .create_job(&NewJob::new("loket:1:1"))
        .await
        .unwrap()
        .id;
    let document: Bytes = vec![b'%'; 100_000].into();
    printer
        .send_document(id, "application/pdf", document.clone())
        .await
        .unwrap();
    assert_eq!(cable.dialled_count.load(Ordering::Acquire), 2);
    let report = sim.until(|report| !report.printed_sha256.is_empty()).await;
    assert_eq!(sim.document(&report.printed_sha256[0]).unwrap(), document);
    sim.stop().await;
}

/// A way that neither opens nor fails, as an address that drops every packet.
#[derive(Debug)]
struct Nowhere;

impl Transport for Nowhere {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_that_does_not_open_is_given_up_after_the_connect_time_out() {
    let uri = PrinterUri::parse("ipp://localhost/ipp/print").unwrap();
    let options = Options::default();
    let began = tokio::time::Instant::now();
    let connect = options.timeouts.connect;
    let printer = IppPrinter::over(Arc::new(Nowhere), uri, options);
    let error = printer.printer_attributes().await.unwrap_err();
    assert!(error.nothing_left());
    let IppError::NotReached { source } = error else {
        panic!("{error:?}")
    };
    assert_eq!(source.kind(), std::io::ErrorKind::TimedOut);
    // The clock is paused: it stands where the timer that fired was set.
    assert_eq!(began.elapsed().as_secs(), connect.as_secs());
}

#[tokio::test]
async fn a_cable_that_is_not_plugged_in_is_a_printer_not_reached() {
    let sim = SimPrinter::start(PrinterConfig::default()).await.unwrap();
    let (_cable, printer) = cable(&sim, false);
    let error = printer.printer_attributes().await.unwrap_err();
    assert!(
        matches!(error, IppError::NotReached { .. }) && error.nothing_left(),
        "{error:?}"
    );
    sim.stop().await;
}
