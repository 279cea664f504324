//! loketd itself in the guest: its settings, its process, and what it answers.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::value::until_told;

/// As the host put it into the guest.
const LOKETD: &str = "/bin/loketd";

/// Who may sign here.
const TRUST: &str = "/srv/trust";

/// Of a log, what is told where something failed.
const LAST_LINES: usize = 3;

/// A machine of its own: a state folder, settings, and a daemon that runs or does not.
#[derive(Debug)]
pub(crate) struct Machine {
    home: PathBuf,
    daemon: Option<Child>,
}

impl Machine {
    /// A machine that was never started; `devices` are the tables of its settings.
    pub(crate) fn new(name: &str, devices: &str) -> anyhow::Result<Self> {
        let home = Path::new("/tmp").join(name);
        std::fs::create_dir(&home).context("make a folder")?;
        let text = format!(
            "machine = \"desa-contoh-1\"\nstate_dir = \"{home}/state\"\nruntime_dir = \"{home}/run\"\n\
             trust_dir = \"{TRUST}\"\n{devices}",
            home = home.display()
        );
        std::fs::write(home.join("loketd.toml"), text).context("write settings")?;
        Ok(Self { home, daemon: None })
    }

    /// One of its commands.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(LOKETD);
        command
            .args(words)
            .arg("--config")
            .arg(self.home.join("loketd.toml"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Prints a test ticket by its command.
    pub(crate) async fn tested(&self) -> anyhow::Result<Tested> {
        let output = self.command(&["ticket-test", "--json"]).output().await;
        Tested::of(&output.context("run loketd ticket-test")?)
    }

    /// Starts its daemon, and waits until it answers at the officer's door.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log());
        let mut command = self.command(&["run"]);
        command
            .stdout(Stdio::null())
            .stderr(log.context("open the log")?);
        self.daemon = Some(command.spawn().context("start loketd")?);
        until_told("loketd at its door", || self.jobs()).await?;
        Ok(())
    }

    /// Ends it as a power cut does.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut daemon = self.daemon.take().context("kill what does not run")?;
        daemon.kill().await.context("kill loketd")
    }

    /// The jobs that are not ended; nothing where nobody answers.
    pub(crate) async fn jobs(&self) -> anyhow::Result<Option<Vec<Value>>> {
        let answer = self.ask(r#"{"do":"jobs"}"#).await;
        Ok(answer.and_then(|it| it.get("ok")?.as_array().cloned()))
    }

    /// Waits until its ticket printer is seen so.
    pub(crate) async fn sees_tickets(&self, state: &str, reasons: &[&str]) -> anyhow::Result<()> {
        let what = format!("the ticket printer {state} {reasons:?}");
        until_told(&what, || async {
            let answer = self.ask(r#"{"do":"ticket-state"}"#).await;
            let seen = answer.and_then(|it| it.get("ticket-state").cloned());
            let is_so = seen.is_some_and(|seen| {
                let said = seen.get("reasons").and_then(Value::as_array);
                let said = said.into_iter().flatten().filter_map(Value::as_str);
                seen.get("state").and_then(Value::as_str) == Some(state)
                    && said.eq(reasons.iter().copied())
            });
            Ok(is_so.then_some(()))
        })
        .await
    }

    /// One question at the officer's door.
    async fn ask(&self, line: &str) -> Option<Value> {
        let stream = UnixStream::connect(self.home.join("run/control.sock")).await;
        let mut stream = BufReader::new(stream.ok()?);
        stream
            .write_all(format!("{line}\n").as_bytes())
            .await
            .ok()?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await.ok()?;
        serde_json::from_str(&answer).ok()
    }

    /// The last that its daemon said, for whoever reads why a scenario failed.
    pub(crate) fn said(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LAST_LINES).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        lines.join(" | ")
    }

    /// Ends it and removes what it kept: the guest's disk is its memory.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.kill().await?;
        std::fs::remove_dir_all(&self.home).context("remove the machine's folder")
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }
}

/// What became of a test ticket.
#[derive(Debug)]
pub(crate) struct Tested {
    pub(crate) code: Option<i32>,
    pub(crate) fate: String,
    pub(crate) detail: String,
}

impl Tested {
    fn of(output: &Output) -> anyhow::Result<Self> {
        let line = output.stdout.split(|byte| *byte == b'\n').next();
        let told: Option<Value> = serde_json::from_slice(line.unwrap_or_default()).ok();
        let code = output.status.code();
        let told = told.with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("the command ended with {code:?} and said {said}")
        })?;
        let text = |name: &str| {
            let found = told.get(name).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        Ok(Self {
            code,
            fate: text("fate"),
            detail: text("detail"),
        })
    }
}
