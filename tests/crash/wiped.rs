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
