//! The ticket printer of a machine: what it is at reaches central and the officer, and a test ticket says what became of
//! it.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::site::text;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// Between two looks at a printer whose knobs are turned.
const OFTEN_MS: u32 = 500;

/// Once, at the start, and not again while a test counts the printer's bytes.
const SELDOM_MS: u32 = 60_000;

/// A station with a ticket printer beside its printer.
struct Bench {
    world: World,
    station: Station,
    control: String,
    _ticket_printer: Running,
}

impl Bench {
    async fn start(idle_poll_ms: u32) -> anyhow::Result<Self> {
        let world = World::start(Build::Plain, false).await?;
        let station = world.station(ID, &[]).await?;
        let (ticket_printer, at, control) = world.site.start_ticket_printer(&[]).await?;
        let machine = &station.machine;
        world.site.give_ticket_printer(machine, &at, idle_poll_ms)?;
        Ok(Self {
            world,
            station,
            control,
            _ticket_printer: ticket_printer,
        })
    }

    fn run(&self) -> anyhow::Result<Running> {
        self.world.site.start_machine(&self.station.machine)
    }

    async fn turn(&self, knobs: &str) -> anyhow::Result<()> {
        let body = knobs.as_bytes().to_vec();
        let request = http::post(&self.control, "/control", "application/json", body)?;
        let answer = http::send(&self.control, request).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    /// What is read on the slips, a text each.
    async fn slips(&self) -> anyhow::Result<Vec<String>> {
        let answer = http::call(&self.control, "GET", "/control/state", None).await?;
        let state = answer.json()?;
        let slips = state["slips"].as_array().context("read the slips")?;
        let text = |slip: &Value| {
            let lines = slip["text"].as_array().into_iter().flatten();
            let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
            lines.join("\n")
        };
        Ok(slips.iter().map(text).collect())
    }

    /// Waits until central knows this of the ticket printer.
    async fn central_knows(&self, state: &str, reasons: &[&str]) -> anyhow::Result<()> {
        let what = format!("the ticket printer {state} {reasons:?} at central");
        until(&what, DEADLINE, async || {
            let machine = self.world.machine(ID).await?;
            let mut devices = machine["devices"].as_array().into_iter().flatten();
            let device = devices.find(|device| device["device"] == "tiket");
            let is_so = device.is_some_and(|device| {
                device["state"] == state && device["reasons"] == serde_json::json!(reasons)
            });
            Ok(is_so.then_some(()))
        })
        .await
    }

    /// Runs a command of the machine; gives its exit code and what it said.
    async fn command(&self, words: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let config = text(&self.station.machine.config());
        let words = words.iter().copied().chain(["--config", &config]);
        let output = self
            .world
            .site
            .programs
            .loketd
            .command(words)
            .output()
            .await?;
        let said = [output.stdout, output.stderr].concat();
        Ok((
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        ))
    }

    async fn tested(&self) -> anyhow::Result<(Option<i32>, Value)> {
        let (code, said) = self.command(&["ticket-test", "--json"]).await?;
        let told = said.lines().next().unwrap_or_default();
        Ok((
            code,
            serde_json::from_str(told).with_context(|| said.clone())?,
        ))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_ticket_printer_is_at_is_told_at_central_and_to_the_officer() -> anyhow::Result<()> {
    let bench = Bench::start(OFTEN_MS).await?;
    let _daemon = bench.run()?;
    bench.central_knows("idle", &[]).await?;
    bench.turn(r#"{"near_end": true}"#).await?;
    bench.central_knows("idle", &["media-low"]).await?;
    bench
        .turn(r#"{"near_end": false, "paper_dots": 0}"#)
        .await?;
    bench.central_knows("stopped", &["media-empty"]).await?;
    let (_code, said) = bench.command(&["devices"]).await?;
    ensure!(
        said.contains("tiket  stopped  berhenti, kertas habis (media-empty)"),
        "{said}"
    );
    // Nothing is sent to it, and the officer is told what to do.
    let (code, told) = bench.tested().await?;
    ensure!(code == Some(1) && told["fate"] == "not-printed", "{told}");
    ensure!(
        told["reasons"] == serde_json::json!(["media-empty"]),
        "{told}"
    );
    ensure!(bench.slips().await?.is_empty());
    bench.turn(r#"{"paper_dots": null}"#).await?;
    bench.central_knows("idle", &[]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_ticket_comes_out_once_with_the_daemon_and_without_it() -> anyhow::Result<()> {
    let bench = Bench::start(OFTEN_MS).await?;
    let (code, told) = bench.tested().await?;
    ensure!(
        code == Some(0) && told["fate"] == "printed",
        "alone: {told}"
    );
    let mut daemon = bench.run()?;
    bench.central_knows("idle", &[]).await?;
    let (code, said) = bench.command(&["ticket-test"]).await?;
    ensure!(
        code == Some(0) && said.contains("tiket uji tercetak"),
        "{said}"
    );
    let slips = bench.slips().await?;
    ensure!(slips.len() == 2, "{slips:?}");
    for slip in slips {
        for words in ["TIKET UJI", "UJI", "bukan nomor", "boleh dibuang"] {
            ensure!(slip.contains(words), "{words}: {slip}");
        }
    }
    daemon.stop().await?;
    Ok(())
}

/// The printer loses its power while it prints: what came out nobody can say, and nothing is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_ticket_that_breaks_off_is_told_as_unclear_and_not_repeated() -> anyhow::Result<()> {
    let bench = Bench::start(SELDOM_MS).await?;
    let _daemon = bench.run()?;
    bench.central_knows("idle", &[]).await?;
    let (code, told) = bench.tested().await?;
    ensure!(code == Some(0), "{told}");
    let state = http::call(&bench.control, "GET", "/control/state", None).await?;
    let worked = state.json()?["worked_bytes"].as_u64().unwrap_or_default();
    // Amid the next ticket: the questions before it take a few bytes.
    bench
        .turn(&format!(r#"{{"dies_at": {}}}"#, worked + 200))
        .await?;
    let (code, told) = bench.tested().await?;
    ensure!(code == Some(2) && told["fate"] == "unclear", "{told}");
    let (code, said) = bench.command(&["ticket-test"]).await?;
    ensure!(code == Some(0), "the next one is whole: {said}");
    let whole = bench.slips().await?;
    let whole = whole.iter().filter(|slip| slip.contains("boleh dibuang"));
    ensure!(whole.count() == 2, "one before it and one after it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_ticket_printer_says_what_to_write() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let config = text(&station.machine.config());
    let words = ["ticket-test", "--config", &config];
    let output = world.site.programs.loketd.command(words).output().await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        said.contains("C-121") && said.contains("ticket_printer"),
        "{said}"
    );
    Ok(())
}
