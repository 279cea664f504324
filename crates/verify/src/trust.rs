//! Whom an office trusts: configuration that is handed in, never code.

use data_encoding::BASE64;
use loket_wire::Timestamp;

use crate::certificate::Certificate;
use crate::crl::RevocationList;
use crate::ocsp::Response;

mod carried;

/// Certificates in one trust store; the national hierarchy has a few dozen.
pub const MAX_TRUST_CERTIFICATES: usize = 256;

/// Revocation lists in one trust store, and likewise answers of responders: a few for each authority.
pub const MAX_TRUST_LISTS: usize = 256;

/// Size of one file of the trust store: room for a list of some 100,000 entries.
pub const MAX_TRUST_FILE_BYTES: usize = 8 * 1024 * 1024;

/// The certificates and revocation lists that verdicts rest on.
///
/// Self-signed certificates are anchors; all others help to build chains and vouch for nothing
/// by themselves.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    lists: Vec<RevocationList>,
    responses: Vec<Response>,
    as_of: Option<Timestamp>,
}

/// Why a trust store cannot be used; `position` counts the files from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The file is larger than [`MAX_TRUST_FILE_BYTES`].
    #[error("read trust file {position}: larger than {MAX_TRUST_FILE_BYTES} bytes")]
    FileTooLarge {
        /// Which file.
        position: usize,
    },
    /// The file holds no certificate and no revocation list.
    #[error("read trust file {position}: neither certificates nor revocation lists in it")]
    Unrecognised {
        /// Which file.
        position: usize,
    },
    /// A certificate of the file cannot be read.
    #[error("read trust file {position}: malformed certificate")]
    Certificate {
        /// Which file.
        position: usize,
    },
    /// A revocation list of the file cannot be read.
    #[error("read trust file {position}: malformed revocation list")]
    RevocationList {
        /// Which file.
        position: usize,
    },
    /// A responder's answer of the file cannot be read, or refuses to say anything.
    #[error("read trust file {position}: malformed or unsuccessful OCSP response")]
    Response {
        /// Which file.
        position: usize,
    },
    /// The text form around a certificate or list is broken.
    #[error("read trust file {position}: broken PEM text")]
    Pem {
        /// Which file.
        position: usize,
    },
    /// A store that another process gave is cut or bent.
    #[error("take a trust store from another process: cut or bent")]
    Carried,
    /// More than [`MAX_TRUST_CERTIFICATES`] certificates or [`MAX_TRUST_LISTS`] lists.
    #[error("keep trust file {position}: more certificates or lists than are kept")]
    TooMany {
        /// Which file.
        position: usize,
    },
}

