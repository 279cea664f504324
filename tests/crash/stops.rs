//! SIGKILL of loketd at every numbered stop of the print walk, and at every commit of its journal.
//!
//! Kills of one test run, each at a known place: one at every stop; one before and one after every commit of a job, for
//! three kinds of job; and jobs carried through by a daemon that dies early in every life. How many that is, with those at
//! random moments in `soak.rs`, is counted (`tally.rs`); the test run wants two hundred.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use anyhow::{Context as _, bail, ensure};
use loket_demo::child::Running;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Site, text};
use loket_tests::look::until;
use loket_tests::secrecy::{canaries, files_with};
use loket_tests::tally::Crashes;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};

/// A job makes some ten commits, and a start one or two: a daemon that is killed at a later one than this does not
/// come forward.
const MAX_COMMITS: u32 = 40;

/// From its arrival to its document's end a job that meets nothing unusual makes so many commits of the desk.
const COMMITS_OF_A_JOB: u32 = 9;

/// Lives that one job may cost a daemon that dies in every one of them.
const MAX_LIVES: u32 = 60;

/// Kills of a test in which every life ends.
const KILLS_OF_SHORT_LIVES: u64 = 40;

/// Every stop in turn: the daemon dies there, comes back, and the document has come out once.
///
/// With an honest printer no kill of the daemon may leave a question to an officer.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_stop_each_document_comes_out_once() -> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let listed = world.site.programs.loketd.run(["stops"]).await?;
    // A page of the machine's own has stops that no order passes (tests/e2e/exercise.rs).
    let is_passed = |stop: &&str| !stop.starts_with("exercise-");
    let stops: Vec<&str> = listed.lines().filter(is_passed).collect();
    ensure!(
        stops.len() > 15,
        "the list of stops is too short: {stops:?}"
    );
    let mut previous = None;
    for (number, stop) in stops.into_iter().enumerate() {
        // A machine of its own for each stop, so that one case cannot hide another.
        let mut bench = Bench::new(&world, &format!("desa-{number}-henti"), &[]).await?;
        bench.last_job = previous;
        let is_killed = bench.print("now", stop).await;
        ensure!(is_killed.with_context(|| format!("killed at {stop}"))?);
        previous = bench.last_job;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_commit_of_a_job_that_prints_at_once_it_comes_out_once()
-> anyhow::Result<()> {
    killed_at_every_commit("now", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_commit_of_a_job_that_an_officer_releases_it_comes_out_once()
-> anyhow::Result<()> {
    killed_at_every_commit("officer", &[]).await
}

/// A printer that takes no new job while another has not ended, and needs a while for a sheet: the job that a dead
/// daemon left there is in the way of its own successor.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_commit_before_a_busy_printer_it_comes_out_once() -> anyhow::Result<()> {
    killed_at_every_commit("now", &["--busy", "--delay-ms", "100"]).await
}

/// Before the first commit, after it, before the second, and so on, until the daemon survives the number.
async fn killed_at_every_commit(release: &str, printer: &[&str]) -> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let mut bench = Bench::new(&world, "desa-contoh-1", printer).await?;
    for side in ["before-commit", "after-commit"] {
        let mut number = 1;
        loop {
            let stop = format!("{side}:{number}");
            let is_killed = bench.print(release, &stop).await;
            if !is_killed.with_context(|| format!("killed at {stop}"))? {
                break;
            }
            number += 1;
            ensure!(number < MAX_COMMITS, "{side} is passed without end");
        }
        ensure!(
            number > COMMITS_OF_A_JOB,
            "only {number} commits were met {side}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_after_four_commits_of_every_life_prints_each_document_once()
-> anyhow::Result<()> {
    short_lives("after-commit:4").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_before_the_third_commit_of_every_life_prints_each_document_once()
-> anyhow::Result<()> {
    short_lives("before-commit:3").await
}

/// The shortest lives with which a job comes forward by every order of events: `print/tests/lives.rs` of the domain says
/// why it is these. Reports of no event, as of the printer's state at each start, have stops of their own.
async fn short_lives(stop: &str) -> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let mut bench = Bench::new(&world, "desa-contoh-1", &[]).await?;
    while bench.tally.kills() < KILLS_OF_SHORT_LIVES {
        let job = bench.order("now").await?;
        let mut life_count = 0;
        while bench.live(&job, Some(stop)).await? {
            life_count += 1;
            ensure!(life_count < MAX_LIVES, "{job} does not come forward");
        }
        bench
            .check(&job)
            .await
            .with_context(|| format!("{stop}, {life_count} lives"))?;
    }
    Ok(())
}

/// One machine and what it has printed so far.
struct Bench<'a> {
    world: &'a World,
    station: Station,
    last_job: Option<String>,
    order_count: u64,
    canaries: Vec<String>,
    tally: Crashes,
}

impl<'a> Bench<'a> {
    async fn new(world: &'a World, id: &str, printer: &[&str]) -> anyhow::Result<Self> {
        Ok(Self {
            world,
            station: world.station(id, printer).await?,
            last_job: None,
            order_count: 0,
            canaries: canaries()?,
            tally: Crashes::default(),
        })
    }

    /// Prints a document with a daemon that is to die at `stop`; true when it did. What is right afterwards is right
    /// either way.
    async fn print(&mut self, release: &str, stop: &str) -> anyhow::Result<bool> {
        let job = self.order(release).await?;
        let is_killed = self.live(&job, Some(stop)).await?;
        if is_killed {
            ensure!(!self.live(&job, None).await?, "killed without a stop");
        }
        self.check(&job).await?;
        Ok(is_killed)
    }

    async fn order(&mut self, release: &str) -> anyhow::Result<String> {
        self.order_count += 1;
        let reference = format!("KK-{}", self.order_count);
        let id = &self.station.machine.id;
        let order = order_again(id, &reference, release, self.last_job.as_deref());
        let job = self.world.order_as(SAMPLE_KK, &order).await?;
        self.last_job = Some(job.clone());
        Ok(job)
    }

    /// One life of the daemon: up to its kill, which gives true, or until the job is over and it stops in order.
    async fn live(&self, job: &str, stop: Option<&str>) -> anyhow::Result<bool> {
        let mut site = self.world.site.clone();
        if let Some(stop) = stop {
            site.programs.loketd = site.programs.loketd.with_env("LOKET_STOP_AT", stop);
        }
        let log = site
            .path("logs")
            .join(format!("{}.log", self.station.machine.id));
        let heard = std::fs::read(&log).map_or(0, |lines| lines.len());
        let mut daemon = site.start_machine(&self.station.machine)?;
        let over = async {
            // Asked to stop before it listens, it would end by the signal itself.
            until("a daemon that is ready", DEADLINE, async || {
                let lines = std::fs::read_to_string(&log)?;
                let is_ready = lines
                    .get(heard..)
                    .is_some_and(|new| new.contains(" ready "));
                Ok(is_ready.then_some(()))
            })
            .await?;
            self.carry(&site, job).await
        };
        let ended = tokio::select! {
            ended = daemon.wait() => ended?,
            over = over => {
                over?;
                // What it still has to journal, it journals now, or dies of it.
                daemon.stop().await?
            }
        };
        let is_killed = is_killed(ended, &daemon)?;
        if is_killed {
            self.tally.kill();
        }
        Ok(is_killed)
    }

    /// Does what people do for a job, until it is over and its document gone from this machine.
    async fn carry(&self, site: &Site, job: &str) -> anyhow::Result<()> {
        let ends = [
            "held", "printed", "failed", "rejected", "expired", "unknown",
        ];
        let mut seen = self.world.wait(job, &ends).await?;
        if seen["state"] == "held" {
            let config = text(&self.station.machine.config());
            let release = ["job", "release", job, "--by", "wati", "--config", &config];
            // A daemon that dies of it, or has it on disk already and not told central, is asked again by the next.
            until("the release", DEADLINE, async || {
                let state = site.job(&self.world.tokens.auditor, job).await?;
                let asked = site.programs.loketd.run(release).await;
                Ok((asked.is_ok() || state["state"] != "held").then_some(()))
            })
            .await?;
            let ends = ["printed", "failed", "rejected", "expired", "unknown"];
            seen = self.world.wait(job, &ends).await?;
        }
        if seen["state"] != "printed" {
            self.tally.job(seen["state"].as_str().unwrap_or_default());
            bail!("{seen}");
        }
        until("an empty spool", DEADLINE, async || {
            Ok(self.spooled()?.is_empty().then_some(()))
        })
        .await
    }

    fn spooled(&self) -> anyhow::Result<Vec<String>> {
        let spool = self.station.machine.home.join("state/spool");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(spool).context("read the spool")? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    /// One sheet, central knows, and nothing of the document is left.
    async fn check(&self, job: &str) -> anyhow::Result<()> {
        let seen = self.world.site.job(&self.world.tokens.auditor, job).await?;
        self.tally.job(seen["state"].as_str().unwrap_or_default());
        ensure!(
            seen["state"] == "printed" && seen["sheet_count"] == 1,
            "{seen}"
        );
        let printed = self.station.printed().await?;
        self.tally.sheets(printed.sheets, self.order_count);
        ensure!(printed.sheets == self.order_count, "{printed:?}");
        let left = self.spooled()?;
        ensure!(left.is_empty(), "left in the spool: {left:?}");
        let found = files_with(&self.station.machine.home, &[], &self.canaries)?;
        ensure!(found.is_empty(), "in clear: {found:?}");
        Ok(())
    }
}

fn is_killed(ended: ExitStatus, daemon: &Running) -> anyhow::Result<bool> {
    match (ended.code(), ended.signal()) {
        (Some(0), _) => Ok(false),
        (_, Some(9)) => Ok(true),
        _other => bail!("it ended with {ended}; see {}", daemon.log().display()),
    }
}
