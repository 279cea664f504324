//! Tokens by which people and systems sign in at central.

use std::str::FromStr;

use loket_wire::{Sha256Digest, Timestamp};
use thiserror::Error;

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Gives orders and sees jobs.
    Operator,
    /// Sees machines, makes and revokes tokens.
    It,
    /// Reads everything, the history too; changes nothing.
    Auditor,
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("read a role: it is operator, it or auditor")]
pub struct UnknownRole;

impl Role {
    /// The word in settings and rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::It => "it",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Operator, Self::It, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// A token as stored: its digest, never itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token. A token is 256 random bits, so a plain digest is enough.
    pub token_sha256: Sha256Digest,
    /// Its name, unique.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last moment it is good.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl TokenRow {
    /// Whether the token is good at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now <= self.expires_at
    }
}
