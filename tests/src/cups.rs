//! A cupsd of our own: its files in one folder, its socket there, nothing of the system's.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, draw_port, text};

/// The one queue. It has no PPD, so no filter of CUPS touches the document: its quickest way.
const QUEUE: &str = "bench";

/// Between two questions; nothing timed depends on it.
const LOOK: Duration = Duration::from_millis(50);

/// Between two looks at its socket while a start is timed.
const CLOSE_LOOK: Duration = Duration::from_millis(1);

/// Ends a run that hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// What a private cupsd needs beyond its defaults; all timings stay Debian's.
const SETTINGS: &str = "LogLevel warn
Browsing Off
WebInterface No
DefaultAuthType None
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
JobPrivateAccess all
JobPrivateValues none
SubscriptionPrivateAccess all
SubscriptionPrivateValues none
<Limit All>
Order deny,allow
Allow all
</Limit>
</Policy>
";

/// Where Debian keeps what cupsd starts.
const SERVER_BIN: &str = "/usr/lib/cups";

/// The device of a queue that is a printer: takes the document, and notes a sheet.
const SHEETS_DEVICE: &str = "loket-sheets";

/// As root, as backends run that nobody else may start; `$0` lies in the folder of backends.
const SHEETS_BACKEND: &str = "#!/bin/sh
[ $# -eq 0 ] && exit 0
if [ $# -ge 6 ]; then cat \"$6\" >/dev/null; else cat >/dev/null; fi
echo sheet >>\"${0%/*}/../sheets\"
";

/// A running cupsd with its queue.
#[derive(Debug)]
pub struct Cups {
    folder: PathBuf,
    port: Option<u16>,
    running: Running,
}

impl Cups {
    /// Starts it as a client: one queue to the printer at `uri`.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start(site: &Site, uri: &str) -> anyhow::Result<Self> {
        let folder = site.path("cups");
        Self::with_queue(site, &folder, None, uri).await
    }

    /// Starts it as a printer that counts its sheets.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn as_printer(site: &Site) -> anyhow::Result<Self> {
        let folder = site.path("cups-printer");
        let own = folder.join("bin");
        std::fs::create_dir_all(own.join("backend")).context("make a folder of backends")?;
        for name in ["daemon", "filter", "notifier"] {
            let there = Path::new(SERVER_BIN).join(name);
            symlink(there, own.join(name)).context("lead to what cupsd starts")?;
        }
        let backend = own.join("backend").join(SHEETS_DEVICE);
        std::fs::write(&backend, SHEETS_BACKEND).context("write a backend")?;
        let root_alone = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&backend, root_alone).context("make a backend run")?;
        let device = format!("{SHEETS_DEVICE}:/");
        Self::with_queue(site, &folder, Some(draw_port()?), &device).await
    }

    async fn with_queue(
        site: &Site,
        folder: &Path,
        port: Option<u16>,
        device: &str,
    ) -> anyhow::Result<Self> {
        let mut cups = Self::launch(site, folder, port)?;
        cups.wait_up(LOOK).await?;
        cups.tool("/usr/sbin/lpadmin")
            .run(["-p", QUEUE, "-v", device, "-m", "raw", "-E"])
            .await?;
        // It writes its queues 30 s later (DirtyCleanInterval), or when it ends in order: whoever set it up did so long ago.
        cups.running.stop().await?;
        let again = Self::launch(site, folder, port)?;
        cups.running = again.running;
        cups.wait_up(LOOK).await?;
        Ok(cups)
    }

    /// Starts and stops it again and again, and times each start until its socket takes a connection.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn time_starts(site: &Site, count: usize) -> anyhow::Result<Vec<Duration>> {
        let mut durations = Vec::new();
        for _ in 0..count {
            let since = Instant::now();
            let mut cups = Self::launch(site, &site.path("cups"), None)?;
            cups.wait_up(CLOSE_LOOK).await?;
            durations.push(since.elapsed());
            cups.running.stop().await?;
        }
        Ok(durations)
    }

    fn launch(site: &Site, folder: &Path, port: Option<u16>) -> anyhow::Result<Self> {
        let program = Path::new("/usr/sbin/cupsd");
        ensure!(
            program.exists() && Path::new("/usr/bin/lp").exists(),
            "find cupsd and lp: install the Debian packages cups-daemon and cups-client"
        );
        for name in ["root", "cache", "state", "spool/tmp", "log"] {
            std::fs::create_dir_all(folder.join(name)).context("make the folders of CUPS")?;
        }
        // Its backends run as lp and reach the spool through here.
        let all_pass = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(&site.dir, all_pass).context("let lp pass")?;
        let (settings, files) = (folder.join("cupsd.conf"), folder.join("cups-files.conf"));
        let mut listen = format!("Listen {}\n", folder.join("socket").display());
        if let Some(port) = port {
            listen.push_str(&format!("Listen 127.0.0.1:{port}\n"));
        }
        std::fs::write(&settings, listen + SETTINGS).context("write cupsd.conf")?;
        std::fs::write(&files, places(folder)).context("write cups-files.conf")?;
        let (settings, files) = (text(&settings), text(&files));
        let command = Program::at(program).command(["-f", "-c", &settings, "-s", &files]);
        let running = Running::start("cupsd", command, &site.path("logs"))?;
        Ok(Self {
            folder: folder.to_owned(),
            port,
            running,
        })
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.running.pid().context("find the process of cupsd")
    }

    /// The address of its queue, where it is a printer.
    ///
    /// # Errors
    /// When it is none.
    pub fn uri(&self) -> anyhow::Result<String> {
        let port = self.port.context("print through a cupsd that listens")?;
        Ok(format!("ipp://127.0.0.1:{port}/printers/{QUEUE}"))
    }

    /// Where its device notes a line for each sheet, where it is a printer.
    #[must_use]
    pub fn sheets_noted(&self) -> PathBuf {
        self.folder.join("bin/sheets")
    }

    /// Hands a file in with `lp`; comes back when that does.
    ///
    /// # Errors
    /// When `lp` refuses.
    pub async fn lp(&self, file: &Path) -> anyhow::Result<()> {
        let file = text(file);
        let lp = self.tool("/usr/bin/lp");
        lp.run(["-d", QUEUE, &file]).await.map(drop)
    }

    /// Waits until the queue is empty.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn wait_done(&self) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK);
        let wait = async {
            loop {
                look.tick().await;
                if self.is_empty().await? {
                    return Ok(());
                }
            }
        };
        let done = tokio::time::timeout(DEADLINE, wait).await;
        done.context("see the queue of CUPS empty")?
    }

    /// Whether its queue holds no job that has not ended.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn is_empty(&self) -> anyhow::Result<bool> {
        let jobs = self.tool("/usr/bin/lpstat").run(["-o", QUEUE]).await?;
        Ok(jobs.trim().is_empty())
    }

    /// Gives up every job of its queue, and sets the queue going where it stopped.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn clear(&self) -> anyhow::Result<()> {
        self.tool("/usr/bin/cancel").run(["-a", QUEUE]).await?;
        self.tool("/usr/sbin/cupsenable")
            .run([QUEUE])
            .await
            .map(drop)
    }

    /// Kills it, with what it started where that is asked, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn kill_and_start(&mut self, site: &Site, with_backends: bool) -> anyhow::Result<()> {
        let started = children(self.pid()?)?;
        self.running.kill().await?;
        if with_backends {
            for pid in started {
                // One that has ended meanwhile is what was wanted.
                drop(
                    Program::at("/bin/kill".as_ref())
                        .run(["-9", &pid.to_string()])
                        .await,
                );
            }
        }
        let again = Self::launch(site, &self.folder, self.port)?;
        self.running = again.running;
        self.wait_up(LOOK).await
    }

    async fn wait_up(&mut self, every: Duration) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(every);
        let socket = self.folder.join("socket");
        let wait = async {
            while tokio::net::UnixStream::connect(&socket).await.is_err() {
                self.running.check()?;
                look.tick().await;
            }
            Ok(())
        };
        let up = tokio::time::timeout(DEADLINE, wait).await;
        up.context("reach cupsd")?
    }

    fn tool(&self, path: &str) -> Program {
        let socket = text(&self.folder.join("socket"));
        Program::at(path.as_ref()).with_env("CUPS_SERVER", &socket)
    }
}

/// The processes that this one started.
fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("list the processes")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // proc(5): pid (name) state ppid …; the name may hold anything.
        let after_name = stat.rsplit_once(") ").map_or("", |(_name, rest)| rest);
        let of = after_name.split(' ').nth(1).and_then(|it| it.parse().ok());
        if of == Some(parent) {
            found.push(pid);
        }
    }
    Ok(found)
}

fn places(folder: &Path) -> String {
    let at = folder.display();
    let own = folder.join("bin");
    let bin = if own.exists() {
        format!("ServerBin {}\n", own.display())
    } else {
        String::new()
    };
    format!(
        "{bin}ServerRoot {at}/root\nCacheDir {at}/cache\nStateDir {at}/state\nRequestRoot {at}/spool\n\
         TempDir {at}/spool/tmp\nAccessLog {at}/log/access\nErrorLog {at}/log/error\n\
         PageLog {at}/log/page\nUser lp\nGroup lp\nSystemGroup root\n"
    )
}
