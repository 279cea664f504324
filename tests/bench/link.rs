//! What an idle machine costs on a metered link in a day, weighed by its two kinds of heartbeats.

use std::time::Duration;

use anyhow::{Context as _, bail};
use loket_tests::world::{Build, World};

use crate::idle::{MACHINE, SETTLE, let_pass, wait_online};
use crate::process::{self, Traffic};
use crate::section::{Row, Section};

/// One heartbeat falls into a span of this length.
const HEARTBEAT: Duration = Duration::from_secs(900);

/// Of a day's 96 heartbeats so many are whole and answered, one in two hours; the others are the short form
/// (`daemon/src/unit/heartbeat.rs`).
const WHOLE_A_DAY: u64 = 12;
const SHORT_A_DAY: u64 = 84;

const DAY_TARGET_BYTES: u64 = 50_000;

/// Looks for `quarters` quarters of an hour. The first ones after a start have whole heartbeats, until one says what the
/// one before said; the last has a short one.
pub(crate) async fn run(quarters: u32) -> anyhow::Result<Section> {
    let mut section = Section::default();
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(MACHINE, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    wait_online(&world).await?;
    let_pass(&mut daemon, SETTLE).await?;
    let (pid, port) = (
        daemon.pid().context("find loketd")?,
        world.site.ports.broker,
    );
    let mut spans = Vec::new();
    let mut before = process::traffic(pid, port).await?;
    for _quarter in 0..quarters {
        let_pass(&mut daemon, HEARTBEAT).await?;
        let after = process::traffic(pid, port).await?;
        spans.push(between(&before, &after));
        before = after;
    }
    daemon.stop().await?;
    let (Some(whole), Some(short)) = (spans.first(), spans.last()) else {
        bail!("look at the link: no time to look");
    };
    if short >= whole {
        bail!("see a short heartbeat: the quarters took {spans:?} bytes");
    }
    let a_day = WHOLE_A_DAY * whole + SHORT_A_DAY * short;
    let row = Row::new("bytes a day on the link, idle", format!("{a_day}"));
    section.row(row.target("≤ 50 kB", a_day <= DAY_TARGET_BYTES));
    section.row(Row::new(
        "a quarter of an hour with a whole heartbeat and its answer",
        format!("{whole} bytes"),
    ));
    section.row(Row::new(
        "a quarter of an hour with a short heartbeat",
        format!("{short} bytes"),
    ));
    section.note(format!(
        "Both directions, counted by the kernel at the TLS socket to mosquitto, pings included; the quarters took \
         {spans:?}. A day has {WHOLE_A_DAY} of the one kind and {SHORT_A_DAY} of the other. Bytes do not depend on what \
         else the machine does. No peer: cupsd has no link."
    ));
    Ok(section)
}

fn between(before: &Traffic, after: &Traffic) -> u64 {
    let sent = after.sent_bytes.saturating_sub(before.sent_bytes);
    sent.saturating_add(after.received_bytes.saturating_sub(before.received_bytes))
}
