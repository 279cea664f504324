//! `authority.toml`: what every machine is told when it is enrolled.

use std::path::Path;

use loket_wire::enrolment::Endpoint;
use loket_wire::sign::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::durable::{self, Readers};
use crate::error::ProvisionError;

/// The version of the settings' shape.
const VERSION: u16 = 1;

/// The authority's settings. An administrator may edit the file; machines enrolled later get the new values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of this shape; 1.
    pub version: u16,
    /// The Ed25519 key that signs central's commands.
    pub central_key: VerifyingKey,
    /// Where machines fetch sealed documents: central's second listener.
    pub documents: Endpoint,
    /// Brokers in order of preference.
    pub brokers: Vec<Endpoint>,
}

impl Settings {
    pub(crate) const fn new(
        central_key: VerifyingKey,
        documents: Endpoint,
        brokers: Vec<Endpoint>,
    ) -> Self {
        Self {
            version: VERSION,
            central_key,
            documents,
            brokers,
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, ProvisionError> {
        let text = durable::read_text(path)?;
        let settings: Self = toml::from_str(&text).map_err(|source| ProvisionError::Settings {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        if settings.version != VERSION {
            return Err(ProvisionError::StateVersion {
                path: path.to_owned(),
                version: settings.version,
            });
        }
        Ok(settings)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), ProvisionError> {
        let text = toml::to_string(self).map_err(|source| ProvisionError::SettingsOut {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        durable::write(path, text.as_bytes(), Readers::Owner)
    }
}
