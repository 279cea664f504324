//! Whether a server's certificate can be valid now, on a machine that may not know what now is.
//!
//! While nobody vouched for the clock, all that is known is that the floor has passed. A dead clock battery says 1970
//! or 2040 as easily as the truth, and a machine that refuses the broker for that never hears the time. So dates
//! refuse a certificate then only where no moment from the floor on lies within all dates of its chain. Everything
//! else (authority, name, use, signatures) is judged as ever; once central spoke, dates are too.

use std::sync::Arc;

use loket_wire::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::clock::Clock;

/// Certificates of a chain that may each begin later than the one before: the authority's tree has two levels.
const MAX_BEGINNINGS: usize = 4;

/// The usual verifier, patient with dates while the clock is not trusted.
#[derive(Debug)]
pub(crate) struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    clock: Clock,
}

impl Verifier {
    pub(crate) const fn new(usual: Arc<WebPkiServerVerifier>, clock: Clock) -> Self {
        Self { usual, clock }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |at| {
            self.usual
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at)
        };
        let judged = judge(now);
        let clock = self.clock.now();
        if clock.trusted || !is_about_dates(&judged) {
            return judged;
        }
        let mut at = unix_time(clock.floor);
        for _beginning in 0..MAX_BEGINNINGS {
            match judge(at) {
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                    not_before,
                    ..
                })) => at = not_before,
                patient => return patient,
            }
        }
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

const fn is_about_dates(judged: &Result<ServerCertVerified, Error>) -> bool {
    matches!(
        judged,
        Err(Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        ))
    )
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(at.since(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
    use rustls::RootCertStore;

    use super::*;
    use crate::clock::Word;

    /// A broker's certificate for the year 2028, and the verifier of a machine whose floor is the start of `floor`.
    fn case(floor: &str) -> (Verifier, CertificateDer<'static>) {
        let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let (authority_key, key) = (key(), key());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2028, 1, 1);
        params.not_after = date_time_ymd(2028, 12, 31);
        let issuer = Issuer::new(authority, authority_key);
        let leaf = params.signed_by(&key, &issuer).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let clock = Clock::new(Some(moment(floor)));
        (Verifier::new(usual.build().unwrap(), clock), leaf)
    }

    fn moment(day: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap()
    }

    fn judge(verifier: &Verifier, leaf: &CertificateDer<'_>, name: &str, now: &str) -> bool {
        let name = ServerName::try_from(name).unwrap();
        let now = unix_time(moment(now));
        let judged = verifier.verify_server_cert(leaf, &[], &name, &[], now);
        judged.is_ok()
    }

    #[test]
    fn a_clock_that_nobody_vouches_for_refuses_only_what_is_over_for_certain() {
        for (floor, expected) in [
            ("2026-11-22", true),
            ("2028-06-01", true),
            ("2029-01-01", false),
        ] {
            for now in ["1970-01-02", "2028-06-01", "2040-06-01"] {
                let (verifier, leaf) = case(floor);
                let is_now_within = now == "2028-06-01";
                assert_eq!(
                    judge(&verifier, &leaf, "localhost", now),
                    expected || is_now_within,
                    "floor {floor}, now {now}"
                );
            }
        }
    }

    #[test]
    fn dates_count_once_central_spoke() {
        let (verifier, leaf) = case("2026-11-22");
        verifier.clock.hear(Word::Command(1), moment("2026-11-23"));
        assert!(!judge(&verifier, &leaf, "localhost", "2026-11-23"));
        assert!(!judge(&verifier, &leaf, "localhost", "2040-06-01"));
        assert!(judge(&verifier, &leaf, "localhost", "2028-06-01"));
    }

    #[test]
    fn patience_is_for_dates_alone() {
        let (verifier, leaf) = case("2026-11-22");
        assert!(!judge(&verifier, &leaf, "elsewhere", "1970-01-02"));
        let (other_authority, _its_leaf) = case("2026-11-22");
        assert!(!judge(&other_authority, &leaf, "localhost", "1970-01-02"));
    }
}
