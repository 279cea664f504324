//! Over USB: a device in memory whose firmware is the simulated printer, on paused time.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use loket_sim::ticket_printer::{Device, Knobs, Slip};
use loket_ticket_printer::{
    Answering, Doubt, OpenError, OpenUsb, Outcome, PortFuture, Profile, QrBy, Refusal,
    TicketPrinter, UsbTransport, render,
};
use loket_usb::fake::{FakeDevice, Said};
use loket_usb::{FunctionKind, Quirks, RawPrinter, UsbError};
use tokio::time::{Instant, timeout};

use crate::bench::{clean_slip, is_whole, name_of, profile, speaking, ticket};

const PACKET: usize = 64;

/// What GET_PORT_STATUS says of a printer at rest, and of one whose roll is at its end.
const AT_REST: u8 = 0x18;
const PAPER_EMPTY: u8 = 0x20;

/// A simulated printer, and the cable in its socket.
#[derive(Debug, Clone)]
struct Socket {
    printer: Arc<Mutex<Device>>,
    cable: Arc<Mutex<FakeDevice>>,
    started: Instant,
    /// False for an interface that only listens (7/1/1).
    answers: bool,
}

impl Socket {
    fn new(profile: &Profile, knobs: Knobs) -> Self {
        let printer = Arc::new(Mutex::new(Device::new(profile.dots, knobs)));
        let started = Instant::now();
        Self {
            cable: Arc::new(Mutex::new(cable(&printer, started))),
            printer,
            started,
            answers: true,
        }
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        self.printer.lock().unwrap()
    }

    fn fake(&self) -> FakeDevice {
        self.cable.lock().unwrap().clone()
    }

    /// The cable is put in again: another device to the computer, the same printer.
    fn plug_in(&self) {
        self.device().disconnect();
        *self.cable.lock().unwrap() = cable(&self.printer, self.started);
    }

    fn ticket_printer(&self, profile: &Profile) -> TicketPrinter {
        let transport =
            UsbTransport::new(Box::new(self.clone()), Quirks::default(), &profile.waits);
        TicketPrinter::new(Box::new(transport), profile.clone(), 1).unwrap()
    }

    fn slips(&self) -> Vec<Slip> {
        let device = self.device();
        let seen = device.slips().filter(|slip| !slip.is_blank());
        seen.cloned().collect()
    }

    fn with_number(&self, number: &str) -> usize {
        let slips = self.slips();
        let has = |slip: &&Slip| slip.text().contains(&number);
        slips.iter().filter(has).count()
    }
}

impl OpenUsb for Socket {
    fn open(&self, quirks: Quirks) -> PortFuture<'_, Result<RawPrinter, UsbError>> {
        Box::pin(async move {
            let fake = self.fake();
            let mut function = fake.function();
            if !self.answers {
                for place in &mut function.places {
                    place.input = None;
                }
            }
            RawPrinter::open(fake.opened(), &function, quirks).await
        })
    }
}

/// A device whose firmware hands every byte to the printer, once.
fn cable(printer: &Arc<Mutex<Device>>, started: Instant) -> FakeDevice {
    let printer = Arc::clone(printer);
    let mut seen = 0;
    let firmware = move |_interface: u8, bytes: &[u8]| {
        let mut printer = printer.lock().unwrap();
        let now = started.elapsed();
        let new = &bytes[seen..];
        assert_eq!(printer.receive(new, now), new.len(), "its buffer is full");
        seen = bytes.len();
        let answers = printer.answers(now);
        (!answers.is_empty()).then(|| {
            seen = 0;
            vec![Said::Bytes(answers)]
        })
    };
    FakeDevice::new(FunctionKind::RawPrinter, 1, PACKET, Box::new(firmware))
}

/// Bytes before the ticket of a sound printer that is fresh, and bytes of the ticket.
async fn bytes_before(profile: &Profile) -> (usize, usize) {
    let socket = Socket::new(profile, speaking(profile.answering));
    let outcome = socket.ticket_printer(profile).print(&ticket("A-007")).await;
    assert_eq!(name_of(&outcome), "printed");
    let of = render(&ticket("A-007"), profile).len();
    let received = socket.fake().received(0);
    let ticket = render(&ticket("A-007"), profile);
    let at = received.windows(of).position(|it| it == ticket);
    (at.unwrap(), of)
}

