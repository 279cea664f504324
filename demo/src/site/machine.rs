//! A print station of a site: its folder, settings, enrolment and daemon.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{OFFICE, Site, text};
use crate::child::Running;

/// A machine of the site.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its folder.
    pub home: PathBuf,
}

impl Machine {
    /// Its settings file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.home.join("loket.toml")
    }

    fn settings(&self, trust: &Path, printer: &str) -> String {
        format!(
            r#"machine = "{id}"
state_dir = "state"
runtime_dir = "run"
trust_dir = {trust:?}
drain_s = 10
quiet_poll_ms = 2000
[link]
backoff_min_ms = 50
backoff_max_ms = 500
republish_after_ms = 2000
[[printer]]
name = "a4"
uri = "{printer}"
"#,
            id = self.id
        )
    }
}

impl Site {
    /// Enrols a machine with one printer, or finds it enrolled.
    ///
    /// # Errors
    /// When a program refuses.
    pub async fn machine(&self, id: &str, printer: &str) -> anyhow::Result<Machine> {
        let home = self.path("machines").join(id);
        std::fs::create_dir_all(&home).context("make a machine's folder")?;
        let machine = Machine {
            id: id.to_owned(),
            home,
        };
        let config = machine.config();
        std::fs::write(&config, machine.settings(&self.path("trust"), printer))
            .context("write a machine's settings")?;
        let install = machine.home.join("install.json");
        if !install.exists() {
            let (request, authority) = (
                text(&machine.home.join("request.json")),
                text(&self.path("authority")),
            );
            let (config, install) = (text(&config), text(&install));
            self.programs
                .loketd
                .run([
                    "identity", "request", "--config", &config, "--out", &request,
                ])
                .await?;
            let enrol = [
                "enrol", &request, "--dir", &authority, "--kind", "machine", "--office", OFFICE,
                "--out", &install,
            ];
            self.programs.provision.run(enrol).await?;
            self.programs
                .loketd
                .run(["identity", "install", "--config", &config, &install])
                .await?;
        }
        Ok(machine)
    }

    /// Lets a machine show its pages from its next start on.
    ///
    /// # Errors
    /// When its settings cannot be written.
    pub fn show_pages(&self, machine: &Machine) -> anyhow::Result<()> {
        let config = machine.config();
        let mut settings = std::fs::read_to_string(&config).context("read a machine's settings")?;
        let at = self.pages();
        settings.push_str(&format!(
            "[pages]\nlisten = \"{at}\"\nshow = [\"kiosk\", \"station\"]\n"
        ));
        std::fs::write(&config, settings).context("write a machine's settings")
    }

    /// Gives a machine a ticket printer from its next start on: one of 80 mm that says when a ticket is printed, looked at so
    /// often.
    ///
    /// # Errors
    /// When its settings cannot be written.
    pub fn give_ticket_printer(
        &self,
        machine: &Machine,
        address: &str,
        idle_poll_ms: u32,
    ) -> anyhow::Result<()> {
        let config = machine.config();
        let mut settings = std::fs::read_to_string(&config).context("read a machine's settings")?;
        settings.push_str(&format!(
            "[ticket_printer]\nuri = \"tcp://{address}\"\nidle_poll_ms = {idle_poll_ms}\n\
             [ticket_printer.profile]\nwidth = \"80mm\"\nqr = \"native\"\nanswering = \"process-id\"\n"
        ));
        std::fs::write(&config, settings).context("write a machine's settings")
    }

    /// Starts a machine's daemon.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_machine(&self, machine: &Machine) -> anyhow::Result<Running> {
        let config = text(&machine.config());
        let command = self.programs.loketd.command(["run", "--config", &config]);
        Running::start(&machine.id, command, &self.path("logs"))
    }
}
