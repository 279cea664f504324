//! A site with a real broker, central, stations and printers, ready for a test to break.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use loket_demo::child::{Program, Running};
use loket_demo::once::printer_report;
use loket_demo::site::{Machine, Programs, Site, Tokens, text};
use loket_demo::{http, once};

use crate::mosquitto;

/// Ends a hung test; no timing is asserted.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Where programs of a world make temporary files.
const SCRATCH: &str = "tmp";

/// Turns sealing off in programs with test hooks.
const UNSEALED: &str = "LOKET_UNSEALED";

/// Which build of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// As shipped.
    Plain,
    /// With feature `test-hooks`.
    Hooks,
}

/// The folder of a build's programs.
///
/// # Errors
/// When `LOKET_BIN_DIR` is not set or the folder is not there.
pub fn bin_dir(build: Build) -> anyhow::Result<PathBuf> {
    let root =
        std::env::var_os("LOKET_BIN_DIR").context("find LOKET_BIN_DIR: run 'cargo xtask test'")?;
    let dir = Path::new(&root).join(match build {
        Build::Plain => "plain",
        Build::Hooks => "hooks",
    });
    ensure!(
        dir.is_dir(),
        "find {}: run 'cargo xtask test'",
        dir.display()
    );
    Ok(dir)
}

/// The programs of a build.
///
/// # Errors
/// As [`bin_dir`].
pub fn programs(build: Build) -> anyhow::Result<Programs> {
    let (dir, plain) = (bin_dir(build)?, bin_dir(Build::Plain)?);
    Ok(Programs {
        loketd: Program::at(&dir.join("loketd")),
        central: Program::at(&dir.join("loket-central")),
        provision: Program::at(&plain.join("loket-provision")),
        printer: Program::at(&plain.join("loket-sim-printer")),
        ticket_printer: Program::at(&plain.join("loket-sim-ticket-printer")),
        broker: None,
    })
}

/// A file of `tests/fixtures`.
///
/// # Errors
/// When it cannot be read.
pub fn fixture(name: &str) -> anyhow::Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    std::fs::read(&path).with_context(|| format!("read {}", path.display()))
}

/// A program that makes its temporary files where a search finds them, with sealing off if that is asked.
fn prepared(program: Program, dir: &Path, unsealed: bool) -> Program {
    let program = program.with_env("TMPDIR", &text(&dir.join(SCRATCH)));
    if unsealed {
        program.with_env(UNSEALED, "1")
    } else {
        program
    }
}

/// The world of a test; its folder goes with it.
#[derive(Debug)]
pub struct World {
    /// The site.
    pub site: Site,
    /// Its sign-ins.
    pub tokens: Tokens,
    /// Its broker.
    pub broker: Running,
    /// Its central.
    pub central: Running,
    unsealed: bool,
    folder: tempfile::TempDir,
}

impl World {
    /// Starts broker and central; `unsealed` turns sealing off, as the control of the secrecy tests.
    ///
    /// # Errors
    /// When a program does not start.
    pub async fn start(build: Build, unsealed: bool) -> anyhow::Result<Self> {
        let mut folder = tempfile::tempdir().context("make a folder")?;
        // For a person who looks into a failure: the folder with its logs stays.
        folder.disable_cleanup(std::env::var_os("LOKET_KEEP").is_some());
        let names = ["root.pem", "issuing.pem", "root.crl.pem", "issuing.crl"];
        let mut trust = Vec::new();
        for name in names {
            trust.push((name, fixture(&format!("trust/{name}"))?));
        }
        let trust: Vec<(&str, &[u8])> = trust
            .iter()
            .map(|(name, bytes)| (*name, bytes.as_slice()))
            .collect();
        let mut programs = programs(build)?;
        std::fs::create_dir(folder.path().join(SCRATCH)).context("make a folder")?;
        for program in [
            &mut programs.loketd,
            &mut programs.central,
            &mut programs.provision,
            &mut programs.printer,
            &mut programs.ticket_printer,
        ] {
            *program = prepared(program.clone(), folder.path(), unsealed);
        }
        let site = Site::prepare(folder.path(), programs, &trust).await?;
        let tokens = site.tokens().await?;
        let broker = mosquitto::start(&site).await?;
        let central = site.start_central().await?;
        Ok(Self {
            site,
            tokens,
            broker,
            central,
            unsealed,
            folder,
        })
    }

    /// The site as seen by a machine that dies at a stop of the walk, which only a daemon with test hooks does.
    ///
    /// # Errors
    /// As [`bin_dir`].
    pub fn doomed_at(&self, stop: &str) -> anyhow::Result<Site> {
        let mut site = self.site.clone();
        let loketd = programs(Build::Hooks)?.loketd;
        let loketd = prepared(loketd, self.dir(), self.unsealed);
        site.programs.loketd = loketd.with_env("LOKET_STOP_AT", stop);
        Ok(site)
    }

    /// The folder in which everything of this world lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a printer and enrols a station that uses it.
    ///
    /// # Errors
    /// When one of them refuses.
    pub async fn station(&self, id: &str, printer: &[&str]) -> anyhow::Result<Station> {
        let (running, uri) = self
            .site
            .start_printer(&format!("printer-{id}"), printer)
            .await?;
        let machine = self.site.machine(id, &uri).await?;
        Ok(Station {
            machine,
            printer: running,
            uri,
        })
    }

