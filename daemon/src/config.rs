//! Settings of the daemon: one TOML file, unknown keys refused, each effective value with its origin.

mod exercise;
mod explain;
mod office_hours;
mod pages;
mod printer;
mod ticket;
mod trust;

use std::fmt;
use std::path::{Path, PathBuf};

use loket_wire::{MachineId, Sha256Digest};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use exercise::ExerciseConfig;
pub use office_hours::OfficeHours;
pub use pages::{PagesConfig, ShownFace};
pub use printer::{AddressProblem, PrinterConfig};
pub use ticket::{TicketAddress, TicketPrinterConfig, TicketProblem, TicketProfile};
pub use trust::{TrustConfig, TrustSource};

use self::explain::explain_table;
use self::printer::check_printers;

use crate::telemetry;

/// Room for sealed documents unless the settings say otherwise: a thousand family cards of the largest honest size,
/// and a few large documents.
const DEFAULT_SPOOL_QUOTA_BYTES: u64 = 256 * 1024 * 1024;

/// The least a spool may hold: below it there is no room for any sealed document, and each order would be refused.
const MIN_SPOOL_QUOTA_BYTES: u64 = 8 * 1024;

/// A pause of the link beyond an hour is a mistyped one: central calls a machine offline after an hour.
const MAX_PAUSE_MS: u64 = 3_600_000;

/// A heartbeat at least this often (CONTRACT, messages).
const DEFAULT_HEARTBEAT_S: u64 = 900;

/// An idle printer is asked this often in office hours, so that a fault reaches central's console within 4 s.
const DEFAULT_IDLE_POLL_MS: u64 = 2_000;

/// An idle printer is asked this often outside office hours and while it sleeps.
const DEFAULT_QUIET_POLL_MS: u64 = 30_000;

/// How long running work may take to finish after SIGTERM; shorter than the unit's TimeoutStopSec.
const DEFAULT_DRAIN_S: u64 = 20;

/// What fits one line of a report.
const MAX_OFFICE_CHARS: usize = 80;

/// The settings as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This machine's name; must be the name in its certificate.
    pub machine: MachineId,
    /// Journal, spool and identity.
    pub state_dir: PathBuf,
    /// Control socket; `/run/loket` under systemd.
    pub runtime_dir: PathBuf,
    /// Trust anchors, intermediate certificates and revocation lists of document signatures.
    pub trust_dir: PathBuf,
    /// The office's rules of judging, a file of their own; without it `revocation` alone is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PathBuf>,
    /// Device profiles of the office, beside and in place of the shipped ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices_dir: Option<PathBuf>,
    /// When revocation data must be at hand to call a signature valid.
    #[serde(default)]
    pub revocation: RevocationPolicy,
    /// Where log lines go.
    #[serde(default)]
    pub log: LogOutput,
    /// Which log lines, as `tracing` filters.
    #[serde(default = "default_log_filter")]
    pub log_filter: String,
    /// Bytes of sealed documents kept at most.
    #[serde(default = "default_spool_quota_bytes")]
    pub spool_quota_bytes: u64,
    /// Seconds between heartbeats.
    #[serde(default = "default_heartbeat_s")]
    pub heartbeat_s: u64,
    /// Milliseconds between looks at an idle printer in office hours.
    #[serde(default = "default_idle_poll_ms")]
    pub idle_poll_ms: u64,
    /// Milliseconds between looks at an idle printer outside office hours, or while it sleeps.
    #[serde(default = "default_quiet_poll_ms")]
    pub quiet_poll_ms: u64,
    /// Seconds for running work to finish after SIGTERM.
    #[serde(default = "default_drain_s")]
    pub drain_s: u64,
    /// The office's name, as it stands on reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// When the office is open.
    #[serde(default)]
    pub office_hours: OfficeHours,
    /// When a printer at rest prints a page by itself, so that its ink does not dry.
    #[serde(default)]
    pub exercise: ExerciseConfig,
    /// Pauses between attempts to reach a broker.
    #[serde(default)]
    pub link: LinkTimes,
    /// The pages of the site; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<PagesConfig>,
    /// What documents are judged by beside the trust folder.
    #[serde(default)]
    pub trust: TrustConfig,
    /// The printer of queue tickets; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_printer: Option<TicketPrinterConfig>,
    /// Printers; the first is the default.
    #[serde(default, rename = "printer")]
    pub printers: Vec<PrinterConfig>,
}

/// Pauses and timeouts of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkTimes {
    /// Shortest upper bound of the jittered pause.
    pub backoff_min_ms: u64,
    /// Longest upper bound of the jittered pause.
    pub backoff_max_ms: u64,
    /// Reports that central has not acknowledged are published again after this long.
    pub republish_after_ms: u64,
}

