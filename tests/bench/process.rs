//! What the kernel says of a process and of its sockets.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use loket_demo::child::Program;

use crate::section::{Row, Section};

/// Units of the CPU times in `/proc/PID/stat`, a second: 100 on every Linux that Rust runs on.
const TICKS_PER_S: u64 = 100;

/// What a process takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory, files mapped into it counted.
    pub(crate) rss_kib: u64,
    /// The part of it that no file backs.
    pub(crate) anonymous_kib: u64,
    /// The most it ever was.
    pub(crate) peak_kib: u64,
    /// Threads.
    pub(crate) thread_count: u64,
    /// CPU time since its start, ended threads counted; not that of its children.
    pub(crate) cpu: Duration,
}

/// Reads what the process `pid` takes.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |name: &str| {
        let path = format!("/proc/{pid}/{name}");
        std::fs::read_to_string(&path).with_context(|| format!("read {path}"))
    };
    let status = read("status")?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number
            .and_then(|text| text.parse().ok())
            .with_context(|| format!("find {name} in the status of process {pid}"))
    };
    let stat = read("stat")?;
    // The program's name comes before, in brackets, and may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|text| text.parse::<u64>().ok()).sum();
    Ok(Usage {
        rss_kib: field("VmRSS:")?,
        anonymous_kib: field("RssAnon:")?,
        peak_kib: field("VmHWM:")?,
        thread_count: field("Threads:")?,
        cpu: Duration::from_millis(ticks * 1_000 / TICKS_PER_S),
    })
}

/// Resident memory of ours beside that of the peer.
pub(crate) fn rss_row(when: &str, ours: &Usage, peer: &Usage) -> Row {
    size_row("RSS", when, (ours.rss_kib, peer.rss_kib))
}

/// What else is told of memory and threads.
pub(crate) fn memory_rows(section: &mut Section, when: &str, ours: &Usage, peer: &Usage) {
    let anonymous = (ours.anonymous_kib, peer.anonymous_kib);
    section.row(size_row("RSS that no file backs", when, anonymous));
    let peaks = (ours.peak_kib, peer.peak_kib);
    section.row(size_row("RSS at most", when, peaks));
    let (ours, peer) = (ours.thread_count, peer.thread_count);
    let row = Row::new(format!("threads, {when}"), ours);
    section.row(row.beside(peer, share(ours, peer)));
}

fn size_row(kind: &str, when: &str, (ours, peer): (u64, u64)) -> Row {
    let row = Row::new(format!("{kind}, {when}"), format!("{ours} KiB"));
    row.beside(format!("{peer} KiB"), share(ours, peer))
}

/// How many times `peer` goes into `ours`.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a ratio of sizes needs no more digits than a float has"
)]
pub(crate) fn share(ours: u64, peer: u64) -> f64 {
    ours as f64 / (peer as f64).max(1.0)
}

/// Bytes of a TCP connection's payload: the TLS records, as the kernel counts them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// Sent and acknowledged.
    pub(crate) sent_bytes: u64,
    /// Received.
    pub(crate) received_bytes: u64,
}

/// What went over the one connection of process `pid` to `port` of this machine.
pub(crate) async fn traffic(pid: u32, port: u16) -> anyhow::Result<Traffic> {
    let ss = Program::at("/usr/bin/ss".as_ref());
    let peer = format!(":{port}");
    let said = ss.run(["-tinHpO", "dport", "=", &peer]).await;
    let said = said.context("ask ss of the Debian package iproute2")?;
    let owner = format!("pid={pid},");
    let mut own = said.lines().filter(|line| line.contains(&owner));
    let line = own.next().context("find the link's connection")?;
    ensure!(own.next().is_none(), "find one connection: there are more");
    let field = |name: &str| {
        let mut words = line.split_whitespace();
        let number = words.find_map(|word| word.strip_prefix(name));
        number
            .and_then(|text| text.parse().ok())
            .with_context(|| format!("find {name} in what ss says"))
    };
    Ok(Traffic {
        sent_bytes: field("bytes_acked:")?,
        received_bytes: field("bytes_received:")?,
    })
}

/// The three load averages, or a note that there are none.
pub(crate) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let three: Vec<&str> = text.split_whitespace().take(3).collect();
    if three.is_empty() {
        "unknown".to_owned()
    } else {
        three.join(" ")
    }
}

/// A peer in Python, as `cargo xtask test --only packages` installs it: a script of `tests/peers`.
pub(crate) fn python_peer(script: &str) -> Command {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../loket-peers/bin/python");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let mut command = Command::new(python);
    command.arg("-B").arg(scripts.join(script));
    command
}

/// The most memory that a command takes, as GNU time tells it.
pub(crate) fn peak_kib(command: &Command) -> anyhow::Result<u64> {
    let mut timed = Command::new("/usr/bin/time");
    timed
        .args(["--format", "%M"])
        .arg(command.get_program())
        .args(command.get_args());
    let output = timed
        .stdout(Stdio::null())
        .output()
        .context("start the Debian package time")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().unwrap_or_default();
    last.trim()
        .parse()
        .with_context(|| format!("read what time says: {last}"))
}

/// What this thread ran on a processor so far.
pub(crate) fn cpu_of_thread() -> anyhow::Result<Duration> {
    const FILE: &str = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(FILE).context("read the thread's times")?;
    let first = text.split(' ').next().and_then(|text| text.parse().ok());
    Ok(Duration::from_nanos(
        first.with_context(|| format!("read {FILE}"))?,
    ))
}
