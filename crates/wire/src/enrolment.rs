//! How a machine becomes known: its request, the authority's record of it, and what it installs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{KeyId, MachineId, OfficeId};
use crate::sign::VerifyingKey;
use crate::time::Timestamp;

/// Brokers in one list at most. Central keeps a link to each for good, and a machine that finds none tries them all in
/// each round; two are what a regency needs, and a third while one is exchanged.
pub const MAX_BROKERS: usize = 4;

/// The context ("topic") under which the authority signs a [`MachineRecord`] frame.
pub const RECORD_CONTEXT: &str = "loket/machine-record";

/// What `loketd identity request` writes: public halves only, the keys stay on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Version of this shape; 1.
    pub version: u16,
    /// The name the machine asks for.
    pub machine: MachineId,
    /// PKCS#10 request of the P-256 key, PEM; its common name is `machine`.
    pub csr_pem: String,
    /// Raw X25519 public key that orders are sealed to, base64.
    pub sealing_public_key: String,
}

/// What central must know of a machine; stands in `machines/<id>.json` as a frame signed by the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// Version of this shape; 1.
    pub version: u16,
    /// The machine.
    pub machine: MachineId,
    /// The office it stands in.
    pub office: OfficeId,
    /// Serial of its certificate, hexadecimal.
    pub certificate_serial: String,
    /// The P-256 key that signs its reports (and its TLS certificate).
    pub report_key: VerifyingKey,
    /// Raw X25519 public key that orders are sealed to, base64.
    pub sealing_public_key: String,
    /// Its id.
    pub key_id: KeyId,
    /// When it was enrolled.
    #[serde(rename = "enrolled_at_ms")]
    pub enrolled_at: Timestamp,
}

/// What `loketd identity install` reads: all a machine needs to reach and trust its central.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallBundle {
    /// Version of this shape; 1.
    pub version: u16,
    /// The machine it is for.
    pub machine: MachineId,
    /// The office it stands in.
    pub office: OfficeId,
    /// The machine's certificate chain, PEM.
    pub certificate_pem: String,
    /// The authority that signed broker, central and machines, PEM.
    pub authority_pem: String,
    /// Brokers, first the one that is tried first; a machine is with one at a time.
    pub brokers: Vec<Endpoint>,
    /// Where sealed documents are fetched.
    pub documents: Endpoint,
    /// The Ed25519 key that signs central's commands.
    pub central_key: VerifyingKey,
}

/// A host and port; the host is also the name its certificate must bear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// DNS name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The first of a list that stands in it before already: names of hosts know no case.
#[must_use]
pub fn named_twice(list: &[Endpoint]) -> Option<&Endpoint> {
    list.iter().enumerate().find_map(|(place, endpoint)| {
        let mut earlier = list.iter().take(place);
        let is_same = |other: &Endpoint| {
            other.port == endpoint.port && other.host.eq_ignore_ascii_case(&endpoint.host)
        };
        earlier.any(is_same).then_some(endpoint)
    })
}
