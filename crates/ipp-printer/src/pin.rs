//! Trusts a printer by its key and by nothing else.
//!
//! Printers sign their own certificates, whose names and dates mean nothing. What can be kept is
//! the key: whoever proves to hold the private key of the pinned public key is the printer that
//! was installed.

use std::io;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

/// Accepts the one certificate key whose SubjectPublicKeyInfo has the pinned SHA-256.
#[derive(Debug)]
pub(crate) struct PinnedKey {
    pinned: [u8; 32],
    provider: Arc<CryptoProvider>,
}

/// The cause inside a TLS error: a key was shown that is not the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("the key with SHA-256 {presented} is not the pinned one")]
pub(crate) struct OtherKey {
    /// Lowercase hex of the SHA-256 of the key that was shown.
    pub(crate) presented: String,
}

impl OtherKey {
    /// Finds it in the error of a handshake.
    pub(crate) fn in_error(error: &io::Error) -> Option<&Self> {
        let Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) =
            error.get_ref()?.downcast_ref::<Error>()?
        else {
            return None;
        };
        cause.downcast_ref()
    }
}

impl PinnedKey {
    pub(crate) fn new(pinned: [u8; 32], provider: Arc<CryptoProvider>) -> Self {
        Self { pinned, provider }
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let shown = digest(&SHA256, &key);
        if shown.as_ref() == self.pinned {
            return Ok(ServerCertVerified::assertion());
        }
        let presented = HEXLOWER.encode(shown.as_ref());
        let other = OtherError(Arc::new(OtherKey { presented }));
        Err(Error::InvalidCertificate(CertificateError::Other(other)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
