//! Child processes: started with their output in a log file, waited for, ended.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Set for children that end with their parent, however it ends: their standard input is then a pipe that only the
/// parent holds.
pub const TIED: &str = "LOKET_DEMO_TIED";

/// How a program is started: its command line up to its own arguments.
#[derive(Debug, Clone)]
pub struct Program {
    words: Vec<OsString>,
    env: Vec<(String, String)>,
    is_apart: bool,
}

impl Program {
    /// A program file.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            words: vec![path.as_os_str().to_owned()],
            env: Vec::new(),
            is_apart: false,
        }
    }

    /// The demo program started again as one of its parts, in a process group of its own: Ctrl+C at the terminal
    /// reaches the demo alone, which ends its parts in order.
    #[must_use]
    pub fn part_of(demo: &Path, part: &str) -> Self {
        Self {
            words: vec![demo.as_os_str().to_owned(), "part".into(), part.into()],
            env: Vec::new(),
            is_apart: true,
        }
    }

    /// The same with a variable of its environment set.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This program, which takes another as its last words and becomes it: `self arguments inner`.
    #[must_use]
    pub fn running(mut self, arguments: &[&str], inner: &Self) -> Self {
        self.words.extend(arguments.iter().map(Into::into));
        self.words.extend(inner.words.iter().cloned());
        self.env.extend(inner.env.iter().cloned());
        self
    }

    /// Its command with `arguments`; the child ends with the process that started it.
    #[must_use]
    pub fn command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let (first, rest) = self
            .words
            .split_first()
            .map_or((None, &[][..]), |(a, b)| (Some(a), b));
        let mut command = Command::new(first.cloned().unwrap_or_default());
        command
            .args(rest)
            .args(arguments)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if self.is_apart {
            command.process_group(0);
        }
        command
    }

    /// Runs it to its end and gives what it printed.
    ///
    /// # Errors
    /// When it cannot be started or ends with another code than 0; its words are in the error.
    pub async fn run<I, S>(&self, arguments: I) -> anyhow::Result<String>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        let mut command = self.command(arguments);
        let output = command
            .output()
            .await
            .with_context(|| format!("start {command:?}"))?;
        if !output.status.success() {
            bail!(
                "{command:?} ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A running child with its log.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command`; both its outputs go to `<logs>/<name>.log`, appended.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command, logs: &Path) -> anyhow::Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = open_log(&log)?;
        let errors = file.try_clone().context("share a log file")?;
        let child = tied(&mut command).stdout(file).stderr(errors).spawn();
        let child = child.with_context(|| format!("start {command:?}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Starts `command` and waits for the line of its output that begins with `word`; gives the rest of the line.
    ///
    /// # Errors
    /// When it cannot be started or ends before.
    pub async fn start_and_hear(
        name: &str,
        mut command: Command,
        logs: &Path,
        word: &str,
    ) -> anyhow::Result<(Self, String)> {
        let log = logs.join(format!("{name}.log"));
        let child = tied(&mut command)
            .stdout(Stdio::piped())
            .stderr(open_log(&log)?)
            .spawn();
        let mut child = child.with_context(|| format!("start {command:?}"))?;
        let stdout = child.stdout.take().context("hear a child")?;
        let mut lines = BufReader::new(stdout).lines();
        let wait = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(rest) = line.strip_prefix(word) {
                    return Ok(rest.trim().to_owned());
                }
            }
            bail!(
                "{name} ended before it said '{word}'; see {}",
                log.display()
            )
        };
        let heard = tokio::time::timeout(START_TIMEOUT, wait).await;
        let heard = heard.with_context(|| format!("hear '{word}' from {name}"))??;
        Ok((
            Self {
                name: name.to_owned(),
                child,
                log,
            },
            heard,
        ))
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Says an error if it has ended by itself.
    ///
    /// # Errors
    /// When it has.
    pub fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!(
                "{} ended with {status}; see {}",
                self.name,
                self.log.display()
            ),
            Err(error) => Err(error).context("look after a child"),
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn wait(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        self.child.wait().await.context("wait for a child")
    }

    /// Kills it as a power cut would, and waits.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.child
            .kill()
            .await
            .with_context(|| format!("kill {}", self.name))
    }

    /// Asks it to stop, and kills it past the deadline.
    ///
    /// # Errors
    /// When it can be neither asked nor killed.
    pub async fn stop(&mut self) -> anyhow::Result<std::process::ExitStatus> {
        if let Some(pid) = self.child.id() {
            let asked = Command::new("kill")
                .arg("-TERM")
                .arg(pid.to_string())
                .status()
                .await;
            asked.context("ask a child to stop")?;
        }
        match tokio::time::timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) => status.context("wait for a child"),
            Err(_late) => {
                self.kill().await?;
                self.wait().await
            }
        }
    }
}

/// A cold start on two loaded cores takes a few seconds.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than the programs' own drain deadlines.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

fn tied(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).env(TIED, "1")
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    let file = File::options().create(true).append(true).open(path);
    file.with_context(|| format!("open {}", path.display()))
}
