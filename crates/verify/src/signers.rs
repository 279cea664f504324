//! Who may sign for an office.
//!
//! A good signature under the right root says only *who* signed. The same root serves other offices, firms and residents:
//! without this check any of them could sign a family card (docs/adr/0033).
//!
//! # Source
//! RFC 5280, 7.1 and RFC 4518 (how names are compared), RFC 4514 (short names of attributes).

use std::collections::BTreeMap;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc3280, rfc4519};
use der::{Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::attr::AttributeValue;
use x509_cert::name::Name;

use crate::certificate::Certificate;
use crate::policy;

/// Attributes that patterns name by letters; others by their dotted number.
const ATTRIBUTES: [(&str, ObjectIdentifier); 13] = [
    ("C", rfc4519::C),
    ("ST", rfc4519::ST),
    ("L", rfc4519::L),
    ("STREET", rfc4519::STREET),
    ("O", rfc4519::O),
    ("OU", rfc4519::OU),
    ("CN", rfc4519::CN),
    ("SN", rfc4519::SN),
    ("GN", rfc4519::GIVEN_NAME),
    ("T", rfc4519::TITLE),
    ("UID", rfc4519::UID),
    ("SERIALNUMBER", rfc4519::SERIAL_NUMBER),
    ("E", rfc3280::EMAIL_ADDRESS),
];

/// Attributes that a name has several of: one that fits is enough. Of all others each must fit, so that a second
/// organisation in a name does not pass for the first.
const SEVERAL: [ObjectIdentifier; 1] = [rfc4519::OU];

/// Longest pattern and longest attribute that are compared; X.520 allows 64 characters an attribute.
const MAX_CHARS: usize = 256;

/// One kind of official who may sign for an office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PatternText", into = "PatternText")]
pub struct SignerPattern {
    text: PatternText,
    subject: Vec<(ObjectIdentifier, Pattern)>,
    issuer: Vec<(ObjectIdentifier, Pattern)>,
    policy: Option<ObjectIdentifier>,
}

/// A signer's pattern as settings write it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternText {
    /// What the subject must say, by attribute: `O`, `OU`, `CN`, `SERIALNUMBER`, … or a dotted number. Each value is
    /// compared without regard to case and repeated spaces; `*` stands for any text. Never empty.
    pub subject: BTreeMap<String, String>,
    /// What the issuer's name must say, likewise; empty: any issuer that the trust store vouches for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issuer: BTreeMap<String, String>,
    /// A certificate policy that the certificate must name, as its dotted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It would fit everybody.
    #[error("signer: subject names no attribute, so it would fit everybody")]
    Empty,
    /// An attribute that is neither a known name nor a dotted number.
    #[error(
        "signer: {key:?} is no attribute of a name: C, ST, L, STREET, O, OU, CN, SN, GN, T, UID, SERIALNUMBER, E or a dotted number"
    )]
    Attribute {
        /// As it stands in the settings.
        key: String,
    },
    /// A value that fits nothing, or is too long.
    #[error("signer: the value of {key:?} is empty or longer than {MAX_CHARS} characters")]
    Value {
        /// The attribute.
        key: String,
    },
    /// A policy that is no dotted number.
    #[error("signer: policy is no object identifier")]
    Policy(#[source] policy::NotAnOid),
}

impl TryFrom<PatternText> for SignerPattern {
    type Error = PatternError;

    fn try_from(text: PatternText) -> Result<Self, Self::Error> {
        let subject = requirements(&text.subject)?;
        let issuer = requirements(&text.issuer)?;
        if subject.is_empty() {
            return Err(PatternError::Empty);
        }
        let policy = text.policy.as_deref().map(policy::oid).transpose();
        Ok(Self {
            subject,
            issuer,
            policy: policy.map_err(PatternError::Policy)?,
            text,
        })
    }
}

impl From<SignerPattern> for PatternText {
    fn from(pattern: SignerPattern) -> Self {
        pattern.text
    }
}

impl SignerPattern {
    /// Whether the owner of `certificate` is such an official.
    pub(crate) fn fits(&self, certificate: &Certificate) -> bool {
        let has_policy = self
            .policy
            .is_none_or(|policy| certificate.has_policy(policy));
        has_policy
            && name_fits(&self.subject, certificate.subject())
            && name_fits(&self.issuer, certificate.issuer())
    }
}

type Requirement = (ObjectIdentifier, Pattern);

