//! Every call of every fixture goes to ring and to RustCrypto, and both must say the same.

use std::cell::Cell;

use loket_wire::Timestamp;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::*;
use crate::{Policy, Trust, Verdict, check};

mod blinded;

/// Digests and signatures by RustCrypto.
#[derive(Debug)]
struct RustCrypto;

#[derive(Debug)]
struct Started<D>(D);

impl<D: sha2::Digest + Clone + Debug + 'static> Running for Started<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn fork(&self) -> Box<dyn Running> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut running = RustCrypto.start(hash);
    running.update(message);
    running.finish()
}

impl BackEnd for RustCrypto {
    fn start(&self, hash: Hash) -> Box<dyn Running> {
        match hash {
            Hash::Sha256 => Box::new(Started(Sha256::new())),
            Hash::Sha384 => Box::new(Started(Sha384::new())),
            Hash::Sha512 => Box::new(Started(Sha512::new())),
        }
    }

    fn sha1(&self, bytes: &[u8]) -> Vec<u8> {
        sha1::Sha1::digest(bytes).to_vec()
    }

    fn is_signed(&self, method: Method, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
        let rsa_key = || RsaPublicKey::from_pkcs1_der(key);
        match method {
            Method::RsaPkcs1(hash) => {
                let padding = match hash {
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                let digest = digest(hash, message);
                rsa_key().is_ok_and(|key| key.verify(padding, &digest, signature).is_ok())
            }
            Method::RsaPss(hash) => {
                let padding = match hash {
                    Hash::Sha256 => Pss::new_with_salt::<Sha256>(32),
                    Hash::Sha384 => Pss::new_with_salt::<Sha384>(48),
                    Hash::Sha512 => Pss::new_with_salt::<Sha512>(64),
                };
                let digest = digest(hash, message);
                rsa_key().is_ok_and(|key| key.verify(padding, &digest, signature).is_ok())
            }
            Method::Ecdsa(curve, Hash::Sha512) => {
                blinded::is_signed(curve, key, message, signature)
            }
            Method::Ecdsa(Curve::P256, hash) => {
                let digest = digest(hash, message);
                let read = p256::ecdsa::Signature::from_der(signature);
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key);
                let (Ok(read), Ok(key)) = (read, key) else {
                    return false;
                };
                key.verify_prehash(&digest, &read).is_ok()
            }
            Method::Ecdsa(Curve::P384, hash) => {
                let digest = digest(hash, message);
                let read = p384::ecdsa::Signature::from_der(signature);
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key);
                let (Ok(read), Ok(key)) = (read, key) else {
                    return false;
                };
                key.verify_prehash(&digest, &read).is_ok()
            }
        }
    }
}

std::thread_local! {
    /// Signatures that both called good, and that both called bad, on this thread.
    static AGREED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Both, at each call.
#[derive(Debug)]
pub(crate) struct Compared;

#[derive(Debug)]
struct Both(Box<dyn Running>, Box<dyn Running>);

impl Running for Both {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.1.update(bytes);
    }

    fn fork(&self) -> Box<dyn Running> {
        Box::new(Self(self.0.fork(), self.1.fork()))
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        let (ours, theirs) = (self.0.finish(), self.1.finish());
        assert_eq!(ours, theirs);
        ours
    }
}

impl BackEnd for Compared {
    fn start(&self, hash: Hash) -> Box<dyn Running> {
        Box::new(Both(Ring.start(hash), RustCrypto.start(hash)))
    }

    fn sha1(&self, bytes: &[u8]) -> Vec<u8> {
        let (ours, theirs) = (Ring.sha1(bytes), RustCrypto.sha1(bytes));
        assert_eq!(ours, theirs);
        ours
    }

    fn is_signed(&self, method: Method, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let ours = Ring.is_signed(method, key, message, signature);
        let theirs = RustCrypto.is_signed(method, key, message, signature);
        assert_eq!(ours, theirs, "{method:?}");
        let (good, bad) = AGREED.get();
        AGREED.set((good + u32::from(ours), bad + u32::from(!ours)));
        ours
    }
}

macro_rules! fixture {
    ($name:expr) => {
        include_bytes!(concat!("../../../../tests/fixtures/", $name)).as_slice()
    };
}

macro_rules! fixtures {
    ($before:literal $after:literal: $($name:literal)+) => {
        [$(($name, fixture!(concat!($before, $name, $after)))),+]
    };
}

fn judge(document: &[u8]) -> crate::Report {
    let files = [
        fixture!("trust/root.pem"),
        fixture!("trust/issuing.pem"),
        fixture!("trust/root.crl.pem"),
        fixture!("trust/issuing.crl"),
    ];
    let trust = Trust::from_files(files).unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-22T00:00:00Z").unwrap();
    check(document, &trust, &Policy::default(), at)
}

/// Where the digits of the signature stand.
fn gap(document: &[u8]) -> std::ops::Range<usize> {
    let key = b"/Contents <";
    let start = document.windows(key.len()).position(|it| it == key);
    let start = start.unwrap() + key.len();
    let size = document[start..].iter().position(|b| *b == b'>').unwrap();
    start..start + size
}

