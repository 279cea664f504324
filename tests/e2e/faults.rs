//! Printer away, disk full, time run out, the same thing twice: a clear answer each, and nothing lost.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_tests::central::moment_in;
use loket_tests::look::{Numbers, until};
use loket_tests::small_disk::SmallDisk;
use loket_tests::world::{Build, DEADLINE, World, order};

const ID: &str = "desa-contoh-1";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_a_printer_that_is_away_and_is_printed_once_when_it_comes()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let mut station = world.station(ID, &[]).await?;
    station.printer.kill().await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    world
        .machine_with("a printer that is away", ID, |machine| {
            machine["devices"][0]["state"] == "unreachable"
        })
        .await?;
    world.wait(&job, &["printing"]).await?;
    let at = station.printer_at()?.to_owned();
    let back = ["--listen", &at];
    (station.printer, _) = world.site.start_printer("printer-back", &back).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    world
        .machine_with("the printer is back", ID, |machine| {
            machine["devices"][0]["state"] == "idle"
        })
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_the_spool_has_no_room_for_is_rejected_and_central_knows()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    station.set("spool_quota_bytes = 8192")?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "now").await?;
    let ends = ["rejected", "printed", "failed", "unknown"];
    let seen = world.wait(&job, &ends).await?;
    ensure!(
        seen["state"] == "rejected" && seen["reason"] == "spool-full",
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_meets_a_full_disk_is_printed_once_there_is_room() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    station.set("heartbeat_s = 1")?;
    let small = SmallMachine::start(&world, &station.machine, &world.site.programs.loketd).await?;
    small.disk.fill()?;
    let job = world.order(ID, "KK-1", "now").await?;
    // Which of its files finds no room first is chance; that the order is not taken is not.
    until("the order met the full disk", DEADLINE, async || {
        let log = std::fs::read_to_string(small.daemon.log())?;
        let met = [
            "the order stays with the broker",
            "what the broker brought stays with it",
        ];
        Ok(met.iter().any(|words| log.contains(words)).then_some(()))
    })
    .await?;
    let seen = world
        .machine_with("the full disk at central", ID, |machine| {
            machine["heartbeat"]["disk_free_bytes"] == 0
        })
        .await?;
    let troubles = seen["heartbeat"]["troubles"].as_array();
    ensure!(
        troubles.is_some_and(|all| all.iter().any(|it| it == "disk-full"))
            && seen["connectivity"] == "online",
        "{seen}"
    );
    let seen = world.site.job(&world.tokens.auditor, &job).await?;
    ensure!(
        seen["state"] == "offered" && seen["reason"].is_null(),
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 0);
    small.disk.empty()?;
    let seen = world.wait(&job, &["printed", "rejected"]).await?;
    ensure!(
        seen["state"] == "printed" && seen["sheet_count"] == 1,
        "{seen}"
    );
    ensure!(station.printed().await?.sheets == 1);
    let numbers = Numbers::read(&world.site, &world.tokens.auditor).await?;
    for count in [
        "loket_reports_lost_total",
        "loket_reports_quarantined_total",
        "loket_jobs{state=\"unknown\"}",
    ] {
        ensure!(numbers.of(count) == 0, "{count} is {}", numbers.of(count));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_order_whose_disk_fills_up_is_printed_once_there_is_room() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let small = SmallMachine::start(&world, &station.machine, &world.site.programs.loketd).await?;
    let job = world.order(ID, "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    small.disk.fill()?;
    let config = text(&station.machine.config());
    let release = ["job", "release", &job, "--by", "wati", "--config", &config];
    let loketd = &world.site.programs.loketd;
    // What cannot be journalled is not done, and the officer is told so.
    ensure!(
        loketd.run(release).await.is_err(),
        "released on a full disk"
    );
    ensure!(station.printed().await?.sheets == 0);
    small.disk.empty()?;
    loketd.run(release).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// Central destroys its copy of what a machine rejects, so want of room must not reject it.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_whose_disk_fills_up_before_it_comes_is_printed_once_there_is_room()
-> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let station = world.station(ID, &[]).await?;
    let file = world.dir().join("hold");
    std::fs::write(&file, "")?;
    let at = format!("fetch:{}", file.display());
    let loketd = world.site.programs.loketd.clone();
    let loketd = loketd.with_env("LOKET_HOLD_AT", &at);
    let mut small = SmallMachine::start(&world, &station.machine, &loketd).await?;
    let job = world.order(ID, "KK-1", "now").await?;
    small.says("held at fetch").await?;
    small.disk.fill()?;
    std::fs::remove_file(&file)?;
    small.says("waits for room in the spool").await?;
    world
        .machine_with("a full disk, and what the link cost", ID, |machine| {
            let heartbeat = &machine["heartbeat"];
            // Two certificates alone are more.
            let is_counted = |name: &str| heartbeat[name].as_u64() > Some(1_000);
            heartbeat["disk_free_bytes"] == 0
                && is_counted("link_sent_bytes")
                && is_counted("link_received_bytes")
        })
        .await?;
    ensure!(station.printed().await?.sheets == 0);
    small.disk.empty()?;
    let seen = world.wait(&job, &["printed", "rejected"]).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// The room that the daemon held for this is given back: the machine is linked and works on.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_starts_on_a_full_disk_is_not_dark() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let loketd = world.site.programs.loketd.clone();
    let mut small = SmallMachine::start(&world, &station.machine, &loketd).await?;
    let job = world.order(ID, "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    ensure!(small.daemon.stop().await?.code() == Some(0));
    ensure!(small.holds_a_reserve());
    small.disk.fill()?;
    small.start_again(&loketd)?;
    small.says("the disk is full (J-101)").await?;
    small.says("linked to central's broker").await?;
    ensure!(!small.holds_a_reserve());
    let config = text(&station.machine.config());
    let release = ["job", "release", &job, "--by", "wati", "--config", &config];
    loketd.run(release).await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);

    ensure!(small.daemon.stop().await?.code() == Some(0));
    small.disk.fill()?;
    small.start_again(&loketd)?;
    let ended = small.daemon.wait().await?;
    ensure!(
        ended.code() == Some(73),
        "without a reserve it ends with {ended}"
    );
    let log = std::fs::read_to_string(small.daemon.log())?;
    ensure!(log.contains("the disk is full (J-101)"), "{log}");

    small.disk.empty()?;
    small.start_again(&loketd)?;
    small.says("linked to central's broker").await?;
    ensure!(small.holds_a_reserve(), "made again where there is room");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_expires_while_its_machine_is_off_is_never_printed() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let first = world.order(ID, "KK-1", "now").await?;
    world.wait(&first, &["printed"]).await?;
    // Killed, not stopped: its session at the broker stays, so that the broker may hold the order for it.
    daemon.kill().await?;
    let soon = moment_in("3 seconds").await?;
    let late = reprint(&order(ID, "KK-2", "now", Some(&soon)), &first);
    let late = world.order_as(SAMPLE_KK, &late).await?;
    let seen = world.wait(&late, &["expired"]).await?;
    ensure!(seen["reason"] == "not-after", "{seen}");
    let _daemon = world.site.start_machine(&station.machine)?;
    // What the machine is told later comes after anything that was kept for it.
    let next = reprint(&order(ID, "KK-3", "now", None), &first);
    let next = world.order_as(SAMPLE_KK, &next).await?;
    world.wait(&next, &["printed"]).await?;
    ensure!(world.wait(&late, &["expired"]).await?["state"] == "expired");
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_is_the_same_job() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let (at, token) = (world.site.api(), &world.tokens.operator);
    let first = order(ID, "KK-1", "now", None);
    let post = async |order: &str| {
        http::post_document(&at, token, SAMPLE_KK, order, Some("kunci-1")).await
    };
    let job = post(&first).await?.json()?["job_id"].clone();
    let job = job.as_str().context("read job_id")?;
    ensure!(post(&first).await?.json()?["job_id"] == job);
    world.wait(job, &["printed"]).await?;
    ensure!(
        post(&first).await?.json()?["job_id"] == job,
        "after its end too"
    );
    let other = post(&order(ID, "KK-2", "now", None)).await?;
    let said: serde_json::Value = serde_json::from_slice(&other.body)?;
    ensure!(
        other.status == 422 && said["code"] == "IdempotencyMismatch",
        "{said}"
    );
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

fn reprint(order: &str, of: &str) -> String {
    let mut order: serde_json::Value = serde_json::from_str(order).unwrap_or_default();
    order["reprint_of"] = serde_json::json!({ "job": of, "reason": "uji cetak berikutnya" });
    order.to_string()
}

/// What was taken stays, what is not taken is told, and what machines say meanwhile waits with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_central_whose_disk_is_full_refuses_by_code_and_loses_nothing() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    world.central.stop().await?;
    let logs = world.site.path("logs");
    let home = world.site.path("central");
    let disk = SmallDisk::mount(&home, "documents", SMALL_MIB, &logs).await?;
    let mut site = world.site.clone();
    let settings = world.site.path("central/central.toml");
    let usual = std::fs::read_to_string(&settings)?;
    // The usual reserve is larger than the whole of this disk.
    std::fs::write(
        &settings,
        format!("{usual}\n[store]\ndisk_reserve_mib = 1\n"),
    )?;
    site.programs.central = disk.inside(&world.site.programs.central)?;
    world.central = site.start_central().await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let held = world.order(ID, "KK-1", "officer").await?;
    world.wait(&held, &["held"]).await?;

    disk.fill()?;
    let again = reprint(&order(ID, "KK-2", "now", None), &held);
    let (at, token) = (world.site.api(), &world.tokens.operator);
    let refused = http::post_document(&at, token, SAMPLE_KK, &again, None).await?;
    let said: serde_json::Value = serde_json::from_slice(&refused.body)?;
    ensure!(
        refused.status == 507 && said["code"] == "StorageFull",
        "{} {said}",
        refused.status
    );
    // The machine goes on: its officer needs no central.
    let config = text(&station.machine.config());
    let release = ["job", "release", &held, "--by", "wati", "--config", &config];
    world.site.programs.loketd.run(release).await?;
    until("the sheet", DEADLINE, async || {
        Ok((station.printed().await?.sheets == 1).then_some(()))
    })
    .await?;

    disk.empty()?;
    let seen = world.wait(&held, &["printed", "unknown", "failed"]).await?;
    ensure!(seen["state"] == "printed", "{seen}");
    let taken = http::post_document(&at, token, SAMPLE_KK, &again, None).await?;
    let taken = taken.json()?["job_id"].clone();
    world
        .wait(taken.as_str().context("read job_id")?, &["printed"])
        .await?;
    ensure!(station.printed().await?.sheets == 2);
    ensure!(world.read("/api/v1/history/verdict").await?["verdict"] == "intact");
    let numbers = Numbers::read(&world.site, &world.tokens.auditor).await?;
    ensure!(numbers.of("loket_reports_lost_total") == 0);
    Ok(())
}

/// Disks in these tests.
const SMALL_MIB: u32 = 2;

/// A daemon whose state lies on a small disk.
struct SmallMachine {
    daemon: Running,
    machine: Machine,
    disk: SmallDisk,
    logs: PathBuf,
}

impl SmallMachine {
    async fn start(world: &World, machine: &Machine, loketd: &Program) -> anyhow::Result<Self> {
        let logs = world.site.path("logs");
        let disk = SmallDisk::mount(&machine.home, "identity", SMALL_MIB, &logs).await?;
        let daemon = Self::daemon(&disk, machine, loketd, &logs)?;
        let mut small = Self {
            daemon,
            machine: machine.clone(),
            disk,
            logs,
        };
        small.says("linked to central's broker").await?;
        Ok(small)
    }

    fn daemon(
        disk: &SmallDisk,
        machine: &Machine,
        loketd: &Program,
        logs: &Path,
    ) -> anyhow::Result<Running> {
        let config = text(&machine.config());
        let command = disk.inside(loketd)?.command(["run", "--config", &config]);
        // A log of its own for each start, so that no line of an earlier one is taken for its word.
        let number = std::fs::read_dir(logs)?.count();
        Running::start(&format!("{}-{number}", machine.id), command, logs)
    }

    /// Starts the daemon again, after it ended.
    fn start_again(&mut self, loketd: &Program) -> anyhow::Result<()> {
        self.daemon = Self::daemon(&self.disk, &self.machine, loketd, &self.logs)?;
        Ok(())
    }

    /// Waits for words in the daemon's log.
    async fn says(&mut self, words: &str) -> anyhow::Result<()> {
        until(words, DEADLINE, async || {
            self.daemon.check()?;
            let log = std::fs::read_to_string(self.daemon.log())?;
            Ok(log.contains(words).then_some(()))
        })
        .await
    }

    fn holds_a_reserve(&self) -> bool {
        self.disk.has("reserve")
    }
}
