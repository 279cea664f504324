//! What a QR code says: hostile, personal, and shown to nobody.

use std::fmt;

use loket_wire::Sha256Digest;
use zeroize::Zeroizing;

/// Most bytes that one QR code holds: 7,089 digits in version 40-L, which are more than its 2,953 bytes.
///
/// # Source
/// ISO/IEC 18004, table of symbol capacities.
pub const MAX_PAYLOAD_BYTES: usize = 7_089;

/// Keeps digests of payloads apart from whatever else is digested under the same key.
const PURPOSE: &[u8] = b"loket/qr/payload/1\0";

/// The bytes of one QR code, gone from memory with their last owner.
///
/// A token in it leads to a person's record: there is no `Display`, `Debug` shows the length alone, and what leaves the
/// process is a class or a keyed digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Zeroizing<Vec<u8>>);

impl Payload {
    /// Takes the bytes of one code, at most [`MAX_PAYLOAD_BYTES`] of them.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MAX_PAYLOAD_BYTES).unwrap_or(bytes);
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes themselves, for comparing and classifying; never to be followed, shown or logged.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// By what two sightings of one payload are told to be the same without keeping it: HMAC-SHA-256 under `key`.
    ///
    /// Without the key nobody can try likely payloads against it (RFC 2104).
    #[must_use]
    pub fn digest(&self, key: &DigestKey) -> Sha256Digest {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.0.as_slice());
        let mut context = ring::hmac::Context::with_key(&key);
        context.update(PURPOSE);
        context.update(&self.0);
        let mut digest = [0_u8; 32];
        digest.copy_from_slice(context.sign().as_ref());
        Sha256Digest::from_bytes(digest)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// The secret under which payloads are digested; 32 bytes that the caller drew and keeps.
#[derive(Clone)]
pub struct DigestKey(Zeroizing<[u8; 32]>);

impl DigestKey {
    /// Wraps the caller's secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_payload_nor_key_shows_itself() {
        let payload = Payload::of(b"https://kk.contoh.invalid/rahasia");
        let key = DigestKey::from_bytes([65; 32]);
        assert_eq!(
            format!("{payload:?} {key:?}"),
            "Payload(33 bytes) DigestKey"
        );
    }

    #[test]
    fn a_digest_depends_on_payload_and_key() {
        let digest = |payload: &[u8], key: u8| {
            let key = DigestKey::from_bytes([key; 32]);
            Payload::of(payload).digest(&key)
        };
        assert_eq!(digest(b"a", 1), digest(b"a", 1));
        assert_ne!(digest(b"a", 1), digest(b"b", 1));
        assert_ne!(digest(b"a", 1), digest(b"a", 2));
    }

    #[test]
    fn more_bytes_than_a_code_holds_are_cut() {
        let long = vec![b'7'; MAX_PAYLOAD_BYTES + 1];
        assert_eq!(Payload::of(&long).as_bytes().len(), MAX_PAYLOAD_BYTES);
    }
}
