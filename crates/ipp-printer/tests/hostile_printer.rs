//! The client against what is no printer, or a broken one: bytes by hand, and silence.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails its test where it cannot go on"
)]

use std::time::Duration;

use bytes::Bytes;
use loket_ipp_printer::{
    Garbage, IppError, IppPrinter, NewJob, Operation, Options, Timeouts, UriFault,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// An idle time-out short enough to be waited for.
const SOON: Duration = Duration::from_millis(200);

/// Reads one whole request, by its Content-Length.
async fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut piece = vec![0; 65_536];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(piece.get(..read).unwrap());
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if request.len() >= head.len() + 4 + len.parse::<usize>().unwrap() {
                return request;
            }
        }
        assert_ne!(read, 0, "the client went away");
    }
}

/// A listener that answers one request with these bytes and closes, and gives the request back.
async fn answering(answer: Vec<u8>) -> (IppPrinter, JoinSet<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ipp://{}/ipp/print", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(&answer).await.unwrap_or_default();
        stream.shutdown().await.unwrap_or_default();
        request
    });
    (IppPrinter::new(&uri, Options::default()).unwrap(), tasks)
}

fn ok(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn garbage(answer: Vec<u8>) -> Garbage {
    let (printer, _tasks) = answering(answer).await;
    let error = printer.cancel_job(1).await.unwrap_err();
    let IppError::NotIpp { garbage, .. } = error else {
        panic!("{error:?}")
    };
    garbage
}

#[tokio::test]
async fn what_is_no_ipp_is_told_by_what_is_wrong_with_it() {
    let http =
        |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    assert_eq!(
        garbage(http("503 Service Unavailable")).await,
        Garbage::HttpStatus(503)
    );
    assert_eq!(
        garbage(http("401 Unauthorized")).await,
        Garbage::HttpStatus(401)
    );
    assert_eq!(garbage(ok(b"<html>")).await, Garbage::Encoding(0));
    assert_eq!(
        garbage(b"220 smtp.example ESMTP\r\n".to_vec()).await,
        Garbage::Encoding(0)
    );
    assert_eq!(
        garbage(ok(&[1, 1, 0, 0, 0, 0, 0, 9, 3])).await,
        Garbage::RequestId
    );
    assert_eq!(
        garbage(ok(&[7, 1, 0, 0, 0, 0, 0, 1, 3])).await,
        Garbage::Version(0x0701)
    );
    assert_eq!(
        garbage(ok(&[1, 1, 0, 0, 0, 0, 0, 1])).await,
        Garbage::Encoding(8)
    );
    let too_large = garbage(ok(&vec![0; 1024 * 1024 + 1])).await;
    assert_eq!(too_large, Garbage::TooLarge(1024 * 1024));
}

#[tokio::test]
async fn an_answer_without_what_rfc_8011_requires_is_no_answer() {
    let (printer, _tasks) = answering(ok(&[1, 1, 0, 0, 0, 0, 0, 1, 3])).await;
    let error = printer
        .create_job(&NewJob::new("loket:1:1"))
        .await
        .unwrap_err();
    let IppError::NotIpp { garbage, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(garbage, Garbage::Attribute("job-id"));
}

#[tokio::test]
async fn a_document_leaves_under_one_content_length_to_a_host_with_its_port() {
    let (printer, mut tasks) = answering(ok(&[1, 1, 4, 6, 0, 0, 0, 1, 3])).await;
    let document: Bytes = vec![b'x'; 300_000].into();
    let refused = printer
        .send_document(4, "application/pdf", document.clone())
        .await
        .unwrap_err();
    assert!(refused.is_not_found(), "{refused:?}");

    let request = tasks.join_next().await.unwrap().unwrap();
    let at = request
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(request[..at].to_vec())
        .unwrap()
        .to_ascii_lowercase();
    let authority = format!("host: 127.0.0.1:{}", printer.uri().port());
    assert!(head.starts_with("post /ipp/print http/1.1\r\n"), "{head}");
    assert!(head.contains(&authority), "{head}");
    assert!(head.contains("content-type: application/ipp"), "{head}");
    assert!(
        !head.contains("transfer-encoding") && !head.contains("expect"),
        "{head}"
    );
    assert!(request.ends_with(&document));
}

#[tokio::test]
async fn a_printer_that_falls_silent_is_lost_after_the_idle_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ipp://{}/ipp/print", listener.local_addr().unwrap());
    let timeouts = Timeouts {
        idle: SOON,
        ..Timeouts::default()
    };
    let options = Options {
        timeouts,
        ..Options::default()
    };
    let printer = IppPrinter::new(&uri, options).unwrap();
    // The kernel takes the connection and the bytes; nobody ever reads them.
    let document = Bytes::from_static(b"%PDF");
    let lost = printer
        .send_document(1, "application/pdf", document)
        .await
        .unwrap_err();
    let IppError::Lost {
        operation,
        sent_bytes,
        source,
    } = lost
    else {
        panic!("{lost:?}")
    };
    assert_eq!((operation, sent_bytes), (Operation::SendDocument, 4));
    assert_eq!(source.kind(), std::io::ErrorKind::TimedOut);
    drop(listener);
}

#[tokio::test]
async fn a_printer_that_drips_for_ever_is_lost_after_the_whole_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ipp://{}/ipp/print", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            .await
            .unwrap();
        let mut drip = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b".").await.is_ok() {
            drip.tick().await;
        }
    });
    let timeouts = Timeouts {
        whole: Duration::from_millis(500),
        ..Timeouts::default()
    };
    let printer = IppPrinter::new(
        &uri,
        Options {
            timeouts,
            ..Options::default()
        },
    )
    .unwrap();
    let lost = printer.printer_attributes().await.unwrap_err();
    assert!(
        matches!(lost, IppError::Lost { sent_bytes: 0, .. }),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_printer_that_hangs_up_at_once_is_lost() {
    let (printer, _tasks) = answering(Vec::new()).await;
    let lost = printer.cancel_job(1).await.unwrap_err();
    assert!(matches!(lost, IppError::Lost { .. }), "{lost:?}");
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_unknown_and_nothing_has_left() {
    let printer = IppPrinter::new("ipp://printer.invalid/ipp/print", Options::default()).unwrap();
    let error = printer.printer_attributes().await.unwrap_err();
    assert!(
        matches!(error, IppError::UnknownHost { .. }) && error.nothing_left(),
        "{error:?}"
    );
}

/// A document that no socket buffer of either side holds.
const LARGE_LEN: usize = 16 * 1024 * 1024;

/// What an early printer does after its answer.
#[derive(Debug, Clone, Copy)]
enum Then {
    ReadOn,
    FallSilent,
    Close,
}

/// A printer with a small receive buffer that reads the head of a Send-Document, says that all is
/// well, and then does something; gives what it read.
fn too_early(then: Then) -> (IppPrinter, JoinSet<usize>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let uri = format!("ipp://{}/ipp/print", listener.local_addr().unwrap());
    let job = [
        &[1, 1, 0, 0, 0, 0, 0, 1, 2][..],
        &[0x21, 0, 6],
        b"job-id",
        &[0, 4, 0, 0, 0, 1],
        &[0x23, 0, 9],
        b"job-state",
        &[0, 4, 0, 0, 0, 5, 3],
    ]
    .concat();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut piece = vec![0; 4_096];
        let mut read_len = stream.read(&mut piece).await.unwrap();
        stream.write_all(&ok(&job)).await.unwrap();
        match then {
            Then::Close => {}
            Then::FallSilent => std::future::pending().await,
            Then::ReadOn => loop {
                match stream.read(&mut piece).await.unwrap() {
                    0 => break,
                    len => read_len += len,
                }
            },
        }
        read_len
    });
    let timeouts = Timeouts {
        idle: SOON,
        ..Timeouts::default()
    };
    let options = Options {
        timeouts,
        ..Options::default()
    };
    (IppPrinter::new(&uri, options).unwrap(), tasks)
}

