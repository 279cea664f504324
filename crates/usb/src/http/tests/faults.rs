//! What devices do wrong, and that the next exchange never pays for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{PACKET, ask, count, error_of, exchange, open, open_with, post, posted, wide, within};
use crate::error::{Doing, Garbage, UsbError};
use crate::fake::{Answer, FakeDevice, Said, ok};
use crate::quirks::{Quirks, Resync};

/// Answers the first request by `first` and all others well.
fn bad_first(first: Vec<Said>) -> FakeDevice {
    let asked = AtomicUsize::new(0);
    FakeDevice::http(1, PACKET, move |_request| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 {
            return first.clone();
        }
        vec![Said::Bytes(ok(b"well"))]
    })
}

async fn fails_once(first: Vec<Said>, quirks: Quirks) -> (UsbError, FakeDevice) {
    let device = bad_first(first);
    let pool = open_with(&device, quirks).await;
    let (_, outcome, _) = exchange(&pool, &post("/", b"1")).await;
    let error = error_of(outcome);
    assert_eq!(
        ask(&pool, &post("/", b"2")).await,
        ok(b"well"),
        "after {error}"
    );
    (error, device)
}

#[tokio::test(start_paused = true)]
async fn plugged_out_at_any_byte_of_a_request_is_told_with_the_bytes_that_left() {
    let request = post("/", &[b'x'; 150]);
    let len = posted("/", &[b'x'; 150]).len();
    for at in 0..=len {
        let device = FakeDevice::http(1, PACKET, |_request| Vec::new());
        let pool = open(&device).await;
        device.turn(|faults| faults.unplug_after_out = Some(at));
        if at == 0 {
            device.unplug();
        }
        let (answer, outcome, evidence) = exchange(&pool, &request).await;
        let error = error_of(outcome);
        assert!(
            matches!(error, UsbError::Unplugged { .. }),
            "{error} at {at}"
        );
        assert_eq!(answer, b"");
        assert_eq!(evidence.accepted_bytes(), wide(at));
        assert!(evidence.handed_over_bytes() >= wide(at));
        let again = within(pool.dial()).await.unwrap_err();
        assert!(again.is_gone(), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn plugged_out_at_any_byte_of_an_answer_is_told_behind_what_came() {
    let whole = ok(&[b'x'; 150]);
    for at in 0..whole.len() {
        let said = whole.clone();
        let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.clone())]);
        let pool = open(&device).await;
        device.turn(|faults| faults.unplug_after_in = Some(at));
        let (answer, outcome, evidence) = exchange(&pool, &post("/", b"")).await;
        let error = error_of(outcome);
        assert!(
            matches!(error, UsbError::Unplugged { .. }),
            "{error} at {at}"
        );
        assert_eq!(answer, whole[..at], "at {at}");
        assert!(!evidence.nothing_left());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_at_any_byte_of_a_request_is_cleared_before_the_next_exchange() {
    let len = posted("/", &[b'x'; 100]).len();
    for at in 0..len {
        let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"well"))]);
        let pool = open(&device).await;
        device.turn(|faults| faults.stall_out_at = Some(at));
        let (_, outcome, evidence) = exchange(&pool, &post("/", &[b'x'; 100])).await;
        let doing = Doing::Sending;
        assert_eq!(error_of(outcome), UsbError::Stalled { doing });
        assert_eq!(evidence.accepted_bytes(), wide(at));
        assert_eq!(evidence.nothing_left(), at == 0);
        assert_eq!(ask(&pool, &post("/", b"2")).await, ok(b"well"), "at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_takes_nothing_more_is_given_up_and_reset() {
    for at in [0, 1, PACKET, 150] {
        let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"well"))]);
        let pool = open(&device).await;
        device.turn(|faults| faults.take_at_most = Some(at));
        let (_, outcome, evidence) = exchange(&pool, &post("/", &[b'x'; 300])).await;
        let error = error_of(outcome);
        assert!(
            matches!(
                error,
                UsbError::TimedOut {
                    doing: Doing::Sending,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(evidence.accepted_bytes(), wide(at));
        assert_eq!(
            evidence.handed_over_bytes(),
            wide(at),
            "no more can have left"
        );
        device.turn(|faults| faults.take_at_most = None);
        assert_eq!(ask(&pool, &post("/", b"2")).await, ok(b"well"));
        assert_eq!(count(&device, "hard-reset"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_slow_to_take_a_document_is_waited_for_as_long_as_something_moves() {
    let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"well"))]);
    let pool = open(&device).await;
    let step = Arc::new(AtomicUsize::new(PACKET));
    device.turn(|faults| faults.take_at_most = Some(PACKET));
    let body = [b'x'; 1_000];
    let request = post("/", &body);
    let asked = exchange(&pool, &request);
    tokio::pin!(asked);
    // Within the time in which something must move.
    let mut pace = tokio::time::interval(std::time::Duration::from_secs(100));
    let (answer, outcome, _) = loop {
        tokio::select! {
            done = &mut asked => break done,
            _tick = pace.tick() => {
                let at = step.fetch_add(PACKET, Ordering::Relaxed) + PACKET;
                device.turn(|faults| faults.take_at_most = Some(at));
            }
        }
    };
    outcome.unwrap();
    assert_eq!(answer, ok(b"well"));
    assert_eq!(device.received(0), posted("/", &body), "every byte once");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_half_way_is_never_continued_by_the_next_one() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    let (error, device) = fails_once(vec![Said::Bytes(half)], Quirks::default()).await;
    assert!(
        matches!(
            error,
            UsbError::TimedOut {
                doing: Doing::Receiving,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(count(&device, "hard-reset"), 1);
}

#[tokio::test(start_paused = true)]
async fn no_answer_at_all_ends_in_a_reset_and_a_late_one_reaches_nobody() {
    let device = bad_first(Vec::new());
    let pool = open(&device).await;
    let (_, outcome, _) = exchange(&pool, &post("/", b"1")).await;
    assert!(matches!(error_of(outcome), UsbError::TimedOut { .. }));
    within(device.until(|device| count(device, "soft-reset") == 2)).await;
    device.say(0, vec![Said::Bytes(ok(b"late"))]);
    assert_eq!(ask(&pool, &post("/", b"2")).await, ok(b"well"));
    assert_eq!(count(&device, "hard-reset"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_known_to_be_in_step_after_a_soft_reset_is_reset_softly_alone() {
    let quirks = Quirks {
        resync: Resync::Soft,
        ..Quirks::default()
    };
    let (_, device) = fails_once(Vec::new(), quirks).await;
    assert_eq!(
        (count(&device, "soft-reset"), count(&device, "hard-reset")),
        (2, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_device_that_goes_on_talking_after_a_soft_reset_is_reset_hard() {
    let device = bad_first(vec![Said::Bytes(
        [ok(b"one"), ok(&vec![b'x'; 400_000])].concat(),
    )]);
    let pool = open(&device).await;
    device.turn(|faults| faults.soft_reset = Answer::Ignored);
    assert_eq!(ask(&pool, &post("/", b"1")).await, ok(b"one"));
    assert_eq!(ask(&pool, &post("/", b"2")).await, ok(b"well"));
    assert_eq!(count(&device, "hard-reset"), 1);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_told_as_such() {
    let cases: [(&[u8], Garbage); 8] = [
        (b"GET / HTTP/1.1\r\n\r\n", Garbage::FirstLine),
        (b"\x1b@ANTRIAN A-001\n\n", Garbage::FirstLine),
        (b"HTTP/1.1 20 OK\r\n\r\n", Garbage::FirstLine),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Garbage::HeaderLine),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            Garbage::Length,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            Garbage::Length,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            Garbage::Chunk,
        ),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Garbage::Status(101)),
    ];
    for (said, garbage) in cases {
        let (error, device) = fails_once(vec![Said::Bytes(said.to_vec())], Quirks::default()).await;
        assert_eq!(error, UsbError::NotHttp { garbage });
        assert_eq!(count(&device, "hard-reset"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_ends_is_ended() {
    let header = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(20_000)].concat();
    let (error, _) = fails_once(vec![Said::Bytes(header)], Quirks::default()).await;
    let garbage = Garbage::HeaderTooLarge(32 * 1024);
    assert_eq!(error, UsbError::NotHttp { garbage });

    let interim = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
    let (error, _) = fails_once(vec![Said::Bytes(interim)], Quirks::default()).await;
    let garbage = Garbage::TooManyInterim(8);
    assert_eq!(error, UsbError::NotHttp { garbage });

    let empty = vec![Said::Packet(Vec::new()); 100_000];
    let (error, _) = fails_once(empty, Quirks::default()).await;
    assert!(matches!(error, UsbError::TimedOut { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waits_for_and_that_never_ends_is_broken_off() {
    let chunks = b"5\r\nhello\r\n".repeat(100_000);
    let endless = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        chunks,
    ]
    .concat();
    let device = bad_first(vec![Said::Bytes(endless)]);
    let quirks = Quirks {
        drain_bytes: 100_000,
        ..Quirks::default()
    };
    let pool = open_with(&device, quirks).await;
    let mut stream = pool.dial().await.unwrap();
    stream.write_all(&post("/", b"1")).await.unwrap();
    let mut first = [0; 10];
    within(stream.read_exact(&mut first)).await.unwrap();
    let left_at = tokio::time::Instant::now();
    drop(stream);
    within(device.until(|device| count(device, "hard-reset") == 1)).await;
    // The clock stands still but for waits of the crate: the bytes ended it, and no time of its own.
    assert!(left_at.elapsed().as_millis() < 1_000);
    assert_eq!(ask(&pool, &post("/", b"2")).await, ok(b"well"));
    assert_eq!(count(&device, "hard-reset"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_the_rest_will_not_come_is_believed_where_the_model_sets_it() {
    let cut = vec![
        Said::Bytes(b"HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nhalf".to_vec()),
        Said::Packet(Vec::new()),
    ];
    let quirks = Quirks {
        zlp_recv: true,
        ..Quirks::default()
    };
    let (error, _) = fails_once(cut.clone(), quirks).await;
    assert_eq!(error, UsbError::OutOfStep);
    let (error, _) = fails_once(cut, Quirks::default()).await;
    assert!(matches!(error, UsbError::TimedOut { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stall_of_the_answer_is_told_and_cleared() {
    let (error, device) = fails_once(vec![Said::StallIn], Quirks::default()).await;
    let doing = Doing::Receiving;
    assert_eq!(error, UsbError::Stalled { doing });
    assert!(count(&device, "clear-in") >= 2, "{:?}", device.log());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_does_not_come_back_from_its_reset_ends_the_pool() {
    let device = bad_first(Vec::new());
    device.turn(|faults| faults.hard_reset = Answer::Refused);
    let pool = open(&device).await;
    let (_, outcome, _) = exchange(&pool, &post("/", b"1")).await;
    assert!(matches!(error_of(outcome), UsbError::TimedOut { .. }));
    let (_, outcome, evidence) = exchange(&pool, &post("/", b"2")).await;
    let doing = Doing::HardReset;
    assert_eq!(error_of(outcome), UsbError::Unplugged { doing });
    assert!(evidence.nothing_left());
}

#[tokio::test(start_paused = true)]
async fn what_the_device_had_to_say_to_another_program_is_thrown_away_at_the_opening() {
    for is_deaf in [false, true] {
        let device = FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"mine"))]);
        if is_deaf {
            device.turn(|faults| faults.soft_reset = Answer::Refused);
        }
        device.say(0, vec![Said::Bytes(ok(b"theirs"))]);
        let pool = open(&device).await;
        assert_eq!(ask(&pool, &post("/", b"")).await, ok(b"mine"));
    }
}
