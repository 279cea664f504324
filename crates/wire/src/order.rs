//! The order an operator or another system gives central with a document: `docs/order.schema.json`, version 1.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroize;

use crate::ids::{JobId, MachineId, OfficeId, Reference, has_long_number};
use crate::time::Timestamp;

/// The largest document central takes. Honest family cards are 29–49 kB; other certified documents stay far below.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// The longest label, in characters: what fits one line of an officer's list.
pub const MAX_LABEL_CHARS: usize = 60;

/// The longest reason of a reprint, in characters.
pub const MAX_REPRINT_REASON_CHARS: usize = 200;

/// How long an order stays printable when it does not say: a week of a site without link.
pub const DEFAULT_VALIDITY_DAYS: u16 = 7;

/// What is to be printed where, and when.
///
/// Shape: JSON or TOML with exactly these keys; unknown keys are refused, and there is no key for copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Version of this shape; 1.
    pub version: u16,
    /// The operator's own name for the order.
    pub reference: Reference,
    /// The machine that prints; either this or `office`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineId>,
    /// The office whose default machine prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<OfficeId>,
    /// The public service the document belongs to.
    pub service: Service,
    /// Whether the document is controlled.
    #[serde(default)]
    pub class: Class,
    /// What must happen before it is printed.
    #[serde(default)]
    pub release: Release,
    /// Last moment it may be printed, RFC 3339; seven days after intake when absent.
    #[serde(default, with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// What the officer reads in the list; sealed to the machine, gone at central after intake.
    #[serde(default)]
    pub label: Label,
    /// The job this one replaces on paper, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reprint_of: Option<ReprintOf>,
}

impl Order {
    /// Checks what the types alone cannot say.
    ///
    /// # Errors
    /// The [`OrderError`] that names the key.
    pub fn check(&self) -> Result<(), OrderError> {
        if self.version != 1 {
            return Err(OrderError::Version {
                version: self.version,
            });
        }
        if self.machine.is_some() == self.office.is_some() {
            return Err(OrderError::Target);
        }
        if self.class == Class::Own {
            return Err(OrderError::OwnClass);
        }
        if self.label.0.chars().count() > MAX_LABEL_CHARS
            || self.label.0.chars().any(char::is_control)
        {
            return Err(OrderError::Label);
        }
        self.reprint_of
            .as_ref()
            .map_or(Ok(()), |reprint| check_reason(&reprint.reason))
    }
}

/// The reason of a reprint stays in central's history for years, so it holds one printable line and no personal number.
fn check_reason(text: &str) -> Result<(), OrderError> {
    if text.trim().is_empty() || text.chars().count() > MAX_REPRINT_REASON_CHARS {
        Err(OrderError::ReprintReason)
    } else if text.chars().any(char::is_control) {
        Err(OrderError::ReprintReasonControl)
    } else if has_long_number(text) {
        Err(OrderError::ReprintReasonNumber)
    } else {
        Ok(())
    }
}

/// Why an order is refused (HTTP 422).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OrderError {
    /// Another version than 1.
    #[error("read the order: version {version} is not known, 1 is")]
    Version {
        /// Version met.
        version: u16,
    },
    /// Both or neither of machine and office.
    #[error("read the order: give exactly one of 'machine' and 'office'")]
    Target,
    /// Class `own` from outside.
    #[error("read the order: class 'own' is for papers that loket makes itself")]
    OwnClass,
    /// The label is too long or holds control characters.
    #[error("read the order: 'label' must be at most {MAX_LABEL_CHARS} printable characters")]
    Label,
    /// The reason of a reprint is missing or too long.
    #[error(
        "read the order: 'reprint_of.reason' must be 1 to {MAX_REPRINT_REASON_CHARS} characters"
    )]
    ReprintReason,
    /// The reason of a reprint has a line break or another control character.
    #[error("read the order: 'reprint_of.reason' must be one line without control characters")]
    ReprintReasonControl,
    /// The reason of a reprint has 16 digits in a row, as a NIK or KK number has.
    #[error("read the order: 'reprint_of.reason' must hold no personal number")]
    ReprintReasonNumber,
}

impl OrderError {
    /// The stable code of the answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Version { .. } => "O-101",
            Self::Target => "O-102",
            Self::OwnClass => "O-103",
            Self::Label => "O-104",
            Self::ReprintReason => "O-105",
            Self::ReprintReasonControl => "O-106",
            Self::ReprintReasonNumber => "O-107",
        }
    }
}

/// What an exercise page stands under in accounts and lists.
const EXERCISE: &str = "perawatan-printer";