async fn send_large(printer: &IppPrinter) -> Result<(), IppError> {
    let document = Bytes::from(vec![b'%'; LARGE_LEN]);
    let sent = printer.send_document(1, "application/pdf", document).await;
    sent.map(drop)
}

#[tokio::test]
async fn a_success_before_the_whole_document_has_left_is_lost_where_the_rest_cannot_leave() {
    for then in [Then::FallSilent, Then::Close] {
        let (printer, _tasks) = too_early(then);
        let lost = send_large(&printer).await.unwrap_err();
        assert!(
            matches!(lost, IppError::Lost { sent_bytes, .. } if sent_bytes > 0),
            "{then:?}: {lost:?}"
        );
        assert!(lost.outcome_unknown());
    }
}

#[tokio::test]
async fn a_success_before_the_whole_document_has_left_counts_once_the_rest_has_left_too() {
    let (printer, mut tasks) = too_early(Then::ReadOn);
    send_large(&printer).await.unwrap();
    let read_len = tasks.join_next().await.unwrap().unwrap();
    assert!(read_len > LARGE_LEN, "{read_len}");
}

#[tokio::test]
async fn a_pin_and_a_scheme_that_do_not_go_together_are_refused() {
    let pinned = Options {
        pinned_spki_sha256: Some([0; 32]),
        ..Options::default()
    };
    let fault = |uri: &str, options| {
        let error = IppPrinter::new(uri, options).unwrap_err();
        let IppError::BadUri { fault } = error else {
            panic!("{error:?}")
        };
        fault
    };
    assert_eq!(fault("ipp://printer/", pinned), UriFault::PinWithoutTls);
    assert_eq!(
        fault("ipps://printer/", Options::default()),
        UriFault::TlsWithoutPin
    );
    assert_eq!(
        fault("http://printer/", Options::default()),
        UriFault::Scheme
    );
}

#[tokio::test]
async fn a_job_name_too_long_for_ipp_is_refused_before_the_printer_is_dialled() {
    let printer = IppPrinter::new("ipp://printer.invalid/", Options::default()).unwrap();
    let refused = printer
        .create_job(&NewJob::new(&"x".repeat(256)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            IppError::BadRequest {
                attribute: "job-name",
                ..
            }
        ),
        "{refused:?}"
    );
}
