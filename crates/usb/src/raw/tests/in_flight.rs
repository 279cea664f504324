//! More bytes than one transfer takes.

use loket_fuzz::Seeded;
use tokio::time::interval;

use super::*;
use crate::fake::{Faults, counted};

const LEN: usize = 100_000;

/// The transfers of a ticket, and those of what is longer.
const SHORT: usize = 16 * 1024;
const LARGE: usize = 32 * 1024;

/// Around the ends of the first transfers, where two are in flight, and where they are short again.
const PLACES: [usize; 9] = [
    1,
    10_000,
    LARGE - 1,
    LARGE,
    LARGE + 1,
    50_000,
    2 * LARGE,
    2 * LARGE + SHORT,
    90_000,
];

fn picture() -> Vec<u8> {
    counted(LEN)
}

#[tokio::test(start_paused = true)]
async fn a_large_write_has_two_transfers_in_flight_and_a_ticket_one() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    within(printer.write(&[b'x'; 2_000])).await.unwrap();
    assert_eq!(device.most_in_flight(), 1);
    within(printer.write(&picture())).await.unwrap();
    assert_eq!(device.most_in_flight(), 2);
    assert!(device.received(0).ends_with(&picture()));
    assert_eq!(printer.accepted_bytes(), 102_000);
    let transfers = device.transfers();
    let rest = LEN - 2 * LARGE - 2 * SHORT;
    assert_eq!(transfers, [2_000, LARGE, LARGE, SHORT, SHORT, rest]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_ticket_leaves_in_short_transfers() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    within(printer.write(&picture()[..48 * 1024]))
        .await
        .unwrap();
    assert_eq!(device.transfers(), [SHORT; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_needs_pauses_has_one_short_transfer_in_flight() {
    let quirks = Quirks {
        send_delay_ms: 10,
        ..Quirks::default()
    };
    let device = ticket_printer();
    let mut printer = open(&device, quirks).await;
    within(printer.write(&picture())).await.unwrap();
    assert_eq!(device.most_in_flight(), 1);
    assert!(device.received(0) == picture());
    assert!(device.transfers().iter().all(|len| *len <= SHORT));
}

/// A large write to a printer with a fault at some byte.
async fn breaks(turn: impl FnOnce(&mut Faults)) -> (WriteError, FakeDevice) {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    device.turn(turn);
    let failed = within(printer.write(&picture())).await.unwrap_err();
    assert!(picture().starts_with(&device.received(0)), "{failed}");
    let taken = device.accepted_bytes();
    assert_eq!(failed.accepted_bytes, taken, "{failed}");
    assert_eq!(printer.accepted_bytes(), u64::try_from(taken).unwrap());
    if !failed.error.is_gone() {
        device.turn(|faults| faults.take_at_most = None);
        within(printer.soft_reset()).await.unwrap();
        within(printer.write(b"next")).await.unwrap();
        assert!(device.received(0).ends_with(b"next"));
    }
    (failed, device)
}

#[tokio::test(start_paused = true)]
async fn every_byte_that_left_is_counted_wherever_it_breaks_off() {
    for at in PLACES {
        let (failed, _) = breaks(|faults| faults.stall_out_at = Some(at)).await;
        let doing = Doing::Sending;
        assert_eq!(failed.error, UsbError::Stalled { doing });
        assert_eq!((failed.accepted_bytes, failed.at_most_bytes), (at, at));

        let (failed, _) = breaks(|faults| faults.take_at_most = Some(at)).await;
        assert!(matches!(failed.error, UsbError::TimedOut { .. }));
        assert_eq!((failed.accepted_bytes, failed.at_most_bytes), (at, at));

        let (failed, _) = breaks(|faults| faults.unplug_after_out = Some(at)).await;
        assert!(failed.error.is_gone());
        assert_eq!(failed.accepted_bytes, at);
        let doubtful = failed.at_most_bytes - at;
        let most = if at < 2 * LARGE { 2 * LARGE } else { 2 * SHORT };
        assert!((1..=most).contains(&doubtful), "{failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_moves_by_fits_and_starts_arrives_with_every_byte_once() {
    for round in 0..20_u64 {
        let mut seeded = Seeded::of_round(20_261_128, round).unwrap();
        let device = ticket_printer();
        let mut printer = open(&device, Quirks::default()).await;
        let picture = picture();
        let written = printer.write(&picture);
        tokio::pin!(written);
        // Something moves within the time in which something must; but transfers take longer, and are asked to end.
        let mut pace = interval(Duration::from_secs(100));
        let mut most = 0;
        let outcome = loop {
            device.turn(|faults| faults.take_at_most = Some(most));
            tokio::select! {
                done = &mut written => break done,
                _tick = pace.tick() => most += seeded.place(30_000) + 1,
            }
        };
        outcome.unwrap_or_else(|error| panic!("{error} with {}", seeded.name()));
        assert!(device.received(0) == picture, "{}", seeded.name());
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_a_gap_are_told_as_such() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    device.turn(|faults| faults.short_out_at = Some(10_000));
    let failed = within(printer.write(&picture())).await.unwrap_err();
    let doing = Doing::Sending;
    assert_eq!(failed.error, UsbError::Fault { doing });
    assert_eq!(failed.accepted_bytes, 10_000);
    assert_eq!(failed.at_most_bytes, 10_000 + LARGE);
    assert_eq!(device.received(0).len(), failed.at_most_bytes);
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_large_write_left_in_flight_is_ended_and_counted() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    device.turn(|faults| faults.take_at_most = Some(20_000));
    let dropped = timeout(Duration::from_secs(1), printer.write(&picture())).await;
    assert!(dropped.is_err());
    device.turn(|faults| faults.take_at_most = None);
    within(printer.write(b"next")).await.unwrap();
    let received = device.received(0);
    let first = received.strip_suffix(b"next").unwrap();
    assert!(picture().starts_with(first));
    assert!((20_000..=2 * LARGE).contains(&first.len()), "no more");
    let taken = u64::try_from(received.len()).unwrap();
    assert_eq!(printer.accepted_bytes(), taken);
}