    /// Hands the sample in; gives the job's id.
    ///
    /// # Errors
    /// When central refuses.
    pub async fn order(
        &self,
        machine: &str,
        reference: &str,
        release: &str,
    ) -> anyhow::Result<String> {
        self.order_as(once::SAMPLE_KK, &order(machine, reference, release, None))
            .await
    }

    /// Hands a document with an order in; gives the job's id.
    ///
    /// # Errors
    /// When central refuses.
    pub async fn order_as(&self, document: &[u8], order: &str) -> anyhow::Result<String> {
        let answer = http::post_document(
            &self.site.api(),
            &self.tokens.operator,
            document,
            order,
            None,
        )
        .await?;
        let json = answer.json()?;
        json.get("job_id")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .context("read job_id")
    }

    /// Waits until a job stands in one of `states` at central.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn wait(&self, job: &str, states: &[&str]) -> anyhow::Result<serde_json::Value> {
        self.site
            .wait_for_job(&self.tokens.auditor, job, states, DEADLINE)
            .await
    }

    /// Gives the broker a database on disk, as `loket-provision broker-config --persistence` does.
    ///
    /// # Errors
    /// When the authority refuses or the broker does not come back.
    pub async fn keep_broker_database(&mut self) -> anyhow::Result<()> {
        mosquitto::keep_database(&self.site).await?;
        self.wipe_broker().await
    }

    /// Kills the broker and starts it again; it has forgotten everything.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn wipe_broker(&mut self) -> anyhow::Result<()> {
        self.broker.kill().await?;
        let database = mosquitto::database(&self.site);
        if database.exists() {
            std::fs::remove_file(database).context("wipe the broker's database")?;
        }
        self.broker = mosquitto::start(&self.site).await?;
        Ok(())
    }

    /// Kills the broker and starts it again with what its database holds.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart_broker(&mut self) -> anyhow::Result<()> {
        self.broker.kill().await?;
        self.broker = mosquitto::start(&self.site).await?;
        Ok(())
    }

    /// Kills the broker and starts it again with what its database held once.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn set_broker_back(&mut self, database: &[u8]) -> anyhow::Result<()> {
        self.broker.kill().await?;
        let file = mosquitto::database(&self.site);
        std::fs::write(file, database).context("set the broker's database back")?;
        self.broker = mosquitto::start(&self.site).await?;
        Ok(())
    }
}

/// A station with its printer.
#[derive(Debug)]
pub struct Station {
    /// The machine.
    pub machine: Machine,
    /// Its printer's process.
    pub printer: Running,
    /// Its printer's address.
    pub uri: String,
}

impl Station {
    /// What its printer says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn printed(&self) -> anyhow::Result<Printed> {
        let report = printer_report(&self.uri).await?;
        let list = report
            .get("printed_sha256")
            .and_then(serde_json::Value::as_array);
        let digests = list
            .into_iter()
            .flatten()
            .filter_map(|digest| digest.as_str().map(str::to_owned));
        Ok(Printed {
            sheets: report
                .get("sheets")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or_default(),
            digests: digests.collect(),
        })
    }

    /// Turns the printer's knobs.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn turn(&self, path: &str, knobs: &str) -> anyhow::Result<()> {
        let at = self
            .uri
            .strip_prefix("ipp://")
            .and_then(|rest| rest.split('/').next());
        let at = at.context("read the printer's address")?;
        let request = hyper_request(at, path, knobs)?;
        http::send(at, request).await?.json().map(drop)
    }
}

fn hyper_request(at: &str, path: &str, body: &str) -> anyhow::Result<http::Post> {
    http::post(at, path, "application/json", body.as_bytes().to_vec())
}

/// What came out of a printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Sheets.
    pub sheets: u64,
    /// SHA-256 of each printed document.
    pub digests: Vec<String>,
}

/// An order for another sheet of what `previous` printed: the sample is one document, and central takes it again only
/// with a reason.
#[must_use]
pub fn order_again(
    machine: &str,
    reference: &str,
    release: &str,
    previous: Option<&str>,
) -> String {
    let text = order(machine, reference, release, None);
    let Some(previous) = previous else {
        return text;
    };
    let mut order: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(fields) = order.as_object_mut() {
        let reprint = serde_json::json!({ "job": previous, "reason": "uji cetak berikutnya" });
        fields.insert("reprint_of".to_owned(), reprint);
    }
    order.to_string()
}

/// An order for the sample; its label holds canaries.
#[must_use]
pub fn order(machine: &str, reference: &str, release: &str, not_after: Option<&str>) -> String {
    let mut order: serde_json::Value = serde_json::from_str(once::SAMPLE_ORDER).unwrap_or_default();
    if let Some(fields) = order.as_object_mut() {
        for (key, value) in [
            ("machine", machine),
            ("reference", reference),
            ("release", release),
        ] {
            fields.insert(key.to_owned(), value.into());
        }
        if let Some(moment) = not_after {
            fields.insert("not_after".to_owned(), moment.into());
        }
    }
    order.to_string()
}
