//! HTTP over USB with a device that works.

use anyhow::Context;
use bytes::Bytes;
use loket_ipp_printer::{IppPrinter, JobState, NewJob};
use loket_sim::usb::{InterfaceReport, UsbKnobs};
use loket_usb::{HttpPool, Quirks};
use tokio::io::AsyncWriteExt as _;

use crate::devices::{close, document, ipp, open_http, printer, send, sha256};
use crate::value::{holds, same};

/// usblp has the interface; it is taken from it, used, and given back.
pub(super) async fn instead_of_usblp() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    same(
        "the driver while it is open",
        plugged.driver(0),
        Some("usbfs".to_owned()),
    )?;
    let (_way, client) = ipp(&pool)?;
    let attributes = client.printer_attributes().await.context("ask it")?;
    close(&pool).await;
    plugged.until_usblp(0).await?;
    plugged.unplug().await?;
    Ok(format!("{} formats", attributes.formats.len()))
}

/// Answers that fill whole packets and end without an empty one.
pub(super) async fn without_zero_packets() -> anyhow::Result<String> {
    let knobs = UsbKnobs {
        ends_with_zero_packet: false,
        ..UsbKnobs::default()
    };
    let asked = answers_of_all_lengths(knobs, Quirks::default()).await?;
    Ok(format!("{asked} answers"))
}

/// Empty packets in front of every answer.
pub(super) async fn stray_zero_packets() -> anyhow::Result<String> {
    let knobs = UsbKnobs {
        stray_zero_packets: 2,
        ..UsbKnobs::default()
    };
    let asked = answers_of_all_lengths(knobs, Quirks::default()).await?;
    Ok(format!("{asked} answers"))
}

/// How many lengths are asked for, one byte apart, around the one whose answer fills whole packets.
const LENGTHS: usize = 9;

/// Asks for answers of lengths that differ by less than a packet; one of them fills its last packet.
async fn answers_of_all_lengths(knobs: UsbKnobs, quirks: Quirks) -> anyhow::Result<usize> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, knobs).await?;
    let pool = open_http(&plugged, quirks).await?;
    let mut lengths = Vec::new();
    for path_len in whole_packet_paths(&pool).await? {
        lengths.push(raw_answer_len(&pool, path_len).await?);
    }
    holds(
        &format!("an answer fills whole packets ({lengths:?})"),
        lengths.iter().any(|len| len.is_multiple_of(512)),
    )?;
    let (_way, client) = ipp(&pool)?;
    client
        .printer_attributes()
        .await
        .context("ask it after that")?;
    close(&pool).await;
    plugged.unplug().await?;
    Ok(lengths.len())
}

/// Lengths of requests around the one whose answer fills whole packets.
async fn whole_packet_paths(pool: &HttpPool) -> anyhow::Result<Vec<usize>> {
    let base = raw_answer_len(pool, 0).await?;
    let missing = base.next_multiple_of(512).saturating_sub(base);
    let first = missing.saturating_sub(LENGTHS / 2);
    Ok((first..first.saturating_add(LENGTHS)).collect())
}

/// Asks the printer to change a knob whose value is that long; it answers with all of them. How long was the answer?
async fn raw_answer_len(pool: &HttpPool, len: usize) -> anyhow::Result<usize> {
    use tokio::io::AsyncReadExt as _;

    let ignored = "x".repeat(len);
    let body = format!("{{\"ignores\": [\"{ignored}\"]}}");
    let request = format!(
        "POST /control HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = pool.dial().await.context("get an interface")?;
    stream
        .write_all(request.as_bytes())
        .await
        .context("ask it")?;
    stream.flush().await.context("ask it")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.context("hear it")?;
    holds(
        "the answer is whole",
        answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"}"),
    )?;
    Ok(answer.len())
}

