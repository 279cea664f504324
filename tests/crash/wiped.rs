//! The broker is disposable.

use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Context as _, ensure};
use loket_tests::world::{Build, DEADLINE, World};

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
    let out = async {
        while station.printed().await?.sheets == 0 {
            tokio::task::yield_now().await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(DEADLINE, out)
        .await
        .context("print without a broker")??;
    daemon.kill().await?;
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let path = station.machine.home.join("state").join(name);
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    world.broker = loket_tests::mosquitto::start(&world.site).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let seen = world.wait(&job, &["unknown", "printed", "failed"]).await?;
    ensure!(
        seen["state"] == "unknown" && seen["reason"] == "journal-lost",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
