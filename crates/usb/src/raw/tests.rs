//! A raw printer in memory, under a clock that stands still.

mod in_flight;

use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::error::{Doing, UsbError};
use crate::fake::{Answer, FakeDevice, Said};
use crate::plugged::FunctionKind;
use crate::quirks::{InitReset, Quirks, SoftResetTo};

const PACKET: usize = 64;
const DEADLINE: Duration = Duration::from_secs(3_600);
/// DLE EOT 4: the paper sensors, in real time.
const ASK_PAPER: &[u8] = &[0x10, 0x04, 0x04];
const PAPER_WELL: u8 = 0x12;

/// Prints whatever it gets and answers a question about its paper.
fn ticket_printer() -> FakeDevice {
    let firmware = |_interface: u8, bytes: &[u8]| {
        bytes
            .ends_with(ASK_PAPER)
            .then(|| vec![Said::Bytes(vec![PAPER_WELL])])
    };
    FakeDevice::new(FunctionKind::RawPrinter, 1, PACKET, Box::new(firmware))
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    timeout(DEADLINE, wait).await.expect("it ends in time")
}

async fn open(device: &FakeDevice, quirks: Quirks) -> RawPrinter {
    within(RawPrinter::open(
        device.opened(),
        &device.function(),
        quirks,
    ))
    .await
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn bytes_arrive_as_they_are_and_the_answer_is_read() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    let ticket: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    within(printer.write(&ticket)).await.unwrap();
    assert_eq!(device.received(0), ticket);
    assert_eq!(printer.accepted_bytes(), 70_000);
    assert!(printer.answers());
    within(printer.write(ASK_PAPER)).await.unwrap();
    assert_eq!(
        within(printer.read(Duration::from_secs(1))).await.unwrap(),
        &[PAPER_WELL][..]
    );
    assert!(
        within(printer.read(Duration::from_secs(1)))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_not_taken_for_that_to_the_next_question() {
    let device = ticket_printer();
    device.say(0, vec![Said::Bytes(vec![0x72; 4])]);
    let mut printer = open(&device, Quirks::default()).await;
    device.say(
        0,
        vec![Said::Bytes(vec![0x72; 4]), Said::Bytes(vec![0x72; 4])],
    );
    within(printer.discard()).await.unwrap();
    within(printer.write(ASK_PAPER)).await.unwrap();
    assert_eq!(
        within(printer.read(Duration::from_secs(1))).await.unwrap(),
        &[PAPER_WELL][..]
    );
    device.say(0, vec![Said::Bytes(vec![0x72; 100_000])]);
    assert_eq!(within(printer.discard()).await, Err(UsbError::OutOfStep));
}

#[tokio::test(start_paused = true)]
async fn plugged_out_at_any_byte_is_told_with_the_bytes_that_left() {
    for at in 1..=200 {
        let device = ticket_printer();
        let mut printer = open(&device, Quirks::default()).await;
        device.turn(|faults| faults.unplug_after_out = Some(at));
        let written = within(printer.write(&[b'x'; 200])).await;
        if at == 200 {
            written.unwrap();
            continue;
        }
        let failed = written.unwrap_err();
        let doing = Doing::Sending;
        assert_eq!(failed.error, UsbError::Unplugged { doing });
        assert_eq!((failed.accepted_bytes, failed.at_most_bytes), (at, 200));
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_without_paper_takes_what_its_memory_holds_and_is_given_up() {
    for at in [0, 10, 16 * 1024, 20_000] {
        let device = ticket_printer();
        let mut printer = open(&device, Quirks::default()).await;
        device.turn(|faults| faults.take_at_most = Some(at));
        let failed = within(printer.write(&[b'x'; 40_000])).await.unwrap_err();
        assert!(
            matches!(failed.error, UsbError::TimedOut { .. }),
            "{failed:?}"
        );
        assert_eq!((failed.accepted_bytes, failed.at_most_bytes), (at, at));
        // It can still be asked how it is.
        assert!(
            !within(printer.port_status())
                .await
                .unwrap()
                .is_paper_empty()
        );
        device.turn(|faults| faults.take_at_most = None);
        within(printer.write(b"again")).await.unwrap();
        assert_eq!(device.accepted_bytes(), at + 5);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_call_left_in_flight_is_ended_and_counted() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    device.turn(|faults| faults.take_at_most = Some(100));
    let dropped = timeout(Duration::from_secs(1), printer.write(&[b'x'; 500])).await;
    assert!(dropped.is_err());
    device.turn(|faults| faults.take_at_most = None);
    within(printer.write(b"next")).await.unwrap();
    let received = device.received(0);
    let first = received.strip_suffix(b"next").unwrap();
    assert!(first.iter().all(|byte| *byte == b'x'));
    assert_eq!(
        printer.accepted_bytes(),
        u64::try_from(received.len()).unwrap()
    );
    let dropped = timeout(Duration::from_secs(1), printer.read(DEADLINE)).await;
    assert!(dropped.is_err());
    device.say(0, vec![Said::Bytes(vec![1])]);
    within(printer.write(ASK_PAPER)).await.unwrap();
    assert_eq!(
        within(printer.read(DEADLINE)).await.unwrap(),
        &[PAPER_WELL][..]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_told_and_cleared_by_the_soft_reset() {
    let device = ticket_printer();
    let mut printer = open(&device, Quirks::default()).await;
    device.say(0, vec![Said::StallOut, Said::StallIn]);
    let failed = within(printer.write(b"x")).await.unwrap_err();
    let doing = Doing::Sending;
    assert_eq!(failed.error, UsbError::Stalled { doing });
    let doing = Doing::Receiving;
    let read = within(printer.read(DEADLINE)).await;
    assert_eq!(read, Err(UsbError::Stalled { doing }));
    within(printer.soft_reset()).await.unwrap();
    within(printer.write(ASK_PAPER)).await.unwrap();
    assert_eq!(
        within(printer.read(DEADLINE)).await.unwrap(),
        &[PAPER_WELL][..]
    );
}

#[tokio::test(start_paused = true)]
async fn the_soft_reset_goes_to_whom_the_model_listens() {
    let device = ticket_printer();
    device.turn(|faults| {
        faults.soft_reset = Answer::Refused;
        faults.soft_reset_to_other = Answer::Done;
    });
    let mut printer = open(&device, Quirks::default()).await;
    within(printer.soft_reset()).await.unwrap();
    assert_eq!(
        device
            .log()
            .iter()
            .filter(|it| *it == "soft-reset 0")
            .count(),
        4
    );
    printer.close().await;
    let quirks = Quirks {
        soft_reset_to: SoftResetTo::Other,
        init_reset: InitReset::None,
        ..Quirks::default()
    };
    let mut printer = open(&device, quirks).await;
    within(printer.soft_reset()).await.unwrap();
    assert_eq!(
        device
            .log()
            .iter()
            .filter(|it| *it == "soft-reset 0")
            .count(),
        5
    );
    device.turn(|faults| faults.soft_reset_to_other = Answer::Refused);
    let doing = Doing::SoftReset;
    assert_eq!(
        within(printer.soft_reset()).await,
        Err(UsbError::Stalled { doing })
    );
}

#[tokio::test(start_paused = true)]
async fn a_printer_says_who_and_how_it_is() {
    let device = ticket_printer();
    let printer = open(&device, Quirks::default()).await;
    let id = within(printer.device_id()).await.unwrap();
    assert_eq!(
        (id.manufacturer(), id.model()),
        (Some("Example"), Some("Ticket One"))
    );
    device.turn(|faults| faults.port_status = Some(0x20));
    let status = within(printer.port_status()).await.unwrap();
    assert!(status.is_paper_empty() && !status.is_selected() && status.has_error());
    assert_eq!(status.bits(), 0x20);
    device.turn(|faults| (faults.device_id, faults.port_status) = (None, None));
    let doing = Doing::AskingDeviceId;
    assert_eq!(
        within(printer.device_id()).await,
        Err(UsbError::Stalled { doing })
    );
    device.unplug();
    let doing = Doing::AskingPortStatus;
    assert_eq!(
        within(printer.port_status()).await,
        Err(UsbError::Unplugged { doing })
    );
}

#[tokio::test(start_paused = true)]
async fn an_interface_is_held_by_one_and_given_back() {
    let device = ticket_printer();
    let first = open(&device, Quirks::default()).await;
    let function = device.function();
    let second = RawPrinter::open(device.opened(), &function, Quirks::default());
    let doing = Doing::Claiming;
    assert_eq!(within(second).await.unwrap_err(), UsbError::Busy { doing });
    within(first.close()).await;
    open(&device, Quirks::default()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_raw_printer_is_not_opened_as_one() {
    let device = FakeDevice::http(1, PACKET, |_request| Vec::new());
    let function = device.function();
    let opened = RawPrinter::open(device.opened(), &function, Quirks::default());
    assert_eq!(
        within(opened).await.unwrap_err().keyword(),
        "usb-no-such-interface"
    );
    let device = ticket_printer();
    let function = device.function();
    let opened = crate::HttpPool::open(device.opened(), &function, Quirks::default());
    assert_eq!(
        within(opened).await.unwrap_err().keyword(),
        "usb-no-such-interface"
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_that_fill_the_last_packet_are_followed_by_an_empty_one_where_the_model_needs_it() {
    let device = ticket_printer();
    let quirks = Quirks {
        zlp_send: true,
        ..Quirks::default()
    };
    let mut printer = open(&device, quirks).await;
    within(printer.write(&[b'x'; PACKET])).await.unwrap();
    within(printer.write(&[b'x'; PACKET + 1])).await.unwrap();
    assert_eq!(device.transfers(), [PACKET, 0, PACKET + 1]);
}
