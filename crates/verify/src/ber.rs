//! Containers without lengths, as some honest signers write them, put into DER.
//!
//! ISO 32000-2, 12.8.3.3 asks for DER. Bouncy Castle, and with it PDFBox, writes the outer layers of CMS with indefinite
//! lengths nevertheless. Nothing of a container's spelling is signed, so that reading both refuses no forgery less: what
//! is signed in it (the attributes, certificates, tokens) must be DER in itself.
//!
//! # Source
//! ITU-T X.690, 8.1.3.6 (indefinite form), 8.7 (strings in pieces), 10.1.

/// How deep values without lengths may nest; CMS has six such layers.
const MAX_DEPTH: u32 = 16;

/// Pieces of one string; a whole container is one piece.
const MAX_PIECES: usize = 1_024;

/// A tag with the bit for constructed values, and the octet that stands where a length would.
const SEQUENCE_WITHOUT_LENGTH: [u8; 2] = [0x30, 0x80];

/// Ends a value without length.
const END: [u8; 2] = [0, 0];

/// The bit of a tag that says that values stand inside.
const CONSTRUCTED: u8 = 0x20;

const OCTET_STRING: u8 = 0x04;

/// The value at the start of `bytes` in DER, and how many bytes it took, if it is a sequence without length.
pub(crate) fn to_der(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    if !bytes.starts_with(&SEQUENCE_WITHOUT_LENGTH) {
        return None;
    }
    let mut left = bytes;
    let der = value(&mut left, MAX_DEPTH)?;
    Some((der, bytes.len().checked_sub(left.len())?))
}

/// Takes one value. One with a length is taken as it stands: whoever reads it asks for DER.
fn value(left: &mut &[u8], depth_left: u32) -> Option<Vec<u8>> {
    let depth_left = depth_left.checked_sub(1)?;
    let whole = *left;
    let (tag, rest) = whole.split_first()?;
    let (length, _content) = rest.split_first()?;
    if *length != 0x80 {
        let taken = crate::asn1::first_value(whole)?;
        *left = whole.get(taken.len()..)?;
        return Some(taken.to_vec());
    }
    // Tags of more than one octet do not occur in CMS.
    if tag & CONSTRUCTED == 0 || tag & 0x1f == 0x1f {
        return None;
    }
    *left = whole.get(2..)?;
    let mut pieces = Vec::new();
    while !left.starts_with(&END) {
        if pieces.len() == MAX_PIECES {
            return None;
        }
        pieces.push(value(left, depth_left)?);
    }
    *left = left.get(END.len()..)?;
    if *tag != OCTET_STRING | CONSTRUCTED {
        return encode(*tag, &pieces.concat());
    }
    let mut string = Vec::new();
    for piece in &pieces {
        if piece.first() != Some(&OCTET_STRING) {
            return None;
        }
        string.extend_from_slice(crate::asn1::inside(piece)?);
    }
    encode(OCTET_STRING, &string)
}

fn encode(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let mut der = vec![tag];
    let octets = content.len().to_be_bytes();
    let skipped = octets.iter().take_while(|octet| **octet == 0).count();
    match (u8::try_from(content.len()), octets.get(skipped..)?) {
        (Ok(short), _) if short < 0x80 => der.push(short),
        (_, octets) => {
            der.push(u8::try_from(octets.len()).ok()? | 0x80);
            der.extend_from_slice(octets);
        }
    }
    der.extend_from_slice(content);
    Some(der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_lengths_get_theirs_and_pieces_of_strings_are_joined() {
        // SEQUENCE { INTEGER 1, [0] { OCTET STRING in pieces "ab" "c" } }, and what follows it.
        let ber = [
            0x30, 0x80, 0x02, 0x01, 0x01, 0xa0, 0x80, 0x24, 0x80, 0x04, 0x02, b'a', b'b', 0x04,
            0x01, b'c', 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let der = [
            0x30, 0x0a, 0x02, 0x01, 0x01, 0xa0, 0x05, 0x04, 0x03, b'a', b'b', b'c',
        ];
        assert_eq!(to_der(&ber), Some((der.to_vec(), 22)));
        assert_eq!(to_der(&der), None, "it has its lengths already");
        let content = vec![0x04; 300];
        let long = encode(0x04, &content).unwrap();
        assert_eq!(long.get(..4), Some([0x04, 0x82, 0x01, 0x2c].as_slice()));
    }

    #[test]
    fn what_has_no_end_or_no_bottom_is_nothing() {
        for bytes in [
            [0x30, 0x80].as_slice(),
            &[0x30, 0x80, 0x02],
            &[0x30, 0x80, 0x02, 0x01, 0x01, 0],
            &[0x30, 0x80, 0x04, 0x80, 0, 0, 0, 0],
            &[0x30, 0x80].repeat(4_000),
        ] {
            assert_eq!(to_der(bytes), None);
        }
    }
}
