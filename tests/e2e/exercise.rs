//! A printer that rests for a week prints one page by itself, whatever dies when, and never in anybody's way.
//!
//! A week passes in a moment: central is stopped, and speaks again eight days later.

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::site::{Site, text};
use loket_tests::faketime::with_clock;
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World};
use loket_wire::{Timestamp, Zone};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ID: &str = "desa-contoh-1";

/// What a daemon says of a printer whose rest it counts from now on, and of one that it leaves alone for a reason.
const BEGINS: &str = "prints an exercise page after 7 days";
const RESTED: &str = "why=Rested";
const NOT_READY: &str = "why=NotReady";
const LANE_TAKEN: &str = "why=LaneTaken";

/// A world in which a week may pass.
struct Weeks {
    world: World,
    central: loket_demo::child::Program,
    days: u64,
}

impl Weeks {
    async fn start() -> anyhow::Result<Self> {
        let world = World::start(Build::Hooks, false).await?;
        let central = world.site.programs.central.clone();
        Ok(Self {
            world,
            central,
            days: 0,
        })
    }

    async fn station(&self, id: &str) -> anyhow::Result<Station> {
        let all = self.stations(&[id.to_owned()]).await?;
        all.into_iter().next().context("make a station")
    }

    /// Stations whose daemons have seen their printers, side by side: each look takes a moment.
    async fn stations(&self, ids: &[String]) -> anyhow::Result<Vec<Station>> {
        let mut looking = Vec::new();
        for id in ids {
            let station = self.configured(id).await?;
            looking.push((Life::begin(&self.world.site, &station)?, station));
        }
        let mut stations = Vec::new();
        for (mut life, station) in looking {
            life.says(BEGINS).await?;
            life.daemon.stop().await?;
            stations.push(station);
        }
        Ok(stations)
    }

    /// A station whose printer wants exercise, at any hour.
    async fn configured(&self, id: &str) -> anyhow::Result<Station> {
        let station = self.world.station(id, &[]).await?;
        let config = station.machine.config();
        let settings = std::fs::read_to_string(&config)?;
        std::fs::write(&config, format!("{settings}exercise = true\n"))?;
        station.set(
            "log_filter = \"info,loket_daemon::unit::exercise=trace\"\n\
             office_hours = { working_days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"] }\n\
             exercise = { from = \"00:00\", until = \"24:00\" }",
        )?;
        Ok(station)
    }

    /// Central speaks again eight days later.
    async fn pass(&mut self) -> anyhow::Result<()> {
        self.days += 8;
        self.world.central.stop().await?;
        let later = with_clock(self.central.clone(), &format!("+{}d", self.days))?;
        let config = text(&self.world.site.path("central/central.toml"));
        later.run(["accept-clock", "--config", &config]).await?;
        self.world.site.programs.central = later;
        self.world.central = self.world.site.start_central().await?;
        Ok(())
    }

    /// The present day of the office, by central's clock.
    fn today(&self) -> anyhow::Result<String> {
        let passed = Duration::from_secs(self.days * 86_400);
        let since = SystemTime::now().duration_since(UNIX_EPOCH)? + passed;
        let at = Timestamp::from_unix_ms(i64::try_from(since.as_millis())?);
        let local = Zone::Wib.local_text(at);
        let mut parts: Vec<&str> = local.split([' ', '-']).take(3).collect();
        parts.reverse();
        Ok(parts.join("-"))
    }
}

/// A daemon, and what it says from its start on.
struct Life {
    daemon: Running,
    heard: usize,
}

impl Life {
    fn begin(site: &Site, station: &Station) -> anyhow::Result<Self> {
        let log = site
            .path("logs")
            .join(format!("{}.log", station.machine.id));
        let heard = std::fs::read(&log).map_or(0, |lines| lines.len());
        let daemon = site.start_machine(&station.machine)?;
        Ok(Self { daemon, heard })
    }

    fn said(&self) -> anyhow::Result<String> {
        let lines = std::fs::read(self.daemon.log()).context("read a log")?;
        let new = lines.get(self.heard..).context("a log grows")?;
        Ok(String::from_utf8_lossy(new).into_owned())
    }

    async fn says(&self, words: &str) -> anyhow::Result<()> {
        until(words, DEADLINE, async || {
            Ok(self.said()?.contains(words).then_some(()))
        })
        .await
    }
}

/// The pages that central knows of a machine.
async fn pages(world: &World, machine: &str) -> anyhow::Result<Vec<Value>> {
    let listed = world
        .read(&format!("/api/v1/jobs?origin=local&machine={machine}"))
        .await?;
    let jobs = listed["jobs"].as_array().context("a list of jobs")?;
    Ok(jobs.clone())
}

