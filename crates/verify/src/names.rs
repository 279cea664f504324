//! Whether two names of certificates are the same name.
//!
//! Authorities write one name in several spellings: capitals, spaces, PrintableString here and UTF8String there. Compared
//! by bytes an honest chain leads nowhere. A name alone lets nobody in: whoever bears an authority's name must have
//! signed with its key, too.
//!
//! What is deliberately not done is the rest of RFC 4518 (NFKC, letters that stand for nothing): two spellings of one
//! letter with marks are two names, which refuses and never admits. Where a same name makes a rule weaker (an authority
//! that certifies itself lengthens no path) it must be the same to the byte: [`crate::certificate`].
//!
//! # Source
//! RFC 5280, 7.1.

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RelativeDistinguishedName};

use crate::signers::text_of;

pub(crate) mod text;

/// Attributes of a name that are compared other than by their bytes; X.520 names have up to ten.
const MAX_PARTS: usize = 64;

/// Whether both name the same one.
pub(crate) fn is_same(one: &Name, other: &Name) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (&one.0, &other.0);
    one.len() == other.len()
        && one.len() <= MAX_PARTS
        && one
            .iter()
            .zip(other)
            .all(|(left, right)| is_same_part(left, right))
}

/// Whether `name` is `base` or lies under it.
pub(crate) fn is_under(base: &Name, name: &Name) -> bool {
    base.0.len() <= name.0.len()
        && base
            .0
            .iter()
            .zip(&name.0)
            .all(|(base, part)| is_same_part(base, part))
}

/// Whether two relative names hold the same attributes, in whatever order.
fn is_same_part(one: &RelativeDistinguishedName, other: &RelativeDistinguishedName) -> bool {
    let (one, other) = (&one.0, &other.0);
    let is_in = |part: &AttributeTypeAndValue, all: &[&AttributeTypeAndValue]| {
        all.iter().any(|it| is_same_attribute(it, part))
    };
    let (left, right): (Vec<_>, Vec<_>) = (one.iter().collect(), other.iter().collect());
    left.len() == right.len()
        && left.len() <= MAX_PARTS
        && left.iter().all(|part| is_in(part, &right))
        && right.iter().all(|part| is_in(part, &left))
}

/// Text is the same whatever its type says; all else to the byte.
fn is_same_attribute(one: &AttributeTypeAndValue, other: &AttributeTypeAndValue) -> bool {
    if one.oid != other.oid {
        return false;
    }
    one.value == other.value || {
        let text = text_of(&one.value);
        text.is_some() && text == text_of(&other.value)
    }
}

#[cfg(test)]
mod tests {
    use const_oid::ObjectIdentifier;
    use const_oid::db::rfc4519;
    use der::asn1::SetOfVec;
    use der::{Any, Tag};
    use x509_cert::name::RdnSequence;

    use super::*;

    type Part = (ObjectIdentifier, Tag, &'static [u8]);

    fn attribute((oid, tag, text): Part) -> AttributeTypeAndValue {
        let value = Any::new(tag, text).unwrap();
        AttributeTypeAndValue { oid, value }
    }

    fn relative(parts: &[Part]) -> RelativeDistinguishedName {
        let parts = parts.iter().map(|part| attribute(*part));
        RelativeDistinguishedName(SetOfVec::try_from(parts.collect::<Vec<_>>()).unwrap())
    }

    fn name(parts: &[&[Part]]) -> Name {
        RdnSequence(parts.iter().map(|parts| relative(parts)).collect())
    }

    const UTF8: Tag = Tag::Utf8String;
    const PRINTABLE: Tag = Tag::PrintableString;
    const C: Part = (rfc4519::C, PRINTABLE, b"ID");
    const O: Part = (rfc4519::O, UTF8, b"Dinas Contoh");
    const CN: Part = (rfc4519::CN, UTF8, b"CA Penerbit");

    #[test]
    fn capitals_spaces_and_types_of_strings_make_no_other_name() {
        let usual = name(&[&[C], &[O], &[CN]]);
        for same in [
            name(&[&[(rfc4519::C, UTF8, b"id")], &[O], &[CN]]),
            name(&[&[C], &[(rfc4519::O, PRINTABLE, b" DINAS  contoh ")], &[CN]]),
            name(&[
                &[C],
                &[O],
                &[(
                    rfc4519::CN,
                    Tag::BmpString,
                    b"\0C\0A\0 \0p\0e\0n\0e\0r\0b\0i\0t",
                )],
            ]),
        ] {
            assert!(is_same(&usual, &same) && is_same(&same, &usual), "{same}");
        }
        let (both, turned) = (name(&[&[O, CN]]), name(&[&[CN, O]]));
        assert!(is_same(&both, &turned));
    }

    #[test]
    fn other_letters_orders_and_numbers_of_attributes_make_another_name() {
        let usual = name(&[&[C], &[O], &[CN]]);
        for other in [
            name(&[&[C], &[O]]),
            name(&[&[C], &[O], &[CN], &[CN]]),
            name(&[&[O], &[C], &[CN]]),
            name(&[&[C], &[O, CN]]),
            name(&[&[C], &[O], &[(rfc4519::CN, UTF8, b"CA Penerbit2")]]),
            name(&[&[C], &[O], &[(rfc4519::CN, UTF8, b"CAPenerbit")]]),
            name(&[&[C], &[O], &[(rfc4519::OU, UTF8, b"CA Penerbit")]]),
            // A Cyrillic letter that looks like the Latin one, and a zero in the text.
            name(&[
                &[C],
                &[O],
                &[(rfc4519::CN, UTF8, "С\u{410} Penerbit".as_bytes())],
            ]),
            name(&[&[C], &[O], &[(rfc4519::CN, UTF8, b"CA Penerbit\0")]]),
            name(&[
                &[C],
                &[O],
                &[(rfc4519::CN, Tag::OctetString, b"CA Penerbit")],
            ]),
        ] {
            assert!(
                !is_same(&usual, &other) && !is_same(&other, &usual),
                "{other}"
            );
        }
        // An attribute that stands twice does not stand for the other one.
        let twice = [
            (rfc4519::OU, UTF8, b"A".as_slice()),
            (rfc4519::OU, PRINTABLE, b"A"),
        ];
        let two = [
            (rfc4519::OU, UTF8, b"A".as_slice()),
            (rfc4519::OU, PRINTABLE, b"B"),
        ];
        assert!(!is_same(&name(&[&twice]), &name(&[&two])));
        assert!(!is_same(&name(&[&two]), &name(&[&twice])));
    }
}
