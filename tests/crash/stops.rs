//! SIGKILL of loketd at every numbered stop of the print walk.

use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Context as _, ensure};
use loket_demo::once::SAMPLE_KK;
use loket_tests::world::{Build, DEADLINE, World, order_again};

/// Every stop in turn: the daemon dies there, comes back, and the document has come out once.
///
/// With an honest printer no kill of the daemon may leave a question to an officer.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_stop_each_document_comes_out_once() -> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let listed = world.site.programs.loketd.run(["stops"]).await?;
    let stops: Vec<&str> = listed.lines().collect();
    ensure!(
        stops.len() > 15,
        "the list of stops is too short: {stops:?}"
    );
    let mut previous = None;
    for (number, stop) in stops.into_iter().enumerate() {
        let job = killed_at(&world, number, stop, previous.as_deref()).await;
        previous = Some(job.with_context(|| format!("killed at {stop}"))?);
    }
    Ok(())
}

/// A machine of its own for each stop, so that one case cannot hide another.
async fn killed_at(
    world: &World,
    number: usize,
    stop: &str,
    previous: Option<&str>,
) -> anyhow::Result<String> {
    let id = format!("desa-{number}-henti");
    let station = world.station(&id, &[]).await?;
    let mut site = world.site.clone();
    site.programs.loketd = site.programs.loketd.with_env("LOKET_STOP_AT", stop);
    let mut doomed = site.start_machine(&station.machine)?;
    let order = order_again(&id, &format!("KK-{number}"), "now", previous);
    let job = world.order_as(SAMPLE_KK, &order).await?;
    let status = tokio::time::timeout(DEADLINE, doomed.wait())
        .await
        .context("reach the stop")??;
    ensure!(
        status.signal() == Some(9),
        "it ended with {status}, not by the kill"
    );
    let mut daemon = world.site.start_machine(&station.machine)?;
    let seen = world
        .wait(&job, &["printed", "failed", "rejected", "unknown"])
        .await?;
    ensure!(seen["state"] == "printed", "{seen}");
    let printed = station.printed().await?;
    ensure!(printed.sheets == 1, "{printed:?}");
    daemon.stop().await?;
    Ok(job)
}
