//! What an officer at a station without pages can do: list, release, call off, answer.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::text;
use loket_tests::world::{Build, Station, World, order_again};

async fn stationed(world: &World, printer: &[&str]) -> anyhow::Result<(Station, Running)> {
    let station = world.station("desa-contoh-1", printer).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    Ok((station, daemon))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_job_is_listed_with_its_label_and_printed_when_released() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world, &[]).await?;
    let job = world.order("desa-contoh-1", "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    let config = text(&station.machine.config());
    let loketd = &world.site.programs.loketd;
    let listed = loketd.run(["jobs", "--json", "--config", &config]).await?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    let first = listed["jobs"].get(0).context("list the held job")?;
    ensure!(
        first["job_id"] == job.as_str() && first["state"] == "held",
        "{listed}"
    );
    ensure!(
        first["label"]
            .as_str()
            .is_some_and(|label| !label.is_empty()),
        "{listed}"
    );
    ensure!(station.printed().await?.sheets == 0);
    loketd
        .run(["job", "release", &job, "--by", "wati", "--config", &config])
        .await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_job_can_be_called_off_by_the_officer_and_by_central() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world, &[]).await?;
    let config = text(&station.machine.config());
    let first = world.order("desa-contoh-1", "KK-1", "officer").await?;
    world.wait(&first, &["held"]).await?;
    world
        .site
        .programs
        .loketd
        .run(["job", "cancel", &first, "--by", "wati", "--config", &config])
        .await?;
    let seen = world.wait(&first, &["cancelled"]).await?;
    ensure!(seen["reason"] == "by-officer", "{seen}");
    // The first was called off, so the same document is taken again without a reason.
    let second = world.order("desa-contoh-1", "KK-2", "officer").await?;
    world.wait(&second, &["held"]).await?;
    let path = format!("/api/v1/jobs/{second}/cancel");
    let asked = loket_demo::http::call(
        &world.site.api(),
        "POST",
        &path,
        Some(&world.tokens.operator),
    )
    .await?;
    ensure!((200..300).contains(&asked.status), "{asked:?}");
    let seen = world.wait(&second, &["cancelled"]).await?;
    ensure!(seen["reason"] == "by-central", "{seen}");
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

/// A job whose printer claims one side more than the document has: its word is no evidence.
async fn unknown(world: &World, previous: Option<&str>) -> anyhow::Result<String> {
    let order = order_again("desa-contoh-1", "KK-1", "now", previous);
    let job = world.order_as(SAMPLE_KK, &order).await?;
    let seen = world.wait(&job, &["unknown", "printed"]).await?;
    ensure!(
        seen["state"] == "unknown" && seen["reason"] == "impressions-disagree",
        "{seen}"
    );
    Ok(job)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_unknown_fate_is_asked_about_and_each_answer_has_its_end() -> anyhow::Result<()>
{
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world, &["--impressions", "one-more"]).await?;
    let config = text(&station.machine.config());
    let answer = async |job: &str, found: &str| {
        let answer = [
            "job", "answer", job, found, "--by", "wati", "--config", &config,
        ];
        world.site.programs.loketd.run(answer).await.map(drop)
    };
    let first = unknown(&world, None).await?;
    answer(&first, "came-out").await?;
    let seen = world.wait(&first, &["printed"]).await?;
    ensure!(seen["reason"] == "officer-saw", "{seen}");

    let second = unknown(&world, Some(&first)).await?;
    answer(&second, "damaged").await?;
    let seen = world.wait(&second, &["failed"]).await?;
    ensure!(seen["reason"] == "sheet-damaged", "{seen}");
    ensure!(station.printed().await?.sheets == 2);

    // Only this answer prints again, and only once.
    let third = unknown(&world, Some(&first)).await?;
    station
        .turn("/control", r#"{"impressions": "honest"}"#)
        .await?;
    answer(&third, "did-not").await?;
    let seen = world.wait(&third, &["printed"]).await?;
    ensure!(seen["attempt"] == 2, "{seen}");
    ensure!(station.printed().await?.sheets == 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_without_paper_is_told_at_central_and_goes_on_by_itself() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let (station, _daemon) = stationed(&world, &["--paper", "0"]).await?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    world.wait(&job, &["printing"]).await?;
    world
        .machine_with("media-empty at central", "desa-contoh-1", |machine| {
            machine.to_string().contains("media-empty")
        })
        .await?;
    station.turn("/control", r#"{"paper": 10}"#).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}
