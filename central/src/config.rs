//! The settings file: TOML, unknown keys refused, units in key names, relative paths relative to the file.
//!
//! What is read is a type that cannot be wrong: nothing is bound, opened or written before [`Config::load`] agreed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use loket_verify::Policy;
use loket_wire::enrolment::{Endpoint, MAX_BROKERS, named_twice};
use serde::Deserialize;
use thiserror::Error;

use self::file::{is_loopback, read};

mod file;
mod identity;
mod limits;
mod shown;
mod timings;

pub use identity::Identity;
use identity::MAX_OLD_AUDIT_KEYS;
pub use limits::StoreLimits;
pub use timings::Timings;

/// The largest settings file; ours has some fifty lines.
const MAX_CONFIG_BYTES: u64 = 64 * 1024;

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("find the settings file {}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and could not be read.
    #[error("read the settings file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than settings are.
    #[error("read the settings file {}: {size_bytes} bytes, more than {MAX_CONFIG_BYTES}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size_bytes: u64,
    },
    /// Not TOML, an unknown key, or a value of another type.
    #[error("understand the settings file {}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Clear HTTP where others could listen.
    #[error(
        "accept [api] listen = \"{listen}\": without certificate and key it must be a loopback address"
    )]
    ClearHttp {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// One of certificate and key without the other.
    #[error("accept [api]: 'certificate' and 'key' belong together")]
    HalfTls,
    /// No broker named.
    #[error("accept [broker]: 'endpoints' names no broker")]
    NoBroker,
    /// More brokers than central keeps links to.
    #[error(
        "accept [broker]: 'endpoints' names {count} brokers, more than {MAX_BROKERS}; name fewer"
    )]
    ManyBrokers {
        /// How many were named.
        count: usize,
    },
    /// A broker named twice: its two links would throw each other out for good.
    #[error("accept [broker]: 'endpoints' names {broker} twice; name it once")]
    BrokerTwice {
        /// Its host and port.
        broker: String,
    },
    /// Clear MQTT where others could listen.
    #[error("accept [broker] tls = false: {host} is no loopback address")]
    ClearMqtt {
        /// The broker's host.
        host: String,
    },
    /// More exchanged audit keys than are tried.
    #[error(
        "accept [identity]: 'old_audit_keys' names {count} files, more than {MAX_OLD_AUDIT_KEYS}; leave out the oldest"
    )]
    ManyAuditKeys {
        /// How many were named.
        count: usize,
    },
    /// A duration of zero where that makes no sense.
    #[error("accept [{table}] {key}: it must be at least 1")]
    Zero {
        /// Its table.
        table: &'static str,
        /// Its key.
        key: &'static str,
    },
}

impl ConfigError {
    /// The exit code by sysexits: 66 when there is nothing to read, 78 when what was read is wrong.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::Unreadable { .. } => 66,
            Self::TooLarge { .. }
            | Self::Syntax { .. }
            | Self::ClearHttp { .. }
            | Self::HalfTls
            | Self::NoBroker
            | Self::ManyBrokers { .. }
            | Self::BrokerTwice { .. }
            | Self::ClearMqtt { .. }
            | Self::ManyAuditKeys { .. }
            | Self::Zero { .. } => 78,
        }
    }
}

/// All that central is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the database, sealed documents and keys of its own lie.
    pub state_dir: PathBuf,
    /// The offices and their calendars.
    pub offices: PathBuf,
    /// `<machine>.json` of every enrolled machine.
    pub machines_dir: PathBuf,
    /// Trust anchors and revocation lists for signed documents.
    pub trust_dir: PathBuf,
    /// The listener for people and other systems.
    pub api: Api,
    /// The listener for machines.
    pub documents: Documents,
    /// Where MQTT goes.
    pub broker: Broker,
    /// Who central is.
    pub identity: Identity,
    /// How signatures are judged.
    #[serde(default)]
    pub policy: Policy,
    /// The watched folder, where there is one.
    #[serde(default)]
    pub intake: Option<Intake>,
    /// How much central's store may hold.
    #[serde(default)]
    pub store: StoreLimits,
    /// Waits and limits of time.
    #[serde(default)]
    pub timings: Timings,
}

/// The listener for people and other systems.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Address and port; clear HTTP is taken on loopback alone.
    #[serde(default = "default_api_listen")]
    pub listen: SocketAddr,
    /// Certificate chain, PEM.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// The listener for machines: mutual TLS always.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    /// Address and port.
    pub listen: SocketAddr,
}

