//! Debian's mosquitto with the configuration that `loket-provision broker-config` wrote.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, text};

use crate::look::until;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/sbin/mosquitto";

/// Ends a hung snapshot; no timing is asserted.
const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(60);

/// Starts the broker and waits until its port answers.
///
/// The generated configuration keeps nothing on disk, unless [`keep_database`] wrote it anew: ending the process wipes
/// the broker.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn start(site: &Site) -> anyhow::Result<Running> {
    start_in(site, "broker", site.ports.broker).await
}

/// As [`start`], for the broker whose files lie in this folder of the site.
///
/// # Errors
/// When it is not installed or does not start.
pub async fn start_in(site: &Site, folder: &str, port: u16) -> anyhow::Result<Running> {
    anyhow::ensure!(
        Path::new(PROGRAM).exists(),
        "find {PROGRAM}: install the Debian package mosquitto, or run 'cargo xtask test'"
    );
    let config = text(&site.path(folder).join("mosquitto.conf"));
    let command = Program::at(Path::new(PROGRAM)).command(["-v", "-c", &config]);
    let name = format!("mosquitto-{folder}");
    let mut running = Running::start(&name, command, &site.path("logs"))?;
    site.wait_for_port(&mut running, port)
        .await
        .context("start mosquitto")?;
    Ok(running)
}

/// Where the broker keeps its database, if it has one.
#[must_use]
pub fn database(site: &Site) -> PathBuf {
    site.path("broker-database/mosquitto.db")
}

/// Has the broker's configuration written anew, with a database on disk; it holds from the broker's next start.
///
/// # Errors
/// When the authority refuses.
pub async fn keep_database(site: &Site) -> anyhow::Result<()> {
    let folder = site.path("broker-database");
    std::fs::create_dir_all(&folder).context("make a folder for the broker's database")?;
    let (authority, out) = (text(&site.path("authority")), text(&site.path("broker")));
    let listen = format!("127.0.0.1:{}", site.ports.broker);
    let folder = text(&folder);
    let write = [
        "broker-config",
        "--dir",
        &authority,
        "--out",
        &out,
        "--listen",
        &listen,
        "--user",
        "root",
        "--persistence",
        &folder,
    ];
    site.programs.provision.run(write).await.map(drop)
}

/// Whether a process catches SIGUSR1, by what proc(5) says of its signals: the tenth bit.
fn heeds_usr1(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << 9) != 0)
}

/// Has a running broker write what it holds to its database; gives the bytes.
///
/// # Errors
/// When it does not.
pub async fn snapshot(site: &Site, broker: &Running) -> anyhow::Result<Vec<u8>> {
    let file = database(site);
    // It writes beside and then renames: a file that was away and is there is whole.
    if file.exists() {
        std::fs::remove_file(&file).context("remove an older database of the broker")?;
    }
    let pid = broker.pid().context("find the broker")?.to_string();
    // It listens a moment before it heeds signals; until then this one would end it.
    let status = Path::new("/proc").join(&pid).join("status");
    until("the broker heeds signals", SNAPSHOT_DEADLINE, async || {
        let status = std::fs::read_to_string(&status).context("look at the broker")?;
        Ok(heeds_usr1(&status).then_some(()))
    })
    .await?;
    let kill = Program::at(Path::new("/bin/kill"));
    kill.run(["-USR1", &pid]).await?;
    until("the broker's database", SNAPSHOT_DEADLINE, async || {
        Ok(std::fs::read(&file).ok())
    })
    .await
}