/// A request that fills its last packet ends with an empty one where the model wants that.
pub(super) async fn ended_by_zero_packet() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let quirks = Quirks {
        zlp_send: true,
        ..Quirks::default()
    };
    let pool = open_http(&plugged, quirks).await?;
    let taken = || {
        let report = plugged.usb.report();
        let sum = |count: fn(&InterfaceReport) -> u64| report.interfaces.iter().map(count).sum();
        let (bytes, empty): (u64, u64) = (sum(|it| it.received_bytes), sum(|it| it.zero_packets));
        (bytes, empty)
    };
    raw_answer_len(&pool, 0).await?;
    let (bytes, empty) = taken();
    same(
        "the empty packets behind a request of another length",
        empty,
        0,
    )?;
    // Its Content-Length may become a digit longer.
    let missing = usize::try_from(bytes.next_multiple_of(512).saturating_sub(bytes)).unwrap_or(0);
    for len in [
        missing,
        missing.saturating_sub(1),
        missing.saturating_sub(2),
    ] {
        raw_answer_len(&pool, len).await?;
    }
    let (_, empty) = taken();
    holds(
        "one of three requests ended with an empty packet",
        empty > 0,
    )?;
    close(&pool).await;
    plugged.unplug().await?;
    Ok(format!(
        "a request of {bytes} bytes made longer by {missing}"
    ))
}

/// One exchange waits for its printer; another one is not kept waiting by it.
pub(super) async fn side_by_side() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 2).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    same("the interfaces", pool.interfaces(), 2)?;
    let mut slow = pool.dial().await.context("get an interface")?;
    // More than is held back, and not whole: it has an interface to itself.
    let head = "POST /ipp/print HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    slow.write_all(head.as_bytes())
        .await
        .context("begin a request")?;
    slow.write_all(&document(50_000))
        .await
        .context("begin a request")?;
    let (_way, client) = ipp(&pool)?;
    for _ in 0..3 {
        client.printer_attributes().await.context("ask beside it")?;
    }
    drop(slow);
    client.printer_attributes().await.context("ask after it")?;
    close(&pool).await;
    plugged.unplug().await?;
    Ok("3 beside one that waits".to_owned())
}

/// A caller goes away in the middle of its request: the next one's answer is its own.
pub(super) async fn dropped_midway() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 1).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let mut stream = pool.dial().await.context("get an interface")?;
    let head = "POST /ipp/print HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    stream
        .write_all(head.as_bytes())
        .await
        .context("begin a request")?;
    stream
        .write_all(&document(50_000))
        .await
        .context("begin a request")?;
    stream.flush().await.context("begin a request")?;
    let evidence = stream.evidence();
    drop(stream);
    let (_way, client) = ipp(&pool)?;
    not_polluted(&client).await?;
    let (accepted, handed) = (evidence.accepted_bytes(), evidence.handed_over_bytes());
    holds("bytes had left", accepted > 0 && accepted <= handed)?;
    close(&pool).await;
    plugged.unplug().await?;
    Ok(format!("{accepted} bytes had been accepted"))
}

/// A caller goes away while its answer is due: the next one gets its own.
pub(super) async fn dropped_before_answer() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 1).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let mut stream = pool.dial().await.context("get an interface")?;
    let request = b"GET /control/state HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.context("ask it")?;
    stream.flush().await.context("ask it")?;
    drop(stream);
    let (_way, client) = ipp(&pool)?;
    not_polluted(&client).await?;
    close(&pool).await;
    plugged.unplug().await?;
    Ok("3 answers of its own".to_owned())
}

/// Three questions get three answers that fit: request ids are compared by the client.
pub(super) async fn not_polluted(client: &IppPrinter) -> anyhow::Result<()> {
    for _ in 0..3 {
        client
            .printer_attributes()
            .await
            .context("ask after that")?;
    }
    Ok(())
}

/// A whole job, as the daemon prints it.
pub(super) async fn print_job() -> anyhow::Result<String> {
    let printer = printer("LKT-0001", 3).await?;
    let plugged = printer.plug(0, UsbKnobs::default()).await?;
    let pool = open_http(&plugged, Quirks::default()).await?;
    let (_way, client) = ipp(&pool)?;
    let job = NewJob::new("loket:usb:1");
    client
        .validate_job(&job, "application/pdf")
        .await
        .context("validate the job")?;
    let document: Bytes = document(300_000);
    let id = send(&client, "loket:usb:1", document.clone()).await?;
    let report = printer.until("a sheet", |it| it.sheets > 0).await?;
    same("the sheets", report.sheets, 1)?;
    same(
        "what was printed",
        report.printed_sha256,
        vec![sha256(&document)],
    )?;
    let job = client.job_attributes(id).await.context("ask for the job")?;
    same("the job's state", job.state, JobState::Completed)?;
    close(&pool).await;
    let report = plugged.unplug().await?;
    let bytes: u64 = report.interfaces.iter().map(|it| it.received_bytes).sum();
    Ok(format!("1 sheet, {bytes} bytes over USB"))
}
