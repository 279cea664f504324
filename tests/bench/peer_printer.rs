//! Debian's ippeveprinter, whose print command notes when it starts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, text};

/// Stands in for the DNS-SD daemon, without which ippeveprinter does not start.
const NO_DNS_SD: &str = "../crates/ipp-printer/tests/support/avahi.c";

/// What "the print command starts" means: one process, one line with the time, one side printed.
const PRINT_COMMAND: &str = "#!/bin/bash
echo \"$EPOCHREALTIME\" >>\"$NOTES\"
echo 'ATTR: job-impressions-completed=1' >&2
";

/// Between two looks at the notes; the time noted does not depend on it.
const LOOK: Duration = Duration::from_millis(2);

/// Ends a run that hangs; CUPS takes a second.
const DEADLINE: Duration = Duration::from_secs(120);

/// The printer.
#[derive(Debug)]
pub(crate) struct PeerPrinter {
    uri: String,
    notes: PathBuf,
    seen_count: usize,
    _running: Running,
}

impl PeerPrinter {
    /// Starts it with its files in a folder of the site.
    pub(crate) async fn start(site: &Site) -> anyhow::Result<Self> {
        let folder = site.path("peer-printer");
        for name in ["spool", "keys"] {
            std::fs::create_dir_all(folder.join(name)).context("make the printer's folders")?;
        }
        let command = folder.join("print");
        std::fs::write(&command, PRINT_COMMAND).context("write the print command")?;
        let all_run = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&command, all_run).context("make the print command run")?;
        let notes = folder.join("notes");
        let port = free_port()?;
        let program = Path::new("/usr/sbin/ippeveprinter");
        ensure!(
            program.exists(),
            "find ippeveprinter: install the Debian package cups-ipp-utils"
        );
        let program = Program::at(program)
            .with_env("LD_PRELOAD", &text(&no_dns_sd(&folder).await?))
            .with_env("NOTES", &text(&notes))
            .with_env("HOME", &text(&folder));
        let (spool, keys) = (text(&folder.join("spool")), text(&folder.join("keys")));
        let (command, number) = (text(&command), port.to_string());
        let started = program.command([
            "-n",
            "localhost",
            "-r",
            "off",
            "-p",
            &number,
            "-d",
            &spool,
            "-K",
            &keys,
            "-c",
            &command,
            "-f",
            "application/pdf,image/pwg-raster",
            "Peer",
        ]);
        let mut running = Running::start("ippeveprinter", started, &site.path("logs"))?;
        site.wait_for_port(&mut running, port).await?;
        Ok(Self {
            uri: format!("ipp://localhost:{port}/ipp/print"),
            notes,
            seen_count: 0,
            _running: running,
        })
    }

    /// Its address.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for the next start of the print command; gives its time since 1970.
    pub(crate) async fn next_start(&mut self) -> anyhow::Result<Duration> {
        let mut look = tokio::time::interval(LOOK);
        let wait = async {
            loop {
                look.tick().await;
                let notes = std::fs::read_to_string(&self.notes).unwrap_or_default();
                let mut whole = notes.split_inclusive('\n').filter(|it| it.ends_with('\n'));
                if let Some(line) = whole.nth(self.seen_count) {
                    return moment(line.trim());
                }
            }
        };
        let seen = tokio::time::timeout(DEADLINE, wait).await;
        let seen = seen.context("see the print command start")??;
        self.seen_count += 1;
        Ok(seen)
    }
}

/// `1795383333.926638`, with the separator of whatever locale bash runs in.
fn moment(note: &str) -> anyhow::Result<Duration> {
    let (seconds, micros) = note.split_once(['.', ',']).context("read a note")?;
    Ok(Duration::from_secs(seconds.parse()?) + Duration::from_micros(micros.parse()?))
}

async fn no_dns_sd(folder: &Path) -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(NO_DNS_SD);
    let library = folder.join("no-dns-sd.so");
    let compile = Program::at("/usr/bin/cc".as_ref());
    let (source, out) = (text(&source), text(&library));
    compile
        .run(["-shared", "-fPIC", "-o", &out, &source])
        .await?;
    Ok(library)
}

fn free_port() -> anyhow::Result<u16> {
    let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).context("draw a port")?;
    Ok(socket.local_addr().context("draw a port")?.port())
}
