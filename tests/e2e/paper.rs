//! A printed sheet is held against what central keeps of it: the same sheet, one with a digit changed, one without a
//! record.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::site::text;
use loket_paper::raster::{self, Gray};
use loket_sim::paper::{PRINT_DPI, SCAN_DPI, Sheet, Way, scanned};
use loket_tests::curl::Curl;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir, fixture};
use serde_json::Value;
use tokio::process::Command;

const ID: &str = "desa-contoh-1";
const SAMPLE: &str = "kk-sample-bb.pdf";

struct Ended {
    code: Option<i32>,
    said: Value,
    told: String,
}

async fn doubt(station: &Station, scan: &Path, words: &[&str]) -> anyhow::Result<Ended> {
    let output = Command::new(bin_dir(Build::Plain)?.join("loketd"))
        .args(["verify", "--paper", &text(scan), "--by", "siti", "--json"])
        .arg("--config")
        .arg(station.machine.config())
        .args(words)
        .kill_on_drop(true)
        .output()
        .await?;
    Ok(Ended {
        code: output.status.code(),
        said: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        told: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The page of a document, printed and scanned as in an office.
pub(crate) fn scan_of(document: &[u8], file: PathBuf) -> anyhow::Result<PathBuf> {
    let page = raster::render(document, 0, PRINT_DPI)?;
    let sheet = Sheet {
        width: usize::try_from(page.width)?,
        height: usize::try_from(page.height)?,
        pixels: page.pixels.clone(),
    };
    let scan = scanned(&sheet, &Way::ordinary(2_002), 2_002);
    let scan = Gray {
        width: u32::try_from(scan.width)?,
        height: u32::try_from(scan.height)?,
        pixels: scan.pixels,
        dpi: Some(SCAN_DPI),
    };
    std::fs::write(&file, raster::png(&scan)?)?;
    Ok(file)
}

/// The document with one digit of what it shows changed; its content stands in clear, so that tests can do this.
pub(crate) fn forged(document: &[u8]) -> anyhow::Result<Vec<u8>> {
    let content = document.windows(6).position(|it| it == b"stream");
    let content = content.context("find the page's content")?;
    let numbers = document.get(content..).context("cut")?;
    let number = b"(No. 9971";
    let at = numbers.windows(number.len()).position(|it| it == number);
    let at = at.context("find the number of the card")? + b"(No. ".len();
    let mut forged = document.to_vec();
    let digit = forged.get_mut(content + at + 9).context("find a digit")?;
    *digit = if *digit == b'8' { b'3' } else { b'8' };
    Ok(forged)
}

/// Kinds of the lines that a job's history has.
pub(crate) async fn kinds(world: &World, job: &str) -> anyhow::Result<Vec<String>> {
    let token = Some(world.tokens.operator.as_str());
    let path = format!("/api/v1/jobs/{job}/history");
    let answer = http::call(&world.site.api(), "GET", &path, token).await?;
    let history = answer.json()?;
    let rows = history["rows"].as_array().context("read the rows")?;
    let kind = |row: &Value| row["kind"].as_str().unwrap_or_default().to_owned();
    Ok(rows.iter().map(kind).collect())
}

/// The same two scans at central: by its API, by the job and by the code on the sheet, and by its page.
async fn at_central(
    world: &World,
    job: &str,
    (same, changed): (&Path, &Path),
) -> anyhow::Result<()> {
    let base = format!("http://{}", world.site.api());
    let authority = world.site.path("authority/authority.crt");
    let curl = Curl::new(&base, &authority, &world.site.path("curl-paper"))?;
    let ask = async |path: &str, token: &str, scan: &Path, more: &[&str]| {
        let token = format!("Authorization: Bearer {token}");
        let scan = format!("scan=@{}", text(scan));
        let mut words = vec!["-H", &token, "-F", &scan, "-F", "reason=surat 12"];
        words.extend(more);
        curl.ask(path, &words).await
    };
    let (door, tokens) = ("/api/v1/records/compare", &world.tokens);
    let named = format!("job_id={job}");
    for more in [[].as_slice(), &["-F", &named]] {
        let heard = ask(door, &tokens.operator, same, more).await?;
        let said = heard.json()?;
        ensure!(
            heard.status == 200 && said["verdict"] == "same" && said["job_id"] == job,
            "{more:?}: {said}"
        );
        let heard = ask(door, &tokens.operator, changed, more).await?;
        let said = heard.json()?;
        let regions = said["regions"].as_array().map_or(0, Vec::len);
        ensure!(
            said["verdict"] == "cannot_tell" && said["code"] == "R-404" && regions > 0,
            "{more:?}: {said}"
        );
    }
    let page = ask(
        "/paper",
        &tokens.operator,
        same,
        &["-H", "Accept: text/html"],
    )
    .await?;
    ensure!(
        page.status == 200 && page.text().contains("<h1>SAMA</h1>"),
        "{}",
        page.status
    );
    for refused in [&tokens.it, &tokens.auditor] {
        let heard = ask(door, refused, same, &["-F", &named]).await?;
        ensure!(heard.status == 403 && heard.json()?["code"] == "NotAllowed");
    }
    Ok(())
}

/// Waits until a station can seal records.
pub(crate) async fn key_heard(station: &Station) -> anyhow::Result<()> {
    until("the audit key heard", DEADLINE, async || {
        let key = station.machine.home.join("state/audit-key.json");
        Ok(key.exists().then_some(()))
    })
    .await
}

/// Waits until central has the record of a job.
pub(crate) async fn record_kept(world: &World, job: &str) -> anyhow::Result<()> {
    until("the record at central", DEADLINE, async || {
        let kinds = kinds(world, job).await?;
        Ok(kinds.iter().any(|kind| kind == "record-kept").then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubted_sheet_is_held_against_the_record_that_its_printing_left() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    key_heard(&station).await?;
    let job = world.order(ID, "KK-1", "now").await?;
    world.wait(&job, &["printed"]).await?;
    record_kept(&world, &job).await?;
    until("no record at the machine", DEADLINE, async || {
        let left = std::fs::read_dir(station.machine.home.join("state/records"))?;
        Ok((left.count() == 0).then_some(()))
    })
    .await?;

    let document = fixture(SAMPLE)?;
    let same = scan_of(&document, world.site.path("same.png"))?;
    let changed = scan_of(&forged(&document)?, world.site.path("changed.png"))?;
    for words in [[].as_slice(), &["--job", &job]] {
        let ended = doubt(&station, &same, words).await?;
        ensure!(
            ended.code == Some(0) && ended.said["verdict"] == "same",
            "{words:?}: {:?} {} {}",
            ended.code,
            ended.said,
            ended.told
        );
        ensure!(ended.said["job_id"] == job.as_str());
        // The sample brings no fonts along: another printer draws other letters, so a difference decides nothing.
        let ended = doubt(&station, &changed, words).await?;
        let regions = ended.said["regions"].as_array().map_or(0, Vec::len);
        ensure!(
            ended.code == Some(2) && ended.said["code"] == "R-404" && regions > 0,
            "{words:?}: {:?} {} {}",
            ended.code,
            ended.said,
            ended.told
        );
    }
    at_central(&world, &job, (&same, &changed)).await?;
    let kinds = kinds(&world, &job).await?;
    ensure!(kinds.iter().filter(|kind| *kind == "record-shown").count() == 4 + 5);

    // A sheet that no record is kept of, and what is no scan.
    let none = ["--job", "01890000-0000-7000-8000-000000000000"];
    let ended = doubt(&station, &same, &none).await?;
    ensure!(
        ended.code == Some(2) && ended.told.contains("C-111"),
        "{}",
        ended.told
    );
    let garbage = world.site.path("garbage.png");
    std::fs::write(&garbage, b"no picture")?;
    let ended = doubt(&station, &garbage, &["--job", &job]).await?;
    ensure!(
        ended.code == Some(1) && ended.told.contains("R-1"),
        "{}",
        ended.told
    );
    daemon.stop().await?;
    Ok(())
}
