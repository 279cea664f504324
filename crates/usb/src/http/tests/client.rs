//! A client library that others wrote, over a stream of this crate.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::{PACKET, count, open, wide, within};
use crate::fake::{FakeDevice, Said, ok};

#[tokio::test(start_paused = true)]
async fn a_client_library_speaks_to_a_device_over_it() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n6\r\n whole\r\n0\r\n\r\n";
    let device = FakeDevice::http(2, PACKET, move |request| {
        if request.starts_with(b"GET") {
            return vec![Said::Bytes(chunked.to_vec())];
        }
        vec![Said::Bytes(ok(b"printed"))]
    });
    let pool = open(&device).await;
    let mut connections = JoinSet::new();
    for round in 0..6_usize {
        let stream = within(pool.dial()).await.unwrap();
        let evidence = stream.evidence();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        connections.spawn(connection);
        let method = if round % 2 == 0 { "POST" } else { "GET" };
        let body = if method == "POST" {
            vec![b'x'; 10_000 * round]
        } else {
            Vec::new()
        };
        let request = hyper::Request::builder()
            .method(method)
            .uri("/ipp/print")
            .header("host", "localhost")
            .body(Full::new(Bytes::from(body.clone())))
            .unwrap();
        let response = within(sender.send_request(request)).await.unwrap();
        let answer = within(response.into_body().collect())
            .await
            .unwrap()
            .to_bytes();
        let expected: &[u8] = if method == "POST" {
            b"printed"
        } else {
            b"half whole"
        };
        assert_eq!(answer, expected);
        assert!(evidence.accepted_bytes() > wide(body.len()));
    }
    assert_eq!(count(&device, "hard-reset"), 0);
}
