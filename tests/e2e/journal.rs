//! A damaged journal is set aside; what it held becomes `unknown` at central, where somebody answers.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::http;
use loket_demo::once::SAMPLE_KK;
use loket_demo::site::{Machine, text};
use loket_tests::look::until;
use loket_tests::world::{Build, DEADLINE, Station, World, order_again};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const ID: &str = "desa-contoh-1";

/// The exit code of a state folder that cannot be used.
const STATE: Option<i32> = Some(73);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_journal_makes_its_jobs_unknown_and_prints_nothing_by_itself() -> anyhow::Result<()>
{
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    daemon.kill().await?;
    damage_all(&station.machine)?;
    let _daemon = set_aside_and_started_anew(&world, &station, &job).await?;
    let path = format!("/api/v1/jobs/{job}/answer");
    // Only once the machine was asked what it holds: until then it might print.
    until("no copy at the machine", DEADLINE, async || {
        let seen = world.site.job(&world.tokens.auditor, &job).await?;
        Ok((seen["machine_copy"] == "gone").then_some(()))
    })
    .await?;
    let body = br#"{"answer":"found-none"}"#.to_vec();
    let mut request = http::post(&world.site.api(), &path, "application/json", body)?;
    let bearer = format!("Bearer {}", world.tokens.operator);
    request
        .headers_mut()
        .insert("authorization", bearer.parse().context("write a header")?);
    let answer = http::send(&world.site.api(), request).await?;
    ensure!((200..300).contains(&answer.status), "{answer:?}");
    let seen = world.wait(&job, &["failed"]).await?;
    ensure!(seen["reason"] == "officer-found-none", "{seen}");
    ensure!(station.printed().await?.sheets == 0);
    Ok(())
}

/// The file was closed in order, so no check is due: it is the start itself that meets the row.
#[tokio::test(flavor = "multi_thread")]
async fn one_damaged_event_of_an_open_job_costs_one_start() -> anyhow::Result<()> {
    one_damaged_row(
        "UPDATE event SET checksum = checksum + 1 WHERE seq =
           (SELECT max(e.seq) FROM event e JOIN stream s ON s.name = e.stream WHERE s.closed_at_ms IS NULL)",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_damaged_setting_costs_one_start() -> anyhow::Result<()> {
    one_damaged_row("UPDATE meta SET checksum = checksum + 1 WHERE key = 'clock'").await
}

/// The running daemon meets it, when it hands its reports to the link.
#[tokio::test(flavor = "multi_thread")]
async fn one_damaged_report_costs_one_start() -> anyhow::Result<()> {
    one_damaged_row("INSERT INTO outbox (kind, bytes, checksum) VALUES ('job', x'7b7d', 1)").await
}

async fn one_damaged_row(change: &str) -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let job = world.order(ID, "KK-1", "officer").await?;
    world.wait(&job, &["held"]).await?;
    let ended = daemon.stop().await?;
    ensure!(ended.code() == Some(0), "it ended with {ended}");
    sqlite(&station.machine, change).await?;
    let _daemon = set_aside_and_started_anew(&world, &station, &job).await?;
    Ok(())
}

/// Asked to stop while the check after an unclean stop runs, the daemon stops at once and vouches for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_during_the_check_does_not_hide_the_damage_from_the_next_start() -> anyhow::Result<()>
{
    let world = World::start(Build::Hooks, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    let first = world.order(ID, "KK-1", "now").await?;
    world.wait(&first, &["printed"]).await?;
    let again = order_again(ID, "KK-2", "officer", Some(&first));
    let held = world.order_as(SAMPLE_KK, &again).await?;
    world.wait(&held, &["held"]).await?;
    closed_jobs(&station.machine, 1).await?;
    daemon.kill().await?;
    // No start reads the events of a closed job: the check alone meets them.
    let change = "UPDATE event SET checksum = checksum + 1 WHERE seq =
        (SELECT min(e.seq) FROM event e JOIN stream s ON s.name = e.stream WHERE s.closed_at_ms IS NOT NULL)";
    sqlite(&station.machine, change).await?;
    let file = world.dir().join("hold");
    std::fs::write(&file, "")?;
    let mut site = world.site.clone();
    let at = format!("journal-check:{}", file.display());
    site.programs.loketd = site.programs.loketd.with_env("LOKET_HOLD_AT", &at);
    let mut daemon = site.start_machine(&station.machine)?;
    log_with(&daemon, "held at journal-check").await?;
    let ended = daemon.stop().await?;
    ensure!(ended.code() == Some(0), "it ended with {ended}");
    let _daemon = set_aside_and_started_anew(&world, &station, &held).await?;
    ensure!(station.printed().await?.sheets == 1);
    Ok(())
}

/// A sound file passes its check, and then needs none after an orderly stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_passed_its_check_is_clean_after_an_orderly_stop() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    log_with(&daemon, "linked to central's broker").await?;
    daemon.kill().await?;
    ensure!(sqlite(&station.machine, "SELECT clean FROM journal").await? == "0");
    let mut daemon = world.site.start_machine(&station.machine)?;
    log_with(&daemon, "the journal is sound after an unclean stop").await?;
    ensure!(daemon.stop().await?.code() == Some(0));
    ensure!(sqlite(&station.machine, "SELECT clean FROM journal").await? == "1");
    Ok(())
}

