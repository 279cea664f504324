//! Documents, of which one transfer moves while the next is under way.

use loket_fuzz::Seeded;
use tokio::time::{Duration, interval};

use super::{ask, count, error_of, exchange, open, open_with, post, posted, wide};
use crate::error::{Doing, UsbError};
use crate::fake::{FakeDevice, Faults, Said, counted, ok};
use crate::quirks::Quirks;

/// The largest transfer.
const LARGE: usize = 32 * 1024;

/// Of a real device at high speed.
const PACKET: usize = 512;

const BODY_BYTES: usize = 200_000;

/// Around the ends of the first transfers, and where three are in flight.
const PLACES: [usize; 9] = [
    0,
    1,
    10_000,
    LARGE - 1,
    LARGE,
    LARGE + 1,
    50_000,
    2 * LARGE,
    120_000,
];

fn body() -> Vec<u8> {
    counted(BODY_BYTES)
}

fn well() -> FakeDevice {
    FakeDevice::http(1, PACKET, |_request| vec![Said::Bytes(ok(b"well"))])
}

#[tokio::test(start_paused = true)]
async fn a_document_has_three_transfers_in_flight_and_a_question_one() {
    let device = well();
    let pool = open(&device).await;
    ask(&pool, &post("/", b"question")).await;
    assert_eq!(device.most_in_flight(), 1);
    ask(&pool, &post("/", &body())).await;
    assert_eq!(device.most_in_flight(), 3);
    assert!(device.received(0).ends_with(&posted("/", &body())));
    let full = |it: &&usize| **it == LARGE;
    let transfers = device.transfers();
    assert_eq!(transfers.iter().filter(full).count(), 6, "{transfers:?}");
    assert_eq!(transfers.len(), 8, "the question, six, and the rest");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_needs_pauses_has_one_short_transfer_in_flight() {
    let quirks = Quirks {
        send_delay_ms: 10,
        send_delay_threshold_bytes: 1_000,
        ..Quirks::default()
    };
    let device = well();
    let pool = open_with(&device, quirks).await;
    ask(&pool, &post("/", &body())).await;
    assert_eq!(device.most_in_flight(), 1);
    assert!(device.transfers().iter().all(|len| *len <= LARGE / 2));
    assert_eq!(device.received(0), posted("/", &body()));
}

/// A document to a device with a fault at some byte: what became of it, what is known, and what arrived.
async fn breaks(turn: impl FnOnce(&mut Faults)) -> (UsbError, super::Evidence, FakeDevice) {
    let device = well();
    let pool = open(&device).await;
    device.turn(turn);
    let (_, outcome, evidence) = exchange(&pool, &post("/", &body())).await;
    let error = error_of(outcome);
    let arrived = device.received(0);
    assert!(posted("/", &body()).starts_with(&arrived), "{error}");
    assert_eq!(evidence.accepted_bytes(), wide(arrived.len()), "{error}");
    device.turn(|faults| faults.take_at_most = None);
    if !error.is_gone() {
        let next = ask(&pool, &post("/", b"next")).await;
        assert_eq!(next, ok(b"well"), "after {error}");
        assert!(device.received(0).ends_with(&posted("/", b"next")));
        let resets = (count(&device, "soft-reset"), count(&device, "hard-reset"));
        assert!(resets > (1, 0), "{resets:?} after {error}");
    }
    (error, evidence, device)
}

#[tokio::test(start_paused = true)]
async fn of_a_document_every_byte_that_left_is_counted_wherever_it_breaks_off() {
    for at in PLACES {
        let (error, evidence, _) = breaks(|faults| faults.stall_out_at = Some(at)).await;
        let doing = Doing::Sending;
        assert_eq!(error, UsbError::Stalled { doing });
        let counts = (evidence.accepted_bytes(), evidence.handed_over_bytes());
        assert_eq!(counts, (wide(at), wide(at)), "a stall");

        let (error, evidence, _) = breaks(|faults| faults.take_at_most = Some(at)).await;
        assert!(matches!(error, UsbError::TimedOut { .. }), "{error}");
        let counts = (evidence.accepted_bytes(), evidence.handed_over_bytes());
        assert_eq!(counts, (wide(at), wide(at)), "nothing more is taken");

        let (error, evidence, _) = breaks(|faults| faults.unplug_after_out = Some(at.max(1))).await;
        assert!(error.is_gone(), "{error}");
        let counts = (evidence.accepted_bytes(), evidence.handed_over_bytes());
        assert_eq!(counts.0, wide(at.max(1)), "unplugged");
        assert!(counts.1 > counts.0, "what was under way may have arrived");
        assert!(
            counts.1 <= counts.0 + wide(3 * LARGE),
            "and no more than that"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_moves_by_fits_and_starts_arrives_with_every_byte_once() {
    for round in 0..20_u64 {
        let mut seeded = Seeded::of_round(20_261_128, round).unwrap();
        let device = well();
        let pool = open(&device).await;
        let request = post("/", &body());
        let asked = exchange(&pool, &request);
        tokio::pin!(asked);
        // Something moves within the time in which something must; but transfers take longer, and are asked to end.
        let mut pace = interval(Duration::from_secs(100));
        let mut most = 0;
        let (answer, outcome, _) = loop {
            device.turn(|faults| faults.take_at_most = Some(most));
            tokio::select! {
                done = &mut asked => break done,
                _tick = pace.tick() => most += seeded.place(60_000) + 1,
            }
        };
        outcome.unwrap_or_else(|error| panic!("{error} with {}", seeded.name()));
        assert_eq!(answer, ok(b"well"));
        assert!(
            device.received(0) == posted("/", &body()),
            "{}",
            seeded.name()
        );
        assert_eq!(count(&device, "hard-reset"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_a_gap_end_the_exchange() {
    let device = well();
    let pool = open(&device).await;
    device.turn(|faults| faults.short_out_at = Some(10_000));
    let (_, outcome, evidence) = exchange(&pool, &post("/", &body())).await;
    let doing = Doing::Sending;
    assert_eq!(error_of(outcome), UsbError::Fault { doing });
    assert_eq!(evidence.accepted_bytes(), wide(device.received(0).len()));
    let arrived = device.received(0);
    assert!(
        !posted("/", &body()).starts_with(&arrived),
        "there is a gap"
    );
    assert!(arrived.len() < 3 * LARGE, "nothing was sent after it");
    assert_eq!(ask(&pool, &post("/", b"next")).await, ok(b"well"));
    assert_eq!(count(&device, "hard-reset"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_short_transfer_left_is_sent_where_nothing_was_behind_it() {
    let device = well();
    let pool = open(&device).await;
    let request = post("/", &body()[..10_000]);
    device.turn(|faults| faults.short_out_at = Some(3_000));
    assert_eq!(ask(&pool, &request).await, ok(b"well"));
    assert!(device.received(0) == posted("/", &body()[..10_000]));
}