/// Waits until as many pages of a machine are over at central, and nothing else was given there.
async fn until_over(world: &World, machine: &str, count: usize) -> anyhow::Result<Vec<Value>> {
    until("exercise pages that are over", DEADLINE, async || {
        let pages = pages(world, machine).await?;
        let is_over = |page: &Value| page["state"] == "printed" || page["state"] == "failed";
        let all = pages.len() == count && pages.iter().all(is_over);
        Ok(all.then_some(pages))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_at_rest_prints_one_page_a_week_and_it_is_accounted_for_as_what_it_is()
-> anyhow::Result<()> {
    let mut weeks = Weeks::start().await?;
    let station = weeks.station(ID).await?;
    ensure!(
        station.printed().await?.sheets == 0,
        "it has just been seen"
    );
    weeks.pass().await?;
    let mut life = Life::begin(&weeks.world.site, &station)?;
    let pages = until_over(&weeks.world, ID, 1).await?;
    let page = &pages[0];
    ensure!(
        page["state"] == "printed" && page["sheet_count"] == 1,
        "{page}"
    );
    ensure!(page["service"] == "perawatan-printer", "{page}");
    ensure!(station.printed().await?.sheets == 1);
    life.says(RESTED).await?;

    // Not again, not after a crash either.
    life.daemon.kill().await?;
    let mut life = Life::begin(&weeks.world.site, &station)?;
    life.says(RESTED).await?;
    ensure!(station.printed().await?.sheets == 1);

    // For nobody: no document, and none by hand.
    let day = weeks.today()?;
    let path = format!("/api/v1/reports/day?machine={ID}&day={day}");
    let central = weeks.world.read(&path).await?;
    let config = text(&station.machine.config());
    let words = ["report", "--day", &day, "--json", "--config", &config];
    let said = weeks.world.site.programs.loketd.run(words).await?;
    let own: Value = serde_json::from_str(&said)?;
    for account in [&central["day"], &own["day"]] {
        let totals = &account["totals"];
        ensure!(totals["exercise"]["good_sheets"] == 1, "{account}");
        ensure!(totals["controlled"]["documents"] == 0, "{account}");
        ensure!(totals["own"]["documents"] == 0, "{account}");
        ensure!(totals["by_hand"] == 0, "{account}");
        ensure!(
            account["jobs"][0]["ordered"]["from"] == "machine",
            "{account}"
        );
    }

    // The next week has a page of its own.
    life.daemon.stop().await?;
    weeks.pass().await?;
    let life = Life::begin(&weeks.world.site, &station)?;
    until_over(&weeks.world, ID, 2).await?;
    life.says(RESTED).await?;
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}

/// Before it is drawn, before and after the journal knows it, and on its way through the printer.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_of_an_exercise_page_one_comes_out_and_never_two() -> anyhow::Result<()>
{
    const STOPS: [&str; 9] = [
        "exercise-due",
        "exercise-spooled",
        "before-commit:1",
        "after-commit:1",
        "after-create",
        "before-send",
        "after-send",
        "sighted",
        "after-shred",
    ];
    let mut weeks = Weeks::start().await?;
    let ids: Vec<String> = (0..STOPS.len())
        .map(|no| format!("desa-{no}-henti"))
        .collect();
    let stations = weeks.stations(&ids).await?;
    weeks.pass().await?;
    let mut doomed = Vec::new();
    for (stop, station) in STOPS.into_iter().zip(stations) {
        let site = weeks.world.doomed_at(stop)?;
        doomed.push((stop, Life::begin(&site, &station)?, station));
    }
    let mut lives = Vec::new();
    for (stop, mut life, station) in doomed {
        let ended = tokio::time::timeout(DEADLINE, life.daemon.wait()).await;
        let ended = ended.with_context(|| format!("killed at {stop}"))??;
        ensure!(ended.code().is_none(), "{stop}: {ended}");
        lives.push((stop, Life::begin(&weeks.world.site, &station)?, station));
    }
    for ((stop, mut life, station), id) in lives.into_iter().zip(ids) {
        let pages = until_over(&weeks.world, &id, 1).await?;
        ensure!(pages[0]["state"] == "printed", "{stop}: {}", pages[0]);
        life.says(RESTED).await?;
        life.daemon.stop().await?;
        let printed = station.printed().await?;
        ensure!(printed.sheets == 1, "{stop}: {printed:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_goes_to_a_printer_without_paper_or_with_a_job_and_the_job_ends_the_rest()
-> anyhow::Result<()> {
    let mut weeks = Weeks::start().await?;
    let station = weeks.station(ID).await?;
    weeks.pass().await?;
    station.turn("/control", r#"{"paper": 0}"#).await?;
    let life = Life::begin(&weeks.world.site, &station)?;
    life.says(NOT_READY).await?;
    let job = weeks.world.order(ID, "KK-1", "now").await?;
    weeks.world.wait(&job, &["printing"]).await?;
    life.says(LANE_TAKEN).await?;
    station.turn("/control", r#"{"paper": 9}"#).await?;
    weeks.world.wait(&job, &["printed"]).await?;
    life.says(RESTED).await?;
    ensure!(station.printed().await?.sheets == 1, "the document alone");
    ensure!(pages(&weeks.world, ID).await?.is_empty());
    ensure!(!life.said()?.contains("has rested"), "{}", life.said()?);
    Ok(())
}