/// Another program holds the database for longer than the whole time to drain: the stop does not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_journal_does_not_hold_the_stop_beyond_its_deadline() -> anyhow::Result<()> {
    let world = World::start(Build::Plain, false).await?;
    let station = world.station(ID, &[]).await?;
    drains_within_a_second(&station.machine)?;
    let mut daemon = world.site.start_machine(&station.machine)?;
    log_with(&daemon, "linked to central's broker").await?;
    let _lock = Locked::take(&station.machine).await?;
    let ended = daemon.stop().await?;
    ensure!(ended.code() == Some(0), "it ended with {ended}");
    // Its own wait for a lock is 5 s: had the deadline not come first, the line would tell of the lock.
    let log = std::fs::read_to_string(daemon.log())?;
    ensure!(log.contains("journal not closed in time"), "{log}");
    Ok(())
}

/// The loop that owns the desk hangs; whoever stops the service need not wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_hangs_does_not_hold_the_stop() -> anyhow::Result<()> {
    let world = World::start(Build::Hooks, false).await?;
    let station = world.station(ID, &[]).await?;
    drains_within_a_second(&station.machine)?;
    let file = world.dir().join("hold");
    let mut site = world.site.clone();
    let at = format!("append:{}", file.display());
    site.programs.loketd = site.programs.loketd.with_env("LOKET_HOLD_AT", &at);
    std::fs::write(&file, "")?;
    let mut daemon = site.start_machine(&station.machine)?;
    log_with(&daemon, "held at append").await?;
    let ended = daemon.stop().await?;
    ensure!(ended.code() == Some(0), "it ended with {ended}");
    let log = std::fs::read_to_string(daemon.log())?;
    ensure!(
        log.contains("running work did not finish within the drain deadline"),
        "{log}"
    );
    Ok(())
}

/// Starts the machine until it works with a new journal: it ends with 73 once, and central asks about `job`.
async fn set_aside_and_started_anew(
    world: &World,
    station: &Station,
    job: &str,
) -> anyhow::Result<Running> {
    let mut daemon = world.site.start_machine(&station.machine)?;
    let ended = tokio::time::timeout(DEADLINE, daemon.wait())
        .await
        .context("end for a damaged journal")??;
    ensure!(ended.code() == STATE, "it ended with {ended}");
    let state = station.machine.home.join("state");
    let mut aside = 0;
    for entry in std::fs::read_dir(state)? {
        let name = entry?.file_name();
        aside += usize::from(name.to_string_lossy().starts_with("journal.db.broken-"));
    }
    ensure!(aside > 0, "the damaged journal is kept aside");
    let daemon = world.site.start_machine(&station.machine)?;
    let seen = world.wait(job, &["unknown"]).await?;
    ensure!(seen["reason"] == "journal-lost", "{seen}");
    Ok(daemon)
}

fn drains_within_a_second(machine: &Machine) -> anyhow::Result<()> {
    let config = std::fs::read_to_string(machine.config())?;
    let short = config.replace("drain_s = 10", "drain_s = 1");
    ensure!(short != config, "the settings name another time to drain");
    std::fs::write(machine.config(), short).context("write a machine's settings")
}

async fn log_with(daemon: &Running, line: &str) -> anyhow::Result<()> {
    until(line, DEADLINE, async || {
        let log = std::fs::read_to_string(daemon.log())?;
        Ok(log.contains(line).then_some(()))
    })
    .await
}

/// Waits until so many jobs are closed on the machine's own disk.
async fn closed_jobs(machine: &Machine, count: u64) -> anyhow::Result<()> {
    let all = "SELECT count(*) FROM stream WHERE closed_at_ms IS NOT NULL";
    until("the closed jobs", DEADLINE, async || {
        let closed: u64 = sqlite(machine, all).await?.parse()?;
        Ok((closed >= count).then_some(()))
    })
    .await
}

fn journal(machine: &Machine) -> PathBuf {
    machine.home.join("state/journal.db")
}

/// Debian's own SQLite: what another program does to the file.
fn sqlite_program() -> anyhow::Result<Program> {
    let program = Path::new("/usr/bin/sqlite3");
    ensure!(
        program.exists(),
        "find {}: install the Debian package sqlite3, or run 'cargo xtask test'",
        program.display()
    );
    Ok(Program::at(program))
}

/// Runs a statement and gives what it says.
async fn sqlite(machine: &Machine, statement: &str) -> anyhow::Result<String> {
    let file = text(&journal(machine));
    let words = ["-cmd", ".timeout 5000", &file, statement];
    let said = sqlite_program()?.run(words).await?;
    Ok(said.trim().to_owned())
}

/// The database locked for writing by another program, which ends with the test.
struct Locked(#[expect(dead_code, reason = "held for its end")] tokio::process::Child);

impl Locked {
    async fn take(machine: &Machine) -> anyhow::Result<Self> {
        let mut command = sqlite_program()?.command([text(&journal(machine))]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.as_mut().context("tell SQLite")?;
        stdin
            .write_all(b".timeout 5000\nBEGIN IMMEDIATE;\n.print locked\n")
            .await?;
        stdin.flush().await?;
        let stdout = child.stdout.take().context("hear SQLite")?;
        let heard = BufReader::new(stdout).lines().next_line().await?;
        ensure!(heard.as_deref() == Some("locked"), "heard {heard:?}");
        Ok(Self(child))
    }
}

/// Overwrites the database and its log, page heads included.
fn damage_all(machine: &Machine) -> anyhow::Result<()> {
    for path in [journal(machine), machine.home.join("state/journal.db-wal")] {
        let Ok(mut bytes) = std::fs::read(&path) else {
            continue;
        };
        let from = bytes.len().min(100);
        bytes[from..].fill(0x5a);
        std::fs::write(&path, bytes)?;
    }
    Ok(())
}