/// Where MQTT goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// Every broker that machines may be at; central keeps a link to each.
    pub endpoints: Vec<Endpoint>,
    /// Mutual TLS with central's certificate; `false` is taken for loopback addresses alone.
    #[serde(default = "yes")]
    pub tls: bool,
}

/// The watched folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The folder; made with mode 0700 when absent.
    pub folder: PathBuf,
    /// How long size and time of a file must stand still before it counts as whole.
    #[serde(default = "default_settle_ms")]
    pub settle_ms: u64,
    /// How long a refused pair must have stood still before it goes to `rejected/`: its copy may have stalled.
    #[serde(default = "default_reject_after_ms")]
    pub reject_after_ms: u64,
    /// How often the folder is looked at.
    #[serde(default = "default_poll_ms")]
    pub poll_ms: u64,
    /// How long half a pair waits for its other half, and how long rejected files stay.
    #[serde(default = "default_keep_s")]
    pub keep_s: u64,
}

fn default_api_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8443))
}

const fn yes() -> bool {
    true
}

/// A copy over the office's network writes in bursts well below two seconds apart.
const fn default_settle_ms() -> u64 {
    2_000
}

/// A share over a poor line stalls for some seconds; a bad pair may wait half a minute for its answer.
const fn default_reject_after_ms() -> u64 {
    30_000
}

const fn default_poll_ms() -> u64 {
    1_000
}