impl Trust {
    /// Reads a trust store from its files.
    ///
    /// Each file is PEM with any number of `CERTIFICATE`, `X509 CRL` and `OCSP RESPONSE` blocks (text between the blocks
    /// is passed over), or one certificate, revocation list or OCSP response in DER.
    ///
    /// # Errors
    /// The first file that holds nothing of this, or something broken, or too much; a private
    /// key or another kind of block counts as not recognised.
    pub fn from_files<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        for (position, file) in files.into_iter().enumerate() {
            if file.len() > MAX_TRUST_FILE_BYTES {
                return Err(TrustError::FileTooLarge { position });
            }
            if let Ok(certificate) = Certificate::parse(file) {
                trust.add_certificate(certificate);
            } else if let Ok(list) = RevocationList::parse(file) {
                trust.lists.push(list);
            } else if let Ok(response) = Response::parse(file) {
                trust.responses.push(response);
            } else {
                trust.add_pem(file, position)?;
            }
            let certificates = trust
                .anchors
                .len()
                .saturating_add(trust.intermediates.len());
            let said = trust.lists.len().max(trust.responses.len());
            if certificates > MAX_TRUST_CERTIFICATES || said > MAX_TRUST_LISTS {
                return Err(TrustError::TooMany { position });
            }
        }
        Ok(trust)
    }

    /// Whether it holds no anchor, so that no document can be valid.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// This store with what another one knows beside it: certificates that build chains, revocation lists and answers of
    /// responders. Anchors of the other one count only with `takes_anchors`; without it they are left out.
    ///
    /// # Errors
    /// [`TrustError::TooMany`], with position 0, where the two together are more than one store keeps.
    pub fn joined(mut self, other: Self, takes_anchors: bool) -> Result<Self, TrustError> {
        let anchors = other.anchors.into_iter().filter(|_anchor| takes_anchors);
        for certificate in anchors.chain(other.intermediates) {
            self.add_certificate(certificate);
        }
        self.lists.extend(other.lists);
        self.responses.extend(other.responses);
        let certificates = self.anchors.len().saturating_add(self.intermediates.len());
        let said = self.lists.len().max(self.responses.len());
        if certificates > MAX_TRUST_CERTIFICATES || said > MAX_TRUST_LISTS {
            return Err(TrustError::TooMany { position: 0 });
        }
        Ok(self)
    }

    /// When the first of the newest lists of each issuer ends; none where there is no list, or none that ends.
    #[must_use]
    pub fn lists_end_at(&self) -> Option<Timestamp> {
        let is_newest =
            |list: &&RevocationList| !self.lists.iter().any(|other| other.replaces(list));
        let newest = self.lists.iter().filter(is_newest);
        newest.filter_map(RevocationList::ends_at).min()
    }

    pub(crate) fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    pub(crate) fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// The same store, as somebody gathered it at `as_of`; reports then say so, and what was revoked since is not known.
    #[must_use]
    pub fn dated(self, as_of: Timestamp) -> Self {
        Self {
            as_of: Some(as_of),
            ..self
        }
    }

    /// When the store was gathered, if that is known.
    #[must_use]
    pub const fn as_of(&self) -> Option<Timestamp> {
        self.as_of
    }

    pub(crate) fn responses(&self) -> &[Response] {
        &self.responses
    }

    pub(crate) fn lists(&self) -> &[RevocationList] {
        &self.lists
    }

    fn add_certificate(&mut self, certificate: Certificate) {
        let group = if certificate.is_self_issued() && certificate.issued(&certificate).is_ok() {
            &mut self.anchors
        } else {
            &mut self.intermediates
        };
        if !group.contains(&certificate) {
            group.push(certificate);
        }
    }

    fn add_pem(&mut self, file: &[u8], position: usize) -> Result<(), TrustError> {
        let text =
            std::str::from_utf8(file).map_err(|_binary| TrustError::Unrecognised { position })?;
        let mut lines = text.lines().map(str::trim);
        let mut found = false;
        while let Some(line) = lines.next() {
            let Some(label) = line.strip_prefix("-----BEGIN ") else {
                continue;
            };
            let label = label
                .strip_suffix("-----")
                .ok_or(TrustError::Pem { position })?;
            let mut body = String::new();
            loop {
                let line = lines.next().ok_or(TrustError::Pem { position })?;
                if let Some(end) = line.strip_prefix("-----END ") {
                    if end.strip_suffix("-----") != Some(label) {
                        return Err(TrustError::Pem { position });
                    }
                    break;
                }
                body.push_str(line);
            }
            let der = BASE64
                .decode(body.as_bytes())
                .map_err(|_bad| TrustError::Pem { position })?;
            self.add_block(label, &der, position)?;
            found = true;
        }
        if found {
            Ok(())
        } else {
            Err(TrustError::Unrecognised { position })
        }
    }

    fn add_block(&mut self, label: &str, der: &[u8], position: usize) -> Result<(), TrustError> {
        match label {
            "CERTIFICATE" => {
                let certificate = Certificate::parse(der)
                    .map_err(|_malformed| TrustError::Certificate { position })?;
                self.add_certificate(certificate);
            }
            "X509 CRL" => {
                let list = RevocationList::parse(der)
                    .map_err(|_malformed| TrustError::RevocationList { position })?;
                self.lists.push(list);
            }
            "OCSP RESPONSE" => {
                let response =
                    Response::parse(der).map_err(|_malformed| TrustError::Response { position })?;
                self.responses.push(response);
            }
            _other => return Err(TrustError::Unrecognised { position }),
        }
        Ok(())
    }
}
