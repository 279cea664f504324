//! What is carried, and what of it is changed.

use std::io::IoSlice;

use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};

use super::{PACKET, ask, count, error_of, exchange, open, open_with, post, posted, wide, within};
use crate::error::{Garbage, UsbError};
use crate::fake::{FakeDevice, Said, ok};
use crate::quirks::Quirks;

#[tokio::test(start_paused = true)]
async fn a_request_reaches_the_device_and_its_answer_the_caller() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"hello"))]);
    let pool = open(&device).await;
    let (answer, outcome, evidence) = exchange(&pool, &post("/ipp/print", b"question")).await;
    outcome.unwrap();
    assert_eq!(answer, ok(b"hello"));
    let sent = posted("/ipp/print", b"question");
    assert_eq!(device.received(0), sent);
    assert_eq!(evidence.accepted_bytes(), wide(sent.len()));
    assert_eq!(evidence.handed_over_bytes(), wide(sent.len()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_come_in_packets_of_any_length() {
    let whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nDigest: 1\r\n\r\n".to_vec();
    for cut in 0..=whole.len() {
        let (one, two) = whole.split_at(cut);
        let mut said: Vec<Said> = Vec::new();
        for part in [one, two] {
            said.extend(
                part.chunks(PACKET)
                    .map(|packet| Said::Packet(packet.to_vec())),
            );
            said.push(Said::Packet(Vec::new()));
        }
        let device = FakeDevice::http(1, PACKET, move |_request| said.clone());
        let pool = open(&device).await;
        for _again in 0..2 {
            assert_eq!(ask(&pool, &post("/", b"")).await, whole, "cut at {cut}");
        }
        assert_eq!(count(&device, "hard-reset"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_come_byte_by_byte() {
    let whole = ok(b"one after the other");
    let said: Vec<Said> = whole.iter().map(|byte| Said::Packet(vec![*byte])).collect();
    let device = FakeDevice::http(1, PACKET, move |_request| said.clone());
    let pool = open(&device).await;
    assert_eq!(ask(&pool, &post("/", b"x")).await, whole);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fills_its_last_packet_needs_no_mark_behind_it() {
    for body_len in 0..3 * PACKET {
        let whole = ok(&vec![b'a'; body_len]);
        let said = whole.clone();
        let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.clone())]);
        let pool = open(&device).await;
        for _again in 0..2 {
            assert_eq!(ask(&pool, &post("/", b"")).await, whole, "{body_len} bytes");
        }
        assert_eq!(count(&device, "soft-reset"), 1, "that of the opening");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_comes_whole_to_a_caller_that_reads_slowly() {
    let body: Vec<u8> = (0_u32..300_000).flat_map(u32::to_be_bytes).collect();
    let whole = ok(&body);
    let said = whole.clone();
    let device = FakeDevice::http(1, 512, move |_request| vec![Said::Bytes(said.clone())]);
    let pool = open(&device).await;
    let mut stream = pool.dial().await.unwrap();
    stream.write_all(&post("/", b"")).await.unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1000];
    loop {
        // Longer than a device may be silent: it is the caller who lets it wait.
        tokio::time::advance(std::time::Duration::from_secs(90)).await;
        match within(stream.read(&mut piece)).await.unwrap() {
            0 => break,
            len => answer.extend_from_slice(&piece[..len]),
        }
    }
    assert!(answer == whole);
}

#[tokio::test(start_paused = true)]
async fn answers_without_a_body_end_with_their_header() {
    let head_only: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    let cases: [(&[u8], &[u8]); 4] = [
        (b"HEAD / HTTP/1.1\r\n\r\n", head_only),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        ),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
        ),
    ];
    for (request, said) in cases {
        let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.to_vec())]);
        let pool = open(&device).await;
        assert_eq!(ask(&pool, request).await, said);
        assert_eq!(ask(&pool, request).await, said, "and again");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_length_ends_with_silence_and_the_interface_is_reset() {
    let said = b"HTTP/1.0 200 OK\r\n\r\nno length".to_vec();
    let whole = said.clone();
    let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.clone())]);
    let pool = open(&device).await;
    assert_eq!(ask(&pool, &post("/", b"")).await, whole);
    assert_eq!(ask(&pool, &post("/", b"")).await, whole);
    // That of the opening, and one behind each answer.
    within(device.until(|device| count(device, "soft-reset") == 3)).await;
    assert_eq!(count(&device, "hard-reset"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_follows_an_answer_is_not_given_to_the_next_caller() {
    let said = [ok(b"mine"), ok(b"yours")].concat();
    let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.clone())]);
    let pool = open(&device).await;
    for _again in 0..3 {
        assert_eq!(ask(&pool, &post("/", b"")).await, ok(b"mine"));
    }
    // A reset at the opening, and one before each further exchange.
    assert!(count(&device, "soft-reset") >= 3, "{:?}", device.log());
}

#[tokio::test(start_paused = true)]
async fn an_expectation_is_answered_here_and_not_asked_of_the_device() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"done"))]);
    let pool = open(&device).await;
    let mut stream = pool.dial().await.unwrap();
    let head = b"POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut go_on = [0; 25];
    within(stream.read_exact(&mut go_on)).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, ok(b"done"));
    let expected = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
    assert_eq!(device.received(0), expected);
}

