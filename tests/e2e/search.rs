//! `loketd devices --search`, as a person types it, with a peer that announces printers on this computer's own interface.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use loket_demo::site::text;
use loket_tests::world::{Build, bin_dir};
use mdns_sd::{IfKind, ServiceDaemon, ServiceInfo};
use tokio::process::Command;

/// Announces printers at the loopback interface, and nowhere else, until it is dropped.
struct Peer(ServiceDaemon);

impl Peer {
    fn new() -> anyhow::Result<Self> {
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(IfKind::All)?;
        daemon.enable_interface(IfKind::LoopbackV4)?;
        Ok(Self(daemon))
    }

    fn announce(&self, service: &str, port: u16, txt: &[(&str, &str)]) -> anyhow::Result<()> {
        let (name, host) = ("Loket uji\u{1b}[31m", "loket-test.local.");
        let info = ServiceInfo::new(service, name, host, "127.0.0.1", port, txt)?;
        Ok(self.0.register(info)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Ok(ended) = self.0.shutdown() {
            drop(ended.recv_timeout(Duration::from_secs(5)));
        }
    }
}

fn settings(dir: &std::path::Path) -> anyhow::Result<String> {
    std::fs::create_dir(dir.join("trust"))?;
    let path = dir.join("loket.toml");
    let dir = text(dir);
    let settings = format!(
        "machine = \"desa-contoh-1\"\nstate_dir = \"{dir}/state\"\nruntime_dir = \"{dir}\"\ntrust_dir = \"{dir}/trust\"\n\
         [[printer]]\nname = \"a4\"\nuri = \"ipp://127.0.0.1:9/ipp/print\"\n"
    );
    std::fs::write(&path, settings)?;
    Ok(text(&path))
}

async fn loketd(arguments: &[&str]) -> anyhow::Result<std::process::Output> {
    let program = bin_dir(Build::Plain)?.join("loketd");
    Ok(Command::new(program).args(arguments).output().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_shows_printers_with_the_line_for_the_settings_and_changes_nothing()
-> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let config = settings(dir.path())?;
    let before = std::fs::read(&config)?;
    let peer = Peer::new()?;
    let known = [
        ("rp", "ipp/print"),
        ("ty", "Simulated A4"),
        ("pdl", "application/pdf"),
    ];
    peer.announce("_ipp._tcp.local.", 9, &known)?;
    peer.announce(
        "_ipps._tcp.local.",
        8_631,
        &[("rp", "ipp/print"), ("pdl", "image/urf")],
    )?;

    let arguments = [
        "devices",
        "--search",
        "3",
        "--interface",
        "lo",
        "--config",
        &config,
    ];
    let output = loketd(&arguments).await?;
    ensure!(output.status.code() == Some(0), "{output:?}");
    let told = String::from_utf8(output.stdout)?;
    for line in [
        "jaringan  Loket uji[31m  ipp://127.0.0.1:9/ipp/print  Simulated A4  menerima PDF\n  sudah ada di pengaturan\n",
        "jaringan  Loket uji[31m  ipps://127.0.0.1:8631/ipp/print  -  menerima raster, bukan PDF\n",
        "tulis uri = \"ipps://127.0.0.1:8631/ipp/print\" pada [[printer]] di pengaturan",
        "perlu juga pinned_spki_sha256",
    ] {
        ensure!(told.contains(line), "'{line}' is not in {told}");
    }
    ensure!(
        !told.contains('\u{1b}'),
        "a stranger's words move no cursor: {told:?}"
    );

    let output = loketd(&[&arguments[..], &["--json"]].concat()).await?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let printers = told["search"]["printers"]
        .as_array()
        .context("read the printers")?;
    let states: Vec<_> = printers
        .iter()
        .map(|it| (it["state"].as_str(), it["needs_pin"].as_bool()))
        .collect();
    let expected = [
        (Some("in-settings"), Some(false)),
        (Some("not-in-settings"), Some(true)),
    ];
    ensure!(states == expected, "{told}");
    ensure!(told["devices"][0]["name"] == "a4", "{told}");
    ensure!(
        std::fs::read(&config)? == before,
        "settings are written by a person"
    );
    ensure!(
        !dir.path().join("state").exists(),
        "a search leaves nothing behind"
    );
    Ok(())
}

#[tokio::test]
async fn a_search_that_cannot_be_made_or_is_mistyped_is_told() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let config = settings(dir.path())?;
    let output = loketd(&[
        "devices",
        "--search",
        "1",
        "--interface",
        "none0",
        "--config",
        &config,
    ])
    .await?;
    let told = String::from_utf8(output.stderr)?;
    ensure!(
        output.status.code() == Some(69) && told.contains("L-114"),
        "{told}"
    );
    let said = String::from_utf8(output.stdout)?;
    ensure!(
        said.contains("a4  unreachable"),
        "the rest is told all the same: {said}"
    );
    for wrong in [["--search", "0"], ["--search", "31"], ["--interface", "lo"]] {
        let output = loketd(&[&["devices", "--config", &config][..], &wrong].concat()).await?;
        let told = String::from_utf8(output.stderr)?;
        ensure!(
            output.status.code() == Some(64) && told.contains("L-109"),
            "{wrong:?}: {told}"
        );
    }
    Ok(())
}