impl Default for LinkTimes {
    /// 1 s to 300 s, and 60 s.
    fn default() -> Self {
        Self {
            backoff_min_ms: 1_000,
            backoff_max_ms: 300_000,
            republish_after_ms: 60_000,
        }
    }
}

/// When revocation data must be at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationPolicy {
    /// Always.
    Required,
    /// Where it is known it is looked at.
    #[default]
    IfKnown,
}

/// Where log lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogOutput {
    /// Standard error, as text.
    #[default]
    Text,
    /// The system journal, with fields.
    Journald,
}

fn default_log_filter() -> String {
    "info".to_owned()
}
const fn default_spool_quota_bytes() -> u64 {
    DEFAULT_SPOOL_QUOTA_BYTES
}
const fn default_heartbeat_s() -> u64 {
    DEFAULT_HEARTBEAT_S
}
const fn default_idle_poll_ms() -> u64 {
    DEFAULT_IDLE_POLL_MS
}
const fn default_quiet_poll_ms() -> u64 {
    DEFAULT_QUIET_POLL_MS
}
const fn default_drain_s() -> u64 {
    DEFAULT_DRAIN_S
}

/// Why settings were not taken. Nothing has been opened or bound by then.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read the settings in {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not the TOML of these settings; the message names line and key.
    #[error("understand the settings in {}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is outside its range.
    #[error("take the setting '{key}': {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Config {
    /// Reads and checks a file; relative paths are relative to it.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|source| ConfigError::Shape {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let base = path.parent().unwrap_or(Path::new("."));
        for dir in [
            &mut config.state_dir,
            &mut config.runtime_dir,
            &mut config.trust_dir,
        ] {
            *dir = base.join(&*dir);
        }
        config.policy = config.policy.map(|policy| base.join(policy));
        config.devices_dir = config.devices_dir.map(|folder| base.join(folder));
        config.check()?;
        Ok(config)
    }

    /// Checks what the types alone cannot say.
    ///
    /// # Errors
    /// [`ConfigError::Value`]
    pub fn check(&self) -> Result<(), ConfigError> {
        check_printers(&self.printers)?;
        if let Some(ticket_printer) = &self.ticket_printer {
            ticket_printer.check(&self.printers)?;
        }
        self.check_looks()?;
        if let Some(Err((key, problem))) = self.pages.as_ref().map(PagesConfig::check) {
            return bad(key, problem);
        }
        let checks = [
            (
                "log_filter",
                telemetry::is_filter(&self.log_filter),
                "it must be a filter such as 'info' or 'info,loket_link=debug'",
            ),
            (
                "spool_quota_bytes",
                self.spool_quota_bytes >= MIN_SPOOL_QUOTA_BYTES,
                "it must be at least 8192: less holds no sealed document at all",
            ),
            (
                "idle_poll_ms",
                (100..=60_000).contains(&self.idle_poll_ms),
                "it must be 100 to 60000",
            ),
            (
                "heartbeat_s",
                (1..=3_600).contains(&self.heartbeat_s),
                "it must be 1 to 3600",
            ),
            (
                "drain_s",
                (1..=300).contains(&self.drain_s),
                "it must be 1 to 300",
            ),
            (
                "link.backoff_max_ms",
                self.link.backoff_min_ms > 0
                    && (self.link.backoff_min_ms..=MAX_PAUSE_MS)
                        .contains(&self.link.backoff_max_ms),
                "it must not be below backoff_min_ms, which is above 0, nor above 3600000",
            ),
            (
                "trust.max_age_days",
                (1..=365).contains(&self.trust.max_age_days),
                "it must be 1 to 365",
            ),
            (
                "link.republish_after_ms",
                (100..=MAX_PAUSE_MS).contains(&self.link.republish_after_ms),
                "it must be 100 to 3600000",
            ),
        ];
        match checks
            .into_iter()
            .find(|(_key, is_good, _problem)| !is_good)
        {
            None => Ok(()),
            Some((key, _bad, problem)) => bad(key, problem),
        }
    }

    fn check_looks(&self) -> Result<(), ConfigError> {
        let polls = [
            ("idle_poll_ms", self.idle_poll_ms),
            ("quiet_poll_ms", self.quiet_poll_ms),
        ];
        let own = self.printers.iter().filter_map(|each| each.idle_poll_ms);
        let own = own.map(|poll_ms| ("printer.idle_poll_ms", poll_ms));
        for (key, poll_ms) in polls.into_iter().chain(own) {
            if !(100..=60_000).contains(&poll_ms) {
                return bad(key, "it must be 100 to 60000");
            }
        }
        let is_name = |name: &String| {
            let length = name.chars().count();
            (1..=MAX_OFFICE_CHARS).contains(&length) && !name.chars().any(char::is_control)
        };
        if !self.office.as_ref().is_none_or(is_name) {
            return bad("office", "it must be one line of 1 to 80 characters");
        }
        if let Err(problem) = self.office_hours.parse() {
            return bad("office_hours", problem);
        }
        match self.exercise.rule(&self.office_hours) {
            Ok(_rule) => Ok(()),
            Err((key, problem)) => bad(key, problem),
        }
    }

    /// First 16 hexadecimal digits of the SHA-256 of the effective settings: tells two settings apart at central.
    #[must_use]
    pub fn hash(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        Sha256Digest::of(text.as_bytes())
            .to_string()
            .chars()
            .take(16)
            .collect()
    }

    /// Every effective value with where it came from, one a line.
    #[must_use]
    pub fn explain(&self, file: &toml::Table) -> String {
        let effective = toml::Table::try_from(self).unwrap_or_default();
        let mut lines = String::new();
        explain_table(&mut lines, "", &effective, Some(file));
        lines
    }
}

