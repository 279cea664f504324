//! Kiosks have dead clock batteries: a machine in 1970 or 2040 works, says so, and judges time limits by central's
//! time or not at all. Central's own clock may be wrong too: it refuses to run on it, and what was signed with it does
//! not outlive the mend.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_tests::central::moment_in;
use loket_tests::faketime::with_clock;
use loket_tests::look::until;
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, World, order, order_again};

const ID: &str = "desa-contoh-1";

const IN_1970: &str = "@1970-01-01 00:00:30";
/// A month ahead.
const AHEAD: &str = "+30d";

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

/// Starts central with a wrong clock, or the right one, and expects the refusal with `code`.
async fn is_refused(world: &World, clock: Option<&str>, code: &str) -> anyhow::Result<()> {
    let right = world.site.programs.central.clone();
    let program = match clock {
        Some(clock) => with_clock(right, clock)?,
        None => right,
    };
    let config = text(&world.site.path("central/central.toml"));
    let output = program
        .command(["run", "--config", &config])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(78), "{output:?}");
    ensure!(said.contains(&format!("[{code}]")), "{said}");
    Ok(())
}

/// Somebody says that the clock is right.
async fn vouch(world: &World) -> anyhow::Result<()> {
    let config = text(&world.site.path("central/central.toml"));
    let central = &world.site.programs.central;
    central.run(["accept-clock", "--config", &config]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn central_runs_on_no_clock_far_from_what_it_knew_unless_somebody_vouches_for_it()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    world.central.stop().await?;
    is_refused(&world, Some(IN_1970), "C-301").await?;
    is_refused(&world, Some(AHEAD), "C-302").await?;
    is_refused(&world, Some("-2d"), "C-303").await?;
    let right = world.site.programs.central.clone();
    world.site.programs.central = with_clock(right.clone(), "-2d")?;
    vouch(&world).await?;
    world.site.programs.central = right;
    is_refused(&world, Some(AHEAD), "C-302").await?;
    vouch(&world).await?;
    world.central = world.site.start_central().await?;
    let noted = |row: &serde_json::Value| row.to_string().contains("clock-accepted");
    world.history_with("who vouched", noted).await?;
    Ok(())
}

/// Everything that a wrong central left on the machine, its floor above all, is undone by its next command.
#[tokio::test(flavor = "multi_thread")]
async fn a_central_that_was_a_month_ahead_is_mended_and_new_orders_are_printed()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    world.central.stop().await?;
    let right = world.site.programs.central.clone();
    world.site.programs.central = with_clock(right.clone(), AHEAD)?;
    vouch(&world).await?;
    world.central = world.site.start_central().await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let first = world.order(ID, "KK-1", "now").await?;
    world.wait(&first, &["printed"]).await?;
    // The wrong time is in the machine's journal now.
    daemon.stop().await?;

    world.central.stop().await?;
    world.site.programs.central = right;
    is_refused(&world, None, "C-303").await?;
    vouch(&world).await?;
    world.central = world.site.start_central().await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let tomorrow = moment_in("1 day").await?;
    let mut again: serde_json::Value =
        serde_json::from_str(&order_again(ID, "KK-2", "now", Some(&first)))?;
    again["not_after"] = tomorrow.into();
    let job = world.order_as(SAMPLE_KK, &again.to_string()).await?;
    let ends = ["printed", "expired", "rejected", "failed", "unknown"];
    let seen = world.wait(&job, &ends).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}
