//! The daemon with a printer that shares no code with us: Debian's ippeveprinter.

use anyhow::{Context as _, ensure};
use loket_tests::look::until;
use loket_tests::peer_printer::PeerPrinter;
use loket_tests::world::{Build, DEADLINE, World};

const ID: &str = "desa-contoh-1";

/// Prints at once: keeps the document, and says that one side came out.
const PRINTS: &str = r#"#!/bin/sh
cp "$1" "$OUT/printed" && echo "ATTR: job-impressions-completed=1" >&2
"#;

/// Says that two sides came out, of a document of one page.
const COUNTS_TWO: &str = r#"#!/bin/sh
cp "$1" "$OUT/printed" && echo "ATTR: job-impressions-completed=2" >&2
"#;

/// Begins to print and is at it for as long as the printer lives.
const NEVER_ENDS: &str = r#"#!/bin/sh
touch "$OUT/started"
while kill -0 $PPID 2>/dev/null; do sleep 0.1; done
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_printed_by_a_printer_of_another_maker() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let peer = PeerPrinter::start(&world.site, PRINTS).await?;
    let machine = world.site.machine(ID, &peer.uri()).await?;
    let _daemon = world.site.start_machine(&machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &["printed", "failed", "unknown"]).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    let printed = std::fs::read(peer.out("printed")).context("read what was printed")?;
    ensure!(printed == loket_demo::once::SAMPLE_KK);
    world
        .machine_with("the printer at central", ID, |machine| {
            machine["devices"][0]["state"] == "idle"
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_sides_that_does_not_fit_leaves_the_question_to_an_officer() -> anyhow::Result<()>
{
    let world = World::start(Build::Plain, false).await?;
    let peer = PeerPrinter::start(&world.site, COUNTS_TWO).await?;
    let machine = world.site.machine(ID, &peer.uri()).await?;
    let _daemon = world.site.start_machine(&machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let seen = world.wait(&job, &["printed", "failed", "unknown"]).await?;
    ensure!(
        seen["state"] == "unknown" && seen["reason"] == "impressions-disagree",
        "{seen}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_died_with_the_document_leaves_the_question_to_an_officer()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let mut peer = PeerPrinter::start(&world.site, NEVER_ENDS).await?;
    let machine = world.site.machine(ID, &peer.uri()).await?;
    let _daemon = world.site.start_machine(&machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    until("the print command", DEADLINE, async || {
        Ok(peer.out("started").exists().then_some(()))
    })
    .await?;
    peer.kill_and_start(&world.site).await?;
    let seen = world.wait(&job, &["printed", "failed", "unknown"]).await?;
    ensure!(seen["state"] == "unknown", "{seen}");
    Ok(())
}
