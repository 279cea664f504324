//! Debian's mosquitto with the configuration that `loket-provision broker-config` wrote.

use std::path::Path;

use anyhow::Context as _;
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, text};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/mosquitto";

/// Starts the broker and waits until its port answers.
///
/// The generated configuration keeps nothing on disk: ending the process wipes the broker.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn start(site: &Site) -> anyhow::Result<Running> {
    anyhow::ensure!(
        Path::new(PROGRAM).exists(),
        "find {PROGRAM}: install the Debian package mosquitto, or run 'cargo xtask test'"
    );
    let config = text(&site.path("broker/mosquitto.conf"));
    let command = Program::at(Path::new(PROGRAM)).command(["-v", "-c", &config]);
    let mut running = Running::start("mosquitto", command, &site.path("logs"))?;
    site.wait_for_port(&mut running, site.ports.broker)
        .await
        .context("start mosquitto")?;
    Ok(running)
}
