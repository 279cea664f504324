//! A machine that comes back with an older copy of its state: what it holds is called off before it prints a second
//! sheet, and nobody at central says *none* before that.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::http::{self, Answer};
use loket_demo::once::{SAMPLE_KK, printer_report};
use loket_demo::site::text;
use loket_tests::look::until;
use loket_tests::mosquitto;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};
use serde_json::Value;

const ID: &str = "desa-contoh-1";

fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copied(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// A station whose state folder is copied and comes back, as with a restored disk image.
struct Kept {
    world: World,
    station: Station,
    daemon: Running,
}

impl Kept {
    async fn start(printer: &[&str]) -> anyhow::Result<Self> {
        let world = World::start(Build::Plain, false).await?;
        let station = world.station(ID, printer).await?;
        let daemon = world.site.start_machine(&station.machine)?;
        Ok(Self {
            world,
            station,
            daemon,
        })
    }

    fn state(&self) -> PathBuf {
        self.station.machine.home.join("state")
    }

    fn copy(&self) -> PathBuf {
        self.station.machine.home.join("copy")
    }

    /// Copies the state of the stopped machine, and starts it again.
    async fn copy_state(&mut self) -> anyhow::Result<()> {
        ensure!(self.daemon.stop().await?.code() == Some(0));
        copied(&self.state(), &self.copy())?;
        self.daemon = self.world.site.start_machine(&self.station.machine)?;
        Ok(())
    }

    /// Stops the machine; its state is the copy from then on.
    async fn set_back(&mut self) -> anyhow::Result<()> {
        self.daemon.stop().await?;
        std::fs::remove_dir_all(self.state())?;
        std::fs::rename(self.copy(), self.state()).context("set a machine's state back")
    }

    fn start_again(&mut self) -> anyhow::Result<()> {
        self.daemon = self.world.site.start_machine(&self.station.machine)?;
        Ok(())
    }

    async fn turn(&self, knob: &str) -> anyhow::Result<()> {
        self.station.turn("/control", knob).await
    }

    /// The printer's power is cut: it remembers none of its jobs.
    async fn forgotten(&self) -> anyhow::Result<()> {
        self.station.turn("/control/power-cycle", "").await
    }

    async fn order(&self, release: &str, previous: Option<&str>) -> anyhow::Result<String> {
        let order = order_again(ID, "KK-1", release, previous);
        self.world.order_as(SAMPLE_KK, &order).await
    }

    async fn officer(&self, words: &[&str]) -> anyhow::Result<String> {
        let config = text(&self.station.machine.config());
        let tail = ["--config", &config];
        let words = words.iter().chain(&tail).copied();
        self.world.site.programs.loketd.run(words).await
    }

    /// Waits until the machine itself has no job open.
    async fn nothing_open(&self) -> anyhow::Result<()> {
        until("the machine's jobs called off", DEADLINE, async || {
            let listed = self.officer(&["jobs", "--json"]).await;
            let listed = listed.ok().map(|listed| serde_json::from_str(&listed));
            let listed: Option<Value> = listed.transpose()?;
            let jobs = listed.and_then(|listed| listed["jobs"].as_array().map(Vec::len));
            Ok((jobs == Some(0)).then_some(()))
        })
        .await
    }

    /// Waits until central knows that of the machine's copy.
    async fn machine_copy(&self, job: &str, copy: &str) -> anyhow::Result<Value> {
        let auditor = &self.world.tokens.auditor;
        until("what central knows of a copy", DEADLINE, async || {
            let seen = self.world.site.job(auditor, job).await?;
            Ok((seen["machine_copy"] == copy).then_some(seen))
        })
        .await
    }

    async fn answer(&self, job: &str, word: &str) -> anyhow::Result<Answer> {
        let path = format!("/api/v1/jobs/{job}/answer");
        let body = serde_json::json!({ "answer": word }).to_string();
        let api = self.world.site.api();
        let mut request = http::post(&api, &path, "application/json", body.into_bytes())?;
        let bearer = format!("Bearer {}", self.world.tokens.operator);
        let headers = request.headers_mut();
        headers.insert("authorization", bearer.parse().context("write a header")?);
        http::send(&api, request).await
    }

    async fn sheets(&self) -> anyhow::Result<u64> {
        Ok(self.station.printed().await?.sheets)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_held_by_a_machine_that_was_set_back_is_called_off_once_central_is_heard()
-> anyhow::Result<()> {
    let mut kept = Kept::start(&["--memory", "forget-keep-ids"]).await?;
    let job = kept.order("officer", None).await?;
    kept.world.wait(&job, &["held"]).await?;
    kept.copy_state().await?;
    until("the release", DEADLINE, async || {
        let released = kept
            .officer(&["job", "release", &job, "--by", "wati"])
            .await;
        Ok(released.ok().map(drop))
    })
    .await?;
    kept.world.wait(&job, &["printed"]).await?;
    kept.set_back().await?;
    kept.forgotten().await?;
    kept.start_again()?;
    kept.nothing_open().await?;
    let again = kept
        .officer(&["job", "release", &job, "--by", "wati"])
        .await;
    ensure!(again.is_err(), "released again: {again:?}");
    ensure!(kept.world.wait(&job, &["printed"]).await?["reason"].is_null());
    let next = kept.order("now", Some(&job)).await?;
    kept.world.wait(&next, &["printed"]).await?;
    ensure!(kept.sheets().await? == 2, "one sheet a job");
    Ok(())
}

/// Central heard that it is printed next and not that it was, and the printer forgot: nobody but a person can say what
/// became of the first sheet, and no second one comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_released_at_a_machine_that_was_set_back_is_lost_called_off_and_answered()
-> anyhow::Result<()> {
    let mut kept = Kept::start(&["--memory", "forget-keep-ids"]).await?;
    kept.turn(r#"{"refuse": true}"#).await?;
    let job = kept.order("now", None).await?;
    kept.world.wait(&job, &["printing"]).await?;
    kept.copy_state().await?;
    let other = kept.order("officer", Some(&job)).await?;
    kept.world.wait(&other, &["held"]).await?;
    kept.world.broker.kill().await?;
    kept.turn(r#"{"refuse": false}"#).await?;
    until("the sheet", DEADLINE, async || {
        Ok((kept.sheets().await? == 1).then_some(()))
    })
    .await?;
    kept.set_back().await?;
    kept.forgotten().await?;
    kept.turn(r#"{"refuse": true}"#).await?;
    kept.world.broker = mosquitto::start(&kept.world.site).await?;
    kept.start_again()?;
    let lost = kept.machine_copy(&job, "gone").await?;
    ensure!(
        lost["state"] == "unknown" && lost["reason"] == "journal-lost",
        "the copy's end says nothing of the sheet: {lost}"
    );
    kept.turn(r#"{"refuse": false}"#).await?;
    // The journal does not know the other one any more, and says so when it is asked.
    kept.machine_copy(&other, "gone").await?;
    for (job, word) in [(&job, "printed"), (&other, "found-none")] {
        let told = kept.answer(job, word).await?;
        ensure!(told.status == 200, "{told:?}");
    }
    let next = kept.order("now", Some(&job)).await?;
    kept.world.wait(&next, &["printed"]).await?;
    ensure!(kept.sheets().await? == 2, "one sheet a job");
    ensure!(kept.world.wait(&job, &["printed"]).await?["reason"] == "officer-saw");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn none_waits_for_a_machine_that_is_sending_and_is_taken_of_what_it_does_not_hold()
-> anyhow::Result<()> {
    let mut kept = Kept::start(&["--paper", "0"]).await?;
    let sending = kept.order("now", None).await?;
    until("the document at the printer", DEADLINE, async || {
        let report = printer_report(&kept.station.uri).await?;
        Ok(report["jobs"][0]["sha256"].is_string().then_some(()))
    })
    .await?;
    kept.world.wait(&sending, &["printing"]).await?;
    kept.copy_state().await?;
    let never = kept.order("officer", Some(&sending)).await?;
    kept.world.wait(&never, &["held"]).await?;
    kept.set_back().await?;
    kept.start_again()?;

    let lost = kept.machine_copy(&sending, "held").await?;
    ensure!(lost["reason"] == "journal-lost", "{lost}");
    let early = kept.answer(&sending, "found-none").await?;
    let said: Value = serde_json::from_slice(&early.body)?;
    ensure!(
        early.status == 409 && said["code"] == "MachineHoldsCopy",
        "{said}"
    );
    // Its journal does not know this one, and it says so when it is asked.
    kept.machine_copy(&never, "gone").await?;
    let told = kept.answer(&never, "found-none").await?;
    ensure!(told.status == 200, "{told:?}");

    kept.turn(r#"{"paper": 10}"#).await?;
    kept.world.wait(&sending, &["printed"]).await?;
    let next = kept.order("now", Some(&sending)).await?;
    kept.world.wait(&next, &["printed"]).await?;
    ensure!(kept.sheets().await? == 2, "one sheet a job");
    Ok(())
}
