//! Debian's ippeveprinter: a printer that shares no code with us, and forgets its jobs when it dies.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::site::{Site, text};

/// Stands in for the DNS-SD daemon, without which ippeveprinter does not start.
const NO_DNS_SD: &str = "../crates/ipp-printer/tests/support/avahi.c";

/// The printer.
#[derive(Debug)]
pub struct PeerPrinter {
    program: Program,
    folder: PathBuf,
    formats: String,
    port: u16,
    running: Running,
}

impl PeerPrinter {
    /// Starts it with its files in a folder of the site; `command` is the shell script that prints, with `$OUT` for that
    /// folder and `$1` for the document.
    ///
    /// # Errors
    /// When it is not installed or does not listen.
    pub async fn start(site: &Site, command: &str) -> anyhow::Result<Self> {
        Self::start_with(site, command, "application/pdf,image/pwg-raster").await
    }

    /// As [`PeerPrinter::start`], with these formats, by commas.
    ///
    /// # Errors
    /// As [`PeerPrinter::start`].
    pub async fn start_with(site: &Site, command: &str, formats: &str) -> anyhow::Result<Self> {
        let folder = site.path("peer-printer");
        for name in ["spool", "keys"] {
            std::fs::create_dir_all(folder.join(name)).context("make the printer's folders")?;
        }
        let script = folder.join("print");
        std::fs::write(&script, command).context("write the print command")?;
        let all_run = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&script, all_run).context("make the print command run")?;
        let program = Path::new("/usr/sbin/ippeveprinter");
        ensure!(
            program.exists(),
            "find ippeveprinter: install the Debian package cups-ipp-utils"
        );
        let program = Program::at(program)
            .with_env("LD_PRELOAD", &text(&no_dns_sd(&folder).await?))
            .with_env("OUT", &text(&folder))
            .with_env("HOME", &text(&folder));
        let port = loket_demo::site::draw_port()?;
        let running = listen(site, &program, (&folder, formats), port).await?;
        Ok(Self {
            program,
            folder,
            formats: formats.to_owned(),
            port,
            running,
        })
    }

    /// Kills it and starts it again at the same address; it has forgotten everything.
    ///
    /// # Errors
    /// When it does not listen again.
    pub async fn kill_and_start(&mut self, site: &Site) -> anyhow::Result<()> {
        self.running.kill().await?;
        let files = (self.folder.as_path(), self.formats.as_str());
        self.running = listen(site, &self.program, files, self.port).await?;
        Ok(())
    }

    /// Its address.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("ipp://localhost:{}/ipp/print", self.port)
    }

    /// A file that its print command wrote.
    #[must_use]
    pub fn out(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

async fn listen(
    site: &Site,
    program: &Program,
    (folder, formats): (&Path, &str),
    port: u16,
) -> anyhow::Result<Running> {
    let (spool, keys) = (text(&folder.join("spool")), text(&folder.join("keys")));
    let (script, number) = (text(&folder.join("print")), port.to_string());
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
        &script,
        "-f",
        formats,
        "Peer",
    ]);
    let mut running = Running::start("ippeveprinter", started, &site.path("logs"))?;
    site.wait_for_port(&mut running, port).await?;
    Ok(running)
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
