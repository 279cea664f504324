//! The intake folder: a PDF and an order of the same name are a job, and nothing of either is told to a log.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_tests::look::until;
use loket_tests::secrecy::{canaries, files_with};
use loket_tests::world::{Build, DEADLINE, World, fixture, order, order_again};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

/// A file that grows must be seen as growing on a loaded machine too: it does so every few milliseconds here.
const SETTLE_MS: &str = "settle_ms = 1500";

struct Folder(PathBuf);

impl Folder {
    fn of(world: &World) -> Self {
        Self(world.site.path("intake"))
    }

    /// Puts a pair in, the document last: an operator's copy may come in any order.
    fn put(&self, stem: &str, document: &[u8], kind: &str, order: &str) -> anyhow::Result<()> {
        fs::write(self.0.join(format!("{stem}.{kind}")), order)?;
        fs::write(self.0.join(format!("{stem}.pdf")), document)?;
        Ok(())
    }

    fn holds(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

/// The order as TOML; its reprint comes last because it is a table.
fn toml(order: &str) -> anyhow::Result<String> {
    let order: Value = serde_json::from_str(order)?;
    let fields = order.as_object().context("read an order")?;
    let (tables, plain): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| value.is_object());
    let mut text = String::new();
    for (key, value) in plain {
        text.push_str(&format!("{key} = {value}\n"));
    }
    for (key, value) in tables {
        text.push_str(&format!("[{key}]\n"));
        for (key, value) in value.as_object().into_iter().flatten() {
            text.push_str(&format!("{key} = {value}\n"));
        }
    }
    Ok(text)
}

/// The job with this reference, once central has taken it in.
async fn taken(world: &World, reference: &str) -> anyhow::Result<String> {
    until("the pair taken in", DEADLINE, async || {
        let jobs = world.read("/api/v1/jobs").await?;
        let jobs = jobs["jobs"].as_array().cloned().unwrap_or_default();
        let job = jobs.iter().find(|job| job["reference"] == reference);
        Ok(job.and_then(|job| job["job_id"].as_str().map(str::to_owned)))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_with_json_and_toml_orders_are_printed_and_taken_away() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let folder = Folder::of(&world);
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    folder.put("a", SAMPLE_KK, "json", &order(ID, "KK-JSON", "now", None))?;
    let first = taken(&world, "KK-JSON").await?;
    world.wait(&first, &["printed"]).await?;
    let again = toml(&order_again(ID, "KK-TOML", "now", Some(&first)))?;
    folder.put("b", SAMPLE_KK, "toml", &again)?;
    let second = taken(&world, "KK-TOML").await?;
    world.wait(&second, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 2);
    let left = ["a.pdf", "a.json", "b.pdf", "b.toml"];
    until("an empty folder", DEADLINE, async || {
        Ok((!left.iter().any(|name| folder.holds(name))).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_document_is_waited_for() -> anyhow::Result<()> {
    let mut world = World::start(Build::Plain, false).await?;
    let config = world.site.path("central/central.toml");
    let settings = fs::read_to_string(&config)?.replace("settle_ms = 200", SETTLE_MS);
    ensure!(settings.contains(SETTLE_MS), "set how long a file settles");
    fs::write(&config, settings)?;
    world.central.stop().await?;
    world.central = world.site.start_central().await?;
    let folder = Folder::of(&world);
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    // The slow one grows until another pair, put in after it, was dealt with: central had every chance to err.
    let mut slow = File::create(folder.0.join("slow.pdf"))?;
    let mut rest = SAMPLE_KK.chunks(16);
    fs::write(
        folder.0.join("slow.json"),
        order(ID, "KK-SLOW", "now", None),
    )?;
    folder.put("whole", SAMPLE_KK, "json", "{")?;
    until("the other pair rejected", DEADLINE, async || {
        slow.write_all(rest.next().context("the slow document ran out of bytes")?)?;
        Ok(folder.holds("rejected/whole.pdf").then_some(()))
    })
    .await?;
    ensure!(folder.holds("slow.pdf") && folder.holds("slow.json"));
    for part in rest {
        slow.write_all(part)?;
    }
    drop(slow);
    let job = taken(&world, "KK-SLOW").await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_pairs_stand_in_rejected_with_their_reason_and_no_log_names_anyone()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let folder = Folder::of(&world);
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let canaries = canaries()?;
    // Operators name files after people: such a name must not reach a log either.
    let name = canaries
        .iter()
        .find(|canary| canary.contains(' '))
        .context("find a name among the canaries")?;
    let altered = fixture("kk-sample-altered.pdf")?;
    let good = order(ID, "KK-1", "now", None);
    let cases = [
        (
            name.as_str(),
            altered.as_slice(),
            good.clone(),
            "SignatureInvalid",
        ),
        ("b", SAMPLE_KK, "{".to_owned(), "OrderMalformed"),
        (
            "c",
            SAMPLE_KK,
            good.replacen('{', r#"{"copies":2,"#, 1),
            "OrderUnknownKey",
        ),
        ("d", b"no PDF", good.clone(), "Signature"),
    ];
    for (stem, document, order, _code) in &cases {
        folder.put(stem, document, "json", order)?;
    }
    for (stem, _document, _order, code) in &cases {
        let reason = folder.0.join(format!("rejected/{stem}.reason.txt"));
        until("a reason", DEADLINE, async || {
            let files = ["pdf", "json"].map(|kind| format!("rejected/{stem}.{kind}"));
            Ok(files.iter().all(|name| folder.holds(name)).then_some(()))
        })
        .await?;
        let reason = fs::read_to_string(reason)?;
        ensure!(reason.starts_with(code), "{code}: {reason}");
    }
    folder.put(&format!("{name} 2"), SAMPLE_KK, "json", &good)?;
    let job = taken(&world, "KK-1").await?;
    world.wait(&job, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 1, "only the good one");
    let caught = files_with(&world.site.path("logs"), &[], &canaries)?;
    ensure!(caught.is_empty(), "logs that name someone: {caught:?}");
    Ok(())
}

/// How many jobs central knows.
async fn job_count(world: &World) -> anyhow::Result<usize> {
    let jobs = world.read("/api/v1/jobs").await?;
    Ok(jobs["jobs"].as_array().context("read the jobs")?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_dropped_in_again_is_told_the_job_it_has() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let folder = Folder::of(&world);
    let _station = world.station(ID, &[]).await?;
    let order = order(ID, "KK-DUA", "officer", None);
    folder.put("a", SAMPLE_KK, "json", &order)?;
    let job = taken(&world, "KK-DUA").await?;
    until("the pair gone", DEADLINE, async || {
        Ok((!folder.holds("a.pdf") && !folder.holds("a.json")).then_some(()))
    })
    .await?;
    folder.put("a", SAMPLE_KK, "json", &order)?;
    until("the copy rejected", DEADLINE, async || {
        let names = ["rejected/a.pdf", "rejected/a.json"];
        Ok(names.iter().all(|name| folder.holds(name)).then_some(()))
    })
    .await?;
    let reason = fs::read_to_string(folder.0.join("rejected/a.reason.txt"))?;
    ensure!(
        reason.starts_with("AlreadyOrdered: ") && reason.contains(&job),
        "{reason}"
    );
    ensure!(job_count(&world).await? == 1);
    Ok(())
}

/// The same document with the same order under another name, and under another name and reference: neither is a wish
/// for a second sheet.
#[tokio::test(flavor = "multi_thread")]
async fn a_pair_dropped_in_again_under_another_name_is_told_the_job_it_has_and_not_printed_twice()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let folder = Folder::of(&world);
    let station = world.station(ID, &[]).await?;
    let _daemon = world.site.start_machine(&station.machine)?;
    let first = order(ID, "KK-DUA", "now", None);
    folder.put("a", SAMPLE_KK, "json", &first)?;
    let job = taken(&world, "KK-DUA").await?;
    world.wait(&job, &["printed"]).await?;
    folder.put("b", SAMPLE_KK, "toml", &toml(&first)?)?;
    folder.put("c", SAMPLE_KK, "json", &order(ID, "KK-TIGA", "now", None))?;
    for (stem, kind) in [("b", "toml"), ("c", "json")] {
        until("the copy rejected", DEADLINE, async || {
            let names = [
                format!("rejected/{stem}.pdf"),
                format!("rejected/{stem}.{kind}"),
            ];
            Ok(names.iter().all(|name| folder.holds(name)).then_some(()))
        })
        .await?;
        let reason = fs::read_to_string(folder.0.join(format!("rejected/{stem}.reason.txt")))?;
        ensure!(
            reason.starts_with("AlreadyOrdered: ") && reason.contains(&job),
            "{reason}"
        );
    }
    ensure!(job_count(&world).await? == 1);
    // What comes behind them is printed, and nothing of them before it.
    let again = order_again(ID, "KK-EMPAT", "now", Some(&job));
    folder.put("d", SAMPLE_KK, "json", &again)?;
    let again = taken(&world, "KK-EMPAT").await?;
    world.wait(&again, &["printed"]).await?;
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_files_are_removed_orders_nothing_twice() -> anyhow::Result<()> {
    let mut world = World::start(Build::Hooks, false).await?;
    let folder = Folder::of(&world);
    let _station = world.station(ID, &[]).await?;
    world.central.stop().await?;
    let mut site = world.site.clone();
    let central = site.programs.central;
    site.programs.central = central.with_env("LOKET_CENTRAL_STOP_AT", "folder-taken");
    let mut doomed = site.start_central().await?;
    let order = order(ID, "KK-PUTUS", "officer", None);
    folder.put("a", SAMPLE_KK, "json", &order)?;
    let status = tokio::time::timeout(DEADLINE, doomed.wait())
        .await
        .context("reach the stop")??;
    ensure!(!status.success(), "it ended by itself: {status}");
    ensure!(folder.holds("a.pdf") && folder.holds("a.json"));

    // The job ends before central looks into that folder again.
    let config = world.site.path("central/central.toml");
    let settings = fs::read_to_string(&config)?;
    let elsewhere = settings.replace("\"../intake\"", "\"../elsewhere\"");
    ensure!(elsewhere != settings, "set another folder");
    fs::write(&config, elsewhere)?;
    world.central = world.site.start_central().await?;
    let job = taken(&world, "KK-PUTUS").await?;
    let path = format!("/api/v1/jobs/{job}/cancel");
    let token = Some(world.tokens.operator.as_str());
    let answer = http::call(&world.site.api(), "POST", &path, token).await?;
    ensure!(answer.status == 200, "{}", answer.status);
    world.central.stop().await?;
    fs::write(&config, settings)?;
    world.central = world.site.start_central().await?;
    until("the files gone", DEADLINE, async || {
        Ok((!folder.holds("a.pdf") && !folder.holds("a.json")).then_some(()))
    })
    .await?;
    ensure!(job_count(&world).await? == 1, "no order by itself");
    ensure!(!folder.holds("rejected/a.pdf"), "nor a refusal");
    Ok(())
}
