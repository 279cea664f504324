//! What a printer has left and what is wrong with it, from the printer's tray to central's console, and on again without
//! a person at a keyboard.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

async fn stationed(world: &World) -> anyhow::Result<(Station, Running)> {
    let station = world.station(ID, &[]).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    Ok((station, daemon))
}

/// The machine's only device, once central says this of it.
async fn device(
    world: &World,
    what: &str,
    is_so: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    until(what, DEADLINE, async || {
        let machine = world.machine(ID).await?;
        let device = machine["devices"][0].clone();
        Ok(is_so(&device).then_some(device))
    })
    .await
}

/// Waits until the console's page of machines says this.
async fn console_says(world: &World, words: &str) -> anyhow::Result<()> {
    until(words, DEADLINE, async || {
        let token = Some(world.tokens.it.as_str());
        let page = http::call(&world.site.api(), "GET", "/?lihat=mesin", token).await?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        Ok(page.contains(words).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jam_and_an_open_door_are_told_and_once_mended_the_job_comes_out_once()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world).await?;
    let mut last: Option<String> = None;
    for (no, fault, keyword, mended, words) in [
        (
            1,
            r#"{"jam_after": 0}"#,
            "media-jam",
            r#"{"jam_after": null}"#,
            "kertas macet",
        ),
        (
            2,
            r#"{"door_open": true}"#,
            "door-open",
            r#"{"door_open": false}"#,
            "penutup terbuka",
        ),
    ] {
        station.turn("/control", fault).await?;
        let order = order_again(ID, &format!("KK-{no}"), "now", last.as_deref());
        let job = world.order_as(SAMPLE_KK, &order).await?;
        world.wait(&job, &["printing"]).await?;
        device(&world, keyword, |device| {
            device["state"] == "stopped" && device.to_string().contains(keyword)
        })
        .await?;
        console_says(&world, words).await?;
        station.turn("/control", mended).await?;
        world.wait(&job, &["printed"]).await?;
        device(&world, "well again", |device| {
            device["reasons"] == serde_json::json!([])
        })
        .await?;
        ensure!(station.printed().await?.sheets == no);
        last = Some(job);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_tray_is_on_the_console_and_paper_in_it_prints_the_job_without_a_person()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world).await?;
    let tray = |sheets: u32| {
        format!(
            r#"{{"trays": [{{"name": "Tray 1", "sheets": {sheets}, "capacity": 250, "size_mm": [210, 297]}}]}}"#
        )
    };
    station.turn("/control", &tray(120)).await?;
    console_says(&world, "Baki 1: A4, ±120 lembar").await?;
    station.turn("/control", &tray(0)).await?;
    console_says(&world, "Baki 1: A4, kosong").await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printing"]).await?;
    console_says(&world, "kertas habis").await?;
    station.turn("/control", &tray(100)).await?;
    world.wait(&job, &["printed"]).await?;
    let stocked = device(&world, "a filled tray", |device| {
        device["stock"]["trays"][0]["band"] == "enough"
    })
    .await?;
    let sheets = stocked["stock"]["trays"][0]["level"].as_u64();
    ensure!(
        sheets.is_some_and(|sheets| (99..=100).contains(&sheets)),
        "{stocked}"
    );
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_toner_that_becomes_low_is_told_once_in_either_dialect() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, daemon) = stationed(&world).await?;
    let toner = |dialect: &str, level: u32| {
        format!(
            r#"{{"dialect": "{dialect}", "supplies": [{{"kind": "toner", "name": "Black Toner", "colour": "black", "level": {level}, "sheets_a_percent": 1}}]}}"#
        )
    };
    device(&world, "the first look", |device| {
        device["stock"]["supplies"][0]["level"] == 75
    })
    .await?;
    station.turn("/control", &toner("pwg", 62)).await?;
    device(&world, "ten points", |device| {
        device["stock"]["supplies"][0]["level"] == 62
    })
    .await?;
    station.turn("/control", &toner("markers", 11)).await?;
    device(&world, "many points", |device| {
        device["stock"]["supplies"][0]["level"] == 11
    })
    .await?;
    // A sheet: 10 percent, at which it is low. And 9, which nobody needs to hear of.
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let low = device(&world, "low", |device| {
        device["stock"]["supplies"][0]["band"] == "low"
    })
    .await?;
    ensure!(low["stock"]["supplies"][0]["level"] == 10, "{low}");
    ensure!(low.to_string().contains("toner-low"), "{low}");
    for words in ["Toner hitam 10 %", "toner hampir habis", "baru dipantau"] {
        console_says(&world, words).await?;
    }
    station.turn("/control", &toner("markers", 9)).await?;
    // What is told next goes with it.
    station.turn("/control", r#"{"door_open": true}"#).await?;
    let open = device(&world, "an open door", |device| {
        device.to_string().contains("door-open")
    })
    .await?;
    ensure!(open["stock"]["supplies"][0]["level"] == 9, "{open}");
    let log = std::fs::read_to_string(daemon.log()).context("read the machine's log")?;
    let count = |words: &[&str]| {
        let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
        log.lines().filter(has_all).count()
    };
    let of_stock = count(&["what the device has left changed"]);
    ensure!(of_stock == 2, "62 and 11 percent: {log}");
    let (low, with_door) = (
        count(&["device changed", "toner-low"]),
        count(&["device changed", "toner-low", "door-open"]),
    );
    ensure!(low - with_door == 1, "{log}");
    // A printer that says nothing of it takes nothing away.
    let silent = r#"{"dialect": "silent", "door_open": false, "jam_after": 0}"#;
    station.turn("/control", silent).await?;
    let silent = device(&world, "a jam", |device| {
        device.to_string().contains("media-jam")
    })
    .await?;
    ensure!(silent["stock"]["supplies"][0]["level"] == 9, "{silent}");
    Ok(())
}

/// The officer's own page, without central: what the printer says is what stands there a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn the_stations_own_page_says_what_each_printer_has_left_and_what_to_fetch()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    world.site.show_pages(&station.machine)?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let says = async |path: &str, words: &[&str]| {
        until(
            words.first().copied().unwrap_or_default(),
            DEADLINE,
            async || {
                // The page comes up a moment after the program.
                let Ok(page) = http::call(&world.site.pages(), "GET", path, None).await else {
                    return Ok(None);
                };
                let page = String::from_utf8_lossy(&page.body).into_owned();
                Ok(words.iter().all(|words| page.contains(words)).then_some(()))
            },
        )
        .await
    };
    let page = "/station/printer";
    says(page, &["PRINTER SIAP", "Toner hitam", "75 %", "cukup"]).await?;
    let left = |sheets: u32, toner: u32| {
        format!(
            r#"{{"trays": [{{"name": "Tray 1", "sheets": {sheets}, "capacity": 250, "size_mm": [210, 297]}}],
                "supplies": [{{"kind": "toner", "name": "Toner", "colour": "black", "level": {toner}}}]}}"#
        )
    };
    station.turn("/control", &left(0, 9)).await?;
    let fetch = "Ambil: kertas A4, toner hitam.";
    says(page, &[fetch, "Baki 1 (A4) habis.", "hampir habis", "9 %"]).await?;
    says("/station/periksa", &["Printer a4:", "Lihat printer"]).await?;
    station.turn("/control", &left(120, 9)).await?;
    says(
        page,
        &["PERLU DISIAPKAN", "±120 lembar", "Ambil: toner hitam."],
    )
    .await?;
    station.turn("/control", r#"{"jam_after": 0}"#).await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printing"]).await?;
    says(page, &["Kertas macet.", "berhenti", "petugas TI"]).await?;
    station.turn("/control", r#"{"offline": true}"#).await?;
    says(page, &["tidak terjangkau"]).await?;
    Ok(())
}
