//! `loketd print FILE --printer URI`: with and without a running daemon, and interrupted.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use loket_demo::child::Running;
use loket_demo::once::printer_report;
use loket_demo::site::text;
use loket_tests::world::{Build, DEADLINE, Station, World, bin_dir};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: serde_json::Value,
}

pub(crate) fn command(station: &Station, fixture: &str, printer: &str) -> anyhow::Result<Command> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(fixture);
    let mut command = Command::new(bin_dir(Build::Plain)?.join("loketd"));
    command
        .args(["print", &text(&file), "--printer", printer, "--json"])
        .arg("--config")
        .arg(station.machine.config())
        .kill_on_drop(true);
    Ok(command)
}

pub(crate) async fn print(
    station: &Station,
    fixture: &str,
    printer: &str,
) -> anyhow::Result<Ended> {
    let output = command(station, fixture, printer)?.output().await?;
    let said = serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null);
    Ok(Ended {
        code: output.status.code(),
        said,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_printed_by_hand_takes_the_same_path_with_and_without_the_daemon()
-> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let alone = print(&station, "kk-sample-bb.pdf", &station.uri).await?;
    ensure!(
        alone.code == Some(0) && alone.said["state"] == "printed",
        "{:?} {}",
        alone.code,
        alone.said
    );
    ensure!(station.printed().await?.sheets == 1);
    let (mut daemon, socket) = daemon(&world, &station).await?;
    let through = print(&station, "kk-sample-bt.pdf", &station.uri).await?;
    ensure!(
        through.code == Some(0) && through.said["state"] == "printed",
        "{:?} {}",
        through.code,
        through.said
    );
    ensure!(station.printed().await?.sheets == 2);
    let other = print(&station, "kk-sample-bb.pdf", "ipp://127.0.0.1:9/ipp/print").await?;
    ensure!(
        other.code == Some(1),
        "a printer that is not in the settings: {:?}",
        other.code
    );
    std::fs::remove_file(&socket)?;
    let locked = print(&station, "kk-sample-bb.pdf", &station.uri).await?;
    ensure!(
        locked.code == Some(75),
        "the daemon holds the state folder: {:?}",
        locked.code
    );
    daemon.stop().await?;
    let altered = print(&station, "kk-sample-altered.pdf", &station.uri).await?;
    ensure!(
        altered.code == Some(1) && altered.said["state"] == "rejected",
        "{:?} {}",
        altered.code,
        altered.said
    );
    let none = print(&station, "no-such-file.pdf", &station.uri).await?;
    ensure!(none.code == Some(66), "{:?}", none.code);
    ensure!(station.printed().await?.sheets == 2);
    Ok(())
}

/// A running daemon whose officer's door is open.
pub(crate) async fn daemon(
    world: &World,
    station: &Station,
) -> anyhow::Result<(Running, std::path::PathBuf)> {
    let daemon = world.site.start_machine(&station.machine)?;
    let socket = station.machine.home.join("run/control.sock");
    let bound = async {
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, bound)
        .await
        .context("reach the daemon's socket")?;
    Ok((daemon, socket))
}

/// A command that waits for its sheet.
struct Waiting {
    child: Child,
    said: BufReader<ChildStderr>,
    heard: String,
}

impl Waiting {
    fn start(station: &Station, printer: &str) -> anyhow::Result<Self> {
        let mut command = command(station, "kk-sample-bb.pdf", printer)?;
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(child.stderr.take().context("hear the command")?);
        Ok(Self {
            child,
            said,
            heard: String::new(),
        })
    }

    /// Reads on until the command says `words`.
    async fn hear(&mut self, words: &str) -> anyhow::Result<()> {
        let reading = async {
            while !self.heard.contains(words) {
                let read = self.said.read_line(&mut self.heard).await?;
                ensure!(read > 0, "ended before '{words}': {}", self.heard);
            }
            Ok(())
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .with_context(|| format!("hear '{words}'"))?
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.child.id().context("find the command")?.to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().await?;
        ensure!(sent.success(), "send {signal}");
        Ok(())
    }

    /// Waits for its end; gives also what it said on standard error.
    async fn end(mut self) -> anyhow::Result<(Ended, String)> {
        let ending = async {
            self.said.read_to_string(&mut self.heard).await?;
            self.child.wait_with_output().await
        };
        let output = tokio::time::timeout(DEADLINE, ending)
            .await
            .context("see the command end")??;
        let said = serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null);
        let code = output.status.code();
        Ok((Ended { code, said }, self.heard))
    }
}

/// Waits until the printer has so many whole documents that it cannot print.
pub(crate) async fn until_sent(station: &Station, count: usize) -> anyhow::Result<()> {
    let sent = async {
        loop {
            let report = printer_report(&station.uri).await?;
            let jobs = report["jobs"].as_array().into_iter().flatten();
            let sent = jobs.filter(|job| job["size_bytes"].is_u64());
            if sent.count() == count {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, sent)
        .await
        .context("see the document at the printer")?
}

/// What the officer's list holds.
async fn open_jobs(world: &World, station: &Station) -> anyhow::Result<Vec<serde_json::Value>> {
    let config = text(&station.machine.config());
    let loketd = &world.site.programs.loketd;
    let listed = loketd.run(["jobs", "--json", "--config", &config]).await?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    let jobs = listed["jobs"].as_array().cloned();
    jobs.context("read the list")
}

/// A person who is told "not printed" prints elsewhere: nothing may come out later.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_while_the_printer_is_not_ready_calls_the_job_off() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &["--refuse"]).await?;
    let (_daemon, _socket) = daemon(&world, &station).await?;
    let mut waiting = Waiting::start(&station, &station.uri)?;
    waiting.hear("Pekerjaan ").await?;
    waiting.hear("Printer: ").await?;
    ensure!(open_jobs(&world, &station).await?.len() == 1, "control");
    waiting.signal("-INT").await?;
    let (ended, said) = waiting.end().await?;
    ensure!(
        ended.code == Some(1) && ended.said["state"] == "cancelled" && said.contains("L-210"),
        "{:?} {} {said}",
        ended.code,
        ended.said
    );
    ensure!(open_jobs(&world, &station).await?.is_empty());
    station.turn("/control", r#"{"refuse": false}"#).await?;
    let next = print(&station, "kk-sample-bt.pdf", &station.uri).await?;
    ensure!(next.code == Some(0), "{:?}", next.code);
    ensure!(station.printed().await?.sheets == 1, "the next one alone");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_that_comes_too_late_says_so_and_names_the_job() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &["--paper", "0"]).await?;
    let (_daemon, _socket) = daemon(&world, &station).await?;
    let mut waiting = Waiting::start(&station, &station.uri)?;
    waiting.hear("kertas habis").await?;
    until_sent(&station, 1).await?;
    waiting.signal("-INT").await?;
    let (ended, said) = waiting.end().await?;
    let job = ended.said["job_id"].as_str().context("name the job")?;
    ensure!(
        ended.code == Some(2) && said.contains("L-208") && said.contains(job),
        "{:?} {said}",
        ended.code
    );
    ensure!(open_jobs(&world, &station).await?.len() == 1);
    station.turn("/control", r#"{"paper": 10}"#).await?;
    let printed = async {
        while station.printed().await?.sheets == 0 {
            tokio::task::yield_now().await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(DEADLINE, printed)
        .await
        .context("see the sheet")??;
    Ok(())
}

/// The printer is named on the command line alone: nobody will serve its lane again.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_on_a_printer_outside_the_settings_ends_with_its_command() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let guest = world.station("desa-contoh-2", &["--refuse"]).await?;
    // Interrupted before anything left.
    let mut waiting = Waiting::start(&station, &guest.uri)?;
    waiting.hear("Printer: ").await?;
    waiting.signal("-INT").await?;
    let (ended, said) = waiting.end().await?;
    ensure!(
        ended.code == Some(1) && ended.said["state"] == "cancelled",
        "{:?} {said}",
        ended.code
    );
    // Interrupted with the document at the printer, then killed there.
    for (count, signal, code) in [(1, "-INT", Some(2)), (2, "-KILL", None)] {
        guest
            .turn("/control", r#"{"refuse": false, "paper": 0}"#)
            .await?;
        let mut waiting = Waiting::start(&station, &guest.uri)?;
        waiting.hear("kertas habis").await?;
        until_sent(&guest, count).await?;
        waiting.signal(signal).await?;
        let (ended, said) = waiting.end().await?;
        ensure!(ended.code == code, "{signal}: {:?} {said}", ended.code);
        // The machine is not blocked by it.
        let next = print(&station, "kk-sample-bt.pdf", &station.uri).await?;
        ensure!(next.code == Some(0), "{signal}: {:?}", next.code);
    }
    let (_daemon, _socket) = daemon(&world, &station).await?;
    let open = open_jobs(&world, &station).await?;
    ensure!(
        open.len() == 2 && open.iter().all(|job| job["state"] == "unknown"),
        "an officer is asked about both: {open:?}"
    );
    Ok(())
}

/// What a daemon that dies leaves a waiting command with.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_ends_before_it_answers_leaves_no_false_certainty() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let run = station.machine.home.join("run");
    std::fs::create_dir_all(&run)?;
    for answer in ["", r#"{"ok":[{"job_"#] {
        let socket = run.join("control.sock");
        let door = tokio::net::UnixListener::bind(&socket)?;
        let serve = async {
            let (mut client, _peer) = door.accept().await?;
            let mut line = String::new();
            BufReader::new(&mut client).read_line(&mut line).await?;
            client.write_all(answer.as_bytes()).await?;
            Ok::<_, anyhow::Error>(())
        };
        let mut asking = command(&station, "kk-sample-bb.pdf", &station.uri)?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut said = asking.stderr.take().context("hear the command")?;
        serve.await?;
        drop(door);
        let mut text = String::new();
        said.read_to_string(&mut text).await?;
        let status = tokio::time::timeout(DEADLINE, asking.wait())
            .await
            .context("see the command end")??;
        ensure!(
            status.code() == Some(2) && text.contains("L-206"),
            "{status} {text}"
        );
        std::fs::remove_file(&socket)?;
    }
    Ok(())
}

/// An account that no file of this computer lists, as one of a directory that is out of reach.
const NOBODY_KNOWN: &str = "64003";

/// Becomes that account, with the right to pass the folders of a test that belong to root.
const AS_NOBODY_KNOWN: [&str; 6] = [
    "--reuid=64003",
    "--regid=64003",
    "--clear-groups",
    "--inh-caps=+dac_override,+dac_read_search",
    "--ambient-caps=+dac_override,+dac_read_search",
    "--",
];

#[tokio::test(flavor = "multi_thread")]
async fn who_prints_from_an_account_without_a_name_signs_with_its_number() -> anyhow::Result<()> {
    let accounts = std::fs::read_to_string("/etc/passwd")?;
    ensure!(
        !accounts.contains(&format!(":{NOBODY_KNOWN}:")),
        "somebody has the account of this test"
    );
    let world = World::start(Build::Plain, false).await?;
    let station = world.station("desa-contoh-1", &[]).await?;
    let (mut daemon, _socket) = daemon(&world, &station).await?;
    let plain = command(&station, "kk-sample-bb.pdf", &station.uri)?;
    let mut apart = Command::new("/usr/bin/setpriv");
    apart
        .args(AS_NOBODY_KNOWN)
        .arg(plain.as_std().get_program())
        .args(plain.as_std().get_args())
        .kill_on_drop(true);
    let output = apart.output().await?;
    ensure!(output.status.code() == Some(0), "{output:?}");
    ensure!(station.printed().await?.sheets == 1);
    ensure!(daemon.stop().await?.code() == Some(0));
    let state = station.machine.home.join("state");
    let holds = |words: &str| -> anyhow::Result<bool> {
        let bytes = std::fs::read(state.join("journal.db"))?;
        Ok(bytes
            .windows(words.len())
            .any(|part| part == words.as_bytes()))
    };
    ensure!(holds("uid-64003")?, "the journal names who printed");
    ensure!(!holds("uid-64004")?, "control: not everybody");
    Ok(())
}
