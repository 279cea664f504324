//! The checksum of a row: CRC-32, so that a flipped bit in a value is seen.
//!
//! It guards against a failing disk, not against a person: who can write the file can write the
//! checksum too.

/// The reversed polynomial of IEEE 802.3.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// Returns the CRC-32 over the parts, each preceded by its length so that parts cannot merge.
pub(crate) fn checksum(parts: &[&[u8]]) -> u32 {
    let mut crc = !0;
    for part in parts {
        let size = u64::try_from(part.len()).unwrap_or(u64::MAX);
        crc = feed(crc, &size.to_le_bytes());
        crc = feed(crc, part);
    }
    !crc
}

#[expect(
    clippy::indexing_slicing,
    reason = "a byte is always within 256 entries"
)]
fn feed(mut crc: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        let [low, _, _, _] = crc.to_le_bytes();
        crc = (crc >> 8) ^ TABLE[usize::from(low ^ byte)];
    }
    crc
}

/// What each byte does to the sum: a start reads every open event, so eight steps a byte count.
const TABLE: [u32; 256] = table();

#[expect(
    clippy::indexing_slicing,
    reason = "the loop ends with the table, at compile time"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let (mut position, mut value) = (0_usize, 0_u32);
    while position < table.len() {
        let (mut crc, mut step) = (value, 0);
        while step < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg());
            step += 1;
        }
        table[position] = crc;
        position += 1;
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_crc_32_of_ieee_802_3() {
        assert_eq!(!feed(!0, b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn parts_do_not_merge() {
        assert_ne!(checksum(&[b"ab", b"c"]), checksum(&[b"a", b"bc"]));
    }
}