#[tokio::test(start_paused = true)]
async fn headers_are_edited_as_the_model_needs_it() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b""))]);
    let quirks: Quirks = toml::from_str(
        "host = \"printer.local:80\"\n[headers]\nUser-Agent = \"other\"\nAccept = \"\"\n",
    )
    .unwrap();
    let pool = open_with(&device, quirks).await;
    let request = b"GET /a HTTP/1.1\r\nhost: me\r\naccept: */*\r\nUSER-AGENT: loket\r\nConnection: close\r\nX: y\r\n\r\n";
    ask(&pool, request).await;
    let expected =
        b"GET /a HTTP/1.1\r\nHost: printer.local:80\r\nX: y\r\nuser-agent: other\r\n\r\n";
    assert_eq!(
        String::from_utf8_lossy(&device.received(0)),
        String::from_utf8_lossy(expected)
    );
}

#[tokio::test(start_paused = true)]
async fn a_chunked_request_is_followed_to_its_last_chunk() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
    let pool = open(&device).await;
    let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n";
    assert_eq!(ask(&pool, request).await, ok(b"ok"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_carries_one_request() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
    let pool = open(&device).await;
    let two = [post("/", b"1"), post("/", b"2")].concat();
    let (_, outcome, evidence) = exchange(&pool, &two).await;
    assert_eq!(error_of(outcome), UsbError::SecondRequest);
    assert!(evidence.nothing_left());
    assert_eq!(device.received(0), b"");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_never_reaches_the_device() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
    let pool = open(&device).await;
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let cases: [(&[u8], Garbage); 7] = [
        (b"hello\r\n\r\n", Garbage::FirstLine),
        (b"GET / HTTP/1.0\r\n\r\n", Garbage::FirstLine),
        (b"GET /a b HTTP/1.1\r\n\r\n", Garbage::FirstLine),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", Garbage::HeaderLine),
        (
            b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            Garbage::Length,
        ),
        (
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Garbage::Length,
        ),
        (long.as_bytes(), Garbage::HeaderTooLarge(16 * 1024)),
    ];
    for (request, garbage) in cases {
        let (_, outcome, evidence) = exchange(&pool, request).await;
        assert_eq!(error_of(outcome), UsbError::Request { garbage });
        assert!(evidence.nothing_left());
    }
    assert_eq!(device.received(0), b"");
    assert_eq!(ask(&pool, &post("/", b"")).await, ok(b"ok"));
}

#[tokio::test(start_paused = true)]
async fn a_request_in_parts_arrives_with_every_byte_in_its_place() {
    let body: Vec<u8> = (0..=250).cycle().take(90_000).collect();
    let request = post("/", &body);
    for len in [1, 700, 16_383, 16_384, 20_000, 90_000] {
        let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
        let pool = open(&device).await;
        let mut stream = pool.dial().await.unwrap();
        assert!(stream.is_write_vectored());
        // Each part with an empty one before it.
        let parts = request.chunks(len).flat_map(|it| [&[][..], it]);
        let mut parts: Vec<IoSlice<'_>> = parts.map(IoSlice::new).collect();
        let mut left = &mut parts[..];
        while !left.is_empty() {
            let put = within(stream.write_vectored(left)).await.unwrap();
            IoSlice::advance_slices(&mut left, put);
        }
        let mut answer = Vec::new();
        within(stream.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, ok(b"ok"));
        assert!(device.received(0) == posted("/", &body), "parts of {len}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_full_packets_leave_until_a_request_is_whole() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
    let pool = open(&device).await;
    let request = post("/", &vec![b'x'; 80_000]);
    let mut stream = pool.dial().await.unwrap();
    for piece in request.chunks(1_001) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, ok(b"ok"));
    assert_eq!(device.received(0), posted("/", &vec![b'x'; 80_000]));
    let transfers = device.transfers();
    let (last, before) = transfers.split_last().unwrap();
    assert!(before.iter().all(|len| len % PACKET == 0), "{transfers:?}");
    assert!(*last > 0 && transfers.iter().all(|len| *len <= 32 * 1024));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fills_its_last_packet_is_ended_by_an_empty_one_where_the_model_needs_it() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"ok"))]);
    let quirks = Quirks {
        zlp_send: true,
        ..Quirks::default()
    };
    let pool = open_with(&device, quirks).await;
    let head_len = posted("/", &[b'x'; 10]).len() - 10;
    let body = vec![b'x'; 2 * PACKET - head_len];
    assert_eq!(ask(&pool, &post("/", &body)).await, ok(b"ok"));
    assert_eq!(device.transfers(), [2 * PACKET, 0]);
    ask(&pool, &post("/", &body[1..])).await;
    assert_eq!(device.transfers(), [2 * PACKET, 0, 2 * PACKET - 1]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_come_before_the_request_is_whole() {
    let mut has_answered = false;
    let firmware = move |_interface: u8, bytes: &[u8]| {
        if bytes.len() > 20_000 && !has_answered {
            has_answered = true;
            return Some(vec![Said::Bytes(ok(b"early"))]);
        }
        None
    };
    let kind = crate::plugged::FunctionKind::IppUsb;
    let device = FakeDevice::new(kind, 1, PACKET, Box::new(firmware));
    let pool = open(&device).await;
    let request = post("/", &vec![b'x'; 60_000]);
    let (half, rest) = request.split_at(30_000);
    let mut stream = pool.dial().await.unwrap();
    stream.write_all(half).await.unwrap();
    let mut answer = vec![0; ok(b"early").len()];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, ok(b"early"));
    stream.write_all(rest).await.unwrap();
    let mut more = Vec::new();
    within(stream.read_to_end(&mut more)).await.unwrap();
    assert_eq!(more, b"");
    assert_eq!(device.received(0), posted("/", &vec![b'x'; 60_000]));
    assert_eq!(count(&device, "hard-reset"), 0);
}
