//! What devices have left: what was said last stands, readings and sheets are kept for the forecast, and all is bounded.

use std::time::Duration;

use loket_store::{STOCK_KEPT, StockHistory, Store};
use loket_wire::stock::{Colour, Level, Supply, SupplyKind, Tray};
use loket_wire::{DeviceReport, JobState, Report, Stock};

use crate::purge::purge_all;
use crate::world::{EPOCH, World, at};

fn toner(level: Level) -> Stock {
    Stock {
        supplies: vec![Supply {
            kind: SupplyKind::Toner,
            colour: Some(Colour::Black),
            name: Some("Cartridge".to_owned()),
            level,
            low_percent: None,
        }],
        trays: vec![Tray {
            name: Some("Tray 1".to_owned()),
            media: Some("iso_a4_210x297mm".to_owned()),
            level: Level::Known(120),
            capacity: Some(250),
            is_out_of_order: false,
        }],
    }
}

fn report(stock: Option<Stock>, seconds: i64) -> Report {
    Report::Device(DeviceReport {
        device: "a4".to_owned(),
        state: "idle".to_owned(),
        reasons: Vec::new(),
        model: None,
        stock,
        at: at(seconds),
    })
}

/// Tells of these stocks, ten seconds from one to the next.
fn told(world: &World, stocks: impl IntoIterator<Item = Option<Stock>>) {
    for (seq, stock) in (1..).zip(stocks) {
        let seconds = i64::try_from(seq).unwrap() * 10;
        world.tell(EPOCH, seq, report(stock, seconds), seconds);
    }
}

fn history(world: &World, seconds: i64) -> StockHistory {
    let mut all = world.store.stock_histories(at(seconds)).unwrap();
    all.remove(&world.machine).unwrap_or_default()
}

fn levels(history: &StockHistory) -> Vec<(i64, Level)> {
    let readings = history
        .readings
        .get("a4")
        .and_then(|it| it.get("toner-black"));
    let each = readings.into_iter().flatten();
    each.map(|reading| (reading.at.unix_ms() / 1000, reading.level))
        .collect()
}

#[test]
fn what_a_device_said_last_stands_until_it_says_something_else() {
    let world = World::new();
    world.connect(1, 1);
    told(
        &world,
        [
            None,
            Some(toner(Level::Known(40))),
            Some(toner(Level::Known(30))),
            None,
        ],
    );
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    let device = &row.devices[0];
    assert_eq!(device.stock, Some(toner(Level::Known(30))));
    assert_eq!(device.stock_at, Some(at(30)));
    assert_eq!(
        levels(&history(&world, 50)),
        [(20, Level::Known(40)), (30, Level::Known(30))]
    );
}

#[test]
fn a_level_that_stays_keeps_its_first_and_its_last_reading() {
    let world = World::new();
    world.connect(1, 1);
    let all = [40, 40, 40, 40, 30, 30].map(|percent| Some(toner(Level::Known(percent))));
    told(&world, all);
    let expect = [(10, 40), (40, 40), (50, 30), (60, 30)];
    assert_eq!(
        levels(&history(&world, 90)),
        expect.map(|(at, percent)| (at, Level::Known(percent)))
    );
}

#[test]
fn a_device_that_talks_without_end_fills_nothing() {
    let world = World::new();
    world.connect(1, 1);
    let kinds = [SupplyKind::Toner, SupplyKind::Ink, SupplyKind::Drum];
    let all = (0..600_u32).map(|no| {
        let mut stock = toner(Level::Known(no % 97));
        let kind = kinds[usize::try_from(no % 3).unwrap()];
        stock.supplies = vec![stock.supplies[0].clone(); 40];
        for supply in &mut stock.supplies {
            supply.kind = kind;
            supply.name = Some("9".repeat(16));
        }
        Some(stock)
    });
    told(&world, all);
    let history = history(&world, 9_000);
    let of_device = &history.readings["a4"];
    assert!(of_device.values().all(|readings| readings.len() <= 48));
    let all: usize = of_device.values().map(Vec::len).sum();
    assert!(all <= 16 * 48 + 16, "{all}");
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    let stock = row.devices[0].stock.as_ref().unwrap();
    assert_eq!(stock.supplies.len(), 16);
    assert_eq!(stock.supplies[0].name.as_deref(), Some("(withheld)"));
}

#[test]
fn the_sheets_of_a_day_are_those_of_its_printed_jobs() {
    let world = World::new();
    world.connect(1, 1);
    let mut seq = 1;
    for number in [1, 2] {
        let job = world.held(number, seq);
        world.tell_job(seq + 3, job, JobState::Printing);
        world.tell_job(seq + 4, job, JobState::Printed);
        seq += 5;
    }
    let lost = world.held(3, seq);
    world.tell_job(seq + 3, lost, JobState::Printing);
    world.tell_job(seq + 4, lost, JobState::Failed);
    let printed = history(&world, 90).printed;
    let sheets: Vec<_> = printed.iter().map(|each| each.sheets).collect();
    assert_eq!(sheets, [2]);
}

#[test]
fn readings_and_sheets_leave_after_their_time() {
    let world = World::new();
    world.connect(1, 1);
    told(&world, [Some(toner(Level::Known(40)))]);
    let later = at(10).saturating_add(STOCK_KEPT);
    purge_all(&world.store, later);
    assert_eq!(levels(&history(&world, 20)).len(), 1, "still kept");
    purge_all(&world.store, later.saturating_add(Duration::from_secs(1)));
    assert_eq!(history(&world, 20), StockHistory::default());
    let row = world.store.machine(&world.machine).unwrap().unwrap();
    assert!(row.devices[0].stock.is_some(), "what stands stays");
}
