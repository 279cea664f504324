//! A printer that has no Create-Job and takes a job only with its document: served, once, with more questions to an
//! officer, and said so to whoever looks after it.

use anyhow::ensure;
use loket_demo::site::text;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

const OVER: [&str; 4] = ["printed", "failed", "expired", "unknown"];

async fn stationed(world: &World) -> anyhow::Result<Station> {
    world.station(ID, &["--print-job-only"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_once_and_the_smaller_guarantee_is_said_at_central_in_the_log_and_to_whoever_asks()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = stationed(&world).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &OVER).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(seen["sheet_count"] == 1, "{seen}");
    ensure!(station.printed().await?.sheets == 1);

    until("central says it", DEADLINE, async || {
        let machine = world.machine(ID).await?;
        let reasons = &machine["devices"][0]["reasons"];
        Ok((*reasons == serde_json::json!(["no-create-job"])).then_some(()))
    })
    .await?;
    let log = std::fs::read_to_string(daemon.log())?;
    let said = log
        .lines()
        .filter(|line| line.contains("has no Create-Job"));
    ensure!(said.count() == 1, "once: {log}");
    let config = text(&station.machine.config());
    let devices = world
        .site
        .programs
        .loketd
        .run(["devices", "--config", &config]);
    let devices = devices.await?;
    ensure!(devices.contains("(no-create-job)"), "{devices}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_made_good_by_the_jobs_name() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = stationed(&world).await?;
    station
        .turn("/control", r#"{"lose_reply": "send-document"}"#)
        .await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &OVER).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// Kills the daemon at a stop around the sending, with a printer that then loses its power, and gives what central says.
async fn killed_at(
    stop: &str,
    power_goes: bool,
) -> anyhow::Result<(World, Station, String, Value)> {
    let world = World::start(Build::Hooks, false).await?;
    let station = world
        .station(ID, &["--print-job-only", "--memory", "forget-restart-ids"])
        .await?;
    let doomed = world.doomed_at(stop)?;
    let mut daemon = doomed.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    ensure!(!daemon.wait().await?.success(), "it dies at {stop}");
    if power_goes {
        station.turn("/control/power-cycle", "").await?;
    }
    let _daemon = world.site.start_machine(&station.machine)?;
    let seen = world.wait(&job, &OVER).await?;
    Ok((world, station, job, seen))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_job_is_found_by_its_name_where_the_printer_remembers_it()
-> anyhow::Result<()> {
    let (_world, station, _job, seen) = killed_at("after-send", false).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_sending_began_costs_no_question() -> anyhow::Result<()> {
    let (_world, station, _job, seen) = killed_at("prepared", true).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_sending_of_which_the_printer_says_nothing_is_asked_about()
-> anyhow::Result<()> {
    let (_world, station, _job, seen) = killed_at("before-send", true).await?;
    ensure!(
        seen["state"] == "unknown" && seen["reason"] == "fate-not-seen",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_would_scale_the_sheet_refuses_it_and_nothing_comes_out() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = stationed(&world).await?;
    station
        .turn("/control", r#"{"ignores": ["print-scaling"]}"#)
        .await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &OVER).await?;
    ensure!(
        seen["state"] == "failed" && seen["reason"] == "printer-refused",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}