#[tokio::test(start_paused = true)]
async fn tickets_come_out_over_usb_and_are_known_to() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        for qr in [QrBy::Native, QrBy::Raster] {
            let profile = profile(answering, qr);
            let clean = clean_slip(&profile, &ticket("A-007")).await;
            let socket = Socket::new(&profile, speaking(answering));
            // What an earlier program did not read is no answer to us.
            socket
                .fake()
                .say(0, vec![Said::Bytes(vec![0x12, 0x00, 0x1a])]);
            let mut printer = socket.ticket_printer(&profile);
            for _time in 0..3 {
                let outcome = printer.print(&ticket("A-007")).await;
                assert!(matches!(outcome, Outcome::Printed { .. }), "{outcome:?}");
            }
            let slips = socket.slips();
            assert_eq!(slips.len(), 3);
            assert!(slips.iter().all(|slip| is_whole(slip, &clean)), "{slips:?}");
            // Given back each time; never reset, which would throw away what a printer still has to print.
            let each = ["claim 0", "release 0"];
            assert_eq!(socket.fake().log(), each.repeat(3));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unplugged_at_any_byte_it_is_said_how_many_of_the_ticket_were_taken() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Native);
        let (first, second) = (ticket("A-007"), ticket("A-008"));
        let clean = clean_slip(&profile, &second).await;
        let (before, of) = bytes_before(&profile).await;
        for taken in (0..20).chain((20..of).step_by(3)).chain(of - 8..=of) {
            let socket = Socket::new(&profile, speaking(answering));
            socket
                .fake()
                .turn(|faults| faults.unplug_after_out = Some(before + taken));
            let mut printer = socket.ticket_printer(&profile);
            let outcome = printer.print(&first).await;
            match &outcome {
                // Gone before its answer to the question before the ticket was heard.
                Outcome::NotPrinted(Refusal::NothingTaken(_)) => assert_eq!(taken, 0),
                Outcome::Unclear {
                    accepted_bytes,
                    of_bytes,
                    why: Doubt::Lost(_),
                } => assert_eq!((*accepted_bytes, *of_bytes), (taken, of)),
                Outcome::Printed { .. }
                | Outcome::Accepted { .. }
                | Outcome::NotPrinted(_)
                | Outcome::Unclear { .. } => panic!("{taken}: {outcome:?}"),
            }
            let gone = printer.print(&second).await;
            let is_gone = matches!(
                gone,
                Outcome::NotPrinted(Refusal::NotReached(OpenError::NotThere(_)))
            );
            assert!(is_gone, "{taken}: {gone:?}");
            socket.plug_in();
            let next = printer.print(&second).await;
            assert_eq!(name_of(&next), "printed", "{taken}: {next:?}");
            let last = socket.slips().pop();
            assert!(last.is_some_and(|slip| is_whole(&slip, &clean)), "{taken}");
            assert!(socket.with_number("A-007") <= 1, "{taken}");
        }
    }
}

