//! What printers have left, and what came out of them in a day, as central says it: on the console in plain words, to
//! programs as numbers, with a forecast from the readings of weeks, which the test writes under their own dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loket_store::{SqliteStore, Store};
use loket_wire::stock::{Colour, Level, Supply, SupplyKind, Tray};
use loket_wire::{DeviceReport, Heartbeat, MachineId, Report, Stock, Timestamp};

use crate::client::Client;
use crate::client_of;
use crate::console::Browser;
use crate::described::{Ask, Described};
use crate::openapi::{client_named, nobody};
use crate::rig::Rig;

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn stock(percent: u32, sheets: u32) -> Stock {
    Stock {
        supplies: vec![Supply {
            kind: SupplyKind::Toner,
            colour: Some(Colour::Black),
            name: Some("Black Cartridge".to_owned()),
            level: Level::Known(percent),
            low_percent: None,
        }],
        trays: vec![Tray {
            name: Some("Tray 1".to_owned()),
            media: Some("iso_a4_210x297mm".to_owned()),
            level: Level::Known(sheets),
            capacity: Some(250),
            is_out_of_order: false,
        }],
    }
}

fn told(stock: Stock, at: Timestamp) -> DeviceReport {
    DeviceReport {
        device: "a4".to_owned(),
        state: "idle".to_owned(),
        reasons: Vec::new(),
        model: None,
        stock: Some(stock),
        at,
    }
}

fn present() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap())
}

/// Writes what the machine said so many days ago into central's own store.
fn said_before(rig: &Rig, machine: &MachineId, days: u32, stock: Stock) {
    let store = SqliteStore::open(&rig.home.path().join("state/central.db")).unwrap();
    let at = present().saturating_sub(DAY * days);
    let heartbeat = Heartbeat {
        session_seq: 1,
        at,
        clock_trusted: true,
        clock_offset_ms: None,
        up_time_s: 1,
        open_job_count: 0,
        outbox_count: 0,
        spool_bytes: 0,
        disk_free_bytes: None,
        certificate_days_left: None,
        link_sent_bytes: None,
        link_received_bytes: None,
        troubles: Vec::new(),
        trust_serial: None,
        trust_made_at: None,
        judged: None,
        devices: vec![told(stock, at)],
    };
    store.record_heartbeat(machine, &heartbeat, at).unwrap();
}

#[tokio::test]
async fn the_console_says_what_is_left_how_long_it_lasts_and_what_to_order() {
    let rig = Rig::start().await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let id: MachineId = "desa-contoh-1".parse().unwrap();
    for (days, percent) in [(40, 52), (30, 42), (20, 32), (10, 22)] {
        said_before(&rig, &id, days, stock(percent, 200));
    }
    let seq = machine.say(Report::Device(told(stock(12, 120), present())));
    machine.until_acked(seq).await;

    let it = Browser::of(&rig, "it").await;
    let page = it.open("/?lihat=mesin").await.text;
    assert!(page.contains("Toner hitam 12 %"), "{page}");
    assert!(page.contains("cukup ±12 hari"), "{page}");
    assert!(page.contains("pesan paling lambat"), "{page}");
    assert!(page.contains("Baki 1: A4, ±120 lembar"), "{page}");
    assert!(
        page.contains("jumlah lembar tercetak belum diketahui"),
        "{page}"
    );
    // Twelve days are enough: nobody has to look.
    assert!(page.contains(">siap<"), "{page}");

    let machines = client_of(&rig, "it").await.get("/api/v1/machines").await;
    let device = &machines.json()["machines"][0]["devices"][0];
    let toner = &device["stock"]["supplies"][0];
    assert_eq!(toner["level"], 12, "{device}");
    assert_eq!(toner["band"], "enough", "{device}");
    assert_eq!(toner["forecast"]["state"], "lasts", "{device}");
    assert_eq!(toner["forecast"]["must_order"], false, "{device}");
    assert_eq!(
        device["stock"]["trays"][0]["forecast"]["reason"],
        "no-sheets"
    );

    // Six points less, and six days are less than an order takes.
    let seq = machine.say(Report::Device(told(stock(6, 0), present())));
    machine.until_acked(seq).await;
    let front = it.open("/?lihat=perlu").await.text;
    assert!(!front.contains("Toner hitam"), "of jobs alone: {front}");
    let front = it.open("/").await.text;
    assert!(front.contains("Toner hitam 6 %"), "{front}");
    assert!(front.contains("pesan sekarang"), "{front}");
    assert!(front.contains("Baki 1: A4, kosong"), "{front}");
}

#[tokio::test]
async fn a_report_that_says_nothing_of_it_leaves_what_stood() {
    let rig = Rig::start().await;
    let mut machine = rig.enrol("desa-contoh-1", 11).connect().await;
    let mut silent = told(stock(40, 200), present());
    let seq = machine.say(Report::Device(silent.clone()));
    machine.until_acked(seq).await;
    (silent.state, silent.stock) = ("unreachable".to_owned(), None);
    let seq = machine.say(Report::Device(silent));
    machine.until_acked(seq).await;
    let it = Browser::of(&rig, "it").await;
    let page = it.open("/?lihat=mesin").await.text;
    assert!(page.contains("tidak terjangkau"), "{page}");
    assert!(page.contains("Toner hitam 40 %"), "{page}");
    assert!(page.contains("baru dipantau"), "{page}");
}

/// A station's day, in each form that is text; the form to print is met by the tests of the whole.
pub(crate) async fn ask_for_days(rig: &Rig, operator: &Client, d: &mut Described) {
    let (it, stranger) = (client_named(rig, "hari", "it").await, nobody(rig));
    let good = "?machine=desa-contoh-1&day=2026-11-27";
    let ask = |client| Ask::new(client, "get", "/api/v1/reports/day");
    for form in ["", "&form=json", "&form=csv", "&form=data"] {
        let query = format!("{good}{form}");
        ask(&it).query(&query).get(d, 200).await;
    }
    let no_day = "?machine=desa-contoh-1&day=2026-02-30";
    ask(&it).query(no_day).get(d, 400).await;
    ask(&stranger).query(good).get(d, 401).await;
    ask(operator).query(good).get(d, 403).await;
    let no_machine = "?machine=desa-lain-9&day=2026-11-27";
    ask(&it).query(no_machine).get(d, 422).await;
}
