//! The trust bundle: whom a machine believes changes at central, and nobody touches the machine.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::site::{Site, text};
use loket_tests::look::until;
use loket_tests::pages::Door;
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir, fixture};
use tokio::process::Command;

use crate::by_hand::print;
use crate::revocation::{replace, revoking_list};

const ID: &str = "desa-contoh-1";

/// A station that takes its lists from central alone: its own folder has the authorities and no list.
async fn station(world: &World) -> anyhow::Result<Station> {
    let station = world.station(ID, &[]).await?;
    let own = station.machine.home.join("trust");
    let common = world.site.path("trust");
    std::fs::create_dir(&own)?;
    for name in ["root.pem", "issuing.pem"] {
        std::fs::copy(common.join(name), own.join(name))?;
    }
    let settings = std::fs::read_to_string(station.machine.config())?;
    let moved = settings.replace(&format!("{common:?}"), &format!("{:?}", text(&own)));
    ensure!(moved != settings, "set another folder: {settings}");
    let moved = format!(
        "{moved}\n[trust]\nsource = \"bundle\"\n[pages]\nlisten = \"127.0.0.1:0\"\n\
         show = [\"kiosk\", \"station\"]\n"
    );
    std::fs::write(station.machine.config(), moved)?;
    Ok(station)
}

/// Waits until the machine judges by central's newest bundle, and that is a later one than `before`; gives its serial.
async fn newest_held(world: &World, before: u64) -> anyhow::Result<u64> {
    until("the newest bundle at the machine", DEADLINE, async || {
        let known = world.read("/api/v1/machines").await?;
        let newest = known["trust"]["serial"].as_u64().unwrap_or(0);
        let machines = known["machines"].as_array().context("read the machines")?;
        let machine = machines.iter().find(|machine| machine["machine"] == ID);
        let held = machine.and_then(|machine| machine["heartbeat"]["trust_serial"].as_u64());
        Ok((held == Some(newest) && newest > before).then_some(newest))
    })
    .await
}

/// Prints the sample by hand; gives what became of it.
async fn by_hand(station: &Station) -> anyhow::Result<String> {
    let ended = print(station, "kk-sample-bb.pdf", &station.uri).await?;
    let state = ended.said["state"].as_str().unwrap_or_default();
    ensure!(
        (ended.code == Some(0)) == (state == "printed"),
        "{:?} {}",
        ended.code,
        ended.said
    );
    Ok(state.to_owned())
}

async fn logged(daemon: &Running, words: &str) -> anyhow::Result<()> {
    until(words, DEADLINE, async || {
        let log = std::fs::read_to_string(daemon.log())?;
        Ok(log.contains(words).then_some(()))
    })
    .await
}

/// The same site, whose machine hangs before a bundle replaces the one before, as long as the file is there.
fn holding(world: &World) -> anyhow::Result<Site> {
    let file = world.dir().join("hold");
    std::fs::write(&file, "")?;
    let mut site = world.site.clone();
    let at = format!("trust-replace:{}", file.display());
    site.programs.loketd = site.programs.loketd.with_env("LOKET_HOLD_AT", &at);
    Ok(site)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_revoked_at_central_prints_at_no_machine_whoever_was_away_or_died_meanwhile()
-> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let station = station(&world).await?;
    let common = world.site.path("trust");
    let good = std::fs::read(common.join("issuing.crl"))?;
    let revoking = revoking_list()?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let first = newest_held(&world, 0).await?;
    ensure!(by_hand(&station).await? == "printed", "control");
    let pages = Door::of(&mut daemon).await?;
    page_says(&pages, &["<h1>ASLI</h1>"]).await?;

    // Put into central's folder, the list reaches the machine that runs.
    replace(&common, "issuing.crl", &revoking)?;
    let second = newest_held(&world, first).await?;
    ensure!(by_hand(&station).await? == "rejected");
    // What its pages answered rode with the heartbeat that told the bundle; they judge by it as orders do.
    let known = world.read("/api/v1/machines").await?;
    let judged = &known["machines"][0]["heartbeat"]["judged"];
    ensure!(
        *judged == serde_json::json!({ "kiosk": { "valid": 1 } }),
        "{known}"
    );
    page_says(&pages, &["BELUM DAPAT DIPASTIKAN", "sudah dicabut"]).await?;

    // One that is away gets the newest when it is back, also where that is the third since.
    daemon.stop().await?;
    replace(&common, "issuing.crl", &good)?;
    until("the next bundle", DEADLINE, async || {
        let known = world.read("/api/v1/machines").await?;
        Ok((known["trust"]["serial"].as_u64() > Some(second)).then_some(()))
    })
    .await?;
    let site = holding(&world)?;
    let mut daemon = site.start_machine(&station.machine)?;

    // Killed between the new bundle on disk and its name, it judges by the one before, and takes the new one then.
    logged(&daemon, "held at trust-replace").await?;
    ensure!(
        station
            .machine
            .home
            .join("state/trust.bundle.part")
            .exists()
    );
    daemon.kill().await?;
    ensure!(by_hand(&station).await? == "rejected", "the one before");
    let mut daemon = world.site.start_machine(&station.machine)?;
    let third = newest_held(&world, second).await?;
    ensure!(by_hand(&station).await? == "printed");
    ensure!(station.printed().await?.sheets == 2);

    // A start without central finds what was last good.
    daemon.kill().await?;
    let history = world.read("/api/v1/history").await?;
    let rows = history["rows"].as_array().context("read the history")?;
    let made = rows.iter().filter(|row| row["kind"] == "trust-bundle-made");
    ensure!(made.count() == 3 && third > second, "{third}");
    ensure!(by_hand(&station).await? == "printed");
    let refused = rows.iter().find(|row| row["kind"] == "command-set-aside");
    ensure!(refused.is_none(), "{refused:?}");
    Ok(())
}

/// What the page of residents says of the sample.
async fn page_says(pages: &Door, words: &[&str]) -> anyhow::Result<()> {
    let sample = fixture("kk-sample-bb.pdf")?;
    let page = pages.check("kiosk", "kk.pdf", &sample).await?;
    for word in words {
        ensure!(page.body.contains(word), "'{word}' is not in {}", page.body);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_official_host_needs_no_new_program() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = station(&world).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let first = newest_held(&world, 0).await?;
    let pages = Door::of(&mut daemon).await?;
    let sample = fixture("kk-sample-bb.pdf")?;
    let page = pages.check("station", "kk.pdf", &sample).await?;
    ensure!(!page.body.contains("Q-171"), "control: {}", page.body);
    let hosts = "version = 1\nvalid_from = \"2026-02-03T00:00:00+07:00\"\n\
                 [[official]]\nhost = \"kk.contoh.invalid\"\n";
    replace(&world.site.path("trust"), "qr-hosts.toml", hosts.as_bytes())?;
    newest_held(&world, first).await?;
    let page = pages.check("station", "kk.pdf", &sample).await?;
    for word in ["Q-171", "daftar alamat resmi 3 Februari 2026"] {
        ensure!(page.body.contains(word), "'{word}' is not in {}", page.body);
    }
    let output = Command::new(bin_dir(Build::Plain)?.join("loketd"))
        .args(["devices", "--json", "--config"])
        .arg(station.machine.config())
        .output()
        .await?;
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let trust = &seen["trust"];
    ensure!(
        trust["in_use"] == true && trust["hosts_valid_from"] == "2026-02-02T17:00:00Z",
        "{seen}"
    );
    daemon.stop().await?;
    Ok(())
}