/// Nothing of it was acknowledged, and it was on its way: what arrived nobody can say.
#[tokio::test(start_paused = true)]
async fn unplugged_while_its_first_bytes_are_on_their_way_a_ticket_is_unclear() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let (before, of) = bytes_before(&profile).await;
    let socket = Socket::new(&profile, speaking(Answering::InLine));
    let fake = socket.fake();
    fake.turn(|faults| faults.take_at_most = Some(before));
    let mut printer = socket.ticket_printer(&profile);
    let ticket = ticket("A-007");
    let (outcome, ()) = tokio::join!(printer.print(&ticket), async {
        let is_under_way = |it: &FakeDevice| it.transfers().last().is_some_and(|len| *len >= of);
        fake.until(is_under_way).await;
        fake.unplug();
    });
    let is_unclear = matches!(
        outcome,
        Outcome::Unclear {
            accepted_bytes: 0,
            why: Doubt::Lost(_),
            ..
        }
    );
    assert!(is_unclear, "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_only_listens_has_accepted_and_no_more() {
    let profile = profile(Answering::Nothing, QrBy::Native);
    let mut socket = Socket::new(&profile, speaking(Answering::Nothing));
    socket.answers = false;
    let mut printer = socket.ticket_printer(&profile);
    let of = render(&ticket("A-007"), &profile).len();
    for has_status in [true, false] {
        let status = has_status.then_some(AT_REST);
        socket.fake().turn(|faults| faults.port_status = status);
        let outcome = printer.print(&ticket("A-007")).await;
        assert!(outcome.confirm_on_screen());
        let Outcome::Accepted { bytes, after } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(bytes, of);
        assert_eq!(after.is_some_and(|status| status.is_known), has_status);
    }
    assert_eq!(socket.with_number("A-007"), 2);

    // Its interface tells of paper all the same, and then no byte leaves.
    socket
        .fake()
        .turn(|faults| faults.port_status = Some(PAPER_EMPTY));
    let before = socket.fake().accepted_bytes();
    let outcome = printer.print(&ticket("A-008")).await;
    let Outcome::NotPrinted(refusal) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refusal.keywords(), ["media-empty"]);
    assert_eq!(socket.fake().accepted_bytes(), before);
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_only_listens_and_should_answer_is_sent_no_ticket() {
    for answering in [Answering::Status, Answering::InLine, Answering::ProcessId] {
        let profile = profile(answering, QrBy::Native);
        let mut socket = Socket::new(&profile, speaking(answering));
        socket.answers = false;
        let outcome = socket
            .ticket_printer(&profile)
            .print(&ticket("A-007"))
            .await;
        let is_silent = matches!(outcome, Outcome::NotPrinted(Refusal::Silent));
        assert!(is_silent, "{outcome:?}");
        assert!(socket.slips().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_stops_taking_is_asked_why_beside_the_data() {
    let profile = profile(Answering::ProcessId, QrBy::Native);
    let (before, of) = bytes_before(&profile).await;
    let first = ticket("A-007");
    for taken in [0, 1, PACKET, 200, of - 1] {
        for (status, keyword) in [(PAPER_EMPTY, "media-empty"), (AT_REST, "stopped-taking")] {
            let socket = Socket::new(&profile, speaking(Answering::ProcessId));
            let fake = socket.fake();
            fake.turn(|faults| faults.take_at_most = Some(before + taken));
            let mut printer = socket.ticket_printer(&profile);
            let (outcome, ()) = tokio::join!(printer.print(&first), async {
                fake.until(|it| it.accepted_bytes() == before + taken).await;
                fake.turn(|faults| faults.port_status = Some(status));
            });
            match &outcome {
                Outcome::NotPrinted(refusal) => {
                    assert_eq!((taken, refusal.keywords()), (0, vec!["nothing-taken"]));
                }
                Outcome::Unclear {
                    accepted_bytes,
                    why,
                    ..
                } => {
                    assert_eq!((*accepted_bytes, why.keywords()), (taken, vec![keyword]));
                }
                Outcome::Printed { .. } | Outcome::Accepted { .. } => {
                    panic!("{taken}: {outcome:?}")
                }
            }
        }
    }
}

/// Its own sensors see the roll, and the interface beside the data says that there is none: one of both is enough.
#[tokio::test(start_paused = true)]
async fn a_printer_whose_interface_says_no_paper_is_sent_no_ticket() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let socket = Socket::new(&profile, speaking(Answering::InLine));
    socket
        .fake()
        .turn(|faults| faults.port_status = Some(PAPER_EMPTY));
    let mut printer = socket.ticket_printer(&profile);
    let outcome = printer.print(&ticket("A-007")).await;
    let Outcome::NotPrinted(refusal) = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(refusal.keywords(), ["media-empty"]);
    assert_eq!(socket.with_number("A-007"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_printer_that_somebody_else_holds_is_left_to_them() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let socket = Socket::new(&profile, speaking(Answering::InLine));
    let held = socket.open(Quirks::default()).await.unwrap();
    let mut printer = socket.ticket_printer(&profile);
    let outcome = printer.print(&ticket("A-007")).await;
    let is_busy = matches!(
        outcome,
        Outcome::NotPrinted(Refusal::NotReached(OpenError::Busy(_)))
    );
    assert!(is_busy, "{outcome:?}");
    held.close().await;
    assert_eq!(name_of(&printer.print(&ticket("A-007")).await), "printed");
}

/// A person waits: the two minutes for which a page printer may take nothing are not a kiosk's.
#[tokio::test(start_paused = true)]
async fn a_printer_that_takes_nothing_is_given_up_in_the_time_of_its_profile() {
    let profile = profile(Answering::InLine, QrBy::Native);
    let socket = Socket::new(&profile, speaking(Answering::InLine));
    socket.fake().turn(|faults| faults.take_at_most = Some(0));
    let mut printer = socket.ticket_printer(&profile);
    let deadline = Duration::from_millis(profile.waits.stall_ms.into()) * 2;
    let ticket = ticket("A-007");
    let outcome = timeout(deadline, printer.print(&ticket)).await.unwrap();
    let is_silent = matches!(outcome, Outcome::NotPrinted(Refusal::Silent));
    assert!(is_silent, "{outcome:?}");
}
