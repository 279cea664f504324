//! The ports of a site.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::Context as _;
use ring::rand::{SecureRandom as _, SystemRandom};
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

/// Where ports are drawn: below those that Linux gives to connections (`ip_local_port_range`, from 32768 on), one of which
/// could have a port of ours while its program is being started again.
const DRAWN: Range<u16> = 20_000..32_768;

/// Ports that are tried; a computer on which as many in a row are taken has none to spare.
const MAX_TRIES: u16 = 1_000;

/// One free port of loopback, which stays free while its program is not running unless somebody asks for just that one.
///
/// # Errors
/// When none is found.
pub fn draw_port() -> anyhow::Result<u16> {
    Ok(held()?.1)
}

/// Four of them, held together so that they differ.
pub(super) fn draw_ports() -> anyhow::Result<Ports> {
    let held = [held()?, held()?, held()?, held()?];
    let [broker, api, documents, pages] = held.each_ref().map(|(_socket, port)| *port);
    Ok(Ports {
        broker,
        api,
        documents,
        pages,
    })
}

fn held() -> anyhow::Result<(TcpListener, u16)> {
    let mut drawn = [0; 2];
    let random = SystemRandom::new();
    random.fill(&mut drawn).ok().context("draw a port")?;
    let width = DRAWN.end - DRAWN.start;
    let first = u16::from_be_bytes(drawn) % width;
    let ports = (0..MAX_TRIES).map(|at| DRAWN.start + (first + at) % width);
    let mut free = ports.filter_map(|port| {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((socket, port))
    });
    free.next().context("draw a port: none is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_differ_and_are_no_connections() {
        let Ports {
            broker,
            api,
            documents,
            pages,
        } = draw_ports().unwrap();
        let mut ports = vec![broker, api, documents, pages];
        assert!(ports.iter().all(|port| DRAWN.contains(port)), "{ports:?}");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 4);
        // What is taken is passed by.
        let (_socket, port) = held().unwrap();
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err());
    }
}
