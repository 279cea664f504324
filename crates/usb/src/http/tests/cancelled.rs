//! Callers that go away at any time.

use loket_fuzz::Seeded;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{PACKET, ask, count, exchange, open, post, posted, wide, within};
use crate::error::UsbError;
use crate::fake::{FakeDevice, Said, ok, whole_request};
use crate::http::HttpPool;

fn well() -> FakeDevice {
    FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(&[b'a'; 500]))])
}

async fn write_and_leave(pool: &HttpPool, bytes: &[u8]) -> super::Evidence {
    let mut stream = within(pool.dial()).await.unwrap();
    let evidence = stream.evidence();
    within(stream.write_all(bytes)).await.unwrap();
    within(stream.flush()).await.unwrap();
    drop(stream);
    evidence
}

#[tokio::test(start_paused = true)]
async fn of_a_small_request_nothing_leaves_before_it_is_whole() {
    let request = post("/", &[b'x'; 100]);
    let device = well();
    let pool = open(&device).await;
    for len in 0..request.len() {
        let evidence = write_and_leave(&pool, &request[..len]).await;
        assert!(evidence.nothing_left(), "{len} bytes were written");
    }
    assert_eq!(ask(&pool, &post("/", b"")).await, ok(&[b'a'; 500]));
    assert_eq!(device.received(0), posted("/", b""));
    assert_eq!(
        (count(&device, "soft-reset"), count(&device, "hard-reset")),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_cut_short_is_never_made_whole() {
    let document = post("/", &vec![b'x'; 40_000]);
    for len in [16_384, 20_000, 30_001, document.len() - 1] {
        let device = well();
        let pool = open(&device).await;
        let evidence = write_and_leave(&pool, &document[..len]).await;
        assert!(!evidence.nothing_left());
        assert_eq!(ask(&pool, &post("/", b"next")).await, ok(&[b'a'; 500]));
        let received = device.received(0);
        let first = received
            .strip_suffix(posted("/", b"next").as_slice())
            .unwrap();
        assert!(posted("/", &vec![b'x'; 40_000]).starts_with(first));
        assert!(!whole_request(first), "{len} bytes");
        assert_eq!(count(&device, "hard-reset"), 1);
        assert_eq!(evidence.accepted_bytes(), wide(first.len()));
    }
}

/// How much of an answer a caller reads before it leaves.
async fn leaves_behind(body_len: usize, read_lens: &[usize]) {
    let whole = ok(&vec![b'a'; body_len]);
    for &len in read_lens {
        let said = whole.clone();
        let device = FakeDevice::http(1, PACKET, move |_request| vec![Said::Bytes(said.clone())]);
        let pool = open(&device).await;
        let mut stream = within(pool.dial()).await.unwrap();
        within(stream.write_all(&post("/", b"1"))).await.unwrap();
        within(stream.flush()).await.unwrap();
        let mut read = vec![0; len];
        within(stream.read_exact(&mut read)).await.unwrap();
        assert!(read == whole[..len]);
        drop(stream);
        assert!(
            ask(&pool, &post("/", b"2")).await == whole,
            "{len} bytes were read"
        );
        assert_eq!(count(&device, "soft-reset"), 1, "that of the opening");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_read_to_its_end() {
    let all: Vec<usize> = (0..ok(&[b'a'; 200]).len()).collect();
    leaves_behind(200, &all).await;
    // More than waits for a caller: the device still holds most of it when the caller leaves.
    leaves_behind(200_000, &[0, 1, 10_000, 100_000, 190_000]).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_left_before_the_first_byte_has_sent_nothing() {
    let device = well();
    let pool = open(&device).await;
    let mut stream = within(pool.dial()).await.unwrap();
    let evidence = stream.evidence();
    // Written and left in one go: the task had no turn in between.
    within(stream.write_all(&post("/", b"x"))).await.unwrap();
    drop(stream);
    assert!(evidence.nothing_left());
    assert_eq!(ask(&pool, &post("/", b"next")).await, ok(&[b'a'; 500]));
    assert!(evidence.nothing_left(), "it stays so");
    assert_eq!(device.received(0), posted("/", b"next"));
}

#[tokio::test(start_paused = true)]
async fn shutting_the_side_of_the_request_early_fails_it() {
    let device = well();
    let pool = open(&device).await;
    let mut stream = within(pool.dial()).await.unwrap();
    let request = post("/", b"xyz");
    within(stream.write_all(&request[..request.len() - 1]))
        .await
        .unwrap();
    let error = within(stream.shutdown()).await.unwrap_err();
    assert_eq!(UsbError::within(&error), Some(&UsbError::CutShort));
    let error = within(stream.read_u8()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let mut stream = within(pool.dial()).await.unwrap();
    within(stream.write_all(&request)).await.unwrap();
    within(stream.shutdown()).await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, ok(&[b'a'; 500]));
}

/// The body of the request, as its answer.
fn echo(request: &[u8]) -> Vec<Said> {
    let at = request
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .unwrap_or_default();
    vec![Said::Bytes(ok(&request[at + 4..]))]
}

/// One caller of many: it leaves somewhere, or stays and must get its own answer.
async fn caller(pool: HttpPool, number: u64, mut seeded: Seeded) {
    let len = seeded.place(30_000) + 1;
    let body = format!("caller {number},")
        .into_bytes()
        .repeat(len / 10 + 1);
    let request = post("/", &body);
    if seeded.below(2) == 0 {
        let (answer, outcome, _) = exchange(&pool, &request).await;
        outcome.unwrap();
        assert!(answer == ok(&body), "caller {number}");
        return;
    }
    let mut stream = within(pool.dial()).await.unwrap();
    let written = seeded.place(request.len() + 1);
    within(stream.write_all(&request[..written])).await.unwrap();
    if written == request.len() {
        let mut read = vec![0; seeded.place(ok(&body).len())];
        within(stream.read_exact(&mut read)).await.unwrap();
        assert!(ok(&body).starts_with(&read));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stays_gets_the_own_answer_however_many_leave() {
    for round in 0..5_u64 {
        let mut seeded = Seeded::of_round(20_261_127, round).unwrap();
        let device = FakeDevice::http(2, PACKET, echo);
        let pool = open(&device).await;
        let mut callers = JoinSet::new();
        for number in 0..40 {
            callers.spawn(caller(pool.clone(), number, seeded.fork()));
        }
        while let Some(done) = within(callers.join_next()).await {
            done.unwrap_or_else(|error| panic!("{error} with {}", seeded.name()));
        }
        within(pool.close(std::time::Duration::from_secs(1_000))).await;
        assert_eq!(count(&device, "claim"), count(&device, "release"));
    }
}
