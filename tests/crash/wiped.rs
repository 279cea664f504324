//! The broker is disposable.

use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Context as _, ensure};
use loket_demo::once::SAMPLE_KK;
use loket_tests::look::until;
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, World, order_again};

/// The order has left central and is not on the machine's disk when broker and machine die; the broker forgets all.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_wiped_between_offered_and_journalled_loses_nothing() -> anyhow::Result<()> {
    let mut world = World::start(Build::Hooks, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut site = world.site.clone();
    site.programs.loketd = site
        .programs
        .loketd
        .with_env("LOKET_STOP_AT", "order-arrived");
    let mut doomed = site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    let status = tokio::time::timeout(DEADLINE, doomed.wait())
        .await
        .context("reach the stop")??;
    ensure!(status.signal() == Some(9), "it ended with {status}");
    ensure!(world.wait(&job, &["offered"]).await?["state"] == "offered");
    world.wipe_broker().await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// The broker's database is from the moment when the order was under way: a restored backup, a disk image. It delivers
/// the order again, to a machine that has long printed it.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_set_back_delivers_an_old_order_again_and_no_second_sheet_comes()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    world.keep_broker_database().await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut doomed = world
        .doomed_at("order-arrived")?
        .start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    let status = tokio::time::timeout(DEADLINE, doomed.wait())
        .await
        .context("reach the stop")??;
    ensure!(status.signal() == Some(9), "it ended with {status}");
    let once = mosquitto::snapshot(&world.site, &world.broker).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    world.wait(&job, &["printed"]).await?;
    let from = std::fs::read_to_string(world.broker.log())?.len();

    world.set_broker_back(&once).await?;
    // The order is a redelivery: it is acknowledged and answered with the job's present state.
    for (what, topic) in [
        ("Sending PUBLISH to desa-contoh-1", "/cmd/print"),
        ("Received PUBACK from desa-contoh-1", ""),
        ("Received PUBLISH from desa-contoh-1", "/evt/job"),
    ] {
        until(what, DEADLINE, async || {
            let new = std::fs::read_to_string(world.broker.log())?.split_off(from);
            let mut lines = new.lines();
            Ok(lines
                .any(|line| line.contains(what) && line.contains(topic))
                .then_some(()))
        })
        .await?;
    }
    let next = order_again("desa-contoh-1", "KK-2", "now", Some(&job));
    let next = world.order_as(SAMPLE_KK, &next).await?;
    world.wait(&next, &["printed"]).await?;
    ensure!(world.wait(&job, &["printed"]).await?["sheet_count"] == 1);
    ensure!(station.printed().await?.sheets == 2, "one sheet a job");
    Ok(())
}

/// Central dies after it answered 201; nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn central_killed_after_intake_goes_on_when_it_is_back() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    world.central.kill().await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    world.central = world.site.start_central().await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// The machine prints while central cannot hear it, and then its journal is gone: the order must not come again. That
/// the document was asked for is on central's disk before its first byte leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_lost_after_a_sheet_that_central_never_heard_of_is_a_question_not_a_second_sheet()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Hooks, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut site = world.site.clone();
    site.programs.loketd = site
        .programs
        .loketd
        .with_env("LOKET_STOP_AT", "before-mqtt-ack");
    let mut doomed = site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    let status = tokio::time::timeout(DEADLINE, doomed.wait())
        .await
        .context("reach the stop")??;
    ensure!(status.signal() == Some(9), "it ended with {status}");
    world.broker.kill().await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    until("a sheet without a broker", DEADLINE, async || {
        Ok((station.printed().await?.sheets > 0).then_some(()))
    })
    .await?;
    daemon.kill().await?;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let path = station.machine.home.join("state").join(name);
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    world.broker = mosquitto::start(&world.site).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let seen = world.wait(&job, &["unknown", "printed", "failed"]).await?;
    ensure!(
        seen["state"] == "unknown" && seen["reason"] == "journal-lost",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
