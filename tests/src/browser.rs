//! A real browser that stays on a page, as a kiosk's does.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;
use loket_demo::http;
use tokio::process::{Child, Command};

use crate::look::until;
use crate::world::DEADLINE;

/// Debian's Chromium without a window, running in real time until dropped.
///
/// Its virtual clock (`--virtual-time-budget`) is no way to wait for a page that leads on by itself: that clock stands
/// still for whatever errand of the browser's own meets a closed network, and was seen never to go on.
#[derive(Debug)]
pub struct Browser {
    _running: Child,
    at: String,
}

impl Browser {
    /// Opens `url` with an own folder `home`.
    ///
    /// # Errors
    /// When Chromium is not installed or does not come up.
    pub async fn open(url: &str, home: &Path) -> anyhow::Result<Self> {
        let mut running = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", home.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromium must be installed: Debian package chromium")?;
        // It writes here which port it took.
        let said = home.join("DevToolsActivePort");
        let port = until("the browser's own port", DEADLINE, async || {
            if let Some(status) = running.try_wait()? {
                anyhow::bail!("chromium ended with {status}");
            }
            let said = std::fs::read_to_string(&said).unwrap_or_default();
            Ok(said.lines().next().and_then(|line| line.parse().ok()))
        });
        let port: u16 = port.await?;
        Ok(Self {
            _running: running,
            at: format!("127.0.0.1:{port}"),
        })
    }

    /// Returns once the browser stands on a page with this title.
    ///
    /// # Errors
    /// When it does not within the deadline.
    pub async fn stands_on(&self, title: &str) -> anyhow::Result<()> {
        until(title, DEADLINE, async || {
            let tabs = http::call(&self.at, "GET", "/json/list", None).await?;
            let tabs = tabs.json()?;
            let mut tabs = tabs.as_array().into_iter().flatten();
            Ok(tabs.find(|tab| tab["title"] == title).map(|_tab| ()))
        })
        .await
    }
}