fn bad(key: &str, problem: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Value {
        key: key.to_owned(),
        problem: problem.to_owned(),
    })
}

impl fmt::Display for RevocationPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::IfKnown => "if-known",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
machine = "desa-contoh-1"
state_dir = "state"
runtime_dir = "run"
trust_dir = "trust"
[[printer]]
name = "a4"
uri = "ipp://127.0.0.1:8631/ipp/print"
"#;

    fn check(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn the_example_names_every_setting() {
        let text = include_str!("../../systemd/etc/loket/loket.toml");
        loket_example_settings::assert_complete("loket.toml", text, |text| {
            toml::from_str::<Config>(text).unwrap_err().to_string()
        });
    }

    #[test]
    fn good_settings_are_taken_and_explained() {
        let config = check(GOOD).unwrap();
        let lines = config.explain(&toml::from_str(GOOD).unwrap());
        assert!(
            lines.contains("machine = \"desa-contoh-1\"  # file"),
            "{lines}"
        );
        assert!(lines.contains("idle_poll_ms = 2000  # default"), "{lines}");
        assert!(lines.contains("office_hours.open = \"07:00\"  # default"));
        assert!(
            lines.contains("office_hours.working_days = [\"mon\""),
            "{lines}"
        );
        assert!(lines.contains("printer[0].uri = \"ipp://127.0.0.1:8631/ipp/print\"  # file"));
        assert_eq!(config.hash().len(), 16);
    }

    #[test]
    fn settings_that_nobody_meant_are_refused() {
        for (text, word) in [
            (format!("color = 1\n{GOOD}"), "color"),
            (format!("drain_s = 0\n{GOOD}"), "drain_s"),
            (format!("quiet_poll_ms = 0\n{GOOD}"), "quiet_poll_ms"),
            (format!("{GOOD}idle_poll_ms = 99\n"), "printer.idle_poll_ms"),
            (
                format!("{GOOD}[office_hours]\nopen = \"7\"\n"),
                "office_hours",
            ),
            (
                format!("{GOOD}[exercise]\nidle_days = 61\n"),
                "exercise.idle_days",
            ),
            (
                format!("{GOOD}[office_hours]\nzone = \"Asia/Tokyo\"\n"),
                "zone",
            ),
            (GOOD.replace("desa-contoh-1", "central"), "reserved"),
            (GOOD.replace("ipp://", "ipps://"), "pinned_spki_sha256"),
            (
                GOOD.replace("ipp://127.0.0.1:8631/ipp/print", "http://nonsense"),
                "printer.uri",
            ),
            (GOOD.replace(":8631", ":0"), "printer.uri"),
            (
                format!("log_filter = \"no such=filter=[\"\n{GOOD}"),
                "log_filter",
            ),
            (
                format!("spool_quota_bytes = 0\n{GOOD}"),
                "spool_quota_bytes",
            ),
            (
                format!("{GOOD}[link]\nrepublish_after_ms = 0\n"),
                "link.republish_after_ms",
            ),
            (
                format!("{GOOD}[link]\nbackoff_max_ms = 86400000\n"),
                "link.backoff_max_ms",
            ),
            (GOOD.replace("\"a4\"", "\"A 4\""), "printer.name"),
            (
                format!("{GOOD}[[printer]]\nname = \"a4\"\nuri = \"ipp://h/\"\n"),
                "same name",
            ),
        ] {
            let error = check(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
