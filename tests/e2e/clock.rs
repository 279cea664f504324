//! Kiosks have dead clock batteries: a machine in 1970 or 2040 works, says so, and judges time limits by central's
//! time or not at all.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_tests::central::moment_in;
use loket_tests::faketime::with_clock;
use loket_tests::look::until;
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, World, order};

const ID: &str = "desa-contoh-1";

const IN_1970: &str = "@1970-01-01 00:00:30";
const IN_2040: &str = "@2040-06-01 12:00:00";

/// Ten years: farther off than any drift.
const FAR_MS: i64 = 10 * 365 * 86_400_000;

/// Starts the daemon with a wrong clock; broker and central have the right one.
fn start_at(world: &World, machine: &Machine, clock: &str) -> anyhow::Result<Running> {
    let mut site = world.site.clone();
    site.programs.loketd = with_clock(site.programs.loketd, clock)?;
    site.start_machine(machine)
}

async fn prints_and_tells(clock: &str, is_off: impl Fn(i64) -> bool) -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    station.set("heartbeat_s = 1")?;
    let _daemon = start_at(&world, &station.machine, clock)?;
    let tomorrow = moment_in("1 day").await?;
    let order = order(ID, "KK-1", "now", Some(&tomorrow));
    let job = world.order_as(SAMPLE_KK, &order).await?;
    let ends = ["printed", "expired", "rejected", "failed", "unknown"];
    let seen = world.wait(&job, &ends).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 1);
    world
        .machine_with("the clock told", ID, |machine| {
            let heartbeat = &machine["heartbeat"];
            heartbeat["clock_trusted"] == true
                && heartbeat["clock_offset_ms"].as_i64().is_some_and(&is_off)
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_in_1970_connects_prints_and_tells_how_far_off_it_is() -> anyhow::Result<()> {
    prints_and_tells(IN_1970, |offset_ms| offset_ms < -FAR_MS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_in_2040_connects_prints_and_tells_how_far_off_it_is() -> anyhow::Result<()> {
    prints_and_tells(IN_2040, |offset_ms| offset_ms > FAR_MS).await
}

/// Its own clock would let the order live for decades; central's does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_expires_by_centrals_time_on_a_machine_in_1970() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let _daemon = start_at(&world, &station.machine, IN_1970)?;
    let soon = moment_in("5 seconds").await?;
    let order = order(ID, "KK-1", "officer", Some(&soon));
    let job = world.order_as(SAMPLE_KK, &order).await?;
    world.wait(&job, &["held"]).await?;
    let seen = world.wait(&job, &["expired"]).await?;
    ensure!(seen["reason"] == "not-after", "{seen}");
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

/// A clock that nobody vouches for stops nothing: the officer stands there with the paper in the tray.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_is_printed_without_central_by_a_machine_that_wakes_up_in_2040()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let tomorrow = moment_in("1 day").await?;
    let order = order(ID, "KK-1", "officer", Some(&tomorrow));
    let job = world.order_as(SAMPLE_KK, &order).await?;
    world.wait(&job, &["held"]).await?;
    world.broker.kill().await?;
    daemon.stop().await?;
    let from = std::fs::read_to_string(daemon.log())?.len();
    daemon = start_at(&world, &station.machine, IN_2040)?;
    until("the machine at work", DEADLINE, async || {
        let log = std::fs::read_to_string(daemon.log())?;
        let new = log.get(from..).context("read a log")?;
        Ok(new.contains("ready").then_some(()))
    })
    .await?;
    let config = text(&station.machine.config());
    let release = ["job", "release", &job, "--by", "wati", "--config", &config];
    world.site.programs.loketd.run(release).await?;
    until("the sheet", DEADLINE, async || {
        Ok((station.printed().await?.sheets == 1).then_some(()))
    })
    .await?;
    world.broker = mosquitto::start(&world.site).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
