//! Several callers, several interfaces, one device.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{PACKET, ask, count, exchange, open, open_with, post, within};
use crate::error::{Doing, UsbError};
use crate::fake::{FakeDevice, Said, ok};
use crate::http::HttpPool;
use crate::quirks::{InitReset, Quirks};

/// Answers each request with its own body.
fn echo(interfaces: u8) -> FakeDevice {
    FakeDevice::http(interfaces, PACKET, |request| {
        let at = request
            .windows(4)
            .position(|it| it == b"\r\n\r\n")
            .unwrap_or_default();
        vec![Said::Bytes(ok(&request[at + 4..]))]
    })
}

#[tokio::test(start_paused = true)]
async fn callers_share_the_interfaces_and_each_gets_its_own_answer() {
    for interfaces in 1..=3 {
        let device = echo(interfaces);
        let pool = open(&device).await;
        assert_eq!(pool.interfaces(), usize::from(interfaces));
        let mut callers = JoinSet::new();
        for caller in 0..20_u32 {
            let pool = pool.clone();
            callers.spawn(async move {
                let body = format!("caller {caller}").repeat(100).into_bytes();
                assert_eq!(ask(&pool, &post("/", &body)).await, ok(&body));
            });
        }
        while let Some(done) = within(callers.join_next()).await {
            done.unwrap();
        }
        assert_eq!(count(&device, "hard-reset"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_third_caller_waits_until_one_of_two_interfaces_is_free() {
    let device = echo(2);
    let pool = open(&device).await;
    let one = within(pool.dial()).await.unwrap();
    let _two = within(pool.dial()).await.unwrap();
    let third = pool.dial();
    tokio::pin!(third);
    let waits = tokio::time::timeout(Duration::from_secs(1_000), &mut third).await;
    assert!(waits.is_err(), "both interfaces are taken");
    drop(one);
    within(third).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_stops_waiting_takes_nothing_with_it() {
    let device = echo(1);
    let pool = open(&device).await;
    let held = within(pool.dial()).await.unwrap();
    for _caller in 0..10 {
        let waits = tokio::time::timeout(Duration::from_secs(1), pool.dial()).await;
        assert!(waits.is_err());
    }
    drop(held);
    assert_eq!(ask(&pool, &post("/", b"x")).await, ok(b"x"));
}

#[tokio::test(start_paused = true)]
async fn an_exchange_on_one_interface_is_not_broken_off_by_the_reset_of_another() {
    let device = FakeDevice::http(2, PACKET, |request| {
        if request.starts_with(b"POST /mute") {
            return Vec::new();
        }
        vec![Said::Bytes(ok(b"well"))]
    });
    let pool = open(&device).await;
    // A document that takes its time, on one interface.
    let document = post("/print", &vec![b'x'; 50_000]);
    let (half, rest) = document.split_at(30_000);
    let mut print = within(pool.dial()).await.unwrap();
    print.write_all(half).await.unwrap();
    within(print.flush()).await.unwrap();
    // An answer that never comes, on the other.
    let (_, outcome, _) = exchange(&pool, &post("/mute", b"")).await;
    assert!(outcome.is_err());
    within(device.until(|device| count(device, "soft-reset") == 3)).await;
    assert_eq!(count(&device, "hard-reset"), 0, "while the other one runs");
    print.write_all(rest).await.unwrap();
    let mut answer = Vec::new();
    within(print.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, ok(b"well"));
    within(device.until(|device| count(device, "hard-reset") == 1)).await;
    let mut streams = Vec::new();
    for _interface in 0..2 {
        streams.push(within(pool.dial()).await.unwrap());
    }
    drop(streams);
    assert_eq!(ask(&pool, &post("/", b"")).await, ok(b"well"));
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_during_a_reset_are_served_after_it() {
    let device = FakeDevice::http(2, PACKET, |request| {
        if request.starts_with(b"POST /mute") {
            return Vec::new();
        }
        vec![Said::Bytes(ok(b"well"))]
    });
    let pool = open(&device).await;
    let mut callers = JoinSet::new();
    for caller in 0..12_u32 {
        let pool = pool.clone();
        callers.spawn(async move {
            let path = if caller % 3 == 0 { "/mute" } else { "/" };
            let (answer, outcome, _) = exchange(&pool, &post(path, b"")).await;
            assert_eq!(outcome.is_ok(), path == "/", "{outcome:?}");
            outcome.is_ok().then_some(answer)
        });
    }
    let mut served = 0;
    while let Some(done) = within(callers.join_next()).await {
        if let Some(answer) = done.unwrap() {
            assert_eq!(answer, ok(b"well"));
            served += 1;
        }
    }
    assert_eq!(served, 8);
    assert!(count(&device, "hard-reset") >= 1);
}

#[tokio::test(start_paused = true)]
async fn the_pauses_of_a_model_are_kept() {
    let device = echo(1);
    let quirks = Quirks {
        init_delay_ms: 5_000,
        request_delay_ms: 2_000,
        send_delay_ms: 100,
        send_delay_threshold_bytes: 1_000,
        ..Quirks::default()
    };
    let pool = open_with(&device, quirks).await;
    let started = tokio::time::Instant::now();
    // Three transfers of full size and one of the rest, with a pause behind each that is long.
    ask(&pool, &post("/", &vec![b'x'; 50_000])).await;
    ask(&pool, &post("/", b"short")).await;
    let passed = started.elapsed();
    // The clock stands still but for waits of the crate, so that this is no measurement.
    assert_eq!(passed.as_millis() / 100, 50 + 3 + 20, "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_model_may_be_used_over_fewer_interfaces_and_reset_when_it_is_opened() {
    let device = echo(3);
    let quirks = Quirks {
        max_interfaces: 1,
        init_reset: InitReset::Hard,
        ..Quirks::default()
    };
    let pool = open_with(&device, quirks).await;
    assert_eq!(pool.interfaces(), 1);
    assert_eq!(device.log(), ["hard-reset", "claim 0"]);
}

#[tokio::test(start_paused = true)]
async fn what_another_program_holds_is_busy() {
    let device = echo(2);
    let first = open(&device).await;
    let function = device.function();
    let opened = HttpPool::open(device.opened(), &function, Quirks::default());
    let doing = Doing::Claiming;
    assert_eq!(within(opened).await.unwrap_err(), UsbError::Busy { doing });
    assert_eq!(ask(&first, &post("/", b"x")).await, ok(b"x"));
}

#[tokio::test(start_paused = true)]
async fn closing_lets_what_runs_come_to_its_end() {
    let device = echo(2);
    let pool = open(&device).await;
    let mut stream = within(pool.dial()).await.unwrap();
    let request = post("/", b"last");
    let (half, rest) = request.split_at(30);
    stream.write_all(half).await.unwrap();
    let closing = pool.close(Duration::from_secs(100));
    let finishing = async {
        let refused = within(pool.dial()).await.unwrap_err();
        assert_eq!(refused, UsbError::Closed);
        stream.write_all(rest).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, ok(b"last"));
    };
    within(async { tokio::join!(closing, finishing) }).await;
    assert_eq!(count(&device, "release"), 2);
    assert_eq!(count(&device, "hard-reset"), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_breaks_off_what_does_not_end_and_leaves_the_device_in_step() {
    let device = echo(2);
    let pool = open(&device).await;
    let mut stream = within(pool.dial()).await.unwrap();
    let request = post("/", &vec![b'x'; 50_000]);
    stream.write_all(&request[..40_000]).await.unwrap();
    within(stream.flush()).await.unwrap();
    within(pool.close(Duration::from_secs(100))).await;
    let error = stream.write_all(b"more").await.unwrap_err();
    assert_eq!(UsbError::within(&error), Some(&UsbError::Closed));
    let log = device.log();
    assert_eq!(
        log.last().map(String::as_str),
        Some("hard-reset"),
        "{log:?}"
    );
    assert_eq!(count(&device, "release"), 2);
    let again = open(&device).await;
    assert_eq!(ask(&again, &post("/", b"x")).await, ok(b"x"));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_dropped_gives_its_interfaces_back() {
    let device = echo(2);
    let pool = open(&device).await;
    let mut stream = within(pool.dial()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
    drop(pool);
    within(device.until(|device| count(device, "release") == 2)).await;
    assert!(stream.read_u8().await.is_err());
}
