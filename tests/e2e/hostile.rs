//! Bytes that are nearly right, at each door of a running program that reads bytes: an answer with a code, and the
//! program lives on. Bounded by cases; a failure names the seed.
//!
//! The readers themselves have fuzzers with many more cases beside them: tests called `fuzz_…` of their crates.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use loket_demo::child::Program;
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{OFFICE, text};
use loket_tests::look::until;
use loket_tests::mutate::Mutator;
use loket_tests::secrecy::{canaries, found_in};
use loket_tests::seed::Seeded;
use loket_tests::world::{Build, DEADLINE, World, order, order_again, programs};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

const ID: &str = "desa-contoh-1";

/// Within one run of a program a case takes a few milliseconds.
const CASES: usize = 300;

/// Each of these cases starts programs.
const CASES_BY_COMMAND: usize = 40;

/// Each of these cases is a job on its way.
const CASES_BY_JOB: usize = 10;

/// Files of one folder, all taken within a few of central's looks.
const CASES_BY_FOLDER: usize = 60;

/// A mutator, and what names its seed.
fn mutator(seed: u64) -> anyhow::Result<(Mutator, String)> {
    let seeded = Seeded::new(seed)?;
    let name = seeded.name();
    Ok((Mutator::new(seeded), name))
}

fn no_panic(log: &Path) -> anyhow::Result<()> {
    let log = fs::read_to_string(log)?;
    let line = log.lines().find(|line| line.contains("panicked"));
    ensure!(line.is_none(), "{line:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_nearly_right_are_taken_or_refused_by_code() -> anyhow::Result<()> {
    let (mut mutator, name) = mutator(20_261_126)?;
    let world = World::start(Build::Plain, false).await?;
    let _station = world.station(ID, &[]).await?;
    let canaries = canaries()?;
    let good = order(ID, "KK-1", "officer", None);
    let api = world.site.api();
    let (mut taken, mut refused) = (0, 0);
    for case in 0..CASES {
        let what = || format!("{name}, case {case}");
        // A body in which a part's boundary stands is another body: text alone reaches the reader.
        let altered = mutator.alter(good.as_bytes());
        let altered = String::from_utf8_lossy(&altered);
        let token = &world.tokens.operator;
        let asked = http::post_document(&api, token, SAMPLE_KK, &altered, None);
        let answer = asked.await.with_context(what)?;
        let said: Value = serde_json::from_slice(&answer.body).with_context(what)?;
        match answer.status {
            201 => taken += 1,
            400..500 => {
                refused += 1;
                ensure!(said["code"].is_string(), "{}: {said}", what());
                let echoed = found_in(&answer.body, &canaries)?;
                ensure!(echoed.is_empty(), "{} says what stood there", what());
            }
            status => anyhow::bail!("{}: {status} {said}", what()),
        }
    }
    // The sample is one document: what is taken once stands in the way of the rest.
    ensure!(taken <= 1 && refused >= CASES - 1, "{taken} and {refused}");
    no_panic(world.central.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn pairs_that_are_nearly_right_leave_the_folder_with_a_reason() -> anyhow::Result<()> {
    let (mut mutator, name) = mutator(20_261_127)?;
    let world = World::start(Build::Plain, false).await?;
    let _station = world.station(ID, &[]).await?;
    let folder = world.site.path("intake");
    let json: Value = serde_json::from_str(&order(ID, "KK-1", "officer", None))?;
    let fields = json.as_object().context("read an order")?;
    let good: String = fields
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    for case in 0..CASES_BY_FOLDER {
        let order = mutator.alter(good.as_bytes());
        fs::write(folder.join(format!("{case}.toml")), order)?;
        fs::write(folder.join(format!("{case}.pdf")), SAMPLE_KK)?;
    }
    until("an empty folder", DEADLINE, async || {
        let left = fs::read_dir(&folder)?.filter_map(Result::ok);
        let left = left.filter(|entry| entry.path().is_file()).count();
        Ok((left == 0).then_some(()))
    })
    .await
    .with_context(|| name.clone())?;
    for case in 0..CASES_BY_FOLDER {
        let reason = folder.join(format!("rejected/{case}.reason.txt"));
        if let Ok(reason) = fs::read_to_string(reason) {
            let code = reason.split(':').next().unwrap_or_default();
            ensure!(
                !code.is_empty() && code.chars().all(char::is_alphanumeric),
                "{name}, case {case}: {reason}"
            );
        }
    }
    no_panic(world.central.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_nearly_right_at_the_officers_door_do_nothing_else() -> anyhow::Result<()> {
    let (mut mutator, name) = mutator(20_261_128)?;
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    let held = world.order(ID, "KK-1", "officer").await?;
    world.wait(&held, &["held"]).await?;
    let door = station.machine.home.join("run/control.sock");
    // A job that never was: a line that is still right after its edits must not touch the one that is held.
    let job = "01890000-0000-7000-8000-000000000000";
    let good = [
        r#"{"do":"jobs"}"#.to_owned(),
        format!(r#"{{"do":"job","job":"{job}"}}"#),
        format!(r#"{{"do":"release","job":"{job}","by":"wati"}}"#),
        format!(r#"{{"do":"cancel","job":"{job}","by":"wati"}}"#),
        format!(r#"{{"do":"answer","job":"{job}","by":"wati","answer":"came-out"}}"#),
        r#"{"do":"print","printer":"ipp://127.0.0.1:9/","size_bytes":4}"#.to_owned(),
    ];
    for case in 0..CASES {
        let what = || format!("{name}, case {case}");
        let line = good.get(case % good.len()).context("pick a line")?;
        let mut line = mutator.alter(line.as_bytes());
        line.push(b'\n');
        let mut stream = UnixStream::connect(&door).await.with_context(what)?;
        // It may have hung up before it got all: what counts is what it says and that it lives.
        drop(stream.write_all(&line).await);
        drop(stream.shutdown().await);
        let mut said = Vec::new();
        drop(stream.read_to_end(&mut said).await);
        if !said.is_empty() {
            let said: Value = serde_json::from_slice(&said).with_context(what)?;
            let is_answer = said["ok"].is_array() || said["error"]["code"].is_string();
            ensure!(is_answer, "{}: {said}", what());
        }
    }
    let config = text(&station.machine.config());
    let loketd = &world.site.programs.loketd;
    let listed = loketd.run(["jobs", "--json", "--config", &config]).await?;
    let listed: Value = serde_json::from_str(&listed)?;
    ensure!(listed["jobs"][0]["job_id"] == held.as_str(), "{listed}");
    ensure!(listed["jobs"][0]["state"] == "held", "{listed}");
    ensure!(station.printed().await?.sheets == 0);
    no_panic(daemon.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_files_that_a_disk_has_altered_are_never_printed_and_central_knows()
-> anyhow::Result<()> {
    let (mut mutator, name) = mutator(20_261_131)?;
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let daemon = world.site.start_machine(&station.machine)?;
    let config = text(&station.machine.config());
    let mut previous: Option<String> = None;
    for case in 0..CASES_BY_JOB {
        let what = || format!("{name}, case {case}");
        let order = order_again(ID, &format!("KK-{case}"), "officer", previous.as_deref());
        let job = world.order_as(SAMPLE_KK, &order).await?;
        world.wait(&job, &["held"]).await?;
        let kind = if case % 2 == 0 { "key" } else { "blob" };
        let file = station
            .machine
            .home
            .join(format!("state/spool/{job}.{kind}"));
        let good = fs::read(&file).with_context(what)?;
        let mut copies = (0..10).map(|_again| mutator.alter(&good));
        let altered = copies.find(|copy| means_else(copy, &good));
        fs::write(&file, altered.with_context(what)?)?;
        let release = ["job", "release", &job, "--by", "wati", "--config", &config];
        // The refusal may come at once, or when the document is opened for the printer.
        drop(world.site.programs.loketd.run(release).await);
        let ends = ["printed", "rejected", "failed", "unknown", "cancelled"];
        let seen = world.wait(&job, &ends).await.with_context(what)?;
        let is_refused = seen["state"] == "rejected" || seen["state"] == "failed";
        ensure!(
            is_refused && seen["reason"].is_string(),
            "{}: {seen}",
            what()
        );
        previous = Some(job);
    }
    ensure!(station.printed().await?.sheets == 0);
    no_panic(daemon.log())
}

/// Whether bytes differ by more than the spaces between the words of JSON.
fn means_else(copy: &[u8], good: &[u8]) -> bool {
    let read = |bytes| serde_json::from_slice::<Value>(bytes).ok();
    copy != good && (read(good).is_none() || read(copy) != read(good))
}

/// Runs a command that may refuse; that it panicked or found a fault of its own is neither.
async fn refuses_or_takes(program: &Program, words: &[&str]) -> anyhow::Result<bool> {
    let mut command = program.command(words);
    let output = command.output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    ensure!(
        !said.contains("panicked") && !matches!(code, None | Some(70 | 101)),
        "{code:?}: {said}"
    );
    ensure!(code == Some(0) || !said.is_empty(), "{code:?} says nothing");
    Ok(code == Some(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_bundles_that_are_nearly_right_enrol_nobody() -> anyhow::Result<()> {
    let (mut mutator, name) = mutator(20_261_129)?;
    let world = World::start(Build::Plain, false).await?;
    let machine = world
        .site
        .machine(ID, "ipp://127.0.0.1:9/ipp/print")
        .await?;
    let programs = programs(Build::Plain)?;
    let read = |file: &str| fs::read(machine.home.join(file));
    let (request, bundle) = (read("request.json")?, read("install.json")?);
    let kept = read("state/identity/install.json")?;
    let (authority, config) = (text(&world.site.path("authority")), text(&machine.config()));
    let file = |name: &str| text(&machine.home.join(name));
    let (bent, out) = (file("bent.json"), file("out.json"));
    for case in 0..CASES_BY_COMMAND {
        let what = || format!("{name}, case {case}");
        fs::write(&bent, mutator.alter(&request))?;
        let enrol = [
            "enrol", &bent, "--dir", &authority, "--kind", "machine", "--office", OFFICE, "--out",
            &out,
        ];
        refuses_or_takes(&programs.provision, &enrol)
            .await
            .with_context(what)?;
        fs::write(&bent, mutator.alter(&bundle))?;
        let install = ["identity", "install", "--config", &config, &bent];
        let is_taken = refuses_or_takes(&programs.loketd, &install)
            .await
            .with_context(what)?;
        let now = read("state/identity/install.json")?;
        ensure!(is_taken || now == kept, "{}: refused and kept", what());
        fs::write(machine.home.join("state/identity/install.json"), &kept)?;
    }
    Ok(())
}
