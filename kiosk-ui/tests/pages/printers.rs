//! The officers' page of printers.

use loket_kiosk_ui::Face;
use loket_kiosk_ui::ports::{PrinterKind, PrinterSeen, PrinterState};
use loket_wire::stock::{Colour, Level, Supply, SupplyKind, Tray};
use loket_wire::{Stock, Timestamp};

use crate::rig::Rig;

const PAGE: &str = "/station/printer";

fn printer(name: &str, state: &str, reasons: &[&str], left: (u32, u32)) -> PrinterSeen {
    let (toner, sheets) = left;
    PrinterSeen {
        name: name.to_owned(),
        kind: PrinterKind::Documents,
        state: Some(PrinterState {
            state: state.to_owned(),
            reasons: reasons.iter().map(|it| (*it).to_owned()).collect(),
            model: Some("<b>Contoh 100</b>".to_owned()),
            stock: Some(Stock {
                supplies: vec![Supply {
                    kind: SupplyKind::Toner,
                    colour: Some(Colour::Black),
                    name: None,
                    level: Level::Known(toner),
                    low_percent: None,
                }],
                trays: vec![Tray {
                    name: Some("Tray 1".to_owned()),
                    media: Some("iso_a4_210x297mm".to_owned()),
                    level: Level::Known(sheets),
                    capacity: Some(250),
                    is_out_of_order: false,
                }],
            }),
            at: Timestamp::from_unix_ms(0),
        }),
    }
}

async fn shown(rig: &Rig, printers: Vec<PrinterSeen>) -> (String, String) {
    *rig.printers.0.lock().unwrap() = printers;
    let (page, desk) = (rig.get(PAGE).await, rig.get("/station/periksa").await);
    assert_eq!((page.status, desk.status), (200, 200), "{}", page.body);
    (page.body, desk.body)
}

#[tokio::test]
async fn an_officer_sees_at_a_glance_what_to_fetch_and_for_which_printer() {
    let rig = Rig::start(&[Face::Station]).await;
    let well = || printer("a4", "idle", &["none"], (75, 120));
    let (page, desk) = shown(&rig, vec![well()]).await;
    for words in [
        "<h1>PRINTER SIAP</h1>",
        "Tidak ada yang perlu diambil.",
        "&#60;b&#62;Contoh 100&#60;/b&#62;",
        "Baki 1 (A4)",
        "±120 lembar",
        "75 %",
        "1 Januari 1970, pukul 07.00 WIB",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!desk.contains("Lihat printer"), "nothing is wrong: {desk}");

    let dry = printer("warna", "stopped", &["media-empty", "toner-low"], (8, 0));
    let (page, desk) = shown(&rig, vec![well(), dry]).await;
    for words in [
        "<h1>PERLU DITANGANI SEKARANG</h1>",
        "Ambil: kertas A4 (printer warna), toner hitam (printer warna).",
        "Baki 1 (A4) habis.",
        "Toner hitam hampir habis.",
        "berhenti",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(
        desk.contains("Printer warna:</b> Baki 1 (A4) habis."),
        "{desk}"
    );
    assert!(!desk.contains("Printer a4:"), "{desk}");
    rig.end().await;
}

#[tokio::test]
async fn a_printer_that_nobody_saw_and_a_machine_without_any_are_said_to_be_so() {
    let rig = Rig::start(&[Face::Station]).await;
    let unseen = PrinterSeen {
        name: "a4".to_owned(),
        kind: PrinterKind::Documents,
        state: None,
    };
    let (page, _desk) = shown(&rig, vec![unseen]).await;
    assert!(page.contains("Keadaan printer belum diketahui."), "{page}");
    let (page, _desk) = shown(&rig, Vec::new()).await;
    assert!(page.contains("TIDAK ADA PRINTER"), "{page}");
    let mut silent = printer("a4", "unreachable", &["timed-out"], (0, 0));
    if let Some(state) = &mut silent.state {
        state.stock = None;
    }
    let (page, _desk) = shown(&rig, vec![silent]).await;
    for words in ["tidak terjangkau", "Printer tidak menjawab.", "petugas TI"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    rig.end().await;
}

#[tokio::test]
async fn residents_see_no_printers() {
    let rig = Rig::start(&[Face::Kiosk]).await;
    assert_eq!(rig.get(PAGE).await.status, 404);
    rig.end().await;
}
