//! A cupsd of our own: its files in one folder, its socket there, nothing of the system's.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, text};

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

/// A running cupsd with its queue.
#[derive(Debug)]
pub(crate) struct Cups {
    socket: PathBuf,
    running: Running,
}

impl Cups {
    /// Starts it with one queue to the printer at `uri`.
    pub(crate) async fn start(site: &Site, uri: &str) -> anyhow::Result<Self> {
        let mut cups = Self::launch(site)?;
        cups.wait_up(LOOK).await?;
        cups.tool("/usr/sbin/lpadmin")
            .run(["-p", QUEUE, "-v", uri, "-m", "raw", "-E"])
            .await?;
        Ok(cups)
    }

    /// Starts and stops it again and again, and times each start until its socket takes a connection.
    pub(crate) async fn time_starts(site: &Site, count: usize) -> anyhow::Result<Vec<Duration>> {
        let mut durations = Vec::new();
        for _ in 0..count {
            let since = Instant::now();
            let mut cups = Self::launch(site)?;
            cups.wait_up(CLOSE_LOOK).await?;
            durations.push(since.elapsed());
            cups.running.stop().await?;
        }
        Ok(durations)
    }

    fn launch(site: &Site) -> anyhow::Result<Self> {
        let program = Path::new("/usr/sbin/cupsd");
        ensure!(
            program.exists() && Path::new("/usr/bin/lp").exists(),
            "find cupsd and lp: install the Debian packages cups-daemon and cups-client"
        );
        let folder = site.path("cups");
        let socket = folder.join("socket");
        for name in ["root", "cache", "state", "spool/tmp", "log"] {
            std::fs::create_dir_all(folder.join(name)).context("make the folders of CUPS")?;
        }
        // Its backends run as lp and reach the spool through here.
        let all_pass = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(&site.dir, all_pass).context("let lp pass")?;
        let (settings, files) = (folder.join("cupsd.conf"), folder.join("cups-files.conf"));
        let listen = format!("Listen {}\n{SETTINGS}", socket.display());
        std::fs::write(&settings, listen).context("write cupsd.conf")?;
        std::fs::write(&files, places(&folder)).context("write cups-files.conf")?;
        let (settings, files) = (text(&settings), text(&files));
        let command = Program::at(program).command(["-f", "-c", &settings, "-s", &files]);
        let running = Running::start("cupsd", command, &site.path("logs"))?;
        Ok(Self { socket, running })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.running.pid().context("find the process of cupsd")
    }

    /// Hands a file in with `lp`; comes back when that does.
    pub(crate) async fn lp(&self, file: &Path) -> anyhow::Result<()> {
        let file = text(file);
        let lp = self.tool("/usr/bin/lp");
        lp.run(["-d", QUEUE, &file]).await.map(drop)
    }

    /// Waits until the queue is empty.
    pub(crate) async fn wait_done(&self) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK);
        let wait = async {
            loop {
                look.tick().await;
                let jobs = self.tool("/usr/bin/lpstat").run(["-o", QUEUE]).await?;
                if jobs.trim().is_empty() {
                    return Ok(());
                }
            }
        };
        let done = tokio::time::timeout(DEADLINE, wait).await;
        done.context("see the queue of CUPS empty")?
    }

    async fn wait_up(&mut self, every: Duration) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(every);
        let wait = async {
            while tokio::net::UnixStream::connect(&self.socket).await.is_err() {
                self.running.check()?;
                look.tick().await;
            }
            Ok(())
        };
        let up = tokio::time::timeout(DEADLINE, wait).await;
        up.context("reach cupsd")?
    }

    fn tool(&self, path: &str) -> Program {
        Program::at(path.as_ref()).with_env("CUPS_SERVER", &text(&self.socket))
    }
}

fn places(folder: &Path) -> String {
    let at = folder.display();
    format!(
        "ServerRoot {at}/root\nCacheDir {at}/cache\nStateDir {at}/state\nRequestRoot {at}/spool\n\
         TempDir {at}/spool/tmp\nAccessLog {at}/log/access\nErrorLog {at}/log/error\n\
         PageLog {at}/log/page\nUser lp\nGroup lp\nSystemGroup root\n"
    )
}