/// A public service, as a short name of the service rules (`kk`, `akta-kelahiran`, …).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Service(String);

impl Service {
    /// Checks a name: `[a-z0-9-]{1,32}`.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good =
            (1..=32).contains(&name.len()) && name.bytes().all(allowed) && !has_long_number(name);
        good.then(|| Self(name.to_owned()))
    }

    /// That of the page which a machine prints so that the ink of a printer at rest does not dry.
    #[must_use]
    pub fn exercise() -> Self {
        Self(EXERCISE.to_owned())
    }

    /// Whether it is [`Self::exercise`]. An order may bear the name too: only a page of class `own` is one.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        self.0 == EXERCISE
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text)
            .ok_or_else(|| serde::de::Error::custom("service must be 1 to 32 of a-z, 0-9 and '-'"))
    }
}

/// Whether a document is printed only as certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Certified elsewhere: verified before printing, printed once.
    #[default]
    Controlled,
    /// Made by loket itself (tickets, slips); not verified.
    Own,
}

/// What must happen before a job is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Nothing: printed on arrival.
    Now,
    /// An officer releases it.
    #[default]
    Officer,
    /// The resident's pickup code releases it.
    Code,
}

/// The job that a reprint replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReprintOf {
    /// The earlier job.
    pub job: JobId,
    /// Why another sheet is needed; kept in the history.
    pub reason: String,
}

/// What the machine that makes another sheet is told of it. It travels sealed: people write the reason, and its machine
/// accounts for it on a day without link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reprint {
    /// The earlier job.
    pub job: JobId,
    /// Why another sheet is needed, as [`ReprintOf::reason`].
    pub reason: String,
    /// Who ordered it, as central's history names them: `token:<name>`, `folder`.
    pub by: String,
}

/// What the officer reads in the list. It may hold a name, so it shows nothing of itself in logs.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for a screen or for sealing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Label(..)")
    }
}

impl Drop for Label {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::time::Timestamp;

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` gives a reference to the field"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(moment) => serializer.collect_str(moment),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Timestamp::parse_rfc3339(&text).map_err(de::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: &str) {
        let seen = match serde_json::from_str::<Order>(json) {
            Err(_shape) => "shape",
            Ok(order) => order.check().map_or_else(OrderError::code, |()| "good"),
        };
        assert_eq!(seen, expect, "{json}");
    }

    #[test]
    fn orders_are_taken_or_refused_by_code() {
        let with =
            |more: &str| format!(r#"{{"version":1,"reference":"KK-1","service":"kk"{more}}}"#);
        check(&with(r#","machine":"desa-1""#), "good");
        check(
            &with(r#","office":"kec-1","release":"now","class":"controlled""#),
            "good",
        );
        check(
            &with(r#","machine":"desa-1","not_after":"2026-12-01T00:00:00Z""#),
            "good",
        );
        check(
            &with(r#","machine":"desa-1","not_after":"tomorrow""#),
            "shape",
        );
        check(&with(""), "O-102");
        check(&with(r#","machine":"desa-1","office":"kec-1""#), "O-102");
        check(&with(r#","machine":"desa-1","copies":2"#), "shape");
        check(&with(r#","machine":"desa-1","class":"own""#), "O-103");
        check(
            &with(&format!(
                r#","machine":"desa-1","label":"{}""#,
                "x".repeat(61)
            )),
            "O-104",
        );
        check(
            r#"{"version":2,"reference":"KK-1","service":"kk","machine":"desa-1"}"#,
            "O-101",
        );
        check(
            r#"{"version":1,"reference":"9971010101800001","service":"kk","machine":"desa-1"}"#,
            "shape",
        );
    }

    #[test]
    fn the_reason_of_a_reprint_is_one_line_without_a_personal_number() {
        let job = JobId::from_parts(1_790_000_000_000, [1; 10]);
        let with = |reason: &str| {
            let reprint = format!(r#"{{"job":"{job}","reason":{reason}}}"#);
            format!(
                r#"{{"version":1,"reference":"KK-1","service":"kk","machine":"desa-1","reprint_of":{reprint}}}"#
            )
        };
        check(&with(r#""kertas macet""#), "good");
        check(&with(r#""""#), "O-105");
        check(&with(r#""  ""#), "O-105");
        check(&with(&format!("\"{}\"", "x".repeat(201))), "O-105");
        check(&with(r#""kertas\nmacet""#), "O-106");
        check(&with(r#""kertas\u0007macet""#), "O-106");
        check(&with(r#""kertas 9971010101800001""#), "O-107");
    }

    #[test]
    fn a_label_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Label::new("SITI".to_owned())), "Label(..)");
    }
}
