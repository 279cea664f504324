//! A station's day: the station and central account for it alike, as JSON, as a table and on paper.

use anyhow::{Context as _, ensure};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::text;
use loket_tests::secrecy::{canaries, found_in};
use loket_tests::world::{Build, Station, World, order_again};
use loket_wire::{Timestamp, Zone};
use serde_json::Value;
use tokio::process::Command;

use crate::by_hand::{command, daemon};

const ID: &str = "desa-contoh-1";

/// The present day of the demo's offices, which lie in WIB.
fn today() -> anyhow::Result<String> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let at = Timestamp::from_unix_ms(i64::try_from(since.as_millis())?);
    let local = Zone::Wib.local_text(at);
    let date = local.split(' ').next().context("a date")?;
    let mut parts: Vec<&str> = date.split('-').collect();
    parts.reverse();
    Ok(parts.join("-"))
}

async fn answer(world: &World, station: &Station, job: &str, found: &str) -> anyhow::Result<()> {
    let config = text(&station.machine.config());
    let words = [
        "job", "answer", job, found, "--by", "wati", "--config", &config,
    ];
    world.site.programs.loketd.run(words).await.map(drop)
}

/// One document each: spoiled, printed again with a reason, asked about and not come out, printed by hand, and refused.
async fn a_day_of_everything(world: &World, station: &Station) -> anyhow::Result<Vec<String>> {
    let order =
        |reference: &str, previous: Option<&str>| order_again(ID, reference, "now", previous);
    let spoiled = world.order_as(SAMPLE_KK, &order("KK-1", None)).await?;
    world.wait(&spoiled, &["unknown"]).await?;
    answer(world, station, &spoiled, "damaged").await?;
    world.wait(&spoiled, &["failed"]).await?;

    let asked = order("KK-3", Some(&spoiled));
    let asked = world.order_as(SAMPLE_KK, &asked).await?;
    world.wait(&asked, &["unknown"]).await?;
    station
        .turn("/control", r#"{"impressions": "honest"}"#)
        .await?;
    answer(world, station, &asked, "did-not").await?;
    world.wait(&asked, &["printed"]).await?;

    let again = order("KK-2", Some(&asked));
    let again = world.order_as(SAMPLE_KK, &again).await?;
    world.wait(&again, &["printed"]).await?;

    let by_hand = command(station, "kk-sample-bb.pdf", &station.uri)?
        .args(["--by", "siti"])
        .output()
        .await?;
    let said: Value = serde_json::from_slice(&by_hand.stdout).context("read what was said")?;
    let by_hand = said["job_id"].as_str().context("name the job")?.to_owned();
    world.wait(&by_hand, &["printed"]).await?;
    Ok(vec![spoiled, asked, again, by_hand])
}

async fn from_central(world: &World, day: &str, form: &str) -> anyhow::Result<Vec<u8>> {
    let path = format!("/api/v1/reports/day?machine={ID}&day={day}&form={form}");
    let answer = http::call(&world.site.api(), "GET", &path, Some(&world.tokens.auditor)).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.body.to_vec())
}

struct Files {
    json: Value,
    csv: Vec<u8>,
    data: Vec<u8>,
    pdf: Vec<u8>,
}

async fn from_station(world: &World, station: &Station, day: &str) -> anyhow::Result<Files> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let config = text(&station.machine.config());
    let (csv, data, pdf) = (file("day.csv"), file("day-data.csv"), file("day.pdf"));
    let (csv, data, pdf) = (text(&csv), text(&data), text(&pdf));
    let words = [
        "report", "--day", day, "--json", "--csv", &csv, "--data", &data, "--pdf", &pdf, "--by",
        "wati", "--config", &config,
    ];
    let said = world.site.programs.loketd.run(words).await?;
    Ok(Files {
        json: serde_json::from_str(&said)?,
        csv: std::fs::read(csv)?,
        data: std::fs::read(data)?,
        pdf: std::fs::read(pdf)?,
    })
}

/// What an independent reader finds.
async fn read_by(program: &str, pdf: &[u8], words: &[&str]) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("day.pdf");
    std::fs::write(&file, pdf)?;
    let output = Command::new(program).arg(&file).args(words).output().await;
    let output = output.with_context(|| format!("run {program}: Debian package poppler-utils"))?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Words of the form that are the same wherever it is made: not by whom, when and of what.
