//! Answers of a printer that are nearly right, as bytes behind a way in memory.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::sync::Arc;

use loket_ipp_printer::{
    DialFuture, IppPrinter, NewJob, Options, PrinterUri, Stream, Transport, WhichJobs,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

/// Some ten seconds without optimisation.
const CASES: u64 = 5_000;

/// Room for a request and for an answer in a cable without a reader.
const CABLE_BYTES: usize = 64 * 1024;

/// A way to a printer that gives these bytes to whoever asks, and closes.
#[derive(Debug)]
struct Answers {
    bytes: Vec<u8>,
    pumps: std::sync::Mutex<JoinSet<()>>,
}

impl Transport for Answers {
    fn dial(&self) -> DialFuture<'_> {
        Box::pin(async {
            let (ours, mut theirs) = tokio::io::duplex(CABLE_BYTES);
            let bytes = self.bytes.clone();
            self.pumps.lock().unwrap().spawn(async move {
                let mut request = vec![0; CABLE_BYTES];
                drop(theirs.read(&mut request).await);
                drop(theirs.write_all(&bytes).await);
                drop(theirs.shutdown().await);
                // Read to its end, so that the request leaves whole.
                while theirs.read(&mut request).await.is_ok_and(|len| len > 0) {}
            });
            let ours: Stream = Box::new(ours);
            Ok(ours)
        })
    }
}

fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let (name, mut out) = (name.as_bytes(), vec![tag]);
    out.extend(length(name));
    out.extend(name);
    out.extend(length(value));
    out.extend(value);
    out
}

/// An answer to request 1 with one group, well formed.
fn message(group: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![1, 1, 0, 0, 0, 0, 0, 1, 1];
    out.extend(attribute(0x47, "attributes-charset", b"utf-8"));
    out.extend(attribute(0x48, "attributes-natural-language", b"en"));
    out.push(group);
    out.extend(attributes.iter().flatten());
    out.push(3);
    out
}

fn printer() -> Vec<u8> {
    message(
        4,
        &[
            attribute(0x23, "printer-state", &[0, 0, 0, 3]),
            attribute(0x44, "printer-state-reasons", b"media-empty-warning"),
            attribute(0x44, "", b"toner-low-report"),
            attribute(0x21, "printer-up-time", &[0, 0, 1, 44]),
            attribute(0x45, "printer-uuid", b"urn:uuid:0"),
            attribute(0x36, "printer-info", b"\0\x02en\0\x05hello"),
            attribute(0x22, "multiple-document-jobs-supported", &[0]),
            attribute(0x49, "document-format-supported", b"application/pdf"),
            attribute(0x23, "operations-supported", &[0, 0, 0, 2]),
            attribute(0x23, "", &[0, 0, 0, 5]),
            attribute(0x34, "media-col-ready", b""),
            attribute(0x4a, "", b"media-type"),
            attribute(0x44, "", b"stationery"),
            attribute(0x4a, "", b"media-size"),
            attribute(0x34, "", b""),
            attribute(0x4a, "", b"x-dimension"),
            attribute(0x21, "", &[0, 0, 0x52, 8]),
            attribute(0x37, "", b""),
            attribute(0x37, "", b""),
            attribute(0x21, "marker-levels", &[0, 0, 0, 50]),
            attribute(0x42, "marker-names", b"black"),
            attribute(
                0x30,
                "printer-supply",
                b"type=toner;maxcapacity=100;level=-3;colorantname=black;",
            ),
            attribute(
                0x30,
                "printer-input-tray",
                b"type=sheetFeedAutoRemovableTray;mediafeed=29700;mediaxfeed=21000;maxcapacity=250;level=9;status=0;name=t",
            ),
        ],
    )
}

fn job() -> Vec<u8> {
    message(
        2,
        &[
            attribute(0x21, "job-id", &[0, 0, 0, 9]),
            attribute(0x45, "job-uri", b"ipp://localhost/jobs/9"),
            attribute(0x45, "job-uuid", b"urn:uuid:1"),
            attribute(0x42, "job-name", b"loket:1:1"),
            attribute(0x23, "job-state", &[0, 0, 0, 5]),
            attribute(0x44, "job-state-reasons", b"job-printing"),
            attribute(0x21, "job-impressions-completed", &[0, 0, 0, 1]),
            attribute(0x21, "job-printer-up-time", &[0, 0, 1, 44]),
        ],
    )
}

fn over_http(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// How many of five operations take this answer.
async fn asked(bytes: Vec<u8>) -> usize {
    let uri = PrinterUri::parse("ipp://localhost/ipp/print").unwrap();
    // A client of its own for each: the first request of each has number 1.
    let client = || {
        let way = Arc::new(Answers {
            bytes: bytes.clone(),
            pumps: std::sync::Mutex::default(),
        });
        IppPrinter::over(way, uri.clone(), Options::default())
    };
    let taken = [
        client().printer_attributes().await.is_ok(),
        client().create_job(&NewJob::new("loket:1:1")).await.is_ok(),
        client().job_attributes(9).await.is_ok(),
        client().jobs(WhichJobs::NotCompleted, 10).await.is_ok(),
        client().cancel_job(9).await.is_ok(),
    ];
    taken.into_iter().filter(|is_taken| *is_taken).count()
}

#[test]
fn fuzz_printer_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let good = [printer(), job()];
    for (answer, least) in good.iter().zip([2, 4]) {
        let taken = runtime.block_on(asked(over_http(answer)));
        assert!(taken >= least, "control: taken by {taken}");
    }
    let good: Vec<&[u8]> = good.iter().map(Vec::as_slice).collect();
    loket_fuzz::fuzz("printer-answers", CASES, &good, |bytes| {
        runtime.block_on(asked(over_http(bytes)));
    });
    let heads = [over_http(&job())];
    loket_fuzz::fuzz("printer-http", CASES / 5, &[heads[0].as_slice()], |bytes| {
        runtime.block_on(asked(bytes.to_vec()));
    });
}
