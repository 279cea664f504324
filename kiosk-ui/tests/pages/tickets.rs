//! The officers' page that tries the ticket printer.

use std::sync::atomic::Ordering;

use loket_kiosk_ui::Face;
use loket_kiosk_ui::ports::{PrinterKind, PrinterSeen, PrinterState, TestFate, TestTicket};
use loket_wire::Timestamp;

use crate::BOTH;
use crate::rig::{Answer, Rig};

const PAGE: &str = "/station/tiket";

fn seen(state: &str, reasons: &[&str]) -> PrinterSeen {
    PrinterSeen {
        name: "tiket".to_owned(),
        kind: PrinterKind::Tickets,
        state: Some(PrinterState {
            state: state.to_owned(),
            reasons: reasons.iter().map(|it| (*it).to_owned()).collect(),
            model: None,
            stock: None,
            at: Timestamp::from_unix_ms(0),
        }),
    }
}

/// Opens the form and presses its button.
async fn pressed(rig: &Rig) -> Answer {
    let token = rig.get(PAGE).await.token();
    let posted = post(rig, &token).await;
    assert_eq!(posted.status, 303, "{}", posted.body);
    let again = post(rig, &token).await;
    assert!(
        again.body.contains("K-105"),
        "pressed twice: {}",
        again.body
    );
    rig.get(posted.header("location")).await
}

async fn post(rig: &Rig, token: &str) -> Answer {
    let kind = "application/x-www-form-urlencoded";
    let origin = format!("origin: http://{}\r\n", rig.at);
    let body = format!("token={token}");
    rig.post(PAGE, kind, &origin, body.as_bytes()).await
}

#[tokio::test]
async fn an_officer_reads_what_became_of_a_test_ticket_and_what_to_do() {
    let rig = Rig::start(BOTH).await;
    for (fate, reasons, words) in [
        (TestFate::Printed, &[][..], &["TIKET UJI TERCETAK"][..]),
        (
            TestFate::Printed,
            &["media-low"],
            &["TIKET UJI TERCETAK", "Siapkan gulungan kertas tiket."],
        ),
        (TestFate::Accepted, &[], &["LIHAT PRINTERNYA"]),
        (
            TestFate::NotPrinted,
            &["media-empty"],
            &[
                "TIDAK DICETAK",
                "Kertas tiket habis.",
                "Pasang gulungan baru",
            ],
        ),
        (
            TestFate::Unclear,
            &["separation-cutter-jam"],
            &["BELUM PASTI", "Pisau pemotong macet.", "petugas TI"],
        ),
    ] {
        *rig.tickets.says.lock().unwrap() = TestTicket {
            fate,
            reasons: reasons.iter().map(|it| (*it).to_owned()).collect(),
            detail: Some("1 of <2> bytes".to_owned()),
        };
        let page = pressed(&rig).await;
        for words in words {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        assert!(
            page.body.contains("1 of &#60;2&#62; bytes"),
            "{}",
            page.body
        );
    }
    assert_eq!(rig.tickets.asked.load(Ordering::SeqCst), 5, "one a form");
    rig.end().await;
}

#[tokio::test]
async fn what_the_ticket_printer_wants_is_said_in_its_own_words() {
    let rig = Rig::start(BOTH).await;
    *rig.printers.0.lock().unwrap() = vec![seen("stopped", &["media-empty"])];
    let page = rig.get("/station/printer").await.body;
    for words in [
        "Printer tiket <span",
        "PERLU DITANGANI SEKARANG",
        "Kertas tiket habis.",
        "Ambil: gulungan kertas tiket.",
        "href=\"/station/tiket\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("A4"), "{page}");
    let form = rig.get(PAGE).await.body;
    assert!(form.contains("Kertas tiket habis."), "{form}");
    rig.end().await;
}

#[tokio::test]
async fn a_machine_without_a_ticket_printer_says_so() {
    let rig = Rig::start(&[Face::Station]).await;
    let page = rig.get(PAGE).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("K-501"), "{}", page.body);
    rig.end().await;
}
