//! No NIK, KK number or name stands anywhere in clear outside memory and the printed sheet; and the search for them
//! can fail: the same run with sealing off is caught.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::text;
use loket_tests::secrecy::{canaries, files_with, found_in};
use loket_tests::world::{Build, World, fixture};

/// What a run leaves: everything a reader of all topics got, and every file of the site.
struct Found {
    /// Canaries in the capture of `loket/#`.
    captured: usize,
    /// Files of machine and central with a canary, while the job is held.
    files_held: Vec<PathBuf>,
    /// The same after it was printed.
    files_after: Vec<PathBuf>,
}

/// One order, held and then printed, with a reader of all topics.
async fn run(build: Build, unsealed: bool) -> anyhow::Result<Found> {
    let canaries = canaries()?;
    let mut world = World::start(build, unsealed).await?;
    let spy = spy(&mut world).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order("desa-contoh-1", "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    // The folder of trust holds the test authority's own (fictitious) names, which are no personal data here.
    let outside = ["trust/"];
    let files_held = files_with(world.dir(), &outside, &canaries)?;
    let config = text(&station.machine.config());
    let release = ["job", "release", &job, "--by", "wati", "--config", &config];
    world.site.programs.loketd.run(release).await?;
    world.wait(&job, &["printed"]).await?;
    daemon.stop().await?;
    world.central.stop().await?;
    let files_after = files_with(world.dir(), &outside, &canaries)?;
    let capture = std::fs::read(spy.log())?;
    ensure!(
        capture.windows(4).any(|part| part == b"/cmd"),
        "the reader of all topics got no command"
    );
    ensure!(
        capture.windows(4).any(|part| part == b"/evt"),
        "the reader of all topics got no report"
    );
    Ok(Found {
        captured: found_in(&capture, &canaries).len(),
        files_held,
        files_after,
    })
}

/// A reader of `loket/#`: a machine's certificate with the reading right of central added to the generated rules.
async fn spy(world: &mut World) -> anyhow::Result<Running> {
    let machine = world
        .site
        .machine("spy-1", "ipp://127.0.0.1:9/ipp/print")
        .await?;
    let acl = std::fs::read_dir(world.site.path("broker"))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains("acl"))
        })
        .context("find the access rules")?;
    let rules = std::fs::read_to_string(&acl)?;
    std::fs::write(&acl, format!("{rules}\nuser spy-1\ntopic read loket/#\n"))?;
    world.wipe_broker().await?;
    let install: serde_json::Value = serde_json::from_slice(&std::fs::read(
        machine.home.join("state/identity/install.json"),
    )?)?;
    let certificate = machine.home.join("spy.crt");
    std::fs::write(
        &certificate,
        install["certificate_pem"]
            .as_str()
            .context("read the certificate")?,
    )?;
    let port = world.site.ports.broker.to_string();
    let words = [
        "-V",
        "mqttv5",
        "-h",
        "localhost",
        "-p",
        &port,
        "-q",
        "1",
        "-t",
        "loket/#",
        "-F",
        "%t\n%p",
        "-d",
        "--cafile",
        &text(&world.site.path("authority/authority.crt")),
        "--cert",
        &text(&certificate),
        "--key",
        &text(&machine.home.join("state/identity/tls.key.pem")),
    ];
    let command = Program::at(std::path::Path::new("/usr/bin/mosquitto_sub")).command(words);
    let running = Running::start("spy", command, &world.site.path("logs"))?;
    let subscribed = async {
        while !std::fs::read_to_string(running.log())?.contains("SUBACK") {
            tokio::task::yield_now().await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(loket_tests::world::DEADLINE, subscribed)
        .await
        .context("subscribe to all topics")??;
    Ok(running)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_stands_on_wire_or_disk() -> anyhow::Result<()> {
    let found = run(Build::Plain, false).await?;
    ensure!(
        found.captured == 0,
        "{} canaries on the wire",
        found.captured
    );
    ensure!(
        found.files_held.is_empty(),
        "while held: {:?}",
        found.files_held
    );
    ensure!(
        found.files_after.is_empty(),
        "after printing: {:?}",
        found.files_after
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_run_with_sealing_off_is_caught() -> anyhow::Result<()> {
    let sample = fixture("kk-sample-bb.pdf")?;
    ensure!(
        !found_in(&sample, &canaries()?).is_empty(),
        "the sample itself must hold canaries in clear"
    );
    let found = run(Build::Hooks, true).await?;
    ensure!(
        found.captured > 0,
        "the capture did not catch an unsealed order"
    );
    let names: Vec<String> = found
        .files_held
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    ensure!(
        names.iter().any(|name| name.contains("/spool/")),
        "the spool was not caught: {names:?}"
    );
    ensure!(
        names.iter().any(|name| name.contains("central/")),
        "central was not caught: {names:?}"
    );
    Ok(())
}
