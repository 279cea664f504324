//! A printer that cannot be used: central says why and what to do, and nothing is sent to whoever answers.

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::once::printer_report;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// The digest of no key.
const OTHER_PIN: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// An address where somebody answers with another key: the broker's port speaks TLS.
fn other_key(world: &World) -> anyhow::Result<String> {
    let settings = std::fs::read_to_string(world.site.path("broker/mosquitto.conf"))?;
    let mut listeners = settings
        .lines()
        .filter_map(|line| line.strip_prefix("listener "));
    let port = listeners
        .next()
        .and_then(|listener| listener.split(' ').next());
    let port = port.context("read the broker's port")?;
    Ok(format!("ipps://127.0.0.1:{port}/ipp/print"))
}

/// The reasons that central shows of each device that is not there to be used.
fn reasons(machine: &Value) -> Vec<(String, String, String)> {
    let devices = machine["devices"].as_array().into_iter().flatten();
    let texts = devices.map(|device| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&device["device"]),
            text(&device["state"]),
            text(&device["reasons"][0]),
        )
    });
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}

#[tokio::test(flavor = "multi_thread")]
async fn central_says_why_each_printer_cannot_be_used() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let (printer, uri) = world.site.start_printer("printer-busy", &[]).await?;
    let busy = Station {
        machine: station.machine.clone(),
        printer,
        uri,
    };
    let (mut gone, gone_uri) = world.site.start_printer("printer-gone", &[]).await?;
    gone.kill().await?;
    let swapped = other_key(&world)?;
    let at = station.uri.trim_start_matches("ipp://");
    let host = at.trim_end_matches("/ipp/print");
    let printers = [
        ("b-swapped", swapped, true),
        ("c-clear", format!("ipps://{at}"), true),
        ("d-other-page", format!("ipp://{host}/elsewhere"), false),
        ("e-gone", gone_uri, false),
        (
            "f-nameless",
            "ipp://printer.invalid/ipp/print".to_owned(),
            false,
        ),
        ("g-busy", busy.uri.clone(), false),
    ];
    let mut settings = std::fs::read_to_string(station.machine.config())?;
    for (name, uri, is_pinned) in printers {
        settings.push_str(&format!(
            "[[printer]]\nname = \"{name}\"\nuri = \"{uri}\"\n"
        ));
        if is_pinned {
            settings.push_str(&format!("pinned_spki_sha256 = \"{OTHER_PIN}\"\n"));
        }
    }
    std::fs::write(station.machine.config(), settings)?;
    let knob = r#"{"reply": {"to": "all", "ipp_status": 1287}}"#;
    busy.turn("/control", knob).await?;
    let daemon = world.site.start_machine(&station.machine)?;

    let expected = [
        ("a4", "idle", ""),
        ("b-swapped", "unreachable", "certificate-mismatch"),
        ("c-clear", "unreachable", "tls-failed"),
        ("d-other-page", "unreachable", "http-404"),
        ("e-gone", "unreachable", "connection-refused"),
        ("f-nameless", "unreachable", "name-unknown"),
        ("g-busy", "refusing", "busy"),
    ]
    .map(|(name, state, reason)| (name.to_owned(), state.to_owned(), reason.to_owned()));
    until("each printer's reason at central", DEADLINE, async || {
        let machine = world.machine(ID).await?;
        let shown = reasons(&machine);
        Ok((shown == expected).then_some(()))
    })
    .await?;

    // At the machine: once a change, with the chain of causes.
    let log = std::fs::read_to_string(daemon.log())?;
    let told = |words: &str| {
        let lines = log.lines().filter(|line| line.contains("WARN"));
        lines.filter(|line| line.contains(words)).count()
    };
    ensure!(told("b-swapped") == 1, "{log}");
    ensure!(log.contains("which is not the pinned one"), "{log}");

    // Mended, it is said to be well again.
    busy.turn("/control", r#"{"reply": null}"#).await?;
    until("the printer is well again", DEADLINE, async || {
        let shown = reasons(&world.machine(ID).await?);
        let well = ("g-busy".to_owned(), "idle".to_owned(), String::new());
        Ok(shown.contains(&well).then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_printer_of_another_key_and_the_page_says_what_to_do()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let settings = std::fs::read_to_string(station.machine.config())?;
    let swapped = other_key(&world)?;
    let pin = format!("\"{swapped}\"\npinned_spki_sha256 = \"{OTHER_PIN}\"");
    let own = format!("\"{}\"", station.uri);
    ensure!(settings.contains(&own), "{settings}");
    std::fs::write(station.machine.config(), settings.replace(&own, &pin))?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    until("the page says why", DEADLINE, async || {
        let token = Some(world.tokens.it.as_str());
        let page = http::call(&world.site.api(), "GET", "/console/live", token).await?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        Ok(page.contains("sertifikat tidak cocok").then_some(()))
    })
    .await?;
    world.wait(&job, &["printing", "journalled"]).await?;

    // The right printer is back: the same job comes out, once.
    daemon.stop().await?;
    let settings = std::fs::read_to_string(station.machine.config())?;
    std::fs::write(station.machine.config(), settings.replace(&pin, &own))?;
    let _daemon = world.site.start_machine(&station.machine)?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_says_not_yet_prints_later() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let knob = r#"{"reply": {"to": "create-job", "ipp_status": 1282}}"#;
    station.turn("/control", knob).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    until("a second no", DEADLINE, async || {
        let report = printer_report(&station.uri).await?;
        let count = report["fixed_replies"].as_u64().unwrap_or_default();
        Ok((count >= 2).then_some(()))
    })
    .await?;
    world.wait(&job, &["printing"]).await?;
    station.turn("/control", r#"{"reply": null}"#).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
