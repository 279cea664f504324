//! By what rules an office judges: configuration that is handed in, never code.

use const_oid::ObjectIdentifier;
use loket_wire::{Sha256Digest, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::changes::ChangeLevel;
use crate::signers::SignerPattern;

/// An office's rules of judging.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What a missing revocation list means.
    pub revocation: Revocation,
    /// What may follow the office's signature.
    pub changes: ChangeLevel,
    /// What a missing proof of the time of signing means.
    pub time_stamp: TimeStamps,
    /// Who may sign for this office; a signer needs to fit one of them. Empty: nobody is asked.
    pub signers: Vec<SignerPattern>,
    /// Whether an empty list of signers leaves every document `indeterminate`, instead of being noted.
    pub signers_required: bool,
    /// Extended key usages under which documents may be signed. Empty: the usual ones.
    pub usages: Vec<KeyPurpose>,
    /// Anchors that count only for what was signed until a day.
    pub anchors: Vec<AnchorEnd>,
}

/// What a missing or outdated revocation list means; a revoked certificate is never accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// The verdict is `indeterminate` without up-to-date revocation data for each certificate.
    Required,
    /// Revocation data is used where it is there; what is missing or old is only noted.
    #[default]
    IfKnown,
}

/// Whether the time of signing must be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeStamps {
    /// The verdict is `indeterminate` unless a good time stamp proves the signature's age.
    Required,
    /// The signer's own claim is noted as such.
    #[default]
    Optional,
}

/// An anchor that ends before its certificate does, for instance because the authority was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorEnd {
    /// Digest of the anchor's certificate in DER.
    pub sha256: Sha256Digest,
    /// The last moment for which it counts; RFC 3339 in text.
    #[serde(with = "rfc3339")]
    pub until: Timestamp,
}

/// An extended key usage, in text as its dotted number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPurpose(pub(crate) ObjectIdentifier);

impl std::str::FromStr for KeyPurpose {
    type Err = NotAnOid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        oid(text).map(Self)
    }
}

/// A text that is no dotted object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no object identifier such as \"1.3.6.1.5.5.7.3.36\"")]
pub struct NotAnOid {
    text: String,
}

pub(crate) fn oid(text: &str) -> Result<ObjectIdentifier, NotAnOid> {
    ObjectIdentifier::new(text).map_err(|_malformed| NotAnOid {
        text: text.to_owned(),
    })
}

impl Serialize for KeyPurpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyPurpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

mod rfc3339 {
    use loket_wire::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        moment: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(moment)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse_rfc3339(&text).map_err(|_malformed| {
            serde::de::Error::custom(format_args!(
                "{text:?} is no moment such as \"2032-01-01T00:00:00Z\""
            ))
        })
    }
}
