//! The ports of a site.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Ports of a site, drawn once and kept: the machines' bundles name them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ports {
    /// MQTT over TLS.
    pub broker: u16,
    /// Central's API and console.
    pub api: u16,
    /// Central's listener for machines.
    pub documents: u16,
    /// The pages of the machine that shows some; 0 where a site of an earlier version drew none.
    #[serde(default)]
    pub pages: u16,
}

/// One more free port, for a site that has none for pages.
pub(super) fn draw_port() -> anyhow::Result<u16> {
    let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).context("draw a port")?;
    Ok(socket.local_addr().context("draw a port")?.port())
}

/// Four free ports of loopback, held together so that they differ.
pub(super) fn draw_ports() -> anyhow::Result<Ports> {
    let draw = || std::net::TcpListener::bind(("127.0.0.1", 0)).context("draw a port");
    let held = [draw()?, draw()?, draw()?, draw()?];
    let mut ports = held
        .iter()
        .map(|socket| socket.local_addr().map(|at| at.port()));
    let mut next = || ports.next().context("draw a port")?.context("draw a port");
    Ok(Ports {
        broker: next()?,
        api: next()?,
        documents: next()?,
        pages: next()?,
    })
}
