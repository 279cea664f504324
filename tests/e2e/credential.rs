//! A machine's keys at rest, sealed with a credential as systemd gives it.

use anyhow::{Context as _, ensure};
use loket_demo::site::text;
use loket_tests::world::{Build, DEADLINE, World};

#[tokio::test(flavor = "multi_thread")]
async fn keys_sealed_with_a_credential_serve_the_machine_and_nobody_without_it()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let credentials = world.dir().join("credentials");
    std::fs::create_dir(&credentials)?;
    std::fs::write(credentials.join("loket-identity.key"), "5a".repeat(32))?;
    let bare = world.site.programs.loketd.clone();
    world.site.programs.loketd = bare
        .clone()
        .with_env("CREDENTIALS_DIRECTORY", &text(&credentials));
    let station = world.station("desa-contoh-1", &[]).await?;
    let identity = station.machine.home.join("state/identity");
    for name in ["tls.key.pem", "sealing.key"] {
        let file = std::fs::read_to_string(identity.join(name))?;
        ensure!(file.starts_with("loket-sealed 1\n"), "{name} is not sealed");
        ensure!(!file.contains("PRIVATE KEY"), "{name} holds a key in clear");
    }
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    daemon.stop().await?;
    world.site.programs.loketd = bare;
    let mut thief = world.site.start_machine(&station.machine)?;
    let status = tokio::time::timeout(DEADLINE, thief.wait())
        .await
        .context("see it refused")??;
    ensure!(
        status.code() == Some(78),
        "without the credential: {status}"
    );
    Ok(())
}
