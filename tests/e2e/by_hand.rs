//! `loketd print FILE --printer URI`: with and without a running daemon.

use anyhow::{Context as _, ensure};
use loket_demo::site::text;
use loket_tests::world::{Build, Station, World, bin_dir};

struct Ended {
    code: Option<i32>,
    said: serde_json::Value,
}

async fn print(station: &Station, fixture: &str, printer: &str) -> anyhow::Result<Ended> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(fixture);
    let output = tokio::process::Command::new(bin_dir(Build::Plain)?.join("loketd"))
        .args([
            "print",
            &text(&file),
            "--printer",
            printer,
            "--json",
            "--config",
        ])
        .arg(station.machine.config())
        .output()
        .await?;
    let said = serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null);
    Ok(Ended {
        code: output.status.code(),
        said,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_printed_by_hand_takes_the_same_path_with_and_without_the_daemon()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let alone = print(&station, "kk-sample-bb.pdf", &station.uri).await?;
    ensure!(
        alone.code == Some(0) && alone.said["state"] == "printed",
        "{:?} {}",
        alone.code,
        alone.said
    );
    ensure!(station.printed().await?.sheets == 1);
    let mut daemon = world.site.start_machine(&station.machine)?;
    let socket = station.machine.home.join("run/control.sock");
    let bound = async {
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(loket_tests::world::DEADLINE, bound)
        .await
        .context("reach the daemon's socket")?;
    let through = print(&station, "kk-sample-bt.pdf", &station.uri).await?;
    ensure!(
        through.code == Some(0) && through.said["state"] == "printed",
        "{:?} {}",
        through.code,
        through.said
    );
    ensure!(station.printed().await?.sheets == 2);
    let other = print(&station, "kk-sample-bb.pdf", "ipp://127.0.0.1:9/ipp/print").await?;
    ensure!(
        other.code == Some(1),
        "a printer that is not in the settings: {:?}",
        other.code
    );
    std::fs::remove_file(&socket)?;
    let locked = print(&station, "kk-sample-bb.pdf", &station.uri).await?;
    ensure!(
        locked.code == Some(75),
        "the daemon holds the state folder: {:?}",
        locked.code
    );
    daemon.stop().await?;
    let altered = print(&station, "kk-sample-altered.pdf", &station.uri).await?;
    ensure!(
        altered.code == Some(1) && altered.said["state"] == "rejected",
        "{:?} {}",
        altered.code,
        altered.said
    );
    let none = print(&station, "no-such-file.pdf", &station.uri).await?;
    ensure!(none.code == Some(66), "{:?}", none.code);
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}