#[test]
fn both_say_the_same_of_every_sample() {
    for (name, document) in fixtures!("" ".pdf":
        "kk-sample-bb" "kk-sample-bt" "kk-sample-altered" "kk-sample-revoked"
        "kk-sample-appended" "kk-sample-untrusted" "kk-sample-unsigned"
        "variants/kk-sample-certified" "variants/kk-sample-pkcs7" "variants/kk-sample-sha512"
        "variants/kk-sample-sha1" "variants/kk-sample-pss" "variants/kk-sample-pss-long-salt"
        "variants/kk-sample-p256" "variants/kk-sample-p384" "variants/kk-sample-twice"
        "variants/kk-sample-tsa-as-signer")
    {
        let before = AGREED.get().0;
        let report = judge(document);
        let checked = AGREED.get().0 - before;
        assert!(
            report.verdict != Verdict::Valid || checked >= 4,
            "{name}: signature, two certificates and a list at least: {checked}"
        );
    }
}

/// Chains of other lengths, time stamps over time stamps, lists, and answers by a responder with a P-256 key.
#[test]
fn both_say_the_same_of_every_archive() {
    for (name, document) in fixtures!("ltv/" ".pdf":
        "bb" "bt" "blt-crl" "blt-ocsp" "blta" "blta-disorder" "blta-renewed" "blta-2044")
    {
        let before = AGREED.get().0;
        judge(document);
        let checked = AGREED.get().0 - before;
        assert!((4..=40).contains(&checked), "{name}: {checked}");
    }
}

/// The pair that ring does not have, by two keys of a library that neither of both is.
#[test]
fn both_say_the_same_of_a_digest_that_is_longer_than_the_curve() {
    for (name, document) in fixtures!("originals/" ".pdf":
        "pyhanko-p256-sha512-lt-table" "pyhanko-p384-sha512-lt-table")
    {
        assert_eq!(judge(document).verdict, Verdict::Valid, "{name}");
    }
}

#[test]
fn a_digest_longer_than_the_curve_is_refused_where_one_bit_of_it_or_of_the_signature_is_another() {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    let digest = digest::digest(&digest::SHA512, b"KARTU KELUARGA");
    let own = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let key = own.verifying_key().to_encoded_point(false);
    let signature: p256::ecdsa::Signature = own.sign_prehash(digest.as_ref()).unwrap();
    let signature = signature.to_der();
    let method = Method::Ecdsa(Curve::P256, Hash::Sha512);
    let says = |message: &[u8], key: &[u8], signature: &[u8]| {
        Compared.is_signed(method, key, message, signature)
    };
    let (key, signature) = (key.as_bytes(), signature.as_bytes());
    assert!(says(b"KARTU KELUARGA", key, signature));
    assert!(!says(b"KARTU KELUARGa", key, signature));
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let other = other.verifying_key().to_encoded_point(false);
    assert!(!says(b"KARTU KELUARGA", other.as_bytes(), signature));
    let mut bent = signature.to_vec();
    *bent.last_mut().unwrap() ^= 1;
    assert!(!says(b"KARTU KELUARGA", key, &bent));
    let compressed = own.verifying_key().to_encoded_point(true);
    assert!(!says(b"KARTU KELUARGA", compressed.as_bytes(), signature));
}

/// Each container in the gap of the sample, as `tests/containers.rs` has it.
#[test]
fn both_say_the_same_of_every_broken_container() {
    let sample = fixture!("kk-sample-bb.pdf");
    let gap = gap(sample);
    for (_name, container) in fixtures!("containers/" ".der":
        "algorithms-disagree" "authority-signs" "content-inside" "content-type-other"
        "critical-unknown" "digest-disagrees" "digest-of-another" "ess-of-another" "ess-twice"
        "extra-attribute" "extra-certificate" "extra-list" "extra-root" "honest" "issuer-forged"
        "key-of-another" "leaf-as-authority" "leaf-plain" "mail-key" "path-too-long" "server-key"
        "stamp-by-signer" "stamp-of-another" "stamp" "two-digests" "two-signers" "usage-other"
        "version-three" "without-certificate" "without-ess")
    {
        let mut document = sample.to_vec();
        let place = &mut document[gap.clone()];
        place.fill(b'0');
        let hex = data_encoding::HEXLOWER.encode(container);
        place[..hex.len()].copy_from_slice(hex.as_bytes());
        judge(&document);
    }
    let (good, bad) = AGREED.get();
    assert!(
        good > 60 && bad >= 2,
        "good and bad ones were seen: {good}, {bad}"
    );
}

#[test]
fn both_refuse_each_altered_byte_of_each_kind_of_signature() {
    for document in [
        fixture!("kk-sample-bb.pdf"),
        fixture!("variants/kk-sample-pss.pdf"),
        fixture!("variants/kk-sample-p256.pdf"),
        fixture!("variants/kk-sample-p384.pdf"),
    ] {
        let gap = gap(document);
        // The signature value stands last in the container: its end, from which each step goes back.
        let zeros = document[gap.clone()].iter().rev();
        let end = gap.end - zeros.take_while(|b| **b == b'0').count();
        for back in (2..130).step_by(16) {
            let mut altered = document.to_vec();
            let at = end - back;
            altered[at] = if altered[at] == b'1' { b'2' } else { b'1' };
            assert_ne!(judge(&altered).verdict, Verdict::Valid);
        }
    }
    assert!(AGREED.get().1 >= 4, "some came as far as the arithmetic");
}
