//! Records of printed sheets and the processes that make them and read doubted sheets: killed, starved, greedy, given
//! another key; and the officers' page for all of it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::{Machine, text};
use loket_tests::look::until;
use loket_tests::pages::{Door, Page};
use loket_tests::secrecy::{canaries, files_with};
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir, fixture, order, order_again};
use serde_json::Value;
use tokio::process::Command;

use crate::paper::{forged, key_heard, kinds, record_kept, scan_of};

const ID: &str = "desa-contoh-1";

/// A card with its fonts inside: what differs there decides.
const CARD: &str = "kk-embedded-bb.pdf";

/// Half a gigabyte of picture in 2 kB.
const GREEDY: &str = "kk-greedy-bb.pdf";

fn says(page: &Page, words: &[&str]) -> anyhow::Result<()> {
    for word in words {
        ensure!(
            page.body.contains(word),
            "'{word}' is not in: {}",
            page.body
        );
    }
    Ok(())
}

/// The addresses of a page's pictures.
fn pictures(page: &Page) -> Vec<String> {
    let parts = page.body.split("<img src=\"").skip(1);
    let address = |part: &str| part.split('"').next().unwrap_or_default().to_owned();
    parts.map(address).collect()
}

fn files(dir: &Path) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(dir)?.count())
}

/// Waits until nothing of a printed document is left on a machine.
async fn destroyed(station: &Station) -> anyhow::Result<()> {
    let spool = station.machine.home.join("state/spool");
    until("the document destroyed", DEADLINE, async || {
        Ok((files(&spool)? == 0).then_some(()))
    })
    .await
}

/// A world with a station that is to show officers' pages.
async fn showing_pages() -> anyhow::Result<(World, Station)> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let config = station.machine.config();
    let settings = std::fs::read_to_string(&config)?;
    let pages = "\n[pages]\nlisten = \"127.0.0.1:0\"\nshow = [\"station\"]\n";
    std::fs::write(&config, settings + pages)?;
    Ok((world, station))
}

