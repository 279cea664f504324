//! A damaged journal is set aside; what it held becomes `unknown` at central, where somebody answers.

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_tests::world::{Build, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_journal_makes_its_jobs_unknown_and_prints_nothing_by_itself() -> anyhow::Result<()>
{
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    daemon.kill().await?;
    damage(&station.machine.home.join("state"))?;
    // The damage is found at opening or by the check beside the running daemon, which then ends with 73.
    let mut daemon = world.site.start_machine(&station.machine)?;
    let unknown = world.wait(&job, &["unknown"]);
    tokio::pin!(unknown);
    let seen = loop {
        tokio::select! {
            seen = &mut unknown => break seen?,
            ended = daemon.wait() => {
                let status = ended?;
                ensure!(status.code() == Some(73), "it ended with {status}");
                daemon = world.site.start_machine(&station.machine)?;
            }
        }
    };
    ensure!(seen["reason"] == "journal-lost", "{seen}");
    ensure!(station.printed().await?.sheets == 0);
    let aside = std::fs::read_dir(station.machine.home.join("state"))?
        .filter_map(|entry| {
            entry
                .ok()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
        })
        .any(|name| name.starts_with("journal.db") && name.contains("17"));
    ensure!(aside, "the damaged journal is kept aside");
    let path = format!("/api/v1/jobs/{job}/answer");
    let body = br#"{"answer":"found-none"}"#.to_vec();
    let mut request = http::post(&world.site.api(), &path, "application/json", body)?;
    let bearer = format!("Bearer {}", world.tokens.operator);
    request
        .headers_mut()
        .insert("authorization", bearer.parse().context("write a header")?);
    let answer = http::send(&world.site.api(), request).await?;
    ensure!((200..300).contains(&answer.status), "{answer:?}");
    let seen = world.wait(&job, &["failed"]).await?;
    ensure!(seen["reason"] == "officer-found-none", "{seen}");
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

/// Overwrites the middle of the database and its log, page heads included.
fn damage(state: &std::path::Path) -> anyhow::Result<()> {
    for name in ["journal.db", "journal.db-wal"] {
        let path = state.join(name);
        let Ok(mut bytes) = std::fs::read(&path) else {
            continue;
        };
        let from = bytes.len().min(100);
        bytes[from..].fill(0x5a);
        std::fs::write(&path, bytes)?;
    }
    Ok(())
}
