//! The settings as `check-config` shows them: each effective value, and whether the file or a default gave it.

use std::fmt::{self, Write as _};
use std::path::Path;

use super::{Config, StoreLimits, Timings};

impl Config {
    /// Lists each effective value as `key = value`, one a line, with `(default)` where the file left it out.
    ///
    /// # Errors
    /// Never in practice: writing to a text does not fail.
    pub fn shown(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        for (key, path) in [
            ("state_dir", self.state_dir.as_path()),
            ("offices", &self.offices),
            ("machines_dir", &self.machines_dir),
            ("trust_dir", &self.trust_dir),
            ("identity.certificate", &self.identity.certificate),
            ("identity.key", &self.identity.key),
            ("identity.authority", &self.identity.authority),
            ("identity.signing_key", &self.identity.signing_key),
        ] {
            writeln!(out, "{key} = {}", path.display())?;
        }
        self.show_own_keys(&mut out)?;
        let certificate = self.api.certificate.as_deref().map(Path::display);
        match certificate {
            Some(path) => writeln!(out, "api.listen = https://{} with {path}", self.api.listen)?,
            None => writeln!(
                out,
                "api.listen = http://{} (loopback only)",
                self.api.listen
            )?,
        }
        writeln!(
            out,
            "documents.listen = https://{} (mutual TLS)",
            self.documents.listen
        )?;
        let scheme = if self.broker.tls { "mqtts" } else { "mqtt" };
        for broker in &self.broker.endpoints {
            writeln!(out, "broker = {scheme}://{}:{}", broker.host, broker.port)?;
        }
        let policy = &self.policy;
        writeln!(out, "policy.revocation = {:?}", policy.revocation)?;
        writeln!(out, "policy.changes = {:?}", policy.changes)?;
        writeln!(out, "policy.time_stamp = {:?}", policy.time_stamp)?;
        writeln!(
            out,
            "policy.signers = {} named, required = {}",
            policy.signers.len(),
            policy.signers_required
        )?;
        match &self.intake {
            Some(intake) => writeln!(
                out,
                "intake = {} settle_ms={} reject_after_ms={} poll_ms={} keep_s={}",
                intake.folder.display(),
                intake.settle_ms,
                intake.reject_after_ms,
                intake.poll_ms,
                intake.keep_s
            )?,
            None => writeln!(out, "intake = none (default)")?,
        }
        self.store.write(&mut out)?;
        self.timings.write(&mut out)?;
        Ok(out)
    }

    /// The keys that central makes for itself.
    fn show_own_keys(&self, out: &mut String) -> fmt::Result {
        let (given, origin) = (
            &self.identity,
            |given: bool| if given { "" } else { " (default)" },
        );
        for (key, path, is_given) in [
            (
                "sealing_key",
                self.sealing_key(),
                given.sealing_key.is_some(),
            ),
            ("audit_key", self.audit_key(), given.audit_key.is_some()),
        ] {
            let origin = origin(is_given);
            writeln!(out, "identity.{key} = {}{origin}", path.display())?;
        }
        for path in &given.old_audit_keys {
            writeln!(out, "identity.old_audit_keys = {}", path.display())?;
        }
        if given.old_audit_keys.is_empty() {
            writeln!(out, "identity.old_audit_keys = none (default)")?;
        }
        Ok(())
    }
}

impl StoreLimits {
    fn write(&self, out: &mut String) -> fmt::Result {
        let usual = Self::default();
        for (key, value, default) in [
            ("max_mib", self.max_mib, usual.max_mib),
            (
                "disk_reserve_mib",
                self.disk_reserve_mib,
                usual.disk_reserve_mib,
            ),
        ] {
            let origin = if value == default { " (default)" } else { "" };
            writeln!(out, "store.{key} = {value}{origin}")?;
        }
        Ok(())
    }
}

impl Timings {
    fn write(&self, out: &mut String) -> fmt::Result {
        let usual = Self::default();
        for (key, value, default) in [
            ("tick_ms", self.tick_ms, usual.tick_ms),
            ("drain_ms", self.drain_ms, usual.drain_ms),
            ("request_ms", self.request_ms, usual.request_ms),
            ("upload_wait_ms", self.upload_wait_ms, usual.upload_wait_ms),
            (
                "reconnect_min_ms",
                self.reconnect_min_ms,
                usual.reconnect_min_ms,
            ),
            (
                "reconnect_max_ms",
                self.reconnect_max_ms,
                usual.reconnect_max_ms,
            ),
            ("listened_ms", self.listened_ms, usual.listened_ms),
        ] {
            let origin = if value == default { " (default)" } else { "" };
            writeln!(out, "timings.{key} = {value}{origin}")?;
        }
        Ok(())
    }
}
