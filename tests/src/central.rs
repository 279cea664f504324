//! What central says of machines and of the past, and moments as orders write them.

use anyhow::{Context as _, ensure};
use loket_demo::child::Program;
use loket_demo::http;
use serde_json::Value;

use crate::look::until;
use crate::world::{DEADLINE, Station, World};

impl World {
    /// Asks central as the auditor, who may read everything.
    ///
    /// # Errors
    /// When central does not answer with JSON.
    pub async fn read(&self, path: &str) -> anyhow::Result<Value> {
        let token = Some(self.tokens.auditor.as_str());
        http::call(&self.site.api(), "GET", path, token)
            .await?
            .json()
    }

    /// A machine as central shows it, devices and heartbeat too; null where central does not know it.
    ///
    /// # Errors
    /// When central does not answer.
    pub async fn machine(&self, id: &str) -> anyhow::Result<Value> {
        let mut answer = self.read("/api/v1/machines").await?;
        let machines = answer
            .get_mut("machines")
            .and_then(Value::as_array_mut)
            .context("read the machines")?;
        let found = machines
            .iter_mut()
            .find(|machine| machine.get("machine").is_some_and(|name| name == id));
        Ok(found.map(Value::take).unwrap_or_default())
    }

    /// Waits until central shows a machine for which `wanted` holds.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn machine_with(
        &self,
        what: &str,
        id: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        until(what, DEADLINE, async || {
            let machine = self.machine(id).await?;
            Ok(wanted(&machine).then_some(machine))
        })
        .await
    }

    /// Waits for a row of the history for which `wanted` holds.
    ///
    /// # Errors
    /// Past the deadline.
    pub async fn history_with(
        &self,
        what: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        until(what, DEADLINE, async || {
            let page = self.read("/api/v1/history").await?;
            let rows = page.get("rows").and_then(Value::as_array);
            let rows = rows.context("read the history")?;
            // One page holds 500 rows; no test of this kind makes as many.
            ensure!(rows.len() < 500, "the history has more than one page");
            Ok(rows.iter().find(|row| wanted(row)).cloned())
        })
        .await
    }
}

impl Station {
    /// Adds a line to the machine's settings, above its tables.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&self, line: &str) -> anyhow::Result<()> {
        let path = self.machine.config();
        let settings = std::fs::read_to_string(&path).context("read a machine's settings")?;
        std::fs::write(&path, format!("{line}\n{settings}")).context("write a machine's settings")
    }

    /// The printer's `host:port`.
    ///
    /// # Errors
    /// When its address is none.
    pub fn printer_at(&self) -> anyhow::Result<&str> {
        let rest = self.uri.strip_prefix("ipp://");
        rest.and_then(|rest| rest.split('/').next())
            .context("read the printer's address")
    }
}

/// The moment `when` from now, in the words of date(1): `4 seconds`, `1 day`.
///
/// # Errors
/// When date does not know the words.
pub async fn moment_in(when: &str) -> anyhow::Result<String> {
    let date = Program::at(std::path::Path::new("/usr/bin/date"));
    let said = date.run(["-u", "-d", when, "+%FT%TZ"]).await?;
    Ok(said.trim().to_owned())
}
