//! ECDSA with SHA-512 by the arithmetic of ring, which has no such pair.
//!
//! A signature (r, s) over the digest e holds for the key Q exactly if (r, k s) over the digest k e holds for the key k Q,
//! for any k: both lead to the point (e/s) G + (r/s) Q. With k e the SHA-256 digest of the same message ring checks it.

use p256::elliptic_curve::sec1::ToEncodedPoint as _;

use super::*;

macro_rules! blinded {
    ($curve:ident $integer:ident $size:literal $key:ident $message:ident $signature:ident) => {{
        use $curve::{FieldBytes, PublicKey, Scalar, $integer};
        let scalar = |digest: &[u8]| {
            let bytes = FieldBytes::from(<[u8; $size]>::try_from(digest).unwrap());
            <Scalar as p256::elliptic_curve::ops::Reduce<$integer>>::reduce_bytes(&bytes)
        };
        let long = digest::digest(&digest::SHA512, $message).as_ref().to_vec();
        let mut short = vec![0; $size - 32];
        short.extend(digest::digest(&digest::SHA256, $message).as_ref().to_vec());
        let read = $curve::ecdsa::Signature::from_der($signature);
        let (Ok(read), Ok(key)) = (read, PublicKey::from_sec1_bytes($key)) else {
            return false;
        };
        let factor = scalar(&short) * scalar(&long[..$size]).invert().unwrap();
        let key = (key.to_projective() * factor).to_affine();
        let value = read.s().as_ref() * &factor;
        let moved = $curve::ecdsa::Signature::from_scalars(*read.r(), value).unwrap();
        (
            key.to_encoded_point(false).as_bytes().to_vec(),
            moved.to_der().as_bytes().to_vec(),
        )
    }};
}

/// Whether ring calls the signature good, moved to the digest that it knows.
pub(super) fn is_signed(curve: Curve, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    if key.first() != Some(&4) {
        return false;
    }
    let (key, signature) = match curve {
        Curve::P256 => blinded!(p256 U256 32 key message signature),
        Curve::P384 => blinded!(p384 U384 48 key message signature),
    };
    Ring.is_signed(
        Method::Ecdsa(curve, Hash::Sha256),
        &key,
        message,
        &signature,
    )
}
