//! Trusts a printer by its key and by nothing else.
//!
//! Printers sign their own certificates, whose names and dates mean nothing. What can be kept is
//! the key: whoever proves to hold the private key of the pinned public key is the printer that
//! was installed.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Accepts the one certificate key whose SubjectPublicKeyInfo has the pinned SHA-256.
#[derive(Debug)]
pub(crate) struct PinnedKey {
    pinned: [u8; 32],
    provider: Arc<CryptoProvider>,
    /// What was shown where it was not the pinned one: TLS errors cannot carry it.
    refused: Mutex<Option<String>>,
}

impl PinnedKey {
    pub(crate) fn new(pinned: [u8; 32], provider: Arc<CryptoProvider>) -> Self {
        Self {
            pinned,
            provider,
            refused: Mutex::new(None),
        }
    }

    /// Lowercase hex of the key digest that was refused, if one was.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = Some(HEXLOWER.encode(shown.as_ref()));
        Err(Error::InvalidCertificate(
            CertificateError::ApplicationVerificationFailure,
        ))
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
