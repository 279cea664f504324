//! Over TCP, on the real clock; every wait is for a value, under a deadline.

use std::time::Duration;

use loket_sim::ticket_printer::{Knobs, SimTicketPrinter, TicketPrinterConfig};
use loket_ticket_printer::{
    Answering, Doubt, Outcome, Profile, QrBy, Refusal, TcpTransport, TicketPrinter, Waits, render,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bench::{ADDRESS, profile, speaking, ticket};

/// Ends a hung test; none takes a second but the one that goes through every byte.
const DEADLINE: Duration = Duration::from_secs(60);

async fn simulated(knobs: Knobs) -> SimTicketPrinter {
    let config = TicketPrinterConfig {
        knobs,
        ..TicketPrinterConfig::default()
    };
    SimTicketPrinter::start(config).await.unwrap()
}

fn printer(address: std::net::SocketAddr, profile: Profile) -> TicketPrinter {
    TicketPrinter::new(Box::new(TcpTransport::new(address)), profile, 7).unwrap()
}

/// Waits that a fault in these tests may use up.
fn brief(profile: Profile) -> Profile {
    Profile {
        waits: Waits {
            answer_ms: 500,
            stall_ms: 500,
            printed_ms: 1_000,
            quiet_ms: 50,
            ..Waits::default()
        },
        ..profile
    }
}

#[tokio::test]
async fn tickets_come_out_over_tcp_and_are_known_to() {
    for answering in [Answering::InLine, Answering::ProcessId] {
        for qr in [QrBy::Native, QrBy::Raster] {
            let simulated = simulated(speaking(answering)).await;
            let mut printer = printer(simulated.address(), profile(answering, qr));
            for number in ["A-001", "A-002", "A-003"] {
                let ticket = ticket(number);
                let outcome = timeout(DEADLINE, printer.print(&ticket)).await.unwrap();
                assert!(matches!(outcome, Outcome::Printed { .. }), "{outcome:?}");
            }
            let report = simulated.report();
            assert_eq!(
                (
                    report.slips.len(),
                    report.drawer_kicks,
                    report.unknown_commands
                ),
                (3, 0, 0)
            );
            for (slip, number) in report.slips.iter().zip(["A-001", "A-002", "A-003"]) {
                assert!(
                    slip.is_cut && slip.text.contains(&number.to_owned()),
                    "{slip:?}"
                );
                assert_eq!(slip.codes, [ADDRESS]);
            }
            simulated.stop().await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_byte_never_says_printed_of_what_is_not() {
    let profile = brief(profile(Answering::ProcessId, QrBy::Native));
    let all = {
        let simulated = simulated(speaking(Answering::ProcessId)).await;
        let mut printer = printer(simulated.address(), profile.clone());
        let outcome = timeout(DEADLINE, printer.print(&ticket("A-007")))
            .await
            .unwrap();
        assert!(!outcome.confirm_on_screen(), "{outcome:?}");
        simulated.report().received_bytes
    };
    // What brings a printer to a fresh sheet is 2 KiB of zeroes: there one place is as another. Each byte of a ticket has
    // its turn over a wire in memory; here it is each eleventh.
    let places = (0..24).chain((24..2_068).step_by(307));
    let places = places.chain((2_068..=all).step_by(11));
    let simulated = simulated(speaking(Answering::ProcessId)).await;
    let mut printer = printer(simulated.address(), profile);
    let mut unclear = 0;
    for (number, at) in places.enumerate() {
        let name = format!("{number}");
        let before = simulated.report();
        simulated.turn(|knobs| knobs.unplugs_at = Some(before.received_bytes + at));
        let outcome = timeout(DEADLINE, printer.print(&ticket(&name)))
            .await
            .unwrap();
        let report = simulated.report();
        let cut = report
            .slips
            .iter()
            .filter(|it| it.is_cut && it.text.contains(&name))
            .count();
        match &outcome {
            Outcome::Printed { .. } => assert_eq!(cut, 1, "at {at}"),
            Outcome::NotPrinted(_) => assert_eq!(cut, 0, "at {at}: {outcome:?}"),
            Outcome::Unclear { why, .. } => {
                assert!(matches!(why, Doubt::Lost(_)), "at {at}: {outcome:?}");
                unclear += 1;
            }
            Outcome::Accepted { .. } => panic!("at {at}: {outcome:?}"),
        }
        simulated.turn(|knobs| knobs.unplugs_at = None);
    }
    assert!(unclear > 30, "{unclear}");
    let outcome = timeout(DEADLINE, printer.print(&ticket("Z-999")))
        .await
        .unwrap();
    assert!(matches!(outcome, Outcome::Printed { .. }), "{outcome:?}");
    simulated.stop().await;
}

#[tokio::test]
async fn a_box_that_only_listens_has_accepted_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    });
    let profile = profile(Answering::Nothing, QrBy::Native);
    let rendered = render(&ticket("A-007"), &profile);
    let mut printer = printer(address, profile);
    let outcome = timeout(DEADLINE, printer.print(&ticket("A-007")))
        .await
        .unwrap();
    assert!(outcome.confirm_on_screen());
    assert!(
        matches!(outcome, Outcome::Accepted { bytes, .. } if bytes == rendered.len()),
        "{outcome:?}"
    );
    let bytes = timeout(DEADLINE, tasks.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(bytes.ends_with(&rendered));
}

#[tokio::test]
async fn nobody_there_is_not_printed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut printer = printer(address, profile(Answering::InLine, QrBy::Native));
    let outcome = timeout(DEADLINE, printer.print(&ticket("A-007")))
        .await
        .unwrap();
    assert!(
        matches!(outcome, Outcome::NotPrinted(Refusal::NotReached(_))),
        "{outcome:?}"
    );
    assert!(timeout(DEADLINE, printer.status()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_box_that_takes_everything_and_answers_nothing_prints_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut printer = printer(address, brief(profile(Answering::InLine, QrBy::Native)));
    let outcome = timeout(DEADLINE, printer.print(&ticket("A-007")))
        .await
        .unwrap();
    assert!(
        matches!(outcome, Outcome::NotPrinted(Refusal::Silent)),
        "{outcome:?}"
    );
    drop(listener);
}

#[tokio::test]
async fn a_fault_is_told_and_gone_when_it_is_mended() {
    let simulated = simulated(speaking(Answering::InLine)).await;
    let mut printer = printer(
        simulated.address(),
        profile(Answering::InLine, QrBy::Native),
    );
    simulated.turn(|knobs| knobs.paper_dots = Some(0));
    let status = timeout(DEADLINE, printer.status()).await.unwrap().unwrap();
    assert_eq!(status.keywords().collect::<Vec<_>>(), ["media-empty"]);
    simulated.turn(|knobs| knobs.paper_dots = None);
    let status = timeout(DEADLINE, printer.status()).await.unwrap().unwrap();
    assert!(status.is_known && status.can_print());
    simulated.power_cycle();
    let outcome = timeout(DEADLINE, printer.print(&ticket("A-007")))
        .await
        .unwrap();
    assert!(!outcome.confirm_on_screen(), "{outcome:?}");
    simulated.stop().await;
}
