//! Who central is: its certificate, the authority, the key that signs commands, the key of its own sealed copies.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loket_wire::sealed::{SealError, SealingKey, SealingPublic};
use loket_wire::sign::{SignError, SigningKey, VerifyingKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::{Decode, oid::db::rfc4519::CN};
use zeroize::Zeroizing;

use crate::config::{Api, Config};
use crate::files;
use crate::random::{RandomnessFailed, SystemRandomness};

/// The largest PEM file; a chain of three P-256 certificates is 3 kB.
const MAX_PEM_BYTES: u64 = 256 * 1024;

/// Why central's identity cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// A file could not be read.
    #[error("read the identity file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file holds no PEM section of the expected kind.
    #[error("read the identity file {}: it holds no {what} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
    },
    /// The authority's certificate is none whose key can check machine records.
    #[error("read the authority's certificate {}: not a P-256 certificate", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
    },
    /// The signing key is no Ed25519 key.
    #[error("read the signing key {}", path.display())]
    Signing {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SignError,
    },
    /// The sealing key file is not 32 bytes in base64.
    #[error("read the sealing key {}", path.display())]
    Sealing {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The sealing key could not be made.
    #[error("make the sealing key")]
    Randomness(#[from] RandomnessFailed),
    /// Certificate and key do not fit, or TLS refuses them.
    #[error("set up TLS with {}", path.display())]
    Tls {
        /// The certificate.
        path: PathBuf,
        /// What TLS said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Keys and TLS settings of a running central.
pub(crate) struct Identity {
    /// Signs commands and acknowledgements.
    pub(crate) signing: SigningKey,
    /// Opens central's own copies.
    pub(crate) sealing: SealingKey,
    /// Seals them.
    pub(crate) sealing_public: SealingPublic,
    /// Checks machine records.
    pub(crate) authority: VerifyingKey,
    /// Mutual TLS to brokers.
    pub(crate) broker_tls: Arc<ClientConfig>,
    /// Mutual TLS from machines.
    pub(crate) documents_tls: Arc<ServerConfig>,
    /// TLS from people, where the settings have a certificate.
    pub(crate) api_tls: Option<Arc<ServerConfig>>,
    /// When central's own certificate ends, in seconds since 1970.
    pub(crate) certificate_ends_unix_s: i64,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// Reads all files of `config`; makes the sealing key when there is none.
    pub(crate) fn load(config: &Config) -> Result<Self, IdentityError> {
        let paths = &config.identity;
        let chain = certificates(&paths.certificate)?;
        let roots = roots(&paths.authority)?;
        let sealing = sealing_key(&config.sealing_key())?;
        let sealing_public = sealing.public().map_err(|source| IdentityError::Sealing {
            path: config.sealing_key(),
            source,
        })?;
        let own = chain
            .first()
            .map(CertificateDer::as_ref)
            .unwrap_or_default();
        Ok(Self {
            signing: signing_key(&paths.signing_key)?,
            sealing,
            sealing_public,
            authority: authority_key(&paths.authority)?,
            broker_tls: broker_tls(&paths.certificate, &paths.key, &roots)?,
            documents_tls: documents_tls(&paths.certificate, &paths.key, &roots)?,
            api_tls: api_tls(&config.api)?,
            certificate_ends_unix_s: certificate_end(own).unwrap_or(0),
        })
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let bytes =
        files::read_bounded(path, MAX_PEM_BYTES).map_err(|source| IdentityError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    Ok(Zeroizing::new(bytes))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let failed = || IdentityError::Pem {
        path: path.to_owned(),
        what: "certificate",
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|_ignored| failed())?;
    if chain.is_empty() {
        Err(failed())
    } else {
        Ok(chain)
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, IdentityError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_ignored| IdentityError::Pem {
        path: path.to_owned(),
        what: "private key",
    })
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, IdentityError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store
            .add(certificate)
            .map_err(|source| tls_error(path, source))?;
    }
    Ok(Arc::new(store))
}

fn tls_error(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> IdentityError {
    IdentityError::Tls {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn broker_tls(
    certificate: &Path,
    key: &Path,
    roots: &Arc<RootCertStore>,
) -> Result<Arc<ClientConfig>, IdentityError> {
    let config = ClientConfig::builder()
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
        .map_err(|source| tls_error(certificate, source))?;
    Ok(Arc::new(config))
}

fn documents_tls(
    certificate: &Path,
    key: &Path,
    roots: &Arc<RootCertStore>,
) -> Result<Arc<ServerConfig>, IdentityError> {
    let verifier = WebPkiClientVerifier::builder(Arc::clone(roots))
        .build()
        .map_err(|source| tls_error(certificate, source))?;
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(certificate)?, private_key(key)?)
        .map_err(|source| tls_error(certificate, source))?;
    Ok(Arc::new(config))
}

fn api_tls(api: &Api) -> Result<Option<Arc<ServerConfig>>, IdentityError> {
    let (Some(certificate), Some(key)) = (&api.certificate, &api.key) else {
        return Ok(None);
    };
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates(certificate)?, private_key(key)?)
        .map_err(|source| tls_error(certificate, source))?;
    Ok(Some(Arc::new(config)))
}

fn signing_key(path: &Path) -> Result<SigningKey, IdentityError> {
    let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(&read(path)?).map_err(|_ignored| {
        IdentityError::Pem {
            path: path.to_owned(),
            what: "PKCS#8 key",
        }
    })?;
    SigningKey::ed25519_from_pkcs8(pkcs8.secret_pkcs8_der()).map_err(|source| {
        IdentityError::Signing {
            path: path.to_owned(),
            source,
        }
    })
}

/// The key under which the authority signs machine records: its first certificate's.
fn authority_key(path: &Path) -> Result<VerifyingKey, IdentityError> {
    let failed = || IdentityError::Authority {
        path: path.to_owned(),
    };
    let chain = certificates(path)?;
    let der = chain.first().ok_or_else(failed)?;
    let certificate = Certificate::from_der(der).map_err(|_ignored| failed())?;
    p256_key(&certificate).ok_or_else(failed)
}

/// The X25519 key in the file at `path`; made where there is none.
pub(crate) fn sealing_key(path: &Path) -> Result<SealingKey, IdentityError> {
    let unreadable = |source| IdentityError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut random = SystemRandomness::new();
    let fresh = SealingKey::generate(&mut random);
    random.check()?;
    let text = Zeroizing::new(data_encoding::BASE64.encode(fresh.as_bytes()));
    files::create_durably(path, text.as_bytes()).map_err(unreadable)?;
    existing_sealing_key(path)
}

/// The X25519 key in the file at `path`, which must be there.
pub(crate) fn existing_sealing_key(path: &Path) -> Result<SealingKey, IdentityError> {
    let failed = || IdentityError::Sealing {
        path: path.to_owned(),
        source: SealError::Key,
    };
    let bytes = read(path)?;
    let decoded = Zeroizing::new(
        data_encoding::BASE64
            .decode(bytes.trim_ascii())
            .map_err(|_ignored| failed())?,
    );
    let key: [u8; 32] = decoded.as_slice().try_into().map_err(|_ignored| failed())?;
    Ok(SealingKey::from_bytes(key))
}

fn certificate_end(der: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate
        .tbs_certificate
        .validity
        .not_after
        .to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// Who a client certificate says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The common name, exactly one.
    pub(crate) common_name: String,
    /// The certified key.
    pub(crate) key: VerifyingKey,
}

/// Reads subject and key of a certificate that TLS has already verified.
pub(crate) fn subject(der: &[u8]) -> Option<Subject> {
    let certificate = Certificate::from_der(der).ok()?;
    let subject = &certificate.tbs_certificate.subject;
    let attributes = subject.0.iter().flat_map(|set| set.0.iter());
    let mut names = attributes.filter(|attribute| attribute.oid == CN);
    let name = names.next()?;
    if names.next().is_some() {
        return None;
    }
    let common_name = std::str::from_utf8(name.value.value()).ok()?.to_owned();
    let key = p256_key(&certificate)?;
    Some(Subject { common_name, key })
}

/// The P-256 key of a certificate; `None` for any other kind.
fn p256_key(certificate: &Certificate) -> Option<VerifyingKey> {
    let spki = &certificate.tbs_certificate.subject_public_key_info;
    let point = spki.subject_public_key.as_bytes()?;
    VerifyingKey::parse(&format!("p256:{}", data_encoding::BASE64.encode(point))).ok()
}
