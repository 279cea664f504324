//! ECDSA over a digest that is longer than the curve: ring has no such pair, RustCrypto takes the digest as it is.
//!
//! # Source
//! FIPS 186-5, 6.4.2: the leftmost bits of the digest count, as many as the order of the curve has.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;

use super::Curve;

/// How a point begins whose two coordinates follow; ring takes no other, and no authority at hand writes another.
const UNCOMPRESSED: u8 = 4;

/// Whether `signature` over `digest` was made with the key whose public half is `key`.
pub(super) fn is_signed(curve: Curve, key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    if key.first() != Some(&UNCOMPRESSED) {
        return false;
    }
    match curve {
        Curve::P256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key);
            let signature = p256::ecdsa::Signature::from_der(signature);
            let (Ok(key), Ok(signature)) = (key, signature) else {
                return false;
            };
            key.verify_prehash(digest, &signature).is_ok()
        }
        Curve::P384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key);
            let signature = p384::ecdsa::Signature::from_der(signature);
            let (Ok(key), Ok(signature)) = (key, signature) else {
                return false;
            };
            key.verify_prehash(digest, &signature).is_ok()
        }
    }
}
