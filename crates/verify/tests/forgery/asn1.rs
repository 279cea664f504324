//! DER, as much as a signature container needs.

use const_oid::ObjectIdentifier;

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const OCTETS: u8 = 0x04;

/// A value with its tag and length.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=0x7f => out.push(u8::try_from(length).unwrap()),
        0x80..=0xff => out.extend([0x81, u8::try_from(length).unwrap()]),
        _long => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// A SET OF in the order that DER asks for.
pub(crate) fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    tlv(SET, &parts.concat())
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(OCTETS, content)
}

pub(crate) fn integer(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    tlv(6, ObjectIdentifier::new_unwrap(text).as_bytes())
}

pub(crate) fn generalized(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

/// An algorithm with NULL as its parameters.
pub(crate) fn algorithm(text: &str) -> Vec<u8> {
    sequence(&[&oid(text), &[5, 0]])
}

/// The content of the value at the start of `der`, and what follows.
pub(crate) fn open(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
        short => (2, usize::from(short)),
    };
    (&der[head..head + length], &der[head + length..])
}

/// All values inside the value at the start of `der`, tags included.
pub(crate) fn inner(der: &[u8]) -> Vec<&[u8]> {
    let (mut rest, _) = open(der);
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (_, after) = open(rest);
        out.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    out
}
