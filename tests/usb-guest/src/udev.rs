//! Debian's udev, for as long as a scenario wants it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

use crate::value::until;

const PROGRAM: &str = "/lib/systemd/systemd-udevd";

/// Programs tell by its socket whether udev runs.
const CONTROL: &str = "/run/udev/control";

#[derive(Debug)]
pub(crate) struct Udev(Child);

impl Udev {
    /// Starts it, without rules: it passes on what the kernel tells.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mut command = Command::new(PROGRAM);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.kill_on_drop(true).spawn();
        let udev = Self(child.context("start udev")?);
        until("udev at its socket", || {
            Path::new(CONTROL).exists().then_some(())
        })
        .await?;
        Ok(udev)
    }

    /// Ends it as a system does, and leaves the guest as one without udev.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let Some(id) = self.0.id() else {
            bail!("udev ended by itself");
        };
        let asked = Command::new("kill").arg(id.to_string()).status().await;
        if !asked.context("ask udev to end")?.success() {
            bail!("udev cannot be asked to end");
        }
        self.0.wait().await.context("wait for udev's end")?;
        match tokio::fs::remove_dir_all("/run/udev").await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("remove what udev left")
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
