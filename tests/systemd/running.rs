//! A staged program as systemd would start it: its user, its umask, its sockets; and what it says to systemd.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::stage::{Stage, as_root};
use crate::unit::Unit;

/// Ends a test that hangs; no promise is measured by it.
const DEADLINE: Duration = Duration::from_secs(60);

/// The longest message to systemd; ours have some twenty bytes.
const MESSAGE_MAX_BYTES: usize = 4096;

/// A running program; killed with the test.
pub(crate) struct Running {
    pid: u32,
    notify: UnixDatagram,
    ended: Receiver<std::io::Result<ExitStatus>>,
    has_ended: bool,
}

impl Running {
    /// Starts what `unit` starts, as its user and with its umask, on the settings of the stage.
    pub(crate) fn start(stage: &Stage, unit: &str, watchdog: Option<Duration>) -> Result<Self> {
        Self::start_with(stage, unit, watchdog, None)
    }

    /// The same with one more variable of its environment.
    pub(crate) fn start_with(
        stage: &Stage,
        unit: &str,
        watchdog: Option<Duration>,
        variable: Option<(&str, &str)>,
    ) -> Result<Self> {
        let unit = Unit::read(unit)?;
        let (program, settings) = exec_start(stage, &unit)?;
        let socket = stage.path("run/notify.sock");
        let notify = UnixDatagram::bind(&socket).context("bind the socket for messages")?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666))?;

        let uid = stage.number("passwd", unit.value("User")?)?;
        let gid = stage.number("group", unit.value("Group")?)?;
        let mut groups = Vec::new();
        for group in unit.values("SupplementaryGroups") {
            groups.push(stage.number("group", group)?.to_string());
        }
        let mut command = as_root("setpriv")?;
        command.arg(format!("--reuid={uid}"));
        command.arg(format!("--regid={gid}"));
        if groups.is_empty() {
            command.arg("--clear-groups");
        } else {
            command.arg(format!("--groups={}", groups.join(",")));
        }
        command.args(["--no-new-privs", "--", "sh", "-c"]);
        // exec keeps the process id, so that $$ is the program's.
        let watched = watchdog.map_or("", |_| "WATCHDOG_PID=$$ ");
        let umask = unit.value("UMask")?;
        command.arg(format!("umask {umask}; {watched}exec \"$@\""));
        command.arg("sh").arg(program);
        command.args(["run", "--config"]).arg(settings);
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.env("NOTIFY_SOCKET", &socket);
        for setting in unit.values("Environment") {
            let (name, value) = setting.split_once('=').context("a variable")?;
            command.env(name, value);
        }
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        if let Some(limit) = watchdog {
            command.env("WATCHDOG_USEC", limit.as_micros().to_string());
        }
        Self::spawn(command, notify)
    }

    fn spawn(mut command: Command, notify: UnixDatagram) -> Result<Self> {
        let mut child = command
            .spawn()
            .context("start setpriv: is the Debian package util-linux installed?")?;
        let pid = child.id();
        let (say, ended) = sync_channel(1);
        std::thread::spawn(move || {
            // The test may be over by then.
            drop(say.send(child.wait()));
        });
        Ok(Self {
            pid,
            notify,
            ended,
            has_ended: false,
        })
    }

    /// Waits for a line and gives those of its message, itself among them; what comes before is passed over.
    pub(crate) fn wait_for(&self, line: &str) -> Result<Vec<String>> {
        let until = Instant::now() + DEADLINE;
        let mut heard = Vec::new();
        let mut buffer = [0; MESSAGE_MAX_BYTES];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "hear {line}: heard {heard:?}");
            self.notify.set_read_timeout(Some(left))?;
            let size = self.notify.recv(&mut buffer);
            let size = size.with_context(|| format!("hear {line}: heard {heard:?}"))?;
            let message = buffer.get(..size).unwrap_or_default();
            let message = String::from_utf8_lossy(message);
            let lines: Vec<String> = message.lines().map(str::to_owned).collect();
            if lines.iter().any(|it| it == line) {
                return Ok(lines);
            }
            heard.extend(lines);
        }
    }

    /// Waits until a line was not said for so long.
    pub(crate) fn wait_for_silence(&self, line: &str, span: Duration) -> Result<()> {
        let until = Instant::now() + DEADLINE;
        let mut last_said = Instant::now();
        let mut buffer = [0; MESSAGE_MAX_BYTES];
        loop {
            let quiet = last_said.elapsed();
            if quiet >= span {
                return Ok(());
            }
            ensure!(Instant::now() < until, "hear no {line}: it is said on");
            self.notify.set_read_timeout(Some(span - quiet))?;
            let Ok(size) = self.notify.recv(&mut buffer) else {
                continue;
            };
            let message = String::from_utf8_lossy(buffer.get(..size).unwrap_or_default());
            if message.lines().any(|it| it == line) {
                last_said = Instant::now();
            }
        }
    }

    /// Asks it to stop, as systemd does.
    pub(crate) fn terminate(&self) -> Result<()> {
        let sent = self.signal("TERM")?;
        ensure!(sent.success(), "send SIGTERM to {}", self.pid);
        Ok(())
    }

    /// Waits for its end and gives its exit code.
    pub(crate) fn exit_code(&mut self) -> Result<Option<i32>> {
        match self.ended.recv_timeout(DEADLINE) {
            Ok(status) => {
                self.has_ended = true;
                Ok(status?.code())
            }
            Err(_late) => bail!("wait for the end of {}", self.pid),
        }
    }

    fn signal(&self, name: &str) -> Result<ExitStatus> {
        let mut kill = as_root("sh")?;
        kill.args(["-c", &format!("kill -{name} {}", self.pid)]);
        kill.status().context("start sh")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended {
            drop(self.signal("KILL"));
            drop(self.ended.recv_timeout(DEADLINE));
        }
    }
}

/// Program and settings of a unit, on the stage.
fn exec_start(stage: &Stage, unit: &Unit) -> Result<(PathBuf, PathBuf)> {
    let words: Vec<&str> = unit.value("ExecStart")?.split_whitespace().collect();
    let &[program, "run", "--config", settings] = words.as_slice() else {
        bail!("{}: ExecStart= is another: {words:?}", unit.name);
    };
    Ok((stage.path(program), stage.path(settings)))
}