/// The contract empties the folder after a day.
const fn default_keep_s() -> u64 {
    24 * 3_600
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// The [`ConfigError`] that names file or key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let mut config: Self = toml::from_str(&text).map_err(|source| ConfigError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.check()?;
        Ok(config)
    }

    /// Makes relative paths relative to `base`.
    fn resolve(&mut self, base: &Path) {
        let identity = &mut self.identity;
        let fixed = [
            &mut self.state_dir,
            &mut self.offices,
            &mut self.machines_dir,
            &mut self.trust_dir,
            &mut identity.certificate,
            &mut identity.key,
            &mut identity.authority,
            &mut identity.signing_key,
        ];
        let optional = [
            self.api.certificate.as_mut(),
            self.api.key.as_mut(),
            identity.sealing_key.as_mut(),
            identity.audit_key.as_mut(),
            self.intake.as_mut().map(|intake| &mut intake.folder),
        ];
        let optional = optional.into_iter().flatten();
        let listed = identity.old_audit_keys.iter_mut();
        for path in fixed.into_iter().chain(optional).chain(listed) {
            *path = base.join(&*path);
        }
    }

    /// Checks what types alone cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        match (&self.api.certificate, &self.api.key) {
            (Some(_certificate), Some(_key)) => {}
            (None, None) if self.api.listen.ip().is_loopback() => {}
            (None, None) => {
                return Err(ConfigError::ClearHttp {
                    listen: self.api.listen,
                });
            }
            (Some(_), None) | (None, Some(_)) => return Err(ConfigError::HalfTls),
        }
        if self.broker.endpoints.is_empty() {
            return Err(ConfigError::NoBroker);
        }
        let count = self.broker.endpoints.len();
        if count > MAX_BROKERS {
            return Err(ConfigError::ManyBrokers { count });
        }
        if let Some(twice) = named_twice(&self.broker.endpoints) {
            return Err(ConfigError::BrokerTwice {
                broker: twice.to_string(),
            });
        }
        let open = self
            .broker
            .endpoints
            .iter()
            .find(|endpoint| !is_loopback(&endpoint.host));
        if let (false, Some(endpoint)) = (self.broker.tls, open) {
            return Err(ConfigError::ClearMqtt {
                host: endpoint.host.clone(),
            });
        }
        let count = self.identity.old_audit_keys.len();
        if count > MAX_OLD_AUDIT_KEYS {
            return Err(ConfigError::ManyAuditKeys { count });
        }
        let timings = &self.timings;
        let spans = [
            ("timings", "tick_ms", timings.tick_ms),
            ("store", "max_mib", self.store.max_mib),
            ("timings", "reconnect_min_ms", timings.reconnect_min_ms),
            (
                "intake",
                "poll_ms",
                self.intake.as_ref().map_or(1, |intake| intake.poll_ms),
            ),
        ];
        for (table, key, value) in spans {
            if value == 0 {
                return Err(ConfigError::Zero { table, key });
            }
        }
        Ok(())
    }

    /// Where the key of central's own copies lies.
    #[must_use]
    pub fn sealing_key(&self) -> PathBuf {
        self.identity
            .sealing_key
            .clone()
            .unwrap_or_else(|| self.state_dir.join("sealing.key"))
    }

    /// Where the key lies that records of printed sheets are sealed to.
    #[must_use]
    pub fn audit_key(&self) -> PathBuf {
        let given = self.identity.audit_key.clone();
        given.unwrap_or_else(|| self.state_dir.join("audit.key"))
    }

    /// Where the database lies.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.state_dir.join("central.db")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = include_str!("../tests/fixtures/central.toml");

    #[expect(
        clippy::unwrap_in_result,
        reason = "a test's own folder is not what is tested"
    )]
    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("central.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn relative_paths_are_relative_to_the_file() {
        let config = load(SOUND).unwrap();
        assert!(config.state_dir.is_absolute() && config.state_dir.ends_with("state"));
        assert_eq!(config.trust_dir, Path::new("/etc/loket/trust"));
        assert_eq!(config.timings.tick_ms, 1_000);
        assert!(config.sealing_key().ends_with("state/sealing.key"));
    }

    #[test]
    fn what_would_be_open_to_others_or_is_not_understood_is_refused() {
        let bend = |from: &str, to: &str| load(&SOUND.replace(from, to)).unwrap_err();
        let cases = [
            (
                bend(
                    "listen = \"127.0.0.1:0\"\n[doc",
                    "listen = \"0.0.0.0:0\"\n[doc",
                ),
                78,
            ),
            (bend("[documents]", "key = \"k\"\n[documents]"), 78),
            (bend("[broker]", "[broker]\ntls = false"), 78),
            (
                bend("[{ host = \"broker.example\", port = 8883 }]", "[]"),
                78,
            ),
            (
                bend(
                    "[{ host = \"broker.example\", port = 8883 }]",
                    "[{ host = \"a.example\", port = 1 }, { host = \"A.example\", port = 1 }]",
                ),
                78,
            ),
            (
                bend(
                    "{ host = \"broker.example\", port = 8883 }",
                    &["a", "b", "c", "d", "e"]
                        .map(|host| format!("{{ host = \"{host}.example\", port = 8883 }}"))
                        .join(", "),
                ),
                78,
            ),
            (bend("state_dir", "state_directory"), 78),
            (bend("[identity]", "[timings]\ntick_ms = 0\n[identity]"), 78),
        ];
        for (error, code) in cases {
            assert_eq!(error.exit_code(), code, "{error}");
        }
        let absent = Config::load(Path::new("/nonexistent/central.toml")).unwrap_err();
        assert_eq!(absent.exit_code(), 66);
    }

    #[test]
    fn the_examples_name_every_setting() {
        let complaint = |text: &str| {
            let refused = toml::from_str::<Config>(text).err().unwrap();
            refused.to_string()
        };
        for (name, text) in [
            (
                "docs/examples",
                include_str!("../../docs/examples/central.toml"),
            ),
            (
                "systemd/etc/loket",
                include_str!("../../systemd/etc/loket/central.toml"),
            ),
        ] {
            loket_example_settings::assert_complete(name, text, complaint);
        }
    }

    #[test]
    fn the_documented_example_is_taken_and_shows_the_defaults_that_it_names() {
        let config = load(include_str!("../../docs/examples/central.toml")).unwrap();
        let shown = config.shown().unwrap();
        let own = shown.lines().filter(|line| line.starts_with("timings."));
        assert!(own.clone().count() > 3 && own.clone().all(|line| line.ends_with("(default)")));
    }

    #[test]
    fn several_brokers_are_taken_and_shown() {
        let two = "[{ host = \"a.example\", port = 8883 }, { host = \"b.example\", port = 8884 }]";
        let text = SOUND.replace("[{ host = \"broker.example\", port = 8883 }]", two);
        let shown = load(&text).unwrap().shown().unwrap();
        for line in ["mqtts://a.example:8883", "mqtts://b.example:8884"] {
            assert!(shown.contains(line), "{shown}");
        }
    }

    #[test]
    fn exchanged_audit_keys_are_files_beside_the_settings() {
        let named = |names: &str| format!("[identity]\nold_audit_keys = [{names}]");
        let with = |names: &str| load(&SOUND.replace("[identity]", &named(names)));
        let shown = with("\"audit-2026.key\"").unwrap().shown().unwrap();
        assert!(shown.contains("/audit-2026.key\n"), "{shown}");
        let many = with(&"\"a.key\",".repeat(9)).unwrap_err();
        assert_eq!(many.exit_code(), 78);
    }

    #[test]
    fn clear_mqtt_is_taken_on_loopback() {
        let clear = SOUND
            .replace("broker.example", "127.0.0.1")
            .replace("[broker]", "[broker]\ntls = false");
        assert!(!load(&clear).unwrap().broker.tls);
    }
}
