//! A certified document travels from central to paper, once.

use anyhow::ensure;
use loket_demo::once::SAMPLE_KK;
use loket_tests::world::{Build, World, order_again};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_becomes_one_sheet_of_the_very_bytes_and_central_knows() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    let seen = world
        .wait(&job, &["printed", "failed", "rejected", "unknown"])
        .await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(seen["sheet_count"] == 1, "{seen}");
    let printed = station.printed().await?;
    ensure!(printed.sheets == 1, "{printed:?}");
    ensure!(
        printed.digests == [seen["revision_sha256"].as_str().unwrap_or_default()],
        "{printed:?}"
    );
    let status = daemon.stop().await?;
    ensure!(status.success(), "loketd drained with {status}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_given_while_the_station_is_off_waits_for_it() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    ensure!(world.wait(&job, &["created"]).await?["state"] == "created");
    let _daemon = world.site.start_machine(&station.machine)?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_is_not_taken_twice_without_a_reason() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let again = world.order("desa-contoh-1", "KK-2", "now").await;
    let refused = again
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure!(
        refused.contains("409") && refused.contains(&job),
        "{refused}"
    );
    let order = order_again("desa-contoh-1", "KK-3", "now", Some(&job));
    let reprint = world.order_as(SAMPLE_KK, &order).await?;
    world.wait(&reprint, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}
