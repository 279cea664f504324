//! Printers of several characters, behind a way that can be cut, with their sheets counted.

use anyhow::Context as _;
use loket_demo::child::Running;
use loket_demo::http;
use loket_demo::once::printer_report;
use loket_demo::site::Site;

use crate::cups::Cups;
use crate::look::until;
use crate::peer_printer::PeerPrinter;
use crate::way::{Direction, Way};
use crate::world::{DEADLINE, World};

/// What a printer does with what it has when its power goes, and with a second document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Character {
    /// Simulated: remembers its jobs and goes on with them.
    Remembers,
    /// Simulated: forgets its jobs and numbers them from 1 again; takes one at a time (measured: ippeveprinter).
    ForgetsAll,
    /// Simulated: forgets its jobs and goes on numbering (measured: PAPPL).
    ForgetsButNumbers,
    /// Simulated: takes several documents for one job and prints each.
    TakesSeveral,
    /// Simulated: remembers its jobs, and takes one only with its document.
    TakesWhole,
    /// Debian's ippeveprinter.
    Ippeveprinter,
    /// Debian's cupsd as the printer.
    Cupsd,
}

impl Character {
    /// Every character, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Remembers,
        Self::ForgetsAll,
        Self::ForgetsButNumbers,
        Self::TakesSeveral,
        Self::TakesWhole,
        Self::Ippeveprinter,
        Self::Cupsd,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Remembers => "remembers",
            Self::ForgetsAll => "forgets-all",
            Self::ForgetsButNumbers => "forgets-but-numbers",
            Self::TakesSeveral => "takes-several",
            Self::TakesWhole => "takes-whole",
            Self::Ippeveprinter => "ippeveprinter",
            Self::Cupsd => "cupsd",
        }
    }

    /// Whether an officer may be asked here without a printer that lost its power: of a document that may have left with
    /// its job, and of which the printer says nothing, nobody else can know (docs/adr/0059).
    #[must_use]
    pub const fn is_asked_about_sendings(self) -> bool {
        matches!(self, Self::TakesWhole)
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ForgetsAll => &[
                "--delay-ms",
                "60",
                "--busy",
                "--memory",
                "forget-restart-ids",
            ],
            Self::ForgetsButNumbers => &["--delay-ms", "60", "--memory", "forget-keep-ids"],
            Self::TakesSeveral => &["--delay-ms", "60", "--multiple-document-jobs"],
            Self::TakesWhole => &["--delay-ms", "60", "--print-job-only"],
            Self::Remembers | Self::Ippeveprinter | Self::Cupsd => &["--delay-ms", "60"],
        }
    }
}

/// Prints at once: one line for each sheet, and says that one side came out.
const PRINTS: &str = "#!/bin/sh
echo sheet >>\"$OUT/sheets\"
echo 'ATTR: job-impressions-completed=1' >&2
";

/// A printer and the way to it.
#[derive(Debug)]
pub struct Printer {
    character: Character,
    way: Way,
    path: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Simulated { _running: Running, uri: String },
    Ippeveprinter(PeerPrinter),
    Cupsd(Cups),
}

impl Printer {
    /// Starts one.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub async fn start(world: &World, character: Character) -> anyhow::Result<Self> {
        let site = &world.site;
        let (uri, body) = match character {
            Character::Ippeveprinter => {
                let peer = PeerPrinter::start(site, PRINTS).await?;
                (peer.uri(), Body::Ippeveprinter(peer))
            }
            Character::Cupsd => {
                let cups = Cups::as_printer(site).await?;
                (cups.uri()?, Body::Cupsd(cups))
            }
            Character::Remembers
            | Character::ForgetsAll
            | Character::ForgetsButNumbers
            | Character::TakesSeveral
            | Character::TakesWhole => {
                let started = site.start_printer("printer", character.arguments());
                let (running, uri) = started.await?;
                let body = Body::Simulated {
                    _running: running,
                    uri: uri.clone(),
                };
                (uri, body)
            }
        };
        let rest = uri.strip_prefix("ipp://").context("read an address")?;
        let (at, path) = rest.split_once('/').context("read an address")?;
        Ok(Self {
            character,
            way: Way::to(at).await?,
            path: path.to_owned(),
            body,
        })
    }

    /// What it does when its power goes.
    #[must_use]
    pub const fn character(&self) -> Character {
        self.character
    }

    /// Its address, at the beginning of the way to it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("ipp://{}/{}", self.way.at(), self.path)
    }

    /// Sheets that came out, ever.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn sheets(&self) -> anyhow::Result<u64> {
        let notes = match &self.body {
            Body::Simulated { uri, .. } => {
                let report = printer_report(uri).await?;
                let sheets = report.get("sheets").and_then(serde_json::Value::as_u64);
                return sheets.context("read the sheets");
            }
            Body::Ippeveprinter(peer) => peer.out("sheets"),
            Body::Cupsd(cups) => cups.sheets_noted(),
        };
        match std::fs::read_to_string(notes) {
            Ok(notes) => Ok(u64::try_from(notes.lines().count())?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).context("read the notes of a print command"),
        }
    }

    /// Takes its power and gives it back; false where it keeps its power. A queue of cupsd is a program on a computer: what
    /// it does with jobs when it dies is a matrix of its own ([`super::Rival`]).
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn cut_power(&mut self, site: &Site) -> anyhow::Result<bool> {
        match &mut self.body {
            Body::Simulated { uri, .. } => {
                let at = uri
                    .strip_prefix("ipp://")
                    .and_then(|rest| rest.split('/').next());
                let at = at.context("read an address")?;
                let cut = http::post(at, "/control/power-cycle", "application/json", Vec::new())?;
                http::send(at, cut).await?.json()?;
                Ok(true)
            }
            Body::Ippeveprinter(peer) => {
                peer.kill_and_start(site).await?;
                // A print command that outlived its printer would put out a sheet after somebody looked into the tray.
                let script = peer.out("print");
                until("no print command", DEADLINE, async || {
                    Ok((!is_running(&script.display().to_string())?).then_some(()))
                })
                .await?;
                Ok(true)
            }
            Body::Cupsd(_) => Ok(false),
        }
    }

    /// Resets the connection that carries the byte after the next `bytes` in this direction.
    pub fn reset_after(&self, direction: Direction, bytes: u64) {
        self.way.cut_after(direction, bytes);
    }

    /// Leaves the way whole from here on.
    pub fn mend(&self) {
        self.way.mend();
    }

    /// Connections that were reset so far.
    #[must_use]
    pub fn reset_count(&self) -> u64 {
        self.way.cut_count()
    }
}

/// Whether a shell runs this script.
fn is_running(script: &str) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir("/proc").context("list the processes")? {
        let words = std::fs::read(entry?.path().join("cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        let is_shell = words.next().is_some_and(|word| word.ends_with(b"sh"));
        if is_shell && words.any(|word| word == script.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}
