//! What was printed by hand is known at central: who printed what, where, whatever the line did meanwhile.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_tests::look::{Numbers, until};
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, Station, World};
use serde_json::Value;

use crate::by_hand::{command, daemon, until_sent};

const ID: &str = "desa-contoh-1";

/// Prints a fixture by hand in an officer's name; gives the job's id.
async fn print_as(station: &Station, fixture: &str, officer: &str) -> anyhow::Result<String> {
    let mut command = command(station, fixture, &station.uri)?;
    let output = command.args(["--by", officer]).output().await?;
    let said: Value = serde_json::from_slice(&output.stdout).context("read what was said")?;
    ensure!(said["state"] == "printed", "{said}");
    let job = said["job_id"].as_str().map(str::to_owned);
    job.context("name the job")
}

/// Central shows the sheet with who printed it, and was surprised by nothing.
async fn check_told(world: &World, job: &str, officer: &str) -> anyhow::Result<Value> {
    let shown = world.wait(job, &["printed"]).await?;
    ensure!(
        shown["origin"] == "local" && shown["machine"] == ID && shown["local"]["by"] == officer,
        "{shown}"
    );
    let path = format!("/api/v1/jobs/{job}/history");
    let api = world.site.api();
    let history = http::call(&api, "GET", &path, Some(&world.tokens.auditor));
    let history = history.await?.json()?;
    let first = &history["rows"][0];
    let actor = format!("officer:{officer}@{ID}");
    ensure!(
        first["kind"] == "given-by-hand" && first["actor"] == actor.as_str(),
        "{history}"
    );
    let numbers = Numbers::read(&world.site, &world.tokens.it).await?;
    ensure!(numbers.of("loket_reports_quarantined_total") == 0);
    ensure!(numbers.jobs("printed") == 0, "no order was printed");
    Ok(shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_printed_by_hand_is_at_central_with_who_printed_what() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    // The machine was never linked when this one is printed.
    let alone = print_as(&station, "kk-sample-bb.pdf", "siti").await?;
    let (_daemon, _socket) = daemon(&world, &station).await?;
    check_told(&world, &alone, "siti").await?;
    let beside = print_as(&station, "kk-sample-bt.pdf", "wati").await?;
    let shown = check_told(&world, &beside, "wati").await?;
    let printed = station.printed().await?;
    ensure!(
        printed.digests.last().map(String::as_str) == shown["revision_sha256"].as_str(),
        "what is shown is what the printer got: {printed:?} {shown}"
    );
    let numbers = Numbers::read(&world.site, &world.tokens.it).await?;
    ensure!(numbers.of("loket_jobs_by_hand{state=\"printed\"}") == 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_printed_by_hand_while_the_broker_is_down_is_told_when_it_is_back()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let (_daemon, _socket) = daemon(&world, &station).await?;
    let linked = print_as(&station, "kk-sample-bb.pdf", "wati").await?;
    check_told(&world, &linked, "wati").await?;
    world.broker.kill().await?;
    let unlinked = print_as(&station, "kk-sample-bt.pdf", "siti").await?;
    let api = world.site.api();
    let path = format!("/api/v1/jobs/{unlinked}");
    let early = http::call(&api, "GET", &path, Some(&world.tokens.auditor)).await?;
    ensure!(early.status == 404, "nobody can know yet: {}", early.status);
    world.broker = mosquitto::start(&world.site).await?;
    check_told(&world, &unlinked, "siti").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_lost_while_printing_by_hand_makes_central_ask_for_the_sheet()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &["--paper", "0"]).await?;
    let (mut daemon, _socket) = daemon(&world, &station).await?;
    let mut waiting = command(&station, "kk-sample-bb.pdf", &station.uri)?
        .args(["--by", "wati"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    until_sent(&station, 1).await?;
    let api = world.site.api();
    let path = "/api/v1/jobs?origin=local&state=printing";
    let job = until("the job at central", DEADLINE, async || {
        let answer = http::call(&api, "GET", path, Some(&world.tokens.auditor));
        let listed = answer.await?.json()?;
        Ok(listed["jobs"][0]["job_id"].as_str().map(str::to_owned))
    })
    .await?;
    daemon.kill().await?;
    waiting.wait().await?;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let file = station.machine.home.join("state").join(name);
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    let _daemon = world.site.start_machine(&station.machine)?;
    let lost = world.wait(&job, &["unknown"]).await?;
    ensure!(
        lost["reason"] == "journal-lost" && lost["local"]["by"] == "wati",
        "{lost}"
    );
    let shown = format!("/api/v1/jobs/{job}");
    until("the machine's word on its copy", DEADLINE, async || {
        let answer = http::call(&api, "GET", &shown, Some(&world.tokens.auditor));
        Ok((answer.await?.json()?["machine_copy"] == "gone").then_some(()))
    })
    .await?;
    let path = format!("{shown}/answer");
    let answer = br#"{"answer":"found-none"}"#.to_vec();
    let mut answer = http::post(&api, &path, "application/json", answer)?;
    let token = format!("Bearer {}", world.tokens.operator).parse()?;
    answer.headers_mut().insert("authorization", token);
    let answered = http::send(&api, answer).await?.json()?;
    ensure!(
        answered["state"] == "failed" && answered["origin"] == "local",
        "{answered}"
    );
    Ok(())
}
