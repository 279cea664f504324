//! Names of certificates as text for a report.
//!
//! x509-cert writes them too, but looks each attribute up among all identifiers that it knows: one name then takes as long
//! as a fifth of an RSA check, and a report has dozens of them.
//!
//! # Source
//! RFC 4514.

use std::fmt::{self, Write};

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc3280, rfc4519};
use der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Tag, Tagged};
use x509_cert::attr::{AttributeTypeAndValue, AttributeValue};
use x509_cert::name::Name;

/// Longest name that a report shows; X.520 allows 64 characters an attribute.
const MAX_NAME_CHARS: usize = 300;

/// Attributes that names have, the usual ones first, each as x509-cert writes it.
const KEYS: [(&str, ObjectIdentifier); 18] = [
    ("CN", rfc4519::CN),
    ("O", rfc4519::O),
    ("OU", rfc4519::OU),
    ("C", rfc4519::C),
    ("ST", rfc4519::ST),
    ("L", rfc4519::L),
    ("TITLE", rfc4519::TITLE),
    ("SERIALNUMBER", rfc4519::SERIAL_NUMBER),
    ("EMAIL", rfc3280::EMAIL_ADDRESS),
    ("SN", rfc4519::SN),
    ("GIVENNAME", rfc4519::GIVEN_NAME),
    ("UID", rfc4519::UID),
    ("STREET", rfc4519::STREET),
    ("POSTALCODE", rfc4519::POSTAL_CODE),
    ("DC", rfc4519::DC),
    ("DNQUALIFIER", rfc4519::DN_QUALIFIER),
    ("INITIALS", rfc4519::INITIALS),
    ("DESCRIPTION", rfc4519::DESCRIPTION),
];

/// A name as text: no control characters, which could act on a terminal, and bounded.
pub(crate) fn text(name: &Name) -> String {
    let mut room = Room {
        text: String::new(),
        chars_left: MAX_NAME_CHARS,
    };
    // What does not fit is left off, and nothing else can fail.
    let _is_cut = write(name, &mut room).is_err();
    room.text
}

/// A text that takes so many characters and no more.
struct Room {
    text: String,
    chars_left: usize,
}

impl Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.chars_left = self.chars_left.checked_sub(1).ok_or(fmt::Error)?;
            let is_harmless = !letter.is_control();
            self.text
                .push(if is_harmless { letter } else { '\u{fffd}' });
        }
        Ok(())
    }
}

/// The most general attribute stands last in a certificate's order and first in the text's.
fn write(name: &Name, out: &mut Room) -> fmt::Result {
    for (position, part) in name.0.iter().rev().enumerate() {
        if position > 0 {
            out.write_char(',')?;
        }
        for (position, attribute) in part.0.iter().enumerate() {
            if position > 0 {
                out.write_char('+')?;
            }
            write_attribute(attribute, out)?;
        }
    }
    Ok(())
}

fn write_attribute(attribute: &AttributeTypeAndValue, out: &mut Room) -> fmt::Result {
    let known = KEYS.iter().find(|(_key, oid)| *oid == attribute.oid);
    let (Some((key, _oid)), Some(value)) = (known, plain(&attribute.value)) else {
        // What is rare may take its time.
        return write!(out, "{attribute}");
    };
    write!(out, "{key}=")?;
    let last = value.chars().count().saturating_sub(1);
    for (position, letter) in value.chars().enumerate() {
        match letter {
            '#' if position == 0 => out.write_str("\\#")?,
            ' ' if position == 0 || position == last => out.write_str("\\ ")?,
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(out, "\\{letter}")?,
            '\0'..='\x1f' | '\x7f' => write!(out, "\\{:02x}", u32::from(letter))?,
            _harmless => out.write_char(letter)?,
        }
    }
    Ok(())
}

/// An attribute's value as text, if it is one of the usual kinds.
fn plain(value: &AttributeValue) -> Option<&str> {
    let tag = value.tag();
    if tag == Tag::Utf8String {
        Utf8StringRef::try_from(value)
            .ok()
            .map(|text| text.as_str())
    } else if tag == Tag::PrintableString {
        PrintableStringRef::try_from(value)
            .ok()
            .map(|text| text.as_str())
    } else if tag == Tag::Ia5String {
        Ia5StringRef::try_from(value).ok().map(|text| text.as_str())
    } else if tag == Tag::TeletexString {
        TeletexStringRef::try_from(value)
            .ok()
            .map(|text| text.as_str())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use der::asn1::SetOfVec;
    use x509_cert::name::RelativeDistinguishedName;

    use super::*;

    fn attribute(oid: ObjectIdentifier, tag: Tag, value: &str) -> AttributeTypeAndValue {
        let value = AttributeValue::new(tag, value.as_bytes()).unwrap();
        AttributeTypeAndValue { oid, value }
    }

    fn name(parts: &[&[AttributeTypeAndValue]]) -> Name {
        let part = |attributes: &&[AttributeTypeAndValue]| {
            let attributes = SetOfVec::try_from(attributes.to_vec()).unwrap();
            RelativeDistinguishedName(attributes)
        };
        x509_cert::name::RdnSequence(parts.iter().map(part).collect())
    }

    #[test]
    fn each_name_reads_as_x509_cert_writes_it() {
        const UNKNOWN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
        const RARE: ObjectIdentifier = rfc3280::PSEUDONYM;
        let oids = KEYS.iter().map(|(_key, oid)| *oid);
        for oid in oids.chain([UNKNOWN, RARE]) {
            for tag in [
                Tag::Utf8String,
                Tag::PrintableString,
                Tag::Ia5String,
                Tag::TeletexString,
                Tag::BmpString,
                Tag::Integer,
            ] {
                for value in [
                    "Dinas Contoh",
                    "#1",
                    " a b ",
                    " ",
                    "",
                    "a=\"b\"+c,d;<e>\\",
                    "Kepala\tDinas\0\u{7f}",
                    "Açeh",
                ] {
                    let name = name(&[&[attribute(oid, tag, value)]]);
                    assert_eq!(text(&name), name.to_string(), "{oid} {tag} {value:?}");
                }
            }
        }
        let of = |oid, value| attribute(oid, Tag::Utf8String, value);
        let several = name(&[
            &[of(rfc4519::C, "ID")],
            &[of(rfc4519::O, "Dinas Contoh"), of(rfc4519::OU, "Satu")],
            &[of(rfc4519::CN, "Kepala")],
        ]);
        assert_eq!(text(&several), several.to_string());
        assert!(
            text(&several).starts_with("CN=Kepala,"),
            "the nearest first"
        );
    }

    #[test]
    fn a_name_cannot_steer_a_terminal_and_has_an_end() {
        let steering = name(&[&[attribute(rfc4519::CN, Tag::Utf8String, "a\u{9b}b")]]);
        assert_eq!(text(&steering), "CN=a\u{fffd}b");
        let long = "x".repeat(100_000);
        let long = name(&[&[attribute(rfc4519::CN, Tag::Utf8String, &long)]]);
        assert_eq!(text(&long).chars().count(), MAX_NAME_CHARS);
    }
}