/// The same, started and with the audit key heard.
async fn with_pages() -> anyhow::Result<(World, Station, Running, Door)> {
    let (world, station) = showing_pages().await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let client = Door::of(&mut daemon).await?;
    key_heard(&station).await?;
    Ok((world, station, daemon, client))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_where_a_doubted_sheet_differs_from_what_was_printed() -> anyhow::Result<()>
{
    let (mut world, station, mut daemon, pages) = with_pages().await?;
    let document = fixture(CARD)?;
    let job = world
        .order_as(&document, &order(ID, "KK-1", "now", None))
        .await?;
    world.wait(&job, &["printed"]).await?;
    record_kept(&world, &job).await?;
    let scan = |document: &[u8], name: &str| -> anyhow::Result<Vec<u8>> {
        let file = scan_of(document, world.dir().join(name))?;
        let bytes = std::fs::read(&file)?;
        // What officers scan lies outside of what is searched for names.
        std::fs::remove_file(file)?;
        Ok(bytes)
    };
    let (same, changed) = (
        scan(&document, "a.png")?,
        scan(&forged(&document)?, "b.png")?,
    );

    let page = pages.doubt(&same, "").await?;
    says(&page, &["<h1>SAMA</h1>", &job, ID, "<dd>siti</dd>"])?;
    ensure!(pictures(&page).is_empty() && page.header("cache-control") == "no-store");
    let page = pages.doubt(&changed, &job).await?;
    says(
        &page,
        &["<h1>BERBEDA</h1>", "ada yang diubah", "Saat dicetak"],
    )?;
    let shown = pictures(&page);
    ensure!(shown.len() >= 3, "a sheet and a pair: {shown:?}");
    for picture in &shown {
        let once = pages.get(picture).await?;
        ensure!(once.status == 200 && once.header("content-type").starts_with("image/"));
        ensure!(pages.get(picture).await?.status == 410, "given once");
    }

    // Two pages, no picture, a sheet that was never printed here.
    let two = fixture("originals/pyhanko-bb-table.pdf")?;
    for (scan, job, status, code) in [
        (two.as_slice(), "", 422, "K-305"),
        (b"no picture", "", 415, "K-303"),
        // The document itself is no sheet of paper.
        (&document, "", 415, "K-303"),
        (&same, "01890000-0000-7000-8000-000000000000", 404, "K-307"),
        (&same, "salah", 400, "K-302"),
    ] {
        let page = pages.doubt(scan, job).await?;
        ensure!(page.status == status, "{code}: {}", page.head);
        says(&page, &[code])?;
    }
    let shown = kinds(&world, &job).await?;
    ensure!(shown.iter().filter(|kind| *kind == "record-shown").count() == 2);

    world.central.stop().await?;
    let page = pages.doubt(&same, &job).await?;
    ensure!(page.status == 503, "{}", page.head);
    says(&page, &["K-309"])?;
    daemon.stop().await?;
    let left = files_with(&station.machine.home, &[], &canaries()?)?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

/// Starts a machine whose record makers wait for `hold` to go.
fn start_held(world: &World, machine: &Machine, hold: &Path) -> anyhow::Result<Running> {
    let mut site = world.site.clone();
    let door = format!("recording:{}", text(hold));
    site.programs.loketd = site.programs.loketd.with_env("LOKET_HOLD_AT", &door);
    site.start_machine(machine)
}

/// The process of a sheet that a daemon has started.
async fn child_of(daemon: &Running) -> anyhow::Result<String> {
    let parent = daemon.pid().context("a process")?.to_string();
    until("a process for a sheet", DEADLINE, async || {
        let found = Command::new("pgrep").args(["-P", &parent]).output().await?;
        let found = String::from_utf8(found.stdout)?;
        Ok(found.lines().next().map(str::to_owned))
    })
    .await
}

async fn kill(pid: &str) -> anyhow::Result<()> {
    let killed = Command::new("kill").args(["-KILL", pid]).status().await?;
    ensure!(killed.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_whose_maker_is_killed_is_missed_and_the_document_is_destroyed()
-> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let station = world.station(ID, &[]).await?;
    let hold = tempfile::NamedTempFile::new()?;
    let mut daemon = start_held(&world, &station.machine, hold.path())?;
    key_heard(&station).await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    kill(&child_of(&daemon).await?).await?;
    hold.close()?;
    destroyed(&station).await?;
    let log = std::fs::read_to_string(daemon.log())?;
    ensure!(log.contains("no record of the printed sheet"), "{log}");
    ensure!(files(&station.machine.home.join("state/records"))? == 0);
    // The next one has a record: nothing is left of the first.
    let again = order_again(ID, "KK-2", "now", Some(&job));
    let next = world.order_as(loket_demo::once::SAMPLE_KK, &again).await?;
    world.wait(&next, &["printed"]).await?;
    record_kept(&world, &next).await?;
    ensure!(
        !kinds(&world, &job)
            .await?
            .iter()
            .any(|kind| kind == "record-kept")
    );
    daemon.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_a_record_is_made_makes_it_at_its_next_start()
-> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let station = world.station(ID, &[]).await?;
    let hold = tempfile::NamedTempFile::new()?;
    let mut daemon = start_held(&world, &station.machine, hold.path())?;
    key_heard(&station).await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let child = child_of(&daemon).await?;
    daemon.kill().await?;
    until("the child ends with its daemon", DEADLINE, async || {
        Ok((!Path::new("/proc").join(&child).exists()).then_some(()))
    })
    .await?;
    let spool = station.machine.home.join("state/spool");
    ensure!(
        files(&spool)? > 0,
        "the document is there until its record was made"
    );
    hold.close()?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    record_kept(&world, &job).await?;
    destroyed(&station).await?;
    ensure!(station.printed().await?.sheets == 1);
    daemon.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_breaks_whatever_draws_it_is_printed_without_a_record_and_costs_the_daemon_nothing()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    key_heard(&station).await?;
    let greedy = fixture(GREEDY)?;
    let job = world
        .order_as(&greedy, &order(ID, "KK-1", "now", None))
        .await?;
    world.wait(&job, &["printed"]).await?;
    destroyed(&station).await?;
    let log = std::fs::read_to_string(daemon.log())?;
    ensure!(log.contains("no record of the printed sheet"), "{log}");
    let status = std::fs::read_to_string(format!(
        "/proc/{}/status",
        daemon.pid().context("the daemon still runs")?
    ))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let peak_kb: u64 = peak.context("read the peak of memory")?.trim().parse()?;
    ensure!(peak_kb < 128 * 1024, "the daemon grew to {peak_kb} kB");
    // The next sheet is as any other.
    let next = world
        .order_as(&fixture(CARD)?, &order(ID, "KK-2", "now", None))
        .await?;
    world.wait(&next, &["printed"]).await?;
    record_kept(&world, &next).await?;
    daemon.stop().await?;
    Ok(())
}

async fn records(loketd: &Program, station: &Station, words: &[&str]) -> anyhow::Result<Value> {
    let config = text(&station.machine.config());
    let line = [&["records", "--json", "--config", &config][..], words].concat();
    Ok(serde_json::from_str(&loketd.run(line).await?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_central_cannot_open_is_kept_until_its_key_is_back_or_somebody_says_so()
-> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    key_heard(&station).await?;
    // Central comes back with another key, which the machine has not heard of.
    let key = world.site.path("central/state/audit.key");
    let old = std::fs::read(&key)?;
    world.central.stop().await?;
    std::fs::remove_file(&key)?;
    world.central = world.site.start_central().await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    let loketd = world.site.programs.loketd.clone();
    let refused = async |count: u64| {
        until("records that central cannot open", DEADLINE, async || {
            let counted = records(&loketd, &station, &[]).await?;
            let wanted = serde_json::json!({ "waiting": 0, "refused": count });
            Ok((counted == wanted).then_some(()))
        })
        .await
    };
    refused(1).await?;
    let troubled = |machine: &Value| machine["troubles"].to_string().contains("records-refused");
    world
        .machine_with("the trouble at central", ID, troubled)
        .await?;

    // The old key is back: the machine asks again at its next start.
    daemon.stop().await?;
    let new = std::fs::read(&key)?;
    world.central.stop().await?;
    std::fs::write(&key, &old)?;
    world.central = world.site.start_central().await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    record_kept(&world, &job).await?;
    refused(0).await?;
    world
        .machine_with("no trouble at central", ID, |machine| !troubled(machine))
        .await?;

    // Once more, and the old key is gone for good.
    world.central.stop().await?;
    std::fs::write(&key, &new)?;
    world.central = world.site.start_central().await?;
    let again = order_again(ID, "KK-2", "now", Some(&job));
    let next = world.order_as(loket_demo::once::SAMPLE_KK, &again).await?;
    world.wait(&next, &["printed"]).await?;
    refused(1).await?;
    let counted = records(&loketd, &station, &["--forget", "--by", "siti"]).await?;
    ensure!(counted["refused"] == 0, "{counted}");
    ensure!(files(&station.machine.home.join("state/records-refused"))? == 0);
    daemon.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_its_inspector_prints_judges_nothing_for_visitors_and_says_so()
-> anyhow::Result<()> {
    let (mut world, station) = showing_pages().await?;
    let whole = world.site.programs.loketd.clone();
    // A package that was taken apart: the daemon alone.
    let alone = world.dir().join("alone");
    std::fs::create_dir(&alone)?;
    let program = alone.join("loketd");
    std::fs::copy(bin_dir(Build::Plain)?.join("loketd"), &program)?;
    world.site.programs.loketd = Program::at(&program);
    let mut daemon = world.site.start_machine(&station.machine)?;
    let door = Door::of(&mut daemon).await?;
    let page = door.check("station", "kk.pdf", &fixture(CARD)?).await?;
    ensure!(page.status == 503, "{}", page.head);
    says(&page, &["K-203", "petugas TI"])?;
    let troubled = |machine: &Value| {
        machine["troubles"]
            .to_string()
            .contains("inspector-missing")
    };
    world
        .machine_with("the trouble at central", ID, troubled)
        .await?;
    let document = fixture(CARD)?;
    let job = world
        .order_as(&document, &order(ID, "KK-1", "now", None))
        .await?;
    world.wait(&job, &["printed"]).await?;
    daemon.stop().await?;

    world.site.programs.loketd = whole;
    let mut daemon = world.site.start_machine(&station.machine)?;
    world
        .machine_with("the trouble gone", ID, |machine| !troubled(machine))
        .await?;
    daemon.stop().await?;
    Ok(())
}