fn requirements(texts: &BTreeMap<String, String>) -> Result<Vec<Requirement>, PatternError> {
    let one = |(key, value): (&String, &String)| {
        let known = ATTRIBUTES
            .iter()
            .find(|(name, _oid)| name.eq_ignore_ascii_case(key));
        let oid = match known {
            Some((_name, oid)) => *oid,
            None => policy::oid(key).map_err(|_not_an_oid| PatternError::Attribute {
                key: key.to_owned(),
            })?,
        };
        let pattern = Pattern::new(value).ok_or_else(|| PatternError::Value {
            key: key.to_owned(),
        })?;
        Ok((oid, pattern))
    };
    texts.iter().map(one).collect()
}

fn name_fits(requirements: &[Requirement], name: &Name) -> bool {
    requirements.iter().all(|(oid, pattern)| {
        let parts = name.0.iter().flat_map(|part| part.0.iter());
        let mut values = parts.filter(|part| part.oid == *oid).peekable();
        let mut fits = |part: &x509_cert::attr::AttributeTypeAndValue| {
            text_of(&part.value).is_some_and(|text| pattern.fits(&text))
        };
        if SEVERAL.contains(oid) {
            values.any(&mut fits)
        } else {
            values.peek().is_some() && values.all(&mut fits)
        }
    })
}

/// An attribute's text, made comparable; none for what is no text.
pub(crate) fn text_of(value: &AttributeValue) -> Option<String> {
    let bytes = value.value();
    let tag = value.tag();
    let text = if [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String].contains(&tag) {
        std::str::from_utf8(bytes).ok()?.to_owned()
    } else if tag == Tag::TeletexString {
        // ISO 8859-1 in all certificates that use it.
        bytes.iter().copied().map(char::from).collect()
    } else if tag == Tag::BmpString {
        let units = bytes.chunks(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            // Half a letter: nothing decodes it.
            _half => 0xd800,
        });
        char::decode_utf16(units).collect::<Result<_, _>>().ok()?
    } else {
        return None;
    };
    comparable(&text)
}

/// Case folded, spaces at the ends dropped and inner ones made one; none for what holds control characters or is too long.
///
/// RFC 4518 also normalises letters with marks (NFKC). That needs tables that nothing else here does: two spellings of
/// one such letter do not fit each other, which refuses and never admits.
fn comparable(text: &str) -> Option<String> {
    if text.chars().count() > MAX_CHARS || text.chars().any(char::is_control) {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(words.join(" ").to_lowercase())
}

/// A text in which `*` stands for any run of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// What stands between the stars; never empty.
    pieces: Vec<String>,
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let text = comparable(text)?;
        let pieces = text.split('*').map(str::to_owned).collect();
        Some(Self { pieces })
    }

    fn fits(&self, text: &str) -> bool {
        let [first, rest @ ..] = self.pieces.as_slice() else {
            return false;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return text.is_empty();
        };
        // The earliest place for each piece leaves the most for the next ones.
        for piece in middle {
            let Some((_skipped, after)) = text.split_once(piece.as_str()) else {
                return false;
            };
            text = after;
        }
        text.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern)
            .unwrap()
            .fits(&comparable(text).unwrap())
    }

    #[test]
    fn a_star_stands_for_any_text_and_all_else_for_itself() {
        for (pattern, text) in [
            ("Dinas Contoh", "Dinas Contoh"),
            ("dinas  contoh ", " DINAS Contoh"),
            ("Kepala *", "Kepala Dinas"),
            ("*Contohraya", "Dinas Kabupaten Contohraya"),
            (
                "Kepala*Contoh*raya",
                "Kepala Dinas Contoh Kabupaten Contohraya",
            ),
            ("*", "x"),
            ("a*a", "aa"),
            ("a*b*b", "a b b"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("Dinas Contoh", "Dinas Contoh Palsu"),
            ("Dinas Contoh", "Palsu Dinas Contoh"),
            ("Dinas.Contoh", "Dinas Contoh"),
            ("Kepala *", "Wakil Kepala Dinas"),
            ("a*a", "a"),
            ("a*b*b", "a b"),
            ("D?nas", "Dinas"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_names_its_key() {
        let read = |subject: &[(&str, &str)], policy: Option<&str>| {
            let subject = subject.iter();
            SignerPattern::try_from(PatternText {
                subject: subject
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect(),
                policy: policy.map(str::to_owned),
                ..PatternText::default()
            })
        };
        assert_eq!(read(&[], None), Err(PatternError::Empty));
        let key = "Organisasi".to_owned();
        assert_eq!(
            read(&[("Organisasi", "x")], None),
            Err(PatternError::Attribute { key })
        );
        let key = "O".to_owned();
        assert_eq!(read(&[("O", "  ")], None), Err(PatternError::Value { key }));
        assert!(matches!(
            read(&[("O", "x")], Some("satu")),
            Err(PatternError::Policy(_))
        ));
        assert!(read(&[("o", "x"), ("2.5.4.97", "y*")], Some("2.16.360.1")).is_ok());
    }
}