fn same_words(text: &str) -> Vec<&str> {
    let told = |line: &&str| {
        let made = [
            "Dibuat",
            "dibuat",
            "Sumber",
            "catatan",
            "(pusat)",
            "wati",
            "Kecamatan",
            ID,
        ];
        !line.is_empty() && !made.iter().any(|word| line.contains(word))
    };
    text.lines().map(str::trim).filter(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_station_and_central_account_for_a_day_alike_and_name_no_resident() -> anyhow::Result<()>
{
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &["--impressions", "one-more"]).await?;
    let (mut running, _socket) = daemon(&world, &station).await?;
    let day = today()?;
    let jobs = a_day_of_everything(&world, &station).await?;
    let here = from_station(&world, &station, &day).await?;
    let there: Value = serde_json::from_slice(&from_central(&world, &day, "json").await?)?;
    ensure!(here.json["day"] == there["day"], "{} {there}", here.json);
    check_account(&here.json["day"], &jobs)?;
    ensure!(
        from_central(&world, &day, "csv").await? == here.csv,
        "two tables"
    );
    ensure!(
        from_central(&world, &day, "data").await? == here.data,
        "two tables"
    );
    let pdf = from_central(&world, &day, "pdf").await?;
    let texts = [
        read_by("pdftotext", &here.pdf, &["-layout", "-"]).await?,
        read_by("pdftotext", &pdf, &["-layout", "-"]).await?,
    ];
    ensure!(same_words(&texts[0]) == same_words(&texts[1]), "{texts:?}");
    ensure!(texts[0].contains("uji cetak"), "{texts:?}");
    let info = read_by("pdfinfo", &here.pdf, &[]).await?;
    ensure!(
        info.contains("A4") && info.contains("Encrypted:       no"),
        "{info}"
    );
    let canaries = canaries()?;
    for bytes in [&here.csv, &here.data, &here.pdf, &pdf] {
        ensure!(found_in(bytes, &canaries)?.is_empty());
    }
    for text in &texts {
        ensure!(found_in(text.as_bytes(), &canaries)?.is_empty());
    }
    ensure!(found_in(here.json.to_string().as_bytes(), &canaries)?.is_empty());
    ensure!(
        !found_in(canaries[0].as_bytes(), &canaries)?.is_empty(),
        "the control"
    );
    // Without its daemon and without central the station still accounts for its day.
    running.stop().await?;
    let alone = from_station(&world, &station, &day).await?;
    ensure!(alone.json["day"] == here.json["day"], "{}", alone.json);
    Ok(())
}

/// One spoiled sheet, one that did not come out, one by hand, two copies, two questions.
fn check_account(account: &Value, jobs: &[String]) -> anyhow::Result<()> {
    let totals = &account["totals"];
    ensure!(
        totals["settled"] == 4 && totals["carried_out"] == 0,
        "{totals}"
    );
    ensure!(totals["controlled"]["good_sheets"] == 3, "{totals}");
    ensure!(totals["controlled"]["spoiled_sheets"] == 1, "{totals}");
    ensure!(
        totals["reprints"] == 2 && totals["by_hand"] == 1,
        "{totals}"
    );
    ensure!(
        totals["questions_asked"] == 2 && totals["questions_answered"] == 2,
        "{totals}"
    );
    let first = &account["reprints"][0];
    ensure!(
        first["because"] == "uji cetak berikutnya"
            && first["replaces"] == jobs[0].as_str()
            && first["earlier"] == "spoiled"
            && first["earlier_by"] == "officer:wati",
        "{first}"
    );
    ensure!(
        account["spoiled"][0]["asked_because"] == "impressions-disagree",
        "{account}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_for_auditors_and_the_it_team_and_for_known_machines() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let api = world.site.api();
    let ask = async |query: &str, token: &str| {
        let path = format!("/api/v1/reports/day?{query}");
        http::call(&api, "GET", &path, Some(token)).await
    };
    let _station = world.station(ID, &[]).await?;
    let good = format!("machine={ID}&day=2026-11-27");
    let refused = ask(&good, &world.tokens.operator).await?;
    ensure!(refused.status == 403, "{refused:?}");
    for (query, status) in [
        ("machine=desa-lain-9&day=2026-11-27".to_owned(), 422),
        (format!("machine={ID}&day=2026-02-30"), 400),
        (format!("machine={ID}"), 400),
        (format!("{good}&form=xlsx"), 400),
        (format!("{good}&canary=1"), 400),
    ] {
        let answer = ask(&query, &world.tokens.it).await?;
        ensure!(answer.status == status, "{query}: {answer:?}");
    }
    Ok(())
}
